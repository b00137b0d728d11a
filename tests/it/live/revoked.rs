//! Servers that were hardened: each function that a statement of ours calls is taken from everybody, one at a time. The target stays, its
//! sessions are there wherever they can be, and whatever is not known any more has a reason that names the function.

use super::shadow::{called, statements};
use super::{Watch, client, reading, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::part::{Gap, Part};
use stacktop::core::postgres::{Fact, PostgresReading};
use std::time::Duration;

/// Takes every function of the name `$1` from everybody, and from the roles that the server itself gives it to.
const TAKE: &str = "DO $take$ DECLARE it regprocedure; BEGIN \
     FOR it IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.proname = '@' LOOP \
     EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, pg_monitor, pg_read_all_stats, pg_read_all_settings', it); \
     END LOOP; END $take$";
/// As it was before.
const GIVE_BACK: &str = "UPDATE pg_proc p SET proacl = k.proacl FROM kept k WHERE k.oid = p.oid AND p.proacl IS DISTINCT FROM k.proacl";

/// Something that a reading tells: its name, whether it is known, and why it is not.
type Known<'a> = (&'static str, bool, Option<&'a Gap>);

fn of<'a, T>(name: &'static str, part: &'a Part<T>) -> Known<'a> {
    (name, part.ready().is_some(), part.gap())
}

/// Everything that a reading of a poll tells.
fn known(read: &PostgresReading) -> Vec<Known<'_>> {
    let fact = |name, known, fact| (name, known, read.server.untold(fact));
    let all = read.sessions.ready().map_or(&[][..], Vec::as_slice);
    let mut known = vec![
        of("sessions", &read.sessions),
        of("locks", &read.locks),
        of("databases", &read.databases),
        of("slots", &read.slots),
        of("senders", &read.senders),
        of("replication slots", &read.replication_slots),
        of("statements", &read.statements),
        of("health", &read.health),
        fact("version", read.server.version_num > 0, Fact::Start),
        fact("start", read.server.started_micros > 0, Fact::Start),
        fact("others", read.server.reads_all_stats, Fact::Rights),
        fact("recovery", read.server.untold(Fact::Recovery).is_none(), Fact::Recovery),
    ];
    // What is read of sessions, as long as there are any.
    if !all.is_empty() {
        known.push(fact("rows kept", all.iter().any(|session| session.xmin_age.is_some()), Fact::Sessions));
        known.push(fact("names", all.iter().any(|session| session.user == "postgres"), Fact::Sessions));
        known.push(fact(
            "texts",
            all.iter().any(|session| session.query.contains("TABLE goods")),
            Fact::Sessions,
        ));
        known.push(fact("ages", all.iter().any(|session| session.state_age.is_some()), Fact::Sessions));
    }
    if let Some(slot) = read.replication_slots.ready().and_then(|slots| slots.first()) {
        known.push(fact("position", slot.retained_bytes.is_some(), Fact::Position));
    }
    if let Some(health) = read.health.ready() {
        known.extend([
            of("archiver", &health.archiver),
            of("subscriptions", &health.subscriptions),
            of("vacuums", &health.vacuums),
            of("prepared", &health.prepared),
            of("spills", &health.spills),
            fact("checkpoints", health.checkpoints_timed.is_some(), Fact::Log),
            fact("limit of ids", health.freeze_max_age.is_some(), Fact::Log),
        ]);
        let position = read.server.untold(Fact::Position).or(read.server.untold(Fact::Log));
        known.push(("written", health.wal_position.is_some(), position));
    }
    known
}

/// A database and a role of the test's own, in which somebody waits for a lock and a slot keeps files.
async fn scene(url: &str, name: &str) -> String {
    let admin = client(url).await;
    for sql in [
        "DROP DATABASE IF EXISTS @ WITH (FORCE)",
        "DROP ROLE IF EXISTS @",
        "CREATE ROLE @ LOGIN PASSWORD '@' IN ROLE pg_monitor",
        "CREATE DATABASE @",
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '@'",
        "SELECT pg_create_physical_replication_slot('@', true)",
    ] {
        let sql = sql.replace('@', name);
        admin.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    let there = format!("{}/{name}", url.rsplit_once('/').expect("a database").0);
    let inside = client(&there).await;
    let sql = "CREATE EXTENSION pg_stat_statements; CREATE TABLE goods (id int); CREATE TABLE kept AS SELECT oid, proacl FROM pg_proc";
    inside.batch_execute(sql).await.expect("a scene");
    there
}

/// What is wrong where `function` was taken away, as sentences; `before` is what was known with it.
async fn without(function: &str, url: &str, before: &[&'static str]) -> Vec<String> {
    let mut watch = Watch::new(Connect::Postgres(url::postgres(url).expect("a URL")));
    for _ in 0..2 {
        if let Err(error) = watch.poll().await {
            return vec![format!("{function}: the target is lost: {}", error.message)];
        }
    }
    let names = |gap: &Gap| {
        gap.note.contains(&format!("permission denied for function {function};"))
            || gap.note.contains(&format!("permission denied for aggregate {function};"))
    };
    let lost = known(reading(&watch)).into_iter().filter(|(name, is, _)| !is && before.contains(name));
    let unsaid = lost.filter(|(_, _, gap)| !gap.is_some_and(names));
    unsaid.map(|(name, _, gap)| format!("{function}: {name} is not known, because {gap:?}")).collect()
}

async fn one_by_one(version: u32, url: &str) {
    let name = format!("revoked_{version}");
    let there = scene(url, &name).await;
    let inside = client(&there).await;
    let (holder, waiter) = (client(&there).await, client(&there).await);
    holder.batch_execute("BEGIN; LOCK TABLE goods").await.expect("locked");
    let waiting = tokio::spawn(async move { waiter.batch_execute("TABLE goods").await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let ours = format!("postgres://{name}:{name}@{}", there.rsplit_once('@').expect("a user").1);
    let mut watch = Watch::new(Connect::Postgres(url::postgres(&ours).expect("a URL")));
    watch.poll().await.expect("a poll");
    let all = known(reading(&watch));
    let before: Vec<&str> = all.iter().filter(|(_, is, _)| *is).map(|(name, ..)| *name).collect();
    let lacks: Vec<&Known<'_>> = all.iter().filter(|(_, is, _)| !is).collect();
    assert!(lacks.is_empty(), "{version}: {lacks:?}");
    let sql = "SELECT DISTINCT p.proname::text FROM pg_proc p WHERE p.proname = ANY ($1) ORDER BY 1";
    let functions = inside.query(sql, &[&called(&statements())]).await.expect("functions");
    let functions: Vec<String> = functions.iter().map(|row| row.get(0)).collect();
    assert!(functions.len() > 80, "{version}: {}", functions.len());
    let mut wrong = Vec::new();
    for function in &functions {
        inside
            .batch_execute(&TAKE.replace('@', function))
            .await
            .unwrap_or_else(|error| panic!("{function}: {error:?}"));
        wrong.extend(without(function, &ours, &before).await);
        inside.batch_execute(GIVE_BACK).await.expect("given back");
    }
    // With everything given back everything is known again.
    wrong.extend(without("none", &ours, &before).await);
    drop(watch);
    waiting.abort();
    drop((holder, inside));
    let admin = client(url).await;
    for sql in ["DROP DATABASE @ WITH (FORCE)", "SELECT pg_drop_replication_slot('@')", "DROP ROLE @"] {
        admin.batch_execute(&sql.replace('@', &name)).await.expect(sql);
    }
    assert!(wrong.is_empty(), "{version}, {} functions:\n{}", functions.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_was_taken_away_costs_what_it_tells_and_that_is_said() {
    let test = "a_function_that_was_taken_away_costs_what_it_tells_and_that_is_said";
    let _shared = super::CATALOGS.read().await;
    for version in [13, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        one_by_one(version, &url).await;
    }
}
