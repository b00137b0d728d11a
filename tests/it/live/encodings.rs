//! One server, five ways to write: whichever database is watched, no letter takes anything away, and each is read as it was written.

use super::{Watch, client, reading, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use stacktop::core::focus::Focus;
use stacktop::core::part::Part;
use stacktop::core::postgres::Look;
use std::time::Duration;

/// A server's encoding, and what is said in it. (The bytes of `Á` and `中` mean nothing in WIN1252, those of `ü` nothing in UTF-8.)
const SAID: [(&str, &str); 5] = [
    ("UTF8", "Á 中 ł"),
    ("WIN1252", "für 5 €"),
    ("EUC_JP", "日本"),
    ("LATIN1", "Zürich"),
    ("SQL_ASCII", "Ünï"),
];

fn database(encoding: &str) -> String {
    format!("written_{}_{}", encoding.to_lowercase(), std::process::id())
}

/// Watched from the database in `encoding`, everybody's statement is there, letter by letter.
async fn watched_from(url: &str, encoding: &str) {
    let there = format!("{}/{}", url.rsplit_once('/').expect("a database").0, database(encoding));
    let mut watch = Watch::new(Connect::Postgres(url::postgres(&there).expect("a URL")));
    watch.poll().await.expect("a poll");
    let found = reading(&watch);
    for gap in [found.sessions.gap(), found.databases.gap(), found.locks.gap(), found.health.gap()] {
        assert_eq!(gap, None, "from {encoding}");
    }
    let sessions = found.sessions.ready().expect("sessions");
    for (other, text) in SAID {
        let session = sessions
            .iter()
            .find(|session| session.database == database(other) && session.query.contains("pg_sleep"));
        let session = session.unwrap_or_else(|| panic!("from {encoding}: nobody runs anything in {other}"));
        assert_eq!(*session.query, format!("SELECT pg_sleep(60), '{text}'"), "{other} from {encoding}");
    }
    // The name of a database is a name everywhere.
    let named = format!("donnÁes_{}", std::process::id());
    let databases = found.databases.ready().expect("databases");
    assert!(databases.iter().any(|database| database.name == named), "from {encoding}");
    let look = Look::Topic("sizes".to_owned());
    for _ in 0..200 {
        watch.poll_with(&[Focus::Look(look.clone())]).await.expect("a poll");
        let looked =
            reading(&watch).looks.iter().find(|looked| looked.look == look).expect("it is looked at");
        match &looked.table {
            Part::Ready(table) => {
                let others = table.column("database").filter(|(_, name)| name.starts_with("written_"));
                assert!(others.count() >= SAID.len(), "from {encoding}: {:?}", table.rows);
                return;
            }
            Part::Unavailable(gap) => panic!("from {encoding}: {}", gap.note),
            Part::NotAsked => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    panic!("from {encoding}: no answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_letter_takes_a_list_away_and_each_is_read_as_it_was_written() {
    let test = "no_letter_takes_a_list_away_and_each_is_read_as_it_was_written";
    for version in [13, 15, 18] {
        let Some(url) = server(test, &format!("STACKTOP_TEST_PG{version}_URL")) else { continue };
        let admin = client(&url).await;
        let named = format!("\"donnÁes_{}\"", std::process::id());
        admin.batch_execute(&format!("CREATE DATABASE {named}")).await.expect("a database");
        let mut running = Vec::new();
        for (encoding, text) in SAID {
            let name = database(encoding);
            let sql = format!("CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0");
            admin.batch_execute(&sql).await.expect("a database");
            let own = client(&format!("{}/{name}", url.rsplit_once('/').expect("a database").0)).await;
            let sql = format!("SELECT pg_sleep(60), '{text}'");
            running.push(tokio::spawn(async move { own.batch_execute(&sql).await }));
        }
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60), %' AND state = 'active'";
        for _ in 0..100 {
            if admin.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0) >= 5 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for (encoding, _) in SAID {
            watched_from(&url, encoding).await;
        }
        for (encoding, _) in SAID {
            let sql = format!("DROP DATABASE {} WITH (FORCE)", database(encoding));
            admin.batch_execute(&sql).await.expect("cleaned");
        }
        admin.batch_execute(&format!("DROP DATABASE {named}")).await.expect("cleaned");
        running.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
