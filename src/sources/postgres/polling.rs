//! One connection for polling: what is prepared on it, and the questions of a poll.

mod health;
mod learning;
mod parts;

use super::charset::Charset;
use super::connection::{self, Connection, Parameter, Row};
use super::names::Names;
use super::queries::{self, Questions, WalPosition};
use super::refusals::{self, Refusals, Refused};
use super::sessions::{Ask, KnownSessions};
use super::{decode, whereabouts};
use crate::config::target::PostgresConnect;
use crate::core::part::{Gap, GapKind, Part, Warm};
use crate::core::postgres::locks::{LockReading, LockRow};
use crate::core::postgres::{
    DatabaseCounters, Health, Literals, PostgresReading, Server, Session, Spill, Statements,
};
use crate::core::time::{Now, ahead};
use crate::sources::postgres::polling::parts::{all, first, part};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::types::Type;

/// Statements and health are looked at this often: their cost grows with what they look at.
const WARM: Duration = Duration::from_secs(5);
/// Rights are looked at again this often: a GRANT must be noticed without a restart.
const RIGHTS: Duration = Duration::from_secs(60);

/// What is read seldom.
type Seldom = (Part<Warm<Statements>>, Part<Warm<Health>>);

/// A connection with everything that was prepared on it, and the warm parts that were read through it.
pub(super) struct Polling {
    pub(super) connection: Connection,
    pub(super) questions: Questions,
    literals: Literals,
    server: Server,
    superusers: Vec<u32>,
    /// When rights were read, and when that was tried.
    rights: (Option<Now>, Now),
    /// Why it is not known which columns and extensions there are, and when that was tried.
    unlearned: Option<(Gap, Now)>,
    /// pg_stat_statements, and when it was looked for.
    extension: (Option<Extension>, Now),
    wal: WalPosition,
    /// Columns of views that differ from version to version.
    columns: Vec<(String, String)>,
    /// They are to be learnt again.
    relearn: bool,
    /// What is not asked again yet.
    refusals: Mutex<Refusals>,
    /// The moment of the poll that is under way.
    now: Now,
    /// How databases are written that are not in UTF-8.
    charsets: HashMap<String, Charset>,
    known: KnownSessions,
    names: Names,
    /// What is read seldom, and when that was last tried.
    warm: Option<(Now, Seldom)>,
    /// Temporary files, and when they were looked for.
    spills: Option<(Now, Part<Vec<Spill>>)>,
}

impl Drop for Polling {
    fn drop(&mut self) {
        // Dropped in the middle of a poll: what still runs on the server must not pile up there.
        if !self.connection.client.is_closed() && tokio::runtime::Handle::try_current().is_ok() {
            self.connection.cancel_in_background();
        }
    }
}

impl Polling {
    /// Looks around on a new connection. What is locked at the moment is looked at again later.
    pub(super) async fn look_around(
        connection: Connection,
        connect: &PostgresConnect,
        now: Now,
    ) -> Result<Self, Refused> {
        let mut open = Self {
            questions: queries::questions(&[], None, WalPosition::Told),
            literals: connect.literals,
            server: Server::default(),
            superusers: Vec::new(),
            rights: (None, now),
            unlearned: None,
            extension: (None, now),
            wal: WalPosition::Told,
            columns: Vec::new(),
            relearn: false,
            refusals: Mutex::default(),
            now,
            charsets: HashMap::new(),
            known: KnownSessions::default(),
            names: Names::default(),
            warm: None,
            spills: None,
            connection,
        };
        let seen = open.ask(whereabouts::SQL, &[]).await?;
        let mark = open.ask(whereabouts::MARKS, &[]).await;
        let mark = mark.ok().and_then(|rows| decode::text(rows.first()?, 0));
        let found = whereabouts::read(seen.first(), mark, open.connection.our_end);
        let words = open.ask(whereabouts::WORDS, &[]).await.unwrap_or_default();
        open.connection.whereabouts = whereabouts::saying(found, &words, &connect.database);
        open.connection.data_directory = whereabouts::folder(&words);
        if !open.learn_rights(now).await? {
            let rows = open.ask(queries::STRANGER, &[]).await?;
            let names = (connect.user.as_str(), connect.database.as_str());
            open.server =
                rows.first().map(|row| decode::stranger(row, &open.connection, names)).unwrap_or_default();
        }
        open.learn_columns(now).await?;
        // Prepared while that is possible: it is asked while catalogs are locked.
        open.ask(refusals::LOCKED, &[]).await.map_or_else(
            |error| if connection::is_broken(&error) { Err(error) } else { Ok(()) },
            |_| Ok(()),
        )?;
        // Services that are no files of their own refuse it; nothing else depends on it.
        let system = open.ask(queries::SYSTEM, &[]).await;
        open.server.system = system.ok().and_then(|rows| decode::text(rows.first()?, 0));
        Ok(open)
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, unless it was refused and rests: then the answer is the one that it had.
    pub(super) async fn ask(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Refused> {
        if let Some(refused) = self.refusals().known(sql, self.now) {
            return Err(refused);
        }
        match self.connection.ask(sql, parameters).await {
            Ok(rows) => {
                self.refusals().answered(sql);
                Ok(rows)
            }
            Err(error) => {
                let error = Arc::new(error);
                if !connection::is_broken(&error) {
                    self.refusals().refused(sql, &error, self.now);
                }
                Err(error)
            }
        }
    }

    pub(super) async fn read(&mut self, now: Now) -> Result<PostgresReading, Refused> {
        self.now = now;
        if self.refusals().wait_for_a_lock()
            && let Ok(rows) = self.ask(refusals::LOCKED, &[]).await
        {
            let still = rows.first().is_some_and(|row| row.try_get(0).unwrap_or_default());
            self.refusals().locked(still, now);
        }
        let (read, tried) = self.rights;
        if now.since(tried) >= WARM && read.is_none_or(|at| now.since(at) >= RIGHTS) {
            self.learn_rights(now).await?;
        }
        self.learn(now).await?;
        let mut reading = self.hot().await?;
        // Locks ask nothing of sessions: who waits is known even where those cannot be read.
        let waits = reading.sessions.ready().is_none_or(|all| all.iter().any(Session::waits_for_lock));
        // A role that cannot see others' waits cannot know whether anybody waits; it may still ask who blocks whom.
        if waits || !self.server.reads_all_stats {
            reading.locks = self.locks(now).await?;
        }
        if self.warm.as_ref().is_none_or(|(at, _)| now.since(*at) >= WARM) {
            let statements = self.statements().await?.warm(now);
            let health = self.health(now).await?.warm(now);
            self.warm = Some((now, (statements, health)));
        }
        if let Some((_, (statements, health))) = &self.warm {
            reading.statements.clone_from(statements);
            reading.health.clone_from(health);
        }
        Ok(reading)
    }

    /// One round trip: all questions are sent before the first answer is awaited.
    async fn hot(&mut self) -> Result<PostgresReading, Refused> {
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
        let took = began.elapsed();
        let told = sessions.as_ref().ok().and_then(|rows| decode::asked_at(rows));
        let asked = self.now.wall.timestamp_millis();
        let clock = told.map(|told| ahead(told.timestamp_millis(), asked, took));
        let is_standby = recovery?.first().is_some_and(|row| row.try_get(0).unwrap_or_default());
        if std::mem::replace(&mut self.server.in_recovery, is_standby) != is_standby {
            self.forget();
        }
        let kept = match kept {
            Err(error) if self.refuses_position(&error) => {
                self.without_position();
                self.ask(&self.questions.replication_slots, &[]).await
            }
            kept => kept,
        };
        if let Ok(rows) = &databases {
            self.charsets = rows.iter().filter_map(decode::charset).collect();
        }
        let sessions = self.absorb(sessions, &ask).await?;
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
            let rows = match self.ask(&self.questions.senders, &[]).await {
                Err(error) if self.refuses_position(&error) => {
                    self.without_position();
                    self.ask(&self.questions.senders, &[]).await
                }
                rows => rows,
            };
            part(rows, "replication", all(decode::sender))?
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
            probe: Some(took),
            clock,
            ..PostgresReading::default()
        })
    }

    /// All sessions from an answer. Where a lock on a catalog took it away, all are read without their names.
    async fn absorb(
        &mut self,
        answer: Result<Vec<Row>, Refused>,
        ask: &Ask,
    ) -> Result<Part<Vec<Session>>, Refused> {
        let bare = match &answer {
            Err(error) if !connection::is_broken(error) => self.ask(&self.questions.bare, &[]).await.ok(),
            _ => None,
        };
        let named = bare.is_none();
        let answer = bare.map_or(answer, Ok);
        part(answer, "sessions", |rows| {
            let session = |row| {
                let mut session = decode::session(row, &self.superusers, &self.charsets, self.literals)?;
                if let Some((database, user)) = self.known.named(session.id).filter(|_| !named) {
                    (session.database, session.user) = (database.to_owned(), user.to_owned());
                }
                Some(session)
            };
            let read = rows.iter().filter_map(session).collect();
            let some = named && *ask != Ask::All;
            let counted = some.then(|| decode::in_databases(&rows).unwrap_or_default());
            Some(self.known.absorb(read, counted, decode::asked_at(&rows)))
        })
    }

    async fn sessions(&self, ask: &Ask) -> Result<Vec<Row>, Refused> {
        match ask {
            Ask::All => self.ask(&self.questions.sessions, &[]).await,
            Ask::Changed { since, pids } => {
                let parameters: [Parameter<'_>; 2] = [(since, Type::TIMESTAMPTZ), (pids, Type::INT4_ARRAY)];
                self.ask(&self.questions.changed, &parameters).await
            }
        }
    }

    async fn locks(&mut self, now: Now) -> Result<Part<LockReading>, Refused> {
        let rows = match part(self.ask(&self.questions.locks, &[]).await, "locks", Some)? {
            Part::Ready(rows) => rows,
            Part::Unavailable(gap) => return Ok(Part::Unavailable(gap)),
            Part::NotAsked => return Ok(Part::NotAsked),
        };
        let mut names = std::mem::take(&mut self.names);
        self.learn_names(&mut names, &rows, now).await?;
        self.names = names;
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

    async fn statements(&self) -> Result<Part<Statements>, Refused> {
        if let Some((gap, _)) = &self.unlearned {
            return Ok(Part::Unavailable(gap.clone()));
        }
        let Some(sql) = self.questions.statements.clone() else {
            if self.extension.0.is_some() {
                let note = "pg_stat_statements is there, but the server did not load it: add it to \
                     shared_preload_libraries and restart the server";
                return Ok(Part::Unavailable(Gap::new(GapKind::NotSupported, note)));
            }
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
        Ok(rows.map(|rows| Statements { rows, evictions: evictions.ready().copied() }))
    }
}

/// pg_stat_statements as it is in this database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) schema: String,
    pub(super) version: String,
    /// Without that its functions are refused.
    pub(super) loaded: bool,
}
