//! What is known of a Redis target: the reading of one poll, the state that follows from several, and its rules. Pure.

mod action;
mod change;
mod condition;
mod dead_letter;
mod envelope;
mod failures;
mod family;
mod held;
mod holder;
mod jobs;
mod listing;
mod mask;
mod names;
mod queue;
mod reading;
mod reasons;
mod rhythm;
mod row;
pub(crate) mod rules;
mod server;
mod settings;
mod state;
mod stuck;
mod troubles;
mod turned;
mod workings;

pub use action::{Letters, RedisAction, redriven};
pub use change::{Change, JobAct, RetryOptions, Sweep, copied_options};
pub use condition::{Condition, condition};
pub use dead_letter::dead_letter;
pub use envelope::{Brake, Envelope, Original, open as open_letter};
pub use failures::{FailureGroup, FailureKind, groups, normalised, own_frame};
pub use family::{Family, Signs, family, mismatch};
pub use holder::LostHolder;
pub use jobs::{FailedJob, FailedPage, JobDetail, JobList, Kin, ListedJob, NextJob};
pub use listing::{HITS, JOBS_A_PAGE, JobPage, Listing, PageJob};
pub use mask::{Masks, Payload, REASON_CHARS};
pub use names::{seen_as, twice};
pub use queue::{JobState, QueueRef};
pub use reading::*;
pub use reasons::Reasons;
pub use rhythm::Rhythm;
pub use row::RedisRow;
pub use rules::{MEMORY, RULES};
pub use server::{
    ClientGroup, CommandRate, CommandStat, ServerDetail, SlowEntry, StreamGroup, command_rates,
};
pub use settings::RedisSettings;
pub use state::{QueueHistory, RedisRates, RedisState};
pub use stuck::{StuckParent, parents_of};
pub use troubles::{REFUSALS, Troubles};
pub use turned::{Setback, Turned};
pub use workings::{Ended, QueueEvent, QueueWorker, QueueWorkings, RunTimes, Scheduler, overlong, run_times};
