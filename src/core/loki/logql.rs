//! Questions in Loki's own language. What comes from a row is quoted, so that it stays what it is whatever is in it.

use crate::core::lines::ERRORS;

/// Labels by which streams are told apart, the best first.
const MAIN: [&str; 12] = [
    "service_name",
    "app",
    "service",
    "container",
    "container_name",
    "compose_service",
    "job",
    "app_kubernetes_io_name",
    "pod",
    "unit",
    "filename",
    "host",
];

/// So many labels are looked at for a stream of a name: each is a request.
pub const MOST_LABELS: usize = 5;
/// So many values of a label are named in one question.
const MOST_VALUES: usize = 20;
/// A name shorter than this is in everything.
const LEAST_NAME: usize = 3;

/// A text in quotes, as it stands in a question.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text as a regular expression that matches nothing else.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_alphanumeric() && c.is_ascii() && c != '_' && c != ' ' {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A word as a regular expression: neither 142 nor 421 is 42.
fn whole(word: &str) -> String {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let edge = |is: bool| if is { "\\b" } else { "" };
    let (first, last) = (edge(inside(word.chars().next())), edge(inside(word.chars().next_back())));
    format!("{first}{}{last}", escaped(word))
}

/// Lines in which one of `words` stands.
#[must_use]
pub fn words(words: &[String]) -> String {
    let all: Vec<String> = words.iter().map(|word| whole(word)).collect();
    match words {
        [] => String::new(),
        // The plain text sorts out most lines before the expression is tried.
        [one] => format!(" |= {} |~ {}", quoted(one), quoted(&all[0])),
        _ => format!(" |~ {}", quoted(&all.join("|"))),
    }
}

/// Lines in which `text` stands as it is.
#[must_use]
pub fn text(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" |= {}", quoted(text)) }
}

/// Lines that say that they are errors.
#[must_use]
pub fn errors() -> String {
    let is = quoted(ERRORS);
    format!(" | detected_level=~{is} or level=~{is}")
}

/// The label by which streams are told apart, and one that all of them are asked by.
#[must_use]
pub fn main_label(labels: &[String]) -> Option<&str> {
    let known = MAIN.iter().find_map(|name| labels.iter().find(|label| label == name));
    known.or_else(|| labels.first()).map(String::as_str)
}

/// The labels that may hold the name of a service, the best first.
pub fn naming(labels: &[String]) -> impl Iterator<Item = &String> {
    MAIN.iter().filter_map(|name| labels.iter().find(|label| label == name)).take(MOST_LABELS)
}

/// Every stream that has `label`.
#[must_use]
pub fn every(label: &str) -> String {
    format!("{{{label}=~\".+\"}}")
}

/// The streams with one of these values of a label.
#[must_use]
pub fn those(label: &str, values: &[&str]) -> String {
    if let [one] = values {
        return format!("{{{label}={}}}", quoted(one));
    }
    let all: Vec<String> = values.iter().map(|value| escaped(value)).collect();
    format!("{{{label}=~{}}}", quoted(&all.join("|")))
}

/// Of the streams of a selector those with this value of a label.
#[must_use]
pub fn within(selector: &str, label: &str, value: &str) -> String {
    match selector.trim().strip_suffix('}') {
        Some(inside) if selector.trim() != every(label) && inside.trim() != "{" => {
            format!("{inside}, {label}={}}}", quoted(value))
        }
        _ => those(label, &[value]),
    }
}

/// The streams with all of these labels.
#[must_use]
pub fn with<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let all: Vec<String> = labels.map(|(name, value)| format!("{name}={}", quoted(value))).collect();
    format!("{{{}}}", all.join(", "))
}

/// Of the labels with their values those whose value has one of `names` in it; nothing where there is none.
#[must_use]
pub fn named<'a>(labels: &'a [(String, Vec<String>)], names: &[String]) -> Option<(&'a str, Vec<&'a str>)> {
    let names: Vec<String> = names
        .iter()
        .map(|name| name.to_lowercase())
        .filter(|name| name.chars().count() >= LEAST_NAME)
        .collect();
    labels.iter().find_map(|(label, values)| {
        let is = |value: &&String| names.iter().any(|name| value.to_lowercase().contains(name.as_str()));
        let found: Vec<&str> = values.iter().filter(is).map(String::as_str).take(MOST_VALUES).collect();
        (!found.is_empty()).then_some((label.as_str(), found))
    })
}

/// How many lines came within the last minute, by stream (where `label` is given) and level.
#[must_use]
pub fn counts(selector: &str, label: Option<&str>) -> String {
    let by = label.map_or_else(String::new, |label| format!("{label}, "));
    format!("sum by ({by}detected_level, level) (count_over_time({selector}[1m]))")
}

/// How many lines of a question there are within so many milliseconds.
#[must_use]
pub fn count(query: &str, millis: u64) -> String {
    format!("sum(count_over_time({query} [{millis}ms]))")
}

/// Whether a query gives lines and not numbers.
#[must_use]
pub fn gives_lines(query: &str) -> bool {
    query.trim_start().starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn what_comes_from_a_row_stays_a_text() {
        assert_eq!(quoted("a\"b\\c\nd\u{1b}"), r#""a\"b\\c\nd""#);
        assert_eq!(words(&owned(&["42"])), r#" |= "42" |~ "\\b42\\b""#);
        assert_eq!(
            words(&owned(&["10.0.0.5:6379", "a_b"])),
            r#" |~ "\\b10\\.0\\.0\\.5\\:6379\\b|\\ba_b\\b""#
        );
        assert_eq!(words(&owned(&["\"} |= \""])), r#" |= "\"} |= \"" |~ "\\\"\\} \\|\\= \\\"""#);
        assert_eq!(words(&[]), "");
        assert_eq!(text("SELECT * FROM a"), r#" |= "SELECT * FROM a""#);
        assert_eq!(text(""), "");
    }

    #[test]
    fn streams_are_told_apart_by_the_best_label_that_there_is() {
        assert_eq!(main_label(&owned(&["zone", "job", "service_name"])), Some("service_name"));
        assert_eq!(main_label(&owned(&["zone", "cluster"])), Some("zone"));
        assert_eq!(main_label(&[]), None);
        let labels = owned(&["job", "zone", "app"]);
        assert_eq!(naming(&labels).collect::<Vec<_>>(), ["app", "job"]);
    }

    #[test]
    fn a_stream_is_found_by_a_name_in_its_labels() {
        let labels = [
            ("app".to_owned(), owned(&["web", "mail-worker"])),
            ("job".to_owned(), owned(&["shop/order-mails", "db"])),
        ];
        let found = |names: &[&str]| named(&labels, &owned(names));
        assert_eq!(found(&["Order-Mails"]), Some(("job", vec!["shop/order-mails"])));
        assert_eq!(found(&["worker", "web"]), Some(("app", vec!["web", "mail-worker"])));
        assert_eq!(found(&["db", "nothing"]), None, "two letters are in everything");
        assert_eq!(those("app", &["a.b", "c"]), r#"{app=~"a\\.b|c"}"#);
        assert_eq!(those("app", &["a\"b"]), r#"{app="a\"b"}"#);
        assert_eq!(within(r#"{env="prod"}"#, "app", "a"), r#"{env="prod", app="a"}"#);
        assert_eq!(within(&every("app"), "app", "a"), r#"{app="a"}"#);
        assert_eq!(with([("app", "a"), ("pod", "b")].into_iter()), r#"{app="a", pod="b"}"#);
    }
}
