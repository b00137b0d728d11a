//! A page as it was, so that what is drawn now can be compared with it: each row by its table and what it stands for. It is sorted into that
//! once, when it is kept, and not each time it is drawn.

use super::column::Changes;
use super::content::{Content, Row, Table};
use super::select::name;
use crate::core::row::RowKey;
use std::collections::HashMap;
use std::sync::Arc;

/// A page as it was.
#[derive(Clone, Debug, Default)]
pub struct Before {
    content: Arc<Content>,
    /// The tables that tell of changes by their names: which section it is, and where the row of each key stands in it.
    tables: HashMap<String, (usize, HashMap<RowKey, usize>)>,
}

impl Before {
    /// The page with this content.
    #[must_use]
    pub fn of(content: Arc<Content>) -> Self {
        let mut tables = HashMap::new();
        for (at, section) in content.sections.iter().enumerate() {
            let Some(table) = section.table.as_ref().filter(|table| tells(table)) else { continue };
            let rows = table.rows.iter().enumerate().map(|(place, row)| (row.key.clone(), place)).collect();
            tables.insert(name(section, table), (at, rows));
        }
        Self { content, tables }
    }

    /// The tables of `content` that were there before.
    #[must_use]
    pub fn beside<'a>(&'a self, content: &'a Content) -> Beside<'a> {
        let mut pairs = Vec::new();
        for section in &content.sections {
            if let Some(table) = section.table.as_ref().filter(|table| tells(table))
                && let Some((at, rows)) = self.tables.get(&name(section, table))
                && let Some(before) =
                    self.content.sections.get(*at).and_then(|section| section.table.as_ref())
            {
                pairs.push((table, before, rows));
            }
        }
        Beside(pairs)
    }
}

/// Whether a column tells of changes.
fn tells(table: &Table) -> bool {
    table.columns.iter().any(|column| column.changes == Changes::Told)
}

/// Tables, and what each was before.
#[derive(Debug, Default)]
pub struct Beside<'a>(Vec<(&'a Table, &'a Table, &'a HashMap<RowKey, usize>)>);

impl Beside<'_> {
    /// What stood in the row of `table` for `key`.
    #[must_use]
    pub fn row(&self, table: &Table, key: &RowKey) -> Option<&Row> {
        let (_, before, rows) = self.0.iter().find(|(now, ..)| std::ptr::eq(*now, table))?;
        before.rows.get(*rows.get(key)?)
    }
}
