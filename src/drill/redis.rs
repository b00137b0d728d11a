//! What a poll of the shop's Redis and its job queues would say.

use super::sim::Sim;
use crate::core::focus::Focus;
use crate::core::part::{Part, Warm};
use crate::core::redis::{
    FailedPage, JobDetail, Masks, QueueRef, QueueWorkings, RedisReading, RedisServer, RunTimes, Scheduler,
};
use crate::core::time::Now;
use crate::core::whereabouts::Whereabouts;
use crate::drill::jobs::REASON;
use crate::drill::jobs::failed;
use crate::drill::jobs::open_jobs;
use crate::drill::jobs::queues;
use crate::drill::sim::MAILS;
use std::collections::BTreeMap;
use std::time::Duration;

fn detail(sim: &Sim, queue: &QueueRef, id: &str) -> JobDetail {
    let masks = Masks::default();
    let mut fields = BTreeMap::new();
    let mut put = |name: &str, value: String| fields.insert(name.to_owned(), masks.payload(value));
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
        too_large: Vec::new(),
        logs: vec![masks.payload(format!("order {id}: template confirmation rendered"))],
        links: Vec::new(),
    }
}

/// How long its jobs take, and what makes some of them by the clock.
fn more_of(sim: &Sim, queue: &QueueRef) -> Option<QueueWorkings> {
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
        ended: false,
        made: Some(412),
        job: None,
    };
    (queue.name == MAILS).then(|| QueueWorkings {
        queue: queue.clone(),
        schedulers: vec![digest],
        times: vec![times],
        memory_bytes: Some(1.4e6 + sim.backlog * 900.0),
        ..QueueWorkings::default()
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
            Focus::StatementTexts(_)
            | Focus::Look(_)
            | Focus::Cluster(_)
            | Focus::Lines(_)
            | Focus::Range(_)
            | Focus::MetricNames
            | Focus::Server { .. } => {}
        }
    }
    RedisReading {
        clock: Some(0.0),
        next: Part::NotAsked,
        refused: Vec::new(),
        background: None,
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
        queues: Part::Ready(queues(sim).into_iter().map(|queue| Warm::new(now, queue)).collect()),
        discovery: "4 queues found below bull".to_owned(),
        detail: focus
            .iter()
            .any(|focus| matches!(focus, Focus::Server { .. }))
            .then(|| Warm::new(now, super::redis_server::detail(sim))),
        failed: pages,
        lists,
        more: more.into_iter().map(|more| Warm::new(now, more)).collect(),
        jobs,
    }
}
