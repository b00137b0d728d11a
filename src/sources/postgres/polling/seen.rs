//! All sessions, by the best question that is answered: a function that was taken from us, or a lock on a catalog, costs what it tells.

use super::{Polling, Refused};
use crate::core::part::Part;
use crate::core::postgres::{Fact, Session};
use crate::sources::postgres::connection::{self, Parameter, Row};
use crate::sources::postgres::decode;
use crate::sources::postgres::polling::parts::part;
use crate::sources::postgres::sessions::Ask;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

/// How sessions are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Only those that have changed.
    Change,
    /// All.
    Whole,
    /// All, by no function.
    View,
    /// All, without names.
    Number,
}

/// Sessions, how they were asked for, and why a better way was refused.
pub(super) struct Seen {
    pub(super) rows: Result<Vec<Row>, Refused>,
    by: By,
    refused: Option<Refused>,
}

impl Polling {
    /// Asks for sessions. What is not permitted is asked in the next lesser way; what else keeps an answer back is a lock on a catalog,
    /// which keeps back all ways but the last.
    pub(super) async fn sessions(&self, ask: &Ask) -> Seen {
        let mut refusals = Vec::new();
        for by in [By::Change, By::Whole, By::View] {
            if (by == By::Change && *ask == Ask::All) || !refusals.iter().all(not_permitted) {
                continue;
            }
            match self.sessions_by(by, ask).await {
                Err(error) if !connection::is_broken(&error) => refusals.push(error),
                // (That only those that have changed could not be asked for costs nothing.)
                rows => return Seen { rows, by, refused: refusals.pop().filter(|_| by == By::View) },
            }
        }
        let refused = refusals.pop();
        match (self.sessions_by(By::Number, ask).await, refused) {
            (Err(error), Some(refused)) if !connection::is_broken(&error) => {
                Seen { rows: Err(refused), by: By::Number, refused: None }
            }
            (rows, refused) => Seen { rows, by: By::Number, refused: refused.filter(not_permitted) },
        }
    }

    async fn sessions_by(&self, by: By, ask: &Ask) -> Result<Vec<Row>, Refused> {
        match (by, ask) {
            (By::Change, Ask::Changed { since, pids }) => {
                let parameters: [Parameter<'_>; 2] = [(since, Type::TIMESTAMPTZ), (pids, Type::INT4_ARRAY)];
                self.ask(&self.questions.changed, &parameters).await
            }
            (By::Change, Ask::All) | (By::Whole, _) => self.ask(&self.questions.sessions, &[]).await,
            (By::View, _) => self.ask(&self.questions.plain, &[]).await,
            (By::Number, _) => self.ask(&self.questions.bare, &[]).await,
        }
    }

    /// All sessions from an answer; names that it lacks are taken from before.
    pub(super) fn absorb(&mut self, seen: Seen) -> Result<Part<Vec<Session>>, Refused> {
        let by = seen.by;
        self.told(Fact::Sessions, &seen.refused.map_or(Ok(()), Err), "all of sessions");
        if let Ok(rows) = &seen.rows {
            self.rights_by_sight(rows);
        }
        part(seen.rows, "sessions", |rows| {
            let session = |row| {
                let mut session = decode::session(row, &self.superusers, &self.charsets, self.literals)?;
                if let Some((database, user)) = self.known.named(session.id).filter(|_| by == By::Number) {
                    (session.database, session.user) = (database.to_owned(), user.to_owned());
                }
                Some(session)
            };
            let read = rows.iter().filter_map(session).collect();
            let counted = (by == By::Change).then(|| decode::in_databases(&rows).unwrap_or_default());
            Some(self.known.absorb(read, counted, decode::asked_at(&rows)))
        })
    }
}

fn not_permitted(refused: &Refused) -> bool {
    refused.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
}
