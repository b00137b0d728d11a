//! One queue: how it does, what fails and why, who works on what, what comes next.

use crate::core::part::Part;
use crate::core::redis::{
    Condition, DoneBy, FailureGroup, JobState, QueueReading, RedisState, condition, groups,
};
use crate::core::row::RowKey;
use crate::core::text::{counted, tidy};
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::panels::redis::job_rows::{
    failed_row, failed_table, group_row, group_table, open_row, open_table,
};
use crate::panels::redis::target::{aged, alike_of, number_role, page, queue_of};
use crate::panels::redis::{job_list, workings};
use crate::ui::content::{Content, Line, Role, Row, Section};
use crate::ui::format::{count, duration};

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
            let unseen = if queue.evidence.family.generation() == 0 {
                "; or they are thrown away, as jobs of their ids are there"
            } else {
                ""
            };
            let words = "jobs come and none waits, and nothing tells how they end: none is kept, and no event or metric is written";
            (Role::Note, format!("{words}{unseen}"))
        }
        Condition::Discards(thrown, in_vain) => discards(queue, thrown, in_vain),
        Condition::Parents(in_vain) => {
            let waits = if queue.waiting_children == 1 { "waits for its" } else { "wait for their" };
            let jobs = counted(queue.waiting_children as usize, "job");
            let (role, how) = match in_vain {
                0 => (Role::Text, String::new()),
                some if some == queue.waiting_children => (Role::Warning, ", in vain".to_owned()),
                some => (Role::Warning, format!(", {some} of them in vain")),
            };
            (role, format!("nothing but {jobs} that {waits} children{how}"))
        }
        Condition::Idle => (Role::Muted, idle(queue)),
    }
}

/// That nothing but jobs came that were thrown away, and whether something will free their ids.
fn discards(queue: &QueueReading, thrown: u64, in_vain: bool) -> (Role, String) {
    if in_vain {
        let words = "jobs that come are thrown away by ids that nothing will free";
        return (Role::Warning, format!("{}; {words}", idle(queue)));
    }
    (Role::Text, format!("{}; {}", idle(queue), taken_ids(thrown)))
}

/// How many jobs were thrown away. Whether one that has the id is still there is not said: an id may be held for a time, or by one that is gone.
fn taken_ids(thrown: u64) -> String {
    let were = if thrown == 1 { "was" } else { "were" };
    let jobs = counted(thrown as usize, "job");
    format!(
        "{jobs} that came within five minutes {were} thrown away, by an id or deduplication id that is taken"
    )
}

/// That there is nothing to do, and for how many jobs there will be.
fn idle(queue: &QueueReading) -> String {
    match queue.delayed {
        0 => "nothing to do".to_owned(),
        some => {
            let are = if some == 1 { "is" } else { "are" };
            format!("nothing to do now: {} {are} for later", counted(some as usize, "job"))
        }
    }
}

fn facts(state: &RedisState, reading: &QueueReading, role: Role) -> Vec<Line> {
    let parents = match reading.waiting_children {
        0 => String::new(),
        some => format!("for children {} · ", count(some as f64)),
    };
    let counts = format!(
        "waiting {} · active {} · delayed {} · {parents}failed {} · completed {} kept",
        count((reading.waiting + reading.prioritized) as f64),
        count(reading.active as f64),
        count(reading.delayed as f64),
        count(reading.failed as f64),
        count(reading.completed as f64)
    );
    let mut lines = Vec::new();
    let mut told = false;
    if let Some(history) = state.queues.get(&reading.queue) {
        let now = condition(reading, history);
        told = matches!(now, Condition::Discards(..));
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
    if !told {
        lines.extend(thrown_away(reading));
    }
    lines.extend(reading.lost_holders.iter().map(|one| Line::of(Role::Warning, one.words())));
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

/// Jobs that were thrown away beside those of lost ids, which have lines of their own.
fn thrown_away(reading: &QueueReading) -> Option<Line> {
    let thrown = reading.happened.ready().map_or(0, |happened| happened.thrown_away);
    (thrown > 0 && reading.lost_holders.is_empty()).then(|| Line::of(Role::Muted, taken_ids(thrown)))
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
