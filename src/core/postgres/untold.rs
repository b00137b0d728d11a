//! What a server does not tell of itself, beside the parts of a reading that are not there: each costs only what follows from it.

use crate::core::part::Gap;
use serde::{Deserialize, Serialize};

/// Something that is asked of every server, and that may be refused by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fact {
    /// Whether it is a standby.
    Recovery,
    /// When it started.
    Start,
    /// What our role may do.
    Rights,
    /// Some of what is read of sessions: which rows they keep from vacuum, or whose they are.
    Sessions,
    /// Where its write-ahead log is, and with that how far behind copies and slots are.
    Position,
    /// How much it writes, its checkpoints, the limit of transaction ids.
    Log,
}

/// One of them that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untold {
    /// Which.
    pub fact: Fact,
    /// Why.
    pub gap: Gap,
}
