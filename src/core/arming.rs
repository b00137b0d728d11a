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
mod tests {
    use super::*;

    fn arming(read_only: Option<&str>) -> Arming {
        let access = BTreeMap::from([
            (TargetId::new("here"), Access::Free),
            (TargetId::new("there"), Access::WhenArmed),
            (TargetId::new("never"), Access::Never),
        ]);
        Arming::new("prod-eu".to_owned(), true, read_only.map(str::to_owned), access)
    }

    #[track_caller]
    fn allowed(arming: &Arming, target: &str, at: u64) -> bool {
        arming.permit(&TargetId::new(target), Now::example(at)).is_ok()
    }

    /// What holds after `before`, once `to` is written.
    #[track_caller]
    fn tightened(before: (&str, bool, bool), to: (&str, bool, bool), expected: (&str, bool, bool)) {
        let of = |(environment, guessed, production): (&str, bool, bool)| {
            let environment = environment.to_owned();
            Stance { environment, guessed, production, read_only: None }
        };
        assert_eq!(of(before).tightened(&of(to)), of(expected));
    }

    #[test]
    fn only_what_is_stricter_is_taken_over() {
        tightened(("local", true, false), ("remote", true, false), ("remote", true, false));
        tightened(("local", true, false), ("production", true, true), ("production", true, true));
        tightened(("production", true, true), ("local", true, false), ("production", true, true));
        tightened(("shop", false, false), ("shop-prod", false, true), ("shop", false, true));
        tightened(("shop", false, false), ("other", false, false), ("shop", false, false));
        let mut arming = arming(None);
        arming.production = false;
        assert!(arming.arm("prod-eu", Now::example(0)).is_ok());
        let stance = Stance {
            environment: "other".to_owned(),
            guessed: false,
            production: true,
            read_only: Some("c.toml says read_only = true".to_owned()),
        };
        arming.tighten(&stance);
        assert!(arming.production && arming.environment == "prod-eu");
        assert!(!allowed(&arming, "here", 1));
        arming.tighten(&Stance { production: false, read_only: None, ..stance });
        assert!(arming.production && arming.read_only.is_some());
    }

    #[test]
    fn what_was_learned_of_a_target_goes_with_it() {
        let mut arming = arming(None);
        let target = TargetId::new("db");
        arming.exchange(&[], vec![(target.clone(), Access::WhenHere)]);
        arming.learn(&target, Whereabouts::Here);
        assert!(allowed(&arming, "db", 0));
        arming.exchange(std::slice::from_ref(&target), vec![(target.clone(), Access::WhenHere)]);
        assert!(!allowed(&arming, "db", 0), "another server may have its name");
        arming.exchange(&[target], Vec::new());
        assert!(arming.forbids(&TargetId::new("db")).is_some());
    }

    #[test]
    fn what_has_gone_and_comes_again_allows_no_more_than_it_did() {
        let mut arming = arming(None);
        let (never, there) = (TargetId::new("never"), TargetId::new("there"));
        arming.exchange(&[never.clone(), there.clone()], Vec::new());
        arming.exchange(&[], vec![(TargetId::new("other"), Access::Free)]);
        arming.exchange(&[], vec![(never.clone(), Access::Free), (there.clone(), Access::Never)]);
        assert!(arming.forbids(&never).is_some() && arming.forbids(&there).is_some());
        arming.exchange(std::slice::from_ref(&there), Vec::new());
        arming.exchange(&[], vec![(there.clone(), Access::Free)]);
        assert!(arming.forbids(&there).is_some(), "it became stricter meanwhile");
    }

    #[test]
    fn what_has_come_is_not_armed_and_under_a_known_name_allows_no_more_than_before() {
        use Access::{Free, Never, WhenArmed, WhenHere};
        let every = [Free, WhenHere, WhenArmed, Never];
        let target = TargetId::new("db");
        let left = std::slice::from_ref(&target);
        for (at, was) in every.into_iter().enumerate() {
            for (to, written) in every.into_iter().enumerate() {
                let mut arming = arming(None);
                arming.exchange(&[], vec![(target.clone(), was)]);
                arming.arm("prod-eu", Now::example(0)).unwrap();
                arming.exchange(left, vec![(target.clone(), written)]);
                let holds = every[at.max(to)];
                assert_eq!(arming.access[&target], holds, "{was:?} {written:?}");
                assert_eq!(allowed(&arming, "db", 1), holds == Free, "{was:?} {written:?}");
                assert_eq!(
                    allowed(&arming, "there", 1),
                    matches!(holds, Free | Never),
                    "{was:?} {written:?}"
                );
            }
        }
        let mut arming = arming(None);
        arming.arm("prod-eu", Now::example(0)).unwrap();
        arming.exchange(&[TargetId::new("here")], Vec::new());
        assert!(allowed(&arming, "there", 1), "what has gone alone changes nothing for the others");
    }

    #[test]
    fn elsewhere_needs_arming_with_the_name_and_it_ends() {
        let mut arming = arming(None);
        assert!(allowed(&arming, "here", 0));
        assert!(!allowed(&arming, "there", 0));
        assert!(!allowed(&arming, "never", 0));
        assert!(!allowed(&arming, "unknown", 0));
        assert!(arming.arm("prod", Now::example(0)).is_err());
        assert_eq!(arming.mode(Now::example(0)), Mode::Disarmed);
        arming.arm("prod-eu", Now::example(0)).unwrap();
        assert!(allowed(&arming, "there", 599));
        assert!(!allowed(&arming, "never", 1));
        assert!(!allowed(&arming, "there", 600));
        assert_eq!(arming.mode(Now::example(19)), Mode::Armed(Duration::from_secs(581)));
        assert_eq!(arming.mode(Now::example(600)), Mode::Disarmed);
    }

    #[test]
    fn what_can_never_be_changed_opens_nothing_and_needs_no_arming() {
        use Access::{Free, Never, Nothing, WhenArmed};
        let mode = |all: &[Access]| {
            let named = all.iter().enumerate().map(|(at, access)| (TargetId::new(&at.to_string()), *access));
            Arming::new("shop".to_owned(), false, None, named.collect()).mode(Now::example(0))
        };
        assert_eq!(mode(&[Never, Nothing]), Mode::ReadOnly);
        assert_eq!(mode(&[Nothing]), Mode::ReadOnly);
        assert_eq!(mode(&[Free, Nothing]), Mode::Open);
        assert_eq!(mode(&[Free, Never, WhenArmed]), Mode::Disarmed);
    }

    #[test]
    fn armed_at_night_and_asleep_until_morning_is_not_armed() {
        let mut arming = arming(None);
        let armed_at = Now::example(0);
        arming.arm("prod-eu", armed_at).unwrap();
        let permit = arming.permit(&TargetId::new("there"), armed_at).unwrap();
        // Each clock alone ends it; an hour back on the wall prolongs nothing.
        let morning = chrono::Duration::hours(7);
        for (mono, wall) in [
            (armed_at.mono, armed_at.wall + morning),
            (armed_at.plus(ARMED_FOR).mono, armed_at.wall - chrono::Duration::hours(1)),
        ] {
            let now = Now { mono, wall };
            assert_eq!(arming.mode(now), Mode::Disarmed);
            assert!(arming.permit(&TargetId::new("there"), now).is_err());
            assert!(!permit.holds(&TargetId::new("there"), now));
        }
        arming.lapse(Now { wall: armed_at.wall + morning, ..armed_at });
        assert_eq!(arming.mode(armed_at), Mode::Disarmed, "a clock that is set back brings nothing back");
    }

    #[test]
    fn an_address_of_this_machine_is_no_evidence() {
        let elsewhere = || Whereabouts::Elsewhere("it sees us as 10.0.0.1:1".to_owned());
        let production = || Whereabouts::Here.saying(&[("cluster_name", "prod")]);
        let cloud = || Whereabouts::Cloud("rds_superuser".to_owned());
        for (access, found, free, says) in [
            (Access::WhenHere, None, false, "has not said yet"),
            (Access::WhenHere, Some(Whereabouts::Here), true, ""),
            (Access::WhenHere, Some(elsewhere()), false, "`local = true`"),
            (Access::WhenHere, Some(cloud()), false, "managed service"),
            (
                Access::WhenHere,
                Some(production()),
                false,
                "calls itself production (its cluster_name is prod",
            ),
            (Access::Free, Some(production()), true, ""),
            (Access::Free, Some(cloud()), true, ""),
            (Access::WhenArmed, Some(Whereabouts::Here), false, "not on this machine"),
        ] {
            let target = TargetId::new("db");
            let mut arming =
                Arming::new("local".to_owned(), false, None, BTreeMap::from([(target.clone(), access)]));
            if let Some(found) = found.clone() {
                arming.learn(&target, found);
            }
            let now = Now::example(0);
            let refused = arming.permit(&target, now).err();
            assert_eq!(refused.is_none(), free, "{access:?} {found:?}");
            assert_eq!(arming.mode(now) == Mode::Open, free, "{access:?} {found:?}");
            assert!(refused.is_none_or(|why| format!("{why:?}").contains(says)), "{access:?} {found:?}");
            arming.arm("local", now).unwrap();
            assert!(arming.permit(&target, now).is_ok());
        }
    }

    #[test]
    fn a_name_that_nobody_gave_follows_from_what_servers_say_and_never_becomes_milder() {
        let target = TargetId::new("db");
        let production = || Whereabouts::Elsewhere(String::new()).saying(&[("cluster_name", "prod-eu")]);
        let access = |access| BTreeMap::from([(target.clone(), access)]);
        let new = |access| Arming::new("local".to_owned(), false, None, access);
        let now = Now::example(0);
        let mut arming = new(access(Access::WhenHere)).guessed(true);
        arming.arm("local", now).unwrap();
        arming.learn(&target, production());
        assert_eq!((arming.environment.as_str(), arming.production), ("production", true));
        assert!(!allowed(&arming, "db", 0), "another word was typed");
        arming.learn(&target, Whereabouts::Cloud("rds".to_owned()));
        arming.learn(&target, Whereabouts::Here);
        assert_eq!((arming.environment.as_str(), arming.production), ("production", true));
        let mut cloud = new(access(Access::WhenHere)).guessed(true);
        cloud.learn(&target, Whereabouts::Cloud("rds".to_owned()));
        assert_eq!((cloud.environment.as_str(), cloud.production), ("remote", false));
        for mut arming in [new(access(Access::WhenHere)), new(access(Access::Free)).guessed(true)] {
            arming.learn(&target, production());
            assert_eq!(
                (arming.environment.as_str(), arming.production),
                ("local", false),
                "somebody said so"
            );
        }
    }

    #[test]
    fn read_only_refuses_everything() {
        let mut arming = arming(Some("started with --read-only"));
        assert!(!allowed(&arming, "here", 0));
        assert!(arming.arm("prod-eu", Now::example(0)).is_err());
        assert_eq!(arming.mode(Now::example(0)), Mode::ReadOnly);
    }

    #[test]
    fn a_permit_ends_with_the_arming_and_is_for_one_target() {
        let mut arming = arming(None);
        arming.arm("prod-eu", Now::example(0)).unwrap();
        let permit = arming.permit(&TargetId::new("there"), Now::example(1)).unwrap();
        assert!(permit.holds(&TargetId::new("there"), Now::example(2)));
        assert!(!permit.holds(&TargetId::new("here"), Now::example(2)));
        assert!(!permit.holds(&TargetId::new("there"), Now::example(600)));
    }
}
