//! The rules about the PgBouncer in front of a server.

use super::parts::{Its, POOLER};
use crate::core::alert::RuleUnit::{Ratio, Seconds, State};
use crate::core::alert::Triage::Saturation;
use crate::core::alert::{Rule, RuleSpec, Severity};
use crate::core::postgres::{Pool, Pooler, PostgresReading, PostgresState, Session, SessionState};
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
            let holders = holders(reading, pooler, pool);
            let why = format!("all its server connections are in use{holders}");
            (why, "find what holds them (blocking, queries)")
        } else {
            ("it has free connections: look at the server".to_owned(), "look at the server")
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

/// What most of the pool's server connections do, by the process ids on the console: nothing inside a transaction, or one statement.
fn holders(reading: &PostgresReading, pooler: &Pooler, pool: &Pool) -> String {
    let alone = pooler.pools.len() == 1;
    let of_pool = |session: &&Session| {
        let its = alone || session.database == pool.database && session.user == pool.user;
        its && session.state != SessionState::Idle && pooler.clients.contains_key(&session.id.pid)
    };
    let held: Vec<&Session> = reading.sessions.ready().into_iter().flatten().filter(of_pool).collect();
    let is_most = |count: usize| count > 1 && count * 2 > held.len();
    let idle = held.iter().filter(|session| session.state.is_idle_in_transaction()).count();
    if is_most(idle) {
        return format!(", {idle} of {} idle in transaction: the application keeps them", held.len());
    }
    let alike = |one: &Session| held.iter().filter(|other| other.query_id == one.query_id).count();
    let runs = held.iter().filter(|session| session.query_id.is_some() && !session.waits_for_lock());
    match runs.max_by_key(|session| alike(session)).filter(|session| is_most(alike(session))) {
        Some(most) => {
            let text = tidy(&most.query, 40);
            format!(", {} of {} run one statement: {text}", alike(most), held.len())
        }
        None => String::new(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::part::{Part, Warm};
    use crate::core::postgres::{BackendId, Literals};
    use crate::core::time::Now;

    /// What is said of a pool whose backends are in these states and run these statements; the last one is of nobody on the console.
    #[track_caller]
    fn check(backends: &[(SessionState, i64)], expected: &str) {
        let session = |(pid, (state, query)): (i32, &(SessionState, i64))| Session {
            id: BackendId { pid, backend_start_micros: 1 },
            state: *state,
            query_id: Some(*query),
            query: Literals::Shown.text(&format!("SELECT {query}")),
            ..Session::default()
        };
        let sessions: Vec<Session> = (1..).zip(backends).map(session).collect();
        let clients = (1..sessions.len() as i32).map(|pid| (pid, "10.0.0.9".to_owned())).collect();
        let pool = Pool::default();
        let pooler = Pooler {
            address: String::new(),
            pools: vec![pool.clone()],
            databases: Vec::new(),
            clients: Warm::new(Now::example(0), clients),
        };
        let reading = PostgresReading { sessions: Part::Ready(sessions), ..PostgresReading::default() };
        assert_eq!(holders(&reading, &pooler, &pool), expected);
    }

    #[test]
    fn a_full_pool_says_what_most_of_its_connections_do() {
        use SessionState::{Active, Idle, IdleInTransaction};
        let kept = ", 2 of 3 idle in transaction: the application keeps them";
        check(&[(IdleInTransaction, 1), (IdleInTransaction, 2), (Active, 3), (Active, 9)], kept);
        let one = ", 2 of 3 run one statement: SELECT 7";
        check(&[(Active, 7), (Active, 7), (Active, 8), (Active, 8)], one);
        check(&[(Active, 7), (Active, 8), (Active, 9), (Active, 9)], "");
        // What is idle is not held, and one is not most.
        check(&[(Active, 7), (Idle, 8), (Idle, 8), (Active, 7)], "");
    }
}
