//! What may be done to sessions, tables and indexes, and what is said of it before.

pub(super) mod aftermath;
pub(super) mod ending;
pub(super) mod marked;
pub(super) mod upkeep;
