//! What the rules about panels of the team's own share: those of a Prometheus and those of a Loki.

use super::PanelReading;
use crate::core::alert::{Judge, Judged, Severity};
use crate::core::text::tidy;

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
