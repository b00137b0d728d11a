//! Edges from findings about a Redis server or its queues.

use super::parts::{JOBS_FAIL, REASON};
use crate::core::chain::edge::Edge;
use crate::core::chain::ties::{lately as lately_ties, redis};
use crate::core::metrics::rules::{LATENCY, levels};
use crate::core::redis::rules::{ends, lately, queues, server};
use crate::core::source_rules::{FULL, UNREAD};

pub(super) static EDGES: &[Edge] = &[
    Edge {
        verb: "leaves no room",
        causes: &[server::MEMORY.spec.id],
        effects: &[server::ERRORS.spec.id],
        withdrawn_by: "writes are refused below the limit, too",
        ties: redis::out_of_memory,
    },
    Edge {
        verb: "refuses their writes",
        causes: &[server::MEMORY.spec.id, server::PERSISTENCE.spec.id, server::ERRORS.spec.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: redis::refused_writes,
    },
    Edge {
        verb: "makes it refuse writes",
        causes: &[server::PERSISTENCE.spec.id],
        effects: &[server::ERRORS.spec.id],
        withdrawn_by: "writes are refused though the last save worked",
        ties: redis::misconf,
    },
    Edge {
        verb: "is a copy now and refuses writes",
        causes: &[server::REPLICA_LINK.spec.id],
        effects: &[server::ERRORS.spec.id],
        withdrawn_by: "writes are refused on the primary, too",
        ties: redis::readonly,
    },
    Edge {
        verb: "evicts keys of jobs",
        causes: &[server::EVICTIONS.spec.id, server::EVICTION_POLICY.spec.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: redis::evicted,
    },
    Edge {
        verb: "evicts keys to make room",
        causes: &[server::MEMORY.spec.id],
        effects: &[server::EVICTIONS.spec.id],
        withdrawn_by: "keys are evicted below the limit, too",
        ties: redis::same_server,
    },
    Edge {
        verb: "leaves no place for clients",
        causes: &[server::CLIENTS.spec.id, FULL.id],
        effects: &[server::REJECTED.spec.id, queues::NO_WORKER.spec.id],
        withdrawn_by: "places are free and no worker comes",
        ties: redis::no_place,
    },
    Edge {
        verb: "serves nobody",
        causes: &[server::SERVES_NOBODY.spec.id, server::CLUSTER.spec.id],
        effects: &[
            queues::NO_WORKER.spec.id,
            queues::WAIT.spec.id,
            queues::STALLED.spec.id,
            ends::FAILING.spec.id,
            UNREAD.id,
        ],
        withdrawn_by: "it serves again and they stay",
        ties: redis::same_server,
    },
    Edge {
        verb: "is a generation that does not see its jobs",
        causes: &[queues::GENERATIONS.spec.id],
        effects: &[queues::NO_WORKER.spec.id, queues::WAIT.spec.id],
        withdrawn_by: "jobs of one generation wait, too",
        ties: redis::same_queue,
    },
    Edge {
        verb: "leaves its jobs lying",
        causes: &[queues::NO_WORKER.spec.id],
        effects: &[queues::WAIT.spec.id, queues::STALLED.spec.id, queues::SCHEDULER.spec.id],
        withdrawn_by: "a worker is back and they stay",
        ties: redis::same_queue_or_all,
    },
    Edge {
        verb: "gives up its jobs",
        // Failed jobs that are kept are told by the rule that tells of letters, too.
        causes: &[ends::FAILING.spec.id, ends::DEAD_LETTERS.spec.id],
        effects: &[ends::DEAD_LETTERS.spec.id],
        withdrawn_by: "letters come from another queue",
        ties: redis::letters_of,
    },
    Edge {
        verb: "is a copy now and refuses writes",
        causes: &[lately::RESET.spec.id],
        effects: &[server::ERRORS.spec.id],
        withdrawn_by: "writes are refused on the primary, too",
        ties: redis::readonly,
    },
    Edge {
        verb: "let its clients go",
        causes: &[lately::RESET.spec.id],
        effects: &[
            ends::FAILING.spec.id,
            ends::DEAD_LETTERS.spec.id,
            queues::NO_WORKER.spec.id,
            queues::STALLED.spec.id,
        ],
        withdrawn_by: "they are as before after its clients came back",
        ties: lately_ties::began_anew,
    },
    Edge {
        verb: "threw away keys of jobs",
        causes: &[lately::FLUSHED.spec.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: lately_ties::emptied,
    },
    Edge {
        verb: "emptied its cache",
        causes: &[lately::FLUSHED.spec.id],
        effects: &[levels::CACHE_HIT.spec.id],
        withdrawn_by: "the cache is warm again and finds as little",
        ties: lately_ties::cache_of_service,
    },
    Edge {
        verb: "held everybody up",
        causes: &[lately::SLOW_COMMAND.spec.id],
        effects: &[
            ends::FAILING.spec.id,
            ends::DEAD_LETTERS.spec.id,
            queues::STALLED.spec.id,
            queues::WAIT.spec.id,
        ],
        withdrawn_by: "they are as before though no command is slow",
        ties: lately_ties::held_up,
    },
    Edge {
        verb: "held everybody up",
        causes: &[lately::SLOW_COMMAND.spec.id],
        effects: &[LATENCY.spec.id],
        withdrawn_by: "no command is slow and the requests are",
        ties: lately_ties::held_up_service,
    },
    Edge {
        verb: "gives up their children",
        causes: JOBS_FAIL,
        effects: &[ends::PARENTS.spec.id],
        withdrawn_by: "the children of another queue have failed",
        ties: lately_ties::children_of,
    },
];
