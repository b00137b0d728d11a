//! What lets our role read what others do, as a statement that runs.

use super::Server;
use crate::core::text::tidy;

impl Server {
    /// The statement that lets our role read what others do.
    #[must_use]
    pub fn permit(&self) -> String {
        let role = quoted(&tidy(&self.role, 63));
        match (self.uninherited, self.version_num >= 160_000) {
            (false, _) => format!("GRANT pg_monitor TO {role}"),
            (true, false) => format!("ALTER ROLE {role} INHERIT"),
            (true, true) => format!("GRANT pg_monitor TO {role} WITH INHERIT TRUE"),
        }
    }
}

/// A name as a statement needs it: plain where it can be, and no word of the language is.
fn quoted(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    let begins = name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_');
    if begins && name.chars().all(plain) && !KEYWORDS.contains(&name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Words of the language that somebody may have taken for a role's name.
const KEYWORDS: [&str; 10] = [
    "user",
    "all",
    "public",
    "group",
    "default",
    "session_user",
    "current_user",
    "current_role",
    "none",
    "primary",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(role: &str, version_num: u32, uninherited: bool, expected: &str) {
        let server = Server { role: role.to_owned(), version_num, uninherited, ..Server::default() };
        assert_eq!(server.permit(), expected);
    }

    #[test]
    fn the_statement_is_one_for_every_role_and_version() {
        check("app_rw", 150_000, false, "GRANT pg_monitor TO app_rw");
        check("Mon-itor", 150_000, false, "GRANT pg_monitor TO \"Mon-itor\"");
        check("user", 150_000, false, "GRANT pg_monitor TO \"user\"");
        check("a\"b", 150_000, false, "GRANT pg_monitor TO \"a\"\"b\"");
        check("7", 150_000, false, "GRANT pg_monitor TO \"7\"");
        check("app", 150_000, true, "ALTER ROLE app INHERIT");
        check("app", 160_000, true, "GRANT pg_monitor TO app WITH INHERIT TRUE");
    }
}
