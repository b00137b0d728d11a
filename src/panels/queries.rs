//! Screen: What runs now, then statements by their share of the window's time.

use super::{Panel, PanelContext};
use crate::core::place::{RowKey, Screen};
use crate::ui::content::Content;

/// The queries screen.
#[derive(Clone, Copy, Debug)]
pub struct Queries;

impl Panel for Queries {
    fn screen(&self) -> Screen {
        Screen::Queries
    }

    fn title(&self) -> &'static str {
        "queries"
    }

    fn help(&self) -> &'static str {
        "What runs now, then statements by their share of the window's time."
    }

    fn content(&self, _context: PanelContext<'_>, _path: &[RowKey]) -> Content {
        Content::default()
    }
}
