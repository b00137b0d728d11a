//! The line above every table of a Postgres server: who it is, how fresh that is, and what the role may see.

use super::world::{FIRST, Stage, postgres};
use stacktop::core::ids::SystemKind;
use stacktop::core::place::Screen;
use stacktop::core::postgres::PostgresReading;
use stacktop::ui::content::Role;

const SCREENS: [Screen; 4] = [Screen::Blocking, Screen::Queries, Screen::Health, Screen::Replication];

#[track_caller]
fn everywhere(stage: &Stage, words: &str) {
    for screen in SCREENS {
        stage.page(screen).says(words);
    }
}

fn through_a_pooler() -> PostgresReading {
    let mut reading = postgres(Vec::new());
    reading.server.pooled = true;
    reading
}

#[test]
fn it_names_version_kind_and_role() {
    everywhere(&Stage::of(postgres(Vec::new())), "pg 16.2 primary as watch");
}

#[test]
fn a_pooler_on_the_way_is_named() {
    everywhere(&Stage::of(through_a_pooler()), "16.2 primary as watch through PgBouncer");
}

#[test]
fn fresh_data_has_no_age() {
    Stage::of(postgres(Vec::new())).page(Screen::Health).says_not("LATE");
}

#[test]
fn data_that_is_overdue_is_late() {
    everywhere(&Stage::of(postgres(Vec::new())).at(FIRST + 9), "LATE, 9.0 s old");
}

#[test]
fn data_that_is_long_overdue_is_stale() {
    everywhere(
        &Stage::of(postgres(Vec::new())).at(FIRST + 90),
        "STALE 1m30s: asked 89 s ago, and no answer yet",
    );
}

#[test]
fn data_before_a_failure_says_why_there_is_none_since() {
    let stage = Stage::of(postgres(Vec::new())).fails(FIRST + 60, "pg");
    everywhere(&stage, "STALE 1m00s: connection refused; start it (next try in 1 s)");
}

#[test]
fn a_server_that_never_answered_says_why() {
    everywhere(&Stage::silent(SystemKind::Postgres), "connection refused; start it");
}

#[test]
fn late_is_a_warning_and_lost_is_stale() {
    let tone = |second, words: &str| {
        Stage::of(postgres(Vec::new())).at(FIRST + second).page(Screen::Health).tone(words)
    };
    assert_eq!((tone(9, "LATE"), tone(90, "STALE")), (Role::Warning, Role::Stale));
}

#[test]
fn a_role_that_sees_only_itself_is_told_what_it_lacks() {
    let mut reading = postgres(Vec::new());
    reading.server.reads_all_stats = false;
    everywhere(&Stage::of(reading), "sees only its own sessions: GRANT pg_monitor");
}

#[test]
fn every_server_has_its_own_part_of_the_screen() {
    let two = [("pg-1", SystemKind::Postgres), ("pg-2", SystemKind::Postgres)];
    let stage = Stage::with(&two).then(FIRST, "pg-1", postgres(Vec::new()));
    everywhere(&stage, "pg-1 16.2 primary");
    everywhere(&stage, "pg-2 pg-2.example:1 · waiting for the first answer");
}

#[test]
fn another_kind_of_system_is_not_on_these_screens() {
    everywhere(&Stage::waiting(SystemKind::Redis), "no Postgres target is configured");
}
