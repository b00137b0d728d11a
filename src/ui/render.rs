//! Draws content: sections one below the other, tables with the columns that fit, the row under the cursor always in view.

use super::before::{Before, Beside};
use super::column::{Changes, Column, Long};
use super::content::{Cell, Content, Line, Role, Row, SortKey};
use super::fit::{GAP, Layout};
use super::mark::marked;
use super::paper::{Item, MARGIN, Paper, Stand, broken};
use super::plot;
pub use super::put::put;
use super::select::Level;
use super::spark;
use super::text::{cut, cut_front, width};
use super::theme::Theme;
use crate::core::row::RowKey;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::borrow::Cow;
use std::cmp::Ordering;

/// How many lines are out of view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// Above it.
    pub above: usize,
    /// Below it.
    pub below: usize,
}

/// Draws `content` into `area` as `level` shows it, and where it was another `before`; what of it is not in view.
pub fn content(
    content: &Content,
    before: Option<&Before>,
    level: &Level,
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
) -> Rest {
    let paper = Paper::new(content, level, (area.width, usize::from(area.height)));
    let stand = paper.stand(level, usize::from(area.height));
    let before = before.map(|before| before.beside(content)).unwrap_or_default();
    draw_paper(&paper, (level, stand, &before), area, buffer, theme)
}

/// The same from its first line on, with no row chosen.
pub fn unchosen(content: &Content, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let level = Level::default();
    let paper = Paper::new(content, &level, (area.width, usize::from(area.height)));
    let stand = Stand { top: 0, cursor: None, away: true };
    draw_paper(&paper, (&level, stand, &Beside::default()), area, buffer, theme);
}

fn draw_paper(
    paper: &Paper<'_>,
    (level, stand, before): (&Level, Stand, &Beside<'_>),
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
) -> Rest {
    if area.is_empty() {
        return Rest::default();
    }
    let height = usize::from(area.height);
    for (line, item) in paper.items.iter().skip(stand.top).take(height).enumerate() {
        let row = Rect::new(area.x, area.y + line as u16, area.width, 1);
        if let Item::Graph(graphs, first, rows) = item
            && (line == 0 || *first == 0)
        {
            let below = Rect::new(area.x, row.y, area.width, area.bottom() - row.y);
            plot::draw(graphs, (*first, *rows), below, buffer, theme);
        }
        if let Some(layout) = pinned(paper, stand.top, line) {
            header(layout, row, buffer, theme);
        } else {
            let found = level.found == Some(stand.top + line);
            draw_item(item, (level, found, before), stand.cursor, row, buffer, theme);
        }
    }
    let below = paper.items.len().saturating_sub(stand.top + height);
    Rest { above: stand.top, below }
}

/// A table whose header scrolled away keeps it on the first line.
fn pinned<'a, 'b>(paper: &'b Paper<'a>, top: usize, line: usize) -> Option<&'b Layout<'a>> {
    if line > 0 || top == 0 {
        return None;
    }
    match paper.items.get(top)? {
        Item::Row { layout, .. } => Some(layout),
        Item::Below { index, .. } => {
            let first = paper.rows.get(*index).and_then(|lines| paper.items.get(lines.start));
            if let Some(Item::Row { layout, .. }) = first { Some(layout) } else { None }
        }
        Item::Blank | Item::Text(_) | Item::Graph(..) | Item::Header(_) | Item::Empty(_) => None,
    }
}

/// The row that [`content`] draws on `line` of an area of this size.
#[must_use]
pub fn row_at(content: &Content, level: &Level, (width, height): (u16, u16), line: u16) -> Option<RowKey> {
    let paper = Paper::new(content, level, (width, usize::from(height)));
    let top = paper.stand(level, usize::from(height)).top;
    // A header that stays stands above the row that would be there.
    if line >= height || pinned(&paper, top, usize::from(line)).is_some() {
        return None;
    }
    match paper.items.get(top + usize::from(line))? {
        Item::Row { row, .. } | Item::Below { row, .. } => Some(row.key.clone()),
        Item::Blank | Item::Text(_) | Item::Graph(..) | Item::Header(_) | Item::Empty(_) => None,
    }
}

fn draw_item(
    item: &Item<'_>,
    (level, found, before): (&Level, bool, &Beside<'_>),
    cursor: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
) {
    match item {
        // Graphs are drawn as a whole from their first line on that is in view.
        Item::Blank | Item::Graph(..) => {}
        Item::Text(text) => line(&marked(text, &level.filter, found), area, buffer, theme),
        Item::Header(layout) => header(layout, area, buffer, theme),
        Item::Empty(sentence) => line(sentence, inner(area), buffer, theme),
        Item::Row { layout, row, index } => {
            let marked = level.marks.contains_key(&row.key);
            let chosen = (cursor == Some(*index), marked);
            table_row(layout, (row, before.row(layout.table, &row.key)), chosen, area, buffer, theme);
        }
        Item::Below { line: text, index, .. } => {
            line(text, inner(area), buffer, theme);
            selected(cursor == Some(*index), area, buffer, theme);
        }
    }
}

/// `area` without the columns of the cursor's mark.
fn inner(area: Rect) -> Rect {
    Rect::new(area.x + MARGIN.min(area.width), area.y, area.width.saturating_sub(MARGIN), 1)
}

/// Draws one line of spans (and its sparkline) into the first row of `area`.
pub fn line(line: &Line, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let mut x = area.x;
    let end = area.right();
    for span in &line.spans {
        if x >= end {
            return;
        }
        let text = cut(&span.text, usize::from(end - x));
        put(buffer, Rect::new(x, area.y, end - x, 1), &text, theme.role(span.role));
        x += width(&text) as u16;
    }
    if let Some(samples) = &line.spark
        && x + 4 < end
    {
        let room = usize::from(end - x - 1).min(60);
        let drawn = spark::draw(samples, room.min(samples.len().max(1)), theme.ascii);
        put(buffer, Rect::new(x + 1, area.y, end - x - 1, 1), &drawn, theme.role(Role::Muted));
    }
}

fn header(layout: &Layout<'_>, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let style = theme.role(Role::Muted);
    let table = layout.table;
    let mut x = area.x + MARGIN;
    for &(index, columns) in &layout.columns {
        let column = &table.columns[index];
        let title = cut(&column.title, usize::from(columns));
        put_aligned(buffer, x, area, columns, column.right, &title, style);
        if let Some((sorted, descending)) = layout.view.sort
            && sorted == index
            && !table.fixed_order
        {
            let arrow = match (descending, theme.ascii) {
                (true, false) => "▼",
                (false, false) => "▲",
                (true, true) => "v",
                (false, true) => "^",
            };
            // Behind the heading, where there is always a blank.
            let used = if column.right { columns } else { width(&title) as u16 };
            let at = (x + used).min(area.right().saturating_sub(1));
            put(buffer, Rect::new(at, area.y, 1.min(area.width), 1), arrow, style);
        }
        x += columns + GAP;
    }
    // Marks where columns have no room: in front, and behind the last one.
    if layout.more.0 && area.width > 0 {
        put(buffer, Rect::new(area.x, area.y, 1, 1), "‹", style);
    }
    if layout.more.1 && area.width > 0 {
        put(buffer, Rect::new(area.right() - 1, area.y, 1, 1), "›", style);
    }
}

fn table_row(
    layout: &Layout<'_>,
    (row, before): (&Row, Option<&Row>),
    (here, marked): (bool, bool),
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
) {
    let glyphs = match (here, marked) {
        (true, true) => ">*",
        (true, false) => "> ",
        (false, true) => " *",
        (false, false) => "  ",
    };
    put(buffer, area, glyphs, theme.role(Role::Strong));
    let mut x = area.x + MARGIN;
    for &(index, columns) in &layout.columns {
        if let Some(cell) = row.cells.get(index) {
            let text = cell_text(cell, (columns, &layout.table.columns[index]), row.brief, theme);
            // Beside what is wrong they stand back.
            let role = if cell.spark.is_some() { Role::Muted } else { cell.role };
            put_aligned(buffer, x, area, columns, layout.table.columns[index].right, &text, theme.role(role));
            let was = before.and_then(|row| row.cells.get(index));
            if layout.table.columns[index].changes == Changes::Told
                && let Some(sign) = was.and_then(|was| changed(was, cell))
            {
                // In front of the number, where there is always a blank.
                let at = (x + columns.saturating_sub(width(&text) as u16)).saturating_sub(1).max(area.x);
                let place = Rect::new(at, area.y, 1, 1).intersection(area);
                put(buffer, place, sign, theme.role(Role::Muted));
            }
        }
        x += columns + GAP;
    }
    selected(here, area, buffer, theme);
}

/// Whether a number is more than it was, or less, as far as that is seen.
fn changed(was: &Cell, is: &Cell) -> Option<&'static str> {
    let (SortKey::Number(Some(before)), SortKey::Number(Some(now))) = (&was.sort, &is.sort) else {
        return None;
    };
    let sign = match now.partial_cmp(before)? {
        Ordering::Greater => "↑",
        Ordering::Less => "↓",
        Ordering::Equal => return None,
    };
    (was.words() != is.words()).then_some(sign)
}

/// Last, and over all: a row of one look. What is bad in it is also said in words.
fn selected(here: bool, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    if here {
        buffer.set_style(area, Style::reset().patch(theme.part("selected")));
    }
}

fn cell_text<'a>(
    cell: &'a Cell,
    (columns, column): (u16, &Column),
    brief: bool,
    theme: &Theme,
) -> Cow<'a, str> {
    let columns = usize::from(columns);
    if let Some(samples) = &cell.spark {
        return spark::draw(samples, columns, theme.ascii).into();
    }
    match cell.words() {
        Cow::Borrowed(words) => fitted(words, (columns, column), brief),
        Cow::Owned(words) => fitted(&words, (columns, column), brief).into_owned().into(),
    }
}

fn fitted<'a>(words: &'a str, (columns, column): (usize, &Column), brief: bool) -> Cow<'a, str> {
    match column.long {
        // What has no room here stands below.
        Long::Below(_) if !brief => broken(words, columns).0.into(),
        Long::Ending => cut_front(words, columns),
        Long::Below(_) | Long::Cut => cut(words, columns),
    }
}

fn put_aligned(buffer: &mut Buffer, x: u16, area: Rect, columns: u16, right: bool, text: &str, style: Style) {
    let used = width(text) as u16;
    let x = if right { x + columns.saturating_sub(used) } else { x };
    if x < area.right() {
        put(buffer, Rect::new(x, area.y, area.right() - x, 1), text, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::TargetId;
    use crate::ui::content::{Column, Section, Table};
    use crate::ui::select::{View, name};
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    fn table(rows: usize) -> Content {
        let rows = (0..rows)
            .map(|n| {
                let name = format!("row {n}");
                Row::flat(
                    RowKey::Target(TargetId::new(&name)),
                    vec![Cell::text(&name), Cell::number(Some(n as f64), "1"), Cell::text("x")],
                )
            })
            .collect();
        let table = Table {
            columns: vec![Column::flex("name", 6, 0), Column::number("n", 5, 1), Column::fixed("more", 8, 2)],
            rows,
            empty: "nothing here".to_owned(),
            fixed_order: false,
        };
        Content { title: String::new(), sections: vec![Section::table("things", table)] }
    }

    fn draw(content_: &Content, level: &Level, width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let theme = Theme::built_in("mono").unwrap();
        content(content_, None, level, area, &mut buffer, &theme);
        (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn the_least_important_column_goes_first() {
        let wide = draw(&table(1), &Level::default(), 30, 3);
        assert_eq!(wide, ["things", "  name       n more", "> row 0      1 x"]);
        let narrow = draw(&table(1), &Level::default(), 16, 3);
        assert_eq!(narrow, ["things", "  name       n ›", "> row 0      1"]);
    }

    #[test]
    fn of_paths_that_have_no_room_the_ends_are_told() {
        let row = |name: &str| {
            Row::flat(RowKey::Target(TargetId::new(name)), vec![Cell::text(name), Cell::text("1")])
        };
        let made = |column: Column| {
            let table = Table {
                columns: vec![column, Column::fixed("n", 2, 0)],
                rows: vec![row("/queues/mail/waiting"), row("/queues/mail/active")],
                ..Table::default()
            };
            Content { title: String::new(), sections: vec![Section::table("values", table)] }
        };
        let path = || Column::flex("path", 8, 0);
        let told = draw(&made(path().ending()), &Level::default(), 18, 4);
        assert_eq!(told[2..], ["> …mail/waiting 1", "  …/mail/active 1"].map(str::to_owned));
        let told = draw(&made(path()), &Level::default(), 18, 4);
        assert_eq!(told[2..], ["> /queues/mail… 1", "  /queues/mail… 1"].map(str::to_owned));
    }

    #[test]
    fn the_cursor_is_always_in_view_and_the_header_stays() {
        let content = table(50);
        let level = Level { cursor: Some(RowKey::Target(TargetId::new("row 40"))), ..Level::default() };
        let lines = draw(&content, &level, 30, 8);
        assert!(lines[0].contains("name"), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("> row 40")), "{lines:?}");
    }

    #[test]
    fn the_row_at_a_line_is_the_one_that_is_drawn_there() {
        let content = table(50);
        for cursor in ["row 0", "row 40"] {
            let level = Level { cursor: Some(RowKey::Target(TargetId::new(cursor))), ..Level::default() };
            for (line, drawn) in draw(&content, &level, 30, 8).iter().enumerate() {
                let found = row_at(&content, &level, (30, 8), line as u16);
                let name = found.and_then(|key| key.target().map(|target| target.as_str().to_owned()));
                let row = drawn.trim_start_matches('>').trim().split("  ").next().unwrap_or_default();
                assert_eq!(name.as_deref(), row.starts_with("row").then_some(row), "{drawn}");
            }
            assert_eq!(row_at(&content, &level, (30, 8), 8), None);
        }
    }

    #[test]
    fn beside_a_number_that_was_another_one_stands_whether_it_is_more_or_less() {
        let with = |numbers: [Option<f64>; 3]| {
            let mut content = table(3);
            if let Some(table) = content.sections[0].table.as_mut() {
                table.columns[1] = Column::number("n", 5, 1).changing();
                for (row, number) in table.rows.iter_mut().zip(numbers) {
                    row.cells[1] = Cell::figure(number, |value| format!("{value:.0}"));
                }
            }
            content
        };
        let lines = |before: &Content, now: &Content| -> Vec<String> {
            let area = Rect::new(0, 0, 30, 5);
            let mut buffer = Buffer::empty(area);
            let theme = Theme::built_in("mono").unwrap();
            let before = Before::of(Arc::new(before.clone()));
            content(now, Some(&before), &Level::default(), area, &mut buffer, &theme);
            (2..5).map(|y| (0..14).map(|x| buffer[(x, y)].symbol()).collect::<String>()).collect()
        };
        let now = with([Some(12.0), Some(12_345.0), Some(5.2)]);
        let told = lines(&with([Some(9.0), Some(20_000.0), Some(4.9)]), &now);
        assert_eq!(
            told,
            ["> row 0    ↑12", "  row 1 ↓12345", "  row 2      5"],
            "the last is written as before"
        );
        // What was not known has not changed, and a row that moved is compared with itself.
        let mut other = with([None, Some(12_345.0), Some(1.0)]);
        if let Some(table) = other.sections[0].table.as_mut() {
            table.rows.reverse();
        }
        assert_eq!(lines(&other, &now), ["> row 0     12", "  row 1  12345", "  row 2     ↑5"]);
    }

    #[test]
    fn rows_of_two_tables_that_stand_for_one_thing_are_compared_each_with_its_own() {
        let with = |first: f64, second: f64| {
            let mut content = table(1);
            content.sections.extend(table(1).sections);
            content.sections[1].title = "others".into();
            for (section, number) in content.sections.iter_mut().zip([first, second]) {
                let Some(table) = section.table.as_mut() else { continue };
                table.columns[1] = Column::number("n", 5, 1).changing();
                table.rows[0].cells[1] = Cell::figure(Some(number), |value| format!("{value:.0}"));
            }
            content
        };
        let area = Rect::new(0, 0, 20, 8);
        let mut buffer = Buffer::empty(area);
        let theme = Theme::built_in("mono").unwrap();
        let before = Before::of(Arc::new(with(5.0, 9.0)));
        content(&with(7.0, 9.0), Some(&before), &Level::default(), area, &mut buffer, &theme);
        let lines: Vec<String> = (0..8)
            .map(|y| (0..14).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
            .filter(|line| line.contains("row 0"))
            .collect();
        assert_eq!(lines, ["> row 0     ↑7", "  row 0      9"]);
    }

    #[test]
    fn an_empty_table_says_so() {
        assert_eq!(draw(&table(0), &Level::default(), 20, 2), ["things", "  nothing here"]);
        let level = Level { filter: "zzz".to_owned(), ..Level::default() };
        assert!(draw(&table(3), &level, 60, 2)[1].contains("nothing matches"));
    }

    #[test]
    fn of_a_long_list_only_what_is_in_view_is_written() {
        static WRITTEN: AtomicUsize = AtomicUsize::new(0);
        fn counted(value: f64) -> String {
            WRITTEN.fetch_add(1, Relaxed);
            format!("{value:.0}")
        }
        let mut content = table(2000);
        for (n, row) in content.sections[0].table.iter_mut().flat_map(|table| &mut table.rows).enumerate() {
            row.cells[1] = Cell::figure(Some(n as f64), counted);
        }
        // In the order of its numbers, too: they are compared, not their texts.
        let section = &content.sections[0];
        let name = name(section, section.table.as_ref().expect("a table"));
        let view = View { sort: Some((1, true)), ..View::default() };
        let level = Level { views: [(name, view)].into(), ..Level::default() };
        let lines = draw(&content, &level, 40, 20);
        assert!(lines[2].contains("1999"), "{lines:?}");
        assert_eq!(WRITTEN.load(Relaxed), 18, "as many as there are rows on the screen");
        // A text that is looked for may stand in any of them.
        draw(&content, &Level { filter: "1234".to_owned(), ..Level::default() }, 40, 20);
        assert!(WRITTEN.load(Relaxed) >= 2000);
    }

    proptest! {
        #[test]
        fn any_size_and_any_text_can_be_drawn(w in 0u16..300, h in 0u16..100, text in "\\PC*", n in 0usize..40) {
            let mut content = table(n);
            content.sections.push(Section::lines(text.clone(), vec![Line::text(&text).spark(vec![Some(1.0), None])]));
            if let Some(table) = content.sections[0].table.as_mut() {
                for row in &mut table.rows {
                    row.cells[0] = Cell::text(&text);
                }
            }
            let drawn = draw(&content, &Level::default(), w, h);
            prop_assert_eq!(drawn.len(), usize::from(h));
        }
    }
}
