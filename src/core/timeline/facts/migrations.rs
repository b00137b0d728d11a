//! What migration tools wrote down since the look before, with the moment that their table tells; never one that it does not. Pure.

use super::change::{Change, on};
use crate::core::place::Screen;
use crate::core::postgres::{Migration, PostgresReading, migrations};
use crate::core::text::{counted, lasting, tidy};
use crate::core::time::Now;
use crate::core::timeline::event::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// At the first look that is told which was applied no longer ago, where the table says so: an incident may have begun before stacktop.
const RECENT: Duration = Duration::from_secs(3600);
/// So many of one table are told one by one.
const ONE_BY_ONE: usize = 5;
/// Columns of a name.
const NAME: usize = 80;

/// What was known at the newest look.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MigrationFacts {
    /// The names in each table, as many as the look reads.
    tables: BTreeMap<String, BTreeSet<String>>,
    read_at: Option<Now>,
}

impl MigrationFacts {
    pub(super) fn follow(&mut self, reading: &PostgresReading) -> Vec<Change> {
        let Some((look, found)) = migrations(reading) else { return Vec::new() };
        if self.read_at == Some(look.read_at) {
            return Vec::new();
        }
        let before = self.read_at.replace(look.read_at);
        let mut tables: BTreeMap<&str, Vec<&Migration<'_>>> = BTreeMap::new();
        for migration in found.iter().filter(|migration| !migration.is_unread()) {
            tables.entry(migration.table).or_default().push(migration);
        }
        let mut changes = Vec::new();
        for (table, all) in tables {
            let known = self.tables.get(table);
            let is_new = |migration: &&&Migration<'_>| match known {
                Some(known) => !known.contains(migration.name),
                // The first one of a tool, or one that says itself that it is new.
                None => before.is_some() || migration.applied.is_some_and(|ago| ago <= RECENT),
            };
            let mut new: Vec<&Migration<'_>> = all.iter().filter(is_new).copied().collect();
            // The newest are read: where one was taken back, an old one comes into view behind those that are known.
            let last = |migration: &&Migration<'_>| known.is_some_and(|known| known.contains(migration.name));
            if let Some(last) = all.iter().rposition(last) {
                new.retain(|migration| all[..last].iter().any(|other| std::ptr::eq(*other, *migration)));
            }
            changes.extend(told(&new, look.read_at, before));
            let names = all.iter().map(|migration| migration.name.to_owned()).collect();
            self.tables.insert(table.to_owned(), names);
        }
        changes
    }
}

fn told(new: &[&Migration<'_>], read_at: Now, before: Option<Now>) -> Vec<Change> {
    let moment = |migration: &Migration<'_>| migration.applied.map(|ago| read_at.minus(ago));
    let change = |words, at| Change::new(Kind::Migrated, words, on(Screen::Health)).at(at);
    if new.len() > ONE_BY_ONE {
        let names: Vec<String> =
            new.iter().take(ONE_BY_ONE).map(|migration| tidy(migration.name, NAME)).collect();
        // The newest of them is told as the moment of all.
        let newest = new.iter().filter_map(|migration| migration.applied).min();
        let (count, last) = (counted(new.len(), "migration"), new[0]);
        let (by, when) = (place(last), when(last, read_at, before));
        let words = format!("{count} {by}: {}, …; the last one {when}", names.join(", "));
        return vec![change(words, newest.map(|ago| read_at.minus(ago)))];
    }
    let one = |migration: &&Migration<'_>| {
        let by = place(migration);
        let how = match migration.problem {
            "" => when(migration, read_at, before),
            problem => format!("{}, {}", tidy(problem, NAME), when(migration, read_at, before)),
        };
        change(format!("migration {} {by}: {how}", tidy(migration.name, NAME)), moment(migration))
    };
    new.iter().map(one).collect()
}

fn place(migration: &Migration<'_>) -> String {
    format!("({} in {})", migration.tool, tidy(migration.table, NAME))
}

/// When, as far as the table says so.
fn when(migration: &Migration<'_>, read_at: Now, before: Option<Now>) -> String {
    match (migration.applied, migration.written, before) {
        (Some(_), Some(written), _) => format!("at {}", tidy(written, NAME)),
        (None, Some(written), _) => format!("written {} (the table tells no zone)", tidy(written, NAME)),
        (_, None, Some(before)) => {
            format!(
                "within the {} before it was seen (the table tells no time)",
                lasting(read_at.since(before))
            )
        }
        (_, None, None) => "the table tells no time".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::{Part, Warm};
    use crate::core::postgres::{MIGRATIONS, SqlTable, Watched};

    /// The look at so many seconds found these rows: name, seconds since it was applied, what is written, what is wrong.
    fn look(second: u64, rows: &[(&str, &str, &str, &str)]) -> PostgresReading {
        let columns = ["tool", "table", "migration", "applied_seconds", "written", "problem"];
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let row = |(name, ago, written, problem): &(&str, &str, &str, &str)| {
            let first = ["Tool", "app.m", name].map(|text| Some(text.to_owned()));
            first.into_iter().chain([some(ago), some(written), Some((*problem).to_owned())]).collect()
        };
        let table = SqlTable {
            at: Now::example(second),
            took: Duration::ZERO,
            place: String::new(),
            columns: columns.map(str::to_owned).to_vec(),
            rows: rows.iter().map(row).collect(),
            truncated: false,
        };
        let table = Part::Ready(Warm::new(table.at, table));
        let watched = vec![Watched { topic: MIGRATIONS.to_owned(), table }];
        PostgresReading { watched, ..PostgresReading::default() }
    }

    /// What the last of these looks tells, each with how many seconds after the start it was, where the table says so.
    #[track_caller]
    fn check(looks: &[PostgresReading], expected: &[(&str, Option<u64>)]) {
        let mut facts = MigrationFacts::default();
        let mut last = Vec::new();
        for reading in looks {
            last = facts.follow(reading);
        }
        let told: Vec<(&str, Option<Now>)> =
            last.iter().map(|change| (change.words.as_str(), change.at)).collect();
        let expected: Vec<(&str, Option<Now>)> =
            expected.iter().map(|(words, at)| (*words, at.map(Now::example))).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_new_is_told_with_the_moment_that_its_table_tells() {
        let old = ("1_init", "90000", "2026-09-20 10:00:00Z", "");
        check(&[look(0, &[old])], &[]);
        let words = "migration 2_add (Tool in app.m): at 2026-09-21 14:10:00Z";
        let new = ("2_add", "200", "2026-09-21 14:10:00Z", "");
        check(&[look(0, &[old]), look(900, &[new, old])], &[(words, Some(700))]);
        // The first look knows of it, too; and at the next one it is no news.
        check(&[look(900, &[new, old])], &[(words, Some(700))]);
        check(&[look(900, &[new, old]), look(1800, &[new, old])], &[]);
        let failed = ("2_add", "200", "2026-09-21 14:10:00Z", "failed");
        let words = "migration 2_add (Tool in app.m): failed, at 2026-09-21 14:10:00Z";
        check(&[look(0, &[old]), look(900, &[failed, old])], &[(words, Some(700))]);
    }

    #[test]
    fn where_the_table_tells_no_time_none_is_made_up() {
        let (one, two) = (("1", "", "", ""), ("2", "", "", ""));
        check(&[look(0, &[one])], &[]);
        let words =
            "migration 2 (Tool in app.m): within the 15m00s before it was seen (the table tells no time)";
        check(&[look(0, &[one]), look(900, &[two, one])], &[(words, None)]);
        let dated = ("2", "", "2026-09-21 16:10:00", "");
        let words = "migration 2 (Tool in app.m): written 2026-09-21 16:10:00 (the table tells no zone)";
        check(&[look(0, &[one]), look(900, &[dated, one])], &[(words, None)]);
        check(&[look(0, &[dated])], &[]);
    }

    #[test]
    fn many_at_once_are_one_event() {
        let old = ("1", "90000", "2026-09-20 10:00:00Z", "");
        let names = ["7", "6", "5", "4", "3", "2"];
        let new = names.map(|name| (name, "200", "2026-09-21 14:10:00Z", ""));
        let words = "6 migrations (Tool in app.m): 7, 6, 5, 4, 3, …; the last one at 2026-09-21 14:10:00Z";
        check(&[look(0, &[old]), look(900, &[&new[..], &[old]].concat())], &[(words, Some(700))]);
    }
}
