//! Two faults that have nothing to do with each other on two servers, an old harmless thing beside them, and a file that is written once.

use super::cluster::Ground;
use super::redis::start;
use super::{Condition, Lies, Load, Lookout, Sample, hold};
use ::redis::cmd;
use chrono::Utc;
use stacktop::config::target::Connect;
use stacktop::config::url;
use std::fmt::Write;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// Both of them.
pub fn all(test: &str) -> Vec<(&'static str, Condition)> {
    let Some(ground) = Ground::new(test) else { return Vec::new() };
    vec![("apart", Box::pin(apart(ground))), ("file", Box::pin(file()))]
}

const DECOY: &str = "old_and_harmless";

/// A session holds up others on one server; later another server is full. An older prepared transaction blocks nobody.
async fn apart(ground: Ground) -> Lies {
    let own = start(&[]).await;
    let cluster = ground.server("apart", &[]).await;
    let redis = Connect::Redis(url::redis(&own.url()).expect("a URL"));
    let lookout = Lookout::new(vec![("pg", cluster.connect()), ("redis", redis)]);
    let mut lookout = lookout.from("postgres.blocked", 3.0).from("postgres.prepared", 3.0);
    let admin = cluster.client().await;
    admin.batch_execute("CREATE TABLE harmless (id int); CREATE TABLE held (id int)").await.expect("made");
    let decoy = format!("BEGIN; INSERT INTO harmless VALUES (1); PREPARE TRANSACTION '{DECOY}'");
    for sql in ["INSERT INTO held VALUES (1)", &decoy] {
        admin.batch_execute(sql).await.expect("prepared");
    }
    sleep(Duration::from_secs(10)).await;
    let first = Utc::now();
    let (holder, waiter) = (cluster.client().await, cluster.client().await);
    holder.batch_execute("BEGIN; UPDATE held SET id = 2").await.expect("held");
    let _load = Load::new(async move { drop(waiter.batch_execute("UPDATE held SET id = 3").await) });
    sleep(Duration::from_secs(15)).await;
    let second = Utc::now();
    let full = ["SET", "maxmemory", "1kb"];
    let () = cmd("CONFIG").arg(&full[..]).query_async(&mut own.client().await).await.expect("set");
    let rules = ["postgres.blocked", "redis.memory"];
    let mut lies = lookout.lasts("apart", &rules, &["BROKEN"]).await;
    for (rule, made) in rules.into_iter().zip([first, second]) {
        let since = lookout.since(rule).expect("it lasts");
        let early = (made - since).num_milliseconds();
        if early > 1000 {
            let why = "it borrows a beginning";
            lies.samples.push((why, lookout.sample(Instant::now(), &[rule])));
        }
    }
    let firing = lookout.world.alerts.firing();
    let roots = firing.iter().filter(|finding| lookout.world.chain.root(&finding.key()).is_none()).count();
    let line = lookout.line();
    let told = line.split(['·', ';']).next().unwrap_or_default().to_owned();
    if roots != 3 || line.contains("cause (") || told.contains(DECOY) {
        let sample = Sample { at: Duration::ZERO, line, since: Vec::new() };
        lies.samples.push(("something is the cause of something else", sample));
    }
    lies
}

/// A file system of 100 GB that is half full, and gets a file of 10 GB while it is looked at; as a node exporter tells of it.
async fn file() -> Lies {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/metrics", listener.local_addr().expect("an address"));
    let (began, lasts) = (Instant::now(), hold());
    let _load = Load::new(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // For a third it is as it was, then the file is written, then it rests.
            let part = began.elapsed().as_secs_f64() / lasts.as_secs_f64() * 3.0;
            let used = 55e9 + 10e9 * (part - 1.0).clamp(0.0, 1.0);
            let mut body = String::new();
            for (name, value) in [("size", 100e9), ("avail", 100e9 - used), ("free", 100e9 - used)] {
                let labels = "device=\"/dev/vdb\",fstype=\"ext4\",mountpoint=\"/data\"";
                let _ = writeln!(body, "node_filesystem_{name}_bytes{{{labels}}} {value}");
            }
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked).await;
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    let mut lookout = Lookout::new(vec![("disk", Connect::Metrics(url::http(&url).expect("a URL")))]);
    lookout.settles().await;
    lookout.stays_ok("file", false).await
}
