//! From the interface's JSON (version 2) and the exposition to ours. Pure; every field is optional.

use crate::core::alertmanager::{self as ours, AlertGroup, Counters, HeldAlert, HeldBy, Matcher};
use crate::sources::metrics::scan::scan;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// A group of alerts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    labels: BTreeMap<String, String>,
    receiver: Receiver,
    alerts: Vec<Alert>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Receiver {
    name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Alert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: Option<DateTime<Utc>>,
    fingerprint: String,
    status: Holders,
}

/// What keeps an alert from people.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Holders {
    #[serde(rename = "silencedBy")]
    pub(crate) silences: Vec<String>,
    #[serde(rename = "inhibitedBy")]
    pub(crate) alerts: Vec<String>,
    #[serde(rename = "mutedBy")]
    pub(crate) intervals: Vec<String>,
}

impl Group {
    /// The group, when its server's clock shows `at`.
    pub(super) fn read(self, at: DateTime<Utc>) -> AlertGroup {
        AlertGroup {
            receiver: self.receiver.name,
            labels: self.labels.into_iter().collect(),
            alerts: self.alerts.into_iter().map(|alert| alert.read(at)).collect(),
        }
    }
}

impl Alert {
    fn read(mut self, at: DateTime<Utc>) -> HeldAlert {
        let texts = ["summary", "description", "message"].map(|name| self.annotations.remove(name));
        let summary = texts.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or_default();
        let silences = self.status.silences.into_iter().map(HeldBy::Silence);
        let alerts = self.status.alerts.into_iter().map(HeldBy::Alert);
        let intervals = self.status.intervals.into_iter().map(HeldBy::Interval);
        HeldAlert {
            fingerprint: self.fingerprint,
            labels: self.labels.into_iter().collect(),
            summary,
            active_for: self.starts_at.and_then(|since| (at - since).to_std().ok()),
            held: silences.chain(alerts).chain(intervals).collect(),
        }
    }
}

/// A silence, also one that is over: servers tell of those for days.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Silence {
    id: String,
    #[serde(default)]
    matchers: Vec<Match>,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
    starts_at: DateTime<Utc>,
    ends_at: String,
    #[serde(default)]
    status: Holds,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Holds {
    state: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Match {
    name: String,
    value: String,
    is_regex: bool,
    is_equal: Option<bool>,
}

/// A silence that is over is told for so long, and no more than so many of them: a server keeps them for days.
const OVER_FOR: Duration = Duration::from_secs(3600);
const MOST_OVER: usize = 20;

/// Those that are not over at `at`, the one that ends first before the others; then those that are over, the last one first.
pub(super) fn silences(all: Vec<Silence>, at: DateTime<Utc>) -> Vec<ours::Silence> {
    let mut all: Vec<ours::Silence> = all.into_iter().filter_map(|silence| silence.read(at)).collect();
    all.sort_by(|a, b| (a.over_for, a.ends_in, &a.id).cmp(&(b.over_for, b.ends_in, &b.id)));
    let standing = all.iter().filter(|silence| silence.over_for.is_none()).count();
    all.truncate(standing + MOST_OVER);
    all
}

impl Silence {
    fn read(self, at: DateTime<Utc>) -> Option<ours::Silence> {
        let ends = DateTime::parse_from_rfc3339(&self.ends_at).ok()?.with_timezone(&Utc);
        let expired = self.status.state == "expired";
        let over_for = expired.then(|| (at - ends).to_std().unwrap_or_default());
        let matchers = self.matchers.into_iter().map(|it| Matcher {
            name: it.name,
            value: it.value,
            regex: it.is_regex,
            equal: it.is_equal.unwrap_or(true),
        });
        let begins = (self.starts_at - at).to_std().ok().filter(|left| *left > Duration::ZERO);
        over_for.is_none_or(|over| over <= OVER_FOR).then(|| ours::Silence {
            id: self.id,
            matchers: matchers.collect(),
            author: self.created_by,
            comment: self.comment,
            // Its clock is told to the second: what has just begun is in force by its own word.
            begins_in: begins.filter(|_| !expired && self.status.state != "active"),
            ends_in: (ends - at).to_std().unwrap_or_default(),
            ends_at: self.ends_at,
            over_for,
        })
    }
}

/// What it says of itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    #[serde(default)]
    version_info: Version,
    #[serde(default)]
    cluster: Cluster,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Version {
    version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cluster {
    status: String,
    peers: Vec<Peer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Peer {
    name: String,
}

impl Status {
    pub(super) fn read(self) -> ours::Status {
        let mut names: Vec<String> = self.cluster.peers.into_iter().map(|peer| peer.name).collect();
        names.sort();
        ours::Status {
            version: self.version_info.version,
            cluster: self.cluster.status,
            peers: names.len(),
            names,
        }
    }
}

/// Requests that failed; older versions count only the notifications that failed in the end.
const FAILED: [&str; 2] =
    ["alertmanager_notification_requests_failed_total", "alertmanager_notifications_failed_total"];
const LOADED: &str = "alertmanager_config_last_reload_successful";

/// What the exposition counts; nothing where it is not that of an Alertmanager.
pub(super) fn counters(text: &str) -> Option<Counters> {
    let exposition = scan(text);
    let mut counters = Counters::default();
    let mut failed: [BTreeMap<String, f64>; 2] = Default::default();
    let mut ours = false;
    for sample in &exposition.samples {
        let name = exposition.name_of(sample);
        if name == LOADED {
            ours = true;
            counters.loaded = Some(sample.value > 0.0);
        }
        if let Some(place) = FAILED.iter().position(|failed| *failed == name) {
            ours = true;
            let mut labels = exposition.labels_of(sample);
            let integration = labels.find(|(name, _)| name == "integration");
            if let Some((_, integration)) = integration {
                *failed[place].entry(integration.into_owned()).or_default() += sample.value;
            }
        }
    }
    counters.failed = failed.into_iter().find(|failed| !failed.is_empty()).unwrap_or_default();
    ours.then_some(counters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn groups_are_read_with_what_holds_their_alerts() {
        let text = r#"[{"labels": {"job": "api"}, "receiver": {"name": "night"}, "alerts": [
            {"annotations": {"description": "d", "summary": ""}, "startsAt": "2026-01-02T03:04:05.678Z", "fingerprint": "f1",
             "labels": {"alertname": "A", "job": "api"}, "receivers": [{"name": "night"}],
             "status": {"state": "suppressed", "silencedBy": ["s1"], "inhibitedBy": ["f2"], "mutedBy": ["nights"]}},
            {"labels": {"alertname": "B"}, "fingerprint": "f2"}]}]"#;
        let groups: Vec<Group> = serde_json::from_str(text).expect("groups");
        let now = at("2026-01-02T03:05:05.678Z");
        let groups: Vec<AlertGroup> = groups.into_iter().map(|group| group.read(now)).collect();
        let [first, second] = &groups[0].alerts[..] else { panic!("two") };
        assert_eq!((groups[0].receiver.as_str(), first.summary.as_str()), ("night", "d"));
        assert_eq!(first.active_for, Some(Duration::from_secs(60)));
        let held: Vec<&str> = first.held.iter().map(HeldBy::word).collect();
        assert_eq!(held, ["silenced", "inhibited", "muted"]);
        assert_eq!((second.active_for, second.held.len()), (None, 0));
    }

    #[test]
    fn a_silence_is_told_until_a_while_after_its_end() {
        let silence = |id: &str, state: &str, from: &str, until: &str| {
            format!(
                r#"{{"id": "{id}", "status": {{"state": "{state}"}}, "createdBy": "ana", "comment": "deploy",
                "startsAt": "2026-01-02T{from}:00Z", "endsAt": "2026-01-02T{until}:00.000Z",
                "matchers": [{{"name": "job", "value": "a|b", "isRegex": true}}, {{"name": "x", "value": "\"", "isRegex": false, "isEqual": false}}]}}"#
            )
        };
        let text = format!(
            "[{},{},{},{}]",
            silence("late", "active", "04:01", "05:00"),
            silence("long over", "expired", "01:00", "02:00"),
            silence("over", "expired", "02:00", "03:30"),
            silence("soon", "pending", "04:10", "04:20")
        );
        let read = silences(serde_json::from_str(&text).expect("silences"), at("2026-01-02T04:00:00Z"));
        let seconds = |span: Option<Duration>| span.map(|span| span.as_secs());
        let told: Vec<_> = read
            .iter()
            .map(|one| {
                (one.id.as_str(), seconds(one.begins_in), one.ends_in.as_secs(), seconds(one.over_for))
            })
            .collect();
        let expected =
            [("soon", Some(600), 1200, None), ("late", None, 3600, None), ("over", None, 0, Some(1800))];
        assert_eq!(told, expected);
        assert_eq!(read[0].ends_at, "2026-01-02T04:20:00.000Z");
        let matchers: Vec<String> = read[0].matchers.iter().map(Matcher::to_string).collect();
        assert_eq!(matchers, [r#"job=~"a|b""#, r#"x!="\"""#]);
    }

    #[test]
    fn failed_requests_are_summed_by_integration() {
        let text = "# TYPE alertmanager_notifications_failed_total counter\n\
            alertmanager_notifications_failed_total{integration=\"slack\",reason=\"other\"} 1\n\
            alertmanager_notification_requests_failed_total{integration=\"slack\",receiver_name=\"a\"} 5\n\
            alertmanager_notification_requests_failed_total{integration=\"slack\",receiver_name=\"b\"} 2\n\
            alertmanager_notification_requests_failed_total{integration=\"email\"} 0\n\
            alertmanager_config_last_reload_successful 0\n";
        let read = counters(text).expect("counters");
        assert_eq!(read.loaded, Some(false));
        assert_eq!(read.failed, BTreeMap::from([("slack".to_owned(), 7.0), ("email".to_owned(), 0.0)]));
        assert_eq!(counters("up 1\n"), None);
        assert_eq!(counters("<html>"), None);
    }
}
