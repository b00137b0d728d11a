//! Screen: Targets down, rules firing or failing, configured queries, scraped endpoints.

use super::{Panel, PanelContext};
use crate::core::place::{RowKey, Screen};
use crate::ui::content::Content;

/// The metrics screen.
#[derive(Clone, Copy, Debug)]
pub struct Metrics;

impl Panel for Metrics {
    fn screen(&self) -> Screen {
        Screen::Metrics
    }

    fn title(&self) -> &'static str {
        "metrics"
    }

    fn help(&self) -> &'static str {
        "Targets down, rules firing or failing, configured queries, scraped endpoints."
    }

    fn content(&self, _context: PanelContext<'_>, _path: &[RowKey]) -> Content {
        Content::default()
    }
}
