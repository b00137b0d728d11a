//! The screens: each turns the world into content. A panel has no state of its own and does not know how data was read or is drawn.

mod alerts;
mod alike;
mod capacity;
mod checks;
mod current;
mod finding;
mod findings;
mod graphs;
mod groups;
mod heading;
pub mod logs;
mod managers;
mod metrics;
mod overview;
mod own;
pub mod panel;
mod postgres;
mod redis;
mod search;
mod signals;
mod source_list;
mod timeline;

pub use panel::{Keys, Panel, PanelContext};

use crate::core::place::Screen;
use crate::core::postgres::{Look, PgRow, SERVER_LOG};
use crate::core::row::RowKey;

/// Every screen in the order of the tabs. A new panel is a file and a line here.
pub static PANELS: &[&dyn Panel] = &[
    &overview::Overview {
        signals: &[
            postgres::signal::signal,
            redis::signal::signal,
            search::signal,
            metrics::signal::prometheus,
            metrics::signal::endpoint,
            alerts::signal,
            logs::signal,
            checks::signal,
            checks::probe::signal,
        ],
        panel,
    },
    &postgres::blocking::Blocking,
    &postgres::queries::Queries,
    &postgres::health::Health,
    &postgres::replication::Replication,
    &redis::queues::Queues,
    &search::Search,
    &metrics::endpoints::Metrics,
    &alerts::Alerts,
    &logs::Logs,
    &timeline::WhatChanged,
];

/// The panel of `screen`.
#[must_use]
pub fn panel(screen: Screen) -> &'static dyn Panel {
    PANELS.iter().copied().find(|panel| panel.screen() == screen).unwrap_or(PANELS[0])
}

/// The panel of what is open on `screen` below `path`: lines of a log are the same wherever they were asked for.
#[must_use]
pub fn opened(screen: Screen, path: &[RowKey]) -> &'static dyn Panel {
    match path.last() {
        Some(RowKey::Loki(..) | RowKey::Log(..)) => panel(Screen::Logs),
        Some(RowKey::Postgres(_, PgRow::Look(Look::Topic(topic)))) if topic == SERVER_LOG => {
            panel(Screen::Health)
        }
        _ => panel(screen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_screen_has_its_panel_in_the_order_of_the_tabs() {
        let screens: Vec<Screen> = PANELS.iter().map(|panel| panel.screen()).collect();
        assert_eq!(screens, Screen::ALL);
    }
}
