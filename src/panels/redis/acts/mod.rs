//! What may be done to queues and jobs, and what is said of it before.

pub(super) mod changes;
mod choice;
mod facts;
mod forms;
pub(super) mod jobs;
pub(super) mod letters;
mod preview;
pub(super) mod schedulers;
pub(super) mod script;
pub(super) mod sweeps;
