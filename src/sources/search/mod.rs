//! Asks an Elasticsearch or OpenSearch cluster. Each question costs its own part only; nothing here changes anything.

mod decode;
mod watermark;

use super::http::Http;
use super::json;
use super::{Source, look};
use crate::config::target::HttpConnect;
use crate::core::focus::Focus;
use crate::core::part::{Gap, GapKind, Part};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::search::{Identity, SearchNode, SearchReading, UnassignedShard};
use crate::core::time::Now;
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::time::Duration;
use watermark::Watermarks;

/// Settings, blocks and lifecycles are read this often: they change seldom and cost the master work.
const SLOW_EACH: Duration = Duration::from_secs(30);
/// So many shards are explained each time: one explanation costs the master a simulation.
const EXPLAINED: usize = 3;

const HEALTH: &str = "/_cluster/health?timeout=0s&master_timeout=2s";
const NODES: &str = "/_nodes/stats/jvm,os,fs,thread_pool,breaker,indices?filter_path=nodes.*.name,nodes.*.roles,\
    nodes.*.jvm.uptime_in_millis,nodes.*.jvm.mem.heap_used_percent,nodes.*.jvm.gc.collectors.old.collection_time_in_millis,\
    nodes.*.os.cpu,nodes.*.fs.total,nodes.*.fs.data,nodes.*.thread_pool.search,nodes.*.thread_pool.write,\
    nodes.*.breakers.*.tripped,nodes.*.indices.search,nodes.*.indices.indexing";
/// Where `/` is refused or not there.
const VERSIONS: &str = "/_nodes?filter_path=cluster_name,nodes.*.version";
const SETTINGS: &str = "/_cluster/settings?include_defaults=true&flat_settings=true&filter_path=*.cluster*";
const SHARDS: &str = "/_cat/shards?format=json&h=index,shard,prirep,state,unassigned.reason&s=prirep,index";
const BLOCKS: &str = "/_all/_settings/index.blocks.read_only_allow_delete?flat_settings=true&expand_wildcards=all&ignore_unavailable=true";
const LIFECYCLE: &str = "/_all/_ilm/explain?only_errors=true&expand_wildcards=all";
const ISM: &str = "/_plugins/_ism/explain";

/// Asks one cluster.
#[derive(Debug)]
pub struct SearchSource {
    connect: HttpConnect,
    http: Option<Http>,
    identity: Part<Identity>,
    watermarks: Watermarks,
    slow_at: Option<Now>,
}

impl SearchSource {
    /// A source for this cluster; nothing is connected yet.
    #[must_use]
    pub fn new(connect: HttpConnect) -> Self {
        Self {
            connect,
            http: None,
            identity: Part::NotAsked,
            watermarks: Watermarks::default(),
            slow_at: None,
        }
    }

    async fn read(&mut self, now: Now) -> Result<SearchReading, PollError> {
        let http = match self.http.take() {
            Some(http) => http,
            None => Http::open(&self.connect).await?,
        };
        let result = self.ask(&http, now).await;
        self.http = Some(http);
        result
    }

    async fn ask(&mut self, http: &Http, now: Now) -> Result<SearchReading, PollError> {
        if self.identity.ready().is_none() {
            self.identity = part(http, "/", decode::IDENTITY, decode::identity).await?;
            if self.identity.ready().is_none() {
                self.identity = part(http, VERSIONS, decode::VERSIONS, decode::version_of_nodes).await?;
            }
        }
        // Some services refuse `/`; the cluster's health is what decides whether this is a search cluster at all.
        let health = part(http, HEALTH, decode::HEALTH, decode::health).await?;
        if let (Some(gap), None) = (health.gap(), self.identity.ready()) {
            return Err(unfit(http, gap));
        }
        let mut nodes = part(http, NODES, decode::NODES, decode::nodes).await?;
        let mut reading = SearchReading { identity: self.identity.clone(), ..SearchReading::default() };
        if self.slow_at.is_none_or(|at| now.since(at) >= SLOW_EACH) {
            self.slow(http, &mut reading).await?;
            self.slow_at = Some(now);
        }
        if let Part::Ready(nodes) = &mut nodes {
            for node in nodes.iter_mut() {
                self.mark(node);
            }
        }
        let missing = health.ready().and_then(|health| health.unassigned).unwrap_or(0);
        reading.unassigned = if missing > 0 { self.unassigned(http).await? } else { Part::Ready(Vec::new()) };
        (reading.health, reading.nodes) = (health, nodes);
        Ok(reading)
    }

    fn mark(&self, node: &mut SearchNode) {
        let Some(total) = node.disk_total_bytes else { return };
        let marks = &self.watermarks;
        node.low_free_bytes = node.low_free_bytes.or(Some(marks.low.free_bytes(total)));
        node.high_free_bytes = node.high_free_bytes.or(Some(marks.high.free_bytes(total)));
        node.flood_free_bytes = node.flood_free_bytes.or(Some(marks.flood.free_bytes(total)));
    }

    async fn slow(&mut self, http: &Http, reading: &mut SearchReading) -> Result<(), PollError> {
        let settings = part(http, SETTINGS, watermark::SETTINGS, |value| Some(value.clone())).await?;
        if let Some(settings) = settings.ready() {
            self.watermarks = watermark::read(settings);
        }
        reading.allocation = match settings {
            Part::Ready(settings) => Part::Ready(watermark::allocation(&settings)),
            Part::Unavailable(gap) => Part::Unavailable(gap),
            Part::NotAsked => Part::NotAsked,
        };
        reading.read_only = part(http, BLOCKS, decode::BLOCKS, decode::read_only).await?;
        let open_search = self.identity.ready().is_some_and(|identity| identity.product == "OpenSearch");
        reading.lifecycle = if open_search {
            part(http, ISM, decode::ISM, decode::ism).await?
        } else {
            part(http, LIFECYCLE, decode::LIFECYCLE, decode::lifecycle).await?
        };
        Ok(())
    }

    async fn unassigned(&self, http: &Http) -> Result<Part<Vec<UnassignedShard>>, PollError> {
        let mut shards = part(http, SHARDS, decode::SHARDS, decode::shards).await?;
        if let Part::Ready(shards) = &mut shards {
            for shard in shards.iter_mut().take(EXPLAINED) {
                let number: u64 = shard.shard.parse().unwrap_or(0);
                let body =
                    serde_json::json!({"index": shard.index, "shard": number, "primary": shard.primary});
                // Refused or gone meanwhile: how it became unassigned still stands there.
                if let Ok(answer) = http.post_json("/_cluster/allocation/explain", &body).await
                    && let Some(value) = json::read(&answer.body, decode::EXPLANATION)
                {
                    shard.why = decode::explanation(&value);
                }
            }
        }
        Ok(shards)
    }
}

/// One part by a `GET`; only a connection that fails is an error of the whole poll.
async fn part<T>(
    http: &Http,
    path: &str,
    paths: &[&'static str],
    decode: impl FnOnce(&Value) -> Option<T>,
) -> Result<Part<T>, PollError> {
    let answer = http.get(path, &[]).await?;
    if let Some(refusal) = http.refusal(&answer) {
        let kind = match refusal.kind {
            PollErrorKind::Credentials | PollErrorKind::NotPermitted => GapKind::NotPermitted,
            PollErrorKind::WrongServer => GapKind::NotSupported,
            _ if answer.status == 400 || answer.status == 405 => GapKind::NotSupported,
            _ => GapKind::Failed,
        };
        if kind == GapKind::NotSupported {
            return Ok(Part::Unavailable(Gap::new(
                kind,
                format!("not available on this server ({})", answer.status.as_u16()),
            )));
        }
        let remedy = refusal.remedy.map(|remedy| format!("; {remedy}")).unwrap_or_default();
        return Ok(Part::Unavailable(Gap::new(kind, format!("{}{remedy}", refusal.message))));
    }
    let read = json::read(&answer.body, paths).and_then(|value| decode(&value));
    Ok(read.map_or_else(
        || {
            Part::Unavailable(Gap::new(
                GapKind::Failed,
                format!("{} gave an answer that is not understood", http.shown()),
            ))
        },
        Part::Ready,
    ))
}

fn unfit(http: &Http, gap: &Gap) -> PollError {
    match gap.kind {
        GapKind::NotPermitted => PollError::new(PollErrorKind::Credentials, gap.note.clone()),
        GapKind::NotSupported | GapKind::Failed | GapKind::TimedOut => PollError::new(
            PollErrorKind::WrongServer,
            format!("{} answers, but not as a search cluster does: {}", http.shown(), gap.note),
        )
        .remedy("check the port"),
    }
}

impl Source for SearchSource {
    fn poll<'a>(&'a mut self, now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move { self.read(now).await.map(|reading| Reading::Search(Box::new(reading))) })
    }

    fn look(&self) -> Option<BoxFuture<'static, bool>> {
        look::http(&self.connect)
    }
}
