//! Panels of the team's own, which a Prometheus or a Loki evaluates.

use crate::core::alert::{Grade, Severity};
use crate::ui::content::{Column, Role, Row, Table};

/// Their table.
pub(super) fn table(rows: Vec<Row>) -> Table {
    Table {
        columns: vec![
            Column::flex("panel", 22, 0),
            Column::flex("series", 16, 1),
            Column::number("value", 12, 0).changing(),
            Column::fixed("past", 30, 2),
        ],
        rows,
        empty: String::new(),
        fixed_order: false,
    }
}

/// The role of a value, by the panel's own thresholds; `fine` where it is past none.
pub(super) fn tone(grade: Option<Grade>, fine: Role) -> Role {
    match grade.map(|grade| grade.severity) {
        Some(Severity::Critical) => Role::Critical,
        Some(Severity::Warning | Severity::Info) => Role::Warning,
        None => fine,
    }
}
