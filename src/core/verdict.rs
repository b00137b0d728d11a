//! What is told first: the state of the whole, the worst symptom with its own time, its cause where an edge names one, and who is hit.
//! Data without colours and keys: a terminal, a line in a log and a document say the same.

use super::alert::{Finding, FindingKey, Severity};
use super::alike::Alike;
use super::chain::Tie;
use super::enlisted::LIST;
use super::freshness::Freshness;
use super::hosts::HOST_SILENT;
use super::ids::TargetId;
use super::source_rules::{SILENT, UNREAD};
use super::time::Now;
use super::world::World;
use std::collections::BTreeMap;
use std::time::Duration;

/// Of who is hit beside the symptom so many are named.
const MOST_HIT: usize = 3;

/// The state of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overall {
    /// No target was found.
    Nothing,
    /// Not everything has answered once.
    Waiting,
    /// Everything answers, and nothing is past its threshold.
    Ok,
    /// Something should be looked at.
    Degraded,
    /// Somebody must act.
    Broken,
    /// Something cannot be seen, so that nobody can say that it is well.
    Unknown,
}

impl Overall {
    /// The word that begins the sentence.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "NOTHING TO WATCH",
            Self::Waiting => "WAITING",
            Self::Ok => "OK",
            Self::Degraded => "DEGRADED",
            Self::Broken => "BROKEN",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// What explains the lead.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// The root of the chain.
    pub root: &'a Finding,
    /// How sure the whole way to it is.
    pub tie: Tie,
}

/// The verdict at one moment.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    /// The state of the whole.
    pub overall: Overall,
    /// The worst symptom, with its own time; of an unknown state what is not seen.
    pub lead: Option<&'a Finding>,
    /// What is told as one with the lead: the same on other targets of its group.
    pub alike: Option<Alike<'a>>,
    /// What explains the lead.
    pub cause: Option<Cause<'a>>,
    /// The lead is a symptom and nothing that is seen explains it.
    pub unexplained: bool,
    /// Who is hit, beside what the lead says: in words, those of the root first.
    pub hit: Vec<String>,
    /// What stands beside it and is not explained by the same root: roots, in the order of the worst of what each explains.
    pub others: Vec<&'a Finding>,
    /// How many findings each of those (or a silent source) explains, and how sure the weakest of that is.
    pub behind: BTreeMap<FindingKey, (usize, Tie)>,
    /// Targets that give no data, beside a lead that says so.
    pub silent: Vec<&'a Finding>,
    /// What nobody watches of targets that answer.
    pub blind: Vec<&'a Finding>,
    /// What will be, if it goes on like this.
    pub ahead: Vec<&'a Finding>,
    /// Notes, while nothing is wrong.
    pub notes: Vec<&'a Finding>,
    /// Targets that did not answer yet.
    pub waiting: Vec<&'a TargetId>,
    /// The target whose data is oldest of those that are late, its age, and how many are late beside it.
    pub late: Option<(&'a TargetId, Duration, usize)>,
}

impl<'a> Verdict<'a> {
    /// The verdict over `world` at `now`.
    #[must_use]
    pub fn over(world: &'a World, now: Now) -> Self {
        // One order for this and for the list: what is told first leads.
        let firing = world.alerts.firing();
        let told = world.chain.in_order(&firing);
        // What will be stands behind what is, and alone it makes nothing bad.
        let (ahead, told): (Vec<&Finding>, Vec<&Finding>) =
            told.into_iter().partition(|finding| finding.is_forecast());
        let blank = told.first().is_some_and(|first| is_unseen(first));
        let worst = firing.iter().find(|finding| !is_unseen(finding) && !finding.is_forecast());
        let (unseen, others): (Vec<&Finding>, Vec<&Finding>) =
            told.into_iter().partition(|finding| is_unseen(finding));
        let unseen_first = world.chain.branches(&unseen).first().map(|branch| branch.finding);
        let (silent, blind): (Vec<&Finding>, Vec<&Finding>) =
            unseen.into_iter().partition(|finding| is_silence(finding));
        let waiting: Vec<&TargetId> = world
            .targets()
            .iter()
            .filter(|target| matches!(target.freshness(now), Freshness::Waiting))
            .map(|target| &target.id)
            .collect();
        let overall = match worst.map(|worst| worst.severity()) {
            _ if world.targets().is_empty() => Overall::Nothing,
            // Nothing as bad is seen where somebody looks; what nobody looks at is not well.
            _ if blank => Overall::Unknown,
            Some(Severity::Critical) => Overall::Broken,
            Some(Severity::Warning) => Overall::Degraded,
            _ if !waiting.is_empty() => Overall::Waiting,
            _ => Overall::Ok,
        };
        let mut verdict = Self {
            overall,
            lead: None,
            alike: None,
            cause: None,
            unexplained: false,
            hit: Vec::new(),
            others: Vec::new(),
            behind: BTreeMap::new(),
            silent,
            blind,
            ahead,
            notes: Vec::new(),
            waiting,
            late: late(world, now),
        };
        match overall {
            Overall::Broken | Overall::Degraded => {
                verdict.explain(world, &others);
                verdict.gather(world);
            }
            Overall::Unknown => {
                verdict.gather(world);
                verdict.lead = unseen_first;
                for unseen in [&mut verdict.silent, &mut verdict.blind] {
                    unseen.retain(|finding| unseen_first.is_none_or(|first| first.key() != finding.key()));
                }
                verdict.others = others;
            }
            Overall::Nothing | Overall::Waiting | Overall::Ok => verdict.notes = others,
        }
        verdict
    }

    /// The worst symptom leads, with its own time. A cause is named over an edge only.
    fn explain(&mut self, world: &'a World, others: &[&'a Finding]) {
        let chain = &world.chain;
        let Some((lead, rest)) = others.split_first() else { return };
        let find = |key: &FindingKey| {
            let all = others.iter().chain(&self.silent).chain(&self.blind);
            all.copied().find(|finding| finding.key() == *key)
        };
        let key = lead.key();
        self.lead = Some(lead);
        self.cause = chain.root(&key).and_then(|(root, tie)| find(root).map(|root| Cause { root, tie }));
        let root = self.cause.map_or(*lead, |cause| cause.root);
        self.alike = if self.cause.is_none() { Alike::with(lead, others, world) } else { None };
        let told = |finding: &&&Finding| {
            let alike = self.alike.iter().flat_map(|alike| &alike.findings);
            !alike.into_iter().any(|told| told.key() == finding.key())
        };
        let rest: Vec<&Finding> = rest.iter().filter(told).copied().collect();
        self.unexplained = self.cause.is_none() && !is_root(world, lead);
        let root_key = root.key();
        let alike: Vec<FindingKey> =
            self.alike.iter().flat_map(|alike| &alike.findings).map(|finding| finding.key()).collect();
        let explained = |finding: &Finding| {
            let key = finding.key();
            let is_told = |one: &FindingKey| *one == root_key || alike.contains(one);
            is_told(&key) || chain.root(&key).is_some_and(|(root, _)| is_told(root))
        };
        let (of_root, apart): (Vec<&Finding>, Vec<&Finding>) =
            rest.iter().copied().partition(|finding| explained(finding));
        self.hit = hit(root, &key, &of_root);
        self.silent.retain(|finding| finding.key() != root_key);
        self.roots(world, &apart);
    }

    /// Of those that are told together not each is told.
    fn gather(&mut self, world: &World) {
        self.silent.retain(|finding| !world.chain.is_gathered(&finding.key()));
    }

    /// Of what the lead's root does not explain the roots are told, each with the number of those that it explains.
    fn roots(&mut self, world: &'a World, apart: &[&'a Finding]) {
        let unseen = self.silent.iter().chain(&self.blind);
        let told: Vec<&Finding> = apart.iter().chain(unseen).copied().collect();
        let mut at: Option<FindingKey> = None;
        for branch in world.chain.branches(&told) {
            if branch.depth == 0 {
                at = Some(branch.finding.key());
                if !is_unseen(branch.finding) {
                    self.others.push(branch.finding);
                }
            } else if let Some((root, link)) = at.clone().zip(branch.link)
                && link.evidence.tie != Tie::Coincident
            {
                let (count, tie) = self.behind.entry(root).or_insert((0, Tie::Certain));
                *count += 1;
                *tie = (*tie).min(link.evidence.tie);
            }
        }
    }

    /// How many findings a finding stands for: itself, and what it explains.
    #[must_use]
    pub fn stands_for(&self, finding: &Finding) -> usize {
        1 + self.behind.get(&finding.key()).map_or(0, |(count, _)| *count)
    }

    /// How many findings fire beside those that the first `told` of the others tell of.
    #[must_use]
    pub fn more(&self, told: usize) -> usize {
        self.others.iter().skip(told).map(|finding| self.stands_for(finding)).sum()
    }
}

/// Whether it tells of sources that give no data: of one, or of several together.
fn is_silence(finding: &Finding) -> bool {
    finding.breach.rule == SILENT.id || finding.breach.rule == HOST_SILENT.id
}

/// Whether it tells of something that nobody can see.
fn is_blind(finding: &Finding) -> bool {
    [UNREAD.id, LIST.id].contains(&finding.breach.rule)
}

/// Whether it tells of something that cannot be seen, so that nobody can say what is wrong with it.
fn is_unseen(finding: &Finding) -> bool {
    is_silence(finding) || is_blind(finding)
}

/// Whether the rule of a finding names a root: then nothing else has to explain it.
fn is_root(world: &World, finding: &Finding) -> bool {
    world.spec(finding.breach.rule).is_some_and(|spec| spec.names_root)
}

/// Who is hit: those whom the root counts, then what else it explains beside the lead.
fn hit(root: &Finding, lead: &FindingKey, explained: &[&Finding]) -> Vec<String> {
    let mut words = Vec::new();
    let counted = root.breach.hit.words();
    // Whom its own sentence counts is not told twice.
    if !counted.is_empty() && root.key() != *lead && !root.breach.sentence.contains(&counted) {
        words.push(counted);
    }
    let others = explained.iter().filter(|finding| finding.key() != root.key() && finding.key() != *lead);
    for finding in others {
        let breach = &finding.breach;
        let name = match breach.subject.strip_prefix("queue ") {
            Some(queue) => format!("queue {}", queue.rsplit(':').next().unwrap_or(queue)),
            None => breach.target.to_string(),
        };
        if !words.contains(&name) && name != lead.target.as_str() {
            words.push(name);
        }
    }
    if words.len() > MOST_HIT {
        let more = words.len() - MOST_HIT;
        words.truncate(MOST_HIT);
        words.push(format!("{more} more"));
    }
    words
}

/// What is said of a source that is late is old. (Of one that is lost each finding carries its age.)
fn late(world: &World, now: Now) -> Option<(&TargetId, Duration, usize)> {
    let late = world.targets().iter().filter_map(|target| match target.freshness(now) {
        Freshness::Late(age) if target.seen.is_some() => Some((age, &target.id)),
        Freshness::Late(_) | Freshness::Waiting | Freshness::Fresh(_) | Freshness::Lost(_) => None,
    });
    let late: Vec<_> = late.collect();
    let (age, oldest) = late.iter().max_by_key(|(age, _)| *age)?;
    Some((oldest, *age, late.len() - 1))
}
