//! Conditions of a Redis server: full, without its disk, without places for clients, stopped. Who is refused tries again each twenty seconds:
//! nobody may need to be refused within one interval of the polls for it to be told.

use super::{Condition, Lies, Load, Lookout, side_by_side};
use crate::live::server;
use crate::live::topology::Own;
use redis::cmd;
use stacktop::config::target::Connect;
use stacktop::config::url;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Who was refused comes again so much later.
const AGAIN: Duration = Duration::from_secs(20);

/// These, those of the queues that lie there, and those that need more than one server: together they take as long as one.
#[tokio::test(flavor = "multi_thread")]
async fn of_redis_and_its_queues_are_told_as_long_as_they_last_and_healthy_steps_are_not() {
    let test = "of_redis_and_its_queues_are_told_as_long_as_they_last_and_healthy_steps_are_not";
    if server(test, "STACKTOP_TEST_REDIS_SERVER").is_none() {
        return;
    }
    let mut all: Vec<(&'static str, Condition)> = vec![
        ("full", Box::pin(full())),
        ("unsaved", Box::pin(unsaved())),
        ("no_place", Box::pin(no_place())),
        ("silent", Box::pin(silent())),
        ("replica_behind", Box::pin(replica_behind())),
        ("replica_out_of_step", Box::pin(replica_out_of_step())),
    ];
    all.extend(super::queues::all(test));
    all.extend(super::apart::all(test));
    side_by_side(all).await;
}

pub fn on(own: &Own) -> Lookout {
    Lookout::new(vec![("redis", Connect::Redis(url::redis(&own.url()).expect("a URL")))])
}

pub async fn start(options: &[&str]) -> Own {
    Own::start("conditions", options).await.expect("it was there before")
}

/// Somebody writes now and then, and is refused.
async fn refused(own: &Own) -> Load {
    let mut client = own.client().await;
    Load::new(async move {
        loop {
            let refused = cmd("SET").arg("it").arg("grows").query_async::<()>(&mut client).await;
            assert!(refused.is_err(), "nothing was refused");
            sleep(AGAIN).await;
        }
    })
}

async fn full() -> Lies {
    let own = start(&[]).await;
    let mut lookout = on(&own);
    lookout.settles().await;
    let set = ["CONFIG", "SET", "maxmemory", "1kb"];
    let () = cmd(set[0]).arg(&set[1..]).query_async(&mut own.client().await).await.expect("set");
    let _load = refused(&own).await;
    lookout.lasts("full", &["redis.memory", "redis.errors"], &["BROKEN"]).await
}

/// Its last save failed, so that it takes no writes.
async fn unsaved() -> Lies {
    let own = start(&["--save", "3600 1"]).await;
    let mut lookout = on(&own);
    lookout.settles().await;
    let mut client = own.client().await;
    let at: Vec<String> = cmd("CONFIG").arg("GET").arg("dir").query_async(&mut client).await.expect("it");
    // What is written cannot be put where a folder lies.
    std::fs::create_dir_all(std::path::Path::new(&at[1]).join("dump.rdb/in-the-way")).expect("a folder");
    let () = cmd("SET").arg("it").arg("was").query_async(&mut client).await.expect("written");
    let () = cmd("BGSAVE").query_async(&mut client).await.expect("begun");
    sleep(Duration::from_secs(2)).await;
    let _load = refused(&own).await;
    lookout.lasts("unsaved", &["redis.persistence", "redis.errors"], &["BROKEN"]).await
}

/// Every place is taken, and somebody knocks now and then.
async fn no_place() -> Lies {
    let own = start(&["--maxclients", "20"]).await;
    let mut lookout = on(&own);
    lookout.settles().await;
    let url = own.url();
    let _load = Load::new(async move {
        let mut crowd = Vec::new();
        loop {
            let client = redis::Client::open(url.as_str()).expect("a URL");
            match client.get_multiplexed_async_connection().await {
                Ok(client) => crowd.push(client),
                Err(_) => sleep(AGAIN).await,
            }
        }
    });
    lookout.lasts("no_place", &["redis.clients", "redis.rejected"], &["BROKEN"]).await
}

/// It was stopped: connections are taken, and nothing is answered.
async fn silent() -> Lies {
    let own = start(&[]).await;
    let mut lookout = on(&own);
    lookout.settles().await;
    own.signal("-STOP");
    lookout.lasts("silent", &["source.silent"], &["UNKNOWN"]).await
}

/// A replica of `own`.
async fn replica(own: &Own) -> Own {
    start(&["--replicaof", &format!("127.0.0.1 {}", own.port)]).await
}

/// Its replica was stopped in the middle, while something is written; it is not given up yet.
async fn replica_behind() -> Lies {
    let own = start(&["--repl-timeout", "3600", "--repl-diskless-sync-delay", "0"]).await;
    let copy = replica(&own).await;
    let mut lookout = on(&own).from("redis.replica_lag", 1_000_000.0);
    let mut client = own.client().await;
    let online = async {
        loop {
            let told: String = cmd("INFO").arg("replication").query_async(&mut client).await.expect("INFO");
            if told.contains("state=online") {
                return;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(Duration::from_secs(60), online).await.expect("it is in step");
    lookout.settles().await;
    copy.signal("-STOP");
    for _ in 0..4 {
        let () = cmd("SET").arg("it").arg("x".repeat(1_000_000)).query_async(&mut client).await.expect("set");
    }
    lookout.lasts("replica_behind", &["redis.replica_lag"], &["DEGRADED"]).await
}

/// A replica that waits for a copy of everything, and does not get it.
async fn replica_out_of_step() -> Lies {
    let slow =
        ["--repl-timeout", "3600", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "3600"];
    let own = start(&slow).await;
    let mut lookout = on(&own);
    lookout.settles().await;
    let _copy = replica(&own).await;
    lookout.lasts("replica_out_of_step", &["redis.replica_state"], &["DEGRADED"]).await
}
