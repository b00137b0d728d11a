//! One poll of a search cluster, as data. Every field is optional: versions and services differ in what they say.

use super::action::Keeper;
use super::look::SearchLooks;
use super::looked::{Indicator, SnapshotPolicy};
use super::unassigned::Unassigned;
use crate::core::exact;
use crate::core::part::{Part, Warm};
use crate::core::text::{sized, tidy};
use crate::core::whereabouts::Whereabouts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// Indices that something is wrong with beyond these are not looked up: nothing is done to them from here.
pub const MOST_MARKS: usize = 100;

/// What one poll of a search cluster read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchReading {
    /// Version and distribution.
    pub identity: Part<Warm<Identity>>,
    /// The cluster's own verdict.
    pub health: Part<ClusterHealth>,
    /// What the node says where it knows no master: nothing can be written, created or moved then.
    pub no_master: Option<String>,
    /// Every node.
    pub nodes: Part<Warm<Vec<SearchNode>>>,
    /// Shards that are on no node; read while there are any.
    pub unassigned: Part<Warm<Unassigned>>,
    /// Indices that refuse writes because a disk was full.
    pub read_only: Part<Warm<Vec<String>>>,
    /// Indices whose lifecycle step failed.
    pub lifecycle: Part<Warm<Vec<LifecycleError>>>,
    /// `cluster.routing.allocation.enable`, where it is not `all`.
    pub allocation: Part<Warm<Option<String>>>,
    /// Who the indices are that something is wrong with: the first [`MOST_MARKS`] of them.
    pub marks: Part<Warm<Vec<IndexMark>>>,
    /// What the server says of itself (8.7 and newer).
    pub report: Part<Warm<Vec<Indicator>>>,
    /// What makes snapshots by itself, with how that went last.
    pub policies: Part<Warm<Vec<SnapshotPolicy>>>,
    /// What is read only while somebody looks at it.
    pub looks: SearchLooks,
    /// Where it is.
    #[serde(default)]
    pub whereabouts: Whereabouts,
    /// What was left out, in sentences: no limit is silent.
    pub limits: Vec<String>,
    /// Questions that are on their way longer than usual, and since when.
    pub waiting: Vec<(String, Duration)>,
}

impl SearchReading {
    /// Where it is.
    #[must_use]
    pub const fn whereabouts(&self) -> Option<&Whereabouts> {
        Some(&self.whereabouts)
    }

    /// Who an index is, if that was read.
    #[must_use]
    pub fn mark(&self, index: &str) -> Option<&IndexMark> {
        self.marks.ready()?.into_iter().find(|mark| mark.index == index)
    }

    /// The names of the indices that something is wrong with, each once, the first [`MOST_MARKS`].
    #[must_use]
    pub fn wanted_marks(&self) -> Vec<String> {
        let blocked = self.read_only.ready().into_iter().flatten();
        let failing = self.lifecycle.ready().into_iter().flatten().map(|failed| &failed.index);
        let away = self.unassigned.ready().into_iter().flat_map(|away| &away.shards);
        let mut seen = BTreeSet::new();
        let all = blocked.chain(failing).chain(away.map(|shard| &shard.index));
        all.filter(|name| seen.insert(*name)).take(MOST_MARKS).cloned().collect()
    }
}

/// Who an index is, and how many copies it wants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexMark {
    /// Its name.
    pub index: String,
    /// Its uuid: another index by that name has another.
    pub uuid: String,
    /// Copies of each shard that it wants beside the primary.
    pub replicas: Option<u64>,
    /// `index.auto_expand_replicas`, where the cluster sets their number by itself.
    pub auto_expand: Option<String>,
}

/// What answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its version.
    pub version: String,
    /// `OpenSearch` or `Elasticsearch`.
    pub product: String,
    /// The cluster's name.
    pub cluster: String,
}

/// `_cluster/health`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterHealth {
    /// `green`, `yellow` or `red`.
    pub status: String,
    /// All nodes.
    pub nodes: Option<u64>,
    /// Data nodes.
    pub data_nodes: Option<u64>,
    /// Assigned shards.
    pub active_shards: Option<u64>,
    /// Shards on their way.
    pub relocating: Option<u64>,
    /// Shards being built.
    pub initializing: Option<u64>,
    /// Shards on no node.
    pub unassigned: Option<u64>,
    /// Cluster tasks that wait for the master.
    pub pending_tasks: Option<u64>,
    /// Share of shards that are assigned, 0–1.
    #[serde(with = "exact")]
    pub active_ratio: Option<f64>,
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchNode {
    /// Its id, stable over restarts of the cluster's other nodes.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its roles, abbreviated.
    pub roles: Vec<String>,
    /// Time since the process started, milliseconds: shrinks with a restart.
    #[serde(with = "exact")]
    pub uptime_millis: Option<f64>,
    /// Heap in use, 0–1.
    #[serde(with = "exact")]
    pub heap_ratio: Option<f64>,
    /// CPU of the machine, 0–1.
    #[serde(with = "exact")]
    pub cpu_ratio: Option<f64>,
    /// Load over one minute.
    #[serde(with = "exact")]
    pub load: Option<f64>,
    /// Size of its data disks.
    #[serde(with = "exact")]
    pub disk_total_bytes: Option<f64>,
    /// What is free on them.
    #[serde(with = "exact")]
    pub disk_free_bytes: Option<f64>,
    /// Searches that wait for a thread.
    #[serde(with = "exact")]
    pub search_queue: Option<f64>,
    /// Writes that wait for a thread.
    #[serde(with = "exact")]
    pub write_queue: Option<f64>,
    /// Counter of refused searches and writes.
    #[serde(with = "exact")]
    pub rejected_total: Option<f64>,
    /// Counter of circuit breakers that tripped.
    #[serde(with = "exact")]
    pub tripped_total: Option<f64>,
    /// Counter of shard-level searches.
    #[serde(with = "exact")]
    pub query_total: Option<f64>,
    /// Counter of their time, milliseconds.
    #[serde(with = "exact")]
    pub query_millis: Option<f64>,
    /// Counter of indexed documents.
    #[serde(with = "exact")]
    pub index_total: Option<f64>,
    /// Counter of their time, milliseconds.
    #[serde(with = "exact")]
    pub index_millis: Option<f64>,
    /// Counter of old-generation collections' time, milliseconds.
    #[serde(with = "exact")]
    pub old_gc_millis: Option<f64>,
    /// Free bytes of a disk below which no shard is put there (low watermark), if the server says so.
    #[serde(with = "exact")]
    pub low_free_bytes: Option<f64>,
    /// Free bytes below which shards are moved away (high watermark).
    #[serde(with = "exact")]
    pub high_free_bytes: Option<f64>,
    /// Free bytes below which indices are made read-only (flood stage).
    #[serde(with = "exact")]
    pub flood_free_bytes: Option<f64>,
    /// The cluster's settings are not known: whether the server acts on these marks is not, either.
    #[serde(default)]
    pub marks_assumed: bool,
}

impl SearchNode {
    /// Share of its disks in use, 0–1.
    #[must_use]
    pub fn disk_ratio(&self) -> Option<f64> {
        let total = self.disk_total_bytes.filter(|total| *total > 0.0)?;
        Some(1.0 - self.disk_free_bytes? / total)
    }
}

impl SearchNode {
    /// Whether indices may be on it; a node that does not tell its roles may hold some.
    #[must_use]
    pub fn holds_data(&self) -> bool {
        self.roles.is_empty() || self.roles.iter().any(|role| role.starts_with("data"))
    }

    /// The figures, where its disk is past the high watermark or the flood stage: a block that is taken off comes back then.
    #[must_use]
    pub fn past_its_marks(&self) -> Option<String> {
        let free = self.disk_free_bytes.filter(|_| !self.is_frozen())?;
        let past = |mark: Option<f64>, name| mark.filter(|mark| free < *mark).map(|mark| (mark, name));
        let (mark, name) = past(self.flood_free_bytes, "flood stage")
            .or_else(|| past(self.high_free_bytes, "high watermark"))?;
        let (node, free, mark) = (tidy(&self.name, 30), sized(free), sized(mark));
        Some(format!("the disk of node {node} is past its {name}: {free} free, {mark} are wanted"))
    }

    /// Whether its disk has no marks: the server does not watch it.
    #[must_use]
    pub fn is_unwatched(&self) -> bool {
        self.holds_data()
            && self.disk_ratio().is_some()
            && self.low_free_bytes.is_none()
            && self.flood_free_bytes.is_none()
    }

    /// Whether it holds nothing but frozen data: a cache that fills its disk by design.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        let mut data = self.roles.iter().filter(|role| role.starts_with("data")).peekable();
        data.peek().is_some() && data.all(|role| role == "data_frozen")
    }
}

/// How many nodes with data did not tell how they are, of those that the cluster counts; nothing where all did.
#[must_use]
pub fn unheard_nodes(nodes: &[SearchNode], there: Option<u64>) -> Option<String> {
    let heard = nodes.iter().filter(|node| node.holds_data()).count() as u64;
    let there = there.filter(|there| *there > heard)?;
    Some(format!("{} of {there} data nodes did not tell how they are", there - heard))
}

/// The same, or a node that does not tell what of its disk is free: past which marks it is nobody knows.
#[must_use]
pub fn unknown_disk(nodes: &[SearchNode], there: Option<u64>) -> Option<String> {
    let dark = || {
        let dark = nodes
            .iter()
            .find(|node| node.holds_data() && !node.is_frozen() && node.disk_free_bytes.is_none())?;
        Some(format!("node {} does not tell how much of its disk is free", tidy(&dark.name, 30)))
    };
    unheard_nodes(nodes, there).or_else(dark)
}

/// An index whose lifecycle step failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LifecycleError {
    /// The index.
    pub index: String,
    /// The policy.
    pub policy: String,
    /// The step that failed.
    pub step: String,
    /// Why.
    pub reason: String,
    /// It is tried again by itself; how often so far.
    pub retries: Option<u64>,
    /// Who keeps the lifecycle.
    #[serde(default)]
    pub keeper: Keeper,
    /// It stands still at the failed step now: only then the server takes a retry.
    #[serde(default)]
    pub stands: bool,
}
