//! One descriptor a system: how a target of it is asked, changed and examined. Everything else about it is in its folders, and in the lists
//! that name it: `core/systems.rs` (its words and types) and `config/systems.rs` (how it is found and configured).

use crate::actions::Executor;
use crate::actions::alertmanager::AlertmanagerExecutor;
use crate::actions::postgres::PostgresExecutor;
use crate::actions::redis::RedisExecutor;
use crate::actions::search::SearchExecutor;
use crate::config::target::{Connect, TargetConfig};
use crate::core::doctor::Report;
use crate::core::report::PollError;
use crate::core::time::Now;
use crate::sources::Source;
use crate::sources::alertmanager::AlertmanagerSource;
use crate::sources::health::HealthSource;
use crate::sources::log::LogSource;
use crate::sources::loki::LokiSource;
use crate::sources::metrics::MetricsSource;
use crate::sources::postgres::PostgresSource;
use crate::sources::probe::ProbeSource;
use crate::sources::prometheus::PrometheusSource;
use crate::sources::redis::RedisSource;
use crate::sources::search::SearchSource;
use crate::sources::unusable::Unusable;
use crate::sources::{postgres, redis};
use futures_util::future::BoxFuture;
use std::path::Path;
use std::sync::Arc;

/// Makes an executor, which keeps what it must write down in a folder.
type OpenExecutor<'a> = Box<dyn Fn(&Path) -> Arc<dyn Executor> + 'a>;

/// What can be done with a target. Nothing is connected to until one of these is used.
struct System<'a> {
    source: Box<dyn Fn() -> Box<dyn Source> + 'a>,
    /// Nothing for a system that nothing is changed in.
    executor: Option<OpenExecutor<'a>>,
    /// What can be seen and done with the rights that there are. Nothing is changed by looking.
    examine: Box<dyn Fn(Now) -> BoxFuture<'a, Result<Report, PollError>> + 'a>,
}

fn system(target: &TargetConfig) -> System<'_> {
    match &target.connect {
        Connect::Postgres(connect) => System {
            source: Box::new(|| Box::new(PostgresSource::new(connect.clone()))),
            executor: Some(Box::new(|_| Arc::new(PostgresExecutor::new(connect.clone())))),
            examine: Box::new(|now| Box::pin(postgres::doctor::examine(connect, now))),
        },
        Connect::Redis(connect) => System {
            source: Box::new(|| Box::new(RedisSource::new(connect.clone()))),
            executor: Some(Box::new(|folder| Arc::new(RedisExecutor::new(connect.clone(), folder)))),
            examine: Box::new(|_| Box::pin(redis::doctor::examine(connect))),
        },
        Connect::Search(connect) => System {
            source: Box::new(|| Box::new(SearchSource::new(connect.clone(), target.timeout))),
            executor: Some(Box::new(|_| Arc::new(SearchExecutor::new(connect.clone())))),
            examine: Box::new(|now| {
                Box::pin(SearchSource::new(connect.clone(), target.timeout).examine(now))
            }),
        },
        Connect::Prometheus(connect) => System {
            source: Box::new(|| Box::new(PrometheusSource::new(connect.clone()))),
            executor: None,
            examine: Box::new(|now| Box::pin(PrometheusSource::new(connect.clone()).examine(now))),
        },
        Connect::Alertmanager(connect) => System {
            source: Box::new(|| Box::new(AlertmanagerSource::new(connect.clone()))),
            executor: Some(Box::new(|_| Arc::new(AlertmanagerExecutor::new(connect.clone())))),
            examine: Box::new(|now| Box::pin(AlertmanagerSource::new(connect.clone()).examine(now))),
        },
        Connect::Loki(connect) => System {
            source: Box::new(|| Box::new(LokiSource::new(connect.clone()))),
            executor: None,
            examine: Box::new(|now| Box::pin(LokiSource::new(connect.clone()).examine(now))),
        },
        Connect::Log(connect) => System {
            source: Box::new(|| {
                Box::new(LogSource::new(target.id.as_str(), connect.clone(), target.timeout))
            }),
            executor: None,
            examine: Box::new(|now| {
                Box::pin(LogSource::new(target.id.as_str(), connect.clone(), target.timeout).examine(now))
            }),
        },
        Connect::Metrics(connect) => System {
            source: Box::new(|| Box::new(MetricsSource::new(connect.clone()))),
            executor: None,
            examine: Box::new(|_| Box::pin(MetricsSource::new(connect.clone()).examine())),
        },
        Connect::Health(connect) => System {
            source: Box::new(|| Box::new(HealthSource::new(connect.clone()))),
            executor: None,
            examine: Box::new(|now| Box::pin(HealthSource::new(connect.clone()).examine(now))),
        },
        Connect::Probe(connect) => System {
            source: Box::new(|| Box::new(ProbeSource::new(connect.clone()))),
            executor: None,
            examine: Box::new(|now| Box::pin(ProbeSource::new(connect.clone()).examine(now))),
        },
        Connect::Unusable { why, .. } => System {
            source: Box::new(|| Box::new(Unusable(why.clone()))),
            executor: None,
            examine: Box::new(|_| Box::pin(std::future::ready(Err(Unusable(why.clone()).error())))),
        },
    }
}

/// The source for a target.
#[must_use]
pub fn open_source(target: &TargetConfig) -> Box<dyn Source> {
    (system(target).source)()
}

/// The executor for a target, which keeps what it must write down in `folder`; `None` for a system that nothing is changed in.
#[must_use]
pub fn open_executor(target: &TargetConfig, folder: &Path) -> Option<Arc<dyn Executor>> {
    system(target).executor.map(|open| open(folder))
}

/// Whether anything is ever changed in a target.
#[must_use]
pub fn is_changed(target: &TargetConfig) -> bool {
    system(target).executor.is_some()
}

/// What can be seen and done on a target with the rights that there are. Nothing is changed there.
///
/// # Errors
/// When it cannot be connected to.
pub async fn examine(target: &TargetConfig, now: Now) -> Result<Report, PollError> {
    (system(target).examine)(now).await
}
