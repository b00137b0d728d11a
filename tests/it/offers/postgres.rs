//! Sessions, prepared transactions, groups of connections, tables, indexes, statements.

use crate::pages::blocking::{behind_prepared, migration, two_behind_one};
use crate::pages::world::statement;
use crate::pages::world::{
    FIRST, Offers, Stage, backend_row, gap, postgres, ready, secs, session, session_in, target,
};
use stacktop::core::action::Action;
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{
    BackendId, ClientGroup, Health, PgAction, PgRow, PostgresReading, Session, SessionState, StatementKey,
};
use stacktop::core::row::RowKey;

/// What may be done to this session, by a role that may signal all.
fn of(session: Session) -> Offers {
    let row = RowKey::backend(&target("pg"), session.id);
    Stage::of(postgres(vec![session])).offers(Screen::Queries, &row)
}

/// The same by a role that may signal nobody but itself.
fn without_rights(session: Session) -> Offers {
    let row = RowKey::backend(&target("pg"), session.id);
    let mut reading = postgres(vec![session]);
    reading.server.signals = false;
    Stage::of(reading).offers(Screen::Queries, &row)
}

fn kind(backend_type: &str) -> Session {
    Session { backend_type: backend_type.to_owned(), ..session(7) }
}

fn pg(row: PgRow) -> RowKey {
    RowKey::Postgres(target("pg"), row)
}

fn on_health(reading: PostgresReading, row: PgRow) -> Offers {
    Stage::of(reading).offers(Screen::Health, &pg(row))
}

fn orders() -> PgRow {
    PgRow::Table("public.orders".to_owned())
}

fn act(offers: &Offers, letter: char) -> PgAction {
    match offers.choice(letter).0 {
        Action::Postgres { act, .. } => act,
        Action::Redis { .. } | Action::Alertmanager { .. } | Action::Search { .. } => {
            panic!("it is an action on Postgres")
        }
    }
}

#[test]
fn a_running_session_may_be_cancelled_or_terminated_the_milder_first() {
    let offers = of(session(7));
    assert_eq!((offers.letters(), offers.open()), ("ct".to_owned(), "ct".to_owned()));
}

#[test]
fn a_cancel_is_for_the_statement_that_was_seen() {
    assert!(matches!(act(&of(session(7)), 'c'), PgAction::Cancel { query_start_micros: 7_000, .. }));
}

#[test]
fn a_terminate_is_for_the_process_and_its_start() {
    let PgAction::Terminate { backend, .. } = act(&of(session(7)), 't') else { panic!("terminate") };
    assert_eq!(backend, BackendId { pid: 7, backend_start_micros: 1_000_007 });
}

#[test]
fn an_idle_session_runs_nothing_that_could_be_cancelled() {
    let offers = of(session_in(7, SessionState::Idle));
    offers.refuses('c', "a cancel does nothing to a session that is idle; terminate would end it");
    assert_eq!(offers.open(), "t");
}

#[test]
fn an_idle_transaction_runs_nothing_that_could_be_cancelled() {
    of(session_in(7, SessionState::IdleInTransaction)).refuses(
        'c',
        "a cancel does nothing to a session that is idle in transaction; terminate would end it",
    );
}

#[test]
fn a_statement_without_a_start_is_not_cancelled() {
    of(Session { query_start_micros: None, ..session(7) })
        .refuses('c', "the server does not say which statement it runs");
}

#[test]
fn a_session_without_a_start_is_not_touched() {
    let hidden = Session { id: BackendId { pid: 7, backend_start_micros: 0 }, ..session(7) };
    let words = "the server does not tell this role when that session began, so a later one with its number could be hit; \
                 GRANT pg_monitor TO watch";
    let offers = of(hidden);
    offers.refuses('c', words);
    offers.refuses('t', words);
}

#[test]
fn our_own_connection_is_not_ended() {
    let own = Session { application: "stacktop".to_owned(), ..session(7) };
    of(own).refuses('t', "this is a connection of stacktop itself");
}

#[test]
fn a_walsender_is_not_ended() {
    of(kind("walsender")).refuses('t', "this feeds a copy: ending it breaks replication");
}

#[test]
fn an_autovacuum_gives_way_by_itself() {
    of(kind("autovacuum worker"))
        .refuses('t', "an autovacuum worker gives way by itself when somebody needs its lock");
}

#[test]
fn an_autovacuum_against_wraparound_is_not_ended() {
    let urgent = Session {
        query: statement("autovacuum: VACUUM public.orders (to prevent wraparound)"),
        ..kind("autovacuum worker")
    };
    of(urgent).refuses('c', "this vacuum prevents wraparound; it would begin again at once");
}

#[test]
fn a_background_process_is_named_and_not_ended() {
    of(kind("checkpointer")).refuses('t', "this is a checkpointer, not a session of a client");
}

#[test]
fn a_superusers_session_is_a_superusers_to_end() {
    let admin = Session { superuser: true, ..session(7) };
    of(admin).refuses('t', "only a superuser may signal a superuser's session");
}

#[test]
fn a_superuser_may_end_a_superusers_session() {
    let mut reading = postgres(vec![Session { superuser: true, ..session(7) }]);
    reading.server.superuser = true;
    assert_eq!(Stage::of(reading).offers(Screen::Queries, &backend_row(7)).open(), "ct");
}

#[test]
fn without_the_right_the_grant_is_named() {
    without_rights(session(7))
        .refuses('t', "watch may not signal the sessions of app; GRANT pg_signal_backend TO watch");
}

#[test]
fn a_session_of_the_same_role_needs_no_grant() {
    let mine = Session { user: "watch".to_owned(), ..session(7) };
    assert_eq!(without_rights(mine).open(), "ct");
}

#[test]
fn a_session_whose_kind_is_hidden_may_be_one_of_a_client() {
    assert_eq!(of(kind("")).open(), "ct");
}

#[test]
fn what_is_late_may_be_otherwise_and_is_not_acted_on() {
    let sentence = "its source is late, and this was so 10 s ago: it may be otherwise now; wait until the source answers again";
    let stage = || Stage::of(postgres(vec![session(7)])).at(FIRST + 10);
    let offers = stage().offers(Screen::Queries, &backend_row(7));
    offers.refuses('c', sentence);
    offers.refuses('t', sentence);
    stage().offers_of(Screen::Queries, &backend_row(7), &[backend_row(7)]).refuses('t', sentence);
    stage().offers(Screen::Health, &pg(orders())).refuses('v', sentence);
}

#[test]
fn lost_data_is_not_acted_on() {
    let offers =
        Stage::of(postgres(vec![session(7)])).at(FIRST + 60).offers(Screen::Queries, &backend_row(7));
    offers.refuses('c', "the data is too old to act on; wait until the source answers again");
    offers.refuses('t', "the data is too old to act on; wait until the source answers again");
}

#[test]
fn to_a_session_that_is_gone_nothing_is_offered() {
    let offers = Stage::of(postgres(vec![session(7)])).offers(Screen::Queries, &backend_row(8));
    assert_eq!(offers.letters(), "");
}

#[test]
fn a_session_is_offered_the_same_on_every_screen() {
    let stage = Stage::of(postgres(vec![session(7)]));
    for screen in [Screen::Blocking, Screen::Queries, Screen::Health] {
        assert_eq!(stage.offers(screen, &backend_row(7)).open(), "ct", "{screen:?}");
    }
}

#[test]
fn the_preview_says_who_and_from_where() {
    let offers = of(session(7));
    assert_eq!(offers.fact('t', "who"), "app on shop, application web");
    assert_eq!(offers.fact('t', "from"), "10.0.0.5");
}

#[test]
fn the_preview_of_a_local_session_names_a_socket() {
    assert_eq!(of(Session { client: String::new(), ..session(7) }).fact('t', "from"), "a local socket");
}

#[test]
fn the_preview_says_since_when() {
    let offers = of(session(7));
    assert_eq!(offers.fact('t', "state"), "active for 5.0 s");
    assert_eq!(offers.fact('t', "transaction"), "open for 8.0 s");
}

#[test]
fn the_preview_of_an_idle_session_has_no_transaction() {
    assert_eq!(of(session_in(7, SessionState::Idle)).fact('t', "transaction"), "none is open");
}

/// What is lost, by whether it has written.
#[track_caller]
fn lost(letter: char, writes: bool, words: &str) {
    assert_eq!(of(Session { writes, ..session(7) }).fact(letter, "lost"), words);
}

#[test]
fn a_cancel_of_a_reader_loses_its_statement() {
    lost('c', false, "the statement fails with an error");
}

#[test]
fn a_cancel_of_a_writer_loses_its_transaction() {
    lost('c', true, "the statement fails; the transaction is aborted, its work so far is lost");
}

#[test]
fn a_terminate_of_a_reader_loses_its_connection() {
    lost('t', false, "nothing was written; its connection is closed");
}

#[test]
fn a_terminate_of_a_writer_rolls_back() {
    lost('t', true, "its uncommitted work is rolled back (that can take as long as the work did)");
}

#[test]
fn the_preview_shows_the_exact_statement() {
    let (_, preview) = of(session(7)).choice('t');
    assert!(preview.statement.contains("WHERE pid = 7 AND"), "{}", preview.statement);
    assert!(preview.statement.contains("1000007"), "{}", preview.statement);
}

#[test]
fn the_keys_that_confirm_differ() {
    let offers = of(session(7));
    assert_eq!((offers.choice('c').1.confirm_key, offers.choice('t').1.confirm_key), ('c', 't'));
}

#[test]
fn one_session_needs_no_typed_word() {
    assert!(!of(session(7)).choice('t').1.severe);
}

#[test]
fn a_very_long_statement_is_quoted_in_part_and_says_so() {
    let long = Session { query: statement(&"x".repeat(5000)), ..session(7) };
    let quoted = of(long).fact('t', "statement");
    assert!(quoted.ends_with("and 3000 more characters (its session, opened, shows all of it)"), "{quoted}");
}

#[test]
fn who_blocks_nobody_releases_nobody() {
    assert_eq!(of(session(7)).fact('t', "released"), "nobody waits behind it");
}

#[test]
fn the_title_counts_who_is_released() {
    let offers = Stage::of(two_behind_one()).offers(Screen::Blocking, &backend_row(10));
    assert_eq!(offers.title('t'), "Terminate pid 10 and release 2 sessions");
    assert_eq!(offers.fact('t', "released"), "at once: pid 20, 30");
}

#[test]
fn the_preview_says_what_it_holds() {
    let offers = Stage::of(two_behind_one()).offers(Screen::Blocking, &backend_row(10));
    assert_eq!(offers.fact('t', "holds"), "ACCESS EXCLUSIVE on relation accounts");
}

#[test]
fn what_is_missing_of_the_locks_makes_the_promise_unsure() {
    let mut reading = two_behind_one();
    if let Part::Ready(locks) = &mut reading.locks {
        locks.missing.push("locks of one table are not read".to_owned());
    }
    let offers = Stage::of(reading).offers(Screen::Blocking, &backend_row(10));
    assert_eq!(offers.fact('t', "not sure"), "locks of one table are not read");
}

#[test]
fn who_stops_a_queue_is_offered_to_be_cancelled_first() {
    let offers = Stage::of(migration()).offers(Screen::Blocking, &backend_row(30));
    assert_eq!(offers.letters(), "dct");
    assert_eq!(offers.offer('d').label, "cancel pid 20, which waits and stops the queue");
    assert_eq!(offers.offer('d').effect, "releases 1 session at once; who holds the lock goes on");
}

#[test]
fn who_stops_the_queue_itself_has_no_second_offer_for_that() {
    let offers = Stage::of(migration()).offers(Screen::Blocking, &backend_row(20));
    assert_eq!(offers.letters(), "ct");
}

#[test]
fn a_prepared_transaction_is_ended_by_its_owner_only() {
    let offers =
        Stage::of(behind_prepared()).offers(Screen::Blocking, &RowKey::prepared(&target("pg"), "tx's"));
    offers.refuses(
        'r',
        "a prepared transaction has no process that could be signalled; run in database shop, as app or a superuser: \
         ROLLBACK PREPARED 'tx''s' (or COMMIT PREPARED 'tx''s')",
    );
}

#[test]
fn a_prepared_transaction_that_is_not_known_says_where_to_look() {
    let offers = Stage::of(two_behind_one()).offers(Screen::Blocking, &RowKey::prepared(&target("pg"), "tx"));
    offers.refuses(
        'r',
        "a prepared transaction has no process that could be signalled; look for it in pg_prepared_xacts",
    );
}

#[test]
fn a_prepared_transaction_is_found_by_the_look_at_health_too() {
    let prepared = vec![("tx1".to_owned(), "app".to_owned(), "shop".to_owned(), secs(60))];
    let health = Health { prepared: Part::Ready(prepared), ..Health::default() };
    let reading = PostgresReading { health: ready(health), ..postgres(Vec::new()) };
    let offers = Stage::of(reading).offers(Screen::Blocking, &RowKey::prepared(&target("pg"), "tx1"));
    let refusal = offers.offer('r').choice.clone().expect_err("it is refused");
    assert!(refusal.sentence().contains("ROLLBACK PREPARED 'tx1'"), "{}", refusal.sentence());
}

#[test]
fn a_process_that_is_gone_cannot_be_acted_on() {
    assert_eq!(Stage::of(two_behind_one()).offers(Screen::Blocking, &pg(PgRow::Gone(10))).letters(), "");
}

/// Marked sessions 1, 2, … on the queries screen.
fn marked(sessions: Vec<Session>) -> Offers {
    let rows: Vec<RowKey> =
        sessions.iter().map(|session| RowKey::backend(&target("pg"), session.id)).collect();
    let row = rows[0].clone();
    Stage::of(postgres(sessions)).offers_of(Screen::Queries, &row, &rows)
}

#[test]
fn marked_sessions_are_acted_on_together() {
    let offers = marked(vec![session(1), session(2)]);
    assert_eq!(offers.title('t'), "Terminate 2 backends");
    assert_eq!(offers.title('c'), "Cancel the queries of 2 backends");
}

#[test]
fn one_marked_session_is_one_backend() {
    let offers = marked(vec![session(1)]);
    assert_eq!(offers.title('t'), "Terminate 1 backend");
    assert_eq!(offers.title('c'), "Cancel the query of 1 backend");
    assert!(offers.choice('t').1.statement.starts_with("for each of 1 backend: "));
}

#[test]
fn several_at_once_need_a_typed_word_and_one_does_not() {
    assert!(marked(vec![session(1), session(2)]).choice('t').1.severe);
    assert!(!marked(vec![session(1)]).choice('t').1.severe);
}

#[test]
fn marked_sessions_that_may_not_be_signalled_are_left_out_and_named() {
    let offers = marked(vec![session(1), Session { backend_type: "walsender".to_owned(), ..session(2) }]);
    assert_eq!(offers.title('t'), "Terminate 1 backend");
    assert_eq!(offers.fact('t', "left out"), "pid 2: this feeds a copy: ending it breaks replication");
}

#[test]
fn marked_sessions_of_which_none_may_be_signalled_are_refused_with_each_reason() {
    let own = |pid| Session { application: "stacktop".to_owned(), ..session(pid) };
    marked(vec![own(1), own(2)]).refuses(
        't',
        "pid 1: this is a connection of stacktop itself; pid 2: this is a connection of stacktop itself",
    );
}

#[test]
fn each_marked_session_is_named_with_what_it_does() {
    let offers = marked(vec![Session { writes: true, ..session(1) }, session(2)]);
    assert_eq!(offers.fact('t', "pid 1"), "app as web, active for 5.0 s, has written");
    assert_eq!(offers.fact('t', "pid 2"), "app as web, active for 5.0 s");
}

#[test]
fn an_idle_session_among_the_marked_is_ended_only_while_it_is_idle() {
    let offers = marked(vec![session(1), session_in(2, SessionState::Idle)]);
    let PgAction::Several { backends, terminate: true, .. } = act(&offers, 't') else { panic!("several") };
    assert_eq!(backends.iter().map(|(_, pinned)| *pinned).collect::<Vec<_>>(), [None, Some(7_000)]);
}

#[test]
fn marked_sessions_that_are_gone_are_refused() {
    let stage = Stage::of(postgres(vec![session(1)]));
    let gone = [backend_row(8), backend_row(9)];
    stage
        .offers_of(Screen::Queries, &gone[0], &gone)
        .refuses('t', "none of the marked sessions is there any more");
}

#[test]
fn marks_on_another_server_are_not_acted_on_from_this_row() {
    use stacktop::core::ids::SystemKind;
    let both = [("pg", SystemKind::Postgres), ("pg-2", SystemKind::Postgres)];
    let stage = Stage::with(&both).then(FIRST, "pg", postgres(vec![session(1)])).then(
        FIRST,
        "pg-2",
        postgres(vec![session(2)]),
    );
    let other = RowKey::backend(&target("pg-2"), session(2).id);
    let offers = stage.offers_of(Screen::Queries, &backend_row(1), &[backend_row(1), other]);
    assert_eq!(offers.title('t'), "Terminate 1 backend");
}

fn group(state: SessionState) -> PgRow {
    PgRow::ClientGroup(ClientGroup {
        application: "web".to_owned(),
        user: "app".to_owned(),
        client: "10.0.0.5".to_owned(),
        database: "shop".to_owned(),
        state: state.words(),
    })
}

#[test]
fn a_group_of_connections_is_ended_together() {
    let idle = |pid| session_in(pid, SessionState::Idle);
    let offers = on_health(postgres(vec![idle(1), idle(2), session(3)]), group(SessionState::Idle));
    assert_eq!(offers.offer('t').label, "terminate 2 sessions");
    assert_eq!(offers.title('t'), "Terminate 2 backends");
}

#[test]
fn a_group_of_one_is_one_session() {
    let offers = on_health(postgres(vec![session(3)]), group(SessionState::Active));
    assert_eq!(offers.offer('t').label, "terminate 1 session");
    assert_eq!(offers.offer('c').label, "cancel what 1 session runs");
}

#[test]
fn a_group_of_idle_connections_runs_nothing_to_be_cancelled() {
    let offers = on_health(postgres(vec![session_in(1, SessionState::Idle)]), group(SessionState::Idle));
    assert_eq!(offers.open(), "t");
}

#[test]
fn a_table_may_be_analyzed_or_vacuumed() {
    assert_eq!(on_health(postgres(Vec::new()), orders()).open(), "av");
}

#[test]
fn an_index_may_be_rebuilt() {
    assert_eq!(on_health(postgres(Vec::new()), PgRow::Index("public.i".to_owned())).open(), "i");
}

#[test]
fn a_rebuilt_index_says_what_a_break_would_leave() {
    let offers = on_health(postgres(Vec::new()), PgRow::Index("public.i".to_owned()));
    assert!(offers.fact('i', "then").starts_with("stopped half way it leaves an invalid index behind"));
}

#[test]
fn a_vacuum_says_which_lock_it_takes_at_its_end() {
    let offers = on_health(postgres(Vec::new()), orders());
    assert!(
        offers.fact('v', "locks").contains("At its end ACCESS EXCLUSIVE"),
        "{}",
        offers.fact('v', "locks")
    );
}

#[test]
fn upkeep_names_the_database_that_it_is_in() {
    assert_eq!(on_health(postgres(Vec::new()), orders()).fact('a', "database"), "shop");
}

#[test]
fn on_a_standby_nothing_is_changed() {
    let mut reading = postgres(Vec::new());
    reading.server.in_recovery = true;
    on_health(reading, orders())
        .refuses('a', "this is a standby: nothing can be changed here; do it on its primary");
}

#[test]
fn upkeep_of_a_server_that_never_answered_is_refused_as_such() {
    use stacktop::core::ids::SystemKind;
    Stage::silent(SystemKind::Postgres)
        .offers(Screen::Health, &pg(orders()))
        .refuses('a', "nothing was read of this server yet");
}

#[test]
fn upkeep_on_lost_data_is_refused() {
    Stage::of(postgres(Vec::new()))
        .at(FIRST + 60)
        .offers(Screen::Health, &pg(orders()))
        .refuses('v', "the data is too old to act on; wait until the source answers again");
}

#[test]
fn the_counters_of_statements_are_reset_only_with_a_typed_word() {
    let statement = PgRow::Statement(StatementKey { user: 1, database: 1, query: 1, toplevel: true });
    let offers = Stage::of(postgres(Vec::new())).offers(Screen::Queries, &pg(statement));
    assert!(offers.choice('z').1.severe);
    assert_eq!(offers.choice('z').1.statement, "SELECT pg_stat_statements_reset()");
}

#[test]
fn to_a_database_a_slot_and_a_pool_nothing_is_offered() {
    for row in [
        PgRow::Database("shop".to_owned()),
        PgRow::Slot("s".to_owned()),
        PgRow::Pool("shop".to_owned(), "app".to_owned()),
        PgRow::Vacuum(7),
    ] {
        assert_eq!(on_health(postgres(Vec::new()), row.clone()).letters(), "", "{row:?}");
    }
}

#[test]
fn locks_that_could_not_be_read_promise_nothing() {
    let reading = PostgresReading { locks: gap("no right"), ..postgres(vec![session(7)]) };
    let mut waits = reading.clone();
    waits.server.reads_all_stats = false;
    let offers = Stage::of(waits).offers(Screen::Queries, &backend_row(7));
    assert_eq!(offers.fact('t', "released"), "not known: no right");
}
