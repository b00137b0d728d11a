//! Who holds everybody up: one finding a culprit, with the step that harms least.

use super::{Scene, describe};
use crate::core::place::{Place, Screen};
use crate::core::postgres::PgRow;
use crate::core::postgres::blocking::{Node, Who};
use crate::core::row::RowKey;
use crate::core::text::{counted, lasting, tidy};

impl Scene<'_> {
    pub(super) fn blocked(&mut self) {
        let roots: Vec<Node> = self.state.forest.roots().cloned().collect();
        for root in roots {
            let longest = root.longest.unwrap_or_default();
            let by_wait = self.rules.grade("postgres.blocked", longest.as_secs_f64());
            let by_count = self.rules.grade("postgres.blocked_sessions", root.victims as f64);
            let Some(severity) = by_wait.max(by_count) else {
                continue;
            };
            let (name, step, row) = self.culprit(&root.who);
            let head = self.state.forest.queue_head(&root.who).and_then(|head| {
                let freed = counted(head.releases_if_cancelled, "session");
                Some(format!("first cancel pid {}, which waits: releases {freed} at once", head.who.pid()?))
            });
            let step = head.unwrap_or(step);
            let victims = counted(root.victims, "session");
            let sentence = match self.state.forest.beside(&root.who).len() {
                0 => format!("{name} blocks {victims}"),
                1 => format!("{name} and 1 more holder block {victims}"),
                many => format!("{name} and {many} more holders block {victims}"),
            };
            let subject = format!("{:?}", root.who);
            let place = Place { screen: Screen::Blocking, row: Some(row) };
            self.push(
                "postgres.blocked",
                &subject,
                severity,
                sentence,
                Some(longest),
                root.victims,
                &step,
                place,
            );
        }
    }

    /// A culprit's name, what may be done, and its row.
    fn culprit(&self, who: &Who) -> (String, String, RowKey) {
        match who {
            Who::Backend(id) => {
                let session = self.session(*id);
                let name = session.map_or_else(|| format!("pid {}", id.pid), describe);
                let idle = session.is_some_and(|session| session.state.is_idle_in_transaction());
                let step = if idle {
                    "terminate its session (a cancel does nothing)"
                } else {
                    "cancel its query first"
                };
                (name, step.to_owned(), RowKey::backend(self.target, *id))
            }
            Who::Prepared(gid) => {
                let name = format!("prepared transaction {}", tidy(gid, 40));
                let row = RowKey::prepared(self.target, gid);
                let known = self
                    .reading
                    .locks
                    .ready()
                    .and_then(|locks| locks.prepared.iter().find(|prepared| prepared.gid == *gid));
                known.map_or_else(
                    || (name.clone(), "COMMIT or ROLLBACK PREPARED as its owner".to_owned(), row.clone()),
                    |known| {
                        let (owner, database) = (tidy(&known.owner, 24), tidy(&known.database, 24));
                        let name = format!("{name} ({owner} in {database}, {} old)", lasting(known.age));
                        (name, format!("{} {}", known.rollback(), known.place()), row.clone())
                    },
                )
            }
            Who::Gone(pid) => {
                let row = RowKey::Postgres(self.target.clone(), PgRow::Gone(*pid));
                (format!("pid {pid} (gone since)"), "look again".to_owned(), row)
            }
        }
    }
}
