//! Who waits for what, who holds it, and what would follow if somebody ended. Pure.
//!
//! Everything follows from the rows of `pg_locks`: a waiter is stopped by everybody who holds a conflicting lock on what it wants
//! (*hard*) and by everybody who waits for it before it in a conflicting mode (*soft*). All of them have to go before it goes on.

use super::locks::{LockMode, LockReading, LockRow};
use super::{BackendId, Session};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Who takes part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A backend.
    Backend(BackendId),
    /// A prepared transaction, by its name. It has no process: no signal ends it.
    Prepared(String),
    /// A process that is not (or no longer) in `pg_stat_activity`.
    Gone(i32),
}

impl Who {
    /// Its process id; none for a prepared transaction.
    #[must_use]
    pub const fn pid(&self) -> Option<i32> {
        match self {
            Self::Backend(id) => Some(id.pid),
            Self::Gone(pid) => Some(*pid),
            Self::Prepared(_) => None,
        }
    }

    /// For lists: "4711", "prepared tx1".
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Backend(id) => id.pid.to_string(),
            Self::Gone(pid) => format!("{pid} (gone)"),
            Self::Prepared(gid) => format!("prepared {}", crate::core::text::tidy(gid, 40)),
        }
    }
}

/// The number of somebody who takes part, and of something that is waited for.
pub(super) type Index = usize;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Party {
    pub(super) who: Who,
    /// How long its transaction has been open, where that is visible.
    pub(super) age: Option<Duration>,
    /// What it waits for; several only where several workers of a parallel group wait.
    pub(super) wants: Vec<Index>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    pub(super) party: Index,
    pub(super) mode: LockMode,
    pub(super) waiting: Option<Duration>,
    told_behind: Vec<i32>,
}

/// Something that somebody waits for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Thing {
    pub(super) object: String,
    pub(super) holders: Vec<(Index, LockMode)>,
    /// In the order in which it will be given out.
    pub(super) queue: Vec<Claim>,
}

impl Thing {
    fn claim(&self, party: Index) -> Option<(usize, &Claim)> {
        self.queue.iter().enumerate().find(|(_, claim)| claim.party == party)
    }

    /// Who holds it in a mode that excludes `claim`.
    pub(super) fn against(&self, claim: &Claim) -> impl Iterator<Item = (Index, LockMode)> {
        let (party, mode) = (claim.party, claim.mode);
        self.holders.iter().copied().filter(move |(holder, held)| *holder != party && held.conflicts(mode))
    }

    /// Puts a claim where the server puts it: at the end, or before the first that waits for what the newcomer holds already.
    fn queue_up(&mut self, claim: Claim, pid: Option<i32>) {
        let held = |mode: LockMode| {
            self.holders.iter().any(|(holder, held)| *holder == claim.party && held.conflicts(mode))
        };
        let before = |other: &Claim| {
            held(other.mode)
                || pid.is_some_and(|pid| claim.waiting.is_none() && other.told_behind.contains(&pid))
        };
        let at = self.queue.iter().position(before).unwrap_or(self.queue.len());
        self.queue.insert(at, claim);
    }
}

/// What would follow if somebody ended: their locks go, and their places in the queues.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aftermath {
    /// They get what they want at once.
    pub released: Vec<Who>,
    /// They wait only for those, and for one another.
    pub moves_up: Vec<Who>,
    /// They still wait, for these.
    pub held: Vec<(Who, Vec<Who>)>,
}

/// Everybody who takes part, and everything that is waited for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    pub(super) parties: Vec<Party>,
    pub(super) things: Vec<Thing>,
}

enum Fate {
    /// Under way: to come back here is a deadlock.
    Open,
    /// Nothing changes.
    Same,
    Released,
    MovesUp,
    Held(BTreeSet<Index>),
}

impl Graph {
    /// The graph of everybody who waits for a lock, and of everybody who is in the way.
    #[must_use]
    pub fn of(sessions: &[Session], reading: &LockReading) -> Self {
        Builder::new(sessions).build(reading)
    }

    pub(super) fn index(&self, who: &Who) -> Option<Index> {
        self.parties.iter().position(|party| party.who == *who)
    }

    fn who(&self, at: Index) -> Who {
        self.parties[at].who.clone()
    }

    /// Whether it waits for something.
    pub(super) fn waits(&self, at: Index) -> bool {
        !self.parties[at].wants.is_empty()
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.parties.iter().filter(|party| !party.wants.is_empty()).count()
    }

    /// What it waits for, with its place there.
    pub(super) fn claims(&self, at: Index) -> impl Iterator<Item = (&Thing, usize, &Claim)> {
        self.parties[at].wants.iter().filter_map(move |thing| {
            let thing = &self.things[*thing];
            let (place, claim) = thing.claim(at)?;
            Some((thing, place, claim))
        })
    }

    /// Everybody who holds what it wants.
    pub(super) fn hard(&self, at: Index) -> BTreeSet<Index> {
        self.claims(at).flat_map(|(thing, _, claim)| thing.against(claim).map(|(holder, _)| holder)).collect()
    }

    /// The last of those who wait before it in a mode that excludes its own.
    pub(super) fn ahead(&self, at: Index) -> Option<Index> {
        self.claims(at).find_map(|(thing, place, claim)| {
            let before = thing.queue[..place].iter().rev();
            before.into_iter().find(|other| other.mode.conflicts(claim.mode)).map(|other| other.party)
        })
    }

    fn blockers(&self, at: Index) -> BTreeSet<Index> {
        let mut all = self.hard(at);
        for (thing, place, claim) in self.claims(at) {
            let before = thing.queue[..place].iter().filter(|other| other.mode.conflicts(claim.mode));
            all.extend(before.map(|other| other.party));
        }
        all
    }

    /// Everybody who holds what `who` wants, the longest transaction first, with what they hold.
    #[must_use]
    pub fn holders(&self, who: &Who) -> Vec<(Who, LockMode, String)> {
        let Some(at) = self.index(who) else { return Vec::new() };
        let mut found: Vec<(Index, LockMode, &str)> = Vec::new();
        for (thing, _, claim) in self.claims(at) {
            for (holder, mode) in thing.against(claim) {
                if found.iter().all(|(other, ..)| *other != holder) {
                    found.push((holder, mode, &thing.object));
                }
            }
        }
        found.sort_by_key(|(holder, ..)| std::cmp::Reverse(self.parties[*holder].age));
        found.into_iter().map(|(holder, mode, object)| (self.who(holder), mode, object.to_owned())).collect()
    }

    /// Everybody who has to go before `who` goes on: those who hold what it wants, and those who wait for it before.
    #[must_use]
    pub fn in_the_way(&self, who: &Who) -> Vec<Who> {
        let all = self.index(who).map(|at| self.blockers(at));
        all.into_iter().flatten().map(|at| self.who(at)).collect()
    }

    /// Everybody who wants what `at` holds.
    pub(super) fn stopped_by(&self, at: Index) -> BTreeSet<Index> {
        let mut stopped = BTreeSet::new();
        for thing in self.things.iter().filter(|thing| thing.holders.iter().any(|(holder, _)| *holder == at))
        {
            let by = |claim: &&Claim| thing.against(claim).any(|(holder, _)| holder == at);
            stopped.extend(thing.queue.iter().filter(by).map(|claim| claim.party));
        }
        stopped
    }

    /// What would follow if all of `gone` ended.
    #[must_use]
    pub fn without(&self, gone: &[Who]) -> Aftermath {
        let gone: BTreeSet<Index> = gone.iter().filter_map(|who| self.index(who)).collect();
        let mut fates: BTreeMap<Index, Fate> = BTreeMap::new();
        // In the order of the queues: who stands ahead is known before who stands behind.
        for claim in self.things.iter().flat_map(|thing| &thing.queue) {
            self.fate(claim.party, &gone, &mut fates);
        }
        let mut after = Aftermath::default();
        for (at, fate) in fates {
            match fate {
                Fate::Open | Fate::Same => {}
                Fate::Released => after.released.push(self.who(at)),
                Fate::MovesUp => after.moves_up.push(self.who(at)),
                Fate::Held(by) => {
                    after.held.push((self.who(at), by.into_iter().map(|by| self.who(by)).collect()));
                }
            }
        }
        after
    }

    fn fate(&self, at: Index, gone: &BTreeSet<Index>, fates: &mut BTreeMap<Index, Fate>) {
        if gone.contains(&at) || fates.contains_key(&at) {
            return;
        }
        fates.insert(at, Fate::Open);
        let blockers = self.blockers(at);
        let mut touched = blockers.iter().any(|by| gone.contains(by));
        let mut held = BTreeSet::new();
        for by in blockers.difference(gone) {
            if !self.waits(*by) {
                held.insert(*by);
                continue;
            }
            self.fate(*by, gone, fates);
            match fates.get(by) {
                Some(Fate::Released | Fate::MovesUp) => touched = true,
                Some(Fate::Held(others)) => {
                    touched = true;
                    held.extend(others);
                }
                Some(Fate::Open | Fate::Same) | None => {
                    held.insert(*by);
                }
            }
        }
        let fate = match (touched, held.is_empty()) {
            (false, _) => Fate::Same,
            (true, true) if blockers.is_subset(gone) => Fate::Released,
            (true, true) => Fate::MovesUp,
            (true, false) => Fate::Held(held),
        };
        fates.insert(at, fate);
    }
}

struct Builder<'a> {
    sessions: BTreeMap<i32, &'a Session>,
    parties: Vec<Party>,
    known: BTreeMap<Who, Index>,
}

impl<'a> Builder<'a> {
    fn new(sessions: &'a [Session]) -> Self {
        let sessions = sessions.iter().map(|session| (session.id.pid, session)).collect();
        Self { sessions, parties: Vec::new(), known: BTreeMap::new() }
    }

    /// A parallel worker stands for its leader.
    fn leader(&self, pid: i32) -> i32 {
        self.sessions.get(&pid).and_then(|session| session.leader_pid).unwrap_or(pid)
    }

    fn party(&mut self, row: &LockRow, reading: &LockReading) -> Option<Index> {
        let (who, age) = match (row.pid, &row.prepared_xid) {
            (Some(pid), _) => {
                let pid = self.leader(pid);
                match self.sessions.get(&pid) {
                    Some(session) => (Who::Backend(session.id), session.transaction_age),
                    None => (Who::Gone(pid), None),
                }
            }
            (None, Some(xid)) => {
                let known = reading.prepared.iter().find(|prepared| prepared.xid == *xid);
                let name =
                    known.map_or_else(|| format!("transaction {xid}"), |prepared| prepared.gid.clone());
                (Who::Prepared(name), known.map(|prepared| prepared.age))
            }
            (None, None) => return None,
        };
        let next = self.parties.len();
        let at = *self.known.entry(who.clone()).or_insert(next);
        if at == next {
            self.parties.push(Party { who, age, wants: Vec::new() });
        }
        Some(at)
    }

    fn build(mut self, reading: &LockReading) -> Graph {
        let mut things: Vec<Thing> = Vec::new();
        let mut tags: BTreeMap<&str, Index> = BTreeMap::new();
        let mut claims: Vec<(Index, Claim)> = Vec::new();
        for row in &reading.rows {
            let Some(party) = self.party(row, reading) else { continue };
            let thing = *tags.entry(&row.tag).or_insert_with(|| {
                things.push(Thing { object: row.object.clone(), ..Thing::default() });
                things.len() - 1
            });
            if row.granted {
                things[thing].holders.push((party, row.mode));
            } else {
                let told_behind = row.blockers.iter().map(|pid| self.leader(*pid)).collect();
                claims.push((thing, Claim { party, mode: row.mode, waiting: row.waiting, told_behind }));
            }
        }
        // Before 14 (and in the first moments) the server does not say since when; the statement's age is the best known bound.
        let wait = |claim: &Claim| {
            claim.waiting.or_else(|| self.sessions.get(&self.parties[claim.party].who.pid()?)?.query_age)
        };
        claims.sort_by_key(|(_, claim)| std::cmp::Reverse(wait(claim)));
        let waits: Vec<Option<Duration>> = claims.iter().map(|(_, claim)| wait(claim)).collect();
        for ((thing, claim), waiting) in claims.into_iter().zip(waits) {
            let party = claim.party;
            if things[thing].claim(party).is_some() {
                continue;
            }
            let pid = self.parties[party].who.pid();
            things[thing].queue_up(claim, pid);
            if let Some(claim) = things[thing].queue.iter_mut().find(|claim| claim.party == party) {
                claim.waiting = waiting;
            }
            self.parties[party].wants.push(thing);
        }
        Graph { parties: self.parties, things }
    }
}
