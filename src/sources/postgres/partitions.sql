-- Partitioned tables and until when they are covered. Bounds are read as moments where the key is a time, or where all of them look like
-- years, months or days (numbers and text); other keys are not judged. A table that is a partition itself answers for its own period only.
WITH tops AS (SELECT c.oid, n.nspname || '.' || c.relname AS parent, pt.partstrat, pt.partnatts, pt.partdefid, c.relpartbound IS NOT NULL AS is_part,
    coalesce((SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = pt.partattrs[0]), 'an expression') AS key,
    coalesce((SELECT a.atttypid IN (1082, 1114, 1184) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = pt.partattrs[0]), false) AS is_time
  FROM pg_catalog.pg_partitioned_table pt JOIN pg_catalog.pg_class c ON c.oid = pt.partrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace),
parts AS (SELECT t.oid AS top, t.partstrat, t.partnatts, t.is_time, k.oid, k.relpages, k.reltuples, k.oid = t.partdefid AS rest, pg_get_expr(k.relpartbound, k.oid) AS bound
  FROM tops t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid JOIN pg_catalog.pg_class k ON k.oid = i.inhrelid),
raw AS (SELECT top, oid, is_time, partnatts, 'range' AS how, substring(bound FROM $$FROM \(('(?:[^']|'')*'|[^,)]+)$$) AS lo, substring(bound FROM $$\) TO \(('(?:[^']|'')*'|[^,)]+)$$) AS up
    FROM parts WHERE partstrat = 'r' AND NOT rest
  UNION ALL SELECT top, oid, is_time, partnatts, 'list', m[1], m[1] FROM parts, regexp_matches(substring(bound FROM $$IN \((.*)\)$$), $$('(?:[^']|'')*'|[^, ]+)$$, 'g') m WHERE partstrat = 'l' AND NOT rest),
ends AS (SELECT r.*, s.side, s.raw, s.v, CASE WHEN s.raw IN ('MINVALUE', 'MAXVALUE') OR s.v IN ('infinity', '-infinity') THEN 'open' WHEN s.raw = 'NULL' THEN 'open'
    WHEN r.is_time THEN 'time' WHEN s.v ~ '^(19|20|21)\d\d-(0[1-9]|1[0-2])-[0-3]\d' THEN 'day' WHEN s.v ~ '^(19|20|21)\d\d-(0[1-9]|1[0-2])$' THEN 'month'
    WHEN s.v ~ '^(19|20|21)\d\d(0[1-9]|1[0-2])[0-3]\d$' THEN 'yyyymmdd' WHEN s.v ~ '^(19|20|21)\d\d(0[1-9]|1[0-2])$' THEN 'yyyymm' WHEN s.v ~ '^(19|20|21)\d\d$' THEN 'year' ELSE 'other' END AS kind
  FROM raw r, LATERAL (SELECT 'lo' AS side, r.lo AS raw, replace(btrim(r.lo, ''''), '''''', '''') AS v UNION ALL SELECT 'up', r.up, replace(btrim(r.up, ''''), '''''', '''')) s),
kinds AS (SELECT top, CASE WHEN count(DISTINCT kind) FILTER (WHERE kind <> 'open') = 1 THEN min(kind) FILTER (WHERE kind <> 'open') ELSE 'other' END AS kind FROM ends GROUP BY top),
moments AS (SELECT e.top, e.oid, e.side, e.how, e.partnatts, k.kind, CASE WHEN e.raw = 'MINVALUE' OR e.v = '-infinity' THEN '-infinity'::timestamptz WHEN e.kind = 'open' THEN 'infinity'::timestamptz
    WHEN k.kind = 'time' THEN e.v::timestamptz WHEN k.kind = 'day' THEN (make_date(left(e.v, 4)::int, substr(e.v, 6, 2)::int, 1) + substr(e.v, 9, 2)::int - 1)::timestamptz
    WHEN k.kind = 'month' THEN make_date(left(e.v, 4)::int, substr(e.v, 6, 2)::int, 1)::timestamptz WHEN k.kind = 'yyyymmdd' THEN (make_date(left(e.v, 4)::int, substr(e.v, 5, 2)::int, 1) + substr(e.v, 7, 2)::int - 1)::timestamptz
    WHEN k.kind = 'yyyymm' THEN make_date(left(e.v, 4)::int, substr(e.v, 5, 2)::int, 1)::timestamptz WHEN k.kind = 'year' THEN make_date(e.v::int, 1, 1)::timestamptz END AS at, e.raw = 'NULL' AS of_null, e.v
  FROM ends e JOIN kinds k ON k.top = e.top WHERE k.kind <> 'other'),
steps AS (SELECT kind, step FROM (VALUES ('time', interval '1 day'), ('day', '1 day'), ('yyyymmdd', '1 day'), ('month', '1 month'), ('yyyymm', '1 month'), ('year', '1 year')) v(kind, step)),
spans AS (SELECT m.top, m.oid, lo.at AS lo, CASE WHEN m.how = 'list' OR m.partnatts > 1 AND lo.at = m.at THEN lo.at + s.step ELSE m.at END AS up
  FROM moments m JOIN moments lo ON lo.top = m.top AND lo.oid = m.oid AND lo.side = 'lo' AND (m.how = 'range' OR lo.v = m.v) JOIN steps s ON s.kind = m.kind WHERE m.side = 'up' AND NOT m.of_null),
own AS (SELECT oid, min(lo) AS lo, max(up) AS up FROM spans GROUP BY oid),
judged AS (SELECT t.oid, greatest(statement_timestamp(), own.lo) AS at, own.up AS ends, NOT coalesce(own.up <= statement_timestamp() OR own.lo > statement_timestamp() + interval '7 days', false) AS current
  FROM tops t LEFT JOIN own ON own.oid = t.oid),
marked AS (SELECT s.*, s.lo > max(s.up) OVER (PARTITION BY s.top ORDER BY s.lo, s.up ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS apart FROM spans s),
islands AS (SELECT top, lo, up, count(*) FILTER (WHERE apart) OVER (PARTITION BY top ORDER BY lo, up) AS island FROM marked),
wide AS (SELECT top, min(lo) AS lo, max(up) AS up FROM islands GROUP BY top, island),
cover AS (SELECT j.oid, max(w.up) FILTER (WHERE w.lo <= j.at AND w.up > j.at) AS until, max(w.up) FILTER (WHERE w.up <= j.at) AS ended,
    (SELECT max(s.up) FROM spans s WHERE s.top = j.oid AND s.lo <= j.at AND s.up > j.at) AS period FROM judged j JOIN wide w ON w.top = j.oid GROUP BY j.oid, j.at),
oldest AS (SELECT top, min(up) AS up FROM spans WHERE up > '-infinity' GROUP BY top),
sums AS (SELECT top, count(*) AS partitions, sum(relpages) AS pages, sum(greatest(reltuples, 0)) FILTER (WHERE rest)::int8 AS in_rest, bool_or(rest) AS has_rest,
    sum(1.0 / nullif(substring(bound FROM 'modulus (\d+)')::numeric, 0)) AS remainders FROM parts GROUP BY top)
SELECT t.parent, CASE t.partstrat WHEN 'r' THEN 'range of ' WHEN 'l' THEN 'list of ' ELSE 'hash of ' END || t.key || CASE WHEN t.partnatts > 1 THEN ' and others' ELSE '' END AS key,
  coalesce(s.partitions, 0) AS partitions, coalesce(s.pages, 0)::int8 * current_setting('block_size')::int8 AS size_bytes, s.in_rest AS rows_in_default,
  CASE WHEN c.oid IS NULL THEN NULL WHEN c.until = 'infinity' THEN 'without end' ELSE coalesce(c.until, c.ended)::text END AS covered_until,
  CASE WHEN c.until < 'infinity' THEN extract(epoch FROM c.until - statement_timestamp())::int8 END AS covered_for_seconds,
  CASE WHEN c.oid IS NOT NULL AND c.until IS NULL AND j.current AND c.ended > '-infinity' THEN extract(epoch FROM statement_timestamp() - c.ended)::int8 END AS uncovered_seconds,
  CASE WHEN NOT t.is_part AND o.up < statement_timestamp() THEN extract(epoch FROM statement_timestamp() - o.up)::int8 END AS oldest_ended_seconds,
  CASE WHEN NOT j.current THEN '' WHEN s.partitions IS NULL THEN 'no partition: every insert fails' WHEN t.partstrat = 'h' AND s.remainders < 0.9999 AND NOT coalesce(s.has_rest, false) THEN 'a remainder has no partition: a part of the inserts fails'
    WHEN c.oid IS NOT NULL AND c.until IS NULL THEN 'the current period has no partition: ' || CASE WHEN s.has_rest THEN 'its rows go to the default' ELSE 'its inserts fail' END
    WHEN c.until = c.period AND c.until < statement_timestamp() + interval '7 days' AND c.until < coalesce(j.ends, 'infinity') THEN 'the next period has no partition: ' || CASE WHEN s.has_rest THEN 'its rows will go to the default' ELSE 'its inserts will fail' END
    WHEN s.in_rest > 0 THEN 'rows are in the default partition' ELSE '' END AS problem
FROM tops t JOIN judged j ON j.oid = t.oid LEFT JOIN sums s ON s.top = t.oid LEFT JOIN cover c ON c.oid = t.oid LEFT JOIN oldest o ON o.top = t.oid ORDER BY 10 DESC, 1 LIMIT 500
