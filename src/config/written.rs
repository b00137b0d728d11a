//! Which configuration file applies, and what is written in it, once every mistake in it has been told.

use super::bounded;
use super::check;
use super::discover::Surroundings;
use super::file::File;
use super::form::{self, Form, Spans};
use super::paths;
use super::wishes::shown;
use crate::config::wishes::FolderFile;
use crate::config::wishes::Wishes;
use crate::config::wishes::unreadable;
use std::path::{Path, PathBuf};

/// The configuration that a folder may bring along.
const FOLDER_FILE: &str = "stacktop.toml";

/// The file of the current folder, if it is what would be read.
///
/// # Errors
/// When it is there and cannot be read.
pub fn folder_file(wishes: &Wishes, around: &Surroundings) -> Result<Option<FolderFile>, String> {
    let path = around.folder.join(FOLDER_FILE);
    // What a folder brings along is about its own stack.
    if !wishes.urls.is_empty()
        || wishes.config.is_some()
        || own_file(around).is_some_and(|own| own.exists())
        || !path.exists()
    {
        return Ok(None);
    }
    FolderFile::read(&path).map(Some)
}

/// Where the user's own configuration would be.
#[must_use]
pub fn own_file(around: &Surroundings) -> Option<PathBuf> {
    let base = around
        .var("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| around.var("HOME").map(|home| Path::new(&home).join(".config")))?;
    Some(base.join("stacktop").join("config.toml"))
}

/// The name of a configuration file, what stands in it, and where.
pub(super) type Written = (String, File, Spans);

/// What stands in the file that applies, if there is one.
pub(super) fn applying(
    wishes: &Wishes,
    around: &Surroundings,
    trail: &mut Vec<String>,
) -> Result<Option<Written>, String> {
    let Some((path, text)) = find(wishes, around, trail)? else { return Ok(None) };
    understood(&path, &text, around).map(Some)
}

/// What `text` of the file at `path` says, with whole paths; every mistake when something in it cannot be so.
pub(super) fn understood(path: &Path, text: &str, around: &Surroundings) -> Result<Written, String> {
    let name = shown(path);
    let Form { mut file, places, mut mistakes } = form::read(&name, text);
    let whole = around.folder.join(path);
    let folder = whole.parent().unwrap_or(&around.folder);
    mistakes.extend(paths::anchor(&mut file, &places, folder, around.var("HOME").as_deref()));
    mistakes.extend(check::mistakes(&file, &places));
    if mistakes.is_empty() {
        return Ok((name, file, places));
    }
    mistakes.sort_by_key(|told| place_of(told));
    Err(mistakes.join("\n"))
}

/// Line and column at the beginning of a sentence `name:line:column: …`.
fn place_of(told: &str) -> (usize, usize) {
    let place = told.split(": ").next().unwrap_or_default();
    let mut parts = place.rsplitn(3, ':').filter_map(|part| part.parse().ok());
    let column = parts.next().unwrap_or(0);
    (parts.next().unwrap_or(0), column)
}

fn find(
    wishes: &Wishes,
    around: &Surroundings,
    trail: &mut Vec<String>,
) -> Result<Option<(PathBuf, String)>, String> {
    let read = |path: &Path| bounded::text(path).map_err(|error| unreadable(path, &error));
    if let Some(path) = &wishes.config {
        if path.to_string_lossy().contains("://") {
            let why = "--config names a file, not a URL: `stacktop URL` watches what the URL names";
            return Err(why.to_owned());
        }
        trail.push(format!("configuration {} (--config)", path.display()));
        return Ok(Some((path.clone(), read(path)?)));
    }
    if let Some(path) = own_file(around) {
        if path.exists() {
            trail.push(format!("configuration {}", path.display()));
            let text = read(&path)?;
            return Ok(Some((path, text)));
        }
        trail.push(format!("no configuration at {}", path.display()));
    }
    if let Some(FolderFile { path, text }) = &wishes.folder {
        trail.push(format!("configuration {}", path.display()));
        return Ok(Some((path.clone(), text.clone())));
    }
    let path = around.folder.join(FOLDER_FILE);
    if path.exists() && !wishes.urls.is_empty() {
        trail.push(format!("{} is not read, because the command line names what to watch", path.display()));
        return Ok(None);
    }
    if path.exists() {
        return Err(format!("{} is not trusted: run `stacktop trust`", path.display()));
    }
    trail.push(format!("no configuration at {}", path.display()));
    Ok(None)
}
