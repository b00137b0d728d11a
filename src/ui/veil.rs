//! What is hidden of every text while others look on: constants of statements, values of job data, arguments of commands, addresses of
//! people. It goes by the look of a text and by what a panel has marked as private, at the few places where text leaves for the screen, the
//! clipboard or a file: a panel that forgets its mark hides less, and never nothing. Rather too much is hidden than too little.

use super::content::{Cell, Content, Line, Row, Section, Span, Table};
use crate::core::redact::HIDDEN;
use std::ops::Range;

/// Words of SQL, as servers and libraries write them: what has one of them is a statement, and its numbers are constants.
const WORDS: [&str; 14] = [
    "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WHERE", "VALUES", "EXECUTE", "LIMIT", "OFFSET",
    "HAVING", "BETWEEN", "COPY", "CALL",
];
/// Pairs that are no prose, as people write statements.
const PAIRS: [(&str, &str); 4] =
    [("select ", " from "), ("insert ", " into "), ("delete ", " from "), ("update ", " set ")];

/// A page as it may be seen by others.
#[must_use]
pub fn content(content: &Content) -> Content {
    Content { title: text(&content.title), sections: content.sections.iter().map(section).collect() }
}

fn section(section: &Section) -> Section {
    let lines = if section.lines.first().is_some_and(|line| line.private) {
        hide(&section.lines, |all| if is_statement(all) { constants(all, true) } else { data(all) })
    } else {
        section.lines.iter().map(line).collect()
    };
    Section { title: text(&section.title), lines, table: section.table.as_ref().map(table) }
}

fn table(table: &Table) -> Table {
    let row = |row: &Row| {
        let cells = row.cells.iter().enumerate().map(|(at, cell)| {
            let private = table.columns.get(at).is_some_and(|column| column.private);
            cell.reworded(|words| if private { first_word(words) } else { text(words) })
        });
        Row { cells: cells.collect::<Vec<Cell>>(), ..row.clone() }
    };
    Table {
        columns: table.columns.clone(),
        rows: table.rows.iter().map(row).collect(),
        empty: text(&table.empty),
        fixed_order: table.fixed_order,
    }
}

/// Lines that belong together: a constant may begin on one and end on the next.
#[must_use]
pub fn block(lines: &[Line]) -> Vec<Line> {
    hide(lines, |all| constants(all, has_numbers(all)))
}

/// One line as it may be seen by others.
#[must_use]
pub fn line(line: &Line) -> Line {
    block(std::slice::from_ref(line)).pop().unwrap_or_default()
}

/// A text of one or several lines as it may be seen by others.
#[must_use]
pub fn text(text: &str) -> String {
    // A constant may begin on one line and end on another.
    let ranges = constants(text, has_numbers(text));
    let mut at = 0;
    let one = |part: &str| {
        let from = at;
        at += part.len() + 1;
        without(part, from, &ranges, true)
    };
    text.split('\n').map(one).collect::<Vec<_>>().join("\n")
}

/// The name of a command; what it was called with is hidden.
fn first_word(words: &str) -> String {
    let trimmed = words.trim();
    let first = trimmed.split(' ').next().unwrap_or_default();
    let is_command = !first.is_empty() && first.chars().all(|c| c.is_ascii_uppercase());
    match (trimmed.is_empty(), is_command) {
        (true, _) => words.to_owned(),
        (false, true) if first == trimmed => words.to_owned(),
        (false, true) => format!("{first} {HIDDEN}"),
        (false, false) => HIDDEN.to_owned(),
    }
}

/// `lines` without what `find` finds in all of them together.
fn hide(lines: &[Line], find: impl Fn(&str) -> Vec<Range<usize>>) -> Vec<Line> {
    let all = lines.iter().map(Line::plain).collect::<Vec<_>>().join("\n");
    let ranges = find(&all);
    let mut at = 0;
    let one = |line: &Line| {
        let begin = at;
        let span = |span: &Span| {
            let from = at;
            at += span.text.len();
            Span { text: without(&span.text, from, &ranges, from == begin), role: span.role }
        };
        let spans = line.spans.iter().map(span).collect();
        at += 1;
        Line { spans, ..line.clone() }
    };
    lines.iter().map(one).collect()
}

/// `text`, which stands at `from` of a longer one, without these ranges of that. What began before is told only where a line begins.
fn without(text: &str, from: usize, ranges: &[Range<usize>], begins: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = from;
    let end = from + text.len();
    for range in ranges.iter().filter(|range| range.start < end && range.end > from) {
        let start = range.start.max(copied);
        out.push_str(&text[copied - from..start - from]);
        if range.start >= from || begins {
            out.push_str(HIDDEN);
        }
        copied = range.end.min(end);
    }
    out.push_str(&text[copied - from..]);
    out
}

/// Whether the numbers of `text` are constants, too.
fn has_numbers(text: &str) -> bool {
    is_statement(text) || text.contains("\":")
}

fn is_statement(text: &str) -> bool {
    let words = || text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    if words().any(|word| WORDS.contains(&word)) {
        return true;
    }
    PAIRS.iter().any(|(first, second)| {
        text.find(first).is_some_and(|at| text[at + first.len() - 1..].contains(second))
    })
}

/// Where constants stand in `text`, in their order: what is quoted, values behind `=` and behind names of JSON, addresses of people; every
/// number, where `numbers` says so.
fn constants(text: &str, numbers: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let before = text[..at].chars().next_back();
        let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let (range, next) = match c {
            '\'' if !in_word || is_prefix(&text[..at]) => quoted(text, at, c),
            '"' => named(text, at),
            '$' if !in_word => dollar(text, at),
            '(' if before == Some('=') => (Some(at + 1..until(text, at + 1, ")")), until(text, at + 1, ")")),
            '0'..='9' if !in_word => {
                let end = text[at..]
                    .find(|c: char| !c.is_alphanumeric() && c != '.')
                    .map_or(text.len(), |end| at + end);
                let hidden = before != Some('$') && (numbers || is_compared(&text[..at]));
                (hidden.then_some(at..end), end)
            }
            '@' => (address(text, at), at + 1),
            _ => (None, at + c.len_utf8()),
        };
        if let Some(range) = range.filter(|range| !range.is_empty()) {
            let next = next.max(range.end);
            // The begin of an address was passed already.
            while found.last().is_some_and(|last: &Range<usize>| last.end > range.start) {
                found.pop();
            }
            found.push(range);
            at = next;
        } else {
            at = next;
        }
    }
    found
}

/// `E'…'` and the like.
fn is_prefix(before: &str) -> bool {
    let mut back = before.chars().rev();
    back.next().is_some_and(|c| matches!(c, 'E' | 'e' | 'B' | 'b' | 'X' | 'x' | 'N' | 'n'))
        && back.next().is_none_or(|c| !c.is_alphanumeric() && c != '_')
}

/// Where `end` stands behind `from`, else the end of all.
fn until(text: &str, from: usize, end: &str) -> usize {
    text[from..].find(end).map_or(text.len(), |at| from + at)
}

/// What is quoted from `at` on. What has no end is quoted to the end of all.
fn quoted(text: &str, at: usize, quote: char) -> (Option<Range<usize>>, usize) {
    let mut end = at + 1;
    while let Some(c) = text[end..].chars().next() {
        let doubled = text[end + c.len_utf8()..].starts_with(quote) && quote == '\'';
        match c {
            '\\' => end += 1 + text[end + 1..].chars().next().map_or(0, char::len_utf8),
            c if c == quote && doubled => end += 2,
            c if c == quote => return (Some(at + 1..end), end + 1),
            c => end += c.len_utf8(),
        }
    }
    (Some(at + 1..text.len()), text.len())
}

/// A text in double quotes, unless it is the name of a value.
fn named(text: &str, at: usize) -> (Option<Range<usize>>, usize) {
    let (range, next) = quoted(text, at, '"');
    let is_name = text[next..].trim_start().starts_with(':');
    (range.filter(|_| !is_name), next)
}

/// `$tag$…$tag$`; what is no such thing is passed over.
fn dollar(text: &str, at: usize) -> (Option<Range<usize>>, usize) {
    let tag = text[at + 1..].find('$').map(|end| &text[at..at + end + 2]);
    let is_tag = |tag: &&str| {
        let inside = &tag[1..tag.len() - 1];
        !inside.starts_with(|c: char| c.is_ascii_digit())
            && inside.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let Some(tag) = tag.filter(is_tag) else { return (None, at + 1) };
    let from = at + tag.len();
    let end = until(text, from, tag);
    (Some(from..end), (end + tag.len()).min(text.len()))
}

/// Whether a number behind `before` is compared, set, or the value of a name.
fn is_compared(before: &str) -> bool {
    let before = before.trim_end_matches('-').trim_end();
    before.ends_with(['=', '<', '>']) || before.ends_with("\":")
}

/// The address of somebody around the `@` at `at`.
fn address(text: &str, at: usize) -> Option<Range<usize>> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%');
    let name = text[..at].chars().rev().take_while(|c| part(*c)).map(char::len_utf8).sum::<usize>();
    let host = text[at + 1..].chars().take_while(|c| part(*c)).map(char::len_utf8).sum::<usize>();
    let dotted = text[at + 1..at + 1 + host].trim_end_matches('.').contains('.');
    (name > 0 && dotted).then(|| at - name..at + 1 + host)
}

/// Where values stand in job data: behind a name of JSON, else the whole line.
fn data(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut begin = 0;
    for line in text.split('\n') {
        let first = line.len() - line.trim_start().len();
        let value = if line[first..].starts_with('"') {
            let (_, next) = quoted(line, first, '"');
            let behind =
                line[next..].trim_start().strip_prefix(':').map(|rest| line.len() - rest.trim_start().len());
            behind.unwrap_or(first)
        } else {
            first
        };
        let told = line[value..].trim_end().trim_end_matches(',');
        if !told.is_empty() && !told.chars().all(|c| matches!(c, '{' | '}' | '[' | ']')) {
            found.push(begin + value..begin + value + told.len());
        }
        begin += line.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::TargetId;
    use crate::core::row::RowKey;
    use crate::ui::content::{Column, Role};

    #[track_caller]
    fn check(given: &str, expected: &str) {
        assert_eq!(text(given), expected);
        assert_eq!(text(expected), expected, "what is hidden stays as it is");
    }

    #[test]
    fn constants_of_statements_are_hidden() {
        check(
            "UPDATE orders SET state = 'paid' WHERE id = 8831",
            "UPDATE orders SET state = '•••' WHERE id = •••",
        );
        check(
            "select a from t where n in (1, 2.5) and c = E'x\\'y'",
            "select a from t where n in (•••, •••) and c = E'•••'",
        );
        check("SELECT $1, $tag$a'b$tag$ LIMIT 5", "SELECT $1, $tag$•••$tag$ LIMIT •••");
        check("SELECT 'it''s', t1.c2 FROM t1", "SELECT '•••', t1.c2 FROM t1");
        check("UPDATE orders SET state = 'pa…", "UPDATE orders SET state = '•••");
        check("orders, id = 8831", "orders, id = •••");
        check("SELECT 1 WHERE id IN (\n  8831,\n  8832\n)", "SELECT ••• WHERE id IN (\n  •••,\n  •••\n)");
        assert!(!text("SELECT 'Anna\nSmith'").contains("Smith"));
    }

    #[test]
    fn values_of_data_and_addresses_are_hidden() {
        check(r#"{"to":"a@b.c","n":1,"all":[1,"x"]}"#, r#"{"to":"•••","n":•••,"all":[•••,"•••"]}"#);
        check("Key (email)=(Anna) already exists", "Key (email)=(•••) already exists");
        check("550 ann.a+b@example.org is not known", "550 ••• is not known");
    }

    #[test]
    fn what_is_said_of_servers_stays() {
        for text in [
            "BROKEN since 23:25:18 (15 s): shop-api answers 7.4 % of its requests with 5xx",
            "pid 4918 (billing, idle in transaction 16 s) blocks 7 sessions; it's the server's own",
            "ana@laptop terminate on shop-db: pid 4918 is gone",
            "update of 5 rows from here",
        ] {
            assert_eq!(super::text(text), text);
        }
    }

    #[test]
    fn a_constant_that_goes_on_in_the_next_line_is_hidden_to_its_end() {
        let lines = [
            Line::text("WHERE a = ").then(Role::Accent, "'Anna"),
            Line::of(Role::Accent, "Smith' AND b = 7"),
        ];
        let told: Vec<String> = block(&lines).iter().map(Line::plain).collect();
        assert_eq!(told, ["WHERE a = '•••", "•••' AND b = •••"]);
        assert_eq!(block(&lines)[0].spans[1].role, Role::Accent);
    }

    #[test]
    fn private_parts_are_hidden_whole_but_for_names() {
        let lines =
            ["{", r#"  "to": {"#, r#"    "name": "Anna","#, r#"    "n": true"#, "  },", "  free words", "}"];
        let of = |lines: &[&str]| {
            let section = Section::lines("Data", lines.iter().map(Line::text).collect()).private();
            let told = content(&Content { title: String::new(), sections: vec![section] });
            told.sections[0].lines.iter().map(Line::plain).collect::<Vec<_>>()
        };
        assert_eq!(
            of(&lines),
            ["{", r#"  "to": {"#, r#"    "name": •••,"#, r#"    "n": •••"#, "  },", "  •••", "}"]
        );
        assert_eq!(
            of(&["SELECT a", "FROM t", "WHERE b IN (", "  17)"]),
            ["SELECT a", "FROM t", "WHERE b IN (", "  •••)"]
        );
    }

    #[test]
    fn of_a_private_column_the_command_is_told() {
        let row = |text: &str| Row::flat(RowKey::Target(TargetId::new("t")), vec![Cell::text(text)]);
        let table = Table {
            columns: vec![Column::flex("command", 9, 0).private()],
            rows: ["HGETALL cart:8831", "PING", "cart:8831", ""].map(row).to_vec(),
            ..Table::default()
        };
        let told = content(&Content { title: String::new(), sections: vec![Section::table("slow", table)] });
        let rows = &told.sections[0].table.as_ref().unwrap().rows;
        let words: Vec<_> = rows.iter().map(|row| row.cells[0].words().into_owned()).collect();
        assert_eq!(words, ["HGETALL •••", "PING", "•••", ""]);
    }
}
