//! What is asked of a cluster: paths, how often, and how long an answer may take. Where the server takes a limit it is told ours, so that
//! it does not go on working for nobody.

use crate::core::part::{Gap, GapKind, Part};
use crate::core::report::{PollError, PollErrorKind};
use crate::core::search::Identity;
use crate::sources::http::{Answer, Http, gap, within};
use crate::sources::json;
use serde_json::Value;
use std::time::Duration;

/// Settings, blocks and lifecycles are read this often: they change seldom and cost the master work.
pub(super) const SLOW_EACH: Duration = Duration::from_secs(30);
/// What the server says of itself changes slowly and costs it work.
pub(super) const REPORT_EACH: Duration = Duration::from_secs(60);
/// Snapshots are made once a day, or once an hour.
pub(super) const POLICIES_EACH: Duration = Duration::from_secs(300);
/// Shards on no node are looked at this often while there are any.
pub(super) const SHARDS_EACH: Duration = Duration::from_secs(10);
/// A question beside the poll is given up after this, here and on the server.
pub(super) const BESIDE: Duration = Duration::from_secs(25);
/// The same for the server.
const SERVER: &str = "20s";
/// What was read before holds for this long while the next answer is on its way.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// A poll waits this long for answers beside the one that decides.
pub(super) const GRACE: Duration = Duration::from_millis(400);

const NODES: &str = "/_nodes/stats/jvm,os,fs,thread_pool,breaker,indices/search,indexing?filter_path=nodes.*.name,nodes.*.roles,\
    nodes.*.jvm.uptime_in_millis,nodes.*.jvm.mem.heap_used_percent,nodes.*.jvm.gc.collectors.old.collection_time_in_millis,\
    nodes.*.os.cpu,nodes.*.fs.data,nodes.*.fs.total,nodes.*.thread_pool.search,nodes.*.thread_pool.write,\
    nodes.*.breakers.*.tripped,nodes.*.indices.search,nodes.*.indices.indexing";
/// Where `/` is refused or not there.
const VERSIONS: &str = "/_nodes?filter_path=cluster_name,nodes.*.version";
const SETTINGS: &str = "/_cluster/settings?include_defaults=true&flat_settings=true&filter_path=*.cluster*";
/// From the state that the master holds: unlike `_cat/shards` no node is asked for the statistics of its shards.
const UNASSIGNED: &str = "/_cluster/state/routing_nodes?filter_path=routing_nodes.unassigned.index,\
    routing_nodes.unassigned.shard,routing_nodes.unassigned.primary,routing_nodes.unassigned.unassigned_info.reason,\
    routing_nodes.unassigned.unassigned_info.details";
/// Where the cluster's state is not given out.
const SHARDS: &str =
    "/_cat/shards?format=json&h=index,shard,prirep,state,unassigned.reason,unassigned.at,unassigned.details";
const BLOCKS: &str = "/_all/_settings/index.blocks.read_only_allow_delete?flat_settings=true&expand_wildcards=all&ignore_unavailable=true";
/// Not `only_errors`: a step that is being tried again is not in the step ERROR, and has failed all the same.
const LIFECYCLE: &str = "/_all/_ilm/explain?only_managed=true&expand_wildcards=all&filter_path=indices.*.policy,indices.*.step,\
    indices.*.failed_step,indices.*.step_info,indices.*.failed_step_retry_count";
/// What the node itself says about its master (8.7 and newer).
const MASTER: &str = "/_health_report/master_is_stable?verbose=false";
pub(super) const EXPLAIN: &str = "/_cluster/allocation/explain";

/// Who indices are: settings that are asked for by name.
const MARKS: &str = "_settings/index.uuid,index.number_of_replicas,index.auto_expand_replicas?flat_settings=true&ignore_unavailable=true";
/// A first line of a request is read up to 4096 bytes.
const NAMES_BYTES: usize = 3000;

/// The answers of OpenSearch's lifecycles come in pages of this size.
const ISM_PAGE: usize = 1000;
/// So many pages are read: its own search gives no more.
const ISM_PAGES: usize = 10;

/// A path with the server's own limit.
fn limited(path: &str, name: &str, limit: &str) -> String {
    format!("{path}{}{name}={limit}", if path.contains('?') { '&' } else { '?' })
}

/// The status of the cluster: the answer that decides whether anything is known.
pub(super) async fn health(http: &Http, limit: Duration) -> Result<Answer, PollError> {
    let server = (limit / 2).min(Duration::from_secs(2)).as_millis();
    let path = format!("/_cluster/health?timeout=0s&master_timeout={server}ms");
    within(limit, http.get(&path, &[])).await
}

/// What the node says of a master that it does not find; empty where it cannot say more.
pub(super) async fn master(http: &Http, limit: Duration) -> String {
    let answer = within(limit, http.get(MASTER, &[])).await;
    answer
        .ok()
        .filter(|answer| answer.status.is_success())
        .and_then(|answer| super::decode::master(&answer.body))
        .unwrap_or_default()
}

pub(super) async fn identity(http: &Http) -> Part<Identity> {
    use super::decode;
    let first = part(http, "/", decode::IDENTITY, decode::identity).await;
    if first.ready().is_some() {
        return first;
    }
    part(http, VERSIONS, decode::VERSIONS, decode::version_of_nodes).await
}

/// One part by a `GET` with the master's limit: a failure costs this part only.
pub(super) async fn of_master<T>(
    http: &Http,
    path: &str,
    paths: &[&'static str],
    decode: impl FnOnce(&Value) -> Option<T>,
) -> Part<T> {
    limited_part(http, path, "master_timeout", paths, decode).await
}

async fn limited_part<T>(
    http: &Http,
    path: &str,
    name: &str,
    paths: &[&'static str],
    decode: impl FnOnce(&Value) -> Option<T>,
) -> Part<T> {
    let answer = within(BESIDE, async {
        let answer = http.get(&limited(path, name, SERVER), &[]).await?;
        // Versions differ in which questions take a limit.
        let unknown = answer.status == 400 && answer.told().contains("unrecognized parameter");
        if unknown { http.get(path, &[]).await } else { Ok(answer) }
    })
    .await;
    read(http, answer, paths, decode).await
}

pub(super) async fn part<T>(
    http: &Http,
    path: &str,
    paths: &[&'static str],
    decode: impl FnOnce(&Value) -> Option<T>,
) -> Part<T> {
    read(http, within(BESIDE, http.get(path, &[])).await, paths, decode).await
}

async fn read<T>(
    http: &Http,
    answer: Result<Answer, PollError>,
    paths: &[&'static str],
    decode: impl FnOnce(&Value) -> Option<T>,
) -> Part<T> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Part::Unavailable(gap(&error)),
    };
    if let Some(refusal) = http.refusal(&answer) {
        let absent = answer.is_closed_path()
            || matches!(answer.status.as_u16(), 400 | 404 | 405 | 410 | 501)
            || refusal.kind == PollErrorKind::WrongServer;
        if absent {
            let note = format!("not available on this server ({})", answer.status.as_u16());
            return Part::Unavailable(Gap::new(GapKind::NotSupported, note));
        }
        return Part::Unavailable(gap(&refusal));
    }
    let not_understood =
        || Gap::new(GapKind::Failed, format!("{} gave an answer that is not understood", http.shown()));
    let read = json::read_beside(&answer.body, paths).await;
    Part::from(read.and_then(|value| decode(&value)).ok_or_else(not_understood))
}

pub(super) async fn nodes(http: &Http) -> Part<Vec<crate::core::search::SearchNode>> {
    use super::decode;
    limited_part(http, NODES, "timeout", decode::NODES, decode::nodes).await
}

pub(super) async fn settings(http: &Http) -> Part<Value> {
    of_master(http, SETTINGS, super::watermark::SETTINGS, |value| Some(value.clone())).await
}

pub(super) async fn blocks(http: &Http) -> Part<Vec<String>> {
    use super::decode;
    of_master(http, BLOCKS, decode::BLOCKS, decode::read_only).await
}

/// Who these indices are; of more than a request holds, the first.
pub(super) async fn marks(http: &Http, names: &[String]) -> Part<Vec<crate::core::search::IndexMark>> {
    use super::decode;
    let mut list = String::new();
    for name in names {
        let name = crate::core::search::segment(name);
        if list.len() + name.len() > NAMES_BYTES {
            break;
        }
        list.push_str(if list.is_empty() { "" } else { "," });
        list.push_str(&name);
    }
    of_master(http, &format!("/{list}/{MARKS}"), decode::MARKS, decode::marks).await
}

/// Every shard on no node.
pub(super) async fn unassigned(http: &Http) -> Part<Vec<crate::core::search::UnassignedShard>> {
    use super::decode;
    match of_master(http, UNASSIGNED, decode::ROUTING, decode::routing).await {
        Part::Unavailable(gap) if gap.kind != GapKind::TimedOut => {
            of_master(http, SHARDS, decode::SHARDS, decode::shards).await
        }
        other => other,
    }
}

/// Failing lifecycles, and what of them was not read.
pub(super) type Lifecycles = (Vec<crate::core::search::LifecycleError>, Option<String>);

/// The lifecycles of either product: what it is may not be permitted to be read.
pub(super) async fn lifecycles(http: &Http) -> Part<Lifecycles> {
    match ilm(http).await {
        Part::Unavailable(gap) if gap.kind == GapKind::NotSupported => ism(http).await,
        other => other,
    }
}

async fn ilm(http: &Http) -> Part<Lifecycles> {
    use super::decode;
    of_master(http, LIFECYCLE, decode::LIFECYCLE, |value| Some((decode::lifecycle(value)?, None))).await
}

/// All pages; it gives twenty indices unless it is asked for more.
async fn ism(http: &Http) -> Part<Lifecycles> {
    use super::decode;
    let (mut failing, mut seen, mut total) = (Vec::new(), 0, 0);
    for page in 0..ISM_PAGES {
        let path = format!("/_plugins/_ism/explain?size={ISM_PAGE}&from={}", page * ISM_PAGE);
        match part(http, &path, decode::ISM, decode::ism).await {
            Part::Ready(read) => {
                failing.extend(read.failing);
                seen += read.seen;
                total = read.total.unwrap_or(seen);
                if read.seen < ISM_PAGE || seen >= total {
                    break;
                }
            }
            Part::Unavailable(gap) => return Part::Unavailable(gap),
            Part::NotAsked => return Part::NotAsked,
        }
    }
    let unread = (seen < total).then(|| {
        format!("the lifecycles of {seen} indices are read, those of {} others are not", total - seen)
    });
    Part::Ready((failing, unread))
}
