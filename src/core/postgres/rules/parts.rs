//! The parts of a reading that rules look at, and what nobody can say while one of them is not there.

use crate::core::alert::{Judge, Missing, Need};
use crate::core::part::Part;
use crate::core::postgres::{Fact, Look, Looked, PostgresReading, PostgresState};

/// What a rule about a PostgreSQL server has before it.
pub(super) type Its<'a> = Judge<'a, PostgresState>;

pub(super) const SESSIONS: Need = Need("sessions");
pub(super) const LOCKS: Need = Need("locks");
pub(super) const DATABASES: Need = Need("databases");
pub(super) const SLOTS: Need = Need("connection slots");
pub(super) const SENDERS: Need = Need("senders");
pub(super) const STANDBY: Need = Need("standby");
pub(super) const REPLICATION_SLOTS: Need = Need("replication slots");
pub(super) const PREPARED: Need = Need("prepared transactions");
pub(super) const ARCHIVER: Need = Need("archiver");
pub(super) const SUBSCRIPTIONS: Need = Need("subscriptions");
pub(super) const PANELS: Need = Need("panels");
pub(super) const INDEXES: Need = Need("indexes");
pub(super) const PARTITIONS: Need = Need("partitions");
pub(super) const ISOLATION: Need = Need("isolation");
pub(super) const TABLES: Need = Need("tables");
pub(super) const SEQUENCES: Need = Need("sequences");
pub(super) const ROLES: Need = Need("roles");
pub(super) const STATEMENTS: Need = Need("statements");
pub(super) const SPILLS: Need = Need("temporary files");
pub(super) const MIGRATIONS: Need = Need(crate::core::postgres::MIGRATIONS);
pub(super) const POOLER: Need = Need("pooler");

/// What a server may keep to itself, and what nobody watches then.
const FACTS: [(Need, Fact, &str); 6] = [
    (Need("recovery"), Fact::Recovery, "whether it is a standby"),
    (Need("start"), Fact::Start, "restarts"),
    (Need("rights"), Fact::Rights, "what our role may do"),
    (Need("all of sessions"), Fact::Sessions, "some of what sessions do"),
    (Need("position"), Fact::Position, "how far copies and slots are behind"),
    (Need("log"), Fact::Log, "how much is written, and checkpoints"),
];

/// The parts of this reading that could not be read.
pub(super) fn missing(reading: &PostgresReading) -> Vec<Missing> {
    let (health, sessions, hidden) = (&reading.health, reading.sessions.gap(), reading.hidden());
    let prepared = health.ready().and_then(|health| health.prepared.gap());
    let subscriptions = health.ready().and_then(|health| health.subscriptions.gap());
    let watched = |looked: &&Looked| matches!(looked.look, Look::Panel(_));
    let panels = reading.looks.iter().filter(watched).find_map(|looked| looked.table.gap());
    let topic = |need: Need| {
        let watched = reading.watched.iter().find(|watched| watched.topic == need.0);
        watched.and_then(|watched| watched.table.gap())
    };
    let archiver = health.ready().and_then(|health| health.archiver.gap());
    let spills = health.ready().and_then(|health| health.spills.gap());
    let hidden = hidden.as_ref();
    // A server that tells nothing of others' senders and receivers tells nothing of copies.
    let feeds = hidden.filter(|_| reading.senders.ready().is_some_and(|senders| !senders.is_empty()));
    let follows = hidden.filter(|_| reading.standby.ready().is_some());
    let facts = FACTS.map(|(need, fact, watches)| (need, reading.server.untold(fact), watches));
    let parts = [
        (SESSIONS, sessions.or(hidden), "idle transactions, long statements and crashes"),
        (LOCKS, reading.locks.gap(), "blocking"),
        (DATABASES, reading.databases.gap(), "cache hits, deadlocks, checksums and transaction ids"),
        (SLOTS, reading.slots.gap(), "connections"),
        (SENDERS, reading.senders.gap().or(feeds), "how far copies are behind and whether they are there"),
        (STANDBY, reading.standby.gap().or(follows), "whether it receives and how far it is behind"),
        (REPLICATION_SLOTS, reading.replication_slots.gap(), "replication slots"),
        (PREPARED, health.gap().or(prepared), "prepared transactions"),
        (ARCHIVER, health.gap().or(archiver), "archiving"),
        (SUBSCRIPTIONS, health.gap().or(subscriptions), "subscriptions"),
        (STATEMENTS, reading.statements.gap(), "whether statements get slower"),
        (SPILLS, health.gap().or(spills), "temporary files"),
        (PANELS, panels, ""),
        (INDEXES, topic(INDEXES), "invalid indexes"),
        (PARTITIONS, topic(PARTITIONS), "whether partitions are missing"),
        (ISOLATION, topic(ISOLATION), "row-level security of tenants' tables"),
        (TABLES, topic(TABLES), "tables that wait for a vacuum"),
        (SEQUENCES, topic(SEQUENCES), "sequences near their end"),
        (ROLES, topic(ROLES), "roles for which no row security holds"),
        (MIGRATIONS, topic(MIGRATIONS), "whether migrations failed"),
        (POOLER, reading.pooler.gap(), ""),
    ];
    Missing::of(&[&parts[..], &facts[..]].concat())
}

/// The parts that come later than the first reading, and are not there yet.
pub(super) fn awaited(reading: &PostgresReading) -> Vec<(Need, &'static str)> {
    let health = [
        (PREPARED, "prepared transactions"),
        (ARCHIVER, "archiving"),
        (SUBSCRIPTIONS, "subscriptions"),
        (SPILLS, "temporary files"),
    ];
    let topics = [
        (INDEXES, "invalid indexes"),
        (PARTITIONS, "whether partitions are missing"),
        (ISOLATION, "row-level security of tenants' tables"),
        (TABLES, "tables that wait for a vacuum"),
        (SEQUENCES, "sequences near their end"),
        (ROLES, "roles for which no row security holds"),
        (MIGRATIONS, "whether migrations failed"),
    ];
    let waits = |(need, _): &(Need, &str)| {
        reading.watched.iter().any(|watched| watched.topic == need.0 && watched.table == Part::NotAsked)
    };
    let health = health.into_iter().filter(|_| reading.health == Part::NotAsked);
    health.chain(topics.into_iter().filter(waits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::{Gap, GapKind};
    use crate::core::postgres::{Sender, Server, Session, Standby, Untold};

    fn watched(reading: &PostgresReading) -> Vec<&'static str> {
        missing(reading).into_iter().map(|missing| missing.watches).collect()
    }

    #[test]
    fn what_a_role_may_not_see_is_not_watched_and_said_to_be() {
        let server = Server { role: "app".to_owned(), ..Server::default() };
        let sessions = Part::Ready(vec![Session::default()]);
        let mut poor = PostgresReading { server, sessions, ..PostgresReading::default() };
        assert_eq!(watched(&poor), ["idle transactions, long statements and crashes"]);
        assert!(missing(&poor)[0].gap.note.ends_with("without GRANT pg_monitor TO app"));
        poor.senders = Part::Ready(vec![Sender::default()]);
        assert!(watched(&poor).contains(&"how far copies are behind and whether they are there"));
        poor.senders = Part::Ready(Vec::new());
        poor.standby = Part::Ready(Standby::default());
        assert!(watched(&poor).contains(&"whether it receives and how far it is behind"));
        poor.server.reads_all_stats = true;
        assert_eq!(watched(&poor), Vec::<&str>::new());
        let gap = Gap::new(GapKind::NotPermitted, "when it started: permission denied");
        poor.server.untold = vec![Untold { fact: Fact::Start, gap }];
        assert_eq!(watched(&poor), ["restarts"]);
        poor.server.untold.clear();
        // What a service does not have is not missed; what is forbidden is.
        poor.locks = Part::Unavailable(Gap::new(GapKind::NotSupported, "locks"));
        assert_eq!(watched(&poor), Vec::<&str>::new());
        poor.locks = Part::Unavailable(Gap::new(GapKind::NotPermitted, "locks"));
        assert_eq!(watched(&poor), ["blocking"]);
    }
}
