//! One alert as it is followed: what was seen of it last, since when it is so, how far it has come and where it stands among others.

use super::{Breach, FindingKey, Heard, Severity, Triage};
use crate::core::history::Series;
use crate::core::text::lasting;
use crate::core::time::Now;
use std::time::Duration;

/// Between two samples that are kept of a finding's number: what a series holds reaches over a quarter of an hour.
pub(super) const SAMPLED: Duration = Duration::from_secs(3);

/// Why a finding is over for us, whatever has become of it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parted {
    /// Its target is watched no more.
    Unwatched,
    /// Its target is asked in another way since, and may be another server.
    Changed,
    /// It goes on, and another finding tells it: an alert about what was found here, too, or one that two servers tell of.
    Joined,
}

impl Parted {
    /// Its words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unwatched => "no longer watched",
            Self::Changed => "asked in another way",
            Self::Joined => "told by another row",
        }
    }

    /// What stands in the place of the word for something that is over.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unwatched | Self::Changed => "gone",
            Self::Joined => "joined",
        }
    }

    /// Whether nobody knows what has become of it: of what another row tells that one does.
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        match self {
            Self::Unwatched | Self::Changed => true,
            Self::Joined => false,
        }
    }

    /// The reason with these words.
    #[must_use]
    pub fn named(words: &str) -> Option<Self> {
        [Self::Unwatched, Self::Changed, Self::Joined].into_iter().find(|one| one.words() == words)
    }
}

/// How far an alert has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Seen, but not yet for as long as the rule asks.
    Pending,
    /// It holds.
    Firing,
    /// It held, and is over since then.
    Resolved(Now),
}

/// What is known of the moment since when something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onset {
    /// It began then.
    Seen,
    /// It was so already when somebody looked for the first time, or again after a gap: it may have begun before.
    OrEarlier,
}

/// One alert as it is followed: the newest breach, and since when.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What the newest evaluation saw.
    pub breach: Breach,
    /// When it began (what the server knows, or our first sight of it).
    pub since: Now,
    /// Whether that is when it began.
    pub onset: Onset,
    /// How far it has come.
    pub stage: Stage,
    /// Since when it is not so any more, while that must hold before it is over.
    pub clear: Option<Now>,
    /// Who has taken note of it.
    pub heard: Option<Heard>,
    /// Its number over time, as far as it was past its threshold; with what was before, where the rule follows it.
    pub past: Series,
    /// Why nobody follows it any more, where it is over for that reason alone.
    pub parted: Option<Parted>,
    /// When it was last seen, if since then nobody could look whether it still is so.
    pub unseen: Option<Now>,
    pub(super) seen: Now,
    pub(super) sampled: Option<Now>,
    /// What was before it began was looked for.
    pub(super) preceded: bool,
    /// Nobody was running for a while: when it is seen again, it begins then.
    pub(super) interrupted: bool,
    pub(super) rank: (Severity, Triage),
    pub(super) ranked_at: Now,
    pub(super) standing: bool,
}

impl Finding {
    /// Which it is.
    #[must_use]
    pub fn key(&self) -> FindingKey {
        self.breach.key()
    }

    /// How long it has been so, by the clock that nobody sets.
    #[must_use]
    pub const fn lasted(&self, now: Now) -> Duration {
        now.since(self.since)
    }

    /// When it ended, if it is over.
    #[must_use]
    pub const fn ended(&self) -> Option<Now> {
        match self.stage {
            Stage::Resolved(at) => Some(at),
            Stage::Pending | Stage::Firing => None,
        }
    }

    /// It tells what will be, not what is.
    #[must_use]
    pub fn is_forecast(&self) -> bool {
        self.rank.1 == Triage::Forecast
    }

    /// Another system has been saying it for so long that it is no news.
    #[must_use]
    pub const fn is_standing(&self) -> bool {
        self.standing
    }

    /// Where it stands in triage.
    #[must_use]
    pub const fn triage(&self) -> Triage {
        self.rank.1
    }

    /// What is measured here stands before what another system has been saying for long, and both before notes.
    pub(super) fn place(&self) -> u8 {
        match (self.rank.0, self.standing) {
            (Severity::Warning | Severity::Critical, false) => 0,
            (Severity::Warning | Severity::Critical, true) => 1,
            (Severity::Info, _) => 2,
        }
    }

    /// Its sentence, with its age where that is the newest that is known.
    #[must_use]
    pub fn sentence(&self, now: Now) -> String {
        // In front: the end of a sentence may have no room.
        let mut words = match &self.heard {
            Some(heard) => format!("({}) {}", heard.word(now), self.breach.sentence),
            None => self.breach.sentence.clone(),
        };
        if let Some(parted) = self.parted {
            words.push_str(&format!(" ({})", parted.words()));
        } else if let Some(seen) = self.unseen {
            words.push_str(&format!(" (as of {} ago)", lasting(now.since(seen))));
        } else if let Some(clear) = self.clear.filter(|_| self.stage == Stage::Firing) {
            words.push_str(&format!(" (recovering, clear for {})", lasting(now.since(clear))));
        }
        words
    }

    /// How bad it is now: while it recovers, it is no more than worth a look.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.clear {
            Some(_) => self.breach.severity.min(Severity::Warning),
            None => self.breach.severity,
        }
    }

    /// Keeps the number of the newest breach, or a gap.
    pub(super) fn sample(&mut self, value: Option<f64>, now: Now) {
        if self.sampled.is_none_or(|at| now.since(at) >= SAMPLED) {
            self.past.push(now, value);
            self.sampled = Some(now);
        }
    }
}
