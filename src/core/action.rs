//! Actions as data: what would be done, to whom exactly, and what came of it. Nothing here does anything.

use super::alertmanager::AlertmanagerAct;
use super::ids::TargetId;
use super::postgres::PgAction;
use super::redis::{Letters, RedisAction};
use super::search::SearchAction;

/// One change to a system, with the identity that was pinned when the operator chose it.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A change to a Postgres server.
    Postgres {
        /// Which server.
        target: TargetId,
        /// What.
        act: PgAction,
    },
    /// A change to a job queue.
    Redis {
        /// Which Redis server.
        target: TargetId,
        /// What.
        act: RedisAction,
    },
    /// A change to the silences of an Alertmanager.
    Alertmanager {
        /// Which one.
        target: TargetId,
        /// What.
        act: AlertmanagerAct,
    },
    /// A change to a search cluster.
    Search {
        /// Which cluster.
        target: TargetId,
        /// What.
        act: SearchAction,
    },
}

impl Action {
    /// Which target it changes.
    #[must_use]
    pub const fn target(&self) -> &TargetId {
        match self {
            Self::Postgres { target, .. }
            | Self::Redis { target, .. }
            | Self::Search { target, .. }
            | Self::Alertmanager { target, .. } => target,
        }
    }

    /// The verb for the audit trail ("terminate_backend").
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Postgres { act, .. } => act.verb(),
            Self::Redis { act, .. } => act.verb(),
            Self::Alertmanager { act, .. } => act.verb(),
            Self::Search { act, .. } => act.verb(),
        }
    }

    /// Whether this, chosen a moment ago, is still what `offered` would be: the same act on the same object. A set of jobs that was
    /// frozen stays as it was frozen while others join the offer; each job is looked at again when it is done.
    #[must_use]
    pub fn is_still(&self, offered: &Self) -> bool {
        match (self, offered) {
            (
                Self::Redis { target, act: RedisAction::Jobs { queue, ids, act } },
                Self::Redis {
                    target: on,
                    act: RedisAction::Jobs { queue: in_queue, ids: others, act: as_act },
                },
            ) => {
                (target, queue, act) == (on, in_queue, as_act)
                    && (ids.len() > 1 || others.len() > 1 || ids == others)
            }
            (
                Self::Redis { target, act: RedisAction::Redrive { queue, to, letters, .. } },
                Self::Redis {
                    target: on,
                    act: RedisAction::Redrive { queue: in_queue, to: as_to, letters: others, .. },
                },
            ) => {
                (target, queue, to) == (on, in_queue, as_to)
                    && std::mem::discriminant(letters) == std::mem::discriminant(others)
            }
            (Self::Postgres { target, act }, Self::Postgres { target: on, act: offered }) => {
                target == on && act.is_still(offered)
            }
            (Self::Alertmanager { target, act }, Self::Alertmanager { target: on, act: offered }) => {
                target == on && act.is_still(offered)
            }
            _ => self == offered,
        }
    }

    /// How many objects it is about, as far as they are named one by one.
    #[must_use]
    pub fn objects(&self) -> usize {
        match self {
            Self::Postgres { act: PgAction::Several { backends, .. }, .. } => backends.len(),
            Self::Redis { act: RedisAction::Jobs { ids, .. }, .. } => ids.len(),
            Self::Redis { act: RedisAction::Switches { others, .. }, .. } => others.len() + 1,
            Self::Redis { act: RedisAction::Redrive { letters: Letters::These(list), .. }, .. } => list.len(),
            Self::Alertmanager { act: AlertmanagerAct::Silence { quiet, .. }, .. } => quiet.len(),
            Self::Postgres { .. } | Self::Redis { .. } | Self::Search { .. } | Self::Alertmanager { .. } => 1,
        }
    }

    /// The pinned identity, as text for people and for the audit trail.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::Postgres { act, .. } => act.identity(),
            Self::Redis { act, .. } => act.identity(),
            Self::Alertmanager { act, .. } => act.identity(),
            Self::Search { act, .. } => act.identity(),
        }
    }
}

/// An action that a person confirmed. It can be made only where a confirmation was given (a test holds that).
#[derive(Clone, Debug, PartialEq)]
pub struct Confirmed<A> {
    action: A,
    predicted: Option<String>,
}

impl<A> Confirmed<A> {
    /// To be called by the confirm overlay and by nobody else in `src` (the architecture test holds that); tests may.
    pub const fn by_a_person(action: A) -> Self {
        Self { action, predicted: None }
    }

    /// The same with what the preview said would come of it.
    #[must_use]
    pub fn predicting(self, predicted: Option<String>) -> Self {
        Self { predicted, ..self }
    }

    /// What the preview said would come of it, beside what the action itself promises.
    #[must_use]
    pub fn predicted(&self) -> Option<&str> {
        self.predicted.as_deref()
    }

    /// What was confirmed.
    pub const fn action(&self) -> &A {
        &self.action
    }
}

/// What the operator is shown before anything is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// Verb, object and count: "Terminate pid 4711 and release 9 sessions".
    pub title: String,
    /// Who, since when, what it holds, who is released, what is lost: label and value.
    pub facts: Vec<(String, String)>,
    /// Exactly what will be sent.
    pub statement: String,
    /// The key that confirms; it differs from action to action so that no reflex forms.
    pub confirm_key: char,
    /// Wrong in a way that cannot be undone or many at once: a typed word is asked for even where none is needed otherwise.
    pub severe: bool,
    /// The word to be typed instead of the environment's name: that of what is lost.
    pub word: Option<String>,
}

/// An entry of the action menu.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Its letter in the menu.
    pub letter: char,
    /// What it is called ("terminate backend").
    pub label: String,
    /// What it does, in a few words.
    pub effect: String,
    /// What would be done; or why it cannot be.
    pub choice: Result<(Action, Preview), Refusal>,
    /// What has to be typed before: the panel makes the choice anew from it.
    pub asks: Option<Ask>,
}

/// A value that an action needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What is asked for, with its form ("new priority, 0 for none").
    pub question: &'static str,
    /// What stands in the field at first: [`Offer::choice`] is what comes of it.
    pub initial: String,
}

/// Why something is not possible, and what would make it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub why: String,
    /// The GRANT, the command or the other way.
    pub remedy: Option<String>,
}

impl Refusal {
    /// A refusal without a remedy.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), remedy: None }
    }

    /// The same with what would make it possible.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The reason, and the remedy behind it.
    #[must_use]
    pub fn sentence(&self) -> String {
        let remedy = self.remedy.as_ref().map_or(String::new(), |remedy| format!("; {remedy}"));
        format!("{}{remedy}", self.why)
    }
}

/// How an executed action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The server did what was asked.
    Done,
    /// The server did a part of it; the details say which.
    Partly,
    /// Nothing was done: the object changed or is gone.
    Nothing,
    /// It is not known whether it was done (the answer was lost).
    Unknown,
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// One sentence with numbers.
    pub summary: String,
    /// Per object, where there are several: identity and what happened to it.
    pub details: Vec<(String, String)>,
}

/// What a look afterwards found.
#[derive(Clone, Debug, PartialEq)]
pub struct Verification {
    /// Whether there is nothing more to wait for.
    pub settled: bool,
    /// One sentence: released, still there, no effect; and the next rung.
    pub sentence: String,
}

/// An action that could not be carried out, as a sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// It was refused before anything was sent.
    #[error("refused: {0}")]
    Refused(String),
    /// The audit line could not be written, so nothing was sent.
    #[error("not done, because the audit trail cannot be written: {0}")]
    NoAudit(String),
    /// The server refused it or could not be reached; nothing was changed.
    #[error("not done: {0}")]
    NotDone(String),
    /// The answer was lost: it may or may not have been done.
    #[error("it is not known whether it was done: {0}")]
    Unknown(String),
}

impl ActionError {
    /// The action is one for another kind of system than this target, which is `this`.
    #[must_use]
    pub fn not_for(this: &str) -> Self {
        Self::Refused(format!("this target is {this}"))
    }
}
