//! Ties of load on a PostgreSQL server: WAL that is written, statements that got slower, rows that no vacuum may remove.

use crate::core::alert::Finding;
use crate::core::chain::edge::{Evidence, together};
use crate::core::chain::known::Known;
use crate::core::ids::TargetId;
use crate::core::postgres::{Session, SessionState};
use crate::core::text::{counted, tidy};
use crate::core::topology::same_name;

/// A copy of this server: the server tells it of one that it feeds, or both have the same number of their system of files.
pub(in crate::core::chain) fn wal_of_copy(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    // A copy that was told to wait does not fall behind by what is written.
    if effect.breach.sentence.contains("PAUSED") {
        return None;
    }
    let (primary, copy) = (&cause.breach.target, &effect.breach.target);
    if together(cause, effect) {
        return Evidence::likely(format!("{primary} feeds it, and it fell behind while that writes so much"));
    }
    let (writes, replays) = (known.postgres(primary)?, known.postgres(copy)?);
    let same = writes.server.system.is_some() && writes.server.system == replays.server.system;
    (same && replays.server.in_recovery)
        .then(|| format!("{copy} is a copy of {primary} (both have one system identifier)"))
        .and_then(Evidence::likely)
}

/// The root of those who wait is a vacuum that nothing ends, and the ids of that server are old.
pub(in crate::core::chain) fn vacuum_gives_way_to_nobody(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let state = known.postgres_state(&effect.breach.target).filter(|_| together(cause, effect))?;
    let root = state.forest.roots().find(|root| format!("{:?}", root.who) == effect.breach.subject)?;
    let pid = root.who.pid()?;
    let mut sessions = known.sessions(&effect.breach.target);
    let vacuum = sessions.find(|session| session.id.pid == pid && session.gives_way_to_nobody())?;
    Evidence::certain(format!("pid {pid} runs \u{201c}{}\u{201d}", tidy(&vacuum.query, 70)))
}

/// What has been open for long in that database keeps vacuum from removing what died since. Where autovacuum is off, that is the reason.
pub(in crate::core::chain) fn keeps_dead_rows(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let server = &cause.breach.target;
    let own_reason = ["is off", "is busy"].iter().any(|why| effect.breach.sentence.contains(why));
    if !together(cause, effect) || own_reason {
        return None;
    }
    // Tables are looked at in our own database.
    let database = known.postgres(server)?.server.database.as_str();
    let Some(pid) = cause.breach.subject.strip_prefix("pid ") else {
        let health = known.postgres(server)?.health.ready()?;
        let (gid, ..) = health
            .prepared
            .ready()?
            .iter()
            .find(|(gid, _, of, _)| *gid == cause.breach.subject && of == database)?;
        return Evidence::likely(format!("prepared transaction {} is open in {database}", tidy(gid, 30)));
    };
    let pid: i32 = pid.split(' ').next()?.parse().ok()?;
    let session =
        known.sessions(server).find(|session| session.id.pid == pid && session.database == database)?;
    let age = session.xmin_age?;
    Evidence::likely(format!("pid {pid} in {database} needs rows as they were {age} transactions ago"))
}

/// The statement reads the table whose dead rows nobody removes.
pub(in crate::core::chain) fn dead_rows_of_statement(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let reading = known.postgres(&cause.breach.target).filter(|_| together(cause, effect))?;
    let text = reading.statement(query(effect)?)?;
    let table = cause.breach.subject.rsplit('.').next().filter(|name| !name.is_empty())?;
    names_table(text, &cause.breach.subject)
        .then(|| format!("the statement names {table}"))
        .and_then(Evidence::likely)
}

/// Whether `statement` reads or writes this table (`schema.name`): a column may have the same name, and another schema another table.
fn names_table(statement: &str, table: &str) -> bool {
    let (schema, name) = table.rsplit_once('.').map_or((None, table), |(schema, name)| (Some(schema), name));
    tables(statement).iter().any(|named| {
        let (of, called) =
            named.rsplit_once('.').map_or((None, named.as_str()), |(of, called)| (Some(of), called));
        let same_schema = of.zip(schema).is_none_or(|(of, schema)| of.eq_ignore_ascii_case(schema));
        same_schema && called.eq_ignore_ascii_case(name)
    })
}

/// The tables that `statement` reads or writes, as it writes them, without quotes.
pub(in crate::core::chain) fn tables(statement: &str) -> Vec<String> {
    let words = statement.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '"')));
    let mut before = "";
    let mut found = Vec::new();
    for word in words.filter(|word| !word.is_empty()) {
        if ["from", "join", "update", "into", "only"].iter().any(|key| before.eq_ignore_ascii_case(key)) {
            found.push(word.replace('"', ""));
        }
        before = word;
    }
    found
}

/// Sessions of the service run the statement, or it is said to depend on that server and nobody else runs it.
pub(in crate::core::chain) fn slow_for_service(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let (server, service) = (&cause.breach.target, &effect.breach.target);
    let query = query(cause)?;
    let services = known.services(service);
    let is_its = |name: &str| services.iter().any(|own| same_name(name, own));
    let its = runs(*known, server, query).filter(|session| is_its(&session.application)).count();
    if its > 0 {
        return Evidence::likely(format!("{} named {service} run it now", counted(its, "session")));
    }
    let others = runs(*known, server, query).any(|session| known.is_service(&session.application));
    let because = known.depends(&services, server).filter(|_| !others)?;
    Evidence::likely(format!("{service} depends on {server} ({because}), where it takes most of the time"))
}

/// Most of the pool's connections that are in use run this statement.
pub(in crate::core::chain) fn slow_for_pool(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let server = &cause.breach.target;
    let pooler = known.postgres(server).filter(|_| together(cause, effect))?.pooler.ready()?;
    // The subject of a pool is its database and its user.
    let mut names = effect.breach.subject.split(' ');
    let (database, user) = (names.next()?, names.next().unwrap_or_default());
    let of_pool = |session: &&Session| {
        let its = session.database == database && (user.is_empty() || session.user == user);
        its && session.state != SessionState::Idle && pooler.clients.contains_key(&session.id.pid)
    };
    let query = query(cause).or_else(|| {
        let pid: i32 = cause.breach.subject.split(' ').nth(1)?.parse().ok()?;
        known.sessions(server).find(|session| session.id.pid == pid)?.query_id
    })?;
    let busy = known.sessions(server).filter(of_pool).count();
    let its = known.sessions(server).filter(of_pool).filter(|one| one.query_id == Some(query)).count();
    (its > 1 && its * 2 > busy)
        .then(|| format!("{its} of the {busy} backends that the pool uses run it (SHOW SERVERS, query_id)"))
        .and_then(Evidence::likely)
}

/// The statement that a finding is about.
fn query(finding: &Finding) -> Option<i64> {
    finding.breach.subject.strip_prefix("statement ")?.parse().ok()
}

fn runs<'a>(known: Known<'a>, server: &TargetId, query: i64) -> impl Iterator<Item = &'a Session> {
    let runs =
        move |session: &&Session| session.query_id == Some(query) && session.state == SessionState::Active;
    known.sessions(server).filter(runs)
}

#[cfg(test)]
mod tests {
    use super::names_table;

    #[track_caller]
    fn check(statement: &str, table: &str, expected: bool) {
        assert_eq!(names_table(statement, table), expected, "{statement}");
    }

    #[test]
    fn a_statement_names_the_tables_that_it_reads_and_writes() {
        check("SELECT * FROM orders WHERE id = $1", "public.orders", true);
        check("select 1 from \"public\".\"orders\" o", "public.orders", true);
        check("UPDATE ONLY shop.orders SET n = $1", "shop.orders", true);
        check("SELECT * FROM a JOIN orders ON true", "public.orders", true);
        // A column, and a table of another schema.
        check("SELECT * FROM a WHERE status = $1", "audit.status", false);
        check("SELECT * FROM archive.orders", "public.orders", false);
        check("SELECT orders FROM a", "public.orders", false);
    }
}
