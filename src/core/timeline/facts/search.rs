//! What of a search cluster is compared: its nodes, their starts, its version, whether shards may be moved. Pure.

use super::change::{Change, Settings, moved, on, set};
use crate::core::place::Screen;
use crate::core::search::{SearchNode, SearchState};
use crate::core::text::counted;
use crate::core::time::Now;
use crate::core::timeline::event::Kind;
use std::collections::BTreeMap;

/// So many nodes are named in one sentence.
const NAMED: usize = 5;

/// What was known at the newest look.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SearchFacts {
    version: Option<String>,
    settings: Settings,
    /// Name and milliseconds since its start, by id.
    nodes: BTreeMap<String, (String, Option<f64>)>,
    read_at: Option<Now>,
}

impl SearchFacts {
    pub(super) fn follow(&mut self, state: &SearchState) -> Vec<Change> {
        let Some(reading) = state.reading() else { return Vec::new() };
        let mut changes = Vec::new();
        let version = reading.identity.ready().map(|identity| identity.version.clone());
        if let Some((old, new)) = moved(&mut self.version, version) {
            let words = format!("version {old} became {new}");
            changes.push(Change::new(Kind::Version, words, on(Screen::Search)));
        }
        let allocation = reading.allocation.ready().map(|found| (**found).clone());
        let allocation = allocation.map(|found| found.unwrap_or_else(|| "all".to_owned()));
        let settings = Settings::from([("cluster.routing.allocation.enable", allocation)]);
        changes.extend(set(&mut self.settings, settings, &on(Screen::Search)));
        if let Some(nodes) = reading.nodes.ready()
            && self.read_at != Some(nodes.read_at)
        {
            let first = self.read_at.replace(nodes.read_at).is_none();
            changes.extend(self.nodes(nodes, first));
        }
        changes
    }

    fn nodes(&mut self, nodes: &[SearchNode], first: bool) -> Vec<Change> {
        let now: BTreeMap<String, (String, Option<f64>)> =
            nodes.iter().map(|node| (node.id.clone(), (node.name.clone(), node.uptime_millis))).collect();
        let before = std::mem::replace(&mut self.nodes, now);
        if first {
            return Vec::new();
        }
        let of = |some: &BTreeMap<String, (String, Option<f64>)>, others: &BTreeMap<String, _>| {
            let names = some.iter().filter(|(id, _)| !others.contains_key(*id));
            names.map(|(_, (name, _))| name.clone()).collect::<Vec<_>>()
        };
        let left = of(&before, &self.nodes);
        let joined = of(&self.nodes, &before);
        let again: Vec<String> = self
            .nodes
            .iter()
            .filter(|(id, (_, up))| {
                let was = before.get(*id).and_then(|(_, up)| *up);
                up.zip(was).is_some_and(|(now, was)| now < was)
            })
            .map(|(_, (name, _))| name.clone())
            .collect();
        let told = |kind, names: Vec<String>, word: &str| {
            (!names.is_empty())
                .then(|| Change::new(kind, format!("{} {word}", listed(&names)), on(Screen::Search)))
        };
        let count = counted(self.nodes.len(), "node");
        [
            told(Kind::Nodes, left, &format!("left the cluster, which has {count} now")),
            told(Kind::Nodes, joined, &format!("joined the cluster, which has {count} now")),
            told(Kind::Restarted, again, "began anew"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn listed(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}
