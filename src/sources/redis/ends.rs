//! Completions of queues that keep no completed job, counted in their event streams: without that, a busy queue looks as if it did nothing.

use super::connection::Connection;
use super::decode::{list, text};
use crate::core::redis::{DoneBy, QueueReading, QueueRef};
use redis::{RedisError, Value, pipe};
use std::collections::{HashMap, VecDeque};

/// Events read of one queue in one poll; a queue with more is counted at least.
const MOST: usize = 2000;
/// Completions count for a minute.
const MINUTE: i64 = 60_000;

/// How far the stream of one queue was read, and when its jobs of the last minute were completed.
#[derive(Debug, Default)]
struct Seen {
    next: String,
    ends: VecDeque<i64>,
    /// Until then something was passed over.
    lost_until: i64,
}

/// What is known of the streams of one server.
#[derive(Debug, Default)]
pub(super) struct Ends {
    seen: HashMap<QueueRef, Seen>,
}

impl Ends {
    /// Counts for every queue that keeps none; the others are told by the set of their completed jobs.
    pub(super) async fn count(
        &mut self,
        connection: &mut Connection,
        readings: &mut [QueueReading],
        now: i64,
    ) -> Result<(), RedisError> {
        let wanted = |queue: &QueueReading| {
            // A kept completion of any age would be in the set; Bull has no stream.
            queue.completed == 0 && queue.evidence.family.generation() != 0
        };
        let asked: Vec<usize> = (0..readings.len()).filter(|at| wanted(&readings[*at])).collect();
        self.seen.retain(|queue, _| asked.iter().any(|at| readings[*at].queue == *queue));
        if asked.is_empty() {
            return Ok(());
        }
        let mut ask = pipe();
        ask.ignore_errors();
        for at in &asked {
            let queue = &readings[*at].queue;
            let seen = self
                .seen
                .entry(queue.clone())
                .or_insert_with(|| Seen { next: format!("{}-0", now - MINUTE), ..Seen::default() });
            ask.cmd("XRANGE").arg(queue.key("events")).arg(&seen.next).arg("+").arg("COUNT").arg(MOST);
        }
        let values: Vec<Value> = ask.query_async(connection).await?;
        for (at, value) in asked.into_iter().zip(values) {
            let Some(seen) = self.seen.get_mut(&readings[at].queue) else { continue };
            seen.take(&value, now);
            readings[at].completed_last_minute = seen.ends.len() as u64;
            readings[at].done_by = if seen.lost_until > now { DoneBy::AtLeast } else { DoneBy::Events };
        }
        Ok(())
    }
}

impl Seen {
    fn take(&mut self, value: &Value, now: i64) {
        let entries = list(value);
        for entry in entries {
            let parts = list(entry);
            let Some(id) = parts.first().and_then(text) else { continue };
            let Some((ms, sequence)) = id.split_once('-') else { continue };
            let (Ok(ms), Ok(sequence)) = (ms.parse::<i64>(), sequence.parse::<u64>()) else { continue };
            self.next = format!("{ms}-{}", sequence + 1);
            let fields: Vec<String> =
                parts.get(1).map(list).unwrap_or_default().iter().take(2).filter_map(text).collect();
            if fields == ["event", "completed"] {
                self.ends.push_back(ms);
            }
        }
        if entries.len() >= MOST {
            // More than one poll should carry: the rest is passed over, and said.
            self.next = format!("{now}-0");
            self.lost_until = now + MINUTE;
        }
        while self.ends.front().is_some_and(|ms| *ms < now - MINUTE) {
            self.ends.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, event: &str) -> Value {
        let bulk = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        Value::Array(vec![bulk(id), Value::Array(vec![bulk("event"), bulk(event), bulk("jobId"), bulk("7")])])
    }

    #[test]
    fn completions_of_the_last_minute_and_where_to_go_on() {
        let mut seen = Seen::default();
        seen.take(
            &Value::Array(vec![
                entry("10000-0", "completed"),
                entry("20000-3", "active"),
                entry("65000-0", "completed"),
            ]),
            66_000,
        );
        assert_eq!((seen.ends.len(), seen.next.as_str(), seen.lost_until), (2, "65000-1", 0));
        seen.take(&Value::Nil, 80_000);
        assert_eq!((seen.ends.len(), seen.next.as_str()), (1, "65000-1"));
        let many: Vec<Value> = (0..MOST).map(|n| entry(&format!("90000-{n}"), "completed")).collect();
        seen.take(&Value::Array(many), 90_500);
        assert_eq!((seen.next.as_str(), seen.lost_until), ("90500-0", 150_500));
    }
}
