//! Several targets of one host that fell silent together: one finding tells of them, and each stands below it. That is a coincidence which
//! spares a reader three rows, and no cause: why they are silent is not known. Pure.

use super::alert::{Breach, FindingKey, Grade, RuleSpec, RuleUnit, Rulebook, Severity, Triage};
use super::chain::addresses;
use super::ids::TargetId;
use super::place::Screen;
use super::source_rules::SILENT;
use super::target::TargetState;
use super::text::counted;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Several targets of one host that give no data.
pub const HOST_SILENT: RuleSpec = RuleSpec::new(
    "source.host_silent",
    "two or more targets of one host that give no data since the same minute: told together, without a cause",
    RuleUnit::State,
    Triage::Silent,
);

/// Those that fell silent within so long of each other did so together: they are asked at different moments.
const TOGETHER: Duration = Duration::from_secs(60);
/// So many of them are named.
const NAMED: usize = 5;
/// How a machine calls itself.
const HERE: [&str; 4] = ["127.0.0.1", "localhost", "[::1]", "::1"];

/// Targets of one host that are silent since the same time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    host: String,
    members: Vec<TargetId>,
    /// How many targets that host has.
    all: usize,
    severity: Severity,
    lasts: Duration,
}

/// The host of a target, where its address names exactly one.
fn host(target: &TargetState) -> Option<&str> {
    let mut hosts = addresses(&target.address).into_iter().map(|(host, _)| host);
    let first = hosts.next()?;
    let first = if HERE.contains(&first) { "this machine" } else { first };
    hosts.next().is_none().then_some(first)
}

/// The groups among the targets that are silent by these breaches. Of several times on one host the one of most targets.
pub(super) fn together(targets: &[Arc<TargetState>], breaches: &[Breach], rules: &Rulebook) -> Vec<Group> {
    let silent: BTreeMap<&TargetId, &Breach> = breaches
        .iter()
        .filter(|breach| breach.rule == SILENT.id)
        .map(|breach| (&breach.target, breach))
        .collect();
    let mut hosts: BTreeMap<&str, Vec<&TargetState>> = BTreeMap::new();
    for target in targets.iter().filter(|_| silent.len() > 1 && rules.get(HOST_SILENT.id).enabled) {
        if let Some(host) = host(target) {
            hosts.entry(host).or_default().push(target);
        }
    }
    let group = |(host, all): (&str, Vec<&TargetState>)| {
        let lasts = |breach: &Breach| breach.observed_for.unwrap_or_default();
        let mut its: Vec<&Breach> = all.iter().filter_map(|target| silent.get(&target.id).copied()).collect();
        its.sort_by_key(|breach| lasts(breach));
        let near = |one: &&Breach, next: &&Breach| lasts(next).saturating_sub(lasts(one)) <= TOGETHER;
        let most = its.chunk_by(near).max_by_key(|some| some.len()).filter(|some| some.len() > 1)?;
        let is_one = |target: &&&TargetState| most.iter().any(|breach| breach.target == target.id);
        Some(Group {
            host: host.to_owned(),
            members: all.iter().filter(is_one).map(|target| target.id.clone()).collect(),
            all: all.len(),
            severity: most.iter().map(|breach| breach.severity).max()?,
            lasts: most.iter().map(|breach| lasts(breach)).max()?,
        })
    };
    hosts.into_iter().filter_map(group).collect()
}

impl Group {
    /// One finding for all of them.
    pub(super) fn breach(&self) -> Breach {
        let of = if self.members.len() < self.all { format!(" of {}", self.all) } else { String::new() };
        let mut names: Vec<String> = self.members.iter().take(NAMED).map(ToString::to_string).collect();
        if self.members.len() > NAMED {
            names.push(format!("{} more", self.members.len() - NAMED));
        }
        let (count, host) = (self.members.len(), &self.host);
        let sentence = format!("{count}{of} targets on {host} do not answer: {}", names.join(", "));
        let grade = Grade { severity: self.severity, value: None, threshold: None };
        let about = (host.clone(), sentence);
        let mut breach = Breach::new(&HOST_SILENT, &self.members[0], Screen::Overview, grade, about);
        breach
            .since(Some(self.lasts))
            .hits(count, "target")
            .say(format!("look whether {host} runs and can be reached"));
        breach
    }

    /// Each of them, as a finding of its own.
    pub(super) fn members(&self) -> impl Iterator<Item = FindingKey> {
        let key = |target: &TargetId| FindingKey {
            rule: SILENT.id,
            target: target.clone(),
            subject: "silent".to_owned(),
        };
        self.members.iter().map(key)
    }

    /// What they have in common.
    pub(super) fn words(&self) -> String {
        format!("{} on {}, silent since the same minute", counted(self.members.len(), "target"), self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::chain::Tie;
    use crate::core::ids::SystemKind;
    use crate::core::reading::Reading;
    use crate::core::report::{PollError, PollErrorKind, PollReport};
    use crate::core::time::Now;
    use crate::core::verdict::{Overall, Verdict};
    use crate::core::world::{World, all_rules};

    /// Targets at these addresses, of which each answers until so many seconds after the start; what is so a hundred seconds later.
    fn world(targets: &[(&str, &str, u64)]) -> World {
        let second = Duration::from_secs(1);
        let state = |(name, address, _): &(&str, &str, u64)| {
            let address = (*address).to_owned();
            TargetState::new(TargetId::new(name), SystemKind::Metrics, address, second, Now::example(0))
        };
        let rules = Rulebook::defaults(&all_rules());
        let mut world = World::new(targets.iter().map(state).collect(), rules);
        for at in 1..=900 {
            for (name, _, until) in targets {
                let error = PollError::new(PollErrorKind::Unreachable, "connection refused");
                let at = Now::example(at);
                let answers = at.mono <= Now::example(*until).mono;
                let result = if answers { Ok(Reading::Metrics(Box::default())) } else { Err(error) };
                world.apply(PollReport::example(TargetId::new(name), result, at));
            }
        }
        world.evaluate(Now::example(900));
        world
    }

    /// The sentences about hosts, and who stands below each.
    #[track_caller]
    fn check(targets: &[(&str, &str, u64)], expected: &[(&str, &[&str])]) {
        let world = world(targets);
        let firing = world.alerts.firing();
        let hosts = firing.iter().filter(|finding| finding.breach.rule == HOST_SILENT.id);
        let told: Vec<(String, Vec<String>)> = hosts
            .map(|finding| {
                let key = finding.key();
                let below = world.chain.effects(&key).map(|link| link.effect.target.to_string());
                (finding.breach.sentence.clone(), below.collect())
            })
            .collect();
        let expected: Vec<(String, Vec<String>)> = expected
            .iter()
            .map(|(words, below)| ((*words).to_owned(), below.iter().map(ToString::to_string).collect()))
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn several_that_fell_silent_on_one_host_are_told_together() {
        let (one, two, three) =
            (("a", "db1:1", 800), ("b", "db1:2", 805), ("c", "http://db1:3/metrics", 801));
        let well = ("d", "db1:4", 900);
        check(&[one, two, three], &[("3 targets on db1 do not answer: a, b, c", &["a", "b", "c"])]);
        check(&[one, two, well], &[("2 of 3 targets on db1 do not answer: a, b", &["a", "b"])]);
        check(&[one, well], &[]);
        check(&[one, ("e", "db2:1", 800)], &[]);
        // Not at the same time, and not on one host alone.
        check(&[one, ("f", "db1:5", 200)], &[]);
        check(&[one, ("g", "db1:5,db2:5", 800)], &[]);
        check(&[("x", "/run/postgresql", 800), ("y", "/run/postgresql", 800)], &[]);
        let here = [("a", "localhost:1", 800), ("b", "127.0.0.1:2", 800)];
        check(&here, &[("2 targets on this machine do not answer: a, b", &["a", "b"])]);
    }

    #[test]
    fn they_are_one_line_and_no_cause() {
        let world =
            world(&[("a", "db1:1", 800), ("b", "db1:2", 805), ("c", "db1:3", 801), ("d", "db2:1", 900)]);
        let verdict = Verdict::over(&world, Now::example(900));
        let lead = verdict.lead.expect("it is not well");
        assert_eq!((verdict.overall, lead.breach.rule), (Overall::Unknown, HOST_SILENT.id));
        assert_eq!(lead.lasted(Now::example(900)), Duration::from_secs(100), "since the first of them");
        assert_eq!(verdict.silent, Vec::<&crate::core::alert::Finding>::new());
        assert!(verdict.cause.is_none());
        let member = world.alerts.firing().into_iter().find(|finding| finding.breach.target.as_str() == "b");
        let key = member.expect("it is told, too").key();
        let link = world.chain.parent(&key).expect("it is below");
        assert_eq!(link.evidence.tie, Tie::Coincident);
        assert_eq!(link.evidence.words, "3 targets on db1, silent since the same minute");
    }
}
