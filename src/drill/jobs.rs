//! The jobs of the embedded stack as they are listed page by page, or by a text.

use super::sim::Sim;
use crate::core::part::Part;
use crate::core::redis::DeadLetter;
use crate::core::redis::Evidence;
use crate::core::redis::FailedJob;
use crate::core::redis::Family;
use crate::core::redis::Happened;
use crate::core::redis::JobList;
use crate::core::redis::ListedJob;
use crate::core::redis::QueueReading;
use crate::core::redis::{JOBS_A_PAGE, JobPage, JobState, Listing, Masks, PageJob, Payload, QueueRef};
use crate::drill::Duration;
use crate::drill::sim::Failed;
use crate::drill::sim::MAILS;

/// What a real queue of the same jobs would list. Completed jobs of the embedded stack are numbers, not jobs.
pub(super) fn listed(sim: &Sim, queue: &QueueRef, listing: &Listing) -> JobPage {
    let failures = sim.failed.iter().rev().filter(|_| queue.name == super::sim::MAILS).map(|job| {
        let job = failed(sim, job);
        PageJob {
            id: job.id,
            name: job.name,
            state: JobState::Failed,
            age: job.age,
            note: job.reason,
            ghost: false,
        }
    });
    let open = open_jobs(sim, queue).jobs.into_iter().map(|job| PageJob {
        id: job.id,
        name: job.name,
        state: job.state,
        age: job.age,
        note: Payload::default(),
        ghost: false,
    });
    let all: Vec<PageJob> = failures.chain(open).collect();
    let reading = queue_named(sim, queue);
    let (jobs, there) = match listing {
        Listing::State { state, offset } => {
            let there = reading.map_or(0, |reading| match state {
                JobState::Failed => reading.failed,
                JobState::Active => reading.active,
                JobState::Waiting => reading.waiting,
                JobState::Prioritized => reading.prioritized,
                JobState::Delayed => reading.delayed,
                JobState::WaitingChildren => reading.waiting_children,
                JobState::Completed => reading.completed,
                JobState::Lost => 0,
            });
            let page = all.into_iter().filter(|job| job.state == *state).skip(*offset as usize);
            (page.take(JOBS_A_PAGE as usize).collect::<Vec<_>>(), there)
        }
        Listing::Text(words) => {
            let (words, there) = (words.to_lowercase(), all.len() as u64);
            let holds = |text: &str| text.to_lowercase().contains(&words);
            let found = all.into_iter().filter(|job| [&*job.id, &job.name, &job.note].into_iter().any(holds));
            (found.collect(), there)
        }
    };
    let looked_at = if matches!(listing, Listing::Text(_)) { there } else { jobs.len() as u64 };
    JobPage {
        queue: queue.clone(),
        listing: listing.clone(),
        jobs,
        there,
        looked_at,
        too_large: 0,
        whole: true,
    }
}

pub(super) const REASON: &str = "canceling statement due to statement timeout";

pub(super) fn named(name: &str) -> QueueRef {
    QueueRef { prefix: "bull".to_owned(), name: name.to_owned() }
}

pub(super) fn queue(name: &str, family: Family, workers: usize) -> QueueReading {
    let why = if workers == 0 { "meta says its version" } else { "a worker is connected" };
    QueueReading {
        queue: named(name),
        evidence: Evidence { family, why: why.to_owned(), workers: Some(workers), mismatch: None },
        checked_by_worker: workers > 0,
        ..QueueReading::default()
    }
}

pub(super) fn queues(sim: &Sim) -> Vec<QueueReading> {
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
        happened: Part::Ready(Happened {
            completed_last_minute: if busy { 90 } else { 360 },
            completed: if busy { 450 } else { 1800 },
            failed: sim.failed.len() as u64,
            reason: if sim.failed.is_empty() {
                Payload::default()
            } else {
                Masks::default().payload(REASON.to_owned())
            },
            ..Happened::default()
        }),
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
        reason: Masks::default().payload(REASON.to_owned()),
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
