//! What changed, as an operator meets it: on its screen, beside the screen, and in the next run.

use crate::pty;
use crate::screens::Drive;
use chrono::{Offset, Utc};
use serde_json::Value;
use stacktop::actions::webhook::Webhook;
use stacktop::app::command::Command;
use stacktop::app::key::{Code, Key};
use stacktop::app::msg::{Effect, Msg};
use stacktop::config::secret::Secret;
use stacktop::core::alert::Severity;
use stacktop::core::ids::TargetId;
use stacktop::core::place::Screen;
use stacktop::core::time::Now;
use stacktop::core::timeline::{About, Event, Kind};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// An endpoint that counts requests, of which some fail while it is told so; and a webhook that is not there, with its path a secret.
#[derive(Default)]
pub struct Shop {
    served: AtomicU64,
    failed: AtomicU64,
    pub failing: AtomicU64,
    posts: AtomicUsize,
    bodies: Mutex<Vec<String>>,
}

impl Shop {
    pub fn open() -> (Arc<Self>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shop = Arc::new(Self::default());
        let serving = Arc::clone(&shop);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shop = Arc::clone(&serving);
                std::thread::spawn(move || shop.answer(stream));
            }
        });
        (shop, port)
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
        let (mut first, mut length) = (String::new(), 0);
        let _ = reader.read_line(&mut first);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let (status, body) = if first.starts_with("POST") {
            let mut body = vec![0; length];
            let _ = reader.read_exact(&mut body);
            self.bodies.lock().expect("no panic").push(String::from_utf8_lossy(&body).into_owned());
            self.posts.fetch_add(1, Ordering::SeqCst);
            ("404 Not Found", "no such hook: /hook/t0psecret".to_owned())
        } else {
            let served = self.served.fetch_add(100, Ordering::SeqCst) + 100;
            let more = self.failing.load(Ordering::SeqCst);
            let failed = self.failed.fetch_add(more, Ordering::SeqCst) + more;
            let text = format!(
                "# TYPE http_requests_total counter\nhttp_requests_total{{status=\"200\"}} {served}\n\
                 http_requests_total{{status=\"500\"}} {failed}\n"
            );
            ("200 OK", text)
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all((head + &body).as_bytes());
    }
}

#[test]
fn a_new_critical_finding_rings_once_and_the_next_run_knows_of_it() {
    let (shop, port) = Shop::open();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("stacktop.toml");
    let config = format!(
        "[[metrics]]\nname = \"shop-api\"\nurl = \"http://127.0.0.1:{port}/metrics\"\ninterval = \"500ms\"\n\
         [rules.\"metrics.errors\"]\nhold = \"0s\"\n\
         [notify]\ndesktop = \"osc9\"\n[notify.webhook]\nurl = \"http://127.0.0.1:{port}/hook/t0psecret\"\n"
    );
    std::fs::write(&file, config).expect("written");
    let state = folder.path().display().to_string();
    let start = || {
        let variables = [("XDG_STATE_HOME", state.as_str())];
        pty::Screen::start(&["--config", &file.display().to_string()], &variables, (160, 50))
    };
    let mut screen = start();
    let bells = |screen: &pty::Screen| screen.raw_text().matches('\u{7}').count();
    let shown =
        |screen: &pty::Screen| screen.raw_text().matches("\u{1b}]9;stacktop: CRIT shop-api: ").count();
    screen.until("1 source answers", 20);
    assert_eq!((bells(&screen), shown(&screen)), (0, 0));
    shop.failing.store(50, Ordering::SeqCst);
    screen.until("BROKEN", 20);
    screen.until_that("the bell", 5, |_| bells(&screen) > 0 && shown(&screen) > 0);
    shop.failing.store(0, Ordering::SeqCst);
    screen.until("1 source answers", 20);
    screen.until("lasted", 5);
    screen.keys("0");
    screen.until("all clear after", 40);
    // It comes again within the hour: everybody knows.
    shop.failing.store(50, Ordering::SeqCst);
    screen.until("BROKEN", 20);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!((bells(&screen), shown(&screen)), (1, 1));
    screen.keys("q");
    assert_eq!(screen.ended(10), 0);
    // It is told that it is over, too; what is refused for good is not tried again, and said once.
    assert_eq!(shop.posts.load(Ordering::SeqCst), 2);
    let read = |name: &str| std::fs::read_to_string(folder.path().join("stacktop").join(name)).expect(name);
    let log = read("stacktop.log");
    assert_eq!(log.matches("the webhook was not told").count(), 1, "{log}");
    assert!(log.contains("127.0.0.1 answers 404") && !log.contains("t0psecret"), "{log}");
    let kept = read("timeline.jsonl");
    let kinds: Vec<String> = kept
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("JSON")["kind"].as_str().expect("a kind").to_owned()
        })
        .collect();
    assert_eq!(kinds, ["began", "ended", "all clear", "began"], "{kept}");
    shop.failing.store(0, Ordering::SeqCst);
    let mut screen = start();
    screen.until("1 source answers", 20);
    screen.keys("0");
    screen.until("Kept from an earlier run, or by another stacktop (4)", 10);
    assert_eq!(bells(&screen), 0, "what was kept is no news");
    screen.keys("q");
}

#[test]
fn a_mark_that_a_pipeline_sets_is_seen_by_who_looks_and_by_who_looks_next() {
    let (_shop, port) = Shop::open();
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().display().to_string();
    let url = format!("metrics+http://127.0.0.1:{port}/metrics");
    let start = || pty::Screen::start(&[&url], &[("XDG_STATE_HOME", state.as_str())], (160, 50));
    let mark = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stacktop"));
        command.arg("mark").args(words).env("XDG_STATE_HOME", &state).env("USER", "pipeline");
        command.output().expect("it ran")
    };
    assert!(mark(&["before it began"]).status.success());
    let mut screen = start();
    screen.until("1 source answers", 20);
    screen.keys("0");
    screen.until("before it began (set by pipeline)", 10);
    let told = mark(&["shop-api", "1.4.2 from redis://u:s3cret@h/0\u{1b}]0;x\u{7}"]);
    assert!(told.status.success() && told.stdout.is_empty() && told.stderr.is_empty(), "{told:?}");
    screen.until("What changed (1", 10);
    screen.until("shop-api 1.4.2 from redis://", 5);
    screen.keys("q");
    assert_eq!(screen.ended(10), 0);
    let mut next = start();
    next.until("1 source answers", 20);
    next.keys("0");
    next.until("Kept from an earlier run, or by another stacktop (2)", 10);
    next.keys("q");
    let path = folder.path().join("stacktop/timeline.jsonl");
    let kept = std::fs::read_to_string(&path).expect("the file");
    assert_eq!(kept.lines().count(), 2, "who picks a mark up does not write it again: {kept}");
    let all = format!("{kept}{}{}", screen.raw_text(), next.raw_text());
    assert!(!all.contains("s3cret") && !kept.contains('\u{1b}'), "{kept}");
    let empty = mark(&[" "]);
    assert_eq!(empty.status.code(), Some(2), "{empty:?}");
    std::fs::remove_file(&path).expect("removed");
    std::fs::create_dir(&path).expect("made");
    let refused = mark(&["a deploy"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("the mark was not set"), "{said}");
}

fn event(kind: Kind) -> Arc<Event> {
    let about = About {
        rule: "postgres.blocked".to_owned(),
        subject: "pid 4711".to_owned(),
        severity: Severity::Critical,
        since: Now::example(0),
        at_least: false,
    };
    let event = Event::new(kind, Some(&TargetId::new("shop-db")), Now::example(100), "9 sessions wait");
    let lasted = (kind == Kind::Ended).then_some(Duration::from_secs(100));
    Arc::new(Event { about: Some(about), lasted, ..event })
}

/// What `statuses`, one after the other, make of one finding: how many requests it took.
async fn posted(statuses: &[u16], kind: Kind) -> Vec<Value> {
    stacktop::sources::tls::install_provider();
    let server = MockServer::start().await;
    for status in statuses {
        let times = if Some(status) == statuses.last() { 9 } else { 1 };
        Mock::given(any())
            .respond_with(ResponseTemplate::new(*status))
            .up_to_n_times(times)
            .mount(&server)
            .await;
    }
    let (sender, queue) = tokio::sync::mpsc::channel(2);
    let url = Secret::inline(format!("{}/hook", server.uri()));
    sender.send(event(kind)).await.expect("room");
    drop(sender);
    Webhook::new(url, "staging".to_owned()).serve(queue).await;
    let requests = server.received_requests().await.expect("recorded");
    requests.iter().map(|request| serde_json::from_slice(&request.body).expect("JSON")).collect()
}

#[tokio::test]
async fn a_webhook_is_told_in_json_and_asked_again_where_that_may_help() {
    let told = posted(&[503, 204], Kind::Began).await;
    assert_eq!(told.len(), 2);
    let body = &told[1];
    for (key, expected) in [
        ("state", "firing"),
        ("environment", "staging"),
        ("target", "shop-db"),
        ("rule", "postgres.blocked"),
        ("subject", "pid 4711"),
        ("severity", "critical"),
        ("sentence", "9 sessions wait"),
        ("since", "2026-09-21T14:13:20.000Z"),
        ("at", "2026-09-21T14:15:00.000Z"),
        ("text", "staging firing: critical on shop-db: 9 sessions wait"),
    ] {
        assert_eq!(body[key], expected, "{key} in {body}");
    }
    let told = posted(&[200], Kind::Ended).await;
    assert_eq!((&told[0]["state"], &told[0]["lasted_seconds"]), (&"ended".into(), &100.into()));
    assert_eq!(posted(&[410], Kind::Began).await.len(), 1, "it is gone for good");
}

#[tokio::test]
async fn a_frozen_screen_shows_the_timeline_of_then_and_the_bell_rings_for_the_present() {
    let mut drive = Drive::demo();
    drive.run_to(15).await;
    drive.tell(Msg::Command(Command::Screen(Screen::Timeline)));
    drive.tell(Msg::Command(Command::Freeze));
    let before = drive.drawn(160, 50);
    assert!(before.contains("What changed ("), "{before}");
    let rows = |text: &str| text.lines().filter(|line| line.contains("began")).count();
    let then = rows(&before);
    drive.asked.clear();
    drive.run_to(45).await;
    assert_eq!(rows(&drive.drawn(160, 50)), then, "what is held stays as it is");
    assert_eq!(drive.asked.iter().filter(|effect| **effect == Effect::Bell).count(), 1);
    drive.tell(Msg::Command(Command::Freeze));
    assert!(rows(&drive.drawn(160, 50)) > then);
}

#[tokio::test]
async fn what_happens_is_kept_and_rings_and_leads_to_its_place() {
    let mut drive = Drive::demo();
    let mut effects = Vec::new();
    for second in 1..=45 {
        drive.run_to(second).await;
        effects.append(&mut drive.asked);
    }
    assert_eq!(effects.iter().filter(|effect| **effect == Effect::Bell).count(), 1, "one critical finding");
    let kept = effects.iter().filter_map(|effect| match effect {
        Effect::Keep(events) => Some(events.len()),
        _ => None,
    });
    let on_screen = drive.model.world.timeline.events().count();
    assert_eq!((kept.sum::<usize>(), on_screen > 5), (on_screen, true));
    drive.tell(Msg::Command(Command::Screen(Screen::Timeline)));
    // The finding that became critical stands on the metrics screen.
    "/‼".chars().for_each(|c| drive.key(Key::char(c)));
    drive.key(Key::plain(Code::Enter));
    drive.key(Key::plain(Code::Enter));
    assert_eq!(drive.model.screen, Screen::Metrics);
    // What an earlier run kept stands below, with its date and its age, and leads to the target.
    drive.tell(Msg::Command(Command::Screen(Screen::Timeline)));
    drive.tell(Msg::Command(Command::Back));
    let now = Now::example(drive.second);
    let old = Event::new(
        Kind::Restarted,
        Some(&TargetId::new("jobs")),
        now.minus(Duration::from_secs(100_000)),
        "it was restarted",
    );
    drive.tell(Msg::Recalled(vec![old]));
    let text = drive.drawn(160, 50);
    let line = text.lines().find(|line| line.contains("it was restarted")).expect("a row");
    assert!(line.contains("09-20 10:27:25") && line.contains("27 h ago"), "{line}");
    assert!(text.contains("Kept from an earlier run, or by another stacktop (1)"), "{text}");
    drive.key(Key::plain(Code::End));
    drive.key(Key::plain(Code::Enter));
    assert_eq!(drive.model.screen, Screen::Overview);
    // What is about all of them opens, and is told whole.
    let words = "all clear after 1m40s: this was bad (1m40s); that was bad, too (50 s)";
    drive.tell(Msg::Recalled(vec![Event::new(Kind::AllClear, None, now, words)]));
    drive.tell(Msg::Command(Command::Screen(Screen::Timeline)));
    drive.key(Key::plain(Code::End));
    drive.key(Key::plain(Code::Up));
    drive.key(Key::plain(Code::Enter));
    let text = drive.drawn(80, 24);
    assert!(text.contains("that was bad, too (50 s)") && text.contains("local, 14:14:05Z"), "{text}");
    assert!(drive.tell(Msg::Tick(Utc.fix())).is_empty());
}

#[tokio::test]
async fn what_is_over_says_when_it_ended_and_how_long_it_lasted() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    // The world goes on without the findings of one target: its signals are gone, as if all were well there.
    let rules = drive.model.world.rules.clone();
    // What swings is over once it was clear for a while.
    for second in [145, 160] {
        drive.second = second;
        drive.model.world.alerts.observe(
            Vec::new(),
            &rules,
            |_| stacktop::core::alert::Triage::Errors,
            |_| false,
            Now::example(second),
        );
    }
    drive.second = 162;
    drive.model.now = Now::example(162);
    let text = drive.drawn(140, 50);
    let line =
        text.lines().find(|line| line.contains("over") && line.contains("shop-api answers")).expect(&text);
    assert!(line.contains("ended 17 s ago, lasted 2m16s: shop-api answers"), "{line}");
    assert!(line.contains("2m16s shop-api"), "the time that it lasted stands still: {line}");
}
