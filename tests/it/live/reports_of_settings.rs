//! What users of other monitors have reported about rights, settings of a role and servers that were hardened, tried on real servers.

use super::{Watch, client, reading, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::part::Gap;
use std::time::Duration;

fn watch(url: &str) -> Watch {
    Watch::new(Connect::Postgres(url::postgres(url).expect("a URL")))
}

/// The same server as another role, whose password is its name.
fn as_role(url: &str, role: &str) -> String {
    format!("postgres://{role}:{role}@{}", url.rsplit_once('@').expect("a user").1)
}

/// A role of that name with these settings, and what grants it.
async fn role(url: &str, name: &str, more: &[&str]) -> tokio_postgres::Client {
    let admin = client(url).await;
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'");
    admin.batch_execute(&end).await.expect("ended");
    let make = format!("DROP ROLE IF EXISTS {name}; CREATE ROLE {name} LOGIN PASSWORD '{name}'");
    admin.batch_execute(&make).await.expect("a role");
    for sql in more {
        admin.batch_execute(&sql.replace('@', name)).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    admin
}

async fn away(admin: &tokio_postgres::Client, name: &str) {
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'");
    admin.batch_execute(&end).await.expect("ended");
    tokio::time::sleep(Duration::from_millis(200)).await;
    admin.batch_execute(&format!("DROP ROLE {name}")).await.expect("dropped");
}

/// What each part could not be read for.
fn gaps(watch: &Watch) -> Vec<(&'static str, &Gap)> {
    let read = reading(watch);
    let parts = [
        ("sessions", read.sessions.gap()),
        ("locks", read.locks.gap()),
        ("health", read.health.gap()),
        ("slots", read.slots.gap()),
        ("replication slots", read.replication_slots.gap()),
        ("senders", read.senders.gap()),
        ("statements", read.statements.gap()),
        ("standby", read.standby.gap()),
    ];
    parts.into_iter().filter_map(|(name, gap)| Some((name, gap?))).collect()
}

/// A role that is granted pg_monitor and does not inherit saw one session of hundreds, and was told to be granted pg_monitor.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_not_inherited_is_none_and_the_words_say_what_gives_it() {
    let test = "a_right_that_is_not_inherited_is_none_and_the_words_say_what_gives_it";
    for version in [13, 15, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let name = "reports_noinherit";
        let admin = role(&url, name, &["ALTER ROLE @ NOINHERIT", "GRANT pg_monitor TO @"]).await;
        let mut watch = watch(&as_role(&url, name));
        watch.poll().await.expect("a poll");
        assert!(!reading(&watch).server.reads_all_stats, "{version}");
        let verdict = watch.verdict();
        assert!(!verdict.starts_with("OK"), "{version}: {verdict}");
        // What is advised is done word for word, and then it is read.
        let words = verdict.split_once("without ").expect("what is missing").1;
        let words = words.split([':', ';', ',', '(']).next().expect("words").trim();
        admin.batch_execute(words).await.unwrap_or_else(|error| panic!("{words}: {error:?}"));
        drop(watch);
        let mut watch = self::watch(&as_role(&url, name));
        watch.poll().await.expect("a poll");
        assert!(reading(&watch).server.reads_all_stats, "{version}: {words}");
        drop(watch);
        away(&admin, name).await;
    }
}

/// Settings of a role or a database changed what a monitor read, or ended its session between two looks.
#[tokio::test(flavor = "multi_thread")]
async fn no_setting_of_a_role_changes_what_is_read() {
    let test = "no_setting_of_a_role_changes_what_is_read";
    for version in [13, 17, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let name = "reports_settings";
        let admin = role(&url, name, &["GRANT pg_monitor TO @"]).await;
        let mut settings = vec![
            "DateStyle = 'German, DMY'",
            "IntervalStyle = 'sql_standard'",
            "TimeZone = 'Asia/Kathmandu'",
            "bytea_output = 'escape'",
            "extra_float_digits = -15",
            "standard_conforming_strings = off",
            "client_encoding = 'LATIN1'",
            "default_transaction_isolation = 'serializable'",
            "default_transaction_read_only = on",
            "default_transaction_deferrable = on",
            "statement_timeout = '1ms'",
            "lock_timeout = '1ms'",
            "idle_in_transaction_session_timeout = '1ms'",
            "row_security = off",
            "enable_hashjoin = off",
            "array_nulls = off",
            "quote_all_identifiers = on",
            "transform_null_equals = on",
            "search_path = 'nowhere'",
            "client_min_messages = 'debug5'",
            "jit_above_cost = 0",
            "plan_cache_mode = 'force_generic_plan'",
            "application_name = 'somebody else'",
            "max_parallel_workers_per_gather = 0",
        ];
        if version >= 14 {
            settings.push("idle_session_timeout = '200ms'");
        }
        if version >= 17 {
            settings.push("transaction_timeout = '10ms'");
        }
        let mut wrong = Vec::new();
        for setting in settings {
            admin
                .batch_execute(&format!("ALTER ROLE {name} RESET ALL; ALTER ROLE {name} SET {setting}"))
                .await
                .expect("set");
            let mut watch = watch(&as_role(&url, name));
            for _ in 0..2 {
                if let Err(error) = watch.poll().await {
                    wrong.push(format!("{version} {setting}: {error:?}"));
                    break;
                }
                for (part, gap) in gaps(&watch) {
                    wrong.push(format!("{version} {setting}: {part}: {gap:?}"));
                }
                let read = reading(&watch);
                if let Some(clock) = read.clock.filter(|clock| clock.abs() > 2.0) {
                    wrong.push(format!("{version} {setting}: its clock is {clock} s off"));
                }
                let own = read.sessions.ready().into_iter().flatten().filter(|session| session.user == name);
                if own.clone().any(|session| session.application != "stacktop") {
                    wrong.push(format!(
                        "{version} {setting}: our own session is another's: {:?}",
                        own.collect::<Vec<_>>()
                    ));
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
        away(&admin, name).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// A role with a limit of connections: the one that there is does the looking, and what needs another one says why it has none.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_one_connection_is_enough_to_look() {
    let test = "a_role_with_one_connection_is_enough_to_look";
    let Some(url) = server(test, "STACKTOP_TEST_PG17_URL") else { return };
    let name = "reports_single";
    let admin = role(&url, name, &["GRANT pg_monitor TO @", "ALTER ROLE @ CONNECTION LIMIT 1"]).await;
    let mut watch = watch(&as_role(&url, name));
    for _ in 0..4 {
        watch.poll().await.expect("a poll");
        assert!(gaps(&watch).is_empty(), "{:?}", gaps(&watch));
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    // What needs another one is not watched, and that is said with why.
    let verdict = watch.verdict();
    let said = verdict.contains("too many connections for role") && verdict.contains("nobody watches");
    assert!(verdict.starts_with("OK") || said, "{verdict}");
    drop(watch);
    // The place is somebody else's: that is said with its remedy, and is over when it is free.
    let holder = client(&as_role(&url, name)).await;
    let mut watch = self::watch(&as_role(&url, name));
    let error = watch.poll().await.expect_err("there is no place");
    let told = format!("{} {}", error.message, error.remedy.as_deref().unwrap_or_default());
    assert!(told.contains("too many connections for role") || told.contains("CONNECTION LIMIT"), "{told}");
    drop(holder);
    tokio::time::sleep(Duration::from_millis(500)).await;
    watch.poll().await.expect("there is one");
    drop(watch);
    away(&admin, name).await;
}

/// Words of a GRANT for a role whose name must be quoted were no statement.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_for_an_odd_role_is_a_statement_that_runs() {
    let test = "a_grant_for_an_odd_role_is_a_statement_that_runs";
    let Some(url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let admin = client(&url).await;
    for (name, encoded) in [("Mon-itor", "Mon-itor"), ("o\"dd; --", "o%22dd%3B%20--"), ("user", "user")] {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        admin.batch_execute(&format!("DROP ROLE IF EXISTS {quoted}")).await.expect("none");
        admin.batch_execute(&format!("CREATE ROLE {quoted} LOGIN PASSWORD 'odd'")).await.expect("a role");
        let place = url.rsplit_once('@').expect("a user").1;
        let theirs = format!("postgres://{encoded}:odd@{place}");
        let mut watch = watch(&theirs);
        watch.poll().await.expect("a poll");
        let verdict = watch.verdict();
        let words = verdict.split_once("without ").expect("what is missing").1;
        let end = words
            .find(&quoted)
            .map_or_else(|| words.find([':', ',', '(']).unwrap_or(words.len()), |at| at + quoted.len());
        admin
            .batch_execute(&words[..end])
            .await
            .unwrap_or_else(|error| panic!("{}: {error:?}", &words[..end]));
        drop(watch);
        let mut watch = self::watch(&theirs);
        watch.poll().await.expect("a poll");
        assert!(reading(&watch).server.reads_all_stats, "{name}: {words}");
        drop(watch);
        tokio::time::sleep(Duration::from_millis(200)).await;
        admin.batch_execute(&format!("DROP ROLE {quoted}")).await.expect("dropped");
    }
}

/// Servers that were hardened take functions and views from PUBLIC; monitors ended with the first refusal.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_or_view_that_was_taken_away_costs_its_own_part_only() {
    let test = "a_function_or_view_that_was_taken_away_costs_its_own_part_only";
    let Some(url) = server(test, "STACKTOP_TEST_PG16_URL") else { return };
    let admin = client(&url).await;
    admin.batch_execute("DROP DATABASE IF EXISTS reports_hard WITH (FORCE)").await.expect("none");
    admin.batch_execute("CREATE DATABASE reports_hard").await.expect("a database");
    let name = "reports_hardened";
    drop(role(&url, name, &["GRANT pg_monitor TO @"]).await);
    let there = format!("{}/reports_hard", url.rsplit_once('/').expect("a database").0);
    let inside = client(&there).await;
    let mut wrong = Vec::new();
    for what in [
        "FUNCTION pg_blocking_pids(int)",
        "FUNCTION pg_current_wal_lsn()",
        "FUNCTION pg_is_in_recovery()",
        "FUNCTION pg_last_wal_receive_lsn()",
        "FUNCTION pg_postmaster_start_time()",
        "FUNCTION pg_conf_load_time()",
        "FUNCTION pg_database_size(oid)",
        "FUNCTION pg_prepared_xact()",
        "FUNCTION pg_get_replication_slots()",
        "FUNCTION pg_control_checkpoint()",
        "FUNCTION pg_control_system()",
        "FUNCTION version()",
        "FUNCTION inet_server_addr()",
        "FUNCTION pg_stat_get_wal_senders()",
        "FUNCTION pg_lock_status()",
        "FUNCTION pg_stat_get_archiver()",
        "TABLE pg_catalog.pg_settings",
        "TABLE pg_catalog.pg_locks",
        "TABLE pg_catalog.pg_prepared_xacts",
        "TABLE pg_catalog.pg_replication_slots",
        "TABLE pg_catalog.pg_stat_replication",
        "TABLE pg_catalog.pg_stat_database",
        "TABLE pg_catalog.pg_database",
        "TABLE pg_catalog.pg_roles",
        "TABLE pg_catalog.pg_stat_activity",
        "TABLE pg_catalog.pg_stat_archiver",
        "TABLE pg_catalog.pg_stat_bgwriter",
        "TABLE pg_catalog.pg_extension",
        "TABLE pg_catalog.pg_namespace",
    ] {
        let right = if what.starts_with("TABLE") { "SELECT" } else { "EXECUTE" };
        inside
            .batch_execute(&format!("REVOKE {right} ON {what} FROM PUBLIC, pg_monitor"))
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        let mut watch = watch(&as_role(&there, name));
        let polled = match watch.poll().await {
            Ok(()) => watch.poll().await,
            Err(error) => Err(error),
        };
        if let Err(error) = polled {
            // Without it nothing can be told of the server: then the words that give it back do.
            let words = error.remedy.clone().unwrap_or_default();
            inside.batch_execute(&words).await.unwrap_or_else(|why| panic!("{what}: {error:?}: {why}"));
            if words.is_empty() || watch.poll().await.is_err() {
                wrong.push(format!("{what}: {error:?}"));
            }
            inside.batch_execute(&format!("REVOKE {right} ON {what} FROM {name}")).await.expect("taken");
        } else {
            let unread = gaps(&watch);
            let lies = |gap: &Gap| gap.note.contains("permission denied for") && !gap.note.contains(" ON ");
            if unread.len() > 2 || unread.iter().any(|(_, gap)| lies(gap)) {
                wrong.push(format!("{what}: {unread:?}"));
            }
        }
        drop(watch);
        inside.batch_execute(&format!("GRANT {right} ON {what} TO PUBLIC")).await.expect("given back");
    }
    drop(inside);
    admin.batch_execute("DROP DATABASE reports_hard WITH (FORCE)").await.expect("dropped");
    away(&admin, name).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Sessions of which the server tracks nothing were counted as idle.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_tracked_is_not_idle() {
    let test = "a_session_that_is_not_tracked_is_not_idle";
    let Some(url) = server(test, "STACKTOP_TEST_PG17_URL") else { return };
    let name = "reports_untracked";
    let admin = role(&url, name, &["ALTER ROLE @ SET track_activities = off"]).await;
    let other = client(&as_role(&url, name)).await;
    let runs = tokio::spawn(async move { other.batch_execute("SELECT pg_sleep(3)").await.is_ok() });
    let mut watch = watch(&url);
    tokio::time::sleep(Duration::from_millis(500)).await;
    watch.poll().await.expect("a poll");
    let sessions = reading(&watch).sessions.ready().expect("sessions");
    let its = sessions.iter().find(|session| session.user == name).expect("its session");
    assert!(!its.state.words().contains("idle"), "{its:?}");
    assert!(runs.await.expect("no panic"));
    away(&admin, name).await;
}

/// A database could not be dropped because a monitor had looked into it.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_looked_into_can_be_dropped() {
    let test = "a_database_that_was_looked_into_can_be_dropped";
    let Some(url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let admin = client(&url).await;
    admin.batch_execute("DROP DATABASE IF EXISTS reports_gone WITH (FORCE)").await.expect("none");
    admin.batch_execute("CREATE DATABASE reports_gone").await.expect("a database");
    let there = format!("{}/reports_gone", url.rsplit_once('/').expect("a database").0);
    let other = client(&there).await;
    other.batch_execute("CREATE TABLE looked (id int); BEGIN; LOCK TABLE looked").await.expect("a lock");
    let mut watch = watch(&url);
    for _ in 0..3 {
        watch.poll().await.expect("a poll");
        tokio::time::sleep(super::RATES).await;
    }
    drop(other);
    tokio::time::sleep(Duration::from_millis(500)).await;
    watch.poll().await.expect("a poll");
    let mut dropped = admin.batch_execute("DROP DATABASE reports_gone").await;
    for _ in 0..20 {
        if dropped.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        dropped = admin.batch_execute("DROP DATABASE reports_gone").await;
    }
    dropped.expect("nobody of ours is in it");
}

/// The extension lies in a schema of its own, as hosted servers have it.
#[tokio::test(flavor = "multi_thread")]
async fn statements_are_read_wherever_their_extension_lies() {
    let test = "statements_are_read_wherever_their_extension_lies";
    let Some(url) = server(test, "STACKTOP_TEST_PG18_URL") else { return };
    let admin = client(&url).await;
    admin.batch_execute("DROP DATABASE IF EXISTS reports_schema WITH (FORCE)").await.expect("none");
    admin.batch_execute("CREATE DATABASE reports_schema").await.expect("a database");
    let there = format!("{}/reports_schema", url.rsplit_once('/').expect("a database").0);
    let inside = client(&there).await;
    let make = "CREATE SCHEMA \"Exten sions\"; CREATE EXTENSION pg_stat_statements SCHEMA \"Exten sions\"";
    inside.batch_execute(make).await.expect("the extension");
    let mut watch = watch(&there);
    for _ in 0..3 {
        watch.poll().await.expect("a poll");
        tokio::time::sleep(super::RATES).await;
    }
    assert!(reading(&watch).statements.gap().is_none(), "{:?}", reading(&watch).statements.gap());
    drop((watch, inside));
    admin.batch_execute("DROP DATABASE reports_schema WITH (FORCE)").await.expect("dropped");
}
