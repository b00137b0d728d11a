//! Screen: Every copy: connected or not, how many bytes and seconds behind.

use super::{Panel, PanelContext};
use crate::core::place::{RowKey, Screen};
use crate::ui::content::Content;

/// The replication screen.
#[derive(Clone, Copy, Debug)]
pub struct Replication;

impl Panel for Replication {
    fn screen(&self) -> Screen {
        Screen::Replication
    }

    fn title(&self) -> &'static str {
        "replication"
    }

    fn help(&self) -> &'static str {
        "Every copy: connected or not, how many bytes and seconds behind."
    }

    fn content(&self, _context: PanelContext<'_>, _path: &[RowKey]) -> Content {
        Content::default()
    }
}
