//! `stacktop check-config`, and the parts of a configuration that only the screen knows: keys and themes.

use super::appearance::{Themes, load, themes};
use super::arguments::Arguments;
use super::given::wishes;
use super::print::{complain, print};
use super::trust::Care;
use crate::app::command::Context;
use crate::app::keymap::{Binding, Keymap};
use crate::config::discover::Surroundings;
use crate::config::keys::KeysFile;
use crate::config::resolve::{Settings, check_config};
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

/// Keys and theme; whatever is wrong with them is told together, with its place.
pub(super) fn surfaces(
    arguments: &Arguments,
    around: &Surroundings,
    settings: &Settings,
) -> Result<(Keymap, Themes), String> {
    let keymap = keymap(settings);
    // What is configured is checked even where another theme is in force.
    let configured = settings.theme.as_deref().map_or(Ok(()), |name| load(name).map(|_| ()));
    let configured = configured.map_err(|why| format!("{}: {why}", settings.places.of(&["theme"])));
    let theme = configured.and_then(|()| {
        themes(arguments, around, settings.theme.as_deref(), settings.ascii)
            .map_err(|why| format!("--theme: {why}"))
    });
    let theme = theme.map(|themes| themes.with_blocks(settings.blocks));
    match (keymap, theme) {
        (Ok(keymap), Ok(themes)) => Ok((keymap, themes)),
        (keymap, theme) => {
            let all: Vec<String> = keymap.err().into_iter().flatten().chain(theme.err()).collect();
            Err(all.join("\n"))
        }
    }
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
