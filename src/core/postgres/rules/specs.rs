//! The defaults of every rule about a PostgreSQL server.

use crate::core::alert::{RuleSpec, RuleUnit, Triage};
use std::time::Duration;

const fn rule(
    id: &'static str,
    help: &'static str,
    unit: RuleUnit,
    thresholds: (Option<f64>, Option<f64>),
    hold_seconds: u64,
    triage: Triage,
) -> RuleSpec {
    RuleSpec::new(id, help, unit, thresholds, Duration::from_secs(hold_seconds), triage)
}

use RuleUnit::{Bytes, Count, Ratio, Seconds, State};
use Triage::{Capacity, Lag, Latency, Saturation};

/// The rules of this system with their defaults.
pub const RULES: &[RuleSpec] = &[
    rule(
        "postgres.blocked",
        "the longest wait for a lock behind one root",
        Seconds,
        (Some(10.0), Some(60.0)),
        0,
        Saturation,
    ),
    rule(
        "postgres.blocked_sessions",
        "sessions that wait behind one root, however short",
        Count,
        (Some(3.0), Some(10.0)),
        0,
        Saturation,
    ),
    rule(
        "postgres.idle_in_transaction",
        "a session idle in transaction",
        Seconds,
        (Some(60.0), Some(300.0)),
        0,
        Saturation,
    ),
    rule(
        "postgres.connections",
        "share of the usable connection slots in use",
        Ratio,
        (Some(0.8), Some(0.9)),
        0,
        Saturation,
    ),
    rule(
        "postgres.long_query",
        "a statement of a client that runs for long",
        Seconds,
        (Some(300.0), None),
        0,
        Latency,
    ),
    rule(
        "postgres.cache_hit",
        "less than this share of blocks found in the cache, over a minute",
        Ratio,
        (Some(0.8), None),
        60,
        Latency,
    ),
    rule("postgres.deadlocks", "deadlocks within a minute", Count, (Some(1.0), None), 0, Triage::Errors),
    rule("postgres.replication_lag", "seconds that a copy is behind", Seconds, (Some(5.0), None), 5, Lag),
    rule(
        "postgres.replication_bytes",
        "bytes that a copy is behind",
        Bytes,
        (Some(67_108_864.0), Some(1_073_741_824.0)),
        5,
        Lag,
    ),
    rule(
        "postgres.rotation",
        "a copy that is of no use to its readers, by max_lag and max_latency of its target",
        State,
        (None, None),
        5,
        Lag,
    ),
    rule(
        "postgres.synchronous",
        "commits wait for a synchronous standby and none is connected",
        State,
        (None, None),
        5,
        Saturation,
    ),
    rule(
        "postgres.backup",
        "age of the newest backup file (`backups` of the target)",
        Seconds,
        (Some(93_600.0), Some(180_000.0)),
        0,
        Capacity,
    ),
    rule(
        "postgres.time_left",
        "less than this until connections, transaction ids or a replication slot come to their end, at most a warning",
        Seconds,
        (Some(14_400.0), None),
        0,
        Triage::Forecast,
    ),
    rule("postgres.receiver", "a standby that receives nothing", State, (None, None), 5, Lag),
    rule(
        "postgres.slot_retained",
        "bytes of WAL kept for a slot nobody reads",
        Bytes,
        (Some(1_073_741_824.0), Some(10_737_418_240.0)),
        0,
        Capacity,
    ),
    rule("postgres.prepared", "age of a prepared transaction", Seconds, (Some(300.0), None), 0, Saturation),
    rule(
        "postgres.wraparound",
        "age of the oldest transaction id of a database",
        Count,
        (Some(500_000_000.0), Some(1_500_000_000.0)),
        0,
        Capacity,
    ),
    rule(
        "postgres.archiver",
        "WAL cannot be archived: the last attempt failed, or no command is set",
        State,
        (None, None),
        0,
        Capacity,
    ),
    rule(
        "pgbouncer.waiting",
        "how long a client has been waiting for a server connection",
        Seconds,
        (Some(1.0), Some(10.0)),
        0,
        Saturation,
    ),
    rule(
        "pgbouncer.silent",
        "the console of a PgBouncer does not answer: nobody knows who waits",
        State,
        (None, None),
        0,
        Saturation,
    ),
    rule(
        "pgbouncer.paused",
        "a database of a PgBouncer is paused or disabled",
        State,
        (None, None),
        5,
        Saturation,
    ),
    rule(
        "postgres.panel",
        "a panel of your own is above a threshold of its own",
        State,
        (None, None),
        0,
        Triage::Errors,
    ),
    rule(
        "postgres.reset",
        "the server restarted, crashed or changed sides, or its counters were reset",
        State,
        (None, None),
        0,
        Triage::Errors,
    ),
];
