//! What happened to a Redis server: it began anew, changed sides, was emptied, or was held by one command. Pure.

use super::{Background, RedisReading, SlowEntry};
use crate::core::rate::increase;
use crate::core::time::Now;
use std::time::Duration;

/// A command that took less than this is not kept.
const SLOW: Duration = Duration::from_millis(200);
/// The clocks of two machines, and the answer itself, take a little.
const SLACK: Duration = Duration::from_secs(3);
/// So long a slow command is told, and so many are kept.
const TOLD: Duration = Duration::from_secs(300);
const MOST: usize = 32;

/// What broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setback {
    /// The server was started again.
    Restarted,
    /// Another server answers here: a failover behind one name, or another one of several.
    Another,
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
    /// When a server was seen last, and since when it is this one.
    seen: Option<Now>,
    since: Option<Now>,
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
            // It was up already when the one before was seen.
            let since = self.seen.map_or(Duration::ZERO, |seen| now.since(seen));
            let another = reading.server.uptime.is_some_and(|up| up > since + SLACK);
            self.setback = Some((now, if another { Setback::Another } else { Setback::Restarted }));
        }
        let other = changed(&self.run, run);
        if other {
            (self.flushes, self.slow) = (None, Vec::new());
            self.since = Some(now);
        }
        self.run.clone_from(run);
        self.role.clone_from(role);
        self.seen = Some(now);
        // What was read of the one before counts nothing of this one.
        if let Some(background) = reading
            .background
            .as_ref()
            .filter(|known| self.since.is_none_or(|since| known.read_at.reached(since)))
        {
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

    #[test]
    fn another_server_behind_the_same_name_was_neither_restarted_nor_emptied() {
        let mut turned = Turned::default();
        let look = |second: u64, run: &str, up: u64, read: u64, flushes: f64, turned: &mut Turned| {
            let mut reading = reading(read, run, "master", flushes, &[]);
            reading.server.uptime = Some(Duration::from_secs(up));
            turned.absorb(&reading, Now::example(second));
            (turned.setback.map(|(_, what)| what), turned.flushed.is_some())
        };
        assert_eq!(look(10, "a", 900, 10, 3.0, &mut turned), (None, false));
        // What was read of the first one is still known.
        assert_eq!(look(12, "b", 4_000_000, 10, 3.0, &mut turned), (Some(Setback::Another), false));
        // Nightly flushes of the second one.
        assert_eq!(look(20, "b", 4_000_008, 20, 400.0, &mut turned), (Some(Setback::Another), false));
        assert_eq!(look(30, "b", 4_000_018, 30, 401.0, &mut turned), (Some(Setback::Another), true));
        assert_eq!(look(40, "c", 3, 40, 0.0, &mut turned), (Some(Setback::Restarted), true));
    }
}
