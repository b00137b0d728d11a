//! HTTP servers that refuse, redirect, lie or lack something: what real builds at hand cannot be made to answer.

use serde_json::json;
use stacktop::config::secret::Secret;
use stacktop::config::target::{
    Connect, HttpAuth, HttpConnect, Locality, PromQuery, PrometheusConnect, TargetConfig,
};
use stacktop::core::ids::TargetId;
use stacktop::core::part::GapKind;
use stacktop::core::reading::Reading;
use stacktop::core::report::{PollError, PollErrorKind};
use stacktop::core::search::SearchReading;
use stacktop::core::time::Now;
use stacktop::{sources, systems};
use std::time::Duration;
use wiremock::matchers::{any, body_string_contains, header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub fn http(server: &MockServer, auth: HttpAuth) -> HttpConnect {
    HttpConnect { auth, ..HttpConnect::plain(server.uri()) }
}

async fn poll(connect: Connect) -> Result<Reading, PollError> {
    sources::tls::install_provider();
    let target = TargetConfig {
        group: None,
        id: TargetId::new("it"),
        chosen_because: String::new(),
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(5),
        read_only: false,
        locality: Locality::default(),
        connect,
    };
    systems::open_source(&target).poll(Now::example(0), &[]).await
}

async fn search(connect: HttpConnect) -> Result<SearchReading, PollError> {
    match poll(Connect::Search(connect)).await? {
        Reading::Search(reading) => Ok(*reading),
        other => panic!("{other:?}"),
    }
}

pub async fn answer(server: &MockServer, at: &str, status: u16, body: serde_json::Value) {
    Mock::given(path(at)).respond_with(ResponseTemplate::new(status).set_body_json(body)).mount(server).await;
}

#[tokio::test]
async fn credentials_are_sent_and_refused_ones_are_named() {
    let server = MockServer::start().await;
    for value in ["Basic ZWxhc3RpYzpzM2NyZXQ=", "ApiKey encoded-key", "Bearer a-token"] {
        Mock::given(path("/_cluster/health"))
            .and(header("authorization", value))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"status": "green"})))
            .mount(&server)
            .await;
    }
    Mock::given(any())
        .respond_with(ResponseTemplate::new(401).set_body_string("no s3cret for you"))
        .mount(&server)
        .await;
    let basic =
        |password: &str| HttpAuth::Basic { user: "elastic".into(), password: Secret::inline(password) };
    for auth in [
        basic("s3cret"),
        HttpAuth::ApiKey(Secret::inline("encoded-key")),
        HttpAuth::Bearer(Secret::inline("a-token")),
    ] {
        let reading = search(http(&server, auth)).await.expect("its health is known");
        assert_eq!(reading.health.ready().expect("read").status, "green");
        assert_eq!(reading.nodes.gap().expect("refused").kind, GapKind::NotPermitted);
    }
    let error = search(http(&server, basic("wr0ng"))).await.expect_err("refused");
    assert_eq!(error.kind, PollErrorKind::Credentials);
    assert!(error.message.contains("refuses the credentials (401): no s3cret for you"), "{error:?}");
    // A server that repeats what was sent: as it was typed, as it stands in the header, and the value of a header of ours.
    let echo = MockServer::start().await;
    Mock::given(any())
        .respond_with(|request: &wiremock::Request| {
            let given = |name: &str| {
                request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
            };
            let words = format!("bad: {} / {} / pa ss", given("authorization"), given("x-scope-orgid"));
            ResponseTemplate::new(401).set_body_json(json!({"error": words}))
        })
        .mount(&echo)
        .await;
    let mut connect = http(&echo, basic("pa ss"));
    connect.headers = vec![("X-Scope-OrgID".to_owned(), "tenant-a".to_owned())];
    let error = search(connect).await.expect_err("refused");
    for secret in ["ZWxhc3RpYzpwYSBzcw==", "pa ss", "tenant-a"] {
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
    assert!(error.message.contains("bad: "), "{error:?}");
    assert!(error.remedy.as_deref().is_some_and(|step| step.contains("check the credentials")), "{error:?}");
    assert!(!format!("{error:?}").contains("wr0ng"), "{error:?}");
}

#[tokio::test]
async fn a_limited_user_gets_what_is_permitted() {
    let server = MockServer::start().await;
    answer(&server, "/_cluster/health", 200, json!({"status": "yellow", "unassigned_shards": 1})).await;
    answer(&server, "/_cat/shards", 403, json!({"error": "forbidden"})).await;
    answer(
        &server,
        "/_cluster/settings",
        200,
        json!({"transient": {"cluster.routing.allocation.enable": "none"}}),
    )
    .await;
    let ilm = json!({"indices": {"logs-1": {"policy": "logs", "step": "ERROR", "failed_step": "check-rollover-ready",
        "failed_step_retry_count": 12, "step_info": {"reason": "index has no alias"}}}});
    answer(&server, "/_all/_ilm/explain", 200, ilm).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(403)).mount(&server).await;
    let reading = search(http(&server, HttpAuth::None)).await.expect("a reading");
    assert_eq!(reading.unassigned.gap().expect("refused").kind, GapKind::NotPermitted);
    assert_eq!(reading.allocation.ready().expect("read").as_deref(), Some("none"));
    let failed = &reading.lifecycle.ready().expect("read")[0];
    assert_eq!((failed.index.as_str(), failed.retries), ("logs-1", Some(12)));
}

#[tokio::test]
async fn open_search_lifecycles_are_asked_its_own_way() {
    let server = MockServer::start().await;
    answer(&server, "/", 200, json!({"version": {"number": "2.19.3", "distribution": "opensearch"}})).await;
    answer(&server, "/_cluster/health", 200, json!({"status": "green"})).await;
    let ism = json!({"logs-1": {"policy_id": "p", "action": {"name": "rollover", "failed": false}, "info": {"cause": "no alias"}},
        "total_managed_indices": 1});
    answer(&server, "/_plugins/_ism/explain", 200, ism).await;
    let reading = search(http(&server, HttpAuth::None)).await.expect("a reading");
    assert_eq!(reading.lifecycle.ready().expect("read")[0].reason, "no alias");
}

/// What makes snapshots is asked in the background, of either product, and judged as it is read.
#[tokio::test]
async fn snapshots_are_dated_by_either_product() {
    let policies = async |at: &str, told: serde_json::Value| {
        let server = MockServer::start().await;
        answer(&server, "/_cluster/health", 200, json!({"status": "green"})).await;
        answer(&server, at, 200, told).await;
        let reading = search(http(&server, HttpAuth::None)).await.expect("a reading");
        let first = reading.policies.ready().expect("read")[0].clone();
        (first.name.clone(), first.success_millis, first.fails())
    };
    let slm = json!({"nightly": {"version": 1, "modified_date_millis": 1, "policy": {"name": "<n-{now/d}>", "schedule": "0 30 1 * * ?",
        "repository": "r", "config": {}}, "last_success": {"snapshot_name": "n-1", "start_time": 7, "time": 9},
        "last_failure": {"snapshot_name": "n-2", "time": 11, "details": "{\"type\":\"repository_exception\"}"},
        "next_execution_millis": 99, "stats": {"snapshots_taken": 1}}});
    assert_eq!(policies("/_slm/policy", slm).await, ("nightly".to_owned(), Some(7), true));
    let sm = json!({"policies": [{"name": "daily", "enabled": true, "creation": {"current_state": "CREATION_START",
        "trigger": {"time": 99}, "latest_execution": {"status": "SUCCESS", "start_time": 7, "end_time": 9}}}]});
    assert_eq!(policies("/_plugins/_sm/policies/*/_explain", sm).await, ("daily".to_owned(), Some(7), false));
}

#[tokio::test]
async fn redirects_are_told_and_not_followed() {
    let server = MockServer::start().await;
    let login = ResponseTemplate::new(302).insert_header("location", "/login");
    Mock::given(any()).respond_with(login).mount(&server).await;
    let error = poll(Connect::Metrics(http(&server, HttpAuth::None))).await.expect_err("no exposition");
    assert_eq!(error.kind, PollErrorKind::WrongServer);
    assert!(error.message.contains("redirects"), "{error:?}");
}

#[tokio::test]
async fn a_broken_exposition_says_which_line() {
    let server = MockServer::start().await;
    let broken: String = (0..200).map(|n| format!("requests{{path=\"/{n} {n}\n")).collect();
    Mock::given(path("/metrics"))
        .respond_with(ResponseTemplate::new(200).set_body_string(broken))
        .mount(&server)
        .await;
    let some = "good 1\nbad{a=} 2\ngood_too{a=\"b\"} 3\n";
    Mock::given(path("/some"))
        .respond_with(ResponseTemplate::new(200).set_body_string(some))
        .mount(&server)
        .await;
    let native = "# TYPE took histogram\ntook{r=\"a\"} {count:12,sum:1.5,schema:3}\ntook{r=\"b\"} {count:2,sum:1.5,schema:3}\n";
    Mock::given(path("/native"))
        .respond_with(ResponseTemplate::new(200).set_body_string(native))
        .mount(&server)
        .await;
    let at = |path: &str| {
        let mut connect = http(&server, HttpAuth::None);
        connect.url.push_str(path);
        Connect::Metrics(connect)
    };
    let error = poll(at("/metrics")).await.expect_err("nothing can be read");
    assert!(
        error.message.contains("200 lines cannot be read")
            && error.message.contains("line 1: a quote is not closed"),
        "{error:?}"
    );
    match poll(at("/some")).await.expect("most can be read") {
        Reading::Metrics(reading) => {
            assert_eq!(reading.len(), 2);
            assert_eq!(reading.bad, [(2, "a label's value is not in quotes".to_owned())]);
        }
        other => panic!("{other:?}"),
    }
    match poll(at("/native")).await.expect("it is an exposition, of what only Prometheus can be asked for") {
        Reading::Metrics(reading) => {
            assert_eq!((reading.len(), reading.bad_total), (0, 2));
            assert!(reading.bad.iter().all(|(_, why)| why.contains("native histogram")), "{:?}", reading.bad);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_that_rotated_is_read_again_without_a_restart() {
    let server = MockServer::start().await;
    let current = std::sync::Arc::new(std::sync::Mutex::new("one".to_owned()));
    let valid = std::sync::Arc::clone(&current);
    let answering = move |request: &wiremock::Request| {
        let given = request.headers.get("authorization").map(|value| value.as_bytes().to_vec());
        let wanted = format!("Bearer {}", valid.lock().expect("no panic"));
        if given == Some(wanted.into_bytes()) {
            ResponseTemplate::new(200).set_body_string("up 1\n")
        } else {
            ResponseTemplate::new(401)
        }
    };
    Mock::given(any()).respond_with(answering).mount(&server).await;
    let token = tempfile::NamedTempFile::new().expect("a file");
    let by_command = Secret::Command(stacktop::config::command::SecretCommand::new(
        &format!("cat {}", token.path().display()),
        Duration::from_secs(5),
    ));
    sources::tls::install_provider();
    for secret in [Secret::File(token.path().to_owned()), by_command] {
        let mut source = sources::metrics::MetricsSource::new(http(&server, HttpAuth::Bearer(secret)));
        for (now, in_file, works) in [("one", "one", true), ("two", "one", false), ("two", "two", true)] {
            now.clone_into(&mut current.lock().expect("no panic"));
            std::fs::write(token.path(), in_file).expect("written");
            let result = sources::Source::poll(&mut source, Now::example(0), &[]).await;
            assert_eq!(result.is_ok(), works, "{now} {in_file}: {result:?}");
        }
    }
}

pub fn prometheus(server: &MockServer, queries: &[&str]) -> Connect {
    let query = |expr: &&str| PromQuery {
        title: (*expr).to_owned(),
        expr: (*expr).to_owned(),
        unit: String::new(),
        warning: Some(1.0),
        critical: None,
    };
    let queries = queries.iter().map(query).collect();
    Connect::Prometheus(PrometheusConnect {
        http: http(server, HttpAuth::None),
        alertmanager: None,
        queries,
        past: Vec::new(),
    })
}

pub fn good(data: &serde_json::Value) -> serde_json::Value {
    json!({"status": "success", "data": data})
}

#[tokio::test]
async fn a_server_without_targets_loses_only_them() {
    let server = MockServer::start().await;
    answer(&server, "/api/v1/rules", 200, good(&json!({"groups": []}))).await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(404).set_body_string("404 page not found"))
        .mount(&server)
        .await;
    let Reading::Prometheus(reading) = poll(prometheus(&server, &[])).await.expect("rules are there") else {
        panic!("another kind")
    };
    assert_eq!(reading.rules.ready().map(|rules| rules.total), Some(0));
    assert_eq!(reading.targets.gap().map(|gap| gap.kind), Some(GapKind::NotSupported));
}

#[tokio::test]
async fn a_prometheus_that_refuses_every_question_is_not_read() {
    for status in [302, 401, 403, 404, 410, 429, 500, 503] {
        let server = MockServer::start().await;
        let body = json!({"status": "error", "errorType": "unavailable", "error": "not now"});
        Mock::given(any())
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .mount(&server)
            .await;
        let read = poll(prometheus(&server, &["up"])).await;
        assert!(read.is_err(), "{status}: {read:?}");
    }
}

#[tokio::test]
async fn a_slow_panel_is_late_alone_and_no_target_is_cut_off() {
    let server = MockServer::start().await;
    let target = |n: usize| {
        let health = if n == 2999 { "down" } else { "up" };
        json!({"labels": {"job": "node", "instance": format!("node-{n}:9100")}, "health": health, "lastError": "refused"})
    };
    let targets: Vec<_> = (0..3000).map(target).collect();
    answer(&server, "/api/v1/targets", 200, good(&json!({"activeTargets": targets}))).await;
    answer(&server, "/api/v1/rules", 200, good(&json!({"groups": []}))).await;
    let series = |n: usize| json!({"metric": {"n": n.to_string()}, "value": [1, n.to_string()]});
    let many: Vec<_> = (0..2001).map(series).collect();
    let many =
        ResponseTemplate::new(200).set_body_json(good(&json!({"resultType": "vector", "result": many})));
    Mock::given(path("/api/v1/query"))
        .and(body_string_contains("query=many&timeout=2500ms&limit="))
        .respond_with(many)
        .mount(&server)
        .await;
    Mock::given(path("/api/v1/query"))
        .respond_with(ResponseTemplate::new(200).set_delay(Duration::from_secs(6)))
        .mount(&server)
        .await;
    let Reading::Prometheus(reading) = poll(prometheus(&server, &["slow", "many"])).await.expect("a reading")
    else {
        panic!("another kind")
    };
    let targets = reading.targets.ready().expect("targets");
    assert_eq!((targets.len(), targets.iter().filter(|target| target.is_down()).count()), (3000, 1));
    assert_eq!(reading.panels[0].series.gap().map(|gap| gap.kind), Some(GapKind::TimedOut));
    // The largest is judged, and that one is missing is said.
    assert_eq!(reading.panels[1].series.ready().map(|series| series[0].1), Some(2000.0));
    assert!(
        reading.panels[1].cut.as_ref().is_some_and(|cut| cut.contains("2000")),
        "{:?}",
        reading.panels[1].cut
    );
}

/// A cluster that answered well once and then refuses everything: nothing of it is a reading.
#[tokio::test]
async fn a_cluster_that_refuses_everything_is_not_read() {
    for status in [302, 401, 403, 404, 410, 429, 500, 502, 503, 504] {
        let server = MockServer::start().await;
        Mock::given(path("/_cluster/health"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"status": "green"})))
            .up_to_n_times(1)
            .mount(&server)
            .await;
        Mock::given(any()).respond_with(ResponseTemplate::new(status)).mount(&server).await;
        sources::tls::install_provider();
        let mut source =
            sources::search::SearchSource::new(http(&server, HttpAuth::None), Duration::from_secs(5));
        assert!(sources::Source::poll(&mut source, Now::example(0), &[]).await.is_ok());
        let later = sources::Source::poll(&mut source, Now::example(5), &[]).await;
        assert!(later.is_err(), "{status}: {later:?}");
    }
}

/// Without a master a node says so, and nothing that was read before stands as if it were of now.
#[tokio::test]
async fn without_a_master_nothing_old_stands_as_new() {
    let server = MockServer::start().await;
    let health = |status: u16, body: serde_json::Value| {
        Mock::given(path("/_cluster/health")).respond_with(ResponseTemplate::new(status).set_body_json(body))
    };
    health(200, json!({"status": "green", "number_of_nodes": 2})).up_to_n_times(1).mount(&server).await;
    let error = json!({"error": {"type": "master_not_discovered_exception", "reason": null}, "status": 503});
    health(503, error).mount(&server).await;
    let nodes = json!({"nodes": {"a": {"name": "n1", "jvm": {"mem": {"heap_used_percent": 40}}}}});
    Mock::given(wiremock::matchers::path_regex("^/_nodes/stats"))
        .respond_with(ResponseTemplate::new(200).set_body_json(nodes))
        .mount(&server)
        .await;
    Mock::given(any()).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    sources::tls::install_provider();
    let mut source =
        sources::search::SearchSource::new(http(&server, HttpAuth::None), Duration::from_secs(5));
    let mut state = stacktop::core::search::SearchState::default();
    for (at, heap) in [(0, Some(0.4)), (5, None)] {
        let now = Now::example(at);
        match sources::Source::poll(&mut source, now, &[]).await.expect("the node answers") {
            Reading::Search(reading) => state.absorb(*reading, now),
            other => panic!("{other:?}"),
        }
        let read = state.reading().expect("a reading");
        let known = read.nodes.ready().and_then(|nodes| nodes[0].heap_ratio);
        assert_eq!(known, heap, "{read:?}");
    }
    let read = state.reading().expect("a reading");
    assert!(
        read.no_master.as_deref().is_some_and(|words| words.contains("master_not_discovered")),
        "{read:?}"
    );
    assert!(read.unassigned.gap().is_some() && read.allocation.gap().is_some(), "{read:?}");
}

#[tokio::test]
async fn a_cluster_of_several_nodes_is_asked_where_one_answers() {
    let good = MockServer::start().await;
    answer(&good, "/_cluster/health", 200, json!({"status": "yellow"})).await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}", listener.local_addr().expect("bound"))
    };
    // One that is not there costs nothing.
    let mut connect = http(&good, HttpAuth::None);
    connect.others = vec![std::mem::replace(&mut connect.url, closed)];
    let reading = search(connect).await.expect("the second node answers");
    assert_eq!(reading.health.ready().expect("read").status, "yellow");
    // One that is silent, and one that has lost its master, cost a poll.
    let silent = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(20));
    Mock::given(any()).respond_with(slow).mount(&silent).await;
    let lonely = MockServer::start().await;
    let body = json!({"error": {"type": "master_not_discovered_exception", "reason": null}, "status": 503});
    Mock::given(any()).respond_with(ResponseTemplate::new(503).set_body_json(body)).mount(&lonely).await;
    let mut connect = http(&silent, HttpAuth::None);
    connect.others = vec![lonely.uri(), good.uri()];
    sources::tls::install_provider();
    let target = TargetConfig {
        group: None,
        id: TargetId::new("it"),
        chosen_because: String::new(),
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        read_only: false,
        locality: Locality::default(),
        connect: Connect::Search(connect),
    };
    let mut source = systems::open_source(&target);
    assert!(source.poll(Now::example(0), &[]).await.is_err(), "the first is silent");
    let Ok(Reading::Search(second)) = source.poll(Now::example(2), &[]).await else { panic!("it answers") };
    assert!(second.no_master.is_some());
    let Ok(Reading::Search(third)) = source.poll(Now::example(4), &[]).await else { panic!("it answers") };
    assert_eq!(third.health.ready().expect("read").status, "yellow");
}

/// Twenty thousand shards on no node, and an exposition of sixty thousand samples of which the last matters: polled in a moment, and
/// nothing is cut without a word.
#[tokio::test]
async fn very_large_clusters_and_expositions_fit_and_nothing_is_cut_in_silence() {
    let server = MockServer::start().await;
    answer(
        &server,
        "/_cluster/health",
        200,
        json!({"status": "red", "number_of_nodes": 3, "unassigned_shards": 20_000}),
    )
    .await;
    let shard = |n: usize| {
        json!({"state": "UNASSIGNED", "primary": n.is_multiple_of(2), "node": null, "relocating_node": null, "shard": n % 10,
            "index": format!("logs-{}", n / 10), "unassigned_info": {"reason": "NODE_LEFT", "at": "2026-01-01T00:00:00Z",
            "delayed": false, "details": "node_left [abc]", "allocation_status": "no_attempt"}})
    };
    let body = json!({"routing_nodes": {"unassigned": (0..20_000).map(shard).collect::<Vec<_>>()}});
    let bytes = body.to_string().len();
    answer(&server, "/_cluster/state/routing_nodes", 200, body).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    let began = std::time::Instant::now();
    sources::tls::install_provider();
    let mut source =
        sources::search::SearchSource::new(http(&server, HttpAuth::None), Duration::from_secs(5));
    let mut away = None;
    for second in 0..20 {
        // A large answer comes beside the poll, which does not wait for it.
        let at = Now::example(second);
        let Reading::Search(reading) = sources::Source::poll(&mut source, at, &[]).await.expect("a reading")
        else {
            panic!("another kind")
        };
        away = reading.unassigned.ready().cloned();
        if away.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    eprintln!("20 000 shards: {bytes} bytes in {:?}", began.elapsed());
    let away = away.expect("read");
    assert_eq!((away.total, away.primaries, away.shards.len()), (20_000, 10_000, 1000));
    assert_eq!(away.counted(), "10000 primaries and 10000 replicas");
    assert_eq!(away.causes.iter().map(|cause| cause.shards).sum::<usize>(), 20_000);
    let large = MockServer::start().await;
    let mut text = String::new();
    for n in 0..60_000 {
        text.push_str(&format!("kube_pod_info{{pod=\"p{n}\",namespace=\"shop\"}} 1\n"));
    }
    text.push_str("http_requests_total{status=\"500\"} 7\n");
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(&text)).mount(&large).await;
    let began = std::time::Instant::now();
    let Reading::Metrics(reading) =
        poll(Connect::Metrics(http(&large, HttpAuth::None))).await.expect("a reading")
    else {
        panic!("another kind")
    };
    eprintln!("60 001 samples: {} bytes in {:?}", text.len(), began.elapsed());
    assert_eq!(reading.len(), 60_001);
    assert!(reading.layout.samples().any(|sample| sample.name() == "http_requests_total"));
    assert!(!reading.truncated);
}

/// What users of other monitors of search clusters and exporters have reported.
#[tokio::test]
async fn reports_of_users_of_other_monitors() {
    // A cluster without data nodes gives a share as text, which is no number.
    let server = MockServer::start().await;
    let health = json!({"cluster_name": "c", "status": "red", "number_of_nodes": 3, "number_of_data_nodes": 0,
        "unassigned_shards": 4, "active_shards_percent_as_number": "NaN"});
    answer(&server, "/_cluster/health", 200, health).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(503)).mount(&server).await;
    let reading = search(http(&server, HttpAuth::None)).await.expect("the health decides");
    let health = reading.health.ready().expect("read");
    assert_eq!((health.status.as_str(), health.nodes, health.active_ratio), ("red", Some(3), None));
    // Line ends of another system, a mark of the byte order, and an answer that is packed though nobody asked.
    let text = "# TYPE a counter\r\na_total{x=\"1\"} 2\r\nb 3\r\n";
    let packed = {
        use std::io::Write;
        let mut pack = std::process::Command::new("gzip")
            .arg("-c")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("gzip");
        pack.stdin.take().expect("its input").write_all(text.as_bytes()).expect("written");
        pack.wait_with_output().expect("packed").stdout
    };
    for answer in [
        ResponseTemplate::new(200).set_body_string(text),
        ResponseTemplate::new(200).set_body_string(format!("\u{feff}{text}")),
        ResponseTemplate::new(200).set_body_bytes(packed).insert_header("content-encoding", "gzip"),
    ] {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let Reading::Metrics(reading) =
            poll(Connect::Metrics(http(&server, HttpAuth::None))).await.expect("a reading")
        else {
            panic!("another kind")
        };
        let told: Vec<_> = reading.samples().map(|(sample, value)| (sample.name(), value)).collect();
        assert_eq!(told, [("a_total", 2.0), ("b", 3.0)], "{:?}", reading.bad);
    }
}
