//! What the look before and after a change reads: silences and alerts, as the interface has them (version 2).

use crate::core::alertmanager::Matcher;
use crate::sources::alertmanager::decode::Holders;
use chrono::{DateTime, Utc};
use serde::Deserialize;

/// A silence.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) matchers: Vec<Match>,
    pub(super) created_by: String,
    pub(super) comment: String,
    pub(super) ends_at: String,
    pub(super) updated_at: String,
    status: State,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    state: String,
}

/// A matcher; what says nothing of equality is from before there was another.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Match {
    name: String,
    value: String,
    is_regex: bool,
    is_equal: Option<bool>,
}

impl Found {
    /// Whether it is in force, or will be.
    pub(super) fn stands(&self) -> bool {
        self.status.state != "expired"
    }

    /// Whether it is in force.
    pub(super) fn holds(&self) -> bool {
        self.status.state == "active"
    }

    /// Whether it is for the same alerts, in whichever order that is written.
    pub(super) fn is_for(&self, wanted: &[Matcher]) -> bool {
        let of = |one: &Match| Matcher {
            name: one.name.clone(),
            value: one.value.clone(),
            regex: one.is_regex,
            equal: one.is_equal.unwrap_or(true),
        };
        let (mut ours, mut theirs) = (wanted.to_vec(), self.matchers.iter().map(of).collect::<Vec<_>>());
        ours.sort();
        theirs.sort();
        ours == theirs
    }

    /// When it ends.
    pub(super) fn ends(&self) -> Option<DateTime<Utc>> {
        moment(&self.ends_at)
    }
}

/// A moment as it is written.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

/// An alert, and what keeps it from people.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    pub(super) fingerprint: String,
    status: Holders,
}

impl Told {
    /// Whether this silence keeps it quiet.
    pub(super) fn is_kept_by(&self, id: &str) -> bool {
        self.status.silences.iter().any(|by| by == id)
    }

    /// Whether anything does.
    pub(super) fn is_kept(&self) -> bool {
        let Holders { silences, alerts, intervals } = &self.status;
        !(silences.is_empty() && alerts.is_empty() && intervals.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_the_same_in_any_order() {
        let text = r#"{"id": "s", "status": {"state": "pending"}, "endsAt": "2026-01-02T03:04:05.678Z",
            "matchers": [{"name": "b", "value": "x.*", "isRegex": true, "isEqual": false}, {"name": "a", "value": "1", "isRegex": false}]}"#;
        let found: Found = serde_json::from_str(text).expect("a silence");
        let other = Matcher { name: "b".into(), value: "x.*".into(), regex: true, equal: false };
        assert!(found.is_for(&[Matcher::is("a", "1"), other.clone()]));
        assert!(!found.is_for(&[Matcher::is("a", "1"), Matcher { equal: true, ..other }]));
        assert!(!found.is_for(&[Matcher::is("a", "1")]));
        assert!(found.stands() && !found.holds());
        assert_eq!(found.ends().map(|at| at.timestamp_millis() % 100_000), Some(45_678));
    }
}
