//! Copies: who streams to whom, how far behind, slots, rotation, backups.

use super::world::{FIRST, Page, Stage, gap, postgres, secs};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::postgres::PostgresSettings;
use stacktop::core::postgres::{Backup, PostgresReading, ReplicationSlot, Rotation, Sender, Standby};
use stacktop::core::settings::SystemSettings;
use stacktop::ui::content::Role;
use std::time::Duration;

fn page(reading: PostgresReading) -> Page {
    Stage::of(reading).page(Screen::Replication)
}

/// Where a place in rotation is configured.
fn in_rotation(reading: PostgresReading) -> Stage {
    let settings = PostgresSettings { rotation: Some(rotation()), ..PostgresSettings::default() };
    Stage::configured(SystemSettings::Postgres(settings), reading)
}

fn quiet() -> PostgresReading {
    postgres(Vec::new())
}

fn streaming() -> Standby {
    Standby {
        receiver: Some("streaming".to_owned()),
        upstream: "db-1:5432".to_owned(),
        has_upstream: true,
        behind_bytes: Some(0.0),
        staleness_seconds: Some(400.0),
        message_age_seconds: Some(2.0),
        paused: false,
    }
}

fn standby(standby: Standby) -> PostgresReading {
    let mut reading = quiet();
    reading.server.in_recovery = true;
    PostgresReading { standby: Part::Ready(standby), ..reading }
}

fn sender(sender: Sender) -> PostgresReading {
    let sender = Sender { pid: 5, name: "copy-1".to_owned(), ..sender };
    PostgresReading { senders: Part::Ready(vec![sender]), ..quiet() }
}

fn slot(slot: ReplicationSlot) -> PostgresReading {
    let slot = ReplicationSlot { name: "slot-1".to_owned(), kind: "physical".to_owned(), ..slot };
    PostgresReading { replication_slots: Part::Ready(vec![slot]), ..quiet() }
}

fn rotation() -> Rotation {
    Rotation { role: "reporting".to_owned(), max_lag: Some(secs(10)), max_latency: Some(secs(1)) }
}

#[test]
fn without_a_target_it_says_so() {
    Stage::empty().page(Screen::Replication).says("no Postgres target is configured");
}

#[test]
fn before_the_first_answer_it_waits() {
    Stage::waiting(SystemKind::Postgres).page(Screen::Replication).says("waiting for the first answer");
}

#[test]
fn a_primary_without_copies_has_no_table_of_copies() {
    page(PostgresReading { senders: Part::Ready(Vec::new()), ..quiet() }).says_not("Copies of it");
}

#[test]
fn a_standby_is_called_one() {
    page(standby(streaming())).says("16.2 standby as watch");
}

#[test]
fn a_standby_says_from_whom_it_receives() {
    page(standby(streaming())).says("receives        streaming from db-1:5432");
}

#[test]
fn a_standby_that_has_all_is_caught_up_however_old_the_last_commit_is() {
    let page = page(standby(streaming()));
    page.says("staleness       caught up");
    page.says_not("6m40s");
}

#[test]
fn a_standby_that_lacks_something_says_how_stale_it_is() {
    let page = page(standby(Standby { behind_bytes: Some(2048.0), ..streaming() }));
    page.says("behind          2.0 KiB");
    page.says("staleness       6m40s");
}

#[test]
fn without_a_receiver_nothing_missing_is_not_caught_up() {
    let page = page(standby(Standby { receiver: None, ..streaming() }));
    page.says("staleness       6m40s");
}

#[test]
fn a_standby_whose_primary_is_gone_is_critical() {
    let page = page(standby(Standby { receiver: None, ..streaming() }));
    assert_eq!(page.tone("the connection to its primary is down"), Role::Critical);
}

#[test]
fn a_standby_of_an_archive_misses_no_primary() {
    let page = page(standby(Standby { receiver: None, has_upstream: false, ..streaming() }));
    page.says("from an archive, no primary is configured");
    page.says_not("is down");
}

#[test]
fn a_paused_replay_says_how_it_is_resumed() {
    page(standby(Standby { paused: true, ..streaming() })).says("SELECT pg_wal_replay_resume()");
}

#[test]
fn a_quiet_primary_is_no_news_within_its_keepalive() {
    page(standby(Standby { message_age_seconds: Some(34.0), ..streaming() })).says_not("last message");
}

#[test]
fn a_primary_that_is_silent_for_longer_is_told() {
    page(standby(Standby { message_age_seconds: Some(36.0), ..streaming() }))
        .says("last message    36 s ago");
}

#[test]
fn what_a_standby_does_not_tell_is_a_dash_and_no_zero() {
    let page = page(standby(Standby { behind_bytes: None, staleness_seconds: None, ..streaming() }));
    page.says("behind          —");
    page.says("staleness       —");
}

#[test]
fn a_copy_shows_how_far_behind_it_is() {
    let lags = Sender { replay_bytes: Some(1_048_576.0), replay_seconds: Some(3.0), ..Sender::default() };
    let page = page(sender(lags));
    assert_eq!(
        (page.cell("copy-1", "unreplayed"), page.cell("copy-1", "replay lag")),
        ("1.0 MiB".to_owned(), "3.0 s".to_owned())
    );
}

#[test]
fn a_lag_that_was_not_measured_is_a_dash_and_sorts_as_nothing() {
    let page = page(sender(Sender::default()));
    assert_eq!(
        (page.cell("copy-1", "replay lag"), page.number("copy-1", "replay lag")),
        ("—".to_owned(), None)
    );
}

#[test]
fn a_copy_that_does_not_stream_is_a_warning() {
    let page = page(sender(Sender { state: "catchup".to_owned(), ..Sender::default() }));
    assert_eq!(page.role("copy-1", "state"), Role::Warning);
}

#[test]
fn a_copy_that_streams_is_not() {
    let page = page(sender(Sender { state: "streaming".to_owned(), ..Sender::default() }));
    assert_eq!(page.role("copy-1", "state"), Role::Text);
}

#[test]
fn a_slot_that_nobody_uses_is_a_warning() {
    let page = page(slot(ReplicationSlot::default()));
    assert_eq!(
        (page.cell("slot-1", "in use"), page.role("slot-1", "in use")),
        ("NO".to_owned(), Role::Warning)
    );
}

#[test]
fn a_slot_in_use_says_so() {
    assert_eq!(
        page(slot(ReplicationSlot { active: true, ..Default::default() })).cell("slot-1", "in use"),
        "yes"
    );
}

#[test]
fn a_slot_without_a_limit_is_never_lost_by_bytes() {
    assert_eq!(page(slot(ReplicationSlot::default())).cell("slot-1", "until lost"), "—");
}

#[test]
fn a_lost_slot_is_critical() {
    let lost = ReplicationSlot { wal_status: Some("lost".to_owned()), ..Default::default() };
    assert_eq!(page(slot(lost)).role("slot-1", "WAL"), Role::Critical);
}

#[test]
fn a_slot_about_to_be_lost_is_critical() {
    let near = ReplicationSlot { wal_status: Some("unreserved".to_owned()), ..Default::default() };
    assert_eq!(page(slot(near)).role("slot-1", "WAL"), Role::Critical);
}

#[test]
fn a_slot_that_keeps_more_than_usual_is_not() {
    let extended = ReplicationSlot { wal_status: Some("extended".to_owned()), ..Default::default() };
    assert_eq!(page(slot(extended)).role("slot-1", "WAL"), Role::Text);
}

#[test]
fn why_a_slot_is_of_no_use_goes_before_its_status() {
    let invalid = ReplicationSlot {
        wal_status: Some("reserved".to_owned()),
        invalid: Some("rows_removed".to_owned()),
        ..Default::default()
    };
    assert_eq!(page(slot(invalid)).cell("slot-1", "WAL"), "rows_removed");
}

#[test]
fn a_copy_within_its_limits_is_in_rotation() {
    let mut reading = standby(streaming());
    reading.probe = Some(Duration::from_micros(2500));
    in_rotation(reading).page(Screen::Replication).says("reporting       in rotation, answers in 2.5 ms");
}

#[test]
fn a_copy_that_answers_too_slowly_would_be_taken_out() {
    let mut reading = standby(streaming());
    reading.probe = Some(secs(2));
    in_rotation(reading)
        .page(Screen::Replication)
        .says("WOULD BE TAKEN OUT OF ROTATION: it answers in 2000 ms, the limit is 1000 ms");
}

#[test]
fn a_copy_that_is_too_far_behind_would_be_taken_out() {
    in_rotation(standby(Standby { behind_bytes: Some(9.0), ..streaming() }))
        .page(Screen::Replication)
        .says("it is up to 400.0 s behind, the limit is 10.0 s");
}

#[test]
fn a_copy_that_was_caught_up_is_no_more_behind_than_since_then() {
    let behind = Standby { behind_bytes: Some(9.0), ..streaming() };
    let stage = in_rotation(standby(streaming())).then(FIRST + 5, "pg", standby(behind));
    stage.page(Screen::Replication).says("in rotation");
}

#[test]
fn without_a_rotation_nothing_is_said_of_one() {
    page(standby(streaming())).says_not("rotation");
}

#[test]
fn the_newest_backup_is_told_with_its_age_and_size() {
    let backup = Backup { path: "/b/shop.dump".to_owned(), age: secs(7200), bytes: 2048, files: 3 };
    page(PostgresReading { backup: Part::Ready(backup), ..quiet() })
        .says("backup          2h00m ago, 2.0 KiB: /b/shop.dump (of 3)");
}

#[test]
fn a_backup_that_cannot_be_looked_for_says_why() {
    page(PostgresReading { backup: gap("/b: permission denied"), ..quiet() }).says("/b: permission denied");
}

#[test]
fn copies_that_may_not_be_read_say_why() {
    page(PostgresReading { senders: gap("pg_stat_replication: no right"), ..quiet() })
        .says("pg_stat_replication: no right");
}

#[test]
fn slots_that_may_not_be_read_say_why() {
    page(PostgresReading { replication_slots: gap("slots: no right"), ..quiet() }).says("slots: no right");
}

#[test]
fn a_copy_that_was_asked_long_ago_is_drawn_as_old() {
    let page = Stage::of(standby(streaming())).at(FIRST + 10).page(Screen::Replication);
    assert_eq!(page.tone("streaming from"), Role::Stale);
}
