//! Asks an Elasticsearch or OpenSearch cluster. Its health decides whether anything is known; each other question runs beside it with a
//! limit of its own and costs its own part only. Nothing here changes anything.

mod decode;
mod looks;
mod questions;
pub(crate) mod standing;
mod watermark;
mod why;

use super::beside::Beside;
use super::http::{Http, within};
use super::json;
use super::{Source, knock};
use crate::config::target::HttpConnect;
use crate::core::doctor::Report;
use crate::core::focus::Focus;
use crate::core::part::{Gap, GapKind, Part};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::search::{
    ClusterHealth, Identity, IndexMark, Indicator, SearchNode, SearchReading, SnapshotPolicy, Unassigned,
    UnassignedShard,
};
use crate::core::time::Now;
use crate::core::whereabouts::Whereabouts;
use futures_util::future::BoxFuture;
use looks::Looks;
use questions::{BESIDE, GRACE, Lifecycles, PATIENCE, POLICIES_EACH, REPORT_EACH, SHARDS_EACH, SLOW_EACH};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use watermark::Watermarks;
use why::Group;

/// So many groups of shards are explained each time: one explanation costs the master a simulation.
const EXPLAINED: usize = 5;
/// An explanation holds for this long while its group is there.
const EXPLANATION_HOLDS: Duration = Duration::from_secs(120);

/// How long an explanation holds: what says that its turn comes soon holds until then.
fn holds(words: &str) -> Duration {
    let passing = ["replica_after_primary_active", "throttling"].iter().any(|name| words.contains(name));
    if passing { SHARDS_EACH } else { EXPLANATION_HOLDS }
}

/// So many tasks wait for a master that struggles: what is not needed for the verdict is asked less often then.
const STRUGGLES: u64 = 50;

/// How many times less often a master is asked for what changes seldom.
fn slower(health: &ClusterHealth) -> u32 {
    if health.pending_tasks.is_some_and(|tasks| tasks >= STRUGGLES) { 4 } else { 1 }
}

/// Why groups of shards are on no node, and when that was asked.
type Explained = BTreeMap<Group, (String, Now)>;

/// Asks one cluster.
#[derive(Debug)]
pub struct SearchSource {
    connect: HttpConnect,
    /// What its health may take: less than the whole poll, so that this failure has its own words.
    limit: Duration,
    http: Option<Arc<Http>>,
    /// The parts that are not read at every poll, as they were read last.
    known: SearchReading,
    identity: Beside<Identity>,
    nodes: Beside<Vec<SearchNode>>,
    settings: Beside<Value>,
    blocks: Beside<Vec<String>>,
    lifecycle: Beside<Lifecycles>,
    /// Which lifecycles are not read, since they were read last.
    unread: Option<String>,
    unassigned: Beside<(Vec<UnassignedShard>, Explained)>,
    marks: Beside<Vec<IndexMark>>,
    report: Beside<Vec<Indicator>>,
    policies: Beside<Vec<SnapshotPolicy>>,
    /// The indices that were asked for last.
    marked: Vec<String>,
    looks: Looks,
    explained: Explained,
    watermarks: Watermarks,
}

impl SearchSource {
    /// A source for this cluster whose polls may take `timeout`; nothing is connected yet.
    #[must_use]
    pub fn new(connect: HttpConnect, timeout: Duration) -> Self {
        Self {
            connect,
            limit: timeout.mul_f64(0.8),
            http: None,
            known: SearchReading::default(),
            identity: Beside::default(),
            nodes: Beside::default(),
            settings: Beside::default(),
            blocks: Beside::default(),
            lifecycle: Beside::default(),
            unread: None,
            unassigned: Beside::default(),
            marks: Beside::default(),
            report: Beside::default(),
            policies: Beside::default(),
            marked: Vec::new(),
            looks: Looks::default(),
            explained: Explained::new(),
            watermarks: Watermarks::default(),
        }
    }

    async fn read(&mut self, now: Now, focus: &[Focus]) -> Result<SearchReading, PollError> {
        let http = match &self.http {
            Some(http) => Arc::clone(http),
            None => Arc::clone(self.http.insert(Arc::new(Http::open(&self.connect).await?))),
        };
        // Another node may know better than one that is silent, or that has lost its master.
        let answer = questions::health(&http, self.limit).await.inspect_err(|_| http.skip())?;
        if let Some(refusal) = http.refusal(&answer) {
            let told = answer.told();
            // The node itself is well and says so; without a master nothing else can be asked of the cluster.
            if answer.status != 503 || !(told.contains("master") || told.contains("manager")) {
                return Err(refusal);
            }
            let more = questions::master(&http, self.limit / 4).await;
            http.skip();
            let words = if more.is_empty() { told } else { format!("{told}: {more}") };
            return Ok(self.masterless(words));
        }
        let health = json::read(&answer.body, decode::HEALTH).as_ref().and_then(decode::health);
        let health = health.ok_or_else(|| {
            let message = format!("{} answers, but not as a search cluster does", http.shown());
            PollError::new(PollErrorKind::WrongServer, message)
                .remedy("check the port and the path of the URL")
        })?;
        let missing = health.unassigned.unwrap_or(0);
        self.ask(&http, now, missing > 0, slower(&health));
        self.looks.ask(&http, now, focus, slower(&health));
        tokio::join!(
            self.identity.settle(now, GRACE),
            self.nodes.settle(now, GRACE),
            self.settings.settle(now, GRACE),
            self.blocks.settle(now, GRACE),
            self.lifecycle.settle(now, GRACE),
            self.unassigned.settle(now, GRACE),
            self.marks.settle(now, GRACE),
            self.report.settle(now, GRACE),
            self.policies.settle(now, GRACE),
            self.looks.settle(now, GRACE),
        );
        self.take(now, missing > 0);
        self.looks.take(now);
        Ok(SearchReading {
            health: Part::Ready(health),
            looks: self.looks.known.clone(),
            whereabouts: self.whereabouts(),
            limits: self.unread.iter().cloned().collect(),
            waiting: self.waiting(now),
            ..self.known.clone()
        })
    }

    /// A cluster without a master: what it said before is not what it is now.
    fn masterless(&mut self, words: String) -> SearchReading {
        let unasked = || Gap::new(GapKind::Failed, "not asked while the cluster has no master");
        self.known = SearchReading {
            identity: self.known.identity.clone(),
            nodes: Part::Unavailable(unasked()),
            unassigned: Part::Unavailable(unasked()),
            read_only: Part::Unavailable(unasked()),
            lifecycle: Part::Unavailable(unasked()),
            allocation: Part::Unavailable(unasked()),
            policies: Part::Unavailable(unasked()),
            ..SearchReading::default()
        };
        SearchReading {
            health: Part::Unavailable(Gap::new(GapKind::Failed, words.clone())),
            no_master: Some(words),
            whereabouts: self.whereabouts(),
            ..self.known.clone()
        }
    }

    /// HTTP does not tell how a server sees us: it is taken to be elsewhere, and what it calls itself counts.
    fn whereabouts(&self) -> Whereabouts {
        let elsewhere = Whereabouts::Elsewhere("a search cluster does not say how it sees us".to_owned());
        match self.known.identity.ready() {
            Some(identity) => elsewhere.saying(&[("cluster.name", &identity.cluster)]),
            None => elsewhere,
        }
    }

    /// Starts every question that is due.
    fn ask(&mut self, http: &Arc<Http>, now: Now, missing: bool, slower: u32) {
        let own = || Arc::clone(http);
        let slow = SLOW_EACH * slower;
        if self.report.is_due(now, REPORT_EACH * slower) {
            let http = own();
            self.report.ask(now, async move { looks::server::report(&http).await });
        }
        if self.policies.is_due(now, POLICIES_EACH * slower) {
            let http = own();
            self.policies.ask(now, async move { looks::server::policies(&http).await });
        }
        if self.known.identity.ready().is_none() && self.identity.is_due(now, SLOW_EACH) {
            let http = own();
            self.identity.ask(now, async move { questions::identity(&http).await });
        }
        if self.nodes.is_due(now, Duration::ZERO) {
            let http = own();
            self.nodes.ask(now, async move { questions::nodes(&http).await });
        }
        if self.settings.is_due(now, slow) {
            let http = own();
            self.settings.ask(now, async move { questions::settings(&http).await });
        }
        if self.blocks.is_due(now, slow) {
            let http = own();
            self.blocks.ask(now, async move { questions::blocks(&http).await });
        }
        if self.lifecycle.is_due(now, slow) {
            let http = own();
            self.lifecycle.ask(now, async move { questions::lifecycles(&http).await });
        }
        let wanted = self.known.wanted_marks();
        if !wanted.is_empty() {
            // Another index may have that name by now.
            let each = if wanted == self.marked { slow } else { Duration::ZERO };
            if self.marks.is_due(now, each) {
                self.marked.clone_from(&wanted);
                let http = own();
                self.marks.ask(now, async move { questions::marks(&http, &wanted).await });
            }
        }
        if missing && self.unassigned.is_due(now, SHARDS_EACH * slower) {
            let (http, mut known) = (own(), self.explained.clone());
            known.retain(|_, (words, at)| now.since(*at) < holds(words));
            self.unassigned.ask(now, async move {
                match questions::unassigned(&http).await {
                    Part::Ready(shards) => Part::Ready(explain(&http, shards, known, now).await),
                    other => other.map(|shards| (shards, Explained::new())),
                }
            });
        }
    }

    /// Takes in what was answered.
    fn take(&mut self, now: Now, missing: bool) {
        let known = &mut self.known;
        known.identity.renew(self.identity.take(now, PATIENCE).warm(now));
        let watermarks = &mut self.watermarks;
        let settings = self.settings.take(now, PATIENCE).map(|settings| {
            *watermarks = watermark::read(&settings);
            watermark::allocation(&settings)
        });
        known.allocation.renew(settings.warm(now));
        let nodes = self.nodes.take(now, PATIENCE).map(|mut nodes| {
            for node in &mut nodes {
                watermarks.mark(node);
            }
            nodes
        });
        known.nodes.renew(nodes.warm(now));
        known.read_only.renew(self.blocks.take(now, PATIENCE).warm(now));
        let unread = &mut self.unread;
        let lifecycle = self.lifecycle.take(now, PATIENCE).map(|(failing, not_read)| {
            *unread = not_read;
            failing
        });
        known.lifecycle.renew(lifecycle.warm(now));
        known.report.renew(self.report.take(now, PATIENCE).warm(now));
        known.policies.renew(self.policies.take(now, PATIENCE).warm(now));
        known.marks.renew(self.marks.take(now, PATIENCE).warm(now));
        let all = &mut self.explained;
        let away = self.unassigned.take(now, PATIENCE).map(|(shards, explained)| {
            *all = explained;
            Unassigned::of(shards)
        });
        known.unassigned.renew(if missing { away } else { Part::Ready(Unassigned::default()) }.warm(now));
    }

    /// The questions that have no answer yet, and since when.
    fn waiting(&self, now: Now) -> Vec<(String, Duration)> {
        let waits = [
            ("identity", self.identity.waits(now)),
            ("node statistics", self.nodes.waits(now)),
            ("settings", self.settings.waits(now)),
            ("write blocks", self.blocks.waits(now)),
            ("lifecycles", self.lifecycle.waits(now)),
            ("shards on no node", self.unassigned.waits(now)),
        ];
        waits.into_iter().filter_map(|(what, since)| Some((what.to_owned(), since?))).collect()
    }

    /// What of it can be read with the rights that there are.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub async fn examine(mut self, now: Now) -> Result<Report, PollError> {
        let reading = self.read(now, &[]).await?;
        Ok(Report::answers([
            ("identity", reading.identity.gap()),
            ("health", reading.health.gap()),
            ("nodes", reading.nodes.gap()),
            ("unassigned", reading.unassigned.gap()),
            ("read-only", reading.read_only.gap()),
            ("lifecycle", reading.lifecycle.gap()),
            ("allocation", reading.allocation.gap()),
            ("snapshot policies", reading.policies.gap()),
        ]))
    }
}

/// Why shards are on no node: asked once for each group of like shards, a few at a time, and remembered.
async fn explain(
    http: &Http,
    mut shards: Vec<UnassignedShard>,
    mut known: Explained,
    now: Now,
) -> (Vec<UnassignedShard>, Explained) {
    let open: Vec<(Group, serde_json::Value)> = why::groups(&shards)
        .into_iter()
        .filter(|(group, _)| !known.contains_key(group))
        .take(EXPLAINED)
        .map(|(group, shard)| {
            let number: u64 = shard.shard.parse().unwrap_or(0);
            let body = serde_json::json!({"index": shard.index, "shard": number, "primary": shard.primary});
            (group, body)
        })
        .collect();
    for (group, body) in open {
        // Refused or gone meanwhile: how it became unassigned still stands there.
        let asked = within(BESIDE / 5, http.post_json(questions::EXPLAIN, &body)).await;
        let answer = asked.ok().filter(|answer| answer.status.is_success());
        if let Some(value) = answer.and_then(|answer| json::read(&answer.body, why::EXPLANATION)) {
            known.insert(group, (why::explanation(&value), now));
        }
    }
    for shard in &mut shards {
        if let Some((words, _)) = known.get(&why::group(shard)) {
            shard.why.clone_from(words);
        }
    }
    (shards, known)
}

impl Source for SearchSource {
    fn poll<'a>(&'a mut self, now: Now, focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move { self.read(now, focus).await.map(|reading| Reading::Search(Box::new(reading))) })
    }

    fn answered(&self) -> Option<Instant> {
        self.http.as_ref().and_then(|http| http.heard())
    }

    fn knock(&self) -> Option<BoxFuture<'static, bool>> {
        knock::http(&self.connect)
    }
}
