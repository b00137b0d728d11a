//! `.pgpass` as libpq reads it: five fields, `*` for any, `\` before a colon or itself; a file that others may read is ignored.

use super::bounded;
use std::path::Path;

/// The password that the file has now for host, port, database and user: it may have been written anew since.
///
/// # Errors
/// A sentence that names the file, or says that it has no such entry.
pub fn password(path: &Path, wanted: &[String; 4]) -> Result<String, String> {
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

pub(super) fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

/// The password of `line` if its first four fields match.
pub(super) fn matching(line: &str, wanted: &[String; 4]) -> Option<String> {
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
