//! The front ends without a screen: the report and its schema, exit codes, lines of changes, and what is served over HTTP.

use crate::pages::world::{FIRST, Stage, postgres, ready, session, session_in};
use chrono::{FixedOffset, Offset, Utc};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use stacktop::actions::sizes::SizeKeeper;
use stacktop::core::alert::Rulebook;
use stacktop::core::enlisted::Enlisted;
use stacktop::core::ids::{SystemKind, TargetId};
use stacktop::core::log::LogReading;
use stacktop::core::part::{Gap, GapKind, Part, Warm};
use stacktop::core::postgres::{Health, PostgresReading, Session, SessionState, SqlTable, Watched};
use stacktop::core::time::{Clock, Now};
use stacktop::core::verdict::Verdict;
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::drill::Stack;
use stacktop::engine::roster::{self, Roster};
use stacktop::engine::{EngineSettings, Job};
use stacktop::headless::changes::{self, Change, Looked};
use stacktop::headless::check::{Form, enough, written};
use stacktop::headless::exposition::{self, Format};
use stacktop::headless::families::families;
use stacktop::headless::report::Report;
use stacktop::headless::watching::{Cost, Seen, Setup, Watching};
use stacktop::headless::words::State;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Stands in every URL, and may stand nowhere else.
const SECRET: &str = "zq7XbNKw9vRt";
/// Nothing listens on port 1.
const NOBODY: &str = "redis://:zq7XbNKw9vRt@127.0.0.1:1/0";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn program(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stacktop"));
    command.args(words).env_clear().env("HOME", folder).current_dir(folder).stdin(Stdio::null());
    command
}

fn output(words: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    program(folder.path(), words).output().expect("it runs")
}

/// What is printed, and the exit code; nothing of the secret is in either stream.
#[track_caller]
fn said(words: &[&str], code: i32) -> (String, String) {
    let output = output(words);
    let out = String::from_utf8(output.stdout).expect("text");
    let error = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(code), "{words:?}: {out}{error}");
    assert!(!out.contains(SECRET) && !error.contains(SECRET), "{words:?}: {out}{error}");
    (out, error)
}

/// The document, which is as the schema says.
#[track_caller]
pub fn valid(text: &str) -> Value {
    let file = root().join("docs/check.schema.json");
    let mut schemas = boon::Schemas::new();
    let schema = boon::Compiler::new().compile(&file.display().to_string(), &mut schemas).expect("a schema");
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    if let Err(error) = schemas.validate(&value, schema) {
        panic!("{error:#}: {text}");
    }
    value
}

#[test]
fn a_stack_that_does_not_answer_is_unknown() {
    let (out, _) = said(&["check", NOBODY, "--for", "1s"], 3);
    assert!(out.starts_with("UNKNOWN since ") && out.contains("LOST, it never answered"), "{out}");
    let (out, _) = said(&["check", NOBODY, "--for", "1s", "--format", "json"], 3);
    let told = valid(&out);
    assert_eq!((&told["state"], &told["exit_code"]), (&json!("unknown"), &json!(3)));
    assert_eq!(told["findings"][0]["rule"], "source.silent");
    assert_eq!(
        (&told["targets"][0]["freshness"], &told["targets"][0]["age_seconds"]),
        (&json!("lost"), &Value::Null)
    );
    let (out, _) = said(&["check", NOBODY, "--for", "1s", "-o", "markdown"], 3);
    assert!(
        out.starts_with("# ") && out.contains(": unknown\n") && out.contains("| target | system |"),
        "{out}"
    );
}

#[test]
fn a_url_is_looked_at_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    // What a folder brings along, and what the environment names, is about something else.
    std::fs::write(folder.path().join("stacktop.toml"), "[[redis]]\nurl = \"redis://theirs\"\n")
        .expect("written");
    let mut command = program(folder.path(), &["check", NOBODY, "--for", "1s", "--format", "json"]);
    let output = command.env("REDIS_URL", "redis://elsewhere").output().expect("it runs");
    let told = valid(&String::from_utf8(output.stdout).expect("text"));
    let names = told["targets"].as_array().expect("a list").iter().map(|target| target["address"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["127.0.0.1:1/0"]);
    // Without a URL the folder's file would be connected to, which nobody has agreed to: nothing is known of that.
    let output = program(folder.path(), &["check"]).output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && error.contains("was not trusted yet"), "{error}");
}

/// Who has taken note of it on a screen is told here, too.
#[test]
fn what_was_acknowledged_is_told_with_who_did() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join(".local/state/stacktop");
    std::fs::create_dir_all(&state).expect("a folder");
    let line = json!({"at": Utc::now().to_rfc3339(), "who": "ana", "rule": "source.silent", "target": "redis", "subject": "silent",
        "severity": "critical", "note": "", "until": "over"});
    std::fs::write(state.join("notes.jsonl"), format!("{line}\n")).expect("written");
    let words = ["check", NOBODY, "--for", "3s", "--format", "json"];
    let output = program(folder.path(), &words).output().expect("it runs");
    let told = valid(&String::from_utf8(output.stdout).expect("text"));
    let finding = &told["findings"][0];
    assert_eq!(
        (&finding["rule"], &finding["noted_by"]),
        (&json!("source.silent"), &json!("ana")),
        "{told:#}"
    );
    assert!(finding["sentence"].as_str().is_some_and(|text| text.starts_with("(acknowledged) ")), "{told:#}");
}

/// 2 says that the stack is broken: of a mistake nobody may think that.
#[test]
fn a_mistake_is_no_broken_stack() {
    for (words, code, expected) in [
        (&["check", "--for", "0s"][..], 3, "--for is a span"),
        (&["check", "--fromat", "json"], 3, "did you mean `--format`?"),
        (&["check", "mysql://h/d"], 3, "is nothing that stacktop watches"),
        (&["check", "--config", "not-there.toml"], 3, "not-there.toml"),
        (&["check", "--theme", "dark"], 3, "--theme changes nothing about `stacktop check`"),
        (&["watch", "--format", "markdown"], 2, "--format has no value, or one that cannot be used"),
        (&["serve", "--listen", "9799"], 2, "--listen is an address and a port"),
        (&["serve", NOBODY, "--listen", "192.0.2.1:1"], 2, "cannot listen at 192.0.2.1:1"),
        (&[NOBODY], 2, "this is no terminal: `stacktop check` looks once"),
    ] {
        let (out, error) = said(words, code);
        assert!(out.is_empty() && error.contains(expected), "{words:?}: {out}{error}");
    }
}

/// Tokio's paused clock as ours.
struct Paused(tokio::time::Instant);

impl Clock for Paused {
    fn now(&self) -> Now {
        Now::example(0).plus(self.0.elapsed())
    }
}

fn utc() -> FixedOffset {
    Utc.fix()
}

/// The embedded stack, watched without a screen.
fn demo() -> Watching {
    let clock: Arc<dyn Clock> = Arc::new(Paused(tokio::time::Instant::now()));
    let now = clock.now();
    let stack = Stack::demo(1, now);
    let state = |one: &stacktop::drill::StackTarget| {
        TargetState::new(one.id.clone(), one.settings.clone(), one.address.clone(), one.interval, now)
    };
    let states = stack.targets().iter().map(state).collect();
    Watching::start(Setup {
        environment: "demo".to_owned(),
        world: World::new(states, Rulebook::defaults(&all_rules())),
        jobs: stack.jobs(),
        roster: None,
        engine: EngineSettings::default(),
        notes: None,
        sizes: None,
        clock,
        zone: utc,
    })
}

/// Sizes that are seen outlive the run, in a file of its owner's only; nothing but names and bytes is in it.
#[tokio::test(start_paused = true)]
async fn sizes_are_kept_for_the_next_run() {
    let clock: Arc<dyn Clock> = Arc::new(Paused(tokio::time::Instant::now()));
    let (now, folder) = (clock.now(), tempfile::tempdir().expect("a folder"));
    let stack = Stack::demo(1, now);
    let state = |one: &stacktop::drill::StackTarget| {
        TargetState::new(one.id.clone(), one.settings.clone(), one.address.clone(), one.interval, now)
    };
    let path = folder.path().join("sizes.jsonl");
    let mut watching = Watching::start(Setup {
        environment: "demo".to_owned(),
        world: World::new(stack.targets().iter().map(state).collect(), Rulebook::defaults(&all_rules())),
        jobs: stack.jobs(),
        roster: None,
        engine: EngineSettings::default(),
        notes: None,
        sizes: Some(SizeKeeper::at(path.clone())),
        clock,
        zone: utc,
    });
    until(&mut watching, 60, |_| {}).await;
    drop(watching);
    let read = || std::fs::read_to_string(&path).unwrap_or_default();
    // It is written by a thread of its own.
    for _ in 0..500 {
        if read().contains("\"memory\"") && read().contains("\"disk of node ") {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let kept = SizeKeeper::at(path.clone()).recall().await;
    let times = |what: &str| {
        kept.iter().filter(|sizes| sizes.bytes.keys().any(|name| name.starts_with(what))).count()
    };
    assert!(times("memory") >= 1 && times("disk of node ") >= 1, "{}", read());
    let lines = read().lines().count();
    assert!(lines <= 2 * stack.targets().len() + 8, "one of each in half an hour: {}", read());
    assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
}

/// A list that names a target after five seconds, and no more after twenty.
struct Later {
    joins: Option<(TargetState, Job)>,
    leaves: Option<TargetId>,
}

impl Roster for Later {
    fn next(&mut self) -> BoxFuture<'_, roster::Change> {
        Box::pin(async move {
            if let Some((state, job)) = self.joins.take() {
                tokio::time::sleep(Duration::from_secs(5)).await;
                let enlisted = Enlisted { joined: vec![state], ..Enlisted::default() };
                return roster::Change { enlisted, jobs: vec![job] };
            }
            let Some(id) = self.leaves.take() else { return std::future::pending().await };
            tokio::time::sleep(Duration::from_secs(15)).await;
            let enlisted = Enlisted { left: vec![id], ..Enlisted::default() };
            roster::Change { enlisted, jobs: Vec::new() }
        })
    }
}

/// Who comes is asked, and who goes is asked no more.
#[tokio::test(start_paused = true)]
async fn targets_come_and_go_while_it_runs() {
    let clock: Arc<dyn Clock> = Arc::new(Paused(tokio::time::Instant::now()));
    let now = clock.now();
    let stack = Stack::demo(1, now);
    let mut jobs = stack.jobs();
    let job = jobs.pop().expect("a job");
    let one = stack.targets().iter().find(|one| one.id == job.target).expect("its target");
    let id = one.id.clone();
    let joins = TargetState::new(id.clone(), one.settings.clone(), one.address.clone(), one.interval, now);
    let later = Later { joins: Some((joins, job)), leaves: Some(id.clone()) };
    let mut watching = Watching::start(Setup {
        environment: "demo".to_owned(),
        world: World::new(Vec::new(), Rulebook::defaults(&all_rules())),
        jobs: Vec::new(),
        roster: Some(Box::new(later)),
        engine: EngineSettings::default(),
        notes: None,
        sizes: None,
        clock,
        zone: utc,
    });
    until(&mut watching, 4, |seen| assert!(seen.world.targets().is_empty())).await;
    until(&mut watching, 19, |_| {}).await;
    let answered = |seen: Seen<'_>| seen.costs.get(&id).map_or(0, |cost| cost.answered);
    assert!(answered(watching.seen()) >= 2 && watching.seen().world.target(id.as_str()).is_some());
    until(&mut watching, 21, |_| {}).await;
    let known = answered(watching.seen());
    assert!(watching.seen().world.targets().is_empty());
    until(&mut watching, 60, |_| {}).await;
    assert_eq!(answered(watching.seen()), known, "nobody asks it any more");
}

async fn until(watching: &mut Watching, second: u64, mut each: impl FnMut(Seen<'_>)) {
    while watching.seen().now.since(Now::example(0)) < Duration::from_secs(second) {
        watching.next().await;
        each(watching.seen());
    }
}

#[tokio::test(start_paused = true)]
async fn the_report_says_what_line_2_says_in_every_form() {
    let mut watching = demo();
    until(&mut watching, 70, |_| {}).await;
    let seen = watching.seen();
    let report = Report::of(seen);
    let text = written(&report, Form::Json);
    let value = valid(&text);
    let verdict = Verdict::over(seen.world, seen.now);
    let cause = verdict.cause.expect("a cause");
    assert_eq!((report.state, report.exit_code), (State::Broken, 2), "{text}");
    let by_id = |id: &Value| {
        let all = value["findings"].as_array().expect("a list");
        all.iter().find(|finding| finding["id"] == *id).unwrap_or_else(|| panic!("{id}: {text}")).clone()
    };
    let (lead, root) = (by_id(&value["lead"]), by_id(&value["cause"]["finding"]));
    assert_eq!(lead["sentence"], json!(verdict.lead.expect("a lead").sentence(seen.now)));
    assert_eq!(root["sentence"], json!(cause.root.sentence(seen.now)));
    for sentence in [&lead["sentence"], &root["sentence"]] {
        assert!(report.verdict.contains(sentence.as_str().expect("text")), "{}", report.verdict);
    }
    // The chain as data leads from the lead to the root.
    let edges = value["chain"].as_array().expect("a list");
    let mut at = value["lead"].clone();
    while let Some(edge) = edges.iter().find(|edge| edge["effect"] == at) {
        assert!(by_id(&edge["effect"])["depth"].as_u64() > Some(0));
        at = edge["cause"].clone();
    }
    assert_eq!(at, value["cause"]["finding"]);
    assert_eq!(by_id(&at)["depth"], 0);
    // What has a number has it with its unit and the threshold that it is past.
    let numbered = |finding: &&Value| finding["value"].is_number() && finding["threshold"].is_number();
    assert!(
        value["findings"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|finding| numbered(&finding) && finding["unit"] != "none")
    );
    for form in [Form::Text, Form::Markdown] {
        let text = written(&report, form).replace('\\', "").replace("&gt;", ">").replace("&lt;", "<");
        let (root, lead) =
            (root["sentence"].as_str().expect("text"), lead["sentence"].as_str().expect("text"));
        let table = text.split_once("indings").expect("a list").1;
        let (first, second) = (table.find(root), table.find(lead));
        assert!(first.is_some() && first < second, "the root stands first: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_changes_is_told_each_once() {
    let mut watching = demo();
    let mut looked = Looked::default();
    let mut told: Vec<(Change, String, String)> = Vec::new();
    until(&mut watching, 90, |seen| {
        for change in looked.look(seen) {
            let text = change.line(changes::Form::Text, seen);
            let json = change.line(changes::Form::Json, seen);
            told.push((change, text, json));
        }
    })
    .await;
    let all: Vec<&str> = told.iter().map(|(_, text, _)| text.as_str()).collect();
    for (_, text, json) in &told {
        assert!(text.starts_with("2026-09-2") && text.contains(" +00:00  "), "{text}");
        let value: Value = serde_json::from_str(json).expect("JSON");
        assert!(value["at"].is_string() && value["event"].is_string() && json.lines().count() == 1, "{json}");
    }
    let verdicts: Vec<State> = told
        .iter()
        .filter_map(|(change, ..)| if let Change::Verdict(state, _) = change { Some(*state) } else { None })
        .collect();
    assert!(verdicts.first() == Some(&State::Ok) && verdicts.contains(&State::Broken), "{all:#?}");
    // Between two that tell it began, it ended.
    let mut fires: Vec<&str> = Vec::new();
    for (change, text, _) in &told {
        match change {
            Change::Began(finding) => {
                assert!(!fires.contains(&finding.id.as_str()), "told twice: {text}");
                fires.push(&finding.id);
            }
            Change::Ended(finding, ..) => {
                assert!(fires.contains(&finding.id.as_str()), "it never began: {text}");
                fires.retain(|id| *id != finding.id);
            }
            Change::Severity(_, finding) => assert!(fires.contains(&finding.id.as_str()), "{text}"),
            Change::Verdict(..)
            | Change::Lost(..)
            | Change::Back(..)
            | Change::Joined(_)
            | Change::Left(_) => {}
        }
    }
    let firing = watching.seen().world.alerts.firing().len();
    assert_eq!(fires.len(), firing, "{all:#?}");
    // An age that goes on is no change.
    assert!(told.len() < 60, "{all:#?}");
}

/// What is known of a stage.
fn seen<'a>(stage: &'a Stage, costs: &'a BTreeMap<stacktop::core::ids::TargetId, Cost>) -> Seen<'a> {
    Seen {
        environment: "test",
        world: &stage.world,
        costs,
        now: Now::example(stage.second),
        started: Now::example(FIRST),
        zone: utc(),
    }
}

#[test]
fn a_target_that_falls_silent_and_comes_back_has_lines_of_its_own() {
    let costs = BTreeMap::new();
    let mut looked = Looked::default();
    let mut lines = Vec::new();
    let mut look = |stage: &Stage| {
        let seen = seen(stage, &costs);
        lines.extend(
            looked.look(seen).iter().map(|change| change.line(changes::Form::Text, seen)[28..].to_owned()),
        );
    };
    let stage = Stage::of(postgres(vec![session(7)]));
    look(&stage);
    let stage = stage.fails(FIRST + 1, "pg");
    look(&stage);
    let stage = stage.at(FIRST + 40);
    look(&stage);
    let stage = stage.then(FIRST + 50, "pg", postgres(vec![session(7)]));
    look(&stage);
    let told: Vec<&str> = lines.iter().map(|line| line.get(..20).unwrap_or(line)).collect();
    assert!(told[0].starts_with("OK "), "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.starts_with("lost     pg: connection refused; start it")),
        "{lines:#?}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("back     pg: it answers again, after 50 s")),
        "{lines:#?}"
    );
    assert!(lines.last().is_some_and(|line| line.starts_with("OK ")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("source.silent")), "{lines:#?}");
}

/// One that a list named no more, and names again, was told to answer again while nobody had asked it.
#[test]
fn who_a_list_names_and_names_no_more_has_lines() {
    let costs = BTreeMap::new();
    let mut looked = Looked::default();
    let mut look = |stage: &Stage| -> Vec<String> {
        let seen = seen(stage, &costs);
        let line = |change: &Change| change.line(changes::Form::Text, seen)[28..].to_owned();
        looked.look(seen).iter().map(line).collect()
    };
    let mut stage = Stage::of(postgres(vec![session(7)]));
    look(&stage);
    stage = stage.fails(FIRST + 1, "pg").at(FIRST + 40);
    assert!(look(&stage).iter().any(|line| line.starts_with("lost     pg")));
    let enlist = |left: &[&str], joined: &[&str]| {
        let at = Now::example(FIRST + 41);
        let second = Duration::from_secs(1);
        let new = |name: &&str| {
            TargetState::new(TargetId::new(name), SystemKind::Metrics, String::new(), second, at)
        };
        let left = left.iter().map(|name| TargetId::new(name)).collect();
        Enlisted { left, joined: joined.iter().map(new).collect(), troubles: Vec::new() }
    };
    stage.world.enlist(enlist(&["pg"], &["a", "b"]), Now::example(FIRST + 41));
    let lines = look(&stage);
    assert_eq!(lines[..2], ["left     1 target: pg", "joined   2 targets: a, b"], "{lines:#?}");
    stage.world.enlist(enlist(&["a", "b"], &["pg"]), Now::example(FIRST + 41));
    let lines = look(&stage);
    assert_eq!(lines[..2], ["left     2 targets: a, b", "joined   1 target: pg"], "{lines:#?}");
    assert!(!lines.iter().any(|line| line.starts_with("back")), "{lines:#?}");
}

/// What was found of a target that has gone, or is another one since, was told to have ended like what was seen to end.
#[test]
fn what_is_only_watched_no_more_is_not_told_like_what_was_seen_to_end() {
    let costs = BTreeMap::new();
    let idle = || Session {
        transaction_age: Some(Duration::from_secs(7200)),
        ..session_in(7, SessionState::IdleInTransaction)
    };
    let second = Duration::from_secs(1);
    let at = Now::example(FIRST + 2);
    let again = TargetState::new(TargetId::new("pg"), SystemKind::Postgres, String::new(), second, at);
    let left = || vec![TargetId::new("pg")];
    for (gone, parted) in [
        (None, None),
        (Some(Enlisted { left: left(), ..Enlisted::default() }), Some("no longer watched")),
        (
            Some(Enlisted { left: left(), joined: vec![again], ..Enlisted::default() }),
            Some("asked in another way"),
        ),
    ] {
        let mut looked = Looked::default();
        let mut stage = Stage::of(postgres(vec![idle()]));
        let began = looked.look(seen(&stage, &costs));
        assert!(began.iter().any(|change| matches!(change, Change::Began(_))), "{began:#?}");
        if let Some(gone) = gone {
            stage.world.exchange(gone, at);
            stage.world.evaluate(at);
        } else {
            stage = stage.then(FIRST + 600, "pg", postgres(vec![session(7)]));
        }
        let seen = seen(&stage, &costs);
        let changes = looked.look(seen);
        let ended = changes.iter().find(|change| matches!(change, Change::Ended(..))).expect("it ended");
        let text = ended.line(changes::Form::Text, seen);
        assert_eq!(
            parted,
            ["no longer watched", "asked in another way"]
                .into_iter()
                .find(|words| text.ends_with(&format!(" ({words})"))),
            "{text}"
        );
        let json: Value = serde_json::from_str(&ended.line(changes::Form::Json, seen)).expect("JSON");
        assert_eq!(json["parted"].as_str(), parted, "{json}");
    }
}

/// A stage was looked at long enough so many seconds after it began, and no sooner, when its targets answered so often.
#[track_caller]
fn long_enough(stage: Stage, answered: u64, span: Option<u64>, expected: u64) {
    let one = |target: &Arc<TargetState>| (target.id.clone(), Cost { answered, ..Cost::default() });
    let costs: BTreeMap<_, _> = stage.world.targets().iter().map(one).collect();
    let span = span.map(Duration::from_secs);
    let mut stage = stage;
    let mut second = FIRST;
    while !enough(seen(&stage, &costs), span) {
        second += 1;
        assert!(second < FIRST + 200, "it never ends");
        stage = stage.at(second);
    }
    assert_eq!(second - FIRST, expected);
}

#[test]
fn a_look_takes_as_long_as_rates_and_rules_need_and_no_longer() {
    let whole = || PostgresReading { health: ready(Health::default()), ..postgres(vec![session(7)]) };
    let fine = || Stage::of(whole());
    long_enough(fine(), 2, None, 8);
    // What is read beside the first answer is waited for, too.
    long_enough(Stage::of(postgres(vec![session(7)])), 2, None, 90);
    long_enough(fine(), 2, Some(3), 3);
    // The second answer is waited for, and not for ever.
    long_enough(fine(), 1, None, 90);
    // Who refuses does not keep anybody waiting.
    long_enough(Stage::silent(SystemKind::Redis), 0, None, 8);
    // A clock that is wrong is told after a minute: that is waited for, here in vain, for nothing comes any more.
    let wrong = PostgresReading { clock: Some(9.0), ..whole() };
    let stage = Stage::of(wrong);
    assert!(stage.world.alerts.followed().any(|finding| finding.breach.rule == "source.clock"));
    long_enough(stage, 2, None, 90);
}

#[test]
fn what_was_not_read_yet_is_not_ok_and_is_named() {
    let costs = BTreeMap::new();
    let report = |reading: PostgresReading| {
        let stage = Stage::of(reading);
        let report = Report::of(seen(&stage, &costs));
        (report.exit_code, report.verdict, report.targets[0].not_read_yet.clone())
    };
    let whole = || PostgresReading { health: ready(Health::default()), ..postgres(vec![session(7)]) };
    let watched = |table| vec![Watched { topic: "indexes".to_owned(), table }];
    let (code, verdict, waits) = report(PostgresReading { watched: watched(Part::NotAsked), ..whole() });
    assert_eq!((code, waits), (3, vec!["invalid indexes"]));
    assert_eq!(verdict, "UNKNOWN: not read yet: pg (invalid indexes)");
    let (code, _, waits) = report(postgres(vec![session(7)]));
    assert_eq!((code, waits.len()), (3, 4), "{waits:?}");
    let (at, took) = (Now::example(FIRST), Duration::ZERO);
    let (columns, rows) = (Vec::new(), Vec::new());
    let read = ready(SqlTable { at, took, place: String::new(), columns, rows, truncated: false });
    let (code, verdict, waits) = report(PostgresReading { watched: watched(read), ..whole() });
    assert_eq!((code, waits.len()), (0, 0), "{verdict}");
}

#[test]
fn what_takes_longer_than_a_look_to_judge_is_named_beside_what_is_well() {
    let costs = BTreeMap::new();
    let counted = |second| {
        let part = |count: u64| Part::Ready(Warm::new(Now::example(second), count));
        LogReading { lines: part(90), errors: part(2), ..LogReading::default() }
    };
    let report = |stage: &Stage| {
        let report = Report::of(seen(stage, &costs));
        (report.exit_code, report.verdict, report.targets[0].not_judged_yet.len())
    };
    let words =
        "; not judged: shop-log (errors in the logs, of which the usual number is known after ten minutes)";
    let mut stage = Stage::of(counted(FIRST));
    let (code, verdict, count) = report(&stage);
    assert!(code == 0 && count == 1 && verdict.starts_with("OK") && verdict.ends_with(words), "{verdict}");
    let text = written(&Report::of(seen(&stage, &costs)), Form::Text);
    assert!(text.contains("  not judged: errors in the logs"), "{text}");
    for quarter in 1..=41 {
        stage = stage.then(FIRST + quarter * 15, "shop-log", counted(FIRST + quarter * 15));
    }
    let (code, verdict, count) = report(&stage);
    assert!(code == 0 && count == 0 && !verdict.contains("not judged"), "{verdict}");
    // Where no error can be counted, time does not help.
    let gap = Part::Unavailable(Gap::new(GapKind::NotSupported, "no line says what level it has"));
    let stage = Stage::of(LogReading { errors: gap, ..counted(FIRST) });
    assert_eq!(report(&stage).2, 0);
}

/// `name{label="…"}` of every number.
fn series(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(series, _)| series)
        .collect()
}

#[test]
fn a_hundred_targets_are_a_bounded_number_of_series() {
    let names: Vec<String> = (0..100).map(|n| format!("api-{n}")).collect();
    let targets: Vec<(&str, SystemKind)> =
        names.iter().map(|name| (name.as_str(), SystemKind::Metrics)).collect();
    let mut stage = Stage::with(&targets);
    for name in &names {
        stage = stage.fails(FIRST, name);
    }
    let costs = BTreeMap::new();
    let all = families(seen(&stage, &costs));
    for format in [Format::OpenMetrics, Format::Text] {
        let text = exposition::written(&all, format);
        let series = series(&text);
        assert!(series.len() > 500 && series.len() < 1500, "{}", series.len());
        let mut apart = series.clone();
        apart.sort_unstable();
        apart.dedup();
        assert_eq!(apart.len(), series.len(), "each series once");
        assert!(text.len() < 200_000, "{} bytes", text.len());
    }
}

/// Every number that the page, the dashboard and the alert rules name is one that is served.
#[test]
fn every_number_that_is_named_is_served() {
    let costs = BTreeMap::new();
    let stage = Stage::empty();
    let mut known = std::collections::BTreeSet::new();
    for family in families(seen(&stage, &costs)) {
        for suffix in ["", "_total", "_sum", "_count"] {
            known.insert(format!("{}{suffix}", family.name));
        }
    }
    let mut named = 0;
    for file in ["headless.md", "grafana.json", "stacktop.rules.yml"] {
        let text = std::fs::read_to_string(root().join("docs").join(file)).expect("text");
        for (at, _) in text.match_indices("stacktop_") {
            let name: String =
                text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            assert!(known.contains(&name), "{file}: {name}");
            named += 1;
        }
    }
    assert!(named > 40, "{named}");
}

/// `stacktop serve` on a port of its own.
pub struct Served {
    child: Child,
    pub address: SocketAddr,
    pub lines: BufReader<ChildStdout>,
    _errors: BufReader<ChildStderr>,
    _folder: tempfile::TempDir,
}

impl Served {
    pub fn start(words: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let words = [&["serve", "--listen", "127.0.0.1:0", "--format", "json"], words].concat();
        let mut child = program(folder.path(), &words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut errors = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        errors.read_line(&mut line).expect("a line");
        let address = line.split_once("http://").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        let address = address.unwrap_or_else(|| panic!("{line}"));
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, address, lines, _errors: errors, _folder: folder }
    }

    /// What comes for these bytes, until the other end closes.
    pub fn asked(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        // It may have closed before all is sent.
        let _ = stream.write_all(bytes);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        String::from_utf8_lossy(&all).into_owned()
    }

    pub fn get(&self, path: &str, more: &str) -> String {
        let host = self.address;
        self.asked(
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n").as_bytes(),
        )
    }

    pub fn body(&self, path: &str) -> String {
        let all = self.get(path, "");
        all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{all}")).1.to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_is_served_is_bounded_and_read_only() {
    let served = Served::start(&[NOBODY]);
    let host = served.address;
    let health = served.get("/healthz", "");
    assert!(health.starts_with("HTTP/1.1 200 OK\r\n") && health.ends_with("\r\n\r\nok\n"), "{health}");
    let head = served
        .asked(format!("HEAD /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes());
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let post = served.asked(
        format!("POST /check HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .as_bytes(),
    );
    assert!(post.starts_with("HTTP/1.1 405 ") && post.to_lowercase().contains("allow: get, head"), "{post}");
    assert!(served.get("/etc/passwd", "").starts_with("HTTP/1.1 404 "));
    // A page in a browser whose name leads here.
    let other = served.asked(b"GET /check HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert!(other.starts_with("HTTP/1.1 403 ") && !other.contains("source.silent"), "{other}");
    // More than a request needs.
    let long = served.get("/healthz", &format!("X: {}\r\n", "x".repeat(64 * 1024)));
    assert!(!long.contains("200 OK"), "{long}");
    let many: String = (0..100).map(|n| format!("X{n}: y\r\n")).collect();
    assert!(!served.get("/healthz", &many).contains("200 OK"));
    // Who sends nothing is closed, and holds up nobody.
    let idle: Vec<TcpStream> =
        (0..20).map(|_| TcpStream::connect(served.address).expect("connected")).collect();
    assert_eq!(served.body("/healthz"), "ok\n");
    let mut first = idle.into_iter().next().expect("one");
    first.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
    let mut rest = Vec::new();
    let _ = first.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
    let check = valid(&served.body("/check"));
    assert_eq!((&check["state"], &check["targets"][0]["system"]), (&json!("unknown"), &json!("redis")));
    assert!(!check.to_string().contains(SECRET));
}

#[test]
fn the_numbers_are_in_the_format_that_is_asked_for() {
    let served = Served::start(&[NOBODY]);
    // The first poll has failed when the first line says so.
    let until_lost = |served: &Served| {
        for _ in 0..100 {
            if served.body("/metrics").contains("stacktop_target_up{target=\"redis\",system=\"redis\"} 0\n") {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{}", served.body("/metrics"));
    };
    until_lost(&served);
    let plain = served.get("/metrics", "");
    assert!(plain.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{plain}");
    assert!(plain.contains("# TYPE stacktop_poll_failures_total counter\n"), "{plain}");
    for expected in [
        "stacktop_state{state=\"unknown\"} 1\n",
        "stacktop_state{state=\"ok\"} 0\n",
        "stacktop_finding{environment=\"local\",rule=\"source.silent\",target=\"redis\",subject=\"silent\",severity=\"critical\",role=\"root\"} 1\n",
        "stacktop_breaker_state{target=\"redis\",system=\"redis\",state=\"closed\"} ",
        "stacktop_poll_duration_seconds_count{target=\"redis\",system=\"redis\"} ",
    ] {
        assert!(plain.contains(expected), "{expected}: {plain}");
    }
    // What never answered has no age.
    assert!(!plain.contains("stacktop_reading_age_seconds{") && !plain.contains(SECRET), "{plain}");
    let open = served
        .get("/metrics", "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3\r\n");
    assert!(
        open.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"),
        "{open}"
    );
    assert!(open.ends_with("# EOF\n") && open.contains("# TYPE stacktop_poll_failures counter\n"), "{open}");
    assert!(open.contains("# UNIT stacktop_poll_duration_seconds seconds\n"), "{open}");
}

#[test]
fn lines_come_at_once_and_a_signal_ends_the_run_in_order() {
    let mut served = Served::start(&[NOBODY]);
    let mut events = Vec::new();
    while events.last().is_none_or(|event| event != "verdict") {
        let mut line = String::new();
        assert!(served.lines.read_line(&mut line).expect("a line") > 0, "{events:?}");
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert!(!line.contains(SECRET), "{line}");
        events.push(value["event"].as_str().expect("text").to_owned());
    }
    assert_eq!(events.first().map(String::as_str), Some("watching"));
    assert!(events.contains(&"target_lost".to_owned()), "{events:?}");
    signal(&served.child, rustix::process::Signal::TERM);
    assert_eq!(served.child.wait().expect("it ends").code(), Some(143));
    assert!(TcpStream::connect(served.address).is_err(), "the port is closed");
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).expect("it is ours");
}

#[test]
fn who_is_read_by_nobody_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child =
        program(folder.path(), &["watch", NOBODY]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    lines.read_line(&mut line).expect("a line");
    assert!(line.contains("  watching redis\n"), "{line}");
    drop(lines);
    assert_eq!(child.wait().expect("it ends").code(), Some(141));
}

#[test]
fn an_interrupt_ends_a_check_and_a_watch() {
    for verb in ["check", "watch"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child =
            program(folder.path(), &[verb, NOBODY]).stdout(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(800));
        signal(&child, rustix::process::Signal::INT);
        assert_eq!(child.wait().expect("it ends").code(), Some(130), "{verb}");
    }
}
