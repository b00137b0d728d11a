//! What changed and when: findings that began and ended, our own actions, restarts, roles, settings, queues, nodes, versions, migrations,
//! marks that somebody sets. Pure.
//!
//! What was so at the first look is no change, but for what says itself that it is of the last hour. That one thing happened after another
//! says nothing of why: only the order is told. Settings that no poll reads are not seen.

mod book;
mod event;
mod facts;
mod incident;
mod numbers;
mod ours;

pub use book::Timeline;
pub use event::{About, Event, Kind, Mark};
pub use ours::{Again, Deed};
