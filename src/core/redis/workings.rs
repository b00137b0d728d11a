//! What is read of a queue only while somebody looks at it: schedulers, events, run times, parents that wait in vain, memory.

use super::{Payload, QueueRef};
use crate::core::exact;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One look at a queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueueWorkings {
    /// Which queue.
    pub queue: QueueRef,
    /// What makes its jobs by the clock, the next first.
    pub schedulers: Vec<Scheduler>,
    /// What happened, the newest first.
    pub events: Vec<QueueEvent>,
    /// How long its completed jobs waited and ran, by their names, the slowest first.
    pub times: Vec<RunTimes>,
    /// Parents that wait for children that have failed: id and how many of those that were looked at.
    pub blocked: Vec<(String, usize)>,
    /// How many jobs all workers together may run at once.
    pub concurrency: Option<u64>,
    /// Its rate limit: jobs in a span.
    pub rate: Option<(u64, Duration)>,
    /// Its workers; none where who is connected may not be asked.
    pub workers: Option<Vec<QueueWorker>>,
    /// Bytes, estimated from a sample of its jobs.
    #[serde(with = "exact")]
    pub memory_bytes: Option<f64>,
}

/// A worker that is connected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueueWorker {
    /// Its address.
    pub address: String,
    /// Its own name; empty where it has none.
    pub name: String,
    /// For how long it has been connected.
    pub connected: Duration,
    /// For how long its connection has been quiet.
    pub quiet: Duration,
    /// It waits for a job right now.
    pub waits: bool,
}

/// What makes jobs by the clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scheduler {
    /// Its id; of older libraries the key that they made of it.
    pub id: String,
    /// The name of its jobs.
    pub name: String,
    /// "every 5m", "0 3 * * * (Europe/Berlin)".
    pub rhythm: String,
    /// How long until its next job.
    pub next_in: Option<Duration>,
    /// For how long that is over.
    pub overdue: Option<Duration>,
    /// It has made as many as it may, or its last day is over.
    #[serde(default)]
    pub ended: bool,
    /// Jobs made so far.
    pub made: Option<u64>,
    /// The job that it made for its next time, if that is there.
    pub job: Option<String>,
}

/// One event of a queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct QueueEvent {
    /// Its place in the stream.
    pub id: String,
    /// How long ago.
    pub age: Option<Duration>,
    /// waiting, active, completed, failed, stalled, …
    pub event: String,
    /// Which job.
    pub job: String,
    /// What else it says, by its own names.
    pub details: Vec<(String, Payload)>,
}

impl QueueEvent {
    /// What else it says, in one line.
    #[must_use]
    pub fn detail(&self) -> String {
        self.details.iter().map(|(name, text)| format!("{name} {text}")).collect::<Vec<_>>().join(", ")
    }
}

/// One completed job, as far as it tells about time; in milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ended {
    /// Its name.
    pub name: String,
    /// When it was ready: added, plus its delay. None where it was tried more than once: then it tells nothing about waiting.
    pub ready: Option<i64>,
    /// When it began.
    pub began: i64,
    /// When it ended.
    pub ended: i64,
}

/// How long jobs of one name waited and ran.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunTimes {
    /// Their name.
    pub name: String,
    /// How many were looked at.
    pub jobs: usize,
    /// Half of them waited no longer.
    pub wait_p50: Option<Duration>,
    /// 95 of 100 waited no longer.
    pub wait_p95: Option<Duration>,
    /// Half of them ran no longer.
    pub run_p50: Option<Duration>,
    /// 95 of 100 ran no longer.
    pub run_p95: Option<Duration>,
}

/// The value that `share` of the sorted values do not exceed (nearest rank).
fn percentile(sorted: &[i64], share: f64) -> Option<Duration> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    let value = sorted.get(rank.max(1) - 1)?;
    Some(Duration::from_millis(u64::try_from(*value).unwrap_or(0)))
}

/// Times by name, the slowest first.
#[must_use]
pub fn run_times(jobs: &[Ended]) -> Vec<RunTimes> {
    let mut names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &str| {
        let alike: Vec<&Ended> = jobs.iter().filter(|job| job.name == name).collect();
        let mut waits: Vec<i64> = alike.iter().filter_map(|job| Some(job.began - job.ready?)).collect();
        let mut runs: Vec<i64> = alike.iter().map(|job| job.ended - job.began).collect();
        waits.sort_unstable();
        runs.sort_unstable();
        RunTimes {
            name: name.to_owned(),
            jobs: alike.len(),
            wait_p50: percentile(&waits, 0.5),
            wait_p95: percentile(&waits, 0.95),
            run_p50: percentile(&runs, 0.5),
            run_p95: percentile(&runs, 0.95),
        }
    };
    let mut times: Vec<RunTimes> = names.into_iter().map(of).collect();
    times.sort_by_key(|times| std::cmp::Reverse(times.run_p95));
    times
}

/// How many times longer than 95 of 100 before it a job of this name has been running, from three times on; with fewer than twenty to
/// compare with nothing is said. Its worker renews its lock while the work hangs, so that no library will ever take it for stalled.
#[must_use]
pub fn overlong(times: &[RunTimes], name: &str, running: Duration) -> Option<f64> {
    let usual = times.iter().find(|times| times.name == name && times.jobs >= 20)?.run_p95?;
    let ratio = running.as_secs_f64() / usual.as_secs_f64().max(0.1);
    (ratio >= 3.0).then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_by_name_and_a_second_try_tells_nothing_about_waiting() {
        let job = |name: &str, ready: Option<i64>, began: i64, ended: i64| Ended {
            name: name.to_owned(),
            ready,
            began,
            ended,
        };
        let mut jobs: Vec<Ended> =
            (1..=100).map(|n| job("mail", Some(1000), 1000 + n, 1000 + n + n * 10)).collect();
        jobs.push(job("mail", None, 90_000, 90_001));
        jobs.push(job("export", Some(0), 5, 60_005));
        let times = run_times(&jobs);
        assert_eq!(times[0].name, "export");
        assert_eq!(times[0].run_p95, Some(Duration::from_secs(60)));
        let mail = &times[1];
        assert_eq!(
            (mail.jobs, mail.wait_p50, mail.wait_p95),
            (101, Some(Duration::from_millis(50)), Some(Duration::from_millis(95)))
        );
        assert!(run_times(&[]).is_empty());
        let hangs = overlong(&times, "mail", Duration::from_secs(10)).expect("far longer than 0.96 s");
        assert!((10.0..11.0).contains(&hangs), "{hangs}");
        assert_eq!(overlong(&times, "mail", Duration::from_secs(2)), None);
        assert_eq!(overlong(&times, "export", Duration::from_secs(9000)), None, "one tells nothing");
    }
}
