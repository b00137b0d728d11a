//! What may be done about a finding, as data: each front end words it and knows its own keys.

/// What stacktop itself can do; the row of the finding offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Cancel the statement of a session.
    Cancel,
    /// End a session.
    Terminate,
    /// End the idle sessions of a group of clients.
    TerminateGroup,
    /// Let a paused queue go on.
    Resume,
    /// Bring back or fail jobs that have lost their worker.
    Recover,
    /// Remove a scheduler and add it again.
    Reschedule,
    /// Free deduplication ids whose holder is gone.
    Free,
    /// End the script that holds the server.
    KillScript,
    /// Try the failed step of an index's lifecycle again.
    RetryStep,
    /// Take the block of a full disk off an index.
    Unblock,
    /// Switch the allocation of shards on again.
    Allocate,
}

impl Remedy {
    /// In the imperative.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Cancel => "cancel its query",
            Self::Terminate => "terminate its session",
            Self::TerminateGroup => "end a group of clients",
            Self::Resume => "resume it",
            Self::Recover => "bring each back or fail it",
            Self::Reschedule => "remove the scheduler, then add it again",
            Self::Free => "free the id",
            Self::KillScript => "end the script",
            Self::RetryStep => "mend the cause, then retry the step",
            Self::Unblock => "take the block off",
            Self::Allocate => "switch it on again when maintenance is over",
        }
    }
}

/// The next step of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something that stacktop can do on the row of the finding, with what should be known before.
    Act(Remedy, String),
    /// Something to look at.
    Look(String),
    /// Something that is done elsewhere.
    Say(String),
}

impl Default for Step {
    fn default() -> Self {
        Self::Say(String::new())
    }
}

impl Step {
    /// An act of which nothing need be known before.
    #[must_use]
    pub const fn act(remedy: Remedy) -> Self {
        Self::Act(remedy, String::new())
    }

    /// The step in words, without keys.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Act(remedy, note) if note.is_empty() => remedy.words().to_owned(),
            Self::Act(remedy, note) => format!("{} {note}", remedy.words()),
            Self::Look(words) | Self::Say(words) => words.clone(),
        }
    }
}
