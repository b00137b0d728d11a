//! The rules about a server as a copy, by its own limits; commits that wait for one; the newest backup.

use super::parts::{Its, SENDERS, SLOTS, STANDBY};
use crate::core::alert::RuleUnit::{Seconds, State};
use crate::core::alert::Triage::{Capacity, Lag, Saturation};
use crate::core::alert::{Rule, RuleSpec, Severity};
use crate::core::part::Part;
use crate::core::place::Screen;
use crate::core::postgres::{PostgresReading, PostgresState, Session};
use crate::core::text::{lasting, tidy};
use crate::core::time::span_of;

pub(crate) static ROTATION: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.rotation",
        "a copy that is of no use to its readers, by max_lag and max_latency of its target",
        State,
        Lag,
    )
    .hold(5)
    .needs(&[SENDERS, STANDBY]),
    rotation,
);

pub(crate) static SYNCHRONOUS: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.synchronous",
        "commits wait for a synchronous standby and none is connected",
        State,
        Saturation,
    )
    .hold(5)
    .needs(&[SLOTS, SENDERS])
    .root(),
    synchronous,
);

pub(crate) static BACKUP: Rule<PostgresState> = Rule::new(
    RuleSpec::new(
        "postgres.backup",
        "age of the newest backup file (`backups` of the target)",
        Seconds,
        Capacity,
    )
    .critical(93_600.0),
    backup,
);

pub(crate) static RECEIVER: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.receiver", "a standby that receives nothing", State, Lag)
        .hold(5)
        .needs(&[STANDBY])
        .root(),
    receiver,
);

/// The subject of a standby that receives nothing: how far behind it is stands in that finding.
pub(super) const RECEIVER_SUBJECT: &str = "receiver";

/// A standby that has a primary and receives nothing from it. The receiver is another session, too: of one that may not be seen nobody can
/// say that it is not there.
fn receives_nothing(reading: &PostgresReading) -> bool {
    let told = reading.hidden().is_none();
    reading.standby.ready().is_some_and(|standby| !standby.streams() && told && standby.has_upstream)
}

fn receiver(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some(grade) = its.state(Severity::Critical).filter(|_| receives_nothing(reading)) else { return };
    let age = its
        .state
        .standby_lag()
        .map_or(String::new(), |age| format!(", it is up to {} behind", lasting(span_of(age.max(0.0)))));
    let sentence = format!("standby receives nothing from its primary{age}");
    let breach = its.tell(grade, RECEIVER_SUBJECT, sentence).hits(1_u64, "copy").on(Screen::Replication);
    breach.say("check the primary and the network");
}

fn rotation(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some(rotation) = &its.state.settings.rotation else { return };
    let Some(why) = rotation.out(its.state.standby_lag(), reading.probe) else { return };
    let Some(grade) = its.state(Severity::Critical) else { return };
    let sentence = format!("{} would be taken out of rotation: {why}", tidy(&rotation.role, 24));
    let breach = its.tell(grade, "rotation", sentence).hits(1_u64, "copy").on(Screen::Replication);
    breach.say("keep readers away until it caught up");
}

fn synchronous(its: &mut Its<'_>, reading: &PostgresReading) {
    let Some(slots) = reading.slots.ready() else { return };
    let Some(senders) = reading.senders.ready() else { return };
    let names = slots.synchronous.trim();
    let confirmed = senders.iter().any(|sender| matches!(sender.sync.as_str(), "sync" | "quorum"));
    if names.is_empty() || confirmed || !reading.server.is_primary() {
        return;
    }
    let Some(grade) = its.state(Severity::Critical) else { return };
    let waits = |session: &&Session| {
        session.wait.as_ref().is_some_and(|(_, event)| event.eq_ignore_ascii_case("SyncRep"))
    };
    let hit = reading.sessions.ready().into_iter().flatten().filter(waits).count();
    let sentence =
        format!("commits wait for a synchronous standby ({}) and none is connected", tidy(names, 30));
    let breach = its.tell(grade, "standby", sentence).hits(hit, "session").on(Screen::Replication);
    breach.say("bring the standby back, or change synchronous_standby_names");
}

fn backup(its: &mut Its<'_>, reading: &PostgresReading) {
    match &reading.backup {
        Part::Ready(backup) => {
            let Some(grade) = its.grade(backup.age.as_secs_f64()) else { return };
            let sentence =
                format!("the last backup is {} old ({})", lasting(backup.age), tidy(&backup.path, 40));
            its.tell(grade, "backup", sentence).on(Screen::Replication).say("see why none was made");
        }
        Part::Unavailable(gap) => {
            let Some(grade) = its.state(Severity::Warning) else { return };
            let breach = its.tell(grade, "backup", gap.note.clone());
            breach.on(Screen::Replication).say("see `backups` of the target");
        }
        Part::NotAsked => {}
    }
}
