//! What a command works with: the settings, after the question whom to trust.

use crate::cli::arguments::Arguments;
use crate::cli::trust;
use crate::cli::trust::Care;
use crate::config::discover::Surroundings;
use crate::config::resolve::{Settings, resolve};
use crate::config::wishes::Wishes;

pub(super) fn settings(arguments: &Arguments, around: &Surroundings, care: Care) -> Result<Settings, String> {
    resolve(&wishes(arguments, around, care)?, around)
}

pub(super) fn wishes(arguments: &Arguments, around: &Surroundings, care: Care) -> Result<Wishes, String> {
    let mut wishes = Wishes {
        config: arguments.config.clone(),
        urls: arguments.watched.urls.clone(),
        read_only: arguments.read_only,
        folder: None,
    };
    trust::settle(&mut wishes, around, care)?;
    Ok(wishes)
}
