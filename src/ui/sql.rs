//! SQL for reading: laid out in lines, key words, texts and comments told apart.

use super::content::{Line, Role};
use super::text::clean_lines;
use sqlformat::{Dialect, FormatOptions, QueryParams};

/// Longer texts are shown as they are: laying them out would cost more than it helps.
const MOST: usize = 16_384;

/// Words that give a statement its shape.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "ALL", "ALTER", "ANALYZE", "AND", "ANY", "AS", "ASC", "BEGIN", "BETWEEN", "BY", "CALL", "CASE", "COMMIT",
    "CONCURRENTLY", "CONFLICT", "COPY", "CREATE", "CROSS", "DELETE", "DESC", "DISTINCT", "DO", "DROP",
    "ELSE", "END", "EXCEPT", "EXISTS", "EXPLAIN", "FALSE", "FETCH", "FOR", "FROM", "FULL", "GROUP", "HAVING",
    "IN", "INDEX", "INNER", "INSERT", "INTERSECT", "INTO", "IS", "JOIN", "LATERAL", "LEFT", "LIKE", "LIMIT",
    "LOCK", "LOCKED", "MATERIALIZED", "NOT", "NOTHING", "NULL", "OFFSET", "ON", "OR", "ORDER", "OUTER",
    "OVER", "PARTITION", "RECURSIVE", "REINDEX", "RETURNING", "RIGHT", "ROLLBACK", "SELECT", "SET", "SHARE",
    "SKIP", "TABLE", "THEN", "TRUE", "TRUNCATE", "UNION", "UPDATE", "USING", "VACUUM", "VALUES", "VIEW",
    "WHEN", "WHERE", "WINDOW", "WITH",
];

/// The statement in lines.
#[must_use]
pub fn lines(statement: &str) -> Vec<Line> {
    if statement.len() > MOST {
        return clean_lines(statement).into_iter().map(Line::text).collect();
    }
    let options = FormatOptions {
        dialect: Dialect::PostgreSql,
        max_inline_arguments: Some(60),
        max_inline_top_level: Some(60),
        joins_as_top_level: true,
        ..FormatOptions::default()
    };
    let laid_out = sqlformat::format(statement, &QueryParams::None, &options);
    // What lays a text out must not change it.
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let text = if bare(&laid_out) == bare(statement) { laid_out } else { statement.to_owned() };
    coloured(&clean_lines(&text))
}

/// What a piece of text is, which goes on in the next line.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Code,
    Text,
    Comment,
}

fn coloured(lines: &[String]) -> Vec<Line> {
    let mut inside = Inside::Code;
    lines.iter().map(|line| coloured_line(line, &mut inside)).collect()
}

fn coloured_line(line: &str, inside: &mut Inside) -> Line {
    let mut out = Line::text("");
    let mut rest = line;
    while !rest.is_empty() {
        let (role, length) = piece(rest, inside);
        let (one, other) = rest.split_at(length);
        out = out.then(role, one);
        rest = other;
    }
    out
}

/// Role and length in bytes of the piece that `rest` begins with.
fn piece(rest: &str, inside: &mut Inside) -> (Role, usize) {
    let until = |end: &str, from: usize| rest[from..].find(end).map(|at| from + at + end.len());
    let role = |inside: Inside| if inside == Inside::Text { Role::Accent } else { Role::Muted };
    let goes_on = |inside: &mut Inside, what: Inside, end: Option<usize>| {
        *inside = if end.is_some() { Inside::Code } else { what };
        (role(what), end.unwrap_or(rest.len()))
    };
    match *inside {
        Inside::Text => return goes_on(inside, Inside::Text, until("'", 0)),
        Inside::Comment => return goes_on(inside, Inside::Comment, until("*/", 0)),
        Inside::Code => {}
    }
    if rest.starts_with("--") {
        return (Role::Muted, rest.len());
    }
    if rest.starts_with("/*") {
        return goes_on(inside, Inside::Comment, until("*/", 2));
    }
    if rest.starts_with('\'') {
        return goes_on(inside, Inside::Text, until("'", 1));
    }
    if rest.starts_with('"') {
        return (Role::Text, until("\"", 1).unwrap_or(rest.len()));
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    if word > 0 {
        let upper = rest[..word].to_ascii_uppercase();
        let role = if KEYWORDS.binary_search(&upper.as_str()).is_ok() { Role::Strong } else { Role::Text };
        return (role, word);
    }
    let plain = rest.find(|c| is_word(c) || matches!(c, '\'' | '"' | '-' | '/')).unwrap_or(rest.len());
    (Role::Text, plain.max(rest.chars().next().map_or(1, char::len_utf8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(statement: &str) -> Vec<String> {
        lines(statement)
            .iter()
            .map(|line| {
                let spans = line.spans.iter().filter(|span| !span.text.is_empty());
                spans
                    .map(|span| match span.role {
                        Role::Strong => format!("*{}*", span.text),
                        Role::Accent => format!("<{}>", span.text),
                        Role::Muted => format!("({})", span.text),
                        _ => span.text.clone(),
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn the_list_is_sorted_for_the_search_in_it() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn a_statement_is_laid_out_and_told_apart() {
        let shown = drawn("select id, 'it''s' from orders where state = 'new' and id in (1,2) -- why");
        assert!(shown[0].starts_with("*select* id"), "{shown:?}");
        assert!(shown.iter().any(|line| line.contains("<'it'><'s'>")), "{shown:?}");
        assert!(shown.iter().any(|line| line.starts_with("*from*")), "{shown:?}");
        assert!(shown.iter().any(|line| line.contains("(-- why)")), "{shown:?}");
    }

    #[test]
    fn texts_and_comments_go_on_over_lines_and_nothing_is_lost() {
        let shown = drawn("SELECT 'a\nb', 1 /* two\nlines */ FROM t");
        assert!(shown.iter().any(|line| line.starts_with("<b'>")), "{shown:?}");
        for odd in ["SELECT 'never closed", "a\u{e9}\u{1f600}'", "/* open", "$1::int[] @> '{1}'", ""] {
            let text: String = lines(odd).iter().map(Line::plain).collect();
            let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(bare(&text), bare(odd));
        }
    }
}
