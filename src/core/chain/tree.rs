//! The chain over what fires now: which finding explains which, what is left unexplained, and the order in which that is told.

use super::edge::{Edge, Evidence, Tie};
use super::edges::edges;
use super::known::Known;
use super::order::{self, Tied, Voice, Weight};
use crate::core::alert::{Finding, FindingKey, Onset};
use crate::core::target::TargetState;
use crate::core::topology::Topology;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A consequence may be noticed this much before its cause: both are polled, and both may have to hold for a while.
const SLACK: Duration = Duration::from_secs(30);
/// Causes of causes are followed this far.
const DEPTH: usize = 8;
/// Beyond so many findings the worst are tied together: a flood is told by its beginning.
const MOST: usize = 200;

/// One finding explains another.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// What explains.
    pub cause: FindingKey,
    /// What is explained.
    pub effect: FindingKey,
    /// What the one does to the other.
    pub verb: &'static str,
    /// What ties them together.
    pub evidence: Evidence,
    /// What would show that it is not so.
    pub withdrawn_by: &'static str,
}

/// A finding in its place below what explains it.
#[derive(Clone, Copy, Debug)]
pub struct Branch<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// How far below its root.
    pub depth: usize,
    /// What explains it; nothing of a root.
    pub link: Option<&'a Link>,
    /// How many findings it explains, directly or not.
    pub explains: usize,
}

/// Which finding explains which. Every finding has at most one parent here: the surest, then the one that hits most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    parents: BTreeMap<FindingKey, Link>,
}

impl Chain {
    /// The chain over `firing`, worst first, as the newest readings of `targets` show it; `topology` is what is said beside them.
    #[must_use]
    pub fn over(targets: &[Arc<TargetState>], topology: &Topology, firing: &[&Finding]) -> Self {
        let known = Known::of(targets, topology);
        let firing = &firing[..firing.len().min(MOST)];
        let mut found: Vec<(&Finding, Link)> = Vec::new();
        for effect in firing {
            for cause in firing {
                let one = cause.key() == effect.key();
                // Clearly after what it would have brought about; of what may have begun before we looked nobody knows that.
                let after = cause.onset == Onset::Seen && !effect.since.plus(SLACK).reached(cause.since);
                if one || after {
                    continue;
                }
                let fits = |edge: &&Edge| {
                    edge.causes.contains(&cause.breach.rule) && edge.effects.contains(&effect.breach.rule)
                };
                let tied = edges().filter(fits).filter_map(|edge| {
                    let evidence = (edge.ties)(&known, cause, effect)?;
                    let (verb, withdrawn_by) = (edge.verb, edge.withdrawn_by);
                    Some(Link { cause: cause.key(), effect: effect.key(), verb, evidence, withdrawn_by })
                });
                found.extend(tied.map(|link| (*cause, link)));
            }
        }
        found.sort_by(|(a, one), (b, other)| {
            let order = other.evidence.tie.cmp(&one.evidence.tie);
            order.then(b.breach.hit.count.cmp(&a.breach.hit.count)).then(a.since.mono.cmp(&b.since.mono))
        });
        let mut chain = Self::default();
        for (_, link) in found {
            if !chain.parents.contains_key(&link.effect) && !chain.leads_to(&link.cause, &link.effect) {
                chain.parents.insert(link.effect.clone(), link);
            }
        }
        chain
    }

    /// Puts those of `members` that nothing explains below `root`, which tells of them together; `words` say what they have in common.
    /// That names no cause.
    pub fn gather(&mut self, root: &FindingKey, members: impl Iterator<Item = FindingKey>, words: &str) {
        for effect in members {
            if !self.parents.contains_key(&effect) && !self.leads_to(root, &effect) {
                let evidence = Evidence { tie: Tie::Coincident, words: words.to_owned() };
                let (cause, verb) = (root.clone(), "is told together with the others");
                let withdrawn_by = "they begin to answer one by one";
                let link = Link { cause, effect: effect.clone(), verb, evidence, withdrawn_by };
                self.parents.insert(effect, link);
            }
        }
    }

    /// Whether it only stands below what tells of it together with others.
    #[must_use]
    pub fn is_gathered(&self, key: &FindingKey) -> bool {
        self.parents.get(key).is_some_and(|link| link.evidence.tie == Tie::Coincident)
    }

    /// Whether `from` is explained by `to`, so that `to` explained by `from` would be a circle.
    fn leads_to(&self, from: &FindingKey, to: &FindingKey) -> bool {
        let mut at = from;
        for _ in 0..=self.parents.len() {
            match self.parents.get(at) {
                Some(link) if link.cause == *to => return true,
                Some(link) => at = &link.cause,
                None => return false,
            }
        }
        true
    }

    /// Whether nothing explains anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// Every link.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.parents.values()
    }

    /// What explains `effect` directly.
    #[must_use]
    pub fn parent(&self, effect: &FindingKey) -> Option<&Link> {
        self.parents.get(effect)
    }

    /// What `cause` explains directly.
    pub fn effects<'a>(&'a self, cause: &'a FindingKey) -> impl Iterator<Item = &'a Link> {
        self.parents.values().filter(move |link| link.cause == *cause)
    }

    /// The links from `effect` up to its root, the nearest first.
    #[must_use]
    pub fn path(&self, effect: &FindingKey) -> Vec<&Link> {
        let mut path = Vec::new();
        let mut at = effect;
        while let Some(link) = self.parents.get(at).filter(|_| path.len() < DEPTH) {
            path.push(link);
            at = &link.cause;
        }
        path
    }

    /// The root of `effect` and how sure the whole way to it is: as sure as its weakest link. What only tells of several together makes the
    /// way to one of them no less sure.
    #[must_use]
    pub fn root(&self, effect: &FindingKey) -> Option<(&FindingKey, Tie)> {
        let path = self.path(effect);
        let ties = path.iter().map(|link| link.evidence.tie);
        let tie = ties.clone().filter(|tie| *tie != Tie::Coincident).min().or_else(|| ties.min())?;
        path.last().map(|link| (&link.cause, tie))
    }

    /// The findings (worst first) with somebody else's word behind what is seen here to hit somebody: the first leads.
    #[must_use]
    pub fn in_order<'a>(&self, findings: &[&'a Finding]) -> Vec<&'a Finding> {
        let links = self.links().filter(|link| link.evidence.tie != Tie::Coincident);
        let causes: BTreeSet<&FindingKey> = links.map(|link| &link.cause).collect();
        order::in_order(findings, |finding| self.weight(finding, &causes))
    }

    fn weight(&self, finding: &Finding, causes: &BTreeSet<&FindingKey>) -> Weight {
        let key = finding.key();
        let explained = self.parents.contains_key(&key) && !self.is_gathered(&key);
        let tied = match (causes.contains(&key), explained) {
            (true, _) => Tied::Explains,
            (false, true) => Tied::Explained,
            (false, false) => Tied::Alone,
        };
        Weight::of(Voice {
            triage: finding.triage(),
            severity: finding.severity(),
            hits: !finding.breach.hit.words().is_empty(),
            tied,
            quiet: finding.clear.is_some() || finding.heard.is_some(),
        })
    }

    /// The findings (worst first) in the order in which they are told: each root with what it explains below it. A root stands where the
    /// worst of what it explains would stand, so that what is worst comes first whatever it is called.
    #[must_use]
    pub fn branches<'a>(&'a self, findings: &[&'a Finding]) -> Vec<Branch<'a>> {
        let findings = &self.in_order(findings);
        let keys: Vec<FindingKey> = findings.iter().map(|finding| finding.key()).collect();
        let at: BTreeMap<&FindingKey, usize> = keys.iter().enumerate().map(|(at, key)| (key, at)).collect();
        let mut below: Vec<Vec<(usize, &Link)>> = vec![Vec::new(); findings.len()];
        let mut roots = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let link = self.parents.get(key).and_then(|link| Some((*at.get(&link.cause)?, link)));
            match link {
                Some((cause, link)) => below[cause].push((index, link)),
                None => roots.push(index),
            }
        }
        roots.sort_by_key(|root| first(&below, *root));
        let mut told = Vec::with_capacity(findings.len());
        for root in roots {
            tell(findings, &below, (root, None, 0), &mut told);
        }
        told
    }
}

/// The place of the worst finding at `index` or below it.
fn first(below: &[Vec<(usize, &Link)>], index: usize) -> usize {
    below[index].iter().map(|(child, _)| first(below, *child)).min().unwrap_or(index).min(index)
}

fn tell<'a>(
    findings: &[&'a Finding],
    below: &[Vec<(usize, &'a Link)>],
    (index, link, depth): (usize, Option<&'a Link>, usize),
    told: &mut Vec<Branch<'a>>,
) {
    let at = told.len();
    told.push(Branch { finding: findings[index], depth, link, explains: 0 });
    for (child, link) in &below[index] {
        tell(findings, below, (*child, Some(link), depth + 1), told);
    }
    told[at].explains = told.len() - at - 1;
}
