//! One connection for polling: what is prepared on it, and the questions of a poll.

use super::connection::{self, Connection, gap};
use super::decode;
use super::queries::{self, Questions};
use super::sessions::KnownSessions;
use crate::core::part::{Gap, GapKind, Part};
use crate::core::postgres::locks::LockReading;
use crate::core::postgres::{DatabaseCounters, Health, PostgresReading, Server, Session, Statements};
use crate::core::time::Now;
use std::collections::HashMap;
use std::time::Duration;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

/// Statements and health are looked at this often: their cost grows with what they look at.
const WARM: Duration = Duration::from_secs(5);
/// Rights are looked at again this often: a GRANT must be noticed without a restart.
const RIGHTS: Duration = Duration::from_secs(60);

/// A connection with everything that was prepared on it, and the warm parts that were read through it.
pub(super) struct Open {
    pub(super) connection: Connection,
    pub(super) questions: Questions,
    prepared: HashMap<String, Statement>,
    server: Server,
    superusers: Vec<u32>,
    rights_at: Now,
    known: KnownSessions,
    warm: Option<(Now, Part<Statements>, Part<Health>)>,
}

impl Drop for Open {
    fn drop(&mut self) {
        // Dropped in the middle of a poll: what still runs on the server must not pile up there.
        if !self.connection.client.is_closed() && tokio::runtime::Handle::try_current().is_ok() {
            self.connection.cancel_in_background();
        }
    }
}

/// Asks on a client with a statement that was prepared before, so that several questions can be under way at once.
async fn ask(client: &Client, statement: &Statement) -> Result<Vec<Row>, Error> {
    client.query(statement, &[]).await
}

/// Rows to a part: an error that broke the connection is everybody's, any other is this part's.
fn part<T>(
    result: Result<Vec<Row>, Error>,
    what: &str,
    decode: impl FnOnce(Vec<Row>) -> Option<T>,
) -> Result<Part<T>, Error> {
    match result {
        Ok(rows) => Ok(decode(rows).map_or_else(
            || Part::Unavailable(Gap::new(GapKind::Failed, format!("{what}: the server gave no row"))),
            Part::Ready,
        )),
        Err(error) if connection::is_broken(&error) => Err(error),
        Err(error) => Ok(Part::Unavailable(gap(&error, what))),
    }
}

fn all<T>(decode: impl Fn(&Row) -> T) -> impl FnOnce(Vec<Row>) -> Option<Vec<T>> {
    move |rows| Some(rows.iter().map(decode).collect())
}

fn first<T>(decode: impl Fn(&Row) -> T) -> impl FnOnce(Vec<Row>) -> Option<T> {
    move |rows| rows.first().map(decode)
}

impl Open {
    pub(super) async fn look_around(connection: Connection, now: Now) -> Result<Self, Error> {
        let client = &connection.client;
        let (server, columns, extension) = tokio::try_join!(
            client.query_one(queries::SERVER, &[]),
            client.query(queries::COLUMNS, &[]),
            client.query_opt(queries::EXTENSION, &[]),
        )?;
        let columns: Vec<(String, String)> =
            columns.iter().filter_map(|row| Some((decode::text(row, 0)?, decode::text(row, 1)?))).collect();
        let schema = extension.and_then(|row| decode::text(&row, 0));
        let superusers = decode::superusers(&server);
        let server = decode::server(&server, connection.tls);
        Ok(Self {
            questions: queries::questions(&columns, schema.as_deref()),
            prepared: HashMap::new(),
            server,
            superusers,
            rights_at: now,
            known: KnownSessions::default(),
            warm: None,
            connection,
        })
    }

    /// The statement for `sql`, prepared once a connection.
    async fn prepare(&mut self, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.connection.client.prepare(sql).await?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(super) async fn ask(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.prepare(sql).await?;
        self.connection.client.query(&statement, parameters).await
    }

    pub(super) async fn read(&mut self, now: Now) -> Result<PostgresReading, Error> {
        if now.since(self.rights_at) >= RIGHTS {
            self.rights_at = now;
            let rows = self.ask(queries::SERVER, &[]).await?;
            if let Some(row) = rows.first() {
                self.server = decode::server(row, self.connection.tls);
                self.superusers = decode::superusers(row);
            }
        }
        let mut reading = self.hot().await?;
        let waits = reading.sessions.ready().is_some_and(|all| all.iter().any(Session::waits_for_lock));
        // A role that cannot see others' waits cannot know whether anybody waits; it may still ask who blocks whom.
        if waits || !self.server.reads_all_stats {
            reading.locks = self.locks().await?;
        }
        if self.warm.as_ref().is_none_or(|(at, ..)| now.since(*at) >= WARM) {
            let statements = self.statements(now).await?;
            let health = self.health(now).await?;
            self.warm = Some((now, statements, health));
        }
        if let Some((_, statements, health)) = &self.warm {
            reading.statements.clone_from(statements);
            reading.health.clone_from(health);
        }
        Ok(reading)
    }

    /// One round trip: all questions are sent before the first answer is awaited.
    async fn hot(&mut self) -> Result<PostgresReading, Error> {
        let sessions = self.prepare(&self.questions.sessions.clone()).await?;
        let databases = self.prepare(queries::DATABASES).await?;
        let slots = self.prepare(queries::SLOTS).await?;
        let kept = self.prepare(queries::REPLICATION_SLOTS).await?;
        let recovery = self.prepare("SELECT pg_is_in_recovery()").await?;
        let client = &self.connection.client;
        let since = self.known.since();
        let moment: [&(dyn ToSql + Sync); 1] = [&since];
        let (sessions, databases, slots, kept, recovery) = tokio::join!(
            client.query(&sessions, &moment),
            ask(client, &databases),
            ask(client, &slots),
            ask(client, &kept),
            ask(client, &recovery),
        );
        self.server.in_recovery = recovery?.first().is_some_and(|row| row.get(0));
        let sessions = part(sessions, "sessions", |rows| {
            let read = rows.iter().filter_map(|row| decode::session(row, &self.superusers)).collect();
            Some(self.known.absorb(read, since, decode::asked_at(&rows)))
        })?;
        let told_apart = sessions.ready().filter(|_| self.server.reads_all_stats).map(Vec::as_slice);
        let databases: Part<Vec<DatabaseCounters>> = part(databases, "databases", all(decode::database))?;
        self.known.compare(databases.ready().map_or(&[], Vec::as_slice));
        let backends = databases.ready().map_or(0, |all| all.iter().map(|database| database.backends).sum());
        let slots = part(slots, "connections", first(|row| decode::slots(row, told_apart, backends)))?;
        // This view reads every session again: it is asked only where one of them feeds a copy (or nobody can tell).
        let feeds = told_apart.is_none_or(|all| all.iter().any(Session::is_walsender));
        let senders = if feeds {
            part(self.ask(queries::SENDERS, &[]).await, "replication", all(decode::sender))?
        } else {
            Part::Ready(Vec::new())
        };
        let standby = if self.server.in_recovery {
            let rows = self.ask(queries::STANDBY, &[]).await;
            part(rows, "standby", first(decode::standby))?
        } else {
            Part::NotAsked
        };
        Ok(PostgresReading {
            server: self.server.clone(),
            slots,
            sessions,
            databases,
            senders,
            replication_slots: part(kept, "replication slots", all(decode::replication_slot))?,
            standby,
            ..PostgresReading::default()
        })
    }

    async fn locks(&mut self) -> Result<Part<LockReading>, Error> {
        let edges = self.prepare(queries::EDGES).await?;
        let rows = self.prepare(&self.questions.locks.clone()).await?;
        let prepared = self.prepare(queries::PREPARED).await?;
        let client = &self.connection.client;
        let (edges, rows, prepared) =
            tokio::join!(ask(client, &edges), ask(client, &rows), ask(client, &prepared));
        let pair = |row: &Row| (row.try_get(0).unwrap_or_default(), row.try_get(1).unwrap_or_default());
        let edges = part(edges, "blocking", all(pair))?;
        let rows =
            part(rows, "locks", |rows| Some(rows.iter().filter_map(decode::lock).collect::<Vec<_>>()))?;
        let prepared = part(prepared, "prepared transactions", all(decode::prepared))?;
        Ok(match (edges, rows) {
            (Part::Ready(edges), Part::Ready(rows)) => Part::Ready(LockReading {
                edges,
                truncated: rows.len() >= queries::LOCK_LIMIT,
                rows,
                prepared: prepared.ready().cloned().unwrap_or_default(),
            }),
            (Part::Unavailable(gap), _) | (_, Part::Unavailable(gap)) => Part::Unavailable(gap),
            _ => Part::NotAsked,
        })
    }

    async fn statements(&mut self, now: Now) -> Result<Part<Statements>, Error> {
        let Some(sql) = self.questions.statements.clone() else {
            let note = format!(
                "pg_stat_statements is not in database {}; CREATE EXTENSION pg_stat_statements there (and \
                 shared_preload_libraries) would show statements",
                self.server.database
            );
            return Ok(Part::Unavailable(Gap::new(GapKind::NotSupported, note)));
        };
        let rows = self.ask(&sql, &[]).await;
        let rows = part(rows, "statements", |rows| {
            Some(rows.iter().filter_map(decode::statement).collect::<Vec<_>>())
        })?;
        let evictions = match self.questions.evictions.clone() {
            Some(sql) => {
                part(self.ask(&sql, &[]).await, "evictions", |rows| rows.first().and_then(decode::number))?
            }
            None => Part::NotAsked,
        };
        Ok(match rows {
            Part::Ready(rows) => {
                Part::Ready(Statements { at: now, rows, evictions: evictions.ready().copied() })
            }
            Part::Unavailable(gap) => Part::Unavailable(gap),
            Part::NotAsked => Part::NotAsked,
        })
    }

    async fn health(&mut self, now: Now) -> Result<Part<Health>, Error> {
        let sql = self.questions.health.clone();
        let main = self.ask(&sql, &[]).await;
        let archiver = self.ask(queries::ARCHIVER, &[]).await;
        let vacuums = self.ask(queries::VACUUMS, &[]).await;
        let prepared = self.ask(queries::PREPARED, &[]).await;
        let mut health = match main {
            Ok(rows) => decode::health(rows.first(), now),
            Err(error) if connection::is_broken(&error) => return Err(error),
            Err(_) => decode::health(None, now),
        };
        health.archiver = part(archiver, "archiver", first(decode::archiver))?;
        health.vacuums = part(vacuums, "vacuum", all(decode::vacuum))?;
        let row = |row: &Row| {
            let prepared = decode::prepared(row);
            (prepared.gid, prepared.owner, prepared.database, prepared.age)
        };
        health.prepared = part(prepared, "prepared transactions", all(row))?;
        Ok(Part::Ready(health))
    }
}
