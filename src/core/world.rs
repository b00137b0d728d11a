//! Everything that is known: per target the state derived from its readings, how fresh it is, and the alerts over all of them.

use super::alert::{AlertBook, RuleSpec, Rulebook, Signal, Triage};
use super::ids::TargetId;
use super::report::PollReport;
pub use super::source_rules::SOURCE_RULES;
use super::source_rules::{full_signal, silence_signal, unread_signals};
pub use super::system::SystemState;
pub use super::target::TargetState;
use super::time::Now;
use super::timeline::Timeline;
use super::{metrics, postgres, prometheus, redis, search};
use std::collections::HashSet;
use std::sync::Arc;

/// Every rule that ships, system by system.
#[must_use]
pub fn all_rules() -> Vec<RuleSpec> {
    [SOURCE_RULES, postgres::RULES, redis::RULES, search::RULES, prometheus::RULES, metrics::RULES].concat()
}

/// What the rules saw in the newest reading of a target, and the rules of which nobody can say anything.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    signals: Vec<Signal>,
    unread: Vec<&'static str>,
}

/// How far a target was judged.
#[derive(Clone, Debug, PartialEq)]
enum Judged {
    /// There is nothing to be judged.
    Nothing,
    /// A reading came since.
    Due,
    /// Its newest reading was judged.
    Seen(Seen),
}

/// All targets and all alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// Behind pointers, so that a copy of the world (a frozen screen) is one of pointers.
    targets: Vec<Arc<TargetState>>,
    /// What was seen in each of them.
    judged: Vec<Judged>,
    /// The alerts over all targets.
    pub alerts: AlertBook,
    /// What changed.
    pub timeline: Timeline,
    /// The rules in force.
    pub rules: Rulebook,
    triage: Vec<(&'static str, Triage)>,
}

impl World {
    /// A world of these targets, none of them asked yet.
    #[must_use]
    pub fn new(targets: Vec<TargetState>, rules: Rulebook) -> Self {
        let triage = all_rules().iter().map(|spec| (spec.id, spec.triage)).collect();
        let judged = targets.iter().map(|_| Judged::Nothing).collect();
        let targets = targets.into_iter().map(Arc::new).collect();
        Self { targets, judged, alerts: AlertBook::default(), timeline: Timeline::default(), rules, triage }
    }

    /// Every target in configured order.
    #[must_use]
    pub fn targets(&self) -> &[Arc<TargetState>] {
        &self.targets
    }

    /// The target named `id`.
    #[must_use]
    pub fn target(&self, id: &str) -> Option<&TargetState> {
        self.targets.iter().find(|target| target.id.as_str() == id).map(|target| &**target)
    }

    /// Takes in a report; a report for an unknown target, or of another kind than it, changes nothing.
    pub fn apply(&mut self, report: PollReport) {
        let found = self.targets.iter_mut().zip(&mut self.judged);
        let Some((target, judged)) = found.into_iter().find(|(target, _)| target.id == report.target) else {
            return;
        };
        let target = Arc::make_mut(target);
        target.took = Some(report.took);
        target.plan = Some(report.plan);
        target.overtaken += report.overtaken;
        match report.result {
            Ok(reading) => {
                if target.system.absorb(reading, report.at) {
                    target.seen = Some(report.at);
                    target.failure = None;
                    *judged = Judged::Due;
                    self.timeline.look(target, report.at);
                }
            }
            Err(error) => {
                target.system.gap(report.at);
                target.failure = Some(error);
            }
        }
    }

    /// Nobody was running for a while, until `now`, as `why` says: what is followed from poll to poll begins anew.
    pub fn interrupt(&mut self, why: &str, now: Now) {
        self.timeline.unwatched(why, now);
        self.alerts.interrupt();
        for (target, judged) in self.targets.iter_mut().zip(&mut self.judged) {
            Arc::make_mut(target).system.interrupt();
            *judged = Judged::Nothing;
        }
    }

    /// Judges what gave data since it was judged last, and looks at the freshness of all. Called after reports and once a second, so that
    /// silence is noticed by the clock; what was seen in a reading holds until there is a newer one.
    pub fn evaluate(&mut self, now: Now) {
        for (target, judged) in self.targets.iter().zip(&mut self.judged) {
            if matches!(judged, Judged::Due) {
                *judged = Judged::Seen(judge(target, &self.rules, now));
            }
        }
        let mut signals = Vec::new();
        let mut silent: HashSet<&TargetId> = HashSet::new();
        let mut unread: HashSet<(&TargetId, &str)> = HashSet::new();
        let mut servers = Vec::new();
        for (target, judged) in self.targets.iter().zip(&self.judged) {
            let freshness = target.freshness(now);
            signals.extend(silence_signal(target, freshness, &self.rules, now));
            signals.extend(full_signal(target, &self.rules));
            let Judged::Seen(seen) = judged else {
                silent.insert(&target.id);
                continue;
            };
            if freshness.is_lost() {
                silent.insert(&target.id);
                continue;
            }
            signals.extend(seen.signals.iter().cloned());
            unread.extend(seen.unread.iter().map(|rule| (&target.id, *rule)));
            if let SystemState::Postgres(state) = &target.system {
                servers.extend(state.reading().map(|reading| (&target.id, reading)));
            }
        }
        signals.extend(postgres::two_primaries(&servers, &self.rules));
        let triage = &self.triage;
        self.alerts.observe(
            signals,
            &self.rules,
            |rule| triage.iter().find(|(id, _)| *id == rule).map_or(Triage::Capacity, |(_, triage)| *triage),
            |signal| {
                !matches!(signal.rule, "source.silent" | "source.full")
                    && (silent.contains(&signal.target) || unread.contains(&(&signal.target, signal.rule)))
            },
            now,
        );
        let answered = self.targets.iter().filter(|target| target.seen.is_some()).map(|target| &target.id);
        self.timeline.judge(&self.alerts, answered, now);
    }
}

/// What the newest reading of a target shows.
fn judge(target: &TargetState, rules: &Rulebook, now: Now) -> Seen {
    let parts = target.system.unread();
    let mut signals = target.system.signals(&target.id, rules, now);
    signals.extend(unread_signals(target, &parts, rules));
    Seen { signals, unread: parts.iter().flat_map(|part| part.rules).copied().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::SystemKind;
    use crate::core::part::{Gap, GapKind, Part, Unread, Warm};
    use crate::core::postgres::{Pool, PooledDatabase, Pooler, PostgresReading};
    use crate::core::reading::Reading;
    use crate::core::report::{BreakerState, Plan};
    use std::time::Duration;

    fn gap<T>() -> Part<T> {
        Part::Unavailable(Gap::new(GapKind::TimedOut, "no answer"))
    }

    /// A poll of the target named `name` that is polled each second.
    fn report_of(name: &str, at: Now, reading: Reading) -> PollReport {
        let second_long = Duration::from_secs(1);
        PollReport {
            target: TargetId::new(name),
            at,
            took: Duration::ZERO,
            plan: Plan {
                interval: second_long,
                widened: false,
                next: at.plus(second_long),
                breaker: BreakerState::Closed,
                failures: 0,
                knocks: false,
            },
            overtaken: 0,
            result: Ok(reading),
        }
    }

    #[test]
    fn every_rule_that_goes_unread_is_a_rule() {
        let postgres = postgres::unread(&PostgresReading {
            sessions: gap(),
            locks: gap(),
            databases: gap(),
            slots: gap(),
            senders: gap(),
            standby: gap(),
            replication_slots: gap(),
            health: gap(),
            pooler: gap(),
            ..PostgresReading::default()
        });
        let redis = redis::unread(&redis::RedisReading { queues: gap(), ..redis::RedisReading::default() });
        let search = search::unread(&search::SearchReading {
            health: gap(),
            nodes: gap(),
            read_only: gap(),
            lifecycle: gap(),
            allocation: gap(),
            ..search::SearchReading::default()
        });
        let prometheus = prometheus::unread(&prometheus::PrometheusReading {
            targets: gap(),
            rules: gap(),
            ..prometheus::PrometheusReading::default()
        });
        let rules = |parts: Vec<Unread>| parts.iter().flat_map(|part| part.rules).copied().collect();
        let [postgres, redis, search, prometheus]: [Vec<&str>; 4] =
            [postgres, redis, search, prometheus].map(rules);
        let known: Vec<&str> = all_rules().iter().map(|spec| spec.id).collect();
        for (count, rules) in [(23, postgres), (7, redis), (10, search), (3, prometheus)] {
            let unique: std::collections::BTreeSet<&str> = rules.iter().copied().collect();
            assert_eq!(unique.len(), count, "{unique:?}");
            assert!(rules.iter().all(|rule| known.contains(rule)), "{rules:?}");
        }
    }

    #[test]
    fn only_what_reported_is_judged_and_silence_is_noticed_by_the_clock() {
        let second_long = Duration::from_secs(1);
        let start = Now::example(100);
        let target = |name: &str| {
            TargetState::new(TargetId::new(name), SystemKind::Redis, String::new(), second_long, start)
        };
        let mut world = World::new(vec![target("a"), target("b")], Rulebook::defaults(&all_rules()));
        let report = |name: &str, at: Now| {
            let queue = redis::QueueReading { waiting: 3, ..Default::default() };
            let evidence = redis::Evidence { workers: Some(0), ..Default::default() };
            let queue = redis::QueueReading { evidence, ..queue };
            let queues = Part::Ready(vec![Warm::new(at, queue)]);
            let reading = redis::RedisReading { queues, ..Default::default() };
            report_of(name, at, Reading::Redis(Box::new(reading)))
        };
        let mut look = |second: u64, reporting: &[&str]| {
            let now = Now::example(second);
            for name in reporting {
                world.apply(report(name, now));
                world.evaluate(now);
            }
            world.evaluate(now);
            let told = |finding: &&crate::core::alert::Finding| {
                format!(
                    "{} {} {}",
                    finding.signal.target,
                    finding.signal.rule,
                    finding.signal.severity.word()
                )
            };
            let mut list: Vec<String> = world.alerts.firing().iter().map(told).collect();
            list.sort();
            list
        };
        assert_eq!(look(101, &["a", "b"]), Vec::<String>::new());
        let warns = ["a queue.no_worker WARN", "b queue.no_worker WARN"];
        assert_eq!(look(112, &["a", "b"]), warns);
        // A minute later only one of them gave news: of the other nobody knows that it still is so.
        let later = look(162, &["a"]);
        assert_eq!(later, ["a queue.no_worker CRIT", "b queue.no_worker WARN", "b source.silent CRIT"]);
        assert_eq!(look(163, &["b"])[1], "b queue.no_worker CRIT");
    }

    #[test]
    fn a_copy_of_the_world_is_one_of_pointers() {
        let start = Now::example(100);
        let target = |name: &str| {
            let second_long = Duration::from_secs(1);
            TargetState::new(TargetId::new(name), SystemKind::Metrics, String::new(), second_long, start)
        };
        let mut world = World::new(vec![target("a"), target("b")], Rulebook::defaults(&all_rules()));
        world.apply(report_of("a", start, Reading::Metrics(Box::default())));
        let frozen = world.clone();
        world.apply(report_of("a", start.plus(Duration::from_secs(1)), Reading::Metrics(Box::default())));
        let same = |index: usize| Arc::ptr_eq(&world.targets()[index], &frozen.targets()[index]);
        assert_eq!([same(0), same(1)], [false, true]);
        assert_eq!(frozen.targets()[0].seen, Some(start), "what is frozen stays");
    }

    #[test]
    fn what_could_not_be_read_is_not_over() {
        let id = TargetId::new("pg");
        let second_long = Duration::from_secs(1);
        let state =
            TargetState::new(id.clone(), SystemKind::Postgres, String::new(), second_long, Now::example(100));
        let mut world = World::new(vec![state], Rulebook::defaults(&all_rules()));
        let mut at = |second: u64, pooler: Part<Pooler>| {
            let pooler = pooler.warm(Now::example(second));
            let at = Now::example(second);
            let reading = PostgresReading { pooler, ..PostgresReading::default() };
            world.apply(report_of("pg", at, Reading::Postgres(Box::new(reading))));
            world.evaluate(at);
            let firing = world.alerts.firing();
            firing.iter().map(|finding| finding.sentence(at)).collect::<Vec<_>>()
        };
        let pool = Pool {
            database: "app".into(),
            clients_waiting: 3,
            longest_wait: second_long * 60,
            ..Pool::default()
        };
        let pooler = |pools| Pooler {
            address: "127.0.0.1:6432".into(),
            pools,
            databases: vec![PooledDatabase { name: "app".into(), ..PooledDatabase::default() }],
            clients: Warm::new(Now::example(100), std::collections::BTreeMap::new()),
        };
        let found = at(101, Part::Ready(pooler(vec![pool])));
        assert!(found.len() == 1 && found[0].contains("3 clients waiting"), "{found:?}");
        let found = at(111, gap());
        assert!(
            found.iter().any(|line| line.contains("3 clients") && line.ends_with("(as of 10 s ago)")),
            "{found:?}"
        );
        assert_eq!(at(112, Part::Ready(pooler(Vec::new()))), Vec::<String>::new());
    }
}
