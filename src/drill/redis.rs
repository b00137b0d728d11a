//! What a poll of the shop's Redis and its job queues would say.

use super::sim::{Failed, Sim};
use crate::core::focus::Focus;
use crate::core::part::Part;
use crate::core::redis::{
    DeadLetter, Evidence, FailedJob, FailedPage, Family, JobDetail, JobList, JobState, ListedJob, QueueMore,
    QueueReading, QueueRef, RedisReading, RedisServer, RunTimes, Scheduler,
};
use crate::core::time::Now;
use crate::core::whereabouts::Whereabouts;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The queue that suffers.
pub(super) const MAILS: &str = "order-mails";
const REASON: &str = "canceling statement due to statement timeout";

fn named(name: &str) -> QueueRef {
    QueueRef { prefix: "bull".to_owned(), name: name.to_owned() }
}

fn queue(name: &str, family: Family, workers: usize) -> QueueReading {
    let why = if workers == 0 { "meta says its version" } else { "a worker is connected" };
    QueueReading {
        queue: named(name),
        evidence: Evidence { family, why: why.to_owned(), workers: Some(workers), mismatch: None },
        checked_by_worker: workers > 0,
        ..QueueReading::default()
    }
}

fn queues(sim: &Sim) -> Vec<QueueReading> {
    let busy = sim.blocked();
    let waiting = sim.backlog as u64 + sim.retrying() as u64;
    let mails = QueueReading {
        waiting,
        paused: sim.paused.contains(MAILS),
        active: sim.working(),
        completed: 1000,
        failed: sim.failed.len() as u64,
        added_total: Some(sim.counters.added.floor()),
        completed_last_minute: if busy { 90 } else { 360 },
        failed_last_five_minutes: sim.failed.len() as u64,
        oldest_wait: Some(Duration::from_secs_f64(sim.backlog / 6.0)),
        newest_failure: sim.failed.last().map(|job| sim.age(job.at)),
        oldest_failure: sim.failed.first().map(|job| sim.age(job.at)),
        ..queue(MAILS, Family::BullMq(5), 5)
    };
    let letters = QueueReading {
        waiting: sim.dead_letters as u64,
        added_total: Some(sim.dead_letters),
        dead_letter: Some(DeadLetter { source: Some(MAILS.to_owned()) }),
        ..queue("order-mails-dlq", Family::BullMq(5), 0)
    };
    let thumbnails = QueueReading {
        waiting: (3.0 * sim.wave(21)) as u64,
        active: 4,
        completed: 5000,
        failed: 11,
        delayed: 2,
        added_total: Some((sim.told * 3.0).floor()),
        completed_last_minute: 180,
        newest_failure: Some(Duration::from_secs(86_000)),
        oldest_failure: Some(Duration::from_secs(640_000)),
        ..queue("thumbnails", Family::BullMq(6), 4)
    };
    let exports = QueueReading {
        delayed: 6,
        completed: 420,
        added_total: Some(426.0),
        ..queue("nightly-exports", Family::Bull, 1)
    };
    vec![mails, letters, thumbnails, exports]
}

pub(super) fn failed(sim: &Sim, job: &Failed) -> FailedJob {
    FailedJob {
        id: job.id.to_string(),
        name: "send-confirmation".to_owned(),
        reason: REASON.to_owned(),
        frame: "mails.js:38".to_owned(),
        attempts: Some(job.attempts),
        attempts_allowed: Some(3),
        age: Some(sim.age(job.at)),
        ran_for: Some(Duration::from_millis(3001)),
        deduplication: None,
        twin: None,
        ghost: false,
    }
}

fn detail(sim: &Sim, queue: &QueueRef, id: &str) -> JobDetail {
    let mut fields = BTreeMap::new();
    let mut put = |name: &str, value: String| fields.insert(name.to_owned(), value);
    let state = if sim.is_failed(id) {
        put("failedReason", REASON.to_owned());
        put(
            "stacktrace",
            format!(
                "[\"Error: {REASON}\\n    at Query.run (db.js:214:11)\\n    at sendConfirmation (mails.js:38:5)\"]"
            ),
        );
        "failed"
    } else if sim.is_running(id) {
        "waiting"
    } else {
        "completed"
    };
    put("name", "send-confirmation".to_owned());
    put("data", format!("{{\"order\":{id},\"template\":\"confirmation\"}}"));
    put("opts", "{\"attempts\":3,\"backoff\":{\"type\":\"exponential\",\"delay\":1000}}".to_owned());
    JobDetail {
        queue: queue.clone(),
        id: id.to_owned(),
        state: state.to_owned(),
        fields,
        masked: BTreeSet::new(),
        too_large: Vec::new(),
        logs: vec![format!("order {id}: template confirmation rendered")],
        links: Vec::new(),
    }
}

/// A queue of the embedded stack.
pub(super) fn queue_named(sim: &Sim, queue: &QueueRef) -> Option<QueueReading> {
    queues(sim).into_iter().find(|reading| reading.queue == *queue)
}

/// The jobs of a queue that have not ended: what its workers hold, and the first of the line.
pub(super) fn open_jobs(sim: &Sim, queue: &QueueRef) -> JobList {
    let mut jobs = Vec::new();
    if queue.name == MAILS {
        let newest = sim.counters.added as u64 + 90_000;
        let waiting = (sim.backlog as u64).min(20);
        let job = |id: u64, state: JobState| ListedJob {
            id: id.to_string(),
            name: "send-confirmation".to_owned(),
            state,
            age: Some(Duration::from_secs_f64(0.4 + 2.0 * sim.noise(id))),
            due_in: None,
            lock: (state == JobState::Active).then_some(Duration::from_secs(29)),
            worker: String::new(),
            priority: None,
            ghost: false,
        };
        let first = newest - sim.backlog as u64;
        jobs.extend((1..=sim.working()).map(|n| job(first - n, JobState::Active)));
        jobs.extend((0..waiting).map(|n| job(first + n, JobState::Waiting)));
    }
    JobList { queue: queue.clone(), jobs }
}

/// How long its jobs take, and what makes some of them by the clock.
fn more_of(sim: &Sim, queue: &QueueRef) -> Option<QueueMore> {
    let slow = 1.0 + sim.backlog / 400.0;
    let millis = |value: f64| Some(Duration::from_secs_f64(value / 1000.0));
    let times = RunTimes {
        name: "send-confirmation".to_owned(),
        jobs: 200,
        wait_p50: millis(4.0 * slow * slow),
        wait_p95: millis(30.0 * slow * slow),
        run_p50: millis(180.0),
        run_p95: millis(900.0 * slow),
    };
    let digest = Scheduler {
        id: "daily-digest".to_owned(),
        name: "digest".to_owned(),
        rhythm: "0 6 * * * (Europe/Berlin)".to_owned(),
        next_in: Some(Duration::from_secs(41_000)),
        overdue: None,
        made: Some(412),
        job: None,
    };
    (queue.name == MAILS).then(|| QueueMore {
        queue: queue.clone(),
        schedulers: vec![digest],
        times: vec![times],
        memory_bytes: Some(1.4e6 + sim.backlog * 900.0),
        ..QueueMore::default()
    })
}

/// The server, its queues, and what is in `focus`.
pub(super) fn reading(sim: &Sim, now: Now, focus: &[Focus]) -> RedisReading {
    let (mut pages, mut listed) = (Vec::new(), Vec::new());
    let mut lists = Vec::new();
    let mut jobs = Vec::new();
    let mut more = Vec::new();
    for wanted in focus {
        match wanted {
            Focus::FailedJobs { queue, offset, limit } => {
                let newest = sim.failed.iter().rev().filter(|_| queue.name == MAILS);
                let page = newest.skip(*offset as usize).take(*limit as usize);
                let jobs = page.map(|job| failed(sim, job)).collect();
                pages.push(FailedPage { queue: queue.clone(), offset: *offset, jobs });
            }
            Focus::OpenJobs { queue } => lists.push(open_jobs(sim, queue)),
            Focus::Job { queue, id } => jobs.push(detail(sim, queue, id)),
            Focus::More { queue } => more.extend(more_of(sim, queue)),
            Focus::Jobs { queue, listing } => listed.push(super::jobs::listed(sim, queue, listing)),
            Focus::StatementTexts(_) | Focus::Look(_) | Focus::Server { .. } => {}
        }
    }
    RedisReading {
        whereabouts: Whereabouts::Here,
        server: RedisServer {
            version: "7.4.1".to_owned(),
            run_id: "demo".to_owned(),
            role: "master".to_owned(),
            uptime: Some(Duration::from_secs(1_900_000)),
            used_memory_bytes: Some(2.1e8 + sim.backlog * 4000.0),
            maxmemory_bytes: Some(1.07e9),
            policy: Some("noeviction".to_owned()),
            clients: Some(31),
            maxclients: Some(10_000),
            blocked_clients: Some(9),
            ops_per_second: Some(480.0 * sim.wave(22)),
            hits_total: Some(sim.counters.requests * 3.0),
            misses_total: Some(sim.counters.requests * 0.2),
            evicted_total: Some(0.0),
            rejected_total: Some(0.0),
            rdb_ok: Some(true),
            ..RedisServer::default()
        },
        cluster: None,
        pages: listed,
        held_for_us_bytes: None,
        untold: None,
        busy: false,
        unseen: None,
        queues: Part::Ready(queues(sim)),
        discovery: "4 queues found below bull".to_owned(),
        detail: focus
            .iter()
            .any(|focus| matches!(focus, Focus::Server { .. }))
            .then(|| Box::new(super::redis_server::detail(sim, now))),
        envelope: crate::core::redis::Envelope::default(),
        brake: crate::core::redis::Brake::default(),
        failed: pages,
        lists,
        more,
        jobs,
    }
}
