//! Redis, and real Bull and BullMQ producers and workers of every generation.

use super::{Watch, server};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use stacktop::config::target::{Connect, RedisConnect};
use stacktop::config::url;
use stacktop::core::action::{Action, Outcome, Verdict};
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::place::Screen;
use stacktop::core::redis::{
    Family, JobAct, QueueReading, QueueRef, RedisAction, RedisReading, RetryOptions,
};
use stacktop::core::report::PollErrorKind;
use stacktop::core::row::RowKey;
use stacktop::core::world::SystemState;
use stacktop::panels::panel;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The library as `queue.js` knows it, and what stacktop must take it for.
pub const GENERATIONS: [(&str, Family); 6] = [
    ("bull4", Family::Bull),
    ("bullmq3", Family::BullMq(3)),
    ("bullmq4", Family::BullMq(4)),
    ("bullmq50", Family::BullMq(5)),
    ("bullmq5", Family::BullMq(5)),
    ("bullmq6", Family::BullMq(6)),
];

pub struct Lab {
    script: String,
    pub url: String,
    pub port: String,
    /// What the libraries are told besides.
    told: &'static [(&'static str, &'static str)],
}

impl Lab {
    pub fn open(test: &str) -> Option<Self> {
        let url = server(test, "STACKTOP_TEST_REDIS_URL")?;
        let script = server(test, "STACKTOP_TEST_QUEUE_JS")?;
        let port = url.rsplit_once(':').expect("a port").1.to_owned();
        Some(Self { script, url, port, told: &[] })
    }

    /// The same libraries at another server on this machine.
    pub fn at(&self, port: u16) -> Self {
        let (script, url) = (self.script.clone(), format!("redis://127.0.0.1:{port}"));
        Self { script, url, port: port.to_string(), told: &[] }
    }

    /// The same at a cluster of which one node has this port, with the usual prefix: each queue has a slot of its own.
    pub fn at_cluster(&self, port: u16) -> Self {
        Self { told: &[("STACKTOP_CLUSTER", "yes"), ("STACKTOP_PREFIX", "bull")], ..self.at(port) }
    }

    /// The same with workers that look again by themselves only after ten seconds, the longest that each library allows.
    pub fn patient(self) -> Self {
        Self { told: &[("WAITS", "10")], ..self }
    }

    /// Where the script lies that drives the libraries.
    pub fn script(&self) -> &str {
        &self.script
    }

    /// Runs one verb to its end and gives the last line that it printed.
    pub fn run(&self, generation: &str, verb: &str, queue: &str, argument: &str) -> String {
        self.run_with(generation, verb, queue, argument, &[])
    }

    /// The same with variables of the environment.
    pub fn run_with(
        &self,
        generation: &str,
        verb: &str,
        queue: &str,
        argument: &str,
        more: &[(&str, &str)],
    ) -> String {
        let output = Command::new("node")
            .args([&self.script, generation, &self.port, verb, queue, argument])
            .envs(self.told.iter().copied())
            .envs(more.iter().copied())
            .output()
            .expect("node");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().lines().last().unwrap_or_default().to_owned()
    }

    /// Runs JavaScript to its end beside the libraries, with `library` (this generation), `connection` and `queueName`, and gives what it
    /// returns, as text.
    pub fn script_of(&self, generation: &str, queue: &str, body: &str) -> String {
        let modules = std::path::Path::new(&self.script).with_file_name("node_modules");
        let text = format!(
            "const library = require('{generation}'), queueName = '{queue}';\n\
             const connection = {{ host: '127.0.0.1', port: {}, maxRetriesPerRequest: null }};\n\
             (async () => {{ {body} }})().then((end) => {{ console.log(end); process.exit(0); }}, \
             (error) => {{ console.error(error); process.exit(1); }});",
            self.port
        );
        let output =
            Command::new("node").args(["-e", &text]).env("NODE_PATH", modules).output().expect("node");
        assert!(output.status.success(), "{generation}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().lines().last().unwrap_or_default().to_owned()
    }

    pub fn failed(&self, generation: &str, queue: &str, count: usize) -> Vec<String> {
        let ids = self.run(generation, "fail", queue, &count.to_string());
        ids.split(' ').map(str::to_owned).collect()
    }

    pub fn worker(&self, generation: &str, queue: &str) -> Worker {
        let child = Command::new("node")
            .args([&self.script, generation, &self.port, "work", queue])
            .envs(self.told.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node");
        Worker::of(child)
    }

    /// A worker that fails every job of which the order is at least `bad`.
    pub fn broken_worker(&self, generation: &str, queue: &str, bad: usize) -> Worker {
        let child = Command::new("node")
            .args([&self.script, generation, &self.port, "work", queue, &bad.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("node");
        Worker::of(child)
    }

    /// A worker that needs so many milliseconds for a job.
    pub fn slow_worker(&self, generation: &str, queue: &str, takes: u64) -> Worker {
        let child = Command::new("node")
            .args([&self.script, generation, &self.port, "work", queue])
            .env("TAKES", takes.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node");
        Worker::of(child)
    }

    /// A watch on this one queue.
    pub fn watch(&self, queue: &str) -> Watch {
        let connect =
            RedisConnect { queues: vec![queue.to_owned()], ..url::redis(&self.url).expect("a URL") };
        Watch::new(Connect::Redis(connect))
    }

    pub async fn client(&self) -> MultiplexedConnection {
        connected(&self.url).await
    }
}

/// A connection that gives a busy machine time.
pub async fn connected(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("a URL");
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(30)));
    client.get_multiplexed_async_connection_with_config(&config).await.expect("connected")
}

/// A running worker; what it printed comes line by line.
pub struct Worker {
    child: Child,
    lines: std::sync::mpsc::Receiver<(Instant, String)>,
    /// Lines that came before it said that it is ready.
    early: std::cell::RefCell<Vec<(Instant, String)>>,
}

impl Worker {
    fn of(mut child: Child) -> Self {
        use std::io::BufRead;
        let out = std::io::BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            out.lines().map_while(Result::ok).for_each(|line| {
                let _ = sender.send((Instant::now(), line));
            });
        });
        let mut early = Vec::new();
        loop {
            let line = lines.recv_timeout(Duration::from_secs(20)).expect("the worker gets ready");
            if line.1 == "ready" {
                return Self { child, lines, early: early.into() };
            }
            early.push(line);
        }
    }

    pub fn line(&self, seconds: u64) -> Option<(Instant, String)> {
        let mut early = self.early.borrow_mut();
        if !early.is_empty() {
            return Some(early.remove(0));
        }
        self.lines.recv_timeout(Duration::from_secs(seconds)).ok()
    }

    /// The ids of the next `count` completed jobs; each must have come with its name and its data.
    pub fn done(&self, count: usize) -> Vec<String> {
        self.done_at(count).into_iter().map(|(_, id)| id).collect()
    }

    /// The same, with when each was done.
    fn done_at(&self, count: usize) -> Vec<(Instant, String)> {
        (0..count)
            .map(|n| {
                let (at, line) =
                    self.line(15).unwrap_or_else(|| panic!("job {n} of {count} was not picked up"));
                assert!(line.contains(" mail {\"order\":"), "a phantom job: {line}");
                (at, line.split(' ').nth(1).expect("an id").to_owned())
            })
            .collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A name that no earlier run on the same server, and nobody else in this one, has used.
pub fn unique(name: &str) -> String {
    static TAKEN: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = TAKEN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("{name}-{}-{number}", std::process::id())
}

pub fn named(name: &str) -> QueueRef {
    QueueRef { prefix: "bull".into(), name: name.into() }
}

pub fn reading(watch: &Watch) -> &RedisReading {
    match &watch.world.targets()[0].system {
        SystemState::Redis(state) => state.reading().expect("a reading"),
        other => panic!("{other:?}"),
    }
}

pub fn queue(watch: &Watch) -> &QueueReading {
    reading(watch).queues.ready().expect("queues").first().expect("the queue")
}

async fn retry(watch: &Watch, queue: &str, ids: &[String]) -> Outcome {
    let act = RedisAction::Jobs {
        queue: named(queue),
        ids: ids.to_vec(),
        act: JobAct::Retry(RetryOptions::default()),
    };
    watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome")
}

pub fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_of_each_generation_is_picked_up_by_its_worker() {
    let test = "a_failed_job_of_each_generation_is_picked_up_by_its_worker";
    let Some(lab) = Lab::open(test) else { return };
    for (generation, family) in GENERATIONS {
        let name = unique(&format!("retry-{generation}"));
        let ids = lab.failed(generation, &name, 4);
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        assert_eq!(queue(&watch).failed, 4, "{generation}");
        let found = queue(&watch).evidence.family;
        // Before 3.16 (and in 5.0) no version is stored, and without a worker the keys do not tell more than the library.
        assert!(found == family || found == Family::BullMqUnknown, "{generation} was taken for {found}");
        // Nobody works: the job waits for its worker.
        let outcome = retry(&watch, &name, &ids[..1]).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.done(1), ids[..1], "{generation}");
        // An idle worker is woken.
        let began = Instant::now();
        assert_eq!(retry(&watch, &name, &ids[1..3]).await.verdict, Verdict::Done, "{generation}");
        let done = worker.done_at(2);
        let last = done.iter().map(|(at, _)| *at).max().expect("two");
        eprintln!("{generation}: an idle worker had done both {:?} after the key", last - began);
        assert_eq!(
            sorted(done.into_iter().map(|(_, id)| id).collect()),
            sorted(ids[1..3].to_vec()),
            "{generation}"
        );
        // The look afterwards says how soon a worker took it.
        retry(&watch, &name, &ids[3..]).await;
        worker.done(1);
        let audit = std::fs::read_to_string(watch.audit_file()).expect("the trail");
        assert!(
            audit.lines().last().is_some_and(|line| line.contains("picked up after")),
            "{generation}: {audit}"
        );
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        assert_eq!(
            queue(&watch).evidence.family,
            family,
            "{generation} with a worker: {:?}",
            queue(&watch).evidence
        );
        assert_eq!(queue(&watch).evidence.workers, Some(1), "{generation}");
        assert_eq!(queue(&watch).failed, 0, "{generation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_queue_paused_nothing_is_lost_or_run_early() {
    let Some(lab) = Lab::open("with_the_queue_paused_nothing_is_lost_or_run_early") else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("paused-{generation}"));
        let failed = lab.failed(generation, &name, 2);
        lab.run(generation, "pause", &name, "");
        let added = lab.run(generation, "add", &name, "2");
        let worker = lab.worker(generation, &name);
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        assert!(queue(&watch).paused, "{generation}");
        assert_eq!(retry(&watch, &name, &failed).await.verdict, Verdict::Done, "{generation}");
        assert_eq!(worker.line(2).map(|(_, line)| line), None, "{generation} ran a job despite the pause");
        watch.poll().await.expect("a poll");
        assert_eq!(queue(&watch).backlog(), 4, "{generation}");
        lab.run(generation, "resume", &name, "");
        let all: Vec<String> = failed.into_iter().chain(added.split(' ').map(str::to_owned)).collect();
        assert_eq!(sorted(worker.done(4)), sorted(all), "{generation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ghosts_and_jobs_that_somebody_moved_are_left_alone() {
    let Some(lab) = Lab::open("ghosts_and_jobs_that_somebody_moved_are_left_alone") else { return };
    let name = &unique("ghosts");
    let ids = lab.failed("bullmq5", name, 3);
    let mut client = lab.client().await;
    let () = client.del(named(name).key(&ids[0])).await.expect("deleted");
    let () = client.zrem(named(name).key("failed"), &ids[1]).await.expect("moved");
    let watch = lab.watch(name);
    let outcome = retry(&watch, name, &ids).await;
    assert_eq!(outcome.verdict, Verdict::Partly, "{outcome:?}");
    let what = |at: usize| outcome.details[at].1.as_str();
    assert!(
        what(0).contains("data is gone")
            && what(1).contains("not failed")
            && what(2).contains("back to waiting")
    );
    let waiting: Vec<String> = client.lrange(named(name).key("wait"), 0, -1).await.expect("a list");
    assert_eq!(waiting, ids[2..]);
    assert_eq!(watch.audited(), ["intent", "outcome", "verified"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_at_once_retry_each_job_once() {
    let Some(lab) = Lab::open("two_operators_at_once_retry_each_job_once") else { return };
    let name = &unique("two-operators");
    let ids = lab.failed("bullmq5", name, 40);
    let (one, two) = (lab.watch(name), lab.watch(name));
    let (first, second) = tokio::join!(retry(&one, name, &ids), retry(&two, name, &ids));
    let count =
        |outcome: &Outcome| outcome.details.iter().filter(|(_, what)| what.contains("back to")).count();
    assert_eq!(count(&first) + count(&second), 40);
    let waiting: Vec<String> =
        lab.client().await.lrange(named(name).key("wait"), 0, -1).await.expect("a list");
    assert_eq!(sorted(waiting), sorted(ids));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_still_retries_whole_jobs() {
    let Some(lab) = Lab::open("a_full_server_still_retries_whole_jobs") else { return };
    let Some(url) = server("a_full_server_still_retries_whole_jobs", "STACKTOP_TEST_REDIS_AUTH_URL") else {
        return;
    };
    let connect = url::redis(&url).expect("a URL");
    let client = redis::Client::open(url.as_str()).expect("a URL");
    let mut client = client.get_multiplexed_async_connection().await.expect("connected");
    // The keys of a failed job as BullMQ 5 leaves them.
    let name = &unique("full");
    let queue = named(name);
    let () = client
        .hset_multiple(
            queue.key("7"),
            &[("name", "mail"), ("data", "{}"), ("opts", "{}"), ("timestamp", "1"), ("atm", "1")],
        )
        .await
        .expect("set");
    let () = client.zadd(queue.key("failed"), "7", 1).await.expect("set");
    let () = client.hset(queue.key("meta"), "version", "bullmq:5.81.3").await.expect("set");
    let () =
        redis::cmd("CONFIG").arg(&["SET", "maxmemory", "1"]).query_async(&mut client).await.expect("set");
    let watch = Watch::new(Connect::Redis(RedisConnect { queues: vec![name.clone()], ..connect }));
    let outcome = retry(&watch, name, &["7".to_owned()]).await;
    let () =
        redis::cmd("CONFIG").arg(&["SET", "maxmemory", "0"]).query_async(&mut client).await.expect("set");
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    let waiting: Vec<String> = client.lrange(queue.key("wait"), 0, -1).await.expect("a list");
    assert_eq!(waiting, ["7"]);
    drop(lab);
}

/// Every key of these queues with what it holds and when it ends.
async fn dump(client: &mut MultiplexedConnection, names: &[String]) -> Vec<(String, Vec<u8>, i64)> {
    let mut all = Vec::new();
    for name in names {
        let keys: Vec<String> = client.keys(format!("bull:{name}:*")).await.expect("keys");
        for key in sorted(keys) {
            // This one lives for half a minute only.
            if !key.ends_with("stalled-check") {
                let value: Vec<u8> = redis::cmd("DUMP").arg(&key).query_async(client).await.expect("a dump");
                let ends: i64 = client.pttl(&key).await.expect("a time");
                all.push((key, value, ends));
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_of_reading_changes_no_key() {
    let Some(lab) = Lab::open("a_minute_of_reading_changes_no_key") else { return };
    let mut names = Vec::new();
    let mut focus = Vec::new();
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("untouched-{generation}"));
        let ids = lab.failed(generation, &name, 2);
        lab.run(generation, "add", &name, "2");
        focus.extend([
            Focus::FailedJobs { queue: named(&name), offset: 0, limit: 10 },
            Focus::Job { queue: named(&name), id: ids[0].clone() },
            Focus::OpenJobs { queue: named(&name) },
            Focus::More { queue: named(&name) },
        ]);
        names.push(name);
    }
    let mut client = lab.client().await;
    let before = dump(&mut client, &names).await;
    assert!(before.len() > 6 * 6, "{} keys", before.len());
    let connect = RedisConnect { queues: names.clone(), ..url::redis(&lab.url).expect("a URL") };
    let mut watch = Watch::new(Connect::Redis(connect));
    let began = Instant::now();
    let mut polls = 0;
    while began.elapsed() < Duration::from_secs(60) {
        watch.poll_with(&focus).await.expect("a poll");
        let queues = reading(&watch).queues.ready().expect("queues");
        assert!(queues.len() == 6 && queues.iter().all(|queue| queue.waiting == 2), "{queues:?}");
        polls += 1;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(polls > 30, "{polls} polls");
    assert!(reading(&watch).jobs.len() == 6 && reading(&watch).failed.len() == 6);
    assert!(dump(&mut client, &names).await == before, "a key has changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_is_read_whole_and_its_retry_offered() {
    let Some(lab) = Lab::open("a_failed_job_is_read_whole_and_its_retry_offered") else { return };
    let name = &unique("offered");
    let ids = lab.failed("bullmq3", name, 2);
    let mut watch = lab.watch(name);
    let focus = [
        Focus::FailedJobs { queue: named(name), offset: 0, limit: 10 },
        Focus::Job { queue: named(name), id: ids[0].clone() },
    ];
    watch.poll_with(&focus).await.expect("a poll");
    watch.poll_with(&focus).await.expect("a poll");
    let page = &reading(&watch).failed[0];
    assert_eq!(page.jobs.len(), 2);
    assert_eq!(page.jobs[0].reason, "the provider said no");
    let job = &reading(&watch).jobs[0];
    assert_eq!(job.state, "failed");
    assert!(job.fields["stacktrace"].contains("the provider said no"));
    // The screen offers the retry of everything that is failed.
    let row = RowKey::of_queue(&TargetId::new("it"), &queue(&watch).queue);
    let offers = panel(Screen::Queues).offers(watch.context(), &[], &row, &[]);
    let (action, preview) = offers[0].choice.clone().expect("possible");
    assert_eq!((action.verb(), offers[0].letter), ("retry_all_failed", 'r'));
    assert!(preview.facts.iter().any(|(_, value)| value.contains("up to 2")), "{preview:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_found_by_scan_and_other_keys_are_not() {
    let Some(lab) = Lab::open("queues_are_found_by_scan_and_other_keys_are_not") else { return };
    lab.run("bullmq5", "add", "found-by-scan", "1");
    lab.run("bull4", "add", "found-too", "1");
    let mut client = lab.client().await;
    let () = client.hset("bull:x:meta", "name", "a job that is called meta").await.expect("set");
    let mut watch = Watch::new(Connect::Redis(url::redis(&lab.url).expect("a URL")));
    // The scan is throttled: with what other tests leave in this server it needs more than one poll.
    let mut names = Vec::new();
    for _ in 0..100 {
        watch.poll().await.expect("a poll");
        let queues = reading(&watch).queues.ready().expect("queues");
        names = queues.iter().map(|queue| queue.queue.name.clone()).collect();
        if ["found-by-scan", "found-too"].iter().all(|name| names.iter().any(|found| found == name)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(
        ["found-by-scan", "found-too"].iter().all(|name| names.iter().any(|found| found == name)),
        "{names:?}"
    );
    assert!(names.iter().all(|name| name != "x"), "{names:?}");
}

#[tokio::test]
async fn a_user_who_may_only_read_gets_everything() {
    let Some(url) = server("a_user_who_may_only_read_gets_everything", "STACKTOP_TEST_REDIS_AUTH_URL") else {
        return;
    };
    let client = redis::Client::open(url.as_str()).expect("a URL");
    let mut client = client.get_multiplexed_async_connection().await.expect("connected");
    let rules = "reset on >monitor-secret %R~bull:* -@all +ping +hello +auth +client|setname +client|list +info +time +scan \
        +exists +pttl +llen +lindex +lpos +zcard +zrange +zrevrange +zscore +zcount +hmget +hstrlen +get +select";
    let mut setuser = redis::cmd("ACL");
    setuser.arg("SETUSER").arg("monitor");
    rules.split_whitespace().for_each(|rule| {
        setuser.arg(rule);
    });
    let () = setuser.query_async(&mut client).await.expect("set");
    let () = client.set("bull:limited:id", 3).await.expect("set");
    let mut watch = Watch::new(Connect::Redis(
        url::redis(&url.replace(":redis-secret", "monitor:monitor-secret")).expect("a URL"),
    ));
    watch.poll().await.expect("a poll");
    let queues = reading(&watch).queues.ready().expect("queues");
    assert!(
        queues.iter().any(|queue| queue.queue.name == "limited" && queue.evidence.workers == Some(0)),
        "{queues:?}"
    );
}

#[tokio::test]
async fn every_mistake_gets_its_own_sentence() {
    let test = "queues::every_mistake_gets_its_own_sentence";
    let Some(url) = server(test, "STACKTOP_TEST_REDIS_AUTH_URL") else { return };
    let Some(tls) = server(test, "STACKTOP_TEST_REDIS_TLS_URL") else { return };
    let open = |url: &str| Watch::new(Connect::Redis(url::redis(url).expect("a URL")));
    let mut cases = vec![
        (url.replace(":redis-secret@", ""), PollErrorKind::Credentials),
        (url.replace("redis-secret", "not-the-secret"), PollErrorKind::Credentials),
        ("redis://127.0.0.1:9".to_owned(), PollErrorKind::Unreachable),
        (tls.clone(), PollErrorKind::Tls),
    ];
    if let Some(postgres) = server(test, "STACKTOP_TEST_PG_URL") {
        let port = postgres.rsplit_once(':').and_then(|(_, rest)| rest.split_once('/')).expect("a port").0;
        cases.push((format!("redis://127.0.0.1:{port}"), PollErrorKind::WrongServer));
    }
    for (url, kind) in cases {
        let error = open(&url).poll().await.expect_err("a mistake");
        assert_eq!(error.kind, kind, "{error:?}");
        assert!(error.remedy.is_some() && !format!("{error:?}").contains("secret"), "{error:?}");
    }
    let root_cert = server(test, "STACKTOP_TEST_REDIS_CA").map(Into::into);
    let connect = RedisConnect { root_cert, ..url::redis(&tls).expect("a URL") };
    Watch::new(Connect::Redis(connect)).poll().await.expect("TLS with the right CA");
}
