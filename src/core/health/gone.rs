//! What a document told of and tells of no more. It is unknown from then on, and said to be: what is left out is the way in which a
//! health endpoint looks well while nobody watches.

use crate::core::time::Now;
use std::collections::BTreeMap;

/// So many names are followed: a document that makes up new ones each time is no reason to keep them all.
const MOST: usize = 300;

/// What was there, by its name, and since when it is not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Gone(BTreeMap<String, Option<Now>>);

impl Gone {
    /// Takes in the names of a document. While the whole of it is down it may well say less: nothing is missed anew then.
    pub(super) fn look(&mut self, names: impl Iterator<Item = String>, is_down: bool, now: Now) {
        let mut left: Vec<String> = self.0.keys().cloned().collect();
        for name in names {
            left.retain(|known| *known != name);
            if self.0.len() < MOST || self.0.contains_key(&name) {
                self.0.insert(name, None);
            }
        }
        for name in left.into_iter().filter(|_| !is_down) {
            if let Some(since) = self.0.get_mut(&name) {
                *since = since.or(Some(now));
            }
        }
    }

    /// What is gone, since when.
    pub(super) fn since(&self) -> impl Iterator<Item = (&str, Now)> {
        self.0.iter().filter_map(|(name, since)| Some((name.as_str(), (*since)?)))
    }

    /// Everything that was ever there.
    pub(super) fn ever(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
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

    #[test]
    fn names_that_are_made_up_each_time_are_not_all_kept() {
        let mut gone = Gone::default();
        for second in 0..1000 {
            gone.look(names(&format!("n{second}")), false, Now::example(second));
        }
        assert_eq!(gone.ever().count(), MOST);
    }
}
