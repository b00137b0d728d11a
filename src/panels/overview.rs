//! The overview: what is broken, worst first, since when, and what may be done; then every source and how far it can be believed.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::alert::Step;
use crate::core::alert::{Finding, Heard, Severity, Stage};
use crate::core::around::{coincident, coverage, exonerated};
use crate::core::chain::Tie;
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::report::BreakerState;
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::timeline::Event;
use crate::core::verdict::Verdict;
use crate::panels::panel::{Panel, PanelContext};
use crate::panels::{alike, finding, graphs, signals, source_list};
use crate::ui::content::{Cell, Column, Content, Line, Role, Row, Section, Table};
use crate::ui::format::of_seconds;
use crate::ui::format::{age, duration};
use std::time::Duration;

/// So many targets that are not it are named.
const MOST_NOT_IT: usize = 6;

/// The overview screen.
#[derive(Clone, Copy, Debug)]
pub struct Overview {
    /// What each system tells of its targets in one line.
    pub(super) signals: &'static [signals::Tells],
    /// The panel of a screen: what may be done about a finding is what may be done where it is seen.
    pub(super) panel: fn(Screen) -> &'static dyn Panel,
}

impl Overview {
    /// What a finding is about, and the panel on which that is a row.
    fn object<'a>(
        &self,
        context: PanelContext<'a>,
        row: &RowKey,
    ) -> Option<(&'static dyn Panel, &'a RowKey)> {
        let RowKey::Finding(key) = row else { return None };
        let place = &context.finding(key)?.breach.place;
        let object = place.row.as_ref().filter(|_| place.screen != Screen::Overview)?;
        Some(((self.panel)(place.screen), object))
    }
}

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
            Some(row @ RowKey::Finding(key)) => {
                let acts = self.offers(context, &[], row, &[]).iter().any(|offer| offer.choice.is_ok());
                finding::page(context, key, acts)
            }
            Some(RowKey::Target(target)) => source(context, target.as_str()),
            Some(RowKey::Alike(rule, severity, group)) => {
                let all = alike::of(*rule, *severity, group, context);
                let rows = told(context, all).into_iter().map(|told| finding_row(context, told)).collect();
                let title = format!("{rule} on {group}");
                let sections = vec![Section::table(title.clone(), listing(rows))];
                Content { title, sections }
            }
            Some(RowKey::Group(name)) => {
                Content { title: name.clone(), sections: vec![source_list::opened(name, context)] }
            }
            _ => {
                let verdict = Verdict::over(context.world, context.now);
                let first = [
                    graphs::over(context, &verdict),
                    Some(findings(context, &verdict)),
                    around(context, &verdict),
                ];
                let rest = [signals::section(self.signals, context), source_list::section(context)];
                Content { title: String::new(), sections: first.into_iter().flatten().chain(rest).collect() }
            }
        }
    }

    fn offers(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        _marked: &[RowKey],
    ) -> Vec<Offer> {
        self.object(context, row)
            .map_or_else(Vec::new, |(panel, object)| panel.offers(context, &[], object, &[]))
    }

    fn answer(
        &self,
        context: PanelContext<'_>,
        _path: &[RowKey],
        row: &RowKey,
        _marked: &[RowKey],
        typed: (char, &str),
    ) -> Result<(Action, Preview), Refusal> {
        match self.object(context, row) {
            Some((panel, object)) => panel.answer(context, &[], object, &[], typed),
            None => Err(Refusal::new("it is gone")),
        }
    }

    fn focus(&self, context: PanelContext<'_>, path: &[RowKey]) -> Vec<(TargetId, Focus)> {
        let (id, rule) = match path.last() {
            Some(RowKey::Target(id)) => (id, None),
            Some(RowKey::Finding(key)) => (&key.target, Some(key.rule)),
            _ => return Vec::new(),
        };
        let target = context.target(id.as_str());
        target.map_or_else(Vec::new, |target| graphs::remembered(context, target, rule))
    }

    fn jump(&self, context: PanelContext<'_>, path: &[RowKey], row: &RowKey) -> Option<Place> {
        if let RowKey::Event(_) = row {
            return Some(Place { screen: Screen::Timeline, row: Some(row.clone()) });
        }
        let RowKey::Finding(key) = row else { return None };
        // From the list it leads to its page, and from there to where it is seen.
        let found = context.finding(key).filter(|_| path.last() == Some(row))?;
        Some(found.breach.place.clone()).filter(|place| place.screen != Screen::Overview)
    }

    fn copy(&self, context: PanelContext<'_>, _path: &[RowKey], row: &RowKey) -> Option<String> {
        let (findings, _) = context.findings();
        let finding = findings.into_iter().find(|finding| key(finding) == *row)?;
        Some(format!("{} ({})", finding.sentence(context.now), finding.breach.target))
    }
}

fn key(finding: &Finding) -> RowKey {
    RowKey::Finding(finding.key())
}

/// The next step, with the key that leads to it where stacktop can do it.
fn next(context: PanelContext<'_>, step: &Step) -> String {
    match step {
        Step::Act(..) => format!("{}: {}", context.keys.act, step.words()),
        Step::Look(_) | Step::Say(_) => step.words(),
    }
}

/// What fires in the order of the chain, a root with what it explains below it; then what was resolved lately.
fn told<'a>(context: PanelContext<'a>, findings: Vec<&'a Finding>) -> Vec<(&'a Finding, usize, Option<Tie>)> {
    let (firing, over): (Vec<&Finding>, Vec<&Finding>) =
        findings.into_iter().partition(|finding| finding.stage == Stage::Firing);
    let branches = context.chain().branches(&firing);
    let told = branches
        .into_iter()
        .map(|branch| (branch.finding, branch.depth, branch.link.map(|link| link.evidence.tie)));
    told.chain(over.into_iter().map(|finding| (finding, 0, None))).collect()
}

/// What is over says when it ended and how long it had lasted.
fn sentence(finding: &Finding, context: PanelContext<'_>) -> String {
    let sentence = finding.sentence(context.now);
    let Some(at) = finding.ended() else { return sentence };
    let (past, lasted) = (age(context.now.since(at)), age(at.since(finding.since)));
    let Some(parted) = finding.parted else {
        return format!("ended {past} ago, lasted {lasted}: {sentence}");
    };
    // In front: the end of a sentence may have no room.
    format!("{} for {past}, had lasted {lasted}: {}", parted.words(), finding.breach.sentence)
}

/// What somebody wrote who has taken note of it.
fn noted(finding: &Finding) -> String {
    let noted = |heard: &Heard| match heard.note.as_str() {
        "" => format!(" · by {}", heard.who),
        note => format!(" · by {}: {note}", heard.who),
    };
    finding.heard.as_ref().map_or_else(String::new, noted)
}

fn findings<'a>(context: PanelContext<'a>, verdict: &Verdict<'a>) -> Section {
    let (found, outside) = context.findings();
    let changed: Vec<Row> = changes(context, verdict).map(|(event, began)| change(event, began)).collect();
    let (firing, over): (Vec<_>, Vec<_>) =
        told(context, found).into_iter().partition(|(finding, ..)| finding.stage == Stage::Firing);
    let count = firing.len() + over.len();
    let row = |told| finding_row(context, told);
    let rows: Vec<Row> =
        together(context, firing).into_iter().chain(changed).chain(over.into_iter().map(row)).collect();
    let table = listing(rows);
    let open = &context.keys.open;
    let title = match count {
        0 => "Findings".to_owned(),
        count => format!("Findings ({count}, worst first; {open} explains each)"),
    };
    Section { title, lines: elsewhere(&outside, context).into_iter().collect(), table: Some(table) }
}

/// Findings as a table.
fn listing(rows: Vec<Row>) -> Table {
    Table {
        columns: vec![
            Column::fixed("", 6, 0),
            Column::flex("finding", 30, 0).below(),
            Column::number("for", 7, 1),
            Column::fixed("target", 12, 2),
            Column::flex("next step", 28, 3).below(),
        ],
        rows,
        empty: "nothing is past its threshold".to_owned(),
        // What explains what is the order.
        fixed_order: true,
    }
}

/// A row for each, and one for those that are alike and stand alone.
fn together(context: PanelContext<'_>, firing: Vec<(&Finding, usize, Option<Tie>)>) -> Vec<Row> {
    let alone = |at: usize| {
        let (finding, depth, _) = firing[at];
        let followed = firing.get(at + 1).is_some_and(|(_, depth, _)| *depth > 0);
        (depth == 0 && !followed).then_some(finding)
    };
    let alone: Vec<&Finding> = (0..firing.len()).filter_map(alone).collect();
    let folded = alike::folded(&alone, context);
    let of = |finding: &Finding| {
        folded.iter().find(|alike| alike.told.findings.iter().any(|one| one.key() == finding.key()))
    };
    let mut rows = Vec::new();
    for told in firing {
        let first = |alike: &&alike::Alike<'_>| {
            alike.told.findings.first().is_some_and(|first| first.key() == told.0.key())
        };
        match of(told.0) {
            None => rows.push(finding_row(context, told)),
            Some(alike) => rows.extend(Some(alike).filter(first).map(|alike| {
                let mut row = finding_row(context, told);
                row.key = alike.key();
                let (text, muted) =
                    (alike.told.words(context.now), format!("{} targets", alike.told.findings.len()));
                row.cells[1] = Cell::of(Role::Text, text);
                row.cells[3] = Cell::of(Role::Muted, muted);
                row
            })),
        }
    }
    rows
}

fn finding_row(context: PanelContext<'_>, (finding, depth, tie): (&Finding, usize, Option<Tie>)) -> Row {
    let (role, word) = match (finding.stage, finding.severity()) {
        (Stage::Resolved(_), _) => match finding.parted {
            Some(parted) => (Role::Muted, parted.word().to_owned()),
            None => (Role::Ok, "over".to_owned()),
        },
        (_, severity @ Severity::Critical) => (Role::of(severity), format!("‼ {}", severity.word())),
        (_, severity @ Severity::Warning) => (Role::of(severity), format!("! {}", severity.word())),
        (_, severity @ Severity::Info) => (Role::of(severity), format!("· {}", severity.word())),
    };
    let lasted = match finding.stage {
        Stage::Resolved(at) => at.since(finding.since),
        Stage::Pending | Stage::Firing => finding.lasted(context.now),
    };
    let text = if finding.ended().is_some() { Role::Muted } else { Role::Text };
    let branch = tie
        .map_or(String::new(), |tie| format!("{}└ {}: ", "  ".repeat(depth.saturating_sub(1)), tie.word()));
    let cells = vec![
        Cell::of(role, word),
        Cell::of(text, format!("{branch}{}{}", sentence(finding, context), noted(finding))),
        Cell::figure(Some(lasted.as_secs_f64()), of_seconds).role(text),
        Cell::of(Role::Muted, finding.breach.target.as_str()),
        // Of what is over nothing is to be done.
        Cell::of(
            Role::Muted,
            finding.ended().map_or_else(|| next(context, &finding.breach.step), |_| String::new()),
        ),
    ];
    let row = Row::opens(key(finding), cells);
    // What follows from another one is done with that.
    if depth > 0 || finding.ended().is_some() { row.brief() } else { row }
}

/// What changed just before the lead's root began, and when that was.
fn changes<'a>(
    context: PanelContext<'a>,
    verdict: &Verdict<'a>,
) -> impl Iterator<Item = (&'a Event, Duration)> {
    let events = verdict.lead.map_or_else(Vec::new, |lead| coincident(context.world, lead));
    let looked_at = move |event: &&Event| {
        event.target.as_ref().is_none_or(|target| context.target(target.as_str()).is_some())
    };
    events.into_iter().filter(looked_at).map(move |event| (event, context.now.since(event.at)))
}

fn change(event: &Event, past: Duration) -> Row {
    let words = format!("coincident, not called a cause: {}", event.words);
    let cells = vec![
        Cell::of(Role::Note, event.word()),
        Cell::of(Role::Text, words),
        Cell::number(Some(past.as_secs_f64()), age(past)).role(Role::Muted),
        Cell::of(Role::Muted, event.target.as_ref().map_or("", |target| target.as_str())),
        Cell::of(Role::Muted, "look what else changed"),
    ];
    Row::opens(RowKey::Event(event.id), cells)
}

/// Who is not it, and what cannot be seen from here: one line each, while something is wrong. Of targets that are not looked at nothing is
/// said here.
fn around(context: PanelContext<'_>, verdict: &Verdict<'_>) -> Option<Section> {
    let lead = verdict.lead?;
    let looked_at = |target: &TargetId| context.target(target.as_str()).is_some();
    let mut lines = Vec::new();
    let not_it: Vec<String> = exonerated(context.world, lead, context.now)
        .into_iter()
        .filter(|one| looked_at(one.target))
        .map(|one| format!("{} ({})", one.target, one.words))
        .collect();
    if !not_it.is_empty() {
        let more = not_it.len().saturating_sub(MOST_NOT_IT);
        let others = if more > 0 { format!(", and {more} more") } else { String::new() };
        let named = not_it.into_iter().take(MOST_NOT_IT).collect::<Vec<_>>().join(", ");
        lines.push(Line::of(Role::Muted, "not it: ").then(Role::Text, named + &others));
    }
    let coverage = coverage(context.world, context.now);
    let unread = coverage.unread.iter().filter(|target| looked_at(target));
    let unseen = coverage.unseen.iter().map(|what| (*what).to_owned());
    let unseen: Vec<String> = unseen.chain(unread.map(|target| format!("parts of {target}"))).collect();
    let stale = coverage.stale.iter().filter(|(target, _)| looked_at(target));
    let stale = stale.map(|(target, old)| format!("{target} is as of {} ago", age(*old)));
    let all: Vec<String> =
        std::iter::once(format!("not visible from here: {}", unseen.join(", "))).chain(stale).collect();
    lines.push(Line::of(Role::Muted, all.join("; ")));
    Some(Section::lines("", lines))
}

/// What is found on targets that are not looked at: it is counted, and the worst of it is told.
fn elsewhere(outside: &[&Finding], context: PanelContext<'_>) -> Option<Line> {
    let firing: Vec<_> = outside.iter().filter(|finding| finding.stage == Stage::Firing).collect();
    let worst = firing.first()?;
    let severe = |severity| firing.iter().filter(|finding| finding.breach.severity == severity).count();
    let counted: Vec<String> = [Severity::Critical, Severity::Warning, Severity::Info]
        .into_iter()
        .filter(|severity| severe(*severity) > 0)
        .map(|severity| format!("{} {}", severe(severity), severity.word()))
        .collect();
    let words = format!("outside the scope: {}; the worst: ", counted.join(", "));
    let worst = worst.sentence(context.now);
    Some(Line::of(Role::Muted, words).then(Role::of(firing[0].breach.severity), worst))
}

fn source(context: PanelContext<'_>, id: &str) -> Content {
    let Some(target) = context.target(id) else {
        return Content::default();
    };
    let (role, word) = source_list::state(target, context);
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
        sections: std::iter::once(Section::lines(format!("Source {}", target.id), lines))
            .chain(graphs::target(context, target))
            .collect(),
    }
}
