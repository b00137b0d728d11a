//! Ties between a server and the check, or the circuit breaker, of an application that reports it.

use crate::core::alert::Finding;
use crate::core::chain::edge::Evidence;
use crate::core::chain::known::Known;
use crate::core::ids::SystemKind;
use crate::core::topology::same_name;

/// Words by which applications call a server of each kind.
const CALLED: [(SystemKind, &[&str]); 3] = [
    (
        SystemKind::Postgres,
        &["database", "db", "postgres", "postgresql", "pg", "prisma", "typeorm", "sequelize"],
    ),
    (SystemKind::Redis, &["redis", "valkey", "cache", "queue", "queues", "bullmq", "bull"]),
    (SystemKind::Search, &["search", "elasticsearch", "opensearch", "elastic"]),
];

/// The check names the address of the server, is called as the server is, or can mean no other one.
/// Whether `note` names this very address, and not one that ends or begins like it.
fn names(note: &str, address: &str) -> bool {
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.'));
    note.match_indices(address).any(|(at, _)| {
        let (before, after) = (&note[..at], &note[at + address.len()..]);
        let follows = after.chars().next().is_none_or(|c| !c.is_ascii_digit());
        apart(before.chars().next_back()) && follows
    })
}

pub(in crate::core::chain) fn checked(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let subject = effect.breach.subject.as_str();
    let (what, name) = subject.split_once(' ').filter(|(what, _)| matches!(*what, "check" | "breaker"))?;
    let (server, service) = (&cause.breach.target, &effect.breach.target);
    let reading = known.target(service)?.system.health()?.reading()?;
    let note = reading.check(name).map_or("", |check| check.note.as_str());
    let addresses = known.addresses(server);
    if let Some((host, port)) = addresses.iter().find(|(host, port)| names(note, &format!("{host}:{port}"))) {
        let words = format!("its {what} {name} names {host}:{port}, the address of {server}");
        return if known.is_unreachable(server) {
            Evidence::certain(format!("{words}, which does not answer us either"))
        } else {
            Evidence::likely(words)
        };
    }
    // Of a check inside another one the last name counts.
    let last = name.rsplit('/').next().unwrap_or(name);
    let kind = known.target(server)?.kind;
    let called = CALLED.iter().find(|(called, _)| *called == kind).map_or(&[][..], |(_, words)| *words);
    let is_general = called.contains(&last.to_ascii_lowercase().as_str());
    if same_name(last, server.as_str()) && !is_general {
        return Evidence::certain(format!("its {what} is called {last}, as {server} is"));
    }
    let lower = last.to_ascii_lowercase();
    let mut parts = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let word = parts.find(|part| called.contains(part))?;
    if let Some(because) = known.depends(&known.services(service), server) {
        return Evidence::likely(format!(
            "{service} depends on {server} ({because}), and its {what} says \u{201c}{word}\u{201d}"
        ));
    }
    let only = known.only_of_its_kind(server);
    only.then(|| {
        format!("its {what} says \u{201c}{word}\u{201d}, and {server} is the only {} here", kind.name())
    })
    .and_then(Evidence::likely)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn an_address_is_named_as_a_whole() {
        assert!(names("connect ECONNREFUSED db:5432", "db:5432"));
        assert!(names("(db:5432) refused", "db:5432"));
        for note in ["connect ECONNREFUSED orders-db:5432", "db:54321 refused", "orders.db:5432", "xdb:5432"]
        {
            assert!(!names(note, "db:5432"), "{note}");
        }
    }
}
