//! What the log keeps of the sources: when one fell silent and why, and when it answered again. An hour later that is asked for.

use crate::core::ids::TargetId;
use crate::core::report::{PollError, PollErrorKind, PollReport};
use crate::core::text::{counted, lasting, tidy};
use crate::core::time::Now;
use std::collections::HashMap;
use std::time::Duration;

/// One target is written about at most this often; what changed in between is written then, if it still holds.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest cause that is written down.
const LONGEST: usize = 400;

/// What is known and what was written of each target.
#[derive(Debug, Default)]
pub struct Silence {
    targets: HashMap<TargetId, Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The failure that goes on: its class, since when, how many polls.
    failing: Option<(PollErrorKind, Now, u64)>,
    /// The failure that was written and not taken back yet.
    written: Option<(PollErrorKind, Now)>,
    /// When it answered again after the last failure.
    back: Option<Now>,
    /// When something was written last.
    at: Option<Now>,
    /// Polls that failed since the failure was written.
    polls: u64,
    /// Changes that were not written.
    kept_back: u64,
}

impl Silence {
    /// Takes in what a poll brought; a line for the log, if something changed that it does not say yet.
    pub fn note(&mut self, report: &PollReport) -> Option<String> {
        let known = self.targets.entry(report.target.clone()).or_default();
        let failing = known.failing.map(|(kind, ..)| kind);
        known.failing = match &report.result {
            Ok(_) => None,
            Err(error) => {
                known.polls += 1;
                let before = known.failing.filter(|(kind, ..)| *kind == error.kind);
                Some(
                    before
                        .map_or((error.kind, report.at, 1), |(kind, since, polls)| (kind, since, polls + 1)),
                )
            }
        };
        let now_failing = known.failing.map(|(kind, ..)| kind);
        if failing.is_some() && now_failing.is_none() {
            known.back = Some(report.at);
        }
        let written = known.written.map(|(kind, _)| kind);
        if written == now_failing {
            return None;
        }
        if known.at.is_some_and(|at| report.at.since(at) < PAUSE) {
            known.kept_back += u64::from(failing != now_failing);
            return None;
        }
        let more = match std::mem::take(&mut known.kept_back) {
            0 => String::new(),
            count => format!(" ({} before this not written)", counted(count as usize, "change")),
        };
        known.at = Some(report.at);
        let line = match (&report.result, known.failing) {
            (Err(error), Some((kind, since, _))) => {
                known.written = Some((kind, since));
                known.polls = 1;
                failed(&report.target, error, since)
            }
            (Ok(_), _) | (Err(_), None) => {
                let (_, since) = known.written.take()?;
                let polls = counted(std::mem::take(&mut known.polls) as usize, "poll");
                let lasted = lasting(known.back.unwrap_or(report.at).since(since));
                format!("{}: answers again after {lasted}, {polls} failed", report.target)
            }
        };
        Some(format!("{line}{more}"))
    }
}

fn failed(target: &TargetId, error: &PollError, since: Now) -> String {
    let remedy = error.remedy.as_ref().map_or(String::new(), |remedy| format!("; {remedy}"));
    let cause = tidy(&format!("{}{remedy}", error.message), LONGEST);
    let since = since.wall.format("%H:%M:%SZ");
    format!("{target}: no data since {since}, {}: {cause}", error.kind.words())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reading::Reading;

    /// `.` answers, `u` is not reachable, `c` has no credentials; one poll a second, a blank is a minute.
    #[track_caller]
    fn check(polls: &str, expected: &[&str]) {
        let mut silence = Silence::default();
        let (mut second, mut lines) = (0, Vec::new());
        for poll in polls.chars() {
            second += if poll == ' ' { 60 } else { 1 };
            let result = match poll {
                ' ' => continue,
                '.' => Ok(Reading::Prometheus(Box::default())),
                'u' => Err(PollError::new(PollErrorKind::Unreachable, "refused\u{1b}[2J").remedy("start it")),
                _ => Err(PollError::new(PollErrorKind::Credentials, "wrong password")),
            };
            let report = PollReport::example(TargetId::new("pg"), result, Now::example(second));
            lines.extend(silence.note(&report));
        }
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_fell_silent_is_told_once_and_what_came_back_too() {
        let down = "pg: no data since 14:13:22Z, not reachable: refused[2J; start it";
        check("....", &[]);
        check(".uuuu", &[down]);
        check(".uuuu .", &[down, "pg: answers again after 1m04s, 4 polls failed"]);
        check(".uu c", &[down, "pg: no data since 14:14:24Z, refused the credentials: wrong password"]);
    }

    #[test]
    fn what_comes_and_goes_is_told_at_most_twice_a_minute_and_ends_with_what_holds() {
        let down = "pg: no data since 14:13:22Z, not reachable: refused[2J; start it";
        // Back at once, and written when the pause is over.
        check(
            ".u.. .",
            &[down, "pg: answers again after 1 s, 1 poll failed (1 change before this not written)"],
        );
        // Away again before the pause was over: nothing to take back.
        check(".u.u.u uu", &[down]);
    }

    #[test]
    fn a_target_that_only_answers_is_never_written_of() {
        check("..... ..... .....", &[]);
    }

    #[test]
    fn a_failure_that_goes_on_is_written_once_however_long() {
        check("u uuu uuu uuu", &["pg: no data since 14:13:21Z, not reachable: refused[2J; start it"]);
    }

    #[test]
    fn another_failure_is_written_when_the_pause_is_over() {
        let down = "pg: no data since 14:13:21Z, not reachable: refused[2J; start it";
        // Kept back at first, and told with what it is when it is written.
        check(
            "ucc c",
            &[
                down,
                "pg: no data since 14:13:22Z, refused the credentials: wrong password (1 change before this not written)",
            ],
        );
    }

    #[test]
    fn one_poll_that_failed_is_one_poll() {
        let lines = [
            "pg: no data since 14:13:21Z, not reachable: refused[2J; start it",
            "pg: answers again after 1m01s, 1 poll failed",
        ];
        check("u .", &lines);
    }

    #[test]
    fn each_target_has_a_pause_of_its_own() {
        let mut silence = Silence::default();
        let mut fails = |name: &str| {
            let result = Err(PollError::new(PollErrorKind::TimedOut, "no answer"));
            silence.note(&PollReport::example(TargetId::new(name), result, Now::example(1)))
        };
        assert!(fails("pg").is_some_and(|line| line.starts_with("pg: ")));
        assert!(fails("cache").is_some_and(|line| line.starts_with("cache: ")));
        assert_eq!(fails("pg"), None);
    }
}
