//! libpq's service files: sections of settings by name.

use super::bounded;
use super::surroundings::Surroundings;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

type Settings = BTreeMap<String, String>;

/// Where distributions keep the file for everybody, unless `PGSYSCONFDIR` says otherwise.
const SYSTEM: [&str; 2] = ["/etc/postgresql-common", "/etc/sysconfig/pgsql"];

/// Adds the settings of the service that `settings` (or `PGSERVICE`) names, where they are not set yet.
///
/// # Errors
/// When there is no such service, with the files that were looked at.
pub(super) fn fill(settings: &mut Settings, around: &Surroundings) -> Result<(), String> {
    let named = settings.get("service").filter(|name| !name.is_empty()).cloned();
    let Some(service) = named.or_else(|| around.var("PGSERVICE")) else { return Ok(()) };
    for path in files(settings, around) {
        let Ok(text) = bounded::text(&path) else { continue };
        if let Some(found) = section(&text, &service) {
            if found.contains_key("service") {
                return Err(format!("{}: a service cannot name another service", path.display()));
            }
            for (key, value) in found {
                settings.entry(key).or_insert(value);
            }
            return Ok(());
        }
    }
    let looked: Vec<String> = files(settings, around).iter().map(|path| path.display().to_string()).collect();
    Err(format!("the service {service} is in no service file (looked at {})", looked.join(", ")))
}

/// The files that are looked at, the first one first.
fn files(settings: &Settings, around: &Surroundings) -> Vec<PathBuf> {
    let named = settings.get("servicefile").cloned().or_else(|| around.var("PGSERVICEFILE"));
    let own = named.map(PathBuf::from).or_else(|| around.home().map(|home| home.join(".pg_service.conf")));
    let system =
        around.var("PGSYSCONFDIR").map_or_else(|| SYSTEM.map(PathBuf::from).to_vec(), |one| vec![one.into()]);
    own.into_iter().chain(system.iter().map(|folder| folder.join(Path::new("pg_service.conf")))).collect()
}

fn section(text: &str, wanted: &str) -> Option<Settings> {
    let mut inside = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if inside.is_some() {
                break;
            }
            inside = (name == wanted).then(Settings::new);
        } else if let (Some(settings), Some((key, value))) = (&mut inside, line.split_once('=')) {
            settings.entry(key.trim().to_owned()).or_insert_with(|| value.trim().to_owned());
        }
    }
    inside
}
