//! The tests of the rules about what is looked at now and then.

use super::*;
use crate::core::alert::{Rulebook, judge};
use crate::core::part::{Part, Warm};
use crate::core::postgres::{SqlTable, Watched};
use crate::core::time::Now;
use crate::core::world::all_rules;
use std::time::Duration;

/// What is told twelve minutes after a look at `topic` found this row.
fn told(topic: &str, columns: &str, rows: &[&str]) -> Vec<(&'static str, Severity, String)> {
    told_by(&Rulebook::defaults(&all_rules()), topic, columns, rows)
}

fn told_by(
    rules: &Rulebook,
    topic: &str,
    columns: &str,
    rows: &[&str],
) -> Vec<(&'static str, Severity, String)> {
    let split = |text: &str| text.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let table = SqlTable {
        at: Now::example(0),
        took: Duration::ZERO,
        place: String::new(),
        columns: split(columns),
        rows: rows.iter().map(|row| split(row).into_iter().map(Some).collect()).collect(),
        truncated: false,
    };
    let watched = Watched { topic: topic.to_owned(), table: Part::Ready(Warm::new(table.at, table)) };
    let now = Now::example(720);
    let mut state = PostgresState::default();
    state.absorb(PostgresReading { watched: vec![watched], ..PostgresReading::default() }, now);
    let told = judge(&state, &TargetId::new("pg"), rules, now);
    told.into_iter().map(|breach| (breach.rule.as_str(), breach.severity, breach.sentence)).collect()
}

#[track_caller]
fn check((topic, columns): (&str, &str), rows: &[&str], expected: &[(&str, Severity, &str)]) {
    let told = told(topic, columns, rows);
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for ((rule, severity, sentence), (wanted, how, words)) in told.iter().zip(expected) {
        assert_eq!((rule, severity), (wanted, how), "{sentence}");
        assert!(sentence.contains(words) && sentence.ends_with("; last looked 12 min ago"), "{sentence}");
    }
}

use Severity::{Critical, Info, Warning};

#[test]
fn how_long_partitions_are_kept_is_judged_where_a_team_says_how_long() {
    let topic = ("partitions", "parent|oldest_ended_seconds|problem");
    let rule = "postgres.partition_retention";
    let kept =
        |seconds: &str, rules: &Rulebook| told_by(rules, topic.0, topic.1, &[&format!("s.log|{seconds}|")]);
    let mut rules = Rulebook::defaults(&all_rules());
    assert_eq!(kept("9000000", &rules), []);
    let own =
        crate::core::alert::RuleSetting { warning: Some(864_000.0), ..rules.get(PARTITION_RETENTION.id()) };
    assert!(rules.set_on(rule, "s.log", own.clone()) && rules.set_on(rule, "s.other", own));
    assert_eq!(kept("", &rules), []);
    assert_eq!(kept("800000", &rules), []);
    let told = kept("950400", &rules);
    assert_eq!((told[0].0, told[0].1), (rule, Warning));
    assert!(told[0].2.starts_with("table s.log: its oldest partition ended 11 days ago"), "{told:?}");
}

#[test]
fn an_invalid_index_is_told_and_one_that_is_not_used_is_not() {
    let topic = ("indexes", "index|table|problem");
    let left = "invalid: what a failed CREATE or REINDEX CONCURRENTLY left; it costs writes";
    let row = format!("s.i|s.t|{left}");
    check(topic, &[&row], &[("postgres.index_invalid", Warning, "index s.i of s.t is invalid")]);
    check(topic, &["s.i|s.t|duplicate of j", "s.k|s.t|is being built", "s.l|s.t|no scan here"], &[]);
}

#[test]
fn a_missing_partition_is_critical_only_where_rows_are_refused_now() {
    let topic = ("partitions", "parent|key|rows_in_default|covered_until|uncovered_seconds|problem");
    let missing = "postgres.partition_missing";
    let fails = "the current period has no partition: its inserts fail";
    let rests = "the current period has no partition: its rows go to the default";
    let next = "the next period has no partition: its inserts will fail";
    let row = |rest: &str, since: &str, problem: &str| {
        format!("s.log|range of at|{rest}|2026-11-01|{since}|{problem}")
    };
    check(topic, &[&row("", "60", fails)], &[(missing, Critical, "(covered until 2026-11-01)")]);
    check(topic, &[&row("", "9000000", fails)], &[(missing, Info, "no partition")]);
    check(topic, &[&row("", "", next)], &[(missing, Warning, "the next period")]);
    check(
        topic,
        &[&row("7", "60", rests)],
        &[
            (missing, Warning, "go to the default"),
            ("postgres.partition_default_filling", Warning, "about 7 rows"),
        ],
    );
    check(topic, &["s.l|list of name|7|||rows are in the default partition"], &[]);
    check(topic, &["s.e|range of at||||no partition: every insert fails"], &[]);
}

#[test]
fn a_table_without_row_security_is_a_hole_where_others_have_it() {
    let topic = ("isolation", "table|rls|problem");
    let hole = ("postgres.rls_hole", Warning, "s.a of 2 tenant tables has no row-level security");
    check(topic, &["s.a|f|row-level security is off", "s.b|t|"], &[hole]);
    check(topic, &["s.a|f|row-level security is off", "s.c|f|row-level security is off"], &[]);
}

#[test]
fn vacuum_sequences_and_roles_are_told_by_their_numbers() {
    let tables = ("tables", "table|dead|of_due_point|vacuum");
    let overdue = "overdue: every autovacuum worker is busy";
    let late = ("postgres.table_overdue", Warning, "s.t has 20000 dead rows, 3.0 times");
    check(tables, &[&format!("s.t|20000|3.0|{overdue}")], &[late]);
    check(tables, &[&format!("s.t|900|3.0|{overdue}"), &format!("s.u|20000|1.5|{overdue}")], &[]);
    let sequences = ("sequences", "sequence|numbers_left|used_ratio|problem");
    let rule = "postgres.sequence";
    check(sequences, &["s.q|10|0.79|"], &[]);
    check(sequences, &["s.q|10|0.8|"], &[(rule, Warning, "has used 80 % of its numbers, 10 numbers left")]);
    check(sequences, &["s.q|0|1.0|at its end"], &[(rule, Critical, "the next insert is refused")]);
    check(
        sequences,
        &["s.q|||its value may not be read: GRANT"],
        &[(rule, Info, "1 sequence cannot be read")],
    );
    let roles = ("roles", "role|sessions|problem");
    let voids = ("postgres.role_bypassrls", Warning, "role app (3 sessions here) has BYPASSRLS");
    check(roles, &["app|3|has BYPASSRLS: its sessions see the rows of every tenant", "dba|0|"], &[voids]);
}

#[test]
fn a_failed_migration_is_told_and_a_table_that_may_not_be_read_is_said() {
    let topic = ("migrations", "tool|table|migration|applied_seconds|written|problem");
    let rule = "postgres.migration_failed";
    check(topic, &["Prisma|public._prisma_migrations|20260101_init|86400|2026-01-01 10:00:00Z|"], &[]);
    check(
        topic,
        &["golang-migrate|public.schema_migrations|7|||dirty: it ended half way"],
        &[(
            rule,
            Warning,
            "migration 7 (golang-migrate in public.schema_migrations): dirty: it ended half way",
        )],
    );
    check(
        topic,
        &["Knex|app.knex_migrations||||may not be read: GRANT SELECT ON app.knex_migrations TO stacktop"],
        &[(rule, Info, "1 table of migrations cannot be read")],
    );
}

/// A server with an invalid index: of this system of files and database, a standby or not.
fn server(system: &str, database: &str, in_recovery: bool) -> PostgresReading {
    let columns = ["index", "table", "problem"].map(str::to_owned).to_vec();
    let row = ["s.i", "s.t", "invalid: left"].map(|cell| Some(cell.to_owned())).to_vec();
    let table = SqlTable {
        at: Now::example(0),
        took: Duration::ZERO,
        place: String::new(),
        columns,
        rows: vec![row],
        truncated: false,
    };
    let watched =
        vec![Watched { topic: "indexes".to_owned(), table: Part::Ready(Warm::new(table.at, table)) }];
    let system = (!system.is_empty()).then(|| system.to_owned());
    let server = Server { system, database: database.to_owned(), in_recovery, ..Server::default() };
    PostgresReading { server, watched, ..PostgresReading::default() }
}

/// Whether what is found on `server` is told of a primary of system 7 in database shop, too.
#[track_caller]
fn check_doubled(server: &PostgresReading, expected: bool) {
    let (own, primary, copy) = (TargetId::new("own"), TargetId::new("primary"), server.server.in_recovery);
    let mut state = PostgresState::default();
    state.absorb(server.clone(), Now::example(0));
    let told = judge(&state, &own, &Rulebook::defaults(&all_rules()), Now::example(0));
    let sentence = &told[0].sentence;
    assert_eq!(sentence.contains("(seen on a standby, to be mended on its primary)"), copy, "{sentence}");
    let first = self::server("7", "shop", false);
    assert_eq!(doubled(&told[0], &[(&own, server), (&primary, &first)]), expected);
    assert!(!doubled(&told[0], &[(&own, server)]), "nobody else tells it");
}

#[test]
fn what_a_standby_has_from_its_primary_is_told_once() {
    check_doubled(&server("7", "shop", true), true);
    check_doubled(&server("7", "other", true), false);
    check_doubled(&server("8", "shop", true), false);
    check_doubled(&server("", "shop", true), false);
    check_doubled(&server("7", "shop", false), false);
}
