//! One queue: how it does, what fails and why, who works on what, what comes next.

use crate::core::part::Part;
use crate::core::redis::{
    Condition, DoneBy, FailedJob, FailureGroup, JobState, ListedJob, QueueReading, QueueRef, RedisRow,
    RedisState, RunTimes, condition, groups, overlong,
};
use crate::core::row::RowKey;
use crate::core::text::{counted, tidy};
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::panels::redis::target::{aged, alike_of, job_key, number_role, page, queue_of};
use crate::panels::redis::{job_list, workings};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{count, duration, of_seconds, whole};
use std::time::Duration;

/// Failed jobs that are read: as many as somebody reads through; the newest stand first.
pub(super) const PAGE: u64 = 500;

pub(super) fn one_queue(context: PanelContext<'_>, key: &RowKey) -> Content {
    let queue = queue_of(key);
    let title = format!("queue {}", queue.name);
    let Some((target, state, page)) = page(context, key) else {
        return Content { title, sections: Vec::new() };
    };
    let role = number_role(target, context);
    let mut lines: Vec<Line> = old(target, context).into_iter().collect();
    lines.extend(state.queue(&queue).map(|reading| facts(state, reading, role)).unwrap_or_default());
    let mut sections = vec![Section::lines(title.clone(), lines)];
    let alike = page.map(|page| groups(&[page])).unwrap_or_default();
    if alike.len() > 1 || alike.first().is_some_and(|group| group.jobs.len() > 1) {
        let rows = alike.iter().map(|group| group_row(target, &queue, group, role)).collect();
        let all = match context.forbids(&target.id) {
            Some(_) => String::new(),
            None => format!(" ({} retries all of one kind)", context.keys.act),
        };
        let title = format!("Failures by kind{all}");
        sections.push(Section::table(title, group_table(rows)));
    }
    let list = state.reading().and_then(|all| all.lists.iter().find(|list| list.queue == queue));
    let more = state.reading().and_then(|all| all.more.iter().find(|more| more.queue == queue));
    let times = more.map_or(&[][..], |more| more.times.as_slice());
    let listed = |wanted: &[JobState]| -> Vec<Row> {
        let jobs = list.into_iter().flat_map(|list| &list.jobs).filter(|job| wanted.contains(&job.state));
        jobs.map(|job| open_row(target, &queue, job, times, role)).collect()
    };
    let active = listed(&[JobState::Active]);
    if !active.is_empty() {
        sections.push(Section::table("Active", open_table(active, "running")));
    }
    let rows: Vec<Row> = page
        .into_iter()
        .flat_map(|page| &page.jobs)
        .map(|job| failed_row(target, &queue, job, role))
        .collect();
    let failed = state.queue(&queue).map_or(0, |reading| reading.failed);
    let more = if failed > PAGE { format!(", the newest {PAGE} of {failed}") } else { String::new() };
    let empty = if page.is_none() { context.unread("the failed jobs") } else { "no failed job".to_owned() };
    sections.push(Section::table(format!("Failed jobs{more}"), failed_table(rows, &empty)));
    for (states, heading, column) in [
        (&[JobState::Delayed][..], "Delayed, the next first", "due in"),
        (&[JobState::Waiting, JobState::Prioritized][..], "Waiting, the next first", "added"),
    ] {
        let rows = listed(states);
        if !rows.is_empty() {
            sections.push(Section::table(heading, open_table(rows, column)));
        }
    }
    // Not before the failed jobs are read: the cursor begins on the first row that there is.
    let reading = state.queue(&queue).filter(|_| page.is_some());
    sections.extend(reading.map(|reading| job_list::states(context, target, reading, role)));
    sections.extend(workings::sections(target, state, &queue, role));
    Content { title, sections }
}

/// The jobs that failed alike.
pub(super) fn one_group(context: PanelContext<'_>, key: &RowKey) -> Content {
    let queue = queue_of(key);
    let title = format!("queue {} · failed alike", queue.name);
    let Some((target, _, Some(page))) = page(context, key) else {
        return Content { title, sections: Vec::new() };
    };
    let role = number_role(target, context);
    let group = alike_of(key, page);
    let Some(group) = group else {
        let gone = vec![Line::text("no job among the newest failed like this any more")];
        return Content { title: title.clone(), sections: vec![Section::lines(title, gone)] };
    };
    let place = if group.frame.is_empty() { String::new() } else { format!(" at {}", group.frame) };
    let mut lines: Vec<Line> = old(target, context).into_iter().collect();
    lines.push(Line::of(Role::Strong, &group.reason).then(Role::Muted, place));
    lines.push(Line::of(role, lasted(&group)));
    let rows = page
        .jobs
        .iter()
        .filter(|job| group.jobs.iter().any(|(_, id)| *id == job.id))
        .map(|job| failed_row(target, &queue, job, role))
        .collect();
    let sections = vec![Section::lines(title.clone(), lines), Section::table("Jobs", failed_table(rows, ""))];
    Content { title, sections }
}

/// That what stands below is old.
fn old(target: &TargetState, context: PanelContext<'_>) -> Option<Line> {
    aged(target, context).map(|(role, words)| Line::of(role, format!("{words} · ages are as of then")))
}

/// How many failed like this, and when: whether it goes on.
fn lasted(group: &FailureGroup) -> String {
    let jobs = counted(group.jobs.len(), "job");
    let ages = match (group.newest, group.oldest) {
        (Some(newest), Some(oldest)) if newest == oldest => format!(", {} ago", duration(newest)),
        (Some(newest), Some(oldest)) => {
            format!(", the newest {} ago, the oldest {} ago", duration(newest), duration(oldest))
        }
        (Some(age), None) | (None, Some(age)) => format!(", {} ago", duration(age)),
        (None, None) => String::new(),
    };
    let goes_on = match group.recent {
        0 => "none within five minutes".to_owned(),
        some => format!("{some} within five minutes"),
    };
    format!("{jobs}, {goes_on}{ages}")
}

/// What the condition means, in a sentence.
fn sentence(condition: Condition, queue: &QueueReading) -> (Role, String) {
    let waiting = count(queue.backlog() as f64);
    let are = |many: u64| if many == 1 { "is" } else { "are" };
    let stand = |many: u64| if many == 1 { "1 stands".to_owned() } else { format!("{many} stand") };
    let ready = format!("{waiting} {} ready", are(queue.backlog()));
    match condition {
        Condition::Stranded(jobs) => {
            let them = if jobs == 1 { "it" } else { "them" };
            let left = format!("{} {} left", counted(jobs as usize, "job"), are(jobs));
            let words =
                format!("{left} in the list of a pause that is over; resuming it from here frees {them}");
            (Role::Warning, words)
        }
        Condition::Paused => (Role::Note, format!("paused with {waiting} ready; a retried job waits, too")),
        Condition::Limited(left) => {
            (Role::Note, format!("its rate limit holds it for another {}", duration(left)))
        }
        Condition::DeadLetters => {
            let of = queue.dead_letter.as_ref().and_then(|letter| letter.source.as_deref());
            let of = of.map_or(String::new(), |source| format!(" of {source}"));
            (
                Role::Note,
                format!(
                    "dead letters{of}: {} here, and nobody is meant to work on them",
                    stand(queue.dead())
                ),
            )
        }
        Condition::NoWorkers => {
            // A worker that went may have left nothing but the jobs that it had.
            let what = match (queue.backlog(), queue.active) {
                (0, held) => format!("{held} {} in progress", are(held)),
                (_, 0) => ready,
                (_, held) => format!("{ready}, {held} in progress,"),
            };
            (Role::Warning, format!("{what} and no worker is connected"))
        }
        Condition::Stuck => {
            let held = queue.active;
            let words = format!("{ready}, {held} {} held, and none was taken for a minute", are(held));
            (Role::Warning, words)
        }
        Condition::Failing => {
            let failed = queue.failures();
            (Role::Critical, format!("more fails than is done: {failed} within five minutes"))
        }
        Condition::Saturated(net) => {
            (Role::Warning, format!("{ready}, and {net:.1} more come per second than are taken"))
        }
        Condition::Draining(left) => (Role::Text, format!("{ready}, empty in about {}", duration(left))),
        Condition::Busy => (Role::Text, "jobs are being worked on".to_owned()),
        Condition::Later => {
            (Role::Text, "jobs come, and are put aside for later or for their children".to_owned())
        }
        Condition::Untold => {
            let words = "jobs are taken, and nothing tells how they end: none is kept, and no event or metric is written";
            (Role::Note, words.to_owned())
        }
        Condition::Idle => (Role::Muted, "nothing to do".to_owned()),
    }
}

fn facts(state: &RedisState, reading: &QueueReading, role: Role) -> Vec<Line> {
    let counts = format!(
        "waiting {} · active {} · delayed {} · failed {} · completed {} kept",
        count((reading.waiting + reading.prioritized) as f64),
        count(reading.active as f64),
        count(reading.delayed as f64),
        count(reading.failed as f64),
        count(reading.completed as f64)
    );
    let mut lines = Vec::new();
    if let Some(history) = state.queues.get(&reading.queue) {
        let now = condition(reading, history);
        let (tone, words) = sentence(now, reading);
        lines.push(Line::of(Role::Strong, format!("{}: ", now.word())).then(tone, words));
    }
    lines.push(Line::of(role, counts));
    let how = match reading.done_by {
        DoneBy::Kept => "by the completed jobs that are kept",
        DoneBy::Events => "by its events, as it keeps no completed job",
        DoneBy::AtLeast => "at least, by as many of its events as are read",
    };
    let added = state.queues.get(&reading.queue).and_then(|history| history.added_per_second);
    let added = added.map_or("—".to_owned(), |added| format!("{added:.1}"));
    let done = reading.completed_last_minute;
    lines.push(Line::of(
        role,
        format!("done {done} in the last minute, {how}; added {added} per second, by its counter"),
    ));
    lines.extend(happened(reading, role));
    let evidence = &reading.evidence;
    lines.push(Line::of(Role::Muted, format!("{}, because {}", evidence.family, evidence.why)));
    if let Some(newest) = reading.newest_failure {
        let oldest = reading
            .oldest_failure
            .map_or(String::new(), |age| format!(", the oldest kept {} ago", duration(age)));
        let recent = format!(
            "newest failure {} ago{oldest}, {} within five minutes",
            duration(newest),
            reading.failed_last_five_minutes
        );
        lines.push(Line::of(role, recent));
    }
    lines
}

/// Failures as the queue's own record tells them, where more happened than is kept.
fn happened(reading: &QueueReading, role: Role) -> Option<Line> {
    let happened = match &reading.happened {
        Part::Ready(happened) => happened,
        Part::Unavailable(gap) => return Some(Line::of(Role::Note, &gap.note)),
        Part::NotAsked => return None,
    };
    if happened.failed.max(happened.stalled) == 0 || happened.failed <= reading.failed_last_five_minutes {
        return None;
    }
    let least = if happened.at_least { "at least " } else { "" };
    let newest = match &*happened.reason {
        "" => String::new(),
        reason => format!("; the newest: {}", tidy(reason, 120)),
    };
    let text = format!(
        "{least}{} failed and {} stalled within five minutes, kept or not{newest}",
        happened.failed, happened.stalled
    );
    Some(Line::of(role, text))
}

fn in_seconds(value: Option<Duration>) -> Option<f64> {
    value.map(|value| value.as_secs_f64())
}

fn age_cell(value: Option<Duration>, role: Role) -> Cell {
    let value = in_seconds(value);
    Cell::figure(value, of_seconds).role(role)
}

fn group_table(rows: Vec<Row>) -> Table {
    Table {
        columns: vec![
            Column::number("jobs", 6, 0),
            Column::number("in 5 m", 7, 0),
            Column::number("newest", 8, 0),
            Column::number("oldest", 8, 3),
            Column::fixed("names", 18, 4),
            Column::fixed("where", 18, 2),
            Column::flex("reason", 24, 0),
        ],
        rows,
        empty: String::new(),
        fixed_order: false,
    }
}

fn group_row(target: &TargetState, queue: &QueueRef, group: &FailureGroup, role: Role) -> Row {
    let key = RowKey::Redis(target.id.clone(), RedisRow::FailedAlike(queue.clone(), group.fingerprint()));
    let tone = if group.recent > 0 { Role::Critical } else { role };
    let names: Vec<&str> = group.names.iter().map(String::as_str).collect();
    let number = |value: usize| Cell::figure(Some(value as f64), whole);
    Row::opens(
        key,
        vec![
            number(group.jobs.len()).role(Role::Strong),
            number(group.recent).role(tone),
            age_cell(group.newest, role),
            age_cell(group.oldest, role),
            Cell::of(Role::Muted, names.join(", ")),
            Cell::of(Role::Muted, &group.frame),
            Cell::of(role, &group.reason),
        ],
    )
}

fn failed_table(rows: Vec<Row>, empty: &str) -> Table {
    Table {
        columns: vec![
            Column::fixed("id", 12, 0),
            Column::fixed("name", 20, 2),
            Column::number("failed", 8, 0),
            Column::number("tries", 6, 1),
            Column::number("ran", 8, 2),
            Column::flex("reason", 24, 0),
        ],
        rows,
        empty: empty.to_owned(),
        fixed_order: false,
    }
}

fn failed_row(target: &TargetState, queue: &QueueRef, job: &FailedJob, role: Role) -> Row {
    let tries = match (job.attempts, job.attempts_allowed) {
        (Some(made), Some(allowed)) => format!("{made}/{allowed}"),
        (Some(made), None) => made.to_string(),
        (None, _) => "—".to_owned(),
    };
    let (reason, tone) = if job.ghost {
        ("its data is gone: a worker would run an empty job", Role::Warning)
    } else {
        (&*job.reason, role)
    };
    Row::opens(
        job_key(target, queue, &job.id, JobState::Failed),
        vec![
            Cell::of(Role::Strong, &job.id),
            Cell::of(role, &job.name),
            age_cell(job.age, role),
            Cell::number(job.attempts.map(|n| n as f64), tries).role(role),
            age_cell(job.ran_for, role),
            Cell::of(tone, reason),
        ],
    )
}

fn open_table(rows: Vec<Row>, age: &'static str) -> Table {
    Table {
        columns: vec![
            Column::fixed("id", 12, 0),
            Column::fixed("name", 20, 1),
            Column::number(age, 9, 0),
            Column::number("priority", 9, 3),
            Column::flex("", 24, 0),
        ],
        rows,
        empty: String::new(),
        fixed_order: true,
    }
}

fn open_row(target: &TargetState, queue: &QueueRef, job: &ListedJob, times: &[RunTimes], role: Role) -> Row {
    let when = if job.state == JobState::Delayed { job.due_in } else { job.age };
    let long = job.age.and_then(|age| overlong(times, &job.name, age));
    let (tone, note) = match (job.state, job.lock, job.ghost) {
        (_, _, true) => (Role::Warning, "its data is gone".to_owned()),
        (JobState::Active, None, _) => (Role::Warning, "stalled: its worker's lock has run out".to_owned()),
        (JobState::Active, Some(_), _) if long.is_some() => {
            let long = long.unwrap_or_default();
            (Role::Warning, format!("runs {long:.0} times longer than 95 of 100 before: its worker may hang"))
        }
        (JobState::Active, Some(left), _) if job.worker.is_empty() => {
            (Role::Muted, format!("locked for another {}", duration(left)))
        }
        (JobState::Active, Some(left), _) => {
            (Role::Muted, format!("{}, locked for another {}", job.worker, duration(left)))
        }
        (JobState::Prioritized, ..) => (Role::Muted, "by priority".to_owned()),
        _ => (Role::Muted, String::new()),
    };
    let priority = job.priority.map_or(String::new(), |priority| priority.to_string());
    Row::opens(
        job_key(target, queue, &job.id, job.state),
        vec![
            Cell::of(Role::Strong, &job.id),
            Cell::of(role, &job.name),
            age_cell(when, role),
            Cell::of(role, priority),
            Cell::of(tone, note),
        ],
    )
}
