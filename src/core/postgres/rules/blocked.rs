//! Who holds everybody up: one finding a culprit, with the step that harms least.

use super::parts::{Its, LOCKS};
use super::sessions::{describe, session};
use crate::core::alert::RuleUnit::{Count, Seconds};
use crate::core::alert::Triage::Saturation;
use crate::core::alert::{Grade, Remedy, Rule, RuleSpec, Step};
use crate::core::place::Screen;
use crate::core::postgres::blocking::Who;
use crate::core::postgres::{PgRow, PostgresReading, PostgresState};
use crate::core::row::RowKey;
use crate::core::text::{counted, lasting, tidy};

/// One root of waiters.
pub static BLOCKED: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.blocked", "the longest wait for a lock behind one root", Seconds, Saturation)
        .warning(10.0)
        .critical(60.0)
        .needs(&[LOCKS])
        .root(),
    blocked,
);

pub(crate) static BLOCKED_SESSIONS: Rule<PostgresState> = Rule::threshold(
    RuleSpec::new(
        "postgres.blocked_sessions",
        "sessions that wait behind one root, however short",
        Count,
        Saturation,
    )
    .warning(3.0)
    .critical(10.0)
    .needs(&[LOCKS]),
);

fn blocked(its: &mut Its<'_>, reading: &PostgresReading) {
    let forest = &its.state.forest;
    for root in forest.roots() {
        let longest = root.longest.unwrap_or_default();
        let by_wait = its.grade(longest.as_secs_f64());
        let by_count = its.grade_by(&BLOCKED_SESSIONS, root.victims as f64);
        let Some(grade) = Grade::worse(by_wait, by_count) else {
            continue;
        };
        let (name, step, row) = culprit(its, reading, &root.who);
        let head = forest.queue_head(&root.who).and_then(|head| {
            let freed = counted(head.releases_if_cancelled, "session");
            Some(Step::Say(format!(
                "first cancel pid {}, which waits: releases {freed} at once",
                head.who.pid()?
            )))
        });
        let victims = counted(root.victims, "session");
        let sentence = match forest.beside(&root.who).len() {
            0 => format!("{name} blocks {victims}"),
            1 => format!("{name} and 1 more holder block {victims}"),
            many => format!("{name} and {many} more holders block {victims}"),
        };
        let breach = its.tell(grade, format!("{:?}", root.who), sentence).since(Some(longest));
        breach.hits(root.victims, "session").step(head.unwrap_or(step)).on(Screen::Blocking).row(row);
    }
}

/// A culprit's name, what may be done, and its row.
fn culprit(its: &Its<'_>, reading: &PostgresReading, who: &Who) -> (String, Step, RowKey) {
    match who {
        Who::Backend(id) => {
            let session = session(reading, *id);
            let vacuum = session.filter(|session| session.gives_way_to_nobody());
            if let Some(vacuum) = vacuum {
                let name = format!("pid {} ({})", id.pid, tidy(&vacuum.query, 70));
                let step =
                    "let it finish: it comes back. Cancel who waits first in line, and try again after it";
                return (name, Step::Say(step.to_owned()), RowKey::backend(its.target, *id));
            }
            let name = session.map_or_else(|| format!("pid {}", id.pid), describe);
            let idle = session.is_some_and(|session| session.state.is_idle_in_transaction());
            let step = if idle {
                Step::Act(Remedy::Terminate, "(a cancel does nothing)".to_owned())
            } else {
                Step::Act(Remedy::Cancel, "first".to_owned())
            };
            (name, step, RowKey::backend(its.target, *id))
        }
        Who::Prepared(gid) => {
            let name = format!("prepared transaction {}", tidy(gid, 40));
            let row = RowKey::prepared(its.target, gid);
            let mut prepared = reading.locks.ready().into_iter().flat_map(|locks| &locks.prepared);
            match prepared.find(|prepared| prepared.gid == *gid) {
                Some(known) => {
                    let (owner, database) = (tidy(&known.owner, 24), tidy(&known.database, 24));
                    let name = format!("{name} ({owner} in {database}, {} old)", lasting(known.age));
                    (name, Step::Say(format!("{} {}", known.rollback(), known.place())), row)
                }
                None => (name, Step::Say("COMMIT or ROLLBACK PREPARED as its owner".to_owned()), row),
            }
        }
        Who::Gone(pid) => {
            let row = RowKey::Postgres(its.target.clone(), PgRow::Gone(*pid));
            (format!("pid {pid} (gone since)"), Step::Look("look again".to_owned()), row)
        }
    }
}
