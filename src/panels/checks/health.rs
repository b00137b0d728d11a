//! Health endpoints: a row for each, the worst first, with its checks below it.

use crate::core::alert::Severity;
use crate::core::freshness::Freshness;
use crate::core::health::rules::LATENCY;
use crate::core::health::{Absent, HealthCheck, HealthReading, HealthRow, HealthState, Standing, breaker};
use crate::core::ids::TargetId;
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::panels::signals::Told;
use crate::ui::content::{Cell, Column, Role, Row, Section, Table};
use crate::ui::format::{duration, of_seconds, seconds};

/// From so many endpoints on only those of their checks are listed that are not up.
const LISTED_FROM: usize = 6;

/// What the overview says of a health endpoint in one line.
pub(in crate::panels) fn signal(target: &TargetState) -> Option<Told> {
    let state = target.system.health()?;
    let reading = state.reading()?;
    Some((summary(state, reading), Some("time to answer")))
}

/// All of them, if there are any.
pub(in crate::panels) fn section(context: PanelContext<'_>) -> Option<Section> {
    let mut all: Vec<(&TargetState, &HealthState)> =
        context.targets().filter_map(|target| Some((target, target.system.health()?))).collect();
    all.sort_by_key(|(target, state)| std::cmp::Reverse(standing(target, state, context)));
    let brief = all.len() >= LISTED_FROM;
    let mut rows = Vec::new();
    for (target, state) in &all {
        rows.push(row(target, state, context));
        let Some(reading) = state.reading() else { continue };
        let told = reading.checks.iter().filter(|check| !brief || check.standing() != Standing::Up);
        rows.extend(told.map(|check| check_row(&target.id, check, "  ")));
        rows.extend(state.silent_checks().map(|one| silent_row(&target.id, one, "  ")));
        rows.extend(reading.breakers.iter().filter_map(|one| {
            let bad = breaker(&one.word)??;
            Some(breaker_row(&target.id, &one.name, &one.word, Some(bad), "  "))
        }));
    }
    (!rows.is_empty()).then(|| Section::table("Health endpoints", table(rows)))
}

pub(super) fn table(rows: Vec<Row>) -> Table {
    Table {
        columns: vec![
            Column::flex("endpoint or check", 22, 0),
            Column::fixed("says", 14, 0),
            Column::number("took", 8, 0),
            Column::flex("about", 24, 1).below(),
        ],
        rows,
        empty: "it tells of no check".to_owned(),
        // The checks stand below their endpoint.
        fixed_order: true,
    }
}

/// How it is, as far as that can be believed.
fn standing(target: &TargetState, state: &HealthState, context: PanelContext<'_>) -> Standing {
    match target.freshness(context.now) {
        Freshness::Lost(_) => Standing::Down,
        Freshness::Late(_) | Freshness::Waiting => Standing::Unknown,
        Freshness::Fresh(_) => state.reading().map_or(Standing::Unknown, HealthReading::standing),
    }
}

pub(super) const fn role(standing: Standing) -> Role {
    match standing {
        Standing::Up => Role::Ok,
        Standing::Unknown => Role::Note,
        Standing::Degraded | Standing::OutOfService => Role::Warning,
        Standing::Down => Role::Critical,
    }
}

/// What it says in a few words: its checks, its numbers.
pub(super) fn summary(state: &HealthState, reading: &HealthReading) -> String {
    let word = reading.standing().word();
    let mut parts = vec![format!("{word} ({})", reading.status)];
    let bad = reading.checks.iter().filter(|check| check.standing() != Standing::Up).count();
    let gone = state.silent_checks().count();
    if !reading.checks.is_empty() || gone > 0 {
        let all = counted(reading.checks.len() + gone, "check");
        parts.push(if bad + gone == 0 {
            format!("{all} up")
        } else {
            format!("{} of {all} not up", bad + gone)
        });
    }
    let open = reading.breakers.iter().filter(|one| matches!(breaker(&one.word), Some(Some(_)))).count();
    if open > 0 {
        parts.push(format!("{} not closed", counted(open, "breaker")));
    }
    parts.extend(reading.measures.iter().take(2).map(|measure| {
        let told = match state.value(measure) {
            Some(share) if measure.kind.is_share() => format!("{:.0} %", share * 100.0),
            Some(value) => seconds(Some(value)),
            None => "1 (all of it, or 1 %)".to_owned(),
        };
        format!("{} {told}", measure.name())
    }));
    parts.join(" · ")
}

fn row(target: &TargetState, state: &HealthState, context: PanelContext<'_>) -> Row {
    let key = RowKey::Health(target.id.clone(), HealthRow::Endpoint);
    let name = Cell::of(Role::Strong, target.id.as_str());
    let silent = || Cell::of(Role::Warning, target.silence(context.now));
    let freshness = target.freshness(context.now);
    let Some(reading) = state.reading() else {
        let about = match target.failure {
            Some(_) => silent(),
            None => Cell::of(Role::Muted, format!("{} · waiting for the first answer", target.address)),
        };
        return Row::opens(key, vec![name, Cell::of(Role::Note, "unknown"), Cell::number(None, "—"), about]);
    };
    let whole = reading.standing();
    let took = reading.took.as_secs_f64();
    let took =
        Cell::figure(Some(took), of_seconds).role(context.graded(&LATENCY.spec, Some(took), Role::Text));
    let (says, about) = match freshness {
        Freshness::Late(age) | Freshness::Lost(age) if target.failure.is_some() => {
            (Cell::of(Role::Stale, format!("{} old", duration(age))), silent())
        }
        Freshness::Late(age) | Freshness::Lost(age) => (
            Cell::of(Role::Stale, format!("{} old", duration(age))),
            Cell::of(Role::Stale, summary(state, reading)),
        ),
        Freshness::Waiting | Freshness::Fresh(_) => {
            (Cell::of(role(whole), whole.word()), Cell::text(summary(state, reading)))
        }
    };
    Row::opens(key, vec![name, says, took, about])
}

/// One of its checks.
pub(super) fn check_row(id: &TargetId, check: &HealthCheck, indent: &str) -> Row {
    let standing = check.standing();
    let own = check.word.as_deref().unwrap_or("no word");
    let word = match standing {
        Standing::Unknown => format!("unknown: {own}"),
        Standing::Up | Standing::Degraded | Standing::OutOfService | Standing::Down => {
            standing.word().to_owned()
        }
    };
    let took =
        check.latency.map_or_else(|| Cell::number(None, ""), |took| Cell::figure(Some(took), of_seconds));
    Row::opens(
        RowKey::Health(id.clone(), HealthRow::Check(check.name.clone())),
        vec![
            Cell::text(format!("{indent}{}", check.name)),
            Cell::of(role(standing), word),
            took,
            Cell::text(&check.note),
        ],
    )
}

/// A check that was told of and is not any more.
pub(super) fn silent_row(id: &TargetId, one: Absent<'_>, indent: &str) -> Row {
    let about = one.habit().unwrap_or_else(|| "it was told of and is not any more".to_owned());
    Row::opens(
        RowKey::Health(id.clone(), HealthRow::Check(one.name.to_owned())),
        vec![
            Cell::text(format!("{indent}{}", one.name)),
            Cell::of(Role::Note, "unknown"),
            Cell::number(None, ""),
            Cell::of(Role::Note, about),
        ],
    )
}

/// One of its circuit breakers; `bad` is how bad its state is.
pub(super) fn breaker_row(id: &TargetId, name: &str, word: &str, bad: Option<Severity>, indent: &str) -> Row {
    Row::opens(
        RowKey::Health(id.clone(), HealthRow::Breaker(name.to_owned())),
        vec![
            Cell::text(format!("{indent}{name}")),
            Cell::of(bad.map_or(Role::Ok, Role::of), word),
            Cell::number(None, ""),
            Cell::of(Role::Muted, "its circuit breaker"),
        ],
    )
}
