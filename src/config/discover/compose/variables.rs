//! Variables as compose has them: `$NAME`, `${NAME}` with defaults, demands and replacements inside one another, and files of
//! `NAME=value`. Filled in after the file was parsed: a value can never become another part of it.

use super::room::Room;
use super::tree::Node;
use crate::core::loose::Scalar;
use std::collections::HashMap;
use std::fmt::Write;

/// What a variable holds; an empty text is one.
pub(in crate::config::discover) type Known<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Nobody nests defaults deeper, and no value is longer.
const MOST_DEPTH: usize = 16;
const MOST_BYTES: usize = 64 * 1024;

/// Fills in every text of `node`, as far as there is room; `place` says where a text stands.
pub(super) fn fill(node: &mut Node, known: Known<'_>, room: &Room, place: &dyn Fn(&str) -> String) {
    match node {
        Node::One(Scalar::Text(text)) if text.contains('$') => {
            let filled = expand(text, known).and_then(|filled| room.take(filled.len()).map(|()| filled));
            *node = match filled {
                Ok(filled) => Node::of(filled),
                Err(why) => Node::Wrong(format!("{}: {why}", place(text))),
            };
        }
        Node::List(list) => list.iter_mut().for_each(|node| fill(node, known, room, place)),
        Node::Table(entries) => entries.iter_mut().for_each(|(_, node)| fill(node, known, room, place)),
        Node::Override(inside) => fill(inside, known, room, place),
        Node::One(_) | Node::Reset | Node::Wrong(_) => {}
    }
}

/// Fills in one text. An error names the variable and repeats no value.
pub(super) fn expand(text: &str, known: Known<'_>) -> Result<String, String> {
    let mut out = String::new();
    into(text, known, 0, &mut out)?;
    Ok(out)
}

fn into(text: &str, known: Known<'_>, depth: usize, out: &mut String) -> Result<(), String> {
    if depth > MOST_DEPTH {
        return Err(format!("defaults are nested more than {MOST_DEPTH} times"));
    }
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('{') {
            let end = closing(inside).ok_or("a `${` has no `}`: close it, or write `$$` for a `$`")?;
            braced(&inside[..end], known, depth, out)?;
            rest = &inside[end + 1..];
        } else {
            let end = name_ends(rest);
            if end == 0 {
                return Err("no name stands behind a `$`: write `$$` for a `$`".to_owned());
            }
            out.push_str(&known(&rest[..end]).unwrap_or_default());
            rest = &rest[end..];
        }
        if out.len() > MOST_BYTES {
            return Err(format!("with its variables it is longer than {} KiB", MOST_BYTES / 1024));
        }
    }
    out.push_str(rest);
    Ok(())
}

/// What stands between the braces.
fn braced(inside: &str, known: Known<'_>, depth: usize, out: &mut String) -> Result<(), String> {
    let (name, modifier) = inside.split_at(name_ends(inside));
    if name.is_empty() {
        return Err("no name stands behind a `${`: write `$$` for a `$`".to_owned());
    }
    let (counts_empty, modifier) = modifier.strip_prefix(':').map_or((false, modifier), |rest| (true, rest));
    let value = known(name).filter(|value| !(counts_empty && value.is_empty()));
    let mut letters = modifier.chars();
    match (letters.next(), value) {
        (None, _) if counts_empty => Err(format!("behind `{name}:` stands none of - ? +")),
        (None, value) => {
            out.push_str(&value.unwrap_or_default());
            Ok(())
        }
        (Some('-' | '?'), Some(value)) => {
            out.push_str(&value);
            Ok(())
        }
        (Some('-'), None) | (Some('+'), Some(_)) => into(letters.as_str(), known, depth + 1, out),
        (Some('+'), None) => Ok(()),
        (Some('?'), None) => Err(format!("{name} is not set: set it in the shell or in the .env file")),
        (Some(_), _) => Err(format!("behind `{name}` stands none of :- - :? ? :+ +")),
    }
}

fn name_ends(text: &str) -> usize {
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    if text.starts_with(|c: char| c.is_ascii_digit()) { 0 } else { text.find(ends).unwrap_or(text.len()) }
}

/// Where the brace is that closes the one before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        match letter {
            '{' if before == '$' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        before = letter;
    }
    None
}

/// The variables of a file of `NAME=value`, in their order: quotes, comments, `export`, values over several lines. What was set before
/// stands in later values. Where there is no more room it ends.
pub(in crate::config::discover) fn of_file(
    text: &str,
    known: Known<'_>,
    room: &Room,
) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut newest: HashMap<String, usize> = HashMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = line.trim_start();
        let entry = trimmed.strip_prefix("export ").unwrap_or(trimmed);
        let split = entry.find(['=', ':']).filter(|_| !trimmed.starts_with('#'));
        let Some(split) = split else {
            rest = after;
            continue;
        };
        let name = entry[..split].trim().to_owned();
        let begin = line.len() - entry.len() + split + 1;
        let (raw, literal, end) = value_of(&rest[begin..]);
        let filled =
            |wanted: &str| known(wanted).or_else(|| newest.get(wanted).map(|at| found[*at].1.clone()));
        // One that nobody understands says what it says.
        let value = if literal { raw } else { expand(&raw, &filled).unwrap_or(raw) };
        if room.take(name.len() + value.len()).is_err() {
            break;
        }
        newest.insert(name.clone(), found.len());
        found.push((name, value));
        rest = rest[begin + end..].split_once('\n').map_or("", |(_, after)| after);
    }
    found
}

/// The value at the beginning of `text`, whether it is to be taken as it is, and where it ends.
fn value_of(text: &str) -> (String, bool, usize) {
    let blank = text.len() - text.trim_start_matches([' ', '\t']).len();
    let body = &text[blank..];
    if let Some(inside) = body.strip_prefix('\'')
        && let Some(end) = inside.find('\'')
    {
        return (inside[..end].to_owned(), true, blank + end + 2);
    }
    if let Some(inside) = body.strip_prefix('"') {
        let mut value = String::new();
        let mut letters = inside.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => return (value, false, blank + at + 2),
                '\\' => match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, '$')) => value.push_str("$$"),
                    Some((_, other @ ('"' | '\\'))) => value.push(other),
                    Some((_, other)) => {
                        let _ = write!(value, "\\{other}");
                    }
                    None => {}
                },
                other => value.push(other),
            }
        }
    }
    let line = body.lines().next().unwrap_or_default();
    let value = line.split_once(" #").map_or(line, |(value, _)| value);
    let value = if value.starts_with('#') { "" } else { value };
    (value.trim().to_owned(), false, blank + line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Option<String> {
        match name {
            "SET" => Some("s".to_owned()),
            "EMPTY" => Some(String::new()),
            "LONG" => Some("x".repeat(1000)),
            _ => None,
        }
    }

    #[test]
    fn variables_have_defaults_demands_and_replacements_inside_one_another() {
        for (text, expected) in [
            ("a$SET-b", "as-b"),
            ("${SET}${NONE}", "s"),
            ("${NONE:-d}${NONE-d}${EMPTY:-d}${EMPTY-d}", "ddd"),
            ("${NONE:-${SET}}", "s"),
            ("${NONE:-${OTHER:-${SET}x}}y", "sxy"),
            ("${NONE-a}b}", "ab}"),
            ("${SET:+r}${NONE:+r}${EMPTY+r}${EMPTY:+r}", "rr"),
            ("${SET:?needed}", "s"),
            ("$$SET and $${SET}", "$SET and ${SET}"),
            ("${NONE:-a:b?c}", "a:b?c"),
        ] {
            assert_eq!(expand(text, &known).as_deref(), Ok(expected), "{text}");
        }
        for (text, says) in [
            ("${NONE:?hush}", "NONE is not set"),
            ("${EMPTY:?hush}", "EMPTY is not set"),
            ("${SET", "has no `}`"),
            ("100$", "write `$$`"),
            ("${1}", "no name"),
            ("${SET!x}", "none of"),
            (&"${NONE:-".repeat(40), "has no"),
            (&format!("{}{}", "${NONE:-".repeat(40), "}".repeat(40)), "nested"),
            (&"$LONG".repeat(100), "longer than"),
        ] {
            let error = expand(text, &known).expect_err(text);
            assert!(error.contains(says) && !error.contains("hush"), "{text}: {error}");
        }
    }

    #[track_caller]
    fn read(line: &str, expected: &str) {
        let found = of_file(&format!("Z=1\n# B=2\n{line}\nLAST=l\n"), &known, &Room::default());
        let value = |name: &str| found.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        assert_eq!(
            (value("A"), value("LAST"), found.len()),
            (Some(expected), Some("l"), 3),
            "{line}: {found:?}"
        );
    }

    #[test]
    fn files_of_variables_are_read_as_compose_reads_them() {
        read("A=b c", "b c");
        read("A=a\\b", "a\\b");
        read("A=b # why", "b");
        read("A=a#b", "a#b");
        read("A=\"b # c\" # why", "b # c");
        read("export A='x'", "x");
        read(" A = b ", "b");
        read("A=", "");
        read("A=$SET-${Z}", "s-1");
        read("A='$SET'", "$SET");
        read("A=\"$SET\\n\\\"x\\\" \\$SET\"", "s\n\"x\" $SET");
        read("A='two\nlines'", "two\nlines");
        read("A: yaml", "yaml");
        read("A=100$", "100$");
        read("A=\"unclosed", "\"unclosed");
    }
}
