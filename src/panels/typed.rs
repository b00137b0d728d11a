//! Values that people type for an action: a span of time, JSON.

use crate::core::action::Refusal;
use crate::core::redis::Rhythm;
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

/// How often, and what follows it: "5m NAME …", or a cron pattern in quotes. Nothing where the form is another.
pub(super) fn rhythm(text: &str) -> Result<Option<(Rhythm, &str)>, Refusal> {
    if let Some(quoted) = text.strip_prefix('"') {
        let Some((pattern, rest)) = quoted.split_once("\" ") else { return Ok(None) };
        let remedy = "five fields: minute hour day month weekday, as 0 2 * * * for 02:00 UTC every day";
        let rhythm = Rhythm::cron(pattern).map_err(|why| Refusal::new(why).remedy(remedy))?;
        return Ok(Some((rhythm, rest)));
    }
    let Some((every, rest)) = text.split_once(' ') else { return Ok(None) };
    let every = span(every)?;
    Ok((!every.is_zero()).then_some((Rhythm::Every(every), rest)))
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
    fn rhythms_of_people() {
        let every = Rhythm::Every(Duration::from_secs(300));
        assert_eq!(rhythm("5m mail {}").expect("a rhythm"), Some((every, "mail {}")));
        let cron = Rhythm::Cron("0 2 * * *".to_owned());
        assert_eq!(rhythm("\"0 2  * * *\" mail").expect("a rhythm"), Some((cron, "mail")));
        for other in ["", "5m", "0s mail", "\"0 2 * * *\"", "\"0 2 * * * mail"] {
            assert_eq!(rhythm(other).expect("a form"), None, "{other}");
        }
        assert!(rhythm("\"0 25 * * *\" mail").is_err() && rhythm("often mail").is_err());
    }

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
