//! From rows to readings: logic, no I/O. Text is taken as bytes and read lossily: sessions of other encodings send what they like.

use super::charset::Charset;
use super::connection::{Connection, Row};
use super::names::{Names, Thing};
use crate::core::postgres::BackendId;
use crate::core::postgres::locks::{LockMode, LockRow, PreparedTransaction};
use crate::core::postgres::{
    DatabaseCounters, Literals, ReplicationSlot, Sender, Server, Session, SessionState, Slots, Standby,
    StatementCounters, StatementKey, Subscription, VacuumProgress,
};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;
use tokio_postgres::types::{FromSql, Kind, Type};

/// Longer than this a text is cut: a statement may be megabytes long.
const TEXT_LIMIT_BYTES: usize = super::queries::STATEMENT_BYTES;

/// Text as it came; see [`TEXT_LIMIT_BYTES`].
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(&raw[..raw.len().min(TEXT_LIMIT_BYTES)]))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::TEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR | Type::BYTEA | Type::UNKNOWN)
            || matches!(ty.kind(), Kind::Domain(_))
    }
}

fn raw(row: &Row, at: usize) -> Option<&[u8]> {
    row.try_get::<_, Option<Raw<'_>>>(at).ok().flatten().map(|raw| raw.0)
}

/// Column `at` as text; nothing when it is NULL or of another type.
pub fn text(row: &Row, at: usize) -> Option<String> {
    raw(row, at).map(|bytes| row.charset.read_name(bytes))
}

/// Column `at` as text that is written as `charset` says.
fn written(row: &Row, at: usize, charset: Charset) -> Option<String> {
    raw(row, at).map(|bytes| charset.read(bytes))
}

/// Column `at`; nothing when it is NULL or of another type.
pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Option<T> {
    row.try_get::<_, Option<T>>(at).ok().flatten()
}

fn seconds(row: &Row, at: usize) -> Option<Duration> {
    // A clock that was set back gives a small negative age.
    get::<f64>(row, at).and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok())
}

/// Who answers.
pub fn server(row: &Row, connection: &Connection) -> Server {
    Server {
        version_num: get::<i32>(row, 0).unwrap_or_default().unsigned_abs(),
        version: text(row, 1).unwrap_or_default(),
        in_recovery: get(row, 2).unwrap_or_default(),
        started_micros: get(row, 3).unwrap_or_default(),
        role: text(row, 4).unwrap_or_default(),
        database: text(row, 5).unwrap_or_default(),
        superuser: get(row, 6).unwrap_or_default(),
        reads_all_stats: get(row, 7).unwrap_or_default(),
        uninherited: get(row, 10).unwrap_or_default(),
        signals: get(row, 8).unwrap_or_default(),
        tls: connection.tls,
        pooled: connection.pooled.is_some(),
        whereabouts: connection.whereabouts.clone(),
        system: None,
        data_directory: connection.data_directory.clone(),
    }
}

/// Who answers, as far as it says so without its catalogs; the names are those that were asked for. What is not known of rights is none.
pub fn stranger(row: &Row, connection: &Connection, (role, database): (&str, &str)) -> Server {
    let superuser = get(row, 4).unwrap_or_default();
    Server {
        version_num: get::<i32>(row, 0).unwrap_or_default().unsigned_abs(),
        version: text(row, 1).unwrap_or_default(),
        in_recovery: get(row, 2).unwrap_or_default(),
        started_micros: get(row, 3).unwrap_or_default(),
        role: role.to_owned(),
        database: database.to_owned(),
        superuser,
        reads_all_stats: superuser,
        uninherited: false,
        signals: superuser,
        tls: connection.tls,
        pooled: connection.pooled.is_some(),
        whereabouts: connection.whereabouts.clone(),
        system: None,
        data_directory: connection.data_directory.clone(),
    }
}

/// The oids of all superusers.
pub fn superusers(row: &Row) -> Vec<u32> {
    get(row, 9).unwrap_or_default()
}

/// The server's time when it answered the question for sessions.
pub fn asked_at(rows: &[Row]) -> Option<DateTime<Utc>> {
    get(rows.first()?, 14)
}

/// How many processes there are in databases; it comes with the rows of some.
pub fn in_databases(rows: &[Row]) -> Option<i64> {
    get(rows.first()?, 20)
}

/// One session; nothing for a row without a pid.
pub fn session(
    row: &Row,
    superusers: &[u32],
    charsets: &HashMap<String, Charset>,
    literals: Literals,
) -> Option<Session> {
    let class = text(row, 9);
    let database = text(row, 3).unwrap_or_default();
    let charset = charsets.get(&database).copied().unwrap_or_default();
    let moment = |at| get::<DateTime<Utc>>(row, at);
    let now = moment(14);
    // A clock that was set back gives a small negative age.
    let age = |at| Some((now? - moment(at)?).to_std().unwrap_or_default());
    Some(Session {
        id: BackendId {
            pid: get(row, 0)?,
            backend_start_micros: moment(1).map(|at| at.timestamp_micros()).unwrap_or_default(),
        },
        leader_pid: get(row, 2),
        database,
        user: text(row, 4).unwrap_or_default(),
        application: text(row, 5).unwrap_or_default(),
        client: get::<IpAddr>(row, 6).map(|address| address.to_string()).unwrap_or_default(),
        backend_type: text(row, 7).unwrap_or_default(),
        state: SessionState::parse(text(row, 8).as_deref()),
        wait: class.map(|class| (class, text(row, 10).unwrap_or_default())),
        transaction_age: age(11),
        query_age: age(12),
        state_age: age(13),
        query_start_micros: moment(12).map(|at| at.timestamp_micros()),
        writes: get(row, 15).unwrap_or_default(),
        xmin_age: get::<i32>(row, 16).and_then(|age| u32::try_from(age).ok()),
        superuser: get::<u32>(row, 17).is_some_and(|user| superusers.contains(&user)),
        query: literals.text(&written(row, 18, charset).unwrap_or_default()),
        query_id: get(row, 19),
    })
}

/// A database and how it is written, unless that is UTF-8.
pub fn charset(row: &Row) -> Option<(String, Charset)> {
    let charset = Charset::named(&text(row, 12)?);
    (charset != Charset::Utf8).then_some((text(row, 0)?, charset))
}

/// One database.
pub fn database(row: &Row) -> DatabaseCounters {
    let number = |at| get::<f64>(row, at).unwrap_or_default();
    DatabaseCounters {
        name: text(row, 0).unwrap_or_default(),
        commits: number(1),
        rollbacks: number(2),
        blocks_read: number(3),
        blocks_hit: number(4),
        rows_changed: number(5),
        temp_files: number(6),
        temp_bytes: number(7),
        deadlocks: number(8),
        checksum_failures: get(row, 9),
        xid_age: get(row, 10),
        multixact_age: get(row, 11),
        checksum_failed_seconds: get(row, 13),
        conflicts: number(14),
    }
}

/// The limit; who uses it is counted from the sessions. A role that may not read the kind of others' sessions counts those in a
/// database.
pub fn slots(row: &Row, sessions: &[Session], kinds_known: bool) -> Slots {
    let uses =
        |session: &&Session| if kinds_known { session.is_client() } else { !session.database.is_empty() };
    Slots {
        max: get(row, 0).unwrap_or_default(),
        reserved: get(row, 1).unwrap_or_default(),
        used: sessions.iter().filter(uses).count() as i64,
        synchronous: text(row, 2).unwrap_or_default(),
    }
}

/// A distance between two places in the WAL that were read one after the other: a copy that is ahead of the older one is not behind.
fn bytes(row: &Row, at: usize) -> Option<f64> {
    get::<f64>(row, at).map(|bytes| bytes.max(0.0))
}

/// One sender.
pub fn sender(row: &Row) -> Sender {
    Sender {
        pid: get(row, 0).unwrap_or_default(),
        name: text(row, 1).unwrap_or_default(),
        client: text(row, 2).unwrap_or_default(),
        state: text(row, 3).unwrap_or_default(),
        sync: text(row, 4).unwrap_or_default(),
        sent_bytes: bytes(row, 5),
        flush_bytes: bytes(row, 6),
        replay_bytes: bytes(row, 7),
        replay_seconds: get(row, 8),
        reply_age_seconds: get(row, 9),
    }
}

/// The standby itself.
pub fn standby(row: &Row) -> Standby {
    Standby {
        receiver: text(row, 0),
        upstream: text(row, 1).unwrap_or_default(),
        has_upstream: get(row, 2).unwrap_or(true),
        behind_bytes: bytes(row, 3),
        staleness_seconds: get(row, 4),
        message_age_seconds: get(row, 5),
        paused: get(row, 6).unwrap_or_default(),
    }
}

/// One replication slot.
pub fn replication_slot(row: &Row) -> ReplicationSlot {
    ReplicationSlot {
        name: text(row, 0).unwrap_or_default(),
        kind: text(row, 1).unwrap_or_default(),
        active: get(row, 2).unwrap_or_default(),
        retained_bytes: bytes(row, 3),
        wal_status: text(row, 4),
        safe_bytes: get(row, 5),
        inactive_seconds: get(row, 6),
        invalid: text(row, 7),
    }
}

/// One lock row; nothing for a mode that never blocks.
pub fn lock(row: &Row, names: &Names) -> Option<LockRow> {
    let thing = thing(row);
    let blockers: Vec<i32> = get(row, 15).unwrap_or_default();
    Some(LockRow {
        pid: get(row, 0),
        prepared_xid: text(row, 1),
        tag: text(row, 2)?,
        object: names.object(&thing),
        mode: LockMode::parse(&text(row, 12)?)?,
        granted: get(row, 13)?,
        waiting: seconds(row, 14),
        blockers,
    })
}

/// What a lock row is about, as numbers.
pub fn thing(row: &Row) -> Thing {
    Thing {
        kind: text(row, 3).unwrap_or_default(),
        database: get(row, 4),
        relation: get(row, 5),
        page: get(row, 6),
        tuple: get(row, 7),
        transaction: text(row, 8),
        class: get(row, 9).unwrap_or_default(),
        object: get(row, 10).unwrap_or_default(),
        form: get(row, 11).unwrap_or_default(),
    }
}

/// A number and the database that it names; whether that is ours.
pub fn database_name(row: &Row) -> Option<(u32, String, bool)> {
    Some((get(row, 0)?, text(row, 1)?, get(row, 2).unwrap_or_default()))
}

/// A number and the relation that it names.
pub fn relation_name(row: &Row) -> Option<(u32, String)> {
    let (schema, name) = (text(row, 1)?, text(row, 2)?);
    let kind = match text(row, 3)?.as_str() {
        "i" | "I" => "index",
        "S" => "sequence",
        "m" => "materialized view",
        "v" => "view",
        _ => "table",
    };
    let name = if schema == "public" { name } else { format!("{schema}.{name}") };
    Some((get(row, 0)?, format!("{kind} {name}")))
}

/// One prepared transaction.
pub fn prepared(row: &Row) -> PreparedTransaction {
    PreparedTransaction {
        gid: text(row, 0).unwrap_or_default(),
        xid: text(row, 1).unwrap_or_default(),
        owner: text(row, 2).unwrap_or_default(),
        database: text(row, 3).unwrap_or_default(),
        age: seconds(row, 4).unwrap_or_default(),
    }
}

/// One statement's counters.
pub fn statement(row: &Row) -> Option<(StatementKey, StatementCounters)> {
    let number = |at| get::<f64>(row, at).unwrap_or_default();
    let key = StatementKey {
        user: get(row, 0)?,
        database: get(row, 1)?,
        query: get(row, 2)?,
        toplevel: get(row, 3).unwrap_or(true),
    };
    let counters = StatementCounters {
        calls: number(4),
        exec_ms: number(5),
        rows: number(6),
        hit: number(7),
        read: number(8),
        temp: number(9),
        wal_bytes: number(10),
        io_ms: number(11),
    };
    Some((key, counters))
}

/// The first number of a row.
pub fn number(row: &Row) -> Option<f64> {
    get(row, 0)
}

/// A statement's id and text.
pub fn statement_text(row: &Row) -> Option<(i64, String)> {
    let mut text = written(row, 1, row.charset)?;
    // Cut in the middle of it, and so nothing that could be planned.
    if raw(row, 1).is_some_and(|bytes| bytes.len() >= TEXT_LIMIT_BYTES) {
        text.push('…');
    }
    Some((get(row, 0)?, text))
}

/// One subscription.
pub fn subscription(row: &Row) -> Subscription {
    Subscription {
        name: text(row, 0).unwrap_or_default(),
        database: text(row, 1).unwrap_or_default(),
        enabled: get(row, 2).unwrap_or(true),
        works: get(row, 3).unwrap_or_default(),
        errors: get(row, 4),
    }
}

/// One running vacuum.
pub fn vacuum(row: &Row) -> VacuumProgress {
    let (scanned, total) = (get::<f64>(row, 4), get::<f64>(row, 5));
    VacuumProgress {
        pid: get(row, 0).unwrap_or_default(),
        database: text(row, 1).unwrap_or_default(),
        table: text(row, 2).unwrap_or_default(),
        phase: text(row, 3).unwrap_or_default(),
        scanned_ratio: scanned
            .zip(total)
            .and_then(|(scanned, total)| crate::core::rate::ratio(scanned, total, 1.0)),
    }
}
