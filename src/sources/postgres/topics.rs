//! The statements behind the topics. Catalogs and counters only: no function that reads a relation's files or waits for its lock,
//! but where a topic says so.

use super::migrations;
use crate::core::part::{Gap, GapKind};

/// Ages of what holds the removal of dead rows back. `age()` is safe across a wraparound; a subtraction is not.
const HORIZON: &str = "WITH held AS ( \
     SELECT 'session ' || pid AS holder, coalesce(state, backend_type) || coalesce(' of ' || usename, '') AS kind, \
       greatest(age(backend_xmin), age(backend_xid)) AS transactions, extract(epoch FROM clock_timestamp() - xact_start)::int8 AS open_seconds, \
       CASE WHEN state LIKE 'idle in%' THEN 'terminate its session' WHEN backend_type = 'walsender' THEN 'look at the standby: hot_standby_feedback' \
         ELSE 'wait for it, or cancel its statement' END AS remedy \
       FROM pg_catalog.pg_stat_activity WHERE (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL) AND pid <> pg_backend_pid() \
     UNION ALL SELECT 'slot ' || slot_name, slot_type || CASE WHEN active THEN ' slot' ELSE ' slot, nobody connected' END, \
       greatest(age(xmin), age(catalog_xmin)), NULL, 'bring its consumer back; without the slot it must be built anew' FROM pg_catalog.pg_replication_slots \
       WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL \
     UNION ALL SELECT 'prepared ' || gid, 'prepared transaction of ' || owner, age(transaction), \
       extract(epoch FROM clock_timestamp() - prepared)::int8, 'ask its transaction manager, then COMMIT PREPARED or ROLLBACK PREPARED in ' || database FROM pg_catalog.pg_prepared_xacts) \
     SELECT holder, kind, transactions, open_seconds, remedy FROM held ORDER BY transactions DESC LIMIT 100";

const LARGEST: &str = include_str!("largest.sql");

const WRAPAROUND: &str = "SELECT n.nspname || '.' || c.relname AS \"table\", greatest(age(c.relfrozenxid), age(t.relfrozenxid)) AS xid_age, \
     round((greatest(age(c.relfrozenxid), age(t.relfrozenxid)) / current_setting('autovacuum_freeze_max_age')::numeric), 4) AS to_forced_vacuum_ratio, \
     round((greatest(age(c.relfrozenxid), age(t.relfrozenxid)) / 2147483648.0), 4) AS to_wraparound_ratio, mxid_age(c.relminmxid) AS multixact_age, \
     c.relpages::int8 * current_setting('block_size')::int8 AS table_bytes \
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid \
     WHERE c.relkind IN ('r', 'm') ORDER BY 2 DESC LIMIT 200";

const INDEXES: &str = include_str!("indexes.sql");

const BLOAT: &str = include_str!("bloat.sql");

const LOG: &str = include_str!("log.sql");

/// Files of sorts and hashes that are under way. (pg_global has the folder of pg_default.) Those that parallel workers share lie in
/// folders, which the server does not list.
const TEMPORARY: &str = "SELECT substring(f.name FROM '^pgsql_tmp([0-9]+)')::int8 AS pid, sum(f.size)::int8 AS temp_bytes, a.datname AS database, a.usename AS \"user\", \
     coalesce(a.application_name, '') AS application, t.spcname AS tablespace, count(*) AS files, \
     extract(epoch FROM clock_timestamp() - min(f.modification))::int8 AS last_write_seconds, \
     CASE WHEN a.pid IS NULL THEN 'left behind: goes with the next restart' ELSE left(a.query, 200) END AS query \
     FROM pg_catalog.pg_tablespace t CROSS JOIN LATERAL pg_ls_tmpdir(t.oid) f \
     LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = substring(f.name FROM '^pgsql_tmp([0-9]+)')::int8 \
     WHERE t.spcname <> 'pg_global' GROUP BY 1, 3, 4, 5, 6, a.pid, a.query ORDER BY 2 DESC LIMIT 200";

const SIZES: &str = "SELECT datname AS database, CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role(current_user, 'pg_read_all_stats', 'usage') \
     THEN pg_database_size(oid) END AS size_bytes FROM pg_catalog.pg_database ORDER BY 2 DESC NULLS LAST";

const PARTITIONS: &str = include_str!("partitions.sql");

const SEQUENCES: &str = include_str!("sequences.sql");

const ROLES: &str = include_str!("roles.sql");

const VECTORS: &str = "SELECT n.nspname || '.' || c.relname AS \"table\", a.attname AS \"column\", format_type(a.atttypid, a.atttypmod) AS type, \
     nullif(c.reltuples, -1)::int8 AS rows, coalesce((SELECT string_agg(ic.relname || ' (' || am.amname || ')', ', ') FROM pg_catalog.pg_index x \
       JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid JOIN pg_catalog.pg_am am ON am.oid = ic.relam WHERE x.indrelid = c.oid AND a.attnum = ANY(x.indkey)), '') AS indexes, \
     CASE WHEN NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND a.attnum = ANY(x.indkey) AND x.indisvalid) THEN 'no index: every search reads the whole table' ELSE '' END AS problem \
     FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE t.typname IN ('vector', 'halfvec', 'sparsevec') AND c.relkind IN ('r', 'm') AND NOT a.attisdropped ORDER BY 6 DESC, 1, 2";

/// Progress views and the share of the work that is done, with no division by a total that is not known yet.
fn progress(version: u32) -> String {
    let table = "coalesce((SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.oid = p.relid AND p.datname = current_database()), p.relid::text)";
    let part = |verb: &str, view: &str, table: &str, done: &str, total: &str, note: &str| {
        format!(
            "SELECT p.pid, {verb} AS command, p.datname::text AS database, {table} AS \"table\", p.phase::text AS phase, \
             round(({done})::numeric / nullif({total}, 0), 4) AS done_ratio, {note} AS note FROM pg_catalog.{view} p"
        )
    };
    let mut parts = vec![
        part(
            "'VACUUM'",
            "pg_stat_progress_vacuum",
            table,
            "p.heap_blks_scanned",
            "p.heap_blks_total",
            "CASE WHEN p.index_vacuum_count > 1 THEN p.index_vacuum_count || ' index passes: more maintenance memory would need one' ELSE '' END",
        ),
        part(
            "'ANALYZE'",
            "pg_stat_progress_analyze",
            table,
            "p.sample_blks_scanned",
            "p.sample_blks_total",
            "''",
        ),
        part(
            "p.command",
            "pg_stat_progress_create_index",
            table,
            "CASE WHEN p.tuples_total > 0 THEN p.tuples_done ELSE p.blocks_done END",
            "CASE WHEN p.tuples_total > 0 THEN p.tuples_total ELSE p.blocks_total END",
            "CASE WHEN p.current_locker_pid > 0 THEN 'waits for pid ' || p.current_locker_pid ELSE '' END",
        ),
        part("p.command", "pg_stat_progress_cluster", table, "p.heap_blks_scanned", "p.heap_blks_total", "''"),
        "SELECT p.pid, 'BASE BACKUP', '', '', p.phase::text, round(p.backup_streamed::numeric / nullif(p.backup_total, 0), 4), '' \
         FROM pg_catalog.pg_stat_progress_basebackup p"
            .to_owned(),
    ];
    if version >= 140_000 {
        parts.push(format!(
            "SELECT p.pid, p.command, p.datname::text, {table}, p.type, round(p.bytes_processed::numeric / nullif(p.bytes_total, 0), 4), \
             p.tuples_processed || ' rows' FROM pg_catalog.pg_stat_progress_copy p"
        ));
    }
    parts.join(" UNION ALL ")
}

/// The point at which autovacuum starts: threshold + scale × rows, per table where it is set there, capped on 18 and later.
fn tables() -> String {
    let option = |name: &str| {
        format!(
            "coalesce((SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = '{name}'), current_setting('{name}'))::float8"
        )
    };
    let (threshold, scale) =
        (option("autovacuum_vacuum_threshold"), option("autovacuum_vacuum_scale_factor"));
    format!(
        "WITH t AS (SELECT s.relid, s.schemaname || '.' || s.relname AS name, s.n_live_tup, s.n_dead_tup, c.relpages, c.reltuples, \
           least({threshold} + {scale} * greatest(c.reltuples, 0), \
             nullif(coalesce((SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = 'autovacuum_vacuum_max_threshold'), current_setting('autovacuum_vacuum_max_threshold', true))::float8, -1)) AS due, \
           coalesce((SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = 'autovacuum_enabled'), 'true') IN ('false', 'off', '0', 'no') AS switched_off, \
           extract(epoch FROM clock_timestamp() - greatest(s.last_vacuum, s.last_autovacuum))::int8 AS last_vacuum_seconds, \
           extract(epoch FROM clock_timestamp() - greatest(s.last_analyze, s.last_autoanalyze))::int8 AS last_analyze_seconds, \
           EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_vacuum p WHERE p.relid = s.relid AND p.datname = current_database()) AS running \
           FROM pg_catalog.pg_stat_user_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid) \
         SELECT name AS \"table\", n_live_tup AS live, n_dead_tup AS dead, round((n_dead_tup / greatest(due, 1))::numeric, 2) AS of_due_point, \
         relpages::int8 * current_setting('block_size')::int8 AS table_bytes, last_vacuum_seconds, last_analyze_seconds, \
         CASE WHEN running THEN 'is being vacuumed' WHEN n_dead_tup <= due THEN '' WHEN current_setting('autovacuum') = 'off' THEN 'overdue: autovacuum is off' \
           WHEN switched_off THEN 'overdue: autovacuum is off for this table' WHEN current_setting('track_counts') = 'off' THEN 'overdue: track_counts is off' \
           WHEN (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'autovacuum worker') >= current_setting('autovacuum_max_workers')::int \
             THEN 'overdue: every autovacuum worker is busy' ELSE 'overdue: due at the next round of autovacuum' END AS vacuum \
         FROM t ORDER BY n_dead_tup / greatest(due, 1) DESC LIMIT 300"
    )
}

fn io(version: u32) -> String {
    // Up to 17 bytes are counts of blocks of one size; from 18 on they are counted.
    let bytes = |verb: &str| {
        if version >= 180_000 { format!("{verb}_bytes::int8") } else { format!("({verb}s * op_bytes)::int8") }
    };
    format!(
        "SELECT backend_type, object, context, {} AS read_bytes, {} AS written_bytes, hits, evictions, \
         round((read_time / nullif(reads, 0))::numeric, 3) AS ms_a_read FROM pg_catalog.pg_stat_io \
         WHERE coalesce(reads, 0) + coalesce(writes, 0) + coalesce(extends, 0) + coalesce(hits, 0) > 0 ORDER BY coalesce(reads, 0) + coalesce(writes, 0) DESC",
        bytes("read"),
        bytes("write")
    )
}

fn subscriptions(version: u32) -> String {
    let errors = if version >= 150_000 {
        "(SELECT apply_error_count FROM pg_catalog.pg_stat_subscription_stats e WHERE e.subid = s.oid) AS apply_errors, \
         (SELECT sync_error_count FROM pg_catalog.pg_stat_subscription_stats e WHERE e.subid = s.oid) AS sync_errors"
    } else {
        "NULL AS apply_errors, NULL AS sync_errors"
    };
    format!(
        "SELECT s.subname AS subscription, s.subenabled AS enabled, w.pid AS worker, pg_wal_lsn_diff(w.latest_end_lsn, w.received_lsn)::int8 AS behind_bytes, \
         extract(epoch FROM clock_timestamp() - w.last_msg_receipt_time)::int8 AS last_message_seconds, \
         (SELECT count(*) FROM pg_catalog.pg_subscription_rel r WHERE r.srsubid = s.oid AND r.srsubstate <> 'r') AS tables_not_in_sync, {errors}, \
         CASE WHEN NOT s.subenabled THEN 'disabled' WHEN w.pid IS NULL THEN 'enabled, but no worker runs: look at the server log' ELSE '' END AS problem \
         FROM pg_catalog.pg_subscription s LEFT JOIN pg_catalog.pg_stat_subscription w ON w.subid = s.oid AND w.relid IS NULL \
         WHERE s.subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) ORDER BY 9 DESC, 1"
    )
}

fn isolation(column: &str) -> String {
    let column = column.replace('\'', "''");
    format!(
        "SELECT n.nspname || '.' || c.relname AS \"table\", c.relrowsecurity AS rls, c.relforcerowsecurity AS forced, \
         (SELECT count(*) FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid) AS policies, \
         EXISTS (SELECT 1 FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indkey[0] = a.attnum AND x.indisvalid) AS indexed, \
         concat_ws(', ', CASE WHEN NOT c.relrowsecurity THEN 'row-level security is off' END, \
           CASE WHEN c.relrowsecurity AND NOT c.relforcerowsecurity THEN 'not forced: its owner sees all tenants' END, \
           CASE WHEN c.relrowsecurity AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid) THEN 'no policy: nobody but its owner sees a row' END, \
           CASE WHEN NOT EXISTS (SELECT 1 FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indkey[0] = a.attnum AND x.indisvalid) THEN 'no index begins with {column}' END) AS problem \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE a.attname = '{column}' AND c.relkind IN ('r', 'p') AND NOT a.attisdropped AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
         ORDER BY 6 DESC, 1"
    )
}

/// A statement as one line, without its comments: a server that logs it logs one line, which is left out.
fn on_one_line(sql: &str) -> String {
    sql.lines().map(str::trim).filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ")
}

/// The statement of topic `id` on a server of this version; `tenant` is the column that names a tenant.
pub(super) fn sql(id: &str, version: u32, tenant: &str) -> Result<String, Gap> {
    Ok(match id {
        "progress" => progress(version),
        "log" => on_one_line(LOG),
        "horizon" => HORIZON.to_owned(),
        "tables" => tables(),
        "wraparound" => WRAPAROUND.to_owned(),
        "indexes" => INDEXES.to_owned(),
        "largest" => on_one_line(LARGEST),
        "bloat" => BLOAT.to_owned(),
        "tempfiles" => TEMPORARY.to_owned(),
        "sizes" => SIZES.to_owned(),
        "io" if version < 160_000 => {
            return Err(Gap::new(GapKind::NotSupported, "pg_stat_io is there from version 16 on"));
        }
        "io" => io(version),
        "subscriptions" => subscriptions(version),
        "isolation" => isolation(tenant),
        "partitions" => PARTITIONS.to_owned(),
        "sequences" => SEQUENCES.to_owned(),
        "roles" => ROLES.to_owned(),
        "migrations" => migrations::TABLES.to_owned(),
        "vectors" => VECTORS.to_owned(),
        other => return Err(Gap::new(GapKind::NotSupported, format!("there is no topic `{other}`"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::postgres::TOPICS;

    #[test]
    fn every_topic_has_a_statement() {
        for topic in TOPICS {
            assert!(sql(topic.id, 180_000, "tenant_id").is_ok(), "{}", topic.id);
        }
        assert!(sql("io", 150_000, "tenant_id").is_err());
        let log = sql("log", 180_000, "tenant_id").expect("a statement");
        assert!(log.starts_with("WITH ") && !log.contains('\n'), "{log}");
    }
}
