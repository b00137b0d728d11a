//! Tables that are read only while somebody looks: topics, the team's own panels, plans.

use super::world::{FIRST, Page, Stage, gap, postgres, target};
use stacktop::core::focus::Focus;
use stacktop::core::ids::SystemKind;
use stacktop::core::part::{Part, Warm};
use stacktop::core::place::Screen;
use stacktop::core::postgres::PostgresSettings;
use stacktop::core::postgres::{
    Look, Looked, PgRow, Planned, PostgresReading, SqlPanel, SqlTable, TOPICS, Watched,
};
use stacktop::core::prometheus::{PrometheusReading, RangeReading};
use stacktop::core::row::RowKey;
use stacktop::core::settings::SystemSettings;
use stacktop::core::sizes::SizesAt;
use stacktop::core::time::Now;
use stacktop::ui::content::Role;
use std::collections::BTreeMap;
use std::time::Duration;

fn look_row(look: Look) -> RowKey {
    RowKey::Postgres(target("pg"), PgRow::Look(look))
}

fn topic(id: &str) -> Look {
    Look::Topic(id.to_owned())
}

fn panel(name: &str) -> Look {
    Look::Panel(name.to_owned())
}

fn table(columns: &[&str], rows: &[&[Option<&str>]]) -> SqlTable {
    SqlTable {
        at: Now::example(FIRST - 3),
        took: Duration::from_millis(12),
        place: String::new(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows: rows.iter().map(|row| row.iter().map(|cell| cell.map(str::to_owned)).collect()).collect(),
        truncated: false,
    }
}

fn looked(look: Look, table: Part<SqlTable>) -> PostgresReading {
    let looked = Looked { look, table, asking: false };
    PostgresReading { looks: vec![looked], ..postgres(Vec::new()) }
}

/// A topic opened, with what was read of it.
fn opened(id: &str, found: SqlTable) -> Page {
    let reading = looked(topic(id), Part::Ready(found));
    Stage::of(reading).opened(Screen::Health, &[look_row(topic(id))])
}

/// Where the team has a panel `stuck` of its own, with thresholds on `orders`.
fn staged(reading: PostgresReading) -> Stage {
    let panel_of = SqlPanel {
        name: "stuck".to_owned(),
        sort: Some("orders".to_owned()),
        thresholds: BTreeMap::from([("orders".to_owned(), (Some(5.0), Some(50.0)))]),
        ..SqlPanel::default()
    };
    let settings = PostgresSettings { panels: vec![panel_of], ..PostgresSettings::default() };
    Stage::configured(SystemSettings::Postgres(settings), reading)
}

fn stuck(found: Part<SqlTable>) -> PostgresReading {
    looked(panel("stuck"), found)
}

fn orders(values: &[&str]) -> SqlTable {
    let rows: Vec<Vec<Option<&str>>> = values.iter().map(|value| vec![Some("x"), Some(*value)]).collect();
    let rows: Vec<&[Option<&str>]> = rows.iter().map(Vec::as_slice).collect();
    table(&["shop", "orders"], &rows)
}

#[test]
fn every_topic_is_on_the_health_screen_with_what_it_answers() {
    let page = Stage::of(postgres(Vec::new())).page(Screen::Health);
    for topic in TOPICS {
        assert_eq!(page.row(topic.title)[1], topic.help);
    }
}

#[test]
fn an_open_topic_is_asked_for() {
    let focus = Stage::of(postgres(Vec::new())).focus(Screen::Health, &[look_row(topic("indexes"))]);
    assert_eq!(focus, [Focus::Look(topic("indexes"))]);
}

#[test]
fn a_closed_topic_is_not() {
    assert_eq!(Stage::of(postgres(Vec::new())).focus(Screen::Health, &[]), []);
}

#[test]
fn what_is_being_read_says_so() {
    Stage::of(postgres(Vec::new()))
        .opened(Screen::Health, &[look_row(topic("indexes"))])
        .says("reading the table");
}

#[test]
fn of_a_held_moment_nothing_is_said_to_be_read() {
    let page = Stage::of(postgres(Vec::new())).held().opened(Screen::Health, &[look_row(topic("indexes"))]);
    page.says("the table: not read at 14:15:0");
    page.says_not("reading the table");
}

#[test]
fn a_topic_that_may_not_be_read_says_why() {
    let reading = looked(topic("bloat"), gap("GRANT pg_read_all_data TO watch"));
    Stage::of(reading)
        .opened(Screen::Health, &[look_row(topic("bloat"))])
        .says("GRANT pg_read_all_data TO watch");
}

#[test]
fn a_table_says_how_old_it_is_and_what_it_cost() {
    opened("sizes", table(&["database"], &[])).says("read 3.0 s ago in 12 ms");
}

#[test]
fn an_empty_table_says_so() {
    opened("sizes", table(&["database"], &[])).says("no row");
}

#[test]
fn a_table_that_was_cut_says_where() {
    let cut = SqlTable { truncated: true, ..table(&["database"], &[&[Some("a")], &[Some("b")]]) };
    opened("sizes", cut).says("the first 2 rows");
}

#[test]
fn a_table_of_another_database_says_which() {
    let there = SqlTable { place: "database shop as app".to_owned(), ..table(&["database"], &[]) };
    opened("sizes", there).says("database shop as app: read 3.0 s ago");
}

#[test]
fn a_table_that_is_asked_again_says_so() {
    let mut reading = looked(topic("sizes"), Part::Ready(table(&["database"], &[])));
    reading.looks[0].asking = true;
    Stage::of(reading).opened(Screen::Health, &[look_row(topic("sizes"))]).says(", asking again");
}

#[test]
fn null_is_a_dash_and_sorts_as_nothing() {
    let page = opened("sizes", table(&["database", "size_bytes"], &[&[Some("shop"), None]]));
    assert_eq!((page.cell("shop", "size"), page.number("shop", "size")), ("—".to_owned(), None));
}

#[test]
fn bytes_are_shown_with_a_unit_and_compared_as_bytes() {
    let page = opened("sizes", table(&["database", "size_bytes"], &[&[Some("shop"), Some("2048")]]));
    assert_eq!(
        (page.cell("shop", "size"), page.number("shop", "size")),
        ("2.0 KiB".to_owned(), Some(2048.0))
    );
}

#[test]
fn seconds_are_shown_as_a_span() {
    let page = opened("sizes", table(&["database", "age_seconds"], &[&[Some("shop"), Some("90")]]));
    assert_eq!(page.cell("shop", "age"), "1m30s");
}

#[test]
fn ratios_are_shown_as_a_share() {
    let page = opened("sizes", table(&["database", "dead_ratio"], &[&[Some("shop"), Some("0.25")]]));
    assert_eq!(page.cell("shop", "dead"), "25 %");
}

#[test]
fn a_problem_is_a_warning() {
    let page = opened("indexes", table(&["index", "problem"], &[&[Some("public.i"), Some("never used")]]));
    assert_eq!(page.role("public.i", "problem"), Role::Warning);
}

#[test]
fn a_vacuum_that_is_overdue_is_a_warning_and_one_that_is_not_is_none() {
    let rows: &[&[Option<&str>]] = &[&[Some("a"), Some("overdue: off")], &[Some("b"), Some("fine")]];
    let page = opened("tables", table(&["table", "vacuum"], rows));
    assert_eq!((page.role("a", "vacuum"), page.role("b", "vacuum")), (Role::Warning, Role::Text));
}

#[test]
fn a_row_of_tables_is_a_table() {
    let page = opened("tables", table(&["table"], &[&[Some("public.orders")]]));
    assert_eq!(
        page.key("public.orders"),
        RowKey::Postgres(target("pg"), PgRow::Table("public.orders".to_owned()))
    );
}

#[test]
fn a_row_of_indexes_is_an_index() {
    let page = opened("indexes", table(&["index"], &[&[Some("public.i")]]));
    assert_eq!(page.key("public.i"), RowKey::Postgres(target("pg"), PgRow::Index("public.i".to_owned())));
}

#[test]
fn the_lines_of_a_plan_keep_their_order() {
    let plan = Look::Plan(Planned { query: 7, user: 1, database: 1 });
    let reading = looked(plan.clone(), Part::Ready(table(&["plan"], &[&[Some("Sort")], &[Some("Scan")]])));
    let page = Stage::of(reading).opened(Screen::Queries, &[look_row(plan)]);
    assert!(page.0.sections[0].table.as_ref().is_some_and(|table| table.fixed_order));
    assert_eq!(page.0.title, "plan of statement 7");
}

#[test]
fn a_panel_that_was_not_read_yet_is_the_teams_own() {
    let mut reading = stuck(Part::NotAsked);
    reading.looks.clear();
    assert_eq!(staged(reading).page(Screen::Health).row("stuck")[1], "a panel of your own");
}

#[test]
fn a_panel_within_its_thresholds_counts_its_rows() {
    let page = staged(stuck(Part::Ready(orders(&["1", "2"])))).page(Screen::Health);
    assert_eq!(page.row("stuck")[1], "2 rows");
}

#[test]
fn a_panel_with_one_row_has_one_row() {
    let page = staged(stuck(Part::Ready(orders(&["1"])))).page(Screen::Health);
    assert_eq!(page.row("stuck")[1], "1 row");
}

#[test]
fn a_panel_at_its_warning_threshold_says_so() {
    let page = staged(stuck(Part::Ready(orders(&["1", "5"])))).page(Screen::Health);
    assert_eq!(page.row("stuck")[1], "above its warning threshold");
}

#[test]
fn the_worst_row_of_a_panel_decides() {
    let page = staged(stuck(Part::Ready(orders(&["7", "50", "1"])))).page(Screen::Health);
    assert_eq!(page.row("stuck")[1], "above its critical threshold");
}

#[test]
fn a_panel_that_fails_says_why() {
    let page = staged(stuck(gap("syntax error"))).page(Screen::Health);
    assert_eq!(page.row("stuck")[1], "syntax error");
}

#[test]
fn a_panel_is_sorted_by_the_column_that_is_configured() {
    let page = staged(stuck(Part::Ready(orders(&["7", "50", "9"]))))
        .opened(Screen::Health, &[look_row(panel("stuck"))]);
    let values: Vec<String> = ["50", "9", "7"].map(str::to_owned).to_vec();
    let table = page.0.sections[0].table.as_ref().expect("a table");
    assert_eq!(table.rows.iter().map(|row| row.cells[1].words().into_owned()).collect::<Vec<_>>(), values);
}

#[test]
fn cells_of_a_panel_have_the_role_of_their_threshold() {
    let page = staged(stuck(Part::Ready(orders(&["7", "50", "1"]))))
        .opened(Screen::Health, &[look_row(panel("stuck"))]);
    let roles = ["50", "7", "1"].map(|value| page.role(value, "orders"));
    assert_eq!(roles, [Role::Critical, Role::Warning, Role::Text]);
}

#[test]
fn the_name_is_what_is_copied_of_a_table() {
    let row = RowKey::Postgres(target("pg"), PgRow::Table("public.orders".to_owned()));
    assert_eq!(Stage::of(postgres(vec![])).copy(Screen::Health, &row), Some("public.orders".to_owned()));
}

#[test]
fn of_a_database_nothing_is_copied() {
    let row = RowKey::Postgres(target("pg"), PgRow::Database("shop".to_owned()));
    assert_eq!(Stage::of(postgres(vec![])).copy(Screen::Health, &row), None);
}

/// Tables of the server as we saw them for two days, one of them at rest, one too small to be told.
#[test]
fn the_largest_tables_tell_what_they_grow_by_and_from_what_that_is_known() {
    let rows: &[&[Option<&str>]] = &[
        &[Some("public.orders"), Some("1073741824"), Some("900000000")],
        &[Some("public.calm"), Some("52428800"), Some("50000000")],
        &[Some("public.held"), None, Some("40000000")],
    ];
    let found = table(&["table", "on_disk_bytes", "table_bytes"], rows);
    let mut reading = looked(topic("largest"), Part::Ready(found.clone()));
    reading.watched =
        vec![Watched { topic: "largest".to_owned(), table: Part::Ready(Warm::new(found.at, found)) }];
    let of = format!("pg.example:1/{}", reading.server.database);
    let mut stage = Stage::of(reading);
    let path = [look_row(topic("largest"))];
    stage.opened(Screen::Health, &path).says("nothing is known to grow by 1 MiB a day or more");
    let now = Now::example(FIRST);
    let half = |half: u64| SizesAt {
        at: now.minus(Duration::from_secs(half * 1800)).wall,
        target: "pg".to_owned(),
        of: of.clone(),
        bytes: BTreeMap::from([
            ("table public.orders".to_owned(), 1_073_741_824 - half * 10_485_760 / 2),
            ("table public.calm".to_owned(), 52_428_800),
        ]),
    };
    stage.world.recall_sizes((1..96).map(half).collect(), now);
    let page = stage.opened(Screen::Health, &path);
    page.says("a day: from 47 h of own samples");
    let a_day = ["public.orders", "public.calm", "public.held"].map(|row| page.cell(row, "a day"));
    assert_eq!(a_day, ["+240 MiB", "—", "—"]);
    assert!(stage.focus(Screen::Health, &path).iter().all(|focus| focus.range().is_none()));
}

/// What a Prometheus remembers of the tables is asked while they are looked at, and told where it is known.
#[test]
fn a_prometheus_is_asked_for_the_tables_that_are_looked_at() {
    let found = table(&["table", "on_disk_bytes"], &[&[Some("public.orders"), Some("1073741824")]]);
    let reading = looked(topic("largest"), Part::Ready(found));
    let database = reading.server.database.clone();
    let both = [("pg", SystemKind::Postgres), ("prom", SystemKind::Prometheus)];
    let stage = Stage::with(&both).then(FIRST, "pg", reading);
    let path = [look_row(topic("largest"))];
    let asked = stage.focus(Screen::Health, &path);
    let ranges: Vec<_> = asked.iter().filter_map(|focus| focus.range()).cloned().collect();
    let range = ranges.into_iter().find(|range| range.expr.contains("pg_stat_user_tables_table_size_bytes"));
    let range = range.expect("it is asked for");
    let values = (0..range.columns()).map(|at| 1e9 + at as f64 * 1_048_576.0).collect();
    let labels = format!("datname={database} relname=orders schemaname=public");
    let ranges = vec![RangeReading { range, series: Part::Ready(vec![(labels, values)]), cut: false }];
    let stage = stage.then(FIRST, "prom", PrometheusReading { ranges, ..PrometheusReading::default() });
    let page = stage.opened(Screen::Health, &path);
    page.says("a day: from six days of a Prometheus");
    assert_eq!(page.cell("public.orders", "a day"), "+40 MiB");
    assert!(
        !stage.focus(Screen::Health, &[look_row(topic("bloat"))]).iter().any(|focus| focus.range().is_some())
    );
}
