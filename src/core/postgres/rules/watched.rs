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
mod tests;
