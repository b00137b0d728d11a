//! The timeline itself: it follows targets, findings and our own actions, and keeps what happened, bounded. Pure.

use super::event::{About, Event, Kind, Mark};
use super::facts::{Change, Facts, QueueSwitch};
use super::incident::{Incident, Key};
use super::numbers::Numbers;
use super::ours::{self, Deed, Ours};
use crate::core::action::{Action, ActionError, Outcome, Verdict, Verification};
use crate::core::alert::{AlertBook, Finding, Parted, RuleId, RuleUnit, Severity};
use crate::core::ids::{EventId, TargetId};
use crate::core::place::{Place, Screen};
use crate::core::row::RowKey;
use crate::core::target::TargetState;
use crate::core::text::{counted, lasting};
use crate::core::time::Now;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// So many events are kept: some hours of an incident that flaps.
const MOST: usize = 2000;
/// So many queues that were switched at once are told one by one.
const ONE_BY_ONE: usize = 5;
/// What came is kept as a cause for so long. Whether what is found began soon enough after it is for the tie to say.
const KEPT: Duration = Duration::from_secs(86_400);
/// A finding that is told within this time of its begin began now.
const NOW: Duration = Duration::from_secs(2);

/// A finding that is there.
#[derive(Clone, Debug, PartialEq)]
struct Open {
    target: TargetId,
    about: About,
    /// What it said when it was at its worst.
    sentence: String,
    hit: u64,
    place: Place,
    /// What will be is no incident.
    forecast: bool,
    /// Its number, if it has one, and of which unit that is.
    numbers: Option<Numbers>,
    unit: RuleUnit,
}

/// What happened, and what is compared to find that out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Oldest first.
    events: VecDeque<Arc<Event>>,
    /// Those that nobody has taken yet.
    news: VecDeque<Arc<Event>>,
    last: u64,
    facts: BTreeMap<TargetId, Arc<Facts>>,
    /// Targets of which a reading was judged, and when for the first time.
    judged: BTreeMap<TargetId, Now>,
    open: BTreeMap<Key, Open>,
    ours: Ours,
    incident: Incident,
}

impl Timeline {
    /// What happened, newest first.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().rev().map(|event| &**event)
    }

    /// The event with this number.
    #[must_use]
    pub fn event(&self, id: EventId) -> Option<&Event> {
        self.events().find(|event| event.id == id)
    }

    /// What happened in this run since this was asked last.
    pub fn take_news(&mut self) -> Vec<Arc<Event>> {
        std::mem::take(&mut self.news).into()
    }

    /// Takes in what an earlier run has kept, oldest first; it stands before everything of this run.
    pub fn recall(&mut self, kept: Vec<Event>) {
        let room = MOST.saturating_sub(self.events.len());
        for mut event in kept.into_iter().rev().take(room) {
            event.kept = true;
            event.id = self.next();
            self.events.push_front(Arc::new(event));
        }
    }

    fn next(&mut self) -> EventId {
        self.last += 1;
        EventId(self.last)
    }

    /// Somebody else has set a mark, which is in the file already; nothing where it is known.
    pub fn marked(&mut self, mark: &Mark, now: Now) -> Option<Arc<Event>> {
        let event = Event::new(Kind::Marked, None, now.at_wall(mark.at), &mark.words);
        let same = |other: &Event| (other.at.wall, &other.words) == (event.at.wall, &event.words);
        let known = self.events().any(|other| other.kind == Kind::Marked && same(other));
        (!known).then(|| self.take(event))
    }

    fn take(&mut self, mut event: Event) -> Arc<Event> {
        event.id = self.next();
        let event = Arc::new(event);
        self.events.push_back(Arc::clone(&event));
        if self.events.len() > MOST {
            self.events.pop_front();
        }
        event
    }

    fn push(&mut self, event: Event) {
        let event = self.take(event);
        self.news.push_back(event);
        if self.news.len() > MOST {
            self.news.pop_front();
        }
    }

    /// A reading of `target` was taken in.
    pub(in crate::core) fn look(&mut self, target: &TargetState, at: Now) {
        let facts = Arc::make_mut(self.facts.entry(target.id.clone()).or_default());
        let changes = facts.follow(&target.system, at);
        let switched = facts.switched(&target.system);
        for Change { kind, words, place, at: told } in changes {
            let event = Event::new(kind, Some(&target.id), told.unwrap_or(at), &words);
            // An earlier run, or another stacktop, may have told the same.
            if told.is_none() || !self.is_known(&event) {
                self.push(event.leading_to(Some(place)));
            }
        }
        for paused in [true, false] {
            let (ours, others): (Vec<_>, Vec<_>) = switched
                .iter()
                .filter(|switch| switch.paused == paused)
                .partition(|switch| self.ours.did(&target.id, switch, at));
            self.switched(&target.id, &ours, paused, "from here", at);
            self.switched(&target.id, &others, paused, "not by this stacktop", at);
        }
    }

    fn is_known(&self, event: &Event) -> bool {
        let same = |other: &Event| (&other.target, &other.words) == (&event.target, &event.words);
        self.events().any(|other| other.kind == event.kind && same(other))
    }

    fn switched(&mut self, target: &TargetId, queues: &[&QueueSwitch], paused: bool, by: &str, at: Now) {
        let (kind, word) = if paused { (Kind::Paused, "paused") } else { (Kind::Resumed, "resumed") };
        let place = |row| Some(Place { screen: Screen::Queues, row });
        if queues.len() > ONE_BY_ONE {
            let names: Vec<String> =
                queues.iter().take(ONE_BY_ONE).map(|switch| switch.queue.to_string()).collect();
            let words =
                format!("{} were {word}, {by}: {}, …", counted(queues.len(), "queue"), names.join(", "));
            self.push(Event::new(kind, Some(target), at, &words).leading_to(place(None)));
            return;
        }
        for QueueSwitch { queue, .. } in queues {
            let words = format!("queue {queue} was {word}, {by}");
            let row = Some(RowKey::of_queue(target, queue));
            self.push(Event::new(kind, Some(target), at, &words).leading_to(place(row)));
        }
    }

    /// Everything that is known was judged. `answered` are the targets that ever gave a reading: what is there when they are judged for
    /// the first time was there before.
    pub(in crate::core) fn judge<'a>(
        &mut self,
        alerts: &AlertBook,
        answered: impl Iterator<Item = &'a TargetId>,
        unit: impl Fn(RuleId) -> RuleUnit,
        now: Now,
    ) {
        let mut there = BTreeSet::new();
        for finding in alerts.firing() {
            let key = key(finding);
            self.fires(&key, finding, unit(finding.breach.rule), now);
            there.insert(key);
        }
        let over: Vec<Key> = self.open.keys().filter(|key| !there.contains(*key)).cloned().collect();
        for key in over {
            // It ended when it was clear, and not when that had lasted for long enough.
            let end = alerts.findings().into_iter().find(|finding| self::key(finding) == key);
            let parted = end.and_then(|finding| finding.parted);
            self.ends(&key, parted, end.and_then(Finding::ended).unwrap_or(now));
        }
        for target in answered {
            if !self.judged.contains_key(target) {
                self.judged.insert(target.clone(), now);
            }
        }
        if let Some(over) = self.incident.over(now) {
            let event = Event::new(Kind::AllClear, None, over.at, &over.words);
            self.push(Event { lasted: Some(over.lasted), ..event });
        }
    }

    fn fires(&mut self, key: &Key, finding: &Finding, unit: RuleUnit, now: Now) {
        let breach = &finding.breach;
        if let Some(open) = self.open.get_mut(key) {
            open.about.since = finding.since;
            // While it recovers, or nobody can look, there is no new number.
            let value = breach.value.filter(|_| finding.clear.is_none() && finding.unseen.is_none());
            match (value, &mut open.numbers) {
                (Some(value), Some(numbers)) => numbers.take(value, now),
                (Some(value), none) => *none = Some(Numbers::new(value, now)),
                (None, Some(numbers)) => numbers.rest(now),
                (None, None) => {}
            }
            let worst = (breach.severity, breach.hit.count) >= (open.about.severity, open.hit);
            if worst && (open.hit != breach.hit.count || open.sentence != breach.sentence) {
                open.sentence.clone_from(&breach.sentence);
                open.hit = breach.hit.count;
            }
            if breach.severity <= open.about.severity {
                return;
            }
            open.about.severity = breach.severity;
            let event = told(Kind::Worsened, open, now);
            self.incident.worsens(key, breach.severity);
            self.push(event);
            return;
        }
        // A note is nothing that begins or ends.
        if breach.severity == Severity::Info {
            return;
        }
        let first_look = self.judged.get(&breach.target).copied();
        let first = first_look.is_none();
        let open = Open {
            target: breach.target.clone(),
            about: About {
                rule: breach.rule.to_string(),
                subject: breach.subject.clone(),
                severity: breach.severity,
                since: finding.since,
                // It is as old as the first look: no server says how much older.
                at_least: first_look.unwrap_or(now).mono == finding.since.mono,
            },
            sentence: breach.sentence.clone(),
            hit: breach.hit.count,
            place: breach.place.clone(),
            forecast: finding.is_forecast(),
            numbers: breach.value.map(|value| Numbers::new(value, now)),
            unit,
        };
        if !open.forecast {
            self.incident.begins(key, breach.severity, finding.since, first);
        }
        if !first {
            self.push(told(Kind::Began, &open, now));
        }
        self.open.insert(key.clone(), open);
    }

    fn ends(&mut self, key: &Key, parted: Option<Parted>, now: Now) {
        let Some(mut open) = self.open.remove(key) else { return };
        // It ended for us: that it is over there nobody can say.
        if let Some(parted) = parted {
            open.sentence.push_str(&format!(" ({})", parted.words()));
        }
        let mut event = told(Kind::Ended, &open, now);
        if let Some(words) = open.numbers.as_ref().and_then(|numbers| numbers.words(open.unit)) {
            event.words.push_str(&format!("; {words}"));
        }
        self.push(Event { lasted: Some(now.since(open.about.since)), parted, ..event });
        let unknown = parted.is_some_and(Parted::is_unknown);
        self.incident.ends(key, (&open.sentence, unknown), open.about.since, now);
    }

    /// An action was confirmed and is sent.
    pub fn asked(&mut self, action: &Action, now: Now) {
        let named = ours::named(action);
        self.ours.sent(action, now);
        self.incident.acted(&named, now);
        self.act(Kind::Asked, action, &named, now);
    }

    /// What was done from here within the last minutes and others may suffer from.
    pub(in crate::core) fn deeds(&self, now: Now) -> Vec<&Deed> {
        self.ours.deeds(now)
    }

    /// Versions, processes and migrations that came within the last day of this run.
    pub(in crate::core) fn changes(&self, now: Now) -> impl Iterator<Item = &Event> {
        let came = |event: &&Event| {
            matches!(event.kind, Kind::Version | Kind::Restarted | Kind::Migrated) && !event.kept
        };
        self.events().filter(came).filter(move |event| now.since(event.at) < KEPT)
    }

    /// What came of it.
    pub fn done(&mut self, action: &Action, result: &Result<Outcome, ActionError>, now: Now) {
        let summary = match result {
            Ok(outcome) => outcome.summary.clone(),
            Err(error) => error.to_string(),
        };
        let undone = match result {
            Ok(outcome) => outcome.verdict == Verdict::Nothing,
            Err(ActionError::Unknown(_)) => false,
            Err(ActionError::Refused(_) | ActionError::NoAudit(_) | ActionError::NotDone(_)) => true,
        };
        if undone {
            self.ours.withdrawn(action);
        }
        self.came(Kind::Outcome, action, &summary, now);
    }

    /// What a look afterwards found.
    pub fn looked(&mut self, action: &Action, found: &Result<Verification, ActionError>, now: Now) {
        if let Ok(found) = found {
            self.came(Kind::Looked, action, &found.sentence, now);
        }
    }

    /// Somebody has taken note of a finding, or takes that back: how, in words.
    pub fn noted(&mut self, finding: &Finding, how: &str, now: Now) {
        let Finding { breach, .. } = finding;
        let words = format!("{how}: {}", breach.sentence);
        let event = Event::new(Kind::Noted, Some(&breach.target), now, &words);
        self.push(event.leading_to(Some(breach.place.clone())));
    }

    /// What came of what was predicted of an action.
    pub fn checked(&mut self, action: &Action, words: &str, now: Now) {
        self.came(Kind::Looked, action, words, now);
    }

    fn came(&mut self, kind: Kind, action: &Action, sentence: &str, now: Now) {
        let named = ours::named(action);
        self.incident.told(&named, sentence);
        self.act(kind, action, &format!("{named}: {sentence}"), now);
    }

    fn act(&mut self, kind: Kind, action: &Action, words: &str, now: Now) {
        let place = Some(ours::place(action));
        self.push(Event::new(kind, Some(action.target()), now, words).leading_to(place));
    }

    /// Nobody was running for a while: why. What happened meanwhile is seen only as far as it lasts.
    pub(in crate::core) fn unwatched(&mut self, why: &str, now: Now) {
        self.push(Event::new(Kind::Unwatched, None, now, why));
    }

    /// Targets are watched no more, or are asked in another way: who answers under their name next is compared with nothing.
    pub(in crate::core) fn part(&mut self, left: &[TargetId]) {
        for target in left {
            self.facts.remove(target);
            self.judged.remove(target);
        }
    }

    /// Targets have come or gone: which.
    pub(in crate::core) fn listed(&mut self, words: &str, now: Now) {
        self.push(Event::new(Kind::Listed, None, now, words));
    }
}

fn key(finding: &Finding) -> Key {
    let breach = &finding.breach;
    (breach.rule.to_string(), breach.target.to_string(), breach.subject.clone())
}

/// An event about a finding.
fn told(kind: Kind, open: &Open, now: Now) -> Event {
    let age = now.since(open.about.since);
    let words = if kind == Kind::Began && age >= NOW {
        let least = if open.about.at_least { ", or longer" } else { "" };
        format!("{} (for {} by then{least})", open.sentence, lasting(age))
    } else {
        open.sentence.clone()
    };
    let event = Event::new(kind, Some(&open.target), now, &words).leading_to(Some(open.place.clone()));
    Event { about: Some(open.about.clone()), ..event }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Breach, Grade, Rulebook};
    use crate::core::ids::SystemKind;
    use crate::core::metrics::{MetricSample, MetricsReading};
    use crate::core::part::{Part, Warm};
    use crate::core::postgres::{BackendId, PgAction, PostgresReading, Session, Slots};
    use crate::core::reading::Reading;
    use crate::core::redis::{QueueReading, QueueRef, RedisAction, RedisReading};
    use crate::core::report::{BreakerState, Plan, PollReport};
    use crate::core::search::{SearchNode, SearchReading};
    use crate::core::world::{World, all_rules};

    const SECOND: Duration = Duration::from_secs(1);

    /// A world of one target, which reports at these seconds; what was told after the first report.
    fn told(kind: SystemKind, readings: Vec<(u64, Reading)>) -> Vec<String> {
        let id = TargetId::new("one");
        let target = TargetState::new(id.clone(), kind, String::new(), SECOND, Now::example(0));
        let mut world = World::new(vec![target], Rulebook::defaults(&all_rules()));
        let mut words = Vec::new();
        for (index, (second, reading)) in readings.into_iter().enumerate() {
            report(&mut world, &id, second, reading);
            let news = world.timeline.take_news();
            assert!(index > 0 || news.is_empty(), "what was so at first is no change: {news:?}");
            let changes = news.iter().filter(|event| event.about.is_none());
            words.extend(changes.map(|event| format!("{}: {}", event.kind.word(), event.words)));
        }
        words
    }

    fn report(world: &mut World, id: &TargetId, second: u64, reading: Reading) {
        let at = Now::example(second);
        world.apply(PollReport {
            target: id.clone(),
            at,
            took: Duration::ZERO,
            plan: Plan {
                interval: SECOND,
                widened: false,
                next: at.plus(SECOND),
                breaker: BreakerState::Closed,
                failures: 0,
                knocks: false,
            },
            overtaken: 0,
            asked: 0,
            result: Ok(reading),
        });
        world.evaluate(at);
    }

    #[track_caller]
    fn check(kind: SystemKind, readings: Vec<(u64, Reading)>, expected: &[&str]) {
        assert_eq!(told(kind, readings), expected);
    }

    /// A server that began so many seconds after the start of the example.
    fn postgres(started: i64, change: impl FnOnce(&mut PostgresReading)) -> Reading {
        let mut reading = PostgresReading::default();
        reading.server.started_micros = Now::example(0).wall.timestamp_micros() + started * 1_000_000;
        reading.server.version = "16.4".to_owned();
        reading.slots = Part::Ready(Slots { max: 100, reserved: 3, used: 1, synchronous: String::new() });
        change(&mut reading);
        Reading::Postgres(Box::new(reading))
    }

    #[test]
    fn a_server_of_postgres() {
        let same = || postgres(-500, |_| {});
        check(SystemKind::Postgres, vec![(1, same()), (2, same())], &[]);
        check(
            SystemKind::Postgres,
            vec![(1, same()), (2, postgres(2, |_| {})), (3, postgres(2, |_| {}))],
            &["restart: the server was restarted (up since 2026-09-21 14:13:22Z by its own clock)"],
        );
        // It was up long before the other one was seen last.
        check(
            SystemKind::Postgres,
            vec![(1, same()), (2, postgres(-100, |_| {}))],
            &[
                "other: another server answers here than before (up since 2026-09-21 14:11:40Z by its own clock)",
            ],
        );
        let checkpointer = |pid: i32| {
            let id = BackendId { pid, backend_start_micros: 7 };
            let session = Session { id, backend_type: "checkpointer".to_owned(), ..Session::default() };
            postgres(-500, |reading| reading.sessions = Part::Ready(vec![session]))
        };
        check(
            SystemKind::Postgres,
            vec![(1, checkpointer(7)), (2, checkpointer(8)), (3, checkpointer(8))],
            &["crash: a process of the server died, and every session was ended with it"],
        );
        check(
            SystemKind::Postgres,
            vec![(1, same()), (2, postgres(-500, |reading| reading.server.in_recovery = true)), (3, same())],
            &["role: it is a standby now, and was a primary", "role: it is a primary now, and was a standby"],
        );
        let slots = |max: i64, synchronous: &str| {
            let slots = Slots { max, reserved: 3, used: 1, synchronous: synchronous.to_owned() };
            postgres(-500, |reading| reading.slots = Part::Ready(slots))
        };
        // What is not read for a while is not nothing meanwhile.
        check(
            SystemKind::Postgres,
            vec![
                (1, same()),
                (2, postgres(-500, |reading| reading.slots = Part::NotAsked)),
                (3, slots(200, "")),
                (4, slots(200, "ANY 1 (a, b)")),
                (5, slots(200, "")),
            ],
            &[
                "setting: max_connections: 100 became 200",
                "setting: synchronous_standby_names: nothing became ANY 1 (a, b)",
                "setting: synchronous_standby_names: ANY 1 (a, b) became nothing",
            ],
        );
    }

    fn redis(run: &str, up: u64, change: impl FnOnce(&mut RedisReading)) -> Reading {
        let mut reading = RedisReading::default();
        reading.server.run_id = run.to_owned();
        reading.server.uptime = Some(SECOND * u32::try_from(up).expect("small"));
        reading.server.role = "master".to_owned();
        change(&mut reading);
        Reading::Redis(Box::new(reading))
    }

    fn queues(second: u64, queues: &[(&str, bool)]) -> Reading {
        let queue = |(name, paused): &(&str, bool)| {
            let queue = QueueRef { prefix: "bull".to_owned(), name: (*name).to_owned() };
            Warm::new(
                Now::example(second),
                QueueReading { queue, paused: *paused, ..QueueReading::default() },
            )
        };
        redis("a", 500, |reading| reading.queues = Part::Ready(queues.iter().map(queue).collect()))
    }

    #[test]
    fn a_server_of_redis() {
        check(
            SystemKind::Redis,
            vec![(1, redis("a", 500, |_| {})), (4, redis("b", 2, |_| {}))],
            &["restart: the server was restarted (up for 2.0 s)"],
        );
        check(
            SystemKind::Redis,
            vec![
                (1, redis("a", 500, |_| {})),
                (4, redis("b", 900, |reading| reading.server.role = "slave".to_owned())),
            ],
            &[
                "other: another server answers here than before (up for 15m00s)",
                "role: it is a replica now, and was a primary",
            ],
        );
        let policy = |policy: &str, limit| {
            redis("a", 500, |reading| {
                reading.server.policy = Some(policy.to_owned());
                reading.server.used_memory_bytes = Some(1.0);
                reading.server.maxmemory_bytes = limit;
            })
        };
        check(
            SystemKind::Redis,
            vec![
                (1, policy("noeviction", None)),
                (2, redis("a", 501, |_| {})),
                (3, policy("allkeys-lru", Some(1024.0))),
            ],
            &[
                "setting: maxmemory: no limit became 1.0 KiB",
                "setting: maxmemory-policy: noeviction became allkeys-lru",
            ],
        );
    }

    #[test]
    fn queues_that_are_switched_and_by_whom() {
        check(
            SystemKind::Redis,
            vec![
                (1, queues(1, &[("a", false), ("b", true)])),
                (2, queues(2, &[("a", true), ("b", true), ("c", true)])),
                (3, queues(3, &[("a", true), ("b", false), ("c", true)])),
            ],
            &[
                "paused: queue a was paused, not by this stacktop",
                "resumed: queue b was resumed, not by this stacktop",
            ],
        );
        let many = |paused| {
            [("a", paused), ("b", paused), ("c", paused), ("d", paused), ("e", paused), ("f", paused)]
        };
        check(
            SystemKind::Redis,
            vec![(1, queues(1, &many(false))), (2, queues(2, &many(true)))],
            &["paused: 6 queues were paused, not by this stacktop: a, b, c, d, e, …"],
        );
        let id = TargetId::new("one");
        let target = TargetState::new(id.clone(), SystemKind::Redis, String::new(), SECOND, Now::example(0));
        let mut world = World::new(vec![target], Rulebook::defaults(&all_rules()));
        report(&mut world, &id, 1, queues(1, &[("a", false), ("b", false)]));
        let pause = |name: &str| {
            let queue = QueueRef { prefix: "bull".to_owned(), name: name.to_owned() };
            Action::Redis { target: id.clone(), act: RedisAction::Pause { queue } }
        };
        world.timeline.asked(&pause("a"), Now::example(2));
        world.timeline.asked(&pause("b"), Now::example(2));
        world.timeline.done(&pause("b"), &Err(ActionError::Refused("read-only".to_owned())), Now::example(2));
        report(&mut world, &id, 3, queues(3, &[("a", true), ("b", true)]));
        let words: Vec<&str> = world.timeline.events().take(2).map(|event| event.words.as_str()).collect();
        assert_eq!(
            words,
            ["queue b was paused, not by this stacktop", "queue a was paused, from here"],
            "what was refused was not done from here"
        );
    }

    #[test]
    fn a_cluster_of_search() {
        let cluster = |second: u64, nodes: &[(&str, f64)], allocation: Option<&str>| {
            let node = |(name, up): &(&str, f64)| SearchNode {
                id: (*name).to_owned(),
                name: format!("node-{name}"),
                uptime_millis: Some(*up),
                ..SearchNode::default()
            };
            let at = Now::example(second);
            Reading::Search(Box::new(SearchReading {
                nodes: Part::Ready(Warm::new(at, nodes.iter().map(node).collect())),
                allocation: Part::Ready(Warm::new(at, allocation.map(str::to_owned))),
                ..SearchReading::default()
            }))
        };
        check(
            SystemKind::Search,
            vec![
                (1, cluster(1, &[("a", 1e6), ("b", 1e6)], None)),
                (2, cluster(2, &[("a", 1.001e6), ("c", 500.0)], Some("none"))),
                (3, cluster(3, &[("a", 100.0), ("c", 1500.0)], None)),
            ],
            &[
                "setting: cluster.routing.allocation.enable: all became none",
                "nodes: node-b left the cluster, which has 2 nodes now",
                "nodes: node-c joined the cluster, which has 2 nodes now",
                "setting: cluster.routing.allocation.enable: none became all",
                "restart: node-a began anew",
            ],
        );
    }

    #[test]
    fn an_endpoint() {
        let wall = |second: u64| Now::example(second).wall.timestamp() as f64;
        let scrape = |start: f64, version: &str| {
            let sample = |name: &str, labels: &[(&str, &str)], value| MetricSample {
                name: name.to_owned(),
                labels: labels.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
                value,
            };
            let samples = [
                sample("process_start_time_seconds", &[], start),
                sample("shop_build_info", &[("version", version), ("commit", "abc")], 1.0),
                sample("jobs_info", &[("queue", "mails")], 1.0),
                sample("requests", &[("app_version", version), ("code", "200")], 1.0),
                sample("requests", &[("app_version", version), ("code", "500")], 1.0),
                sample("errors", &[("app_version", version)], 1.0),
            ];
            Reading::Metrics(Box::new(MetricsReading::of(&samples, &BTreeMap::new())))
        };
        let old = wall(0) - 900.0;
        check(
            SystemKind::Metrics,
            vec![
                (1, scrape(old, "1.4.1")),
                (6, scrape(old, "1.4.1")),
                (11, scrape(wall(9), "1.4.2")),
                (16, scrape(wall(9), "1.4.1")),
            ],
            &[
                "restart: another process answers, which began at 2026-09-21 14:13:29Z",
                "version: shop_build_info: version 1.4.2 (revision abc) is there for the first time",
                "version: app_version 1.4.2 is there for the first time",
            ],
        );
        // A second worker behind the same address is new only to us.
        check(SystemKind::Metrics, vec![(1, scrape(old, "1")), (6, scrape(old + 60.0, "1"))], &[]);
    }

    /// Findings over time, by second: what fires on target `one`, with its severity.
    struct Told {
        timeline: Timeline,
        book: AlertBook,
        rules: Rulebook,
    }

    impl Told {
        fn begin() -> Self {
            let specs: Vec<_> = all_rules();
            Self {
                timeline: Timeline::default(),
                book: AlertBook::default(),
                rules: Rulebook::defaults(&specs),
            }
        }

        fn at(&mut self, second: u64, firing: &[(&'static str, Severity, u64)]) -> Vec<String> {
            let now = Now::example(second);
            let one = TargetId::new("one");
            let breach = |(rule, severity, for_seconds): &(&'static str, Severity, u64)| {
                let spec = all_rules().into_iter().find(|spec| spec.id == *rule).expect("a rule");
                let grade = Grade { severity: *severity, value: None, threshold: None };
                let about = ("it", format!("{rule} is bad"));
                let mut breach = Breach::new(spec, &one, Screen::Queries, grade, about);
                breach.since((*for_seconds > 0).then(|| Duration::from_secs(*for_seconds)));
                breach.hits(1_u64, "session");
                breach
            };
            let breaches = firing.iter().map(breach).collect();
            let triage = |_| crate::core::alert::Triage::Errors;
            self.book.observe(breaches, &self.rules, triage, |_| false, now);
            self.timeline.judge(&self.book, [&one].into_iter(), |_| RuleUnit::Count, now);
            self.timeline.take_news().iter().map(|event| line(event)).collect()
        }
    }

    fn line(event: &Event) -> String {
        let lasted = event.lasted.map_or_else(String::new, |lasted| format!(" [{}]", lasting(lasted)));
        let least = event.about.as_ref().is_some_and(|about| about.at_least);
        format!("{}: {}{lasted}{}", event.kind.word(), event.words, if least { " at least" } else { "" })
    }

    const BLOCKED: &str = "postgres.blocked";
    const PREPARED: &str = "postgres.prepared";

    #[test]
    fn a_finding_begins_gets_worse_and_ends() {
        let mut told = Told::begin();
        let none = Vec::<String>::new();
        assert_eq!(told.at(1, &[]), none);
        assert_eq!(
            told.at(60, &[(BLOCKED, Severity::Warning, 12)]),
            ["began: postgres.blocked is bad (for 12 s by then)"]
        );
        assert_eq!(told.at(61, &[(BLOCKED, Severity::Warning, 13)]), none);
        assert_eq!(told.at(108, &[(BLOCKED, Severity::Critical, 60)]), ["worse: postgres.blocked is bad"]);
        assert_eq!(told.at(109, &[(BLOCKED, Severity::Warning, 61)]), none, "better is not over");
        assert_eq!(told.at(110, &[(BLOCKED, Severity::Critical, 62)]), none, "it was as bad before");
        assert_eq!(told.at(148, &[]), ["ended: postgres.blocked is bad [1m40s]"]);
        assert_eq!(told.at(150, &[]), none, "what begins again soon belongs to it");
        assert_eq!(
            told.at(170, &[]),
            ["all clear: all clear after 1m40s: postgres.blocked is bad (1m40s) [1m40s]"]
        );
        assert_eq!(told.timeline.events().next().map(|event| event.at), Some(Now::example(148)));
        assert_eq!(told.at(200, &[]), none, "it is told once");
    }

    #[test]
    fn what_is_there_at_first_is_no_change_and_its_end_is_one() {
        let mut told = Told::begin();
        let none = Vec::<String>::new();
        let chronic = (PREPARED, Severity::Warning, 0);
        let silent = ("source.silent", Severity::Critical, 0);
        assert_eq!(told.at(1, &[chronic, silent, (BLOCKED, Severity::Critical, 90)]), none);
        assert_eq!(told.at(11, &[chronic, silent]), ["ended: postgres.blocked is bad [1m40s]"]);
        // What was there before is not waited for: it may be there for ever.
        assert_eq!(
            told.at(30, &[chronic, silent]),
            [
                "all clear: over after 1m40s: postgres.blocked is bad (1m40s); 2 that were there before go on [1m40s]"
            ]
        );
        assert_eq!(told.at(61, &[silent]), ["ended: postgres.prepared is bad [1m00s] at least"]);
        assert_eq!(told.at(90, &[silent]), none, "that a warning of before ended ends no incident");
        told.at(500, &[silent, (BLOCKED, Severity::Warning, 2)]);
        told.at(508, &[silent]);
        let words = told.at(530, &[silent]);
        assert!(words.len() == 1 && words[0].contains("over after 10 s: postgres.blocked"), "{words:?}");
    }

    #[test]
    fn what_had_to_hold_since_the_first_look_may_be_older() {
        let mut told = Told::begin();
        // A rule with a hold of ten seconds.
        let errors = ("metrics.errors", Severity::Critical, 0);
        assert_eq!(told.at(1, &[errors]), Vec::<String>::new());
        assert_eq!(
            told.at(11, &[errors]),
            ["began: metrics.errors is bad (for 10 s by then, or longer) at least"]
        );
        // It swings: it is over once it was clear for a while, and then since the beginning of that.
        assert_eq!(told.at(21, &[]), Vec::<String>::new());
        assert_eq!(told.at(36, &[])[0], "ended: metrics.errors is bad [20 s] at least");
    }

    #[test]
    fn an_incident_is_summed_up_with_what_was_done_from_here_and_no_cause() {
        let mut told = Told::begin();
        told.at(1, &[]);
        told.at(100, &[("metrics.errors", Severity::Critical, 10), (BLOCKED, Severity::Warning, 20)]);
        let backend = BackendId { pid: 4918, backend_start_micros: 5 };
        let action = Action::Postgres {
            target: TargetId::new("one"),
            act: PgAction::Terminate { backend, promise: crate::core::postgres::Promise::default() },
        };
        told.timeline.asked(&action, Now::example(130));
        let found = Verification { settled: true, sentence: "released 9".to_owned() };
        told.timeline.looked(&action, &Ok(found), Now::example(131));
        told.at(132, &[("metrics.errors", Severity::Critical, 42)]);
        told.at(180, &[]);
        let words = told.at(200, &[]);
        assert_eq!(
            words[1..],
            [
                "all clear: all clear after 1m40s: metrics.errors is bad (1m30s); postgres.blocked is bad (52 s); \
                 from here: terminate_backend pid 4918 after 50 s (released 9) [1m40s]"
            ]
        );
        // What is done later belongs to another one.
        told.timeline.asked(&action, Now::example(201));
        told.at(210, &[(BLOCKED, Severity::Warning, 1), ("metrics.errors", Severity::Warning, 1)]);
        told.at(211, &[]);
        let words = told.at(230, &[]).pop().expect("it is over");
        assert!(!words.contains("from here"), "{words}");
    }

    #[test]
    fn only_so_much_is_kept_and_what_an_earlier_run_kept_stands_before_it() {
        let mut timeline = Timeline::default();
        let event =
            |second: u64| Event::new(Kind::Reset, None, Now::example(second), &format!("at {second}"));
        for second in 0..2500 {
            timeline.push(event(second));
        }
        assert_eq!((timeline.events().count(), timeline.take_news().len()), (MOST, MOST));
        timeline.recall(vec![event(9)]);
        assert_eq!(timeline.events().filter(|event| event.kept).count(), 0, "there is no room");
        let mut timeline = Timeline::default();
        timeline.push(event(10));
        timeline.recall(vec![event(8), event(9)]);
        let told: Vec<_> = timeline.events().map(|event| (event.words.as_str(), event.kept)).collect();
        assert_eq!(told, [("at 10", false), ("at 9", true), ("at 8", true)]);
        assert_eq!(timeline.take_news().len(), 1, "what was kept is no news");
    }
}
