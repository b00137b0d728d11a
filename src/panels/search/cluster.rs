//! One cluster: its own verdict, rates, its nodes against their watermarks.

use super::looks::server;
use super::parts::fact;
use super::{looks, shards, troubles};

use crate::core::part::Part;
use crate::core::row::RowKey;
use crate::core::search::{
    CPU, ClusterHealth, HEAP, Indicator, SearchNode, SearchReading, SearchRow, SearchState, SnapshotPolicy,
};
use crate::core::text::counted;
use crate::core::time::Now;
use crate::core::world::TargetState;
use crate::panels::heading::heading;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, duration, or_dash, percent, rate};
use std::time::Duration;

/// Columns of a sparkline.
const SPARK: usize = 60;

fn status_role(status: &str) -> Role {
    match status {
        "green" => Role::Ok,
        "yellow" => Role::Warning,
        _ => Role::Critical,
    }
}

/// What the server says of itself, where it says that anything is not well. What it lacks in its version is not told.
fn report(reading: &SearchReading) -> Option<Line> {
    let all = reading.report.ready()?;
    let ill: Vec<&Indicator> = all.iter().filter(|found| found.status != "green").collect();
    let worst = ill.first()?;
    let names: Vec<String> = ill.iter().map(|found| found.name.replace('_', " ")).collect();
    let words = format!("{}: {} · {}", worst.status.to_uppercase(), names.join(", "), worst.symptom);
    Some(fact("it says", server::role(&worst.status), &words))
}

/// How old the newest good snapshot of each policy is, the oldest first. Where there is no policy there is nothing to tell.
fn snapshots(reading: &SearchReading, now: Now, role: Role) -> Option<Line> {
    let mut all: Vec<&SnapshotPolicy> = reading.policies.ready()?.iter().collect();
    all.sort_by_key(|policy| policy.success_millis);
    let first = all.first()?;
    let age = |at: i64| {
        let millis = (now.wall.timestamp_millis() - at).max(0) as u64;
        format!("newest {} ago", duration(Duration::from_millis(millis)))
    };
    let fails = all.iter().any(|policy| policy.fails());
    let more = if all.len() > 1 { format!(" · {} more", all.len() - 1) } else { String::new() };
    let newest = first.success_millis.map_or_else(|| "none yet".to_owned(), age);
    let failing = if fails { " · the last one failed" } else { "" };
    let words = format!("{} · {newest}{failing}{more}", first.name);
    Some(fact("snapshots", if fails { Role::Warning } else { role }, &words))
}

/// Everything about one cluster.
pub(super) fn sections(
    sections: &mut Vec<Section>,
    target: &TargetState,
    state: &SearchState,
    context: PanelContext<'_>,
) {
    let role = if target.freshness(context.now).is_old() { Role::Stale } else { Role::Text };
    let Some(reading) = state.reading() else {
        sections.push(Section::lines("", vec![heading(target, (Role::Muted, ""), context)]));
        return;
    };
    let about = match reading.identity.ready() {
        Some(identity) => {
            (Role::Muted, format!("{} {} · cluster {}", identity.product, identity.version, identity.cluster))
        }
        None => (Role::Note, "its version is not permitted to be read".to_owned()),
    };
    let mut lines = vec![heading(target, about, context)];
    if let Some(words) = &reading.no_master {
        lines.push(Line::of(Role::Critical, format!("NO MASTER: {words}")));
    } else {
        lines.extend(health(&reading.health, role));
    }
    for (what, since) in &reading.waiting {
        let late =
            format!("{what}: asked {} ago, no answer yet; what stands here is older", duration(*since));
        lines.push(Line::of(Role::Warning, late));
    }
    lines.extend(report(reading));
    lines.extend(snapshots(reading, context.now, role));
    lines.extend(reading.limits.iter().map(|limit| Line::of(Role::Warning, limit)));
    let (rates, ms) = (&state.rates, |value: Option<f64>| or_dash(value, |ms| format!("{ms:.1} ms")));
    let searches = format!("{} · mean {} each", or_dash(rates.queries, rate), ms(rates.query_ms));
    lines.push(
        fact("shard searches", role, &format!("{searches:<30}")).spark(target.past(&state.queries, SPARK)),
    );
    let indexed = format!("{} · mean {} each", or_dash(rates.indexed, rate), ms(rates.index_ms));
    lines.push(fact("indexing", role, &format!("{indexed:<30}")).spark(target.past(&state.indexed, SPARK)));
    if state.rejected.since().is_some() {
        lines.push(fact("rejected", Role::Warning, &or_dash(state.rejected.per_second(), rate)));
    }
    sections.push(Section::lines("", lines));
    sections.push(nodes(context, target, reading, role));
    sections.extend(shards::sections(target, reading));
    sections.extend(troubles::sections(target, reading));
    sections.push(looks::index(target, reading, context));
}

fn health(part: &Part<ClusterHealth>, role: Role) -> Vec<Line> {
    let health = match part {
        Part::Ready(health) => health,
        Part::Unavailable(gap) => return vec![Line::of(Role::Warning, &gap.note)],
        Part::NotAsked => return Vec::new(),
    };
    let number = |value: Option<u64>| value.map_or("—".to_owned(), |value| value.to_string());
    let many = |value: Option<u64>, noun: &str| {
        value.map_or_else(|| format!("— {noun}s"), |value| counted(value as usize, noun))
    };
    let line = Line::of(Role::Muted, format!("{:<16}", "status"))
        .then(status_role(&health.status), health.status.to_uppercase())
        .then(
            role,
            format!(
                " · {} · {} assigned ({})",
                many(health.nodes, "node"),
                many(health.active_shards, "shard"),
                or_dash(health.active_ratio, percent)
            ),
        );
    let moving = format!(
        " · {} on no node · {} moving · {} being built",
        number(health.unassigned),
        number(health.relocating),
        number(health.initializing)
    );
    let tone = if health.unassigned.unwrap_or(0) > 0 { status_role(&health.status) } else { role };
    let mut lines = vec![line.then(tone, moving)];
    if health.pending_tasks.is_some_and(|tasks| tasks > 0) {
        lines.push(fact("pending tasks", Role::Note, &number(health.pending_tasks)));
    }
    lines
}

fn nodes(context: PanelContext<'_>, target: &TargetState, reading: &SearchReading, role: Role) -> Section {
    let rows = reading
        .nodes
        .ready()
        .into_iter()
        .flatten()
        .map(|node| node_row(context, target, node, role))
        .collect();
    let lines = reading.nodes.gap().map(|gap| Line::of(Role::Warning, &gap.note)).into_iter().collect();
    let table = Table {
        columns: vec![
            Column::flex("node", 14, 0),
            Column::number("heap", 7, 0).changing(),
            Column::number("cpu", 7, 0).changing(),
            Column::number("load", 6, 2),
            Column::number("disk", 7, 0).changing(),
            Column::number("free", 9, 1).changing(),
            Column::fixed("watermark", 13, 0),
            Column::number("searches q", 10, 1).changing(),
            Column::number("writes q", 8, 1).changing(),
            Column::number("rejected", 8, 2).changing(),
            Column::number("tripped", 7, 3).changing(),
        ],
        rows,
        empty: "no node is visible".to_owned(),
        fixed_order: false,
    };
    Section { title: "Nodes".to_owned(), lines, table: Some(table) }
}

fn watermark(node: &SearchNode) -> (Role, &'static str) {
    let below = |mark: Option<f64>| node.disk_free_bytes.zip(mark).is_some_and(|(free, mark)| free < mark);
    if below(node.flood_free_bytes) && node.marks_assumed {
        (Role::Warning, "past flood?")
    } else if below(node.flood_free_bytes) {
        (Role::Critical, "FLOOD STAGE")
    } else if below(node.high_free_bytes) {
        (Role::Warning, "past high")
    } else if below(node.low_free_bytes) {
        (Role::Note, "past low")
    } else if node.low_free_bytes.is_some() {
        (Role::Ok, "ok")
    } else {
        (Role::Muted, "—")
    }
}

fn node_row(context: PanelContext<'_>, target: &TargetState, node: &SearchNode, role: Role) -> Row {
    let share = |value: Option<f64>| Cell::figure(value, percent);
    let plain = |value: Option<f64>| Cell::figure(value, count).role(role);
    let mark = watermark(node);
    Row::opens(
        RowKey::Search(target.id.clone(), SearchRow::Node(node.id.clone())),
        vec![
            Cell::of(Role::Strong, &node.name),
            share(node.heap_ratio).role(context.graded(&HEAP.spec, node.heap_ratio, role)),
            share(node.cpu_ratio).role(context.graded(&CPU.spec, node.cpu_ratio, role)),
            Cell::figure(node.load, |load| format!("{load:.1}")).role(role),
            share(node.disk_ratio()).role(mark.0),
            Cell::figure(node.disk_free_bytes, bytes).role(role),
            Cell::of(mark.0, mark.1),
            plain(node.search_queue),
            plain(node.write_queue),
            plain(node.rejected_total),
            plain(node.tripped_total),
        ],
    )
}
