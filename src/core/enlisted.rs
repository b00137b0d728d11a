//! Targets that come and go while the world is watched, as lists of others name them; and the finding about a list that cannot be read.

use super::alert::RuleUnit::State;
use super::alert::{Breach, Grade, RuleSpec, Rulebook, Severity, Triage};
use super::ids::TargetId;
use super::place::Screen;
use super::target::TargetState;
use super::text::counted;

/// A list of targets that cannot be read as it is.
pub const LIST: RuleSpec = RuleSpec::new(
    "source.list",
    "a list of targets ([[discover]]) cannot be read, or a part of it: what it said last is watched on, and nobody watches what is new in it",
    State,
    Triage::Silent,
);

/// So many names are told one by one.
const NAMED: usize = 5;

/// What is wrong with a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What the list is called.
    pub list: String,
    /// The sentence, with file and place.
    pub why: String,
}

/// What has come and gone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Enlisted {
    /// Targets that are named no more.
    pub left: Vec<TargetId>,
    /// Targets that are named now, none of them asked yet. One that is asked in another way has left, too.
    pub joined: Vec<TargetState>,
    /// What is wrong with lists now.
    pub troubles: Vec<Trouble>,
}

impl Enlisted {
    /// What has come and gone, in one sentence; nothing where only troubles changed.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let joined = self.joined.iter().map(|target| &target.id);
        let joined = some("named now", &joined.collect::<Vec<_>>());
        let left = some("named no more", &self.left.iter().collect::<Vec<_>>());
        let both: Vec<String> = [joined, left].into_iter().flatten().collect();
        (!both.is_empty()).then(|| both.join("; "))
    }
}

fn some(what: &str, targets: &[&TargetId]) -> Option<String> {
    let mut names: Vec<String> = targets.iter().take(NAMED).map(ToString::to_string).collect();
    if targets.len() > NAMED {
        names.push(format!("{} more", targets.len() - NAMED));
    }
    let many = counted(targets.len(), "target");
    (!targets.is_empty()).then(|| format!("{many} {what}: {}", names.join(", ")))
}

/// A finding for each list that cannot be read.
pub(super) fn troubled(troubles: &[Trouble], rules: &Rulebook) -> Vec<Breach> {
    let wanted = |trouble: &&Trouble| rules.on(LIST.id, &[&trouble.list]).enabled;
    let breach = |trouble: &Trouble| {
        let sentence = format!("the list {} cannot be read as it is: {}", trouble.list, trouble.why);
        let grade = Grade { severity: Severity::Warning, value: None, threshold: None };
        let target = TargetId::new(&trouble.list);
        let mut breach = Breach::new(&LIST, &target, Screen::Overview, grade, ("list", sentence));
        breach.say("mend the list; what cannot be read is watched as it was, what is gone is not");
        breach
    };
    troubles.iter().filter(wanted).map(breach).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::SystemKind;
    use crate::core::time::Now;
    use crate::core::timeline::Kind;
    use crate::core::world::{World, all_rules};
    use std::time::Duration;

    fn state(name: &str) -> TargetState {
        let second = Duration::from_secs(1);
        TargetState::new(TargetId::new(name), SystemKind::Metrics, String::new(), second, Now::example(0))
    }

    fn names(world: &World) -> Vec<&str> {
        world.targets().iter().map(|target| target.id.as_str()).collect()
    }

    #[test]
    fn targets_come_and_go_and_the_timeline_says_so() {
        let mut world = World::new(vec![state("a"), state("b")], Rulebook::defaults(&all_rules()));
        let left = vec![TargetId::new("a"), TargetId::new("b")];
        let joined = vec![state("b"), state("c")];
        world.enlist(Enlisted { left, joined, troubles: Vec::new() }, Now::example(1));
        assert_eq!(names(&world), ["b", "c"]);
        world.evaluate(Now::example(2));
        let told = world.timeline.take_news();
        let told = told.iter().find(|event| event.kind == Kind::Listed).map(|event| event.words.as_str());
        assert_eq!(told, Some("2 targets named now: b, c; 2 targets named no more: a, b"));
    }

    /// What is told of a finding on `a` once `a` has gone, or is asked in another way: on the list, and as the last event.
    fn parted(comes_again: bool) -> (Option<String>, Vec<String>) {
        let mut world = World::new(vec![state("a")], Rulebook::defaults(&all_rules()));
        world.evaluate(Now::example(1));
        world.evaluate(Now::example(600));
        assert!(!world.alerts.firing().is_empty(), "it is silent");
        world.timeline.take_news();
        let (second, now) = (Duration::from_secs(1), Now::example(601));
        let anew = TargetState::new(TargetId::new("a"), SystemKind::Metrics, String::new(), second, now);
        let joined = if comes_again { vec![anew] } else { Vec::new() };
        let enlisted = Enlisted { left: vec![TargetId::new("a")], joined, troubles: Vec::new() };
        world.exchange(enlisted, Now::example(601));
        world.evaluate(Now::example(601));
        let over = world.alerts.findings().iter().find(|it| it.ended().is_some()).and_then(|it| it.parted);
        world.evaluate(Now::example(630));
        let news = world.timeline.take_news();
        let ends = news.iter().filter(|event| matches!(event.kind, Kind::Ended | Kind::AllClear));
        let ends = ends.map(|event| event.words.clone()).collect();
        (over.map(|parted| parted.words().to_owned()), ends)
    }

    #[test]
    fn what_was_found_of_a_target_that_has_gone_is_not_said_to_be_well() {
        let (over, ends) = parted(false);
        assert_eq!(over.as_deref(), Some("no longer watched"));
        assert!(ends[0].ends_with("(no longer watched)"), "{ends:?}");
        assert!(ends.iter().all(|words| !words.starts_with("all clear")), "{ends:?}");
        let (over, ends) = parted(true);
        assert_eq!(over.as_deref(), Some("asked in another way"));
        assert!(ends.iter().all(|words| !words.starts_with("all clear")), "{ends:?}");
    }

    #[test]
    fn a_list_that_cannot_be_read_is_a_finding_until_it_can() {
        let mut world = World::new(vec![state("a")], Rulebook::defaults(&all_rules()));
        let trouble = Trouble { list: "shop".to_owned(), why: "a.json: EOF at line 1".to_owned() };
        world.enlist(Enlisted { troubles: vec![trouble], ..Enlisted::default() }, Now::example(1));
        world.evaluate(Now::example(1));
        let firing = world.alerts.firing();
        let found = firing.iter().find(|finding| finding.breach.rule == LIST.id).expect("it is told");
        assert_eq!(found.breach.sentence, "the list shop cannot be read as it is: a.json: EOF at line 1");
        world.enlist(Enlisted::default(), Now::example(2));
        world.evaluate(Now::example(2));
        assert!(world.alerts.firing().iter().all(|finding| finding.breach.rule != LIST.id));
    }
}
