//! What a rule about Redis has before it, and what it says.

use crate::core::alert::{Rulebook, Severity, Signal};
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::redis::{QueueReading, seen_as};
use crate::core::row::RowKey;
use crate::core::time::Now;
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) struct Scene<'a> {
    pub(super) target: &'a TargetId,
    pub(super) rules: &'a Rulebook,
    pub(super) now: Now,
    /// Names that more than one queue has, below other prefixes.
    pub(super) twice: BTreeSet<&'a str>,
    pub(super) list: Vec<Signal>,
}

impl Scene<'_> {
    pub(super) fn name(&self, queue: &QueueReading) -> String {
        seen_as(&queue.queue, self.twice.contains(queue.queue.name.as_str()))
    }

    /// Adds a signal of the server itself when `severity` says so.
    pub(super) fn server(
        &mut self,
        rule: &'static str,
        severity: Option<Severity>,
        sentence: String,
        next_step: &str,
    ) {
        if let Some(severity) = severity.filter(|_| self.rules.get(rule).enabled) {
            self.list.push(Signal {
                rule,
                target: self.target.clone(),
                subject: "server".to_owned(),
                severity,
                sentence,
                observed_for: None,
                hit: 0,
                next_step: next_step.to_owned(),
                place: Place { screen: Screen::Queues, row: None },
            });
        }
    }

    /// Adds one signal for several queues together.
    pub(super) fn queues(
        &mut self,
        rule: &'static str,
        severity: Option<Severity>,
        sentence: String,
        observed_for: Option<Duration>,
        hit: u64,
        next_step: &str,
    ) {
        self.server(rule, severity, sentence, next_step);
        if let Some(signal) = self.list.last_mut().filter(|signal| signal.rule == rule) {
            (signal.subject, signal.observed_for, signal.hit) = ("queues".to_owned(), observed_for, hit);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one signal is this many words")]
    pub(super) fn queue(
        &mut self,
        rule: &'static str,
        severity: Option<Severity>,
        queue: &QueueReading,
        sentence: String,
        observed_for: Option<Duration>,
        hit: u64,
        next_step: &str,
    ) {
        if let Some(severity) = severity.filter(|_| self.rules.get(rule).enabled) {
            let row = RowKey::of_queue(self.target, &queue.queue);
            self.list.push(Signal {
                rule,
                target: self.target.clone(),
                subject: format!("queue {}:{}", queue.queue.prefix, queue.queue.name),
                severity,
                sentence,
                observed_for,
                hit,
                next_step: next_step.to_owned(),
                place: Place { screen: Screen::Queues, row: Some(row) },
            });
        }
    }
}
