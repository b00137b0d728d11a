//! Whom somebody pointed at, and whom the matchers that come of it hit beside: labels that alerts have in common fit others, too. Those
//! are named apart and before the others, so that nobody confirms them unseen.

use crate::core::action::Refusal;
use crate::core::alertmanager::HeldAlert;
use crate::core::text::counted;
use crate::panels::alerts::acts::choice::{NAMED, fact, one_by_one};
use crate::panels::alerts::target::{Seen, named};

/// Whom somebody pointed at, by fingerprint.
pub(super) enum Meant {
    /// This alert.
    One(String),
    /// The alerts of a group.
    Group(Vec<String>),
    /// The marked alerts, and how many marks are left out: what they were on is over, or elsewhere.
    Marked { alerts: Vec<String>, over: usize, elsewhere: usize },
    /// Whoever the matchers hold for.
    Whoever,
}

impl Meant {
    /// Whether this alert is among them; nothing where nobody was pointed at.
    fn has(&self, alert: &HeldAlert) -> Option<bool> {
        match self {
            Self::One(one) => Some(*one == alert.fingerprint),
            Self::Group(all) | Self::Marked { alerts: all, .. } => Some(all.contains(&alert.fingerprint)),
            Self::Whoever => None,
        }
    }

    /// What the others are not.
    const fn word(&self) -> &'static str {
        match self {
            Self::One(_) | Self::Whoever => "not this one",
            Self::Group(_) => "not of this group",
            Self::Marked { .. } => "not marked",
        }
    }
}

/// Whom a silence hits.
pub(super) struct Hit<'a> {
    /// All of them, the worst first.
    pub(super) all: Vec<&'a HeldAlert>,
    /// Those that nobody pointed at.
    pub(super) others: Vec<&'a HeldAlert>,
    /// What the others are not.
    word: &'static str,
    /// What is left out of what was pointed at, in words.
    left_out: Vec<String>,
}

impl<'a> Hit<'a> {
    /// The alerts that the matchers hold for, told apart by whom somebody pointed at.
    ///
    /// # Errors
    /// When there are more others than are named: nobody could see them all before.
    pub(super) fn of(seen: Seen<'_>, all: Vec<&'a HeldAlert>, meant: &Meant) -> Result<Self, Refusal> {
        let others: Vec<&HeldAlert> =
            all.iter().copied().filter(|alert| meant.has(alert) == Some(false)).collect();
        if others.len() > NAMED {
            let many = counted(others.len(), "alert");
            return Err(Refusal::new(format!(
                "it would also silence {many} that {} {}",
                if others.len() == 1 { "is" } else { "are" },
                meant.word()
            ))
            .remedy("silence fewer at once, or type matchers"));
        }
        let mut left_out = Vec::new();
        if let Meant::Marked { alerts, over, elsewhere } = meant {
            if *over > 0 {
                left_out.push(format!("{}: what was marked is over", counted(*over, "mark")));
            }
            if *elsewhere > 0 {
                left_out
                    .push(format!("{}: no alert, or none of this Alertmanager", counted(*elsewhere, "mark")));
            }
            let missed = seen.reading.alerts().filter(|alert| {
                alerts.contains(&alert.fingerprint)
                    && all.iter().all(|hit| hit.fingerprint != alert.fingerprint)
            });
            left_out.extend(missed.map(|alert| format!("{}, which is marked: it goes on", named(alert))));
        }
        Ok(Self { all, others, word: meant.word(), left_out })
    }

    /// Each alert on a line of its own: those that nobody pointed at before the others.
    pub(super) fn facts(&self, seen: Seen<'_>) -> Vec<(String, String)> {
        let is_other = |alert: &&&HeldAlert| self.others.iter().any(|other| std::ptr::eq(*other, **alert));
        let mut facts = Vec::new();
        if !self.others.is_empty() {
            let are = if self.others.len() == 1 { "is" } else { "are" };
            let words = format!("silences {} that {are} {}:", self.others.len(), self.word);
            facts.push(fact("also", words));
            facts.extend(one_by_one(seen, self.word, &self.others));
        }
        let meant: Vec<&HeldAlert> = self.all.iter().filter(|alert| !is_other(alert)).copied().collect();
        facts.extend(one_by_one(seen, "alert", &meant));
        facts.extend(self.left_out.iter().map(|words| fact("left out", words)));
        facts
    }
}
