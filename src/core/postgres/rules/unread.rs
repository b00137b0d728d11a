//! What nobody can say while a part of a reading is not there.

use crate::core::part::{self, Unread};
use crate::core::postgres::{Look, Looked, PostgresReading};

const BLOCKING: &[&str] = &["postgres.blocked", "postgres.blocked_sessions"];
const SESSIONS: &[&str] =
    &["postgres.idle_in_transaction", "postgres.long_query", "postgres.long_transaction"];
const DATABASES: &[&str] = &[
    "postgres.cache_hit",
    "postgres.deadlocks",
    "postgres.wraparound",
    "postgres.time_left",
    "postgres.checksums",
];
const SLOTS: &[&str] = &["postgres.connections", "postgres.synchronous", "postgres.time_left"];
const COPIES: &[&str] = &["postgres.replication_lag", "postgres.replication_bytes", "postgres.rotation"];

/// The parts of this reading that could not be read, and the rules that look at them.
#[must_use]
pub fn unread(reading: &PostgresReading) -> Vec<Unread> {
    let (health, sessions, hidden) = (&reading.health, reading.sessions.gap(), reading.hidden());
    let prepared = health.ready().and_then(|health| health.prepared.gap());
    let subscriptions = health.ready().and_then(|health| health.subscriptions.gap());
    let watched = |looked: &&Looked| matches!(looked.look, Look::Panel(_));
    let panels = reading.looks.iter().filter(watched).find_map(|looked| looked.table.gap());
    let archiver = health.ready().and_then(|health| health.archiver.gap());
    let hidden = hidden.as_ref();
    // A server that tells nothing of others' senders and receivers tells nothing of copies.
    let feeds = hidden.filter(|_| reading.senders.ready().is_some_and(|senders| !senders.is_empty()));
    let follows = hidden.filter(|_| reading.standby.ready().is_some());
    part::unread(&[
        (sessions.or(hidden), SESSIONS, "idle transactions, long statements and crashes"),
        (reading.locks.gap(), BLOCKING, "blocking"),
        (reading.databases.gap(), DATABASES, "cache hits, deadlocks, checksums and transaction ids"),
        (reading.slots.gap(), SLOTS, "connections"),
        (reading.senders.gap().or(feeds), COPIES, "how far copies are behind"),
        (reading.senders.gap(), &["postgres.synchronous"], "synchronous commits"),
        (reading.senders.gap().or(feeds), &["postgres.copy_gone"], "copies that are gone"),
        (reading.standby.gap().or(follows), COPIES, "how far it is behind"),
        (reading.standby.gap().or(follows), &["postgres.receiver"], "whether it receives"),
        (
            reading.replication_slots.gap(),
            &["postgres.slot_retained", "postgres.time_left"],
            "replication slots",
        ),
        (health.gap().or(prepared), &["postgres.prepared"], "prepared transactions"),
        (health.gap().or(archiver), &["postgres.archiver"], "archiving"),
        (health.gap().or(subscriptions), &["postgres.subscription"], "subscriptions"),
        (panels, &["postgres.panel"], ""),
        (reading.pooler.gap(), &["pgbouncer.waiting", "pgbouncer.paused"], ""),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::{Gap, GapKind, Part};
    use crate::core::postgres::{Sender, Server, Session, Standby};

    fn watched(reading: &PostgresReading) -> Vec<&'static str> {
        unread(reading).into_iter().map(|unread| unread.watches).collect()
    }

    #[test]
    fn what_a_role_may_not_see_is_not_watched_and_said_to_be() {
        let server = Server { role: "app".to_owned(), ..Server::default() };
        let sessions = Part::Ready(vec![Session::default()]);
        let mut poor = PostgresReading { server, sessions, ..PostgresReading::default() };
        assert_eq!(watched(&poor), ["idle transactions, long statements and crashes"]);
        assert!(unread(&poor)[0].gap.note.ends_with("without GRANT pg_monitor TO app"));
        poor.senders = Part::Ready(vec![Sender::default()]);
        assert!(watched(&poor).contains(&"how far copies are behind"));
        poor.senders = Part::Ready(Vec::new());
        poor.standby = Part::Ready(Standby::default());
        assert!(watched(&poor).contains(&"whether it receives"));
        poor.server.reads_all_stats = true;
        assert_eq!(watched(&poor), Vec::<&str>::new());
        // What a service does not have is not missed; what is forbidden is.
        poor.locks = Part::Unavailable(Gap::new(GapKind::NotSupported, "locks"));
        assert_eq!(watched(&poor), Vec::<&str>::new());
        poor.locks = Part::Unavailable(Gap::new(GapKind::NotPermitted, "locks"));
        assert_eq!(watched(&poor), ["blocking"]);
    }
}
