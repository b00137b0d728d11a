//! Faults that last, made on real servers: each is told for as long as it lasts, with one beginning, and not a moment longer.

use super::{Watch, client, server};
use stacktop::config::target::{Connect, PromQuery, PrometheusConnect};
use stacktop::config::url;
use stacktop::core::alert::{Finding, RuleSetting, Severity};
use stacktop::core::postgres::{PostgresState, SqlPanel};
use stacktop::core::world::SystemState;
use std::io::{Seek, SeekFrom, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn watch(url: &str) -> Watch {
    Watch::new(Connect::Postgres(url::postgres(url).expect("a URL")))
}

/// What fires of `rule`.
fn firing<'a>(watch: &'a Watch, rule: &str) -> Vec<&'a Finding> {
    let mut firing = watch.world.alerts.firing();
    firing.retain(|finding| finding.breach.rule == rule);
    firing
}

/// Polls until `done`, for twenty seconds at most.
async fn until(watch: &mut Watch, what: &str, done: impl Fn(&Watch) -> bool) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        let _ = watch.poll().await;
        if done(watch) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("{what} did not come: {}", watch.verdict());
}

/// The archiver tries three times, then rests for a minute: through all of that WAL is not archived.
#[tokio::test]
async fn wal_that_cannot_be_archived_is_told_without_a_break() {
    let test = "wal_that_cannot_be_archived_is_told_without_a_break";
    let Some(url) = server(test, "STACKTOP_TEST_ILL_PG_URL") else { return };
    let admin = client(&url).await;
    let mut watch = watch(&url);
    until(&mut watch, "a healthy archiver", |watch| firing(watch, "postgres.archiver").is_empty()).await;
    admin.batch_execute("ALTER SYSTEM SET archive_command = 'false'").await.expect("set");
    admin
        .batch_execute("SELECT pg_reload_conf(); CREATE TABLE made_wal (); SELECT pg_switch_wal()")
        .await
        .expect("WAL");
    let fires = |watch: &Watch| !firing(watch, "postgres.archiver").is_empty();
    until(&mut watch, "a failing archiver", fires).await;
    let since = firing(&watch, "postgres.archiver")[0].since.wall;
    for second in 0..75 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        watch.poll().await.expect("a poll");
        let found = firing(&watch, "postgres.archiver");
        assert!(found.len() == 1, "second {second}: {}", watch.verdict());
        assert_eq!(found[0].since.wall, since, "second {second}");
        assert!(watch.verdict().starts_with("BROKEN"), "second {second}: {}", watch.verdict());
    }
    admin.batch_execute("ALTER SYSTEM SET archive_command = 'true'").await.expect("set");
    admin.batch_execute("SELECT pg_reload_conf(); DROP TABLE made_wal").await.expect("mended");
    let mended = Instant::now();
    until(&mut watch, "its end", |watch| firing(watch, "postgres.archiver").is_empty()).await;
    assert!(mended.elapsed() < Duration::from_secs(12), "{:?}", mended.elapsed());
}

fn state(watch: &Watch) -> &PostgresState {
    match &watch.world.targets()[0].system {
        SystemState::Postgres(state) => state,
        other => panic!("{other:?}"),
    }
}

/// The same server, another database of it.
fn database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("a database");
    format!("{server}/{name}")
}

/// Sampled twice a second for so many seconds, `rule` fires all the time and with one beginning.
async fn lasts(watch: &mut Watch, rule: &str, seconds: u32) {
    let since = firing(watch, rule)[0].since;
    for half in 0..seconds * 2 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        watch.poll().await.expect("a poll");
        let found = firing(watch, rule);
        assert!(found.len() == 1 && found[0].since == since, "{half} half seconds: {}", watch.verdict());
    }
}

#[tokio::test]
async fn a_subscription_that_breaks_or_is_disabled_is_told() {
    let test = "a_subscription_that_breaks_or_is_disabled_is_told";
    let Some(url) = server(test, "STACKTOP_TEST_ILL_PG_URL") else { return };
    let admin = client(&url).await;
    for name in ["alarms_from", "alarms_to"] {
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
    }
    let (from, to) =
        (client(&database(&url, "alarms_from")).await, client(&database(&url, "alarms_to")).await);
    from.batch_execute("CREATE TABLE t (id int); CREATE PUBLICATION p FOR TABLE t").await.expect("published");
    from.batch_execute("SELECT pg_create_logical_replication_slot('alarms', 'pgoutput')")
        .await
        .expect("a slot");
    let place = url.strip_prefix("postgres://").and_then(|rest| rest.rsplit_once('@')).expect("a place").1;
    let (host, port) = place.split('/').next().and_then(|place| place.split_once(':')).expect("a port");
    let subscribe = format!(
        "CREATE TABLE t (id int); CREATE SUBSCRIPTION s CONNECTION 'host={host} port={port} dbname=alarms_from user=postgres \
         password=postgres-secret' PUBLICATION p WITH (create_slot = false, slot_name = 'alarms', copy_data = false)"
    );
    to.batch_execute(&subscribe).await.expect("subscribed");
    let mut watch = watch(&url);
    let rule = "postgres.subscription";
    let works = |watch: &Watch| {
        let health = state(watch).reading().and_then(|reading| reading.health.ready());
        let all = health.and_then(|health| health.subscriptions.ready());
        all.is_some_and(|all| all.iter().any(|one| one.works)) && firing(watch, rule).is_empty()
    };
    until(&mut watch, "a subscription that works", works).await;
    // Its worker cannot apply what comes, and is started again and again.
    to.batch_execute("ALTER TABLE t RENAME TO elsewhere").await.expect("renamed");
    from.batch_execute("INSERT INTO t VALUES (1)").await.expect("a row");
    until(&mut watch, "a broken subscription", |watch| !firing(watch, rule).is_empty()).await;
    assert_eq!(firing(&watch, rule)[0].breach.severity, Severity::Critical);
    assert!(firing(&watch, rule)[0].breach.sentence.contains("subscription s in alarms_to is broken"));
    lasts(&mut watch, rule, 8).await;
    to.batch_execute("ALTER TABLE elsewhere RENAME TO t").await.expect("mended");
    let mended = Instant::now();
    while !firing(&watch, rule).is_empty() {
        assert!(mended.elapsed() < Duration::from_secs(40), "{}", watch.verdict());
        tokio::time::sleep(Duration::from_millis(500)).await;
        watch.poll().await.expect("a poll");
    }
    to.batch_execute("ALTER SUBSCRIPTION s DISABLE").await.expect("disabled");
    until(&mut watch, "a disabled subscription", |watch| !firing(watch, rule).is_empty()).await;
    assert!(firing(&watch, rule)[0].breach.sentence.contains("is disabled"), "{}", watch.verdict());
    // What is advised: it is enabled; then, disabled once more, it is dropped.
    let step = firing(&watch, rule)[0].breach.step.words();
    assert_eq!(step, "ALTER SUBSCRIPTION … ENABLE when its reason is gone, or drop it");
    to.batch_execute("ALTER SUBSCRIPTION s ENABLE").await.expect("enabled");
    until(&mut watch, "its end", |watch| firing(watch, rule).is_empty()).await;
    to.batch_execute("ALTER SUBSCRIPTION s DISABLE").await.expect("disabled");
    until(&mut watch, "a disabled subscription", |watch| !firing(watch, rule).is_empty()).await;
    to.batch_execute("ALTER SUBSCRIPTION s SET (slot_name = NONE)").await.expect("let go");
    to.batch_execute("DROP SUBSCRIPTION s").await.expect("dropped");
    until(&mut watch, "its end", |watch| firing(watch, rule).is_empty()).await;
    // Its worker may hold the slot for another moment.
    for _ in 0..50 {
        if from.batch_execute("SELECT pg_drop_replication_slot('alarms')").await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_damaged_page_is_told_for_good() {
    let test = "a_damaged_page_is_told_for_good";
    let Some(url) = server(test, "STACKTOP_TEST_ILL_PG_URL") else { return };
    let admin = client(&url).await;
    admin.batch_execute("CREATE DATABASE damaged").await.expect("a database");
    let own = client(&database(&url, "damaged")).await;
    let make = "CREATE TABLE page AS SELECT generate_series(1, 100) AS id";
    own.batch_execute(make).await.expect("a table");
    // It is written to a new file, beside the buffers.
    own.batch_execute("VACUUM FULL page").await.expect("rewritten");
    own.batch_execute("CHECKPOINT").await.expect("on the disk");
    let where_ = "SELECT current_setting('data_directory') || '/' || pg_relation_filepath('page')";
    let path: String = own.query_one(where_, &[]).await.expect("a path").get(0);
    let mut watch = watch(&url);
    watch.poll().await.expect("a poll");
    assert!(firing(&watch, "postgres.checksums").is_empty(), "{}", watch.verdict());
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).expect("its file");
    file.seek(SeekFrom::Start(4000)).expect("the middle of its page");
    file.write_all(b"this is not what was written there").expect("damaged");
    file.sync_all().expect("on the disk");
    own.query("SELECT count(*) FROM page", &[]).await.expect_err("its checksum is wrong");
    until(&mut watch, "a damaged page", |watch| !firing(watch, "postgres.checksums").is_empty()).await;
    let verdict = watch.verdict();
    assert!(verdict.contains("database damaged: 1 page failed the checksum"), "{verdict}");
    lasts(&mut watch, "postgres.checksums", 2).await;
    drop(own);
    admin.batch_execute("DROP DATABASE damaged WITH (FORCE)").await.expect("dropped");
    until(&mut watch, "its end", |watch| firing(watch, "postgres.checksums").is_empty()).await;
}

#[tokio::test]
async fn a_long_transaction_of_short_statements_is_told() {
    for version in [13, 18] {
        let variable = format!("STACKTOP_TEST_PG{version}_URL");
        let Some(url) = server("a_long_transaction_of_short_statements_is_told", &variable) else { continue };
        let own = client(&url).await;
        own.batch_execute("SET application_name = 'long'; BEGIN; SELECT pg_current_xact_id()")
            .await
            .expect("begun");
        let mut watch = watch(&url);
        let rule = "postgres.long_transaction";
        let spec =
            stacktop::core::world::all_rules().into_iter().find(|spec| spec.id == rule).expect("a rule");
        let short = RuleSetting { warning: Some(2.0), ..watch.world.rules.get(spec.id) };
        assert!(watch.world.rules.set(rule, short));
        let pid: i32 = own.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0);
        let mut found = String::new();
        for _ in 0..40 {
            own.batch_execute("SELECT pg_sleep(0.1)").await.expect("short");
            watch.poll().await.expect("a poll");
            let all = firing(&watch, rule);
            let its = all.iter().find(|one| one.breach.sentence.starts_with(&format!("pid {pid} ")));
            if let Some(finding) = its {
                found.clone_from(&finding.breach.sentence);
                break;
            }
        }
        assert!(
            found.contains("its transaction has been open for") && found.contains("holds back vacuum"),
            "{found}"
        );
    }
}

#[tokio::test]
async fn every_copy_of_a_system_has_its_number() {
    let test = "every_copy_of_a_system_has_its_number";
    let mut numbers = Vec::new();
    for variable in [
        "STACKTOP_TEST_PG_URL",
        "STACKTOP_TEST_PG_STANDBY_URL",
        "STACKTOP_TEST_PG13_URL",
        "STACKTOP_TEST_PG18_URL",
    ] {
        let Some(url) = server(test, variable) else { return };
        let url = url.replace("postgres:postgres-secret", "monitor:monitor-secret");
        let mut watch = watch(&url);
        watch.poll().await.expect("a poll");
        numbers.push(state(&watch).reading().expect("a reading").server.system.clone());
    }
    assert!(numbers.iter().all(Option::is_some), "{numbers:?}");
    assert_eq!(numbers[0], numbers[1], "a copy");
    assert!(numbers[0] != numbers[2] && numbers[0] != numbers[3] && numbers[2] != numbers[3], "{numbers:?}");
}

#[tokio::test]
async fn freeze_a_copy_that_streamed_and_is_gone_is_missed() {
    let test = "freeze_a_copy_that_streamed_and_is_gone_is_missed";
    let Some(url) = server(test, "STACKTOP_TEST_FREEZE_PG_URL") else { return };
    let Some(program) = server(test, "STACKTOP_TEST_PG_RECEIVEWAL") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let start = || {
        let mut receiver = Command::new(&program);
        receiver.arg("-d").arg(format!("{url}?application_name=the-copy")).arg("-D").arg(folder.path());
        receiver.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("pg_receivewal")
    };
    let mut copy = start();
    let mut watch = watch(&url);
    let rule = "postgres.copy_gone";
    let streams = |watch: &Watch| {
        let senders = state(watch).reading().and_then(|reading| reading.senders.ready());
        senders.is_some_and(|senders| {
            senders.iter().any(|one| one.name == "the-copy" && one.state == "streaming")
        })
    };
    until(&mut watch, "a copy that streams", streams).await;
    for _ in 0..11 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        watch.poll().await.expect("a poll");
    }
    copy.kill().expect("killed");
    copy.wait().expect("dead");
    until(&mut watch, "a copy that is gone", |watch| !firing(watch, rule).is_empty()).await;
    assert!(
        watch.verdict().contains("copy the-copy (from 127.0.0.1) streamed and is gone"),
        "{}",
        watch.verdict()
    );
    let mut back = start();
    until(&mut watch, "a copy that is back", |watch| streams(watch) && firing(watch, rule).is_empty()).await;
    back.kill().expect("killed");
    back.wait().expect("dead");
}

/// A standby that was caught up is not as far behind as its newest transaction is old.
#[tokio::test]
async fn freeze_a_standby_without_its_primary_is_behind_since_then() {
    let test = "freeze_a_standby_without_its_primary_is_behind_since_then";
    let Some(url) = server(test, "STACKTOP_TEST_PG_STANDBY_URL") else { return };
    let Some(primary) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    client(&primary).await.batch_execute("SELECT pg_current_xact_id()").await.expect("a transaction");
    let admin = client(&url).await;
    let mut watch = watch(&url);
    let quiet = |watch: &Watch| {
        let standby = state(watch).reading().and_then(|reading| reading.standby.ready());
        let old =
            standby.is_some_and(|one| one.streams() && one.staleness_seconds.is_some_and(|age| age > 8.0));
        old && state(watch).standby_lag() == Some(0.0)
    };
    until(&mut watch, "a quiet primary", quiet).await;
    let cut = "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'";
    admin.batch_execute(cut).await.expect("set");
    admin.batch_execute("SELECT pg_reload_conf()").await.expect("cut off");
    let began = Instant::now();
    until(&mut watch, "a standby that receives nothing", |watch| {
        !firing(watch, "postgres.receiver").is_empty()
    })
    .await;
    let (lag, reading) =
        (state(&watch).standby_lag().expect("a lag"), state(&watch).reading().expect("a reading"));
    let stale = reading.standby.ready().and_then(|standby| standby.staleness_seconds).expect("an age");
    admin.batch_execute("ALTER SYSTEM RESET primary_conninfo").await.expect("reset");
    admin.batch_execute("SELECT pg_reload_conf()").await.expect("back");
    assert!(lag <= began.elapsed().as_secs_f64() + 3.0 && lag + 4.0 < stale, "{lag} s behind, {stale} s old");
    until(&mut watch, "a standby that streams", |watch| firing(watch, "postgres.receiver").is_empty()).await;
}

/// A panel of the team's own that fails, or watches what is not there, watches nothing; that is never OK.
#[tokio::test(flavor = "multi_thread")]
async fn a_panel_that_watches_nothing_is_told() {
    let test = "a_panel_that_watches_nothing_is_told";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let panel = |name: &str, sql: &str, column: &str| SqlPanel {
        name: name.to_owned(),
        sql: sql.to_owned(),
        interval: Duration::from_secs(1),
        sort: None,
        thresholds: [(column.to_owned(), (Some(1.0), None))].into(),
    };
    let panels = vec![
        panel("fine", "SELECT 0 AS failures", "failures"),
        panel("without a row", "SELECT 1 AS failures WHERE false", "failures"),
        panel("misspelt", "SELECT 7 AS failure", "failures"),
        panel("no number", "SELECT 'seven' AS failures", "failures"),
        panel("broken", "SELECT failures FROM nowhere", "failures"),
    ];
    let connect = stacktop::config::target::PostgresConnect { panels, ..url::postgres(&url).expect("a URL") };
    let mut watch = Watch::new(Connect::Postgres(connect));
    let rule = "postgres.panel_blind";
    until(&mut watch, "three blind panels", |watch| firing(watch, rule).len() == 3).await;
    let found: Vec<String> = firing(&watch, rule).iter().map(|one| one.breach.sentence.clone()).collect();
    for expected in [
        "panel misspelt watches nothing: there is no column failures among failure",
        "panel no number watches nothing: column failures is no number: seven",
        "panel broken watches nothing: ",
    ] {
        assert!(found.iter().any(|sentence| sentence.starts_with(expected)), "{found:?}");
    }
    assert!(watch.verdict().starts_with("DEGRADED"), "{}", watch.verdict());
    // One of them is given what it needs, as is advised.
    let admin = client(&url).await;
    admin.batch_execute("CREATE TABLE nowhere AS SELECT 0 AS failures").await.expect("a table");
    until(&mut watch, "two blind panels", |watch| firing(watch, rule).len() == 2).await;
    admin.batch_execute("DROP TABLE nowhere").await.expect("gone");
}

#[tokio::test]
async fn a_promql_panel_that_cannot_be_evaluated_is_told() {
    let test = "a_promql_panel_that_cannot_be_evaluated_is_told";
    let Some(url) = server(test, "STACKTOP_TEST_PROMETHEUS_URL") else { return };
    let query = |title: &str, expr: &str| PromQuery {
        title: title.to_owned(),
        expr: expr.to_owned(),
        unit: String::new(),
        warning: Some(1e9),
        critical: None,
    };
    let queries = vec![query("fine", "up"), query("broken", "rate(up")];
    let http = url::http(&url).expect("a URL");
    let mut watch = Watch::new(Connect::Prometheus(PrometheusConnect {
        http,
        alertmanager: None,
        queries,
        past: Vec::new(),
    }));
    watch.poll().await.expect("a poll");
    let found = firing(&watch, "prometheus.panel_blind");
    assert!(
        found.len() == 1 && found[0].breach.sentence.starts_with("panel broken watches nothing: "),
        "{found:?}"
    );
}
