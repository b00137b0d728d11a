//! Asks a PostgreSQL server: one persistent connection that can change nothing, one round trip for what is hot, the rest less often.

mod answers;
pub(crate) mod asking;
mod backup;
mod charset;
pub(crate) mod connection;
mod decode;
pub mod doctor;
mod elect;
mod explain;
mod failure;
mod guarded;
mod lanes;
mod login;
mod looks;
mod migrations;
mod names;
mod plan;
mod polling;
mod pooler;
mod queries;
mod refusals;
mod sessions;
pub(crate) mod settings;
mod tls;
mod topics;
mod whereabouts;

use super::{Source, knock};
use crate::config::target::PostgresConnect;
use crate::core::focus::Focus;
use crate::core::part::Part;
use crate::core::postgres::{Look, Looked, PostgresReading, StatementText, watches};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use backup::BackupWatch;
use futures_util::future::BoxFuture;
use looks::{Looks, WATCH_EACH};
use polling::Polling;
use pooler::PoolerWatch;
use settings::POLLING;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::types::Type;

/// The server reads the texts of all statements to give us some: no more often than this.
const TEXTS_EACH: Duration = Duration::from_secs(5);
/// What had no text is asked for again after this long.
const TEXTS_AGAIN: Duration = Duration::from_secs(300);
/// Texts of statements that are remembered; when there are more, all are forgotten and read again when they are looked at.
const TEXTS_LIMIT: usize = 2_000;

/// The text of a statement.
enum Text {
    Known(String),
    /// It was not there then: evicted, or not for our eyes.
    Absent(Now),
}

/// Reads one PostgreSQL server.
pub struct PostgresSource {
    connect: PostgresConnect,
    open: Option<Polling>,
    /// A poll is under way; still set at the next one, that one was dropped and the connection is in an unknown state.
    polling: bool,
    texts: HashMap<i64, Text>,
    /// When texts were asked for.
    texts_at: Option<Now>,
    /// Why they could not be read then.
    unread: Option<String>,
    looks: Looks,
    pooler: Option<PoolerWatch>,
    backup: Option<BackupWatch>,
}

impl std::fmt::Debug for PostgresSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresSource({})", self.connect.configured())
    }
}

impl PostgresSource {
    /// A source for this target; nothing is connected yet.
    #[must_use]
    pub fn new(connect: PostgresConnect) -> Self {
        let looks = Looks::new(connect.clone(), WATCH_EACH);
        let pooler = connect.pgbouncer.as_deref().cloned().map(PoolerWatch::new);
        let backup = connect.backups.clone().map(BackupWatch::new);
        Self {
            connect,
            open: None,
            polling: false,
            texts: HashMap::new(),
            texts_at: None,
            unread: None,
            looks,
            pooler,
            backup,
        }
    }

    /// Looks so often at what nobody looks at.
    #[must_use]
    pub fn watching_each(mut self, each: Duration) -> Self {
        self.looks = Looks::new(self.connect.clone(), each);
        self
    }

    async fn read(&mut self, now: Now, focus: &[Focus]) -> Result<PostgresReading, PollError> {
        let mut open = match self.open.take() {
            Some(open) if !open.connection.client.is_closed() => open,
            _ => {
                // What could not be read before may be readable now.
                self.texts.clear();
                let connection = connection::elect(&self.connect, &POLLING).await?;
                Polling::look_around(connection, &self.connect, now)
                    .await
                    .map_err(|error| self.explain(&error))?
            }
        };
        let reading = open.read(now).await;
        match reading {
            Ok(reading) if !elect::still_fits(self.connect.session, reading.server.in_recovery) => {
                let is = if reading.server.in_recovery { "a standby" } else { "a primary" };
                let message = format!("{} is {is} now: another server is looked for", self.connect.place());
                Err(PollError::new(PollErrorKind::NotReady, message))
            }
            Ok(mut reading) => {
                reading.texts = self.texts(&open, now, focus).await;
                reading.pooler = self.pooler.as_mut().map_or(Part::NotAsked, |pooler| pooler.step(now));
                reading.backup = self.backup.as_mut().map_or(Part::NotAsked, |backup| backup.step(now));
                reading.looks = self.looks(now, reading.server.version_num, focus);
                let server = &reading.server;
                reading.watched = self.looks.watch(now, server.version_num, watches(server.in_recovery));
                self.open = Some(open);
                Ok(reading)
            }
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn explain(&self, error: &tokio_postgres::Error) -> PollError {
        connection::explain(error, &self.connect.place(), &self.connect.user)
    }

    /// What is looked at, and the panels whose thresholds are watched.
    fn looks(&mut self, now: Now, version: u32, focus: &[Focus]) -> Vec<Looked> {
        let mut wanted: Vec<(Look, Option<String>)> =
            looks::watched(&self.connect.panels).map(|look| (look, None)).collect();
        for look in focus.iter().filter_map(Focus::look) {
            let text = match look {
                Look::Plan(planned) => match self.texts.get(&planned.query) {
                    Some(Text::Known(text)) => Some(text.clone()),
                    Some(Text::Absent(_)) | None => None,
                },
                Look::Topic(_) | Look::Panel(_) => None,
            };
            if wanted.iter().all(|(other, _)| other != look) {
                wanted.push((look.clone(), text));
            }
        }
        self.looks.step(now, version, &wanted)
    }

    /// The texts in focus: those not known yet are asked for.
    async fn texts(&mut self, open: &Polling, now: Now, focus: &[Focus]) -> Vec<(i64, StatementText)> {
        let wanted: Vec<i64> = focus.iter().flat_map(Focus::statements).copied().collect();
        let missing: Vec<i64> = wanted
            .iter()
            .copied()
            .filter(|id| match self.texts.get(id) {
                None => true,
                Some(Text::Absent(since)) => now.since(*since) >= TEXTS_AGAIN,
                Some(Text::Known(_)) => false,
            })
            .collect();
        let due = self.texts_at.is_none_or(|at| now.since(at) >= TEXTS_EACH);
        if let (false, true, Some(sql)) = (missing.is_empty(), due, &open.questions.texts) {
            (self.texts_at, self.unread) = (Some(now), None);
            if self.texts.len() + missing.len() > TEXTS_LIMIT {
                self.texts.clear();
            }
            match open.ask(sql, &[(&missing, Type::INT8_ARRAY)]).await {
                Ok(rows) => {
                    self.texts.extend(missing.into_iter().map(|id| (id, Text::Absent(now))));
                    let read = rows.iter().filter_map(decode::statement_text);
                    self.texts.extend(read.map(|(id, text)| (id, Text::Known(text))));
                }
                // (The server converts every text that it has: one letter of another database can take all of them away, until it
                // is evicted.)
                Err(error) => {
                    self.unread =
                        Some(format!("({})", connection::gap(&error, "its text cannot be read").note));
                }
            }
        }
        let text = |id: &i64| match self.texts.get(id) {
            Some(Text::Known(text)) => Some(text.clone()),
            Some(Text::Absent(_)) => Some("(its text is not there any more)".to_owned()),
            None => self.unread.clone(),
        };
        let literals = self.connect.literals;
        wanted.iter().filter_map(|id| Some((*id, literals.text(&text(id)?)))).collect()
    }
}

impl Source for PostgresSource {
    fn poll<'a>(&'a mut self, now: Now, focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move {
            if self.polling {
                self.open = None;
            }
            self.polling = true;
            let result = self.read(now, focus).await;
            self.polling = false;
            result.map(|reading| Reading::Postgres(Box::new(reading)))
        })
    }

    fn answered(&self) -> Option<Instant> {
        self.open.as_ref().and_then(|open| open.connection.heard.at())
    }

    fn abandon(&mut self) {
        // What was taken out for the poll is gone with it; what is still here was not in use.
        if let Some(open) = self.open.take() {
            open.connection.cancel_in_background();
        }
    }

    fn knock(&self) -> Option<BoxFuture<'static, bool>> {
        Some(knock::postgres(&self.connect))
    }
}
