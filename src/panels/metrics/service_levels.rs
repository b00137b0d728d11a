//! What the operations of services reach against what is aimed at: of one endpoint, or of each service where endpoints are many. What was aimed
//! at, how much may fail and from when a burn is told stands in the rulebook and nowhere else.

use crate::core::alert::Severity;
use crate::core::ids::TargetId;
use crate::core::metrics::{
    BURN, Burn, ERROR_BUDGET, Known, LEAST_OBSERVATIONS, LONG, MetricsRow, MetricsState, Operation, Quantile,
    ServiceLevel, aims,
};
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::groups::grouped;
use crate::panels::metrics::list::endpoints;
use crate::panels::metrics::target::{quantile, tone};
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::{count, duration, or_dash, percent, seconds};
use std::cmp::Reverse;
use std::time::Duration;

/// More rows are not listed.
const MOST: usize = 60;

/// The percentiles, as they are called.
const PERCENTILES: [&str; 3] = ["p50", "p95", "p99"];

/// One row: what it stands for, where its numbers are set, and what is reached.
struct Reached<'a> {
    key: RowKey,
    name: String,
    target: &'a TargetId,
    level: ServiceLevel,
    role: Role,
}

/// How a row is judged: the worst first.
struct Judged {
    severity: Option<Severity>,
    words: String,
    role: Role,
}

/// The operations of one endpoint.
pub(super) fn of_endpoint(
    target: &TargetState,
    state: &MetricsState,
    context: PanelContext<'_>,
) -> Option<Section> {
    let rows = state.service_levels.iter().map(|level| Reached {
        key: row_of(target, level),
        name: level.operation.word().to_owned(),
        target: &target.id,
        level: level.clone(),
        role: tone(target, context),
    });
    let lines = state.unmeasured().map(|(operation, family)| {
        let text = format!("{family}, which is named for {}, is not there", operation.words());
        Line::of(Role::Warning, text)
    });
    section(format!("Service levels of {}", target.id), rows.collect(), lines.collect(), context)
}

/// The operations of every service: its endpoints together.
pub(super) fn of_services(context: PanelContext<'_>) -> Option<Section> {
    let mut rows = Vec::new();
    for (name, members) in grouped(endpoints(context), |endpoint| endpoint.0.group()) {
        for operation in Operation::ALL {
            let told: Vec<_> = members.iter().flat_map(|(_, state)| state.levels(operation)).collect();
            let Some(level) = ServiceLevel::together(&told) else { continue };
            let first = members.iter().find(|(_, state)| state.levels(operation).next().is_some());
            let Some((target, _)) = first else { continue };
            let stale = members.iter().all(|(target, _)| target.freshness(context.now).is_old());
            let key = if members.len() == 1 {
                row_of(target, &level)
            } else {
                RowKey::Metrics(target.id.clone(), MetricsRow::Shared(operation, name.to_owned()))
            };
            rows.push(Reached {
                key,
                name: format!("{name} {}", operation.word()),
                target: &target.id,
                level,
                role: if stale { Role::Stale } else { Role::Text },
            });
        }
    }
    section("Service levels".to_owned(), rows, Vec::new(), context)
}

/// The row that opens the list in which an operation of the endpoint `id` stands, where its service has several.
pub(super) fn around(operation: Operation, id: &TargetId, context: PanelContext<'_>) -> Option<RowKey> {
    let group = context.target(id.as_str())?.group();
    let mut members = endpoints(context).filter(|(target, _)| target.group() == group);
    let several = members.clone().count() > 1;
    let (first, _) = members.find(|(_, state)| state.levels(operation).next().is_some())?;
    let shared = MetricsRow::Shared(operation, group.to_owned());
    several.then(|| RowKey::Metrics(first.id.clone(), shared))
}

/// One operation of a service, endpoint by endpoint.
pub(super) fn shared(operation: Operation, group: &str, context: PanelContext<'_>) -> Option<Section> {
    let members = endpoints(context).filter(|(target, _)| target.group() == group);
    let rows = members.flat_map(|(target, state)| {
        state.levels(operation).map(move |level| Reached {
            key: row_of(target, level),
            name: target.id.to_string(),
            target: &target.id,
            level: level.clone(),
            role: tone(target, context),
        })
    });
    section(format!("{} of {group}", operation.words()), rows.collect(), Vec::new(), context)
}

fn row_of(target: &TargetState, level: &ServiceLevel) -> RowKey {
    RowKey::Metrics(target.id.clone(), MetricsRow::Level(level.operation, level.family.clone()))
}

fn section(
    title: String,
    rows: Vec<Reached<'_>>,
    mut lines: Vec<Line>,
    context: PanelContext<'_>,
) -> Option<Section> {
    if rows.is_empty() {
        return (!lines.is_empty()).then(|| Section::lines(title, lines));
    }
    let mut judged: Vec<(Judged, Reached<'_>)> =
        rows.into_iter().map(|reached| (judge(&reached, context), reached)).collect();
    judged.sort_by_key(|(judged, _)| Reverse(judged.severity));
    let over = judged.len().saturating_sub(MOST);
    lines.extend(watched(judged.iter().map(|(_, reached)| &reached.level), context));
    if over > 0 {
        lines.push(Line::of(Role::Muted, format!("{over} more are not listed: narrow the scope")));
    }
    let rows = judged.into_iter().take(MOST).map(|(judged, reached)| row(judged, reached, context)).collect();
    let columns = vec![
        Column::flex("operation", 12, 0),
        Column::number("n, 1 min", 8, 0).changing(),
        Column::number("p50", 8, 1).changing(),
        Column::number("p95", 8, 0).changing(),
        Column::number("p99", 8, 1).changing(),
        Column::fixed("aimed at", 22, 3),
        Column::number("errors", 7, 0).changing(),
        Column::number("budget", 7, 2).changing(),
        Column::flex("", 12, 0),
    ];
    Some(Section { title, lines, table: Some(Table { columns, rows, ..Table::default() }) })
}

/// Of how much time errors and budgets are, where that is less than an hour.
fn watched<'a>(levels: impl Iterator<Item = &'a ServiceLevel>, context: PanelContext<'_>) -> Option<Line> {
    let told = levels.filter(|level| level.told);
    let watched = told.map(|level| level.budget.within(context.now, LONG).watched).max()?;
    let words = "errors of the last 5 minutes; budget left of the last hour";
    let short = watched + Duration::from_secs(60) < LONG;
    let only = if short { format!(" (watched for {} only)", duration(watched)) } else { String::new() };
    Some(Line::of(Role::Muted, format!("{words}{only}")))
}

/// What is aimed at, as it is set for this target.
fn aimed(reached: &Reached<'_>, context: PanelContext<'_>) -> [Option<f64>; 3] {
    aims(reached.level.operation).map(|spec| context.setting(spec?.id, reached.target).warning)
}

fn share(reached: &Reached<'_>, context: PanelContext<'_>) -> Option<f64> {
    context.setting(ERROR_BUDGET.spec.id, reached.target).warning
}

/// How fast its budget of errors is used up, where that is as fast as the rule says.
fn burns(reached: &Reached<'_>, context: PanelContext<'_>) -> Option<(Severity, Burn)> {
    let burn = reached.level.budget.burn(context.now, share(reached, context)?)?;
    Some((context.grade_on(&BURN.spec, reached.target, Some(burn.both()))?, burn))
}

fn told(level: &ServiceLevel) -> [Option<Quantile>; 3] {
    [level.spread.p50, level.spread.p95, level.spread.p99]
}

/// Whether a percentile is beyond what is aimed at; nothing where that is not known.
fn missed(told: Option<Quantile>, aim: Option<f64>) -> Option<bool> {
    match (told?, aim?) {
        (Quantile::Value(value), aim) => Some(value > aim),
        (Quantile::Above(value), aim) => (value >= aim).then_some(true),
    }
}

fn judge(reached: &Reached<'_>, context: PanelContext<'_>) -> Judged {
    let level = &reached.level;
    let known = told(level).into_iter().zip(aimed(reached, context)).map(|(told, aim)| missed(told, aim));
    let known: Vec<Option<bool>> = known.collect();
    let missing: Vec<&str> = PERCENTILES
        .into_iter()
        .zip(&known)
        .filter_map(|(name, missed)| (*missed == Some(true)).then_some(name))
        .collect();
    let mut parts = Vec::new();
    let burn = burns(reached, context);
    if let Some((_, burn)) = burn {
        parts.push(format!("burns {:.0} times too fast", burn.both()));
    }
    if !missing.is_empty() {
        parts.push(format!("misses {}", missing.join(", ")));
    }
    if let Known::Worst(series @ 2..) = level.known {
        parts.push(format!("the worst of {series} series"));
    }
    let (severity, role) = match (burn, missing.is_empty()) {
        (Some((severity, _)), _) => (Some(severity), Role::of(severity)),
        (None, false) => (Some(Severity::Info), Role::Warning),
        (None, true) if known.iter().flatten().next().is_some() => {
            parts.insert(0, "met".to_owned());
            (None, Role::Ok)
        }
        (None, true) => {
            parts.insert(0, unknown(level, &known).to_owned());
            (None, Role::Muted)
        }
    };
    Judged { severity, words: parts.join(" · "), role }
}

/// Why it is not known whether it reaches what is aimed at.
fn unknown(level: &ServiceLevel, known: &[Option<bool>]) -> &'static str {
    match level.known {
        Known::Differ => "its buckets differ",
        Known::Not => "takes: not told",
        Known::Buckets | Known::Worst(_) if level.spread.count < LEAST_OBSERVATIONS => "too few",
        Known::Buckets | Known::Worst(_) if told(level).iter().all(Option::is_none) => "not known",
        Known::Buckets | Known::Worst(_) if known.iter().all(Option::is_none) => "no aim",
        Known::Buckets | Known::Worst(_) => "not known",
    }
}

fn row(judged: Judged, reached: Reached<'_>, context: PanelContext<'_>) -> Row {
    let aims = aimed(&reached, context);
    let level = &reached.level;
    let cell = |place: usize| {
        let told = told(level)[place];
        let role = if reached.role == Role::Stale {
            Role::Stale
        } else if missed(told, aims[place]) == Some(true) {
            Role::Warning
        } else {
            Role::Text
        };
        quantile(told, false).role(role)
    };
    let lately = level.budget.lately(context.now);
    let errors = lately.share().filter(|_| level.told);
    let left = share(&reached, context)
        .filter(|_| level.told)
        .and_then(|share| level.budget.left(context.now, share))
        .map(|left| left.max(0.0));
    let aimed = if aims.iter().all(Option::is_none) {
        String::new()
    } else {
        aims.map(|aim| or_dash(aim, |aim| seconds(Some(aim)))).join(" · ")
    };
    let cells = vec![
        Cell::of(Role::Strong, &reached.name),
        Cell::figure(Some(level.spread.count), count).role(reached.role),
        cell(0),
        cell(1),
        cell(2),
        Cell::of(Role::Muted, aimed),
        Cell::figure(errors, percent).role(reached.role),
        Cell::figure(left, percent).role(reached.role),
        Cell::of(judged.role, judged.words),
    ];
    Row::opens(reached.key, cells)
}
