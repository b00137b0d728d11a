//! A guest that behaves: what a server refuses it is asked once, and what it costs does not grow with the size of the database. Each test
//! has a database of its own, whose rolled back transactions are the errors that were made there.

use super::looks::{answer, connect};
use super::{Watch, client, server};
use stacktop::config::target::{Connect, PostgresConnect};
use stacktop::core::focus::Focus;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{Look, PostgresReading, PostgresState, SqlPanel};
use stacktop::core::reading::Reading;
use stacktop::core::time::{Clock, Now};
use stacktop::core::world::SystemState;
use stacktop::panels::panel;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// A database of its own, empty; and who looks at it.
struct Stage {
    url: String,
    admin: Client,
    name: String,
    watch: Watch,
    /// So much later than it is.
    later: Duration,
    /// Nobody locks the catalogs that it shares with others.
    calm: Option<tokio::sync::RwLockReadGuard<'static, ()>>,
}

impl Stage {
    async fn new(test: &str, variable: &str, name: &str, setup: &[&str]) -> Option<Self> {
        let url = server(test, variable)?;
        let calm = Some(super::CATALOGS.read().await);
        let outside = client(&url).await;
        for sql in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")]
        {
            outside.batch_execute(&sql).await.expect("a database");
        }
        let own = format!("{}/{name}", url.rsplit_once('/').expect("a database").0);
        let inside = client(&own).await;
        for sql in setup {
            inside.batch_execute(sql).await.expect(sql);
        }
        // As the role that is recommended.
        let looker = own.replace("postgres:postgres-secret", "monitor:monitor-secret");
        let watch = Watch::new(Connect::Postgres(connect(&looker)));
        Some(Self { url: own, admin: outside, name: name.to_owned(), watch, later: Duration::ZERO, calm })
    }

    /// The next poll, so much later.
    async fn poll(&mut self, step: Duration, focus: &[Focus]) -> PostgresReading {
        self.later += step;
        let now = self.watch.clock.now();
        let now = Now { mono: now.mono + self.later, ..now };
        match self.watch.source.poll(now, focus).await.expect("a poll") {
            Reading::Postgres(reading) => *reading,
            other => panic!("{other:?}"),
        }
    }

    /// How many transactions were rolled back there.
    async fn errors(&mut self) -> i64 {
        // A session tells of its counts with the next thing that it does, if that is half a second later; the newer ones by themselves.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        self.poll(Duration::ZERO, &[]).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        let sql = "SELECT xact_rollback FROM pg_stat_database WHERE datname = $1";
        self.admin.query_one(sql, &[&self.name]).await.expect("a count").get(0)
    }

    async fn end(self) {
        drop(self.watch);
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        self.admin.batch_execute(&sql).await.expect("dropped");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_service_refuses_is_asked_once() {
    let refuse = "REVOKE EXECUTE ON FUNCTION pg_current_wal_lsn(), pg_stat_get_archiver(), pg_control_system(), pg_prepared_xact() FROM PUBLIC";
    for version in [13, 15, 18] {
        let test = "what_a_service_refuses_is_asked_once";
        let (variable, name) = (format!("STACKTOP_TEST_PG{version}_URL"), "guest_refuses");
        let Some(mut stage) = Stage::new(test, &variable, name, &[refuse]).await else { continue };
        let before = stage.errors().await;
        let mut last = PostgresReading::default();
        for _ in 0..60 {
            last = stage.poll(Duration::from_secs(5), &[]).await;
        }
        let made = stage.errors().await - before;
        assert_eq!(made, 4, "{version}: one for each of four functions in five minutes");
        let health = last.health.ready().expect("the rest of it");
        assert!(health.wal_position.is_none() && health.freeze_max_age.is_some(), "{health:?}");
        assert!(health.checkpoints_timed.is_some(), "{health:?}");
        for gap in [health.archiver.gap(), health.prepared.gap()] {
            assert!(gap.expect("it is refused").note.contains("permission denied"), "{gap:?}");
        }
        for gap in
            [last.sessions.gap(), last.databases.gap(), last.replication_slots.gap(), last.senders.gap()]
        {
            assert_eq!(gap, None, "{version}");
        }
        // It is asked again some time, and what it answers then is shown.
        let inside = client(&stage.url).await;
        let grant = "GRANT EXECUTE ON FUNCTION pg_stat_get_archiver(), pg_prepared_xact() TO PUBLIC";
        inside.batch_execute(grant).await.expect("granted");
        let again = stage.poll(Duration::from_secs(601), &[]).await;
        let health = again.health.ready().expect("health");
        assert!(health.archiver.gap().is_none() && health.prepared.gap().is_none(), "{health:?}");
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_comes_and_goes_is_noticed() {
    let test = "an_extension_that_comes_and_goes_is_noticed";
    let Some(mut stage) = Stage::new(test, "STACKTOP_TEST_PG18_URL", "guest_extension", &[]).await else {
        return;
    };
    let five = Duration::from_secs(5);
    let told = |reading: &PostgresReading| reading.statements.gap().map(|gap| gap.note.clone());
    let inside = client(&stage.url).await;
    let before = stage.errors().await;
    for schema in ["public", "elsewhere"] {
        let first = stage.poll(five, &[]).await;
        assert!(told(&first).expect("it is not there").contains("CREATE EXTENSION"), "{:?}", told(&first));
        let sql = format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; GRANT USAGE ON SCHEMA {schema} TO PUBLIC; CREATE EXTENSION pg_stat_statements SCHEMA {schema}"
        );
        inside.batch_execute(&sql).await.expect("made");
        assert_eq!(told(&stage.poll(five, &[]).await), None, "{schema}");
        inside.batch_execute("DROP EXTENSION pg_stat_statements").await.expect("dropped");
        for _ in 0..3 {
            stage.poll(five, &[]).await;
        }
    }
    let made = stage.errors().await - before;
    assert!(made <= 4, "{made} errors: each time one for the statements and one for evictions");

    // A text that could not be read is read as soon as that is possible.
    let sql = "CREATE EXTENSION pg_stat_statements; REVOKE EXECUTE ON FUNCTION pg_stat_statements(boolean) FROM PUBLIC";
    inside.batch_execute(sql).await.expect("made");
    let sql = "SELECT queryid FROM pg_stat_statements WHERE toplevel ORDER BY calls DESC LIMIT 1";
    let id: i64 = inside.query_one(sql, &[]).await.expect("a statement").get(0);
    let focus = [Focus::StatementTexts(vec![id])];
    let before = stage.errors().await;
    for _ in 0..10 {
        let reading = stage.poll(five, &focus).await;
        assert!(
            told(&reading).is_some_and(|note| note.contains("permission denied")),
            "{:?}",
            told(&reading)
        );
        assert!(reading.texts[0].1.contains("cannot be read"), "{:?}", reading.texts);
    }
    assert_eq!(stage.errors().await - before, 2, "the counters and the texts, once each");
    inside
        .batch_execute("GRANT EXECUTE ON FUNCTION pg_stat_statements(boolean) TO PUBLIC")
        .await
        .expect("granted");
    let reading = stage.poll(Duration::from_secs(601), &focus).await;
    assert_eq!(told(&reading), None);
    assert!(!reading.texts[0].1.starts_with("(its text"), "{:?}", reading.texts);
    stage.end().await;
}

/// It runs alone, with the tests that stop servers: roles and rights that others change are reasons to ask again.
#[tokio::test(flavor = "multi_thread")]
async fn freeze_a_lock_on_a_catalog_makes_one_error_a_question() {
    let test = "freeze_a_lock_on_a_catalog_makes_one_error_a_question";
    for version in [13, 18] {
        let variable = format!("STACKTOP_TEST_PG{version}_URL");
        let Some(mut stage) = Stage::new(test, &variable, "guest_locked", &[]).await else { continue };
        let five = Duration::from_secs(5);
        stage.poll(five, &[]).await;
        let before = stage.errors().await;
        let culprit = client(&stage.url).await;
        stage.calm = None;
        let _alone = super::CATALOGS.write().await;
        // The view stands for what it reads, which all databases share: nobody can log in, and nobody else can count.
        culprit
            .batch_execute("BEGIN; LOCK TABLE pg_class, pg_prepared_xacts IN ACCESS EXCLUSIVE MODE")
            .await
            .expect("locked");
        let mut seen = 0;
        for _ in 0..20 {
            let reading = stage.poll(five, &[]).await;
            let health = reading.health.ready().expect("health");
            seen += usize::from(
                health.prepared.gap().is_some_and(|gap| gap.note.contains("somebody holds a lock")),
            );
            assert_eq!(reading.sessions.gap(), None, "{version}");
        }
        assert!(seen > 15, "{version}: it was told {seen} times of 20");
        culprit.batch_execute("ROLLBACK").await.expect("let go");
        let made = stage.errors().await - before;
        // Each question that needs one of these catalogs was refused once, and the culprit rolled back.
        assert!((2..=10).contains(&made), "{version}: {made} rolled back in twenty polls");
        let reading = stage.poll(five, &[]).await;
        let health = reading.health.ready().expect("health");
        assert!(health.prepared.gap().is_none() && health.vacuums.gap().is_none(), "{version}: {health:?}");
        stage.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_database_costs_no_scan_of_its_catalogs() {
    let test = "a_wide_database_costs_no_scan_of_its_catalogs";
    let columns: Vec<String> = (1..=30).map(|nth| format!("c{nth} int")).collect();
    let make = format!(
        "DO $$ BEGIN FOR i IN 1..400 LOOP EXECUTE format('CREATE TABLE t%s ({})', i); \
         FOR c IN 1..8 LOOP EXECUTE format('CREATE INDEX ON t%s (c%s, c%s)', i, c, c + 1); END LOOP; \
         EXECUTE format('CREATE INDEX ON t%s (c1)', i); END LOOP; END $$; ANALYZE pg_attribute, pg_class, pg_index",
        columns.join(", ")
    );
    let Some(mut stage) = Stage::new(test, "STACKTOP_TEST_PG18_URL", "guest_wide", &[]).await else { return };
    let inside = client(&stage.url).await;
    let halves: Vec<&str> = make.split("; ANALYZE").collect();
    inside.batch_execute(halves[0]).await.expect("made");
    inside.batch_execute(&format!("ANALYZE {}", halves[1])).await.expect("analyzed");
    let sql = "SELECT seq_scan FROM pg_stat_all_tables WHERE relname = 'pg_attribute'";
    let scans = async || -> i64 {
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        inside.query_one(sql, &[]).await.expect("a count").get(0)
    };
    // Whoever logs in scans it for what the server itself has to know.
    let untouched = scans().await;
    drop(client(&stage.url).await);
    let before = scans().await;
    stage.poll(Duration::from_secs(5), &[]).await;
    let (login, ours) = (before - untouched, scans().await - before);
    assert!(ours <= login, "its columns are looked up by an index: {ours} scans, {login} by a login alone");
    let look = Look::Topic("indexes".to_owned());
    let began = Instant::now();
    let table = answer(&mut stage.watch, &look, &[]).await;
    let table = table.ready().expect("the indexes");
    assert!(began.elapsed() < Duration::from_secs(3), "3600 indexes took {:?}", began.elapsed());
    let leads =
        table.column("problem").filter(|(_, text)| text.contains("its columns lead those of")).count();
    assert!(leads > 10, "those that lead another are told, as far as the list goes: {leads}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_our_own_are_marked_and_long_ones_cut() {
    let test = "statements_of_our_own_are_marked_and_long_ones_cut";
    let make = ["CREATE EXTENSION pg_stat_statements"];
    let Some(stage) = Stage::new(test, "STACKTOP_TEST_PG18_URL", "guest_marked", &make).await else { return };
    let mut watch = Watch::new(Connect::Postgres(connect(&stage.url)));
    let other = client(&stage.url).await;
    let long =
        format!("SELECT 'the long one', {}", vec!["1 + 1"; 60_000].join(", ")).replace("1 + 1", "now()");
    let long = long.split(", ").take(1_500).collect::<Vec<_>>().join(", ") + &" ".repeat(90_000) + ", now()";
    let mut ids = Vec::new();
    let mut shown = String::new();
    for _ in 0..20 {
        other.simple_query(&long).await.expect("it runs");
        watch.poll_with(&[Focus::StatementTexts(ids.clone())]).await.expect("a poll");
        let SystemState::Postgres(postgres) = &watch.world.targets()[0].system else {
            panic!("another kind")
        };
        ids = postgres.statements.rows.iter().map(|row| row.key.query).collect();
        shown = super::pooler::text(&panel(Screen::Queries).content(watch.context(), &[]));
        if shown.contains("(stacktop itself) SELECT")
            && texts(postgres).any(|text| text.contains("the long one"))
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1_100)).await;
    }
    assert!(shown.contains("(stacktop itself) SELECT"), "{shown}");
    let SystemState::Postgres(postgres) = &watch.world.targets()[0].system else { panic!("another kind") };
    let long = texts(postgres).find(|text| text.contains("SELECT $1, now()")).map(str::len);
    assert!(long.is_none_or(|length| length <= 64 * 1024 + 3), "{long:?}");
    drop(watch);
    stage.end().await;
}

fn texts(state: &PostgresState) -> impl Iterator<Item = &str> {
    state.reading().into_iter().flat_map(|reading| reading.texts.iter().map(|(_, text)| &**text))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_panel_keeps_no_other_look_waiting() {
    let test = "a_slow_panel_keeps_no_other_look_waiting";
    let Some(url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let slow = |name: &str| SqlPanel {
        name: name.to_owned(),
        sql: "SELECT pg_sleep(8)".to_owned(),
        interval: Duration::from_secs(1),
        sort: None,
        thresholds: BTreeMap::from([("pg_sleep".to_owned(), (Some(1.0), None))]),
    };
    let panels = vec![slow("one"), slow("two"), slow("three")];
    let mut watch = Watch::new(Connect::Postgres(PostgresConnect { panels, ..connect(&url) }));
    watch.poll().await.expect("a poll");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let began = Instant::now();
    for topic in ["progress", "horizon"] {
        let table = answer(&mut watch, &Look::Topic(topic.to_owned()), &[]).await;
        assert!(table.ready().is_some(), "{table:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

/// A proxy that refuses settings at the start as RDS Proxy does, and writes down what would pin a session to a client.
fn proxy(server: String) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let pins: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&pins);
    std::thread::spawn(move || {
        for wire in listener.incoming().flatten() {
            let (server, seen) = (server.clone(), Arc::clone(&seen));
            std::thread::spawn(move || serve(wire, &server, &seen));
        }
    });
    (port, pins)
}

fn message(wire: &mut TcpStream, tagged: bool) -> Option<Vec<u8>> {
    let mut whole = vec![0; if tagged { 5 } else { 4 }];
    wire.read_exact(&mut whole).ok()?;
    let length = whole[whole.len() - 4..].try_into().map(u32::from_be_bytes).ok()? as usize;
    let mut rest = vec![0; length.checked_sub(4)?];
    wire.read_exact(&mut rest).ok()?;
    whole.extend(rest);
    Some(whole)
}

fn serve(mut wire: TcpStream, server: &str, pins: &Mutex<Vec<String>>) -> Option<()> {
    let mut start = message(&mut wire, false)?;
    if start.len() == 8 {
        wire.write_all(b"N").ok()?;
        start = message(&mut wire, false)?;
    }
    if start.windows(9).any(|bytes| bytes == b"\0options\0") {
        let fields =
            b"SFATAL\0VFATAL\0C0A000\0MRDS Proxy currently doesn't support command-line options.\0\0";
        let length = u32::try_from(fields.len() + 4).ok()?;
        wire.write_all(&[&b"E"[..], &length.to_be_bytes(), fields].concat()).ok()?;
        return None;
    }
    let mut behind = TcpStream::connect(server).ok()?;
    behind.write_all(&start).ok()?;
    let (mut back, mut out) = (behind.try_clone().ok()?, wire.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut back, &mut out));
    while let Some(whole) = message(&mut wire, true) {
        let text = String::from_utf8_lossy(&whole[5..]).into_owned();
        let sets = text.split(';').any(|part| {
            let part = part.trim_start();
            part.starts_with("SET ") && !part.starts_with("SET LOCAL ")
        });
        // A statement with a name stays with the session of the server.
        let named = whole[0] == b'P' && !text.starts_with('\0');
        if (whole[0] == b'Q' && sets) || named {
            pins.lock().expect("whole").push(text);
        }
        behind.write_all(&whole).ok()?;
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_takes_no_settings_is_asked_in_transactions() {
    let test = "a_proxy_that_takes_no_settings_is_asked_in_transactions";
    let Some(mut stage) = Stage::new(test, "STACKTOP_TEST_PG18_URL", "guest_proxied", &[]).await else {
        return;
    };
    let place =
        stage.url.rsplit_once('@').expect("a place").1.split_once('/').expect("a database").0.to_owned();
    let (port, pins) = proxy(place.clone());
    for attrs in ["any", "primary"] {
        let through = stage.url.replace(&place, &format!("127.0.0.1:{port}"));
        let through = format!("{through}?target_session_attrs={attrs}");
        stage.watch = Watch::new(Connect::Postgres(connect(&through)));
        let before = stage.errors().await;
        for _ in 0..10 {
            let reading = stage.poll(Duration::from_secs(5), &[]).await;
            assert!(reading.server.pooled);
            for gap in
                [reading.sessions.gap(), reading.databases.gap(), reading.slots.gap(), reading.health.gap()]
            {
                assert_eq!(gap, None);
            }
        }
        assert_eq!(stage.errors().await - before, 0, "{attrs}");
        assert_eq!(*pins.lock().expect("whole"), Vec::<String>::new(), "{attrs}");
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_pool_that_drops_settings_makes_no_error() {
    let test = "a_busy_pool_that_drops_settings_makes_no_error";
    let Some(mut stage) = Stage::new(test, "STACKTOP_TEST_PG_URL", "guest_pooled", &[]).await else { return };
    let Some(through) = server(test, "STACKTOP_TEST_PGBOUNCER_DEAF_URL") else { return };
    let through = format!("{}/guest_pooled", through.rsplit_once('/').expect("a database").0);
    stage.watch = Watch::new(Connect::Postgres(connect(&through)));
    let until = Instant::now() + Duration::from_secs(6);
    let clients = (0..6).map(|_| {
        let through = through.clone();
        tokio::spawn(async move {
            let client = client(&through).await;
            let mut done = 0_u32;
            while Instant::now() < until {
                client.simple_query("BEGIN; SELECT count(*) FROM pg_class; COMMIT").await.expect("it runs");
                done += 1;
            }
            done
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut polls = 0;
    while Instant::now() < until {
        let reading = stage.poll(Duration::from_secs(1), &[]).await;
        assert!(reading.server.pooled);
        for gap in
            [reading.sessions.gap(), reading.databases.gap(), reading.slots.gap(), reading.health.gap()]
        {
            assert_eq!(gap, None);
        }
        polls += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut done = 0;
    for client in clients {
        done += client.await.expect("no error");
    }
    assert_eq!(stage.errors().await, 0, "{polls} polls beside {done} transactions");
    assert!(polls > 10 && done > 100, "{polls} polls beside {done} transactions");
    // The pool holds on to the database for a while.
    stage.end().await;
}
