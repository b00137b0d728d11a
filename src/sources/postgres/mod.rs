//! Asks a PostgreSQL server: one persistent connection that can change nothing, one round trip for what is hot, the rest less often.

pub(crate) mod asking;
mod backup;
mod charset;
pub(crate) mod connection;
mod decode;
pub(super) mod doctor;
mod elect;
mod explain;
mod looks;
mod names;
mod open;
mod plan;
mod pooler;
mod queries;
mod sessions;
pub(crate) mod settings;
mod tls;
mod topics;
mod whereabouts;

use super::{Source, look};
use crate::config::target::PostgresConnect;
use crate::core::focus::Focus;
use crate::core::part::Part;
use crate::core::postgres::{Look, Looked, PostgresReading};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use backup::BackupWatch;
use futures_util::future::BoxFuture;
use looks::Looks;
use open::Open;
use pooler::PoolerWatch;
use settings::POLLING;
use std::collections::HashMap;
use tokio_postgres::types::Type;

/// Texts of statements that are remembered; when there are more, all are forgotten and read again when they are looked at.
const TEXTS_LIMIT: usize = 2_000;

/// Reads one PostgreSQL server.
pub struct PostgresSource {
    connect: PostgresConnect,
    open: Option<Open>,
    /// A poll is under way; still set at the next one, that one was dropped and the connection is in an unknown state.
    polling: bool,
    texts: HashMap<i64, String>,
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
        let looks = Looks::new(connect.clone());
        let pooler = connect.pgbouncer.as_deref().cloned().map(PoolerWatch::new);
        let backup = connect.backups.clone().map(BackupWatch::new);
        Self { connect, open: None, polling: false, texts: HashMap::new(), looks, pooler, backup }
    }

    async fn read(&mut self, now: Now, focus: &[Focus]) -> Result<PostgresReading, PollError> {
        let mut open = match self.open.take() {
            Some(open) if !open.connection.client.is_closed() => open,
            _ => {
                // What could not be read before may be readable now.
                self.texts.clear();
                let connection = connection::elect(&self.connect, &POLLING).await?;
                Open::look_around(connection, &self.connect, now)
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
                reading.texts = self.texts(&mut open, focus).await;
                reading.pooler = self.pooler.as_mut().map_or(Part::NotAsked, |pooler| pooler.step(now));
                reading.backup = self.backup.as_mut().map_or(Part::NotAsked, |backup| backup.step(now));
                reading.rotation.clone_from(&self.connect.rotation);
                reading.panels.clone_from(&self.connect.panels);
                reading.looks = self.looks(now, reading.server.version_num, focus);
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
                Look::Plan(planned) => self.texts.get(&planned.query).cloned(),
                Look::Topic(_) | Look::Panel(_) => None,
            };
            if wanted.iter().all(|(other, _)| other != look) {
                wanted.push((look.clone(), text));
            }
        }
        self.looks.step(now, version, &wanted)
    }

    /// The texts in focus: those not known yet are asked for.
    async fn texts(&mut self, open: &mut Open, focus: &[Focus]) -> Vec<(i64, String)> {
        let wanted: Vec<i64> = focus.iter().flat_map(Focus::statements).copied().collect();
        let missing: Vec<i64> = wanted.iter().copied().filter(|id| !self.texts.contains_key(id)).collect();
        if let (false, Some(sql)) = (missing.is_empty(), open.questions.texts.clone()) {
            if self.texts.len() + missing.len() > TEXTS_LIMIT {
                self.texts.clear();
            }
            let absent = match open.ask(&sql, &[(&missing, Type::INT8_ARRAY)]).await {
                Ok(rows) => {
                    self.texts.extend(rows.iter().filter_map(decode::statement_text));
                    // Evicted since, or not for our eyes.
                    "(its text is not there any more)".to_owned()
                }
                // (The server converts every text that it has: one letter of another database can take all of them away.)
                Err(error) => format!("({})", connection::gap(&error, "its text cannot be read").note),
            };
            // Not asked for again at every poll.
            for id in missing {
                self.texts.entry(id).or_insert_with(|| absent.clone());
            }
        }
        wanted.iter().filter_map(|id| Some((*id, self.texts.get(id)?.clone()))).collect()
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

    fn abandon(&mut self) {
        // What was taken out for the poll is gone with it; what is still here was not in use.
        if let Some(open) = self.open.take() {
            open.connection.cancel_in_background();
        }
    }

    fn look(&self) -> Option<BoxFuture<'static, bool>> {
        Some(look::postgres(&self.connect))
    }
}
