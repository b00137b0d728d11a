//! The rules about what happened to a Redis server within the last minutes: it began anew, was emptied, or was held by one command.

use super::parts::{Its, SLOW_LOG};
use super::server::SUBJECT;
use crate::core::alert::RuleUnit::{Seconds, State};
use crate::core::alert::Triage::{Errors, Latency};
use crate::core::alert::{Rule, RuleSpec, Severity};
use crate::core::redis::{RedisReading, RedisState, Setback};
use crate::core::text::{counted, duration, tidy};
use std::time::Duration;

pub(crate) static RESET: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "redis.reset",
        "the server was restarted or changed sides within the last ten minutes",
        State,
        Errors,
    )
    .root(),
    reset,
);

pub(crate) static FLUSHED: Rule<RedisState> = Rule::new(
    RuleSpec::new("redis.flushed", "all keys were thrown away within the last ten minutes", State, Errors)
        .root(),
    flushed,
);

pub(crate) static SLOW_COMMAND: Rule<RedisState> = Rule::new(
    RuleSpec::new(
        "redis.slow_command",
        "the longest command within the last five minutes, by the slow log: meanwhile nobody else was served",
        Seconds,
        Latency,
    )
    .warning(1.0)
    .critical(10.0)
    .over(300)
    .needs(&[SLOW_LOG])
    .root(),
    slow_command,
);

/// For so long it is told that something happened.
const NEWS: Duration = Duration::from_secs(600);

fn reset(its: &mut Its<'_>, reading: &RedisReading) {
    let Some((at, setback)) = its.state.turned.setback else { return };
    let since = its.now.since(at);
    let severity = match setback {
        Setback::Restarted | Setback::Another => Severity::Info,
        Setback::Replica | Setback::Primary => Severity::Warning,
    };
    let Some(grade) = its.state(severity).filter(|_| since < NEWS) else { return };
    let when = at.wall.format("%H:%M:%SZ");
    let (sentence, step) = match setback {
        Setback::Restarted => {
            let up =
                reading.server.uptime.map_or_else(String::new, |up| format!(" (up for {})", duration(up)));
            (format!("{} was restarted; noticed at {when}{up}", its.target), "see Redis's log")
        }
        Setback::Another => (
            format!("another server answers as {} than before; noticed at {when}", its.target),
            "see Sentinel, or what stands in front of it: a failover, or several servers in turn",
        ),
        Setback::Replica => (
            format!("{} was a primary and is a replica; noticed at {when}", its.target),
            "let clients follow the primary (Sentinel, or the name of the service)",
        ),
        Setback::Primary => (
            format!("{} was a replica and is a primary; noticed at {when}", its.target),
            "see what became of the primary",
        ),
    };
    its.tell(grade, format!("{SUBJECT} began anew"), sentence).since(Some(since)).say(step);
}

/// A cache that is emptied fills again; jobs that are gone stay gone.
fn flushed(its: &mut Its<'_>, reading: &RedisReading) {
    let Some(at) = its.state.turned.flushed else { return };
    let queues = reading.queues.ready().map_or(0, Vec::len);
    let severity = if queues > 0 { Severity::Warning } else { Severity::Info };
    let since = its.now.since(at);
    let Some(grade) = its.state(severity).filter(|_| since < NEWS) else { return };
    let jobs = if queues > 0 {
        format!(", and holds {}: jobs may be gone", counted(queues, "job queue"))
    } else {
        String::new()
    };
    let when = at.wall.format("%H:%M:%SZ");
    let sentence = format!("{} was emptied (FLUSHALL or FLUSHDB; noticed at {when}){jobs}", its.target);
    let breach = its.tell(grade, format!("{SUBJECT} emptied"), sentence).since(Some(since));
    // Not all of @dangerous: BullMQ needs INFO, which is part of it.
    breach.say("find who did it (ACL LOG, CLIENT LIST); take it away: ACL SETUSER … -flushall -flushdb");
}

fn slow_command(its: &mut Its<'_>, _: &RedisReading) {
    let Some((at, slow)) = its.state.turned.slowest(its.now) else { return };
    let Some(grade) = its.grade(slow.took.as_secs_f64()) else { return };
    let client =
        if slow.client.is_empty() { String::new() } else { format!(" of {}", tidy(&slow.client, 40)) };
    let (command, took) = (tidy(&slow.command, 50), duration(slow.took));
    let sentence = format!("{} served nobody else for {took}: {command}{client}", its.target);
    let since = its.now.since(at) + slow.took;
    let breach = its.tell(grade, format!("{SUBJECT} slow {}", slow.id), sentence).since(Some(since));
    breach.say("scan in small steps instead (SCAN, UNLINK, smaller scripts)");
}
