//! The job workbench: any job in any state, page by page and by a text; completed jobs run again.

use super::Watch;
use super::queues::{Lab, named, reading, unique};
use redis::AsyncCommands;
use stacktop::core::action::{Action, Outcome, Verdict};
use stacktop::core::focus::Focus;
use stacktop::core::redis::{Change, JobAct, JobPage, JobState, Listing, RedisAction};
use std::time::Duration;

async fn listed(watch: &mut Watch, name: &str, listing: Listing) -> JobPage {
    let focus = [Focus::Jobs { queue: named(name), listing }];
    for _ in 0..40 {
        watch.poll_with(&focus).await.expect("a poll");
        if let Some(page) = reading(watch).pages.first().filter(|page| page.whole) {
            return page.clone();
        }
    }
    panic!("a search ends")
}

async fn of_state(watch: &mut Watch, name: &str, state: JobState, offset: u64) -> JobPage {
    listed(watch, name, Listing::State { state, offset }).await
}

async fn found(watch: &mut Watch, name: &str, text: &str) -> JobPage {
    listed(watch, name, Listing::Text(text.to_owned())).await
}

async fn each(watch: &Watch, name: &str, ids: &[String], act: JobAct) -> Outcome {
    let act = RedisAction::Jobs { queue: named(name), ids: ids.to_vec(), act };
    watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome")
}

fn ids(page: &JobPage) -> Vec<&str> {
    page.jobs.iter().map(|job| job.id.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_is_listed_page_by_page_and_searched() {
    let Some(lab) = Lab::open("every_state_is_listed_page_by_page_and_searched") else { return };
    for generation in ["bull4", "bullmq3", "bullmq5"] {
        let name = unique(&format!("bench-{generation}"));
        let key = |suffix: &str| named(&name).key(suffix);
        let failed = lab.failed(generation, &name, 2);
        let worker = lab.worker(generation, &name);
        lab.run(generation, "add", &name, "3");
        let done = worker.done(3);
        // A worker says so within the job: it is completed a moment later, if its worker lives.
        let mut client = lab.client().await;
        while client.zcard::<_, u64>(key("completed")).await.expect("a count") < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(worker);
        let delayed = lab.run(generation, "delay", &name, "1");
        let waiting = lab.run(generation, "add", &name, "2");
        let waiting: Vec<&str> = waiting.split(' ').collect();
        let mut watch = lab.watch(&name);
        let page = of_state(&mut watch, &name, JobState::Completed, 0).await;
        assert_eq!(
            (page.there, ids(&page)),
            (3, done.iter().rev().map(String::as_str).collect()),
            "{generation}"
        );
        assert!(page.jobs[0].note.starts_with("ran "), "{generation}: {page:?}");
        let page = of_state(&mut watch, &name, JobState::Completed, 2).await;
        assert_eq!(ids(&page), [done[0].as_str()], "{generation}");
        let page = of_state(&mut watch, &name, JobState::Failed, 0).await;
        assert!(
            page.jobs.len() == 2 && page.jobs[0].note == "the provider said no",
            "{generation}: {page:?}"
        );
        let page = of_state(&mut watch, &name, JobState::Delayed, 0).await;
        assert!(
            ids(&page) == [delayed.as_str()] && page.jobs[0].note.starts_with("due in 59"),
            "{generation}: {page:?}"
        );
        assert_eq!(ids(&of_state(&mut watch, &name, JobState::Waiting, 0).await), waiting, "{generation}");
        // In every state, by reason, by data and by id.
        let page = found(&mut watch, &name, "PROVIDER").await;
        assert!(
            page.jobs.len() == 2 && page.looked_at == 8 && page.jobs[0].note.contains("provider"),
            "{generation}: {page:?}"
        );
        let page = found(&mut watch, &name, "\"order\":2").await;
        assert!(
            ids(&page) == [done[2].as_str()] && page.jobs[0].state == JobState::Completed,
            "{generation}: {page:?}"
        );
        assert!(ids(&found(&mut watch, &name, &delayed).await).contains(&delayed.as_str()), "{generation}");
        // Deep in a long line it is neither gone nor unknown.
        let ghosts: Vec<String> = (0..70_000).map(|n| format!("g{n}")).collect();
        for part in ghosts.chunks(10_000) {
            let () = client.lpush(key("wait"), part).await.expect("in line");
            let () = client.rpush(key("wait"), part).await.expect("in line");
        }
        let job = Focus::Job { queue: named(&name), id: waiting[0].to_owned() };
        watch.poll_with(&[job]).await.expect("a poll");
        assert!(
            reading(&watch).jobs[0].state.starts_with("deep in its line"),
            "{:?}",
            reading(&watch).jobs[0]
        );
        let () = client.ltrim(key("wait"), 70_000, -70_001).await.expect("a short line again");
        // What was done is done again, once; whoever moved on is left alone.
        let again = each(&watch, &name, &done[..1], JobAct::RunAgain).await;
        assert_eq!(again.verdict, Verdict::Done, "{generation}: {again:?}");
        let again = each(&watch, &name, &[done[0].clone(), failed[0].clone()], JobAct::RunAgain).await;
        assert!(
            again.summary.contains("2 left alone: it is not completed any more"),
            "{generation}: {again:?}"
        );
        let worker = lab.worker(generation, &name);
        let mut ran = worker.done(3);
        ran.sort();
        let mut expected: Vec<String> = waiting.iter().map(|id| (*id).to_owned()).collect();
        expected.push(done[0].clone());
        expected.sort();
        assert_eq!(ran, expected, "{generation}");
        assert_eq!(worker.line(1).map(|(_, line)| line), None, "{generation}: something ran twice");
    }
}

/// A search of many jobs goes on from poll to poll, says how far it is, and reads no more than a poll may.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_search_goes_step_by_step_and_finds_nothing_masked() {
    let Some(lab) = Lab::open("a_long_search_goes_step_by_step_and_finds_nothing_masked") else { return };
    let name = unique("search");
    let key = |suffix: &str| named(&name).key(suffix);
    let mut client = lab.client().await;
    let mut put = redis::pipe();
    for n in 0..3000 {
        let id = format!("j{n}");
        let data = format!(r#"{{"order":{n},"email":"ana{n}@example.com","pad":"{}"}}"#, "x".repeat(1500));
        put.cmd("HSET").arg(key(&id)).arg(&["name", "mail", "data", &data, "opts", "{}", "timestamp", "1"]);
        put.cmd("ZADD").arg(key("completed")).arg(n).arg(&id);
    }
    put.cmd("HSET").arg(key("j7")).arg("data").arg("y".repeat(100_000));
    put.cmd("HSET").arg(key("meta")).arg("version").arg("bullmq:5.81.0");
    let () = put.query_async(&mut client).await.expect("filled");
    let mut watch = lab.watch(&name);
    if let stacktop::config::target::Connect::Redis(connect) = &mut watch.target.connect {
        connect.masks = vec!["email".to_owned()];
    }
    watch.source = stacktop::systems::open_source(&watch.target);
    let focus = [Focus::Jobs { queue: named(&name), listing: Listing::Text("\"order\":42,".to_owned()) }];
    let mut steps = Vec::new();
    for _ in 0..60 {
        watch.poll_with(&focus).await.expect("a poll");
        let page = &reading(&watch).pages[0];
        steps.push(page.looked_at);
        if page.whole {
            break;
        }
    }
    let page = reading(&watch).pages[0].clone();
    assert!(page.whole && ids(&page) == ["j42"] && page.too_large == 1, "{page:?}");
    let most = steps.windows(2).map(|pair| pair[1] - pair[0]).max().expect("several polls");
    assert!(steps.len() >= 8 && most <= 400, "{steps:?}");
    let masked = found(&mut watch, &name, "ana42@").await;
    assert!(masked.jobs.is_empty() && masked.looked_at == 3000, "{masked:?}");
    assert!(watch.slowest < Duration::from_secs(2), "{:?}", watch.slowest);
}

async fn change(watch: &Watch, name: &str, change: Change) -> Outcome {
    let act = RedisAction::Change { queue: named(name), change };
    watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_added_with_options_and_its_worker_seen() {
    let Some(lab) = Lab::open("a_job_is_added_with_options_and_its_worker_seen") else { return };
    for generation in ["bull4", "bullmq3", "bullmq4", "bullmq5", "bullmq6"] {
        let name = unique(&format!("options-{generation}"));
        lab.run(generation, "add", &name, "1");
        let worker = lab.worker(generation, &name);
        worker.done(1);
        let mut watch = lab.watch(&name);
        let add = |options: &str| Change::Add {
            name: "mail".to_owned(),
            data: r#"{"order":5}"#.to_owned(),
            options: options.to_owned(),
        };
        let began = std::time::Instant::now();
        let added = change(&watch, &name, add(r#"{"jobId":"own-1","delay":1500,"attempts":3}"#)).await;
        assert!(added.summary.contains("job own-1 was added"), "{generation}: {}", added.summary);
        let again = change(&watch, &name, add(r#"{"jobId":"own-1"}"#)).await;
        assert_eq!(again.verdict, Verdict::Nothing, "{generation}: {}", again.summary);
        let page = of_state(&mut watch, &name, JobState::Delayed, 0).await;
        assert_eq!(ids(&page), ["own-1"], "{generation}");
        assert_eq!(worker.done(1), ["own-1"], "{generation}");
        let took = began.elapsed();
        assert!(
            took > Duration::from_millis(1400) && took < Duration::from_millis(4500),
            "{generation}: {took:?}"
        );
        watch.poll_with(&[Focus::More { queue: named(&name) }]).await.expect("a poll");
        let workers = reading(&watch).more[0].workers.clone().expect("who is connected");
        assert!(
            workers.len() == 1 && workers[0].address.starts_with("127.0.0.1:"),
            "{generation}: {workers:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_removed_last_is_put_back_as_it_was() {
    let Some(lab) = Lab::open("what_was_removed_last_is_put_back_as_it_was") else { return };
    for generation in ["bull4", "bullmq3", "bullmq4", "bullmq5", "bullmq6"] {
        let name = unique(&format!("undo-{generation}"));
        let key = |suffix: &str| named(&name).key(suffix);
        let failed = lab.failed(generation, &name, 25);
        lab.run(generation, "log", &name, &failed[0]);
        let delayed = lab.run(generation, "delay", &name, "1");
        let waiting = lab.run(generation, "add", &name, "2");
        let waiting: Vec<String> = waiting.split(' ').map(str::to_owned).collect();
        let mut client = lab.client().await;
        let () = client.hset(key(&failed[1]), "returnvalue", &b"\xff\x00"[..]).await.expect("bytes");
        let before: Vec<Vec<(Vec<u8>, Vec<u8>)>> = {
            let mut ask = redis::pipe();
            for id in &failed {
                ask.cmd("HGETALL").arg(key(id));
            }
            ask.query_async(&mut client).await.expect("the jobs")
        };
        let scores: Vec<(String, f64)> = client.zrange_withscores(key("failed"), 0, -1).await.expect("a set");
        let counts = lab.run(generation, "counts", &name, "");
        let watch = lab.watch(&name);
        each(&watch, &name, &failed, JobAct::Remove(JobState::Failed)).await;
        each(&watch, &name, &[delayed], JobAct::Remove(JobState::Delayed)).await;
        each(&watch, &name, &waiting, JobAct::Remove(JobState::Waiting)).await;
        let left: Vec<String> = client.zrange(key("failed"), 0, -1).await.expect("a set");
        assert!(left.is_empty(), "{generation}");
        for (done, what) in [(2, "2 jobs"), (1, "1 job"), (25, "25 jobs")] {
            let back = change(&watch, &name, Change::PutBack).await;
            assert!(
                back.verdict == Verdict::Done && back.summary.contains(&format!("{what} put back")),
                "{generation} {done}: {back:?}"
            );
        }
        let act = RedisAction::Change { queue: named(&name), change: Change::PutBack };
        let none = watch
            .act(Action::Redis { target: watch.target.id.clone(), act })
            .await
            .expect_err("nothing is left");
        assert!(none.to_string().contains("no removal from"), "{generation}: {none}");
        assert_eq!(lab.run(generation, "counts", &name, ""), counts, "{generation}");
        let after: Vec<(String, f64)> = client.zrange_withscores(key("failed"), 0, -1).await.expect("a set");
        assert_eq!(after, scores, "{generation}");
        for (id, before) in failed.iter().zip(before) {
            let mut after: Vec<(Vec<u8>, Vec<u8>)> = client.hgetall(key(id)).await.expect("the job");
            let mut before = before;
            after.sort();
            before.sort();
            assert_eq!(after, before, "{generation}: job {id}");
        }
        let log: Vec<String> =
            client.lrange(key(&format!("{}:logs", failed[0])), 0, -1).await.expect("a log");
        assert_eq!(log.len(), 2, "{generation}");
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.done(2), waiting, "{generation}");
        assert_eq!(worker.line(1).map(|(_, line)| line), None, "{generation}");
    }
}

/// What users of other queue tools have reported: jobs in no list, times that are none, counts without jobs, recurring jobs that end.
#[tokio::test(flavor = "multi_thread")]
async fn reports_of_users_of_other_tools() {
    let Some(lab) = Lab::open("reports_of_users_of_other_tools") else { return };
    let name = unique("reports");
    let key = |suffix: &str| named(&name).key(suffix);
    let mut client = lab.client().await;
    lab.failed("bullmq5", &name, 1);
    let odd = [
        ("name", "mail"),
        ("data", "{}"),
        ("opts", "not json"),
        ("timestamp", "soon"),
        ("delay", "x"),
        ("finishedOn", "NaN"),
    ];
    for (id, set) in [("lost", ""), ("odd", "failed"), ("late", "delayed")] {
        let () = client.hset_multiple(key(id), &odd).await.expect("a job");
        if !set.is_empty() {
            let () = client.zadd(key(set), id, 5).await.expect("in a set");
        }
    }
    let () = client.zadd(key("delayed"), "ghost", 9).await.expect("a job without data");
    let () = client.set(key("text"), "no job").await.expect("another key");
    let mut watch = lab.watch(&name);
    let page = found(&mut watch, &name, "lost").await;
    assert!(page.jobs.len() == 1 && page.jobs[0].note.contains("in no list"), "{page:?}");
    assert!(found(&mut watch, &name, "text").await.jobs.is_empty());
    let page = of_state(&mut watch, &name, JobState::Failed, 0).await;
    assert!(page.jobs.len() == 2 && page.jobs.iter().all(|job| !job.ghost), "{page:?}");
    let page = of_state(&mut watch, &name, JobState::Delayed, 0).await;
    assert!(page.jobs.len() == 2 && page.jobs.iter().any(|job| job.id == "ghost" && job.ghost), "{page:?}");
    let open =
        [Focus::OpenJobs { queue: named(&name) }, Focus::Job { queue: named(&name), id: "lost".to_owned() }];
    watch.poll_with(&open).await.expect("a poll");
    assert!(reading(&watch).jobs[0].state.starts_with("deep in its line"), "{:?}", reading(&watch).jobs[0]);
    // A recurring job that is promoted runs, and the next one is made; that which is the next is not removed.
    for generation in ["bull4", "bullmq3", "bullmq4", "bullmq5", "bullmq6"] {
        let name = unique(&format!("recurring-{generation}"));
        lab.run(generation, "schedule", &name, "");
        let mut watch = lab.watch(&name);
        let page = of_state(&mut watch, &name, JobState::Delayed, 0).await;
        let next = match page.jobs.first() {
            Some(job) => job.id.clone(),
            // The first of a scheduler may be due at once.
            None => of_state(&mut watch, &name, JobState::Waiting, 0).await.jobs[0].id.clone(),
        };
        let state = if page.jobs.is_empty() { JobState::Waiting } else { JobState::Delayed };
        let removed = each(&watch, &name, std::slice::from_ref(&next), JobAct::Remove(state)).await;
        assert!(removed.summary.contains("next job of a scheduler"), "{generation}: {}", removed.summary);
        if state == JobState::Delayed {
            let promoted = each(&watch, &name, std::slice::from_ref(&next), JobAct::Promote).await;
            assert_eq!(promoted.verdict, Verdict::Done, "{generation}: {promoted:?}");
        }
        let worker = lab.worker(generation, &name);
        assert_eq!(worker.done(1), std::slice::from_ref(&next), "{generation}");
        tokio::time::sleep(Duration::from_millis(300)).await;
        let page = of_state(&mut watch, &name, JobState::Delayed, 0).await;
        eprintln!("{generation}: after {next} comes {:?}", ids(&page));
        assert_eq!(page.jobs.len(), 1, "{generation}: {page:?}");
    }
}
