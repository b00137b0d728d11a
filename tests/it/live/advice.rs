//! Advice about tables, tried on real ones: what is said to be done without can be done without, and what is not covered is said to be so.

use super::client;
use super::looks::{answer, cells, connect};
use super::{Watch, server};
use stacktop::config::target::Connect;
use stacktop::core::part::Part;
use stacktop::core::postgres::{Look, SqlTable};

/// What `topic` finds in a database of its own on each of these versions, made by `scene`.
async fn found(test: &str, topic: &str, scene: &str) -> Vec<(u32, tokio_postgres::Client, SqlTable)> {
    let mut all = Vec::new();
    for version in [13, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let name = format!("advice_{topic}");
        let admin = client(&url).await;
        admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.expect("none");
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
        let (place, _) = url.rsplit_once('/').expect("a database");
        let url = format!("{place}/{name}");
        let own = client(&url).await;
        own.batch_execute(scene).await.expect("the scene");
        let mut watch = Watch::new(Connect::Postgres(connect(&url)));
        match answer(&mut watch, &Look::Topic(topic.to_owned()), &[]).await {
            Part::Ready(table) => all.push((version, own, table)),
            other => panic!("{version}: {other:?}"),
        }
    }
    all
}

#[track_caller]
fn check(table: &SqlTable, version: u32, name: &str, expected: &str) {
    let problem = cells(table, name, "problem").concat();
    let fits = if expected.is_empty() { problem.is_empty() } else { problem.starts_with(expected) };
    assert!(fits && !cells(table, name, "problem").is_empty(), "{version} {name}: {problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_index_is_blamed_that_something_needs() {
    let test = "no_index_is_blamed_that_something_needs";
    let scene = include_str!("../../stack/postgres/indexes.sql");
    for (version, own, table) in found(test, "indexes", scene).await {
        let unused = "no scan here since the counters began";
        for (name, expected) in [
            ("t_pkey_ccold", "invalid: "),
            ("t_pkey", ""),
            // A foreign key was made to point at it.
            ("t_old_unique", ""),
            ("t_old_plain", "duplicate of t_old_unique"),
            ("t_a", "its columns lead those of t_ab"),
            ("t_ab", unused),
            ("t_a_desc", unused),
            ("t_a_part", unused),
            ("t_a_part2", "duplicate of t_a_part"),
            ("t_c", unused),
            ("t_c_pattern", unused),
            ("t_cd", unused),
            ("t_lower", "its columns lead those of t_lower_d"),
            ("t_lower2", "duplicate of t_lower"),
            ("t_hash", unused),
            // Unique, and the longer one does not say so of its first column.
            ("t_ua", ""),
            ("t_uab", ""),
            ("r_first", "duplicate of r_ident"),
            ("r_ident", ""),
            ("inc_a", "duplicate of inc_a_b"),
            ("inc_a_b", unused),
            ("cl_a", "duplicate of cl_a2"),
            ("cl_a2", ""),
            ("uu_1", ""),
            ("uu_2", "duplicate of uu_1"),
            // The other one is checked at the end of a transaction only.
            ("de_1", ""),
            ("de_uq", ""),
            ("pt_b", ""),
            ("pt1_b_idx", ""),
            ("pt1_b_own", "duplicate of pt1_b_idx"),
        ] {
            check(&table, version, &format!("advice.{name}"), expected);
        }
        // All that is called a duplicate can go at once, and everything still holds.
        let gone = table.column("problem").filter(|(_, problem)| problem.starts_with("duplicate of"));
        let names: Vec<&str> = gone.filter_map(|(row, _)| table.rows[row][0].as_deref()).collect();
        own.batch_execute(&format!("DROP INDEX {}", names.join(", "))).await.expect("nothing needs them");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_partition_covers_is_told_and_what_one_covers_is_not() {
    let test = "what_no_partition_covers_is_told_and_what_one_covers_is_not";
    let scene = include_str!("../../stack/postgres/partitions.sql");
    for (version, _own, table) in found(test, "partitions", scene).await {
        let fails = "the current period has no partition: its inserts fail";
        for (name, expected) in [
            ("int_year", ""),
            ("int_year_old", fails),
            ("text_month", fails),
            ("open_end", ""),
            ("hole", fails),
            ("ended", "the current period has no partition: its rows go to the default"),
            ("days", ""),
            ("today", "the next period has no partition"),
            ("ids", ""),
            ("many", ""),
            ("region_first", ""),
            ("list_year", ""),
            ("list_old", fails),
            ("list_name", ""),
            ("hashed", "a remainder has no partition"),
            ("hash_full", ""),
            ("sub", ""),
            ("sub_old", ""),
            ("sub_now", fails),
            ("sub_far", ""),
            ("empty", "no partition: every insert fails"),
            ("expr", ""),
            ("odd_text", fails),
            ("inf", ""),
        ] {
            check(&table, version, &format!("parts.{name}"), expected);
        }
        // Twenty-three months without cover are that, and not no time at all.
        let months = |name: &str, column: &str| {
            let seconds = cells(&table, &format!("parts.{name}"), column).concat().parse::<f64>();
            seconds.map(|seconds| seconds / 2_629_800.0)
        };
        for name in ["hole", "ended"] {
            let bare = months(name, "uncovered_seconds").expect("a time");
            assert!((22.9..25.1).contains(&bare), "{version} {name}: {bare}");
            assert!(months(name, "covered_for_seconds").is_err(), "{version} {name}");
        }
        assert_eq!(cells(&table, "parts.open_end", "covered_until"), ["without end"], "{version}");
    }
}
