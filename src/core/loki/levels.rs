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
    /// It does not say, or Loki cannot tell.
    Unknown,
}

/// The words of errors, as a regular expression of Loki that stands for the whole of a label's value. pino and bunyan write numbers.
pub(super) const ERRORS: &str = "(?i)(err|error|fatal|critical|crit|panic|emerg|emergency|alert|50|60)";

impl Tone {
    /// By the word of a label or of the server.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "err" | "error" | "fatal" | "critical" | "crit" | "panic" | "emerg" | "emergency" | "alert"
            | "50" | "60" => Self::Error,
            "warn" | "warning" | "40" => Self::Warning,
            "debug" | "trace" | "verbose" | "20" | "10" => Self::Quiet,
            "" | "unknown" => Self::Unknown,
            _ => Self::Plain,
        }
    }
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
}
