//! One poll of an Alertmanager's HTTP interface (version 2), as data.

use super::matcher::Matcher;
use crate::core::exact;
use crate::core::part::Part;
use crate::core::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

static UNTOLD: LazyLock<Whereabouts> =
    LazyLock::new(|| Whereabouts::Elsewhere("an Alertmanager does not say where it runs".to_owned()));

/// What one poll of an Alertmanager read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertmanagerReading {
    /// Its version and the cluster that it is of.
    pub status: Part<Status>,
    /// Its alerts, in the groups in which it notifies.
    pub groups: Part<Vec<AlertGroup>>,
    /// Every silence that is in force, waits for its time, or was over a short while ago.
    pub silences: Part<Vec<Silence>>,
    /// What it counts of itself; what only speaks the same interface (Mimir, Grafana) counts elsewhere.
    pub counters: Part<Counters>,
}

impl AlertmanagerReading {
    /// It says nothing of where it is: behind an address of this machine there may be a tunnel.
    #[must_use]
    pub fn whereabouts(&self) -> Option<&Whereabouts> {
        Some(&UNTOLD)
    }

    /// Every alert once, however many groups it is in.
    pub fn alerts(&self) -> impl Iterator<Item = &HeldAlert> {
        let mut all: BTreeMap<&str, &HeldAlert> = BTreeMap::new();
        for alert in self.groups.ready().into_iter().flatten().flat_map(|group| &group.alerts) {
            // A route may be muted while another one tells people: then it is told.
            let known = all.entry(&alert.fingerprint).or_insert(alert);
            if alert.held.len() < known.held.len() {
                *known = alert;
            }
        }
        all.into_values()
    }

    /// The silences that are not over.
    pub fn standing(&self) -> impl Iterator<Item = &Silence> {
        self.silences.ready().into_iter().flatten().filter(|silence| silence.over_for.is_none())
    }

    /// The silence of this id.
    #[must_use]
    pub fn silence(&self, id: &str) -> Option<&Silence> {
        self.silences.ready()?.iter().find(|silence| silence.id == id)
    }

    /// The alerts that a silence keeps quiet, by the server's own word.
    pub fn kept_by<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a HeldAlert> {
        let by = HeldBy::Silence(id.to_owned());
        self.alerts().filter(move |alert| alert.held.contains(&by))
    }
}

/// What it says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its version.
    pub version: String,
    /// `ready`, `settling`, or `disabled` where it stands alone.
    pub cluster: String,
    /// How many are of the cluster, itself included.
    pub peers: usize,
    /// The name of each of them, in order; two that name the same are of one cluster.
    pub names: Vec<String>,
}

/// A group of alerts, as one notification tells of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertGroup {
    /// Who is notified.
    pub receiver: String,
    /// The labels that the group is made by.
    pub labels: Vec<(String, String)>,
    /// Its alerts.
    pub alerts: Vec<HeldAlert>,
}

/// An alert as the Alertmanager has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldAlert {
    /// What tells it from all others: a digest of its labels.
    pub fingerprint: String,
    /// All of its labels, by name.
    pub labels: Vec<(String, String)>,
    /// Its summary or description.
    pub summary: String,
    /// How long it has been active.
    pub active_for: Option<Duration>,
    /// What keeps it from people.
    pub held: Vec<HeldBy>,
}

/// What keeps an alert from people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeldBy {
    /// A silence, by its id.
    Silence(String),
    /// Another alert, by its fingerprint.
    Alert(String),
    /// A time interval of its route, by its name.
    Interval(String),
}

impl HeldBy {
    /// In a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Silence(_) => "silenced",
            Self::Alert(_) => "inhibited",
            Self::Interval(_) => "muted",
        }
    }
}

impl HeldAlert {
    /// The value of a label; empty where it has none of this name.
    #[must_use]
    pub fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.label("alertname")
    }

    /// Its labels beyond name and severity, as one text.
    #[must_use]
    pub fn others(&self) -> String {
        let others =
            self.labels.iter().filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity"));
        others.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }
}

/// A silence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Which alerts it keeps quiet: all of these hold for them.
    pub matchers: Vec<Matcher>,
    /// Who made it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// In how long it begins; nothing when it has begun.
    pub begins_in: Option<Duration>,
    /// In how long it ends.
    pub ends_in: Duration,
    /// When it ends, as the server writes it: who changes it says which end was seen.
    pub ends_at: String,
    /// How long ago it was over, if it is.
    pub over_for: Option<Duration>,
}

/// What it counts of itself since it was started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Whether the configuration on its disk could be loaded; nothing where it does not say.
    pub loaded: Option<bool>,
    /// Requests to each integration that failed ("slack", "email"), by its name.
    #[serde(with = "exact")]
    pub failed: BTreeMap<String, f64>,
}
