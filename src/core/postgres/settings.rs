//! What the configuration says of a Postgres target beyond how it is reached.

use super::copies::Rotation;
use super::look::SqlPanel;

/// The settings of one Postgres target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PostgresSettings {
    /// When this copy is of use.
    pub rotation: Option<Rotation>,
    /// The team's own panels.
    pub panels: Vec<SqlPanel>,
}

impl PostgresSettings {
    /// The panel called `name`.
    #[must_use]
    pub fn panel(&self, name: &str) -> Option<&SqlPanel> {
        self.panels.iter().find(|panel| panel.name == name)
    }
}
