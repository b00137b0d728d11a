//! Somebody holds a lock on a system catalog: nobody can log in any more, and who watches already still sees who it is, and ends it.

use super::{Watch, client, reading, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::action::{Action, Confirmed, Verdict};
use stacktop::core::arming::Permit;
use stacktop::core::postgres::{BackendId, PgAction, PostgresReading, Promise};
use stacktop::core::time::{Clock, Now};
use std::time::Duration;
use tokio_postgres::Client;

async fn pid(client: &Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0)
}

/// Whether `waiter` is seen waiting behind `holder`, both with the names of their database.
fn sees(reading: &PostgresReading, waiter: i32, holder: i32) -> bool {
    let sessions = reading.sessions.ready().map_or(&[][..], Vec::as_slice);
    let named = |pid| sessions.iter().any(|session| session.id.pid == pid && session.database == "postgres");
    let locks = reading.locks.ready().map_or(&[][..], |locks| &locks.rows);
    let waits = locks.iter().find(|row| row.pid == Some(waiter) && !row.granted);
    let held =
        waits.is_some_and(|row| locks.iter().any(|other| other.pid == Some(holder) && other.tag == row.tag));
    named(waiter) && named(holder) && held
}

async fn locked(url: &str, version: u32, catalog: &str) {
    let (holder, waiter, culprit) = (client(url).await, client(url).await, client(url).await);
    holder.batch_execute("BEGIN; LOCK TABLE orders").await.expect("locked");
    let (holding, waiting, locking) = (pid(&holder).await, pid(&waiter).await, pid(&culprit).await);
    let blocked = tokio::spawn(async move { waiter.batch_execute("TABLE orders").await });
    let connect = url::postgres(url).expect("a URL");
    let mut watch = Watch::new(Connect::Postgres(connect.clone()));
    for _ in 0..100 {
        watch.poll().await.expect("a poll");
        if sees(reading(&watch), waiting, holding) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let gate = watch.gate();
    gate.prepare().await;
    culprit
        .batch_execute(&format!("BEGIN; LOCK TABLE {catalog} IN ACCESS EXCLUSIVE MODE"))
        .await
        .expect("locked");

    // Who watches goes on, also when rights and names are due to be read again.
    for later in [0, 61, 122] {
        let now = watch.clock.now();
        let now = Now { mono: now.mono + Duration::from_secs(later), ..now };
        let read = tokio::time::timeout(Duration::from_secs(4), watch.source.poll(now, &[])).await;
        let read = read.unwrap_or_else(|_| panic!("{version} {catalog}: no answer"));
        let stacktop::core::reading::Reading::Postgres(read) =
            read.unwrap_or_else(|error| panic!("{version} {catalog}: {error:?}"))
        else {
            panic!("another kind");
        };
        assert!(sees(&read, waiting, holding), "{version} {catalog}: {:?} {:?}", read.sessions, read.locks);
        assert!(read.server.superuser && read.server.version_num / 10_000 == version, "{:?}", read.server);
        if catalog == "pg_database" {
            let gap = read.databases.gap().expect("it cannot be read");
            assert!(gap.note.contains("somebody holds a lock"), "{version}: {}", gap.note);
        }
    }
    // Who comes now is let in by nobody, and is told what it may be.
    let mut fresh = Watch::new(Connect::Postgres(connect));
    let refused = fresh.poll().await.expect_err("nobody is let in");
    let told = format!("{} {}", refused.message, refused.remedy.unwrap_or_default());
    assert!(told.contains("lock on"), "{version} {catalog}: {told}");

    // The culprit is ended from here.
    let sessions = reading(&watch).sessions.ready().expect("sessions");
    let backend: BackendId =
        sessions.iter().find(|session| session.id.pid == locking).expect("it is seen").id;
    let target = watch.target.id.clone();
    let act = PgAction::Terminate { backend, promise: Promise::default() };
    let confirmed = Confirmed::by_a_person(Action::Postgres { target: target.clone(), act });
    let outcome = gate.perform(&gate.next_id(), &confirmed, &Permit { target, until: None }).await;
    assert_eq!(outcome.expect("an outcome").verdict, Verdict::Done, "{version} {catalog}");
    for _ in 0..100 {
        watch.poll().await.expect("a poll");
        let sessions = reading(&watch).sessions.ready().expect("sessions");
        if !sessions.iter().any(|session| session.id.pid == locking)
            && reading(&watch).databases.ready().is_some()
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(reading(&watch).databases.gap(), None, "{version} {catalog}");
    holder.batch_execute("ROLLBACK").await.expect("let go");
    blocked.await.expect("no panic").expect("it got its turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_catalog_does_not_freeze_who_watches_already() {
    for version in [13, 15, 18] {
        let test = "a_locked_catalog_does_not_freeze_who_watches_already";
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        for catalog in ["pg_class", "pg_authid", "pg_database"] {
            let _alone = super::CATALOGS.write().await;
            locked(&url, version, catalog).await;
        }
    }
}
