//! PostgreSQL 13 to 18 as they are.

use super::{Watch, client, server};
use stacktop::config::target::{Connect, PgPlace, PgTls, PostgresConnect};
use stacktop::config::url;
use stacktop::core::action::{Action, ActionError, Verdict};
use stacktop::core::ids::TargetId;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{
    BackendId, Literals, PgAction, PostgresReading, PostgresState, Rotation, SessionState,
};
use stacktop::core::report::PollErrorKind;
use stacktop::core::row::RowKey;
use stacktop::core::world::SystemState;
use stacktop::panels::panel;
use std::time::Duration;
use tokio_postgres::Client;

fn connect(url: &str) -> PostgresConnect {
    url::postgres(url).expect("a URL")
}

pub fn watch(url: &str) -> Watch {
    Watch::new(Connect::Postgres(connect(url)))
}

/// The same server as another role.
fn role(url: &str, role: &str) -> String {
    url.replace("postgres:postgres-secret", &format!("{role}:{role}-secret"))
}

fn state(watch: &Watch) -> &PostgresState {
    match &watch.world.targets()[0].system {
        SystemState::Postgres(state) => state,
        other => panic!("{other:?}"),
    }
}

fn reading(watch: &Watch) -> &PostgresReading {
    state(watch).reading().expect("a reading")
}

async fn pid(client: &Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0)
}

async fn identity(client: &Client) -> BackendId {
    let sql = "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::int8 FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let row = client.query_one(sql, &[]).await.expect("itself");
    BackendId { pid: row.get(0), backend_start_micros: row.get(1) }
}

/// Polls until `done`, for ten seconds at most.
async fn until(watch: &mut Watch, what: &str, done: impl Fn(&Watch) -> bool) {
    for _ in 0..100 {
        watch.poll().await.expect("a poll");
        if done(watch) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what} did not come: {:?}", state(watch).forest);
}

/// What each session of a client does, by its process id; ours left out.
async fn truth(eye: &Client) -> Vec<(i32, String)> {
    let sql = "SELECT pid, coalesce(state, '') || ' ' || coalesce(application_name, '') FROM pg_stat_activity \
               WHERE application_name LIKE 'herd%' ORDER BY 1";
    let rows = eye.query(sql, &[]).await.expect("the activity");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// How often the question for what has changed was asked.
async fn partial_reads(eye: &Client) -> i64 {
    let sql = "SELECT coalesce(sum(calls), 0)::int8 FROM pg_stat_statements \
               WHERE query LIKE '%pg_stat_get_db_numbackends(b.oid)%' AND query NOT LIKE '%pg_stat_statements%'";
    eye.query_one(sql, &[]).await.expect("a count").get(0)
}

/// The same as the program knows it.
fn seen(watch: &Watch) -> Vec<(i32, String)> {
    let sessions = reading(watch).sessions.ready().expect("sessions");
    let of_the_herd = sessions.iter().filter(|session| session.application.starts_with("herd"));
    let mut seen: Vec<(i32, String)> = of_the_herd
        .map(|session| {
            let state = match session.state {
                SessionState::Idle => "idle",
                SessionState::IdleInTransaction => "idle in transaction",
                other => panic!("{other:?}"),
            };
            (session.id.pid, format!("{state} {}", session.application))
        })
        .collect();
    seen.sort_unstable();
    seen
}

#[tokio::test]
async fn a_poll_that_reads_only_what_changed_sees_all_that_is_there() {
    for version in [13, 14, 16, 18] {
        let variable = format!("STACKTOP_TEST_PG{version}_URL");
        let Some(url) = server("a_poll_that_reads_only_what_changed_sees_all_that_is_there", &variable)
        else {
            continue;
        };
        let herd = |name: &str| {
            let (name, url) = (name.to_owned(), url.clone());
            async move {
                let client = client(&url).await;
                client.batch_execute(&format!("SET application_name = '{name}'")).await.expect("a name");
                client
            }
        };
        let mut idle = Vec::new();
        for _ in 0..110 {
            idle.push(herd("herd").await);
        }
        let eye = client(&url).await;
        let mut watch = watch(&role(&url, "monitor"));
        let before = partial_reads(&eye).await;
        for round in 0..6 {
            // Whoever did something a second ago is read again; what was idle for longer must come from what is known.
            tokio::time::sleep(Duration::from_millis(2_200)).await;
            watch.poll().await.expect("a poll");
            let (quick, open) = (&idle[10 + round], &idle[20 + round]);
            quick.batch_execute("SET application_name = 'herd that was quick'").await.expect("quick");
            open.batch_execute("BEGIN").await.expect("in a transaction");
            if round > 0 {
                idle[19 + round].batch_execute("COMMIT").await.expect("idle again");
            }
            idle.push(herd("herd that is new").await);
            if round % 2 == 1 {
                // One of the idle is ended, and nobody comes instead: that is noticed, and all are read by the poll after.
                let gone = pid(&idle[40 + round]).await;
                eye.execute("SELECT pg_terminate_backend($1)", &[&gone]).await.expect("ended");
                tokio::time::sleep(Duration::from_millis(300)).await;
                watch.poll().await.expect("a poll");
            }
            watch.poll().await.expect("a poll");
            assert_eq!(seen(&watch), truth(&eye).await, "PostgreSQL {version}, round {round}");
        }
        let partial = partial_reads(&eye).await - before;
        assert!(partial >= 6, "PostgreSQL {version}: {partial} polls read only what had changed");
    }
}

#[tokio::test]
async fn every_version_is_read_whole() {
    for version in 13..=18 {
        let variable = format!("STACKTOP_TEST_PG{version}_URL");
        let Some(url) = server("every_version_is_read_whole", &variable) else { continue };
        let mut watch = watch(&url);
        watch.poll().await.expect("a first poll");
        client(&url).await.batch_execute("SELECT count(*) FROM orders").await.expect("some work");
        tokio::time::sleep(super::RATES).await;
        watch.poll().await.expect("a second poll");
        let reading = reading(&watch);
        assert_eq!(reading.server.version_num / 10_000, version);
        for (part, gap) in [
            ("sessions", reading.sessions.gap()),
            ("locks", reading.locks.gap()),
            ("databases", reading.databases.gap()),
            ("slots", reading.slots.gap()),
            ("senders", reading.senders.gap()),
            ("replication slots", reading.replication_slots.gap()),
            ("statements", reading.statements.gap()),
            ("health", reading.health.gap()),
        ] {
            assert_eq!(gap, None, "{part} of version {version}");
        }
        let health = reading.health.ready().expect("health");
        for (part, gap) in [
            ("archiver", health.archiver.gap()),
            ("vacuums", health.vacuums.gap()),
            ("prepared", health.prepared.gap()),
        ] {
            assert_eq!(gap, None, "{part} of version {version}");
        }
        assert!(state(&watch).rates.transactions.is_some(), "a rate of version {version}");
        assert!(
            reading
                .sessions
                .ready()
                .expect("sessions")
                .iter()
                .any(stacktop::core::postgres::Session::is_client)
        );
    }
}

#[tokio::test]
async fn a_role_without_rights_gets_notes_and_no_error() {
    let Some(url) = server("a_role_without_rights_gets_notes_and_no_error", "STACKTOP_TEST_PG_URL") else {
        return;
    };
    let mut poor = watch(&role(&url, "nobody_role"));
    poor.poll().await.expect("a poll");
    assert!(!reading(&poor).server.reads_all_stats);
    let screen = panel(Screen::Blocking).content(poor.context(), &[]);
    assert!(format!("{screen:?}").contains("GRANT pg_monitor"), "{screen:?}");
    let mut monitor = watch(&role(&url, "monitor"));
    monitor.poll().await.expect("a poll");
    assert!(reading(&monitor).server.reads_all_stats && !reading(&monitor).server.signals);
}

#[tokio::test]
async fn a_root_with_nine_waiters_is_named_and_ended() {
    let test = "a_root_with_nine_waiters_is_named_and_ended";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let app = role(&url, "app_rw");
    let root = client(&app).await;
    let root_pid = pid(&root).await;
    root.batch_execute("BEGIN; UPDATE orders SET state = 'held' WHERE id = 1").await.expect("a lock");
    let mut waiters = Vec::new();
    for _ in 0..9 {
        let waiter = client(&app).await;
        waiters.push(tokio::spawn(async move {
            waiter.execute("UPDATE orders SET state = 'paid' WHERE id = 1", &[]).await
        }));
    }
    let mut watch = watch(&role(&url, "responder"));
    let behind = |watch: &Watch| state(watch).forest.roots().map(|root| root.victims).sum::<usize>();
    // Until all nine really wait on the server; then the verdict must not need more than two polls.
    until(&mut watch, "nine waiters", |watch| behind(watch) == 9).await;
    watch.poll().await.expect("a poll");
    let verdict = watch.verdict();
    assert!(verdict.contains(&format!("pid {root_pid}")) && verdict.contains('9'), "{verdict}");
    let key = reading(&watch)
        .sessions
        .ready()
        .expect("sessions")
        .iter()
        .find(|session| session.id.pid == root_pid)
        .map(|session| RowKey::backend(&TargetId::new("it"), session.id))
        .expect("the root");
    let offers = panel(Screen::Blocking).offers(watch.context(), &[], &key, &[]);
    let cancel = offers.iter().find(|offer| offer.letter == 'c').expect("a cancel");
    assert!(cancel.choice.is_err(), "a cancel does nothing to an idle session");
    let terminate = offers.iter().find(|offer| offer.letter == 't').expect("a terminate");
    let (action, preview) = terminate.choice.clone().expect("possible");
    assert!(preview.title.ends_with("and release 1 session; 8 move up"), "{}", preview.title);
    let outcome = watch.act(action).await.expect("done");
    assert_eq!(outcome.verdict, Verdict::Done);
    for waiter in waiters {
        waiter.await.expect("no panic").expect("its update went through");
    }
    assert_eq!(watch.audited(), ["intent", "outcome", "verified"]);
    watch.poll().await.expect("a poll");
    assert!(state(&watch).forest.nodes.is_empty());
}

#[tokio::test]
async fn a_role_that_may_not_signal_is_told_the_grant() {
    let test = "a_role_that_may_not_signal_is_told_the_grant";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let session = client(&role(&url, "app_rw")).await;
    let id = identity(&session).await;
    let mut watch = watch(&role(&url, "monitor"));
    watch.poll().await.expect("a poll");
    let offers =
        panel(Screen::Queries).offers(watch.context(), &[], &RowKey::backend(&TargetId::new("it"), id), &[]);
    let refusal = offers.last().expect("an offer").choice.clone().expect_err("not permitted");
    assert_eq!(refusal.remedy.as_deref(), Some("GRANT pg_signal_backend TO monitor"));
    // The server refuses too, and the session lives.
    let target = watch.target.id.clone();
    let act = PgAction::one((id, None), true);
    let error = watch.act(Action::Postgres { target, act }).await.expect_err("refused");
    assert!(matches!(error, ActionError::NotDone(_)), "{error:?}");
    assert_eq!(pid(&session).await, id.pid);
    assert_eq!(watch.audited(), ["intent", "outcome"]);
}

#[tokio::test]
async fn another_identity_is_never_hit() {
    let Some(url) = server("another_identity_is_never_hit", "STACKTOP_TEST_PG_URL") else { return };
    let session = client(&role(&url, "app_rw")).await;
    let id = identity(&session).await;
    let watch = watch(&role(&url, "responder"));
    let reused = BackendId { backend_start_micros: id.backend_start_micros - 1, ..id };
    let target = watch.target.id.clone();
    let act = PgAction::one((reused, None), true);
    let outcome = watch.act(Action::Postgres { target: target.clone(), act }).await.expect("an answer");
    assert_eq!(outcome.verdict, Verdict::Nothing);
    let act = PgAction::one((id, Some(1)), false);
    let outcome = watch.act(Action::Postgres { target, act }).await.expect("an answer");
    assert_eq!(outcome.verdict, Verdict::Nothing);
    assert_eq!(pid(&session).await, id.pid);
}

#[tokio::test]
async fn a_running_statement_is_cancelled_and_the_session_stays() {
    let test = "a_running_statement_is_cancelled_and_the_session_stays";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let session = client(&role(&url, "app_rw")).await;
    let id = identity(&session).await;
    let running = tokio::spawn(async move {
        let ended = session.execute("SELECT pg_sleep(30)", &[]).await.expect_err("cancelled");
        assert_eq!(ended.code().map(tokio_postgres::error::SqlState::code), Some("57014"));
        pid(&session).await
    });
    let mut watch = watch(&role(&url, "responder"));
    let key = RowKey::backend(&TargetId::new("it"), id);
    let chosen = |watch: &Watch| {
        let offers = panel(Screen::Queries).offers(watch.context(), &[], &key, &[]);
        offers.into_iter().find(|offer| offer.letter == 'c').and_then(|offer| offer.choice.ok())
    };
    until(&mut watch, "the statement", |watch| chosen(watch).is_some()).await;
    let (action, _) = chosen(&watch).expect("possible");
    assert_eq!(watch.act(action).await.expect("done").verdict, Verdict::Done);
    assert_eq!(running.await.expect("no panic"), id.pid);
}

#[tokio::test]
async fn a_prepared_transaction_is_named_as_root() {
    let test = "a_prepared_transaction_is_named_as_root";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let owner = client(&url).await;
    let _ = owner.batch_execute("ROLLBACK PREPARED 'stacktop-test'").await;
    owner
        .batch_execute(
            "BEGIN; UPDATE orders SET state = 'held' WHERE id = 2; PREPARE TRANSACTION 'stacktop-test'",
        )
        .await
        .expect("prepared");
    let waiter = client(&url).await;
    let waiting =
        tokio::spawn(
            async move { waiter.execute("UPDATE orders SET state = 'paid' WHERE id = 2", &[]).await },
        );
    let mut watch = watch(&url);
    until(&mut watch, "the root", |watch| format!("{:?}", state(watch).forest).contains("stacktop-test"))
        .await;
    let rows = panel(Screen::Blocking).content(watch.context(), &[]);
    let shown = format!("{rows:?}");
    owner.batch_execute("ROLLBACK PREPARED 'stacktop-test'").await.expect("rolled back");
    waiting.await.expect("no panic").expect("went through");
    assert!(shown.contains("prepared stacktop-test"), "{shown}");
    let offers = panel(Screen::Blocking).offers(
        watch.context(),
        &[],
        &RowKey::prepared(&TargetId::new("it"), "stacktop-test"),
        &[],
    );
    let refusal = offers[0].choice.clone().expect_err("no process to signal");
    assert!(refusal.remedy.expect("a remedy").contains("ROLLBACK PREPARED 'stacktop-test'"));
}

#[tokio::test]
async fn constants_of_statements_stay_in_the_source_where_that_is_asked_for() {
    let test = "constants_of_statements_stay_in_the_source_where_that_is_asked_for";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    for (literals, shown) in [(Literals::Shown, true), (Literals::Hidden, false)] {
        let session = client(&url).await;
        let pid = pid(&session).await;
        let running = tokio::spawn(async move {
            let _ = session.batch_execute("SELECT pg_sleep(8), 'ann@example.org' /* of ann */").await;
        });
        let mut watch = Watch::new(Connect::Postgres(PostgresConnect { literals, ..connect(&url) }));
        let told = |watch: &Watch| {
            let sessions = reading(watch).sessions.ready().expect("sessions");
            sessions.iter().find(|session| session.id.pid == pid).map(|session| session.query.to_string())
        };
        until(&mut watch, "the statement", |watch| told(watch).is_some_and(|text| text.contains("pg_sleep")))
            .await;
        // Whatever is drawn or written of it.
        let all = format!("{:?} {}", watch.world, serde_json::to_string(reading(&watch)).expect("written"));
        assert_eq!(
            (all.contains("ann@example.org"), all.contains("of ann")),
            (shown, shown),
            "{:?}",
            told(&watch)
        );
        if !shown {
            assert_eq!(told(&watch).as_deref(), Some("SELECT pg_sleep(•••), '•••' /* ••• */"));
        }
        running.abort();
    }
}

#[tokio::test]
async fn bytes_that_are_no_utf8_do_not_break_the_reading() {
    let test = "bytes_that_are_no_utf8_do_not_break_the_reading";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    // A database without an encoding takes any byte; its sessions' texts come back as they were sent.
    let ascii = format!("{}/ascii", url.rsplit_once('/').expect("a database").0);
    let session = client(&ascii).await;
    session.batch_execute("SET client_encoding = 'SQL_ASCII'").await.expect("set");
    let running = tokio::spawn(async move {
        let _ = session.batch_execute("SELECT pg_sleep(3) /* caf\u{e9} */").await;
    });
    let mut watch = watch(&ascii);
    until(&mut watch, "the session", |watch| {
        let sessions = reading(watch).sessions.ready().expect("sessions");
        sessions.iter().any(|session| session.query.contains("pg_sleep(3)"))
    })
    .await;
    running.abort();
}

#[tokio::test]
async fn a_standby_is_read_as_one() {
    let Some(url) = server("a_standby_is_read_as_one", "STACKTOP_TEST_PG_STANDBY_URL") else { return };
    let mut watch = watch(&url);
    watch.poll().await.expect("a poll");
    let reading = reading(&watch);
    assert!(reading.server.in_recovery);
    let standby = reading.standby.ready().expect("a standby");
    assert_eq!(standby.receiver.as_deref(), Some("streaming"));
    assert!(standby.behind_bytes.is_some());
    let primary_url = server("a_standby_is_read_as_one", "STACKTOP_TEST_PG_URL").expect("its primary");
    let mut primary = super::Watch::new(Connect::Postgres(connect(&primary_url)));
    primary.poll().await.expect("a poll");
    let senders = super::postgres::reading(&primary).senders.ready().expect("senders");
    assert!(senders.iter().any(|sender| sender.state == "streaming"), "{senders:?}");
}

#[tokio::test]
async fn a_copy_is_measured_by_its_own_limits_and_backups_by_their_age() {
    let test = "a_copy_is_measured_by_its_own_limits_and_backups_by_their_age";
    let Some(url) = server(test, "STACKTOP_TEST_PG_STANDBY_URL") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("shop.dump"), "").expect("an empty backup");
    let limits = |max_latency: Duration| Rotation {
        role: "reporting".to_owned(),
        max_lag: Some(Duration::from_secs(3600)),
        max_latency: Some(max_latency),
    };
    for (latency, out) in [(Duration::from_secs(30), false), (Duration::ZERO, true)] {
        let backups = Some(format!("{}/*.dump", folder.path().display()));
        let connect = PostgresConnect { rotation: Some(limits(latency)), backups, ..connect(&url) };
        let mut watch = Watch::new(Connect::Postgres(connect));
        until(&mut watch, "the backup", |watch| reading(watch).backup.gap().is_some()).await;
        let shown = format!("{:?}", panel(Screen::Replication).content(watch.context(), &[]));
        assert_eq!(shown.contains("WOULD BE TAKEN OUT"), out, "{shown}");
        let world = &watch.world;
        let breaches = stacktop::core::alert::judge(
            state(&watch),
            &watch.target.id,
            &stacktop::core::alert::Rulebook::defaults(&stacktop::core::world::all_rules()),
            watch.context().now,
        );
        let rules: Vec<&str> = breaches.iter().map(|breach| breach.rule.as_str()).collect();
        assert_eq!(rules.contains(&"postgres.rotation"), out, "{rules:?}");
        let backup =
            world.alerts.findings().iter().find(|finding| finding.breach.rule == "postgres.backup").copied();
        assert!(backup.is_some_and(|finding| finding.breach.sentence.contains("is empty")));
    }
}

#[tokio::test]
async fn tls_as_libpq_means_it() {
    let Some(url) = server("tls_as_libpq_means_it", "STACKTOP_TEST_PG_URL") else { return };
    let Some(ca) = server("tls_as_libpq_means_it", "STACKTOP_TEST_PG_CA") else { return };
    let with = |tls: PgTls, host: &str, ca: Option<&str>| {
        let mut connect = PostgresConnect { tls, root_cert: ca.map(Into::into), ..connect(&url) };
        connect.hosts[0].place = PgPlace::Name(host.to_owned());
        Watch::new(Connect::Postgres(connect))
    };
    for (tls, host, root, encrypted) in [
        (PgTls::Disable, "127.0.0.1", None, false),
        (PgTls::Allow, "127.0.0.1", None, false),
        (PgTls::Prefer, "127.0.0.1", None, true),
        (PgTls::Require, "127.0.0.1", None, true),
        (PgTls::VerifyCa, "127.0.0.1", Some(ca.as_str()), true),
        (PgTls::VerifyFull, "localhost", Some(ca.as_str()), true),
    ] {
        let mut watch = with(tls, host, root);
        watch.poll().await.unwrap_or_else(|error| panic!("{tls:?}: {error:?}"));
        assert_eq!(reading(&watch).server.tls, encrypted, "{tls:?}");
    }
    // Without its CA the certificate is nobody's.
    let error = with(PgTls::VerifyFull, "localhost", None).poll().await.expect_err("not verified");
    assert_eq!(error.kind, PollErrorKind::Tls, "{error:?}");
}

#[tokio::test]
async fn every_mistake_gets_its_own_sentence() {
    let Some(url) = server("every_mistake_gets_its_own_sentence", "STACKTOP_TEST_PG_URL") else { return };
    let wrong_password = url.replace("postgres-secret", "not-the-secret");
    let wrong_port = "postgres://postgres:postgres-secret@127.0.0.1:9/postgres".to_owned();
    let wrong_database = format!("{}/nowhere", url.rsplit_once('/').expect("a database").0);
    for (url, kind) in [
        (wrong_password, PollErrorKind::Credentials),
        (wrong_port, PollErrorKind::Unreachable),
        (wrong_database, PollErrorKind::Configuration),
    ] {
        let error = watch(&url).poll().await.expect_err("a mistake");
        assert_eq!(error.kind, kind, "{error:?}");
        assert!(error.remedy.is_some(), "{error:?}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    if let Some(redis) = server("every_mistake_gets_its_own_sentence", "STACKTOP_TEST_REDIS_URL") {
        let port = redis.rsplit_once(':').expect("a port").1.to_owned();
        let url = format!("postgres://u:p@127.0.0.1:{port}/d");
        let error = watch(&url).poll().await.expect_err("no Postgres");
        // Redis waits for the end of a line that never comes: all that can be said is that it does not speak.
        assert_eq!(error.kind, PollErrorKind::TimedOut, "{error:?}");
        assert!(error.message.contains("does not answer as Postgres"), "{error:?}");
    }
}
