//! From the graph of locks to trees that can be read: every waiter once, below its culprit. Pure.
//!
//! Of all who hold what somebody wants the culprit is the one whose transaction began first; the others are named beside the waiter,
//! and stand below the trees where they have no place of their own. A waiter that nobody but the queue stops hangs below the nearest
//! that stands ahead. What an end would bring is never read from the trees but from the graph: [`Graph::without`].

pub use super::graph::{Aftermath, Graph, Who};

use super::graph::Index;
use super::locks::{LockMode, LockReading};
use super::{BackendId, PostgresReading, Session};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How a node stands in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// It waits for nobody, and others stand below it.
    Root,
    /// It waits for nobody; who waits for it stands below another that has held on for longer.
    AlsoHolds,
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
    /// How it stands in its tree.
    pub edge: Edge,
    /// What it waits for: mode and thing.
    pub wants: Option<(LockMode, String)>,
    /// What it holds that others want: mode and thing.
    pub holds: Option<(LockMode, String)>,
    /// Who else holds what it wants, beside the one above.
    pub others: Vec<Who>,
    /// How long it has been waiting.
    pub waiting: Option<Duration>,
    /// Who waits directly for it.
    pub direct: usize,
    /// Everybody who waits for it, or for one who does.
    pub victims: usize,
    /// The longest wait of those.
    pub longest: Option<Duration>,
    /// It waits itself, and this many wait only for its place in the queue: cancelling it releases them at once.
    pub releases_if_cancelled: usize,
}

/// All trees, the one with the most victims first; then who also holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forest {
    /// Parents before children.
    pub nodes: Vec<Node>,
    /// Deadlocks that the server has not broken yet (it does after `deadlock_timeout`).
    pub cycles: Vec<Vec<i32>>,
    /// Everything from which the trees were made.
    pub graph: Graph,
}

impl Forest {
    /// The culprits, each with its tree below it.
    pub fn roots(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.depth == 0 && node.edge == Edge::Root)
    }

    /// How many wait for a lock in `reading`, of which this is the forest; none when that could not be read. The locks tell it
    /// themselves, unless some of them were left out.
    #[must_use]
    pub fn waiting(&self, reading: &PostgresReading) -> Option<usize> {
        if reading.locks.ready().is_some_and(|locks| locks.missing.is_empty()) {
            return Some(self.graph.waiting());
        }
        let sessions = reading.sessions.ready().filter(|_| reading.server.reads_all_stats)?;
        let waiting = sessions.iter().filter(|session| session.waits_for_lock());
        let leaders: BTreeSet<i32> =
            waiting.map(|session| session.leader_pid.unwrap_or(session.id.pid)).collect();
        Some(leaders.len())
    }

    /// The node of `backend`.
    #[must_use]
    pub fn node(&self, backend: BackendId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.who == Who::Backend(backend))
    }

    /// Everybody below `who` in its tree, nearest first.
    #[must_use]
    pub fn below(&self, who: &Who) -> Vec<&Node> {
        let Some(at) = self.nodes.iter().position(|node| node.who == *who) else {
            return Vec::new();
        };
        let depth = self.nodes[at].depth;
        self.nodes[at + 1..].iter().take_while(|node| node.depth > depth).collect()
    }

    /// Who holds on beside `root`: what those below it want, they hold, too.
    #[must_use]
    pub fn beside(&self, root: &Who) -> Vec<&Who> {
        let mut found: Vec<&Who> = Vec::new();
        for other in self.below(root).into_iter().flat_map(|node| &node.others) {
            let free = self.nodes.iter().any(|node| node.who == *other && node.depth == 0);
            if free && other != root && !found.contains(&other) {
                found.push(other);
            }
        }
        found
    }

    /// The one nearest to `who` in its tree (itself, below or above it) that waits and whose place in the queue stops others.
    #[must_use]
    pub fn queue_head(&self, who: &Who) -> Option<&Node> {
        let at = self.nodes.iter().position(|node| node.who == *who)?;
        let stops = |node: &&Node| node.releases_if_cancelled > 0;
        let mut depth = self.nodes[at].depth;
        let above = self.nodes[..at].iter().rev().filter(move |node| {
            let parent = node.depth < depth;
            depth = depth.min(node.depth);
            parent
        });
        let below = self.below(who).into_iter().filter(stops).max_by_key(|node| node.releases_if_cancelled);
        Some(&self.nodes[at]).filter(stops).or(below).or_else(|| above.into_iter().find(stops))
    }
}

struct Builder<'a> {
    graph: &'a Graph,
    hard: Vec<BTreeSet<Index>>,
    parent: BTreeMap<Index, (Index, Edge)>,
    children: BTreeMap<Index, Vec<Index>>,
}

/// The forest of everybody who waits for a lock.
#[must_use]
pub fn forest(sessions: &[Session], reading: &LockReading) -> Forest {
    let graph = Graph::of(sessions, reading);
    let mut builder = Builder {
        graph: &graph,
        hard: (0..graph.parties.len()).map(|at| graph.hard(at)).collect(),
        parent: BTreeMap::new(),
        children: BTreeMap::new(),
    };
    builder.attach();
    let cycles = builder.cycles();
    builder.cut_cycles();
    let nodes = builder.grow();
    Forest { nodes, cycles, graph }
}

impl Builder<'_> {
    /// Gives every waiter its one parent.
    fn attach(&mut self) {
        for at in 0..self.graph.parties.len() {
            let chosen = match self.culprit(at) {
                Some(holder) => Some((holder, Edge::Holds)),
                None => self.graph.ahead(at).map(|ahead| (ahead, Edge::QueuedBehind)),
            };
            if let Some((parent, edge)) = chosen {
                self.children.entry(parent).or_default().push(at);
                self.parent.insert(at, (parent, edge));
            }
        }
    }

    /// Of those that hold what is wanted: first who waits for nobody itself, then the longest transaction.
    fn culprit(&self, at: Index) -> Option<Index> {
        let rank =
            |holder: &Index| (!self.graph.waits(*holder), self.graph.parties[*holder].age, Reverse(*holder));
        self.hard[at].iter().copied().max_by_key(rank)
    }

    /// Circles of waiters: what is left when those who wait for nobody, and those for whom nobody waits, are taken away again and again.
    fn cycles(&self) -> Vec<Vec<i32>> {
        let mut edges: BTreeMap<Index, BTreeSet<Index>> = BTreeMap::new();
        for (at, (parent, _)) in &self.parent {
            let mut to = self.hard[*at].clone();
            to.insert(*parent);
            edges.insert(*at, to);
        }
        loop {
            let from: BTreeSet<Index> = edges.keys().copied().collect();
            let to: BTreeSet<Index> = edges.values().flatten().copied().collect();
            let before: usize = edges.values().map(BTreeSet::len).sum::<usize>() + edges.len();
            edges.retain(|at, to_these| {
                to_these.retain(|other| from.contains(other));
                to.contains(at) && !to_these.is_empty()
            });
            if edges.values().map(BTreeSet::len).sum::<usize>() + edges.len() == before {
                break;
            }
        }
        let mut cycles: Vec<Vec<i32>> = Vec::new();
        let mut left: BTreeSet<Index> = edges.keys().copied().collect();
        while let Some(first) = left.pop_first() {
            let reached = reach(first, &edges);
            let members: Vec<Index> = left
                .iter()
                .copied()
                .filter(|other| reached.contains(other) && reach(*other, &edges).contains(&first))
                .collect();
            if reached.contains(&first) {
                let all = std::iter::once(first).chain(members.iter().copied());
                cycles.push(all.filter_map(|at| self.graph.parties[at].who.pid()).collect());
            }
            left.retain(|at| !members.contains(at));
        }
        cycles
    }

    /// Makes one member of each circle of parents a root, so that everything can be shown.
    fn cut_cycles(&mut self) {
        let mut settled = BTreeSet::new();
        let waiters: Vec<Index> = self.parent.keys().copied().collect();
        for start in waiters {
            let mut path = Vec::new();
            let mut at = start;
            while !settled.contains(&at) {
                if let Some(first) = path.iter().position(|member| *member == at) {
                    self.cut(&path[first..]);
                    break;
                }
                path.push(at);
                match self.parent.get(&at) {
                    Some((next, _)) => at = *next,
                    None => break,
                }
            }
            settled.extend(path);
        }
    }

    fn cut(&mut self, cycle: &[Index]) {
        let Some(first) = cycle.iter().min_by_key(|at| &self.graph.parties[**at].who).copied() else {
            return;
        };
        if let Some((parent, _)) = self.parent.remove(&first)
            && let Some(children) = self.children.get_mut(&parent)
        {
            children.retain(|child| *child != first);
        }
    }

    fn grow(&self) -> Vec<Node> {
        let is_root = |at: &Index| {
            !self.parent.contains_key(at) && self.children.get(at).is_some_and(|c| !c.is_empty())
        };
        let mut trees: Vec<Vec<Node>> = (0..self.graph.parties.len())
            .filter(is_root)
            .map(|at| {
                let mut nodes = Vec::new();
                self.visit(at, 0, &mut nodes);
                nodes
            })
            .collect();
        trees.sort_by_key(|nodes| Reverse(nodes.len()));
        let mut nodes = trees.concat();
        let placed: BTreeSet<&Who> = nodes.iter().map(|node| &node.who).collect();
        let holders: BTreeSet<Index> = self.hard.iter().flatten().copied().collect();
        let mut also: Vec<Index> =
            holders.into_iter().filter(|at| !placed.contains(&self.graph.parties[*at].who)).collect();
        also.sort_by_key(|at| Reverse(self.graph.parties[*at].age));
        let also: Vec<Node> = also.into_iter().map(|at| self.also_holds(at, &nodes)).collect();
        nodes.extend(also);
        nodes
    }

    /// One whose victims stand below another.
    fn also_holds(&self, at: Index, trees: &[Node]) -> Node {
        let stopped: BTreeSet<&Who> =
            self.graph.stopped_by(at).into_iter().map(|at| &self.graph.parties[at].who).collect();
        let mut victims = BTreeSet::new();
        let mut longest = None;
        let mut inside: Option<usize> = None;
        for node in trees {
            if inside.is_some_and(|depth| node.depth <= depth) {
                inside = None;
            }
            if inside.is_none() && stopped.contains(&node.who) {
                inside = Some(node.depth);
            }
            if inside.is_some() {
                victims.insert(&node.who);
                longest = longest.max(node.waiting);
            }
        }
        Node {
            edge: Edge::AlsoHolds,
            direct: stopped.len(),
            victims: victims.len(),
            longest,
            ..self.node(at, 0)
        }
    }

    /// Adds a party and everybody below it; returns how many those are and their longest wait.
    fn visit(&self, party: Index, depth: usize, nodes: &mut Vec<Node>) -> (usize, Option<Duration>) {
        let at = nodes.len();
        nodes.push(self.node(party, depth));
        let mut victims = 0;
        let mut longest = None;
        let mut children = self.children.get(&party).cloned().unwrap_or_default();
        children.sort_by_key(|child| Reverse(self.wait(*child)));
        for child in &children {
            let (below, wait) = self.visit(*child, depth + 1, nodes);
            victims += below + 1;
            longest = longest.max(wait).max(self.wait(*child));
        }
        let queued = children
            .iter()
            .any(|child| self.parent.get(child).is_some_and(|(_, edge)| *edge == Edge::QueuedBehind));
        let node = &mut nodes[at];
        node.direct = children.len();
        node.victims = victims;
        node.longest = longest;
        if queued && node.wants.is_some() {
            let who = std::slice::from_ref(&node.who);
            node.releases_if_cancelled = self.graph.without(who).released.len();
        }
        (victims, longest)
    }

    fn wait(&self, at: Index) -> Option<Duration> {
        self.graph.claims(at).filter_map(|(_, _, claim)| claim.waiting).max()
    }

    fn node(&self, at: Index, depth: usize) -> Node {
        let parent = self.parent.get(&at);
        let edge = parent.map_or(Edge::Root, |(_, edge)| *edge);
        let above = parent.map(|(parent, _)| *parent);
        let mut others: Vec<Index> =
            self.hard[at].iter().copied().filter(|other| Some(*other) != above).collect();
        others.sort_by_key(|other| Reverse(self.graph.parties[*other].age));
        let wants = self.graph.claims(at).next().map(|(thing, _, claim)| (claim.mode, thing.object.clone()));
        Node {
            who: self.graph.parties[at].who.clone(),
            depth,
            edge,
            wants,
            holds: self.holds(at),
            others: others.into_iter().map(|other| self.graph.parties[other].who.clone()).collect(),
            waiting: self.wait(at),
            direct: 0,
            victims: 0,
            longest: None,
            releases_if_cancelled: 0,
        }
    }

    /// Of what it holds and others want: the first, in the strongest mode.
    fn holds(&self, at: Index) -> Option<(LockMode, String)> {
        self.graph.things.iter().find_map(|thing| {
            let held = thing.holders.iter().filter(|(holder, _)| *holder == at).map(|(_, mode)| *mode);
            let wanted = |mode: &LockMode| {
                thing.queue.iter().any(|claim| claim.party != at && mode.conflicts(claim.mode))
            };
            Some((held.filter(wanted).max()?, thing.object.clone()))
        })
    }
}

/// Everybody who can be reached from `from`, itself only where a way leads back.
fn reach(from: Index, edges: &BTreeMap<Index, BTreeSet<Index>>) -> BTreeSet<Index> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for next in edges.get(&at).into_iter().flatten() {
            if reached.insert(*next) {
                open.push(*next);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::super::SessionState;
    use super::super::locks::{LockRow, PreparedTransaction};
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
            blockers: Vec::new(),
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

    fn grow(pids: &[i32], rows: Vec<LockRow>) -> Forest {
        let sessions: Vec<Session> = pids.iter().map(|pid| session(*pid, None)).collect();
        let prepared = vec![PreparedTransaction {
            gid: "tx1".to_owned(),
            xid: "900".to_owned(),
            owner: "ana".to_owned(),
            database: "app".to_owned(),
            age: Duration::from_secs(60),
        }];
        let reading = LockReading { rows, prepared, ..LockReading::default() };
        forest(&sessions, &reading)
    }

    use LockMode::{AccessExclusive, AccessShare, Exclusive, RowExclusive, Share, ShareRowExclusive};

    /// The same where transactions have ages, in seconds, by pid.
    fn aged(ages: &[(i32, u64)], rows: Vec<LockRow>) -> Forest {
        let sessions: Vec<Session> = ages
            .iter()
            .map(|(pid, age)| Session {
                transaction_age: Some(Duration::from_secs(*age)),
                ..session(*pid, None)
            })
            .collect();
        forest(&sessions, &LockReading { rows, ..LockReading::default() })
    }

    /// What follows from the end of these: `released | moves up | held<by`.
    #[track_caller]
    fn check_end(forest: &Forest, gone: &[i32], expected: &str) {
        let id = |pid: &i32| Who::Backend(session(*pid, None).id);
        let after = forest.graph.without(&gone.iter().map(id).collect::<Vec<_>>());
        let names = |list: &[Who]| list.iter().map(Who::name).collect::<Vec<_>>().join(" ");
        let held: Vec<String> =
            after.held.iter().map(|(who, by)| format!("{}<{}", who.name(), names(by))).collect();
        let told = format!("{} | {} | {}", names(&after.released), names(&after.moves_up), held.join(" "));
        assert_eq!(told, expected, "after the end of {gone:?}: {}", drawn(forest));
    }

    #[test]
    fn all_who_hold_on_are_known_and_the_oldest_is_the_culprit() {
        let rows = vec![
            lock(1, "relation t", Share, true, None),
            lock(2, "relation t", Share, true, None),
            lock(3, "relation t", RowExclusive, false, Some(9)),
        ];
        let forest = aged(&[(1, 10), (2, 60), (3, 9)], rows);
        assert_eq!(drawn(&forest), "2 >3 1");
        let edges: Vec<Edge> = forest.nodes.iter().map(|node| node.edge).collect();
        assert_eq!(edges, [Edge::Root, Edge::Holds, Edge::AlsoHolds]);
        assert_eq!(forest.nodes[1].others, [Who::Backend(session(1, None).id)]);
        assert_eq!((forest.nodes[2].victims, forest.nodes[2].direct), (1, 1));
        assert_eq!(forest.roots().count(), 1);
        check_end(&forest, &[2], " |  | 3<1");
        check_end(&forest, &[1], " |  | 3<2");
        check_end(&forest, &[1, 2], "3 |  | ");
    }

    #[test]
    fn a_migration_behind_four_readers_with_a_queue_behind_it() {
        let mut rows: Vec<LockRow> =
            (1..=4).map(|pid| lock(pid, "relation t", AccessShare, true, None)).collect();
        rows.push(lock(5, "relation t", AccessExclusive, false, Some(50)));
        rows.extend((6..=8).map(|pid| lock(pid, "relation t", AccessShare, false, Some(40 - pid as u64))));
        // It began last of the readers and stands first in the list: it is not the culprit.
        let forest = aged(&[(1, 5), (2, 100), (3, 70), (4, 80), (5, 51), (6, 1), (7, 1), (8, 1)], rows);
        assert_eq!(drawn(&forest), "2 >5 >>~6 >>~7 >>~8 4 3 1");
        assert_eq!(forest.nodes[1].others.len(), 3);
        assert_eq!(forest.nodes[1].releases_if_cancelled, 3);
        for pid in [2, 4, 5, 7] {
            let head = forest.queue_head(&Who::Backend(session(pid, None).id)).map(|node| node.who.name());
            let expected = if pid == 4 { None } else { Some("5".to_owned()) };
            assert_eq!(head, expected, "from {pid}");
        }
        check_end(&forest, &[2], " |  | 5<1 3 4 6<1 3 4 7<1 3 4 8<1 3 4");
        check_end(&forest, &[5], "6 7 8 |  | ");
        check_end(&forest, &[1, 2, 3, 4], "5 | 6 7 8 | ");
    }

    #[test]
    fn who_holds_already_is_served_before_who_came_earlier() {
        // 2 has SHARE and 3 wants to write; then 2 asks for more: the server puts it before 3, or both would wait for ever.
        let rows = vec![
            lock(1, "relation t", Share, true, None),
            lock(2, "relation t", Share, true, None),
            lock(3, "relation t", RowExclusive, false, Some(30)),
            lock(2, "relation t", ShareRowExclusive, false, Some(10)),
            lock(4, "relation t", Share, false, Some(5)),
        ];
        let forest = aged(&[(1, 99), (2, 50), (3, 30), (4, 5)], rows);
        assert_eq!(forest.cycles, Vec::<Vec<i32>>::new());
        assert_eq!(drawn(&forest), "1 >3 >>~4 >2");
        check_end(&forest, &[1], "2 | 3 4 | ");
    }

    #[test]
    fn a_deadlock_is_found_although_a_free_holder_stands_beside() {
        let rows = vec![
            lock(1, "a", Share, true, None),
            lock(2, "a", Share, true, None),
            lock(3, "b", Exclusive, true, None),
            lock(3, "a", Exclusive, false, Some(5)),
            lock(2, "b", Exclusive, false, Some(4)),
        ];
        let forest = aged(&[(1, 10), (2, 20), (3, 30)], rows);
        assert_eq!(forest.cycles, vec![vec![2, 3]]);
        assert_eq!(drawn(&forest), "1 >3 >>2");
        // The end of the one that is free ends no deadlock.
        check_end(&forest, &[1], " |  | 3<2");
        check_end(&forest, &[2], " |  | 3<1");
    }

    #[test]
    fn without_a_beginning_the_order_is_the_servers_word() {
        // Statements of the same age: 3 came after 4, as the server says.
        let mut first = lock(3, "relation t", AccessShare, false, None);
        first.blockers = vec![4];
        let rows = vec![
            lock(1, "relation t", AccessShare, true, None),
            first,
            lock(4, "relation t", AccessExclusive, false, None),
        ];
        assert_eq!(drawn(&grow(&[1, 3, 4], rows)), "1 >4 >>~3");
    }

    #[test]
    fn eighty_waiters_on_one_row_have_one_culprit() {
        let mut rows = vec![lock(1, "transactionid 700", Exclusive, true, None)];
        for waiter in 2..=81 {
            let first = waiter == 2;
            if first {
                rows.push(lock(2, "tuple 5", Exclusive, true, None));
                rows.push(lock(2, "transactionid 700", Share, false, Some(100)));
            } else {
                rows.push(lock(waiter, "tuple 5", Exclusive, false, Some(100 - u64::from(waiter as u32))));
            }
        }
        let pids: Vec<i32> = (1..=81).collect();
        let forest = grow(&pids, rows);
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
        let forest = grow(&[11, 12, 13, 14], rows);
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
        for reader in 3..=7 {
            rows.push(lock(reader, "relation t", AccessShare, false, Some(5)));
        }
        let forest = grow(&[1, 2, 3, 4, 5, 6, 7], rows);
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
        let forest = grow(&[1, 2, 3], rows);
        assert_eq!(forest.cycles, vec![vec![1, 2]]);
        assert_eq!(forest.nodes.len(), 3, "{}", drawn(&forest));
    }

    #[test]
    fn a_parallel_worker_stands_for_its_leader() {
        let sessions = vec![session(1, None), session(5, None), session(6, Some(5))];
        let reading = LockReading {
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
        assert_eq!(drawn(&grow(&[2], rows)), "gone1 >2");
        assert_eq!(drawn(&grow(&[1], Vec::new())), "");
    }
}
