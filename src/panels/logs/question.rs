//! From a row of any screen to the lines that are about it: which log or which Loki is opened, and with which question.

use super::files::{self, Meant};
use super::wanted::{Wanted, wanted};
use crate::core::ids::TargetId;
use crate::core::lines::{About, Question};
use crate::core::log::LogRow;
use crate::core::loki::LokiRow;
use crate::core::postgres::{Look, PgRow, SERVER_LOG};
use crate::core::redis::RedisRow;
use crate::core::row::RowKey;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;

const NOTHING: &str = "nothing of this row can be looked for in a log";

/// The row that shows the lines about what is open, where that is a job, a session or a finding; else about the row under the cursor.
/// Beside it what its lines are filtered by: without a Loki it is the whole log of a Postgres server.
///
/// # Errors
/// Why there are none.
pub fn here(
    context: PanelContext<'_>,
    path: &[RowKey],
    row: Option<&RowKey>,
) -> Result<(RowKey, String), String> {
    let itself = |key: &&RowKey| {
        matches!(
            key,
            RowKey::Finding(_)
                | RowKey::Redis(_, RedisRow::Job(..))
                | RowKey::Postgres(_, PgRow::Backend(_) | PgRow::Statement(_))
        )
    };
    let row = path.last().filter(itself).or(row).or_else(|| path.last());
    about(context, row.ok_or("there is no row here")?)
}

/// Logs that are named for it go before a Loki, and that before logs of anybody: a Postgres server's own log says more of a session.
fn about(context: PanelContext<'_>, row: &RowKey) -> Result<(RowKey, String), String> {
    let question = wanted(context, row).map(|wanted| {
        let Wanted { about, words, text, of, names, window } = wanted;
        Question { about, lines: About::Named { words, text, of, names }, window }
    });
    let meant = question.as_ref().and_then(|question| files::meant(context, question));
    let whole = |key| (key, String::new());
    let log = |meant: Option<(Meant, Vec<TargetId>)>| {
        let (_, of) = meant?;
        Some(whole(RowKey::Log(of.first()?.clone(), LogRow::Lines(question.clone()?))))
    };
    if meant.as_ref().is_some_and(|(why, _)| *why == Meant::Named) {
        return log(meant).ok_or_else(|| NOTHING.to_owned());
    }
    if let Some(loki) = loki(context) {
        let question = question.ok_or(NOTHING)?;
        return Ok(whole(RowKey::Loki(loki, LokiRow::Lines(question))));
    }
    if let Some(found) = server_log(context, row).or_else(|| log(meant)) {
        return Ok(found);
    }
    Err(match &question {
        None if files::any(context) => NOTHING.to_owned(),
        about => files::none(context, about.as_ref().map_or("it", |question| &question.about)),
    })
}

/// The log of the Postgres server that a row is of, and the pid that is looked for in it.
fn server_log(context: PanelContext<'_>, row: &RowKey) -> Option<(RowKey, String)> {
    let object = match row {
        RowKey::Finding(key) => context.finding(key)?.breach.place.row.as_ref(),
        _ => Some(row),
    };
    let target = object.and_then(RowKey::target).or_else(|| row.target())?;
    context.target(target.as_str())?.system.postgres()?;
    let pid = match object.and_then(RowKey::postgres) {
        Some((_, PgRow::Backend(id))) => id.pid.to_string(),
        Some((_, PgRow::Gone(pid) | PgRow::Vacuum(pid) | PgRow::Sender(pid))) => pid.to_string(),
        _ => String::new(),
    };
    let look = PgRow::Look(Look::Topic(SERVER_LOG.to_owned()));
    Some((RowKey::Postgres(target.clone(), look), pid))
}

/// The Loki that is asked: the first that answers.
fn loki(context: PanelContext<'_>) -> Option<TargetId> {
    let all: Vec<&TargetState> = context
        .world
        .targets()
        .iter()
        .map(|target| &**target)
        .filter(|target| target.system.loki().is_some())
        .collect();
    let answers = all.iter().find(|target| !target.freshness(context.now).is_lost());
    answers.or(all.first()).map(|target| target.id.clone())
}
