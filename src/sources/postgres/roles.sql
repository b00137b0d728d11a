-- Roles for which no row security holds, and how many sessions of theirs are in this database. Sessions of people at a prompt, of dumps and
-- of ours are not counted; that a role exists which nobody uses here is no problem.
SELECT r.rolname::text AS role, r.rolsuper AS superuser, r.rolbypassrls AS bypassrls, u.sessions, t.tables AS tables_with_rls,
  CASE WHEN t.tables > 0 AND u.sessions > 0 THEN CASE WHEN r.rolsuper THEN 'is a superuser' ELSE 'has BYPASSRLS' END || ': its sessions see the rows of every tenant' ELSE '' END AS problem
FROM pg_catalog.pg_roles r
CROSS JOIN (SELECT count(*) AS tables FROM pg_catalog.pg_class c WHERE c.relrowsecurity AND c.relkind IN ('r', 'p')) t
CROSS JOIN LATERAL (SELECT count(*) AS sessions FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid AND a.datname = current_database()
  AND coalesce(a.backend_type, 'client backend') = 'client backend' AND a.pid <> pg_backend_pid()
  AND a.application_name !~ '^(stacktop|psql|pg_dump|pg_restore|pgAdmin)') u
WHERE r.rolcanlogin AND (r.rolsuper OR r.rolbypassrls) ORDER BY 6 DESC, 1 LIMIT 200
