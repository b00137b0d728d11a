//! Snapshots, the server's own diagnosis, what its threads are at.

use crate::core::part::{Gap, GapKind, Part};
use crate::core::search::{
    Diagnosis, HotThreads, Indicator, MOST_LINES, Repository, Snapshot, SnapshotPolicy, Snapshots, segment,
};
use crate::core::text::tidy;
use crate::sources::http::{Http, gap, within};
use crate::sources::search::decode::{number, whole, word};
use crate::sources::search::questions::{self, BESIDE};
use serde_json::Value;

const REPOSITORIES: &str = "/_snapshot";
const REPOSITORIES_READ: &[&str] = &["*/type"];
/// So many repositories are asked for their snapshots: each is read from where it lies.
const MOST_REPOSITORIES: usize = 5;
/// The newest; a repository of thousands is never listed as a whole.
const NEWEST: &str = "order=desc&sort=start_time&size=5&ignore_unavailable=true";
const NEWEST_READ: &[&str] = &[
    "snapshots/*/snapshot",
    "snapshots/*/state",
    "snapshots/*/start_time_in_millis",
    "snapshots/*/shards/failed",
];
const POLICIES: &str = "/_slm/policy";
const POLICIES_READ: &[&str] = &[
    "*/policy/schedule",
    "*/policy/repository",
    "*/last_success/start_time",
    "*/last_success/time",
    "*/last_failure/time",
    "*/last_failure/details",
    "*/next_execution_millis",
];
/// The same of OpenSearch: how each went last, and when the next is due. What it keeps of the past is the latest execution only.
const MANAGED: &str = "/_plugins/_sm/policies/*/_explain";
const MANAGED_READ: &[&str] = &[
    "policies/*/name",
    "policies/*/enabled",
    "policies/*/creation/trigger/time",
    "policies/*/creation/latest_execution/status",
    "policies/*/creation/latest_execution/start_time",
    "policies/*/creation/latest_execution/end_time",
    "policies/*/creation/latest_execution/info/message",
    "policies/*/creation/latest_execution/info/cause",
];
const REPORT: &str = "/_health_report?verbose=false";
/// Analyses that cost more than a poll may: while somebody reads them only.
const VERBOSE: &str = "/_health_report";
const REPORT_READ: &[&str] = &[
    "indicators/*/status",
    "indicators/*/symptom",
    "indicators/*/impacts/*/description",
    "indicators/*/diagnosis/*/cause",
    "indicators/*/diagnosis/*/action",
    "indicators/*/diagnosis/*/help_url",
];
/// So much of one sentence of the server is kept.
const MOST_WORDS: usize = 600;

pub(super) async fn snapshots(http: &Http) -> Part<Snapshots> {
    let (repositories, policies) = tokio::join!(
        questions::of_master(http, REPOSITORIES, REPOSITORIES_READ, repositories),
        policies(http),
    );
    let mut list = match repositories {
        Part::Ready(list) => list,
        Part::Unavailable(gap) => return Part::Unavailable(gap),
        Part::NotAsked => return Part::NotAsked,
    };
    for repository in list.iter_mut().take(MOST_REPOSITORIES) {
        let path = format!("/_snapshot/{}/_all?{NEWEST}", segment(&repository.name));
        repository.newest = questions::part(http, &path, NEWEST_READ, newest).await;
    }
    Part::Ready(Snapshots { repositories: list, policies })
}

/// What makes snapshots by itself, of either product.
pub(in crate::sources::search) async fn policies(http: &Http) -> Part<Vec<SnapshotPolicy>> {
    match questions::part(http, POLICIES, POLICIES_READ, slm).await {
        Part::Unavailable(gap) if gap.kind == GapKind::NotSupported => {
            questions::part(http, MANAGED, MANAGED_READ, sm).await
        }
        other => other,
    }
}

fn repositories(value: &Value) -> Option<Vec<Repository>> {
    let one = |(name, found): (&String, &Value)| Repository {
        name: name.clone(),
        kind: word(found, "/type"),
        newest: Part::NotAsked,
    };
    Some(value.as_object()?.iter().map(one).collect())
}

fn newest(value: &Value) -> Option<Vec<Snapshot>> {
    let one = |found: &Value| Snapshot {
        name: word(found, "/snapshot"),
        state: word(found, "/state"),
        start_millis: number(found, "/start_time_in_millis").map(|at| at as i64),
        failed: whole(found, "/shards/failed").unwrap_or(0),
    };
    Some(value.as_object()?.get("snapshots")?.as_array()?.iter().map(one).collect())
}

fn slm(value: &Value) -> Option<Vec<SnapshotPolicy>> {
    let one = |(name, found): (&String, &Value)| {
        let at = |pointer: &str| number(found, pointer).map(|at| at as i64);
        SnapshotPolicy {
            name: name.clone(),
            schedule: word(found, "/policy/schedule"),
            repository: word(found, "/policy/repository"),
            success_millis: at("/last_success/start_time").or_else(|| at("/last_success/time")),
            failure_millis: at("/last_failure/time"),
            failure: tidy(&word(found, "/last_failure/details"), MOST_WORDS),
            next_millis: at("/next_execution_millis"),
        }
    };
    Some(value.as_object()?.iter().map(one).collect())
}

/// One that is switched off makes none on purpose.
fn sm(value: &Value) -> Option<Vec<SnapshotPolicy>> {
    let one = |found: &Value| {
        let latest = |name: &str| format!("/creation/latest_execution/{name}");
        let at = |pointer: &str| number(found, pointer).map(|at| at as i64);
        let (status, began) = (word(found, &latest("status")), at(&latest("start_time")));
        let failed = matches!(status.as_str(), "FAILED" | "TIME_LIMIT_EXCEEDED" | "RETRYING");
        let cause = word(found, &latest("info/cause"));
        let why = if cause.is_empty() { word(found, &latest("info/message")) } else { cause };
        SnapshotPolicy {
            name: word(found, "/name"),
            success_millis: began.filter(|_| status == "SUCCESS"),
            failure_millis: at(&latest("end_time")).or(began).filter(|_| failed),
            failure: if failed { tidy(&why, MOST_WORDS) } else { String::new() },
            next_millis: at("/creation/trigger/time"),
            ..SnapshotPolicy::default()
        }
    };
    let all = value.as_object()?.get("policies")?.as_array()?;
    let runs = |found: &&Value| found.get("enabled").and_then(Value::as_bool) != Some(false);
    Some(all.iter().filter(runs).map(one).collect())
}

/// What the server sees at a glance.
pub(in crate::sources::search) async fn report(http: &Http) -> Part<Vec<Indicator>> {
    questions::part(http, REPORT, REPORT_READ, indicators).await
}

/// The same with causes and advice.
pub(super) async fn diagnosis(http: &Http) -> Part<Vec<Indicator>> {
    questions::part(http, VERBOSE, REPORT_READ, indicators).await
}

fn indicators(value: &Value) -> Option<Vec<Indicator>> {
    let words = |value: &Value, name: &str| {
        tidy(value.get(name).and_then(Value::as_str).unwrap_or_default(), MOST_WORDS)
    };
    let list =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let one = |(name, found): (&String, &Value)| Indicator {
        name: name.clone(),
        status: word(found, "/status"),
        symptom: words(found, "symptom"),
        impacts: list(found, "impacts").iter().map(|impact| words(impact, "description")).collect(),
        diagnoses: list(found, "diagnosis")
            .iter()
            .map(|found| Diagnosis {
                cause: words(found, "cause"),
                action: words(found, "action"),
                help: words(found, "help_url"),
            })
            .collect(),
    };
    let mut all: Vec<Indicator> = value.get("indicators")?.as_object()?.iter().map(one).collect();
    let rank = |found: &Indicator| match found.status.as_str() {
        "red" => 0,
        "yellow" => 1,
        "green" => 3,
        _ => 2,
    };
    all.sort_by_key(rank);
    Some(all)
}

/// What the busiest threads of a node are at: it is sampled for half a second.
pub(super) async fn hot_threads(http: &Http, node: String) -> Part<HotThreads> {
    let path = format!("/_nodes/{}/hot_threads?threads=3&interval=500ms&type=cpu", segment(&node));
    let answer = match within(BESIDE, http.get(&path, &[])).await {
        Ok(answer) => answer,
        Err(error) => return Part::Unavailable(gap(&error)),
    };
    if let Some(refusal) = http.refusal(&answer) {
        return Part::Unavailable(gap(&refusal));
    }
    let text = String::from_utf8_lossy(&answer.body);
    let lines: Vec<String> =
        text.lines().filter(|line| !line.trim().is_empty()).take(MOST_LINES).map(str::to_owned).collect();
    if lines.is_empty() {
        return Part::Unavailable(Gap::new(GapKind::Failed, "the node is not there any more"));
    }
    Part::Ready(HotThreads { node, lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::json;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "made for it")]
    fn pruned(paths: &[&'static str], data: Value) -> Value {
        json::read(data.to_string().as_bytes(), paths).expect("JSON")
    }

    #[test]
    fn a_policy_fails_whose_newest_snapshot_failed() {
        let policy = |success: Option<i64>, failure: Option<i64>| {
            let answer = json!({"nightly": {"version": 1, "policy": {"schedule": "0 30 1 * * ?", "repository": "r"},
                "last_success": success.map(|at| json!({"snapshot_name": "s", "start_time": at - 1, "time": at})),
                "last_failure": failure.map(|at| json!({"snapshot_name": "f", "time": at, "details": "no room"})),
                "next_execution_millis": 99}});
            slm(&pruned(POLICIES_READ, answer)).expect("policies").remove(0)
        };
        assert!(!policy(Some(10), None).fails() && !policy(Some(10), Some(5)).fails());
        assert!(policy(Some(10), Some(15)).fails() && policy(None, Some(5)).fails());
        let read = policy(Some(10), Some(15));
        assert_eq!(
            (read.failure.as_str(), read.success_millis, read.next_millis),
            ("no room", Some(9), Some(99))
        );
    }

    #[test]
    fn of_open_search_the_latest_execution_is_told_and_what_is_off_is_not() {
        let answer = json!({"policies": [
            {"name": "daily", "enabled": true, "policy_seq_no": 1, "creation": {"current_state": "CREATION_START", "trigger": {"time": 99},
                "latest_execution": {"status": "SUCCESS", "start_time": 5, "end_time": 7, "info": {"message": "done"}}}},
            {"name": "hourly", "enabled": true, "creation": {"trigger": {"time": 98},
                "latest_execution": {"status": "FAILED", "start_time": 6, "end_time": 8, "info": {"message": "m", "cause": "no room"}}}},
            {"name": "new", "enabled": true, "creation": {"current_state": "CREATION_START", "trigger": {"time": 97}}},
            {"name": "off", "enabled": false, "creation": {"trigger": {"time": 1}}}]});
        let read = sm(&pruned(MANAGED_READ, answer)).expect("policies");
        let told: Vec<_> = read
            .iter()
            .map(|one| {
                (
                    one.name.as_str(),
                    one.success_millis,
                    one.failure_millis,
                    one.failure.as_str(),
                    one.next_millis,
                )
            })
            .collect();
        let expected = [
            ("daily", Some(5), None, "", Some(99)),
            ("hourly", None, Some(8), "no room", Some(98)),
            ("new", None, None, "", Some(97)),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn what_the_server_sees_worst_stands_first_with_its_advice() {
        let answer = json!({"status": "red", "indicators": {
            "master_is_stable": {"status": "green", "symptom": "fine"},
            "disk": {"status": "red", "symptom": "a node is out of disk", "impacts": [{"severity": 1, "description": "no writes"}],
                "diagnosis": [{"id": "x", "cause": "full", "action": "free it", "help_url": "https://x", "affected_resources": {}}]}}});
        let read = indicators(&pruned(REPORT_READ, answer)).expect("indicators");
        assert_eq!((read[0].name.as_str(), read[1].name.as_str()), ("disk", "master_is_stable"));
        assert_eq!(
            (read[0].impacts[0].as_str(), read[0].diagnoses[0].action.as_str()),
            ("no writes", "free it")
        );
    }

    #[test]
    fn the_newest_snapshots_are_as_they_are_told() {
        let answer = json!({"snapshots": [{"snapshot": "s2", "state": "PARTIAL", "start_time_in_millis": 5, "shards": {"failed": 2}}]});
        let read = newest(&pruned(NEWEST_READ, answer)).expect("snapshots");
        assert_eq!((read[0].state.as_str(), read[0].start_millis, read[0].failed), ("PARTIAL", Some(5), 2));
    }
}
