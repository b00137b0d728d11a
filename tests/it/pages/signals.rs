//! The golden signals of every system, one line each on the overview.

use super::world::{FIRST, Stage, gap, postgres, queue, redis};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{PostgresReading, Slots, Standby};
use stacktop::core::prometheus::{AlertingRule, PrometheusReading, RulesReading, ScrapeTarget};
use stacktop::core::redis::{DeadLetter, QueueReading, RedisReading};
use stacktop::core::search::{ClusterHealth, SearchReading};
use stacktop::ui::content::Role;

fn says(stage: &Stage, words: &str) {
    stage.page(Screen::Overview).says(words);
}

fn copy(standby: Standby) -> PostgresReading {
    let mut reading = postgres(Vec::new());
    reading.server.in_recovery = true;
    PostgresReading { standby: Part::Ready(standby), ..reading }
}

fn scraped(health: &str) -> ScrapeTarget {
    ScrapeTarget { health: health.to_owned(), ..ScrapeTarget::default() }
}

#[test]
fn what_never_answered_has_no_line() {
    Stage::waiting(SystemKind::Redis).page(Screen::Overview).says_not("Signals");
}

#[test]
fn a_database_without_a_second_reading_has_no_rates_and_no_zeros() {
    says(&Stage::of(postgres(Vec::new())), "— tx · hits — · connections — · 0 waiting for locks");
}

#[test]
fn connections_are_a_share_of_what_can_be_used() {
    let slots = Slots { max: 103, reserved: 3, used: 25, ..Slots::default() };
    says(&Stage::of(PostgresReading { slots: Part::Ready(slots), ..postgres(vec![]) }), "connections 25 %");
}

#[test]
fn locks_that_cannot_be_read_are_not_zero() {
    let mut reading = postgres(Vec::new());
    reading.server.reads_all_stats = false;
    says(&Stage::of(reading), "— waiting for locks");
}

#[test]
fn a_copy_that_has_all_is_caught_up() {
    says(&Stage::of(copy(Standby { behind_bytes: Some(0.0), ..Standby::default() })), "copy, caught up");
}

#[test]
fn a_copy_that_lacks_something_says_how_much() {
    let behind = Standby { behind_bytes: Some(2048.0), staleness_seconds: Some(7.0), ..Standby::default() };
    says(&Stage::of(copy(behind)), "copy 2.0 KiB behind, 7.0 s old");
}

#[test]
fn queues_are_added_up() {
    let of = |name, waiting, failed| QueueReading { waiting, failed, ..queue(name) };
    let stage = Stage::of(redis(vec![of("a", 3, 1), of("b", 4, 2)]));
    says(&stage, "2 queues, 7 waiting, 3 failed");
}

#[test]
fn one_queue_is_no_queues() {
    says(&Stage::of(redis(vec![queue("a")])), "1 queue, 0 waiting, 0 failed");
}

#[test]
fn letters_are_dead_and_do_not_wait() {
    let letters = QueueReading { waiting: 5, dead_letter: Some(DeadLetter::default()), ..queue("a-dlq") };
    says(&Stage::of(redis(vec![letters])), "1 queue, 0 waiting, 5 failed");
}

#[test]
fn queues_that_cannot_be_read_are_not_zero() {
    let stage = Stage::of(RedisReading { queues: gap("SCAN: no right"), ..redis(Vec::new()) });
    says(&stage, "queues not known");
    stage.page(Screen::Overview).says_not("0 waiting");
}

#[test]
fn what_a_server_does_not_tell_is_a_dash() {
    says(&Stage::of(redis(Vec::new())), "— ops · memory —");
}

#[test]
fn a_cluster_without_a_status_is_not_green() {
    says(&Stage::of(SearchReading::default()), "status not known · — shard searches, mean — · heap —");
}

#[test]
fn a_cluster_has_its_own_word() {
    let health = ClusterHealth { status: "yellow".to_owned(), ..ClusterHealth::default() };
    says(&Stage::of(SearchReading { health: Part::Ready(health), ..Default::default() }), "yellow · — shard");
}

#[test]
fn scrape_targets_are_counted_with_those_that_are_down() {
    let targets = Part::Ready(vec![scraped("up"), scraped("down"), scraped("unknown")]);
    says(&Stage::of(PrometheusReading { targets, ..Default::default() }), "3 targets, 1 down");
}

#[test]
fn one_scrape_target_is_no_targets() {
    let targets = Part::Ready(vec![scraped("up")]);
    says(&Stage::of(PrometheusReading { targets, ..Default::default() }), "1 target, 0 down");
}

#[test]
fn what_prometheus_may_not_tell_is_not_zero() {
    says(&Stage::of(PrometheusReading::default()), "targets not known · rules not known");
}

#[test]
fn several_alerts_of_one_rule_are_one_rule() {
    let alert = |labels: &str| AlertingRule {
        name: "Down".to_owned(),
        labels: labels.to_owned(),
        state: "firing".to_owned(),
        ..AlertingRule::default()
    };
    let rules = Part::Ready(RulesReading {
        total: 9,
        notable: vec![alert("a"), alert("b")],
        ..RulesReading::default()
    });
    says(&Stage::of(PrometheusReading { rules, ..Default::default() }), "1 rule firing");
}

#[test]
fn numbers_of_before_have_their_age_in_front() {
    let stage = Stage::of(redis(vec![queue("a")])).at(FIRST + 9);
    says(&stage, "9.0 s old · — ops");
    assert_eq!(stage.page(Screen::Overview).tone("9.0 s old"), Role::Stale);
}

#[test]
fn a_long_name_is_cut_and_keeps_its_place() {
    let name = "a-redis-with-a-long-name";
    let stage = Stage::with(&[(name, SystemKind::Redis)]).then(FIRST, name, redis(Vec::new()));
    says(&stage, "a-redis-with-a… — ops");
}
