//! The pages about Redis and its job queues.

mod acts;
mod alike;
mod cluster;
mod job;
mod job_list;
mod job_rows;
mod queue;
pub(super) mod queues;
mod server;
pub(super) mod signal;
mod target;
mod workings;
