//! One job of a queue with everything about it: where it is, why it failed, its data and options.

use crate::core::ids::TargetId;
use crate::core::redis::{JobDetail, JobState, Kin, QueueRef, RedisRow};
use crate::core::row::RowKey;
use crate::panels::panel::PanelContext;
use crate::panels::redis::target::{queue_of, state};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::bytes;
use crate::ui::text::clean_lines;

pub(super) fn one_job(context: PanelContext<'_>, key: &RowKey, id: &str) -> Content {
    let title = format!("job {id}");
    let queue = queue_of(key);
    let detail = state(context, key)
        .and_then(|(_, state)| state.reading()?.jobs.iter().find(|job| job.queue == queue && job.id == id));
    let Some(detail) = detail else {
        return Content {
            title: title.clone(),
            sections: vec![Section::lines(title, vec![Line::of(Role::Muted, context.unread("the job"))])],
        };
    };
    let mut sections = job_sections(&title, detail);
    if let Some(target) = key.target().filter(|_| !detail.links.is_empty()) {
        sections.insert(1, flow(context, target, detail));
    }
    if !detail.logs.is_empty() {
        let lines = detail.logs.iter().map(|line| Line::text(&**line)).collect();
        sections.push(Section::lines("Log, the newest last", lines).private());
    }
    Content { title: title.clone(), sections }
}

/// Parent and children; opening one leads on along the flow.
fn flow(context: PanelContext<'_>, target: &TargetId, job: &JobDetail) -> Section {
    let row = |(kin, link): &(Kin, String)| {
        let (queue, id) = apart(job, link);
        let tone = if matches!(kin, Kin::Failed | Kin::Gone) { Role::Warning } else { Role::Text };
        let there = QueueRef { prefix: job.queue.prefix.clone(), name: queue.to_owned() };
        Row::opens(
            RowKey::Redis(target.clone(), RedisRow::Job(there, id.to_owned(), None)),
            vec![Cell::of(tone, kin.words()), Cell::of(Role::Text, queue), Cell::of(Role::Strong, id)],
        )
    };
    let table = Table {
        columns: vec![
            Column::fixed("flow", 22, 0),
            Column::fixed("queue", 24, 0),
            Column::flex("job", 16, 0),
        ],
        rows: job.links.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: true,
    };
    Section::table(format!("Flow ({} opens)", context.keys.open), table)
}

/// Queue and id of a key `prefix:queue:id`; the prefix may hold colons, so it is taken to be this queue's own.
fn apart<'a>(job: &JobDetail, link: &'a str) -> (&'a str, &'a str) {
    let rest = link.strip_prefix(&format!("{}:", job.queue.prefix)).unwrap_or(link);
    rest.rsplit_once(':').unwrap_or((rest, ""))
}

/// For whom it waits in vain, and what ends that.
fn lost(job: &JobDetail) -> Vec<Line> {
    if job.state != JobState::WaitingChildren.word() {
        return Vec::new();
    }
    let gone = job.links.iter().filter(|(kin, _)| *kin == Kin::Gone).map(|(_, link)| apart(job, link));
    let says = |(queue, id): (&str, &str)| {
        Line::of(Role::Warning, format!("waits for child {id} of queue {queue}, which no longer exists"))
    };
    let mut lines: Vec<Line> = gone.map(says).collect();
    if !lines.is_empty() {
        let step = "add it again (with its `jobId` and its `parent`): when it is done this job goes on; or let its library \
                    go on without (`removeUnprocessedChildren()`): that removes its other children which have not run, too";
        lines.push(Line::of(Role::Muted, step));
    }
    lines
}

/// Fields that are worth a section of their own.
const LONG: [(&str, &str); 5] = [
    ("failedReason", "Reason"),
    ("stacktrace", "Stack"),
    ("data", "Data"),
    ("returnvalue", "Result"),
    ("opts", "Options"),
];

fn job_sections(title: &str, job: &JobDetail) -> Vec<Section> {
    let fact =
        |label: &str, value: &str| Line::of(Role::Muted, format!("{label:<14}")).then(Role::Text, value);
    let mut lines = vec![fact("queue", &job.queue.name), fact("state", &job.state)];
    for (name, value) in job.fields.iter().filter(|(name, _)| LONG.iter().all(|(long, _)| long != name)) {
        let shown = match name.as_str() {
            "timestamp" | "processedOn" | "finishedOn" => moment(value),
            _ => value.to_string(),
        };
        lines.push(fact(label(name), &shown));
    }
    for (name, size) in &job.too_large {
        lines.push(fact(label(name), &format!("{} long: not read", bytes(*size as f64))));
    }
    lines.extend(lost(job));
    let mut sections = vec![Section::lines(title.to_owned(), lines)];
    for (name, heading) in LONG {
        let Some(value) = job.fields.get(name) else { continue };
        let parts = match name {
            "stacktrace" => stacks(value, attempts(job)),
            _ => vec![(heading.to_owned(), pretty(value))],
        };
        for (heading, text) in parts {
            let lines = clean_lines(&text).into_iter().map(Line::text).collect();
            let section = Section::lines(heading, lines);
            let is_data = matches!(name, "data" | "returnvalue");
            sections.push(if is_data { section.private() } else { section });
        }
    }
    sections
}

/// A field in words; those of the libraries are short, or grown together.
fn label(field: &str) -> &str {
    match field {
        "timestamp" => "added",
        "processedOn" => "last begun",
        "finishedOn" => "ended",
        "atm" | "attemptsMade" => "attempts",
        "ats" => "begun, times",
        "parentKey" => "parent",
        "delay" => "delay, ms",
        "failedReason" => "reason",
        "stacktrace" => "stack",
        "opts" => "options",
        other => other,
    }
}

/// How often it was tried, as its generation counts it.
fn attempts(job: &JobDetail) -> Option<usize> {
    job.fields.get("atm").or_else(|| job.fields.get("attemptsMade"))?.parse().ok()
}

/// Milliseconds since the epoch as a moment.
fn moment(millis: &str) -> String {
    millis
        .parse()
        .ok()
        .and_then(chrono::DateTime::from_timestamp_millis)
        .map_or_else(|| millis.to_owned(), |at| at.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string())
}

/// JSON over several lines; anything else as it is.
fn pretty(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text)
        .ok()
        .filter(|value| value.is_object() || value.is_array())
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or_else(|| text.to_owned())
}

/// Heading and text of the stacks that are kept, one per attempt: the newest first, for it says why the job failed now; those of
/// attempts in a row that failed at the same place as one. They have the numbers of the attempts if there is one of each.
fn stacks(text: &str, attempts: Option<usize>) -> Vec<(String, String)> {
    let kept: Vec<String> = serde_json::from_str(text).unwrap_or_default();
    if kept.is_empty() {
        return if text == "[]" { Vec::new() } else { vec![("Stack".to_owned(), text.to_owned())] };
    }
    let (each, whole) = if attempts == Some(kept.len()) {
        ("attempt", String::new())
    } else {
        ("failure", format!(", of {} that are kept", kept.len()))
    };
    let mut last = kept.len();
    kept.chunk_by(|a, b| a == b)
        .rev()
        .map(|same| {
            let first = last - same.len() + 1;
            let heading = match same {
                [_] => format!("Stack of {each} {last}{whole}"),
                _ => format!("Stack of {each}s {first} to {last}{whole}"),
            };
            last = first - 1;
            (heading, same[0].clone())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attempt_has_its_stack_and_the_newest_comes_first() {
        let owned = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(heading, text)| ((*heading).to_owned(), (*text).to_owned())).collect()
        };
        assert_eq!(stacks(r#"["a"]"#, Some(1)), owned(&[("Stack of attempt 1", "a")]));
        assert_eq!(
            stacks(r#"["a", "b", "b"]"#, Some(3)),
            owned(&[("Stack of attempts 2 to 3", "b"), ("Stack of attempt 1", "a")])
        );
        assert_eq!(
            stacks(r#"["a", "b"]"#, Some(7)),
            owned(&[
                ("Stack of failure 2, of 2 that are kept", "b"),
                ("Stack of failure 1, of 2 that are kept", "a")
            ])
        );
        assert_eq!(stacks("not a list", None), owned(&[("Stack", "not a list")]));
        assert!(stacks("[]", None).is_empty());
    }
}
