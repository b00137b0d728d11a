//! The kinds of failures of one queue, and since when each is known: what never occurred before is told from what always did. Pure.

use super::normalised;
use crate::core::time::Now;

/// Whoever fails in more ways than this fails in a new one all the time.
const MOST: usize = 32;

/// The kinds of failures that were seen of one queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reasons {
    first_look: Option<Now>,
    kinds: Vec<(String, Now)>,
    newest: String,
}

impl Reasons {
    /// Takes in why the newest failure failed; nothing where none is told.
    pub(super) fn absorb(&mut self, reason: &str, now: Now) {
        self.first_look.get_or_insert(now);
        if reason.is_empty() || reason == self.newest {
            return;
        }
        reason.clone_into(&mut self.newest);
        let kind = normalised(reason);
        let known = self.kinds.iter().any(|(known, _)| *known == kind);
        if !known && self.kinds.len() < MOST {
            self.kinds.push((kind, now));
        }
    }

    /// The kind of the newest failure and since when it is known, if it was not there at the first look.
    #[must_use]
    pub fn new_kind(&self) -> Option<(&str, Now)> {
        let kind = normalised(&self.newest);
        let (kind, since) = self.kinds.iter().find(|(known, _)| *known == kind)?;
        self.first_look.filter(|first| since.mono > first.mono).map(|_| (kind.as_str(), *since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the last of these (second, reason) was a new kind for the first time, if it is one.
    #[track_caller]
    fn check(seen: &[(u64, &str)], expected: Option<u64>) {
        let mut reasons = Reasons::default();
        for (second, reason) in seen {
            reasons.absorb(reason, Now::example(*second));
        }
        let found = reasons.new_kind().map(|(_, since)| since.since(Now::example(0)).as_secs());
        assert_eq!(found, expected, "{seen:?}");
    }

    #[test]
    fn what_never_occurred_before_is_new() {
        check(&[(0, ""), (5, "no field 17"), (9, "no field 18")], Some(5));
        check(&[(0, "no field 17"), (9, "no field 18")], None);
        check(&[(0, ""), (5, "a"), (9, "b")], Some(9));
        check(&[(0, "a"), (5, "b"), (9, "a")], None);
        check(&[(0, "")], None);
        let words: Vec<String> = (0..40_u8).map(|n| "x".repeat(usize::from(n) + 1)).collect();
        let many: Vec<(u64, &str)> = (1..).zip(words.iter().map(String::as_str)).collect();
        check(&many, None);
    }
}
