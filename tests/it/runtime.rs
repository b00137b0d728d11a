//! Each effect does what it says, with sources and executors that only note what they are asked.

use futures_util::future::BoxFuture;
use stacktop::actions::Executor;
use stacktop::actions::audit::{AuditTrail, Phase};
use stacktop::actions::gate::{Actor, Entry, Gate};
use stacktop::actions::stop::{Cause, Stop};
use stacktop::app::keymap::Keymap;
use stacktop::app::msg::{Effect, Msg, Reloaded};
use stacktop::core::action::{Action, ActionError, Confirmed, Outcome, Verdict, Verification};
use stacktop::core::alert::Rulebook;
use stacktop::core::arming::{Permit, Stance};
use stacktop::core::enlisted::Enlisted;
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::notify::NotifySettings;
use stacktop::core::postgres::{BackendId, PgAction};
use stacktop::core::reading::Reading;
use stacktop::core::report::PollError;
use stacktop::core::time::{Clock, Now};
use stacktop::core::topology::Topology;
use stacktop::engine::latest::Reports;
use stacktop::engine::{Engine, EngineSettings, Job};
use stacktop::runtime::effects::{Answer, Answers, Effects, Next, Outlets};
use stacktop::runtime::reload::{Reload, Reread};
use stacktop::sources::Source;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

type Notes = Arc<Mutex<Vec<String>>>;

fn note(notes: &Notes, words: String) {
    notes.lock().expect("a lock").push(words);
}

/// Notes with which focus it is asked.
struct Asked(&'static str, Notes);

impl Source for Asked {
    fn poll<'a>(&'a mut self, _: Now, focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        let looked = if focus.is_empty() { "" } else { " looked at" };
        note(&self.1, format!("{}{looked}", self.0));
        Box::pin(async { Ok(Reading::Metrics(Box::default())) })
    }
}

/// Notes what it is to do; `waits` goes on until it is stopped.
struct Doer {
    notes: Notes,
    waits: bool,
}

impl Executor for Doer {
    fn prepare(&self) -> BoxFuture<'_, ()> {
        note(&self.notes, "prepared".to_owned());
        Box::pin(async {})
    }

    fn execute<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
        stop: &'a Stop,
    ) -> BoxFuture<'a, Result<Outcome, ActionError>> {
        note(&self.notes, format!("{} sent", action.action().verb()));
        Box::pin(async move {
            while self.waits && stop.cause().is_none() {
                stop.pause(Duration::from_secs(60)).await;
            }
            let by = stop.cause().map_or(String::new(), |cause| format!(" stopped by {cause}"));
            Ok(Outcome { verdict: Verdict::Done, summary: format!("done{by}"), details: Vec::new() })
        })
    }

    fn verify<'a>(&'a self, _: &'a Confirmed<Action>) -> BoxFuture<'a, Result<Verification, ActionError>> {
        Box::pin(async { Ok(Verification { settled: true, sentence: "released 9".to_owned() }) })
    }

    fn progress(&self) -> Option<String> {
        self.waits.then(|| "3 of 9".to_owned())
    }

    fn statement(&self, _: &Action) -> String {
        "SELECT pg_terminate_backend(1)".to_owned()
    }
}

/// Tokio's paused clock as ours.
struct Paused(tokio::time::Instant);

impl Clock for Paused {
    fn now(&self) -> Now {
        Now::example(0).plus(self.0.elapsed())
    }
}

struct Outside {
    effects: Effects,
    answers: Answers,
    reports: Reports,
    polls: Notes,
    acts: Notes,
    trail: Arc<AuditTrail>,
    _folder: TempDir,
}

fn pg() -> TargetId {
    TargetId::new("pg")
}

impl Outside {
    /// Two targets that are asked once a day, their first reports taken, and an executor for the first.
    async fn start(waits: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock: Arc<dyn Clock> = Arc::new(Paused(tokio::time::Instant::now()));
        let (polls, acts) = (Notes::default(), Notes::default());
        let job = |name: &'static str| {
            let polls = Arc::clone(&polls);
            Job {
                target: TargetId::new(name),
                interval: Duration::from_secs(86_400),
                timeout: Duration::from_secs(5),
                source: Box::new(move || Box::new(Asked(name, Arc::clone(&polls)))),
            }
        };
        let (engine, mut reports) =
            Engine::start(vec![job("pg"), job("cache")], EngineSettings::default(), &clock);
        let trail = Arc::new(AuditTrail::at(folder.path().join("audit.jsonl")));
        let executor = Arc::new(Doer { notes: Arc::clone(&acts), waits });
        let entries = HashMap::from([(pg(), Entry { address: "db:5432".to_owned(), executor })]);
        let gate = Gate::new(entries, Arc::clone(&trail), clock, Actor::default());
        let (effects, answers) = Effects::begin(engine, Arc::new(gate), Outlets::default(), Now::example(0));
        for _ in 0..2 {
            reports.next().await;
        }
        Self { effects, answers, reports, polls, acts, trail, _folder: folder }
    }

    /// The same, when the trail was read.
    async fn begin(waits: bool) -> Self {
        let mut outside = Self::start(waits).await;
        assert!(matches!(outside.answer().await, Msg::AuditTail(_)), "the start reads the trail");
        outside
    }

    /// The same on a clock that stands still: nothing is waited for that is done on a thread of its own, or the clock would go on.
    async fn quiet() -> Self {
        let mut outside = Self::start(false).await;
        outside.asked().await;
        outside
    }

    fn carry_out(&mut self, effect: Effect) -> Next {
        self.effects.carry_out(vec![effect])
    }

    /// What is asked until nothing more is.
    async fn asked(&mut self) -> Vec<String> {
        let more = Duration::from_secs(30);
        while tokio::time::timeout(more, self.reports.next()).await.is_ok() {}
        let mut polls = std::mem::take(&mut *self.polls.lock().expect("a lock"));
        polls.sort();
        polls
    }

    fn acts(&self) -> Vec<String> {
        self.acts.lock().expect("a lock").iter().filter(|act| *act != "prepared").cloned().collect()
    }

    fn phases(&self) -> Vec<Phase> {
        self.trail.tail(9).lines.iter().map(|line| line.phase).collect()
    }

    async fn answer(&mut self) -> Msg {
        match self.answers.next().await.expect("an answer") {
            Answer::Message(message) => message,
            Answer::Reread(_) => panic!("nobody reads the configuration again"),
        }
    }
}

fn terminate(target: TargetId, until: Option<Now>) -> Effect {
    let backend = BackendId { pid: 1, backend_start_micros: 2 };
    let act = PgAction::one((backend, None), true);
    let confirmed = Confirmed::by_a_person(Action::Postgres { target: target.clone(), act });
    Effect::Perform { confirmed, permit: Permit { target, until } }
}

fn looked_at() -> Vec<(TargetId, Focus)> {
    vec![(pg(), Focus::StatementTexts(vec![7]))]
}

#[tokio::test]
async fn the_start_opens_the_connections_for_actions() {
    let outside = Outside::begin(false).await;
    assert!(outside.acts.lock().expect("a lock").contains(&"prepared".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn one_target_is_polled_and_no_other() {
    let mut outside = Outside::quiet().await;
    assert_eq!(outside.carry_out(Effect::PollNow(pg())), Next::Go);
    assert_eq!(outside.asked().await, ["pg"]);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_not_watched_is_not_polled() {
    let mut outside = Outside::quiet().await;
    outside.carry_out(Effect::PollNow(TargetId::new("gone")));
    assert_eq!(outside.asked().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn all_targets_are_polled() {
    let mut outside = Outside::quiet().await;
    outside.carry_out(Effect::PollAll);
    assert_eq!(outside.asked().await, ["cache", "pg"]);
}

#[tokio::test(start_paused = true)]
async fn a_focus_reaches_its_target_at_once_and_no_other() {
    let mut outside = Outside::quiet().await;
    outside.carry_out(Effect::Focus(looked_at()));
    assert_eq!(outside.asked().await, ["pg looked at"]);
}

#[tokio::test(start_paused = true)]
async fn the_same_focus_again_asks_nothing() {
    let mut outside = Outside::quiet().await;
    outside.carry_out(Effect::Focus(looked_at()));
    outside.asked().await;
    outside.carry_out(Effect::Focus(looked_at()));
    assert_eq!(outside.asked().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_focus_that_ends_asks_nothing_and_is_gone_at_the_next_poll() {
    let mut outside = Outside::quiet().await;
    outside.carry_out(Effect::Focus(looked_at()));
    outside.asked().await;
    outside.carry_out(Effect::Focus(Vec::new()));
    assert_eq!(outside.asked().await, Vec::<String>::new());
    outside.carry_out(Effect::PollNow(pg()));
    assert_eq!(outside.asked().await, ["pg"]);
}

#[tokio::test]
async fn an_action_is_sent_and_its_outcome_is_news() {
    let mut outside = Outside::begin(false).await;
    assert_eq!(outside.carry_out(terminate(pg(), None)), Next::Go);
    let Msg::ActionDone { result, .. } = outside.answer().await else { panic!("its outcome") };
    assert_eq!(result.map(|outcome| outcome.summary), Ok("done".to_owned()));
    assert_eq!(outside.acts(), ["terminate_backend sent"]);
}

#[tokio::test]
async fn after_an_action_a_look_is_news() {
    let mut outside = Outside::begin(false).await;
    outside.carry_out(terminate(pg(), None));
    outside.answer().await;
    let Msg::Verified { result, .. } = outside.answer().await else { panic!("the look") };
    assert_eq!(result.map(|found| found.sentence), Ok("released 9".to_owned()));
}

#[tokio::test]
async fn an_action_is_written_down_before_and_after() {
    let mut outside = Outside::begin(false).await;
    outside.carry_out(terminate(pg(), None));
    outside.answer().await;
    assert_eq!(outside.phases(), [Phase::Intent, Phase::Outcome]);
}

#[tokio::test]
async fn an_action_whose_permission_is_over_is_not_sent() {
    let mut outside = Outside::begin(false).await;
    outside.carry_out(terminate(pg(), Some(Now::example(0))));
    let Msg::ActionDone { result, .. } = outside.answer().await else { panic!("its outcome") };
    assert!(matches!(result, Err(ActionError::Refused(_))), "{result:?}");
    assert_eq!(outside.acts(), Vec::<String>::new());
}

#[tokio::test]
async fn an_action_on_a_target_without_an_executor_is_not_sent() {
    let mut outside = Outside::begin(false).await;
    outside.carry_out(terminate(TargetId::new("cache"), None));
    let Msg::ActionDone { result, .. } = outside.answer().await else { panic!("its outcome") };
    assert!(matches!(result, Err(ActionError::Refused(_))), "{result:?}");
}

#[tokio::test]
async fn an_action_that_takes_long_tells_how_far_it_is() {
    let mut outside = Outside::begin(true).await;
    outside.carry_out(terminate(pg(), None));
    let Msg::Progress(words) = outside.answer().await else { panic!("progress") };
    assert_eq!(words, "3 of 9");
}

#[tokio::test]
async fn an_action_that_runs_is_stopped_by_the_operator() {
    let mut outside = Outside::begin(true).await;
    outside.carry_out(terminate(pg(), None));
    assert!(matches!(outside.answer().await, Msg::Progress(_)));
    outside.carry_out(Effect::StopActions);
    loop {
        match outside.answer().await {
            Msg::Progress(_) => {}
            Msg::ActionDone { result, .. } => {
                assert_eq!(result.map(|outcome| outcome.summary), Ok("done stopped by you".to_owned()));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The configuration was read again: `left` has gone, and `joined` has come.
fn reread(left: &[&str], joined: Vec<Job>, entries: HashMap<TargetId, Entry>) -> Reread {
    let reloaded = Reloaded {
        keymap: Keymap::default(),
        columns: BTreeMap::new(),
        theme: None,
        rules: Rulebook::defaults(&[]),
        notify: NotifySettings::SILENT,
        targets: Enlisted {
            left: left.iter().map(|name| TargetId::new(name)).collect(),
            ..Enlisted::default()
        },
        access: Vec::new(),
        stance: Stance { environment: "local".to_owned(), guessed: true, production: false, read_only: None },
        topology: Topology::default(),
        trail: Vec::new(),
        words: "read again".to_owned(),
    };
    Reread { reloaded, jobs: joined, entries }
}

#[tokio::test]
async fn an_action_under_way_is_not_cut_when_its_target_goes_and_is_looked_at_where_it_was_done() {
    let mut outside = Outside::begin(true).await;
    outside.carry_out(terminate(pg(), None));
    assert!(matches!(outside.answer().await, Msg::Progress(_)));
    let others = Notes::default();
    let executor = Arc::new(Doer { notes: Arc::clone(&others), waits: false });
    let entries = HashMap::from([(pg(), Entry { address: "other:5432".to_owned(), executor })]);
    outside.effects.take_over(reread(&["pg"], Vec::new(), entries));
    let words = |result: Result<Outcome, ActionError>| result.map(|outcome| outcome.summary);
    // What begins now goes to who has the name now.
    outside.carry_out(terminate(pg(), None));
    let mut ends = Vec::new();
    while ends.len() < 2 {
        match outside.answer().await {
            Msg::ActionDone { result, .. } => {
                ends.push(words(result));
                outside.carry_out(Effect::StopActions);
            }
            Msg::Progress(_) | Msg::Verified { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ends, [Ok("done".to_owned()), Ok("done stopped by you".to_owned())]);
    assert_eq!(outside.acts(), ["terminate_backend sent"]);
    assert_eq!(*others.lock().expect("a lock"), ["prepared", "terminate_backend sent"]);
    let addresses: Vec<String> =
        outside.trail.tail(9).lines.iter().map(|line| line.address.clone()).collect();
    assert_eq!(addresses.iter().filter(|at| *at == "other:5432").count(), 2, "{addresses:?}");
    outside.effects.take_over(reread(&["pg"], Vec::new(), HashMap::new()));
    outside.carry_out(terminate(pg(), None));
    loop {
        if let Msg::ActionDone { result, .. } = outside.answer().await {
            assert!(matches!(result, Err(ActionError::Refused(_))), "{result:?}");
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn targets_come_and_go_with_what_was_read_again() {
    let mut outside = Outside::quiet().await;
    let polls = Arc::clone(&outside.polls);
    let job = Job {
        target: TargetId::new("web"),
        interval: Duration::from_secs(86_400),
        timeout: Duration::from_secs(5),
        source: Box::new(move || Box::new(Asked("web", Arc::clone(&polls)))),
    };
    outside.effects.take_over(reread(&["pg"], vec![job], HashMap::new()));
    assert_eq!(outside.asked().await, ["web"], "it is asked at once");
    outside.carry_out(Effect::PollAll);
    assert_eq!(outside.asked().await, ["cache", "web"]);
}

#[tokio::test]
async fn what_was_read_again_comes_with_who_asks_and_changes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock: Arc<dyn Clock> = Arc::new(Paused(tokio::time::Instant::now()));
    let (engine, _reports) = Engine::start(Vec::new(), EngineSettings::default(), &clock);
    let trail = Arc::new(AuditTrail::at(folder.path().join("audit.jsonl")));
    let gate = Arc::new(Gate::new(HashMap::new(), trail, clock, Actor::default()));
    let reads = Arc::new(Mutex::new(vec![Err("c.toml:3:1: a mistake".to_owned()), Ok(())]));
    let read = move || {
        let next = reads.lock().expect("a lock").pop().expect("no more");
        next.map(|()| reread(&["pg"], Vec::new(), HashMap::new()))
    };
    let outlets = Outlets { reload: Some(Reload(Arc::new(read))), ..Outlets::default() };
    let (mut effects, mut answers) = Effects::begin(engine, gate, outlets, Now::example(0));
    let mut told = Vec::new();
    while told.len() < 2 {
        effects.carry_out(vec![Effect::Reload]);
        loop {
            match answers.next().await.expect("an answer") {
                Answer::Reread(read) => told.push(effects.take_over(*read).words),
                Answer::Message(Msg::Reloaded(Err(why))) => told.push(why),
                Answer::Message(_) => continue,
            }
            break;
        }
    }
    assert_eq!(told, ["read again", "c.toml:3:1: a mistake"]);
    effects.end(Cause::Quit).await;
}

#[tokio::test]
async fn a_stop_before_an_action_is_not_meant_for_it() {
    let mut outside = Outside::begin(false).await;
    outside.carry_out(Effect::StopActions);
    outside.carry_out(terminate(pg(), None));
    let Msg::ActionDone { result, .. } = outside.answer().await else { panic!("its outcome") };
    assert_eq!(result.map(|outcome| outcome.summary), Ok("done".to_owned()));
}

#[tokio::test]
async fn the_trail_is_read_when_it_is_asked_for() {
    let mut outside = Outside::begin(false).await;
    outside.carry_out(terminate(pg(), None));
    outside.answer().await;
    outside.carry_out(Effect::ReadAudit);
    loop {
        if let Msg::AuditTail(tail) = outside.answer().await {
            assert_eq!(tail.lines.first().map(|line| line.action.as_str()), Some("terminate_backend"));
            break;
        }
    }
}

#[tokio::test]
async fn what_is_copied_is_told() {
    let mut outside = Outside::begin(false).await;
    // Too much for a terminal, so that this test writes nothing to one.
    outside.carry_out(Effect::Copy("x".repeat(80_000)));
    let Msg::Told(words) = outside.answer().await else { panic!("a sentence") };
    assert_eq!(words, "too long for a clipboard (80000 bytes)");
}

#[tokio::test]
async fn what_the_terminal_is_for_is_left_to_the_loop() {
    let mut outside = Outside::begin(false).await;
    assert_eq!(outside.carry_out(Effect::Redraw), Next::Redraw);
    assert_eq!(outside.carry_out(Effect::Suspend), Next::Suspend);
    assert_eq!(outside.carry_out(Effect::Edit("{}".to_owned())), Next::Edit("{}".to_owned()));
    assert_eq!(outside.carry_out(Effect::Quit), Next::Quit);
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_behind_the_end() {
    let mut outside = Outside::quiet().await;
    let next = outside.effects.carry_out(vec![Effect::Quit, Effect::PollAll]);
    assert_eq!((next, outside.asked().await), (Next::Quit, Vec::new()));
}

#[tokio::test]
async fn what_is_done_beside_does_not_hide_what_the_loop_is_to_do() {
    let mut outside = Outside::begin(false).await;
    assert_eq!(outside.effects.carry_out(vec![Effect::Redraw, Effect::PollAll]), Next::Redraw);
}

#[tokio::test]
async fn nothing_at_all_goes_on() {
    let mut outside = Outside::begin(false).await;
    assert_eq!(outside.effects.carry_out(Vec::new()), Next::Go);
}

#[tokio::test]
async fn the_end_of_a_run_stops_what_runs_and_tells_what_came_of_it() {
    let mut outside = Outside::begin(true).await;
    outside.carry_out(terminate(pg(), None));
    assert!(matches!(outside.answer().await, Msg::Progress(_)));
    drop(outside.answers);
    let told = outside.effects.end(Cause::HangUp).await;
    assert!(
        told.len() == 1
            && told[0].contains("terminate_backend on pg: ")
            && told[0].contains("stopped by a hang-up"),
        "{told:?}"
    );
    let phases: Vec<Phase> = outside.trail.tail(9).lines.iter().map(|line| line.phase).collect();
    assert_eq!(phases, [Phase::Intent, Phase::Outcome]);
}

#[tokio::test]
async fn the_end_of_a_run_in_which_nothing_ran_tells_nothing() {
    let mut outside = Outside::begin(false).await;
    assert_eq!(outside.effects.end(Cause::Quit).await, Vec::<String>::new());
}
