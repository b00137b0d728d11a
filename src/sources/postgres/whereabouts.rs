//! Where a PostgreSQL server is: how it sees our end of the connection, and whether a managed service left its marks.

use super::asking::Row;
use super::decode;
use crate::core::whereabouts::{End, Whereabouts, compare};

/// How the server sees us, and who serves us. Functions only: a lock on a catalog takes nothing away.
pub(super) const SQL: &str = "SELECT host(inet_client_addr()), inet_client_port(), pg_backend_pid()";
/// The marks of managed services: a role, or a function.
pub(super) const MARKS: &str = "SELECT coalesce((SELECT min(rolname::text) FROM pg_catalog.pg_roles WHERE rolname::text = ANY \
     ('{rds_superuser,rdsadmin,cloudsqlsuperuser,cloudsqladmin,alloydbsuperuser,azure_pg_admin,azuresu,neon_superuser}'::text[])), \
     (SELECT min(proname::text) FROM pg_catalog.pg_proc WHERE proname::text = 'aurora_version'))";

/// What the answers say about a connection whose own end is `ours`.
pub(super) fn read(seen: Option<&Row>, mark: Option<String>, ours: Option<End>) -> Whereabouts {
    let Some(row) = seen else { return compare(ours, None, |_| false) };
    let backend: Option<i32> = row.try_get(2).ok();
    let seen = match (decode::text(row, 0), row.try_get::<_, Option<i32>>(1).ok().flatten()) {
        (Some(address), Some(port)) => u16::try_from(port).ok().and_then(|port| End::read(&address, port)),
        (None, _) => Some(End::Unix(backend)),
        (Some(_), None) => None,
    };
    // Who listens on the socket is the parent of whoever serves us.
    let found = compare(ours, seen, |peer| backend.is_some_and(|backend| parent(backend) == Some(peer)));
    match (found, mark) {
        (Whereabouts::Here, _) => Whereabouts::Here,
        (_, Some(mark)) => Whereabouts::Cloud(mark),
        (other, None) => other,
    }
}

/// The parent of this process. Where there is no such folder nobody can tell.
fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
