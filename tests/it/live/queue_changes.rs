//! Changes to whole queues and to single values, judged by the real libraries; what is read only while somebody looks.

use super::Watch;
use super::queues::{GENERATIONS, Lab, named, queue, reading, unique};
use super::topology::Own;
use redis::AsyncCommands;
use redis::streams::StreamMaxlen;
use stacktop::config::target::{Connect, RedisConnect};
use stacktop::config::url;
use stacktop::core::action::{Action, ActionError, Outcome, Verdict};
use stacktop::core::alert::Rulebook;
use stacktop::core::focus::Focus;
use stacktop::core::place::Screen;
use stacktop::core::redis::{
    Brake, Change, DoneBy, JobAct, JobState, Kin, QueueHistory, QueueWorkings, RedisAction, RedisRow, Rhythm,
    Sweep, condition,
};
use stacktop::core::row::RowKey;
use stacktop::core::time::Clock;
use stacktop::core::world::{SystemState, all_rules};
use std::time::{Duration, Instant};

const NEW: [&str; 2] = ["bullmq5", "bullmq6"];

async fn act(watch: &Watch, act: RedisAction) -> Result<Outcome, ActionError> {
    watch.act(Action::Redis { target: watch.target.id.clone(), act }).await
}

async fn change(watch: &Watch, name: &str, change: Change) -> Outcome {
    act(watch, RedisAction::Change { queue: named(name), change }).await.expect("an outcome")
}

async fn each(watch: &Watch, name: &str, ids: &[String], deed: JobAct) -> Outcome {
    let jobs = RedisAction::Jobs { queue: named(name), ids: ids.to_vec(), act: deed };
    act(watch, jobs).await.expect("an outcome")
}

fn ids(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn counts(lab: &Lab, generation: &str, name: &str) -> serde_json::Value {
    serde_json::from_str(&lab.run(generation, "counts", name, "")).expect("JSON")
}

async fn more(watch: &mut Watch, name: &str) -> QueueWorkings {
    watch.poll_with(&[Focus::More { queue: named(name) }]).await.expect("a poll");
    QueueWorkings::clone(reading(watch).more.first().expect("a look"))
}

#[tokio::test(flavor = "multi_thread")]
async fn another_priority_is_another_place_in_line() {
    let Some(lab) = Lab::open("another_priority_is_another_place_in_line") else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("re-rank-{generation}"));
        let jobs = ids(&lab.run(generation, "rank", &name, "5,6,7"));
        let watch = lab.watch(&name);
        let outcome = each(&watch, &name, &jobs[2..], JobAct::Priority(1)).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.done(3), [&jobs[2], &jobs[0], &jobs[1]].map(Clone::clone), "{generation}");
        let late = each(&watch, &name, &jobs[..1], JobAct::Priority(2)).await;
        assert_eq!(late.verdict, Verdict::Nothing, "{generation}: {late:?}");
        // From a list into the ranked ones, while a worker waits.
        lab.run(generation, "pause", &name, "");
        let jobs = ids(&lab.run(generation, "add", &name, "2"));
        each(&watch, &name, &jobs[1..], JobAct::Priority(3)).await;
        act(&watch, RedisAction::Resume { queue: named(&name) }).await.expect("resumed");
        let mut done = worker.done(2);
        done.sort();
        assert_eq!(done, jobs, "{generation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_delay_wakes_the_worker_in_time() {
    let Some(lab) = Lab::open("another_delay_wakes_the_worker_in_time") else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("re-time-{generation}"));
        let jobs = ids(&lab.run(generation, "delay", &name, "2"));
        let worker = lab.worker(generation, &name);
        let watch = lab.watch(&name);
        let began = Instant::now();
        let outcome = each(&watch, &name, &jobs[..1], JobAct::Delay(Duration::from_secs(2))).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        assert_eq!(worker.done(1), jobs[..1], "{generation}");
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(1900), "{generation}: early, after {took:?}");
        assert!(took < Duration::from_secs(12), "{generation}: late, after {took:?}");
        assert_eq!(counts(&lab, generation, &name)["delayed"], 1, "{generation}");
        let late = each(&watch, &name, &jobs[..1], JobAct::Delay(Duration::ZERO)).await;
        assert_eq!(late.verdict, Verdict::Nothing, "{generation}: {late:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_added_copied_and_edited() {
    let Some(lab) = Lab::open("jobs_are_added_copied_and_edited") else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("edit-{generation}"));
        let jobs = ids(&lab.run(generation, "add", &name, "1"));
        let watch = lab.watch(&name);
        let edit = |was: &str, data: &str| Change::Edit {
            id: jobs[0].clone(),
            was: was.to_owned(),
            data: data.to_owned(),
        };
        let seen = r#"{"order":0}"#;
        assert_eq!(change(&watch, &name, edit(seen, r#"{"order":77}"#)).await.verdict, Verdict::Done);
        let stale = change(&watch, &name, edit(seen, r#"{"order":78}"#)).await;
        assert_eq!(stale.verdict, Verdict::Nothing, "{generation}: {stale:?}");
        let add = Change::Add {
            name: "mail".to_owned(),
            data: r#"{"order":88}"#.to_owned(),
            options: r#"{"attempts":1}"#.to_owned(),
        };
        assert_eq!(change(&watch, &name, add).await.verdict, Verdict::Done);
        let worker = lab.worker(generation, &name);
        let lines: Vec<String> = (0..2).filter_map(|_| worker.line(10)).map(|(_, line)| line).collect();
        assert!(
            lines[0].contains(r#"{"order":77}"#) && lines[1].contains(r#"{"order":88}"#),
            "{generation}: {lines:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_in_a_state_goes_one_way() {
    let Some(lab) = Lab::open("everything_in_a_state_goes_one_way") else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("sweep-{generation}"));
        let failed = lab.failed(generation, &name, 3);
        let waiting = ids(&lab.run(generation, "add", &name, "4"));
        lab.run(generation, "rank", &name, "2,1");
        lab.run(generation, "delay", &name, "3");
        let watch = lab.watch(&name);
        let all = async |what| change(&watch, &name, Change::Sweep(what)).await;
        assert_eq!(all(Sweep::Drain).await.verdict, Verdict::Done, "{generation}");
        let left = counts(&lab, generation, &name);
        assert_eq!(
            (&left["waiting"], &left["delayed"], &left["failed"]),
            (&0.into(), &3.into(), &3.into()),
            "{left}"
        );
        assert_eq!(all(Sweep::Drain).await.verdict, Verdict::Nothing, "{generation}");
        assert_eq!(all(Sweep::Promote).await.verdict, Verdict::Done, "{generation}");
        let retried = all(Sweep::Retry).await;
        assert_eq!(retried.verdict, Verdict::Done, "{generation}: {retried:?}");
        let worker = lab.worker(generation, &name);
        let mut done = worker.done(6);
        // It says so before it has told the server.
        for _ in 0..50 {
            if counts(&lab, generation, &name)["completed"] == 6 {
                break;
            }
        }
        drop(worker);
        done.retain(|id| !failed.contains(id));
        assert_eq!(done.len(), 3, "{generation}: the promoted ones");
        let young = Sweep::Clean(JobState::Completed, Duration::from_secs(3600));
        assert_eq!(all(young).await.verdict, Verdict::Nothing, "{generation}: none is an hour old");
        assert_eq!(all(Sweep::Clean(JobState::Completed, Duration::ZERO)).await.verdict, Verdict::Done);
        assert_eq!(counts(&lab, generation, &name)["completed"], 0, "{generation}");
        // Whatever was removed was written down, the drained ones with their data.
        let kept = std::fs::read_to_string(watch.folder.path().join("removed-jobs.jsonl")).expect("a file");
        assert_eq!(kept.lines().count(), 4 + 2 + 6, "{generation}: {kept}");
        assert!(waiting.iter().all(|id| kept.contains(&format!("\"{id}\""))), "{generation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_obliterated_queue_leaves_no_key() {
    let Some(lab) = Lab::open("an_obliterated_queue_leaves_no_key") else { return };
    for (generation, _) in GENERATIONS {
        let name = unique(&format!("gone-{generation}"));
        lab.failed(generation, &name, 2);
        lab.run(generation, "add", &name, "150");
        lab.run(generation, "delay", &name, "2");
        if NEW.contains(&generation) {
            lab.run(generation, "schedule", &name, "");
        }
        let watch = lab.watch(&name);
        let outcome = change(&watch, &name, Change::Sweep(Sweep::Obliterate)).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let mut client = lab.client().await;
        let keys: Vec<String> = client.keys(format!("bull:{name}:*")).await.expect("keys");
        assert!(keys.is_empty(), "{generation}: {keys:?}");
    }
    // While a job runs, the queue stays.
    let name = unique("gone-busy");
    lab.run("bullmq5", "add", &name, "3");
    let mut client = lab.client().await;
    let moved: String =
        client.rpoplpush(named(&name).key("wait"), named(&name).key("active")).await.expect("moved");
    let watch = lab.watch(&name);
    let outcome = change(&watch, &name, Change::Sweep(Sweep::Obliterate)).await;
    assert_eq!(outcome.verdict, Verdict::Partly, "{outcome:?}");
    assert!(outcome.summary.contains("jobs are left"), "{outcome:?}");
    let there: bool = client.exists(named(&name).key(&moved)).await.expect("an answer");
    assert!(there, "a running job keeps its data");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_schedulers_are_the_library_s_own() {
    let Some(lab) = Lab::open("limits_and_schedulers_are_the_library_s_own") else { return };
    for generation in NEW {
        let name = unique(&format!("limit-{generation}"));
        lab.run(generation, "add", &name, "1");
        lab.run(generation, "schedule", &name, "");
        let mut watch = lab.watch(&name);
        assert_eq!(change(&watch, &name, Change::Concurrency(Some(3))).await.verdict, Verdict::Done);
        assert_eq!(lab.run(generation, "limit", &name, ""), "3", "{generation}");
        let seen = more(&mut watch, &name).await;
        assert_eq!(seen.concurrency, Some(3));
        let scheduler = seen.schedulers.first().expect("the scheduler");
        assert_eq!((scheduler.id.as_str(), scheduler.rhythm.as_str()), ("nightly", "every 3600 s"));
        assert!(scheduler.overdue.is_none());
        assert_eq!(change(&watch, &name, Change::Concurrency(None)).await.verdict, Verdict::Done);
        assert_eq!(lab.run(generation, "limit", &name, ""), "null", "{generation}");
        let gone = Change::Unschedule { id: "nightly".to_owned() };
        assert_eq!(change(&watch, &name, gone.clone()).await.verdict, Verdict::Done);
        assert_eq!(lab.run(generation, "schedulers", &name, ""), "0", "{generation}");
        assert_eq!(counts(&lab, generation, &name)["delayed"], 0, "{generation}: its next job is gone");
        assert_eq!(change(&watch, &name, gone).await.verdict, Verdict::Nothing);
    }
    for generation in ["bull4", "bullmq3", "bullmq4"] {
        let name = unique(&format!("legacy-{generation}"));
        lab.run(generation, "schedule", &name, "");
        let mut watch = lab.watch(&name);
        let id = more(&mut watch, &name).await.schedulers.first().expect("a repeatable job").id.clone();
        let gone = RedisAction::Change { queue: named(&name), change: Change::Unschedule { id } };
        let error = act(&watch, gone).await.expect_err("its own tools must");
        assert!(matches!(error, ActionError::Refused(_)), "{generation}: {error:?}");
        assert_eq!(lab.run(generation, "schedulers", &name, ""), "1", "{generation}");
        let limit = RedisAction::Change { queue: named(&name), change: Change::Concurrency(Some(1)) };
        assert!(act(&watch, limit).await.is_err(), "{generation} knows no such limit");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_of_ours_is_carried_on_by_the_worker() {
    let Some(lab) = Lab::open("a_scheduler_of_ours_is_carried_on_by_the_worker") else { return };
    for generation in NEW {
        let name = unique(&format!("rhythm-{generation}"));
        lab.run(generation, "add", &name, "1");
        let watch = lab.watch(&name);
        let add = Change::Schedule {
            id: "tick".to_owned(),
            rhythm: Rhythm::Every(Duration::from_secs(1)),
            name: "mail".to_owned(),
            data: r#"{"order":3}"#.to_owned(),
        };
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.done(1).len(), 1);
        assert_eq!(change(&watch, &name, add.clone()).await.verdict, Verdict::Done, "{generation}");
        assert_eq!(
            change(&watch, &name, add).await.verdict,
            Verdict::Nothing,
            "{generation}: once is enough"
        );
        // The first job is ours, the next ones are made by the library from what it finds.
        // Every seven minutes one of the others is due, too.
        let done = worker.done(3);
        let ticks = done.iter().filter(|id| id.starts_with("repeat:tick:")).count();
        assert!(ticks >= 2, "{generation}: {done:?}");
        assert_eq!(lab.run(generation, "schedulers", &name, ""), "1", "{generation}");
        let gone = Change::Unschedule { id: "tick".to_owned() };
        let mut outcome = change(&watch, &name, gone.clone()).await;
        if outcome.verdict == Verdict::Nothing {
            // It ran between the look and the call.
            outcome = change(&watch, &name, gone).await;
        }
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
    }
    for generation in ["bullmq4", "bullmq50"] {
        let name = unique(&format!("no-rhythm-{generation}"));
        lab.run(generation, "add", &name, "1");
        let add = Change::Schedule {
            id: "tick".to_owned(),
            rhythm: Rhythm::Every(Duration::from_secs(1)),
            name: "mail".to_owned(),
            data: "{}".to_owned(),
        };
        let add = RedisAction::Change { queue: named(&name), change: add };
        let error = act(&lab.watch(&name), add).await.expect_err("it has no schedulers");
        assert!(matches!(error, ActionError::Refused(_)), "{generation}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cron_pattern_means_to_us_what_it_means_to_the_library() {
    let Some(lab) = Lab::open("a_cron_pattern_means_to_us_what_it_means_to_the_library") else { return };
    let add = |id: &str, pattern: &str| Change::Schedule {
        id: id.to_owned(),
        rhythm: Rhythm::cron(pattern).expect(pattern),
        name: "mail".to_owned(),
        data: r#"{"order":3}"#.to_owned(),
    };
    for generation in NEW {
        let name = unique(&format!("cron-{generation}"));
        lab.run(generation, "add", &name, "1");
        let watch = lab.watch(&name);
        for (n, pattern) in
            ["17 2 * * *", "0 9 * * 1-5", "*/7 * * * *", "30 5 4 1,15 * 0", "0 0 29 2 *"].iter().enumerate()
        {
            let id = format!("ours{n}");
            assert_eq!(change(&watch, &name, add(&id, pattern)).await.verdict, Verdict::Done, "{pattern}");
            // The library makes one by the same pattern, and tells of both: id, pattern, zone and when it is due.
            let told = lab.run(generation, "rhythms", &name, pattern);
            let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
            let of = |wanted: &str| {
                told.as_array().expect("a list").iter().find(|one| one["key"] == wanted).expect("it").clone()
            };
            let (ours, theirs) = (of(&id), of("theirs"));
            for field in ["pattern", "tz", "next", "name"] {
                assert_eq!(ours[field], theirs[field], "{generation} {pattern}: {field}");
            }
        }
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.done(1).len(), 1);
        assert_eq!(change(&watch, &name, add("tick", "* * * * * *")).await.verdict, Verdict::Done);
        // Every seven minutes one of the others is due, too.
        let done = worker.done(3);
        let ticks = done.iter().filter(|id| id.starts_with("repeat:tick:")).count();
        assert!(ticks >= 2, "{generation}: {done:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_leads_from_job_to_job_and_waits_in_vain() {
    let Some(lab) = Lab::open("a_flow_leads_from_job_to_job_and_waits_in_vain") else { return };
    for generation in ["bullmq3", "bullmq4", "bullmq50", "bullmq5", "bullmq6"] {
        let name = unique(&format!("flow-{generation}"));
        let jobs = ids(&lab.run(generation, "flow", &name, ""));
        lab.run(generation, "log", &name, &jobs[0]);
        let worker = lab.broken_worker(generation, &format!("{name}-parts"), 2);
        assert_eq!(worker.done(1), jobs[1..2], "{generation}");
        let mut watch = lab.watch(&name);
        let look =
            [Focus::Job { queue: named(&name), id: jobs[0].clone() }, Focus::More { queue: named(&name) }];
        let mut blocked = Vec::new();
        for _ in 0..50 {
            watch.poll_with(&look).await.expect("a poll");
            blocked.clone_from(&reading(&watch).more.first().expect("a look").blocked);
            if !blocked.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(blocked, [(jobs[0].clone(), 1)], "{generation}");
        let detail = reading(&watch).jobs.first().expect("the parent");
        assert_eq!(detail.logs, ["the first line", "the second line"], "{generation}");
        let key = |id: &str| named(&format!("{name}-parts")).key(id);
        assert!(detail.links.contains(&(Kin::Done, key(&jobs[1]))), "{generation}: {:?}", detail.links);
        assert!(detail.links.contains(&(Kin::Awaited, key(&jobs[2]))), "{generation}: {:?}", detail.links);
        let events = &reading(&watch).more[0].events;
        assert!(
            events.iter().any(|event| event.event == "waiting-children" && event.job == jobs[0]),
            "{events:?}"
        );
        let parts = format!("{name}-parts");
        let mut children = lab.watch(&parts);
        let times = more(&mut children, &parts).await.times;
        assert_eq!((times[0].name.as_str(), times[0].jobs), ("mail", 1), "{generation}");
        assert!(times[0].run_p95.is_some() && times[0].wait_p95.is_some(), "{times:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one server is filled once and looked at from all sides")]
async fn a_million_failed_jobs_and_keys_hold_nothing_up() {
    let Some(own) = Own::start("a_million_failed_jobs_and_keys_hold_nothing_up", &[]).await else { return };
    let mut client = own.client().await;
    let queue_ref = named("huge");
    let fill = "local now = tonumber(ARGV[1]) for n = tonumber(ARGV[2]), tonumber(ARGV[3]) do \
                redis.call('ZADD', KEYS[1], now - 5000000 + n, n) redis.call('SET', 'other:' .. n, 1) \
                redis.call('HSET', KEYS[2] .. n, 'name', 'mail', 'failedReason', 'no', 'timestamp', now, 'data', '{}', 'opts', '{}') end";
    let now = chrono::Utc::now().timestamp_millis();
    for part in 0..100 {
        let (from, to) = (part * 10_000 + 1, (part + 1) * 10_000);
        let () = redis::Script::new(fill)
            .key(queue_ref.key("failed"))
            .key(queue_ref.key(""))
            .arg(now)
            .arg(from)
            .arg(to)
            .invoke_async(&mut client)
            .await
            .expect("filled");
    }
    let () = client.hset(queue_ref.key("meta"), "version", "bullmq:5.81.3").await.expect("set");
    let () = client.set(queue_ref.key("id"), 1_000_000).await.expect("set");
    let mut watch = Watch::new(Connect::Redis(url::redis(&own.url()).expect("a URL")));
    // Two million keys besides: it is found by a throttled SCAN, and no poll waits for that.
    let mut found = false;
    for _ in 0..600 {
        watch.poll().await.expect("a poll");
        found =
            reading(&watch).queues.ready().is_some_and(|all| all.iter().any(|one| one.queue == queue_ref));
        if found {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(found, "{}", reading(&watch).discovery);
    assert!(watch.slowest < Duration::from_secs(2), "a poll took {:?}", watch.slowest);
    watch.slowest = Duration::ZERO;
    let look = [
        Focus::FailedJobs { queue: queue_ref.clone(), offset: 0, limit: 500 },
        Focus::More { queue: queue_ref.clone() },
        Focus::OpenJobs { queue: queue_ref.clone() },
    ];
    watch.poll_with(&look).await.expect("a poll");
    let page = reading(&watch).failed.first().expect("a page");
    assert_eq!((page.jobs.len(), page.jobs[0].id.as_str()), (500, "1000000"));
    assert!(watch.slowest < Duration::from_secs(4), "it opened after {:?}", watch.slowest);
    let () = redis::cmd("CONFIG").arg("RESETSTAT").query_async(&mut client).await.expect("reset");
    for _ in 0..5 {
        watch.poll_with(&look).await.expect("a poll");
    }
    let all = RedisAction::Change { queue: queue_ref.clone(), change: Change::Sweep(Sweep::Retry) };
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
    };
    let gate = watch.gate();
    gate.prepare().await;
    let id = gate.next_id();
    let confirmed = stacktop::core::action::Confirmed::by_a_person(Action::Redis {
        target: watch.target.id.clone(),
        act: all,
    });
    let permit = stacktop::core::arming::Permit { target: watch.target.id.clone(), until: None };
    let doing = gate.perform(&id, &confirmed, &permit);
    let stop = async {
        stopping.await;
        gate.stops().ask();
    };
    let (outcome, ()) = tokio::join!(doing, stop);
    let outcome = outcome.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Partly, "{outcome:?}");
    assert!(outcome.summary.contains("stopped by you"), "{outcome:?}");
    let moved: u64 = client.llen(queue_ref.key("wait")).await.expect("a length");
    let left: u64 = client.zcard(queue_ref.key("failed")).await.expect("a length");
    assert!(moved >= 1000, "only {moved} in three seconds");
    assert_eq!(moved + left, 1_000_000, "every job is in one place");
    // How long one of our calls held the server up on average, by its own count.
    let stats: String =
        redis::cmd("INFO").arg("commandstats").query_async(&mut client).await.expect("counts");
    let evalsha = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).expect("our calls");
    let per_call = evalsha.split("usec_per_call=").nth(1).and_then(|rest| rest.split(',').next());
    let per_call: f64 = per_call.and_then(|text| text.parse().ok()).expect("a number");
    eprintln!("{moved} of a million retried in 3 s, a hundred in {per_call:.0} µs of the server's time");
    assert!(per_call < 5000.0, "{evalsha}");
    watch.poll().await.expect("a poll");
    assert_eq!(queue(&watch).failed, left);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_queues_are_paused_and_resumed() {
    let Some(lab) = Lab::open("several_queues_are_paused_and_resumed") else { return };
    let names = ["bull4", "bullmq5", "bullmq6"].map(|generation| {
        let name = unique(&format!("all-{generation}"));
        lab.run(generation, "add", &name, "1");
        name
    });
    let watch = lab.watch(&names[0]);
    let switch = |resume| RedisAction::Switches {
        queue: named(&names[0]),
        others: names[1..].iter().map(|name| named(name)).collect(),
        resume,
    };
    let mut client = lab.client().await;
    for (resume, verdict, paused) in
        [(false, Verdict::Done, 3), (false, Verdict::Nothing, 3), (true, Verdict::Done, 0)]
    {
        let outcome = act(&watch, switch(resume)).await.expect("an outcome");
        assert_eq!(outcome.verdict, verdict, "{outcome:?}");
        let mut found = 0;
        for name in &names {
            found += usize::from(
                client.hexists::<_, _, bool>(named(name).key("meta"), "paused").await.expect("it"),
            );
        }
        assert_eq!(found, paused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_that_are_not_kept_are_counted() {
    let Some(lab) = Lab::open("completions_that_are_not_kept_are_counted") else { return };
    for generation in ["bullmq3", "bullmq4", "bullmq50", "bullmq5", "bullmq6"] {
        let name = unique(&format!("brief-{generation}"));
        lab.run(generation, "brief", &name, "25");
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        assert_eq!(queue(&watch).completed_last_minute, 0, "{generation}");
        let worker = lab.worker(generation, &name);
        worker.done(25);
        let mut seen = 0;
        for _ in 0..50 {
            watch.poll().await.expect("a poll");
            assert_eq!((queue(&watch).completed, queue(&watch).done_by), (0, DoneBy::Events), "{generation}");
            seen = queue(&watch).completed_last_minute;
            if seen == 25 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(seen, 25, "{generation}");
    }
}

/// A queue in which every job fails and none is kept is broken, and says why; where the library writes nothing down, that is said.
#[tokio::test(flavor = "multi_thread")]
async fn failures_that_are_not_kept_are_counted() {
    let Some(lab) = Lab::open("failures_that_are_not_kept_are_counted") else { return };
    for generation in ["bullmq3", "bullmq4", "bullmq50", "bullmq5", "bullmq6"] {
        let name = unique(&format!("doomed-{generation}"));
        lab.run(generation, "doom", &name, "20");
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        let seen = queue(&watch);
        assert_eq!((seen.failed, seen.completed, seen.failures()), (0, 0, 20), "{generation}");
        let verdict = watch.verdict();
        let expected =
            "100 % of its jobs fail, 20 within five minutes, and none is kept: the provider said no";
        assert!(verdict.starts_with("BROKEN") && verdict.contains(expected), "{generation}: {verdict}");
        assert_eq!(word(&watch), "failing", "{generation}");
    }
    // Bull writes nothing down, unless its worker keeps metrics.
    for (metrics, expected) in [("", "untold"), ("yes", "failing")] {
        let name = unique("doomed-bull");
        let doom = || {
            let mut node = std::process::Command::new("node");
            node.args([lab.script(), "bull4", &lab.port, "doom", &name, "20"]);
            if !metrics.is_empty() {
                node.env("METRICS", metrics);
            }
            assert!(node.status().expect("node").success());
        };
        doom();
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        doom();
        tokio::time::sleep(super::RATES).await;
        watch.poll().await.expect("a poll");
        assert_eq!(word(&watch), expected);
        let verdict = watch.verdict();
        assert_eq!(verdict.contains("100 % of its jobs fail, 20 within"), !metrics.is_empty(), "{verdict}");
        assert_eq!(verdict.contains("nothing tells how they end"), metrics.is_empty(), "{verdict}");
    }
}

/// The counter of added jobs grows by those that are thrown away, too; they neither came nor were they taken.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_are_thrown_away_are_not_told_as_taken() {
    let Some(lab) = Lab::open("jobs_that_are_thrown_away_are_not_told_as_taken") else { return };
    for (generation, options) in [
        ("bullmq5", "{ deduplication: { id: 'minute', ttl: 3600000 }, removeOnComplete: true }"),
        ("bullmq6", "{ deduplication: { id: 'minute', ttl: 3600000 }, removeOnComplete: true }"),
        ("bullmq6", "{ jobId: 'order-7', removeOnComplete: 1 }"),
        ("bull4", "{ jobId: 'order-7', removeOnComplete: 1 }"),
    ] {
        let name = unique(&format!("thrown-{generation}"));
        let add = |count: usize| {
            let queue = if generation == "bull4" { "{ redis: connection }" } else { "{ connection }" };
            let class = if generation == "bull4" { "library" } else { "library.Queue" };
            lab.script_of(
                generation,
                &name,
                &format!(
                    "const queue = new {class}(queueName, {queue});
                     for (let n = 0; n < {count}; n += 1) await queue.add('mail', {{ order: n }}, {options});
                     return queue.close();"
                ),
            )
        };
        let worker = lab.worker(generation, &name);
        add(1);
        assert_eq!(worker.done(1).len(), 1, "{generation}");
        drop(worker);
        // That it ended is forgotten; one that is kept ended two minutes ago.
        let mut client = lab.client().await;
        let completed = named(&name).key("completed");
        for (id, at) in
            client.zrange_withscores::<_, Vec<(String, f64)>>(&completed, 0, -1).await.expect("jobs")
        {
            let () = client.zadd(&completed, id, at - 120_000.0).await.expect("set");
        }
        if generation != "bull4" {
            let () =
                client.xtrim(named(&name).key("events"), StreamMaxlen::Equals(0)).await.expect("trimmed");
        }
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        for round in 0..2 {
            add(30);
            tokio::time::sleep(super::RATES).await;
            watch.poll().await.expect("a poll");
            let history = history(&watch);
            let (added, taken) = (history.added_per_second, history.taken.last());
            let verdict = watch.verdict();
            if generation == "bull4" {
                // It writes nothing down: that is said.
                assert!(taken > Some(0.0) && word(&watch) == "untold", "{added:?} {taken:?}");
                assert!(verdict.contains("none is kept, or jobs of their ids are there"), "{verdict}");
                continue;
            }
            assert_eq!((added, taken), (Some(0.0), Some(0.0)), "{generation} {options} {round}");
            assert_eq!(word(&watch), "discards", "{generation} {options}");
            assert!(verdict.starts_with("OK"), "{generation}: {verdict}");
            let happened = queue(&watch).happened.ready().expect("its events").thrown_away;
            assert_eq!(happened, 30 * (round + 1), "{generation} {options}");
        }
    }
}

fn history(watch: &Watch) -> &QueueHistory {
    let SystemState::Redis(state) = &watch.world.targets()[0].system else { panic!("Redis") };
    &state.queues[&queue(watch).queue]
}

/// The word for how the queue is doing.
fn word(watch: &Watch) -> &'static str {
    condition(queue(watch), history(watch)).word()
}

#[tokio::test]
async fn a_prefix_that_nobody_configured_is_left_alone() {
    let Some(lab) = Lab::open("a_prefix_that_nobody_configured_is_left_alone") else { return };
    let connect =
        RedisConnect { queues: vec!["never-made".to_owned()], ..url::redis(&lab.url).expect("a URL") };
    let mut watch = Watch::new(Connect::Redis(connect));
    watch.poll_with(&[Focus::More { queue: named("never-made") }]).await.expect("a poll");
    let seen = &reading(&watch).more[0];
    assert!(seen.schedulers.is_empty() && seen.events.is_empty() && seen.times.is_empty(), "{seen:?}");
    let mut client = lab.client().await;
    let keys: Vec<String> = client.keys("bull:never-made:*").await.expect("keys");
    assert!(keys.is_empty(), "looking made {keys:?}");
}

/// A careful retry looks what became of the first job before it gives back the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_careful_retry_stops_when_they_fail_again() {
    let Some(lab) = Lab::open("a_careful_retry_stops_when_they_fail_again") else { return };
    for generation in ["bull4", "bullmq3", "bullmq5", "bullmq6"] {
        let name = unique(&format!("careful-{generation}"));
        lab.failed(generation, &name, 30);
        let watch = lab.watch(&name);
        let careful = Change::Sweep(Sweep::RetryCarefully(Brake { per_second: 50, stop_above_percent: 20 }));
        let bad = lab.broken_worker(generation, &name, 0);
        let outcome = change(&watch, &name, careful.clone()).await;
        assert_eq!(outcome.verdict, Verdict::Partly, "{generation}: {outcome:?}");
        let expected = "1 back to waiting, 1 failed again; stopped: 1 of 1 failed again";
        assert!(outcome.summary.contains(expected), "{generation}: {}", outcome.summary);
        drop(bad);
        let worker = lab.worker(generation, &name);
        let outcome = change(&watch, &name, careful).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        assert!(outcome.summary.contains("30 back to waiting"), "{generation}: {}", outcome.summary);
        assert!(!outcome.summary.contains("again"), "{generation}: {}", outcome.summary);
        assert_eq!(worker.done(30).len(), 30, "{generation}");
    }
}

/// All of one kind, also beyond what the screen lists; and the deduplication id of one of them is a newer job's by now.
#[tokio::test(flavor = "multi_thread")]
async fn all_that_failed_alike_are_retried_and_a_twin_is_told() {
    let test = "all_that_failed_alike_are_retried_and_a_twin_is_told";
    let Some(lab) = Lab::open(test) else { return };
    let name = unique("alike");
    let mut client = lab.client().await;
    let key = |suffix: &str| named(&name).key(suffix);
    let mut put = redis::pipe();
    let stack = |file: &str| format!(r#"["Error: no\n    at send (/app/{file}:38:7)"]"#);
    for n in 0..1500_u64 {
        let id = n.to_string();
        // Three kinds; two of them differ by the place in the code only. Many ended within one millisecond.
        let reason = if n % 3 == 0 { format!("order {n} not found") } else { "no answer".to_owned() };
        let file = if n % 3 == 1 { "mails.js" } else { "bills.js" };
        put.cmd("HSET").arg(key(&id)).arg(&["name", "mail", "data", "{}", "opts", "{}", "timestamp", "1"]);
        put.cmd("HSET").arg(key(&id)).arg("failedReason").arg(reason).arg("stacktrace").arg(stack(file));
        put.cmd("ZADD").arg(key("failed")).arg(1000 + n / 400).arg(&id);
    }
    put.cmd("HSET").arg(key("meta")).arg("version").arg("bullmq:5.81.0");
    put.cmd("HSET").arg(key("1")).arg("deid").arg("order-1");
    put.cmd("HSET").arg(key("1498")).arg("deid").arg("order-1");
    put.cmd("SET").arg(key("de:order-1")).arg("newer");
    let () = put.query_async(&mut client).await.expect("filled");
    let mut watch = lab.watch(&name);
    let focus = [Focus::FailedJobs { queue: named(&name), offset: 0, limit: 500 }];
    for _ in 0..5 {
        watch.poll_with(&focus).await.expect("a poll");
    }
    let page = &super::queues::reading(&watch).failed[0];
    let alike = stacktop::core::redis::groups(&[page]);
    assert_eq!(alike.len(), 3, "{alike:?}");
    let twins: Vec<_> =
        page.jobs.iter().filter(|job| job.twin.is_some()).map(|job| job.id.as_str()).collect();
    assert_eq!(twins, ["1498"]);
    let row = |of: RedisRow| RowKey::Redis(watch.target.id.clone(), of);
    let opened = row(RedisRow::Job(named(&name), "1498".to_owned(), Some(JobState::Failed)));
    let panel = stacktop::panels::panel(Screen::Queues);
    let offers = panel.offers(watch.context(), &[], &opened, &[]);
    let retry = offers.iter().find(|offer| offer.letter == 'r').expect("a retry");
    let preview = format!("{:?}", retry.choice);
    assert!(
        preview.contains("newer job has the deduplication id of 1498 (job newer): both will run"),
        "{preview}"
    );
    let mails = alike.iter().find(|group| group.frame == "mails.js:38").expect("a kind");
    let offers = panel.offers(
        watch.context(),
        &[],
        &row(RedisRow::FailedAlike(named(&name), mails.fingerprint())),
        &[],
    );
    let all = offers.iter().find(|offer| offer.letter == 'w').expect("all of the kind");
    let (action, _) = all.choice.clone().expect("it may be done");
    let outcome = watch.act(action).await.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    for words in
        ["498 back to waiting,", "2 back to waiting beside a newer job", "1000 failed otherwise and stay"]
    {
        assert!(outcome.summary.contains(words), "{words}: {}", outcome.summary);
    }
    let waiting: Vec<u64> = client.lrange(key("wait"), 0, -1).await.expect("a list");
    assert!(waiting.len() == 500 && waiting.iter().all(|n| n % 3 == 1), "{}", waiting.len());
}

/// Jobs whose worker died: told, left to those who look for them, and brought back or failed once where nobody does.
#[tokio::test(flavor = "multi_thread")]
async fn stalled_jobs_are_brought_back_once_or_failed() {
    let Some(lab) = Lab::open("stalled_jobs_are_brought_back_once_or_failed") else { return };
    for generation in ["bull4", "bullmq3", "bullmq4", "bullmq5", "bullmq6"] {
        let name = unique(&format!("stalled-{generation}"));
        let key = |suffix: &str| named(&name).key(suffix);
        let mut client = lab.client().await;
        let added = ids(&lab.run(generation, "add", &name, "2"));
        let mut held: Vec<String> = Vec::new();
        for _ in 0..2 {
            let slow = lab.slow_worker(generation, &name, 600_000);
            while client.llen::<_, usize>(key("active")).await.expect("a length") == held.len() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // Killed with the job in its hands.
            drop(slow);
            held = client.lrange(key("active"), 0, -1).await.expect("a list");
        }
        let watch = lab.watch(&name);
        let locked = each(&watch, &name, &added[..1], JobAct::Release).await;
        assert!(locked.summary.contains("a worker holds it"), "{generation}: {}", locked.summary);
        for id in &added {
            let () = client.del(key(&format!("{id}:lock"))).await.expect("its time is over");
        }
        let () = client.set(key("stalled-check"), "1").await.expect("somebody looks");
        let checked = each(&watch, &name, &added[..1], JobAct::Release).await;
        assert!(checked.summary.contains("brings it back itself"), "{generation}: {}", checked.summary);
        let () = client.del(key("stalled-check")).await.expect("nobody does");
        let others = lab.slow_worker(generation, &unique(&format!("others-{generation}")), 1);
        let (back, failed) = (
            each(&watch, &name, &added[..1], JobAct::Release).await,
            each(&watch, &name, &added[1..], JobAct::GiveUp).await,
        );
        assert!(back.summary.contains("1 back to waiting"), "{generation}: {}", back.summary);
        assert!(failed.summary.contains("1 failed"), "{generation}: {}", failed.summary);
        drop(others);
        let counts = counts(&lab, generation, &name);
        assert_eq!(
            (&counts["waiting"], &counts["failed"], &counts["active"]),
            (&1.into(), &1.into(), &0.into()),
            "{generation}"
        );
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.done(1), added[..1], "{generation}");
        // A worker is there now: what it may still hold is left to it.
        let act = RedisAction::Jobs { queue: named(&name), ids: added.clone(), act: JobAct::Release };
        let refused = self::act(&watch, act).await.expect_err("a worker is connected");
        assert!(
            refused.to_string().contains("1 worker of this queue is connected"),
            "{generation}: {refused}"
        );
        let retried =
            each(&watch, &name, &added[1..], JobAct::Retry(stacktop::core::redis::RetryOptions::default()))
                .await;
        assert_eq!(retried.verdict, Verdict::Done, "{generation}: {retried:?}");
        assert_eq!(worker.done(1), added[1..], "{generation}");
        assert_eq!(worker.line(1).map(|(_, line)| line), None, "{generation}: something ran twice");
    }
}

/// Workers that do not look for stalled jobs leave them for ever, and a scheduler whose next job is gone makes no more.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_brings_back_is_a_finding() {
    let Some(lab) = Lab::open("what_nobody_brings_back_is_a_finding") else { return };
    let name = unique("forgotten");
    let key = |suffix: &str| named(&name).key(suffix);
    let mut client = lab.client().await;
    lab.run("bullmq5", "schedule", &name, "");
    lab.run("bullmq5", "add", &name, "1");
    let _slow = lab.slow_worker("bullmq5", &name, 600_000);
    let mut watch = lab.watch(&name);
    tokio::time::sleep(Duration::from_millis(500)).await;
    watch.poll().await.expect("a poll");
    assert_eq!((queue(&watch).active, queue(&watch).stalled), (1, 0));
    // What its worker renews goes away, and the next job of the scheduler was removed long ago.
    let held: Vec<String> = client.lrange(key("active"), 0, -1).await.expect("a list");
    let next: Vec<(String, f64)> = client.zrange_withscores(key("repeat"), 0, -1).await.expect("a set");
    let job = format!("repeat:{}:{:.0}", next[0].0, next[0].1);
    let () = client.del(key(&job)).await.expect("gone");
    let () = client.zrem(key("delayed"), &job).await.expect("gone");
    let () = client.zadd(key("repeat"), &next[0].0, next[0].1 - 7_200_000.0).await.expect("an hour late");
    let mut fresh = lab.watch(&name);
    for _ in 0..9 {
        let () = client.del(key(&format!("{}:lock", held[0]))).await.expect("no lock");
        fresh.poll().await.expect("a poll");
        tokio::time::sleep(Duration::from_millis(800)).await;
    }
    assert_eq!(queue(&fresh).stalled, 1);
    let rules = all_rules();
    let breaches = |watch: &Watch| {
        let SystemState::Redis(state) = &watch.world.targets()[0].system else { panic!("a Redis server") };
        let at = watch.clock.now().plus(Duration::from_secs(100));
        stacktop::core::alert::judge(&**state, &watch.target.id, &Rulebook::defaults(&rules), at)
    };
    let found: Vec<String> = breaches(&fresh).into_iter().map(|breach| breach.sentence).collect();
    let has = |words: &str| found.iter().any(|sentence| sentence.contains(words));
    assert!(has("1 job in progress lost its worker's lock"), "{found:?}");
    assert!(has("makes no more jobs; its next one is gone"), "{found:?}");
    // What is advised: it is removed, and added again.
    let id = next[0].0.clone();
    let removed = change(&fresh, &name, Change::Unschedule { id: id.clone() }).await;
    assert_eq!(removed.verdict, Verdict::Done, "{removed:?}");
    let rhythm = Rhythm::Every(Duration::from_secs(3600));
    let again = Change::Schedule { id, rhythm, name: "mail".into(), data: "{}".into() };
    assert_eq!(change(&fresh, &name, again).await.verdict, Verdict::Done);
    let mut later = lab.watch(&name);
    later.poll().await.expect("a poll");
    assert!(queue(&later).late.is_empty(), "{:?}", queue(&later).late);
    // It runs at once without a change to when it runs next.
    let more = more(&mut later, &name).await;
    let job = more.schedulers[0].job.clone().expect("its next job");
    let added = change(&later, &name, Change::Copy { id: job }).await;
    assert_eq!(added.verdict, Verdict::Done, "{added:?}");
    assert_eq!(lab.run("bullmq5", "schedulers", &name, ""), "1");
}
