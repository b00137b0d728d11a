//! One poll of a search cluster, as data. Every field is optional: versions and services differ in what they say.

use crate::core::part::{self, Part};

/// What one poll of a search cluster read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchReading {
    /// Version and distribution.
    pub identity: Part<Identity>,
    /// The cluster's own verdict.
    pub health: Part<ClusterHealth>,
    /// Every node.
    pub nodes: Part<Vec<SearchNode>>,
    /// Shards that are on no node; read while there are any.
    pub unassigned: Part<Vec<UnassignedShard>>,
    /// Indices that refuse writes because a disk was full.
    pub read_only: Part<Vec<String>>,
    /// Indices whose lifecycle step failed.
    pub lifecycle: Part<Vec<LifecycleError>>,
    /// `cluster.routing.allocation.enable`, where it is not `all`.
    pub allocation: Part<Option<String>>,
}

/// What answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its version.
    pub version: String,
    /// `OpenSearch` or `Elasticsearch`.
    pub product: String,
    /// The cluster's name.
    pub cluster: String,
}

/// `_cluster/health`.
#[derive(Clone, Debug, Default, PartialEq)]
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
    pub active_ratio: Option<f64>,
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchNode {
    /// Its id, stable over restarts of the cluster's other nodes.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its roles, abbreviated.
    pub roles: Vec<String>,
    /// Time since the process started, milliseconds: shrinks with a restart.
    pub uptime_millis: Option<f64>,
    /// Heap in use, 0–1.
    pub heap_ratio: Option<f64>,
    /// CPU of the machine, 0–1.
    pub cpu_ratio: Option<f64>,
    /// Load over one minute.
    pub load: Option<f64>,
    /// Size of its data disks.
    pub disk_total_bytes: Option<f64>,
    /// What is free on them.
    pub disk_free_bytes: Option<f64>,
    /// Searches that wait for a thread.
    pub search_queue: Option<f64>,
    /// Writes that wait for a thread.
    pub write_queue: Option<f64>,
    /// Counter of refused searches and writes.
    pub rejected_total: Option<f64>,
    /// Counter of circuit breakers that tripped.
    pub tripped_total: Option<f64>,
    /// Counter of shard-level searches.
    pub query_total: Option<f64>,
    /// Counter of their time, milliseconds.
    pub query_millis: Option<f64>,
    /// Counter of indexed documents.
    pub index_total: Option<f64>,
    /// Counter of their time, milliseconds.
    pub index_millis: Option<f64>,
    /// Counter of old-generation collections' time, milliseconds.
    pub old_gc_millis: Option<f64>,
    /// Free bytes of a disk below which no shard is put there (low watermark), if the server says so.
    pub low_free_bytes: Option<f64>,
    /// Free bytes below which shards are moved away (high watermark).
    pub high_free_bytes: Option<f64>,
    /// Free bytes below which indices are made read-only (flood stage).
    pub flood_free_bytes: Option<f64>,
}

impl SearchNode {
    /// Share of its disks in use, 0–1.
    #[must_use]
    pub fn disk_ratio(&self) -> Option<f64> {
        let total = self.disk_total_bytes.filter(|total| *total > 0.0)?;
        Some(1.0 - self.disk_free_bytes? / total)
    }
}

/// A shard that is on no node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnassignedShard {
    /// Its index.
    pub index: String,
    /// Its number.
    pub shard: String,
    /// A primary: data cannot be read or written.
    pub primary: bool,
    /// How it became unassigned, as the server says (`NODE_LEFT`, …).
    pub reason: String,
    /// Why it still is, from the allocation explanation; empty where that was not asked.
    pub why: String,
}

/// An index whose lifecycle step failed.
#[derive(Clone, Debug, Default, PartialEq)]
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
}

/// The parts of this reading that could not be read, and the rules that look at them.
#[must_use]
pub fn unread(reading: &SearchReading) -> Vec<part::Unread> {
    part::unread(&[
        (reading.health.gap(), &["search.red", "search.yellow"], "the status of its shards"),
        (
            reading.nodes.gap(),
            &["search.heap", "search.cpu", "search.disk", "search.breaker", "search.rejections"],
            "memory, load, disks and rejections of its nodes",
        ),
        (reading.read_only.gap(), &["search.read_only"], "indices that cannot be written"),
        (reading.lifecycle.gap(), &["search.lifecycle"], "the lifecycle of its indices"),
        (reading.allocation.gap(), &["search.allocation"], "why shards are not assigned"),
    ])
}
