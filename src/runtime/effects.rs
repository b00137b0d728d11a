//! Carries out what `update` asked for. Actions run on tasks of their own; their answers come back as messages.

use super::clipboard;
use crate::actions::gate::Gate;
use crate::app::msg::{Effect, Msg};
use crate::core::action::{Action, Confirmed};
use crate::core::arming::Permit;
use crate::engine::Engine;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Answers of actions that may wait for the loop; there are never more than a few under way.
pub const MESSAGE_QUEUE: usize = 64;
/// Lines of the audit trail that the log shows.
const LOG_LINES: usize = 500;
/// When, after an action, it is looked whether it had its effect.
const LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// What takes long is told about this often.
const PROGRESS: Duration = Duration::from_secs(1);

/// What the loop does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    Go,
    /// Draw everything anew.
    Redraw,
    /// Open this in the operator's editor.
    Edit(String),
    /// Back to the shell until continued.
    Suspend,
    /// Continued.
    GoOn,
    /// End.
    Quit,
}

/// The outside as the loop reaches it.
#[derive(Debug)]
pub struct Effects {
    engine: Engine,
    gate: Arc<Gate>,
    messages: mpsc::Sender<Msg>,
}

impl Effects {
    pub const fn new(engine: Engine, gate: Arc<Gate>, messages: mpsc::Sender<Msg>) -> Self {
        Self { engine, gate, messages }
    }

    /// Opens the action connections and reads the end of the audit trail, both beside the loop.
    pub fn begin(&self) {
        let gate = Arc::clone(&self.gate);
        tokio::spawn(async move { gate.prepare().await });
        let (gate, messages) = (Arc::clone(&self.gate), self.messages.clone());
        tokio::spawn(async move {
            let _ = messages.send(Msg::AuditTail(gate.first_tail(LOG_LINES).await)).await;
        });
    }

    pub fn carry_out(&self, effects: Vec<Effect>) -> Next {
        let mut next = Next::Go;
        for effect in effects {
            match effect {
                Effect::Perform { confirmed, permit } => self.perform(confirmed, permit),
                Effect::PollNow(target) => self.engine.poll_now(&target),
                Effect::PollAll => self.engine.poll_all(),
                Effect::Focus(focus) => self.engine.focus(&focus),
                Effect::Copy(text) => self.copy(text),
                Effect::ReadAudit => self.read_audit(),
                Effect::StopActions => self.gate.stop(),
                Effect::Redraw => next = Next::Redraw,
                Effect::Edit(text) => next = Next::Edit(text),
                Effect::Suspend => next = Next::Suspend,
                Effect::Quit => return Next::Quit,
            }
        }
        next
    }

    fn perform(&self, confirmed: Confirmed<Action>, permit: Permit) {
        let gate = Arc::clone(&self.gate);
        let messages = self.messages.clone();
        tokio::spawn(async move {
            let id = gate.next_id();
            let action = confirmed.action().clone();
            let result = {
                let mut performing = std::pin::pin!(gate.perform(&id, &confirmed, &permit));
                loop {
                    match tokio::time::timeout(PROGRESS, &mut performing).await {
                        Ok(result) => break result,
                        Err(_) => {
                            if let Some(words) = gate.progress(action.target()) {
                                let _ = messages.try_send(Msg::Progress(words));
                            }
                        }
                    }
                }
            };
            let sent = result.is_ok();
            let done = Msg::ActionDone { id: id.clone(), action: action.clone(), result };
            if messages.send(done).await.is_err() || !sent {
                return;
            }
            for (look, wait) in LOOKS.iter().enumerate() {
                tokio::time::sleep(*wait).await;
                let result = gate.verify(&id, &confirmed, look + 1 == LOOKS.len()).await;
                let settled = result.as_ref().is_ok_and(|found| found.settled);
                let verified = Msg::Verified { id: id.clone(), action: action.clone(), result };
                if messages.send(verified).await.is_err() || settled {
                    return;
                }
            }
        });
    }

    fn read_audit(&self) {
        let (gate, messages) = (Arc::clone(&self.gate), self.messages.clone());
        tokio::spawn(async move {
            let _ = messages.send(Msg::AuditTail(gate.tail(LOG_LINES).await)).await;
        });
    }

    fn copy(&self, text: String) {
        let messages = self.messages.clone();
        tokio::spawn(async move {
            if let Ok(sentence) = tokio::task::spawn_blocking(move || clipboard::copy(&text)).await {
                let _ = messages.send(Msg::Copied(sentence)).await;
            }
        });
    }
}
