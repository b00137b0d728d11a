//! A walk through every screen, page, dialog and menu of the demo stack in three sizes: everything that a row or a key opens is opened, and
//! scrolled until nothing moves. Every line must have been seen, no word is cut without a mark, the place, the verdict and the hints are
//! always there, and no key acts before its preview was drawn.

use crate::screens::is_plotted;
use crate::screens::{Drive, picture, rows};
use stacktop::app::command::{Command, Context, Entry, registry};
use stacktop::app::layout::Size;
use stacktop::app::model::{Model, Place};
use stacktop::app::msg::{Effect, Msg};
use stacktop::app::overlay::Overlay;
use stacktop::app::{pressed, update};
use stacktop::core::place::Screen;
use stacktop::core::row::RowKey;
use stacktop::core::time::Now;
use stacktop::panels::{PANELS, panel};
use stacktop::ui::select::Level;
use std::collections::{BTreeMap, BTreeSet};

const SIZES: [(u16, u16); 3] = [(60, 16), (80, 24), (160, 50)];
/// A terminal in which nothing has to be scrolled, and one in which nothing has to be cut.
const TALL: u16 = 300;
const WIDE: u16 = 400;
/// Rows around the screen: the status, the verdict and the tabs above, the message and the hints below.
const ABOVE: usize = 4;
const BELOW: usize = 2;
/// More frames than any list of the demo has rows.
const FRAMES: usize = 400;
/// When the incident of the demo is told with its cause.
const SECOND: u64 = 45;
/// What says that more stood there.
const MARKS: [char; 3] = ['…', '‹', '›'];

/// What is drawn instead of written: lines, blocks and sparks.
const fn is_drawn(sign: char) -> bool {
    matches!(sign, '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}')
}

fn words(line: &str) -> Vec<String> {
    line.split(|sign: char| sign.is_whitespace() || is_drawn(sign))
        .filter(|word| word.contains(char::is_alphanumeric))
        .map(str::to_owned)
        .collect()
}

/// The parts of a line that belong together, without the marks of the cursor and of chosen rows.
fn parts(line: &str) -> Vec<String> {
    let line = line.strip_prefix("> ").or_else(|| line.strip_prefix(">*")).unwrap_or(line);
    line.split("  ").map(str::trim).filter(|part| !words(part).is_empty()).map(str::to_owned).collect()
}

/// A model apart from all others: what is done to it leaves no trace.
#[derive(Clone)]
struct Apart {
    model: Model,
    second: u64,
}

impl Apart {
    fn tell(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.model, msg, Now::example(self.second))
    }

    fn resize(&mut self, (width, height): (u16, u16)) {
        self.tell(Msg::Resize(Size { width, height }));
    }

    /// What is on the screen, and known to have been seen from now on.
    fn frame(&mut self) -> Vec<String> {
        let Size { width, height } = self.model.size;
        let drawn = rows(&picture(&self.model, width, height));
        self.tell(Msg::Drawn(Size { width, height }));
        drawn
    }

    /// What a terminal of another size would show.
    fn in_size(&self, width: u16, height: u16) -> Vec<String> {
        let mut other = self.clone();
        other.resize((width, height));
        rows(&picture(&other.model, width, height))
    }

    /// A command for the row under the cursor. Where that is out of view, the first time may only bring it there.
    fn press(&mut self, command: Command) {
        let is_where = |model: &Model| (model.screen, model.place().path, model.overlay.is_some());
        let before = is_where(&self.model);
        self.frame();
        self.tell(Msg::Command(command));
        if is_where(&self.model) == before {
            self.frame();
            self.tell(Msg::Command(command));
        }
    }

    fn type_in(&mut self, text: &str) -> Vec<Effect> {
        text.chars().flat_map(|c| self.tell(Msg::Typed(c))).collect()
    }

    fn typed_all(&mut self, text: &str) {
        // A dialog takes no key at first.
        self.second += 1;
        self.type_in(text);
    }
}

/// The rows of the screen itself, between the tabs and the message.
fn middle(frame: &[String]) -> Vec<String> {
    let page = frame[ABOVE..frame.len() - BELOW].iter();
    page.map(|line| if is_plotted(line) { String::new() } else { line.clone() }).collect()
}

/// What stands inside the dialog that is open; nothing where none is drawn.
fn inside(frame: &[String]) -> Option<Vec<String>> {
    let corner = |line: &str, sign: char| line.chars().position(|other| other == sign);
    let (top, left) = frame.iter().enumerate().find_map(|(y, line)| Some((y, corner(line, '┌')?)))?;
    let right = corner(&frame[top], '┐')?;
    let bottom = frame.iter().rposition(|line| line.chars().nth(left) == Some('└'))?;
    let inner = |line: &String| line.chars().skip(left + 1).take(right - left - 1).collect::<String>();
    Some(frame[top + 1..bottom].iter().map(inner).collect())
}

/// The words of `lines` that are only the begin or the end of one of the words `known`, without a mark. A word that is longer than a line
/// is broken: it goes on in the next one.
fn cut_words(lines: &[String], known: &BTreeSet<String>) -> Vec<String> {
    let lines: Vec<Vec<String>> = lines.iter().map(|line| words(line)).collect();
    let mut cut = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        for word in line.iter().filter(|word| !known.contains(*word) && !word.contains(MARKS)) {
            let before = at.checked_sub(1).and_then(|at| lines[at].last());
            let after = lines.get(at + 1).and_then(|line| line.first());
            let joined =
                [before.map(|before| format!("{before}{word}")), after.map(|after| format!("{word}{after}"))];
            let broken = |whole: &String| known.iter().any(|known| known.contains(whole.as_str()));
            if !joined.iter().flatten().any(broken) {
                cut.push(format!("{word:?} in {:?}", line.join(" ")));
            }
        }
    }
    cut
}

/// The same of what fills a line around the page to its last column.
fn cut_edges(frame: &[String], known: &BTreeSet<String>) -> Vec<String> {
    let around = frame[..ABOVE].iter().chain(&frame[frame.len() - BELOW..]);
    let full = around.filter(|line| line.ends_with(|sign: char| sign.is_alphanumeric()));
    let last = full.filter_map(|line| Some((words(line).pop()?, line)));
    let cut = last.filter(|(word, _)| !known.contains(word) && !word.contains(MARKS));
    cut.map(|(word, line)| format!("{word:?} at the edge of {line:?}")).collect()
}

fn performs(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Perform { .. }))
}

/// What a row is, without which one: rows of one kind open pages of one kind. Each finding has a page of its own.
fn kind(row: &RowKey) -> String {
    if let RowKey::Finding(finding) = row {
        return format!("Finding {} on {}", finding.rule, finding.target);
    }
    let told = format!("{row:?}");
    // Each look has a page of its own, too.
    if let Some(at) = told.find("Look(") {
        return told[at..].to_owned();
    }
    let outside: String = told.split('"').step_by(2).collect();
    let names = outside.split(|sign: char| !sign.is_alphanumeric());
    names
        .filter(|name| name.starts_with(|first: char| first.is_ascii_uppercase()))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The entries of the registry that hold on the screens, but those that leave the program.
fn keys() -> Vec<Entry> {
    let leaves = |command| matches!(command, Command::Quit | Command::Suspend);
    registry()
        .into_iter()
        .filter(|entry| entry.context == Context::Screens && !leaves(entry.command))
        .collect()
}

#[derive(Default)]
struct Found {
    /// What is wrong, and where first.
    faults: BTreeMap<String, String>,
    /// Lines that nothing brings into view, by place.
    unreached: BTreeSet<String>,
    /// Places whose hints have no room for what everybody needs, or name a key that does nothing.
    hints: BTreeMap<String, String>,
    places: BTreeSet<String>,
    dialogs: BTreeSet<String>,
    /// Screens on which a row opens something, and on which something may be done to one.
    opens: BTreeSet<&'static str>,
    acts: BTreeSet<&'static str>,
    previews: usize,
    frames: usize,
}

impl Found {
    fn fault(&mut self, what: String, place: &str) {
        self.faults.entry(what).or_insert_with(|| place.to_owned());
    }

    /// Status, verdict, tabs and hints are there, whatever is open.
    fn around(&mut self, apart: &Apart, frame: &[String], place: &str) {
        self.frames += 1;
        let told = ["OK", "BROKEN", "DEGRADED", "UNKNOWN"];
        if !frame[0].starts_with("DEMO │ ACTIONS OPEN") {
            self.fault(format!("line 1 is {:?}", frame[0].trim_end()), place);
        }
        if !told.iter().any(|word| frame[1].starts_with(word)) {
            self.fault(format!("line 2 is {:?}", frame[1].trim_end()), place);
        }
        let tab = panel(apart.model.screen).title();
        if apart.model.overlay.is_none() && !frame[3].contains(tab) {
            self.fault(format!("no tab {tab}: {:?}", frame[3].trim_end()), place);
        }
        let hints = frame[frame.len() - 1].trim();
        if !hints.contains(if apart.model.overlay.is_some() { "Esc" } else { "help" }) {
            self.hints.insert(place.to_owned(), hints.to_owned());
        }
    }

    /// The open page in every size: scrolled until nothing moves.
    fn page(&mut self, apart: &Apart, place: &str) {
        let mut known = BTreeSet::new();
        for size in SIZES {
            let place = format!("{place} at {}x{}", size.0, size.1);
            let mut apart = apart.clone();
            apart.resize(size);
            apart.tell(Msg::Command(Command::Top));
            let tall = apart.in_size(size.0, TALL);
            if middle(&tall).last().is_some_and(|line| !words(line).is_empty()) {
                self.fault(format!("{TALL} rows are not enough to see all of it"), &place);
            }
            let needed: BTreeSet<String> = middle(&tall).iter().flat_map(|line| parts(line)).collect();
            let mut seen = BTreeSet::new();
            // Half a page at a time; where that leaves something out, row by row.
            for command in [Command::HalfDown, Command::Down] {
                apart.tell(Msg::Command(Command::Top));
                let mut before = Vec::new();
                for _ in 0..FRAMES {
                    let frame = apart.frame();
                    if frame == before {
                        break;
                    }
                    self.around(&apart, &frame, &place);
                    let mut cut = cut_words(&middle(&frame), &known);
                    cut.extend(cut_edges(&frame, &known));
                    if !cut.is_empty() {
                        // What the row under the cursor adds to the page is known where all of it has room.
                        known.extend(apart.in_size(WIDE, TALL).iter().flat_map(|line| words(line)));
                        cut = cut_words(&middle(&frame), &known);
                        cut.extend(cut_edges(&frame, &known));
                    }
                    for word in cut {
                        self.fault(format!("cut without a mark: {word}"), &place);
                    }
                    seen.extend(middle(&frame).iter().flat_map(|line| parts(line)));
                    before = frame;
                    apart.tell(Msg::Command(command));
                }
                if needed.is_subset(&seen) {
                    break;
                }
            }
            for part in needed.difference(&seen) {
                self.unreached.insert(format!("{place}: {part}"));
            }
        }
    }

    /// What is open above the page, in every size.
    fn dialog(&mut self, apart: &Apart, place: &str) {
        let tall = apart.in_size(SIZES[0].0, TALL);
        let Some(text) = inside(&tall) else {
            if apart.model.overlay.as_ref().is_some_and(|overlay| overlay.window().is_some()) {
                self.fault("a dialog is not drawn".to_owned(), place);
            }
            for size in SIZES {
                let mut apart = apart.clone();
                apart.resize(size);
                let frame = apart.frame();
                self.around(&apart, &frame, place);
            }
            return;
        };
        if !self.dialogs.insert(text.join("\n")) {
            return;
        }
        for size in SIZES {
            let place = format!("{place} at {}x{}", size.0, size.1);
            let mut apart = apart.clone();
            apart.resize(size);
            let all = |frame: &[String]| inside(frame).unwrap_or_default();
            let whole = if size == SIZES[0] { text.clone() } else { all(&apart.in_size(size.0, TALL)) };
            let needed: BTreeSet<String> = whole.iter().flat_map(|line| words(line)).collect();
            let mut seen: BTreeSet<String> = BTreeSet::new();
            let mut before = Vec::new();
            for _ in 0..FRAMES {
                let frame = apart.frame();
                if frame == before {
                    break;
                }
                self.around(&apart, &frame, &place);
                let lines = all(&frame);
                seen.extend(lines.iter().flat_map(|line| words(line)));
                self.acts_unseen(&apart, needed.is_subset(&seen), &place);
                before = frame;
                apart.tell(Msg::Command(Command::PageDown));
            }
            for word in needed.difference(&seen) {
                self.fault(format!("never seen in a dialog: {word:?}"), &place);
            }
            if let Some(Overlay::Confirm(dialog)) = &apart.model.overlay
                && !performs(&confirmed(&apart, dialog.word.as_deref(), dialog.preview.confirm_key))
            {
                self.fault("all of a preview was shown, and nothing confirms it".to_owned(), &place);
            }
        }
    }

    /// Nothing confirms a preview before all of it was shown; no command does at all.
    fn acts_unseen(&mut self, apart: &Apart, all: bool, place: &str) {
        let Some(Overlay::Confirm(dialog)) = &apart.model.overlay else { return };
        if !all && performs(&confirmed(apart, dialog.word.as_deref(), dialog.preview.confirm_key)) {
            self.fault("it is done before all of its preview was shown".to_owned(), place);
        }
        for command in [Command::Accept, Command::Open, Command::Actions, Command::Complete] {
            if performs(&apart.clone().tell(Msg::Command(command))) {
                self.fault(format!("{command:?} confirms"), place);
            }
        }
    }

    /// Every key of the registry where `apart` is: what opens is walked through, and nothing is done.
    fn every_key(&mut self, apart: &Apart, place: &str) {
        let mut apart = apart.clone();
        apart.resize((80, 24));
        let frame = apart.frame();
        let hinted: BTreeSet<String> =
            frame[23].split("  ").filter_map(|hint| hint.split(' ').next()).map(str::to_owned).collect();
        let is_below = !apart.model.place().path.is_empty();
        for entry in keys() {
            let place = format!("{place}, {}", entry.name);
            // The ways to other screens are tried on each screen, those along its rows by the page.
            let leads_away = matches!(
                entry.command,
                Command::Screen(_) | Command::NextScreen | Command::PreviousScreen | Command::LastScreen
            );
            if is_below && (leads_away || entry.command.moves(1).is_some()) {
                continue;
            }
            let key = entry.keys.first();
            let Some(msg) = key.map_or(Some(Msg::Command(entry.command)), |key| pressed(&apart.model, *key))
            else {
                self.fault(format!("the key of {} is none", entry.name), &place);
                continue;
            };
            let mut there = apart.clone();
            let effects = there.tell(msg);
            if performs(&effects) {
                self.fault("a key of a screen acts at once".to_owned(), &place);
            }
            let is_hinted = key.is_some_and(|key| hinted.contains(&key.to_string()));
            if is_hinted && effects.is_empty() && there.frame() == frame {
                self.hints.insert(place.clone(), "hinted, and does nothing".to_owned());
            }
            // Menus are opened row by row; what is about no page is walked through once on each screen.
            let anywhere = matches!(
                entry.command,
                Command::Help | Command::Sources | Command::ActionLog | Command::Logs
            );
            if anywhere && is_below {
                continue;
            }
            if there.model.overlay.as_ref().is_some_and(|open| !matches!(open, Overlay::Menu(_))) {
                self.dialog(&there, &place);
            }
        }
    }

    /// What the letter of a menu opens: the preview, or the field before it.
    fn offer(&mut self, apart: &Apart, letter: char, place: &str) {
        let mut apart = apart.clone();
        apart.resize((160, 50));
        apart.second += 1;
        for _ in 0..FRAMES {
            apart.frame();
            if performs(&apart.type_in(&letter.to_string())) {
                self.fault("a letter of a menu acts at once".to_owned(), place);
            }
            if !matches!(apart.model.overlay, Some(Overlay::Menu(_))) {
                break;
            }
            let before = apart.model.clone();
            apart.tell(Msg::Command(Command::Down));
            if before.overlay == apart.model.overlay {
                break;
            }
        }
        if matches!(apart.model.overlay, Some(Overlay::Answer(_))) {
            self.dialog(&apart, place);
            for answer in ["", "5", "0 3 * * *", "nightly", "{}"] {
                let mut answered = apart.clone();
                answered.frame();
                answered.typed_all(answer);
                answered.frame();
                if performs(&answered.tell(Msg::Command(Command::Accept))) {
                    self.fault("a value that was typed acts at once".to_owned(), place);
                }
                if matches!(answered.model.overlay, Some(Overlay::Confirm(_))) {
                    apart = answered;
                    break;
                }
            }
        }
        if matches!(apart.model.overlay, Some(Overlay::Confirm(_))) {
            self.previews += 1;
            // Of which nothing was drawn.
            let size = apart.model.size;
            apart.tell(Msg::Resize(Size { width: size.width - 1, ..size }));
            self.acts_unseen(&apart, false, place);
            self.dialog(&apart, place);
        }
    }

    /// A row of each kind on the open page: what it opens below it, and what may be done to it.
    fn rows(&mut self, apart: &Apart, (screen, path): &Spot, place: &str) -> Vec<Spot> {
        let content = panel(*screen).content(apart.model.seen(), path);
        let tables = content.sections.iter().filter_map(|section| section.table.as_ref());
        let mut kinds = BTreeSet::new();
        let mut list = Vec::new();
        for row in tables.flat_map(|table| &table.rows).filter(|row| kinds.insert(kind(&row.key))) {
            let mut on = apart.clone();
            on.resize((80, 24));
            if let Some(level) = on.model.places.get_mut(screen).and_then(|place| place.levels.last_mut()) {
                level.cursor = Some(row.key.clone());
            }
            let mut opened = on.clone();
            opened.press(Command::Open);
            let below = opened.model.place();
            if opened.model.screen != *screen || below.path.len() > path.len() {
                self.opens.insert(screen.name());
            }
            if opened.model.screen == *screen && below.path.len() > path.len() {
                list.push((*screen, below.path));
            }
            on.press(Command::Actions);
            let Some(Overlay::Menu(menu)) = on.model.overlay.clone() else { continue };
            self.acts.insert(screen.name());
            let place = format!("{place}, {}", kind(&row.key));
            self.dialog(&on, &place);
            for offer in &menu.offers {
                self.offer(&on, offer.letter, &format!("{place}, {}", offer.letter));
            }
        }
        list
    }
}

/// What comes of typing what confirms a preview, in a model of its own.
fn confirmed(apart: &Apart, word: Option<&str>, key: char) -> Vec<Effect> {
    let mut apart = apart.clone();
    apart.second += 1;
    apart.type_in(word.unwrap_or(&key.to_string()))
}

/// Where the walk stands: the screen, and the rows that were opened on it.
type Spot = (Screen, Vec<RowKey>);

fn stand(drive: &mut Drive, (screen, path): &Spot) {
    let levels = vec![Level::default(); path.len() + 1];
    drive.model.overlay = None;
    drive.model.toast = None;
    drive.model.page = None;
    drive.model.screen = *screen;
    drive.model.places.insert(*screen, Place { path: path.clone(), levels });
}

/// The pages in `docs/screens` say that nothing opens, or that nothing can be done, where that is so and nowhere else.
fn pages_say_it(found: &Found) {
    for screen in PANELS.iter().map(|panel| panel.screen()) {
        let page = format!("{}/docs/screens/{}.md", env!("CARGO_MANIFEST_DIR"), panel(screen).title());
        let page = std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{page}: {error}"));
        let says = |heading: &str| {
            let part = page.split(heading).nth(1).unwrap_or_else(|| panic!("{screen:?}: no {heading}"));
            !part.trim_start().starts_with("- Nothing")
        };
        // The embedded stack has no Alertmanager and no Loki.
        if matches!(screen, Screen::Alerts | Screen::Logs) {
            continue;
        }
        assert_eq!(says("## What opens"), found.opens.contains(screen.name()), "{screen:?} opens");
        assert_eq!(says("## What can be done here"), found.acts.contains(screen.name()), "{screen:?} acts");
    }
}

#[tokio::test]
async fn every_line_can_be_reached_no_word_is_cut_and_no_key_acts_unseen() {
    let mut drive = Drive::demo();
    drive.run_to(SECOND).await;
    let mut found = Found::default();
    let mut spots: Vec<Spot> = Screen::ALL.iter().rev().map(|screen| (*screen, Vec::new())).collect();
    while let Some(spot) = spots.pop() {
        // By what is open, however one came there: findings and jobs lead to one another.
        let name = format!("{:?} {}", spot.0, spot.1.last().map(kind).unwrap_or_default());
        if !found.places.insert(name.clone()) {
            continue;
        }
        stand(&mut drive, &spot);
        // What the page wants is asked for, and then there.
        drive.tell(Msg::Command(Command::Top));
        drive.run_to(drive.second + 1).await;
        let apart = Apart { model: drive.model.clone(), second: drive.second };
        found.page(&apart, &name);
        found.every_key(&apart, &name);
        spots.extend(found.rows(&apart, &spot, &name).into_iter().rev());
    }
    pages_say_it(&found);
    let Found { faults, unreached, hints, places, dialogs, previews, frames, .. } = found;
    println!("{} places, {} dialogs, {previews} previews, {frames} frames", places.len(), dialogs.len());
    let mut told: String = faults.iter().map(|(what, place)| format!("{place}: {what}\n")).collect();
    let hints = hints.into_iter().map(|(place, hints)| format!("{place}: {hints}")).collect();
    for (list, what) in [(unreached, "cannot be reached"), (hints, "hints")] {
        if !list.is_empty() {
            told.push_str(&format!(
                "{} {what}:\n{}\n",
                list.len(),
                list.into_iter().collect::<Vec<_>>().join("\n")
            ));
        }
    }
    assert!(told.is_empty(), "{} faults:\n{told}", told.lines().count());
    assert!(
        places.len() > 50 && dialogs.len() > 30 && previews > 20,
        "it walked through too little: {places:?}"
    );
}
