//! What was there and is gone, and what comes and goes: copies that streamed, subscriptions whose worker dies again and again. Pure.

use super::copies::{Sender, Subscription};
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// A copy is one that streamed for so long: what only fetches something is not missed.
const STEADY: Duration = Duration::from_secs(10);
/// A copy that has been gone for so long is not expected any more.
const FORGET: Duration = Duration::from_secs(6 * 3600);
/// A subscription works again after so long without a sign of trouble: its worker is started anew every five seconds.
const CALM: Duration = Duration::from_secs(15);

/// How many copies of one name and address stream.
#[derive(Clone, Debug, PartialEq)]
struct Streams {
    now: usize,
    changed: Now,
    steady: usize,
}

/// What is known of copies and subscriptions over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Departed {
    copies: BTreeMap<(String, String), Streams>,
    troubled: BTreeMap<(String, String), (Now, Now)>,
    errors: BTreeMap<(String, String), f64>,
}

impl Departed {
    /// Takes in who streams now.
    pub(super) fn senders(&mut self, senders: &[Sender], now: Now) {
        let key = |sender: &Sender| (sender.name.clone(), sender.client.clone());
        let streams = |sender: &&Sender| sender.state == "streaming" && lasts(&sender.name);
        for sender in senders.iter().filter(streams) {
            self.copies.entry(key(sender)).or_insert(Streams { now: 0, changed: now, steady: 0 });
        }
        for (known, copy) in &mut self.copies {
            let count = senders.iter().filter(streams).filter(|sender| key(sender) == *known).count();
            if count != copy.now {
                (copy.now, copy.changed) = (count, now);
            }
            let since = now.since(copy.changed);
            if count > copy.steady && since >= STEADY || count < copy.steady && since >= FORGET {
                copy.steady = count;
            }
        }
        self.copies.retain(|_, copy| copy.now + copy.steady > 0);
    }

    /// Copies that streamed and do not: name, address, since when.
    pub fn gone(&self) -> impl Iterator<Item = (&str, &str, Now)> {
        let gone = self.copies.iter().filter(|(_, copy)| copy.now < copy.steady);
        gone.map(|((name, client), copy)| (name.as_str(), client.as_str(), copy.changed))
    }

    /// Takes in how subscriptions do. A worker that dies of an error lives for a moment each time, so one look says little.
    pub(super) fn subscriptions(&mut self, all: &[Subscription], now: Now) {
        let key = |one: &Subscription| (one.database.clone(), one.name.clone());
        self.troubled.retain(|known, _| all.iter().any(|one| key(one) == *known && one.enabled));
        self.errors.retain(|known, _| all.iter().any(|one| key(one) == *known));
        for one in all.iter().filter(|one| one.enabled) {
            let before = one.errors.and_then(|errors| self.errors.insert(key(one), errors));
            let fails = before.zip(one.errors).is_some_and(|(before, errors)| errors > before);
            if !one.works || fails {
                self.troubled.entry(key(one)).or_insert((now, now)).1 = now;
            }
        }
        self.troubled.retain(|_, (_, newest)| now.since(*newest) < CALM);
    }

    /// Since when the subscription is in trouble.
    #[must_use]
    pub fn trouble(&self, one: &Subscription) -> Option<Now> {
        self.troubled.get(&(one.database.clone(), one.name.clone())).map(|(since, _)| *since)
    }
}

/// Not the workers that copy a table once, nor a backup.
fn lasts(name: &str) -> bool {
    let copies_a_table = name.starts_with("pg_") && name.contains("_sync_");
    !copies_a_table && !name.starts_with("pg_basebackup")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(name: &str) -> Sender {
        Sender { name: name.to_owned(), state: "streaming".to_owned(), ..Sender::default() }
    }

    #[test]
    fn a_copy_that_streamed_is_missed_until_it_is_back() {
        let mut past = Departed::default();
        let mut at = |second: u64, names: &[&str]| {
            let senders: Vec<Sender> = names.iter().map(|name| sender(name)).collect();
            past.senders(&senders, Now::example(second));
            past.gone().map(|(name, _, since)| (name.to_owned(), since)).collect::<Vec<_>>()
        };
        let missed = |name: &str, second| vec![(name.to_owned(), Now::example(second))];
        assert_eq!(at(0, &["a", "b"]), []);
        assert_eq!(at(4, &["a", "b", "short", "pg_basebackup"]), []);
        assert_eq!(at(12, &["a", "b", "pg_basebackup"]), []);
        assert_eq!(at(14, &["a", "pg_basebackup"]), missed("b", 14));
        assert_eq!(at(200, &["a"]), missed("b", 14), "it is still gone, and the backup is over");
        assert_eq!(at(202, &["a", "b"]), []);
        // Two of one name, and one of them leaves.
        assert_eq!(at(204, &["a", "b", "b"]), []);
        assert_eq!(at(220, &["a", "b", "b"]), []);
        assert_eq!(at(222, &["a", "b"]), missed("b", 222));
        assert_eq!(at(222 + 6 * 3600, &["a", "b"]), []);
    }

    #[test]
    fn a_worker_that_dies_again_and_again_does_not_work_in_between() {
        let mut past = Departed::default();
        let mut at = |second: u64, works: bool, errors: f64| {
            let one = Subscription { enabled: true, works, errors: Some(errors), ..Subscription::default() };
            past.subscriptions(std::slice::from_ref(&one), Now::example(second));
            past.trouble(&one)
        };
        assert_eq!(at(0, true, 7.0), None, "old errors");
        assert_eq!(at(5, true, 8.0), Some(Now::example(5)));
        assert_eq!(at(10, false, 8.0), Some(Now::example(5)));
        assert_eq!(at(15, true, 8.0), Some(Now::example(5)));
        assert_eq!(at(20, true, 9.0), Some(Now::example(5)));
        assert_eq!(at(30, true, 9.0), Some(Now::example(5)));
        assert_eq!(at(35, true, 9.0), None);
    }
}
