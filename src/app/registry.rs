//! Every command in one registry: help, hints, palette, key configuration, documentation and tests come from it.

use super::command::{Command, Context, Entry};
use super::key::{Code, Key};
use crate::panels::PANELS;
use crate::ui::field::Edit;

/// Every command with its default keys, in the order of the help.
#[must_use]
pub fn registry() -> Vec<Entry> {
    let mut list = moving();
    list.extend(screens());
    list.extend(tables());
    list.extend(verbs());
    list.extend(ways_out());
    list.extend(dialogs());
    list.extend(fields());
    list
}

fn entry(command: Command, name: &'static str, help: &'static str, keys: &[Key]) -> Entry {
    Entry { context: Context::Screens, command, name, help, keys: keys.to_vec() }
}

const fn key(c: char) -> Key {
    Key::char(c)
}

const fn at(code: Code) -> Key {
    Key::plain(code)
}

fn moving() -> Vec<Entry> {
    use Command as C;
    vec![
        entry(C::Up, "up", "one row up", &[at(Code::Up), key('k')]),
        entry(C::Down, "down", "one row down", &[at(Code::Down), key('j')]),
        entry(C::HalfUp, "half-up", "half a page up", &[Key::ctrl('u')]),
        entry(C::HalfDown, "half-down", "half a page down", &[Key::ctrl('d')]),
        entry(C::PageUp, "page-up", "a page up", &[at(Code::PageUp), Key::ctrl('b')]),
        entry(C::PageDown, "page-down", "a page down", &[at(Code::PageDown), Key::ctrl('f')]),
        entry(C::Top, "top", "the first row", &[key('g'), at(Code::Home)]),
        entry(C::Bottom, "bottom", "the last row", &[key('G'), at(Code::End)]),
        entry(C::Open, "open", "open the row", &[at(Code::Enter), at(Code::Right), key('l')]),
        entry(C::Details, "details", "every column of the row, in full", &[key('d')]),
        entry(
            C::Back,
            "back",
            "one level up, close, clear the filter (never quits)",
            &[at(Code::Esc), at(Code::Backspace), at(Code::Left), key('h')],
        ),
    ]
}

/// A command for each screen. The first nine and the last one have a digit, as they stand on a keyboard; all of them have a name and their
/// place among the tabs.
fn screens() -> impl Iterator<Item = Entry> {
    PANELS.iter().enumerate().map(|(index, panel)| {
        let screen = panel.screen();
        let keys: Vec<Key> = digit(index, PANELS.len()).map(key).into_iter().collect();
        entry(Command::Screen(screen), screen.name(), panel.help(), &keys)
    })
}

/// The digit of the screen at `index` of so many, while there are any.
fn digit(index: usize, screens: usize) -> Option<char> {
    if index + 1 == screens { Some('0') } else { "123456789".chars().nth(index) }
}

/// From screen to screen, and what is about the rows and columns of tables.
fn tables() -> Vec<Entry> {
    use Command as C;
    vec![
        entry(C::NextScreen, "next-screen", "the next screen", &[at(Code::Tab)]),
        entry(C::PreviousScreen, "previous-screen", "the screen before", &[at(Code::BackTab)]),
        entry(C::LastScreen, "last-screen", "the screen that was open last", &[key('\'')]),
        entry(
            C::Filter,
            "filter",
            "show only rows that contain a text; where there are none, look for it",
            &[key('/')],
        ),
        entry(C::NextMatch, "next-match", "the next place where the text is found", &[key('n')]),
        entry(C::PreviousMatch, "previous-match", "the place before where it is found", &[key('N')]),
        entry(
            C::Sort,
            "sort",
            "choose the column to sort by; sort COLUMN asc or desc: that one",
            &[key('s')],
        ),
        entry(C::SortInvert, "sort-invert", "turn the order around", &[key('I')]),
        entry(C::SortLeft, "sort-left", "sort by the column at the left", &[key('<')]),
        entry(C::SortRight, "sort-right", "sort by the column at the right", &[key('>')]),
        entry(C::Columns, "columns", "choose the columns that are shown", &[key('C')]),
        entry(C::Wide, "wide", "every column as wide as its texts, or those that have room", &[key('w')]),
        entry(
            C::ScrollLeft,
            "scroll-left",
            "scroll a wide table to the left; its first column stays",
            &[key('('), Key::with_ctrl(Code::Left)],
        ),
        entry(
            C::ScrollRight,
            "scroll-right",
            "scroll a wide table to the right",
            &[key(')'), Key::with_ctrl(Code::Right)],
        ),
        entry(C::Zoom, "zoom", "the table with the cursor alone, or all of the page", &[key('z')]),
        entry(
            C::Layout,
            "layout",
            "the next layout: the row beside its list, the list alone, every row on one line; layout NAME: that one",
            &[key('L')],
        ),
        entry(
            C::Count,
            "count",
            "count the rows by the column they are sorted by, and list them again",
            &[key('c')],
        ),
        entry(C::Mark, "mark", "mark the row", &[key(' ')]),
        entry(C::MarkRange, "mark-range", "mark from the row marked last to this one", &[key('v')]),
        entry(C::MarkAll, "mark-all", "mark every row that the filter shows", &[key('*')]),
        entry(C::Pin, "pin", "keep the row on top of its table, or let it go", &[key('F')]),
        entry(C::ClearMarks, "clear-marks", "clear all marks", &[key('U')]),
    ]
}

fn verbs() -> Vec<Entry> {
    use Command as C;
    vec![
        entry(C::Freeze, "freeze", "freeze what is shown, and go on", &[key('p')]),
        entry(C::Refresh, "refresh", "ask every source now", &[key('r'), Key::ctrl('r')]),
        entry(C::Slower, "slower", "ask every source less often, and say what it costs", &[key('+')]),
        entry(C::Faster, "faster", "ask every source more often, down to what is configured", &[key('-')]),
        entry(C::Actions, "actions", "what may be done to the row: the only door to changes", &[key('x')]),
        entry(C::ActionLog, "action-log", "the log of actions (audit trail)", &[key('@')]),
        entry(
            C::Logs,
            "own-log",
            "the last 50 messages, and our own log: sources that fell silent or came back, our own faults",
            &[],
        ),
        entry(C::Sources, "sources", "every source: why it was chosen, its state, its errors", &[key('!')]),
        entry(
            C::Acknowledge,
            "acknowledge",
            "take note of the finding, with a note: somebody is at it",
            &[key('a')],
        ),
        entry(
            C::Snooze,
            "snooze",
            "the finding stands behind the others: 15 m, 1 h, until clear",
            &[key('A')],
        ),
        entry(C::Lines, "lines", "the lines of the log about the row: a job, a pid, a finding", &[key('f')]),
        entry(C::Runbook, "runbook", "copy the address of the finding's runbook", &[key('o')]),
        entry(
            C::Mouse,
            "mouse",
            "the mouse chooses and opens rows and tabs, or selects text again",
            &[key('m')],
        ),
        entry(C::Theme, "theme", "the next theme; theme NAME: that one", &[key('T')]),
        entry(
            C::Privacy,
            "privacy",
            "hide constants of statements, job data and keys while others look on; again: show them",
            &[],
        ),
        entry(C::Palette, "palette", "every command by its name, with its key", &[key(':'), Key::ctrl('p')]),
        entry(
            C::Find,
            "find",
            "find TEXT: the jobs of a queue that hold it in id, name, reason or data",
            &[],
        ),
        entry(
            C::Target,
            "target",
            "target NAME: only this target, or those of a group or like checkout-*; alone: all of them",
            &[],
        ),
        entry(
            C::Arm,
            "arm",
            "permit actions on this environment for 10 minutes; arm 30m: for another time",
            &[],
        ),
        entry(C::Disarm, "disarm", "end that at once", &[]),
        entry(C::Stop, "stop", "stop actions that take long, with nothing left half done", &[]),
        entry(C::Help, "help", "this help", &[key('?'), at(Code::F(1))]),
        entry(
            C::Reload,
            "reload",
            "read the configuration again: targets, rules, keys, theme and notifications hold at once, or nothing of it",
            &[],
        ),
        entry(C::Redraw, "redraw", "draw everything anew", &[Key::ctrl('l')]),
        entry(C::Suspend, "suspend", "back to the shell, until fg", &[Key::ctrl('z')]),
        entry(C::Quit, "quit", "end stacktop", &[key('q'), Key::ctrl('c')]),
    ]
}

/// What leaves for the clipboard and for files.
fn ways_out() -> Vec<Entry> {
    use Command as C;
    vec![
        entry(C::Copy, "copy", "copy the row (a pid, a query, a job id), or the page", &[key('y')]),
        entry(
            C::Export,
            "export",
            "write the table (CSV, JSON, Markdown) and the screen to files",
            &[key('e')],
        ),
        entry(
            C::Incident,
            "incident",
            "write findings with their causes, actions and the timeline to files (Markdown, JSON), masked",
            &[],
        ),
    ]
}

/// What holds in every dialog.
fn dialogs() -> impl Iterator<Item = Entry> {
    use Command as C;
    let list = [
        entry(C::Up, "up", "one line up", &[at(Code::Up)]),
        entry(C::Down, "down", "one line down", &[at(Code::Down)]),
        entry(C::HalfUp, "half-up", "half a page up", &[Key::ctrl('u')]),
        entry(C::HalfDown, "half-down", "half a page down", &[Key::ctrl('d')]),
        entry(C::PageUp, "page-up", "a page up", &[at(Code::PageUp), Key::ctrl('b')]),
        entry(C::PageDown, "page-down", "a page down", &[at(Code::PageDown), Key::ctrl('f')]),
        entry(C::Top, "top", "to the begin", &[at(Code::Home)]),
        entry(C::Bottom, "bottom", "to the end", &[at(Code::End)]),
        entry(C::Back, "back", "close it; nothing is done", &[at(Code::Esc)]),
    ];
    list.into_iter().map(|entry| Entry { context: Context::Dialogs, ..entry })
}

/// What holds where text is typed.
fn fields() -> impl Iterator<Item = Entry> {
    use Command as C;
    let edit = |edit, name, help, keys: &[Key]| entry(C::Edit(edit), name, help, keys);
    let list = [
        entry(C::Accept, "accept", "take what was typed; it confirms nothing", &[at(Code::Enter)]),
        entry(C::Complete, "complete", "complete the name of a command", &[at(Code::Tab)]),
        entry(C::Editor, "editor", "what was typed in $EDITOR", &[Key::ctrl('o')]),
        edit(Edit::Left, "left", "one sign to the left", &[at(Code::Left), Key::ctrl('b')]),
        edit(Edit::Right, "right", "one sign to the right", &[at(Code::Right), Key::ctrl('f')]),
        edit(Edit::WordLeft, "word-left", "a word to the left", &[Key::with_ctrl(Code::Left)]),
        edit(Edit::WordRight, "word-right", "a word to the right", &[Key::with_ctrl(Code::Right)]),
        edit(Edit::Start, "line-start", "to the begin", &[at(Code::Home), Key::ctrl('a')]),
        edit(Edit::End, "line-end", "to the end", &[at(Code::End), Key::ctrl('e')]),
        edit(Edit::Erase, "erase", "take away the sign before", &[at(Code::Backspace), Key::ctrl('h')]),
        edit(Edit::Delete, "delete", "take away the sign under it", &[at(Code::Delete), Key::ctrl('d')]),
        edit(Edit::EraseWord, "erase-word", "take away the word before", &[Key::ctrl('w')]),
        edit(Edit::EraseBefore, "erase-before", "take away all before it", &[Key::ctrl('u')]),
        edit(Edit::EraseAfter, "erase-after", "take away all behind it", &[Key::ctrl('k')]),
    ];
    list.into_iter().map(|entry| Entry { context: Context::Fields, ..entry })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::place::Screen;

    #[test]
    fn the_first_nine_screens_and_the_last_have_a_digit_and_the_others_none() {
        let digits = |screens| (0..screens).filter_map(|index| digit(index, screens)).collect::<String>();
        assert_eq!((digits(12).as_str(), digits(10).as_str()), ("1234567890", "1234567890"));
    }

    #[test]
    fn every_screen_has_a_name_of_its_own_and_its_place() {
        let all = registry();
        for screen in Screen::ALL.iter().copied() {
            let named: Vec<&Entry> =
                all.iter().filter(|entry| entry.command == Command::Screen(screen)).collect();
            assert_eq!(named.len(), 1, "{screen:?}");
            assert_eq!(all.iter().filter(|entry| entry.name == screen.name()).count(), 1, "{screen:?}");
        }
    }
}
