//! Screen: Who blocks whom: each root with everybody who waits behind it.

use super::{Panel, PanelContext};
use crate::core::place::{RowKey, Screen};
use crate::ui::content::Content;

/// The blocking screen.
#[derive(Clone, Copy, Debug)]
pub struct Blocking;

impl Panel for Blocking {
    fn screen(&self) -> Screen {
        Screen::Blocking
    }

    fn title(&self) -> &'static str {
        "blocking"
    }

    fn help(&self) -> &'static str {
        "Who blocks whom: each root with everybody who waits behind it."
    }

    fn content(&self, _context: PanelContext<'_>, _path: &[RowKey]) -> Content {
        Content::default()
    }
}
