//! The rules about the WAL that is kept for readers, and about what comes to its end.

use super::parts::{DATABASES, Its, REPLICATION_SLOTS, SLOTS};
use crate::core::alert::RuleUnit::{Bytes, Seconds};
use crate::core::alert::Triage::{Capacity, Forecast};
use crate::core::alert::{Rule, RuleSpec, Severity};
use crate::core::place::Screen;
use crate::core::postgres::{PostgresReading, PostgresState};
use crate::core::text::{lasting, sized, tidy};
use crate::core::time::span_of;

pub(crate) static SLOT_RETAINED: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.slot_retained", "bytes of WAL kept for a slot nobody reads", Bytes, Capacity)
        .warning(1_073_741_824.0)
        .critical(10_737_418_240.0)
        .needs(&[REPLICATION_SLOTS])
        .root(),
    slot_retained,
);

pub(crate) static TIME_LEFT: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.time_left",
        "less than this until connections, transaction ids or a replication slot come to their end, at most a warning",
        Seconds,
        Forecast,
    )
    .warning(14_400.0)
    .needs(&[DATABASES, SLOTS, REPLICATION_SLOTS]),
    time_left,
);

fn slot_retained(its: &mut Its<'_>, reading: &PostgresReading) {
    for slot in reading.replication_slots.ready().into_iter().flatten() {
        let lost = slot.wal_status.as_deref() == Some("lost") || slot.invalid.is_some();
        let kept = slot.retained_bytes.unwrap_or_default();
        let grade = if lost { its.state(Severity::Critical) } else { its.grade(kept) };
        let Some(grade) = grade.filter(|_| !slot.active || lost) else {
            continue;
        };
        let name = tidy(&slot.name, 30);
        let sentence = if lost {
            let why = slot.invalid.as_ref().map_or(String::new(), |why| format!(" ({})", tidy(why, 30)));
            format!("replication slot {name} is lost{why}: its reader must be built anew")
        } else {
            let since = slot
                .inactive_seconds
                .map_or(String::new(), |seconds| format!(" since {}", lasting(span_of(seconds.max(0.0)))));
            format!("replication slot {name} has no reader{since} and keeps {} of WAL", sized(kept))
        };
        let breach = its.tell(grade, name, sentence).on(Screen::Replication);
        breach.say("bring its reader back; drop the slot only if that will never come");
    }
}

/// What comes to its end soon if it goes on like this.
fn time_left(its: &mut Its<'_>, reading: &PostgresReading) {
    for (what, left) in its.state.trends.ends(reading) {
        let Some(grade) = its.grade(left.as_secs_f64()).filter(|_| !left.is_zero()) else { continue };
        let sentence = format!("if it goes on like this, {what} in {}", lasting(left));
        its.tell(grade, what, sentence).say("stop what grows, or raise the limit");
    }
}
