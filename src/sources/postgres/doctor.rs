//! What this role can see and do on a PostgreSQL server. Reads catalogs and privileges only.

use super::connection::Row;
use super::polling::Polling;
use super::pooler::PoolerWatch;
use super::settings::POLLING;
use super::{backup, connection, decode};
use crate::config::target::PostgresConnect;
use crate::core::doctor::{Check, Report, Standing};
use crate::core::postgres::PostgresReading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use std::time::Duration;

/// The console of a PgBouncer answers within so many times of this.
const EACH: Duration = Duration::from_millis(50);
const ASKED: u32 = 120;

const LOOK: &str = "SELECT quote_ident(current_user), current_database()::text, current_setting('server_version_num')::int4, \
     (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), \
     pg_has_role(current_user, 'pg_read_all_stats', 'usage'), pg_has_role(current_user, 'pg_signal_backend', 'usage'), \
     coalesce((SELECT pg_has_role(current_user, oid, 'usage') FROM pg_catalog.pg_roles WHERE rolname = 'pg_read_all_data'), false), \
     (SELECT pg_has_role(current_user, oid, 'usage') FROM pg_catalog.pg_roles WHERE rolname = 'pg_use_reserved_connections'), \
     (SELECT pg_has_role(current_user, oid, 'usage') FROM pg_catalog.pg_roles WHERE rolname = 'pg_maintain'), \
     EXISTS (SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'pg_stat_statements'), \
     current_setting('track_io_timing'), current_setting('track_activity_query_size'), coalesce((SELECT setting LIKE '%pg_stat_statements%' FROM pg_catalog.pg_settings WHERE name = 'shared_preload_libraries'), true), \
     (SELECT string_agg(rolname, ', ') FROM pg_catalog.pg_roles WHERE rolname IN ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin', 'alloydbsuperuser')), \
     EXISTS (SELECT 1 FROM pg_catalog.pg_proc WHERE proname = 'aurora_version'), \
     (SELECT has_function_privilege(p.oid, 'execute') FROM pg_catalog.pg_proc p WHERE proname = 'pg_stat_statements_reset' LIMIT 1), \
     coalesce(current_setting('reserved_connections', true)::int4, 0)";

/// Examines the server.
///
/// # Errors
/// When it cannot be connected to; the sentence says what to do.
pub async fn examine(connect: &PostgresConnect, now: Now) -> Result<Report, PollError> {
    let open = connection::elect(connect, &POLLING).await?;
    let place = connect.place();
    let rows =
        open.ask(LOOK, &[]).await.map_err(|error| connection::explain(&error, &place, &connect.user))?;
    let Some(row) = rows.first() else {
        return Err(PollError::new(PollErrorKind::Internal, format!("{place} gave no row")));
    };
    let (mut checks, setup) = (checks(row, open.tls), setup(row));
    let mut open = Polling::look_around(open, connect, now)
        .await
        .map_err(|error| connection::explain(&error, &place, &connect.user))?;
    let reading = open.read(now).await.map_err(|error| connection::explain(&error, &place, &connect.user))?;
    checks.extend(read(&reading));
    checks.extend(read_beside(connect, now).await);
    Ok(Report { checks, setup })
}

/// What a poll reads, read once: rights on paper are one thing, an answer is another.
fn read(reading: &PostgresReading) -> Vec<Check> {
    let mut list: Vec<Option<Check>> = vec![
        Check::part("sessions", &reading.sessions),
        Check::part("blocking", &reading.locks),
        Check::part("databases", &reading.databases),
        Check::part("connection slots", &reading.slots),
        Check::part("copies", &reading.senders),
        Check::part("this copy", &reading.standby),
        Check::part("replication slots", &reading.replication_slots),
        // That the extension is not there is told above.
        Check::part("statements", &reading.statements).filter(|check| check.standing != Standing::Missing),
        reading.health.gap().map(|gap| Check::gap("health", gap)),
        // Granted it is, as is told above; what puts it in force is another statement.
        reading
            .hidden()
            .filter(|_| reading.server.uninherited)
            .map(|gap| Check::gap("sessions of others", &gap)),
    ];
    if let Some(health) = reading.health.ready() {
        list.push(Check::part("archiver", &health.archiver));
        list.push(Check::part("running vacuums", &health.vacuums));
        list.push(Check::part("prepared transactions", &health.prepared));
        list.push(Check::part("subscriptions", &health.subscriptions));
        let wal = "WAL and checkpoints";
        list.push(health.wal_position.is_none().then(|| Check::unknown(wal, "no position was given")));
    }
    list.into_iter().flatten().collect()
}

/// What a poll reads beside the server: the PgBouncer in front of it, its backups.
async fn read_beside(connect: &PostgresConnect, now: Now) -> Vec<Check> {
    let mut list = Vec::new();
    if let Some(pgbouncer) = connect.pgbouncer.as_deref().cloned() {
        let mut watch = PoolerWatch::new(pgbouncer);
        for _ in 0..ASKED {
            let found = Check::part("PgBouncer", &watch.step(now));
            if found.is_some() {
                list.extend(found);
                break;
            }
            tokio::time::sleep(EACH).await;
        }
    }
    if let Some(pattern) = connect.backups.clone() {
        list.extend(Check::part("backups", &backup::find(pattern, now).await));
    }
    list
}

fn flag(row: &Row, at: usize) -> bool {
    row.try_get::<_, Option<bool>>(at).ok().flatten().unwrap_or_default()
}

fn text(row: &Row, at: usize) -> String {
    decode::text(row, at).unwrap_or_default()
}

fn version(row: &Row) -> i32 {
    row.try_get(2).unwrap_or_default()
}

/// A feature that needs a role to be granted.
fn granted(feature: &str, has: bool, role: &str, user: &str) -> Check {
    if has {
        Check::fine(feature, format!("{user} has {role}"))
    } else {
        Check::missing(feature, format!("{user} does not have {role}"), format!("GRANT {role} TO {user};"))
    }
}

/// Without this right the sessions of others are not seen: what is watched is less than it looks.
fn sees(has: bool, user: &str) -> Check {
    let check = granted("statements, waits and replication of everybody", has, "pg_monitor", user);
    let standing = if has { check.standing } else { Standing::Refused };
    Check { standing, ..check }
}

fn checks(row: &Row, tls: bool) -> Vec<Check> {
    let (user, version, superuser) = (text(row, 0), version(row), flag(row, 3));
    let mut list = vec![
        Check::fine("connection", if tls { "encrypted" } else { "not encrypted" }),
        sees(superuser || flag(row, 4), &user),
        granted("cancel and terminate backends", superuser || flag(row, 5), "pg_signal_backend", &user),
    ];
    list.push(if superuser {
        Check::fine("backends of superusers", "the role is a superuser")
    } else {
        Check::missing(
            "backends of superusers",
            "only a superuser may signal them",
            "nothing short of a superuser; usually not needed",
        )
    });
    list.push(match (flag(row, 9), flag(row, 12)) {
        (true, true) => Check::fine("statements over a window", "pg_stat_statements is in this database"),
        (false, true) => Check::missing(
            "statements over a window",
            format!("pg_stat_statements is not in database {}", text(row, 1)),
            "CREATE EXTENSION pg_stat_statements;",
        ),
        (_, false) => Check::missing(
            "statements over a window",
            "pg_stat_statements is not loaded",
            "shared_preload_libraries = 'pg_stat_statements' (restart), then CREATE EXTENSION pg_stat_statements;",
        ),
    });
    list.push(if superuser || flag(row, 15) {
        Check::fine("reset of statement counters", "permitted")
    } else {
        Check::missing(
            "reset of statement counters",
            "not permitted (it is a superuser's unless granted)",
            format!("GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO {user};"),
        )
    });
    list.push(if text(row, 10) == "on" {
        Check::fine("time spent reading", "track_io_timing is on")
    } else {
        Check::missing(
            "time spent reading",
            "track_io_timing is off",
            "ALTER SYSTEM SET track_io_timing = on; SELECT pg_reload_conf();",
        )
    });
    list.extend(by_version(row, &user, version, superuser));
    list
}

/// Rights that came with a version.
fn by_version(row: &Row, user: &str, version: i32, superuser: bool) -> Vec<Check> {
    let mut list = Vec::new();
    if version >= 140_000 {
        list.push(granted(
            "bloat of other owners' tables",
            superuser || flag(row, 6),
            "pg_read_all_data",
            user,
        ));
    }
    list.push(if version >= 170_000 {
        granted("VACUUM, ANALYZE and REINDEX of any table", superuser || flag(row, 8), "pg_maintain", user)
    } else if superuser {
        Check::fine("VACUUM, ANALYZE and REINDEX of any table", "the role is a superuser")
    } else {
        Check::missing(
            "VACUUM, ANALYZE and REINDEX of any table",
            "before 17 only a table's owner (or a superuser) may",
            "connect as the owner of the tables for these",
        )
    });
    if version >= 160_000 {
        let reserved: i32 = row.try_get(16).unwrap_or_default();
        if superuser || flag(row, 7) {
            list.push(Check::fine(
                "a connection when all slots are taken",
                format!("{reserved} are reserved"),
            ));
        } else {
            list.push(Check::missing(
                "a connection when all slots are taken",
                format!("{user} may not use reserved connections ({reserved} are set)"),
                format!(
                    "GRANT pg_use_reserved_connections TO {user}; and reserved_connections = 3 (restart)"
                ),
            ));
        }
    }
    list
}

fn setup(row: &Row) -> Vec<String> {
    let version = version(row);
    let mut roles = vec!["pg_monitor", "pg_signal_backend"];
    if version >= 160_000 {
        roles.push("pg_use_reserved_connections");
    }
    let mut lines = vec![
        "CREATE ROLE stacktop LOGIN PASSWORD '…';".to_owned(),
        format!("GRANT {} TO stacktop; -- pg_monitor alone to look only", roles.join(", ")),
    ];
    let managed = text(row, 13);
    if flag(row, 14) {
        lines.push(
            "-- Aurora: some replication functions are not supported there; those parts say so".to_owned(),
        );
    }
    if !managed.is_empty() {
        lines.push(format!(
            "-- a managed service ({managed}): run these as a member of that role; nobody is a superuser there"
        ));
    }
    lines
}
