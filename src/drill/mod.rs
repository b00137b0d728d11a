//! A fake outside: a seeded stack with an incident, behind the same traits as the real one. No server, no network, no file.
//!
//! [`score`] says how well the chain of causes finds what its incident is about.
//!
//! [`sim`] is the stack and its story; the twins ([`postgres`], [`redis`], [`search`], [`metrics`]) say of it what a poll of
//! such a server would say; [`twin`] puts both behind `Source` and `Executor`.

mod jobs;
mod looks;
mod metrics;
mod part;
mod postgres;
mod redis;
mod redis_server;
pub mod score;
mod search;
mod sim;
mod twin;

use crate::actions::gate::Entry;
use crate::core::ids::{SystemKind, TargetId};
use crate::core::settings::SystemSettings;
use crate::core::time::Now;
use crate::engine::Job;
use part::Part;
use sim::Sim;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use twin::{TwinExecutor, TwinSource};

/// A target of the embedded stack.
#[derive(Clone, Debug)]
pub struct StackTarget {
    /// Its name.
    pub id: TargetId,
    /// What it plays, and what is configured of it.
    pub settings: SystemSettings,
    /// Where it is said to be.
    pub address: String,
    /// How often it is asked.
    pub interval: Duration,
    part: Part,
}

/// The embedded stack.
#[derive(Debug)]
pub struct Stack {
    sim: Arc<Mutex<Sim>>,
    targets: Vec<StackTarget>,
}

impl Stack {
    /// The stack of `stacktop demo`: a shop whose orders are blocked by a forgotten transaction a few seconds after `now`.
    #[must_use]
    pub fn demo(seed: u64, now: Now) -> Self {
        let target = |name: &str, kind: SystemKind, seconds: u64, part: Part| StackTarget {
            id: TargetId::new(name),
            settings: match part {
                Part::Standby => SystemSettings::Postgres(postgres::standby_settings()),
                Part::Primary | Part::Redis | Part::Search | Part::Prometheus | Part::Api => kind.into(),
            },
            address: "embedded".to_owned(),
            interval: Duration::from_secs(seconds),
            part,
        };
        let targets = vec![
            target("shop-db", SystemKind::Postgres, 1, Part::Primary),
            target("shop-db-copy", SystemKind::Postgres, 1, Part::Standby),
            target("jobs", SystemKind::Redis, 1, Part::Redis),
            target("catalogue", SystemKind::Search, 2, Part::Search),
            target("prometheus", SystemKind::Prometheus, 2, Part::Prometheus),
            target("shop-api", SystemKind::Metrics, 2, Part::Api),
        ];
        Self { sim: Arc::new(Mutex::new(Sim::new(seed, now))), targets }
    }

    /// Its targets.
    #[must_use]
    pub fn targets(&self) -> &[StackTarget] {
        &self.targets
    }

    /// A polling job for each of them.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        self.targets
            .iter()
            .map(|target| {
                let (sim, part) = (Arc::clone(&self.sim), target.part);
                Job {
                    target: target.id.clone(),
                    interval: target.interval,
                    timeout: Duration::from_secs(1),
                    source: Box::new(move || Box::new(TwinSource::new(Arc::clone(&sim), part))),
                }
            })
            .collect()
    }

    /// The executors of those that can be changed.
    #[must_use]
    pub fn executors(&self) -> HashMap<TargetId, Entry> {
        self.targets
            .iter()
            .filter(|target| matches!(target.part, Part::Primary | Part::Redis))
            .map(|target| {
                let executor = Arc::new(TwinExecutor::new(Arc::clone(&self.sim)));
                (target.id.clone(), Entry { address: target.address.clone(), executor })
            })
            .collect()
    }
}
