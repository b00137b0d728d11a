//! What users of other boards for Bull and BullMQ have reported, tried on a real Redis with real workers.

use super::Watch;
use super::queues::{Lab, named, queue, reading, sorted, unique};
use redis::AsyncCommands;
use stacktop::core::action::{Action, Outcome, Verdict};
use stacktop::core::focus::Focus;
use stacktop::core::place::Screen;
use stacktop::core::redis::{Change, JobAct, JobState, RedisAction, RedisRow, RetryOptions};
use stacktop::core::row::RowKey;
use stacktop::panels::panel;
use std::time::Duration;

async fn retried(watch: &Watch, name: &str, ids: &[String], options: RetryOptions) -> Outcome {
    let act = RedisAction::Jobs { queue: named(name), ids: ids.to_vec(), act: JobAct::Retry(options) };
    watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome")
}

async fn done(watch: &Watch, name: &str, ids: &[String], act: JobAct) {
    let act = RedisAction::Jobs { queue: named(name), ids: ids.to_vec(), act };
    let outcome =
        watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
}

/// A job that stalled too often carries the order to fail it; some versions leave it there, and a retry failed again at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_stalled_too_often_runs_when_it_is_retried() {
    let Some(lab) = Lab::open("a_job_that_stalled_too_often_runs_when_it_is_retried") else { return };
    for (generation, count) in [("bullmq5", "stc"), ("bullmq6", "stc"), ("bull4", "stalledCounter")] {
        let name = unique(&format!("stalled-{generation}"));
        let ids = lab.failed(generation, &name, 1);
        let mut client = lab.client().await;
        let hash = named(&name).key(&ids[0]);
        let fields = [("defa", "job stalled more than allowable limit"), (count, "3")];
        let () = client.hset_multiple(&hash, &fields).await.expect("set");
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        let options = RetryOptions { reset_attempts: true, ..RetryOptions::default() };
        let outcome = retried(&watch, &name, &ids, options).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let left: Option<String> = client.hget(&hash, count).await.expect("read");
        assert_eq!(left, None, "{generation}: it may stall as often as a new one");
        assert_eq!(lab.worker(generation, &name).done(1), ids, "{generation}");
    }
}

/// What was retried while the queue was paused stayed behind when its library resumed it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_retried_while_paused_runs_after_the_librarys_own_resume() {
    let Some(lab) = Lab::open("what_is_retried_while_paused_runs_after_the_librarys_own_resume") else {
        return;
    };
    for generation in ["bull4", "bullmq3", "bullmq5", "bullmq6"] {
        let name = unique(&format!("paused-{generation}"));
        let failed = lab.failed(generation, &name, 3);
        lab.run(generation, "pause", &name, "");
        let waiting = lab.run(generation, "add", &name, "2");
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        assert!(queue(&watch).paused, "{generation}");
        let outcome = retried(&watch, &name, &failed, RetryOptions::default()).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let worker = lab.worker(generation, &name);
        lab.run(generation, "resume", &name, "");
        let all = waiting.split(' ').map(str::to_owned).chain(failed).collect();
        assert_eq!(sorted(worker.done(5)), sorted(all), "{generation}");
    }
}

/// Jobs with a priority were not counted among those that wait.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_with_a_priority_wait_as_others_do() {
    let Some(lab) = Lab::open("jobs_with_a_priority_wait_as_others_do") else { return };
    for generation in ["bull4", "bullmq3", "bullmq4", "bullmq5", "bullmq6"] {
        let name = unique(&format!("ranked-{generation}"));
        lab.run(generation, "rank", &name, "3,1,2");
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        assert_eq!(queue(&watch).backlog(), 3, "{generation}");
    }
}

/// After a retry that failed again the reason of the first failure was shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_fails_again_shows_its_newest_reason() {
    let Some(lab) = Lab::open("a_retry_that_fails_again_shows_its_newest_reason") else { return };
    for generation in ["bull4", "bullmq5"] {
        let name = unique(&format!("again-{generation}"));
        let ids = lab.failed(generation, &name, 1);
        let _worker = lab.broken_worker(generation, &name, 0);
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        retried(&watch, &name, &ids, RetryOptions::default()).await;
        let focus = [Focus::FailedJobs { queue: named(&name), offset: 0, limit: 10 }];
        let mut reason = String::new();
        for _ in 0..50 {
            watch.poll_with(&focus).await.expect("a poll");
            let page = reading(&watch).failed.first();
            reason = page
                .and_then(|page| page.jobs.first())
                .map_or_else(String::new, |job| job.reason.to_string());
            if reason.contains("still broken") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(reason, "still broken", "{generation}");
    }
}

/// A failed child whose parent does not care could not be retried: its parent keeps such children in another kind of key.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_child_that_its_parent_ignores_is_retried() {
    let Some(lab) = Lab::open("a_failed_child_that_its_parent_ignores_is_retried") else { return };
    for generation in ["bullmq4", "bullmq5", "bullmq6"] {
        let name = unique(&format!("ignored-{generation}"));
        let child = lab.script_of(
            generation,
            &name,
            "const flow = new library.FlowProducer({ connection });
             const worker = new library.Worker(queueName, async () => { throw new Error('no'); }, { connection });
             const opts = { ignoreDependencyOnFailure: true, attempts: 1 };
             const failed = new Promise((then) => worker.on('failed', then));
             const tree = await flow.add({ name: 'mail', queueName: queueName + '-all', data: { order: 9 },
               children: [{ name: 'mail', queueName, data: { order: 1 }, opts }] });
             await failed;
             await worker.close();
             return tree.children[0].job.id;",
        );
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        let outcome = retried(&watch, &name, std::slice::from_ref(&child), RetryOptions::default()).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.done(1), [child], "{generation}");
        let parent = lab.worker(generation, &format!("{name}-all"));
        assert_eq!(parent.done(1).len(), 1, "{generation}: the parent runs, once");
        assert_eq!(parent.line(1).map(|(_, line)| line), None, "{generation}");
    }
}

/// What wakes workers of older versions lay among the jobs in progress after a worker died over it: boards showed a job that is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_marker_among_the_jobs_in_progress_is_no_job() {
    let Some(lab) = Lab::open("a_marker_among_the_jobs_in_progress_is_no_job") else { return };
    for generation in ["bullmq3", "bullmq4"] {
        let name = unique(&format!("marker-{generation}"));
        lab.run(generation, "delay", &name, "1");
        let mut client = lab.client().await;
        let () = client.lpush(named(&name).key("active"), "0:1754000000000").await.expect("a marker");
        let mut watch = lab.watch(&name);
        let open = [Focus::OpenJobs { queue: named(&name) }];
        for second in 0..14 {
            watch.poll_with(&open).await.expect("a poll");
            if second > 1 && queue(&watch).active == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let read = queue(&watch);
        assert_eq!((read.active, read.stalled, read.delayed), (0, 0, 1), "{generation}");
        let lists = &reading(&watch).lists;
        let active =
            lists.iter().flat_map(|list| &list.jobs).filter(|job| job.state == JobState::Active).count();
        assert_eq!(active, 0, "{generation}: {lists:?}");
        // One that runs beside it is one.
        let _worker = lab.slow_worker(generation, &name, 60_000);
        lab.run(generation, "add", &name, "1");
        for _ in 0..100 {
            watch.poll().await.expect("a poll");
            if queue(&watch).active == 1 && queue(&watch).waiting == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert_eq!((queue(&watch).active, queue(&watch).stalled), (1, 0), "{generation}");
    }
}

/// A failed job that was removed took the deduplication id of a newer one along, and a third was added.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_job_leaves_the_deduplication_id_of_a_newer_one() {
    let Some(lab) = Lab::open("a_removed_job_leaves_the_deduplication_id_of_a_newer_one") else { return };
    for generation in ["bullmq5", "bullmq6"] {
        let name = unique(&format!("twins-{generation}"));
        let ids = lab.script_of(
            generation,
            &name,
            "const queue = new library.Queue(queueName, { connection });
             const opts = { deduplication: { id: 'one' } };
             const worker = new library.Worker(queueName, async () => { throw new Error('no'); }, { connection });
             const failed = new Promise((then) => worker.on('failed', then));
             const first = await queue.add('mail', { order: 1 }, opts);
             await failed;
             await worker.close();
             const second = await queue.add('mail', { order: 2 }, { ...opts, delay: 3600000 });
             return first.id + ' ' + second.id;",
        );
        let (first, second) = ids.split_once(' ').expect("two jobs");
        assert_ne!(first, second, "{generation}");
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        done(&watch, &name, &[first.to_owned()], JobAct::Remove(JobState::Failed)).await;
        let third = lab.script_of(
            generation,
            &name,
            "const queue = new library.Queue(queueName, { connection });
             const third = await queue.add('mail', { order: 3 }, { deduplication: { id: 'one' }, delay: 3600000 });
             return third.id;",
        );
        assert_eq!(third, second, "{generation}: no third one was added");
    }
}

/// The logs of removed jobs stayed, and those of the next job with that id followed them.
#[tokio::test(flavor = "multi_thread")]
async fn a_removed_job_leaves_nothing_behind() {
    let Some(lab) = Lab::open("a_removed_job_leaves_nothing_behind") else { return };
    for generation in ["bull4", "bullmq3", "bullmq5", "bullmq6"] {
        let name = unique(&format!("logs-{generation}"));
        let ids = lab.failed(generation, &name, 1);
        lab.run(generation, "log", &name, &ids[0]);
        let mut client = lab.client().await;
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        done(&watch, &name, &ids, JobAct::Remove(JobState::Failed)).await;
        let left: Vec<String> =
            client.keys(format!("{}*", named(&name).key(&ids[0]))).await.expect("a list of keys");
        assert!(left.is_empty(), "{generation}: {left:?}");
    }
}

/// A promoted job of a paused queue was put where it was not found again, or ran at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_promoted_while_paused_waits_and_runs_after_the_librarys_own_resume() {
    let Some(lab) = Lab::open("what_is_promoted_while_paused_waits_and_runs_after_the_librarys_own_resume")
    else {
        return;
    };
    for generation in ["bull4", "bullmq3", "bullmq4", "bullmq5", "bullmq6"] {
        let name = unique(&format!("promoted-{generation}"));
        let delayed = lab.run(generation, "delay", &name, "2");
        let delayed: Vec<String> = delayed.split(' ').map(str::to_owned).collect();
        let worker = lab.worker(generation, &name);
        lab.run(generation, "pause", &name, "");
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        done(&watch, &name, &delayed, JobAct::Promote).await;
        assert_eq!(
            worker.line(2).map(|(_, line)| line),
            None,
            "{generation}: nothing runs while it is paused"
        );
        watch.poll().await.expect("a poll");
        assert_eq!((queue(&watch).waiting, queue(&watch).stranded), (2, 0), "{generation}");
        lab.run(generation, "resume", &name, "");
        assert_eq!(sorted(worker.done(2)), sorted(delayed), "{generation}");
    }
}

/// Long ids were shown as numbers (`1e+8`), and not found.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_very_long_number_is_retried_as_itself() {
    let Some(lab) = Lab::open("a_job_with_a_very_long_number_is_retried_as_itself") else { return };
    for generation in ["bull4", "bullmq5", "bullmq6"] {
        // (Bull itself loses its own jobs from 1e+15 on.)
        let numbers: &[u64] =
            if generation == "bull4" { &[99_999_999] } else { &[99_999_999, 999_999_999_999_998] };
        for before in numbers {
            let name = unique(&format!("long-{generation}"));
            let mut client = lab.client().await;
            let () = client.set(named(&name).key("id"), before).await.expect("set");
            let ids = lab.failed(generation, &name, 1);
            let mut watch = lab.watch(&name);
            watch.poll().await.expect("a poll");
            let outcome = retried(&watch, &name, &ids, RetryOptions::default()).await;
            assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
            assert_eq!(lab.worker(generation, &name).done(1), ids, "{generation}");
        }
    }
}

/// A worker that looks for no stalled jobs died over one: it was shown as running for ever, and nothing brought it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_workers_look_for_no_stalled_ones_is_told_and_brought_back() {
    let Some(lab) = Lab::open("a_job_whose_workers_look_for_no_stalled_ones_is_told_and_brought_back") else {
        return;
    };
    for generation in ["bullmq5", "bullmq6"] {
        let name = unique(&format!("unlooked-{generation}"));
        let id = lab.script_of(
            generation,
            &name,
            "const queue = new library.Queue(queueName, { connection });
             const job = await queue.add('mail', { order: 1 });
             const started = new Promise((then) => {
               new library.Worker(queueName, () => { then(); return new Promise(() => {}); },
                 { connection, skipStalledCheck: true, lockDuration: 1000 });
             });
             await started;
             return job.id;",
        );
        let mut watch = lab.watch(&name);
        for _ in 0..30 {
            watch.poll().await.expect("a poll");
            if queue(&watch).stalled == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        assert_eq!((queue(&watch).active, queue(&watch).stalled), (1, 1), "{generation}");
        let firing = watch.world.alerts.firing();
        assert!(
            firing.iter().any(|finding| finding.breach.rule.as_str().starts_with("queue.")),
            "{generation}: {firing:?}"
        );
        done(&watch, &name, std::slice::from_ref(&id), JobAct::Release).await;
        assert_eq!(lab.worker(generation, &name).done(1), [id], "{generation}");
    }
}

/// What waited for the end of a job by its deduplication id went with it, and nothing named it: it is named before, kept, and put back.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_the_end_of_a_removed_job_is_named_kept_and_put_back() {
    let test = "what_waits_for_the_end_of_a_removed_job_is_named_kept_and_put_back";
    let Some(lab) = Lab::open(test) else { return };
    for generation in ["bullmq5", "bullmq6"] {
        let name = unique(&format!("behind-{generation}"));
        let id = lab.script_of(
            generation,
            &name,
            "const queue = new library.Queue(queueName, { connection });
             const opts = { attempts: 3, backoff: 600000, deduplication: { id: 'one', keepLastIfActive: true } };
             const first = await queue.add('mail', { order: 1 }, opts);
             let began, fail;
             const begun = new Promise((then) => { began = then; });
             const failing = new Promise((then) => { fail = then; });
             const worker = new library.Worker(queueName, async () => { began(); await failing; throw new Error('no'); }, { connection });
             await begun;
             await queue.add('mail', { order: 2 }, opts);
             const failed = new Promise((then) => worker.on('failed', then));
             fail();
             await failed;
             await worker.close();
             return first.id;",
        );
        let queue = named(&name);
        let mut client = lab.client().await;
        let behind = |kind: &str| queue.key(&format!("{kind}:one"));
        let there: (bool, bool) = (
            client.exists(behind("de")).await.expect("read"),
            client.exists(behind("dn")).await.expect("read"),
        );
        assert_eq!(
            there,
            (true, true),
            "{generation}: the library keeps the next one while its job is delayed"
        );
        let mut watch = lab.watch(&name);
        watch.poll_with(&[Focus::OpenJobs { queue: queue.clone() }]).await.expect("a poll");
        let row = RowKey::Redis(
            watch.target.id.clone(),
            RedisRow::Job(queue.clone(), id.clone(), Some(JobState::Delayed)),
        );
        let offers = panel(Screen::Queues).offers(watch.context(), &[], &row, &[]);
        let removal = offers.into_iter().find(|offer| offer.letter == 'd').expect("a removal");
        let (action, preview) = removal.choice.expect("it is offered");
        let says = format!("mail (behind {id})");
        assert!(preview.facts.iter().any(|(_, words)| words.contains(&says)), "{generation}: {preview:?}");
        let outcome = watch.act(action).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
        assert!(outcome.summary.contains("with the next one of its deduplication id"), "{outcome:?}");
        let there: u64 = client.exists(&[behind("de"), behind("dn")]).await.expect("read");
        assert_eq!(there, 0, "{generation}: as with the library's own removal");
        let file = std::fs::read_to_string(watch.folder.path().join("removed-jobs.jsonl")).expect("the file");
        let line: serde_json::Value = serde_json::from_str(file.trim()).expect("a line");
        assert_eq!(line["next"]["data"], "{\"order\":2}", "{generation}: {line}");
        // Put back, both run, one after the other.
        let back = Action::Redis {
            target: watch.target.id.clone(),
            act: RedisAction::Change { queue: queue.clone(), change: Change::PutBack },
        };
        let outcome = watch.act(back.clone()).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
        assert!(outcome.details[0].1.contains("with the next one"), "{outcome:?}");
        // Removed once more, and another has the id by then: its job comes back alone, and that is said.
        done(&watch, &name, std::slice::from_ref(&id), JobAct::Remove(JobState::Delayed)).await;
        let () = client.set(behind("de"), "77").await.expect("set");
        let outcome = watch.act(back.clone()).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Partly, "{outcome:?}");
        assert!(outcome.summary.contains("1 without the next one"), "{outcome:?}");
        let owner: String = client.get(behind("de")).await.expect("read");
        assert_eq!(owner, "77", "{generation}");
        // Once more with both, to see them run.
        let () = client.set(behind("de"), &id).await.expect("set");
        let next = [("name", "mail"), ("data", "{\"order\":2}"), ("opts", "{\"attempts\":1}"), ("jid", "99")];
        let () = client.hset_multiple(behind("dn"), &next).await.expect("set");
        done(&watch, &name, std::slice::from_ref(&id), JobAct::Remove(JobState::Delayed)).await;
        watch.act(back).await.expect("an outcome");
        done(&watch, &name, std::slice::from_ref(&id), JobAct::Promote).await;
        assert_eq!(lab.worker(generation, &name).done(2), [id, "99".to_owned()], "{generation}");
    }
}
