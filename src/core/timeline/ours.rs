//! What is done from here, as the timeline tells it: the sentence of an action, where its object is, and which queues it pauses or resumes.

use super::facts::QueueSwitch;
use crate::core::action::Action;
use crate::core::ids::TargetId;
use crate::core::place::{Place, Screen};
use crate::core::postgres::{BackendId, PgAction};
use crate::core::redis::{QueueRef, RedisAction};
use crate::core::row::RowKey;
use crate::core::text::tidy;
use crate::core::time::Now;
use std::time::Duration;

/// The identity of an action is cut to so many columns: it may name a thousand jobs.
const IDENTITY_COLUMNS: usize = 120;
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
        | Action::Redis { .. } => action.identity(),
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
        | Action::Postgres { .. } => Vec::new(),
    }
}

/// Queues that were switched from here lately.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ours(Vec<(Now, TargetId, QueueRef, bool)>);

impl Ours {
    /// An action was sent.
    pub(super) fn sent(&mut self, action: &Action, now: Now) {
        self.0.retain(|(at, ..)| now.since(*at) < OURS_WITHIN);
        let switches = switches(action).into_iter();
        self.0.extend(switches.map(|(queue, paused)| (now, action.target().clone(), queue.clone(), paused)));
    }

    /// It was not done.
    pub(super) fn withdrawn(&mut self, action: &Action) {
        for (queue, paused) in switches(action) {
            self.0.retain(|(_, target, other, was)| {
                target != action.target() || other != queue || *was != paused
            });
        }
    }

    /// Whether it was done from here; the next time it is somebody else's doing.
    pub(super) fn did(&mut self, target: &TargetId, switch: &QueueSwitch, now: Now) -> bool {
        let found = self.0.iter().position(|(at, of, queue, paused)| {
            of == target && *queue == switch.queue && *paused == switch.paused && now.since(*at) < OURS_WITHIN
        });
        found.map(|at| self.0.swap_remove(at)).is_some()
    }
}
