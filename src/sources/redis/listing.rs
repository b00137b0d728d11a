//! Jobs page by page and by text, while somebody looks: sizes before values, a search step by step within what a poll may read.

use super::budget::{FIELD_LIMIT_BYTES, Left, field_size};
use super::connection::Connection;
use super::decode::{list, number, scored, text};
use super::failed::span;
use crate::core::focus::Focus;
use crate::core::redis::{HITS, JOBS_A_PAGE, JobPage, JobState, Listing, Masks, PageJob, Payload, QueueRef};
use crate::core::text::lasting;
use crate::core::time::Now;
use redis::{RedisError, Value, pipe};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// A page is read anew this often.
const EACH: Duration = Duration::from_secs(5);
/// A reason longer than this is not read for a page.
const REASON_BYTES: u64 = 4096;
/// A search looks at so many jobs at once, and so often in a poll.
const STEP: u64 = 500;
const STEPS: usize = 4;

/// Where the jobs of a state stand, a list's next ones at its tail; and whether what came last is first.
const PLACES: [(JobState, &str, Kind); 8] = [
    (JobState::Failed, "failed", Kind::NewestFirst),
    (JobState::Active, "active", Kind::List),
    (JobState::Waiting, "wait", Kind::List),
    (JobState::Waiting, "paused", Kind::List),
    (JobState::Prioritized, "prioritized", Kind::NextFirst),
    (JobState::Delayed, "delayed", Kind::NextFirst),
    (JobState::WaitingChildren, "waiting-children", Kind::NewestFirst),
    (JobState::Completed, "completed", Kind::NewestFirst),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    List,
    NewestFirst,
    NextFirst,
}

/// A job's id, its score and the fields that were asked.
type Asked = (String, Option<f64>, Vec<&'static str>);

/// What is listed.
#[derive(Debug, Default)]
pub(super) struct Listings {
    page: Option<(Now, JobPage)>,
    search: Option<Search>,
}

/// A search under way.
#[derive(Debug)]
struct Search {
    page: JobPage,
    /// The place that is looked at, and how many of it were.
    at: usize,
    offset: u64,
    seen: HashSet<String>,
}

impl Listings {
    /// What somebody looks at.
    pub(super) async fn read(
        &mut self,
        connection: &mut Connection,
        focus: &[Focus],
        masks: &Masks,
        left: &mut Left,
        (now, millis): (Now, i64),
    ) -> Vec<JobPage> {
        let wanted = focus.iter().find_map(|focus| match focus {
            Focus::Jobs { queue, listing } => Some((queue, listing)),
            _ => None,
        });
        let Some((queue, listing)) = wanted else {
            *self = Self::default();
            return Vec::new();
        };
        let same = |page: &JobPage| page.queue == *queue && page.listing == *listing;
        match listing {
            Listing::State { state, offset } => {
                self.search = None;
                if self.page.as_ref().is_none_or(|(at, page)| !same(page) || now.since(*at) >= EACH) {
                    let read = page(connection, queue, (*state, *offset), masks, left, millis).await;
                    self.page = read
                        .ok()
                        .map(|page| (now, page))
                        .or_else(|| self.page.take().filter(|(_, page)| same(page)));
                }
                self.page.iter().map(|(_, page)| page.clone()).collect()
            }
            Listing::Text(words) => {
                self.page = None;
                if self.search.as_ref().is_none_or(|search| !same(&search.page)) {
                    self.search = begin(connection, queue, words).await.ok();
                }
                let Some(search) = &mut self.search else { return Vec::new() };
                for _ in 0..STEPS + PLACES.len() {
                    if search.page.whole
                        || !search.step(connection, masks, left, millis).await.unwrap_or(false)
                    {
                        break;
                    }
                }
                vec![search.page.clone()]
            }
        }
    }
}

/// The ids at `offset` of a place, and their scores where it has some.
async fn ids(
    connection: &mut Connection,
    queue: &QueueRef,
    (suffix, kind): (&str, Kind),
    offset: u64,
    most: u64,
) -> Result<Vec<(String, Option<f64>)>, RedisError> {
    let (from, to) = (offset as i64, (offset + most) as i64 - 1);
    let mut ask = pipe();
    match kind {
        Kind::List => ask.cmd("LRANGE").arg(queue.key(suffix)).arg(-1 - to).arg(-1 - from),
        Kind::NewestFirst => ask.cmd("ZREVRANGE").arg(queue.key(suffix)).arg(from).arg(to).arg("WITHSCORES"),
        Kind::NextFirst => ask.cmd("ZRANGE").arg(queue.key(suffix)).arg(from).arg(to).arg("WITHSCORES"),
    };
    let values: Vec<Value> = ask.query_async(connection).await?;
    let found = values.first();
    if kind == Kind::List {
        let ids = found.map(list).unwrap_or_default().iter().rev().filter_map(text);
        return Ok(ids.map(|id| (id, None)).collect());
    }
    Ok(found.map(scored).unwrap_or_default().into_iter().map(|(id, score)| (id, Some(score))).collect())
}

/// What libraries put into a line to wake a worker is no job.
fn is_marker((id, _): &(String, Option<f64>)) -> bool {
    id.starts_with("0:")
}

/// How many stand in each of these places.
async fn counts(
    connection: &mut Connection,
    queue: &QueueRef,
    places: &[(JobState, &str, Kind)],
) -> Result<Vec<u64>, RedisError> {
    let mut ask = pipe();
    for (_, suffix, kind) in places {
        ask.cmd(if *kind == Kind::List { "LLEN" } else { "ZCARD" }).arg(queue.key(suffix));
    }
    ask.query_async(connection).await
}

async fn page(
    connection: &mut Connection,
    queue: &QueueRef,
    (state, offset): (JobState, u64),
    masks: &Masks,
    left: &mut Left,
    now: i64,
) -> Result<JobPage, RedisError> {
    let places: Vec<_> = PLACES.into_iter().filter(|(of, ..)| *of == state).collect();
    let sizes = counts(connection, queue, &places).await?;
    let (mut found, mut skip) = (Vec::new(), offset);
    for ((_, suffix, kind), there) in places.iter().zip(&sizes) {
        let most = JOBS_A_PAGE.saturating_sub(found.len() as u64);
        if skip < *there && most > 0 {
            found.extend(ids(connection, queue, (suffix, *kind), skip, most).await?);
        }
        skip = skip.saturating_sub(*there);
    }
    found.retain(|one| !is_marker(one));
    let mut ask = pipe();
    ask.ignore_errors();
    for (id, _) in &found {
        ask.cmd("HSTRLEN").arg(queue.key(id)).arg("failedReason");
    }
    let reasons: Vec<Value> = if state == JobState::Failed && !found.is_empty() {
        ask.query_async(connection).await?
    } else {
        Vec::new()
    };
    let mut ask = pipe();
    ask.ignore_errors();
    for (at, (id, _)) in found.iter().enumerate() {
        let size = reasons.get(at).and_then(number).and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
        let mut fields = vec!["name", "timestamp", "processedOn", "finishedOn"];
        if size > 0 && size <= REASON_BYTES && left.take(size) {
            fields.push("failedReason");
        }
        ask.cmd("HMGET").arg(queue.key(id)).arg(fields);
    }
    let values: Vec<Value> = if found.is_empty() { Vec::new() } else { ask.query_async(connection).await? };
    let jobs = found.iter().zip(&values).map(|((id, score), value)| {
        let fields: Vec<Option<String>> = list(value).iter().map(text).collect();
        let field = |at: usize| fields.get(at).cloned().flatten();
        let whole = |at: usize| field(at).and_then(|text| text.parse::<i64>().ok());
        let ended = matches!(state, JobState::Completed | JobState::Failed);
        let since = if ended { score.map(|score| score as i64) } else { whole(1) };
        let note = match state {
            JobState::Failed => field(4).unwrap_or_default(),
            JobState::Completed => whole(2)
                .zip(whole(3))
                .and_then(|(from, to)| span(from, to))
                .map_or(String::new(), |ran| format!("ran {}", lasting(ran))),
            JobState::Delayed => {
                let due = score.map_or(0, |score| (score / 4096.0) as i64);
                span(now, due).map_or("due".to_owned(), |left| format!("due in {}", lasting(left)))
            }
            JobState::WaitingChildren => "waits for its children".to_owned(),
            _ => String::new(),
        };
        PageJob {
            id: id.clone(),
            name: field(0).unwrap_or_default(),
            state,
            age: since.and_then(|since| span(since, now)),
            note: masks.reason(note),
            ghost: field(1).is_none(),
        }
    });
    let jobs: Vec<PageJob> = jobs.collect();
    Ok(JobPage {
        queue: queue.clone(),
        listing: Listing::State { state, offset },
        looked_at: jobs.len() as u64,
        jobs,
        there: sizes.iter().sum(),
        too_large: 0,
        whole: true,
    })
}

async fn begin(connection: &mut Connection, queue: &QueueRef, words: &str) -> Result<Search, RedisError> {
    let there = counts(connection, queue, &PLACES).await?.iter().sum();
    let page = JobPage {
        queue: queue.clone(),
        listing: Listing::Text(words.to_owned()),
        jobs: Vec::new(),
        there,
        looked_at: 0,
        too_large: 0,
        whole: false,
    };
    Ok(Search { page, at: 0, offset: 0, seen: HashSet::new() })
}

impl Search {
    /// A job of exactly this id that stands in no list of its queue: libraries have left such, and take no other of its id.
    async fn nowhere(
        &mut self,
        connection: &mut Connection,
        masks: &Masks,
        id: &str,
    ) -> Result<(), RedisError> {
        if self.seen.contains(id) {
            return Ok(());
        }
        let mut ask = pipe();
        ask.cmd("HMGET").arg(self.page.queue.key(id)).arg(&["name", "timestamp"]);
        // Another kind of key of that name is no job.
        let values: Vec<Value> = ask.ignore_errors().query_async(connection).await?;
        let fields: Vec<Option<String>> =
            values.first().map(list).unwrap_or_default().iter().map(text).collect();
        if let Some(name) = fields.first().cloned().flatten() {
            let note = masks.payload("its id; it stands in no list of the queue".to_owned());
            self.page.jobs.push(PageJob {
                id: id.to_owned(),
                name,
                state: JobState::Lost,
                age: None,
                note,
                ghost: false,
            });
        }
        Ok(())
    }

    /// Reads what is looked into, of as many of `found` as may be read: id, score and fields of each, and their values.
    async fn fields(
        &mut self,
        connection: &mut Connection,
        queue: &QueueRef,
        found: &[(String, Option<f64>)],
        left: &mut Left,
    ) -> Result<(Vec<Asked>, Vec<Value>), RedisError> {
        let mut ask = pipe();
        ask.ignore_errors();
        for (id, _) in found {
            ask.cmd("HSTRLEN")
                .arg(queue.key(id))
                .arg("data")
                .cmd("HSTRLEN")
                .arg(queue.key(id))
                .arg("failedReason");
        }
        let sizes: Vec<Value> = ask.query_async(connection).await?;
        let mut ask = pipe();
        ask.ignore_errors();
        let mut asked = Vec::new();
        for ((id, score), sizes) in found.iter().zip(sizes.chunks(2)) {
            let size = |at: usize| field_size(sizes.get(at));
            let small = |at: usize| size(at) <= FIELD_LIMIT_BYTES;
            let bytes: u64 = [0, 1].into_iter().filter(|at| small(*at)).map(size).sum();
            // At least one, so that it goes on.
            if !asked.is_empty() && !left.take(bytes) {
                break;
            }
            self.page.too_large += u64::from(!small(0) || !small(1));
            let mut fields = vec!["name", "timestamp"];
            fields.extend(small(0).then_some("data"));
            fields.extend(small(1).then_some("failedReason"));
            ask.cmd("HMGET").arg(queue.key(id)).arg(&fields);
            asked.push((id.clone(), *score, fields));
        }
        let values: Vec<Value> = ask.query_async(connection).await?;
        Ok((asked, values))
    }

    /// Looks at the next few jobs; false when this poll has read enough.
    async fn step(
        &mut self,
        connection: &mut Connection,
        masks: &Masks,
        left: &mut Left,
        now: i64,
    ) -> Result<bool, RedisError> {
        let Listing::Text(words) = &self.page.listing else { return Ok(false) };
        let Some((state, suffix, kind)) = PLACES.get(self.at).copied() else {
            let words = words.clone();
            self.nowhere(connection, masks, &words).await?;
            self.page.whole = true;
            return Ok(false);
        };
        let (words, queue) = (words.to_lowercase(), self.page.queue.clone());
        let mut found = ids(connection, &queue, (suffix, kind), self.offset, STEP).await?;
        // A marker stands at one end of a line.
        let marked = u64::from(found.first().is_some_and(is_marker));
        found.retain(|one| !is_marker(one));
        if found.is_empty() {
            (self.at, self.offset) = (self.at + 1, 0);
            return Ok(true);
        }
        let (asked, values) = self.fields(connection, &queue, &found, left).await?;
        let whole = asked.len() == found.len();
        for ((id, score, names), value) in asked.iter().zip(&values) {
            self.page.looked_at += 1;
            if self.seen.contains(id) {
                continue;
            }
            let values = list(value).iter().map(text);
            let mut fields: BTreeMap<String, String> = names
                .iter()
                .zip(values)
                .filter_map(|(name, value)| Some(((*name).to_owned(), value?)))
                .collect();
            let ghost = !fields.contains_key("timestamp");
            let added = fields.remove("timestamp").and_then(|text| text.parse::<i64>().ok());
            // What is masked is not found, either: a search would tell it letter by letter.
            let (mut fields, _) = masks.job(fields, Vec::new());
            fields.insert("id".to_owned(), masks.payload(id.clone()));
            let hit = ["id", "name", "failedReason", "data"].into_iter().find_map(|name| {
                let value = fields.get(name)?;
                Some((name, value.around(&words)?))
            });
            let Some((name, note)) = hit else { continue };
            let ended = matches!(state, JobState::Completed | JobState::Failed);
            let since = if ended { score.map(|score| score as i64) } else { added };
            let note =
                if name == "id" || name == "name" { masks.payload(format!("its {name}")) } else { note };
            self.seen.insert(id.clone());
            self.page.jobs.push(PageJob {
                id: id.clone(),
                name: fields.get("name").map(Payload::to_string).unwrap_or_default(),
                state,
                age: since.and_then(|since| span(since, now)),
                note,
                ghost,
            });
            if self.page.jobs.len() >= HITS {
                self.page.whole = true;
                return Ok(false);
            }
        }
        self.offset += asked.len() as u64 + marked;
        Ok(whole)
    }
}
