//! One poll of a Redis target, as data: the server by INFO, the queues by plain reads, the details that somebody looks at.

use super::{
    FailedPage, Family, JobDetail, JobList, JobPage, LostHolder, NextJob, Payload, QueueRef, QueueWorkings,
    ServerDetail, SlowEntry, StuckParent, parents_of,
};
use crate::core::exact;
use crate::core::part::{self, Part, Warm};
use crate::core::text::tidy;
use crate::core::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What one poll of a Redis target read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RedisReading {
    /// The server by its INFO.
    pub server: RedisServer,
    /// Where it is, by what it sees of us; of a cluster, where any node is that is not here.
    pub whereabouts: Whereabouts,
    /// The cluster that it belongs to.
    pub cluster: Option<ClusterReading>,
    /// Why INFO tells nothing, where it does not.
    pub untold: Option<part::Gap>,
    /// One script holds the server: it serves nobody else.
    pub busy: bool,
    /// By how many seconds its clock is ahead of ours (or behind, where negative); nothing where it does not tell.
    #[serde(with = "exact")]
    pub clock: Option<f64>,
    /// What is read seldom, though nobody looks.
    pub background: Option<Warm<Background>>,
    /// Every queue that is known.
    pub queues: Part<Vec<Warm<QueueReading>>>,
    /// Why there are queues, or may be some, beside those that were read.
    pub unseen: Option<part::Gap>,
    /// How discovery of queues stands: "found by SCAN, 12 % done", "named in the configuration".
    pub discovery: String,
    /// The server in detail, while somebody looks.
    pub detail: Option<Warm<ServerDetail>>,
    /// A page of failed jobs, for the queue that somebody looks at.
    pub failed: Vec<FailedPage>,
    /// Jobs that have not ended, for the queue that somebody looks at.
    pub lists: Vec<JobList>,
    /// More about the queue that somebody looks at.
    pub more: Vec<Warm<QueueWorkings>>,
    /// Jobs that somebody looks at.
    pub jobs: Vec<JobDetail>,
    /// What the server held ready for us after the newest read of failed jobs, in bytes.
    pub held_for_us_bytes: Option<u64>,
    /// Jobs that are listed page by page, or by a text.
    pub pages: Vec<JobPage>,
    /// Commands that the server refused to this user lately, whatever they were asked for: "ZCOUNT", "MEMORY USAGE".
    #[serde(default)]
    pub refused: Vec<String>,
    /// What waits for the end of one of all these jobs.
    #[serde(default)]
    pub next: Part<Vec<NextJob>>,
}

impl RedisReading {
    /// Where it is, by what it sees of us; of a cluster, where any node is that is not here.
    #[must_use]
    pub const fn whereabouts(&self) -> Option<&Whereabouts> {
        Some(&self.whereabouts)
    }
}

/// What of a server is read seldom, though nobody looks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Background {
    /// How often all keys of a database were thrown away.
    #[serde(with = "exact")]
    pub flushes_total: Option<f64>,
    /// The newest entries of the slow log.
    pub slow: Part<Vec<SlowEntry>>,
}

/// A cluster: what it says of itself, and each of its primaries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterReading {
    /// `cluster_state` is ok: every slot is served. True, too, where it could not be asked.
    pub ok: bool,
    /// Why it could not be asked.
    #[serde(default)]
    pub untold: Option<part::Gap>,
    /// Slots that are assigned and served.
    pub slots_ok: u64,
    /// Nodes that are known, replicas too.
    pub nodes: u64,
    /// Address and INFO of each primary that is there.
    pub primaries: Vec<(String, RedisServer)>,
    /// Address of each primary that is not there, and why.
    pub missing: Vec<(String, String)>,
    /// Queues that are not read because their primary is not there.
    pub hidden: usize,
}

/// The server itself. Every field is what INFO said, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RedisServer {
    /// `redis_version` (or the fork's own).
    pub version: String,
    /// Changes with every restart: counters are comparable only within one run.
    pub run_id: String,
    /// `master` or `slave`, as the server says.
    pub role: String,
    /// Since its start.
    pub uptime: Option<Duration>,
    /// Bytes in use by the allocator.
    #[serde(with = "exact")]
    pub used_memory_bytes: Option<f64>,
    /// The limit; `None` where there is none.
    #[serde(with = "exact")]
    pub maxmemory_bytes: Option<f64>,
    /// Memory of the machine.
    #[serde(with = "exact")]
    pub system_memory_bytes: Option<f64>,
    /// What is evicted when the limit is reached; queues need `noeviction`.
    pub policy: Option<String>,
    /// Connected clients.
    pub clients: Option<u64>,
    /// The limit of clients.
    pub maxclients: Option<u64>,
    /// Clients in a blocking command: every idle worker is one.
    pub blocked_clients: Option<u64>,
    /// Commands per second, by the server's own short window.
    #[serde(with = "exact")]
    pub ops_per_second: Option<f64>,
    /// Counter of key look-ups that hit.
    #[serde(with = "exact")]
    pub hits_total: Option<f64>,
    /// Counter of key look-ups that missed.
    #[serde(with = "exact")]
    pub misses_total: Option<f64>,
    /// Counter of evicted keys.
    #[serde(with = "exact")]
    pub evicted_total: Option<f64>,
    /// Counter of connections refused because of `maxclients`.
    #[serde(with = "exact")]
    pub rejected_total: Option<f64>,
    /// Whether the last RDB save worked.
    pub rdb_ok: Option<bool>,
    /// Whether the last AOF write worked, where AOF is on.
    pub aof_ok: Option<bool>,
    /// The server still loads its data.
    pub loading: bool,
    /// How much of it is loaded, 0–1.
    #[serde(with = "exact")]
    pub loaded_ratio: Option<f64>,
    /// How long that will take, by the server's own estimate.
    pub loading_left: Option<Duration>,
    /// A replica's link to its primary; `None` on a primary.
    pub link_up: Option<bool>,
    /// Replicas of a primary: address, state, bytes behind.
    pub replicas: Vec<RedisReplica>,
    /// Error replies by their first word (OOM, READONLY, MISCONF, …), counters.
    #[serde(with = "exact")]
    pub errors_total: BTreeMap<String, f64>,
}

/// A replica as its primary sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RedisReplica {
    /// `ip:port`.
    pub address: String,
    /// `online`, `wait_bgsave`, …
    pub state: String,
    /// Bytes of the stream that it has not acknowledged.
    #[serde(with = "exact")]
    pub behind_bytes: f64,
}

/// Which library owns a queue, and by what evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Library and generation.
    pub family: Family,
    /// Why: "a v5 worker is connected; meta says bullmq:5.81.3".
    pub why: String,
    /// Connected workers; `None` when the server does not tell.
    pub workers: Option<usize>,
    /// Signs of two generations that do not see each other's jobs.
    pub mismatch: Option<String>,
}

/// One queue at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueueReading {
    /// Its name.
    pub queue: QueueRef,
    /// Who owns it.
    pub evidence: Evidence,
    /// The hosts from which its workers are connected, as the server sees them; the first few.
    pub worker_hosts: Vec<String>,
    /// The pause switch is on.
    pub paused: bool,
    /// Jobs in `wait` and in the `paused` list, markers not counted.
    pub waiting: u64,
    /// Jobs in `paused` although the queue is not paused: nobody will take them.
    pub stranded: u64,
    /// Jobs in `prioritized` (BullMQ 4 and newer).
    pub prioritized: u64,
    /// Jobs being worked on.
    pub active: u64,
    /// Jobs for later.
    pub delayed: u64,
    /// Of those, the ones whose time has come.
    pub overdue: u64,
    /// Parents that wait for children.
    pub waiting_children: u64,
    /// Completed jobs that are kept.
    pub completed: u64,
    /// Failed jobs that are kept.
    pub failed: u64,
    /// The counter of added jobs; it counts those that are thrown away, too.
    #[serde(with = "exact")]
    pub added_total: Option<f64>,
    /// Completions of the last minute.
    pub completed_last_minute: u64,
    /// By what those were counted.
    pub done_by: DoneBy,
    /// Failures of the last five minutes that are kept.
    pub failed_last_five_minutes: u64,
    /// What happened, as the library wrote it down, whether the jobs are kept or not; not asked where it writes nothing.
    pub happened: Part<Happened>,
    /// How long the next job in line has been ready.
    pub oldest_wait: Option<Duration>,
    /// Age of the newest failure.
    pub newest_failure: Option<Duration>,
    /// Age of the oldest failure that is kept.
    pub oldest_failure: Option<Duration>,
    /// How much longer a rate limit holds the queue.
    pub limited_for: Option<Duration>,
    /// Jobs in progress whose worker's lock has run out.
    pub stalled: u64,
    /// Schedulers that make no more jobs, for the next one is gone, and for how long they have been late.
    pub late: Vec<(String, Duration)>,
    /// Repeatable jobs of older libraries that come no more, for the next one is gone, and for how long they have been late.
    #[serde(default)]
    pub lapsed: Vec<(String, Duration)>,
    /// What of it could not be read, though its counts were, and why.
    #[serde(default)]
    pub unread: Vec<(Unread, part::Gap)>,
    /// Parents that wait in vain; not asked before their first turn.
    pub stuck: Part<Vec<StuckParent>>,
    /// Deduplication ids that throw every further job away, for the job that holds them is gone.
    #[serde(default)]
    pub lost_holders: Vec<LostHolder>,
    /// A worker looked for stalled jobs within the last half minute.
    pub checked_by_worker: bool,
    /// By its name a dead-letter queue; of which source queue, if the name says so.
    pub dead_letter: Option<DeadLetter>,
}

/// What a queue's own record tells of its last minutes: its stream of events (BullMQ), or its metrics where the worker keeps some (Bull).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// Jobs completed within the last minute.
    pub completed_last_minute: u64,
    /// Jobs completed within five minutes, or since we look if that is less.
    pub completed: u64,
    /// Jobs that failed for good within the same time, kept or not.
    pub failed: u64,
    /// Jobs that lost their worker within the same time.
    pub stalled: u64,
    /// Jobs that were thrown away within the same time, as their id, or their deduplication id, is taken.
    #[serde(default)]
    pub thrown_away: u64,
    /// The same since we look: a counter.
    #[serde(default)]
    pub thrown_total: u64,
    /// Why the newest of the failures failed; empty where that is not told.
    pub reason: Payload,
    /// The newest of the jobs that failed, and how long before the look; none where ids are not told.
    pub failed_jobs: Vec<(String, Duration)>,
    /// There were more events than are read: the numbers are the least that happened.
    pub at_least: bool,
}

/// By what completions are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DoneBy {
    /// The completed jobs that are kept.
    #[default]
    Kept,
    /// The queue's events: it keeps no completed job.
    Events,
    /// The same, but there were more events than are read.
    AtLeast,
}

/// That a queue holds the dead letters of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Of which queue, if its name says so.
    pub source: Option<String>,
}

/// A part of a queue that may not be read though its counts may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unread {
    /// Schedulers and repeatable jobs: none that is late is known.
    Schedulers,
    /// Jobs in progress and their locks: none that lost its worker is known.
    InProgress,
    /// The next job in line: how long it has waited is not known.
    NextInLine,
    /// Who holds deduplication ids: whether jobs are thrown away for one that is gone is not known.
    Holders,
}

impl QueueReading {
    /// Why a part of it was not read, where it was not.
    #[must_use]
    pub fn unread(&self, what: Unread) -> Option<&part::Gap> {
        self.unread.iter().find(|(part, _)| *part == what).map(|(_, gap)| gap)
    }

    /// Notes that a part of it may not be read, with the server's words.
    pub fn refuse(&mut self, what: Unread, words: &str) {
        let part = match what {
            Unread::Schedulers => "schedulers",
            Unread::InProgress => "jobs in progress",
            Unread::NextInLine => "the next job in line",
            Unread::Holders => "holders of deduplication ids",
        };
        let note = format!("{part} of queue {} cannot be read ({words})", tidy(&self.queue.to_string(), 40));
        if self.unread(what).is_none() {
            self.unread.push((what, part::Gap::new(part::GapKind::NotPermitted, note)));
        }
    }

    /// Jobs that are ready to be worked on: waiting, prioritized, and delayed ones whose time has come.
    #[must_use]
    pub const fn backlog(&self) -> u64 {
        self.waiting + self.prioritized + self.overdue
    }

    /// Jobs that were given up: the failed set, or for a dead-letter queue everything in it that was not completed.
    #[must_use]
    pub const fn dead(&self) -> u64 {
        if self.dead_letter.is_some() {
            self.waiting + self.prioritized + self.delayed + self.active + self.failed
        } else {
            self.failed
        }
    }

    /// Jobs that failed within five minutes, kept or not.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed_last_five_minutes.max(self.happened.ready().map_or(0, |happened| happened.failed))
    }

    /// The share of the jobs that ended within five minutes and failed, 0–1; none where none ended.
    #[must_use]
    pub fn failing_share(&self) -> Option<f64> {
        let kept = self.completed_last_minute.saturating_mul(5);
        let done =
            self.happened.ready().map_or(kept, |happened| happened.completed.max(self.completed_last_minute));
        let failed = self.failures();
        crate::core::rate::ratio(failed as f64, (failed + done) as f64, 1.0)
    }

    /// Whether anybody works on it: the list of clients decides where it tells. A job in progress and a check for stalled jobs outlive
    /// the worker that died over them, so they count only where nothing better is known.
    #[must_use]
    pub fn has_workers(&self) -> bool {
        self.evidence.workers.map_or(self.checked_by_worker || self.active > 0, |count| count > 0)
    }

    /// Parents that wait in vain, as far as that was looked at.
    #[must_use]
    pub fn in_vain(&self) -> usize {
        parents_of(self.stuck.ready().map_or(&[][..], Vec::as_slice))
    }

    /// Jobs that were thrown away within five minutes, and those that are known to have been thrown away for nothing.
    #[must_use]
    pub fn thrown_away(&self) -> u64 {
        let lost = self.lost_holders.iter().fold(0, |all: u64, one| all.saturating_add(one.thrown));
        lost.max(self.happened.ready().map_or(0, |happened| happened.thrown_away))
    }

    /// Jobs for which a worker is needed and none is there: those that are ready, and those that a worker held when it went.
    #[must_use]
    pub fn unattended(&self) -> u64 {
        if self.has_workers() { 0 } else { self.backlog() + self.active }
    }
}
