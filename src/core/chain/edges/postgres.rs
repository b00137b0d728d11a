//! Edges from findings about a PostgreSQL server or its pooler.

use super::parts::{DISKS, JOBS_FAIL, OPEN, POOL_WAITS, REASON, SERVICE, SERVICE_OR_POOL};
use crate::core::chain::edge::Edge;
use crate::core::chain::ties::{copies as copies_ties, load, network, postgres, refused, workers};
use crate::core::metrics::rules::{LATENCY, levels};
use crate::core::postgres::rules::{
    blocked, copies, health, pools, sessions, slots, standby, statements, watched, written,
};
use crate::core::redis::rules::{ends, queues};
use crate::core::source_rules::{FULL, SILENT};

pub(super) static EDGES: &[Edge] = &[
    Edge {
        verb: "keeps its sessions waiting",
        causes: &[blocked::BLOCKED.spec.id],
        effects: SERVICE_OR_POOL,
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
        effects: SERVICE_OR_POOL,
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
        effects: DISKS,
        withdrawn_by: "the disk fills though the WAL does not grow",
        ties: network::takes_room,
    },
    Edge {
        verb: "needs a vacuum that gives way to nobody",
        causes: &[health::WRAPAROUND.spec.id],
        effects: &[blocked::BLOCKED.spec.id],
        withdrawn_by: "they wait on after the vacuum has ended",
        ties: load::vacuum_gives_way_to_nobody,
    },
    Edge {
        verb: "keeps its dead rows",
        causes: &[
            sessions::IDLE_IN_TRANSACTION.spec.id,
            sessions::LONG_QUERY.spec.id,
            sessions::LONG_TRANSACTION.spec.id,
            sessions::PREPARED.spec.id,
        ],
        effects: &[watched::TABLE_OVERDUE.spec.id],
        withdrawn_by: "vacuum removes nothing after it ended",
        ties: load::keeps_dead_rows,
    },
    Edge {
        verb: "is full of dead rows",
        causes: &[watched::TABLE_OVERDUE.spec.id],
        effects: &[statements::STATEMENT_SLOWER.spec.id],
        withdrawn_by: "it is as slow after a VACUUM",
        ties: load::dead_rows_of_statement,
    },
    Edge {
        verb: "takes longer",
        causes: &[statements::STATEMENT_SLOWER.spec.id],
        effects: &[
            LATENCY.spec.id,
            levels::QUERY_P95.spec.id,
            levels::SLOW_QUERIES.spec.id,
            levels::POOL.spec.id,
        ],
        withdrawn_by: "it is as fast as before and the requests are not",
        ties: load::slow_for_service,
    },
    Edge {
        verb: "holds connections of the pool",
        causes: &[statements::STATEMENT_SLOWER.spec.id, sessions::LONG_QUERY.spec.id],
        effects: POOL_WAITS,
        withdrawn_by: "the pool is full of other statements",
        ties: load::slow_for_pool,
    },
    Edge {
        verb: "writes faster than it replays",
        causes: &[written::WAL_BURST.spec.id],
        effects: &[copies::REPLICATION_LAG.spec.id, standby::ROTATION.spec.id],
        withdrawn_by: "it writes as usual and the copy stays behind",
        ties: load::wal_of_copy,
    },
    Edge {
        verb: "is the copy that its primary tells of",
        causes: &[copies::REPLICATION_LAG.spec.id, standby::RECEIVER.spec.id, SILENT.id],
        effects: &[copies::REPLICATION_LAG.spec.id, copies::COPY_GONE.spec.id],
        withdrawn_by: "one of the two is well and the other is not",
        ties: copies_ties::told_by_both,
    },
    Edge {
        verb: "fills it with temporary files",
        causes: &[written::TEMP_FILES.spec.id],
        effects: DISKS,
        withdrawn_by: "the disk stays full after it ended",
        ties: network::takes_room,
    },
];
