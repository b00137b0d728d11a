//! From lock rows to a forest: one root per culprit, everybody who waits below the one that really holds what they want. Pure.
//!
//! `pg_blocking_pids` names holders and those queued ahead alike: 80 waiters on one row give 3160 edges and one culprit. An edge is
//! *hard* when the blocker holds a conflicting lock on the same thing, *soft* when it only waits ahead. A waiter hangs below its
//! hard blocker; only without one below the nearest waiter ahead.

use super::locks::{LockMode, LockReading, LockRow};
use super::{BackendId, Session};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Who a node is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A backend.
    Backend(BackendId),
    /// A prepared transaction, by its name. It has no process: no signal ends it.
    Prepared(String),
    /// A process that is not (or no longer) in `pg_stat_activity`.
    Gone(i32),
}

/// How a waiter hangs below its blocker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It waits for nobody.
    Root,
    /// The one above holds what it wants.
    Holds,
    /// The one above only stands ahead of it in the queue.
    QueuedBehind,
}

/// One node; the forest lists them with every parent before its children.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Who it is.
    pub who: Who,
    /// How far from its root.
    pub depth: usize,
    /// How it hangs below its parent.
    pub edge: Edge,
    /// What it waits for: mode and thing.
    pub wants: Option<(LockMode, String)>,
    /// What it holds that its direct victims want: mode and thing.
    pub holds: Option<(LockMode, String)>,
    /// How long it has been waiting.
    pub waiting: Option<Duration>,
    /// Who waits directly below it.
    pub direct: usize,
    /// Everybody below it.
    pub victims: usize,
    /// The longest wait below it.
    pub longest: Option<Duration>,
    /// It waits for ACCESS EXCLUSIVE and this many queue up behind it: cancelling it releases them at once.
    pub releases_if_cancelled: usize,
}

/// All trees, the one with the most victims first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forest {
    /// Parents before children.
    pub nodes: Vec<Node>,
    /// Deadlocks that the server has not broken yet (it does after `deadlock_timeout`).
    pub cycles: Vec<Vec<i32>>,
}

impl Forest {
    /// The roots.
    pub fn roots(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.depth == 0)
    }

    /// The node of `backend`.
    #[must_use]
    pub fn node(&self, backend: BackendId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.who == Who::Backend(backend))
    }

    /// Everybody below `who`, nearest first.
    #[must_use]
    pub fn below(&self, who: &Who) -> Vec<&Node> {
        let Some(at) = self.nodes.iter().position(|node| node.who == *who) else {
            return Vec::new();
        };
        let depth = self.nodes[at].depth;
        self.nodes[at + 1..].iter().take_while(|node| node.depth > depth).collect()
    }
}

/// A participant before it is a node: a pid, or a prepared transaction's xid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Pid(i32),
    Prepared(String),
}

struct Builder<'a> {
    sessions: BTreeMap<i32, &'a Session>,
    reading: &'a LockReading,
    granted: BTreeMap<Party, Vec<&'a LockRow>>,
    wanted: BTreeMap<i32, &'a LockRow>,
    parent: BTreeMap<i32, (Party, Edge)>,
    children: BTreeMap<Party, Vec<i32>>,
}

/// The forest of everybody who waits for a lock.
#[must_use]
pub fn forest(sessions: &[Session], reading: &LockReading) -> Forest {
    let mut builder = Builder {
        sessions: sessions.iter().map(|session| (session.id.pid, session)).collect(),
        reading,
        granted: BTreeMap::new(),
        wanted: BTreeMap::new(),
        parent: BTreeMap::new(),
        children: BTreeMap::new(),
    };
    builder.sort_rows();
    builder.attach();
    let cycles = builder.cut_cycles();
    builder.grow(cycles)
}

impl Builder<'_> {
    /// A parallel worker stands for its leader.
    fn leader(&self, pid: i32) -> i32 {
        self.sessions.get(&pid).and_then(|session| session.leader_pid).unwrap_or(pid)
    }

    /// Who holds what and who wants what, a parallel group as one.
    fn sort_rows(&mut self) {
        for row in &self.reading.rows {
            let party = match (row.pid, &row.prepared_xid) {
                (Some(pid), _) => Party::Pid(self.leader(pid)),
                (None, Some(xid)) => Party::Prepared(xid.clone()),
                (None, None) => continue,
            };
            match (row.granted, &party) {
                (true, _) => self.granted.entry(party).or_default().push(row),
                (false, Party::Pid(pid)) => {
                    self.wanted.insert(*pid, row);
                }
                (false, Party::Prepared(_)) => {}
            }
        }
    }

    fn waiting_row(&self, pid: i32) -> Option<&LockRow> {
        self.wanted.get(&pid).copied()
    }

    /// A lock of `party` on the thing that `wanted` is about, which excludes it.
    fn held_by(&self, party: &Party, wanted: &LockRow) -> Option<&LockRow> {
        let rows = self.granted.get(party)?;
        rows.iter().find(|row| row.tag == wanted.tag && row.mode.conflicts(wanted.mode)).copied()
    }

    /// Gives every waiter its one parent.
    fn attach(&mut self) {
        let mut blockers: BTreeMap<i32, BTreeSet<i32>> = BTreeMap::new();
        for (waiter, blocker) in &self.reading.edges {
            let waiter = self.leader(*waiter);
            let blocker = if *blocker == 0 { 0 } else { self.leader(*blocker) };
            if waiter != blocker {
                blockers.entry(waiter).or_default().insert(blocker);
            }
        }
        let waiters: BTreeSet<i32> = blockers.keys().copied().collect();
        for (waiter, candidates) in &blockers {
            let wanted = self.waiting_row(*waiter);
            let parties: Vec<Party> = candidates.iter().flat_map(|pid| self.parties(*pid)).collect();
            let hard = wanted.and_then(|row| self.hard(&parties, row, &waiters));
            let chosen = match hard {
                Some(party) => Some((party, Edge::Holds)),
                None => self.nearest_ahead(&parties).map(|party| (party, Edge::QueuedBehind)),
            };
            if let Some((party, edge)) = chosen {
                self.children.entry(party.clone()).or_default().push(*waiter);
                self.parent.insert(*waiter, (party, edge));
            }
        }
    }

    /// A pid as parties; 0 stands for any prepared transaction.
    fn parties(&self, pid: i32) -> Vec<Party> {
        if pid == 0 {
            self.reading.prepared.iter().map(|prepared| Party::Prepared(prepared.xid.clone())).collect()
        } else {
            vec![Party::Pid(pid)]
        }
    }

    /// Of those that hold what is wanted: one that waits for nobody if there is one, for it is nearer to the root.
    fn hard(&self, parties: &[Party], wanted: &LockRow, waiters: &BTreeSet<i32>) -> Option<Party> {
        let holders: Vec<&Party> =
            parties.iter().filter(|party| self.held_by(party, wanted).is_some()).collect();
        let free = holders.iter().find(|party| match party {
            Party::Pid(pid) => !waiters.contains(pid),
            Party::Prepared(_) => true,
        });
        free.or_else(|| holders.first()).map(|party| (*party).clone())
    }

    /// Of those that only wait ahead: the one that came last before this one, by the length of its wait.
    fn nearest_ahead(&self, parties: &[Party]) -> Option<Party> {
        parties
            .iter()
            .min_by_key(|party| match party {
                Party::Pid(pid) => self.wait(*pid).unwrap_or(Duration::MAX),
                Party::Prepared(_) => Duration::MAX,
            })
            .cloned()
    }

    fn wait(&self, pid: i32) -> Option<Duration> {
        let told = self.waiting_row(pid).and_then(|row| row.waiting);
        // Before 14 (and in the first moments) the server does not say since when; the statement's age is the best known bound.
        told.or_else(|| self.sessions.get(&pid).and_then(|session| session.query_age))
    }

    /// Finds circles of waiters and makes one member of each a root, so that everything can be shown.
    fn cut_cycles(&mut self) -> Vec<Vec<i32>> {
        let mut cycles = Vec::new();
        let mut settled = BTreeSet::new();
        let waiters: Vec<i32> = self.parent.keys().copied().collect();
        for start in waiters {
            let mut path = Vec::new();
            let mut at = start;
            while !settled.contains(&at) {
                if let Some(first) = path.iter().position(|pid| *pid == at) {
                    let cycle: Vec<i32> = path[first..].to_vec();
                    self.cut(&cycle);
                    cycles.push(cycle);
                    break;
                }
                path.push(at);
                match self.parent.get(&at) {
                    Some((Party::Pid(next), _)) => at = *next,
                    Some((Party::Prepared(_), _)) | None => break,
                }
            }
            settled.extend(path);
        }
        cycles
    }

    fn cut(&mut self, cycle: &[i32]) {
        let Some(first) = cycle.iter().min().copied() else {
            return;
        };
        if let Some((party, _)) = self.parent.remove(&first)
            && let Some(children) = self.children.get_mut(&party)
        {
            children.retain(|pid| *pid != first);
        }
    }

    fn grow(&self, cycles: Vec<Vec<i32>>) -> Forest {
        let roots: Vec<&Party> = self
            .children
            .iter()
            .filter(|(party, children)| {
                let waits = matches!(party, Party::Pid(pid) if self.parent.contains_key(pid));
                !waits && !children.is_empty()
            })
            .map(|(party, _)| party)
            .collect();
        let mut trees: Vec<Vec<Node>> = roots
            .into_iter()
            .map(|party| {
                let mut nodes = Vec::new();
                self.visit(party, 0, &mut nodes);
                nodes
            })
            .collect();
        trees.sort_by_key(|nodes| std::cmp::Reverse(nodes.len()));
        Forest { nodes: trees.concat(), cycles }
    }

    /// Adds `party` and everybody below it; returns how many those are and their longest wait.
    fn visit(&self, party: &Party, depth: usize, nodes: &mut Vec<Node>) -> (usize, Option<Duration>) {
        let at = nodes.len();
        nodes.push(self.node(party, depth));
        let mut victims = 0;
        let mut longest = None;
        let mut children = self.children.get(party).cloned().unwrap_or_default();
        children.sort_by_key(|pid| std::cmp::Reverse(self.wait(*pid)));
        for child in &children {
            let (below, wait) = self.visit(&Party::Pid(*child), depth + 1, nodes);
            victims += below + 1;
            longest = longest.max(wait).max(self.wait(*child));
        }
        let behind: usize = nodes[at + 1..]
            .iter()
            .filter(|node| node.depth == depth + 1 && node.edge == Edge::QueuedBehind)
            .map(|node| node.victims + 1)
            .sum();
        let node = &mut nodes[at];
        node.direct = children.len();
        node.victims = victims;
        node.longest = longest;
        if matches!(node.wants, Some((LockMode::AccessExclusive, _))) {
            node.releases_if_cancelled = behind;
        }
        (victims, longest)
    }

    fn node(&self, party: &Party, depth: usize) -> Node {
        let (who, edge, wanted) = match party {
            Party::Pid(pid) => (
                self.sessions.get(pid).map_or(Who::Gone(*pid), |session| Who::Backend(session.id)),
                self.parent.get(pid).map_or(Edge::Root, |(_, edge)| *edge),
                self.waiting_row(*pid),
            ),
            Party::Prepared(xid) => {
                let gid = self.reading.prepared.iter().find(|prepared| prepared.xid == *xid);
                let name = gid.map_or_else(|| xid.clone(), |prepared| prepared.gid.clone());
                (Who::Prepared(name), Edge::Root, None)
            }
        };
        let holds = self.children.get(party).into_iter().flatten().find_map(|child| {
            let row = self.held_by(party, self.waiting_row(*child)?)?;
            Some((row.mode, row.object.clone()))
        });
        let waiting = match party {
            Party::Pid(pid) if edge != Edge::Root => self.wait(*pid),
            Party::Pid(_) | Party::Prepared(_) => None,
        };
        Node {
            who,
            depth,
            edge,
            wants: wanted.map(|row| (row.mode, row.object.clone())),
            holds,
            waiting,
            direct: 0,
            victims: 0,
            longest: None,
            releases_if_cancelled: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::SessionState;
    use super::super::locks::PreparedTransaction;
    use super::*;

    fn session(pid: i32, leader: Option<i32>) -> Session {
        Session {
            id: BackendId { pid, backend_start_micros: 1 },
            leader_pid: leader,
            database: "app".to_owned(),
            user: "app_rw".to_owned(),
            application: String::new(),
            client: String::new(),
            backend_type: "client backend".to_owned(),
            state: SessionState::Active,
            wait: None,
            transaction_age: None,
            query_age: Some(Duration::from_secs(1)),
            state_age: None,
            query_start_micros: None,
            writes: false,
            xmin_age: None,
            superuser: false,
            query: String::new(),
            query_id: None,
        }
    }

    fn lock(pid: i32, tag: &str, mode: LockMode, granted: bool, waiting: Option<u64>) -> LockRow {
        LockRow {
            pid: (pid != 0).then_some(pid),
            prepared_xid: (pid == 0).then(|| "900".to_owned()),
            tag: tag.to_owned(),
            object: tag.to_owned(),
            mode,
            granted,
            waiting: waiting.map(Duration::from_secs),
        }
    }

    /// Draws a forest as `pid(children…)`; `~` marks a soft edge, `P` a prepared transaction.
    fn drawn(forest: &Forest) -> String {
        let mut out = String::new();
        for node in &forest.nodes {
            let mark = if node.edge == Edge::QueuedBehind { "~" } else { "" };
            let name = match &node.who {
                Who::Backend(id) => id.pid.to_string(),
                Who::Prepared(gid) => format!("P{gid}"),
                Who::Gone(pid) => format!("gone{pid}"),
            };
            out.push_str(&format!("{}{mark}{name} ", ">".repeat(node.depth)));
        }
        out.trim_end().to_owned()
    }

    fn grow(pids: &[i32], edges: &[(i32, i32)], rows: Vec<LockRow>) -> Forest {
        let sessions: Vec<Session> = pids.iter().map(|pid| session(*pid, None)).collect();
        let prepared = vec![PreparedTransaction {
            gid: "tx1".to_owned(),
            xid: "900".to_owned(),
            owner: "ana".to_owned(),
            database: "app".to_owned(),
            age: Duration::from_secs(60),
        }];
        let reading = LockReading { edges: edges.to_vec(), rows, prepared, truncated: false };
        forest(&sessions, &reading)
    }

    use LockMode::{AccessExclusive, AccessShare, Exclusive, RowExclusive, Share};

    #[test]
    fn eighty_waiters_on_one_row_have_one_culprit() {
        let mut edges = Vec::new();
        let mut rows = vec![lock(1, "transactionid 700", Exclusive, true, None)];
        for waiter in 2..=81 {
            let first = waiter == 2;
            if first {
                rows.push(lock(2, "tuple 5", Exclusive, true, None));
                rows.push(lock(2, "transactionid 700", Share, false, Some(100)));
                edges.push((2, 1));
            } else {
                rows.push(lock(waiter, "tuple 5", Exclusive, false, Some(100 - u64::from(waiter as u32))));
                edges.extend((2..waiter).map(|ahead| (waiter, ahead)));
            }
        }
        let pids: Vec<i32> = (1..=81).collect();
        let forest = grow(&pids, &edges, rows);
        let roots: Vec<&Node> = forest.roots().collect();
        assert_eq!(roots.len(), 1);
        assert_eq!(roots[0].who, Who::Backend(session(1, None).id));
        assert_eq!(roots[0].victims, 80);
        assert_eq!(roots[0].longest, Some(Duration::from_secs(100)));
        let depths: BTreeSet<usize> = forest.nodes.iter().map(|node| node.depth).collect();
        assert_eq!(depths, BTreeSet::from([0, 1, 2]));
    }

    #[test]
    fn a_prepared_transaction_is_the_root_of_the_lab_case() {
        // prepared holds the row and the table; w1 waits for it, w2 behind w1, DDL w3 behind all, SELECT w4 behind the DDL.
        let rows = vec![
            lock(0, "transactionid 900", Exclusive, true, None),
            lock(0, "relation t", RowExclusive, true, None),
            lock(11, "transactionid 900", Share, false, Some(40)),
            lock(11, "tuple 1", Exclusive, true, None),
            lock(11, "relation t", RowExclusive, true, None),
            lock(12, "tuple 1", Exclusive, false, Some(30)),
            lock(12, "relation t", RowExclusive, true, None),
            lock(13, "relation t", AccessExclusive, false, Some(20)),
            lock(14, "relation t", AccessShare, false, Some(10)),
        ];
        let edges = [(11, 0), (12, 11), (13, 0), (13, 12), (13, 11), (14, 13)];
        let forest = grow(&[11, 12, 13, 14], &edges, rows);
        assert_eq!(drawn(&forest), "Ptx1 >11 >>12 >13 >>~14");
        let ddl = &forest.nodes[3];
        assert_eq!(ddl.releases_if_cancelled, 1);
        assert_eq!(forest.nodes[0].holds, Some((Exclusive, "transactionid 900".to_owned())));
    }

    #[test]
    fn a_queued_ddl_releases_everybody_behind_it() {
        let mut rows = vec![
            lock(1, "relation t", AccessShare, true, None),
            lock(2, "relation t", AccessExclusive, false, Some(50)),
        ];
        let mut edges = vec![(2, 1)];
        for reader in 3..=7 {
            rows.push(lock(reader, "relation t", AccessShare, false, Some(5)));
            edges.push((reader, 2));
        }
        let forest = grow(&[1, 2, 3, 4, 5, 6, 7], &edges, rows);
        assert_eq!(forest.nodes[0].victims, 6);
        assert_eq!(forest.nodes[1].releases_if_cancelled, 5);
        assert_eq!(drawn(&forest), "1 >2 >>~3 >>~4 >>~5 >>~6 >>~7");
    }

    #[test]
    fn a_deadlock_is_a_cycle_and_is_still_shown() {
        let rows = vec![
            lock(1, "a", Exclusive, true, None),
            lock(1, "b", Exclusive, false, Some(1)),
            lock(2, "b", Exclusive, true, None),
            lock(2, "a", Exclusive, false, Some(1)),
            lock(3, "a", Exclusive, false, Some(1)),
        ];
        let forest = grow(&[1, 2, 3], &[(1, 2), (2, 1), (3, 1), (3, 2)], rows);
        assert_eq!(forest.cycles, vec![vec![1, 2]]);
        assert_eq!(forest.nodes.len(), 3, "{}", drawn(&forest));
    }

    #[test]
    fn a_parallel_worker_stands_for_its_leader() {
        let sessions = vec![session(1, None), session(5, None), session(6, Some(5))];
        let reading = LockReading {
            edges: vec![(6, 1), (5, 1)],
            rows: vec![
                lock(1, "relation t", AccessExclusive, true, None),
                lock(6, "relation t", AccessShare, false, Some(3)),
            ],
            ..LockReading::default()
        };
        assert_eq!(drawn(&forest(&sessions, &reading)), "1 >5");
    }

    #[test]
    fn advisory_locks_and_a_blocker_that_is_gone() {
        let rows = vec![
            lock(1, "advisory 42", Exclusive, true, None),
            lock(2, "advisory 42", Exclusive, false, Some(3)),
        ];
        assert_eq!(drawn(&grow(&[2], &[(2, 1)], rows)), "gone1 >2");
        assert_eq!(drawn(&grow(&[1], &[], Vec::new())), "");
    }
}
