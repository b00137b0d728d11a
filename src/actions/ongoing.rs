//! The owner of running actions: each has a task of its own, and when the run ends each is stopped, waited for and written down. Until
//! then what comes of them is news.

use super::gate::{Gate, describe};
use super::stop::Stop;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verification};
use crate::core::arming::Permit;
use crate::core::text::counted;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// When, after an action, it is looked whether it had its effect.
const LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// What takes long is told about this often.
const PROGRESS: Duration = Duration::from_secs(1);
/// So long all of them together may take to end: the gate waits for less, the rest is for a slow disk.
const ENDED_WITHIN: Duration = Duration::from_secs(3);

/// Something is known of an action.
#[derive(Clone, Debug)]
pub enum News {
    /// How far one that takes long has come.
    Progress(String),
    /// It was carried out, or not.
    Done {
        /// Its name in the audit trail.
        id: String,
        /// What.
        action: Action,
        /// What came of it.
        result: Result<Outcome, ActionError>,
    },
    /// A look afterwards ended.
    Verified {
        /// Its name in the audit trail.
        id: String,
        /// What was looked at.
        action: Action,
        /// What it found.
        result: Result<Verification, ActionError>,
    },
}

/// Actions that run, and looks afterwards.
#[derive(Debug)]
pub struct Ongoing {
    gate: Arc<Gate>,
    news: mpsc::Sender<News>,
    /// What came of each that was still to be told when the run ended.
    tasks: JoinSet<Option<String>>,
}

impl Ongoing {
    /// None yet. Their news go to `news`.
    #[must_use]
    pub fn new(gate: Arc<Gate>, news: mpsc::Sender<News>) -> Self {
        Self { gate, news, tasks: JoinSet::new() }
    }

    /// Those that begin from now on go through this gate; what runs stays behind its own.
    pub fn through(&mut self, gate: Arc<Gate>) {
        self.gate = gate;
    }

    /// Begins one.
    pub fn perform(&mut self, confirmed: Confirmed<Action>, permit: Permit) {
        while self.tasks.try_join_next().is_some() {}
        let one = One {
            id: self.gate.next_id(),
            stop: self.gate.stops().begin(),
            gate: Arc::clone(&self.gate),
            news: self.news.clone(),
        };
        self.tasks.spawn(one.run(confirmed, permit));
    }

    /// The run has ended ([`Stops::end`](super::stop::Stops::end)): waits until each is stopped and written down, and tells what came of
    /// those that ran.
    pub async fn end(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        let ending = async {
            while let Some(ended) = self.tasks.join_next().await {
                told.extend(ended.ok().flatten());
            }
        };
        if tokio::time::timeout(ENDED_WITHIN, ending).await.is_err() {
            let left = counted(self.tasks.len(), "action");
            told.push(format!("{left} could not be written down in time: look at what was to be changed"));
            self.tasks.shutdown().await;
        }
        told
    }
}

/// One action from its intent to the last look.
struct One {
    id: String,
    gate: Arc<Gate>,
    stop: Stop,
    news: mpsc::Sender<News>,
}

impl One {
    /// What came of it, if the run ended meanwhile: nobody took the news.
    async fn run(self, confirmed: Confirmed<Action>, permit: Permit) -> Option<String> {
        let action = confirmed.action();
        let result = self.perform(&confirmed, &permit).await;
        // What may have been heard is looked at as well: then it is known.
        let sent = match &result {
            Ok(_) | Err(ActionError::Unknown(_)) => true,
            Err(ActionError::Refused(_) | ActionError::NoAudit(_) | ActionError::NotDone(_)) => false,
        };
        let words = describe(&result);
        let done = News::Done { id: self.id.clone(), action: action.clone(), result };
        let taken = self.tell(done).await;
        if !taken {
            return Some(format!("{} on {}: {words}", action.verb(), action.target()));
        }
        if sent {
            tokio::select! {
                () = self.look(&confirmed) => {}
                _ = self.stop.run_ends() => {}
            }
        }
        None
    }

    async fn perform(&self, confirmed: &Confirmed<Action>, permit: &Permit) -> Result<Outcome, ActionError> {
        let mut performing = std::pin::pin!(self.gate.perform(&self.id, confirmed, permit));
        loop {
            match tokio::time::timeout(PROGRESS, &mut performing).await {
                Ok(result) => return result,
                Err(_) => {
                    if let Some(words) = self.gate.progress(confirmed.action().target()) {
                        let _ = self.news.try_send(News::Progress(words));
                    }
                }
            }
        }
    }

    async fn look(&self, confirmed: &Confirmed<Action>) {
        for (look, wait) in LOOKS.iter().enumerate() {
            tokio::time::sleep(*wait).await;
            let result = self.gate.verify(&self.id, confirmed, look + 1 == LOOKS.len()).await;
            let settled = result.as_ref().is_ok_and(|found| found.settled);
            let verified = News::Verified { id: self.id.clone(), action: confirmed.action().clone(), result };
            if !self.tell(verified).await || settled {
                return;
            }
        }
    }

    /// Whether somebody takes the news; at the end of the run nobody does.
    async fn tell(&self, news: News) -> bool {
        tokio::select! {
            biased;
            _ = self.stop.run_ends() => false,
            sent = self.news.send(news) => sent.is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::Executor;
    use crate::actions::audit::AuditTrail;
    use crate::actions::gate::{Actor, Entry};
    use crate::core::ids::TargetId;
    use crate::core::postgres::{BackendId, PgAction};
    use crate::core::time::{Clock, Now};
    use futures_util::future::BoxFuture;
    use std::collections::HashMap;

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> Now {
            Now::example(100)
        }
    }

    /// Ends like this; a look afterwards finds it done.
    struct Ends(ActionError);

    impl Executor for Ends {
        fn execute<'a>(
            &'a self,
            _: &'a Confirmed<Action>,
            _: &'a Stop,
        ) -> BoxFuture<'a, Result<Outcome, ActionError>> {
            Box::pin(async { Err(self.0.clone()) })
        }

        fn verify<'a>(
            &'a self,
            _: &'a Confirmed<Action>,
        ) -> BoxFuture<'a, Result<Verification, ActionError>> {
            Box::pin(async { Ok(Verification { settled: true, sentence: "it is done".to_owned() }) })
        }

        fn statement(&self, _: &Action) -> String {
            String::new()
        }
    }

    /// What is heard of an action that ends like this.
    async fn heard(error: ActionError) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let trail = Arc::new(AuditTrail::at(folder.path().join("audit.jsonl")));
        let entry = Entry { address: "db:5432".to_owned(), executor: Arc::new(Ends(error)) };
        let entries = HashMap::from([(TargetId::new("pg"), entry)]);
        let gate = Gate::new(entries, trail, Arc::new(Fixed), Actor::default());
        let (sender, mut news) = mpsc::channel(9);
        let mut ongoing = Ongoing::new(Arc::new(gate), sender);
        let act = PgAction::one((BackendId { pid: 1, backend_start_micros: 2 }, None), true);
        let action = Action::Postgres { target: TargetId::new("pg"), act };
        let permit = Permit { target: TargetId::new("pg"), until: Some(Now::example(200)) };
        ongoing.perform(Confirmed::by_a_person(action), permit);
        while ongoing.tasks.join_next().await.is_some() {}
        drop(ongoing);
        let mut all = Vec::new();
        while let Some(one) = news.recv().await {
            all.push(match one {
                News::Progress(words) => words,
                News::Done { result, .. } => describe(&result),
                News::Verified { result, .. } => {
                    result.map_or_else(|error| error.to_string(), |it| it.sentence)
                }
            });
        }
        all
    }

    #[tokio::test]
    async fn what_may_have_been_heard_is_looked_at_afterwards() {
        let lost = heard(ActionError::Unknown("timed out".to_owned())).await;
        assert_eq!(lost, ["it is not known whether it was done: timed out", "it is done"]);
        let refused = heard(ActionError::NotDone("no right".to_owned())).await;
        assert_eq!(refused, ["not done: no right"]);
    }
}
