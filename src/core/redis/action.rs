//! What can be done to a job queue, and how a queue and its jobs are named.

use super::{Brake, Change};
use crate::core::redis::JobAct;
use crate::core::redis::JobState;
use crate::core::redis::QueueRef;

/// Which letters of a dead-letter queue are redriven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Letters {
    /// These: id and the state in which each was chosen.
    These(Vec<(String, JobState)>),
    /// Everything that stands there when it begins.
    All,
    /// What a redrive that was interrupted has left, by its journal.
    Unfinished,
}

/// How the ids of the jobs begin that a redrive of this queue makes. A colon would end an id.
#[must_use]
pub fn redriven(queue: &str) -> String {
    format!("redrive-{queue}-").replace(':', "-")
}

/// One change to a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisAction {
    /// The same to each of these jobs, frozen when the operator chose them.
    Jobs {
        /// Which queue.
        queue: QueueRef,
        /// Which jobs.
        ids: Vec<String>,
        /// What.
        act: JobAct,
    },
    /// No worker takes a job any more; those that run go on.
    Pause {
        /// Which queue.
        queue: QueueRef,
    },
    /// Workers take jobs again.
    Resume {
        /// Which queue.
        queue: QueueRef,
    },
    /// Several queues are paused, or resumed.
    Switches {
        /// The first of them.
        queue: QueueRef,
        /// The others.
        others: Vec<QueueRef>,
        /// Resumed, not paused.
        resume: bool,
    },
    /// Something else.
    Change {
        /// Which queue.
        queue: QueueRef,
        /// What.
        change: Change,
    },
    /// Dead letters go back to where they came from, with a brake.
    Redrive {
        /// The dead-letter queue.
        queue: QueueRef,
        /// Where letters go that do not say where they came from.
        to: Option<QueueRef>,
        /// Which letters.
        letters: Letters,
        /// How it is braked.
        brake: Brake,
    },
}

impl RedisAction {
    /// Which queue.
    #[must_use]
    pub const fn queue(&self) -> &QueueRef {
        match self {
            Self::Jobs { queue, .. }
            | Self::Pause { queue }
            | Self::Resume { queue }
            | Self::Switches { queue, .. }
            | Self::Change { queue, .. }
            | Self::Redrive { queue, .. } => queue,
        }
    }

    /// The verb for the audit trail.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Jobs { act: JobAct::Retry(_), .. } => "retry_jobs",
            Self::Jobs { act: JobAct::RunAgain, .. } => "run_completed_again",
            Self::Jobs { act: JobAct::Promote, .. } => "promote_jobs",
            Self::Jobs { act: JobAct::Remove(_), .. } => "remove_jobs",
            Self::Jobs { act: JobAct::Priority(_), .. } => "change_priority",
            Self::Jobs { act: JobAct::Delay(_), .. } => "change_delay",
            Self::Jobs { act: JobAct::Release, .. } => "release_stalled",
            Self::Jobs { act: JobAct::GiveUp, .. } => "fail_stalled",
            Self::Switches { resume: false, .. } => "pause_queues",
            Self::Switches { resume: true, .. } => "resume_queues",
            Self::Change { change, .. } => change.verb(),
            Self::Pause { .. } => "pause_queue",
            Self::Resume { .. } => "resume_queue",
            Self::Redrive { .. } => "redrive",
        }
    }

    /// What is sent, for people and for the audit trail.
    #[must_use]
    pub fn statement(&self) -> String {
        let base = self.queue().key("*");
        match self {
            Self::Jobs { ids, act, .. } => {
                let many = ids.len();
                match act {
                    JobAct::Retry(options) => {
                        let mut extra = String::new();
                        if options.keep_priority {
                            extra.push_str(", by its priority");
                        }
                        if options.reset_attempts {
                            extra.push_str(", attempts reset");
                        }
                        format!(
                            "EVALSHA retry.lua on {base}: each of {many} ids, only if it is still failed{extra}"
                        )
                    }
                    JobAct::RunAgain => {
                        format!(
                            "EVALSHA retry.lua on {base}: each of {many} ids, only if it is still completed"
                        )
                    }
                    JobAct::Promote => {
                        format!(
                            "EVALSHA promote.lua on {base}: each of {many} ids, only if it is still delayed"
                        )
                    }
                    JobAct::Remove(state) => format!(
                        "EVALSHA remove.lua on {base}: each of {many} ids, only if it is still {}",
                        state.word()
                    ),
                    JobAct::Priority(rank) => {
                        format!(
                            "EVALSHA priority.lua on {base}: {rank} for each of {many} ids that nobody has yet"
                        )
                    }
                    JobAct::Delay(delay) => format!(
                        "EVALSHA delay.lua on {base}: each of {many} ids, only if it is still delayed, due in {} s",
                        delay.as_secs()
                    ),
                    JobAct::Release | JobAct::GiveUp => {
                        let to = if *act == JobAct::Release { "wait" } else { "failed" };
                        format!(
                            "EVALSHA stalled.lua on {base}: each of {many} ids from active to {to}, only without lock and stalled-check"
                        )
                    }
                }
            }
            Self::Switches { others, resume, .. } => {
                let script = if *resume { "resume" } else { "pause" };
                format!("EVALSHA {script}.lua on each of {} queues", others.len() + 1)
            }
            Self::Change { change, .. } => change.statement(&base),
            Self::Pause { .. } => format!("EVALSHA pause.lua on {base}"),
            Self::Resume { .. } => format!("EVALSHA resume.lua on {base}"),
            Self::Redrive { to, letters, brake, .. } => {
                let which = match letters {
                    Letters::These(list) => crate::core::text::counted(list.len(), "letter"),
                    Letters::All => "all letters".to_owned(),
                    Letters::Unfinished => "what is left by the journal".to_owned(),
                };
                let to = to.as_ref().map_or("the queue it names".to_owned(), |to| to.key("*"));
                format!(
                    "per letter of {base}: retry.lua on its original or add.lua on {to}, then remove.lua; {which}, 1, 10, then {} a second, \
                     until more than {} % fail again",
                    brake.per_second, brake.stop_above_percent
                )
            }
        }
    }

    /// The pinned identity, for people and for the audit trail.
    #[must_use]
    pub fn identity(&self) -> String {
        let QueueRef { prefix, name } = self.queue();
        match self {
            Self::Jobs { ids, .. } => format!("queue {prefix}:{name} jobs {}", ids.join(",")),
            Self::Redrive { letters: Letters::These(list), .. } => {
                let ids: Vec<&str> = list.iter().map(|(id, _)| id.as_str()).collect();
                format!("queue {prefix}:{name} letters {}", ids.join(","))
            }
            Self::Switches { queue, others, .. } => {
                let all: Vec<String> = std::iter::once(queue)
                    .chain(others)
                    .map(|queue| format!("{}:{}", queue.prefix, queue.name))
                    .collect();
                format!("queues {}", all.join(","))
            }
            Self::Change { change: Change::EndScript, .. } => "the script that runs".to_owned(),
            Self::Change { change, .. } => format!("queue {prefix}:{name}{}", change.about()),
            Self::Pause { .. } | Self::Resume { .. } | Self::Redrive { .. } => {
                format!("queue {prefix}:{name}")
            }
        }
    }
}
