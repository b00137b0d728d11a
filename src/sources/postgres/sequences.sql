-- Sequences and how much of their numbers is used: against their own end, or that of the column that they fill, whichever comes first.
-- One that begins anew has no end. The value of one that our role may not read is not known, and said to be so.
WITH q AS (SELECT n.nspname || '.' || c.relname AS name, s.seqincrement AS step, s.seqmin AS least, s.seqmax AS most, s.seqcycle AS cycles,
    d.of_column, CASE d.type WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END::int8 AS widest,
    has_sequence_privilege(c.oid, 'SELECT, USAGE') AS readable,
    -- What is not logged is not on a standby; some versions refuse the whole statement for it.
    CASE WHEN has_sequence_privilege(c.oid, 'SELECT, USAGE') AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery())
      THEN pg_sequence_last_value(c.oid) END AS last_value
  FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (SELECT tn.nspname || '.' || t.relname || '.' || a.attname AS of_column, a.atttypid::int8 AS type FROM pg_catalog.pg_depend d
      JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i') LIMIT 1) d ON true
  WHERE NOT pg_is_other_temp_schema(n.oid)),
ends AS (SELECT q.*, CASE WHEN step > 0 THEN least(most, widest) ELSE greatest(q.least, -widest - 1) END AS ends FROM q),
used AS (SELECT e.*, CASE WHEN cycles THEN NULL WHEN step > 0 THEN (last_value::numeric - e.least + 1) / greatest(ends::numeric - e.least + 1, 1)
    ELSE (most::numeric - last_value + 1) / greatest(most::numeric - ends + 1, 1) END AS share,
    CASE WHEN NOT cycles THEN floor((ends::numeric - last_value) / step) END AS remaining FROM ends e)
SELECT name AS sequence, coalesce(of_column, '') AS of_column, last_value, ends AS ends_at, remaining AS numbers_left, round(share, 4) AS used_ratio,
  CASE WHEN NOT readable THEN 'its value may not be read: GRANT SELECT ON it, or pg_read_all_data (14 and later)'
    WHEN remaining <= 0 THEN 'at its end: the next value is refused' ELSE '' END AS problem
FROM used ORDER BY share DESC NULLS LAST, 1 LIMIT 200
