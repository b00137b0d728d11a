//! What looks at a search cluster bring, beside its tasks: shards on their way, indices, names, snapshots, the server's own diagnosis.

use crate::core::part::Part;
use crate::core::text::span;
use serde::{Deserialize, Serialize};

/// A shard on its way to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Its index.
    pub index: String,
    /// Its number.
    pub shard: String,
    /// From what it is built (`peer`, `existing_store`, `snapshot`, `empty_store`).
    pub kind: String,
    /// How far it is (`init`, `index`, `translog`, `finalize`).
    pub stage: String,
    /// The node that gives it; empty where none does.
    pub from: String,
    /// The node that takes it.
    pub to: String,
    /// Bytes that are there already.
    pub done_bytes: Option<u64>,
    /// Bytes that it takes.
    pub total_bytes: Option<u64>,
    /// For how long, as the server writes it.
    pub time: String,
}

/// Indices beyond these are counted and not listed.
pub const MOST_INDICES: usize = 1000;

/// The indices: what is wrong first, then the largest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indices {
    /// The first [`MOST_INDICES`].
    pub list: Vec<IndexRow>,
    /// So many there are.
    pub total: usize,
    /// So many of them are closed.
    pub closed: usize,
    /// The bytes of all of them.
    pub bytes: u64,
}

/// One index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRow {
    /// Its name.
    pub index: String,
    /// Its uuid.
    pub uuid: String,
    /// `green`, `yellow`, `red`; empty where it is closed and tells none.
    pub health: String,
    /// It is closed: nothing reads or writes it.
    pub closed: bool,
    /// Primary shards.
    pub primaries: Option<u64>,
    /// Copies of each.
    pub replicas: Option<u64>,
    /// Documents.
    pub documents: Option<u64>,
    /// Documents that are deleted and not merged away yet.
    pub deleted: Option<u64>,
    /// Bytes with all copies.
    pub bytes: Option<u64>,
    /// When it was made, in milliseconds since 1970.
    pub created_millis: Option<i64>,
}

/// Aliases and data streams.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Names {
    /// The aliases.
    pub aliases: Vec<Alias>,
    /// The data streams; not in every build.
    pub streams: Part<Vec<Stream>>,
}

/// An alias, over all the indices that it points to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// Its name.
    pub alias: String,
    /// The indices that it points to.
    pub indices: Vec<String>,
    /// So many of them are closed.
    pub closed: usize,
    /// It shows a part of their documents only (a tenant's).
    pub filtered: bool,
    /// The indices that are named as the one that takes writes.
    pub writes: Vec<String>,
    /// So many indices are said not to take writes.
    pub refuses: usize,
}

impl Alias {
    /// What is wrong with it; nothing where all is well.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        if self.closed == self.indices.len() {
            return Some("it points nowhere: every index behind it is closed");
        }
        match (self.writes.len(), self.indices.len()) {
            (2.., _) => Some("it has more than one write index: writes to it are refused"),
            // A single index takes writes unless it is said not to.
            (0, 1) if self.refuses == 0 => None,
            (0, _) => Some("it has no write index: writes to it are refused"),
            (1, _) => None,
        }
    }
}

/// A data stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// `GREEN`, `YELLOW`, `RED`.
    pub status: String,
    /// The index that takes writes: the newest.
    pub writes: String,
    /// So many indices are behind it.
    pub indices: usize,
    /// How often it was rolled over.
    pub generation: Option<u64>,
    /// Its template.
    pub template: String,
    /// Its lifecycle policy; empty where it has none.
    pub policy: String,
}

/// Repositories of snapshots, and what makes snapshots by itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshots {
    /// The repositories.
    pub repositories: Vec<Repository>,
    /// Policies that make snapshots; not in every build.
    pub policies: Part<Vec<SnapshotPolicy>>,
}

/// A repository with its newest snapshots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Repository {
    /// Its name.
    pub name: String,
    /// What it is (`fs`, `s3`).
    pub kind: String,
    /// The newest first.
    pub newest: Part<Vec<Snapshot>>,
}

/// A snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// `SUCCESS`, `PARTIAL`, `FAILED`, `IN_PROGRESS`.
    pub state: String,
    /// When it began, in milliseconds since 1970.
    pub start_millis: Option<i64>,
    /// Shards that it lacks.
    pub failed: u64,
}

/// A policy that makes snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotPolicy {
    /// Its name.
    pub name: String,
    /// When it makes one.
    pub schedule: String,
    /// Where.
    pub repository: String,
    /// When the newest began that came to its end, in milliseconds since 1970.
    pub success_millis: Option<i64>,
    /// The same of the newest that failed.
    pub failure_millis: Option<i64>,
    /// Why that failed.
    pub failure: String,
    /// When the next is due.
    pub next_millis: Option<i64>,
}

/// Between two snapshots of a schedule that says no more, and of one that names days of the week or of the month.
const DAILY: f64 = 86_400.0;
const WEEKLY: f64 = 7.0 * DAILY;
const MONTHLY: f64 = 31.0 * DAILY;

impl SnapshotPolicy {
    /// How many seconds its schedule leaves between two snapshots at the most, at least a day: cron with six or seven fields
    /// (Elasticsearch) or with five (OpenSearch), or an interval (`30m`, `12h`, `2d`).
    #[must_use]
    pub fn leaves_seconds(&self) -> f64 {
        let fields: Vec<&str> = self.schedule.split_whitespace().collect();
        let any = |field: &str| field == "*" || field == "?";
        let (of_month, months, of_week) = match fields.as_slice() {
            [interval] => return span(interval).map_or(DAILY, |span| span.as_secs_f64()).max(DAILY),
            [_, _, day, month, weekday] | [_, _, _, day, month, weekday, ..] => (*day, *month, *weekday),
            _ => return DAILY,
        };
        // A list or a range of days leaves less; nobody is called for what may be right.
        match (any(months) && any(of_month), any(of_week)) {
            (false, _) => MONTHLY,
            (true, false) => WEEKLY,
            (true, true) => DAILY,
        }
    }
    /// Whether the newest of them failed.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.failure_millis.is_some_and(|failed| self.success_millis.is_none_or(|at| failed > at))
    }
}

/// What the server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicator {
    /// What it is about (`shards_availability`, `disk`, `ilm`).
    pub name: String,
    /// `green`, `yellow`, `red`, `unknown`.
    pub status: String,
    /// What it sees, in one sentence.
    pub symptom: String,
    /// What follows from that; read on its page only.
    pub impacts: Vec<String>,
    /// Causes with what the server advises; read on its page only.
    pub diagnoses: Vec<Diagnosis>,
}

/// A cause that the server names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Why.
    pub cause: String,
    /// What the server advises.
    pub action: String,
    /// Where that is told at length.
    pub help: String,
}

/// What the threads of a node that work most are at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HotThreads {
    /// The node, by its id.
    pub node: String,
    /// The server's own lines: the first [`MOST_LINES`].
    pub lines: Vec<String>,
}

/// Lines beyond these are not kept.
pub const MOST_LINES: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn leaves(schedule: &str, days: f64) {
        let policy = SnapshotPolicy { schedule: schedule.to_owned(), ..SnapshotPolicy::default() };
        assert!(
            (policy.leaves_seconds() - days * DAILY).abs() < 1.0,
            "{schedule}: {}",
            policy.leaves_seconds()
        );
    }

    #[test]
    fn a_schedule_says_how_long_there_may_be_no_snapshot() {
        leaves("0 30 1 * * ?", 1.0);
        leaves("0 0/30 * * * ?", 1.0);
        leaves("0 30 1 ? * SUN", 7.0);
        leaves("0 30 1 1 * ?", 31.0);
        leaves("0 8 * * *", 1.0);
        leaves("0 8 * * 1-5", 7.0);
        leaves("30m", 1.0);
        leaves("2d", 2.0);
        leaves("", 1.0);
    }

    #[test]
    fn a_failure_counts_while_nothing_newer_came_to_its_end() {
        let policy = |success_millis, failure_millis| SnapshotPolicy {
            success_millis,
            failure_millis,
            ..SnapshotPolicy::default()
        };
        assert!(!policy(None, None).fails() && !policy(Some(2), Some(1)).fails());
        assert!(policy(Some(1), Some(2)).fails() && policy(None, Some(1)).fails());
    }
}
