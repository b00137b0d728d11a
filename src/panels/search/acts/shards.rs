//! What may be done to shards on no node: tried once more, wanted less often, allocated again. Never a stale or an empty primary.

use super::parts::{Choice, chosen, fact, offer, unknown, who};
use crate::core::action::{Offer, Refusal};
use crate::core::ids::TargetId;
use crate::core::search::{
    Fit, SearchAction, SearchNode, SearchReading, SearchRow, Unassigned, UnassignedShard, deciders, plain,
    unheard_nodes,
};
use crate::core::text::{counted, tidy};
use crate::panels::panel::PanelContext;
use crate::panels::search::parts::current;

/// The three of them, the one that fits first.
pub(super) fn offers(context: PanelContext<'_>, id: &TargetId, row: &SearchRow) -> Vec<Offer> {
    let retry = offer(
        'r',
        ("try failed shards again", "once more for every shard that the cluster has given up"),
        with(context, id, row, |reading, shard| retry(context, id, reading, shard)),
    );
    let fewer = offer(
        'n',
        ("want fewer copies", "as many as there are nodes for; none that exists is lost"),
        with(context, id, row, |reading, shard| fewer(context, id, reading, shard)),
    );
    let allocate = offer(
        'a',
        ("switch allocation on again", "shards on no node are built; that costs network and disks"),
        allocate(context, id),
    );
    let mut list = vec![retry, fewer, allocate];
    // What can be chosen stands first, in the order of harm.
    list.sort_by_key(|offer| offer.choice.is_err());
    list
}

/// The shard that the row is, or one of its group.
fn shard<'a>(away: &'a Unassigned, row: &SearchRow) -> Option<&'a UnassignedShard> {
    let (index, number, primary) = match row {
        SearchRow::Shard { index, shard, primary } => (index, shard, *primary),
        SearchRow::Group { decider, index } => {
            let mut groups = away.groups.iter();
            let group = groups.find(|group| group.decider == *decider && group.index == *index)?;
            (index, &group.shard, group.primary)
        }
        SearchRow::Node(_)
        | SearchRow::Blocked(_)
        | SearchRow::Lifecycle(_)
        | SearchRow::Allocation
        | SearchRow::Look(_)
        | SearchRow::Task(_)
        | SearchRow::Listed(..) => return None,
    };
    let is =
        |found: &&UnassignedShard| (&found.index, &found.shard, found.primary) == (index, number, primary);
    away.shards.iter().find(is)
}

fn with(
    context: PanelContext<'_>,
    id: &TargetId,
    row: &SearchRow,
    choice: impl FnOnce(&SearchReading, &UnassignedShard) -> Choice,
) -> Choice {
    let (_, reading) = current(context, id)?;
    let away = reading.unassigned.ready().ok_or_else(|| Refusal::new("shards on no node are not read"))?;
    let found = shard(away, row)
        .ok_or_else(|| Refusal::new("it is on a node by now, or not among the shards that are listed"))?;
    choice(reading, found)
}

/// Why it is away, in plain words where they are known.
fn because(shard: &UnassignedShard) -> String {
    let decider = deciders(&shard.why).first().copied().unwrap_or(&shard.reason);
    match plain(decider).0 {
        "" if shard.why.is_empty() => "why it stays away is not explained yet".to_owned(),
        "" => tidy(&shard.why, 200),
        words => format!("{decider}: {words}"),
    }
}

fn fit(shard: &UnassignedShard, wanted: Fit) -> bool {
    let by_decider = deciders(&shard.why).iter().any(|decider| plain(decider).1 == wanted);
    by_decider || (shard.why.is_empty() && plain(&shard.reason).1 == wanted)
}

fn copy(shard: &UnassignedShard) -> &'static str {
    if shard.primary { "primary" } else { "replica" }
}

fn retry(
    context: PanelContext<'_>,
    id: &TargetId,
    reading: &SearchReading,
    shard: &UnassignedShard,
) -> Choice {
    let (target, _) = current(context, id)?;
    if !fit(shard, Fit::RetryFailed) {
        return Err(Refusal::new("this is for shards that the cluster has given up")
            .remedy(format!("here {}", because(shard))));
    }
    let act = SearchAction::RetryFailed {
        index: who(reading, &shard.index)?,
        shard: shard.shard.clone(),
        primary: shard.primary,
    };
    let facts = vec![
        fact("shard", format!("{} {} of {}", copy(shard), shard.shard, shard.index)),
        fact("it stays away because", tidy(&shard.why, 200)),
        fact("how it became so", tidy(&format!("{} {}", shard.reason, shard.details), 200)),
        fact(
            "then",
            "every shard of the cluster that was given up is tried once more; what fails again is given up again",
        ),
        fact("not", "the cause stays as it is; no copy is thrown away, none is made empty"),
    ];
    Ok(chosen(target, act, ("Try the shards once more that were given up".to_owned(), 'r'), facts))
}

/// Nodes that may hold a copy: those with data that is not frozen.
fn data_nodes(reading: &SearchReading) -> Option<u64> {
    let nodes = reading.nodes.ready().map(|nodes| {
        nodes.iter().filter(|node: &&SearchNode| node.holds_data() && !node.is_frozen()).count() as u64
    });
    nodes.or_else(|| reading.health.ready()?.data_nodes)
}

fn fewer(
    context: PanelContext<'_>,
    id: &TargetId,
    reading: &SearchReading,
    shard: &UnassignedShard,
) -> Choice {
    let (target, _) = current(context, id)?;
    if shard.primary {
        return Err(Refusal::new(
            "this is the primary: without it the data is missing, however few copies are wanted",
        ));
    }
    if !fit(shard, Fit::Replicas) {
        return Err(
            Refusal::new("not the number of nodes keeps it away").remedy(format!("here {}", because(shard)))
        );
    }
    let index = who(reading, &shard.index)?;
    let mark = reading.mark(&shard.index);
    if let Some(range) = mark.and_then(|mark| mark.auto_expand.as_ref()) {
        return Err(Refusal::new(format!(
            "the cluster sets that number by itself (auto_expand_replicas is {range})"
        )));
    }
    let Some((from, nodes)) = mark.and_then(|mark| mark.replicas).zip(data_nodes(reading)) else {
        return Err(Refusal::new("how many copies it wants, or how many data nodes there are, is not known"));
    };
    if let Some(refusal) = unknown(reading, unheard_nodes) {
        return Err(refusal);
    }
    let to = nodes.saturating_sub(1);
    if from <= to {
        return Err(Refusal::new(format!(
            "it wants {} beside the primary, and there are {}: their number is not the reason",
            copies(from),
            counted(nodes as usize, "data node")
        )));
    }
    let left = reading.unassigned.ready().filter(|away| !away.left.is_empty());
    let hint = match left {
        Some(_) => "a node left: when it comes back there is room again for what is given up now",
        None => "no node is missing",
    };
    let protection = match to {
        0 => "each shard exists once: a node that is lost takes data along".to_owned(),
        to => format!("{to} of {} may be lost without losing data", counted(nodes as usize, "node")),
    };
    let facts = vec![
        fact("index", shard.index.as_str()),
        fact(
            "copies wanted",
            format!("{from} beside the primary, on {}", counted(nodes as usize, "data node")),
        ),
        fact("then", format!("{to} beside the primary; those that are on no node are not wanted any more")),
        fact("safety", protection),
        fact("nodes", hint),
        fact(
            "not",
            "no copy that is on a node within that number is removed; templates stay as they are: the next index wants as many again",
        ),
    ];
    let title = format!("Set number_of_replicas of {} from {from} to {to}", shard.index);
    Ok(chosen(target, SearchAction::Replicas { index, from, to }, (title, 'n'), facts))
}

fn copies(count: u64) -> String {
    if count == 1 { "1 copy".to_owned() } else { format!("{count} copies") }
}

/// The switch of the whole cluster.
pub(super) fn allocate(context: PanelContext<'_>, id: &TargetId) -> Choice {
    let (target, reading) = current(context, id)?;
    let Some(found) = reading.allocation.ready() else {
        let why = reading.allocation.gap().map_or("not asked", |gap| gap.note.as_str());
        return Err(Refusal::new(format!("what allocation is switched to is not known: {why}")));
    };
    let Some(mode) = (**found).clone() else {
        return Err(Refusal::new("allocation is on for the whole cluster")
            .remedy("an index may have it off for itself: index.routing.allocation.enable"));
    };
    let away = reading.health.ready().and_then(|health| health.unassigned);
    let waiting = away.map_or_else(|| "not known".to_owned(), |count| counted(count as usize, "shard"));
    let facts = vec![
        fact("it is switched to", mode.as_str()),
        fact("on no node", waiting),
        fact(
            "then",
            "the setting goes from persistent and transient settings, and what stands in the nodes' files holds (all, if nothing)",
        ),
        fact("it costs", "shards are built and moved: network and disks are busy for a while"),
        fact("not", "if somebody is restarting nodes one by one right now, ask them first"),
    ];
    let title = format!("Switch allocation on again (it is {mode})");
    Ok(chosen(target, SearchAction::Allocate { mode }, (title, 'a'), facts))
}
