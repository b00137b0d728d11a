//! What may be a secret inside text that is not ours: logins in URLs, values behind telling names, opaque words. Pure.
//!
//! This is the second line. The first is that a value which is a credential, or stands where one may be, is not put into a sentence.

/// What stands in the place of something hidden.
pub const HIDDEN: &str = "•••";

/// Names behind which a secret stands, in the words of the programs that people use.
const TELLING: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "client_secret",
    "token",
    "access_token",
    "api_key",
    "apikey",
    "api-key",
    "authorization",
    "requirepass",
    "masterauth",
];

/// Names of ways to authenticate, behind which the secret itself comes as the next word.
const SCHEMES: [&str; 4] = ["bearer", "basic", "apikey", "token"];

/// A run of letters and digits this long that is no word of a language is taken for a key.
const OPAQUE_CHARS: usize = 16;

/// `text` with what stands between `://` and the last `@` of a word hidden: a password may hold anything but white space unescaped.
#[must_use]
pub fn logins(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        let (word, later) = after.split_at(end);
        match word.rfind('@') {
            Some(at) => {
                out.push_str(HIDDEN);
                out.push_str(&word[at..]);
            }
            None => out.push_str(word),
        }
        rest = later;
    }
    out.push_str(rest);
    out
}

/// `text` with the values hidden that stand behind one of `names`, whatever their case (`name=value`, `"name": "value"`,
/// `(name)=(value)`); `None` where there is none.
#[must_use]
pub fn named<N: AsRef<str>>(text: &str, names: &[N]) -> Option<String> {
    hidden(text, names, Exactly::Whole)
}

/// Whether a secret stands behind a field of this name: `password`, `dbPassword`, `refresh_token`.
#[must_use]
pub fn is_telling(name: &str) -> bool {
    told(&format!("{name}=x")).is_some()
}

/// `text` without the values behind telling names, or `None`.
fn told(text: &str) -> Option<String> {
    hidden(text, &TELLING, Exactly::Part)
}

/// How a name stands in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exactly {
    /// By itself.
    Whole,
    /// As the end of a longer one, too: `DB_PASSWORD`, `refreshToken`, `AWS_SECRET_ACCESS_KEY`.
    Part,
}

fn hidden<N: AsRef<str>>(text: &str, names: &[N], exactly: Exactly) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        let value = names.iter().find_map(|name| value_behind(text, at, name.as_ref(), exactly));
        match value {
            Some((from, to)) if from >= copied => {
                out.push_str(&text[copied..from]);
                out.push_str(HIDDEN);
                copied = to;
                at = to;
            }
            _ => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    out.push_str(&text[copied..]);
    (copied > 0).then_some(out)
}

/// Where the value begins and ends that belongs to `name`, if the name stands at byte `at`.
fn value_behind(text: &str, at: usize, name: &str, exactly: Exactly) -> Option<(usize, usize)> {
    let end = at + name.len();
    let same = !name.is_empty() && text.as_bytes().get(at..end)?.eq_ignore_ascii_case(name.as_bytes());
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    let begins = |before: &str| !before.chars().next_back().is_some_and(inside);
    if !same || !(begins(&text[..at]) || (exactly == Exactly::Part && goes_before(text, at))) {
        return None;
    }
    let rest = text.get(end..)?;
    let rest = if exactly == Exactly::Part { behind_key(rest) } else { rest };
    let rest = rest.trim_start_matches(['"', '\'', ')', ']', '\\', '`']).trim_start();
    let rest = rest.strip_prefix([':', '=']).map(|rest| rest.strip_prefix('>').unwrap_or(rest))?;
    let rest = rest.trim_start().trim_start_matches('\\');
    let first = rest.chars().next()?;
    let (open, length) = match first {
        '"' | '\'' | '`' => (1, rest[1..].find([first, '\\']).unwrap_or(rest.len() - 1)),
        '(' => (1, rest[1..].find(')').unwrap_or(rest.len() - 1)),
        '{' | '[' => (0, nested(rest)),
        _ => (0, plain(rest)),
    };
    let from = text.len() - rest.len() + open;
    (length > 0 && !text[from..].starts_with(HIDDEN)).then_some((from, from + length))
}

/// Whether what stands before byte `at` is the first part of a name of which the last begins there: `DB_`, `refresh` before `Token`; and `PG`,
/// which Postgres writes without anything between.
fn goes_before(text: &str, at: usize) -> bool {
    let (before, behind) = text.split_at(at);
    let upper = behind.starts_with(|c: char| c.is_ascii_uppercase());
    let word = |c: char| c.is_alphanumeric() || c == '_';
    before.ends_with('_')
        || (upper && before.ends_with(|c: char| c.is_lowercase() || c.is_ascii_digit()))
        || before.strip_suffix("PG").is_some_and(|before| !before.ends_with(word))
}

/// What stands behind a name that goes on with the word key: `SECRET_ACCESS_KEY`, `secretKey`.
fn behind_key(rest: &str) -> &str {
    let ends = ["_access_key", "accesskey", "_key_base", "_key", "-key", "key"];
    let begins = |end: &&str| rest.get(..end.len()).is_some_and(|found| found.eq_ignore_ascii_case(end));
    ends.iter().find(|end| begins(end)).map_or(rest, |end| &rest[end.len()..])
}

/// The length of what stands in brackets, brackets included.
fn nested(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + c.len_utf8();
        }
    }
    text.len()
}

/// The length of a value without quotes; of `Bearer …` with the word behind it.
fn plain(text: &str) -> usize {
    let end = |text: &str| {
        text.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '&' | ')' | '}' | ']' | '"' | '\''))
            .unwrap_or(text.len())
    };
    let first = end(text);
    if SCHEMES.iter().any(|scheme| text[..first].eq_ignore_ascii_case(scheme)) {
        let behind = text[first..].trim_start();
        return text.len() - behind.len() + end(behind);
    }
    first
}

/// What another program says, as far as it may be repeated: without logins, without values behind telling names, without opaque words
/// and without the words in `hide`.
#[must_use]
pub fn said<'a>(text: &str, hide: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = logins(text);
    for word in hide {
        if !word.is_empty() {
            out = out.replace(word, HIDDEN);
        }
    }
    let out = told(&out).unwrap_or(out);
    opaque(&out)
}

/// A line of a log, as far as it may be shown: without logins, without values behind telling names and behind `names`. Opaque words stay:
/// by those a request is found.
#[must_use]
pub fn line<N: AsRef<str>>(text: &str, names: &[N]) -> String {
    let out = logins(text);
    let out = told(&out).unwrap_or(out);
    named(&out, names).unwrap_or(out)
}

/// `text` without runs of letters and digits that look like keys.
fn opaque(text: &str) -> String {
    let belongs = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '_' | '-');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let mixed = run.contains(|c: char| c.is_ascii_digit())
            && run.contains(|c: char| c.is_ascii_alphabetic())
            && run.len() >= OPAQUE_CHARS;
        out.push_str(if mixed { HIDDEN } else { run });
        let next = after.find(belongs).unwrap_or(after.len());
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_in_urls_are_hidden_up_to_the_last_at() {
        for (text, expected) in [
            ("cannot reach postgres://u:p@ss/w?o#r@db/x now", "cannot reach postgres://•••@db/x now"),
            ("redis://:geheim@h and http://t@x/y", "redis://•••@h and http://•••@x/y"),
            ("https://host/path", "https://host/path"),
            ("no url, a@b", "no url, a@b"),
        ] {
            assert_eq!(logins(text), expected);
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(named(text, &["email", "card"]).as_deref().unwrap_or(text), expected);
    }

    #[test]
    fn values_behind_names_are_hidden_however_they_are_written() {
        check("bad email=a@b.c, again", "bad email=•••, again");
        check(r#"{"Email": "a@b.c", "n": 1}"#, r#"{"Email": "•••", "n": 1}"#);
        check(r#"{\"email\":\"a@b.c\",\"n\":1}"#, r#"{\"email\":\"•••\",\"n\":1}"#);
        check("Key (email)=(a@b.c) already exists", "Key (email)=(•••) already exists");
        check("card: {number: 4111, cvc: [1]} x", "card: ••• x");
        check("email => 'a b' end", "email => '•••' end");
        check("an email was sent; email", "an email was sent; email");
        check("myemail=a@b.c email_id=7", "myemail=a@b.c email_id=7");
        check("email: é@b.c, ü", "email: •••, ü");
        check("email=", "email=");
    }

    #[test]
    fn a_name_tells_of_a_secret_or_does_not() {
        for (name, expected) in [
            ("password", true),
            ("spring.datasource.password", true),
            ("dbPassword", true),
            ("AWS_SECRET_ACCESS_KEY", true),
            ("passwordPolicy", false),
            ("tokens", false),
            ("status", false),
            ("", false),
        ] {
            assert_eq!(is_telling(name), expected, "{name}");
        }
    }

    #[test]
    fn a_line_of_a_log_keeps_the_ids_by_which_it_is_found() {
        for (text, expected) in [
            ("job 7f3a9c1e2b4d5f60 failed", "job 7f3a9c1e2b4d5f60 failed"),
            (r#"{"email":"a@b.c","token":"t","id":7}"#, r#"{"email":"•••","token":"•••","id":7}"#),
            ("connect redis://:geheim@h:6379 refused", "connect redis://•••@h:6379 refused"),
        ] {
            assert_eq!(line(text, &["email"]), expected);
        }
    }

    #[test]
    fn what_a_program_says_is_repeated_without_what_may_be_a_secret() {
        for (text, expected) in [
            ("curl: (6) Could not resolve host: vault", "curl: (6) Could not resolve host: vault"),
            ("denied: Authorization: Bearer abc.def", "denied: Authorization: •••"),
            ("bad token hvs-CAESIJ2m9q8w7e6r5t", "bad token •••"),
            ("GET https://u:p@vault/v1 failed", "GET https://•••@vault/v1 failed"),
            ("wrong hunter2", "wrong •••"),
        ] {
            assert_eq!(said(text, ["hunter2"]), expected);
        }
    }

    #[test]
    fn a_telling_name_may_be_the_end_of_a_longer_one() {
        let none: [&str; 0] = [];
        for text in [
            "DB_PASSWORD=geheim x",
            "PGPASSWORD=geheim x",
            "db-password: geheim x",
            "AWS_SECRET_ACCESS_KEY=geheim x",
            "SECRET_KEY_BASE=geheim x",
            "secretKey=geheim x",
            "dbPassword=geheim x",
            "X-Auth-Token: geheim x",
            "STRIPE_API_KEY=geheim x",
            r#""refresh_token":"geheim" x"#,
            r#""refreshToken":"geheim" x"#,
            "--db-token=geheim x",
        ] {
            let expected = text.replace("geheim", HIDDEN);
            assert_eq!(line(text, &none), expected);
            assert_eq!(line(&expected, &none), expected, "once");
        }
        for text in [
            "tokens=512 used",
            "max_tokens: 512",
            "secretary=anna",
            "token_count=7 token_id=4",
            "password_changed_at=2026-09-21",
            "detoken=7 mistoken: 4",
            "unauthorization=no",
            "keyboard=us key=cart:7",
            "EPGPASSWORD=x",
            "unexpected token in JSON",
        ] {
            assert_eq!(line(text, &none), text);
        }
        // What an operator names is meant as it stands.
        assert_eq!(line("user_email=a@b.c", &["email"]), "user_email=a@b.c");
    }
}
