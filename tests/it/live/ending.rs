//! The end of a run in the middle of an action, whatever ends it: the action stops at a whole batch, and what the audit trail says of it
//! is what the server has.

use super::queues::named;
use super::topology::Own;
use crate::pty::Screen;
use stacktop::core::redis::QueueRef;
use std::path::Path;
use std::time::{Duration, Instant};

/// Jobs that have failed: a retry of them takes some seconds.
const MANY: u64 = 40_000;
/// An end takes no longer, and by then its line is on the disk.
const WITHIN: Duration = Duration::from_secs(3);
/// Longer than a dialog waits before it takes its first key.
const SETTLE: Duration = Duration::from_millis(500);

/// Holds a terminal of its own, in which the program runs; with its death that terminal is gone.
const HOLD: &str = "import pty, sys; pty.spawn(['sh', '-c', 'stty rows 50 cols 160; exec ' + sys.argv[1]])";

/// A server that was filled, a queue in it, and a screen on which its retry is under way.
struct Retry {
    own: Own,
    client: redis::aio::MultiplexedConnection,
    queue: QueueRef,
    screen: Screen,
    _folder: tempfile::TempDir,
}

impl Retry {
    /// `words`: what comes before the program's own words.
    async fn begun(test: &str, words: &[&str]) -> Option<Self> {
        let own = Own::start(test, &[]).await?;
        let mut client = own.client().await;
        let queue = named("mails");
        let now = chrono::Utc::now().timestamp_millis();
        for part in 0..MANY / 10_000 {
            let mut fill = redis::pipe();
            for id in part * 10_000 + 1..=(part + 1) * 10_000 {
                let when = now - 5_000_000 + i64::try_from(id).expect("small");
                fill.zadd(queue.key("failed"), id, when).ignore();
                let job = [("name", "mail"), ("data", "{}"), ("opts", "{}"), ("failedReason", "no")];
                fill.hset_multiple(queue.key(&id.to_string()), &job).ignore();
            }
            let () = fill.query_async(&mut client).await.expect("filled");
        }
        let mut fill = redis::pipe();
        fill.hset(queue.key("meta"), "version", "bullmq:5.81.3").ignore().set(queue.key("id"), MANY).ignore();
        let () = fill.query_async(&mut client).await.expect("filled");
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("stacktop.toml");
        let target = format!("[[redis]]\nurl = \"{}\"\nqueues = [\"{}\"]\n", own.url(), queue.name);
        std::fs::write(&config, target).expect("written");
        let config = config.display().to_string();
        let whole = [env!("CARGO_BIN_EXE_stacktop"), "--config", &config];
        let screen = match words {
            [] => Screen::start(&whole[1..], &[], (160, 50)),
            words => {
                let last = whole.join(" ");
                Screen::start_as(&[words, &[last.as_str()]].concat(), &[], (160, 50))
            }
        };
        let mut begun = Self { own, client, queue, screen, _folder: folder };
        begun.screen.until("redis ●", 10);
        begun.press("6", "mails");
        begun.press("x", "retry failed jobs");
        begun.press("r", "Retry every failed job");
        begun.press("local", &format!("of {MANY}"));
        Some(begun)
    }

    fn press(&mut self, key: &str, then: &str) {
        std::thread::sleep(SETTLE);
        self.screen.keys(key);
        self.screen.until(then, 15);
    }

    /// Phase and result of each line of the audit trail.
    fn audited(&self) -> Vec<(String, String)> {
        audited(self.screen.state_folder())
    }

    /// The outcome on the disk is what the server has.
    async fn agrees(&mut self, causes: &[&str], began: Instant) {
        let took = began.elapsed();
        assert!(took < WITHIN, "it took {took:?}");
        let lines = self.audited();
        let phases: Vec<&str> = lines.iter().map(|(phase, _)| phase.as_str()).collect();
        assert_eq!(phases, ["intent", "outcome"], "{lines:?}");
        let mut ask = redis::pipe();
        ask.llen(self.queue.key("wait")).zcard(self.queue.key("failed"));
        let (back, left): (u64, u64) = ask.query_async(&mut self.client).await.expect("counts");
        eprintln!("{back} back, {left} left, after {took:?}: {}", lines[1].1);
        assert!(back > 0 && left > 0, "it was over already: {back} back");
        assert_eq!(back + left, MANY, "each job is in one place");
        let expected = |cause: &&str| {
            lines[1]
                .1
                .contains(&format!(": {back} back to waiting; stopped by {cause} after {back} of {MANY}"))
        };
        assert!(causes.iter().any(expected), "{back} back: {}", lines[1].1);
    }
}

fn audited(state: &Path) -> Vec<(String, String)> {
    let file = state.join(".local/state/stacktop/audit.jsonl");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let word = |line: &serde_json::Value, name: &str| line[name].as_str().expect("text").to_owned();
    lines.map(|line| (word(&line, "phase"), word(&line, "result"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_in_the_middle_of_a_retry_leaves_an_outcome_that_is_true() {
    let test = "a_signal_in_the_middle_of_a_retry_leaves_an_outcome_that_is_true";
    for (signal, code, cause) in
        [("-HUP", 129, "a hang-up"), ("-TERM", 143, "a request to terminate"), ("-INT", 130, "an interrupt")]
    {
        let Some(mut retry) = Retry::begun(test, &[]).await else { return };
        let began = Instant::now();
        retry.screen.signal(signal);
        assert_eq!(retry.screen.ended(5), code, "{signal}");
        retry.agrees(&[cause], began).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_q_waits_for_the_outcome_and_prints_it() {
    let test = "a_second_q_waits_for_the_outcome_and_prints_it";
    let Some(mut retry) = Retry::begun(test, &[]).await else { return };
    retry.screen.keys("q");
    retry.screen.until("press q again to stop it and leave", 5);
    let began = Instant::now();
    retry.screen.keys("q");
    assert_eq!(retry.screen.ended(5), 0);
    retry.agrees(&["your leaving"], began).await;
    let left = retry.screen.text();
    assert!(left.replace('\n', "").contains("stopped by your leaving after"), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_goes_away_leaves_an_outcome_that_is_true() {
    let test = "a_terminal_that_goes_away_leaves_an_outcome_that_is_true";
    let Some(mut retry) = Retry::begun(test, &["python3", "-c", HOLD]).await else { return };
    let began = Instant::now();
    retry.screen.signal("-KILL");
    while retry.audited().len() < 2 && began.elapsed() < WITHIN {
        std::thread::sleep(Duration::from_millis(10));
    }
    // The signal that comes with it, or what is read of a terminal that is not there, whichever is first.
    retry.agrees(&["a hang-up", "the loss of the terminal"], began).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_waited_for_is_written_down_as_not_known() {
    let test = "what_cannot_be_waited_for_is_written_down_as_not_known";
    let Some(mut retry) = Retry::begun(test, &[]).await else { return };
    retry.own.signal("-STOP");
    // By then a batch waits for its answer.
    std::thread::sleep(SETTLE);
    let began = Instant::now();
    retry.screen.signal("-HUP");
    while retry.audited().len() < 2 && began.elapsed() < WITHIN {
        std::thread::sleep(Duration::from_millis(10));
    }
    let lines = retry.audited();
    assert_eq!(lines.len(), 2, "after {:?}: {lines:?}", began.elapsed());
    assert_eq!(lines[1].0, "left");
    assert!(lines[1].1.contains("its outcome is not known"), "{lines:?}");
    assert_eq!(retry.screen.ended(5), 129);
    assert_eq!(retry.audited().len(), 2, "nothing comes after it");
    retry.own.signal("-CONT");
}
