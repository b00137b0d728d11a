//! Ties that a PostgreSQL server or its pooler knows.

use crate::core::alert::Finding;
use crate::core::chain::edge::{Evidence, together};
use crate::core::chain::known::Known;
use crate::core::postgres::rules::health::RESET;
use crate::core::postgres::{Session, SessionState};
use crate::core::source_rules::FULL;
use crate::core::target::TargetState;
use crate::core::text::{counted, tidy};
use crate::core::time::span_of;
use crate::core::topology::same_name;

/// Sessions that wait for a lock are of the service by their application's name; or they are nobody else's, and the service is said to
/// depend on their server.
pub(in crate::core::chain) fn waiters_of_service(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let server = &cause.breach.target;
    let services = known.services(&effect.breach.target);
    let is_its = |name: &str| services.iter().any(|service| same_name(name, service));
    let named = known.waiting(server).filter(|session| is_its(&session.application)).count();
    if named > 0 {
        return Evidence::likely(format!(
            "{} on {server} named {} wait for locks (application_name is the service's name)",
            counted(named, "session"),
            effect.breach.target
        ));
    }
    let because = known.depends(&services, server)?;
    let nobodys = known.waiting(server).filter(|session| !known.is_service(&session.application)).count();
    let words = || {
        let sessions = counted(nobodys, "session");
        format!(
            "{sessions} on {server} wait for locks, and {} depends on it ({because})",
            effect.breach.target
        )
    };
    (nobodys > 0).then(words).and_then(Evidence::likely)
}

/// Backends that wait are of the pool whose clients wait: by their process ids on the pooler's console, or by their database.
pub(in crate::core::chain) fn waiters_of_pool(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    if !together(cause, effect) {
        return None;
    }
    // The subject of a pool is its database and its user.
    let database = effect.breach.subject.split(' ').next().unwrap_or_default();
    let pooler = known.postgres(&cause.breach.target)?.pooler.ready();
    let of_pool =
        |session: &&Session| pooler.is_some_and(|pooler| pooler.clients.contains_key(&session.id.pid));
    let (its, linked): (Vec<_>, Vec<_>) = (
        known.waiting(&cause.breach.target).filter(|session| session.database == database).collect(),
        known.waiting(&cause.breach.target).filter(of_pool).collect(),
    );
    if let Some(first) = linked.first() {
        return Evidence::certain(format!(
            "{} of the pooler wait for locks, pid {} among them (SHOW SERVERS)",
            counted(linked.len(), "backend"),
            first.id.pid
        ));
    }
    let count = counted(its.len(), "session");
    (!its.is_empty())
        .then(|| format!("{count} in database {} wait for locks", tidy(database, 40)))
        .and_then(Evidence::likely)
}

/// A session that does not end keeps the connection that the pooler lent it.
pub(in crate::core::chain) fn kept_of_pool(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    if !together(cause, effect) {
        return None;
    }
    let pid: i32 = cause.breach.subject.split(' ').nth(1)?.parse().ok()?;
    let pooler = known.postgres(&cause.breach.target)?.pooler.ready()?;
    let client = pooler.clients.get(&pid)?;
    Evidence::certain(format!("backend {pid} works for {} (SHOW SERVERS)", tidy(client, 60)))
}

/// The pool's own database is paused.
pub(in crate::core::chain) fn paused_pool(
    _: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let database = effect.breach.subject.split(' ').next().unwrap_or_default();
    (together(cause, effect) && cause.breach.subject == database)
        .then(|| format!("SHOW DATABASES says that {} takes nobody", tidy(database, 40)))
        .and_then(Evidence::certain)
}

/// Clients of the pooler are of the service by their application's name.
pub(in crate::core::chain) fn pool_of_service(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let service = effect.breach.target.as_str();
    let pooler = known.postgres(&cause.breach.target)?.pooler.ready()?;
    let name = |client: &str| -> Option<String> {
        client.rsplit_once('(').map(|(_, name)| name.trim_end_matches(')').to_owned())
    };
    let its = pooler.clients.values().filter_map(|client| name(client));
    let its = its.filter(|name| same_name(name, service)).count();
    let clients = counted(its, "client");
    (its > 0).then(|| format!("{clients} of the pooler are named {service}")).and_then(Evidence::likely)
}

/// The failures hold the server's own words for "no place is left".
pub(in crate::core::chain) fn no_slot_left(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let reason = known.reason(effect);
    let texts = ["too many clients already", "remaining connection slots", "too many connections", "53300"];
    let text = texts.iter().find(|text| reason.contains(**text))?;
    let postgres = known.postgres_state(&cause.breach.target).is_some();
    let full = cause.breach.rule == FULL.id
        || known
            .postgres(&cause.breach.target)
            .and_then(|reading| reading.slots.ready())
            .is_some_and(|slots| slots.used >= slots.usable());
    let words = format!("its jobs fail by \u{201c}{text}\u{201d}");
    if !postgres {
        None
    } else if full {
        Evidence::certain(format!(
            "{words}, and every usable connection of {} is in use",
            cause.breach.target
        ))
    } else {
        Evidence::likely(format!("{words}, and {} has few left", cause.breach.target))
    }
}

/// Many sessions are open like this one: alone it fills nothing.
pub(in crate::core::chain) fn many_open(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    if !together(cause, effect) {
        return None;
    }
    let pid: i32 = cause.breach.subject.split(' ').nth(1)?.parse().ok()?;
    let session = known.sessions(&cause.breach.target).find(|session| session.id.pid == pid)?;
    let alike = known
        .sessions(&cause.breach.target)
        .filter(|other| other.is_client() && other.application == session.application)
        .filter(|other| other.state.is_idle_in_transaction() == session.state.is_idle_in_transaction())
        .filter(|other| other.state != SessionState::Idle)
        .count();
    let used = known.postgres(&cause.breach.target)?.slots.ready()?.used;
    let most = alike as f64 * 2.0 > used as f64;
    let words = || {
        let name = tidy(&session.application, 40);
        format!("{} of {name} are as it is, of {used} in use", counted(alike, "session"))
    };
    most.then(words).and_then(Evidence::likely)
}

/// Those who wait hold their connections.
pub(in crate::core::chain) fn waiters_fill(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let used = known.postgres(&cause.breach.target)?.slots.ready()?.used;
    let most = together(cause, effect) && cause.breach.hit.count as f64 * 2.0 > used as f64;
    most.then(|| format!("{} of {used} connections wait behind it", cause.breach.hit.count))
        .and_then(Evidence::likely)
}

/// The failures hold the server's own words for a deadlock.
pub(in crate::core::chain) fn deadlock(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    // The words say on which kind of server, and not on which.
    let counts = |target: &TargetState| {
        let counted = target.system.postgres().and_then(|state| state.rates.deadlocks);
        counted.is_some_and(|count| count > 0.0)
    };
    if !known.can_only_mean(&cause.breach.target, effect, counts) {
        return None;
    }
    let reason = known.reason(effect);
    let text = ["deadlock detected", "40P01"].into_iter().find(|text| reason.contains(text))?;
    Evidence::certain(format!("its jobs fail by \u{201c}{text}\u{201d}, and the server counted deadlocks"))
}

/// The failures hold the server's own words for sessions that it ended, and it began anew.
pub(in crate::core::chain) fn server_ended_sessions(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let reason = known.reason(effect);
    let texts = [
        "terminating connection due to",
        "server closed the connection unexpectedly",
        "the database system is",
        "Connection terminated unexpectedly",
    ];
    let text = texts.into_iter().find(|text| reason.contains(text))?;
    (cause.breach.rule == RESET.id() && !cause.breach.sentence.contains("counters"))
        .then(|| format!("its jobs fail by \u{201c}{text}\u{201d}, and {} began anew", cause.breach.target))
        .and_then(Evidence::certain)
}

/// Something reads on the standby that is behind, at least for as long as it is behind.
pub(in crate::core::chain) fn query_on_standby(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let state = known.postgres_state(&cause.breach.target).filter(|_| together(cause, effect))?;
    state.reading()?.standby.ready()?;
    let lag = span_of(state.standby_lag()?.max(0.0));
    let open = cause.breach.observed_for.filter(|open| *open >= lag)?;
    let words = format!(
        "it has been open for {} s on the standby, which is {} s behind",
        open.as_secs(),
        lag.as_secs()
    );
    // What replay waits for it ends in the end: the counter says that there is such a conflict.
    if conflicts(known, cause) > 0.0 {
        Evidence::certain(format!("{words}, and the server counts conflicts with recovery"))
    } else {
        Evidence::likely(words)
    }
}

/// Statements that the standby ended within a minute, for they stood in the way of replay.
fn conflicts(known: &Known<'_>, cause: &Finding) -> f64 {
    known.postgres_state(&cause.breach.target).and_then(|state| state.rates.conflicts).unwrap_or_default()
}

/// The failures hold the standby's own words for a conflict with recovery.
pub(in crate::core::chain) fn recovery_conflict(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    known.postgres(&cause.breach.target)?.standby.ready()?;
    let text = "conflict with recovery";
    let words = format!("its jobs fail by \u{201c}{text}\u{201d}");
    let counts = conflicts(known, cause);
    if !known.reason(effect).contains(text) {
        None
    } else if counts > 0.0 {
        let ended = counted(counts as usize, "statement");
        Evidence::certain(format!(
            "{words}, and {} ended {ended} for that within a minute",
            cause.breach.target
        ))
    } else {
        Evidence::likely(words)
    }
}

/// What is open for long on this server may be what its oldest transaction id waits for.
pub(in crate::core::chain) fn holds_horizon(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    if !together(cause, effect) {
        return None;
    }
    let mut words = cause.breach.subject.split(' ');
    let Some(pid) = words.nth(1).and_then(|pid| pid.parse::<i32>().ok()) else {
        return Evidence::likely("a prepared transaction keeps its transaction id");
    };
    let session = known.sessions(&cause.breach.target).find(|session| session.id.pid == pid)?;
    let age = session.xmin_age?;
    Evidence::likely(format!("pid {pid} needs rows that are {age} transactions old"))
}

/// One server says both.
pub(in crate::core::chain) fn same_server(
    _: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    together(cause, effect).then(|| format!("both are of {}", cause.breach.target)).and_then(Evidence::likely)
}

/// Sessions of the service wait for the standby to confirm.
pub(in crate::core::chain) fn commits_of_service(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let service = effect.breach.target.as_str();
    let waits = |session: &&Session| {
        session.wait.as_ref().is_some_and(|(_, event)| event.eq_ignore_ascii_case("SyncRep"))
    };
    let its = known.sessions(&cause.breach.target).filter(waits);
    let its = its.filter(|session| same_name(&session.application, service)).count();
    let sessions = counted(its, "session");
    (its > 0).then(|| format!("{sessions} named {service} wait in SyncRep")).and_then(Evidence::likely)
}
