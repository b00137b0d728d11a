//! The rows and columns of jobs on the page of a queue: failures of one kind, failed jobs, and those that have not ended.

use crate::core::redis::{
    FailedJob, FailureGroup, JobState, ListedJob, QueueRef, RedisRow, RunTimes, overlong,
};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::redis::target::job_key;
use crate::ui::content::{Cell, Column, Role, Row, Table};
use crate::ui::format::{duration, of_seconds, whole};
use std::time::Duration;

fn in_seconds(value: Option<Duration>) -> Option<f64> {
    value.map(|value| value.as_secs_f64())
}

fn age_cell(value: Option<Duration>, role: Role) -> Cell {
    let value = in_seconds(value);
    Cell::figure(value, of_seconds).role(role)
}

pub(super) fn group_table(rows: Vec<Row>) -> Table {
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

pub(super) fn group_row(target: &TargetState, queue: &QueueRef, group: &FailureGroup, role: Role) -> Row {
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

pub(super) fn failed_table(rows: Vec<Row>, empty: &str) -> Table {
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

pub(super) fn failed_row(target: &TargetState, queue: &QueueRef, job: &FailedJob, role: Role) -> Row {
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

pub(super) fn open_table(rows: Vec<Row>, age: &'static str) -> Table {
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

pub(super) fn open_row(
    target: &TargetState,
    queue: &QueueRef,
    job: &ListedJob,
    times: &[RunTimes],
    role: Role,
) -> Row {
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
