//! What a retry and a redrive must hold whatever dies: every job runs exactly once, none is lost, and the reports add up. The number of
//! jobs of each library is small here; STACKTOP_TEST_MANY=10000 makes it the whole proof.

use super::queue_acts::Own;
use super::queues::{Lab, connected, named, sorted, unique};
use super::topology::cluster;
use super::{Watch, server};
use redis::AsyncCommands;
use stacktop::config::target::{Connect, RedisConnect};
use stacktop::config::url;
use stacktop::core::action::{Action, ActionError, Confirmed, Outcome};
use stacktop::core::arming::Permit;
use stacktop::core::redis::{Brake, Change, Letters, RedisAction, Sweep};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

const LIBRARIES: [&str; 5] = ["bull4", "bullmq3", "bullmq4", "bullmq5", "bullmq6"];

/// A way to the server on which whoever acts dies with a script: that one is carried out, or did not get so far.
struct Way {
    port: u16,
    /// Scripts until death; none left over means that nobody dies.
    left: Arc<AtomicI64>,
    /// Whether the server gets the last script.
    arrives: Arc<AtomicI64>,
    died: Arc<Notify>,
}

impl Way {
    async fn to(port: &str) -> Self {
        let mut way = Self { port: 0, left: Arc::default(), arrives: Arc::default(), died: Arc::default() };
        way.port = way.beside(port.to_owned()).await;
        way
    }

    /// Another server on the same way: the port at which it is reached. Only what stacktop asks counts: it says its name first.
    async fn beside(&self, port: String) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let own = listener.local_addr().expect("it").port();
        let (left, arrives, died) =
            (Arc::clone(&self.left), Arc::clone(&self.arrives), Arc::clone(&self.died));
        let upstream = format!("127.0.0.1:{port}");
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&upstream).await else { continue };
                tokio::spawn(carry(
                    client,
                    server,
                    (Arc::clone(&left), Arc::clone(&arrives), Arc::clone(&died)),
                ));
            }
        });
        own
    }

    /// Does `what`, and dies with its script number `scripts`; nothing comes back from the dead.
    async fn until<T>(&self, scripts: i64, what: impl Future<Output = T>) -> Option<T> {
        self.arrives.store(scripts % 2, Ordering::SeqCst);
        self.left.store(scripts, Ordering::SeqCst);
        tokio::select! {
            done = what => Some(done),
            () = self.died.notified() => None,
        }
    }
}

async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    (left, arrives, died): (Arc<AtomicI64>, Arc<AtomicI64>, Arc<Notify>),
) {
    let (mut asked, mut answered) = ([0; 16_384], [0; 16_384]);
    let (mut dying, mut ours) = (false, false);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(bytes @ 1..) = read else { return };
                ours |= asked[..bytes].windows(8).any(|word| word == b"stacktop");
                let scripts = asked[..bytes].windows(7).filter(|word| ours && *word == b"EVALSHA").count() as i64;
                let before = left.fetch_sub(scripts, Ordering::SeqCst);
                dying |= before > 0 && before <= scripts;
                if dying && arrives.load(Ordering::SeqCst) == 0 {
                    died.notify_one();
                    return;
                }
                if server.write_all(&asked[..bytes]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(bytes @ 1..) = read else { return };
                if dying {
                    died.notify_one();
                    return;
                }
                if client.write_all(&answered[..bytes]).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn watch(port: &str, queue: &str) -> Watch {
    let connect = url::redis(&format!("redis://127.0.0.1:{port}")).expect("a URL");
    Watch::new(Connect::Redis(RedisConnect { queues: vec![queue.to_owned()], ..connect }))
}

/// Carries it out, and does not look afterwards.
async fn perform(watch: &Watch, act: RedisAction) -> Result<Outcome, ActionError> {
    let gate = watch.gate();
    let confirmed = Confirmed::by_a_person(Action::Redis { target: watch.target.id.clone(), act });
    let permit = Permit { target: watch.target.id.clone(), until: None };
    gate.perform(&gate.next_id(), &confirmed, &permit).await
}

/// The same with every library, each in a runtime of its own: the libraries' processes are waited for.
fn side_by_side<F: Future<Output = ()>>(what: impl Fn(&'static str) -> F + Sync) {
    std::thread::scope(|scope| {
        for library in LIBRARIES {
            let what = &what;
            scope.spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
                runtime.expect("a runtime").block_on(what(library));
            });
        }
    });
}

fn many() -> usize {
    std::env::var("STACKTOP_TEST_MANY").ok().and_then(|many| many.parse().ok()).unwrap_or(1200)
}

/// The number before `word` in a report.
fn told(outcome: &Outcome, word: &str) -> usize {
    let before = outcome.summary.split_once(word).map(|(before, _)| before);
    before.and_then(|before| before.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

/// Letters of three kinds: the original is still kept; its id is another job's by now; the letter has an id of its own choice.
#[test]
fn letters_are_back_once_whoever_dies() {
    let Some(lab) = Lab::open("letters_are_back_once_whoever_dies") else { return };
    side_by_side(|library| letters_of(&lab, library));
}

async fn letters_of(lab: &Lab, library: &'static str) {
    const EACH: usize = 100;
    let source = unique(&format!("dies-{library}"));
    let letters = format!("{source}-dlq");
    let each = EACH.to_string();
    let gone = if library == "bull4" { "{}" } else { r#"{"removeOnComplete":true}"# };
    let kept = lab.run_with(library, "fail", &source, &each, &[("OPTIONS", gone)]);
    let kept: Vec<&str> = kept.split(' ').collect();
    let first: usize = kept[0].parse().expect("ids are numbers");
    let list: Vec<String> = (0..3 * EACH)
        .map(|n| match n / EACH {
            0 => format!("{source}={}", kept[n]),
            1 => format!("{source}={}", first + n),
            _ => source.clone(),
        })
        .collect();
    // Bull writes no events: what it does not keep ended without a trace, which is a reason to stop.
    let brief = if library == "bull4" { "{}" } else { r#"{"removeOnFail":true,"removeOnComplete":true}"# };
    let options = [("OPTIONS", brief), ("OWN", "200")];
    lab.run_with(library, "letters", &letters, &list.join(","), &options);
    let foreign = lab.failed(library, &source, EACH);
    assert_eq!(foreign[0], (first + EACH).to_string(), "{library}");
    let mut client = lab.client().await;
    // What is not text stays, and is told as that.
    let odd = named(&letters).key("odd");
    let () =
        client.hset_multiple(&odd, &[("name", &b"x"[..]), ("data", b"{\"a\":\"\xff\"}")]).await.expect("odd");
    let () = client.rpush(named(&letters).key("wait"), "odd").await.expect("in line");
    let () = client.rpush(named(&letters).key("wait"), &b"\xff\xfe"[..]).await.expect("an id of bytes");
    let worker = lab.worker(library, &source);
    let way = Way::to(&lab.port).await;
    let redrive = |letters: &str| RedisAction::Redrive {
        queue: named(letters),
        to: Some(named(&source)),
        letters: Letters::All,
        brake: Brake { per_second: 400, stop_above_percent: 20 },
    };
    let mut deaths = 0;
    let end = loop {
        // Each time another operator, who gets one step further.
        let one = watch(&way.port.to_string(), &letters);
        let done = way.until(deaths + 1, perform(&one, redrive(&letters))).await;
        match done {
            Some(done) => break done.expect("an outcome"),
            None => deaths += 1,
        }
    };
    eprintln!("{library}: {deaths} deaths; {}", end.summary);
    assert!(deaths >= 20, "{library}: {deaths} deaths");
    let text = format!("{end:?}");
    assert!(text.contains("what it holds is not text") && text.contains("the id is not text"), "{text}");
    let left: Vec<Vec<u8>> = client.lrange(named(&letters).key("wait"), 0, -1).await.expect("a list");
    assert_eq!(left.len(), 2, "{library}: {}", end.summary);
    let mut ran = BTreeMap::new();
    for _ in 0..3 * EACH {
        let (_, line) = worker.line(15).unwrap_or_else(|| panic!("{library}: {} ran", ran.len()));
        let order: usize =
            line.rsplit(':').next().and_then(|n| n.trim_end_matches('}').parse().ok()).expect("an order");
        *ran.entry(order).or_insert(0) += 1;
    }
    assert!(ran.len() == 3 * EACH && ran.values().all(|times| *times == 1), "{library}: {ran:?}");
    assert_eq!(worker.line(1).map(|(_, line)| line), None, "{library}: something ran twice");
    let failed: Vec<String> = client.zrange(named(&source).key("failed"), 0, -1).await.expect("a set");
    assert_eq!(sorted(failed), sorted(foreign), "{library}: another's job was retried");
    // Two at once: what they report adds up to what there was.
    let both = format!("{letters}-two");
    let list = vec![source.as_str(); 60].join(",");
    lab.run_with(library, "letters", &both, &list, &options[..1]);
    let (one, two) = (watch(&lab.port, &both), watch(&lab.port, &both));
    let (one, two) = tokio::join!(perform(&one, redrive(&both)), perform(&two, redrive(&both)));
    let back: usize =
        [&one, &two].iter().map(|done| done.as_ref().map_or(0, |done| told(done, " of 60 back"))).sum();
    assert_eq!(back, 60, "{library}: {one:?} {two:?}");
    for n in 0..60 {
        assert!(worker.line(15).is_some(), "{library}: {n} of 60 ran");
    }
    assert_eq!(worker.line(1).map(|(_, line)| line), None, "{library}: something ran twice");
}

/// The same across slots, where no script can do both steps: letters and their queue are on other nodes of a cluster.
#[test]
fn letters_of_a_cluster_are_back_once_whoever_dies() {
    let test = "letters_of_a_cluster_are_back_once_whoever_dies";
    let Some(lab) = Lab::open(test) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let Some(nodes) = cluster(test, true).await else { return };
        // Every node is known by the address of its way, also to the libraries.
        let mut way = Way::to(&nodes[0].port.to_string()).await;
        let mut ways = vec![way.port];
        for node in &nodes[1..] {
            ways.push(way.beside(node.port.to_string()).await);
        }
        for (node, port) in nodes.iter().zip(&ways) {
            node.ask(&format!("CONFIG SET cluster-announce-bus-port {}", node.port + 10_000)).await;
            node.ask(&format!("CONFIG SET cluster-announce-port {port}")).await;
        }
        for _ in 0..100 {
            let mut known = true;
            for node in &nodes {
                let slots = format!("{:?}", node.ask("CLUSTER SLOTS").await);
                known &= ways.iter().all(|port| slots.contains(&port.to_string()));
            }
            if known {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        way.port = ways[0];
        let lab = lab.at_cluster(way.port);
        for library in ["bullmq6", "bull4"] {
            letters_across_slots(&lab, &way, library).await;
        }
    });
}

async fn letters_across_slots(lab: &Lab, way: &Way, library: &'static str) {
    const EACH: usize = 30;
    let (source, letters) = (format!("{{mails-{library}}}"), format!("{{lost-{library}}}"));
    let kept = lab.failed(library, &source, EACH);
    let list: Vec<String> = (0..2 * EACH)
        .map(|n| kept.get(n).map_or_else(|| source.clone(), |id| format!("{source}={id}")))
        .collect();
    lab.run(library, "letters", &letters, &list.join(","));
    let worker = lab.worker(library, &source);
    let mut deaths = 0;
    let end = loop {
        let one = watch(&way.port.to_string(), &letters);
        let act = RedisAction::Redrive {
            queue: named(&letters),
            to: Some(named(&source)),
            letters: Letters::All,
            brake: Brake { per_second: 400, stop_above_percent: 20 },
        };
        match way.until(deaths + 1, perform(&one, act)).await {
            Some(done) => break done.expect("an outcome"),
            None => deaths += 1,
        }
    };
    eprintln!("{library}: {deaths} deaths; {}", end.summary);
    assert!(deaths >= 12, "{library}: {deaths} deaths");
    assert!(end.summary.contains(" back"), "{library}: {}", end.summary);
    let mut ran = BTreeMap::new();
    for _ in 0..2 * EACH {
        let (_, line) = worker.line(15).unwrap_or_else(|| panic!("{library}: {} ran", ran.len()));
        let order = line.rsplit(':').next().map(|n| n.trim_end_matches('}').to_owned()).expect("an order");
        *ran.entry(order).or_insert(0) += 1;
    }
    assert!(ran.len() == 2 * EACH && ran.values().all(|times| *times == 1), "{library}: {ran:?}");
    assert_eq!(worker.line(1).map(|(_, line)| line), None, "{library}: something ran twice");
    let counts = lab.run(library, "counts", &letters, "");
    assert!(counts.contains("\"waiting\":0"), "{library}: {counts}");
}

/// Many wait and many are held, as an earlier pause left them: whoever resumes dies, and the library's own resume follows.
#[test]
fn a_resume_of_long_lists_leaves_nothing_that_the_librarys_own_loses() {
    let Some(lab) = Lab::open("a_resume_of_long_lists_leaves_nothing_that_the_librarys_own_loses") else {
        return;
    };
    side_by_side(|library| long_lists_of(&lab, library));
}

async fn long_lists_of(lab: &Lab, library: &'static str) {
    const EACH: usize = 50_000;
    // BullMQ 3 is as 4 is, and 6 has one list only.
    if ["bullmq3", "bullmq6"].contains(&library) {
        return;
    }
    let name = unique(&format!("long-{library}"));
    let mut client = lab.client().await;
    lab.run(library, "add", &name, "1");
    lab.run(library, "pause", &name, "");
    let fill = redis::Script::new(
        "for n = 1, tonumber(ARGV[1]) do redis.call('LPUSH', KEYS[1], 'w' .. n) redis.call('LPUSH', KEYS[2], 'p' .. n) end return 1",
    );
    let key = |suffix: &str| named(&name).key(suffix);
    let () =
        fill.key(key("wait")).key(key("paused")).arg(EACH).invoke_async(&mut client).await.expect("filled");
    // The script is known to the server: it is called once for another queue.
    let other = unique(&format!("known-{library}"));
    lab.run(library, "add", &other, "1");
    let resume = |name: &str| RedisAction::Resume { queue: named(name) };
    perform(&watch(&lab.port, &other), resume(&other)).await.expect("an outcome");
    let way = Way::to(&lab.port).await;
    let done = way.until(1, perform(&watch(&way.port.to_string(), &name), resume(&name))).await;
    assert!(done.is_none(), "{library}: {done:?}");
    lab.run(library, "pause", &name, "");
    lab.run(library, "resume", &name, "");
    let waiting: Vec<String> = client.lrange(key("wait"), 0, -1).await.expect("a list");
    let held: usize = client.llen(key("paused")).await.expect("a length");
    let distinct: std::collections::BTreeSet<&String> =
        waiting.iter().filter(|id| !id.starts_with("0:")).collect();
    assert_eq!((distinct.len(), held), (2 * EACH + 1, 0), "{library}");
    let () = client.del(&[key("wait"), key("paused")]).await.expect("away");
}

/// Everything that failed is retried while operators die, another one does the same, the queue is paused and the server is killed.
#[test]
fn a_retry_of_everything_runs_each_job_once_whoever_dies() {
    let test = "a_retry_of_everything_runs_each_job_once_whoever_dies";
    let Some(binary) = server(test, "STACKTOP_TEST_REDIS_SERVER") else { return };
    let Some(lab) = Lab::open(test) else { return };
    side_by_side(|library| everything_of(&lab, &binary, library));
}

async fn everything_of(lab: &Lab, binary: &str, library: &'static str) {
    let mut own = Own::start(binary);
    drop(own.client().await);
    let lab = lab.at(own.port);
    let name = "everything";
    let ids = lab.failed(library, name, many());
    lab.run(library, "pause", name, "");
    let way = Way::to(&lab.port).await;
    let sweep = || RedisAction::Change { queue: named(name), change: Change::Sweep(Sweep::Retry) };
    let (mut deaths, mut kills, mut back) = (0, 0, 0);
    loop {
        let (one, two) = (watch(&way.port.to_string(), name), watch(&lab.port, name));
        // The server dies in the third round, in the midst of what both do.
        let killing = async {
            if kills == 0 && deaths == 2 {
                tokio::time::sleep(std::time::Duration::from_millis(15)).await;
                own.kill();
                kills += 1;
            }
        };
        let other = async { if deaths % 2 == 0 { perform(&two, sweep()).await.ok() } else { None } };
        // The other one is stopped after few steps: there shall be work left for those who die.
        let other = tokio::time::timeout(std::time::Duration::from_millis(10), other);
        let (done, _, ()) = tokio::join!(way.until(deaths / 2 + 1, perform(&one, sweep())), other, killing);
        if own.is_dead() {
            own.restart(binary);
        }
        drop(own.client().await);
        match done {
            None => deaths += 1,
            Some(Err(_)) => {}
            Some(Ok(outcome)) => {
                back += told(&outcome, " back to waiting");
                if outcome.summary.contains("no such job") || outcome.summary.ends_with("back to waiting") {
                    break;
                }
            }
        }
    }
    let mut client = connected(&lab.url).await;
    let failed: usize = client.zcard(named(name).key("failed")).await.expect("a count");
    assert_eq!(failed, 0, "{library}: some stayed behind, unmentioned");
    eprintln!(
        "{library}: {} jobs, {deaths} deaths, {kills} kills of the server, {back} told at last",
        ids.len()
    );
    assert!(deaths > 3 && kills == 1, "{library}: {deaths} deaths, {kills} kills");
    let done = perform(&watch(&lab.port, name), RedisAction::Resume { queue: named(name) }).await;
    done.expect("it runs again");
    let worker = lab.worker(library, name);
    assert_eq!(sorted(worker.done(ids.len())), sorted(ids), "{library}");
    assert_eq!(worker.line(1).map(|(_, line)| line), None, "{library}: something ran twice");
}
