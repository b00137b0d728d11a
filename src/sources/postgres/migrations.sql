-- Tables that are called like one of a migration tool, by name through the index of the catalog; of a database with one for each tenant the
-- first twenty. Types, row security and children of the database's users could run their functions with our rights: columns of built-in types
-- count, and what has row security is not read. Whether we may read them is asked of the catalog, which waits for no lock of a migration that is under way.
SELECT c.relname AS called, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, quote_literal(n.nspname || '.' || c.relname) AS text,
  (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, NULL), E'\n') FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid < 16384) AS columns,
  CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE')
      THEN quote_literal('may not be read: GRANT USAGE ON SCHEMA ' || quote_ident(n.nspname) || ' and GRANT SELECT ON '
        || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' TO ' || quote_ident(current_user))
    WHEN NOT has_table_privilege(c.oid, 'SELECT')
      THEN quote_literal('may not be read: GRANT SELECT ON ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' TO ' || quote_ident(current_user))
    WHEN c.relpages > 1000 THEN quote_literal('is not read: with ' || c.relpages || ' pages it is larger than the tables of migration tools')
    WHEN c.relrowsecurity THEN quote_literal('is not read: its row-level security would run functions with our rights')
  END AS unread
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname IN ('_prisma_migrations', 'knex_migrations', 'migrations', 'SequelizeMeta', 'django_migrations', 'alembic_version',
    'flyway_schema_history', 'schema_migrations', 'databasechangelog', '_sqlx_migrations')
  AND c.relkind = 'r' AND NOT pg_is_other_temp_schema(n.oid)
ORDER BY n.nspname <> 'public', n.nspname, c.relname LIMIT 20
