//! A check that is down, and the server that it reports.

use super::check;
use crate::pages::world::{FIRST, Stage, target};
use stacktop::core::chain::Tie;
use stacktop::core::health::{Breaker, HealthCheck, HealthReading};
use stacktop::core::ids::SystemKind;
use stacktop::core::topology::{Depends, Topology};

/// A check of this name is down with this note, while the Postgres servers of these names give no data.
fn down(name: &str, note: &str, servers: &[&str], said: Option<&str>) -> Stage {
    let kinds = servers.iter().map(|server| (*server, SystemKind::Postgres));
    let targets: Vec<(&str, SystemKind)> = kinds.chain([("web", SystemKind::Health)]).collect();
    let mut stage = Stage::with(&targets);
    let depends = said.map(|on| Depends {
        service: "web".to_owned(),
        on: target(on),
        because: "DATABASE_URL of web".to_owned(),
    });
    stage.world.topology = Topology::new(depends.into_iter().collect());
    let one = HealthCheck {
        name: name.to_owned(),
        word: Some("down".to_owned()),
        note: note.to_owned(),
        latency: None,
    };
    let reading = HealthReading {
        status: 503,
        word: Some("error".to_owned()),
        checks: vec![one],
        ..HealthReading::default()
    };
    for second in FIRST..FIRST + 40 {
        stage = stage.fails(second, servers[0]).then(second, "web", reading.clone());
    }
    stage
}

#[track_caller]
fn tied(stage: &Stage, expected: Option<(Tie, &str)>) {
    check(stage, "source.silent", "health.status", expected);
}

#[test]
fn an_address_or_a_name_of_its_own_is_certain() {
    let address = "connect ECONNREFUSED pg.example:1";
    let words = "names pg.example:1, the address of pg, which does not answer us either";
    tied(&down("storage", address, &["pg", "other"], None), Some((Tie::Certain, words)));
    tied(
        &down("orders_pg", "", &["orders-pg", "other"], None),
        Some((Tie::Certain, "is called orders_pg, as orders-pg is")),
    );
    tied(&down("storage", "connect ECONNREFUSED mail.example:25", &["pg"], None), None);
}

#[test]
fn a_word_for_the_kind_of_server_is_likely_where_no_other_can_be_meant() {
    let only = Some((Tie::Likely, "says \u{201c}database\u{201d}, and pg is the only Postgres here"));
    tied(&down("database", "", &["pg"], None), only);
    tied(&down("database", "", &["pg", "other"], None), None);
    // The default name of a server is no name of its own.
    tied(&down("pg", "", &["pg", "other"], None), None);
    let said = Some((Tie::Likely, "web depends on pg (DATABASE_URL of web)"));
    tied(&down("database", "", &["pg", "other"], Some("pg")), said);
    let other = Some((Tie::Likely, "web depends on other (DATABASE_URL of web)"));
    tied(&down("database", "", &["pg", "other"], Some("other")), other);
    tied(&down("redis", "", &["pg"], Some("pg")), None);
    tied(&down("disk", "", &["pg"], None), None);
}

#[test]
fn an_open_breaker_is_tied_the_same_way() {
    let mut stage = Stage::with(&[("pg", SystemKind::Postgres), ("web", SystemKind::Health)]);
    let breaker = Breaker { name: "postgres".to_owned(), word: "OPEN".to_owned() };
    let reading = HealthReading {
        status: 200,
        word: Some("degraded".to_owned()),
        breakers: vec![breaker],
        ..HealthReading::default()
    };
    for second in FIRST..FIRST + 40 {
        stage = stage.fails(second, "pg").then(second, "web", reading.clone());
    }
    let words = "its breaker says \u{201c}postgres\u{201d}, and pg is the only Postgres here";
    check(&stage, "source.silent", "health.breaker", Some((Tie::Likely, words)));
}
