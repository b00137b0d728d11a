//! What users of other monitors of Postgres have reported, tried on real servers.

use super::{Watch, client, reading, server};
use stacktop::config::target::Connect;
use stacktop::config::url;

fn watch(url: &str) -> Watch {
    Watch::new(Connect::Postgres(url::postgres(url).expect("a URL")))
}

/// Functions that a server in recovery refuses: monitors failed on a standby as soon as it had a slot.
#[tokio::test(flavor = "multi_thread")]
async fn a_slot_on_a_standby_costs_nothing() {
    let test = "a_slot_on_a_standby_costs_nothing";
    let Some(standby) = server(test, "STACKTOP_TEST_PG_STANDBY_URL") else { return };
    let admin = client(&standby).await;
    let drop =
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'reports'";
    admin.batch_execute(drop).await.expect("no slot");
    admin.batch_execute("SELECT pg_create_physical_replication_slot('reports', true)").await.expect("a slot");
    let mut watch = watch(&standby);
    for _ in 0..3 {
        watch.poll().await.expect("a poll");
        tokio::time::sleep(super::RATES).await;
    }
    let read = reading(&watch);
    let archiver = read.health.ready().map(|health| health.archiver.clone());
    assert!(archiver.is_some_and(|archiver| archiver.gap().is_none()), "{:?}", read.health.gap());
    let gaps = [read.replication_slots.gap(), read.standby.gap(), read.senders.gap(), read.sessions.gap()];
    assert!(gaps.iter().all(Option::is_none), "{gaps:?}");
    let slots = read.replication_slots.ready().expect("slots");
    assert!(slots.iter().any(|slot| slot.name == "reports"), "{slots:?}");
    admin.batch_execute(drop).await.expect("dropped");
}

/// A server that was upgraded without ALTER EXTENSION … UPDATE has the columns of an older version.
#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_was_never_updated_is_read_by_its_own_columns() {
    let test = "an_extension_that_was_never_updated_is_read_by_its_own_columns";
    for variable in ["STACKTOP_TEST_PG16_URL", "STACKTOP_TEST_PG18_URL"] {
        let Some(url) = server(test, variable) else { return };
        let admin = client(&url).await;
        admin.batch_execute("DROP DATABASE IF EXISTS reports_old WITH (FORCE)").await.expect("none");
        admin.batch_execute("CREATE DATABASE reports_old").await.expect("a database");
        let place = url.rsplit_once('/').expect("a database").0;
        let old = format!("{place}/reports_old");
        let inside = client(&old).await;
        inside
            .batch_execute("CREATE EXTENSION pg_stat_statements VERSION '1.6'")
            .await
            .expect("an old version");
        let mut watch = watch(&old);
        for _ in 0..4 {
            watch.poll().await.expect("a poll");
            inside.batch_execute("SELECT count(*) FROM pg_class").await.expect("something to count");
            tokio::time::sleep(super::RATES).await;
        }
        let read = reading(&watch);
        eprintln!("{variable}: {:?}", read.statements.gap());
        assert!(
            read.statements
                .ready()
                .is_some_and(|all| all.rows.iter().any(|(_, counted)| counted.exec_ms > 0.0)),
            "{variable}: {:?}",
            read.statements.gap()
        );
        drop(watch);
        drop(inside);
        admin.batch_execute("DROP DATABASE reports_old WITH (FORCE)").await.expect("dropped");
    }
}

/// The same server as another role, whose password is its name.
fn as_role(url: &str, role: &str) -> String {
    format!("postgres://{role}:{role}@{}", url.rsplit_once('@').expect("a user").1)
}

/// A monitor that may not log in any more went on to say that the server is up.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_let_in_no_more_says_so() {
    let test = "who_is_let_in_no_more_says_so";
    let Some(url) = server(test, "STACKTOP_TEST_PG17_URL") else { return };
    let admin = client(&url).await;
    let role = "DROP ROLE IF EXISTS reports_out; CREATE ROLE reports_out LOGIN PASSWORD 'reports_out' IN ROLE pg_monitor";
    admin.batch_execute(role).await.expect("a role");
    let mut watch = watch(&as_role(&url, "reports_out"));
    watch.poll().await.expect("it is let in");
    admin.batch_execute("ALTER ROLE reports_out NOLOGIN").await.expect("shut out");
    admin
        .batch_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reports_out'")
        .await
        .expect("ended");
    let mut last = None;
    for _ in 0..20 {
        last = watch.poll().await.err();
        if last.as_ref().is_some_and(|error| error.message.contains("log in")) {
            break;
        }
        tokio::time::sleep(super::RATES).await;
    }
    let error = last.expect("it is not let in");
    assert!(error.message.contains("log in"), "{error:?}");
    assert!(watch.world.targets()[0].failure.is_some());
    admin.batch_execute("ALTER ROLE reports_out LOGIN").await.expect("let in");
    watch.poll().await.expect("it is let in again");
    drop(watch);
    admin
        .batch_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reports_out'")
        .await
        .expect("ended");
    admin.batch_execute("DROP ROLE reports_out").await.expect("dropped");
}

/// A session of the monitor that the server ended (a conflict with recovery) broke it until it was started anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_server_ends_is_begun_again() {
    let test = "a_session_that_the_server_ends_is_begun_again";
    let Some(url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let admin = client(&url).await;
    let role = "DROP ROLE IF EXISTS reports_ended; CREATE ROLE reports_ended LOGIN PASSWORD 'reports_ended' IN ROLE pg_monitor";
    admin.batch_execute(role).await.expect("a role");
    let mut watch = watch(&as_role(&url, "reports_ended"));
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'reports_ended'";
    for _ in 0..3 {
        watch.poll().await.expect("a poll");
        let ended: i64 = admin.query_one(end, &[]).await.expect("ended").get(0);
        assert!(ended > 0);
        let mut refused = 0;
        while let Err(error) = watch.poll().await {
            refused += 1;
            assert!(refused < 3, "{error:?}");
        }
        assert!(reading(&watch).sessions.gap().is_none(), "{:?}", reading(&watch).sessions.gap());
    }
    drop(watch);
    let _ = admin.query_one(end, &[]).await;
    admin.batch_execute("DROP ROLE reports_ended").await.expect("dropped");
}

/// A backslash in a statement took the whole list of sessions away.
#[tokio::test(flavor = "multi_thread")]
async fn a_backslash_in_a_statement_is_a_backslash() {
    let test = "a_backslash_in_a_statement_is_a_backslash";
    let Some(url) = server(test, "STACKTOP_TEST_PG15_URL") else { return };
    let other = client(&url).await;
    let sleeps = tokio::spawn(async move {
        let _ = other.batch_execute(r"SELECT '\It`s gona \x crash \377', pg_sleep(4)").await;
    });
    let mut watch = watch(&url);
    let mut found = false;
    for _ in 0..10 {
        watch.poll().await.expect("a poll");
        let sessions = reading(&watch).sessions.ready().expect("sessions");
        found |= sessions.iter().any(|session| session.query.contains(r"'\It`s gona \x crash \377'"));
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
    assert!(found);
    sleeps.await.expect("it ends");
}

/// Statements of others had no id for a role without rights, became one, and their numbers were mixed.
#[tokio::test(flavor = "multi_thread")]
async fn statements_that_may_not_be_read_are_not_mixed() {
    let test = "statements_that_may_not_be_read_are_not_mixed";
    let Some(url) = server(test, "STACKTOP_TEST_PG17_URL") else { return };
    let admin = client(&url).await;
    let role = "DROP ROLE IF EXISTS reports_plain; CREATE ROLE reports_plain LOGIN PASSWORD 'reports_plain'";
    admin.batch_execute(role).await.expect("a role");
    let mut watch = watch(&as_role(&url, "reports_plain"));
    for _ in 0..4 {
        watch.poll().await.expect("a poll");
        tokio::time::sleep(super::RATES).await;
    }
    if let Some(statements) = reading(&watch).statements.ready() {
        let keys: std::collections::HashSet<_> = statements.rows.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys.len(), statements.rows.len(), "no two rows of one key");
    }
    // Monitors left sessions behind, more with each refusal.
    let count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reports_plain'";
    let held: i64 = admin.query_one(count, &[]).await.expect("counted").get(0);
    assert!((1..=3).contains(&held), "{held} sessions");
    drop(watch);
    let mut left = held;
    for _ in 0..30 {
        left = admin.query_one(count, &[]).await.expect("counted").get(0);
        if left == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert_eq!(left, 0, "sessions are left behind");
    admin.batch_execute("DROP ROLE reports_plain").await.expect("dropped");
}

/// Names with quotes, spaces and signs of patterns broke statements that were put together from them.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_an_odd_name_is_read_whole() {
    let test = "a_database_of_an_odd_name_is_read_whole";
    let Some(url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let admin = client(&url).await;
    let name = r#""od""d 'name' \ %s {} -- 表""#;
    admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.expect("none");
    admin.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
    let place = url.rsplit_once('/').expect("a database").0;
    let encoded = "od%22d%20%27name%27%20%5C%20%25s%20%7B%7D%20--%20%E8%A1%A8";
    let mut watch = watch(&format!("{place}/{encoded}"));
    for _ in 0..3 {
        watch.poll().await.expect("a poll");
        tokio::time::sleep(super::RATES).await;
    }
    let read = reading(&watch);
    assert_eq!(read.server.database, r#"od"d 'name' \ %s {} -- 表"#);
    let gaps = [read.sessions.gap(), read.health.gap(), read.replication_slots.gap()];
    assert!(gaps.iter().all(Option::is_none), "{gaps:?}");
    drop(watch);
    admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.expect("dropped");
}
