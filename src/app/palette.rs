//! Commands by name: which are meant by what was typed, and what is typed behind them.

use super::command::{Command, Context, Entry};
use super::layout::Layout;
use super::model::Model;
use crate::ui::theme::BUILT_IN;

/// Other names that fingers know.
pub const ALIASES: [(&str, Command); 4] =
    [("q", Command::Quit), ("q!", Command::Quit), ("quit!", Command::Quit), ("h", Command::Help)];

/// What was typed.
#[derive(Debug, PartialEq)]
pub enum Typed<'a> {
    /// Nothing yet.
    Nothing,
    /// A command.
    Alone(Command),
    /// A command and what stands behind it.
    With(Command, &'a str),
    /// A command that takes nothing behind it: its name.
    TakesNothing(&'static str),
    /// No command is called like that.
    Unknown,
}

/// Whether something may be typed behind `command`.
const fn takes(command: Command) -> bool {
    matches!(
        command,
        Command::Find
            | Command::Target
            | Command::Theme
            | Command::Sort
            | Command::Arm
            | Command::Filter
            | Command::Layout
    )
}

/// What is meant by `text`.
#[must_use]
pub fn read<'a>(model: &Model, text: &'a str) -> Typed<'a> {
    let text = text.trim();
    if text.is_empty() {
        return Typed::Nothing;
    }
    if let Some((_, command)) = ALIASES.iter().find(|(alias, _)| *alias == text) {
        return Typed::Alone(*command);
    }
    let (name, behind) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let exact = entries(model).find(|entry| entry.name == name);
    match exact {
        Some(entry) if behind.is_empty() => Typed::Alone(entry.command),
        Some(entry) if takes(entry.command) => Typed::With(entry.command, behind.trim()),
        Some(entry) => Typed::TakesNothing(entry.name),
        None => matching(model, text).first().map_or(Typed::Unknown, |entry| Typed::Alone(entry.command)),
    }
}

fn entries(model: &Model) -> impl Iterator<Item = &Entry> {
    model.keymap.entries().iter().filter(|entry| entry.context == Context::Screens)
}

/// The commands that are meant by `text`, the best first: by the begin of their names, a part of them, their letters in order, then by
/// what they do.
#[must_use]
pub fn matching<'a>(model: &'a Model, text: &str) -> Vec<&'a Entry> {
    let text = text.trim().to_lowercase();
    let name = text.split_whitespace().next().unwrap_or_default();
    let rank = |entry: &Entry| {
        if entry.name == text || entry.name == name && takes(entry.command) {
            return Some(0);
        }
        let ranks = [
            entry.name.starts_with(&text),
            entry.name.contains(&text),
            in_order(entry.name, &text),
            entry.help.to_lowercase().contains(&text),
        ];
        ranks.into_iter().position(|holds| holds).map(|at| at + 1)
    };
    let mut found: Vec<(usize, &Entry)> =
        entries(model).filter_map(|entry| rank(entry).map(|rank| (rank, entry))).collect();
    // With nothing typed they stand as in the help, those that everybody has under the fingers last.
    if text.is_empty() {
        found.sort_by_key(|(_, entry)| entry.command.moves(1).is_some());
    } else {
        found.sort_by_key(|(rank, entry)| (*rank, entry.name));
    }
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// Whether the letters of `text` stand in `name` in their order, the first one in front.
fn in_order(name: &str, text: &str) -> bool {
    let mut left = name.chars();
    name.chars().next() == text.chars().next()
        && text.chars().all(|wanted| left.any(|letter| letter == wanted))
}

/// What may stand behind `command` and begins with `text`.
#[must_use]
pub fn completed(command: Command, text: &str, columns: &[String]) -> Option<String> {
    let begins = |name: &&str| name.to_lowercase().starts_with(&text.to_lowercase());
    match command {
        Command::Layout => {
            Layout::ALL.map(Layout::name).iter().find(|name| name.starts_with(text)).map(ToString::to_string)
        }
        Command::Theme => BUILT_IN.iter().map(|(name, _)| *name).find(begins).map(ToOwned::to_owned),
        Command::Sort => columns.iter().map(String::as_str).find(begins).map(ToOwned::to_owned),
        _ => None,
    }
}
