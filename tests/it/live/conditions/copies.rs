//! A primary and its standby, both watched: what both tell of one copy is one root with its consequence, and a burst of WAL is why a copy
//! falls behind.

use super::cluster::{Cluster, Ground, run};
use super::{Load, Lookout};
use stacktop::core::chain::Tie;
use std::process::Command;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// It comes within this, or not at all.
const WITHIN: Duration = Duration::from_secs(40);

/// A primary and a copy of it.
pub async fn pair(ground: &Ground) -> (Cluster, Cluster) {
    let primary = ground.server("primary", &["wal_level=replica", "wal_keep_size=4GB"]).await;
    let mut copy = ground.command("pg_basebackup");
    let port = primary.port.to_string();
    copy.args(["-h", "127.0.0.1", "-U", "postgres", "-R", "-X", "stream", "-c", "fast", "-p", &port]);
    run(copy.arg("-D").arg(ground.place("standby")));
    let standby = ground.start("standby", &[]).await;
    (primary, standby)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_paused_is_one_root_with_what_its_primary_tells() {
    let test = "a_standby_that_is_paused_is_one_root_with_what_its_primary_tells";
    let Some(ground) = Ground::new(test) else { return };
    let (primary, standby) = pair(&ground).await;
    let targets = vec![("pg", primary.connect()), ("copy", standby.connect())];
    let mut lookout = Lookout::new(targets).from("postgres.replication_bytes", 1_000_000.0);
    lookout.settles().await;
    standby.client().await.batch_execute("SELECT pg_wal_replay_pause()").await.expect("paused");
    let writer = primary.client().await;
    let _load = Load::new(async move {
        loop {
            let sql = "SELECT pg_logical_emit_message(false, 'test', repeat('x', 500000))";
            let _ = writer.simple_query(sql).await;
            sleep(Duration::from_millis(300)).await;
        }
    });
    let lag = "postgres.replication_lag";
    let began = Instant::now();
    while lookout.tie((lag, "copy"), (lag, "pg")).is_none() {
        assert!(began.elapsed() < WITHIN, "{:?} {:?}", lookout.world.chain, lookout.line());
        lookout.poll().await;
        sleep(Duration::from_millis(500)).await;
    }
    let line = lookout.line();
    assert!(line.contains("PAUSED"), "the root names what keeps it: {line}");
    assert!(!line.contains("+1 more"), "it is told once: {line}");
    // What is advised, done word for word there.
    let step = lookout.step(lag, "PAUSED").await;
    assert_eq!(step, "SELECT pg_wal_replay_resume()");
    standby.client().await.batch_execute(&step).await.expect("it goes on");
    lookout.over(lag, "PAUSED").await;
}

/// The standby's process that replays, held as a slow disk holds it.
struct Held(String);

impl Held {
    fn hold(pid: i32) -> Self {
        run(Command::new("kill").args(["-STOP", &pid.to_string()]));
        Self(pid.to_string())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-CONT", &self.0]).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_wal_is_why_the_copy_of_that_server_falls_behind() {
    let test = "a_burst_of_wal_is_why_the_copy_of_that_server_falls_behind";
    let Some(ground) = Ground::new(test) else { return };
    let (primary, standby) = pair(&ground).await;
    let mut lookout = Lookout::new(vec![("pg", primary.connect()), ("copy", standby.connect())]);
    lookout.settles().await;
    let step = Duration::from_secs(10);
    for _ in 0..16 {
        lookout.poll_after(step).await;
    }
    let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'startup'";
    let row = standby.client().await.query_one(sql, &[]).await.expect("it replays");
    let _held = Held::hold(row.get(0));
    let (burst, lag) = (("postgres.wal_burst", "pg"), ("postgres.replication_lag", "copy"));
    let writer = primary.client().await;
    let mut tie = None;
    for _ in 0..6 {
        let sql = "SELECT pg_logical_emit_message(false, 'test', repeat('x', 260000000))";
        writer.simple_query(sql).await.expect("written");
        lookout.poll_after(step).await;
        tie = lookout.tie(burst, lag);
        if tie.is_some() {
            break;
        }
    }
    assert_eq!(tie, Some(Tie::Likely), "{:?}", lookout.world.chain);
}
