//! The rules about the PgBouncer in front of a server.

use super::parts::{Its, POOLER};
use crate::core::alert::RuleUnit::{Ratio, Seconds, State};
use crate::core::alert::Triage::Saturation;
use crate::core::alert::{Rule, RuleSpec, Severity};
use crate::core::postgres::{PostgresReading, PostgresState};
use crate::core::text::{counted, lasting, tidy};

/// Clients that wait for a server connection.
pub static WAITING: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "pgbouncer.waiting",
        "how long a client has been waiting for a server connection",
        Seconds,
        Saturation,
    )
    .warning(1.0)
    .critical(10.0)
    .needs(&[POOLER]),
    waiting,
);

pub(crate) static UTILISATION: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "pgbouncer.utilisation",
        "server connections of a pool in use against its size",
        Ratio,
        Saturation,
    )
    .warning(0.8)
    .critical(0.9)
    .hold(10)
    .needs(&[POOLER]),
    utilisation,
);

pub(crate) static SILENT: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "pgbouncer.silent",
        "the console of a PgBouncer does not answer: nobody knows who waits",
        State,
        Saturation,
    ),
    silent,
);

/// A database that the pooler keeps paused or disabled.
pub static PAUSED: Rule<PostgresState> = Rule::new(
    RuleSpec::new("pgbouncer.paused", "a database of a PgBouncer is paused or disabled", State, Saturation)
        .hold(5)
        .needs(&[POOLER])
        .root(),
    paused,
);

/// Whoever waited there may still wait: that nothing is known must not look like an end of it.
fn silent(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some((gap, grade)) = reading.pooler.gap().zip(its.state(Severity::Warning)) else { return };
    let sentence = format!("{}; who waits there is not known", gap.note);
    its.tell(grade, "console", sentence).say("check the pooler and `pgbouncer` of the target");
}

fn waiting(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some(pooler) = reading.pooler.ready() else { return };
    for pool in &pooler.pools {
        let Some(longest) = its.state.turns.longest(pool) else { continue };
        let Some(grade) = its.grade(longest.as_secs_f64()) else { continue };
        let full = pooler.utilisation(pool).is_some_and(|used| used >= 1.0);
        let (why, step) = if full {
            ("all its server connections are in use", "find what holds them (blocking, queries)")
        } else {
            ("it has free connections: look at the server", "look at the server")
        };
        let waiting = if pool.clients_waiting == 0 {
            "nobody waiting at this moment".to_owned()
        } else {
            let clients = counted(pool.clients_waiting as usize, "client");
            format!("{clients} waiting for a connection, the first for {}", lasting(pool.longest_wait))
        };
        let lately = if longest > pool.longest_wait {
            format!(", up to {} lately", lasting(longest))
        } else {
            String::new()
        };
        let sentence = format!("PgBouncer pool {}: {waiting}{lately}; {why}", tidy(&pool.database, 30));
        let breach = its.tell(grade, format!("{} {}", pool.database, pool.user), sentence);
        breach.since(Some(longest)).hits(pool.clients_waiting, "client").look(step);
    }
}

/// Of a pool in which somebody waits that is told, and more.
fn utilisation(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some(pooler) = reading.pooler.ready() else { return };
    for pool in pooler.pools.iter().filter(|pool| pool.clients_waiting == 0) {
        let subject = format!("{} {}", pool.database, pool.user);
        let used = pooler.utilisation(pool).filter(|_| !its.is_told(&subject));
        let Some((used, grade)) = used.and_then(|used| Some((used, its.level(&subject, used)?))) else {
            continue;
        };
        let (name, share, open) = (tidy(&pool.database, 30), used * 100.0, pool.servers_active);
        let connections = counted(open as usize, "server connection");
        let sentence = format!("PgBouncer pool {name}: {connections} in use, {share:.0} % of its size");
        its.tell(grade, subject, sentence).look("look for what holds them (blocking, queries)");
    }
}

fn paused(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some(pooler) = reading.pooler.ready() else { return };
    for database in pooler.databases.iter().filter(|database| database.paused || database.disabled) {
        let Some(grade) = its.state(Severity::Warning) else { return };
        let word = if database.paused { "paused" } else { "disabled" };
        let sentence = format!("PgBouncer database {} is {word}", tidy(&database.name, 30));
        let breach = its.tell(grade, &database.name, sentence).hits(1_u64, "");
        breach.say("RESUME or ENABLE it on its console when the reason is gone");
    }
}
