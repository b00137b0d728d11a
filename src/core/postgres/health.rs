//! What is looked at of a PostgreSQL server every few seconds: its WAL, checkpoints and archive, vacuums that run.

use super::copies::Subscription;
use crate::core::exact;
use crate::core::part::Part;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is looked at every few seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// Bytes of WAL written so far (a position, only differences mean something).
    #[serde(with = "exact")]
    pub wal_position: Option<f64>,
    /// Checkpoints by time.
    #[serde(with = "exact")]
    pub checkpoints_timed: Option<f64>,
    /// Checkpoints that were asked for (WAL full, or a command).
    #[serde(with = "exact")]
    pub checkpoints_requested: Option<f64>,
    /// The archiver, when archiving is on.
    pub archiver: Part<Archiver>,
    /// Subscriptions of every database.
    pub subscriptions: Part<Vec<Subscription>>,
    /// Vacuums that run.
    pub vacuums: Part<Vec<VacuumProgress>>,
    /// Prepared transactions: gid, owner, database, age.
    pub prepared: Part<Vec<(String, String, String, Duration)>>,
    /// `autovacuum_freeze_max_age`.
    #[serde(with = "exact")]
    pub freeze_max_age: Option<f64>,
    /// Rows that were written so far to the tables in which migrations are noted, by their names, in our database.
    pub migrations: Part<Vec<Migrations>>,
    /// Temporary files of sorts and hashes that are under way, the largest first.
    pub spills: Part<Vec<Spill>>,
}

/// A table in which migrations are noted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Migrations {
    /// `schema.name`.
    pub table: String,
    /// Rows inserted, updated and deleted so far.
    #[serde(with = "exact")]
    pub written: f64,
}

/// The temporary files of one process. Those that parallel workers share are not listed by the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spill {
    /// The process; it may be gone: what it left goes with the next restart.
    pub pid: i32,
    /// Their bytes.
    #[serde(with = "exact")]
    pub bytes: f64,
}

/// WAL files that wait for the archiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReadyFiles {
    /// How many.
    #[serde(with = "exact")]
    pub files: f64,
    /// Their bytes.
    #[serde(with = "exact")]
    pub bytes: f64,
}

/// The archiver.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Archiver {
    /// This server archives.
    pub on: bool,
    /// Files archived.
    #[serde(with = "exact")]
    pub archived: f64,
    /// Failures.
    #[serde(with = "exact")]
    pub failed: f64,
    /// Seconds since the last file was archived.
    #[serde(with = "exact")]
    pub last_archived_seconds: Option<f64>,
    /// Seconds since the last failure.
    #[serde(with = "exact")]
    pub last_failed_seconds: Option<f64>,
    /// The file of the last failure.
    pub last_failed_file: Option<String>,
    /// Archiving is on, and nothing is set that would archive: WAL is kept for ever.
    pub no_command: bool,
    /// What waits for it; only asked while it fails, or has no command.
    pub ready: Part<ReadyFiles>,
}

impl Archiver {
    /// The last thing that it did was to fail. Counters do not tell that: after three attempts it rests for a minute.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        let newer = |failed: f64| self.last_archived_seconds.is_none_or(|archived| failed < archived);
        self.on && self.last_failed_seconds.is_some_and(newer)
    }
}

/// One running vacuum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VacuumProgress {
    /// Its process.
    pub pid: i32,
    /// Its database.
    pub database: String,
    /// The table (by name in our database, else its oid).
    pub table: String,
    /// What it is doing.
    pub phase: String,
    /// Share of the table scanned, 0–1; none when its size is not known.
    #[serde(with = "exact")]
    pub scanned_ratio: Option<f64>,
}
