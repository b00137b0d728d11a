//! What users of other monitors have reported about who is let in and what a role may read, tried on real servers.

use super::looks::{answer, cells};
use super::{Watch, client, reading, server};
use stacktop::config::discover::Surroundings;
use stacktop::config::secret::Secret;
use stacktop::config::target::{Connect, PostgresConnect};
use stacktop::config::url;
use stacktop::core::part::Part;
use stacktop::core::postgres::{Look, SqlTable};
use stacktop::core::time::{Clock, Now};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tokio_postgres::Client;

fn watch(url: &str) -> Watch {
    Watch::new(Connect::Postgres(url::postgres(url).expect("a URL")))
}

fn as_role(url: &str, role: &str) -> String {
    format!("postgres://{role}:{role}@{}", url.rsplit_once('@').expect("a user").1)
}

async fn run(client: &Client, steps: &[&str]) {
    for sql in steps {
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

/// Ends what a role has open, and takes it away with what it owns here.
async fn away(admin: &Client, role: &str) {
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'");
    admin.batch_execute(&end).await.expect("ended");
    tokio::time::sleep(Duration::from_millis(200)).await;
    admin.batch_execute(&format!("DROP ROLE {role}")).await.expect("dropped");
}

async fn topic(watch: &mut Watch, id: &str) -> SqlTable {
    match answer(watch, &Look::Topic(id.to_owned()), &[]).await {
        Part::Ready(table) => table,
        other => panic!("{id}: {other:?}"),
    }
}

/// The connection that was open already went on, new ones were refused, and the monitor said nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_anew_says_so_while_the_old_connection_lasts() {
    let test = "who_is_refused_anew_says_so_while_the_old_connection_lasts";
    let Some(url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let admin = client(&url).await;
    let role = "DROP ROLE IF EXISTS access_shut; CREATE ROLE access_shut LOGIN PASSWORD 'access_shut' IN ROLE pg_monitor";
    run(&admin, &[role]).await;
    let mut watch = watch(&as_role(&url, "access_shut"));
    watch.poll().await.expect("it is let in");
    run(&admin, &["ALTER ROLE access_shut NOLOGIN"]).await;
    // The open one is as good as before.
    watch.poll().await.expect("it stays");
    assert!(reading(&watch).sessions.ready().is_some());
    let Part::Unavailable(gap) = answer(&mut watch, &Look::Topic("tables".to_owned()), &[]).await else {
        panic!("nobody is let in anew");
    };
    assert!(gap.note.contains("is not permitted to log in"), "{gap:?}");
    // What is watched by itself is not watched any more, and line 2 says so.
    for _ in 0..100 {
        watch.poll().await.expect("it stays");
        if !watch.verdict().starts_with("OK") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!watch.verdict().starts_with("OK"), "{}", watch.verdict());
    run(&admin, &["ALTER ROLE access_shut LOGIN"]).await;
    drop(watch);
    away(&admin, "access_shut").await;
}

/// Passwords with blanks and signs that mean something in a URL were cut, or broke the connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_may_hold_anything() {
    let test = "a_password_may_hold_anything";
    let Some(url) = server(test, "STACKTOP_TEST_PG17_URL") else { return };
    let admin = client(&url).await;
    let place = url.rsplit_once('@').expect("a user").1;
    let port = place.split([':', '/']).nth(1).expect("a port");
    run(&admin, &["DROP ROLE IF EXISTS access_odd; CREATE ROLE access_odd LOGIN IN ROLE pg_monitor"]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let passfile = folder.path().join("pgpass");
    for password in [
        "a#b",
        "a{b}c",
        "with some blanks ",
        "100%",
        "50%20",
        "a:b:c",
        "a/b?c&d=e",
        "a@b@c",
        "it's",
        "\"so\"",
        "back\\slash",
        "=equal=",
        "[br]ack",
        "äöü€",
        "a+b",
        "$HOME `id`",
        "^|<>;,",
    ] {
        let quoted = password.replace('\'', "''");
        let sql = format!("SET standard_conforming_strings = on; ALTER ROLE access_odd PASSWORD '{quoted}'");
        run(&admin, &[&sql]).await;
        let encoded: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let escaped = password.replace('\\', "\\\\").replace('\'', "\\'");
        let line = password.replace('\\', "\\\\").replace(':', "\\:");
        std::fs::write(&passfile, format!("*:*:*:access_odd:{line}\n")).expect("written");
        std::fs::set_permissions(&passfile, std::fs::Permissions::from_mode(0o600)).expect("closed");
        let around = Surroundings::empty(folder.path());
        let read = |text: &str| {
            url::postgres_around(text, None, &around).unwrap_or_else(|error| panic!("{password}: {error}"))
        };
        let bare = read(&format!("postgres://access_odd@{place}"));
        let entry = ["127.0.0.1", port, "postgres", "access_odd"].map(str::to_owned);
        let words =
            format!("host=127.0.0.1 port={port} dbname=postgres user=access_odd password='{escaped}'");
        for (what, connect) in [
            ("in a URL", read(&format!("postgres://access_odd:{encoded}@{place}"))),
            ("as words", read(&words)),
            ("as a parameter", read(&format!("postgres://access_odd@{place}?password={encoded}"))),
            (
                "in a file",
                PostgresConnect { password: Some(Secret::Passfile(passfile.clone(), entry)), ..bare },
            ),
        ] {
            let mut watch = Watch::new(Connect::Postgres(connect));
            watch.poll().await.unwrap_or_else(|error| panic!("{password} {what}: {error:?}"));
        }
    }
    away(&admin, "access_odd").await;
}

/// The size of a database was not read because the role may not connect to it, although it may read every statistic; without that right
/// one such database took all sizes away.
#[tokio::test(flavor = "multi_thread")]
async fn sizes_are_read_by_whoever_may() {
    let test = "sizes_are_read_by_whoever_may";
    let Some(url) = server(test, "STACKTOP_TEST_PG16_URL") else { return };
    let admin = client(&url).await;
    run(
        &admin,
        &[
            "DROP DATABASE IF EXISTS access_closed",
            "CREATE DATABASE access_closed",
            "REVOKE CONNECT ON DATABASE access_closed FROM PUBLIC",
            "DROP ROLE IF EXISTS access_sees, access_blind",
            "CREATE ROLE access_sees LOGIN PASSWORD 'access_sees' IN ROLE pg_read_all_stats",
            "CREATE ROLE access_blind LOGIN PASSWORD 'access_blind'",
        ],
    )
    .await;
    for (role, sees) in [("access_sees", true), ("access_blind", false)] {
        let table = topic(&mut watch(&as_role(&url, role)), "sizes").await;
        let size =
            |database| cells(&table, database, "size_bytes").first().is_some_and(|cell| !cell.is_empty());
        assert!(size("postgres"), "{role}: {table:?}");
        assert_eq!(size("access_closed"), sees, "{role}: {table:?}");
    }
    run(&admin, &["DROP DATABASE access_closed WITH (FORCE)"]).await;
    away(&admin, "access_sees").await;
    away(&admin, "access_blind").await;
}

/// A view of the server leaves out what the role may not read: the collector succeeded with no row, which looked like no waste at all.
/// Of a table of which some columns may be read the estimate was wrong. A schema that is closed took everything away.
#[tokio::test(flavor = "multi_thread")]
async fn statistics_that_may_not_be_read_are_not_an_empty_list() {
    let test = "statistics_that_may_not_be_read_are_not_an_empty_list";
    for version in [13, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let admin = client(&url).await;
        run(
            &admin,
            &[
                "DROP DATABASE IF EXISTS access_stats WITH (FORCE)",
                "DROP ROLE IF EXISTS access_stats",
                "CREATE DATABASE access_stats",
                "CREATE ROLE access_stats LOGIN PASSWORD 'access_stats' IN ROLE pg_monitor",
            ],
        )
        .await;
        let there = format!("{}/access_stats", url.rsplit_once('/').expect("a database").0);
        let inside = client(&there).await;
        let table = "CREATE TABLE % (id int, body text); INSERT INTO % SELECT n, repeat('x', 300) FROM generate_series(1, 3000) n";
        for name in ["closed.secret", "public.part", "public.open", "public.guarded"] {
            run(&inside, &["CREATE SCHEMA IF NOT EXISTS closed", &table.replace('%', name)]).await;
        }
        run(
            &inside,
            &[
                "GRANT SELECT (id) ON public.part TO access_stats",
                "GRANT SELECT ON public.open, public.guarded TO access_stats",
                "ALTER TABLE public.guarded ENABLE ROW LEVEL SECURITY",
                "ANALYZE",
            ],
        )
        .await;
        let mut watch = watch(&as_role(&there, "access_stats"));
        let bloat = topic(&mut watch, "bloat").await;
        for (name, problem) in [
            ("closed.secret", "its statistics may not be read: GRANT SELECT ON it"),
            ("public.part", "its statistics may not be read: GRANT SELECT ON it"),
            ("public.open", ""),
            ("public.guarded", "row-level security hides its statistics"),
        ] {
            let said = cells(&bloat, name, "problem");
            let wasted = cells(&bloat, name, "estimated_waste_bytes");
            let known = wasted.first().is_some_and(|cell| !cell.is_empty());
            assert!(
                said.first().is_some_and(|said| said.starts_with(problem)),
                "{version} {name}: {bloat:?}"
            );
            assert_eq!(known, problem.is_empty(), "{version} {name}: {wasted:?}");
        }
        let largest = topic(&mut watch, "largest").await;
        assert!(!cells(&largest, "closed.secret", "table").is_empty(), "{version}: {largest:?}");
        drop((watch, inside));
        run(&admin, &["DROP DATABASE access_stats WITH (FORCE)"]).await;
        away(&admin, "access_stats").await;
    }
}

/// A sequence whose first number is large was said to be at its end; one whose numbers go down was not seen to be.
#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_is_measured_from_its_own_first_number() {
    let test = "a_sequence_is_measured_from_its_own_first_number";
    let Some(url) = server(test, "STACKTOP_TEST_PG15_URL") else { return };
    let admin = client(&url).await;
    run(
        &admin,
        &[
            "DROP SCHEMA IF EXISTS access_numbers CASCADE; CREATE SCHEMA access_numbers",
            "CREATE SEQUENCE access_numbers.high MINVALUE 111110000000000001 MAXVALUE 111119999999999999",
            "SELECT setval('access_numbers.high', 111110000000000124)",
            "CREATE SEQUENCE access_numbers.down INCREMENT -1 MINVALUE -1000 MAXVALUE -1",
            "SELECT setval('access_numbers.down', -990)",
        ],
    )
    .await;
    let table = topic(&mut watch(&url), "sequences").await;
    let used = |name| cells(&table, name, "used_ratio").first().and_then(|cell| cell.parse::<f64>().ok());
    assert_eq!(used("access_numbers.high"), Some(0.0), "{table:?}");
    assert_eq!(used("access_numbers.down"), Some(0.99), "{table:?}");
    run(&admin, &["DROP SCHEMA access_numbers CASCADE"]).await;
}

/// What was prepared before the extension was updated was refused for ever after.
#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_is_updated_under_way_is_read_on() {
    let test = "an_extension_that_is_updated_under_way_is_read_on";
    let Some(url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let admin = client(&url).await;
    run(&admin, &["DROP DATABASE IF EXISTS access_update WITH (FORCE)", "CREATE DATABASE access_update"])
        .await;
    let there = format!("{}/access_update", url.rsplit_once('/').expect("a database").0);
    let inside = client(&there).await;
    run(&inside, &["CREATE EXTENSION pg_stat_statements VERSION '1.7'"]).await;
    let mut watch = watch(&there);
    watch.poll().await.expect("a poll");
    assert_eq!(reading(&watch).statements.gap(), None);
    run(&inside, &["ALTER EXTENSION pg_stat_statements UPDATE"]).await;
    let began = watch.clock.now();
    let mut last = None;
    for later in [6, 12, 18] {
        let now = Now { mono: began.mono + Duration::from_secs(later), ..began };
        let read = watch.source.poll(now, &[]).await.expect("a poll");
        let stacktop::core::reading::Reading::Postgres(read) = read else { panic!("another kind") };
        last = Some(read.statements.gap().cloned());
    }
    assert_eq!(last, Some(None), "it is read by its new columns");
    drop((watch, inside));
    run(&admin, &["DROP DATABASE access_update WITH (FORCE)"]).await;
}
