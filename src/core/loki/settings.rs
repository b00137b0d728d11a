//! What the configuration says of a Loki target beyond how it is reached.

use crate::core::prometheus::PromQuery;

/// The settings of one Loki target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LokiSettings {
    /// The configured panels: numbers, or lines.
    pub panels: Vec<PromQuery>,
}

impl LokiSettings {
    /// The panel called `title`.
    #[must_use]
    pub fn panel(&self, title: &str) -> Option<&PromQuery> {
        self.panels.iter().find(|panel| panel.title == title)
    }
}
