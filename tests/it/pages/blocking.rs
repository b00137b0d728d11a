//! Who blocks whom: trees of locks as the blocking screen tells them.

use super::world::{Page, Stage, backend, backend_row, gap, postgres, secs, session, session_in, target};
use stacktop::core::ids::SystemKind;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::postgres::locks::{LockMode, LockReading, LockRow, PreparedTransaction};
use stacktop::core::postgres::{PgRow, PostgresReading, SessionState};
use stacktop::core::row::RowKey;
use stacktop::ui::content::Role;

/// A lock on the table `accounts`: held, or waited for so many seconds.
fn lock(pid: i32, mode: LockMode, waiting: Option<u64>) -> LockRow {
    LockRow {
        pid: Some(pid),
        prepared_xid: None,
        tag: "accounts".to_owned(),
        object: "relation accounts".to_owned(),
        mode,
        granted: waiting.is_none(),
        waiting: waiting.map(secs),
        blockers: Vec::new(),
    }
}

const HELD: LockMode = LockMode::AccessExclusive;
const WANTED: LockMode = LockMode::AccessShare;

pub fn locked(rows: Vec<LockRow>) -> PostgresReading {
    let of = |pid: i32| {
        let holds = rows.iter().any(|row| row.pid == Some(pid) && row.granted);
        let state = if holds { SessionState::IdleInTransaction } else { SessionState::Active };
        let wait = (!holds).then(|| ("Lock".to_owned(), "relation".to_owned()));
        stacktop::core::postgres::Session { wait, ..session_in(pid, state) }
    };
    let mut pids: Vec<i32> = rows.iter().filter_map(|row| row.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    let sessions = pids.into_iter().map(of).collect();
    let locks = Part::Ready(LockReading { rows, ..LockReading::default() });
    PostgresReading { locks, ..postgres(sessions) }
}

/// 10 holds the table; 20 and 30 wait to read it.
pub fn two_behind_one() -> PostgresReading {
    locked(vec![lock(10, HELD, None), lock(20, WANTED, Some(12)), lock(30, WANTED, Some(4))])
}

/// 10 reads; 20 wants the table for itself and stops 30, which only reads.
pub fn migration() -> PostgresReading {
    locked(vec![lock(10, WANTED, None), lock(20, HELD, Some(9)), lock(30, WANTED, Some(3))])
}

/// A prepared transaction holds what 20 wants.
pub fn behind_prepared() -> PostgresReading {
    let held = LockRow { pid: None, prepared_xid: Some("735".to_owned()), ..lock(0, HELD, None) };
    let mut reading = locked(vec![held, lock(20, WANTED, Some(60))]);
    let prepared = PreparedTransaction {
        gid: "tx's".to_owned(),
        xid: "735".to_owned(),
        owner: "app".to_owned(),
        database: "shop".to_owned(),
        age: secs(3600),
    };
    if let Part::Ready(locks) = &mut reading.locks {
        locks.prepared.push(prepared);
    }
    reading
}

fn page(reading: PostgresReading) -> Page {
    Stage::of(reading).page(Screen::Blocking)
}

fn opened(reading: PostgresReading, row: RowKey) -> Page {
    Stage::of(reading).opened(Screen::Blocking, &[row])
}

#[test]
fn without_a_target_it_says_so() {
    Stage::empty().page(Screen::Blocking).says("no Postgres target is configured");
}

#[test]
fn before_the_first_answer_nobody_is_said_not_to_wait() {
    let page = Stage::waiting(SystemKind::Postgres).page(Screen::Blocking);
    page.says("pg.example:1 · waiting for the first answer");
    page.says_not("nobody waits");
}

#[test]
fn a_server_where_nobody_waits_says_so() {
    page(locked(Vec::new())).says("nobody waits for a lock");
}

#[test]
fn where_locks_cannot_be_read_the_reason_stands_and_nobody_is_said_not_to_wait() {
    let mut reading = postgres(Vec::new());
    reading.server.reads_all_stats = false;
    let page = page(PostgresReading { locks: gap("locks: GRANT pg_monitor TO watch"), ..reading });
    page.says("locks: GRANT pg_monitor TO watch");
    page.says_not("nobody waits");
}

#[test]
fn the_root_stands_first_and_its_victims_below_it() {
    assert_eq!(page(two_behind_one()).firsts(), ["10", "└─ 20", "└─ 30"]);
}

#[test]
fn the_summary_counts_sessions_and_roots() {
    page(two_behind_one()).says("2 sessions wait behind 1 root");
}

#[test]
fn one_session_waits_and_not_one_sessions() {
    page(locked(vec![lock(10, HELD, None), lock(20, WANTED, Some(1))])).says("1 session waits behind 1 root");
}

#[test]
fn a_root_counts_everybody_behind_it() {
    assert_eq!(page(two_behind_one()).number("10", "blocks"), Some(2.0));
}

#[test]
fn who_blocks_nobody_shows_no_zero_but_counts_as_zero() {
    let page = page(two_behind_one());
    assert_eq!((page.cell("└─ 20", "blocks"), page.number("└─ 20", "blocks")), (String::new(), Some(0.0)));
}

#[test]
fn a_wait_is_a_number_that_filters_compare() {
    assert_eq!(page(two_behind_one()).number("└─ 20", "waits"), Some(12.0));
}

#[test]
fn a_root_waits_for_nothing_and_shows_no_wait() {
    let page = page(two_behind_one());
    assert_eq!((page.cell("10", "waits"), page.number("10", "waits")), (String::new(), None));
}

#[test]
fn a_root_says_what_it_holds() {
    assert_eq!(page(two_behind_one()).cell("10", "lock"), "holds ACCESS EXCLUSIVE on relation accounts");
}

#[test]
fn a_victim_says_what_it_wants() {
    assert_eq!(page(two_behind_one()).cell("└─ 30", "lock"), "wants ACCESS SHARE on relation accounts");
}

#[test]
fn a_root_is_critical_and_a_victim_is_not() {
    let page = page(two_behind_one());
    assert_eq!((page.role("10", "pid"), page.role("└─ 20", "pid")), (Role::Critical, Role::Text));
}

#[test]
fn old_locks_are_drawn_as_old() {
    let page = Stage::of(two_behind_one()).at(110).page(Screen::Blocking);
    assert_eq!(page.role("10", "pid"), Role::Stale);
}

#[test]
fn a_place_in_the_queue_is_drawn_otherwise_than_a_held_lock() {
    assert_eq!(page(migration()).firsts(), ["10", "└─ 20", "└~ 30"]);
}

#[test]
fn whose_place_in_the_queue_stops_others_says_what_its_cancel_releases() {
    let page = page(migration());
    assert!(page.cell("└─ 20", "lock").ends_with("(cancel releases 1)"), "{}", page.text());
}

#[test]
fn a_second_holder_is_named_beside_the_waiter() {
    let rows = vec![lock(10, WANTED, None), lock(11, WANTED, None), lock(20, HELD, Some(5))];
    page(locked(rows)).says("+1 more holder: 11 · wants ACCESS EXCLUSIVE on relation accounts");
}

#[test]
fn two_more_holders_are_holders() {
    let rows =
        vec![lock(10, WANTED, None), lock(11, WANTED, None), lock(12, WANTED, None), lock(20, HELD, Some(5))];
    page(locked(rows)).says("+2 more holders: 11, 12");
}

#[test]
fn of_many_more_holders_six_are_named() {
    let mut rows: Vec<LockRow> = (10..20).map(|pid| lock(pid, WANTED, None)).collect();
    rows.push(lock(20, HELD, Some(5)));
    page(locked(rows)).says("+9 more holders: 11, 12, 13, 14, 15, 16, …");
}

#[test]
fn who_also_holds_stands_below_the_trees_and_is_counted_beside() {
    let page = page(locked(vec![lock(10, WANTED, None), lock(11, WANTED, None), lock(20, HELD, Some(5))]));
    page.says("1 session waits behind 1 root, 1 more holds on beside");
    assert_eq!(page.cell("11", "lock"), "also holds ACCESS SHARE on relation accounts");
}

#[test]
fn several_who_also_hold_hold_on() {
    let rows =
        vec![lock(10, WANTED, None), lock(11, WANTED, None), lock(12, WANTED, None), lock(20, HELD, Some(5))];
    page(locked(rows)).says("2 more hold on beside");
}

#[test]
fn a_holder_that_is_not_among_the_sessions_is_gone() {
    let mut reading = two_behind_one();
    if let Part::Ready(sessions) = &mut reading.sessions {
        sessions.retain(|session| session.id.pid != 10);
    }
    let page = page(reading);
    assert_eq!(page.firsts()[0], "10 (gone)");
    assert_eq!(page.cell("10 (gone)", "user"), "");
}

#[test]
fn a_prepared_transaction_is_named_as_one() {
    assert_eq!(page(behind_prepared()).firsts(), ["prepared tx's", "└─ 20"]);
}

#[test]
fn what_is_missing_of_the_locks_is_said() {
    let mut reading = two_behind_one();
    if let Part::Ready(locks) = &mut reading.locks {
        locks.missing.push("rows of other databases have no names".to_owned());
    }
    page(reading).says("rows of other databases have no names");
}

/// One more waits than the locks that were read tell of.
fn left_out(rows: Vec<LockRow>) -> PostgresReading {
    let mut reading = locked(rows);
    if let Part::Ready(locks) = &mut reading.locks {
        locks.missing.push("some locks were left out".to_owned());
    }
    if let Part::Ready(sessions) = &mut reading.sessions {
        let mut other = session(99);
        other.wait = Some(("Lock".to_owned(), "relation".to_owned()));
        sessions.push(other);
    }
    reading
}

#[test]
fn who_waits_and_is_not_shown_is_counted_all_the_same() {
    let page =
        page(left_out(vec![lock(10, HELD, None), lock(20, WANTED, Some(9)), lock(30, WANTED, Some(8))]));
    page.says("3 sessions wait behind 1 root");
    page.says("2 of them are shown");
}

#[test]
fn one_of_them_is_shown() {
    page(left_out(vec![lock(10, HELD, None), lock(20, WANTED, Some(9))])).says("1 of them is shown");
}

#[test]
fn a_deadlock_names_everybody_in_it() {
    let other = |pid, waiting: Option<u64>| LockRow { tag: "orders".to_owned(), ..lock(pid, HELD, waiting) };
    let rows = vec![lock(10, HELD, None), lock(20, HELD, Some(1)), other(20, None), other(10, Some(1))];
    let page = page(locked(rows));
    page.says("deadlock among [10, 20]: the server breaks it after deadlock_timeout");
    assert_eq!(page.tone("deadlock among"), Role::Critical);
}

#[test]
fn an_opened_session_says_who_it_is_and_from_where() {
    let page = opened(two_behind_one(), backend_row(10));
    page.says("who           app on shop as web");
    page.says("from          10.0.0.5");
}

#[test]
fn an_opened_root_says_whom_its_end_releases() {
    opened(two_behind_one(), backend_row(10)).says("released      at once: pid 20, 30");
}

#[test]
fn an_opened_root_says_how_many_it_blocks_and_for_how_long() {
    opened(two_behind_one(), backend_row(10)).says("2 directly, 2 in all, the longest for 12 s");
}

#[test]
fn an_opened_victim_says_who_holds_what_it_wants() {
    let page = opened(two_behind_one(), backend_row(20));
    page.says("wants         ACCESS SHARE on relation accounts, waiting for 12 s");
    page.says("held by       pid 10 (app, idle in transaction 5 s): ACCESS EXCLUSIVE on relation accounts");
}

#[test]
fn an_opened_victim_of_the_queue_says_behind_whom_it_stands() {
    opened(migration(), backend_row(30)).says("queued behind pid 20");
}

#[test]
fn an_opened_root_stands_first_in_its_own_tree() {
    assert_eq!(opened(two_behind_one(), backend_row(10)).firsts(), ["10", "└─ 20", "└─ 30"]);
}

#[test]
fn an_opened_session_that_is_gone_is_said_to_be() {
    opened(two_behind_one(), backend_row(99)).says("this session is not there any more");
}

#[test]
fn an_opened_prepared_transaction_has_the_commands_that_end_it() {
    let page = opened(behind_prepared(), RowKey::prepared(&target("pg"), "tx's"));
    page.says("ROLLBACK PREPARED 'tx''s'");
    page.says("COMMIT PREPARED 'tx''s'");
    page.says("in database shop, as app or a superuser");
}

#[test]
fn a_prepared_transaction_that_cannot_be_read_says_so() {
    opened(two_behind_one(), RowKey::prepared(&target("pg"), "tx1"))
        .says("its owner and its database could not be read");
}

#[test]
fn a_session_that_has_written_says_that_a_rollback_undoes_it() {
    let mut writer = session(7);
    writer.writes = true;
    opened(postgres(vec![writer]), backend_row(7)).says("has written: a rollback undoes it");
}

#[test]
fn a_session_that_holds_vacuum_back_says_by_how_much() {
    let mut old = session(7);
    old.xmin_age = Some(12_000);
    opened(postgres(vec![old]), backend_row(7)).says("back by 12000 transactions");
}

#[test]
fn a_local_session_is_from_a_local_socket() {
    let mut local = session(7);
    local.client = String::new();
    opened(postgres(vec![local]), backend_row(7)).says("from          a local socket");
}

#[test]
fn a_session_outside_a_transaction_has_none_open() {
    let page = opened(postgres(vec![session_in(7, SessionState::Idle)]), backend_row(7));
    page.says("transaction   none is open");
}

#[test]
fn the_age_of_a_transaction_that_may_not_be_seen_is_not_known() {
    let mut hidden = session_in(7, SessionState::Unknown);
    hidden.transaction_age = None;
    opened(postgres(vec![hidden]), backend_row(7)).says("transaction   open for —");
}

#[test]
fn the_pid_is_what_is_copied_of_a_session() {
    let stage = Stage::of(two_behind_one());
    assert_eq!(stage.copy(Screen::Blocking, &backend_row(10)), Some("10".to_owned()));
}

#[test]
fn the_rollback_is_what_is_copied_of_a_prepared_transaction() {
    let row = RowKey::prepared(&target("pg"), "tx's");
    assert_eq!(
        Stage::of(behind_prepared()).copy(Screen::Blocking, &row),
        Some("ROLLBACK PREPARED 'tx''s'".to_owned())
    );
}

#[test]
fn the_same_session_has_one_identity_on_every_row() {
    let row = RowKey::Postgres(target("pg"), PgRow::Backend(backend(10)));
    assert_eq!(page(two_behind_one()).key("10"), row);
}
