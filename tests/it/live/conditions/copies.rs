//! A primary and its standby, both watched: what both tell of one copy is one root with its consequence.

use super::cluster::{Cluster, Ground, run};
use super::{Load, Lookout};
use stacktop::core::alert::FindingKey;
use stacktop::core::chain::Tie;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// It comes within this, or not at all.
const WITHIN: Duration = Duration::from_secs(40);

/// A primary and a copy of it.
async fn pair(ground: &Ground) -> (Cluster, Cluster) {
    let primary = ground.server("primary", &["wal_level=replica"]).await;
    let mut copy = ground.command("pg_basebackup");
    let port = primary.port.to_string();
    copy.args(["-h", "127.0.0.1", "-U", "postgres", "-R", "-X", "stream", "-c", "fast", "-p", &port]);
    run(copy.arg("-D").arg(ground.place("standby")));
    let standby = ground.start("standby", &[]).await;
    (primary, standby)
}

/// How surely a finding of this rule and target is tied to one of that rule and target.
fn tie(lookout: &Lookout, cause: (&str, &str), effect: (&str, &str)) -> Option<Tie> {
    let mut links = lookout.world.chain.links();
    let is =
        |key: &FindingKey, (rule, target): (&str, &str)| key.rule == rule && key.target.as_str() == target;
    links.find(|link| is(&link.cause, cause) && is(&link.effect, effect)).map(|link| link.evidence.tie)
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
    while tie(&lookout, (lag, "copy"), (lag, "pg")).is_none() {
        assert!(began.elapsed() < WITHIN, "{:?} {:?}", lookout.world.chain, lookout.line());
        lookout.poll().await;
        sleep(Duration::from_millis(500)).await;
    }
    let line = lookout.line();
    assert!(line.contains("PAUSED"), "the root names what keeps it: {line}");
    assert!(!line.contains("+1 more"), "it is told once: {line}");
}
