//! What may be done to alerts and silences, and what is said of it before.

mod choice;
mod ends;
mod meant;
mod preview;
mod silence;
mod standing;

use crate::core::action::{Action, Offer, Preview, Refusal};
use crate::core::alertmanager::{AlertmanagerRow, sent_by};
use crate::core::prometheus::{AlertingRule, PrometheusRow};
use crate::core::recipients::are_members;
use crate::core::row::RowKey;
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;

/// The alert of a watched Alertmanager that a rule of a Prometheus has sent: of those that this Prometheus names, where one of them is watched.
/// The members of one cluster hold the same silences: any of them will do. Of several that know nothing of each other none is picked here: the
/// others would go on telling people.
fn sent(context: PanelContext<'_>, row: &RowKey) -> Result<RowKey, Refusal> {
    let Some((id, PrometheusRow::Rule { group, name, labels })) = row.prometheus() else {
        return Err(Refusal::new("there is no alert here"));
    };
    let nowhere = || Refusal::new("this Prometheus is not watched");
    let server = context.target(id.as_str()).ok_or_else(nowhere)?;
    let reading = server.system.prometheus().and_then(|state| state.reading());
    let notable = reading.and_then(|reading| reading.rules.ready()).map_or(&[][..], |rules| &rules.notable);
    let is = |rule: &&AlertingRule| {
        (&rule.group, &rule.name, &rule.labels) == (group, name, labels) && rule.state == "firing"
    };
    let rule =
        notable.iter().find(is).ok_or_else(|| Refusal::new("this alert is over, or does not fire yet"))?;
    let of = |target: &TargetState| {
        Some((
            target.id.clone(),
            sent_by(target.system.alertmanager()?.reading()?, rule)?.fingerprint.clone(),
        ))
    };
    let told = context.recipients(server);
    let likely = told.likely().iter().copied().filter(|target| context.target(target.id.as_str()).is_some());
    let mut having: Vec<&TargetState> = likely.filter(|target| of(target).is_some()).collect();
    having.sort_by_key(|target| target.freshness(context.now).is_old());
    let mut apart: Vec<&TargetState> = Vec::new();
    for target in &having {
        if !apart.iter().any(|other| are_members(other, target)) {
            apart.push(target);
        }
    }
    let unanswered =
        |target: &&TargetState| target.system.alertmanager().is_some_and(|state| state.reading().is_none());
    if apart.is_empty()
        && let Some(waits) = context.targets().find(unanswered)
    {
        let words =
            format!("no Alertmanager that has answered has this alert; {} has not answered yet", waits.id);
        return Err(Refusal::new(words));
    }
    match apart.as_slice() {
        [] => Err(Refusal::new(
            "no Alertmanager that is watched has this alert, or it has several that may be it",
        )
        .remedy("name the one that this Prometheus tells as [[alertmanager]]")),
        [one] => {
            let (id, fingerprint) = of(one).ok_or_else(|| Refusal::new("this alert is over"))?;
            Ok(RowKey::Alertmanager(id, AlertmanagerRow::Alert(fingerprint)))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|target| target.id.as_str()).collect();
            let many = counted(names.len(), "Alertmanager");
            Err(Refusal::new(format!(
                "{many} that know nothing of each other have this alert: {}",
                names.join(", ")
            ))
            .remedy("silence it on the alerts screen, in each that is meant"))
        }
    }
}

/// What may be done to the alert of a rule of a Prometheus.
pub(in crate::panels) fn offers_of_rule(context: PanelContext<'_>, row: &RowKey) -> Vec<Offer> {
    if !matches!(row.prometheus(), Some((_, PrometheusRow::Rule { .. }))) {
        return Vec::new();
    }
    match sent(context, row) {
        Ok(alert) => offers(context, &alert, &[]),
        Err(refusal) => {
            let effect = "in the Alertmanager that has it";
            vec![choice::offer(silence::ONE, "silence this alert", effect, Err(refusal))]
        }
    }
}

/// What comes of a value that was typed for it.
pub(in crate::panels) fn answer_of_rule(
    context: PanelContext<'_>,
    row: &RowKey,
    typed: (char, &str),
) -> Result<(Action, Preview), Refusal> {
    answer(context, &sent(context, row)?, &[], typed)
}

/// What may be done to `row`, or to the marked ones.
pub(super) fn offers(context: PanelContext<'_>, row: &RowKey, marked: &[RowKey]) -> Vec<Offer> {
    match row.alertmanager() {
        Some((_, AlertmanagerRow::Silence(id))) => standing::offers(context, row, id, marked),
        Some((_, AlertmanagerRow::Alert(_) | AlertmanagerRow::Group { .. })) => {
            silence::offers(context, row, marked)
        }
        None => Vec::new(),
    }
}

/// What comes of a value that was typed.
pub(super) fn answer(
    context: PanelContext<'_>,
    row: &RowKey,
    marked: &[RowKey],
    (letter, text): (char, &str),
) -> Result<(Action, Preview), Refusal> {
    match row.alertmanager() {
        Some((_, AlertmanagerRow::Silence(id))) if letter == standing::EXTEND => {
            standing::extend(context, row, id, text)
        }
        Some((_, AlertmanagerRow::Alert(_) | AlertmanagerRow::Group { .. })) => {
            silence::answer(context, row, marked, (letter, text))
        }
        Some((_, AlertmanagerRow::Silence(_))) | None => Err(Refusal::new("nothing is asked for here")),
    }
}
