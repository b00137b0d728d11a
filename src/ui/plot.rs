//! Draws graphs above their axis: with unit, span, least and most, and the moment when an incident began. Quiet on purpose: what is wrong is
//! said above it.

use super::content::Role;
use super::graph::{BETWEEN, Graph, Graphs, blocks, boundary, braille, labels, strokes, tick};
use super::put::put;
use super::text::{cut, width};
use super::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::Duration;

/// The end of the axis.
const NOW: &str = "now";
/// Columns of `-10m`.
const TICK: usize = 4;

/// Draws the lines from `first` on that have room: a title, `rows` of the plot, and the axis.
pub fn draw(graphs: &Graphs, (first, rows): (usize, usize), area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let count = graphs.beside(area.width);
    let wide = (area.width.saturating_sub(BETWEEN * (count - 1))) / count;
    for (place, graph) in graphs.graphs.iter().take(usize::from(count)).enumerate() {
        let x = area.x + place as u16 * (wide + BETWEEN);
        let plotted = plot(graph, usize::from(wide), rows, theme);
        for (line, y) in (first..rows + 2).zip(area.y..area.bottom()) {
            let own = Rect::new(x, y, wide, 1);
            match (line, line.checked_sub(1).and_then(|row| plotted.get(row))) {
                (0, _) => title(graph, graphs.span, own, buffer, theme),
                (_, Some(text)) => row(graph, text, own, buffer, theme),
                (_, None) => axis(graphs, graph, own, buffer, theme),
            }
        }
    }
}

/// One row of a plot. What somebody else remembers is paler than our own numbers, which begin at a line of their own.
fn row(graph: &Graph, text: &str, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let left = labels(graph).2;
    let columns = usize::from(area.width).saturating_sub(left + 1);
    put(buffer, area, text, theme.role(Role::Muted));
    let Some(at) = boundary(graph, columns) else { return };
    let (mark, first) = (if theme.ascii { ':' } else { '┊' }, left + 1 + at);
    let ours: String = text
        .chars()
        .skip(first)
        .enumerate()
        .map(|(place, sign)| if place == 0 && sign == ' ' { mark } else { sign })
        .collect();
    put(buffer, shifted(area, first), &ours, theme.role(Role::Text));
}

/// The axis: how long ago, and when the incident began.
fn axis(graphs: &Graphs, graph: &Graph, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let left = labels(graph).2;
    let length = usize::from(area.width).saturating_sub(left + 1);
    let (corner, dash, mark) = if theme.ascii { ('+', '-', '^') } else { ('└', '─', '▲') };
    let mut line = vec![dash; length];
    let lay = |line: &mut Vec<char>, at: usize, text: &str| {
        for (offset, letter) in text.chars().enumerate() {
            if let Some(place) = line.get_mut(at + offset) {
                *place = letter;
            }
        }
    };
    for third in 0..3_u32 {
        let text = format!("-{}", tick(graphs.span * (3 - third) / 3));
        lay(&mut line, length * third as usize / 3, &text);
    }
    lay(&mut line, length.saturating_sub(NOW.len()), NOW);
    let draw = |line: &[char], buffer: &mut Buffer| {
        let text: String = std::iter::once(&corner).chain(line).collect();
        put(buffer, shifted(area, left), &text, theme.role(Role::Muted));
    };
    let Some((ago, words)) = &graphs.began else { return draw(&line, buffer) };
    let share = ago.as_secs_f64() / graphs.span.as_secs_f64().max(1.0);
    let (at, words) = if share > 1.0 {
        (0, format!("{} {words}", if theme.ascii { '<' } else { '‹' }))
    } else {
        (((1.0 - share) * length as f64) as usize, format!("{mark} {words}"))
    };
    // Near the end there is no room behind the mark.
    let long = width(&words);
    let (at, words) = if at + long > length && share <= 1.0 {
        let bare = words.trim_start_matches([mark, ' ']);
        ((at + 1).saturating_sub(long), format!("{bare} {mark}"))
    } else {
        (at, words)
    };
    // No half of a word is left beside it.
    let (first, end) = (at.saturating_sub(1), at + long + 1);
    let touched = |begin: usize, columns: usize| begin < end && first < begin + columns;
    let ticks = [(length / 3, TICK), (length * 2 / 3, TICK), (length.saturating_sub(NOW.len()), NOW.len())];
    for (begin, columns) in ticks.into_iter().filter(|(begin, columns)| touched(*begin, *columns)) {
        lay(&mut line, begin, &String::from(dash).repeat(columns));
    }
    draw(&line, buffer);
    put(buffer, shifted(area, left + 1 + at), &words, theme.role(Role::Note));
}

/// Without the first `columns`.
fn shifted(area: Rect, columns: usize) -> Rect {
    let columns = u16::try_from(columns).unwrap_or(u16::MAX).min(area.width);
    Rect::new(area.x + columns, area.y, area.width - columns, 1)
}

fn title(graph: &Graph, span: Duration, area: Rect, buffer: &mut Buffer, theme: &Theme) {
    let name = format!("{} ", graph.name);
    let name = cut(&name, usize::from(area.width));
    put(buffer, area, &name, theme.role(Role::Strong));
    let rest = shifted(area, width(&name));
    let before = if theme.ascii { " · before : Prometheus" } else { " · before ┊ Prometheus" };
    let words = format!("{}{}", graph.words(span), if graph.ours_from.is_some() { before } else { "" });
    let words = cut(&words, usize::from(rest.width));
    put(buffer, rest, &words, theme.role(Role::Muted));
}

/// The rows of a plot, with the ends of the scale before them.
fn plot(graph: &Graph, columns: usize, rows: usize, theme: &Theme) -> Vec<String> {
    let (top, floor, left) = labels(graph);
    let columns = columns.saturating_sub(left + 1);
    let (drawn, edge) = if theme.ascii {
        (strokes(graph, columns, rows), '|')
    } else if theme.blocks {
        (blocks(graph, columns, rows), '│')
    } else {
        (braille(graph, columns, rows), '│')
    };
    let label = |row: usize| match row {
        0 => top.as_str(),
        row if row + 1 == rows => floor.as_str(),
        _ => "",
    };
    let text = |(row, shape)| format!("{:>wide$} {edge}{shape}", label(row), wide = left - 1);
    drawn.into_iter().enumerate().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::RuleUnit;

    fn graph(samples: &[f64]) -> Graph {
        let samples = samples.iter().map(|value| (*value >= 0.0).then_some(*value)).collect();
        Graph { name: "shop requests".to_owned(), unit: RuleUnit::PerSecond, samples, ours_from: None }
    }

    fn theme(ascii: bool, blocks: bool) -> Theme {
        let mut theme = Theme::built_in("dark").expect("a theme");
        (theme.ascii, theme.blocks) = (ascii, blocks);
        theme
    }

    /// Every line of it on a screen of so many rows.
    fn drawn(graphs: &Graphs, columns: u16, screen: usize, theme: &Theme) -> Vec<String> {
        let rows = graphs.rows(screen);
        let line = |line: usize| {
            let area = Rect::new(0, 0, columns, 1);
            let mut buffer = Buffer::empty(area);
            super::draw(graphs, (line, rows), area, &mut buffer, theme);
            let text: String = buffer.content().iter().map(ratatui::buffer::Cell::symbol).collect();
            text.trim_end().to_owned()
        };
        (0..rows + 2).map(line).collect()
    }

    fn alone(samples: &[f64], began: Option<u64>) -> Graphs {
        let began = began.map(|ago| (Duration::from_secs(ago), "began 07:31".to_owned()));
        Graphs { graphs: vec![graph(samples)], span: Duration::from_secs(900), began, large: false }
    }

    #[test]
    fn a_graph_has_axis_unit_span_least_and_most_and_the_moment_when_it_began() {
        let rising: Vec<f64> =
            (0..60).map(|n| if n < 40 { 10.0 } else { 10.0 + f64::from(n - 40) * 4.0 }).collect();
        let lines = drawn(&alone(&rising, Some(300)), 70, 20, &theme(true, false));
        assert_eq!(lines[0], "shop requests 86/s · min 10/s · max 86/s · last 15 min");
        assert!(lines[1].starts_with("100/s |") && lines[1].ends_with("_-----"), "{lines:#?}");
        assert!(lines[2].starts_with("  0/s |-----------"), "{lines:#?}");
        assert!(lines[3].starts_with("      +-15m---"), "{lines:#?}");
        assert!(
            lines[3].contains("^ began 07:31") && lines[3].ends_with("-now") && !lines[3].contains("-5m"),
            "{lines:#?}"
        );
        let columns = lines[3].chars().count() - 7;
        assert_eq!(lines[3].find('^').map(|at| at - 7), Some(columns * 2 / 3));
        let late = drawn(&alone(&rising, Some(5)), 70, 20, &theme(true, false));
        assert!(late[3].ends_with("--began 07:31 ^"), "{late:#?}");
        let long = drawn(&alone(&rising, Some(5000)), 70, 20, &theme(true, false));
        assert!(long[3].starts_with("      +< began 07:31"), "{long:#?}");
    }

    #[test]
    fn a_flat_series_is_one_level_line_and_a_gap_is_blank() {
        let flat = alone(&[326.0, 330.0, 322.0, 327.0].repeat(20), None);
        for (ascii, blocks) in [(false, false), (true, false)] {
            let lines = drawn(&Graphs { large: true, ..flat.clone() }, 80, 20, &theme(ascii, blocks));
            let shapes = |line: &str| {
                let plot = line.split(['│', '|']).nth(1).unwrap_or_default().trim().to_owned();
                plot.chars().collect::<std::collections::BTreeSet<char>>().len()
            };
            let all: usize = lines[1..5].iter().map(|line| shapes(line)).sum();
            assert_eq!(all, 1, "{lines:#?}");
        }
        let gap = alone(&[[5.0; 20], [-1.0; 20], [5.0; 20]].concat(), None);
        let lines = drawn(&gap, 70, 20, &theme(false, false));
        let plot: Vec<char> = lines[1].split('│').nth(1).unwrap_or_default().chars().collect();
        let blank = plot.iter().filter(|sign| **sign == ' ').count();
        assert!((20..22).contains(&blank), "{blank} {lines:#?}");
        let nothing = drawn(&alone(&[-1.0; 60], None), 70, 20, &theme(false, false));
        assert_eq!(nothing[0], "shop requests nothing is known yet");
        let zero = drawn(&alone(&[0.0; 60], Some(9000)), 70, 20, &theme(true, false));
        assert!(zero[2].contains("|_____") && !zero[1].contains('_'), "{zero:#?}");
    }

    #[test]
    fn with_more_room_several_stand_beside_one_another_and_are_higher() {
        let mut several = alone(&[1.0; 60], None);
        several.graphs.push(Graph { name: "other".to_owned(), ..graph(&[2.0; 60]) });
        for (columns, expected) in [(60, 1), (80, 1), (141, 1), (142, 2), (220, 2)] {
            let lines = drawn(&several, columns, 20, &theme(false, true));
            assert_eq!(lines[0].matches("max").count(), expected, "{columns}");
            assert!(lines.iter().all(|line| width(line) <= usize::from(columns)), "{columns}");
        }
        let rows = |large: bool, screen: usize| Graphs { large, ..several.clone() }.rows(screen);
        assert_eq!((rows(false, 10), rows(false, 18), rows(false, 44)), (0, 1, 5));
        assert_eq!(alone(&[1.0], Some(1)).rows(18), 2);
        assert_eq!((rows(true, 18), rows(true, 44)), (4, 8));
    }

    #[test]
    fn what_somebody_else_remembers_ends_at_a_line() {
        let mut remembered = alone(&[5.0; 60], None);
        remembered.graphs[0].ours_from = Some(40);
        let lines = drawn(&Graphs { large: true, ..remembered.clone() }, 80, 20, &theme(true, false));
        assert!(lines[0].ends_with("last 15 min · before : Prometheus"), "{lines:#?}");
        let at = |line: &str| line.find(':');
        let columns = 80 - labels(&remembered.graphs[0]).2 - 1;
        let expected = labels(&remembered.graphs[0]).2 + 1 + columns * 2 / 3;
        assert_eq!(at(&lines[1]), Some(expected), "{lines:#?}");
        // Nothing that was drawn is hidden by it.
        assert_eq!(lines.iter().filter(|line| line.contains("____") || line.contains("----")).count(), 2);
        remembered.span = Duration::from_secs(6 * 86_400);
        let days = drawn(&remembered, 80, 20, &theme(true, false));
        assert!(days[0].contains("last 6 days") && days[2].contains("-6d"), "{days:#?}");
        assert!(days[2].contains("-4d") && days[2].contains("-2d"), "{days:#?}");
    }

    #[test]
    fn it_is_drawn_at_every_size_without_a_panic() {
        let one = alone(&[0.0, 1e12, -1.0, 3.0], Some(1));
        for columns in 0..100 {
            for (ascii, blocks) in [(false, false), (false, true), (true, false)] {
                let area = Rect::new(0, 0, columns, 1);
                let mut buffer = Buffer::empty(area);
                for line in 0..4 {
                    super::draw(&one, (line, 2), area, &mut buffer, &theme(ascii, blocks));
                }
            }
        }
    }
}
