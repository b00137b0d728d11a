//! A statement of a real server that takes longer than it did, and a service whose requests are as long as that statement takes.

use super::cluster::Ground;
use super::{Load, Lookout};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::chain::Tie;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// Upper bounds of the service's histogram, in milliseconds.
const BOUNDS: [u64; 4] = [25, 50, 200, 1000];

/// How many requests took at most so long.
#[derive(Default)]
struct Requests([AtomicU64; 4]);

impl Requests {
    fn took(&self, millis: u64) {
        for (_, count) in BOUNDS.iter().zip(&self.0).filter(|(bound, _)| millis <= **bound) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn exposition(&self) -> String {
        let name = "http_request_duration_seconds";
        let mut text = format!("# TYPE {name} histogram\n");
        for (bound, count) in BOUNDS.iter().zip(&self.0) {
            let (bound, count) = (*bound as f64 / 1000.0, count.load(Ordering::Relaxed));
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {count}");
        }
        let all = self.0[3].load(Ordering::Relaxed);
        let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {all}\n{name}_count {all}\n{name}_sum 1");
        text
    }
}

/// Answers whoever asks with what was counted; its URL.
async fn endpoint(requests: Arc<Requests>) -> (String, Load) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/metrics", listener.local_addr().expect("an address"));
    let answers = Load::new(async move {
        while let Ok((mut wire, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let _ = wire.read(&mut asked).await;
            let body = requests.exposition();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
            let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            let _ = wire.write_all(answer.as_bytes()).await;
        }
    });
    (url, answers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_got_slower_is_why_requests_take_longer() {
    let test = "a_statement_that_got_slower_is_why_requests_take_longer";
    let Some(ground) = Ground::new(test) else { return };
    let cluster = ground.server("slower", &["shared_preload_libraries=pg_stat_statements"]).await;
    let admin = cluster.client().await;
    admin.batch_execute("CREATE EXTENSION pg_stat_statements").await.expect("the extension");
    let requests = Arc::new(Requests::default());
    let (url, _answers) = endpoint(Arc::clone(&requests)).await;
    let shop = Connect::Metrics(url::http(&url).expect("a URL"));
    let targets = vec![("db", cluster.connect()), ("shop", shop)];
    let mut lookout = Lookout::new(targets).from("metrics.latency_p95", 0.1);
    let slow = Arc::new(AtomicBool::new(false));
    let client = super::super::client(&format!("{}?application_name=shop", cluster.url())).await;
    let _load = Load::new({
        let (slow, requests) = (Arc::clone(&slow), Arc::clone(&requests));
        async move {
            loop {
                let seconds = if slow.load(Ordering::Relaxed) { 0.15 } else { 0.01 };
                let began = Instant::now();
                let _ = client.simple_query(&format!("SELECT pg_sleep({seconds})")).await;
                requests.took(began.elapsed().as_millis() as u64);
            }
        }
    });
    let step = Duration::from_secs(10);
    for _ in 0..60 {
        sleep(Duration::from_millis(150)).await;
        lookout.poll_after(step).await;
    }
    let told = |lookout: &Lookout| {
        let firing = lookout.world.alerts.firing();
        firing.iter().map(|one| one.breach.sentence.clone()).collect::<Vec<_>>()
    };
    let (cause, effect) = (("postgres.statement_slower", "db"), ("metrics.latency_p95", "shop"));
    assert!(lookout.tie(cause, effect).is_none(), "{:?}", told(&lookout));
    slow.store(true, Ordering::Relaxed);
    let mut tie = None;
    for _ in 0..60 {
        sleep(Duration::from_millis(300)).await;
        lookout.poll_after(step).await;
        tie = lookout.tie(cause, effect);
        if tie.is_some() {
            break;
        }
    }
    assert_eq!(tie, Some(Tie::Likely), "{:?}", told(&lookout));
}
