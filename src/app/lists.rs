//! What is only read above a screen, in lines: help, sources, the action log, all of a row, the commands, the columns of a table.

use super::columns as chosen;
use super::command::{Command, Context, Entry};
use super::model::{Kind, Model};
use super::overlay::{Choosing, Columns, Logs, Overlay};
use super::palette::matching;
use super::possible::Possible;
use super::update::{offered, pace};
use crate::actions::audit::Phase;
use crate::core::freshness::Freshness;
use crate::core::row::RowKey;
use crate::panels::{PANELS, panel};
use crate::ui::content::{Content, Line, Role};
use crate::ui::format::{duration, rate};
use crate::ui::text::width;

/// Columns of the keys and names in front of what a command does.
pub const HELP: usize = 24;
/// Columns of the labels of a row's values at the most.
const LABEL: usize = 16;

/// What is looked for in a list, for its border.
pub fn found(overlay: &Overlay) -> String {
    let find = overlay.window().map(|window| &window.find).filter(|find| !find.text.is_empty());
    find.map_or_else(String::new, |find| format!(" · find: {}", find.text))
}

/// The help: what works on this screen, what may be done to the row, then everything.
pub fn help(model: &Model) -> Vec<Line> {
    let keymap = &model.keymap;
    let here = panel(model.screen);
    let possible = Possible::new(model);
    let mut lines = vec![
        Line::of(Role::Strong, format!("This screen: {}", here.title()))
            .then(Role::Text, format!("  {}", here.help())),
    ];
    let offers = offered::row(model).filter(|row| model.is_live() && !row.is_counted());
    let offers = offers.map(|row| offered::offers(model, &row, &offered::marked(model))).unwrap_or_default();
    for offer in &offers {
        let keys = format!("{} {}", keymap.name(Command::Actions), offer.letter);
        let line = Line::of(Role::Accent, format!("  {keys:<22}")).then(Role::Text, &offer.label);
        lines.push(model.told(match &offer.choice {
            Ok(_) => line,
            Err(refusal) => line.then(Role::Muted, format!("  (not possible: {})", refusal.why)),
        }));
    }
    let about_here = |command: &Command| {
        matches!(
            command,
            Command::Open
                | Command::Details
                | Command::Back
                | Command::Acknowledge
                | Command::Snooze
                | Command::Lines
                | Command::Runbook
                | Command::Find
                | Command::Sort
                | Command::Count
                | Command::NextMatch
                | Command::Mark
                | Command::Zoom
                | Command::Wide
        )
    };
    let entries = keymap.entries().iter().filter(|entry| entry.context == Context::Screens);
    for entry in
        entries.filter(|entry| about_here(&entry.command) && possible.refusal(entry.command).is_none())
    {
        lines.push(told(model, entry, None));
    }
    lines.push(Line::default());
    lines.push(Line::of(Role::Strong, "Screens"));
    for panel in PANELS {
        let key = keymap.name(Command::Screen(panel.screen()));
        lines.push(
            Line::of(Role::Accent, format!("  {key:<9}"))
                .then(Role::Strong, format!("{:<13}", panel.title()))
                .then(Role::Text, panel.help()),
        );
    }
    for (context, title) in [
        (Context::Screens, "Keys"),
        (Context::Dialogs, "Keys in dialogs"),
        (Context::Fields, "Keys where text is typed"),
    ] {
        lines.push(Line::default());
        lines.push(Line::of(Role::Strong, title));
        let entries = keymap.entries().iter().filter(|entry| entry.context == context);
        for entry in entries.filter(|entry| !matches!(entry.command, Command::Screen(_))) {
            let why = if context == Context::Screens { possible.refusal(entry.command) } else { None };
            lines.push(told(model, entry, why.as_deref()));
        }
    }
    lines.push(Line::default());
    let act = keymap.name(Command::Actions);
    lines.push(Line::text(format!(
        "Nothing is changed without {act}, a letter, and a confirmation. Enter never confirms."
    )));
    lines.push(Line::text(
        "↑ or ↓ in front of a number: it is more, or less, than ten to twenty seconds ago.",
    ));
    lines.push(Line::text("A dialog that is longer than the window scrolls."));
    lines.push(Line::text("Every action is written to the audit trail before it is sent:"));
    lines.push(Line::of(Role::Muted, format!("  {}", model.audit_place)));
    lines
}

/// Its keys and what it does; why it does nothing here.
fn told(model: &Model, entry: &Entry, why: Option<&str>) -> Line {
    let keys: Vec<String> = entry.keys.iter().map(ToString::to_string).collect();
    let keys = match (entry.context, keys.is_empty()) {
        (Context::Screens, true) => model.keymap.name(entry.command),
        (Context::Screens | Context::Dialogs | Context::Fields, _) => keys.join(" "),
    };
    match why {
        None => Line::of(Role::Accent, format!("  {keys:<22}")).then(Role::Text, entry.help),
        Some(why) => Line::of(Role::Muted, format!("  {keys:<22}{}", entry.help))
            .then(Role::Note, format!("  (not here: {why})")),
    }
}

/// The commands that are meant by `text`: name, key, what each does, and why it does nothing here. Enter runs the first.
pub fn commands(model: &Model, text: &str) -> Vec<Line> {
    let possible = Possible::new(model);
    let found = matching(model, text);
    if found.is_empty() {
        return vec![Line::of(Role::Note, "no command is called like that")];
    }
    let line = |(at, entry): (usize, &Entry)| {
        let mark = if at == 0 && !text.trim().is_empty() { "> " } else { "  " };
        let key = entry.keys.first().map(ToString::to_string).unwrap_or_default();
        let why = possible.refusal(entry.command);
        let role = if why.is_some() { Role::Muted } else { Role::Strong };
        let line = Line::of(Role::Accent, mark)
            .then(role, format!("{:<15}", entry.name))
            .then(Role::Accent, format!("{key:<7}"));
        match why {
            Some(why) => line.then(Role::Muted, entry.help).then(Role::Note, format!("  (not here: {why})")),
            None => line.then(Role::Text, entry.help),
        }
    };
    found.into_iter().enumerate().map(line).collect()
}

/// Every value of a row in full, each behind the heading of its column; and the columns of the headings.
pub fn details(content: &Content, row: &RowKey) -> (Vec<Line>, usize) {
    let tables = content.sections.iter().filter_map(|section| section.table.as_ref());
    let found = tables.into_iter().find_map(|table| {
        let row = table.rows.iter().find(|found| found.key == *row)?;
        Some((table, row))
    });
    let Some((table, row)) = found else {
        return (vec![Line::of(Role::Note, "this row is not there any more")], 0);
    };
    let label = table.columns.iter().map(|column| width(&column.title)).max().unwrap_or(0).min(LABEL);
    let cells = table.columns.iter().zip(&row.cells).filter(|(_, cell)| cell.spark.is_none());
    let lines = cells.filter(|(_, cell)| !cell.words().trim().is_empty()).map(|(column, cell)| {
        Line::of(Role::Muted, format!("{:<label$}  ", column.title)).then(cell.role, cell.words().trim())
    });
    (lines.collect(), label + 2)
}

/// What the list of columns is for.
pub const fn columns_title(what: Choosing) -> &'static str {
    match what {
        Choosing::Sort => "Sort by",
        Choosing::Shown => "Columns",
    }
}

/// The columns of a table, the chosen one marked.
pub fn columns(model: &Model, choice: &Columns) -> Vec<Line> {
    let place = model.place();
    let view = place.level().and_then(|level| level.views.get(&choice.table)).cloned().unwrap_or_default();
    let mut list: Vec<(String, String)> = Vec::new();
    if choice.what == Choosing::Sort {
        let now = if view.sort.is_none() { "now" } else { "" };
        list.push(("by importance, the screen's own order".to_owned(), now.to_owned()));
    }
    for (at, (title, _)) in choice.titles.iter().enumerate() {
        let heading = if title.is_empty() { "(no heading)" } else { title };
        let state = match (choice.what, view.sort) {
            (Choosing::Sort, Some((sorted, true))) if sorted == at => "now, highest first",
            (Choosing::Sort, Some((sorted, false))) if sorted == at => "now, lowest first",
            (Choosing::Shown, _) if at == 0 => "always shown",
            (Choosing::Shown, _) if view.hides(title) => "hidden",
            (Choosing::Shown, _) => "shown where it has room",
            (Choosing::Sort, _) => "",
        };
        list.push((heading.to_owned(), state.to_owned()));
    }
    let line = |(at, (title, state)): (usize, (String, String))| {
        let here = at == choice.at;
        let role = if here { Role::Cursor } else { Role::Text };
        Line::of(Role::Strong, if here { "> " } else { "  " })
            .then(role, title)
            .then(Role::Muted, format!("  {state}"))
    };
    let mut lines: Vec<Line> = list.into_iter().enumerate().map(line).collect();
    if choice.what == Choosing::Shown {
        lines.extend(
            chosen::written(&choice.table, &view).into_iter().map(|text| Line::of(Role::Muted, text)),
        );
    }
    lines
}

/// Every source: why it was chosen, its state, its errors.
pub fn sources(model: &Model) -> Vec<Line> {
    let times = 1_u32 << model.habits.pace;
    let cost = format!("Our own load on all of them: {}", pace::cost(model, times));
    let mut lines = vec![Line::of(Role::Muted, cost), Line::default()];
    let seen = model.seen();
    for target in seen.world.targets() {
        let freshness = target.freshness(seen.now);
        let (role, state) = match freshness {
            Freshness::Waiting => (Role::Muted, "waiting for the first answer".to_owned()),
            Freshness::Fresh(age) => (Role::Ok, format!("fresh, {} old", crate::ui::format::lately(age))),
            Freshness::Late(age) => (Role::Warning, format!("LATE, {} old", crate::ui::format::age(age))),
            Freshness::Lost(age) => {
                (Role::Critical, format!("LOST, no data for {}", crate::ui::format::age(age)))
            }
        };
        let took = target.took.map_or(String::new(), |took| format!(", a poll takes {}", duration(took)));
        let asked =
            target.asked_per_second().zip(target.questions).map_or(String::new(), |(second, poll)| {
                format!(" and asks {poll:.1} questions, {}", rate(second))
            });
        let each = duration(target.plan.map_or(target.configured_interval, |plan| plan.interval));
        let widened =
            if target.plan.is_some_and(|plan| plan.widened) { " (widened: polls are slow)" } else { "" };
        lines.push(
            Line::of(Role::Strong, format!("{} ", target.id))
                .then(role, state)
                .then(Role::Muted, format!(", each {each}{widened}{took}{asked}")),
        );
        lines.push(Line::of(Role::Muted, format!("    {} at {}", target.kind.name(), target.address)));
        if target.failure.is_some() {
            lines.push(Line::of(Role::Warning, format!("    {}", target.silence(seen.now))));
        }
    }
    lines.push(Line::default());
    lines.extend(model.trail.iter().map(|sentence| Line::of(Role::Muted, sentence)));
    lines
}

/// What was said in this run, and our own log; the newest first in both.
pub fn logged(model: &Model, logs: &Logs) -> Vec<Line> {
    let mut lines = vec![Line::of(Role::Strong, "Messages")];
    lines.extend(model.said.newest().map(|said| {
        let at = said.at.wall.with_timezone(&model.zone).format("%H:%M:%S");
        model.told(Line::of(Role::Muted, format!("{at} ")).then(said.role, &said.text))
    }));
    if model.said.is_empty() {
        lines.push(Line::text("nothing was said yet"));
    }
    lines.extend([Line::default(), Line::of(Role::Strong, "Log")]);
    let Some(tail) = &logs.tail else {
        lines.push(Line::of(Role::Muted, "it is being read"));
        return lines;
    };
    let place = Line::of(Role::Muted, format!("kept in {}", tail.place));
    match &tail.lines {
        Ok(kept) => lines.extend(kept.iter().rev().map(Line::text)),
        Err(why) => lines.push(Line::of(Role::Warning, format!("it cannot be read: {why}"))),
    }
    if tail.lines.as_ref().is_ok_and(Vec::is_empty) {
        let words = match model.kind {
            Kind::Live => "nothing is written there: no source fell silent, and nothing of ours failed",
            Kind::Demo => "nothing is written there: nothing of ours failed",
        };
        lines.push(Line::text(words));
    }
    lines.extend([Line::default(), place]);
    lines
}

/// The log of actions, the newest first.
pub fn log(model: &Model) -> Vec<Line> {
    let mut lines = Vec::new();
    lines.extend(model.audit.trouble.iter().map(|trouble| Line::of(Role::Warning, trouble)));
    for entry in model.audit.lines.iter().rev() {
        let (role, word) = match entry.phase {
            Phase::Intent => (Role::Muted, "intent  "),
            Phase::Refused => (Role::Warning, "refused "),
            Phase::Outcome => (Role::Strong, "outcome "),
            Phase::Verified => (Role::Ok, "verified"),
            Phase::Left | Phase::Unknown => (Role::Warning, "unknown "),
        };
        lines.push(
            Line::of(Role::Muted, format!("{} ", entry.when(model.now))).then(role, format!("{word} ")).then(
                Role::Text,
                format!("{}@{} {} on {}", entry.who, entry.host, entry.action, entry.target),
            ),
        );
        for text in [&entry.identity, &entry.result] {
            if !text.is_empty() {
                lines.push(Line::text(format!("      {text}")));
            }
        }
    }
    if lines.is_empty() {
        lines.push(Line::text(match model.kind {
            Kind::Live => "no action is written down in this file",
            Kind::Demo => "no action was taken in this run",
        }));
    }
    match model.audit.unreadable {
        0 => {}
        1 => lines.push(Line::of(Role::Warning, "1 line of the file cannot be read")),
        count => lines.push(Line::of(Role::Warning, format!("{count} lines of the file cannot be read"))),
    }
    lines.push(Line::default());
    lines.push(Line::of(Role::Muted, format!("kept in {}", model.audit_place)));
    lines
}
