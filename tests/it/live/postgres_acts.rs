//! What is done to several backends at once, and upkeep of tables and indexes, on real servers.

use super::{Watch, client, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::action::{Action, ActionError, Outcome, Verdict};
use stacktop::core::ids::TargetId;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{PgAction, PgRow, Upkeep};
use stacktop::core::row::RowKey;
use stacktop::core::world::SystemState;
use stacktop::panels::panel;
use stacktop::ui::select::{Level, Only, View, counted, shown};
use std::time::{Duration, Instant};
use tokio_postgres::NoTls;

fn watch(url: &str) -> Watch {
    Watch::new(Connect::Postgres(url::postgres(url).expect("a URL")))
}

async fn act(watch: &Watch, act: PgAction) -> Result<Outcome, ActionError> {
    watch.act(Action::Postgres { target: watch.target.id.clone(), act }).await
}

/// The rows of all sessions of which the application is `name`.
fn rows(watch: &Watch, name: &str) -> Vec<RowKey> {
    let SystemState::Postgres(state) = &watch.world.targets()[0].system else { panic!("another kind") };
    let sessions = state.reading().expect("a reading").sessions.ready().expect("sessions");
    let wanted = sessions.iter().filter(|session| session.application == name || session.is_walsender());
    wanted.map(|session| RowKey::backend(&TargetId::new("it"), session.id)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_backends_are_ended_and_the_walsender_is_left_out() {
    let test = "several_backends_are_ended_and_the_walsender_is_left_out";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let name = format!("batch-{}", std::process::id());
    let mut running = Vec::new();
    for _ in 0..5 {
        let own = client(&format!("{url}?application_name={name}")).await;
        running.push(tokio::spawn(async move { own.batch_execute("SELECT pg_sleep(60)").await }));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut watch = watch(&url);
    watch.poll().await.expect("a poll");
    let marked = rows(&watch, &name);
    assert_eq!(marked.len(), 6, "five of ours and the sender to the standby");
    let offers = panel(Screen::Queries).offers(watch.context(), &[], &marked[0], &marked);
    let (action, preview) = offers[1].choice.clone().expect("possible");
    assert!(preview.severe && preview.title == "Terminate 5 backends", "{}", preview.title);
    let left_out = &preview.facts.iter().find(|(label, _)| label == "left out").expect("the sender").1;
    assert!(left_out.contains("breaks replication"), "{left_out}");
    // One of them ends before the operator confirms: it is told, and the others are ended.
    let first = running.remove(0);
    first.abort();
    let mut others = client(&url).await;
    let pid: i32 = pid_of(&marked[0]);
    let sender: bool = others
        .query_one("SELECT backend_type = 'walsender' FROM pg_stat_activity WHERE pid = $1", &[&pid])
        .await
        .expect("it is there")
        .get(0);
    let victim: i32 = if sender { pid_of(&marked[1]) } else { pid };
    others.execute("SELECT pg_terminate_backend($1)", &[&victim]).await.expect("signalled");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let outcome = watch.act(action).await.expect("an outcome");
    assert_eq!(outcome.verdict, Verdict::Partly, "{outcome:?}");
    assert_eq!(outcome.summary, "4 backends signalled, 1 left alone (gone, or changed)");
    assert_eq!(outcome.details.len(), 5);
    assert_eq!(watch.audited(), ["intent", "outcome", "verified"]);
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    let left: i64 = others.query_one(sql, &[&name]).await.expect("a count").get(0);
    assert_eq!(left, 0);
    let senders = "SELECT count(*) FROM pg_stat_replication";
    let copies: i64 = others.query_one(senders, &[]).await.expect("a count").get(0);
    assert_eq!(copies, 1, "the standby is still fed");
    others = client(&url).await;
    drop(others);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_and_indexes_are_kept_up() {
    for version in [13, 15, 18] {
        let Some(url) = server("tables_and_indexes_are_kept_up", &format!("STACKTOP_TEST_PG{version}_URL"))
        else {
            continue;
        };
        let own = client(&url).await;
        // A name that has to be quoted, and a quote in it.
        own.batch_execute(
            "DROP SCHEMA IF EXISTS \"up keep\" CASCADE; CREATE SCHEMA \"up keep\"; CREATE TABLE \"up keep\".\"it\"\"s\" (id int PRIMARY KEY, t text); \
             INSERT INTO \"up keep\".\"it\"\"s\" SELECT n, 'x' FROM generate_series(1, 1000) n; CREATE INDEX again ON \"up keep\".\"it\"\"s\" (t)",
        )
        .await
        .expect("a table");
        own.batch_execute("DELETE FROM \"up keep\".\"it\"\"s\" WHERE id > 10").await.expect("dead rows");
        let watch = watch(&url);
        let upkeep = |upkeep, relation: &str| PgAction::Upkeep { upkeep, relation: relation.to_owned() };
        let table = "up keep.it\"s";
        for what in [Upkeep::Vacuum, Upkeep::Analyze] {
            let outcome = act(&watch, upkeep(what, table)).await.expect("an outcome");
            assert_eq!(outcome.verdict, Verdict::Done, "{version} {what:?}: {outcome:?}");
            assert!(outcome.summary.contains("\"up keep\".\"it\"\"s\": done"), "{}", outcome.summary);
        }
        let pages = "SELECT relpages, (SELECT relfilenode FROM pg_class WHERE relname = 'again')::int8 FROM pg_class WHERE relname = 'it\"s'";
        let mut before = own.query_one(pages, &[]).await.expect("it is there");
        for _ in 0..30 {
            if before.get::<_, i32>(0) == 1 {
                break;
            }
            // Another test's transaction in this database may still see the dead rows.
            tokio::time::sleep(Duration::from_millis(500)).await;
            act(&watch, upkeep(Upkeep::Vacuum, table)).await.expect("an outcome");
            before = own.query_one(pages, &[]).await.expect("it is there");
        }
        assert_eq!(before.get::<_, i32>(0), 1, "{version}: the dead rows are gone and the file was cut");
        let outcome = act(&watch, upkeep(Upkeep::Reindex, "up keep.again")).await.expect("an outcome");
        assert_eq!(outcome.verdict, Verdict::Done, "{version}: {outcome:?}");
        let after = own.query_one(pages, &[]).await.expect("it is there");
        assert_ne!(before.get::<_, i64>(1), after.get::<_, i64>(1), "{version}: a new file");
        // What is not there, and what is of another kind.
        for (what, name) in [(Upkeep::Vacuum, "up keep.gone"), (Upkeep::Reindex, table)] {
            let refused = act(&watch, upkeep(what, name)).await.expect_err("refused");
            assert!(matches!(refused, ActionError::Refused(_)), "{version}: {refused:?}");
        }
        // Somebody holds a lock that excludes it: it gives up soon instead of standing in the way.
        let holder = client(&url).await;
        holder
            .batch_execute("BEGIN; LOCK TABLE \"up keep\".\"it\"\"s\" IN SHARE UPDATE EXCLUSIVE MODE")
            .await
            .expect("locked");
        let began = Instant::now();
        let refused = act(&watch, upkeep(Upkeep::Analyze, table)).await.expect_err("locked");
        assert!(refused.to_string().contains("lock timeout"), "{version}: {refused}");
        assert!(began.elapsed() < Duration::from_secs(6), "{version}");
        drop(holder);
        own.batch_execute("DROP SCHEMA \"up keep\" CASCADE").await.expect("cleaned");
        if version == 18 {
            let outcome = act(&watch, upkeep(Upkeep::ResetStatements, "")).await.expect("an outcome");
            assert_eq!(outcome.verdict, Verdict::Done, "{outcome:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_by_user_opens_and_marks_the_sessions_of_that_user_and_names_each() {
    let test = "counting_by_user_opens_and_marks_the_sessions_of_that_user_and_names_each";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let shop = format!("shop_{}", std::process::id());
    let billing = format!("bill_{}", std::process::id());
    let admin = client(&url).await;
    for sql in [
        format!("CREATE ROLE {shop} LOGIN SUPERUSER PASSWORD 'own'"),
        format!("CREATE ROLE {billing} LOGIN SUPERUSER PASSWORD 'own'"),
        format!("CREATE DATABASE {shop}"),
    ] {
        admin.batch_execute(&sql).await.expect("made");
    }
    let parsed: tokio_postgres::Config = url.parse().expect("a URL");
    let running = |user: &str, database: Option<&str>| {
        let mut config = parsed.clone();
        config.user(user).password("own");
        if let Some(database) = database {
            config.dbname(database);
        }
        tokio::spawn(async move {
            let (client, connection) = config.connect(NoTls).await.expect("connected");
            tokio::spawn(connection);
            client.batch_execute("SELECT pg_sleep(60)").await
        })
    };
    // Eleven of the user, three of another user in the database of that name.
    let mut tasks: Vec<_> = (0..11).map(|_| running(&shop, None)).collect();
    tasks.extend((0..3).map(|_| running(&billing, Some(&shop))));
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND usename IN ($1, $2)";
    for _ in 0..100 {
        let active: i64 = admin.query_one(sql, &[&shop, &billing]).await.expect("a count").get(0);
        if active == 14 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut watch = watch(&url);
    watch.poll().await.expect("a poll");
    let content = panel(Screen::Queries).content(watch.context(), &[]);
    let by_user = View { sort: Some((1, false)), ..View::default() };
    let views = [("Running/pid".to_owned(), by_user)].into();
    let users = Level { views, counted: true, ..Level::default() };
    let counts = counted(content.clone(), &users);
    let rows = shown(&counts, &users);
    let row = rows.iter().find(|row| row.cells[0].words() == shop).expect("the user is counted");
    assert_eq!(row.cells[1].words(), "11");
    let opened = Level { only: vec![Only::of(&row.key).expect("counted")], ..Level::default() };
    let rows = shown(&content, &opened);
    assert_eq!(opened.filtered_by(), format!("user = {shop}"));
    assert!(rows.iter().all(|row| row.cells[1].words() == shop), "nobody else's sessions");
    let marked: Vec<RowKey> = rows.iter().map(|row| row.key.clone()).collect();
    assert_eq!(marked.len(), 11);
    let offers = panel(Screen::Queries).offers(watch.context(), &[], &marked[0], &marked);
    let (_, preview) = offers[1].choice.clone().expect("possible");
    for key in &marked {
        let label = format!("pid {}", pid_of(key));
        let named = preview.facts.iter().find(|(found, _)| *found == label);
        assert!(named.expect("each is named").1.starts_with(&shop), "{:?}", preview.facts);
    }
    for task in tasks {
        task.abort();
    }
    for sql in [
        format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('{shop}', '{billing}')"
        ),
        format!("DROP DATABASE {shop} WITH (FORCE)"),
        format!("DROP ROLE {shop}"),
        format!("DROP ROLE {billing}"),
    ] {
        admin.batch_execute(&sql).await.expect("cleaned up");
    }
}

fn pid_of(row: &RowKey) -> i32 {
    match row {
        RowKey::Postgres(_, PgRow::Backend(id)) => id.pid,
        other => panic!("{other:?}"),
    }
}
