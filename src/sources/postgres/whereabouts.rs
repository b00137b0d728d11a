//! Where a PostgreSQL server is: how it sees our end of the connection and its own, whether a managed service left its marks, and whether
//! it calls itself production.

use super::asking::Row;
use super::decode;
use crate::config::target::Dialled;
use crate::core::whereabouts::{End, Whereabouts, compare, is_direct};
use crate::sources::container;
use std::net::SocketAddr;

/// How the server sees us, and who serves us. Functions only: a lock on a catalog takes nothing away.
pub(super) const SEEN: &str = "SELECT host(inet_client_addr()), inet_client_port(), pg_backend_pid()";
/// Where it listens.
pub(super) const OWN: &str = "SELECT host(inet_server_addr()), inet_server_port()";
/// The marks of managed services: a role, or a function.
pub(super) const MARKS: &str = "SELECT coalesce((SELECT min(rolname::text) FROM pg_catalog.pg_roles WHERE rolname::text = ANY \
     ('{rds_superuser,rdsadmin,cloudsqlsuperuser,cloudsqladmin,alloydbsuperuser,azure_pg_admin,azuresu,neon_superuser}'::text[])), \
     (SELECT min(proname::text) FROM pg_catalog.pg_proc WHERE proname::text = 'aurora_version'))";

/// What it calls itself. The folder of its data is hidden from most roles.
pub(super) const WORDS: &str = "SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY ('{cluster_name,data_directory}'::text[])";

/// What the answers say about a connection whose own end is `ours`, to what was `reached`: where the server is, and whether nothing stands
/// between. Where a server does not say how it sees us, it is not taken for one that is here.
pub(super) fn read(
    seen: Option<&Row>,
    own: Option<&Row>,
    mark: Option<String>,
    ours: Option<End>,
    reached: &Dialled,
) -> (Whereabouts, bool) {
    let backend: Option<i32> = seen.and_then(|row| row.try_get(2).ok());
    let end = |row: &Row| match (decode::text(row, 0), row.try_get::<_, Option<i32>>(1).ok().flatten()) {
        (Some(address), Some(port)) => u16::try_from(port).ok().and_then(|port| End::read(&address, port)),
        (None, _) => Some(End::Unix(backend)),
        (Some(_), None) => None,
    };
    let (seen, own) = (seen.and_then(end), own.and_then(end));
    let in_container = |seen| matches!(own, Some(End::Tcp(own)) if container::holds(seen, own));
    // Who listens on the socket is the parent of whoever serves us.
    let is_parent = |peer| backend.is_some_and(|backend| parent(backend) == Some(peer));
    let reached = match reached {
        Dialled::Tcp(to) => Some(End::Tcp(SocketAddr::new(to.ip().to_canonical(), to.port()))),
        Dialled::Unix(_) => None,
    };
    let direct = is_direct(ours, seen, reached, own, is_parent);
    let found = match (compare(ours, seen, is_parent, in_container), mark) {
        (Whereabouts::Here, _) => Whereabouts::Here,
        (_, Some(mark)) => Whereabouts::Cloud(mark),
        (other, None) => other,
    };
    (found, direct)
}

/// Where its data lies, by what it says of itself.
pub(super) fn folder(words: &[Row]) -> Option<String> {
    let named = |row: &&Row| decode::text(row, 0).as_deref() == Some("data_directory");
    words.iter().find(named).and_then(|row| decode::text(row, 1)).filter(|path| path.starts_with('/'))
}

/// The same of a server that says this of itself. The name of a database counts only where nobody knows that it is here: copies have it, too.
pub(super) fn saying(found: Whereabouts, words: &[Row], database: &str) -> Whereabouts {
    let words: Vec<(String, String)> =
        words.iter().filter_map(|row| Some((decode::text(row, 0)?, decode::text(row, 1)?))).collect();
    let mut said: Vec<(&str, &str)> =
        words.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if found != Whereabouts::Here {
        said.push(("database", database));
    }
    found.saying(&said)
}

/// The parent of this process. Where there is no such folder nobody can tell.
fn parent(pid: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}
