//! A difference between two looks at one target, and how two values are compared of which either may not be known.

use crate::core::place::{Place, Screen};
use crate::core::text::tidy;
use crate::core::time::Now;
use crate::core::timeline::event::Kind;
use std::collections::BTreeMap;

/// A value of a setting is cut to so many columns.
const VALUE_COLUMNS: usize = 60;

/// What is different than at the look before.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::core::timeline) struct Change {
    pub(in crate::core::timeline) kind: Kind,
    pub(in crate::core::timeline) words: String,
    pub(in crate::core::timeline) place: Place,
    /// When, where a server says so; else when it was noticed.
    pub(in crate::core::timeline) at: Option<Now>,
}

impl Change {
    pub(super) const fn new(kind: Kind, words: String, place: Place) -> Self {
        Self { kind, words, place, at: None }
    }

    /// A server says when.
    pub(super) fn at(self, at: Option<Now>) -> Self {
        Self { at, ..self }
    }
}

/// A screen without a row.
pub(super) const fn on(screen: Screen) -> Place {
    Place { screen, row: None }
}

/// Keeps what is known now; both values where it was known before and is another one. What was not read this time stays known.
pub(super) fn moved<T: Clone + PartialEq>(known: &mut Option<T>, now: Option<T>) -> Option<(T, T)> {
    let now = now?;
    match known.replace(now.clone()) {
        Some(before) if before != now => Some((before, now)),
        Some(_) | None => None,
    }
}

/// Settings by their names.
pub(super) type Settings = BTreeMap<&'static str, Option<String>>;

/// The settings that have another value than before.
pub(super) fn set(known: &mut Settings, now: Settings, place: &Place) -> Vec<Change> {
    let shown = |value: &str| match tidy(value, VALUE_COLUMNS) {
        empty if empty.is_empty() => "nothing".to_owned(),
        value => value,
    };
    let mut changes = Vec::new();
    for (name, value) in now {
        if let Some((old, new)) = moved(known.entry(name).or_default(), value) {
            let words = format!("{name}: {} became {}", shown(&old), shown(&new));
            changes.push(Change::new(Kind::Setting, words, place.clone()));
        }
    }
    changes
}
