-- The largest tables by pages, and what the ten largest have on the disk with their indexes: without those that somebody holds, or waits to
-- hold, for himself alone, for that a size would wait, too. Sizes are summed up over files; nothing is read of them.
SELECT l."table",
  CASE WHEN l.place <= 10 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_locks k WHERE k.mode = 'AccessExclusiveLock'
      AND k.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND (k.relation IN (l.oid, l.toast) OR k.relation IN (SELECT x.indexrelid FROM pg_catalog.pg_index x WHERE x.indrelid IN (l.oid, l.toast))))
    THEN pg_total_relation_size(l.oid) END AS on_disk_bytes,
  l.table_bytes, l.indexes_bytes, l.rows, s.seq_scan AS seq_scans, s.idx_scan AS index_scans, (s.n_tup_ins + s.n_tup_upd + s.n_tup_del) AS changes
FROM (SELECT c.oid, c.reltoastrelid AS toast, n.nspname || '.' || c.relname AS "table",
    row_number() OVER (ORDER BY (c.relpages + coalesce(t.relpages, 0)) DESC, c.oid) AS place,
    (c.relpages + coalesce(t.relpages, 0))::int8 * current_setting('block_size')::int8 AS table_bytes,
    coalesce((SELECT sum(i.relpages) FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid), 0)::int8
      * current_setting('block_size')::int8 AS indexes_bytes,
    nullif(c.reltuples, -1)::int8 AS rows
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
  WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 4 LIMIT 200) l
  LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = l.oid
ORDER BY l.place
