//! What can be done to a Postgres server, and the identity under which a backend is pinned.

/// A server process: a pid alone can be reused, a pid with its start cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackendId {
    /// The process id on the server.
    pub pid: i32,
    /// `backend_start` in microseconds since 1970-01-01 UTC.
    pub backend_start_micros: i64,
}

/// One change to a Postgres server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PgAction {
    /// `pg_cancel_backend`, only if the backend still runs the statement that was seen.
    Cancel {
        /// Which backend.
        backend: BackendId,
        /// `query_start` of the statement that was seen, in microseconds since 1970-01-01 UTC.
        query_start_micros: i64,
    },
    /// `pg_terminate_backend`, only if it is still the same backend.
    Terminate {
        /// Which backend.
        backend: BackendId,
    },
}

impl PgAction {
    /// The verb for the audit trail.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "cancel_backend",
            Self::Terminate { .. } => "terminate_backend",
        }
    }

    /// The pinned identity, for people and for the audit trail.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::Cancel { backend, query_start_micros } => format!(
                "pid {} backend_start {} query_start {query_start_micros}",
                backend.pid, backend.backend_start_micros
            ),
            Self::Terminate { backend } => {
                format!("pid {} backend_start {}", backend.pid, backend.backend_start_micros)
            }
        }
    }
}
