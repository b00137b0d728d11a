//! Everything that is known: per target the state derived from its readings, how fresh it is, and the alerts over all of them.

use super::alert::{AlertBook, RuleSpec, Rulebook, Triage};
use super::report::PollReport;
pub use super::source_rules::SOURCE_RULES;
use super::source_rules::{full_signal, silence_signal, unread_signals};
pub use super::system::SystemState;
pub use super::target::TargetState;
use super::time::Now;
use super::{metrics, postgres, prometheus, redis, search};

/// Every rule that ships, system by system.
#[must_use]
pub fn all_rules() -> Vec<RuleSpec> {
    [SOURCE_RULES, postgres::RULES, redis::RULES, search::RULES, prometheus::RULES, metrics::RULES].concat()
}

/// All targets and all alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    targets: Vec<TargetState>,
    /// The alerts over all targets.
    pub alerts: AlertBook,
    /// The rules in force.
    pub rules: Rulebook,
    triage: Vec<(&'static str, Triage)>,
}

impl World {
    /// A world of these targets, none of them asked yet.
    #[must_use]
    pub fn new(targets: Vec<TargetState>, rules: Rulebook) -> Self {
        let triage = all_rules().iter().map(|spec| (spec.id, spec.triage)).collect();
        Self { targets, alerts: AlertBook::default(), rules, triage }
    }

    /// Every target in configured order.
    #[must_use]
    pub fn targets(&self) -> &[TargetState] {
        &self.targets
    }

    /// The target named `id`.
    #[must_use]
    pub fn target(&self, id: &str) -> Option<&TargetState> {
        self.targets.iter().find(|target| target.id.as_str() == id)
    }

    /// Takes in a report; a report for an unknown target, or of another kind than it, changes nothing.
    pub fn apply(&mut self, report: PollReport) {
        let Some(target) = self.targets.iter_mut().find(|target| target.id == report.target) else {
            return;
        };
        target.took = Some(report.took);
        target.plan = Some(report.plan);
        target.dropped += report.dropped;
        match report.result {
            Ok(reading) => {
                if target.system.absorb(reading, report.at) {
                    target.seen = Some(report.at);
                    target.failure = None;
                }
            }
            Err(error) => {
                target.system.gap(report.at);
                target.failure = Some(error);
            }
        }
    }

    /// Nobody was running for a while: what is followed from poll to poll begins anew.
    pub fn interrupt(&mut self) {
        self.alerts.interrupt();
        for target in &mut self.targets {
            target.system.interrupt();
        }
    }

    /// Evaluates every rule at `now`. Called after reports and once a second, so that silence is noticed by the clock.
    pub fn evaluate(&mut self, now: Now) {
        let mut signals = Vec::new();
        let mut silent = Vec::new();
        let mut servers = Vec::new();
        let mut unread = Vec::new();
        for target in &self.targets {
            let freshness = target.freshness(now);
            if let Some(signal) = silence_signal(target, freshness, &self.rules, now) {
                signals.push(signal);
            }
            signals.extend(full_signal(target, &self.rules));
            if freshness.is_lost() || target.seen.is_none() {
                silent.push(target.id.clone());
            } else {
                signals.extend(target.system.signals(&target.id, &self.rules, now));
                if let SystemState::Postgres(state) = &target.system {
                    servers.extend(state.reading().map(|reading| (&target.id, reading)));
                }
                let parts = target.system.unread();
                signals.extend(unread_signals(target, &parts, &self.rules));
                let rules = parts.iter().flat_map(|part| part.rules);
                unread.extend(rules.map(|rule| (&target.id, *rule)));
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::{SystemKind, TargetId};
    use crate::core::part::{Gap, GapKind, Part, Unread, Warm};
    use crate::core::postgres::{Pool, PooledDatabase, Pooler, PostgresReading};
    use crate::core::reading::Reading;
    use crate::core::report::{BreakerState, Plan};
    use std::time::Duration;

    fn gap<T>() -> Part<T> {
        Part::Unavailable(Gap::new(GapKind::TimedOut, "no answer"))
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
            world.apply(PollReport {
                target: id.clone(),
                at,
                took: Duration::ZERO,
                plan: Plan {
                    interval: second_long,
                    widened: false,
                    next: at,
                    breaker: BreakerState::Closed,
                    failures: 0,
                    looks: false,
                },
                dropped: 0,
                result: Ok(Reading::Postgres(Box::new(reading))),
            });
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
