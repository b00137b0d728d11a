//! The room between the tabs and the newest message: the line that says where one is and what of it is shown, the page below it, and on a
//! wide screen the row that is chosen beside its list.

use super::layout::Layout;
use super::model::Model;
use crate::core::scope::Scope;
use crate::core::text::counted;
use crate::ui::content::{Content, Line, Role};
use crate::ui::fit::natural;
use crate::ui::paper::MARGIN;
use crate::ui::select::{Level, shown};
use crate::ui::text::{cut, width};

/// Where one is has at least so many columns.
const LEAST_PLACE: usize = 20;
/// From this many columns and rows on there is room for a row beside its list.
const WIDE: (u16, u16) = (150, 40);
/// Columns of what stands beside a list, and between the two.
const LEAST_BESIDE: u16 = 54;
const BETWEEN: u16 = 2;

/// Columns and rows of the page, and columns of what stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Columns of the page.
    pub columns: u16,
    /// Its rows.
    pub rows: u16,
    /// Columns of what stands beside it; none where it is alone.
    pub beside: u16,
    /// A line above it says where one is.
    pub placed: bool,
}

/// The room of `content` on the open screen.
#[must_use]
pub fn room(model: &Model, content: &Content) -> Room {
    let size = model.room();
    let placed = placed(model, content);
    let rows = size.page() as u16 - u16::from(placed);
    let place = model.place();
    let level = place.level();
    // A page says itself what it is about. What is outside the scope may stand on one, and not unasked beside a list.
    let whole = model.scope == Scope::All && place.path.is_empty();
    let beside = level.filter(|_| {
        whole && size.width >= WIDE.0 && size.height >= WIDE.1 && model.habits.layout == Layout::Beside
    });
    let beside = beside.map_or(0, |level| beside_of(content, level, size.width));
    let columns = if beside > 0 { size.width - beside - BETWEEN } else { size.width };
    Room { columns, rows, beside, placed }
}

/// Columns beside the list: what its tables do not need, if that is enough to read something.
fn beside_of(content: &Content, level: &Level, columns: u16) -> u16 {
    if shown(content, level).is_empty() || level.views.values().any(|view| view.wide) {
        return 0;
    }
    let most = columns / 2;
    let needed = natural(content, level).saturating_add(MARGIN + BETWEEN);
    let left = columns.saturating_sub(needed).min(most);
    if left >= LEAST_BESIDE { left } else { LEAST_BESIDE }
}

/// Whether there is something to be said of where one is, or what is shown.
fn placed(model: &Model, content: &Content) -> bool {
    let place = model.place();
    !place.path.is_empty() || place.level().is_some_and(|level| !shown_by(level, content).is_empty())
}

/// What of the rows is shown: filter, marks, zoom.
fn shown_by(level: &Level, content: &Content) -> Vec<String> {
    let zoomed = if level.zoomed.is_some() { "zoomed" } else { "" };
    // One that is gone is kept on top of nothing.
    let mut rows =
        content.sections.iter().filter_map(|section| section.table.as_ref()).flat_map(|table| &table.rows);
    let pinned = level.pinned.as_ref().is_some_and(|pinned| rows.any(|row| row.key == *pinned));
    let pinned = if pinned { "1 pinned" } else { "" };
    let words = [level.filtered_by(), level.marked_by(), zoomed.to_owned(), pinned.to_owned()];
    words.into_iter().filter(|words| !words.is_empty()).collect()
}

/// Where one is, by what the rows are filtered, how many of them are shown, and what is marked. `all` is the page with every row, and
/// `lines` says how many lines of a page without rows hold what is looked for.
#[must_use]
pub fn place_line(model: &Model, all: &Content, columns: usize) -> Line {
    let place = model.place();
    let Some(level) = place.level() else { return Line::default() };
    let mut words = shown_by(level, all);
    if let Some(first) = words.first_mut().filter(|_| !level.filtered_by().is_empty()) {
        first.push_str(&format!(" ({})", how_many(all, level)));
    }
    // A filter may be a value of a row that was counted.
    let said = model.told_text(&words.join(" · "));
    let mut steps = vec![model.screen.name().to_owned()];
    steps.extend(place.levels.iter().skip(1).map(|level| model.told_text(&level.name)));
    let steps = steps.into_iter().filter(|step| !step.is_empty()).collect::<Vec<_>>().join(" › ");
    if said.is_empty() {
        return Line::of(Role::Strong, cut(&steps, columns));
    }
    let left = columns.saturating_sub(width(&said) + 2).max(LEAST_PLACE);
    // Its end is what one looks at: a long way is cut in front.
    let steps = if width(&steps) <= left {
        steps
    } else {
        let last = steps.rsplit(" › ").next().unwrap_or_default();
        format!("… › {}", cut(last, left.saturating_sub(4)))
    };
    Line::of(Role::Strong, steps).then(Role::Note, format!("  {said}"))
}

/// "9 of 14 shown"; of a page without rows, how many of its lines hold the text.
fn how_many(all: &Content, level: &Level) -> String {
    let rows = all.sections.iter().filter_map(|section| section.table.as_ref());
    let total: usize = rows.map(|table| table.rows.len()).sum();
    if total > 0 {
        let every = Level { counted: false, ..level.clone() };
        return format!("{} of {total} shown", shown(all, &every).len());
    }
    let lines = all.sections.iter().flat_map(|section| &section.lines);
    let found = lines.filter(|line| crate::ui::mark::holds(line, &level.filter)).count();
    format!("in {}", counted(found, "line"))
}
