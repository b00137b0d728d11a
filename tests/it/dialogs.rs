//! Nothing is chosen or confirmed that was not on the screen: at every size, however long a preview is, whatever is pressed before.

use crate::screens::Drive;
use proptest::prelude::*;
use stacktop::app::command::Command;
use stacktop::app::key::{Code, Key};
use stacktop::app::layout::Size;
use stacktop::app::model::Kind;
use stacktop::app::msg::{Effect, Msg};
use stacktop::app::overlay::{Confirm, Menu, Overlay};
use stacktop::app::window::Window;
use stacktop::core::action::{Action, Offer, Preview, Refusal};
use stacktop::core::ids::TargetId;
use stacktop::core::postgres::{BackendId, PgAction, Promise};
use stacktop::core::row::RowKey;
use stacktop::core::time::Now;
use stacktop::ui::field::Field;
use std::collections::BTreeSet;

/// A word that is found again on a screen, wherever it stands.
fn token(number: usize) -> String {
    format!("q{number:04}q")
}

/// A dialog that opened a second ago, with `words` words in its facts and in its statement.
fn confirm(words: usize, word: Option<&str>) -> Overlay {
    let text = |from: usize, to: usize| (from..to).map(token).collect::<Vec<_>>().join(" ");
    let facts = (0..words / 2).step_by(5).map(|at| ("who".to_owned(), text(at, (at + 5).min(words / 2))));
    // One of the demo: elsewhere nothing is permitted.
    let target = TargetId::new("shop-db");
    let backend = BackendId { pid: 4711, backend_start_micros: 7 };
    Overlay::Confirm(Box::new(Confirm {
        row: RowKey::Target(TargetId::new("pg")),
        marked: Vec::new(),
        letter: 't',
        answer: None,
        action: Action::Postgres {
            target: target.clone(),
            act: PgAction::Terminate { backend, promise: Promise::default() },
        },
        preview: Preview {
            title: "Terminate pid 4711".to_owned(),
            facts: facts.collect(),
            statement: text(words / 2, words),
            confirm_key: 't',
            severe: false,
            word: None,
        },
        prediction: None,
        word: word.map(str::to_owned),
        typed: Field::default(),
        changed: None,
        opened: Now::example(0),
        window: Window::default(),
    }))
}

/// What was on the screen since the size changed last, learned from the drawn text alone.
struct Watcher {
    drive: Drive,
    size: Size,
    shown: BTreeSet<String>,
    last: String,
}

impl Watcher {
    fn new(overlay: Overlay) -> Self {
        let mut drive = Drive::demo();
        drive.second = 1;
        drive.model.overlay = Some(overlay);
        let size = Size { width: 80, height: 24 };
        Self { drive, size, shown: BTreeSet::new(), last: String::new() }
    }

    fn draw(&mut self, size: Size) {
        if size != self.size {
            self.shown.clear();
        }
        self.size = size;
        self.last = self.drive.drawn(size.width, size.height);
        let words = self.last.split(|c: char| !c.is_ascii_alphanumeric());
        let ours = |word: &&str| word.len() == 6 && word[1..5].bytes().all(|byte| byte.is_ascii_digit());
        self.shown.extend(words.filter(ours).map(str::to_owned));
    }

    /// Presses `key` on what was drawn; whether an action was confirmed by it.
    fn press(&mut self, key: Key) -> bool {
        let effects = self.drive.press(key);
        effects.iter().any(|effect| matches!(effect, Effect::Perform { .. }))
    }
}

const KEYS: [Code; 12] = [
    Code::Char('t'),
    Code::Char('t'),
    Code::Char('o'),
    Code::Down,
    Code::Up,
    Code::PageDown,
    Code::PageDown,
    Code::PageUp,
    Code::Home,
    Code::End,
    Code::Enter,
    Code::Backspace,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_was_not_drawn_is_never_confirmed(
        words in 0usize..400,
        typed in any::<bool>(),
        steps in prop::collection::vec((0u16..200, 0u16..60, 0usize..40), 1..25),
    ) {
        let mut watcher = Watcher::new(confirm(words, typed.then_some("to")));
        let mut size = Size { width: 100, height: 30 };
        for (width, height, step) in steps {
            match KEYS.get(step % 16) {
                Some(code) if watcher.press(Key::plain(*code)) => {
                    prop_assert_eq!(watcher.shown.len(), words, "at {:?}:\n{}", watcher.size, watcher.last);
                    let decision = if typed { "type to and it is done" } else { "t = Terminate" };
                    prop_assert!(watcher.last.contains(decision), "{}", watcher.last);
                    break;
                }
                Some(_) => {}
                None => size = Size { width, height },
            }
            watcher.draw(size);
        }
    }
}

#[test]
fn at_every_size_a_key_confirms_exactly_where_everything_is_seen() {
    let edges = |all: u16, step: usize, edge: u16| (0..all).step_by(step).chain([edge - 1, edge, edge + 1]);
    for width in edges(200, 23, 60) {
        for height in edges(60, 7, 16) {
            let mut watcher = Watcher::new(confirm(60, None));
            let size = Size { width, height };
            watcher.draw(size);
            let whole = watcher.shown.len() == 60;
            assert_eq!(watcher.press(Key::char('t')), whole, "{size:?}:\n{}", watcher.last);
            if whole || !size.shows() {
                continue;
            }
            // With every page seen it is confirmed: nobody is locked out by a small window.
            for _ in 0..60 {
                watcher.draw(size);
                watcher.press(Key::plain(Code::PageDown));
            }
            watcher.draw(size);
            assert!(watcher.press(Key::char('t')), "{size:?}:\n{}", watcher.last);
            assert_eq!(watcher.shown.len(), 60);
        }
    }
}

#[test]
fn a_dialog_says_how_much_more_there_is_and_keeps_its_decision_in_view() {
    let mut watcher = Watcher::new(confirm(300, Some("prod-eu")));
    watcher.draw(Size { width: 80, height: 24 });
    let seen = watcher.last.clone();
    assert!(seen.contains("more lines: scroll to the end to confirm"), "{seen}");
    assert!(seen.contains("type prod-eu and it is done with the last letter"), "{seen}");
    // Letters of the word are not taken before: it would be complete with nothing left to type.
    for c in "prod-eu".chars() {
        assert!(!watcher.press(Key::char(c)));
    }
    // Where a word is typed, Home and End move its cursor; pages scroll on.
    watcher.drive.tell(Msg::Command(Command::Bottom));
    watcher.draw(Size { width: 80, height: 24 });
    assert!(watcher.last.contains("not shown yet: scroll back to confirm"), "{}", watcher.last);
    for _ in 0..20 {
        watcher.press(Key::plain(Code::PageUp));
        watcher.draw(Size { width: 80, height: 24 });
    }
    assert!(watcher.last.contains("all of it was shown"), "{}", watcher.last);
    let answers: Vec<bool> = "prod-eu".chars().map(|c| watcher.press(Key::char(c))).collect();
    assert_eq!(answers.iter().filter(|done| **done).count(), 1);
    assert_eq!(answers.last(), Some(&true));
}

#[test]
fn a_dialog_in_a_window_made_too_small_confirms_nothing_and_says_so() {
    let mut watcher = Watcher::new(confirm(10, None));
    watcher.draw(Size { width: 80, height: 24 });
    for (width, height) in [(59, 24), (80, 15), (40, 8)] {
        watcher.draw(Size { width, height });
        assert!(watcher.last.replace('\n', " ").contains("open dialog has no room"), "{}", watcher.last);
        assert!(!watcher.press(Key::char('t')), "{width}x{height}");
    }
    // The size is right again, but nothing was drawn in it yet.
    assert!(!watcher.press(Key::char('t')));
    watcher.draw(Size { width: 80, height: 24 });
    assert!(watcher.press(Key::char('t')));
}

#[tokio::test]
async fn no_menu_and_no_arming_opens_where_it_could_not_be_seen() {
    for (width, height) in [(59, 24), (80, 15)] {
        let mut drive = Drive::demo();
        drive.run_to(45).await;
        drive.key(Key::char('2'));
        drive.drawn(width, height);
        for keys in ["x", ":arm\n"] {
            for c in keys.chars() {
                drive.key(if c == '\n' { Key::plain(Code::Enter) } else { Key::char(c) });
            }
            assert_eq!(drive.model.overlay, None, "{keys:?} at {width}x{height}");
            let text = drive.drawn(width, height).replace('\n', " ");
            let said = format!("nothing can be done in a window of {width}x{height}");
            assert!(text.contains(&said), "{text}");
            drive.model.toast = None;
        }
    }
}

#[test]
fn a_letter_of_the_menu_chooses_only_what_is_in_view() {
    let offers = ('a'..='p').map(|letter| Offer {
        letter,
        label: format!("offer {letter}"),
        effect: "of which the effect takes more than the one line that it has here, whatever it is"
            .to_owned(),
        choice: Err(Refusal::new("it is a test")),
        asks: None,
    });
    let menu = Menu {
        row: RowKey::Target(TargetId::new("pg")),
        offers: offers.collect(),
        opened: Now::example(0),
        window: Window::default(),
    };
    let mut watcher = Watcher::new(Overlay::Menu(menu));
    let said = |watcher: &Watcher| {
        watcher.drive.model.toast.as_ref().map_or("", |toast| toast.text.as_str()).to_owned()
    };
    let size = Size { width: 60, height: 16 };
    watcher.press(Key::char('a'));
    assert!(said(&watcher).contains("not in view"), "nothing was drawn yet: {}", said(&watcher));
    watcher.draw(size);
    watcher.press(Key::char('a'));
    assert!(said(&watcher).contains("offer a: it is a test"), "{}", said(&watcher));
    watcher.press(Key::char('p'));
    assert!(said(&watcher).contains("`p` is not in view"), "{}", said(&watcher));
    watcher.press(Key::plain(Code::End));
    watcher.draw(size);
    watcher.press(Key::char('p'));
    assert!(said(&watcher).contains("offer p: it is a test"), "{}", said(&watcher));
    watcher.press(Key::char('a'));
    assert!(said(&watcher).contains("`a` is not in view"), "it scrolled away: {}", said(&watcher));
}

#[tokio::test]
async fn the_mode_stays_visible_above_whatever_is_open() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.model.kind = Kind::Live;
    drive.model.arming.production = true;
    drive.model.arming.environment = "a-production-environment-with-a-long-name".to_owned();
    drive.model.arming.read_only = Some("--read-only".to_owned());
    let lists = [(Key::char('?'), "Help"), (Key::char('!'), "Sources"), (Key::char('@'), "Action log")];
    for size in [(60, 16), (80, 24), (200, 60)] {
        drive.key(Key::char('2'));
        for (key, title) in &lists {
            drive.drawn(size.0, size.1);
            drive.key(*key);
            let text = drive.drawn(size.0, size.1);
            assert!(text.contains(title), "{text}");
            let first = text.lines().next().expect("a line");
            assert!(first.contains("PROD") && first.contains("READ-ONLY"), "{text}");
            let verdict = text.lines().nth(1).expect("a verdict");
            assert!(verdict.trim_start_matches('▌').starts_with("BROKEN"), "{text}");
            drive.key(Key::plain(Code::Esc));
        }
        drive.model.overlay = Some(confirm(200, Some("word")));
        let text = drive.drawn(size.0, size.1);
        let first = text.lines().next().expect("a line");
        assert!(first.contains("PROD") && first.contains("READ-ONLY"), "{text}");
        drive.model.overlay = None;
    }
}

#[tokio::test]
async fn what_was_counted_is_opened_marked_and_named_one_by_one() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.key(Key::char('3'));
    // By pid, by user; counted.
    for key in ['>', '>', 'c'] {
        drive.key(Key::char(key));
    }
    let counted = drive.drawn(120, 40);
    let row = counted.lines().find(|line| line.starts_with("> ")).expect("a row").to_owned();
    let mut words = row[2..].split_whitespace();
    let (user, count) = (words.next().expect("a user"), words.next().expect("a count"));
    let count: usize = count.parse().expect("a number");
    drive.key(Key::plain(Code::Enter));
    drive.key(Key::char('*'));
    let text = drive.drawn(120, 40);
    assert!(text.contains(&format!("{count} marked by user = {user}")), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with(">*") || line.starts_with(" *")).count(), count);
    drive.key(Key::char('x'));
    drive.second += 1;
    drive.key(Key::char('t'));
    let Some(Overlay::Confirm(dialog)) = &drive.model.overlay else { panic!("{}", drive.drawn(120, 40)) };
    let facts = &dialog.preview.facts;
    assert!(facts[0].1.starts_with(&format!("{count} marked by user = {user}")), "{facts:?}");
    let Action::Postgres { act: PgAction::Several { backends, .. }, .. } = &dialog.action else { panic!() };
    for (backend, _) in backends {
        let named = format!("pid {}", backend.pid);
        assert!(
            facts.iter().any(|(label, value)| *label == named && value.contains(user)),
            "{named}: {facts:?}"
        );
    }
    drive.key(Key::plain(Code::Esc));
    // Up again: what was counted is counted again, then listed.
    drive.key(Key::plain(Code::Esc));
    assert_eq!(drive.drawn(120, 40).lines().find(|line| line.starts_with("> ")), Some(row.as_str()));
}

#[tokio::test]
async fn nothing_is_offered_on_what_is_late() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.key(Key::char('2'));
    drive.drawn(120, 40);
    let seen = |drive: &mut Drive| {
        drive.key(Key::char('x'));
        drive.drawn(120, 40);
        drive.second += 1;
        drive.key(Key::char('t'));
        let confirms = matches!(&drive.model.overlay, Some(Overlay::Confirm(_)));
        let text = drive.drawn(120, 40);
        drive.key(Key::plain(Code::Esc));
        (confirms, text)
    };
    assert!(seen(&mut drive).0);
    // Nothing more is heard of the server.
    drive.second += 18;
    let (confirms, text) = seen(&mut drive);
    assert!(!confirms && text.contains("not possible: its source is late, and this was so 1"), "{text}");
}

#[tokio::test]
async fn all_is_marked_by_values_and_not_by_what_is_called_alike() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.key(Key::char('3'));
    let typed = |drive: &mut Drive, text: &str| {
        drive.key(Key::char('/'));
        for c in text.chars() {
            drive.key(Key::char(c));
        }
        drive.key(Key::plain(Code::Enter));
        drive.key(Key::char('*'));
        let text = drive.drawn(160, 40);
        drive.key(Key::plain(Code::Esc));
        drive.key(Key::plain(Code::Esc));
        text
    };
    let text = typed(&mut drive, "shop");
    assert!(text.contains("a filter by text also finds what is only called alike"), "{text}");
    let text = typed(&mut drive, "user=shop");
    assert!(text.contains("marked by filter: user=shop"), "{text}");
    let text = typed(&mut drive, "usr=shop");
    assert!(text.contains("the filter cannot be understood: no column is called usr"), "{text}");
}

#[tokio::test]
async fn a_screen_that_is_held_is_held_as_a_whole() {
    let mut drive = Drive::demo();
    drive.run_to(6).await;
    drive.key(Key::char('p'));
    let held = drive.drawn(160, 50);
    assert!(held.lines().nth(1).expect("line 2").starts_with("OK"), "{held}");
    // The incident comes, and a source falls silent; the screen knows nothing of it.
    drive.run_to(45).await;
    drive.second += 60;
    let later = drive.drawn(160, 50);
    let below = |text: &str| text.lines().skip(1).take(45).map(ToOwned::to_owned).collect::<Vec<_>>();
    assert_eq!(below(&held), below(&later));
    assert!(later.lines().next().expect("line 1").contains("FROZEN"), "{later}");
    drive.key(Key::char('!'));
    let sources = drive.drawn(160, 50);
    assert!(!sources.contains("LOST") && !sources.contains("LATE"), "{sources}");
    drive.key(Key::plain(Code::Esc));
    drive.key(Key::char('x'));
    assert_eq!(drive.model.overlay, None);
    // What was not read then is not read now.
    drive.key(Key::char('6'));
    drive.key(Key::plain(Code::Enter));
    let queue = drive.drawn(160, 50);
    assert!(queue.contains("not read at ") && !queue.contains("reading the"), "{queue}");
    assert!(drive.model.focus.is_empty(), "{:?}", drive.model.focus);
    drive.key(Key::char('p'));
    let now = drive.drawn(160, 50);
    assert!(!now.contains("FROZEN") && !now.lines().nth(1).expect("line 2").starts_with("OK"), "{now}");
}

#[tokio::test]
async fn waits_are_compared_as_spans_on_the_blocking_screen() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.key(Key::char('2'));
    let rows = |drive: &mut Drive, text: &str| {
        drive.key(Key::char('/'));
        text.chars().for_each(|c| drive.key(Key::char(c)));
        drive.key(Key::plain(Code::Enter));
        let text = drive.drawn(140, 50);
        drive.key(Key::plain(Code::Esc));
        text.lines().filter(|line| line.contains("Lock:")).count()
    };
    let all = rows(&mut drive, "");
    let (long, short) = (rows(&mut drive, "waits>20s"), rows(&mut drive, "waits<=20s"));
    assert!(long > 0 && short > 0 && long + short == all, "{long} + {short} of {all}");
}
