//! What can be done to a Postgres server, and the identity under which a backend is pinned.

use crate::core::text::counted;
use serde::{Deserialize, Serialize};

/// One statement checks who it is and sends the signal; no row means that it is not that backend any more.
pub const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_get_activity($1) \
     WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::int8 = $2";
/// The same for one that was chosen with others because it is idle: whoever began something since then is left alone.
pub const TERMINATE_IDLE: &str = "SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_get_activity($1) \
     WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::int8 = $2 \
     AND (extract(epoch FROM query_start) * 1000000)::int8 = $3 AND state = 'idle'";
/// The same for a cancel, which is for one statement only.
pub const CANCEL: &str = "SELECT pg_cancel_backend(pid) FROM pg_catalog.pg_stat_get_activity($1) \
     WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::int8 = $2 \
     AND (extract(epoch FROM query_start) * 1000000)::int8 = $3 AND state = 'active'";

/// A server process: a pid alone can be reused, a pid with its start cannot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BackendId {
    /// The process id on the server.
    pub pid: i32,
    /// `backend_start` in microseconds since 1970-01-01 UTC.
    pub backend_start_micros: i64,
}

/// Upkeep of a table or an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// `ANALYZE`: new statistics for the planner.
    Analyze,
    /// `VACUUM (ANALYZE)`: removes dead rows; readers and writers go on.
    Vacuum,
    /// `REINDEX INDEX CONCURRENTLY`: builds the index anew; readers and writers go on.
    Reindex,
    /// `pg_stat_statements_reset()`: every statement's counters begin anew, for everybody.
    ResetStatements,
}

impl Upkeep {
    /// The command on `name`, which is quoted already: a relation, or the whole call.
    #[must_use]
    pub fn command(self, name: &str) -> String {
        match self {
            Self::Analyze => format!("ANALYZE {name}"),
            Self::Vacuum => format!("VACUUM (ANALYZE) {name}"),
            Self::Reindex => format!("REINDEX INDEX CONCURRENTLY {name}"),
            Self::ResetStatements if name.is_empty() => "SELECT pg_stat_statements_reset()".to_owned(),
            Self::ResetStatements => format!("SELECT {name}"),
        }
    }

    /// The kinds of relations that it is for (`pg_class.relkind`).
    #[must_use]
    pub const fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Analyze | Self::Vacuum => &["r", "m", "p"],
            Self::Reindex => &["i", "I"],
            Self::ResetStatements => &[],
        }
    }
}

/// A backend that was chosen with others: who, and the start of the statement that was seen: for a cancel the one that runs, to terminate
/// an idle one its last.
pub type Pinned = (BackendId, Option<i64>);

/// What an operator was told before an action on backends: whom it frees. The look afterwards is about these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promise {
    /// Process ids that get what they wait for at once.
    pub released: Vec<i32>,
    /// Process ids that wait behind it and go on waiting: for those that are released, or for others who hold on.
    pub waiting: Vec<i32>,
}

impl Promise {
    /// Whether nothing of it is broken by what would be promised now: somebody may have given up, nobody may have been found to
    /// be held by another.
    #[must_use]
    pub fn holds(&self, now: &Self) -> bool {
        self.released.iter().all(|pid| !now.waiting.contains(pid))
    }
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
        /// Whom it frees.
        promise: Promise,
    },
    /// `pg_terminate_backend`, only if it is still the same backend.
    Terminate {
        /// Which backend.
        backend: BackendId,
        /// Whom it frees.
        promise: Promise,
    },
    /// The same to each of several, frozen when the operator chose them; each is checked for itself.
    Several {
        /// Which backends.
        backends: Vec<Pinned>,
        /// Terminate them; otherwise cancel.
        terminate: bool,
        /// Whom they free together.
        promise: Promise,
    },
    /// Upkeep of a relation, only if its name still means exactly one.
    Upkeep {
        /// What.
        upkeep: Upkeep,
        /// `schema.name`, not quoted; empty where it is about no relation.
        relation: String,
    },
}

impl PgAction {
    /// The same for one backend: what is done to each of [`PgAction::Several`].
    #[must_use]
    pub fn one((backend, query_start_micros): Pinned, terminate: bool) -> Self {
        let promise = Promise::default();
        match (terminate, query_start_micros) {
            (false, Some(query_start_micros)) => Self::Cancel { backend, query_start_micros, promise },
            (true, _) | (false, None) => Self::Terminate { backend, promise },
        }
    }

    /// Whom it frees, if it is about backends.
    #[must_use]
    pub const fn promise(&self) -> Option<&Promise> {
        match self {
            Self::Cancel { promise, .. }
            | Self::Terminate { promise, .. }
            | Self::Several { promise, .. } => Some(promise),
            Self::Upkeep { .. } => None,
        }
    }

    /// Whether this, chosen a moment ago, is still what `offered` would be: the same to the same, and what was promised of it holds.
    /// Several that were frozen stay as they were frozen; each is looked at again when it is its turn.
    #[must_use]
    pub fn is_still(&self, offered: &Self) -> bool {
        let same = match (self, offered) {
            (
                Self::Cancel { backend, query_start_micros, .. },
                Self::Cancel { backend: other, query_start_micros: began, .. },
            ) => (backend, query_start_micros) == (other, began),
            (Self::Terminate { backend, .. }, Self::Terminate { backend: other, .. }) => backend == other,
            (Self::Several { terminate, .. }, Self::Several { terminate: other, .. }) => terminate == other,
            _ => self == offered,
        };
        let promised = self.promise().zip(offered.promise());
        same && promised.is_none_or(|(promised, now)| promised.holds(now))
    }

    /// The verb for the audit trail.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Cancel { .. } => "cancel_backend",
            Self::Terminate { .. } => "terminate_backend",
            Self::Several { terminate: false, .. } => "cancel_backends",
            Self::Several { terminate: true, .. } => "terminate_backends",
            Self::Upkeep { upkeep: Upkeep::Analyze, .. } => "analyze",
            Self::Upkeep { upkeep: Upkeep::Vacuum, .. } => "vacuum",
            Self::Upkeep { upkeep: Upkeep::Reindex, .. } => "reindex",
            Self::Upkeep { upkeep: Upkeep::ResetStatements, .. } => "reset_statements",
        }
    }

    /// The pinned identity, for people and for the audit trail.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::Cancel { backend, query_start_micros, .. } => format!(
                "pid {} backend_start {} query_start {query_start_micros}",
                backend.pid, backend.backend_start_micros
            ),
            Self::Terminate { backend, .. } => {
                format!("pid {} backend_start {}", backend.pid, backend.backend_start_micros)
            }
            Self::Several { backends, terminate, .. } => {
                let each = backends.iter().map(|pinned| {
                    let idle = pinned.1.filter(|_| *terminate);
                    let idle = idle.map_or(String::new(), |last| format!(" idle since query_start {last}"));
                    Self::one(*pinned, *terminate).identity() + &idle
                });
                each.collect::<Vec<_>>().join("; ")
            }
            Self::Upkeep { relation, .. } => relation.clone(),
        }
    }

    /// The statement with its parameters, as it is shown and written down.
    #[must_use]
    pub fn statement(&self) -> String {
        let (text, backend) = match self {
            Self::Terminate { backend, .. } => (TERMINATE.to_owned(), backend),
            Self::Cancel { backend, query_start_micros, .. } => {
                (CANCEL.replace("$3", &query_start_micros.to_string()), backend)
            }
            Self::Several { backends, terminate, .. } => {
                let of = |idle: bool| backends.iter().filter(|(_, last)| last.is_some() == idle).count();
                return match (*terminate, of(true), of(false)) {
                    (false, ..) => {
                        format!("for each of {}: {CANCEL}", counted(backends.len(), "backend"))
                    }
                    (true, 0, others) => format!("for each of {}: {TERMINATE}", counted(others, "backend")),
                    (true, idle, 0) => {
                        format!("for each of {}: {TERMINATE_IDLE}", counted(idle, "idle backend"))
                    }
                    (true, idle, others) => format!(
                        "for each of {}: {TERMINATE_IDLE}; for each of {}: {TERMINATE}",
                        counted(idle, "idle backend"),
                        counted(others, "other")
                    ),
                };
            }
            Self::Upkeep { upkeep, relation } => return upkeep.command(relation),
        };
        text.replace("$1", &backend.pid.to_string()).replace("$2", &backend.backend_start_micros.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_broken_by_another_holder_and_not_by_who_gave_up() {
        let act = |pid: i32, released: &[i32], waiting: &[i32]| PgAction::Terminate {
            backend: BackendId { pid, backend_start_micros: 1 },
            promise: Promise { released: released.to_vec(), waiting: waiting.to_vec() },
        };
        let chosen = act(1, &[5, 6], &[7]);
        assert!(chosen.is_still(&act(1, &[5, 6, 8], &[7, 9])), "others joined");
        assert!(chosen.is_still(&act(1, &[6], &[])), "5 and 7 gave up");
        assert!(!chosen.is_still(&act(1, &[6], &[5])), "5 would not be released any more");
        assert!(!chosen.is_still(&act(2, &[5, 6], &[7])), "another backend");
    }
}
