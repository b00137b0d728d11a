//! Changes to a queue that are not the same act on chosen jobs: everything in a state, one value, one new job.

use super::{Brake, FailureKind, JobState, LostHolder, Rhythm};
use std::time::Duration;

/// The same to every job of some states that was there when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Every failed job back to waiting.
    Retry,
    /// The same: one, then ten, then so many a second, until they fail again.
    RetryCarefully(Brake),
    /// Every delayed job to waiting at once.
    Promote,
    /// Every waiting job is written to a file and removed.
    Drain,
    /// Every completed or failed job that ended longer ago than this is written to a file and removed.
    Clean(JobState, Duration),
    /// Everything is written to a file and removed, and the queue itself; it is paused first.
    Obliterate,
}

impl Sweep {
    /// What is done in which state, one after the other.
    #[must_use]
    pub fn steps(self) -> Vec<(JobState, JobAct)> {
        let remove =
            |states: &[JobState]| states.iter().map(|state| (*state, JobAct::Remove(*state))).collect();
        match self {
            Self::Retry | Self::RetryCarefully(_) => {
                vec![(JobState::Failed, JobAct::Retry(RetryOptions::default()))]
            }
            Self::Promote => vec![(JobState::Delayed, JobAct::Promote)],
            Self::Drain => remove(&[JobState::Waiting, JobState::Prioritized]),
            Self::Clean(state, _) => remove(&[state]),
            Self::Obliterate => remove(&[
                JobState::Waiting,
                JobState::Prioritized,
                JobState::Delayed,
                JobState::Completed,
                JobState::Failed,
            ]),
        }
    }

    /// Jobs that ended later than this long ago are left.
    #[must_use]
    pub const fn older(self) -> Duration {
        match self {
            Self::Clean(_, older) => older,
            Self::Retry | Self::RetryCarefully(_) | Self::Promote | Self::Drain | Self::Obliterate => {
                Duration::ZERO
            }
        }
    }
}

/// Options of a job that are its own and must not be those of its copy.
const OWN_OPTIONS: [&str; 8] =
    ["jobId", "repeat", "delay", "parent", "deduplication", "de", "debounce", "prevMillis"];

/// The options of a copy of a job with `options` (JSON).
#[must_use]
pub fn copied_options(options: &str) -> String {
    let mut kept: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(options).unwrap_or_default();
    kept.retain(|name, _| !OWN_OPTIONS.contains(&name.as_str()));
    serde_json::Value::Object(kept).to_string()
}

/// One change to a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Everything in some states.
    Sweep(Sweep),
    /// Every failed job of one kind back to waiting.
    RetryKind(FailureKind),
    /// A new job.
    Add {
        /// Its name.
        name: String,
        /// Its data, as JSON.
        data: String,
        /// Its options, as JSON.
        options: String,
    },
    /// The script that holds the server is ended, if it has written nothing; it is no queue's.
    EndScript,
    /// The jobs that were removed last, as they were.
    PutBack,
    /// A new job with the name, data and options of another, as they stand on the server then.
    Copy {
        /// Which job.
        id: String,
    },
    /// Other data for a job that no worker has.
    Edit {
        /// Which job.
        id: String,
        /// Its data as the operator saw it: if it is another by now, nothing is done.
        was: String,
        /// Its new data, as JSON.
        data: String,
    },
    /// How many jobs all workers together may run at once; none for no limit.
    Concurrency(Option<u64>),
    /// A new scheduler, which makes a job again and again.
    Schedule {
        /// Its id.
        id: String,
        /// How often.
        rhythm: Rhythm,
        /// The name of its jobs.
        name: String,
        /// Their data, as JSON.
        data: String,
    },
    /// A scheduler makes no more jobs; its next one is removed.
    Unschedule {
        /// Its id.
        id: String,
    },
    /// Deduplication ids that no job will free any more let their next jobs in.
    Free(Vec<LostHolder>),
}

impl Change {
    /// The verb for the audit trail.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Sweep(Sweep::Retry) => "retry_all_failed",
            Self::Sweep(Sweep::RetryCarefully(_)) => "retry_all_failed_carefully",
            Self::Sweep(Sweep::Promote) => "promote_all",
            Self::Sweep(Sweep::Drain) => "drain_queue",
            Self::Sweep(Sweep::Clean(..)) => "clean_queue",
            Self::Sweep(Sweep::Obliterate) => "obliterate_queue",
            Self::RetryKind(_) => "retry_failed_alike",
            Self::Add { .. } => "add_job",
            Self::EndScript => "end_script",
            Self::PutBack => "put_back_removed",
            Self::Copy { .. } => "duplicate_job",
            Self::Edit { .. } => "edit_job",
            Self::Concurrency(_) => "set_concurrency",
            Self::Schedule { .. } => "add_scheduler",
            Self::Unschedule { .. } => "remove_scheduler",
            Self::Free(_) => "free_deduplication_ids",
        }
    }

    /// What is sent on the keys `base`, for people and for the audit trail. The data of jobs is not repeated there.
    #[must_use]
    pub fn statement(&self, base: &str) -> String {
        match self {
            Self::Sweep(sweep) => {
                let steps = sweep.steps().into_iter().map(|(state, act)| {
                    let script = match act {
                        JobAct::Retry(_) | JobAct::RunAgain => "retry",
                        JobAct::Promote => "promote",
                        JobAct::Remove(_) | JobAct::Priority(_) | JobAct::Delay(_) => "remove",
                        JobAct::Release | JobAct::GiveUp => "stalled",
                    };
                    format!("{script}.lua for each {} job", state.word())
                });
                let pause = if *sweep == Sweep::Obliterate { "pause.lua, " } else { "" };
                let end = if *sweep == Sweep::Obliterate { ", then obliterate.lua" } else { "" };
                let steps = steps.collect::<Vec<_>>().join(", ");
                let older = match sweep {
                    Sweep::Clean(_, older) => format!(" that ended more than {} s ago", older.as_secs()),
                    _ => String::new(),
                };
                let pace = match sweep {
                    Sweep::RetryCarefully(brake) => format!(
                        "one, then ten, then {} a second, until more than {} % fail again",
                        brake.per_second, brake.stop_above_percent
                    ),
                    _ => "a hundred at a time".to_owned(),
                };
                format!("EVALSHA on {base}: {pause}{steps}{older}, {pace}{end}")
            }
            Self::RetryKind(kind) => {
                let place = if kind.frame.is_empty() { String::new() } else { format!(" at {}", kind.frame) };
                format!(
                    "EVALSHA on {base}: retry.lua for each failed job whose reason is `{}`{place}, a hundred at a time",
                    kind.reason
                )
            }
            Self::Add { name, data, .. } => {
                format!("EVALSHA add.lua on {base}: name {name}, {} bytes of data", data.len())
            }
            Self::EndScript => "SCRIPT KILL, or FUNCTION KILL where it is a function".to_owned(),
            Self::PutBack => format!(
                "EVALSHA restore.lua on {base}: each job of the last removal by removed-jobs.jsonl, if there is none of its id"
            ),
            Self::Copy { id } => {
                format!("HMGET of job {id}, then EVALSHA add.lua on {base} with its name, data and options")
            }
            Self::Edit { id, was, data } => format!(
                "EVALSHA edit.lua on {base}: job {id}, {} bytes of data instead of the {} that were shown",
                data.len(),
                was.len()
            ),
            Self::Concurrency(Some(limit)) => format!("EVALSHA concurrency.lua on {base}: {limit}"),
            Self::Concurrency(None) => format!("EVALSHA concurrency.lua on {base}: no limit"),
            Self::Schedule { id, rhythm, name, data } => format!(
                "EVALSHA schedule.lua on {base}: scheduler {id} {rhythm}, name {name}, {} bytes of data",
                data.len()
            ),
            Self::Unschedule { id } => format!("EVALSHA unschedule.lua on {base}: scheduler {id}"),
            Self::Free(lost) => {
                let ids =
                    lost.iter().map(|one| format!("{:?} where job {} still holds it", one.id, one.holder));
                format!("EVALSHA free.lua on {base}: deduplication id {}", ids.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// What of the queue it is about, for the audit trail; empty for all of it.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::Edit { id, .. } | Self::Copy { id } => format!(" job {id}"),
            Self::Schedule { id, .. } | Self::Unschedule { id } => format!(" scheduler {id}"),
            Self::Free(lost) => {
                let ids = lost.iter().map(|one| one.id.as_str());
                format!(" deduplication id {}", ids.collect::<Vec<_>>().join(", "))
            }
            Self::Sweep(_)
            | Self::RetryKind(_)
            | Self::PutBack
            | Self::EndScript
            | Self::Add { .. }
            | Self::Concurrency(_) => String::new(),
        }
    }
}

/// How jobs are retried. Both off is what the library's own retry does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryOptions {
    /// The job stands in line by its priority instead of in front of all prioritized jobs.
    pub keep_priority: bool,
    /// Its attempts count from zero again instead of one more run.
    pub reset_attempts: bool,
}

/// What is done to each of some jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobAct {
    /// Back to waiting, if it is still failed.
    Retry(RetryOptions),
    /// Back to waiting, if it is still completed.
    RunAgain,
    /// To waiting at once, if it is still delayed.
    Promote,
    /// Written to a file and removed, if it is still in this state.
    Remove(JobState),
    /// In line by this priority (0: none), if nobody has it yet.
    Priority(u64),
    /// Due so much later than now, if it is still delayed.
    Delay(Duration),
    /// Back to waiting, if its worker's lock has run out and no worker is there to look for it.
    Release,
    /// Failed, under the same conditions.
    GiveUp,
}
