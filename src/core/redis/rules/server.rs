//! The rules about a Redis server.

use super::parts::{CLUSTER_STATE, Its, QUEUES, SERVER};
use crate::core::alert::RuleUnit::{Bytes, PerSecond, Ratio, State};
use crate::core::alert::Triage::{Capacity, Errors, Lag, Saturation};
use crate::core::alert::{Grade, Rule, RuleSpec, Severity};
use crate::core::part::Warm;
use crate::core::rate::Lately;
use crate::core::redis::held::{not_whole, serves_nobody};
use crate::core::redis::{QueueReading, RedisReading, RedisState};
use crate::core::text::{counted, sized, tidy};
use std::time::Duration;

/// The share of the memory that it may have.
pub static MEMORY: Rule<RedisState> = Rule::new(
    RuleSpec::new("redis.memory", "memory in use against maxmemory", Ratio, Capacity)
        .warning(0.85)
        .critical(0.95)
        .hold(10)
        .needs(&[SERVER])
        .root(),
    memory,
);

pub(crate) static SERVES_NOBODY: Rule<RedisState> = Rule::new(
    RuleSpec::new("redis.serves_nobody", "the server loads its data, or one script holds it", State, Errors)
        .root(),
    held,
);

pub(crate) static CLUSTER: Rule<RedisState> = Rule::new(
    RuleSpec::new("redis.cluster", "a cluster in which slots are not served", State, Errors)
        .needs(&[CLUSTER_STATE])
        .root(),
    cluster,
);

pub(crate) static EVICTION_POLICY: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "redis.eviction_policy",
        "a server with job queues may evict keys: jobs can vanish",
        State,
        Capacity,
    )
    .needs(&[SERVER, QUEUES]),
    eviction_policy,
);

pub(crate) static EVICTIONS: Rule<RedisState> = Rule::new(
    RuleSpec::new("redis.evictions", "keys evicted per second, over a minute", PerSecond, Errors)
        .warning(0.1)
        .hold(10)
        .needs(&[SERVER]),
    evictions,
);

pub(crate) static CLIENTS: Rule<RedisState> = Rule::new(
    RuleSpec::new("redis.clients", "connected clients against maxclients", Ratio, Saturation)
        .warning(0.8)
        .critical(0.9)
        .hold(10)
        .needs(&[SERVER])
        .root(),
    clients,
);

pub(crate) static REJECTED: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "redis.rejected",
        "connections refused because of maxclients, over a minute",
        PerSecond,
        Errors,
    )
    .warning(0.01)
    .critical(1.0)
    .needs(&[SERVER]),
    rejected,
);

pub(crate) static ERRORS: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "redis.errors",
        "writes refused, over a minute: OOM, READONLY, MISCONF or NOREPLICAS replies",
        PerSecond,
        Errors,
    )
    .warning(0.01)
    .critical(1.0)
    .needs(&[SERVER]),
    errors,
);

pub(crate) static PERSISTENCE: Rule<RedisState> = Rule::new(
    RuleSpec::new("redis.persistence", "the last save to disk failed", State, Capacity)
        .needs(&[SERVER])
        .root(),
    persistence,
);

pub(crate) static REPLICA_LINK: Rule<RedisState> = Rule::new(
    RuleSpec::new("redis.replica_link", "a replica has lost its primary", State, Lag)
        .hold(5)
        .needs(&[SERVER])
        .root(),
    replica_link,
);

pub(crate) static REPLICA_LAG: Rule<RedisState> = Rule::new(
    RuleSpec::new("redis.replica_lag", "bytes that a replica has not acknowledged", Bytes, Lag)
        .warning(67_108_864.0)
        .critical(1_073_741_824.0)
        .hold(10)
        .needs(&[SERVER]),
    replica_lag,
);

pub(crate) static REPLICA_STATE: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "redis.replica_state",
        "a replica that is connected and not in step for a minute: it is sent everything anew",
        State,
        Lag,
    )
    .hold(60)
    .needs(&[SERVER]),
    replica_state,
);

/// A queue to which nothing was added for so long, and something within the minutes before.
const STILL: Duration = Duration::from_secs(10);
const BEFORE: Duration = Duration::from_secs(180);

/// What is about the server itself, and not about one of its queues.
pub(super) const SUBJECT: &str = "server";

fn held(its: &mut Its<'_>, reading: &RedisReading) {
    let Some(grade) = its.state(Severity::Critical) else { return };
    let Some((sentence, step)) = serves_nobody(its.target, reading, its.state.busy_since, its.now) else {
        return;
    };
    its.tell(grade, SUBJECT, sentence).step(step);
}

fn memory(its: &mut Its<'_>, reading: &RedisReading) {
    let server = &reading.server;
    let Some((used, most)) = server.used_memory_bytes.zip(server.maxmemory_bytes) else { return };
    let Some(grade) = its.level(SUBJECT, used / most) else { return };
    let sentence = format!("{} uses {:.0} % of its {} memory", its.target, used / most * 100.0, sized(most));
    its.tell(grade, SUBJECT, sentence).look("look which queues keep jobs");
}

fn cluster(its: &mut Its<'_>, reading: &RedisReading) {
    let Some(grade) = its.state(Severity::Critical) else { return };
    let sentence = reading.cluster.as_ref().and_then(|cluster| not_whole(its.target, cluster));
    let Some(sentence) = sentence else { return };
    its.tell(grade, SUBJECT, sentence).say("redis-cli --cluster check");
}

fn eviction_policy(its: &mut Its<'_>, reading: &RedisReading) {
    let (server, queues) = (&reading.server, reading.queues.ready().map_or(0, Vec::len));
    let Some(policy) = server.policy.as_deref().filter(|policy| *policy != "noeviction" && queues > 0) else {
        return;
    };
    let limited = server.maxmemory_bytes.is_some();
    let Some(grade) = its.state(if limited { Severity::Warning } else { Severity::Info }) else { return };
    let sentence =
        format!("{} holds job queues but its maxmemory-policy is {}", its.target, tidy(policy, 30));
    let step = "make room, then maxmemory-policy noeviction (a full server refuses writes)";
    its.tell(grade, SUBJECT, sentence).say(step);
}

/// So often per second over the last minute, and for how long it has gone on.
fn lately(its: &Its<'_>, what: &Lately) -> Option<(Grade, Option<Duration>)> {
    let rate = what.per_second().filter(|_| what.since().is_some())?;
    Some((its.grade(rate)?, what.since().map(|since| its.now.since(since))))
}

fn evictions(its: &mut Its<'_>, _: &RedisReading) {
    let evicted = &its.state.troubles.evicted;
    let Some((grade, lasts)) = lately(its, evicted) else { return };
    let sentence = format!("{} evicted {} within a minute", its.target, times(evicted, "key"));
    its.tell(grade, SUBJECT, sentence).since(lasts).say("raise maxmemory");
}

/// `3 keys`.
fn times(lately: &Lately, what: &str) -> String {
    counted(lately.times() as usize, what)
}

fn clients(its: &mut Its<'_>, reading: &RedisReading) {
    let (clients, most) = (reading.server.clients, reading.server.maxclients.filter(|most| *most > 0));
    let Some((clients, most)) = clients.zip(most) else { return };
    let Some(grade) = its.level(SUBJECT, clients as f64 / most as f64) else { return };
    let sentence = format!("{} has {clients} of {most} possible clients", its.target);
    its.tell(grade, SUBJECT, sentence).look("find who leaks connections");
}

fn rejected(its: &mut Its<'_>, _: &RedisReading) {
    let rejected = &its.state.troubles.rejected;
    let Some((grade, lasts)) = lately(its, rejected) else { return };
    let sentence = format!("{} refused {} within a minute", its.target, times(rejected, "connection"));
    its.tell(grade, SUBJECT, sentence).since(lasts).look("find who leaks connections");
}

/// To so many queues jobs were added within the last minutes, and none since the newest look but one.
fn without_new_jobs(state: &RedisState, reading: &RedisReading) -> usize {
    let halted = |queue: &&Warm<QueueReading>| {
        let added = state.queues.get(&queue.queue).map(|history| &history.added);
        added.is_some_and(|added| {
            added.last() == Some(0.0)
                && added.mean(STILL).is_some_and(|mean| mean == 0.0)
                && added.mean(BEFORE).is_some_and(|mean| mean > 0.0)
        })
    };
    reading.queues.ready().into_iter().flatten().filter(halted).count()
}

/// Who is refused tries again now and then: that is one condition for as long as somebody was refused within the last minute.
fn errors(its: &mut Its<'_>, reading: &RedisReading) {
    let without = without_new_jobs(its.state, reading);
    let halted = if without == 0 {
        String::new()
    } else {
        format!("; nothing is added to {} any more", counted(without, "queue"))
    };
    for (word, refused) in its.state.troubles.refused() {
        let Some((grade, lasts)) = lately(its, refused) else { continue };
        let times = times(refused, "time");
        let sentence = format!("{} refuses writes with {word}, {times} within a minute{halted}", its.target);
        its.tell(grade, format!("{SUBJECT} {word}"), sentence)
            .since(lasts)
            .look("look at memory, disk and role");
    }
}

fn persistence(its: &mut Its<'_>, reading: &RedisReading) {
    let what = match (reading.server.rdb_ok, reading.server.aof_ok) {
        (Some(false), _) => "snapshot",
        (_, Some(false)) => "append-only file",
        _ => return,
    };
    let Some(grade) = its.state(Severity::Critical) else { return };
    let sentence = format!("{} could not write its {what} to disk", its.target);
    its.tell(grade, SUBJECT, sentence).say("look at the disk and at Redis's log");
}

fn replica_link(its: &mut Its<'_>, reading: &RedisReading) {
    let Some(grade) = its.state(Severity::Critical).filter(|_| reading.server.link_up == Some(false)) else {
        return;
    };
    let sentence = format!("{} is a replica and has lost its primary", its.target);
    its.tell(grade, SUBJECT, sentence).say("look at the primary");
}

fn replica_lag(its: &mut Its<'_>, reading: &RedisReading) {
    for replica in reading.server.replicas.iter().filter(|replica| replica.state == "online") {
        let Some(grade) = its.grade_of(&REPLICA_LAG, &replica.address, replica.behind_bytes) else {
            continue;
        };
        let (name, behind) = (tidy(&replica.address, 40), sized(replica.behind_bytes));
        let sentence = format!("replica {name} of {} is {behind} behind", its.target);
        let breach = its.tell(grade, format!("replica {}", replica.address), sentence);
        breach.hits(1_u64, "copy").look("look at its network and what it runs");
    }
}

fn replica_state(its: &mut Its<'_>, reading: &RedisReading) {
    for replica in reading.server.replicas.iter().filter(|replica| replica.state != "online") {
        let Some(grade) = its.state(Severity::Warning) else { return };
        let (name, state) = (tidy(&replica.address, 40), tidy(&replica.state, 20));
        let sentence = format!("replica {name} of {} is not in step ({state})", its.target);
        let breach = its.tell(grade, format!("replica {} state", replica.address), sentence);
        breach
            .hits(1_u64, "copy")
            .look("look whether it loops: repl-backlog-size, client-output-buffer-limit");
    }
}
