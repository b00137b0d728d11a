//! What is open above the screen, in words: help, sources, the action log, the menu, the field for a value, the confirm dialog. It is
//! laid out here and nowhere else, so that what is drawn is also what is known to have been shown.

use super::command::{Command, Context};
use super::layout::{Laid, Sheet, Size};
use super::lists;
use super::model::Model;
use super::overlay::{Asking, Confirm, Menu, Noted, Noting, Overlay};
use super::overlay::{BACK, SPANS};
use super::update::navigate;
use crate::core::action::Preview;
use crate::core::arming::ARMED_FOR;
use crate::core::text::counted;
use crate::core::undo::undo;
use crate::ui::content::{Line, Role};
use crate::ui::field::Field;
use crate::ui::text::{clean_lines, width};
use std::time::Duration;

/// Lines of a typed value that are seen at once.
const TYPED_LINES: usize = 6;
/// Columns of a field below which it gets a line of its own.
const LEAST_FIELD: usize = 16;
/// Lines that the decision takes at most: what it is about stands whole in the text above it.
const DECISION_LINES: usize = 2;

/// `overlay` in a terminal of `size`; nothing where it has no room, or is a field in the message line.
#[must_use]
pub fn laid(model: &Model, overlay: &Overlay, size: Size) -> Option<Laid> {
    Laid::new(sheet(model, overlay, size)?, size)
}

fn sheet(model: &Model, overlay: &Overlay, size: Size) -> Option<Sheet> {
    let columns = size.columns();
    let listed = |title: &str, lines: Vec<Line>, indent| Sheet {
        title: format!(" {title}: {} closes{} ", keep(model), lists::found(overlay)),
        body: lines.iter().flat_map(|line| line.flow(columns, indent)).collect(),
        ..Sheet::default()
    };
    // What comes from outside is told as it may be seen now.
    let told = |title: &str, lines: Vec<Line>, indent| {
        listed(title, lines.into_iter().map(|line| model.told(line)).collect(), indent)
    };
    Some(match overlay {
        // Its own words are ours; what it tells of the row is told as the menu does.
        Overlay::Help(_) => listed("Help", lists::help(model), lists::HELP),
        Overlay::ActionLog(_) => told("Action log (newest first)", lists::log(model), 6),
        Overlay::Logs(logs) => told("Our own log (newest first)", lists::logged(model, logs), 4),
        Overlay::Sources(_) => told("Sources", lists::sources(model), 4),
        Overlay::Details(details) => {
            let (lines, indent) = lists::details(&navigate::content(model), &details.row);
            told("All of the row", lines, indent)
        }
        Overlay::Palette(palette) => Sheet {
            foot: vec![palette.field.behind(Line::of(Role::Accent, ":"), columns.saturating_sub(2))],
            ..told("Commands", lists::commands(model, palette.field.text()), lists::HELP)
        },
        Overlay::Columns(choice) => told(lists::columns_title(choice.what), lists::columns(model, choice), 4),
        Overlay::Menu(menu) => entries(model, menu, columns),
        Overlay::Confirm(dialog) => confirm(model, dialog, size),
        Overlay::Answer(asking) => field(model, asking, columns),
        Overlay::Note(noting) => note(model, noting, columns),
        Overlay::Arm(typing) => arming(model, (&typing.field, typing.span), columns),
        Overlay::Filter(_) => return None,
    })
}

/// The key that leaves a dialog.
fn keep(model: &Model) -> String {
    model.keymap.key_in(Context::Dialogs, Command::Back)
}

fn entries(model: &Model, menu: &Menu, columns: usize) -> Sheet {
    let mut sheet = Sheet {
        title: format!(" What may be done: a letter chooses, {} closes ", keep(model)),
        decides: true,
        ..Sheet::default()
    };
    for offer in &menu.offers {
        let begin = sheet.body.len();
        let possible = offer.choice.is_ok();
        let role = if possible { Role::Strong } else { Role::Muted };
        let line = Line::of(if possible { Role::Accent } else { Role::Muted }, format!("{}  ", offer.letter))
            .then(role, &offer.label)
            .then(Role::Muted, format!("  {}", offer.effect));
        sheet.body.extend(model.told(line).flow(columns, 3));
        if let Err(refusal) = &offer.choice {
            let text = format!("   not possible: {}", refusal.sentence());
            sheet.body.extend(model.told(Line::of(Role::Warning, text)).flow(columns, 3));
        }
        sheet.letters.push((offer.letter, begin..sheet.body.len()));
    }
    sheet
}

/// A value that is typed; of a long one the lines around its cursor are seen. Above it stands what is asked for, and what was wrong with
/// what was typed before.
fn field(model: &Model, asking: &Asking, columns: usize) -> Sheet {
    let mut body = Line::of(Role::Muted, asking.question).flow(columns, 0);
    if let Some(toast) = &model.toast {
        body.extend(model.told(Line::of(toast.role, &toast.text)).flow(columns, 0));
    }
    let (typed, cursor) = asking.field.lines(columns);
    let first = (cursor + 1).saturating_sub(TYPED_LINES);
    let below = typed.len().saturating_sub(first + TYPED_LINES);
    let mut foot = vec![Line::default()];
    if first > 0 {
        foot.push(Line::of(Role::Muted, format!("… {} above", counted(first, "more line"))));
    }
    foot.extend(typed.into_iter().skip(first).take(TYPED_LINES));
    if below > 0 {
        foot.push(Line::of(Role::Muted, format!("… {} below", counted(below, "more line"))));
    }
    let key = |command| model.keymap.key_in(Context::Fields, command);
    let (accept, editor) = (key(Command::Accept), key(Command::Editor));
    let title =
        format!(" {accept} goes on to the preview, {editor} opens $EDITOR, {} leaves it ", keep(model));
    Sheet { title, body, foot, decides: true, ..Sheet::default() }
}

/// Note is taken of a finding: its sentence, and what is typed.
fn note(model: &Model, noting: &Noting, columns: usize) -> Sheet {
    let mut body = model.told(Line::of(Role::Strong, &noting.sentence)).flow(columns, 0);
    let fields = |command| model.keymap.key_in(Context::Fields, command);
    let (title, words, asks) = match noting.how {
        Noted::Acknowledge => (
            "Acknowledge",
            "It stays in the list and says who is at it, until it is over or becomes worse; then that ends, as it does with stacktop."
                .to_owned(),
            "note (may stay empty):",
        ),
        Noted::Snooze => (
            "Snooze",
            format!(
                "It stays in the list and stands behind what is as bad, for {} ({} takes the next); {BACK} takes it back.",
                SPANS.join(", "),
                fields(Command::Complete)
            ),
            "for:",
        ),
    };
    body.extend(Line::of(Role::Muted, words).flow(columns, 0));
    if let Some(toast) = &model.toast {
        body.extend(model.told(Line::of(toast.role, &toast.text)).flow(columns, 0));
    }
    let mut foot = vec![Line::default()];
    foot.extend(asked(&Line::text(asks), &noting.field, columns));
    let accept = fields(Command::Accept);
    let title = format!(" {title}: {accept} takes note, {} leaves it ", keep(model));
    Sheet { title, body, foot, decides: true, ..Sheet::default() }
}

/// A word that is typed behind what asks for it; on a line of its own where little room is left.
fn asked(line: &Line, typed: &Field, columns: usize) -> Vec<Line> {
    let mut lines = line.flow(columns, 0);
    let last = lines.pop().unwrap_or_default();
    let left = columns.saturating_sub(width(&last.plain()) + 1);
    if left >= LEAST_FIELD {
        lines.push(typed.behind(last.then(Role::Text, " "), left));
    } else {
        lines.extend([last, typed.behind(Line::default(), columns)]);
    }
    lines
}

fn arming(model: &Model, (typed, span): (&Field, Option<Duration>), columns: usize) -> Sheet {
    let environment = &model.arming.environment;
    let word = if model.arming.production { "production environment " } else { "environment " };
    let disarm = model.keymap.name(Command::Disarm);
    let accept = model.keymap.key_in(Context::Fields, Command::Accept);
    let minutes = counted((span.unwrap_or(ARMED_FOR).as_secs() / 60) as usize, "minute");
    let ends = format!(" for {minutes}; each is still confirmed for itself, and {disarm} ends it.");
    let body = Line::text(format!("This permits actions in the {word}"))
        .then(Role::Critical, environment)
        .then(Role::Text, ends)
        .flow(columns, 0);
    let mut foot = vec![Line::default()];
    let line = Line::text(format!("[ {} leaves it ]   type ", keep(model)))
        .then(Role::Critical, environment)
        .then(Role::Text, format!(" and {accept}:"));
    foot.extend(asked(&line, typed, columns));
    let title = format!(" Arm: nothing is permitted before {accept} ");
    Sheet { title, body, foot, decides: true, ..Sheet::default() }
}

fn confirm(model: &Model, dialog: &Confirm, size: Size) -> Sheet {
    let columns = size.columns();
    let preview = &veiled(model, &dialog.preview);
    let foot = decision(model, dialog, columns);
    let facts: Vec<(&str, &str)> =
        preview.facts.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
    let apart: Vec<(&str, String)> =
        facts.iter().map(|(label, value)| (*label, (*value).to_owned())).collect();
    let mut body = previewed(preview, &apart, columns);
    let filled = |lines: &[Line]| lines.iter().filter(|line| !line.spans.is_empty()).count();
    if filled(&body) + filled(&foot) > size.dialog_rows() {
        // Two short facts share a line before anything has to be scrolled.
        body = previewed(preview, &together(&facts, columns), columns);
    }
    Sheet {
        title: format!(" Confirm ({}): {} keeps everything as it is ", undo(&dialog.action), keep(model)),
        body,
        foot,
        decides: true,
        ..Sheet::default()
    }
}

/// The preview as it may be seen now. Who is meant stands in its title and stays: only what they hold is hidden.
fn veiled(model: &Model, preview: &Preview) -> Preview {
    let fact = |(label, value): &(String, String)| (label.clone(), model.told_text(value));
    Preview {
        facts: preview.facts.iter().map(fact).collect(),
        statement: model.told_text(&preview.statement),
        ..preview.clone()
    }
}

/// Columns of the labels of facts.
fn labels(facts: impl Iterator<Item = usize>, columns: usize) -> usize {
    facts.max().unwrap_or(0).min(columns / 3)
}

/// The facts, two of them in one where both have room on a line.
fn together<'a>(facts: &[(&'a str, &str)], columns: usize) -> Vec<(&'a str, String)> {
    let label = labels(facts.iter().map(|(label, _)| label.chars().count()), columns);
    let mut joined: Vec<(&str, String)> = Vec::new();
    let mut alone = false;
    for (name, value) in facts {
        let more = format!(" · {name} {value}");
        match joined.last_mut() {
            Some((_, before)) if alone && label + 2 + width(before) + width(&more) <= columns => {
                before.push_str(&more);
                alone = false;
            }
            _ => {
                joined.push((name, (*value).to_owned()));
                alone = true;
            }
        }
    }
    joined
}

/// What is shown before anything is done.
fn previewed(preview: &Preview, facts: &[(&str, String)], columns: usize) -> Vec<Line> {
    let mut body = Line::of(Role::Strong, &preview.title).flow(columns, 2);
    body.push(Line::default());
    let label = labels(facts.iter().map(|(label, _)| label.chars().count()), columns);
    for (name, value) in facts {
        let line = Line::of(Role::Muted, format!("{name:<label$}  ")).then(Role::Text, value);
        body.extend(line.flow(columns, label + 2));
    }
    body.push(Line::default());
    let mut sent = Line::of(Role::Muted, "This will be sent: ");
    for line in clean_lines(&preview.statement) {
        body.extend(sent.then(Role::Accent, line).flow(columns, 2));
        sent = Line::text("  ");
    }
    body
}

/// The key or the word that decides, and what it does: pinned below whatever scrolls.
fn decision(model: &Model, dialog: &Confirm, columns: usize) -> Vec<Line> {
    let mut foot = vec![Line::default()];
    if let Some(changed) = &dialog.changed {
        foot.extend(Line::of(Role::Critical, format!("Not possible any more: {changed}")).flow(columns, 0));
        return foot;
    }
    let title = &dialog.preview.title;
    let keep = Line::text(format!("[ Keep it: {} ]   ", keep(model)));
    let Some(word) = &dialog.word else {
        let line = keep
            .then(Role::Critical, dialog.preview.confirm_key.to_string())
            .then(Role::Strong, format!(" = {title}"));
        foot.extend(line.flow(columns, 0).into_iter().take(DECISION_LINES));
        return foot;
    };
    foot.extend(Line::of(Role::Strong, title).flow(columns, 0).into_iter().take(1));
    // The word is never cut: it is what has to be typed.
    let line = keep
        .then(Role::Text, "type ")
        .then(Role::Critical, word)
        .then(Role::Text, " and it is done with the last letter:");
    foot.extend(asked(&line, &dialog.typed, columns));
    foot
}
