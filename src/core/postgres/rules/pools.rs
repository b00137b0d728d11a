//! The rules about the PgBouncer in front of a server.

use super::Scene;
use crate::core::alert::Severity;
use crate::core::place::Screen;
use crate::core::text::{counted, lasting, tidy};

impl Scene<'_> {
    pub(super) fn pools(&mut self) {
        if let Some(gap) = self.reading.pooler.gap().filter(|_| self.rules.get("pgbouncer.silent").enabled) {
            // Whoever waited there may still wait: that nothing is known must not look like an end of it.
            let sentence = format!("{}; who waits there is not known", gap.note);
            let step = "check the pooler and `pgbouncer` of the target";
            let place = Self::on(Screen::Health);
            self.push("pgbouncer.silent", "console", Severity::Warning, sentence, None, 0, step, place);
        }
        let Some(pooler) = self.reading.pooler.ready().cloned() else { return };
        for pool in &pooler.pools {
            let severity = self.rules.grade("pgbouncer.waiting", pool.longest_wait.as_secs_f64());
            let Some(severity) = severity.filter(|_| pool.clients_waiting > 0) else { continue };
            let waiting = counted(pool.clients_waiting as usize, "client");
            let full = pooler.utilisation(pool).is_some_and(|used| used >= 1.0);
            let why = if full {
                "all its server connections are in use"
            } else {
                "it has free connections: look at the server"
            };
            let sentence = format!(
                "PgBouncer pool {}: {waiting} waiting for a connection, the first for {}; {why}",
                tidy(&pool.database, 30),
                lasting(pool.longest_wait)
            );
            let subject = format!("{} {}", pool.database, pool.user);
            let step = if full { "find what holds them (screens 2 and 3)" } else { "look at the server" };
            let (since, hit) = (Some(pool.longest_wait), pool.clients_waiting as usize);
            self.push(
                "pgbouncer.waiting",
                &subject,
                severity,
                sentence,
                since,
                hit,
                step,
                Self::on(Screen::Health),
            );
        }
        if !self.rules.get("pgbouncer.paused").enabled {
            return;
        }
        for database in pooler.databases.iter().filter(|database| database.paused || database.disabled) {
            let word = if database.paused { "paused" } else { "disabled" };
            let sentence = format!("PgBouncer database {} is {word}", tidy(&database.name, 30));
            let (name, step) =
                (database.name.clone(), "RESUME or ENABLE it on its console when the reason is gone");
            self.push(
                "pgbouncer.paused",
                &name,
                Severity::Warning,
                sentence,
                None,
                1,
                step,
                Self::on(Screen::Health),
            );
        }
    }
}
