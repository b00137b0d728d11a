//! Screen: Cluster health, nodes against their watermarks, shards without a place and why.

use super::{Panel, PanelContext};
use crate::core::place::{RowKey, Screen};
use crate::ui::content::Content;

/// The search screen.
#[derive(Clone, Copy, Debug)]
pub struct Search;

impl Panel for Search {
    fn screen(&self) -> Screen {
        Screen::Search
    }

    fn title(&self) -> &'static str {
        "search"
    }

    fn help(&self) -> &'static str {
        "Cluster health, nodes against their watermarks, shards without a place and why."
    }

    fn content(&self, _context: PanelContext<'_>, _path: &[RowKey]) -> Content {
        Content::default()
    }
}
