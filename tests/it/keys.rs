//! Keys in force on the screens of the demo stack: what was bound is what every tab, hint, dialog and sentence names; fields have a
//! cursor; what an operator does can be played again without a key.

use crate::screens::Drive;
use stacktop::app::command::{Command, Context};
use stacktop::app::key::{Code, Key};
use stacktop::app::keymap::{Binding, Keymap};
use stacktop::app::msg::{Effect, Msg};
use stacktop::app::overlay::Overlay;
use stacktop::app::pressed;
use stacktop::core::place::Screen;

fn bound(context: Context, command: &str, keys: &[&str]) -> Binding {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    Binding { context, command: command.to_owned(), keys, adds: false }
}

/// Every key that has a default and may have another has another.
fn others() -> Keymap {
    let screens = |command: &str, key: &str| bound(Context::Screens, command, &[key]);
    Keymap::with(&[
        screens("actions", "ctrl-x"),
        screens("help", "H"),
        screens("palette", "ctrl-y"),
        screens("freeze", "Z"),
        screens("sort", "S"),
        screens("sort-invert", "V"),
        screens("sort-right", "J"),
        screens("count", "C"),
        screens("clear-marks", "W"),
        screens("quit", "Q"),
        screens("queues", "f6"),
        screens("overview", "f2"),
        screens("sources", "f3"),
        screens("stop", "f4"),
        screens("find", "f5"),
        screens("mark", "M"),
        bound(Context::Dialogs, "page-down", &["f8"]),
        bound(Context::Fields, "editor", &["f9"]),
    ])
    .expect("they are possible")
}

fn say(drive: &Drive) -> String {
    drive.model.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default()
}

#[tokio::test]
async fn tabs_hints_help_and_sentences_name_the_keys_in_force() {
    let mut drive = Drive::demo();
    drive.model.keymap = others();
    drive.run_to(45).await;
    let text = drive.drawn(200, 60);
    for words in ["F2 overview", "F6 queues", "Ctrl-X actions", "H help", "Q quit", "Z freeze"] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    drive.key(Key::char('H'));
    let help = drive.drawn(200, 200);
    assert!(help.contains("without Ctrl-X, a letter"), "{help}");
    drive.key(Key::plain(Code::Esc));
    let expect = |drive: &mut Drive, command, words: &str| {
        drive.tell(Msg::Command(command));
        assert!(say(drive).contains(words), "{command:?}: {}", say(drive));
    };
    drive.tell(Msg::Command(Command::Screen(Screen::Queries)));
    expect(&mut drive, Command::SortRight, "(V turns it around)");
    expect(&mut drive, Command::Count, "J takes the next one, Enter lists those of a row, C all of them");
    drive.tell(Msg::Command(Command::Back));
    expect(&mut drive, Command::MarkAll, "(W clears)");
    drive.tell(Msg::Command(Command::Freeze));
    expect(&mut drive, Command::Actions, "press Z to see the present");
    drive.tell(Msg::Command(Command::Freeze));
    drive.tell(Msg::Command(Command::Palette));
    "nonsense".chars().for_each(|c| drop(drive.tell(Msg::Typed(c))));
    expect(&mut drive, Command::Accept, "H lists them");
    drive.tell(Msg::Command(Command::Palette));
    "find x".chars().for_each(|c| drop(drive.tell(Msg::Typed(c))));
    expect(&mut drive, Command::Accept, "open one (F6, Enter), then F5 TEXT");
    drive.model.running = 1;
    expect(&mut drive, Command::Quit, "press Q again");
    drive.tell(Msg::Progress("ten of twenty".to_owned()));
    assert_eq!(say(&drive), "ten of twenty (F4 ends it)");
    drive.model.running = 0;
    drive.key(Key::plain(Code::F(6)));
    drive.run_to(drive.second + 1).await;
    drive.tell(Msg::Command(Command::Actions));
    drive.drawn(160, 50);
    drive.second += 1;
    drive.tell(Msg::Typed('n'));
    let text = drive.drawn(160, 50);
    assert!(text.contains("F9 opens $EDITOR"), "{text}");
}

#[tokio::test]
async fn no_screen_names_a_key_that_is_not_in_force() {
    let mut drive = Drive::demo();
    drive.model.keymap = others();
    drive.run_to(45).await;
    // A letter that stands for a key and for nothing else: with other keys none of these may be left.
    let stale = [
        "press x", "(x", " x ends", ", x)", "press !", "press :", "(:", " :stop", ":find", "(space)", "(c)",
        "(s)",
    ];
    for screen in Screen::ALL.iter().copied() {
        for path in
            [&[][..], &[Command::Open], &[Command::Open, Command::Open], &[Command::Bottom, Command::Open]]
        {
            drive.tell(Msg::Command(Command::Screen(screen)));
            drive.tell(Msg::Command(Command::Top));
            for command in path {
                drive.tell(Msg::Command(*command));
            }
            drive.run_to(drive.second + 1).await;
            let text = drive.drawn(200, 100);
            let found: Vec<&&str> = stale.iter().filter(|words| text.contains(**words)).collect();
            assert!(found.is_empty(), "{found:?} on {screen:?} {path:?}:\n{text}");
            for _ in path {
                drive.tell(Msg::Command(Command::Back));
            }
        }
    }
}

#[tokio::test]
async fn a_field_has_a_cursor_and_scrolls() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.key(Key::char('/'));
    let line = |drive: &mut Drive| {
        let text = drive.drawn(80, 24);
        text.lines().find(|line| line.starts_with("filter: ")).unwrap_or_default().to_owned()
    };
    "order mails".chars().for_each(|c| drive.key(Key::char(c)));
    assert!(line(&mut drive).starts_with("filter: order mails_  column=x"), "{}", line(&mut drive));
    drive.key(Key::ctrl('w'));
    drive.key(Key::plain(Code::Home));
    "my ".chars().for_each(|c| drive.key(Key::char(c)));
    let filter =
        |drive: &Drive| drive.model.place().level().map(|level| level.filter.clone()).unwrap_or_default();
    assert_eq!(filter(&drive), "my order ");
    drive.key(Key::ctrl('k'));
    drive.key(Key::plain(Code::Backspace));
    assert_eq!(filter(&drive), "my");
    drive.tell(Msg::Paste("日本".repeat(60)));
    drive.key(Key::ctrl('a'));
    assert!(line(&mut drive).starts_with("filter: my日"), "{}", line(&mut drive));
    drive.key(Key::ctrl('e'));
    // The second column of a wide sign is a blank of the terminal.
    let end = line(&mut drive).replace(' ', "");
    assert!(!end.contains("my") && end.contains("日本_…"), "{end}");
    drive.key(Key::ctrl('u'));
    assert_eq!(filter(&drive), "");
}

#[tokio::test]
async fn in_a_dialog_a_character_is_text_and_a_key_of_a_screen_is_nothing() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.tell(Msg::Command(Command::Palette));
    for key in ['q', 'x', ':', '?', ' '] {
        assert!(matches!(pressed(&drive.model, Key::char(key)), Some(Msg::Typed(c)) if c == key), "{key}");
    }
    for nothing in [Key::plain(Code::F(1)), Key::ctrl('p'), Key::ctrl('r'), Key::plain(Code::BackTab)] {
        assert!(pressed(&drive.model, nothing).is_none(), "{nothing}");
    }
    for (key, command) in [('c', Command::Quit), ('z', Command::Suspend), ('l', Command::Redraw)] {
        assert!(
            matches!(pressed(&drive.model, Key::ctrl(key)), Some(Msg::Command(found)) if found == command)
        );
    }
    drive.tell(Msg::Command(Command::Back));
    // What is only read is left with what ends a screen; it never ends the program.
    drive.key(Key::char('?'));
    assert!(matches!(pressed(&drive.model, Key::char('q')), Some(Msg::Command(Command::Back))));
    assert!(matches!(pressed(&drive.model, Key::char('j')), Some(Msg::Command(Command::Down))));
    assert!(pressed(&drive.model, Key::char('~')).is_none());
}

#[tokio::test]
async fn no_command_confirms() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.drawn(160, 50);
    drive.tell(Msg::Command(Command::Screen(Screen::Blocking)));
    drive.tell(Msg::Command(Command::Actions));
    drive.drawn(160, 50);
    drive.second += 1;
    drive.tell(Msg::Typed('t'));
    drive.drawn(160, 50);
    drive.second += 1;
    let dialog = drive.model.overlay.clone();
    assert!(matches!(dialog, Some(Overlay::Confirm(_))));
    for entry in Keymap::default().entries() {
        let effects = drive.tell(Msg::Command(entry.command));
        let sent = effects.iter().any(|effect| matches!(effect, Effect::Perform { .. }));
        assert!(!sent, "{} confirmed", entry.name);
        drive.model.overlay.clone_from(&dialog);
    }
    drive.drawn(160, 50);
    let effects = drive.tell(Msg::Typed('t'));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Perform { .. })), "{effects:?}");
}
