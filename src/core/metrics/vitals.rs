//! How the process behind an endpoint is: its event loop, its heap, its garbage collection, what it keeps open. By the names that the runtimes'
//! libraries give them (prom-client, OpenTelemetry). What is not told is not known. Pure.

use super::MetricsReading;
use super::layout::{Layout, Named};
use super::rates::Rates;
use crate::core::time::Now;
use std::collections::VecDeque;
use std::time::Duration;

/// Names under which Node's libraries tell how late the event loop is, in seconds: the worst of what was since the last scrape first.
const LOOP_LAG: [&str; 5] = [
    "nodejs_eventloop_lag_p99_seconds",
    "nodejs_eventloop_delay_p99_seconds",
    "nodejs_eventloop_delay_p99",
    "nodejs_eventloop_lag_seconds",
    "nodejs_eventloop_delay_mean_seconds",
];
/// The heap in use.
const HEAP: [&str; 1] = ["nodejs_heap_size_used_bytes"];
/// What it may grow to: prom-client does not tell it by itself, an application can (`v8.getHeapStatistics().heap_size_limit`). What is
/// allocated so far is no limit.
const HEAP_LIMIT: [&str; 4] = [
    "nodejs_heap_size_limit_bytes",
    "nodejs_heap_limit_bytes",
    "nodejs_v8_heap_size_limit_bytes",
    "v8_heap_size_limit_bytes",
];
/// Seconds spent collecting garbage so far, by kinds of it.
const COLLECTED: [&str; 3] =
    ["nodejs_gc_duration_seconds_sum", "v8js_gc_duration_seconds_sum", "jvm_gc_pause_seconds_sum"];
/// What a Node process holds open: sockets, timers, watched files.
const HANDLES: [&str; 2] = ["nodejs_active_handles_total", "nodejs_active_resources_total"];
const FILES: [&str; 1] = ["process_open_fds"];
const MOST_FILES: [&str; 1] = ["process_max_fds"];

/// A number that grows is looked at over so long…
const PAST: Duration = Duration::from_secs(900);
/// …with a sample each.
const EACH: Duration = Duration::from_secs(60);

/// Where its vital signs are among the samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Vitals {
    late: Vec<usize>,
    heap: Vec<usize>,
    heap_limit: Vec<usize>,
    collected: Vec<usize>,
    handles: Vec<usize>,
    files: Vec<usize>,
    most_files: Vec<usize>,
}

/// Its vital signs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Signs {
    /// By how many seconds its event loop is late.
    pub late: Option<f64>,
    /// Bytes of its heap in use.
    pub heap: Option<f64>,
    /// Bytes that its heap may grow to.
    pub heap_limit: Option<f64>,
    /// The share of the time in which it collects garbage.
    pub collecting: Option<f64>,
    /// What it holds open.
    pub handles: Option<f64>,
    /// Files and sockets, by the kernel.
    pub files: Option<f64>,
    /// So many of these it may have.
    pub most_files: Option<f64>,
}

impl Signs {
    /// How full its heap is.
    #[must_use]
    pub fn heap_used(&self) -> Option<f64> {
        Some(self.heap? / self.heap_limit.filter(|limit| *limit > 0.0)?)
    }

    /// How many of its files are open.
    #[must_use]
    pub fn files_used(&self) -> Option<f64> {
        Some(self.files? / self.most_files.filter(|most| *most > 0.0)?)
    }
}

impl Vitals {
    /// What there is among these samples.
    pub(super) fn of(layout: &Layout) -> Self {
        let all = |names: &[&str]| {
            let of = |name: &&str| -> Vec<usize> {
                let named = layout.samples().filter(|sample| sample.name() == *name);
                named.map(Named::index).collect()
            };
            names.iter().map(of).find(|found| !found.is_empty()).unwrap_or_default()
        };
        Self {
            late: all(&LOOP_LAG),
            heap: all(&HEAP),
            heap_limit: all(&HEAP_LIMIT),
            collected: all(&COLLECTED),
            handles: all(&HANDLES),
            files: all(&FILES),
            most_files: all(&MOST_FILES),
        }
    }

    /// What they say in this scrape.
    pub(super) fn signs(&self, reading: &MetricsReading, rates: Option<&Rates>) -> Signs {
        let sum = |places: &[usize]| {
            let told = places.iter().map(|place| reading.value(*place));
            (!places.is_empty()).then(|| told.sum::<f64>()).filter(|sum| sum.is_finite() && *sum >= 0.0)
        };
        let share = |rates: &Rates| {
            let each = self.collected.iter().map(|place| {
                let sample = reading.layout.sample(*place);
                rates.of(reading, sample)
            });
            // A kind of collection that happened for the first time has no rate yet.
            let known: Vec<f64> = each.flatten().collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>())
        };
        Signs {
            late: sum(self.late.get(..1).unwrap_or_default()),
            heap: sum(&self.heap),
            heap_limit: sum(&self.heap_limit),
            collecting: rates.and_then(share),
            handles: sum(&self.handles),
            files: sum(&self.files),
            most_files: sum(&self.most_files),
        }
    }
}

/// Whether a number has grown all the time: a quarter of an hour of it, a sample a minute.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Growth(VecDeque<(Now, f64)>);

impl Growth {
    /// Takes in its value. Of a process that began anew nothing is kept.
    pub(super) fn push(&mut self, now: Now, value: Option<f64>, anew: bool) {
        if anew {
            self.0.clear();
        }
        let Some(value) = value else { return };
        if self.0.back().is_none_or(|(at, _)| now.since(*at) >= EACH) {
            self.0.push_back((now, value));
        }
        while self.0.front().is_some_and(|(at, _)| now.since(*at) > PAST + EACH) {
            self.0.pop_front();
        }
    }

    /// By how much it grew, where each third of the time is above all of the one before it; nothing of a shorter time.
    pub(super) fn grown(&self) -> Option<f64> {
        let ((first, before), (last, newest)) = (self.0.front()?, self.0.back()?);
        if last.since(*first) < PAST {
            return None;
        }
        let values: Vec<f64> = self.0.iter().map(|(_, value)| *value).collect();
        let (third, count) = (values.len() / 3, values.len());
        let parts = [&values[..third], &values[third..count - third], &values[count - third..]];
        let lowest = |part: &[f64]| part.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = |part: &[f64]| part.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let rises = parts.windows(2).all(|pair| lowest(pair[1]) > highest(pair[0]));
        Some(if rises { newest - before } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::metrics::{MetricKind, MetricSample};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn reading(samples: &[(&str, f64)]) -> MetricsReading {
        let sample = |(name, value): &(&str, f64)| MetricSample {
            name: (*name).to_owned(),
            value: *value,
            ..MetricSample::default()
        };
        let kinds = [("nodejs_gc_duration_seconds".to_owned(), MetricKind::Histogram)];
        MetricsReading::of(&samples.iter().map(sample).collect::<Vec<_>>(), &BTreeMap::from(kinds))
    }

    #[test]
    fn vital_signs_are_what_is_told_and_no_more() {
        let all = reading(&[
            ("nodejs_eventloop_lag_seconds", 0.001),
            ("nodejs_eventloop_lag_p99_seconds", 0.02),
            ("nodejs_heap_size_used_bytes", 30.0),
            ("nodejs_heap_size_total_bytes", 31.0),
            ("process_open_fds", 9.0),
            ("process_max_fds", 10.0),
        ]);
        let signs = Vitals::of(&all.layout).signs(&all, None);
        assert_eq!(
            (signs.late, signs.heap, signs.heap_used(), signs.files_used()),
            (Some(0.02), Some(30.0), None, Some(0.9))
        );
        let limited =
            reading(&[("nodejs_heap_size_used_bytes", 30.0), ("nodejs_heap_size_limit_bytes", 40.0)]);
        assert_eq!(Vitals::of(&limited.layout).signs(&limited, None).heap_used(), Some(0.75));
        let none = reading(&[("up", 1.0)]);
        assert_eq!(Vitals::of(&none.layout).signs(&none, None), Signs::default());
    }

    #[test]
    fn collecting_garbage_is_a_share_of_the_time() {
        let at = |sum: f64| {
            let name = "nodejs_gc_duration_seconds_sum";
            reading(&[(name, sum), ("nodejs_gc_duration_seconds_count", 1.0)])
        };
        let old = Arc::new(at(10.0));
        let new = Arc::new(MetricsReading { layout: Arc::clone(&old.layout), ..at(12.5) });
        let rates = Rates::between(old, Arc::clone(&new), Duration::from_secs(10));
        assert_eq!(Vitals::of(&new.layout).signs(&new, Some(&rates)).collecting, Some(0.25));
    }

    #[track_caller]
    fn grows(value: impl Fn(u32) -> f64, expected: Option<f64>) {
        let mut growth = Growth::default();
        for minute in 0..40_u32 {
            growth.push(Now::example(u64::from(minute) * 60), Some(value(minute)), false);
        }
        assert_eq!(growth.grown(), expected);
    }

    #[test]
    fn what_grows_all_the_time_is_told_apart_from_what_swings() {
        grows(|minute| f64::from(minute) * 10.0, Some(160.0));
        grows(|_| 500.0, Some(0.0));
        grows(|minute| f64::from(minute % 5) * 100.0, Some(0.0));
        grows(|minute| if minute < 38 { 10.0 } else { 900.0 }, Some(0.0));
        let mut young = Growth::default();
        for minute in 0..10 {
            young.push(Now::example(minute * 60), Some(minute as f64), false);
        }
        assert_eq!(young.grown(), None);
    }
}
