//! `stacktop doctor` on real servers: what it says of rights is so, and the lines that it prints do what they are for.

use super::queues::{Lab, named, queue, unique};
use super::{Watch, server};
use redis::aio::MultiplexedConnection;
use stacktop::config::target::{Connect, Locality, RedisConnect, TargetConfig};
use stacktop::config::url;
use stacktop::core::action::{Action, ActionError, Verdict};
use stacktop::core::doctor::{Check, Report};
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::redis::{Brake, Change, JobAct, JobState, Letters, RedisAction, RetryOptions, Sweep};
use stacktop::core::time::Clock;
use stacktop::runtime::clock::SystemClock;
use std::time::Duration;

async fn examine(connect: Connect) -> Report {
    stacktop::sources::tls::install_provider();
    let target = TargetConfig {
        group: None,
        id: TargetId::new("it"),
        chosen_because: String::new(),
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(5),
        read_only: false,
        locality: Locality::default(),
        connect,
    };
    stacktop::systems::examine(&target, SystemClock::start().now()).await.expect("a report")
}

fn works(report: &Report, feature: &str) -> bool {
    let check = report.checks.iter().find(|check| check.feature.contains(feature));
    check.unwrap_or_else(|| panic!("{feature} in {report:?}")).works()
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_on_postgres_are_told_as_they_are() {
    for version in [13, 15, 18] {
        let Some(url) =
            server("rights_on_postgres_are_told_as_they_are", &format!("STACKTOP_TEST_PG{version}_URL"))
        else {
            continue;
        };
        let role = |name: &str| {
            let url = url.replace("postgres:postgres-secret", &format!("{name}:{name}-secret"));
            Connect::Postgres(url::postgres(&url).expect("a URL"))
        };
        let rights = [
            (role("nobody_role"), false, false),
            (role("monitor"), true, false),
            (role("responder"), true, true),
            (Connect::Postgres(url::postgres(&url).expect("a URL")), true, true),
        ];
        for (connect, sees, signals) in rights {
            let report = examine(connect).await;
            assert_eq!(works(&report, "statements, waits"), sees, "{version}: {report:?}");
            assert_eq!(works(&report, "cancel and terminate"), signals, "{version}: {report:?}");
            assert!(works(&report, "statements over a window"), "{version}: {report:?}");
            for check in report.checks.iter().filter(|check| !check.works() && !check.standing.is_blind()) {
                assert!(check.remedy.is_some(), "{check:?}");
            }
        }
    }
}

/// Makes the user that one of the printed lines describes.
async fn obey(admin: &mut MultiplexedConnection, line: &str, user: &str) {
    let line = line.replace("stacktop on >PASSWORD", &format!("{user} reset on >{user}-secret"));
    let mut words = line.split_whitespace();
    let mut ask = redis::cmd(words.next().expect("ACL"));
    words.for_each(|word| {
        ask.arg(word);
    });
    let () = ask.query_async(admin).await.expect("the server takes the line");
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one server with two users, tried with everything")]
async fn the_printed_access_lists_let_one_look_and_the_other_act() {
    let test = "the_printed_access_lists_let_one_look_and_the_other_act";
    let Some(lab) = Lab::open(test) else { return };
    let report = examine(Connect::Redis(url::redis(&lab.url).expect("a URL"))).await;
    assert!(report.checks.iter().all(Check::works), "{report:?}");
    let mut admin = lab.client().await;
    let lines: Vec<&String> = report.setup.iter().filter(|line| line.starts_with("ACL")).collect();
    obey(&mut admin, lines[0], "looker").await;
    obey(&mut admin, lines[1], "actor").await;
    let source = unique("rights");
    let letters = format!("{source}-dlq");
    let failed = lab.failed("bullmq5", &source, 3);
    let delayed = lab.run("bullmq5", "delay", &source, "1");
    lab.run("bullmq5", "letters", &letters, &source);
    let watch = |user: &str, name: &str| {
        let url = lab.url.replace("redis://", &format!("redis://{user}:{user}-secret@"));
        let connect = url::redis(&url).expect("a URL");
        Watch::new(Connect::Redis(RedisConnect { queues: vec![name.to_owned()], ..connect }))
    };
    // The one who looks sees everything and changes nothing.
    let mut looker = watch("looker", &source);
    let focus = [
        Focus::Server { node: String::new() },
        Focus::FailedJobs { queue: named(&source), offset: 0, limit: 10 },
        Focus::OpenJobs { queue: named(&source) },
        Focus::More { queue: named(&source) },
        Focus::Job { queue: named(&source), id: failed[0].clone() },
    ];
    looker.poll_with(&focus).await.expect("a poll");
    assert_eq!((queue(&looker).failed, queue(&looker).delayed), (3, 1));
    assert!(queue(&looker).evidence.workers.is_some());
    let reading = super::queues::reading(&looker);
    let detail = reading.detail.as_ref().expect("the server");
    assert!(detail.slow.ready().is_some() && detail.clients.ready().is_some(), "{detail:?}");
    assert!(reading.failed[0].jobs.len() == 3 && reading.jobs[0].state == "failed");
    assert_eq!(reading.lists[0].jobs.len(), 1);
    assert!(
        !reading.more[0].events.is_empty() && reading.more[0].memory_bytes.is_some(),
        "{:?}",
        reading.more
    );
    let act = async |watch: &Watch, act: RedisAction| {
        watch.act(Action::Redis { target: watch.target.id.clone(), act }).await
    };
    let jobs = |ids: &[String], act| RedisAction::Jobs { queue: named(&source), ids: ids.to_vec(), act };
    let retry = JobAct::Retry(RetryOptions::default());
    let change = |change| RedisAction::Change { queue: named(&source), change };
    let acts = [
        jobs(&failed[..1], retry),
        jobs(std::slice::from_ref(&delayed), JobAct::Delay(Duration::from_secs(60))),
        jobs(std::slice::from_ref(&delayed), JobAct::Priority(3)),
        jobs(std::slice::from_ref(&delayed), JobAct::Promote),
        jobs(&failed[1..2], JobAct::Remove(JobState::Failed)),
        change(Change::Concurrency(Some(9))),
        change(Change::Sweep(Sweep::Retry)),
        RedisAction::Pause { queue: named(&source) },
        RedisAction::Resume { queue: named(&source) },
    ];
    for refused in &acts {
        let error = act(&looker, refused.clone()).await.expect_err("not permitted");
        assert!(matches!(&error, ActionError::NotDone(why) if why.contains("permission")), "{error:?}");
    }
    looker.poll().await.expect("a poll");
    assert_eq!((queue(&looker).failed, queue(&looker).delayed, queue(&looker).paused), (3, 1, false));
    // The other one can do exactly these.
    let actor = watch("actor", &source);
    for permitted in acts {
        let outcome = act(&actor, permitted).await.expect("permitted");
        assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    }
    let worker = lab.worker("bullmq5", &source);
    let redrive = RedisAction::Redrive {
        queue: named(&letters),
        to: None,
        letters: Letters::All,
        brake: Brake::default(),
    };
    let outcome = act(&actor, redrive).await.expect("permitted");
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    assert_eq!(worker.done(4).len(), 4);
    let url = lab.url.replace("redis://", "redis://actor:actor-secret@");
    let client = redis::Client::open(url.as_str()).expect("a URL");
    let mut own = client.get_multiplexed_async_connection().await.expect("connected");
    for command in ["FLUSHALL", "KEYS *", "CONFIG GET x", "SET other 1"] {
        let mut words = command.split(' ');
        let mut ask = redis::cmd(words.next().expect("a word"));
        words.for_each(|word| {
            ask.arg(word);
        });
        let error = ask.query_async::<redis::Value>(&mut own).await.expect_err(command);
        assert_eq!(error.code(), Some("NOPERM"), "{command}: {error}");
    }
}

/// The words and the exit code of `stacktop doctor` for one target.
fn doctor(kind: &str, address: &str) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("it.toml");
    std::fs::write(&config, format!("[[{kind}]]\nname = \"it\"\nurl = \"{address}\"\n")).expect("a file");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_stacktop"))
        .arg("--config")
        .arg(&config)
        .arg("doctor")
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .output()
        .expect("stacktop");
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_never_ok_and_shows_in_the_exit_code() {
    let test = "what_cannot_be_read_is_never_ok_and_shows_in_the_exit_code";
    let Some(redis) = server(test, "STACKTOP_TEST_REDIS_AUTH_URL") else { return };
    let (told, code) = doctor("redis", &redis);
    assert!(code == Some(0) && !told.contains("REFUSED") && !told.contains("unknown"), "{told}");
    // Without its password.
    let (_, place) = redis.rsplit_once('@').expect("a password");
    let (told, code) = doctor("redis", &format!("redis://{place}"));
    assert!(code == Some(1) && told.contains("REFUSED  connection: "), "{code:?} {told}");
    assert!(!told.contains("  ok "), "{told}");
    // A user who may do nothing but connect, and one who may read all but one thing.
    let mut admin = super::queues::connected(&redis).await;
    for (user, rules, sees) in [("blind", "+ping +hello +auth", false), ("half", "+@all -info", true)] {
        let mut ask = redis::cmd("ACL");
        ask.arg("SETUSER").arg(user).arg("reset").arg("on").arg(format!(">{user}-secret")).arg("~*");
        rules.split(' ').for_each(|rule| {
            ask.arg(rule);
        });
        let () = ask.query_async(&mut admin).await.expect("a user");
        let (told, code) = doctor("redis", &format!("redis://{user}:{user}-secret@{place}"));
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("REFUSED  server state (INFO): not permitted"), "{told}");
        assert_eq!(told.contains("ok       connected workers"), sees, "{told}");
    }
    let Some(postgres) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    for (role, expected) in [("nobody_role", 1), ("monitor", 0)] {
        let address = postgres.replace("postgres:postgres-secret", &format!("{role}:{role}-secret"));
        let (told, code) = doctor("postgres", &address);
        assert_eq!(code, Some(expected), "{role}: {told}");
        assert!(told.contains("ok       sessions: it is read"), "{role}: {told}");
        assert_eq!(told.contains("REFUSED  statements, waits"), expected == 1, "{role}: {told}");
    }
    let Some(prometheus) = server(test, "STACKTOP_TEST_PROMETHEUS_URL") else { return };
    let (told, code) = doctor("prometheus", &prometheus);
    assert!(code == Some(0) && told.contains("ok       connection"), "{told}");
}
