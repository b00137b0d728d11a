//! From the interface's JSON to ours. Pure; every field is optional, sample values are texts.

use crate::core::prometheus::{AlertingRule, Alertmanagers, RulesReading, ScrapeTarget};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Series of one PromQL panel beyond this are not kept, and the server is asked for no more than one beyond it.
pub(super) const MOST_SERIES: usize = 2000;

/// What is read of each answer.
pub(super) const VERSION: &[&str] = &["data/version"];
pub(super) const TARGETS: &[&str] = &[
    "data/activeTargets/*/labels/job",
    "data/activeTargets/*/labels/instance",
    "data/activeTargets/*/health",
    "data/activeTargets/*/lastError",
    "data/activeTargets/*/lastScrapeDuration",
];
pub(super) const RULES: &[&str] = &[
    "data/groups/*/name",
    "data/groups/*/rules/*/name",
    "data/groups/*/rules/*/type",
    "data/groups/*/rules/*/state",
    "data/groups/*/rules/*/health",
    "data/groups/*/rules/*/labels/severity",
    "data/groups/*/rules/*/lastError",
    "data/groups/*/rules/*/query",
    "data/groups/*/rules/*/alerts/*/activeAt",
    "data/groups/*/rules/*/alerts/*/state",
    "data/groups/*/rules/*/alerts/*/labels/*",
    "data/groups/*/rules/*/alerts/*/annotations/summary",
    "data/groups/*/rules/*/alerts/*/annotations/description",
];
pub(super) const MANAGERS: &[&str] = &["data/activeAlertmanagers/*/url", "data/droppedAlertmanagers/*/url"];
pub(super) const VECTOR: &[&str] =
    &["data/resultType", "data/result/*", "data/result/*/metric/*", "data/result/*/value/*"];

/// Series of one range beyond this are not kept: more lines nobody tells apart.
pub(super) const MOST_LINES: usize = 24;
/// Names of metrics beyond this are not kept.
pub(super) const MOST_NAMES: usize = 10_000;
pub(super) const MATRIX: &[&str] = &["data/resultType", "data/result/*/metric/*", "data/result/*/values/*/*"];
pub(super) const NAMES: &[&str] = &["data/*"];

fn word(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// `version` of the build.
pub(super) fn version(data: &Value) -> Option<String> {
    Some(data.get("version")?.as_str()?.to_owned())
}

/// The active targets.
pub(super) fn targets(data: &Value) -> Option<Vec<ScrapeTarget>> {
    let list = data.get("activeTargets")?.as_array()?;
    Some(
        list.iter()
            .map(|target| {
                let labels = target.get("labels").unwrap_or(&Value::Null);
                ScrapeTarget {
                    job: word(labels, "job"),
                    instance: word(labels, "instance"),
                    health: word(target, "health"),
                    last_error: word(target, "lastError"),
                    took_seconds: target.get("lastScrapeDuration").and_then(Value::as_f64).unwrap_or(0.0),
                }
            })
            .collect(),
    )
}

/// Whom it tells of alerts. What it sends them to is the path of their interface, below a prefix of theirs.
pub(super) fn managers(data: &Value) -> Option<Alertmanagers> {
    let list = |name: &str| data.get(name).and_then(Value::as_array);
    let told = list("activeAlertmanagers")?.iter().map(|one| {
        let url = word(one, "url");
        let base = ["/api/v2/alerts", "/api/v1/alerts"].iter().find_map(|path| url.strip_suffix(path));
        base.unwrap_or(&url).to_owned()
    });
    Some(Alertmanagers { told: told.collect(), dropped: list("droppedAlertmanagers").map_or(0, Vec::len) })
}

/// The alerts that are not quiet and the rules that fail.
pub(super) fn rules(data: &Value, now: DateTime<Utc>) -> Option<RulesReading> {
    let mut reading = RulesReading::default();
    for group in data.get("groups")?.as_array()? {
        for rule in group.get("rules").and_then(Value::as_array).into_iter().flatten() {
            reading.total += 1;
            reading.alerting += usize::from(word(rule, "type") == "alerting");
            let state = word(rule, "state");
            let failing = word(rule, "health") == "err";
            let alerts = rule.get("alerts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            if failing || (alerts.is_empty() && !matches!(state.as_str(), "inactive" | "")) {
                reading.notable.push(alerting(group, rule, &state, &Value::Null, now));
            } else {
                reading.notable.extend(alerts.iter().map(|alert| alerting(group, rule, &state, alert, now)));
            }
        }
    }
    Some(reading)
}

fn alerting(group: &Value, rule: &Value, state: &str, alert: &Value, now: DateTime<Utc>) -> AlertingRule {
    let annotations = alert.get("annotations").unwrap_or(&Value::Null);
    let summary = [word(annotations, "summary"), word(annotations, "description")];
    let since = alert.get("activeAt").and_then(Value::as_str);
    let since = since.and_then(|at| DateTime::parse_from_rfc3339(at).ok());
    let first = |texts: [String; 2]| texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let of_alert = alert.get("labels").unwrap_or(&Value::Null);
    let of_rule = rule.get("labels").unwrap_or(&Value::Null);
    AlertingRule {
        group: word(group, "name"),
        name: word(rule, "name"),
        labels: labels(of_alert, &["alertname", "severity"]),
        state: first([word(alert, "state"), state.to_owned()]),
        severity: first([word(of_alert, "severity"), word(of_rule, "severity")]),
        error: word(rule, "lastError"),
        query: word(rule, "query"),
        summary: first(summary),
        all_labels: of_alert
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
        muted: None,
        active_for: since.and_then(|at| (now - at.with_timezone(&Utc)).to_std().ok()),
    }
}

/// An instant vector or a scalar: labels as one text, and the value.
pub(super) fn vector(data: &Value) -> Option<Vec<(String, f64)>> {
    let result = data.get("result")?;
    let number = |pair: &Value| pair.get(1)?.as_str()?.parse::<f64>().ok();
    match data.get("resultType")?.as_str()? {
        "vector" => Some(
            result
                .as_array()?
                .iter()
                .filter_map(|sample| {
                    Some((labels(sample.get("metric")?, &["__name__"]), number(sample.get("value")?)?))
                })
                .collect(),
        ),
        "scalar" => Some(vec![(String::new(), number(result)?)]),
        _ => None,
    }
}

/// A matrix, as so many columns of `step` seconds from `start` on; NaN where a series has no number.
pub(super) fn matrix(
    data: &Value,
    (start, step, columns): (i64, i64, usize),
) -> Option<Vec<(String, Vec<f64>)>> {
    if data.get("resultType")?.as_str()? != "matrix" {
        return None;
    }
    let series = |one: &Value| {
        let mut values = vec![f64::NAN; columns];
        // A series of native histograms has none of these.
        for pair in one.get("values").and_then(Value::as_array).into_iter().flatten() {
            let at = pair.get(0).and_then(Value::as_f64)? - start as f64;
            let place = (at / step.max(1) as f64).round();
            let value = pair.get(1)?.as_str()?.parse::<f64>().ok()?;
            if let Some(slot) = (place >= 0.0).then(|| values.get_mut(place as usize)).flatten() {
                *slot = value;
            }
        }
        Some((labels(one.get("metric")?, &["__name__"]), values))
    };
    let mut all: Vec<_> = data.get("result")?.as_array()?.iter().filter_map(series).collect();
    // The largest at the end first: with many lines those are looked for.
    let last = |values: &[f64]| values.iter().rev().copied().find(|value| value.is_finite());
    all.sort_by(|(a, x), (b, y)| {
        let (x, y) = (last(x).unwrap_or(f64::NEG_INFINITY), last(y).unwrap_or(f64::NEG_INFINITY));
        y.total_cmp(&x).then_with(|| a.cmp(b))
    });
    Some(all)
}

/// The values of a label.
pub(super) fn names(data: &Value) -> Option<Vec<String>> {
    let names = data.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned);
    Some(names.take(MOST_NAMES).collect())
}

fn labels(metric: &Value, except: &[&str]) -> String {
    let Some(map) = metric.as_object() else { return String::new() };
    let mut pairs: Vec<String> = map
        .iter()
        .filter(|(name, _)| !except.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()))
        .collect();
    pairs.sort();
    pairs.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::json;
    use serde_json::json;

    /// As it is read: only what is asked for is there.
    #[expect(clippy::needless_pass_by_value, reason = "made for it")]
    fn pruned(paths: &[&'static str], data: Value) -> Value {
        json::read(json!({"data": data}).to_string().as_bytes(), paths).expect("JSON")["data"].take()
    }

    #[test]
    fn alertmanagers_are_told_without_the_path_of_their_interface() {
        let data = pruned(
            MANAGERS,
            json!({"activeAlertmanagers": [{"url": "http://am:9093/api/v2/alerts"}, {"url": "https://m/alertmanager/api/v2/alerts"}],
                "droppedAlertmanagers": [{"url": "http://b:9093/api/v2/alerts"}]}),
        );
        let read = managers(&data).expect("read");
        assert_eq!(
            (read.told, read.dropped),
            (vec!["http://am:9093".to_owned(), "https://m/alertmanager".to_owned()], 1)
        );
        // Prometheus leaves a list out that is empty, or says null.
        let none =
            managers(&pruned(MANAGERS, json!({"activeAlertmanagers": [], "droppedAlertmanagers": null})));
        assert_eq!(none, Some(Alertmanagers::default()));
    }

    #[test]
    fn rules_that_are_quiet_are_only_counted() {
        let data = pruned(
            RULES,
            json!({"groups": [{"name": "g", "rules": [
            {"name": "quiet", "type": "alerting", "state": "inactive", "health": "ok"},
            {"name": "recorded", "health": "ok"},
            {"name": "broken", "state": "inactive", "health": "err", "lastError": "many-to-many"},
            {"name": "loud", "state": "firing", "health": "ok", "labels": {"severity": "page"}, "alerts": [
                {"activeAt": "2026-01-01T00:00:00Z", "annotations": {"description": "d"}},
                {"activeAt": "2026-01-01T00:01:00Z"}]}]}]}),
        );
        let now = DateTime::parse_from_rfc3339("2026-01-01T00:02:00Z").expect("a time").with_timezone(&Utc);
        let read = rules(&data, now).expect("read");
        assert_eq!((read.total, read.alerting, read.notable.len()), (4, 1, 3));
        assert_eq!((read.firing(), read.failing()), (1, 1));
        let loud = &read.notable[1];
        assert_eq!((loud.severity.as_str(), loud.summary.as_str()), ("page", "d"));
        assert_eq!(loud.active_for.map(|age| age.as_secs()), Some(120));
    }

    #[test]
    fn an_alert_is_told_by_its_own_labels_severity_and_state() {
        let data = pruned(
            RULES,
            json!({"groups": [{"name": "g", "rules": [{"name": "Slow", "state": "firing", "health": "ok",
            "labels": {"severity": "{{ $labels.level }}"}, "alerts": [
                {"state": "pending", "labels": {"alertname": "Slow", "severity": "critical", "host": "a"}},
                {"state": "firing", "labels": {"alertname": "Slow", "severity": "warning", "host": "b"}}]}]}]}),
        );
        let read = rules(&data, DateTime::<Utc>::UNIX_EPOCH).expect("read");
        let told: Vec<_> = read
            .notable
            .iter()
            .map(|alert| (alert.state.as_str(), alert.severity.as_str(), alert.labels.as_str()))
            .collect();
        assert_eq!(told, [("pending", "critical", "host=a"), ("firing", "warning", "host=b")]);
    }

    #[test]
    fn a_matrix_is_columns_with_gaps_the_largest_first() {
        let data = pruned(
            MATRIX,
            json!({"resultType": "matrix", "result": [
            {"metric": {"__name__": "x", "job": "a"}, "values": [[100, "1"], [110, "2"], [130, "4"]]},
            {"metric": {"job": "b"}, "values": [[90, "7"], [120.4, "+Inf"], [130, "9"], [140, "5"]]},
            {"metric": {"job": "n"}, "histograms": [[100, {}]]}]}),
        );
        let read = matrix(&data, (100, 10, 4)).expect("read");
        let shown: Vec<_> = read.iter().map(|(labels, values)| format!("{labels} {values:?}")).collect();
        assert_eq!(
            shown,
            ["job=b [NaN, NaN, inf, 9.0]", "job=a [1.0, 2.0, NaN, 4.0]", "job=n [NaN, NaN, NaN, NaN]"]
        );
        assert_eq!(matrix(&pruned(MATRIX, json!({"resultType": "vector", "result": []})), (0, 1, 1)), None);
        let all = pruned(NAMES, json!(["up", "go_gc", 7]));
        assert_eq!(names(&all), Some(vec!["up".to_owned(), "go_gc".to_owned()]));
    }

    #[test]
    fn vectors_scalars_and_what_is_neither() {
        let data = pruned(
            VECTOR,
            json!({"resultType": "vector", "result": [
            {"metric": {"__name__": "up", "job": "b", "a": "1"}, "value": [1.5, "NaN"]},
            {"metric": {}, "value": [1.5, "2.5"]}, {"metric": {"h": "x"}, "histogram": [1, {}]}]}),
        );
        let read = vector(&data).expect("read");
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].0, "a=1 job=b");
        assert!(read[0].1.is_nan());
        assert_eq!(read[1], (String::new(), 2.5));
        assert_eq!(
            vector(&pruned(VECTOR, json!({"resultType": "scalar", "result": [1, "3"]}))),
            Some(vec![(String::new(), 3.0)])
        );
        assert_eq!(vector(&json!({"resultType": "matrix", "result": []})), None);
    }
}
