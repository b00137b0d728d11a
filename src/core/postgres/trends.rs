//! What of a server grows towards a limit, and when it gets there. Pure.

use super::reading::PostgresReading;
use crate::core::forecast::Trend;
use crate::core::part::Part;
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// What grows towards a limit, with its past.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trends {
    connections: Trend,
    oldest_id: Trend,
    unread: BTreeMap<String, Trend>,
}

/// Transaction ids are refused three million before the end (one million before PostgreSQL 14).
const LAST_ID: f64 = 2_147_483_648.0 - 3_000_000.0;

impl Trends {
    pub(super) fn absorb(&mut self, reading: &PostgresReading, now: Now) {
        if let Part::Ready(slots) = &reading.slots {
            self.connections.push(now, slots.used as f64);
        }
        if let Some(age) = oldest_id(reading) {
            self.oldest_id.push(now, age);
        }
        let slots = reading.replication_slots.ready().map(Vec::as_slice).unwrap_or_default();
        self.unread.retain(|name, _| slots.iter().any(|slot| slot.name == *name && !slot.active));
        for slot in slots.iter().filter(|slot| !slot.active) {
            if let Some(kept) = slot.retained_bytes {
                self.unread.entry(slot.name.clone()).or_default().push(now, kept);
            }
        }
    }

    /// What comes to its end if it goes on like this, and when; the soonest first.
    #[must_use]
    pub fn ends(&self, reading: &PostgresReading) -> Vec<(String, Duration)> {
        let mut ends = Vec::new();
        let slots = reading.slots.ready();
        if let Some(left) = slots.and_then(|slots| self.connections.until(slots.usable() as f64)) {
            ends.push(("no connection slot is left".to_owned(), left));
        }
        ends.extend(
            self.oldest_id.until(LAST_ID).map(|left| ("transaction ids are refused".to_owned(), left)),
        );
        for slot in reading.replication_slots.ready().into_iter().flatten() {
            let end = slot.retained_bytes.zip(slot.safe_bytes).map(|(kept, safe)| kept + safe);
            let left = end.and_then(|end| self.unread.get(&slot.name)?.until(end));
            ends.extend(left.map(|left| (format!("replication slot {} is lost", slot.name), left)));
        }
        ends.sort_by_key(|(_, left)| *left);
        ends
    }
}

fn oldest_id(reading: &PostgresReading) -> Option<f64> {
    let databases = reading.databases.ready()?;
    databases.iter().filter_map(|db| db.xid_age).max().map(|age| age as f64)
}
