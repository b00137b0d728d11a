//! The counters of all databases of a server, as one.

use super::reading::DatabaseCounters;

/// Counters of all databases together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Totals {
    /// Committed and rolled back.
    pub transactions: f64,
    /// Rolled back.
    pub rollbacks: f64,
    /// Blocks read from outside the buffer cache.
    pub blocks_read: f64,
    /// Blocks found in it.
    pub blocks_hit: f64,
    /// Rows inserted, updated, deleted.
    pub rows_changed: f64,
    /// Bytes of temporary files.
    pub temp_bytes: f64,
    /// Deadlocks.
    pub deadlocks: f64,
    /// Statements that a standby ended, for they stood in the way of replay.
    pub conflicts: f64,
}

impl Totals {
    pub(super) fn of(databases: &[DatabaseCounters]) -> Self {
        let sum = |field: fn(&DatabaseCounters) -> f64| databases.iter().map(field).sum();
        Self {
            transactions: sum(|db| db.commits + db.rollbacks),
            rollbacks: sum(|db| db.rollbacks),
            blocks_read: sum(|db| db.blocks_read),
            blocks_hit: sum(|db| db.blocks_hit),
            rows_changed: sum(|db| db.rows_changed),
            temp_bytes: sum(|db| db.temp_bytes),
            deadlocks: sum(|db| db.deadlocks),
            conflicts: sum(|db| db.conflicts),
        }
    }

    const fn fields(&self) -> [f64; 8] {
        [
            self.transactions,
            self.rollbacks,
            self.blocks_read,
            self.blocks_hit,
            self.rows_changed,
            self.temp_bytes,
            self.deadlocks,
            self.conflicts,
        ]
    }

    /// Every counter is at least what it was: nothing was reset in between.
    pub(super) fn grew_from(&self, before: &Self) -> bool {
        self.fields().iter().zip(before.fields()).all(|(after, before)| *after >= before)
    }
}
