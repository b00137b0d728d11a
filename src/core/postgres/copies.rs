//! Copies of a server: standbys, replication slots, backups. Pure.

use crate::core::exact;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One WAL sender: a copy that is fed from here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sender {
    /// Its process.
    pub pid: i32,
    /// `application_name` of the copy.
    pub name: String,
    /// Address of the copy.
    pub client: String,
    /// `state`: startup, catchup, streaming, backup, stopping.
    pub state: String,
    /// `sync_state`: async, potential, sync, quorum.
    pub sync: String,
    /// Bytes between what was written here and what was sent, written, flushed and replayed there.
    #[serde(with = "exact")]
    pub sent_bytes: Option<f64>,
    /// See [`Sender::sent_bytes`].
    #[serde(with = "exact")]
    pub flush_bytes: Option<f64>,
    /// See [`Sender::sent_bytes`].
    #[serde(with = "exact")]
    pub replay_bytes: Option<f64>,
    /// `replay_lag` in seconds; none when nothing was measured lately.
    #[serde(with = "exact")]
    pub replay_seconds: Option<f64>,
    /// Seconds since its last message.
    #[serde(with = "exact")]
    pub reply_age_seconds: Option<f64>,
}

/// What a standby knows of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standby {
    /// `status` of the WAL receiver; none when there is no receiver.
    pub receiver: Option<String>,
    /// Where it receives from.
    pub upstream: String,
    /// A primary is configured at all (else it lives from an archive).
    pub has_upstream: bool,
    /// Bytes received and not replayed yet.
    #[serde(with = "exact")]
    pub behind_bytes: Option<f64>,
    /// Seconds since the newest replayed transaction was committed; grows on an idle primary too.
    #[serde(with = "exact")]
    pub staleness_seconds: Option<f64>,
    /// Seconds since the receiver heard anything.
    #[serde(with = "exact")]
    pub message_age_seconds: Option<f64>,
    /// Replay was paused by somebody.
    pub paused: bool,
}

impl Standby {
    /// WAL arrives.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.receiver.as_deref() == Some("streaming")
    }
}

/// A replication slot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplicationSlot {
    /// Its name.
    pub name: String,
    /// physical or logical.
    pub kind: String,
    /// Somebody is connected to it.
    pub active: bool,
    /// Bytes of WAL that it keeps.
    #[serde(with = "exact")]
    pub retained_bytes: Option<f64>,
    /// `wal_status`: reserved, extended, unreserved, lost.
    pub wal_status: Option<String>,
    /// Bytes until it is lost; none when there is no limit (then the disk is the limit).
    #[serde(with = "exact")]
    pub safe_bytes: Option<f64>,
    /// Seconds since its reader left (17 and later).
    #[serde(with = "exact")]
    pub inactive_seconds: Option<f64>,
    /// Why it is of no use any more (17 and later; `conflicting` on 16).
    pub invalid: Option<String>,
}

/// One subscription: what this server receives from a publication elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its name.
    pub name: String,
    /// The database that it is in.
    pub database: String,
    /// It is switched on; a server switches it off by itself where `disable_on_error` is set.
    pub enabled: bool,
    /// A worker applies it now.
    pub works: bool,
    /// Errors of its workers so far (15 and later).
    #[serde(with = "exact")]
    pub errors: Option<f64>,
}

/// When a copy is of use to its readers; beyond these a load balancer would take it out of rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// What the copy is for ("reporting").
    pub role: String,
    /// The most that it may be behind.
    pub max_lag: Option<Duration>,
    /// The longest that it may take to answer.
    pub max_latency: Option<Duration>,
}

impl Rotation {
    /// Why it would be taken out; nothing while it is of use.
    #[must_use]
    pub fn out(&self, lag_seconds: Option<f64>, probe: Option<Duration>) -> Option<String> {
        let limit = self.max_lag.map(|limit| limit.as_secs_f64());
        if let Some((lag, limit)) = lag_seconds.zip(limit).filter(|(lag, limit)| lag > limit) {
            return Some(format!("it is up to {lag:.1} s behind, the limit is {limit:.1} s"));
        }
        let (limit, took) = (self.max_latency?, probe?);
        (took > limit)
            .then(|| format!("it answers in {} ms, the limit is {} ms", took.as_millis(), limit.as_millis()))
    }
}

/// The newest of the files that a pattern names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backup {
    /// Where it lies.
    pub path: String,
    /// How long ago it was written.
    pub age: Duration,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many files there are.
    pub files: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_out_by_lag_or_by_latency() {
        let rotation = Rotation {
            role: "reporting".to_owned(),
            max_lag: Some(Duration::from_secs(10)),
            max_latency: Some(Duration::from_millis(500)),
        };
        let quick = Some(Duration::from_millis(3));
        assert_eq!(rotation.out(Some(9.0), quick), None);
        assert!(rotation.out(Some(14.0), quick).is_some_and(|why| why.contains("14.0 s behind")));
        let slow = Some(Duration::from_millis(900));
        assert!(rotation.out(None, slow).is_some_and(|why| why.contains("900 ms")));
    }
}
