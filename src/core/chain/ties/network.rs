//! Ties by address: an error that names a server, a scrape target or an alert that is about it, a disk of its host.

use crate::core::alert::Finding;
use crate::core::chain::edge::Evidence;
use crate::core::chain::known::Known;
use crate::core::prometheus::AlertingRule;
use crate::core::system::SystemState;

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

/// The labels of an alert name what the finding is about.
pub(in crate::core::chain) fn alert_about(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let rule = alert(known, effect)?;
    let addresses = known.addresses(&cause.breach.target);
    let queue = known.queue(cause).map(|queue| queue.queue.name.as_str());
    let about = |(name, value): &&(String, String)| match name.as_str() {
        "instance" | "server" | "addr" => {
            addresses.iter().any(|(host, port)| *value == format!("{host}:{port}"))
                || cause.breach.subject.starts_with(&format!("{value} of job"))
        }
        "queue" | "queue_name" => queue == Some(value.as_str()),
        "service" | "job" | "app" | "application" => value.eq_ignore_ascii_case(cause.breach.target.as_str()),
        "mountpoint" => cause.breach.subject == *value,
        _ => false,
    };
    let (name, value) = rule.all_labels.iter().find(about)?;
    // Of one queue, of one disk, of one address; a job's name may be that of many.
    let words = format!("the alert's label {name} is {value}");
    if matches!(name.as_str(), "service" | "job" | "app" | "application") {
        Evidence::likely(words)
    } else {
        Evidence::certain(words)
    }
}

fn alert<'a>(known: &Known<'a>, finding: &Finding) -> Option<&'a AlertingRule> {
    let SystemState::Prometheus(state) = &known.target(&finding.breach.target)?.system else { return None };
    let rules = state.reading()?.rules.ready()?;
    rules.notable.iter().find(|rule| rule.subject() == finding.breach.subject)
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
