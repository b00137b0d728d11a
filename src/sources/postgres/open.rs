//! One connection for polling: what is prepared on it, and the questions of a poll.

use super::connection::{self, Connection, Parameter, gap};
use super::decode;
use super::names::Names;
use super::queries::{self, Questions};
use super::sessions::{Ask, KnownSessions};
use crate::core::part::{Gap, GapKind, Part};
use crate::core::postgres::locks::{LockReading, LockRow};
use crate::core::postgres::{DatabaseCounters, Health, PostgresReading, Server, Session, Statements};
use crate::core::time::Now;
use std::time::{Duration, Instant};
use tokio_postgres::types::Type;
use tokio_postgres::{Error, Row};

/// Statements and health are looked at this often: their cost grows with what they look at.
const WARM: Duration = Duration::from_secs(5);
/// Rights are looked at again this often: a GRANT must be noticed without a restart.
const RIGHTS: Duration = Duration::from_secs(60);

/// A connection with everything that was prepared on it, and the warm parts that were read through it.
pub(super) struct Open {
    pub(super) connection: Connection,
    pub(super) questions: Questions,
    server: Server,
    superusers: Vec<u32>,
    rights_at: Now,
    known: KnownSessions,
    names: Names,
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
        let (server, columns, extension) = tokio::try_join!(
            connection.ask(queries::SERVER, &[]),
            connection.ask(queries::COLUMNS, &[]),
            connection.ask(queries::EXTENSION, &[]),
        )?;
        let columns: Vec<(String, String)> =
            columns.iter().filter_map(|row| Some((decode::text(row, 0)?, decode::text(row, 1)?))).collect();
        let schema = extension.first().and_then(|row| decode::text(row, 0));
        let superusers = server.first().map(decode::superusers).unwrap_or_default();
        let server = server.first().map(|row| decode::server(row, &connection)).unwrap_or_default();
        Ok(Self {
            questions: queries::questions(&columns, schema.as_deref()),
            server,
            superusers,
            rights_at: now,
            known: KnownSessions::default(),
            names: Names::default(),
            warm: None,
            connection,
        })
    }

    pub(super) async fn ask(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        self.connection.ask(sql, parameters).await
    }

    pub(super) async fn read(&mut self, now: Now) -> Result<PostgresReading, Error> {
        if now.since(self.rights_at) >= RIGHTS {
            self.rights_at = now;
            let rows = self.ask(queries::SERVER, &[]).await?;
            if let Some(row) = rows.first() {
                self.server = decode::server(row, &self.connection);
                self.superusers = decode::superusers(row);
            }
        }
        let mut reading = self.hot().await?;
        let waits = reading.sessions.ready().is_some_and(|all| all.iter().any(Session::waits_for_lock));
        // A role that cannot see others' waits cannot know whether anybody waits; it may still ask who blocks whom.
        if waits || !self.server.reads_all_stats {
            reading.locks = self.locks(now).await?;
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
        // Without the right to read the activity of others nobody can tell from outside which of them have changed.
        let ask = if self.server.reads_all_stats { self.known.ask() } else { Ask::All };
        let began = Instant::now();
        let (sessions, databases, slots, kept, recovery) = tokio::join!(
            self.sessions(&ask),
            self.ask(queries::DATABASES, &[]),
            self.ask(queries::SLOTS, &[]),
            self.ask(&self.questions.replication_slots, &[]),
            self.ask("SELECT pg_is_in_recovery()", &[]),
        );
        let probe = Some(began.elapsed());
        self.server.in_recovery = recovery?.first().is_some_and(|row| row.try_get(0).unwrap_or_default());
        let sessions = part(sessions, "sessions", |rows| {
            let read = rows.iter().filter_map(|row| decode::session(row, &self.superusers)).collect();
            let counted = (ask != Ask::All).then(|| decode::in_databases(&rows).unwrap_or_default());
            Some(self.known.absorb(read, counted, decode::asked_at(&rows)))
        })?;
        let told_apart = sessions.ready().filter(|_| self.server.reads_all_stats).map(Vec::as_slice);
        let databases: Part<Vec<DatabaseCounters>> = part(databases, "databases", all(decode::database))?;
        let kinds_known = self.server.reads_all_stats;
        let slots = match (&sessions, slots) {
            (Part::Unavailable(gap), Ok(_)) => Part::Unavailable(gap.clone()),
            (all, slots) => {
                let all = all.ready().map_or(&[][..], Vec::as_slice);
                part(slots, "connections", first(|row| decode::slots(row, all, kinds_known)))?
            }
        };
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
            probe,
            ..PostgresReading::default()
        })
    }

    async fn sessions(&self, ask: &Ask) -> Result<Vec<Row>, Error> {
        match ask {
            Ask::All => self.ask(&self.questions.sessions, &[]).await,
            Ask::Changed { since, pids } => {
                let parameters: [Parameter<'_>; 2] = [(since, Type::TIMESTAMPTZ), (pids, Type::INT4_ARRAY)];
                self.ask(&self.questions.changed, &parameters).await
            }
        }
    }

    async fn locks(&mut self, now: Now) -> Result<Part<LockReading>, Error> {
        let rows = match part(self.ask(&self.questions.locks, &[]).await, "locks", Some)? {
            Part::Ready(rows) => rows,
            Part::Unavailable(gap) => return Ok(Part::Unavailable(gap)),
            Part::NotAsked => return Ok(Part::NotAsked),
        };
        self.names.learn(&self.connection, &rows, now).await?;
        let mut missing = Vec::new();
        if rows.len() >= queries::LOCK_LIMIT {
            missing.push(format!(
                "only {} locks were read: some who hold on are missing, and nobody can say who would be released",
                queries::LOCK_LIMIT
            ));
        }
        let rows: Vec<LockRow> = rows.iter().filter_map(|row| decode::lock(row, &self.names)).collect();
        let prepared = if rows.iter().any(|row| row.prepared_xid.is_some()) {
            part(
                self.ask(queries::PREPARED, &[]).await,
                "names of prepared transactions",
                all(decode::prepared),
            )?
        } else {
            Part::NotAsked
        };
        missing.extend(prepared.gap().map(|gap| gap.note.clone()));
        Ok(Part::Ready(LockReading {
            rows,
            prepared: prepared.ready().cloned().unwrap_or_default(),
            missing,
        }))
    }

    async fn statements(&self, now: Now) -> Result<Part<Statements>, Error> {
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

    async fn health(&self, now: Now) -> Result<Part<Health>, Error> {
        let sql = self.questions.health.clone();
        let (main, archiver, vacuums, prepared) = tokio::join!(
            self.ask(&sql, &[]),
            self.ask(queries::ARCHIVER, &[]),
            self.ask(queries::VACUUMS, &[]),
            self.ask(queries::PREPARED, &[]),
        );
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
