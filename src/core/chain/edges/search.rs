//! Edges from findings about a search cluster.

use super::parts::{CLUSTER, JOBS_FAIL, REASON};
use crate::core::chain::edge::Edge;
use crate::core::chain::ties::search;
use crate::core::search::rules as search_rules;
use crate::core::search::rules::nodes;
use crate::core::source_rules::UNREAD;

pub(super) static EDGES: &[Edge] = &[
    Edge {
        verb: "makes its indices read-only",
        causes: &[nodes::DISK.spec.id],
        effects: &[search_rules::READ_ONLY.spec.id],
        withdrawn_by: "the disks are below their flood stage",
        ties: search::flood,
    },
    Edge {
        verb: "leaves shards where they are",
        causes: &[search_rules::ALLOCATION.spec.id],
        effects: CLUSTER,
        withdrawn_by: "another decider keeps them where they are, or they stay after it is on again",
        ties: search::decided_by_switch,
    },
    Edge {
        verb: "took shards along",
        causes: &[search_rules::NODE_LEFT.spec.id],
        effects: CLUSTER,
        withdrawn_by: "it is back, and they stay unassigned",
        ties: search::left_with_shards,
    },
    Edge {
        verb: "has no room for its shards",
        causes: &[nodes::DISK.spec.id],
        effects: CLUSTER,
        withdrawn_by: "another decider keeps them where they are",
        ties: search::decided_by_disk,
    },
    Edge {
        verb: "lets nothing be moved",
        causes: &[search_rules::NO_MASTER.spec.id],
        effects: &[search_rules::RED.spec.id, search_rules::YELLOW.spec.id, UNREAD.id],
        withdrawn_by: "a master is elected and they stay",
        ties: search::same_cluster,
    },
    Edge {
        verb: "has no room for more",
        causes: &[nodes::HEAP.spec.id],
        effects: &[search_rules::REJECTIONS.spec.id, search_rules::BREAKER.spec.id],
        withdrawn_by: "requests are refused with heap to spare",
        ties: search::same_cluster,
    },
    Edge {
        verb: "rolls nothing over",
        causes: &[search_rules::LIFECYCLE.spec.id],
        effects: &[nodes::DISK.spec.id],
        withdrawn_by: "the disk fills by other indices",
        ties: search::kept_by_lifecycle,
    },
    Edge {
        verb: "refuses their writes",
        causes: &[
            search_rules::READ_ONLY.spec.id,
            search_rules::NO_MASTER.spec.id,
            search_rules::RED.spec.id,
        ],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: search::refused_writes,
    },
    Edge {
        verb: "refuses their requests",
        causes: &[search_rules::REJECTIONS.spec.id, search_rules::BREAKER.spec.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: search::refused_requests,
    },
];
