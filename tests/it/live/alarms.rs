//! Faults that last, made on real servers: each is told for as long as it lasts, with one beginning, and not a moment longer.

use super::{Watch, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::alert::Finding;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls};

fn watch(url: &str) -> Watch {
    Watch::new(Connect::Postgres(url::postgres(url).expect("a URL")))
}

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("connected");
    tokio::spawn(connection);
    client
}

/// What fires of `rule`.
fn firing<'a>(watch: &'a Watch, rule: &str) -> Vec<&'a Finding> {
    let mut firing = watch.world.alerts.firing();
    firing.retain(|finding| finding.signal.rule == rule);
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
