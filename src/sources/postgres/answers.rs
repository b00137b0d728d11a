//! How one look is answered: in a transaction that only reads, on a connection that is kept; a plan on one of its own.

use super::asking::marked;
use super::connection::{self, Connection, gap};
use super::decode;
use super::plan::Plan;
use super::settings::{AS_BYTES, LOOKING, OWN_PATH};
use crate::config::target::PostgresConnect;
use crate::core::part::{Gap, GapKind};
use crate::core::postgres::{Literals, Planned, SqlTable};
use crate::core::redact;
use crate::core::time::Now;
use futures_util::StreamExt;
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row, SimpleQueryMessage};

/// More rows are not kept: nobody reads on.
const MOST_ROWS: usize = 1000;
/// A value longer than this is cut.
const MOST_CHARS: usize = 2000;

/// How a transaction of ours ends: the server counts each one that is undone, and shows the count to people who look for trouble.
const COUNTED: &str = "COMMIT";
/// What is asked later in a transaction sees what has changed since, whatever the role begins with. (A `SET` of its own would bind the session
/// of a proxy to us.)
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";

/// The values of a row, as text.
type Cells = Vec<Option<String>>;
/// How one of the team's ends, whatever it did.
const UNDONE: &str = "ROLLBACK";

/// Where a statement was run, and as whom; whether we may be that role; whether we are, and whether we are a superuser.
const WHOSE: &str = "SELECT (SELECT datname FROM pg_catalog.pg_database WHERE oid = $1), \
     (SELECT quote_ident(rolname) FROM pg_catalog.pg_roles WHERE oid = $2), \
     coalesce((SELECT pg_has_role(oid, CASE WHEN current_setting('server_version_num')::int4 >= 160000 THEN 'SET' ELSE 'MEMBER' END) \
       FROM pg_catalog.pg_roles WHERE oid = $2), false), \
     coalesce((SELECT rolname = current_user FROM pg_catalog.pg_roles WHERE oid = $2), false), \
     (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)";

/// A connection in use; dropped in the middle of something, it is cancelled instead of put back.
struct InUse(Option<Connection>);

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.cancel_in_background();
        }
    }
}

/// What is asked, always in a transaction that only reads.
#[derive(Clone, Debug)]
pub(super) enum Script {
    /// A statement of ours.
    Ours(String),
    /// A statement of ours, and what makes the next one of its rows.
    InTwo(String, fn(&[Cells]) -> String),
    /// A statement of the team's: names mean what they mean to them.
    Own(String),
    /// Somebody's statement, where it was run and as who ran it.
    Plan(Planned, Plan),
}

/// Answers one look: on the connection that is kept; a plan on one of its own, to the database that the statement is of.
pub(super) async fn answer(
    connect: &PostgresConnect,
    lane: &mut Option<Connection>,
    script: &Script,
    now: Now,
) -> Result<SqlTable, Gap> {
    let began = Instant::now();
    let mut used = InUse(lane.take().filter(|open| !open.client.is_closed() && open.is_current(connect)));
    if used.0.is_none() {
        used.0 = Some(open(connect).await?);
    }
    let Some(kept) = &used.0 else { return Err(Gap::new(GapKind::Failed, "there is no connection")) };
    let (result, place) = match script {
        Script::Ours(sql) => {
            let result = ours(kept, sql).await;
            (result.map(|found| found.hiding(connect.literals)), format!("database {}", connect.database))
        }
        Script::InTwo(sql, next) => {
            let mut result = in_two(kept, None, sql, *next).await;
            if result.as_ref().is_err_and(has_no_equivalent) {
                result = in_two(kept, Some(AS_BYTES), sql, *next).await;
            }
            (result, format!("database {}", connect.database))
        }
        Script::Own(sql) => {
            let result = read(kept, Some(OWN_PATH), sql, UNDONE).await;
            (result, format!("database {}", connect.database))
        }
        Script::Plan(planned, plan) => {
            let whose = whose(kept, *planned).await?;
            *lane = used.0.take();
            let there = PostgresConnect { database: whose.database.clone(), ..connect.clone() };
            used.0 = Some(open(&there).await?);
            let Some(there) = &used.0 else {
                return Err(Gap::new(GapKind::Failed, "there is no connection"));
            };
            let found = explain(there, &whose, plan).await?.hiding(connect.literals);
            drop(used.0.take());
            let place = whose.role.map_or(String::new(), |role| format!(" as {role}"));
            return Ok(found.table(now, began, format!("database {}{place}", whose.database)));
        }
    };
    match result {
        Ok(found) => {
            // The rest of its rows is still under way on this connection.
            if !found.truncated {
                *lane = used.0.take();
            }
            Ok(found.table(now, began, place))
        }
        Err(error) => {
            if !connection::is_broken(&error) {
                *lane = used.0.take();
            }
            Err(gap(&error, "the server"))
        }
    }
}

/// Asks what we wrote.
async fn ours(open: &Connection, sql: &str) -> Result<Found, Error> {
    let result = read(open, None, sql, COUNTED).await;
    // A letter of another database's that has no equivalent here: that cell is given up, not the table.
    if result.as_ref().is_err_and(has_no_equivalent) {
        return read(open, Some(AS_BYTES), sql, COUNTED).await;
    }
    result
}

/// Asks `sql` which tables there are (their names in its second column, and why one is not read in its fifth), and then what `next` makes
/// of them. All of it is one transaction: nobody puts a view of that name, whose functions would run with our rights, into their place.
async fn in_two(
    open: &Connection,
    before: Option<&str>,
    sql: &str,
    next: fn(&[Cells]) -> String,
) -> Result<Found, Error> {
    let client = &open.client;
    client.batch_execute(&begin(open, before)).await?;
    let result = async {
        let mut found = ask(client, sql).await?;
        let cell = |row: &Cells, at: usize| row.get(at).cloned().flatten();
        let read = found.rows.iter().filter(|row| cell(row, 4).is_none());
        let names: Vec<String> = read.filter_map(|row| cell(row, 1)).collect();
        if !names.is_empty() {
            client
                .batch_execute(&format!("LOCK TABLE ONLY {} IN ACCESS SHARE MODE", names.join(", ONLY ")))
                .await?;
            let again = ask(client, sql).await?;
            found.rows.retain(|row| again.rows.contains(row));
        }
        ask(client, &next(&found.rows)).await
    };
    let result = result.await;
    if result.as_ref().is_ok_and(|found| found.truncated) {
        return result;
    }
    client.batch_execute(COUNTED).await?;
    result
}

fn has_no_equivalent(error: &Error) -> bool {
    [Some(&SqlState::CHARACTER_NOT_IN_REPERTOIRE), Some(&SqlState::UNTRANSLATABLE_CHARACTER)]
        .contains(&error.code())
}

async fn open(connect: &PostgresConnect) -> Result<Connection, Gap> {
    connection::connect(connect, &LOOKING).await.map_err(|error| Gap::new(GapKind::Failed, error.message))
}

/// Where a statement is planned, and as whom.
struct Whose {
    database: String,
    /// Quoted; nothing where that is who we are, or nobody we may be.
    role: Option<String>,
}

/// To plan a statement runs functions that its author has chosen. It is done with the author's rights wherever we may take them.
async fn whose(open: &Connection, planned: Planned) -> Result<Whose, Gap> {
    let rows = open.ask(WHOSE, &[(&planned.database, Type::OID), (&planned.user, Type::OID)]).await;
    let rows = rows.map_err(|error| gap(&error, "the statement's database"))?;
    let row = rows.first().ok_or_else(|| Gap::new(GapKind::Failed, "the server gave no row"))?;
    let flag = |at: usize| row.try_get::<_, Option<bool>>(at).ok().flatten().unwrap_or_default();
    let database = decode::text(row, 0).ok_or_else(|| {
        Gap::new(GapKind::NotSupported, "the database in which it ran is not there any more")
    })?;
    match decode::text(row, 1) {
        Some(role) if flag(2) && !flag(3) => Ok(Whose { database, role: Some(role) }),
        None if flag(4) => {
            let note =
                "the role that ran it is not there any more, and it is not planned with a superuser's rights";
            Err(Gap::new(GapKind::NotSupported, note))
        }
        _ => Ok(Whose { database, role: None }),
    }
}

#[derive(Default)]
struct Found {
    columns: Vec<String>,
    rows: Vec<Cells>,
    truncated: bool,
}

impl Found {
    /// Hides constants in what others have written: statements, and the plans of such.
    fn hiding(mut self, literals: Literals) -> Self {
        for (at, column) in self.columns.iter().enumerate() {
            let hide = |text: &str| match column.as_str() {
                "query" => Some(literals.text(text).to_string()),
                "plan" => Some(literals.plan(text)),
                "line" => Some(literals.text(&redact::line::<&str>(&unescaped(text), &[])).to_string()),
                _ => None,
            };
            for cell in self.rows.iter_mut().filter_map(|row| row.get_mut(at)?.as_mut()) {
                if let Some(hidden) = hide(cell) {
                    *cell = hidden;
                }
            }
        }
        self
    }

    fn table(self, now: Now, began: Instant, place: String) -> SqlTable {
        SqlTable {
            at: now,
            took: began.elapsed(),
            place,
            columns: self.columns,
            rows: self.rows,
            truncated: self.truncated,
        }
    }
}

/// Bytes as the server escapes them, as text: a log may hold several encodings.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'\\', [b'\\', ..]) => {
                bytes.push(b'\\');
                rest = &behind[1..];
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..]) => {
                bytes.push(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'));
                rest = &behind[3..];
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Asks `sql` by itself, after `before` and before `end`.
async fn read(open: &Connection, before: Option<&str>, sql: &str, end: &str) -> Result<Found, Error> {
    let client = &open.client;
    client.batch_execute(&begin(open, before)).await?;
    let result = ask(client, sql).await;
    if result.as_ref().is_ok_and(|found| found.truncated) {
        return result;
    }
    client.batch_execute(end).await?;
    result
}

fn begin(open: &Connection, before: Option<&str>) -> String {
    let begin = open.pooled.as_deref().unwrap_or(BEGIN);
    before.map_or_else(|| begin.to_owned(), |before| format!("{begin}; {before}"))
}

/// The plan, on a connection that is not used again. (Behind a pooler the server's session is: nothing is left there.)
async fn explain(open: &Connection, whose: &Whose, plan: &Plan) -> Result<Found, Gap> {
    let failed = |error: Error| gap(&error, "the server");
    let role = whose.role.as_ref().map_or(String::new(), |role| format!("SET LOCAL ROLE {role}; "));
    let before =
        format!("{role}{OWN_PATH}; SET LOCAL plan_cache_mode = force_generic_plan; SAVEPOINT planned");
    let name = format!("stacktop_plan_{}", std::process::id());
    open.client.batch_execute(&begin(open, Some(&before))).await.map_err(failed)?;
    let rows = planned(&open.client, &name, plan).await;
    if open.pooled.is_some() {
        // It outlives the transaction. Where it was not even prepared, this fails, and that is no news.
        let away = format!("ROLLBACK TO planned; DEALLOCATE {name}");
        let _ = open.client.batch_execute(&away).await;
    }
    open.client.batch_execute("ROLLBACK").await.map_err(failed)?;
    let rows = rows.map_err(failed)?;
    let lines = rows.iter().map(|row| vec![row.try_get(0).ok()]).take(MOST_ROWS);
    Ok(Found { columns: vec!["plan".to_owned()], rows: lines.collect(), truncated: rows.len() > MOST_ROWS })
}

async fn planned(client: &Client, name: &str, plan: &Plan) -> Result<Vec<Row>, Error> {
    client.query_typed(&format!("PREPARE {name} AS {}", plan.text), &[]).await?;
    client.query_typed(&format!("EXPLAIN EXECUTE {name}{}", plan.arguments), &[]).await
}

async fn ask(client: &Client, sql: &str) -> Result<Found, Error> {
    let stream = client.simple_query_raw(&marked(sql)).await?;
    let mut stream = std::pin::pin!(stream);
    let mut found = Found::default();
    while let Some(message) = stream.next().await {
        match message? {
            SimpleQueryMessage::RowDescription(columns) => {
                // Of several statements the last one is shown.
                found.columns = columns.iter().map(|column| column.name().to_owned()).collect();
                found.rows.clear();
            }
            SimpleQueryMessage::Row(row) => {
                if found.rows.len() >= MOST_ROWS {
                    found.truncated = true;
                    break;
                }
                let cells = (0..row.len()).map(|at| {
                    let text = row.try_get(at).unwrap_or(Some("(in another encoding)"))?;
                    Some(text.chars().take(MOST_CHARS).collect())
                });
                found.rows.push(cells.collect());
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::unescaped;

    #[test]
    fn bytes_of_a_log_are_text_again() {
        for (escaped, text) in [
            ("plain", "plain"),
            ("gel\\303\\266scht", "gelöscht"),
            ("a \\\\ b", "a \\ b"),
            ("odd \\377 end\\", "odd \u{fffd} end\\"),
        ] {
            assert_eq!(unescaped(escaped), text, "{escaped}");
        }
    }
}
