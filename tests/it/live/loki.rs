//! A real Loki: what it receives, errors by level, and lines by a word, by time and as they come.

use super::{Watch, server};
use serde_json::json;
use stacktop::config::target::{Connect, LokiConnect};
use stacktop::config::url;
use stacktop::core::focus::Focus;
use stacktop::core::lines::{About, Asked, Question, Window};
use stacktop::core::loki::LokiState;
use stacktop::core::part::GapKind;
use stacktop::core::world::SystemState;
use stacktop::sources::http::Http;
use std::time::Duration;

struct Server {
    connect: LokiConnect,
    http: Http,
    /// Nothing else writes in its streams.
    app: String,
}

/// The Loki of the tests, for one of them.
async fn loki(test: &str) -> Option<Server> {
    let url = server(test, "STACKTOP_TEST_LOKI_URL")?;
    stacktop::sources::tls::install_provider();
    let connect = url::http_base(&url).expect("a URL");
    let http = Http::open(&connect).await.expect("a client");
    Some(Server { connect: connect.into(), http, app: format!("{}-{}", test.replace('_', "-"), now()) })
}

/// Now, in nanoseconds since 1970.
fn now() -> i64 {
    chrono::Utc::now().timestamp_nanos_opt().expect("a time")
}

impl Server {
    /// Writes lines, each so many milliseconds after `from`.
    async fn write(&self, from: i64, lines: &[&str]) {
        let each = |(n, line): (usize, &&str)| json!([(from + n as i64 * 1_000_000).to_string(), line]);
        let values: Vec<_> = lines.iter().enumerate().map(each).collect();
        let body = json!({"streams": [{"stream": {"app": self.app}, "values": values}]});
        let answer = self.http.post_json("/loki/api/v1/push", &body).await.expect("an answer");
        assert!(answer.status.is_success(), "{}", answer.told());
    }

    fn watch(&self) -> Watch {
        let connect =
            LokiConnect { selector: Some(format!("{{app=\"{}\"}}", self.app)), ..self.connect.clone() };
        Watch::new(Connect::Loki(connect))
    }
}

fn state(watch: &Watch) -> &LokiState {
    match &watch.world.targets()[0].system {
        SystemState::Loki(state) => state,
        other => panic!("{other:?}"),
    }
}

fn question(lines: About, window: Window) -> Question {
    Question { about: "a test".to_owned(), lines, window }
}

fn named(words: &[&str], names: &[&str]) -> About {
    let owned = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    About::Named { words: owned(words), text: String::new(), of: Vec::new(), names: owned(names) }
}

fn texts(asked: &Asked) -> Vec<&str> {
    asked.lines.ready().map_or(Vec::new(), |lines| lines.iter().map(|line| line.text.as_str()).collect())
}

/// Polls with this question until its answer is as it should be.
async fn until(watch: &mut Watch, question: &Question, done: impl Fn(&Asked) -> bool) -> Asked {
    let focus = [Focus::Lines(question.clone())];
    let mut last = None;
    for _ in 0..60 {
        watch.poll_with(&focus).await.expect("a poll");
        let asked = state(watch).reading().and_then(|reading| reading.asked.first()).cloned();
        if let Some(asked) = asked {
            if done(&asked) {
                return asked;
            }
            last = Some(asked);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("{last:?}");
}

#[tokio::test]
async fn loki_live_lines_and_errors_are_counted_by_stream() {
    let Some(loki) = loki("loki_live_lines_and_errors_are_counted_by_stream").await else { return };
    let from = now() - 5_000_000_000;
    loki.write(
        from,
        &["level=info msg=begun", "level=error msg=failed", "level=error msg=again", "level=warn msg=slow"],
    )
    .await;
    let mut watch = loki.watch();
    watch.poll().await.expect("a poll");
    let reading = state(&watch).reading().expect("a reading");
    assert!(reading.ready.ready().expect("it says so").ready);
    assert!(reading.labels.ready().expect("labels").contains(&"app".to_owned()), "{:?}", reading.labels);
    let received = reading.received.ready().expect("lines");
    assert_eq!(received.lines() as u64, 4, "{received:?}");
    assert_eq!(state(&watch).errors_now(), Some(2.0), "{:?}", reading.errors);
    let name = received.streams[0].name.clone();
    assert!(name == loki.app, "{received:?}");
}

#[tokio::test]
async fn loki_live_lines_are_found_by_a_whole_word_in_streams_of_a_name() {
    let Some(loki) = loki("loki_live_lines_are_found_by_a_whole_word_in_streams_of_a_name").await else {
        return;
    };
    let from = now() - 60_000_000_000;
    let lines = [
        "job 42 begun",
        "job 421 begun",
        "job 42 failed: token=abc \u{1b}[31mred\u{1b}[0m",
        "order 1.42 x",
        "a \"quoted\\ one\"",
    ];
    loki.write(from, &lines).await;
    let mut watch = loki.watch();
    let millis = from / 1_000_000;
    let window = Window::Between(millis - 1000, millis + 10_000);
    let asked =
        until(&mut watch, &question(named(&["42"], &[&loki.app]), window), |asked| !texts(asked).is_empty())
            .await;
    // A point is the end of a word.
    assert_eq!(texts(&asked), ["order 1.42 x", "job 42 failed: token=••• red", "job 42 begun"]);
    assert!(asked.why.starts_with("streams whose ") && asked.why.ends_with(&loki.app), "{asked:?}");
    // Where its own streams have none, all are asked.
    let asked = until(&mut watch, &question(named(&["421"], &["nobody-there"]), window), |asked| {
        !texts(asked).is_empty()
    })
    .await;
    assert_eq!((texts(&asked), asked.why.as_str()), (vec!["job 421 begun"], "all streams"));
    let quoted = About::Named {
        words: Vec::new(),
        text: "a \"quoted\\ one\"".to_owned(),
        of: Vec::new(),
        names: Vec::new(),
    };
    let asked = until(&mut watch, &question(quoted, window), |asked| !texts(asked).is_empty()).await;
    assert_eq!(texts(&asked), ["a \"quoted\\ one\""]);
    // What is no query says why.
    let wrong = question(About::Query("{app=api}".to_owned()), window);
    let asked = until(&mut watch, &wrong, |asked| asked.lines.gap().is_some()).await;
    let gap = asked.lines.gap().expect("refused");
    assert!(gap.kind == GapKind::Failed && gap.note.contains("parse error"), "{gap:?}");
}

#[tokio::test]
async fn loki_live_what_comes_is_followed_once_and_in_its_order() {
    let Some(loki) = loki("loki_live_what_comes_is_followed_once_and_in_its_order").await else { return };
    let mut watch = loki.watch();
    let all = question(About::Query(format!("{{app=\"{}\"}}", loki.app)), Window::Last(60));
    let begin = now() - 10_000_000_000;
    loki.write(begin, &["one"]).await;
    until(&mut watch, &all, |asked| texts(asked) == ["one"]).await;
    loki.write(now(), &["three"]).await;
    until(&mut watch, &all, |asked| texts(asked) == ["three", "one"]).await;
    // It was written before, and comes late.
    loki.write(now() - 3_000_000_000, &["two"]).await;
    let asked = until(&mut watch, &all, |asked| texts(asked).len() == 3).await;
    let mut sorted = texts(&asked);
    sorted.sort_unstable();
    assert_eq!(sorted, ["one", "three", "two"]);
    assert!(asked.left_out.is_none() && !asked.more, "{asked:?}");
}

/// More lines at once than one request brings.
#[tokio::test]
async fn loki_live_a_flood_is_counted() {
    let Some(loki) = loki("loki_live_a_flood_is_counted").await else { return };
    let mut watch = loki.watch();
    let all = question(About::Query(format!("{{app=\"{}\"}}", loki.app)), Window::Last(60));
    loki.write(now() - 8_000_000_000, &["begin"]).await;
    until(&mut watch, &all, |asked| !texts(asked).is_empty()).await;
    let lines: Vec<String> = (0..1300).map(|n| format!("line {n}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    loki.write(now() - 4_000_000_000, &lines).await;
    let asked = until(&mut watch, &all, |asked| texts(asked).len() > 1).await;
    assert_eq!((texts(&asked).len(), texts(&asked)[0]), (501, "line 1299"));
    assert_eq!(asked.left_out.map(|left| (left.counted, left.more)), Some((800, false)));
}
