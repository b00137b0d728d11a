//! Asks the admin console of a PgBouncer: simple queries only, on a connection and a task of its own, so that no poll waits for it.

use super::connection;
use crate::config::target::PostgresConnect;
use crate::core::part::{Gap, GapKind, Part, Warm};
use crate::core::postgres::{ConsoleTable, Pooler, pooled_clients, pooled_databases, pools};
use crate::core::text::tidy;
use crate::core::time::Now;
use crate::sources::owned::Owned;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

/// Its pools and databases are asked for this often.
const INTERVAL: Duration = Duration::from_secs(2);
/// Its clients and servers, of which there can be thousands, are asked for this often.
const CLIENTS_EACH: Duration = Duration::from_secs(10);
/// A console that has not answered by then hangs.
const TIMEOUT: Duration = Duration::from_secs(5);
/// More rows of servers or clients are not kept.
const MOST_ROWS: usize = 10_000;

type Shared = Arc<Mutex<Part<Warm<Pooler>>>>;

fn locked(shared: &Shared) -> MutexGuard<'_, Part<Warm<Pooler>>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The PgBouncer in front of one server.
pub(super) struct PoolerWatch {
    connect: PostgresConnect,
    found: Shared,
    asked: Option<Now>,
    running: Option<Owned<()>>,
    client: Arc<tokio::sync::Mutex<Option<Client>>>,
}

impl PoolerWatch {
    pub(super) fn new(connect: PostgresConnect) -> Self {
        Self { connect, found: Shared::default(), asked: None, running: None, client: Arc::default() }
    }

    /// Asks if that is due, and tells what is known. Waits for nothing.
    pub(super) fn step(&mut self, now: Now) -> Part<Warm<Pooler>> {
        let busy = self.running.as_ref().is_some_and(|task| !task.is_finished());
        if !busy && self.asked.is_none_or(|at| now.since(at) >= INTERVAL) {
            self.asked = Some(now);
            let (connect, found, slot) =
                (self.connect.clone(), Arc::clone(&self.found), Arc::clone(&self.client));
            self.running = Some(Owned::spawn(async move {
                let mut slot = slot.lock().await;
                let before = locked(&found).ready().cloned();
                let asking = ask(&connect, &mut slot, before, now);
                let part = match tokio::time::timeout(TIMEOUT, asking).await {
                    Ok(Ok(pooler)) => Part::Ready(Warm::new(now, pooler)),
                    Ok(Err(why)) => {
                        *slot = None;
                        Part::Unavailable(Gap::new(GapKind::Failed, format!("PgBouncer: {why}")))
                    }
                    Err(_) => {
                        *slot = None;
                        Part::Unavailable(Gap::new(GapKind::TimedOut, "PgBouncer does not answer within 5 s"))
                    }
                };
                *locked(&found) = part;
            }));
        }
        locked(&self.found).clone()
    }
}

async fn ask(
    connect: &PostgresConnect,
    slot: &mut Option<Client>,
    before: Option<Warm<Pooler>>,
    now: Now,
) -> Result<Pooler, String> {
    if slot.as_ref().is_none_or(Client::is_closed) {
        *slot = Some(connection::console(connect).await.map_err(|error| explained(&error.message, connect))?);
    }
    let Some(client) = slot.as_ref() else { return Err("there is no connection".to_owned()) };
    let words = |error: Error| {
        let said = error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
        explained(&said, connect)
    };
    let show = async |what: &str| show(client, what).await.map_err(words);
    let databases = show("SHOW DATABASES").await?;
    let found = show("SHOW POOLS").await?;
    let clients = match before.filter(|before| now.since(before.clients.read_at) < CLIENTS_EACH) {
        Some(before) => before.clients.clone(),
        None => Warm::new(now, pooled_clients(&show("SHOW SERVERS").await?, &show("SHOW CLIENTS").await?)),
    };
    Ok(Pooler {
        address: connect.server(),
        pools: pools(&found),
        databases: pooled_databases(&databases),
        clients,
    })
}

/// What was said by whom was taken for a console, and what mends it.
fn explained(said: &str, connect: &PostgresConnect) -> String {
    if said.contains("unrecognized configuration parameter") {
        // Only a Postgres server knows parameters.
        let database = tidy(&connect.database, 40);
        return format!(
            "a database answers ({database}), not the console: its url ends in /pgbouncer, with PgBouncer's own port"
        );
    }
    if said.contains("not allowed") {
        let user = tidy(&connect.user, 40);
        return format!("{said}: name {user} in stats_users of pgbouncer.ini");
    }
    said.to_owned()
}

async fn show(client: &Client, what: &str) -> Result<ConsoleTable, Error> {
    let mut table = ConsoleTable::default();
    for message in client.simple_query(what).await? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                table.columns = columns.iter().map(|column| column.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) if table.rows.len() < MOST_ROWS => {
                let cells = (0..row.len()).map(|at| row.try_get(at).ok().flatten().map(str::to_owned));
                table.rows.push(cells.collect());
            }
            _ => {}
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::url;

    #[track_caller]
    fn check(said: &str, expected: &str) {
        let connect = url::postgres("postgres://ops@h:6432/shop").expect("a URL");
        assert!(explained(said, &connect).contains(expected), "{}", explained(said, &connect));
    }

    #[test]
    fn who_is_taken_for_a_console_is_told_what_mends_it() {
        check(
            "unrecognized configuration parameter \"databases\"",
            "a database answers (shop), not the console",
        );
        check(
            "h:6432/pgbouncer: not allowed (SQLSTATE 08P01)",
            "not allowed (SQLSTATE 08P01): name ops in stats_users",
        );
        check("no such user", "no such user");
    }
}
