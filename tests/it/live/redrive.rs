//! Dead letters go back to real workers: the original is preferred, nothing runs twice, the brake holds, a journal continues.

use super::queues::{GENERATIONS, Lab, named, queue, sorted, unique};
use super::{Watch, server};
use redis::AsyncCommands;
use stacktop::config::target::{Connect, RedisConnect};
use stacktop::config::url;
use stacktop::core::action::{Action, ActionError, Outcome, Verdict};
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::place::Screen;
use stacktop::core::redis::{Brake, Change, JobState, Letters, QueueRef, RedisAction, RedisRow, Sweep};
use stacktop::core::row::RowKey;
use stacktop::panels::panel;

fn watch(lab: &Lab, names: &[&str]) -> Watch {
    let queues = names.iter().map(|name| (*name).to_owned()).collect();
    Watch::new(Connect::Redis(RedisConnect { queues, ..url::redis(&lab.url).expect("a URL") }))
}

async fn redrive(
    watch: &Watch,
    from: &str,
    to: Option<&str>,
    letters: Letters,
) -> Result<Outcome, ActionError> {
    let act = RedisAction::Redrive {
        queue: named(from),
        to: to.map(named),
        letters,
        brake: Brake { per_second: 50, stop_above_percent: 20 },
    };
    watch.act(Action::Redis { target: watch.target.id.clone(), act }).await
}

fn journals(watch: &Watch) -> Vec<String> {
    let files = std::fs::read_dir(watch.folder.path()).expect("the folder");
    let paths = files.filter_map(|file| Some(file.ok()?.path()));
    let journals = paths
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("redrive-")));
    journals.map(|path| std::fs::read_to_string(path).expect("a journal")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_every_generation_reach_their_worker_once() {
    let Some(lab) = Lab::open("letters_of_every_generation_reach_their_worker_once") else { return };
    for (generation, _) in GENERATIONS {
        let source = unique(&format!("mails-{generation}"));
        let letters = format!("{source}-dlq");
        // The original of the first letter is still kept as failed; those of the others are gone.
        let kept = lab.failed(generation, &source, 1);
        let list = format!("{source}={},{source}=77001,{source},-", kept[0]);
        lab.run(generation, "letters", &letters, &list);
        let worker = lab.worker(generation, &source);
        let mut watch = watch(&lab, &[&letters]);
        let outcome = redrive(&watch, &letters, Some(&source), Letters::All).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{generation}: {outcome:?}");
        assert!(
            outcome.summary.contains("4 of 4 back (1 originals retried, 3 added)"),
            "{generation}: {}",
            outcome.summary
        );
        let done = worker.done(4);
        assert!(done.contains(&kept[0]), "{generation}: {done:?}");
        assert_eq!(worker.line(1).map(|(_, line)| line), None, "{generation}: something ran twice");
        watch.poll().await.expect("a poll");
        assert_eq!(queue(&watch).dead(), 0, "{generation}");
        let removed = std::fs::read_to_string(watch.folder.path().join("removed-jobs.jsonl")).expect("kept");
        assert_eq!(removed.lines().count(), 4, "{generation}");
        assert!(journals(&watch)[0].contains("\"end\""), "{generation}");
        let none = redrive(&watch, &letters, None, Letters::Unfinished).await.expect_err("nothing is left");
        assert!(none.to_string().contains("no redrive of"), "{generation}: {none}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_when_they_fail_again_and_a_journal_continues() {
    let Some(lab) = Lab::open("it_stops_when_they_fail_again_and_a_journal_continues") else { return };
    let source = unique("brake");
    let letters = format!("{source}-dlq");
    lab.run("bullmq5", "add", &source, "0");
    let list: Vec<&str> = std::iter::repeat_n(source.as_str(), 40).collect();
    let all: Vec<String> =
        lab.run("bullmq5", "letters", &letters, &list.join(",")).split(' ').map(str::to_owned).collect();
    let watch = watch(&lab, &[&letters]);
    // Everything from the fifth on still fails: the first goes through, the ten after it stop it.
    let bad = lab.broken_worker("bullmq5", &source, 5);
    let outcome = redrive(&watch, &letters, None, Letters::All).await.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Partly, "{outcome:?}");
    assert!(
        outcome.summary.contains("stopped with 29 left") && outcome.summary.contains("failed again"),
        "{outcome:?}"
    );
    drop(bad);
    let mut client = lab.client().await;
    let left: Vec<String> = client.lrange(named(&letters).key("wait"), 0, -1).await.expect("a list");
    assert_eq!(left.len(), 29);
    // New letters come: what is continued is what was chosen then.
    lab.run("bullmq5", "letters", &letters, &source);
    let worker = lab.worker("bullmq5", &source);
    let rest = redrive(&watch, &letters, None, Letters::Unfinished).await.expect("an outcome");
    assert_eq!(rest.verdict, Verdict::Done, "{rest:?}");
    assert!(rest.summary.contains("29 of 29 back"), "{}", rest.summary);
    let plain = |id: String| id.rsplit_once('-').expect("a fingerprint").0.to_owned();
    let done = worker.done(29).into_iter().map(plain).collect();
    let expected: Vec<String> = all[11..].iter().map(|id| format!("redrive-{letters}-{id}")).collect();
    assert_eq!(sorted(done), sorted(expected));
    assert_eq!(client.llen::<_, usize>(named(&letters).key("wait")).await.expect("a length"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_two_steps_runs_nothing_twice() {
    let Some(lab) = Lab::open("a_crash_between_the_two_steps_runs_nothing_twice") else { return };
    let source = unique("crash");
    let letters = format!("{source}-dlq");
    lab.run("bullmq5", "add", &source, "0");
    let id = lab.run("bullmq5", "letters", &letters, &source);
    // As if it had ended after the first step: the job is added, the letter still there.
    let mut client = lab.client().await;
    let before: Vec<(String, String)> = client.hgetall(named(&letters).key(&id)).await.expect("the letter");
    let watch = watch(&lab, &[&letters]);
    let worker = lab.worker("bullmq5", &source);
    redrive(&watch, &letters, None, Letters::All).await.expect("an outcome");
    assert_eq!(worker.done(1).len(), 1);
    let () = client.hset_multiple(named(&letters).key(&id), &before).await.expect("back");
    let () = client.lpush(named(&letters).key("wait"), &id).await.expect("back");
    let again = redrive(&watch, &letters, None, Letters::All).await.expect("an outcome");
    assert!(again.details[0].1.contains("it was there already"), "{again:?}");
    assert_eq!(worker.line(1).map(|(_, line)| line), None, "it ran twice");
    assert_eq!(client.llen::<_, usize>(named(&letters).key("wait")).await.expect("a length"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_the_same_id_are_told_apart_by_what_they_hold() {
    let Some(lab) = Lab::open("letters_of_the_same_id_are_told_apart_by_what_they_hold") else { return };
    let source = unique("same-id");
    let letters = format!("{source}-dlq");
    // The failed job that has the original's id now is another one: its data differs, and it is younger than the letter.
    let foreign = lab.failed("bullmq5", &source, 1);
    let mut client = lab.client().await;
    lab.run("bullmq5", "add", &letters, "0");
    let watch = watch(&lab, &[&letters]);
    let worker = lab.worker("bullmq5", &source);
    for (amount, made) in [(7, "1000"), (99, "2000")] {
        let data = format!(
            r#"{{"originalQueue":"{source}","originalJobId":"{}","originalData":{{"order":{amount}}},"failedReason":"no"}}"#,
            foreign[0]
        );
        let fields = [("name", "dlq-mail"), ("data", data.as_str()), ("opts", "{}"), ("timestamp", made)];
        let key = named(&letters).key("order-42");
        let () = client.hset_multiple(&key, &fields).await.expect("a letter");
        let () = client.lpush(named(&letters).key("wait"), "order-42").await.expect("in line");
        // One whose data is not text costs nobody but itself.
        let () = client.hset(named(&letters).key("odd"), "name", "x").await.expect("a letter");
        let () =
            client.hset(named(&letters).key("odd"), "data", &b"{\"a\":\"\xff\"}"[..]).await.expect("odd");
        let () = client.lrem(named(&letters).key("wait"), 0, "odd").await.expect("once");
        let () = client.lpush(named(&letters).key("wait"), "odd").await.expect("in line");
        let () = client.lpush(named(&letters).key("wait"), &b"\xff\xfe"[..]).await.expect("an id of bytes");
        let outcome = redrive(&watch, &letters, None, Letters::All).await.expect("an outcome");
        assert!(outcome.summary.contains("(0 originals retried, 1 added)"), "{outcome:?}");
        assert!(format!("{outcome:?}").contains("not text"), "{outcome:?}");
        let (_, line) = worker.line(15).expect("it runs");
        assert!(line.contains(&format!("{{\"order\":{amount}}}")), "{line}");
        // It dies before the letter is removed, and the job is not kept: the next attempt runs nothing again.
        let new = line.split(' ').nth(1).expect("an id").to_owned();
        let () = client.hset_multiple(&key, &fields).await.expect("back");
        let () = client.lpush(named(&letters).key("wait"), "order-42").await.expect("back");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let () = client.zrem(named(&source).key("completed"), &new).await.expect("not kept");
        let () = client.del(named(&source).key(&new)).await.expect("not kept");
        let again = redrive(&watch, &letters, None, Letters::All).await.expect("an outcome");
        assert!(format!("{again:?}").contains("it was there already"), "{again:?}");
        assert_eq!(worker.line(1).map(|(_, line)| line), None, "it ran twice");
    }
    let kept: Option<f64> = client.zscore(named(&source).key("failed"), &foreign[0]).await.expect("a score");
    assert!(kept.is_some(), "another customer's job was retried");
}

/// One of many letters holds a byte that is no text, far behind those that an outcome names: it stays as it was, and it is the one that is
/// named; all the others run.
#[tokio::test(flavor = "multi_thread")]
async fn a_letter_with_a_byte_that_is_no_text_costs_itself_only_and_is_named() {
    const ALL: usize = 70;
    const ODD: usize = 63;
    let test = "a_letter_with_a_byte_that_is_no_text_costs_itself_only_and_is_named";
    let Some(lab) = Lab::open(test) else { return };
    for (generation, _) in GENERATIONS {
        let source = unique(&format!("byte-{generation}"));
        let letters = format!("{source}-dlq");
        lab.run(generation, "add", &source, "1");
        let list = vec![source.as_str(); ALL].join(",");
        let ids = lab.run(generation, "letters", &letters, &list);
        let odd = ids.split(' ').nth(ODD).expect("an id").to_owned();
        let mut client = lab.client().await;
        let key = named(&letters).key(&odd);
        let before: String = client.hget(&key, "data").await.expect("its data");
        let order = format!("{{\"order\":{ODD}}}");
        let at = before.find(&order).expect("the order in it") + order.len() - 1;
        let latin = [&before.as_bytes()[..at], b",\"name\":\"Ren\xe9\"", &before.as_bytes()[at..]].concat();
        let () = client.hset(&key, "data", &latin).await.expect("a byte");
        let worker = lab.worker(generation, &source);
        worker.done(1);
        let mut watch = watch(&lab, &[&letters]);
        watch.poll().await.expect("it is read as before");
        let outcome = redrive(&watch, &letters, None, Letters::All).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Partly, "{generation}: {outcome:?}");
        let told =
            format!("{} of {ALL} back (0 originals retried, {} added), 1 left alone", ALL - 1, ALL - 1);
        assert!(outcome.summary.contains(&told), "{generation}: {}", outcome.summary);
        let (name, why) = &outcome.details[0];
        assert_eq!(
            (name.as_str(), why.as_str()),
            (format!("letter {odd}").as_str(), "left alone: what it holds is not text (UTF-8)"),
            "{generation}"
        );
        let mut orders = std::collections::BTreeSet::new();
        for _ in 1..ALL {
            let (_, line) = worker.line(15).expect("it runs");
            orders.insert(line.rsplit_once("\"order\":").expect("an order").1.to_owned());
        }
        assert_eq!((orders.len(), orders.contains(&format!("{ODD}}}"))), (ALL - 1, false), "{generation}");
        assert_eq!(worker.line(1).map(|(_, line)| line), None, "{generation}: something ran twice");
        let left: Vec<u8> = client.hget(&key, "data").await.expect("its data");
        assert_eq!(left, latin, "{generation}: it is as it was");
        watch.poll().await.expect("a poll");
        assert_eq!(queue(&watch).dead(), 1, "{generation}");
    }
}

/// Ids began anew and the same data came again: which of the two jobs the letter tells of cannot be known.
#[tokio::test(flavor = "multi_thread")]
async fn an_equal_job_that_is_younger_than_the_letter_is_left_alone() {
    let Some(lab) = Lab::open("an_equal_job_that_is_younger_than_the_letter_is_left_alone") else { return };
    let source = unique("equal");
    let letters = format!("{source}-dlq");
    let ids = lab.failed("bullmq5", &source, 1);
    let mut client = lab.client().await;
    lab.run("bullmq5", "add", &letters, "0");
    let data: String = client.hget(named(&source).key(&ids[0]), "data").await.expect("its data");
    let body = format!(
        r#"{{"originalQueue":"{source}","originalJobId":"{}","originalJobName":"mail","originalData":{data},"failedReason":"no"}}"#,
        ids[0]
    );
    let watch = watch(&lab, &[&letters]);
    for (made, retried) in [("1000", 0), ("9000000000000", 1)] {
        let fields = [("name", "dlq-mail"), ("data", body.as_str()), ("opts", "{}"), ("timestamp", made)];
        let () = client.hset_multiple(named(&letters).key("equal"), &fields).await.expect("a letter");
        let () = client.lrem(named(&letters).key("wait"), 0, "equal").await.expect("once");
        let () = client.lpush(named(&letters).key("wait"), "equal").await.expect("in line");
        let outcome = redrive(&watch, &letters, None, Letters::All).await.expect("an outcome");
        let told = format!("{outcome:?}");
        assert_eq!(told.contains("the same data, and is younger"), retried == 0, "{told}");
        assert!(told.contains(&format!("({retried} originals retried, 0 added)")), "{told}");
        let left: usize = client.llen(named(&letters).key("wait")).await.expect("a length");
        assert_eq!(left, 1 - retried, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_retry_everything_and_a_resume_loses_nothing() {
    let Some(lab) = Lab::open("two_operators_retry_everything_and_a_resume_loses_nothing") else { return };
    let mut client = lab.client().await;
    let name = unique("two");
    let key = |suffix: &str| named(&name).key(suffix);
    let mut fill = redis::pipe();
    // The workers' clock is ahead of the server's, and many ended in the same millisecond.
    for n in 0..1000 {
        let id = format!("j{n}");
        fill.cmd("HSET").arg(key(&id)).arg(&["name", "mail", "data", "{}", "opts", "{}"]).ignore();
        fill.cmd("ZADD").arg(key("failed")).arg(9_000_000_000_000_u64 + n / 300).arg(&id).ignore();
    }
    for n in 0..130 {
        fill.cmd("ZADD").arg(key("failed")).arg(8_000_000_000_000_u64).arg(format!("ghost{n}")).ignore();
    }
    fill.cmd("ZADD").arg(key("failed")).arg(9_000_000_000_001_u64).arg(&b"\xff"[..]).ignore();
    fill.cmd("HSET").arg(key("meta")).arg("version").arg("bullmq:5.81.0").ignore();
    let () = fill.query_async(&mut client).await.expect("filled");
    let (one, two) = (lab.watch(&name), lab.watch(&name));
    let sweep = |watch: &Watch| {
        let change = Change::Sweep(Sweep::Retry);
        Action::Redis {
            target: watch.target.id.clone(),
            act: RedisAction::Change { queue: named(&name), change },
        }
    };
    let (first, second) = tokio::join!(one.act(sweep(&one)), two.act(sweep(&two)));
    let (first, second) = (first.expect("an outcome"), second.expect("an outcome"));
    let count = |outcome: &Outcome, what: &str| -> usize {
        let at = outcome.summary.find(what).map_or("", |at| &outcome.summary[..at]);
        at.trim_end().rsplit(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0)
    };
    let back = "back to waiting";
    assert_eq!(count(&first, back) + count(&second, back), 1000, "{first:?} {second:?}");
    assert!(first.summary.contains("not text") && first.summary.contains("131 of those"), "{first:?}");
    let waiting: Vec<String> = client.lrange(key("wait"), 0, -1).await.expect("a list");
    let distinct: std::collections::BTreeSet<&String> = waiting.iter().collect();
    assert_eq!((waiting.len(), distinct.len()), (1000, 1000));
    // What an earlier pause has left, and jobs that came since: our resume, and the library's own after it.
    for generation in ["bull4", "bullmq4", "bullmq5"] {
        let name = unique(&format!("left-{generation}"));
        lab.run(generation, "add", &name, "5");
        let from = named(&name);
        let () = client.rename(from.key("wait"), from.key("paused")).await.expect("stranded");
        lab.run(generation, "add", &name, "5");
        let watch = lab.watch(&name);
        let act = RedisAction::Resume { queue: named(&name) };
        watch.act(Action::Redis { target: watch.target.id.clone(), act }).await.expect("an outcome");
        lab.run(generation, "resume", &name, "");
        assert_eq!(lab.worker(generation, &name).done(10).len(), 10, "{generation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_worker_it_stops_after_the_first_and_the_screen_offers_it() {
    let Some(lab) = Lab::open("without_a_worker_it_stops_after_the_first_and_the_screen_offers_it") else {
        return;
    };
    let source = unique("nobody");
    let letters = format!("{source}-dlq");
    lab.run("bullmq5", "add", &source, "1");
    lab.run("bullmq5", "letters", &letters, &format!("{source}=5,{source},unknown-queue"));
    let mut watch = watch(&lab, &[&letters]);
    watch.poll().await.expect("a poll");
    let row = RowKey::of_queue(&TargetId::new("it"), &queue(&watch).queue);
    let focus: Vec<Focus> = {
        watch.poll_with(&[Focus::OpenJobs { queue: named(&letters) }]).await.expect("a poll");
        let path: Vec<RowKey> = vec![row.clone()];
        panel(Screen::Queues).focus(watch.context(), &path).into_iter().map(|(_, focus)| focus).collect()
    };
    watch.poll_with(&focus).await.expect("a poll");
    let offers = panel(Screen::Queues).offers(watch.context(), &[], &row, &[]);
    let (action, preview) = offers[0].choice.clone().expect("possible");
    assert_eq!(preview.title, format!("Redrive 3 letters of {letters}"));
    let opened = &preview.facts.iter().find(|(label, _)| label == "opened by").expect("the guess").1;
    assert!(opened.contains("data /originalData") && opened.contains("queue /originalQueue"), "{opened}");
    let outcome = watch.act(action).await.expect("an outcome");
    assert!(outcome.summary.contains("is a worker there?"), "{}", outcome.summary);
    assert!(outcome.summary.contains("stopped with 2 left"), "{}", outcome.summary);
}

/// A masked address, and where it stands besides the data.
const SECRET: &str = "ann@example.org";

/// Puts a failed job by hand: its data, and a reason, a stack and a log line that repeat what is in it.
async fn put_failed(client: &mut redis::aio::MultiplexedConnection, queue: &str, data: &str) {
    let key = named(queue).key("1");
    let reason = format!("refused (email)=({SECRET})");
    let fields = [
        ("name", "mail"),
        ("data", data),
        ("opts", "{}"),
        ("timestamp", "1000"),
        ("failedReason", reason.as_str()),
        ("returnvalue", data),
    ];
    let () = client.hset_multiple(&key, &fields).await.expect("a job");
    let stack = format!("[\"Error: no mail to {SECRET}\"]");
    let () = client.hset(&key, "stacktrace", stack).await.expect("a stack");
    let () = client.rpush(format!("{key}:logs"), format!("sending to {SECRET}")).await.expect("a log");
    let () = client.zadd(named(queue).key("failed"), "1", 2000).await.expect("failed");
    let () = client.hset(named(queue).key("meta"), "version", "bullmq:5.0.0").await.expect("meta");
    let events = [
        [("event", "progress"), ("jobId", "1"), ("data", data)],
        [("event", "failed"), ("jobId", "1"), ("failedReason", reason.as_str())],
    ];
    for event in events {
        let () = client.xadd(named(queue).key("events"), "*", &event).await.expect("an event");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_masked_is_on_no_screen_and_whole_in_what_is_done() {
    let test = "what_is_masked_is_on_no_screen_and_whole_in_what_is_done";
    let Some(url) = server(test, "STACKTOP_TEST_REDIS_URL") else { return };
    let mut client = super::queues::connected(&url).await;
    let inner = format!(r#"{{"email":"{SECRET}","order":7}}"#);
    let envelopes = [
        inner.clone(),
        format!(r#"{{"originalQueue":"x","originalData":{inner},"failedReason":"no"}}"#),
        serde_json::json!({"originalQueue": "x", "originalData": inner, "failedReason": "no"}).to_string(),
    ];
    for data in envelopes {
        let letters = format!("{}-dlq", unique("masked"));
        put_failed(&mut client, &letters, &data).await;
        let mut connect = RedisConnect { queues: vec![letters.clone()], ..url::redis(&url).expect("a URL") };
        connect.masks = vec!["Email".to_owned()];
        let mut watch = Watch::new(Connect::Redis(connect));
        let focus = [
            Focus::FailedJobs { queue: named(&letters), offset: 0, limit: 10 },
            Focus::OpenJobs { queue: named(&letters) },
            Focus::Job { queue: named(&letters), id: "1".to_owned() },
            Focus::More { queue: named(&letters) },
        ];
        watch.poll_with(&focus).await.expect("a poll");
        // Nothing of it came in: whatever is drawn from this reading cannot show it.
        let happened = queue(&watch).happened.ready().expect("its events are read");
        assert_eq!((happened.failed, &*happened.reason), (1, "refused (email)=(•••)"));
        let file = serde_json::to_string(super::queues::reading(&watch)).expect("written");
        let whole = format!("{:?} {file}", watch.world);
        assert!(!whole.contains(SECRET), "{whole}");
        assert!(whole.contains("•••") && whole.contains("order"), "{whole}");
        let redrive = panel(Screen::Queues).offers(
            watch.context(),
            &[],
            &RowKey::of_queue(&TargetId::new("it"), &queue(&watch).queue),
            &[],
        );
        let preview = format!(
            "{:?}",
            redrive.iter().filter_map(|offer| offer.choice.as_ref().ok()).collect::<Vec<_>>()
        );
        assert!(preview.contains("letter 1") && !preview.contains(SECRET), "{preview}");
        let job = RowKey::Redis(
            TargetId::new("it"),
            RedisRow::Job(
                QueueRef { prefix: "bull".into(), name: letters.clone() },
                "1".into(),
                Some(JobState::Failed),
            ),
        );
        let offers = panel(Screen::Queues).offers(watch.context(), &[], &job, &[]);
        assert!(!format!("{offers:?}").contains(SECRET), "{offers:?}");
        let edit = offers.iter().find(|offer| offer.letter == 't').expect("an offer");
        assert!(format!("{:?}", edit.choice).contains("masks"), "{edit:?}");
        let copy = offers.iter().find(|offer| offer.letter == 'c').expect("an offer");
        let (action, _) = copy.choice.clone().expect("possible");
        let Action::Redis { act: RedisAction::Change { change: Change::Copy { .. }, .. }, .. } = &action
        else {
            panic!("{action:?}");
        };
        let outcome = watch.act(action).await.expect("an outcome");
        let new = outcome.summary.split(' ').find(|word| word.starts_with("stacktop-")).expect("an id");
        let copied: String = client.hget(named(&letters).key(new), "data").await.expect("its data");
        assert_eq!(copied, data, "{outcome:?}");
        let audit = std::fs::read_to_string(watch.audit_file()).expect("the trail");
        assert!(!audit.contains(SECRET), "{audit}");
        let keys: Vec<String> = client.keys(format!("bull:{letters}:*")).await.expect("keys");
        let () = client.del(keys).await.expect("gone");
    }
}

/// Workers that keep no failed job: what failed again is known by the events, or said to be unknown.
#[tokio::test(flavor = "multi_thread")]
async fn failures_that_nobody_keeps_stop_it() {
    let Some(lab) = Lab::open("failures_that_nobody_keeps_stop_it") else { return };
    for generation in ["bullmq3", "bullmq4", "bullmq5", "bullmq6", "bull4"] {
        let source = unique(&format!("untold-{generation}"));
        let letters = format!("{source}-dlq");
        lab.run(generation, "add", &source, "1");
        let list: Vec<&str> = std::iter::repeat_n(source.as_str(), 20).collect();
        let options = r#"{"removeOnFail":true,"removeOnComplete":true}"#;
        lab.run_with(generation, "letters", &letters, &list.join(","), &[("OPTIONS", options)]);
        let watch = watch(&lab, &[&letters]);
        let bad = lab.broken_worker(generation, &source, 0);
        let outcome = redrive(&watch, &letters, Some(&source), Letters::All).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Partly, "{generation}: {outcome:?}");
        let expected = if generation == "bull4" { "ended and nothing tells how" } else { "1 failed again" };
        assert!(
            outcome.summary.contains("1 of 20 back")
                && outcome.summary.contains(expected)
                && outcome.summary.contains("stopped with 19 left"),
            "{generation}: {}",
            outcome.summary
        );
        drop(bad);
        let worker = lab.worker(generation, &source);
        let rest = redrive(&watch, &letters, Some(&source), Letters::Unfinished).await.expect("an outcome");
        assert_eq!(rest.verdict, Verdict::Done, "{generation}: {rest:?}");
        assert!(rest.summary.contains("19 of 19 back"), "{generation}: {}", rest.summary);
        assert_eq!(rest.summary.contains("nothing tells how"), generation == "bull4", "{}", rest.summary);
        assert!(!rest.summary.contains("failed again"), "{generation}: {}", rest.summary);
        assert_eq!(worker.done(19).len(), 19, "{generation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_runs_has_the_time_it_needs_and_one_that_nobody_takes_has_not() {
    let test = "a_job_that_runs_has_the_time_it_needs_and_one_that_nobody_takes_has_not";
    let Some(lab) = Lab::open(test) else { return };
    let slow = unique("slow");
    let letters = format!("{slow}-dlq");
    lab.run("bullmq5", "add", &slow, "0");
    lab.run("bullmq5", "letters", &letters, &slow);
    let _worker = lab.slow_worker("bullmq5", &slow, 17_000);
    let paused = unique("held");
    let others = format!("{paused}-dlq");
    lab.run("bullmq5", "add", &paused, "0");
    lab.run("bullmq5", "pause", &paused, "");
    lab.run("bullmq5", "letters", &others, &paused);
    let (one, two) = (watch(&lab, &[&letters]), watch(&lab, &[&others]));
    let (ran, held) =
        tokio::join!(redrive(&one, &letters, None, Letters::All), redrive(&two, &others, None, Letters::All));
    let ran = ran.expect("an outcome");
    assert_eq!(ran.verdict, Verdict::Done, "{ran:?}");
    assert!(!ran.summary.contains("not ended"), "{}", ran.summary);
    let held = held.expect("an outcome");
    assert!(held.summary.contains(&format!("(queue {paused} is paused)")), "{}", held.summary);
}
