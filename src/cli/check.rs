//! `stacktop check-config`, and the parts of a configuration that only the screen knows: keys and themes.

use super::appearance::{Themes, load, themes};
use super::arguments::Arguments;
use super::given::wishes;
use super::print::{complain, print};
use super::trust::Care;
use crate::app::columns;
use crate::app::command::Context;
use crate::app::keymap::{Binding, Keymap};
use crate::config::discover::Surroundings;
use crate::config::keys::KeysFile;
use crate::config::misspelt::suggestion;
use crate::config::resolve::{Settings, check_config};
use crate::ui::select::View;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Says whether the configuration is right. The exit code is 0 when it is, 1 when there is none, 2 (by the caller) when it is not.
pub(super) fn run(arguments: &Arguments, around: &Surroundings) -> Result<ExitCode, String> {
    let Some((settings, found)) = check_config(&wishes(arguments, around, Care::Shows)?, around)? else {
        complain(
            "there is no configuration file; `stacktop config` prints a sample, --config names another place",
        );
        return Ok(ExitCode::FAILURE);
    };
    surfaces(arguments, around, &settings)?;
    print(&format!("{found}\n"));
    Ok(ExitCode::SUCCESS)
}

/// What a configuration says of the screen.
pub(super) struct Surfaces {
    pub(super) keymap: Keymap,
    pub(super) themes: Themes,
    /// Which columns are wanted, by the names of tables.
    pub(super) columns: BTreeMap<String, View>,
}

/// Keys, theme and columns; whatever is wrong with them is told together, with its place.
pub(super) fn surfaces(
    arguments: &Arguments,
    around: &Surroundings,
    settings: &Settings,
) -> Result<Surfaces, String> {
    let (keymap, columns) = (keymap(settings), columns(settings));
    // What is configured is checked even where another theme is in force.
    let configured = settings.theme.as_deref().map_or(Ok(()), |name| load(name).map(|_| ()));
    let configured = configured.map_err(|why| format!("{}: {why}", settings.places.of(&["theme"])));
    let theme = configured.and_then(|()| {
        themes(arguments, around, settings.theme.as_deref(), settings.ascii)
            .map_err(|why| format!("--theme: {why}"))
    });
    let theme = theme.map(|themes| themes.with_blocks(settings.blocks));
    match (keymap, theme, columns) {
        (Ok(keymap), Ok(themes), Ok(columns)) => Ok(Surfaces { keymap, themes, columns }),
        (keymap, theme, columns) => {
            let lists = [keymap.err(), columns.err()].into_iter().flatten().flatten();
            Err(lists.chain(theme.err()).collect::<Vec<_>>().join("\n"))
        }
    }
}

/// The columns that are wanted, or every mistake with its place.
fn columns(settings: &Settings) -> Result<BTreeMap<String, View>, Vec<String>> {
    let (mut views, mut mistakes) = (BTreeMap::new(), Vec::new());
    for (table, written) in &settings.columns {
        let mut tell = |path: &[&str], why: String| {
            let path: Vec<&str> = ["columns", table].iter().chain(path).copied().collect();
            mistakes.push(format!("{}: {why}", settings.places.of(&path)));
        };
        let Some(known) = columns::of(table) else {
            let near = suggestion(table, columns::tables().map(|(name, _)| name));
            let say = "where its columns are chosen on the screen a table says what it is called";
            tell(&[], format!("no table is called so{near} ({say})"));
            continue;
        };
        if written.show.is_some() && !(written.hide.is_empty() && written.order.is_empty()) {
            tell(&["show"], "show says all of it: write it, or hide and order".to_owned());
        }
        let shown = written.show.as_deref().unwrap_or_default();
        for (key, titles) in [("show", shown), ("hide", &written.hide), ("order", &written.order)] {
            for (at, title) in titles.iter().enumerate() {
                let path = [key, &at.to_string()];
                if key == "hide" && table.ends_with(&format!("/{title}")) {
                    tell(&path, format!("`{title}` says what a row is about: it stays"));
                } else if !known.contains(&title.as_str()) {
                    let near = suggestion(title, known.iter().copied());
                    tell(&path, format!("the table has no such column{near} (it has {})", known.join(", ")));
                }
            }
        }
        let view = View {
            shown: written.show.clone(),
            hidden: written.hide.iter().cloned().collect(),
            order: written.order.clone(),
            ..View::default()
        };
        views.insert(table.clone(), view);
    }
    if mistakes.is_empty() { Ok(views) } else { Err(mistakes) }
}

/// The keys in force, or every mistake with its place.
fn keymap(settings: &Settings) -> Result<Keymap, Vec<String>> {
    let (mut bindings, mut paths, mut mistakes) = (Vec::new(), Vec::new(), Vec::new());
    let told = |path: &[&str], why: &str| format!("{}: {why}", settings.places.of(path));
    for (name, written) in &settings.keys {
        let inner = [Context::Dialogs, Context::Fields]
            .into_iter()
            .find(|context| context.table() == format!("keys.{name}"));
        match (inner, written) {
            (Some(context), KeysFile::Table(table)) => {
                for (command, written) in table {
                    match binding(context, command, written) {
                        Some(binding) => {
                            bindings.push(binding);
                            paths.push(vec!["keys", name, command]);
                        }
                        None => mistakes.push(told(&["keys", name, command], NO_KEYS)),
                    }
                }
            }
            (Some(_), KeysFile::These(_) | KeysFile::More(_)) => {
                mistakes.push(told(
                    &["keys", name],
                    &format!("write [keys.{name}] with a line for each command"),
                ));
            }
            (None, written) => match binding(Context::Screens, name, written) {
                Some(binding) => {
                    bindings.push(binding);
                    paths.push(vec!["keys", name]);
                }
                None => mistakes.push(told(&["keys", name], NO_KEYS)),
            },
        }
    }
    let keymap = Keymap::with(&bindings);
    if let Err(wrong) = &keymap {
        mistakes.extend(wrong.iter().map(|(at, why)| told(&paths[*at], why)));
    }
    keymap.ok().filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

const NO_KEYS: &str =
    "write a key in quotes, a list of them, or { add = \"x\" }; tables are [keys.dialogs] and [keys.fields]";

fn binding(context: Context, command: &str, written: &KeysFile) -> Option<Binding> {
    let (keys, adds) = match written {
        KeysFile::These(keys) => (keys, false),
        KeysFile::More(keys) => (keys, true),
        KeysFile::Table(_) => return None,
    };
    Some(Binding { context, command: command.to_owned(), keys: keys.clone(), adds })
}
