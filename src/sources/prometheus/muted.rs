//! Which alerts the Alertmanager keeps from people: silenced, inhibited, or muted by a time interval.

use crate::core::part::{Gap, GapKind, Part};
use crate::core::prometheus::RulesReading;
use crate::core::report::PollError;
use crate::core::text::tidy;
use crate::sources::http::{Http, gap, within};
use crate::sources::json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::time::Duration;

/// Words of others are cut here.
const WORDS: usize = 60;

/// An alert as the Alertmanager has it.
#[derive(Debug, Deserialize)]
pub(super) struct Held {
    labels: BTreeMap<String, String>,
    status: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    #[serde(rename = "silencedBy")]
    silences: Vec<String>,
    #[serde(rename = "inhibitedBy")]
    inhibiting: Vec<String>,
    #[serde(rename = "mutedBy")]
    intervals: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Silence {
    id: String,
    #[serde(default)]
    created_by: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    ends_at: String,
}

impl Status {
    fn holds(&self) -> bool {
        !(self.silences.is_empty() && self.inhibiting.is_empty() && self.intervals.is_empty())
    }
}

/// The alerts that the Alertmanager has with what keeps them back, and the silences that there are.
pub(super) async fn read(http: &Http, limit: Duration) -> Part<(Vec<Held>, Vec<Silence>)> {
    let held: Vec<Held> = match part(http, limit, "/api/v2/alerts?unprocessed=false").await {
        Ok(held) => held,
        Err(gap) => return Part::Unavailable(gap),
    };
    // Who silenced it, and why, is told where it can be.
    let silences = if held.iter().any(|alert| !alert.status.silences.is_empty()) {
        part(http, limit, "/api/v2/silences").await.unwrap_or_default()
    } else {
        Vec::new()
    };
    Part::Ready((held, silences))
}

async fn part<T: DeserializeOwned + Send + 'static>(
    http: &Http,
    limit: Duration,
    path: &str,
) -> Result<T, Gap> {
    let answer = within(limit, http.get(path, &[])).await.map_err(|error: PollError| gap(&error))?;
    if let Some(error) = http.refusal(&answer) {
        return Err(gap(&error));
    }
    json::whole_beside(&answer.body).await.ok_or_else(|| {
        let words = format!("{} answers, but not as an Alertmanager does", http.shown());
        Gap::new(GapKind::Failed, words)
    })
}

/// Notes on each alert what keeps it from people. The Alertmanager may have labels more (external ones), and none less.
pub(super) fn note(rules: &mut RulesReading, held: &[Held], silences: &[Silence]) {
    for rule in rules.notable.iter_mut().filter(|rule| rule.state == "firing" && !rule.all_labels.is_empty())
    {
        let same =
            |alert: &&Held| rule.all_labels.iter().all(|(name, value)| alert.labels.get(name) == Some(value));
        // Servers of two regions may send alerts that differ by an external label only: it is kept back where each of them is.
        let fits: Vec<&Held> = held.iter().filter(same).collect();
        let quiet = fits.iter().all(|alert| alert.status.holds());
        rule.muted = fits.first().filter(|_| quiet).map(|alert| words(&alert.status, silences));
    }
}

fn words(status: &Status, silences: &[Silence]) -> String {
    if let Some(id) = status.silences.first() {
        let Some(silence) = silences.iter().find(|silence| silence.id == *id) else {
            return "silenced".to_owned();
        };
        let until =
            silence.ends_at.split('.').next().unwrap_or_default().trim_end_matches('Z').replace('T', " ");
        let comment = if silence.comment.is_empty() {
            String::new()
        } else {
            format!(": {}", tidy(&silence.comment, WORDS))
        };
        return format!("silenced by {} until {until} UTC{comment}", tidy(&silence.created_by, WORDS));
    }
    match (status.inhibiting.first(), status.intervals.first()) {
        (Some(_), _) => "inhibited by another alert".to_owned(),
        (None, Some(interval)) => format!("muted by the interval {}", tidy(interval, WORDS)),
        (None, None) => "kept back by the Alertmanager".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::prometheus::AlertingRule;

    #[test]
    fn only_an_alert_with_all_its_labels_is_muted() {
        let held: Vec<Held> = serde_json::from_str(
            r#"[{"labels": {"alertname": "A", "host": "x", "cluster": "eu"}, "status": {"state": "suppressed", "silencedBy": ["s1"], "inhibitedBy": []}},
                {"labels": {"alertname": "B"}, "status": {"inhibitedBy": ["f"]}},
                {"labels": {"alertname": "C", "cluster": "eu"}, "status": {"silencedBy": ["s1"]}},
                {"labels": {"alertname": "C", "cluster": "us"}, "status": {}}]"#,
        )
        .expect("alerts");
        let silences: Vec<Silence> = serde_json::from_str(
            r#"[{"id": "s1", "createdBy": "ana", "comment": "deploy", "endsAt": "2026-01-02T03:04:05.678Z"}]"#,
        )
        .expect("silences");
        let alert = |labels: &[(&str, &str)]| AlertingRule {
            state: "firing".to_owned(),
            all_labels: labels.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
            ..AlertingRule::default()
        };
        let notable = vec![
            alert(&[("alertname", "A"), ("host", "x")]),
            alert(&[("alertname", "A"), ("host", "y")]),
            alert(&[("alertname", "B")]),
            alert(&[("alertname", "C")]),
            alert(&[]),
        ];
        let mut rules = RulesReading { total: 5, notable, ..RulesReading::default() };
        note(&mut rules, &held, &silences);
        let muted: Vec<Option<&str>> = rules.notable.iter().map(|rule| rule.muted.as_deref()).collect();
        let told = "silenced by ana until 2026-01-02 03:04:05 UTC: deploy";
        assert_eq!(muted, [Some(told), None, Some("inhibited by another alert"), None, None]);
    }
}
