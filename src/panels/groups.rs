//! What long lists of targets have in common: they are listed in groups, the worst first.

use super::panel::PanelContext;
use crate::core::alert::{Severity, Stage};
use crate::core::ids::TargetId;
use std::collections::BTreeMap;

/// So many targets are listed one by one; a longer list is one of groups.
pub(super) const LISTED_TO: usize = 12;

/// `members` by the group that `name` tells of each, in the order in which the groups came.
pub(super) fn grouped<'a, T>(
    members: impl Iterator<Item = T>,
    name: impl Fn(&T) -> &'a str,
) -> Vec<(&'a str, Vec<T>)> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut groups: Vec<(&str, Vec<T>)> = Vec::new();
    for member in members {
        let name = name(&member);
        let place = *places.entry(name).or_insert(groups.len());
        if place == groups.len() {
            groups.push((name, Vec::new()));
        }
        groups[place].1.push(member);
    }
    groups
}

/// The worst finding of each target.
pub(super) struct Worst<'a>(BTreeMap<&'a TargetId, Severity>);

impl<'a> Worst<'a> {
    /// Of the targets that are looked at.
    pub(super) fn of(context: PanelContext<'a>) -> Self {
        let mut worst = BTreeMap::new();
        for finding in context.findings().0.into_iter().filter(|finding| finding.stage == Stage::Firing) {
            let known = worst.entry(&finding.breach.target).or_insert(finding.breach.severity);
            *known = (*known).max(finding.breach.severity);
        }
        Self(worst)
    }

    /// How bad the worst that was found on `target` is.
    pub(super) fn on(&self, target: &TargetId) -> Option<Severity> {
        self.0.get(target).copied()
    }
}
