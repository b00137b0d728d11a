//! One Redis server: memory, persistence, replication, who is connected, which commands cost what, what was slow.

use crate::core::history::Series;
use crate::core::part::Part;
use crate::core::redis::MEMORY;
use crate::core::redis::{
    ClientGroup, CommandRate, RedisRow, RedisState, ServerDetail, SlowEntry, StreamGroup,
};
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::time::span_of;
use crate::core::world::TargetState;
use crate::panels::graphs;
use crate::panels::panel::PanelContext;
use crate::panels::redis::target::{number_role, state};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, duration, of_seconds, or_dash, percent, rate, whole};
use std::time::Duration;

pub(super) fn one_server(context: PanelContext<'_>, key: &RowKey, node: &str) -> Content {
    let server = key.target().map(ToString::to_string).unwrap_or_default();
    let title = if node.is_empty() { format!("server {server}") } else { format!("node {node}") };
    let Some((target, state)) = state(context, key) else {
        return Content { title, sections: Vec::new() };
    };
    let detail = state.reading().and_then(|reading| reading.detail.as_deref());
    let Some(detail) = detail.filter(|detail| detail.node == node) else {
        let cluster = state.reading().and_then(|reading| reading.cluster.as_ref());
        let missing = cluster.and_then(|cluster| cluster.missing.iter().find(|(address, _)| address == node));
        let line = match missing {
            Some((_, why)) => Line::of(Role::Critical, format!("it is not there: {why}")),
            None => Line::of(Role::Muted, context.unread("the server's details")),
        };
        return Content { title: title.clone(), sections: vec![Section::lines(title, vec![line])] };
    };
    let role = number_role(target, context);
    let mut sections = vec![Section::lines(title.clone(), facts(context, (target, state), detail, role))];
    sections.extend(graphs::target(context, target));
    sections.push(commands(target, &state.commands, role));
    sections.push(slow(target, detail, role));
    sections.push(clients(target, detail, role));
    sections.extend(streams(target, detail, role));
    sections.push(keyspace(target, detail, role));
    Content { title, sections }
}

/// Consumer groups of streams; nothing where there is none.
fn streams(target: &TargetState, detail: &ServerDetail, role: Role) -> Option<Section> {
    let groups = match &detail.streams {
        Part::Ready(groups) if groups.is_empty() => return None,
        Part::Ready(groups) => groups,
        Part::Unavailable(gap) => {
            return Some(Section::lines("Streams", vec![Line::of(Role::Note, &gap.note)]));
        }
        Part::NotAsked => return None,
    };
    let number = |value: u64| Cell::figure(Some(value as f64), whole).role(role);
    let row = |group: &StreamGroup| {
        let lag = group.lag.map(|lag| lag as f64);
        Row::flat(
            RowKey::Redis(target.id.clone(), RedisRow::Stream(group.stream.clone(), group.group.clone())),
            vec![
                Cell::of(Role::Strong, &group.stream),
                Cell::of(role, &group.group),
                number(group.length),
                Cell::figure(lag, crate::ui::format::count).role(role),
                number(group.pending),
                number(group.consumers),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::flex("stream", 16, 0),
            Column::fixed("group", 20, 0),
            Column::number("entries", 9, 2).changing(),
            Column::number("behind", 9, 0).changing(),
            Column::number("pending", 9, 0).changing(),
            Column::number("consumers", 9, 1).changing(),
        ],
        rows: groups.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: true,
    };
    Some(Section::table("Consumer groups of streams, the furthest behind first", table))
}

fn fact(label: &str, role: Role, value: impl AsRef<str>) -> Line {
    Line::of(Role::Muted, format!("{label:<14}")).then(role, value)
}

fn facts(
    context: PanelContext<'_>,
    (target, state): (&TargetState, &RedisState),
    detail: &ServerDetail,
    role: Role,
) -> Vec<Line> {
    let number = |name: &str| detail.number(name);
    let text = |name: &str| detail.info.get(name).map_or("—", String::as_str);
    let size = |name: &str| or_dash(number(name), bytes);
    let used = number("used_memory");
    let most = number("maxmemory").filter(|most| *most > 0.0);
    let (of, limit) = match (most, number("total_system_memory")) {
        (Some(most), _) => (most, "of maxmemory"),
        (None, Some(system)) => (system, "of the machine's memory; no maxmemory is set"),
        (None, None) => (0.0, ""),
    };
    let share = used.filter(|_| of > 0.0).map(|used| used / of);
    let memory = context.graded(&MEMORY.spec, share, role);
    let rss = number("used_memory_rss");
    // What follows from several polls is known of the server that the overview tells of, in a cluster its first primary.
    let cluster = state.reading().and_then(|reading| reading.cluster.as_ref());
    let told = cluster
        .is_none_or(|cluster| cluster.primaries.first().is_some_and(|(address, _)| *address == detail.node));
    let past = |line: Line, history: &Series| if told { line.spark(target.past(history, 40)) } else { line };
    let hits = state.rates.hit_ratio.filter(|_| told);
    let swapped = matches!((used, rss), (Some(used), Some(rss)) if rss < used * 0.9);
    let mut lines = vec![
        past(
            fact(
                "memory",
                memory,
                format!(
                    "{} {} {limit}, peak {}, policy {}",
                    size("used_memory"),
                    or_dash(share, percent),
                    size("used_memory_peak"),
                    text("maxmemory_policy")
                ),
            ),
            &state.memory,
        ),
        fact(
            "resident",
            if swapped { Role::Warning } else { role },
            format!(
                "{}, fragmentation {}{}",
                size("used_memory_rss"),
                text("mem_fragmentation_ratio"),
                if swapped { ": less than is in use, so it is swapped out" } else { "" }
            ),
        ),
        past(
            fact(
                "load",
                role,
                format!(
                    "{} commands, hits {} (of the whole server), {} in, {} out",
                    or_dash(number("instantaneous_ops_per_sec"), rate),
                    or_dash(hits, percent),
                    or_dash(number("instantaneous_input_kbps"), |kb| format!("{}/s", bytes(kb * 1024.0))),
                    or_dash(number("instantaneous_output_kbps"), |kb| format!("{}/s", bytes(kb * 1024.0)))
                ),
            ),
            &state.ops,
        ),
        fact(
            "clients",
            role,
            format!(
                "{} of {}, {} blocked (every idle worker is), {} refused since the start",
                text("connected_clients"),
                text("maxclients"),
                text("blocked_clients"),
                text("rejected_connections")
            ),
        ),
    ];
    lines.extend(persistence(detail, role));
    lines.extend(replication(detail, role));
    let errors: Vec<String> =
        state.rates.errors.iter().map(|(word, rate)| format!("{word} {rate:.1}/s")).collect();
    if told && !errors.is_empty() {
        lines.push(fact("errors", Role::Warning, errors.join(", ")));
    }
    lines
}

fn persistence(detail: &ServerDetail, role: Role) -> Vec<Line> {
    let text = |name: &str| detail.info.get(name).map_or("—", String::as_str);
    let bad = |name: &str| detail.info.get(name).is_some_and(|status| status != "ok");
    let broken = bad("rdb_last_bgsave_status");
    let fork =
        or_dash(detail.number("latest_fork_usec"), |us| duration(Duration::from_micros(us.max(0.0) as u64)));
    let mut lines = vec![fact(
        "snapshot",
        if broken { Role::Critical } else { role },
        format!(
            "last {}, {} since, fork took {fork}",
            text("rdb_last_bgsave_status"),
            counted(or_dash(detail.number("rdb_changes_since_last_save"), count), "change")
        ),
    )];
    if text("aof_enabled") == "1" {
        let broken = bad("aof_last_write_status") || bad("aof_last_bgrewrite_status");
        let words = format!(
            "write {}, rewrite {}, {} late fsyncs",
            text("aof_last_write_status"),
            text("aof_last_bgrewrite_status"),
            text("aof_delayed_fsync")
        );
        lines.push(fact("append only", if broken { Role::Critical } else { role }, words));
    }
    lines
}

fn replication(detail: &ServerDetail, role: Role) -> Vec<Line> {
    let text = |name: &str| detail.info.get(name).map_or("—", String::as_str);
    if text("role") == "slave" {
        let up = text("master_link_status") == "up";
        let words = format!(
            "replica of {}:{}, link {}, heard {} s ago",
            text("master_host"),
            text("master_port"),
            text("master_link_status"),
            text("master_last_io_seconds_ago")
        );
        return vec![fact("replication", if up { role } else { Role::Critical }, words)];
    }
    let backlog = detail.number("repl_backlog_histlen").unwrap_or(0.0);
    let offset = detail.number("master_repl_offset").unwrap_or(0.0);
    (0..64)
        .map_while(|index| detail.info.get(&format!("slave{index}")))
        .map(|value| {
            let part = |name: &str| {
                value.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or("—")
            };
            let behind = part("offset").parse::<f64>().ok().map(|own| (offset - own).max(0.0));
            // Further behind than the backlog reaches: the next break means a full copy.
            let far = backlog > 0.0 && behind.is_some_and(|behind| behind > backlog);
            let words = format!(
                "{}:{} {}, {} behind (the backlog holds {}), heard {} s ago",
                part("ip"),
                part("port"),
                part("state"),
                or_dash(behind, bytes),
                bytes(backlog),
                part("lag")
            );
            fact("replica", if far || part("state") != "online" { Role::Warning } else { role }, words)
        })
        .collect()
}

fn commands(target: &TargetState, rates: &[CommandRate], role: Role) -> Section {
    let micros = |value: f64| duration(span_of((value / 1e6).max(0.0)));
    let rows = rates
        .iter()
        .take(40)
        .map(|one| {
            let failing = if one.failed_per_second > 0.0 { Role::Warning } else { role };
            Row::flat(
                RowKey::Redis(target.id.clone(), RedisRow::Command(one.name.clone())),
                vec![
                    Cell::of(Role::Strong, &one.name),
                    Cell::figure(Some(one.share), percent).role(role),
                    Cell::figure(Some(one.calls_per_second), rate).role(role),
                    Cell::figure(Some(one.mean_micros), micros).role(role),
                    Cell::figure(one.p99_micros, micros).role(role),
                    Cell::figure(Some(one.failed_per_second), rate).role(failing),
                ],
            )
        })
        .collect();
    let table = Table {
        columns: vec![
            Column::flex("command", 16, 0),
            Column::number("share", 7, 0),
            Column::number("calls", 9, 0),
            Column::number("mean", 8, 0),
            Column::number("p99 ever", 9, 2),
            Column::number("failed", 8, 1),
        ],
        rows,
        empty: "waiting for a second look, to compare".to_owned(),
        fixed_order: false,
    };
    Section::table("Commands since the look before, by their share of the time", table)
}

fn slow(target: &TargetState, detail: &ServerDetail, role: Role) -> Section {
    let lines = detail.slow.gap().map(|gap| Line::of(Role::Note, &gap.note)).into_iter().collect();
    let row = |entry: &SlowEntry| {
        Row::flat(
            RowKey::Redis(target.id.clone(), RedisRow::Slow(entry.id)),
            vec![
                Cell::figure(Some(entry.age.as_secs_f64()), of_seconds).role(role),
                Cell::figure(Some(entry.took.as_secs_f64()), of_seconds).role(Role::Strong),
                Cell::of(role, &entry.command),
                Cell::of(Role::Muted, &entry.client),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::number("ago", 8, 0),
            Column::number("took", 8, 0),
            Column::flex("command (further arguments are not shown)", 24, 0).private(),
            Column::fixed("client", 24, 2),
        ],
        rows: detail.slow.ready().into_iter().flatten().map(row).collect(),
        empty: if detail.slow.ready().is_some() { "nothing slow was noted" } else { "not known" }.to_owned(),
        fixed_order: false,
    };
    Section { title: "Slow log".to_owned(), lines, table: Some(table) }
}

fn clients(target: &TargetState, detail: &ServerDetail, role: Role) -> Section {
    let mut lines: Vec<Line> =
        detail.clients.gap().map(|gap| Line::of(Role::Note, &gap.note)).into_iter().collect();
    let groups = || detail.clients.ready().into_iter().flatten();
    if groups().any(|group| group.monitors) {
        let text =
            "somebody left MONITOR running: every command is copied to it, which slows the server down";
        lines.push(Line::of(Role::Warning, text));
    }
    let row = |group: &ClientGroup| {
        // A reader that does not keep up: its answers pile up in the server's memory.
        let piled = if group.output_bytes > 1e6 { Role::Warning } else { role };
        Row::flat(
            RowKey::Redis(target.id.clone(), RedisRow::Clients(group.name.clone(), group.user.clone())),
            vec![
                Cell::of(if group.monitors { Role::Warning } else { role }, &group.name),
                Cell::of(Role::Muted, &group.user),
                Cell::figure(Some(group.count as f64), whole).role(role),
                Cell::figure(Some(group.blocked as f64), whole).role(role),
                Cell::figure(Some(group.memory_bytes), bytes).role(role),
                Cell::figure(Some(group.output_bytes), bytes).role(piled),
                Cell::figure(Some(group.idle.as_secs_f64()), of_seconds).role(role),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::flex("client", 20, 0),
            Column::fixed("user", 12, 3),
            Column::number("count", 6, 0),
            Column::number("blocked", 7, 1),
            Column::number("memory", 9, 0),
            Column::number("output", 9, 1),
            Column::number("idle", 8, 2),
        ],
        rows: groups().map(row).collect(),
        empty: "no client is known".to_owned(),
        fixed_order: false,
    };
    Section { title: "Clients".to_owned(), lines, table: Some(table) }
}

fn keyspace(target: &TargetState, detail: &ServerDetail, role: Role) -> Section {
    let rows = detail
        .keyspace
        .iter()
        .map(|(database, keys, expiring)| {
            Row::flat(
                RowKey::Redis(target.id.clone(), RedisRow::Database(*database)),
                vec![
                    Cell::of(Role::Strong, format!("db{database}")),
                    Cell::figure(Some(*keys as f64), count).role(role),
                    Cell::figure(Some(*expiring as f64), count).role(role),
                ],
            )
        })
        .collect();
    let table = Table {
        columns: vec![
            Column::fixed("database", 10, 0),
            Column::number("keys", 10, 0),
            Column::number("with an end", 12, 0),
        ],
        rows,
        empty: "no key".to_owned(),
        fixed_order: false,
    };
    Section::table("Logical databases", table)
}
