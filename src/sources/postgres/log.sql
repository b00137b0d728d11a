-- The end of the server's own log, the newest line first. Bytes, because a log may hold several encodings; what is no ASCII is escaped.
-- What a server that logs every statement says of this look, and of our polls, is no news.
-- (pg_current_logfile() may be asked by pg_monitor from version 16 on only; the newest file is the same.)
WITH c AS (SELECT current_setting('log_directory') AS folder WHERE current_setting('logging_collector') = 'on'),
  d AS (SELECT f.path, f.size FROM c CROSS JOIN LATERAL
    (SELECT c.folder || '/' || l.name AS path, l.size FROM pg_ls_logdir() l ORDER BY l.name ~ '\.(csv|json)$', l.modification DESC LIMIT 1) f),
  b AS (SELECT greatest(size - 131072, 0) AS start, pg_read_binary_file(path, greatest(size - 131072, 0), 131072) AS bytes FROM d),
  w AS (SELECT CASE WHEN start > 0 THEN substring(bytes FROM position('\x0a'::bytea IN bytes) + 1) ELSE bytes END AS bytes FROM b),
  t AS (SELECT s.n, s.line FROM w CROSS JOIN LATERAL regexp_split_to_table(encode(w.bytes, 'escape'), E'\n') WITH ORDINALITY s(line, n))
SELECT line FROM (
  SELECT n, line FROM t WHERE line <> '' AND line NOT LIKE '%/* stacktop */%'
  UNION ALL
  SELECT 0, CASE WHEN current_setting('logging_collector') = 'off'
      THEN 'the server keeps no log of its own (logging_collector is off): it goes to where it was started, the journal or the container'
      ELSE 'its folder of logs holds no file' END
    WHERE NOT EXISTS (SELECT 1 FROM d)
  ) l ORDER BY n DESC LIMIT 400
