//! Conditions of Postgres and of the PgBouncer in front of it.

use super::cluster::{Cluster, Ground, free_port, run};
use super::{Condition, Lies, Load, Lookout, hold, side_by_side};
use crate::live::client;
use stacktop::config::target::{Connect, PostgresConnect};
use stacktop::config::url;
use stacktop::sources::postgres::PostgresSource;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[tokio::test(flavor = "multi_thread")]
async fn of_postgres_are_told_as_long_as_they_last_and_healthy_steps_are_not() {
    let test = "of_postgres_are_told_as_long_as_they_last_and_healthy_steps_are_not";
    let Some(ground) = Ground::new(test).map(Arc::new) else { return };
    let mut all: Vec<(&'static str, Condition)> = Vec::new();
    macro_rules! add {
        ($($name:ident),*) => { $(all.push((stringify!($name), Box::pin($name(Arc::clone(&ground)))));)* };
    }
    add!(archiver, slot, idle_in_transaction, prepared, slots_full, pool_full, pool_in_turns, replay_paused);
    add!(down, warm_up, vacuum, restart, pool_used, looked_at);
    side_by_side(all).await;
}

fn on(cluster: &Cluster) -> Lookout {
    Lookout::new(vec![("pg", cluster.connect())])
}

/// Writes a little each second, and lets WAL end there.
async fn writes(cluster: &Cluster) -> Load {
    let client = cluster.client().await;
    client.batch_execute("CREATE TABLE written (id int)").await.expect("a table");
    Load::new(async move {
        loop {
            let sql = "INSERT INTO written SELECT 1; SELECT pg_switch_wal()";
            let _ = client.simple_query(sql).await;
            sleep(Duration::from_secs(1)).await;
        }
    })
}

/// The archiver tries three times, then rests for a minute.
async fn archiver(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("archiver", &["archive_mode=on"]).await;
    let admin = cluster.client().await;
    admin.batch_execute("ALTER SYSTEM SET archive_command = 'true'").await.expect("set");
    admin.batch_execute("SELECT pg_reload_conf()").await.expect("read");
    let mut lookout = on(&cluster);
    lookout.settles().await;
    admin.batch_execute("ALTER SYSTEM SET archive_command = 'false'").await.expect("set");
    admin.batch_execute("SELECT pg_reload_conf()").await.expect("read");
    let _load = writes(&cluster).await;
    let lies = lookout.lasts("archiver", &["postgres.archiver"], &["BROKEN"]).await;
    let firing = lookout.world.alerts.firing();
    let told = firing.iter().find(|finding| finding.breach.rule == "postgres.archiver").expect("it fails");
    assert!(told.breach.sentence.contains(" wait"), "{}", told.breach.sentence);
    lies
}

/// Nobody reads a slot, and WAL is kept for it.
async fn slot(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("slot", &[]).await;
    let mut lookout = on(&cluster).from("postgres.slot_retained", 3_000_000.0);
    lookout.settles().await;
    let admin = cluster.client().await;
    let sql = "SELECT pg_create_physical_replication_slot('left', true)";
    admin.batch_execute(sql).await.expect("a slot");
    let _load = writes(&cluster).await;
    lookout.lasts("slot", &["postgres.slot_retained"], &["DEGRADED"]).await
}

async fn idle_in_transaction(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("idle", &[]).await;
    let mut lookout = on(&cluster).from("postgres.idle_in_transaction", 5.0);
    lookout.settles().await;
    let forgotten = cluster.client().await;
    let sql = "CREATE TABLE held (id int); BEGIN; INSERT INTO held VALUES (1)";
    forgotten.batch_execute(sql).await.expect("a transaction");
    lookout.lasts("idle_in_transaction", &["postgres.idle_in_transaction"], &["DEGRADED", "BROKEN"]).await
}

async fn prepared(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("prepared", &[]).await;
    let mut lookout = on(&cluster).from("postgres.prepared", 5.0);
    lookout.settles().await;
    let sql = "CREATE TABLE held (id int); BEGIN; INSERT INTO held VALUES (1); PREPARE TRANSACTION 'left'";
    cluster.client().await.batch_execute(sql).await.expect("prepared");
    lookout.lasts("prepared", &["postgres.prepared"], &["DEGRADED"]).await
}

/// Every place is taken, and others knock.
async fn slots_full(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("full", &["max_connections=15"]).await;
    let admin = cluster.client().await;
    admin.batch_execute("CREATE ROLE crowd LOGIN").await.expect("a role");
    let mut lookout = on(&cluster);
    lookout.settles().await;
    let url = cluster.url().replace("postgres@", "crowd@");
    let mut crowd = Vec::new();
    while let Ok((client, connection)) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await {
        tokio::spawn(connection);
        crowd.push(client);
    }
    assert!(crowd.len() > 5, "{}", crowd.len());
    lookout.lasts("slots_full", &["postgres.connections"], &["BROKEN"]).await
}

/// A PgBouncer of its own with so many server connections.
fn pooler(ground: &Ground, name: &str, cluster: &Cluster, size: usize) -> (Pooler, PostgresConnect, String) {
    let port = free_port();
    let file = ground.place(&format!("{name}.ini"));
    let to = cluster.port;
    let text = format!(
        "[databases]\n* = host=127.0.0.1 port={to} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         auth_type = any\npool_mode = transaction\ndefault_pool_size = {size}\nquery_wait_timeout = 12\nunix_socket_dir =\n"
    );
    std::fs::write(&file, text).expect("a file");
    let mut command = ground.command("/usr/sbin/pgbouncer");
    let pooler = Pooler(command.arg(&file).spawn().expect("pgbouncer"));
    let console = format!("postgres://postgres@127.0.0.1:{port}/pgbouncer");
    let console = Some(Box::new(url::postgres(&console).expect("a URL")));
    let connect = PostgresConnect { pgbouncer: console, ..url::postgres(&cluster.url()).expect("a URL") };
    (pooler, connect, format!("postgres://postgres@127.0.0.1:{port}/postgres"))
}

struct Pooler(Child);

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Clients hold all connections of the pool, and one waits until the pooler sends it away, and comes again.
async fn pool_full(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("pooled", &[]).await;
    let (_pooler, connect, through) = pooler(&ground, "pooled", &cluster, 2);
    let mut lookout = Lookout::new(vec![("pg", Connect::Postgres(connect))]);
    lookout.settles().await;
    let mut holders = Vec::new();
    for _ in 0..2 {
        let holder = client(&through).await;
        holder.batch_execute("BEGIN").await.expect("a transaction");
        holders.push(holder);
    }
    let waiting = through.clone();
    let _load = Load::new(async move {
        loop {
            let sent_away = client(&waiting).await.batch_execute("SELECT 1").await;
            assert!(sent_away.is_err(), "it got a turn");
        }
    });
    lookout.lasts("pool_full", &["pgbouncer.waiting"], &["DEGRADED", "BROKEN"]).await
}

/// Four of five server connections of the pool are in use, and nobody waits.
async fn pool_used(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("used", &[]).await;
    let (_pooler, connect, through) = pooler(&ground, "used", &cluster, 5);
    let mut lookout = Lookout::new(vec![("pg", Connect::Postgres(connect))]);
    lookout.settles().await;
    let mut holders = Vec::new();
    for _ in 0..4 {
        let holder = client(&through).await;
        holder.batch_execute("BEGIN").await.expect("a transaction");
        holders.push(holder);
    }
    lookout.lasts("pool_used", &["pgbouncer.utilisation"], &["DEGRADED"]).await
}

/// What is looked at in the background: a sequence near its end, a partition that should be gone, a migration that failed.
async fn looked_at(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("looked", &[]).await;
    let mut lookout = on(&cluster).from("postgres.partition_retention", 30.0 * 86_400.0);
    let source = PostgresSource::new(url::postgres(&cluster.url()).expect("a URL"));
    lookout.watches[0].source = Box::new(source.watching_each(Duration::from_secs(2)));
    lookout.settles().await;
    let sql = "CREATE SEQUENCE numbers MAXVALUE 100; SELECT setval('numbers', 95); \
        CREATE TABLE log (at timestamptz) PARTITION BY RANGE (at); \
        CREATE TABLE log_old PARTITION OF log FOR VALUES FROM ('2020-01-01') TO ('2020-02-01'); \
        CREATE TABLE log_now PARTITION OF log FOR VALUES FROM ('2020-02-01') TO ('2100-01-01'); \
        CREATE TABLE schema_migrations (version bigint, dirty boolean); INSERT INTO schema_migrations VALUES (7, true)";
    cluster.client().await.batch_execute(sql).await.expect("made");
    let rules = ["postgres.sequence", "postgres.partition_retention", "postgres.migration_failed"];
    lookout.lasts("looked_at", &rules, &["DEGRADED"]).await
}

/// Clients take turns, and each of them waits for seconds: it is never the same one.
async fn pool_in_turns(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("turns", &[]).await;
    let (_pooler, connect, through) = pooler(&ground, "turns", &cluster, 2);
    let mut lookout = Lookout::new(vec![("pg", Connect::Postgres(connect))]);
    lookout.settles().await;
    let mut loads = Vec::new();
    for _ in 0..12 {
        let through = through.clone();
        loads.push(Load::new(async move {
            let client = client(&through).await;
            loop {
                let _ = client.batch_execute("SELECT pg_sleep(0.7)").await;
            }
        }));
    }
    lookout.lasts("pool_in_turns", &["pgbouncer.waiting"], &["DEGRADED", "BROKEN"]).await
}

/// A standby whose replay is paused, while its primary goes on.
async fn replay_paused(ground: Arc<Ground>) -> Lies {
    let primary = ground.server("primary", &["wal_level=replica"]).await;
    let mut copy = ground.command("pg_basebackup");
    let port = primary.port.to_string();
    copy.args(["-h", "127.0.0.1", "-U", "postgres", "-R", "-X", "stream", "-c", "fast", "-p", &port]);
    run(copy.arg("-D").arg(ground.place("standby")));
    let standby = ground.start("standby", &[]).await;
    let mut lookout = on(&standby);
    lookout.settles().await;
    let paused = standby.client().await.batch_execute("SELECT pg_wal_replay_pause()").await;
    paused.expect("paused");
    let _load = writes(&primary).await;
    lookout.lasts("replay_paused", &["postgres.replication_lag"], &["DEGRADED"]).await
}

async fn down(ground: Arc<Ground>) -> Lies {
    let mut cluster = ground.server("down", &[]).await;
    let mut lookout = on(&cluster);
    lookout.settles().await;
    cluster.stop();
    lookout.lasts("down", &["source.silent"], &["UNKNOWN"]).await
}

/// An application opens its thirty connections at once and keeps them.
async fn warm_up(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("warm", &["max_connections=60"]).await;
    let mut lookout = on(&cluster);
    lookout.settles().await;
    let url = cluster.url();
    let _load = Load::new(async move {
        sleep(hold() / 5).await;
        let mut pool = Vec::new();
        for _ in 0..30 {
            pool.push(client(&url).await);
            sleep(Duration::from_millis(200)).await;
        }
        std::future::pending::<()>().await;
    });
    lookout.stays_ok("warm_up", false).await
}

async fn vacuum(ground: Arc<Ground>) -> Lies {
    let cluster = ground.server("vacuum", &[]).await;
    let admin = cluster.client().await;
    let sql =
        "CREATE TABLE swept AS SELECT n AS id, repeat('x', 200) AS text FROM generate_series(1, 100000) n";
    admin.batch_execute(sql).await.expect("a table");
    let mut lookout = on(&cluster);
    lookout.settles().await;
    let _load = Load::new(async move {
        loop {
            for sql in ["UPDATE swept SET id = id + 1", "VACUUM (ANALYZE) swept"] {
                admin.batch_execute(sql).await.expect(sql);
            }
            sleep(Duration::from_secs(5)).await;
        }
    });
    lookout.stays_ok("vacuum", false).await
}

/// An operator restarts the server: for a moment nobody answers, and then it is told that it was restarted, and that all is well.
async fn restart(ground: Arc<Ground>) -> Lies {
    let mut cluster = ground.server("restart", &[]).await;
    let mut lookout = on(&cluster);
    lookout.settles().await;
    let own = Arc::clone(&ground);
    let restarted = tokio::spawn(async move {
        sleep(hold() / 4).await;
        cluster.stop();
        cluster.start(&own).await;
        (cluster, Instant::now())
    });
    let lies = lookout.stays_ok("restart", true).await;
    let (_cluster, back) = restarted.await.expect("restarted");
    assert!(back.elapsed() > Duration::from_secs(5), "there is something to see after it");
    let line = lookout.line();
    assert!(line.starts_with("OK") && line.contains("the server was restarted"), "{line}");
    lies
}
