//! Rows of `pg_locks` as data, and which lock modes conflict.

use crate::core::text::tidy;
use crate::core::time::Now;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The eight table-level lock modes, weakest first; row, transaction and advisory locks use two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// How long it has been waited for, where the server says so (14 and later) or we have seen it begin.
    pub waiting: Option<Duration>,
    /// Whom the server names as in the way of this process (`pg_blocking_pids`), where it does not say since when it waits: the only
    /// trace of the order in the queue before version 14.
    pub blockers: Vec<i32>,
}

/// A prepared transaction: it holds locks without a session, and survives a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

impl PreparedTransaction {
    /// The command that ends it without its changes, to be run in its database by its owner or a superuser.
    #[must_use]
    pub fn rollback(&self) -> String {
        format!("ROLLBACK PREPARED {}", literal(&self.gid))
    }

    /// The command that makes its changes last.
    #[must_use]
    pub fn commit(&self) -> String {
        format!("COMMIT PREPARED {}", literal(&self.gid))
    }

    /// Where these are to be run, and by whom.
    #[must_use]
    pub fn place(&self) -> String {
        format!("in database {}, as {} or a superuser", tidy(&self.database, 63), tidy(&self.owner, 63))
    }
}

/// `text` as a constant of SQL that can be typed: what cannot be seen is escaped.
#[must_use]
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if !text.chars().any(|c| c == '\\' || c.is_control()) {
        return format!("'{quoted}'");
    }
    let mut escaped = String::new();
    for c in quoted.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            c if c.is_control() => escaped.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    format!("E'{escaped}'")
}

/// What an advisory lock is about, as the documentation of `pg_locks` takes it apart: one 64-bit key, or two of 32 bits.
#[must_use]
pub fn advisory(class: u32, object: u32, form: i16) -> String {
    if form == 1 {
        let key = (u64::from(class) << 32 | u64::from(object)).cast_signed();
        format!("advisory lock {key}")
    } else {
        format!("advisory lock ({}, {})", class.cast_signed(), object.cast_signed())
    }
}

/// Who holds what and who waits for what, as the server tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LockReading {
    /// Every lock on a thing that somebody waits for: granted ones and those that are waited for.
    pub rows: Vec<LockRow>,
    /// Prepared transactions, where one is involved.
    pub prepared: Vec<PreparedTransaction>,
    /// What is missing of all this, one sentence each.
    pub missing: Vec<String>,
}

/// When waits began that the server dates neither by themselves nor by a statement: when we first saw them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirstSeen(BTreeMap<(i32, String), Now>);

impl FirstSeen {
    /// Fills in how long everybody waits at least.
    pub fn date(&mut self, reading: &mut LockReading, dated: impl Fn(i32) -> bool, now: Now) {
        let before = std::mem::take(&mut self.0);
        for row in reading.rows.iter_mut().filter(|row| !row.granted && row.waiting.is_none()) {
            let Some(pid) = row.pid.filter(|pid| !dated(*pid)) else { continue };
            let key = (pid, row.tag.clone());
            let first = before.get(&key).copied().unwrap_or(now);
            row.waiting = Some(now.since(first));
            self.0.insert(key, first);
        }
    }
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
    fn keys_of_advisory_locks_are_those_that_were_asked_for() {
        // pg_advisory_lock(4711), (-1), (2^32 + 5); pg_advisory_lock(7, -2).
        assert_eq!(advisory(0, 4711, 1), "advisory lock 4711");
        assert_eq!(advisory(u32::MAX, u32::MAX, 1), "advisory lock -1");
        assert_eq!(advisory(1, 5, 1), "advisory lock 4294967301");
        assert_eq!(advisory(7, u32::MAX - 1, 2), "advisory lock (7, -2)");
    }

    #[test]
    fn the_name_of_a_prepared_transaction_can_be_typed() {
        assert_eq!(literal("tx1"), "'tx1'");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\b'c\u{1b}["), "E'a\\\\b''c\\u001B['");
    }

    #[test]
    fn a_wait_that_nobody_dates_is_as_old_as_our_sight_of_it() {
        let row = LockRow {
            pid: Some(7),
            prepared_xid: None,
            tag: "t".to_owned(),
            object: String::new(),
            mode: LockMode::Share,
            granted: false,
            waiting: None,
            blockers: Vec::new(),
        };
        let mut seen = FirstSeen::default();
        let mut at = |rows: Vec<LockRow>, second: u64| {
            let mut reading = LockReading { rows, ..LockReading::default() };
            seen.date(&mut reading, |_| false, Now::example(second));
            reading.rows.first().and_then(|row| row.waiting)
        };
        assert_eq!(at(vec![row.clone()], 100), Some(Duration::ZERO));
        assert_eq!(at(vec![row.clone()], 112), Some(Duration::from_secs(12)));
        assert_eq!(at(Vec::new(), 113), None);
        assert_eq!(at(vec![row], 120), Some(Duration::ZERO), "it waits anew");
    }

    #[test]
    fn names_of_the_server() {
        assert_eq!(LockMode::parse("ShareRowExclusiveLock"), Some(LockMode::ShareRowExclusive));
        assert_eq!(LockMode::parse("SIReadLock"), None);
    }
}
