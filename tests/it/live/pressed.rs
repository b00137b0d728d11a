//! `r` pressed many times a second while load runs: rates stay what they are, and what fires goes on firing.

use super::topology::Own;
use super::{Watch, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::alert::Severity;
use stacktop::core::world::SystemState;
use std::time::Duration;
use tokio::time::{Instant, interval};
use tokio_postgres::NoTls;

/// A poll this often is a finger on the key.
const PRESSED_EACH: Duration = Duration::from_millis(40);
/// So long until rates are known, and for how long they are looked at.
const WARM: Duration = Duration::from_secs(4);
const LOOKED_AT: Duration = Duration::from_secs(4);

/// Polls as long as the key is pressed, and gives what `seen` says after each poll once rates are known.
async fn pressed<T>(watch: &mut Watch, seen: impl Fn(&Watch) -> T) -> Vec<T> {
    let began = Instant::now();
    let mut all = Vec::new();
    while began.elapsed() < WARM + LOOKED_AT {
        watch.poll().await.expect("a poll");
        if began.elapsed() > WARM {
            all.push(seen(watch));
        }
        tokio::time::sleep(PRESSED_EACH).await;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn pressing_r_makes_no_rate_of_nothing_on_postgres() {
    let test = "pressing_r_makes_no_rate_of_nothing_on_postgres";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("connected");
    tokio::spawn(connection);
    // Fifty transactions a second at least: other tests add theirs. The server's statistics move about once a second.
    let load = tokio::spawn(async move {
        let mut pace = interval(Duration::from_millis(20));
        loop {
            pace.tick().await;
            client.batch_execute("SELECT 1").await.expect("a transaction");
        }
    });
    let mut watch = Watch::new(Connect::Postgres(url::postgres(&url).expect("a URL")));
    let rates = pressed(&mut watch, |watch| match &watch.world.targets()[0].system {
        SystemState::Postgres(state) => state.rates.transactions,
        other => panic!("{other:?}"),
    })
    .await;
    load.abort();
    assert!(rates.len() > 20, "{} polls", rates.len());
    assert!(rates.iter().all(|rate| rate.is_some_and(|rate| rate > 15.0)), "{rates:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pressing_r_ends_no_critical_finding_on_redis() {
    let test = "pressing_r_ends_no_critical_finding_on_redis";
    let Some(own) = Own::start(test, &["--maxmemory", "1kb"]).await else { return };
    let mut client = own.client().await;
    // A write that is refused each tenth of a second.
    let load = tokio::spawn(async move {
        let mut pace = interval(Duration::from_millis(100));
        loop {
            pace.tick().await;
            let refused = redis::cmd("SET").arg("it").arg("grows").query_async::<()>(&mut client).await;
            assert!(refused.is_err(), "it is full");
        }
    });
    let mut watch = Watch::new(Connect::Redis(url::redis(&own.url()).expect("a URL")));
    let seen = pressed(&mut watch, |watch| {
        let SystemState::Redis(state) = &watch.world.targets()[0].system else { panic!("a Redis") };
        let critical = watch.world.alerts.firing().iter().any(|finding| {
            finding.breach.rule == "redis.errors" && finding.breach.severity == Severity::Critical
        });
        (state.rates.errors.get("OOM").copied(), critical)
    })
    .await;
    load.abort();
    assert!(seen.len() > 20, "{} polls", seen.len());
    let steady = |(rate, critical): &(Option<f64>, bool)| {
        *critical && rate.is_some_and(|rate| (6.0..14.0).contains(&rate))
    };
    assert!(seen.iter().all(steady), "{seen:?}");
}
