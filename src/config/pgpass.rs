//! `.pgpass` as libpq reads it: five fields, `*` for any, `\` before a colon or itself; a file that others may read is ignored.

use super::bounded;
use super::discover::Surroundings;
use super::secret::Secret;
use super::target::PostgresConnect;
use std::path::PathBuf;

/// The password for `pg` from `PGPASSWORD` or the password file; what was ignored is said in `trail`.
pub(super) fn password(
    around: &Surroundings,
    pg: &PostgresConnect,
    trail: &mut Vec<String>,
) -> Option<Secret> {
    if let Some(password) = around.var("PGPASSWORD") {
        return Some(Secret::inline(password));
    }
    let path = around
        .var("PGPASSFILE")
        .map(PathBuf::from)
        .or_else(|| around.var("HOME").map(|home| PathBuf::from(home).join(".pgpass")))?;
    let text = bounded::text(&path).ok()?;
    if others_may_read(&path) {
        trail.push(format!("{} is ignored, because others may read it: chmod 600", path.display()));
        return None;
    }
    let host = if pg.host.starts_with('/') { "localhost" } else { &pg.host };
    let wanted = [host, &pg.port.to_string(), &pg.database, &pg.user];
    let password = text.lines().find_map(|line| matching(line, &wanted))?;
    trail.push(format!("password of {} from {}", pg.user, path.display()));
    Some(Secret::inline(password))
}

fn others_may_read(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

/// The password of `line` if its first four fields match.
fn matching(line: &str, wanted: &[&str; 4]) -> Option<String> {
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
        let found = matching(line, &["db1", "5432", "shop", "monitor"]);
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
