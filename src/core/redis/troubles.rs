//! What a Redis server refuses or throws away, counted over the last minute: clients that try again now and then make one condition of it.

use super::RedisServer;
use crate::core::rate::{Lately, increase};
use crate::core::time::Now;
use std::time::Duration;

/// The replies that refuse a write because of the state that the server is in.
pub const REFUSALS: [&str; 4] = ["OOM", "READONLY", "MISCONF", "NOREPLICAS"];

/// What happened within the last minute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Troubles {
    /// Keys evicted.
    pub evicted: Lately,
    /// Connections refused.
    pub rejected: Lately,
    /// Writes refused, as [`REFUSALS`] lists them.
    refused: [Lately; REFUSALS.len()],
}

impl Troubles {
    /// The replies that were given within the last minute, by their first word.
    pub fn refused(&self) -> impl Iterator<Item = (&'static str, &Lately)> {
        REFUSALS.into_iter().zip(&self.refused).filter(|(_, lately)| lately.since().is_some())
    }

    /// Takes in what two readings of one run of the server counted between them.
    pub(super) fn count(&mut self, old: &RedisServer, new: &RedisServer, elapsed: Duration, now: Now) {
        let grown = |before: Option<f64>, after: Option<f64>| increase(before?, after?);
        self.evicted.add(grown(old.evicted_total, new.evicted_total), elapsed, now);
        self.rejected.add(grown(old.rejected_total, new.rejected_total), elapsed, now);
        for (word, lately) in REFUSALS.into_iter().zip(&mut self.refused) {
            // A word that was never said is not listed.
            let total = |server: &RedisServer| server.errors_total.get(word).copied().unwrap_or(0.0);
            lately.add(increase(total(old), total(new)), elapsed, now);
        }
    }
}
