//! What migration tools wrote down, as the look at it found it last: which migrations there are, since when where their table says so, and
//! what is wrong with them. Pure.

use super::look::SqlTable;
use super::reading::PostgresReading;
use crate::core::part::Warm;
use std::time::Duration;

/// The topic that reads them.
pub const MIGRATIONS: &str = "migrations";

/// One row of a migration tool's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration<'a> {
    /// The tool ("Prisma").
    pub tool: &'a str,
    /// Its table, with its schema.
    pub table: &'a str,
    /// What the migration is called; empty in a row that says that a table is not read.
    pub name: &'a str,
    /// How long before the look it was applied, by the server's clock; nothing where the table has no moment with a zone.
    pub applied: Option<Duration>,
    /// The same as it stands in the table.
    pub written: Option<&'a str>,
    /// What is wrong with it; empty for nothing.
    pub problem: &'a str,
}

impl Migration<'_> {
    /// It failed, or ended half way.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        !self.name.is_empty() && !self.problem.is_empty()
    }

    /// The table is there and is not read: the problem says why.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        self.name.is_empty()
    }
}

/// What the look found last, if it was answered.
#[must_use]
pub fn migrations(reading: &PostgresReading) -> Option<(&Warm<SqlTable>, Vec<Migration<'_>>)> {
    let watched = reading.watched.iter().find(|watched| watched.topic == MIGRATIONS)?;
    let table = watched.table.ready()?;
    let at = |name: &str| table.columns.iter().position(|column| column == name);
    let [tool, of, name, applied, written, problem] =
        ["tool", "table", "migration", "applied_seconds", "written", "problem"].map(at);
    let found = table.rows.iter().map(|row| {
        let cell = |column: Option<usize>| row.get(column?)?.as_deref();
        // Clocks of the server that were set since make what is past seem to come: that is now.
        let seconds = cell(applied).and_then(|text| text.parse::<i64>().ok());
        Migration {
            tool: cell(tool).unwrap_or_default(),
            table: cell(of).unwrap_or_default(),
            name: cell(name).unwrap_or_default(),
            applied: seconds.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or_default())),
            written: cell(written),
            problem: cell(problem).unwrap_or_default(),
        }
    });
    Some((table, found.collect()))
}
