//! Logs that are read here: which of them are meant by a question, and the list of them.

use super::parts::role_of;
use crate::core::freshness::Freshness;
use crate::core::ids::TargetId;
use crate::core::lines::{About, Question, Tone};
use crate::core::log::{LogReading, LogRow, LogState};
use crate::core::part::{Part, Warm};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::{age, bytes, count, duration};

/// Columns of a sparkline.
const SPARK: usize = 20;

fn logs(context: PanelContext<'_>) -> impl Iterator<Item = (&TargetState, &LogState)> {
    context.targets().filter_map(|target| Some((target, target.system.log()?)))
}

/// Which logs may hold lines of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// Those that are named for it.
    Named,
    /// Those that are named for nobody.
    Any,
}

/// The logs that a question is about, and why these: those named for what it asks about; else those that are named for nobody.
pub(super) fn meant(context: PanelContext<'_>, question: &Question) -> Option<(Meant, Vec<TargetId>)> {
    let About::Named { words, of, names, .. } = &question.lines else { return None };
    let ids = |is: &dyn Fn(&TargetState, &LogState) -> bool| -> Vec<TargetId> {
        logs(context)
            .filter(|(target, state)| is(target, state))
            .map(|(target, _)| target.id.clone())
            .collect()
    };
    let named = |wanted: &str| of.iter().chain(names).any(|name| name == wanted);
    let own = ids(&|target, _| named(target.id.as_str()));
    let its =
        if own.is_empty() { ids(&|_, state| state.settings.of.iter().any(|of| named(of))) } else { own };
    // What is looked for by its address is named by those who try to reach it, whoever they are.
    if names.is_empty() && !words.is_empty() {
        let all = ids(&|_, _| true);
        return (!all.is_empty()).then_some((Meant::Any, all));
    }
    if !its.is_empty() {
        return Some((Meant::Named, its));
    }
    let any = ids(&|_, state| state.settings.of.is_empty());
    (!any.is_empty()).then_some((Meant::Any, any))
}

/// Whether any log is read here.
pub(super) fn any(context: PanelContext<'_>) -> bool {
    logs(context).next().is_some()
}

/// The list of logs.
pub(super) fn section(context: PanelContext<'_>) -> Option<Section> {
    let rows: Vec<Row> = logs(context).map(|(target, state)| row(context, target, state)).collect();
    if rows.is_empty() {
        return None;
    }
    let table = Table {
        columns: vec![
            Column::flex("log", 18, 0),
            Column::number("lines/min", 10, 0).changing(),
            Column::number("errors/min", 10, 0).changing(),
            Column::fixed("errors before", SPARK as u16, 3),
            Column::fixed("written", 12, 1),
            Column::fixed("for", 16, 2),
            Column::flex("what is read", 24, 1),
        ],
        rows,
        empty: String::new(),
        fixed_order: false,
    };
    Some(Section::table("Logs of this machine", table))
}

fn row(context: PanelContext<'_>, target: &TargetState, state: &LogState) -> Row {
    let key = RowKey::Log(target.id.clone(), LogRow::all(target.id.as_str()));
    let reading = state.reading();
    let number = |part: fn(&LogReading) -> &Part<Warm<u64>>, tone: Role| match reading.map(part) {
        Some(Part::Ready(many)) => Cell::number(Some(**many as f64), count(**many as f64))
            .role(if **many > 0 { tone } else { Role::Text }),
        Some(Part::NotAsked) => Cell::number(None, "…").role(Role::Muted),
        Some(Part::Unavailable(_)) | None => Cell::number(None, "—").role(Role::Muted),
    };
    let of = if state.settings.of.is_empty() { "anybody".to_owned() } else { state.settings.of.join(", ") };
    let written = reading.and_then(|reading| reading.written).map(|ago| format!("{} ago", age(ago)));
    let size = reading.and_then(|reading| reading.bytes).map(|size| format!(", {}", bytes(size as f64)));
    let (role, what) = match target.freshness(context.now) {
        Freshness::Lost(old) => {
            (Role::Stale, format!("STALE {}: {}", duration(old), target.silence(context.now)))
        }
        Freshness::Late(old) => (Role::Warning, format!("LATE, {} old", duration(old))),
        Freshness::Waiting if target.failure.is_some() => (Role::Warning, target.silence(context.now)),
        Freshness::Waiting => (Role::Muted, format!("{} · waiting for the first look", target.address)),
        Freshness::Fresh(_) => {
            let note = reading.and_then(|reading| reading.errors.gap());
            let note = note.map(|gap| format!(" · {}", gap.note)).unwrap_or_default();
            match reading.and_then(|reading| reading.lines.gap()) {
                Some(gap) => (Role::Warning, gap.note.clone()),
                None => (Role::Muted, format!("{}{}{note}", target.address, size.unwrap_or_default())),
            }
        }
    };
    let past = target.past(&state.tally.errors, SPARK);
    Row::opens(
        key,
        vec![
            Cell::of(Role::Accent, target.id.as_str()),
            number(|reading| &reading.lines, Role::Text),
            number(|reading| &reading.errors, role_of(Tone::Error)),
            Cell::spark(past),
            Cell::of(Role::Muted, written.unwrap_or_default()),
            Cell::of(Role::Muted, of),
            Cell::of(role, what),
        ],
    )
}

/// What the overview says of a log in one line.
pub(super) fn numbers(state: &LogState) -> Option<String> {
    let lines = state.lines_now()?;
    let errors = match state.errors_now() {
        Some(errors) => crate::core::text::counted(count(errors), "error"),
        None => "errors not known".to_owned(),
    };
    Some(format!("{} a minute, {errors}", crate::core::text::counted(count(lines), "line")))
}

/// Why no log is asked.
pub(super) fn none(context: PanelContext<'_>, about: &str) -> String {
    if any(context) {
        return format!(
            "no log is read for {about}: name it in `for` of a [[log]], or watch a Loki ([[loki]])"
        );
    }
    "no Loki is watched and no log is read: name one in the configuration ([[loki]], [[log]])".to_owned()
}

/// A line for a stack without any.
pub(super) fn nowhere() -> Section {
    let line =
        Line::of(Role::Muted, "no Loki is configured ([[loki]]), and no log of this machine ([[log]])");
    Section::lines("", vec![line])
}
