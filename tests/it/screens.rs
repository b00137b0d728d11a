//! Every screen of the demo stack, drawn at three sizes and compared with what it looked like when somebody looked at it.

use chrono::{Offset, Utc};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use stacktop::actions::audit::Tail;
use stacktop::app::foretold::Foretold;
use stacktop::app::key::{Code, Key};
use stacktop::app::keymap::Keymap;
use stacktop::app::layout::Size;
use stacktop::app::model::{Earlier, Habits, Kind, Lens, Model};
use stacktop::app::msg::{Effect, Msg};
use stacktop::app::said::Messages;
use stacktop::app::{pressed, update, view};
use stacktop::core::alert::Rulebook;
use stacktop::core::arming::{Access, Arming};
use stacktop::core::focus::Focus;
use stacktop::core::ids::TargetId;
use stacktop::core::notify::{Notifier, NotifySettings};
use stacktop::core::place::Screen;
use stacktop::core::report::PollReport;
use stacktop::core::scope::Scope;
use stacktop::core::time::Now;
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::drill::Stack;
use stacktop::sources::Source;
use stacktop::ui::theme::Theme;
use std::collections::HashMap;
use std::time::Duration;

/// The app on the demo stack, driven without a terminal and without a clock.
pub struct Drive {
    pub model: Model,
    sources: Vec<(TargetId, Box<dyn Source>)>,
    focus: Vec<(TargetId, Focus)>,
    pub second: u64,
    /// What was asked for while time went on.
    pub asked: Vec<Effect>,
}

impl Drive {
    pub fn demo() -> Self {
        let now = Now::example(0);
        let stack = Stack::demo(1, now);
        let states = stack
            .targets()
            .iter()
            .map(|t| TargetState::new(t.id.clone(), t.settings.clone(), t.address.clone(), t.interval, now))
            .collect();
        let access = stack.targets().iter().map(|target| (target.id.clone(), Access::Free)).collect();
        let sources = stack.jobs().into_iter().map(|job| (job.target.clone(), (job.source)())).collect();
        let model = Model {
            kind: Kind::Demo,
            now,
            world: World::new(states, Rulebook::defaults(&all_rules())),
            lens: Lens::Live,
            scope: Scope::All,
            who: "ana".to_owned(),
            zone: Utc.fix(),
            arming: Arming::new("demo".to_owned(), false, None, access),
            screen: Screen::Overview,
            last_screen: Screen::Overview,
            places: HashMap::new(),
            overlay: None,
            kept: None,
            toast: None,
            said: Messages::default(),
            keymap: Keymap::default(),
            theme: Theme::built_in("dark").expect("it is built in"),
            otherwise: None,
            notifier: Notifier::new(NotifySettings::default()),
            audit: Tail::default(),
            audit_place: "demo-audit.jsonl".to_owned(),
            running: 0,
            unfinished: None,
            foretold: Foretold::default(),
            quit_asked: false,
            trail: Vec::new(),
            focus: Vec::new(),
            page: None,
            earlier: Earlier::default(),
            habits: Habits::default(),
            size: Size::default(),
        };
        Self { model, sources, focus: Vec::new(), second: 0, asked: Vec::new() }
    }

    pub fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        let mut others = Vec::new();
        for effect in update(&mut self.model, msg, Now::example(self.second)) {
            match effect {
                Effect::Focus(focus) => self.focus = focus,
                other => others.push(other),
            }
        }
        others
    }

    pub async fn run_to(&mut self, second: u64) {
        while self.second < second {
            self.second += 1;
            let now = Now::example(self.second);
            for at in 0..self.sources.len() {
                let target = self.sources[at].0.clone();
                let focus: Vec<Focus> = self
                    .focus
                    .iter()
                    .filter(|(id, _)| *id == target)
                    .map(|(_, focus)| focus.clone())
                    .collect();
                let result = self.sources[at].1.poll(now, &focus).await;
                let report = PollReport::example(target, result, now);
                let asked =
                    self.tell(Msg::Report(Box::new(PollReport { took: Duration::from_millis(2), ..report })));
                self.asked.extend(asked);
            }
            let asked = self.tell(Msg::Tick(Utc.fix()));
            self.asked.extend(asked);
        }
    }

    /// A key, pressed after a frame was drawn in the size that is in force, as the loop does it.
    pub fn key(&mut self, key: Key) {
        if self.model.size == Size::default() {
            self.model.size = Size { width: 80, height: 24 };
        }
        let Size { width, height } = self.model.size;
        self.drawn(width, height);
        self.press(key);
    }

    /// A key, pressed on what is on the screen.
    pub fn press(&mut self, key: Key) -> Vec<Effect> {
        pressed(&self.model, key).map_or_else(Vec::new, |message| self.tell(message))
    }

    pub fn drawn(&mut self, width: u16, height: u16) -> String {
        self.tell(Msg::Resize(Size { width, height }));
        self.tell(Msg::Draws);
        let mut text = String::new();
        for line in rows(&picture(&self.model, width, height)) {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        self.tell(Msg::Drawn(Size { width, height }));
        text
    }
}

/// What a terminal of this size shows of `model`.
pub fn picture(model: &Model, width: u16, height: u16) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    view::draw(model, area, &mut buffer);
    buffer
}

/// The rows of a picture as text.
pub fn rows(picture: &Buffer) -> Vec<String> {
    let width = usize::from(picture.area.width).max(1);
    picture.content.chunks(width).map(|row| row.iter().map(Cell::symbol).collect()).collect()
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Whether a line is of a graph. How high one is follows from the window, and in the smallest one its numbers stand in a line of text.
pub fn is_plotted(line: &str) -> bool {
    let label = line.split(['│', '└']).next().unwrap_or_default();
    let drawn = label.len() < line.len() && label.trim_start_matches(['>', ' ']).len() < 12;
    drawn || (line.contains(" · min ") && line.contains(" · max "))
}

#[tokio::test]
async fn every_screen_at_three_sizes() {
    // Clocks on the screen are local; the snapshots were taken in UTC.
    if chrono::Local::now().offset().local_minus_utc() != 0 {
        eprintln!("SKIPPED every_screen_at_three_sizes: the snapshots show UTC as local time");
        return;
    }
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    for (number, screen) in Screen::ALL.iter().enumerate() {
        if number > 0 {
            drive.key(Key::plain(Code::Tab));
        }
        assert_eq!(drive.model.screen, *screen);
        drive.run_to(drive.second + 1).await;
        for (width, height) in [(80, 24), (120, 40), (200, 60)] {
            let name = format!("{screen:?}-{width}x{height}").to_lowercase();
            let text = drive.drawn(width, height);
            snapshot(&name, &text);
        }
    }
}

#[tokio::test]
async fn details_menus_and_small_terminals() {
    if chrono::Local::now().offset().local_minus_utc() != 0 {
        return;
    }
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    drive.key(Key::plain(Code::Enter));
    snapshot("finding-80x24", &drive.drawn(80, 24));
    snapshot("finding-160x50", &drive.drawn(160, 50));
    drive.key(Key::char('2'));
    drive.key(Key::plain(Code::Enter));
    snapshot("session-80x24", &drive.drawn(80, 24));
    drive.key(Key::char('x'));
    snapshot("menu-80x24", &drive.drawn(80, 24));
    // A dialog takes no key at first.
    drive.second += 1;
    drive.key(Key::char('t'));
    snapshot("confirm-80x24", &drive.drawn(80, 24));
    drive.key(Key::plain(Code::Esc));
    drive.key(Key::char('6'));
    drive.key(Key::plain(Code::Enter));
    drive.run_to(46).await;
    snapshot("failed-80x24", &drive.drawn(80, 24));
    drive.key(Key::plain(Code::Enter));
    drive.run_to(47).await;
    snapshot("job-80x24", &drive.drawn(80, 24));
    drive.key(Key::char('?'));
    snapshot("help-80x24", &drive.drawn(80, 24));
    drive.key(Key::plain(Code::Esc));
    snapshot("small-50x10", &drive.drawn(50, 10));
    for (width, height) in [(1, 1), (3, 2), (10, 3), (59, 15), (60, 16), (300, 100)] {
        let _ = drive.drawn(width, height);
    }
}

#[tokio::test]
async fn the_selection_follows_the_row_and_not_its_place() {
    let mut drive = Drive::demo();
    drive.run_to(20).await;
    drive.key(Key::char('2'));
    drive.key(Key::char('j'));
    let selected = |drive: &mut Drive| {
        let text = drive.drawn(120, 40);
        text.lines().find(|line| line.starts_with("> ")).map(|line| line[..24].to_owned())
    };
    let before = selected(&mut drive).expect("a row");
    drive.run_to(40).await;
    assert_eq!(selected(&mut drive), Some(before));
}

#[tokio::test]
async fn ascii_means_ascii() {
    let mut drive = Drive::demo();
    drive.model.theme.ascii = true;
    drive.run_to(45).await;
    for number in '1'..='9' {
        drive.key(Key::char(number));
        drive.run_to(drive.second + 1).await;
        for size in [(80, 24), (160, 50), (40, 10)] {
            let text = drive.drawn(size.0, size.1);
            let odd: Vec<char> = text.chars().filter(|c| !c.is_ascii()).collect();
            assert!(odd.is_empty(), "{odd:?} on screen {number}:\n{text}");
        }
    }
    drive.key(Key::char('1'));
    // Nothing is opened in a window in which nothing can be read.
    drive.drawn(160, 50);
    drive.key(Key::plain(Code::Enter));
    let text = drive.drawn(160, 80);
    assert!(text.contains("Samples (") && text.is_ascii(), "{text}");
    drive.key(Key::char('?'));
    assert!(drive.drawn(160, 50).is_ascii());
}

#[tokio::test]
async fn after_a_sleep_nothing_is_believed_until_it_is_read_again() {
    let mut drive = Drive::demo();
    drive.run_to(45).await;
    let line_two = |drive: &mut Drive| drive.drawn(120, 40).lines().nth(1).expect("line two").to_owned();
    assert!(line_two(&mut drive).starts_with("BROKEN"), "{}", line_two(&mut drive));
    drive.second += 7 * 3600;
    let woken = update(&mut drive.model, Msg::Tick(Utc.fix()), Now::example(drive.second));
    assert!(woken.contains(&Effect::PollAll), "{woken:?}");
    let text = drive.drawn(120, 40);
    assert!(text.contains("slept") && text.contains("7h"), "{text}");
    assert!(
        text.lines().next().is_some_and(|line| line.contains("pg ○") && line.contains("oldest 7h00m")),
        "{text}"
    );
    assert!(line_two(&mut drive).contains("(as of 7h00m ago)"), "{}", line_two(&mut drive));
}
