//! The tests of rows that are sorted, filtered and selected.

use super::*;
use crate::core::metrics::MetricsRow;
use crate::ui::content::Section;

fn named(name: &str) -> RowKey {
    RowKey::Metrics(TargetId::new("it"), MetricsRow::Family(name.to_owned()))
}

fn name_of(row: &Row) -> &str {
    match &row.key {
        RowKey::Metrics(_, row) => row.name(),
        other => panic!("{other:?}"),
    }
}

fn content() -> Content {
    let rows = [("b", Some(2.0)), ("a", None), ("c", Some(10.0))]
        .into_iter()
        .map(|(name, value)| Row::flat(named(name), vec![Cell::text(name), Cell::number(value, "x")]))
        .collect();
    let table = Table {
        columns: vec![Column::flex("name", 4, 0), Column::number("n", 4, 0)],
        rows,
        ..Table::default()
    };
    Content { title: String::new(), sections: vec![Section::table("", table)] }
}

/// Every table of `content` sorted like this.
fn by(content: &Content, sort: (usize, bool)) -> Level {
    let names = content.sections.iter().filter_map(|section| Some(name(section, section.table.as_ref()?)));
    let view = View { sort: Some(sort), ..View::default() };
    Level { views: names.map(|name| (name, view.clone())).collect(), ..Level::default() }
}

#[track_caller]
fn check(level: &Level, expected: &str) {
    let content = content();
    let names: String = shown(&content, level).iter().map(|row| name_of(row)).collect();
    assert_eq!(names, expected);
}

#[test]
fn sorts_with_the_unknown_last_and_filters() {
    check(&Level::default(), "bac");
    let sorted = |sort| by(&content(), sort);
    check(&sorted((1, true)), "cba");
    check(&sorted((1, false)), "bca");
    check(&sorted((0, false)), "abc");
    let filtered = Level { filter: "C".to_owned(), ..Level::default() };
    check(&filtered, "c");
}

#[test]
fn rows_are_counted_by_the_sorted_column() {
    let mut all = content();
    if let Some(table) = all.sections[0].table.as_mut() {
        table.rows.push(Row::flat(named("d"), vec![Cell::text("a"), Cell::number(None, "x")]));
    }
    let level = Level { counted: true, ..by(&all, (0, false)) };
    let drawn = |level: &Level| {
        let counted = counted(all.clone(), level);
        let rows = shown(&counted, level);
        let cells = rows.iter().flat_map(|row| row.cells.iter().map(|cell| cell.words()));
        cells.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(drawn(&level), "a 2 b 1 c 1");
    assert_eq!(drawn(&Level { filter: "B".to_owned(), ..level.clone() }), "b 1");
    assert_eq!(drawn(&Level { counted: false, ..level }), "a x a x b x c x");
}

/// Sessions of two servers, one table each: pid, user, database.
fn sessions() -> Content {
    let table = |server: &str, rows: &[(&str, &str, &str)]| {
        let row = |(pid, user, database): &(&str, &str, &str)| {
            let cells = [pid, user, database].map(Cell::text).to_vec();
            Row::flat(RowKey::Metrics(TargetId::new(server), MetricsRow::Family((*pid).to_owned())), cells)
        };
        let columns = ["pid", "user", "database"].map(|title| Column::flex(title, 4, 0)).to_vec();
        Table { columns, rows: rows.iter().map(row).collect(), ..Table::default() }
    };
    let one = [("1", "shop", "shop"), ("2", "billing", "shop"), ("3", "shopper", "x"), ("4", "", "shop")];
    let two = [("5", "shop", "shop")];
    let sections =
        vec![Section::table("Running", table("pg-1", &one)), Section::table("Running", table("pg-2", &two))];
    Content { title: String::new(), sections }
}

#[track_caller]
fn opened(column: usize, counted_row: &str, expected: &str, words: &str) {
    let mut level = Level { counted: true, ..by(&sessions(), (column, false)) };
    let counts = counted(sessions(), &level);
    let rows = shown(&counts, &level);
    let row = rows.iter().find(|row| row.cells[0].words() == counted_row).expect("it is counted");
    level.only.push(Only::of(&row.key).expect("it stands for several"));
    level.counted = false;
    let all = sessions();
    let found = shown(&all, &level);
    assert_eq!(found.len().to_string(), row.cells[1].words(), "as many as were counted");
    assert_eq!(found.iter().map(|row| name_of(row)).collect::<String>(), expected);
    assert_eq!(level.filtered_by(), words);
}

#[test]
fn a_counted_row_opens_exactly_the_rows_that_it_counted() {
    // Not the database of that name, not a longer user, not another server.
    opened(1, "shop", "1", "user = shop");
    opened(1, "(none)", "4", "user = (none)");
    opened(2, "shop", "124", "database = shop");
}

#[test]
fn marks_say_by_what_they_were_made() {
    let mut level = Level::default();
    assert_eq!(level.marked_by(), "");
    level.marks.insert(named("1"), String::new());
    assert_eq!(level.marked_by(), "1 marked");
    for pid in ["2", "3"] {
        level.marks.insert(named(pid), "user = shop".to_owned());
    }
    assert_eq!(level.marked_by(), "2 marked by user = shop, 1 by hand");
}

#[test]
fn the_cursor_follows_its_row_and_stays_near_when_it_is_gone() {
    let content = content();
    let mut level = Level { cursor: Some(named("c")), index: 0, ..Level::default() };
    let rows = shown(&content, &level);
    assert_eq!(level.position(&rows), Some(2));
    level.cursor = Some(named("gone"));
    level.index = 9;
    assert_eq!(level.position(&rows), Some(2));
    assert_eq!(level.position(&[]), None);
}
