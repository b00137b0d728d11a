//! Numbers over time, to be drawn above one axis: the scale, and the shape as text. A line of braille dots, blocks where a font has none,
//! ASCII where a terminal has neither. A gap is a blank, never the floor; what hardly changes is a level line, for the scale begins at zero.

use super::text::width;
use crate::core::alert::RuleUnit;
use std::time::Duration;

const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The dots of a sign of braille, by column and by row from the top.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
/// The three heights of a line in ASCII, from below.
const STROKES: [char; 3] = ['_', '-', '\''];

/// A graph is at least so wide; with more room several stand side by side.
const LEAST_WIDTH: u16 = 70;
/// Columns between two of them.
pub(super) const BETWEEN: u16 = 2;
/// Screens of so many rows have room for higher ones.
const HIGH_FROM: usize = 30;
/// Screens of fewer rows have none for an axis: a line of text with a sparkline stands there.
const LEAST_HEIGHT: usize = 16;

/// One number over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// What it is.
    pub name: String,
    /// Its unit.
    pub unit: RuleUnit,
    /// A mean a column, oldest first; all of them cover the span.
    pub samples: Vec<Option<f64>>,
    /// From this column on they are our own; what is before it somebody else remembers. Nothing where all are of one kind.
    pub ours_from: Option<usize>,
}

/// Several of them, above one axis of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Graphs {
    /// The most important first: with little room it stands alone.
    pub graphs: Vec<Graph>,
    /// From the first column to now.
    pub span: Duration,
    /// How long ago the incident began, and that moment in words.
    pub began: Option<(Duration, String)>,
    /// They are what the page is about.
    pub large: bool,
}

impl Graph {
    /// The least and the most, where anything is known.
    fn range(&self) -> Option<(f64, f64)> {
        let known = || self.samples.iter().flatten().copied();
        let least = known().reduce(f64::min)?;
        Some((least, known().fold(least, f64::max)))
    }

    /// Its newest number, the least and the most, in words.
    #[must_use]
    pub fn words(&self, span: Duration) -> String {
        let Some((least, most)) = self.range() else { return "nothing is known yet".to_owned() };
        let now = self.samples.last().copied().flatten();
        let now = now.map_or_else(|| "no data".to_owned(), |value| self.unit.told(value));
        let (least, most) = (self.unit.told(least), self.unit.told(most));
        format!("{now} · min {least} · max {most} · last {}", lasts(span))
    }

    /// The ends of the scale: from zero to a round number that leaves some room.
    fn scale(&self) -> (f64, f64) {
        let (least, most) = self.range().unwrap_or((0.0, 0.0));
        let unit = if self.unit == RuleUnit::Ratio { 100.0 } else { 1.0 };
        (least.min(0.0), round_above(most.max(0.0) * unit * 1.05) / unit)
    }
}

/// A span as an axis has it, in the largest unit that it fills at least twice: `15m`, `24h`, `6d`.
pub(super) fn tick(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    match minutes {
        0..=120 => format!("{minutes}m"),
        121..2880 => format!("{}h", minutes / 60),
        _ => format!("{}d", minutes / 1440),
    }
}

/// The same in a sentence.
#[must_use]
pub fn lasts(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    match minutes {
        0..=120 => format!("{minutes} min"),
        121..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

/// The next number of the kind 1, 2, 5, 10, 20 …
fn round_above(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let ten = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * ten).find(|step| *step >= value).unwrap_or(value)
}

impl Graphs {
    /// Rows of the plot on a screen of so many rows; none where a line of text has to do.
    #[must_use]
    pub const fn rows(&self, screen: usize) -> usize {
        match (screen < LEAST_HEIGHT, screen < HIGH_FROM, self.large) {
            (true, ..) => 0,
            // While nothing is wrong there is little to see in it.
            (false, true, false) => 1 + self.began.is_some() as usize,
            (false, true, true) => 4,
            (false, false, false) => 5,
            (false, false, true) => 8,
        }
    }

    /// How many stand side by side in so many columns.
    pub(super) fn beside(&self, columns: u16) -> u16 {
        let most = u16::try_from(self.graphs.len()).unwrap_or(1);
        (columns.saturating_add(BETWEEN) / (LEAST_WIDTH + BETWEEN)).clamp(1, most.max(1))
    }
}

/// The column of a plot of so many where our own numbers begin.
pub(super) fn boundary(graph: &Graph, columns: usize) -> Option<usize> {
    let from = graph.ours_from?;
    Some(from * columns / graph.samples.len().max(1)).filter(|at| *at < columns)
}

/// What stands at the top and at the floor of the scale, and the columns that they need.
pub(super) fn labels(graph: &Graph) -> (String, String, usize) {
    let (low, high) = graph.scale();
    let (top, floor) = (graph.unit.told(high), graph.unit.told(low));
    let wide = width(&top).max(width(&floor)) + 1;
    (top, floor, wide)
}

/// `columns` columns of the samples: the highest of those in each, for a peak must not vanish.
#[must_use]
pub fn fitted(samples: &[Option<f64>], columns: usize) -> Vec<Option<f64>> {
    let at = |column: usize| column * samples.len() / columns.max(1);
    (0..columns)
        .map(|column| {
            let (first, end) = (at(column), at(column + 1).max(at(column) + 1));
            samples.get(first..end.min(samples.len()))?.iter().flatten().copied().reduce(f64::max)
        })
        .collect()
}

/// The heights of a line in so many columns, from 0 to `levels` - 1; with each the height of the one before it, to which it is drawn.
fn heights(graph: &Graph, columns: usize, levels: usize) -> Vec<Option<(usize, usize)>> {
    let (low, high) = graph.scale();
    let most = (levels - 1) as f64;
    let height = |value: f64| (((value - low) / (high - low)).clamp(0.0, 1.0) * most).round() as usize;
    let mut before = None;
    fitted(&graph.samples, columns)
        .into_iter()
        .map(|sample| {
            let own = sample.map(height);
            let drawn = own.map(|own| (own, before.unwrap_or(own)));
            before = own;
            drawn
        })
        .collect()
}

/// Whether a line from one height to another passes `level`: the point itself, and what lies between them.
fn passes((own, before): (usize, usize), level: usize) -> bool {
    own == level || (before < level && level < own) || (own < level && level < before)
}

/// The line in dots of braille, the top row first.
pub(super) fn braille(graph: &Graph, columns: usize, rows: usize) -> Vec<String> {
    let levels = rows * 4;
    let heights = heights(graph, columns * 2, levels);
    let sign = |pair: &[Option<(usize, usize)>], row: usize| {
        let mut sign = 0_u8;
        for (side, height) in pair.iter().enumerate() {
            let Some(height) = height else { continue };
            for (dot, bit) in DOTS[side].iter().enumerate() {
                if passes(*height, levels - 1 - (row * 4 + dot)) {
                    sign |= bit;
                }
            }
        }
        if sign == 0 { ' ' } else { char::from_u32(0x2800 + u32::from(sign)).unwrap_or(' ') }
    };
    (0..rows).map(|row| heights.chunks(2).map(|pair| sign(pair, row)).collect()).collect()
}

/// The same in blocks.
pub(super) fn blocks(graph: &Graph, columns: usize, rows: usize) -> Vec<String> {
    let heights = heights(graph, columns, rows * 8);
    let block = |height: &Option<(usize, usize)>, below: usize| {
        height.map_or(' ', |(own, _)| EIGHTHS[(own + 1).saturating_sub(below).min(8)])
    };
    (0..rows).rev().map(|row| heights.iter().map(|height| block(height, row * 8)).collect()).collect()
}

/// The line in ASCII.
pub(super) fn strokes(graph: &Graph, columns: usize, rows: usize) -> Vec<String> {
    let heights = heights(graph, columns, rows * 3);
    let stroke = |height: &Option<(usize, usize)>, lowest: usize| {
        let Some(height) = *height else { return ' ' };
        match height.0.checked_sub(lowest) {
            Some(above @ 0..=2) => STROKES[above],
            _ if (lowest..lowest + 3).any(|level| passes(height, level)) => '|',
            _ => ' ',
        }
    };
    (0..rows).rev().map(|row| heights.iter().map(|height| stroke(height, row * 3)).collect()).collect()
}

/// `samples` between `low` and `high` on so many rows of blocks, the top row first. The smallest known number is seen, too.
#[must_use]
pub fn draw(samples: &[Option<f64>], (low, high): (f64, f64), rows: usize) -> Vec<String> {
    let full = rows * 8;
    let height = |value: f64| {
        let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 1.0 };
        ((share * full as f64).round() as usize).max(1)
    };
    let heights: Vec<usize> = samples.iter().map(|sample| sample.map_or(0, height)).collect();
    (0..rows)
        .rev()
        .map(|row| heights.iter().map(|height| EIGHTHS[height.saturating_sub(row * 8).min(8)]).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_grow_from_the_floor_and_gaps_stay_blank() {
        let samples = [Some(0.0), None, Some(5.0), Some(10.0)];
        assert_eq!(draw(&samples, (0.0, 10.0), 2), ["   █", "▁ ██"]);
        assert_eq!(draw(&samples, (0.0, 10.0), 1), ["▁ ▄█"]);
        assert_eq!(draw(&[Some(3.0)], (3.0, 3.0), 1), ["█"], "one that never changes");
        assert_eq!(draw(&[Some(99.0)], (0.0, 10.0), 1), ["█"]);
        assert_eq!(draw(&[], (0.0, 1.0), 2), ["", ""]);
    }

    #[test]
    fn peaks_stay_however_narrow_it_is() {
        let mut samples = vec![Some(1.0); 180];
        samples[77] = Some(50.0);
        for columns in [10, 63, 140, 180, 300] {
            let most = fitted(&samples, columns).into_iter().flatten().fold(0.0, f64::max);
            assert!((most - 50.0).abs() < 1e-9, "{columns}");
        }
        for (value, round) in
            [(0.0, 1.0), (0.07, 0.1), (1.0, 1.0), (3.0, 5.0), (326.0, 500.0), (5001.0, 10_000.0)]
        {
            assert!((round_above(value) - round).abs() < 1e-9, "{value}");
        }
    }
}
