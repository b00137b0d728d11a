//! The rules about copies of a server: those it feeds, itself as a copy, and the WAL it keeps for them.

use super::Scene;
use crate::core::alert::Severity;
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

    pub(super) fn standby(&mut self) {
        let Some(standby) = self.reading.standby.ready().cloned() else {
            return;
        };
        let place = || Self::on(Screen::Replication);
        let streaming = standby.receiver.as_deref() == Some("streaming");
        if !streaming && standby.has_upstream && self.rules.get("postgres.receiver").enabled {
            let age = standby.staleness_seconds.map_or(String::new(), |age| {
                format!(", newest data {} old", lasting(Duration::from_secs_f64(age.max(0.0))))
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
        let seconds = standby.staleness_seconds.filter(|_| bytes > 0.0);
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

    pub(super) fn slots(&mut self) {
        let slots = self.reading.replication_slots.ready().cloned().unwrap_or_default();
        for slot in slots {
            let lost = slot.wal_status.as_deref() == Some("lost");
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
                format!("replication slot {name} is lost: its reader must be built anew")
            } else {
                format!("replication slot {name} has no reader and keeps {} of WAL", sized(kept))
            };
            let step = "bring its reader back, or drop the slot";
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
