//! What the configuration says of a Redis target beyond how it is reached.

use super::envelope::{Brake, Envelope};

/// The settings of one Redis target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedisSettings {
    /// How letters are opened.
    pub envelope: Envelope,
    /// How a redrive is braked.
    pub brake: Brake,
}
