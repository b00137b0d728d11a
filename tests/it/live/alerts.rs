//! A real Alertmanager: its groups, silences, deliveries, and the alert that must always be there.

use super::{Watch, server};
use serde_json::{Value, json};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::action::{Action, Confirmed, Outcome, Verdict, Verification};
use stacktop::core::alert::RuleSetting;
use stacktop::core::alertmanager::{
    AlertmanagerAct, AlertmanagerRow, AlertmanagerState, End, HeldAlert, HeldBy, Matcher, SeenSilence,
};
use stacktop::core::arming::Permit;
use stacktop::core::place::Screen;
use stacktop::core::report::PollErrorKind;
use stacktop::core::row::RowKey;
use stacktop::core::world::{SystemState, all_rules};
use stacktop::panels::panel;
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
    let reading = state(&watch).reading().expect("a reading");
    assert!(reading.standing().all(|silence| silence.id != id), "{reading:?}");
    assert!(reading.silence(&id).is_some_and(|silence| silence.over_for.is_some()), "{reading:?}");
    alert(&client, name, &json!({}), true).await;
    until(&mut watch, "it is over", |watch| held(watch, name).is_none()).await;
}

/// What the alerts screen offers for a row, and what comes of a text that is typed for it.
fn chosen(watch: &Watch, row: AlertmanagerRow, letter: char, typed: Option<&str>) -> Result<Action, String> {
    let row = RowKey::Alertmanager(watch.target.id.clone(), row);
    let screen = panel(Screen::Alerts);
    let choice = if let Some(words) = typed {
        screen.answer(watch.context(), &[], &row, &[], (letter, words))
    } else {
        let offers = screen.offers(watch.context(), &[], &row, &[]);
        offers.into_iter().find(|offer| offer.letter == letter).expect("an offer").choice
    };
    choice.map(|(action, _)| action).map_err(|refusal| refusal.sentence())
}

/// Carries it out as the confirm overlay would: what came of it, and what the look afterwards found.
async fn carried_out(watch: &Watch, action: Action) -> (Outcome, Verification) {
    let gate = watch.gate();
    gate.prepare().await;
    let id = gate.next_id();
    let confirmed = Confirmed::by_a_person(action);
    let permit = Permit { target: watch.target.id.clone(), until: None };
    let outcome = gate.perform(&id, &confirmed, &permit).await.expect("an outcome");
    let found = gate.verify(&id, &confirmed, true).await.expect("a look");
    (outcome, found)
}

async fn silence_of(client: &Http, id: &str) -> Value {
    let answer = client.get(&format!("/api/v2/silence/{id}"), &[]).await.expect("an answer");
    serde_json::from_slice(&answer.body).expect("JSON")
}

#[tokio::test]
async fn a_silence_is_made_extended_and_expired_from_the_screen() {
    let test = "a_silence_is_made_extended_and_expired_from_the_screen";
    let Some(url) = server(test, "STACKTOP_TEST_ALERTMANAGER_URL") else { return };
    let client = client(&url).await;
    let name = "StacktopQuiet";
    // A silence of an earlier run would be the same.
    let labels = json!({"host": format!("h{}", chrono::Utc::now().timestamp_micros())});
    alert(&client, name, &labels, false).await;
    let mut watch = Watch::new(Connect::Alertmanager(url::http_base(&url).expect("a URL")));
    let active = |watch: &Watch| held(watch, name).is_some_and(|alert| alert.held.is_empty());
    until(&mut watch, "it is active", active).await;
    let fingerprint = held(&watch, name).expect("it is there").fingerprint.clone();
    let of_alert = || AlertmanagerRow::Alert(fingerprint.clone());

    let action = chosen(&watch, of_alert(), 's', Some("1h a deploy, see ticket 7")).expect("a choice");
    let (outcome, found) = carried_out(&watch, action).await;
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    assert!(found.settled && found.sentence.ends_with(": 1 of 1 alert silenced"), "{found:?}");
    assert_eq!(watch.audited(), ["intent", "outcome", "verified"]);
    let trail = std::fs::read_to_string(watch.audit_file()).expect("a trail");
    assert!(
        trail.lines().next().is_some_and(|line| line.contains("silence_alerts") && line.contains("a deploy"))
    );
    until(&mut watch, "it is silenced", |watch| {
        held(watch, name).is_some_and(|alert| !alert.held.is_empty())
    })
    .await;
    let id = match &held(&watch, name).expect("it is there").held[0] {
        HeldBy::Silence(id) => id.clone(),
        other => panic!("{other:?}"),
    };
    let made = silence_of(&client, &id).await;
    assert_eq!(
        (made["createdBy"].as_str(), made["comment"].as_str()),
        (Some("ana"), Some("a deploy, see ticket 7"))
    );
    assert_eq!(made["matchers"].as_array().map(Vec::len), Some(3), "{made}");
    let again = chosen(&watch, of_alert(), 's', Some("1h again")).expect_err("it is silenced");
    assert!(again.starts_with("ana silences the same for "), "{again}");

    // Another end, and the same id.
    let of_silence = || AlertmanagerRow::Silence(id.clone());
    let before = chosen(&watch, of_silence(), 'd', None).expect("a choice");
    let action = chosen(&watch, of_silence(), 'e', Some("90m")).expect("a choice");
    let (outcome, found) = carried_out(&watch, action).await;
    assert!(outcome.verdict == Verdict::Done && found.settled, "{outcome:?} {found:?}");
    let later = silence_of(&client, &id).await;
    let ends = |silence: &Value| {
        let end = silence["endsAt"].as_str().expect("an end");
        chrono::DateTime::parse_from_rfc3339(end).expect("a time")
    };
    assert_eq!((ends(&later) - ends(&made)).num_milliseconds(), 90 * 60 * 1000);
    let same = |field: &str| assert_eq!(later[field], made[field], "{field}");
    ["id", "startsAt", "createdBy", "comment", "matchers"].into_iter().for_each(same);

    // What was seen before that is not there any more.
    let (outcome, _) = carried_out(&watch, before).await;
    assert!(
        outcome.verdict == Verdict::Nothing && outcome.summary.contains("was changed meanwhile"),
        "{outcome:?}"
    );
    until(&mut watch, "its new end is read", |watch| {
        let reading = state(watch).reading().expect("a reading");
        reading.silence(&id).is_some_and(|silence| Some(silence.ends_at.as_str()) == later["endsAt"].as_str())
    })
    .await;
    let action = chosen(&watch, of_silence(), 'd', None).expect("a choice");
    let (outcome, found) = carried_out(&watch, action).await;
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    assert!(found.settled && found.sentence.ends_with("is over: 1 alert told again"), "{found:?}");
    assert_eq!(silence_of(&client, &id).await["status"]["state"], "expired");
    until(&mut watch, "it is active again", active).await;
    let over = chosen(&watch, of_silence(), 'd', None).expect_err("it is over");
    assert!(over.starts_with("this silence is over"), "{over}");
    alert(&client, name, &labels, true).await;
}

#[tokio::test]
async fn what_the_alertmanager_refuses_is_told_in_its_words() {
    let test = "what_the_alertmanager_refuses_is_told_in_its_words";
    let Some(url) = server(test, "STACKTOP_TEST_ALERTMANAGER_URL") else { return };
    let watch = Watch::new(Connect::Alertmanager(url::http_base(&url).expect("a URL")));
    let act = |matcher: Matcher, end: End| AlertmanagerAct::Silence {
        matchers: vec![matcher],
        end,
        author: "ana".to_owned(),
        comment: "a test".to_owned(),
        quiet: Vec::new(),
    };
    let hour = End::After(Duration::from_secs(3600));
    let past = End::At("2020-01-01T00:00:00Z".parse().expect("a time"));
    let regex = |value: &str| Matcher { regex: true, ..Matcher::is("a", value) };
    for (act, words) in [
        (act(Matcher::is("", "x"), hour), "the Alertmanager refuses it (4"),
        (act(regex("("), hour), "the Alertmanager refuses it (400): "),
        (act(regex(".*"), hour), "the Alertmanager refuses it (400): "),
        (act(Matcher::is("a", "x"), past), "is past by the server's clock"),
    ] {
        let action = Action::Alertmanager { target: watch.target.id.clone(), act };
        let error = watch.act(action).await.expect_err("it is refused").to_string();
        assert!(error.starts_with("not done: ") && error.contains(words), "{error}");
    }
    let silence =
        SeenSilence { id: "00000000-0000-0000-0000-000000000000".to_owned(), ..SeenSilence::default() };
    let act = AlertmanagerAct::Expire { silence, quiet: Vec::new() };
    let outcome = watch.act(Action::Alertmanager { target: watch.target.id.clone(), act }).await;
    let outcome = outcome.expect("an outcome");
    assert!(outcome.verdict == Verdict::Nothing && outcome.summary.contains("is gone"), "{outcome:?}");
}

#[tokio::test]
async fn the_alert_that_must_always_fire_is_missed() {
    let test = "the_alert_that_must_always_fire_is_missed";
    let Some(url) = server(test, "STACKTOP_TEST_ALERTMANAGER_URL") else { return };
    let client = client(&url).await;
    let mut watch = Watch::new(Connect::Alertmanager(url::http_base(&url).expect("a URL")));
    // What follows is not waited for three minutes.
    let always = all_rules().into_iter().find(|spec| spec.id == "alertmanager.always").expect("a rule").id;
    let at_once = RuleSetting { hold: Duration::ZERO, ..watch.world.rules.get(always) };
    assert!(watch.world.rules.set(always.as_str(), at_once));
    alert(&client, "DeadMansSwitch", &json!({}), false).await;
    until(&mut watch, "it is there", |watch| held(watch, "DeadMansSwitch").is_some()).await;
    assert_eq!(told(&watch, "alertmanager.always"), "");
    assert!(!told(&watch, "alertmanager.alert").contains("DeadMansSwitch"));
    alert(&client, "DeadMansSwitch", &json!({}), true).await;
    until(&mut watch, "it is missed", |watch| {
        state(watch).missed().any(|(name, _)| name == "DeadMansSwitch")
    })
    .await;
    let words = told(&watch, "alertmanager.always");
    assert!(words.starts_with("the alert DeadMansSwitch, which must always fire, is gone"), "{words}");
    alert(&client, "DeadMansSwitch", &json!({}), false).await;
    until(&mut watch, "it is back", |watch| state(watch).missed().next().is_none()).await;
    assert_eq!(told(&watch, "alertmanager.always"), "");
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
