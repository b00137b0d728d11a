//! Opens dialogs in which something is decided, where they have room to be seen.

use crate::app::layout::{LEAST, Size};
use crate::app::model::Model;
use crate::app::overlay::{Overlay, Typing};
use crate::app::sheet;
use crate::ui::content::Role;
use std::time::Duration;

/// A frame was drawn in a terminal of `size`.
pub fn drawn(model: &mut Model, size: Size) {
    let size = model.inside(size);
    let Some(mut overlay) = model.overlay.take() else {
        return;
    };
    let laid = sheet::laid(model, &overlay, size);
    if let Some(window) = overlay.window_mut() {
        window.drawn(laid.as_ref(), size);
    }
    model.overlay = Some(overlay);
}

/// Opens a dialog in which something is decided, if it has room; else it is said why not.
pub fn open(model: &mut Model, overlay: Overlay) {
    if sheet::laid(model, &overlay, model.room()).is_some() {
        model.overlay = Some(overlay);
        return;
    }
    model.overlay = None;
    let Size { width, height } = model.size;
    let words = if model.room().shows() {
        format!("this window ({width}x{height}) is too small to show what would be done; make it larger")
    } else {
        let least = LEAST;
        format!(
            "nothing can be done in a window of {width}x{height}: it could not be shown; make it at least {}x{}",
            least.width, least.height
        )
    };
    model.say(Role::Warning, words);
}

/// Opens the field for the environment's name, unless nothing can be armed; for how long, where another span than the usual one is wanted.
pub fn open_arm(model: &mut Model, span: Option<Duration>) {
    match &model.arming.read_only {
        Some(why) => {
            let why = why.clone();
            model.say(Role::Warning, format!("cannot be armed: {why}"));
        }
        None => open(model, Overlay::Arm(Typing { span, ..Typing::default() })),
    }
}
