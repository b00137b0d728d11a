-- Pages that the rows would need by the mean width of their columns, against the pages that there are. The statistics of a column that our
-- role may not read are not shown to it: an estimate by the others would be wrong, and a table left out would look like one without waste.
WITH w AS (SELECT schemaname, tablename, sum((1 - null_frac) * avg_width) AS width FROM pg_catalog.pg_stats GROUP BY 1, 2),
t AS (SELECT n.nspname || '.' || c.relname AS name, c.relpages::int8 AS pages, c.reltuples, c.reloptions, w.width,
    CASE WHEN NOT has_table_privilege(c.oid, 'SELECT') THEN 'its statistics may not be read: GRANT SELECT ON it, or pg_read_all_data (14 and later)'
      WHEN row_security_active(c.oid) THEN 'row-level security hides its statistics: they need a role with BYPASSRLS'
      WHEN w.width IS NULL THEN 'it has no statistics: ANALYZE it' ELSE '' END AS problem
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN w ON w.schemaname = n.nspname AND w.tablename = c.relname
  WHERE c.relkind IN ('r', 'm') AND c.reltuples > 0 AND n.nspname NOT IN ('pg_catalog', 'information_schema')),
e AS (SELECT t.*, CASE WHEN problem = '' THEN ceil(reltuples * (width + 28) / (current_setting('block_size')::int8 - 24)
    / (coalesce((SELECT option_value FROM pg_options_to_table(reloptions) WHERE option_name = 'fillfactor'), '100')::numeric / 100)::float8)::int8 END AS needed FROM t)
SELECT name AS "table", pages * current_setting('block_size')::int8 AS table_bytes,
  CASE WHEN needed IS NOT NULL THEN greatest(pages - needed, 0) * current_setting('block_size')::int8 END AS estimated_waste_bytes,
  CASE WHEN needed IS NOT NULL THEN round((greatest(pages - needed, 0) / greatest(pages, 1)::numeric), 3) END AS estimated_waste_ratio, problem
FROM e ORDER BY 3 DESC NULLS LAST, 2 DESC LIMIT 200
