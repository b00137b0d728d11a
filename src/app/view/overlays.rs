//! Draws what is open above the screen: its border, the lines in view, and below them what is always shown.

use crate::app::command::{Command, Context};
use crate::app::layout::{Laid, Size};
use crate::app::model::Model;
use crate::app::overlay::Overlay;
use crate::app::sheet;
use crate::app::window::Window;
use crate::core::text::counted;
use crate::ui::content::{Line, Role};
use crate::ui::mark::marked;
use crate::ui::render;
use crate::ui::text::cut;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Clear, Widget};

/// Columns of the screen beside a dialog with which nothing could be read.
const SLIVER: u16 = 8;

/// Draws `overlay` between the verdict and the newest message. Fields of one line live in the message line instead.
pub fn draw(model: &Model, overlay: &Overlay, area: Rect, buffer: &mut Buffer) {
    let size = Size { width: area.width, height: area.height };
    let Some(window) = overlay.window() else {
        return;
    };
    let Some(laid) = sheet::laid(model, overlay, size) else {
        let place = Rect::new(area.x, area.bottom().saturating_sub(2), area.width, 1);
        let sentence = Line::of(Role::Warning, no_room(model));
        Clear.render(place, buffer);
        render::line(&sentence, place, buffer, &model.theme);
        return;
    };
    let frame = Rect::new(area.x + laid.x, area.y + laid.y, laid.width, laid.height);
    // A blank column at each side; where less than a word of the screen would be left there, nothing of it.
    let sliver = frame.x.saturating_sub(area.x) < SLIVER;
    let left = if sliver { area.x } else { frame.x - 1 };
    let right = if sliver { area.right() } else { (frame.right() + 1).min(area.right()) };
    Clear.render(Rect::new(left, frame.y, right - left, frame.height), buffer);
    let set = border(model.arming.production, model.theme.ascii);
    let title = cut(&laid.sheet.title, usize::from(frame.width.saturating_sub(2)));
    let block = Block::bordered()
        .border_set(set)
        .border_style(model.theme.role(Role::Accent))
        .title(title)
        .title_style(Style::reset().patch(model.theme.role(Role::Strong)))
        .style(model.theme.role(Role::Text));
    let inner = block.inner(frame);
    block.render(frame, buffer);
    let top = window.top(&laid);
    let more = laid.scrolls().then(|| more(model, window, &laid));
    let body = laid.sheet.body.iter().enumerate().skip(top).take(laid.rows);
    let body = body.map(|(at, line)| marked(line, &window.find.text, window.is_found(at)));
    let lines = body.chain(more).chain(laid.sheet.foot.iter().cloned());
    for (row, line) in lines.enumerate() {
        let place = Rect::new(inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), 1);
        render::line(&line, place, buffer, &model.theme);
    }
}

/// The border: double in production, so that it is told apart without a colour and without a word.
fn border(production: bool, ascii: bool) -> border::Set<'static> {
    let all = |corner, vertical, horizontal| border::Set {
        top_left: corner,
        top_right: corner,
        bottom_left: corner,
        bottom_right: corner,
        vertical_left: vertical,
        vertical_right: vertical,
        horizontal_top: horizontal,
        horizontal_bottom: horizontal,
    };
    match (ascii, production) {
        (true, true) => all("#", "#", "="),
        (true, false) => all("+", "|", "-"),
        (false, true) => border::DOUBLE,
        (false, false) => border::PLAIN,
    }
}

/// How much is not in view, and whether it has to be.
fn more(model: &Model, window: &Window, laid: &Laid) -> Line {
    let key = |command| model.keymap.key_in(Context::Dialogs, command);
    let top = window.top(laid);
    let below = laid.sheet.body.len() - laid.rows - top;
    if !laid.sheet.decides || !laid.sheet.letters.is_empty() {
        let words = match (top, below) {
            (0, below) => format!("↓ {below} more"),
            (above, 0) => format!("↑ {above} more"),
            (above, below) => format!("↑ {above} and ↓ {below} more"),
        };
        return Line::of(Role::Muted, words);
    }
    match window.unseen(laid) {
        (0, 0) => Line::of(Role::Muted, format!("all of it was shown (↑ {top} ↓ {below})")),
        (_, below @ 1..) => {
            let lines = counted(below, "more line");
            Line::of(
                Role::Warning,
                format!("↓ {lines}: scroll to the end to confirm ({})", key(Command::PageDown)),
            )
        }
        (above, 0) => {
            let lines = counted(above, "more line");
            Line::of(
                Role::Warning,
                format!("↑ {lines} not shown yet: scroll back to confirm ({})", key(Command::PageUp)),
            )
        }
    }
}

/// What is said instead of a dialog that has no room; keys decide nothing then.
pub(super) fn no_room(model: &Model) -> String {
    let keep = model.keymap.key_in(Context::Dialogs, Command::Back);
    format!("the open dialog has no room here: nothing can be confirmed; make the window larger, or {keep}")
}

#[cfg(test)]
mod tests {
    use super::border;

    #[test]
    fn production_has_a_border_of_its_own_with_and_without_its_signs() {
        for ascii in [false, true] {
            let (there, elsewhere) = (border(true, ascii), border(false, ascii));
            assert_ne!(there.horizontal_top, elsewhere.horizontal_top);
            assert_ne!(there.vertical_left, elsewhere.vertical_left);
            assert!(!ascii || there.top_left.is_ascii() && elsewhere.top_left.is_ascii());
        }
    }
}
