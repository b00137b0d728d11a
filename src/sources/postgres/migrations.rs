//! The statements behind the look at migrations: which tables of migration tools there are in this database, then the newest rows of each.
//! A moment is asked for only where the tool writes one with its zone; what it writes without one is shown as it stands.

/// So many rows of each table are read, those that failed first.
const NEWEST: usize = 30;

/// The tables that are called like one of a migration tool, with what is to be known before they are read.
pub(super) const TABLES: &str = include_str!("migrations.sql");

/// The table of one tool.
struct Tool {
    name: &'static str,
    table: &'static str,
    /// The columns by which it is known, each with its type where that matters.
    columns: &'static [&'static str],
    /// What a migration is called, as SQL, and by what its rows are ordered.
    migration: &'static str,
    order: &'static str,
    /// When it was applied: a moment with its zone.
    at: Option<&'static str>,
    /// The same as the tool wrote it, without a zone.
    written: Option<&'static str>,
    /// What is wrong with it; empty for nothing.
    problem: &'static str,
    /// The rows that count.
    only: &'static str,
}

const ANY: Tool = Tool {
    name: "",
    table: "",
    columns: &[],
    migration: "name",
    order: "1",
    at: None,
    written: None,
    problem: "''",
    only: "true",
};

/// Of several that share the name of a table the first whose columns are there.
const TOOLS: [Tool; 13] = [
    Tool {
        name: "Prisma",
        table: "_prisma_migrations",
        columns: &[
            "migration_name",
            "finished_at timestamp with time zone",
            "started_at timestamp with time zone",
            "rolled_back_at",
            "logs",
        ],
        migration: "migration_name",
        order: "started_at",
        at: Some("coalesce(finished_at, started_at)"),
        // Prisma writes what went wrong into `logs`; one that died in the middle writes nothing.
        problem: "CASE WHEN finished_at IS NOT NULL THEN '' WHEN coalesce(logs::text, '') <> '' THEN 'failed' \
            WHEN started_at < clock_timestamp() - interval '2 hours' THEN 'began hours ago and did not end' ELSE '' END",
        only: "rolled_back_at IS NULL",
        ..ANY
    },
    Tool {
        name: "Knex",
        table: "knex_migrations",
        columns: &["id", "name", "migration_time timestamp with time zone"],
        order: "id",
        at: Some("migration_time"),
        ..ANY
    },
    // Its `timestamp` is of the day when the migration was written.
    Tool {
        name: "TypeORM",
        table: "migrations",
        columns: &["timestamp bigint", "name"],
        order: "timestamp",
        ..ANY
    },
    Tool {
        name: "Laravel",
        table: "migrations",
        columns: &["id", "migration", "batch"],
        migration: "migration",
        order: "id",
        ..ANY
    },
    Tool { name: "Sequelize", table: "SequelizeMeta", columns: &["name"], order: "name", ..ANY },
    Tool {
        name: "Django",
        table: "django_migrations",
        columns: &["app", "name", "applied timestamp with time zone"],
        migration: "app || '.' || name",
        order: "applied",
        at: Some("applied"),
        ..ANY
    },
    Tool {
        name: "Alembic",
        table: "alembic_version",
        columns: &["version_num"],
        migration: "version_num",
        order: "version_num",
        ..ANY
    },
    Tool {
        name: "Flyway",
        table: "flyway_schema_history",
        columns: &["installed_rank", "version", "description", "installed_on", "success"],
        migration: "coalesce(version::text || ' ', '') || description",
        order: "installed_rank",
        written: Some("installed_on"),
        problem: "CASE WHEN success::text IN ('false', 'f') THEN 'failed' ELSE '' END",
        ..ANY
    },
    Tool {
        name: "golang-migrate",
        table: "schema_migrations",
        columns: &["version", "dirty"],
        migration: "version",
        order: "version",
        problem: "CASE WHEN dirty::text IN ('true', 't') THEN 'dirty: it ended half way' ELSE '' END",
        ..ANY
    },
    Tool {
        name: "Ecto",
        table: "schema_migrations",
        columns: &["version", "inserted_at"],
        migration: "version",
        order: "version",
        written: Some("inserted_at"),
        ..ANY
    },
    Tool {
        name: "Rails or dbmate",
        table: "schema_migrations",
        columns: &["version"],
        migration: "version",
        order: "version",
        ..ANY
    },
    Tool {
        name: "Liquibase",
        table: "databasechangelog",
        columns: &["id", "author", "filename", "dateexecuted", "orderexecuted", "exectype"],
        migration: "filename || ' ' || id",
        order: "orderexecuted",
        written: Some("dateexecuted"),
        problem: "CASE WHEN exectype = 'FAILED' THEN 'failed' ELSE '' END",
        ..ANY
    },
    Tool {
        name: "sqlx",
        table: "_sqlx_migrations",
        columns: &["version", "description", "installed_on timestamp with time zone", "success"],
        migration: "version || ' ' || description",
        order: "version",
        at: Some("installed_on"),
        problem: "CASE WHEN success::text IN ('false', 'f') THEN 'dirty: it ended half way' ELSE '' END",
        ..ANY
    },
];

/// A table that was found, as SQL: its name, its name as text, and why it is not read, as text; nothing where it may be.
struct Table<'a> {
    name: &'a str,
    text: &'a str,
    unread: Option<&'a str>,
    tool: &'static Tool,
}

/// Whether a table that has `there` (`name type`, one a line) has all of these columns.
fn has(there: &str, columns: &[&str]) -> bool {
    let is = |line: &str, wanted: &str| {
        line == wanted || line.strip_prefix(wanted).is_some_and(|rest| rest.starts_with(' '))
    };
    columns.iter().all(|wanted| there.lines().any(|line| is(line, wanted)))
}

/// One row of [`TABLES`].
fn table(row: &[Option<String>]) -> Option<Table<'_>> {
    let cell = |at: usize| row.get(at)?.as_deref();
    let (called, there) = (cell(0)?, cell(3)?);
    let tool = TOOLS.iter().find(|tool| tool.table == called && has(there, tool.columns))?;
    Some(Table { name: cell(1)?, text: cell(2)?, unread: cell(4), tool })
}

/// The newest migrations of the tables that were found; without one, a statement that finds nothing.
pub(super) fn newest(found: &[Vec<Option<String>>]) -> String {
    let parts: Vec<String> = found.iter().filter_map(|row| table(row)).map(|table| part(&table)).collect();
    if parts.is_empty() {
        return format!("SELECT {COLUMNS} WHERE false");
    }
    parts.join(" UNION ALL ")
}

/// The columns of a table of which nothing is read.
const COLUMNS: &str = "NULL::text AS tool, NULL::text AS \"table\", NULL::text AS migration, NULL::int8 AS applied_seconds, \
     NULL::text AS written, NULL::text AS problem";

fn part(Table { name, text, unread, tool }: &Table<'_>) -> String {
    let Tool { name: by, migration, order, at, written, problem, only, .. } = tool;
    if let Some(why) = unread {
        return format!(
            "SELECT '{by}'::text AS tool, {text}::text AS \"table\", ''::text AS migration, NULL::int8 AS applied_seconds, \
             NULL::text AS written, {why}::text AS problem"
        );
    }
    let seconds = at.map_or_else(
        || "NULL::int8".to_owned(),
        |at| format!("extract(epoch FROM clock_timestamp() - {at})::int8"),
    );
    let utc = |at: &str| format!("to_char(({at}) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"')");
    let wrote = at.map(utc).or_else(|| written.map(|written| format!("left({written}::text, 19)")));
    let wrote = wrote.unwrap_or_else(|| "NULL::text".to_owned());
    format!(
        "(SELECT '{by}'::text AS tool, {text}::text AS \"table\", migration, applied_seconds, written, problem FROM \
         (SELECT left(({migration})::text, 200) AS migration, {seconds} AS applied_seconds, {wrote} AS written, {problem} AS problem, \
         {order} AS place FROM ONLY {name} WHERE {only}) r ORDER BY problem <> '' DESC, place DESC NULLS LAST LIMIT {NEWEST})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(table: &str, columns: &str, unread: Option<&str>) -> Vec<Option<String>> {
        let cells = [table, &format!("public.\"{table}\""), &format!("'public.{table}'"), columns];
        let cells = cells.iter().map(|cell| Some((*cell).to_owned()));
        cells.chain([unread.map(str::to_owned)]).collect()
    }

    #[track_caller]
    fn check(table: &str, columns: &str, expected: Option<&str>) {
        let row = row(table, columns, None);
        assert_eq!(super::table(&row).map(|found| found.tool.name), expected, "{table} {columns}");
    }

    #[test]
    fn a_table_is_known_by_its_name_and_its_columns() {
        check("schema_migrations", "version character varying", Some("Rails or dbmate"));
        check("schema_migrations", "version bigint\ndirty boolean", Some("golang-migrate"));
        check("schema_migrations", "version bigint\ninserted_at timestamp without time zone", Some("Ecto"));
        check("migrations", "id integer\ntimestamp bigint\nname character varying", Some("TypeORM"));
        check("migrations", "id integer\nmigration text\nbatch integer", Some("Laravel"));
        check("migrations", "bird text\nsouthward boolean", None);
        let knex =
            "id integer\nname character varying\nbatch integer\nmigration_time timestamp with time zone";
        check("knex_migrations", knex, Some("Knex"));
        check("knex_migrations", "id integer\nname text\nmigration_time text", None);
        check("other", "version text", None);
    }

    #[test]
    fn what_may_not_be_read_is_said_and_not_asked() {
        let found = [
            row("alembic_version", "version_num text", Some("'may not be read: GRANT SELECT'")),
            row("SequelizeMeta", "name text", None),
        ];
        let sql = newest(&found);
        assert!(
            !sql.contains("ONLY public.\"alembic_version\"") && sql.contains("'may not be read"),
            "{sql}"
        );
        assert!(
            sql.contains("FROM ONLY public.\"SequelizeMeta\"") && sql.contains("NULL::int8 AS applied"),
            "{sql}"
        );
        assert!(newest(&[]).ends_with("WHERE false"));
    }
}
