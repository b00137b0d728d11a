//! Ties of what changed: another version or another process, and a kind of failure that never occurred before it; a migration, and a
//! statement that goes another way to the same table since. That something changed
//! just before is no tie; that is told beside the verdict, and never as a cause.

use crate::core::alert::Finding;
use crate::core::chain::edge::Evidence;
use crate::core::chain::known::Known;
use crate::core::chain::ties::load::tables;
use crate::core::ids::{SystemKind, TargetId};
use crate::core::target::TargetState;
use crate::core::text::tidy;
use crate::core::time::Now;
use crate::core::timeline::Event;
use crate::core::topology::{Topology, same_name};
use std::sync::Arc;
use std::time::Duration;

/// A kind of failure that comes later has another reason.
const WITHIN: Duration = Duration::from_secs(600);
/// A version is noticed by a look at its service: jobs may have failed by then.
const NOTICED: Duration = Duration::from_secs(30);
/// What an index says to a field that its mapping does not allow.
const STRICT: [&str; 2] = ["strict_dynamic_mapping_exception", "mapping set to strict"];
/// A shorter name of a table stands in many others.
const LEAST: usize = 3;
/// Of a reason so much is told.
const COLUMNS: usize = 60;

/// Something that is found is tied to this change.
pub(in crate::core) fn brings(
    targets: &[Arc<TargetState>],
    topology: &Topology,
    event: &Event,
    firing: &[&Finding],
) -> bool {
    let known = Known::of(targets, topology);
    let tied = |target| firing.iter().any(|effect| tied_to(&known, (target, &event.words, event.at), effect));
    event.target.as_ref().is_some_and(tied)
}

fn tied_to(known: &Known<'_>, change: (&TargetId, &str, Now), effect: &Finding) -> bool {
    tie(known, change, effect).is_some() || plan(known, change, effect).is_some()
}

/// The server wrote down a migration whose name has a table of the statement in it, and a call of that touches several times as many
/// blocks as before: it goes another way to its rows.
pub(in crate::core::chain) fn other_plan(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    plan(known, (&cause.breach.target, &cause.breach.subject, cause.since), effect)
}

fn plan(known: &Known<'_>, (place, words, at): (&TargetId, &str, Now), effect: &Finding) -> Option<Evidence> {
    let query: i64 = effect.breach.subject.strip_prefix("statement ")?.parse().ok()?;
    let after = at.minus(NOTICED).mono <= effect.since.mono && effect.since.since(at) <= WITHIN;
    let name = words.strip_prefix("migration ").and_then(|rest| rest.split(" (").next())?;
    (*place == effect.breach.target && after).then_some(())?;
    let slower =
        known.postgres_state(place)?.means.slower().iter().find(|slower| slower.key.query == query)?;
    let times = slower.other_plan()?;
    let tables = tables(known.postgres(place)?.statement(query)?);
    let named = tables.iter().filter_map(|table| table.rsplit('.').next());
    let table = named.filter(|table| table.len() >= LEAST).find(|table| has(name, table))?;
    Evidence::likely(format!(
        "both are of {table}, and a call touches {times:.0} times as many blocks: its plan is another one"
    ))
}

/// Whether the name of a migration (`add_index_to_orders`) has that of a table in it, as a whole.
fn has(name: &str, table: &str) -> bool {
    let (words, table) = (name.to_lowercase(), table.to_lowercase());
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    words.match_indices(&table).any(|(at, _)| {
        apart(words[..at].chars().next_back()) && apart(words[at + table.len()..].chars().next())
    })
}

/// Jobs fail in a way that was never seen before the change, and it is one of who works on them.
pub(in crate::core::chain) fn new_kind(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    tie(known, (&cause.breach.target, &cause.breach.subject, cause.since), effect)
}

fn tie(known: &Known<'_>, (place, words, at): (&TargetId, &str, Now), effect: &Finding) -> Option<Evidence> {
    let queue = &known.queue(effect)?.queue;
    let server = &effect.breach.target;
    let (kind, since) = known.target(server)?.system.redis()?.queues.get(queue)?.reasons.new_kind()?;
    let after = at.minus(NOTICED).mono <= since.mono && since.since(at) <= WITHIN;
    let services = after.then(|| services(known, place, words))?;
    let because = services
        .iter()
        .find(|service| same_name(service, &queue.name))
        .map(|service| format!("{service} is named as the queue"))
        .or_else(|| {
            known.depends(&services, server).map(|because| format!("it depends on {server} ({because})"))
        })?;
    let reason = known.reason(effect);
    let fails = STRICT.iter().find(|text| reason.contains(**text)).map_or_else(
        || format!("its jobs fail by \u{201c}{}\u{201d}", tidy(kind, COLUMNS)),
        |text| format!("its documents have a field that their index does not allow ({text})"),
    );
    Evidence::likely(format!("{fails}, which was not seen before that; {because}"))
}

/// The names of who changed: those of an endpoint, or the application that a version in `application_name` is of.
fn services<'a>(known: &Known<'a>, place: &'a TargetId, words: &'a str) -> Vec<&'a str> {
    match known.target(place).map(|target| target.kind) {
        Some(SystemKind::Metrics) => known.services(place),
        Some(SystemKind::Postgres) => {
            words.split_once(": version ").map(|(name, _)| name).into_iter().collect()
        }
        Some(
            SystemKind::Redis
            | SystemKind::Search
            | SystemKind::Prometheus
            | SystemKind::Alertmanager
            | SystemKind::Loki
            | SystemKind::Log
            | SystemKind::Health
            | SystemKind::Probe,
        )
        | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn a_migration_names_a_table_as_a_whole() {
        assert!(has("20261129_add_index_to_orders", "orders"));
        assert!(has("V7__Order_Items", "order_items"));
        assert!(!has("20261129_reorders", "orders"));
        assert!(!has("20261129_orders2", "orders"));
    }
}
