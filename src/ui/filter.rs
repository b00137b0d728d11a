//! What a filter says: predicates on the values of cells, each of which must hold. Plain text looks into every cell.
//!
//! `age>5s user=app !idle "a text"`: a word is looked for in every cell, `!word` must be in none, `column=value` compares whole,
//! `column!=value`, `column~text` looks into one column, `column>number` and `column<number` compare the cell's number, with units
//! of time (ms, s, m, h, d), of bytes (B, kB, MB, GB, KiB, MiB, GiB) and `%`.

use super::content::{Content, Row, SortKey, Table};

/// One condition that a row must meet.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// Some cell holds this text, case folded.
    Holds(String),
    /// No cell holds it.
    HoldsNot(String),
    /// A cell of this column does so.
    Of(String, Test),
    /// What stands there is no predicate: why not. Nothing meets it.
    Mistake(String),
}

/// What a cell of a column must meet.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is this, case folded; empty: it has no value.
    Is(String),
    /// It is not this.
    IsNot(String),
    /// It holds this.
    Holds(String),
    /// Its number is above this.
    Above(f64),
    /// Its number is below this.
    Below(f64),
    /// It is at least this.
    AtLeast(f64),
    /// It is at most this.
    AtMost(f64),
}

/// The operators; of two that begin at the same place the longer one is meant.
const OPERATORS: [&str; 7] = ["!=", ">=", "<=", "=", ">", "<", "~"];

/// Units and what one of each is in the cell's own unit: seconds, bytes, shares.
const UNITS: [(&str, f64); 16] = [
    ("us", 1e-6),
    ("µs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
    ("d", 86_400.0),
    ("%", 0.01),
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];

/// A filter as it was typed, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    predicates: Vec<Predicate>,
}

impl Filter {
    /// Reads what was typed.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self { predicates: words(text).into_iter().map(|word| predicate(&word)).collect() }
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.predicates.is_empty()
    }

    /// Whether every predicate is about one column's whole value or number: what it leaves is meant, not merely alike.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.predicates.iter().all(|predicate| match predicate {
            Predicate::Of(_, test) => !matches!(test, Test::Holds(_)),
            Predicate::Holds(_) | Predicate::HoldsNot(_) | Predicate::Mistake(_) => false,
        })
    }

    /// What is wrong with it for `content`: a mistake, or a column that none of its tables has.
    #[must_use]
    pub fn mistake(&self, content: &Content) -> Option<String> {
        let tables = || content.sections.iter().filter_map(|section| section.table.as_ref());
        self.predicates.iter().find_map(|predicate| match predicate {
            Predicate::Mistake(why) => Some(why.clone()),
            Predicate::Of(name, _) if tables().all(|table| column(table, name).is_none()) => {
                let titles: Vec<&str> = tables()
                    .flat_map(|table| &table.columns)
                    .map(|column| column.title.as_ref())
                    .filter(|title| !title.is_empty())
                    .collect();
                let mut known: Vec<&str> = Vec::new();
                for title in titles {
                    if !known.contains(&title) {
                        known.push(title);
                    }
                }
                Some(format!("no column is called {name}; there are {}", known.join(", ")))
            }
            Predicate::Of(..) | Predicate::Holds(_) | Predicate::HoldsNot(_) => None,
        })
    }

    /// Whether `row` of `table` meets all of it.
    #[must_use]
    pub fn holds(&self, table: &Table, row: &Row) -> bool {
        self.predicates.iter().all(|predicate| match predicate {
            Predicate::Holds(text) => holds_text(row, text),
            Predicate::HoldsNot(text) => !holds_text(row, text),
            Predicate::Of(name, test) => column(table, name).is_some_and(|at| test.holds(row, at)),
            Predicate::Mistake(_) => false,
        })
    }
}

impl Test {
    fn holds(&self, row: &Row, at: usize) -> bool {
        let Some(cell) = row.cells.get(at) else {
            return matches!(self, Self::Is(value) if value.is_empty());
        };
        // The branches of a tree are no part of the value.
        let words = cell.words();
        let bare = words.trim_matches(|c: char| c.is_whitespace() || matches!(c, '└' | '─' | '~'));
        let text = || bare.to_lowercase();
        let number = match cell.sort {
            SortKey::Number(number) => number,
            SortKey::Text => bare.parse().ok(),
        };
        match self {
            Self::Is(value) => text() == *value,
            Self::IsNot(value) => text() != *value,
            Self::Holds(value) => text().contains(value),
            Self::Above(limit) => number.is_some_and(|number| number > *limit),
            Self::Below(limit) => number.is_some_and(|number| number < *limit),
            Self::AtLeast(limit) => number.is_some_and(|number| number >= *limit),
            Self::AtMost(limit) => number.is_some_and(|number| number <= *limit),
        }
    }
}

fn holds_text(row: &Row, text: &str) -> bool {
    row.cells.iter().any(|cell| cell.words().to_lowercase().contains(text))
}

/// The column of this name, in small letters; else the only one that begins with it. Blanks in a heading are left out.
#[must_use]
pub fn column(table: &Table, name: &str) -> Option<usize> {
    let folded = |title: &str| title.to_lowercase().replace(' ', "");
    let titles: Vec<String> = table.columns.iter().map(|column| folded(&column.title)).collect();
    let exact = titles.iter().position(|title| title == name);
    exact.or_else(|| {
        let mut begin = titles.iter().enumerate().filter(|(_, title)| title.starts_with(name));
        begin.next().map(|(at, _)| at).filter(|_| begin.next().is_none())
    })
}

/// The words of a filter; blanks within quotes do not part them. A quote that is not closed lasts to the end.
fn words(text: &str) -> Vec<String> {
    let mut list = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for letter in text.chars() {
        match letter {
            '"' => {
                quoted = !quoted;
                word.push(letter);
            }
            blank if blank.is_whitespace() && !quoted => list.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    list.push(word);
    list.retain(|word| !word.is_empty());
    list
}

fn unquoted(text: &str) -> String {
    text.replace('"', "").to_lowercase()
}

fn predicate(word: &str) -> Predicate {
    // What is quoted as a whole is text, whatever stands in it.
    if word.starts_with('"') {
        return Predicate::Holds(unquoted(word));
    }
    let bare = word.split('"').next().unwrap_or_default();
    let operator = OPERATORS
        .into_iter()
        .filter_map(|operator| bare.find(operator).map(|at| (at, operator)))
        .min_by_key(|(at, operator)| (*at, std::cmp::Reverse(operator.len())));
    let Some((at, operator)) = operator.filter(|(at, _)| *at > 0) else {
        return match word.strip_prefix('!').filter(|rest| !rest.is_empty()) {
            Some(rest) => Predicate::HoldsNot(unquoted(rest)),
            None => Predicate::Holds(unquoted(word)),
        };
    };
    let (name, value) = (word[..at].to_lowercase(), &word[at + operator.len()..]);
    let numbered = |test: fn(f64) -> Test| match number(value) {
        Some(number) => Predicate::Of(name.clone(), test(number)),
        None if value.is_empty() => {
            Predicate::Mistake(format!("{name}{operator} what? for example {name}{operator}5"))
        }
        None => Predicate::Mistake(format!(
            "{value} is no number with a unit that is known (5s, 10m, 1.5GB, 20%)"
        )),
    };
    match operator {
        ">" => numbered(Test::Above),
        "<" => numbered(Test::Below),
        ">=" => numbered(Test::AtLeast),
        "<=" => numbered(Test::AtMost),
        "!=" => Predicate::Of(name, Test::IsNot(unquoted(value))),
        "=" => Predicate::Of(name, Test::Is(unquoted(value))),
        _ => Predicate::Of(name, Test::Holds(unquoted(value))),
    }
}

fn number(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let digits: f64 = digits.parse().ok()?;
    if unit.is_empty() {
        return Some(digits);
    }
    let exact = UNITS.iter().find(|(name, _)| *name == unit);
    let folded = || UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    exact.or_else(folded).map(|(_, scale)| digits * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::TargetId;
    use crate::core::row::RowKey;
    use crate::ui::content::{Cell, Column, Section};

    fn table() -> Table {
        let row = |pid: &str, user: &str, age: Option<f64>, size: f64, text: &str| {
            let cells = vec![
                Cell::text(pid),
                Cell::text(user),
                Cell::number(age, "x"),
                Cell::number(Some(size), "x"),
                Cell::text(text),
            ];
            Row::flat(RowKey::Target(TargetId::new(pid)), cells)
        };
        Table {
            columns: ["pid", "user", "tx age", "size", "last statement"]
                .map(|title| Column::flex(title, 4, 0))
                .to_vec(),
            rows: vec![
                row("1", "app", Some(3.0), 2e9, "SELECT idle"),
                row("└─ 2", "App", Some(400.0), 5e6, "UPDATE shop"),
                row("3", "my app", None, 0.0, "a=b"),
                row("4", "", Some(0.5), 1e3, "shop"),
            ],
            ..Table::default()
        }
    }

    #[track_caller]
    fn check(typed: &str, expected: &str) {
        let (table, filter) = (table(), Filter::parse(typed));
        let found = table.rows.iter().filter(|row| filter.holds(&table, row));
        let found: String = found.map(|row| row.key.target().expect("a target").as_str()).collect();
        assert_eq!(found.replace("└─ ", ""), expected, "{typed}: {filter:?}");
    }

    #[test]
    fn predicates_are_about_values() {
        check("", "1234");
        check("shop", "24");
        check("SHOP", "24");
        check("!idle", "234");
        check("user=app", "12");
        check("user=ap", "");
        check("user~app", "123");
        check("user!=app", "34");
        check("user=", "4");
        check("user=\"my app\"", "3");
        check("pid=2", "2");
        check("pid>=3", "34");
        check("age>2s", "");
        check("txage>2s", "12");
        check("txage>5m", "2");
        check("txage<=500ms", "4");
        check("size>1GB", "1");
        check("size<1MB user!=app", "34");
        check("txage>2s user=app !idle", "2");
        check("last=shop", "4");
        check("\"a=b\"", "3");
        check("shop \"update", "2");
    }

    #[test]
    fn what_cannot_be_meant_is_said_and_meets_nothing() {
        let content = Content { title: String::new(), sections: vec![Section::table("", table())] };
        for (typed, said) in [
            ("usr=app", "no column is called usr; there are pid, user, tx age, size, last statement"),
            ("txage>", "txage> what? for example txage>5"),
            ("txage>5parsec", "5parsec is no number with a unit that is known (5s, 10m, 1.5GB, 20%)"),
        ] {
            check(typed, "");
            assert_eq!(Filter::parse(typed).mistake(&content).as_deref(), Some(said), "{typed}");
        }
        assert_eq!(Filter::parse("user=app x").mistake(&content), None);
    }

    #[test]
    fn only_whole_values_and_numbers_are_exact() {
        for (typed, exact) in
            [("", true), ("user=app txage>5s", true), ("app", false), ("user~app", false), ("!app", false)]
        {
            assert_eq!(Filter::parse(typed).is_exact(), exact, "{typed}");
        }
    }
}
