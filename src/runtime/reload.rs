//! What reads the configuration again, and what it brings: what is in force for the app, and who asks and changes the targets that have come.

use crate::actions::gate::Entry;
use crate::app::msg::Reloaded;
use crate::core::ids::TargetId;
use crate::engine::Job;
use std::collections::HashMap;
use std::sync::Arc;

/// Reads the configuration again. It may wait for files.
#[derive(Clone)]
pub struct Reload(pub Arc<dyn Fn() -> Result<Reread, String> + Send + Sync>);

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reload")
    }
}

/// What it brings.
#[derive(Debug)]
pub struct Reread {
    /// What is in force for the app.
    pub reloaded: Reloaded,
    /// Who asks the targets that have come.
    pub jobs: Vec<Job>,
    /// What carries actions out there.
    pub entries: HashMap<TargetId, Entry>,
}
