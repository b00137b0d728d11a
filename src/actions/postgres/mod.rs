//! Cancels and terminates backends: on a connection of its own that was opened before it was needed, with the identity inside the
//! statement, so that a reused pid is "gone" and never a wrong kill.

mod afterwards;
mod upkeep;

use super::Executor;
use super::stop::Stop;
use crate::config::target::PostgresConnect;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verdict, Verification};
use crate::core::postgres::{CANCEL, PgAction, Pinned, TERMINATE, TERMINATE_IDLE};
use crate::core::text::counted;
use crate::sources::postgres::connection::{self, Connection, Parameter, Row};
use crate::sources::postgres::settings::ACTING;
use futures_util::future::BoxFuture;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio_postgres::Error;
use tokio_postgres::types::Type;

/// An action that was not answered after this long is "not known".
const TIMEOUT: Duration = Duration::from_secs(5);

/// Carries out actions on one PostgreSQL server.
pub struct PostgresExecutor {
    connect: PostgresConnect,
    open: Mutex<Option<Connection>>,
}

impl std::fmt::Debug for PostgresExecutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PostgresExecutor({})", self.connect.configured())
    }
}

/// Why a question got no answer.
enum Trouble {
    /// It was never sent, or the server refused it.
    NotDone(String),
    /// It was sent, and the answer was lost.
    Lost(String),
}

impl PostgresExecutor {
    /// An executor for this target; [`prepare`](Executor::prepare) opens its connection.
    #[must_use]
    pub const fn new(connect: PostgresConnect) -> Self {
        Self { connect, open: Mutex::const_new(None) }
    }

    fn explain(&self, error: &Error) -> String {
        connection::explain(error, &self.connect.server(), &self.connect.user).message
    }

    /// Asks once. What was sent is never sent again by itself.
    async fn ask(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Trouble> {
        let mut slot = self.open.lock().await;
        if slot.as_ref().is_none_or(|open| open.client.is_closed() || !open.is_current(&self.connect)) {
            // Never on another server than the one that is shown. It has a time limit of its own.
            let opened = connection::connect(&self.connect, &ACTING)
                .await
                .map_err(|error| Trouble::NotDone(error.message))?;
            *slot = Some(opened);
        }
        let Some(open) = slot.as_ref() else {
            return Err(Trouble::NotDone("there is no connection".to_owned()));
        };
        let answer = tokio::time::timeout(TIMEOUT, open.ask(sql, parameters)).await;
        match answer {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) if connection::is_broken(&error) => {
                *slot = None;
                Err(Trouble::Lost(self.explain(&error)))
            }
            Ok(Err(error)) => Err(Trouble::NotDone(self.explain(&error))),
            Err(_) => {
                *slot = None;
                Err(Trouble::Lost("the server did not answer within 5 s".to_owned()))
            }
        }
    }

    /// Signals one backend.
    async fn signal(&self, pinned: Pinned, terminate: bool) -> Result<Outcome, ActionError> {
        let act = PgAction::one(pinned, terminate);
        let (backend, query_start) = pinned;
        let pid: Parameter<'_> = (&backend.pid, Type::INT4);
        let started: Parameter<'_> = (&backend.backend_start_micros, Type::INT8);
        let rows = match (&act, query_start) {
            (PgAction::Cancel { .. }, Some(start)) => {
                self.ask(CANCEL, &[pid, started, (&start, Type::INT8)]).await
            }
            (_, Some(last)) => self.ask(TERMINATE_IDLE, &[pid, started, (&last, Type::INT8)]).await,
            (_, None) => self.ask(TERMINATE, &[pid, started]).await,
        };
        let rows = rows.map_err(|trouble| match trouble {
            Trouble::NotDone(why) => ActionError::NotDone(why),
            Trouble::Lost(why) => ActionError::Unknown(why),
        })?;
        let sent: Option<bool> = rows.first().and_then(|row| row.try_get(0).ok());
        let pid = backend.pid;
        let cancel = matches!(act, PgAction::Cancel { .. });
        let (verdict, summary) = match (sent, cancel) {
            (Some(true), false) => (
                Verdict::Done,
                format!("pid {pid}: the signal to terminate was sent; looking whether it ends"),
            ),
            (Some(true), true) => {
                (Verdict::Done, format!("pid {pid}: the signal to cancel was sent; looking whether it stops"))
            }
            (Some(false), _) => {
                (Verdict::Nothing, format!("pid {pid}: the server could not signal it (gone?)"))
            }
            (None, false) if query_start.is_some() => {
                (Verdict::Nothing, format!("pid {pid} is gone or idle no more: nothing was done"))
            }
            (None, false) => {
                (Verdict::Nothing, format!("pid {pid} is not that session any more: nothing was done"))
            }
            (None, true) => (
                Verdict::Nothing,
                format!("pid {pid} does not run that statement any more: nothing was done"),
            ),
        };
        Ok(Outcome { verdict, summary, details: Vec::new() })
    }

    /// Signals several, one after the other; stops where it is not known what happened.
    async fn signal_each(
        &self,
        backends: &[Pinned],
        terminate: bool,
        stop: &Stop,
    ) -> Result<Outcome, ActionError> {
        let mut details = Vec::with_capacity(backends.len());
        let mut sent = 0;
        for pinned in backends {
            if let Some(cause) = stop.cause() {
                let summary = format!(
                    "{} signalled; stopped by {cause} after {} of {}",
                    counted(sent, "backend"),
                    details.len(),
                    backends.len()
                );
                return Ok(Outcome { verdict: Verdict::Partly, summary, details });
            }
            let what = match self.signal(*pinned, terminate).await {
                Ok(outcome) => {
                    sent += usize::from(outcome.verdict == Verdict::Done);
                    outcome.summary
                }
                Err(ActionError::Unknown(why)) => {
                    let left = backends.len() - details.len() - 1;
                    details.push((format!("pid {}", pinned.0.pid), format!("not known: {why}")));
                    let summary =
                        format!("{sent} signalled, then the answer was lost: {why}; {left} not tried");
                    return Ok(Outcome { verdict: Verdict::Partly, summary, details });
                }
                Err(error) => error.to_string(),
            };
            details.push((format!("pid {}", pinned.0.pid), what));
        }
        let verdict = match sent {
            0 => Verdict::Nothing,
            all if all == backends.len() => Verdict::Done,
            _ => Verdict::Partly,
        };
        let left = backends.len() - sent;
        let rest = if left > 0 { format!(", {left} left alone (gone, or changed)") } else { String::new() };
        let sent = counted(sent, "backend");
        Ok(Outcome { verdict, summary: format!("{sent} signalled{rest}"), details })
    }
}

fn postgres_action(action: &Action) -> Result<&PgAction, ActionError> {
    let Action::Postgres { act, .. } = action else { return Err(ActionError::not_for("a Postgres server")) };
    Ok(act)
}

impl Executor for PostgresExecutor {
    fn prepare(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // A failure is told when somebody acts; the connection is tried again then.
            let _ = self.ask("SELECT 1", &[]).await;
        })
    }

    fn execute<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
        stop: &'a Stop,
    ) -> BoxFuture<'a, Result<Outcome, ActionError>> {
        Box::pin(async move {
            match postgres_action(action.action())? {
                PgAction::Cancel { backend, query_start_micros, .. } => {
                    self.signal((*backend, Some(*query_start_micros)), false).await
                }
                PgAction::Terminate { backend, .. } => self.signal((*backend, None), true).await,
                PgAction::Several { backends, terminate, .. } => {
                    self.signal_each(backends, *terminate, stop).await
                }
                PgAction::Upkeep { upkeep, relation } => {
                    upkeep::carry_out(&self.connect, *upkeep, relation).await
                }
            }
        })
    }

    fn verify<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
    ) -> BoxFuture<'a, Result<Verification, ActionError>> {
        Box::pin(async move {
            match postgres_action(action.action())? {
                PgAction::Cancel { backend, query_start_micros, promise } => {
                    self.verify_outcome((*backend, Some(*query_start_micros)), false, promise).await
                }
                PgAction::Terminate { backend, promise } => {
                    self.verify_outcome((*backend, None), true, promise).await
                }
                PgAction::Several { backends, terminate, promise } => {
                    self.look_at_each(backends, *terminate, promise).await
                }
                PgAction::Upkeep { upkeep, relation } => {
                    upkeep::verify_outcome(&self.connect, *upkeep, relation).await
                }
            }
        })
    }

    fn statement(&self, action: &Action) -> String {
        postgres_action(action).map_or_else(|_| String::new(), PgAction::statement)
    }
}
