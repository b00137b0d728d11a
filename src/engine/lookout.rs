//! Between two polls: what knocks at a target mean, and how long a failed one rests. Pure.
//!
//! A knock is one connection and a few bytes, without a login; it says whether anything there speaks the protocol. It brings back a
//! target that was silent within a second or two, and it finds one that died while it was polled seldom, without a poll being sent
//! to a server that is broken.

use crate::core::report::PollErrorKind;
use std::time::Duration;

/// A silent target is looked at this often.
pub const LOOK_EACH: Duration = Duration::from_secs(1);
/// A knock that is not over by then has failed.
pub const KNOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// A target that answers knocks and fails polls rests for its configured interval between them, but never shorter…
const SICK_LEAST: Duration = Duration::from_secs(2);
/// … nor longer than this: then it is back soon, and it is asked no more than one that is well.
const SICK_MOST: Duration = Duration::from_secs(10);

/// What is known of a target from its polls and from knocks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lookout {
    /// How the last poll failed, if it did.
    failed: Option<PollErrorKind>,
    /// The next knock that finds another state than the last poll did asks for a poll. After one that changed nothing, only the
    /// opposite knock in between makes such a finding news again.
    news: bool,
}

impl Default for Lookout {
    fn default() -> Self {
        Self { failed: None, news: true }
    }
}

impl Lookout {
    /// Takes in how a poll ended.
    pub fn polled(&mut self, failed: Option<PollErrorKind>) {
        if self.failed.is_some() && failed.is_none() {
            self.news = true;
        }
        self.failed = failed;
    }

    /// How often the target is looked at: each second while it is silent, at its `configured` interval while it is polled seldom.
    #[must_use]
    pub fn each(&self, configured: Duration, widened: bool) -> Option<Duration> {
        match self.failed {
            Some(_) => Some(LOOK_EACH),
            None => widened.then(|| configured.max(LOOK_EACH)),
        }
    }

    /// Takes in a knock, and says whether it asks for a poll now.
    pub fn knocked(&mut self, answers: bool) -> bool {
        if answers == self.failed.is_some() {
            std::mem::replace(&mut self.news, false)
        } else {
            self.news = true;
            false
        }
    }

    /// How long a target whose poll failed rests if no knock asks for one. `None`: that is for backoff and breaker to say, for it is not
    /// the server that must change but something that a person has set.
    #[must_use]
    pub fn rest(&self, configured: Duration, longest: Duration) -> Option<Duration> {
        match self.failed? {
            // Refused at the door: that costs no more than a knock.
            PollErrorKind::NotReady | PollErrorKind::Full => Some(LOOK_EACH),
            PollErrorKind::Unreachable
            | PollErrorKind::TimedOut
            | PollErrorKind::Tls
            | PollErrorKind::WrongServer
            | PollErrorKind::Failed
                if self.news =>
            {
                Some(longest)
            }
            PollErrorKind::Unreachable
            | PollErrorKind::TimedOut
            | PollErrorKind::Tls
            | PollErrorKind::WrongServer
            | PollErrorKind::Failed => Some(configured.clamp(SICK_LEAST, SICK_MOST).min(longest)),
            PollErrorKind::Credentials
            | PollErrorKind::NotPermitted
            | PollErrorKind::Configuration
            | PollErrorKind::Internal => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    fn failed(kind: PollErrorKind) -> Lookout {
        let mut lookout = Lookout::default();
        lookout.polled(Some(kind));
        lookout
    }

    /// What each of these knocks asks for.
    #[track_caller]
    fn check(mut lookout: Lookout, knocks: &[(bool, bool)]) {
        for (at, (answers, polls)) in knocks.iter().enumerate() {
            assert_eq!(lookout.knocked(*answers), *polls, "knock {at}");
        }
    }

    #[test]
    fn a_silent_target_that_answers_again_is_polled_at_once() {
        check(failed(PollErrorKind::Unreachable), &[(false, false), (false, false), (true, true)]);
        check(failed(PollErrorKind::TimedOut), &[(true, true), (true, false), (false, false), (true, true)]);
    }

    #[test]
    fn a_target_that_is_polled_seldom_and_dies_is_polled_once() {
        check(
            Lookout::default(),
            &[(true, false), (false, true), (false, false), (true, false), (false, true)],
        );
    }

    #[test]
    fn a_target_is_looked_at_while_it_is_silent_or_polled_seldom() {
        let two = Duration::from_secs(2);
        assert_eq!(Lookout::default().each(two, false), None);
        assert_eq!(Lookout::default().each(two, true), Some(two));
        assert_eq!(failed(PollErrorKind::TimedOut).each(two, false), Some(LOOK_EACH));
    }

    #[track_caller]
    fn rests(kind: PollErrorKind, silent: Option<u64>, answering: Option<u64>) {
        let mut lookout = failed(kind);
        let two = Duration::from_secs(2);
        assert_eq!(lookout.rest(two, LONGEST), silent.map(Duration::from_secs), "{kind:?}, knocks fail");
        lookout.knocked(true);
        assert_eq!(
            lookout.rest(two, LONGEST),
            answering.map(Duration::from_secs),
            "{kind:?}, knocks succeed"
        );
    }

    #[test]
    fn what_mends_itself_is_tried_again_soon_and_what_a_person_must_mend_is_not() {
        rests(PollErrorKind::NotReady, Some(1), Some(1));
        rests(PollErrorKind::Unreachable, Some(30), Some(2));
        rests(PollErrorKind::TimedOut, Some(30), Some(2));
        rests(PollErrorKind::Failed, Some(30), Some(2));
        rests(PollErrorKind::Credentials, None, None);
        rests(PollErrorKind::Configuration, None, None);
    }
}
