//! `.pgpass` as libpq reads it: five fields, `*` for any, `\` before a colon or itself; a file that others may read is ignored.

use super::bounded;
use super::postgres::{PgPlace, PostgresConnect};
use super::secret::Secret;
use super::surroundings::Surroundings;
use std::path::{Path, PathBuf};

/// The password for `pg` from `PGPASSWORD`, or for each of its hosts from the password file; what was ignored is said in `trail`.
pub(super) fn fill(around: &Surroundings, pg: &mut PostgresConnect, trail: &mut Vec<String>) {
    if pg.password.is_some() {
        return;
    }
    if let Some(password) = around.var("PGPASSWORD") {
        pg.password = Some(Secret::inline(password));
        return;
    }
    let named = pg.passfile.clone().or_else(|| around.var("PGPASSFILE").map(PathBuf::from));
    let Some(path) = named.or_else(|| around.home().map(|home| home.join(".pgpass"))) else { return };
    let Ok(text) = bounded::text(&path) else { return };
    if others_may_read(&path) {
        trail.push(format!("{} is ignored, because others may read it: chmod 600", path.display()));
        return;
    }
    for host in &mut pg.hosts {
        // The usual folder of sockets goes by this name there.
        let usual = |folder: &PathBuf| around.socket_folder(host.port).as_ref() == Some(folder);
        let name = match &host.place {
            PgPlace::Socket(folder) if usual(folder) => "localhost".to_owned(),
            PgPlace::Socket(folder) => folder.display().to_string(),
            PgPlace::Name(name) | PgPlace::Address(_, Some(name)) => name.clone(),
            PgPlace::Address(address, None) => address.to_string(),
        };
        let wanted = [name, host.port.to_string(), pg.database.clone(), pg.user.clone()];
        if text.lines().any(|line| matching(line, &wanted).is_some()) {
            trail.push(format!("password of {} at {host} from {}", pg.user, path.display()));
            host.password = Some(Secret::Passfile(path.clone(), wanted));
        }
    }
}

/// The password that the file has now for host, port, database and user: it may have been written anew since.
pub(super) fn password(path: &Path, wanted: &[String; 4]) -> Result<String, String> {
    let shown = path.display();
    let text =
        bounded::text(path).map_err(|error| format!("the password file {shown} cannot be read: {error}"))?;
    if others_may_read(path) {
        return Err(format!("the password file {shown} may be read by others: chmod 600 {shown}"));
    }
    let found = text.lines().find_map(|line| matching(line, wanted));
    let [host, port, database, user] = wanted;
    found.ok_or_else(|| {
        format!("the password file {shown} has no password any more for {user} at {host}:{port}/{database}")
    })
}

fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

/// The password of `line` if its first four fields match.
fn matching(line: &str, wanted: &[String; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => fields.last_mut()?.extend(letters.next()),
            ':' if fields.len() < 5 => fields.push(String::new()),
            other => fields.last_mut()?.push(other),
        }
    }
    let password = fields.get(4)?.clone();
    let fits = fields.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
    fits.then_some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Option<&str>) {
        let found = matching(line, &["db1", "5432", "shop", "monitor"].map(str::to_owned));
        assert_eq!(found.as_deref(), expected, "{line}");
    }

    #[test]
    fn reads_as_libpq_does() {
        check("db1:5432:shop:monitor:s3cret", Some("s3cret"));
        check("*:*:*:monitor:a:b", Some("a:b"));
        check(r"db1:5432:shop:monitor:a\:b\\c", Some(r"a:b\c"));
        check("db2:5432:shop:monitor:x", None);
        check("# db1:5432:shop:monitor:x", None);
        check("db1:5432:shop", None);
    }
}
