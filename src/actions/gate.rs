//! The one door to every executor, with the fixed order: guard → audit intent (flushed) → execute → audit outcome. When the run ends,
//! what is under way is asked to stop; what does not in time gets a line that its outcome is not known.

use super::Executor;
use super::audit::{AuditLine, AuditTrail, Phase, Tail, UNKNOWN, stamp};
use super::stop::{Stop, Stops};
use super::writer::Writer;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verdict, Verification};
use crate::core::arming::Permit;
use crate::core::ids::TargetId;
use crate::core::time::{Clock, Now};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// So long, once the run ends, an action may take to stop and to be answered. What it leaves of three seconds is for its audit line.
const STOPPED_WITHIN: Duration = Duration::from_millis(2500);

/// Of so many actions it is remembered where they were sent: more predictions are not followed at once.
const FORETOLD: usize = 64;

/// Who acts, from where.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    /// User name on this machine.
    pub who: String,
    /// This machine's name.
    pub host: String,
    /// The environment as configured.
    pub environment: String,
}

/// An executor with the address that its audit lines name.
pub struct Entry {
    /// Where its target is, for people.
    pub address: String,
    /// What carries actions out there.
    pub executor: Arc<dyn Executor>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({})", self.address)
    }
}

/// The name of an action in the trail, and where it was sent.
type Sent = (String, Arc<Entry>);

/// All executors behind one guard and one audit trail.
#[derive(Clone)]
pub struct Gate {
    entries: HashMap<TargetId, Arc<Entry>>,
    trail: Arc<AuditTrail>,
    writer: Arc<Writer<AuditTrail>>,
    stops: Stops,
    clock: Arc<dyn Clock>,
    actor: Actor,
    counter: Arc<AtomicU64>,
    /// Where actions of which something was predicted were sent, by their names: who is asked under the target's name may change until it
    /// is known what came of it.
    foretold: Arc<Mutex<VecDeque<Sent>>>,
    /// Only lines of this run are shown: the demo's trail tells of nothing that others did.
    only_this_run: bool,
    started: Now,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gate({} targets)", self.entries.len())
    }
}

impl Gate {
    /// A gate before these executors.
    #[must_use]
    pub fn new(
        entries: HashMap<TargetId, Entry>,
        trail: Arc<AuditTrail>,
        clock: Arc<dyn Clock>,
        actor: Actor,
    ) -> Self {
        let started = clock.now();
        Self {
            entries: entries.into_iter().map(|(target, entry)| (target, Arc::new(entry))).collect(),
            writer: Arc::new(Writer::start("audit", Arc::clone(&trail))),
            trail,
            stops: Stops::default(),
            clock,
            actor,
            counter: Arc::default(),
            foretold: Arc::default(),
            only_this_run: false,
            started,
        }
    }

    /// The same, showing only what this run wrote.
    #[must_use]
    pub fn only_this_run(self) -> Self {
        Self { only_this_run: true, ..self }
    }

    /// A gate with the same trail before other executors: without those of targets that have gone, with those that have come. What is
    /// under way stays behind the gate that it began at: it is not cut, and is looked at where it was done. `environment` is what the stack
    /// is called from now on.
    #[must_use]
    pub fn exchanged(&self, left: &[TargetId], joined: HashMap<TargetId, Entry>, environment: &str) -> Self {
        let mut gate = self.clone();
        environment.clone_into(&mut gate.actor.environment);
        gate.entries.retain(|target, _| !left.contains(target));
        gate.entries.extend(joined.into_iter().map(|(target, entry)| (target, Arc::new(entry))));
        gate
    }

    /// The newest lines of the trail.
    pub async fn tail(&self, count: usize) -> Tail {
        let mut found = self.writer.give(move |trail| trail.tail(count)).await.unwrap_or_else(broken);
        if self.only_this_run {
            let ours = format!("-{}-", std::process::id());
            let since = stamp(self.started);
            found.lines.retain(|line| line.id.contains(&ours) && line.at >= since);
            found.unreadable = 0;
        }
        found
    }

    /// The same at the start of a run, with the intents of earlier runs that have no outcome; to be asked before anything is done.
    pub async fn first_tail(&self, count: usize) -> Tail {
        if self.only_this_run {
            return self.tail(count).await;
        }
        let (host, now) = (self.actor.host.clone(), self.clock.now());
        let unanswered = self.writer.give(move |trail| trail.close_unanswered(&host, now)).await;
        Tail { unanswered: unanswered.unwrap_or_default(), ..self.tail(count).await }
    }

    /// Opens what every executor will need, so that it is there when a server has no slots left.
    pub async fn prepare(&self) {
        futures_util::future::join_all(self.entries.values().map(|entry| entry.executor.prepare())).await;
    }

    /// Carries out a confirmed action. `id` names it in the trail ([`Gate::next_id`]).
    ///
    /// # Errors
    /// When it was refused, could not be audited, or failed; the sentence says whether anything was done.
    pub async fn perform(
        &self,
        id: &str,
        confirmed: &Confirmed<Action>,
        permit: &Permit,
    ) -> Result<Outcome, ActionError> {
        let stop = self.stops.begin();
        let action = confirmed.action();
        let entry = self
            .entries
            .get(action.target())
            .ok_or_else(|| ActionError::Refused(format!("{} takes no actions", action.target())))?;
        if !permit.holds(action.target(), self.clock.now()) {
            let why = "the permission ended before it was sent (stacktop is no longer armed)".to_owned();
            // The refusal stands by itself: nothing was sent, whether or not this line can be written.
            let _ = self.write(self.line(id, Phase::Refused, action, entry, &why)).await;
            return Err(ActionError::Refused(why));
        }
        let predicted = confirmed.predicted().map_or_else(String::new, |words| format!("predicted {words}"));
        if !predicted.is_empty() {
            let mut foretold = self.foretold.lock().unwrap_or_else(PoisonError::into_inner);
            foretold.truncate(FORETOLD - 1);
            foretold.push_front((id.to_owned(), Arc::clone(entry)));
        }
        let intent = self.line(id, Phase::Intent, action, entry, &predicted);
        self.write(intent).await.map_err(ActionError::NoAudit)?;
        let done = tokio::select! {
            biased;
            result = carry_out(entry, confirmed, &stop) => Some(result),
            () = too_late(&stop) => None,
        };
        let (phase, text) = match &done {
            Some(result) => (Phase::Outcome, describe(result)),
            None => (Phase::Left, format!("{UNKNOWN}: look at {}", action.target())),
        };
        let result = done.unwrap_or_else(|| Err(ActionError::Unknown(UNKNOWN.to_owned())));
        // Given away before anything else is waited for: from here on no end can part the two.
        if let Err(error) = self.write(self.line(id, phase, action, entry, &text)).await {
            return match result {
                Ok(mut outcome) => {
                    outcome.summary = format!(
                        "{} (but its outcome could not be written to the audit trail: {error})",
                        outcome.summary
                    );
                    Ok(outcome)
                }
                Err(failure) => Err(failure),
            };
        }
        result
    }

    /// Looks whether an action had its effect, and writes down what it found once that is settled.
    ///
    /// # Errors
    /// When the look itself failed.
    pub async fn verify(
        &self,
        id: &str,
        confirmed: &Confirmed<Action>,
        last: bool,
    ) -> Result<Verification, ActionError> {
        let action = confirmed.action();
        let entry = self
            .entries
            .get(action.target())
            .ok_or_else(|| ActionError::Refused(format!("{} takes no actions", action.target())))?;
        let found = entry.executor.verify(confirmed).await?;
        if found.settled || last {
            let line = self.line(id, Phase::Verified, action, entry, &found.sentence);
            self.write(line).await.map_err(ActionError::NoAudit)?;
        }
        Ok(found)
    }

    /// Writes down what came of what was predicted of an action, with the address that its intent names.
    ///
    /// # Errors
    /// When it cannot be written: a sentence.
    pub async fn check(&self, id: &str, action: &Action, words: &str) -> Result<(), String> {
        let Some(entry) = self.sent_to(id) else { return Ok(()) };
        self.write(self.line(id, Phase::Verified, action, &entry, &format!("prediction {words}"))).await
    }

    /// Where this action was sent, if something was predicted of it and nobody asked since.
    fn sent_to(&self, id: &str) -> Option<Arc<Entry>> {
        let mut foretold = self.foretold.lock().unwrap_or_else(PoisonError::into_inner);
        let at = foretold.iter().position(|(of, _)| of == id)?;
        foretold.remove(at).map(|(_, entry)| entry)
    }

    /// Where what is under way is asked to stop, as soon as that leaves nothing half done.
    #[must_use]
    pub const fn stops(&self) -> &Stops {
        &self.stops
    }

    /// How far what takes long on `target` has come.
    #[must_use]
    pub fn progress(&self, target: &TargetId) -> Option<String> {
        self.entries.get(target)?.executor.progress()
    }

    /// A new name for an action in the trail: unique over runs and within one.
    #[must_use]
    pub fn next_id(&self) -> String {
        let now: Now = self.clock.now();
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        format!("{}-{}-{count}", now.wall.format("%Y%m%dT%H%M%S"), std::process::id())
    }

    /// Gives the line to the writer at once, and waits until it is on the disk.
    fn write(&self, line: AuditLine) -> impl Future<Output = Result<(), String>> + Send + use<> {
        let place = self.trail.path().display().to_string();
        let written = self.writer.give(move |trail| trail.append(&line));
        async move {
            match written.await {
                Some(result) => result.map_err(|error| format!("{place}: {error}")),
                None => Err(format!("{place}: nobody writes (the disk hangs, or a fault inside stacktop)")),
            }
        }
    }

    fn line(&self, id: &str, phase: Phase, action: &Action, entry: &Entry, result: &str) -> AuditLine {
        AuditLine {
            at: stamp(self.clock.now()),
            phase,
            id: id.to_owned(),
            who: self.actor.who.clone(),
            host: self.actor.host.clone(),
            environment: self.actor.environment.clone(),
            target: action.target().to_string(),
            address: entry.address.clone(),
            action: action.verb().to_owned(),
            identity: action.identity(),
            statement: entry.executor.statement(action),
            result: result.to_owned(),
        }
    }
}

fn broken() -> Tail {
    Tail { trouble: Some("reading the audit trail broke".to_owned()), ..Tail::default() }
}

/// Carries it out, unless everything stops already.
async fn carry_out(
    entry: &Entry,
    confirmed: &Confirmed<Action>,
    stop: &Stop,
) -> Result<Outcome, ActionError> {
    match stop.cause() {
        Some(cause) => Err(ActionError::NotDone(format!("stopped by {cause} before it was sent"))),
        None => entry.executor.execute(confirmed, stop).await,
    }
}

/// Ends when the run has, and what was under way has had its time.
async fn too_late(stop: &Stop) {
    stop.run_ends().await;
    tokio::time::sleep(STOPPED_WITHIN).await;
}

/// What came of an action, as the audit trail and the operator are told it.
pub(super) fn describe(result: &Result<Outcome, ActionError>) -> String {
    match result {
        Ok(outcome) => {
            let verdict = match outcome.verdict {
                Verdict::Done => "done",
                Verdict::Partly => "partly done",
                Verdict::Nothing => "nothing done",
                Verdict::Unknown => "not known",
            };
            let mut text = format!("{verdict}: {}", outcome.summary);
            for (object, what) in &outcome.details {
                text.push_str(&format!("; {object}: {what}"));
            }
            text
        }
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
