//! The rules about who works on the job queues of a Redis server.

use super::parts::{IN_PROGRESS, Its, NEXT_IN_LINE, QUEUES, SCHEDULERS};
use crate::core::alert::RuleUnit::{Seconds, State};
use crate::core::alert::Triage::{Capacity, Errors, Latency, Saturation};
use crate::core::alert::{Breach, Grade, Remedy, Rule, RuleSpec, Severity, Step};
use crate::core::redis::{QueueHistory, QueueReading, RedisReading, RedisState, seen_as};
use crate::core::row::RowKey;
use crate::core::text::{counted, lasting, tidy};

pub(crate) static GENERATIONS: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "queue.generations",
        "workers and producers of generations that do not see each other's jobs",
        State,
        Errors,
    )
    .hold(20)
    .needs(&[QUEUES])
    .root(),
    generations,
);

pub(crate) static NO_WORKER: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "queue.no_worker",
        "jobs wait and nobody works on them, for this long",
        Seconds,
        Saturation,
    )
    .warning(5.0)
    .critical(60.0)
    .needs(&[QUEUES])
    .root(),
    no_worker,
);

pub(crate) static WAIT: Rule<RedisState> = Rule::new(
    RuleSpec::new("queue.wait", "how long the next job in line has been ready", Seconds, Latency)
        .clear(15)
        .warning(60.0)
        .critical(600.0)
        .hold(5)
        .needs(&[QUEUES, NEXT_IN_LINE]),
    wait,
);

pub(crate) static PAUSED: Rule<RedisState> = Rule::new(
    RuleSpec::new("queue.paused", "a paused queue holds jobs", State, Capacity)
        .hold(5)
        .needs(&[QUEUES])
        .root(),
    paused,
);

pub(crate) static STALLED: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "queue.stalled",
        "jobs in progress have lost their worker and nobody brings them back, for this long",
        Seconds,
        Errors,
    )
    .warning(90.0)
    .needs(&[QUEUES, IN_PROGRESS]),
    stalled,
);

pub(crate) static SCHEDULER: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "queue.scheduler",
        "a scheduler makes no more jobs: how late its next one is",
        Seconds,
        Errors,
    )
    .warning(60.0)
    .needs(&[QUEUES, SCHEDULERS]),
    scheduler,
);

pub(crate) static STRANDED: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "queue.stranded",
        "jobs are in the list of a pause that is over: nobody will take them",
        State,
        Saturation,
    )
    .hold(5)
    .needs(&[QUEUES])
    .root(),
    stranded,
);

/// From so many queues without workers on, they are one finding: their common cause is one.
const MANY: usize = 4;

/// The queues that are known, with what is known of their past.
pub(super) fn watched<'a>(
    state: &'a RedisState,
    reading: &'a RedisReading,
) -> impl Iterator<Item = (&'a QueueReading, &'a QueueHistory)> {
    let known = reading.queues.ready().into_iter().flatten().map(|queue| &**queue);
    known.filter_map(|queue| Some((queue, state.queues.get(&queue.queue)?)))
}

/// A queue as it is called where another may have its name below another prefix.
pub(super) fn name(queue: &QueueReading, reading: &RedisReading) -> String {
    let all = reading.queues.ready().into_iter().flatten();
    let alike = all.filter(|other| other.queue.name == queue.queue.name).take(2).count();
    seen_as(&queue.queue, alike > 1)
}

/// Tells what is wrong with a queue.
pub(super) fn tell<'a>(
    its: &'a mut Its<'_>,
    grade: Grade,
    queue: &QueueReading,
    sentence: String,
) -> &'a mut Breach {
    let row = RowKey::of_queue(its.target, &queue.queue);
    let subject = format!("queue {}:{}", queue.queue.prefix, queue.queue.name);
    its.tell(grade, subject, sentence).row(row)
}

fn jobs(count: u64) -> String {
    counted(usize::try_from(count).unwrap_or(usize::MAX), "job")
}

/// Jobs that have lost their worker, where others are there: workers bring such jobs back by themselves, if they look for them.
fn stalled(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, history) in watched(its.state, reading) {
        // Without any worker they are told with that.
        let Some(since) = history.stalled_since.filter(|_| history.idle_since.is_none()) else { continue };
        let lasts = its.now.since(since);
        let Some(grade) = its.grade(lasts.as_secs_f64()) else { continue };
        let their = if queue.stalled == 1 { "its" } else { "their" };
        let what = jobs(queue.stalled);
        let sentence =
            format!("queue {}: {what} in progress lost {their} worker's lock", name(queue, reading));
        let step = if queue.checked_by_worker {
            Step::Say("its workers look each 30 s and bring them back; read their log".to_owned())
        } else {
            Step::Act(Remedy::Recover, "in the open queue: no worker looks for them".to_owned())
        };
        tell(its, grade, queue, sentence).since(Some(lasts)).hits(queue.stalled, "job").step(step);
    }
}

/// Schedulers that make no more jobs.
fn scheduler(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, _) in watched(its.state, reading) {
        let late = queue.late.iter().map(|one| (one, false));
        let all = late.chain(queue.lapsed.iter().map(|one| (one, true)));
        let Some(((id, by), lapsed)) = all.max_by_key(|((_, by), _)| *by) else { continue };
        let Some(grade) = its.grade(by.as_secs_f64()) else { continue };
        let count = queue.late.len() + queue.lapsed.len();
        let others = if count == 1 { String::new() } else { format!(", and {} more", count - 1) };
        let (queue_name, id, late) = (name(queue, reading), tidy(id, 40), lasting(*by));
        // An older library keeps nowhere of it whether it has reached its limit.
        let sentence = if lapsed {
            format!(
                "queue {queue_name}: repeatable job {id} comes no more{others}; its next one is gone, {late} late"
            )
        } else {
            format!(
                "queue {queue_name}: scheduler {id} makes no more jobs{others}; its next one is gone, {late} late"
            )
        };
        let step = if lapsed {
            let words = "let its application add it again, as it does when it starts; one that is over (limit) is removed by key";
            Step::Say(words.to_owned())
        } else {
            Step::Act(Remedy::Reschedule, "in the open queue".to_owned())
        };
        tell(its, grade, queue, sentence).since(Some(*by)).hits(count, "scheduler").step(step);
    }
}

/// Queues that nobody works on: many of them are one finding.
fn no_worker(its: &mut Its<'_>, reading: &RedisReading) {
    let idle: Vec<_> =
        watched(its.state, reading).filter(|(_, history)| history.idle_since.is_some()).collect();
    if idle.len() >= MANY {
        together(its, reading, &idle);
        return;
    }
    for (queue, history) in idle {
        one_without(its, reading, queue, history);
    }
}

fn together(its: &mut Its<'_>, reading: &RedisReading, idle: &[(&QueueReading, &QueueHistory)]) {
    let longest = idle.iter().filter_map(|(_, history)| history.idle_since).map(|since| its.now.since(since));
    let longest = longest.max().unwrap_or_default();
    let hit: u64 = idle.iter().map(|(queue, _)| queue.unattended()).sum();
    let Some((worst, _)) = idle.iter().max_by_key(|(queue, _)| queue.unattended()) else { return };
    let Some(grade) = its.grade(longest.as_secs_f64()) else { return };
    let sentence = format!(
        "{}: {}; {}, most in {} ({})",
        counted(idle.len(), "queue"),
        seen(worst),
        waiting(hit),
        name(worst, reading),
        worst.unattended()
    );
    let breach = its.tell(grade, "queues", sentence).since(Some(longest)).hits(hit, "job");
    breach.say("start the workers: so many queues lost them for one reason");
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
fn one_without(its: &mut Its<'_>, reading: &RedisReading, queue: &QueueReading, history: &QueueHistory) {
    let Some(since) = history.idle_since else { return };
    let (name, backlog) = (name(queue, reading), queue.backlog());
    let idle = its.now.since(since);
    let Some(grade) = its.grade(idle.as_secs_f64()) else { return };
    let seen = seen(queue);
    let (sentence, step) = match (backlog, queue.active) {
        (0, held) => (
            format!("queue {name}: {} in progress and {seen}", jobs(held)),
            "start its workers: one that runs takes back what another held (BullMQ and Bull check each 30 s)",
        ),
        (_, 0) => (format!("{} in queue {name} and {seen}", waiting(backlog)), "start its workers"),
        (_, held) => (
            format!("{} in queue {name}, {held} in progress, and {seen}", waiting(backlog)),
            "start its workers",
        ),
    };
    tell(its, grade, queue, sentence).since(Some(idle)).hits(queue.unattended(), "job").say(step);
}

fn generations(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, _) in watched(its.state, reading) {
        let Some((why, grade)) = queue.evidence.mismatch.as_ref().zip(its.state(Severity::Warning)) else {
            continue;
        };
        let sentence = format!("queue {}: {why}", name(queue, reading));
        let breach = tell(its, grade, queue, sentence).hits(queue.backlog(), "job");
        breach.say("run the same major version on both sides");
    }
}

fn wait(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, history) in watched(its.state, reading) {
        let told = queue.paused || queue.dead_letter.is_some() || history.idle_since.is_some();
        let Some(waited) = queue.oldest_wait.filter(|_| !told) else { continue };
        let Some(grade) = its.grade(waited.as_secs_f64()) else { continue };
        let backlog = queue.backlog();
        let limit = queue.limited_for.map_or_else(String::new, |left| {
            format!(", and the queue's own rate limit holds it for {}", lasting(left))
        });
        let sentence = format!(
            "queue {}: the next of {} has waited {}{limit}",
            name(queue, reading),
            jobs(backlog),
            lasting(waited)
        );
        let look = if limit.is_empty() {
            "look at its workers"
        } else {
            "see whether its limit is meant to be so low"
        };
        tell(its, grade, queue, sentence).hits(backlog, "job").look(look);
    }
}

fn paused(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, _) in watched(its.state, reading) {
        let backlog = queue.backlog();
        let Some(grade) = its.state(Severity::Info).filter(|_| queue.paused && backlog > 0) else { continue };
        let sentence = format!("queue {} is paused with {}", name(queue, reading), jobs(backlog));
        let step = Step::Act(Remedy::Resume, "when its reason is gone".to_owned());
        tell(its, grade, queue, sentence).hits(backlog, "job").step(step);
    }
}

fn stranded(its: &mut Its<'_>, reading: &RedisReading) {
    for (queue, _) in watched(its.state, reading) {
        let Some(grade) = its.state(Severity::Warning).filter(|_| queue.stranded > 0) else { continue };
        let sentence = format!(
            "queue {}: {} left in the list of a pause that is over",
            name(queue, reading),
            jobs(queue.stranded)
        );
        let note = "from here: that puts them in line; the library's own resume loses those that wait";
        let step = Step::Act(Remedy::Resume, note.to_owned());
        tell(its, grade, queue, sentence).hits(queue.stranded, "job").step(step);
    }
}
