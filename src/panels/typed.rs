//! Values that people type for an action: a span of time, JSON.

use crate::core::action::Refusal;
use std::time::Duration;

/// "90s", "5m", "2h", "1d".
pub(super) fn span(text: &str) -> Result<Duration, Refusal> {
    let form = || Refusal::new(format!("`{text}` is no time")).remedy("write it as 30s, 5m, 2h or 1d");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(form)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(form()),
    };
    let number: u64 = number.parse().map_err(|_| form())?;
    number.checked_mul(seconds).filter(|all| *all < 3_153_600_000).map(Duration::from_secs).ok_or_else(form)
}

pub(super) fn json(text: &str) -> Result<(), Refusal> {
    serde_json::from_str::<serde_json::Value>(text).map(|_| ()).map_err(|error| {
        let at = error.column();
        Refusal::new(format!("that is no JSON at character {at}: {error}")).remedy("mend it, or Esc")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_people() {
        for (text, seconds) in [("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86_400), ("0s", 0)] {
            assert_eq!(span(text).ok(), Some(Duration::from_secs(seconds)));
        }
        for bad in ["", "s", "5", "5 m", "-1s", "1.5h", "é", "99999999999999999999d", "4000000000s"] {
            assert!(span(bad).is_err(), "{bad}");
        }
    }
}
