//! What hangs keeps nothing else waiting: passwords that never come beside a healthy target and the audit trail, on a runtime that has next
//! to no threads for what blocks.

use stacktop::actions::audit::{AuditTrail, Phase};
use stacktop::actions::gate::{Actor, Gate};
use stacktop::config::command::SecretCommand;
use stacktop::config::secret::Secret;
use stacktop::config::target::{Connect, HttpAuth, HttpConnect, Locality, TargetConfig};
use stacktop::config::url;
use stacktop::core::action::{Action, Confirmed};
use stacktop::core::arming::Permit;
use stacktop::core::ids::TargetId;
use stacktop::core::postgres::{BackendId, PgAction};
use stacktop::core::report::PollReport;
use stacktop::core::time::Clock;
use stacktop::drill::Stack;
use stacktop::engine::breaker::BreakerSettings;
use stacktop::engine::latest::Reports;
use stacktop::engine::{Engine, EngineSettings, Job};
use stacktop::runtime::clock::SystemClock;
use stacktop::{sources, systems};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Of this a password command has three quarters.
const TIMEOUT: Duration = Duration::from_secs(1);
/// So long all of it goes on.
const LONG: Duration = Duration::from_secs(7);

/// A healthy endpoint on a port of its own.
fn endpoint() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut asked = [0; 4096];
                while let Ok(1..) = stream.read(&mut asked) {
                    let answer =
                        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nup 1\n";
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

fn metrics(port: u16, auth: HttpAuth) -> Connect {
    let url = format!("http://localhost:{port}/metrics");
    Connect::Metrics(HttpConnect { auth, ..url::http(&url).expect("a URL") })
}

fn job(name: &str, connect: Connect) -> Job {
    let target = TargetConfig {
        group: None,
        id: TargetId::new(name),
        chosen_because: "a test".to_owned(),
        interval: Duration::from_millis(50),
        timeout: TIMEOUT,
        read_only: false,
        locality: Locality::default(),
        connect,
    };
    let (id, interval) = (target.id.clone(), target.interval);
    Job { target: id, interval, timeout: TIMEOUT, source: Box::new(move || systems::open_source(&target)) }
}

/// Targets whose passwords never come, each in its own way, and one that has none.
fn jobs(folder: &Path) -> Vec<Job> {
    let hangs = |name: &str| {
        let pids = folder.join(name);
        let text = format!("sleep 1000 & echo $! >> {0}; echo $$ >> {0}; wait", pids.display());
        Secret::Command(SecretCommand::new(&text, TIMEOUT))
    };
    // Nobody writes to it: reading it takes two seconds of a thread each time.
    let pipe = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let mut redis = url::redis("redis://127.0.0.1:1").expect("a URL");
    redis.password = Some(hangs("redis"));
    let mut postgres = url::postgres("postgres://ann@127.0.0.1:1/x").expect("a URL");
    postgres.password = Some(hangs("postgres"));
    vec![
        job("redis", Connect::Redis(redis)),
        job("postgres", Connect::Postgres(postgres)),
        job("token", metrics(1, HttpAuth::Bearer(hangs("token")))),
        job("file", metrics(1, HttpAuth::Bearer(Secret::File(pipe)))),
        job("healthy", metrics(endpoint(), HttpAuth::None)),
    ]
}

/// Polls as fast as it goes, and counts what came of it, the good and the bad.
async fn polled(engine: &Engine, reports: &mut Reports) -> BTreeMap<String, (usize, usize, String)> {
    let mut seen: BTreeMap<String, (usize, usize, String)> = BTreeMap::new();
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        engine.poll_all();
        let Ok(report) = tokio::time::timeout(LONG, reports.next()).await else { break };
        let PollReport { target, result, .. } = *report;
        let (good, bad, last) = seen.entry(target.to_string()).or_default();
        match result {
            Ok(_) => *good += 1,
            Err(error) => (*bad, *last) = (*bad + 1, error.message),
        }
    }
    seen
}

/// Actions one after the other; how many.
async fn acted(gate: &Gate, target: TargetId) -> usize {
    let (until, mut count) = (Instant::now() + LONG, 0);
    while Instant::now() < until {
        let backend = BackendId { pid: 1, backend_start_micros: 2 };
        let act = PgAction::one((backend, None), true);
        let confirmed = Confirmed::by_a_person(Action::Postgres { target: target.clone(), act });
        let permit = Permit { target: target.clone(), until: None };
        gate.perform(&gate.next_id(), &confirmed, &permit).await.expect("an outcome");
        count += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    count
}

/// Of the processes whose numbers stand in `file`, those that are there, also as one that nobody waited for.
fn left(file: &Path) -> Vec<String> {
    let pids = std::fs::read_to_string(file).expect("it began");
    let there = |pid: &&str| Path::new("/proc").join(pid).exists();
    pids.lines().filter(there).map(str::to_owned).collect()
}

#[test]
fn passwords_that_never_come_harm_nobody_else() {
    sources::tls::install_provider();
    let folder = tempfile::tempdir().expect("a folder");
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    tokio.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let stack = Stack::demo(7, clock.now());
        let trail = Arc::new(AuditTrail::at(folder.path().join("audit.jsonl")));
        let gate = Gate::new(stack.executors(), Arc::clone(&trail), Arc::clone(&clock), Actor::default());
        let settings = EngineSettings {
            backoff_cap: Duration::from_millis(50),
            breaker: BreakerSettings { wait: Duration::from_millis(50), ..BreakerSettings::default() },
        };
        let (engine, mut reports) = Engine::start(jobs(folder.path()), settings, &clock);
        let target = stack.targets()[0].id.clone();
        let (seen, count) = tokio::join!(polled(&engine, &mut reports), acted(&gate, target));
        let (good, bad, _) = &seen["healthy"];
        assert!(*good >= 20 && *bad == 0, "{seen:?}");
        for name in ["redis", "postgres", "token"] {
            let (good, bad, last) = &seen[name];
            assert!(*good == 0 && *bad >= 4 && last.contains("did not end within"), "{seen:?}");
        }
        let (good, bad, _) = &seen["file"];
        assert!(*good == 0 && *bad >= 3, "{seen:?}");
        assert!(count >= 20, "{count} actions");
        let outcomes =
            trail.tail(usize::MAX).lines.iter().filter(|line| line.phase == Phase::Outcome).count();
        assert_eq!(outcomes, count);
        // In the middle of a poll.
        drop(engine);
        let all = || ["redis", "postgres", "token"].map(|name| left(&folder.path().join(name))).concat();
        for _ in 0..200 {
            if all().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(all(), [""; 0], "processes are left");
    });
}
