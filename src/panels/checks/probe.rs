//! Probes: a row for each, the worst first, and the page of one.

use crate::core::freshness::Freshness;
use crate::core::health::Standing;
use crate::core::ids::TargetId;
use crate::core::probe::rules::{CERTIFICATE, LATENCY};
use crate::core::probe::{Certificate, ProbeReading, ProbeRow, ProbeState};
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::checks::health::role;
use crate::panels::graphs;
use crate::panels::panel::PanelContext;
use crate::panels::signals::Told;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::{duration, of_seconds};

/// What the overview says of a probe in one line.
pub(in crate::panels) fn signal(target: &TargetState) -> Option<Told> {
    let reading = target.system.probe()?.reading()?;
    Some((about(reading), Some("time to answer")))
}

/// All of them, if there are any.
pub(in crate::panels) fn section(context: PanelContext<'_>) -> Option<Section> {
    let mut all: Vec<(&TargetState, &ProbeState)> =
        context.targets().filter_map(|target| Some((target, target.system.probe()?))).collect();
    all.sort_by_key(|(target, state)| std::cmp::Reverse(standing(target, state, context)));
    let rows: Vec<Row> = all.into_iter().map(|(target, state)| row(target, state, context)).collect();
    let table = Table {
        columns: vec![
            Column::flex("probe", 18, 0),
            Column::fixed("says", 10, 0),
            Column::number("took", 8, 0),
            Column::number("certificate", 11, 1),
            Column::flex("about", 24, 1).below(),
        ],
        rows,
        empty: String::new(),
        fixed_order: false,
    };
    (!table.rows.is_empty()).then(|| Section::table("Probes", table))
}

fn standing(target: &TargetState, state: &ProbeState, context: PanelContext<'_>) -> Standing {
    match (target.freshness(context.now), state.reading()) {
        (Freshness::Late(_) | Freshness::Waiting, _) | (Freshness::Fresh(_), None) => Standing::Unknown,
        (Freshness::Fresh(_), Some(reading)) if reading.is_fine() => Standing::Up,
        (Freshness::Lost(_), _) | (Freshness::Fresh(_), Some(_)) => Standing::Down,
    }
}

/// What is wrong, else what was found.
fn about(reading: &ProbeReading) -> String {
    let wrong: Vec<&str> =
        reading.looks.iter().filter(|look| !look.fine).map(|look| look.found.as_str()).collect();
    if !wrong.is_empty() {
        return wrong.join(" · ");
    }
    let found = reading.looks.iter().map(|look| look.found.as_str());
    let version = (!reading.version.is_empty()).then(|| format!("version {}", reading.version));
    found.map(str::to_owned).chain(version).collect::<Vec<_>>().join(" · ")
}

/// How long a certificate lasts, in words that fit into a column.
fn lasts(certificate: &Certificate) -> String {
    match certificate.left_seconds {
        ..0 => "has ended".to_owned(),
        left @ 0..86_400 => of_seconds(left as f64),
        left => counted(left / 86_400, "day"),
    }
}

fn row(target: &TargetState, state: &ProbeState, context: PanelContext<'_>) -> Row {
    let name = Cell::of(Role::Strong, target.id.as_str());
    let whole = standing(target, state, context);
    let says = Cell::of(role(whole), whole.word());
    let (took, certificate) = match state.reading() {
        Some(reading) => {
            let took = reading.took.as_secs_f64();
            let left = reading.certificate.as_ref().map(|shown| shown.left_seconds as f64);
            let judged = reading.certificate.as_ref().map(Certificate::judged_seconds);
            let shown = reading.certificate.as_ref().map_or_else(String::new, lasts);
            (
                Cell::figure(Some(took), of_seconds).role(context.graded(
                    &LATENCY.spec,
                    Some(took),
                    Role::Text,
                )),
                Cell::number(left, shown).role(context.graded(&CERTIFICATE.spec, judged, Role::Text)),
            )
        }
        None => (Cell::number(None, "—"), Cell::number(None, "")),
    };
    let about = match (target.freshness(context.now), state.reading()) {
        (Freshness::Late(_) | Freshness::Lost(_), _) => Cell::of(Role::Warning, target.silence(context.now)),
        (Freshness::Fresh(_), Some(reading)) => Cell::text(about(reading)),
        (Freshness::Waiting | Freshness::Fresh(_), _) => {
            Cell::of(Role::Muted, format!("{} · waiting for the first answer", target.address))
        }
    };
    let key = RowKey::Probe(target.id.clone(), ProbeRow::Probe);
    Row::opens(key, vec![name, says, took, certificate, about])
}

/// The page of a probe.
pub(in crate::panels) fn opened(context: PanelContext<'_>, id: &TargetId) -> Content {
    let title = id.to_string();
    let Some((target, state)) =
        context.target(id.as_str()).and_then(|target| Some((target, target.system.probe()?)))
    else {
        return Content { title, sections: Vec::new() };
    };
    let whole = standing(target, state, context);
    let mut lines =
        vec![Line::of(Role::Strong, format!("{} ", target.address)).then(role(whole), whole.word())];
    if target.freshness(context.now).is_old() || state.reading().is_none() {
        lines.push(Line::of(Role::Warning, target.silence(context.now)));
    }
    if let Some(reading) = state.reading() {
        lines.push(Line::text(format!("took {}", duration(reading.took))));
        lines.extend(reading.looks.iter().map(|look| {
            Line::of(
                if look.fine { Role::Text } else { Role::Critical },
                format!("{}: {}", look.name, look.found),
            )
        }));
        lines.extend(
            (!reading.version.is_empty()).then(|| Line::text(format!("version {}", reading.version))),
        );
        if let Some(shown) = &reading.certificate {
            let tone = context.graded(&CERTIFICATE.spec, Some(shown.left_seconds as f64), Role::Text);
            let words = format!("certificate of {}: {}", shown.subject, lasts(shown));
            lines.push(Line::of(tone, words));
        }
    }
    if let Some(link) = &state.settings.link {
        lines.push(Line::of(Role::Muted, format!("{} copies ", context.keys.runbook)).then(Role::Text, link));
    }
    let mut sections: Vec<Section> = graphs::target(context, target).into_iter().collect();
    sections.push(Section::lines("", lines));
    Content { title, sections }
}

/// The address of the page about a probe.
pub(in crate::panels) fn link(context: PanelContext<'_>, id: &TargetId) -> Option<String> {
    context.target(id.as_str())?.system.probe()?.settings.link.clone()
}
