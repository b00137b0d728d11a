//! The processes behind one address: a cluster of workers without a common memory answers with another one's counters each time. They are
//! told apart by when they began. Pure.

use super::MetricsReading;
use super::buckets::Buckets;
use super::requests::Counted;
use crate::core::rate::Meter;
use crate::core::time::Now;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Times of start that lie closer are one: some compute it anew from how long they run.
const SAME_WITHIN_SECONDS: f64 = 2.0;
/// One that has not answered for so long is gone.
const GONE_AFTER: Duration = Duration::from_secs(120);
/// More are not kept apart.
const MOST: usize = 16;
/// Larger readings than this are kept of one process only.
const LARGE: usize = 20_000;

/// What is known of one process.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Process {
    start: Option<f64>,
    seen: Option<Now>,
    /// Its last answer, while another one's is the newest.
    last: Option<(Now, Arc<MetricsReading>)>,
    /// It answered again after another one had.
    returned: bool,
    pub(super) meter: Meter<Arc<MetricsReading>>,
    pub(super) past: VecDeque<(Now, Buckets)>,
    /// Requests per second, as of its last two answers.
    pub(super) requests: Option<f64>,
    /// What it counted lately: when, and over how long.
    pub(super) counted: VecDeque<(Now, Counted)>,
    /// Hits and misses of its cache, counted up to then.
    pub(super) cache: VecDeque<(Now, (f64, f64))>,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Processes {
    /// The one that answered last.
    pub(super) current: Process,
    others: Vec<Process>,
}

/// What an answer tells of the process that gave it.
pub(super) struct Answered {
    /// Its answer before.
    pub(super) before: Option<(Now, Arc<MetricsReading>)>,
    /// It is another one than that of the last answer, and was not seen before.
    pub(super) new: bool,
}

impl Processes {
    /// An answer came, after `latest`, which was the newest so far.
    pub(super) fn answer(
        &mut self,
        reading: &MetricsReading,
        latest: Option<(Now, Arc<MetricsReading>)>,
        now: Now,
    ) -> Answered {
        let start = start_time(reading);
        self.others.retain(|other| other.seen.is_some_and(|seen| now.since(seen) < GONE_AFTER));
        let first = self.current.seen.is_none();
        let mut answered = Answered { before: latest, new: false };
        if !first && !same(self.current.start, start) {
            let found = self.others.iter().position(|other| same(other.start, start));
            let next = found.map(|at| self.others.swap_remove(at));
            answered.new = next.is_none();
            let mut next = next.unwrap_or_default();
            next.returned = !answered.new;
            let mut former = std::mem::replace(&mut self.current, next);
            former.last = answered.before.take().filter(|(_, reading)| reading.len() <= LARGE);
            if self.others.len() < MOST {
                self.others.push(former);
            }
            answered.before = self.current.last.take();
        }
        (self.current.start, self.current.seen) = (start, Some(now));
        answered
    }

    /// Those that answer in turn.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = &Process> {
        let others = self.others.iter().filter(|other| other.returned);
        std::iter::once(&self.current).chain(others)
    }

    /// Nobody was running for a while: what is counted from answer to answer begins anew.
    pub(super) fn interrupt(&mut self) {
        self.others.clear();
        self.current.past.clear();
        self.current.counted.clear();
        self.current.meter.begin_anew();
    }
}

/// When the process behind the endpoint began.
fn start_time(reading: &MetricsReading) -> Option<f64> {
    let mut samples = reading.samples();
    samples.find(|(sample, _)| sample.name() == "process_start_time_seconds").map(|(_, value)| value)
}

fn same(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= SAME_WITHIN_SECONDS,
        (None, None) => true,
        _ => false,
    }
}
