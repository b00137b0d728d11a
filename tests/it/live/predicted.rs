//! What the preview of an action predicts on a real server, and that it came: both stand in the audit trail.

use super::server;
use crate::pty::Screen;
use stacktop::actions::audit::{AuditTrail, Phase};
use std::time::Duration;
use tokio_postgres::{Client, NoTls};

/// Longer than a dialog waits before it takes its first key.
const SETTLE: Duration = Duration::from_millis(500);

async fn connected(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server is there");
    tokio::spawn(connection);
    client
}

fn press(screen: &mut Screen, key: &str, then: &str) {
    std::thread::sleep(SETTLE);
    screen.keys(key);
    screen.until(then, 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocker_that_is_terminated_frees_whom_it_held_and_the_trail_says_so() {
    let Some(url) = server("a_blocker_that_is_terminated", "STACKTOP_TEST_PG16_URL") else { return };
    let admin = connected(&url).await;
    let table = "predicted_table";
    let sql = format!(
        "DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (id int); INSERT INTO {table} VALUES (1)"
    );
    admin.batch_execute(&sql).await.expect("a table");
    let blocker = connected(&url).await;
    let pid: i32 = blocker.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0);
    let update = format!("UPDATE {table} SET id = id");
    blocker.batch_execute(&format!("BEGIN; {update}")).await.expect("a lock");
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let (client, update) = (connected(&url).await, update.clone());
        waiting.push(tokio::spawn(async move { client.batch_execute(&update).await.is_ok() }));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("stacktop.toml");
    let text = format!(
        "[[postgres]]\nname = \"pg\"\nurl = \"{url}\"\n[rules.\"postgres.blocked\"]\nwarning = 1.0\ncritical = 50.0\n"
    );
    std::fs::write(&config, text).expect("written");
    let mut screen = Screen::start(&["--config", &config.display().to_string()], &[], (160, 50));
    screen.until(&format!("pid {pid}"), 20);
    screen.until("blocks 2 sessions", 20);
    // Others use this server, too: the row is chosen by its process id.
    screen.keys("2");
    screen.keys(&format!("/{pid}\r"));
    press(&mut screen, "x", &format!("terminate backend {pid}"));
    press(&mut screen, "t", "predicted");
    screen.until("2 sessions free", 5);
    press(&mut screen, "t", "confirmed after");
    for task in waiting {
        assert!(task.await.expect("no panic"), "who waited has got what it waited for");
    }
    let trail = AuditTrail::at(screen.state_folder().join(".local/state/stacktop/audit.jsonl"));
    let lines = trail.tail(20).lines;
    let told: Vec<(Phase, &str)> = lines.iter().map(|line| (line.phase, line.result.as_str())).collect();
    assert_eq!(told.first(), Some(&(Phase::Intent, "predicted within 1m00s: 2 sessions free")), "{told:?}");
    let confirmed = |(phase, words): &&(Phase, &str)| {
        *phase == Phase::Verified && words.starts_with("prediction confirmed after ")
    };
    assert!(told.iter().any(|line| confirmed(&line)), "{told:?}");
    assert!(lines.iter().all(|line| line.id == lines[0].id), "all of it is about one action: {lines:?}");
    admin.batch_execute(&format!("DROP TABLE {table}")).await.expect("dropped");
}
