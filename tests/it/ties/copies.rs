//! A copy is told of twice, by itself and by the server that feeds it: that is one root with its consequence.

use super::check;
use crate::pages::world::{FIRST, Stage, postgres};
use stacktop::core::chain::Tie;
use stacktop::core::ids::SystemKind;
use stacktop::core::part::Part;
use stacktop::core::postgres::{PostgresReading, Sender, Standby};

/// A copy as the server that feeds it sees it.
fn sender(name: &str, client: &str, behind: f64) -> Sender {
    Sender {
        name: name.to_owned(),
        client: client.to_owned(),
        state: "streaming".to_owned(),
        replay_bytes: Some(behind),
        replay_seconds: Some(9.0),
        ..Sender::default()
    }
}

/// `pg` feeds these from second 20 on, and the standby `copy` of this system is behind, or receives nothing from second 40 on.
fn fed(senders: &[Sender], system: &str, cut: bool) -> Stage {
    let mut stage = Stage::with(&[("pg", SystemKind::Postgres), ("copy", SystemKind::Postgres)]);
    for second in 0..80 {
        let mut primary = postgres(Vec::new());
        primary.server.system = Some("7".to_owned());
        let there = if cut && second >= 40 { &[][..] } else { senders };
        primary.senders = Part::Ready(there.to_vec());
        let standby = Standby {
            receiver: (!cut || second < 40).then(|| "streaming".to_owned()),
            has_upstream: true,
            behind_bytes: Some(2e9),
            staleness_seconds: Some(9.0),
            ..Standby::default()
        };
        let mut copy = PostgresReading { standby: Part::Ready(standby), ..postgres(Vec::new()) };
        (copy.server.in_recovery, copy.server.system) = (true, Some(system.to_owned()));
        stage = stage.then(FIRST + second, "pg", primary).then(FIRST + second, "copy", copy);
    }
    stage
}

#[test]
fn what_a_standby_and_its_primary_tell_of_one_copy_is_one_root() {
    let lag = "postgres.replication_lag";
    let check = |senders: &[Sender], system: &str, expected: Option<(Tie, &str)>| {
        let stage = fed(senders, system, false);
        let firing = stage.world.alerts.firing();
        let of = |name: &str| {
            firing.iter().find(|one| one.breach.rule == lag && one.breach.target.as_str() == name)
        };
        let (own, told) = (of("copy").expect("its own").key(), of("pg").expect("the sender's").key());
        assert_eq!(stage.world.chain.parent(&own), None, "what a standby says of itself is no consequence");
        let link = stage.world.chain.parent(&told);
        let found = link.map(|link| (link.evidence.tie, link.evidence.words.as_str()));
        match expected {
            None => assert_eq!(found, None),
            Some((tie, words)) => {
                let (found, told) = found.expect("a link");
                assert!(found == tie && told.contains(words), "{found:?}: {told}");
            }
        }
    };
    let other = |client: &str| sender("reports", client, 0.0);
    let named = sender("copy", "10.0.0.5", 2e9);
    check(&[named.clone(), other("10.0.0.6")], "7", Some((Tie::Certain, "pg calls its copy copy")));
    check(&[named], "8", None);
    let placed = sender("walreceiver", "copy.example", 2e9);
    let words = "at copy.example, the address of copy";
    check(&[placed.clone(), other("10.0.0.6")], "7", Some((Tie::Certain, words)));
    check(&[placed, other("copy.example")], "7", Some((Tie::Likely, words)));
    let nameless = sender("walreceiver", "127.0.0.1", 2e9);
    check(std::slice::from_ref(&nameless), "7", Some((Tie::Likely, "pg has no other copy")));
    check(&[nameless.clone(), other("127.0.0.1")], "7", None);
    // Who only receives is no copy.
    let backup = Sender { replay_bytes: None, ..sender("pg_receivewal", "127.0.0.1", 0.0) };
    check(&[nameless, backup], "7", Some((Tie::Likely, "pg has no other copy")));
}

#[test]
fn a_standby_that_receives_nothing_is_the_copy_that_is_gone() {
    let copy = sender("walreceiver", "copy.example", 0.0);
    let (receiver, gone) = ("postgres.receiver", "postgres.copy_gone");
    let words = "at copy.example, the address of copy";
    check(&fed(std::slice::from_ref(&copy), "7", true), receiver, gone, Some((Tie::Certain, words)));
    check(&fed(&[copy], "8", true), receiver, gone, None);
    let elsewhere = sender("walreceiver", "10.0.0.9", 0.0);
    let words = "pg has no other copy";
    check(&fed(&[elsewhere], "7", true), receiver, gone, Some((Tie::Likely, words)));
}
