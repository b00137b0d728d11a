//! Grows the trees of [`blocking`](super::blocking) from the graph: one parent for every waiter, cycles cut. Pure.

use super::forest::{Edge, Node};
use super::graph::{Graph, Index, Who};
use super::locks::LockMode;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The nodes of the trees, and the cycles that were cut.
pub(super) fn grow(graph: &Graph) -> (Vec<Node>, Vec<Vec<i32>>) {
    let mut builder = Builder {
        graph,
        hard: (0..graph.parties.len()).map(|at| graph.hard(at)).collect(),
        parent: BTreeMap::new(),
        children: BTreeMap::new(),
    };
    builder.attach();
    let cycles = builder.cycles();
    builder.cut_cycles();
    (builder.grow(), cycles)
}

struct Builder<'a> {
    graph: &'a Graph,
    hard: Vec<BTreeSet<Index>>,
    parent: BTreeMap<Index, (Index, Edge)>,
    children: BTreeMap<Index, Vec<Index>>,
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
