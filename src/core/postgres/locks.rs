//! Rows of `pg_locks` as data, and which lock modes conflict.

use std::time::Duration;

/// The eight table-level lock modes, weakest first; row, transaction and advisory locks use two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LockMode {
    /// SELECT.
    AccessShare,
    /// SELECT FOR UPDATE and its like.
    RowShare,
    /// INSERT, UPDATE, DELETE.
    RowExclusive,
    /// VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY.
    ShareUpdateExclusive,
    /// CREATE INDEX.
    Share,
    /// CREATE TRIGGER and its like.
    ShareRowExclusive,
    /// REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// DROP, TRUNCATE, most of ALTER TABLE, VACUUM FULL.
    AccessExclusive,
}

impl LockMode {
    const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// From `pg_locks.mode` ("AccessShareLock"); predicate locks (`SIReadLock`) never block and have no mode here.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_suffix("Lock")?;
        Self::ALL.into_iter().find(|mode| format!("{mode:?}") == name)
    }

    /// Whether two holders of these modes exclude each other (PostgreSQL documentation, table 13.2).
    #[must_use]
    pub const fn conflicts(self, other: Self) -> bool {
        // One bit per mode in the order of `ALL`.
        const CONFLICTS: [u8; 8] = [
            0b1000_0000,
            0b1100_0000,
            0b1111_0000,
            0b1111_1000,
            0b1110_1100,
            0b1111_1100,
            0b1111_1110,
            0b1111_1111,
        ];
        CONFLICTS[self as usize] & (1 << other as u8) != 0
    }

    /// How people write it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }
}

/// One row of `pg_locks`.
#[derive(Clone, Debug, PartialEq)]
pub struct LockRow {
    /// The process; `None` for a prepared transaction.
    pub pid: Option<i32>,
    /// For a prepared transaction: its transaction id, from `virtualtransaction` `-1/<xid>`.
    pub prepared_xid: Option<String>,
    /// Everything that names the locked thing, joined: rows with the same tag are about the same thing.
    pub tag: String,
    /// What the locked thing is, for people: "relation accounts", "transaction 735", "row of accounts".
    pub object: String,
    /// The mode.
    pub mode: LockMode,
    /// Held, or waited for.
    pub granted: bool,
    /// How long it has been waited for, where the server says so (14 and later).
    pub waiting: Option<Duration>,
}

/// A prepared transaction: it holds locks without a session, and survives a restart.
#[derive(Clone, Debug, PartialEq)]
pub struct PreparedTransaction {
    /// Its name.
    pub gid: String,
    /// Its transaction id.
    pub xid: String,
    /// Who prepared it.
    pub owner: String,
    /// In which database.
    pub database: String,
    /// How long ago.
    pub age: Duration,
}

/// Who blocks whom, as the server tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LockReading {
    /// Waiter and blocker from `pg_blocking_pids`; the blocker is 0 for a prepared transaction. Holders and those queued ahead alike.
    pub edges: Vec<(i32, i32)>,
    /// The locks of everybody involved.
    pub rows: Vec<LockRow>,
    /// Prepared transactions.
    pub prepared: Vec<PreparedTransaction>,
    /// There were more rows than are read.
    pub truncated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conflict_table_is_the_documented_one() {
        // Rows and columns in the order of the documentation's table 13.2; # marks a conflict.
        let table =
            [".......#", "......##", "....####", "...#####", "..##.###", "..######", ".#######", "########"];
        for (row, line) in LockMode::ALL.iter().zip(table) {
            for (column, mark) in LockMode::ALL.iter().zip(line.chars()) {
                assert_eq!(row.conflicts(*column), mark == '#', "{row:?} against {column:?}");
            }
        }
    }

    #[test]
    fn names_of_the_server() {
        assert_eq!(LockMode::parse("ShareRowExclusiveLock"), Some(LockMode::ShareRowExclusive));
        assert_eq!(LockMode::parse("SIReadLock"), None);
    }
}
