//! Everything that an operator can do, in one registry: help, hints, palette, key configuration and tests come from it.

use super::key::{Code, Key};
use crate::core::place::Screen;

/// A verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// Half a page up.
    HalfUp,
    /// Half a page down.
    HalfDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// The first row.
    Top,
    /// The last row.
    Bottom,
    /// Opens the row.
    Open,
    /// One level up; closes what is open; clears the filter. Never quits.
    Back,
    /// A screen by its number.
    Screen(Screen),
    /// The screen after this one.
    NextScreen,
    /// The screen before this one.
    PreviousScreen,
    /// The screen that was open before.
    LastScreen,
    /// Filters the rows.
    Filter,
    /// Sorts by the next column.
    Sort,
    /// Turns the order around.
    SortInvert,
    /// Counts the rows by the column that they are sorted by, or lists them again.
    Count,
    /// Marks the row.
    Mark,
    /// Marks every row that is shown (by the filter).
    MarkAll,
    /// Clears all marks.
    ClearMarks,
    /// Freezes what is shown.
    Freeze,
    /// Asks every source now.
    Refresh,
    /// What may be done to the row.
    Actions,
    /// The log of actions.
    ActionLog,
    /// Every source: why it was chosen, its state.
    Sources,
    /// Copies the row.
    Copy,
    /// The next theme.
    Theme,
    /// Commands by name.
    Palette,
    /// Jobs of a queue by a text.
    Find,
    /// Permits actions on this environment for ten minutes.
    Arm,
    /// Ends that at once.
    Disarm,
    /// Stops actions that take long, as soon as that leaves nothing half done.
    Stop,
    /// The help.
    Help,
    /// Draws everything anew.
    Redraw,
    /// Back to the shell, until `fg`.
    Suspend,
    /// Ends stacktop.
    Quit,
}

/// One entry of the registry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The verb.
    pub command: Command,
    /// Its name in the palette and in the configuration.
    pub name: &'static str,
    /// What it does.
    pub help: &'static str,
    /// Its keys, the one for hints first.
    pub keys: Vec<Key>,
}

fn entry(command: Command, name: &'static str, help: &'static str, keys: &[Key]) -> Entry {
    Entry { command, name, help, keys: keys.to_vec() }
}

/// Every command with its default keys, in the order of the help.
#[must_use]
pub fn registry() -> Vec<Entry> {
    use Command as C;
    let key = Key::char;
    let at = Key::plain;
    let mut list = vec![
        entry(C::Up, "up", "one row up", &[at(Code::Up), key('k')]),
        entry(C::Down, "down", "one row down", &[at(Code::Down), key('j')]),
        entry(C::HalfUp, "half-up", "half a page up", &[Key::ctrl('u')]),
        entry(C::HalfDown, "half-down", "half a page down", &[Key::ctrl('d')]),
        entry(C::PageUp, "page-up", "a page up", &[at(Code::PageUp), Key::ctrl('b')]),
        entry(C::PageDown, "page-down", "a page down", &[at(Code::PageDown), Key::ctrl('f')]),
        entry(C::Top, "top", "the first row", &[key('g'), at(Code::Home)]),
        entry(C::Bottom, "bottom", "the last row", &[key('G'), at(Code::End)]),
        entry(C::Open, "open", "open the row", &[at(Code::Enter), at(Code::Right), key('l'), key('d')]),
        entry(
            C::Back,
            "back",
            "one level up, close, clear the filter (never quits)",
            &[at(Code::Esc), at(Code::Backspace), at(Code::Left), key('h')],
        ),
    ];
    list.extend(screens());
    list.extend([
        entry(C::NextScreen, "next-screen", "the next screen", &[at(Code::Tab)]),
        entry(C::PreviousScreen, "previous-screen", "the screen before", &[at(Code::BackTab)]),
        entry(C::LastScreen, "last-screen", "the screen that was open last", &[key('\'')]),
        entry(C::Filter, "filter", "show only rows that contain a text", &[key('/')]),
        entry(C::Sort, "sort", "sort by the next column", &[key('s')]),
        entry(C::SortInvert, "sort-invert", "turn the order around", &[key('I')]),
        entry(
            C::Count,
            "count",
            "count the rows by the column they are sorted by, and list them again",
            &[key('c')],
        ),
        entry(C::Mark, "mark", "mark the row", &[key(' ')]),
        entry(C::MarkAll, "mark-all", "mark every row that the filter shows", &[key('*')]),
        entry(C::ClearMarks, "clear-marks", "clear all marks", &[key('U')]),
        entry(C::Freeze, "freeze", "freeze what is shown, and go on", &[key('p')]),
        entry(C::Refresh, "refresh", "ask every source now", &[key('r'), Key::ctrl('r')]),
        entry(C::Actions, "actions", "what may be done to the row: the only door to changes", &[key('x')]),
        entry(C::ActionLog, "action-log", "the log of actions (audit trail)", &[key('@')]),
        entry(C::Sources, "sources", "every source: why it was chosen, its state, its errors", &[key('!')]),
        entry(C::Copy, "copy", "copy the row (a pid, a query, a job id)", &[key('y')]),
        entry(C::Theme, "theme", "the next theme", &[key('T')]),
        entry(C::Palette, "palette", "a command by its name", &[key(':'), Key::ctrl('p')]),
        entry(
            C::Find,
            "find",
            "find TEXT: the jobs of a queue that hold it in id, name, reason or data",
            &[],
        ),
        entry(C::Arm, "arm", "permit actions on this environment for 10 minutes", &[]),
        entry(C::Disarm, "disarm", "end that at once", &[]),
        entry(C::Stop, "stop", "stop actions that take long, with nothing left half done", &[]),
        entry(C::Help, "help", "this help", &[key('?'), at(Code::F(1))]),
        entry(C::Redraw, "redraw", "draw everything anew", &[Key::ctrl('l')]),
        entry(C::Suspend, "suspend", "back to the shell, until fg", &[Key::ctrl('z')]),
        entry(C::Quit, "quit", "end stacktop", &[key('q'), Key::ctrl('c')]),
    ]);
    list
}

fn screens() -> Vec<Entry> {
    const NAMES: [(&str, &str); 8] = [
        ("overview", "findings, worst first"),
        ("blocking", "who blocks whom"),
        ("queries", "running queries and statements"),
        ("health", "database health"),
        ("replication", "replication"),
        ("queues", "job queues and dead letters"),
        ("search", "Elasticsearch"),
        ("metrics", "Prometheus and /metrics"),
    ];
    Screen::ALL
        .iter()
        .zip(NAMES)
        .map(|(screen, (name, help))| {
            let digit = char::from_digit(screen.number() as u32, 10).unwrap_or('0');
            entry(Command::Screen(*screen), name, help, &[Key::char(digit)])
        })
        .collect()
}
