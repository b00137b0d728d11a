//! The servers behind the queues: one, or the primaries of a cluster.

use crate::core::redis::{ClusterReading, RedisServer, RedisState};
use crate::core::text::counted;
use crate::ui::content::{Line, Role};
use crate::ui::format::{bytes, or_dash, rate};

/// A line for the cluster and one for each of its primaries.
pub(super) fn lines(cluster: &ClusterReading, role: Role) -> Vec<Line> {
    let (tone, word) = match (cluster.ok, cluster.missing.is_empty()) {
        (true, true) => (role, "ok"),
        (true, false) => (Role::Critical, "NOT WHOLE"),
        (false, _) => (Role::Critical, "FAILING: slots are not served"),
    };
    let all = format!(
        "{word}, {} of 16384 slots served, {} known",
        cluster.slots_ok,
        counted(cluster.nodes as usize, "node")
    );
    let (tone, all) = match &cluster.untold {
        Some(gap) if cluster.missing.is_empty() => (Role::Note, gap.note.clone()),
        Some(gap) => (Role::Critical, format!("NOT WHOLE; {}", gap.note)),
        None => (tone, all),
    };
    let mut lines = vec![Line::of(Role::Muted, "  cluster ").then(tone, all)];
    lines.extend(cluster.primaries.iter().map(|(address, server)| {
        let memory = or_dash(server.used_memory_bytes, bytes);
        let clients = clients(server);
        let ops = or_dash(server.ops_per_second, rate);
        Line::of(Role::Muted, format!("  {address:<22}"))
            .then(role, format!("memory {memory} · {ops} ops · {clients}"))
    }));
    lines.extend(cluster.missing.iter().map(|(address, why)| {
        Line::of(Role::Muted, format!("  {address:<22}")).then(Role::Critical, format!("not there: {why}"))
    }));
    lines
}

/// How many clients a server has.
pub(super) fn clients(server: &RedisServer) -> String {
    server.clients.map_or("— clients".to_owned(), |clients| counted(clients as usize, "client"))
}

/// The rows that lead to a server: its address in a cluster (else nothing), and how it is called.
pub(super) fn servers(state: &RedisState) -> impl Iterator<Item = (&str, String)> {
    let cluster = state.reading().and_then(|reading| reading.cluster.as_ref());
    let alone = cluster.is_none().then(|| ("", "the server itself".to_owned()));
    let primaries = cluster.map_or(&[][..], |cluster| cluster.primaries.as_slice());
    alone.into_iter().chain(primaries.iter().map(|(address, _)| (address.as_str(), address.clone())))
}
