//! `stacktop check-config`, and the parts of a configuration that only the screen knows: keys and themes.

use super::appearance::{load, theme};
use super::arguments::Arguments;
use super::given::wishes;
use super::print::{complain, print};
use super::trust::Care;
use crate::app::keymap::Keymap;
use crate::config::discover::Surroundings;
use crate::config::resolve::{Settings, check_config};
use crate::ui::theme::Theme;
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
) -> Result<(Keymap, Theme), String> {
    let keymap = Keymap::with(&settings.keys).map_err(|mistakes| {
        let told = mistakes
            .into_iter()
            .map(|(name, why)| format!("{}: {why}", settings.places.of(&["keys", &name])));
        told.collect::<Vec<_>>()
    });
    // What is configured is checked even where another theme is in force.
    let configured = settings.theme.as_deref().map_or(Ok(()), |name| load(name).map(|_| ()));
    let configured = configured.map_err(|why| format!("{}: {why}", settings.places.of(&["theme"])));
    let theme = configured.and_then(|()| {
        theme(arguments, around, settings.theme.as_deref(), settings.ascii)
            .map_err(|why| format!("--theme: {why}"))
    });
    match (keymap, theme) {
        (Ok(keymap), Ok(theme)) => Ok((keymap, theme)),
        (keymap, theme) => {
            let all: Vec<String> = keymap.err().into_iter().flatten().chain(theme.err()).collect();
            Err(all.join("\n"))
        }
    }
}
