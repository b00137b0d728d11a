//! What changed and when: findings that began and ended, our own actions, restarts, roles, settings, queues, nodes, versions. Pure.
//!
//! What was so at the first look is no change. That one thing happened after another says nothing of why: only the order is told. Settings
//! that no poll reads and rows of a migrations table are not seen.

mod book;
mod event;
mod facts;
mod incident;
mod ours;

pub use book::Timeline;
pub use event::{About, Event, Kind};
pub use ours::Deed;
