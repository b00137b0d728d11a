//! The Prometheus half of the metrics screen: targets down, rules that fire or fail, configured panels.

use crate::core::part::GapKind;
use crate::core::prometheus::{PrometheusReading, PrometheusRow, PrometheusState};
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::heading::heading;
use crate::panels::managers;
use crate::panels::metrics::target::{figure, tone};
use crate::panels::own;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::seconds;

/// Columns of a sparkline.
const SPARK: usize = 30;

pub(super) fn server(
    sections: &mut Vec<Section>,
    target: &TargetState,
    state: &PrometheusState,
    context: PanelContext<'_>,
) {
    let role = tone(target, context);
    let Some(reading) = state.reading() else {
        sections.push(Section::lines("", vec![heading(target, (Role::Muted, ""), context)]));
        return;
    };
    let version = reading.version.ready().map_or("version not known", String::as_str);
    let mut lines = vec![heading(target, (Role::Muted, format!("Prometheus {version}")), context)];
    match reading.targets.ready() {
        Some(all) => {
            let down = all.iter().filter(|scraped| scraped.is_down()).count();
            let text = format!("{}, {down} down", counted(all.len(), "target"));
            lines.push(Line::of(if down > 0 { Role::Warning } else { role }, text));
        }
        None => lines.extend(reading.targets.gap().map(|gap| match gap.kind {
            GapKind::NotSupported => Line::of(
                Role::Muted,
                "no targets: it does not know the question, as what only evaluates rules (vmalert, a ruler)",
            ),
            GapKind::NotPermitted | GapKind::TimedOut | GapKind::Failed => Line::of(Role::Warning, &gap.note),
        })),
    }
    match reading.rules.ready() {
        Some(rules) => {
            let (firing, failing) = (rules.firing(), rules.failing());
            let muted = rules.notable.iter().filter(|rule| rule.muted.is_some()).count();
            let muted = if muted > 0 {
                format!(" ({} kept back by the Alertmanager)", counted(muted, "alert"))
            } else {
                String::new()
            };
            let all = counted(rules.total, "rule");
            let text = format!("{all}, {firing} firing{muted}, {failing} failing");
            lines.push(Line::of(if firing + failing > 0 { Role::Warning } else { role }, text));
        }
        None => lines.extend(reading.rules.gap().map(|gap| Line::of(Role::Warning, &gap.note))),
    }
    lines.extend(reading.alertmanagers.ready().into_iter().flat_map(|known| managers::lines(context, known)));
    lines.extend(
        reading.muted.gap().map(|gap| {
            Line::of(Role::Warning, format!("which alerts are silenced is not known: {}", gap.note))
        }),
    );
    for panel in &reading.panels {
        lines
            .extend(panel.cut.as_ref().map(|cut| Line::of(Role::Warning, format!("{}: {cut}", panel.title))));
    }
    sections.push(Section::lines("", lines));
    sections.extend(troubles(target, reading));
    sections.push(panels(target, state, reading, role));
}

fn troubles(target: &TargetState, reading: &PrometheusReading) -> Option<Section> {
    let mut rows = Vec::new();
    for down in reading.targets.ready().into_iter().flatten().filter(|scraped| scraped.is_down()) {
        rows.push(Row::flat(
            RowKey::Prometheus(
                target.id.clone(),
                PrometheusRow::Scraped { job: down.job.clone(), instance: down.instance.clone() },
            ),
            vec![
                Cell::of(Role::Warning, "down"),
                Cell::text(format!("{} {}", down.job, down.instance)),
                Cell::number(None, ""),
                Cell::text(&down.last_error),
            ],
        ));
    }
    for rule in reading.rules.ready().into_iter().flat_map(|rules| &rules.notable) {
        let failing = !rule.error.is_empty();
        let muted = rule.muted.as_deref();
        let word = if failing {
            "failing"
        } else {
            muted.map_or(rule.state.as_str(), |words| words.split(' ').next().unwrap_or_default())
        };
        let age = rule.active_for.map(|age| age.as_secs_f64());
        let summary = muted.map(|words| format!("{words} · {}", rule.summary));
        let about = match (failing, rule.summary.is_empty()) {
            _ if summary.is_some() => summary.as_deref().unwrap_or_default(),
            (true, _) => rule.error.as_str(),
            (false, true) => rule.query.as_str(),
            (false, false) => rule.summary.as_str(),
        };
        rows.push(Row::flat(
            RowKey::Prometheus(
                target.id.clone(),
                PrometheusRow::Rule {
                    group: rule.group.clone(),
                    name: rule.name.clone(),
                    labels: rule.labels.clone(),
                },
            ),
            vec![
                Cell::of(
                    match rule.state.as_str() {
                        _ if muted.is_some() => Role::Muted,
                        "pending" => Role::Note,
                        _ => Role::Warning,
                    },
                    word,
                ),
                Cell::text(format!("{} {}", rule.name, rule.labels).trim_end()),
                Cell::number(age, age.map_or(String::new(), |age| seconds(Some(age)))),
                Cell::text(about),
            ],
        ));
    }
    if rows.is_empty() {
        return None;
    }
    let table = Table {
        columns: vec![
            Column::fixed("", 8, 0),
            Column::flex("target or rule", 24, 0),
            Column::number("for", 7, 1),
            Column::flex("why", 30, 0),
        ],
        rows,
        empty: String::new(),
        fixed_order: false,
    };
    Some(Section::table("Down, firing or failing", table))
}

fn row_of(target: &TargetState, title: &str, labels: &str) -> RowKey {
    RowKey::Prometheus(
        target.id.clone(),
        PrometheusRow::Panel { title: title.to_owned(), labels: labels.to_owned() },
    )
}

fn panels(target: &TargetState, state: &PrometheusState, reading: &PrometheusReading, role: Role) -> Section {
    let mut rows = Vec::new();
    for panel in &reading.panels {
        let query = state.settings.panel(&panel.title);
        let unit = query.map_or("", |query| query.unit.as_str());
        let Some(series) = panel.series.ready() else {
            let note = panel.series.gap().map_or("", |gap| gap.note.as_str());
            let key = row_of(target, &panel.title, "");
            rows.push(Row::opens(
                key,
                vec![
                    Cell::text(&panel.title),
                    Cell::of(Role::Warning, note),
                    Cell::default(),
                    Cell::default(),
                ],
            ));
            continue;
        };
        for (labels, value) in series {
            let tone = own::tone(query.and_then(|query| query.grade(*value)), role);
            let samples = state.panels.get(&(panel.title.clone(), labels.clone()));
            rows.push(Row::opens(
                row_of(target, &panel.title, labels),
                vec![
                    Cell::text(&panel.title),
                    Cell::of(Role::Muted, labels),
                    Cell::number(Some(*value), format!("{}{unit}", figure(*value))).role(tone),
                    Cell::spark(samples.map(|samples| target.past(samples, SPARK)).unwrap_or_default()),
                ],
            ));
        }
    }
    // Whoever has no panel yet finds here what there is.
    let title = if rows.is_empty() { "Prometheus remembers" } else { "Your panels" };
    rows.push(Row::opens(
        RowKey::Prometheus(target.id.clone(), PrometheusRow::Names),
        vec![Cell::of(Role::Accent, "all metrics"), Cell::default(), Cell::default(), Cell::default()],
    ));
    Section::table(title, own::table(rows))
}
