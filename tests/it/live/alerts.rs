//! A real Alertmanager: its groups, silences, deliveries, and the alert that must always be there.

use super::{Watch, server};
use serde_json::{Value, json};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::alertmanager::{AlertmanagerState, HeldAlert};
use stacktop::core::report::PollErrorKind;
use stacktop::core::world::SystemState;
use stacktop::sources::http::Http;
use std::time::Duration;

async fn client(url: &str) -> Http {
    Http::open(&url::http_base(url).expect("a URL")).await.expect("a client")
}

async fn post(client: &Http, path: &str, body: Value) -> Value {
    let answer = client.post_json(path, &body).await.expect("an answer");
    assert!(answer.status.is_success(), "{path}: {}", answer.told());
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// An alert of this name; one that is over has ended a second ago.
async fn alert(client: &Http, name: &str, more: &Value, over: bool) {
    let now = chrono::Utc::now();
    let ends = if over { now - chrono::Duration::seconds(1) } else { now + chrono::Duration::seconds(300) };
    let mut labels = json!({"alertname": name, "severity": "page"});
    labels.as_object_mut().expect("labels").extend(more.as_object().cloned().unwrap_or_default());
    let starts = now - chrono::Duration::seconds(90);
    let body = json!([{"labels": labels, "annotations": {"summary": "the disk is full"},
        "startsAt": starts.to_rfc3339(), "endsAt": ends.to_rfc3339()}]);
    post(client, "/api/v2/alerts", body).await;
}

fn state(watch: &Watch) -> &AlertmanagerState {
    match &watch.world.targets()[0].system {
        SystemState::Alertmanager(state) => state,
        other => panic!("{other:?}"),
    }
}

fn held<'a>(watch: &'a Watch, name: &str) -> Option<&'a HeldAlert> {
    state(watch).reading()?.alerts().find(|alert| alert.name() == name)
}

fn told(watch: &Watch, rule: &str) -> String {
    let all = watch.world.alerts.firing().into_iter().filter(|finding| finding.breach.rule == rule);
    all.map(|finding| finding.breach.sentence.clone()).collect::<Vec<_>>().join("; ")
}

async fn until(watch: &mut Watch, what: &str, done: impl Fn(&Watch) -> bool) {
    for _ in 0..600 {
        watch.poll().await.expect("a poll");
        if done(watch) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{what}: {:?}", state(watch).reading());
}

#[tokio::test]
async fn an_alert_is_active_then_silenced_and_active_again() {
    let test = "an_alert_is_active_then_silenced_and_active_again";
    let Some(url) = server(test, "STACKTOP_TEST_ALERTMANAGER_URL") else { return };
    let client = client(&url).await;
    let name = "StacktopDisk";
    alert(&client, name, &json!({}), false).await;
    let mut watch = Watch::new(Connect::Alertmanager(url::http_base(&url).expect("a URL")));
    let active = |watch: &Watch| held(watch, name).is_some_and(|alert| alert.held.is_empty());
    until(&mut watch, "it is active", active).await;
    assert!(told(&watch, "alertmanager.alert").contains("alert StacktopDisk is active: the disk is full"));
    let age = held(&watch, name).and_then(|alert| alert.active_for).expect("an age").as_secs();
    assert!((89..300).contains(&age), "{age}");
    let until_then = chrono::Utc::now() + chrono::Duration::seconds(600);
    let silence = json!({"matchers": [{"name": "alertname", "value": name, "isRegex": false}], "createdBy": "ana",
        "comment": "a deploy", "startsAt": chrono::Utc::now().to_rfc3339(), "endsAt": until_then.to_rfc3339()});
    let id =
        post(&client, "/api/v2/silences", silence).await["silenceID"].as_str().expect("an id").to_owned();
    until(&mut watch, "it is silenced", |watch| {
        held(watch, name).is_some_and(|alert| !alert.held.is_empty())
    })
    .await;
    assert!(!told(&watch, "alertmanager.alert").contains(name), "{}", told(&watch, "alertmanager.alert"));
    let silences = state(&watch).reading().expect("a reading").silences.ready().expect("silences").clone();
    let ours = silences.iter().find(|silence| silence.id == id).expect("it is there");
    assert_eq!((ours.author.as_str(), ours.comment.as_str()), ("ana", "a deploy"));
    assert!((500..=600).contains(&ours.ends_in.as_secs()), "{ours:?}");
    let ended = client.send(reqwest::Method::DELETE, &format!("/api/v2/silence/{id}"), &[], None).await;
    assert!(ended.expect("an answer").status.is_success());
    until(&mut watch, "it is active again", active).await;
    let silences = state(&watch).reading().expect("a reading").silences.ready().expect("silences").clone();
    assert!(silences.iter().all(|silence| silence.id != id), "{silences:?}");
    alert(&client, name, &json!({}), true).await;
    until(&mut watch, "it is over", |watch| held(watch, name).is_none()).await;
}

#[tokio::test]
async fn the_alert_that_must_always_fire_is_missed() {
    let test = "the_alert_that_must_always_fire_is_missed";
    let Some(url) = server(test, "STACKTOP_TEST_ALERTMANAGER_URL") else { return };
    let client = client(&url).await;
    let mut watch = Watch::new(Connect::Alertmanager(url::http_base(&url).expect("a URL")));
    alert(&client, "DeadMansSwitch", &json!({}), false).await;
    until(&mut watch, "it is there", |watch| held(watch, "DeadMansSwitch").is_some()).await;
    assert!(!told(&watch, "alertmanager.alert").contains("DeadMansSwitch"));
    alert(&client, "DeadMansSwitch", &json!({}), true).await;
    until(&mut watch, "it is missed", |watch| {
        state(watch).missed().any(|(name, _)| name == "DeadMansSwitch")
    })
    .await;
    alert(&client, "DeadMansSwitch", &json!({}), false).await;
    until(&mut watch, "it is back", |watch| state(watch).missed().next().is_none()).await;
}

/// Its route for these goes where nobody listens.
#[tokio::test]
async fn a_delivery_that_fails_is_told() {
    let test = "a_delivery_that_fails_is_told";
    let Some(url) = server(test, "STACKTOP_TEST_ALERTMANAGER_URL") else { return };
    let client = client(&url).await;
    let mut watch = Watch::new(Connect::Alertmanager(url::http_base(&url).expect("a URL")));
    until(&mut watch, "an answer", |_| true).await;
    assert_eq!(
        state(&watch).reading().expect("a reading").counters.ready().and_then(|all| all.loaded),
        Some(true)
    );
    alert(&client, "StacktopUnheard", &json!({"test": "delivery"}), false).await;
    let fails = |watch: &Watch| !told(watch, "alertmanager.delivery").is_empty();
    until(&mut watch, "it fails", fails).await;
    let words = told(&watch, "alertmanager.delivery");
    assert!(words.starts_with("notifications by webhook fail: "), "{words}");
    alert(&client, "StacktopUnheard", &json!({"test": "delivery"}), true).await;
}

#[tokio::test]
async fn what_is_no_alertmanager_is_told_as_such() {
    let test = "what_is_no_alertmanager_is_told_as_such";
    let Some(prometheus) = server(test, "STACKTOP_TEST_PROMETHEUS_URL") else { return };
    for (url, kind) in [
        (prometheus.as_str(), PollErrorKind::WrongServer),
        ("http://127.0.0.1:9", PollErrorKind::Unreachable),
    ] {
        let mut watch = Watch::new(Connect::Alertmanager(url::http_base(url).expect("a URL")));
        let error = watch.poll().await.expect_err("it is none");
        assert_eq!(error.kind, kind, "{error:?}");
    }
}
