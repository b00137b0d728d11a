//! What happened to a Redis server: it began anew, changed sides, was emptied, or was held by one command. Pure.

use super::{Background, RedisReading, SlowEntry};
use crate::core::rate::increase;
use crate::core::time::Now;
use std::time::Duration;

/// A command that took less than this is not kept.
const SLOW: Duration = Duration::from_millis(200);
/// So long a slow command is told, and so many are kept.
const TOLD: Duration = Duration::from_secs(300);
const MOST: usize = 32;

/// What broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setback {
    /// Another process answers.
    Restarted,
    /// A primary became a replica.
    Replica,
    /// A replica became a primary.
    Primary,
}

/// What happened, and when it was noticed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turned {
    /// The last break.
    pub setback: Option<(Now, Setback)>,
    /// When all keys of a database were thrown away last.
    pub flushed: Option<Now>,
    run: String,
    role: String,
    flushes: Option<f64>,
    /// Slow commands and when they ended.
    slow: Vec<(Now, SlowEntry)>,
}

impl Turned {
    /// The longest command that ended within the last five minutes, and when it ended.
    #[must_use]
    pub fn slowest(&self, now: Now) -> Option<(Now, &SlowEntry)> {
        let lately = self.slow.iter().filter(|(at, _)| now.since(*at) < TOLD);
        lately.max_by_key(|(_, slow)| slow.took).map(|(at, slow)| (*at, slow))
    }

    pub(super) fn absorb(&mut self, reading: &RedisReading, now: Now) {
        // Each primary of a cluster has a run of its own; one that is held tells nothing.
        if reading.cluster.is_some() || reading.busy || reading.untold.is_some() {
            return;
        }
        let changed = |before: &str, after: &str| !before.is_empty() && !after.is_empty() && before != after;
        let (run, role) = (&reading.server.run_id, &reading.server.role);
        if changed(&self.role, role) {
            let sides = if role == "slave" { Setback::Replica } else { Setback::Primary };
            self.setback = Some((now, sides));
        } else if changed(&self.run, run) {
            self.setback = Some((now, Setback::Restarted));
        }
        if changed(&self.run, run) {
            (self.flushes, self.slow) = (None, Vec::new());
        }
        self.run.clone_from(run);
        self.role.clone_from(role);
        if let Some(background) = &reading.background {
            self.look(background, background.read_at);
        }
    }

    fn look(&mut self, background: &Background, at: Now) {
        let grown = self.flushes.zip(background.flushes_total).and_then(|(old, new)| increase(old, new));
        if grown.is_some_and(|times| times > 0.0) {
            self.flushed = Some(at);
        }
        self.flushes = background.flushes_total.or(self.flushes);
        for entry in background.slow.ready().into_iter().flatten().filter(|entry| entry.took >= SLOW) {
            if self.slow.iter().all(|(_, known)| known.id != entry.id) {
                self.slow.push((at.minus(entry.age), entry.clone()));
            }
        }
        self.slow.retain(|(ended, _)| at.since(*ended) < TOLD);
        if self.slow.len() > MOST {
            self.slow.sort_by_key(|(_, slow)| std::cmp::Reverse(slow.took));
            self.slow.truncate(MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::{Part, Warm};
    use crate::core::redis::RedisServer;

    fn reading(second: u64, run: &str, role: &str, flushes: f64, slow: &[(i64, u64)]) -> RedisReading {
        let entry = |(id, millis): &(i64, u64)| SlowEntry {
            id: *id,
            age: Duration::from_secs(2),
            took: Duration::from_millis(*millis),
            command: "KEYS *".to_owned(),
            client: String::new(),
        };
        let slow = Part::Ready(slow.iter().map(entry).collect());
        let background = Background { flushes_total: Some(flushes), slow };
        RedisReading {
            server: RedisServer { run_id: run.to_owned(), role: role.to_owned(), ..RedisServer::default() },
            background: Some(Warm::new(Now::example(second), background)),
            ..RedisReading::default()
        }
    }

    #[test]
    fn what_was_so_at_the_first_look_did_not_happen() {
        let mut turned = Turned::default();
        let mut look = |second: u64, run: &str, role: &str, flushes: f64, slow: &[(i64, u64)]| {
            turned.absorb(&reading(second, run, role, flushes, slow), Now::example(second));
            let at = |now: Now| now.since(Now::example(0)).as_secs();
            let slowest = turned.slowest(Now::example(second)).map(|(now, slow)| (at(now), slow.id));
            (turned.setback.map(|(now, what)| (at(now), what)), turned.flushed.map(at), slowest)
        };
        assert_eq!(look(10, "a", "master", 7.0, &[]), (None, None, None));
        assert_eq!(look(20, "a", "master", 8.0, &[(1, 100)]), (None, Some(20), None));
        assert_eq!(look(30, "a", "master", 8.0, &[(1, 100), (2, 900)]), (None, Some(20), Some((28, 2))));
        assert_eq!(look(40, "a", "master", 8.0, &[(2, 900), (3, 400)]), (None, Some(20), Some((28, 2))));
        let replica = Some((50, Setback::Replica));
        assert_eq!(look(50, "a", "slave", 8.0, &[]), (replica, Some(20), Some((28, 2))));
        let restarted = Some((60, Setback::Restarted));
        assert_eq!(look(60, "b", "slave", 0.0, &[]), (restarted, Some(20), None));
        assert_eq!(look(70, "b", "slave", 1.0, &[]), (restarted, Some(70), None));
    }
}
