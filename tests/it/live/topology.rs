//! More than one Redis server: a primary that Sentinels name, and a cluster.

use super::queues::reading;
use super::{Watch, server};
use redis::{AsyncCommands, Value, cmd};
use stacktop::config::target::{Connect, RedisConnect};
use stacktop::config::url;
use stacktop::core::action::{Action, Verdict};
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::place::Screen;
use stacktop::core::redis::{
    Change, Family, JobAct, QueueRef, RedisAction, RedisReading, RedisRow, RetryOptions, Sweep,
};
use stacktop::core::row::RowKey;
use stacktop::panels::panel;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A Redis server of one test's own.
pub struct Own {
    child: Child,
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl Own {
    pub async fn start(test: &str, more: &[&str]) -> Option<Self> {
        let program = server(test, "STACKTOP_TEST_REDIS_SERVER")?;
        let folder = tempfile::tempdir().expect("a folder");
        // A cluster's nodes talk on a port ten thousand higher.
        let port = (0..100)
            .map(|_| {
                std::net::TcpListener::bind("127.0.0.1:0")
                    .and_then(|it| it.local_addr())
                    .expect("a port")
                    .port()
            })
            .find(|port| *port < 55_000)
            .expect("a low port");
        let port_text = port.to_string();
        let config = folder.path().join("own.conf");
        std::fs::write(&config, "").expect("a file");
        let mut command = Command::new(program);
        command.arg(&config).args(["--port", &port_text, "--bind", "127.0.0.1"]);
        if !more.contains(&"--sentinel") {
            command.args(["--save", ""]);
        }
        let child = command
            .args(more)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server");
        let own = Self { child, port, _folder: folder };
        for _ in 0..100 {
            if redis::Client::open(own.url()).expect("a URL").get_multiplexed_async_connection().await.is_ok()
            {
                return Some(own);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not answer");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub async fn client(&self) -> redis::aio::MultiplexedConnection {
        super::queues::connected(&self.url()).await
    }

    pub async fn ask(&self, words: &str) -> Value {
        let mut words = words.split(' ');
        let mut ask = cmd(words.next().expect("a word"));
        for word in words {
            ask.arg(word);
        }
        ask.query_async(&mut self.client().await).await.expect("an answer")
    }

    /// Sends its process a signal ("-STOP", "-CONT").
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().expect("kill").success());
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.end();
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    }
}

/// A failed job as BullMQ 5 leaves it behind, on the server and on so many replicas.
async fn failed_job(own: &Own, queue: &QueueRef, id: &str, replicas: u8) {
    let mut client = own.client().await;
    let now = chrono::Utc::now().timestamp_millis();
    let () = client.hset(queue.key("meta"), "version", "bullmq:5.81.3").await.expect("set");
    let () = client.set(queue.key("id"), 1).await.expect("set");
    let fields =
        [("name", "mail"), ("data", "{}"), ("opts", "{}"), ("failedReason", "no"), ("timestamp", "1")];
    let () = client.hset_multiple(queue.key(id), &fields).await.expect("set");
    let () = client.zadd(queue.key("failed"), id, now).await.expect("set");
    // Asked on the connection that wrote: elsewhere it would wait for nothing.
    for _ in 0..100 {
        let copied: Result<u8, _> = cmd("WAIT").arg(replicas).arg(200).query_async(&mut client).await;
        if copied.is_ok_and(|copied| copied >= replicas) {
            return;
        }
    }
    panic!("no replica has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_is_followed_to_the_new_primary() {
    let test = "a_failover_is_followed_to_the_new_primary";
    let Some(mut first) = Own::start(test, &["--repl-diskless-sync-delay", "0"]).await else { return };
    let of = format!("127.0.0.1 {}", first.port);
    let second = Own::start(test, &["--replicaof", &of]).await.expect("it was there before");
    let sentinel = Own::start(test, &["--sentinel"]).await.expect("it was there before");
    sentinel.ask(&format!("SENTINEL MONITOR jobs 127.0.0.1 {} 1", first.port)).await;
    sentinel.ask("SENTINEL SET jobs down-after-milliseconds 1000").await;
    sentinel.ask("SENTINEL SET jobs failover-timeout 3000").await;
    let queue = QueueRef { prefix: "bull".to_owned(), name: "mails".to_owned() };
    for _ in 0..100 {
        if text(&second.ask("INFO replication").await).contains("master_link_status:up") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    failed_job(&first, &queue, "7", 1).await;
    for _ in 0..100 {
        if text(&sentinel.ask("SENTINEL REPLICAS jobs").await).contains(&second.port.to_string()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let sentinels = vec![("127.0.0.1".to_owned(), 9), ("127.0.0.1".to_owned(), sentinel.port)];
    let connect = RedisConnect {
        sentinels,
        queues: vec!["mails".to_owned()],
        ..url::redis("redis://jobs").expect("a URL")
    };
    let mut watch = Watch::new(Connect::Redis(connect.clone()));
    watch.poll().await.expect("the second Sentinel answers");
    assert_eq!(reading(&watch).queues.ready().expect("queues")[0].failed, 1);
    let gate = watch.gate();
    gate.prepare().await;
    first.end();
    // The same source goes on, and the executor that was connected to the old primary acts on the new one.
    let mut back = false;
    for _ in 0..150 {
        back = watch.poll().await.is_ok() && reading(&watch).server.role == "master";
        if back {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(back, "it did not find the new primary");
    let act = RedisAction::Jobs {
        queue: queue.clone(),
        ids: vec!["7".to_owned()],
        act: JobAct::Retry(RetryOptions::default()),
    };
    let (id, target) = (gate.next_id(), watch.target.id.clone());
    let confirmed =
        stacktop::core::action::Confirmed::by_a_person(Action::Redis { target: target.clone(), act });
    let permit = stacktop::core::arming::Permit { target, until: None };
    let outcome = gate.perform(&id, &confirmed, &permit).await.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    let waiting: u64 = second.client().await.llen(queue.key("wait")).await.expect("a length");
    assert_eq!(waiting, 1);
    // A name that no Sentinel knows.
    let wrong = RedisConnect { host: "nobody".to_owned(), ..connect };
    let error = Watch::new(Connect::Redis(wrong)).poll().await.expect_err("nobody");
    assert!(error.message.contains("knows no primary called nobody"), "{error:?}");
}

/// Three primaries that share all slots.
pub async fn cluster(test: &str, whole_or_nothing: bool) -> Option<Vec<Own>> {
    let mut nodes = Vec::new();
    let whole = if whole_or_nothing { "yes" } else { "no" };
    let options = [
        "--cluster-enabled",
        "yes",
        "--cluster-node-timeout",
        "2000",
        "--cluster-require-full-coverage",
        whole,
    ];
    for _ in 0..3 {
        nodes.push(Own::start(test, &options).await?);
    }
    for (node, range) in nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
        node.ask(&format!("CLUSTER ADDSLOTSRANGE {range}")).await;
    }
    for (index, node) in nodes.iter().enumerate().skip(1) {
        node.ask(&format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1)).await;
        nodes[0].ask(&format!("CLUSTER MEET 127.0.0.1 {}", node.port)).await;
    }
    for _ in 0..200 {
        let mut whole = true;
        for node in &nodes {
            let info = text(&node.ask("CLUSTER INFO").await);
            whole &= info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3");
        }
        if whole {
            return Some(nodes);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the cluster did not come up");
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_of_a_cluster_are_read_and_changed_where_they_are() {
    let test = "queues_of_a_cluster_are_read_and_changed_where_they_are";
    let Some(nodes) = cluster(test, true).await else { return };
    let Some(script) = server(test, "STACKTOP_TEST_QUEUE_JS") else { return };
    let node = |generation: &str, verb: &str, queue: &str, argument: &str| {
        let output = Command::new("node")
            .args([&script, generation, &nodes[0].port.to_string(), verb, queue, argument])
            .env("STACKTOP_CLUSTER", "yes")
            .output()
            .expect("node");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().lines().last().unwrap_or_default().to_owned()
    };
    // Real jobs under a tagged prefix, and queues of which each lives in another slot.
    let failed = node("bullmq5", "fail", "mails", "3");
    let others: Vec<QueueRef> = ["{a}", "{b}", "{c}", "{d}", "{e}"]
        .map(|name| QueueRef { prefix: "bull".to_owned(), name: name.to_owned() })
        .to_vec();
    for (queue, slot_owner) in others.iter().zip([2, 0, 1, 2, 0]) {
        // CLUSTER KEYSLOT of the tags: 15495, 3300, 7365, 11298, 15363 …: whoever has it, MOVED says so.
        let mut done = false;
        for at in [slot_owner, 0, 1, 2] {
            let own = &nodes[at];
            let mut client = own.client().await;
            let set: Result<(), _> = client.set(queue.key("id"), 1).await;
            if set.is_ok() {
                failed_job(own, queue, "7", 0).await;
                done = true;
                break;
            }
        }
        assert!(done, "no node has {queue}");
    }
    let connect = RedisConnect {
        prefixes: vec!["{bull}".to_owned(), "bull".to_owned()],
        ..url::redis(&nodes[1].url()).expect("a URL")
    };
    let mut watch = Watch::new(Connect::Redis(connect));
    for _ in 0..20 {
        watch.poll().await.expect("a poll");
    }
    let seen = reading(&watch);
    let cluster = seen.cluster.as_ref().expect("a cluster");
    assert!(cluster.ok && cluster.slots_ok == 16_384 && cluster.primaries.len() == 3, "{cluster:?}");
    let queues = seen.queues.ready().expect("queues");
    assert_eq!(queues.len(), 6, "{:?}", queues.iter().map(|queue| &queue.queue).collect::<Vec<_>>());
    assert_eq!(queues.iter().map(|queue| queue.failed).sum::<u64>(), 3 + 5);
    let mails = queues.iter().find(|queue| queue.queue.name == "mails").expect("the real one");
    assert_eq!(mails.evidence.family, Family::BullMq(5));
    let shown = format!("{:?}", panel(Screen::Queues).content(watch.context(), &[]));
    assert!(shown.contains("16384 of 16384 slots served"), "{shown}");
    // What a real worker gets is what was retried where it lives.
    let queue = mails.queue.clone();
    let target = watch.target.id.clone();
    let ids: Vec<String> = failed.split(' ').map(str::to_owned).collect();
    let retry = RedisAction::Jobs {
        queue: queue.clone(),
        ids: ids[..2].to_vec(),
        act: JobAct::Retry(RetryOptions::default()),
    };
    let outcome = watch.act(Action::Redis { target: target.clone(), act: retry }).await.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    let rest = RedisAction::Change { queue, change: Change::Sweep(Sweep::Retry) };
    let outcome = watch.act(Action::Redis { target: target.clone(), act: rest }).await.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    assert!(node("bullmq5", "counts", "mails", "").contains("\"waiting\":3"));
    for queue in &others {
        let act = RedisAction::Jobs {
            queue: queue.clone(),
            ids: vec!["7".to_owned()],
            act: JobAct::Retry(RetryOptions::default()),
        };
        let outcome = watch.act(Action::Redis { target: target.clone(), act }).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{queue}: {outcome:?}");
    }
    every_primary_has_its_page(&nodes, &mut watch).await;
    a_moved_slot_is_followed(&nodes, &mut watch, &others[0]).await;
}

async fn every_primary_has_its_page(nodes: &[Own], watch: &mut Watch) {
    let overview = format!("{:?}", panel(Screen::Queues).content(watch.context(), &[]));
    for own in nodes {
        let address = format!("127.0.0.1:{}", own.port);
        let path = [RowKey::Redis(TargetId::new("it"), RedisRow::Server(address.clone()))];
        let focus: Vec<Focus> =
            panel(Screen::Queues).focus(watch.context(), &path).into_iter().map(|(_, focus)| focus).collect();
        watch.poll_with(&focus).await.expect("a poll");
        let detail = reading(watch).detail.as_ref().expect("its details");
        assert_eq!(detail.info["tcp_port"], own.port.to_string());
        let page = format!("{:?}", panel(Screen::Queues).content(watch.context(), &path));
        assert!(overview.contains(&address) && page.contains("noeviction"), "{page}");
    }
}

/// A slot goes to another node: one question may fail, none is answered wrongly, and then it is known.
async fn a_moved_slot_is_followed(nodes: &[Own], watch: &mut Watch, queue: &QueueRef) {
    let slot = match nodes[0].ask(&format!("CLUSTER KEYSLOT {}", queue.key("wait"))).await {
        Value::Int(slot) => slot,
        other => panic!("{other:?}"),
    };
    let mut names = Vec::new();
    for node in nodes {
        names.push(text(&node.ask("CLUSTER MYID").await));
    }
    let mut owner = None;
    for (index, node) in nodes.iter().enumerate() {
        let here: Result<Option<String>, _> = node.client().await.get(queue.key("id")).await;
        if here.is_ok() {
            owner = Some(index);
        }
    }
    let from = owner.expect("an owner");
    let to = (from + 1) % 3;
    nodes[to].ask(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", names[from])).await;
    nodes[from].ask(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", names[to])).await;
    let keys: Vec<String> = cmd("CLUSTER")
        .arg("GETKEYSINSLOT")
        .arg(slot)
        .arg(100)
        .query_async(&mut nodes[from].client().await)
        .await
        .expect("keys");
    let keys = keys.join(" ");
    nodes[from].ask(&format!("MIGRATE 127.0.0.1 {} {} 0 5000 KEYS {keys}", nodes[to].port, "")).await;
    for node in [&nodes[to], &nodes[from]] {
        node.ask(&format!("CLUSTER SETSLOT {slot} NODE {}", names[to])).await;
    }
    let mut followed = false;
    for _ in 0..20 {
        if watch.poll().await.is_ok() {
            let queues = reading(watch).queues.ready().expect("queues");
            let found = queues.iter().find(|found| found.queue == *queue).expect("never forgotten");
            assert_eq!(found.waiting, 1, "a moved queue is not an empty one");
            followed = true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(followed, "it did not find the slot again");
}

/// A queue with a failed job on each node, in the order of the nodes.
async fn one_each(nodes: &[Own]) -> Vec<QueueRef> {
    let mut queues = Vec::new();
    for own in nodes {
        let mut client = own.client().await;
        for name in 0..100 {
            let queue = QueueRef { prefix: "bull".to_owned(), name: format!("{{q{name}}}") };
            let set: Result<(), _> = client.set(queue.key("id"), 1).await;
            if set.is_ok() && !queues.contains(&queue) {
                failed_job(own, &queue, "7", 0).await;
                queues.push(queue);
                break;
            }
        }
    }
    assert_eq!(queues.len(), nodes.len());
    queues
}

/// Polls as the engine does: what takes too long is given up.
async fn polled(watch: &mut Watch) -> bool {
    matches!(tokio::time::timeout(Duration::from_secs(3), watch.poll()).await, Ok(Ok(())))
}

async fn until(watch: &mut Watch, what: &str, done: impl Fn(&RedisReading) -> bool) {
    for _ in 0..100 {
        if polled(watch).await && done(reading(watch)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{what} did not come: {:?}", reading(watch).cluster);
}

fn seen(reading: &RedisReading) -> Vec<&QueueRef> {
    reading.queues.ready().map(|all| all.iter().map(|queue| &queue.queue).collect()).unwrap_or_default()
}

fn findings(watch: &Watch) -> Vec<String> {
    let now = watch.context().now;
    watch.world.alerts.firing().iter().map(|finding| finding.sentence(now)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_without_one_of_its_primaries_is_still_seen_and_changed() {
    let test = "a_cluster_without_one_of_its_primaries_is_still_seen_and_changed";
    let Some(nodes) = cluster(test, false).await else { return };
    let queues = one_each(&nodes).await;
    // The node of the configuration is the one that goes.
    let mut watch = Watch::new(Connect::Redis(url::redis(&nodes[0].url()).expect("a URL")));
    until(&mut watch, "three queues", |reading| seen(reading).len() == 3).await;
    let executor = watch.gate();
    executor.prepare().await;
    let stop = |signal: &str| {
        let done = Command::new("kill").args([signal, &nodes[0].child.id().to_string()]).status();
        assert!(done.expect("kill").success());
    };
    stop("-STOP");
    until(&mut watch, "the others", |reading| {
        reading.cluster.as_ref().is_some_and(|cluster| cluster.missing.len() == 1 && cluster.hidden == 1)
            && seen(reading).len() == 2
            && !seen(reading).contains(&&queues[0])
    })
    .await;
    let found = findings(&watch);
    let port = nodes[0].port.to_string();
    assert!(
        found.iter().any(|line| line.contains(&format!("cluster without 127.0.0.1:{port}"))
            && line.contains("1 queue on it not read")),
        "{found:?}"
    );
    // Its page says so, and shows no other server under its name.
    let path = [RowKey::Redis(TargetId::new("it"), RedisRow::Server(format!("127.0.0.1:{port}")))];
    let focus: Vec<Focus> =
        panel(Screen::Queues).focus(watch.context(), &path).into_iter().map(|(_, focus)| focus).collect();
    watch.poll_with(&focus).await.expect("a poll");
    let page = format!("{:?}", panel(Screen::Queues).content(watch.context(), &path));
    assert!(reading(&watch).detail.is_none() && page.contains("it is not there"), "{page}");
    let target = watch.target.id.clone();
    let retry = |queue: &QueueRef| Action::Redis {
        target: target.clone(),
        act: RedisAction::Jobs {
            queue: queue.clone(),
            ids: vec!["7".to_owned()],
            act: JobAct::Retry(RetryOptions::default()),
        },
    };
    let permit = stacktop::core::arming::Permit { target: target.clone(), until: None };
    let there = stacktop::core::action::Confirmed::by_a_person(retry(&queues[1]));
    let outcome = executor.perform(&executor.next_id(), &there, &permit).await.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    let gone = stacktop::core::action::Confirmed::by_a_person(retry(&queues[0]));
    let error = executor.perform(&executor.next_id(), &gone, &permit).await.expect_err("it is not there");
    assert!(error.to_string().contains("not done"), "{error:?}");
    stop("-CONT");
    until(&mut watch, "all of it", |reading| {
        seen(reading).len() == 3 && reading.cluster.as_ref().is_some_and(|cluster| cluster.missing.is_empty())
    })
    .await;
    watch.poll().await.expect("a poll");
    assert!(findings(&watch).iter().all(|line| !line.contains("cluster without")), "{:?}", findings(&watch));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_down_says_so() {
    let test = "a_cluster_that_is_down_says_so";
    let Some(mut nodes) = cluster(test, true).await else { return };
    one_each(&nodes).await;
    let port = nodes[1].port;
    let mut watch = Watch::new(Connect::Redis(url::redis(&nodes[1].url()).expect("a URL")));
    until(&mut watch, "three queues", |reading| seen(reading).len() == 3).await;
    nodes.swap(0, 1);
    nodes[0].end();
    until(&mut watch, "the end of it", |reading| {
        reading.queues.gap().is_some_and(|gap| gap.note.contains("the cluster is down"))
            && reading.cluster.as_ref().is_some_and(|cluster| !cluster.ok && cluster.missing.len() == 1)
    })
    .await;
    let found = findings(&watch);
    assert!(
        found.iter().any(|line| line.contains(&format!("cluster without 127.0.0.1:{port}"))
            && line.contains("slots served")),
        "{found:?}"
    );
    // What is advised says the same.
    let firing = watch.world.alerts.firing();
    let step =
        firing.iter().find(|one| one.breach.rule == "redis.cluster").expect("it fires").breach.step.words();
    let other = nodes[2].port;
    let redis_cli = Command::new("sh").args(["-c", &format!("{step} 127.0.0.1:{other} 2>&1")]).output();
    let said = String::from_utf8_lossy(&redis_cli.expect("redis-cli").stdout).into_owned();
    assert!(
        step == "redis-cli --cluster check" && said.contains("[ERR] Not all 16384 slots are covered"),
        "{said}"
    );
}

/// Who may not ask a cluster for its state does not know that it is well, and is told so until it may.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_whose_state_may_not_be_asked_is_not_well() {
    let test = "a_cluster_whose_state_may_not_be_asked_is_not_well";
    let Some(nodes) = cluster(test, true).await else { return };
    one_each(&nodes).await;
    let rights = "reset on >secret ~* &* +@all -cluster|info";
    for node in &nodes {
        node.ask(&format!("ACL SETUSER watch {rights}")).await;
    }
    let url = nodes[0].url().replace("redis://", "redis://watch:secret@");
    let mut watch = Watch::new(Connect::Redis(url::redis(&url).expect("a URL")));
    until(&mut watch, "three queues", |reading| seen(reading).len() == 3).await;
    let untold = |reading: &RedisReading| reading.cluster.as_ref().expect("a cluster").untold.clone();
    let gap = untold(reading(&watch)).expect("it is told");
    assert!(gap.note.contains("needs +cluster|info"), "{gap:?}");
    let found = findings(&watch);
    assert!(found.iter().any(|line| line.contains("nobody watches slots that nobody serves")), "{found:?}");
    assert!(!watch.verdict().starts_with("OK"), "{}", watch.verdict());
    for node in &nodes {
        node.ask("ACL SETUSER watch +cluster|info").await;
    }
    until(&mut watch, "its state", |reading| {
        untold(reading).is_none() && reading.cluster.as_ref().is_some_and(|all| all.slots_ok == 16_384)
    })
    .await;
}
