//! Carries out what `update` asked for, and owns what it started for that: polls, actions, and what is done beside the loop. Their answers
//! come back as messages.

use super::reload::{Reload, Reread};
use super::{clipboard, export, logging, notice, terminal};
use crate::actions::gate::Gate;
use crate::actions::keeper::Keeper;
use crate::actions::notes::Notes;
use crate::actions::ongoing::{News, Ongoing};
use crate::actions::sizes::SizeKeeper;
use crate::actions::stop::Cause;
use crate::actions::webhook::{self, Webhook};
use crate::app::msg::{Effect, FileText, Msg, Reloaded};
use crate::core::alert::Note;
use crate::core::ids::TargetId;
use crate::core::sizes::SizesAt;
use crate::core::time::Now;
use crate::core::timeline::Event;
use crate::engine::{Engine, Job};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Answers that may wait for the loop; there are never more than a few under way.
const MESSAGE_QUEUE: usize = 64;
/// Lines of the audit trail that the log shows.
const LOG_LINES: usize = 500;

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

/// What others mark and note is looked for this often: a question to the file system for each.
const OTHERS_EACH: Duration = Duration::from_secs(2);

/// Who beside the screen is told what happens.
#[derive(Debug, Default)]
pub struct Outlets {
    /// Keeps the timeline for runs to come.
    pub keeper: Option<Keeper>,
    /// Keeps sizes for runs to come.
    pub sizes: Option<SizeKeeper>,
    /// Keeps what is noted of findings for runs to come, and for those beside this one.
    pub notes: Option<Notes>,
    /// Is told of findings.
    pub webhook: Option<Webhook>,
    /// Where our own log is, and what has room nowhere else is written beside it.
    pub log: Option<PathBuf>,
    /// Reads the configuration again; nothing where there is none.
    pub reload: Option<Reload>,
}

/// What comes back from outside.
#[derive(Debug)]
pub struct Answers {
    messages: mpsc::Receiver<Msg>,
    news: mpsc::Receiver<News>,
    rereads: mpsc::Receiver<Box<Reread>>,
}

/// One of them.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, passed on at once")]
pub enum Answer {
    /// For the app.
    Message(Msg),
    /// What the configuration says now; who asks and changes the targets is exchanged before the app knows of it.
    Reread(Box<Reread>),
}

impl Answers {
    /// The next one; none when nobody can answer any more.
    pub async fn next(&mut self) -> Option<Answer> {
        tokio::select! {
            Some(news) = self.news.recv() => Some(Answer::Message(news.into())),
            Some(read) = self.rereads.recv() => Some(Answer::Reread(read)),
            message = self.messages.recv() => message.map(Answer::Message),
        }
    }
}

/// The outside as the loop reaches it.
#[derive(Debug)]
pub struct Effects {
    engine: Arc<Engine>,
    gate: Arc<Gate>,
    ongoing: Ongoing,
    messages: mpsc::Sender<Msg>,
    keeper: Option<Arc<Keeper>>,
    sizes: Option<SizeKeeper>,
    notes: Option<Arc<Notes>>,
    /// The queue of the webhook, where there is one.
    posts: Option<mpsc::Sender<Arc<Event>>>,
    /// Our own log.
    log: Option<PathBuf>,
    reload: Option<Reload>,
    rereads: mpsc::Sender<Box<Reread>>,
    /// So many texts were copied: files of them have names of their own.
    copied: usize,
    /// What the terminal is to be told between two frames.
    calls: Vec<u8>,
    /// What is done beside the loop, and is given up when the run ends.
    beside: JoinSet<()>,
}

impl Effects {
    /// Opens the action connections and reads the end of the audit trail and of the timeline, all of it beside the loop.
    #[must_use]
    pub fn begin(engine: Engine, gate: Arc<Gate>, outlets: Outlets, now: Now) -> (Self, Answers) {
        let (sender, messages) = mpsc::channel(MESSAGE_QUEUE);
        let (told, news) = mpsc::channel(MESSAGE_QUEUE);
        let (again, rereads) = mpsc::channel(1);
        let mut effects = Self {
            engine: Arc::new(engine),
            ongoing: Ongoing::new(Arc::clone(&gate), told),
            gate,
            messages: sender,
            keeper: outlets.keeper.map(Arc::new),
            sizes: outlets.sizes,
            notes: outlets.notes.map(Arc::new),
            posts: None,
            log: outlets.log,
            reload: outlets.reload,
            rereads: again,
            copied: 0,
            calls: Vec::new(),
            beside: JoinSet::new(),
        };
        effects.watch_for_the_end();
        if let Some(webhook) = outlets.webhook {
            let (sender, queue) = mpsc::channel(webhook::QUEUE);
            effects.posts = Some(sender);
            effects.beside.spawn(webhook.serve(queue));
        }
        if let Some(recalled) = effects.keeper.as_ref().map(|keeper| keeper.recall(now)) {
            effects.answer(|_| async move { Msg::Recalled(recalled.await) });
        }
        if effects.sizes.is_some() {
            effects.recall_sizes();
        }
        effects.look_at_others(now);
        let gate = Arc::clone(&effects.gate);
        effects.beside.spawn(async move { gate.prepare().await });
        effects.answer(|gate| async move { Msg::AuditTail(gate.first_tail(LOG_LINES).await) });
        (effects, Answers { messages, news, rereads })
    }

    /// Others write marks and notes into the same files.
    fn look_at_others(&mut self, began: Now) {
        let (keeper, notes, messages) = (self.keeper.clone(), self.notes.clone(), self.messages.clone());
        if keeper.is_none() && notes.is_none() {
            return;
        }
        let start = Instant::now();
        self.beside.spawn(async move {
            while !messages.is_closed() {
                if let Some(notes) = &notes {
                    let found = notes.news(began.plus(start.elapsed())).await;
                    if !found.is_empty() {
                        let _ = messages.send(Msg::Noted(found)).await;
                    }
                }
                tokio::time::sleep(OTHERS_EACH).await;
                if let Some(keeper) = &keeper {
                    let marks = keeper.marks().await;
                    if !marks.is_empty() {
                        let _ = messages.send(Msg::Marked(marks)).await;
                    }
                }
            }
        });
    }

    /// What polls ends with the run, also while the loop waits for a terminal that takes nothing.
    fn watch_for_the_end(&mut self) {
        let (engine, end) = (Arc::clone(&self.engine), self.gate.stops().begin());
        self.beside.spawn(async move {
            end.run_ends().await;
            engine.stop();
        });
    }

    /// Targets have gone, and others have come.
    pub fn change(&self, left: &[TargetId], joined: Vec<Job>) {
        self.engine.change(left, joined);
    }

    /// The configuration was read again: who asks and changes the targets is exchanged. What is left is for the app.
    pub fn take_over(&mut self, read: Reread) -> Reloaded {
        let Reread { reloaded, jobs, entries } = read;
        let left = &reloaded.targets.left;
        self.engine.change(left, jobs);
        self.gate = Arc::new(self.gate.exchanged(left, entries, &reloaded.stance.environment));
        self.ongoing.through(Arc::clone(&self.gate));
        let gate = Arc::clone(&self.gate);
        self.beside.spawn(async move { gate.prepare().await });
        reloaded
    }

    /// Carries them out.
    pub fn carry_out(&mut self, effects: Vec<Effect>) -> Next {
        let mut next = Next::Go;
        for effect in effects {
            match effect {
                Effect::Perform { confirmed, permit } => self.ongoing.perform(confirmed, permit),
                Effect::PollNow(target) => self.engine.poll_now(&target),
                Effect::PollAll => self.engine.poll_all(),
                Effect::Pace(times) => self.engine.pace(times),
                Effect::Focus(focus) => self.engine.focus(&focus),
                Effect::Copy(text) => self.copy(text),
                Effect::ReadLog => {
                    let log = self.log.clone();
                    self.answer(|_| async move { Msg::Logged(logging::tail(log).await) });
                }
                Effect::Export { folder, files } => {
                    self.answer(|_| async move { Msg::Told(export::write(folder, files).await) });
                }
                Effect::Reload => self.read_again(),
                Effect::ReadAudit => {
                    self.answer(|gate| async move { Msg::AuditTail(gate.tail(LOG_LINES).await) });
                }
                Effect::Checked { id, action, words } => self.answer(|gate| async move {
                    match gate.check(&id, &action, &words).await {
                        Ok(()) => Msg::AuditTail(gate.tail(LOG_LINES).await),
                        Err(why) => Msg::Told(format!("{words} (but that could not be written: {why})")),
                    }
                }),
                Effect::Keep(events) => self.keep(events),
                Effect::KeepSizes(sizes) => self.keep_sizes(sizes),
                Effect::RecallSizes => self.recall_sizes(),
                Effect::KeepNotes(notes) => self.keep_notes(&notes),
                Effect::Bell => self.calls.extend(notice::BELL),
                Effect::Notify(how, text) => self.calls.extend(notice::shown(how, &text)),
                Effect::Post(event) => {
                    if let Some(posts) = &self.posts {
                        // Of a webhook that does not keep up, the oldest findings are told first and the newest not at all.
                        let _ = posts.try_send(event);
                    }
                }
                Effect::StopActions => self.gate.stops().ask(),
                Effect::Mouse => {
                    let told = terminal::switch_mouse();
                    self.answer(|_| async move { Msg::Told(told.to_owned()) });
                }
                Effect::Redraw => next = Next::Redraw,
                Effect::Edit(text) => next = Next::Edit(text),
                Effect::Suspend => next = Next::Suspend,
                Effect::Quit => return Next::Quit,
            }
        }
        next
    }

    /// The configuration is read again, beside the loop.
    fn read_again(&mut self) {
        let (reload, rereads, messages) = (self.reload.clone(), self.rereads.clone(), self.messages.clone());
        self.beside.spawn(async move {
            let message = match reload {
                None => Msg::Told("there is no configuration to be read again: this is the demo".to_owned()),
                Some(Reload(read)) => {
                    let done = tokio::task::spawn_blocking(move || read()).await;
                    match done.unwrap_or_else(|error| Err(format!("it could not be read: {error}"))) {
                        Ok(read) => {
                            let _ = rereads.send(Box::new(read)).await;
                            return;
                        }
                        Err(why) => {
                            // A message may have no room for all of it.
                            tracing::warn!("the configuration was read again and not taken over: {why}");
                            Msg::Reloaded(Err(why))
                        }
                    }
                }
            };
            let _ = messages.send(message).await;
        });
    }

    /// What no clipboard takes is written to a file of its owner's only.
    fn copy(&mut self, text: String) {
        self.copied += 1;
        let name = format!("copied-{}-{}.txt", std::process::id(), self.copied);
        let folder = self.log.as_ref().map(|log| log.with_file_name("exports"));
        self.answer(|_| async move {
            Msg::Told(match (clipboard::copy(&text).await, folder) {
                (Ok(told), _) => told,
                (Err(why), None) => why,
                (Err(why), Some(folder)) => {
                    let told = export::write(folder, vec![FileText { name, text }]).await;
                    format!("{why}; instead {told}")
                }
            })
        });
    }

    /// What the terminal is to be told, once.
    pub fn take_calls(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.calls)
    }

    fn keep(&mut self, events: Vec<Arc<Event>>) {
        let kept = self.keeper.as_ref().map(|keeper| keeper.keep(events));
        self.complain_of(kept);
    }

    /// Where none are kept there are none: it is not waited for them.
    fn recall_sizes(&mut self) {
        let recalled = self.sizes.as_ref().map(SizeKeeper::recall);
        self.answer(|_| async move {
            Msg::SizesRecalled(match recalled {
                Some(recalled) => recalled.await,
                None => Vec::new(),
            })
        });
    }

    fn keep_sizes(&mut self, sizes: Vec<SizesAt>) {
        let kept = self.sizes.as_ref().map(|keeper| keeper.keep(sizes));
        self.complain_of(kept);
    }

    /// What could not be kept is told.
    fn complain_of(&mut self, kept: Option<impl Future<Output = Option<String>> + Send + 'static>) {
        let Some(kept) = kept else { return };
        let messages = self.messages.clone();
        while self.beside.try_join_next().is_some() {}
        self.beside.spawn(async move {
            if let Some(sentence) = kept.await {
                let _ = messages.send(Msg::NotKept(sentence)).await;
            }
        });
    }

    fn keep_notes(&mut self, notes: &[Note]) {
        let Some(kept) = self.notes.as_ref().map(|keeper| keeper.keep(notes)) else { return };
        let messages = self.messages.clone();
        self.beside.spawn(async move {
            if let Some(sentence) = kept.await {
                let _ = messages.send(Msg::NotKept(sentence)).await;
            }
        });
    }

    /// Ends all of it within three seconds, for this reason unless there was one before. Tells what came of the actions that ran.
    pub async fn end(&mut self, cause: Cause) -> Vec<String> {
        self.gate.stops().end(cause);
        self.engine.stop();
        self.beside.shutdown().await;
        let told = self.ongoing.end().await;
        if let Some(keeper) = &self.keeper {
            keeper.settle().await;
        }
        if let Some(sizes) = &self.sizes {
            sizes.settle().await;
        }
        if let Some(notes) = &self.notes {
            notes.settle().await;
        }
        told
    }

    /// Does something beside the loop, which gets the answer.
    fn answer<F>(&mut self, ask: impl FnOnce(Arc<Gate>) -> F)
    where
        F: Future<Output = Msg> + Send + 'static,
    {
        while self.beside.try_join_next().is_some() {}
        let (asked, messages) = (ask(Arc::clone(&self.gate)), self.messages.clone());
        self.beside.spawn(async move {
            let _ = messages.send(asked.await).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::audit::{AuditTrail, Phase};
    use crate::actions::gate::Actor;
    use crate::core::action::{Action, Confirmed};
    use crate::core::arming::Permit;
    use crate::core::ids::TargetId;
    use crate::core::postgres::{BackendId, PgAction};
    use crate::core::time::Clock;
    use crate::drill::Stack;
    use crate::engine::EngineSettings;
    use crate::runtime::clock::SystemClock;

    /// Polls, an action and the look after it, a look at the trail: all of it is under way when the run ends.
    #[tokio::test(flavor = "multi_thread")]
    async fn nothing_is_left_of_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let stack = Stack::demo(7, clock.now());
        let trail = Arc::new(AuditTrail::at(folder.path().join("audit.jsonl")));
        let gate = Gate::new(stack.executors(), Arc::clone(&trail), Arc::clone(&clock), Actor::default());
        let (engine, mut reports) = Engine::start(stack.jobs(), EngineSettings::default(), &clock);
        let (mut effects, mut answers) =
            Effects::begin(engine, Arc::new(gate), Outlets::default(), clock.now());
        reports.next().await;
        let target = stack.targets()[0].id.clone();
        let backend = BackendId { pid: 1, backend_start_micros: 2 };
        let confirmed = Confirmed::by_a_person(Action::Postgres {
            target: target.clone(),
            act: PgAction::one((backend, None), true),
        });
        let permit = Permit { target, until: None };
        effects.carry_out(vec![Effect::Perform { confirmed, permit }, Effect::ReadAudit]);
        while !matches!(answers.next().await, Some(Answer::Message(Msg::ActionDone { .. }))) {}
        let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        assert!(alive() > 4, "{}", alive());
        let told = effects.end(Cause::Quit).await;
        assert!(told.is_empty(), "its outcome was told before: {told:?}");
        for _ in 0..400 {
            if alive() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(alive(), 0, "tasks are left");
        let phases: Vec<Phase> = trail.tail(9).lines.iter().map(|line| line.phase).collect();
        assert_eq!(phases, [Phase::Intent, Phase::Outcome]);
        // What is asked for afterwards does not begin.
        let permit = Permit { target: TargetId::new("shop-db"), until: None };
        let backend = BackendId { pid: 1, backend_start_micros: 2 };
        let act = PgAction::one((backend, None), true);
        let confirmed = Confirmed::by_a_person(Action::Postgres { target: permit.target.clone(), act });
        effects.carry_out(vec![Effect::Perform { confirmed, permit }]);
        let told = effects.end(Cause::Quit).await;
        assert!(told.len() == 1 && told[0].contains("before it was sent"), "{told:?}");
    }
}
