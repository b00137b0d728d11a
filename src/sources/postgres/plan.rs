//! How a statement is planned without being run and without its parameters: it is prepared, and explained with NULLs under a generic
//! plan. Its text is somebody else's: it is sent by the protocol that takes a single statement, so that nothing that is hidden in it
//! can be a second one.

use crate::core::part::{Gap, GapKind};

/// A statement as it is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Without comments, and as the server takes it.
    pub(super) text: String,
    /// `(NULL, …)`: one for each parameter.
    pub(super) arguments: String,
}

/// The types whose constants can be written as `type '…'`, which pg_stat_statements makes `type $1` of: no statement any more.
const TYPES: [&str; 36] = [
    "interval",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "bool",
    "boolean",
    "smallint",
    "int",
    "integer",
    "bigint",
    "int2",
    "int4",
    "int8",
    "real",
    "float",
    "float4",
    "float8",
    "numeric",
    "decimal",
    "text",
    "char",
    "varchar",
    "bpchar",
    "name",
    "uuid",
    "json",
    "jsonb",
    "bytea",
    "inet",
    "cidr",
    "oid",
    "regclass",
    "xml",
    "point",
];
/// Those of several words.
const LONG_TYPES: [&str; 6] = [
    "double precision",
    "character varying",
    "time with time zone",
    "time without time zone",
    "timestamp with time zone",
    "timestamp without time zone",
];

/// How the statement with this text is planned.
pub(super) fn plan(text: &str) -> Result<Plan, Gap> {
    let refused = |why: &str| Err(Gap::new(GapKind::NotSupported, why.to_owned()));
    if text.ends_with('…') {
        return refused("its text is longer than what is read of it");
    }
    let tokens = tokens(text);
    let mut end = tokens.len();
    while end > 0 && matches!(tokens[end - 1], Token::Blank | Token::Other(";")) {
        end -= 1;
    }
    let tokens = &tokens[..end];
    if tokens.contains(&Token::Other(";")) {
        return refused("it holds a semicolon: only a single statement is planned");
    }
    let first = tokens.iter().find_map(|token| match token {
        Token::Word(word) => Some(word.to_ascii_lowercase()),
        Token::Blank | Token::Parameter(_) | Token::Quoted(_) | Token::Other(_) => None,
    });
    let plannable = ["select", "insert", "update", "delete", "merge", "with", "values", "table"];
    if !first.is_some_and(|first| plannable.contains(&first.as_str())) {
        return refused("only SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES have a plan");
    }
    let highest = tokens.iter().filter_map(|token| match token {
        Token::Parameter(number) => number[1..].parse::<usize>().ok(),
        Token::Blank | Token::Word(_) | Token::Quoted(_) | Token::Other(_) => None,
    });
    let arguments = match highest.max() {
        None | Some(0) => String::new(),
        // More than the server takes is refused by the server.
        Some(many) => format!("({})", vec!["NULL"; many.min(70_000)].join(", ")),
    };
    Ok(Plan { text: plain(tokens), arguments })
}

/// A piece of a statement. Comments are blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Blank,
    Word(&'a str),
    /// `$1`
    Parameter(&'a str),
    /// A string or a quoted name.
    Quoted(&'a str),
    Other(&'a str),
}

fn tokens<'a>(text: &'a str) -> Vec<Token<'a>> {
    let mut list = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let run = |of: &dyn Fn(char) -> bool| rest.find(|c| !of(c)).unwrap_or(rest.len());
        let (length, token): (usize, fn(&'a str) -> Token<'a>) = if first.is_whitespace() {
            (run(&char::is_whitespace), |_| Token::Blank)
        } else if rest.starts_with("--") {
            (rest.find('\n').unwrap_or(rest.len()), |_| Token::Blank)
        } else if rest.starts_with("/*") {
            (comment(rest), |_| Token::Blank)
        } else if let Some(length) = quoted(rest) {
            (length, Token::Quoted)
        } else if first == '$' && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            (1 + rest[1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - 1), Token::Parameter)
        } else if first.is_alphabetic() || first == '_' {
            (run(&word), Token::Word)
        } else {
            (first.len_utf8(), Token::Other)
        };
        let (token_text, after) = rest.split_at(length);
        list.push(token(token_text));
        rest = after;
    }
    list
}

/// The length of the comment at the start; one may hold others.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string or quoted name at the start, if there is one.
fn quoted(text: &str) -> Option<usize> {
    let closed =
        |from: usize, end: &str| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    if text.starts_with('"') {
        return Some(closed(1, "\""));
    }
    if text.starts_with('\'') {
        return Some(closed(1, "'"));
    }
    if text.starts_with("e'") || text.starts_with("E'") {
        let mut escaped = false;
        let end = text[2..].find(|c| {
            let ends = c == '\'' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        return Some(end.map_or(text.len(), |at| at + 3));
    }
    let tag = text.strip_prefix('$')?;
    let length = tag.find('$')?;
    let named = &tag[..length];
    let fits = named.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !named.starts_with(|c: char| c.is_ascii_digit());
    fits.then(|| closed(length + 2, &text[..length + 2]))
}

/// The statement without comments, with `type $1` as `$1::type`.
fn plain(tokens: &[Token<'_>]) -> String {
    // What was written so far, piece by piece; one blank between pieces at most.
    let mut pieces: Vec<&str> = Vec::new();
    for token in tokens {
        match token {
            Token::Blank if pieces.last().is_none_or(|last| *last == " ") => {}
            Token::Blank => pieces.push(" "),
            Token::Word(text) | Token::Quoted(text) | Token::Other(text) => pieces.push(text),
            Token::Parameter(text) => match type_before(&pieces) {
                None => pieces.push(text),
                Some(from) => {
                    let mut named = pieces.split_off(from);
                    while named.last() == Some(&" ") {
                        named.pop();
                    }
                    pieces.extend([*text, "::"]);
                    pieces.append(&mut named);
                }
            },
        }
    }
    pieces.concat()
}

/// Where the name of a type begins with which `pieces` end.
fn type_before(pieces: &[&str]) -> Option<usize> {
    let mut words: Vec<String> = Vec::new();
    let mut found = None;
    let mut at = pieces.len();
    while at > 0 && words.len() < 4 {
        at -= 1;
        match pieces[at] {
            " " => {}
            // How exact it is: (3), at most (10, 2).
            ")" => at = pieces[..at].iter().rposition(|piece| *piece == "(")?,
            word if word.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                words.insert(0, word.to_ascii_lowercase());
                let name = words.join(" ");
                // (A column may be called like a type: `t.date $1` is nothing that this could mend.)
                if TYPES.contains(&name.as_str()) || LONG_TYPES.contains(&name.as_str()) {
                    found = Some(at);
                }
            }
            _ => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(plan(text).expect("a plan").text, expected);
    }

    #[test]
    fn only_a_single_statement_with_a_plan_is_planned() {
        for refused in [
            "SELECT 1; DROP TABLE x",
            "VACUUM x",
            "-- select\nVACUUM",
            "/* select */ LOCK TABLE x",
            "SELECT E'\\''; DROP TABLE x --'",
            "SELECT 1, 2, …",
            "",
        ] {
            assert!(plan(refused).is_err(), "{refused}");
        }
        check(" select $1 ; ", "select $1");
        check("(SELECT 1) UNION ALL (SELECT $1)", "(SELECT 1) UNION ALL (SELECT $1)");
        check(
            "SELECT ';', \";\", $$;$$, $q$ $$;'$q$, E'\\';' -- ;",
            "SELECT ';', \";\", $$;$$, $q$ $$;'$q$, E'\\';'",
        );
        let arguments = |text| plan(text).expect("a plan").arguments;
        assert_eq!(arguments("SELECT $2, $10, '$11'"), format!("({})", ["NULL"; 10].join(", ")));
        assert_eq!(arguments("SELECT 1"), "");
    }

    #[test]
    fn comments_are_left_out() {
        check("/*app='shop',route='/x;y'*/ SELECT 1", "SELECT 1");
        check("-- name: find; it\nSELECT a--b\n, c", "SELECT a , c");
        check("/* a /* b; */ c */SELECT/**/1", "SELECT 1");
        check("SELECT '-- no', '/* no */'", "SELECT '-- no', '/* no */'");
        check("SELECT $1 /* in the end */", "SELECT $1");
    }

    #[test]
    fn constants_with_a_type_are_casts() {
        check("SELECT now() - interval $1", "SELECT now() - $1::interval");
        check(
            "SELECT * FROM t WHERE at > DATE $1 AND x = $2",
            "SELECT * FROM t WHERE at > $1::DATE AND x = $2",
        );
        check("SELECT timestamp $1, timestamp(3) $2", "SELECT $1::timestamp, $2::timestamp(3)");
        check("SELECT timestamp (3) with time zone $1", "SELECT $1::timestamp (3) with time zone");
        check("SELECT interval $1 day, double precision $2", "SELECT $1::interval day, $2::double precision");
        check("SELECT a BETWEEN $1 AND $2 LIMIT $3", "SELECT a BETWEEN $1 AND $2 LIMIT $3");
        check("SELECT date($1), \"date\", a AS text, $2", "SELECT date($1), \"date\", a AS text, $2");
    }
}
