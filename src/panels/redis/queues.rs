//! Screen 6: every queue with its counts and rates, dead letters among them; its failed jobs; one job.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::part::Warm;
use crate::core::place::Screen;
use crate::core::redis::{Condition, QueueHistory, QueueReading, RedisRow, RedisState, condition};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::{self, Panel, PanelContext};
use crate::panels::redis::acts::jobs::{group_offers, job_offers, queue_offers};
use crate::panels::redis::acts::{changes, schedulers, script};
use crate::panels::redis::alike::alike;
use crate::panels::redis::job::one_job;
use crate::panels::redis::queue::{PAGE, one_group, one_queue};
use crate::panels::redis::server::one_server;
use crate::panels::redis::target::{
    FAILING, FAILING_EACH, aged, ids_of, number_role, queue_of, state, targets,
};
use crate::panels::redis::{cluster, job_list};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{bytes, count, duration, of_seconds, or_dash, percent, rate};
use std::time::Duration;

/// A queue that was read so long ago has its age beside its name.
const OLD: std::time::Duration = std::time::Duration::from_secs(10);
/// Columns of a sparkline.
const SPARK: usize = 30;

/// The queues screen.
#[derive(Clone, Copy, Debug)]
pub struct Queues;

impl Panel for Queues {
    fn screen(&self) -> Screen {
        Screen::Queues
    }

    fn title(&self) -> &'static str {
        "queues"
    }

    fn help(&self) -> &'static str {
        "every queue with its counts and rates; its failed jobs; one job"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        match path {
            [] => overview(context),
            [first, ..] => {
                let last = path.last().unwrap_or(first);
                match (last.redis(), first.redis()) {
                    (Some((_, RedisRow::Job(_, id, _))), _) => one_job(context, last, id),
                    (Some((_, RedisRow::Jobs(..))), _) => job_list::job_list(context, last),
                    (Some((_, RedisRow::FailedAlike(..))), _) => one_group(context, last),
                    (_, Some((_, RedisRow::Server(node)))) => one_server(context, first, node),
                    _ => one_queue(context, first),
                }
            }
        }
    }

    fn offers(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
    ) -> Vec<Offer> {
        match row.redis().map(|(_, row)| row) {
            Some(RedisRow::Job(_, id, state)) => job_offers(context, row, (id, *state), marked),
            Some(RedisRow::FailedAlike(..)) => group_offers(context, row),
            Some(RedisRow::Queue(_)) if marked.len() > 1 => changes::switches(context, row, marked),
            Some(RedisRow::Queue(_)) => queue_offers(context, row),
            Some(RedisRow::Scheduler(_, id)) => schedulers::scheduler_offers(context, row, id),
            Some(RedisRow::Server(_)) => script::server_offers(context, row),
            _ => Vec::new(),
        }
    }

    fn answer(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        marked: &[RowKey],
        (letter, text): (char, &str),
    ) -> Result<(Action, Preview), Refusal> {
        changes::answer(context, row, &ids_of(row, marked), letter, text)
    }

    fn focus(&self, context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
        let Some(first) = path.first() else { return failing(context) };
        let Some((target, _)) = state(context, first) else { return Vec::new() };
        if let Some((_, RedisRow::Server(node))) = first.redis() {
            return vec![(target.id.clone(), Focus::Server { node: node.clone() })];
        }
        let queue = queue_of(first);
        let mut list = vec![
            Focus::FailedJobs { queue: queue.clone(), offset: 0, limit: PAGE },
            Focus::OpenJobs { queue: queue.clone() },
            Focus::More { queue: queue.clone() },
        ];
        if let Some(letter) = first_letter(context, first) {
            // Shown in the preview of a redrive: how it would be opened.
            list.push(Focus::Job { queue: queue.clone(), id: letter });
        }
        list.extend(path.iter().rev().find_map(job_list::focus));
        list.extend(path.iter().rev().find_map(|key| match key.redis()? {
            (_, RedisRow::Job(queue, id, _)) => Some(Focus::Job { queue: queue.clone(), id: id.clone() }),
            _ => None,
        }));
        list.into_iter().map(|focus| (target.id.clone(), focus)).collect()
    }

    fn find(&self, path: &[RowKey], row: Option<&RowKey>, text: &str) -> Option<RowKey> {
        let queue = path.first().or(row)?;
        matches!(queue.redis()?.1, RedisRow::Queue(_)).then(|| job_list::found(queue, text))?
    }

    fn copy(&self, _context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        match row.redis()?.1 {
            RedisRow::Job(_, text, _) | RedisRow::FailedAlike(_, text) | RedisRow::Scheduler(_, text) => {
                Some(text.clone())
            }
            RedisRow::Queue(queue) => Some(queue.name.clone()),
            _ => None,
        }
    }
}

/// The newest failed jobs of the queues that fail now.
fn failing(context: PanelContext<'_>) -> Vec<(TargetId, Focus)> {
    let mut list = Vec::new();
    for (target, state) in targets(context) {
        let queues = state.reading().and_then(|reading| reading.queues.ready());
        let mut queues: Vec<_> = queues.into_iter().flatten().filter(|queue| queue.failed > 0).collect();
        queues.sort_by_key(|queue| queue.newest_failure);
        list.extend(queues.into_iter().take(FAILING).map(|queue| {
            let focus = Focus::FailedJobs { queue: queue.queue.clone(), offset: 0, limit: FAILING_EACH };
            (target.id.clone(), focus)
        }));
    }
    list
}

/// The first letter of an opened dead-letter queue.
fn first_letter(context: PanelContext<'_>, row: &RowKey) -> Option<String> {
    let (_, state) = state(context, row)?;
    let queue = queue_of(row);
    state.queue(&queue)?.dead_letter.as_ref()?;
    let reading = state.reading()?;
    let open = reading.lists.iter().find(|list| list.queue == queue).and_then(|list| list.jobs.first());
    let failed = || reading.failed.iter().find(|page| page.queue == queue).and_then(|page| page.jobs.first());
    open.map(|job| job.id.clone()).or_else(|| failed().map(|job| job.id.clone()))
}

fn heading(target: &TargetState, state: &RedisState, context: PanelContext<'_>) -> Vec<Line> {
    let line = Line::of(Role::Strong, format!("{} ", target.id));
    let Some(reading) = state.reading() else {
        let line = match target.failure {
            Some(_) => line.then(Role::Warning, target.silence(context.now)),
            None => line.then(Role::Muted, format!("{} · waiting for the first answer", target.address)),
        };
        return vec![line];
    };
    let server = &reading.server;
    let role = number_role(target, context);
    let share = server.used_memory_bytes.zip(server.maxmemory_bytes).map(|(used, most)| used / most);
    let memory = match (server.used_memory_bytes, share) {
        (Some(used), Some(share)) => format!("{} ({} of the limit)", bytes(used), percent(share)),
        (Some(used), None) => format!("{} (no limit)", bytes(used)),
        (None, _) => "—".to_owned(),
    };
    let clients = cluster::clients(server);
    // How old the numbers are stands before them: the end of the line may have no room.
    let aged = match aged(target, context) {
        Some((role, words)) => line.then(role, format!("{words} · ")),
        None => line,
    };
    let mut first = aged
        .then(
            Role::Muted,
            match server.role.as_str() {
                "slave" => format!("{} replica · ", server.version),
                "" => String::new(),
                _ => format!("{} primary · ", server.version),
            },
        )
        .then(
            role,
            format!(
                "memory {memory} · {} ops · hits {} · {clients}",
                or_dash(server.ops_per_second, rate),
                or_dash(state.rates.hit_ratio, percent)
            ),
        )
        .then(Role::Muted, format!(" · {}", reading.discovery));
    if target.freshness(context.now).is_lost() {
        first = first.then(Role::Stale, format!(" · {}", target.silence(context.now)));
    }
    let mut lines = vec![first];
    lines.extend(reading.cluster.iter().flat_map(|cluster| cluster::lines(cluster, role)));
    lines.extend(reading.queues.gap().map(|gap| Line::of(Role::Warning, &gap.note)));
    if !reading.refused.is_empty() {
        let words = format!(
            "refused by the server, so what these tell is not known: {} (`stacktop doctor` says what to permit)",
            reading.refused.join(", ")
        );
        lines.push(Line::of(Role::Note, words));
    }
    lines
}

fn overview(context: PanelContext<'_>) -> Content {
    let sections: Vec<Section> = targets(context)
        .into_iter()
        .flat_map(|(target, state)| {
            if state.reading().is_none() {
                return vec![Section::lines("", heading(target, state, context))];
            }
            let role = number_role(target, context);
            let queues = state.reading().and_then(|reading| reading.queues.ready());
            let mut rows: Vec<Row> =
                queues.into_iter().flatten().map(|queue| queue_row(target, state, queue, role)).collect();
            rows.extend(cluster::servers(state).map(|(node, words)| {
                let cells = vec![Cell::of(Role::Accent, words), Cell::of(Role::Muted, &context.keys.open)];
                Row::opens(RowKey::Redis(target.id.clone(), RedisRow::Server(node.to_owned())), cells)
            }));
            let table = Table {
                columns: vec![
                    Column::flex("queue", 18, 0),
                    Column::fixed("library", 11, 4),
                    Column::fixed("state", 13, 1),
                    Column::number("waiting", 7, 0).changing(),
                    Column::number("active", 6, 0).changing(),
                    Column::number("delayed", 7, 2).changing(),
                    Column::number("failed", 6, 0).changing(),
                    Column::number("dead 5 m", 8, 3).changing(),
                    Column::number("done/min", 8, 2).changing(),
                    Column::number("added", 8, 2),
                    Column::number("oldest", 7, 1),
                    Column::number("workers", 7, 1).changing(),
                    Column::fixed("backlog", 16, 5),
                ],
                rows,
                empty: String::new(),
                fixed_order: false,
            };
            let mut lines = heading(target, state, context);
            if queues.is_some_and(Vec::is_empty) {
                let note = "no queue was found; name prefixes or queues in the configuration";
                lines.push(Line::of(Role::Muted, note));
            }
            let mut sections = vec![Section { title: String::new(), lines, table: Some(table) }];
            sections.extend(alike(context, target, state, role));
            sections
        })
        .collect();
    panel::screen(sections, "no Redis target is configured")
}

fn queue_row(target: &TargetState, state: &RedisState, queue: &Warm<QueueReading>, role: Role) -> Row {
    let history = state.queues.get(&queue.queue);
    let mut name = match &queue.dead_letter {
        Some(_) => format!("{} (DLQ)", queue.queue.name),
        None => queue.queue.name.clone(),
    };
    // Of very many queues some were read in an earlier turn.
    let age = state.latest.as_ref().map_or(Duration::ZERO, |(at, _)| at.since(queue.read_at));
    let old = age >= OLD;
    let role = if old { Role::Stale } else { role };
    if old {
        name.push_str(&format!(" · {} ago", duration(age)));
    }
    let growing = history.is_some_and(|history| history.growing_since.is_some());
    let workers = queue.evidence.workers.map_or("?".to_owned(), |workers| workers.to_string());
    let now = condition(queue, history.unwrap_or(&QueueHistory::default()));
    let word = match now {
        Condition::Draining(left) => (role, format!("done in {}", duration(left))),
        Condition::Paused | Condition::Limited(_) => (Role::Note, now.word().to_owned()),
        Condition::Idle | Condition::DeadLetters | Condition::Busy => (Role::Muted, now.word().to_owned()),
        Condition::Saturated(_) => (Role::Warning, now.word().to_owned()),
        _ if now.is_trouble() => (Role::Warning, now.word().to_owned()),
        _ => (role, now.word().to_owned()),
    };
    let number = |value: u64| Cell::figure(Some(value as f64), count).role(role);
    let oldest = queue.oldest_wait.map(|age| age.as_secs_f64());
    let added = history.and_then(|history| history.added_per_second);
    let dead = if growing { Role::Critical } else { role };
    Row::opens(
        RowKey::of_queue(&target.id, &queue.queue),
        vec![
            Cell::of(if queue.dead_letter.is_some() { Role::Muted } else { Role::Strong }, name),
            Cell::of(Role::Muted, queue.evidence.family.to_string()),
            Cell::of(word.0, word.1),
            number(queue.waiting + queue.prioritized),
            number(queue.active),
            number(queue.delayed),
            Cell::figure(Some(queue.failed as f64), count).role(dead),
            number(queue.failures()),
            number(queue.completed_last_minute),
            Cell::figure(added, rate).role(role),
            Cell::figure(oldest, of_seconds).role(role),
            Cell::number(queue.evidence.workers.map(|n| n as f64), workers).role(role),
            Cell::spark(history.map(|history| target.past(&history.backlog, SPARK)).unwrap_or_default()),
        ],
    )
}
