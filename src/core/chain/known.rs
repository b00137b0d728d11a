//! What an edge may look at: the newest readings of the targets that two findings are about.

use crate::core::alert::Finding;
use crate::core::ids::TargetId;
use crate::core::part::Warm;
use crate::core::postgres::{PostgresReading, PostgresState, Session};
use crate::core::redis::{QueueReading, RedisReading};
use crate::core::report::PollErrorKind;
use crate::core::search::SearchState;
use crate::core::target::TargetState;
use crate::core::topology::{Topology, same_name};
use std::sync::Arc;

/// Every target, by its newest reading.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    targets: &'a [Arc<TargetState>],
    topology: &'a Topology,
}

impl<'a> Known<'a> {
    pub(super) const fn of(targets: &'a [Arc<TargetState>], topology: &'a Topology) -> Self {
        Self { targets, topology }
    }

    pub(super) fn target(self, id: &TargetId) -> Option<&'a TargetState> {
        self.targets.iter().find(|target| target.id == *id).map(|target| &**target)
    }

    pub(super) fn postgres_state(self, id: &TargetId) -> Option<&'a PostgresState> {
        self.target(id)?.system.postgres()
    }

    pub(super) fn postgres(self, id: &TargetId) -> Option<&'a PostgresReading> {
        self.postgres_state(id)?.reading()
    }

    pub(super) fn redis(self, id: &TargetId) -> Option<&'a RedisReading> {
        self.target(id)?.system.redis()?.reading()
    }

    pub(super) fn search_state(self, id: &TargetId) -> Option<&'a SearchState> {
        self.target(id)?.system.search()
    }

    pub(super) fn sessions(self, id: &TargetId) -> impl Iterator<Item = &'a Session> {
        self.postgres(id).and_then(|reading| reading.sessions.ready()).into_iter().flatten()
    }

    /// The sessions of a server that wait for a lock.
    pub(super) fn waiting(self, id: &TargetId) -> impl Iterator<Item = &'a Session> {
        self.sessions(id).filter(|session| session.waits_for_lock())
    }

    /// The only server on which sessions wait for a lock, if there is one.
    pub(super) fn only_one_waits(self, id: &TargetId) -> bool {
        let waits = |target: &&Arc<TargetState>| self.waiting(&target.id).next().is_some();
        let mut all = self.targets.iter().filter(waits);
        all.next().is_some_and(|first| first.id == *id) && all.next().is_none()
    }

    /// Whether the words of a failing queue can mean this server: it is the only one for which `holds` is so, or it is said to be needed.
    pub(super) fn can_only_mean(
        self,
        id: &TargetId,
        effect: &Finding,
        holds: impl Fn(&TargetState) -> bool,
    ) -> bool {
        let others = self.targets.iter().filter(|target| target.id != *id).any(|target| holds(target));
        let said = self.queue(effect).and_then(|queue| self.depends(&[queue.queue.name.as_str()], id));
        !others || said.is_some()
    }

    /// The names under which the service of an endpoint is known: the target's, and what it calls itself.
    pub(super) fn services(self, id: &'a TargetId) -> Vec<&'a str> {
        let own = self.target(id).and_then(|target| target.system.metrics()?.service());
        std::iter::once(id.as_str()).chain(own).collect()
    }

    /// Whether a name is that of a service that is watched or configured.
    pub(super) fn is_service(self, name: &str) -> bool {
        let watched = self.targets.iter().filter(|target| target.system.metrics().is_some());
        let mut named = watched.flat_map(|target| self.services(&target.id));
        named.any(|service| same_name(service, name)) || self.topology.names(name)
    }

    /// Who says that one of these services depends on `target`.
    pub(super) fn depends(self, services: &[&str], target: &TargetId) -> Option<&'a str> {
        services.iter().find_map(|service| self.topology.because(service, target))
    }

    /// In words that the service with the effect is said to depend on the server with the cause, and by whom.
    pub(super) fn said_to_depend(self, cause: &Finding, effect: &Finding) -> Option<String> {
        let (server, service) = (&cause.breach.target, &effect.breach.target);
        let because = self.depends(&self.services(service), server)?;
        Some(format!("{service} depends on {server} ({because})"))
    }

    /// Whether no other target of the same kind is watched.
    pub(super) fn only_of_its_kind(self, id: &TargetId) -> bool {
        let kind = self.target(id).map(|target| target.kind);
        self.targets.iter().filter(|target| Some(target.kind) == kind).count() == 1
    }

    /// The queues of a server.
    pub(super) fn queues(self, id: &TargetId) -> impl Iterator<Item = &'a QueueReading> {
        let queues = self.redis(id).and_then(|reading| reading.queues.ready()).into_iter().flatten();
        queues.map(|queue| &**queue)
    }

    /// The queue that a finding is about.
    pub(super) fn queue(self, finding: &Finding) -> Option<&'a QueueReading> {
        self.queue_as_read(finding).map(|queue| &**queue)
    }

    /// The same with when it was read: a queue has its turn.
    pub(super) fn queue_as_read(self, finding: &Finding) -> Option<&'a Warm<QueueReading>> {
        let subject = finding.breach.subject.strip_prefix("queue ")?;
        let mut queues = self.redis(&finding.breach.target)?.queues.ready()?.iter();
        let is = |queue: &QueueReading| {
            subject.split_once(':').is_some_and(|(prefix, name)| {
                // A prefix may have colons of its own.
                subject == format!("{}:{}", queue.queue.prefix, queue.queue.name)
                    || (prefix == queue.queue.prefix && name == queue.queue.name)
            })
        };
        queues.find(|queue| is(queue))
    }

    /// Why the newest jobs of the queue of a finding failed, in its library's words; empty where that is not told.
    pub(super) fn reason(self, finding: &Finding) -> &'a str {
        let happened = self.queue(finding).and_then(|queue| queue.happened.ready());
        happened.map_or("", |happened| &*happened.reason)
    }

    /// The hosts (and ports) that are written in a target's address.
    pub(super) fn addresses(self, id: &TargetId) -> Vec<(&'a str, &'a str)> {
        addresses(self.target(id).map_or("", |target| target.address.as_str()))
    }

    /// Whether this server alone of all has a database of this name, by what it counts of each.
    pub(super) fn only_database(self, id: &TargetId, name: &str) -> bool {
        let has = |target: &&Arc<TargetState>| {
            let databases = self.postgres(&target.id).and_then(|reading| reading.databases.ready());
            databases.is_some_and(|all| all.iter().any(|database| database.name == name))
        };
        let mut all = self.targets.iter().filter(has);
        all.next().is_some_and(|first| first.id == *id) && all.next().is_none()
    }

    /// Whether the connection itself fails for us, too.
    pub(super) fn is_unreachable(self, id: &TargetId) -> bool {
        let failure = self.target(id).and_then(|target| target.failure.as_ref());
        failure.is_some_and(|failure| match failure.kind {
            PollErrorKind::Unreachable | PollErrorKind::TimedOut => true,
            PollErrorKind::Credentials
            | PollErrorKind::NotPermitted
            | PollErrorKind::Tls
            | PollErrorKind::WrongServer
            | PollErrorKind::NotReady
            | PollErrorKind::Full
            | PollErrorKind::Configuration
            | PollErrorKind::Failed
            | PollErrorKind::Internal => false,
        })
    }

    /// Whether two targets are on one host by their addresses; loopback is no host that two machines share.
    pub(super) fn share_host(self, one: &TargetId, other: &TargetId) -> Option<&'a str> {
        let others = self.addresses(other);
        let shared =
            |(host, _): &(&str, &str)| !is_loopback(host) && others.iter().any(|(other, _)| other == host);
        self.addresses(one).into_iter().find(shared).map(|(host, _)| host)
    }
}

/// Whether it is whatever machine the one is that looks: a tunnel begins there, too.
pub(in crate::core::chain) fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "::1" | "[::1]") || host.starts_with("127.")
}

/// The hosts and ports that are written in an address for people.
pub(in crate::core) fn addresses(address: &str) -> Vec<(&str, &str)> {
    let parts = address.split([' ', ',', '/', '@']).filter(|part| !part.is_empty());
    parts.filter_map(|part| part.rsplit_once(':')).filter(|(host, port)| is_address(host, port)).collect()
}

fn is_address(host: &str, port: &str) -> bool {
    !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}
