//! Looks: what is read only while somebody looks at it, each as a table. Built-in topics, the team's own panels, a statement's plan.

use crate::core::part::Part;
use crate::core::time::Now;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Look {
    /// A built-in topic, by its [`Topic::id`].
    Topic(String),
    /// One of the configured panels, by its name.
    Panel(String),
    /// The plan of a statement. It is planned, not run.
    Plan(Planned),
}

/// The statement of which the plan is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Planned {
    /// Its `queryid`.
    pub query: i64,
    /// The oid of the role that ran it.
    pub user: u32,
    /// The oid of the database in which it ran: only there its names mean what it means.
    pub database: u32,
}

/// A built-in topic.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// Its name in row keys.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it answers.
    pub help: &'static str,
    /// It is asked again this often while somebody looks.
    pub interval: Duration,
}

const fn topic(id: &'static str, title: &'static str, help: &'static str, seconds: u64) -> Topic {
    Topic { id, title, help, interval: Duration::from_secs(seconds) }
}

/// The topic of the largest tables, by which it is told what they grow by.
pub const LARGEST_TABLES: &str = "largest";
/// The topic of the databases, by which it is told the same.
pub const DATABASE_SIZES: &str = "sizes";
/// The topic that is the server's own log.
pub const SERVER_LOG: &str = "log";

/// Every built-in topic, in the order of the screen.
pub const TOPICS: [Topic; 18] = [
    topic("progress", "progress", "VACUUM, ANALYZE, CREATE INDEX, CLUSTER, COPY and backups under way", 2),
    topic(SERVER_LOG, "server log", "the end of the server's own log, the newest line first", 5),
    topic("horizon", "vacuum horizon", "who keeps vacuum from removing dead rows, and the remedy", 5),
    topic(
        "tables",
        "tables and vacuum",
        "dead rows against the point where autovacuum starts, and why it does not",
        30,
    ),
    topic("wraparound", "wraparound by table", "the tables with the oldest transaction ids", 60),
    topic("indexes", "indexes", "invalid, duplicate and never used ones", 60),
    topic(
        LARGEST_TABLES,
        "largest tables",
        "by pages; what the ten largest have on the disk, and grow by a day",
        60,
    ),
    topic(
        "bloat",
        "bloat estimate",
        "by column statistics; needs pg_read_all_data for other owners' tables",
        60,
    ),
    topic(
        "tempfiles",
        "temporary files",
        "on the disk at this moment, and whose; the counters tell them when they are gone",
        10,
    ),
    topic(
        DATABASE_SIZES,
        "database sizes",
        "with growth; walks the data directory of each: slow with many files",
        600,
    ),
    topic(
        "io",
        "I/O by kind of process",
        "reads, writes and evictions since the last reset (16 and later)",
        10,
    ),
    topic("subscriptions", "subscriptions", "logical replication: workers, errors, tables not in sync", 10),
    topic("isolation", "tenant isolation", "tenant tables without row-level security, policy or index", 60),
    topic("partitions", "partitions", "covered until when, rows in the default partition", 60),
    topic("sequences", "sequences", "how near each is to its end, or to that of its column", 60),
    topic("roles", "row security and roles", "roles for which no row security holds, and their sessions", 60),
    topic(
        "migrations",
        "migrations",
        "what migration tools wrote down: the newest, and those that failed",
        60,
    ),
    topic("vectors", "embeddings", "vector columns without an index (pgvector)", 60),
];

/// A panel of the team's own: a statement that only reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SqlPanel {
    /// Its name.
    pub name: String,
    /// The statement.
    pub sql: String,
    /// How often it is asked.
    pub interval: Duration,
    /// The column by which it is sorted, the highest first.
    pub sort: Option<String>,
    /// Thresholds by column: warning and critical; at or above it counts.
    pub thresholds: BTreeMap<String, (Option<f64>, Option<f64>)>,
}

impl SqlPanel {
    /// How bad a value of `column` is: 0 fine, 1 warning, 2 critical.
    #[must_use]
    pub fn grade(&self, column: &str, text: &str) -> u8 {
        let Some((warning, critical)) = self.thresholds.get(column) else { return 0 };
        let Some(value) = Self::value(text) else { return 0 };
        if critical.is_some_and(|least| value >= least) {
            2
        } else {
            u8::from(warning.is_some_and(|least| value >= least))
        }
    }

    /// The number of a cell. A truth is a number, too: `t` in a column that should be false.
    #[must_use]
    pub fn value(text: &str) -> Option<f64> {
        match text {
            "t" => Some(1.0),
            "f" => Some(0.0),
            other => other.parse().ok(),
        }
    }
}

/// What a look found. Values are the server's own text; a column's name may end in `_bytes`, `_seconds` or `_ratio`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SqlTable {
    /// When it was asked.
    pub at: Now,
    /// How long the answer took.
    pub took: Duration,
    /// Where: the database, and the role where that is another than ours.
    pub place: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows; NULL is nothing.
    pub rows: Vec<Vec<Option<String>>>,
    /// There are more rows than are kept.
    pub truncated: bool,
}

impl SqlTable {
    /// The cells of the column called `name`, with the number of their row.
    pub fn column(&self, name: &str) -> impl Iterator<Item = (usize, &str)> {
        let at = self.columns.iter().position(|column| column == name);
        self.rows.iter().enumerate().filter_map(move |(row, cells)| Some((row, cells.get(at?)?.as_deref()?)))
    }
}

/// How a look stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// What is looked at.
    pub look: Look,
    /// What was found last, or why not.
    pub table: Part<SqlTable>,
    /// It is being asked.
    pub asking: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_grade_numbers_and_truths() {
        let thresholds = BTreeMap::from([
            ("failures".to_owned(), (Some(1.0), Some(10.0))),
            ("exposed".to_owned(), (None, Some(1.0))),
        ]);
        let panel = SqlPanel { thresholds, ..SqlPanel::default() };
        for (column, text, grade) in [
            ("failures", "0", 0),
            ("failures", "1", 1),
            ("failures", "10.5", 2),
            ("failures", "none", 0),
            ("exposed", "t", 2),
            ("exposed", "f", 0),
            ("other", "99", 0),
        ] {
            assert_eq!(panel.grade(column, text), grade, "{column} {text}");
        }
    }
}
