//! Text from servers inside our own sentences: one line, without anything a terminal could act on, short.

/// `text` without control characters, blanks folded, cut to `most` characters (with `…` where something was cut).
#[must_use]
pub fn tidy(text: &str, most: usize) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let joined = words.join(" ");
    if joined.chars().count() <= most {
        return joined;
    }
    let mut cut: String = joined.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// A duration for sentences: `44 s`, `5m44s`, `3h07m`, `12d`.
#[must_use]
pub fn lasting(value: std::time::Duration) -> String {
    let seconds = value.as_secs();
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `1 session`, `9 sessions`.
#[must_use]
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Bytes for sentences, with binary units.
#[must_use]
pub fn sized(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = bytes;
    let mut unit = 0;
    while scaled >= 1024.0 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    if unit == 0 || scaled >= 10.0 {
        format!("{scaled:.0} {}", UNITS[unit])
    } else {
        format!("{scaled:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_text_is_tame() {
        assert_eq!(tidy("a\u{1b}[2J\n  b", 20), "a [2J b");
        assert_eq!(tidy("abcdef", 4), "abc…");
        assert_eq!(counted(1, "session"), "1 session");
        assert_eq!(counted(9, "session"), "9 sessions");
        assert_eq!(sized(1_572_864.0), "1.5 MiB");
        assert_eq!(lasting(std::time::Duration::from_secs(344)), "5m44s");
    }
}
