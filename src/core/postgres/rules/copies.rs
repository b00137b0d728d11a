//! The rules about copies of a server: those it feeds, itself as a copy, and the WAL it keeps for them.

use super::Scene;
use crate::core::alert::Severity;
use crate::core::part::Part;
use crate::core::place::Screen;
use crate::core::text::{lasting, sized, tidy};
use std::time::Duration;

impl Scene<'_> {
    pub(super) fn senders(&mut self) {
        let senders = self.reading.senders.ready().cloned().unwrap_or_default();
        for sender in senders {
            // Nothing outstanding means in sync, whatever an old measurement says.
            let bytes = sender.replay_bytes.unwrap_or_default();
            let seconds = sender.replay_seconds.filter(|_| bytes > 0.0);
            let by_time = seconds.and_then(|lag| self.rules.grade("postgres.replication_lag", lag));
            let by_size = self.rules.grade("postgres.replication_bytes", bytes);
            let Some(severity) = by_time.max(by_size) else {
                continue;
            };
            let name = if sender.name.is_empty() { sender.client.clone() } else { sender.name.clone() };
            let name = tidy(&name, 24);
            let time = seconds.map_or(String::new(), |lag| format!(", {lag:.1} s"));
            let sentence = format!("copy {name} is {}{time} behind", sized(bytes));
            let place = Self::on(Screen::Replication);
            self.push(
                "postgres.replication_lag",
                &name,
                severity,
                sentence,
                None,
                1,
                "look for a long query or slow disk there",
                place,
            );
        }
    }

    /// Copies that streamed and are gone: nobody else misses them where no slot waits for them.
    pub(super) fn departed(&mut self) {
        let setting = self.rules.get("postgres.copy_gone");
        let gone: Vec<(String, String, Duration)> = self
            .state
            .departed
            .gone()
            .filter(|_| setting.enabled)
            .map(|(name, client, since)| (name.to_owned(), client.to_owned(), self.now.since(since)))
            .collect();
        for (name, client, since) in gone {
            let shown = if name.is_empty() { "without a name".to_owned() } else { tidy(&name, 24) };
            let from = if client.is_empty() { "this machine".to_owned() } else { tidy(&client, 40) };
            let sentence = format!("copy {shown} (from {from}) streamed and is gone");
            let step = "look whether it runs and reaches this server";
            let place = Self::on(Screen::Replication);
            let subject = format!("{name} {client}");
            self.push(
                "postgres.copy_gone",
                &subject,
                Severity::Warning,
                sentence,
                Some(since),
                1,
                step,
                place,
            );
        }
    }

    /// Subscriptions that nobody applies.
    pub(super) fn subscriptions(&mut self) {
        let health = self.reading.health.ready();
        let all = health.and_then(|health| health.subscriptions.ready()).cloned().unwrap_or_default();
        let setting = self.rules.get("postgres.subscription");
        for one in all.iter().filter(|_| setting.enabled) {
            let name = format!("subscription {} in {}", tidy(&one.name, 30), tidy(&one.database, 30));
            let (severity, sentence, since, step) = if !one.enabled {
                let sentence =
                    format!("{name} is disabled: it receives nothing, and its publisher keeps WAL for it");
                (
                    Severity::Warning,
                    sentence,
                    None,
                    "ALTER SUBSCRIPTION … ENABLE when its reason is gone, or drop it",
                )
            } else if let Some(since) = self.state.departed.trouble(one) {
                let why = if one.works { "its worker fails again and again" } else { "no worker applies it" };
                let sentence = format!("{name} is broken: {why}");
                (
                    Severity::Critical,
                    sentence,
                    Some(self.now.since(since)),
                    "see the server's log for its error",
                )
            } else {
                continue;
            };
            let subject = format!("{} {}", one.database, one.name);
            let place = Self::on(Screen::Replication);
            self.push("postgres.subscription", &subject, severity, sentence, since, 1, step, place);
        }
    }

    pub(super) fn standby(&mut self) {
        let Some(standby) = self.reading.standby.ready().cloned() else {
            return;
        };
        let place = || Self::on(Screen::Replication);
        // The receiver is another session, too: of one that may not be seen nobody can say that it is not there.
        let told = self.reading.hidden().is_none();
        if !standby.streams() && told && standby.has_upstream && self.rules.get("postgres.receiver").enabled {
            let age = self.state.standby_lag().map_or(String::new(), |age| {
                format!(", it is up to {} behind", lasting(Duration::from_secs_f64(age.max(0.0))))
            });
            let sentence = format!("standby receives nothing from its primary{age}");
            self.push(
                "postgres.receiver",
                "receiver",
                Severity::Critical,
                sentence,
                None,
                1,
                "check the primary and the network",
                place(),
            );
            return;
        }
        let bytes = standby.behind_bytes.unwrap_or_default();
        let seconds = self.state.standby_lag().filter(|_| bytes > 0.0);
        let by_time = seconds.and_then(|lag| self.rules.grade("postgres.replication_lag", lag));
        let by_size = self.rules.grade("postgres.replication_bytes", bytes);
        if let Some(severity) = by_time.max(by_size) {
            let paused = if standby.paused { " (replay is PAUSED)" } else { "" };
            let sentence = format!("standby is {} behind what it received{paused}", sized(bytes));
            let step = if standby.paused {
                "SELECT pg_wal_replay_resume()"
            } else {
                "look for a long query on the standby"
            };
            self.push("postgres.replication_lag", "self", severity, sentence, None, 1, step, place());
        }
    }

    /// A copy by its own limits; commits that wait for one; the newest backup.
    pub(super) fn copies(&mut self) {
        let place = || Self::on(Screen::Replication);
        if let Some(rotation) = self.state.settings.rotation.clone()
            && self.rules.get("postgres.rotation").enabled
            && let Some(why) = rotation.out(self.state.standby_lag(), self.reading.probe)
        {
            let sentence = format!("{} would be taken out of rotation: {why}", tidy(&rotation.role, 24));
            let step = "keep readers away until it caught up";
            self.push("postgres.rotation", "rotation", Severity::Critical, sentence, None, 1, step, place());
        }
        let names = self.reading.slots.ready().map(|slots| slots.synchronous.clone()).unwrap_or_default();
        let senders = self.reading.senders.ready();
        let confirms = |senders: &Vec<crate::core::postgres::Sender>| {
            senders.iter().any(|sender| matches!(sender.sync.as_str(), "sync" | "quorum"))
        };
        if !names.trim().is_empty()
            && !self.reading.server.in_recovery
            && senders.is_some_and(|senders| !confirms(senders))
            && self.rules.get("postgres.synchronous").enabled
        {
            let sessions = self.reading.sessions.ready().map(Vec::as_slice).unwrap_or_default();
            let waits = |session: &&crate::core::postgres::Session| {
                session.wait.as_ref().is_some_and(|(_, event)| event.eq_ignore_ascii_case("SyncRep"))
            };
            let hit = sessions.iter().filter(waits).count();
            let sentence = format!(
                "commits wait for a synchronous standby ({}) and none is connected",
                tidy(&names, 30)
            );
            let step = "bring the standby back, or change synchronous_standby_names";
            self.push(
                "postgres.synchronous",
                "standby",
                Severity::Critical,
                sentence,
                None,
                hit,
                step,
                place(),
            );
        }
        match &self.reading.backup {
            Part::Ready(backup) => {
                if let Some(severity) = self.rules.grade("postgres.backup", backup.age.as_secs_f64()) {
                    let (age, path) = (lasting(backup.age), tidy(&backup.path, 40));
                    let sentence = format!("the last backup is {age} old ({path})");
                    let step = "see why none was made";
                    self.push("postgres.backup", "backup", severity, sentence, None, 0, step, place());
                }
            }
            Part::Unavailable(gap) if self.rules.get("postgres.backup").enabled => {
                let sentence = gap.note.clone();
                let step = "see `backups` of the target";
                self.push("postgres.backup", "backup", Severity::Warning, sentence, None, 0, step, place());
            }
            Part::Unavailable(_) | Part::NotAsked => {}
        }
    }

    /// What comes to its end soon if it goes on like this.
    pub(super) fn time_left(&mut self) {
        let ends = self.state.trends.ends(self.reading);
        for (what, left) in ends {
            let severity = self.rules.get("postgres.time_left").foresee(left.as_secs_f64());
            let Some(severity) = severity.filter(|_| !left.is_zero()) else { continue };
            let sentence = format!("if it goes on like this, {what} in {}", lasting(left));
            let (subject, step) = (what.clone(), "stop what grows, or raise the limit");
            let place = Self::on(Screen::Health);
            self.push("postgres.time_left", &subject, severity, sentence, None, 0, step, place);
        }
    }

    pub(super) fn slots(&mut self) {
        let slots = self.reading.replication_slots.ready().cloned().unwrap_or_default();
        for slot in slots {
            let lost = slot.wal_status.as_deref() == Some("lost") || slot.invalid.is_some();
            let kept = slot.retained_bytes.unwrap_or_default();
            let severity = if lost {
                Some(Severity::Critical)
            } else {
                self.rules.grade("postgres.slot_retained", kept)
            };
            let Some(severity) = severity.filter(|_| !slot.active || lost) else {
                continue;
            };
            let name = tidy(&slot.name, 30);
            let sentence = if lost {
                {
                    let why =
                        slot.invalid.as_ref().map_or(String::new(), |why| format!(" ({})", tidy(why, 30)));
                    format!("replication slot {name} is lost{why}: its reader must be built anew")
                }
            } else {
                {
                    let since = slot.inactive_seconds.map_or(String::new(), |seconds| {
                        format!(" since {}", lasting(Duration::from_secs_f64(seconds.max(0.0))))
                    });
                    format!("replication slot {name} has no reader{since} and keeps {} of WAL", sized(kept))
                }
            };
            let step = "bring its reader back; drop the slot only if that will never come";
            self.push(
                "postgres.slot_retained",
                &name,
                severity,
                sentence,
                None,
                0,
                step,
                Self::on(Screen::Replication),
            );
        }
    }
}
