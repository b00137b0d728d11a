//! Findings of one rule on many targets of one group: ten of a hundred services that answer with errors are one thing to read.

use super::alert::Finding;
use super::text::tidy;
use super::time::Now;
use super::world::World;

/// So many are told together.
pub const FROM: usize = 4;
/// So many of them are named.
const NAMED: usize = 3;
/// The name of a group is cut to this.
const GROUP_CHARS: usize = 30;

/// Findings that are told as one.
#[derive(Clone, Debug)]
pub struct Alike<'a> {
    /// All of them, the worst first.
    pub findings: Vec<&'a Finding>,
    /// The group of their targets.
    pub group: String,
    /// How many targets of the group there are.
    pub of: usize,
}

impl<'a> Alike<'a> {
    /// Those of `others` that are told together with `lead`: of its rule, as bad as it, one on each of several targets of its group, and not
    /// explained by something else.
    #[must_use]
    pub fn with(lead: &'a Finding, others: &[&'a Finding], world: &World) -> Option<Self> {
        let group = world.target(lead.breach.target.as_str())?.group();
        let is_of = |finding: &Finding| {
            let target = world.target(finding.breach.target.as_str());
            target.is_some_and(|target| target.group() == group)
        };
        let like = |finding: &&&Finding| {
            finding.breach.rule == lead.breach.rule
                && finding.severity() == lead.severity()
                && is_of(finding)
                && world.chain.root(&finding.key()).is_none()
        };
        let findings: Vec<&Finding> = others.iter().filter(like).copied().collect();
        let mut targets: Vec<_> = findings.iter().map(|finding| &finding.breach.target).collect();
        targets.sort();
        targets.dedup();
        // Several findings of one target are none of several targets.
        (findings.len() >= FROM && targets.len() == findings.len()).then(|| Self {
            of: world.targets().iter().filter(|target| target.group() == group).count(),
            findings,
            group: group.to_owned(),
        })
    }

    /// Who they are, and what is said of the worst.
    #[must_use]
    pub fn words(&self, now: Now) -> String {
        let named: Vec<String> =
            self.findings.iter().take(NAMED).map(|finding| finding.breach.target.to_string()).collect();
        let more = self.findings.len().saturating_sub(NAMED);
        let others = if more > 0 { format!(" and {more} more") } else { String::new() };
        let worst = self.findings.first().map(|finding| finding.sentence(now)).unwrap_or_default();
        format!(
            "{} of {} {} ({}{others}): {worst}",
            self.findings.len(),
            self.of,
            tidy(&self.group, GROUP_CHARS),
            named.join(", ")
        )
    }
}
