//! Which numbers are drawn over the last quarter of an hour: on the overview what is worst, what explains it and the traffic of the others;
//! on a page those of what it is about, larger.

use crate::core::alert::{Finding, RuleId};
use crate::core::focus::Focus;
use crate::core::growth_disk;
use crate::core::growth_known;
use crate::core::ids::TargetId;
use crate::core::past;
use crate::core::trace::{QUARTER, Quarter, TraceSpec};
use crate::core::verdict::Verdict;
use crate::core::world::TargetState;
use crate::panels::capacity;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Line, Role, Section};
use crate::ui::graph::{Graph, Graphs};
use std::sync::Arc;

/// More have no room on the widest screen.
const MOST: usize = 4;

/// A number of a target.
type Drawn<'a> = (&'a TargetState, (&'static TraceSpec, &'a Quarter));

/// Those of the overview.
pub(super) fn over(context: PanelContext<'_>, verdict: &Verdict<'_>) -> Option<Section> {
    let root = verdict.cause.map(|cause| cause.root);
    let found = [verdict.lead, root].into_iter().flatten();
    let of_findings = found.filter_map(|finding| shows(context, finding, Some(finding.breach.rule)));
    let traffic = context.targets().filter_map(|target| Some((target, target.traces.of(None)?)));
    section(context, of_findings.chain(traffic), verdict.lead, false)
}

/// What a finding is about, on its page.
pub(super) fn finding(context: PanelContext<'_>, finding: &Finding) -> Option<Section> {
    let rule = finding.breach.rule;
    section(context, shows(context, finding, Some(rule)).into_iter(), Some(finding), true)
}

/// All of one target, on its page, and what of it grows by the day.
pub(super) fn target(context: PanelContext<'_>, target: &TargetState) -> Vec<Section> {
    let mut graphs = section(context, target.traces.all().map(|drawn| (target, drawn)), None, true);
    if let Some(section) = graphs.as_mut().filter(|section| !is_remembered(section)) {
        let numbers: Vec<&str> = target.traces.all().map(|(spec, _)| spec.name).take(MOST).collect();
        let why = past::unknown(context.world, target, &numbers, context.now);
        section.lines.extend(why.map(|why| Line::of(Role::Muted, why)));
    }
    graphs.into_iter().chain(capacity::sections(context, target)).collect()
}

/// Whether a part of its graphs is what a Prometheus remembers.
fn is_remembered(section: &Section) -> bool {
    let mut graphs = section.lines.iter().filter_map(|line| line.graphs.as_ref());
    graphs.any(|drawn| drawn.graphs.iter().any(|graph| graph.ours_from.is_some()))
}

/// The traffic of several targets, on a page of all of their kind.
pub(super) fn traffic<'a>(
    context: PanelContext<'a>,
    targets: impl Iterator<Item = &'a TargetState>,
) -> Option<Section> {
    section(context, targets.filter_map(|target| Some((target, target.traces.of(None)?))), None, true)
}

/// What Prometheus is asked while the numbers of a target are looked at: those of a rule, or all of them.
pub(super) fn remembered(
    context: PanelContext<'_>,
    target: &TargetState,
    rule: Option<RuleId>,
) -> Vec<(TargetId, Focus)> {
    let numbers: Vec<&str> = match rule {
        Some(_) => target.traces.of(rule).map(|(spec, _)| spec.name).into_iter().collect(),
        None => target.traces.all().map(|(spec, _)| spec.name).take(MOST).collect(),
    };
    let mut asked = past::asked(context.world, target, &numbers, context.now);
    if rule.is_none() {
        asked.extend(growth_known::asked(context.world, target));
        asked.extend(growth_disk::asked(context.world, target, context.now));
    }
    asked
}

fn shows<'a>(context: PanelContext<'a>, finding: &Finding, rule: Option<RuleId>) -> Option<Drawn<'a>> {
    let target = context.target(finding.breach.target.as_str())?;
    Some((target, target.traces.of(rule)?))
}

fn section<'a>(
    context: PanelContext<'a>,
    wanted: impl Iterator<Item = Drawn<'a>>,
    began: Option<&Finding>,
    large: bool,
) -> Option<Section> {
    let mut graphs: Vec<Graph> = Vec::new();
    for (target, (spec, quarter)) in wanted {
        let name = format!("{} {}", target.id, spec.name);
        if graphs.iter().any(|graph| graph.name == name) {
            continue;
        }
        let own = quarter.columns(context.now, target.failure.is_none());
        let before = past::before(context.world, target, spec.name, &own);
        let (samples, ours_from) = before.map_or((own, None), |(columns, from)| (columns, Some(from)));
        graphs.push(Graph { name, unit: spec.unit, samples, ours_from });
        if graphs.len() == MOST {
            break;
        }
    }
    if graphs.is_empty() {
        return None;
    }
    let began = began.filter(|finding| finding.ended().is_none()).map(|finding| {
        let at = finding.since.wall.with_timezone(&context.zone);
        (context.now.since(finding.since), format!("began {}", at.format("%H:%M:%S")))
    });
    Some(Section::lines("", vec![line(Graphs { graphs, span: QUARTER, began, large })]))
}

/// Graphs, and what the first of them says in words.
fn line(graphs: Graphs) -> Line {
    let Some(first) = graphs.graphs.first() else { return Line::default() };
    let line = Line::of(Role::Strong, format!("{} ", first.name)).then(Role::Muted, first.words(graphs.span));
    Line { spark: Some(first.samples.clone()), graphs: Some(Arc::new(graphs)), ..line }
}
