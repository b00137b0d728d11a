//! A server that answers and serves nobody: it loads its data, one script holds it, or its cluster lacks slots. Pure.

use super::{ClusterReading, RedisReading};
use crate::core::alert::{Remedy, Step};
use crate::core::ids::TargetId;
use crate::core::text::{counted, lasting, tidy};
use crate::core::time::Now;
use std::time::Duration;

/// Why a server serves nobody, and what to do about it.
pub(super) fn serves_nobody(
    target: &TargetId,
    reading: &RedisReading,
    busy_since: Option<Now>,
    now: Now,
) -> Option<(String, Step)> {
    if reading.server.loading {
        let loaded = reading.server.loaded_ratio;
        let loaded = loaded.map_or(String::new(), |ratio| format!(", {:.0} % done", ratio * 100.0));
        let left = reading.server.loading_left.filter(|left| !left.is_zero());
        let left = left.map_or(String::new(), |left| format!(", about {} left", lasting(left)));
        let sentence = format!("{target} loads its data and serves nobody{loaded}{left}");
        return Some((sentence, Step::Say("wait; what is in its files is not lost".to_owned())));
    }
    let held = now.since(busy_since.filter(|_| reading.busy)?);
    let held = if held < Duration::from_secs(1) {
        String::new()
    } else {
        format!(" for at least {}", lasting(held))
    };
    let sentence = format!("{target} is held by one script{held} and serves nobody else");
    let note = "(SCRIPT KILL) from the server's row; one that has written must end by itself";
    Some((sentence, Step::Act(Remedy::KillScript, note.to_owned())))
}

/// What a cluster lacks.
pub(super) fn not_whole(target: &TargetId, cluster: &ClusterReading) -> Option<String> {
    let served = format!("{} of 16384 slots served", cluster.slots_ok);
    let Some((address, why)) = cluster.missing.first() else {
        return (!cluster.ok).then(|| format!("{target}: the cluster fails, {served}"));
    };
    let others = cluster.missing.len() - 1;
    let others = if others > 0 { format!(" and {others} more") } else { String::new() };
    let hidden = match (cluster.hidden, cluster.ok) {
        (_, false) => format!("the cluster fails, {served}"),
        (0, true) if cluster.untold.is_some() => "what it serves is not known".to_owned(),
        (0, true) => served,
        (hidden, true) => format!("{} on it not read", counted(hidden, "queue")),
    };
    Some(format!("{target}: cluster without {address}{others}, {hidden}: {}", tidy(why, 60)))
}
