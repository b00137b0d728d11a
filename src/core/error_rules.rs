//! Errors a minute far above what is usual: one rule for lines wherever they are read, of which each system has its own name. Pure.

use super::alert::{Judge, Judged, Need, RuleSpec, RuleUnit, Triage};
use super::row::RowKey;
use super::text::{counted, tidy};

/// The part of a reading that it looks at.
pub(crate) const LEVELS: Need = Need("errors");
/// What is told where nobody watches that part.
pub(crate) const UNREAD: &str = "errors in the logs";
/// What one look, or a short one, cannot judge.
pub(crate) const UNLEARNED: &str = "errors in the logs, of which the usual number is known after ten minutes";

/// What is told of the rule of this name.
pub(crate) const fn spec(id: &'static str, about: &'static str) -> RuleSpec {
    RuleSpec::new(id, about, RuleUnit::Count, Triage::Errors)
        .warning(10.0)
        .hold(30)
        .over(60)
        .clear(60)
        .needs(&[LEVELS])
}

/// Tells of the stream called `name` (empty where it has none) that it has far more errors than is usual; a log of its own needs no name.
pub(crate) fn tell<S: Judged>(
    its: &mut Judge<'_, S>,
    (name, who): (&str, &str),
    (errors, usual): (f64, f64),
    row: RowKey,
) {
    let Some(grade) = its.grade(errors) else { return };
    let many = counted(errors as u64, "error");
    let usual = if usual < 1.0 { "less than one".to_owned() } else { format!("{usual:.0}") };
    let who = if who.is_empty() { String::new() } else { format!("{}: ", tidy(who, 40)) };
    let sentence = format!("{who}{many} a minute in the log, {usual} a minute over the hour before");
    let subject = format!("errors {name}");
    its.tell(grade, subject.trim_end(), sentence).row(row).look("open its lines");
}
