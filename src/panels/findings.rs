//! The list of findings: what fires with what it explains below it, what changed before, what is over; and the next step of each.

use crate::core::action::{Offer, Refusal};
use crate::core::alert::{Finding, Heard, Severity, Stage, Step};
use crate::core::around::coincident;
use crate::core::chain::Tie;
use crate::core::row::RowKey;
use crate::core::timeline::Event;
use crate::core::verdict::Verdict;
use crate::panels::alike;
use crate::panels::panel::{Keys, PanelContext};
use crate::ui::content::{Cell, Column, Line, Role, Row, Section, Table};
use crate::ui::format::{age, of_seconds};
use std::time::Duration;

/// Lines that a finding has below its own at most: what is found, and what to do, in 80 columns.
const BELOW: usize = 3;

/// What may be done about a finding: what is offered where it is seen.
pub(super) type Offered<'a> = &'a dyn Fn(&Finding) -> Vec<Offer>;

/// Whether the next step of a finding can be done from here.
pub(super) enum Lead {
    /// By the key of acts.
    Acts,
    /// It is one of ours, and here it is refused for this reason.
    Kept(Refusal),
    /// It is done elsewhere, or nothing is there to be done to.
    Elsewhere,
}

impl Lead {
    /// Of the finding to which `offers` are made now; in the past nothing is done.
    pub fn of(context: PanelContext<'_>, finding: &Finding, offers: impl FnOnce() -> Vec<Offer>) -> Self {
        if !context.live || !matches!(finding.breach.step, Step::Act(..)) {
            return Self::Elsewhere;
        }
        let offers = offers();
        if offers.iter().any(|offer| offer.choice.is_ok()) {
            return Self::Acts;
        }
        let refusal = offers.iter().find_map(|offer| offer.choice.as_ref().err());
        refusal.map_or(Self::Elsewhere, |refusal| Self::Kept(refusal.clone()))
    }

    /// What stands before the step.
    pub fn words(&self, keys: &Keys) -> String {
        match self {
            Self::Acts => format!("{}: ", keys.act),
            Self::Kept(_) => "not from here: ".to_owned(),
            Self::Elsewhere => String::new(),
        }
    }
}

/// The next step, with the key that leads to it where stacktop can do it.
fn next(context: PanelContext<'_>, offers: Offered<'_>, finding: &Finding) -> String {
    let lead = Lead::of(context, finding, || offers(finding));
    format!("{}{}", lead.words(context.keys), finding.breach.step.words())
}

/// The row of a finding.
pub(super) fn key(finding: &Finding) -> RowKey {
    RowKey::Finding(finding.key())
}

/// What fires in the order of the chain, a root with what it explains below it; then what was resolved lately.
pub(super) fn told<'a>(
    context: PanelContext<'a>,
    findings: Vec<&'a Finding>,
) -> Vec<(&'a Finding, usize, Option<Tie>)> {
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

/// The list: what fires, what changed before it, and what is over.
pub(super) fn list<'a>(context: PanelContext<'a>, offers: Offered<'_>, verdict: &Verdict<'a>) -> Section {
    let (found, outside) = context.findings();
    let changed: Vec<Row> = changes(context, verdict).map(|(event, began)| change(event, began)).collect();
    let (firing, over): (Vec<_>, Vec<_>) =
        told(context, found).into_iter().partition(|(finding, ..)| finding.stage == Stage::Firing);
    let count = firing.len() + over.len();
    let row = |told| row(context, offers, told);
    let rows: Vec<Row> = together(context, offers, firing)
        .into_iter()
        .chain(changed)
        .chain(over.into_iter().map(row))
        .collect();
    let table = listing(rows);
    let open = &context.keys.open;
    let title = match count {
        0 => "Findings".to_owned(),
        count => format!("Findings ({count}, worst first; {open} explains each)"),
    };
    Section { title, lines: elsewhere(&outside, context).into_iter().collect(), table: Some(table) }
}

/// Findings as a table.
pub(super) fn listing(rows: Vec<Row>) -> Table {
    Table {
        columns: vec![
            Column::fixed("", 6, 0),
            Column::flex("finding", 30, 0).below_on(BELOW),
            Column::number("for", 7, 1),
            Column::fixed("target", 12, 2),
            Column::flex("next step", 28, 3).below_on(BELOW),
        ],
        rows,
        empty: "nothing is past its threshold".to_owned(),
        // What explains what is the order.
        fixed_order: true,
    }
}

/// A row for each, and one for those that are alike and stand alone.
fn together(
    context: PanelContext<'_>,
    offers: Offered<'_>,
    firing: Vec<(&Finding, usize, Option<Tie>)>,
) -> Vec<Row> {
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
            None => rows.push(row(context, offers, told)),
            Some(alike) => rows.extend(Some(alike).filter(first).map(|alike| {
                let mut row = row(context, offers, told);
                row.key = alike.key();
                let (text, muted) =
                    (alike.told.words(context.now), format!("{} targets", alike.told.findings.len()));
                row.cells[1] = Cell::of(Role::Text, text);
                row.cells[3] = Cell::of(Role::Muted, muted);
                // Nothing is done to all of them at once.
                row.cells[4] = Cell::of(Role::Muted, told.0.breach.step.words());
                row
            })),
        }
    }
    rows
}

/// One finding; a key is named where something is offered.
pub(super) fn row(
    context: PanelContext<'_>,
    offers: Offered<'_>,
    (finding, depth, tie): (&Finding, usize, Option<Tie>),
) -> Row {
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
            finding.ended().map_or_else(|| next(context, offers, finding), |_| String::new()),
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
