//! Who leads. What another system's rule says is one sentence about something that it saw a while ago; what is seen here to hit somebody is
//! there now, with its victims. So a word waits behind that, however loud it is, until something that is seen here is tied to it. Where
//! nothing of our own hits anybody, the word leads.

use crate::core::alert::{Finding, Severity, Triage};

/// Where a finding stands in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tied {
    /// It stands alone.
    Alone,
    /// Another one explains it.
    Explained,
    /// It explains another one.
    Explains,
}

/// What the order of a finding depends on, beside how bad it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice {
    /// Its kind.
    pub triage: Triage,
    /// How bad it is.
    pub severity: Severity,
    /// It counts somebody who is hit.
    pub hits: bool,
    /// Whether others are tied to it.
    pub tied: Tied,
    /// It recovers, or somebody has taken note of it.
    pub quiet: bool,
}

/// What speaks for telling a finding before others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// It is seen here, and it hits somebody, explains something or is critical.
    Seen,
    /// It is seen here, or tied to what is; nothing more.
    Plain,
    /// Somebody else says so, and nothing that is seen here is tied to it.
    Word,
}

impl Weight {
    pub(super) fn of(voice: Voice) -> Self {
        let explains = voice.tied == Tied::Explains;
        let hurts = match voice.triage {
            Triage::Told if voice.tied == Tied::Alone => return Self::Word,
            Triage::Told => false,
            Triage::Errors => true,
            Triage::Saturation | Triage::Latency => voice.hits || explains,
            // A copy that is behind, or a disk that fills, hits nobody yet.
            Triage::Lag | Triage::Capacity => explains,
            Triage::Silent | Triage::Forecast => return Self::Plain,
        };
        let bad = match voice.severity {
            Severity::Critical => true,
            Severity::Warning => hurts,
            Severity::Info => false,
        };
        if bad && !voice.quiet { Self::Seen } else { Self::Plain }
    }
}

/// It is seen, it is now, and it is no note.
fn is_there(finding: &Finding) -> bool {
    let unseen = matches!(finding.triage(), Triage::Silent | Triage::Forecast);
    !unseen && finding.severity() > Severity::Info
}

/// Findings (worst first) in the order in which they are told.
pub(super) fn in_order<'a>(
    findings: &[&'a Finding],
    weight: impl Fn(&Finding) -> Weight,
) -> Vec<&'a Finding> {
    let mut told = findings.to_vec();
    let last = told.iter().rposition(|finding| weight(finding) == Weight::Seen);
    if let Some(last) = last
        && told[..=last].iter().any(|finding| weight(finding) == Weight::Word)
    {
        // It is stable: among themselves they stay as they are. A word gives way to what is seen, and to nothing else.
        told[..=last].sort_by_cached_key(|finding| match weight(finding) {
            Weight::Seen => 0,
            Weight::Plain => 1,
            Weight::Word => 2,
        });
    }
    let worst = findings.iter().find(|finding| is_there(finding)).map(|finding| finding.severity());
    told.sort_by_key(|finding| {
        let severity = finding.severity();
        if finding.triage() == Triage::Silent {
            // It is worse than all that is seen, or nobody can say that all is well.
            return if worst.is_none_or(|worst| severity > worst) { 0 } else { 2 };
        }
        match severity {
            // What will be stands behind what is, also where that recovers or somebody has taken note of it.
            Severity::Warning | Severity::Critical if finding.is_forecast() => 3,
            Severity::Warning | Severity::Critical => 1,
            Severity::Info => 4,
        }
    });
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A warning of this kind that hits nobody and is tied to nothing.
    const fn voice(triage: Triage) -> Voice {
        Voice { triage, severity: Severity::Warning, hits: false, tied: Tied::Alone, quiet: false }
    }

    #[track_caller]
    fn check(voice: Voice, expected: Weight) {
        assert_eq!(Weight::of(voice), expected, "{voice:?}");
    }

    #[test]
    fn what_is_seen_to_hit_somebody_weighs_more_than_a_word() {
        let told = voice(Triage::Told);
        check(told, Weight::Word);
        check(Voice { severity: Severity::Critical, ..told }, Weight::Word);
        check(Voice { severity: Severity::Critical, tied: Tied::Explained, ..told }, Weight::Seen);
        check(Voice { tied: Tied::Explained, ..told }, Weight::Plain);
        let blocked = voice(Triage::Saturation);
        check(blocked, Weight::Plain);
        check(Voice { hits: true, ..blocked }, Weight::Seen);
        check(Voice { tied: Tied::Explains, ..blocked }, Weight::Seen);
        check(Voice { hits: true, quiet: true, ..blocked }, Weight::Plain);
        check(Voice { hits: true, severity: Severity::Info, ..blocked }, Weight::Plain);
        check(Voice { severity: Severity::Critical, ..blocked }, Weight::Seen);
        check(voice(Triage::Errors), Weight::Seen);
        // It counts a copy, which is nobody who is hit.
        let lag = voice(Triage::Lag);
        check(Voice { hits: true, ..lag }, Weight::Plain);
        check(Voice { tied: Tied::Explains, ..lag }, Weight::Seen);
        check(Voice { hits: true, tied: Tied::Explains, ..voice(Triage::Forecast) }, Weight::Plain);
        let silent = Voice { severity: Severity::Critical, ..voice(Triage::Silent) };
        check(Voice { hits: true, tied: Tied::Explains, ..silent }, Weight::Plain);
    }
}
