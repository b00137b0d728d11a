//! Users to whom one command is refused, each in turn, and some keys: whatever is asked and refused is told, and nothing is well for it.

use super::Watch;
use super::queues::reading;
use super::topology::Own;
use redis::cmd;
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::focus::Focus;
use stacktop::core::part::Gap;
use stacktop::core::redis::{JobState, Listing, QueueReading, QueueRef, RedisReading, Unread};
use stacktop::sources::redis::doctor;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Asked only elsewhere: of clusters and Sentinels, of servers before 6.2, by `doctor`, or by what acts.
const ELSEWHERE: [&str; 5] = ["ACL", "CLIENT|ID", "CLUSTER", "EVALSHA", "SENTINEL"];

/// Every command that the sources of Redis ask, as an access list names it.
fn commands() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sources/redis");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the sources") {
        let text = std::fs::read_to_string(entry.expect("a file").path()).expect("text");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for rest in text.split("cmd(\"").skip(1) {
            let (name, rest) = rest.split_once('"').expect("a name");
            let second = rest.strip_prefix(").arg(\"").and_then(|rest| rest.split('"').next());
            let contains = ["CLIENT", "MEMORY", "SLOWLOG", "XINFO"].contains(&name);
            let name = match second.filter(|_| contains) {
                Some(second) => format!("{name}|{second}"),
                None => name.to_owned(),
            };
            found.insert(name.to_lowercase());
        }
    }
    found.retain(|name| !ELSEWHERE.iter().any(|other| name.eq_ignore_ascii_case(other)));
    found
}

/// What was read of that queue.
fn read(watch: &Watch) -> QueueReading {
    let mut queues = reading(watch).queues.ready().expect("queues").iter();
    let queue = queues.find(|queue| queue.queue == mails()).expect("it is read");
    QueueReading::clone(queue)
}

fn mails() -> QueueRef {
    QueueRef { prefix: "bull".into(), name: "mails".into() }
}

/// A queue of Bull, a stream of somebody else's, and a queue in which a scheduler is late, a job has lost its worker, the holder of a
/// deduplication id is gone, and a parent waits for a child that is gone.
async fn scene(own: &Own) {
    let mut client = own.client().await;
    let now = chrono::Utc::now().timestamp_millis();
    let fill = "local now, q = tonumber(ARGV[1]), 'bull:mails:'
        redis.call('HSET', q .. 'meta', 'version', 'bullmq:5.81.3', 'opts.maxLenEvents', 100)
        redis.call('SET', q .. 'id', 20)
        for id = 1, 4 do redis.call('HSET', q .. id, 'name', 'mail', 'timestamp', now - 9000, 'data', '{}', 'opts', '{}') end
        redis.call('LPUSH', q .. 'wait', 1)
        redis.call('LPUSH', q .. 'active', 2)
        redis.call('ZADD', q .. 'failed', now, 3)
        redis.call('HSET', q .. 3, 'failedReason', 'no', 'finishedOn', now, 'stacktrace', '[]')
        redis.call('ZADD', q .. 'completed', now, 4)
        redis.call('HSET', q .. 4, 'processedOn', now - 5, 'finishedOn', now)
        redis.call('ZADD', q .. 'repeat', now - 600000, 'nightly')
        redis.call('HSET', q .. 'repeat:nightly', 'name', 'mail', 'ic', 3)
        redis.call('XADD', q .. 'events', '*', 'event', 'failed', 'jobId', 3, 'failedReason', 'no')
        redis.call('XADD', q .. 'events', '*', 'event', 'deduplicated', 'jobId', 95, 'deduplicationId', 'one', 'deduplicatedJobId', 96)
        redis.call('SET', q .. 'de:one', 95)
        redis.call('ZADD', q .. 'waiting-children', now, 12)
        redis.call('HSET', q .. 12, 'name', 'all', 'timestamp', now, 'data', '{}', 'opts', '{}')
        redis.call('SADD', q .. '12:dependencies', 'bull:mails:90')
        redis.call('RPUSH', q .. '12:logs', 'begun')
        for n = 100, 700 do redis.call('HSET', q .. '12:processed', 'bull:mails:' .. n, '1') end
        redis.call('HSET', q .. '12:failed', 'bull:mails:91', 'no')
        redis.call('SET', 'bull:old:id', 1)
        redis.call('XADD', 'orders', '*', 'order', 1)
        redis.call('XGROUP', 'CREATE', 'orders', 'billing', '0')";
    let () = redis::Script::new(fill).arg(now).invoke_async(&mut client).await.expect("filled");
}

async fn user(own: &Own, name: &str, rights: &[&str]) -> Watch {
    let mut ask = cmd("ACL");
    ask.arg(&["SETUSER", name, "reset", "on", ">secret", "&*"]).arg(rights);
    let () =
        ask.query_async(&mut own.client().await).await.unwrap_or_else(|error| panic!("{rights:?}: {error}"));
    let url = own.url().replace("redis://", &format!("redis://{name}:secret@"));
    let connect = url::redis(&url).expect("a URL");
    Watch::new(Connect::Redis(stacktop::config::target::RedisConnect {
        queues: vec!["mails".into(), "old".into()],
        ..connect
    }))
}

/// Everything that somebody may look at.
async fn looks(watch: &mut Watch) -> Result<(), String> {
    let queue = mails();
    for listing in [
        Listing::State { state: JobState::Failed, offset: 0 },
        Listing::State { state: JobState::Waiting, offset: 0 },
        Listing::Text("7".to_owned()),
    ] {
        let focus = [
            Focus::Server { node: String::new() },
            Focus::OpenJobs { queue: queue.clone() },
            Focus::More { queue: queue.clone() },
            Focus::FailedJobs { queue: queue.clone(), offset: 0, limit: 10 },
            Focus::Job { queue: queue.clone(), id: "12".to_owned() },
            Focus::Jobs { queue: queue.clone(), listing },
        ];
        watch.poll_with(&focus).await.map_err(|error| error.message)?;
    }
    Ok(())
}

/// What rules need of a queue: its name, whether it is known, and why it is not.
type Known = (&'static str, bool, Option<Gap>);

fn known(reading: &RedisReading) -> Vec<Known> {
    let queues = reading.queues.ready();
    let queue = queues.and_then(|all| all.iter().find(|queue| queue.queue == mails()));
    let queue: Option<&QueueReading> = queue.map(|queue| &**queue);
    let whole = reading.queues.gap().or(reading.unseen.as_ref());
    let part = |name, known: fn(&QueueReading) -> bool, gap: Option<&'_ Gap>| {
        (name, queue.is_some_and(known), whole.or(gap).cloned())
    };
    let unread = |what| queue.and_then(|queue| queue.unread(what));
    vec![
        part("counts", |queue| queue.waiting == 1 && queue.failed == 1, None),
        part("late", |queue| queue.late.len() == 1, unread(Unread::Schedulers)),
        part("stalled", |queue| queue.stalled == 1, unread(Unread::InProgress)),
        part("waits", |queue| queue.oldest_wait.is_some(), unread(Unread::NextInLine)),
        part(
            "holders",
            |queue| queue.lost_holders.len() == 1,
            unread(Unread::Holders).or_else(|| queue.and_then(|queue| queue.happened.gap())),
        ),
        part(
            "events",
            |queue| queue.happened.ready().is_some_and(|all| all.failed == 1),
            queue.and_then(|queue| queue.happened.gap()),
        ),
        part(
            "children",
            |queue| queue.stuck.ready().is_some_and(|all| all.iter().any(|one| one.gone == ["90"])),
            queue.and_then(|queue| queue.stuck.gap()),
        ),
    ]
}

/// What is wrong with what this user is told, who lacks `right`.
fn wrong(watch: &Watch, right: &str) -> Vec<String> {
    let told = reading(watch);
    let mut wrong = Vec::new();
    let name = right.replace('|', " ").to_uppercase();
    if !told.refused.iter().any(|one| one.starts_with(&name)) {
        wrong.push(format!("{right}: that it is refused is not told: {:?}", told.refused));
    }
    for (fact, is, gap) in known(told) {
        if !is && gap.is_none() {
            wrong.push(format!("{right}: {fact} is not known, and nothing says why"));
        }
    }
    let job = told.jobs.first().map(|job| job.state.clone()).unwrap_or_default();
    if job == "gone" || job.is_empty() {
        wrong.push(format!("{right}: the job is {job:?}"));
    }
    let firing = watch.world.alerts.firing();
    let unread = firing.iter().any(|finding| finding.breach.rule == "source.unread");
    if known(told).iter().any(|(_, is, _)| !is) && !unread {
        wrong.push(format!("{right}: no finding says what nobody watches: {}", watch.verdict()));
    }
    wrong
}

/// Each command that is asked is refused in turn: that is told, what it costs is no zero, and whoever sets up access is told to grant it.
#[tokio::test(flavor = "multi_thread")]
async fn each_command_that_is_refused_is_told_and_makes_nothing_well() {
    let test = "each_command_that_is_refused_is_told_and_makes_nothing_well";
    let Some(own) = Own::start(test, &[]).await else { return };
    scene(&own).await;
    let commands = commands();
    assert!(commands.len() > 30 && commands.contains("memory|usage"), "{commands:?}");
    let mut whole = user(&own, "whole", &["~*", "+@all"]).await;
    let mut users = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        let rights = ["~*", "+@all", &format!("-{command}")];
        users.push((command.as_str(), user(&own, &format!("u{at}"), &rights).await));
    }
    let mut all = Vec::new();
    // Who lost its worker is told after a second look.
    for round in 0..2 {
        looks(&mut whole).await.expect("a poll");
        for (command, watch) in &mut users {
            if let Err(error) = looks(watch).await {
                all.push(format!("{command}: the target is lost: {error}"));
            }
        }
        if round == 0 {
            tokio::time::sleep(Duration::from_millis(5_100)).await;
        }
    }
    let lacks: Vec<_> = known(reading(&whole)).into_iter().filter(|(_, is, _)| !is).collect();
    assert!(lacks.is_empty() && reading(&whole).refused.is_empty(), "{lacks:?}");
    for (command, watch) in &users {
        all.extend(wrong(watch, command));
    }
    let connect = url::redis(&own.url()).expect("a URL");
    let report = doctor::examine(&connect).await.expect("a report");
    let setup = report.setup.first().expect("two lines");
    let granted: BTreeSet<&str> = setup.split(' ').collect();
    for command in &commands {
        if !granted.contains(format!("+{command}").as_str()) {
            all.push(format!("{command}: the access list of `doctor` does not grant it"));
        }
    }
    assert!(all.is_empty(), "{} commands:\n{}", commands.len(), all.join("\n"));
}

/// Keys that may not be read though their queue may: what they would tell is not known, and is no zero.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_refused_cost_their_part_and_make_nothing_well() {
    let test = "keys_that_are_refused_cost_their_part_and_make_nothing_well";
    let Some(own) = Own::start(test, &[]).await else { return };
    scene(&own).await;
    for (name, keys, part, watches) in [
        ("unscheduled", "~bull:mails:[^r]*", Unread::Schedulers, "schedulers that make no more jobs"),
        ("unsaid", "~bull:mails:[^1-9]*", Unread::NextInLine, "how long the next job has waited"),
    ] {
        let mut watch = user(&own, name, &[keys, "+@all"]).await;
        watch.poll().await.expect("a poll");
        let queue = read(&watch);
        let gap = queue.unread(part).unwrap_or_else(|| panic!("{name}: {queue:?}"));
        assert!(gap.note.contains("key"), "{gap:?}");
        assert!(queue.late.is_empty() || part != Unread::Schedulers);
        let firing = watch.world.alerts.firing();
        let told: Vec<&str> = firing.iter().map(|finding| finding.breach.sentence.as_str()).collect();
        assert!(
            told.iter().any(|told| told.contains(&format!("nobody watches {watches}"))),
            "{name}: {told:?}"
        );
        assert!(!watch.verdict().starts_with("OK"), "{}", watch.verdict());
        // Given back, it is known.
        let mut ask = cmd("ACL");
        let () = ask.arg(&["SETUSER", name, "~*"]).query_async(&mut own.client().await).await.expect("set");
        let url = own.url().replace("redis://", &format!("redis://{name}:secret@"));
        let mut again = Watch::new(Connect::Redis(url::redis(&url).expect("a URL")));
        again.poll().await.expect("a poll");
        let queue = read(&again);
        assert!(queue.unread.is_empty() && queue.late.len() == 1, "{queue:?}");
    }
}
