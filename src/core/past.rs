//! What a Prometheus server remembers of our own numbers from before we began: asked by the names that the common exporters give them, and of
//! the instance that has its port, else of the one on its host that says by itself which server it asks. The configuration names others. What is remembered is never mixed up with
//! what we saw: graphs draw it apart, and no rule looks at it. Pure.

use super::chain::addresses;
use super::focus::Focus;
use super::ids::{SystemKind, TargetId};
use super::part::Part;
use super::prometheus::{PromPast, Range, RangeReading};
use super::target::TargetState;
use super::time::Now;
use super::trace::QUARTER;
use super::world::World;

/// How an exporter calls one of our numbers. `$at` stands for the labels of the instance, `$of` for what keeps those of this server alone, and
/// `$span` for what a rate is over.
struct Remembered {
    kind: SystemKind,
    /// Our number, by the name of its trace.
    number: &'static str,
    /// What tells how many instances there are.
    metric: &'static str,
    expr: &'static str,
}

/// By postgres_exporter, redis_exporter and elasticsearch_exporter; an endpoint that Prometheus scrapes, too, is known by its address.
static REMEMBERED: &[Remembered] = &[
    Remembered {
        kind: SystemKind::Postgres,
        number: "connections",
        metric: "pg_stat_activity_count",
        expr: "sum(pg_stat_activity_count{$at}$of)",
    },
    Remembered {
        kind: SystemKind::Postgres,
        number: "transactions",
        metric: "pg_stat_database_xact_commit",
        expr: "sum(rate(pg_stat_database_xact_commit{$at}[$span])$of) + sum(rate(pg_stat_database_xact_rollback{$at}[$span])$of)",
    },
    Remembered {
        kind: SystemKind::Redis,
        number: "memory",
        metric: "redis_memory_used_bytes",
        expr: "sum(redis_memory_used_bytes{$at}$of)",
    },
    Remembered {
        kind: SystemKind::Redis,
        number: "commands",
        metric: "redis_commands_processed_total",
        expr: "sum(rate(redis_commands_processed_total{$at}[$span])$of)",
    },
    Remembered {
        kind: SystemKind::Search,
        number: "fullest heap",
        metric: "elasticsearch_jvm_memory_used_bytes",
        expr: "max(elasticsearch_jvm_memory_used_bytes{area=\"heap\",$at} / elasticsearch_jvm_memory_max_bytes{area=\"heap\",$at})",
    },
    Remembered {
        kind: SystemKind::Search,
        number: "shard searches",
        metric: "elasticsearch_indices_search_query_total",
        expr: "sum(rate(elasticsearch_indices_search_query_total{$at}[$span]))",
    },
    Remembered {
        kind: SystemKind::Metrics,
        number: "requests",
        metric: "$requests",
        expr: "sum(rate($requests{$at}[$span]))",
    },
];

/// What rates are over, the closest first: who scrapes once a minute has no two samples within one.
const SPANS: [&str; 2] = ["1m", "5m"];

/// How this machine calls itself.
const HERE: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Letters that mean something to a regular expression are not meant so.
fn literal(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_ascii_alphanumeric() { vec![c] } else { vec!['\\', '\\', c] }).collect()
}

fn is_here(target: &TargetState) -> bool {
    addresses(&target.address).first().is_some_and(|(host, _)| HERE.contains(host))
}

/// What an exporter at `on_host` tells where the server that it asks is `target`, at this address, as far as it says so: the number of a run of
/// Redis is that of no other server, postgres_exporter says which host and port it asks. Nothing while that is not known here.
fn told_of(target: &TargetState, on_host: &str, (host, port): (&str, &str)) -> Option<String> {
    match target.kind {
        SystemKind::Postgres => {
            let near = format!("({host}|{}|/.*|)", HERE.map(literal).join("|"));
            Some(format!("pg_static{{{on_host},server=~\"{near}:{port}\"}}"))
        }
        SystemKind::Redis => {
            let run = &target.system.redis()?.reading()?.server.run_id;
            let plain = !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_alphanumeric());
            plain.then(|| format!("redis_instance_info{{{on_host},run_id=\"{run}\"}}"))
        }
        SystemKind::Search
        | SystemKind::Prometheus
        | SystemKind::Alertmanager
        | SystemKind::Loki
        | SystemKind::Log
        | SystemKind::Metrics
        | SystemKind::Health
        | SystemKind::Probe => None,
    }
}

/// The name of a cluster, where it is a plain one.
fn cluster(target: &TargetState) -> Option<&str> {
    let identity = target.system.search()?.reading()?.identity.ready()?;
    let name = identity.cluster.as_str();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b' ' | b':');
    (!name.is_empty() && name.bytes().all(plain)).then_some(name)
}

/// Others of its kind that are watched on the host of `target`: whose number an exporter on that host tells does not follow from the host.
fn beside<'a>(world: &'a World, target: &'a TargetState) -> impl Iterator<Item = &'a TargetState> {
    let place = |target: &'a TargetState| {
        let (host, port) = addresses(&target.address).into_iter().next()?;
        Some((if HERE.contains(&host) { HERE[0] } else { host }, port))
    };
    let own = place(target);
    let others = world.targets().iter().map(|other| &**other).filter(|other| other.kind == target.kind);
    others.filter(move |other| {
        own.zip(place(other)).is_some_and(|((host, port), (its, at))| host == its && port != at)
    })
}

/// The labels of who tells of one server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Instance {
    /// It has the server's own port: it is asked for each server by itself, or is that server.
    own: String,
    /// It is on the server's host; and what it tells where it asks this server and no other one there.
    host: Option<(String, Option<String>)>,
}

impl Instance {
    /// Who tells `server` of `target`. What calls itself this machine is another one for a server elsewhere.
    pub(super) fn of(world: &World, target: &TargetState, server: &TargetState) -> Option<Self> {
        let all = addresses(&target.address);
        let (host, port) = all.first().copied()?;
        // Which of several is asked now is not in its address.
        if target.kind == SystemKind::Postgres && all.len() > 1 {
            return None;
        }
        let here = is_here(target);
        if here && !is_here(server) {
            return None;
        }
        let host = if here { format!("({})", HERE.map(literal).join("|")) } else { literal(host) };
        if target.kind == SystemKind::Metrics {
            return Some(Self { own: format!("instance=~\"{host}:{port}\""), host: None });
        }
        let on_host = format!("instance=~\"([a-z]+://)?{host}(:[0-9]+)?\"");
        let on_host = match target.kind {
            // A cluster is told by each of its nodes alike, and with its name.
            SystemKind::Search => cluster(target)
                .filter(|_| beside(world, target).next().is_none())
                .map(|name| (format!("{on_host},cluster=\"{name}\""), None)),
            _ => told_of(target, &on_host, (&host, port)).map(|told| (on_host, Some(told))),
        };
        Some(Self { own: format!("instance=~\"([a-z]+://)?{host}:{port}(/.*)?\""), host: on_host })
    }

    /// This expression of it: by its own port, else of the one on its host that says that it asks this server. Of two servers on one host
    /// neither is told by their sum, nor by the exporter of the other.
    pub(super) fn asked(&self, expr: &str, metric: &str) -> String {
        let with = |labels: &str, of: &str| {
            let expr = expr.replace("$at", labels).replace("$of", of);
            if !expr.contains("$span") {
                return expr;
            }
            format!("({})", SPANS.map(|span| expr.replace("$span", span)).join(" or "))
        };
        let own = with(&self.own, "");
        let Some((host, told)) = &self.host else { return own };
        let of = told.as_ref().map_or_else(String::new, |told| format!(" and on (instance) {told}"));
        let one = format!("count(count by (instance) ({metric}{{{host}}}{of})) == 1");
        format!("{own} or ({} and on () ({one}))", with(host, &of))
    }
}

/// What is known of what Prometheus servers remember of these numbers of `target`.
enum Told<'a> {
    /// One of them remembers.
    Something,
    /// These have not answered yet.
    Asked(Vec<&'a str>),
    /// All have answered, and remember nothing.
    Nothing,
}

fn told<'a>(world: &'a World, target: &'a TargetState, numbers: &[&'a str], now: Now) -> Option<Told<'a>> {
    let (mut waits, mut any) = (Vec::new(), false);
    for number in numbers {
        for (server, expr) in servers(world, target, number) {
            any = true;
            let reading = server.system.prometheus().and_then(|state| state.reading()?.range(&expr, QUARTER));
            match reading.map(|read| &read.series) {
                Some(Part::Ready(series)) => {
                    let known = |(_, values): &(String, Vec<f64>)| values.iter().any(|value| !value.is_nan());
                    if series.iter().any(known) {
                        return Some(Told::Something);
                    }
                }
                // What it could not read nobody knows to be nothing.
                Some(Part::Unavailable(_)) => return None,
                // Nor whoever is silent.
                Some(Part::NotAsked) | None if server.freshness(now).is_lost() => return None,
                Some(Part::NotAsked) | None => waits.push(server.id.as_str()),
            }
        }
    }
    waits.sort_unstable();
    waits.dedup();
    any.then_some(if waits.is_empty() { Told::Nothing } else { Told::Asked(waits) })
}

/// Why these numbers of `target` begin with us, where another server is on its host: those that could tell were not asked yet, or none of them
/// tells one from the other. Nothing where something is remembered, and once all is our own.
#[must_use]
pub fn unknown(world: &World, target: &TargetState, numbers: &[&str], now: Now) -> Option<String> {
    let names: Vec<&str> = beside(world, target).map(|other| other.id.as_str()).collect();
    if names.is_empty() || now.since(target.started) >= QUARTER {
        return None;
    }
    match told(world, target, numbers, now)? {
        Told::Something => None,
        Told::Asked(servers) => {
            Some(format!("reading what {} remembers from before stacktop began", servers.join(", ")))
        }
        Told::Nothing => Some(format!(
            "from before stacktop began nothing is known: no exporter tells {} from {} on its host",
            target.id,
            names.join(", ")
        )),
    }
}

/// What `server` is asked for a number of `target`.
fn expr(
    world: &World,
    server: &TargetState,
    target: &TargetState,
    number: &str,
    named: &[PromPast],
) -> Option<String> {
    if let Some(own) = named.iter().find(|own| own.target == target.id.as_str() && own.number == number) {
        return Some(own.expr.clone());
    }
    let known = REMEMBERED.iter().find(|known| known.kind == target.kind && known.number == number)?;
    let expr = Instance::of(world, target, server)?.asked(known.expr, known.metric);
    if !expr.contains("$requests") {
        return Some(expr);
    }
    Some(expr.replace("$requests", target.system.metrics()?.counted_by()?))
}

/// The Prometheus servers, with what is asked of each.
fn servers<'a>(
    world: &'a World,
    target: &'a TargetState,
    number: &'a str,
) -> impl Iterator<Item = (&'a TargetState, String)> {
    world.targets().iter().filter_map(move |server| {
        let state = server.system.prometheus()?;
        Some((&**server, expr(world, server, target, number, &state.settings.past)?))
    })
}

/// What is asked while a graph of these numbers of `target` is looked at; nothing once it is all our own.
#[must_use]
pub fn asked(world: &World, target: &TargetState, numbers: &[&str], now: Now) -> Vec<(TargetId, Focus)> {
    if now.since(target.started) >= QUARTER {
        return Vec::new();
    }
    let of = |number: &&str| {
        let all = servers(world, target, number);
        all.map(|(server, expr)| (server.id.clone(), Focus::Range(Range { expr, span: QUARTER })))
            .collect::<Vec<_>>()
    };
    numbers.iter().flat_map(of).collect()
}

/// Puts what is remembered in front of our own columns, and tells from which column on they are our own. Nothing where nothing is remembered,
/// or where all of it is ours.
#[must_use]
pub fn before(
    world: &World,
    target: &TargetState,
    number: &str,
    own: &[Option<f64>],
) -> Option<(Vec<Option<f64>>, usize)> {
    let first = own.iter().position(Option::is_some).unwrap_or(own.len());
    let known = |(server, expr): (&TargetState, String)| {
        let reading = server.system.prometheus()?.reading()?.range(&expr, QUARTER)?;
        let (_, values) = reading.series.ready()?.first()?;
        let samples = RangeReading::samples(values);
        (samples.len() == own.len()).then_some(samples)
    };
    let past = servers(world, target, number).find_map(known)?;
    past.iter().take(first).any(Option::is_some).then(|| {
        let mut columns = past;
        columns.truncate(first);
        columns.extend_from_slice(&own[first..]);
        (columns, first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::Rulebook;
    use crate::core::part::{Gap, GapKind, Warm};
    use crate::core::prometheus::{PrometheusReading, PrometheusSettings};
    use crate::core::reading::Reading;
    use crate::core::redis::{RedisReading, RedisServer};
    use crate::core::report::PollReport;
    use crate::core::search::{Identity, SearchReading};
    use crate::core::settings::SystemSettings;
    use crate::core::world::all_rules;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn target(name: &str, settings: impl Into<SystemSettings>, address: &str) -> TargetState {
        TargetState::new(TargetId::new(name), settings, address.to_owned(), SECOND, Now::example(0))
    }

    fn world(targets: Vec<TargetState>) -> World {
        World::new(targets, Rulebook::defaults(&all_rules()))
    }

    #[track_caller]
    fn check(target: &TargetState, number: &str, expected: Option<&str>) {
        let server = self::target("prom", SystemKind::Prometheus, "prom:9090");
        let world = world(vec![target.clone(), server.clone()]);
        assert_eq!(expr(&world, &server, target, number, &[]).as_deref(), expected);
    }

    /// A Redis server of this run.
    fn redis(address: &str, run: &str) -> TargetState {
        let mut found = target("cache", SystemKind::Redis, address);
        let server = RedisServer { run_id: run.to_owned(), ..RedisServer::default() };
        let reading = RedisReading { server, ..RedisReading::default() };
        assert!(found.system.absorb(Reading::Redis(Box::new(reading)), Now::example(0)));
        found
    }

    #[test]
    fn the_exporter_on_its_host_has_to_say_whose_its_numbers_are() {
        let server = target("prom", SystemKind::Prometheus, "prom:9090");
        let asked = |one: &TargetState, other: &str| {
            let all = vec![one.clone(), target("two", one.kind, other), server.clone()];
            let world = world(all);
            Instance::of(&world, one, &server).expect("it may be asked").host
        };
        let on_host = "instance=~\"([a-z]+://)?db(:[0-9]+)?\"";
        let here = "localhost|127\\\\.0\\\\.0\\\\.1|\\\\[\\\\:\\\\:1\\\\]";
        let said = format!("pg_static{{{on_host},server=~\"(db|{here}|/.*|):5432\"}}");
        // Whoever else is watched there: another one may be there that is not.
        for other in ["db:5433/shop", "db:5432/crm", "db2:5433/shop", "/run/postgresql"] {
            let one = target("one", SystemKind::Postgres, "db:5432/shop");
            assert_eq!(asked(&one, other), Some((on_host.to_owned(), Some(said.clone()))), "{other}");
        }
        let run = Some(format!("redis_instance_info{{{on_host},run_id=\"e9f6\"}}"));
        assert_eq!(asked(&redis("db:6379", "e9f6"), "db:6380"), Some((on_host.to_owned(), run)));
        for unknown in ["", "a\"b"] {
            assert_eq!(asked(&redis("db:6379", unknown), "db:6380"), None);
        }
        let mut search = target("one", SystemKind::Search, "http://db:9200");
        assert_eq!(asked(&search, "http://db2:9201"), None);
        let identity = Identity { cluster: "shop".to_owned(), ..Identity::default() };
        let identity = Part::Ready(Warm::new(Now::example(0), identity));
        let reading = SearchReading { identity, ..SearchReading::default() };
        assert!(search.system.absorb(Reading::Search(Box::new(reading)), Now::example(0)));
        assert_eq!(asked(&search, "http://db:9201"), None);
        assert_eq!(asked(&search, "http://db2:9201"), Some((format!("{on_host},cluster=\"shop\""), None)));
        // It is one of several, and nobody knows which.
        let several = target("one", SystemKind::Postgres, "db:5432,db2:5432/shop");
        assert_eq!(Instance::of(&world(vec![several.clone()]), &several, &server), None);
    }

    type Series = Vec<(String, Vec<f64>)>;

    /// A Prometheus server that was asked for this number of the first of two servers on one host, and answered so.
    fn told_of_two(series: Option<Part<Series>>) -> World {
        let all = vec![
            target("one", SystemKind::Postgres, "localhost:5432/shop"),
            target("two", SystemKind::Postgres, "127.0.0.1:5433/shop"),
            target("prom", SystemKind::Prometheus, "localhost:9090"),
        ];
        let mut world = world(all);
        let one = world.target("one").expect("there").clone();
        let wanted = asked(&world, &one, &["connections"], Now::example(1));
        let [(_, Focus::Range(range))] = &wanted[..] else { panic!("{wanted:?}") };
        let ranges = series.map(|series| RangeReading { range: range.clone(), series, cut: false });
        let reading = PrometheusReading { ranges: ranges.into_iter().collect(), ..Default::default() };
        let reading = Reading::Prometheus(Box::new(reading));
        world.apply(PollReport::example(TargetId::new("prom"), Ok(reading), Now::example(1)));
        world
    }

    #[test]
    fn that_nothing_is_known_is_said_once_all_have_answered_and_remember_nothing() {
        let said = |series, second| {
            let world = told_of_two(series);
            let one = world.target("one").expect("there");
            unknown(&world, one, &["connections"], Now::example(second))
        };
        let none = "from before stacktop began nothing is known: no exporter tells one from two on its host";
        let reading = "reading what prom remembers from before stacktop began";
        let empty = || Some(Part::Ready(Vec::new()));
        assert_eq!(said(None, 1).as_deref(), Some(reading));
        assert_eq!(said(empty(), 1).as_deref(), Some(none));
        assert_eq!(said(empty(), 900), None, "all of it is our own");
        let values = |value| Some(Part::Ready(vec![(String::new(), vec![value; 180])]));
        assert_eq!(said(values(3.0), 1), None, "it is remembered");
        assert_eq!(said(values(f64::NAN), 1).as_deref(), Some(none));
        let gap = Gap::new(GapKind::Failed, "query timed out");
        assert_eq!(said(Some(Part::Unavailable(gap)), 1), None, "nobody knows");
        assert_eq!(said(None, 60), None, "it is silent");
        // Of a number that was not asked nobody has said that it is not remembered.
        let world = told_of_two(empty());
        let one = world.target("one").expect("there");
        let both = unknown(&world, one, &["connections", "transactions"], Now::example(1));
        assert_eq!(both.as_deref(), Some(reading));
        assert_eq!(unknown(&world, one, &["sessions waiting for locks"], Now::example(1)), None);
    }

    #[test]
    fn a_number_is_asked_of_the_instance_on_its_host() {
        let pg = target("pg", SystemKind::Postgres, "db-1.shop:5432/shop");
        let on_host = "instance=~\"([a-z]+://)?db\\\\-1\\\\.shop(:[0-9]+)?\"";
        let here = "localhost|127\\\\.0\\\\.0\\\\.1|\\\\[\\\\:\\\\:1\\\\]";
        let of = format!(
            " and on (instance) pg_static{{{on_host},server=~\"(db\\\\-1\\\\.shop|{here}|/.*|):5432\"}}"
        );
        let expected = format!(
            "sum(pg_stat_activity_count{{instance=~\"([a-z]+://)?db\\\\-1\\\\.shop:5432(/.*)?\"}}) or \
             (sum(pg_stat_activity_count{{{on_host}}}{of}) and on () \
             (count(count by (instance) (pg_stat_activity_count{{{on_host}}}{of})) == 1))"
        );
        check(&pg, "connections", Some(&expected));
        check(&pg, "sessions waiting for locks", None);
        let socket = target("pg", SystemKind::Postgres, "/run/postgresql");
        check(&socket, "connections", None);
        let api = target("api", SystemKind::Metrics, "http://api:9100/metrics");
        check(&api, "requests", None);
        let own = PromPast { target: "pg".to_owned(), number: "behind".to_owned(), expr: "lag".to_owned() };
        let server = target("prom", SystemKind::Prometheus, "prom:9090");
        let world = world(vec![pg.clone()]);
        assert_eq!(expr(&world, &server, &pg, "behind", &[own]).as_deref(), Some("lag"));
    }

    #[test]
    fn what_is_on_this_machine_is_asked_of_a_server_on_this_machine_only() {
        let asked = |server: &str, kind: SystemKind, address: &str| {
            let server = target("prom", SystemKind::Prometheus, server);
            let one =
                if kind == SystemKind::Redis { redis(address, "e9f6") } else { target("one", kind, address) };
            Instance::of(&world(vec![one.clone()]), &one, &server)
        };
        let local =
            "instance=~\"([a-z]+://)?(localhost|127\\\\.0\\\\.0\\\\.1|\\\\[\\\\:\\\\:1\\\\])(:[0-9]+)?\"";
        for here in ["http://127.0.0.1:9090", "http://localhost:9090/prefix"] {
            let found = asked(here, SystemKind::Redis, "localhost:6379").and_then(|found| found.host);
            assert_eq!(found.map(|(host, _)| host).as_deref(), Some(local));
        }
        // For a server elsewhere this machine is another one: that would be somebody else's past.
        for elsewhere in ["http://prom.shop:9090", "https://10.0.0.7:443"] {
            assert_eq!(asked(elsewhere, SystemKind::Redis, "localhost:6379"), None);
            assert_eq!(asked(elsewhere, SystemKind::Metrics, "http://127.0.0.1:9100/metrics"), None);
            assert!(asked(elsewhere, SystemKind::Redis, "cache:6379").is_some());
        }
    }

    #[test]
    fn rates_are_over_what_is_scraped_once_a_minute_too() {
        let at = Instance { own: "instance=\"a\"".to_owned(), host: None };
        assert_eq!(
            at.asked("sum(rate(x{$at}[$span]))", "x"),
            "(sum(rate(x{instance=\"a\"}[1m])) or sum(rate(x{instance=\"a\"}[5m])))"
        );
    }

    #[test]
    fn what_is_remembered_stands_before_our_own_numbers_and_is_asked_only_while_it_is_needed() {
        let past = PromPast { target: "pg".to_owned(), number: "behind".to_owned(), expr: "lag".to_owned() };
        let settings = PrometheusSettings { past: vec![past], ..PrometheusSettings::default() };
        let all = vec![
            target("pg", SystemKind::Postgres, "db:1"),
            target("prom", SystemSettings::Prometheus(settings), "p:9090"),
        ];
        let mut world = world(all);
        let pg = world.target("pg").expect("there").clone();
        let wanted = Range { expr: "lag".to_owned(), span: QUARTER };
        let asks = |world: &World, second| asked(world, &pg, &["behind"], Now::example(second));
        assert_eq!(asks(&world, 10), [(TargetId::new("prom"), Focus::Range(wanted.clone()))]);
        assert_eq!(asks(&world, 900), []);
        let own = [vec![None; 178], vec![Some(7.0), Some(8.0)]].concat();
        assert_eq!(before(&world, &pg, "behind", &own), None);
        let series = Part::Ready(vec![(String::new(), vec![3.0; 180])]);
        let reading = PrometheusReading {
            ranges: vec![RangeReading { range: wanted, series, cut: false }],
            ..PrometheusReading::default()
        };
        let reading = Ok(Reading::Prometheus(Box::new(reading)));
        world.apply(PollReport::example(TargetId::new("prom"), reading, Now::example(10)));
        let (columns, from) = before(&world, &pg, "behind", &own).expect("it is remembered");
        assert_eq!((from, columns[177], columns[178], columns.len()), (178, Some(3.0), Some(7.0), 180));
        assert_eq!(before(&world, &pg, "behind", &[Some(1.0); 180]), None);
    }
}
