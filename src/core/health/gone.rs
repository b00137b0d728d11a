//! What a document told of and tells of no more. It is unknown from then on, and said to be: what is left out is the way in which a
//! health endpoint looks well while nobody watches. What has come and gone before is told to do so.

use crate::core::text::counted;
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many names are followed: a document that makes up new ones each time is no reason to keep them all.
const MOST: usize = 300;

/// What is gone is missed for as long as it was there, at least and at most for so long: then it is nothing of this application any more.
const MISSED_LEAST: Duration = Duration::from_secs(300);
const MISSED_MOST: Duration = Duration::from_secs(3600);
/// What was gone so often and came back is only sometimes there: a new version may take it away and bring it back once.
const SOMETIMES: u32 = 2;
/// What was there for so long without a gap is no longer one of those.
const HABIT: Duration = Duration::from_secs(24 * 3600);

/// One name.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Followed {
    first: Now,
    last: Now,
    /// Whether other documents came before the first that told of it.
    later: bool,
    /// Since when it is gone.
    since: Option<Now>,
    /// It is gone for so long that nobody misses it.
    given_up: bool,
    /// How often it was gone and came back, and when last.
    back: u32,
    again: Now,
}

impl Followed {
    /// Whether it is missed by now. What came later, and only once, is of a list whose names change.
    fn is_missed(&self, now: Now) -> bool {
        let gone = self.since.map_or(Duration::ZERO, |since| now.since(since));
        !self.is_of_a_list() && gone < self.lived().clamp(MISSED_LEAST, MISSED_MOST)
    }

    const fn lived(&self) -> Duration {
        self.last.since(self.first)
    }

    fn is_of_a_list(&self) -> bool {
        self.later && self.lived().is_zero()
    }
}

/// What is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absent<'a> {
    /// What it is.
    pub name: &'a str,
    /// Since when.
    pub since: Now,
    /// How often it was gone before, and came back.
    pub back: u32,
}

impl Absent<'_> {
    /// Whether it is only sometimes there.
    #[must_use]
    pub const fn is_sometimes(&self) -> bool {
        self.back >= SOMETIMES
    }

    /// That it is, in words.
    #[must_use]
    pub fn habit(&self) -> Option<String> {
        let times = || counted(self.back, "time");
        self.is_sometimes().then(|| format!("it is only sometimes there (gone {} before)", times()))
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
                if known.since.is_some() {
                    (known.back, known.again) = (known.back + 1, now);
                } else if now.since(known.again) >= HABIT {
                    known.back = 0;
                }
                (known.last, known.since, known.given_up) = (now, None, false);
            } else if self.has_room() {
                let followed = Followed {
                    first: now,
                    last: now,
                    later,
                    since: None,
                    given_up: false,
                    back: 0,
                    again: now,
                };
                self.all.insert(name, followed);
            }
        }
        for name in left {
            let Some(known) = self.all.get_mut(&name) else { continue };
            if !is_down {
                known.since = known.since.or(Some(now));
            }
            known.given_up |= known.since.is_some() && !known.is_missed(now);
            if known.given_up && known.is_of_a_list() {
                self.all.remove(&name);
            }
        }
    }

    /// Whether one more is followed: what is given up for the longest makes room.
    fn has_room(&mut self) -> bool {
        if self.all.len() < MOST {
            return true;
        }
        let given_up = self.all.iter().filter(|(_, known)| known.given_up);
        let oldest = given_up.min_by_key(|(_, known)| known.last.mono).map(|(name, _)| name.clone());
        oldest.is_some_and(|name| self.all.remove(&name).is_some())
    }

    /// What is gone and missed.
    pub(super) fn missing(&self) -> impl Iterator<Item = Absent<'_>> {
        self.ever().filter(|one| self.all.get(one.name).is_some_and(|known| known.since.is_some()))
    }

    /// Everything that is there or is missed, as if all of it were gone since it was told last.
    pub(super) fn ever(&self) -> impl Iterator<Item = Absent<'_>> {
        let missed = self.all.iter().filter(|(_, known)| !known.given_up);
        missed.map(|(name, known)| Absent {
            name,
            since: known.since.unwrap_or(known.last),
            back: known.back,
        })
    }

    /// How one is missing, for however long; nothing where it is there, or never was.
    pub(super) fn of(&self, name: &str) -> Option<Absent<'_>> {
        let (name, known) = self.all.get_key_value(name)?;
        Some(Absent { name, since: known.since?, back: known.back })
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
            seen.push(gone.missing().map(|one| (one.name.to_owned(), one.since)).collect::<Vec<_>>());
        }
        let at = |name: &str, second| (name.to_owned(), Now::example(second));
        assert_eq!(seen, [vec![], vec![], vec![at("b", 2)], vec![at("a", 3), at("b", 2)], vec![]]);
    }

    /// What is missed at a second, of `names` that were told from `from` to `to`, each ten seconds.
    fn missed(told: &[(&str, u64, u64)], at: u64) -> Vec<String> {
        let mut gone = Gone::default();
        for second in (0..=at).step_by(10) {
            let there = told.iter().filter(|(_, from, to)| (*from..=*to).contains(&second));
            gone.look(there.map(|(name, ..)| (*name).to_owned()), false, Now::example(second));
        }
        gone.missing().map(|one| one.name.to_owned()).collect()
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
            assert_eq!(gone.missing().count(), 0);
        }
        assert_eq!(gone.all.len(), 2);
        for second in [1000, 1001] {
            gone.look((0..1000).map(|number| format!("m{number}")), false, Now::example(second));
        }
        assert_eq!(gone.all.len(), MOST);
    }

    /// What is told of `b` at each of these seconds, in which it is there or not, beside `a` which always is.
    fn of_b(told: &[(u64, bool)]) -> Vec<Option<(u32, bool)>> {
        let mut gone = Gone::default();
        let mut seen = Vec::new();
        for (second, there) in told {
            gone.look(names(if *there { "a b" } else { "a" }), false, Now::example(*second));
            seen.push(gone.of("b").map(|one| (one.back, one.is_sometimes())));
        }
        seen
    }

    #[test]
    fn what_comes_and_goes_is_said_to_be_there_sometimes() {
        let told =
            [(0, true), (60, false), (120, true), (180, false), (240, true), (300, false), (360, true)];
        let expected = [None, Some((0, false)), None, Some((1, false)), None, Some((2, true)), None];
        assert_eq!(of_b(&told), expected);
        // After a day without a gap that is forgotten: what goes then is missed.
        let day = 24 * 3600;
        let told = [
            (0, true),
            (60, false),
            (120, true),
            (180, false),
            (240, true),
            (240 + day, true),
            (300 + day, false),
        ];
        assert_eq!(of_b(&told).last(), Some(&Some((0, false))));
        // It is known to do so also after nobody missed it any more.
        let told = [
            (0, true),
            (60, false),
            (900, false),
            (1000, true),
            (1060, false),
            (2000, false),
            (3000, true),
            (3060, false),
        ];
        let (first, second) = (Some((0, false)), Some((1, false)));
        let expected = [None, first, first, None, second, second, None, Some((2, true))];
        assert_eq!(of_b(&told), expected);
    }

    #[test]
    fn what_is_gone_is_given_up_also_while_the_whole_is_down() {
        let mut gone = Gone::default();
        gone.look(names("a b"), false, Now::example(0));
        gone.look(names("a"), false, Now::example(10));
        gone.look(names("a"), true, Now::example(200));
        assert_eq!(gone.missing().count(), 1);
        gone.look(names("a"), true, Now::example(400));
        assert_eq!((gone.missing().count(), gone.ever().count()), (0, 1));
        assert!(gone.of("b").is_some() && gone.of("a").is_none() && gone.of("c").is_none());
    }

    #[test]
    fn what_was_given_up_makes_room() {
        let mut gone = Gone::default();
        let many = |from: usize| (from..from + MOST).map(|number| format!("m{number:04}"));
        gone.look(many(0), false, Now::example(0));
        gone.look(many(1000), false, Now::example(10));
        assert_eq!(gone.missing().count(), MOST, "what is missed stays");
        gone.look(many(1000), false, Now::example(400));
        gone.look(many(1000), false, Now::example(410));
        assert_eq!((gone.missing().count(), gone.all.len()), (0, MOST));
        assert!(gone.all.contains_key("m1000") && !gone.all.contains_key("m0000"));
    }
}
