//! Which library owns a queue: told apart by evidence, never by one sign alone.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The library and its generation. The generations of BullMQ differ in how workers are woken and where waiting jobs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Family {
    /// Bull 3 or 4.
    Bull,
    /// BullMQ of this major version (3 to 6).
    BullMq(u8),
    /// BullMQ, generation not known.
    #[default]
    BullMqUnknown,
    /// BullMQ Pro: grouped jobs live in keys of their own, so nothing is changed there.
    Pro,
}

impl Family {
    /// The generation as scripts are told: 0 for Bull, the major version of BullMQ, -1 where that is not known.
    #[must_use]
    pub const fn generation(self) -> i8 {
        match self {
            Self::Bull => 0,
            Self::BullMq(major) => major.cast_signed(),
            Self::BullMqUnknown | Self::Pro => -1,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bull => f.write_str("Bull"),
            Self::BullMq(major) => write!(f, "BullMQ {major}"),
            Self::BullMqUnknown => f.write_str("BullMQ"),
            Self::Pro => f.write_str("BullMQ Pro"),
        }
    }
}

/// What was seen of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one queue")]
pub struct Signs {
    /// Blocking command of a connected worker: `bzpopmin` or `brpoplpush`.
    pub worker_command: Option<String>,
    /// `version` in the meta hash.
    pub version: Option<String>,
    /// The meta hash has `opts.maxLenEvents`.
    pub has_event_limit: bool,
    /// The `events` stream exists.
    pub events: bool,
    /// The `marker` key exists.
    pub marker: bool,
    /// The `pc` counter exists.
    pub priority_counter: bool,
    /// The `priority` index exists (Bull and BullMQ 3).
    pub priority_index: bool,
}

/// The library by these signs, and why. A connected worker is believed before what the meta hash says.
#[must_use]
pub fn family(signs: &Signs) -> (Family, String) {
    let version = signs.version.as_deref().unwrap_or_default();
    if version.starts_with("bullmq-pro") {
        return (Family::Pro, format!("meta says {version}"));
    }
    let stated: Option<u8> = version
        .rsplit(':')
        .next()
        .and_then(|number| number.split('.').next())
        .and_then(|major| major.parse().ok());
    let new_worker = signs.worker_command.as_deref() == Some("bzpopmin");
    let is_bullmq = signs.events || signs.has_event_limit || stated.is_some() || new_worker;
    if !is_bullmq {
        return (Family::Bull, "it has no event stream".to_owned());
    }
    let said =
        if version.is_empty() { "meta names no version".to_owned() } else { format!("meta says {version}") };
    match signs.worker_command.as_deref() {
        Some("bzpopmin") => {
            let major = stated.filter(|major| *major >= 5).unwrap_or(5);
            return (Family::BullMq(major), format!("a worker of version 5 or newer is connected; {said}"));
        }
        Some("brpoplpush" | "brpop" | "blmove") => {
            let major =
                stated.filter(|major| *major <= 4).unwrap_or(if signs.priority_counter { 4 } else { 3 });
            return (Family::BullMq(major), format!("a worker of version 4 or older is connected; {said}"));
        }
        Some(_) | None => {}
    }
    match stated {
        Some(major) => (Family::BullMq(major), said),
        None if signs.marker => (Family::BullMq(5), "it has a marker".to_owned()),
        None if signs.priority_counter => {
            (Family::BullMqUnknown, "it has a priority counter (4 or newer)".to_owned())
        }
        None if signs.priority_index => (Family::BullMq(3), "it has a priority index".to_owned()),
        None => (Family::BullMqUnknown, said),
    }
}

/// What speaks against each other: a connected worker of one generation, and a queue that was last written by another. The generations
/// keep waiting jobs in different places, so that one does not see what the other added.
#[must_use]
pub fn mismatch(signs: &Signs) -> Option<String> {
    let version = signs.version.as_deref()?;
    let major: u8 = version.rsplit(':').next()?.split('.').next()?.parse().ok()?;
    let old = match signs.worker_command.as_deref()? {
        "bzpopmin" => false,
        "brpoplpush" | "brpop" | "blmove" => true,
        _ => return None,
    };
    (old != (major <= 4)).then(|| {
        let worker = if old { "4 or older" } else { "5 or newer" };
        format!("a worker of version {worker} is connected, and {version} wrote the queue")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(signs: &Signs, expected: Family) {
        assert_eq!(family(signs).0, expected, "{signs:?}");
    }

    #[test]
    fn a_worker_is_believed_before_the_meta_hash() {
        let events = Signs { events: true, ..Signs::default() };
        let with = |version: &str, command: Option<&str>| Signs {
            version: Some(version.to_owned()),
            worker_command: command.map(str::to_owned),
            ..events.clone()
        };
        check(&Signs::default(), Family::Bull);
        check(&with("bullmq:5.81.3", None), Family::BullMq(5));
        check(&with("bullmq:6.2.0", Some("bzpopmin")), Family::BullMq(6));
        check(&with("bullmq:6.2.0", Some("brpoplpush")), Family::BullMq(3));
        check(&with("bullmq:3.16.2", Some("bzpopmin")), Family::BullMq(5));
        check(&with("bullmq-pro:7.1.0", None), Family::Pro);
        check(&Signs { marker: true, ..events.clone() }, Family::BullMq(5));
        check(&Signs { priority_index: true, ..events.clone() }, Family::BullMq(3));
        check(&events, Family::BullMqUnknown);
    }

    #[test]
    fn generations_that_do_not_see_each_other_s_jobs() {
        let of = |version: &str, command: &str| {
            mismatch(&Signs {
                version: Some(version.to_owned()),
                worker_command: Some(command.to_owned()),
                ..Signs::default()
            })
        };
        assert!(of("bullmq:6.2.0", "brpoplpush").is_some_and(|why| why.contains("4 or older")));
        assert!(of("bullmq:3.16.2", "bzpopmin").is_some());
        assert_eq!(of("bullmq:5.81.3", "bzpopmin"), None);
        assert_eq!(of("bullmq:4.18.3", "brpoplpush"), None);
        assert_eq!(of("bullmq:6.2.0", "get"), None);
    }
}
