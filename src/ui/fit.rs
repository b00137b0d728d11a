//! Which columns of a table have room, and how wide each is.

use super::content::{Column, Content, Row, Table, Width};
use super::select::{Level, View, arrange};
use super::text::width;

/// Columns between two columns of a table.
pub const GAP: u16 = 1;
/// Columns at the right of a header that tell of columns that have no room.
const MORE: u16 = 2;
/// In wide mode a column is so wide at the most.
const WIDEST: u16 = 60;

/// A table, and which of its columns are shown how wide.
#[derive(Debug)]
pub struct Layout<'a> {
    /// The table.
    pub table: &'a Table,
    /// How the operator wants it.
    pub view: View,
    /// The place of each column that is shown, and its width.
    pub columns: Vec<(usize, u16)>,
    /// There are more columns to the left, to the right.
    pub more: (bool, bool),
}

/// The least columns that a column takes.
const fn least(column: &Column) -> u16 {
    match column.width {
        Width::Fixed(width) | Width::Flex(width) => width,
    }
}

/// Columns of the longest text of a column.
fn longest(rows: &[&Row], place: usize) -> u16 {
    let texts = rows.iter().filter_map(|row| row.cells.get(place)).map(|cell| width(&cell.words()));
    u16::try_from(texts.max().unwrap_or(0)).unwrap_or(u16::MAX)
}

/// Columns that the tables of `content` take where nothing of them is cut.
#[must_use]
pub fn natural(content: &Content, level: &Level) -> u16 {
    let arranged = arrange(content, level);
    let needed = content.sections.iter().zip(arranged).filter_map(|(section, rows)| {
        let table = section.table.as_ref()?;
        let view = level.view(section, table).cloned().unwrap_or_default();
        let widths = view.wanted(table).into_iter().map(|place| match table.columns[place].width {
            Width::Fixed(width) => width + GAP,
            Width::Flex(least) => longest(&rows, place).max(least).saturating_add(GAP),
        });
        Some(widths.fold(0_u16, u16::saturating_add))
    });
    needed.max().unwrap_or(0)
}

/// Which columns of a table are shown in `room`, and how wide each is.
#[must_use]
pub fn fit<'a>(table: &'a Table, rows: &[&Row], view: &View, room: u16) -> Layout<'a> {
    let wanted = view.wanted(table);
    let made = |columns, more| Layout { table, view: view.clone(), columns, more };
    if view.wide {
        let (columns, more) = all(table, rows, (&wanted, view.shift), room);
        return made(columns, more);
    }
    let columns = shared(&table.columns, rows, &wanted, room);
    if columns.len() == wanted.len() {
        return made(columns, (false, false));
    }
    // That there are more is told where the headings end.
    made(shared(&table.columns, rows, &wanted, room.saturating_sub(MORE)), (false, true))
}

/// Every column as wide as its texts, from the first on; that one stays while the others are moved by `shift`.
fn all(
    table: &Table,
    rows: &[&Row],
    (wanted, shift): (&[usize], usize),
    room: u16,
) -> (Vec<(usize, u16)>, (bool, bool)) {
    let natural = |place: usize| {
        let title = u16::try_from(width(&table.columns[place].title)).unwrap_or(u16::MAX).saturating_add(1);
        let spark = rows.iter().any(|row| row.cells.get(place).is_some_and(|cell| cell.spark.is_some()));
        let least = if spark { least(&table.columns[place]) } else { title };
        longest(rows, place).max(least).min(WIDEST)
    };
    let Some((first, others)) = wanted.split_first() else { return (Vec::new(), (false, false)) };
    let frozen = natural(*first).min(room / 2);
    let mut columns = vec![(*first, frozen)];
    let mut left = room.saturating_sub(frozen + MORE);
    let shift = shift.min(others.len().saturating_sub(1));
    for place in &others[shift..] {
        let wide = natural(*place);
        // One that is wider than all the room is cut rather than never seen.
        let wide = if columns.len() == 1 { wide.min(left.saturating_sub(GAP)) } else { wide };
        if wide + GAP > left {
            break;
        }
        left -= wide + GAP;
        columns.push((*place, wide));
    }
    let more = columns.len() - 1 < others.len() - shift;
    (columns, (shift > 0, more))
}

/// Which of the `wanted` columns fit into `room`, and how wide each is; the least important go first. What is left is shared among those
/// that stretch, as far as their texts need it: the rest stays blank at the right.
fn shared(columns: &[Column], rows: &[&Row], wanted: &[usize], room: u16) -> Vec<(usize, u16)> {
    let mut kept: Vec<usize> = wanted.to_vec();
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
        .map(|(place, i)| (longest(rows, *i).saturating_sub(least(&columns[*i])), place))
        .collect();
    wants.sort_by_key(|(want, place)| (*want, std::cmp::Reverse(*place)));
    let mut left = room.saturating_sub(need(&kept));
    for (served, (want, place)) in wants.iter().enumerate() {
        let others = (wants.len() - served) as u16;
        let extra = (*want).min(left / others);
        left -= extra;
        widths[*place].1 += extra;
    }
    widths
}
