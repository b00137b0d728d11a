//! The rules about the job queues of a Redis server.

use super::scene::Scene;
use crate::core::alert::Severity;
use crate::core::redis::{Condition, QueueHistory, QueueReading, RedisReading, RedisState, condition};
use crate::core::text::{counted, lasting, tidy};

/// From so many queues without workers on, they are one finding: their common cause is one.
const MANY: usize = 4;

/// Everything about the queues of one server.
pub(super) fn all(scene: &mut Scene<'_>, reading: &RedisReading, state: &RedisState) {
    let known = reading.queues.ready().into_iter().flatten().map(|queue| &**queue);
    let known: Vec<_> = known.filter_map(|queue| Some((queue, state.queues.get(&queue.queue)?))).collect();
    let idle: Vec<_> = known.iter().filter(|(_, history)| history.idle_since.is_some()).collect();
    let together = idle.len() >= MANY;
    if together {
        without_workers(scene, &idle);
    }
    for (queue, history) in known {
        if !together {
            no_worker(scene, queue, history);
        }
        jobs(scene, queue, history);
        stalled(scene, queue, history);
        late(scene, queue);
    }
}

/// Jobs that have lost their worker, where others are there: workers bring such jobs back by themselves, if they look for them.
fn stalled(scene: &mut Scene<'_>, queue: &QueueReading, history: &QueueHistory) {
    // Without any worker they are told with that.
    let Some(since) = history.stalled_since.filter(|_| history.idle_since.is_none()) else { return };
    let lasts = scene.now.since(since);
    let severity = scene.rules.grade("queue.stalled", lasts.as_secs_f64());
    let what = counted(queue.stalled as usize, "job");
    let sentence = format!("queue {}: {what} in progress lost their worker's lock", scene.name(queue));
    let sentence = if queue.stalled == 1 { sentence.replace("their", "its") } else { sentence };
    let step = if queue.checked_by_worker {
        "its workers look each 30 s and bring them back; read their log"
    } else {
        "no worker looks for them: open the queue; each can be brought back or failed there"
    };
    scene.queue("queue.stalled", severity, queue, sentence, Some(lasts), queue.stalled, step);
}

/// Schedulers that make no more jobs.
fn late(scene: &mut Scene<'_>, queue: &QueueReading) {
    let Some((id, by)) = queue.late.iter().max_by_key(|(_, by)| *by) else { return };
    let severity = scene.rules.grade("queue.scheduler", by.as_secs_f64());
    let others = match queue.late.len() - 1 {
        0 => String::new(),
        others => format!(", and {others} more"),
    };
    let sentence = format!(
        "queue {}: scheduler {} makes no more jobs{others}; its next one is gone, {} late",
        scene.name(queue),
        tidy(id, 40),
        lasting(*by)
    );
    let step = "open the queue: remove the scheduler, then add it again";
    scene.queue("queue.scheduler", severity, queue, sentence, Some(*by), queue.late.len() as u64, step);
}

/// Many queues that nobody works on, as one finding.
fn without_workers(scene: &mut Scene<'_>, idle: &[&(&QueueReading, &QueueHistory)]) {
    let longest =
        idle.iter().filter_map(|(_, history)| history.idle_since).map(|since| scene.now.since(since));
    let longest = longest.max().unwrap_or_default();
    let hit: u64 = idle.iter().map(|(queue, _)| queue.unattended()).sum();
    let Some((worst, _)) = idle.iter().max_by_key(|(queue, _)| queue.unattended()) else { return };
    let seen = seen(worst);
    let sentence = format!(
        "{}: {seen}; {}, most in {} ({})",
        counted(idle.len(), "queue"),
        waiting(hit),
        scene.name(worst),
        worst.unattended()
    );
    let severity = scene.rules.grade("queue.no_worker", longest.as_secs_f64());
    let step = "start the workers: so many queues lost them for one reason";
    scene.queues("queue.no_worker", severity, sentence, Some(longest), hit, step);
}

/// What is known of workers where none is.
const fn seen(queue: &QueueReading) -> &'static str {
    match queue.evidence.workers {
        Some(_) => "no worker is connected",
        None => "no sign of a worker (who is connected cannot be read: permit +client|list)",
    }
}

/// `1 job waits`, `9 jobs wait`.
fn waiting(jobs: u64) -> String {
    if jobs == 1 { "1 job waits".to_owned() } else { format!("{jobs} jobs wait") }
}

/// A queue that nobody works on.
fn no_worker(scene: &mut Scene<'_>, queue: &QueueReading, history: &QueueHistory) {
    let Some(since) = history.idle_since else { return };
    let (name, backlog) = (&scene.name(queue), queue.backlog());
    let idle = scene.now.since(since);
    let severity = scene.rules.grade("queue.no_worker", idle.as_secs_f64());
    let seen = seen(queue);
    let (sentence, step) = match (backlog, queue.active) {
        (0, held) => (
            format!("queue {name}: {} in progress and {seen}", counted(held as usize, "job")),
            "start its workers: one that runs takes back what another held (BullMQ and Bull check each 30 s)",
        ),
        (_, 0) => (format!("{} in queue {name} and {seen}", waiting(backlog)), "start its workers"),
        (_, held) => (
            format!("{} in queue {name}, {held} in progress, and {seen}", waiting(backlog)),
            "start its workers",
        ),
    };
    let hit = queue.unattended();
    scene.queue("queue.no_worker", severity, queue, sentence, Some(idle), hit, step);
}

fn jobs(scene: &mut Scene<'_>, queue: &QueueReading, history: &QueueHistory) {
    let (rules, now) = (scene.rules, scene.now);
    let name = &scene.name(queue);
    let backlog = queue.backlog();
    if let Some(why) = &queue.evidence.mismatch {
        let sentence = format!("queue {name}: {why}");
        let step = "run the same major version on both sides";
        scene.queue("queue.generations", Some(Severity::Warning), queue, sentence, None, backlog, step);
    }
    if let Some(since) = history.growing_since {
        let growing = now.since(since);
        let severity = rules.grade("queue.dead_letters", growing.as_secs_f64());
        let what = if queue.dead_letter.is_some() { "dead letters" } else { "failed jobs" };
        let trend = if history.grown == 0 || queue.dead() == 0 {
            format!("recovering, clear since {}", lasting(history.clear_for(now)))
        } else {
            format!("{} more within a minute", history.grown)
        };
        let sentence = format!("queue {name}: {} {what}, {trend}", queue.dead());
        let step = "read the newest failure; retry when its cause is gone";
        scene.queue("queue.dead_letters", severity, queue, sentence, Some(growing), queue.dead(), step);
    }
    failing(scene, queue, history);
    let waited = queue
        .oldest_wait
        .filter(|_| !queue.paused && queue.dead_letter.is_none() && history.idle_since.is_none());
    if let Some(waited) = waited {
        let severity = rules.grade("queue.wait", waited.as_secs_f64());
        let sentence = format!(
            "queue {name}: the next of {} has waited {}",
            counted(backlog as usize, "job"),
            lasting(waited)
        );
        scene.queue("queue.wait", severity, queue, sentence, None, backlog, "look at its workers");
    }
    if queue.paused && backlog > 0 {
        let sentence = format!("queue {name} is paused with {}", counted(backlog as usize, "job"));
        let step = "resume it when its reason is gone";
        scene.queue("queue.paused", Some(Severity::Info), queue, sentence, None, backlog, step);
    }
    if queue.stranded > 0 {
        let stranded = queue.stranded;
        let sentence = format!(
            "queue {name}: {} left in the list of a pause that is over",
            counted(stranded as usize, "job")
        );
        let step = "resume the queue from here: that puts them in line; the library's own resume loses those that wait";
        scene.queue("queue.stranded", Some(Severity::Warning), queue, sentence, None, stranded, step);
    }
}

/// Jobs that fail, whether they are kept or not; where nothing tells how they end, that is said.
fn failing(scene: &mut Scene<'_>, queue: &QueueReading, history: &QueueHistory) {
    let name = &scene.name(queue);
    if condition(queue, history) == Condition::Untold {
        let sentence = format!("queue {name}: jobs are taken, and nothing tells how they end: none is kept");
        scene.queue("queue.failing", Some(Severity::Info), queue, sentence, None, 0, "keep failed jobs");
    }
    let (Some(since), Some(share)) = (history.failing_since, queue.failing_share()) else { return };
    let severity = scene.rules.grade("queue.failing", share);
    // Failed jobs that are kept and grow are told by their number, until nearly all fail.
    if history.growing_since.is_some() && severity != Some(Severity::Critical) {
        return;
    }
    let (failed, happened) = (queue.failures(), queue.happened.ready());
    let stalled = happened.map_or(0, |happened| happened.stalled);
    let stalled = if stalled > 0 { format!(", {stalled} stalled") } else { String::new() };
    let reason = happened.map(|happened| tidy(&happened.reason, 60)).filter(|reason| !reason.is_empty());
    let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
    let least = if happened.is_some_and(|happened| happened.at_least) { "at least " } else { "" };
    let kept = if queue.failed == 0 { ", and none is kept" } else { "" };
    let sentence = format!(
        "queue {name}: {:.0} % of its jobs fail, {least}{failed} within five minutes{stalled}{kept}{reason}",
        share * 100.0
    );
    let step = "read the newest failure; pause it while its cause lasts";
    scene.queue("queue.failing", severity, queue, sentence, Some(scene.now.since(since)), failed, step);
}
