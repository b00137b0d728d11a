//! What nobody can say while a part of a reading is not there.

use crate::core::part;
use crate::core::postgres::PostgresReading;

const BLOCKING: &[&str] = &["postgres.blocked", "postgres.blocked_sessions"];
const SESSIONS: &[&str] = &["postgres.idle_in_transaction", "postgres.long_query"];
const DATABASES: &[&str] =
    &["postgres.cache_hit", "postgres.deadlocks", "postgres.wraparound", "postgres.time_left"];
const SLOTS: &[&str] = &["postgres.connections", "postgres.synchronous", "postgres.time_left"];
const COPIES: &[&str] = &["postgres.replication_lag", "postgres.replication_bytes", "postgres.rotation"];

/// Rules that cannot be judged by this reading, because their part of it could not be read.
#[must_use]
pub fn unread(reading: &PostgresReading) -> Vec<&'static str> {
    let (health, sessions) = (&reading.health, reading.sessions.gap());
    let prepared = health.ready().and_then(|health| health.prepared.gap());
    let archiver = health.ready().and_then(|health| health.archiver.gap());
    part::unread(&[
        (sessions, SESSIONS),
        (sessions.or(reading.locks.gap()), BLOCKING),
        (reading.databases.gap(), DATABASES),
        (reading.slots.gap(), SLOTS),
        (reading.senders.gap(), COPIES),
        (reading.senders.gap(), &["postgres.synchronous"]),
        (reading.standby.gap(), COPIES),
        (reading.standby.gap(), &["postgres.receiver"]),
        (reading.replication_slots.gap(), &["postgres.slot_retained", "postgres.time_left"]),
        (health.gap().or(prepared), &["postgres.prepared"]),
        (health.gap().or(archiver), &["postgres.archiver"]),
        (reading.pooler.gap(), &["pgbouncer.waiting", "pgbouncer.paused"]),
    ])
}
