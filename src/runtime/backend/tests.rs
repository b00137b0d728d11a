//! The tests of the frames: held to what ratatui itself would write.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui_crossterm::CrosstermBackend;

const WIDTH: u16 = 14;
const HEIGHT: u16 = 4;

/// What `backend` makes of `frames`, one after the other.
fn bytes<B: Backend>(mut backend: B, frames: &[Buffer]) -> B {
    let mut before = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
    for frame in frames {
        assert!(backend.draw(before.diff(frame).into_iter()).is_ok());
        before = frame.clone();
    }
    backend
}

/// The screen after that, with every attribute, as the terminal of the oracle would have to be told it.
fn screen(bytes: &[u8]) -> String {
    let mut terminal = vt100::Parser::new(HEIGHT.try_into().unwrap(), WIDTH.try_into().unwrap(), 0);
    terminal.process(bytes);
    terminal.screen().contents_formatted()
}

fn style() -> impl Strategy<Value = Style> {
    let colour = || {
        prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::White),
            Just(Color::DarkGray),
            any::<u8>().prop_map(Color::Indexed),
            any::<(u8, u8, u8)>().prop_map(|(red, green, blue)| Color::Rgb(red, green, blue)),
        ]
    };
    let modifier = prop_oneof![
        Just(Modifier::empty()),
        Just(Modifier::BOLD),
        Just(Modifier::REVERSED),
        Just(Modifier::BOLD | Modifier::UNDERLINED),
        Just(Modifier::DIM | Modifier::ITALIC),
    ];
    (colour(), colour(), modifier)
        .prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
}

/// A frame: some words here and there over the one before.
fn frames() -> impl Strategy<Value = Vec<Buffer>> {
    let word = prop_oneof!["[a-z0-9 ]{1,5}", "[a-z]{0,2}[\u{2588}\u{2801}…][a-z]{0,3}", "日本[a-z]"];
    let words = vec((0..WIDTH, 0..HEIGHT, word, style()), 0..7);
    vec(words, 1..5).prop_map(|frames| {
        let mut buffer = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        let drawn = frames.into_iter().map(|words| {
            for (x, y, word, style) in words {
                buffer.set_stringn(x, y, word, usize::from(WIDTH - x), style);
            }
            buffer.clone()
        });
        drawn.collect()
    })
}

proptest! {
    #[test]
    fn a_terminal_shows_what_ratatuis_own_way_shows(frames in frames()) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        bytes(Frames::new(&mut ours, || Ok(Size::new(WIDTH, HEIGHT))), &frames);
        bytes(CrosstermBackend::new(&mut theirs), &frames);
        prop_assert_eq!(screen(&ours), screen(&theirs));
        prop_assert!(ours.len() <= theirs.len(), "{} > {}", ours.len(), theirs.len());
    }
}

#[test]
fn a_frame_begins_and_ends_plain_and_names_only_what_changes() {
    let mut frame = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
    frame.set_string(2, 1, "a", Style::new().fg(Color::Indexed(248)));
    frame.set_string(5, 1, "b", Style::new().fg(Color::Indexed(248)));
    frame.set_string(6, 1, "…", Style::new().fg(Color::Indexed(248)).add_modifier(Modifier::BOLD));
    frame.set_string(9, 1, "c", Style::new().bg(Color::Red));
    let mut out = Vec::new();
    bytes(Frames::new(&mut out, || Ok(Size::new(WIDTH, HEIGHT))), &[frame]);
    let told = String::from_utf8_lossy(&out);
    assert_eq!(told, "\x1b[2;3H\x1b[38;5;248ma\x1b[2Cb\x1b[1m…\x1b[10G\x1b[22;39;48;5;1mc\x1b[m");
}
