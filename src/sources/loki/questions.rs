//! What is asked of a Loki server, one request each, and what its refusals mean.

use super::decode::{self, Envelope, Sample, Streams, Vector};
use crate::config::target::PromQuery;
use crate::core::lines::{Count, LogLine};
use crate::core::loki::{Received, logql};
use crate::core::part::{Gap, GapKind, Part};
use crate::core::prometheus::PanelReading;
use crate::core::report::{PollError, PollErrorKind};
use crate::sources::http::{Answer, Http, gap, within};
use crate::sources::json;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A question beside the poll has this long.
const LIMIT: Duration = Duration::from_secs(10);
/// Labels are those of streams of the last hour.
const LABELS_OF: i64 = 3600 * NANOS;
/// More series of a panel are not kept.
const MOST_SERIES: usize = 100;
/// Nanoseconds of a second.
pub(super) const NANOS: i64 = 1_000_000_000;

/// What of a query string is encoded: all but the unreserved characters of RFC 3986.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn path(of: &str, pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, FORM))).collect();
    format!("/loki/api/v1/{of}?{}", pairs.join("&"))
}

fn wrong(http: &Http) -> PollError {
    let message = format!("{} answers, but not as Loki does", http.shown());
    PollError::new(PollErrorKind::WrongServer, message)
        .remedy("check the port (3100), and the path prefix of the URL")
}

/// What an answer holds, if anything. Loki refuses in plain words.
async fn held<T: DeserializeOwned + Send + 'static>(
    http: &Http,
    answer: &Answer,
) -> Result<Option<T>, PollError> {
    if let Some(error) = http.refusal(answer) {
        // With several tenants it wants to know which; that is no matter of credentials.
        return Err(if error.message.contains("no org id") {
            error.remedy("say which tenant: headers = { X-Scope-OrgID = \"…\" }")
        } else {
            error
        });
    }
    let envelope: Option<Envelope<T>> = json::whole_beside(&answer.body).await;
    let envelope = envelope.ok_or_else(|| wrong(http))?;
    if envelope.status != "success" {
        return Err(PollError::new(PollErrorKind::Failed, format!("Loki says: {}", answer.told())));
    }
    Ok(envelope.data)
}

async fn data<T: DeserializeOwned + Send + 'static>(http: &Http, answer: &Answer) -> Result<T, PollError> {
    held(http, answer).await?.ok_or_else(|| wrong(http))
}

/// The labels of streams that got lines within the hour before `now` (nanoseconds since 1970); none where there is no such stream.
pub(super) async fn labels(http: &Http, now: i64) -> Result<Vec<String>, PollError> {
    let (from, to) = ((now - LABELS_OF).to_string(), now.to_string());
    let answer = within(LIMIT, http.get(&path("labels", &[("start", &from), ("end", &to)]), &[])).await?;
    let found: Vec<String> = held(http, &answer).await?.unwrap_or_default();
    Ok(found.into_iter().filter(|name| !name.starts_with("__")).collect())
}

/// The values of a label within a span.
pub(super) async fn values(http: &Http, label: &str, (from, to): (i64, i64)) -> Vec<String> {
    let (from, to) = (from.to_string(), to.to_string());
    let of = format!("label/{}/values", utf8_percent_encode(label, FORM));
    let answer = within(LIMIT, http.get(&path(&of, &[("start", &from), ("end", &to)]), &[])).await;
    match answer {
        // Where it cannot be looked for by name, all streams are asked.
        Ok(answer) => data(http, &answer).await.unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

/// Numbers at a moment.
pub(super) async fn numbers(http: &Http, query: &str, at: i64) -> Result<Vec<Sample>, Gap> {
    let at = at.to_string();
    let asked = within(LIMIT, http.get(&path("query", &[("query", query), ("time", &at)]), &[])).await;
    let answer = asked.map_err(|error| gap(&error))?;
    let vector: Vector = data(http, &answer).await.map_err(|error| gap(&error))?;
    vector.samples().ok_or_else(|| Gap::new(GapKind::Failed, "it gives no numbers at one moment"))
}

/// Lines of a span, the newest `limit` of them, the newest first.
pub(super) async fn lines(
    http: &Http,
    query: &str,
    (from, to): (i64, i64),
    limit: usize,
    masks: &[String],
) -> Result<Vec<LogLine>, Gap> {
    let (from, to, limit) = (from.to_string(), to.to_string(), limit.to_string());
    let pairs = [
        ("query", query),
        ("start", from.as_str()),
        ("end", to.as_str()),
        ("limit", limit.as_str()),
        ("direction", "backward"),
    ];
    let answer = http.get(&path("query_range", &pairs), &[]).await.map_err(|error| gap(&error))?;
    let streams: Streams = data(http, &answer).await.map_err(|error| gap(&error))?;
    streams.lines(masks).ok_or_else(|| Gap::new(GapKind::Failed, "it gives numbers and no lines"))
}

/// What is read each quarter of a minute.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) labels: Result<Vec<String>, PollError>,
    pub(super) received: Part<Received>,
    pub(super) errors: Part<Vec<Count>>,
    pub(super) panels: Vec<PanelReading>,
}

/// What the configuration asks for each time.
#[derive(Clone, Debug)]
pub(super) struct Asks {
    pub(super) selector: Option<String>,
    pub(super) errors: Option<String>,
    pub(super) queries: Vec<PromQuery>,
}

/// Looks at all of it. `before` is the label by which all streams were asked, while there were any.
pub(super) async fn look(http: &Http, asks: &Asks, before: Option<String>, now: i64) -> Look {
    let labels = labels(http, now).await;
    let main =
        labels.as_ref().ok().and_then(|labels| logql::main_label(labels)).map(str::to_owned).or(before);
    let (received, mut errors) = match (&labels, &asks.selector, &main) {
        (Err(error), ..) => {
            let gap = gap(error);
            (Part::Unavailable(gap.clone()), Part::Unavailable(gap))
        }
        // No stream got a line within the hour.
        (Ok(_), None, None) => (Part::Ready(Received::default()), Part::Ready(Vec::new())),
        (Ok(_), selector, main) => {
            let every = || main.as_deref().map(logql::every);
            let selector = selector.clone().or_else(every).unwrap_or_default();
            received(http, selector, main.as_deref(), now).await
        }
    };
    if let (Some(query), Ok(_)) = (&asks.errors, &labels) {
        errors = match numbers(http, query, now).await {
            Ok(samples) => Part::Ready(decode::errors(&samples)),
            Err(gap) => Part::Unavailable(Gap::new(gap.kind, format!("errors: {}", gap.note))),
        };
    }
    let mut panels = Vec::new();
    for query in asks.queries.iter().filter(|query| labels.is_ok() && !logql::gives_lines(&query.expr)) {
        panels.push(panel(http, query, now).await);
    }
    Look { labels, received, errors, panels }
}

async fn received(
    http: &Http,
    selector: String,
    label: Option<&str>,
    now: i64,
) -> (Part<Received>, Part<Vec<Count>>) {
    let mut label = label.map(str::to_owned);
    let mut samples = numbers(http, &logql::counts(&selector, label.as_deref()), now).await;
    if samples.as_ref().is_err_and(|gap| gap.note.contains("maximum") && gap.note.contains("series")) {
        // Too many streams to be told apart: together they are a handful of levels.
        label = None;
        samples = numbers(http, &logql::counts(&selector, None), now).await;
    }
    match samples {
        Ok(samples) => {
            let (streams, errors) = decode::counted(&samples, label.as_deref());
            (Part::Ready(Received { selector, label, streams }), errors)
        }
        Err(gap) => (Part::Unavailable(gap.clone()), Part::Unavailable(gap)),
    }
}

async fn panel(http: &Http, query: &PromQuery, now: i64) -> PanelReading {
    let (series, cut) = match numbers(http, &query.expr, now).await {
        Ok(samples) => {
            let mut series: Vec<(String, f64)> =
                samples.iter().map(|sample| (sample.words(), sample.value)).collect();
            series.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
            let cut = (series.len() > MOST_SERIES).then(|| {
                format!("it has more than {MOST_SERIES} series, and only those are read: aggregate")
            });
            series.truncate(MOST_SERIES);
            (Part::Ready(series), cut)
        }
        Err(gap) => (Part::Unavailable(gap), None),
    };
    PanelReading { title: query.title.clone(), series, cut }
}
