//! The lower part of an opened queue: how long its jobs take, what makes them by the clock, who waits in vain, what happens.

use crate::core::redis::{
    JobList, JobState, QueueEvent, QueueRef, QueueWorker, QueueWorkings, RedisRow, RedisState, RunTimes,
    Scheduler,
};
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::redis::target::job_key;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, duration, of_seconds, whole};
use std::time::Duration;

pub(super) fn sections(
    target: &TargetState,
    state: &RedisState,
    queue: &QueueRef,
    role: Role,
) -> Vec<Section> {
    let reading = state.reading();
    let Some(more) = reading.and_then(|reading| reading.more.iter().find(|more| more.queue == *queue)) else {
        return Vec::new();
    };
    let mut sections = Vec::new();
    let list = reading.and_then(|reading| reading.lists.iter().find(|list| list.queue == *queue));
    sections.extend(workers(target, more, list, role));
    sections.extend(limits(more, reading.and_then(|reading| reading.held_for_us_bytes), role));
    if !more.times.is_empty() {
        sections.push(times(target, more, role));
    }
    if !more.schedulers.is_empty() {
        sections.push(schedulers(target, more, role));
    }
    let stuck = state.queue(queue).and_then(|queue| queue.stuck.ready()).map_or(&[][..], Vec::as_slice);
    let childless: Vec<(&str, String)> = stuck
        .iter()
        .map(|one| (one.parent.as_str(), one.waits()))
        .filter(|(_, words)| !words.is_empty())
        .collect();
    if !more.blocked.is_empty() || !childless.is_empty() {
        sections.push(blocked(target, more, &childless, role));
    }
    if !more.events.is_empty() {
        sections.push(events(target, more, role));
    }
    sections
}

/// Who is connected, since when, and with which jobs in its hands where its library says so.
fn workers(
    target: &TargetState,
    more: &QueueWorkings,
    list: Option<&JobList>,
    role: Role,
) -> Option<Section> {
    let workers = more.workers.as_ref().filter(|workers| !workers.is_empty())?;
    let row = |worker: &QueueWorker| {
        let held = list.into_iter().flat_map(|list| &list.jobs).filter(|job| {
            job.state == JobState::Active && !worker.name.is_empty() && job.worker == worker.name
        });
        let held: Vec<&str> = held.map(|job| job.id.as_str()).collect();
        let what = match (held.is_empty(), worker.waits) {
            (false, _) => format!("has {}", held.join(", ")),
            (true, true) => "waits for a job".to_owned(),
            (true, false) => "is busy, or asleep".to_owned(),
        };
        Row::flat(
            RowKey::Redis(target.id.clone(), RedisRow::Worker(more.queue.clone(), worker.address.clone())),
            vec![
                Cell::of(Role::Strong, &worker.address),
                Cell::of(role, &worker.name),
                span(Some(worker.connected), role),
                span(Some(worker.quiet), role),
                Cell::of(Role::Muted, what),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::fixed("worker", 24, 0),
            Column::fixed("name", 16, 2),
            Column::number("connected", 10, 0),
            Column::number("quiet", 8, 1),
            Column::flex("", 20, 0),
        ],
        rows: workers.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: true,
    };
    Some(Section::table("Workers", table))
}

fn limits(more: &QueueWorkings, held: Option<u64>, role: Role) -> Option<Section> {
    let fact = |label: &str, value: String| Line::of(Role::Muted, format!("{label:<16}")).then(role, value);
    let jobs = |many: u64| counted(many as usize, "job");
    let mut lines = Vec::new();
    lines.extend(
        more.concurrency
            .map(|limit| fact("concurrency", format!("{} at once, all workers together", jobs(limit)))),
    );
    lines.extend(
        more.rate.map(|(most, span)| fact("rate limit", format!("{} in {}", jobs(most), duration(span)))),
    );
    lines.extend(
        more.memory_bytes
            .map(|size| fact("memory", format!("about {}, by a sample of its jobs", bytes(size)))),
    );
    let held = held.map(|size| {
        fact(
            "held for us",
            format!("{} in the server's output buffer after the last read", bytes(size as f64)),
        )
    });
    lines.extend(held);
    (!lines.is_empty()).then(|| Section::lines("Limits and memory", lines))
}

fn span(value: Option<Duration>, role: Role) -> Cell {
    Cell::figure(value.map(|value| value.as_secs_f64()), of_seconds).role(role)
}

fn times(target: &TargetState, more: &QueueWorkings, role: Role) -> Section {
    let row = |times: &RunTimes| {
        Row::flat(
            RowKey::Redis(target.id.clone(), RedisRow::RunTimes(more.queue.clone(), times.name.clone())),
            vec![
                Cell::of(Role::Strong, &times.name),
                Cell::figure(Some(times.jobs as f64), whole).role(role),
                span(times.wait_p50, role),
                span(times.wait_p95, role),
                span(times.run_p50, role),
                span(times.run_p95, role),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::flex("name", 16, 0),
            Column::number("jobs", 6, 2),
            Column::number("wait p50", 9, 1),
            Column::number("wait p95", 9, 0),
            Column::number("run p50", 9, 1),
            Column::number("run p95", 9, 0),
        ],
        rows: more.times.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: false,
    };
    Section::table("How long the newest completed jobs waited and ran", table)
}

fn schedulers(target: &TargetState, more: &QueueWorkings, role: Role) -> Section {
    let row = |scheduler: &Scheduler| {
        let (tone, when) = match (scheduler.overdue, scheduler.next_in) {
            (None, _) if scheduler.ended => (role, "has ended".to_owned()),
            (Some(over), _) => (Role::Warning, format!("{} late", duration(over))),
            (None, Some(left)) => (role, format!("in {}", duration(left))),
            (None, None) => (role, "its job waits".to_owned()),
        };
        let made = scheduler.made.map(|made| made as f64);
        let QueueRef { prefix: _, name: _ } = &more.queue;
        Row::flat(
            RowKey::Redis(target.id.clone(), RedisRow::Scheduler(more.queue.clone(), scheduler.id.clone())),
            vec![
                Cell::of(Role::Strong, &scheduler.id),
                Cell::of(role, &scheduler.name),
                Cell::of(role, &scheduler.rhythm),
                Cell::of(tone, when),
                Cell::figure(made, crate::ui::format::count).role(role),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::flex("scheduler", 16, 0),
            Column::fixed("job", 16, 2),
            Column::fixed("rhythm", 24, 1),
            Column::fixed("next", 14, 0),
            Column::number("made", 7, 3),
        ],
        rows: more.schedulers.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: true,
    };
    Section::table("Schedulers, the next first", table)
}

fn blocked(target: &TargetState, more: &QueueWorkings, lost: &[(&str, String)], role: Role) -> Section {
    let row = |id: &str, words: String| {
        Row::opens(
            job_key(target, &more.queue, id, JobState::WaitingChildren),
            vec![Cell::of(Role::Strong, id), Cell::of(role, words)],
        )
    };
    let failed = more.blocked.iter().map(|(id, failed)| {
        let words = match failed {
            1 => "waits for children of which 1 has failed: retry it".to_owned(),
            many => format!("waits for children of which {many} have failed: retry those"),
        };
        row(id, words)
    });
    let table = Table {
        columns: vec![Column::fixed("parent", 20, 0), Column::flex("", 24, 0)],
        rows: failed.chain(lost.iter().map(|(id, words)| row(id, words.clone()))).collect(),
        empty: String::new(),
        fixed_order: true,
    };
    Section::table("Parents that wait in vain", table)
}

fn events(target: &TargetState, more: &QueueWorkings, role: Role) -> Section {
    let row = |event: &QueueEvent| {
        let tone = match event.event.as_str() {
            "failed" | "stalled" | "retries-exhausted" => Role::Warning,
            _ => role,
        };
        let QueueRef { prefix: _, name: _ } = &more.queue;
        Row::flat(
            RowKey::Redis(target.id.clone(), RedisRow::Event(more.queue.clone(), event.id.clone())),
            vec![
                span(event.age, role),
                Cell::of(tone, &event.event),
                Cell::of(Role::Strong, &event.job),
                Cell::of(Role::Muted, event.detail()),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::number("ago", 8, 0),
            Column::fixed("event", 18, 0),
            Column::fixed("job", 16, 0),
            Column::flex("", 24, 1),
        ],
        rows: more.events.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: true,
    };
    Section::table("Events, the newest first (/ filters by event or job)", table)
}
