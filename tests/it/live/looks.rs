//! Looks at real servers of every version: topics, the team's own panels, plans; and that no poll ever waits for one.

use super::{Watch, client, server};
use stacktop::config::target::{Connect, PostgresConnect};
use stacktop::config::url;
use stacktop::core::alert::Severity;
use stacktop::core::focus::Focus;
use stacktop::core::part::Part;
use stacktop::core::postgres::{Look, Planned, PostgresState, SqlPanel, SqlTable, TOPICS};
use stacktop::core::world::SystemState;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn state(watch: &Watch) -> &PostgresState {
    match &watch.world.targets()[0].system {
        SystemState::Postgres(state) => state,
        other => panic!("{other:?}"),
    }
}

pub fn connect(url: &str) -> PostgresConnect {
    url::postgres(url).expect("a URL")
}

/// Polls until `look` was answered.
pub async fn answer(watch: &mut Watch, look: &Look, also: &[Focus]) -> Part<SqlTable> {
    let mut focus = vec![Focus::Look(look.clone())];
    focus.extend_from_slice(also);
    for _ in 0..200 {
        watch.poll_with(&focus).await.expect("a poll");
        let looks = &state(watch).reading().expect("a reading").looks;
        let found = looks.iter().find(|looked| looked.look == *look).expect("it is looked at");
        if found.table != Part::NotAsked && !found.asking {
            return found.table.clone();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{look:?} was not answered");
}

pub fn cells<'a>(table: &'a SqlTable, name: &str, column: &str) -> Vec<&'a str> {
    let rows: Vec<usize> = (0..table.rows.len())
        .filter(|row| table.rows[*row].first().is_some_and(|cell| cell.as_deref() == Some(name)))
        .collect();
    table.column(column).filter(|(row, _)| rows.contains(row)).map(|(_, text)| text).collect()
}

const SCENE: &str = "DROP SCHEMA IF EXISTS scene CASCADE; CREATE SCHEMA scene; SET search_path = scene, public; \
    CREATE TABLE documents (id int PRIMARY KEY, tenant_id int NOT NULL, body text); \
    INSERT INTO documents SELECT n, n % 7, repeat('x', 50) FROM generate_series(1, 2000) n; \
    CREATE INDEX documents_tenant ON documents (tenant_id); CREATE INDEX documents_again ON documents (tenant_id); \
    ALTER TABLE documents SET (autovacuum_enabled = false); \
    CREATE TABLE safe (id int, tenant_id int); ALTER TABLE safe ENABLE ROW LEVEL SECURITY; ALTER TABLE safe FORCE ROW LEVEL SECURITY; \
    CREATE POLICY own ON safe USING (tenant_id = 1); CREATE INDEX ON safe (tenant_id); \
    CREATE TABLE log (at timestamptz, what text) PARTITION BY RANGE (at); \
    CREATE TABLE log_old PARTITION OF log FOR VALUES FROM ('2020-01-01') TO ('2020-02-01'); \
    CREATE TABLE log_rest PARTITION OF log DEFAULT; INSERT INTO log VALUES (now(), 'now')";

#[tokio::test(flavor = "multi_thread")]
async fn every_topic_answers_on_every_version() {
    for version in 13..=18_u32 {
        let variable = format!("STACKTOP_TEST_PG{version}_URL");
        let Some(url) = server("every_topic_answers_on_every_version", &variable) else { continue };
        let own = client(&url).await;
        for step in [SCENE, "ANALYZE", "DELETE FROM scene.documents WHERE id % 2 = 0"] {
            own.batch_execute(step).await.expect("the scene");
        }
        let holder = client(&url).await;
        holder.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await.expect("a snapshot");
        let spill = "SET work_mem = '64kB'; DECLARE spill CURSOR FOR SELECT * FROM generate_series(1, 300000) g ORDER BY g DESC; FETCH 1 FROM spill";
        holder.batch_execute(spill).await.expect("a sort on the disk");
        let pid: i32 = holder.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0);
        // A session tells its counters at most twice a second, and before 15 only when it does something.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        own.batch_execute("SELECT 1").await.expect("told");
        tokio::time::sleep(Duration::from_millis(700)).await;
        let mut watch = Watch::new(Connect::Postgres(connect(&url)));
        let mut found = BTreeMap::new();
        for topic in TOPICS {
            let table = answer(&mut watch, &Look::Topic(topic.id.to_owned()), &[]).await;
            match table {
                Part::Ready(table) => {
                    found.insert(topic.id, table);
                }
                Part::Unavailable(gap) => {
                    assert!(topic.id == "io" && version < 16, "{version} {}: {}", topic.id, gap.note);
                }
                Part::NotAsked => unreachable!(),
            }
        }
        let problem = |topic: &str, name: &str| cells(&found[topic], name, "problem").concat();
        assert!(problem("isolation", "scene.documents").contains("row-level security is off"), "{version}");
        assert_eq!(problem("isolation", "scene.safe"), "", "{version}");
        assert!(problem("indexes", "scene.documents_again").contains("duplicate of documents_tenant"));
        assert!(problem("partitions", "scene.log").contains("the current period has no partition"));
        let vacuum = cells(&found["tables"], "scene.documents", "vacuum").concat();
        assert!(vacuum.contains("off for this table"), "{version}: {vacuum} {:?}", found["tables"].rows);
        assert_eq!(cells(&found["tables"], "scene.documents", "dead"), ["1000"], "{version}");
        let held = cells(&found["horizon"], &format!("session {pid}"), "remedy").concat();
        assert!(held.contains("terminate it"), "{version}: {held}");
        assert!(
            found["sizes"].column("size_bytes").any(|(_, size)| size.parse::<f64>().is_ok_and(|n| n > 1e6))
        );
        let on_disk = cells(&found["tempfiles"], &pid.to_string(), "temp_bytes").concat();
        assert!(
            on_disk.parse::<f64>().is_ok_and(|size| size > 1e6),
            "{version}: {:?}",
            found["tempfiles"].rows
        );
        assert!(found["wraparound"].rows.len() > 10, "{version}");
        own.batch_execute("DROP SCHEMA scene CASCADE").await.expect("cleaned");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_planned_and_not_run() {
    for version in 13..=18_u32 {
        let variable = format!("STACKTOP_TEST_PG{version}_URL");
        let Some(url) = server("a_statement_is_planned_and_not_run", &variable) else { continue };
        let own = client(&url).await;
        let marker = format!("planned_{}", std::process::id());
        own.batch_execute(&format!(
            "DROP TABLE IF EXISTS {marker}; CREATE TABLE {marker} (id int); INSERT INTO {marker} VALUES (1)"
        ))
        .await
        .expect("a table");
        let text = format!("DELETE FROM {marker} WHERE id = $1 AND id > $2");
        own.execute(&text, &[&7_i32, &8_i32]).await.expect("deleted nothing");
        let sql = "SELECT queryid, userid, dbid FROM pg_stat_statements WHERE query LIKE 'DELETE FROM ' || $1 || '%'";
        let row = own.query_one(sql, &[&marker]).await.expect("its id");
        let planned = Planned { query: row.get(0), user: row.get(1), database: row.get(2) };
        let mut watch = Watch::new(Connect::Postgres(connect(&url)));
        // Its text has to be known first.
        let texts = [Focus::StatementTexts(vec![planned.query])];
        watch.poll_with(&texts).await.expect("a poll");
        match answer(&mut watch, &Look::Plan(planned), &texts).await {
            Part::Ready(table) => {
                let plan: Vec<&str> = table.rows.iter().filter_map(|row| row[0].as_deref()).collect();
                assert!(plan[0].starts_with(&format!("Delete on {marker}")), "{version}: {plan:?}");
                assert!(plan.iter().any(|line| line.contains("$1")), "{version}: {plan:?}");
            }
            other => panic!("{version}: {other:?}"),
        }
        let left: i64 =
            own.query_one(&format!("SELECT count(*) FROM {marker}"), &[]).await.expect("a count").get(0);
        assert_eq!(left, 1, "{version}: planning must not run it");
        own.batch_execute(&format!("DROP TABLE {marker}")).await.expect("cleaned");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_of_one_s_own_is_shown_watched_and_changes_nothing() {
    let Some(url) =
        server("a_panel_of_one_s_own_is_shown_watched_and_changes_nothing", "STACKTOP_TEST_PG_URL")
    else {
        return;
    };
    let panel = |name: &str, sql: &str, thresholds| SqlPanel {
        name: name.to_owned(),
        sql: sql.to_owned(),
        interval: Duration::from_secs(1),
        sort: None,
        thresholds,
    };
    let watched = BTreeMap::from([("failures".to_owned(), (Some(1.0), Some(5.0)))]);
    let panels = vec![
        panel("deliveries", "SELECT 'shop' AS endpoint, 7 AS failures UNION ALL SELECT 'blog', 2", watched),
        panel("writes", "CREATE TABLE made_by_a_panel ()", BTreeMap::new()),
        panel("sleeps", "SELECT pg_sleep(60)", BTreeMap::new()),
        panel("broken", "SELECT nothing FROM nowhere", BTreeMap::new()),
    ];
    let mut watch = Watch::new(Connect::Postgres(PostgresConnect { panels, ..connect(&url) }));
    // Nobody looks, but its thresholds are watched.
    for _ in 0..40 {
        watch.poll().await.expect("a poll");
        if !state(&watch).reading().expect("a reading").looks.iter().any(|looked| looked.asking) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    watch.poll().await.expect("a poll");
    let findings = watch.world.alerts.findings();
    let found = &findings.iter().find(|finding| finding.breach.rule == "postgres.panel").expect("one").breach;
    assert_eq!((found.severity, found.hit.count), (Severity::Critical, 2));
    assert!(found.sentence.contains("deliveries: failures is 7 for shop"), "{}", found.sentence);
    for (name, words) in [("writes", "read-only transaction"), ("broken", "does not exist")] {
        let table = answer(&mut watch, &Look::Panel(name.to_owned()), &[]).await;
        let gap = table.gap().unwrap_or_else(|| panic!("{name}: {table:?}"));
        assert!(gap.note.contains(words), "{name}: {}", gap.note);
    }
    // One that takes long holds up no poll, and ends on the server when nobody looks any more.
    let sleeps = [Focus::Look(Look::Panel("sleeps".to_owned()))];
    let began = Instant::now();
    for _ in 0..10 {
        watch.poll_with(&sleeps).await.expect("a poll");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let own = client(&url).await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT /* stacktop */ pg_sleep(60)' AND state = 'active'";
    let running = async || own.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0);
    assert_eq!(running().await, 1);
    watch.poll().await.expect("a poll");
    for _ in 0..40 {
        if running().await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it still runs although nobody looks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_table_holds_nothing_up() {
    for version in [13, 15, 18] {
        let variable = format!("STACKTOP_TEST_PG{version}_URL");
        let Some(url) = server("a_locked_table_holds_nothing_up", &variable) else { continue };
        let (reader, ddl) = (client(&url).await, client(&url).await);
        reader.batch_execute("BEGIN; SELECT count(*) FROM orders").await.expect("a reader");
        // Held by nobody and awaited: everybody who comes later queues up behind it.
        let waiting = tokio::spawn(async move {
            ddl.batch_execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").await.map(|()| ddl)
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut watch = Watch::new(Connect::Postgres(connect(&url)));
        let everything = async |watch: &mut Watch| {
            for topic in TOPICS {
                let began = Instant::now();
                let look = Look::Topic(topic.id.to_owned());
                let table = answer(watch, &look, &[]).await;
                assert!(began.elapsed() < Duration::from_secs(3), "{version} {}: {table:?}", topic.id);
                let slowest = watch.slowest;
                assert!(slowest < Duration::from_secs(1), "{version} {}: {slowest:?}", topic.id);
            }
        };
        everything(&mut watch).await;
        reader.batch_execute("ROLLBACK").await.expect("ended");
        // Now it is held.
        let ddl = waiting.await.expect("no panic").expect("locked");
        everything(&mut watch).await;
        ddl.batch_execute("ROLLBACK").await.expect("ended");
    }
}

/// A plan of what `text` is after it ran once in `there` as `user`, looked at from another database.
async fn plan_of(url: &str, there: &str, user: &str, text: &str) -> Part<SqlTable> {
    let own = client(url).await;
    let sql = "SELECT s.queryid, s.userid, s.dbid FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid JOIN pg_roles r ON r.oid = s.userid \
               WHERE d.datname = $1 AND r.rolname = $2 AND s.query LIKE '%' || $3";
    let row = own.query_one(sql, &[&there, &user, &text]).await.expect("its id");
    let planned = Planned { query: row.get(0), user: row.get(1), database: row.get(2) };
    let mut watch = Watch::new(Connect::Postgres(connect(url)));
    let texts = [Focus::StatementTexts(vec![planned.query])];
    watch.poll_with(&texts).await.expect("a poll");
    answer(&mut watch, &Look::Plan(planned), &texts).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_made_where_and_as_whom_the_statement_ran() {
    let test = "a_plan_is_made_where_and_as_whom_the_statement_ran";
    for version in [13, 15, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let own = client(&url).await;
        let (table, database) =
            (format!("named_{}", std::process::id()), format!("planned_{}", std::process::id()));
        // A namesake without the index lies in the database that is watched.
        let namesake = format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (id int, at timestamptz)");
        own.batch_execute(&namesake).await.expect("a namesake");
        own.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
            .await
            .expect("nothing there");
        own.batch_execute(&format!("CREATE DATABASE {database}")).await.expect("a database");
        let there = format!("{}/{database}", url.rsplit_once('/').expect("a database").0);
        client(&there)
            .await
            .batch_execute(&format!(
                "CREATE SCHEMA app_rw AUTHORIZATION app_rw; CREATE TABLE app_rw.{table} (id int PRIMARY KEY, at timestamptz); \
                 INSERT INTO app_rw.{table} SELECT n, now() FROM generate_series(1, 5000) n; ANALYZE app_rw.{table}; \
                 ALTER TABLE app_rw.{table} OWNER TO app_rw"
            ))
            .await
            .expect("a scene");
        let user = client(&there.replace("postgres:postgres-secret", "app_rw:app_rw-secret")).await;
        for (before, text, kept) in [
            ("/* app='shop; v2' */ ", "id = 7", "id = $1"),
            (
                "-- name: find\n",
                "id = 7 AND at > now() - interval '1 day'",
                "id = $1 AND at > now() - interval $2",
            ),
            (
                "",
                "id = 7 AND at > timestamp with time zone '2020-01-01'",
                "id = $1 AND at > timestamp with time zone $2",
            ),
        ] {
            user.batch_execute(&format!("{before}SELECT * FROM {table} WHERE {text}"))
                .await
                .expect("it runs");
            let found =
                plan_of(&url, &database, "app_rw", &format!("SELECT * FROM {table} WHERE {kept}")).await;
            let found = found.ready().unwrap_or_else(|| panic!("{version} {text}: {found:?}"));
            let plan: Vec<&str> = found.rows.iter().filter_map(|row| row[0].as_deref()).collect();
            assert!(plan[0].starts_with(&format!("Index Scan using {table}_pkey")), "{version}: {plan:?}");
            assert_eq!(found.place, format!("database {database} as app_rw"));
        }
        drop(user);
        own.batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)")).await.expect("cleaned");
        own.batch_execute(&format!("DROP TABLE {table}")).await.expect("cleaned");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_planner_calls_has_the_rights_of_the_statement_s_user() {
    let test = "what_the_planner_calls_has_the_rights_of_the_statement_s_user";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let database = format!("hidden_{}", std::process::id());
    let own = client(&url).await;
    own.batch_execute(&format!("CREATE DATABASE {database}")).await.expect("a database");
    let there = format!("{}/{database}", url.rsplit_once('/').expect("a database").0);
    let sql =
        format!("CREATE SCHEMA mine AUTHORIZATION app_rw; ALTER DATABASE {database} SET search_path = mine");
    client(&there).await.batch_execute(&sql).await.expect("a schema");
    let user = client(&there.replace("postgres:postgres-secret", "app_rw:app_rw-secret")).await;
    // The planner runs a function that says that it never changes: here it fails, and says who called it.
    user.batch_execute(
        "CREATE FUNCTION trap() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN IF current_setting('plan_cache_mode') = 'auto' \
         THEN RETURN 1; END IF; RAISE 'called as %', current_user; END $$",
    )
    .await
    .expect("a trap");
    user.batch_execute("SELECT trap()").await.expect("it runs");
    let found = plan_of(&url, &database, "app_rw", "SELECT trap()").await;
    let said = found.gap().unwrap_or_else(|| panic!("{found:?}")).note.clone();
    assert!(said.contains("called as app_rw"), "{said}");
    drop(user);
    own.batch_execute(&format!("DROP DATABASE {database} WITH (FORCE)")).await.expect("cleaned");
}
