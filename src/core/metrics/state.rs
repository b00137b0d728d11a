//! What follows from several scrapes of one endpoint: rates of counters, quantiles of histograms over the last minute.

use super::buckets::{ALL_SERIES, Buckets, Distribution};
use super::layout::{Layout, Named};
use super::levels::{Levels, PoolUse};
use super::measures::{self, Measures};
use super::operation::{self, Operation};
use super::processes::Processes;
use super::rates::Rates;
use super::requests::{Counted, Requests};
use super::service_level::{self, ServiceLevel};
use super::vitals::{Growth, Signs, Vitals};
use super::{Disks, MetricsReading, MetricsSettings, Quantile, service};
use crate::core::history::Series;
use crate::core::rate::{self, LEAST_WINDOW, Window};
use crate::core::time::Now;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Over how long histogram buckets are compared.
pub const WINDOW: Duration = Duration::from_secs(60);
/// At most one snapshot of all buckets is kept for each of these steps.
const STEP: Duration = Duration::from_secs(10);
/// After a gap, what is older than this is not "the last minute" any more.
const STALE: Duration = Duration::from_secs(90);
/// A share of requests is of the newest so many, however long these took: fewer, and one that fails is a share that somebody must hear of.
const MANY: f64 = 100.0;
/// Of a service that has not so many within a minute, it is of the newest so many…
const ENOUGH: f64 = 20.0;
/// …but of none that is older than this, and of fewer than so many nothing is said.
const LONGEST: Duration = Duration::from_secs(300);
const FEW: f64 = 5.0;
/// A query that takes longer is slow, in seconds.
pub const SLOW: f64 = 0.1;

/// The golden signals of an endpoint, by the names that instrumentation libraries give them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Golden {
    /// Requests per second.
    pub requests: Option<f64>,
    /// Share of requests that ended by the server's fault (5xx, or the codes of gRPC that say so), 0–1: of those of the newest interval or of
    /// the newest hundred; of a minute with fewer, and of up to five with less than 20; of at least five.
    pub errors: Option<f64>,
    /// How many of them ended so.
    pub failed: f64,
    /// 95th percentile of request durations over the window, seconds.
    pub p95: Option<Quantile>,
}

/// The latest scrape of an endpoint and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsState {
    settings: MetricsSettings,
    /// The newest reading and when it was made.
    pub latest: Option<(Now, Arc<MetricsReading>)>,
    /// The golden signals.
    pub golden: Golden,
    /// Requests per second over time.
    pub requests: Series,
    /// The process restarted with the newest scrape.
    pub restarted: bool,
    /// File systems, where the endpoint tells of them.
    pub disks: Disks,
    /// So many processes answer in turn behind this address.
    pub in_turn: usize,
    processes: Processes,
    /// What counters grew by up to it.
    rates: Option<Rates>,
    /// What counts its requests, and of which layout that was found out.
    asked: Option<(Arc<Layout>, Option<Requests>)>,
    /// What it calls the service that it is of, found out with that.
    service: Option<String>,
    /// What tells of its cache and its pools, found out with that.
    levels: Levels,
    /// What measures and counts its operations, found out with that.
    measures: Measures,
    /// Where its vital signs are, found out with that.
    vitals: Vitals,
    /// What its operations reach.
    pub service_levels: Vec<ServiceLevel>,
    /// How its process is.
    pub signs: Signs,
    /// What it holds open over the last quarter of an hour.
    handles: Growth,
    /// The share of looks into its cache that found something, over [`WINDOW`].
    pub cache_hit: Option<f64>,
    /// A poll failed since the newest reading.
    broken: bool,
}

impl MetricsState {
    /// The state of an endpoint that was not asked yet.
    #[must_use]
    pub fn new(settings: MetricsSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The newest reading.
    #[must_use]
    pub fn reading(&self) -> Option<&MetricsReading> {
        self.latest.as_ref().map(|(_, reading)| &**reading)
    }

    /// Takes in a new reading: derives rates against the one before of the same process over the measured time between them.
    pub fn absorb(&mut self, reading: MetricsReading, now: Now) {
        let reading = Arc::new(reading);
        let answered = self.processes.answer(&reading, self.latest.take(), now);
        self.restarted = answered.new;
        self.find_requests(&reading);
        let requests = self.asked.as_ref().and_then(|(_, requests)| requests.as_ref());
        let process = &mut self.processes.current;
        let (levels, measures) = (&mut self.service_levels, &self.measures);
        match process.meter.window(answered.before, now) {
            Window::Early => {}
            Window::Nothing => {
                self.rates = None;
                process.requests = None;
            }
            Window::Over(old, elapsed) => {
                let counted = requests.map(|requests| requests.between(&old, &reading));
                process.requests = counted.map(|counted| counted.all / elapsed.as_secs_f64());
                process.counted.extend(counted.map(|counted| (now, counted)));
                service_level::count(levels, measures, (&old, &reading), (now, elapsed));
                self.rates = Some(Rates::between(old, Arc::clone(&reading), elapsed));
            }
        }
        process.counted.retain(|(at, _)| now.since(*at) < LONGEST);
        if std::mem::take(&mut self.broken) {
            process.past.retain(|(at, _)| now.since(*at) <= STALE);
        }
        if process.past.back().is_none_or(|(at, _)| now.since(*at) >= STEP) {
            process.past.push_back((now, Buckets::of(&reading)));
        }
        while process.past.len() > 1 && process.past.get(1).is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            process.past.pop_front();
        }
        self.cache_hit =
            self.levels.cache(&reading).and_then(|counted| hits(&mut process.cache, counted, now));
        let since = process.past.front().filter(|(at, _)| now.since(*at) >= LEAST_WINDOW);
        service_level::take(levels, measures, since.map(|(_, old)| old), &reading, now);
        self.signs = self.vitals.signs(&reading, self.rates.as_ref());
        self.in_turn = self.processes.in_turn().count();
        // What several processes hold open is no one number.
        let handles = self.signs.handles.filter(|_| self.in_turn == 1);
        self.handles.push(now, handles, self.restarted);
        self.disks.absorb(&reading, now);
        self.latest = Some((now, reading));
        self.golden = self.golden();
        self.requests.push(now, self.golden.requests);
    }

    /// What counts the requests of an endpoint is found out once for all scrapes with the same samples.
    fn find_requests(&mut self, reading: &MetricsReading) {
        let known = self.asked.as_ref().is_some_and(|(layout, _)| Arc::ptr_eq(layout, &reading.layout));
        if !known {
            let requests = Requests::of(reading, self.settings.requests.as_deref());
            self.service = service::of(&reading.layout);
            self.levels = Levels::of(&reading.layout);
            self.measures = Measures::of(&reading.layout, requests.as_ref(), &self.settings.operations);
            self.vitals = Vitals::of(&reading.layout);
            self.asked = Some((Arc::clone(&reading.layout), requests));
        }
    }

    /// What it calls the service that it is of.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// The samples that count its requests.
    #[must_use]
    pub fn counted_by(&self) -> Option<&str> {
        self.requests_of().map(|requests| requests.samples.as_str())
    }

    fn requests_of(&self) -> Option<&Requests> {
        self.asked.as_ref().and_then(|(_, requests)| requests.as_ref())
    }

    /// Increase per second of a sample of the newest reading, if it is a counter and that is known.
    #[must_use]
    pub fn rate(&self, sample: Named<'_>) -> Option<f64> {
        self.rates.as_ref()?.of(self.reading()?, sample)
    }

    /// The oldest buckets of the window, if they are old enough, with the newest reading.
    fn window(&self) -> Option<(&Buckets, &MetricsReading)> {
        let (now, reading) = self.latest.as_ref()?;
        let (at, old) = self.processes.current.past.front()?;
        (now.since(*at) >= LEAST_WINDOW).then_some((old, reading))
    }

    /// How the observations of histogram `family` were spread over the window, all its series together.
    #[must_use]
    pub fn spread(&self, family: &str) -> Option<Distribution> {
        let (old, reading) = self.window()?;
        old.together(reading, family)
    }

    /// The same for each of its series by its labels, and for all of them together.
    #[must_use]
    pub fn spreads(&self, family: &str) -> Vec<(String, Distribution)> {
        let Some((old, reading)) = self.window() else { return Vec::new() };
        let mut all = old.each(reading, family);
        all.extend(old.together(reading, family).map(|together| (ALL_SERIES.to_owned(), together)));
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }

    /// What each family that measures an operation tells of it.
    pub fn levels(&self, operation: Operation) -> impl Iterator<Item = &ServiceLevel> {
        self.service_levels.iter().filter(move |level| level.operation == operation)
    }

    /// The operations for which a family is named that is not there.
    pub fn unmeasured(&self) -> impl Iterator<Item = (Operation, &str)> {
        let there = |operation| self.measures.0.iter().any(|measure| measure.operation == operation);
        let named = self.settings.operations.iter().filter(|_| self.latest.is_some());
        named
            .filter(move |(operation, _)| !there(**operation))
            .map(|(operation, name)| (*operation, name.as_str()))
    }

    /// Queries a minute that were certainly slower than [`SLOW`], and the bound in seconds by which that is known.
    #[must_use]
    pub fn slow_queries(&self) -> Option<(f64, f64)> {
        let (old, reading) = self.window()?;
        let (since, _) = self.processes.current.past.front()?;
        let elapsed = self.latest.as_ref()?.0.since(*since).as_secs_f64();
        let queries =
            self.measures.0.iter().filter(|one| one.operation == Operation::Query && one.has_buckets());
        let mut slow: Option<(f64, f64)> = None;
        for one in queries {
            let Some((count, bound)) = old.above(reading, &one.family, SLOW / one.unit) else { continue };
            let (sum, widest) = slow.unwrap_or_default();
            slow = Some((sum + count * 60.0 / elapsed, widest.max(bound * one.unit)));
        }
        slow
    }

    /// By how much what it holds open grew, where it did all the time for a quarter of an hour.
    #[must_use]
    pub fn handles_grown(&self) -> Option<f64> {
        self.handles.grown()
    }

    /// How full the pools are that it tells of.
    #[must_use]
    pub fn pools(&self) -> Vec<PoolUse> {
        self.reading().map_or_else(Vec::new, |reading| self.levels.pools(reading))
    }

    /// The family that is named to count requests and is not there.
    #[must_use]
    pub fn unnamed(&self) -> Option<&str> {
        let named = self.settings.requests.as_deref().filter(|_| self.latest.is_some())?;
        self.requests_of().is_none().then_some(named)
    }

    /// The golden signals of all processes that answer in turn.
    fn golden(&self) -> Golden {
        let requests = self.requests_of();
        let rates: Vec<f64> = self.processes.in_turn().filter_map(|process| process.requests).collect();
        let told = requests.is_some_and(|requests| requests.told);
        let counted = if told { self.newest() } else { Counted::default() };
        Golden {
            requests: (!rates.is_empty()).then(|| rates.iter().sum()),
            errors: rate::ratio(counted.failed, counted.all, FEW),
            failed: counted.failed,
            p95: self.p95(),
        }
    }

    /// What was counted of the newest requests, so many that a share of them says something.
    fn newest(&self) -> Counted {
        let Some((now, _)) = self.latest else { return Counted::default() };
        let mut all: Vec<&(Now, Counted)> =
            self.processes.in_turn().flat_map(|process| &process.counted).collect();
        all.sort_by_key(|(at, _)| std::cmp::Reverse(at.mono));
        let mut sum = Counted::default();
        for (at, counted) in all {
            let age = now.since(*at);
            if age >= LONGEST || sum.all >= MANY || (age >= WINDOW && sum.all >= ENOUGH) {
                break;
            }
            sum.all += counted.all;
            sum.failed += counted.failed;
        }
        sum
    }

    /// How long nearly all requests take.
    fn p95(&self) -> Option<Quantile> {
        measures::durations(self.requests_of()).find_map(|family| {
            let found = self.spread(family)?.p95?;
            Some(operation::unit(family).map_or(found, |unit| scaled(found, unit)))
        })
    }

    /// Nobody was running for a while: what is counted from poll to poll begins anew.
    pub fn interrupt(&mut self) {
        self.processes.interrupt();
        self.requests.interrupt();
    }

    /// Notes that a poll failed: every history gets an explicit gap; the latest reading stays (its age is shown).
    pub fn gap(&mut self, now: Now) {
        self.broken = true;
        self.requests.push(now, None);
    }
}

/// The share of hits among what was counted over the window up to `now`; of few looks nothing is said. Sums that fall begin anew.
fn hits(past: &mut VecDeque<(Now, (f64, f64))>, counted: (f64, f64), now: Now) -> Option<f64> {
    if past.back().is_some_and(|(_, (hits, misses))| counted.0 < *hits || counted.1 < *misses) {
        past.clear();
    }
    if past.back().is_none_or(|(at, _)| now.since(*at) >= STEP) {
        past.push_back((now, counted));
    }
    while past.len() > 1 && past.get(1).is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
        past.pop_front();
    }
    let (at, (hits, misses)) = past.front().filter(|(at, _)| now.since(*at) <= LONGEST)?;
    let found = counted.0 - hits;
    let all = found + counted.1 - misses;
    (now.since(*at) >= LEAST_WINDOW).then(|| rate::ratio(found, all, MANY)).flatten()
}

fn scaled(quantile: Quantile, unit: f64) -> Quantile {
    match quantile {
        Quantile::Value(value) => Quantile::Value(value * unit),
        Quantile::Above(value) => Quantile::Above(value * unit),
    }
}

#[cfg(test)]
mod tests;
