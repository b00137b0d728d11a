//! Who may change what, and until when. Read-only by default for anything that is not on this machine. Pure.

use super::action::Refusal;
use super::ids::TargetId;
use super::time::Now;
use super::whereabouts::Whereabouts;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long arming lasts, by whichever clock ends it first.
pub const ARMED_FOR: Duration = Duration::from_secs(600);

/// The longest and the shortest time for which it can be wanted.
pub const ARMED_MOST: Duration = Duration::from_secs(3600);
/// See [`ARMED_MOST`].
pub const ARMED_LEAST: Duration = Duration::from_secs(60);

/// What a target allows at all; the stricter is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing of it can be changed by us at all, wherever it is.
    Nothing,
    /// Simulated, or on this machine by its configuration's word: no arming is needed.
    Free,
    /// Its address is this machine's: free once the server itself gives the evidence that it is here, until then as elsewhere.
    WhenHere,
    /// Elsewhere: only while armed.
    WhenArmed,
    /// Its configuration forbids every change.
    Never,
}

/// What a stack of this machine is called that nobody named.
pub const LOCAL: &str = "local";

/// What is said of the whole stack: its name, and what may be done in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stance {
    /// The name of the environment.
    pub environment: String,
    /// Nobody gave that name.
    pub guessed: bool,
    /// Whether it is production.
    pub production: bool,
    /// Why everything is read-only, if it is.
    pub read_only: Option<String>,
}

impl Stance {
    /// The same, as far as `to` is stricter. A name that nobody gave goes before one that says more.
    #[must_use]
    pub fn tightened(&self, to: &Self) -> Self {
        let renames = self.guessed && !self.production && (to.production || self.environment == LOCAL);
        let named = if renames { to } else { self };
        Self {
            environment: named.environment.clone(),
            guessed: self.guessed && named.guessed,
            production: self.production || to.production,
            read_only: self.read_only.clone().or_else(|| to.read_only.clone()),
        }
    }
}

/// What the status line says about changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `--read-only`, the environment forbids actions, or every target does.
    ReadOnly,
    /// Read-only until somebody arms it.
    Disarmed,
    /// Armed for this much longer.
    Armed(Duration),
    /// Nothing here needs arming.
    Open,
}

/// The permission to carry out one action; the executor's guard looks at it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Permit {
    /// For which target.
    pub target: TargetId,
    /// Until when; `None` where no arming is needed.
    pub until: Option<Now>,
}

impl Permit {
    /// Whether it still holds for `target` at `now`.
    #[must_use]
    pub fn holds(&self, target: &TargetId, now: Now) -> bool {
        self.target == *target && self.until.is_none_or(|until| !now.expired(until))
    }
}

/// The state of arming for the whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Arming {
    /// The name of the environment: what has to be typed.
    pub environment: String,
    /// Production asks for a typed word with every action.
    pub production: bool,
    /// Why everything is read-only, if it is.
    pub read_only: Option<String>,
    access: BTreeMap<TargetId, Access>,
    /// What those allowed that were watched in this run and are not now: one that comes again allows no more.
    before: BTreeMap<TargetId, Access>,
    whereabouts: BTreeMap<TargetId, Whereabouts>,
    armed_until: Option<Now>,
    /// Nobody named the environment: what servers say of themselves does.
    guessed: bool,
}

impl Arming {
    /// Disarmed, with what each target allows.
    #[must_use]
    pub const fn new(
        environment: String,
        production: bool,
        read_only: Option<String>,
        access: BTreeMap<TargetId, Access>,
    ) -> Self {
        Self {
            environment,
            production,
            read_only,
            access,
            before: BTreeMap::new(),
            whereabouts: BTreeMap::new(),
            armed_until: None,
            guessed: false,
        }
    }

    /// The same where nobody named the environment.
    #[must_use]
    pub const fn guessed(mut self, guessed: bool) -> Self {
        self.guessed = guessed;
        self
    }

    /// Arms for [`ARMED_FOR`] when `typed` is the environment's name.
    ///
    /// # Errors
    /// As [`arm_for`](Self::arm_for).
    pub fn arm(&mut self, typed: &str, now: Now) -> Result<(), Refusal> {
        self.arm_for(typed, ARMED_FOR, now)
    }

    /// Arms for `span`, an hour at the most, when `typed` is the environment's name.
    ///
    /// # Errors
    /// When everything is read-only, or another name was typed.
    pub fn arm_for(&mut self, typed: &str, span: Duration, now: Now) -> Result<(), Refusal> {
        if let Some(why) = &self.read_only {
            return Err(Refusal::new(why.clone()));
        }
        if typed.trim() != self.environment {
            return Err(Refusal::new("that is not the name of this environment")
                .remedy(format!("type `{}` to arm it", self.environment)));
        }
        self.armed_until = Some(now.plus(span.min(ARMED_MOST)));
        Ok(())
    }

    /// Disarms at once.
    pub const fn disarm(&mut self) {
        self.armed_until = None;
    }

    /// Ends arming whose time is over, so that no clock that is set back brings it again.
    pub fn lapse(&mut self, now: Now) {
        if self.armed_until.is_some_and(|until| now.expired(until)) {
            self.armed_until = None;
        }
    }

    /// Takes in where `target` is, by what a poll brought. A name that nobody gave follows from it; it never becomes milder.
    pub fn learn(&mut self, target: &TargetId, found: Whereabouts) {
        let counts =
            self.guessed && matches!(self.access.get(target), Some(Access::WhenHere | Access::WhenArmed));
        match &found {
            Whereabouts::Production(_) if counts => self.rename("production", true),
            Whereabouts::Cloud(_) if counts && !self.production => self.rename("remote", false),
            Whereabouts::Unknown
            | Whereabouts::Here
            | Whereabouts::Elsewhere(_)
            | Whereabouts::Cloud(_)
            | Whereabouts::Production(_) => {}
        }
        self.whereabouts.insert(target.clone(), found);
    }

    fn rename(&mut self, environment: &str, production: bool) {
        if self.environment != environment {
            // What was typed was another word.
            self.disarm();
            environment.clone_into(&mut self.environment);
        }
        self.production = production;
    }

    /// Why `target` is to be treated as elsewhere; `None` where no arming is needed.
    fn elsewhere(&self, target: &TargetId, access: Access) -> Option<String> {
        let say = "`local = true` in its entry of the configuration says otherwise";
        let found = self.whereabouts.get(target).unwrap_or(&Whereabouts::Unknown);
        match (access, found) {
            (Access::Nothing | Access::Free, _) | (Access::WhenHere, Whereabouts::Here) => None,
            (Access::Never | Access::WhenArmed, _) => Some("is not on this machine".to_owned()),
            (Access::WhenHere, Whereabouts::Unknown) => {
                Some("has not said yet whether it is on this machine".to_owned())
            }
            (Access::WhenHere, Whereabouts::Elsewhere(why)) => {
                Some(format!("may be elsewhere ({why}; {say})"))
            }
            (Access::WhenHere, Whereabouts::Cloud(name)) => {
                Some(format!("is a managed service ({name}; {say})"))
            }
            (Access::WhenHere, Whereabouts::Production(why)) => {
                Some(format!("calls itself production ({why}; {say})"))
            }
        }
    }

    /// Takes in that targets have gone, and what those allow that have come. Where one is that has come must be learned anew, also where it
    /// has the name of one that has gone in this run; then what it allowed becomes no milder. Whoever armed it did not do so for what has come.
    pub fn exchange(&mut self, left: &[TargetId], joined: Vec<(TargetId, Access)>) {
        self.before.extend(left.iter().filter_map(|target| self.access.remove_entry(target)));
        for target in left {
            self.whereabouts.remove(target);
        }
        for (target, written) in joined {
            let access = self.before.remove(&target).map_or(written, |was| written.max(was));
            if matches!(access, Access::WhenHere | Access::WhenArmed) {
                self.disarm();
            }
            self.access.insert(target, access);
        }
    }

    /// Takes over what is stricter than what is in force; nothing becomes milder.
    pub fn tighten(&mut self, to: &Stance) {
        let now = Stance {
            environment: self.environment.clone(),
            guessed: self.guessed,
            production: self.production,
            read_only: self.read_only.clone(),
        };
        let then = now.tightened(to);
        if then.production && !now.production {
            // Who armed it did so for what was no production.
            self.disarm();
        }
        self.rename(&then.environment, then.production);
        self.guessed = then.guessed;
        self.read_only = then.read_only;
    }

    /// What the status line says at `now`.
    #[must_use]
    pub fn mode(&self, now: Now) -> Mode {
        let allows = |access: &Access| !matches!(access, Access::Never | Access::Nothing);
        if self.read_only.is_some() || !self.access.is_empty() && !self.access.values().any(allows) {
            return Mode::ReadOnly;
        }
        match self.armed_until {
            Some(until) if !now.expired(until) => Mode::Armed(now.left(until)),
            _ if self
                .access
                .iter()
                .any(|(target, access)| allows(access) && self.elsewhere(target, *access).is_some()) =>
            {
                Mode::Disarmed
            }
            _ => Mode::Open,
        }
    }

    /// The permission to change `target` at `now`.
    ///
    /// # Errors
    /// The reason why not, and what would permit it.
    pub fn permit(&self, target: &TargetId, now: Now) -> Result<Permit, Refusal> {
        if let Some(refusal) = self.forbids(target) {
            return Err(refusal);
        }
        let access = self.access.get(target).copied().unwrap_or(Access::Never);
        match (self.elsewhere(target, access), self.armed_until) {
            (None, _) => Ok(Permit { target: target.clone(), until: None }),
            (Some(_), Some(until)) if !now.expired(until) => {
                Ok(Permit { target: target.clone(), until: Some(until) })
            }
            (Some(why), _) => Err(Refusal::new(format!("{target} {why}, and stacktop is not armed"))
                .remedy(format!("arm `{}` first", self.environment))),
        }
    }

    /// Why nothing on `target` is changed in this run, armed or not.
    #[must_use]
    pub fn forbids(&self, target: &TargetId) -> Option<Refusal> {
        if let Some(why) = &self.read_only {
            return Some(Refusal::new(why.clone()));
        }
        let access = self.access.get(target).copied().unwrap_or(Access::Never);
        (access == Access::Never).then(|| {
            Refusal::new(format!("{target} is configured as read-only"))
                .remedy("remove `read_only` from it in the configuration")
        })
    }

    /// How many targets allow no change, whatever the status line says of the others.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.access.values().filter(|access| **access == Access::Never).count()
    }
}

#[cfg(test)]
mod tests;
