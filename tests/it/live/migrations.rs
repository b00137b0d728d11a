//! A migration is seen on a real server by a role that may not read the table in which it is noted.

use super::looks::connect;
use super::{Watch, client, server};
use stacktop::config::target::Connect;
use stacktop::core::timeline::Kind;
use std::time::Duration;

fn told(watch: &Watch) -> Vec<String> {
    let events = watch.world.timeline.events().filter(|event| event.kind == Kind::Migrated);
    events.map(|event| event.words.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_told_when_its_tool_notes_it() {
    let test = "a_migration_is_told_when_its_tool_notes_it";
    for version in [13, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let admin = client(&url).await;
        let scene = "DROP DATABASE IF EXISTS migrated WITH (FORCE)";
        admin.batch_execute(scene).await.expect("none");
        admin.batch_execute("CREATE DATABASE migrated").await.expect("a database");
        let exists = "SELECT 1 FROM pg_roles WHERE rolname = 'migration_watch'";
        if admin.query(exists, &[]).await.expect("an answer").is_empty() {
            let role = "CREATE ROLE migration_watch LOGIN PASSWORD 'secret' IN ROLE pg_monitor";
            admin.batch_execute(role).await.expect("a role");
        }
        let (place, _) = url.rsplit_once('/').expect("a database");
        let own = client(&format!("{place}/migrated")).await;
        let table = "CREATE TABLE _prisma_migrations (id text, finished_at timestamptz); \
             INSERT INTO _prisma_migrations VALUES ('first', now())";
        own.batch_execute(table).await.expect("a table");
        let (_, host) = place.rsplit_once('@').expect("a host");
        let watcher = connect(&format!("postgres://migration_watch:secret@{host}/migrated"));
        let mut watch = Watch::new(Connect::Postgres(watcher));
        // What was noted before is none that happens now: the count may be told a moment late.
        for _ in 0..8 {
            watch.poll().await.expect("a poll");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let before = told(&watch).len();
        own.batch_execute("INSERT INTO _prisma_migrations VALUES ('second', now())").await.expect("a row");
        for _ in 0..300 {
            watch.poll().await.expect("a poll");
            if told(&watch).len() > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let all = told(&watch);
        assert_eq!(all.len(), before + 1, "{version}: {all:?}");
        assert_eq!(all[0], "a migration was noted in public._prisma_migrations");
        drop((watch, own));
        admin.batch_execute("DROP DATABASE migrated WITH (FORCE)").await.expect("dropped");
    }
}
