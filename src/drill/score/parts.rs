//! Readings that several small scenes are made of.

use crate::core::metrics::{MetricKind, MetricSample, MetricsReading};
use crate::core::part::{Part, Warm};
use crate::core::postgres::locks::{LockMode, LockReading, LockRow};
use crate::core::postgres::{BackendId, PostgresReading, Server, Session, SessionState};
use crate::core::reading::Reading;
use crate::core::redis::{
    Evidence, Family, Happened, Masks, QueueReading, QueueRef, RedisReading, RedisServer,
};
use crate::core::time::Now;
use std::time::Duration;

/// Seconds since something began at `from`; nothing before that.
pub(super) fn since(second: u64, from: u64) -> Option<Duration> {
    second.checked_sub(from).map(Duration::from_secs)
}

/// A primary with these sessions.
pub(super) fn postgres(sessions: Vec<Session>) -> PostgresReading {
    let server = Server {
        version_num: 160_002,
        version: "16.2".to_owned(),
        database: "shop".to_owned(),
        reads_all_stats: true,
        uninherited: false,
        signals: true,
        ..Server::default()
    };
    PostgresReading { server, sessions: Part::Ready(sessions), ..PostgresReading::default() }
}

/// A session of the shop whose transaction has been open for so long.
pub(super) fn session(pid: i32, state: SessionState, open: Duration) -> Session {
    Session {
        id: BackendId { pid, backend_start_micros: i64::from(pid) },
        database: "shop".to_owned(),
        user: "shop".to_owned(),
        application: "shop".to_owned(),
        client: "10.1.0.9".to_owned(),
        backend_type: "client backend".to_owned(),
        state,
        transaction_age: Some(open),
        query_age: Some(open),
        state_age: Some(open),
        query_start_micros: Some(i64::from(pid)),
        ..Session::default()
    }
}

/// A session holds a table, and these wait for it, for so long.
pub(super) fn blocked(holder: i32, waiters: &[i32], waited: Duration) -> PostgresReading {
    let lock = |pid: i32, waiting: Option<Duration>| LockRow {
        pid: Some(pid),
        prepared_xid: None,
        tag: "orders".to_owned(),
        object: "relation orders".to_owned(),
        mode: LockMode::AccessExclusive,
        granted: waiting.is_none(),
        waiting,
        blockers: Vec::new(),
    };
    let mut sessions = vec![session(holder, SessionState::IdleInTransaction, waited)];
    let mut rows = vec![lock(holder, None)];
    for pid in waiters {
        let wait = Some(("Lock".to_owned(), "relation".to_owned()));
        sessions.push(Session { wait, ..session(*pid, SessionState::Active, waited) });
        rows.push(lock(*pid, Some(waited)));
    }
    let locks = Part::Ready(LockReading { rows, ..LockReading::default() });
    PostgresReading { locks, ..postgres(sessions) }
}

/// A primary of Redis with these queues.
pub(super) fn redis(server: RedisServer, queues: Vec<QueueReading>, now: Now) -> Reading {
    let server = RedisServer {
        version: "7.4.1".to_owned(),
        run_id: "one".to_owned(),
        role: "master".to_owned(),
        ..server
    };
    let queues = Part::Ready(queues.into_iter().map(|queue| Warm::new(now, queue)).collect());
    Reading::Redis(Box::new(RedisReading { server, queues, ..RedisReading::default() }))
}

/// A queue with so many workers; its jobs fail for `reason`, if it is one.
pub(super) fn queue(name: &str, workers: usize, reason: &str) -> QueueReading {
    let happened = Happened {
        completed_last_minute: 20,
        completed: 100,
        failed: if reason.is_empty() { 0 } else { 60 },
        reason: Masks::default().payload(reason.to_owned()),
        ..Happened::default()
    };
    QueueReading {
        queue: QueueRef { prefix: "bull".to_owned(), name: name.to_owned() },
        evidence: Evidence { family: Family::BullMq(5), workers: Some(workers), ..Evidence::default() },
        completed_last_minute: 20,
        happened: Part::Ready(happened),
        ..QueueReading::default()
    }
}

fn sample(name: &str, labels: &[(&str, &str)], value: f64) -> MetricSample {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    MetricSample { name: name.to_owned(), labels, value }
}

fn metrics(samples: &[MetricSample], kinds: &[(&str, MetricKind)]) -> Reading {
    let kinds = kinds.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
    Reading::Metrics(Box::new(MetricsReading { bytes: 99, ..MetricsReading::of(samples, &kinds) }))
}

/// A service that answers fifty requests a second, from second `from` on half of them with 503, all of them slowly from then on if `slow`.
pub(super) fn service(second: u64, from: u64, slow: bool) -> Reading {
    let bad = second.saturating_sub(from) as f64 * 25.0;
    let all = second as f64 * 50.0;
    let long = if slow { bad * 2.0 } else { 0.0 };
    let failed = if slow { 0.0 } else { bad };
    let family = "http_request_duration_seconds";
    let bucket = |le: &str, count| sample(&format!("{family}_bucket"), &[("le", le)], count);
    let samples = [
        sample("http_requests_total", &[("code", "200")], all - failed),
        sample("http_requests_total", &[("code", "503")], failed),
        bucket("0.1", all - long),
        bucket("1", all),
        bucket("+Inf", all),
    ];
    metrics(&samples, &[("http_requests_total", MetricKind::Counter), (family, MetricKind::Histogram)])
}

/// A host whose only disk is this full, 0–1.
pub(super) fn host(used: f64) -> Reading {
    let of = [("device", "/dev/sda1"), ("fstype", "ext4"), ("mountpoint", "/")];
    let names = ["node_filesystem_size_bytes", "node_filesystem_avail_bytes", "node_filesystem_free_bytes"];
    let values = [1e12, 1e12 * (1.0 - used), 1e12 * (1.0 - used)];
    let samples: Vec<MetricSample> =
        names.iter().zip(values).map(|(name, value)| sample(name, &of, value)).collect();
    metrics(&samples, &names.map(|name| (name, MetricKind::Gauge)))
}
