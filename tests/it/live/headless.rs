//! The front ends without a screen on real servers: exit codes, the root that line 2 names, and the way round by a real Prometheus and a
//! real Alertmanager.

use super::topology::Own;
use super::{client, server};
use crate::headless::{Served, program, valid};
use crate::pty::Screen;
use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

/// What `stacktop check` tells, which is as its schema says, and the exit code.
fn check(words: &[&str]) -> (i32, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    let words = [&["check", "--format", "json"], words].concat();
    let output = program(folder.path(), &words).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.is_empty(), "{words:?}: {error}");
    let value = valid(&text);
    assert_eq!(value["exit_code"], output.status.code().expect("a code"), "{text}");
    assert!(!text.contains("postgres-secret"), "{text}");
    (output.status.code().expect("a code"), value)
}

#[tokio::test(flavor = "multi_thread")]
async fn healthy_is_zero_and_stopped_is_three() {
    let test = "healthy_is_zero_and_stopped_is_three";
    let Some(own) = Own::start(test, &[]).await else { return };
    let (code, told) = check(&[&own.url()]);
    assert_eq!((code, told["state"].as_str()), (0, Some("ok")), "{told:#}");
    let target = &told["targets"][0];
    assert_eq!((target["freshness"].as_str(), target["breaker"].as_str()), (Some("fresh"), Some("closed")));
    // Rates need two polls, and are there.
    let readings = target["readings"].as_array().expect("a list");
    assert!(readings.iter().any(|one| one["name"] == "memory" && one["unit"] == "bytes"), "{target:#}");
    let url = own.url();
    own.signal("-STOP");
    let (code, told) = check(&[&url]);
    own.signal("-CONT");
    assert_eq!((code, told["state"].as_str()), (3, Some("unknown")), "{told:#}");
    assert!(told["targets"][0]["silence"].as_str().is_some_and(|why| why.contains("no answer")), "{told:#}");
    drop(own);
    let (code, told) = check(&[&url, "--for", "2s"]);
    assert_eq!((code, told["findings"][0]["rule"].as_str()), (3, Some("source.silent")), "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_stack_is_two_and_names_the_root_of_line_2() {
    let test = "a_blocked_stack_is_two_and_names_the_root_of_line_2";
    let Some(url) = server(test, "STACKTOP_TEST_PG16_URL") else { return };
    let root = client(&url).await;
    let sql = "DROP TABLE IF EXISTS headless; CREATE TABLE headless (id int PRIMARY KEY); INSERT INTO headless VALUES (1)";
    root.batch_execute(sql).await.expect("a table");
    let pid: i32 = root.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0);
    root.batch_execute("BEGIN; UPDATE headless SET id = 1").await.expect("a lock");
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let waiter = client(&url).await;
        waiting.spawn(async move { waiter.execute("UPDATE headless SET id = 1", &[]).await });
    }
    tokio::time::sleep(Duration::from_secs(11)).await;
    let (code, told) = check(&[&url]);
    let all = told["findings"].as_array().expect("a list");
    let ours = all.iter().find(|one| {
        one["rule"] == "postgres.blocked"
            && one["sentence"].as_str().is_some_and(|text| text.contains(&pid.to_string()))
    });
    let ours = ours.unwrap_or_else(|| panic!("{told:#}"));
    assert_eq!(
        (code, ours["severity"].as_str(), ours["depth"].as_u64()),
        (2, Some("critical"), Some(0)),
        "{told:#}"
    );
    assert!(ours["hit"]["count"].as_u64() >= Some(12) && ours["hit"]["what"] == "session", "{ours:#}");
    let named = if told["cause"].is_null() { &told["lead"] } else { &told["cause"]["finding"] };
    assert_eq!(*named, ours["id"], "{told:#}");
    // The screen says the same of the same root.
    let screen = Screen::start(&[&url], &[], (200, 60));
    screen.until("BROKEN since", 30);
    screen.until_that("line 2 names the root", 30, |text| {
        text.lines().take(4).any(|line| line.contains(&format!("pid {pid}")))
    });
    drop(screen);
    root.batch_execute("ROLLBACK").await.expect("free");
    while waiting.join_next().await.is_some() {}
}

/// A process that ends with this.
struct Running(Child);

impl Running {
    fn start(program: &str, words: &[String]) -> Self {
        let child = Command::new(program).args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{program}: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port()
}

async fn get(url: &str, query: &[(&str, &str)]) -> Option<Value> {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let answer = client.get(format!("{url}?{}", query.join("&"))).send().await.ok()?;
    answer.json().await.ok()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

async fn until<T>(what: &str, seconds: u64, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..seconds * 2 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("{what}");
}

/// The queries of the dashboard, each with its panel; `job` and `target` are all.
fn queries() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(docs("grafana.json")).expect("a file");
    let board: Value = serde_json::from_str(&text).expect("JSON");
    let panels = board["panels"].as_array().expect("panels").clone();
    panels
        .iter()
        .flat_map(|panel| {
            let title = panel["title"].as_str().expect("a title").to_owned();
            let targets = panel["targets"].as_array().expect("targets").clone();
            targets.into_iter().map(move |target| {
                let query = target["expr"].as_str().expect("a query");
                let query =
                    query.replace("$__rate_interval", "10s").replace("$job", ".+").replace("$target", ".+");
                (title.clone(), query)
            })
        })
        .collect()
}

/// What needs no more than a Redis, a Prometheus and an Alertmanager that answer.
const HAVE_DATA: [&str; 8] = [
    "State",
    "Findings by severity",
    "Targets that answer",
    "Oldest reading",
    "Age of the newest data",
    "What a poll takes",
    "Redis: memory",
    "Alertmanager: active alerts",
];

/// A Prometheus that scrapes `served`, has the rules that ship and sends to an Alertmanager.
struct Around {
    prometheus: String,
    alertmanager: String,
    _running: Vec<Running>,
    _folder: tempfile::TempDir,
}

impl Around {
    /// The ports are known before what they scrape is.
    fn start(ports: (u16, u16), scraped: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (prometheus, alertmanager) = (format!("127.0.0.1:{}", ports.0), format!("127.0.0.1:{}", ports.1));
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\n\
             alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}\n\
             scrape_configs: [{{job_name: stacktop, static_configs: [{{targets: ['{scraped}']}}]}}]\n",
            docs("stacktop.rules.yml").display()
        );
        let at = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(at("prometheus.yml"), config).expect("written");
        std::fs::write(at("alertmanager.yml"), "route: {receiver: none}\nreceivers: [{name: none}]\n")
            .expect("written");
        let running = vec![
            Running::start(
                "prometheus-alertmanager",
                &[
                    format!("--config.file={}", at("alertmanager.yml")),
                    format!("--storage.path={}", at("am")),
                    "--cluster.listen-address=".to_owned(),
                    format!("--web.listen-address={alertmanager}"),
                ],
            ),
            Running::start(
                "prometheus",
                &[
                    format!("--config.file={}", at("prometheus.yml")),
                    format!("--storage.tsdb.path={}", at("data")),
                    format!("--web.listen-address={prometheus}"),
                ],
            ),
        ];
        Self {
            prometheus: format!("http://{prometheus}"),
            alertmanager: format!("http://{alertmanager}"),
            _running: running,
            _folder: folder,
        }
    }

    async fn result(&self, query: &str) -> Option<Value> {
        get(&format!("{}/api/v1/query", self.prometheus), &[("query", query)]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_goes_round_by_prometheus_and_stays_one_row() {
    let test = "a_finding_goes_round_by_prometheus_and_stays_one_row";
    let (Some(_), Some(_)) =
        (server(test, "STACKTOP_TEST_PROMETHEUS_URL"), server(test, "STACKTOP_TEST_ALERTMANAGER_URL"))
    else {
        return;
    };
    let Some(own) = Own::start(test, &[]).await else { return };
    stacktop::sources::tls::install_provider();
    let ports = (free_port(), free_port());
    let beside = [
        format!("prometheus+http://127.0.0.1:{}", ports.0),
        format!("alertmanager+http://127.0.0.1:{}", ports.1),
    ];
    let served = Served::start(&[&own.url(), &beside[0], &beside[1]]);
    let around = Around::start(ports, &served.address.to_string());
    dashboard(&around).await;
    drop(own);
    let firing = until("an alert in the Alertmanager", 90, async || {
        let all = get(&format!("{}/api/v2/alerts", around.alertmanager), &[]).await?;
        let all = all.as_array().cloned()?;
        all.into_iter().find(|alert| alert["labels"]["rule"] == "source.silent")
    })
    .await;
    assert_eq!(firing["labels"]["target"], "redis");
    assert!(
        firing["labels"]["alertname"].as_str().is_some_and(|name| name.starts_with("StacktopFinding")),
        "{firing}"
    );
    // It has read of it, and tells one row all the same.
    let told = until("it has read of the alert", 40, async || {
        let told = valid(&served.body("/check"));
        let active =
            told["targets"].as_array()?.iter().find(|one| one["system"] == "alertmanager")?["readings"]
                .clone();
        active
            .as_array()?
            .iter()
            .any(|one| one["name"] == "active alerts" && one["value"].as_f64() > Some(0.0))
            .then_some(told)
    })
    .await;
    let rules = |told: &Value| -> Vec<String> {
        let all = told["findings"].as_array().expect("a list").iter();
        all.map(|one| one["rule"].as_str().expect("text").to_owned()).collect()
    };
    let found = rules(&told);
    assert!(found.contains(&"source.silent".to_owned()), "{told:#}");
    assert!(!found.iter().any(|rule| is_alert(rule)), "{told:#}");
    // Who does not watch that Redis learns of it by the alert.
    let (_, other) = check(&[&beside[0], &beside[1]]);
    assert!(rules(&other).iter().any(|rule| is_alert(rule)), "{other:#}");
}

/// No query of the dashboard is wrong, and those that should have data have some.
async fn dashboard(around: &Around) {
    let has = |answer: &Value| answer["data"]["result"].as_array().is_some_and(|all| !all.is_empty());
    until("rates are there", 60, async || {
        let answer =
            around.result("rate(stacktop_poll_duration_seconds_count{system=\"alertmanager\"}[10s])").await?;
        has(&answer).then_some(())
    })
    .await;
    let all = queries();
    assert!(all.len() > 15, "{all:?}");
    for (title, query) in all {
        let answer = around.result(&query).await.unwrap_or_else(|| panic!("{title}: no answer"));
        assert_eq!(answer["status"], "success", "{title}: {query}: {answer}");
        assert!(has(&answer) || !HAVE_DATA.contains(&title.as_str()), "{title}: {query}: {answer}");
    }
}

/// Whether the rule tells what another system says.
fn is_alert(rule: &str) -> bool {
    matches!(rule, "prometheus.alert" | "alertmanager.alert")
}

/// The rules and what is served are as promtool wants them.
#[test]
fn promtool_agrees() {
    if server("promtool_agrees", "STACKTOP_TEST_PROMETHEUS_URL").is_none() {
        return;
    }
    let rules = Command::new("promtool")
        .args(["check", "rules"])
        .arg(docs("stacktop.rules.yml"))
        .output()
        .expect("promtool");
    assert!(rules.status.success(), "{}", String::from_utf8_lossy(&rules.stderr));
    let redis = server("promtool_agrees", "STACKTOP_TEST_REDIS_URL").unwrap_or_default();
    let postgres = server("promtool_agrees", "STACKTOP_TEST_PG_URL").unwrap_or_default();
    let urls: Vec<&str> =
        [redis.as_str(), postgres.as_str()].into_iter().filter(|url| !url.is_empty()).collect();
    let served = Served::start(&urls);
    std::thread::sleep(Duration::from_secs(6));
    let text = served.body("/metrics");
    assert!(text.contains("stacktop_reading_age_seconds{") || urls.is_empty(), "{text}");
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool");
    std::io::Write::write_all(&mut tool.stdin.take().expect("a pipe"), text.as_bytes()).expect("written");
    let ended = tool.wait_with_output().expect("it ends");
    let told =
        format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success() && told.trim().is_empty(), "{told}\n{text}");
}
