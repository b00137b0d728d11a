//! Conditions of job queues, with real producers and workers.

use super::redis::{on, start};
use super::{Condition, Lies, Load, Lookout, hold};
use crate::live::server;
use crate::live::topology::Own;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::sleep;

/// All of them.
pub fn all(test: &str) -> Vec<(&'static str, Condition)> {
    let Some(script) = server(test, "STACKTOP_TEST_QUEUE_JS") else { return Vec::new() };
    let node = Node(Box::leak(script.into_boxed_str()));
    vec![
        ("failing", Box::pin(failing(node))),
        ("failing_seldom", Box::pin(failing_seldom(node))),
        ("paused", Box::pin(paused(node))),
        ("workers_gone", Box::pin(workers_gone(node))),
        ("deploy", Box::pin(deploy(node))),
        ("heal", Box::pin(heal(node))),
    ]
}

/// Where the libraries lie.
#[derive(Clone, Copy)]
struct Node(&'static str);

impl Node {
    /// A program of a few lines, beside the libraries. `queue` is a producer, `worker` makes a worker of what it is to do.
    fn run(self, own: &Own, program: &str) -> Running {
        let text = format!(
            "const {{ Queue, Worker }} = require('bullmq5'); const connection = {{ host: '127.0.0.1', port: {} }};\n\
             const queue = new Queue('mails', {{ connection }}); const sleep = (ms) => new Promise((r) => setTimeout(r, ms));\n\
             const worker = (work) => new Worker('mails', work, {{ connection }});\n\
             const once = {{ removeOnComplete: true, removeOnFail: true }};\n\
             (async () => {{ {program} }})();",
            own.port
        );
        let folder = Path::new(self.0).parent().expect("a folder");
        let mut command = Command::new("node");
        command.arg("-e").arg(text).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null());
        Running(command.spawn().expect("node"))
    }
}

/// A process that is killed when it is let go.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const ADDS: &str = "for (;;) { await queue.add('mail', {}, once); await sleep(500); }";
const WORKS: &str = "worker(async () => sleep(50));";
const THROWS: &str = "worker(async () => { throw new Error('the provider said no'); });";

async fn calm() -> (Own, Lookout) {
    let own = start(&[]).await;
    let mut lookout = on(&own);
    lookout.settles().await;
    (own, lookout)
}

/// Every job fails, and none is kept.
async fn failing(node: Node) -> Lies {
    let (own, mut lookout) = calm().await;
    let _running = [node.run(&own, THROWS), node.run(&own, ADDS)];
    lookout.lasts("failing", &["queue.failing"], &["BROKEN"]).await
}

/// The same in a quiet queue: three at the beginning, then one each twenty seconds.
async fn failing_seldom(node: Node) -> Lies {
    let (own, mut lookout) = calm().await;
    let adds =
        "for (let n = 0; ; n += 1) { await queue.add('mail', {}, once); if (n > 2) await sleep(20000); }";
    let _running = [node.run(&own, THROWS), node.run(&own, adds)];
    lookout.lasts("failing_seldom", &["queue.failing"], &["BROKEN"]).await
}

/// Somebody paused it. That is a note: it was meant.
async fn paused(node: Node) -> Lies {
    let (own, mut lookout) = calm().await;
    let pauses = format!("await queue.pause(); {ADDS}");
    let _running = [node.run(&own, WORKS), node.run(&own, &pauses)];
    lookout.lasts("paused", &["queue.paused"], &["OK"]).await
}

/// Jobs of a queue that is new, and whose only worker is gone before it was seen.
async fn workers_gone(node: Node) -> Lies {
    let (own, mut lookout) = calm().await;
    let worker = node.run(&own, WORKS);
    let _adds = node.run(&own, ADDS);
    lookout.settles().await;
    drop(worker);
    lookout.lasts("workers_gone", &["queue.no_worker"], &["DEGRADED", "BROKEN"]).await
}

/// Every worker is replaced, one after the other, and then all of them at once; jobs go on coming.
async fn deploy(node: Node) -> Lies {
    let (own, mut lookout) = calm().await;
    let mut workers = vec![node.run(&own, WORKS), node.run(&own, WORKS)];
    sleep(Duration::from_secs(5)).await;
    let _adds = node.run(&own, ADDS);
    lookout.settles().await;
    let _load = Load::new(async move {
        for _ in 0..2 {
            sleep(hold() / 6).await;
            workers.push(node.run(&own, WORKS));
            sleep(hold() / 12).await;
            drop(workers.remove(0));
        }
        workers.clear();
        sleep(Duration::from_secs(1)).await;
        workers.push(node.run(&own, WORKS));
        std::future::pending::<()>().await;
    });
    lookout.stays_ok("deploy", false).await
}

/// Each job fails once or twice, is tried again and comes to a good end.
async fn heal(node: Node) -> Lies {
    let (own, mut lookout) = calm().await;
    let works = "worker(async (job) => { if (job.attemptsMade < 2) throw new Error('try again'); });";
    let _worker = node.run(&own, works);
    sleep(Duration::from_secs(3)).await;
    let adds = "const again = { ...once, attempts: 3, backoff: { type: 'fixed', delay: 1000 } };\n\
                for (;;) { for (let n = 0; n < 30; n += 1) await queue.add('mail', {}, again); await sleep(15000); }";
    let _adds = node.run(&own, adds);
    lookout.stays_ok("heal", false).await
}
