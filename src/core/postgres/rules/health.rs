//! The rules about the server as a whole: its counters, its archiver, its transaction ids, its pages.

use super::{Duration, Scene, Screen, Setback, Severity, counted, lasting, tidy};

impl Scene<'_> {
    pub(super) fn counters(&mut self) {
        let rates = self.state.rates;
        let health = || Self::on(Screen::Health);
        let low = rates.hit_ratio.map(|ratio| (ratio, self.rules.get("postgres.cache_hit").grade_low(ratio)));
        if let Some((ratio, Some(severity))) = low {
            let sentence = format!("cache hit ratio {:.0} % over the last minute", ratio * 100.0);
            self.push(
                "postgres.cache_hit",
                "cache",
                severity,
                sentence,
                None,
                0,
                "look for new large scans (queries)",
                health(),
            );
        }
        if let Some(count) = rates.deadlocks
            && let Some(severity) = self.rules.grade("postgres.deadlocks", count)
        {
            let sentence = format!("{} within a minute", counted(count as usize, "deadlock"));
            self.push(
                "postgres.deadlocks",
                "deadlocks",
                severity,
                sentence,
                None,
                count as usize,
                "see the server's log",
                health(),
            );
        }
        self.archiver();
    }

    /// Judged by what the archiver did last, not by how often it failed just now: it tries three times and then rests for a minute.
    fn archiver(&mut self) {
        let archiver = self.reading.health.ready().and_then(|health| health.archiver.ready()).cloned();
        let Some(archiver) =
            archiver.filter(|archiver| archiver.on && self.rules.get("postgres.archiver").enabled)
        else {
            return;
        };
        let ago = |seconds: f64| Duration::from_secs_f64(seconds.max(0.0));
        let (severity, sentence, since, step) = if archiver.is_failing() {
            let done = archiver.last_archived_seconds;
            let done = done.map_or("none ever was".to_owned(), |done| {
                format!("the last was {} ago", lasting(ago(done)))
            });
            let file =
                archiver.last_failed_file.map_or(String::new(), |file| format!(" {}", tidy(&file, 30)));
            let sentence =
                format!("WAL{file} cannot be archived ({done}): backups have a hole and pg_wal grows");
            let since = archiver.last_failed_seconds.map(ago);
            (Severity::Critical, sentence, since, "see archive_command in the server's log")
        } else if archiver.no_command {
            let sentence =
                "archiving is on and no archive_command is set: no WAL is archived and pg_wal grows"
                    .to_owned();
            (Severity::Warning, sentence, None, "set archive_command")
        } else {
            return;
        };
        let place = Self::on(Screen::Health);
        self.push("postgres.archiver", "archiver", severity, sentence, since, 1, step, place);
    }

    /// Pages that are not what was written. It stays until the counters are reset: a damaged page does not heal.
    pub(super) fn checksums(&mut self) {
        let databases = self.reading.databases.ready().cloned().unwrap_or_default();
        for database in databases {
            let failures = database.checksum_failures.unwrap_or_default();
            let Some(severity) = self.rules.grade("postgres.checksums", failures).filter(|_| failures > 0.0)
            else {
                continue;
            };
            let ago =
                database.checksum_failed_seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0)));
            let last = ago.map_or(String::new(), |ago| format!(", the last {} ago", lasting(ago)));
            let place = if database.name.is_empty() {
                "objects shared by all databases".to_owned()
            } else {
                format!("database {}", tidy(&database.name, 30))
            };
            let count = counted(failures as usize, "page");
            let sentence = format!("{place}: {count} failed the checksum{last}: data on the disk is damaged");
            let step = "save the files first; then pg_amcheck, a copy or a backup";
            let subject = format!("checksums {}", database.name);
            self.push(
                "postgres.checksums",
                &subject,
                severity,
                sentence,
                ago,
                0,
                step,
                Self::on(Screen::Health),
            );
        }
    }

    pub(super) fn wraparound_and_reset(&mut self) {
        let health = || Self::on(Screen::Health);
        let databases = self.reading.databases.ready().map(Vec::as_slice).unwrap_or_default();
        let oldest = databases
            .iter()
            .filter_map(|db| Some((db.xid_age?.max(db.multixact_age?), db)))
            .max_by_key(|(age, _)| *age);
        if let Some((age, db)) = oldest
            && let Some(severity) = self.rules.grade("postgres.wraparound", age as f64)
        {
            let sentence = format!(
                "database {} has an unfrozen id {} M transactions old (stop at 2147 M)",
                tidy(&db.name, 30),
                age / 1_000_000
            );
            self.push(
                "postgres.wraparound",
                &db.name.clone(),
                severity,
                sentence,
                None,
                0,
                "let autovacuum finish; find what holds xmin",
                health(),
            );
        }
        if let Some((at, setback)) = self.state.setback
            && self.now.since(at) < Duration::from_secs(600)
            && self.rules.get("postgres.reset").enabled
        {
            let when = at.wall.format("%H:%M:%SZ");
            let sentence = match setback {
                Setback::Restarted => format!("the server was restarted; noticed at {when}"),
                Setback::Promoted => {
                    format!("the server changed sides (primary or standby); noticed at {when}")
                }
                Setback::Crashed => {
                    format!(
                        "a server process died: every session was ended and the server recovered; noticed at {when}"
                    )
                }
                Setback::Reset => format!("counters were reset at {when}"),
            };
            let since = Some(self.now.since(at));
            self.push(
                "postgres.reset",
                "reset",
                Severity::Warning,
                sentence,
                since,
                0,
                "see the server's log",
                health(),
            );
        }
    }
}
