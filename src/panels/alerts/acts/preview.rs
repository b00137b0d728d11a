//! What a silence means before it is made, extended or ended: which alerts, one by one, until when, and what it does not do.

use crate::core::action::Preview;
use crate::core::alert::{Severity, always_fires};
use crate::core::alertmanager::matcher::written;
use crate::core::alertmanager::{AlertmanagerAct, End, HeldAlert};
use crate::core::text::counted;
use crate::panels::alerts::acts::choice::fact;
use crate::panels::alerts::acts::meant::Hit;
use crate::panels::alerts::target::{Seen, named, severity};
use crate::panels::panel::PanelContext;
use crate::ui::format::duration;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// From so many alerts on a typed word is asked for.
const MANY: usize = 10;
/// A silence that is longer than this is forgotten before it ends: a typed word is asked for.
const LONG: Duration = Duration::from_secs(7 * 86_400);

/// The worst before the others, then by name.
pub(super) fn worst_first(alerts: &mut [&HeldAlert]) {
    alerts.sort_by(|a, b| {
        let key = |alert: &HeldAlert| (named(alert), alert.fingerprint.clone());
        severity(b).cmp(&severity(a)).then_with(|| key(a).cmp(&key(b)))
    });
}

/// "3 alerts, 1 of them critical".
pub(super) fn how_many(alerts: &[&HeldAlert]) -> String {
    let critical = alerts.iter().filter(|alert| severity(alert) == Severity::Critical).count();
    match (alerts.len(), critical) {
        (all, 0) => counted(all, "alert"),
        (1, _) => "1 alert, which is critical".to_owned(),
        (all, critical) if all == critical => format!("{}, all of them critical", counted(all, "alert")),
        (all, critical) => format!("{}, {critical} of them critical", counted(all, "alert")),
    }
}

/// A moment by the clock of this terminal, and how far it is.
pub(super) fn moment(context: PanelContext<'_>, at: DateTime<Utc>) -> String {
    let left = duration((at - context.now.wall).to_std().unwrap_or_default());
    format!("{} (in {left})", at.with_timezone(&context.zone).format("%Y-%m-%d %H:%M"))
}

/// What a new silence means.
pub(super) fn silence(
    context: PanelContext<'_>,
    seen: Seen<'_>,
    act: &AlertmanagerAct,
    hit: &Hit<'_>,
    letter: char,
) -> Preview {
    let quiet = hit.all.as_slice();
    let mut facts = Vec::new();
    let mut long = false;
    if let AlertmanagerAct::Silence { matchers, end, author, comment, .. } = act {
        let at = match end {
            End::After(span) => context.now.plus(*span).wall,
            End::At(at) => *at,
        };
        long = (at - context.now.wall).to_std().is_ok_and(|left| left > LONG);
        facts.push(fact("alerts with", written(matchers)));
        let mutes = match quiet {
            [] => "no alert that is there now: look whether the matchers are as they should be".to_owned(),
            quiet => how_many(quiet),
        };
        facts.push(fact("mutes", mutes));
        facts.extend(hit.facts(seen));
        facts.push(fact("until", moment(context, at)));
        facts.push(fact("by", author));
        facts.push(fact("why", comment));
    }
    let always: Vec<&str> =
        quiet.iter().map(|alert| alert.name()).filter(|name| always_fires(name)).collect();
    if let Some(name) = always.first() {
        let but = format!("{name} must always fire: who waits for it raises an alarm when it stays away");
        facts.push(fact("but", but));
    }
    facts.push(fact("later, too", "every alert that comes until then and has these labels"));
    facts.push(fact(
        "not",
        "it mends nothing: what the alerts tell of goes on, and an alert that inhibits others goes on doing so",
    ));
    facts.extend(members(seen));
    Preview {
        title: format!("Silence {}", how_many(quiet)),
        facts,
        statement: act.statement(),
        confirm_key: letter,
        severe: quiet.len() > MANY || !hit.others.is_empty() || !always.is_empty() || long,
        word: None,
    }
}

/// Which Alertmanager is told, and who hears of it where there are several.
pub(super) fn members(seen: Seen<'_>) -> Vec<(String, String)> {
    let mut facts = vec![fact("in", format!("{} at {}", seen.target.id, seen.target.address))];
    let peers = seen.reading.status.ready().map_or(0, |status| status.peers);
    if peers > 1 {
        let words =
            format!("one of {} is told, the others hear of it within seconds", counted(peers, "member"));
        facts.push(fact("where", words));
    }
    facts
}

/// Whether so many alerts ask for a typed word.
pub(super) const fn are_many(alerts: &[&HeldAlert]) -> bool {
    alerts.len() > MANY
}
