//! What of a panel's rows is shown, in which order, and which row the cursor is on. Selection follows identity, not row number.

use super::content::{Content, Row, SortKey};
use crate::core::place::RowKey;
use std::cmp::Ordering;
use std::collections::BTreeSet;

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
    needle.is_empty() || row.cells.iter().any(|cell| cell.text.to_lowercase().contains(needle))
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
    use super::super::content::{Cell, Column, Section, Table};
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
