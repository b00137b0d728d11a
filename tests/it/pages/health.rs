//! Is the database well: connections, counters, wraparound, the archiver, vacuums, the pooler, and who uses the connections.

use super::world::{FIRST, Page, Stage, gap, postgres, ready, secs, session, session_in, target, warm};
use stacktop::core::part::Part;
use stacktop::core::place::Screen;
use stacktop::core::postgres::{
    Archiver, DatabaseCounters, Health, PgRow, Pool, PooledDatabase, Pooler, PostgresReading, Session,
    SessionState, Slots, VacuumProgress,
};
use stacktop::core::row::RowKey;
use stacktop::ui::content::Role;
use std::collections::BTreeMap;

fn page(reading: PostgresReading) -> Page {
    Stage::of(reading).page(Screen::Health)
}

fn quiet() -> PostgresReading {
    postgres(Vec::new())
}

fn health() -> Health {
    Health::default()
}

fn with(health: Health) -> PostgresReading {
    PostgresReading { health: ready(health), ..quiet() }
}

fn slots(used: i64) -> PostgresReading {
    let slots = Slots { max: 103, reserved: 3, used, ..Slots::default() };
    PostgresReading { slots: Part::Ready(slots), ..quiet() }
}

fn database(counters: DatabaseCounters) -> PostgresReading {
    PostgresReading { databases: Part::Ready(vec![counters]), ..quiet() }
}

fn shop() -> DatabaseCounters {
    DatabaseCounters { name: "shop".to_owned(), ..DatabaseCounters::default() }
}

fn pooled(pool: Pool, database: &PooledDatabase) -> PostgresReading {
    let pooler = Pooler {
        address: "127.0.0.1:6432".to_owned(),
        pools: vec![Pool { database: "shop".to_owned(), user: "app".to_owned(), ..pool }],
        databases: vec![PooledDatabase { name: "shop".to_owned(), pool_size: 20, ..database.clone() }],
        clients: warm(BTreeMap::new()),
    };
    PostgresReading { pooler: ready(pooler), ..quiet() }
}

fn clients() -> RowKey {
    RowKey::Postgres(target("pg"), PgRow::Clients)
}

#[test]
fn without_a_target_it_says_so() {
    Stage::empty().page(Screen::Health).says("no Postgres target is configured");
}

#[test]
fn one_reading_gives_no_rate_and_no_zero() {
    let page = page(quiet());
    page.says("transactions    —");
    page.says("rolled back     —");
    page.says("deadlocks       —");
}

#[test]
fn few_reads_say_nothing_about_the_cache() {
    page(quiet()).says("cache hits      — (too few reads)");
}

#[test]
fn transactions_are_told_per_second() {
    let at = |commits| database(DatabaseCounters { commits, ..shop() });
    Stage::of(at(0.0)).then(FIRST + 10, "pg", at(200.0)).page(Screen::Health).says("transactions    20/s");
}

#[test]
fn deadlocks_are_counted_over_the_window_and_are_no_rate() {
    let at = |deadlocks| database(DatabaseCounters { deadlocks, ..shop() });
    let page = Stage::of(at(1.0)).then(FIRST + 30, "pg", at(4.0)).page(Screen::Health);
    page.says("deadlocks       3 in the last minute");
}

#[test]
fn cache_hits_are_a_share_of_what_was_read() {
    let at = |hit, read| database(DatabaseCounters { blocks_hit: hit, blocks_read: read, ..shop() });
    let page = Stage::of(at(0.0, 0.0)).then(FIRST + 10, "pg", at(9000.0, 1000.0)).page(Screen::Health);
    page.says("cache hits      90 %");
}

#[test]
fn connections_are_counted_against_what_ordinary_roles_can_use() {
    page(slots(50)).says("50 of 100 usable, 50 %");
}

#[test]
fn connections_that_are_nearly_used_up_are_critical() {
    assert_eq!(page(slots(99)).tone("99 of 100 usable"), Role::Critical);
}

#[test]
fn connections_that_may_not_be_read_say_why() {
    let reading = PostgresReading { slots: gap("max_connections: no right"), ..quiet() };
    page(reading).says("connections     max_connections: no right");
}

#[test]
fn connections_that_were_not_asked_for_are_a_dash() {
    page(quiet()).says("connections     —");
}

#[test]
fn an_archiver_that_works_is_told_with_its_numbers() {
    let archiver = Archiver {
        on: true,
        archived: 12.0,
        last_archived_seconds: Some(30.0),
        failed: 2.0,
        last_failed_seconds: Some(7200.0),
        ..Archiver::default()
    };
    let page = page(with(Health { archiver: Part::Ready(archiver), ..health() }));
    page.says("12 archived, the last 30 s ago; 2 failed, the last 2h00m ago");
    assert_eq!(page.tone("12 archived"), Role::Text);
}

#[test]
fn an_archiver_that_never_failed_has_no_last_failure() {
    let archiver =
        Archiver { on: true, archived: 12.0, last_archived_seconds: Some(30.0), ..Archiver::default() };
    let page = page(with(Health { archiver: Part::Ready(archiver), ..health() }));
    page.says("12 archived, the last 30 s ago; 0 failed");
    page.says_not("— ago");
}

#[test]
fn an_archiver_whose_last_try_failed_is_critical() {
    let archiver = Archiver {
        on: true,
        last_archived_seconds: Some(300.0),
        failed: 1.0,
        last_failed_seconds: Some(3.0),
        ..Archiver::default()
    };
    let page = page(with(Health { archiver: Part::Ready(archiver), ..health() }));
    assert_eq!(page.tone("1 failed"), Role::Critical);
}

#[test]
fn an_archiver_without_a_command_says_so() {
    let archiver = Archiver { on: true, no_command: true, ..Archiver::default() };
    page(with(Health { archiver: Part::Ready(archiver), ..health() })).says("no command is set");
}

#[test]
fn a_server_that_does_not_archive_shows_no_archiver() {
    let archiver = Archiver { on: false, ..Archiver::default() };
    page(with(Health { archiver: Part::Ready(archiver), ..health() })).says_not("archiver");
}

#[test]
fn a_prepared_transaction_is_told_with_owner_and_age() {
    let prepared = vec![("tx1".to_owned(), "app".to_owned(), "shop".to_owned(), secs(3600))];
    page(with(Health { prepared: Part::Ready(prepared), ..health() }))
        .says("prepared        tx1 by app in shop, 1h00m old");
}

#[test]
fn health_that_may_not_be_read_says_why() {
    page(PostgresReading { health: gap("pg_stat_wal: no right"), ..quiet() }).says("pg_stat_wal: no right");
}

#[test]
fn a_database_counts_its_sessions() {
    let mut reading = database(shop());
    reading.sessions = Part::Ready(vec![session(1), session(2)]);
    assert_eq!(page(reading).cell("shop", "backends"), "2");
}

#[test]
fn sessions_that_were_not_read_leave_a_dash_at_their_database() {
    let mut reading = database(shop());
    reading.sessions = gap("no right");
    let page = page(reading);
    assert_eq!((page.cell("shop", "backends"), page.number("shop", "backends")), ("—".to_owned(), None));
}

#[test]
fn what_all_databases_share_has_a_name_and_no_sessions() {
    let page = page(database(DatabaseCounters::default()));
    assert_eq!(page.cell("(shared objects)", "backends"), "—");
}

#[test]
fn checksums_that_are_off_are_a_dash_and_no_zero() {
    assert_eq!(page(database(shop())).cell("shop", "checksum errors"), "—");
}

#[test]
fn a_checksum_error_is_critical() {
    let page = page(database(DatabaseCounters { checksum_failures: Some(1.0), ..shop() }));
    assert_eq!(page.role("shop", "checksum errors"), Role::Critical);
}

#[test]
fn the_way_to_wraparound_is_a_share_of_all_ids() {
    let page = page(database(DatabaseCounters { xid_age: Some(1_073_741_824), ..shop() }));
    assert_eq!(page.cell("shop", "to wraparound"), "50 %");
}

#[test]
fn the_way_to_a_forced_vacuum_follows_the_setting() {
    let mut reading = database(DatabaseCounters { xid_age: Some(100_000_000), ..shop() });
    reading.health = ready(Health { freeze_max_age: Some(400_000_000.0), ..health() });
    assert_eq!(page(reading).cell("shop", "to forced vacuum"), "25 %");
}

#[test]
fn an_age_that_is_not_known_is_a_dash_everywhere() {
    let page = page(database(shop()));
    let cells = ["xid age", "to wraparound", "to forced vacuum"].map(|column| page.cell("shop", column));
    assert_eq!(cells, ["—", "—", "—"]);
}

#[test]
fn databases_that_may_not_be_read_say_why() {
    page(PostgresReading { databases: gap("pg_stat_database: no right"), ..quiet() })
        .says("pg_stat_database: no right");
}

#[test]
fn a_vacuum_under_way_shows_how_far_it_is() {
    let vacuum = VacuumProgress {
        pid: 77,
        database: "shop".to_owned(),
        table: "orders".to_owned(),
        phase: "scanning heap".to_owned(),
        scanned_ratio: Some(0.25),
    };
    let page = page(with(Health { vacuums: Part::Ready(vec![vacuum]), ..health() }));
    assert_eq!(page.row("77"), ["77", "shop", "orders", "scanning heap", "25 %"]);
}

#[test]
fn a_vacuum_of_a_table_of_unknown_size_shows_a_dash() {
    let vacuum = VacuumProgress { pid: 77, ..VacuumProgress::default() };
    let page = page(with(Health { vacuums: Part::Ready(vec![vacuum]), ..health() }));
    assert_eq!(page.cell("77", "scanned"), "—");
}

#[test]
fn no_vacuum_has_no_section() {
    page(with(Health { vacuums: Part::Ready(Vec::new()), ..health() })).says_not("Vacuum under way");
}

#[test]
fn a_pool_shows_who_waits_and_for_how_long() {
    let pool = Pool { clients_waiting: 4, longest_wait: secs(20), servers_active: 20, ..Pool::default() };
    let page = page(pooled(pool, &PooledDatabase::default()));
    assert_eq!(
        (page.cell("app", "waiting"), page.cell("app", "longest")),
        ("4".to_owned(), "20 s".to_owned())
    );
}

#[test]
fn a_pool_in_which_nobody_waits_warns_of_nothing() {
    assert_eq!(page(pooled(Pool::default(), &PooledDatabase::default())).role("app", "waiting"), Role::Text);
}

#[test]
fn a_pool_says_how_much_of_it_is_in_use() {
    let pool = Pool { servers_active: 10, ..Pool::default() };
    assert_eq!(page(pooled(pool, &PooledDatabase::default())).cell("app", "in use"), "50 %");
}

#[test]
fn a_paused_database_of_the_pooler_says_that_clients_wait() {
    let paused = PooledDatabase { paused: true, ..PooledDatabase::default() };
    page(pooled(Pool::default(), &paused)).says("database shop is paused: its clients wait");
}

#[test]
fn a_disabled_database_of_the_pooler_is_named() {
    let disabled = PooledDatabase { disabled: true, ..PooledDatabase::default() };
    page(pooled(Pool::default(), &disabled)).says("database shop is disabled");
}

#[test]
fn a_pooler_that_does_not_answer_says_why() {
    page(PostgresReading { pooler: gap("PgBouncer: connection refused"), ..quiet() })
        .says("PgBouncer: connection refused");
}

#[test]
fn without_a_pooler_there_is_no_section_for_one() {
    page(quiet()).says_not("PgBouncer");
}

#[test]
fn the_row_of_the_connections_counts_idle_ones() {
    let reading =
        postgres(vec![session(1), session_in(2, SessionState::Idle), session_in(3, SessionState::Idle)]);
    page(reading).says("3 sessions, 2 idle: by application, client and state, to be ended together");
}

#[test]
fn one_session_is_no_sessions() {
    page(postgres(vec![session(1)])).says("1 session, 0 idle");
}

#[test]
fn where_states_are_hidden_nobody_is_said_to_be_busy() {
    let hidden = |pid| Session { backend_type: String::new(), ..session_in(pid, SessionState::Unknown) };
    let mut reading = postgres(vec![hidden(1), hidden(2)]);
    reading.server.reads_all_stats = false;
    let page = page(reading);
    page.says("2 sessions: by application");
    page.says_not("0 idle");
}

#[test]
fn sessions_that_cannot_be_read_are_no_zero_of_connections() {
    page(PostgresReading { sessions: gap("no right"), ..quiet() }).says("sessions cannot be read");
}

#[test]
fn connections_are_grouped_the_largest_first() {
    let job = |pid| Session { application: "jobs".to_owned(), ..session_in(pid, SessionState::Idle) };
    let page = Stage::of(postgres(vec![session(1), job(2), job(3)])).opened(Screen::Health, &[clients()]);
    assert_eq!(page.firsts(), ["2", "1"]);
}

#[test]
fn who_has_no_application_name_is_grouped_as_such() {
    let nameless = Session { application: String::new(), ..session(1) };
    Stage::of(postgres(vec![nameless])).opened(Screen::Health, &[clients()]).says("(no application name)");
}

#[test]
fn a_group_shows_the_longest_time_in_its_state() {
    let old = Session { state_age: Some(secs(90)), ..session(2) };
    let page = Stage::of(postgres(vec![session(1), old])).opened(Screen::Health, &[clients()]);
    assert_eq!(page.cell("web", "longest"), "1m30s");
}

#[test]
fn a_local_group_says_where_it_is_from() {
    let local = Session { client: String::new(), ..session(1) };
    let page = Stage::of(postgres(vec![local])).opened(Screen::Health, &[clients()]);
    assert_eq!(page.cell("web", "client"), "local, or not told");
}

#[test]
fn connections_in_use_stand_above_the_groups() {
    Stage::of(slots(50)).opened(Screen::Health, &[clients()]).says("50 of 100 usable connections in use");
}

#[test]
fn an_opened_group_lists_its_sessions() {
    let stage = Stage::of(postgres(vec![session(1), session_in(2, SessionState::Idle)]));
    let group = stage.opened(Screen::Health, &[clients()]).key("idle");
    assert_eq!(stage.opened(Screen::Health, &[clients(), group]).firsts(), ["2"]);
}

#[test]
fn old_numbers_are_drawn_as_old() {
    let page = Stage::of(slots(5)).at(FIRST + 10).page(Screen::Health);
    assert_eq!(page.tone("5 of 100 usable"), Role::Stale);
}
