//! What is advised about Redis and its queues is done, with the real libraries: then the finding is over, and no library was broken by it.

use super::redis::{on, start};
use super::steps::redis_cli;
use super::{Load, Lookout};
use crate::live::queues::{Lab, named, reading};
use crate::live::topology::Own;
use redis::AsyncCommands;
use stacktop::core::action::{Action, Verdict};
use stacktop::core::focus::Focus;
use stacktop::core::redis::{Change, JobAct, JobState, Kin, LostHolder, RedisAction};
use std::time::Duration;
use tokio::time::sleep;

const LIBRARIES: [&str; 5] = ["bull4", "bullmq3", "bullmq4", "bullmq5", "bullmq6"];

/// A server of the test's own, and the libraries at it.
async fn ground(test: &str, options: &[&str]) -> Option<(Lab, Own)> {
    let lab = Lab::open(test)?;
    let own = start(options).await;
    Some((lab.at(own.port), own))
}

/// Polls as if time went faster, until `rule` tells nothing any more.
async fn over_in_time(lookout: &mut Lookout, rule: &str) {
    for _ in 0..60 {
        lookout.poll_after(Duration::from_secs(3)).await;
        if lookout.world.alerts.firing().iter().all(|one| one.breach.rule != rule) {
            return;
        }
        sleep(Duration::from_millis(300)).await;
    }
    panic!("{rule} goes on: {}", lookout.line());
}

/// Polls as if time went faster, until `rule` says that; its step.
async fn step_in_time(lookout: &mut Lookout, rule: &str, says: &str) -> String {
    let mut told = Vec::new();
    for _ in 0..60 {
        lookout.poll_after(Duration::from_secs(5)).await;
        told = lookout.world.alerts.firing().iter().map(|one| one.breach.clone()).collect();
        if let Some(one) = told.iter().find(|one| one.rule == rule && one.sentence.contains(says)) {
            return one.step.words();
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("{rule} does not say {says}: {told:?}");
}

/// Who emptied the server may do so no more, and every library works as before.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_advised_after_a_flush_keeps_every_library_alive() {
    let test = "what_is_advised_after_a_flush_keeps_every_library_alive";
    let Some((lab, own)) = ground(test, &[]).await else { return };
    let user = ["ACL", "SETUSER", "shop", "on", ">shop-secret", "~*", "&*", "+@all"];
    assert_eq!(redis_cli(own.port, &user), "OK");
    let mut lookout = on(&own);
    lookout.settles().await;
    lab.run("bullmq5", "add", "mails", "1");
    lookout.poll().await;
    let as_shop = |words: &[&str]| {
        let login = ["--no-auth-warning", "--user", "shop", "--pass", "shop-secret"];
        redis_cli(own.port, &[&login[..], words].concat())
    };
    assert_eq!(as_shop(&["FLUSHALL"]), "OK");
    let step = lookout.step("redis.flushed", "was emptied").await;
    let rights = step.split_once("ACL SETUSER … ").expect("the command").1;
    let taken: Vec<&str> = ["ACL", "SETUSER", "shop"].into_iter().chain(rights.split(' ')).collect();
    assert_eq!(redis_cli(own.port, &taken), "OK");
    for words in ["FLUSHALL", "FLUSHDB"] {
        assert!(as_shop(&[words]).contains("NOPERM"), "{step}");
    }
    for library in LIBRARIES {
        let body = "const login = { ...connection, username: 'shop', password: 'shop-secret' };
            const bull = !library.Queue;
            const queue = bull ? new library(queueName, { redis: login }) : new library.Queue(queueName, { connection: login });
            const worker = bull ? queue : new library.Worker(queueName, async (job) => job.data.order, { connection: login });
            if (bull) queue.process('mail', async (job) => job.data.order);
            const done = new Promise((then) => worker.on('completed', (job) => then(job.returnvalue)));
            await queue.add('mail', { order: 7 });
            return await done;";
        assert_eq!(lab.script_of(library, &format!("after-{library}"), body), "7", "{library}");
    }
}

/// Keys were evicted while there was no room; a server with queues evicts nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_advised_about_memory_ends_evictions() {
    let test = "what_is_advised_about_memory_ends_evictions";
    let options = ["--maxmemory", "6mb", "--maxmemory-policy", "allkeys-lru"];
    let Some((lab, own)) = ground(test, &options).await else { return };
    let mut lookout = on(&own);
    let mut client = own.client().await;
    let _load = Load::new(async move {
        for n in 0_u64.. {
            let _: Result<(), _> = client.set_ex(format!("page:{n}"), "x".repeat(20_000), 5).await;
            sleep(Duration::from_millis(2)).await;
        }
    });
    assert_eq!(lookout.step("redis.evictions", "evicted").await, "raise maxmemory");
    assert_eq!(redis_cli(own.port, &["CONFIG", "SET", "maxmemory", "200mb"]), "OK");
    over_in_time(&mut lookout, "redis.evictions").await;
    lab.run("bullmq5", "add", "mails", "1");
    let mut lookout = on(&own);
    let step = lookout.step("redis.eviction_policy", "allkeys-lru").await;
    assert_eq!(step, "make room, then maxmemory-policy noeviction (a full server refuses writes)");
    let policy = step.split(' ').skip(3).take(2);
    let words: Vec<&str> = ["CONFIG", "SET"].into_iter().chain(policy).collect();
    assert_eq!(redis_cli(own.port, &words), "OK");
    lookout.over("redis.eviction_policy", "").await;
}

/// Workers are started: for one queue, for many at once, and for one whose job lies in the hands of a dead one.
#[tokio::test(flavor = "multi_thread")]
async fn started_workers_end_what_is_told_of_none() {
    let test = "started_workers_end_what_is_told_of_none";
    let Some((lab, own)) = ground(test, &[]).await else { return };
    let mut lookout = on(&own);
    lab.run("bullmq5", "add", "one", "2");
    assert_eq!(lookout.step("queue.no_worker", "2 jobs wait in queue one").await, "start its workers");
    let worker = lab.worker("bullmq5", "one");
    assert_eq!(worker.done(2).len(), 2);
    lookout.over("queue.no_worker", "").await;
    drop(worker);
    // Its worker was killed with a job in its hands: a new one takes that back.
    lab.run("bullmq5", "add", "held", "1");
    let slow = lab.slow_worker("bullmq5", "held", 600_000);
    let mut client = own.client().await;
    let active = named("held").key("active");
    while client.llen::<_, usize>(&active).await.expect("a length") == 0 {
        sleep(Duration::from_millis(50)).await;
    }
    drop(slow);
    let step = lookout.step("queue.no_worker", "queue held: 1 job in progress").await;
    assert!(step.starts_with("start its workers: one that runs takes back what another held"), "{step}");
    let worker = lab.worker("bullmq5", "held");
    // The lock lasts for 30 s, and of two looks of the library, 30 s apart, one may fall out.
    let (_, line) = worker.line(150).expect("it is taken back by the looks of the library");
    assert!(line.contains("{\"order\":0}"), "{line}");
    lookout.over("queue.no_worker", "").await;
    let many = ["mails", "bills", "posts", "scans", "texts"];
    for name in many {
        lab.run("bullmq5", "add", name, "1");
    }
    let step = lookout.step("queue.no_worker", "5 queues: no worker is connected").await;
    assert_eq!(step, "start the workers: so many queues lost them for one reason");
    let workers: Vec<_> = many.iter().map(|name| lab.worker("bullmq5", name)).collect();
    for worker in &workers {
        assert_eq!(worker.done(1).len(), 1);
    }
    lookout.over("queue.no_worker", "").await;
}

/// One worker died over its job and another one of that queue is there: it brings the job back itself, as is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_looks_brings_a_stalled_job_back_as_is_said() {
    let test = "a_worker_that_looks_brings_a_stalled_job_back_as_is_said";
    let Some((lab, own)) = ground(test, &[]).await else { return };
    let mut lookout = on(&own).from("queue.stalled", 1.0);
    lab.run("bullmq5", "add", "mails", "1");
    let slow = lab.slow_worker("bullmq5", "mails", 600_000);
    let mut client = own.client().await;
    let active = named("mails").key("active");
    let mut held: Vec<String> = Vec::new();
    while held.is_empty() {
        held = client.lrange(&active, 0, -1).await.expect("a list");
        sleep(Duration::from_millis(50)).await;
    }
    let other = lab.worker("bullmq5", "mails");
    drop(slow);
    let () = client.del(named("mails").key(&format!("{}:lock", held[0]))).await.expect("its time is over");
    let step = lookout.step("queue.stalled", "1 job in progress lost its worker's lock").await;
    assert_eq!(step, "its workers look each 30 s and bring them back; read their log");
    assert!(other.line(150).is_some(), "it was brought back");
    lookout.over("queue.stalled", "").await;
}

/// A worker of a new version is not woken by what an old one adds, until it is of the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_version_on_both_sides_ends_a_mismatch() {
    let test = "the_same_version_on_both_sides_ends_a_mismatch";
    let Some((lab, own)) = ground(test, &[]).await else { return };
    let mut lookout = on(&own);
    let new = lab.worker("bullmq5", "mails");
    lab.run("bullmq4", "add", "mails", "3");
    let step = lookout.step("queue.generations", "a worker of version 5 or newer is connected").await;
    assert_eq!(step, "run the same major version on both sides");
    drop(new);
    let worker = lab.worker("bullmq4", "mails");
    lab.run("bullmq4", "add", "mails", "2");
    assert!(worker.done(2).len() == 2, "what was added now is taken");
    lookout.over("queue.generations", "").await;
}

/// Nothing tells how jobs of Bull end where none is kept; some of them tell it.
#[tokio::test(flavor = "multi_thread")]
async fn kept_jobs_tell_how_they_end() {
    let test = "kept_jobs_tell_how_they_end";
    let Some((lab, own)) = ground(test, &[]).await else { return };
    let adds = |options: &str| {
        let body = format!(
            "const queue = new library(queueName, {{ redis: connection }});
             queue.process('mail', 4, async () => {{}});
             for (let n = 0; n < 150; n += 1) {{
               await queue.add('mail', {{ order: n }}, {options});
               await new Promise((then) => setTimeout(then, 400));
             }}
             return 'end';"
        );
        let lab = lab.at(own.port);
        tokio::task::spawn_blocking(move || lab.script_of("bull4", "mails", &body))
    };
    let mut lookout = on(&own);
    let first = adds("{ removeOnComplete: true, removeOnFail: true }");
    let step = lookout.step("queue.failing", "nothing tells how they end").await;
    assert_eq!(step, "keep some: a number as removeOnComplete and removeOnFail");
    let second = adds("{ removeOnComplete: 100, removeOnFail: 100 }");
    lookout.over("queue.failing", "nothing tells how they end").await;
    assert!(first.await.is_ok() && second.await.is_ok());
}

/// A parent waits for a child that failed: the child is retried; the next one is removed by its own library.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_goes_on_when_its_child_is_retried_or_removed() {
    let test = "a_parent_goes_on_when_its_child_is_retried_or_removed";
    let Some((lab, own)) = ground(test, &[]).await else { return };
    for retried in [true, false] {
        let name = if retried { "retried" } else { "removed" };
        let child = lab.script_of(
            "bullmq5",
            name,
            "const flow = new library.FlowProducer({ connection });
             const worker = new library.Worker(queueName, async () => { throw new Error('no'); }, { connection });
             const failed = new Promise((then) => worker.on('failed', then));
             const tree = await flow.add({ name: 'mail', queueName: queueName + '-all', data: { order: 9 },
               children: [{ name: 'mail', queueName, data: { order: 1 }, opts: { attempts: 1 } }] });
             await failed;
             await worker.close();
             return tree.children[0].job.id;",
        );
        let mut lookout = on(&own);
        let mut step = String::new();
        for _ in 0..100 {
            lookout.poll_after(Duration::from_secs(5)).await;
            let firing = lookout.world.alerts.firing();
            if let Some(finding) = firing.iter().find(|one| one.breach.rule == "queue.parents") {
                step = finding.breach.step.words();
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(
            step,
            "retry the children, or have their own library remove them, when their cause is gone"
        );
        let parents = lab.worker("bullmq5", &format!("{name}-all"));
        let verb = if retried { "retry" } else { "remove" };
        let body = format!(
            "const queue = new library.Queue(queueName, {{ connection }});
             const job = await queue.getJob('{child}'); await job.{verb}(); return 'done';"
        );
        assert_eq!(lab.script_of("bullmq5", name, &body), "done");
        let _children = lab.worker("bullmq5", name);
        assert_eq!(parents.done(1).len(), 1, "{name}: the parent runs");
        over_in_time(&mut lookout, "queue.parents").await;
    }
}

/// A flow in which the parent `queueName`-all waits for one child; what became of that is up to `then`. Gives the ids of both.
fn flow_without(lab: &Lab, library: &str, name: &str, then: &str) -> (String, String) {
    let body = format!(
        "const flow = new library.FlowProducer({{ connection }});
         const tree = await flow.add({{ name: 'mail', queueName: queueName + '-all', data: {{ order: 9 }},
           children: [{{ name: 'mail', queueName, data: {{ order: 1 }} }}] }});
         const [parent, child] = [tree.job.id, tree.children[0].job.id];
         const redis = new (require('ioredis'))(connection);
         await redis.lrem(`bull:${{queueName}}:wait`, 0, child);
         {then}
         return parent + ' ' + child;"
    );
    let ids = lab.script_of(library, name, &body);
    let (parent, child) = ids.split_once(' ').expect("two ids");
    (parent.to_owned(), child.to_owned())
}

/// Whatever a parent waits for in vain is added to it again, and it goes on; so it does where its library lets it go without.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_whose_child_is_gone_goes_on_when_one_is_added() {
    let test = "a_parent_whose_child_is_gone_goes_on_when_one_is_added";
    let Some((lab, own)) = ground(test, &[]).await else { return };
    for library in ["bullmq3", "bullmq4", "bullmq5", "bullmq6"] {
        for childless in [false, true].into_iter().take(if library == "bullmq5" { 2 } else { 1 }) {
            let name = if childless { format!("childless-{library}") } else { format!("gone-{library}") };
            let then = if childless {
                "await redis.del(`bull:${queueName}:${child}`, `bull:${queueName}-all:${parent}:dependencies`);"
            } else {
                "await redis.del(`bull:${queueName}:${child}`);"
            };
            let (parent, child) = flow_without(&lab, library, &name, then);
            let mut lookout = on(&own);
            let (says, advised, id) = if childless {
                let says = format!("parent job {parent} waits for no child");
                (says, "add a child to it (with its `parent`): when that is done it goes on", "undefined")
            } else {
                let says = format!(
                    "parent job {parent} waits for child {child} of queue {name}, which no longer exists"
                );
                let advised = "add the child again (with its `jobId` and its `parent`): when that is done the parent goes on";
                (says, advised, child.as_str())
            };
            assert_eq!(step_in_time(&mut lookout, "queue.lost_children", &says).await, advised, "{says}");
            let parents = lab.worker(library, &format!("{name}-all"));
            let _children = lab.worker(library, &name);
            let id = if childless { id.to_owned() } else { format!("'{id}'") };
            let body = format!(
                "const queue = new library.Queue(queueName, {{ connection }});
                 await queue.add('mail', {{ order: 1 }}, {{ jobId: {id}, parent: {{ id: '{parent}', queue: `bull:${{queueName}}-all` }} }});
                 return 'added';"
            );
            assert_eq!(lab.script_of(library, &name, &body), "added");
            assert_eq!(parents.done(1), [parent], "{name}: the parent runs");
            over_in_time(&mut lookout, "queue.lost_children").await;
        }
    }
}

/// A deduplication id whose holder's keys are gone throws every job away; freed as advised it lets the next one in. One that holds for a time,
/// and one whose holder is there, are told of neither.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_thrown_away_for_a_holder_that_is_gone_are_told_until_it_is_freed() {
    let test = "jobs_thrown_away_for_a_holder_that_is_gone_are_told_until_it_is_freed";
    let Some((lab, own)) = ground(test, &[]).await else { return };
    for library in ["bullmq5", "bullmq6"] {
        let name = format!("thrown-{library}");
        let body = "const queue = new library.Queue(queueName, { connection });
             const add = (order, deduplication) => queue.add('mail', { order }, { deduplication });
             const twice = async (deduplication) => {
               const first = await add(1, deduplication);
               const second = await add(2, deduplication);
               if (first.id !== second.id) throw new Error('it came in');
               return first.id;
             };
             const there = await twice({ id: 'there' });
             const timed = await twice({ id: 'timed', ttl: 600000 });
             const gone = await twice({ id: 'order-7' });
             const redis = new (require('ioredis'))(connection);
             for (const id of [timed, gone]) {
               await redis.lrem(`bull:${queueName}:wait`, 0, id);
               await redis.del(`bull:${queueName}:${id}`);
             }
             await add(3, { id: 'order-7' });
             return there + ' ' + timed + ' ' + gone;";
        let ids = lab.script_of(library, &name, body);
        let [there, timed, gone] = ids.split(' ').collect::<Vec<_>>()[..] else { panic!("three ids: {ids}") };
        let mut lookout = on(&own);
        let says = format!(
            "queue {name}: 2 jobs were thrown away: deduplication id order-7 is held by job {gone}, which no longer exists"
        );
        let step = step_in_time(&mut lookout, "queue.thrown_away", &says).await;
        assert_eq!(step, "free the id and add again what was thrown away");
        let told: Vec<String> =
            lookout.world.alerts.firing().iter().map(|one| one.breach.sentence.clone()).collect();
        assert!(told.contains(&says), "only that one: {told:?}");
        let watch = lab.watch(&name);
        let lost = |id: &str, holder: &str| LostHolder {
            id: id.to_owned(),
            holder: holder.to_owned(),
            stray: false,
            thrown: 2,
        };
        let free = async |lost: Vec<LostHolder>| {
            let act = RedisAction::Change { queue: named(&name), change: Change::Free(lost) };
            watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome")
        };
        // A worker that still has it keeps the id.
        let lock = format!("bull:{name}:{gone}:lock");
        assert_eq!(redis_cli(own.port, &["SET", &lock, "x"]), "OK");
        let kept = free(vec![lost("order-7", gone)]).await;
        let words =
            format!("queue {name}: deduplication id order-7 is held by a job that a worker still has");
        assert_eq!((kept.verdict, kept.summary), (Verdict::Nothing, words));
        assert_eq!(redis_cli(own.port, &["DEL", &lock]), "1");
        let mixed =
            [("there", there), ("timed", timed), ("order-7", there), ("never", "1"), ("order-7", gone)];
        let outcome = free(mixed.map(|(id, holder)| lost(id, holder)).to_vec()).await;
        let words = format!("queue {name}: 1 of 5 deduplication ids are free");
        assert_eq!((outcome.verdict, outcome.summary), (Verdict::Partly, words));
        let left: Vec<String> = outcome.details.iter().map(|(id, why)| format!("{id} {why}")).collect();
        assert_eq!(
            left,
            [
                "deduplication id there is held by a job that exists again",
                "deduplication id timed ends by itself",
                "deduplication id order-7 is held by another job by now",
                "deduplication id never is free already",
            ]
        );
        let body = "const queue = new library.Queue(queueName, { connection });
             const next = await queue.add('mail', { order: 5 }, { deduplication: { id: 'order-7' } });
             return next.id;";
        let next = lab.script_of(library, &name, body);
        assert_ne!(next, gone, "{library}");
        let worker = lab.worker(library, &name);
        assert!(worker.done(2).contains(&next), "{library}: {next} runs");
        over_in_time(&mut lookout, "queue.thrown_away").await;
    }
}

/// A job that is kept and stands in no list throws every other of its id away, and nothing runs or removes it: told, and removed from here. One
/// that waits, or is for later, is told of neither.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_in_no_list_that_throws_others_away_is_told_until_it_is_removed() {
    let test = "a_job_in_no_list_that_throws_others_away_is_told_until_it_is_removed";
    let Some((lab, own)) = ground(test, &[]).await else { return };
    for library in ["bullmq4", "bullmq5", "bullmq6"] {
        let name = format!("stray-{library}");
        let body = "const queue = new library.Queue(queueName, { connection });
             const add = (jobId, more) => queue.add('mail', { order: 1 }, { jobId, ...more });
             for (let times = 0; times < 3; times++) {
               await add('waits');
               await add('later', { delay: 600000 });
             }
             await add('order-7');
             const redis = new (require('ioredis'))(connection);
             await redis.lrem(`bull:${queueName}:wait`, 0, 'order-7');
             await add('order-7');
             await add('order-7');
             return 'there';";
        assert_eq!(lab.script_of(library, &name, body), "there");
        let mut lookout = on(&own);
        let says = format!(
            "queue {name}: 2 jobs were thrown away: job order-7 has their id and stands in no list, so that nothing runs it"
        );
        let step = step_in_time(&mut lookout, "queue.thrown_away", &says).await;
        assert!(step.ends_with("remove it; then add again what was thrown away"), "{step}");
        let told: Vec<String> =
            lookout.world.alerts.firing().iter().map(|one| one.breach.sentence.clone()).collect();
        assert!(told.contains(&says), "only that one: {told:?}");
        let watch = lab.watch(&name);
        let act = async |act: RedisAction| {
            watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome")
        };
        let remove = async |ids: &[&str]| {
            let ids = ids.iter().map(|id| (*id).to_owned()).collect();
            act(RedisAction::Jobs { queue: named(&name), ids, act: JobAct::Remove(JobState::Lost) }).await
        };
        let kept = remove(&["waits", "later"]).await;
        assert_eq!(kept.verdict, Verdict::Nothing, "{library}: {}", kept.summary);
        assert_eq!(remove(&["order-7"]).await.verdict, Verdict::Done, "{library}");
        let there = || redis_cli(own.port, &["HGET", &format!("bull:{name}:order-7"), "data"]);
        assert_eq!(there(), "", "{library}");
        // Undone it is what it was, and removed once more.
        let back = act(RedisAction::Change { queue: named(&name), change: Change::PutBack }).await;
        assert_eq!((back.verdict, there().as_str()), (Verdict::Done, r#"{"order":1}"#), "{library}");
        assert_eq!(remove(&["order-7"]).await.verdict, Verdict::Done, "{library}");
        let body = "const queue = new library.Queue(queueName, { connection });
             return (await queue.add('mail', { order: 2 }, { jobId: 'order-7' })).id;";
        assert_eq!(lab.script_of(library, &name, body), "order-7");
        let worker = lab.worker(library, &name);
        let done = worker.done(2);
        assert!(
            ["waits", "order-7"].iter().all(|id| done.iter().any(|one| one == id)),
            "{library}: {done:?}"
        );
        over_in_time(&mut lookout, "queue.thrown_away").await;
    }
}

/// The other way that the page of such a parent names: its library lets it go on without those that have not run.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_whose_child_is_gone_says_so_and_is_let_go_by_its_library() {
    let test = "a_parent_whose_child_is_gone_says_so_and_is_let_go_by_its_library";
    let Some((lab, _own)) = ground(test, &[]).await else { return };
    for library in ["bullmq5", "bullmq6"] {
        let name = format!("let-{library}");
        let (parent, child) =
            flow_without(&lab, library, &name, "await redis.del(`bull:${queueName}:${child}`);");
        let parents = named(&format!("{name}-all"));
        let mut watch = lab.watch(&parents.name);
        watch.poll_with(&[Focus::Job { queue: parents.clone(), id: parent.clone() }]).await.expect("a poll");
        let detail = reading(&watch).jobs.first().expect("the parent").clone();
        assert_eq!(detail.links, [(Kin::Gone, named(&name).key(&child))], "{detail:?}");
        let worker = lab.worker(library, &parents.name);
        let body = format!(
            "const queue = new library.Queue(queueName + '-all', {{ connection }});
             await (await queue.getJob('{parent}')).removeUnprocessedChildren(); return 'let go';"
        );
        assert_eq!(lab.script_of(library, &name, &body), "let go");
        assert_eq!(worker.done(1), [parent], "{library}: the parent runs");
    }
}
