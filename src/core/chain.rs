//! What causes what: a tie between two findings is something that both of them name, and an order in time that does not contradict it. Pure.
//!
//! That one of two began earlier ties nothing. Where nothing ties them together, no cause is told.

use super::alert::Finding;
use super::postgres::Session;
use super::world::World;
use std::time::Duration;

/// A consequence may be noticed this much before its cause: both are polled, and both may have to hold for a while.
const SLACK: Duration = Duration::from_secs(30);

/// How sure a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// Names match, the order fits, there is a mechanism, and nothing speaks against it.
    Likely,
}

impl Tie {
    /// The word that is printed with it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Likely => "likely",
        }
    }
}

/// What of `others` caused `effect`, the one that hits most first; nothing where nothing ties them together.
#[must_use]
pub fn cause<'a>(world: &World, effect: &Finding, others: &[&'a Finding]) -> Option<(&'a Finding, Tie)> {
    let blocked = others.iter().filter(|other| {
        other.signal.rule == "postgres.blocked" && effect.since.plus(SLACK).reached(other.since)
    });
    let tied = blocked.filter(|other| is_hit(effect, other, waiters(world, other)));
    tied.max_by_key(|other| other.signal.hit).map(|other| (*other, Tie::Likely))
}

/// Sessions that wait for a lock on the server of `finding`.
fn waiters<'a>(world: &'a World, finding: &Finding) -> impl Iterator<Item = &'a Session> {
    let state = world.target(finding.signal.target.as_str()).map(|target| &target.system);
    let reading = state.and_then(|system| system.postgres()).and_then(|state| state.reading());
    let sessions = reading.and_then(|reading| reading.sessions.ready());
    sessions.into_iter().flatten().filter(|session| session.waits_for_lock())
}

/// Whether those who wait are of what `effect` is about: of the service whose endpoint it is, or of the pool whose clients wait.
fn is_hit<'a>(effect: &Finding, blocked: &Finding, mut waiters: impl Iterator<Item = &'a Session>) -> bool {
    let effect = &effect.signal;
    match effect.rule {
        "metrics.errors" | "metrics.latency_p95" => {
            waiters.any(|session| session.application.eq_ignore_ascii_case(effect.target.as_str()))
        }
        "pgbouncer.waiting" if effect.target == blocked.signal.target => {
            // The subject of a pool is its database and its user.
            let database = effect.subject.split(' ').next().unwrap_or_default();
            waiters.any(|session| session.database == database)
        }
        _ => false,
    }
}
