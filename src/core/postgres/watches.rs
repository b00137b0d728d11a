//! Topics that are looked at although nobody looks: what they find becomes findings. Pure; when and how they are asked is the source's.

use super::look::{DATABASE_SIZES, LARGEST_TABLES, Look, SqlTable};
use crate::core::part::{Part, Warm};
use serde::{Deserialize, Serialize};

/// The topics that are watched: catalogs and counters, and the small tables that migration tools keep. The last two ask for sizes, which the
/// server sums up over files without reading them: by them it is told what grows.
pub const WATCHES: [&str; 9] = [
    "indexes",
    "partitions",
    "isolation",
    "tables",
    "sequences",
    "roles",
    "migrations",
    LARGEST_TABLES,
    DATABASE_SIZES,
];

/// Those that are watched on a standby: its catalogs are its primary's, which perhaps nobody watches, and its sessions are its own. It counts
/// nothing of what is vacuumed, and what is migrated is told once.
const ON_STANDBY: [&str; 7] =
    ["indexes", "partitions", "isolation", "sequences", "roles", LARGEST_TABLES, DATABASE_SIZES];

/// The topics that are watched on such a server.
#[must_use]
pub const fn watches(in_recovery: bool) -> &'static [&'static str] {
    if in_recovery { &ON_STANDBY } else { &WATCHES }
}

/// What a watched topic found last, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// The topic.
    pub topic: String,
    /// What is kept of what was found last, or why nothing was; not asked before its first turn.
    pub table: Part<Warm<SqlTable>>,
}

/// Whether what is found is kept for rules between two looks.
#[must_use]
pub fn is_watched(look: &Look) -> bool {
    matches!(look, Look::Topic(id) if WATCHES.contains(&id.as_str()))
}

/// What is kept of a table for as long as a quarter of an hour: of the topics with hundreds of rows those that are a problem, or large.
#[must_use]
pub fn kept(look: &Look, table: &Part<SqlTable>) -> Part<Warm<SqlTable>> {
    let says = match look {
        Look::Topic(id) if id == "indexes" => "problem",
        Look::Topic(id) if id == "tables" => "vacuum",
        Look::Topic(id) if id == LARGEST_TABLES => "on_disk_bytes",
        Look::Topic(_) | Look::Panel(_) | Look::Plan(_) => "",
    };
    table.clone().map(|mut table| {
        if let Some(at) = table.columns.iter().position(|column| column == says) {
            let is_problem = |cell: &Option<String>| cell.as_ref().is_some_and(|text| !text.is_empty());
            table.rows.retain(|row| row.get(at).is_some_and(is_problem));
        }
        Warm::new(table.at, table)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::{Gap, GapKind};
    use crate::core::postgres::TOPICS;
    use crate::core::time::Now;
    use std::time::Duration;

    #[track_caller]
    fn check(topic: &str, column: &str, expected: usize) {
        let cell = |text: &str| Some(text.to_owned());
        let table = SqlTable {
            at: Now::example(7),
            took: Duration::ZERO,
            place: String::new(),
            columns: vec!["name".to_owned(), column.to_owned()],
            rows: vec![vec![cell("a"), cell("")], vec![cell("b"), cell("bad")], vec![cell("c"), None]],
            truncated: false,
        };
        let kept = kept(&Look::Topic(topic.to_owned()), &Part::Ready(table));
        let kept = kept.ready().expect("it was read");
        assert_eq!((kept.rows.len(), kept.read_at), (expected, Now::example(7)), "{topic}");
    }

    #[test]
    fn of_long_lists_only_problems_are_kept() {
        check("indexes", "problem", 1);
        check("tables", "vacuum", 1);
        check("largest", "on_disk_bytes", 1);
        check("isolation", "problem", 3);
        let gap = Part::Unavailable(Gap::new(GapKind::Failed, "no"));
        assert!(kept(&Look::Topic("tables".to_owned()), &gap).gap().is_some());
    }

    #[test]
    fn what_a_standby_is_watched_for_is_watched_on_its_primary() {
        assert!(watches(true).iter().all(|topic| watches(false).contains(topic)));
        assert!(!watches(true).contains(&"tables") && watches(false).len() == WATCHES.len());
    }

    #[test]
    fn every_watched_topic_is_one() {
        for topic in WATCHES {
            assert!(TOPICS.iter().any(|known| known.id == topic), "{topic}");
            assert!(is_watched(&Look::Topic(topic.to_owned())));
        }
        assert!(
            !is_watched(&Look::Topic("bloat".to_owned())) && !is_watched(&Look::Panel("tables".to_owned()))
        );
    }
}
