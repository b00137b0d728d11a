//! Looks: asked on connections and tasks of their own, so that no poll ever waits for them. Some are asked in the background, too, one after
//! the other and so seldom that they are no load.

use super::answers::{Script, answer};
use super::lanes::{Lanes, is_slow};
use super::migrations;
use super::plan;
use super::topics;
use crate::config::target::PostgresConnect;
use crate::core::part::{Gap, GapKind, Part, Warm};
use crate::core::postgres::{
    Literals, Look, Looked, SERVER_LOG, SqlPanel, SqlTable, TOPICS, Watched, is_watched, kept,
};
use crate::core::time::Now;
use crate::sources::owned::Owned;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A look that was not answered after this long is given up.
const TIMEOUT: Duration = Duration::from_secs(20);
/// What nobody looks at is looked at this often.
pub(super) const WATCH_EACH: Duration = Duration::from_secs(900);
/// The first looks come one after the other, this share of that apart, and keep their distance: a run of seconds sees what they find, too.
const SPREAD: u32 = 900;
/// A look in the background that takes long is asked so seldom that it takes no more than this share of the time.
const LEAST_REST: u32 = 200;

/// What is known of each look.
#[derive(Default)]
struct Seen {
    table: Part<SqlTable>,
    asked: Option<Now>,
    /// Whether its last answer took long. What the team wrote may, until it was seen; what we wrote does not.
    slow: Option<bool>,
    /// How long its last answer took.
    took: Duration,
    /// What of it is kept for the rules.
    kept: Part<Warm<SqlTable>>,
}

type Board = Arc<Mutex<HashMap<Look, Seen>>>;

fn locked(board: &Board) -> MutexGuard<'_, HashMap<Look, Seen>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The looks of one server.
pub(super) struct Looks {
    connect: PostgresConnect,
    board: Board,
    running: HashMap<Look, Owned<()>>,
    lanes: Lanes,
    /// How often topics are looked at in the background, and since when.
    each: Duration,
    began: Option<Now>,
}

impl Looks {
    pub(super) fn new(connect: PostgresConnect, each: Duration) -> Self {
        let (board, running, lanes) = (Board::default(), HashMap::new(), Lanes::default());
        Self { connect, board, running, lanes, each, began: None }
    }

    /// Looks at one topic after the other in the background, where its turn has come, and tells what they found last.
    pub(super) fn watch(&mut self, now: Now, version: u32, topics: &[&str]) -> Vec<Watched> {
        let began = *self.began.get_or_insert(now);
        let mut all = Vec::new();
        for (turn, topic) in (1..).zip(topics) {
            let look = Look::Topic((*topic).to_owned());
            let (asked, took) = {
                let board = locked(&self.board);
                board.get(&look).map_or((None, Duration::ZERO), |seen| (seen.asked, seen.took))
            };
            let due = match asked {
                None => now.since(began) >= self.each / SPREAD * turn,
                Some(at) => now.since(at) >= self.each.max(took * LEAST_REST),
            };
            if due && !self.running.contains_key(&look) {
                match self.script(&look, None, version) {
                    Ok((_, script)) => self.ask(look.clone(), script, now, true),
                    Err(gap) => {
                        let kept = Part::Unavailable(gap);
                        let seen = Seen { asked: Some(now), kept, ..Seen::default() };
                        locked(&self.board).insert(look.clone(), seen);
                    }
                }
            }
            let table = locked(&self.board).get(&look).map(|seen| seen.kept.clone()).unwrap_or_default();
            all.push(Watched { topic: (*topic).to_owned(), table });
        }
        all
    }

    /// Asks what is due of `wanted`, stops what nobody looks at any more, and tells what is known. Waits for nothing.
    pub(super) fn step(&mut self, now: Now, version: u32, wanted: &[(Look, Option<String>)]) -> Vec<Looked> {
        let stays = |look: &Look| is_watched(look) || wanted.iter().any(|(other, _)| other == look);
        self.running.retain(|look, task| stays(look) && !task.is_finished());
        locked(&self.board).retain(|look, _| stays(look));
        for (look, text) in wanted {
            if self.running.contains_key(look) {
                continue;
            }
            let (interval, script) = match self.script(look, text.as_deref(), version) {
                Ok(found) => found,
                Err(gap) => {
                    let table = Part::Unavailable(gap);
                    let seen = Seen { table, asked: Some(now), ..Seen::default() };
                    locked(&self.board).insert(look.clone(), seen);
                    continue;
                }
            };
            let due = locked(&self.board)
                .get(look)
                .and_then(|seen| seen.asked)
                .is_none_or(|at| now.since(at) >= interval);
            if due {
                self.ask(look.clone(), script, now, false);
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
                if id == SERVER_LOG && self.connect.literals == Literals::Hidden {
                    let note =
                        "hide_literals is set for this server, and in lines of its log anything may stand";
                    return Err(Gap::new(GapKind::NotSupported, note));
                }
                let sql = topics::sql(id, version, &self.connect.tenant_column)?;
                let script = if id == "migrations" {
                    Script::InTwo(sql, migrations::newest)
                } else {
                    Script::Ours(sql)
                };
                Ok((interval, script))
            }
            Look::Panel(name) => {
                let panel = self.connect.panels.iter().find(|panel| panel.name == *name);
                let panel =
                    panel.ok_or_else(|| Gap::new(GapKind::Failed, format!("there is no panel `{name}`")))?;
                Ok((panel.interval, Script::Own(panel.sql.clone())))
            }
            Look::Plan(planned) => {
                let text = text.ok_or_else(|| {
                    Gap::new(GapKind::Failed, "the text of the statement is not known (yet)")
                })?;
                Ok((Duration::from_secs(300), Script::Plan(*planned, plan::plan(text)?)))
            }
        }
    }

    fn ask(&mut self, look: Look, script: Script, now: Now, patient: bool) {
        let (connect, board, lanes) = (self.connect.clone(), Arc::clone(&self.board), self.lanes.clone());
        let named = look.clone();
        let slow = {
            let mut board = locked(&self.board);
            let seen = board.entry(look.clone()).or_default();
            seen.asked = Some(now);
            patient || seen.slow.unwrap_or(matches!(look, Look::Panel(_)))
        };
        let task = Owned::spawn(async move {
            let _turn = lanes.turn(slow).await;
            let began = Instant::now();
            let mut lane = lanes.take(&connect);
            let answering = answer(&connect, &mut lane, &script, now);
            let table = match tokio::time::timeout(TIMEOUT, answering).await {
                Ok(Ok(table)) => Part::Ready(table),
                Ok(Err(gap)) => Part::Unavailable(gap),
                Err(_) => Part::Unavailable(Gap::new(GapKind::TimedOut, "no answer within 20 s")),
            };
            if let Some(open) = lane {
                lanes.put(open);
            }
            let mut board = locked(&board);
            let seen = board.entry(named.clone()).or_default();
            if is_watched(&named) {
                seen.kept = kept(&named, &table);
            }
            (seen.table, seen.took) = (table, began.elapsed());
            seen.slow = Some(is_slow(seen.took));
        });
        self.running.insert(look, task);
    }
}

/// The looks that are wanted although nobody looks: panels whose thresholds are watched.
pub(super) fn watched(panels: &[SqlPanel]) -> impl Iterator<Item = Look> + '_ {
    panels.iter().filter(|panel| !panel.thresholds.is_empty()).map(|panel| Look::Panel(panel.name.clone()))
}
