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
