//! The PgBouncer in front of a server, as its admin console tells: pools, databases, and which client is behind which backend. Pure.

use crate::core::part::Warm;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// One look at a PgBouncer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pooler {
    /// Its address.
    pub address: String,
    /// Its pools.
    pub pools: Vec<Pool>,
    /// Its databases.
    pub databases: Vec<PooledDatabase>,
    /// The real client behind a backend of the server, by the backend's pid.
    pub clients: Warm<BTreeMap<i32, String>>,
}

/// One pool: a database and a user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// The database as clients name it.
    pub database: String,
    /// The user.
    pub user: String,
    /// Clients that are linked to a server connection, or idle.
    pub clients_active: u64,
    /// Clients that wait for a server connection.
    pub clients_waiting: u64,
    /// Server connections that work for a client.
    pub servers_active: u64,
    /// Server connections that are free.
    pub servers_idle: u64,
    /// How long the first in line has been waiting.
    pub longest_wait: Duration,
    /// session, transaction or statement.
    pub mode: String,
}

/// One database of a PgBouncer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PooledDatabase {
    /// Its name for clients.
    pub name: String,
    /// Server connections a pool may have.
    pub pool_size: u64,
    /// Server connections now.
    pub connections: u64,
    /// The limit for the database, if there is one.
    pub most: Option<u64>,
    /// PAUSE was given.
    pub paused: bool,
    /// DISABLE was given.
    pub disabled: bool,
}

impl Pooler {
    /// How much of its connections a pool uses, 0–1.
    #[must_use]
    pub fn utilisation(&self, pool: &Pool) -> Option<f64> {
        let size = self.databases.iter().find(|database| database.name == pool.database)?.pool_size;
        (size > 0).then(|| pool.servers_active as f64 / size as f64)
    }
}

/// A table of the console: columns by name, because every version has others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsoleTable {
    /// The names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
}

impl ConsoleTable {
    fn cell<'a>(&self, row: &'a [Option<String>], name: &str) -> &'a str {
        let at = self.columns.iter().position(|column| column == name);
        at.and_then(|at| row.get(at)?.as_deref()).unwrap_or_default()
    }

    fn number(&self, row: &[Option<String>], name: &str) -> u64 {
        self.cell(row, name).parse().unwrap_or(0)
    }
}

/// From `SHOW POOLS`.
#[must_use]
pub fn pools(table: &ConsoleTable) -> Vec<Pool> {
    let pool = |row: &Vec<Option<String>>| Pool {
        database: table.cell(row, "database").to_owned(),
        user: table.cell(row, "user").to_owned(),
        clients_active: table.number(row, "cl_active"),
        clients_waiting: table.number(row, "cl_waiting"),
        servers_active: table.number(row, "sv_active"),
        servers_idle: table.number(row, "sv_idle"),
        longest_wait: Duration::from_secs(table.number(row, "maxwait"))
            + Duration::from_micros(table.number(row, "maxwait_us")),
        mode: table.cell(row, "pool_mode").to_owned(),
    };
    table.rows.iter().map(pool).filter(|pool| pool.database != "pgbouncer").collect()
}

/// From `SHOW DATABASES`.
#[must_use]
pub fn databases(table: &ConsoleTable) -> Vec<PooledDatabase> {
    let database = |row: &Vec<Option<String>>| PooledDatabase {
        name: table.cell(row, "name").to_owned(),
        pool_size: table.number(row, "pool_size"),
        connections: table.number(row, "current_connections"),
        most: Some(table.number(row, "max_connections")).filter(|most| *most > 0),
        paused: table.number(row, "paused") > 0,
        disabled: table.number(row, "disabled") > 0,
    };
    table.rows.iter().map(database).filter(|database| database.name != "pgbouncer").collect()
}

/// From `SHOW SERVERS` and `SHOW CLIENTS`: a server's `link` is the `ptr` of the client that it works for.
#[must_use]
pub fn clients(servers: &ConsoleTable, clients: &ConsoleTable) -> BTreeMap<i32, String> {
    let by_pointer: BTreeMap<&str, String> = clients
        .rows
        .iter()
        .map(|row| {
            let cell = |name: &str| clients.cell(row, name);
            let application = match cell("application_name") {
                "" => String::new(),
                name => format!(" ({name})"),
            };
            let who = format!("{} from {}:{}{application}", cell("user"), cell("addr"), cell("port"));
            (cell("ptr"), who)
        })
        .collect();
    servers
        .rows
        .iter()
        .filter_map(|row| {
            let pid: i32 = servers.cell(row, "remote_pid").parse().ok().filter(|pid| *pid > 0)?;
            Some((pid, by_pointer.get(servers.cell(row, "link"))?.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &str, rows: &[&str]) -> ConsoleTable {
        ConsoleTable {
            columns: columns.split(' ').map(str::to_owned).collect(),
            rows: rows.iter().map(|row| row.split(' ').map(|cell| Some(cell.to_owned())).collect()).collect(),
        }
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let old = table("database user cl_active cl_waiting sv_active maxwait", &["shop app 3 2 1 4"]);
        let new = table(
            "user database cl_active_cancel_req cl_waiting cl_active maxwait_us maxwait pool_mode sv_active",
            &["app shop 9 2 3 500000 4 transaction 1", "x pgbouncer 0 0 1 0 0 statement 0"],
        );
        assert_eq!(pools(&old)[0].clients_waiting, 2);
        assert_eq!(pools(&new).len(), 1, "the console itself is no pool");
        assert_eq!(pools(&new)[0].longest_wait, Duration::from_millis(4500));
        assert_eq!((pools(&new)[0].clients_active, pools(&new)[0].servers_active), (3, 1));
    }

    #[test]
    fn a_backend_is_joined_to_its_client() {
        let servers = table("ptr link remote_pid", &["s1 c2 4711", "s2  4712", "s3 c9 0"]);
        let list = table(
            "ptr addr port user application_name",
            &["c1 10.0.0.1 5 app web", "c2 10.0.0.2 6 app jobs"],
        );
        let found = clients(&servers, &list);
        assert_eq!(found, BTreeMap::from([(4711, "app from 10.0.0.2:6 (jobs)".to_owned())]));
    }
}
