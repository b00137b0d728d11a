//! A server that is driven to its limits: no slot left, a process that dies, megabytes of statement texts. It has no other guests.

use super::{Watch, server};
use stacktop::actions::gate::Gate;
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::action::{Action, Confirmed, Verdict};
use stacktop::core::arming::Permit;
use stacktop::core::focus::Focus;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{BackendId, PgAction, PgRow, PostgresState, Setback};
use stacktop::core::report::PollErrorKind;
use stacktop::core::row::RowKey;
use stacktop::core::world::SystemState;
use stacktop::panels::panel;
use stacktop::ui::content::Content;
use std::process::Command;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

fn watch(url: &str, role: &str) -> Watch {
    let url = url.replace("postgres:postgres-secret", &format!("{role}:{role}-secret"));
    Watch::new(Connect::Postgres(url::postgres(&url).expect("a URL")))
}

fn state(watch: &Watch) -> &PostgresState {
    match &watch.world.targets()[0].system {
        SystemState::Postgres(state) => state,
        other => panic!("{other:?}"),
    }
}

async fn open(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect("an answer").get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_at_its_limits_is_still_seen_and_acted_on() {
    let test = "a_server_at_its_limits_is_still_seen_and_acted_on";
    let Some(url) = server(test, "STACKTOP_TEST_WRECK_PG_URL") else { return };
    megabytes_of_texts(&url).await;
    hundreds_wait(&url).await;
    no_slot_left(&url).await;
    commits_wait_for_a_standby(&url).await;
    a_process_dies(&url).await;
}

/// 5000 statements of 7 kB: their counters and the texts on the screen are read without a temporary file.
async fn megabytes_of_texts(url: &str) {
    let admin = open(url).await.expect("connected");
    let filler = "x".repeat(7000);
    for one in 1..=100 {
        let batch: String = (1..=50)
            .map(|two| {
                let columns = ["1"].repeat(one).into_iter().chain(["'a'"].repeat(two)).collect::<Vec<_>>();
                format!("SELECT /* {filler} */ {};", columns.join(","))
            })
            .collect();
        admin.batch_execute(&batch).await.expect("statements");
    }
    let texts = "SELECT sum(length(query))::int8 FROM pg_stat_statements(true)";
    assert!(number(&admin, texts).await > 30_000_000, "too little text to prove anything");
    let mut watch = watch(url, "monitor");
    let written = "SELECT sum(temp_files)::int8 FROM pg_stat_database";
    let settled = async || {
        // Counters reach the view late, and a session that rests tells the rest.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        number(&admin, written).await
    };
    let before = settled().await;
    let texts_wanted = |watch: &Watch| {
        let statements = &state(watch).reading().expect("a reading").statements;
        let rows = &statements.ready().expect("statements").rows;
        rows.iter().take(40).map(|row| row.0.query).collect::<Vec<_>>()
    };
    watch.poll().await.expect("a poll");
    assert!(state(&watch).reading().expect("a reading").statements.ready().expect("them").rows.len() > 4000);
    for _ in 0..3 {
        let focus = [Focus::StatementTexts(texts_wanted(&watch))];
        watch.poll_with(&focus).await.expect("a poll");
        assert_eq!(state(&watch).reading().expect("a reading").texts.len(), 40);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop(watch);
    assert_eq!(settled().await, before, "temporary files were written");
    admin.batch_execute("SELECT pg_stat_statements_reset()").await.expect("reset");
}

/// Every slot is taken: the connections that were opened before go on, and a newcomer is told why.
async fn no_slot_left(url: &str) {
    let mut watch = watch(url, "responder");
    watch.poll().await.expect("a poll");
    let gate = watch.gate();
    gate.prepare().await;
    let app = url.replace("postgres:postgres-secret", "crowd");
    let mut guests = Vec::new();
    let refused = loop {
        match open(&app).await {
            Ok(client) => guests.push(client),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code(), Some(&SqlState::TOO_MANY_CONNECTIONS));
    assert!(guests.len() > 480, "{}", guests.len());
    for _ in 0..3 {
        watch.poll().await.expect("it is still read");
    }
    assert!(watch.verdict().contains("connections"), "{}", watch.verdict());
    idle_ones_are_found_and_ended(&mut watch, &gate, &app, &mut guests).await;
    let mut newcomer = self::watch(url, "monitor");
    let error = newcomer.poll().await.expect_err("no slot");
    let verdict = newcomer.verdict();
    assert!(verdict.starts_with("BROKEN") && verdict.contains("refuses newcomers"), "{verdict}");
    assert_eq!(error.kind, PollErrorKind::Full, "{error:?}");
    assert!(error.message.contains("no connection slot") && error.remedy.is_some(), "{error:?}");
    self::watch(url, "postgres").poll().await.expect("a superuser has slots in reserve");
    let row = guests[0]
        .query_one(
            "SELECT pid, (extract(epoch FROM backend_start) * 1000000)::int8 FROM pg_stat_activity WHERE pid = pg_backend_pid()",
            &[],
        )
        .await
        .expect("itself");
    let backend = BackendId { pid: row.get(0), backend_start_micros: row.get(1) };
    let (id, target) = (gate.next_id(), watch.target.id.clone());
    let act = PgAction::one((backend, None), true);
    let confirmed = Confirmed::by_a_person(Action::Postgres { target: target.clone(), act });
    let permit = Permit { target, until: None };
    let outcome = gate.perform(&id, &confirmed, &permit).await.expect("it acts");
    assert_eq!(outcome.verdict, Verdict::Done);
    // Once more: nobody has this identity any more, so nobody is signalled and the operator is told.
    for _ in 0..50 {
        if guests[0].is_closed() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let id = gate.next_id();
    let outcome = gate.perform(&id, &confirmed, &permit).await.expect("an answer");
    assert_eq!(outcome.verdict, Verdict::Nothing);
    assert!(guests[1..].iter().all(|guest| !guest.is_closed()));
}

/// From the finding to the sessions by application and state, and to their end: all from what is known, for a new connection is refused.
async fn idle_ones_are_found_and_ended(watch: &mut Watch, gate: &Gate, app: &str, guests: &mut Vec<Client>) {
    for guest in guests.iter().take(7) {
        guest.batch_execute("SET application_name = 'left-behind'").await.expect("a name");
    }
    watch.poll().await.expect("it is still read");
    let findings = watch.world.alerts.findings();
    let found = findings.iter().find(|finding| finding.breach.rule == "postgres.connections").expect("it");
    let place = found.breach.place.clone();
    let health = panel(place.screen);
    let row = place.row.expect("a row");
    let first = health.content(watch.context(), &[]);
    let shown = |content: &Content| -> Vec<RowKey> {
        let tables = content.sections.iter().filter_map(|section| section.table.as_ref());
        tables.flat_map(|table| table.rows.iter().map(|row| row.key.clone())).collect()
    };
    assert!(shown(&first).contains(&row), "{first:?}");
    let groups = health.content(watch.context(), std::slice::from_ref(&row));
    let group = shown(&groups)
        .into_iter()
        .find_map(|key| match key.postgres()? {
            (_, PgRow::ClientGroup(group)) if group.application == "left-behind" => Some(group.clone()),
            _ => None,
        })
        .expect("the group");
    assert_eq!((group.user.as_str(), group.state), ("crowd", "idle"));
    let path = [row, RowKey::Postgres(watch.target.id.clone(), PgRow::ClientGroup(group))];
    let sessions = shown(&health.content(watch.context(), &path));
    assert_eq!(sessions.len(), 7);
    // One of them alone, two that were marked, then the whole group.
    let one = health.offers(watch.context(), &path, &sessions[0], &[]);
    assert!(one.iter().any(|offer| offer.letter == 't' && offer.choice.is_ok()), "{one:?}");
    let marked = health.offers(watch.context(), &path, &sessions[0], &sessions[..2]);
    let (_, preview) = marked[1].choice.clone().expect("possible");
    assert!(preview.title.starts_with("Terminate 2 backends"), "{}", preview.title);
    let all = health.offers(watch.context(), &path[..1], &path[1], &[]);
    assert!(all[0].choice.is_err(), "there is nothing to cancel");
    assert_eq!(all[1].label, "terminate 7 sessions");
    let (action, preview) = all[1].choice.clone().expect("possible");
    assert!(preview.severe && preview.title.starts_with("Terminate 7 backends"), "{}", preview.title);
    assert!(open(app).await.is_err(), "the server is full until then");
    let permit = Permit { target: watch.target.id.clone(), until: None };
    let confirmed = Confirmed::by_a_person(action);
    // One of them begins to work before the signals are sent: it is not what was shown any more.
    let busy = guests.remove(0);
    busy.batch_execute("BEGIN; SELECT 1").await.expect("a transaction");
    let outcome = gate.perform(&gate.next_id(), &confirmed, &permit).await.expect("it acts");
    assert_eq!(outcome.summary, "6 backends signalled, 1 left alone (gone, or changed)");
    assert!(outcome.details.iter().any(|(_, what)| what.contains("idle no more")), "{outcome:?}");
    busy.batch_execute("COMMIT").await.expect("it lives");
    guests.drain(..6);
    drop(busy);
    let mut back = 0;
    for _ in 0..50 {
        if let Ok(guest) = open(app).await {
            guests.push(guest);
            back += 1;
            if back == 7 {
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(back, 7, "their slots are free again, and taken again");
}

/// Everybody waits for one: all are told, none is cut away.
async fn hundreds_wait(url: &str) {
    let app = url.replace("postgres:postgres-secret", "crowd");
    let root = open(&app).await.expect("connected");
    root.batch_execute("BEGIN; UPDATE orders SET state = 'held' WHERE id = 3").await.expect("a lock");
    let mut watch = watch(url, "monitor");
    let mut waiters = Vec::new();
    for _ in 0..450 {
        let waiter = open(&app).await.expect("connected");
        waiters.push(tokio::spawn(async move {
            waiter.batch_execute("UPDATE orders SET state = 'paid' WHERE id = 3").await.is_ok()
        }));
    }
    for _ in 0..100 {
        watch.poll().await.expect("a poll");
        if state(&watch).waiting() == Some(450) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(state(&watch).waiting(), Some(450));
    assert_eq!(state(&watch).forest.roots().map(|root| root.victims).collect::<Vec<_>>(), [450]);
    let screen = format!("{:?}", panel(Screen::Blocking).content(watch.context(), &[]));
    assert!(screen.contains("450 sessions wait behind 1 root"), "{screen}");
    assert!(watch.verdict().contains("blocks 450 sessions"), "{}", watch.verdict());
    root.batch_execute("ROLLBACK").await.expect("released");
    for waiter in waiters {
        assert!(waiter.await.expect("no panic"));
    }
}

/// Commits wait for a standby that is not there: who waits, and for what.
async fn commits_wait_for_a_standby(url: &str) {
    let admin = open(url).await.expect("connected");
    let set = async |names: &str| {
        admin
            .batch_execute(&format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"))
            .await
            .expect("set");
        admin.batch_execute("SELECT pg_reload_conf()").await.expect("reloaded");
    };
    set("far_away").await;
    let mut watch = watch(url, "monitor");
    let writer = open(url).await.expect("connected");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let writing =
        tokio::spawn(
            async move { writer.batch_execute("UPDATE orders SET state = 'sold' WHERE id = 7").await },
        );
    let mut found = None;
    for _ in 0..100 {
        watch.poll().await.expect("a poll");
        let findings = watch.world.alerts.findings();
        found = findings.iter().find(|finding| finding.breach.rule == "postgres.synchronous").copied();
        if found.as_ref().is_some_and(|finding| finding.breach.hit.count == 1) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    set("").await;
    let found = found.expect("a finding");
    assert_eq!(found.breach.hit.count, 1);
    assert!(found.breach.sentence.contains("far_away"), "{}", found.breach.sentence);
    writing.await.expect("no panic").expect("the commit went through");
}

/// The postmaster survives a killed backend and says so nowhere.
async fn a_process_dies(url: &str) {
    let mut watch = watch(url, "monitor");
    for _ in 0..3 {
        watch.poll().await.expect("a poll");
        open(url).await.expect("connected").batch_execute("SELECT count(*) FROM orders").await.expect("work");
    }
    let started = state(&watch).reading().expect("a reading").server.started_micros;
    let victim = open(url).await.expect("connected");
    let pid: i32 = victim.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0);
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill").success());
    let mut back = false;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        back = watch.poll().await.is_ok() && state(&watch).setback.is_some();
        let rates = state(&watch).rates;
        for rate in [rates.transactions, rates.rollbacks, rates.rows_changed, rates.deadlocks] {
            assert!(rate.is_none_or(|rate| rate >= 0.0), "{rates:?}");
        }
        if back {
            break;
        }
    }
    assert!(back, "it did not come back");
    assert_eq!(state(&watch).reading().expect("a reading").server.started_micros, started);
    assert_eq!(state(&watch).setback.map(|(_, what)| what), Some(Setback::Crashed));
    let findings = watch.world.alerts.findings();
    let found = findings.iter().find(|finding| finding.breach.rule == "postgres.reset").expect("a finding");
    assert!(found.breach.sentence.contains("a server process died"), "{}", found.breach.sentence);
}
