//! The only impure loop: terminal, signals, engine and actions on one side, the pure app on the other.

mod backend;
pub mod background;
mod clipboard;
pub mod clock;
mod editor;
pub mod effects;
mod export;
mod input;
pub mod logging;
mod notice;
pub mod reload;
mod signals;
mod silence;
pub mod terminal;

use crate::actions::gate::Gate;
use crate::actions::stop::Cause;
use crate::app::layout::Size;
use crate::app::model::{Kind, Model};
use crate::app::msg::{Effect, Msg};
use crate::app::{farewell, pressed, update, view};
use crate::core::report::PollReport;
use crate::core::time::{Clock, Now};
use crate::engine::latest::Reports;
use crate::engine::roster::{Changes, Roster};
use crate::engine::{Engine, EngineSettings, Job, settle};
use crossterm::event::Event;
use editor::Edited;
use effects::{Answer, Answers, Effects, Next, Outlets};
use futures_util::FutureExt;
use input::{Heard, Input};
use signals::{Caught, Signals};
use silence::Silence;
use std::io;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;
use terminal::Tty;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// The screen follows data at most this often; keys are answered at once.
const FRAME: Duration = Duration::from_millis(400);
/// Data that arrives within this time of other data is drawn with it.
const GATHER: Duration = Duration::from_millis(60);
/// Where data is drawn each second, the seconds that pass are drawn with it and not once more.
const CALM: Duration = Duration::from_millis(700);

/// A process that can be stopped is, after this time.
const STOPPED_WITHIN: Duration = Duration::from_millis(200);

/// Everything that a run needs.
#[derive(Debug)]
pub struct Setup {
    /// The app before anything happened.
    pub model: Model,
    /// The targets.
    pub jobs: Vec<Job>,
    /// Who knows of targets that come and go, where lists name them.
    pub roster: Option<Box<dyn Roster>>,
    /// How they are polled.
    pub engine: EngineSettings,
    /// The door to every action.
    pub gate: Arc<Gate>,
    /// Who beside the screen is told what happens.
    pub outlets: Outlets,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for dyn Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The operator left.
    Quit,
    /// A signal ended it: its number.
    Signal(i32),
    /// The terminal is gone.
    TerminalGone,
}

impl End {
    const fn cause(self) -> Cause {
        match self {
            Self::Quit => Cause::Quit,
            // The signal itself has said why already.
            Self::Signal(_) => Cause::Terminate,
            Self::TerminalGone => Cause::TerminalGone,
        }
    }
}

struct Loop {
    model: Model,
    tty: Tty,
    effects: Effects,
    clock: Arc<dyn Clock>,
    dirty: bool,
    drawn: Instant,
    silence: Silence,
    /// The terminal is the shell's. If nothing has stopped us until then, nothing will.
    away: Option<Instant>,
}

/// Runs until the operator leaves, or is made to. The screen is drawn before the first connection is made; at the end nothing that was
/// begun is left, and what came of actions that still ran is told.
///
/// # Errors
/// When the terminal cannot be taken or drawn to.
pub async fn run(setup: Setup) -> io::Result<(End, Vec<String>)> {
    // Before the terminal is taken: a signal that comes at once must find its way out.
    let mut signals = Signals::catch(setup.gate.stops())?;
    let mut tty = Tty::take()?;
    if !terminal::is_alive() {
        return Ok((End::TerminalGone, Vec::new()));
    }
    let events = input::start()?;
    let mut model = setup.model;
    let start = model.now;
    paint(&mut tty, &mut model, setup.clock.now())?;
    if model.otherwise.is_some() {
        background::ask();
    }
    let (engine, reports) = Engine::start(setup.jobs, setup.engine, &setup.clock);
    let (effects, answers) = Effects::begin(engine, setup.gate, setup.outlets, setup.clock.now());
    let mut running = Loop {
        model,
        tty,
        effects,
        clock: setup.clock,
        dirty: false,
        drawn: Instant::now(),
        silence: Silence::default(),
        away: None,
    };
    let told = Told { events, reports, answers, changes: Changes::of(setup.roster) };
    let end = AssertUnwindSafe(running.serve(&mut signals, told)).catch_unwind().await;
    let cause = match &end {
        Ok(Ok(end)) => end.cause(),
        Ok(Err(_)) => Cause::TerminalGone,
        Err(_panic) => Cause::Fault,
    };
    // Who leaves sees until the end that something is waited for. Else the terminal may be needed, or not be there.
    if cause != Cause::Quit {
        terminal::leave();
    }
    let mut told = running.effects.end(cause).await;
    if running.model.kind == Kind::Demo && cause == Cause::Quit {
        told.extend(farewell::farewell(&running.model, start));
    }
    drop(running);
    drop(signals);
    settle().await;
    end.unwrap_or_else(|panic| resume_unwind(panic)).map(|end| (end, told))
}

/// Where what happens outside comes from.
struct Told {
    events: mpsc::Receiver<Heard>,
    reports: Reports,
    answers: Answers,
    changes: Changes,
}

impl Loop {
    async fn serve(
        &mut self,
        signals: &mut Signals,
        Told { mut events, mut reports, mut answers, mut changes }: Told,
    ) -> io::Result<End> {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let frame = self.next_frame();
            let next = tokio::select! {
                biased;
                caught = signals.next() => match caught {
                    Caught::End(number) => return Ok(End::Signal(number)),
                    Caught::Stop => Next::Suspend,
                    Caught::Continue => Next::GoOn,
                },
                event = events.recv() => match event {
                    Some(Heard::Event(event)) => self.on_event(event)?,
                    Some(Heard::Background { light }) => {
                        let next = self.take(Msg::Background { light });
                        self.paint()?;
                        next
                    }
                    None => return Ok(End::TerminalGone),
                },
                () = tokio::time::sleep_until(self.away.unwrap_or(frame)), if self.away.is_some() => Next::GoOn,
                report = reports.next() => {
                    self.log(&report);
                    self.take(Msg::Report(report))
                }
                Some(answer) = answers.next() => match answer {
                    Answer::Message(message) => self.take(message),
                    Answer::Reread(read) => {
                        let reloaded = self.effects.take_over(*read);
                        self.take(Msg::Reloaded(Ok(Box::new(reloaded))))
                    }
                },
                change = changes.next() => {
                    self.effects.change(&change.enlisted.left, change.jobs);
                    self.take(Msg::Enlisted(Box::new(change.enlisted)))
                }
                _ = tick.tick() => {
                    if !terminal::is_alive() {
                        return Ok(End::TerminalGone);
                    }
                    let dirty = self.dirty;
                    let next = self.take(Msg::Tick(clock::zone()));
                    self.dirty = dirty || self.drawn.elapsed() >= CALM;
                    next
                }
                () = tokio::time::sleep_until(frame), if self.dirty => {
                    self.paint()?;
                    Next::Go
                }
            };
            match next {
                Next::Go => {}
                Next::Redraw => {
                    self.tty.redraw()?;
                    self.paint()?;
                }
                Next::Suspend => {
                    terminal::leave();
                    self.stop();
                }
                Next::Edit(text) => match editor::edit(&text, signals).await {
                    Edited::Signal(number) => return Ok(End::Signal(number)),
                    Edited::Text(text) => {
                        self.tty.retake()?;
                        self.take(Msg::Edited(text));
                        self.paint()?;
                    }
                },
                Next::GoOn => self.go_on()?,
                Next::Quit => {
                    self.paint()?;
                    return Ok(End::Quit);
                }
            }
        }
    }

    /// Stops, and sees to it that the terminal is taken again if that did not happen: where no shell could continue us.
    fn stop(&mut self) {
        self.away = Some(Instant::now() + STOPPED_WITHIN);
        terminal::stop();
    }

    /// Continued: the terminal is taken again, unless it is another's; then we wait for it, stopped.
    fn go_on(&mut self) -> io::Result<()> {
        if !terminal::is_ours() {
            self.stop();
            return Ok(());
        }
        self.away = None;
        self.tty.retake()?;
        self.paint()
    }

    fn log(&mut self, report: &PollReport) {
        if let Some(line) = self.silence.note(report) {
            tracing::warn!(target: logging::SOURCES, "{line}");
        }
    }

    /// Data is drawn a moment after it came, and not more often than once a frame.
    fn next_frame(&self) -> Instant {
        (Instant::now() + GATHER).max(self.drawn + FRAME).min(self.drawn + FRAME + GATHER)
    }

    fn on_event(&mut self, event: Event) -> io::Result<Next> {
        let message = match input::translate(event) {
            Input::Key(key) => pressed(&self.model, key),
            Input::Paste(text) => Some(Msg::Paste(text)),
            Input::Click(column, row) => Some(Msg::Click(column, row)),
            Input::Resize => {
                self.paint()?;
                None
            }
            Input::Nothing => None,
        };
        let Some(message) = message else { return Ok(Next::Go) };
        let next = self.take(message);
        if matches!(next, Next::Go) {
            self.paint()?;
        }
        Ok(next)
    }

    fn take(&mut self, message: Msg) -> Next {
        self.dirty = true;
        let effects = update(&mut self.model, message, self.clock.now());
        self.effects.carry_out(effects)
    }

    fn paint(&mut self) -> io::Result<()> {
        self.dirty = false;
        if self.away.is_some() {
            return Ok(());
        }
        self.drawn = Instant::now();
        self.tty.call(&self.effects.take_calls())?;
        let effects = paint(&mut self.tty, &mut self.model, self.clock.now())?;
        self.effects.carry_out(effects);
        Ok(())
    }
}

/// Draws the model, and tells it that it was drawn, in which size: what was seen is what was drawn, and nothing else.
fn paint(tty: &mut Tty, model: &mut Model, now: Now) -> io::Result<Vec<Effect>> {
    let (width, height) = tty.size()?;
    let mut size = Size { width, height };
    let mut effects = Vec::new();
    if size != model.size {
        effects = update(model, Msg::Resize(size), now);
    }
    effects.extend(update(model, Msg::Draws, now));
    tty.draw(|frame| {
        let area = frame.area();
        size = Size { width: area.width, height: area.height };
        view::draw(model, area, frame.buffer_mut());
    })?;
    effects.extend(update(model, Msg::Drawn(size), now));
    Ok(effects)
}
