//! Tests against real servers. `tests/run` starts them and says where they are in the environment; a test whose server is absent
//! reports itself as skipped, by name.

mod advice;
mod alarms;
mod alerts;
mod applications;
mod catalogs;
mod certificate_table;
mod certificates;
mod checks;
mod conditions;
mod doctor;
mod encodings;
mod ending;
mod endless;
mod gaps;
mod growth;
mod growth_disks;
mod guest;
mod happened;
mod headless;
mod libpq;
mod libpq_newest;
mod locks;
mod loki;
mod looks;
mod metrics;
mod migrations;
mod neighbours;
mod pooler;
mod postgres;
mod postgres_acts;
mod predicted;
mod pressed;
mod proofs;
mod queue_acts;
mod queue_changes;
mod queue_clocks;
mod queue_oddities;
mod queue_reports;
mod queues;
mod quiet;
mod redis_server;
mod redrive;
mod refused;
mod reports;
mod reports_of_access;
mod reports_of_settings;
mod revoked;
mod screen;
mod search;
mod search_acts;
mod server_log;
mod several;
mod shadow;
mod spills;
mod topology;
mod tunnel;
mod watches;
mod workbench;
mod wreck;

pub use certificates::authority;

use chrono::{Offset, Utc};
use stacktop::actions::audit::AuditTrail;
use stacktop::actions::gate::{Actor, Entry, Gate};
use stacktop::app::keymap::Keymap;
use stacktop::config::target::{Connect, Locality, TargetConfig};
use stacktop::core::action::{Action, ActionError, Confirmed, Outcome};
use stacktop::core::alert::Rulebook;
use stacktop::core::arming::Permit;
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::report::{Plan, PollError, PollReport};
use stacktop::core::time::Clock;
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::panels::PanelContext;
use stacktop::runtime::clock::SystemClock;
use stacktop::sources::{self, Source};
use stacktop::systems;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The value of `variable`, or a skipped `test`: its name goes to the list that `tests/run` prints (and fails on in CI).
pub fn server(test: &str, variable: &str) -> Option<String> {
    if let Ok(value) = std::env::var(variable)
        && !value.is_empty()
    {
        return Some(value);
    }
    skipped(test, &format!("{variable} is not set"));
    None
}

/// Says that a test is skipped: its name goes to the list that `tests/run` prints (and fails on in CI).
fn skipped(test: &str, why: &str) {
    told("SKIPPED", test, why);
}

/// The same of one that could show a part only of what it shows elsewhere.
fn partly(test: &str, why: &str) {
    told("PARTLY", test, why);
}

fn told(word: &str, test: &str, why: &str) {
    let line = format!("{word} {test}: {why}");
    eprintln!("{line}");
    if let Ok(path) = std::env::var("STACKTOP_TEST_SKIPS")
        && let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(path)
    {
        let _ = writeln!(file, "{line}");
    }
}

/// Catalogs that all databases of a server share: who locks them is alone, who counts errors is not disturbed.
pub static CATALOGS: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());

/// After this long there are rates: two polls that follow closer give none.
const RATES: Duration = stacktop::core::rate::LEAST_WINDOW.saturating_add(Duration::from_millis(100));

/// One target watched as the program watches it, poll by poll.
struct Watch {
    keymap: Keymap,
    target: TargetConfig,
    source: Box<dyn Source>,
    world: World,
    clock: Arc<SystemClock>,
    folder: tempfile::TempDir,
    slowest: Duration,
}

impl Watch {
    fn new(connect: Connect) -> Self {
        sources::tls::install_provider();
        let clock = Arc::new(SystemClock::start());
        let target = TargetConfig {
            group: None,
            id: TargetId::new("it"),
            chosen_because: "a test".to_owned(),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(10),
            read_only: false,
            locality: Locality::default(),
            connect,
        };
        let state = TargetState::new(
            target.id.clone(),
            target.settings(),
            target.address(),
            target.interval,
            clock.now(),
        );
        let world = World::new(vec![state], Rulebook::defaults(&all_rules()));
        let source = systems::open_source(&target);
        Self {
            keymap: Keymap::default(),
            target,
            source,
            world,
            clock,
            folder: tempfile::tempdir().expect("a folder"),
            slowest: Duration::ZERO,
        }
    }

    async fn poll(&mut self) -> Result<(), PollError> {
        self.poll_with(&[]).await
    }

    async fn poll_with(&mut self, focus: &[Focus]) -> Result<(), PollError> {
        let (before, began) = (self.clock.now(), tokio::time::Instant::now());
        let polling = self.source.poll(before, focus);
        let result = tokio::time::timeout(self.target.timeout, polling).await.expect("an answer in time");
        if result.is_ok() {
            let heard =
                self.source.answered().filter(|at| *at >= began && *at <= tokio::time::Instant::now());
            assert!(heard.is_some(), "every source tells when its last byte came");
        }
        let at = self.clock.now();
        self.slowest = self.slowest.max(at.since(before));
        let plan = Plan::example(self.target.interval, at);
        let error = result.as_ref().err().cloned();
        let report = PollReport::example(self.target.id.clone(), result, at);
        self.world.apply(PollReport { took: at.since(before), plan, ..report });
        self.world.evaluate(self.clock.now());
        error.map_or(Ok(()), Err)
    }

    fn context(&self) -> PanelContext<'_> {
        PanelContext {
            scope: &stacktop::core::scope::Scope::All,
            keys: self.keymap.words(),
            world: &self.world,
            now: self.clock.now(),
            live: true,
            zone: Utc.fix(),
            who: "ana",
            arming: None,
        }
    }

    fn verdict(&self) -> String {
        stacktop::app::verdict::verdict(self.context()).plain()
    }

    fn audit_file(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    fn gate(&self) -> Gate {
        let executor = systems::open_executor(&self.target, self.folder.path()).expect("it can be changed");
        let entry = Entry { address: self.target.address(), executor };
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let trail = Arc::new(AuditTrail::at(self.audit_file()));
        Gate::new([(self.target.id.clone(), entry)].into(), trail, clock, Actor::default())
    }

    /// Carries out `action` as the confirm overlay would.
    async fn act(&self, action: Action) -> Result<Outcome, ActionError> {
        let gate = self.gate();
        gate.prepare().await;
        let id = gate.next_id();
        let confirmed = Confirmed::by_a_person(action);
        let permit = Permit { target: self.target.id.clone(), until: None };
        let outcome = gate.perform(&id, &confirmed, &permit).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        gate.verify(&id, &confirmed, true).await?;
        Ok(outcome)
    }

    /// The phases in the audit trail, in order.
    fn audited(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.audit_file()).unwrap_or_default();
        text.lines()
            .map(|line| {
                let value: serde_json::Value = serde_json::from_str(line).expect("a JSON line");
                value["phase"].as_str().expect("a phase").to_owned()
            })
            .collect()
    }
}

/// A client of our own at `url`, beside the program.
pub async fn client(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("connected");
    tokio::spawn(connection);
    client
}

/// What the last poll of Postgres read.
fn reading(watch: &Watch) -> &stacktop::core::postgres::PostgresReading {
    match &watch.world.targets()[0].system {
        stacktop::core::world::SystemState::Postgres(state) => state.reading().expect("a reading"),
        other => panic!("{other:?}"),
    }
}
