//! What is known as families of numbers: the state, the findings, how far each target can be believed, what asking it costs, and its key
//! readings. How many there are is bounded by the number of targets; of findings so many are told as the report tells.

use super::exposition::{Family, Kind, Sample};
use super::report::{MOST_FINDINGS, readings};
use super::watching::Seen;
use super::words::{State, breaker, severity};
use crate::core::alert::{RuleUnit, Severity};
use crate::core::chain::{Branch, Tie};
use crate::core::echo;
use crate::core::freshness::Freshness;
use crate::core::report::BreakerState;
use crate::core::trace::{TRACES, TraceSpec};
use crate::core::verdict::Verdict;
use crate::core::world::TargetState;

/// The severities, each with a number of its own.
const SEVERITIES: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Critical];
/// The states of a breaker.
const BREAKERS: [BreakerState; 3] = [BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen];

type Labels = Vec<(&'static str, String)>;

/// Everything.
#[must_use]
pub fn families(seen: Seen<'_>) -> Vec<Family> {
    let mut all = whole(seen);
    all.extend(findings(seen));
    all.extend(targets(seen));
    all.extend(costs(seen));
    all.extend(TRACES.iter().map(|spec| traced(seen, spec)));
    all
}

fn family(kind: Kind, name: &str, unit: &'static str, help: &str, samples: Vec<Sample>) -> Family {
    Family { name: format!("stacktop_{name}"), kind, unit, help: help.to_owned(), samples }
}

const fn sample(labels: Labels, value: f64) -> Sample {
    Sample { suffix: "", labels, value }
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn whole(seen: Seen<'_>) -> Vec<Family> {
    let now = State::of(Verdict::over(seen.world, seen.now).overall);
    let states = State::ALL.map(|state| sample(vec![("state", state.word().to_owned())], flag(state == now)));
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    let environment = vec![("environment", seen.environment.to_owned())];
    vec![
        family(Kind::Gauge, "build_info", "", "1, by the version of stacktop.", vec![sample(version, 1.0)]),
        family(
            Kind::Gauge,
            "environment_info",
            "",
            "1, by the name of what is watched.",
            vec![sample(environment, 1.0)],
        ),
        family(
            Kind::Gauge,
            "state",
            "",
            "1 for the state of the whole, as line 2 tells it; 0 for the others.",
            states.to_vec(),
        ),
        family(
            Kind::Gauge,
            "watch_start_timestamp_seconds",
            "seconds",
            "Since when it is watched.",
            vec![sample(Vec::new(), seen.started.wall.timestamp() as f64)],
        ),
    ]
}

/// Whether a finding is told by itself, or below one that explains it.
const fn role(branch: &Branch<'_>) -> &'static str {
    match branch.link {
        Some(link) => match link.evidence.tie {
            Tie::Certain | Tie::Likely => "effect",
            Tie::Coincident => "gathered",
        },
        None => "root",
    }
}

fn findings(seen: Seen<'_>) -> Vec<Family> {
    let firing = seen.world.alerts.firing();
    let branches = seen.world.chain.branches(&firing);
    let listed = || branches.iter().take(MOST_FINDINGS);
    let labels = |branch: &Branch<'_>| -> Labels {
        let key = branch.finding.key();
        let own = echo::LABELS.into_iter().zip(echo::labels(&key).map(ToOwned::to_owned));
        [(echo::ENVIRONMENT, seen.environment.to_owned())].into_iter().chain(own).collect()
    };
    let told = listed().map(|branch| {
        let mut all = labels(branch);
        all.push(("severity", severity(branch.finding.severity()).to_owned()));
        all.push(("role", role(branch).to_owned()));
        sample(all, 1.0)
    });
    let began = listed()
        .map(|branch| sample(labels(branch), branch.finding.since.wall.timestamp_millis() as f64 / 1000.0));
    let counts = SEVERITIES.map(|one| {
        let count = firing.iter().filter(|finding| finding.severity() == one).count();
        sample(vec![("severity", severity(one).to_owned())], count as f64)
    });
    vec![
        family(
            Kind::Gauge,
            "findings",
            "",
            "How many findings there are, by severity, told one by one or not.",
            counts.to_vec(),
        ),
        family(
            Kind::Gauge,
            "finding",
            "",
            "1 for each finding; role says whether another one explains it (effect), or whether it is only told together with others (gathered).",
            told.collect(),
        ),
        family(
            Kind::Gauge,
            "finding_start_timestamp_seconds",
            "seconds",
            "Since when a finding has been so.",
            began.collect(),
        ),
    ]
}

fn labelled(target: &TargetState) -> Labels {
    vec![("target", target.id.to_string()), ("system", target.kind.word().to_owned())]
}

fn each(seen: Seen<'_>, value: impl Fn(&TargetState) -> Option<f64>) -> Vec<Sample> {
    let targets = seen.world.targets().iter();
    targets.filter_map(|target| Some(sample(labelled(target), value(target)?))).collect()
}

fn targets(seen: Seen<'_>) -> Vec<Family> {
    let breakers = seen.world.targets().iter().filter_map(|target| Some((target, target.plan?)));
    let breakers = breakers.flat_map(|(target, plan)| {
        BREAKERS.map(|state| {
            let mut labels = labelled(target);
            labels.push(("state", breaker(state).to_owned()));
            sample(labels, flag(plan.breaker == state))
        })
    });
    let up = |target: &TargetState| match target.freshness(seen.now) {
        Freshness::Fresh(_) => Some(1.0),
        Freshness::Late(_) => Some(flag(target.failure.is_none() && target.seen.is_some())),
        Freshness::Lost(_) => Some(0.0),
        // Whether it is there nobody knows yet.
        Freshness::Waiting => None,
    };
    vec![
        family(
            Kind::Gauge,
            "target_up",
            "",
            "1 while a target answers, 0 while it does not; nothing before its first answer is due.",
            each(seen, up),
        ),
        family(
            Kind::Gauge,
            "reading_age_seconds",
            "seconds",
            "How old the newest data of a target is; nothing where there never was any.",
            each(seen, |target| Some(seen.now.since(target.seen?).as_secs_f64())),
        ),
        family(
            Kind::Gauge,
            "breaker_state",
            "",
            "1 for the state of the circuit breaker of a target; 0 for the others.",
            breakers.collect(),
        ),
        family(
            Kind::Gauge,
            "poll_failures_in_a_row",
            "",
            "Polls of a target that failed since one brought data.",
            each(seen, |target| Some(f64::from(target.plan?.failures))),
        ),
        family(
            Kind::Gauge,
            "poll_interval_seconds",
            "seconds",
            "How often a target is asked now: less often than configured while its polls are slow.",
            each(seen, |target| Some(target.plan?.interval.as_secs_f64())),
        ),
    ]
}

fn costs(seen: Seen<'_>) -> Vec<Family> {
    let cost = |target: &TargetState| seen.costs.get(&target.id).copied();
    let took = seen.world.targets().iter().filter_map(|target| {
        let cost = cost(target)?;
        let number = |suffix, value| Sample { suffix, labels: labelled(target), value };
        Some([number("_sum", cost.took.as_secs_f64()), number("_count", cost.polls() as f64)])
    });
    vec![
        family(
            Kind::Summary,
            "poll_duration_seconds",
            "seconds",
            "What asking a target costs: how long polls took, connection included.",
            took.flatten().collect(),
        ),
        family(
            Kind::Counter,
            "poll_failures",
            "",
            "Polls of a target that brought no data.",
            each(seen, |target| Some(cost(target)?.failed as f64)),
        ),
        family(
            Kind::Counter,
            "reports_overtaken",
            "",
            "Readings of a target that newer ones overtook, because nobody took them in time.",
            each(seen, |target| Some(target.overtaken as f64)),
        ),
    ]
}

/// A key reading as a family of its own, of all targets of its kind that answer.
fn traced(seen: Seen<'_>, spec: &'static TraceSpec) -> Family {
    let (ending, unit) = match spec.unit {
        RuleUnit::Count | RuleUnit::State => ("", ""),
        RuleUnit::Ratio => ("_ratio", "ratio"),
        RuleUnit::Seconds => ("_seconds", "seconds"),
        RuleUnit::Bytes => ("_bytes", "bytes"),
        RuleUnit::PerSecond => ("_per_second", ""),
    };
    let name = format!("{}_{}{ending}", spec.kind().word(), slug(spec.name));
    let samples = each(seen, |target| {
        if target.kind != spec.kind() {
            return None;
        }
        readings(target, seen.now).find(|(known, _)| std::ptr::eq(*known, spec)).map(|(_, value)| value)
    });
    let help = format!("{}: {}, of a target that answers.", spec.kind().name(), spec.name);
    family(Kind::Gauge, &name, unit, &help, samples)
}

/// A name of words as a part of the name of a metric.
fn slug(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}
