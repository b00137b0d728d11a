//! What a Prometheus server remembers of our own numbers from before we began: asked by the names that the common exporters give them, and of
//! the instance that has its port, else of the only one on its host. The configuration names others. What is remembered is never mixed up with
//! what we saw: graphs draw it apart, and no rule looks at it. Pure.

use super::chain::addresses;
use super::focus::Focus;
use super::ids::{SystemKind, TargetId};
use super::prometheus::{PromPast, Range, RangeReading};
use super::target::TargetState;
use super::time::Now;
use super::trace::QUARTER;
use super::world::World;

/// How an exporter calls one of our numbers. `$at` stands for the labels of the instance, `$span` for what a rate is over.
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
        expr: "sum(pg_stat_activity_count{$at})",
    },
    Remembered {
        kind: SystemKind::Postgres,
        number: "transactions",
        metric: "pg_stat_database_xact_commit",
        expr: "sum(rate(pg_stat_database_xact_commit{$at}[$span])) + sum(rate(pg_stat_database_xact_rollback{$at}[$span]))",
    },
    Remembered {
        kind: SystemKind::Redis,
        number: "memory",
        metric: "redis_memory_used_bytes",
        expr: "sum(redis_memory_used_bytes{$at})",
    },
    Remembered {
        kind: SystemKind::Redis,
        number: "commands",
        metric: "redis_commands_processed_total",
        expr: "sum(rate(redis_commands_processed_total{$at}[$span]))",
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

/// The label by which an exporter says which server it asks, host and port: what postgres_exporter and redis_exporter do, not with every number.
const fn says_whose(kind: SystemKind) -> Option<&'static str> {
    match kind {
        SystemKind::Postgres => Some("server"),
        SystemKind::Redis => Some("addr"),
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
    /// It is on the server's host, and says that it asks this server where there are several.
    host: Option<String>,
}

impl Instance {
    /// Who tells `server` of `target`. What calls itself this machine is another one for a server elsewhere.
    pub(super) fn of(world: &World, target: &TargetState, server: &TargetState) -> Option<Self> {
        let (host, port) = addresses(&target.address).into_iter().next()?;
        let here = is_here(target);
        if here && !is_here(server) {
            return None;
        }
        let host = if here { format!("({})", HERE.map(literal).join("|")) } else { literal(host) };
        if target.kind == SystemKind::Metrics {
            return Some(Self { own: format!("instance=~\"{host}:{port}\""), host: None });
        }
        let on_host = format!("instance=~\"([a-z]+://)?{host}(:[0-9]+)?\"");
        let on_host = if beside(world, target).next().is_none() {
            Some(on_host)
        } else {
            says_whose(target.kind).map(|label| format!("{on_host},{label}=~\".*:{port}\""))
        };
        Some(Self { own: format!("instance=~\"([a-z]+://)?{host}:{port}(/.*)?\""), host: on_host })
    }

    /// This expression of it: by its own port, else by its host, if nobody else there tells of `metric`. Of two servers on one host neither is
    /// told by their sum, nor by the exporter of the other.
    pub(super) fn asked(&self, expr: &str, metric: &str) -> String {
        let with = |labels: &str| {
            let expr = expr.replace("$at", labels);
            if !expr.contains("$span") {
                return expr;
            }
            format!("({})", SPANS.map(|span| expr.replace("$span", span)).join(" or "))
        };
        let own = with(&self.own);
        let Some(host) = &self.host else { return own };
        format!("{own} or ({} and on () (count(count by (instance) ({metric}{{{host}}})) == 1))", with(host))
    }
}

/// Why nothing from before we began may be known of `target`, where that is so for another server on its host; nothing once all is our own.
#[must_use]
pub fn unknown(world: &World, target: &TargetState, now: Now) -> Option<String> {
    let asks = world
        .targets()
        .iter()
        .any(|server| server.system.prometheus().is_some() && Instance::of(world, target, server).is_some());
    let names: Vec<&str> = beside(world, target).map(|other| other.id.as_str()).collect();
    (asks && !names.is_empty() && now.since(target.started) < QUARTER).then(|| {
        let names = names.join(", ");
        format!(
            "from before stacktop began nothing is known: no exporter tells {} from {names} on its host",
            target.id
        )
    })
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
    use crate::core::part::Part;
    use crate::core::prometheus::{PrometheusReading, PrometheusSettings};
    use crate::core::reading::Reading;
    use crate::core::report::PollReport;
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

    #[test]
    fn of_two_servers_on_one_host_the_exporter_has_to_say_whose_its_numbers_are() {
        let server = target("prom", SystemKind::Prometheus, "prom:9090");
        let asked = |kind: SystemKind, other: &str| {
            let one = target("one", kind, "db:5432/shop");
            let all = vec![one.clone(), target("two", kind, other), server.clone()];
            let world = world(all);
            let host = Instance::of(&world, &one, &server).expect("it may be asked").host;
            (host, unknown(&world, &one, Now::example(1)))
        };
        let alone = "instance=~\"([a-z]+://)?db(:[0-9]+)?\"";
        let why = "from before stacktop began nothing is known: no exporter tells one from two on its host";
        for (kind, other, label) in [
            (SystemKind::Postgres, "db:5433/shop", Some(",server=~\".*:5432\"")),
            (SystemKind::Redis, "db:6380", Some(",addr=~\".*:5432\"")),
            (SystemKind::Search, "http://db:9201", None),
        ] {
            let (host, told) = asked(kind, other);
            assert_eq!(host, label.map(|label| format!("{alone}{label}")), "{kind:?}");
            assert_eq!(told.as_deref(), Some(why));
        }
        // Another database of the same server, and a server elsewhere.
        for other in ["db:5432/crm", "db2:5433/shop", "/run/postgresql"] {
            assert_eq!(asked(SystemKind::Postgres, other), (Some(alone.to_owned()), None), "{other}");
        }
        // One name of this machine is as good as another.
        let prom = target("prom", SystemKind::Prometheus, "localhost:9090");
        let (one, two) = (
            target("one", SystemKind::Postgres, "localhost:5432/shop"),
            target("two", SystemKind::Postgres, "127.0.0.1:5433/shop"),
        );
        let world = world(vec![one.clone(), two, prom.clone()]);
        let host = Instance::of(&world, &one, &prom).and_then(|found| found.host).expect("a label");
        assert!(host.ends_with(",server=~\".*:5432\""), "{host}");
        assert_eq!(unknown(&world, &one, Now::example(900)), None, "all of it is our own");
    }

    #[test]
    fn a_number_is_asked_of_the_instance_on_its_host() {
        let pg = target("pg", SystemKind::Postgres, "db-1.shop:5432/shop");
        check(
            &pg,
            "connections",
            Some(concat!(
                "sum(pg_stat_activity_count{instance=~\"([a-z]+://)?db\\\\-1\\\\.shop:5432(/.*)?\"}) or ",
                "(sum(pg_stat_activity_count{instance=~\"([a-z]+://)?db\\\\-1\\\\.shop(:[0-9]+)?\"}) and on () ",
                "(count(count by (instance) (pg_stat_activity_count{instance=~\"([a-z]+://)?db\\\\-1\\\\.shop(:[0-9]+)?\"})) == 1))"
            )),
        );
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
            let one = target("one", kind, address);
            Instance::of(&world(vec![one.clone()]), &one, &server)
        };
        let local =
            "instance=~\"([a-z]+://)?(localhost|127\\\\.0\\\\.0\\\\.1|\\\\[\\\\:\\\\:1\\\\])(:[0-9]+)?\"";
        for here in ["http://127.0.0.1:9090", "http://localhost:9090/prefix"] {
            let found = asked(here, SystemKind::Redis, "localhost:6379").and_then(|found| found.host);
            assert_eq!(found.as_deref(), Some(local));
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
