//! The listing: which rows a filter leaves, in which order they stand, what is counted and opened, what is marked and by what.

use crate::screens::Drive;
use stacktop::app::command::Command;
use stacktop::app::key::{Code, Key};
use stacktop::app::msg::Msg;
use stacktop::core::ids::TargetId;
use stacktop::core::metrics::MetricsRow;
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;
use stacktop::ui::content::{Cell, Column, Content, Row, Section, Table};
use stacktop::ui::filter::Filter;
use stacktop::ui::select::{Level, Only, View, arrange, counted, shown};

fn key(server: &str, name: &str) -> RowKey {
    RowKey::Metrics(TargetId::new(server), MetricsRow::Family(name.to_owned()))
}

/// name, user, age in seconds, size in bytes, share.
type Line<'a> = (&'a str, &'a str, Option<f64>, f64, f64);

const LINES: [Line; 5] = [
    ("a", "shop", Some(2.0), 500.0, 0.1),
    ("b", "Shopper", Some(90.0), 2_000_000.0, 0.5),
    ("c", "billing", None, 0.0, 0.9),
    ("d", "", Some(5.0), 1_000_000.0, 0.2),
    ("e", "shop", Some(7200.0), 3e9, 0.25),
];

fn table(server: &str, lines: &[Line]) -> Table {
    let row = |(name, user, age, size, share): &Line| {
        let cells = vec![
            Cell::text(name),
            Cell::text(user),
            Cell::number(*age, age.map_or("—".to_owned(), |age| format!("{age} s"))),
            Cell::number(Some(*size), format!("{size} B")),
            Cell::number(Some(*share), format!("{share}")),
        ];
        Row::flat(key(server, name), cells)
    };
    let columns = vec![
        Column::fixed("name", 4, 0),
        Column::flex("user", 4, 0),
        Column::number("age now", 4, 0),
        Column::number("size", 4, 0),
        Column::number("share", 4, 0),
    ];
    Table { columns, rows: lines.iter().map(row).collect(), ..Table::default() }
}

fn content() -> Content {
    Content { title: String::new(), sections: vec![Section::table("Sessions", table("pg", &LINES))] }
}

fn names(content: &Content, level: &Level) -> String {
    shown(content, level).iter().map(|row| row.cells[0].words()).collect()
}

/// The rows that `filter` leaves.
#[track_caller]
fn leaves(filter: &str, expected: &str) {
    let level = Level { filter: filter.to_owned(), ..Level::default() };
    assert_eq!(names(&content(), &level), expected, "{filter}");
}

/// What is wrong with a filter.
#[track_caller]
fn mistake(filter: &str, words: &str) {
    let found = Filter::parse(filter).mistake(&content());
    assert!(found.as_deref().is_some_and(|found| found.contains(words)), "{filter}: {found:?}");
}

fn sorted(column: usize, descending: bool) -> Level {
    let view = View { sort: Some((column, descending)), ..View::default() };
    Level { views: [("Sessions/name".to_owned(), view)].into(), ..Level::default() }
}

fn by(column: usize) -> Level {
    Level { counted: true, ..sorted(column, false) }
}

#[test]
fn no_filter_leaves_every_row() {
    leaves("", "abcde");
}

#[test]
fn blanks_are_no_filter() {
    leaves("   ", "abcde");
}

#[test]
fn a_word_is_looked_for_in_every_cell() {
    leaves("shop", "abe");
    leaves("90", "b");
}

#[test]
fn case_is_nothing_to_a_filter() {
    leaves("SHOP", "abe");
    leaves("user=SHOP", "ae");
}

#[test]
fn two_words_must_both_be_there() {
    leaves("shop 7200", "e");
}

#[test]
fn an_exclamation_mark_leaves_what_does_not_hold_the_word() {
    leaves("!shop", "cd");
}

#[test]
fn an_exclamation_mark_alone_is_text() {
    leaves("!", "");
}

#[test]
fn equals_compares_whole_values() {
    leaves("user=shop", "ae");
}

#[test]
fn equals_nothing_leaves_rows_without_a_value() {
    leaves("user=", "d");
}

#[test]
fn unequal_leaves_the_others() {
    leaves("user!=shop", "bcd");
}

#[test]
fn a_tilde_looks_into_one_column() {
    leaves("user~hop", "abe");
}

#[test]
fn above_compares_numbers_and_not_texts() {
    leaves("age>5", "be");
}

#[test]
fn at_least_takes_the_limit_too() {
    leaves("age>=5", "bde");
}

#[test]
fn below_and_at_most_do_the_same_downwards() {
    leaves("age<5", "a");
    leaves("age<=5", "ad");
}

#[test]
fn what_has_no_number_is_neither_above_nor_below() {
    leaves("age>0", "abde");
    leaves("age<100000", "abde");
}

#[test]
fn spans_have_units() {
    leaves("age>1m", "be");
    leaves("age>1.5h", "e");
    leaves("age<5000ms", "a");
    leaves("age<0.1d", "abde");
}

#[test]
fn sizes_have_units_by_thousands_and_by_1024() {
    leaves("size>1MB", "be");
    leaves("size>=1MB", "bde");
    leaves("size>1MiB", "be");
    leaves("size>2GiB", "e");
    leaves("size<1kB", "ac");
}

#[test]
fn shares_are_compared_in_percent() {
    leaves("share>=25%", "bce");
    leaves("share<25%", "ad");
}

#[test]
fn a_unit_may_be_written_in_any_case_where_it_is_one_unit() {
    leaves("size>1mb", "be");
}

#[test]
fn a_column_may_be_called_by_its_beginning() {
    leaves("us=shop", "ae");
}

#[test]
fn a_beginning_of_two_columns_names_neither() {
    leaves("s>0", "");
    mistake("s>0", "no column is called s");
}

#[test]
fn blanks_in_a_heading_may_be_left_out() {
    leaves("agenow>5", "be");
}

#[test]
fn quotes_keep_words_together() {
    leaves("\"7200 s\"", "e");
}

#[test]
fn what_is_quoted_as_a_whole_is_text_whatever_stands_in_it() {
    leaves("\"user=shop\"", "");
}

#[test]
fn a_value_may_be_quoted() {
    leaves("user=\"shop\"", "ae");
}

#[test]
fn a_quote_that_is_not_closed_lasts_to_the_end() {
    leaves("\"7200 s", "e");
}

#[test]
fn a_column_that_is_not_there_leaves_nothing_and_is_a_mistake_that_names_those_that_are() {
    leaves("usr=shop", "");
    mistake("usr=shop", "no column is called usr; there are name, user, age now, size, share");
}

#[test]
fn a_number_that_is_none_is_a_mistake() {
    leaves("age>old", "");
    mistake("age>old", "old is no number with a unit that is known");
}

#[test]
fn an_unknown_unit_is_a_mistake() {
    mistake("age>5parsecs", "5parsecs is no number with a unit that is known");
}

#[test]
fn a_comparison_with_nothing_asks_with_what() {
    mistake("age>", "age> what? for example age>5");
}

#[test]
fn a_filter_that_holds_for_nothing_is_no_mistake() {
    assert_eq!(Filter::parse("user=nobody").mistake(&content()), None);
}

#[test]
fn filters_by_value_are_exact_and_those_by_text_are_not() {
    let exact = |text: &str| Filter::parse(text).is_exact();
    assert!(exact("user=shop") && exact("age>5s share<5%") && exact(""));
    assert!(
        !exact("shop") && !exact("user~shop") && !exact("!shop") && !exact("user=shop x") && !exact("age>x")
    );
}

#[test]
fn a_filter_is_about_every_table_that_has_the_column() {
    let mut both = content();
    both.sections.push(Section::table("More", table("pg-2", &[("z", "shop", None, 0.0, 0.0)])));
    let level = Level { filter: "user=shop".to_owned(), ..Level::default() };
    assert_eq!(names(&both, &level), "aez");
}

#[test]
fn a_table_without_the_column_leaves_nothing_to_that_filter() {
    let mut both = content();
    let other = Table {
        columns: vec![Column::fixed("slot", 4, 0)],
        rows: vec![Row::flat(key("pg", "slot-1"), vec![Cell::text("slot-1")])],
        ..Table::default()
    };
    both.sections.push(Section::table("Slots", other));
    let level = Level { filter: "user=shop".to_owned(), ..Level::default() };
    assert_eq!(names(&both, &level), "ae");
}

#[test]
fn without_a_sort_the_order_is_the_panels_own() {
    assert_eq!(names(&content(), &Level::default()), "abcde");
}

#[test]
fn numbers_sort_as_numbers() {
    assert_eq!(names(&content(), &sorted(3, true)), "ebdac");
    assert_eq!(names(&content(), &sorted(3, false)), "cadbe");
}

#[test]
fn what_has_no_value_stands_last_whichever_way_it_is_sorted() {
    assert_eq!(names(&content(), &sorted(2, true)), "ebdac");
    assert_eq!(names(&content(), &sorted(2, false)), "adbec");
}

#[test]
fn texts_sort_without_their_case() {
    assert_eq!(names(&content(), &sorted(1, false)).replace('d', ""), "caeb");
}

#[test]
fn rows_of_one_value_keep_their_order() {
    let level = sorted(1, false);
    let all = names(&content(), &level);
    assert!(all.find('a') < all.find('e'), "{all}");
}

#[test]
fn a_table_whose_order_has_a_meaning_is_not_sorted() {
    let mut fixed = content();
    fixed.sections[0].table.as_mut().expect("a table").fixed_order = true;
    assert_eq!(names(&fixed, &sorted(3, true)), "abcde");
}

#[test]
fn a_column_that_a_table_does_not_have_sorts_nothing() {
    assert_eq!(names(&content(), &sorted(9, true)), "abcde");
}

#[test]
fn sections_keep_their_rows_apart() {
    let mut both = content();
    both.sections.insert(0, Section::lines("Text", Vec::new()));
    let rows = arrange(&both, &Level::default());
    assert_eq!((rows[0].len(), rows[1].len()), (0, 5));
}

fn drawn(content: Content, level: &Level) -> Vec<String> {
    let counted = counted(content, level);
    let rows = shown(&counted, level);
    rows.iter().map(|row| format!("{} {}", row.cells[0].words(), row.cells[1].words())).collect()
}

#[test]
fn rows_are_counted_by_value_the_most_frequent_first() {
    assert_eq!(drawn(content(), &by(1))[0], "shop 2");
}

#[test]
fn values_that_differ_by_case_are_counted_apart() {
    assert!(drawn(content(), &by(1)).contains(&"Shopper 1".to_owned()));
}

#[test]
fn rows_without_a_value_are_counted_as_none() {
    assert!(drawn(content(), &by(1)).contains(&"(none) 1".to_owned()));
}

#[test]
fn only_rows_that_the_filter_leaves_are_counted() {
    let level = Level { filter: "age>5s".to_owned(), ..by(1) };
    assert_eq!(drawn(content(), &level), ["Shopper 1", "shop 1"]);
}

#[test]
fn without_a_sorted_column_nothing_is_counted() {
    let level = Level { counted: true, ..Level::default() };
    assert_eq!(drawn(content(), &level).len(), 5);
}

#[test]
fn a_table_whose_order_has_a_meaning_is_not_counted() {
    let mut fixed = content();
    fixed.sections[0].table.as_mut().expect("a table").fixed_order = true;
    assert_eq!(drawn(fixed, &by(1)).len(), 5);
}

#[test]
fn a_counted_row_opens() {
    let counted = counted(content(), &by(1));
    assert!(counted.sections[0].table.as_ref().expect("a table").rows.iter().all(|row| row.opens));
}

#[test]
fn an_empty_table_that_is_counted_still_says_that_it_is_empty() {
    let mut none = content();
    let table = none.sections[0].table.as_mut().expect("a table");
    table.rows.clear();
    table.empty = "nothing runs".to_owned();
    let counted = counted(none, &by(1));
    assert_eq!(counted.sections[0].table.as_ref().expect("a table").empty, "nothing runs");
}

/// Opens the counted row of `value`: as many as were counted, and these.
#[track_caller]
fn opens(content: &Content, column: usize, filter: &str, value: &str, expected: &str) {
    let mut level = Level { filter: filter.to_owned(), ..by(column) };
    let counts = counted(content.clone(), &level);
    let rows = shown(&counts, &level);
    let row = rows.iter().find(|row| row.cells[0].words() == value).expect("it is counted");
    let (only, count) =
        (Only::of(&row.key).expect("it stands for several"), row.cells[1].words().into_owned());
    level.only.push(only);
    level.counted = false;
    assert_eq!(names(content, &level), expected);
    assert_eq!(shown(content, &level).len().to_string(), count);
}

#[test]
fn opening_a_count_lists_exactly_what_it_counted() {
    opens(&content(), 1, "", "shop", "ae");
}

#[test]
fn opening_none_lists_rows_without_a_value() {
    opens(&content(), 1, "", "(none)", "d");
}

#[test]
fn opening_a_count_below_a_filter_lists_what_both_leave() {
    opens(&content(), 1, "age>5s", "shop", "e");
}

#[test]
fn opening_a_count_does_not_list_what_is_only_called_alike() {
    opens(&content(), 1, "", "Shopper", "b");
}

#[test]
fn opening_a_count_tells_values_apart_by_their_case() {
    let lines = [("a", "shop", None, 0.0, 0.0), ("b", "Shop", None, 0.0, 0.0)];
    let both =
        Content { title: String::new(), sections: vec![Section::table("Sessions", table("pg", &lines))] };
    opens(&both, 1, "", "shop", "a");
    opens(&both, 1, "", "Shop", "b");
}

#[test]
fn a_value_that_is_called_none_is_not_no_value() {
    let named = Content {
        title: String::new(),
        sections: vec![Section::table(
            "Sessions",
            table(
                "pg",
                &[("a", "(none)", None, 0.0, 0.0), ("b", "", None, 0.0, 0.0), ("c", "", None, 0.0, 0.0)],
            ),
        )],
    };
    let level = by(1);
    let counts = counted(named.clone(), &level);
    let rows = shown(&counts, &level);
    assert_eq!(rows.iter().map(|row| row.cells[1].words()).collect::<Vec<_>>(), ["2", "1"]);
}

#[test]
fn what_was_opened_says_of_what_it_is() {
    let counts = counted(content(), &by(1));
    let row = &counts.sections[0].table.as_ref().expect("a table").rows[0];
    let level = Level {
        only: vec![Only::of(&row.key).expect("it counts")],
        filter: "age>5s".to_owned(),
        ..Level::default()
    };
    assert_eq!(level.filtered_by(), "user = shop and filter: age>5s");
}

#[test]
fn a_row_that_counts_nothing_stands_for_nothing() {
    assert_eq!(Only::of(&key("pg", "a")), None);
}

#[test]
fn what_was_counted_stays_though_the_heading_counts_on() {
    let titled = |title: &str| Content {
        title: String::new(),
        sections: vec![Section::table(title.to_owned(), table("pg", &LINES))],
    };
    let counts = counted(titled("Sessions 5, newest first"), &by(1));
    let only = Only::of(&counts.sections[0].table.as_ref().expect("a table").rows[0].key).expect("it counts");
    let level = Level { only: vec![only], ..Level::default() };
    assert_eq!(names(&titled("Sessions 7, newest first"), &level), "ae");
}

#[test]
fn the_cursor_stays_on_its_row_when_the_order_changes() {
    let content = content();
    let level = Level { cursor: Some(key("pg", "c")), index: 2, ..sorted(3, false) };
    let rows = shown(&content, &level);
    assert_eq!(level.position(&rows), Some(0));
}

#[test]
fn the_cursor_of_a_row_that_is_gone_stays_where_it_stood() {
    let content = content();
    let level = Level { cursor: Some(key("pg", "gone")), index: 3, ..Level::default() };
    let rows = shown(&content, &level);
    assert_eq!(level.position(&rows), Some(3));
}

#[test]
fn of_a_row_of_the_same_name_on_another_server_the_cursor_knows_nothing() {
    let content = content();
    let level = Level { cursor: Some(key("pg-2", "e")), ..Level::default() };
    let rows = shown(&content, &level);
    assert_eq!(level.position(&rows), Some(0));
}

#[test]
fn marks_are_counted_by_what_made_them() {
    let mut level = Level::default();
    level.marks.insert(key("pg", "a"), "user = shop".to_owned());
    level.marks.insert(key("pg", "e"), "user = shop".to_owned());
    level.marks.insert(key("pg", "b"), "filter: age>5s".to_owned());
    level.marks.insert(key("pg", "c"), String::new());
    assert_eq!(level.marked_by(), "1 marked by filter: age>5s, 2 marked by user = shop, 1 by hand");
}

/// The demo stack on the queries screen.
async fn queries() -> Drive {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.key(Key::char('3'));
    drive
}

fn typed(drive: &mut Drive, filter: &str) {
    drive.key(Key::char('/'));
    filter.chars().for_each(|c| drive.key(Key::char(c)));
    drive.key(Key::plain(Code::Enter));
}

fn said(drive: &Drive) -> String {
    drive.model.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default()
}

fn marks(drive: &Drive) -> usize {
    drive.model.place().level().map_or(0, |level| level.marks.len())
}

#[tokio::test]
async fn sorting_names_the_column_and_goes_round() {
    let mut drive = queries().await;
    drive.key(Key::char('>'));
    assert!(said(&drive).starts_with("sorted by pid, highest first"), "{}", said(&drive));
    for _ in 0..8 {
        drive.key(Key::char('>'));
    }
    assert_eq!(said(&drive), "sorted by importance");
}

#[tokio::test]
async fn a_screen_whose_order_has_a_meaning_says_so() {
    let mut drive = queries().await;
    drive.key(Key::char('2'));
    drive.key(Key::char('s'));
    assert_eq!(said(&drive), "the order here has a meaning; it cannot be sorted");
}

#[tokio::test]
async fn a_mark_goes_on_with_the_row_below() {
    let mut drive = queries().await;
    let before = drive.model.place().level().and_then(|level| level.cursor.clone());
    drive.key(Key::char(' '));
    let after = drive.model.place().level().and_then(|level| level.cursor.clone());
    assert_eq!(marks(&drive), 1);
    assert_ne!(before, after);
}

#[tokio::test]
async fn a_second_mark_takes_the_first_away() {
    let mut drive = queries().await;
    drive.key(Key::char(' '));
    drive.key(Key::char('k'));
    drive.key(Key::char(' '));
    assert_eq!(marks(&drive), 0);
}

#[tokio::test]
async fn all_is_marked_of_one_kind_only() {
    let mut drive = queries().await;
    drive.key(Key::char('*'));
    let level = drive.model.place().level().cloned().expect("a level");
    assert!(
        level.marks.len() > 1
            && level
                .marks
                .keys()
                .all(|key| matches!(key, RowKey::Postgres(_, stacktop::core::postgres::PgRow::Backend(_)))),
        "{:?}",
        level.marks
    );
    assert_eq!(level.marks.values().next().map(String::as_str), Some("no filter (every row)"));
}

#[tokio::test]
async fn all_that_a_filter_by_value_leaves_is_marked_by_it() {
    let mut drive = queries().await;
    typed(&mut drive, "user=shop");
    drive.key(Key::char('*'));
    assert!(said(&drive).contains("marked by filter: user=shop"), "{}", said(&drive));
}

#[tokio::test]
async fn by_a_filter_of_text_nothing_is_marked_at_once() {
    let mut drive = queries().await;
    typed(&mut drive, "shop");
    drive.key(Key::char('*'));
    assert_eq!(marks(&drive), 0);
}

#[tokio::test]
async fn a_filter_by_text_can_be_marked_one_by_one() {
    let mut drive = queries().await;
    typed(&mut drive, "shop");
    drive.key(Key::char(' '));
    assert_eq!(marks(&drive), 1);
}

#[tokio::test]
async fn marks_outlive_the_filter() {
    let mut drive = queries().await;
    typed(&mut drive, "user=shop");
    drive.key(Key::char('*'));
    let before = marks(&drive);
    drive.key(Key::plain(Code::Esc));
    assert_eq!(
        (drive.model.place().level().map(|level| level.filter.clone()), marks(&drive)),
        (Some(String::new()), before)
    );
}

#[tokio::test]
async fn marks_are_cleared_at_once() {
    let mut drive = queries().await;
    drive.key(Key::char('*'));
    drive.tell(Msg::Command(Command::ClearMarks));
    assert_eq!(marks(&drive), 0);
}

#[tokio::test]
async fn a_counted_row_is_neither_marked_nor_acted_on() {
    let mut drive = queries().await;
    for key in ['s', 's', 'c'] {
        drive.key(Key::char(key));
    }
    drive.key(Key::char(' '));
    drive.key(Key::char('*'));
    assert_eq!(marks(&drive), 0);
    drive.key(Key::char('x'));
    assert!(said(&drive).starts_with("this row stands for several; "), "{}", said(&drive));
}

#[tokio::test]
async fn back_takes_the_filter_before_the_marks_and_the_marks_before_the_level() {
    let mut drive = queries().await;
    drive.key(Key::char('*'));
    typed(&mut drive, "user=shop");
    drive.key(Key::plain(Code::Esc));
    assert!(marks(&drive) > 0);
    drive.key(Key::plain(Code::Esc));
    assert_eq!(marks(&drive), 0);
}

#[tokio::test]
async fn every_level_has_a_filter_of_its_own() {
    let mut drive = queries().await;
    typed(&mut drive, "user=shop");
    drive.key(Key::plain(Code::Enter));
    assert_eq!(drive.model.place().level().map(|level| level.filter.clone()), Some(String::new()));
    drive.key(Key::plain(Code::Esc));
    assert_eq!(drive.model.place().level().map(|level| level.filter.clone()), Some("user=shop".to_owned()));
}

#[tokio::test]
async fn every_screen_keeps_its_place() {
    let mut drive = queries().await;
    typed(&mut drive, "user=shop");
    drive.tell(Msg::Command(Command::Screen(Screen::Queues)));
    assert_eq!(drive.model.place().level().map(|level| level.filter.clone()), Some(String::new()));
    drive.tell(Msg::Command(Command::LastScreen));
    assert_eq!(drive.model.place().level().map(|level| level.filter.clone()), Some("user=shop".to_owned()));
}
