//! Ties between a database and the workers of a queue: the hosts from which both see their clients, names, and the words of failures.

use crate::core::alert::Finding;
use crate::core::chain::edge::Evidence;
use crate::core::chain::known::Known;
use crate::core::ids::TargetId;
use crate::core::postgres::Session;
use crate::core::redis::QueueReading;
use crate::core::text::{counted, tidy};
use crate::core::topology::same_name;
use std::collections::BTreeSet;

/// What a statement says that waited for too long.
const TIMES_OUT: [&str; 4] = ["lock timeout", "statement timeout", "57014", "55P03"];

/// Sessions that wait for a lock are of the workers of the queue: by name, by the host of both, by the words of its failures, or because
/// that is said.
pub(in crate::core::chain) fn waiters_of_workers(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let server = &cause.breach.target;
    let queue = known.queue(effect)?;
    let name = queue.queue.name.as_str();
    let reason = known.reason(effect);
    let times_out = TIMES_OUT.iter().find(|text| reason.contains(**text));
    let fails = times_out.map(|text| format!("its jobs fail by \u{201c}{text}\u{201d}"));
    if let Some(named) = known.waiting(server).find(|session| same_name(&session.application, name)) {
        let (pid, name) = (named.id.pid, tidy(&named.application, 40));
        return Evidence::likely(format!("pid {pid}, named {name} as the queue, waits for a lock"));
    }
    if let Some(victim) = known.waiting(server).find(|session| runs_workers(queue, &session.client)) {
        let shared = is_shared(known, server, effect, victim);
        let words =
            format!("pid {} waits for a lock, from {} where its workers run", victim.id.pid, victim.client);
        // Of a host that others use, too, one key is not enough.
        match &fails {
            Some(fails) => return Evidence::likely(format!("{words}, and {fails}")),
            None if !shared => return Evidence::likely(words),
            None => {}
        }
    }
    if let Some(because) = known.depends(&[name], server) {
        let fails = fails.as_deref().unwrap_or("its jobs do not go on");
        return Evidence::likely(format!("it depends on {server} ({because}), where sessions wait; {fails}"));
    }
    // The words alone fit every server on which somebody waits.
    let fails = fails.filter(|_| known.only_one_waits(server))?;
    let waiters = counted(known.waiting(server).count(), "session");
    Evidence::likely(format!(
        "{fails}, and {server} is the only server on which sessions wait for locks ({waiters})"
    ))
}

/// Whether workers of the queue are connected from this host. Behind loopback everybody is at home.
fn runs_workers(queue: &QueueReading, host: &str) -> bool {
    let elsewhere = !host.is_empty() && !host.starts_with("127.") && host != "::1";
    elsewhere && queue.worker_hosts.iter().any(|worker| worker == host)
}

/// Whether sessions of several applications, or workers of several queues, come from the host of the victim.
fn is_shared(known: &Known<'_>, server: &TargetId, effect: &Finding, victim: &Session) -> bool {
    let here = known.sessions(server).filter(|session| session.client == victim.client);
    let names: BTreeSet<&str> = here.map(|session| session.application.as_str()).collect();
    let queues = known.queues(&effect.breach.target);
    names.len() > 1 || queues.filter(|queue| runs_workers(queue, &victim.client)).count() > 1
}
