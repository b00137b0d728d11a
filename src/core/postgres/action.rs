//! What can be done to a Postgres server, and the identity under which a backend is pinned.

/// One statement checks who it is and sends the signal; no row means that it is not that backend any more.
pub const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity \
     WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::int8 = $2";
/// The same for a cancel, which is for one statement only.
pub const CANCEL: &str = "SELECT pg_cancel_backend(pid) FROM pg_catalog.pg_stat_activity \
     WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::int8 = $2 \
     AND (extract(epoch FROM query_start) * 1000000)::int8 = $3 AND state = 'active'";

/// A server process: a pid alone can be reused, a pid with its start cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// Which backend.
    #[must_use]
    pub const fn backend(&self) -> BackendId {
        match self {
            Self::Cancel { backend, .. } | Self::Terminate { backend } => *backend,
        }
    }

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

    /// The statement with its parameters, as it is shown and written down.
    #[must_use]
    pub fn statement(&self) -> String {
        let backend = self.backend();
        let text = match self {
            Self::Terminate { .. } => TERMINATE.to_owned(),
            Self::Cancel { query_start_micros, .. } => CANCEL.replace("$3", &query_start_micros.to_string()),
        };
        text.replace("$1", &backend.pid.to_string()).replace("$2", &backend.backend_start_micros.to_string())
    }
}
