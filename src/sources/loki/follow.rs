//! The lines of a page that is open: asked for once, then what came after them, one request at a time. A line is known by its moment, its
//! stream and its text, so that one that is told twice is shown once; what comes too fast is counted and left out.

use super::questions::{self, NANOS};
use crate::core::lines::{About, Asked, LeftOut, LogLine, Question, Window};
use crate::core::loki::logql;
use crate::core::part::{Gap, GapKind, Part};
use crate::core::time::Now;
use crate::sources::beside::Beside;
use crate::sources::http::Http;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// One request brings so many lines at the most.
pub(super) const MOST_AT_ONCE: usize = 500;
/// A page keeps so many.
const MOST_KEPT: usize = 2000;
/// One question has so long, with all of its requests.
const LIMIT: Duration = Duration::from_secs(20);
/// What came after is asked for so often; after a failure less often.
const EACH: Duration = Duration::from_secs(2);
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// Lines may come so much later than they were written: this much of what is known is asked for again.
const LATE: i64 = 5 * NANOS;
/// A line may be written by a clock that is ahead of ours by so much.
const AHEAD: i64 = 60 * NANOS;

/// Where lines may be asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams {
    /// All streams: as it is configured, or by a label that all of them have.
    pub(super) all: Option<String>,
    /// Those of a target or a queue, as it is configured.
    pub(super) of: BTreeMap<String, String>,
    /// The labels that there are.
    pub(super) labels: Vec<String>,
    /// Names behind which values are not shown.
    pub(super) masks: Vec<String>,
}

/// A question as it is put to the server, and why to these streams.
type Put = (String, String);

/// What came of one question.
#[derive(Debug)]
struct Batch {
    put: Put,
    lines: Vec<LogLine>,
    /// There are more than came.
    full: bool,
    left_out: Option<LeftOut>,
}

/// The lines of one page.
#[derive(Debug)]
pub(super) struct Follow {
    question: Question,
    beside: Beside<Batch>,
    put: Option<Put>,
    /// The newest first.
    lines: Vec<LogLine>,
    known: HashSet<(i64, u64)>,
    more: bool,
    left_out: Option<LeftOut>,
    gap: Option<Gap>,
}

impl Follow {
    pub(super) fn new(question: Question) -> Self {
        Self {
            question,
            beside: Beside::default(),
            put: None,
            lines: Vec::new(),
            known: HashSet::new(),
            more: false,
            left_out: None,
            gap: None,
        }
    }

    pub(super) fn is_of(&self, question: &Question) -> bool {
        self.question == *question
    }

    /// Asks, where that is due.
    pub(super) fn ask(&mut self, http: &Arc<Http>, streams: &Streams, now: Now) {
        let each = if self.gap.is_some() { AFTER_FAILURE } else { EACH };
        let first = self.put.is_none();
        if !self.beside.is_due(now, each) || !(first || self.question.window.follows()) {
            return;
        }
        let (http, streams, at) = (Arc::clone(http), streams.clone(), nanos(now));
        let (question, put) = (self.question.clone(), self.put.clone());
        // Where there was no line yet, the first one may still come from its beginning.
        let newest = self.lines.first().map(|line| line.at);
        self.beside.ask(now, async move {
            let asking = async {
                match (put, newest) {
                    (Some(put), Some(newest)) => after(&http, put, newest, at, &streams.masks).await,
                    (_, _) => begin(&http, &question, &streams, at).await,
                }
            };
            let late = || Gap::new(GapKind::TimedOut, format!("no answer within {} s", LIMIT.as_secs()));
            Part::from(tokio::time::timeout(LIMIT, asking).await.unwrap_or_else(|_| Err(late())))
        });
    }

    pub(super) async fn settle(&mut self, now: Now, grace: Duration) {
        self.beside.settle(now, grace).await;
        match self.beside.take(now, LIMIT * 2) {
            Part::Ready(batch) => {
                self.gap = None;
                self.take(batch);
            }
            Part::Unavailable(gap) => self.gap = Some(gap),
            Part::NotAsked => {}
        }
    }

    fn take(&mut self, batch: Batch) {
        let first = self.lines.is_empty();
        self.put = Some(batch.put);
        self.more |= first && batch.full;
        if let Some(new) = batch.left_out {
            let known = self.left_out.unwrap_or_default();
            self.left_out =
                Some(LeftOut { counted: known.counted + new.counted, more: known.more || new.more });
        }
        let fresh = batch.lines.into_iter().filter(|line| self.known.insert((line.at, line.digest)));
        self.lines.extend(fresh.collect::<Vec<_>>());
        self.lines.sort_by(|a, b| b.at.cmp(&a.at).then(a.digest.cmp(&b.digest)));
        if self.lines.len() > MOST_KEPT {
            self.more = true;
            for line in self.lines.drain(MOST_KEPT..) {
                self.known.remove(&(line.at, line.digest));
            }
        }
    }

    /// As it stands.
    pub(super) fn asked(&self, now: Now) -> Asked {
        let (query, why) = self.put.clone().unwrap_or_default();
        let lines = match (&self.gap, self.put.is_some()) {
            // What was read before is still true of its time.
            (Some(gap), _) if self.lines.is_empty() => Part::Unavailable(gap.clone()),
            (_, true) => Part::Ready(self.lines.clone()),
            (_, false) => Part::NotAsked,
        };
        let why = match &self.gap {
            Some(gap) if !self.lines.is_empty() => {
                let before = if why.is_empty() { String::new() } else { format!("{why}; ") };
                format!("{before}newer lines cannot be read: {}", gap.note)
            }
            _ => why,
        };
        let asking = self.beside.waits(now).is_some();
        Asked {
            question: self.question.clone(),
            query,
            why,
            lines,
            more: self.more,
            left_out: self.left_out,
            asking,
        }
    }
}

fn nanos(now: Now) -> i64 {
    now.wall.timestamp_nanos_opt().unwrap_or_default()
}

/// The span of a question that is asked at `now`, in nanoseconds.
fn span(window: Window, now: i64) -> (i64, i64) {
    let of_millis = |millis: i64| millis.saturating_mul(NANOS / 1000);
    match window {
        Window::Last(seconds) => (now - i64::from(seconds) * NANOS, now + AHEAD),
        Window::Since(from) => (of_millis(from), now + AHEAD),
        Window::Between(from, to) => (of_millis(from), of_millis(to)),
    }
}

/// The first lines: of the streams that are meant, and where there is none, of all.
async fn begin(http: &Http, question: &Question, streams: &Streams, now: i64) -> Result<Batch, Gap> {
    let span = span(question.window, now);
    let mut puts = puts(http, &question.lines, streams, span).await.into_iter().peekable();
    let mut unfound: Vec<String> = Vec::new();
    while let Some((query, why)) = puts.next() {
        let lines = questions::lines(http, &query, span, MOST_AT_ONCE, &streams.masks).await?;
        if lines.is_empty() && puts.peek().is_some() {
            unfound.push(why);
            continue;
        }
        let before = if unfound.is_empty() {
            String::new()
        } else {
            format!("no line in {}; ", unfound.join(", nor in "))
        };
        let full = lines.len() >= MOST_AT_ONCE;
        return Ok(Batch { put: (query, format!("{before}{why}")), lines, full, left_out: None });
    }
    Err(Gap::new(GapKind::Failed, "Loki holds no stream of the last hour"))
}

/// How it may be put, the narrowest first.
async fn puts(http: &Http, about: &About, streams: &Streams, span: (i64, i64)) -> Vec<Put> {
    let (words, text, of, names) = match about {
        About::Query(query) => return vec![(query.clone(), String::new())],
        About::Named { words, text, of, names } => (words, text, of, names),
    };
    let filter = format!("{}{}", logql::words(words), logql::text(text));
    let mut puts = Vec::new();
    if let Some((name, selector)) = of.iter().find_map(|name| streams.of.get_key_value(name)) {
        puts.push((format!("{selector}{filter}"), format!("the streams configured for {name}")));
    } else if !names.is_empty() {
        let mut labels = Vec::new();
        for label in logql::naming(&streams.labels) {
            labels.push((label.clone(), questions::values(http, label, span).await));
        }
        if let Some((label, values)) = logql::named(&labels, names) {
            let why = format!("streams whose {label} holds {}", names.join(" or "));
            puts.push((format!("{}{filter}", logql::those(label, &values)), why));
        }
    }
    if let Some(all) = &streams.all {
        let (filter, why) = if filter.is_empty() {
            (logql::errors(), "errors of all streams")
        } else {
            (filter, "all streams")
        };
        puts.push((format!("{all}{filter}"), why.to_owned()));
    }
    puts
}

/// What came after the newest line that is known.
async fn after(http: &Http, put: Put, newest: i64, now: i64, masks: &[String]) -> Result<Batch, Gap> {
    let span = (newest - LATE, now + AHEAD);
    let lines = questions::lines(http, &put.0, span, MOST_AT_ONCE, masks).await?;
    let full = lines.len() >= MOST_AT_ONCE;
    let reached = lines.last().is_none_or(|oldest| oldest.at <= newest);
    let left_out =
        if full && !reached { Some(missed(http, &put.0, newest, &lines, now).await) } else { None };
    Ok(Batch { put, lines, full, left_out })
}

/// How many lines after `newest` did not come.
async fn missed(http: &Http, query: &str, newest: i64, lines: &[LogLine], now: i64) -> LeftOut {
    let to = lines.first().map_or(now, |line| line.at);
    let millis = u64::try_from((to - newest) / (NANOS / 1000)).unwrap_or_default().max(1);
    match questions::numbers(http, &logql::count(query, millis), to).await {
        Ok(samples) => {
            let all = samples.iter().map(|sample| sample.value).sum::<f64>() as u64;
            LeftOut { counted: all.saturating_sub(lines.len() as u64), more: false }
        }
        Err(_) => LeftOut { counted: 0, more: true },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at: i64, digest: u64) -> LogLine {
        LogLine { at, digest, text: format!("line {digest}"), ..LogLine::default() }
    }

    fn batch(lines: Vec<LogLine>, left_out: Option<LeftOut>) -> Batch {
        Batch { put: ("{a=\"b\"}".to_owned(), String::new()), full: false, lines, left_out }
    }

    fn follow() -> Follow {
        let lines = About::Query("{a=\"b\"}".to_owned());
        Follow::new(Question { about: "a".to_owned(), lines, window: Window::Last(60) })
    }

    #[test]
    fn a_line_that_is_told_twice_is_shown_once_and_one_that_comes_late_is_in_its_place() {
        let mut follow = follow();
        follow.take(batch(vec![line(3, 1), line(1, 2)], None));
        // The same moment, another line; the same line again; one that was late.
        follow.take(batch(vec![line(4, 3), line(3, 4), line(3, 1), line(2, 5)], None));
        let asked = follow.asked(Now::example(0));
        let shown: Vec<(i64, u64)> =
            asked.lines.ready().expect("lines").iter().map(|line| (line.at, line.digest)).collect();
        assert_eq!(shown, [(4, 3), (3, 1), (3, 4), (2, 5), (1, 2)]);
        assert!(!asked.more && asked.left_out.is_none());
    }

    #[test]
    fn what_is_left_out_adds_up_and_what_is_too_much_goes_at_the_end() {
        let mut follow = follow();
        follow.take(batch((0..MOST_KEPT as i64).rev().map(|at| line(at, at as u64)).collect(), None));
        follow.take(batch(vec![line(9000, 9000)], Some(LeftOut { counted: 40, more: false })));
        follow.take(batch(vec![line(9001, 9001)], Some(LeftOut { counted: 2, more: true })));
        let asked = follow.asked(Now::example(0));
        assert_eq!(asked.left_out, Some(LeftOut { counted: 42, more: true }));
        let lines = asked.lines.ready().expect("lines");
        assert_eq!((lines.len(), lines[0].at, lines[MOST_KEPT - 1].at), (MOST_KEPT, 9001, 2));
        assert!(asked.more);
        assert_eq!(follow.known.len(), MOST_KEPT);
    }

    #[test]
    fn a_failure_takes_no_line_away() {
        let mut follow = follow();
        assert_eq!(follow.asked(Now::example(0)).lines, Part::NotAsked);
        let gap = Gap::new(GapKind::TimedOut, "no answer within 20 s");
        follow.gap = Some(gap.clone());
        assert_eq!(follow.asked(Now::example(0)).lines, Part::Unavailable(gap.clone()));
        follow.take(batch(vec![line(1, 1)], None));
        let asked = follow.asked(Now::example(0));
        assert_eq!(asked.lines.ready().map(Vec::len), Some(1));
        assert!(asked.why.contains("newer lines cannot be read: no answer within 20 s"), "{}", asked.why);
    }
}
