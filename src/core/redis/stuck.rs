//! A parent of a flow that waits in vain, and for whom.

use super::QueueRef;
use crate::core::text::tidy;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A parent that waits in vain for children of one queue: without an option that says otherwise it waits for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StuckParent {
    /// Its id.
    pub parent: String,
    /// The queue of the children.
    pub child: QueueRef,
    /// How many of them have failed, as far as that was looked at.
    pub failed: u64,
    /// The ids of those that no longer exist, as far as that was looked at.
    #[serde(default)]
    pub gone: Vec<String>,
    /// It waits for no child at all: the set of those that it waits for is gone. No queue is told then.
    #[serde(default)]
    pub childless: bool,
}

impl StuckParent {
    /// For which children that are not there any more it waits, in words; empty where it waits for none of these.
    #[must_use]
    pub fn waits(&self) -> String {
        match self.gone.as_slice() {
            _ if self.childless => {
                "waits for no child: the list of those that it waits for is gone".to_owned()
            }
            [] => String::new(),
            [id] => {
                let (id, child) = (tidy(id, 40), tidy(&self.child.to_string(), 40));
                format!("waits for child {id} of queue {child}, which no longer exists")
            }
            [id, ..] => {
                let (id, child) = (tidy(id, 40), tidy(&self.child.to_string(), 40));
                let count = self.gone.len();
                format!("waits for {count} children of queue {child}, which no longer exist ({id} is one)")
            }
        }
    }
}

/// How many parents these are: one may wait for children of several queues.
pub fn parents_of<'a>(stuck: impl IntoIterator<Item = &'a StuckParent>) -> usize {
    stuck.into_iter().map(|one| one.parent.as_str()).collect::<BTreeSet<&str>>().len()
}
