//! Findings of one rule on many targets of one group: one row on the overview, which opens. Ten of a hundred services that answer with errors
//! are one thing to read. Only what stands alone is folded: what is explained by something, or explains something, keeps its row.

use crate::core::alert::{Finding, RuleId, Severity, Stage};
use crate::core::alike::{Alike as Told, FROM};
use crate::core::row::RowKey;
use crate::panels::panel::PanelContext;
use std::collections::BTreeMap;

/// Which findings are alike.
type Kind<'a> = (RuleId, Severity, &'a str);

/// Findings that are told as one.
pub(super) struct Alike<'a> {
    /// Who they are.
    pub(super) told: Told<'a>,
    rule: RuleId,
    severity: Severity,
}

impl Alike<'_> {
    /// The row that stands for them.
    pub(super) fn key(&self) -> RowKey {
        RowKey::Alike(self.rule, self.severity, self.told.group.clone())
    }
}

fn kind<'a>(finding: &'a Finding, context: PanelContext<'a>) -> Option<Kind<'a>> {
    let target = context.target(finding.breach.target.as_str())?;
    Some((finding.breach.rule, finding.severity(), target.group()))
}

/// Those of `alone` (the worst first) that are told as one, by the first of each.
pub(super) fn folded<'a>(alone: &[&'a Finding], context: PanelContext<'a>) -> Vec<Alike<'a>> {
    let mut kinds: BTreeMap<Kind<'_>, Vec<&'a Finding>> = BTreeMap::new();
    for finding in alone.iter().filter(|finding| finding.stage == Stage::Firing) {
        if let Some(kind) = kind(finding, context) {
            kinds.entry(kind).or_default().push(finding);
        }
    }
    // Several findings of one target are none of several targets.
    let targets = |findings: &[&Finding]| {
        let mut all: Vec<_> = findings.iter().map(|finding| &finding.breach.target).collect();
        all.sort();
        all.dedup();
        all.len() == findings.len()
    };
    kinds.retain(|_, findings| findings.len() >= FROM && targets(findings));
    let alike = |((rule, severity, group), findings): (Kind<'_>, Vec<&'a Finding>)| {
        let of = context.targets().filter(|target| target.group() == group).count();
        Alike { told: Told { findings, group: group.to_owned(), of }, rule, severity }
    };
    kinds.into_iter().map(alike).collect()
}

/// The findings of one rule, and as bad, on the targets of one group.
pub(super) fn of<'a>(
    rule: RuleId,
    severity: Severity,
    group: &str,
    context: PanelContext<'a>,
) -> Vec<&'a Finding> {
    let (found, _) = context.findings();
    let alike = |finding: &&Finding| {
        (finding.breach.rule, finding.severity()) == (rule, severity)
            && context.target(finding.breach.target.as_str()).is_some_and(|target| target.group() == group)
    };
    found.into_iter().filter(alike).collect()
}
