//! Fault cycles: every source behind a small proxy that refuses, resets, swallows, drips, stalls or babbles, on all sources at once. Keys go
//! on being answered, what is silent shows, and what answers again is back. `tests/bench/faults` runs it longer and prints figures.

use crate::live::server;
use crate::pty::Screen;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a proxy does to connections; those that stand when it begins are hit, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing: it passes on.
    None,
    /// The process is gone (kill -9): connections are reset, new ones refused.
    Refuse,
    /// New connections are taken and reset.
    Reset,
    /// New connections are taken and closed.
    Close,
    /// Everything is swallowed, nothing answered, and what was open then never goes on.
    Blackhole,
    /// An answer ends in its midst, and what was open then never goes on.
    Stall,
    /// Answers come byte by byte.
    Slow,
    /// Bytes that belong to no protocol.
    Garbage,
}

const FAULTS: [Fault; 7] =
    [Fault::Refuse, Fault::Reset, Fault::Close, Fault::Blackhole, Fault::Stall, Fault::Slow, Fault::Garbage];
/// Bytes of an answer that come before it stalls: enough for any greeting.
const BEFORE_STALL: usize = 20;
/// Two intervals of a second, or an interval and the timeout of two: and what a busy machine adds.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);
/// What is promised of the median of all sources and faults.
const BACK_WITHIN: Duration = Duration::from_secs(2);
/// One byte of a slow answer.
const BYTE: Duration = Duration::from_millis(50);

/// Passes connections on to `upstream` as the fault of the moment allows.
async fn proxy(first: TcpListener, upstream: String, mut faults: watch::Receiver<Fault>) {
    let address = first.local_addr().expect("an address");
    let mut listener = Some(first);
    loop {
        let fault = *faults.borrow_and_update();
        if fault == Fault::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = Some(TcpListener::bind(address).await.expect("the port of before"));
        }
        let Some(listener) = &listener else {
            if faults.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            changed = faults.changed() => if changed.is_err() { return },
            Ok((client, _)) = listener.accept() => {
                tokio::spawn(connection(client, upstream.clone(), faults.clone()));
            }
        }
    }
}

fn reset(client: TcpStream) {
    let _ = client.set_zero_linger();
    drop(client);
}

async fn connection(mut client: TcpStream, upstream: String, mut faults: watch::Receiver<Fault>) {
    let mut fault = *faults.borrow_and_update();
    let Ok(mut server) = TcpStream::connect(&upstream).await else { return reset(client) };
    let (mut asked, mut answered) = ([0; 16_384], [0; 16_384]);
    // Answers that come after it has stalled or was swallowed do not come any more.
    let (mut passed, mut dead) = (0, false);
    loop {
        match fault {
            Fault::Reset | Fault::Refuse => return reset(client),
            Fault::Close => return,
            Fault::Blackhole => dead = true,
            Fault::Garbage => {
                let _ = client.write_all(&[0, 255, 7, 27, 93, 53, 10, 13, 0, 1].repeat(20)).await;
                return;
            }
            Fault::None | Fault::Stall | Fault::Slow => {}
        }
        tokio::select! {
            changed = faults.changed() => {
                if changed.is_err() { return }
                fault = *faults.borrow_and_update();
                passed = 0;
            }
            read = client.read(&mut asked) => match read {
                Ok(count) if count > 0 => {
                    if !dead && server.write_all(&asked[..count]).await.is_err() { return }
                }
                _ => return,
            },
            read = server.read(&mut answered), if !dead => {
                let Ok(count) = read else { return reset(client) };
                if count == 0 { return }
                let mut bytes = &answered[..count];
                if fault == Fault::Stall {
                    bytes = &bytes[..bytes.len().min(BEFORE_STALL.saturating_sub(passed))];
                    passed += count;
                    dead = passed >= BEFORE_STALL;
                }
                while fault == Fault::Slow && !bytes.is_empty() && !faults.has_changed().unwrap_or(true) {
                    if client.write_all(&bytes[..1]).await.is_err() { return }
                    bytes = &bytes[1..];
                    tokio::time::sleep(BYTE).await;
                }
                if client.write_all(bytes).await.is_err() { return }
            }
        }
    }
}

/// stacktop in a terminal, and what its sources go through.
struct Cycles {
    screen: Screen,
    words: Vec<&'static str>,
    faults: watch::Sender<Fault>,
    _runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Cycles {
    /// Watches `servers` (kind, its word on the screen, URL), each behind a proxy.
    fn start(servers: &[(&str, &'static str, String)], settings: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let (faults, seen) = watch::channel(Fault::None);
        let mut config = String::new();
        for (kind, _, url) in servers {
            let begin = url.find("://").expect("a URL") + 3;
            let end = url[begin..].find('/').map_or(url.len(), |at| begin + at);
            let begin = url[begin..end].rfind('@').map_or(begin, |at| begin + at + 1);
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
            let place = listener.local_addr().expect("an address");
            runtime.spawn(proxy(listener, url[begin..end].to_owned(), seen.clone()));
            let url = format!("{}{place}{}", &url[..begin], &url[end..]);
            config.push_str(&format!("[[{kind}]]\nurl = \"{url}\"\n{settings}"));
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("stacktop.toml");
        std::fs::write(&file, config).expect("written");
        let screen = Screen::start(&["--config", &file.display().to_string()], &[], (200, 50));
        let words = servers.iter().map(|(_, word, _)| *word).collect();
        let cycles = Self { screen, words, faults, _runtime: runtime, _folder: folder };
        cycles.until_all("all answer", 30, |state| state == '●');
        cycles
    }

    /// When each source's mark on line one is as it should be, since now.
    #[track_caller]
    fn until_all(&self, what: &str, seconds: u64, mark: impl Fn(char) -> bool) -> Vec<Duration> {
        let began = Instant::now();
        let mut times = vec![None; self.words.len()];
        while times.iter().any(Option::is_none) {
            let text = self.screen.text();
            assert!(began.elapsed() < Duration::from_secs(seconds), "{what} did not come:\n{text}");
            let line = text.lines().next().unwrap_or_default();
            for (word, time) in self.words.iter().zip(&mut times) {
                let found = line.split(&format!(" {word} ")).nth(1).and_then(|rest| rest.chars().next());
                if time.is_none() && found.is_some_and(&mark) {
                    *time = Some(began.elapsed());
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        times.into_iter().flatten().collect()
    }

    /// How long keys take now.
    fn keys(&mut self) -> Vec<Duration> {
        let mut times = Vec::new();
        for _ in 0..3 {
            self.screen.keys("?");
            times.push(self.screen.until("Esc closes", 15));
            self.screen.keys("\u{1b}");
            times.push(self.screen.until_that("no help", 5, |text| !text.contains("Esc closes")));
        }
        times
    }

    /// One fault on all sources at once: shown after, back after, and what keys took meanwhile.
    fn cycle(&mut self, fault: Fault, hold: Duration) -> [Vec<Duration>; 3] {
        self.faults.send(fault).expect("a proxy");
        let shown = self.until_all("it is shown", 20, |mark| mark != '●');
        let text = self.screen.text();
        let verdict = text.lines().nth(1).unwrap_or_default();
        assert!(!verdict.starts_with("OK"), "{fault:?}: never green while silent:\n{text}");
        let keys = self.keys();
        std::thread::sleep(hold);
        self.faults.send(Fault::None).expect("a proxy");
        let back = self.until_all("all are back", 40, |mark| mark == '●');
        // What is between the ends of two faults is not the same moment of the polls each time.
        std::thread::sleep(Duration::from_millis(700));
        [shown, back, keys]
    }
}

fn figures(mut times: Vec<Duration>) -> String {
    times.sort();
    let last = times.len().saturating_sub(1);
    let seconds = |at: usize| times.get(at).copied().unwrap_or_default().as_secs_f64();
    format!("median {:.3} s, worst {:.3} s", seconds(last / 2), seconds(last))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[(times.len() - 1) / 2]
}

/// What there is of: Postgres, Redis, Prometheus, an endpoint, and a search cluster where one runs.
fn servers(test: &str) -> Option<Vec<(&'static str, &'static str, String)>> {
    let mut all = Vec::new();
    for (kind, word, variable) in [
        ("postgres", "postgres", "STACKTOP_TEST_PG_URL"),
        ("redis", "redis", "STACKTOP_TEST_REDIS_URL"),
        ("prometheus", "prometheus", "STACKTOP_TEST_PROMETHEUS_URL"),
        ("metrics", "metrics", "STACKTOP_TEST_METRICS_URL"),
    ] {
        all.push((kind, word, server(test, variable)?));
    }
    if let Some(url) = std::env::var("STACKTOP_TEST_ES_URL").ok().filter(|url| !url.is_empty()) {
        all.push(("search", "search", url));
    }
    Some(all)
}

#[test]
fn faults_on_all_sources_are_shown_and_over_when_they_are_over() {
    let Some(servers) = servers("faults_on_all_sources_are_shown_and_over_when_they_are_over") else {
        return;
    };
    let mut cycles = Cycles::start(&servers, "interval = \"1s\"\ntimeout = \"2s\"\n");
    let mut all_back = Vec::new();
    for fault in [Fault::Refuse, Fault::Blackhole, Fault::Stall, Fault::Garbage] {
        let [shown, back, keys] = cycles.cycle(fault, Duration::ZERO);
        assert!(shown.iter().all(|time| *time < SHOWN_WITHIN), "{fault:?}: {shown:?}");
        eprintln!(
            "{fault:?}: shown {}; back {}; keys {}",
            figures(shown),
            figures(back.clone()),
            figures(keys)
        );
        all_back.extend(back);
    }
    // One look each second is due by then, whatever the wait had grown to: the median of many runs is one second.
    assert!(median(all_back.clone()) < BACK_WITHIN, "{}", figures(all_back));
}

/// The long run with the intervals that are the default: `tests/bench/faults`.
#[test]
#[ignore = "minutes: tests/bench/faults runs it"]
fn fault_cycles_in_full() {
    let rounds =
        std::env::var("STACKTOP_FAULT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let Some(servers) = servers("fault_cycles_in_full") else { return };
    let mut cycles = Cycles::start(&servers, "");
    let mut every = [Vec::new(), Vec::new(), Vec::new()];
    for fault in FAULTS {
        let mut of_fault = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..rounds {
            // Long enough for every wait that there is, and never the same.
            let hold = Duration::from_millis(12_000 + 1_370 * round);
            for (all, times) in of_fault.iter_mut().zip(cycles.cycle(fault, hold)) {
                all.extend(times);
            }
        }
        let [shown, back, keys] = of_fault.clone();
        println!(
            "{:<10} shown {}; back {}; keys {}",
            format!("{fault:?}"),
            figures(shown),
            figures(back),
            figures(keys)
        );
        for (all, times) in every.iter_mut().zip(of_fault) {
            all.extend(times);
        }
    }
    let [shown, back, keys] = every;
    println!("{:<10} shown {}; back {}; keys {}", "all", figures(shown), figures(back), figures(keys));
}
