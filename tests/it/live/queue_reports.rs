//! What users of other boards for Bull and BullMQ have reported, tried on a real Redis with real workers.

use super::Watch;
use super::queues::{Lab, named, queue, reading, sorted, unique};
use redis::AsyncCommands;
use stacktop::core::action::{Action, Outcome, Verdict};
use stacktop::core::focus::Focus;
use stacktop::core::redis::{JobAct, RedisAction, RetryOptions};
use std::time::Duration;

async fn retried(watch: &Watch, name: &str, ids: &[String], options: RetryOptions) -> Outcome {
    let act = RedisAction::Jobs { queue: named(name), ids: ids.to_vec(), act: JobAct::Retry(options) };
    watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome")
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
