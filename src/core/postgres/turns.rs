//! How long clients of a PgBouncer waited for their turn lately: who is first in line changes, and that there is a line does not. Pure.

use super::pooler::{Pool, Pooler};
use crate::core::time::Now;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// A line is over after so long without anybody who waits for long: between two who do, the first in line has only just come.
const LATELY: Duration = Duration::from_secs(15);

/// The longest waits of each pool lately, by database and user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turns {
    pools: BTreeMap<(String, String), VecDeque<(Now, Duration)>>,
}

impl Turns {
    /// Takes in who waits now.
    pub(super) fn absorb(&mut self, pooler: &Pooler, now: Now) {
        for pool in pooler.pools.iter().filter(|pool| pool.clients_waiting > 0) {
            let waits = self.pools.entry((pool.database.clone(), pool.user.clone())).or_default();
            waits.push_back((now, pool.longest_wait));
        }
        self.pools.retain(|_, waits| {
            waits.retain(|(at, _)| now.since(*at) < LATELY);
            !waits.is_empty()
        });
    }

    /// The longest that anybody was seen to wait in `pool` lately.
    #[must_use]
    pub fn longest(&self, pool: &Pool) -> Option<Duration> {
        let waits = self.pools.get(&(pool.database.clone(), pool.user.clone()))?;
        waits.iter().map(|(_, wait)| *wait).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::Warm;

    #[test]
    fn a_line_lasts_while_those_in_it_change() {
        let mut turns = Turns::default();
        let mut longest = |second: u64, wait: u64| {
            let pool = Pool {
                clients_waiting: u64::from(wait > 0),
                longest_wait: Duration::from_secs(wait),
                ..Pool::default()
            };
            let clients = Warm::new(Now::example(second), BTreeMap::new());
            let (address, databases) = (String::new(), Vec::new());
            let pooler = Pooler { address, pools: vec![pool.clone()], databases, clients };
            turns.absorb(&pooler, Now::example(second));
            turns.longest(&pool).map(|longest| longest.as_secs())
        };
        assert_eq!(longest(0, 0), None);
        assert_eq!(longest(5, 4), Some(4));
        assert_eq!(longest(10, 0), Some(4));
        assert_eq!(longest(15, 2), Some(4));
        assert_eq!(longest(20, 0), Some(2));
        assert_eq!(longest(30, 0), None);
    }
}
