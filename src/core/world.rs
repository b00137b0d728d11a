//! Everything that is known: per target the state derived from its readings, how fresh it is, and the alerts over all of them.

use super::alert::{AlertBook, RuleSpec, RuleUnit, Rulebook, Severity, Signal, Triage};
use super::freshness::{Freshness, Polls};
use super::ids::{SystemKind, TargetId};
use super::metrics::MetricsState;
use super::part::{Gap, GapKind, Unread};
use super::place::{Place, Screen};
use super::postgres::PostgresState;
use super::prometheus::PrometheusState;
use super::reading::Reading;
use super::redis::RedisState;
use super::report::{BreakerState, Plan, PollError, PollErrorKind, PollReport};
use super::search::SearchState;
use super::time::Now;
use super::{metrics, postgres, prometheus, redis, search};
use std::time::Duration;

/// The rules that are about stacktop's own sources.
pub const SOURCE_RULES: &[RuleSpec] = &[
    RuleSpec {
        id: "source.silent",
        help: "a source gives no data: late when a poll failed or is overdue, lost after four intervals (and 30 s)",
        unit: RuleUnit::State,
        warning: None,
        critical: None,
        hold: Duration::ZERO,
        triage: Triage::Silent,
    },
    RuleSpec {
        id: "source.full",
        help: "a server refuses newcomers because every place is taken",
        unit: RuleUnit::State,
        warning: None,
        critical: None,
        hold: Duration::ZERO,
        triage: Triage::Saturation,
    },
    RuleSpec {
        id: "source.unread",
        help: "a source answers, but a part of it cannot be read (a right is missing, a catalog is locked): nobody watches that part",
        unit: RuleUnit::State,
        warning: None,
        critical: None,
        hold: Duration::ZERO,
        triage: Triage::Silent,
    },
];

/// Every rule that ships, system by system.
#[must_use]
pub fn all_rules() -> Vec<RuleSpec> {
    [SOURCE_RULES, postgres::RULES, redis::RULES, search::RULES, prometheus::RULES, metrics::RULES].concat()
}

/// The state of one target, by its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum SystemState {
    /// A PostgreSQL server.
    Postgres(Box<PostgresState>),
    /// A Redis server and its queues.
    Redis(Box<RedisState>),
    /// A search cluster.
    Search(Box<SearchState>),
    /// A Prometheus server.
    Prometheus(Box<PrometheusState>),
    /// One `/metrics` endpoint.
    Metrics(Box<MetricsState>),
}

impl SystemState {
    /// An empty state for a target of `kind`.
    #[must_use]
    pub fn new(kind: SystemKind) -> Self {
        match kind {
            SystemKind::Postgres => Self::Postgres(Box::default()),
            SystemKind::Redis => Self::Redis(Box::default()),
            SystemKind::Search => Self::Search(Box::default()),
            SystemKind::Prometheus => Self::Prometheus(Box::default()),
            SystemKind::Metrics => Self::Metrics(Box::default()),
        }
    }

    fn absorb(&mut self, reading: Reading, now: Now) -> bool {
        match (self, reading) {
            (Self::Postgres(state), Reading::Postgres(reading)) => state.absorb(*reading, now),
            (Self::Redis(state), Reading::Redis(reading)) => state.absorb(*reading, now),
            (Self::Search(state), Reading::Search(reading)) => state.absorb(*reading, now),
            (Self::Prometheus(state), Reading::Prometheus(reading)) => state.absorb(*reading, now),
            (Self::Metrics(state), Reading::Metrics(reading)) => state.absorb(*reading, now),
            (
                Self::Postgres(_) | Self::Redis(_) | Self::Search(_) | Self::Prometheus(_) | Self::Metrics(_),
                _,
            ) => return false,
        }
        true
    }

    fn gap(&mut self) {
        match self {
            Self::Postgres(state) => state.gap(),
            Self::Redis(state) => state.gap(),
            Self::Search(state) => state.gap(),
            Self::Prometheus(state) => state.gap(),
            Self::Metrics(state) => state.gap(),
        }
    }

    /// Nobody was running for a while: what is counted from poll to poll begins anew.
    fn interrupt(&mut self) {
        match self {
            Self::Postgres(state) => state.interrupt(),
            Self::Redis(state) => state.interrupt(),
            Self::Search(state) => state.interrupt(),
            Self::Metrics(state) => state.interrupt(),
            // It counts nothing.
            Self::Prometheus(_) => {}
        }
    }

    fn signals(&self, target: &TargetId, rules: &Rulebook, now: Now) -> Vec<Signal> {
        match self {
            Self::Postgres(state) => postgres::signals(state, target, rules, now),
            Self::Redis(state) => redis::signals(state, target, rules, now),
            Self::Search(state) => search::signals(state, target, rules, now),
            Self::Prometheus(state) => prometheus::signals(state, target, rules, now),
            Self::Metrics(state) => metrics::signals(state, target, rules, now),
        }
    }

    /// The parts that were not read though they should have been, with the rules that look at them.
    fn unread(&self) -> Vec<Unread> {
        match self {
            Self::Postgres(state) => state.reading().map(postgres::unread),
            Self::Redis(state) => state.reading().map(redis::unread),
            Self::Search(state) => state.reading().map(search::unread),
            Self::Prometheus(state) => state.reading().map(prometheus::unread),
            Self::Metrics(_) => None,
        }
        .unwrap_or_default()
    }
}

/// One target as the world knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetState {
    /// Its name.
    pub id: TargetId,
    /// What it is.
    pub kind: SystemKind,
    /// Where it is, for people: host, port, database. Never a secret.
    pub address: String,
    /// When it was first asked.
    pub started: Now,
    /// The interval it was configured with.
    pub configured_interval: Duration,
    /// When it last gave data.
    pub seen: Option<Now>,
    /// How long the last poll took.
    pub took: Option<Duration>,
    /// The last failure, while it lasts.
    pub failure: Option<PollError>,
    /// What the engine plans.
    pub plan: Option<Plan>,
    /// Reports that were dropped because nobody took them in time.
    pub dropped: u64,
    /// What is known of the system.
    pub system: SystemState,
}

impl TargetState {
    /// A target that was not asked yet.
    #[must_use]
    pub fn new(id: TargetId, kind: SystemKind, address: String, interval: Duration, now: Now) -> Self {
        Self {
            id,
            kind,
            address,
            started: now,
            configured_interval: interval,
            seen: None,
            took: None,
            failure: None,
            plan: None,
            dropped: 0,
            system: SystemState::new(kind),
        }
    }

    /// How far its data can be believed at `now`.
    #[must_use]
    pub fn freshness(&self, now: Now) -> Freshness {
        let polls = Polls {
            started: self.started,
            seen: self.seen,
            configured: self.configured_interval,
            expected: self.plan.map(|plan| plan.next.plus(self.took.unwrap_or_default())),
            failing: self.failure.is_some(),
        };
        Freshness::of(&polls, now)
    }

    /// Why it is silent and when it is asked again, in one sentence.
    #[must_use]
    pub fn silence(&self, now: Now) -> String {
        let Some(failure) = &self.failure else {
            return match (&self.plan, self.seen) {
                (Some(plan), Some(_)) => {
                    format!("asked {} s ago, and no answer yet", now.since(plan.next).as_secs())
                }
                _ => "no answer yet".to_owned(),
            };
        };
        let mut text = match &failure.remedy {
            Some(remedy) => format!("{}; {remedy}", failure.message),
            None => failure.message.clone(),
        };
        if let Some(plan) = &self.plan {
            let seconds = plan.next.since(now).as_secs();
            let looks = if plan.looks { "looked at each second, " } else { "" };
            let breaker = match plan.breaker {
                BreakerState::Closed => "",
                BreakerState::Open => ", breaker open",
                BreakerState::HalfOpen => ", breaker half-open",
            };
            text.push_str(&format!(" ({looks}next try in {seconds} s{breaker})"));
        }
        text
    }
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
                target.system.gap();
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

/// What nobody watches of a source that answers: one finding for each reason.
fn unread_signals(target: &TargetState, parts: &[Unread], rules: &Rulebook) -> Vec<Signal> {
    let wanted =
        |part: &&Unread| !part.watches.is_empty() && part.rules.iter().any(|rule| rules.get(rule).enabled);
    let mut reasons: Vec<(&Gap, Vec<&str>)> = Vec::new();
    for part in parts.iter().filter(wanted).filter(|_| rules.get("source.unread").enabled) {
        match reasons.iter_mut().find(|(gap, _)| **gap == part.gap) {
            Some((_, watches)) => watches.push(part.watches),
            None => reasons.push((&part.gap, vec![part.watches])),
        }
    }
    let signal = |(gap, watches): (&Gap, Vec<&str>)| Signal {
        rule: "source.unread",
        target: target.id.clone(),
        subject: watches[0].to_owned(),
        severity: Severity::Warning,
        sentence: format!("{}: {}, so nobody watches {}", target.id, gap.note, watches.join(", ")),
        observed_for: None,
        hit: 0,
        next_step: match gap.kind {
            GapKind::NotPermitted => "`stacktop doctor` says what to grant".to_owned(),
            GapKind::NotSupported | GapKind::TimedOut | GapKind::Failed => "see the server's log".to_owned(),
        },
        place: Place { screen: Screen::Overview, row: None },
    };
    reasons.into_iter().map(signal).collect()
}

/// A server that takes nobody any more is broken for everybody, whatever else is known of it.
fn full_signal(target: &TargetState, rules: &Rulebook) -> Option<Signal> {
    let failure = target.failure.as_ref().filter(|failure| failure.kind == PollErrorKind::Full)?;
    rules.get("source.full").enabled.then(|| Signal {
        rule: "source.full",
        target: target.id.clone(),
        subject: "full".to_owned(),
        severity: Severity::Critical,
        sentence: format!("{} refuses newcomers: {}", target.id, failure.message),
        observed_for: None,
        hit: 0,
        next_step: failure.remedy.clone().unwrap_or_else(|| "end clients that are not needed".to_owned()),
        place: Place { screen: Screen::Overview, row: None },
    })
}

fn silence_signal(target: &TargetState, freshness: Freshness, rules: &Rulebook, now: Now) -> Option<Signal> {
    if !rules.get("source.silent").enabled {
        return None;
    }
    let severity = match freshness {
        Freshness::Waiting | Freshness::Fresh(_) => return None,
        Freshness::Late(_) => Severity::Warning,
        Freshness::Lost(_) => Severity::Critical,
    };
    // What mends a wrong password is not what mends a stopped server.
    let remedy = target.failure.as_ref().and_then(|failure| failure.remedy.clone());
    Some(Signal {
        rule: "source.silent",
        target: target.id.clone(),
        subject: "silent".to_owned(),
        severity,
        sentence: format!("no data from {}: {}", target.id, target.silence(now)),
        observed_for: Some(freshness.age()),
        hit: 0,
        next_step: remedy.unwrap_or_else(|| "check that it runs and can be reached".to_owned()),
        place: Place { screen: Screen::Overview, row: None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::Part;
    use crate::core::postgres::{Pool, PooledDatabase, Pooler, PostgresReading};

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
            at: Now::example(100),
            address: "127.0.0.1:6432".into(),
            pools,
            databases: vec![PooledDatabase { name: "app".into(), ..PooledDatabase::default() }],
            clients: std::collections::BTreeMap::new(),
            clients_at: Now::example(100),
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
