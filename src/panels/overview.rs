//! Screen: What is broken, worst first, since when, and what may be done.

use super::{Panel, PanelContext};
use crate::core::place::{RowKey, Screen};
use crate::ui::content::Content;

/// The overview screen.
#[derive(Clone, Copy, Debug)]
pub struct Overview;

impl Panel for Overview {
    fn screen(&self) -> Screen {
        Screen::Overview
    }

    fn title(&self) -> &'static str {
        "overview"
    }

    fn help(&self) -> &'static str {
        "What is broken, worst first, since when, and what may be done."
    }

    fn content(&self, _context: PanelContext<'_>, _path: &[RowKey]) -> Content {
        Content::default()
    }
}
