//! The text of a statement as it may be seen. Only the rules of its target make one, so that no constant comes into a reading past them and
//! nothing that shows or writes it can forget them. What a plan is asked for is the text in the source, which goes no further. Pure.
//!
//! Passwords are hidden always: the constant behind PASSWORD, and those in connection strings.

use crate::core::redact::{HIDDEN, logins, named};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;

/// Whether the constants of statements are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Literals {
    /// As they are, but for passwords.
    #[default]
    Shown,
    /// None of them, and no comments: anything may stand in them.
    Hidden,
}

/// What a statement says, as its target's rules let it be seen.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementText(String);

impl Deref for StatementText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StatementText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for StatementText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Names in connection strings behind which a secret stands.
const SECRETS: [&str; 3] = ["password", "sslpassword", "passphrase"];

impl Literals {
    /// The statement as it may be seen. A text that the server cut off may end inside a constant: that is hidden to its end.
    #[must_use]
    pub fn text(self, statement: &str) -> StatementText {
        StatementText(self.told(statement, self == Self::Hidden))
    }

    /// A line of a plan as it may be seen. Its numbers are costs and counts, but for those of a condition.
    #[must_use]
    pub fn plan(self, line: &str) -> String {
        match line.split_once(": (") {
            Some((label, condition)) => format!("{label}: ({}", self.text(condition)),
            None => self.told(line, false),
        }
    }

    fn told(self, statement: &str, hides_numbers: bool) -> String {
        let mut out = String::with_capacity(statement.len());
        let mut rest = statement;
        let mut word = "";
        while let Some(first) = rest.chars().next() {
            let (kind, length) = piece(rest);
            let (piece, other) = rest.split_at(length);
            rest = other;
            match kind {
                Piece::Quoted(open, close) => {
                    let inside = &piece[open..piece.len() - close];
                    out.push_str(&piece[..open]);
                    out.push_str(&self.constant(inside, word.eq_ignore_ascii_case("password")));
                    out.push_str(&piece[piece.len() - close..]);
                }
                Piece::Number if hides_numbers => out.push_str(HIDDEN),
                Piece::Comment if self == Self::Hidden => {
                    out.push_str(if first == '-' { "-- " } else { "/* " });
                    out.push_str(HIDDEN);
                    out.push_str(if first == '-' { "" } else { " */" });
                }
                Piece::Word => {
                    word = piece;
                    out.push_str(piece);
                    continue;
                }
                Piece::Blank => {
                    out.push_str(piece);
                    continue;
                }
                Piece::Number | Piece::Comment | Piece::Other => out.push_str(piece),
            }
            word = "";
        }
        out
    }

    fn constant(self, inside: &str, is_password: bool) -> String {
        if self == Self::Hidden || is_password {
            return HIDDEN.to_owned();
        }
        let told = logins(inside);
        named(&told, &SECRETS).unwrap_or(told)
    }
}

/// What a statement is made of, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece {
    /// A text constant: so many bytes open and close it.
    Quoted(usize, usize),
    Number,
    Comment,
    Word,
    Blank,
    Other,
}

/// What `rest` begins with, and its length in bytes.
fn piece(rest: &str) -> (Piece, usize) {
    let bytes = rest.as_bytes();
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    match (bytes[0], bytes.get(1)) {
        (b'-', Some(b'-')) => (Piece::Comment, rest.find('\n').unwrap_or(rest.len())),
        (b'/', Some(b'*')) => (Piece::Comment, comment(bytes)),
        (b'\'', _) => quoted(bytes, 1, false),
        (b'E' | b'e', Some(b'\'')) => quoted(bytes, 2, true),
        (b'"', _) => (Piece::Other, rest[1..].find('"').map_or(rest.len(), |at| at + 2)),
        (b'$', Some(digit)) if digit.is_ascii_digit() => {
            (Piece::Other, 1 + rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1))
        }
        (b'$', _) => dollar(rest),
        (b'0'..=b'9', _) => (Piece::Number, number(bytes)),
        (b'.', Some(digit)) if digit.is_ascii_digit() => (Piece::Number, number(bytes)),
        _ => {
            let first = rest.chars().next().unwrap_or(' ');
            let kind = |kind, length: Option<usize>| (kind, length.unwrap_or(rest.len()));
            if first.is_whitespace() {
                kind(Piece::Blank, rest.find(|c: char| !c.is_whitespace()))
            } else if part(first) {
                kind(Piece::Word, rest.find(|c| !part(c)))
            } else {
                (Piece::Other, first.len_utf8())
            }
        }
    }
}

/// The length of a comment; they nest.
fn comment(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// A text in quotes that `open` bytes begin.
fn quoted(bytes: &[u8], open: usize, escapes: bool) -> (Piece, usize) {
    let mut at = open;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if escapes => at += 2,
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => return (Piece::Quoted(open, 1), at + 1),
            _ => at += 1,
        }
    }
    (Piece::Quoted(open, 0), bytes.len())
}

/// A text between two of the same `$tag$`.
fn dollar(rest: &str) -> (Piece, usize) {
    let end = rest[1..].find(|c: char| !(c.is_alphanumeric() || c == '_')).map(|at| at + 1);
    let closed = end.filter(|end| rest.as_bytes()[*end] == b'$');
    let Some(tag) = closed.map(|end| &rest[..=end]) else { return (Piece::Other, 1) };
    match rest[tag.len()..].find(tag) {
        Some(at) => (Piece::Quoted(tag.len(), tag.len()), at + 2 * tag.len()),
        None => (Piece::Quoted(tag.len(), 0), rest.len()),
    }
}

/// The length of a number: `1`, `.5`, `1e-5`, `0xff`, `1_000`.
fn number(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let signed = matches!(byte, b'+' | b'-') && matches!(bytes[at - 1], b'e' | b'E');
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || signed) {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(literals: Literals, statement: &str, expected: &str) {
        let text = literals.text(statement);
        assert_eq!(&*text, expected);
        let written = serde_json::to_string(&text).expect("written");
        let shown = serde_json::to_string(expected).expect("written");
        assert_eq!(
            (format!("{text}"), format!("{text:?}"), written),
            (expected.into(), format!("{expected:?}"), shown)
        );
    }

    #[test]
    fn constants_are_hidden_where_that_is_asked_for() {
        let hidden = |statement, expected| check(Literals::Hidden, statement, expected);
        hidden(
            "SELECT * FROM t1 WHERE a = 'x''y' AND b > 4.5e-3",
            "SELECT * FROM t1 WHERE a = '•••' AND b > •••",
        );
        hidden(r"SELECT E'it\'s', 'a\', b2, $1", "SELECT E'•••', '•••', b2, $1");
        hidden(
            "SELECT $$it's$$, $f$ $$ $f$ || name FROM \"a'b\"",
            "SELECT $$•••$$, $f$•••$f$ || name FROM \"a'b\"",
        );
        hidden(
            "SELECT 1 /* don't /* nest */ 'x' */, 'y' -- it's\n, 'z'",
            "SELECT ••• /* ••• */, '•••' -- •••\n, '•••'",
        );
        hidden(
            "SELECT x WHERE n IN (1, 0xff, .5) AND mail = 'ann@exam",
            "SELECT x WHERE n IN (•••, •••, •••) AND mail = '•••",
        );
        hidden("DO $$ cut off", "DO $$•••");
        hidden("SELECT größe, 'ß' /* cut", "SELECT größe, '•••' /* ••• */");
        hidden("", "");
    }

    #[test]
    fn plans_keep_their_costs() {
        for (line, expected) in [
            ("Index Scan on a  (cost=0.29..8.31 rows=1)", "Index Scan on a  (cost=0.29..8.31 rows=1)"),
            (
                "  Index Cond: ((id = 7) AND (mail = 'a@b.c'::text))",
                "  Index Cond: ((id = •••) AND (mail = '•••'::text))",
            ),
            ("  Group Key: date_trunc('day'::text, at)", "  Group Key: date_trunc('•••'::text, at)"),
        ] {
            assert_eq!(Literals::Hidden.plan(line), expected);
            assert_eq!(Literals::Shown.plan(line), line);
        }
    }

    #[test]
    fn passwords_are_hidden_always() {
        let shown = |statement, expected| check(Literals::Shown, statement, expected);
        shown("SELECT 1, 'a@b.c' -- why", "SELECT 1, 'a@b.c' -- why");
        shown(
            "ALTER ROLE ann PASSWORD 'geheim' VALID UNTIL 'x'",
            "ALTER ROLE ann PASSWORD '•••' VALID UNTIL 'x'",
        );
        shown("CREATE ROLE a ENCRYPTED password E'ge\\'heim'", "CREATE ROLE a ENCRYPTED password E'•••'");
        shown("ALTER ROLE a PASSWORD $$geheim$$; SELECT 'b'", "ALTER ROLE a PASSWORD $$•••$$; SELECT 'b'");
        shown("SELECT dblink('host=h password=geheim')", "SELECT dblink('host=h password=•••')");
        shown("CONNECTION 'postgres://u:geheim@h/d'", "CONNECTION 'postgres://•••@h/d'");
        shown("SELECT password FROM t WHERE a = 'b'", "SELECT password FROM t WHERE a = 'b'");
    }

    #[test]
    fn a_dollar_before_what_is_no_letter_begins_no_constant() {
        check(Literals::Hidden, "$A• ", "$A• ");
        check(Literals::Hidden, "SELECT $a+1", "SELECT $a+•••");
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(statement in "[ -~ß'$\"/*E\\\\\n]{0,60}") {
            // What is left holds nothing more to hide.
            let hidden = Literals::Hidden.text(&statement);
            prop_assert_eq!(Literals::Hidden.text(&hidden).replace(HIDDEN, ""), hidden.replace(HIDDEN, ""));
        }
    }
}
