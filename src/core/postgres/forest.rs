//! Trees of who waits for whom, as data: every node once, parents before children. Pure.

use super::graph::{Graph, Who};
use super::locks::LockMode;
use super::{BackendId, PostgresReading};
use std::collections::BTreeSet;
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
