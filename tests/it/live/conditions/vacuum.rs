//! A vacuum that prevents a wraparound gives way to nobody: what is advised to who waits for it, done.

use super::Lookout;
use super::cluster::Ground;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A table whose vacuum takes a while, and as many transactions as make one necessary.
const SCENE: &str = "CREATE TABLE big AS SELECT n AS id, repeat('x', 700) AS what FROM generate_series(1, 20000) n; \
    ALTER TABLE big SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 200); CREATE TABLE burnt (id int)";
const BURN: &str = "DO $$ BEGIN FOR n IN 1..110000 LOOP \
    BEGIN INSERT INTO burnt VALUES (n); EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$";
const RUNS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'autovacuum:%big (to prevent wraparound)'";

async fn until_vacuum(client: &tokio_postgres::Client, runs: bool) {
    let began = Instant::now();
    loop {
        let count: i64 = client.query_one(RUNS, &[]).await.expect("counted").get(0);
        if (count > 0) == runs {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "the vacuum runs: {count}");
        sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacuum_that_must_be_finishes_and_who_waits_gives_way_to_it() {
    let test = "a_vacuum_that_must_be_finishes_and_who_waits_gives_way_to_it";
    let Some(ground) = Ground::new(test) else { return };
    let settings =
        ["autovacuum_freeze_max_age=100000", "autovacuum_naptime=1s", "autovacuum_vacuum_cost_delay=0"];
    let cluster = ground.server("vacuum", &settings).await;
    let admin = cluster.client().await;
    admin.batch_execute(SCENE).await.expect("the scene");
    admin.batch_execute(BURN).await.expect("burnt");
    until_vacuum(&admin, true).await;
    let change = "ALTER TABLE big ADD COLUMN more int";
    let waiter = cluster.client().await;
    let pid: i32 = waiter.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0);
    let waits = tokio::spawn(async move { waiter.batch_execute(change).await.is_ok() });
    let mut lookout = Lookout::new(vec![("pg", cluster.connect())]).from("postgres.blocked", 2.0);
    let step = lookout.step("postgres.blocked", "to prevent wraparound").await;
    assert_eq!(step, "let it finish: it comes back. Cancel who waits first in line, and try again after it");
    admin.execute("SELECT pg_cancel_backend($1)", &[&pid]).await.expect("cancelled");
    assert!(!waits.await.expect("no panic"), "it gave way");
    lookout.over("postgres.blocked", "").await;
    let left: i64 = admin.query_one(RUNS, &[]).await.expect("counted").get(0);
    assert_eq!(left, 1, "the vacuum goes on meanwhile");
    until_vacuum(&admin, false).await;
    admin.batch_execute(change).await.expect("after it, it is done");
}
