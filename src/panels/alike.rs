//! Findings of one rule on many targets of one group: one row on the overview, which opens. Ten of a hundred services that answer with errors
//! are one thing to read. Only what stands alone is folded: what is explained by something, or explains something, keeps its row.

use crate::core::alert::{Finding, RuleId, Severity, Stage};
use crate::core::row::RowKey;
use crate::core::text::tidy;
use crate::panels::panel::PanelContext;
use std::collections::BTreeMap;

/// So many are told together.
const FROM: usize = 4;
/// So many of them are named.
const NAMED: usize = 3;

/// Which findings are alike.
type Kind<'a> = (RuleId, Severity, &'a str);

/// Findings that are told as one.
pub(super) struct Alike<'a> {
    /// All of them, the worst first.
    pub(super) findings: Vec<&'a Finding>,
    rule: RuleId,
    severity: Severity,
    group: String,
    /// How many targets of the group there are.
    of: usize,
}

impl Alike<'_> {
    /// The row that stands for them.
    pub(super) fn key(&self) -> RowKey {
        RowKey::Alike(self.rule, self.severity, self.group.clone())
    }

    /// Who they are, and what is said of the worst.
    pub(super) fn words(&self, context: PanelContext<'_>) -> String {
        let named: Vec<String> =
            self.findings.iter().take(NAMED).map(|finding| finding.breach.target.to_string()).collect();
        let more = self.findings.len().saturating_sub(NAMED);
        let others = if more > 0 { format!(" and {more} more") } else { String::new() };
        let worst = self.findings.first().map(|finding| finding.sentence(context.now)).unwrap_or_default();
        format!(
            "{} of {} {} ({}{others}): {worst}",
            self.findings.len(),
            self.of,
            tidy(&self.group, 30),
            named.join(", ")
        )
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
    let alike = |((rule, severity, group), findings): (Kind<'_>, Vec<&'a Finding>)| Alike {
        of: context.targets().filter(|target| target.group() == group).count(),
        findings,
        rule,
        severity,
        group: group.to_owned(),
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
