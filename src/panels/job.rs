//! One job of a queue with everything about it: where it is, why it failed, its data and options.

use super::PanelContext;
use super::queues::{queue_of, state};
use crate::core::place::RowKey;
use crate::core::redis::{JobDetail, masked};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::bytes;
use crate::ui::text::clean_lines;

pub(super) fn one_job(context: PanelContext<'_>, key: &RowKey) -> Content {
    let id = key.segment(4);
    let title = format!("job {id}");
    let queue = queue_of(key);
    let detail = state(context, key.segment(1))
        .and_then(|(_, state)| state.reading()?.jobs.iter().find(|job| job.queue == queue && job.id == id));
    let Some(detail) = detail else {
        return Content {
            title: title.clone(),
            sections: vec![Section::lines(title, vec![Line::of(Role::Muted, "reading the job")])],
        };
    };
    let masks =
        state(context, key.segment(1)).and_then(|(_, state)| state.reading()).map(|all| all.masks.as_slice());
    let mut sections = job_sections(&title, detail, masks.unwrap_or_default());
    if !detail.links.is_empty() {
        sections.insert(1, flow(key, detail));
    }
    if !detail.logs.is_empty() {
        let lines = detail.logs.iter().map(Line::text).collect();
        sections.push(Section::lines("Log, the newest last", lines));
    }
    Content { title: title.clone(), sections }
}

/// Parent and children; Enter leads on along the flow.
fn flow(key: &RowKey, job: &JobDetail) -> Section {
    let row = |(kind, link): &(&str, String)| {
        // prefix:queue:id; the prefix may hold colons, so it is taken to be this queue's own.
        let rest = link.strip_prefix(&format!("{}:", job.queue.prefix)).unwrap_or(link);
        let (queue, id) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let tone = if *kind == "child, failed" { Role::Warning } else { Role::Text };
        Row::opens(
            RowKey::new(&["job", key.segment(1), &job.queue.prefix, queue, id, ""]),
            vec![Cell::of(tone, *kind), Cell::of(Role::Text, queue), Cell::of(Role::Strong, id)],
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
    Section::table("Flow (Enter opens)", table)
}

/// Fields that are worth a section of their own.
const LONG: [(&str, &str); 4] =
    [("failedReason", "Reason"), ("stacktrace", "Stack"), ("data", "Data"), ("opts", "Options")];

fn job_sections(title: &str, job: &JobDetail, masks: &[String]) -> Vec<Section> {
    let fact =
        |label: &str, value: &str| Line::of(Role::Muted, format!("{label:<14}")).then(Role::Text, value);
    let mut lines = vec![fact("queue", &job.queue.name), fact("state", &job.state)];
    for (name, value) in job.fields.iter().filter(|(name, _)| LONG.iter().all(|(long, _)| long != name)) {
        let shown = match name.as_str() {
            "timestamp" | "processedOn" | "finishedOn" => moment(value),
            _ => masked(value, masks).0,
        };
        lines.push(fact(name, &shown));
    }
    for (name, size) in &job.too_large {
        lines.push(fact(name, &format!("{} long: not read", bytes(*size as f64))));
    }
    let mut sections = vec![Section::lines(title.to_owned(), lines)];
    for (name, heading) in LONG {
        let Some(value) = job.fields.get(name) else { continue };
        let text = if name == "stacktrace" { newest_stack(value) } else { pretty(&masked(value, masks).0) };
        let lines = clean_lines(&text).into_iter().map(Line::text).collect();
        sections.push(Section::lines(heading.to_owned(), lines));
    }
    sections
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

/// One stack per attempt is kept, oldest first; the newest says why it failed now.
fn newest_stack(text: &str) -> String {
    let stacks: Vec<String> = serde_json::from_str(text).unwrap_or_default();
    match stacks.last() {
        Some(last) if stacks.len() > 1 => format!("{last}\n({} older ones are kept)", stacks.len() - 1),
        Some(last) => last.clone(),
        None => text.to_owned(),
    }
}
