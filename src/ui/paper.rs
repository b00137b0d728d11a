//! Content as lines below each other, before any of it is drawn: which line each row has, which columns of a table have room, what stands
//! below a row that is too long, and where the view is. Nothing is left out: what is not in view can be scrolled to.

use super::column::Long;
use super::content::{Content, Line, Role, Row, Section, Span};
use super::filter::Filter;
use super::fit::{GAP, Layout, fit};
use super::graph::Graphs;
use super::select::{Level, arrange};
use super::text::{cut, split, width};
use std::ops::Range;
use std::rc::Rc;

/// Columns left of every row: the cursor's mark and the mark of a chosen row.
pub const MARGIN: u16 = 2;
/// A label is so wide at the most: behind it the lines of its text are aligned.
const LABEL: usize = 20;
/// Longer lines of text are hard to read.
const READABLE: usize = 110;

/// One line.
#[derive(Debug)]
pub enum Item<'a> {
    /// Nothing.
    Blank,
    /// A heading or a text.
    Text(Line),
    /// One line of graphs: which, and of how many rows their plots are.
    Graph(&'a Graphs, usize, usize),
    /// The headings of a table.
    Header(Rc<Layout<'a>>),
    /// A row.
    Row {
        /// Its table.
        layout: Rc<Layout<'a>>,
        /// Itself.
        row: &'a Row,
        /// Its place among all rows.
        index: usize,
    },
    /// What of a row had no room on its line.
    Below {
        /// What it says.
        line: Line,
        /// The row.
        row: &'a Row,
        /// Its place among all rows.
        index: usize,
    },
    /// What stands in place of rows.
    Empty(Line),
}

/// Content in lines.
#[derive(Debug)]
pub struct Paper<'a> {
    /// Every line.
    pub items: Vec<Item<'a>>,
    /// The lines of each row, in the order in which the cursor moves.
    pub rows: Vec<Range<usize>>,
    /// The rows.
    pub flat: Vec<&'a Row>,
}

/// Where the view and the cursor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    /// The first line in view.
    pub top: usize,
    /// The row under the cursor.
    pub cursor: Option<usize>,
    /// The view was moved away from the cursor.
    pub away: bool,
}

impl<'a> Paper<'a> {
    /// `content` as `level` shows it in so many columns, on a screen of so many rows.
    #[must_use]
    pub fn new(content: &'a Content, level: &Level, (columns, height): (u16, usize)) -> Self {
        let arranged = arrange(content, level);
        let mut paper = Self { items: Vec::new(), rows: Vec::new(), flat: Vec::new() };
        let mistake = Filter::parse(&level.filter).mistake(content);
        let room = usize::from(columns);
        for (section, rows) in content.sections.iter().zip(arranged) {
            // The axis of a graph ends it.
            if !matches!(paper.items.last(), None | Some(Item::Graph(..))) {
                paper.items.push(Item::Blank);
            }
            if !section.title.is_empty() {
                let title = Line::of(Role::Strong, &section.title);
                paper.items.extend(title.flow(room, 2).into_iter().map(Item::Text));
            }
            for line in &section.lines {
                match line.graphs.as_ref().map(|graphs| (graphs, graphs.rows(height))) {
                    Some((graphs, rows @ 1..)) => {
                        paper.items.extend((0..rows + 2).map(|line| Item::Graph(graphs, line, rows)));
                    }
                    Some(_) | None => paper.items.extend(flowed(line, room).into_iter().map(Item::Text)),
                }
            }
            paper.table(section, &rows, (level, mistake.as_deref(), columns.saturating_sub(MARGIN)));
        }
        paper
    }

    fn table(
        &mut self,
        section: &'a Section,
        rows: &[&'a Row],
        (level, mistake, room): (&Level, Option<&str>, u16),
    ) {
        let Some(table) = &section.table else {
            return;
        };
        if rows.is_empty() {
            let hidden = !table.rows.is_empty() && !level.filtered_by().is_empty();
            let words = match mistake {
                Some(why) if hidden => format!("the filter cannot be understood: {why}"),
                _ if hidden => "nothing matches the filter; going back clears it".to_owned(),
                _ => table.empty.clone(),
            };
            let lines = Line::of(Role::Muted, words).flow(usize::from(room), 0);
            self.items.extend(lines.into_iter().map(Item::Empty));
            return;
        }
        let view = level.view(section, table).cloned().unwrap_or_default();
        let layout = Rc::new(fit(table, rows, &view, room));
        self.items.push(Item::Header(Rc::clone(&layout)));
        for row in rows {
            let (at, index) = (self.items.len(), self.rows.len());
            self.items.push(Item::Row { layout: Rc::clone(&layout), row, index });
            let below = below(&layout, row, usize::from(room));
            self.items.extend(below.into_iter().map(|line| Item::Below { line, row, index }));
            self.rows.push(at..self.items.len());
            self.flat.push(row);
        }
    }

    /// The first line where the last ones are in view.
    #[must_use]
    pub fn last_top(&self, height: usize) -> usize {
        self.items.len().saturating_sub(height)
    }

    /// Where the view and the cursor are by `level`: a row that is chosen stays in view, unless the view was moved away from it.
    #[must_use]
    pub fn stand(&self, level: &Level, height: usize) -> Stand {
        let cursor = level.position(&self.flat);
        let stand = Stand { top: level.scroll.min(self.last_top(height)), cursor, away: level.away };
        match cursor {
            Some(cursor) if !level.away => {
                Stand { top: self.follow(stand.top, cursor, height, height / 4), ..stand }
            }
            Some(_) | None => stand,
        }
    }

    /// Whether all of a row is seen when `top` is the first line in view: a header that stays covers that line.
    #[must_use]
    pub fn sees(&self, top: usize, row: usize, height: usize) -> bool {
        self.rows.get(row).is_some_and(|lines| (lines.start > top || top == 0) && lines.end <= top + height)
    }

    /// The first line in view with which a row is seen, as near to `top` as can be; so many lines more where the view moves down.
    fn follow(&self, top: usize, row: usize, height: usize, ahead: usize) -> usize {
        let Some(lines) = self.rows.get(row).filter(|_| !self.sees(top, row, height)) else { return top };
        if lines.start <= top {
            return lines.start.saturating_sub(1);
        }
        // A row that is higher than the view shows its first line.
        let wanted = (lines.end + ahead).saturating_sub(height).min(self.last_top(height));
        wanted.min(lines.start.saturating_sub(1))
    }

    /// So many steps down, or up: from row to row where the next one is near, else line by line through what stands between.
    #[must_use]
    pub fn walk(&self, mut stand: Stand, by: i64, height: usize) -> Stand {
        let farthest = (self.items.len() + self.rows.len()) as i64;
        if by.abs() > farthest {
            return self.end(by > 0, height);
        }
        for _ in 0..by.abs() {
            let next = if by > 0 { self.down(stand, height) } else { self.up(stand, height) };
            if next == stand {
                break;
            }
            stand = next;
        }
        stand
    }

    /// At the first line, or at the last one.
    fn end(&self, last: bool, height: usize) -> Stand {
        let top = if last { self.last_top(height) } else { 0 };
        let cursor = if last { self.rows.len().checked_sub(1) } else { (!self.rows.is_empty()).then_some(0) };
        Stand { top, cursor, away: cursor.is_some_and(|row| !self.sees(top, row, height)) }
    }

    fn chosen(&self, top: usize, row: usize, height: usize) -> Stand {
        Stand { top: self.follow(top, row, height, 0), cursor: Some(row), away: false }
    }

    fn scrolled(&self, stand: Stand, top: usize, height: usize) -> Stand {
        Stand { top, away: stand.cursor.is_some_and(|row| !self.sees(top, row, height)), ..stand }
    }

    fn down(&self, stand: Stand, height: usize) -> Stand {
        let seen = stand.cursor.filter(|row| self.sees(stand.top, *row, height));
        let next = match seen {
            Some(row) => Some(row + 1).filter(|next| *next < self.rows.len()),
            None => self.rows.iter().position(|lines| lines.start > stand.top),
        };
        // One that is one step below the view comes into it.
        let near = next.filter(|row| self.rows[*row].start <= stand.top + height);
        match near {
            Some(row) => self.chosen(stand.top, row, height),
            None if stand.top < self.last_top(height) => self.scrolled(stand, stand.top + 1, height),
            None => stand,
        }
    }

    fn up(&self, stand: Stand, height: usize) -> Stand {
        let seen = stand.cursor.filter(|row| self.sees(stand.top, *row, height));
        let next = match seen {
            Some(row) => row.checked_sub(1),
            None => self.rows.iter().rposition(|lines| lines.end <= stand.top + height),
        };
        let near = next.filter(|row| self.rows[*row].end >= stand.top);
        match near {
            Some(row) => self.chosen(stand.top, row, height),
            None if stand.top > 0 => self.scrolled(stand, stand.top - 1, height),
            None => stand,
        }
    }
}

/// A line of a page on as many lines as it needs; behind a label its text is aligned.
fn flowed(line: &Line, room: usize) -> Vec<Line> {
    let label = line.spans.first().filter(|span| line.spans.len() > 1 && span.text.ends_with(' '));
    let label = label.map(|span| width(&span.text)).filter(|label| *label <= LABEL);
    let room = if label.is_some() { room.min(READABLE) } else { room };
    let whole: usize = line.spans.iter().map(|span| width(&span.text)).sum();
    if line.drawn || whole <= room {
        return vec![line.clone()];
    }
    line.flow(room, label.unwrap_or(2))
}

/// A text that goes on below its row: from which column of the screen on, and what.
type Piece = (usize, Role, String);

/// What of `row` has no room on its line and is wanted below it: the rest of texts that are too long, then columns that were left out.
fn below(layout: &Layout<'_>, row: &Row, room: usize) -> Vec<Line> {
    // In wide mode a column that is out of view is scrolled to.
    if layout.view.wide || row.brief {
        return Vec::new();
    }
    let mut most = 1;
    let (mut rests, mut others): (Vec<Piece>, Vec<Piece>) = (Vec::new(), Vec::new());
    for (place, column) in layout.table.columns.iter().enumerate() {
        let (Long::Below(lines), Some(cell)) = (column.long, row.cells.get(place)) else { continue };
        most = most.max(lines);
        let words = cell.words();
        match layout.columns.iter().position(|(shown, _)| *shown == place) {
            Some(at) => {
                let columns = usize::from(layout.columns[at].1);
                if width(&words) > columns {
                    let before: u16 = layout.columns[..at].iter().map(|(_, columns)| columns + GAP).sum();
                    let rest = broken(&words, columns).1.trim_start().to_owned();
                    rests.push((usize::from(before), cell.role, rest));
                }
            }
            None if words.trim().is_empty() => {}
            None => others.push((4, cell.role, format!("{} {words}", column.title))),
        }
    }
    if most > 1 && rests.len() > 1 {
        return [beside(&rests, room, most), joined(&others, room, most)].concat();
    }
    joined(&[rests, others].concat(), room, most)
}

/// Texts one behind the other, below the first one; what has no room behind another begins a line of its own.
fn joined(pieces: &[Piece], room: usize, most: usize) -> Vec<Line> {
    let indent = pieces.first().map_or(0, |(indent, ..)| *indent).min(room / 2);
    let mut lines: Vec<Line> = Vec::new();
    for (_, role, words) in pieces {
        let full = lines.len() >= most;
        let behind = lines.last_mut().filter(|last| full || width(&last.plain()) + 3 + width(words) <= room);
        if let Some(last) = behind {
            *last = std::mem::take(last).then(Role::Muted, " · ").then(*role, words);
        } else {
            let line = Line::text(" ".repeat(indent)).then(*role, words);
            lines.extend(on_lines(&line, (room, indent), most - lines.len()));
        }
    }
    lines
}

/// Texts beside each other, each below its own column.
fn beside(pieces: &[Piece], room: usize, most: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (at, (indent, role, words)) in pieces.iter().enumerate() {
        // Two texts that a single blank parts read as one.
        let end = pieces.get(at + 1).map_or(room, |(next, ..)| next.saturating_sub(usize::from(GAP) + 1));
        let own = end.saturating_sub(*indent).max(1);
        for (place, text) in on_lines(&Line::of(*role, words), (own, 0), most).into_iter().enumerate() {
            if lines.len() <= place {
                lines.push(Line::default());
            }
            let mut text = text.plain();
            if at + 1 < pieces.len() {
                text = cut(&text, own).into_owned();
            }
            let line = std::mem::take(&mut lines[place]);
            let gap = indent.saturating_sub(width(&line.plain()));
            lines[place] = line.then(Role::Text, " ".repeat(gap)).then(*role, text);
        }
    }
    lines
}

/// A text on at most so many lines; what is too much for the last one is cut there when it is drawn, with a mark.
fn on_lines(line: &Line, (room, indent): (usize, usize), most: usize) -> Vec<Line> {
    let mut lines = line.flow(room, indent);
    let over = lines.split_off(lines.len().min(most));
    if let Some(last) = lines.last_mut() {
        let spans = over.into_iter().flat_map(|line| line.spans).filter(|span| !span.text.trim().is_empty());
        let spans = spans.map(|Span { text, role }| Span { text: format!(" {}", text.trim_start()), role });
        last.spans.extend(spans);
    }
    lines
}

/// `text` in two, at a blank where one is near: what has room in so many columns, and what goes on below.
#[must_use]
pub fn broken(text: &str, columns: usize) -> (&str, &str) {
    let (fits, over) = split(text, columns);
    if over.is_empty() || over.starts_with(' ') {
        return (fits, over);
    }
    match fits.trim_end().rfind(' ').filter(|at| *at * 2 > fits.len()) {
        Some(at) => text.split_at(at),
        None => (fits, over),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::TargetId;
    use crate::core::row::RowKey;
    use crate::ui::content::{Cell, Column, Table};

    fn row(name: &str) -> Row {
        Row::flat(RowKey::Target(TargetId::new(name)), vec![Cell::text(name)])
    }

    /// Twelve lines of text, two rows, twelve lines of text.
    fn page() -> Content {
        let lines = || (0..12).map(|n| Line::text(format!("line {n}"))).collect::<Vec<_>>();
        let table = Table {
            columns: vec![Column::flex("name", 6, 0)],
            rows: vec![row("a"), row("b")],
            ..Table::default()
        };
        let above = Section { title: String::new(), lines: lines(), table: Some(table) };
        Content { title: String::new(), sections: vec![above, Section::lines("", lines())] }
    }

    /// Every line that is seen on the way down, and on the way up again.
    #[test]
    fn every_line_is_reached_step_by_step_however_low_the_window_is() {
        let content = page();
        let paper = Paper::new(&content, &Level::default(), (40, 24));
        for height in 2..30 {
            for begin in [false, true] {
                let mut stand = paper.end(begin, height);
                let mut seen = vec![false; paper.items.len()];
                let mut chosen = [false; 2];
                for _ in 0..80 {
                    for line in (stand.top..paper.items.len()).take(height) {
                        let pinned = line == stand.top
                            && stand.top > 0
                            && matches!(paper.items[line], Item::Row { .. } | Item::Below { .. });
                        seen[line] |= !pinned;
                    }
                    if let Some(row) = stand.cursor.filter(|row| paper.sees(stand.top, *row, height)) {
                        chosen[row] = true;
                    }
                    stand = paper.walk(stand, if begin { -1 } else { 1 }, height);
                }
                assert!(seen.iter().all(|seen| *seen), "{height} lines, {begin}: {seen:?}");
                assert_eq!(chosen, [true; 2], "{height} lines, {begin}: every row can be chosen");
            }
        }
    }

    #[test]
    fn a_row_that_is_chosen_stays_in_view_and_one_that_was_left_does_not_pull() {
        let content = page();
        let paper = Paper::new(&content, &Level::default(), (40, 24));
        let level = Level { cursor: Some(row("b").key), ..Level::default() };
        let stand = paper.stand(&level, 6);
        assert!(paper.sees(stand.top, 1, 6), "{stand:?}");
        let left = paper.stand(&Level { away: true, ..level }, 6);
        assert_eq!((left.top, left.cursor), (0, Some(1)));
        assert!(!paper.sees(left.top, 1, 6));
    }

    fn sentence(words: &str, brief: bool) -> Row {
        let cells = vec![Cell::text("!"), Cell::text(words), Cell::text("act"), Cell::text("5 s")];
        let row = Row::flat(RowKey::Target(TargetId::new(words)), cells);
        if brief { row.brief() } else { row }
    }

    fn sentences(rows: Vec<Row>) -> Content {
        let columns = vec![
            Column::fixed("", 2, 0),
            Column::flex("finding", 10, 0).below(),
            Column::fixed("next", 20, 3).below(),
            Column::number("for", 5, 1),
        ];
        let table = Table { columns, rows, fixed_order: true, ..Table::default() };
        Content { title: String::new(), sections: vec![Section::table("", table)] }
    }

    #[track_caller]
    fn second_line(content: &Content, columns: u16, expected: Option<&str>) {
        let paper = Paper::new(content, &Level::default(), (columns, 24));
        let line = paper.items.iter().find_map(|item| match item {
            Item::Below { line, .. } => Some(line.plain()),
            _ => None,
        });
        assert_eq!(line.as_deref(), expected);
    }

    #[test]
    fn what_has_no_room_on_its_line_goes_on_below_it() {
        let long = "the disk of the primary is full and nothing is written";
        second_line(
            &sentences(vec![sentence(long, false)]),
            36,
            Some("   is full and nothing is written · next act"),
        );
        second_line(&sentences(vec![sentence(long, false)]), 110, None);
        second_line(&sentences(vec![sentence("short", false)]), 36, Some("    next act"));
        second_line(&sentences(vec![sentence(long, true)]), 36, None);
    }

    #[test]
    fn what_has_no_room_on_one_line_below_goes_on_where_more_are_wanted() {
        let mut content =
            sentences(vec![sentence("the disk of the primary is full and nothing is written", false)]);
        let columns = &mut content.sections[0].table.as_mut().expect("a table").columns;
        columns[1] = Column::flex("finding", 10, 0).below_on(2);
        let lines = |content: &Content, columns: u16| -> Vec<String> {
            let paper = Paper::new(content, &Level::default(), (columns, 24));
            assert_eq!(paper.rows, std::iter::once(1..paper.items.len()).collect::<Vec<_>>());
            let below = paper.items.iter().filter_map(|item| match item {
                Item::Below { line, .. } => Some(line.plain()),
                _ => None,
            });
            below.collect()
        };
        assert_eq!(lines(&content, 36), ["   is full and nothing is written", "   next act"]);
        // Where both of two columns have no room, each goes on below itself.
        content.sections[0].table.as_mut().expect("a table").columns[2] =
            Column::fixed("next", 10, 0).below_on(2);
        let cell = Cell::text("free some space, then try it again");
        content.sections[0].table.as_mut().expect("a table").rows[0].cells[2] = cell;
        assert_eq!(
            lines(&content, 40),
            ["   primary is full    space, then try", "   and nothing is w…  it again"]
        );
        content.sections[0].table.as_mut().expect("a table").rows[0].cells[2] = Cell::text("act");
        // What the last line cannot hold is cut when it is drawn, with a mark.
        assert_eq!(lines(&content, 24), ["   primary is full and", "   nothing is written · next act"]);
    }

    #[test]
    fn columns_take_what_their_texts_need_and_no_more() {
        let content = sentences(vec![sentence("short", false)]);
        let paper = Paper::new(&content, &Level::default(), (160, 24));
        let Some(Item::Header(layout)) = paper.items.first() else { panic!("{paper:?}") };
        assert_eq!(layout.columns, [(0, 2), (1, 10), (2, 20), (3, 5)]);
    }
}
