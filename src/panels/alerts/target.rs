//! What the pages and acts of the alerts screen share: what one Alertmanager holds as it is looked at, and words for it.

use crate::core::alert::Severity;
use crate::core::alertmanager::{AlertGroup, AlertmanagerReading, HeldAlert, HeldBy, Silence};
use crate::core::ids::TargetId;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::ui::format::duration;
use std::time::Duration;

/// What one Alertmanager holds.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) target: &'a TargetState,
    pub(super) reading: &'a AlertmanagerReading,
    /// So long ago it was read: ages go on meanwhile.
    passed: Duration,
}

impl<'a> Seen<'a> {
    /// What was read of it last; nothing before its first answer.
    pub(super) fn of(target: &'a TargetState, context: PanelContext<'_>) -> Option<Self> {
        let (at, reading) = target.system.alertmanager()?.latest.as_ref()?;
        Some(Self { target, reading, passed: context.now.since(*at) })
    }

    /// The same of the target that is called so.
    pub(super) fn named(id: &TargetId, context: PanelContext<'a>) -> Option<Self> {
        Self::of(context.target(id.as_str())?, context)
    }

    /// An age by now.
    pub(super) fn age(self, then: Duration) -> Duration {
        then + self.passed
    }

    /// What is left of a time by now.
    pub(super) fn left(self, then: Duration) -> Duration {
        then.saturating_sub(self.passed)
    }

    /// What keeps an alert back, in words: by whom and why, where that is known.
    pub(super) fn held(self, alert: &HeldAlert) -> Option<String> {
        Some(match alert.held.first()? {
            HeldBy::Silence(id) => match self.reading.silence(id) {
                Some(silence) => format!(
                    "silenced by {} for {} more: {}",
                    silence.author,
                    duration(self.left(silence.ends_in)),
                    silence.comment
                ),
                None => "silenced".to_owned(),
            },
            HeldBy::Alert(fingerprint) => {
                let by = self.reading.alerts().find(|other| other.fingerprint == *fingerprint);
                by.map_or_else(
                    || "inhibited by another alert".to_owned(),
                    |by| format!("inhibited by {}", by.name()),
                )
            }
            HeldBy::Interval(name) => format!("muted by the interval {name}"),
        })
    }

    /// Who is told of an alert.
    pub(super) fn receivers(self, alert: &HeldAlert) -> Vec<&'a str> {
        let groups = self.reading.groups.ready().into_iter().flatten();
        let has =
            |group: &&AlertGroup| group.alerts.iter().any(|other| other.fingerprint == alert.fingerprint);
        let mut told: Vec<&str> = groups.filter(has).map(|group| group.receiver.as_str()).collect();
        told.sort_unstable();
        told.dedup();
        told
    }

    /// The groups; those of several routes that have receiver and labels in common are one.
    pub(super) fn groups(self) -> Vec<AlertGroup> {
        let mut all: Vec<AlertGroup> = Vec::new();
        for group in self.reading.groups.ready().into_iter().flatten() {
            let same =
                |known: &&mut AlertGroup| known.receiver == group.receiver && known.labels == group.labels;
            let Some(known) = all.iter_mut().find(same) else {
                all.push(group.clone());
                continue;
            };
            for alert in &group.alerts {
                if known.alerts.iter().all(|other| other.fingerprint != alert.fingerprint) {
                    known.alerts.push(alert.clone());
                }
            }
        }
        all
    }

    /// The group of this receiver that is made by these labels.
    pub(super) fn group(self, receiver: &str, by: &str) -> Option<AlertGroup> {
        self.groups().into_iter().find(|group| group.receiver == receiver && labels(&group.labels) == by)
    }
}

/// By its own label.
pub(super) fn severity(alert: &HeldAlert) -> Severity {
    Severity::of_label(alert.label("severity"))
}

/// Its name and its labels, as one text.
pub(super) fn named(alert: &HeldAlert) -> String {
    format!("{} {}", alert.name(), alert.others()).trim_end().to_owned()
}

/// The labels that a group is made by, as one text.
pub(super) fn labels(labels: &[(String, String)]) -> String {
    if labels.is_empty() {
        return "(all)".to_owned();
    }
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

/// For which alerts a silence is.
pub(super) fn matchers(silence: &Silence) -> String {
    silence.matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
