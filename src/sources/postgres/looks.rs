//! Looks: asked on a connection and a task of their own, one after the other, so that no poll ever waits for them.

use super::connection::{self, Connection, gap};
use super::topics;
use crate::config::target::PostgresConnect;
use crate::core::part::{Gap, GapKind, Part};
use crate::core::postgres::{Look, Looked, SqlPanel, SqlTable, TOPICS};
use crate::core::time::Now;
use futures_util::StreamExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, SimpleQueryMessage};

/// The connection for looks: it changes nothing, waits for no lock, and may take a while.
const LOOKING: &str = "-c statement_timeout=15000 -c lock_timeout=100 -c default_transaction_read_only=on \
     -c idle_in_transaction_session_timeout=10000 -c jit=off -c max_parallel_workers_per_gather=0";
/// A look that was not answered after this long is given up.
const TIMEOUT: Duration = Duration::from_secs(20);
/// More rows are not kept: nobody reads on.
const MOST_ROWS: usize = 1000;
/// A value longer than this is cut.
const MOST_CHARS: usize = 2000;

/// What is known of each look.
#[derive(Default)]
struct Seen {
    table: Part<SqlTable>,
    asked: Option<Now>,
}

type Board = Arc<Mutex<HashMap<Look, Seen>>>;

fn locked(board: &Board) -> MutexGuard<'_, HashMap<Look, Seen>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The looks of one server.
pub(super) struct Looks {
    connect: PostgresConnect,
    board: Board,
    running: HashMap<Look, JoinHandle<()>>,
    lane: Arc<tokio::sync::Mutex<Option<Connection>>>,
}

/// A connection in use; dropped in the middle of something, it is cancelled instead of put back.
struct InUse(Option<Connection>);

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.cancel_in_background();
        }
    }
}

impl Looks {
    pub(super) fn new(connect: PostgresConnect) -> Self {
        Self { connect, board: Board::default(), running: HashMap::new(), lane: Arc::default() }
    }

    /// Asks what is due of `wanted`, stops what nobody looks at any more, and tells what is known. Waits for nothing.
    pub(super) fn step(&mut self, now: Now, version: u32, wanted: &[(Look, Option<String>)]) -> Vec<Looked> {
        self.running.retain(|look, task| {
            let stays = wanted.iter().any(|(other, _)| other == look);
            if !stays && !task.is_finished() {
                task.abort();
            }
            stays && !task.is_finished()
        });
        locked(&self.board).retain(|look, _| wanted.iter().any(|(other, _)| other == look));
        for (look, text) in wanted {
            if self.running.contains_key(look) {
                continue;
            }
            let (interval, script) = match self.script(look, text.as_deref(), version) {
                Ok(found) => found,
                Err(gap) => {
                    let seen = Seen { table: Part::Unavailable(gap), asked: Some(now) };
                    locked(&self.board).insert(look.clone(), seen);
                    continue;
                }
            };
            let due = locked(&self.board)
                .get(look)
                .and_then(|seen| seen.asked)
                .is_none_or(|at| now.since(at) >= interval);
            if due {
                self.ask(look.clone(), script, now);
            }
        }
        let board = locked(&self.board);
        wanted
            .iter()
            .map(|(look, _)| Looked {
                look: look.clone(),
                table: board.get(look).map(|seen| seen.table.clone()).unwrap_or_default(),
                asking: self.running.contains_key(look),
            })
            .collect()
    }

    /// How often a look is asked, and what.
    fn script(&self, look: &Look, text: Option<&str>, version: u32) -> Result<(Duration, Script), Gap> {
        match look {
            Look::Topic(id) => {
                let interval =
                    TOPICS.iter().find(|topic| topic.id == id).map_or(TIMEOUT, |topic| topic.interval);
                topics::sql(id, version, &self.connect.tenant_column).map(|sql| (interval, Script::of(sql)))
            }
            Look::Panel(name) => {
                let panel = self.connect.panels.iter().find(|panel| panel.name == *name);
                let panel =
                    panel.ok_or_else(|| Gap::new(GapKind::Failed, format!("there is no panel `{name}`")))?;
                Ok((panel.interval, Script::of(panel.sql.clone())))
            }
            Look::Plan(_) => {
                let text = text.ok_or_else(|| {
                    Gap::new(GapKind::Failed, "the text of the statement is not known (yet)")
                })?;
                Ok((Duration::from_secs(300), topics::plan(text, version)?))
            }
        }
    }

    fn ask(&mut self, look: Look, script: Script, now: Now) {
        let (connect, board, lane) = (self.connect.clone(), Arc::clone(&self.board), Arc::clone(&self.lane));
        let named = look.clone();
        locked(&self.board).entry(look.clone()).or_default().asked = Some(now);
        let task = tokio::spawn(async move {
            let mut lane = lane.lock().await;
            let began = Instant::now();
            let mut used = InUse(lane.take().filter(|open| !open.client.is_closed()));
            if used.0.is_none() {
                match connection::connect(&connect, LOOKING).await {
                    Ok(open) => used.0 = Some(open),
                    Err(error) => {
                        let table = Part::Unavailable(Gap::new(GapKind::Failed, error.message));
                        locked(&board).entry(named).or_default().table = table;
                        return;
                    }
                }
            }
            let Some(open) = &used.0 else { return };
            if open.pooled.is_some() && script.after.is_some() {
                let note = "before PostgreSQL 16 a plan leaves something behind for a moment: it needs the address of the server itself";
                locked(&board).entry(named).or_default().table =
                    Part::Unavailable(Gap::new(GapKind::NotSupported, note));
                *lane = used.0.take();
                return;
            }
            let table = match tokio::time::timeout(TIMEOUT, run(open, &script)).await {
                Ok(Ok(found)) => {
                    let whole = !found.truncated;
                    let table = SqlTable { at: now, took: began.elapsed(), ..found.table(now) };
                    if whole {
                        *lane = used.0.take();
                    }
                    Part::Ready(table)
                }
                Ok(Err(error)) => {
                    if !connection::is_broken(&error) {
                        *lane = used.0.take();
                    }
                    Part::Unavailable(gap(&error, "the server"))
                }
                Err(_) => Part::Unavailable(Gap::new(GapKind::TimedOut, "no answer within 20 s")),
            };
            locked(&board).entry(named).or_default().table = table;
        });
        self.running.insert(look, task);
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        self.running.values().for_each(JoinHandle::abort);
    }
}

/// What is sent: what comes before, the question, always in a transaction that only reads and is rolled back.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// Sent first, inside the transaction.
    pub(super) before: Option<String>,
    /// The question.
    pub(super) question: String,
    /// Sent after the transaction ended, whatever came of it.
    pub(super) after: Option<&'static str>,
}

impl Script {
    fn of(question: String) -> Self {
        Self { before: None, question, after: None }
    }
}

#[derive(Default)]
struct Found {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    truncated: bool,
}

impl Found {
    fn table(self, at: Now) -> SqlTable {
        SqlTable {
            at,
            took: Duration::ZERO,
            columns: self.columns,
            rows: self.rows,
            truncated: self.truncated,
        }
    }
}

async fn run(open: &Connection, script: &Script) -> Result<Found, Error> {
    let client = &open.client;
    client.batch_execute(open.pooled.as_deref().unwrap_or("BEGIN READ ONLY")).await?;
    let result = ask(client, script).await;
    if result.as_ref().is_ok_and(|found| found.truncated) {
        // The rest of its rows is still under way: the connection is given up by the caller.
        return result;
    }
    client.batch_execute("ROLLBACK").await?;
    if let Some(after) = script.after {
        client.batch_execute(after).await?;
    }
    result
}

async fn ask(client: &Client, script: &Script) -> Result<Found, Error> {
    if let Some(before) = &script.before {
        client.batch_execute(before).await?;
    }
    let stream = client.simple_query_raw(&script.question).await?;
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
                    let text = row.try_get(at).ok().flatten()?;
                    Some(text.chars().take(MOST_CHARS).collect())
                });
                found.rows.push(cells.collect());
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The looks that are wanted although nobody looks: panels whose thresholds are watched.
pub(super) fn watched(panels: &[SqlPanel]) -> impl Iterator<Item = Look> + '_ {
    panels.iter().filter(|panel| !panel.thresholds.is_empty()).map(|panel| Look::Panel(panel.name.clone()))
}
