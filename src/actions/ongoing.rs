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
        let (sent, words) = (result.is_ok(), describe(&result));
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
