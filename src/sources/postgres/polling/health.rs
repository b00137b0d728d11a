//! What is looked at every few seconds: WAL, checkpoints, the archive, vacuums, temporary files.

use super::Polling;
use super::parts::{all, answer, first, part};
use crate::core::part::Part;
use crate::core::postgres::{Archiver, Fact, Health, ReadyFiles, Spill};
use crate::core::time::Now;
use crate::sources::postgres::connection::Row;
use crate::sources::postgres::decode::{self, get, text};
use crate::sources::postgres::queries;
use crate::sources::postgres::refusals::Refused;
use std::time::Duration;

/// Temporary files are looked for this often: the server looks at each of them.
const SPILLS: Duration = Duration::from_secs(10);

impl Polling {
    pub(super) async fn health(&mut self, now: Now) -> Result<Part<Health>, Refused> {
        let sql = self.questions.health.clone();
        // The files of a standby name the subscriptions of its primary; nobody works on them there.
        let subscribes = !self.server.in_recovery;
        let (main, archived, vacuums, prepared, subscriptions) = tokio::join!(
            self.ask(&sql, &[]),
            self.ask(queries::ARCHIVER, &[]),
            self.ask(queries::VACUUMS, &[]),
            self.ask(queries::PREPARED, &[]),
            async {
                if subscribes { self.ask(&self.questions.subscriptions, &[]).await } else { Ok(Vec::new()) }
            },
        );
        let main = answer(main)?;
        self.told(Fact::Log, &main, "how much is written, and checkpoints");
        let mut health = told(main.ok().as_deref().and_then(<[Row]>::first));
        health.archiver = part(archived, "archiver", first(archiver))?;
        if let Part::Ready(archiver) = &mut health.archiver
            && (archiver.is_failing() || archiver.on && archiver.no_command)
        {
            let ready = self.ask(queries::READY, &[]).await;
            archiver.ready = part(ready, "WAL files that wait", first(ready_files))?;
        }
        health.subscriptions = part(subscriptions, "subscriptions", all(decode::subscription))?;
        health.vacuums = part(vacuums, "vacuum", all(decode::vacuum))?;
        let row = |row: &Row| {
            let prepared = decode::prepared(row);
            (prepared.gid, prepared.owner, prepared.database, prepared.age)
        };
        health.prepared = part(prepared, "prepared transactions", all(row))?;
        health.spills = self.spills(now).await?;
        Ok(Part::Ready(health))
    }

    async fn spills(&mut self, now: Now) -> Result<Part<Vec<Spill>>, Refused> {
        if let Some((_, known)) = self.spills.as_ref().filter(|(at, _)| now.since(*at) < SPILLS) {
            return Ok(known.clone());
        }
        let found = part(self.ask(queries::SPILLS, &[]).await, "temporary files", all(spill))?;
        self.spills = Some((now, found.clone()));
        Ok(found)
    }
}

/// WAL position, checkpoints and freeze age; the parts beside them are put in by the caller.
fn told(row: Option<&Row>) -> Health {
    Health {
        wal_position: row.and_then(|row| get(row, 0)),
        checkpoints_timed: row.and_then(|row| get(row, 1)),
        checkpoints_requested: row.and_then(|row| get(row, 2)),
        freeze_max_age: row.and_then(|row| get(row, 3)),
        archiver: Part::NotAsked,
        vacuums: Part::NotAsked,
        subscriptions: Part::NotAsked,
        prepared: Part::NotAsked,
        spills: Part::NotAsked,
    }
}

/// The archiver.
fn archiver(row: &Row) -> Archiver {
    Archiver {
        on: get(row, 0).unwrap_or_default(),
        archived: get(row, 1).unwrap_or_default(),
        failed: get(row, 2).unwrap_or_default(),
        last_archived_seconds: get(row, 3),
        last_failed_seconds: get(row, 4),
        last_failed_file: text(row, 5),
        no_command: get(row, 6).unwrap_or_default(),
        ready: Part::NotAsked,
    }
}

/// What waits for the archiver.
fn ready_files(row: &Row) -> ReadyFiles {
    ReadyFiles { files: get(row, 0).unwrap_or_default(), bytes: get(row, 1).unwrap_or_default() }
}

/// The temporary files of one process.
fn spill(row: &Row) -> Spill {
    Spill { pid: get(row, 0).unwrap_or_default(), bytes: get(row, 1).unwrap_or_default() }
}
