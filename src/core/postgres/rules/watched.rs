//! The rules about what is looked at every quarter of an hour: indexes, partitions, tenants, vacuum, sequences, roles. Each sentence says when
//! that was: what was mended since is over at the next look (and at once when somebody opens the page of it).

use super::parts::{INDEXES, ISOLATION, Its, MIGRATIONS, PARTITIONS, ROLES, SEQUENCES, TABLES};
use crate::core::alert::RuleUnit::{Count, Ratio, Seconds, State};
use crate::core::alert::Triage::{Capacity, Errors};
use crate::core::alert::{Breach, Grade, Need, Rule, RuleId, RuleSpec, Severity};
use crate::core::ids::TargetId;
use crate::core::postgres::{Look, PgRow, PostgresReading, PostgresState, Server, migrations};
use crate::core::row::RowKey;
use crate::core::text::{ago, counted, tidy};

pub(crate) static INDEX_INVALID: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.index_invalid",
        "an index that a failed CREATE or REINDEX left: it costs writes and serves no search",
        State,
        Capacity,
    )
    .needs(&[INDEXES]),
    index_invalid,
);

pub(crate) static PARTITION_MISSING: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.partition_missing",
        "a partitioned table without a partition for this period (critical where inserts fail) or for the next",
        State,
        Errors,
    )
    .needs(&[PARTITIONS]),
    partition_missing,
);

pub(crate) static PARTITION_DEFAULT: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.partition_default_filling",
        "rows in the default partition of a table that is partitioned by range (an estimate)",
        Count,
        Capacity,
    )
    .warning(1.0)
    .needs(&[PARTITIONS]),
    partition_default,
);

pub(crate) static PARTITION_RETENTION: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.partition_retention",
        "how long ago the oldest partition of a table ended; nothing is told without a number, which can differ by table (`on`)",
        Seconds,
        Capacity,
    )
    .needs(&[PARTITIONS]),
    partition_retention,
);

pub(crate) static RLS_HOLE: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.rls_hole",
        "tables with the tenant column and no row-level security, where others have it",
        Count,
        Errors,
    )
    .warning(1.0)
    .needs(&[ISOLATION]),
    rls_hole,
);

pub(crate) static TABLE_OVERDUE: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.table_overdue",
        "dead rows of a table against the point where autovacuum starts (of at least 10 000), at two looks in a row",
        Count,
        Capacity,
    )
    .warning(2.0)
    .hold(960)
    .needs(&[TABLES]),
    table_overdue,
);

pub(crate) static SEQUENCE: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.sequence",
        "share of a sequence's numbers that is used; at its end the next one is refused",
        Ratio,
        Capacity,
    )
    .warning(0.8)
    .critical(1.0)
    .needs(&[SEQUENCES]),
    sequence,
);

pub(crate) static ROLE_BYPASSRLS: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.role_bypassrls",
        "sessions of a role for which no row security holds, in a database that relies on it",
        Count,
        Errors,
    )
    .warning(1.0)
    .needs(&[ROLES]),
    role_bypassrls,
);

pub(crate) static MIGRATION_FAILED: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.migration_failed",
        "a migration that its tool calls failed or half done: the next one is refused, and the schema may be half of it",
        State,
        Errors,
    )
    .needs(&[MIGRATIONS]),
    migration_failed,
);

/// Fewer dead rows than this are nobody's trouble.
const LEAST_DEAD: f64 = 10_000.0;
/// A table whose last period ended so long ago is not written to any more.
const RETIRED_SECONDS: f64 = 30.0 * 86_400.0;
/// At most so many of one kind are told one by one.
const MOST: usize = 20;
const MISSING: &str = "the current period has no partition";
const NEXT: &str = "the next period has no partition";

/// The rules about what a standby has from its primary.
const COPIED: [RuleId; 6] = [
    INDEX_INVALID.id(),
    PARTITION_MISSING.id(),
    PARTITION_DEFAULT.id(),
    PARTITION_RETENTION.id(),
    RLS_HOLE.id(),
    SEQUENCE.id(),
];

/// Whether that is found on a standby, and is told of its primary, too: the same database of the same system of files.
#[must_use]
pub fn doubled(breach: &Breach, servers: &[(&TargetId, &PostgresReading)]) -> bool {
    let of =
        |id: &TargetId| servers.iter().find(|(other, _)| *other == id).map(|(_, reading)| &reading.server);
    let Some(own) = of(&breach.target).filter(|own| own.in_recovery && own.system.is_some()) else {
        return false;
    };
    let same =
        |other: &Server| other.is_primary() && other.system == own.system && other.database == own.database;
    COPIED.contains(&breach.rule) && servers.iter().any(|(_, reading)| same(&reading.server))
}

/// One row of a topic: its cells by the names of their columns.
type Found = Vec<(String, String)>;

fn cell<'a>(found: &'a Found, name: &str) -> &'a str {
    found.iter().find(|(column, _)| column == name).map_or("", |(_, text)| text)
}

fn number(found: &Found, name: &str) -> Option<f64> {
    cell(found, name).parse().ok()
}

/// The rows that a watched topic found last.
fn rows(reading: &PostgresReading, topic: Need) -> Vec<Found> {
    let watched = reading.watched.iter().find(|watched| watched.topic == topic.0);
    let Some(table) = watched.and_then(|watched| watched.table.ready()) else { return Vec::new() };
    let row = |cells: &Vec<Option<String>>| {
        let named = table.columns.iter().zip(cells);
        named.map(|(column, text)| (column.clone(), text.clone().unwrap_or_default())).collect()
    };
    table.rows.iter().map(row).collect()
}

/// Tells it with the moment of the look, and where its table is.
fn tell<'a>(
    its: &'a mut Its<'_>,
    reading: &PostgresReading,
    topic: Need,
    grade: Grade,
    (subject, sentence): (&str, &str),
) -> &'a mut Breach {
    let watched = reading.watched.iter().find(|watched| watched.topic == topic.0);
    let read_at = watched.and_then(|watched| watched.table.read_at());
    let when = read_at.map_or(String::new(), |at| format!("; last looked {}", ago(its.now.since(at))));
    let copied = reading.server.in_recovery && COPIED.contains(&its.id());
    let copied = if copied { " (seen on a standby, to be mended on its primary)" } else { "" };
    let row = RowKey::Postgres(its.target.clone(), PgRow::Look(Look::Topic(topic.0.to_owned())));
    its.tell(grade, subject, format!("{sentence}{copied}{when}")).row(row)
}

fn index_invalid(its: &mut Its<'_>, reading: &PostgresReading) {
    let invalid = |found: &Found| cell(found, "problem").starts_with("invalid");
    for found in rows(reading, INDEXES).into_iter().filter(invalid).take(MOST) {
        let Some(grade) = its.state(Severity::Warning) else { return };
        let (index, table) = (tidy(cell(&found, "index"), 60), tidy(cell(&found, "table"), 60));
        let sentence = format!("index {index} of {table} is {}", tidy(cell(&found, "problem"), 100));
        let breach = tell(its, reading, INDEXES, grade, (&index, &sentence));
        breach.say("REINDEX INDEX CONCURRENTLY, or DROP INDEX CONCURRENTLY and make it anew");
    }
}

fn partition_missing(its: &mut Its<'_>, reading: &PostgresReading) {
    for found in rows(reading, PARTITIONS) {
        let problem = cell(&found, "problem");
        let retired = number(&found, "uncovered_seconds").is_some_and(|ago| ago > RETIRED_SECONDS);
        let severity = if problem.starts_with(MISSING) && problem.ends_with("fail") && !retired {
            Severity::Critical
        } else if problem.starts_with(MISSING) && retired {
            // Most likely nobody writes there any more; nobody can know.
            Severity::Info
        } else if [MISSING, NEXT, "a remainder"].iter().any(|start| problem.starts_with(start)) {
            Severity::Warning
        } else {
            continue;
        };
        let Some(grade) = its.state(severity) else { return };
        let (table, until) = (tidy(cell(&found, "parent"), 60), cell(&found, "covered_until"));
        let until =
            if until.is_empty() { String::new() } else { format!(" (covered until {})", tidy(until, 30)) };
        let sentence = format!("table {table}: {}{until}", tidy(problem, 100));
        let breach = tell(its, reading, PARTITIONS, grade, (&table, &sentence));
        breach.say("make the partition, and see why its job did not");
    }
}

fn partition_default(its: &mut Its<'_>, reading: &PostgresReading) {
    // In a list, "everything else" may be what the default is for.
    let by_range = |found: &Found| cell(found, "key").starts_with("range");
    for found in rows(reading, PARTITIONS).into_iter().filter(by_range).take(MOST) {
        let Some(inside) = number(&found, "rows_in_default") else { continue };
        let Some(grade) = its.grade(inside) else { continue };
        let table = tidy(cell(&found, "parent"), 60);
        let sentence =
            format!("table {table}: about {} in its default partition", counted(inside as usize, "row"));
        let breach = tell(its, reading, PARTITIONS, grade, (&format!("{table} default"), &sentence));
        breach.say("make their partitions: a new one is refused while its rows are in the default");
    }
}

/// How long rows are kept is the team's to say.
fn partition_retention(its: &mut Its<'_>, reading: &PostgresReading) {
    for found in rows(reading, PARTITIONS) {
        let (parent, ended) = (cell(&found, "parent"), number(&found, "oldest_ended_seconds"));
        let grade = ended.and_then(|ended| its.grade_of(&PARTITION_RETENTION, parent, ended));
        let Some((ended, grade)) = ended.zip(grade) else { continue };
        let table = tidy(parent, 60);
        let days = counted((ended / 86_400.0) as usize, "day");
        let sentence = format!(
            "table {table}: its oldest partition ended {days} ago, and is kept for longer than it should be"
        );
        let breach = tell(its, reading, PARTITIONS, grade, (&format!("{table} retention"), &sentence));
        breach.say("see why its job does not detach and drop what is old");
    }
}

fn rls_hole(its: &mut Its<'_>, reading: &PostgresReading) {
    let all = rows(reading, ISOLATION);
    // Where no table has it, tenants are kept apart by other means.
    if !all.iter().any(|found| cell(found, "rls") == "t") {
        return;
    }
    let open: Vec<&str> =
        all.iter().filter(|found| cell(found, "rls") == "f").map(|found| cell(found, "table")).collect();
    let Some((first, grade)) = open.first().zip(its.grade(open.len() as f64)) else { return };
    let more = if open.len() == 1 { String::new() } else { format!(" and {} more", open.len() - 1) };
    let sentence = format!(
        "{}{more} of {} has no row-level security",
        tidy(first, 60),
        counted(all.len(), "tenant table")
    );
    let breach = tell(its, reading, ISOLATION, grade, ("tenants", &sentence));
    breach.hits(open.len(), "table").say("ALTER TABLE … ENABLE ROW LEVEL SECURITY, and FORCE, with a policy");
}

fn table_overdue(its: &mut Its<'_>, reading: &PostgresReading) {
    let overdue = |found: &Found| {
        let many = number(found, "dead").is_some_and(|dead| dead >= LEAST_DEAD);
        cell(found, "vacuum").starts_with("overdue") && many
    };
    for found in rows(reading, TABLES).into_iter().filter(overdue).take(MOST) {
        let Some(times) = number(&found, "of_due_point") else { continue };
        let Some(grade) = its.grade(times) else { continue };
        let (table, why) = (tidy(cell(&found, "table"), 60), tidy(cell(&found, "vacuum"), 80));
        let dead = counted(number(&found, "dead").unwrap_or_default() as usize, "dead row");
        let sentence = format!("table {table} has {dead}, {times:.1} times what starts autovacuum ({why})");
        let breach = tell(its, reading, TABLES, grade, (&table, &sentence));
        breach.say("VACUUM it, and see what holds autovacuum back");
    }
}

fn sequence(its: &mut Its<'_>, reading: &PostgresReading) {
    let all = rows(reading, SEQUENCES);
    for found in all.iter().take(MOST) {
        let Some(used) = number(found, "used_ratio") else { continue };
        let Some(grade) = its.grade(used) else { continue };
        let name = tidy(cell(found, "sequence"), 60);
        let left = counted(number(found, "numbers_left").unwrap_or_default().max(0.0) as usize, "number");
        let sentence = if grade.severity == Severity::Critical {
            format!("sequence {name} is at its end: the next insert is refused")
        } else {
            format!("sequence {name} has used {:.0} % of its numbers, {left} left", used * 100.0)
        };
        let breach = tell(its, reading, SEQUENCES, grade, (&name, &sentence));
        breach.say("make its column bigint, and the sequence: ALTER SEQUENCE … AS bigint NO MAXVALUE");
    }
    let hidden =
        all.iter().filter(|found| cell(found, "problem").starts_with("its value may not be read")).count();
    let Some(grade) = its.state(Severity::Info).filter(|_| hidden > 0) else { return };
    let sentence =
        format!("{} cannot be read: nobody knows how near its end is", counted(hidden, "sequence"));
    let breach = tell(its, reading, SEQUENCES, grade, ("unread", &sentence));
    breach.say("GRANT pg_read_all_data (14 and later), or SELECT ON ALL SEQUENCES");
}

fn role_bypassrls(its: &mut Its<'_>, reading: &PostgresReading) {
    let problem = |found: &Found| !cell(found, "problem").is_empty();
    for found in rows(reading, ROLES).into_iter().filter(problem).take(MOST) {
        let sessions = number(&found, "sessions").unwrap_or_default();
        let Some(grade) = its.grade(sessions) else { continue };
        let role = tidy(cell(&found, "role"), 40);
        let count = counted(sessions as usize, "session");
        let sentence = format!("role {role} ({count} here) {}", tidy(cell(&found, "problem"), 90));
        let breach = tell(its, reading, ROLES, grade, (&role, &sentence));
        breach.hits(sessions as usize, "session").say("let the application log in as a role without it");
    }
}

fn migration_failed(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some((found, all)) = migrations(reading) else { return };
    for broken in all.iter().filter(|migration| migration.is_broken()).take(MOST) {
        let Some(grade) = its.state(Severity::Warning) else { return };
        let (name, table) = (tidy(broken.name, 80), tidy(broken.table, 60));
        let sentence = format!("migration {name} ({} in {table}): {}", broken.tool, tidy(broken.problem, 60));
        let since = broken.applied.map(|ago| its.now.since(found.read_at).saturating_add(ago));
        let subject = format!("{table} {name}");
        let breach = tell(its, reading, MIGRATIONS, grade, (&subject, &sentence));
        breach
            .since(since)
            .say("see its log, mend the schema, and let the tool mark it (resolve, repair, force)");
    }
    let unread: Vec<_> = all.iter().filter(|migration| migration.is_unread()).collect();
    let Some((first, grade)) = unread.first().zip(its.state(Severity::Info)) else { return };
    let sentence = format!(
        "{} of migrations cannot be read: nobody sees which are applied, and which failed",
        counted(unread.len(), "table")
    );
    let words = format!("{} {}", tidy(first.table, 60), tidy(first.problem, 200));
    tell(its, reading, MIGRATIONS, grade, ("unread", &sentence)).say(words);
}

#[cfg(test)]
mod tests {
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
        let kept = |seconds: &str, rules: &Rulebook| {
            told_by(rules, topic.0, topic.1, &[&format!("s.log|{seconds}|")])
        };
        let mut rules = Rulebook::defaults(&all_rules());
        assert_eq!(kept("9000000", &rules), []);
        let own = crate::core::alert::RuleSetting {
            warning: Some(864_000.0),
            ..rules.get(PARTITION_RETENTION.id())
        };
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
        check(
            sequences,
            &["s.q|10|0.8|"],
            &[(rule, Warning, "has used 80 % of its numbers, 10 numbers left")],
        );
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
        let (own, primary, copy) =
            (TargetId::new("own"), TargetId::new("primary"), server.server.in_recovery);
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
}
