//! What the words for the level of a line mean, however a library writes them.

/// How bad a line says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// An error, or worse.
    Error,
    /// A warning.
    Warning,
    /// Anything else that has a level.
    Plain,
    /// For who looks for something: debug, trace.
    Quiet,
    /// It does not say, or nobody can tell.
    Unknown,
}

/// The words of errors, as a regular expression of Loki that stands for the whole of a label's value. pino and bunyan write numbers.
pub const ERRORS: &str = "(?i)(err|error|fatal|critical|crit|panic|emerg|emergency|alert|severe|50|60)";

impl Tone {
    /// By the word of a label or of the server.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "err" | "error" | "fatal" | "critical" | "crit" | "panic" | "emerg" | "emergency" | "alert"
            | "severe" | "50" | "60" => Self::Error,
            "warn" | "warning" | "40" => Self::Warning,
            "debug" | "trace" | "verbose" | "20" | "10" => Self::Quiet,
            "" | "unknown" => Self::Unknown,
            _ => Self::Plain,
        }
    }
}

/// So far into a line its level is looked for: behind a time, a host, a process.
const HEAD_CHARS: usize = 160;
/// And so far where it has a name, as in JSON.
const NAMED_CHARS: usize = 1000;
/// The names of a level.
const NAMES: [&str; 4] = ["level", "severity", "lvl", "loglevel"];
/// Words that are a level in capitals, wherever they stand at the beginning of a line.
const CAPITALS: [&str; 17] = [
    "ERR", "ERROR", "FATAL", "CRITICAL", "CRIT", "PANIC", "EMERG", "ALERT", "WARN", "WARNING", "NOTICE",
    "INFO", "LOG", "DEBUG", "TRACE", "VERBOSE", "SEVERE",
];

/// The word for its level in a line that has none beside it: by its name (`"level":50`, `level=error`), or as a word at its beginning
/// (`ERROR`, `[error]`, `error:`).
#[must_use]
pub fn level_in(line: &str) -> Option<&str> {
    named(cut(line, NAMED_CHARS)).or_else(|| spoken(cut(line, HEAD_CHARS)))
}

fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
}

/// The value behind one of the names of a level.
fn named(text: &str) -> Option<&str> {
    NAMES.iter().find_map(|name| {
        text.match_indices(name).find_map(|(at, _)| {
            let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            if text[..at].ends_with(inside) {
                return None;
            }
            let behind = text[at + name.len()..].trim_start_matches('"').trim_start();
            let value = behind.strip_prefix([':', '='])?.trim_start().trim_start_matches('"');
            let word = &value[..value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len())];
            (!word.is_empty()).then_some(word)
        })
    })
}

/// The first word that is a level as it stands there.
fn spoken(text: &str) -> Option<&str> {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.find(|word| {
        if CAPITALS.contains(word) {
            return true;
        }
        let at = word.as_ptr() as usize - text.as_ptr() as usize;
        let (before, behind) = (&text[..at], &text[at + word.len()..]);
        let is = CAPITALS.iter().any(|known| known.eq_ignore_ascii_case(word));
        let apart = before.is_empty() || before.ends_with([' ', '[', '<', '|']);
        is && apart && behind.starts_with([']', ':', '>', '|'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_errors_are_those_of_the_question() {
        let inside = ERRORS.trim_start_matches("(?i)(").trim_end_matches(')');
        for word in inside.split('|') {
            assert_eq!(Tone::of(word), Tone::Error, "{word}");
            assert_eq!(Tone::of(&word.to_uppercase()), Tone::Error, "{word}");
        }
        for (word, tone) in [
            ("WARN", Tone::Warning),
            ("info", Tone::Plain),
            ("debug", Tone::Quiet),
            ("unknown", Tone::Unknown),
            ("", Tone::Unknown),
        ] {
            assert_eq!(Tone::of(word), tone, "{word}");
        }
    }

    #[track_caller]
    fn says(line: &str, expected: Option<&str>) {
        assert_eq!(level_in(line), expected, "{line}");
    }

    #[test]
    fn a_level_is_found_in_the_text_of_a_line() {
        says("2026-09-21 14:13:20,123 ERROR [worker-1] job 42 failed", Some("ERROR"));
        says("[2026-09-21T14:13:20Z] [warn] slow", Some("warn"));
        says("Error: connect ECONNREFUSED 127.0.0.1:6379", Some("Error"));
        says(r#"{"time":1790000000000,"level":50,"msg":"level=info"}"#, Some("50"));
        says(r#"ts=1 level=error msg="x""#, Some("error"));
        says("2026-09-21 14:13:20.1 UTC [77] FATAL:  too many clients", Some("FATAL"));
        says("2026/09/21 14:13:20 [error] 7#7: *1 connect() failed", Some("error"));
        says("job 42 has no error in it", None);
        says("mylevel=error", None);
        says("TypeError at line 3", None);
        says("", None);
    }
}
