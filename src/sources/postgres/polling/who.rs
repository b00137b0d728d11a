//! Who answers, and what we may do there. Each is asked by itself: what is refused costs only what it would have told, and that is said.

use super::parts::{Answer, answer};
use super::{Polling, Refused};
use crate::core::postgres::{Fact, Server, Untold};
use crate::core::time::Now;
use crate::sources::postgres::connection::{Row, gap};
use crate::sources::postgres::decode::{get, text};
use crate::sources::postgres::queries;
use crate::sources::postgres::whereabouts;
use chrono::{DateTime, Utc};
use tokio_postgres::error::SqlState;

/// What the server shows in place of a statement that is not for our eyes.
const HIDDEN: &str = "<insufficient privilege>";

impl Polling {
    /// Where the server is, by what it sees of us.
    pub(super) async fn learn_place(&mut self, database: &str) -> Result<(), Refused> {
        let (seen, own, marks, words) = tokio::join!(
            self.ask(whereabouts::SEEN, &[]),
            self.ask(whereabouts::OWN, &[]),
            self.ask(whereabouts::MARKS, &[]),
            self.ask(whereabouts::WORDS, &[]),
        );
        let (seen, own) = (answer(seen)?.unwrap_or_default(), answer(own)?.unwrap_or_default());
        let mark = answer(marks)?.ok().and_then(|rows| text(rows.first()?, 0));
        let (ours, reached) = (self.connection.our_end, &self.connection.server.1);
        let (found, direct) = whereabouts::read(seen.first(), own.first(), mark, ours, reached);
        self.connection.direct = direct;
        let words = answer(words)?.unwrap_or_default();
        self.connection.whereabouts = whereabouts::saying(found, &words, database);
        self.connection.data_directory = whereabouts::folder(&words);
        Ok(())
    }

    /// Who answers and what we may do there. What is not answered this time stays as it was.
    pub(super) async fn learn_server(&mut self, now: Now) -> Result<(), Refused> {
        self.rights.1 = now;
        let (number, version, is_superuser, who, may, started) = tokio::join!(
            self.ask("SHOW server_version_num", &[]),
            self.ask("SHOW server_version", &[]),
            self.ask("SHOW is_superuser", &[]),
            self.ask(queries::WHO, &[]),
            self.ask(queries::RIGHTS, &[]),
            self.ask(queries::STARTED, &[]),
        );
        let mut server = self.server.clone();
        server.whereabouts = self.connection.whereabouts.clone();
        server.direct = self.connection.direct;
        server.data_directory.clone_from(&self.connection.data_directory);
        let number = word(answer(number)?).and_then(|number| number.parse().ok());
        server.version_num = number.unwrap_or(server.version_num);
        server.version = word(answer(version)?).unwrap_or(server.version);
        if let Some(is) = word(answer(is_superuser)?) {
            server.superuser = is == "on";
        }
        let who = answer(who)?;
        if let Some(row) = first(&who) {
            server.role = text(row, 0).unwrap_or_default();
            server.database = text(row, 1).unwrap_or_default();
            server.superuser = get(row, 2).unwrap_or_default();
            self.superusers = get(row, 3).unwrap_or_default();
        }
        let may = answer(may)?;
        if let Some(row) = first(&may) {
            server.reads_all_stats = get(row, 0).unwrap_or_default();
            server.signals = get(row, 1).unwrap_or_default();
            server.uninherited = get(row, 2).unwrap_or_default();
        } else if self.rights.0.is_none() {
            (server.reads_all_stats, server.signals) = (server.superuser, server.superuser);
        }
        if settled(&may) || self.rights.0.is_none() {
            self.told(Fact::Rights, &may, "what our role may do");
        }
        let started = answer(started)?;
        if let Some(row) = first(&started) {
            server.started_micros = get::<DateTime<Utc>>(row, 0).map_or(0, |at| at.timestamp_micros());
        }
        self.told(Fact::Start, &started, "when it started");
        if settled(&who) && settled(&may) {
            self.rights.0 = Some(now);
        }
        if std::mem::replace(&mut self.server, server.clone()) != server {
            // What was refused before may be answered now.
            self.forget();
        }
        Ok(())
    }

    /// Whether it is a standby.
    pub(super) async fn recovery(&self) -> Result<Answer<bool>, Refused> {
        let refused = match answer(self.ask(queries::RECOVERY, &[]).await)? {
            Ok(rows) => return Ok(Ok(rows.first().and_then(|row| get(row, 0)).unwrap_or_default())),
            Err(refused) => refused,
        };
        if self.server.version_num < 140_000 {
            return Ok(Err(refused));
        }
        let told = word(answer(self.ask(queries::IN_HOT_STANDBY, &[]).await)?);
        Ok(told.map(|is| is == "on").ok_or(refused))
    }

    /// Takes in whether it is a standby; what depends on it is learnt again when it has become another.
    pub(super) fn is_standby(&mut self, found: &Answer<bool>) {
        self.told(Fact::Recovery, found, "whether it is a standby");
        if let Ok(is) = found
            && std::mem::replace(&mut self.server.in_recovery, *is) != *is
        {
            self.forget();
        }
    }

    /// Where our rights are not told, what is shown tells of them.
    pub(super) fn rights_by_sight(&mut self, rows: &[Row]) {
        if self.untold.contains_key(&Fact::Rights) && !self.server.superuser && !rows.is_empty() {
            self.server.reads_all_stats =
                rows.iter().all(|row| text(row, 18).is_none_or(|text| text != HIDDEN));
        }
    }

    /// Remembers why `fact` is not known, or that it is: `what` says in words what was asked.
    pub(super) fn told<T>(&mut self, fact: Fact, asked: &Answer<T>, what: &str) {
        match asked {
            Ok(_) => drop(self.untold.remove(&fact)),
            Err(refused) => drop(self.untold.insert(fact, gap(refused, what))),
        }
    }

    /// The server with what it does not tell.
    pub(super) fn server_as_told(&self) -> Server {
        let untold = self.untold.iter().map(|(fact, gap)| Untold { fact: *fact, gap: gap.clone() });
        Server { untold: untold.collect(), ..self.server.clone() }
    }
}

fn first(asked: &Answer<Vec<Row>>) -> Option<&Row> {
    asked.as_ref().ok()?.first()
}

/// The answer to a SHOW.
fn word(asked: Answer<Vec<Row>>) -> Option<String> {
    text(asked.ok()?.first()?, 0)
}

/// Whether the same answer will come for a while.
fn settled<T>(asked: &Answer<T>) -> bool {
    asked.as_ref().err().is_none_or(|refused| refused.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE))
}
