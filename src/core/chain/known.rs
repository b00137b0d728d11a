//! What an edge may look at: the newest readings of the targets that two findings are about.

use crate::core::alert::Finding;
use crate::core::ids::TargetId;
use crate::core::postgres::{PostgresReading, PostgresState, Session};
use crate::core::redis::{QueueReading, RedisReading};
use crate::core::report::PollErrorKind;
use crate::core::system::SystemState;
use crate::core::target::TargetState;
use std::sync::Arc;

/// Every target, by its newest reading.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    targets: &'a [Arc<TargetState>],
}

impl<'a> Known<'a> {
    pub(super) const fn of(targets: &'a [Arc<TargetState>]) -> Self {
        Self { targets }
    }

    pub(super) fn target(self, id: &TargetId) -> Option<&'a TargetState> {
        self.targets.iter().find(|target| target.id == *id).map(|target| &**target)
    }

    pub(super) fn postgres_state(self, id: &TargetId) -> Option<&'a PostgresState> {
        match &self.target(id)?.system {
            SystemState::Postgres(state) => Some(state),
            SystemState::Redis(_)
            | SystemState::Search(_)
            | SystemState::Prometheus(_)
            | SystemState::Metrics(_) => None,
        }
    }

    pub(super) fn postgres(self, id: &TargetId) -> Option<&'a PostgresReading> {
        self.postgres_state(id)?.reading()
    }

    pub(super) fn redis(self, id: &TargetId) -> Option<&'a RedisReading> {
        match &self.target(id)?.system {
            SystemState::Redis(state) => state.reading(),
            SystemState::Postgres(_)
            | SystemState::Search(_)
            | SystemState::Prometheus(_)
            | SystemState::Metrics(_) => None,
        }
    }

    pub(super) fn sessions(self, id: &TargetId) -> impl Iterator<Item = &'a Session> {
        self.postgres(id).and_then(|reading| reading.sessions.ready()).into_iter().flatten()
    }

    /// The queue that a finding is about.
    pub(super) fn queue(self, finding: &Finding) -> Option<&'a QueueReading> {
        let subject = finding.breach.subject.strip_prefix("queue ")?;
        let mut queues = self.redis(&finding.breach.target)?.queues.ready()?.iter();
        let is = |queue: &QueueReading| {
            subject.split_once(':').is_some_and(|(prefix, name)| {
                // A prefix may have colons of its own.
                subject == format!("{}:{}", queue.queue.prefix, queue.queue.name)
                    || (prefix == queue.queue.prefix && name == queue.queue.name)
            })
        };
        queues.find(|queue| is(queue)).map(|queue| &**queue)
    }

    /// Why the newest jobs of the queue of a finding failed, in its library's words; empty where that is not told.
    pub(super) fn reason(self, finding: &Finding) -> &'a str {
        let happened = self.queue(finding).and_then(|queue| queue.happened.ready());
        happened.map_or("", |happened| &*happened.reason)
    }

    /// The hosts (and ports) that are written in a target's address.
    pub(super) fn addresses(self, id: &TargetId) -> Vec<(&'a str, &'a str)> {
        let address = self.target(id).map_or("", |target| target.address.as_str());
        let parts = address.split([' ', ',', '/', '@']).filter(|part| !part.is_empty());
        parts.filter_map(|part| part.rsplit_once(':')).filter(|(host, port)| is_address(host, port)).collect()
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
        let shared = |(host, _): &(&str, &str)| others.iter().any(|(other, _)| other == host);
        self.addresses(one).into_iter().find(shared).map(|(host, _)| host)
    }
}

fn is_address(host: &str, port: &str) -> bool {
    !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}
