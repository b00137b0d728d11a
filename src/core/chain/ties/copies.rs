//! Ties between a standby and the server that feeds it: both tell of one copy, the standby of itself and the other of what it sends.

use crate::core::alert::Finding;
use crate::core::chain::edge::Evidence;
use crate::core::chain::known::{Known, is_loopback};
use crate::core::postgres::Sender;
use crate::core::postgres::rules::copies::{COPY_GONE, OWN_LAG, REPLICATION_LAG, subject_of};
use crate::core::topology::same_name;

/// What a server says of a copy is about this standby: both have one system identifier, and the copy has its name or its address, or there
/// is no other one.
pub(in crate::core::chain) fn told_by_both(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let (copy, feeds) = (&cause.breach.target, &effect.breach.target);
    let lag = REPLICATION_LAG.id();
    let own = cause.breach.rule != lag || cause.breach.subject == OWN_LAG;
    let others = effect.breach.rule != lag || effect.breach.subject != OWN_LAG;
    if copy == feeds || !own || !others {
        return None;
    }
    let (replays, writes) = (known.postgres(copy)?, known.postgres(feeds)?);
    let system = replays.server.system.as_ref().filter(|_| replays.server.in_recovery)?;
    (writes.server.system.as_ref() == Some(system)).then_some(())?;
    // What only receives (a backup, `pg_receivewal`) replays nothing.
    let senders: Vec<&Sender> =
        writes.senders.ready()?.iter().filter(|sender| sender.replay_bytes.is_some()).collect();
    let gone = effect.breach.rule == COPY_GONE.id();
    let told: Vec<(&str, &str)> = if gone {
        effect.breach.subject.rsplit_once(' ').into_iter().collect()
    } else {
        let its = senders.iter().filter(|sender| subject_of(sender) == effect.breach.subject);
        its.map(|sender| (sender.name.as_str(), sender.client.as_str())).collect()
    };
    let one = "both have one system identifier";
    if told.iter().any(|(name, _)| same_name(name, copy.as_str())) {
        return Evidence::certain(format!("{feeds} calls its copy {copy}, and {one}"));
    }
    let hosts = known.addresses(copy);
    let is_its = |client: &str| !is_loopback(client) && hosts.iter().any(|(host, _)| *host == client);
    if let Some((_, client)) = told.iter().find(|(_, client)| is_its(client)) {
        let words = format!("{feeds} feeds a copy at {client}, the address of {copy}, and {one}");
        // Another copy may run on the same host.
        let alike = senders.iter().filter(|sender| sender.client == *client).count() + usize::from(gone);
        return if alike == 1 { Evidence::certain(words) } else { Evidence::likely(words) };
    }
    let only = told.len() == 1 && senders.len() + usize::from(gone) == 1;
    only.then(|| format!("{one}, and {feeds} has no other copy")).and_then(Evidence::likely)
}
