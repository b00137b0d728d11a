//! Draws content: sections one below the other, tables with the columns that fit, the row under the cursor always in view.

use super::content::{Cell, Column, Content, Line, Role, Row, Section, Table, Width};
use super::graph::Graphs;
use super::plot;
pub use super::put::put;
use super::select::{Level, arrange};
use super::spark;
use super::text::{cut, width};
use super::theme::Theme;
use crate::core::row::RowKey;
use crate::ui::filter::Filter;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::borrow::Cow;
use std::rc::Rc;

/// Columns between two columns of a table.
const GAP: u16 = 1;
/// Columns left of every row: the cursor's mark and the mark of a chosen row.
const MARGIN: u16 = 2;

/// A table, and which of its columns are shown how wide.
struct Layout<'a> {
    table: &'a Table,
    columns: Vec<(usize, u16)>,
}

/// One line of the screen before it is scrolled.
enum Item<'a> {
    Blank,
    Title(&'a str),
    Text(&'a Line),
    /// One line of graphs of so many rows.
    Graph(&'a Graphs, usize, usize),
    Header(Rc<Layout<'a>>),
    Row {
        layout: Rc<Layout<'a>>,
        row: &'a Row,
        index: usize,
    },
    Empty(Cow<'a, str>),
}

/// Draws `content` into `area` as `level` shows it.
pub fn content(content: &Content, level: &Level, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let arranged = arrange(content, level);
    let flat: Vec<&Row> = arranged.iter().flatten().copied().collect();
    let cursor = level.position(&flat);
    let height = usize::from(area.height);
    let items = items(content, &arranged, level, (area.width.saturating_sub(MARGIN), height));
    let offset = offset(&items, cursor, level.scroll, height);
    for (line, item) in items.iter().skip(offset).take(height).enumerate() {
        let y = area.y + line as u16;
        // A table whose header scrolled away keeps it on the first line.
        let pinned = match item {
            Item::Row { layout, .. } if line == 0 && offset > 0 => Some(layout),
            _ => None,
        };
        let row = Rect::new(area.x, y, area.width, 1);
        if let Item::Graph(graphs, first, rows) = item
            && (line == 0 || *first == 0)
        {
            let below = Rect::new(area.x, y, area.width, area.bottom() - y);
            plot::draw(graphs, (*first, *rows), below, buffer, theme);
        }
        match pinned {
            Some(layout) => header(layout, level, row, buffer, theme),
            None => draw_item(item, level, cursor, row, buffer, theme),
        }
    }
}

/// The row that [`content`] draws on `line` of an area of this size.
#[must_use]
pub fn row_at(content: &Content, level: &Level, (width, height): (u16, u16), line: u16) -> Option<RowKey> {
    let arranged = arrange(content, level);
    let flat: Vec<&Row> = arranged.iter().flatten().copied().collect();
    let items = items(content, &arranged, level, (width.saturating_sub(MARGIN), usize::from(height)));
    let offset = offset(&items, level.position(&flat), level.scroll, usize::from(height));
    // A header that stays stands above the row that would be there.
    let header = line == 0 && offset > 0;
    match items.get(offset + usize::from(line)) {
        Some(Item::Row { row, .. }) if !header && line < height => Some(row.key.clone()),
        _ => None,
    }
}

fn items<'a>(
    content: &'a Content,
    arranged: &[Vec<&'a Row>],
    level: &Level,
    (room, height): (u16, usize),
) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    let mut index = 0;
    let mistake = Filter::parse(&level.filter).mistake(content);
    for (section, rows) in content.sections.iter().zip(arranged) {
        // The axis of a graph ends it.
        if !matches!(items.last(), None | Some(Item::Graph(..))) {
            items.push(Item::Blank);
        }
        if !section.title.is_empty() {
            items.push(Item::Title(&section.title));
        }
        for line in &section.lines {
            match line.graphs.as_ref().map(|graphs| (graphs, graphs.rows(height))) {
                Some((graphs, rows @ 1..)) => {
                    items.extend((0..rows + 2).map(|line| Item::Graph(graphs, line, rows)));
                }
                Some(_) | None => items.push(Item::Text(line)),
            }
        }
        push_table(&mut items, section, rows, &mut index, (level, mistake.as_deref(), room));
    }
    items
}

fn push_table<'a>(
    items: &mut Vec<Item<'a>>,
    section: &'a Section,
    rows: &[&'a Row],
    index: &mut usize,
    (level, mistake, room): (&Level, Option<&str>, u16),
) {
    let Some(table) = &section.table else {
        return;
    };
    if rows.is_empty() {
        let hidden = !table.rows.is_empty() && !level.filtered_by().is_empty();
        items.push(Item::Empty(match mistake {
            Some(why) if hidden => Cow::Owned(format!("the filter cannot be understood: {why}")),
            _ if hidden => Cow::Borrowed("nothing matches the filter; going back clears it"),
            _ => Cow::Borrowed(&table.empty),
        }));
        return;
    }
    let layout = Rc::new(Layout { table, columns: fit(&table.columns, rows, room) });
    items.push(Item::Header(Rc::clone(&layout)));
    for row in rows {
        items.push(Item::Row { layout: Rc::clone(&layout), row, index: *index });
        *index += 1;
    }
}

/// The first item shown: the cursor's row stays in view with some context; without rows the operator's own scroll counts.
fn offset(items: &[Item<'_>], cursor: Option<usize>, scroll: usize, height: usize) -> usize {
    let last = items.len().saturating_sub(height);
    let Some(cursor) = cursor else {
        return scroll.min(last);
    };
    let at = items
        .iter()
        .position(|item| matches!(item, Item::Row { index, .. } if *index == cursor))
        .unwrap_or(0);
    if at < height.saturating_sub(1) { 0 } else { (at + 1 + height / 4).saturating_sub(height).min(last) }
}

fn draw_item(
    item: &Item<'_>,
    level: &Level,
    cursor: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
    theme: &Theme,
) {
    match item {
        // Graphs are drawn as a whole from their first line on that is in view.
        Item::Blank | Item::Graph(..) => {}
        Item::Title(title) => {
            put(buffer, area, &cut(title, usize::from(area.width)), theme.role(Role::Strong));
        }
        Item::Text(text) => line(text, area, buffer, theme),
        Item::Header(layout) => header(layout, level, area, buffer, theme),
        Item::Empty(sentence) => {
            let inner =
                Rect::new(area.x + MARGIN.min(area.width), area.y, area.width.saturating_sub(MARGIN), 1);
            put(buffer, inner, &cut(sentence, usize::from(inner.width)), theme.role(Role::Muted));
        }
        Item::Row { layout, row, index } => {
            let here = cursor == Some(*index);
            let marked = level.marks.contains_key(&row.key);
            table_row(layout, row, here, marked, area, buffer, theme);
        }
    }
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

/// Which columns fit into `room`, and how wide each is; the least important go first. What is left is shared among those that stretch:
/// what one of them does not need is the others'.
fn fit(columns: &[Column], rows: &[&Row], room: u16) -> Vec<(usize, u16)> {
    let least = |column: &Column| match column.width {
        Width::Fixed(width) | Width::Flex(width) => width,
    };
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let need = |kept: &[usize]| -> u16 {
        let widths: u16 = kept.iter().map(|i| least(&columns[*i])).sum();
        widths + GAP * (kept.len().saturating_sub(1)) as u16
    };
    while need(&kept) > room && kept.len() > 1 {
        let victim = kept
            .iter()
            .enumerate()
            .max_by_key(|(place, i)| (columns[**i].priority, *place))
            .map_or(0, |(place, _)| place);
        kept.remove(victim);
    }
    let mut widths: Vec<(usize, u16)> = kept.iter().map(|i| (*i, least(&columns[*i]))).collect();
    // What each that stretches could use beyond its least; the hungriest is served last and has what remains.
    let mut wants: Vec<(u16, usize)> = kept
        .iter()
        .enumerate()
        .filter(|(_, i)| matches!(columns[**i].width, Width::Flex(_)))
        .map(|(place, i)| {
            let texts = rows.iter().filter_map(|row| row.cells.get(*i)).map(|cell| width(&cell.words()));
            let most = u16::try_from(texts.max().unwrap_or(0)).unwrap_or(u16::MAX);
            (most.saturating_sub(least(&columns[*i])), place)
        })
        .collect();
    wants.sort_by_key(|(want, place)| (*want, std::cmp::Reverse(*place)));
    let mut left = room.saturating_sub(need(&kept));
    for (served, (want, place)) in wants.iter().enumerate() {
        let others = (wants.len() - served) as u16;
        let extra = if others == 1 { left } else { (*want).min(left / others) };
        left -= extra;
        widths[*place].1 += extra;
    }
    widths
}

fn header(layout: &Layout<'_>, level: &Level, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let style = theme.role(Role::Muted);
    let table = layout.table;
    let mut x = area.x + MARGIN;
    for &(index, columns) in &layout.columns {
        let column = &table.columns[index];
        let arrow = match level.sort {
            Some((sorted, descending)) if sorted == index && !table.fixed_order => {
                match (descending, theme.ascii) {
                    (true, false) => "▼",
                    (false, false) => "▲",
                    (true, true) => "v",
                    (false, true) => "^",
                }
            }
            _ => "",
        };
        let title = cut(&format!("{}{arrow}", column.title), usize::from(columns));
        put_aligned(buffer, x, area, columns, column.right, &title, style);
        x += columns + GAP;
    }
}

fn table_row(
    layout: &Layout<'_>,
    row: &Row,
    here: bool,
    marked: bool,
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
            let text = cell_text(cell, columns, theme);
            // Beside what is wrong they stand back.
            let role = if cell.spark.is_some() { Role::Muted } else { cell.role };
            put_aligned(buffer, x, area, columns, layout.table.columns[index].right, &text, theme.role(role));
        }
        x += columns + GAP;
    }
    // Last, and over all: a row of one look. What is bad in it is also said in words.
    if here {
        buffer.set_style(area, Style::reset().patch(theme.part("selected")));
    }
}

fn cell_text(cell: &Cell, columns: u16, theme: &Theme) -> String {
    match &cell.spark {
        Some(samples) => spark::draw(samples, usize::from(columns), theme.ascii),
        None => cut(&cell.words(), usize::from(columns)),
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
    use crate::core::row::RowKey;
    use proptest::prelude::*;
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
        content(content_, level, area, &mut buffer, &theme);
        (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn the_least_important_column_goes_first() {
        let wide = draw(&table(1), &Level::default(), 30, 3);
        assert_eq!(wide, ["things", "  name              n more", "> row 0             1 x"]);
        let narrow = draw(&table(1), &Level::default(), 15, 3);
        assert_eq!(narrow, ["things", "  name        n", "> row 0       1"]);
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
        let level = Level { sort: Some((1, true)), ..Level::default() };
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
