//! One target as the world knows it: its state, how fresh that is, and what the engine plans.

use super::freshness::{Freshness, Polls};
use super::history::Series;
use super::ids::{SystemKind, TargetId};
use super::report::{BreakerState, Plan, PollError};
use super::settings::SystemSettings;
use super::sizes::Sizes;
use super::system::SystemState;
use super::time::Now;
use super::trace::Traces;
use std::time::Duration;

/// What the first looks find may have been there before them: some rules need two readings.
const FEW_LOOKS: Duration = Duration::from_secs(5);
/// The share that the newest poll has in the mean of what polls ask.
const NEWEST: f64 = 0.2;

/// One target as the world knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetState {
    /// Its name.
    pub id: TargetId,
    /// What it is.
    pub kind: SystemKind,
    /// The group that a list of targets says it is of.
    pub listed_group: Option<String>,
    /// Where it is, for people: host, port, database. Never a secret.
    pub address: String,
    /// When it was first asked.
    pub started: Now,
    /// The interval it was configured with.
    pub configured_interval: Duration,
    /// When it last gave data.
    pub seen: Option<Now>,
    /// Since when it gives data without a failure in between.
    pub gives: Option<Now>,
    /// How long the last poll took.
    pub took: Option<Duration>,
    /// The last failure, while it lasts.
    pub failure: Option<PollError>,
    /// What the engine plans.
    pub plan: Option<Plan>,
    /// Reports that newer ones overtook, because nobody took them in time.
    pub overtaken: u64,
    /// Statements, commands or requests of a poll, what is asked beside it included: the mean of the last ones.
    pub questions: Option<f64>,
    /// What is known of the system.
    pub system: SystemState,
    /// Its numbers over the last quarter of an hour.
    pub traces: Traces,
    /// How large what it holds was over the last week.
    pub sizes: Sizes,
}

impl TargetState {
    /// A target that was not asked yet, with its settings; a kind alone is one of which nothing is configured.
    #[must_use]
    pub fn new(
        id: TargetId,
        settings: impl Into<SystemSettings>,
        address: String,
        interval: Duration,
        now: Now,
    ) -> Self {
        let settings = settings.into();
        Self {
            id,
            kind: settings.kind(),
            listed_group: None,
            address,
            started: now,
            configured_interval: interval,
            seen: None,
            gives: None,
            took: None,
            failure: None,
            plan: None,
            overtaken: 0,
            questions: None,
            system: SystemState::new(settings),
            traces: Traces::default(),
            sizes: Sizes::default(),
        }
    }

    /// The same as one of this group, where a list says so.
    #[must_use]
    pub fn of_group(mut self, group: Option<String>) -> Self {
        self.listed_group = group;
        self
    }

    /// What is found now may have begun before anybody looked: it was looked at for the first time, or again after a gap, a moment ago.
    #[must_use]
    pub fn is_new_to_us(&self, now: Now) -> bool {
        let few = self.plan.map_or(self.configured_interval, |plan| plan.interval) * 3;
        self.gives.map_or(self.seen.is_none(), |since| now.since(since) <= few.max(FEW_LOOKS))
    }

    /// A poll and what was beside it sent so many questions; one that could send none says nothing of the others.
    pub(super) fn asked(&mut self, questions: u64) {
        if questions > 0 {
            let newest = questions as f64;
            self.questions = Some(self.questions.map_or(newest, |mean| mean + (newest - mean) * NEWEST));
        }
    }

    /// What it is asked a second, as often as that is planned now.
    #[must_use]
    pub fn asked_per_second(&self) -> Option<f64> {
        let each = self.plan.map_or(self.configured_interval, |plan| plan.interval);
        Some(self.questions? / each.as_secs_f64().max(0.001))
    }

    /// The group that it is of: as a list says, else the service that it says it is of, else its name up to its number.
    #[must_use]
    pub fn group(&self) -> &str {
        if let Some(group) = &self.listed_group {
            return group;
        }
        if let Some(service) = self.system.metrics().and_then(|state| state.service()) {
            return service;
        }
        let name = self.id.as_str();
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let stem = stem.trim_end_matches(['-', '_', '.', ':', ' ']);
        if stem.is_empty() { name } else { stem }
    }

    /// The recent past of one of its numbers in at most `columns`, each as wide as its interval.
    #[must_use]
    pub fn past(&self, series: &Series, columns: usize) -> Vec<Option<f64>> {
        series.columns(columns, self.configured_interval)
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
            let looks = if plan.knocks { "looked at each second, " } else { "" };
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
