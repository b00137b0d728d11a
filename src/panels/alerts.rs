//! The alerts screen: what each Alertmanager holds, in the groups in which it notifies, and the silences.

use crate::core::alert::Severity;
use crate::core::alertmanager::{
    AlertGroup, AlertmanagerReading, AlertmanagerRow, AlertmanagerState, HeldAlert, HeldBy, Silence,
};
use crate::core::freshness::Freshness;
use crate::core::ids::TargetId;
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::panel::{Panel, PanelContext};
use crate::panels::signals::Told;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{duration, seconds};

/// The alerts screen.
#[derive(Clone, Copy, Debug)]
pub struct Alerts;

impl Panel for Alerts {
    fn screen(&self) -> Screen {
        Screen::Alerts
    }

    fn title(&self) -> &'static str {
        "alerts"
    }

    fn help(&self) -> &'static str {
        "what each Alertmanager holds: groups, receivers, what is silenced or inhibited, and the silences"
    }

    fn content(&self, context: PanelContext<'_>, path: &[RowKey]) -> Content {
        if let Some(RowKey::Alertmanager(id, row)) = path.last() {
            return opened(context, id, row);
        }
        let mut sections = Vec::new();
        for target in context.targets() {
            if let Some(state) = target.system.alertmanager() {
                server(&mut sections, target, state, context);
            }
        }
        if sections.is_empty() {
            let line = Line::of(Role::Muted, "no Alertmanager is configured ([[alertmanager]])");
            sections.push(Section::lines("", vec![line]));
        }
        Content { title: String::new(), sections }
    }
}

/// What the overview says of an Alertmanager in one line.
pub(super) fn signal(target: &TargetState) -> Option<Told> {
    let state = target.system.alertmanager()?;
    let reading = state.reading()?;
    reading.groups.ready()?;
    Some((numbers(reading), Some("active alerts")))
}

fn server(
    sections: &mut Vec<Section>,
    target: &TargetState,
    state: &AlertmanagerState,
    context: PanelContext<'_>,
) {
    let line = Line::of(Role::Strong, format!("{} ", target.id));
    let Some(reading) = state.reading() else {
        let line = match target.failure {
            Some(_) => line.then(Role::Warning, target.silence(context.now)),
            None => line.then(Role::Muted, format!("{} · waiting for the first answer", target.address)),
        };
        sections.push(Section::lines("", vec![line]));
        return;
    };
    let line = match reading.status.ready() {
        Some(status) if status.peers > 1 => {
            let members = counted(status.peers, "member");
            line.then(
                Role::Muted,
                format!("Alertmanager {} · cluster of {members}, {}", status.version, status.cluster),
            )
        }
        Some(status) => line.then(Role::Muted, format!("Alertmanager {}", status.version)),
        None => line.then(Role::Note, "its version is not known"),
    };
    let line = match target.freshness(context.now) {
        Freshness::Late(age) => line.then(Role::Warning, format!(" · LATE, {} old", duration(age))),
        Freshness::Lost(age) => {
            line.then(Role::Stale, format!(" · STALE {}: {}", duration(age), target.silence(context.now)))
        }
        Freshness::Waiting | Freshness::Fresh(_) => line,
    };
    let mut lines = vec![line, Line::text(numbers(reading))];
    for gap in [reading.groups.gap(), reading.silences.gap()].into_iter().flatten() {
        lines.push(Line::of(Role::Warning, &gap.note));
    }
    sections.push(Section::lines("", lines));
    sections.push(groups(&target.id, reading));
    sections.extend(silences(&target.id, reading));
}

fn numbers(reading: &AlertmanagerReading) -> String {
    let (mut active, mut held) = (0, 0);
    for alert in reading.alerts() {
        *if alert.held.is_empty() { &mut active } else { &mut held } += 1;
    }
    let groups = counted(reading.groups.ready().map_or(0, Vec::len), "group");
    let silences = reading.silences.ready().map(|all| format!(", {}", counted(all.len(), "silence")));
    format!(
        "{}, {held} kept back, in {groups}{}",
        counted(active, "active alert"),
        silences.unwrap_or_default()
    )
}

fn labels(labels: &[(String, String)]) -> String {
    if labels.is_empty() {
        return "(all)".to_owned();
    }
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// The groups; those of several routes that have receiver and labels in common are one.
fn merged(reading: &AlertmanagerReading) -> Vec<AlertGroup> {
    let mut all: Vec<AlertGroup> = Vec::new();
    for group in reading.groups.ready().into_iter().flatten() {
        let same = |known: &&mut AlertGroup| known.receiver == group.receiver && known.labels == group.labels;
        let Some(known) = all.iter_mut().find(same) else {
            all.push(group.clone());
            continue;
        };
        for alert in &group.alerts {
            if known.alerts.iter().all(|other| other.fingerprint != alert.fingerprint) {
                known.alerts.push(alert.clone());
            }
        }
    }
    all
}

fn groups(id: &TargetId, reading: &AlertmanagerReading) -> Section {
    let mut rows = Vec::new();
    for group in merged(reading) {
        let key = AlertmanagerRow::Group { receiver: group.receiver.clone(), labels: labels(&group.labels) };
        let active = group.alerts.iter().filter(|alert| alert.held.is_empty()).count();
        let held = group.alerts.len() - active;
        let oldest = group.alerts.iter().filter_map(|alert| alert.active_for).max();
        let worst = group.alerts.iter().filter(|alert| alert.held.is_empty()).map(severity).max();
        let names: std::collections::BTreeSet<&str> = group.alerts.iter().map(HeldAlert::name).collect();
        rows.push(Row::opens(
            RowKey::Alertmanager(id.clone(), key),
            vec![
                Cell::of(
                    worst.map_or(Role::Muted, Role::of),
                    names.into_iter().collect::<Vec<_>>().join(", "),
                ),
                Cell::text(labels(&group.labels)),
                Cell::text(&group.receiver),
                Cell::number(Some(active as f64), active.to_string()),
                Cell::number(Some(held as f64), held.to_string()),
                age(oldest),
            ],
        ));
    }
    let table = Table {
        columns: vec![
            Column::flex("alerts", 20, 0),
            Column::flex("grouped by", 16, 1),
            Column::flex("receiver", 10, 0),
            Column::number("active", 6, 0),
            Column::number("kept back", 9, 1),
            Column::number("oldest", 7, 1),
        ],
        rows,
        empty: "no alerts".to_owned(),
        fixed_order: false,
    };
    Section::table("Groups", table)
}

fn severity(alert: &HeldAlert) -> Severity {
    Severity::of_label(alert.label("severity"))
}

fn age(age: Option<std::time::Duration>) -> Cell {
    let age = age.map(|age| age.as_secs_f64());
    Cell::number(age, age.map_or(String::new(), |age| seconds(Some(age))))
}

/// What keeps an alert back, in words: by whom and why, where that is known.
fn held(alert: &HeldAlert, reading: &AlertmanagerReading) -> Option<String> {
    Some(match alert.held.first()? {
        HeldBy::Silence(id) => match silence(reading, id) {
            Some(silence) => {
                format!(
                    "silenced by {} for {} more: {}",
                    silence.author,
                    duration(silence.ends_in),
                    silence.comment
                )
            }
            None => "silenced".to_owned(),
        },
        HeldBy::Alert(fingerprint) => {
            let by = reading.alerts().find(|other| other.fingerprint == *fingerprint);
            by.map_or_else(
                || "inhibited by another alert".to_owned(),
                |by| format!("inhibited by {}", by.name()),
            )
        }
        HeldBy::Interval(name) => format!("muted by the interval {name}"),
    })
}

fn silence<'a>(reading: &'a AlertmanagerReading, id: &str) -> Option<&'a Silence> {
    reading.silences.ready()?.iter().find(|silence| silence.id == id)
}

fn alerts<'a>(
    id: &TargetId,
    reading: &AlertmanagerReading,
    list: impl Iterator<Item = &'a HeldAlert>,
) -> Table {
    let row = |alert: &HeldAlert| {
        let held = held(alert, reading);
        let role = if held.is_some() { Role::Muted } else { Role::of(severity(alert)) };
        let word = alert.held.first().map_or("active", HeldBy::word);
        let about = match &held {
            Some(words) => format!("{words} · {}", alert.summary),
            None => alert.summary.clone(),
        };
        Row::opens(
            RowKey::Alertmanager(id.clone(), AlertmanagerRow::Alert(alert.fingerprint.clone())),
            vec![
                Cell::of(role, word),
                Cell::text(format!("{} {}", alert.name(), alert.others()).trim_end()),
                age(alert.active_for),
                Cell::text(about),
            ],
        )
    };
    Table {
        columns: vec![
            Column::fixed("", 9, 0),
            Column::flex("alert", 24, 0),
            Column::number("for", 7, 1),
            Column::flex("about", 30, 0),
        ],
        rows: list.map(row).collect(),
        empty: "no alerts".to_owned(),
        fixed_order: false,
    }
}

fn matchers(silence: &Silence) -> String {
    silence.matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn silences(id: &TargetId, reading: &AlertmanagerReading) -> Option<Section> {
    let list = reading.silences.ready().filter(|list| !list.is_empty())?;
    let row = |silence: &Silence| {
        let (role, word) = match silence.begins_in {
            Some(left) => (Role::Muted, format!("in {}", duration(left))),
            None => (Role::Text, "in force".to_owned()),
        };
        let left = silence.ends_in.as_secs_f64();
        Row::opens(
            RowKey::Alertmanager(id.clone(), AlertmanagerRow::Silence(silence.id.clone())),
            vec![
                Cell::of(role, word),
                Cell::text(matchers(silence)),
                Cell::number(Some(left), seconds(Some(left))),
                Cell::text(&silence.author),
                Cell::text(&silence.comment),
            ],
        )
    };
    let table = Table {
        columns: vec![
            Column::fixed("", 9, 0),
            Column::flex("for alerts with", 24, 0),
            Column::number("ends in", 8, 0),
            Column::flex("by", 10, 1),
            Column::flex("why", 20, 0),
        ],
        rows: list.iter().map(row).collect(),
        empty: String::new(),
        fixed_order: false,
    };
    Some(Section::table("Silences", table))
}

fn one(sentence: impl AsRef<str>) -> Content {
    let lines = vec![Line::of(Role::Muted, sentence)];
    Content { title: String::new(), sections: vec![Section::lines("", lines)] }
}

fn opened(context: PanelContext<'_>, id: &TargetId, row: &AlertmanagerRow) -> Content {
    let reading = context.target(id.as_str()).and_then(|target| target.system.alertmanager()?.reading());
    let Some(reading) = reading else {
        return one(context.unread("the alerts"));
    };
    match row {
        AlertmanagerRow::Group { receiver, labels: by } => {
            let is = |group: &AlertGroup| group.receiver == *receiver && labels(&group.labels) == *by;
            let list = merged(reading).into_iter().find(is).map(|group| group.alerts).unwrap_or_default();
            let sections =
                vec![Section::table(format!("{by}, told to {receiver}"), alerts(id, reading, list.iter()))];
            Content { title: by.clone(), sections }
        }
        AlertmanagerRow::Alert(fingerprint) => {
            let Some(alert) = reading.alerts().find(|alert| alert.fingerprint == *fingerprint) else {
                return one("this alert is over");
            };
            Content { title: alert.name().to_owned(), sections: page(alert, reading) }
        }
        AlertmanagerRow::Silence(wanted) => {
            let Some(silence) = silence(reading, wanted) else {
                return one("this silence is over");
            };
            let by = HeldBy::Silence(wanted.clone());
            let list = reading.alerts().filter(|alert| alert.held.contains(&by));
            let lines = vec![
                Line::text(format!("made by {}: {}", silence.author, silence.comment)),
                Line::text(format!("ends in {}", duration(silence.ends_in))),
            ];
            let sections = vec![
                Section::lines(matchers(silence), lines),
                Section::table("What it keeps quiet", alerts(id, reading, list)),
            ];
            Content { title: "silence".to_owned(), sections }
        }
    }
}

fn page(alert: &HeldAlert, reading: &AlertmanagerReading) -> Vec<Section> {
    let mut lines = vec![match held(alert, reading) {
        Some(words) => Line::of(Role::Muted, words),
        None => Line::of(Role::of(severity(alert)), "active: nothing keeps it from people"),
    }];
    lines.extend(alert.active_for.map(|age| Line::text(format!("for {}", duration(age)))));
    lines.extend((!alert.summary.is_empty()).then(|| Line::text(&alert.summary)));
    let told: Vec<&str> = reading
        .groups
        .ready()
        .into_iter()
        .flatten()
        .filter(|group| group.alerts.iter().any(|other| other.fingerprint == alert.fingerprint))
        .map(|group| group.receiver.as_str())
        .collect();
    lines.push(Line::text(format!("told to {}", told.join(", "))));
    let labels = alert.labels.iter().map(|(name, value)| Line::text(format!("{name} = {value}"))).collect();
    vec![Section::lines(alert.name(), lines), Section::lines("Labels", labels)]
}
