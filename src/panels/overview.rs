//! The overview: what is broken, worst first, since when, and what may be done; then every source and how far it can be believed.

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::around::{coverage, exonerated};
use crate::core::focus::Focus;
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::report::BreakerState;
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::verdict::Verdict;
use crate::panels::findings::{self, Offered};
use crate::panels::panel::{Panel, PanelContext};
use crate::panels::{alike, finding, graphs, signals, source_list};
use crate::ui::content::{Content, Line, Role, Section};
use crate::ui::format::{age, duration};

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
        let offers: Offered<'_> = &|finding| {
            let row = findings::key(finding);
            context.permitted(&row, self.offers(context, &[], &row, &[]))
        };
        match path.last() {
            Some(row @ RowKey::Finding(key)) => {
                finding::page(context, key, &context.permitted(row, self.offers(context, &[], row, &[])))
            }
            Some(RowKey::Target(target)) => source(context, target.as_str()),
            Some(RowKey::Alike(rule, severity, group)) => {
                let all = alike::of(*rule, *severity, group, context);
                let rows = findings::told(context, all)
                    .into_iter()
                    .map(|told| findings::row(context, offers, told))
                    .collect();
                let title = format!("{rule} on {group}");
                let sections = vec![Section::table(title.clone(), findings::listing(rows))];
                Content { title, sections }
            }
            Some(RowKey::Group(name)) => {
                Content { title: name.clone(), sections: vec![source_list::opened(name, context)] }
            }
            _ => {
                let verdict = Verdict::over(context.world, context.now);
                let first = [
                    graphs::over(context, &verdict),
                    Some(findings::list(context, offers, &verdict)),
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
        let finding = findings.into_iter().find(|finding| findings::key(finding) == *row)?;
        Some(format!("{} ({})", finding.sentence(context.now), finding.breach.target))
    }
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
