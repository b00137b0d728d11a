//! What was predicted of actions that were sent, until it is known whether it came. Bounded: the oldest is given up for a new one.

use crate::core::action::{Action, ActionError, Outcome, Verdict};
use crate::core::ids::TargetId;
use crate::core::prediction::{Checked, Prediction};
use crate::core::time::Now;
use crate::core::world::World;
use std::collections::VecDeque;

/// Predictions that are followed at once; nobody sends more actions within their time.
const MOST: usize = 32;

/// What is said of those that nobody could follow.
const LOST: &str = "not known: nobody looked for a while";

/// What is said of those that are about a target which nobody asks any more as it was asked then.
const PARTED: &str = "not known: what it is about is watched no more, or asked in another way";

/// One prediction.
#[derive(Clone, Debug, PartialEq)]
struct Open {
    /// The action's name in the audit trail, once it was carried out.
    id: Option<String>,
    action: Action,
    prediction: Prediction,
    sent: Now,
    /// Why nobody can say any more what came of it.
    lost: Option<&'static str>,
}

/// Predictions that are followed, and what came of the newest one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Foretold {
    open: VecDeque<Open>,
    told: Option<(String, String)>,
}

impl Foretold {
    /// An action was sent of which this was predicted.
    pub fn sent(&mut self, action: &Action, prediction: Prediction, now: Now) {
        if self.open.len() >= MOST {
            self.open.pop_front();
        }
        self.open.push_back(Open { id: None, action: action.clone(), prediction, sent: now, lost: None });
    }

    /// It was carried out; of what was not, nothing comes.
    pub fn done(&mut self, id: &str, action: &Action, result: &Result<Outcome, ActionError>) {
        let Some(at) = self.open.iter().position(|open| open.id.is_none() && open.action == *action) else {
            return;
        };
        let acted = match result {
            Ok(outcome) => matches!(outcome.verdict, Verdict::Done | Verdict::Partly | Verdict::Unknown),
            Err(error) => matches!(error, ActionError::Unknown(_)),
        };
        if acted {
            self.open[at].id = Some(id.to_owned());
        } else {
            self.open.remove(at);
        }
    }

    /// What came of those of which that is known now: the action's name in the audit trail, the action, and what is said.
    pub fn check(&mut self, world: &World, now: Now) -> Vec<(String, Action, Checked)> {
        let mut known = Vec::new();
        self.open.retain(|open| {
            let Some(id) = &open.id else { return true };
            let unknown = |why: &str| Checked { confirmed: false, words: why.to_owned() };
            let checked = open.lost.map(unknown).or_else(|| open.prediction.check(world, open.sent, now));
            let Some(checked) = checked else { return true };
            known.push((id.clone(), open.action.clone(), checked));
            false
        });
        if let Some((id, _, checked)) = known.last() {
            self.told = Some((id.clone(), checked.words.clone()));
        }
        known
    }

    /// What came of this action, if it is the newest of which that is known.
    #[must_use]
    pub fn told_of(&self, id: &str) -> Option<&str> {
        self.told.as_ref().filter(|(of, _)| of == id).map(|(_, words)| words.as_str())
    }

    /// Nobody looked for a while: when something ended meanwhile, nobody knows.
    pub fn interrupt(&mut self) {
        for open in &mut self.open {
            open.lost = Some(LOST);
        }
    }

    /// These targets are watched no more, or asked in another way: that something of them is over nobody says.
    pub fn part(&mut self, left: &[TargetId]) {
        for open in &mut self.open {
            if left.contains(open.action.target())
                || left.iter().any(|target| open.prediction.is_about(target))
            {
                open.lost = Some(PARTED);
            }
        }
    }
}
