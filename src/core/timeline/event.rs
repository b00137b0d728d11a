//! One thing that happened: what, where, when, in one sentence. Nothing is found out here.

use crate::core::alert::{Parted, Severity};
use crate::core::ids::{EventId, TargetId};
use crate::core::place::Place;
use crate::core::redact::logins;
use crate::core::text::tidy;
use crate::core::time::Now;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// A sentence is cut to so many columns: it may hold names that servers gave.
const COLUMNS: usize = 400;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A finding is there that was not.
    Began,
    /// It has become critical.
    Worsened,
    /// It is over.
    Ended,
    /// Everything of an incident is over.
    AllClear,
    /// An action was sent from here.
    Asked,
    /// What came of it.
    Outcome,
    /// What a look afterwards found.
    Looked,
    /// A server or a process began anew.
    Restarted,
    /// A process of a server died.
    Crashed,
    /// Another server answers at the address.
    Another,
    /// A primary became a copy, or the other way round.
    Role,
    /// A setting has another value.
    Setting,
    /// A queue was paused.
    Paused,
    /// A queue was resumed.
    Resumed,
    /// A version was seen for the first time.
    Version,
    /// A cluster has other nodes.
    Nodes,
    /// Counters were reset.
    Reset,
    /// A migration tool wrote a migration down.
    Migrated,
    /// A person or a pipeline has set a mark.
    Marked,
    /// Somebody has taken note of a finding, or takes that back.
    Noted,
    /// Nobody looked for a while.
    Unwatched,
    /// Targets have come or gone, by a list.
    Listed,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::Began,
        Self::Worsened,
        Self::Ended,
        Self::AllClear,
        Self::Asked,
        Self::Outcome,
        Self::Looked,
        Self::Restarted,
        Self::Crashed,
        Self::Another,
        Self::Role,
        Self::Setting,
        Self::Paused,
        Self::Resumed,
        Self::Version,
        Self::Nodes,
        Self::Reset,
        Self::Migrated,
        Self::Marked,
        Self::Noted,
        Self::Unwatched,
        Self::Listed,
    ];

    /// Its word, on the screen and in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Worsened => "worse",
            Self::Ended => "ended",
            Self::AllClear => "all clear",
            Self::Asked => "action",
            Self::Outcome => "outcome",
            Self::Looked => "looked",
            Self::Restarted => "restart",
            Self::Crashed => "crash",
            Self::Another => "other",
            Self::Role => "role",
            Self::Setting => "setting",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Version => "version",
            Self::Nodes => "nodes",
            Self::Reset => "reset",
            Self::Migrated => "migration",
            Self::Marked => "mark",
            Self::Noted => "noted",
            Self::Unwatched => "unwatched",
            Self::Listed => "targets",
        }
    }

    /// The kind with this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// The finding that an event is about.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// Its rule.
    pub rule: String,
    /// What exactly it is about.
    pub subject: String,
    /// How bad it was at the most.
    pub severity: Severity,
    /// When it began.
    pub since: Now,
    /// It was there at the first look already, and no server says since when.
    pub at_least: bool,
}

/// What somebody else says that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When, by the clock on the wall.
    pub at: DateTime<Utc>,
    /// What, and who says so.
    pub words: String,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number in this run.
    pub id: EventId,
    /// When it was noticed.
    pub at: Now,
    /// Where; nowhere in particular where it is about all of them.
    pub target: Option<TargetId>,
    /// What.
    pub kind: Kind,
    /// One sentence, safe to show and to keep.
    pub words: String,
    /// The finding that it is about, if it is about one.
    pub about: Option<About>,
    /// How long what ended had lasted.
    pub lasted: Option<Duration>,
    /// Why it is over for us alone, where nobody saw it end.
    pub parted: Option<Parted>,
    /// Where its details are, in this run.
    pub place: Option<Place>,
    /// It was written by an earlier run, or by another stacktop.
    pub kept: bool,
}

impl Event {
    /// Something that happened at `at`; its number comes when it is taken in.
    #[must_use]
    pub fn new(kind: Kind, target: Option<&TargetId>, at: Now, words: &str) -> Self {
        Self {
            id: EventId::default(),
            at,
            target: target.cloned(),
            kind,
            words: tidy(&logins(words), COLUMNS),
            about: None,
            lasted: None,
            parted: None,
            place: None,
            kept: false,
        }
    }

    /// Whether something is over that was seen to end: not where it is only watched no more.
    #[must_use]
    pub fn is_seen_over(&self) -> bool {
        matches!(self.kind, Kind::Ended | Kind::AllClear)
            && self.parted.is_none()
            && !self.words.starts_with(Parted::Unwatched.words())
    }

    /// What kind of thing happened, in a word: what nobody saw end has not ended.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.parted.map_or_else(|| self.kind.word(), Parted::word)
    }

    /// The same with the place where its details are.
    #[must_use]
    pub fn leading_to(self, place: Option<Place>) -> Self {
        Self { place, ..self }
    }

    /// How bad the finding is that it is about.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.about.as_ref().map(|about| about.severity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        let words: BTreeSet<&str> = Kind::ALL.into_iter().map(Kind::word).collect();
        assert_eq!(words.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert_eq!(Kind::named(kind.word()), Some(kind));
        }
        assert_eq!(Kind::named("nonsense"), None);
    }

    #[test]
    fn a_sentence_is_tame_and_holds_no_login() {
        let event =
            Event::new(Kind::Began, None, Now::example(0), "at redis://u:secret@h\u{1b}]0;x\u{7} it\nfails");
        assert!(!event.words.contains("secret") && !event.words.contains('\u{1b}'), "{}", event.words);
        assert!(event.words.ends_with("it fails"), "{}", event.words);
    }
}
