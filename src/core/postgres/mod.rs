//! What is known of a Postgres target: the reading of one poll, the state that follows from several, and its rules. Pure.

pub mod blocking;
pub mod locks;
mod look;
mod migrations;
mod permit;
mod pooler;
mod reading;
mod row;
pub mod rows;
pub(crate) mod rules;
mod settings;
mod slower;
mod state;
mod statement;
mod totals;
mod trends;
mod turns;
mod untold;
mod watches;
mod window;

pub use activity::{ACTIVITY_WINDOW, Activity, CPU, Waiting, waits};
pub use copies::{Backup, ReplicationSlot, Rotation, Sender, Standby, Subscription};
pub use health::{Archiver, Health, ReadyFiles, Spill, VacuumProgress};
pub use look::{
    DATABASE_SIZES, LARGEST_TABLES, Look, Looked, Planned, SERVER_LOG, SqlPanel, SqlTable, TOPICS, Topic,
};
pub use migrations::{MIGRATIONS, Migration, migrations};
pub use pace::{Burst, Pace};
pub use pooler::{
    ConsoleTable, Pool, PooledDatabase, Pooler, clients as pooled_clients, databases as pooled_databases,
    pools,
};
pub use reading::*;
pub use row::{ClientGroup, PgRow};
pub use rules::{
    BLOCKED, CONNECTIONS, PAUSED, RULES, TWO_PRIMARIES, WAITING, WRAPAROUND, describe, doubled, two_primaries,
};
pub use settings::PostgresSettings;
pub use slower::{Means, Slower};
pub use state::{Histories, PostgresState, Rates, Setback, WINDOW, lag_bytes};
pub use statement::{Literals, StatementText};
pub use totals::Totals;
pub use turns::Turns;
pub use untold::{Fact, Untold};
pub use watches::{WATCHES, Watched, is_watched, kept, watches};
pub use window::{StatementDelta, StatementsDelta};

mod action;
mod activity;
mod copies;
mod departed;
mod forest;
mod graph;
mod grow;
mod health;
mod pace;
pub use action::{BackendId, CANCEL, PgAction, Pinned, Promise, TERMINATE, TERMINATE_IDLE, Upkeep};

/// Every question of ours begins with this, in logs and among the statements.
pub const OWN_MARK: &str = "/* stacktop */ ";
