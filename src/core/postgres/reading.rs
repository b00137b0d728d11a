//! One poll of a PostgreSQL server, as data. Ages are measured by the server, so clocks need not agree.

use super::BackendId;
use super::copies::{Backup, ReplicationSlot, Sender, Standby};
use super::health::Health;
use super::locks::LockReading;
use super::look::Looked;
use super::pooler::Pooler;
use super::statement::StatementText;
use super::untold::{Fact, Untold};
use super::watches::Watched;
use crate::core::exact;
use crate::core::part::{Gap, GapKind, Part, Warm};
use crate::core::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What one poll of a PostgreSQL server read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PostgresReading {
    /// Who answers, and what our role may do.
    pub server: Server,
    /// By how many seconds its clock is ahead of ours (or behind, where negative).
    #[serde(with = "exact")]
    pub clock: Option<f64>,
    /// Every server process.
    pub sessions: Part<Vec<Session>>,
    /// Who blocks whom; not asked while nobody waits for a lock.
    pub locks: Part<LockReading>,
    /// Counters of every database.
    pub databases: Part<Vec<DatabaseCounters>>,
    /// The connection limit.
    pub slots: Part<Slots>,
    /// Senders of a primary (or of a cascading standby).
    pub senders: Part<Vec<Sender>>,
    /// The receiver of a standby; not asked on a primary.
    pub standby: Part<Standby>,
    /// Replication slots.
    pub replication_slots: Part<Vec<ReplicationSlot>>,
    /// Counters of statements.
    pub statements: Part<Warm<Statements>>,
    /// The texts that somebody looks at, by queryid.
    pub texts: Vec<(i64, StatementText)>,
    /// What is looked at less often.
    pub health: Part<Warm<Health>>,
    /// The PgBouncer in front, where one is configured.
    pub pooler: Part<Warm<Pooler>>,
    /// How long the server took for one round trip with the hot questions.
    pub probe: Option<Duration>,
    /// The newest backup file, where the configuration says where they lie.
    pub backup: Part<Backup>,
    /// What somebody looks at, and the panels whose thresholds are watched.
    pub looks: Vec<Looked>,
    /// What is looked at in the background, each with the moment when it was read.
    pub watched: Vec<Watched>,
}

impl PostgresReading {
    /// Where it is, by what it sees of us.
    #[must_use]
    pub const fn whereabouts(&self) -> Option<&Whereabouts> {
        Some(&self.server.whereabouts)
    }

    /// The text of a statement, where somebody runs it or looks at it.
    #[must_use]
    pub fn statement(&self, query: i64) -> Option<&StatementText> {
        let looked = self.texts.iter().find(|(id, _)| *id == query).map(|(_, text)| text);
        let runs = || {
            let mut all = self.sessions.ready().into_iter().flatten();
            all.find(|session| session.query_id == Some(query)).map(|session| &session.query)
        };
        looked.or_else(runs)
    }

    /// Why most of what sessions do is hidden from our role, if it is: it sees that others are there, what they wait for only by the
    /// locks, and nothing of their states, ages and statements.
    #[must_use]
    pub fn hidden(&self) -> Option<Gap> {
        let blind = self.sessions.ready().is_some() && !self.server.reads_all_stats;
        blind.then(|| {
            let note = format!("sessions of others cannot be read without {}", self.server.permit());
            Gap::new(GapKind::NotPermitted, note)
        })
    }
}

/// Who answers, and what our role may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a role and a server")]
pub struct Server {
    /// `server_version_num`: 150018 for 15.18.
    pub version_num: u32,
    /// `server_version` as text.
    pub version: String,
    /// A standby (or a server in crash recovery), as far as that is told.
    pub in_recovery: bool,
    /// When the postmaster started, in microseconds since 1970; 0 where that is not told.
    pub started_micros: i64,
    /// The role we are.
    pub role: String,
    /// The database we are connected to.
    pub database: String,
    /// The role is a superuser.
    pub superuser: bool,
    /// It may see other sessions' statements (`pg_read_all_stats`).
    pub reads_all_stats: bool,
    /// That was granted to it, and is not in force: the role or the grant does not inherit.
    #[serde(default)]
    pub uninherited: bool,
    /// It may signal other roles' backends (`pg_signal_backend`).
    pub signals: bool,
    /// The connection is encrypted.
    pub tls: bool,
    /// It goes through a PgBouncer.
    pub pooled: bool,
    /// Where it is, by what it sees of us.
    pub whereabouts: Whereabouts,
    /// It is itself where we reach it: neither a tunnel nor a pooler, a container or another translation of addresses stands between.
    /// `false` also where nobody can tell.
    #[serde(default)]
    pub direct: bool,
    /// The number of its system of files, which all copies share; none where that may not be asked.
    pub system: Option<String>,
    /// Where its data lies, on its own machine; none where our role may not read that.
    #[serde(default)]
    pub data_directory: Option<String>,
    /// What it does not tell.
    #[serde(default)]
    pub untold: Vec<Untold>,
}

impl Server {
    /// Whether it is known to be a primary.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        !self.in_recovery && self.untold(Fact::Recovery).is_none()
    }

    /// Why this is not known, if it is not.
    #[must_use]
    pub fn untold(&self, fact: Fact) -> Option<&Gap> {
        self.untold.iter().find(|untold| untold.fact == fact).map(|untold| &untold.gap)
    }
}

/// What a session is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SessionState {
    /// Running a statement.
    Active,
    /// Waiting for a command, outside a transaction.
    Idle,
    /// Waiting for a command, inside a transaction.
    IdleInTransaction,
    /// The same after an error.
    IdleInTransactionAborted,
    /// A fast-path function call.
    Fastpath,
    /// `track_activities` is off.
    Disabled,
    /// A background process, or a row that our role may not see.
    #[default]
    Unknown,
}

impl SessionState {
    /// From `pg_stat_activity.state`.
    #[must_use]
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            Some("active") => Self::Active,
            Some("idle") => Self::Idle,
            Some("idle in transaction") => Self::IdleInTransaction,
            Some("idle in transaction (aborted)") => Self::IdleInTransactionAborted,
            Some("fastpath function call") => Self::Fastpath,
            Some("disabled") => Self::Disabled,
            _ => Self::Unknown,
        }
    }

    /// The server's own words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
            Self::IdleInTransaction => "idle in transaction",
            Self::IdleInTransactionAborted => "idle in transaction (aborted)",
            Self::Fastpath => "fastpath function call",
            Self::Disabled => "disabled",
            Self::Unknown => "not visible",
        }
    }

    /// Whether it holds a transaction open without doing anything.
    #[must_use]
    pub const fn is_idle_in_transaction(self) -> bool {
        matches!(self, Self::IdleInTransaction | Self::IdleInTransactionAborted)
    }
}

/// One server process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Its identity.
    pub id: BackendId,
    /// The leader, when it is a parallel worker.
    pub leader_pid: Option<i32>,
    /// Its database.
    pub database: String,
    /// Its role.
    pub user: String,
    /// `application_name`.
    pub application: String,
    /// Address of the client, or empty for a local socket.
    pub client: String,
    /// `backend_type` ("client backend", "walsender", "autovacuum worker").
    pub backend_type: String,
    /// What it is doing.
    pub state: SessionState,
    /// What it waits for: type and event.
    pub wait: Option<(String, String)>,
    /// How long its transaction has been open.
    pub transaction_age: Option<Duration>,
    /// How long ago its statement began.
    pub query_age: Option<Duration>,
    /// How long it has been in its state.
    pub state_age: Option<Duration>,
    /// `query_start` in microseconds since 1970: pins the statement for a cancel.
    pub query_start_micros: Option<i64>,
    /// It owns a transaction id: a rollback will undo something.
    pub writes: bool,
    /// Age in transactions of the xmin horizon that it holds back.
    pub xmin_age: Option<u32>,
    /// The role of the session is a superuser.
    pub superuser: bool,
    /// The newest statement (the running one, or the last one).
    pub query: StatementText,
    /// `query_id` (14 and later).
    pub query_id: Option<i64>,
}

impl Session {
    /// A session of a client.
    #[must_use]
    pub fn is_client(&self) -> bool {
        self.backend_type == "client backend"
    }

    /// A session of a client, or one of which our role may not know what it is and that is in a database.
    #[must_use]
    pub fn may_be_client(&self) -> bool {
        self.is_client() || (self.backend_type.is_empty() && !self.database.is_empty())
    }

    /// Sends WAL to a copy: never active in the sense of the word, never to be signalled.
    #[must_use]
    pub fn is_walsender(&self) -> bool {
        self.backend_type == "walsender"
    }

    /// A vacuum that keeps transaction ids from running out: a lock that somebody wants does not end it.
    #[must_use]
    pub fn gives_way_to_nobody(&self) -> bool {
        self.backend_type == "autovacuum worker" && self.query.contains("(to prevent wraparound)")
    }

    /// It waits for a lock.
    #[must_use]
    pub fn waits_for_lock(&self) -> bool {
        self.wait.as_ref().is_some_and(|(class, _)| class == "Lock")
    }
}

/// Counters of one database; they only grow until they are reset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatabaseCounters {
    /// Its name; empty for the objects shared by all.
    pub name: String,
    /// Transactions committed.
    #[serde(with = "exact")]
    pub commits: f64,
    /// Transactions rolled back.
    #[serde(with = "exact")]
    pub rollbacks: f64,
    /// Blocks read from outside the buffer cache (perhaps from the operating system's cache).
    #[serde(with = "exact")]
    pub blocks_read: f64,
    /// Blocks found in the buffer cache.
    #[serde(with = "exact")]
    pub blocks_hit: f64,
    /// Rows inserted, updated and deleted.
    #[serde(with = "exact")]
    pub rows_changed: f64,
    /// Temporary files written.
    #[serde(with = "exact")]
    pub temp_files: f64,
    /// Bytes of them; grows when a statement ends.
    #[serde(with = "exact")]
    pub temp_bytes: f64,
    /// Deadlocks.
    #[serde(with = "exact")]
    pub deadlocks: f64,
    /// Statements that a standby ended, for they stood in the way of replay.
    #[serde(with = "exact")]
    pub conflicts: f64,
    /// Checksum failures; not there without checksums.
    #[serde(with = "exact")]
    pub checksum_failures: Option<f64>,
    /// Seconds since the newest of them.
    #[serde(with = "exact")]
    pub checksum_failed_seconds: Option<f64>,
    /// Age of the oldest unfrozen transaction id.
    pub xid_age: Option<i64>,
    /// Age of the oldest unfrozen multixact.
    pub multixact_age: Option<i64>,
}

/// The connection limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slots {
    /// `max_connections`.
    pub max: i64,
    /// Kept for superusers, and (16 and later) for `pg_use_reserved_connections`.
    pub reserved: i64,
    /// Client backends now.
    pub used: i64,
    /// `synchronous_standby_names`: commits wait for some of these.
    pub synchronous: String,
}

impl Slots {
    /// What ordinary roles can use.
    #[must_use]
    pub const fn usable(&self) -> i64 {
        self.max - self.reserved
    }
}

/// The key of a statement: `toplevel` rows share a queryid with nested ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StatementKey {
    /// Role.
    pub user: u32,
    /// Database.
    pub database: u32,
    /// `queryid`, signed.
    pub query: i64,
    /// Called by a client, not from inside a function (always true before 14).
    pub toplevel: bool,
}

/// Counters of one statement; they only grow until it is evicted or reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StatementCounters {
    /// Times executed.
    #[serde(with = "exact")]
    pub calls: f64,
    /// Milliseconds spent executing.
    #[serde(with = "exact")]
    pub exec_ms: f64,
    /// Rows returned or changed.
    #[serde(with = "exact")]
    pub rows: f64,
    /// Blocks found in the buffer cache.
    #[serde(with = "exact")]
    pub hit: f64,
    /// Blocks read.
    #[serde(with = "exact")]
    pub read: f64,
    /// Temporary blocks written.
    #[serde(with = "exact")]
    pub temp: f64,
    /// Bytes of WAL.
    #[serde(with = "exact")]
    pub wal_bytes: f64,
    /// Milliseconds reading and writing blocks; zero while `track_io_timing` is off.
    #[serde(with = "exact")]
    pub io_ms: f64,
}

/// All statements at one moment, without their texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statements {
    /// Their counters.
    pub rows: Vec<(StatementKey, StatementCounters)>,
    /// Evictions so far (14 and later): while it grows, the numbers undercount.
    #[serde(with = "exact")]
    pub evictions: Option<f64>,
}
