//! While others look on: what the demo's statements and jobs hold stands on no screen, page or dialog, and in no copy and no export.

use crate::screens::Drive;
use stacktop::app::command::Command;
use stacktop::app::key::{Code, Key};
use stacktop::app::layout::Size;
use stacktop::app::msg::{Effect, Msg};
use stacktop::app::overlay::{LogTail, Overlay};
use stacktop::core::place::Screen;
use stacktop::core::report::{PollError, PollErrorKind, PollReport};
use stacktop::core::time::Now;

/// The order of the demo that everybody waits for, the states that statements write, what its jobs hold, and a key.
const TOLD: [&str; 5] = ["8831", "'paid'", "'pending'", "\"confirmation", "cart:all"];

fn command(drive: &mut Drive, text: &str) -> Vec<Effect> {
    drive.key(Key::char(':'));
    text.chars().for_each(|c| drive.key(Key::char(c)));
    drive.press(Key::plain(Code::Enter))
}

/// Every text of the demo that must not be told, and how many frames were looked at.
#[derive(Default)]
struct Seen {
    found: Vec<String>,
    frames: usize,
    hidden: usize,
}

impl Seen {
    fn look(&mut self, what: &str, text: &str) {
        self.frames += 1;
        self.hidden += text.matches("•••").count();
        for told in TOLD.iter().filter(|told| text.contains(**told)) {
            let line = text.lines().find(|line| line.contains(*told)).unwrap_or_default();
            self.found.push(format!("{what}: {told} in {line:?}"));
        }
    }

    fn look_at(&mut self, what: &str, drive: &mut Drive) {
        for (width, height) in [(80, 24), (160, 50)] {
            let text = drive.drawn(width, height);
            self.look(what, &text);
        }
    }

    /// What would be copied and exported here.
    fn taken(&mut self, what: &str, drive: &mut Drive) {
        for wanted in [Command::Copy, Command::Export] {
            for effect in drive.tell(Msg::Command(wanted)) {
                match effect {
                    Effect::Copy(text) => self.look(what, &text),
                    Effect::Export { files, .. } => files.iter().for_each(|file| self.look(what, &file.text)),
                    _ => {}
                }
            }
        }
    }
}

/// Every screen, the first rows of each with their pages, all of their values and what may be done to them.
async fn walked(drive: &mut Drive) -> Seen {
    let mut seen = Seen::default();
    for screen in Screen::ALL.iter().copied() {
        drive.tell(Msg::Command(Command::Screen(screen)));
        drive.tell(Msg::Command(Command::Screen(screen)));
        drive.tell(Msg::Command(Command::Top));
        for row in 0..6 {
            let what = format!("{screen:?} row {row}");
            seen.look_at(&what, drive);
            seen.taken(&what, drive);
            for (name, wanted) in
                [("details", Command::Details), ("acts", Command::Actions), ("page", Command::Open)]
            {
                let depth = drive.model.place().path.len();
                let here = drive.model.screen;
                drive.drawn(160, 50);
                drive.tell(Msg::Command(wanted));
                drive.run_to(drive.second + 1).await;
                seen.look_at(&format!("{what} {name}"), drive);
                seen.taken(&format!("{what} {name}"), drive);
                // Further down: failures of a kind, and one of their jobs.
                for below in 0..if wanted == Command::Open { 2 } else { 0 } {
                    drive.tell(Msg::Command(Command::Open));
                    drive.run_to(drive.second + 1).await;
                    seen.look_at(&format!("{what} below {below}"), drive);
                    seen.taken(&format!("{what} below {below}"), drive);
                }
                drive.tell(Msg::Command(Command::Back));
                drive.model.overlay = None;
                while drive.model.screen == here && drive.model.place().path.len() > depth {
                    drive.tell(Msg::Command(Command::Back));
                }
                drive.tell(Msg::Command(Command::Screen(screen)));
            }
            drive.tell(Msg::Command(Command::Down));
        }
    }
    seen
}

#[tokio::test]
async fn nothing_that_statements_and_jobs_hold_is_told_while_others_look_on() {
    let mut drive = Drive::demo();
    drive.model.size = Size { width: 160, height: 50 };
    drive.run_to(45).await;
    command(&mut drive, "privacy");
    let first = drive.drawn(80, 24);
    assert!(first.lines().next().is_some_and(|line| line.contains(" PRIV")), "{first}");
    let seen = walked(&mut drive).await;
    assert!(seen.found.is_empty(), "{:#?}", seen.found);
    assert!(seen.frames > 200 && seen.hidden > 100, "{} frames, {} hidden", seen.frames, seen.hidden);
}

#[tokio::test]
async fn the_same_walk_finds_all_of_it_where_nobody_looks_on() {
    let mut drive = Drive::demo();
    drive.model.size = Size { width: 160, height: 50 };
    drive.run_to(45).await;
    let seen = walked(&mut drive).await;
    for told in TOLD {
        assert!(seen.found.iter().any(|found| found.contains(told)), "{told} is nowhere in the demo");
    }
}

#[tokio::test]
async fn the_dialog_hides_what_is_held_and_shows_who_is_meant() {
    let mut drive = Drive::demo();
    drive.model.size = Size { width: 100, height: 40 };
    drive.run_to(45).await;
    command(&mut drive, "privacy");
    drive.key(Key::char('2'));
    drive.key(Key::char('x'));
    drive.second += 1;
    drive.key(Key::char('t'));
    let dialog = drive.drawn(100, 40);
    assert!(
        dialog.contains("Terminate pid 4918") && dialog.contains("SET invoice_state = '•••'"),
        "{dialog}"
    );
    assert!(dialog.contains("Confirm (cannot be undone): Esc keeps everything as it is"), "{dialog}");
    drive.key(Key::plain(Code::Esc));
    command(&mut drive, "privacy");
    let text = drive.drawn(100, 40);
    assert!(!text.contains("PRIVACY") && text.contains("id = 8831"), "{text}");
}

#[tokio::test]
async fn what_a_job_holds_is_not_changed_unseen() {
    let mut drive = Drive::demo();
    drive.model.size = Size { width: 100, height: 40 };
    drive.run_to(45).await;
    drive.key(Key::char('6'));
    for second in 46..49 {
        drive.key(Key::plain(Code::Enter));
        drive.run_to(second).await;
    }
    let chosen = |drive: &mut Drive| {
        drive.key(Key::char('x'));
        drive.second += 1;
        let menu = drive.drawn(100, 60);
        assert!(menu.contains("t  edit data"), "{menu}");
        drive.key(Key::char('t'));
    };
    command(&mut drive, "privacy");
    chosen(&mut drive);
    let said = drive.model.toast.as_ref().map(|toast| toast.text.clone()).unwrap_or_default();
    assert!(said.contains("hidden while others look on (:privacy shows it)"), "{said}");
    drive.key(Key::plain(Code::Esc));
    command(&mut drive, "privacy");
    chosen(&mut drive);
    assert!(matches!(drive.model.overlay, Some(Overlay::Answer(_))), "{:?}", drive.model.overlay);
}

/// What a server says when it fails is told in the list of sources, beside the message and the log.
#[tokio::test]
async fn the_list_of_sources_hides_what_a_server_says_of_a_statement() {
    let mut drive = Drive::demo();
    drive.run_to(3).await;
    let target = drive.model.world.targets()[0].id.clone();
    let words = "ERROR: deadlock in UPDATE orders SET owner = 'anna' WHERE id = 771";
    let plan = drive.model.world.targets()[0].plan.expect("it was asked");
    let failed = Err(PollError::new(PollErrorKind::Failed, words));
    let report = PollReport::example(target, failed, Now::example(drive.second));
    drive.tell(Msg::Report(Box::new(PollReport { plan, ..report })));
    drive.tell(Msg::Command(Command::Sources));
    let open = drive.drawn(160, 50);
    assert!(open.contains("owner = 'anna' WHERE id = 771"), "{open}");
    drive.model.overlay = None;
    command(&mut drive, "privacy");
    drive.tell(Msg::Command(Command::Sources));
    let hidden = drive.drawn(160, 50);
    assert!(hidden.contains("owner = '•••'") && !hidden.contains("anna"), "{hidden}");
}

/// Where not all kinds of sources have room in line 1, what is silent is not what is left out.
#[tokio::test]
async fn what_is_silent_stands_before_what_is_well_where_there_is_little_room() {
    let mut drive = Drive::demo();
    drive.run_to(3).await;
    let last = drive.model.world.targets().iter().max_by_key(|target| target.kind).expect("a target");
    let (target, plan, kind) = (last.id.clone(), last.plan.expect("it was asked"), last.kind);
    let line = |drive: &mut Drive| drive.drawn(80, 24).lines().next().unwrap_or_default().to_owned();
    command(&mut drive, "privacy");
    drive.press(Key::char('+'));
    let full = line(&mut drive);
    assert!(!full.contains(kind.short()), "this test needs a line that is full: {full}");
    let failed = Err(PollError::new(PollErrorKind::Unreachable, "connection refused"));
    let report = PollReport::example(target, failed, Now::example(drive.second));
    drive.tell(Msg::Report(Box::new(PollReport { plan, ..report })));
    let silent = line(&mut drive);
    assert!(silent.contains(&format!("│ {} ", kind.short())) && silent.contains("LATE"), "{silent}");
}

#[tokio::test]
async fn our_own_log_is_a_page() {
    let mut drive = Drive::demo();
    drive.model.size = Size { width: 100, height: 40 };
    drive.run_to(2).await;
    assert_eq!(command(&mut drive, "own-log"), [Effect::ReadLog]);
    assert!(drive.drawn(100, 40).contains("it is being read"));
    let lines = Ok(vec!["WARN older".to_owned(), "WARN shop-db fell silent".to_owned()]);
    drive.tell(Msg::Logged(LogTail { place: "/x/stacktop.log".to_owned(), lines }));
    let page = drive.drawn(100, 40);
    let at = |words: &str| page.find(words).unwrap_or_else(|| panic!("{words} in {page}"));
    assert!(at("shop-db fell silent") < at("WARN older") && at("WARN older") < at("kept in /x/stacktop.log"));
    drive.key(Key::plain(Code::Esc));
    assert_eq!(drive.model.overlay, None);
    // What was read for a page that is closed opens none.
    let gone = Err("no right".to_owned());
    drive.tell(Msg::Logged(LogTail { place: String::new(), lines: gone }));
    assert_eq!(drive.model.overlay, None);
}
