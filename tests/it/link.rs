//! Links that are narrow: what is large is late alone, what is small comes through beside it, and the source stays fresh.

use crate::http::{answer, good, http, prometheus};
use serde_json::json;
use stacktop::config::target::{Connect, HttpAuth, Locality, PromQuery, PrometheusConnect, TargetConfig};
use stacktop::config::url;
use stacktop::core::ids::TargetId;
use stacktop::core::part::GapKind;
use stacktop::core::prometheus::PrometheusReading;
use stacktop::core::reading::Reading;
use stacktop::core::search::SearchReading;
use stacktop::core::time::Now;
use stacktop::sources::Source;
use stacktop::{sources, systems};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Mutex;
use wiremock::matchers::{any, body_string_contains, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A link to a port of this machine that brings so many bytes a second from there, for all connections together; they take turns.
pub async fn narrow(upstream: u16, bytes_per_second: usize) -> u16 {
    const PIECE: usize = 16 * 1024;
    async fn pipe(
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        turn: Option<(Arc<Mutex<()>>, Duration)>,
    ) {
        let mut piece = vec![0; PIECE];
        while let Ok(read) = from.read(&mut piece).await
            && read > 0
        {
            if let Some((link, whole)) = &turn {
                let _mine = link.lock().await;
                tokio::time::sleep(whole.mul_f64(read as f64 / PIECE as f64)).await;
            }
            if to.write_all(&piece[..read]).await.is_err() {
                return;
            }
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let whole = Duration::from_secs_f64(PIECE as f64 / bytes_per_second as f64);
    let link = Arc::new(Mutex::new(()));
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = tokio::net::TcpStream::connect(("127.0.0.1", upstream)).await else { continue };
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(pipe(near_in, far_out, None));
            tokio::spawn(pipe(far_in, near_out, Some((Arc::clone(&link), whole))));
        }
    });
    port
}

/// How long a poll of these tests may take.
const LIMIT: Duration = Duration::from_secs(5);

/// A source that is asked again and again.
struct Asked(Box<dyn Source>, u64);

impl Asked {
    fn new(connect: Connect) -> Self {
        sources::tls::install_provider();
        let target = TargetConfig {
            group: None,
            id: TargetId::new("it"),
            chosen_because: String::new(),
            interval: Duration::from_secs(1),
            timeout: LIMIT,
            read_only: false,
            locality: Locality::default(),
            connect,
        };
        Self(systems::open_source(&target), 0)
    }

    /// The next second's poll, which ends in time, well.
    async fn poll(&mut self) -> Reading {
        self.1 += 1;
        let poll = self.0.poll(Now::example(self.1), &[]);
        tokio::time::timeout(LIMIT, poll).await.expect("the poll ends in time").expect("the source is fresh")
    }

    async fn search(&mut self) -> SearchReading {
        match self.poll().await {
            Reading::Search(reading) => *reading,
            other => panic!("{other:?}"),
        }
    }

    async fn prometheus(&mut self) -> PrometheusReading {
        match self.poll().await {
            Reading::Prometheus(reading) => *reading,
            other => panic!("{other:?}"),
        }
    }
}

/// The health comes each second, while the statistics of a thousand nodes are on their way for several.
#[tokio::test(flavor = "multi_thread")]
async fn node_statistics_over_a_narrow_link_are_late_alone() {
    let server = MockServer::start().await;
    answer(&server, "/_cluster/health", 200, json!({"status": "green", "number_of_nodes": 1000})).await;
    let node = |n: usize| {
        let roles = ["data_hot", "ingest", "remote_cluster_client"];
        let disk = json!({"total_in_bytes": 1_000_000, "available_in_bytes": 900_000});
        (format!("node{n}"), json!({"name": format!("node-{n:04}"), "roles": roles, "fs": {"data": [disk]}}))
    };
    let nodes: serde_json::Map<_, _> = (0..1000).map(node).collect();
    let large = ResponseTemplate::new(200).set_body_json(json!({"nodes": nodes}));
    let statistics = "/_nodes/stats/jvm,os,fs,thread_pool,breaker,indices/search,indexing";
    Mock::given(path(statistics)).respond_with(large).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    let mut connect = http(&server, HttpAuth::None);
    connect.url = format!("http://127.0.0.1:{}", narrow(server.address().port(), 64 * 1024).await);
    let mut asked = Asked::new(Connect::Search(connect));
    let mut late = 0;
    loop {
        let reading = asked.search().await;
        assert_eq!(reading.health.ready().map(|health| health.status.as_str()), Some("green"));
        if let Some(nodes) = reading.nodes.ready() {
            assert_eq!(nodes.len(), 1000);
            break;
        }
        assert!(reading.waiting.iter().any(|(what, _)| what == "node statistics"), "{:?}", reading.waiting);
        late += 1;
        assert!(late < 60, "{reading:?}");
    }
    assert!(late > 0, "the link is narrow");
}

/// One panel's answer is too large for the link: it is late, and targets and rules are judged.
#[tokio::test(flavor = "multi_thread")]
async fn a_panel_over_a_narrow_link_is_late_alone() {
    let server = MockServer::start().await;
    let target =
        json!({"labels": {"job": "node", "instance": "a:9100"}, "health": "down", "lastError": "refused"});
    answer(&server, "/api/v1/targets", 200, good(&json!({"activeTargets": [target]}))).await;
    answer(&server, "/api/v1/rules", 200, good(&json!({"groups": []}))).await;
    let series =
        |n: usize| json!({"metric": {"pod": format!("pod-{n}-{}", "x".repeat(200))}, "value": [1, "1"]});
    for (query, count) in [("large", 2000), ("small", 1)] {
        let result: Vec<_> = (0..count).map(series).collect();
        let body = good(&json!({"resultType": "vector", "result": result}));
        Mock::given(path("/api/v1/query"))
            .and(body_string_contains(format!("query={query}&")))
            .respond_with(ResponseTemplate::new(200).set_body_json(body))
            .mount(&server)
            .await;
    }
    let Connect::Prometheus(mut connect) = prometheus(&server, &["large", "small"]) else {
        panic!("another kind")
    };
    connect.http.url = format!("http://127.0.0.1:{}", narrow(server.address().port(), 64 * 1024).await);
    let mut asked = Asked::new(Connect::Prometheus(connect));
    for _ in 0..2 {
        let reading = asked.prometheus().await;
        let down = reading.targets.ready().map(|all| all.iter().filter(|target| target.is_down()).count());
        assert_eq!(down, Some(1));
        assert_eq!(reading.rules.ready().map(|rules| rules.total), Some(0));
        assert_eq!(reading.panels[0].series.gap().map(|gap| gap.kind), Some(GapKind::TimedOut));
        assert_eq!(reading.panels[1].series.ready().map(Vec::len), Some(1));
    }
}

/// An exposition comes whole or not at all; a slow one is read to its end.
#[tokio::test(flavor = "multi_thread")]
async fn an_exposition_over_a_narrow_link_is_read_to_its_end() {
    let server = MockServer::start().await;
    let text: String =
        (0..3000).map(|n| format!("kube_pod_info{{pod=\"p{n}\",namespace=\"shop\"}} 1\n")).collect();
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string(text)).mount(&server).await;
    let mut connect = http(&server, HttpAuth::None);
    connect.url = format!("http://127.0.0.1:{}/metrics", narrow(server.address().port(), 64 * 1024).await);
    let Reading::Metrics(reading) = Asked::new(Connect::Metrics(connect)).poll().await else {
        panic!("another kind")
    };
    assert_eq!((reading.len(), reading.bad_total, reading.truncated), (3000, 0, false));
}

/// The same with real servers: a cluster and a Prometheus behind what a mobile phone has at the edge of a village.
#[tokio::test(flavor = "multi_thread")]
async fn search_live_6_real_servers_behind_a_narrow_link_stay_fresh() {
    let test = "search_live_6_real_servers_behind_a_narrow_link_stay_fresh";
    let port =
        |url: &str| url::http(url).expect("a URL").url.rsplit(':').next()?.trim_end_matches('/').parse().ok();
    if let Some(url) = crate::live::server(test, "STACKTOP_TEST_ES_URL") {
        let link = narrow(port(&url).expect("a port"), 8 * 1024).await;
        let connect = url::http(&format!("http://127.0.0.1:{link}")).expect("a URL");
        let mut asked = Asked::new(Connect::Search(connect));
        for left in (0..60).rev() {
            let reading = asked.search().await;
            assert!(reading.health.ready().is_some(), "{reading:?}");
            if reading.nodes.ready().is_some() && reading.allocation.ready().is_some() {
                break;
            }
            assert!(left > 0, "the parts come one after the other: {reading:?}");
        }
    }
    if let Some(url) = crate::live::server(test, "STACKTOP_TEST_PROMETHEUS_URL") {
        let link = narrow(port(&url).expect("a port"), 8 * 1024).await;
        let everything = PromQuery {
            title: "everything".to_owned(),
            expr: "{__name__=~\".+\"}".to_owned(),
            unit: String::new(),
            warning: None,
            critical: None,
        };
        let connect = PrometheusConnect {
            http: url::http(&format!("http://127.0.0.1:{link}")).expect("a URL"),
            alertmanager: None,
            queries: vec![everything],
            past: Vec::new(),
        };
        let reading = Asked::new(Connect::Prometheus(connect)).prometheus().await;
        let (targets, rules) = (&reading.targets, &reading.rules);
        assert!(targets.ready().is_some() && rules.ready().is_some(), "{targets:?} {rules:?}");
    }
}
