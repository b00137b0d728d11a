//! Finds queues: by name from the configuration, else by a throttled SCAN for their `meta` and `id` keys. Never `KEYS`.

use super::connection::Connection;
use super::decode;
use crate::config::target::RedisConnect;
use crate::core::part::{Gap, GapKind};
use crate::core::redis::QueueRef;
use crate::core::text::counted;
use crate::core::time::Now;
use redis::{Value, cmd};
use std::collections::BTreeSet;
use std::time::Duration;

/// Calls of SCAN within one poll; with [`SCAN_COUNT`] keys each, a poll never holds the server for long.
const CALLS_PER_POLL: usize = 20;
/// Keys that one call looks at: measured as the best trade between calls and the length of one.
const SCAN_COUNT: usize = 1000;
/// A complete scan is repeated after this long…
const AGAIN_AFTER: Duration = Duration::from_secs(120);
/// …and sooner if one poll had enough of it: a new queue that no worker waits for is only found so.
const SOON: Duration = Duration::from_secs(15);
/// More queues than this are not read: their turns would come too seldom.
pub(super) const MAX_QUEUES: usize = 5000;

/// The suffixes that give a queue away: BullMQ writes both, Bull the second.
const SUFFIXES: [&str; 2] = [":meta", ":id"];

/// What is known of the queues of one server.
#[derive(Debug)]
pub(super) struct Discovery {
    named: Vec<QueueRef>,
    prefixes: Vec<String>,
    found: BTreeSet<QueueRef>,
    /// Which (prefix, suffix, server) is being scanned, and where the scan stands.
    phase: usize,
    cursor: u64,
    running: bool,
    finished: Option<Now>,
    /// The last scan was one poll's work.
    brief: bool,
    gap: Option<Gap>,
}

impl Discovery {
    pub(super) fn new(connect: &RedisConnect) -> Self {
        let prefix = connect.prefixes.first().cloned().unwrap_or_else(|| "bull".to_owned());
        let named = connect
            .queues
            .iter()
            .map(|name| QueueRef { prefix: prefix.clone(), name: name.clone() })
            .collect();
        Self {
            named,
            prefixes: connect.prefixes.clone(),
            found: BTreeSet::new(),
            phase: 0,
            cursor: 0,
            running: true,
            finished: None,
            brief: false,
            gap: None,
        }
    }

    pub(super) fn queues(&self) -> Vec<QueueRef> {
        if self.named.is_empty() {
            self.found.iter().take(MAX_QUEUES).cloned().collect()
        } else {
            self.named.clone()
        }
    }

    /// How many of them are on servers that are not there.
    pub(super) fn hidden(&self, connection: &Connection) -> usize {
        self.queues().iter().filter(|queue| !connection.serves(&queue.key("meta"))).count()
    }

    pub(super) const fn gap(&self) -> Option<&Gap> {
        self.gap.as_ref()
    }

    /// Queues that were seen elsewhere: whoever waits for a queue's jobs names it at once.
    pub(super) fn add(&mut self, seen: Vec<QueueRef>) {
        self.found.extend(seen);
    }

    /// Why there may be queues beside those that are read.
    pub(super) fn unseen(&self) -> Option<Gap> {
        let found = self.found.len();
        if !self.named.is_empty() {
            return None;
        }
        if found > MAX_QUEUES {
            let note = format!(
                "{} of {found} queues are not read (at most {MAX_QUEUES} are; name yours in the configuration)",
                found - MAX_QUEUES
            );
            return Some(Gap::new(GapKind::Failed, note));
        }
        let note = "queues are still being looked for";
        self.finished.is_none().then(|| Gap::new(GapKind::TimedOut, note))
    }

    /// Keys that looked like a queue and are none.
    pub(super) fn forget(&mut self, not_queues: &[QueueRef]) {
        for queue in not_queues {
            self.found.remove(queue);
        }
    }

    /// How it stands, for people.
    pub(super) fn words(&self) -> String {
        let found = self.found.len();
        if !self.named.is_empty() {
            "named in the configuration".to_owned()
        } else if found > MAX_QUEUES {
            format!("{found} queues found; the first {MAX_QUEUES} are read: name yours in the configuration")
        } else if self.finished.is_none() {
            format!("looking for queues ({found} found so far)")
        } else {
            format!("{} found below {}", counted(found, "queue"), self.prefixes.join(", "))
        }
    }

    /// Goes on looking, a little.
    pub(super) async fn step(&mut self, connection: &mut Connection, now: Now) {
        if !self.named.is_empty() {
            return;
        }
        if !self.running {
            let again = if self.brief { SOON } else { AGAIN_AFTER };
            if self.finished.is_some_and(|at| now.since(at) < again) {
                return;
            }
            (self.phase, self.cursor, self.running) = (0, 0, true);
        }
        let servers = connection.servers();
        let from_the_start = (self.phase, self.cursor) == (0, 0);
        for _ in 0..CALLS_PER_POLL {
            let Some((prefix, suffix)) = self.phase_words(servers) else {
                (self.running, self.brief) = (false, from_the_start);
                self.finished = Some(now);
                return;
            };
            let mut scan = cmd("SCAN");
            let pattern = format!("{}:*{suffix}", escaped(&prefix));
            scan.arg(self.cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCAN_COUNT);
            let mut server = connection.at(self.phase % servers);
            let answer: Result<Value, _> = scan.query_async(&mut server).await;
            match answer {
                Ok(value) => {
                    self.gap = None;
                    self.take(&value, &prefix, suffix);
                }
                Err(error) => {
                    self.gap = Some(Gap::new(
                        GapKind::NotPermitted,
                        format!(
                            "queues cannot be found ({error}); permit +scan, or name them in the configuration"
                        ),
                    ));
                    return;
                }
            }
        }
    }

    fn phase_words(&self, servers: usize) -> Option<(String, &'static str)> {
        let pair = self.phase / servers;
        let prefix = self.prefixes.get(pair / SUFFIXES.len())?;
        Some((prefix.clone(), SUFFIXES[pair % SUFFIXES.len()]))
    }

    fn take(&mut self, value: &Value, prefix: &str, suffix: &str) {
        let items = decode::list(value);
        self.cursor = items.first().and_then(decode::text).and_then(|text| text.parse().ok()).unwrap_or(0);
        for key in items.get(1).map(decode::list).unwrap_or_default() {
            let name = decode::text(key).and_then(|key| queue_name(&key, prefix, suffix));
            self.found.extend(name.map(|name| QueueRef { prefix: prefix.to_owned(), name }));
        }
        if self.cursor == 0 {
            self.phase += 1;
        }
    }
}

/// The queue's name in `prefix:name:suffix`; the name itself may hold colons.
fn queue_name(key: &str, prefix: &str, suffix: &str) -> Option<String> {
    let name = key.strip_prefix(prefix)?.strip_prefix(':')?.strip_suffix(suffix)?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// A literal in a glob pattern.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| if "*?[]\\^".contains(c) { vec!['\\', c] } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_the_end() {
        assert_eq!(queue_name("bull:emails:meta", "bull", ":meta"), Some("emails".into()));
        assert_eq!(queue_name("{bull}:a:b:id", "{bull}", ":id"), Some("a:b".into()));
        assert_eq!(queue_name("a:b:{q}:meta", "a:b", ":meta"), Some("{q}".into()));
        assert_eq!(queue_name("bull:meta", "bull", ":meta"), None);
        assert_eq!(escaped("a*[b]"), r"a\*\[b\]");
    }
}
