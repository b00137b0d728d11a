//! Everything that is known: per target the state derived from its readings, how fresh it is, and the alerts over all of them.

use super::alert::{
    AlertBook, Breach, Finding, FindingKey, Found, Level, Levels, Note, Parted, RuleId, RuleSpec, RuleUnit,
    Rulebook, Triage,
};
use super::chain::{self, Chain};
use super::echo;
use super::enlisted::{self, Enlisted, LIST, Trouble};
use super::growth;
use super::growth_rules::{self, GROWTH_RULES};
use super::hosts::{self, HOST_SILENT};
use super::ids::TargetId;
use super::postgres;
use super::prometheus;
use super::report::PollReport;
use super::sizes::SizesAt;
pub use super::source_rules::SOURCE_RULES;
use super::source_rules::{self, CHANGED, FULL, OURS, SILENT};
pub use super::system::SystemState;
use super::system::rules as system_rules;
pub use super::target::TargetState;
use super::time::Now;
use super::timeline::{Event, Timeline};
use super::topology::Topology;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Every rule that ships, system by system.
#[must_use]
pub fn all_rules() -> Vec<&'static RuleSpec> {
    SOURCE_RULES.iter().chain([&HOST_SILENT, &LIST]).chain(GROWTH_RULES).chain(system_rules()).collect()
}

/// What the rules saw in the newest reading of a target, and the rules of which nobody can say anything.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    breaches: Vec<Breach>,
    unread: Vec<RuleId>,
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
    /// The numbers of each that rules judge, as they were lately.
    levels: Vec<Arc<Levels>>,
    /// The alerts over all targets.
    pub alerts: AlertBook,
    /// Which finding explains which.
    pub chain: Chain,
    /// What the stack is called to others: nothing before somebody says it.
    pub environment: String,
    /// Which service depends on what, as far as that is said.
    pub topology: Topology,
    /// What changed.
    pub timeline: Timeline,
    /// What is wrong with the lists that name targets.
    troubles: Vec<Trouble>,
    /// Sizes that are to be kept for runs to come.
    sizes: Vec<SizesAt>,
    /// What earlier runs kept of them is still being read.
    awaits_sizes: bool,
    /// The rules in force.
    pub rules: Rulebook,
    specs: Vec<&'static RuleSpec>,
}

impl World {
    /// A world of these targets, none of them asked yet.
    #[must_use]
    pub fn new(targets: Vec<TargetState>, rules: Rulebook) -> Self {
        let judged = targets.iter().map(|_| Judged::Nothing).collect();
        let levels = targets.iter().map(|_| Arc::default()).collect();
        let targets = targets.into_iter().map(Arc::new).collect();
        Self {
            targets,
            judged,
            levels,
            alerts: AlertBook::default(),
            chain: Chain::default(),
            environment: String::new(),
            topology: Topology::default(),
            timeline: Timeline::default(),
            troubles: Vec::new(),
            sizes: Vec::new(),
            awaits_sizes: false,
            rules,
            specs: all_rules(),
        }
    }

    /// Every target in configured order.
    #[must_use]
    pub fn targets(&self) -> &[Arc<TargetState>] {
        &self.targets
    }

    /// What nobody watches of `target` yet, though a rule that is in force looks at it: its turn has not come.
    #[must_use]
    pub fn awaited(&self, target: &TargetState) -> Vec<&'static str> {
        let wanted = |rule: &RuleId| self.rules.on(*rule, &[target.id.as_str()]).enabled;
        let all = target.system.awaited().into_iter();
        all.filter(|(rules, _)| rules.iter().any(wanted)).map(|(_, watches)| watches).collect()
    }

    /// The target named `id`.
    #[must_use]
    pub fn target(&self, id: &str) -> Option<&TargetState> {
        self.targets.iter().find(|target| target.id.as_str() == id).map(|target| &**target)
    }

    /// What is told of a rule.
    #[must_use]
    pub fn spec(&self, rule: RuleId) -> Option<&'static RuleSpec> {
        self.specs.iter().find(|spec| spec.id == rule).copied()
    }

    /// Takes in a report; a report for an unknown target, or of another kind than it, changes nothing.
    pub fn apply(&mut self, report: PollReport) {
        let Some(at) = self.targets.iter().position(|target| target.id == report.target) else { return };
        let (target, judged) = (&mut self.targets[at], &mut self.judged[at]);
        let target = Arc::make_mut(target);
        target.took = Some(report.took);
        target.plan = Some(report.plan);
        target.overtaken += report.overtaken;
        target.asked(report.asked);
        match report.result {
            Ok(reading) => {
                if target.system.absorb(reading, report.at) {
                    target.seen = Some(report.at);
                    target.gives.get_or_insert(report.at);
                    target.failure = None;
                    target.traces.push(target.kind, Some(&target.system), report.at);
                    if target.sizes.is_due(report.at) {
                        let seen = growth::sizes(target, report.at);
                        let news = target.sizes.look(seen);
                        self.sizes.extend(SizesAt::together(target.id.as_str(), news));
                    }
                    *judged = Judged::Due;
                    self.timeline.look(target, report.at);
                }
            }
            Err(error) => {
                target.system.gap(report.at);
                Arc::make_mut(&mut self.levels[at]).gap(report.at);
                target.traces.push(target.kind, None, report.at);
                target.gives = None;
                target.failure = Some(error);
            }
        }
    }

    /// What earlier runs kept is being read: until that is known, nothing is to be kept, for it may be there already.
    pub const fn await_sizes(&mut self) {
        self.awaits_sizes = true;
    }

    /// The sizes that are to be kept for runs to come, once.
    pub fn take_sizes(&mut self) -> Vec<SizesAt> {
        if self.awaits_sizes { Vec::new() } else { std::mem::take(&mut self.sizes) }
    }

    /// Takes in which sizes earlier runs kept, and others do.
    pub fn recall_sizes(&mut self, kept: Vec<SizesAt>, now: Now) {
        self.awaits_sizes = false;
        let seen = std::mem::take(&mut self.sizes);
        self.sizes = seen.into_iter().filter_map(|sizes| sizes.without(&kept)).collect();
        let mut by_target: BTreeMap<String, Vec<SizesAt>> = BTreeMap::new();
        for sizes in kept {
            by_target.entry(sizes.target.clone()).or_default().push(sizes);
        }
        for target in &mut self.targets {
            if let Some(kept) = by_target.remove(target.id.as_str()) {
                Arc::make_mut(target).sizes.recall(kept, now);
            }
        }
    }

    /// Takes in which targets have come and gone, and what is wrong with the lists that name them.
    pub fn enlist(&mut self, enlisted: Enlisted, now: Now) {
        self.troubles.clone_from(&enlisted.troubles);
        self.exchange(enlisted, now);
    }

    /// Takes in which targets have come and gone, whoever says so. What was found of those that have gone ends with them.
    pub fn exchange(&mut self, enlisted: Enlisted, now: Now) {
        if let Some(words) = enlisted.words() {
            self.timeline.listed(&words, now);
        }
        let comes = |id: &TargetId| enlisted.joined.iter().any(|target| target.id == *id);
        let how = |id: &TargetId| if comes(id) { Parted::Changed } else { Parted::Unwatched };
        self.alerts.part(|id| enlisted.left.contains(id).then(|| how(id)), now);
        self.timeline.part(&enlisted.left);
        let stays: Vec<bool> = self.targets.iter().map(|one| !enlisted.left.contains(&one.id)).collect();
        let mut kept = stays.iter();
        self.targets.retain(|_| kept.next() == Some(&true));
        let mut kept = stays.iter();
        self.judged.retain(|_| kept.next() == Some(&true));
        let mut kept = stays.iter();
        self.levels.retain(|_| kept.next() == Some(&true));
        for target in enlisted.joined {
            self.targets.push(Arc::new(target));
            self.judged.push(Judged::Nothing);
            self.levels.push(Arc::default());
        }
    }

    /// Nobody was running for a while, until `now`, as `why` says: what is followed from poll to poll begins anew.
    pub fn interrupt(&mut self, why: &str, now: Now) {
        self.timeline.unwatched(why, now);
        self.alerts.interrupt();
        for (target, judged) in self.targets.iter_mut().zip(&mut self.judged) {
            let target = Arc::make_mut(target);
            target.system.interrupt();
            target.traces.interrupt();
            target.gives = None;
            *judged = Judged::Nothing;
        }
        for levels in &mut self.levels {
            Arc::make_mut(levels).gap(now);
        }
    }

    /// Other rules are in force from now on: what was read last is judged by them at once.
    pub fn judge_by(&mut self, rules: Rulebook, now: Now) {
        self.rules = rules;
        for judged in self.judged.iter_mut().filter(|judged| matches!(judged, Judged::Seen(_))) {
            *judged = Judged::Due;
        }
        self.evaluate(now);
    }

    /// Takes in what another run noted of findings; a note about a rule that is not known here changes nothing.
    pub fn recall(&mut self, notes: Vec<Note>, now: Now) {
        for note in notes {
            let Some(spec) = self.specs.iter().find(|spec| spec.id.as_str() == note.rule) else { continue };
            let target = TargetId::new(&note.target);
            let key = FindingKey { rule: spec.id, target, subject: note.subject };
            self.alerts.recall(key, note.severity, note.heard, now);
        }
    }

    /// What was done to a target from here, while it explains something that was found by the look before.
    fn done_from_here(&self, target: &TargetState, now: Now) -> Vec<Breach> {
        let deeds = self.timeline.deeds(now).into_iter().filter(|deed| deed.target == target.id);
        let firing = self.alerts.firing();
        let told = deeds.filter(|deed| chain::suffers(&self.targets, &self.topology, deed, &firing));
        let again = |deed| chain::failed_again(&self.targets, &self.topology, deed);
        told.filter_map(|deed| source_rules::ours(target, deed, again(deed), &self.rules, now)).collect()
    }

    /// What changed lately, while something that was found by the look before is tied to it.
    fn changed_lately(&self, now: Now) -> Vec<Breach> {
        let firing = self.alerts.firing();
        let tied = |event: &&Event| chain::brings(&self.targets, &self.topology, event, &firing);
        let told = |event: &Event| {
            let target = self.target(event.target.as_ref()?.as_str())?;
            source_rules::changed(target, event, &self.rules, now)
        };
        self.timeline.changes(now).filter(tied).filter_map(told).collect()
    }

    /// Of which group a target is may be known only once it has answered.
    fn learn_groups(&mut self) {
        if self.rules.asks_for_groups() {
            for target in &self.targets {
                self.rules.belongs(target.id.as_str(), target.group());
            }
        }
    }

    /// Judges what gave data since it was judged last, and looks at the freshness of all. Called after reports and once a second, so that
    /// silence is noticed by the clock; what was seen in a reading holds until there is a newer one.
    pub fn evaluate(&mut self, now: Now) {
        self.learn_groups();
        for ((target, judged), levels) in self.targets.iter().zip(&mut self.judged).zip(&mut self.levels) {
            if matches!(judged, Judged::Due) {
                let (seen, followed) = judge(target, &self.rules, now);
                *judged = Judged::Seen(seen);
                Arc::make_mut(levels).take(followed, now);
            }
        }
        let mut breaches = self.changed_lately(now);
        let mut silent: HashSet<&TargetId> = HashSet::new();
        let mut unread: HashSet<(&TargetId, RuleId)> = HashSet::new();
        let (mut servers, mut managers, mut sending) = (Vec::new(), Vec::new(), Vec::new());
        for (target, judged) in self.targets.iter().zip(&self.judged) {
            let freshness = target.freshness(now);
            breaches.extend(source_rules::silence(target, freshness, &self.rules, now));
            breaches.extend(source_rules::full(target, &self.rules));
            breaches.extend(self.done_from_here(target, now));
            let Judged::Seen(seen) = judged else {
                silent.insert(&target.id);
                continue;
            };
            if freshness.is_lost() {
                silent.insert(&target.id);
                continue;
            }
            breaches.extend(source_rules::clock(target, &self.rules));
            breaches.extend(seen.breaches.iter().cloned());
            unread.extend(seen.unread.iter().map(|rule| (&target.id, *rule)));
            let reading = target.system.alertmanager().and_then(|state| state.reading());
            managers.extend(reading.map(|reading| (&target.id, reading)));
            // What its own rule does not tell is told by the other.
            let tells = self.rules.on(prometheus::ALERT.id(), &[target.id.as_str()]).enabled;
            let reading = target.system.prometheus().and_then(|state| state.reading());
            sending.extend(reading.filter(|_| tells).map(|reading| (&target.id, reading)));
            let reading = target.system.postgres().and_then(|state| state.reading());
            servers.extend(reading.map(|reading| (&target.id, reading)));
        }
        let told: BTreeSet<FindingKey> = breaches.iter().map(Breach::key).collect();
        echo::once(&mut breaches, (&self.targets, &self.alerts), (&managers, &sending, &servers));
        breaches.extend(postgres::two_primaries(&servers, &self.rules));
        breaches.extend(enlisted::troubled(&self.troubles, &self.rules));
        let groups = hosts::together(&self.targets, &breaches, &self.rules);
        breaches.extend(groups.iter().map(hosts::Group::breach));
        let known = breaches.iter().map(Breach::key).chain(self.alerts.followed().map(Finding::key));
        let echoes = echo::echoes(&self.targets, &self.environment, known);
        breaches.retain(|breach| !echoes.contains(&breach.key()));
        let left: BTreeSet<FindingKey> = breaches.iter().map(Breach::key).collect();
        self.alerts.join(&told.difference(&left).cloned().collect(), now);
        let specs = &self.specs;
        self.alerts.observe(
            breaches,
            &self.rules,
            |rule| specs.iter().find(|spec| spec.id == rule).map_or(Triage::Capacity, |spec| spec.triage),
            |key| {
                ![SILENT.id, FULL.id, HOST_SILENT.id, OURS.id, CHANGED.id].contains(&key.rule)
                    && (silent.contains(&key.target) || unread.contains(&(&key.target, key.rule)))
            },
            now,
        );
        self.follow(now);
        self.chain = Chain::over(&self.targets, &self.topology, &self.alerts.firing());
        for group in groups {
            self.chain.gather(&group.breach().key(), group.members(), &group.words());
        }
        let answered = self.targets.iter().filter(|target| target.seen.is_some()).map(|target| &target.id);
        let unit =
            |rule| self.specs.iter().find(|spec| spec.id == rule).map_or(RuleUnit::State, |spec| spec.unit);
        self.timeline.judge(&self.alerts, answered, unit, now);
    }

    /// What is known of findings beside what was seen now: whether they may be older, and how their numbers went before.
    fn follow(&mut self, now: Now) {
        let new = self.targets.iter().filter(|target| target.is_new_to_us(now)).map(|target| &target.id);
        let new: HashSet<&TargetId> = new.collect();
        self.alerts.doubt(|key| new.contains(&key.target), now);
        let of = |key: &FindingKey| {
            let at = self.targets.iter().position(|target| target.id == key.target)?;
            self.levels.get(at)?.of(key)
        };
        self.alerts.follow(of, now);
    }
}

/// What the newest reading of a target shows.
fn judge(target: &TargetState, rules: &Rulebook, now: Now) -> (Seen, Vec<Level>) {
    let parts = target.system.unread();
    let Found { mut breaches, levels } = target.system.judge(&target.id, rules, now);
    breaches.extend(source_rules::unread(target, &parts, rules));
    breaches.extend(growth_rules::full_in(target, rules, now));
    (Seen { breaches, unread: parts.into_iter().flat_map(|part| part.rules).collect() }, levels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Judged, unread};
    use crate::core::ids::SystemKind;
    use crate::core::part::{Gap, GapKind, Part, Warm};
    use crate::core::postgres::Look;
    use crate::core::postgres::{Looked, WATCHES, Watched};
    use crate::core::postgres::{Pool, PooledDatabase, Pooler, PostgresReading, PostgresState};
    use crate::core::prometheus::PanelReading;
    use crate::core::prometheus::{PrometheusReading, PrometheusState};
    use crate::core::reading::Reading;
    use crate::core::redis::{Background, Evidence, QueueReading, RedisReading, RedisState};
    use crate::core::report::{BreakerState, Plan};
    use crate::core::search::{SearchReading, SearchState};
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
            asked: 0,
            result: Ok(reading),
        }
    }

    /// Without all of its parts a system has so many rules of which nobody can say anything.
    #[track_caller]
    fn check_unread<S: Judged>(state: &S, count: usize) {
        let mut blind: Vec<RuleId> = unread(state).into_iter().flat_map(|part| part.rules).collect();
        blind.sort_unstable();
        blind.dedup();
        assert_eq!(blind.len(), count, "{blind:?}");
        let needy = S::rules().iter().filter(|rule| !rule.spec.needs.is_empty());
        let deaf: Vec<RuleId> = needy.map(|rule| rule.id()).filter(|id| !blind.contains(id)).collect();
        assert_eq!(deaf, Vec::<RuleId>::new(), "need a part that is never told to be missing");
    }

    #[test]
    fn a_rule_without_its_part_is_unread() {
        let now = Now::example(0);
        let mut postgres = PostgresState::default();
        let looked = Looked { look: Look::Panel("p".to_owned()), table: gap(), asking: false };
        let reading = PostgresReading {
            sessions: gap(),
            locks: gap(),
            databases: gap(),
            slots: gap(),
            senders: gap(),
            standby: gap(),
            replication_slots: gap(),
            statements: gap(),
            health: gap(),
            pooler: gap(),
            looks: vec![looked],
            watched: WATCHES.map(|topic| Watched { topic: topic.to_owned(), table: gap() }).to_vec(),
            ..PostgresReading::default()
        };
        postgres.absorb(reading, now);
        check_unread(&postgres, 36);
        let mut redis = RedisState::default();
        let untold = Some(Gap::new(GapKind::NotPermitted, "INFO"));
        let background = Background { slow: gap(), ..Background::default() };
        let background = Some(Warm::new(now, background));
        redis.absorb(RedisReading { queues: gap(), untold, background, ..RedisReading::default() }, now);
        check_unread(&redis, 22);
        let mut search = SearchState::default();
        let reading = SearchReading {
            health: gap(),
            nodes: gap(),
            read_only: gap(),
            lifecycle: gap(),
            allocation: gap(),
            policies: gap(),
            ..SearchReading::default()
        };
        search.absorb(reading, now);
        check_unread(&search, 14);
        let mut prometheus = PrometheusState::default();
        let panels = vec![PanelReading { series: gap(), ..PanelReading::default() }];
        prometheus.absorb(
            PrometheusReading { targets: gap(), rules: gap(), panels, ..PrometheusReading::default() },
            now,
        );
        check_unread(&prometheus, 5);
    }

    #[test]
    fn a_rule_has_one_name_and_is_declared_once() {
        let ids: Vec<RuleId> = all_rules().iter().map(|spec| spec.id).collect();
        let unique: std::collections::BTreeSet<RuleId> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len());
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
            let queue = QueueReading { waiting: 3, ..Default::default() };
            let evidence = Evidence { workers: Some(0), ..Default::default() };
            let queue = QueueReading { evidence, ..queue };
            let queues = Part::Ready(vec![Warm::new(at, queue)]);
            let reading = RedisReading { queues, ..Default::default() };
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
                    finding.breach.target,
                    finding.breach.rule,
                    finding.breach.severity.word()
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
