//! Headers of an entry that is asked over HTTP.

use super::entry::HttpFile;

/// Headers that a server or a proxy wants. Credentials have keys of their own, which keep them in files. Values are not repeated.
pub(super) fn headers(entry: &HttpFile) -> Result<Vec<(String, String)>, String> {
    let one = |(name, value): (&String, &String)| {
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) {
            return Err("headers: one of the names cannot be a header's".to_owned());
        }
        if name.eq_ignore_ascii_case("authorization") {
            return Err("headers: use user and password_file, token_file or api_key_file".to_owned());
        }
        if !value.chars().all(|c| (' '..='~').contains(&c)) {
            return Err(format!("headers: the value of {name} holds a character that no header may hold"));
        }
        Ok((name.clone(), value.clone()))
    };
    entry.headers.iter().map(one).collect()
}
