//! What is known at a moment as one document, for every form in which it is told: numbers as numbers with their units, the chain as data,
//! the sentences of the screen beside them. `docs/check.schema.json` describes it; a test holds it to that.

use super::watching::Seen;
use super::words::{State, breaker, id, seconds, severity, stamp, unit};
use crate::app::keymap::Keymap;
use crate::app::verdict::verdict;
use crate::core::alert::{Finding, Onset, RuleId, RuleUnit, Stage};
use crate::core::chain::Link;
use crate::core::freshness::Freshness;
use crate::core::scope::Scope;
use crate::core::source_rules::UNREAD;
use crate::core::time::Now;
use crate::core::trace::TraceSpec;
use crate::core::verdict::Verdict;
use crate::core::world::TargetState;
use crate::panels::PanelContext;
use serde::Serialize;
use std::sync::Arc;

/// The version of the document: it grows when a field changes its meaning or goes, not when one comes.
const SCHEMA: u32 = 1;
/// So many findings are told; those beyond are counted.
pub const MOST_FINDINGS: usize = 200;

/// The whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version of this form.
    pub schema: u32,
    /// The version of stacktop.
    pub stacktop: &'static str,
    /// What the stack is called.
    pub environment: String,
    /// When, with the local zone.
    pub at: String,
    /// For how long it was watched.
    pub watched_seconds: f64,
    /// The state of the whole.
    pub state: State,
    /// The exit code of `stacktop check`.
    pub exit_code: u8,
    /// Line 2 of the screen; where that is well, and something was not read or is not judged yet, what that is.
    pub verdict: String,
    /// The worst symptom: the id of its finding.
    pub lead: Option<String>,
    /// What explains it, and how sure that is.
    pub cause: Option<Cause>,
    /// Who is hit beside it, in words.
    pub hit: Vec<String>,
    /// What fires, each root with what it explains behind it, as the overview lists it.
    pub findings: Vec<Told>,
    /// How many more fire.
    pub findings_left_out: usize,
    /// What is past its threshold, and not yet for as long as its rule asks.
    pub pending: Vec<Told>,
    /// What explains what.
    pub chain: Vec<Tied>,
    /// The targets, and how far they can be believed.
    pub targets: Vec<Target>,
}

/// What explains the lead.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cause {
    /// The id of the finding.
    pub finding: String,
    /// `certain` or `likely`.
    pub tie: &'static str,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// By which the chain names it.
    pub id: String,
    /// Its rule.
    pub rule: &'static str,
    /// Where.
    pub target: String,
    /// What exactly.
    pub subject: String,
    /// `info`, `warning` or `critical`.
    pub severity: &'static str,
    /// The same as the screen writes it.
    #[serde(skip)]
    pub word: &'static str,
    /// Its sentence, as on the screen.
    pub sentence: String,
    /// How far below its root it stands.
    pub depth: usize,
    /// The id of what explains it.
    pub explained_by: Option<String>,
    /// How sure that is: `certain`, `likely` or `coincident`.
    pub tie: Option<&'static str>,
    /// When it began.
    pub since: String,
    /// It was so at the first look, or at the first after a gap: it may have begun before.
    pub or_earlier: bool,
    /// For how long it has been so.
    pub lasted_seconds: f64,
    /// What was measured, in `unit`.
    pub value: Option<f64>,
    /// The threshold that it is past, in `unit`.
    pub threshold: Option<f64>,
    /// `count`, `ratio`, `seconds`, `bytes`, `per_second`, or `none` where the state itself is what is wrong.
    pub unit: &'static str,
    /// Who is hit.
    pub hit: Hit,
    /// What may be done, in words.
    pub next_step: String,
    /// It is over, and that must last before it is told.
    pub recovering: bool,
    /// How old the newest look at it is, where nobody can look now.
    pub as_of_seconds: Option<f64>,
    /// Who has taken note of it.
    pub noted_by: Option<String>,
}

/// Who is hit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hit {
    /// How many.
    pub count: u64,
    /// One of them ("session"); nothing where nobody is counted.
    pub what: &'static str,
}

/// One edge of the chain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tied {
    /// The id of the cause.
    pub cause: String,
    /// The id of the effect.
    pub effect: String,
    /// `certain`, `likely` or `coincident`.
    pub tie: &'static str,
    /// What the one does to the other.
    pub verb: &'static str,
    /// What matched.
    pub evidence: String,
    /// What would show that it is not so.
    pub withdrawn_by: &'static str,
}

/// A target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// What it is.
    pub system: &'static str,
    /// Where it is.
    pub address: String,
    /// `waiting`, `fresh`, `late` or `lost`.
    pub freshness: &'static str,
    /// How old its newest data is; nothing where there is none.
    pub age_seconds: Option<f64>,
    /// Why it is silent, where it is.
    pub silence: Option<String>,
    /// What cannot be read of it, a sentence each.
    pub unread: Vec<String>,
    /// What nobody watches of it yet, because its turn did not come.
    pub not_read_yet: Vec<&'static str>,
    /// What nobody judges of it yet, because it takes longer to know what is usual.
    pub not_judged_yet: Vec<&'static str>,
    /// `closed`, `open` or `half_open`; nothing before its first poll ended.
    pub breaker: Option<&'static str>,
    /// How often it is asked now.
    pub interval_seconds: f64,
    /// How long its last poll took.
    pub poll_seconds: Option<f64>,
    /// Its key readings now; none of a target that does not answer.
    pub readings: Vec<Reading>,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reading {
    /// What it is.
    pub name: &'static str,
    /// Now.
    pub value: f64,
    /// As of a finding.
    pub unit: &'static str,
}

impl Report {
    /// What is known.
    #[must_use]
    pub fn of(seen: Seen<'_>) -> Self {
        let Seen { world, now, .. } = seen;
        let told = Verdict::over(world, now);
        let (state, verdict) = whole(seen, State::of(told.overall));
        let firing = world.alerts.firing();
        let branches = world.chain.branches(&firing);
        let listed = branches.iter().take(MOST_FINDINGS);
        let findings =
            listed.map(|branch| finding(seen, branch.finding, branch.link, branch.depth)).collect();
        let waiting = world.alerts.followed().filter(|finding| finding.stage == Stage::Pending);
        Self {
            schema: SCHEMA,
            stacktop: env!("CARGO_PKG_VERSION"),
            environment: seen.environment.to_owned(),
            at: stamp(now, seen),
            watched_seconds: seconds(now.since(seen.started)),
            state,
            exit_code: state.exit_code(),
            verdict,
            lead: told.lead.map(|lead| id(&lead.key())),
            cause: told.cause.map(|cause| Cause { finding: id(&cause.root.key()), tie: cause.tie.word() }),
            hit: told.hit,
            findings,
            findings_left_out: branches.len().saturating_sub(MOST_FINDINGS),
            pending: waiting.take(MOST_FINDINGS).map(|one| finding(seen, one, None, 0)).collect(),
            chain: world.chain.links().map(tied).collect(),
            targets: world.targets().iter().map(|one| target(seen, one, &firing)).collect(),
        }
    }
}

/// The state and its sentence: nothing is well while something that a rule looks at was not read once.
fn whole(seen: Seen<'_>, state: State) -> (State, String) {
    let waits = |target: &Arc<TargetState>| {
        let all = seen.world.awaited(target);
        (!all.is_empty()).then(|| format!("{} ({})", target.id, all.join(", ")))
    };
    let waiting: Vec<String> = seen.world.targets().iter().filter_map(waits).collect();
    if state == State::Ok && !waiting.is_empty() {
        return (State::Unknown, format!("UNKNOWN: not read yet: {}", waiting.join("; ")));
    }
    let unlearned =
        |target: &Arc<TargetState>| Some(format!("{} ({})", target.id, not_judged(seen, target)?));
    let unjudged: Vec<String> = seen.world.targets().iter().filter_map(unlearned).collect();
    if state == State::Ok && !unjudged.is_empty() {
        // It takes longer than any look: unknown each time would tell nobody anything.
        return (state, format!("{}; not judged: {}", sentence(seen), unjudged.join("; ")));
    }
    (state, sentence(seen))
}

/// What nobody judges of a target yet, though a rule that is in force does: it is not known what is usual.
fn not_judged(seen: Seen<'_>, target: &TargetState) -> Option<&'static str> {
    let (rules, words) = target.system.unlearned()?;
    let is_wanted = |rule: &RuleId| seen.world.rules.on(*rule, &[target.id.as_str()]).enabled;
    rules.iter().any(is_wanted).then_some(words)
}

/// Line 2 of the screen.
#[must_use]
pub fn sentence(seen: Seen<'_>) -> String {
    let keymap = Keymap::default();
    let context = PanelContext {
        keys: keymap.words(),
        world: seen.world,
        scope: &Scope::All,
        now: seen.now,
        live: true,
        who: "",
        zone: seen.zone,
        arming: None,
    };
    verdict(context).plain()
}

/// A finding as it stands in the list, below what `link` says explains it.
#[must_use]
pub fn finding(seen: Seen<'_>, finding: &Finding, link: Option<&Link>, depth: usize) -> Told {
    let (breach, now) = (&finding.breach, seen.now);
    let rule = seen.world.spec(breach.rule).map_or(RuleUnit::State, |spec| spec.unit);
    let known = |value: Option<f64>| value.filter(|value| value.is_finite());
    Told {
        id: id(&finding.key()),
        rule: breach.rule.as_str(),
        target: breach.target.to_string(),
        subject: breach.subject.clone(),
        severity: severity(finding.severity()),
        word: finding.severity().word(),
        sentence: finding.sentence(now),
        depth,
        explained_by: link.map(|link| id(&link.cause)),
        tie: link.map(|link| link.evidence.tie.word()),
        since: stamp(finding.since, seen),
        or_earlier: finding.onset == Onset::OrEarlier,
        lasted_seconds: seconds(finding.lasted(now)),
        value: known(breach.value),
        threshold: known(breach.threshold),
        unit: unit(rule),
        hit: Hit { count: breach.hit.count, what: breach.hit.what },
        next_step: breach.step.words(),
        recovering: finding.clear.is_some() && finding.stage == Stage::Firing,
        as_of_seconds: finding.unseen.map(|at| seconds(now.since(at))),
        noted_by: finding.heard.as_ref().map(|heard| heard.who.clone()),
    }
}

fn tied(link: &Link) -> Tied {
    Tied {
        cause: id(&link.cause),
        effect: id(&link.effect),
        tie: link.evidence.tie.word(),
        verb: link.verb,
        evidence: link.evidence.words.clone(),
        withdrawn_by: link.withdrawn_by,
    }
}

fn target(seen: Seen<'_>, target: &TargetState, firing: &[&Finding]) -> Target {
    let fresh = target.freshness(seen.now);
    let freshness = match fresh {
        Freshness::Waiting => "waiting",
        Freshness::Fresh(_) => "fresh",
        Freshness::Late(_) => "late",
        Freshness::Lost(_) => "lost",
    };
    let unread = |finding: &&&Finding| finding.breach.rule == UNREAD.id && finding.breach.target == target.id;
    Target {
        name: target.id.to_string(),
        system: target.kind.word(),
        address: target.address.clone(),
        freshness,
        age_seconds: target.seen.map(|at| seconds(seen.now.since(at))),
        silence: fresh.is_old().then(|| target.silence(seen.now)),
        not_read_yet: seen.world.awaited(target),
        not_judged_yet: not_judged(seen, target).into_iter().collect(),
        unread: firing.iter().filter(unread).map(|finding| finding.breach.sentence.clone()).collect(),
        breaker: target.plan.map(|plan| breaker(plan.breaker)),
        interval_seconds: seconds(target.plan.map_or(target.configured_interval, |plan| plan.interval)),
        poll_seconds: target.took.map(seconds),
        readings: readings(target, seen.now)
            .map(|(spec, value)| Reading { name: spec.name, value, unit: unit(spec.unit) })
            .collect(),
    }
}

/// The key readings of a target that answers.
pub fn readings(target: &TargetState, now: Now) -> impl Iterator<Item = (&'static TraceSpec, f64)> {
    let fresh = matches!(target.freshness(now), Freshness::Fresh(_));
    let known = target.traces.all().filter(move |_| fresh);
    known.filter_map(move |(spec, quarter)| {
        let newest = quarter.columns(now, fresh).pop().flatten()?;
        Some((spec, neat(newest)))
    })
}

/// What is kept is half as exact as a number here: the digits beyond are of nothing.
fn neat(kept: f64) -> f64 {
    (kept as f32).to_string().parse().unwrap_or(kept)
}
