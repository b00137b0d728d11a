//! The tests of who may change what.

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
            assert_eq!(allowed(&arming, "there", 1), matches!(holds, Free | Never), "{was:?} {written:?}");
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
        (Access::WhenHere, Some(production()), false, "calls itself production (its cluster_name is prod"),
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
        assert_eq!((arming.environment.as_str(), arming.production), ("local", false), "somebody said so");
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
