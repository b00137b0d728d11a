//! How often a scheduler makes a job.

use crate::core::text::lasting;
use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use croner::parser::{CronParser, Year};
use std::time::Duration;

/// How often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rhythm {
    /// Again after as long; the first one, too.
    Every(Duration),
    /// By a cron pattern of five fields, or six with the seconds first, in UTC.
    Cron(String),
}

fn parsed(pattern: &str) -> Result<Cron, String> {
    CronParser::builder().year(Year::Disallowed).build().parse(pattern).map_err(|error| error.to_string())
}

impl Rhythm {
    /// A cron pattern, if it is one that is ever due.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn cron(pattern: &str) -> Result<Self, String> {
        let fields: Vec<&str> = pattern.split_whitespace().collect();
        if !matches!(fields.len(), 5 | 6) {
            return Err("a cron pattern has five fields, or six with the seconds first".to_owned());
        }
        let rhythm = Self::Cron(fields.join(" "));
        match rhythm.after(DateTime::UNIX_EPOCH) {
            Ok(_) => Ok(rhythm),
            Err(why) => Err(why),
        }
    }

    /// When it is due next, counted from `now`.
    ///
    /// # Errors
    /// When that never comes.
    pub fn after(&self, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
        match self {
            Self::Every(every) => TimeDelta::from_std(*every)
                .ok()
                .and_then(|every| now.checked_add_signed(every))
                .ok_or_else(|| "that is too long".to_owned()),
            Self::Cron(pattern) => {
                parsed(pattern)?.find_next_occurrence(&now, false).map_err(|error| error.to_string())
            }
        }
    }
}

impl std::fmt::Display for Rhythm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Every(every) => write!(f, "every {}", lasting(*every)),
            Self::Cron(pattern) => write!(f, "{pattern} (UTC)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_what_the_pattern_says() {
        let now = DateTime::from_timestamp(1_795_265_350, 0).expect("a moment"); // a Saturday, 12:49:10
        for (pattern, next) in [
            ("0 2 * * *", "2026-11-22 02:00:00 UTC"),
            ("*/15 * * * *", "2026-11-21 13:00:00 UTC"),
            ("30 */5 * * * *", "2026-11-21 12:50:30 UTC"),
            ("0 9 * * 1-5", "2026-11-23 09:00:00 UTC"),
            ("0 0 1 * 0", "2026-11-22 00:00:00 UTC"),
        ] {
            let rhythm = Rhythm::cron(pattern).expect(pattern);
            assert_eq!(rhythm.after(now).expect(pattern).to_string(), next, "{pattern}");
        }
        let every = Rhythm::Every(Duration::from_secs(90));
        assert_eq!(every.after(now).expect("a moment").to_string(), "2026-11-21 12:50:40 UTC");
        assert_eq!(every.to_string(), "every 1m30s");
    }

    #[test]
    fn a_pattern_that_is_none_says_why() {
        for pattern in ["", "* * * *", "61 * * * *", "a b c d e", "* * * * * * *", "0 0 31 2 *"] {
            assert!(Rhythm::cron(pattern).is_err_and(|why| !why.is_empty()), "{pattern}");
        }
    }
}
