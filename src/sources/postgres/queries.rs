//! The questions, built from the columns that a server really has: one catalog look-up a connection, never a query that may fail.

use std::collections::{HashMap, HashSet};

/// Locks beyond this are not read (those that are waited for come first); a lock storm must not become our own load.
pub const LOCK_LIMIT: usize = 20_000;
/// While no more than this wait, the server is asked whom it sees in the way of each that it gives no beginning for: its answers
/// grow with the square of their number.
const ASKED_ONE_BY_ONE: usize = 200;
/// Statements beyond this are not read; `pg_stat_statements.max` is 5000 by default.
pub const STATEMENT_LIMIT: usize = 20_000;

/// Of a statement in pg_stat_statements so much is read. Some are megabytes long.
pub const STATEMENT_BYTES: usize = 64 * 1024;
/// Of what a session runs so much is read: `track_activity_query_size` may be a megabyte, for each of a thousand sessions.
const ACTIVITY_BYTES: usize = 16 * 1024;

/// Which columns the views have that differ from version to version. The views are looked up by name, and their columns by the index of
/// pg_attribute, which has millions of rows where there are many tables.
pub const COLUMNS: &str = "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_attribute a \
     JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE a.attrelid = ANY (ARRAY[to_regclass('pg_catalog.pg_stat_activity'), \
     to_regclass('pg_catalog.pg_locks'), to_regclass('pg_catalog.pg_stat_bgwriter'), to_regclass('pg_catalog.pg_stat_checkpointer'), \
     to_regclass('pg_catalog.pg_replication_slots'), to_regclass('pg_catalog.pg_stat_subscription_stats')]::oid[] \
     || ARRAY(SELECT d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid \
     WHERE e.extname = 'pg_stat_statements' AND d.refclassid = 'pg_catalog.pg_extension'::regclass \
     AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'e')) AND a.attnum > 0 AND NOT a.attisdropped";

/// Where pg_stat_statements lives, if it is in this database; which version of it; and whether the server loaded it, without which its
/// functions are refused.
pub const EXTENSION: &str = "SELECT n.nspname::text, e.extversion::text, current_setting('pg_stat_statements.max', true) IS NOT NULL \
     FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";

/// Who we are, and who is a superuser. Words of the language in place of functions, which may have been taken from us.
pub const WHO: &str = "SELECT current_user, current_catalog, (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), \
     ARRAY(SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper)";

/// What we may do there.
pub const RIGHTS: &str = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'usage'), \
     pg_has_role(current_user, 'pg_signal_backend', 'usage'), \
     pg_has_role(current_user, 'pg_read_all_stats', 'member') AND NOT pg_has_role(current_user, 'pg_read_all_stats', 'usage')";

/// When the server started.
pub const STARTED: &str = "SELECT pg_postmaster_start_time()";

/// Whether it is a standby.
pub const RECOVERY: &str = "SELECT pg_is_in_recovery()";

/// The same where that function was taken from us; from 14 on.
pub const IN_HOT_STANDBY: &str = "SHOW in_hot_standby";

/// Counters of every database; ages of the oldest ids. The number of backends is not among them: to count them the server takes
/// another copy of the state of all.
pub const DATABASES: &str = "SELECT s.datname, s.xact_commit::float8, s.xact_rollback::float8, \
     s.blks_read::float8, s.blks_hit::float8, (s.tup_inserted + s.tup_updated + s.tup_deleted)::float8, \
     s.temp_files::float8, s.temp_bytes::float8, s.deadlocks::float8, s.checksum_failures::float8, \
     age(d.datfrozenxid)::int8, mxid_age(d.datminmxid)::int8, pg_encoding_to_char(d.encoding), \
     extract(epoch FROM clock_timestamp() - s.checksum_last_failure)::float8, s.conflicts::float8 \
     FROM pg_catalog.pg_stat_database s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.datid";

/// The connection limit, as settings; who uses the slots is counted from the sessions.
pub const SLOTS: &str = "SELECT current_setting('max_connections')::int8, \
     current_setting('superuser_reserved_connections')::int8 + coalesce(current_setting('reserved_connections', true)::int8, 0), \
     current_setting('synchronous_standby_names')";

/// What a standby knows of itself. Only asked there.
pub const STANDBY: &str = "SELECT (SELECT status FROM pg_catalog.pg_stat_wal_receiver LIMIT 1), \
     (SELECT concat_ws(':', sender_host, sender_port) FROM pg_catalog.pg_stat_wal_receiver LIMIT 1), \
     coalesce((SELECT setting <> '' FROM pg_catalog.pg_settings WHERE name = 'primary_conninfo'), true), \
     pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::float8, \
     extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8, \
     (SELECT extract(epoch FROM clock_timestamp() - last_msg_receipt_time)::float8 FROM pg_catalog.pg_stat_wal_receiver LIMIT 1), \
     pg_is_wal_replay_paused()";

/// Prepared transactions with their age.
pub const PREPARED: &str = "SELECT gid, transaction::text, owner, database, \
     extract(epoch FROM clock_timestamp() - prepared)::float8 FROM pg_catalog.pg_prepared_xacts";

/// The names behind the numbers of databases.
pub const DATABASE_NAMES: &str =
    "SELECT d.oid, d.datname, d.datname = current_database() FROM pg_catalog.pg_database d";

/// The names behind the numbers of relations in our own database.
pub const RELATION_NAMES: &str = "SELECT c.oid, n.nspname, c.relname, c.relkind::text FROM pg_catalog.pg_class c \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY($1)";

/// Which system of files this is: every copy of it has the same number. Not for every role on every service.
pub const SYSTEM: &str = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()";

/// The archiver. A standby archives only where the mode is `always`; what its counters say of the time before means nothing.
pub const ARCHIVER: &str = "SELECT current_setting('archive_mode') = 'always' OR current_setting('archive_mode') = 'on' AND NOT pg_is_in_recovery(), \
     archived_count::float8, failed_count::float8, extract(epoch FROM clock_timestamp() - last_archived_time)::float8, \
     extract(epoch FROM clock_timestamp() - last_failed_time)::float8, last_failed_wal, \
     current_setting('archive_command') IN ('', '(disabled)') AND coalesce(current_setting('archive_library', true), '') = '' \
     FROM pg_catalog.pg_stat_archiver";

/// WAL files that wait for the archiver, and how large they are. It lists a folder: only asked while archiving does not go on.
pub const READY: &str = "SELECT r.files::float8, (r.files * pg_size_bytes(current_setting('wal_segment_size')))::float8 \
     FROM (SELECT count(*) AS files FROM pg_ls_archive_statusdir() f WHERE f.name LIKE '%.ready') r";

/// Temporary files of sorts and hashes that are under way, by process. (pg_global has the folder of pg_default.)
pub const SPILLS: &str = "SELECT p.pid::int4, sum(p.size)::float8 FROM (SELECT substring(f.name FROM '^pgsql_tmp([0-9]+)') AS pid, f.size \
     FROM pg_catalog.pg_tablespace t CROSS JOIN LATERAL pg_ls_tmpdir(t.oid) f WHERE t.spcname <> 'pg_global') p \
     WHERE p.pid IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 200";

/// Running vacuums.
pub const VACUUMS: &str = "SELECT v.pid, v.datname, coalesce(c.relname, v.relid::text::name), v.phase, \
     v.heap_blks_scanned::float8, v.heap_blks_total::float8 FROM pg_catalog.pg_stat_progress_vacuum v \
     LEFT JOIN pg_catalog.pg_class c ON c.oid = v.relid AND v.datname = current_database() LIMIT 200";

/// The questions whose columns depend on the version.
#[derive(Clone, Debug)]
pub struct Questions {
    /// Every server process.
    pub sessions: String,
    /// The server processes `$2`, those that have come and those that have begun a statement since `$1`; with each row the number of
    /// processes in databases. Only for a role that reads the activity of others.
    pub changed: String,
    /// Every server process by no function but that of the view itself: asked where one of the others was taken from us.
    pub plain: String,
    /// Every server process without a look at any catalog: oids stand for names. Asked while a catalog is locked.
    pub bare: String,
    /// Locks that somebody waits for, and who holds them.
    pub locks: String,
    /// Copies that are fed from here; works on a primary and on a cascading standby.
    pub senders: String,
    /// Replication slots and the WAL they keep.
    pub replication_slots: String,
    /// WAL position, checkpoints, freeze age.
    pub health: String,
    /// Subscriptions and whether a worker applies them.
    pub subscriptions: String,
    /// Counters of statements, without their texts; none when the extension is not in this database.
    pub statements: Option<String>,
    /// Evictions from pg_stat_statements, where they are counted.
    pub evictions: Option<String>,
    /// Texts of some statements.
    pub texts: Option<String>,
}

/// The functions that tell where the write-ahead log is. Services that keep it elsewhere refuse them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WalPosition {
    /// It is asked for.
    #[default]
    Told,
    /// It was refused: what is beside it in a question is asked without it.
    Refused,
}

impl WalPosition {
    /// The position up to which a copy can be, or nothing; of a standby, what it got (`receive`) or what it has done (`replay`).
    fn sql(self, standby: &str) -> String {
        match self {
            Self::Told => format!(
                "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_{standby}_lsn() ELSE pg_current_wal_lsn() END"
            ),
            Self::Refused => "NULL::pg_lsn".to_owned(),
        }
    }
}

/// Builds the questions for a server with these (view, column) pairs and the extension in `schema`.
#[must_use]
pub fn questions(columns: &[(String, String)], schema: Option<&str>, wal: WalPosition) -> Questions {
    let mut views: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (view, column) in columns {
        views.entry(view).or_default().insert(column);
    }
    let has = |view: &str, column: &str| views.get(view).is_some_and(|known| known.contains(column));
    let or_null = |view: &str, column: &str, sql: &str, kind: &str| {
        if has(view, column) { sql.to_owned() } else { format!("NULL::{kind}") }
    };
    let query_id = or_null("pg_stat_activity", "query_id", "a.query_id", "int8");
    let [sessions, changed, plain, bare] = sessions(&query_id);
    let locks = locks(has("pg_locks", "waitstart"));
    let (timed, requested, from) = if has("pg_stat_checkpointer", "num_timed") {
        ("c.num_timed::float8", "c.num_requested::float8", "pg_catalog.pg_stat_checkpointer c")
    } else {
        ("c.checkpoints_timed::float8", "c.checkpoints_req::float8", "pg_catalog.pg_stat_bgwriter c")
    };
    let health = format!(
        "SELECT pg_wal_lsn_diff({}, '0/0')::float8, {timed}, {requested}, current_setting('autovacuum_freeze_max_age')::float8 \
         FROM {from}",
        wal.sql("replay")
    );
    let toplevel = if has("pg_stat_statements", "toplevel") { "toplevel" } else { "true" };
    // An extension that was never updated after an upgrade of the server has the columns of its own version.
    let time = if has("pg_stat_statements", "total_time") { "total_time" } else { "total_exec_time" };
    let wal_bytes = or_null("pg_stat_statements", "wal_bytes", "wal_bytes::float8", "float8");
    let io = if has("pg_stat_statements", "shared_blk_read_time") {
        "shared_blk_read_time + shared_blk_write_time"
    } else if has("pg_stat_statements", "blk_read_time") {
        "blk_read_time + blk_write_time"
    } else {
        "NULL::float8"
    };
    Questions {
        sessions,
        changed,
        plain,
        bare,
        locks,
        senders: senders(wal),
        replication_slots: replication_slots(&has, wal),
        health,
        subscriptions: subscriptions(&has),
        statements: schema.map(|schema| {
            format!(
                "SELECT userid, dbid, queryid, {toplevel}, calls::float8, {time}, rows::float8, \
                 shared_blks_hit::float8, shared_blks_read::float8, temp_blks_written::float8, {wal_bytes}, {io} \
                 FROM {schema}.pg_stat_statements(false) WHERE queryid IS NOT NULL LIMIT {STATEMENT_LIMIT}"
            )
        }),
        evictions: schema
            .filter(|_| has("pg_stat_statements_info", "dealloc"))
            .map(|schema| format!("SELECT dealloc::float8 FROM {schema}.pg_stat_statements_info")),
        texts: schema.map(|schema| {
            // Cut as bytes: letters of another charset are none of the server's, and a function of text stumbles over them.
            format!(
                "SELECT queryid, substring(textsend(query) FROM 1 FOR {STATEMENT_BYTES}) FROM {schema}.pg_stat_statements(true) \
                 WHERE queryid = ANY($1)"
            )
        }),
    }
}

/// The question for locks. What they are about comes as numbers: a name would need catalogs, and a lock on one of those would take the
/// tree away. A prepared transaction keeps the virtual id of the session that prepared it (or none, after a restart): what it holds is
/// known as its own by the lock on its transaction id.
fn locks(tells_begin: bool) -> String {
    let (waiting, untold) = if tells_begin {
        ("extract(epoch FROM statement_timestamp() - l.waitstart)::float8", "AND l.waitstart IS NULL")
    } else {
        ("NULL::float8", "")
    };
    // What it is about, with no NULL in it: told apart by a hash. Only what is waited for is put into words.
    let about = |of: &str| {
        format!(
            "{of}.locktype, coalesce({of}.database, 0), coalesce({of}.relation, 0), coalesce({of}.page, -1), coalesce({of}.tuple, -1), \
             coalesce({of}.transactionid::text, {of}.virtualxid, ''), coalesce({of}.classid, 0), coalesce({of}.objid, 0), \
             coalesce({of}.objsubid, 0)"
        )
    };
    format!(
        "WITH l AS MATERIALIZED (SELECT * FROM pg_catalog.pg_locks l WHERE l.mode <> 'SIReadLock'), \
         w AS MATERIALIZED (SELECT * FROM l WHERE NOT l.granted), \
         p AS MATERIALIZED (SELECT DISTINCT l.virtualtransaction, p.transaction::text AS xid FROM pg_catalog.pg_prepared_xact() p \
         JOIN l ON l.pid IS NULL AND l.granted AND l.locktype = 'transactionid' AND l.transactionid = p.transaction) \
         SELECT l.pid, CASE WHEN l.pid IS NULL THEN (SELECT p.xid FROM p WHERE p.virtualtransaction = l.virtualtransaction LIMIT 1) END, \
         concat_ws('/', locktype, coalesce(database::text, '-'), \
         coalesce(relation::text, '-'), coalesce(page::text, '-'), coalesce(tuple::text, '-'), coalesce(virtualxid, '-'), \
         coalesce(transactionid::text, '-'), coalesce(classid::text, '-'), coalesce(objid::text, '-'), \
         coalesce(objsubid::text, '-')), l.locktype, l.database, l.relation, l.page, l.tuple, coalesce(l.transactionid::text, l.virtualxid), \
         l.classid, l.objid, l.objsubid, l.mode, l.granted, {waiting}, \
         CASE WHEN NOT l.granted {untold} AND (SELECT count(*) FROM w) <= {ASKED_ONE_BY_ONE} THEN pg_blocking_pids(l.pid) END \
         FROM l WHERE ({}) IN (SELECT {} FROM w) ORDER BY l.granted LIMIT {LOCK_LIMIT}",
        about("l"),
        about("w")
    )
}

/// The columns of the server's own views by its version, where its catalogs cannot be read.
#[must_use]
pub fn known_columns(version: u32) -> Vec<(String, String)> {
    [
        (140_000, "pg_stat_activity", "query_id"),
        (140_000, "pg_locks", "waitstart"),
        (150_000, "pg_stat_subscription_stats", "apply_error_count"),
        (160_000, "pg_replication_slots", "conflicting"),
        (170_000, "pg_replication_slots", "inactive_since"),
        (170_000, "pg_replication_slots", "invalidation_reason"),
        (170_000, "pg_replication_slots", "synced"),
        (170_000, "pg_stat_checkpointer", "num_timed"),
    ]
    .into_iter()
    .filter(|(since, ..)| version >= *since)
    .map(|(_, view, column)| (view.to_owned(), column.to_owned()))
    .collect()
}

/// The question for every session, the one for those that have changed, the one by no function, and the one that reads no catalog.
fn sessions(query_id: &str) -> [String; 4] {
    let text = format!("substring(textsend(a.query) FROM 1 FOR {ACTIVITY_BYTES})");
    let whole = (text.as_str(), "CASE WHEN a.backend_xmin IS NOT NULL THEN age(a.backend_xmin)::int4 END");
    // Moments come as they are and are taken apart here: arithmetic on a row costs the server more than the row.
    let session = |database: &str, user: &str, (text, kept): (&str, &str)| {
        format!(
            "SELECT a.pid, a.backend_start, a.leader_pid, {database}, {user}, a.application_name, a.client_addr, \
             a.backend_type, a.state, a.wait_event_type, a.wait_event, a.xact_start, a.query_start, a.state_change, \
             CURRENT_TIMESTAMP, a.backend_xid IS NOT NULL, {kept}, a.usesysid, {text}, {query_id}"
        )
    };
    let view = |how| format!("{} FROM pg_catalog.pg_stat_activity a", session("a.datname", "a.usename", how));
    // The view makes a row of every process before a condition is looked at; these functions look at one field of one process, all at
    // the same copy of the server's state.
    let changed = format!(
        "{}, (SELECT sum(pg_stat_get_db_numbackends(b.oid))::int8 FROM pg_catalog.pg_database b) \
         FROM (SELECT pg_stat_get_backend_pid(id) AS pid FROM pg_stat_get_backend_idset() id \
         WHERE pg_stat_get_backend_activity_start(id) > $1 OR pg_stat_get_backend_start(id) > $1 UNION SELECT unnest($2::int4[])) e, \
         LATERAL pg_stat_get_activity(e.pid) a LEFT JOIN pg_catalog.pg_database d ON d.oid = a.datid",
        session("d.datname", "pg_get_userbyid(a.usesysid)", whole)
    );
    let bare = format!(
        "{} FROM pg_stat_get_activity(NULL) a",
        session("'oid ' || nullif(a.datid, 0)::text", "'oid ' || nullif(a.usesysid, 0)::text", whole)
    );
    [view(whole), changed, view(("a.query", "NULL::int4")), bare]
}

/// Every subscription of the server. Before 14 a role may not read their ids, so that a namesake in another database is taken for the same.
fn subscriptions(has: &impl Fn(&str, &str) -> bool) -> String {
    let same = if has("pg_stat_activity", "query_id") { "w.subid = s.oid" } else { "w.subname = s.subname" };
    let errors = if has("pg_stat_subscription_stats", "apply_error_count") {
        "(SELECT sum(e.apply_error_count + e.sync_error_count)::float8 FROM pg_catalog.pg_stat_subscription_stats e WHERE e.subid = s.oid)"
    } else {
        "NULL::float8"
    };
    format!(
        "SELECT s.subname, d.datname, s.subenabled, EXISTS (SELECT 1 FROM pg_catalog.pg_stat_subscription w \
         WHERE {same} AND w.relid IS NULL AND w.pid IS NOT NULL), {errors} \
         FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid LIMIT 1000"
    )
}

fn senders(wal: WalPosition) -> String {
    format!(
        "SELECT r.pid, r.application_name, host(r.client_addr), r.state, r.sync_state, \
         pg_wal_lsn_diff(here.lsn, r.sent_lsn)::float8, pg_wal_lsn_diff(here.lsn, r.flush_lsn)::float8, \
         pg_wal_lsn_diff(here.lsn, r.replay_lsn)::float8, extract(epoch FROM r.replay_lag)::float8, \
         extract(epoch FROM clock_timestamp() - r.reply_time)::float8 FROM pg_catalog.pg_stat_replication r, \
         (SELECT {} AS lsn) here",
        wal.sql("receive")
    )
}

fn replication_slots(has: &impl Fn(&str, &str) -> bool, wal: WalPosition) -> String {
    let inactive = if has("pg_replication_slots", "inactive_since") {
        "extract(epoch FROM clock_timestamp() - s.inactive_since)::float8"
    } else {
        "NULL::float8"
    };
    let invalid = if has("pg_replication_slots", "invalidation_reason") {
        "s.invalidation_reason"
    } else if has("pg_replication_slots", "conflicting") {
        "CASE WHEN s.conflicting THEN 'conflicting' END"
    } else {
        "NULL::text"
    };
    // On a standby a slot that follows its primary's has no reader by design.
    let active = if has("pg_replication_slots", "synced") { "s.active OR s.synced" } else { "s.active" };
    format!(
        "SELECT s.slot_name, s.slot_type, {active}, pg_wal_lsn_diff(here.lsn, s.restart_lsn)::float8, s.wal_status, \
         s.safe_wal_size::float8, {inactive}, {invalid} FROM pg_catalog.pg_replication_slots s, \
         (SELECT {} AS lsn) here",
        wal.sql("receive")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(view, column)| ((*view).to_owned(), (*column).to_owned())).collect()
    }

    #[test]
    fn only_columns_that_exist_are_asked_for() {
        let old = questions(&columns(&[("pg_stat_bgwriter", "checkpoints_timed")]), None, WalPosition::Told);
        assert!(!old.sessions.contains("a.query_id"));
        assert!(old.sessions.contains("NULL::int8"));
        assert!(!old.locks.contains("waitstart"));
        assert!(old.health.contains("checkpoints_timed"));
        assert!(old.statements.is_none());
        let new = questions(
            &columns(&[
                ("pg_stat_activity", "query_id"),
                ("pg_locks", "waitstart"),
                ("pg_stat_checkpointer", "num_timed"),
                ("pg_stat_statements", "toplevel"),
                ("pg_stat_statements_info", "dealloc"),
            ]),
            Some("ext"),
            WalPosition::Refused,
        );
        for sql in [&new.senders, &new.replication_slots, &new.health] {
            assert!(!sql.contains("wal_lsn()") && sql.contains("NULL::pg_lsn"), "{sql}");
        }
        assert!(new.sessions.contains("a.query_id"));
        assert!(new.locks.contains("waitstart"));
        assert!(new.health.contains("num_requested"));
        assert!(new.statements.is_some_and(|sql| sql.contains("ext.pg_stat_statements(false)")));
        assert!(new.evictions.is_some());
    }
}
