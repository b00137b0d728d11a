//! Ties by address: an error that names a server, a scrape target or an alert that is about it, a disk of its host.

use crate::core::alert::Finding;
use crate::core::chain::edge::Evidence;
use crate::core::chain::known::Known;
use crate::core::source_rules::SILENT;
use crate::core::topology::same_name;

/// A smaller part of a disk does not fill it.
const COUNTS: f64 = 0.05;

/// Codes of Node's and libpq's errors about connections.
const UNREACHABLE: &[&str] = &[
    "ECONNREFUSED",
    "ETIMEDOUT",
    "ENOTFOUND",
    "EHOSTUNREACH",
    "ECONNRESET",
    "Connection refused",
    "could not connect",
];

/// The failures name the address of a server that does not answer.
pub(in crate::core::chain) fn named_in_reason(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let reason = known.reason(effect);
    let code = UNREACHABLE.iter().find(|code| reason.contains(**code))?;
    let addresses = known.addresses(&cause.breach.target);
    let named = |(host, port): &&(&str, &str)| {
        reason.contains(&format!("{host}:{port}")) || (reason.contains(*host) && reason.contains(*port))
    };
    if let Some((host, port)) = addresses.iter().find(named) {
        let words = format!("its jobs fail by {code} {host}:{port}, the address of {}", cause.breach.target);
        return if known.is_unreachable(&cause.breach.target) {
            Evidence::certain(format!("{words}, which does not answer us either"))
        } else {
            Evidence::likely(words)
        };
    }
    // By another address, but the port is the server's own: a name or a network of containers may stand between.
    let port = addresses.iter().find(|(_, port)| {
        reason.split(|c: char| !c.is_ascii_digit()).any(|number| number == *port) && port.len() > 3
    });
    let (_, port) = port.filter(|_| known.is_unreachable(&cause.breach.target))?;
    Evidence::likely(format!("its jobs fail by {code} at port {port}, that of {}", cause.breach.target))
}

/// Prometheus' instance is the address of a server that does not answer us.
pub(in crate::core::chain) fn scraped_by_prometheus(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let addresses = known.addresses(&cause.breach.target);
    let instance = effect.breach.subject.split(' ').next().unwrap_or_default();
    let (host, port) = addresses.iter().find(|(host, port)| instance == format!("{host}:{port}"))?;
    Evidence::certain(format!("Prometheus scrapes {host}:{port}, and neither of us gets an answer"))
}

/// The service is said to depend on this server.
pub(in crate::core::chain) fn said_to_depend(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    known.said_to_depend(cause, effect).and_then(Evidence::likely)
}

/// The labels of an alert name what the finding is about: the thing itself, or the server or service and the kind of trouble.
pub(in crate::core::chain) fn alert_about(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let (labels, told) = alert(known, effect)?;
    let exact = |(name, value): &&(String, String)| names_thing(known, cause, (name, value));
    if let Some((name, value)) = labels.iter().find(exact) {
        return Evidence::certain(format!("the alert's label {name} is {value}"));
    }
    let place = |(name, value): &&(String, String)| names_place(known, cause, (name, value));
    let (name, value) = labels.iter().find(place)?;
    // A server has many kinds of trouble: the alert's own words have to be of this one.
    let words = kind_of_trouble(cause.breach.rule.as_str());
    let word = words.iter().find(|word| told.contains(**word))?;
    Evidence::likely(format!("the alert's label {name} is {value}, and it tells of \u{201c}{word}\u{201d}"))
}

/// A label names the very thing: a queue, a mounted disk, a server that gives no data.
fn names_thing(known: &Known<'_>, cause: &Finding, (name, value): (&str, &str)) -> bool {
    match name {
        "queue" | "queue_name" => known.queue(cause).is_some_and(|queue| queue.queue.name == value),
        "mountpoint" => cause.breach.subject == value,
        "instance" | "server" | "addr" if cause.breach.rule == SILENT.id => {
            known.addresses(&cause.breach.target).iter().any(|(host, port)| value == format!("{host}:{port}"))
        }
        "instance" => cause.breach.subject.starts_with(&format!("{value} of job")),
        _ => false,
    }
}

/// A label names where it is: the address, the host, the database or the service.
fn names_place(known: &Known<'_>, cause: &Finding, (name, value): (&str, &str)) -> bool {
    let target = &cause.breach.target;
    let host_of = |text: &str| text.rsplit_once(':').map_or(text.to_owned(), |(host, _)| host.to_owned());
    match name {
        "instance" | "server" | "addr" | "host" | "hostname" | "node" | "nodename" => {
            let host = host_of(value);
            known.addresses(target).iter().any(|(own, _)| *own == host)
        }
        "datname" | "database" | "dbname" => known.only_database(target, value),
        "service" | "job" | "app" | "application" | "container" | "pod" => {
            known.services(target).iter().any(|service| same_name(service, value))
        }
        _ => false,
    }
}

/// Words by which people tell of the kind of trouble that a rule sees.
fn kind_of_trouble(rule: &str) -> &'static [&'static str] {
    match rule {
        "postgres.blocked" => &["lock", "blocked", "waiting"],
        "postgres.connections" | "redis.clients" => &["connection", "client"],
        "postgres.replication_lag" => &["replica", "lag"],
        "redis.memory" | "search.heap" => &["memory", "heap"],
        "queue.no_worker" => &["worker"],
        "queue.wait" => &["wait", "backlog", "queue"],
        "queue.failing" | "queue.dead_letters" => &["fail", "dead"],
        "search.red" | "search.yellow" => &["shard", "health", "cluster", "red", "yellow"],
        "search.disk" | "metrics.disk" => &["disk", "filesystem", "watermark"],
        "metrics.errors" => &["error", "5xx", "5..", "fail"],
        "metrics.latency_p95" => &["latency", "duration", "slow", "p95", "quantile"],
        "source.silent" | "prometheus.target_down" => &["down", "up ==", "absent", "unreachable"],
        _ => &[],
    }
}

/// The labels of an alert, and what it says in its own words: as a Prometheus fires it, or as an Alertmanager holds it.
fn alert<'a>(known: &Known<'a>, finding: &Finding) -> Option<(&'a [(String, String)], String)> {
    let (system, subject) = (&known.target(&finding.breach.target)?.system, &finding.breach.subject);
    if let Some(state) = system.alertmanager() {
        let held = state.reading()?.alerts().find(|held| held.fingerprint == *subject)?;
        return Some((&held.labels, format!("{} {}", held.name(), held.summary).to_lowercase()));
    }
    let rules = system.prometheus()?.reading()?.rules.ready()?;
    let rule = rules.notable.iter().find(|rule| rule.subject() == *subject)?;
    let told = format!("{} {} {}", rule.name, rule.summary, rule.query).to_lowercase();
    Some((&rule.all_labels, told))
}

/// What the server keeps takes room that counts on a disk of its own host. What is told in bytes is compared with the size of that disk:
/// another disk of the host, on which the server may well not be, is mostly of another size.
pub(in crate::core::chain) fn takes_room(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let host = known.share_host(&cause.breach.target, &effect.breach.target)?;
    let Some(bytes) = cause.breach.value else {
        return Evidence::likely(format!("both are on {host}"));
    };
    let disks = &known.target(&effect.breach.target)?.system.metrics()?.disks;
    let (_, disk) = disks.iter().find(|(place, _)| *place == effect.breach.subject)?;
    let share = bytes / disk.size;
    (COUNTS..=1.0).contains(&share).then_some(())?;
    Evidence::likely(format!("both are on {host}, and it takes {:.0} % of that disk", share * 100.0))
}

/// A disk of the host on which the server is.
pub(in crate::core::chain) fn same_host(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let host = known.share_host(&cause.breach.target, &effect.breach.target)?;
    Evidence::likely(format!("both are on {host}"))
}
