//! What the rules about panels of the team's own share: those of a Prometheus and those of a Loki.

use super::{PanelReading, PromQuery};
use crate::core::alert::{Judge, Judged, Severity};
use crate::core::row::RowKey;
use crate::core::text::tidy;

/// Series of panels that are past their panel's own threshold. `row` is the row of a series, by the panel's title and its labels.
pub(crate) fn past<'a, S: Judged>(
    its: &mut Judge<'a, S>,
    panels: &[PanelReading],
    query: impl Fn(&'a S, &str) -> Option<&'a PromQuery>,
    row: impl Fn(String, String) -> RowKey,
    step: &'static str,
) {
    let state = its.state;
    for panel in panels {
        let Some(query) = query(state, &panel.title) else { continue };
        for (labels, value) in panel.series.ready().into_iter().flatten() {
            let Some(grade) = query.grade(*value).filter(|grade| its.state(grade.severity).is_some()) else {
                continue;
            };
            let title = tidy(&panel.title, 40);
            let of = if labels.is_empty() { String::new() } else { format!(" ({})", tidy(labels, 60)) };
            let sentence = format!("{title} is {value:.2}{}{of}", query.unit);
            let row = row(panel.title.clone(), labels.clone());
            its.tell(grade, format!("{} {labels}", panel.title), sentence).row(row).look(step);
        }
    }
}

/// Panels that watch nothing, or not all that they are about; `step` is the next step.
pub(crate) fn blind<S: Judged>(its: &mut Judge<'_, S>, panels: &[PanelReading], step: &'static str) {
    let Some(grade) = its.state(Severity::Warning) else { return };
    for panel in panels {
        let title = tidy(&panel.title, 40);
        if let Some(gap) = panel.series.gap() {
            let sentence = format!("panel {title} watches nothing: {}", tidy(&gap.note, 100));
            its.tell(grade, panel.title.clone(), sentence).look(step);
        }
        if let Some(cut) = &panel.cut {
            its.tell(grade, format!("{} cut", panel.title), format!("panel {title}: {cut}")).look(step);
        }
    }
}
