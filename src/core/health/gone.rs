//! What a document told of and tells of no more. It is unknown from then on, and said to be: what is left out is the way in which a
//! health endpoint looks well while nobody watches.

use crate::core::time::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many names are followed: a document that makes up new ones each time is no reason to keep them all.
const MOST: usize = 300;

/// What is gone is missed for as long as it was there, at least and at most for so long: then it is nothing of this application any more.
const MISSED_LEAST: Duration = Duration::from_secs(300);
const MISSED_MOST: Duration = Duration::from_secs(3600);

/// One name.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Followed {
    first: Now,
    last: Now,
    /// Whether other documents came before the first that told of it.
    later: bool,
    /// Since when it is gone.
    since: Option<Now>,
}

impl Followed {
    /// Whether it is missed by now. What came later, and only once, is of a list whose names change.
    fn is_missed(&self, now: Now) -> bool {
        let lived = self.last.since(self.first);
        let gone = self.since.map_or(Duration::ZERO, |since| now.since(since));
        !(self.later && lived.is_zero()) && gone < lived.clamp(MISSED_LEAST, MISSED_MOST)
    }
}

/// What was there, by its name, and since when it is not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Gone {
    all: BTreeMap<String, Followed>,
    /// A document was seen.
    begun: bool,
}

impl Gone {
    /// Takes in the names of a document. While the whole of it is down it may well say less: nothing is missed anew then.
    pub(super) fn look(&mut self, names: impl Iterator<Item = String>, is_down: bool, now: Now) {
        let mut left: Vec<String> = self.all.keys().cloned().collect();
        let later = std::mem::replace(&mut self.begun, true);
        for name in names {
            left.retain(|known| *known != name);
            if let Some(known) = self.all.get_mut(&name) {
                (known.last, known.since) = (now, None);
            } else if self.all.len() < MOST {
                self.all.insert(name, Followed { first: now, last: now, later, since: None });
            }
        }
        for name in left.into_iter().filter(|_| !is_down) {
            if let Some(known) = self.all.get_mut(&name) {
                known.since = known.since.or(Some(now));
                if !known.is_missed(now) {
                    self.all.remove(&name);
                }
            }
        }
    }

    /// What is gone, since when.
    pub(super) fn since(&self) -> impl Iterator<Item = (&str, Now)> {
        self.all.iter().filter_map(|(name, known)| Some((name.as_str(), known.since?)))
    }

    /// Everything that is there, or is missed.
    pub(super) fn ever(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> impl Iterator<Item = String> {
        text.split(' ').filter(|name| !name.is_empty()).map(str::to_owned)
    }

    #[test]
    fn what_was_there_is_missed_until_it_is_back() {
        let mut gone = Gone::default();
        let mut seen = Vec::new();
        for (second, told, down) in
            [(0, "a b", false), (1, "a", true), (2, "a", false), (3, "", false), (4, "a b", false)]
        {
            gone.look(names(told), down, Now::example(second));
            seen.push(gone.since().map(|(name, since)| (name.to_owned(), since)).collect::<Vec<_>>());
        }
        let at = |name: &str, second| (name.to_owned(), Now::example(second));
        assert_eq!(seen, [vec![], vec![], vec![at("b", 2)], vec![at("a", 3), at("b", 2)], vec![]]);
        assert_eq!(gone.ever().collect::<Vec<_>>(), ["a", "b"]);
    }

    /// What is missed at a second, of `names` that were told from `from` to `to`, each ten seconds.
    fn missed(told: &[(&str, u64, u64)], at: u64) -> Vec<String> {
        let mut gone = Gone::default();
        for second in (0..=at).step_by(10) {
            let there = told.iter().filter(|(_, from, to)| (*from..=*to).contains(&second));
            gone.look(there.map(|(name, ..)| (*name).to_owned()), false, Now::example(second));
        }
        gone.since().map(|(name, _)| name.to_owned()).collect()
    }

    #[test]
    fn what_is_gone_for_long_is_missed_no_more() {
        let hours = 36_000;
        let shop = [("all", 0, 90_000), ("long", 0, hours), ("short", 0, 100)];
        assert_eq!(missed(&shop, 110), ["short"]);
        assert_eq!(missed(&shop, 390), ["short"]);
        assert_eq!(missed(&shop, 420), [""; 0]);
        assert_eq!(missed(&shop, hours + 3600), ["long"]);
        assert_eq!(missed(&shop, hours + 3620), [""; 0]);
    }

    #[test]
    fn names_that_are_made_up_each_time_are_neither_missed_nor_kept() {
        let mut gone = Gone::default();
        gone.look(names("first"), false, Now::example(0));
        for second in 1..1000 {
            gone.look(names(&format!("first n{second}")), false, Now::example(second));
            assert_eq!(gone.since().count(), 0);
        }
        assert_eq!(gone.ever().count(), 2);
        for second in [1000, 1001] {
            gone.look((0..1000).map(|number| format!("m{number}")), false, Now::example(second));
        }
        assert_eq!(gone.ever().count(), MOST);
    }
}
