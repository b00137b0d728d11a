//! Every line of every page can be reached in the smallest window and in a usual one; nothing is done to what is not in view; messages
//! hide nothing and go when they are no longer true.

use crate::screens::{Drive, is_plotted};
use stacktop::app::command::Command;
use stacktop::app::key::{Code, Key};
use stacktop::app::layout::Size;
use stacktop::app::msg::{Effect, Msg};
use stacktop::app::overlay::Overlay;
use stacktop::core::place::Screen;
use std::collections::BTreeSet;

/// The lines between the tabs and the newest message, without the cursor's mark.
fn page(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let middle = &lines[4..lines.len() - 2];
    middle.iter().map(|line| line.trim_start_matches(['>', ' ']).trim_end().to_owned()).collect()
}

/// Walks down from the first line and up again: what was never in view of what a window without end shows.
fn unreached(drive: &mut Drive, width: u16, height: u16) -> Vec<String> {
    let all: BTreeSet<String> =
        page(&drive.drawn(width, 500)).into_iter().filter(|line| !is_plotted(line)).collect();
    let mut seen = BTreeSet::new();
    drive.drawn(width, height);
    for (first, step) in [(Command::Top, Command::Down), (Command::Bottom, Command::Up)] {
        drive.tell(Msg::Command(first));
        for _ in 0..400 {
            let text = drive.drawn(width, height);
            seen.extend(page(&text));
            drive.tell(Msg::Command(step));
            if drive.drawn(width, height) == text {
                break;
            }
        }
    }
    all.difference(&seen).cloned().collect()
}

#[tokio::test]
async fn every_line_of_every_page_is_reached() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    let paths: [&[Command]; 4] =
        [&[], &[Command::Open], &[Command::Open, Command::Open], &[Command::Bottom, Command::Open]];
    for screen in Screen::ALL.iter().copied() {
        for path in paths {
            drive.drawn(80, 24);
            drive.tell(Msg::Command(Command::Screen(screen)));
            drive.tell(Msg::Command(Command::Screen(screen)));
            drive.tell(Msg::Command(Command::Top));
            for command in path {
                drive.tell(Msg::Command(*command));
            }
            drive.model.overlay = None;
            drive.run_to(drive.second + 1).await;
            for (width, height) in [(60, 16), (80, 24), (140, 30)] {
                let left = unreached(&mut drive, width, height);
                assert!(left.is_empty(), "{screen:?} {path:?} at {width}x{height}: {left:#?}");
            }
        }
    }
}

/// The page of the session that blocks, at its first line, in a window in which its rows have no room.
async fn session() -> Drive {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.model.size = Size { width: 80, height: 24 };
    drive.key(Key::char('2'));
    drive.key(Key::plain(Code::Enter));
    drive.model.size = Size { width: 60, height: 16 };
    drive
}

#[tokio::test]
async fn a_page_begins_at_its_first_line_and_says_where_one_is() {
    let mut drive = session().await;
    let text = drive.drawn(60, 16);
    let place = text.lines().nth(4).expect("the line below the tabs").to_owned();
    assert_eq!(place, "blocking › backend 4918");
    assert!(text.contains("who           billing"), "{text}");
    let hints = text.lines().last().expect("the hints").to_owned();
    assert!(hints.contains("↓") && hints.ends_with("more"), "{hints}");
    drive.key(Key::char('G'));
    let text = drive.drawn(60, 16);
    assert_eq!(text.lines().nth(4), Some(place.as_str()), "{text}");
    assert!(!text.contains("who           billing"), "{text}");
}

#[tokio::test]
async fn nothing_is_done_to_a_row_that_is_not_in_view() {
    let mut drive = session().await;
    // Another row than the one whose page it is.
    drive.key(Key::char('G'));
    drive.key(Key::char('g'));
    drive.key(Key::char('j'));
    let level = drive.model.places[&Screen::Blocking].levels.last().expect("a level").clone();
    assert!(level.away, "the rows are below");
    let victim = {
        drive.key(Key::char('G'));
        drive.model.places[&Screen::Blocking].levels.last().expect("a level").cursor.clone()
    };
    for _ in 0..40 {
        drive.key(Key::plain(Code::Up));
    }
    let place = drive.model.places.get_mut(&Screen::Blocking).expect("it is open");
    let level = place.levels.last_mut().expect("a level");
    (level.cursor, level.scroll, level.away) = (victim, 0, true);
    for key in ['x', 'd', ' '] {
        drive.key(Key::char(key));
        assert_eq!(drive.model.overlay, None, "{key}");
        let level = drive.model.places[&Screen::Blocking].levels.last().expect("a level");
        assert!(level.marks.is_empty());
        assert!(drive.drawn(60, 16).contains("was not in view"), "{}", drive.drawn(60, 16));
        let place = drive.model.places.get_mut(&Screen::Blocking).expect("it is open");
        let level = place.levels.last_mut().expect("a level");
        (level.scroll, level.away) = (0, true);
    }
    drive.key(Key::char('x'));
    assert!(drive.drawn(60, 16).lines().any(|line| line.starts_with('>')), "it came into view");
    drive.key(Key::char('x'));
    assert!(matches!(drive.model.overlay, Some(Overlay::Menu(_))));
}

#[tokio::test]
async fn a_text_is_looked_for_on_a_page_and_the_page_is_copied() {
    let mut drive = session().await;
    drive.key(Key::char('/'));
    "vacuum".chars().for_each(|c| drive.key(Key::char(c)));
    drive.key(Key::plain(Code::Enter));
    drive.key(Key::char('n'));
    let text = drive.drawn(60, 16);
    assert!(text.contains("holds vacuum"), "{text}");
    assert!(text.contains("filter: vacuum (0 of 10 shown)"), "{text}");
    drive.key(Key::plain(Code::Esc));
    // A page without rows: a source of the overview.
    drive.drawn(80, 24);
    drive.key(Key::char('1'));
    drive.key(Key::char('G'));
    drive.key(Key::plain(Code::Enter));
    let hints = drive.drawn(80, 24).lines().last().map(str::to_owned).expect("hints");
    assert!(hints.contains("/ find") && !hints.contains("sort"), "{hints}");
    assert!(!hints.contains("x actions"), "nothing can be done here: {hints}");
    drive.key(Key::char('/'));
    "interval".chars().for_each(|c| drive.key(Key::char(c)));
    let text = drive.drawn(80, 24);
    assert!(text.contains("filter: interval (in 1 line)"), "{text}");
    drive.key(Key::plain(Code::Enter));
    let copied = drive.press(Key::char('y'));
    let Some(Effect::Copy(text)) = copied.first() else { panic!("{copied:?}") };
    assert!(text.contains("Source shop-api") && text.contains("interval  "), "{text}");
    // Back clears what was looked for, then leaves.
    drive.key(Key::plain(Code::Esc));
    assert!(!drive.drawn(80, 24).contains("filter:"));
}

#[tokio::test]
async fn a_message_hides_no_filter_and_goes_with_the_next_key() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.model.size = Size { width: 80, height: 24 };
    drive.key(Key::char('3'));
    drive.key(Key::char('/'));
    "user=shop".chars().for_each(|c| drive.key(Key::char(c)));
    drive.key(Key::plain(Code::Enter));
    drive.key(Key::char('I'));
    let text = drive.drawn(80, 24);
    assert!(text.contains("not sorted by a column"), "{text}");
    let place = text.lines().nth(4).expect("a line").to_owned();
    assert!(place.starts_with("queries  filter: user=shop (") && place.contains(" shown)"), "{place}");
    drive.key(Key::char('j'));
    let text = drive.drawn(80, 24);
    assert!(!text.contains("not sorted by a column"), "{text}");
    assert_eq!(text.lines().nth(4), Some(place.as_str()));
    // What came of something outside stays for its time.
    drive.tell(Msg::Told("copied".to_owned()));
    drive.key(Key::char('j'));
    assert!(drive.drawn(80, 24).contains("copied"));
}

#[tokio::test]
async fn a_row_that_is_too_long_is_read_in_full() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.model.size = Size { width: 60, height: 16 };
    drive.key(Key::char('3'));
    let whole = "UPDATE orders SET invoice_state = 'pending' WHERE id = 8831";
    let flat =
        |text: &str| text.lines().map(|line| line.trim_matches(['│', ' '])).collect::<Vec<_>>().join(" ");
    assert!(!flat(&drive.drawn(60, 16)).contains(whole));
    drive.key(Key::char('d'));
    let mut text = flat(&drive.drawn(60, 16));
    drive.key(Key::plain(Code::End));
    text += &flat(&drive.drawn(60, 16));
    for words in ["UPDATE orders SET invoice_state", "WHERE id = 8831", "user", "billing"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // A text in it is found, all of it is copied, and the key that opened it closes it.
    drive.key(Key::char('/'));
    "pending".chars().for_each(|c| drive.key(Key::char(c)));
    assert!(drive.drawn(60, 16).contains("find: pending"));
    drive.key(Key::plain(Code::Enter));
    let copied = drive.press(Key::char('y'));
    assert!(matches!(copied.first(), Some(Effect::Copy(text)) if text.contains("8831")), "{copied:?}");
    drive.key(Key::char('d'));
    assert_eq!(drive.model.overlay, None);
}

#[tokio::test]
async fn in_a_window_that_shows_nothing_no_key_moves_anything() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.model.size = Size { width: 50, height: 10 };
    drive.drawn(50, 10);
    for key in [Key::char('2'), Key::char('j'), Key::plain(Code::Enter), Key::char('x'), Key::char(' ')] {
        assert!(drive.press(key).is_empty());
    }
    assert_eq!(drive.model.screen, Screen::Overview);
    assert!(drive.model.overlay.is_none() && drive.model.place().path.is_empty());
    assert_eq!(drive.press(Key::char('q')), [Effect::Quit]);
}
