//! What is done to queues and their jobs, against the real libraries of every generation: none lost, none early, order kept.

use super::queues::{GENERATIONS, Lab, named, queue, sorted, unique};
use super::{Watch, server};
use redis::AsyncCommands;
use stacktop::config::target::{Connect, RedisConnect};
use stacktop::config::url;
use stacktop::core::action::{Action, ActionError, Outcome, Verdict};
use stacktop::core::redis::{JobAct, JobState, RedisAction, RetryOptions};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A patient worker that nobody wakes looks again after ten seconds by itself.
const AWAKE: Duration = Duration::from_secs(9);

async fn act(watch: &Watch, act: RedisAction) -> Outcome {
    watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome")
}

async fn each(watch: &Watch, name: &str, ids: &[String], deed: JobAct) -> Outcome {
    act(watch, RedisAction::Jobs { queue: named(name), ids: ids.to_vec(), act: deed }).await
}

fn ids(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn our_pause_and_resume_are_the_library_s_own() {
    let Some(lab) = Lab::open("our_pause_and_resume_are_the_library_s_own").map(Lab::patient) else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("switch-{generation}"));
        let first = ids(&lab.run(generation, "add", &name, "2"));
        let mut watch = lab.watch(&name);
        assert_eq!(
            act(&watch, RedisAction::Pause { queue: named(&name) }).await.verdict,
            Verdict::Done,
            "{generation}"
        );
        // The library itself takes the queue for paused: what it adds now waits, too.
        let second = ids(&lab.run(generation, "add", &name, "2"));
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.line(2).map(|(_, line)| line), None, "{generation} ran a job despite the pause");
        watch.poll().await.expect("a poll");
        assert!(queue(&watch).paused && queue(&watch).waiting == 4, "{generation}: {:?}", queue(&watch));
        let again = act(&watch, RedisAction::Pause { queue: named(&name) }).await;
        assert_eq!(again.verdict, Verdict::Nothing, "{generation}");
        let began = Instant::now();
        let resumed = act(&watch, RedisAction::Resume { queue: named(&name) }).await;
        assert_eq!(resumed.verdict, Verdict::Done, "{generation}");
        let all: Vec<String> = first.into_iter().chain(second).collect();
        assert_eq!(worker.done(4), all, "{generation}: all of them, in their order");
        assert!(began.elapsed() < AWAKE, "{generation}: its worker was not woken");
        // What the library paused, we resume; and the other way round.
        lab.run(generation, "pause", &name, "");
        let third = ids(&lab.run(generation, "add", &name, "1"));
        act(&watch, RedisAction::Resume { queue: named(&name) }).await;
        assert_eq!(worker.done(1), third, "{generation}");
        act(&watch, RedisAction::Pause { queue: named(&name) }).await;
        let fourth = ids(&lab.run(generation, "add", &name, "1"));
        lab.run(generation, "resume", &name, "");
        assert_eq!(worker.done(1), fourth, "{generation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_in_both_lists_keep_their_order() {
    let Some(lab) = Lab::open("jobs_in_both_lists_keep_their_order") else { return };
    let name = &unique("both-lists");
    let mut client = lab.client().await;
    let () = client.hset(named(name).key("meta"), "version", "bullmq:5.81.3").await.expect("set");
    let list = |from: usize, to: usize| (from..to).map(|n| n.to_string()).collect::<Vec<_>>();
    // Heads are newest: 0 is the oldest of all.
    let push = async |client: &mut redis::aio::MultiplexedConnection, key: &str, ids: Vec<String>| {
        let () = client.lpush(named(name).key(key), ids).await.expect("pushed");
    };
    push(&mut client, "paused", list(0, 5000)).await;
    push(&mut client, "wait", list(5000, 9000)).await;
    let watch = lab.watch(name);
    act(&watch, RedisAction::Resume { queue: named(name) }).await;
    let waiting: Vec<String> = client.lrange(named(name).key("wait"), 0, -1).await.expect("a list");
    assert_eq!(waiting.into_iter().rev().collect::<Vec<_>>(), list(0, 9000));
    push(&mut client, "paused", list(0, 3)).await;
    let () = client.del(named(name).key("wait")).await.expect("gone");
    push(&mut client, "wait", list(3, 5003)).await;
    act(&watch, RedisAction::Pause { queue: named(name) }).await;
    let held: Vec<String> = client.lrange(named(name).key("paused"), 0, -1).await.expect("a list");
    assert_eq!(held.into_iter().rev().collect::<Vec<_>>(), list(0, 5003));
    assert_eq!(client.llen::<_, usize>(named(name).key("wait")).await.expect("a length"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_job_is_promoted_and_picked_up() {
    let Some(lab) = Lab::open("a_delayed_job_is_promoted_and_picked_up").map(Lab::patient) else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("promote-{generation}"));
        let delayed = ids(&lab.run(generation, "delay", &name, "3"));
        let worker = lab.worker(generation, &name);
        let mut watch = lab.watch(&name);
        let began = Instant::now();
        let outcome = each(&watch, &name, &delayed[..2], JobAct::Promote).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        assert_eq!(sorted(worker.done(2)), sorted(delayed[..2].to_vec()), "{generation}");
        assert!(began.elapsed() < AWAKE, "{generation}: its worker was not woken");
        watch.poll().await.expect("a poll");
        assert_eq!(queue(&watch).delayed, 1, "{generation}");
        let twice = each(&watch, &name, &delayed[..1], JobAct::Promote).await;
        assert_eq!(twice.verdict, Verdict::Nothing, "{generation}: {twice:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_in_a_group_of_pro_are_left_alone() {
    let Some(lab) = Lab::open("jobs_in_a_group_of_pro_are_left_alone") else { return };
    let name = &unique("grouped");
    let ids = lab.failed("bullmq5", name, 3);
    let mut client = lab.client().await;
    let () = client.hset(named(name).key(&ids[0]), "gid", "tenant-7").await.expect("set");
    let options = r#"{"attempts":1,"group":{"id":"tenant-7"}}"#;
    let () = client.hset(named(name).key(&ids[1]), "opts", options).await.expect("set");
    let watch = lab.watch(name);
    let outcome = each(&watch, name, &ids, JobAct::Retry(RetryOptions::default())).await;
    assert_eq!(outcome.verdict, Verdict::Partly, "{outcome:?}");
    for id in &ids[..2] {
        let told = outcome.details.iter().find(|(job, _)| *job == format!("job {id}")).expect("it is named");
        assert!(told.1.contains("group of BullMQ Pro"), "{outcome:?}");
        let failed: Option<f64> = client.zscore(named(name).key("failed"), id).await.expect("a score");
        assert!(failed.is_some(), "{id} stays where it is");
    }
    let waiting: Vec<String> = client.lrange(named(name).key("wait"), 0, -1).await.expect("a list");
    assert_eq!(waiting, ids[2..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_by_priority_stands_in_line() {
    let Some(lab) = Lab::open("a_retry_by_priority_stands_in_line") else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("rank-{generation}"));
        // The failed ones have priorities 5, 1 and 3; one of priority 4 waits already.
        let failed = ids(&lab.run(generation, "failrank", &name, "5,1,3"));
        let waiting = ids(&lab.run(generation, "rank", &name, "4"));
        let watch = lab.watch(&name);
        let options = RetryOptions { keep_priority: true, ..RetryOptions::default() };
        assert_eq!(each(&watch, &name, &failed, JobAct::Retry(options)).await.verdict, Verdict::Done);
        let worker = lab.worker(generation, &name);
        let expected = [&failed[1], &failed[2], &waiting[0], &failed[0]].map(Clone::clone);
        assert_eq!(worker.done(4), expected, "{generation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_one_more_or_all_again() {
    let Some(lab) = Lab::open("attempts_are_one_more_or_all_again") else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("tries-{generation}"));
        assert_eq!(lab.run(generation, "tire", &name, "a1"), "3", "{generation}");
        let watch = lab.watch(&name);
        let job = ["a1".to_owned()];
        each(&watch, &name, &job, JobAct::Retry(RetryOptions::default())).await;
        assert_eq!(lab.run(generation, "tire", &name, ""), "1", "{generation}: one more run");
        let options = RetryOptions { reset_attempts: true, ..RetryOptions::default() };
        each(&watch, &name, &job, JobAct::Retry(options)).await;
        assert_eq!(lab.run(generation, "tire", &name, ""), "3", "{generation}: all attempts again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_job_is_gone_for_its_library_and_kept_in_a_file() {
    let Some(lab) = Lab::open("a_removed_job_is_gone_for_its_library_and_kept_in_a_file") else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("remove-{generation}"));
        let failed = lab.failed(generation, &name, 2);
        let waiting = ids(&lab.run(generation, "rank", &name, "2"));
        let delayed = ids(&lab.run(generation, "delay", &name, "1"));
        let plain = ids(&lab.run(generation, "add", &name, "1"));
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        let ranked = if queue(&watch).prioritized > 0 { JobState::Prioritized } else { JobState::Waiting };
        for (list, state) in [
            (&failed[..1], JobState::Failed),
            (&waiting[..], ranked),
            (&delayed[..], JobState::Delayed),
            (&plain[..], JobState::Waiting),
        ] {
            let outcome = each(&watch, &name, list, JobAct::Remove(state)).await;
            assert_eq!(outcome.verdict, Verdict::Done, "{generation} {state:?}: {outcome:?}");
        }
        let counts: serde_json::Value =
            serde_json::from_str(&lab.run(generation, "counts", &name, "")).expect("JSON");
        let left: u64 =
            counts.as_object().expect("counts").values().filter_map(serde_json::Value::as_u64).sum();
        assert_eq!(left, 1, "{generation}: {counts}");
        let mut client = lab.client().await;
        let keys: Vec<String> =
            client.keys(named(&name).key(&format!("{}*", failed[0]))).await.expect("keys");
        assert!(keys.is_empty(), "{generation} left {keys:?}");
        let file = std::fs::read_to_string(watch.folder.path().join("removed-jobs.jsonl")).expect("the file");
        assert_eq!(file.lines().count(), 4, "{generation}");
        assert!(file.contains(&format!("\"id\":\"{}\"", failed[0])) && file.contains("order"), "{file}");
        // It changed its state meanwhile, or a worker has it: it stays.
        let wrong = each(&watch, &name, &failed[1..], JobAct::Remove(JobState::Delayed)).await;
        assert_eq!(wrong.verdict, Verdict::Nothing, "{generation}: {wrong:?}");
        let () = client.set(named(&name).key(&format!("{}:lock", failed[1])), "token").await.expect("set");
        let locked = each(&watch, &name, &failed[1..], JobAct::Remove(JobState::Failed)).await;
        assert!(locked.details[0].1.contains("a worker holds it"), "{generation}: {locked:?}");
    }
}

/// A queue as BullMQ 5 leaves it after `count` failures.
async fn many_failed(
    client: &mut redis::aio::MultiplexedConnection,
    name: &str,
    count: usize,
) -> Vec<String> {
    let queue = named(name);
    let () = client.hset(queue.key("meta"), "version", "bullmq:5.81.3").await.expect("set");
    let ids: Vec<String> = (1..=count).map(|n| n.to_string()).collect();
    for part in ids.chunks(1000) {
        let mut pipe = redis::pipe();
        for id in part {
            pipe.cmd("HSET").arg(queue.key(id)).arg(&[
                "name",
                "mail",
                "data",
                "{}",
                "opts",
                "{}",
                "timestamp",
                "1",
                "atm",
                "1",
                "failedReason",
                "no",
            ]);
            pipe.cmd("ZADD").arg(queue.key("failed")).arg(1).arg(id);
        }
        let () = pipe.query_async(client).await.expect("written");
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_retries_while_the_pause_flips_lose_none() {
    let Some(lab) = Lab::open("ten_thousand_retries_while_the_pause_flips_lose_none") else { return };
    let name = unique("flips");
    let mut client = lab.client().await;
    let all = many_failed(&mut client, &name, 11_000).await;
    let () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(&mut client).await.expect("reset");
    let alone = lab.watch(&name);
    each(&alone, &name, &all[..1000], JobAct::Retry(RetryOptions::default())).await;
    let stats: String = redis::cmd("INFO").arg("commandstats").query_async(&mut client).await.expect("stats");
    let spent = stats.lines().find(|line| line.starts_with("cmdstat_evalsha")).unwrap_or_default();
    eprintln!("1000 retries: {spent}");
    let all = all[1000..].to_vec();
    let () = client.del(named(&name).key("wait")).await.expect("gone");
    let (watch, other) = (lab.watch(&name), lab.watch(&name));
    let flips = async {
        for _ in 0..3 {
            act(&other, RedisAction::Pause { queue: named(&name) }).await;
            act(&other, RedisAction::Resume { queue: named(&name) }).await;
        }
    };
    let (outcome, ()) =
        tokio::join!(each(&watch, &name, &all, JobAct::Retry(RetryOptions::default())), flips);
    assert_eq!(outcome.verdict, Verdict::Done, "{}", outcome.summary);
    let mut found: Vec<String> = client.lrange(named(&name).key("wait"), 0, -1).await.expect("a list");
    let held: Vec<String> = client.lrange(named(&name).key("paused"), 0, -1).await.expect("a list");
    found.extend(held);
    assert_eq!(sorted(found), sorted(all));
    assert_eq!(client.zcard::<_, usize>(named(&name).key("failed")).await.expect("a count"), 0);
}

/// A Redis of its own that can be killed, with everything on disk at once.
pub struct Own {
    child: Child,
    folder: tempfile::TempDir,
    pub port: u16,
}

impl Own {
    pub fn start(binary: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
        Self { child: Self::spawn(binary, folder.path(), port), folder, port }
    }

    fn spawn(binary: &str, folder: &std::path::Path, port: u16) -> Child {
        Command::new(binary)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"])
            .args(["--appendfsync", "always", "--dir"])
            .arg(folder)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server")
    }

    pub fn restart(&mut self, binary: &str) {
        self.child = Self::spawn(binary, self.folder.path(), self.port);
    }

    /// As `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    pub fn is_dead(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_some())
    }

    pub async fn client(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).expect("a URL");
        for _ in 0..100 {
            if let Ok(mut open) = client.get_multiplexed_async_connection().await
                && redis::cmd("PING").query_async::<String>(&mut open).await.is_ok()
            {
                return open;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("redis-server on {} does not answer", self.port);
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_within_a_batch_has_every_job_exactly_once() {
    let test = "a_server_killed_within_a_batch_has_every_job_exactly_once";
    let Some(binary) = server(test, "STACKTOP_TEST_REDIS_SERVER") else { return };
    let mut own = Own::start(&binary);
    let name = "killed";
    let mut client = own.client().await;
    let all = many_failed(&mut client, name, 20_000).await;
    let connect = url::redis(&format!("redis://127.0.0.1:{}", own.port)).expect("a URL");
    let watch = Watch::new(Connect::Redis(RedisConnect { queues: vec![name.to_owned()], ..connect }));
    let gate = watch.gate();
    gate.prepare().await;
    let retry = RedisAction::Jobs {
        queue: named(name),
        ids: all.clone(),
        act: JobAct::Retry(RetryOptions::default()),
    };
    let action = Action::Redis { target: watch.target.id.clone(), act: retry };
    let confirmed = stacktop::core::action::Confirmed::by_a_person(action);
    let permit = stacktop::core::arming::Permit { target: watch.target.id.clone(), until: None };
    let killing = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        own.kill();
    };
    let (result, ()) = tokio::join!(gate.perform("1", &confirmed, &permit), killing);
    let told = match result {
        Ok(outcome) => {
            assert_eq!(outcome.verdict, Verdict::Partly, "{}", outcome.summary);
            outcome.summary
        }
        Err(ActionError::Unknown(why)) => why,
        Err(other) => panic!("{other:?}"),
    };
    own.restart(&binary);
    let mut client = own.client().await;
    let waiting: Vec<String> = client.lrange(named(name).key("wait"), 0, -1).await.expect("a list");
    let failed: Vec<String> = client.zrange(named(name).key("failed"), 0, -1).await.expect("a set");
    eprintln!("killed after {} of 20 000; told: {told}", waiting.len());
    assert!(!waiting.is_empty() && !failed.is_empty());
    // What was told as done is done; one batch more may be, if it was its answer that was lost.
    let unknown = told.contains("not known");
    assert!(unknown || told.contains("not done"), "{told}");
    let done: usize = told
        .split_once(" back to")
        .and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok())
        .unwrap_or(0);
    assert!(
        waiting.len() == done || (unknown && waiting.len() == done + 100),
        "{} against {told}",
        waiting.len()
    );
    assert_eq!(sorted(waiting.into_iter().chain(failed).collect()), sorted(all));
}
