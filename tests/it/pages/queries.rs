//! What runs now, statements by their share, what active sessions wait for, and one session opened.

use super::world::{
    FIRST, Page, Stage, backend_row, gap, postgres, ready, secs, session, session_in, target,
};
use stacktop::core::focus::Focus;
use stacktop::core::ids::SystemKind;
use stacktop::core::part::{Part, Warm};
use stacktop::core::place::Screen;
use stacktop::core::postgres::Literals;
use stacktop::core::postgres::{
    OWN_MARK, PgRow, PostgresReading, Session, SessionState, StatementCounters, StatementKey, Statements,
};
use stacktop::core::row::RowKey;
use stacktop::core::time::Now;
use stacktop::ui::content::Role;

fn page(sessions: Vec<Session>) -> Page {
    Stage::of(postgres(sessions)).page(Screen::Queries)
}

fn waiting_for(pid: i32, class: &str, event: &str) -> Session {
    Session { wait: Some((class.to_owned(), event.to_owned())), ..session(pid) }
}

fn key(query: i64) -> StatementKey {
    StatementKey { user: 10, database: 5, query, toplevel: true }
}

/// Statements with their calls, a millisecond each.
fn statements(second: u64, calls: &[(i64, f64)]) -> PostgresReading {
    let row = |(query, calls): &(i64, f64)| {
        let counters = StatementCounters {
            calls: *calls,
            exec_ms: *calls,
            rows: *calls * 2.0,
            ..StatementCounters::default()
        };
        (key(*query), counters)
    };
    let rows = calls.iter().map(row).collect();
    let statements = Warm::new(Now::example(second), Statements { rows, evictions: None });
    PostgresReading {
        statements: Part::Ready(statements),
        texts: vec![
            (1, Literals::default().text("SELECT one")),
            (9, Literals::default().text(&format!("{OWN_MARK}SELECT nine"))),
        ],
        ..postgres(Vec::new())
    }
}

/// Two looks ten seconds apart.
fn grown(before: &[(i64, f64)], after: &[(i64, f64)]) -> Stage {
    Stage::of(statements(FIRST, before)).then(FIRST + 10, "pg", statements(FIRST + 10, after))
}

fn statement_row(query: i64) -> RowKey {
    RowKey::Postgres(target("pg"), PgRow::Statement(key(query)))
}

#[test]
fn without_a_target_it_says_so() {
    Stage::empty().page(Screen::Queries).says("no Postgres target is configured");
}

#[test]
fn before_the_first_answer_nothing_is_said_to_run_or_not() {
    let page = Stage::waiting(SystemKind::Postgres).page(Screen::Queries);
    page.says("waiting for the first answer");
    page.says_not("nothing runs");
}

#[test]
fn a_quiet_server_runs_nothing() {
    page(vec![session_in(1, SessionState::Idle)]).says("nothing runs");
}

#[test]
fn idle_sessions_and_background_processes_are_not_listed() {
    let walwriter = Session { backend_type: "walwriter".to_owned(), ..session(3) };
    let page = page(vec![session(1), session_in(2, SessionState::Idle), walwriter]);
    assert_eq!(page.0.sections[0].table.as_ref().map(|table| table.rows.len()), Some(1));
}

#[test]
fn an_idle_transaction_is_listed_and_is_a_warning() {
    let page = page(vec![session_in(1, SessionState::IdleInTransaction)]);
    assert_eq!((page.cell("1", "state"), page.role("1", "state")), ("idle in tx".to_owned(), Role::Warning));
}

#[test]
fn an_aborted_transaction_is_told_from_an_idle_one() {
    let page = page(vec![session_in(1, SessionState::IdleInTransactionAborted)]);
    assert_eq!(page.cell("1", "state"), "idle in tx (aborted)");
}

#[test]
fn our_own_session_is_not_listed() {
    let own = Session { application: "stacktop".to_owned(), ..session(1) };
    page(vec![own]).says("nothing runs");
}

#[test]
fn the_longest_transaction_stands_first() {
    let old = Session { transaction_age: Some(secs(500)), ..session(2) };
    assert_eq!(page(vec![session(1), old]).firsts()[..2], ["2", "1"]);
}

#[test]
fn ages_are_numbers_that_filters_compare() {
    let page = page(vec![session(1)]);
    assert_eq!((page.number("1", "query"), page.number("1", "tx")), (Some(5.0), Some(8.0)));
}

#[test]
fn an_age_that_is_not_known_is_a_dash_and_no_zero() {
    let page = page(vec![Session { query_age: None, ..session(1) }]);
    assert_eq!((page.cell("1", "query"), page.number("1", "query")), ("—".to_owned(), None));
}

#[test]
fn a_wait_of_an_active_session_is_its_state() {
    let page = page(vec![waiting_for(1, "IO", "DataFileRead")]);
    assert_eq!(page.cell("1", "state"), "IO:DataFileRead");
}

#[test]
fn that_an_active_session_waits_for_its_client_is_no_news() {
    assert_eq!(page(vec![waiting_for(1, "Client", "ClientWrite")]).cell("1", "state"), "active");
}

#[test]
fn who_waits_for_a_lock_is_a_warning() {
    assert_eq!(page(vec![waiting_for(1, "Lock", "relation")]).role("1", "state"), Role::Warning);
}

#[test]
fn parallel_workers_are_counted_at_their_leader() {
    let worker =
        |pid| Session { leader_pid: Some(1), backend_type: "parallel worker".to_owned(), ..session(pid) };
    let page = page(vec![session(1), worker(2), worker(3)]);
    assert_eq!(page.cell("1", "state"), "active +2w");
}

#[test]
fn sessions_that_may_not_be_read_are_no_empty_list() {
    let reading = PostgresReading { sessions: gap("sessions: no right"), ..postgres(Vec::new()) };
    let page = Stage::of(reading).page(Screen::Queries);
    page.says("sessions: no right");
}

#[test]
fn a_role_that_sees_only_itself_is_told_the_grant() {
    let mut reading = postgres(vec![session(1)]);
    reading.server.reads_all_stats = false;
    Stage::of(reading).page(Screen::Queries).says(
        "sessions of others cannot be read without GRANT pg_monitor TO watch: what they run is not shown",
    );
}

#[test]
fn one_look_at_statements_compares_nothing() {
    Stage::of(statements(FIRST, &[(1, 5.0)]))
        .page(Screen::Queries)
        .says("waiting for a second look, to compare");
}

#[test]
fn statements_have_their_share_of_the_window() {
    let page = grown(&[(1, 0.0), (2, 0.0)], &[(1, 75.0), (2, 25.0)]).page(Screen::Queries);
    assert_eq!(page.cell("SELECT one", "share"), "75 %");
}

#[test]
fn calls_are_per_second_of_the_measured_time() {
    let page = grown(&[(1, 0.0)], &[(1, 75.0)]).page(Screen::Queries);
    assert_eq!(page.cell("SELECT one", "calls/s"), "7.5");
}

#[test]
fn calls_are_compared_by_filters_as_they_are_shown() {
    let page = grown(&[(1, 0.0)], &[(1, 75.0)]).page(Screen::Queries);
    assert_eq!(page.number("SELECT one", "calls/s"), Some(7.5));
}

#[test]
fn rows_are_compared_by_filters_as_they_are_shown() {
    let page = grown(&[(1, 0.0)], &[(1, 75.0)]).page(Screen::Queries);
    assert_eq!(page.number("SELECT one", "rows/s"), Some(15.0));
}

#[test]
fn a_text_that_was_not_read_yet_is_not_an_empty_one() {
    let page = grown(&[(2, 0.0)], &[(2, 75.0)]).page(Screen::Queries);
    page.says("(query 2, its text is being read)");
}

#[test]
fn our_own_statements_are_marked_as_ours() {
    let page = grown(&[(9, 0.0)], &[(9, 75.0)]).page(Screen::Queries);
    assert_eq!(page.role("(stacktop itself) SELECT nine", "statement"), Role::Muted);
}

#[test]
fn a_window_in_which_nothing_ended_says_so() {
    grown(&[(1, 5.0)], &[(1, 5.0)]).page(Screen::Queries).says("no statement ended in the window");
}

#[test]
fn statements_that_cannot_be_read_say_why() {
    let reading =
        PostgresReading { statements: gap("CREATE EXTENSION pg_stat_statements"), ..postgres(vec![]) };
    let page = Stage::of(reading).page(Screen::Queries);
    page.says("CREATE EXTENSION pg_stat_statements");
    page.says("statements are not read");
}

#[test]
fn the_texts_of_what_is_shown_are_asked_for() {
    let stage = grown(&[(1, 0.0), (2, 0.0)], &[(1, 7.0), (2, 5.0)]);
    assert_eq!(stage.focus(Screen::Queries, &[]), [Focus::StatementTexts(vec![1, 2])]);
}

#[test]
fn a_statement_opened_says_how_often_it_ran() {
    let page = grown(&[(1, 0.0)], &[(1, 50.0)]).opened(Screen::Queries, &[statement_row(1)]);
    page.says("calls         5.0 per second");
    page.says("mean          1.00 ms");
}

#[test]
fn a_statement_opened_does_not_claim_that_io_took_no_time() {
    grown(&[(1, 0.0)], &[(1, 50.0)])
        .opened(Screen::Queries, &[statement_row(1)])
        .says("not measured (track_io_timing is off), or none");
}

#[test]
fn a_statement_that_did_not_run_says_so() {
    grown(&[(1, 0.0)], &[(1, 50.0)])
        .opened(Screen::Queries, &[statement_row(7)])
        .says("it did not run within the window");
}

#[test]
fn a_statement_opened_leads_to_its_plan() {
    let page = grown(&[(1, 0.0)], &[(1, 50.0)]).opened(Screen::Queries, &[statement_row(1)]);
    assert_eq!(page.row("plan")[1], "how the server would run it; it is planned, not run");
}

#[test]
fn the_text_is_what_is_copied_of_a_statement() {
    let stage = grown(&[(1, 0.0)], &[(1, 50.0)]);
    assert_eq!(stage.copy(Screen::Queries, &statement_row(1)), Some("SELECT one".to_owned()));
}

#[test]
fn the_statement_is_what_is_copied_of_a_session() {
    let stage = Stage::of(postgres(vec![session(1)]));
    assert_eq!(stage.copy(Screen::Queries, &backend_row(1)), Some("SELECT 1".to_owned()));
}

#[test]
fn classes_of_waits_are_listed_with_what_they_are() {
    let page = page(vec![waiting_for(1, "IO", "DataFileRead"), session(2), session(3)]);
    assert_eq!(page.row("IO")[5], "disk");
    assert_eq!(page.cell("CPU", "now"), "2");
}

#[test]
fn nothing_active_has_no_section_of_waits() {
    page(vec![session_in(1, SessionState::Idle)]).says_not("Active sessions over");
}

#[test]
fn an_opened_class_says_who_is_in_it() {
    let row = RowKey::Postgres(target("pg"), PgRow::Activity("IO".to_owned()));
    let reading =
        postgres(vec![waiting_for(1, "IO", "DataFileRead"), waiting_for(2, "IO", "WALSync"), session(3)]);
    let page = Stage::of(reading).opened(Screen::Queries, &[row]);
    page.says("application   web 2");
    assert_eq!(page.row("DataFileRead")[4], "reads a table or index from disk");
}

#[test]
fn who_has_no_name_is_counted_as_none() {
    let row = RowKey::Postgres(target("pg"), PgRow::Activity("CPU".to_owned()));
    let nameless = Session { application: String::new(), ..session(1) };
    Stage::of(postgres(vec![nameless])).opened(Screen::Queries, &[row]).says("application   (none) 1");
}

#[test]
fn an_opened_session_is_found_among_the_statements() {
    let running = Session { query_id: Some(1), ..session(4) };
    let with = |second, calls| PostgresReading {
        sessions: Part::Ready(vec![running.clone()]),
        ..statements(second, &[(1, calls)])
    };
    let stage = Stage::of(with(FIRST, 0.0)).then(FIRST + 10, "pg", with(FIRST + 10, 50.0));
    stage.opened(Screen::Queries, &[backend_row(4)]).says("It among the statements of the last 10 s (Enter)");
}

#[test]
fn an_opened_session_tells_what_its_wait_means() {
    let page = Stage::of(postgres(vec![waiting_for(1, "IPC", "SyncRep")]));
    page.opened(Screen::Queries, &[backend_row(1)])
        .says("waits for     IPC:SyncRep, waits for a synchronous standby to confirm");
}

#[test]
fn an_opened_leader_lists_its_workers() {
    let worker = Session {
        leader_pid: Some(1),
        backend_type: "parallel worker".to_owned(),
        ..waiting_for(2, "IO", "DataFileRead")
    };
    Stage::of(postgres(vec![session(1), worker]))
        .opened(Screen::Queries, &[backend_row(1)])
        .says("worker        pid 2, IO:DataFileRead");
}

#[test]
fn the_client_behind_a_pooler_is_named_within_its_transaction() {
    use stacktop::core::postgres::Pooler;
    let clients = Warm::new(
        Now::example(FIRST - 4),
        std::collections::BTreeMap::from([(1, "app from 10.9.9.9".to_owned())]),
    );
    let pooler = Pooler { address: String::new(), pools: Vec::new(), databases: Vec::new(), clients };
    let reading = |age| PostgresReading {
        pooler: ready(pooler.clone()),
        ..postgres(vec![Session { transaction_age: Some(secs(age)), ..session(1) }])
    };
    let opened = |age| Stage::of(reading(age)).opened(Screen::Queries, &[backend_row(1)]);
    opened(8).says("via PgBouncer app from 10.9.9.9\n");
    opened(2).says("via PgBouncer app from 10.9.9.9 (4.0 s ago)");
}

/// What a wait is in plain words, as the page of a session tells it.
#[track_caller]
fn means(class: &str, event: &str, words: &str) {
    let page =
        Stage::of(postgres(vec![waiting_for(1, class, event)])).opened(Screen::Queries, &[backend_row(1)]);
    page.says(&format!("{class}:{event}, {words}\n"));
}

#[test]
fn waits_are_told_in_plain_words() {
    means("Lock", "transactionid", "waits for a lock that another session holds");
    means("LWLock", "WALWrite", "waits for WAL to be written");
    means("LWLock", "BufferContent", "waits inside the server for shared memory");
    means("IO", "WALSync", "writes WAL to disk");
    means("IO", "SLRURead", "waits for the disk");
    means("IPC", "BgWorkerShutdown", "waits for another process of the server");
    means("Client", "ClientRead", "waits for its client to send something");
    means("Timeout", "PgSleep", "sleeps on purpose (pg_sleep)");
    means("Timeout", "VacuumDelay", "vacuum pauses to spare the disk");
    means("Timeout", "RecoveryApplyDelay", "waits for a time to pass");
    means("BufferPin", "BufferPin", "waits for a page that another session uses");
    means("Odd", "Odder", "");
}
