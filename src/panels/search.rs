//! Screen 7: search clusters: the cluster's own verdict, its nodes against their watermarks, shards that are on no node and why.

use crate::core::part::Part;
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::search::CPU;
use crate::core::search::HEAP;
use crate::core::search::{
    Cause, ClusterHealth, SearchNode, SearchReading, SearchRow, SearchState, UnassignedShard,
};
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::graphs;
use crate::panels::heading::heading;
use crate::panels::panel::{Panel, PanelContext};
use crate::panels::signals::Told;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, duration, or_dash, percent, rate};

/// Columns of a sparkline.
const SPARK: usize = 60;

/// So many reasons are told above the list of shards.
const CAUSES: usize = 5;

/// The search screen.
#[derive(Clone, Copy, Debug)]
pub struct Search;

impl Panel for Search {
    fn screen(&self) -> Screen {
        Screen::Search
    }

    fn title(&self) -> &'static str {
        "search"
    }

    fn help(&self) -> &'static str {
        "search clusters: their verdict, nodes against watermarks, shards on no node and why"
    }

    fn content(&self, context: PanelContext<'_>, _path: &[RowKey]) -> Content {
        let clusters = context.targets().filter(|target| target.system.search().is_some());
        let mut sections: Vec<Section> = graphs::traffic(context, clusters).into_iter().collect();
        for target in context.targets() {
            if let Some(state) = target.system.search() {
                cluster(&mut sections, target, state, context);
            }
        }
        if sections.is_empty() {
            let line = Line::of(Role::Muted, "no search cluster is configured");
            sections.push(Section::lines("", vec![line]));
        }
        Content { title: String::new(), sections }
    }
}

/// What the overview says of a cluster in one line.
pub(super) fn signal(target: &TargetState) -> Option<Told> {
    let state = target.system.search()?;
    let reading = state.reading()?;
    let status = reading.health.ready().map_or("status not known", |health| health.status.as_str());
    let text = format!(
        "{status} · {} shard searches, mean {} · heap {}",
        or_dash(state.rates.queries, rate),
        or_dash(state.rates.query_ms, |ms| format!("{ms:.1} ms")),
        or_dash(state.heap.last(), percent)
    );
    Some((text, Some("shard searches")))
}

fn status_role(status: &str) -> Role {
    match status {
        "green" => Role::Ok,
        "yellow" => Role::Warning,
        _ => Role::Critical,
    }
}

fn cluster(
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
    sections.extend(unassigned(target, reading));
    sections.extend(troubles(reading));
}

fn fact(label: &str, role: Role, value: &str) -> Line {
    Line::of(Role::Muted, format!("{label:<16}")).then(role, value)
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
            Column::number("heap", 7, 0),
            Column::number("cpu", 7, 0),
            Column::number("load", 6, 2),
            Column::number("disk", 7, 0),
            Column::number("free", 9, 1),
            Column::fixed("watermark", 13, 0),
            Column::number("searches q", 10, 1),
            Column::number("writes q", 8, 1),
            Column::number("rejected", 8, 2),
            Column::number("tripped", 7, 3),
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
    Row::flat(
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

fn unassigned(target: &TargetState, reading: &SearchReading) -> Option<Section> {
    let away = match &reading.unassigned {
        Part::Ready(away) if away.total == 0 => return None,
        Part::Ready(away) => away,
        Part::Unavailable(gap) => {
            return Some(Section::lines("Shards on no node", vec![Line::of(Role::Warning, &gap.note)]));
        }
        Part::NotAsked => return None,
    };
    let cause = |cause: &Cause| {
        let indices =
            if cause.indices == 1 { cause.index.clone() } else { format!("{} indices", cause.indices) };
        let shards = counted(cause.shards, "shard");
        Line::of(Role::Warning, format!("{shards} of {indices}: {}", cause.why))
    };
    let mut lines: Vec<Line> = away.causes.iter().take(CAUSES).map(cause).collect();
    if away.causes.len() > CAUSES {
        let more = counted(away.causes.len() - CAUSES, "more reason");
        lines.push(Line::of(Role::Muted, format!("and {more}")));
    }
    if away.total > away.shards.len() {
        lines.push(Line::of(
            Role::Note,
            format!("the first {} are listed, all are judged", away.shards.len()),
        ));
    }
    let row = |shard: &UnassignedShard| {
        let kind = if shard.primary { (Role::Critical, "primary") } else { (Role::Warning, "replica") };
        let key = RowKey::Search(
            target.id.clone(),
            SearchRow::Shard {
                index: shard.index.clone(),
                shard: shard.shard.clone(),
                primary: shard.primary,
            },
        );
        let why = if shard.why.is_empty() { "(not explained yet)" } else { &shard.why };
        Row::flat(
            key,
            vec![
                Cell::of(Role::Strong, &shard.index),
                Cell::number(shard.shard.parse().ok(), &shard.shard),
                Cell::of(kind.0, kind.1),
                Cell::text(&shard.reason),
                Cell::text(why),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::flex("index", 16, 0),
            Column::number("shard", 5, 0),
            Column::fixed("copy", 8, 0),
            Column::fixed("became so by", 20, 1),
            Column::flex("and stays so because", 30, 0),
        ],
        rows: away.shards.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: false,
    };
    Some(Section { title: format!("Shards on no node: {}", away.counted()), lines, table: Some(table) })
}

fn troubles(reading: &SearchReading) -> Option<Section> {
    let mut lines = Vec::new();
    for index in reading.read_only.ready().into_iter().flatten() {
        lines.push(Line::of(
            Role::Critical,
            format!("{index} refuses writes: a disk was full (read_only_allow_delete)"),
        ));
    }
    for failed in reading.lifecycle.ready().into_iter().flatten() {
        lines.push(Line::of(
            Role::Warning,
            format!(
                "lifecycle of {} (policy {}) fails at {}: {}",
                failed.index, failed.policy, failed.step, failed.reason
            ),
        ));
    }
    if let Some(mode) = reading.allocation.ready().and_then(|mode| mode.as_ref()) {
        lines.push(Line::of(Role::Warning, format!("cluster.routing.allocation.enable is {mode}")));
    }
    let gaps = [
        ("write blocks", reading.read_only.gap()),
        ("lifecycles", reading.lifecycle.gap()),
        ("settings", reading.allocation.gap()),
    ];
    for (what, gap) in gaps {
        lines.extend(gap.map(|gap| Line::of(Role::Muted, format!("{what} are not read: {}", gap.note))));
    }
    (!lines.is_empty()).then(|| Section::lines("Also", lines))
}
