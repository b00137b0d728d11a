//! What is learnt of a server before it is asked, and again when that may have changed: columns, the extension that counts
//! statements, functions that it refuses.

use super::{Extension, Polling, RIGHTS, Refused, WARM};
use crate::core::postgres::Fact;
use crate::core::time::Now;
use crate::sources::postgres::connection::{self, Row, gap};
use crate::sources::postgres::names::Thing;
use crate::sources::postgres::names::{Names, REMEMBERED};
use crate::sources::postgres::queries::{self, WalPosition};
use crate::sources::postgres::{charset, decode};
use std::collections::BTreeSet;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

impl Polling {
    /// Learns what `rows` of locks mention and is not known yet.
    ///
    /// # Errors
    /// When the connection broke; a catalog that cannot be read leaves numbers instead of names.
    pub(super) async fn learn_names(&self, names: &mut Names, rows: &[Row], now: Now) -> Result<(), Refused> {
        if names.learned_at.is_none_or(|at| now.since(at) >= REMEMBERED) {
            *names = Names { learned_at: Some(now), ..Names::default() };
        }
        let things: Vec<Thing> = rows.iter().map(decode::thing).collect();
        let unknown = |database: u32| database != 0 && !names.databases.contains_key(&database);
        if things.iter().filter_map(|thing| thing.database).any(unknown) {
            match self.ask(queries::DATABASE_NAMES, &[]).await {
                Ok(rows) => {
                    for (oid, name, own) in rows.iter().filter_map(decode::database_name) {
                        names.own = names.own.or(own.then_some(oid));
                        names.databases.insert(oid, name);
                    }
                }
                Err(error) if connection::is_broken(&error) => return Err(error),
                Err(_) => {}
            }
        }
        let ours = things.iter().filter(|thing| names.is_ours(thing));
        let unknown: BTreeSet<u32> = ours.filter_map(|thing| thing.relation).collect();
        let unknown: Vec<u32> =
            unknown.into_iter().filter(|oid| !names.relations.contains_key(oid)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        match self.ask(queries::RELATION_NAMES, &[(&unknown, Type::OID_ARRAY)]).await {
            Ok(rows) => {
                names.relations.extend(unknown.into_iter().map(|oid| (oid, None)));
                let known = rows.iter().filter_map(decode::relation_name);
                names.relations.extend(known.map(|(oid, name)| (oid, Some(name))));
                Ok(())
            }
            Err(error) if connection::is_broken(&error) => Err(error),
            Err(_) => Ok(()),
        }
    }

    /// Looks for pg_stat_statements; whether something is different with it since.
    async fn learn_extension(&mut self, now: Now) -> Result<bool, Refused> {
        self.extension.1 = now;
        let rows = self.ask(queries::EXTENSION, &[]).await?;
        let found = rows.first().and_then(|row| {
            let loaded = row.try_get(2).unwrap_or(true);
            Some(Extension { schema: decode::text(row, 0)?, version: decode::text(row, 1)?, loaded })
        });
        let differs = self.extension.0 != found;
        self.extension.0 = found;
        Ok(differs)
    }

    /// Builds the questions from what there is; from the version, where that cannot be read.
    pub(super) async fn learn_columns(&mut self, now: Now) -> Result<(), Refused> {
        let found = match self.learn_extension(now).await {
            Ok(_) => self.ask(queries::COLUMNS, &[]).await,
            Err(error) => Err(error),
        };
        let columns: Vec<(String, String)> = match found {
            Ok(rows) => {
                self.unlearned = None;
                rows.iter().filter_map(|row| Some((decode::text(row, 0)?, decode::text(row, 1)?))).collect()
            }
            Err(error) if connection::is_broken(&error) => return Err(error),
            Err(error) => {
                self.unlearned = Some((gap(&error, "statements"), now));
                self.extension.0 = None;
                queries::known_columns(self.server.version_num)
            }
        };
        let schema = self.extension.0.as_ref().filter(|found| found.loaded);
        let schema = schema.map(|found| charset::identifier(&found.schema));
        self.questions = queries::questions(&columns, schema.as_deref(), self.wal);
        self.columns = columns;
        Ok(())
    }

    /// The position of the write-ahead log is refused: the questions that ask for it beside other things are asked without it.
    pub(super) fn without_position(&mut self, error: Refused) {
        self.told::<()>(Fact::Position, &Err(error), "where its write-ahead log is");
        self.wal = WalPosition::Refused;
        let schema = self.extension.0.as_ref().filter(|found| found.loaded);
        let schema = schema.map(|found| charset::identifier(&found.schema));
        self.questions = queries::questions(&self.columns, schema.as_deref(), self.wal);
    }

    /// Something has changed on which answers depend.
    pub(super) fn forget(&mut self) {
        self.refusals().forget();
        if self.wal == WalPosition::Refused {
            self.wal = WalPosition::Told;
            self.untold.remove(&Fact::Position);
            // Learnt again before the next poll asks.
            self.relearn = true;
        }
    }

    /// Learns again what may have changed: an extension that was made, dropped or updated, columns that could not be read.
    pub(super) async fn learn(&mut self, now: Now) -> Result<(), Refused> {
        let counted = self.warm.as_ref().is_some_and(|(_, (statements, _))| statements.ready().is_some());
        let due = now.since(self.extension.1) >= if counted { RIGHTS } else { WARM };
        let different = if due && self.unlearned.is_none() && !self.relearn {
            match self.learn_extension(now).await {
                Err(error) if connection::is_broken(&error) => return Err(error),
                found => found.unwrap_or_default(),
            }
        } else {
            false
        };
        let unlearned = self.unlearned.as_ref().is_some_and(|(_, at)| now.since(*at) >= WARM);
        if different || unlearned || self.relearn {
            self.relearn = false;
            if different {
                self.refusals().forget();
                // Statements are read with what is there now.
                self.warm = None;
            }
            self.learn_columns(now).await?;
        }
        Ok(())
    }

    /// Whether this is a service that does not tell where its write-ahead log is.
    pub(super) fn refuses_position(&self, error: &Refused) -> bool {
        let refusals = [
            SqlState::FEATURE_NOT_SUPPORTED,
            SqlState::INSUFFICIENT_PRIVILEGE,
            SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
            SqlState::UNDEFINED_FUNCTION,
        ];
        self.wal == WalPosition::Told && error.code().is_some_and(|code| refusals.contains(code))
    }
}
