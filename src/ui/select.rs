//! What of a panel's rows is shown, in which order, and which row the cursor is on. Selection follows identity, not row number.

use super::content::{Cell, Column, Content, Row, Section, SortKey, Table};
use super::filter::Filter;
use super::format::whole;
use crate::core::ids::TargetId;
use crate::core::row::{Counted, RowKey};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// How the operator wants one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Sorted by this column; true is descending.
    pub sort: Option<(usize, bool)>,
    /// Only these columns behind the first one, in this order; without it all of them.
    pub shown: Option<Vec<String>>,
    /// The headings of columns that are not shown.
    pub hidden: BTreeSet<String>,
    /// These columns stand in front of the others, behind the first one.
    pub order: Vec<String>,
    /// Every column as wide as its texts, whether all of them have room or not.
    pub wide: bool,
    /// How many columns behind the first one are scrolled out of view then.
    pub shift: usize,
}

impl View {
    /// The places of the columns that are wanted, in their order. The first one says what a row is about: it stays.
    #[must_use]
    pub fn wanted(&self, table: &Table) -> Vec<usize> {
        let of = |titles: &[String]| -> Vec<usize> {
            let places =
                titles.iter().filter_map(|title| table.columns.iter().position(|it| it.title == *title));
            places.filter(|place| *place > 0).collect()
        };
        let mut wanted: Vec<usize> = (0..table.columns.len().min(1)).collect();
        wanted.extend(of(self.shown.as_ref().unwrap_or(&self.order)));
        if self.shown.is_none() {
            let others: Vec<usize> =
                (1..table.columns.len()).filter(|place| !wanted.contains(place)).collect();
            wanted.extend(others);
        }
        wanted.retain(|place| *place == 0 || !self.hides(&table.columns[*place].title));
        wanted
    }

    /// Whether the column with this heading is not wanted.
    #[must_use]
    pub fn hides(&self, title: &str) -> bool {
        let left_out = self.shown.as_ref().is_some_and(|shown| !shown.iter().any(|it| it == title));
        left_out || self.hidden.contains(title)
    }

    /// Shows the column with this heading if it is hidden, and hides it if it is shown.
    pub fn toggle(&mut self, title: &str) {
        let hides = self.hides(title);
        match &mut self.shown {
            Some(shown) if hides => {
                shown.push(title.to_owned());
                self.hidden.remove(title);
            }
            Some(shown) => shown.retain(|it| it != title),
            None if hides => {
                self.hidden.remove(title);
            }
            None => {
                self.hidden.insert(title.to_owned());
            }
        }
    }

    /// Takes over which columns `other` wants, in which order.
    pub fn columns_of(&mut self, other: &Self) {
        self.shown.clone_from(&other.shown);
        self.hidden.clone_from(&other.hidden);
        self.order.clone_from(&other.order);
    }

    /// Whether both want the same columns in the same order.
    #[must_use]
    pub fn has_columns_of(&self, other: &Self) -> bool {
        (&self.shown, &self.hidden, &self.order) == (&other.shown, &other.hidden, &other.order)
    }
}

/// What a table is called wherever its rows come from: the words of its heading that stay, and its first column.
#[must_use]
pub fn name(section: &Section, table: &Table) -> String {
    let first = table.columns.first().map_or("", |column| column.title.as_ref());
    format!("{}/{first}", heading(section))
}

/// The table of the row under the cursor, its section, and its rows as they are shown.
#[must_use]
pub fn here<'a>(content: &'a Content, level: &Level) -> Option<(&'a Section, &'a Table, Vec<&'a Row>)> {
    let arranged = arrange(content, level);
    let flat: Vec<&Row> = arranged.iter().flatten().copied().collect();
    let mut left = level.position(&flat)?;
    for (section, rows) in content.sections.iter().zip(arranged) {
        if left < rows.len() {
            return Some((section, section.table.as_ref()?, rows));
        }
        left -= rows.len();
    }
    None
}

/// Where the operator is on one level of a panel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// The row under the cursor.
    pub cursor: Option<RowKey>,
    /// Where it stood last, for when it is gone.
    pub index: usize,
    /// The first line in view.
    pub scroll: usize,
    /// The view was moved away from the cursor: it does not follow it.
    pub away: bool,
    /// What the level is called where it was opened from.
    pub name: String,
    /// Only rows that meet this (see [`Filter`]), as it was typed.
    pub filter: String,
    /// How the operator wants each table, by its [`name`].
    pub views: BTreeMap<String, View>,
    /// Only the table of this [`name`] is shown.
    pub zoomed: Option<String>,
    /// Rows are counted by the column that they are sorted by instead of listed.
    pub counted: bool,
    /// Only the rows that these counted rows stood for.
    pub only: Vec<Only>,
    /// The line on which the text was found last.
    pub found: Option<usize>,
    /// The row that stays on top of its table.
    pub pinned: Option<RowKey>,
    /// The row that was marked last by hand.
    pub marked_last: Option<RowKey>,
    /// Rows that are marked, each with the filter by which it was; nothing for those marked by hand.
    pub marks: BTreeMap<RowKey, String>,
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

    /// How the operator wants `table`, if anything was wanted of it.
    #[must_use]
    pub fn view(&self, section: &Section, table: &Table) -> Option<&View> {
        self.views.get(&name(section, table))
    }

    /// Whether some table is sorted by a column.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        self.views.values().any(|view| view.sort.is_some())
    }

    fn sort_of(&self, section: &Section, table: &Table) -> Option<(usize, bool)> {
        let sort = self.view(section, table)?.sort?;
        (!table.fixed_order && sort.0 < table.columns.len()).then_some(sort)
    }

    /// What the rows shown have in common: "user = shop", "filter: jo". Empty where every row is shown.
    #[must_use]
    pub fn filtered_by(&self) -> String {
        let mut words: Vec<String> = self.only.iter().map(Only::words).collect();
        if !self.filter.is_empty() {
            words.push(format!("filter: {}", self.filter));
        }
        words.join(" and ")
    }

    /// How many rows are marked, and by which filters: "15 marked by user = shop". Empty where none is.
    #[must_use]
    pub fn marked_by(&self) -> String {
        let mut by: BTreeMap<&str, usize> = BTreeMap::new();
        for filter in self.marks.values() {
            *by.entry(filter).or_default() += 1;
        }
        let by_hand = by.remove("").unwrap_or(0);
        let mut words: Vec<String> =
            by.iter().map(|(filter, count)| format!("{count} marked by {filter}")).collect();
        match (by_hand, words.is_empty()) {
            (0, _) => {}
            (count, true) => words.push(format!("{count} marked")),
            (count, false) => words.push(format!("{count} by hand")),
        }
        words.join(", ")
    }

    fn passes(&self, filter: &Filter, section: &Section, table: &Table, row: &Row) -> bool {
        // What was counted has passed already.
        row.key.is_counted()
            || self.only.iter().all(|only| only.holds(section, table, row)) && filter.holds(table, row)
    }
}

/// The rows of one table that have one value in one column: what a counted row stands for. The value is compared whole and as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    /// The column's heading.
    column: String,
    /// The value; empty for rows that have none.
    value: String,
    /// Which table: see [`home`].
    home: (String, Option<TargetId>),
}

impl Only {
    /// What the counted row of `key` stands for.
    #[must_use]
    pub fn of(key: &RowKey) -> Option<Self> {
        let RowKey::Counted(counted) = key else { return None };
        let Counted { table, target, column, value } = counted.clone();
        Some(Self { home: (table, target), column, value })
    }

    /// "user = shop", "user = (none)".
    #[must_use]
    pub fn words(&self) -> String {
        format!("{} = {}", self.column, if self.value.is_empty() { NONE } else { &self.value })
    }

    fn holds(&self, section: &Section, table: &Table, row: &Row) -> bool {
        let column = table.columns.iter().position(|column| column.title == self.column);
        let here = home(section, table);
        here.0 == self.home.0
            && (here.1 == self.home.1 || self.home.1.is_none())
            && column.is_some_and(|column| value(row, column) == self.value)
    }
}

/// Which table it is while its rows come and go: the words of its heading that stay, and the server that all of its rows belong to.
fn home(section: &Section, table: &Table) -> (String, Option<TargetId>) {
    let mut targets = table.rows.iter().map(|row| row.key.target());
    let first = targets.next().flatten().filter(|first| targets.all(|target| target == Some(*first)));
    (heading(section).to_owned(), first.cloned())
}

/// The words of a heading that stay while its numbers change.
fn heading(section: &Section) -> &str {
    let words = section.title.split(|c: char| c.is_ascii_digit() || matches!(c, '(' | ',')).next();
    words.unwrap_or_default().trim()
}

fn value(row: &Row, column: usize) -> Cow<'_, str> {
    row.cells.get(column).map_or(Cow::Borrowed(""), Cell::words)
}

/// What stands where a row has no value.
const NONE: &str = "(none)";

/// The content with the rows of each table counted by the column that it is sorted by, where that is wanted; the most frequent first.
/// Tables whose order has a meaning stay as they are.
#[must_use]
pub fn counted(mut content: Content, level: &Level) -> Content {
    if !level.counted {
        return content;
    }
    let filter = Filter::parse(&level.filter);
    for section in &mut content.sections {
        let Some(table) = section.table.as_ref() else { continue };
        let Some((column, _)) = level.sort_of(section, table) else { continue };
        let title = table.columns[column].title.clone();
        let mut counts: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
        for row in table.rows.iter().filter(|row| level.passes(&filter, section, table, row)) {
            *counts.entry(value(row, column)).or_default() += 1;
        }
        let mut counts: Vec<(Cow<'_, str>, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let (table_words, target) = home(section, table);
        let row = |(value, count): (Cow<'_, str>, usize)| {
            let shown = if value.is_empty() { NONE } else { &value };
            let number = Cell::figure(Some(count as f64), whole);
            let key = RowKey::Counted(Counted {
                table: table_words.clone(),
                target: target.clone(),
                column: title.to_string(),
                value: value.to_string(),
            });
            Row::opens(key, vec![Cell::text(shown), number])
        };
        let columns =
            vec![Column { title: title.clone(), ..Column::flex("", 24, 0) }, Column::number("rows", 8, 0)];
        let rows = counts.into_iter().map(row).collect();
        section.table = Some(Table { columns, rows, empty: table.empty.clone(), fixed_order: true });
    }
    content
}

/// The rows of each section that pass the filter, in order of display.
#[must_use]
pub fn arrange<'a>(content: &'a Content, level: &Level) -> Vec<Vec<&'a Row>> {
    let filter = Filter::parse(&level.filter);
    content
        .sections
        .iter()
        .map(|section| {
            let Some(table) = &section.table else {
                return Vec::new();
            };
            let passes = |row: &&Row| level.passes(&filter, section, table, row);
            let mut rows: Vec<&Row> = table.rows.iter().filter(passes).collect();
            if let Some((column, descending)) = level.sort_of(section, table) {
                sort(&mut rows, column, descending);
            }
            let pinned = level.pinned.as_ref().filter(|_| !table.fixed_order);
            if let Some(at) = pinned.and_then(|pinned| rows.iter().position(|row| row.key == *pinned)) {
                rows[..=at].rotate_right(1);
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

/// By what a row sorts: what has no value stands last, whichever way it is sorted.
enum By {
    Number(f64),
    Text(String),
    Nothing,
}

impl By {
    fn order(&self, other: &Self, descending: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Nothing, Self::Nothing) => return Ordering::Equal,
            (Self::Nothing, _) => return Ordering::Greater,
            (_, Self::Nothing) => return Ordering::Less,
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if descending { order.reverse() } else { order }
    }
}

/// Each row's key is made once, and not at each comparison.
fn sort(rows: &mut Vec<&Row>, column: usize, descending: bool) {
    let counts = |row: &&Row| matches!(row.cells.get(column), Some(Cell { sort: SortKey::Number(_), .. }));
    // An empty cell among numbers is one that is not known.
    let numbers = rows.iter().any(counts);
    let key = |row: &Row| match row.cells.get(column) {
        None => By::Nothing,
        Some(Cell { sort: SortKey::Number(value), .. }) => value.map_or(By::Nothing, By::Number),
        Some(cell) if numbers && cell.words().is_empty() => By::Nothing,
        Some(cell) => By::Text(cell.words().to_lowercase()),
    };
    let mut keyed: Vec<(By, &Row)> = rows.iter().map(|row| (key(row), *row)).collect();
    keyed.sort_by(|(a, _), (b, _)| a.order(b, descending));
    *rows = keyed.into_iter().map(|(_, row)| row).collect();
}

#[cfg(test)]
mod tests;
