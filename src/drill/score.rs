//! How well the chain of causes finds what an embedded incident is about. Every incident is played at full speed, and the chain is compared
//! with what is true of it. Nothing is drawn and nothing is waited for.

mod incident;
mod incidents;
mod parts;
mod scenes;

use super::sim::Sim;
use super::twin::reading;
use super::{Stack, StackTarget};
use crate::core::alert::{Finding, Rulebook};
use crate::core::ids::TargetId;
use crate::core::reading::Reading;
use crate::core::report::{Plan, PollReport};
use crate::core::time::Now;
use crate::core::topology::{Depends, Topology};
use crate::core::verdict::Verdict;
use crate::core::world::{TargetState, World, all_rules};
use incident::{Incident, Named, Scene, Small};
use incidents::INCIDENTS;
use std::time::Duration;

/// The targets of a small scene are asked this often.
const EACH: Duration = Duration::from_secs(1);

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

/// A scene while it is played.
enum Played {
    Embedded {
        stack: Stack,
        sim: Box<Sim>,
    },
    /// With another seed a small scene begins so many seconds later, so that the polls of rules that hold fall elsewhere.
    Small {
        scene: &'static Small,
        late: u64,
    },
}

impl Played {
    fn new(scene: Scene, seed: u64, start: Now) -> Self {
        match scene {
            Scene::Embedded => {
                Self::Embedded { stack: Stack::demo(seed, start), sim: Box::new(Sim::new(seed, start)) }
            }
            Scene::Small(scene) => Self::Small { scene, late: seed - 1 },
        }
    }

    fn world(&self, start: Now) -> World {
        match self {
            Self::Embedded { stack, .. } => world(stack.targets(), start),
            Self::Small { scene, .. } => small(scene, start),
        }
    }

    /// So many seconds later than is said it begins.
    const fn late(&self) -> u64 {
        match self {
            Self::Embedded { .. } => 0,
            Self::Small { late, .. } => *late,
        }
    }

    /// What is reported in this second.
    fn reports(&mut self, second: u64, now: Now) -> Vec<PollReport> {
        match self {
            Self::Embedded { stack, sim } => {
                sim.advance(now);
                let due =
                    stack.targets().iter().filter(|target| second.is_multiple_of(target.interval.as_secs()));
                let shows = |target: &StackTarget| reading(sim, target.part, now, &[]);
                due.map(|target| report(&target.id, target.interval, shows(target), now)).collect()
            }
            Self::Small { scene, late } => {
                let shows = |name| (scene.shows)(name, second.saturating_sub(*late), now);
                let targets = scene.targets.iter();
                targets.map(|(name, ..)| report(&TargetId::new(name), EACH, shows(name), now)).collect()
            }
        }
    }
}

/// Plays an incident second by second. What is tied is counted at its end; the root is named when it is the verdict's cause or its lead.
fn play(incident: &Incident, seed: u64) -> Score {
    let start = Now::example(0);
    let mut played = Played::new(incident.scene, seed, start);
    let mut world = played.world(start);
    let mut score = Score { played: 1, ..Score::default() };
    let begins = incident.begins as u64 + played.late();
    for second in 0..=incident.lasts {
        let now = start.plus(Duration::from_secs(second));
        for report in played.reports(second, now) {
            world.apply(report);
        }
        world.evaluate(now);
        let verdict = Verdict::over(&world, now);
        let named = verdict.cause.map(|cause| cause.root).or(verdict.lead);
        if score.found == 0 && named.is_some_and(|named| is(named, incident.root)) {
            score.found = 1;
            score.seconds = second.saturating_sub(begins);
        }
    }
    score.add(tied(&world, incident));
    score
}

/// What the chain tied at the end, beside what is true.
fn tied(world: &World, incident: &Incident) -> Score {
    let mut score = Score::default();
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

fn small(scene: &Small, now: Now) -> World {
    let state = |(name, kind, address): &(&str, _, &str)| {
        TargetState::new(TargetId::new(name), *kind, (*address).to_owned(), EACH, now)
    };
    let mut world = World::new(scene.targets.iter().map(state).collect(), Rulebook::defaults(&all_rules()));
    let said = |(service, on): &(&str, &str)| Depends {
        service: (*service).to_owned(),
        on: TargetId::new(on),
        because: "it is said".to_owned(),
    };
    world.topology = Topology::new(scene.depends.iter().map(said).collect());
    world
}

fn world(targets: &[StackTarget], now: Now) -> World {
    let state = |target: &StackTarget| {
        let (settings, address) = (target.settings.clone(), target.address.clone());
        TargetState::new(target.id.clone(), settings, address, target.interval, now)
    };
    World::new(targets.iter().map(state).collect(), Rulebook::defaults(&all_rules()))
}

fn report(target: &TargetId, interval: Duration, reading: Reading, now: Now) -> PollReport {
    let plan = Plan::example(interval, now);
    let took = Duration::from_millis(1);
    PollReport { took, plan, ..PollReport::example(target.clone(), Ok(reading), now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is printed. What is missing is not found: the pages of the rules say what they are tied to.
    const EXPECTED: [&str; 8] = [
        "forgotten transaction    precision 1.00 (35 of 35)  recall 1.00 (35 of 35)  root named 5 of 5, after 7.0 s",
        "pool of idle sessions    precision 1.00 (10 of 10)  recall 1.00 (10 of 10)  root named 5 of 5, after 60.0 s",
        "full Redis               precision 1.00 (15 of 15)  recall 1.00 (15 of 15)  root named 5 of 5, after 10.0 s",
        "archiver fills a disk    precision 1.00 (5 of 5)  recall 1.00 (5 of 5)  root named 5 of 5, after 0.0 s",
        "node that left           precision 1.00 (5 of 5)  recall 1.00 (5 of 5)  root named 5 of 5, after 60.0 s",
        "workers that are gone    precision 1.00 (5 of 5)  recall 1.00 (5 of 5)  root named 5 of 5, after 5.0 s",
        "two faults and decoys    precision 1.00 (15 of 15)  recall 1.00 (15 of 15)  root named 5 of 5, after 0.0 s",
        "all                      precision 1.00 (90 of 90)  recall 1.00 (90 of 90)  root named 35 of 35, after 20.3 s",
    ];

    #[test]
    fn the_chain_does_not_get_worse_at_the_incidents() {
        let told: Vec<String> = table().lines().map(str::to_owned).collect();
        assert_eq!(told, EXPECTED);
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
