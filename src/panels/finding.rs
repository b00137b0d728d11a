//! The page of one finding: its sentence in full, its rule, since when, who is hit, what explains it and what it explains, what may be
//! done, and its number over the last minutes.

use crate::core::action::Offer;
use crate::core::alert::{Finding, FindingKey, Onset, Parted, RuleSetting, RuleSpec, RuleUnit, Stage};
use crate::core::chain::{Link, Tie};
use crate::core::place::Screen;
use crate::core::row::RowKey;
use crate::core::text::{counted, lasting};
use crate::core::time::Now;
use crate::panels::findings::Lead;
use crate::panels::graphs;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::graph;
use std::time::Duration;

/// Columns of the labels.
const LABEL: usize = 9;
/// The graph reaches back so far at the most.
const SPAN: Duration = Duration::from_secs(15 * 60);
/// Its columns and rows.
const COLUMNS: usize = 60;
const ROWS: usize = 4;

/// The page of the finding of `key`, to which `offers` are made.
pub(super) fn page(context: PanelContext<'_>, key: &FindingKey, offers: &[Offer]) -> Content {
    let Some(finding) = context.finding(key) else {
        let words =
            "it is over and no longer kept here (the timeline tells when it ended), or outside the scope";
        return Content {
            title: key.rule.to_string(),
            sections: vec![Section::lines(key.rule.to_string(), vec![Line::text(words)])],
        };
    };
    let mut sections =
        vec![told(context, finding), next(context, finding, offers), evidence(context, finding)];
    sections.extend(graphs::finding(context, finding));
    sections.push(samples(context, finding));
    sections.push(source(finding));
    Content { title: format!("{} on {}", key.rule, key.target), sections }
}

/// A labelled fact.
fn fact(label: &str, line: Line) -> Vec<Line> {
    let mut whole = Line::of(Role::Muted, format!("{label:<LABEL$}"));
    whole.spans.extend(line.spans);
    vec![whole]
}

fn told(context: PanelContext<'_>, finding: &Finding) -> Section {
    let breach = &finding.breach;
    let role = match finding.stage {
        Stage::Resolved(_) if finding.parted.is_some() => Role::Muted,
        Stage::Resolved(_) => Role::Ok,
        Stage::Pending | Stage::Firing => Role::of(breach.severity),
    };
    let word = match finding.stage {
        Stage::Resolved(_) => finding.parted.map_or("over", Parted::word),
        Stage::Pending | Stage::Firing => breach.severity.word(),
    };
    let sentence = Line::of(role, format!("{word} ")).then(Role::Strong, finding.sentence(context.now));
    let mut lines = vec![sentence];
    lines.extend(fact("since", Line::text(since(context, finding))));
    let known = context.rule(breach.rule);
    if let Some((spec, setting)) = &known {
        lines.extend(fact("rule", Line::text(rule(spec, setting))));
    }
    lines.extend(fact("hit", Line::text(hit(context, finding))));
    if let Some(heard) = &finding.heard {
        let note = if heard.note.is_empty() { String::new() } else { format!(": {}", heard.note) };
        let at = clock(context, heard.at);
        let words = format!("{} by {} at {at}{note}", heard.word(context.now), heard.who);
        lines.extend(fact("noted", Line::of(Role::Note, words)));
    }
    let book = match known.and_then(|(_, setting)| setting.runbook) {
        Some(url) => {
            Line::of(Role::Accent, url).then(Role::Muted, format!(" ({} copies it)", context.keys.runbook))
        }
        None => Line::of(Role::Muted, format!("none: set runbook in [rules.\"{}\"]", breach.rule)),
    };
    lines.extend(fact("runbook", book));
    Section::lines("", lines)
}

/// The moment in local time and in UTC.
fn clock(context: PanelContext<'_>, at: Now) -> String {
    let local = at.wall.with_timezone(&context.zone);
    let day = if local.date_naive() == context.now.wall.with_timezone(&context.zone).date_naive() {
        ""
    } else {
        "%Y-%m-%d "
    };
    format!("{} local, {}", local.format(&format!("{day}%H:%M:%S")), at.wall.format("%H:%M:%SZ"))
}

fn since(context: PanelContext<'_>, finding: &Finding) -> String {
    let begin = clock(context, finding.since);
    match finding.stage {
        Stage::Resolved(end) => {
            let lasted = lasting(end.since(finding.since));
            format!("{begin}; lasted {lasted}, over since {}", clock(context, end))
        }
        Stage::Pending | Stage::Firing => {
            let lasted = lasting(finding.lasted(context.now));
            if finding.onset == Onset::OrEarlier {
                format!("{begin}, or earlier; for {lasted} at least: it was so when it was looked at first")
            } else {
                format!("{begin}; for {lasted}")
            }
        }
    }
}

/// What it means, its thresholds as they are in force, and how long it must hold.
fn rule(spec: &RuleSpec, setting: &RuleSetting) -> String {
    let side = if spec.less_is_worse() { "below" } else { "from" };
    let at = |word: &str, value: Option<f64>| {
        value.map_or_else(String::new, |value| format!("; {word} {side} {}", spec.unit.told(value)))
    };
    let hold = if setting.hold.is_zero() {
        String::new()
    } else {
        format!("; must hold for {}", lasting(setting.hold))
    };
    let thresholds = format!("{}{}", at("warning", setting.warning), at("critical", setting.critical));
    format!("{}: {}{thresholds}{hold}", spec.id, spec.help)
}

fn hit(context: PanelContext<'_>, finding: &Finding) -> String {
    let own = finding.breach.hit.words();
    let key = finding.key();
    let below =
        context.chain().effects(&key).map(|link| format!("{} ({})", link.effect.target, link.effect.rule));
    let all: Vec<String> = Some(own).filter(|own| !own.is_empty()).into_iter().chain(below).collect();
    if all.is_empty() { "nobody that can be seen from here".to_owned() } else { all.join(", ") }
}

fn table(title: &'static str, rows: Vec<Row>) -> Table {
    Table {
        columns: vec![Column::fixed("", 9, 0), Column::flex(title, 40, 0)],
        rows,
        empty: String::new(),
        fixed_order: true,
    }
}

/// What may be done: where it is seen, and whether anything is offered there (`offers`).
fn next(context: PanelContext<'_>, finding: &Finding, offers: &[Offer]) -> Section {
    let breach = &finding.breach;
    let (open, act) = (&context.keys.open, &context.keys.act);
    let mut lines = Vec::new();
    let words = breach.step.words();
    if finding.ended().is_some() {
        lines.extend(fact("next", Line::of(Role::Ok, "nothing: it is over")));
    } else if !words.is_empty() {
        let lead = Lead::of(context, finding, || offers.to_vec());
        let key = Line::of(Role::Accent, lead.words(context.keys));
        lines.extend(fact("next", key.then(Role::Strong, words)));
        if let Lead::Kept(refusal) = lead {
            lines.extend(fact("", Line::of(Role::Muted, refusal.sentence())));
        }
    }
    if breach.place.screen == Screen::Overview {
        return Section::lines("", lines);
    }
    let acts = context.live && offers.iter().any(|offer| offer.choice.is_ok());
    let acts = if acts && finding.ended().is_none() { format!("; {act} acts on it") } else { String::new() };
    let place = format!("screen {}{acts}", breach.place.screen.name());
    let cells = vec![Cell::of(Role::Accent, open), Cell::text(place)];
    let rows = vec![Row::opens(RowKey::Finding(finding.key()), cells)];
    Section { title: String::new(), lines, table: Some(table("next steps", rows)) }
}

/// What explains it and what it explains, each with what matched and what would withdraw it.
fn evidence(context: PanelContext<'_>, finding: &Finding) -> Section {
    let key = finding.key();
    let chain = context.chain();
    // What is told together has no cause in that.
    let word =
        |link: &Link, named, together| if link.evidence.tie == Tie::Coincident { together } else { named };
    let cause = chain.parent(&key).map(|link| (&link.cause, word(link, "because", "beside"), link));
    let effects = chain.effects(&key).map(|link| (&link.effect, word(link, "explains", "gathers"), link));
    let mut lines = Vec::new();
    let mut rows = Vec::new();
    for (other, word, link) in cause.into_iter().chain(effects) {
        let sentence =
            context.finding(other).map_or_else(|| other.rule.to_string(), |it| it.sentence(context.now));
        // Several effects may be tied by the same words: they are told once.
        let told = matched(word, link);
        if !lines.ends_with(&told) {
            lines.extend(told);
        }
        let cells = vec![Cell::of(Role::Muted, word), Cell::text(format!("{}: {sentence}", other.target))];
        rows.push(Row::opens(RowKey::Finding(other.clone()), cells));
    }
    if rows.is_empty() {
        let words = match finding.stage {
            Stage::Resolved(_) => "it is over: what explains what is told of what is there",
            Stage::Pending | Stage::Firing => {
                "nothing that is seen from here explains it, and it explains nothing"
            }
        };
        lines.push(Line::of(Role::Muted, words));
        return Section::lines("Evidence", lines);
    }
    Section { title: "Evidence".to_owned(), lines, table: Some(table("finding", rows)) }
}

fn matched(word: &str, link: &Link) -> Vec<Line> {
    let told = Line::of(Role::Strong, link.evidence.tie.word())
        .then(Role::Text, format!(": {} ({}); ", link.verb, link.evidence.words))
        .then(Role::Muted, format!("withdrawn if {}", link.withdrawn_by));
    fact(word, told)
}

/// The source that it is about: its own page.
fn source(finding: &Finding) -> Section {
    let target = &finding.breach.target;
    let cells = vec![Cell::of(Role::Muted, "source"), Cell::text(target.as_str())];
    let rows = vec![Row::opens(RowKey::Target(target.clone()), cells)];
    Section::table("", table("where it was read", rows))
}

/// Its number over time, with its unit, its span, and the moment when it began.
fn samples(context: PanelContext<'_>, finding: &Finding) -> Section {
    let unit = context.rule(finding.breach.rule).map_or(RuleUnit::State, |(spec, _)| spec.unit);
    let known = finding.past.span().filter(|_| finding.breach.value.is_some());
    let Some((oldest, newest)) = known else {
        let words = "this rule has no number: the state itself is what is wrong";
        return Section::lines("Samples", vec![Line::of(Role::Muted, words)]);
    };
    // From the moment when it began, if that is not longer ago.
    let first = oldest.min(finding.since.mono);
    let span = newest.saturating_sub(first).min(SPAN);
    // Both ends may lie within a column.
    let step = Duration::from_millis((span.as_millis() as u64 / (COLUMNS as u64 - 2)).max(1000) + 1);
    let mut columns = finding.past.columns(COLUMNS, step);
    let unknown = before(finding, (columns.len(), step), newest);
    columns.splice(0..0, std::iter::repeat_n(None, unknown));
    let values = || finding.past.within(SPAN).chain(finding.breach.value);
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    if !least.is_finite() {
        return Section::lines("Samples", vec![Line::of(Role::Muted, "no sample is known yet")]);
    }
    let floor = least.min(0.0);
    let labels = [unit.told(most), unit.told(floor)];
    let wide = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    let drawn = graph::draw(&columns, (floor, most.max(floor + f64::EPSILON)), ROWS);
    let mut lines: Vec<Line> = Vec::new();
    for (row, blocks) in drawn.iter().enumerate() {
        let label = match row {
            0 => labels[0].as_str(),
            row if row + 1 == ROWS => labels[1].as_str(),
            _ => "",
        };
        lines.push(Line::of(Role::Muted, format!("{label:>wide$} │")).then(Role::Accent, blocks).drawn());
    }
    let length = columns.len();
    lines.push(Line::of(Role::Muted, format!("{:>wide$} └{}", "", "─".repeat(length))).drawn());
    let shown = step * u32::try_from(length).unwrap_or(u32::MAX);
    lines.push(mark(context, finding, (wide, length, step), newest));
    let now = finding.breach.value.map_or_else(String::new, |value| format!(", newest {}", unit.told(value)));
    let (low, high) = (unit.told(least), unit.told(most));
    let mean = unit.told(values().sum::<f64>() / values().count().max(1) as f64);
    let known = if oldest < finding.since.mono {
        "with what was before it began"
    } else {
        "past its threshold only, older ones are not kept"
    };
    lines.push(Line::text(format!("min {low}, mean {mean}, max {high}{now}; {known}")));
    let title = format!(
        "Samples ({}, last {}, a column is {})",
        unit.word(),
        lasting(shown),
        counted(step.as_secs().max(1) as usize, "second")
    );
    Section::lines(title, lines)
}

/// How many columns lie between the moment when it began and the first one that is known; no more than have room.
fn before(finding: &Finding, (length, step): (usize, Duration), newest: Duration) -> usize {
    let grid = |at: Duration| at.as_millis() / step.as_millis().max(1);
    let left = (grid(newest) + 1).saturating_sub(length as u128);
    let unknown = left.saturating_sub(grid(finding.since.mono));
    usize::try_from(unknown).ok().filter(|unknown| length + unknown <= COLUMNS).unwrap_or(0)
}

/// Where it began below the axis; in words where that is not drawn.
fn mark(
    context: PanelContext<'_>,
    finding: &Finding,
    (wide, length, step): (usize, usize, Duration),
    last: Duration,
) -> Line {
    let grid = |at: Duration| at.as_millis() / step.as_millis().max(1);
    let left = (grid(last) + 1).saturating_sub(length as u128);
    let began = grid(finding.since.mono);
    let at = clock(context, finding.since);
    let Some(column) = began.checked_sub(left).and_then(|column| usize::try_from(column).ok()) else {
        return Line::of(Role::Note, format!("{:>wide$} < began {at}, before what is drawn", ""));
    };
    let words = format!("^ began {at}");
    let most = length.saturating_sub(1);
    Line::of(Role::Note, format!("{:>wide$}  {}{words}", "", " ".repeat(column.min(most))))
}
