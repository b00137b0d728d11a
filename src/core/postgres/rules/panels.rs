//! The rules about panels of the team's own: values past their thresholds, and panels that watch nothing.

use super::{Scene, Screen, Severity, tidy};
use crate::core::postgres::{Look, SqlPanel, SqlTable};

const STEP: &str = "open it among the looks of the health screen";

impl Scene<'_> {
    /// Only panels with thresholds are asked while nobody looks.
    pub(super) fn panels(&mut self) {
        let (reading, state) = (self.reading, self.state);
        for panel in state.settings.panels.iter().filter(|panel| !panel.thresholds.is_empty()) {
            let look = Look::Panel(panel.name.clone());
            let Some(looked) = reading.looks.iter().find(|looked| looked.look == look) else { continue };
            let blind = match looked.table.ready() {
                Some(table) => {
                    self.past_thresholds(panel, table);
                    blind(panel, table)
                }
                None => looked.table.gap().map(|gap| tidy(&gap.note, 100)),
            };
            if let Some(why) = blind.filter(|_| self.rules.get("postgres.panel_blind").enabled) {
                let name = tidy(&panel.name, 40);
                let sentence = format!("panel {name} watches nothing: {why}");
                let step = "mend it in the configuration, or grant what it needs";
                let place = Self::on(Screen::Health);
                self.push(
                    "postgres.panel_blind",
                    &panel.name,
                    Severity::Warning,
                    sentence,
                    None,
                    0,
                    step,
                    place,
                );
            }
        }
    }

    fn past_thresholds(&mut self, panel: &SqlPanel, table: &SqlTable) {
        let graded = panel.thresholds.keys().flat_map(|column| {
            table.column(column).map(move |(row, text)| (panel.grade(column, text), row, column, text))
        });
        let bad: Vec<_> = graded.filter(|(grade, ..)| *grade > 0).collect();
        let worst = bad.iter().max_by_key(|(grade, ..)| *grade);
        let Some((grade, row, column, text)) = worst.filter(|_| self.rules.get("postgres.panel").enabled)
        else {
            return;
        };
        let severity = if *grade > 1 { Severity::Critical } else { Severity::Warning };
        let about = table.rows.get(*row).and_then(|cells| cells.first()?.as_deref()).unwrap_or_default();
        let about = if about == *text { String::new() } else { format!(" for {}", tidy(about, 40)) };
        let sentence = format!("{}: {column} is {}{about}", tidy(&panel.name, 40), tidy(text, 20));
        let place = Self::on(Screen::Health);
        self.push("postgres.panel", &panel.name, severity, sentence, None, bad.len(), STEP, place);
    }
}

/// Why a threshold of this panel can never be passed: its column is not there, or holds no number.
fn blind(panel: &SqlPanel, table: &SqlTable) -> Option<String> {
    panel.thresholds.keys().find_map(|column| {
        if !table.columns.contains(column) {
            let known = table.columns.join(", ");
            return Some(format!("there is no column {} among {}", tidy(column, 30), tidy(&known, 60)));
        }
        let mut texts = table.column(column);
        let (_, text) = texts.find(|(_, text)| SqlPanel::value(text).is_none())?;
        Some(format!("column {} is no number: {}", tidy(column, 30), tidy(text, 30)))
    })
}
