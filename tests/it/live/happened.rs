//! What happens to a Redis server, on a real one: it is emptied, held by one command, and parents wait for children that failed.

use super::{Watch, server};
use redis::aio::MultiplexedConnection;
use stacktop::config::target::Connect;
use stacktop::config::url;
use std::time::Duration;

fn told(watch: &Watch, rule: &str) -> Vec<String> {
    let all = watch.world.alerts.firing().into_iter().filter(|finding| finding.breach.rule == rule);
    all.map(|finding| finding.breach.sentence.clone()).collect()
}

async fn until(watch: &mut Watch, rule: &str, words: &str) {
    for _ in 0..900 {
        watch.poll().await.expect("a poll");
        if told(watch, rule).iter().any(|sentence| sentence.contains(words)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{rule}: {:?} does not say `{words}`", told(watch, rule));
}

/// A server of our own that ends with the test: others' servers are not emptied.
pub struct Own {
    child: std::process::Child,
    pub url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn own(test: &str) -> Option<Own> {
    let program = server(test, "STACKTOP_TEST_REDIS_SERVER")?;
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let folder = tempfile::tempdir().expect("a folder");
    let child = std::process::Command::new(program)
        .args([
            "--port",
            &port.to_string(),
            "--save",
            "",
            "--bind",
            "127.0.0.1",
            "--enable-debug-command",
            "local",
        ])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a server");
    Some(Own { child, url: format!("redis://127.0.0.1:{port}"), _folder: folder })
}

pub async fn connection(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("a URL");
    for _ in 0..100 {
        if let Ok(connection) = client.get_multiplexed_async_connection().await {
            return connection;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{url} does not come up");
}

pub async fn run(connection: &mut MultiplexedConnection, words: &[&str]) {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command
        .query_async::<redis::Value>(connection)
        .await
        .unwrap_or_else(|error| panic!("{words:?}: {error}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flush_a_long_command_and_stuck_parents_are_told() {
    let Some(own) = own("a_flush_a_long_command_and_stuck_parents_are_told") else { return };
    let mut admin = connection(&own.url).await;
    let mut watch = Watch::new(Connect::Redis(url::redis(&own.url).expect("a URL")));
    watch.poll().await.expect("a poll");
    let reading = watch.world.targets()[0].system.redis().and_then(|state| state.reading());
    let clock = reading.and_then(|reading| reading.clock).expect("it tells its time");
    assert!(clock.abs() < 2.0, "it runs here: {clock}");
    // A flow as BullMQ keeps it: the parent waits, its child is among the failed.
    for words in [
        &["HSET", "bull:orders:meta", "version", "bullmq:5.1.0"][..],
        &["HSET", "bull:mails:meta", "version", "bullmq:5.1.0"],
        &["HSET", "bull:orders:12", "name", "order"],
        &["HSET", "bull:mails:7", "name", "mail"],
        &["ZADD", "bull:orders:waiting-children", "1", "12"],
        &["SADD", "bull:orders:12:dependencies", "bull:mails:7", "bull:mails:8"],
        &["ZADD", "bull:mails:failed", "1", "7"],
    ] {
        run(&mut admin, words).await;
    }
    until(&mut watch, "queue.parents", "1 parent job waits for children that failed (12 for a job of mails)")
        .await;
    // The answer comes later than anybody waits for it.
    let mut sleeps = connection(&own.url).await;
    let _ = redis::cmd("DEBUG").arg(&["SLEEP", "1.2"]).query_async::<redis::Value>(&mut sleeps).await;
    until(&mut watch, "redis.slow_command", "served nobody else for 1.2").await;
    assert_eq!(told(&watch, "redis.flushed"), Vec::<String>::new());
    run(&mut admin, &["FLUSHALL"]).await;
    until(&mut watch, "redis.flushed", "was emptied").await;
    assert_eq!(told(&watch, "redis.reset"), Vec::<String>::new());
    run(&mut admin, &["REPLICAOF", "127.0.0.1", "1"]).await;
    until(&mut watch, "redis.reset", "was a primary and is a replica").await;
}
