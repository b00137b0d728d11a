//! What the chain says will come of an action, and whether it came: it is told before, and looked at afterwards for a bounded time. Only
//! what an edge of the chain ties to the object of the action is predicted; a promise about sessions is the action's own. Pure.

use super::action::Action;
use super::alert::{Finding, FindingKey, Remedy, RuleSpec, RuleUnit, Stage, Step, Triage};
use super::chain::Tie;
use super::ids::TargetId;
use super::postgres::PgAction;
use super::redis::{JobAct, RedisAction};
use super::row::RowKey;
use super::search::{SearchAction, SearchRow};
use super::text::lasting;
use super::time::Now;
use super::world::World;
use std::time::Duration;

/// So long an effect is waited for; what counts over a window is waited for so much longer than that.
const WITHIN: Duration = Duration::from_secs(60);
/// So many effects are named.
const NAMED: usize = 3;
/// A number that went back by this share is better, though it is not over.
const BETTER: f64 = 0.1;

/// A consequence that should end.
#[derive(Clone, Debug, PartialEq)]
struct Expected {
    key: FindingKey,
    tie: Tie,
    /// What was measured when it was predicted.
    value: Option<f64>,
    /// When it is over: "below 1 %".
    over: String,
}

/// What should be over after an action, and until when.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// What the action takes away.
    causes: Vec<FindingKey>,
    /// What is explained by it.
    effects: Vec<Expected>,
    /// What was there beside it, of the same kind: what comes later came in its place.
    beside: Vec<FindingKey>,
    within: Duration,
    /// One sentence, as the preview shows it and the audit trail keeps it.
    pub words: String,
}

/// What came of a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// All of it came.
    pub confirmed: bool,
    /// One sentence with its time.
    pub words: String,
}

impl Prediction {
    /// What the chain says of `action`; nothing where its object explains nothing and hits nobody.
    #[must_use]
    pub fn of(world: &World, action: &Action) -> Option<Self> {
        let firing = world.alerts.firing();
        let (causes, others): (Vec<&Finding>, Vec<&Finding>) =
            firing.into_iter().partition(|finding| takes_away(action, finding));
        let keys: Vec<FindingKey> = causes.iter().map(|finding| finding.key()).collect();
        let effects: Vec<Expected> =
            others.iter().filter_map(|finding| expected(world, &keys, finding)).collect();
        if effects.is_empty() && causes.iter().all(|cause| cause.breach.hit.count == 0) {
            return None;
        }
        let alike = |finding: &&&Finding| keys.iter().any(|key| is_alike(key, finding));
        let beside = others.iter().filter(alike).map(|finding| finding.key()).collect();
        let window = effects.iter().filter_map(|effect| world.spec(effect.key.rule)).map(|spec| spec.window);
        let within = WITHIN + window.max().unwrap_or_default();
        let words = words(&causes, &effects, within);
        Some(Self { causes: keys, effects, beside, within, words })
    }

    /// Whether there is still something to be taken away: what ended before was ended by nobody here.
    #[must_use]
    pub fn is_due(&self, world: &World) -> bool {
        self.causes.iter().any(|key| open(world, key).is_some())
    }

    /// Whether a cause or an effect is of `target`.
    #[must_use]
    pub fn is_about(&self, target: &TargetId) -> bool {
        let effects = self.effects.iter().map(|effect| &effect.key);
        self.causes.iter().chain(effects).any(|key| key.target == *target)
    }

    /// What came of it since it was `sent`; nothing while that is still open and time is left.
    #[must_use]
    pub fn check(&self, world: &World, sent: Now, now: Now) -> Option<Checked> {
        let after = lasting(now.since(sent));
        let causes: Vec<&Finding> = self.causes.iter().filter_map(|key| open(world, key)).collect();
        let followed = world.alerts.followed();
        let came: Vec<&Finding> = followed.filter(|finding| self.came_instead(finding)).collect();
        let (left, over): (Vec<&Expected>, Vec<&Expected>) =
            self.effects.iter().partition(|effect| open(world, &effect.key).is_some());
        if causes.is_empty() && came.is_empty() && left.is_empty() {
            let words = format!("confirmed after {after}{}", listed(": ", &over, " over"));
            return Some(Checked { confirmed: true, words });
        }
        if now.since(sent) < self.within {
            return None;
        }
        let open_effects = left.iter().filter_map(|effect| open(world, &effect.key));
        let unseen = causes.iter().copied().chain(open_effects).find(|finding| finding.unseen.is_some());
        let better = left.iter().any(|effect| is_better(world, effect));
        let words = match (unseen, causes.first().or(came.first())) {
            (Some(unseen), _) => {
                format!("not known after {after}: nothing new is read of {}", unseen.breach.target)
            }
            (None, Some(cause)) if self.causes.contains(&cause.key()) => {
                format!("unchanged after {after}: {} (still there)", cause.breach.sentence)
            }
            (None, Some(next)) => format!("not over after {after}: now {}", next.breach.sentence),
            (None, None) if over.is_empty() && !better => {
                format!("unchanged after {after}: this was not the cause{}", listed(" of ", &left, ""))
            }
            (None, None) => {
                let less = if better { ", but less" } else { "" };
                let over = listed("", &over, " over");
                let begin = if over.is_empty() { String::new() } else { format!("{over}; ") };
                format!("partly after {after}: {begin}{}{less}", listed("", &left, " not over"))
            }
        };
        Some(Checked { confirmed: false, words })
    }

    /// Whether this stands where one of the causes stood, and was not there before.
    fn came_instead(&self, finding: &Finding) -> bool {
        let key = finding.key();
        let known = self.causes.contains(&key) || self.beside.contains(&key);
        let there = !matches!(finding.stage, Stage::Resolved(_));
        there && !known && self.causes.iter().any(|cause| is_alike(cause, finding))
    }
}

fn is_alike(key: &FindingKey, finding: &Finding) -> bool {
    key.rule == finding.breach.rule && key.target == finding.breach.target
}

/// The finding, while it is so: not when it is clear and only has to stay so for a while.
fn open<'a>(world: &'a World, key: &FindingKey) -> Option<&'a Finding> {
    world.alerts.get(key).filter(|finding| finding.stage == Stage::Firing && finding.clear.is_none())
}

/// Whether `action` takes away what `finding` is about.
fn takes_away(action: &Action, finding: &Finding) -> bool {
    let Some(row) = finding.breach.place.row.as_ref() else { return false };
    let remedies = |wanted: &[Remedy]| match &finding.breach.step {
        Step::Act(remedy, _) => wanted.contains(remedy),
        Step::Look(_) | Step::Say(_) => false,
    };
    match action {
        Action::Postgres { target, act } => match act {
            PgAction::Cancel { backend, .. } | PgAction::Terminate { backend, .. } => {
                *row == RowKey::backend(target, *backend)
            }
            PgAction::Several { backends, .. } => {
                backends.iter().any(|(backend, _)| *row == RowKey::backend(target, *backend))
            }
            PgAction::Upkeep { .. } => false,
        },
        Action::Redis { target, act } => match act {
            RedisAction::Resume { queue } => {
                *row == RowKey::of_queue(target, queue) && remedies(&[Remedy::Resume])
            }
            RedisAction::Switches { queue, others, resume: true } => {
                let queues = std::iter::once(queue).chain(others);
                let of_one = queues.into_iter().any(|queue| *row == RowKey::of_queue(target, queue));
                of_one && remedies(&[Remedy::Resume])
            }
            RedisAction::Jobs { queue, act: JobAct::Release | JobAct::GiveUp, .. } => {
                *row == RowKey::of_queue(target, queue) && remedies(&[Remedy::Recover])
            }
            RedisAction::Switches { resume: false, .. }
            | RedisAction::Pause { .. }
            | RedisAction::Jobs { .. }
            | RedisAction::Change { .. }
            | RedisAction::Redrive { .. } => false,
        },
        // What is kept quiet goes on all the same.
        Action::Alertmanager { .. } => false,
        Action::Search { target, act } => {
            let taken = match act {
                SearchAction::RetryStep { index, .. } => SearchRow::Lifecycle(index.name.clone()),
                SearchAction::Allocate { .. } => SearchRow::Allocation,
                // Of several the others stay blocked.
                SearchAction::Unblock { index } if finding.breach.hit.count <= 1 => {
                    SearchRow::Blocked(index.name.clone())
                }
                SearchAction::Unblock { .. }
                | SearchAction::RetryFailed { .. }
                | SearchAction::CancelTask { .. }
                | SearchAction::Replicas { .. } => return false,
            };
            *row == RowKey::Search(target.clone(), taken)
        }
    }
}

/// `finding`, if the way up from it leads to one of `causes`: as surely as the weakest link on that way.
fn expected(world: &World, causes: &[FindingKey], finding: &Finding) -> Option<Expected> {
    let key = finding.key();
    open(world, &key)?;
    let path = world.chain.path(&key);
    let at = path.iter().position(|link| causes.contains(&link.cause))?;
    let tie = path.iter().take(at + 1).map(|link| link.evidence.tie).min()?;
    let spec = world.spec(key.rule)?;
    let over = over(spec, world.rules.get(key.rule).warning);
    Some(Expected { key, tie, value: finding.breach.value, over })
}

/// What a rule says when it is over. Seconds that tell how long something has been so have no measure at which it ends.
fn over(spec: &RuleSpec, threshold: Option<f64>) -> String {
    let measures = match spec.unit {
        RuleUnit::Count | RuleUnit::Ratio | RuleUnit::Bytes | RuleUnit::PerSecond => true,
        RuleUnit::Seconds => matches!(spec.triage, Triage::Latency | Triage::Lag),
        RuleUnit::State => false,
    };
    match threshold.filter(|_| measures) {
        Some(threshold) if spec.less_is_worse() => format!("at least {}", spec.unit.told(threshold)),
        Some(threshold) => format!("below {}", spec.unit.told(threshold)),
        None => "over".to_owned(),
    }
}

fn is_better(world: &World, effect: &Expected) -> bool {
    let now = open(world, &effect.key).and_then(|finding| finding.breach.value);
    let low = world.spec(effect.key.rule).is_some_and(RuleSpec::less_is_worse);
    effect.value.zip(now).is_some_and(|(before, now)| {
        if low { now > before * (1.0 + BETTER) } else { now < before * (1.0 - BETTER) }
    })
}

fn words(causes: &[&Finding], effects: &[Expected], within: Duration) -> String {
    let hit = causes.iter().map(|cause| cause.breach.hit).max_by_key(|hit| hit.count).unwrap_or_default();
    let freed = Some(hit.words()).filter(|words| !words.is_empty());
    let mut told: Vec<String> = freed.map(|words| format!("{words} free")).into_iter().collect();
    if let Some(effect) = effects.first() {
        let FindingKey { target, rule, .. } = &effect.key;
        told.push(format!("{target} {rule} {}", effect.over));
    }
    // In a low window every line of a preview is one that has to be scrolled to: the others are on the finding's page.
    if effects.len() > 1 {
        told.push(format!("{} more over", effects.len() - 1));
    }
    let tie = effects.iter().map(|effect| effect.tie).min();
    let sure = tie.map_or_else(String::new, |tie| format!(" ({})", tie.word()));
    format!("within {}{sure}: {}", lasting(within), told.join(", "))
}

/// The names of some effects between two words; nothing where there are none.
fn listed(begin: &str, effects: &[&Expected], end: &str) -> String {
    if effects.is_empty() {
        return String::new();
    }
    let mut names: Vec<String> = effects
        .iter()
        .take(NAMED)
        .map(|effect| format!("{} {}", effect.key.target, effect.key.rule))
        .collect();
    if effects.len() > NAMED {
        names.push(format!("{} more", effects.len() - NAMED));
    }
    format!("{begin}{}{end}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Breach, Grade, Rulebook, Severity};
    use crate::core::chain::Chain;
    use crate::core::ids::SystemKind;
    use crate::core::part::Part;
    use crate::core::place::Screen;
    use crate::core::postgres::{BackendId, PostgresReading, Session};
    use crate::core::reading::Reading;
    use crate::core::redis::QueueRef;
    use crate::core::report::PollReport;
    use crate::core::world::{TargetState, all_rules};

    const SECOND: Duration = Duration::from_secs(1);
    const BLOCKER: BackendId = BackendId { pid: 7, backend_start_micros: 1 };
    const NEXT: BackendId = BackendId { pid: 8, backend_start_micros: 2 };

    /// A database on which a session of the service waits, and the endpoint of that service.
    fn world() -> World {
        let target = |(id, kind): (&str, SystemKind)| {
            TargetState::new(TargetId::new(id), kind, String::new(), SECOND, Now::example(0))
        };
        let kinds = [("pg", SystemKind::Postgres), ("shop-api", SystemKind::Metrics)];
        let mut world = World::new(kinds.map(target).to_vec(), Rulebook::defaults(&all_rules()));
        let waiter = Session {
            application: "shop-api".to_owned(),
            wait: Some(("Lock".to_owned(), "relation".to_owned())),
            ..Session::default()
        };
        let reading = PostgresReading { sessions: Part::Ready(vec![waiter]), ..PostgresReading::default() };
        let reading = Ok(Reading::Postgres(Box::new(reading)));
        world.apply(PollReport::example(TargetId::new("pg"), reading, Now::example(100)));
        world
    }

    fn breach(rule: &str, target: &str, value: f64) -> Breach {
        let spec = all_rules().into_iter().find(|spec| spec.id.as_str() == rule).expect("a rule");
        let grade = Grade { severity: Severity::Warning, value: Some(value), threshold: None };
        let about = (rule.to_owned(), format!("{rule} on {target}"));
        Breach::new(spec, &TargetId::new(target), Screen::Overview, grade, about)
    }

    fn blocked(by: BackendId) -> Breach {
        let mut breach = breach("postgres.blocked", "pg", 30.0);
        breach.subject = format!("{by:?}");
        breach.hits(9_u64, "session").row(RowKey::backend(&TargetId::new("pg"), by));
        breach.since(Some(Duration::from_secs(30)));
        breach
    }

    fn errors(share: f64) -> Breach {
        let mut breach = breach("metrics.errors", "shop-api", share);
        breach.since(Some(Duration::from_secs(20)));
        breach
    }

    fn now(world: &mut World, second: u64, breaches: Vec<Breach>, silent: bool) {
        let rules = Rulebook::defaults(&all_rules());
        world.alerts.observe(breaches, &rules, |_| Triage::Errors, |_| silent, Now::example(second));
        world.chain = Chain::over(world.targets(), &world.topology, &world.alerts.firing());
    }

    fn terminate(backend: BackendId) -> Action {
        Action::Postgres { target: TargetId::new("pg"), act: PgAction::one((backend, None), true) }
    }

    fn predicted(world: &mut World) -> Prediction {
        now(world, 100, vec![blocked(BLOCKER), errors(0.2)], false);
        Prediction::of(world, &terminate(BLOCKER)).expect("a root with a consequence")
    }

    #[test]
    fn it_says_what_the_chain_says_and_no_more() {
        let mut world = world();
        assert_eq!(
            predicted(&mut world).words,
            "within 2m00s (likely): 9 sessions free, shop-api metrics.errors below 1 %"
        );
        assert_eq!(Prediction::of(&world, &terminate(NEXT)), None, "nothing is explained by that one");
        let queue = QueueRef { prefix: "bull".to_owned(), name: "mails".to_owned() };
        let pause = Action::Redis { target: TargetId::new("pg"), act: RedisAction::Pause { queue } };
        assert_eq!(Prediction::of(&world, &pause), None);
        // Without an edge only those who wait for it are promised.
        now(&mut world, 101, vec![blocked(BLOCKER)], false);
        let alone = Prediction::of(&world, &terminate(BLOCKER)).expect("it holds nine up");
        assert_eq!(alone.words, "within 1m00s: 9 sessions free");
    }

    /// What is said after these findings were there at those seconds; sent at 100.
    #[track_caller]
    fn check(steps: Vec<(u64, Vec<Breach>, bool)>, expected: Option<(bool, &str)>) {
        let mut world = world();
        let prediction = predicted(&mut world);
        let mut at = 100;
        for (second, breaches, silent) in steps {
            at = second;
            now(&mut world, second, breaches, silent);
        }
        let found = prediction.check(&world, Now::example(100), Now::example(at));
        let found = found.map(|checked| (checked.confirmed, checked.words));
        assert_eq!(found, expected.map(|(confirmed, words)| (confirmed, words.to_owned())));
    }

    #[test]
    fn what_came_is_confirmed_with_its_time() {
        check(vec![(104, vec![errors(0.2)], false)], None);
        check(vec![(104, vec![], false)], Some((true, "confirmed after 4 s: shop-api metrics.errors over")));
        // Who came in its place holds up those who moved up: it is not over before that one is.
        check(vec![(104, vec![blocked(NEXT)], false)], None);
        check(
            vec![(104, vec![blocked(NEXT)], false), (106, vec![], false)],
            Some((true, "confirmed after 6 s: shop-api metrics.errors over")),
        );
    }

    #[test]
    fn what_did_not_come_is_told_at_the_end_and_by_what_it_was() {
        let late = |breaches, silent| vec![(220, breaches, silent)];
        check(vec![(219, vec![errors(0.2)], false)], None);
        check(
            late(vec![errors(0.2)], false),
            Some((false, "unchanged after 2m00s: this was not the cause of shop-api metrics.errors")),
        );
        check(
            late(vec![errors(0.1)], false),
            Some((false, "partly after 2m00s: shop-api metrics.errors not over, but less")),
        );
        check(
            late(vec![blocked(BLOCKER), errors(0.2)], false),
            Some((false, "unchanged after 2m00s: postgres.blocked on pg (still there)")),
        );
        check(
            late(vec![blocked(NEXT)], false),
            Some((false, "not over after 2m00s: now postgres.blocked on pg")),
        );
        // Of a source that is silent nobody knows.
        check(late(vec![], true), Some((false, "not known after 2m00s: nothing new is read of pg")));
    }

    #[test]
    fn what_ended_before_was_ended_by_nobody_here() {
        let mut world = world();
        let prediction = predicted(&mut world);
        assert!(prediction.is_due(&world));
        now(&mut world, 101, vec![errors(0.2)], false);
        assert!(!prediction.is_due(&world));
    }
}
