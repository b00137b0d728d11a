//! How many bytes of jobs one poll may read. What a server holds ready for a slow reader counts as its memory: whoever asks a server that is
//! nearly full for everything at once makes it refuse the writes of others.

use super::decode::number;
use redis::Value;
use std::time::Duration;

/// A poll reads so much at most, and at least.
const MOST: u64 = 512 * 1024;
const LEAST: u64 = 16 * 1024;
/// A read that takes longer was too much for this line.
const SLOW: Duration = Duration::from_millis(400);

/// What the line bears, as far as is known.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: u64,
    under_way: bool,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: MOST, under_way: false }
    }
}

impl Budget {
    /// A poll begins; the bytes that it may read. One that never ended was given up: the next reads much less.
    pub(super) fn begin(&mut self) -> Left {
        if std::mem::replace(&mut self.under_way, true) {
            self.bytes = (self.bytes / 4).max(LEAST);
        }
        Left(self.bytes)
    }

    /// It ended, after so long.
    pub(super) fn end(&mut self, took: Duration) {
        self.under_way = false;
        self.bytes = if took > SLOW { (self.bytes / 2).max(LEAST) } else { (self.bytes * 2).min(MOST) };
    }
}

/// What is left of it within a poll.
#[derive(Debug)]
pub(super) struct Left(u64);

impl Left {
    /// Bytes that are left.
    pub(super) const fn bytes(&self) -> u64 {
        self.0
    }

    /// Takes so many bytes, if they are left.
    pub(super) const fn take(&mut self, bytes: u64) -> bool {
        if bytes > self.0 {
            return false;
        }
        self.0 -= bytes;
        true
    }

    /// How many things of this size may be read: one at least, so that it goes on, and `most` at most; they are taken.
    pub(super) fn some(&mut self, each: u64, most: usize) -> usize {
        let count = usize::try_from(self.0 / each.max(1)).unwrap_or(most).clamp(1, most);
        self.0 = self.0.saturating_sub(each.saturating_mul(count as u64));
        count
    }
}

/// A field larger than this is not read: one job must not fill the terminal's memory or a slow line.
pub(crate) const FIELD_LIMIT_BYTES: u64 = 64 * 1024;

/// The size of a field by the answer to HSTRLEN; where that was refused the most that is read of one: what is not known may be large.
pub(super) fn field_size(answer: Option<&Value>) -> u64 {
    answer.and_then(number).and_then(|size| u64::try_from(size).ok()).unwrap_or(FIELD_LIMIT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_whose_size_may_not_be_asked_counts_as_a_large_one() {
        assert_eq!(field_size(Some(&Value::Int(0))), 0);
        assert_eq!(field_size(Some(&Value::Int(700))), 700);
        assert_eq!(field_size(Some(&Value::Nil)), FIELD_LIMIT_BYTES);
        assert_eq!(field_size(None), FIELD_LIMIT_BYTES);
    }

    #[test]
    fn what_was_too_much_is_asked_for_in_smaller_pieces() {
        let mut budget = Budget::default();
        assert_eq!(budget.begin().0, MOST);
        // Given up.
        assert_eq!(budget.begin().0, MOST / 4);
        budget.end(Duration::from_secs(1));
        assert_eq!(budget.begin().0, MOST / 8);
        for _ in 0..9 {
            budget.end(Duration::from_secs(1));
        }
        assert_eq!(budget.begin().0, LEAST);
        for _ in 0..9 {
            budget.end(Duration::from_millis(20));
        }
        let mut left = budget.begin();
        assert!(left.take(MOST - 1000) && !left.take(1001));
        assert_eq!((left.some(300, 50), left.some(300, 50)), (3, 1));
    }
}
