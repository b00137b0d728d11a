//! Redis servers that refuse, or that serve nobody: what could not be read is said, and is never OK and never 0.

use super::Watch;
use super::queues::{Lab, queue, reading, unique};
use super::topology::Own;
use crate::link::narrow;
use redis::{AsyncCommands, cmd};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::action::Verdict;
use stacktop::core::focus::Focus;
use stacktop::core::place::Screen;
use stacktop::core::redis::{QueueRef, RedisRow};
use stacktop::core::row::RowKey;
use stacktop::panels::panel;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn watch(url: &str) -> Watch {
    Watch::new(Connect::Redis(url::redis(url).expect("a URL")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_costs_its_own_part_and_is_said() {
    let Some(own) = Own::start("a_refusal_costs_its_own_part_and_is_said", &[]).await else { return };
    let mut client = own.client().await;
    let () = cmd("HSET")
        .arg(&["bull:mails:meta", "version", "bullmq:5.81.3"])
        .query_async(&mut client)
        .await
        .expect("set");
    let user = |name: &str| own.url().replace("redis://", &format!("redis://{name}:secret@"));
    for (name, rights) in [("calm", "~* +@all -@dangerous"), ("other", "~other:* +@all")] {
        let mut ask = cmd("ACL");
        ask.arg(&["SETUSER", name, "on", ">secret"]).arg(rights.split(' ').collect::<Vec<_>>());
        let () = ask.query_async(&mut client).await.expect("set");
    }
    let mut calm = watch(&user("calm"));
    calm.poll().await.expect("the queues are read without INFO");
    assert_eq!(reading(&calm).queues.ready().expect("queues").len(), 1);
    assert!(calm.verdict().contains("INFO is not permitted"), "{}", calm.verdict());
    let mut other = watch(&user("other"));
    other.poll().await.expect("a poll");
    let gap = reading(&other).queues.gap().expect("a refusal is no empty list").note.clone();
    assert!(gap.contains("permit the keys ~bull:*"), "{gap}");
    assert!(!other.verdict().contains("OK"), "{}", other.verdict());
}

/// One that starts reads its files for a while: it answers, and serves nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_loads_its_data_is_broken_and_says_how_far_it_is() {
    let test = "a_server_that_loads_its_data_is_broken_and_says_how_far_it_is";
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display().to_string();
    let Some(own) = Own::start(test, &["--dir", &place]).await else { return };
    let fill = "for n = 1, 8000 do redis.call('SET', 'key' .. n, string.rep(n, 60)) end \
         redis.call('HSET', 'bull:mails:meta', 'version', 'bullmq:5.81.3')";
    let () = cmd("EVAL").arg(fill).arg(0).query_async(&mut own.client().await).await.expect("filled");
    own.ask("SAVE").await;
    drop(own);
    let slowly =
        ["--dir", &place, "--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"];
    let Some(own) = Own::start(test, &slowly).await else { return };
    let mut seen = watch(&own.url());
    seen.poll().await.expect("it answers");
    let verdict = seen.verdict();
    assert!(verdict.contains("BROKEN") && verdict.contains("loads its data and serves nobody"), "{verdict}");
    assert!(verdict.contains("% done") && verdict.contains(" left"), "{verdict}");
    let gap = reading(&seen).queues.gap().expect("not read, and not none").note.clone();
    assert_eq!(gap, "the server loads its data");
    for _ in 0..120 {
        seen.poll().await.expect("it answers");
        if !reading(&seen).server.loading {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    seen.poll().await.expect("it answers");
    assert!(!reading(&seen).server.loading);
    assert_eq!(reading(&seen).queues.ready().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_one_script_holds_is_broken() {
    let test = "a_server_that_one_script_holds_is_broken";
    let Some(own) = Own::start(test, &["--lua-time-limit", "100"]).await else { return };
    let mut seen = watch(&own.url());
    seen.poll().await.expect("a poll");
    let mut client = own.client().await;
    let holds = tokio::spawn(async move {
        cmd("EVAL").arg("while true do end").arg(0).query_async::<redis::Value>(&mut client).await
    });
    tokio::time::sleep(Duration::from_millis(1200)).await;
    seen.poll().await.expect("it is told");
    assert!(seen.verdict().contains("held by one script"), "{}", seen.verdict());
    let mut late = watch(&own.url());
    late.poll().await.expect("whoever comes now is told, too");
    assert!(late.verdict().contains("BROKEN"), "{}", late.verdict());
    // What is advised is offered, and ends it: with a connection of before, and with none.
    let row = RowKey::Redis(seen.target.id.clone(), RedisRow::Server(String::new()));
    let end = |watch: &Watch| {
        let offers = panel(Screen::Queues).offers(watch.context(), &[], &row, &[]);
        offers.into_iter().find(|offer| offer.letter == 'k').expect("an offer").choice
    };
    let (action, _) = end(&seen).expect("it is held");
    let outcome = seen.act(action).await.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
    assert!(holds.await.expect("ended").is_err());
    seen.poll().await.expect("a poll");
    assert!(!reading(&seen).busy);
    assert!(end(&seen).is_err(), "nothing runs");
    // One that has written does not obey.
    let mut client = own.client().await;
    let writes = "redis.call('SET', 'a', 1) local from = redis.call('TIME')[1] while redis.call('TIME')[1] - from < 6 do end";
    let holds =
        tokio::spawn(
            async move { cmd("EVAL").arg(writes).arg(0).query_async::<redis::Value>(&mut client).await },
        );
    tokio::time::sleep(Duration::from_millis(1200)).await;
    seen.poll().await.expect("it is told");
    let (action, _) = end(&seen).expect("it is held");
    let outcome = seen.act(action).await.expect("an outcome");
    assert!(
        outcome.verdict == Verdict::Nothing && outcome.summary.contains("has written already"),
        "{outcome:?}"
    );
    holds.await.expect("ended").expect("it ends by itself");
}

/// A worker that is killed over its job leaves a job in progress and a check for stalled jobs behind: neither is a worker.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_killed_over_its_job_is_none() {
    let Some(lab) = Lab::open("a_worker_that_was_killed_over_its_job_is_none") else { return };
    for generation in ["bull4", "bullmq3", "bullmq5", "bullmq6"] {
        let name = unique(&format!("killed-{generation}"));
        lab.run(generation, "add", &name, "1");
        let worker = lab.slow_worker(generation, &name, 600_000);
        let mut seen = lab.watch(&name);
        let mut held = false;
        for _ in 0..100 {
            seen.poll().await.expect("a poll");
            held = queue(&seen).active == 1;
            if held {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(held, "{generation}: nobody took it");
        // Who is connected is looked up every few seconds.
        tokio::time::sleep(Duration::from_secs(7)).await;
        seen.poll().await.expect("a poll");
        assert!(!seen.verdict().contains("no worker"), "{generation}: {}", seen.verdict());
        // Killed, not closed.
        drop(worker);
        let mut verdict = String::new();
        for _ in 0..150 {
            seen.poll().await.expect("a poll");
            verdict = seen.verdict();
            if verdict.contains("no worker is connected") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(verdict.contains("1 job in progress and no worker is connected"), "{generation}: {verdict}");
    }
}

/// Queues of which nothing is known yet are named by the workers that wait for their jobs.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_is_made_after_the_start_is_seen_with_its_worker() {
    let test = "a_queue_that_is_made_after_the_start_is_seen_with_its_worker";
    let Some(lab) = Lab::open(test) else { return };
    let name = unique("late");
    let mut seen = watch(&lab.url);
    for _ in 0..200 {
        seen.poll().await.expect("a poll");
        if reading(&seen).unseen.is_none() {
            break;
        }
    }
    let there = |seen: &Watch| {
        let queues = reading(seen).queues.ready();
        queues.is_some_and(|all| all.iter().any(|queue| queue.queue.name == name))
    };
    assert!(!there(&seen));
    let _worker = lab.worker("bullmq5", &name);
    let mut found = false;
    for _ in 0..100 {
        seen.poll().await.expect("a poll");
        found = there(&seen);
        if found {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(found, "{}", reading(&seen).discovery);
}

/// Of twelve hundred queues the last ten fail: they are found among the others in their turn, and are looked at each time from then on.
#[tokio::test(flavor = "multi_thread")]
async fn the_worst_of_twelve_hundred_queues_are_named() {
    let Some(own) = Own::start("the_worst_of_twelve_hundred_queues_are_named", &[]).await else { return };
    let mut client = own.client().await;
    let now = chrono::Utc::now().timestamp_millis();
    let fill = "local now = tonumber(ARGV[1]) for n = 1, 1200 do local q = string.format('bull:q%04d:', n) \
                redis.call('HSET', q .. 'meta', 'version', 'bullmq:5.81.3') redis.call('SET', q .. 'id', 9) \
                if n > 1190 then for job = 1, 4 do redis.call('ZADD', q .. 'failed', now + job, job) \
                redis.call('HSET', q .. job, 'name', 'mail', 'failedReason', 'no', 'timestamp', now) end end end";
    let () = redis::Script::new(fill).arg(now).invoke_async(&mut client).await.expect("filled");
    let mut seen = watch(&own.url());
    let mut polls = 0;
    while !(seen.verdict().contains("queue q1200") || seen.verdict().contains("queue q119")) {
        seen.poll().await.expect("a poll");
        polls += 1;
        assert!(polls < 30, "not named after a minute of polls: {}", seen.verdict());
        if polls == 2 {
            assert!(!seen.verdict().starts_with("OK"), "most are not read yet: {}", seen.verdict());
        }
    }
    for _ in 0..20 {
        seen.poll().await.expect("a poll");
    }
    let all = reading(&seen).queues.ready().expect("queues").clone();
    assert_eq!((all.len(), reading(&seen).unseen.clone()), (1200, None));
    let worst: Vec<_> = all.iter().filter(|queue| queue.failed > 0).collect();
    assert_eq!(worst.len(), 10);
    let newest = all.iter().map(|queue| queue.read_at.mono).max();
    assert!(worst.iter().all(|queue| Some(queue.read_at.mono) == newest), "the worst are read each time");
    let () = cmd("CONFIG").arg("RESETSTAT").query_async(&mut client).await.expect("reset");
    seen.poll().await.expect("a poll");
    let stats: redis::InfoDict = cmd("INFO").arg("stats").query_async(&mut client).await.expect("counts");
    let commands: u64 = stats.get("total_commands_processed").expect("a count");
    eprintln!("named after {polls} polls; {commands} commands a poll; the slowest poll {:?}", seen.slowest);
    assert!(commands < 9_000, "{commands}");
}

/// A queue of failed jobs with large stacks is opened over a link of 100 Mbit/s while others write into a server that is 70 % full: what
/// waits for us there is memory of that server, and none of their writes is refused for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_large_jobs_fills_no_server() {
    let more = ["--maxmemory", "40mb", "--maxmemory-policy", "noeviction"];
    let Some(own) = Own::start("a_look_at_large_jobs_fills_no_server", &more).await else { return };
    let mut client = own.client().await;
    let mails = QueueRef { prefix: "bull".into(), name: "mails".into() };
    let frame = "    at send (/app/src/mail.js:7:3)\\n    at node:internal/process:1:2\\n";
    let stack = format!("[\"Error: no\\n{}\"]", frame.repeat(50_000 / frame.len()));
    let now = chrono::Utc::now().timestamp_millis();
    for id in 0..500 {
        let key = mails.key(&id.to_string());
        let mut job = redis::pipe();
        job.hset_multiple(
            &key,
            &[("name", "mail"), ("failedReason", "no"), ("timestamp", "1"), ("stacktrace", &stack)],
        );
        job.zadd(mails.key("failed"), id, now + id);
        let () = job.query_async(&mut client).await.expect("filled");
    }
    let () = client.hset(mails.key("meta"), "version", "bullmq:5.81.3").await.expect("set");
    let () = client.set(mails.key("id"), 500).await.expect("set");
    let info: redis::InfoDict = cmd("INFO").arg("memory").query_async(&mut client).await.expect("memory");
    let used = info.get::<f64>("used_memory").expect("a number") / 40.0 / 1024.0 / 1024.0;
    assert!((0.6..0.8).contains(&used), "{used}");
    let port = narrow(own.port, 100_000_000 / 8).await;
    let mut seen = watch(&format!("redis://127.0.0.1:{port}"));
    seen.poll().await.expect("a poll");
    let writing = Arc::new(AtomicBool::new(true));
    let until = writing.clone();
    let writer = tokio::spawn(async move {
        let (mut done, mut refused) = (0, 0);
        while until.load(Ordering::Relaxed) {
            match client.set::<_, _, ()>(format!("other:{}", done % 64), vec![b'x'; 1024]).await {
                Ok(()) => done += 1,
                Err(_) => refused += 1,
            }
        }
        (done, refused)
    });
    let look = [
        Focus::FailedJobs { queue: mails.clone(), offset: 0, limit: 500 },
        Focus::More { queue: mails.clone() },
    ];
    seen.poll_with(&look).await.expect("a poll");
    let page = reading(&seen).failed.first().expect("a page").jobs.clone();
    assert_eq!(page.len(), 500, "names and reasons come first");
    assert!(page.iter().all(|job| job.name == "mail" && job.reason == "no"));
    let mut polls = 1;
    while reading(&seen).failed[0].jobs.iter().any(|job| job.frame.is_empty()) {
        seen.poll_with(&look).await.expect("a poll");
        polls += 1;
        assert!(polls < 400, "the stacks come with the next polls");
    }
    writing.store(false, Ordering::Relaxed);
    let (done, refused) = writer.await.expect("it wrote");
    eprintln!("{polls} polls, the slowest {:?}; {done} writes of others, {refused} refused", seen.slowest);
    assert!(done > 100 && refused == 0, "{refused} of {done}");
    assert!(reading(&seen).failed[0].jobs[0].frame.contains("mail.js:7"));
}

/// Whoever may not look at the children of a flow is told so: that none has failed is not known.
#[tokio::test(flavor = "multi_thread")]
async fn children_that_may_not_be_looked_at_are_not_none() {
    let Some(own) = Own::start("children_that_may_not_be_looked_at_are_not_none", &[]).await else { return };
    let mut client = own.client().await;
    for words in [
        &["HSET", "bull:orders:meta", "version", "bullmq:5.1.0"][..],
        &["HSET", "bull:mails:meta", "version", "bullmq:5.1.0"],
        &["ZADD", "bull:orders:waiting-children", "1", "12"],
        &["SADD", "bull:orders:12:dependencies", "bull:mails:7"],
        &["ZADD", "bull:mails:failed", "1", "7"],
        &["ACL", "SETUSER", "blind", "on", ">secret", "~*", "+@all", "-srandmember"],
        &["ACL", "SETUSER", "near", "on", ">secret", "~bull:orders:*", "+@all"],
        &["ACL", "SETUSER", "sees", "on", ">secret", "~*", "+@all"],
    ] {
        let mut ask = cmd(words[0]);
        let () = ask.arg(&words[1..]).query_async(&mut client).await.expect("set");
    }
    for (name, refused) in [("blind", Some("srandmember")), ("near", Some("key")), ("sees", None)] {
        let mut seen = watch(&own.url().replace("redis://", &format!("redis://{name}:secret@")));
        seen.poll().await.expect("a poll");
        let queues = reading(&seen).queues.ready().expect("queues");
        let orders = queues.iter().find(|queue| queue.queue.name == "orders").expect("it is read");
        let stuck = orders.stuck.ready().map(Vec::len);
        let Some(words) = refused else {
            assert_eq!(stuck, Some(1), "{:?}", orders.stuck);
            continue;
        };
        let note = orders.stuck.gap().map(|gap| gap.note.clone()).unwrap_or_default();
        assert!(stuck.is_none() && note.contains(words), "{name}: {:?}", orders.stuck);
        let firing = seen.world.alerts.firing();
        let told: Vec<&str> = firing.iter().map(|finding| finding.breach.sentence.as_str()).collect();
        let says = "nobody watches parents that wait in vain for children";
        assert!(told.iter().any(|told| told.contains(says)), "{name}: {told:?}");
    }
}
