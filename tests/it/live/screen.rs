//! From the keys on a terminal to real servers and back: the whole way that an operator goes.

use super::server;
use crate::pty::Screen;
use std::time::Duration;

/// Longer than a dialog waits before it takes its first key.
const SETTLE: Duration = Duration::from_millis(500);

fn configured(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("stacktop.toml");
    std::fs::write(&file, text).expect("written");
    let path = file.display().to_string();
    (folder, path)
}

fn press(screen: &mut Screen, key: &str, then: &str) {
    std::thread::sleep(SETTLE);
    screen.keys(key);
    screen.until(then, 10);
}

fn phases(screen: &Screen) -> Vec<String> {
    let file = screen.state_folder().join(".local/state/stacktop/audit.jsonl");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("JSON")["phase"]
                .as_str()
                .expect("a phase")
                .to_owned()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_is_terminated_from_the_screen() {
    let Some(url) = server("a_root_is_terminated_from_the_screen", "STACKTOP_TEST_PG18_URL") else { return };
    let connect = async || {
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connected");
        tokio::spawn(connection);
        client
    };
    let root = connect().await;
    let pid: i32 = root.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0);
    root.batch_execute("BEGIN; UPDATE orders SET state = 'held' WHERE id = 5").await.expect("a lock");
    let waiter = connect().await;
    let waiting =
        tokio::spawn(
            async move { waiter.execute("UPDATE orders SET state = 'paid' WHERE id = 5", &[]).await },
        );
    // The secret is in a file: it must not be needed in the configuration.
    let (folder, config) = configured("");
    std::fs::write(folder.path().join("secret"), "postgres-secret\n").expect("written");
    let bare = url.replace(":postgres-secret", "");
    let text =
        format!("[[postgres]]\nurl = \"{bare}\"\npassword_file = \"{}/secret\"\n", folder.path().display());
    std::fs::write(&config, text).expect("written");
    let mut screen = Screen::start(&["--config", &config], &[], (160, 50));
    screen.until("postgres ●", 10);
    screen.keys("2");
    screen.until("1 session waits behind 1 root", 10);
    press(&mut screen, "x", "terminate backend");
    press(&mut screen, "t", &format!("Terminate pid {pid} and release 1 session"));
    press(&mut screen, "t", &format!("pid {pid} is gone"));
    waiting.await.expect("no panic").expect("its update went through");
    screen.until("nobody waits for a lock", 10);
    assert_eq!(phases(&screen), ["intent", "outcome", "verified"]);
    let pid = screen.child.process_id().expect("a pid");
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap_or_default();
    assert!(!words.contains("postgres-secret") && !environment.contains("postgres-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_retried_from_the_screen() {
    let Some(lab) = super::queues::Lab::open("a_failed_job_is_retried_from_the_screen") else { return };
    for (generation, _) in super::queues::GENERATIONS {
        let name = format!("screen-{generation}-{}", std::process::id());
        let ids = lab.failed(generation, &name, 1);
        let worker = lab.worker(generation, &name);
        let (_folder, config) =
            configured(&format!("[[redis]]\nurl = \"{}\"\nqueues = [\"{name}\"]\n", lab.url));
        let mut screen = Screen::start(&["--config", &config], &[], (160, 50));
        screen.until("redis ●", 10);
        screen.keys("6");
        screen.until(&name, 10);
        screen.keys("\r");
        screen.until("the provider said no", 10);
        press(&mut screen, "x", "retry job");
        press(&mut screen, "r", &format!("Retry 1 job of queue {name}"));
        press(&mut screen, "r", "1 completed");
        assert_eq!(worker.done(1), ids, "{generation}");
        assert_eq!(phases(&screen), ["intent", "outcome", "verified"], "{generation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_refuses_and_production_wants_a_word() {
    let Some(lab) = super::queues::Lab::open("read_only_refuses_and_production_wants_a_word") else { return };
    let name = format!("careful-{}", std::process::id());
    lab.failed("bullmq5", &name, 1);
    let text =
        format!("environment = \"shop-prod\"\n[[redis]]\nurl = \"{}\"\nqueues = [\"{name}\"]\n", lab.url);
    let (_folder, config) = configured(&text);
    let to_the_job = |screen: &mut Screen| {
        screen.until("redis ●", 10);
        screen.keys("6");
        screen.until(&name, 10);
        screen.keys("\r");
        screen.until("the provider said no", 10);
    };
    let mut screen = Screen::start(&["--config", &config, "--read-only"], &[], (160, 50));
    to_the_job(&mut screen);
    press(&mut screen, "x", "--read-only");
    assert!(!screen.text().contains("retry job"), "{}", screen.text());
    assert!(phases(&screen).is_empty());
    let mut screen = Screen::start(&["--config", &config], &[], (160, 50));
    screen.until("PROD shop-prod", 10);
    to_the_job(&mut screen);
    press(&mut screen, "x", "retry job");
    std::thread::sleep(SETTLE);
    screen.keys("r");
    screen.until("Retry 1 job", 15);
    std::thread::sleep(SETTLE);
    // The key alone does nothing here.
    screen.keys("r");
    std::thread::sleep(SETTLE);
    assert!(phases(&screen).is_empty(), "a single key was enough in production");
    let asked = screen.text();
    assert!(asked.contains("type"), "{asked}");
    screen.keys("\u{1b}");
    std::thread::sleep(SETTLE);
    assert!(phases(&screen).is_empty());
}

/// Two keys from a failed job to what its service wrote of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_a_failed_job_are_opened_from_the_screen() {
    let Some(lab) = super::queues::Lab::open("the_lines_of_a_failed_job_are_opened_from_the_screen") else {
        return;
    };
    let name = format!("lines-{}", std::process::id());
    let ids = lab.failed("bullmq5", &name, 1);
    let text = format!(
        "[[redis]]\nurl = \"{}\"\nqueues = [\"{name}\"]\n[[log]]\nname = \"worker\"\nfile = \"worker.log\"\nfor = [\"{name}\"]\n",
        lab.url
    );
    let (folder, config) = configured(&text);
    let log = folder.path().join("worker.log");
    let at = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ");
    let id = &ids[0];
    let lines = format!(
        "{at} INFO job 9{id} is another\n{at} ERROR job {id} refused token=geheim\n    at mail.js:7\n"
    );
    std::fs::write(&log, lines).expect("written");
    let mut screen = Screen::start(&["--config", &config], &[], (160, 50));
    screen.until("redis ●", 10);
    screen.keys("6");
    screen.until(&name, 10);
    screen.keys("\r");
    screen.until("the provider said no", 10);
    press(&mut screen, "f", &format!("ERROR job {id} refused token=•••"));
    let shown = screen.text();
    assert!(shown.contains("1 line, the newest first") && !shown.contains("is another"), "{shown}");
    // What comes is shown while it is open.
    let mut file = std::fs::OpenOptions::new().append(true).open(&log).expect("opened");
    std::io::Write::write_all(&mut file, format!("{at} WARN job {id} given up\n").as_bytes())
        .expect("written");
    screen.until("given up", 10);
    press(&mut screen, "\u{1b}[B\r", "at mail.js:7");
    let recorded = screen.state_folder().join(".local/state/stacktop");
    for entry in std::fs::read_dir(&recorded).into_iter().flatten().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains("given up"), "{}", entry.path().display());
    }
}
