//! What opens on the alerts screen: a group, an alert, a silence.

use crate::core::alertmanager::{AlertmanagerRow, HeldAlert, Silence};
use crate::core::ids::TargetId;
use crate::panels::alerts::lists::alerts;
use crate::panels::alerts::target::{Seen, matchers, severity};
use crate::panels::panel::PanelContext;
use crate::ui::content::{Content, Line, Role, Section};
use crate::ui::format::duration;

fn one(sentence: impl AsRef<str>) -> Content {
    let lines = vec![Line::of(Role::Muted, sentence)];
    Content { title: String::new(), sections: vec![Section::lines("", lines)] }
}

pub(super) fn opened(context: PanelContext<'_>, id: &TargetId, row: &AlertmanagerRow) -> Content {
    let Some(seen) = Seen::named(id, context) else {
        return one(context.unread("the alerts"));
    };
    match row {
        AlertmanagerRow::Group { receiver, labels: by } => {
            let list = seen.group(receiver, by).map(|group| group.alerts).unwrap_or_default();
            let sections =
                vec![Section::table(format!("{by}, told to {receiver}"), alerts(seen, list.iter()))];
            Content { title: by.clone(), sections }
        }
        AlertmanagerRow::Alert(fingerprint) => {
            let Some(alert) = seen.reading.alerts().find(|alert| alert.fingerprint == *fingerprint) else {
                return one("this alert is over");
            };
            Content { title: alert.name().to_owned(), sections: of_alert(seen, alert) }
        }
        AlertmanagerRow::Silence(wanted) => match seen.reading.silence(wanted) {
            Some(silence) => Content { title: "silence".to_owned(), sections: of_silence(seen, silence) },
            None => one("this silence is over"),
        },
    }
}

fn of_alert(seen: Seen<'_>, alert: &HeldAlert) -> Vec<Section> {
    let mut lines = vec![match seen.held(alert) {
        Some(words) => Line::of(Role::Muted, words),
        None => Line::of(Role::of(severity(alert)), "active: nothing keeps it from people"),
    }];
    lines.extend(alert.active_for.map(|age| Line::text(format!("for {}", duration(seen.age(age))))));
    lines.extend((!alert.summary.is_empty()).then(|| Line::text(&alert.summary)));
    lines.push(Line::text(format!("told to {}", seen.receivers(alert).join(", "))));
    let labels = alert.labels.iter().map(|(name, value)| Line::text(format!("{name} = {value}"))).collect();
    vec![Section::lines(alert.name(), lines), Section::lines("Labels", labels)]
}

fn of_silence(seen: Seen<'_>, silence: &Silence) -> Vec<Section> {
    let ends = match (silence.over_for, silence.begins_in) {
        (Some(over), _) => format!("over since {}", duration(seen.age(over))),
        (None, Some(left)) => format!(
            "begins in {}, ends in {}",
            duration(seen.left(left)),
            duration(seen.left(silence.ends_in))
        ),
        (None, None) => format!("ends in {}", duration(seen.left(silence.ends_in))),
    };
    let lines = vec![
        Line::text(format!("made by {}: {}", silence.author, silence.comment)),
        Line::text(ends),
        Line::of(Role::Muted, format!("id {}, until {}", silence.id, silence.ends_at)),
    ];
    vec![
        Section::lines(matchers(silence), lines),
        Section::table("What it keeps quiet", alerts(seen, seen.reading.kept_by(&silence.id))),
    ]
}
