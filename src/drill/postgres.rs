//! What a poll of the shop's database, and of its copy, would say.

use super::sim::{Sim, TROUBLE_AT, Waiter};
use crate::core::focus::Focus;
use crate::core::part::Part;
use crate::core::postgres::locks::{LockMode, LockReading, LockRow};
use crate::core::postgres::{
    Archiver, BackendId, DatabaseCounters, Health, Literals, PostgresReading, PostgresSettings,
    ReplicationSlot, Rotation, Sender, Server, Session, SessionState, Slots, Standby, StatementCounters,
    StatementKey, Statements,
};
use crate::core::time::Now;
use crate::core::whereabouts::Whereabouts;
use std::time::Duration;

/// The statements of the shop: text, share of the load, mean milliseconds.
const STATEMENTS: [(&str, f64, f64); 6] = [
    ("SELECT * FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT $2", 0.40, 1.1),
    ("UPDATE orders SET state = $1 WHERE id = $2", 0.12, 0.6),
    ("SELECT p.* FROM products p JOIN stock s ON s.product_id = p.id WHERE p.category = $1", 0.25, 4.2),
    ("INSERT INTO events (kind, payload) VALUES ($1, $2)", 0.18, 0.3),
    ("SELECT count(*) FROM carts WHERE updated_at > now() - $1::interval", 0.03, 38.0),
    ("DELETE FROM sessions WHERE expires_at < now()", 0.02, 12.0),
];
/// Transaction ids: the root's, and those of who waits.
const ROOT_XID: &str = "transaction 90412";
const TUPLE: &str = "row (311,4) of table orders";
const BLOCKED_UPDATE: &str = "UPDATE orders SET state = 'paid', paid_at = now() WHERE id = 8831";

fn server(sim: &Sim, standby: bool) -> Server {
    Server {
        version_num: 170_002,
        version: "17.2".to_owned(),
        in_recovery: standby,
        started_micros: sim.micros(-864_000.0),
        role: "stacktop".to_owned(),
        database: "shop".to_owned(),
        superuser: false,
        reads_all_stats: true,
        uninherited: false,
        signals: true,
        pooled: false,
        whereabouts: Whereabouts::Here,
        direct: true,
        tls: true,
        system: Some("7301552280719432017".to_owned()),
        untold: Vec::new(),
        data_directory: None,
    }
}

fn client(id: BackendId, user: &str, application: &str, state: SessionState, query: &str) -> Session {
    Session {
        id,
        leader_pid: None,
        database: "shop".to_owned(),
        user: user.to_owned(),
        application: application.to_owned(),
        client: "10.20.0.14".to_owned(),
        backend_type: "client backend".to_owned(),
        state,
        wait: Some(("Client".to_owned(), "ClientRead".to_owned())),
        transaction_age: None,
        query_age: None,
        state_age: None,
        query_start_micros: None,
        writes: false,
        xmin_age: None,
        superuser: false,
        query: Literals::default().text(query),
        query_id: None,
    }
}

fn root(sim: &Sim) -> Session {
    let age = sim.age(TROUBLE_AT);
    Session {
        transaction_age: Some(age + Duration::from_millis(140)),
        query_age: Some(age + Duration::from_millis(20)),
        state_age: Some(age),
        query_start_micros: Some(sim.micros(TROUBLE_AT)),
        writes: true,
        xmin_age: Some(1200 + (sim.told * 300.0) as u32),
        ..client(
            sim.root(),
            "billing",
            "billing-worker",
            SessionState::IdleInTransaction,
            "UPDATE orders SET invoice_state = 'pending' WHERE id = 8831",
        )
    }
}

fn waiting(sim: &Sim, waiter: &Waiter, first: bool) -> Session {
    let age = sim.age(waiter.since);
    let event = if first { "transactionid" } else { "tuple" };
    let id = BackendId { pid: waiter.pid, backend_start_micros: sim.waiter_start(waiter) };
    Session {
        wait: Some(("Lock".to_owned(), event.to_owned())),
        transaction_age: Some(age + Duration::from_millis(3)),
        query_age: Some(age),
        state_age: Some(age),
        query_start_micros: Some(sim.micros(waiter.since)),
        writes: true,
        ..client(id, "shop", "shop-api", SessionState::Active, BLOCKED_UPDATE)
    }
}

fn others(sim: &Sim) -> Vec<Session> {
    let mut list = Vec::new();
    for index in 0..14_i32 {
        let id = BackendId {
            pid: 3000 + index * 11,
            backend_start_micros: sim.micros(-4000.0 - f64::from(index)),
        };
        let busy = sim.noise(200 + index as u64 * 977 + sim.told as u64) > 0.72;
        let (text, _, mean) = STATEMENTS[index as usize % STATEMENTS.len()];
        let state = if busy { SessionState::Active } else { SessionState::Idle };
        let application = ["shop-api", "catalogue-api", "admin"][index as usize % 3];
        let age = Duration::from_secs_f64(if busy { mean / 1000.0 } else { 0.8 + f64::from(index) * 0.3 });
        list.push(Session {
            wait: (!busy).then(|| ("Client".to_owned(), "ClientRead".to_owned())),
            transaction_age: busy.then_some(age),
            query_age: Some(age),
            state_age: Some(age),
            query_start_micros: Some(sim.micros(sim.told)),
            ..client(id, "shop", application, state, text)
        });
    }
    list.push(Session {
        backend_type: "walsender".to_owned(),
        wait: Some(("Activity".to_owned(), "WalSenderMain".to_owned())),
        ..client(
            BackendId { pid: 880, backend_start_micros: sim.micros(-80_000.0) },
            "replicator",
            "shop-db-copy",
            SessionState::Active,
            "START_REPLICATION",
        )
    });
    list
}

fn lock(pid: i32, tag: &str, mode: LockMode, granted: bool, waiting: Option<Duration>) -> LockRow {
    LockRow {
        pid: Some(pid),
        prepared_xid: None,
        tag: tag.to_owned(),
        object: tag.to_owned(),
        mode,
        granted,
        waiting,
        blockers: Vec::new(),
    }
}

fn locks(sim: &Sim) -> LockReading {
    let mut reading = LockReading::default();
    if !sim.blocked() {
        return reading;
    }
    let root = sim.root().pid;
    reading.rows.push(lock(root, ROOT_XID, LockMode::Exclusive, true, None));
    for (index, waiter) in sim.waiters.iter().enumerate() {
        let waited = Some(sim.age(waiter.since));
        if index == 0 {
            reading.rows.push(lock(waiter.pid, TUPLE, LockMode::Exclusive, true, None));
            reading.rows.push(lock(waiter.pid, ROOT_XID, LockMode::Share, false, waited));
        } else {
            reading.rows.push(lock(waiter.pid, TUPLE, LockMode::Exclusive, false, waited));
        }
    }
    reading
}

fn counters(sim: &Sim, standby: bool) -> DatabaseCounters {
    let counters = &sim.counters;
    DatabaseCounters {
        name: "shop".to_owned(),
        commits: if standby { counters.commits * 0.2 } else { counters.commits },
        rollbacks: counters.rollbacks,
        blocks_read: counters.reads,
        blocks_hit: counters.hits,
        rows_changed: counters.commits * 2.2,
        temp_files: 0.0,
        temp_bytes: 0.0,
        deadlocks: 0.0,
        conflicts: 0.0,
        checksum_failures: Some(0.0),
        checksum_failed_seconds: None,
        xid_age: Some(41_000_000),
        multixact_age: Some(900_000),
    }
}

fn statements(sim: &Sim) -> Statements {
    let rows = STATEMENTS
        .iter()
        .enumerate()
        .map(|(index, (_, share, mean))| {
            let key = StatementKey { user: 10, database: 5, query: 7000 + index as i64, toplevel: true };
            let calls = sim.counters.calls * share;
            let counters = StatementCounters {
                calls,
                exec_ms: calls * mean,
                rows: calls * 3.0,
                hit: calls * 40.0,
                read: calls * if *mean > 10.0 { 9.0 } else { 0.2 },
                temp: 0.0,
                wal_bytes: calls * 120.0,
                io_ms: calls * mean * if *mean > 10.0 { 0.7 } else { 0.05 },
            };
            (key, counters)
        })
        .collect();
    Statements { rows, evictions: Some(0.0) }
}

/// The primary.
pub(super) fn primary(sim: &Sim, now: Now, focus: &[Focus]) -> PostgresReading {
    let mut sessions = others(sim);
    if sim.blocked() {
        sessions.push(root(sim));
    }
    sessions.extend(sim.waiters.iter().enumerate().map(|(index, waiter)| waiting(sim, waiter, index == 0)));
    let asked = focus.iter().flat_map(Focus::statements);
    let texts = asked
        .filter_map(|id| {
            let index = usize::try_from(*id - 7000).ok()?;
            Some((*id, Literals::default().text(STATEMENTS.get(index)?.0)))
        })
        .collect();
    let looks = super::looks::looks(&sessions, now, focus);
    PostgresReading {
        server: server(sim, false),
        locks: Part::Ready(locks(sim)),
        databases: Part::Ready(vec![counters(sim, false)]),
        slots: Part::Ready(Slots { max: 60, reserved: 3, used: sessions.len() as i64, ..Slots::default() }),
        sessions: Part::Ready(sessions),
        senders: Part::Ready(vec![Sender {
            pid: 880,
            name: "shop-db-copy".to_owned(),
            client: "10.20.0.32".to_owned(),
            state: "streaming".to_owned(),
            sync: "async".to_owned(),
            sent_bytes: Some(0.0),
            flush_bytes: Some(sim.lag_bytes * 0.02),
            replay_bytes: Some(sim.lag_bytes),
            replay_seconds: Some(sim.lag_bytes / 7e6),
            reply_age_seconds: Some(0.4),
        }]),
        replication_slots: Part::Ready(vec![ReplicationSlot {
            name: "copy_1".to_owned(),
            kind: "physical".to_owned(),
            active: true,
            retained_bytes: Some(sim.lag_bytes + 1.6e7),
            wal_status: Some("reserved".to_owned()),
            ..ReplicationSlot::default()
        }]),
        statements: Part::Ready(statements(sim)).warm(now),
        texts,
        health: Part::Ready(Health {
            wal_position: Some(sim.counters.wal_bytes),
            checkpoints_timed: Some(2016.0),
            checkpoints_requested: Some(3.0),
            archiver: Part::Ready(Archiver::default()),
            subscriptions: Part::Ready(Vec::new()),
            vacuums: Part::Ready(Vec::new()),
            prepared: Part::Ready(Vec::new()),
            freeze_max_age: Some(2e8),
            spills: Part::Ready(Vec::new()),
        })
        .warm(now),
        looks,
        probe: Some(Duration::from_millis(1)),
        ..PostgresReading::default()
    }
}

/// The copy.
pub(super) fn standby(sim: &Sim, now: Now) -> PostgresReading {
    PostgresReading {
        server: server(sim, true),
        sessions: Part::Ready(Vec::new()),
        locks: Part::Ready(LockReading::default()),
        databases: Part::Ready(vec![counters(sim, true)]),
        slots: Part::Ready(Slots { max: 60, reserved: 3, used: 0, ..Slots::default() }),
        senders: Part::Ready(Vec::new()),
        standby: Part::Ready(Standby {
            receiver: Some("streaming".to_owned()),
            upstream: "10.20.0.31:5432".to_owned(),
            has_upstream: true,
            behind_bytes: Some(sim.lag_bytes),
            staleness_seconds: Some(sim.lag_bytes / 7e6),
            message_age_seconds: Some(0.3),
            paused: false,
        }),
        replication_slots: Part::Ready(Vec::new()),
        statements: Part::Ready(Statements { rows: Vec::new(), evictions: None }).warm(now),
        probe: Some(Duration::from_millis(2)),
        ..PostgresReading::default()
    }
}

/// What is configured of the copy.
pub(super) fn standby_settings() -> PostgresSettings {
    let rotation = Rotation {
        role: "reporting".to_owned(),
        max_lag: Some(Duration::from_secs(60)),
        max_latency: Some(Duration::from_millis(500)),
    };
    PostgresSettings { rotation: Some(rotation), ..PostgresSettings::default() }
}
