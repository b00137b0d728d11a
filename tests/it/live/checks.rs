//! A real application in Node that tells of its health in four documents: fine, degraded, with a field less, down with a body, and hung.

use super::{Watch, server};
use stacktop::config::target::{Connect, HealthConnect, HttpConnect, ProbeConnect, ProbeKind};
use stacktop::config::url;
use stacktop::core::alert::judge;
use stacktop::core::health::{HealthReading, Standing};
use stacktop::core::report::PollErrorKind;
use stacktop::core::time::Clock;
use stacktop::core::world::SystemState;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The application; it ends with the test.
struct App {
    child: Child,
    port: String,
}

impl App {
    /// One whose check of Redis connects to this port.
    fn start(redis: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stack/node/health.js");
        let mut child =
            Command::new("node").args([script, redis]).stdout(Stdio::piped()).spawn().expect("node runs");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut port).expect("its port");
        Self { child, port: port.trim().to_owned() }
    }

    fn watch(&self, page: &str) -> Watch {
        let url = format!("http://127.0.0.1:{}/api/health/{page}", self.port);
        Watch::new(Connect::Health(HealthConnect::from(url::http(&url).expect("a URL"))))
    }

    async fn becomes(&self, mode: &str) {
        let url = format!("http://127.0.0.1:{}/mode/{mode}", self.port);
        let connect = url::http(&url).expect("a URL");
        let http = stacktop::sources::http::Http::open(&connect).await.expect("a client");
        assert_eq!(http.get("", &[]).await.expect("an answer").status, 200);
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port of the tests' Redis, where Node is there, too.
fn redis(test: &str) -> Option<String> {
    server(test, "STACKTOP_TEST_QUEUE_JS")?;
    let url = server(test, "STACKTOP_TEST_REDIS_URL")?;
    url.rsplit_once(':').map(|(_, port)| port.to_owned())
}

fn reading(watch: &Watch) -> &HealthReading {
    watch.world.targets()[0].system.health().and_then(|state| state.reading()).expect("a document")
}

/// What is found now, whether it holds long enough yet or not.
fn told(watch: &Watch) -> Vec<String> {
    let (target, rules, now) = (&watch.world.targets()[0], &watch.world.rules, watch.clock.now());
    let found = match &target.system {
        SystemState::Health(state) => judge(&**state, &target.id, rules, now),
        SystemState::Probe(state) => judge(&**state, &target.id, rules, now),
        other => panic!("{other:?}"),
    };
    found.into_iter().map(|breach| format!("{}: {}", breach.rule, breach.sentence)).collect()
}

#[tokio::test]
async fn an_application_that_is_fine_says_so_in_four_documents() {
    let Some(redis) = redis("an_application_that_is_fine_says_so_in_four_documents") else { return };
    let app = App::start(&redis);
    for (page, checks, measures) in [("database", 1, 1), ("deep", 3, 0), ("queries", 0, 3), ("cache", 0, 1)] {
        let mut watch = app.watch(page);
        watch.poll().await.expect("a poll");
        let read = reading(&watch);
        assert_eq!((read.status, read.standing()), (200, Standing::Up), "{read:?}");
        assert_eq!((read.checks.len(), read.measures.len()), (checks, measures), "{read:?}");
        assert!(read.took > Duration::ZERO && !read.values.is_empty() && !read.truncated);
        assert_eq!(told(&watch), Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_application_that_degrades_says_where() {
    let Some(redis) = redis("an_application_that_degrades_says_where") else { return };
    let app = App::start(&redis);
    app.becomes("degraded").await;
    for (page, expected) in [
        ("database", vec!["health.pool: it: 95 % of its pool of database pool is in use"]),
        (
            "deep",
            vec![
                "health.status: it is degraded by its health endpoint (200)",
                "health.breaker: it: its circuit breaker search is open: what is behind it is not asked",
            ],
        ),
        ("queries", vec!["health.query_p95: it: its 95th percentile of queries is 812 ms"]),
        ("cache", vec!["health.cache_hit: it: its hit rate of cache is 31 %"]),
    ] {
        let mut watch = app.watch(page);
        watch.poll().await.expect("a poll");
        assert_eq!(told(&watch), expected, "{page}");
    }
}

#[tokio::test]
async fn a_field_and_a_check_that_vanish_are_unknown() {
    let Some(redis) = redis("a_field_and_a_check_that_vanish_are_unknown") else { return };
    let app = App::start(&redis);
    let (mut cache, mut deep) = (app.watch("cache"), app.watch("deep"));
    cache.poll().await.expect("a poll");
    deep.poll().await.expect("a poll");
    app.becomes("lost").await;
    cache.poll().await.expect("a poll");
    deep.poll().await.expect("a poll");
    let words = "health.unknown: it tells of cache hit rate no more: how it is nobody knows";
    assert_eq!(told(&cache), [words]);
    assert_eq!(told(&deep), ["health.unknown: it tells of check search no more: how it is nobody knows"]);
    app.becomes("fine").await;
    cache.poll().await.expect("a poll");
    assert_eq!(told(&cache), Vec::<String>::new());
}

#[tokio::test]
async fn one_that_is_down_is_read_by_its_body_and_one_that_hangs_is_not() {
    let Some(redis) = redis("one_that_is_down_is_read_by_its_body_and_one_that_hangs_is_not") else { return };
    let app = App::start(&redis);
    app.becomes("down").await;
    let mut watch = app.watch("database");
    watch.poll().await.expect("503 with a body is an answer");
    assert_eq!((reading(&watch).status, reading(&watch).standing()), (503, Standing::Down));
    assert_eq!(told(&watch), ["health.status: it says that its check database is down: too many clients"]);
    assert!(watch.verdict().starts_with("BROKEN"), "{}", watch.verdict());
    // It accepts connections, and says nothing.
    app.signal("-STOP");
    let poll = tokio::time::timeout(Duration::from_millis(700), watch.poll()).await;
    assert!(poll.is_err(), "{poll:?}");
    app.signal("-CONT");
    app.becomes("fine").await;
    watch.poll().await.expect("it goes on");
    assert_eq!(reading(&watch).standing(), Standing::Up);
}

#[tokio::test]
async fn a_check_of_a_redis_that_is_gone_is_down() {
    let Some(_) = redis("a_check_of_a_redis_that_is_gone_is_down") else { return };
    // Nobody listens there.
    let app = App::start("9");
    let mut watch = app.watch("deep");
    watch.poll().await.expect("a poll");
    let told = told(&watch);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("health.status: it says that its check redis is down: connect ECONNREFUSED"),
        "{told:?}"
    );
}

#[tokio::test]
async fn what_is_no_health_endpoint_is_told_as_such() {
    let Some(redis) = redis("what_is_no_health_endpoint_is_told_as_such") else { return };
    let app = App::start(&redis);
    let error = app.watch("nowhere").poll().await.expect_err("it is none");
    assert_eq!(error.kind, PollErrorKind::WrongServer, "{error:?}");
}

#[tokio::test]
async fn a_probe_connects_to_a_real_redis_and_asks_a_real_page() {
    let Some(port) = redis("a_probe_connects_to_a_real_redis_and_asks_a_real_page") else { return };
    let tcp = ProbeKind::Tcp { host: "127.0.0.1".to_owned(), port: port.parse().expect("a port") };
    let http = HttpConnect::plain(String::new());
    let mut watch = Watch::new(Connect::Probe(ProbeConnect { http, kind: tcp, link: None }));
    watch.poll().await.expect("it takes connections");
    assert_eq!(told(&watch), Vec::<String>::new());
    let app = App::start(&port);
    let page = format!("http://127.0.0.1:{}/api/health/cache", app.port);
    let kind = ProbeKind::Http { status: Some(200), contains: Some("hitRate".to_owned()) };
    let http = HttpConnect::plain(page);
    let mut watch = Watch::new(Connect::Probe(ProbeConnect { http, kind, link: None }));
    watch.poll().await.expect("an answer");
    assert_eq!(told(&watch), Vec::<String>::new());
    app.becomes("lost").await;
    watch.poll().await.expect("an answer");
    let words = "probe.answer: it: its answer does not contain \u{201c}hitRate\u{201d}";
    assert_eq!(told(&watch), [words]);
}
