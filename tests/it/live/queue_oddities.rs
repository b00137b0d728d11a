//! What users of other queue tools and of the libraries themselves have reported, tried on a real Redis: jobs that are overdue beside a
//! worker that sleeps, odd names, connections that the server closes, and commands that a hosted server does not have.

use super::Watch;
use super::queues::{Lab, named, queue, reading, sorted, unique};
use super::topology::Own;
use redis::AsyncCommands;
use stacktop::config::target::{Connect, RedisConnect};
use stacktop::config::url;
use stacktop::core::action::{Action, Verdict};
use stacktop::core::alert::RuleSetting;
use stacktop::core::focus::Focus;
use stacktop::core::redis::{JobAct, QueueRef, RedisAction, RetryOptions};
use stacktop::core::world::all_rules;
use std::time::Duration;

fn watch(url: &str, queues: &[&str]) -> Watch {
    let queues = queues.iter().map(|name| (*name).to_owned()).collect();
    Watch::new(Connect::Redis(RedisConnect { queues, ..url::redis(url).expect("a URL") }))
}

fn told(watch: &Watch) -> Vec<String> {
    let firing = watch.world.alerts.firing();
    firing.iter().map(|one| format!("{}: {}", one.breach.rule, one.breach.sentence)).collect()
}

/// Delayed jobs were hours overdue while their worker slept: its mark had gone, and boards showed a worker and nothing that waits.
#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_job_beside_a_worker_that_sleeps_is_told() {
    let Some(lab) = Lab::open("an_overdue_job_beside_a_worker_that_sleeps_is_told") else { return };
    for generation in ["bullmq5", "bullmq6"] {
        let name = unique(&format!("sleeps-{generation}"));
        let key = |suffix: &str| named(&name).key(suffix);
        let worker = lab.worker(generation, &name);
        let ids = lab.run(generation, "delay", &name, "2");
        let mut client = lab.client().await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        // They were due two hours ago; nothing wakes the worker for another hour.
        for id in ids.split(' ') {
            let due: f64 = client.zscore(key("delayed"), id).await.expect("a score");
            let () = client.zadd(key("delayed"), id, due - 4096.0 * 10_800_000.0).await.expect("overdue");
        }
        let () = client.del(key("marker")).await.expect("no mark");
        let mut watch = lab.watch(&name);
        let spec = all_rules().into_iter().find(|spec| spec.id == "queue.wait").expect("a rule");
        let soon = RuleSetting { hold: Duration::ZERO, ..watch.world.rules.get(spec.id) };
        assert!(watch.world.rules.set("queue.wait", soon));
        for _ in 0..8 {
            watch.poll().await.expect("a poll");
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        let all = told(&watch);
        assert!(all.iter().any(|line| line.contains(&name)), "{generation}: {all:?} {:?}", queue(&watch));
        assert_eq!(worker.line(1).map(|(_, line)| line), None, "{generation}: it sleeps");
    }
}

/// Names with signs of patterns, spaces, colons and letters of other scripts: found, read, and acted on as themselves.
#[tokio::test(flavor = "multi_thread")]
async fn queues_of_odd_names_are_found_and_retried() {
    let test = "queues_of_odd_names_are_found_and_retried";
    let Some(lab) = Lab::open(test) else { return };
    let Some(own) = Own::start(test, &[]).await else { return };
    let lab = lab.at(own.port);
    let names = ["mails[1]*?", "two words", "почта", "a{b}c", "\\back^slash", "$HOME", "mail:eu"];
    let mut expected = Vec::new();
    let mut failed = std::collections::BTreeMap::new();
    for name in names {
        // BullMQ refuses a colon itself.
        let generation = if name.contains(':') { "bull4" } else { "bullmq5" };
        failed.insert(name, (generation, lab.failed(generation, name, 2)));
        expected.push(name.to_owned());
    }
    let mut watch = watch(&own.url(), &[]);
    let mut found = Vec::new();
    for _ in 0..20 {
        watch.poll().await.expect("a poll");
        let all = reading(&watch).queues.ready().into_iter().flatten();
        found = all.map(|queue| (queue.queue.clone(), queue.failed)).collect();
        if found.len() >= names.len() && found.iter().all(|(_, failed)| *failed == 2) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let seen = found.iter().map(|(queue, _)| queue.name.clone()).collect();
    assert_eq!(sorted(seen), sorted(expected), "{found:?}");
    for (queue, failed_there) in &found {
        assert_eq!((queue.prefix.as_str(), *failed_there), ("bull", 2), "{queue:?}");
        let (generation, ids) = &failed[queue.name.as_str()];
        let act = RedisAction::Jobs {
            queue: queue.clone(),
            ids: ids.clone(),
            act: JobAct::Retry(RetryOptions::default()),
        };
        let outcome =
            watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{queue}: {outcome:?}");
        assert_eq!(sorted(lab.worker(generation, &queue.name).done(2)), sorted(ids.clone()), "{queue}");
    }
}

/// A prefix with colons in it: boards took the last part of it for a queue.
#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_with_colons_is_one() {
    let test = "a_prefix_with_colons_is_one";
    let Some(lab) = Lab::open(test) else { return };
    let Some(own) = Own::start(test, &[]).await else { return };
    let lab = lab.at(own.port);
    for generation in ["bull4", "bullmq5"] {
        let body = "const more = { prefix: 'shop:live:' + (library.Queue ? 'new' : 'old') };
            const queue = library.Queue ? new library.Queue(queueName, { connection, ...more }) : new library(queueName, { redis: connection, ...more });
            for (let n = 0; n < 3; n += 1) await queue.add('mail', { order: n });
            return 'done';";
        assert_eq!(lab.script_of(generation, "mails", body), "done");
    }
    let connect = RedisConnect {
        prefixes: vec!["shop:live:old".to_owned(), "shop:live:new".to_owned()],
        ..url::redis(&own.url()).expect("a URL")
    };
    let mut watch = Watch::new(Connect::Redis(connect));
    for _ in 0..10 {
        watch.poll().await.expect("a poll");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let all = reading(&watch).queues.ready().into_iter().flatten();
    let seen =
        all.map(|queue| format!("{}|{}|{}", queue.queue.prefix, queue.queue.name, queue.waiting)).collect();
    assert_eq!(sorted(seen), ["shop:live:new|mails|3", "shop:live:old|mails|3"]);
}

/// A server that closes idle connections: a tool lost its connection after a while, and went on to say so for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_closed_is_made_anew_without_a_word() {
    let test = "a_connection_that_the_server_closed_is_made_anew_without_a_word";
    let Some(own) = Own::start(test, &["--timeout", "1"]).await else { return };
    let mut watch = watch(&own.url(), &[]);
    for n in 0..4 {
        watch.poll().await.unwrap_or_else(|error| panic!("poll {n}: {error:?}"));
        tokio::time::sleep(Duration::from_millis(2600)).await;
    }
    let refused = watch.poll_with(&[Focus::Server { node: String::new() }]).await;
    refused.expect("whoever looks closer is no worse off");
    assert!(told(&watch).iter().all(|line| !line.contains("source.")), "{:?}", told(&watch));
}

/// Hosted servers have no CONFIG, SLOWLOG, MEMORY or CLIENT: each costs its own part.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_a_hosted_server_does_not_have_costs_its_own_part() {
    let test = "a_command_that_a_hosted_server_does_not_have_costs_its_own_part";
    let Some(lab) = Lab::open(test) else { return };
    let mut wrong = Vec::new();
    for missing in [
        &["CONFIG"][..],
        &["CLIENT"],
        &["SLOWLOG"],
        &["LATENCY"],
        &["MEMORY"],
        &["OBJECT"],
        &["ACL"],
        &["TIME"],
        &["INFO"],
        &["SCAN"],
        &["COMMAND"],
        &["ROLE"],
        &[
            "CONFIG", "CLIENT", "SLOWLOG", "LATENCY", "MEMORY", "OBJECT", "ACL", "DEBUG", "ROLE", "SCAN",
            "KEYS",
        ],
    ] {
        let options: Vec<&str> = missing.iter().flat_map(|name| ["--rename-command", name, ""]).collect();
        let Some(own) = Own::start(test, &options).await else { return };
        let mut client = own.client().await;
        let meta: Result<(), _> = client.hset("bull:mails:meta", "version", "bullmq:5.1.0").await;
        meta.expect("a queue");
        let () = client.rpush("bull:mails:wait", &["1", "2"]).await.expect("jobs");
        let mut watch = watch(&own.url(), &["mails"]);
        let polled = async {
            watch.poll().await?;
            watch
                .poll_with(&[
                    Focus::Server { node: String::new() },
                    Focus::OpenJobs { queue: named("mails") },
                ])
                .await
        };
        if let Err(error) = polled.await {
            wrong.push(format!("{missing:?}: {} ({:?})", error.message, error.remedy));
            continue;
        }
        let waiting =
            reading(&watch).queues.ready().map(|all| all.iter().map(|one| one.waiting).sum::<u64>());
        if waiting != Some(2) {
            wrong.push(format!("{missing:?}: {waiting:?} {:?}", reading(&watch).queues.gap()));
        }
    }
    drop(lab);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Ids of one's own choice with colons, spaces, braces and letters of other scripts are retried and removed as themselves.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_odd_ids_are_retried_and_removed() {
    let Some(lab) = Lab::open("jobs_of_odd_ids_are_retried_and_removed") else { return };
    for generation in ["bull4", "bullmq5", "bullmq6"] {
        let name = unique(&format!("odd-ids-{generation}"));
        let odd = ["a b", "{x}", "заказ", "\"q'", "\\n", "*", "+1e3", "0x7"];
        let body = format!(
            "const bull = !library.Queue;
             const queue = bull ? new library(queueName, {{ redis: connection }}) : new library.Queue(queueName, {{ connection }});
             const ids = {};
             const fails = async () => {{ throw new Error('no'); }};
             const worker = bull ? queue : new library.Worker(queueName, fails, {{ connection }});
             if (bull) queue.process('mail', fails);
             let failed = 0;
             const all = new Promise((then) => worker.on('failed', () => {{ failed += 1; if (failed === ids.length) then(); }}));
             for (const [n, jobId] of ids.entries()) await queue.add('mail', {{ order: n }}, {{ jobId, attempts: 1 }});
             await all; await worker.close();
             return 'done';",
            serde_json::json!(odd)
        );
        assert_eq!(lab.script_of(generation, &name, &body), "done", "{generation}");
        let ids: Vec<String> = odd.iter().map(|id| (*id).to_owned()).collect();
        let mut watch = lab.watch(&name);
        watch.poll().await.expect("a poll");
        assert_eq!(queue(&watch).failed, odd.len() as u64, "{generation}");
        let act = RedisAction::Jobs {
            queue: QueueRef { prefix: "bull".into(), name: name.clone() },
            ids: ids.clone(),
            act: JobAct::Retry(RetryOptions::default()),
        };
        let outcome =
            watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        let worker = lab.worker(generation, &name);
        for n in 0..odd.len() {
            let (_, line) =
                worker.line(15).unwrap_or_else(|| panic!("{generation}: {n} of {} ran", odd.len()));
            assert!(
                odd.iter().any(|id| line.starts_with(&format!("done {id} mail "))),
                "{generation}: {line}"
            );
        }
    }
}
