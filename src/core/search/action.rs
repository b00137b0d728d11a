//! What can be done to a search cluster, and the identity under which each object is pinned. Nothing here makes data out of nothing:
//! a stale or an empty primary is never allocated.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// What stands for itself in a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

/// `name` as one part of a path.
#[must_use]
pub fn segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// Who keeps the lifecycles of indices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Keeper {
    /// Index lifecycle management of Elasticsearch.
    #[default]
    Ilm,
    /// Index state management of OpenSearch.
    Ism,
}

/// An index: a name alone can be given to another one, a name with its uuid cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexId {
    /// Its name.
    pub name: String,
    /// Its uuid.
    pub uuid: String,
}

/// A task: its number begins anew with its node, so its start belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId {
    /// `node:number`.
    pub id: String,
    /// What it does (`indices:data/write/reindex`).
    pub action: String,
    /// When it began, in milliseconds since 1970 by the clock of its node.
    pub start_millis: i64,
}

/// One change to a search cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchAction {
    /// Each shard that the cluster has given up is tried once more, if this one still is on no node.
    RetryFailed {
        /// Its index.
        index: IndexId,
        /// Its number.
        shard: String,
        /// Whether it is the primary.
        primary: bool,
    },
    /// The lifecycle step that failed is tried again, if the index still stands at it.
    RetryStep {
        /// Which index.
        index: IndexId,
        /// The step that failed.
        step: String,
        /// Who keeps the lifecycle.
        keeper: Keeper,
    },
    /// The block that a full disk put on an index is taken off, if it is there and no disk is past its marks.
    Unblock {
        /// Which index.
        index: IndexId,
    },
    /// A task is asked to end, if it is still the same.
    CancelTask {
        /// Which.
        task: TaskId,
    },
    /// An index is to have no more copies than there are nodes for, if it still wants as many as were seen.
    Replicas {
        /// Which index.
        index: IndexId,
        /// Copies of each shard that it wants.
        from: u64,
        /// Copies of each shard that there are nodes for.
        to: u64,
    },
    /// Shards are allocated again, if that is still switched to what was seen.
    Allocate {
        /// What it is switched to ("none").
        mode: String,
    },
}

/// A change waits this long for the master, and for the nodes to confirm it; then the server gives it up, and says so.
const LIMITS: &str = "master_timeout=10s&timeout=10s";

/// The setting by which allocation is switched.
pub const ALLOCATION: &str = "cluster.routing.allocation.enable";
/// The block that a full disk puts on an index.
pub const BLOCK: &str = "index.blocks.read_only_allow_delete";
/// So many copies of each shard an index wants.
pub const REPLICAS: &str = "index.number_of_replicas";

/// One request, exactly as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// It replaces something (`PUT`); else it is a `POST`.
    pub put: bool,
    /// Path and query.
    pub path: String,
    /// The JSON body, if there is one.
    pub body: Option<serde_json::Value>,
}

impl SearchAction {
    /// The verb for the audit trail.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::RetryFailed { .. } => "retry_failed_shards",
            Self::RetryStep { .. } => "retry_lifecycle_step",
            Self::Unblock { .. } => "remove_read_only_block",
            Self::CancelTask { .. } => "cancel_task",
            Self::Replicas { .. } => "set_replicas",
            Self::Allocate { .. } => "allocation_on",
        }
    }

    /// The index that it is about, if it is about one.
    #[must_use]
    pub const fn index(&self) -> Option<&IndexId> {
        match self {
            Self::RetryFailed { index, .. }
            | Self::RetryStep { index, .. }
            | Self::Unblock { index }
            | Self::Replicas { index, .. } => Some(index),
            Self::CancelTask { .. } | Self::Allocate { .. } => None,
        }
    }

    /// Whether its request names an index: whoever has that name then is changed.
    #[must_use]
    pub const fn is_by_name(&self) -> bool {
        match self {
            Self::RetryStep { .. } | Self::Unblock { .. } | Self::Replicas { .. } => true,
            Self::RetryFailed { .. } | Self::CancelTask { .. } | Self::Allocate { .. } => false,
        }
    }

    /// The pinned identity, for people and for the audit trail.
    #[must_use]
    pub fn identity(&self) -> String {
        let of = |index: &IndexId| format!("index {} uuid {}", index.name, index.uuid);
        match self {
            Self::RetryFailed { index, shard, primary } => {
                let copy = if *primary { "primary" } else { "replica" };
                format!("{} shard {shard} {copy}", of(index))
            }
            Self::RetryStep { index, step, .. } => format!("{} step {step}", of(index)),
            Self::Unblock { index } => of(index),
            Self::CancelTask { task } => {
                format!("task {} {} start {}", task.id, task.action, task.start_millis)
            }
            Self::Replicas { index, from, .. } => format!("{} number_of_replicas {from}", of(index)),
            Self::Allocate { mode } => format!("{ALLOCATION} {mode}"),
        }
    }

    /// What is sent once the identity was found to be the same.
    #[must_use]
    pub fn request(&self) -> Request {
        let settings = |index: &IndexId, body| Request {
            put: true,
            path: format!("/{}/_settings?{LIMITS}", segment(&index.name)),
            body: Some(body),
        };
        let post = |path: String| Request { put: false, path, body: None };
        match self {
            // Without the filter older servers answer with the state of the whole cluster.
            Self::RetryFailed { .. } => {
                post(format!("/_cluster/reroute?retry_failed=true&filter_path=acknowledged&{LIMITS}"))
            }
            Self::RetryStep { index, keeper: Keeper::Ilm, .. } => {
                post(format!("/{}/_ilm/retry", segment(&index.name)))
            }
            Self::RetryStep { index, keeper: Keeper::Ism, .. } => {
                post(format!("/_plugins/_ism/retry/{}", segment(&index.name)))
            }
            Self::Unblock { index } => settings(index, serde_json::json!({BLOCK: null})),
            Self::CancelTask { task } => post(format!("/_tasks/{}/_cancel", segment(&task.id))),
            Self::Replicas { index, to, .. } => settings(index, serde_json::json!({REPLICAS: to})),
            Self::Allocate { .. } => Request {
                put: true,
                path: format!("/_cluster/settings?{LIMITS}"),
                body: Some(
                    serde_json::json!({"persistent": {ALLOCATION: null}, "transient": {ALLOCATION: null}}),
                ),
            },
        }
    }

    /// The request as it is shown and written down.
    #[must_use]
    pub fn statement(&self) -> String {
        let Request { put, path, body } = self.request();
        let method = if put { "PUT" } else { "POST" };
        body.map_or_else(|| format!("{method} {path}"), |body| format!("{method} {path} {body}"))
    }

    /// The right that a server with security wants for it.
    #[must_use]
    pub const fn privilege(&self) -> &'static str {
        match self {
            Self::RetryFailed { .. } | Self::Allocate { .. } => {
                "the cluster privilege `manage` (OpenSearch: cluster_manage_all)"
            }
            Self::CancelTask { .. } => {
                "the cluster privilege `manage` (Elasticsearch 8.15 and newer: cancel_task, too)"
            }
            Self::RetryStep { keeper: Keeper::Ilm, .. } => "the index privilege `manage_ilm`",
            Self::RetryStep { keeper: Keeper::Ism, .. } => {
                "the permission cluster:admin/opendistro/ism/managedindex/retry"
            }
            Self::Unblock { .. } | Self::Replicas { .. } => {
                "the index privilege `manage` (OpenSearch: indices:admin/settings/update)"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(name: &str) -> IndexId {
        IndexId { name: name.to_owned(), uuid: "u1".to_owned() }
    }

    #[track_caller]
    fn check(act: &SearchAction, statement: &str, identity: &str) {
        assert_eq!(act.statement(), statement);
        assert_eq!(act.identity(), identity);
    }

    #[test]
    fn each_act_is_one_request_with_what_was_seen() {
        check(
            &SearchAction::RetryFailed { index: index("a"), shard: "0".to_owned(), primary: true },
            "POST /_cluster/reroute?retry_failed=true&filter_path=acknowledged&master_timeout=10s&timeout=10s",
            "index a uuid u1 shard 0 primary",
        );
        let step = |keeper| SearchAction::RetryStep { index: index("a"), step: "shrink".to_owned(), keeper };
        check(&step(Keeper::Ilm), "POST /a/_ilm/retry", "index a uuid u1 step shrink");
        check(&step(Keeper::Ism), "POST /_plugins/_ism/retry/a", "index a uuid u1 step shrink");
        check(
            &SearchAction::Unblock { index: index("a") },
            "PUT /a/_settings?master_timeout=10s&timeout=10s {\"index.blocks.read_only_allow_delete\":null}",
            "index a uuid u1",
        );
        let task =
            TaskId { id: "n1:7".to_owned(), action: "indices:data/read/search".to_owned(), start_millis: 5 };
        check(
            &SearchAction::CancelTask { task },
            "POST /_tasks/n1:7/_cancel",
            "task n1:7 indices:data/read/search start 5",
        );
        check(
            &SearchAction::Replicas { index: index("a"), from: 2, to: 1 },
            "PUT /a/_settings?master_timeout=10s&timeout=10s {\"index.number_of_replicas\":1}",
            "index a uuid u1 number_of_replicas 2",
        );
        check(
            &SearchAction::Allocate { mode: "none".to_owned() },
            "PUT /_cluster/settings?master_timeout=10s&timeout=10s {\"persistent\":{\"cluster.routing.allocation.enable\":null},\
             \"transient\":{\"cluster.routing.allocation.enable\":null}}",
            "cluster.routing.allocation.enable none",
        );
    }

    #[test]
    fn a_name_is_one_part_of_a_path_and_never_two() {
        for (name, path) in [
            (".ds-logs-2026.01-000001", ".ds-logs-2026.01-000001"),
            ("a/_all?x", "a%2F_all%3Fx"),
            ("ü", "%C3%BC"),
        ] {
            assert_eq!(segment(name), path);
        }
        // The server reads these as an expression all the same: what answers to it has other names then, and nothing is done.
        assert_eq!(segment("a,b*"), "a%2Cb%2A");
    }
}
