//! Where a text is found in lines, whatever its case.

use super::content::{Line, Role, Span};

/// Whether `line` holds `text`.
#[must_use]
pub fn holds(line: &Line, text: &str) -> bool {
    !text.is_empty() && line.plain().to_ascii_lowercase().contains(&text.to_ascii_lowercase())
}

/// The same line with each place of `text` in it set off; more so where it is the line that was found last.
#[must_use]
pub fn marked(line: &Line, text: &str, here: bool) -> Line {
    if !holds(line, text) {
        return line.clone();
    }
    let (whole, wanted) = (line.plain().to_ascii_lowercase(), text.to_ascii_lowercase());
    let found: Vec<(usize, usize)> =
        whole.match_indices(&wanted).map(|(at, found)| (at, at + found.len())).collect();
    let mut spans: Vec<Span> = Vec::new();
    let mut begin = 0;
    for span in &line.spans {
        let end = begin + span.text.len();
        let mut at = begin;
        for (from, to) in found.iter().map(|(from, to)| ((*from).max(begin), (*to).min(end))) {
            if from < to {
                spans.push(Span { text: span.text[at - begin..from - begin].to_owned(), role: span.role });
                spans.push(Span {
                    text: span.text[from - begin..to - begin].to_owned(),
                    role: if here { Role::Cursor } else { Role::Accent },
                });
                at = to;
            }
        }
        spans.push(Span { text: span.text[at - begin..].to_owned(), role: span.role });
        begin = end;
    }
    spans.retain(|span| !span.text.is_empty());
    Line { spans, ..line.clone() }
}

/// The next of `lines` behind `from`, or before it, in which `text` is found; around the end.
#[must_use]
pub fn next(lines: &[bool], from: Option<usize>, down: bool) -> Option<usize> {
    let count = lines.len();
    let start = match (from, down) {
        (Some(from), true) => from + 1,
        (None, true) => 0,
        (Some(from), false) => from + count - 1,
        (None, false) => count.wrapping_sub(1),
    };
    (0..count)
        .map(|step| if down { (start + step) % count } else { (start + count - step) % count })
        .find(|at| lines[*at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_set_off_across_roles_and_nothing_is_lost() {
        let line = Line::of(Role::Muted, "who  Bil").then(Role::Text, "ling, billing");
        let marked = marked(&line, "BILLING", true);
        let found: Vec<&str> = marked
            .spans
            .iter()
            .filter(|span| span.role == Role::Cursor)
            .map(|span| span.text.as_str())
            .collect();
        assert_eq!(found, ["Bil", "ling", "billing"]);
        assert_eq!(marked.plain(), line.plain());
        assert_eq!(super::marked(&line, "nothing", true), line);
        assert!(!holds(&line, ""));
        assert!(holds(&Line::text("日本 Jo"), "jo"));
    }

    #[test]
    fn the_next_place_is_around_the_end_in_both_directions() {
        let lines = [false, true, false, true];
        assert_eq!(next(&lines, None, true), Some(1));
        assert_eq!(next(&lines, Some(1), true), Some(3));
        assert_eq!(next(&lines, Some(3), true), Some(1));
        assert_eq!(next(&lines, Some(1), false), Some(3));
        assert_eq!(next(&lines, Some(3), false), Some(1));
        assert_eq!(next(&[false, false], Some(0), true), None);
        assert_eq!(next(&[], None, false), None);
    }
}
