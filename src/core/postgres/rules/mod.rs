//! The rules about a PostgreSQL server. Each names its culprit, how many are hit, and what may be done.

pub(crate) mod blocked;
pub(crate) mod copies;
pub(crate) mod health;
mod panels;
mod parts;
pub(crate) mod pools;
mod primaries;
pub(crate) mod sessions;
pub(crate) mod slots;
pub(crate) mod standby;
pub(crate) mod statements;
pub(crate) mod watched;
pub(crate) mod written;

pub use blocked::BLOCKED;
pub use health::WRAPAROUND;
pub use pools::{PAUSED, WAITING};
pub use primaries::{TWO_PRIMARIES, two_primaries};
pub use sessions::{CONNECTIONS, describe};
pub use watched::doubled;

use super::PostgresState;
use super::reading::PostgresReading;
use crate::core::alert::{Judged, Missing, Need, Rule};
use crate::core::place::Screen;

/// The rules of this system, in the order in which they judge.
pub static RULES: &[&Rule<PostgresState>] = &[
    &blocked::BLOCKED,
    &blocked::BLOCKED_SESSIONS,
    &sessions::IDLE_IN_TRANSACTION,
    &sessions::CONNECTIONS,
    &sessions::LONG_QUERY,
    &sessions::LONG_TRANSACTION,
    &health::CACHE_HIT,
    &health::DEADLOCKS,
    &standby::RECEIVER,
    &copies::REPLICATION_LAG,
    &copies::REPLICATION_BYTES,
    &standby::ROTATION,
    &standby::SYNCHRONOUS,
    &standby::BACKUP,
    &slots::TIME_LEFT,
    &copies::COPY_GONE,
    &copies::SUBSCRIPTION,
    &primaries::TWO_PRIMARIES,
    &health::CHECKSUMS,
    &slots::SLOT_RETAINED,
    &sessions::PREPARED,
    &health::WRAPAROUND,
    &health::ARCHIVER,
    &pools::WAITING,
    &pools::UTILISATION,
    &pools::SILENT,
    &pools::PAUSED,
    &watched::INDEX_INVALID,
    &watched::PARTITION_MISSING,
    &watched::PARTITION_DEFAULT,
    &watched::PARTITION_RETENTION,
    &watched::RLS_HOLE,
    &watched::TABLE_OVERDUE,
    &watched::MIGRATION_FAILED,
    &watched::SEQUENCE,
    &watched::ROLE_BYPASSRLS,
    &written::TEMP_FILES,
    &written::WAL_BURST,
    &statements::STATEMENT_SLOWER,
    &panels::PANEL,
    &panels::PANEL_BLIND,
    &health::RESET,
];

impl Judged for PostgresState {
    type Reading = PostgresReading;
    const SCREEN: Screen = Screen::Health;

    fn rules() -> &'static [&'static Rule<Self>] {
        RULES
    }

    fn newest(&self) -> Option<&PostgresReading> {
        self.reading()
    }

    fn missing(reading: &PostgresReading) -> Vec<Missing> {
        parts::missing(reading)
    }

    fn awaited(reading: &PostgresReading) -> Vec<(Need, &'static str)> {
        parts::awaited(reading)
    }
}
