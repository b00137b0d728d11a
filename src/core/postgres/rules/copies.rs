//! The rules about what a server feeds: copies that are behind or gone, and subscriptions that nobody applies.

use super::parts::{Its, SENDERS, STANDBY, SUBSCRIPTIONS};
use super::standby::RECEIVER_SUBJECT as RECEIVER;
use crate::core::alert::RuleUnit::{Bytes, Seconds, State};
use crate::core::alert::Triage::Lag;
use crate::core::alert::{Grade, Rule, RuleSpec, Severity};
use crate::core::place::Screen;
use crate::core::postgres::{PostgresReading, PostgresState, Sender};
use crate::core::text::{sized, tidy};

pub(crate) static REPLICATION_LAG: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.replication_lag", "seconds that a copy is behind", Seconds, Lag)
        .clear(15)
        .warning(5.0)
        .hold(5)
        .needs(&[SENDERS, STANDBY]),
    lag,
);

pub(crate) static REPLICATION_BYTES: Rule<PostgresState> = Rule::threshold(
    RuleSpec::new("postgres.replication_bytes", "bytes that a copy is behind", Bytes, Lag)
        .warning(67_108_864.0)
        .critical(1_073_741_824.0)
        .hold(5)
        .needs(&[SENDERS, STANDBY]),
);

pub(crate) static COPY_GONE: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.copy_gone", "a copy that streamed and is gone", State, Lag)
        .hold(10)
        .needs(&[SENDERS]),
    gone,
);

pub(crate) static SUBSCRIPTION: Rule<PostgresState> = Rule::new(
    RuleSpec::new("postgres.subscription", "a subscription that is disabled or broken", State, Lag)
        .hold(10)
        .needs(&[SUBSCRIPTIONS])
        .root(),
    subscription,
);

/// The subject of what a standby says of itself.
pub(in crate::core) const OWN_LAG: &str = "self";

/// The subject of what a server says of a copy that it feeds.
pub(in crate::core) fn subject_of(sender: &Sender) -> String {
    tidy(if sender.name.is_empty() { &sender.client } else { &sender.name }, 24)
}

/// How bad that is for a copy of this name, which may have thresholds of its own.
fn grade(its: &Its<'_>, copy: &str, seconds: Option<f64>, bytes: f64) -> Option<Grade> {
    let by_time = seconds.and_then(|lag| its.grade_of(&REPLICATION_LAG, copy, lag));
    Grade::worse(by_time, its.grade_of(&REPLICATION_BYTES, copy, bytes))
}

fn lag(its: &mut Its<'_>, reading: &PostgresReading) {
    for sender in reading.senders.ready().into_iter().flatten() {
        fed(its, sender);
    }
    let Some(standby) = reading.standby.ready().filter(|_| !its.is_told(RECEIVER)) else { return };
    let bytes = standby.behind_bytes.unwrap_or_default();
    let seconds = its.state.standby_lag().filter(|_| bytes > 0.0);
    let Some(grade) = grade(its, its.target.as_str(), seconds, bytes) else { return };
    let paused = if standby.paused { " (replay is PAUSED)" } else { "" };
    let sentence = format!("standby is {} behind what it received{paused}", sized(bytes));
    let breach = its.tell(grade, OWN_LAG, sentence).hits(1_u64, "copy").on(Screen::Replication);
    if standby.paused {
        breach.say("SELECT pg_wal_replay_resume()");
    } else {
        breach.look("look for a long query on the standby");
    }
}

fn fed(its: &mut Its<'_>, sender: &Sender) {
    // Nothing outstanding means in sync, whatever an old measurement says.
    let bytes = sender.replay_bytes.unwrap_or_default();
    let seconds = sender.replay_seconds.filter(|_| bytes > 0.0);
    let name = if sender.name.is_empty() { &sender.client } else { &sender.name };
    let Some(grade) = grade(its, name, seconds, bytes) else { return };
    let name = subject_of(sender);
    let time = seconds.map_or(String::new(), |lag| format!(", {lag:.1} s"));
    let sentence = format!("copy {name} is {}{time} behind", sized(bytes));
    let breach = its.tell(grade, name, sentence).hits(1_u64, "copy").on(Screen::Replication);
    breach.look("look for a long query or slow disk there");
}

/// Copies that streamed and are gone: nobody else misses them where no slot waits for them.
fn gone(its: &mut Its<'_>, _: &PostgresReading) {
    let Some(grade) = its.state(Severity::Warning) else { return };
    for (name, client, since) in its.state.departed.gone() {
        let shown = if name.is_empty() { "without a name".to_owned() } else { tidy(name, 24) };
        let from = if client.is_empty() { "this machine".to_owned() } else { tidy(client, 40) };
        let sentence = format!("copy {shown} (from {from}) streamed and is gone");
        let since = its.now.since(since);
        let breach = its.tell(grade, format!("{name} {client}"), sentence).since(Some(since));
        breach
            .hits(1_u64, "copy")
            .on(Screen::Replication)
            .say("look whether it runs and reaches this server");
    }
}

/// Subscriptions that nobody applies.
fn subscription(its: &mut Its<'_>, reading: &PostgresReading) {
    let health = reading.health.ready();
    for one in health.and_then(|health| health.subscriptions.ready()).into_iter().flatten() {
        let name = format!("subscription {} in {}", tidy(&one.name, 30), tidy(&one.database, 30));
        let (severity, sentence, since, step) = if !one.enabled {
            let sentence =
                format!("{name} is disabled: it receives nothing, and its publisher keeps WAL for it");
            let step = "ALTER SUBSCRIPTION … ENABLE when its reason is gone, or drop it";
            (Severity::Warning, sentence, None, step)
        } else if let Some(since) = its.state.departed.trouble(one) {
            let why = if one.works { "its worker fails again and again" } else { "no worker applies it" };
            let since = Some(its.now.since(since));
            let step = "see the server's log for its error";
            (Severity::Critical, format!("{name} is broken: {why}"), since, step)
        } else {
            continue;
        };
        let Some(grade) = its.state(severity) else { return };
        let breach = its.tell(grade, format!("{} {}", one.database, one.name), sentence).since(since);
        breach.hits(1_u64, "").on(Screen::Replication).say(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::alert::{RuleSetting, Rulebook, judge};
    use crate::core::ids::TargetId;
    use crate::core::part::Part;
    use crate::core::time::Now;
    use crate::core::world::all_rules;

    /// How bad it is that copy `name` is two seconds behind, where `failover` may be behind by one, and by a tenth of that as a warning.
    #[track_caller]
    fn check(target: &str, name: &str, seconds: f64, expected: Option<Severity>) {
        let mut rules = Rulebook::defaults(&all_rules());
        let own = RuleSetting { warning: Some(0.1), critical: Some(1.0), ..rules.get(REPLICATION_LAG.id()) };
        assert!(rules.set_on("postgres.replication_lag", "failover", own));
        let sender = Sender {
            name: name.to_owned(),
            state: "streaming".to_owned(),
            replay_bytes: Some(100.0),
            replay_seconds: Some(seconds),
            ..Sender::default()
        };
        let mut state = PostgresState::default();
        let senders = Part::Ready(vec![sender]);
        state.absorb(PostgresReading { senders, ..PostgresReading::default() }, Now::example(0));
        let told = judge(&state, &TargetId::new(target), &rules, Now::example(0));
        assert_eq!(told.first().map(|breach| breach.severity), expected, "{told:?}");
    }

    #[test]
    fn each_copy_is_judged_by_its_own_thresholds() {
        check("pg", "reports", 2.0, None);
        check("pg", "reports", 5.0, Some(Severity::Warning));
        check("pg", "failover", 2.0, Some(Severity::Critical));
        check("pg", "failover", 0.2, Some(Severity::Warning));
        check("pg", "failover", 0.05, None);
        check("failover", "reports", 2.0, Some(Severity::Critical));
    }
}
