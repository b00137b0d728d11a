//! Loki by its interface, with answers as a real one gave them: what is asked, and what comes of answers, refusals and floods.

use crate::http::http;
use serde_json::{Value, json};
use stacktop::config::target::{Connect, HttpAuth, Locality, LokiConnect, PromQuery, TargetConfig};
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::lines::{About, Asked, Question, Window};
use stacktop::core::loki::LokiReading;
use stacktop::core::part::GapKind;
use stacktop::core::reading::Reading;
use stacktop::core::report::{PollError, PollErrorKind};
use stacktop::core::time::Now;
use stacktop::sources::{self, Source};
use stacktop::systems;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use wiremock::matchers::{header, method, path, query_param, query_param_contains};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const LABELS: &str = "/loki/api/v1/labels";
const QUERY: &str = "/loki/api/v1/query";
const RANGE: &str = "/loki/api/v1/query_range";

#[expect(clippy::needless_pass_by_value, reason = "made for it")]
fn success(data: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"status": "success", "data": data}))
}

#[expect(clippy::needless_pass_by_value, reason = "made for it")]
fn vector(result: Value) -> ResponseTemplate {
    success(json!({"resultType": "vector", "result": result, "stats": {}}))
}

#[expect(clippy::needless_pass_by_value, reason = "made for it")]
fn streams(result: Value) -> ResponseTemplate {
    success(json!({"resultType": "streams", "result": result, "stats": {}}))
}

async fn gives(server: &MockServer, at: &str, answer: ResponseTemplate) {
    Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(server).await;
}

/// One that is ready, with these labels.
async fn ready(labels: &[&str]) -> MockServer {
    let server = MockServer::start().await;
    gives(&server, "/ready", ResponseTemplate::new(200).set_body_string("ready\n")).await;
    gives(&server, LABELS, success(json!(labels))).await;
    server
}

async fn counts(server: &MockServer) {
    let sample = |labels: Value, value: &str| json!({"metric": labels, "value": [1_764_370_000.123, value]});
    let result = json!([
        sample(json!({"service_name": "api", "detected_level": "info"}), "90"),
        sample(json!({"service_name": "api", "detected_level": "error"}), "3"),
        sample(json!({"service_name": "mail-worker", "detected_level": "unknown"}), "7"),
    ]);
    gives(server, QUERY, vector(result)).await;
}

fn source(connect: LokiConnect) -> Box<dyn Source> {
    sources::tls::install_provider();
    let target = TargetConfig {
        group: None,
        id: TargetId::new("logs"),
        chosen_because: String::new(),
        interval: Duration::from_secs(2),
        timeout: Duration::from_secs(4),
        read_only: false,
        locality: Locality::default(),
        connect: Connect::Loki(connect),
    };
    systems::open_source(&target)
}

async fn poll(source: &mut Box<dyn Source>, second: u64, focus: &[Focus]) -> Result<LokiReading, PollError> {
    match source.poll(Now::example(second), focus).await? {
        Reading::Loki(reading) => Ok(*reading),
        other => panic!("{other:?}"),
    }
}

fn connect(server: &MockServer) -> LokiConnect {
    http(server, HttpAuth::None).into()
}

async fn once(connect: LokiConnect) -> Result<LokiReading, PollError> {
    poll(&mut source(connect), 0, &[]).await
}

fn pairs(counts: &[stacktop::core::lines::Count]) -> Vec<(&str, f64)> {
    counts.iter().map(|count| (count.name.as_str(), count.lines)).collect()
}

#[tokio::test]
async fn lines_and_errors_are_counted_by_one_question() {
    let server = ready(&["job", "service_name"]).await;
    counts(&server).await;
    let reading = once(connect(&server)).await.expect("a reading");
    assert!(reading.ready.ready().expect("it says so").ready);
    let received = reading.received.ready().expect("received");
    assert_eq!(pairs(&received.streams), [("api", 93.0), ("mail-worker", 7.0)]);
    assert_eq!(received.label.as_deref(), Some("service_name"));
    assert_eq!(pairs(reading.errors.ready().expect("errors")), [("api", 3.0)]);
    let asked = server.received_requests().await.expect("requests");
    let queries: Vec<&Request> = asked.iter().filter(|request| request.url.path() == QUERY).collect();
    assert_eq!(queries.len(), 1);
    let query =
        queries[0].url.query_pairs().find(|(name, _)| name == "query").expect("a query").1.into_owned();
    let expected =
        "sum by (service_name, detected_level, level) (count_over_time({service_name=~\".+\"}[1m]))";
    assert_eq!(query, expected);
}

#[tokio::test]
async fn it_is_counted_each_quarter_of_a_minute_and_asked_whether_it_is_ready_each_time() {
    let server = ready(&["service_name"]).await;
    counts(&server).await;
    let mut source = source(connect(&server));
    for second in (0..60).step_by(2) {
        poll(&mut source, second, &[]).await.expect("a reading");
    }
    let asked = server.received_requests().await.expect("requests");
    let count = |at: &str| asked.iter().filter(|request| request.url.path() == at).count();
    assert_eq!((count("/ready"), count(QUERY), count(LABELS)), (30, 4, 4));
    assert_eq!(count(RANGE), 0, "no line is read while nobody looks");
}

#[tokio::test]
async fn what_is_configured_is_asked_for() {
    let server = ready(&["app"]).await;
    let given = |query: &str, result: Value| {
        Mock::given(path(QUERY))
            .and(query_param("query", query))
            .and(header("X-Scope-OrgID", "shop"))
            .respond_with(vector(result))
    };
    let one = |labels: Value, value: &str| json!([{"metric": labels, "value": [1, value]}]);
    let all = "sum by (app, detected_level, level) (count_over_time({env=\"prod\"}[1m]))";
    given(all, one(json!({"app": "api"}), "5")).mount(&server).await;
    given("errors", one(json!({"app": "api"}), "2")).mount(&server).await;
    given("rate", one(json!({"pod": "a", "app": "api"}), "1.5")).mount(&server).await;
    let mut connect = connect(&server);
    connect.http.headers = vec![("X-Scope-OrgID".to_owned(), "shop".to_owned())];
    connect.selector = Some("{env=\"prod\"}".to_owned());
    connect.errors = Some("errors".to_owned());
    let query = |title: &str, expr: &str| PromQuery {
        title: title.into(),
        expr: expr.into(),
        ..PromQuery::default()
    };
    connect.queries = vec![query("slow", "rate"), query("lines", "{app=\"api\"} |= \"slow\"")];
    let reading = once(connect).await.expect("a reading");
    assert_eq!(pairs(reading.errors.ready().expect("errors")), [("api", 2.0)]);
    // A panel of lines is asked only while it is open.
    assert_eq!(reading.panels.len(), 1);
    assert_eq!(reading.panels[0].series.ready().expect("numbers"), &[("app=api pod=a".to_owned(), 1.5)]);
}

#[tokio::test]
async fn what_could_not_be_read_is_never_none() {
    // No line says its level.
    let server = ready(&["service_name"]).await;
    let sample = json!([{"metric": {"service_name": "api", "detected_level": "unknown"}, "value": [1, "9"]}]);
    gives(&server, QUERY, vector(sample)).await;
    let reading = once(connect(&server)).await.expect("a reading");
    let gap = reading.errors.gap().expect("not known");
    assert!(gap.kind == GapKind::NotSupported && gap.note.contains("set `errors`"), "{gap:?}");
    assert!((reading.received.ready().expect("lines").lines() - 9.0).abs() < 0.1);
    // It refuses, in plain words.
    let server = ready(&["service_name"]).await;
    let refusal = ResponseTemplate::new(429).set_body_string("too many outstanding requests");
    gives(&server, QUERY, refusal).await;
    let reading = once(connect(&server)).await.expect("a reading");
    for gap in [reading.errors.gap(), reading.received.gap()] {
        assert!(gap.expect("not known").note.contains("too many outstanding requests"), "{gap:?}");
    }
    // Without any stream there is none of an error, either; an old server says nothing of labels then.
    let server = MockServer::start().await;
    gives(&server, "/ready", ResponseTemplate::new(200)).await;
    gives(&server, LABELS, ResponseTemplate::new(200).set_body_json(json!({"status": "success"}))).await;
    let reading = once(connect(&server)).await.expect("a reading");
    assert_eq!(reading.errors.ready().map(|all| all.len()), Some(0));
    assert!(reading.received.ready().expect("nothing").streams.is_empty());
}

#[tokio::test]
async fn too_many_streams_are_counted_together() {
    let server = ready(&["pod"]).await;
    let refusal =
        ResponseTemplate::new(400).set_body_string("maximum of series (500) reached for a single query");
    Mock::given(path(QUERY))
        .and(query_param_contains("query", "by (pod"))
        .respond_with(refusal)
        .mount(&server)
        .await;
    let together = json!([{"metric": {"level": "error"}, "value": [1, "12"]}]);
    gives(&server, QUERY, vector(together)).await;
    let reading = once(connect(&server)).await.expect("a reading");
    let received = reading.received.ready().expect("lines");
    assert_eq!((received.label.as_deref(), pairs(&received.streams)), (None, vec![("", 12.0)]));
    assert_eq!(pairs(reading.errors.ready().expect("errors")), [("", 12.0)]);
}

#[tokio::test]
async fn one_that_is_not_ready_says_so_and_what_is_no_loki_is_told_as_such() {
    let server = MockServer::start().await;
    let says = "Ingester not ready: waiting for 15s after being ready\n";
    gives(&server, "/ready", ResponseTemplate::new(503).set_body_string(says)).await;
    gives(&server, LABELS, ResponseTemplate::new(500).set_body_string("empty ring")).await;
    let reading = once(connect(&server)).await.expect("a reading");
    let ready = reading.ready.ready().expect("it says so");
    assert!(!ready.ready && ready.says == says.trim(), "{ready:?}");
    assert!(reading.received.gap().is_some() && reading.errors.gap().is_some());
    // Behind a gateway nothing is said of that.
    let server = MockServer::start().await;
    gives(&server, LABELS, success(json!(["app"]))).await;
    counts(&server).await;
    let reading = once(connect(&server)).await.expect("a reading");
    assert_eq!(reading.ready.gap().map(|gap| gap.kind), Some(GapKind::NotSupported));
    // Others.
    for (answer, kind) in [
        (ResponseTemplate::new(404).set_body_string("404 page not found"), PollErrorKind::WrongServer),
        (ResponseTemplate::new(200).set_body_string("<html>"), PollErrorKind::WrongServer),
        (ResponseTemplate::new(401).set_body_string("no org id"), PollErrorKind::Credentials),
    ] {
        let server = MockServer::start().await;
        gives(&server, LABELS, answer).await;
        let error = once(connect(&server)).await.expect_err("it is none");
        assert_eq!(error.kind, kind, "{error:?}");
        let tenant = error.remedy.as_deref().is_some_and(|remedy| remedy.contains("X-Scope-OrgID"));
        assert_eq!(tenant, kind == PollErrorKind::Credentials, "{error:?}");
    }
}

fn job() -> Question {
    let lines = About::Named {
        words: vec!["42".to_owned()],
        text: String::new(),
        of: vec!["order-mails".to_owned(), "redis".to_owned()],
        names: vec!["mail".to_owned()],
    };
    Question { about: "job 42".to_owned(), lines, window: Window::Between(1_000, 2_000) }
}

/// What a page of a question shows after so many polls, two seconds apart.
async fn asked(connect: LokiConnect, question: &Question, polls: u64) -> Asked {
    let mut source = source(connect);
    let focus = [Focus::Lines(question.clone())];
    let mut last = None;
    for poll_at in 0..polls {
        last = Some(poll(&mut source, poll_at * 2, &focus).await.expect("a reading"));
    }
    let mut reading = last.expect("a poll");
    assert!(poll(&mut source, polls * 2, &[]).await.expect("a reading").asked.is_empty(), "nobody looks");
    reading.asked.remove(0)
}

fn queries(requests: &[Request], at: &str) -> Vec<String> {
    let query = |request: &Request| {
        request.url.query_pairs().find(|(name, _)| name == "query").map(|(_, query)| query.into_owned())
    };
    requests.iter().filter(|request| request.url.path() == at).filter_map(query).collect()
}

#[tokio::test]
async fn lines_of_a_job_are_looked_for_in_the_streams_of_its_queue_then_in_all() {
    let server = ready(&["service_name", "job"]).await;
    counts(&server).await;
    gives(&server, "/loki/api/v1/label/service_name/values", success(json!(["api", "mail-worker"]))).await;
    gives(&server, "/loki/api/v1/label/job/values", success(json!(["x"]))).await;
    let found = json!([{"stream": {"service_name": "api", "detected_level": "error"},
        "values": [["1500000000", "job 42 failed: password=hunter2 \u{1b}[31mred"]]}]);
    let all = "{service_name=~\".+\"} |= \"42\" |~ \"\\\\b42\\\\b\"";
    Mock::given(path(RANGE)).and(query_param("query", all)).respond_with(streams(found)).mount(&server).await;
    gives(&server, RANGE, streams(json!([]))).await;
    let asked = asked(connect(&server), &job(), 3).await;
    let lines = asked.lines.ready().expect("lines");
    assert_eq!(
        lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(),
        ["job 42 failed: password=••• red"]
    );
    assert_eq!(
        (asked.query.as_str(), asked.why.as_str()),
        (all, "no line in streams whose service_name holds mail; all streams")
    );
    assert!(!asked.more && asked.left_out.is_none());
    let requests = server.received_requests().await.expect("requests");
    let own = "{service_name=\"mail-worker\"} |= \"42\" |~ \"\\\\b42\\\\b\"";
    // A span that is over is asked for once.
    assert_eq!(queries(&requests, RANGE), [own, all]);
    let range = requests.iter().find(|request| request.url.path() == RANGE).expect("it was asked");
    let of = |name: &str| {
        range.url.query_pairs().find(|(known, _)| known == name).expect("it is there").1.into_owned()
    };
    assert_eq!(
        (of("start"), of("end"), of("limit"), of("direction")),
        ("1000000000".into(), "2000000000".into(), "500".into(), "backward".into())
    );
}

#[tokio::test]
async fn streams_of_a_queue_may_be_configured() {
    let server = ready(&["service_name"]).await;
    counts(&server).await;
    let found = json!([{"stream": {"app": "w"}, "values": [["1500000000", "42"]]}]);
    gives(&server, RANGE, streams(found)).await;
    let mut connect = connect(&server);
    connect.streams.insert("redis".to_owned(), "{app=\"w\"}".to_owned());
    let asked = asked(connect, &job(), 1).await;
    assert_eq!(asked.query, "{app=\"w\"} |= \"42\" |~ \"\\\\b42\\\\b\"");
    assert_eq!(asked.why, "the streams configured for redis");
}

/// A stream in which so many lines come between two questions.
async fn flood(each: usize) -> Asked {
    let server = ready(&["app"]).await;
    gives(&server, QUERY, vector(json!([{"metric": {}, "value": [1, each.to_string()]}]))).await;
    let asked_before = AtomicUsize::new(0);
    Mock::given(path(RANGE))
        .respond_with(move |_: &Request| {
            let turn = asked_before.fetch_add(1, Ordering::SeqCst);
            // The first time a single line; then as many as there are, no more than asked for.
            let first = 1_790_000_000_000_000_000_u64;
            let lines: Vec<Value> = if turn == 0 {
                vec![json!([first.to_string(), "begin"])]
            } else {
                let newest = first + turn as u64 * 2_000_000_000;
                (0..each.min(500))
                    .map(|n| json!([(newest - n as u64).to_string(), format!("line {turn} {n}")]))
                    .collect()
            };
            streams(json!([{"stream": {"app": "api"}, "values": lines}]))
        })
        .mount(&server)
        .await;
    let lines = About::Query("{app=\"api\"}".to_owned());
    let question = Question { about: "api".to_owned(), lines, window: Window::Last(60) };
    asked(connect(&server), &question, 3).await
}

#[tokio::test]
async fn what_comes_is_followed_and_a_flood_is_counted() {
    let calm = flood(3).await;
    let texts: Vec<&str> = calm.lines.ready().expect("lines").iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["line 2 0", "line 2 1", "line 2 2", "line 1 0", "line 1 1", "line 1 2", "begin"]);
    assert!(calm.left_out.is_none(), "{calm:?}");
    let wild = flood(700).await;
    assert_eq!(wild.lines.ready().expect("lines").len(), 1001);
    // Twice 700 were counted, of which 500 came.
    let left = wild.left_out.expect("told");
    assert_eq!((left.counted, left.more), (400, false));
}

#[tokio::test]
async fn a_question_that_is_refused_says_why() {
    let server = ready(&["app"]).await;
    counts(&server).await;
    let words = "parse error at line 1, col 7: syntax error: unexpected IDENTIFIER";
    gives(&server, RANGE, ResponseTemplate::new(400).set_body_string(words)).await;
    let lines = About::Query("{app=api}".to_owned());
    let question = Question { about: "api".to_owned(), lines, window: Window::Last(60) };
    let asked = asked(connect(&server), &question, 1).await;
    assert!(asked.lines.gap().expect("refused").note.contains("parse error at line 1, col 7"), "{asked:?}");
}
