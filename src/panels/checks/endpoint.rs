//! One health endpoint: what it says, what it measures, its checks and breakers, slow statements, and every value of its document.

use super::health::{breaker_row, check_row, role, silent_row, summary, table};
use crate::core::health::rules::{CACHE_HIT, OLD, POOL, QUERY_P95};
use crate::core::health::{
    HealthField, HealthReading, HealthRow, HealthState, Leaf, Measure, MeasureKind, Scale, Standing, breaker,
};
use crate::core::ids::TargetId;
use crate::core::row::RowKey;
use crate::core::text::{counted, lasting};
use crate::core::world::TargetState;
use crate::panels::graphs;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{duration, of_seconds, seconds, whole};

/// What opens behind a row of it.
pub(in crate::panels) fn opened(context: PanelContext<'_>, id: &TargetId, row: &HealthRow) -> Content {
    let found = context.target(id.as_str()).and_then(|target| Some((target, target.system.health()?)));
    let Some((target, state, reading)) =
        found.and_then(|(target, state)| Some((target, state, state.reading()?)))
    else {
        let lines = vec![Line::of(Role::Muted, context.unread("its document"))];
        return Content { title: id.to_string(), sections: vec![Section::lines("", lines)] };
    };
    match row {
        HealthRow::Check(name) => part(context, target, reading, ("check", name)),
        HealthRow::Breaker(name) => part(context, target, reading, ("breaker", name)),
        HealthRow::Endpoint | HealthRow::Slow(_) | HealthRow::Value(_) => {
            Content { title: id.to_string(), sections: all(context, target, state, reading) }
        }
    }
}

fn all(
    context: PanelContext<'_>,
    target: &TargetState,
    state: &HealthState,
    reading: &HealthReading,
) -> Vec<Section> {
    let mut sections: Vec<Section> = graphs::target(context, target).into_iter().collect();
    sections.push(Section::lines("", head(context, target, state, reading)));
    let id = &target.id;
    let checks = reading.checks.iter().map(|check| check_row(id, check, ""));
    let silent = state.silent_checks().map(|one| silent_row(id, one, ""));
    let breakers = reading
        .breakers
        .iter()
        .map(|one| breaker_row(id, &one.name, &one.word, breaker(&one.word).flatten(), ""));
    sections.push(Section::table("Checks", table(checks.chain(silent).chain(breakers).collect())));
    if !(reading.measures.is_empty() && reading.idle.is_empty()) {
        let told = reading.measures.iter().map(|one| measure(context, state, one));
        let idle = reading.idle.iter().map(|name| {
            Line::of(Role::Muted, format!("{name:<28} ")).then(Role::Muted, "nothing: no traffic")
        });
        let lines = told.chain(idle).collect();
        sections.push(Section::lines("What it measures", lines));
    }
    if !state.settings.fields.is_empty() {
        let lines = state.settings.fields.iter().map(|one| field(state, reading, one)).collect();
        sections.push(Section::lines("Your fields", lines));
    }
    sections.extend(slow(id, reading));
    sections.push(values(id, reading, |_| true));
    sections
}

fn head(
    context: PanelContext<'_>,
    target: &TargetState,
    state: &HealthState,
    reading: &HealthReading,
) -> Vec<Line> {
    let standing = reading.standing();
    let old = target.freshness(context.now).is_old();
    let tone = if old { Role::Stale } else { role(standing) };
    let mut lines = vec![
        Line::of(Role::Strong, format!("{} ", target.address)).then(tone, summary(state, reading)),
        Line::of(
            Role::Muted,
            format!("recognised as {}, answered in {}", reading.shape.words(), duration(reading.took)),
        ),
    ];
    if old {
        lines.push(Line::of(Role::Stale, target.silence(context.now)));
    }
    if !reading.note.is_empty() {
        lines.push(Line::text(&reading.note));
    }
    if let Some(age) = reading.age {
        let role = context.graded(&OLD.spec, Some(age.as_secs_f64()), Role::Muted);
        lines.push(Line::of(role, format!("what it says is {} old by its own time", lasting(age))));
    }
    for one in state.gone() {
        let (span, name) = (duration(context.now.since(one.since)), one.name);
        lines.push(match one.habit() {
            Some(habit) => Line::of(Role::Note, format!("unknown for {span}: {name} is gone; {habit}")),
            None => Line::of(Role::Warning, format!("unknown for {span}: {name} was there and is gone")),
        });
    }
    if reading.truncated {
        lines.push(Line::of(Role::Warning, "there is more in it than is shown"));
    }
    lines
}

fn measure(context: PanelContext<'_>, state: &HealthState, one: &Measure) -> Line {
    let name = Line::of(Role::Muted, format!("{:<28} ", one.name()));
    let Some(value) = state.value(one) else {
        return name.then(Role::Note, "1: all of it, or 1 %? It does not say, and is not judged");
    };
    let judged_by = match one.kind {
        MeasureKind::HitRate => Some(&CACHE_HIT.spec),
        MeasureKind::PoolUse => Some(&POOL.spec),
        MeasureKind::P95 if one.queries => Some(&QUERY_P95.spec),
        MeasureKind::P50 | MeasureKind::P95 | MeasureKind::P99 => None,
    };
    let tone = judged_by.map_or(Role::Text, |spec| context.graded(spec, Some(value), Role::Text));
    let told = if one.kind.is_share() { format!("{:.1} %", value * 100.0) } else { seconds(Some(value)) };
    if !one.kind.is_share() {
        return name.then(tone, told);
    }
    let guessed = match state.scale(one) {
        Scale::SeenPercent => " (taken for percent: more than 1 was seen)",
        Scale::SeenRatio => " (taken for a share of 1: nothing above 1 was seen)",
        Scale::Percent | Scale::Ratio | Scale::Unknown => "",
    };
    name.then(tone, told).then(Role::Muted, guessed)
}

fn field(state: &HealthState, reading: &HealthReading, one: &HealthField) -> Line {
    let line = Line::of(Role::Muted, format!("{:<28} ", one.name));
    let habit = || state.missing(one).and_then(|one| one.habit());
    let habit = || habit().map_or_else(String::new, |habit| format!("; {habit}"));
    let Some(leaf) = reading.at(&one.pointer) else {
        return line.then(Role::Note, format!("unknown: {} is not there{}", one.pointer, habit()));
    };
    if one.is_idle(leaf) {
        return line.then(Role::Muted, "nothing: no traffic");
    }
    let told = leaf.number().map_or_else(|| leaf.word(), |value| one.unit.told(value));
    if one.is_measured() && leaf.number().is_none() {
        return line.then(Role::Note, format!("unknown: \u{201c}{told}\u{201d} is no number{}", habit()));
    }
    line.then(one.grade(leaf).map_or(Role::Text, |grade| Role::of(grade.severity)), told)
}

fn slow(id: &TargetId, reading: &HealthReading) -> Option<Section> {
    let row = |(index, one): (usize, &crate::core::health::SlowQuery)| {
        Row::flat(
            RowKey::Health(id.clone(), HealthRow::Slow(index)),
            vec![Cell::figure(one.took, of_seconds), Cell::figure(one.times, whole), Cell::text(&one.text)],
        )
    };
    let rows: Vec<Row> = reading.slow.iter().enumerate().map(row).collect();
    let table = Table {
        columns: vec![
            Column::number("took", 9, 0),
            Column::number("times", 7, 1),
            Column::flex("statement", 40, 0).below(),
        ],
        rows,
        empty: String::new(),
        fixed_order: false,
    };
    (!reading.slow.is_empty()).then(|| Section::table("Slow by its own account", table))
}

fn values(id: &TargetId, reading: &HealthReading, wanted: impl Fn(&str) -> bool) -> Section {
    let row = |pointer: &str, leaf: &Leaf| {
        let (number, role) = match leaf {
            Leaf::Number(number) => (Some(*number), Role::Text),
            Leaf::Many(count) => (Some(*count as f64), Role::Muted),
            Leaf::Nothing => (None, Role::Muted),
            Leaf::Flag(_) | Leaf::Text(_) => (None, Role::Text),
        };
        let told = match leaf {
            Leaf::Many(count) => counted(*count, "value"),
            Leaf::Number(_) | Leaf::Nothing | Leaf::Flag(_) | Leaf::Text(_) => leaf.word(),
        };
        let value = match number {
            Some(number) => Cell::number(Some(number), told).role(role),
            None => Cell::of(role, told),
        };
        Row::flat(
            RowKey::Health(id.clone(), HealthRow::Value(pointer.to_owned())),
            vec![Cell::text(pointer), value],
        )
    };
    let rows =
        reading.values.iter().filter(|one| wanted(&one.pointer)).map(|one| row(&one.pointer, &one.leaf));
    let table = Table {
        columns: vec![Column::flex("pointer", 24, 0).ending(), Column::flex("value", 14, 0).below()],
        rows: rows.collect(),
        empty: "it is no JSON".to_owned(),
        fixed_order: false,
    };
    Section::table("Every value", table)
}

/// A check or a breaker, with the values that belong to it.
fn part(
    context: PanelContext<'_>,
    target: &TargetState,
    reading: &HealthReading,
    (what, name): (&str, &str),
) -> Content {
    let check = reading.check(name).filter(|_| what == "check");
    let mut lines = Vec::new();
    if let Some(check) = check {
        let standing = check.standing();
        let own = check.word.as_deref().unwrap_or("no word");
        lines.push(
            Line::of(role(standing), standing.word())
                .then(Role::Muted, format!(" (it says \u{201c}{own}\u{201d})")),
        );
        lines.extend((!check.note.is_empty()).then(|| Line::text(&check.note)));
        lines.extend(check.latency.map(|took| Line::text(format!("took {}", seconds(Some(took))))));
    }
    if let Some(one) = reading.breakers.iter().find(|one| what == "breaker" && one.name == name) {
        lines.push(Line::of(breaker(&one.word).flatten().map_or(Role::Ok, Role::of), &one.word));
    }
    if lines.is_empty() {
        lines.push(Line::of(role(Standing::Unknown), "unknown: it is told of no more"));
    }
    if target.freshness(context.now).is_old() {
        lines.push(Line::of(Role::Stale, target.silence(context.now)));
    }
    let last = name.rsplit('/').next().unwrap_or(name).replace('~', "~0");
    let below = |pointer: &str| pointer.split('/').any(|part| part == last);
    let sections = vec![
        Section::lines(format!("{what} {name} of {}", target.id), lines),
        values(&target.id, reading, below),
    ];
    Content { title: name.to_owned(), sections }
}
