//! The tests of the gate.

use super::*;
use crate::core::postgres::{BackendId, PgAction};
use futures_util::future::BoxFuture;

struct Fixed(Now);

impl Clock for Fixed {
    fn now(&self) -> Now {
        self.0
    }
}

/// Notes how many audit lines there were when it was asked to act.
struct Spy {
    trail: Arc<AuditTrail>,
    seen: Mutex<Vec<usize>>,
}

impl Executor for Spy {
    fn execute<'a>(
        &'a self,
        _: &'a Confirmed<Action>,
        _: &'a Stop,
    ) -> BoxFuture<'a, Result<Outcome, ActionError>> {
        Box::pin(async {
            self.seen.lock().unwrap().push(self.trail.tail(9).lines.len());
            Ok(Outcome { verdict: Verdict::Done, summary: "gone".to_owned(), details: Vec::new() })
        })
    }

    fn verify<'a>(&'a self, _: &'a Confirmed<Action>) -> BoxFuture<'a, Result<Verification, ActionError>> {
        Box::pin(async { Ok(Verification { settled: true, sentence: "released 9".to_owned() }) })
    }

    fn statement(&self, _: &Action) -> String {
        "SELECT pg_terminate_backend(1)".to_owned()
    }
}

fn action() -> Confirmed<Action> {
    Confirmed::by_a_person(Action::Postgres {
        target: TargetId::new("pg"),
        act: PgAction::one((BackendId { pid: 1, backend_start_micros: 2 }, None), true),
    })
}

fn gate(path: std::path::PathBuf) -> (Gate, Arc<Spy>) {
    let trail = Arc::new(AuditTrail::at(path));
    let spy = Arc::new(Spy { trail: Arc::clone(&trail), seen: Mutex::new(Vec::new()) });
    let entry = Entry { address: "db:5432".to_owned(), executor: Arc::clone(&spy) as Arc<dyn Executor> };
    let entries = HashMap::from([(TargetId::new("pg"), entry)]);
    (Gate::new(entries, trail, Arc::new(Fixed(Now::example(100))), Actor::default()), spy)
}

fn permit(until: u64) -> Permit {
    Permit { target: TargetId::new("pg"), until: Some(Now::example(until)) }
}

#[tokio::test]
async fn the_intent_is_on_disk_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, spy) = gate(folder.path().join("audit.jsonl"));
    gate.perform("1", &action(), &permit(200)).await.unwrap();
    assert_eq!(*spy.seen.lock().unwrap(), [1]);
    gate.verify("1", &action(), false).await.unwrap();
    let phases: Vec<Phase> = gate.trail.tail(9).lines.iter().map(|line| line.phase).collect();
    assert_eq!(phases, [Phase::Intent, Phase::Outcome, Phase::Verified]);
    assert_eq!(gate.trail.tail(1).lines[0].result, "released 9");
}

#[tokio::test]
async fn lines_after_an_exchange_name_the_address_of_the_intent_and_the_environment_of_now() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, spy) = gate(folder.path().join("audit.jsonl"));
    let told = action().predicting(Some("it is over".to_owned()));
    gate.perform("1", &told, &permit(200)).await.unwrap();
    let other = Entry { address: "other:5432".to_owned(), executor: spy };
    let left = [TargetId::new("pg")];
    let gate = gate.exchanged(&left, HashMap::from([(TargetId::new("pg"), other)]), "production");
    gate.check("1", told.action(), "not known").await.unwrap();
    gate.check("1", told.action(), "told twice").await.unwrap();
    gate.perform("2", &action(), &permit(200)).await.unwrap();
    gate.check("2", told.action(), "nothing was predicted").await.unwrap();
    let lines = gate.trail.tail(9).lines;
    let of = |line: &AuditLine| (line.phase, line.address.clone(), line.environment.clone());
    let mut told: Vec<_> = lines.iter().map(of).collect();
    let line = |phase, address: &str, environment: &str| (phase, address.to_owned(), environment.to_owned());
    assert_eq!(
        told.drain(2..).collect::<Vec<_>>(),
        [
            line(Phase::Verified, "db:5432", "production"),
            line(Phase::Intent, "other:5432", "production"),
            line(Phase::Outcome, "other:5432", "production"),
        ]
    );
    assert_eq!(told, [line(Phase::Intent, "db:5432", ""), line(Phase::Outcome, "db:5432", "")]);
}

/// Never answers.
struct Silent;

impl Executor for Silent {
    fn execute<'a>(
        &'a self,
        _: &'a Confirmed<Action>,
        _: &'a Stop,
    ) -> BoxFuture<'a, Result<Outcome, ActionError>> {
        Box::pin(std::future::pending())
    }

    fn verify<'a>(&'a self, _: &'a Confirmed<Action>) -> BoxFuture<'a, Result<Verification, ActionError>> {
        Box::pin(std::future::pending())
    }

    fn statement(&self, _: &Action) -> String {
        String::new()
    }
}

#[tokio::test]
async fn what_does_not_end_with_the_run_is_written_down_as_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let (mut gate, _) = gate(folder.path().join("audit.jsonl"));
    let entry = Entry { address: "db:5432".to_owned(), executor: Arc::new(Silent) };
    gate.entries.insert(TargetId::new("pg"), Arc::new(entry));
    let stops = gate.stops().clone();
    let (action, permit) = (action(), permit(200));
    let mut performing = std::pin::pin!(gate.perform("1", &action, &permit));
    stops.ask();
    let waited = tokio::time::timeout(Duration::from_millis(100), &mut performing).await;
    assert!(waited.is_err(), "while the run goes on it is waited for");
    stops.end(crate::actions::stop::Cause::HangUp);
    let ended = performing.await;
    assert!(matches!(ended, Err(ActionError::Unknown(_))), "{ended:?}");
    let last = gate.trail.tail(1).lines.remove(0);
    assert_eq!((last.phase, last.result), (Phase::Left, format!("{UNKNOWN}: look at pg")));
}

#[tokio::test]
async fn nothing_is_sent_once_the_run_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, spy) = gate(folder.path().join("audit.jsonl"));
    gate.stops().end(crate::actions::stop::Cause::HangUp);
    let ended = gate.perform("1", &action(), &permit(200)).await.unwrap_err();
    assert!(spy.seen.lock().unwrap().is_empty());
    assert!(ended.to_string().contains("stopped by a hang-up before it was sent"), "{ended}");
    assert_eq!(gate.trail.tail(1).lines[0].phase, Phase::Outcome);
}

#[tokio::test]
async fn without_an_audit_line_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (gate, spy) = gate(file.join("audit.jsonl"));
    let refused = gate.perform("1", &action(), &permit(200)).await;
    assert!(matches!(refused, Err(ActionError::NoAudit(_))), "{refused:?}");
    assert!(spy.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_ended_permission_is_refused_and_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, spy) = gate(folder.path().join("audit.jsonl"));
    let refused = gate.perform("1", &action(), &permit(100)).await;
    assert!(matches!(refused, Err(ActionError::Refused(_))));
    assert!(spy.seen.lock().unwrap().is_empty());
    assert_eq!(gate.trail.tail(9).lines[0].phase, Phase::Refused);
}
