//! What users of boards for Bull and BullMQ have reported of jobs that repeat, jobs for later, deduplication ids and flows, tried on a real
//! Redis with real libraries.

use super::Watch;
use super::queues::{Lab, named, queue, reading, sorted, unique};
use redis::AsyncCommands;
use stacktop::core::action::{Action, Outcome, Verdict};
use stacktop::core::alert::Rulebook;
use stacktop::core::focus::Focus;
use stacktop::core::redis::{JobAct, JobState, RedisAction, RetryOptions};
use stacktop::core::time::Clock;
use stacktop::core::world::{SystemState, all_rules};
use std::time::Duration;

const HOURS: f64 = 7_200_000.0;
/// Opens the queue as each library does it.
const OPENED: &str = "const bull = !library.Queue;
    const queue = bull ? new library(queueName, { redis: connection }) : new library.Queue(queueName, { connection });
    ";
/// Adds a repeatable job to it.
const REPEATED: &str = "await queue.add('mail', { order: 1 }, { repeat: { every: 3600000 } });
    ";

async fn done(watch: &Watch, name: &str, ids: &[String], act: JobAct) -> Outcome {
    let act = RedisAction::Jobs { queue: named(name), ids: ids.to_vec(), act };
    watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome")
}

/// What is found out about schedulers by somebody who begins to look now.
async fn schedulers(lab: &Lab, name: &str) -> Vec<String> {
    let mut watch = lab.watch(name);
    watch.poll().await.expect("a poll");
    let SystemState::Redis(state) = &watch.world.targets()[0].system else { panic!("a Redis server") };
    let rules = Rulebook::defaults(&all_rules());
    let found = stacktop::core::alert::judge(&**state, &watch.target.id, &rules, watch.clock.now());
    let is = |breach: &stacktop::core::alert::Breach| breach.rule.as_str() == "queue.scheduler";
    found.into_iter().filter(is).map(|breach| breach.sentence).collect()
}

/// Makes everything that repeats two hours late.
async fn two_hours_late(lab: &Lab, name: &str) {
    let mut client = lab.client().await;
    let key = named(name).key("repeat");
    let all: Vec<(String, f64)> = client.zrange_withscores(&key, 0, -1).await.expect("a set");
    assert!(!all.is_empty(), "{name} repeats nothing");
    for (id, score) in all {
        let () = client.zadd(&key, id, score - HOURS).await.expect("set");
    }
}

/// All delayed jobs were cleared, or the next one was removed: it was never repeated again, and everything looked well.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeatable_job_that_comes_no_more_is_told_until_it_is_added_again() {
    let test = "a_repeatable_job_that_comes_no_more_is_told_until_it_is_added_again";
    let Some(lab) = Lab::open(test) else { return };
    // (All that repeats in BullMQ 6 is a scheduler.)
    for generation in ["bull4", "bullmq3", "bullmq4", "bullmq50", "bullmq5"] {
        let name = unique(&format!("no-more-{generation}"));
        let clears = "if (bull) await queue.clean(0, 'delayed'); else await queue.drain(true);
            return (await queue.getDelayedCount()) + ' ' + (await queue.getRepeatableJobs()).length;";
        // The jobs of the clean are of the past for it.
        let waits = "await new Promise((then) => setTimeout(then, 20));";
        let left = lab.script_of(generation, &name, &format!("{OPENED}{REPEATED}{waits}{clears}"));
        let mut client = lab.client().await;
        if left != "0 1" {
            // Newer libraries keep it: somebody deleted it elsewhere.
            assert!(matches!(generation, "bullmq50" | "bullmq5"), "{generation}: {left}");
            let () = client.del(named(&name).key("delayed")).await.expect("gone");
            let jobs: Vec<String> = client.keys(named(&name).key("repeat:*:*")).await.expect("a list");
            let () = client.del(jobs).await.expect("gone");
        }
        assert_eq!(schedulers(&lab, &name).await, [""; 0], "{generation}: it is not due");
        two_hours_late(&lab, &name).await;
        let told = schedulers(&lab, &name).await;
        assert!(
            told.len() == 1 && told[0].contains("comes no more; its next one is gone"),
            "{generation}: {told:?}"
        );
        // One that only waits for a worker is none.
        let (_, score): (String, f64) = client
            .zrange_withscores::<_, Vec<_>>(named(&name).key("repeat"), 0, -1)
            .await
            .expect("a set")
            .remove(0);
        let id = format!("repeat:0cc175b9c0f1b6a831c399e269772661:{score:.0}");
        let () = client.lpush(named(&name).key("wait"), &id).await.expect("waits");
        assert_eq!(schedulers(&lab, &name).await, [""; 0], "{generation}: it waits");
        let () = client.del(named(&name).key("wait")).await.expect("gone");
        // What is advised.
        lab.script_of(generation, &name, &format!("{OPENED}{REPEATED} return 'added';"));
        assert_eq!(schedulers(&lab, &name).await, [""; 0], "{generation}: it was added again");
        // One that is over is removed by its key.
        two_hours_late(&lab, &name).await;
        assert_eq!(schedulers(&lab, &name).await.len(), 1, "{generation}");
        let removes = "const [one] = await queue.getRepeatableJobs();
            await queue.removeRepeatableByKey(one.key);
            return 'removed';";
        lab.script_of(generation, &name, &format!("{OPENED}{removes}"));
        assert_eq!(schedulers(&lab, &name).await, [""; 0], "{generation}: it was removed");
    }
}

/// A scheduler that had made as many jobs as it may, or whose last day was over, was told as one that is broken.
#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_that_has_ended_is_no_trouble() {
    let Some(lab) = Lab::open("a_scheduler_that_has_ended_is_no_trouble") else { return };
    for generation in ["bullmq5", "bullmq6"] {
        for (ends, keeps) in [("limit: 2", true), ("limit: 2", false), ("endDate: Date.now() + 700", false)] {
            let name = unique(&format!("ended-{generation}"));
            let body = format!(
                "const queue = new library.Queue(queueName, {{ connection }});
                 const worker = new library.Worker(queueName, async () => 1, {{ connection }});
                 await worker.waitUntilReady();
                 const template = {{ name: 'mail', data: {{ order: 1 }}, opts: {{ removeOnComplete: {} }} }};
                 await queue.upsertJobScheduler('short', {{ every: 300, {ends} }}, template);
                 await new Promise((then) => setTimeout(then, 2000));
                 await worker.close();
                 return (await queue.getDelayedCount()) + ' ' + (await queue.getJobSchedulers()).length;",
                !keeps
            );
            assert_eq!(lab.script_of(generation, &name, &body), "0 1", "{generation} {ends}");
            two_hours_late(&lab, &name).await;
            assert_eq!(schedulers(&lab, &name).await, [""; 0], "{generation} {ends}");
            let mut watch = lab.watch(&name);
            watch.poll_with(&[Focus::More { queue: named(&name) }]).await.expect("a poll");
            let seen = &reading(&watch).more.first().expect("a look").schedulers[0];
            assert!(seen.ended && seen.overdue.is_none(), "{generation} {ends}: {seen:?}");
        }
    }
}

/// Those that have ended stay in the set for ever, and were due long before one that is broken.
#[tokio::test(flavor = "multi_thread")]
async fn many_schedulers_that_have_ended_hide_none_that_is_broken() {
    let Some(lab) = Lab::open("many_schedulers_that_have_ended_hide_none_that_is_broken") else { return };
    let name = unique("many-ended");
    let body = "const queue = new library.Queue(queueName, { connection });
        await queue.upsertJobScheduler('nightly', { every: 3600000 }, { name: 'mail' });
        return (await queue.getJobSchedulers()).length;";
    assert_eq!(lab.script_of("bullmq5", &name, body), "1");
    let (mut client, key) = (lab.client().await, |part: &str| named(&name).key(part));
    let mut open: Vec<String> = client.zrange(key("delayed"), 0, -1).await.expect("jobs for later");
    open.extend(client.lrange::<_, Vec<String>>(key("wait"), 0, -1).await.expect("jobs that wait"));
    assert_eq!(open.len(), 1, "its next job");
    let gone = [key(&open[0]), key("delayed"), key("wait")];
    let () = client.del(&gone[..]).await.expect("gone");
    two_hours_late(&lab, &name).await;
    let score: f64 = client.zscore(key("repeat"), "nightly").await.expect("its time");
    for number in 0..120 {
        let id = format!("order-{number}");
        let own = [("name", "mail"), ("ic", "1"), ("limit", "1")];
        let () = client.hset_multiple(key(&format!("repeat:{id}")), &own).await.expect("set");
        let () = client.zadd(key("repeat"), id, score - HOURS).await.expect("set");
    }
    let found = schedulers(&lab, &name).await;
    assert!(found.len() == 1 && found[0].contains("nightly"), "{found:?}");
}

/// The next job of something that repeats was removed from a board, one by one or with all others, and it was never repeated again.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_job_of_what_repeats_is_not_removed_from_here() {
    let Some(lab) = Lab::open("the_next_job_of_what_repeats_is_not_removed_from_here") else { return };
    for generation in ["bull4", "bullmq3", "bullmq4", "bullmq50", "bullmq5"] {
        let name = unique(&format!("next-{generation}"));
        let body = format!("{OPENED}{REPEATED} return (await queue.getDelayed())[0].id;");
        let next = lab.script_of(generation, &name, &body);
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        let outcome =
            done(&watch, &name, std::slice::from_ref(&next), JobAct::Remove(JobState::Delayed)).await;
        assert_eq!(outcome.verdict, Verdict::Nothing, "{generation}: {outcome:?}");
        assert!(outcome.summary.contains("it is the next job of a scheduler"), "{generation}: {outcome:?}");
        // Run at once it makes the next one all the same.
        let worker = lab.worker(generation, &name);
        let outcome = done(&watch, &name, std::slice::from_ref(&next), JobAct::Promote).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        assert_eq!(worker.done(1), [next], "{generation}");
        watch.poll().await.expect("a poll");
        assert_eq!(queue(&watch).delayed, 1, "{generation}: and it goes on");
    }
}

/// A job that takes long, with this deduplication, is in the hands of a worker that dies; its id, and who is thrown away for it.
async fn orphaned(lab: &Lab, generation: &str, name: &str, deduplication: &str) -> String {
    let body = format!(
        "const queue = new library.Queue(queueName, {{ connection }});
         const opts = {{ deduplication: {deduplication} }};
         let began;
         const begins = new Promise((then) => {{ began = then; }});
         const worker = new library.Worker(queueName, () => {{ began(); return new Promise(() => {{}}); }}, {{ connection }});
         const job = await queue.add('mail', {{ order: 1 }}, opts);
         await begins;
         const other = await queue.add('mail', {{ order: 2 }}, opts);
         return job.id + ' ' + other.id;"
    );
    let ids = lab.script_of(generation, name, &body);
    let (id, other) = ids.split_once(' ').expect("two ids");
    assert_eq!(id, other, "{generation}: the second one was deduplicated");
    let mut client = lab.client().await;
    let gone = [named(name).key(&format!("{id}:lock")), named(name).key("stalled-check")];
    let () = client.del(&gone).await.expect("nobody holds it or looks for it");
    id.to_owned()
}

/// A job was failed by hand while its deduplication id stayed: every later job of that id was thrown away, and nothing said so.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_given_up_lets_the_next_of_its_deduplication_id_in() {
    let test = "a_job_that_is_given_up_lets_the_next_of_its_deduplication_id_in";
    let Some(lab) = Lab::open(test) else { return };
    for generation in ["bullmq5", "bullmq6"] {
        let name = unique(&format!("given-up-{generation}"));
        let id = orphaned(&lab, generation, &name, "{ id: 'one' }").await;
        let watch = lab.watch(&name);
        let outcome = done(&watch, &name, std::slice::from_ref(&id), JobAct::GiveUp).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let body = "const queue = new library.Queue(queueName, { connection });
             return (await queue.add('mail', { order: 3 }, { deduplication: { id: 'one' } })).id;";
        let next = lab.script_of(generation, &name, body);
        assert_ne!(next, id, "{generation}: it was thrown away");
        assert_eq!(lab.worker(generation, &name).done(1), [next], "{generation}");
        // One that is deduplicated for a time stays so, as its library has it.
        let name = unique(&format!("for-a-time-{generation}"));
        let id = orphaned(&lab, generation, &name, "{ id: 'one', ttl: 600000 }").await;
        let watch = lab.watch(&name);
        assert_eq!(
            done(&watch, &name, std::slice::from_ref(&id), JobAct::GiveUp).await.verdict,
            Verdict::Done
        );
        assert_eq!(lab.script_of(generation, &name, body), id, "{generation}");
    }
}

/// What waited for the end of a job of its deduplication id was lost when that was failed by hand, or came long after it was removed.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_end_of_a_job_is_neither_lost_nor_late() {
    let Some(lab) = Lab::open("what_waits_for_the_end_of_a_job_is_neither_lost_nor_late") else { return };
    for generation in ["bullmq5", "bullmq6"] {
        let name = unique(&format!("after-{generation}"));
        let keep = "{ id: 'one', keepLastIfActive: true }";
        let id = orphaned(&lab, generation, &name, keep).await;
        let watch = lab.watch(&name);
        let ids = std::slice::from_ref(&id);
        let outcome = done(&watch, &name, ids, JobAct::GiveUp).await;
        assert_eq!(outcome.verdict, Verdict::Nothing, "{generation}: {outcome:?}");
        assert!(outcome.summary.contains("waits for its end"), "{generation}: {outcome:?}");
        // What is advised: both run.
        assert_eq!(done(&watch, &name, ids, JobAct::Release).await.verdict, Verdict::Done, "{generation}");
        let worker = lab.worker(generation, &name);
        let ran = worker.done(2);
        assert!(ran[0] == id && ran[1] != id, "{generation}: {ran:?}");
        drop(worker);
        // One that is removed takes along what waited for its end, as its library has it.
        let name = unique(&format!("after-removed-{generation}"));
        let id = orphaned(&lab, generation, &name, keep).await;
        let watch = lab.watch(&name);
        let ids = std::slice::from_ref(&id);
        assert_eq!(done(&watch, &name, ids, JobAct::Release).await.verdict, Verdict::Done, "{generation}");
        let outcome = done(&watch, &name, ids, JobAct::Remove(JobState::Waiting)).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let body = format!(
            "const queue = new library.Queue(queueName, {{ connection }});
             return (await queue.add('mail', {{ order: 3 }}, {{ deduplication: {keep} }})).id;"
        );
        let next = lab.script_of(generation, &name, &body);
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.done(1), [next], "{generation}");
        assert_eq!(worker.line(2).map(|(_, line)| line), None, "{generation}: a job that was removed ran");
    }
}

/// One job with a time that is none took the whole page down, and a delay that was changed was shown as it had been.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_is_none_costs_itself_only_and_a_changed_delay_is_shown() {
    let test = "a_time_that_is_none_costs_itself_only_and_a_changed_delay_is_shown";
    let Some(lab) = Lab::open(test) else { return };
    for generation in ["bull4", "bullmq3", "bullmq4", "bullmq5", "bullmq6"] {
        let name = unique(&format!("times-{generation}"));
        let ids = lab.run(generation, "delay", &name, "3");
        let ids: Vec<String> = ids.split(' ').map(str::to_owned).collect();
        let changed = generation != "bull4";
        if changed {
            let body = format!(
                "const queue = new library.Queue(queueName, {{ connection }});
                 await (await queue.getJob('{}')).changeDelay(7200000);
                 return 'changed';",
                ids[0]
            );
            assert_eq!(lab.script_of(generation, &name, &body), "changed");
        }
        let mut client = lab.client().await;
        let odd = [
            ("timestamp", "NaN"),
            ("delay", "tomorrow"),
            ("priority", "1e3"),
            ("opts", "{\"delay\":\"1000\"}"),
        ];
        let () = client.hset_multiple(named(&name).key(&ids[1]), &odd).await.expect("set");
        let odd = [("timestamp", "1790000000000.5"), ("delay", "-1"), ("opts", "undefined"), ("data", "")];
        let () = client.hset_multiple(named(&name).key(&ids[2]), &odd).await.expect("set");
        let mut watch = lab.watch(&name);
        watch.poll_with(&[Focus::OpenJobs { queue: named(&name) }]).await.expect("a poll");
        let list = reading(&watch).lists.first().expect("a list");
        let seen = list.jobs.iter().map(|job| job.id.clone()).collect();
        assert_eq!(sorted(seen), sorted(ids.clone()), "{generation}");
        let hours = |id: &String| {
            let job = list.jobs.iter().find(|job| job.id == *id).expect("it");
            job.due_in.expect("a time").as_secs_f64() / 3600.0
        };
        let expected = if changed { 2.0 } else { 1.0 };
        assert!((hours(&ids[0]) - expected).abs() < 0.1, "{generation}: {}", hours(&ids[0]));
        assert!((hours(&ids[1]) - 1.0).abs() < 0.1 && (hours(&ids[2]) - 1.0).abs() < 0.1, "{generation}");
        // Each opens, and runs.
        for id in &ids {
            watch.poll_with(&[Focus::Job { queue: named(&name), id: id.clone() }]).await.expect("a poll");
        }
        let outcome = done(&watch, &name, &ids[..1], JobAct::Promote).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        assert_eq!(lab.worker(generation, &name).done(1), ids[..1], "{generation}");
    }
}

/// Waits until the library has written down that the only job of the queue is done: its worker says so before.
async fn until_completed(watch: &mut Watch, generation: &str) {
    for _ in 0..100 {
        watch.poll().await.expect("a poll");
        if queue(watch).completed == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{generation}: it was not completed");
}

/// A child was retried after its parent had failed with it: the parent could not be retried then, or ran without the child's result.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_that_failed_with_its_child_is_retried_after_it() {
    let Some(lab) = Lab::open("a_parent_that_failed_with_its_child_is_retried_after_it") else { return };
    for generation in ["bullmq3", "bullmq4", "bullmq5", "bullmq6"] {
        let name = unique(&format!("fails-with-{generation}"));
        let parts = format!("{name}-parts");
        let ids = lab.script_of(
            generation,
            &name,
            "const flow = new library.FlowProducer({ connection });
             const fails = new library.Worker(queueName + '-parts', async () => { throw new Error('no'); }, { connection });
             const above = new library.Worker(queueName, async () => 1, { connection });
             const tree = await flow.add({ name: 'mail', queueName, data: { order: 9 }, opts: { attempts: 1 },
               children: [{ name: 'mail', queueName: queueName + '-parts', data: { order: 1 }, opts: { failParentOnFailure: true, attempts: 1 } }] });
             const queue = new library.Queue(queueName, { connection });
             while (await queue.getFailedCount() === 0) await new Promise((then) => setTimeout(then, 20));
             await fails.close(); await above.close();
             return tree.job.id + ' ' + tree.children[0].job.id;",
        );
        let (parent, child) = ids.split_once(' ').expect("two ids");
        let (parent, child) = (parent.to_owned(), child.to_owned());
        let retry = JobAct::Retry(RetryOptions::default());
        let mut watch = lab.watch(&parts);
        watch.poll().await.expect("a poll");
        let outcome = done(&watch, &parts, std::slice::from_ref(&child), retry).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let worker = lab.worker(generation, &parts);
        assert_eq!(worker.done(1), [child], "{generation}");
        until_completed(&mut watch, generation).await;
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        let outcome = done(&watch, &name, std::slice::from_ref(&parent), retry).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.done(1), [parent], "{generation}: the parent runs");
        assert_eq!(worker.line(1).map(|(_, line)| line), None, "{generation}: once");
        until_completed(&mut watch, generation).await;
        assert_eq!(queue(&watch).failed, 0, "{generation}");
    }
}
