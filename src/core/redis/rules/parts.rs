//! The parts of a reading that rules look at, and what nobody can say while one of them is not there.

use crate::core::alert::{Judge, Missing, Need};
use crate::core::part::{Gap, GapKind};
use crate::core::redis::{RedisReading, RedisState, Unread};

/// What a rule about a Redis server has before it.
pub(super) type Its<'a> = Judge<'a, RedisState>;

pub(super) const SERVER: Need = Need("server");
pub(super) const CLUSTER_STATE: Need = Need("state of the cluster");
pub(super) const SLOW_LOG: Need = Need("slow log");
pub(super) const QUEUES: Need = Need("queues");
pub(super) const SCHEDULERS: Need = Need("schedulers");
pub(super) const IN_PROGRESS: Need = Need("jobs in progress");
pub(super) const NEXT_IN_LINE: Need = Need("next in line");
pub(super) const EVENTS: Need = Need("events");
pub(super) const HOLDERS: Need = Need("holders of deduplication ids");
pub(super) const PARENTS_PART: Need = Need("parents");

/// The parts of this reading that could not be read.
pub(super) fn missing(reading: &RedisReading) -> Vec<Missing> {
    // That primaries are missing has a rule of its own.
    let primaries = reading.cluster.as_ref().filter(|cluster| !cluster.missing.is_empty());
    let primaries = primaries.map(|_| Gap::new(GapKind::Failed, "primaries of the cluster are missing"));
    // So has a server that serves nobody.
    let held = reading.busy || reading.server.loading;
    let parents = reading.queues.ready().into_iter().flatten().find_map(|queue| queue.stuck.gap());
    let unread =
        |what: Unread| reading.queues.ready().into_iter().flatten().find_map(|queue| queue.unread(what));
    // Events that are too large to read are told where their queue is opened.
    let refused = |gap: &&Gap| gap.kind == GapKind::NotPermitted;
    let events = reading.queues.ready().into_iter().flatten().find_map(|queue| queue.happened.gap());
    let events = events.filter(refused);
    let slow = reading.background.as_ref().and_then(|background| background.slow.gap());
    Missing::of(&[
        (SERVER, reading.untold.as_ref(), "its memory, clients, persistence and replication"),
        (
            CLUSTER_STATE,
            reading.cluster.as_ref().and_then(|all| all.untold.as_ref()),
            "slots that nobody serves",
        ),
        (SLOW_LOG, slow, "commands that hold it"),
        (QUEUES, reading.queues.gap(), if held { "" } else { "job queues" }),
        (QUEUES, reading.unseen.as_ref(), "the other queues"),
        (QUEUES, primaries.as_ref(), ""),
        (SCHEDULERS, unread(Unread::Schedulers), "schedulers that make no more jobs"),
        (IN_PROGRESS, unread(Unread::InProgress), "jobs that lost their worker"),
        (NEXT_IN_LINE, unread(Unread::NextInLine), "how long the next job has waited"),
        (HOLDERS, unread(Unread::Holders), "jobs that are thrown away for one that is gone"),
        (EVENTS, events, "failures of jobs that are not kept"),
        (PARENTS_PART, parents, "parents that wait in vain for children"),
    ])
}
