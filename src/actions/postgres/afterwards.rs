//! The look after a signal: whether it ended, and whether those go on who were promised to. Who still waits is named, and for whom.

use super::{PostgresExecutor, Trouble};
use crate::core::action::{ActionError, Verification};
use crate::core::postgres::{PgAction, Pinned, Promise};
use crate::core::text::counted;
use tokio_postgres::types::Type;

/// Whether it is still there, what it does, and since when.
const LOOK: &str = "SELECT state, (extract(epoch FROM query_start) * 1000000)::int8 FROM pg_catalog.pg_stat_get_activity($1) \
     WHERE pid = $1 AND (extract(epoch FROM backend_start) * 1000000)::int8 = $2";
/// Of these, who waits for a lock, and the first ones that stand in the way. (A role that does not see what others wait for may ask this.)
const BLOCKED: &str = "SELECT p.pid, b.pids[1:4] FROM unnest($1::int4[]) p(pid), \
     LATERAL (SELECT pg_blocking_pids(p.pid) AS pids OFFSET 0) b WHERE cardinality(b.pids) > 0";
/// Everybody who waits for it, or behind it.
const VICTIMS: &str = "SELECT count(DISTINCT l.pid) FROM pg_catalog.pg_locks l WHERE NOT l.granted AND $1 = ANY(pg_blocking_pids(l.pid))";

/// So many of those who still wait are named.
const NAMED: usize = 8;

/// Who waits, and for whom.
type Blocked = Vec<(i32, Vec<i32>)>;

fn failed(trouble: Trouble) -> ActionError {
    match trouble {
        Trouble::NotDone(why) | Trouble::Lost(why) => ActionError::NotDone(why),
    }
}

/// What became of a promise, as the end of a sentence; and whether it was kept.
fn kept(promise: &Promise, blocked: &Blocked) -> (bool, String) {
    let waits = |pid: &&i32| blocked.iter().any(|(waiter, _)| waiter == *pid);
    let released = promise.released.iter().filter(|pid| !waits(pid)).count();
    let mut parts = Vec::new();
    if !promise.released.is_empty() {
        parts.push(format!("{released} of {} released", promise.released.len()));
    }
    if !promise.waiting.is_empty() {
        let left = promise.waiting.iter().filter(waits).count();
        let all = promise.waiting.len();
        parts.push(if promise.released.is_empty() {
            format!("it alone stopped nobody, and {left} of {all} still wait")
        } else {
            format!("{left} of the {all} behind them still wait")
        });
    }
    if parts.is_empty() {
        parts.push("nobody waited for it alone".to_owned());
    }
    let named: Vec<String> = blocked
        .iter()
        .take(NAMED)
        .map(|(waiter, by)| {
            let by: Vec<String> = by
                .iter()
                .map(|pid| if *pid == 0 { "a prepared transaction".to_owned() } else { pid.to_string() })
                .collect();
            format!("pid {waiter} for {}", by.join(", "))
        })
        .collect();
    if !named.is_empty() {
        let more = blocked.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        parts.push(format!("({}{more})", named.join("; ")));
    }
    (released == promise.released.len(), parts.join("; ").replace("; (", " ("))
}

impl PostgresExecutor {
    async fn blocked(&self, promise: &Promise) -> Result<Blocked, ActionError> {
        let pids: Vec<i32> = promise.released.iter().chain(&promise.waiting).copied().collect();
        if pids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.ask(BLOCKED, &[(&pids, Type::INT4_ARRAY)]).await.map_err(failed)?;
        Ok(rows.iter().filter_map(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?))).collect())
    }

    /// How many of several are still there (and, for a cancel, still run what was seen), and who goes on.
    pub(super) async fn look_at_each(
        &self,
        backends: &[Pinned],
        terminate: bool,
        promise: &Promise,
    ) -> Result<Verification, ActionError> {
        let mut left = Vec::new();
        for (backend, query_start) in backends {
            let rows = self
                .ask(LOOK, &[(&backend.pid, Type::INT4), (&backend.backend_start_micros, Type::INT8)])
                .await
                .map_err(failed)?;
            let Some(row) = rows.first() else { continue };
            let now: Option<i64> = row.try_get(1).ok().flatten();
            let active = row.try_get::<_, Option<String>>(0).ok().flatten().as_deref() == Some("active");
            if terminate || (active && now == *query_start) {
                left.push(backend.pid.to_string());
            }
        }
        let all = backends.len();
        let sentence = match (left.len(), terminate) {
            (0, true) if all == 1 => "the session is gone".to_owned(),
            (0, true) => format!("all {all} sessions are gone"),
            (0, false) if all == 1 => "the statement has stopped".to_owned(),
            (0, false) => format!("all {all} statements have stopped"),
            (many, _) => format!("{many} of {all} are still there: pid {}", left.join(", ")),
        };
        let (kept, freed) = kept(promise, &self.blocked(promise).await?);
        Ok(Verification { settled: left.is_empty() && kept, sentence: format!("{sentence}; {freed}") })
    }

    /// How one backend is now, and who goes on.
    pub(super) async fn verify_outcome(
        &self,
        pinned: Pinned,
        terminate: bool,
        promise: &Promise,
    ) -> Result<Verification, ActionError> {
        let act = PgAction::one(pinned, terminate);
        let (pid, started) = (pinned.0.pid, pinned.0.backend_start_micros);
        let rows = self.ask(LOOK, &[(&pid, Type::INT4), (&started, Type::INT8)]).await.map_err(failed)?;
        let (kept, freed) = kept(promise, &self.blocked(promise).await?);
        let Some(row) = rows.first() else {
            return Ok(Verification { settled: kept, sentence: format!("pid {pid} is gone; {freed}") });
        };
        let victims = self.ask(VICTIMS, &[(&pid, Type::INT4)]).await.map_err(failed)?;
        let behind: i64 = victims.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default();
        let waiting = counted(usize::try_from(behind).unwrap_or_default(), "session");
        let state: String = row.try_get::<_, Option<String>>(0).ok().flatten().unwrap_or_default();
        let query_start: Option<i64> = row.try_get(1).ok();
        Ok(match act {
            PgAction::Cancel { query_start_micros, .. } => {
                let stopped = query_start != Some(query_start_micros) || state != "active";
                let sentence = if stopped && behind == 0 {
                    format!("pid {pid} stopped its statement ({state}); {freed}")
                } else if stopped {
                    format!(
                        "pid {pid} stopped its statement but still blocks {waiting} ({state}): terminate is the next step; {freed}"
                    )
                } else {
                    format!("pid {pid} still runs its statement: terminate is the next step")
                };
                Verification { settled: stopped && behind == 0 && kept, sentence }
            }
            PgAction::Terminate { .. } | PgAction::Several { .. } | PgAction::Upkeep { .. } => Verification {
                settled: false,
                sentence: format!(
                    "pid {pid} is still there ({state}, {waiting} behind it): it may be rolling back; look again"
                ),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(released: &[i32], waiting: &[i32], blocked: &[(i32, &[i32])], expected: (bool, &str)) {
        let promise = Promise { released: released.to_vec(), waiting: waiting.to_vec() };
        let blocked: Blocked = blocked.iter().map(|(pid, by)| (*pid, by.to_vec())).collect();
        let (kept, sentence) = kept(&promise, &blocked);
        assert_eq!((kept, sentence.as_str()), expected);
    }

    #[test]
    fn a_promise_is_looked_after_pid_by_pid() {
        check(&[], &[], &[], (true, "nobody waited for it alone"));
        check(&[5, 6], &[], &[], (true, "2 of 2 released"));
        check(&[5], &[6, 7], &[], (true, "1 of 1 released; 0 of the 2 behind them still wait"));
        check(
            &[5],
            &[6, 7],
            &[(6, &[5]), (7, &[5, 6])],
            (true, "1 of 1 released; 2 of the 2 behind them still wait (pid 6 for 5; pid 7 for 5, 6)"),
        );
        check(
            &[],
            &[5],
            &[(5, &[2, 0])],
            (true, "it alone stopped nobody, and 1 of 1 still wait (pid 5 for 2, a prepared transaction)"),
        );
        check(&[5], &[], &[(5, &[9])], (false, "0 of 1 released (pid 5 for 9)"));
    }
}
