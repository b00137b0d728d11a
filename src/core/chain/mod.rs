//! What causes what. A cause is named over an edge of the table, never by order alone: an edge is a mechanism, two ends that exist, what
//! matches between them, and an order in time that does not contradict it. Where nothing ties two findings together, no cause is told.
//! Pure, and data: every front end prints the same chain.

mod edge;
mod edges;
mod known;
mod order;
mod ties;
mod tree;

pub use edge::{Edge, Evidence, Tie};
pub use edges::edges;
pub(in crate::core) use known::addresses;
pub(in crate::core) use ties::changes::brings;
pub(in crate::core) use ties::ours::{failed_again, suffers};
pub use tree::{Branch, Chain, Link};
