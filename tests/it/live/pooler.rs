//! A real PgBouncer: its pools, who waits, what is paused, and the client behind a backend.

use super::{Watch, client, reading, server};
use stacktop::config::target::{Connect, PostgresConnect};
use stacktop::config::url;
use stacktop::core::action::{Action, Verdict};
use stacktop::core::alert::Severity;
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{BackendId, Look, PgAction, Planned, Pooler};
use stacktop::core::row::RowKey;
use stacktop::panels::panel;
use std::time::Duration;

async fn until(watch: &mut Watch, what: &str, done: impl Fn(&Pooler) -> bool) -> Pooler {
    for _ in 0..150 {
        watch.poll().await.expect("a poll");
        if let Part::Ready(pooler) = &reading(watch).pooler
            && done(pooler)
        {
            return Pooler::clone(pooler);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what} did not come: {:?}", reading(watch).pooler);
}

pub fn text(content: &stacktop::ui::content::Content) -> String {
    let lines = content.sections.iter().flat_map(|section| {
        let rows = section.table.iter().flat_map(|table| &table.rows);
        let cells = rows.map(|row| row.cells.iter().map(|cell| cell.words()).collect::<Vec<_>>().join(" "));
        section.lines.iter().map(stacktop::ui::content::Line::plain).chain(cells)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_starved_pool_is_a_finding_and_a_backend_shows_its_client() {
    let test = "a_starved_pool_is_a_finding_and_a_backend_shows_its_client";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let Some(through) = server(test, "STACKTOP_TEST_PGBOUNCER_URL") else { return };
    let console =
        url::postgres(&through.replace("/postgres", "/pgbouncer").replace("//pgbouncer", "//postgres"));
    let console = Box::new(console.expect("a URL"));
    // A pool of its own: what waits in it is ours.
    let through = format!("{}/peered", through.rsplit_once('/').expect("a database").0);
    let connect = PostgresConnect { pgbouncer: Some(console), ..url::postgres(&url).expect("a URL") };
    let mut watch = Watch::new(Connect::Postgres(connect));
    let name = format!("jobs-{}", std::process::id());
    // Both connections of the pool are held; a third client waits.
    let mut holders = Vec::new();
    for _ in 0..2 {
        let holder = client(&format!("{through}?application_name={name}")).await;
        holder.batch_execute("BEGIN; SELECT 1").await.expect("it holds a connection");
        holders.push(holder);
    }
    let pid: i32 = match &holders[0].simple_query("SELECT pg_backend_pid()").await.expect("a pid")[..] {
        [_, tokio_postgres::SimpleQueryMessage::Row(row), ..] => {
            row.get(0).expect("it").parse().expect("a number")
        }
        other => panic!("{other:?}"),
    };
    let waiting = tokio::spawn(async move { client(&through).await.batch_execute("SELECT 1").await });
    let pooler = until(&mut watch, "a waiting client", |pooler| {
        pooler
            .pools
            .iter()
            .any(|pool| pool.clients_waiting == 1 && pool.longest_wait > Duration::from_secs(1))
    })
    .await;
    let pool = pooler.pools.iter().find(|pool| pool.clients_waiting == 1).expect("the pool");
    assert_eq!((pool.servers_active, pooler.utilisation(pool)), (2, Some(1.0)));
    let findings = watch.world.alerts.findings();
    let found =
        &findings.iter().find(|finding| finding.breach.rule == "pgbouncer.waiting").expect("one").breach;
    assert!(found.severity >= Severity::Warning);
    assert!(
        found.sentence.contains("1 client waiting") && found.sentence.contains("all its server connections")
    );
    // The backend shows who is really behind it.
    let sessions = reading(&watch).sessions.ready().expect("sessions");
    let session = sessions.iter().find(|session| session.id.pid == pid).expect("the backend");
    let card =
        panel(Screen::Queries).content(watch.context(), &[RowKey::backend(&TargetId::new("it"), session.id)]);
    let shown = text(&card);
    assert!(shown.contains("via PgBouncer") && shown.contains(&name), "{shown}");
    let health = text(&panel(Screen::Health).content(watch.context(), &[]));
    assert!(health.contains("transaction") && health.contains("100 %"), "{health}");
    drop(holders);
    waiting.await.expect("no panic").expect("it got its turn");
    until(&mut watch, "nobody waits", |pooler| pooler.pools.iter().all(|pool| pool.clients_waiting == 0))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_is_not_there_costs_its_part_only() {
    let test = "a_console_that_is_not_there_costs_its_part_only";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let Some(through) = server(test, "STACKTOP_TEST_PGBOUNCER_URL") else { return };
    for (console, words) in [
        ("postgres://x@127.0.0.1:9/pgbouncer".to_owned(), "cannot be reached"),
        // A Postgres server is no PgBouncer, and a database behind one is no console.
        (url.clone(), "a database answers (postgres), not the console: its url ends in /pgbouncer"),
        (through, "a database answers (postgres), not the console"),
    ] {
        let console = Some(Box::new(url::postgres(&console).expect("a URL")));
        let connect = PostgresConnect { pgbouncer: console, ..url::postgres(&url).expect("a URL") };
        let mut watch = Watch::new(Connect::Postgres(connect));
        for _ in 0..60 {
            watch.poll().await.expect("the server is read all the same");
            if reading(&watch).pooler.gap().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let gap = reading(&watch).pooler.gap().expect("the reason").note.clone();
        assert!(gap.contains(words), "{gap}");
        let findings = watch.world.alerts.findings();
        assert!(findings.iter().any(|finding| finding.breach.rule == "pgbouncer.silent"), "{findings:?}");
        assert!(reading(&watch).sessions.ready().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_through_a_pool_works_and_leaves_nothing_behind() {
    let test = "polling_through_a_pool_works_and_leaves_nothing_behind";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    // One refuses settings at the start, the other takes them and forgets them.
    for pooler in ["STACKTOP_TEST_PGBOUNCER_URL", "STACKTOP_TEST_PGBOUNCER_DEAF_URL"] {
        if let Some(through) = server(test, pooler) {
            polling_leaves_nothing_behind(&url, &through).await;
        }
    }
}

async fn polling_leaves_nothing_behind(url: &str, through: &str) {
    // A database, and so a pool, that no other test uses through the pool.
    let through = format!("{}/ascii", through.rsplit_once('/').expect("a database").0);
    let mut watch = Watch::new(Connect::Postgres(url::postgres(&through).expect("a URL")));
    let session = client(url).await;
    let row = session
        .query_one(
            "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::int8 FROM pg_stat_activity WHERE pid = pg_backend_pid()",
            &[],
        )
        .await
        .expect("itself");
    let backend = BackendId { pid: row.get(0), backend_start_micros: row.get(1) };
    // A statement of another database has a plan, too.
    let there = client(&format!("{}/ascii", url.rsplit_once('/').expect("a database").0)).await;
    let sql = "CREATE EXTENSION IF NOT EXISTS pg_stat_statements";
    there.batch_execute(sql).await.expect("the texts are there");
    session.execute("SELECT 1 WHERE 2 = $1", &[&3_i32]).await.expect("it runs");
    let sql = "SELECT queryid, userid, dbid FROM pg_stat_statements WHERE query = 'SELECT $2 WHERE $3 = $1' OR query = 'SELECT $1 WHERE $2 = $3' LIMIT 1";
    let row = session.query_one(sql, &[]).await.expect("its id");
    let planned = Planned { query: row.get(0), user: row.get(1), database: row.get(2) };
    for look in [Look::Topic("horizon".to_owned()), Look::Plan(planned)] {
        let mut seen = false;
        for _ in 0..60 {
            let focus = [Focus::Look(look.clone()), Focus::StatementTexts(vec![planned.query])];
            watch.poll_with(&focus).await.expect("a poll");
            let reading = reading(&watch);
            assert!(reading.server.pooled);
            seen = reading.looks.iter().any(|looked| looked.look == look && looked.table.ready().is_some());
            if seen {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(seen, "{:?}", reading(&watch).looks);
    }
    let reading = reading(&watch);
    for gap in [reading.sessions.gap(), reading.databases.gap(), reading.slots.gap(), reading.health.gap()] {
        assert_eq!(gap, None);
    }
    assert!(reading.sessions.ready().expect("sessions").iter().any(|session| session.id == backend));
    // What was set for us is not there for the next client of the pool, on neither of its connections.
    let mut guests = Vec::new();
    for _ in 0..2 {
        let guest = client(&through).await;
        let found = guest
            .simple_query(
                "BEGIN; SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), \
                 current_setting('jit'), current_setting('transaction_read_only'), current_setting('search_path'), \
                 (SELECT count(*) FROM pg_prepared_statements)",
            )
            .await
            .expect("its turn");
        let row = found.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let row = row.expect("a row");
        let cells: Vec<&str> = (0..row.len()).filter_map(|at| row.get(at)).collect();
        assert_eq!(cells, ["0", "0", "on", "off", "\"$user\", public", "0"]);
        guests.push(guest);
    }
    drop(guests);
    let target = watch.target.id.clone();
    let outcome = watch
        .act(Action::Postgres { target, act: PgAction::one((backend, None), true) })
        .await
        .expect("done");
    assert_eq!(outcome.verdict, Verdict::Done);
    assert!(session.simple_query("SELECT 1").await.is_err(), "it was ended");
}
