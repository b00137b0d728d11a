//! Jobs that a library threw away for their deduplication ids, or for the ids of their own, as its events tell.

use std::collections::BTreeMap;

/// So many ids of a queue are remembered.
const MOST: usize = 50;

/// How many jobs were thrown away, by the event that says so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Discarded {
    /// For a deduplication id, by each of the two names of that event.
    held: [u64; 2],
    /// For an id of their own.
    twins: u64,
}

impl Discarded {
    /// Counts an event of that name, if it is one of these.
    pub(super) fn add(&mut self, event: Option<&str>) {
        match event {
            Some("deduplicated") => self.held[0] += 1,
            Some("debounced") => self.held[1] += 1,
            Some("duplicated") => self.twins += 1,
            _ => {}
        }
    }

    /// How many jobs those were: some releases write both names.
    pub(super) fn jobs(self) -> u64 {
        self.held[0].max(self.held[1]) + self.twins
    }
}

impl std::iter::Sum for Discarded {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            held: [sum.held[0] + one.held[0], sum.held[1] + one.held[1]],
            twins: sum.twins + one.twins,
        })
    }
}

/// Jobs that were thrown away for one deduplication id.
#[derive(Debug, Default)]
pub(super) struct Thrown {
    /// The job that holds the id, as its library said last.
    pub(super) holder: String,
    /// By each of the two names that the event has had: some releases write both.
    times: [u64; 2],
    last: i64,
}

impl Thrown {
    /// How many were.
    pub(super) fn jobs(&self) -> u64 {
        self.times[0].max(self.times[1])
    }
}

/// Those of one queue, by deduplication id.
#[derive(Debug, Default)]
pub(super) struct ThrownAway(BTreeMap<String, Thrown>);

impl ThrownAway {
    /// Each id.
    pub(super) fn ids(&self) -> impl Iterator<Item = (&String, &Thrown)> {
        self.0.iter()
    }

    /// A job was thrown away for that id and its holder, as the event of this name (0 or 1) says; at, in milliseconds.
    pub(super) fn add(&mut self, which: Option<(String, String)>, name: usize, at: i64) {
        let Some((id, holder)) = which else { return };
        if !self.0.contains_key(&id) && self.0.len() >= MOST {
            let oldest = self.0.iter().min_by_key(|(_, one)| one.last).map(|(id, _)| id.clone());
            oldest.and_then(|id| self.0.remove(&id));
        }
        let one = self.0.entry(id).or_default();
        if one.holder != holder {
            *one = Thrown { holder, ..Thrown::default() };
        }
        one.times[name] += 1;
        one.last = at;
    }

    /// Forgets ids for which none was thrown away since then.
    pub(super) fn forget(&mut self, since: i64) {
        self.0.retain(|_, one| one.last >= since);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_the_deduplication_id_for_which_jobs_were_thrown_away() {
        let mut all = ThrownAway::default();
        let told = |all: &ThrownAway| -> Vec<(String, String, u64)> {
            all.ids().map(|(id, one)| (id.clone(), one.holder.clone(), one.jobs())).collect()
        };
        let one = |id: &str, holder: &str, jobs: u64| (id.to_owned(), holder.to_owned(), jobs);
        let add = |all: &mut ThrownAway, id: &str, holder: &str, name: usize, at: i64| {
            all.add(Some((id.to_owned(), holder.to_owned())), name, at);
        };
        for (id, holder, name, at) in [("a", "7", 1, 1), ("a", "7", 0, 2), ("a", "7", 0, 3), ("b", "9", 0, 4)]
        {
            add(&mut all, id, holder, name, at);
        }
        all.add(None, 0, 5);
        assert_eq!(told(&all), [one("a", "7", 2), one("b", "9", 1)]);
        // Another holder begins anew.
        add(&mut all, "a", "8", 0, 200);
        assert_eq!(told(&all), [one("a", "8", 1), one("b", "9", 1)]);
        all.forget(100);
        assert_eq!(told(&all), [one("a", "8", 1)]);
        (0..60).for_each(|n| add(&mut all, &format!("id-{n:02}"), "1", 0, 300 + n));
        let ids: Vec<String> = told(&all).into_iter().map(|(id, ..)| id).collect();
        assert_eq!((ids.len(), ids[0].as_str()), (MOST, "id-10"));
    }
}
