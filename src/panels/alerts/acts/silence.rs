//! A silence made from an alert, a group, the marked alerts, or matchers that are typed: for which alerts, until when, and why.

use crate::core::action::{Action, Offer, Refusal};
use crate::core::alertmanager::matcher::{read, written};
use crate::core::alertmanager::{
    AlertGroup, AlertmanagerAct, AlertmanagerRow, HeldAlert, Matcher, Matching, Silence,
};
use crate::core::row::RowKey;
use crate::core::text::{counted, tidy};
use crate::panels::alerts::acts::choice::{Choice, asking, offer, permitted};
use crate::panels::alerts::acts::ends::end;
use crate::panels::alerts::acts::meant::{Hit, Meant};
use crate::panels::alerts::acts::preview;
use crate::panels::alerts::target::{Seen, labels, named};
use crate::panels::panel::PanelContext;
use crate::ui::format::duration;
use std::collections::BTreeSet;

/// What is asked for.
const FOR: &str = "for how long (30m, 1h, 4h) or until 18:30 by this terminal's clock, then why";
const WITH: &str = "{matchers} as amtool has them, for how long (1h) or until 18:30, then why";

/// So long a silence is, if nobody says otherwise.
const USUAL: &str = "1h";
/// A comment that is suggested is cut to so many columns.
const COMMENT: usize = 120;

/// The letters: the alert (or those that are marked), its name in its group, its name everywhere, whatever is typed.
pub(super) const ONE: char = 's';
const GROUP: char = 'g';
const NAME: char = 'n';
const TYPED: char = 'm';

/// What may be done to the alert or group of `row`, the narrowest first.
pub(super) fn offers(context: PanelContext<'_>, row: &RowKey, marked: &[RowKey]) -> Vec<Offer> {
    let one = |letter, label: &str, effect: &str| {
        let (question, initial) = match (letter, wanted(context, row, marked, letter)) {
            (TYPED, Ok(Wanted { matchers, why, .. })) => {
                (WITH, format!("{} {USUAL} {why}", written(&matchers)))
            }
            (_, Ok(Wanted { why, .. })) => (FOR, format!("{USUAL} {why}")),
            (_, Err(refusal)) => return offer(letter, label, effect, Err(refusal)),
        };
        let choice = answer(context, row, marked, (letter, &initial));
        asking(offer(letter, label, effect, choice), question, initial)
    };
    let typed = one(TYPED, "silence by matchers", "they are typed: a=\"b\", c=~\"d.*\", e!=\"f\"");
    match row.alertmanager() {
        _ if !alerts_of(row, marked).is_empty() => {
            vec![one(ONE, "silence the marked alerts", "by what they have in common"), typed]
        }
        Some((_, AlertmanagerRow::Alert(_))) => vec![
            one(ONE, "silence this alert", "by all of its labels; what has these and more, too"),
            one(GROUP, "silence its name in its group", "the same alert for everything in its group"),
            one(NAME, "silence its name everywhere", "the same alert for whatever it is about"),
            typed,
        ],
        _ => vec![one(GROUP, "silence this group", "by the labels that it is made by"), typed],
    }
}

/// The alerts that are marked beside `row`, on the same Alertmanager.
fn alerts_of<'a>(row: &RowKey, marked: &'a [RowKey]) -> Vec<&'a str> {
    let one = |key: &'a RowKey| match key.alertmanager()? {
        (id, AlertmanagerRow::Alert(fingerprint)) if Some(id) == row.target() => Some(fingerprint.as_str()),
        _ => None,
    };
    marked.iter().filter_map(one).collect()
}

/// What is silenced under a letter.
struct Wanted {
    matchers: Vec<Matcher>,
    /// What is suggested as the reason.
    why: String,
    /// Whom somebody pointed at.
    meant: Meant,
}

/// What is silenced under `letter`.
fn wanted(
    context: PanelContext<'_>,
    row: &RowKey,
    marked: &[RowKey],
    letter: char,
) -> Result<Wanted, Refusal> {
    let seen = permitted(context, row)?;
    let of = alerts_of(row, marked);
    if !of.is_empty() {
        return of_marked(seen, &of, marked.len());
    }
    match row.alertmanager() {
        Some((_, AlertmanagerRow::Group { receiver, labels: by })) => {
            let group = seen.group(receiver, by).ok_or_else(|| Refusal::new("this group is over"))?;
            let names: BTreeSet<&str> = group.alerts.iter().map(HeldAlert::name).collect();
            let why = format!("{}, grouped by {by}", names.into_iter().collect::<Vec<_>>().join(", "));
            let all = group.alerts.iter().map(|alert| alert.fingerprint.clone()).collect();
            // A group that is made by no label is told by nothing: what is typed begins with what its alerts have in common.
            let matchers = if letter == TYPED && group.labels.is_empty() {
                common(&group.alerts.iter().collect::<Vec<_>>())
            } else {
                of_group(&group)
            };
            Ok(Wanted { matchers, why: tidy(&why, COMMENT), meant: Meant::Group(all) })
        }
        Some((_, AlertmanagerRow::Alert(fingerprint))) => {
            let alert = seen.reading.alerts().find(|alert| alert.fingerprint == *fingerprint);
            let alert = alert.ok_or_else(|| Refusal::new("this alert is over"))?;
            let name = Matcher::is("alertname", alert.name());
            let (matchers, about, meant) = match letter {
                GROUP => {
                    let (matchers, about) = in_group(seen, alert)?;
                    (matchers, about, Meant::Whoever)
                }
                NAME => (vec![name], alert.name().to_owned(), Meant::Whoever),
                _ => (common(&[alert]), named(alert), Meant::One(fingerprint.clone())),
            };
            let why = if alert.summary.is_empty() { about } else { format!("{about}: {}", alert.summary) };
            Ok(Wanted { matchers, why: tidy(&why, COMMENT), meant })
        }
        _ => Err(Refusal::new("there is no alert here")),
    }
}

/// What the marked alerts, of `marks` in all, have in common. A mark on what is over, or elsewhere, is not forgotten silently.
fn of_marked(seen: Seen<'_>, of: &[&str], marks: usize) -> Result<Wanted, Refusal> {
    let alerts: Vec<&HeldAlert> =
        seen.reading.alerts().filter(|alert| of.contains(&alert.fingerprint.as_str())).collect();
    if alerts.is_empty() {
        return Err(Refusal::new("the marked alerts are over").remedy("take the marks away"));
    }
    let names: BTreeSet<&str> = alerts.iter().map(|alert| alert.name()).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let why = format!("{names} ({})", counted(alerts.len(), "alert"));
    let meant = Meant::Marked {
        alerts: alerts.iter().map(|alert| alert.fingerprint.clone()).collect(),
        over: of.len() - alerts.len(),
        elsewhere: marks - of.len(),
    };
    Ok(Wanted { matchers: common(&alerts), why: tidy(&why, COMMENT), meant })
}

/// The name of an alert with the labels of its group.
fn in_group(seen: Seen<'_>, alert: &HeldAlert) -> Result<(Vec<Matcher>, String), Refusal> {
    let groups = seen.groups();
    let has = |group: &&AlertGroup| group.alerts.iter().any(|other| other.fingerprint == alert.fingerprint);
    let of = groups.iter().filter(has).find(|group| !group.labels.is_empty());
    let Some(group) = of else {
        return Err(Refusal::new("its group is made by no label").remedy("type matchers instead"));
    };
    let mut matchers = vec![Matcher::is("alertname", alert.name())];
    matchers.extend(of_group(group).into_iter().filter(|matcher| matcher.name != "alertname"));
    Ok((matchers, format!("{} in {}", alert.name(), labels(&group.labels))))
}

/// The labels that a group is made by. One that its alerts do not have is told as empty, and must not be there.
fn of_group(group: &AlertGroup) -> Vec<Matcher> {
    group.labels.iter().map(|(name, value)| Matcher::is(name, value)).collect()
}

/// What all of these have: each of their labels, with every value that one of them has.
fn common(alerts: &[&HeldAlert]) -> Vec<Matcher> {
    let Some(first) = alerts.first() else { return Vec::new() };
    let one = |(name, _): &(String, String)| {
        let values: BTreeSet<&str> = alerts.iter().map(|alert| alert.label(name)).collect();
        let all: Vec<&str> = values.into_iter().collect();
        all.iter().all(|value| !value.is_empty()).then(|| Matcher::one_of(name, &all))
    };
    first.labels.iter().filter_map(one).collect()
}

/// What comes of what was typed.
pub(super) fn answer(
    context: PanelContext<'_>,
    row: &RowKey,
    marked: &[RowKey],
    (letter, text): (char, &str),
) -> Choice {
    let (matchers, rest, meant) = match letter {
        TYPED => {
            let remedy = "write it as {alertname=\"Full\", host=~\"db.*\"} 1h why";
            let (matchers, rest) = read(text).map_err(|why| Refusal::new(why).remedy(remedy))?;
            // Whoever types means what is typed; marks are pointed at all the same.
            let marks = !alerts_of(row, marked).is_empty();
            let meant = if marks { wanted(context, row, marked, letter)?.meant } else { Meant::Whoever };
            (matchers, rest, meant)
        }
        ONE | GROUP | NAME => {
            let Wanted { matchers, meant, .. } = wanted(context, row, marked, letter)?;
            (matchers, text, meant)
        }
        _ => return Err(Refusal::new("nothing is asked for here")),
    };
    let seen = permitted(context, row)?;
    let (end, comment) = end(context, rest)?;
    if comment.is_empty() {
        return Err(Refusal::new("others must know why")
            .remedy("write the reason behind the end, as `1h the disk is being replaced`"));
    }
    let matching = Matching::of(&matchers).map_err(Refusal::new)?;
    if let Some(why) = matching.too_wide() {
        return Err(Refusal::new(why).remedy("name what it is for: an alert, a host, a service"));
    }
    if matching.denies() && is_before_denials(seen) {
        return Err(Refusal::new(
            "this version of Alertmanager knows no != and !~, and would take them for their opposites",
        )
        .remedy("0.22 and later know them"));
    }
    if let Some(same) = seen.reading.standing().find(|one| one.begins_in.is_none() && is_same(one, &matchers))
    {
        let left = duration(seen.left(same.ends_in));
        return Err(Refusal::new(format!("{} silences the same for {left} more", same.author))
            .remedy("extend that silence"));
    }
    let mut quiet: Vec<&HeldAlert> =
        seen.reading.alerts().filter(|alert| matching.holds(|name| alert.label(name))).collect();
    preview::worst_first(&mut quiet);
    let act = AlertmanagerAct::Silence {
        matchers,
        end,
        author: context.who.to_owned(),
        comment: comment.to_owned(),
        quiet: quiet.iter().map(|alert| alert.fingerprint.clone()).collect(),
    };
    let preview = preview::silence(context, seen, &act, &Hit::of(seen, quiet, &meant)?, letter);
    Ok((Action::Alertmanager { target: seen.target.id.clone(), act }, preview))
}

/// Whether a silence is for the same alerts.
fn is_same(silence: &Silence, matchers: &[Matcher]) -> bool {
    let (mut ours, mut theirs) = (matchers.to_vec(), silence.matchers.clone());
    ours.sort();
    theirs.sort();
    ours == theirs
}

/// Whether it is of a version that takes `isEqual: false` for true: it came with 0.22.
fn is_before_denials(seen: Seen<'_>) -> bool {
    let Some(status) = seen.reading.status.ready() else { return false };
    let mut numbers = status.version.trim_start_matches('v').split('.');
    let mut number = || numbers.next().and_then(|number| number.parse::<u32>().ok());
    matches!((number(), number()), (Some(0), Some(minor)) if minor < 22)
}
