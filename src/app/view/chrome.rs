//! The lines around every screen: which system and mode, what is broken, the tabs, the newest message, the hints.

use crate::actions::audit::{AuditLine, Phase};
use crate::app::command::{Command, Context};
use crate::app::layout::LEAST;
use crate::app::model::Lens;
use crate::app::model::{Kind, Model};
use crate::app::overlay::Overlay;
use crate::app::verdict::band;
use crate::core::arming::Mode;
use crate::core::freshness::Freshness;
use crate::core::ids::SystemKind;
use crate::core::place::Screen;
use crate::core::text::counted;
use crate::panels::{PANELS, Panel};
use crate::ui::content::{Line, Role};
use crate::ui::field::Field;
use crate::ui::format::{age as old, duration, lately};
use crate::ui::render;
use crate::ui::text::{cut, width};
use crate::ui::veil;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::cmp::Reverse;
use std::time::Duration;

/// From this many columns on there is room for both clocks.
const WIDE: u16 = 100;
/// Columns of the mark in front that there are more tabs, and of the blank behind it.
const MORE: usize = 2;
/// From this many columns on the status line is told in full.
const WIDEST: u16 = 120;

/// How much of line one is told, from all of it to the least: what tells a state is never among what gives way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    All,
    /// One clock, not both.
    OneClock,
    /// Short words.
    Short,
    /// The sources that are well stand together.
    Together,
    /// The others have their sign and no words.
    Signs,
    /// How many kinds of sources are in each state.
    Counted,
}

const FORMS: [Told; 6] = [Told::All, Told::OneClock, Told::Short, Told::Together, Told::Signs, Told::Counted];

/// The environment and the mode, in words. A long name gives way to the mode.
fn place_and_mode(model: &Model, columns: u16, told: Told) -> Line {
    let share = if told < Told::Short { 3 } else { 6 };
    let environment = &cut(&model.arming.environment, usize::from(columns / share).max(12));
    let line = match model.kind {
        Kind::Demo => Line::of(Role::Strong, "DEMO"),
        Kind::Live if model.arming.production => {
            Line::of(Role::Critical, "PROD ").then(Role::Strong, environment)
        }
        Kind::Live => Line::of(Role::Strong, environment),
    };
    let line = line.then(Role::Muted, " │ ");
    let line = match model.arming.mode(model.now) {
        Mode::ReadOnly => line.then(Role::Ok, "READ-ONLY"),
        Mode::Disarmed => line.then(Role::Ok, "DISARMED"),
        Mode::Armed(left) => {
            line.then(Role::Critical, format!("ARMED {}:{:02}", left.as_secs() / 60, left.as_secs() % 60))
        }
        Mode::Open => line.then(Role::Note, "ACTIONS OPEN"),
    };
    let kept = model.arming.kept();
    let line = match model.arming.mode(model.now) {
        Mode::Open | Mode::Armed(_) if kept > 0 => line.then(Role::Ok, format!(", {kept} READ-ONLY")),
        Mode::Open | Mode::Armed(_) | Mode::Disarmed | Mode::ReadOnly => line,
    };
    let line = match &model.lens {
        Lens::At(moment) => {
            let age = model.now.since(moment.now);
            line.then(Role::Warning, format!(" FROZEN {}", old(age)))
        }
        Lens::Live => line,
    };
    let private = if told < Told::Short { " │ PRIVACY" } else { " PRIV" };
    let line = if model.habits.private { line.then(Role::Note, private) } else { line };
    let Some(scope) = model.scope.words() else { return line };
    let (shown, all) = (model.seen().targets().count(), model.seen().world.targets().len());
    let scope = cut(scope, usize::from(columns / 4).max(12));
    line.then(Role::Muted, " │ ").then(Role::Warning, format!("ONLY {scope} ({shown} of {all})"))
}

/// The state of every source, grouped by kind; the worst of a kind counts. Where not all kinds have room the worst stand first.
fn sources(model: &Model, columns: u16, told: Told, mut line: Line) -> (Line, Duration) {
    let mut oldest = Duration::ZERO;
    let mut counts = [0; 4];
    let seen = model.seen();
    let glyphs = if model.theme.ascii { ["ok", "late", "LOST", ".."] } else { ["●", "◐", "○", "…"] };
    let mut kinds: Vec<(u8, Line)> = Vec::new();
    for kind in SystemKind::ALL {
        let of_kind = seen.world.targets().iter().filter(|target| target.kind == *kind);
        let states: Vec<Freshness> = of_kind.map(|target| target.freshness(seen.now)).collect();
        let Some(worst) = states.iter().max_by_key(|state| (rank(**state), state.age())) else {
            continue;
        };
        oldest = oldest.max(worst.age());
        if told == Told::Counted || told >= Told::Together && matches!(worst, Freshness::Fresh(_)) {
            counts[usize::from(rank(*worst))] += 1;
            continue;
        }
        let silent = states.iter().filter(|state| rank(**state) == rank(*worst)).count();
        let share = if states.len() > 1 { format!("{silent} of {} ", states.len()) } else { String::new() };
        let columns = if told < Told::Signs { columns } else { 0 };
        let one = Line::of(Role::Text, format!(" {} ", word(*kind, columns)));
        let words = |words: String| if told < Told::Signs { words } else { String::new() };
        let one = match worst {
            Freshness::Fresh(_) => one.then(Role::Ok, glyphs[0]),
            Freshness::Waiting => one.then(Role::Muted, glyphs[3]),
            Freshness::Late(age) => {
                one.then(Role::Warning, glyphs[1].to_owned() + &words(format!(" {share}LATE {}", old(*age))))
            }
            Freshness::Lost(age) => one.then(
                Role::Critical,
                glyphs[2].to_owned() + &words(format!(" {share}no data {}", old(*age))),
            ),
        };
        kinds.push((rank(*worst), one));
    }
    let wanted: usize = kinds.iter().map(|(_, one)| width(&one.plain())).sum();
    if width(&line.plain()) + wanted > usize::from(columns) {
        kinds.sort_by_key(|(rank, _)| Reverse(*rank));
    }
    for (_, one) in kinds {
        line.spans.extend(one.spans);
    }
    let states = [(Role::Ok, glyphs[0]), (Role::Muted, glyphs[3]), (Role::Warning, glyphs[1])];
    for ((role, glyph), count) in states.into_iter().chain([(Role::Critical, glyphs[2])]).zip(counts) {
        if count > 0 {
            line = line.then(Role::Text, format!(" {} ", counted(count, "kind"))).then(role, glyph);
        }
    }
    (line, oldest)
}

/// What a kind of source is called in the status line, as the tabs call it.
const fn word(kind: SystemKind, columns: u16) -> &'static str {
    if columns >= WIDEST { kind.word() } else { kind.short() }
}

const fn rank(freshness: Freshness) -> u8 {
    match freshness {
        Freshness::Fresh(_) => 0,
        Freshness::Waiting => 1,
        Freshness::Late(_) => 2,
        Freshness::Lost(_) => 3,
    }
}

/// The status as one line of text, for small terminals.
pub fn status_text(model: &Model) -> String {
    let line = place_and_mode(model, LEAST.width, Told::All).then(Role::Muted, " │");
    sources(model, LEAST.width, Told::All, line).0.plain()
}

/// In front of the sources, which may have no room: whoever asks less often must not take that for silence.
fn pace(model: &Model, told: Told, line: Line) -> Line {
    let words = match 1_u32 << model.habits.pace {
        1 => return line,
        times if told == Told::All => format!(" asked {times} times less often"),
        times => format!(" 1/{times}"),
    };
    line.then(Role::Note, words).then(Role::Muted, " │")
}

/// Place, mode, clocks and sources, told so that the state of every source has room; and the age of the oldest.
fn head(model: &Model, columns: u16) -> (Line, Duration) {
    let seen = model.seen();
    let utc = seen.now.wall.format("%H:%M:%SZ").to_string();
    let local = seen.now.wall.with_timezone(&model.zone).format("%H:%M:%S local ").to_string();
    let made = |told: Told| {
        let clocks = if told == Told::All { format!("{local}{utc}") } else { utc.clone() };
        let line = place_and_mode(model, columns, told).then(Role::Muted, " │ ");
        let line = line.then(Role::Text, clocks).then(Role::Muted, " │");
        sources(model, columns, told, pace(model, told, line))
    };
    let fits = |line: &Line| width(&line.plain()) <= usize::from(columns);
    let found = FORMS.into_iter().map(made).find(|(line, _)| fits(line));
    found.unwrap_or_else(|| made(Told::Counted))
}

/// Line one.
pub fn status(model: &Model, area: Rect, buffer: &mut Buffer) {
    let seen = model.seen();
    let (line, oldest) = head(model, area.width);
    // Where it has no room it says nothing new: what is late has its age beside it.
    let told = Line::of(Role::Muted, format!(" │ oldest {}", lately(oldest)));
    let fits = width(&line.plain()) + width(&told.plain()) <= usize::from(area.width);
    let line = if area.width >= WIDEST && fits { line.then(Role::Muted, told.plain()) } else { line };
    let overtaken: u64 = seen.world.targets().iter().map(|target| target.overtaken).sum();
    let line = if overtaken > 0 {
        line.then(Role::Warning, format!(" │ {} came too late", counted(overtaken as usize, "report")))
    } else {
        line
    };
    let widened: Vec<String> = seen
        .world
        .targets()
        .iter()
        .filter(|target| target.plan.is_some_and(|plan| plan.widened))
        .filter_map(|target| {
            target.plan.map(|plan| format!("{} each {}", target.id, duration(plan.interval)))
        })
        .collect();
    let line = if widened.is_empty() {
        line
    } else {
        line.then(Role::Warning, format!(" │ slow: {}", widened.join(", ")))
    };
    render::line(&line, area, buffer, &model.theme);
}

/// Lines two and three.
pub fn verdict(model: &Model, area: Rect, buffer: &mut Buffer) {
    let lines = band(model.seen(), usize::from(area.width), usize::from(area.height));
    let lines = if model.habits.private { veil::block(&lines) } else { lines };
    for (line, y) in lines.iter().zip(area.y..) {
        render::line(line, Rect::new(area.x, y, area.width, 1), buffer, &model.theme);
    }
}

/// The tabs; the open one is underlined and always in view. A mark at an end says that there are more.
pub fn tabs(model: &Model, area: Rect, buffer: &mut Buffer) {
    let labels = labels(model, area.width);
    for (screen, label, x) in &labels {
        let style = model.theme.part(if *screen == model.screen { "tab_here" } else { "tab" });
        let left = area.width - x;
        render::put(buffer, Rect::new(area.x + x, area.y, left, 1), label, style);
    }
    let ends = [(labels.first(), PANELS.first()), (labels.last(), PANELS.last())];
    for ((drawn, panel), (mark, x)) in ends.into_iter().zip([("‹", 0), ("›", area.width.saturating_sub(1))])
    {
        if drawn.map(|(screen, ..)| *screen) != panel.map(|panel| panel.screen()) {
            let style = model.theme.part("tab");
            render::put(buffer, Rect::new(area.x + x, area.y, 1.min(area.width), 1), mark, style);
        }
    }
}

/// The screen whose tab is drawn at `column`.
pub fn tab_at(model: &Model, columns: u16, column: u16) -> Option<Screen> {
    let at = |x: u16, label: &str| (x..x.saturating_add(width(label) as u16)).contains(&column);
    labels(model, columns).into_iter().find(|(_, label, x)| at(*x, label)).map(|(screen, ..)| screen)
}

/// The tabs that are seen, and where each begins.
fn labels(model: &Model, columns: u16) -> Vec<(Screen, String, u16)> {
    let label = |panel: &&dyn Panel| {
        let key = model.keymap.hint(Context::Screens, Command::Screen(panel.screen()));
        key.map_or_else(|| panel.title().to_owned(), |key| format!("{key} {}", panel.title()))
    };
    let labels: Vec<String> = PANELS.iter().map(label).collect();
    let here = PANELS.iter().position(|panel| panel.screen() == model.screen).unwrap_or(0);
    let gap = if columns < WIDE { 1 } else { 3 };
    let seen = places(&labels, here, usize::from(columns), gap);
    seen.into_iter().map(|(index, x)| (PANELS[index].screen(), labels[index].clone(), x)).collect()
}

/// Which tabs are seen in `room` columns, and where each begins: all of them, or the whole ones from the first on, or so far on that the
/// one `here` is whole. Where some are not seen there is room for a mark at either end.
fn places(labels: &[String], here: usize, room: usize, gap: usize) -> Vec<(usize, u16)> {
    let span = |from: usize, to: usize| -> usize {
        labels[from..=to].iter().map(|label| width(label) + gap).sum::<usize>().saturating_sub(gap)
    };
    let last = labels.len().saturating_sub(1);
    let room = if labels.is_empty() || span(0, last) <= room { room } else { room.saturating_sub(1) };
    // What stands before the first is told by a mark in front of it.
    let before = |first: usize| if first > 0 { MORE } else { 0 };
    let first = (0..here).find(|first| before(*first) + span(*first, here) <= room).unwrap_or(here);
    let mut x = before(first);
    let mut seen = Vec::new();
    for (index, label) in labels.iter().enumerate().skip(first) {
        if index > here && x + width(label) > room {
            break;
        }
        seen.push((index, x as u16));
        x += width(label) + gap;
    }
    seen
}

/// The newest message, or the field that is being typed into, or where the operator is; and how old what the page shows is. A message
/// that needs the whole line has it while it stands, the last action gives way.
pub fn message(model: &Model, area: Rect, buffer: &mut Buffer) {
    let age = age(model, area.width);
    let taken = width(&age.plain()) as u16 + 2;
    let left = area.width.saturating_sub(taken);
    let text = message_text(model, usize::from(area.width));
    let said = model.toast.is_some() || model.overlay.is_some();
    if said && width(&text.plain()) > usize::from(left) {
        render::line(&text, area, buffer, &model.theme);
        return;
    }
    render::line(&text, Rect { width: left, ..area }, buffer, &model.theme);
    let place = Rect::new(area.right() - taken.min(area.width) + 2.min(area.width), area.y, taken - 2, 1);
    render::line(&age, place.intersection(area), buffer, &model.theme);
}

/// How old the oldest is of what the open page shows, by the clock that goes on while a source is silent.
fn age(model: &Model, columns: u16) -> Line {
    let seen = model.seen();
    let place = model.place();
    let opened = place.path.iter().rev().find_map(|row| row.target());
    let shown = seen.targets().filter(|target| match (opened, model.screen.system()) {
        (Some(id), _) => target.id == *id,
        (None, None) => true,
        // What has no screen of its own is listed with the endpoints.
        (None, Some(kind)) => {
            let own = Screen::ALL.iter().any(|screen| screen.system() == Some(target.kind));
            target.kind == kind || (kind == SystemKind::Metrics && !own)
        }
    });
    let Some(oldest) = shown.max_by_key(|target| {
        let freshness = target.freshness(seen.now);
        (rank(freshness), freshness.age())
    }) else {
        return Line::default();
    };
    let at = oldest.seen.map(|at| at.wall.with_timezone(&model.zone).format("%H:%M:%S").to_string());
    let of = at.filter(|_| columns >= WIDE).map_or_else(String::new, |at| format!(" of {at}"));
    match oldest.freshness(seen.now) {
        Freshness::Waiting => Line::of(Role::Muted, format!("{}: no data yet", oldest.id)),
        Freshness::Fresh(age) => Line::of(Role::Muted, format!("data{of}, {} old", lately(age))),
        Freshness::Late(age) => Line::of(Role::Warning, format!("{}{of} LATE, {} old", oldest.id, old(age))),
        Freshness::Lost(age) => Line::of(Role::Stale, format!("{}{of} STALE, {} old", oldest.id, old(age))),
    }
}

/// The same as a line of at most `columns`.
pub fn message_text(model: &Model, columns: usize) -> Line {
    // What was typed has room before what is said of it.
    let field = |prompt: &str, field: &Field, note: &str| {
        let left = columns.saturating_sub(width(prompt) + 1).max(1);
        field.behind(Line::of(Role::Accent, prompt), left).then(Role::Muted, format!("  {note}"))
    };
    match (&model.overlay, &model.toast) {
        (Some(Overlay::Filter(text)), _) => {
            let accept = model.keymap.key_in(Context::Fields, Command::Accept);
            let clear = model.keymap.key_in(Context::Dialogs, Command::Back);
            let note = "column=x column>5s !x";
            field("filter: ", text, &format!("{note} · {accept} keeps it, {clear} clears it"))
        }
        // Where there is room it stands in the dialog.
        (Some(Overlay::Palette(palette)), _) if !model.room().shows() => field(":", &palette.field, ""),
        (Some(Overlay::Answer(_) | Overlay::Note(_)), _) => Line::default(),
        (Some(overlay), _) if looked_for(overlay).is_some() => {
            looked_for(overlay).map_or_else(Line::default, |text| field("find: ", text, ""))
        }
        (_, Some(toast)) if width(&toast.text) > columns => {
            // All of it stands among the messages.
            let more = format!(" {}", model.keymap.name(Command::Logs));
            let told = model.told_text(&toast.text);
            let text = cut(&told, columns.saturating_sub(width(&more)));
            Line::of(toast.role, format!("{text}{more}"))
        }
        (_, Some(toast)) => model.told(Line::of(toast.role, &toast.text)),
        (_, None) => model.told(here(model)),
    }
}

/// The text that is being typed to be found in a list.
fn looked_for(overlay: &Overlay) -> Option<&Field> {
    overlay.window()?.find.field.as_ref()
}

/// What stands in the message line when nothing happened: the last action.
fn here(model: &Model) -> Line {
    let came = |entry: &&AuditLine| !entry.result.is_empty() && entry.phase != Phase::Intent;
    match model.audit.lines.iter().rev().find(came) {
        Some(entry) => {
            let what = format!(
                "last action: {} {} {} {}: {}",
                entry.when(model.now),
                entry.who,
                entry.action,
                entry.target,
                entry.result
            );
            Line::of(Role::Muted, what)
        }
        None => Line::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn seen(here: usize, room: usize, expected: &[usize]) {
        let labels: Vec<String> = (1..=12).map(|number| format!("{number:02} screen")).collect();
        let places = places(&labels, here, room, 1);
        assert_eq!(places.iter().map(|(index, _)| *index).collect::<Vec<_>>(), expected);
        let (_, x) = places.iter().find(|(index, _)| *index == here).expect("it is in view");
        assert!(usize::from(*x) + labels[here].len() <= room, "it is whole");
    }

    #[test]
    fn the_tab_that_is_open_is_in_view_however_many_there_are() {
        // Nine columns and a gap each; the last is for the mark that there are more, the first two for the other.
        seen(0, 40, &[0, 1, 2, 3]);
        seen(0, 39, &[0, 1, 2]);
        seen(3, 40, &[0, 1, 2, 3]);
        seen(4, 42, &[1, 2, 3, 4]);
        seen(11, 42, &[8, 9, 10, 11]);
        seen(11, 41, &[9, 10, 11]);
        seen(11, 200, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        seen(9, 12, &[9]);
    }
}
