//! The rules about what makes snapshots of a search cluster by itself.

use super::parts::{Its, POLICIES};
use crate::core::alert::RuleUnit::{Seconds, State};
use crate::core::alert::Triage::Capacity;
use crate::core::alert::{Rule, RuleSpec, Severity};
use crate::core::search::{SearchReading, SearchState, SnapshotPolicy};
use crate::core::text::{lasting, tidy};
use crate::core::time::span_of;
use std::time::Duration;

/// Every schedule is held against a daily one.
const DAY: f64 = 86_400.0;

pub(crate) static AGE: Rule<SearchState> = Rule::new(
    RuleSpec::new(
        "search.snapshot_age",
        "age of the newest good snapshot of a policy; of a schedule that is not daily, what goes beyond it, and a day",
        Seconds,
        Capacity,
    )
    .warning(26.0 * 3600.0)
    .critical(50.0 * 3600.0)
    .needs(&[POLICIES]),
    age,
);

pub(crate) static FAILING: Rule<SearchState> = Rule::new(
    RuleSpec::new("search.snapshot_failing", "the newest snapshot of a policy failed", State, Capacity)
        .needs(&[POLICIES]),
    failing,
);

fn policies(reading: &SearchReading) -> impl Iterator<Item = &SnapshotPolicy> {
    reading.policies.ready().into_iter().flatten()
}

fn age(its: &mut Its<'_>, reading: &SearchReading) {
    for policy in policies(reading) {
        let now = its.now.wall.timestamp_millis();
        // One that made none yet is as old as the turn that it missed.
        let missed = policy.next_millis.filter(|at| *at < now);
        let Some(from) = policy.success_millis.or(missed) else { continue };
        let age = (now - from).max(0) as f64 / 1000.0;
        // OpenSearch tells no schedule, but when the next one is due.
        let told = policy.success_millis.zip(policy.next_millis).filter(|_| policy.schedule.is_empty());
        let turns = told.map_or(0.0, |(was, next)| (next - was) as f64 / 1000.0);
        let beyond = age - (policy.leaves_seconds().max(turns) - DAY);
        let Some(grade) = its.grade(beyond) else { continue };
        let (name, age) = (tidy(&policy.name, 40), lasting(span_of(age)));
        let sentence = if policy.success_millis.is_some() {
            format!("the newest good snapshot of {} by its policy {name} is {age} old", its.target)
        } else {
            format!("the policy {name} of {} has made no good snapshot; one was due {age} ago", its.target)
        };
        let breach = its.tell(grade, format!("snapshots of {}", policy.name), sentence);
        breach.look("the look `snapshots`: what it makes, where, and why it fails");
    }
}

fn failing(its: &mut Its<'_>, reading: &SearchReading) {
    for policy in policies(reading).filter(|policy| policy.fails()) {
        let Some(grade) = its.state(Severity::Warning) else { return };
        let why = if policy.failure.is_empty() { "no reason told" } else { policy.failure.as_str() };
        let sentence = format!("the policy {} made no snapshot: {}", tidy(&policy.name, 40), tidy(why, 100));
        let lasts = policy.failure_millis.map(|at| (its.now.wall.timestamp_millis() - at).max(0) as u64);
        let breach = its.tell(grade, format!("policy {}", policy.name), sentence);
        breach
            .since(lasts.map(Duration::from_millis))
            .look("the look `snapshots`, and the repository that it names");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{Rulebook, judge};
    use crate::core::ids::TargetId;
    use crate::core::part::Part;
    use crate::core::time::Now;
    use crate::core::world::all_rules;

    /// What is found of a policy whose newest good snapshot began so many hours ago, and whose newest failure was so many hours ago.
    #[track_caller]
    fn check(schedule: &str, success: Option<i64>, failure: Option<i64>, expected: &[(&str, Severity)]) {
        let now = Now::example(0);
        let at = |hours: i64| now.wall.timestamp_millis() - hours * 3_600_000;
        let policy = SnapshotPolicy {
            name: "nightly".to_owned(),
            schedule: schedule.to_owned(),
            success_millis: success.map(at),
            failure_millis: failure.map(at),
            failure: "no room".to_owned(),
            ..SnapshotPolicy::default()
        };
        let policies = Part::Ready(vec![policy]).warm(now);
        let mut state = SearchState::default();
        state.absorb(SearchReading { policies, ..SearchReading::default() }, now);
        let list = judge(&state, &TargetId::new("es"), &Rulebook::defaults(&all_rules()), now);
        let found: Vec<_> = list.iter().map(|breach| (breach.rule.as_str(), breach.severity)).collect();
        assert_eq!(found, expected, "{schedule} {success:?} {failure:?}");
    }

    /// The age that is told of a policy without a schedule, hours ago and hours to come.
    #[track_caller]
    fn unscheduled(success: Option<i64>, next: i64, expected: &[Severity]) {
        let now = Now::example(0);
        let at = |hours: i64| now.wall.timestamp_millis() + hours * 3_600_000;
        let policy = SnapshotPolicy {
            name: "weekly".to_owned(),
            success_millis: success.map(at),
            next_millis: Some(at(next)),
            ..SnapshotPolicy::default()
        };
        let mut state = SearchState::default();
        let policies = Part::Ready(vec![policy]).warm(now);
        state.absorb(SearchReading { policies, ..SearchReading::default() }, now);
        let list = judge(&state, &TargetId::new("es"), &Rulebook::defaults(&all_rules()), now);
        let found: Vec<_> = list.iter().map(|breach| breach.severity).collect();
        assert_eq!(found, expected, "{success:?} {next}");
    }

    #[test]
    fn without_a_schedule_it_is_told_by_when_the_next_is_due() {
        unscheduled(Some(-6 * 24), 24, &[]);
        unscheduled(Some(-7 * 24 - 3), -3, &[Severity::Warning]);
        unscheduled(None, 5, &[]);
        unscheduled(None, -27, &[Severity::Warning]);
        unscheduled(None, -51, &[Severity::Critical]);
    }

    #[test]
    fn an_old_snapshot_is_told_by_what_its_schedule_leaves() {
        const DAILY: &str = "0 30 1 * * ?";
        const WEEKLY: &str = "0 30 1 ? * SUN";
        check(DAILY, Some(25), None, &[]);
        check(DAILY, Some(27), None, &[("search.snapshot_age", Severity::Warning)]);
        check(DAILY, Some(51), None, &[("search.snapshot_age", Severity::Critical)]);
        check(WEEKLY, Some(6 * 24), None, &[]);
        check(WEEKLY, Some(7 * 24 + 3), None, &[("search.snapshot_age", Severity::Warning)]);
        check(DAILY, None, None, &[]);
        check(DAILY, Some(3), Some(2), &[("search.snapshot_failing", Severity::Warning)]);
        check(DAILY, Some(2), Some(3), &[]);
        let both =
            [("search.snapshot_age", Severity::Warning), ("search.snapshot_failing", Severity::Warning)];
        check(DAILY, Some(30), Some(6), &both);
        check(DAILY, None, Some(6), &both[1..]);
    }
}
