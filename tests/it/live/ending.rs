//! The end of a run in the middle of an action, whatever ends it: the action stops at a whole batch, and what the audit trail says of it
//! is what the server has.

use super::queues::named;
use super::server;
use super::topology::Own;
use crate::pty::Screen;
use stacktop::actions::audit::AuditTrail;
use stacktop::actions::gate::{Actor, Entry, Gate};
use stacktop::actions::stop::Cause;
use stacktop::app::msg::{Effect, Msg};
use stacktop::config::target::{Connect, Locality, PrometheusConnect, TargetConfig};
use stacktop::config::url;
use stacktop::core::action::{Action, Confirmed};
use stacktop::core::arming::Permit;
use stacktop::core::ids::TargetId;
use stacktop::core::postgres::{BackendId, PgAction, SqlPanel};
use stacktop::core::redis::{QueueRef, RedisAction};
use stacktop::core::time::Clock;
use stacktop::engine::{Engine, EngineSettings, Job};
use stacktop::runtime::clock::SystemClock;
use stacktop::runtime::effects::{Answer, Effects, Outlets};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Jobs that have failed: a retry of them takes some seconds.
const MANY: u64 = 40_000;
/// An end takes no longer, and by then its line is on the disk.
const WITHIN: Duration = Duration::from_secs(3);
/// Longer than a dialog waits before it takes its first key.
const SETTLE: Duration = Duration::from_millis(500);

/// Holds a terminal of its own, in which the program runs; with its death that terminal is gone.
const HOLD: &str = "import pty, sys; pty.spawn(['sh', '-c', 'stty rows 50 cols 160; exec ' + sys.argv[1]])";

/// A server that was filled, a queue in it, and a screen on which its retry is under way.
struct Retry {
    own: Own,
    client: redis::aio::MultiplexedConnection,
    queue: QueueRef,
    screen: Screen,
    _folder: tempfile::TempDir,
}

impl Retry {
    /// `words`: what comes before the program's own words.
    async fn begun(test: &str, words: &[&str]) -> Option<Self> {
        let own = Own::start(test, &[]).await?;
        let mut client = own.client().await;
        let queue = named("mails");
        let now = chrono::Utc::now().timestamp_millis();
        for part in 0..MANY / 10_000 {
            let mut fill = redis::pipe();
            for id in part * 10_000 + 1..=(part + 1) * 10_000 {
                let when = now - 5_000_000 + i64::try_from(id).expect("small");
                fill.zadd(queue.key("failed"), id, when).ignore();
                let job = [("name", "mail"), ("data", "{}"), ("opts", "{}"), ("failedReason", "no")];
                fill.hset_multiple(queue.key(&id.to_string()), &job).ignore();
            }
            let () = fill.query_async(&mut client).await.expect("filled");
        }
        let mut fill = redis::pipe();
        fill.hset(queue.key("meta"), "version", "bullmq:5.81.3").ignore().set(queue.key("id"), MANY).ignore();
        let () = fill.query_async(&mut client).await.expect("filled");
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("stacktop.toml");
        let target = format!("[[redis]]\nurl = \"{}\"\nqueues = [\"{}\"]\n", own.url(), queue.name);
        std::fs::write(&config, target).expect("written");
        let config = config.display().to_string();
        let whole = [env!("CARGO_BIN_EXE_stacktop"), "--config", &config];
        let screen = match words {
            [] => Screen::start(&whole[1..], &[], (160, 50)),
            words => {
                let last = whole.join(" ");
                Screen::start_as(&[words, &[last.as_str()]].concat(), &[], (160, 50))
            }
        };
        let mut begun = Self { own, client, queue, screen, _folder: folder };
        begun.screen.until("redis ●", 10);
        begun.press("6", "mails");
        begun.press("x", "retry failed jobs");
        begun.press("r", "Retry every failed job");
        begun.press("local", &format!("of {MANY}"));
        Some(begun)
    }

    fn press(&mut self, key: &str, then: &str) {
        std::thread::sleep(SETTLE);
        self.screen.keys(key);
        self.screen.until(then, 15);
    }

    /// Phase and result of each line of the audit trail.
    fn audited(&self) -> Vec<(String, String)> {
        audited(self.screen.state_folder())
    }

    /// The outcome on the disk is what the server has.
    async fn agrees(&mut self, causes: &[&str], began: Instant) {
        let took = began.elapsed();
        assert!(took < WITHIN, "it took {took:?}");
        let lines = self.audited();
        let phases: Vec<&str> = lines.iter().map(|(phase, _)| phase.as_str()).collect();
        assert_eq!(phases, ["intent", "outcome"], "{lines:?}");
        let mut ask = redis::pipe();
        ask.llen(self.queue.key("wait")).zcard(self.queue.key("failed"));
        let (back, left): (u64, u64) = ask.query_async(&mut self.client).await.expect("counts");
        eprintln!("{back} back, {left} left, after {took:?}: {}", lines[1].1);
        assert!(back > 0 && left > 0, "it was over already: {back} back");
        assert_eq!(back + left, MANY, "each job is in one place");
        let expected = |cause: &&str| {
            lines[1]
                .1
                .contains(&format!(": {back} back to waiting; stopped by {cause} after {back} of {MANY}"))
        };
        assert!(causes.iter().any(expected), "{back} back: {}", lines[1].1);
    }
}

fn audited(state: &Path) -> Vec<(String, String)> {
    let file = state.join(".local/state/stacktop/audit.jsonl");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let word = |line: &serde_json::Value, name: &str| line[name].as_str().expect("text").to_owned();
    lines.map(|line| (word(&line, "phase"), word(&line, "result"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_in_the_middle_of_a_retry_leaves_an_outcome_that_is_true() {
    let test = "a_signal_in_the_middle_of_a_retry_leaves_an_outcome_that_is_true";
    for (signal, code, cause) in
        [("-HUP", 129, "a hang-up"), ("-TERM", 143, "a request to terminate"), ("-INT", 130, "an interrupt")]
    {
        let Some(mut retry) = Retry::begun(test, &[]).await else { return };
        let began = Instant::now();
        retry.screen.signal(signal);
        assert_eq!(retry.screen.ended(5), code, "{signal}");
        retry.agrees(&[cause], began).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_q_waits_for_the_outcome_and_prints_it() {
    let test = "a_second_q_waits_for_the_outcome_and_prints_it";
    let Some(mut retry) = Retry::begun(test, &[]).await else { return };
    retry.screen.keys("q");
    retry.screen.until("press q again to stop it and leave", 5);
    let began = Instant::now();
    retry.screen.keys("q");
    assert_eq!(retry.screen.ended(5), 0);
    retry.agrees(&["your leaving"], began).await;
    let left = retry.screen.text();
    assert!(left.replace('\n', "").contains("stopped by your leaving after"), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_goes_away_leaves_an_outcome_that_is_true() {
    let test = "a_terminal_that_goes_away_leaves_an_outcome_that_is_true";
    let Some(mut retry) = Retry::begun(test, &["python3", "-c", HOLD]).await else { return };
    let began = Instant::now();
    retry.screen.signal("-KILL");
    while retry.audited().len() < 2 && began.elapsed() < WITHIN {
        std::thread::sleep(Duration::from_millis(10));
    }
    // The signal that comes with it, or what is read of a terminal that is not there, whichever is first.
    retry.agrees(&["a hang-up", "the loss of the terminal"], began).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_waited_for_is_written_down_as_not_known() {
    let test = "what_cannot_be_waited_for_is_written_down_as_not_known";
    let Some(mut retry) = Retry::begun(test, &[]).await else { return };
    retry.own.signal("-STOP");
    // By then a batch waits for its answer.
    std::thread::sleep(SETTLE);
    let began = Instant::now();
    retry.screen.signal("-HUP");
    while retry.audited().len() < 2 && began.elapsed() < WITHIN {
        std::thread::sleep(Duration::from_millis(10));
    }
    let lines = retry.audited();
    assert_eq!(lines.len(), 2, "after {:?}: {lines:?}", began.elapsed());
    assert_eq!(lines[1].0, "left");
    assert!(lines[1].1.contains("its outcome is not known"), "{lines:?}");
    assert_eq!(retry.screen.ended(5), 129);
    assert_eq!(retry.audited().len(), 2, "nothing comes after it");
    retry.own.signal("-CONT");
}

/// Polls of every system, a look that takes long, an action that waits for an answer, one that is looked after, connections that were
/// given up: all of it is under way when the run ends. It needs a cluster, so it runs with the tests of each.
#[tokio::test(flavor = "multi_thread")]
async fn search_live_5_every_task_ends_with_the_run() {
    let test = "search_live_5_every_task_ends_with_the_run";
    let Some(postgres_url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let Some(own) = Own::start(test, &[]).await else { return };
    stacktop::sources::tls::install_provider();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let folder = tempfile::tempdir().expect("a folder");
    let mark = format!("slow {}", std::process::id());
    let Some(targets) = every_system(test, &postgres_url, &own, &mark) else { return };
    let entry = |target: &TargetConfig| {
        let executor = stacktop::systems::open_executor(target, folder.path())?;
        Some((target.id.clone(), Entry { address: target.address(), executor }))
    };
    let entries = targets.iter().filter_map(entry).collect();
    let trail = Arc::new(AuditTrail::at(folder.path().join("audit.jsonl")));
    let gate = Gate::new(entries, trail, Arc::clone(&clock), Actor::default());
    gate.prepare().await;
    let (engine, mut reports) = Engine::start(targets.into_iter().map(job).collect(), patient(), &clock);
    let (mut effects, mut answers) = Effects::begin(engine, Arc::new(gate), Outlets::default(), clock.now());
    let mut read = std::collections::BTreeSet::new();
    while read.len() < 5 {
        let report = reports.next().await;
        let name = report.target.to_string();
        // The others may be at war with other tests: their tasks end all the same.
        if let (Err(error), "pg" | "redis") = (&report.result, name.as_str()) {
            panic!("{name}: {}", error.message);
        }
        read.insert(name);
    }
    own.signal("-STOP");
    let backend = BackendId { pid: 1, backend_start_micros: 2 };
    let act = PgAction::one((backend, None), false);
    effects.carry_out(vec![
        perform("pg", |target| Action::Postgres { target, act }),
        perform("redis", |target| Action::Redis {
            target,
            act: RedisAction::Pause { queue: named("mails") },
        }),
    ]);
    while !matches!(answers.next().await, Some(Answer::Message(Msg::ActionDone { .. }))) {}
    // Polls of the server that hangs are given up.
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        effects.carry_out(vec![Effect::PollAll]);
        let _ = tokio::time::timeout(Duration::from_millis(300), reports.next()).await;
    }
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert!(alive() > 10, "{}", alive());
    let began = Instant::now();
    let told = effects.end(Cause::HangUp).await;
    drop(effects);
    assert!(began.elapsed() < WITHIN, "{:?}", began.elapsed());
    assert!(told.len() == 1 && told[0].starts_with("pause_queue on redis: "), "{told:?}");
    for _ in 0..400 {
        if alive() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(alive(), 0, "tasks are left");
    own.signal("-CONT");
    // The look was taken back on the server, too.
    let client = super::client(&postgres_url).await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%' || $1 || '%' AND pid <> pg_backend_pid() \
               AND state = 'active'";
    let mut left = 1;
    for _ in 0..40 {
        left = client.query_one(sql, &[&mark]).await.expect("a count").get::<_, i64>(0);
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(left, 0, "the look goes on");
}

/// One target of each system; of Postgres with a look that takes long.
fn every_system(test: &str, postgres_url: &str, own: &Own, mark: &str) -> Option<Vec<TargetConfig>> {
    let mut postgres = url::postgres(postgres_url).expect("a URL");
    postgres.panels.push(SqlPanel {
        name: "slow".to_owned(),
        sql: format!("SELECT pg_sleep(20) /* {mark} */"),
        interval: Duration::from_secs(30),
        sort: None,
        thresholds: [("x".to_owned(), (Some(1.0), None))].into(),
    });
    let redis = Connect::Redis(url::redis(&own.url()).expect("a URL"));
    let mut targets = vec![target("pg", Connect::Postgres(postgres)), target("redis", redis)];
    for (name, variable) in [
        ("search", "STACKTOP_TEST_ES_URL"),
        ("prometheus", "STACKTOP_TEST_PROMETHEUS_URL"),
        ("metrics", "STACKTOP_TEST_METRICS_URL"),
    ] {
        let http = url::http(&server(test, variable)?).expect("a URL");
        let connect = match name {
            "search" => Connect::Search(http),
            "metrics" => Connect::Metrics(http),
            _ => Connect::Prometheus(PrometheusConnect {
                http,
                queries: Vec::new(),
                past: Vec::new(),
                alertmanager: None,
            }),
        };
        targets.push(target(name, connect));
    }
    Some(targets)
}

fn perform(target: &str, action: impl FnOnce(TargetId) -> Action) -> Effect {
    let target = TargetId::new(target);
    let permit = Permit { target: target.clone(), until: None };
    Effect::Perform { confirmed: Confirmed::by_a_person(action(target)), permit }
}

fn target(name: &str, connect: Connect) -> TargetConfig {
    TargetConfig {
        group: None,
        id: TargetId::new(name),
        chosen_because: "a test".to_owned(),
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(2),
        read_only: false,
        locality: Locality::default(),
        connect,
    }
}

fn job(target: TargetConfig) -> Job {
    Job {
        target: target.id.clone(),
        interval: target.interval,
        timeout: target.timeout,
        source: Box::new(move || stacktop::systems::open_source(&target)),
    }
}

fn patient() -> EngineSettings {
    EngineSettings { backoff_cap: Duration::from_millis(100), ..EngineSettings::default() }
}
