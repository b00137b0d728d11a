//! Several targets in one world, as the program watches them, and programs that end with the test.

use super::conditions::cluster::free_port;
use chrono::{Offset, Utc};
use stacktop::app::keymap::Keymap;
use stacktop::config::target::{Connect, Locality, TargetConfig};
use stacktop::core::alert::Rulebook;
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::report::PollReport;
use stacktop::core::scope::Scope;
use stacktop::core::time::{Clock, Now};
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::panels::PanelContext;
use stacktop::runtime::clock::SystemClock;
use stacktop::sources::{self, Source};
use stacktop::systems;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A program that ends with the test.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn spawn(command: &mut Command) -> Running {
    Running(
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs"),
    )
}

/// Waits until somebody answers at a port of this machine.
pub async fn answers(port: u16) {
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody answers at {port}");
}

/// A Prometheus of our own with this configuration, in `folder`.
pub async fn prometheus(folder: &Path, config: &str) -> (Running, u16) {
    let (file, port) = (folder.join("prometheus.yml"), free_port());
    std::fs::write(&file, format!("global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n{config}"))
        .expect("written");
    let running = spawn(
        Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .args(["--web.enable-lifecycle", "--rules.alert.resend-delay=1s"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}")),
    );
    sources::tls::install_provider();
    for _ in 0..100 {
        let ready = reqwest::get(format!("http://127.0.0.1:{port}/-/ready")).await;
        if ready.is_ok_and(|answer| answer.status().is_success()) {
            return (running, port);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("Prometheus is not ready");
}

pub struct Several {
    pub world: World,
    clock: SystemClock,
    keymap: Keymap,
    sources: Vec<(TargetId, Box<dyn Source>)>,
}

impl Several {
    pub fn new(targets: Vec<(&str, Connect)>) -> Self {
        sources::tls::install_provider();
        let clock = SystemClock::start();
        let (mut states, mut sources) = (Vec::new(), Vec::new());
        for (name, connect) in targets {
            let target = TargetConfig {
                group: None,
                id: TargetId::new(name),
                chosen_because: "a test".to_owned(),
                interval: Duration::from_secs(1),
                timeout: Duration::from_secs(10),
                read_only: false,
                locality: Locality::default(),
                connect,
            };
            let (settings, address) = (target.settings(), target.address());
            states.push(TargetState::new(target.id.clone(), settings, address, target.interval, clock.now()));
            sources.push((target.id.clone(), systems::open_source(&target)));
        }
        let world = World::new(states, Rulebook::defaults(&all_rules()));
        Self { world, clock, keymap: Keymap::default(), sources }
    }

    /// All are asked once, each for what is looked at of it.
    pub async fn poll(&mut self, focus: &[(TargetId, Focus)]) {
        for (id, source) in &mut self.sources {
            let of: Vec<Focus> =
                focus.iter().filter(|(target, _)| target == id).map(|(_, focus)| focus.clone()).collect();
            let result = source.poll(self.clock.now(), &of).await;
            self.world.apply(PollReport::example(id.clone(), result, self.clock.now()));
        }
        self.world.evaluate(self.clock.now());
    }

    /// Polls until `done`, for half a minute at most.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        for _ in 0..150 {
            self.poll(&[]).await;
            if done(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let silent: Vec<_> =
            self.world.targets().iter().filter_map(|target| target.failure.as_ref()).collect();
        panic!(
            "{what} did not come: {silent:?}; {}",
            stacktop::app::verdict::verdict(self.context()).plain()
        );
    }

    pub fn now(&self) -> Now {
        self.clock.now()
    }

    pub fn target(&self, name: &str) -> &TargetState {
        self.world.target(name).expect("there")
    }

    pub fn context(&self) -> PanelContext<'_> {
        PanelContext {
            scope: &Scope::All,
            keys: self.keymap.words(),
            world: &self.world,
            now: self.now(),
            live: true,
            zone: Utc.fix(),
            who: "ana",
            arming: None,
        }
    }
}
