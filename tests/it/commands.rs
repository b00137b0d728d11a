//! Help and palette say what works on this screen and why the rest does not; commands take what is typed behind them and are taken back.

use crate::screens::Drive;
use stacktop::app::key::{Code, Key};
use stacktop::app::layout::Size;
use stacktop::app::msg::Effect;
use stacktop::app::overlay::Overlay;
use stacktop::core::place::Screen;
use std::time::Duration;

async fn demo() -> Drive {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.model.size = Size { width: 100, height: 40 };
    drive
}

fn say(drive: &Drive) -> String {
    drive.model.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default()
}

fn run(drive: &mut Drive, text: &str) -> Vec<Effect> {
    drive.key(Key::char(':'));
    text.chars().for_each(|c| drive.key(Key::char(c)));
    drive.press(Key::plain(Code::Enter))
}

#[tokio::test]
async fn help_begins_with_this_screen_and_can_be_searched() {
    let mut drive = demo().await;
    drive.key(Key::char('6'));
    drive.key(Key::char('?'));
    let help = drive.drawn(100, 60);
    let first = help.lines().find(|line| line.contains("This screen: queues")).expect("it begins with it");
    assert!(first.contains("every queue with its counts"), "{help}");
    assert!(help.contains("x p") && help.contains("pause"), "what may be done to the row: {help}");
    drive.key(Key::char('/'));
    "runbook".chars().for_each(|c| drive.key(Key::char(c)));
    drive.key(Key::plain(Code::Enter));
    let found = drive.drawn(100, 40);
    assert!(
        found.contains("find: runbook") && found.contains("copy the address of the finding's runbook"),
        "{found}"
    );
    assert!(found.contains("only a finding has a runbook"), "why it does nothing here: {found}");
    // The same key stands in three parts of it.
    drive.key(Key::plain(Code::Esc));
    drive.key(Key::plain(Code::Home));
    drive.key(Key::char('/'));
    "Ctrl-U".chars().for_each(|c| drive.key(Key::char(c)));
    drive.key(Key::plain(Code::Enter));
    let before = drive.drawn(100, 40);
    drive.key(Key::char('n'));
    let next = drive.drawn(100, 40);
    assert_ne!(next, before, "the next place");
    drive.key(Key::char('N'));
    assert_ne!(drive.drawn(100, 40), next, "and back");
    // The first Esc ends the search, the second one the help.
    drive.key(Key::plain(Code::Esc));
    assert!(matches!(drive.model.overlay, Some(Overlay::Help(_))));
    drive.key(Key::plain(Code::Esc));
    assert_eq!(drive.model.overlay, None);
}

#[tokio::test]
async fn what_may_be_done_is_hinted_only_where_it_can_be() {
    let mut drive = demo().await;
    let hints = |drive: &mut Drive| drive.drawn(100, 40).lines().last().map(str::to_owned).expect("hints");
    drive.key(Key::char('2'));
    assert!(hints(&mut drive).starts_with("x actions"), "{}", hints(&mut drive));
    assert!(!hints(&mut drive).contains("s sort"), "a tree has its order");
    drive.key(Key::char('9'));
    assert!(!hints(&mut drive).contains("x actions"), "{}", hints(&mut drive));
    drive.key(Key::char('2'));
    drive.key(Key::char('p'));
    assert!(!hints(&mut drive).contains("x actions"), "frozen: {}", hints(&mut drive));
}

#[tokio::test]
async fn the_palette_shows_keys_and_why_something_does_nothing() {
    let mut drive = demo().await;
    drive.key(Key::char('2'));
    drive.key(Key::char(':'));
    "sor".chars().for_each(|c| drive.key(Key::char(c)));
    let text = drive.drawn(100, 40);
    let line = text.lines().find(|line| line.contains("> sort")).expect("the best one is marked");
    assert!(line.contains(" s "), "{text}");
    assert!(text.contains("(not here: the order") && text.contains("here has a meaning)"), "{text}");
    drive.key(Key::plain(Code::Tab));
    assert!(drive.drawn(100, 40).contains(":sort"));
    drive.key(Key::plain(Code::Esc));
    assert_eq!(drive.model.overlay, None);
}

#[tokio::test]
async fn commands_take_what_is_typed_behind_them() {
    let mut drive = demo().await;
    run(&mut drive, "theme light");
    assert_eq!(drive.model.theme.name, "light");
    run(&mut drive, "theme lihgt");
    assert!(say(&drive).contains("there are dark"), "{}", say(&drive));
    drive.key(Key::char('3'));
    run(&mut drive, "sort statement asc");
    assert!(say(&drive).starts_with("sorted by statement, lowest first"), "{}", say(&drive));
    run(&mut drive, "sort query desc");
    assert!(say(&drive).starts_with("sorted by query, highest first"), "{}", say(&drive));
    run(&mut drive, "sort nonsense");
    assert!(say(&drive).contains("no column is called nonsense; there are pid"), "{}", say(&drive));
    run(&mut drive, "filter user=shop");
    assert!(drive.drawn(100, 40).contains("filter: user=shop"));
    run(&mut drive, "help me");
    assert_eq!(say(&drive), "`help` takes nothing behind it");
    run(&mut drive, "arm 3h");
    assert!(say(&drive).contains("1m to 60m"), "{}", say(&drive));
    run(&mut drive, "arm 20m");
    assert!(drive.drawn(100, 40).contains("for 20 minutes"), "{}", drive.drawn(100, 40));
    "demo".chars().for_each(|c| drive.key(Key::char(c)));
    drive.key(Key::plain(Code::Enter));
    assert_eq!(say(&drive), "armed for 20 minutes (:disarm ends it)");
    let at = |drive: &Drive, minutes: u64| {
        drive.model.arming.mode(drive.model.now.plus(Duration::from_secs(minutes * 60)))
    };
    assert_ne!(at(&drive, 19), at(&drive, 21), "it ends after that");
}

#[tokio::test]
async fn what_was_run_is_taken_back_and_q_quits() {
    let mut drive = demo().await;
    run(&mut drive, "theme light");
    run(&mut drive, "queues");
    assert_eq!(drive.model.screen, Screen::Queues);
    drive.key(Key::char(':'));
    drive.key(Key::char('h'));
    let typed = |drive: &Drive| match &drive.model.overlay {
        Some(Overlay::Palette(palette)) => palette.field.text().to_owned(),
        other => panic!("{other:?}"),
    };
    for (key, expected) in [
        (Code::Up, "queues"),
        (Code::Up, "theme light"),
        (Code::Up, "theme light"),
        (Code::Down, "queues"),
        (Code::Down, "h"),
        (Code::Down, "h"),
    ] {
        drive.key(Key::plain(key));
        assert_eq!(typed(&drive), expected);
    }
    drive.key(Key::plain(Code::Esc));
    assert_eq!(run(&mut drive, "q"), [Effect::Quit]);
}
