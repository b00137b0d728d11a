//! What of a panel's rows is shown, in which order, and which row the cursor is on. Selection follows identity, not row number.

use super::content::{Cell, Column, Content, Row, SortKey, Table};
use crate::core::place::RowKey;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Where the operator is on one level of a panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// The row under the cursor.
    pub cursor: Option<RowKey>,
    /// Where it stood last, for when it is gone.
    pub index: usize,
    /// Lines scrolled, on levels without rows.
    pub scroll: usize,
    /// Only rows that contain this, case folded.
    pub filter: String,
    /// Sorted by this column; true is descending.
    pub sort: Option<(usize, bool)>,
    /// Rows are counted by that column instead of listed.
    pub counted: bool,
    /// Rows marked with Space.
    pub marks: BTreeSet<RowKey>,
}

impl Level {
    /// The position of the cursor among `rows`: its row if that is still there, else where it stood.
    #[must_use]
    pub fn position(&self, rows: &[&Row]) -> Option<usize> {
        if rows.is_empty() {
            return None;
        }
        let found = self.cursor.as_ref().and_then(|key| rows.iter().position(|row| row.key == *key));
        Some(found.unwrap_or_else(|| self.index.min(rows.len() - 1)))
    }
}

/// The kind of the rows that stand for several.
pub const COUNTED: &str = "counted";

/// The content with the rows of each table counted by the column that it is sorted by, where that is wanted; the most frequent first.
/// Tables whose order has a meaning stay as they are.
#[must_use]
pub fn counted(mut content: Content, level: &Level) -> Content {
    let Some((column, _)) = level.sort.filter(|_| level.counted) else { return content };
    // The column is that of the widest table, which the sort names; other tables have others in its place.
    let widest = content.sections.iter().filter_map(|section| section.table.as_ref());
    let widest = widest.filter(|table| !table.fixed_order).max_by_key(|table| table.columns.len());
    let Some(title) = widest.and_then(|table| Some(table.columns.get(column)?.title.clone())) else {
        return content;
    };
    let needle = level.filter.to_lowercase();
    for table in content.sections.iter_mut().filter_map(|section| section.table.as_mut()) {
        if table.fixed_order || table.columns.get(column).is_none_or(|column| column.title != title) {
            continue;
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for row in table.rows.iter().filter(|row| matches(row, &needle)) {
            *counts.entry(row.cells.get(column).map_or("", |cell| cell.text.as_str())).or_default() += 1;
        }
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let row = |(value, count): (&str, usize)| {
            let shown = if value.is_empty() { "(none)" } else { value };
            let number = Cell::number(Some(count as f64), count.to_string());
            Row::opens(RowKey::new(&[COUNTED, value]), vec![Cell::text(shown), number])
        };
        let rows = counts.into_iter().map(row).collect();
        *table = Table {
            columns: vec![
                Column { title: title.clone(), ..Column::flex("", 24, 0) },
                Column::number("rows", 8, 0),
            ],
            rows,
            empty: table.empty.clone(),
            fixed_order: true,
        };
    }
    content
}

/// The rows of each section that pass the filter, in order of display.
#[must_use]
pub fn arrange<'a>(content: &'a Content, level: &Level) -> Vec<Vec<&'a Row>> {
    let needle = level.filter.to_lowercase();
    content
        .sections
        .iter()
        .map(|section| {
            let Some(table) = &section.table else {
                return Vec::new();
            };
            let mut rows: Vec<&Row> = table.rows.iter().filter(|row| matches(row, &needle)).collect();
            if let Some((column, descending)) = level.sort
                && !table.fixed_order
                && column < table.columns.len()
            {
                rows.sort_by(|a, b| compare(a, b, column, descending));
            }
            rows
        })
        .collect()
}

/// Every shown row of the content as one list, as the cursor moves through it.
#[must_use]
pub fn shown<'a>(content: &'a Content, level: &Level) -> Vec<&'a Row> {
    arrange(content, level).into_iter().flatten().collect()
}

fn matches(row: &Row, needle: &str) -> bool {
    // What was counted has passed the filter already.
    needle.is_empty()
        || row.key.kind() == COUNTED
        || row.cells.iter().any(|cell| cell.text.to_lowercase().contains(needle))
}

fn compare(a: &Row, b: &Row, column: usize, descending: bool) -> Ordering {
    let (Some(a), Some(b)) = (a.cells.get(column), b.cells.get(column)) else {
        return Ordering::Equal;
    };
    match (&a.sort, &b.sort) {
        // What is not known stands last, whichever way it is sorted.
        (SortKey::Number(a), SortKey::Number(b)) => match (a, b) {
            (Some(a), Some(b)) if descending => b.total_cmp(a),
            (Some(a), Some(b)) => a.total_cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        },
        (SortKey::Text | SortKey::Number(_), SortKey::Text | SortKey::Number(_)) => {
            let order = a.text.to_lowercase().cmp(&b.text.to_lowercase());
            if descending { order.reverse() } else { order }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::content::Section;
    use super::*;

    fn content() -> Content {
        let rows = [("b", Some(2.0)), ("a", None), ("c", Some(10.0))]
            .into_iter()
            .map(|(name, value)| {
                Row::flat(RowKey::new(&["row", name]), vec![Cell::text(name), Cell::number(value, "x")])
            })
            .collect();
        let table = Table {
            columns: vec![Column::flex("name", 4, 0), Column::number("n", 4, 0)],
            rows,
            ..Table::default()
        };
        Content { title: String::new(), sections: vec![Section::table("", table)] }
    }

    #[track_caller]
    fn check(level: &Level, expected: &str) {
        let content = content();
        let names: String = shown(&content, level).iter().map(|row| row.key.segment(1)).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn sorts_with_the_unknown_last_and_filters() {
        check(&Level::default(), "bac");
        let sorted = |sort| Level { sort: Some(sort), ..Level::default() };
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
            table
                .rows
                .push(Row::flat(RowKey::new(&["row", "d"]), vec![Cell::text("a"), Cell::number(None, "x")]));
        }
        let level = Level { sort: Some((0, false)), counted: true, ..Level::default() };
        let drawn = |level: &Level| {
            let counted = counted(all.clone(), level);
            let rows = shown(&counted, level);
            let cells = rows.iter().flat_map(|row| row.cells.iter().map(|cell| cell.text.as_str()));
            cells.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(drawn(&level), "a 2 b 1 c 1");
        assert_eq!(drawn(&Level { filter: "B".to_owned(), ..level.clone() }), "b 1");
        assert_eq!(drawn(&Level { counted: false, ..level }), "a x a x b x c x");
    }

    #[test]
    fn the_cursor_follows_its_row_and_stays_near_when_it_is_gone() {
        let content = content();
        let mut level = Level { cursor: Some(RowKey::new(&["row", "c"])), index: 0, ..Level::default() };
        let rows = shown(&content, &level);
        assert_eq!(level.position(&rows), Some(2));
        level.cursor = Some(RowKey::new(&["row", "gone"]));
        level.index = 9;
        assert_eq!(level.position(&rows), Some(2));
        assert_eq!(level.position(&[]), None);
    }
}
