//! The overview: what is broken, worst first, since when, and what may be done; then every source and how far it can be believed.

use crate::core::alert::{Finding, Severity, Stage};
use crate::core::freshness::Freshness;
use crate::core::place::{Place, Screen};
use crate::core::report::BreakerState;
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::panel::{Panel, PanelContext};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{age, duration};

/// The overview screen.
#[derive(Clone, Copy, Debug)]
pub struct Overview;

impl Panel for Overview {
    fn screen(&self) -> Screen {
        Screen::Overview
    }

    fn title(&self) -> &'static str {
        "overview"
    }

    fn help(&self) -> &'static str {
        "what is broken, worst first, since when, and what may be done"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        match path.last() {
            Some(RowKey::Target(target) | RowKey::Finding { target, .. }) => source(context, target.as_str()),
            _ => Content {
                title: String::new(),
                sections: vec![findings(context), crate::panels::signals::section(context), sources(context)],
            },
        }
    }

    fn jump(&self, context: PanelContext<'_>, row: &RowKey) -> Option<Place> {
        let finding = context.world.alerts.findings().into_iter().find(|finding| key(finding) == *row)?;
        if finding.signal.place.screen == Screen::Overview {
            return None;
        }
        Some(finding.signal.place.clone())
    }

    fn copy(&self, context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        let findings = context.world.alerts.findings();
        let finding = findings.into_iter().find(|finding| key(finding) == *row)?;
        Some(format!("{} ({})", finding.sentence(context.now), finding.signal.target))
    }
}

fn key(finding: &Finding) -> RowKey {
    let signal = &finding.signal;
    RowKey::Finding { rule: signal.rule, target: signal.target.clone(), subject: signal.subject.clone() }
}

fn findings(context: PanelContext<'_>) -> Section {
    let rows: Vec<Row> = context
        .world
        .alerts
        .findings()
        .into_iter()
        .map(|finding| {
            let (role, word) = match (finding.stage, finding.signal.severity) {
                (Stage::Resolved(_), _) => (Role::Ok, "over".to_owned()),
                (_, severity @ Severity::Critical) => (Role::of(severity), format!("‼ {}", severity.word())),
                (_, severity @ Severity::Warning) => (Role::of(severity), format!("! {}", severity.word())),
                (_, severity @ Severity::Info) => (Role::of(severity), format!("· {}", severity.word())),
            };
            let lasted = finding.lasted(context.now);
            let text = if role == Role::Ok { Role::Muted } else { Role::Text };
            let cells = vec![
                Cell::of(role, word),
                Cell::of(text, finding.sentence(context.now)),
                Cell::number(Some(lasted.as_secs_f64()), duration(lasted)).role(text),
                Cell::of(Role::Muted, finding.signal.target.as_str()),
                Cell::of(Role::Muted, &finding.signal.next_step),
            ];
            Row::opens(key(finding), cells)
        })
        .collect();
    let count = rows.len();
    let table = Table {
        columns: vec![
            Column::fixed("", 6, 0),
            Column::flex("finding", 30, 0),
            Column::number("for", 7, 1),
            Column::fixed("target", 12, 2),
            Column::flex("next step", 28, 3),
        ],
        rows,
        empty: "nothing is past its threshold".to_owned(),
        fixed_order: false,
    };
    let (open, act) = (&context.keys.open, &context.keys.act);
    let title = match count {
        0 => "Findings".to_owned(),
        count => format!("Findings ({count}, worst first; {open} leads to each, {act} acts there)"),
    };
    Section::table(title, table)
}

fn sources(context: PanelContext<'_>) -> Section {
    let rows = context.world.targets().iter().map(|target| source_row(target, context)).collect();
    let table = Table {
        columns: vec![
            Column::fixed("source", 16, 0),
            Column::fixed("state", 16, 0),
            Column::number("poll", 7, 2),
            Column::fixed("kind", 13, 3),
            Column::flex("where, or why silent", 20, 1),
        ],
        rows,
        empty: format!(
            "no target was found; press {} for what was looked for, or run `stacktop demo`",
            context.keys.sources
        ),
        fixed_order: false,
    };
    Section::table("Sources", table)
}

fn state(target: &TargetState, context: PanelContext<'_>) -> (Role, String) {
    match target.freshness(context.now) {
        Freshness::Waiting => (Role::Muted, "waiting".to_owned()),
        Freshness::Fresh(old) => (Role::Ok, format!("ok, {}", age(old))),
        Freshness::Late(old) => (Role::Warning, format!("LATE {}", age(old))),
        Freshness::Lost(old) => (Role::Critical, format!("STALE {}", age(old))),
    }
}

fn source_row(target: &TargetState, context: PanelContext<'_>) -> Row {
    let (role, word) = state(target, context);
    let about = match target.failure {
        Some(_) => Cell::of(Role::Warning, target.silence(context.now)),
        None => Cell::of(Role::Muted, &target.address),
    };
    let cells = vec![
        Cell::of(Role::Strong, target.id.as_str()),
        Cell::of(role, word),
        Cell::number(
            target.took.map(|took| took.as_secs_f64()),
            target.took.map_or("—".to_owned(), duration),
        ),
        Cell::of(Role::Muted, target.kind.name()),
        about,
    ];
    Row::opens(RowKey::Target(target.id.clone()), cells)
}

fn source(context: PanelContext<'_>, id: &str) -> Content {
    let Some(target) = context.world.target(id) else {
        return Content::default();
    };
    let (role, word) = state(target, context);
    let mut lines = vec![
        Line::of(Role::Muted, "kind      ").then(Role::Text, target.kind.name()),
        Line::of(Role::Muted, "where     ").then(Role::Text, &target.address),
        Line::of(Role::Muted, "state     ").then(role, word),
    ];
    if let Some(seen) = target.seen {
        let at = seen.wall.format("%Y-%m-%d %H:%M:%SZ").to_string();
        lines.push(Line::of(Role::Muted, "last data ").then(Role::Text, at));
    }
    if let Some(plan) = &target.plan {
        let breaker = match plan.breaker {
            BreakerState::Closed => "closed",
            BreakerState::Open => "open",
            BreakerState::HalfOpen => "half-open",
        };
        let widened = if plan.widened { ", widened because polls are slow" } else { "" };
        lines.push(
            Line::of(Role::Muted, "interval  ")
                .then(Role::Text, format!("{}{widened}", duration(plan.interval))),
        );
        lines.push(
            Line::of(Role::Muted, "breaker   ").then(
                Role::Text,
                format!("{breaker}, {} in a row", counted(plan.failures as usize, "failure")),
            ),
        );
    }
    if target.failure.is_some() {
        lines.push(Line::default());
        lines.push(Line::of(Role::Warning, target.silence(context.now)));
    }
    Content {
        title: target.id.to_string(),
        sections: vec![Section::lines(format!("Source {}", target.id), lines)],
    }
}
