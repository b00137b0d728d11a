//! The table of edges. Each row is a mechanism; adding one is a row and the function that finds what matches.

use super::edge::Edge;
use super::ties::{network, postgres, redis, refused, search, workers};
use crate::core::alert::RuleId;
use crate::core::metrics::rules as metrics_rules;
use crate::core::postgres::rules::{blocked, copies, health, pools, sessions, slots, standby, watched};
use crate::core::prometheus::rules as prometheus_rules;
use crate::core::redis::rules::{ends, queues, server};
use crate::core::search::rules as search_rules;
use crate::core::search::rules::nodes;
use crate::core::source_rules::{FULL, SILENT, UNREAD};

const SERVICE: &[RuleId] = &[metrics_rules::ERRORS.spec.id, metrics_rules::LATENCY.spec.id];
const JOBS_FAIL: &[RuleId] = &[ends::FAILING.spec.id, ends::DEAD_LETTERS.spec.id];
const OPEN: &[RuleId] = &[
    sessions::IDLE_IN_TRANSACTION.spec.id,
    sessions::LONG_QUERY.spec.id,
    sessions::LONG_TRANSACTION.spec.id,
];
const POOL_WAITS: &[RuleId] = &[pools::WAITING.spec.id];
const CLUSTER: &[RuleId] = &[search_rules::RED.spec.id, search_rules::YELLOW.spec.id];

/// The reasons of failing jobs are read anew each minute.
const REASON: &str = "the newest failures name another reason";

/// Every edge, cause before effect.
pub static EDGES: &[Edge] = &[
    Edge {
        verb: "keeps its sessions waiting",
        causes: &[blocked::BLOCKED.spec.id],
        effects: SERVICE,
        withdrawn_by: "its sessions wait no more and the errors go on",
        ties: postgres::waiters_of_service,
    },
    Edge {
        verb: "keeps its workers waiting",
        causes: &[blocked::BLOCKED.spec.id],
        effects: &[
            ends::FAILING.spec.id,
            ends::DEAD_LETTERS.spec.id,
            queues::WAIT.spec.id,
            queues::STALLED.spec.id,
        ],
        withdrawn_by: "the sessions wait no more and the jobs go on failing",
        ties: workers::waiters_of_workers,
    },
    Edge {
        verb: "holds connections of the pool",
        causes: &[blocked::BLOCKED.spec.id],
        effects: POOL_WAITS,
        withdrawn_by: "the pool is full though nobody waits for a lock",
        ties: postgres::waiters_of_pool,
    },
    Edge {
        verb: "keeps a connection of the pool",
        causes: OPEN,
        effects: POOL_WAITS,
        withdrawn_by: "the pool is full without it",
        ties: postgres::kept_of_pool,
    },
    Edge {
        verb: "lets nobody through",
        causes: &[pools::PAUSED.spec.id],
        effects: POOL_WAITS,
        withdrawn_by: "clients wait after RESUME",
        ties: postgres::paused_pool,
    },
    Edge {
        verb: "keeps its clients waiting",
        causes: POOL_WAITS,
        effects: SERVICE,
        withdrawn_by: "its clients wait no more and the errors go on",
        ties: postgres::pool_of_service,
    },
    Edge {
        verb: "has no place for their rows",
        causes: &[watched::PARTITION_MISSING.spec.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: refused::no_partition,
    },
    Edge {
        verb: "has no number for their rows",
        causes: &[watched::SEQUENCE.spec.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: refused::no_number,
    },
    Edge {
        verb: "leaves no connection",
        causes: &[sessions::CONNECTIONS.spec.id, FULL.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: postgres::no_slot_left,
    },
    Edge {
        verb: "keeps connections",
        causes: OPEN,
        effects: &[sessions::CONNECTIONS.spec.id],
        withdrawn_by: "the connections stay in use without it",
        ties: postgres::many_open,
    },
    Edge {
        verb: "keeps connections",
        causes: &[blocked::BLOCKED.spec.id],
        effects: &[sessions::CONNECTIONS.spec.id],
        withdrawn_by: "the connections stay in use though nobody waits",
        ties: postgres::waiters_fill,
    },
    Edge {
        verb: "ends transactions",
        causes: &[health::DEADLOCKS.spec.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: postgres::deadlock,
    },
    Edge {
        verb: "ended sessions",
        causes: &[health::RESET.spec.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: postgres::server_ended_sessions,
    },
    Edge {
        verb: "holds up replay",
        causes: OPEN,
        effects: &[copies::REPLICATION_LAG.spec.id, standby::ROTATION.spec.id],
        withdrawn_by: "replay stays behind after it ended",
        ties: postgres::query_on_standby,
    },
    Edge {
        verb: "cancels what reads there",
        causes: &[copies::REPLICATION_LAG.spec.id, standby::ROTATION.spec.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: postgres::recovery_conflict,
    },
    Edge {
        verb: "holds back the oldest transaction id",
        causes: &[
            sessions::IDLE_IN_TRANSACTION.spec.id,
            sessions::LONG_TRANSACTION.spec.id,
            sessions::PREPARED.spec.id,
        ],
        effects: &[health::WRAPAROUND.spec.id],
        withdrawn_by: "the age goes on growing without it",
        ties: postgres::holds_horizon,
    },
    Edge {
        verb: "was the standby that confirms",
        causes: &[copies::COPY_GONE.spec.id],
        effects: &[standby::SYNCHRONOUS.spec.id],
        withdrawn_by: "another standby is named",
        ties: postgres::same_server,
    },
    Edge {
        verb: "keeps its commits waiting",
        causes: &[standby::SYNCHRONOUS.spec.id],
        effects: SERVICE,
        withdrawn_by: "its commits wait no more and the errors go on",
        ties: postgres::commits_of_service,
    },
    Edge {
        verb: "keeps WAL on its disk",
        causes: &[slots::SLOT_RETAINED.spec.id, health::ARCHIVER.spec.id],
        effects: &[metrics_rules::DISK.spec.id, metrics_rules::DISK_LEFT.spec.id],
        withdrawn_by: "the disk fills though the WAL does not grow",
        ties: network::same_host,
    },
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
        verb: "does not answer them",
        causes: &[SILENT.id, FULL.id],
        effects: JOBS_FAIL,
        withdrawn_by: REASON,
        ties: network::named_in_reason,
    },
    Edge {
        verb: "is what Prometheus cannot scrape",
        causes: &[SILENT.id],
        effects: &[prometheus_rules::TARGET_DOWN.spec.id],
        withdrawn_by: "Prometheus reaches it and we do not",
        ties: network::scraped_by_prometheus,
    },
    Edge {
        verb: "is what the alert is about",
        causes: &[
            blocked::BLOCKED.spec.id,
            sessions::CONNECTIONS.spec.id,
            copies::REPLICATION_LAG.spec.id,
            server::MEMORY.spec.id,
            queues::NO_WORKER.spec.id,
            queues::WAIT.spec.id,
            ends::FAILING.spec.id,
            ends::DEAD_LETTERS.spec.id,
            search_rules::RED.spec.id,
            search_rules::YELLOW.spec.id,
            nodes::DISK.spec.id,
            metrics_rules::ERRORS.spec.id,
            metrics_rules::LATENCY.spec.id,
            metrics_rules::DISK.spec.id,
            prometheus_rules::TARGET_DOWN.spec.id,
            SILENT.id,
        ],
        effects: &[prometheus_rules::ALERT.spec.id],
        withdrawn_by: "the labels name another one",
        ties: network::alert_about,
    },
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
        withdrawn_by: "they stay unassigned after it is on again",
        ties: search::same_cluster,
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
        verb: "is what it depends on",
        causes: &[
            SILENT.id,
            FULL.id,
            server::ERRORS.spec.id,
            server::SERVES_NOBODY.spec.id,
            search_rules::RED.spec.id,
            search_rules::NO_MASTER.spec.id,
            search_rules::READ_ONLY.spec.id,
        ],
        effects: SERVICE,
        withdrawn_by: "it answers again and the errors go on",
        ties: network::said_to_depend,
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
    Edge {
        verb: "is its host's full disk",
        causes: &[metrics_rules::DISK.spec.id, metrics_rules::DISK_ERROR.spec.id],
        effects: &[
            nodes::DISK.spec.id,
            search_rules::READ_ONLY.spec.id,
            server::PERSISTENCE.spec.id,
            health::ARCHIVER.spec.id,
            SILENT.id,
        ],
        withdrawn_by: "room is there and it stays",
        ties: network::same_host,
    },
];
