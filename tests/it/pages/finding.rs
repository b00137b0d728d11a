//! The page of a finding: all of its sentence, its rule, since when, who is hit, what explains it, its number over time; and what is
//! offered there.

use super::world::{FIRST, Stage, backend_row, postgres, queue, redis_at, session, session_in};
use stacktop::core::alert::{FindingKey, Heard, Until};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{PostgresReading, SessionState, Slots};
use stacktop::core::redis::QueueReading;
use stacktop::core::row::RowKey;
use stacktop::core::time::Now;

/// A session that is idle in a transaction for a hundred seconds, seen for so many.
fn idle(seconds: u64) -> Stage {
    idle_for(100, seconds)
}

fn idle_for(before: u64, seconds: u64) -> Stage {
    let reading = move |second: u64| {
        let mut one = session_in(7, SessionState::IdleInTransaction);
        let age = super::world::secs(before + second);
        (one.state_age, one.transaction_age) = (Some(age), Some(age));
        postgres(vec![one, session(8)])
    };
    let mut stage = Stage::waiting(SystemKind::Postgres);
    for second in 0..seconds {
        stage = stage.then(FIRST + second, "pg", reading(second));
    }
    stage
}

fn key(stage: &Stage, rule: &str) -> FindingKey {
    let firing = stage.world.alerts.firing();
    let found = firing.iter().find(|finding| finding.breach.rule == rule);
    found.unwrap_or_else(|| panic!("{rule} does not fire")).key()
}

const RULE: &str = "postgres.idle_in_transaction";

fn opened(stage: &Stage) -> super::world::Page {
    opened_of(stage, RULE)
}

fn opened_of(stage: &Stage, rule: &str) -> super::world::Page {
    stage.opened(Screen::Overview, &[RowKey::Finding(key(stage, rule))])
}

#[test]
fn it_tells_rule_thresholds_time_and_who_is_hit() {
    let page = opened(&idle(30));
    page.says("rule     postgres.idle_in_transaction: a session idle in transaction; warning");
    page.says("from 1m00s; critical from 5m00s");
    // A hundred seconds old at the first look.
    page.says("since    14:13:20 local, 14:13:20Z; for 2m09s");
    page.says("hit      ");
    page.says("runbook  docs/rules/postgres.idle_in_transaction.md (o copies it)");
    page.says("nothing that is seen from here explains it, and it explains nothing");
}

#[test]
fn its_number_is_drawn_with_unit_span_and_bounds() {
    let page = opened(&idle(90));
    page.says("# Samples (seconds, last ");
    page.says("│");
    page.says("└───");
    page.says("min 1m40s, mean 2m2");
    page.says("s, max 3m09s, newest 3m09s");
    // It began before the first look: the columns between are blank.
    page.says("      ^ began 14:13:20 local, 14:13:20Z");
    let old = opened(&idle_for(2000, 30));
    old.says("< began 13:41:40 local, 13:41:40Z, before what is drawn");
}

#[test]
fn a_key_that_is_refused_is_not_the_next_step() {
    let stage = idle(30);
    let page = opened(&stage);
    page.says("next     x: terminate its session after its owner was asked");
    page.says("; x acts on it");
    assert_eq!(stage.page(Screen::Overview).text().matches("x: terminate").count(), 1);

    let stage = stage.read_only("pg");
    let page = opened(&stage);
    page.says("next     not from here: terminate its session after its owner was asked");
    page.says("pg is configured as read-only; remove `read_only` from it in the configuration");
    assert!(!page.text().contains("x acts") && !page.text().contains("x: "), "{}", page.text());
    let list = stage.page(Screen::Overview).text();
    assert!(list.contains("not from here: terminate") && !list.contains("x: "), "{list}");

    // In the past nothing is done at all.
    let stage = idle(30).held();
    for text in [opened(&stage).text(), stage.page(Screen::Overview).text()] {
        assert!(text.contains("terminate its session"), "{text}");
        assert!(
            !text.contains("x acts") && !text.contains("x: ") && !text.contains("not from here"),
            "{text}"
        );
    }
}

/// What the list and the page of the finding of `rule` say of the step that is refused there for this reason.
#[track_caller]
fn kept(stage: &Stage, rule: &str, step: &str, why: &str) {
    let page = opened_of(stage, rule);
    page.says(&format!("next     not from here: {step}"));
    page.says(why);
    assert!(!page.text().contains("x acts") && !page.text().contains("x: "), "{}", page.text());
    let list = stage.page(Screen::Overview).text();
    assert!(list.contains(&format!("not from here: {step}")) && !list.contains("x: "), "{list}");
}

#[test]
fn what_a_role_may_not_do_and_a_replica_does_not_take_is_not_from_here() {
    let mut stage = Stage::waiting(SystemKind::Postgres);
    for second in 0..30 {
        let mut one = session_in(7, SessionState::IdleInTransaction);
        let age = super::world::secs(100 + second);
        (one.state_age, one.transaction_age) = (Some(age), Some(age));
        let mut reading = postgres(vec![one, session(8)]);
        (reading.server.superuser, reading.server.signals) = (false, false);
        "watch".clone_into(&mut reading.server.role);
        stage = stage.then(FIRST + second, "pg", reading);
    }
    let why = "GRANT pg_signal_backend TO watch";
    kept(&stage, RULE, "terminate its session", why);

    let stranded = |second: u64| {
        let mut reading =
            redis_at(FIRST + second, vec![QueueReading { waiting: 3, stranded: 3, ..queue("mails") }]);
        "slave".clone_into(&mut reading.server.role);
        reading
    };
    let mut stage = Stage::waiting(SystemKind::Redis);
    for second in 0..30 {
        stage = stage.then(FIRST + second, "cache", stranded(second));
    }
    let why = "this server is a replica, which is only read";
    kept(&stage, "queue.stranded", "resume", why);
}

#[test]
fn the_first_row_leads_to_where_it_is_seen_and_offers_what_is_offered_there() {
    let stage = idle(30);
    let row = RowKey::Finding(key(&stage, RULE));
    let page = opened(&stage);
    assert_eq!(page.key("Enter"), row);
    let place = stage.jump(Screen::Overview, std::slice::from_ref(&row), &row).expect("a place");
    assert_eq!(place.row, Some(backend_row(7)));
    let there = stage.offers(place.screen, &backend_row(7));
    let here = stage.offers(Screen::Overview, &row);
    assert!(there.letters().contains('t'), "{}", there.letters());
    assert_eq!(here.letters(), there.letters());
    assert_eq!(here.title('t'), there.title('t'));
}

#[test]
fn a_note_is_told_with_who_and_when() {
    let mut stage = idle(30);
    let key = key(&stage, RULE);
    let heard = Heard {
        who: "ana".to_owned(),
        note: "the nightly report, ends at six".to_owned(),
        at: Now::example(FIRST + 29),
        until: Until::Over,
    };
    assert!(stage.world.alerts.hear(&key, heard));
    opened(&stage).says("noted    acknowledged by ana at 14:15:29 local, 14:15:29Z: the nightly report,");
    opened(&stage).says("ends at six");
    stage.page(Screen::Overview).says(
        "(acknowledged) pid 7 (app, idle in transaction 2m09s) · by ana: the nightly report, ends at six",
    );
}

#[test]
fn a_runbook_is_shown_with_its_key() {
    let mut stage = idle(30);
    let key = key(&stage, RULE);
    let mut setting = stage.world.rules.get(key.rule);
    setting.runbook = Some("https://wiki.example/idle".to_owned());
    assert!(stage.world.rules.set(RULE, setting));
    opened(&stage).says("runbook  https://wiki.example/idle (o copies it)");
}

#[test]
fn what_is_over_says_how_long_it_lasted_and_what_is_gone_says_so() {
    let stage = idle(30);
    let row = RowKey::Finding(key(&stage, RULE));
    let over = stage.then(FIRST + 30, "pg", postgres(vec![session(8)]));
    over.opened(Screen::Overview, std::slice::from_ref(&row)).says("; lasted 2m10s, over since ");
    over.opened(Screen::Overview, std::slice::from_ref(&row)).says("next     nothing: it is over");
    over.opened(Screen::Overview, std::slice::from_ref(&row)).says_not("acts on it");
    let late = idle(30).at(FIRST + 60);
    late.opened(Screen::Overview, std::slice::from_ref(&row)).says_not("acts on it");
    idle(30).opened(Screen::Overview, std::slice::from_ref(&row)).says("; x acts on it");
    let gone = over.then(FIRST + 200, "pg", postgres(vec![session(8)]));
    gone.opened(Screen::Overview, std::slice::from_ref(&row)).says("it is over and no longer kept here");
    assert_eq!(gone.offers(Screen::Overview, &row).letters(), "");
}

#[test]
fn a_rule_without_a_number_says_so() {
    let gap = super::world::gap("GRANT pg_monitor TO watch");
    let reading = PostgresReading { sessions: gap, ..postgres(Vec::new()) };
    let stage = Stage::of(reading.clone()).then(FIRST + 30, "pg", reading);
    let page = stage.opened(Screen::Overview, &[RowKey::Finding(key(&stage, "source.unread"))]);
    page.says("this rule has no number");
    page.says("source | pg");
}

/// A server of which so many of a hundred places are taken.
fn taken(used: i64) -> PostgresReading {
    let slots = Slots { max: 100, reserved: 0, used, synchronous: String::new() };
    PostgresReading { slots: Part::Ready(slots), ..postgres(Vec::new()) }
}

#[test]
fn the_graph_shows_the_moment_when_it_began_with_what_was_before() {
    let mut stage = Stage::of(taken(10));
    for step in 1..30 {
        stage = stage.then(FIRST + 10 * step, "pg", taken(10 + i64::try_from(step).expect("small")));
    }
    for second in 300..330 {
        stage = stage.then(FIRST + second, "pg", taken(97));
    }
    let page = opened_of(&stage, "postgres.connections");
    page.says("min 10 %, mean ");
    page.says("%, max 97 %, newest 97 %; with what was before it began");
    page.says("^ began 14:20:00 local");
    // Some seconds after that it recovers, and goes on.
    let later = stage.then(FIRST + 340, "pg", taken(20)).then(FIRST + 350, "pg", taken(20));
    opened_of(&later, "postgres.connections").says("with what was before it began");
}
