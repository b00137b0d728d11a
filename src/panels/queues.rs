//! Screen: Every queue with its counts and rates; its failed jobs; one job.

use super::{Panel, PanelContext};
use crate::core::place::{RowKey, Screen};
use crate::ui::content::Content;

/// The queues screen.
#[derive(Clone, Copy, Debug)]
pub struct Queues;

impl Panel for Queues {
    fn screen(&self) -> Screen {
        Screen::Queues
    }

    fn title(&self) -> &'static str {
        "queues"
    }

    fn help(&self) -> &'static str {
        "Every queue with its counts and rates; its failed jobs; one job."
    }

    fn content(&self, _context: PanelContext<'_>, _path: &[RowKey]) -> Content {
        Content::default()
    }
}
