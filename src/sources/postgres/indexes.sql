-- Indexes and what may be done without them. Blamed are, in this order: invalid ones, those that enforce nothing, those without a
-- constraint; never one that a constraint, a foreign key, a replica identity, CLUSTER or a partitioned index needs. Two are alike by
-- what the catalog says of columns, classes, collations, options, expressions and conditions (without their places in the text that made
-- them); the text of a definition would need a lock. Only those of one table, method, condition and first column are compared, which is a
-- join by hash: ten thousand indexes take a fraction of a second.
WITH x AS (SELECT x.indexrelid, x.indrelid, x.indisunique, x.indimmediate, x.indisvalid AND x.indisready AS whole, ic.relname AS name,
    tc.relname AS on_table, ic.relkind AS kind, n.nspname, ic.relpages, ic.relam, am.amname = 'btree' AS sorted, x.indnkeyatts::int AS keys, string_to_array(x.indkey::text, ' ') AS cols,
    string_to_array(x.indclass::text, ' ') AS classes, string_to_array(x.indcollation::text, ' ') AS collations, string_to_array(x.indoption::text, ' ') AS options,
    regexp_replace(coalesce(x.indexprs::text, ''), ' :location -?\d+', '', 'g') AS exprs, regexp_replace(coalesce(x.indpred::text, ''), ' :location -?\d+', '', 'g') AS pred,
    coalesce(to_jsonb(x) ->> 'indnullsnotdistinct', 'false') AS nulls_alike,
    x.indisprimary OR x.indisexclusion OR x.indisreplident OR x.indisclustered OR EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid)
      OR EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = x.indexrelid) AS bound
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid JOIN pg_catalog.pg_class tc ON tc.oid = x.indrelid JOIN pg_catalog.pg_am am ON am.oid = ic.relam
  JOIN pg_catalog.pg_namespace n ON n.oid = ic.relnamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')),
pairs AS (SELECT a.indexrelid, b.name, b.bound, b.indisunique, b.indexrelid AS other, cardinality(b.cols) > cardinality(a.cols) AS wider,
    a.keys = b.keys AND a.exprs = b.exprs AND a.cols[a.keys + 1:] <@ b.cols AND (a.cols <> b.cols OR b.bound OR b.indisunique AND NOT a.indisunique OR b.indisunique = a.indisunique AND b.indexrelid < a.indexrelid) AS same
  FROM x a JOIN x b ON b.indrelid = a.indrelid AND b.relam = a.relam AND b.pred = a.pred AND b.cols[1] = a.cols[1] AND b.indexrelid <> a.indexrelid AND b.whole AND a.whole AND NOT a.bound
    AND (NOT a.indisunique OR b.indisunique AND b.indimmediate AND b.keys = a.keys AND b.nulls_alike = a.nulls_alike)
    AND b.keys >= a.keys AND (b.keys = a.keys OR a.sorted) AND b.cols[1:a.keys] = a.cols[1:a.keys] AND b.classes[1:a.keys] = a.classes AND b.collations[1:a.keys] = a.collations
    AND b.options[1:a.keys] = a.options AND left(b.exprs, length(a.exprs) - 1) = left(a.exprs, length(a.exprs) - 1) AND a.cols[a.keys + 1:] <@ b.cols),
best AS (SELECT DISTINCT ON (p.indexrelid) p.indexrelid, p.name, p.same FROM pairs p WHERE p.same OR p.wider
  ORDER BY p.indexrelid, p.same DESC, p.bound DESC, p.indisunique DESC, p.other),
counted AS (SELECT x.*, pg_stat_get_numscans(x.indexrelid) AS idx_scan FROM x),
judged AS (SELECT x.*, CASE
    WHEN NOT x.whole AND EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid AND p.datname = current_database()) THEN 'is being built'
    WHEN NOT x.whole AND x.bound THEN 'invalid, but a constraint or a partitioned index needs it: REINDEX it'
    WHEN NOT x.whole THEN 'invalid: what a failed CREATE or REINDEX CONCURRENTLY left; it costs writes and serves no search'
    WHEN d.same THEN 'duplicate of ' || d.name
    WHEN d.name IS NOT NULL THEN 'its columns lead those of ' || d.name
    WHEN coalesce(x.idx_scan, 0) = 0 AND NOT x.indisunique AND NOT x.bound AND x.kind <> 'I' THEN 'no scan here since the counters began'
      || coalesce(' (' || (SELECT to_char(r.stats_reset, 'YYYY-MM-DD') FROM pg_catalog.pg_stat_database r WHERE r.datname = current_database()) || ')', '')
      || '; ask its standbys and its rare jobs before it is dropped' END AS problem
  FROM counted x LEFT JOIN best d ON d.indexrelid = x.indexrelid)
SELECT nspname || '.' || name AS index, nspname || '.' || on_table AS "table", relpages::int8 * current_setting('block_size')::int8 AS index_bytes,
  coalesce(idx_scan, 0) AS scans, coalesce(problem, '') AS problem FROM judged ORDER BY problem IS NULL, index_bytes DESC LIMIT 500
