//! What a command works with: the settings, after the question whom to trust.

use crate::cli::arguments::Arguments;
use crate::cli::roster::{self, Lists};
use crate::cli::trust;
use crate::cli::trust::Care;
use crate::config::discover::Surroundings;
use crate::config::listed::Listing;
use crate::config::resolve::{Settings, resolve};
use crate::config::wishes::Wishes;

pub(super) fn settings(arguments: &Arguments, around: &Surroundings, care: Care) -> Result<Settings, String> {
    begun(arguments, around, care).map(|(settings, _)| settings)
}

/// The same with the lists that name some of the targets. What came with a folder is read and run only once it is trusted.
pub(super) fn begun(
    arguments: &Arguments,
    around: &Surroundings,
    care: Care,
) -> Result<(Settings, Option<Lists>), String> {
    let wishes = wishes(arguments, around, care)?;
    let mut settings = resolve(&wishes, around)?;
    if care == Care::Shows && wishes.folder.is_some() {
        let unread = |list: &Listing| format!("the list {} is not read here", list.name());
        let lines: Vec<String> = settings.lists.iter().map(unread).collect();
        settings.trail.extend(lines);
        return Ok((settings, None));
    }
    let lists = roster::begin(&mut settings)?;
    Ok((settings, lists))
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
