//! `docs/pictures/`: the first screen and the page of a finding as the program draws them, in three themes, as SVG. The text in them is
//! text, and the colours are those of the theme; what the terminal chooses itself (its own text and background) is told here.

use super::{current, docs, root, text};
use crate::screens::{Drive, picture};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use stacktop::app::key::{Code, Key};
use stacktop::app::layout::Size;
use stacktop::app::msg::Msg;
use stacktop::ui::theme::Theme;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Pixels of a cell, of the text in it, and around everything.
const WIDE: usize = 9;
const HIGH: usize = 18;
const SIZE: usize = 15;
const AROUND: usize = 12;
/// A picture is a small file: it lies in the repository, and changes with each screen.
const MOST_BYTES: usize = 48 * 1024;
/// When the incident of the demo is told with its cause.
const SECOND: u64 = 45;

/// A theme on a terminal that it is made for: its text, its background.
const THEMES: [(&str, &str, &str); 3] =
    [("dark", "#d8d8d8", "#1c1c1c"), ("light", "#1c1c1c", "#ffffff"), ("colour-blind", "#d8d8d8", "#1c1c1c")];

/// What is shown: the name, the words for those who cannot see it, the size of the terminal.
const SHOWN: [(&str, &str, u16, u16); 3] = [
    (
        "overview-80x24",
        "The first screen in 80 columns and 24 rows: what is broken, since when and by which cause, then the findings",
        80,
        24,
    ),
    (
        "overview-160x50",
        "The first screen in 160 columns and 50 rows: findings with their next steps, what is not it, signals and sources",
        160,
        50,
    ),
    (
        "finding-120x40",
        "The page of a finding: its rule, since when, who is hit, what explains it and its number over time",
        120,
        40,
    ),
];

/// How a cell is written: its colour, whether it is bold, whether it is underlined; and what is behind it.
type Look = (String, bool, bool);

fn hex(colour: Option<Color>, own: &str) -> String {
    match colour {
        None | Some(Color::Reset) => own.to_owned(),
        Some(Color::Rgb(red, green, blue)) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Some(other) => panic!("{other} looks different in every terminal"),
    }
}

fn look(cell: &Cell, ink: &str, ground: &str) -> (Look, String) {
    let (front, back) = (hex(cell.style().fg, ink), hex(cell.style().bg, ground));
    let (front, back) =
        if cell.modifier.contains(Modifier::REVERSED) { (back, front) } else { (front, back) };
    ((front, cell.modifier.contains(Modifier::BOLD), cell.modifier.contains(Modifier::UNDERLINED)), back)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// One run of cells that look alike: where it begins, its text, its look.
struct Run {
    x: usize,
    text: String,
    look: Look,
}

/// The runs of a row. Blanks of more than one column part them, so that each word stands in its own column in every font.
fn runs(row: &[Cell], ink: &str, ground: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (x, cell) in row.iter().enumerate() {
        let (look, _) = look(cell, ink, ground);
        let blank = cell.symbol() == " " && !look.2;
        let goes_on = |run: &&mut Run| {
            run.look == look && run.x + run.text.chars().count() == x && !(blank && run.text.ends_with(' '))
        };
        if let Some(run) = runs.last_mut().filter(goes_on) {
            run.text.push_str(cell.symbol());
        } else if !blank {
            runs.push(Run { x, text: cell.symbol().to_owned(), look });
        }
    }
    for run in runs.iter_mut().filter(|run| !run.look.2) {
        run.text.truncate(run.text.trim_end().len());
    }
    runs
}

/// The picture of `buffer` on a terminal with this text and this background.
fn svg(buffer: &Buffer, words: &str, ink: &str, ground: &str) -> String {
    let (columns, lines) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let (width, height) = (columns * WIDE + 2 * AROUND, lines * HIGH + 2 * AROUND);
    let mut looks: Vec<Look> = Vec::new();
    let mut body = String::new();
    for (y, row) in buffer.content.chunks(columns).enumerate() {
        let top = AROUND + y * HIGH;
        let mut x = 0;
        while x < columns {
            let back = |x: usize| look(&row[x], ink, ground).1;
            let begin = x;
            x += 1;
            while x < columns && back(x) == back(begin) {
                x += 1;
            }
            if back(begin) != ground {
                let (left, span, fill) = (AROUND + begin * WIDE, (x - begin) * WIDE, back(begin));
                let _ = writeln!(
                    body,
                    "<rect x=\"{left}\" y=\"{top}\" width=\"{span}\" height=\"{HIGH}\" fill=\"{fill}\"/>"
                );
            }
        }
        for run in runs(row, ink, ground) {
            let class = looks.iter().position(|known| *known == run.look).unwrap_or_else(|| {
                looks.push(run.look.clone());
                looks.len() - 1
            });
            let (x, y) = (AROUND + run.x * WIDE, top + HIGH - 4);
            let (span, text) = (run.text.chars().count() * WIDE, escaped(&run.text));
            let _ = writeln!(
                body,
                "<text class=\"s{class}\" x=\"{x}\" y=\"{y}\" textLength=\"{span}\">{text}</text>"
            );
        }
    }
    let mut styles = String::new();
    for (class, (colour, bold, underlined)) in looks.iter().enumerate() {
        let bold = if *bold { ";font-weight:bold" } else { "" };
        let line = if *underlined { ";text-decoration:underline" } else { "" };
        let _ = writeln!(styles, ".s{class}{{fill:{colour}{bold}{line}}}");
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         font-family=\"'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"{SIZE}\">\n\
         <title>{}</title>\n\
         <style>\ntext{{white-space:pre}}\n{styles}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{ground}\"/>\n{body}</svg>\n",
        escaped(words)
    )
}

/// The picture in the folder is `expected`; in update mode it is put there.
#[track_caller]
fn is_current(name: &str, expected: &str) {
    let path = docs("pictures").join(name);
    if std::env::var_os("STACKTOP_UPDATE_SAMPLE").is_some() {
        std::fs::create_dir_all(docs("pictures")).expect("a folder");
        std::fs::write(&path, expected).expect("written");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "{name} is not what is drawn: run docs:: once with STACKTOP_UPDATE_SAMPLE=1");
}

#[tokio::test]
async fn the_pictures_are_what_the_program_draws() {
    let mut names = BTreeSet::new();
    let mut drive = Drive::demo();
    drive.run_to(SECOND).await;
    for (name, words, width, height) in SHOWN {
        drive.tell(Msg::Resize(Size { width, height }));
        if name.starts_with("finding") {
            drive.key(Key::plain(Code::Enter));
        }
        for (theme, ink, ground) in THEMES {
            drive.model.theme = Theme::built_in(theme).expect("it is built in");
            let name = format!("{name}-{theme}.svg");
            let drawn = svg(&picture(&drive.model, width, height), words, ink, ground);
            assert!(drawn.len() < MOST_BYTES, "{name}: {} bytes", drawn.len());
            is_current(&name, &drawn);
            names.insert(name);
        }
    }
    let there = std::fs::read_dir(docs("pictures")).expect("a folder");
    let there: BTreeSet<String> =
        there.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(there, names, "nothing else lies there");
}

#[test]
fn every_picture_is_shown_with_words_for_those_who_cannot_see_it() {
    let mut page = String::new();
    for (name, words, width, height) in SHOWN {
        let _ = write!(page, "\n## {width} columns and {height} rows: {}\n", name.replace('-', " "));
        for (theme, ..) in THEMES {
            let _ = write!(
                page,
                "\nTheme `{theme}`:\n\n![{words}, theme {theme}](pictures/{name}-{theme}.svg)\n"
            );
        }
    }
    page.push('\n');
    current(&docs("pictures.md"), "pictures", &page);
    let mut readme = String::from("\n");
    for (name, words, ..) in SHOWN {
        let _ = write!(
            readme,
            "<picture>\n  <source media=\"(prefers-color-scheme: light)\" srcset=\"docs/pictures/{name}-light.svg\">\n  \
             <img alt=\"{words}\" src=\"docs/pictures/{name}-dark.svg\">\n</picture>\n\n"
        );
    }
    current(&root().join("README.md"), "pictures", &readme);
    assert!(text(&root().join("README.md")).contains("](docs/pictures.md)"));
}

#[test]
fn a_picture_keeps_colours_columns_and_signs() {
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
    buffer.set_string(0, 0, "a<b", Style::new().fg(Color::Rgb(255, 0, 16)).add_modifier(Modifier::BOLD));
    buffer.set_string(8, 0, "on", Style::new().bg(Color::Rgb(0, 95, 175)));
    let drawn = svg(&buffer, "A & B", "#111111", "#eeeeee");
    for expected in [
        "<title>A &amp; B</title>",
        ".s0{fill:#ff0010;font-weight:bold}",
        ".s1{fill:#111111}",
        "<rect x=\"84\" y=\"12\" width=\"18\" height=\"18\" fill=\"#005faf\"/>",
        "<text class=\"s0\" x=\"12\" y=\"26\" textLength=\"27\">a&lt;b</text>",
        "<text class=\"s1\" x=\"84\" y=\"26\" textLength=\"18\">on</text>",
    ] {
        assert!(drawn.contains(expected), "{expected} in {drawn}");
    }
}
