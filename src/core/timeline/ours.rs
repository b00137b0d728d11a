//! What is done from here, as the timeline tells it: the sentence of an action, where its object is, and which queues it pauses or resumes.

use super::facts::QueueSwitch;
use crate::core::action::Action;
use crate::core::alertmanager::{AlertmanagerAct, AlertmanagerRow};
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::postgres::{BackendId, PgAction};
use crate::core::redis::{JobAct, QueueRef, RedisAction, redriven};
use crate::core::row::RowKey;
use crate::core::search::{SearchAction, SearchRow};
use crate::core::text::tidy;
use crate::core::time::Now;
use std::collections::BTreeSet;
use std::time::Duration;

/// The identity of an action is cut to so many columns: it may name a thousand jobs.
const IDENTITY_COLUMNS: usize = 120;
/// Of one action so many jobs are known again.
const MOST_IDS: usize = 1000;
/// So much that was done is remembered.
const MOST_DEEDS: usize = 64;
/// So long it is kept as a cause. Whether what is found began soon enough after it is for the tie to say: a cause stays one for as long as its
/// effect goes on.
const KEPT: Duration = Duration::from_secs(86_400);
/// So long after a queue was switched from here, that it is so is taken for our own doing: thousands of queues are read in turns.
const OURS_WITHIN: Duration = Duration::from_secs(600);

/// The verb and what it was done to; the whole identity stands in the audit trail.
pub(super) fn named(action: &Action) -> String {
    let object = match action {
        Action::Postgres {
            act: PgAction::Cancel { backend, .. } | PgAction::Terminate { backend, .. },
            ..
        } => format!("pid {}", backend.pid),
        Action::Postgres { act: PgAction::Several { .. } | PgAction::Upkeep { .. }, .. }
        | Action::Redis { .. }
        | Action::Search { .. }
        | Action::Alertmanager { .. } => action.identity(),
    };
    format!("{} {}", action.verb(), tidy(&object, IDENTITY_COLUMNS))
}

/// Where its object is.
pub(super) fn place(action: &Action) -> Place {
    match action {
        Action::Postgres { target, act } => {
            let backend = |id: &BackendId| RowKey::backend(target, *id);
            let row = match act {
                PgAction::Cancel { backend: id, .. } | PgAction::Terminate { backend: id, .. } => {
                    Some(backend(id))
                }
                PgAction::Several { backends, .. } => backends.first().map(|(id, _)| backend(id)),
                PgAction::Upkeep { .. } => return Place { screen: Screen::Health, row: None },
            };
            Place { screen: Screen::Queries, row }
        }
        Action::Redis { target, act } => {
            Place { screen: Screen::Queues, row: Some(RowKey::of_queue(target, act.queue())) }
        }
        Action::Alertmanager { target, act } => {
            let row = match act {
                AlertmanagerAct::Silence { quiet, .. } => quiet.first().cloned().map(AlertmanagerRow::Alert),
                AlertmanagerAct::Extend { silence, .. } | AlertmanagerAct::Expire { silence, .. } => {
                    Some(AlertmanagerRow::Silence(silence.id.clone()))
                }
            };
            let row = row.map(|row| RowKey::Alertmanager(target.clone(), row));
            Place { screen: Screen::Alerts, row }
        }
        Action::Search { target, act } => {
            let row = match act {
                SearchAction::Unblock { index } => Some(SearchRow::Blocked(index.name.clone())),
                SearchAction::RetryStep { index, .. } => Some(SearchRow::Lifecycle(index.name.clone())),
                SearchAction::Allocate { .. } => Some(SearchRow::Allocation),
                SearchAction::RetryFailed { index, shard, primary } => Some(SearchRow::Shard {
                    index: index.name.clone(),
                    shard: shard.clone(),
                    primary: *primary,
                }),
                SearchAction::CancelTask { .. } | SearchAction::Replicas { .. } => None,
            };
            Place { screen: Screen::Search, row: row.map(|row| RowKey::Search(target.clone(), row)) }
        }
    }
}

/// The queues that it pauses or resumes.
fn switches(action: &Action) -> Vec<(&QueueRef, bool)> {
    match action {
        Action::Redis { act: RedisAction::Pause { queue }, .. } => vec![(queue, true)],
        Action::Redis { act: RedisAction::Resume { queue }, .. } => vec![(queue, false)],
        Action::Redis { act: RedisAction::Switches { queue, others, resume }, .. } => {
            std::iter::once(queue).chain(others).map(|queue| (queue, !resume)).collect()
        }
        Action::Redis {
            act: RedisAction::Jobs { .. } | RedisAction::Change { .. } | RedisAction::Redrive { .. },
            ..
        }
        | Action::Postgres { .. }
        | Action::Search { .. }
        | Action::Alertmanager { .. } => Vec::new(),
    }
}

/// What was done from here that others may suffer from.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// When it was sent.
    pub at: Now,
    /// Where.
    pub target: TargetId,
    /// What kind of thing, and of which queue where it is of one: `ended`, `cancelled`, `retried bull:mails`, `paused bull:mails`.
    pub subject: String,
    /// In words, as the timeline has it.
    pub words: String,
    /// Which jobs run again by it.
    pub jobs: Again,
}

/// Jobs that run again.
#[derive(Clone, Debug, PartialEq)]
pub enum Again {
    /// None, or nobody knows which.
    Unknown,
    /// Those of these ids.
    These(BTreeSet<String>),
    /// Those whose id begins like this: a redrive names the jobs that it makes.
    Named(String),
}

impl Again {
    /// Whether the job of this id is one of them.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        match self {
            Self::Unknown => false,
            Self::These(ids) => ids.contains(id),
            Self::Named(begin) => id.starts_with(begin.as_str()),
        }
    }

    fn of(action: &Action) -> Self {
        let Action::Redis { act, .. } = action else { return Self::Unknown };
        match act {
            RedisAction::Jobs { ids, act: JobAct::Retry(_) | JobAct::RunAgain, .. } => {
                Self::These(ids.iter().take(MOST_IDS).cloned().collect())
            }
            RedisAction::Redrive { queue, .. } => Self::Named(redriven(&queue.name)),
            RedisAction::Jobs { .. }
            | RedisAction::Pause { .. }
            | RedisAction::Resume { .. }
            | RedisAction::Switches { .. }
            | RedisAction::Change { .. } => Self::Unknown,
        }
    }
}

/// What others may suffer from: sessions and statements that end, jobs that run again, queues that take nothing.
fn subject(action: &Action) -> Option<String> {
    let of = |verb: &str, queue: &QueueRef| Some(format!("{verb} {}:{}", queue.prefix, queue.name));
    match action {
        Action::Postgres {
            act: PgAction::Terminate { .. } | PgAction::Several { terminate: true, .. },
            ..
        } => Some("ended".to_owned()),
        Action::Postgres {
            act: PgAction::Cancel { .. } | PgAction::Several { terminate: false, .. },
            ..
        } => Some("cancelled".to_owned()),
        Action::Redis { act: RedisAction::Pause { queue }, .. } => of("paused", queue),
        Action::Redis { act: RedisAction::Redrive { queue, to, .. }, .. } => {
            of("retried", to.as_ref().unwrap_or(queue))
        }
        Action::Redis {
            act: RedisAction::Jobs { queue, act: JobAct::Retry(_) | JobAct::RunAgain, .. },
            ..
        } => of("retried", queue),
        Action::Redis {
            act:
                RedisAction::Jobs { .. }
                | RedisAction::Resume { .. }
                | RedisAction::Switches { .. }
                | RedisAction::Change { .. },
            ..
        }
        | Action::Postgres { act: PgAction::Upkeep { .. }, .. }
        // What it keeps quiet goes on.
        | Action::Search { .. }
        | Action::Alertmanager { .. } => None,
    }
}

/// What was done from here lately: queues that were switched, and what others may suffer from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ours(Vec<(Now, TargetId, QueueRef, bool)>, Vec<Deed>);

impl Ours {
    /// An action was sent.
    pub(super) fn sent(&mut self, action: &Action, now: Now) {
        self.0.retain(|(at, ..)| now.since(*at) < OURS_WITHIN);
        self.1.retain(|deed| now.since(deed.at) < KEPT);
        // A queue that is told to go on is not paused by us any more.
        for (queue, _) in switches(action).into_iter().filter(|(_, paused)| !paused) {
            let paused = format!("paused {}:{}", queue.prefix, queue.name);
            self.1.retain(|deed| deed.target != *action.target() || deed.subject != paused);
        }
        self.1.extend(subject(action).map(|subject| Deed {
            at: now,
            target: action.target().clone(),
            subject,
            words: named(action),
            jobs: Again::of(action),
        }));
        if self.1.len() > MOST_DEEDS {
            self.1.remove(0);
        }
        let switches = switches(action).into_iter();
        self.0.extend(switches.map(|(queue, paused)| (now, action.target().clone(), queue.clone(), paused)));
    }

    /// It was not done.
    pub(super) fn withdrawn(&mut self, action: &Action) {
        let words = named(action);
        self.1.retain(|deed| deed.target != *action.target() || deed.words != words);
        for (queue, paused) in switches(action) {
            self.0.retain(|(_, target, other, was)| {
                target != action.target() || other != queue || *was != paused
            });
        }
    }

    /// What others may suffer from; the newest of each kind.
    pub(super) fn deeds(&self, now: Now) -> Vec<&Deed> {
        let mut newest: Vec<&Deed> = Vec::new();
        for deed in self.1.iter().rev().filter(|deed| now.since(deed.at) < KEPT) {
            if newest.iter().all(|known| (&known.target, &known.subject) != (&deed.target, &deed.subject)) {
                newest.push(deed);
            }
        }
        newest
    }

    /// Whether it was done from here; the next time it is somebody else's doing.
    pub(super) fn did(&mut self, target: &TargetId, switch: &QueueSwitch, now: Now) -> bool {
        let found = self.0.iter().position(|(at, of, queue, paused)| {
            of == target && *queue == switch.queue && *paused == switch.paused && now.since(*at) < OURS_WITHIN
        });
        found.map(|at| self.0.swap_remove(at)).is_some()
    }
}
