//! What is asked of a cluster only while somebody looks at it: each look by itself, never twice at once.

mod indices;
pub(super) mod server;
mod tasks;

use super::questions::PATIENCE;
use crate::core::focus::Focus;
use crate::core::part::Part;
use crate::core::search::{
    HotThreads, Indicator, Indices, Names, Recovery, SearchLook, SearchLooks, Snapshots, Tasks,
};
use crate::core::time::Now;
use crate::sources::beside::Beside;
use crate::sources::http::Http;
use std::sync::Arc;
use std::time::Duration;

/// The questions of looks, and what they brought last.
#[derive(Debug, Default)]
pub(super) struct Looks {
    tasks: Beside<Tasks>,
    recoveries: Beside<Vec<Recovery>>,
    indices: Beside<Indices>,
    names: Beside<Names>,
    snapshots: Beside<Snapshots>,
    diagnosis: Beside<Vec<Indicator>>,
    hot: Beside<HotThreads>,
    /// The node whose threads were asked for last.
    node: String,
    pub(super) known: SearchLooks,
}

impl Looks {
    /// Starts what is looked at and due; of a master that struggles less is asked.
    pub(super) fn ask(&mut self, http: &Arc<Http>, now: Now, focus: &[Focus], slower: u32) {
        for look in focus.iter().filter_map(Focus::cluster) {
            let (http, each) = (Arc::clone(http), look.each() * slower);
            match look {
                SearchLook::Tasks if self.tasks.is_due(now, each) => {
                    self.tasks.ask(now, async move { tasks::tasks(&http).await });
                }
                SearchLook::Recoveries if self.recoveries.is_due(now, each) => {
                    self.recoveries.ask(now, async move { indices::recoveries(&http).await });
                }
                SearchLook::Indices if self.indices.is_due(now, each) => {
                    self.indices.ask(now, async move { indices::indices(&http).await });
                }
                SearchLook::Names if self.names.is_due(now, each) => {
                    self.names.ask(now, async move { indices::names(&http).await });
                }
                SearchLook::Snapshots if self.snapshots.is_due(now, each) => {
                    self.snapshots.ask(now, async move { server::snapshots(&http).await });
                }
                SearchLook::Diagnosis if self.diagnosis.is_due(now, each) => {
                    self.diagnosis.ask(now, async move { server::diagnosis(&http).await });
                }
                SearchLook::HotThreads(node) => self.threads(http, now, node, each),
                SearchLook::Tasks
                | SearchLook::Recoveries
                | SearchLook::Indices
                | SearchLook::Names
                | SearchLook::Snapshots
                | SearchLook::Diagnosis => {}
            }
        }
    }

    /// Another node is asked at once: what is known is not of it.
    fn threads(&mut self, http: Arc<Http>, now: Now, node: &str, each: Duration) {
        let other = self.node != node;
        if self.hot.is_due(now, if other { Duration::ZERO } else { each }) {
            if other {
                node.clone_into(&mut self.node);
                self.known.hot = Part::NotAsked;
            }
            let node = node.to_owned();
            self.hot.ask(now, async move { server::hot_threads(&http, node).await });
        }
    }

    pub(super) async fn settle(&mut self, now: Now, grace: Duration) {
        tokio::join!(
            self.tasks.settle(now, grace),
            self.recoveries.settle(now, grace),
            self.indices.settle(now, grace),
            self.names.settle(now, grace),
            self.snapshots.settle(now, grace),
            self.diagnosis.settle(now, grace),
            self.hot.settle(now, grace),
        );
    }

    pub(super) fn take(&mut self, now: Now) {
        let known = &mut self.known;
        known.tasks.renew(self.tasks.take(now, PATIENCE).warm(now));
        known.recoveries.renew(self.recoveries.take(now, PATIENCE).warm(now));
        known.indices.renew(self.indices.take(now, PATIENCE).warm(now));
        known.names.renew(self.names.take(now, PATIENCE).warm(now));
        known.snapshots.renew(self.snapshots.take(now, PATIENCE).warm(now));
        known.diagnosis.renew(self.diagnosis.take(now, PATIENCE).warm(now));
        known.hot.renew(self.hot.take(now, PATIENCE).warm(now));
    }
}
