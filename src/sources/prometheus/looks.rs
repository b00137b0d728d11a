//! What is read only while somebody looks: the past of expressions, and the names of all metrics. Beside the poll, one question at a time, each
//! with a limit of its own: no poll waits for them, and a server that is busy is asked less.

use super::decode;
use super::parts::{LIMIT, encoded, part};
use crate::core::focus::Focus;
use crate::core::part::Part;
use crate::core::prometheus::{Range, RangeReading};
use crate::core::time::Now;
use crate::sources::beside::Beside;
use crate::sources::http::{Http, gap, within};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// An answer that is quick is taken in by the poll that asked.
const GRACE: Duration = Duration::from_millis(250);
/// So many questions in one poll at the most.
const AT_ONCE: usize = 6;
/// Without an answer for so long it is said.
const PATIENCE: Duration = Duration::from_secs(12);
/// The names of metrics are asked again after so long.
const NAMES_EACH: Duration = Duration::from_secs(300);

/// An answer: to one of these questions.
enum Answered {
    Range(RangeReading),
    Names(Part<Vec<String>>),
}

/// What is asked next.
enum Next {
    Range(Range),
    Names,
}

/// What somebody looks at, and what is known of it.
#[derive(Default)]
pub(super) struct Looks {
    asking: Beside<Answered>,
    ranges: HashMap<Range, (Now, Option<RangeReading>)>,
    names: Option<(Now, Part<Vec<String>>)>,
}

impl std::fmt::Debug for Looks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Looks").field("ranges", &self.ranges.len()).finish_non_exhaustive()
    }
}

impl Looks {
    /// Asks what is due of what is looked at, and forgets the rest. Waits for hardly anything.
    pub(super) async fn step(&mut self, http: &Arc<Http>, now: Now, focus: &[Focus]) {
        let wanted: Vec<&Range> = focus.iter().filter_map(Focus::range).collect();
        let names = focus.contains(&Focus::MetricNames);
        self.ranges.retain(|range, _| wanted.contains(&range));
        if !names {
            self.names = None;
        }
        if wanted.is_empty() && !names {
            // What is on its way is given up.
            self.asking = Beside::default();
            return;
        }
        self.asking.settle(now, Duration::ZERO).await;
        self.take_in(now);
        // One after the other, as long as each is answered at once.
        for _ in 0..AT_ONCE {
            if !self.asking.is_due(now, Duration::ZERO) {
                return;
            }
            let Some(next) = self.next(now, &wanted, names) else { return };
            self.ask(http, now, next);
            self.asking.settle(now, GRACE).await;
            self.take_in(now);
        }
    }

    fn take_in(&mut self, now: Now) {
        match self.asking.take(now, PATIENCE) {
            Part::Ready(Answered::Range(reading)) => {
                // Nobody may look any more.
                if let Some(known) = self.ranges.get_mut(&reading.range) {
                    known.1 = Some(reading);
                }
            }
            Part::Ready(Answered::Names(names)) => {
                if let Some(known) = &mut self.names {
                    known.1 = names;
                }
            }
            Part::Unavailable(_) | Part::NotAsked => {}
        }
    }

    /// What was asked longest ago, if that is long enough.
    fn next(&self, now: Now, wanted: &[&Range], names: bool) -> Option<Next> {
        if names && self.names.as_ref().is_none_or(|(at, _)| now.since(*at) >= NAMES_EACH) {
            return Some(Next::Names);
        }
        if let Some(range) = wanted.iter().find(|range| !self.ranges.contains_key(**range)) {
            return Some(Next::Range((*range).clone()));
        }
        let due = self.ranges.iter().filter(|(range, (at, _))| now.since(*at) >= range.rest());
        due.min_by_key(|(_, (at, _))| at.mono).map(|(range, _)| Next::Range(range.clone()))
    }

    fn ask(&mut self, http: &Arc<Http>, now: Now, next: Next) {
        let http = Arc::clone(http);
        match next {
            Next::Names => {
                self.names.get_or_insert((now, Part::NotAsked)).0 = now;
                self.asking.ask(now, async move { Part::Ready(Answered::Names(metric_names(&http).await)) });
            }
            Next::Range(asked) => {
                self.ranges.entry(asked.clone()).or_insert((now, None)).0 = now;
                let end = now.wall.timestamp();
                self.asking
                    .ask(now, async move { Part::Ready(Answered::Range(range(&http, asked, end).await)) });
            }
        }
    }

    /// What is known of what is looked at.
    pub(super) fn known(&self) -> (Vec<RangeReading>, Part<Vec<String>>) {
        let mut ranges: Vec<RangeReading> =
            self.ranges.values().filter_map(|(_, reading)| reading.clone()).collect();
        ranges.sort_by(|a, b| a.range.cmp(&b.range));
        let names = self.names.as_ref().map_or(Part::NotAsked, |(_, names)| names.clone());
        (ranges, names)
    }
}

/// An expression over a span that ends at `end`, seconds since 1970. The server gives up before we do.
async fn range(http: &Http, range: Range, end: i64) -> RangeReading {
    let (span, step) = (range.span.as_secs(), range.step().as_secs());
    let start = end - i64::try_from(span).unwrap_or(0) + i64::try_from(step).unwrap_or(0);
    let most = decode::MOST_LINES;
    let body = format!(
        "query={}&start={start}&end={end}&step={step}&timeout=2500ms&limit={}",
        encoded(&range.expr),
        most + 1
    );
    let headers = [(CONTENT_TYPE, "application/x-www-form-urlencoded")];
    let columns = (start, i64::try_from(step).unwrap_or(1), range.columns());
    let asked = within(LIMIT, http.send(Method::POST, "/api/v1/query_range", &headers, Some(body))).await;
    let mut series = match asked {
        Ok(answer) => part(http, &answer, decode::MATRIX, |data| decode::matrix(data, columns)).await,
        Err(error) => Part::Unavailable(gap(&error)),
    };
    let mut cut = false;
    if let Part::Ready(all) = &mut series {
        cut = all.len() > most;
        all.truncate(most);
    }
    RangeReading { range, series, cut }
}

/// The names of all metrics.
async fn metric_names(http: &Http) -> Part<Vec<String>> {
    let path = format!("/api/v1/label/__name__/values?limit={}", decode::MOST_NAMES);
    match within(LIMIT, http.get(&path, &[])).await {
        Ok(answer) => part(http, &answer, decode::NAMES, decode::names).await,
        Err(error) => Part::Unavailable(gap(&error)),
    }
}
