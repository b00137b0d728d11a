//! How well the chain of causes finds what an embedded incident is about. Every incident is played at full speed, and the chain is compared
//! with what is true of it. Nothing is drawn and nothing is waited for.

use super::sim::{Sim, TROUBLE_AT};
use super::twin::reading;
use super::{Stack, StackTarget};
use crate::core::alert::{Finding, Rulebook};
use crate::core::report::{BreakerState, Plan, PollReport};
use crate::core::time::Now;
use crate::core::verdict::Verdict;
use crate::core::world::{TargetState, World, all_rules};
use std::time::Duration;

/// A finding by its rule and its target.
type Named = (&'static str, &'static str);

/// An incident of the embedded world, and what is true of it.
struct Incident {
    name: &'static str,
    /// So many seconds of it are played.
    lasts: u64,
    /// When it begins, in seconds since the start.
    begins: f64,
    /// What brought it about.
    root: Named,
    /// What it brings about. Whatever else is found is of something else.
    effects: &'static [Named],
    /// What else is true of the same minutes: a cause and its effect.
    beside: &'static [(Named, Named)],
}

/// The incidents. A copy that falls behind and a node that goes are in the same minute, and of something else.
const INCIDENTS: &[Incident] = &[Incident {
    name: "forgotten transaction",
    lasts: 90,
    begins: TROUBLE_AT,
    root: ("postgres.blocked", "shop-db"),
    effects: &[
        ("metrics.errors", "shop-api"),
        ("metrics.latency_p95", "shop-api"),
        ("queue.failing", "jobs"),
        ("queue.dead_letters", "jobs"),
        ("queue.wait", "jobs"),
        ("prometheus.alert", "prometheus"),
        ("postgres.idle_in_transaction", "shop-db"),
    ],
    beside: &[(("search.node_left", "catalogue"), ("search.yellow", "catalogue"))],
}];

/// Each incident is played with so many seeds.
const SEEDS: u64 = 5;

/// How well the chain did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Findings that the chain put below a root.
    pub tied: usize,
    /// Of those, the ones below what did bring them about.
    pub right: usize,
    /// Findings that have a cause among the others, tied or not.
    pub real: usize,
    /// Times that an incident was played.
    pub played: usize,
    /// Of those, the ones in which the verdict came to name the root.
    pub found: usize,
    /// Seconds from the beginning to that, all of them together.
    pub seconds: u64,
}

impl Score {
    /// Of what was tied, how much was right; nothing tied is nothing wrong.
    #[must_use]
    pub fn precision(&self) -> f64 {
        if self.tied == 0 { 1.0 } else { self.right as f64 / self.tied as f64 }
    }

    /// Of what was to be tied, how much was.
    #[must_use]
    pub fn recall(&self) -> f64 {
        if self.real == 0 { 1.0 } else { self.right as f64 / self.real as f64 }
    }

    const fn add(&mut self, other: Self) {
        self.tied += other.tied;
        self.right += other.right;
        self.real += other.real;
        self.played += other.played;
        self.found += other.found;
        self.seconds += other.seconds;
    }

    /// One line of the table.
    fn line(&self, name: &str) -> String {
        let mean = if self.found == 0 {
            "never".to_owned()
        } else {
            format!("{:.1} s", self.seconds as f64 / self.found as f64)
        };
        let (right, tied, real) = (self.right, self.tied, self.real);
        format!(
            "{name:<24} precision {:.2} ({right} of {tied})  recall {:.2} ({right} of {real})  root named {} of {}, after {mean}",
            self.precision(),
            self.recall(),
            self.found,
            self.played
        )
    }
}

/// The score of each incident, and of all together at the end.
#[must_use]
pub fn scores() -> Vec<(&'static str, Score)> {
    let mut all = Score::default();
    let mut told = Vec::new();
    for incident in INCIDENTS {
        let mut score = Score::default();
        for seed in 1..=SEEDS {
            score.add(play(incident, seed));
        }
        all.add(score);
        told.push((incident.name, score));
    }
    told.push(("all", all));
    told
}

/// The same as text, a line each.
#[must_use]
pub fn table() -> String {
    scores().into_iter().map(|(name, score)| score.line(name) + "\n").collect()
}

fn is(finding: &Finding, (rule, target): Named) -> bool {
    finding.breach.rule == rule && finding.breach.target.as_str() == target
}

/// Plays an incident second by second. What is tied is counted at its end; the root is named when it is the verdict's cause or its lead.
fn play(incident: &Incident, seed: u64) -> Score {
    let start = Now::example(0);
    let stack = Stack::demo(seed, start);
    let mut sim = Sim::new(seed, start);
    let mut world = world(stack.targets(), start);
    let mut score = Score { played: 1, ..Score::default() };
    for second in 0..=incident.lasts {
        let now = start.plus(Duration::from_secs(second));
        sim.advance(now);
        for target in stack.targets().iter().filter(|target| second % target.interval.as_secs() == 0) {
            world.apply(report(target, &sim, now));
        }
        world.evaluate(now);
        let verdict = Verdict::over(&world, now);
        let named = verdict.cause.map(|cause| cause.root).or(verdict.lead);
        if score.found == 0 && named.is_some_and(|named| is(named, incident.root)) {
            score.found = 1;
            score.seconds = second.saturating_sub(incident.begins as u64);
        }
    }
    let firing = world.alerts.firing();
    for finding in firing.iter().filter(|finding| !is(finding, incident.root)) {
        let of_root = incident.effects.iter().filter(|effect| is(finding, **effect)).map(|_| incident.root);
        let beside = incident.beside.iter().filter(|(_, effect)| is(finding, *effect));
        let beside = beside.map(|(cause, _)| *cause).filter(|cause| firing.iter().any(|one| is(one, *cause)));
        let causes: Vec<Named> = of_root.chain(beside).collect();
        let root = world.chain.root(&finding.key()).map(|(root, _)| root);
        let is_root =
            |named: &Named| root.is_some_and(|root| root.rule == named.0 && root.target.as_str() == named.1);
        let (real, right) = (!causes.is_empty(), causes.iter().any(is_root));
        score.real += usize::from(real);
        score.tied += usize::from(root.is_some());
        score.right += usize::from(real && right);
    }
    score
}

fn world(targets: &[StackTarget], now: Now) -> World {
    let state = |target: &StackTarget| {
        let (settings, address) = (target.settings.clone(), target.address.clone());
        TargetState::new(target.id.clone(), settings, address, target.interval, now)
    };
    World::new(targets.iter().map(state).collect(), Rulebook::defaults(&all_rules()))
}

fn report(target: &StackTarget, sim: &Sim, now: Now) -> PollReport {
    PollReport {
        target: target.id.clone(),
        at: now,
        took: Duration::from_millis(1),
        plan: Plan {
            interval: target.interval,
            widened: false,
            next: now.plus(target.interval),
            breaker: BreakerState::Closed,
            failures: 0,
            knocks: false,
        },
        overtaken: 0,
        asked: 0,
        result: Ok(reading(sim, target.part, now, &[])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_does_not_get_worse_at_the_embedded_incidents() {
        let scores = scores();
        let (_, all) = scores.last().expect("a total");
        assert_eq!(all.played, INCIDENTS.len() * SEEDS as usize);
        assert_eq!(all.found, all.played, "{}", table());
        assert!(all.precision() >= 1.0, "{}", table());
        assert!(all.recall() >= 1.0, "{}", table());
        assert!(all.seconds <= 10 * all.found as u64, "{}", table());
    }

    #[test]
    fn what_is_tied_to_something_else_counts_against_it() {
        let score = Score { tied: 4, right: 3, real: 6, played: 1, found: 0, seconds: 0 };
        assert!((score.precision() - 0.75).abs() < 1e-9 && (score.recall() - 0.5).abs() < 1e-9);
        assert!(score.line("x").ends_with("root named 0 of 1, after never"), "{}", score.line("x"));
        let decoy =
            Incident { root: ("search.yellow", "catalogue"), effects: &[], beside: &[], ..INCIDENTS[0] };
        let wrong = play(&decoy, 1);
        assert!(wrong.tied > 0 && wrong.right == 0 && wrong.found == 0, "{wrong:?}");
    }
}
