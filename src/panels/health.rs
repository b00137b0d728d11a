//! Screen: Cache hit, connections, deadlocks, temp files, wraparound, vacuum.

use super::{Panel, PanelContext};
use crate::core::place::{RowKey, Screen};
use crate::ui::content::Content;

/// The health screen.
#[derive(Clone, Copy, Debug)]
pub struct Health;

impl Panel for Health {
    fn screen(&self) -> Screen {
        Screen::Health
    }

    fn title(&self) -> &'static str {
        "health"
    }

    fn help(&self) -> &'static str {
        "Cache hit, connections, deadlocks, temp files, wraparound, vacuum."
    }

    fn content(&self, _context: PanelContext<'_>, _path: &[RowKey]) -> Content {
        Content::default()
    }
}
