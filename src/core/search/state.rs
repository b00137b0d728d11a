//! What follows from several readings of one search cluster: rates summed over the nodes that were there both times.

use super::{IndexRow, SearchNode, SearchReading};
use crate::core::history::Series;
use crate::core::part::{Part, Warm};
use crate::core::rate::{self, Lately, Meter, Window};
use crate::core::search::SearchSettings;
use crate::core::time::Now;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Bytes at a moment.
type Size = (Now, f64);

/// A growth over less than this says nothing.
const LEAST_GROWTH: Duration = Duration::from_secs(30);

/// So many names of nodes are remembered.
const MOST_NAMES: usize = 2000;

/// Rates of the newest interval, over all nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchRates {
    /// Shard-level searches per second.
    pub queries: Option<f64>,
    /// Mean time of one, milliseconds. Not the latency of a request.
    pub query_ms: Option<f64>,
    /// Documents indexed per second.
    pub indexed: Option<f64>,
    /// Mean time of one, milliseconds.
    pub index_ms: Option<f64>,
}

/// The latest reading of a target and everything derived from it and its predecessors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchState {
    /// The newest reading and when it was made.
    pub latest: Option<(Now, Arc<SearchReading>)>,
    /// Rates of the newest interval.
    pub rates: SearchRates,
    /// Searches and writes refused within the last minute.
    pub rejected: Lately,
    /// Circuit breakers tripped within the last minute.
    pub tripped: Lately,
    /// Milliseconds of old-generation collections of each node within the last minute.
    pub collecting: BTreeMap<String, Lately>,
    /// Shard-level searches per second over time.
    pub queries: Series,
    /// Documents indexed per second over time.
    pub indexed: Series,
    /// The fullest heap over time, 0–1.
    pub heap: Series,
    /// Since when the cluster has not been green.
    pub not_green_since: Option<Now>,
    /// Names of the nodes that were ever seen, by id: one that left is told by its name.
    names: BTreeMap<String, String>,
    /// Nodes that were there and are not, and since when.
    gone: BTreeMap<String, Now>,
    /// The size of each index at the first and at the newest look, by uuid.
    sizes: BTreeMap<String, (Size, Size)>,
    meter: Meter<Arc<SearchReading>>,
}

impl SearchState {
    /// A cluster that was not asked yet.
    #[must_use]
    pub fn new(_: SearchSettings) -> Self {
        Self::default()
    }

    /// The newest reading.
    #[must_use]
    pub fn reading(&self) -> Option<&SearchReading> {
        self.latest.as_ref().map(|(_, reading)| &**reading)
    }

    /// The name of a node, also of one that left; its id where it was never seen.
    #[must_use]
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }

    /// Since when a node has not been in the cluster, if it was seen there before.
    #[must_use]
    pub fn gone_since(&self, id: &str) -> Option<Now> {
        self.gone.get(id).copied()
    }

    /// Bytes that an index grows by in an hour, between the first and the newest look at it; not told after less than half a minute.
    #[must_use]
    pub fn growth(&self, uuid: &str) -> Option<f64> {
        let ((began, first), (at, last)) = self.sizes.get(uuid)?;
        let hours = at.since(*began).as_secs_f64() / 3600.0;
        (at.since(*began) >= LEAST_GROWTH).then(|| (last - first) / hours)
    }

    /// Notes the sizes of a look; those of indices that are gone, or not listed any more, are forgotten.
    fn sizes(&mut self, reading: &SearchReading) {
        let Some(look) = reading.looks.indices.ready() else { return };
        let known = std::mem::take(&mut self.sizes);
        let size = |row: &IndexRow| {
            let now = (look.read_at, row.bytes? as f64);
            let first = known.get(&row.uuid).map_or(now, |(first, _)| *first);
            Some((row.uuid.clone(), (first, now)))
        };
        self.sizes = look.list.iter().filter_map(size).collect();
    }

    /// Takes in a new reading: derives rates against its predecessor over the measured time between them.
    pub fn absorb(&mut self, reading: SearchReading, now: Now) {
        let before = self.latest.take();
        let reading = Arc::new(reading);
        if let Part::Ready(nodes) = &reading.nodes {
            for node in nodes {
                self.names.insert(node.id.clone(), node.name.clone());
            }
            while self.names.len() > MOST_NAMES {
                self.names.pop_first();
            }
            let there = |id: &String| nodes.iter().any(|node| node.id == *id);
            let names = &self.names;
            self.gone.retain(|id, _| names.contains_key(id) && !there(id));
            for id in names.keys().filter(|id| !there(id)) {
                self.gone.entry(id.clone()).or_insert(nodes.read_at);
            }
        }
        self.sizes(&reading);
        // What the nodes said last still stands, and nothing is counted from it anew.
        let read_at = reading.nodes.read_at();
        if read_at.is_some() && before.as_ref().is_some_and(|(_, old)| old.nodes.read_at() == read_at) {
            self.known(reading, now);
        } else {
            self.count(before, reading, now);
        }
    }

    fn count(&mut self, before: Option<(Now, Arc<SearchReading>)>, reading: Arc<SearchReading>, now: Now) {
        match self.meter.window(before, now) {
            Window::Early => {}
            Window::Nothing => {
                self.rates = SearchRates::default();
                (self.rejected, self.tripped) = (Lately::default(), Lately::default());
                self.collecting.clear();
            }
            Window::Over(old, elapsed) => {
                let both = old.nodes.ready().zip(reading.nodes.ready());
                let grown = both.map(|(old, new): (&Warm<Vec<SearchNode>>, &Warm<Vec<SearchNode>>)| {
                    let elapsed = new.read_at.since(old.read_at);
                    (Grown::between(old, new, elapsed), elapsed)
                });
                self.rates = grown.as_ref().map(|(grown, _)| grown.rates()).unwrap_or_default();
                let counted = |pick: fn(&SearchNode) -> Option<f64>| grown.as_ref()?.0.of(pick);
                let elapsed = grown.as_ref().map_or(elapsed, |(_, elapsed)| *elapsed);
                let (rejected, tripped) =
                    (counted(|node| node.rejected_total), counted(|node| node.tripped_total));
                self.rejected.add(rejected, elapsed, now);
                self.tripped.add(tripped, elapsed, now);
                let collected = grown.as_ref().map(|(grown, _)| grown.collected()).unwrap_or_default();
                self.collecting.retain(|id, _| collected.contains_key(id));
                for (id, millis) in collected {
                    self.collecting.entry(id).or_default().add(Some(millis), elapsed, now);
                }
            }
        }
        self.queries.push(now, self.rates.queries);
        self.indexed.push(now, self.rates.indexed);
        let fullest = reading
            .nodes
            .ready()
            .into_iter()
            .flat_map(|nodes| nodes.iter())
            .filter_map(|node| node.heap_ratio);
        self.heap.push(now, fullest.reduce(f64::max));
        self.known(reading, now);
    }

    fn known(&mut self, reading: Arc<SearchReading>, now: Now) {
        match reading.health.ready().map(|health| health.status.as_str()) {
            Some("green") => self.not_green_since = None,
            Some(_) => self.not_green_since = self.not_green_since.or(Some(now)),
            None => {}
        }
        self.latest = Some((now, reading));
    }

    /// Nobody was running for a while: what is counted from poll to poll begins anew.
    pub fn interrupt(&mut self) {
        self.meter.begin_anew();
        self.not_green_since = None;
        for series in [&mut self.queries, &mut self.indexed, &mut self.heap] {
            series.interrupt();
        }
    }

    /// Notes that a poll failed: every history gets an explicit gap; the latest reading stays (its age is shown).
    pub fn gap(&mut self, now: Now) {
        self.queries.push(now, None);
        self.indexed.push(now, None);
        self.heap.push(now, None);
    }
}

/// What the nodes counted that were there both times and went on.
struct Grown<'a> {
    pairs: Vec<(&'a SearchNode, &'a SearchNode)>,
    seconds: f64,
}

impl<'a> Grown<'a> {
    fn between(old: &'a [SearchNode], new: &'a [SearchNode], elapsed: Duration) -> Self {
        let pairs: Vec<(&SearchNode, &SearchNode)> = new
            .iter()
            .filter_map(|node| Some((old.iter().find(|before| before.id == node.id)?, node)))
            .filter(|(before, node)| node.uptime_millis >= before.uptime_millis)
            .collect();
        // By the nodes' own clocks where they went on: an answer may be older than the poll that took it in.
        let own = pairs.iter().filter_map(|(before, node)| Some(node.uptime_millis? - before.uptime_millis?));
        let own = own.filter(|millis| *millis > 0.0).reduce(f64::max).map(|millis| millis / 1000.0);
        let seconds = own.unwrap_or(elapsed.as_secs_f64());
        Self { pairs, seconds }
    }

    /// What this counter grew by, over all of them.
    fn of(&self, pick: fn(&SearchNode) -> Option<f64>) -> Option<f64> {
        let each = self.pairs.iter();
        let each = each.filter_map(|(before, node)| rate::increase(pick(before)?, pick(node)?));
        each.reduce(|sum, one| sum + one)
    }

    /// How long each node has collected its old generation.
    fn collected(&self) -> BTreeMap<String, f64> {
        let one = |(before, node): &(&SearchNode, &SearchNode)| {
            Some((node.id.clone(), rate::increase(before.old_gc_millis?, node.old_gc_millis?)?))
        };
        self.pairs.iter().filter_map(one).collect()
    }

    fn rates(&self) -> SearchRates {
        let per_second = |sum: Option<f64>| sum.filter(|_| self.seconds > 0.0).map(|sum| sum / self.seconds);
        let mean = |time: Option<f64>, count: Option<f64>| {
            let count = count.filter(|count| *count > 0.0)?;
            Some(time? / count)
        };
        let (queries, indexed) = (self.of(|node| node.query_total), self.of(|node| node.index_total));
        SearchRates {
            queries: per_second(queries),
            query_ms: mean(self.of(|node| node.query_millis), queries),
            indexed: per_second(indexed),
            index_ms: mean(self.of(|node| node.index_millis), indexed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::search::{Indices, SearchLooks};

    fn node(id: &str, uptime: f64, queries: f64) -> SearchNode {
        SearchNode {
            id: id.into(),
            uptime_millis: Some(uptime),
            query_total: Some(queries),
            query_millis: Some(queries * 2.0),
            ..SearchNode::default()
        }
    }

    #[test]
    fn polls_that_come_too_soon_end_no_rejection() {
        let mut state = SearchState::default();
        let mut absorb = |rejected: f64, now: Now| {
            let node = SearchNode { rejected_total: Some(rejected), ..node("a", 1000.0, 0.0) };
            let nodes = Part::Ready(vec![node]).warm(now);
            state.absorb(SearchReading { nodes, ..SearchReading::default() }, now);
            state.rejected.per_second()
        };
        absorb(0.0, Now::example(0));
        absorb(20.0, Now::example(5));
        for at in 1..=6 {
            let now = Now::example(5).plus(Duration::from_millis(at * 100));
            assert_eq!(absorb(20.0, now), Some(4.0));
        }
    }

    #[test]
    fn nodes_that_did_not_answer_count_nothing_anew() {
        let mut state = SearchState::default();
        for (second, read_at, queries) in [(0, 0, 0.0), (5, 5, 50.0), (10, 5, 50.0), (15, 15, 150.0)] {
            let nodes = Part::Ready(vec![node("a", 1000.0, queries)]).warm(Now::example(read_at));
            state.absorb(SearchReading { nodes, ..SearchReading::default() }, Now::example(second));
            assert_eq!(state.rates.queries, (second > 0).then_some(10.0), "{second}");
        }
    }

    #[test]
    fn an_index_grows_between_the_first_and_the_newest_look() {
        let mut state = SearchState::default();
        let mut look = |second: u64, bytes: u64| {
            let row = IndexRow { uuid: "u".into(), bytes: Some(bytes), ..IndexRow::default() };
            let found = Indices { list: vec![row], ..Indices::default() };
            let indices = Part::Ready(found).warm(Now::example(second));
            let looks = SearchLooks { indices, ..SearchLooks::default() };
            state.absorb(SearchReading { looks, ..SearchReading::default() }, Now::example(second));
            state.growth("u")
        };
        assert_eq!(look(0, 1000), None, "one look tells no growth");
        assert_eq!(look(20, 1500), None, "too soon");
        assert_eq!(look(60, 2000), Some(60_000.0));
        assert_eq!(look(120, 1000), Some(0.0));
    }

    #[test]
    fn a_restarted_node_and_a_new_one_do_not_count() {
        let old = [node("a", 1000.0, 100.0), node("b", 1000.0, 500.0)];
        let new = [node("a", 11_000.0, 150.0), node("b", 10.0, 600.0), node("c", 10.0, 900.0)];
        let rates = Grown::between(&old, &new, Duration::from_secs(10)).rates();
        assert_eq!(rates.queries, Some(5.0));
        assert_eq!(rates.query_ms, Some(2.0));
        assert_eq!(rates.indexed, None);
    }
}
