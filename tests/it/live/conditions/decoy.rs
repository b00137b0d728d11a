//! An old prepared transaction on one server harms nobody, while another server hurts a service: by a lock, then by a statement that
//! takes long. It is never the culprit, lends nobody its beginning, and is in no chain.

use super::cluster::Ground;
use super::{Load, Lookout};
use chrono::{DateTime, Utc};
use stacktop::config::target::Connect;
use stacktop::config::url;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

const DECOY: &str = "old_and_harmless";
/// For so long each fault is looked at, once it is told.
const LOOKED_AT: Duration = Duration::from_secs(20);
/// Until the findings of a fault are there: they need a window of requests and a hold.
const COMES_WITHIN: Duration = Duration::from_secs(60);

/// A service that answers with 5xx while it is `broken`: ten requests each time that it is asked.
async fn service(broken: Arc<AtomicBool>) -> (String, Load) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/metrics", listener.local_addr().expect("an address"));
    let (well, ill) = (AtomicU64::new(1000), AtomicU64::new(0));
    let answers = Load::new(async move {
        while let Ok((mut wire, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let _ = wire.read(&mut asked).await;
            let failed = if broken.load(Ordering::Relaxed) { 4 } else { 0 };
            ill.fetch_add(failed, Ordering::Relaxed);
            well.fetch_add(10 - failed, Ordering::Relaxed);
            let mut body = String::from("# TYPE http_requests_total counter\n");
            for (status, count) in [(200, &well), (503, &ill)] {
                let count = count.load(Ordering::Relaxed);
                let _ = writeln!(body, "http_requests_total{{status=\"{status}\"}} {count}");
            }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
            let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            let _ = wire.write_all(answer.as_bytes()).await;
        }
    });
    (url, answers)
}

/// What line 2 says of what is wrong and why: what is exonerated, or stands beside it, comes after that.
fn accused(line: &str) -> &str {
    let end = ["not it:", "; also", "; "].iter().filter_map(|mark| line.find(mark)).min();
    &line[..end.unwrap_or(line.len())]
}

/// Polls until `rules` fire and then for a while: each time the decoy is outside of what is accused, no link leads to or from its server,
/// and no finding of another server began before `made`.
async fn looked_at(lookout: &mut Lookout, rules: &[(&str, &str)], made: DateTime<Utc>) {
    let (began, mut told) = (Instant::now(), None);
    loop {
        lookout.poll().await;
        let firing = lookout.world.alerts.firing();
        let fires = |rule: &str, target: &str| {
            firing.iter().any(|one| one.breach.rule == rule && one.key().target.as_str() == target)
        };
        let sentences = || firing.iter().map(|one| one.breach.sentence.clone()).collect::<Vec<_>>();
        assert!(fires("postgres.prepared", "quiet"), "the decoy is there to be taken: {:?}", sentences());
        let line = lookout.line();
        if rules.iter().all(|(rule, target)| fires(rule, target)) {
            let since = *told.get_or_insert_with(Instant::now);
            assert!(!accused(&line).contains(DECOY) && line.contains("BROKEN"), "{line}");
            if since.elapsed() > LOOKED_AT {
                break;
            }
        }
        // Not even while the findings come one by one.
        if let Some((_, cause)) = line.split_once("cause (") {
            assert!(!accused(cause).contains(DECOY), "{line}");
        }
        for link in lookout.world.chain.links() {
            assert!([&link.cause, &link.effect].iter().all(|key| key.target.as_str() != "quiet"), "{link:?}");
        }
        for finding in firing.iter().filter(|one| one.key().target.as_str() != "quiet") {
            let early = (made - finding.since.wall).num_milliseconds();
            assert!(early < 1500, "{} began {early} ms before it was made", finding.breach.sentence);
        }
        assert!(told.is_some() || began.elapsed() < COMES_WITHIN, "{rules:?} of {:?}: {line}", sentences());
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_prepared_transaction_of_another_server_is_never_the_culprit() {
    let test = "an_old_prepared_transaction_of_another_server_is_never_the_culprit";
    // Each from a template of its own: they are two systems.
    let Some(grounds) = Ground::new(test).zip(Ground::new(test)) else { return };
    let (quiet, busy) = (grounds.0.server("quiet", &[]).await, grounds.1.server("busy", &[]).await);
    let broken = Arc::new(AtomicBool::new(false));
    let (url, _answers) = service(Arc::clone(&broken)).await;
    let shop = Connect::Metrics(url::http(&url).expect("a URL"));
    // The table, the database, the role and the application are the same on both: only the server differs.
    for cluster in [&quiet, &busy] {
        cluster.client().await.batch_execute("CREATE TABLE held AS SELECT 1 AS id").await.expect("made");
    }
    let owner = super::super::client(&format!("{}?application_name=shop", quiet.url())).await;
    let decoy = format!("BEGIN; UPDATE held SET id = 2; PREPARE TRANSACTION '{DECOY}'");
    owner.batch_execute(&decoy).await.expect("prepared");
    let targets = vec![("busy", busy.connect()), ("quiet", quiet.connect()), ("shop", shop)];
    let lookout = Lookout::new(targets);
    let mut lookout =
        lookout.from("postgres.blocked", 3.0).from("postgres.prepared", 5.0).from("postgres.long_query", 5.0);
    for _ in 0..30 {
        lookout.poll().await;
        sleep(Duration::from_millis(500)).await;
    }
    let as_shop = format!("{}?application_name=shop", busy.url());
    let (holder, waiter) = (busy.client().await, super::super::client(&as_shop).await);
    let made = Utc::now();
    holder.batch_execute("BEGIN; UPDATE held SET id = 3").await.expect("held");
    let waits = Load::new(async move { drop(waiter.batch_execute("UPDATE held SET id = 4").await) });
    broken.store(true, Ordering::Relaxed);
    looked_at(&mut lookout, &[("postgres.blocked", "busy"), ("metrics.errors", "shop")], made).await;
    let line = lookout.line();
    assert!(line.contains("blocks"), "the lock is why: {line}");
    // All is well again, but for the decoy.
    holder.batch_execute("ROLLBACK").await.expect("let go");
    broken.store(false, Ordering::Relaxed);
    drop(waits);
    let firing = |lookout: &Lookout| {
        let firing = lookout.world.alerts.firing();
        firing.iter().filter(|one| one.key().target.as_str() != "quiet").count()
    };
    for _ in 0..240 {
        lookout.poll().await;
        if firing(&lookout) == 0 {
            break;
        }
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(firing(&lookout), 0, "{}", lookout.line());
    let slow = super::super::client(&as_shop).await;
    let made = Utc::now();
    let _runs = Load::new(async move { drop(slow.batch_execute("SELECT pg_sleep(600), 'slow'").await) });
    broken.store(true, Ordering::Relaxed);
    looked_at(&mut lookout, &[("postgres.long_query", "busy"), ("metrics.errors", "shop")], made).await;
}
