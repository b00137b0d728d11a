//! Migrations on real servers: what each tool writes down becomes an event with the moment that its table tells, one that failed is a
//! finding, and a table that may not be read is said with the right.

use super::looks::connect;
use super::watches::{firing, until};
use super::{Watch, client, server};
use stacktop::config::target::Connect;
use stacktop::core::alert::Severity;
use stacktop::core::place::Screen;
use stacktop::core::time::Clock;
use stacktop::core::timeline::{Event, Kind};
use stacktop::sources::postgres::PostgresSource;
use stacktop::ui::content::Line;
use std::time::Duration;

/// The tables as their tools make them, each with a migration of long ago.
const TABLES: &str = "SET timezone = 'UTC'; \
    CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL, \
      logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0); \
    INSERT INTO _prisma_migrations VALUES ('1', '', '2026-01-01', '20260101_init', NULL, NULL, '2026-01-01', 1); \
    CREATE TABLE knex_migrations (id serial PRIMARY KEY, name varchar(255), batch integer, migration_time timestamptz); \
    INSERT INTO knex_migrations (name, migration_time) VALUES ('1_init.js', '2026-01-01'); \
    CREATE TABLE migrations (id serial PRIMARY KEY, \"timestamp\" bigint NOT NULL, name varchar NOT NULL); \
    INSERT INTO migrations (\"timestamp\", name) VALUES (1, 'Init1'); \
    CREATE TABLE \"SequelizeMeta\" (name varchar(255) PRIMARY KEY); INSERT INTO \"SequelizeMeta\" VALUES ('1-init.js'); \
    CREATE TABLE django_migrations (id serial PRIMARY KEY, app varchar(255) NOT NULL, name varchar(255) NOT NULL, applied timestamptz NOT NULL); \
    INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0001_initial', '2026-01-01'); \
    CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('aaa'); \
    CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL, type varchar(20) NOT NULL, \
      script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL); \
    INSERT INTO flyway_schema_history VALUES (1, '1', 'init', 'SQL', 'V1__init.sql', 0, 'app', '2026-01-01', 1, true); \
    CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (1, false); \
    CREATE SCHEMA rails; CREATE TABLE rails.schema_migrations (version varchar PRIMARY KEY); INSERT INTO rails.schema_migrations VALUES ('20260101000000'); \
    CREATE TABLE databasechangelog (id varchar(255) NOT NULL, author varchar(255) NOT NULL, filename varchar(255) NOT NULL, dateexecuted timestamp NOT NULL, \
      orderexecuted int NOT NULL, exectype varchar(10) NOT NULL); \
    INSERT INTO databasechangelog VALUES ('1', 'ana', 'log.xml', '2026-01-01', 1, 'EXECUTED'); \
    CREATE SCHEMA birds; CREATE TABLE birds.migrations (bird text, southward boolean); INSERT INTO birds.migrations VALUES ('stork', true); \
    CREATE SCHEMA evil; CREATE TYPE evil.pair AS (a int); \
    CREATE FUNCTION evil.told(evil.pair) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $m$it ran with our rights$m$; END'; \
    CREATE CAST (evil.pair AS text) WITH FUNCTION evil.told(evil.pair); \
    CREATE TABLE evil.alembic_version (version_num evil.pair); INSERT INTO evil.alembic_version VALUES (ROW(1))";

/// A deploy: a migration of each tool.
const DEPLOY: &str = "SET timezone = 'UTC'; \
    INSERT INTO _prisma_migrations VALUES ('2', '', now(), '20260102_add', NULL, NULL, now(), 1); \
    INSERT INTO knex_migrations (name, migration_time) VALUES ('2_add.js', now()); \
    INSERT INTO migrations (\"timestamp\", name) VALUES (2, 'Add2'); \
    INSERT INTO \"SequelizeMeta\" VALUES ('2-add.js'); \
    INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0002_add', now()); \
    UPDATE alembic_version SET version_num = 'bbb'; \
    INSERT INTO flyway_schema_history VALUES (2, '2', 'add', 'SQL', 'V2__add.sql', 0, 'app', now(), 1, true); \
    UPDATE schema_migrations SET version = 2; INSERT INTO rails.schema_migrations VALUES ('20260102000000'); \
    INSERT INTO databasechangelog VALUES ('2', 'ana', 'log.xml', now(), 2, 'EXECUTED')";

/// What the timeline tells of it: the begin of its words, and whether the table tells the moment.
const TOLD: [(&str, bool); 10] = [
    ("migration 20260102_add (Prisma in public._prisma_migrations): at ", true),
    ("migration 2_add.js (Knex in public.knex_migrations): at ", true),
    ("migration Add2 (TypeORM in public.migrations): within the ", false),
    ("migration 2-add.js (Sequelize in public.SequelizeMeta): within the ", false),
    ("migration shop.0002_add (Django in public.django_migrations): at ", true),
    ("migration bbb (Alembic in public.alembic_version): within the ", false),
    ("migration 2 add (Flyway in public.flyway_schema_history): written ", false),
    ("migration 2 (golang-migrate in public.schema_migrations): within the ", false),
    ("migration 20260102000000 (Rails or dbmate in rails.schema_migrations): within the ", false),
    ("migration log.xml 2 (Liquibase in public.databasechangelog): written ", false),
];

const FAILED: &str = "INSERT INTO _prisma_migrations VALUES ('3', '', NULL, '20260103_bad', 'relation \"t\" already exists', NULL, now() - interval '2 hours', 0); \
    INSERT INTO flyway_schema_history VALUES (3, '3', 'bad', 'SQL', 'V3__bad.sql', 0, 'app', now(), 1, false); UPDATE schema_migrations SET dirty = true";

const MENDED: &str = "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE id = '3'; DELETE FROM flyway_schema_history WHERE installed_rank = 3; \
    UPDATE schema_migrations SET dirty = false";

const RULE: &str = "postgres.migration_failed";

fn migrated(watch: &Watch) -> Vec<&Event> {
    watch.world.timeline.events().filter(|event| event.kind == Kind::Migrated).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_migration_tools_write_down_is_told_and_what_failed_is_found() {
    let test = "what_migration_tools_write_down_is_told_and_what_failed_is_found";
    for version in [13, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let admin = client(&url).await;
        for step in [
            "DROP DATABASE IF EXISTS migrated WITH (FORCE)",
            "DROP ROLE IF EXISTS migrated_guest",
            "CREATE DATABASE migrated",
            "CREATE ROLE migrated_guest LOGIN PASSWORD 'guest' IN ROLE pg_monitor",
        ] {
            admin.batch_execute(step).await.expect(step);
        }
        let (place, _) = url.rsplit_once('/').expect("a database");
        let url = format!("{place}/migrated");
        let own = client(&url).await;
        own.batch_execute(TABLES).await.expect("the tables");
        let every = Duration::from_secs(1);
        let mut watch = Watch::new(Connect::Postgres(connect(&url)));
        watch.source = Box::new(PostgresSource::new(connect(&url)).watching_each(every));
        let is_read = |watch: &Watch| {
            let reading = super::reading(watch);
            stacktop::core::postgres::migrations(reading).is_some_and(|(_, all)| all.len() == 10)
        };
        until(&mut watch, "the tables", is_read).await;
        assert_eq!(migrated(&watch), Vec::<&Event>::new(), "{version}: what was there is no change");
        let before = watch.clock.now();
        own.batch_execute(DEPLOY).await.expect("a deploy");
        until(&mut watch, "the deploy", |watch| migrated(watch).len() >= TOLD.len()).await;
        let events = migrated(&watch);
        assert_eq!(events.len(), TOLD.len(), "{version}: {events:?}");
        for (words, dated) in TOLD {
            let event = events.iter().find(|event| event.words.starts_with(words));
            let event = event.unwrap_or_else(|| panic!("{version}: {words}: {events:?}"));
            // Whole seconds, by another clock.
            let off = event.at.since(before).max(before.since(event.at));
            assert!(!dated || off < Duration::from_secs(3), "{version}: {event:?}");
        }
        assert_eq!(firing(&watch, RULE), Vec::<String>::new(), "{version}");
        own.batch_execute(FAILED).await.expect("failed");
        until(&mut watch, "three that failed", |watch| firing(watch, RULE).len() == 3).await;
        let told = firing(&watch, RULE).join("\n");
        for words in [
            "migration 20260103_bad (Prisma in public._prisma_migrations): failed",
            "migration 3 bad (Flyway in public.flyway_schema_history): failed",
            "migration 2 (golang-migrate in public.schema_migrations): dirty",
        ] {
            assert!(told.contains(words), "{version}: {told}");
        }
        let all = watch.world.alerts.firing();
        let bad =
            all.iter().find(|finding| finding.breach.subject.ends_with("20260103_bad")).expect("it fires");
        let age = bad.lasted(watch.clock.now()).as_secs();
        assert!((7195..7230).contains(&age), "{version}: the server says since when: {age}");
        own.batch_execute(MENDED).await.expect("mended");
        until(&mut watch, "its end", |watch| firing(watch, RULE).is_empty()).await;
        // A role that may read none of them: the right is said, and nothing is claimed.
        let (_, place) = url.rsplit_once('@').expect("a login");
        let guest = format!("postgres://migrated_guest:guest@{place}");
        let mut blind = Watch::new(Connect::Postgres(connect(&guest)));
        blind.source = Box::new(PostgresSource::new(connect(&guest)).watching_each(every));
        until(&mut blind, "the note", |watch| !firing(watch, RULE).is_empty()).await;
        let all = blind.world.alerts.firing();
        let note = all.iter().find(|finding| finding.breach.rule == RULE).expect("a note");
        assert_eq!(note.breach.severity, Severity::Info);
        assert!(note.breach.sentence.starts_with("10 tables of migrations cannot be read"), "{note:?}");
        let page = stacktop::panels::panel(Screen::Timeline).content(blind.context(), &[]);
        let lines: Vec<String> =
            page.sections.iter().flat_map(|section| &section.lines).map(Line::plain).collect();
        let right = "GRANT SELECT ON public._prisma_migrations TO migrated_guest";
        let all = lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(all.contains(right), "{version}: {all}");
        drop((watch, blind, own));
        admin.batch_execute("DROP DATABASE migrated WITH (FORCE)").await.expect("dropped");
        admin.batch_execute("DROP ROLE migrated_guest").await.expect("dropped");
    }
}
