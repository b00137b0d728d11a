//! The rules about panels of the team's own: values past their thresholds, and panels that watch nothing.

use super::parts::{Its, PANELS};
use crate::core::alert::RuleUnit::State;
use crate::core::alert::Triage::Errors;
use crate::core::alert::{Grade, Rule, RuleSpec, Severity};
use crate::core::part::Part;
use crate::core::postgres::{Look, PostgresReading, PostgresState, SqlPanel, SqlTable};
use crate::core::text::tidy;

pub(crate) static PANEL: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.panel", "a panel of your own is above a threshold of its own", State, Errors)
        .needs(&[PANELS]),
    panel,
);

pub(crate) static PANEL_BLIND: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.panel_blind",
        "a panel of your own fails, or a threshold of its watches a column that is not there or is no number",
        State,
        Errors,
    ),
    panel_blind,
);

/// Only panels with thresholds are asked while nobody looks: each with what was read of it.
fn watched<'a>(
    state: &'a PostgresState,
    reading: &'a PostgresReading,
) -> impl Iterator<Item = (&'a SqlPanel, &'a Part<SqlTable>)> {
    let with_thresholds = state.settings.panels.iter().filter(|panel| !panel.thresholds.is_empty());
    with_thresholds.filter_map(|panel| {
        let look = Look::Panel(panel.name.clone());
        let looked = reading.looks.iter().find(|looked| looked.look == look)?;
        Some((panel, &looked.table))
    })
}

fn panel(its: &mut Its<'_>, reading: &PostgresReading) {
    for (panel, table) in watched(its.state, reading) {
        let Some(table) = table.ready() else { continue };
        let graded = panel.thresholds.keys().flat_map(|column| {
            table.column(column).map(move |(row, text)| (panel.grade(column, text), row, column, text))
        });
        let bad: Vec<_> = graded.filter(|(grade, ..)| *grade > 0).collect();
        let Some((worst, row, column, text)) = bad.iter().max_by_key(|(grade, ..)| *grade) else { continue };
        let severity = if *worst > 1 { Severity::Critical } else { Severity::Warning };
        let Some(grade) = its.state(severity) else { continue };
        let threshold = panel.thresholds.get(*column);
        let threshold = threshold
            .and_then(|(warning, critical)| if *worst > 1 { critical.or(*warning) } else { *warning });
        let grade = Grade { value: SqlPanel::value(text), threshold, ..grade };
        let about = table.rows.get(*row).and_then(|cells| cells.first()?.as_deref()).unwrap_or_default();
        let about = if about == *text { String::new() } else { format!(" for {}", tidy(about, 40)) };
        let sentence = format!("{}: {column} is {}{about}", tidy(&panel.name, 40), tidy(text, 20));
        let breach = its.tell(grade, &panel.name, sentence).hits(bad.len(), "row");
        breach.look("open it among the looks of the health screen");
    }
}

fn panel_blind(its: &mut Its<'_>, reading: &PostgresReading) {
    for (panel, table) in watched(its.state, reading) {
        let why = match table.ready() {
            Some(table) => blind(panel, table),
            None => table.gap().map(|gap| tidy(&gap.note, 100)),
        };
        let Some((why, grade)) = why.zip(its.state(Severity::Warning)) else { continue };
        let sentence = format!("panel {} watches nothing: {why}", tidy(&panel.name, 40));
        its.tell(grade, &panel.name, sentence).say("mend it in the configuration, or grant what it needs");
    }
}

/// Why a threshold of this panel can never be passed: its column is not there, or holds no number.
fn blind(panel: &SqlPanel, table: &SqlTable) -> Option<String> {
    panel.thresholds.keys().find_map(|column| {
        if !table.columns.contains(column) {
            let known = table.columns.join(", ");
            return Some(format!("there is no column {} among {}", tidy(column, 30), tidy(&known, 60)));
        }
        let mut texts = table.column(column);
        let (_, text) = texts.find(|(_, text)| SqlPanel::value(text).is_none())?;
        Some(format!("column {} is no number: {}", tidy(column, 30), tidy(text, 30)))
    })
}
