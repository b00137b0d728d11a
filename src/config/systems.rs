//! What is known of each system before anything is asked: one descriptor each. Where it listens, how often it is asked, which variable
//! names it, what its images are called.

use super::target::{Connect, PrometheusConnect};
use super::url;
use crate::core::ids::SystemKind;
use std::time::Duration;

/// From a URL to how a server is reached.
type Read = fn(&str) -> Result<Connect, String>;

/// One system.
pub(super) struct System {
    pub(super) kind: SystemKind,
    /// Its usual port, where it has one.
    pub(super) port: Option<u16>,
    /// How often it is asked unless the configuration says otherwise.
    pub(super) interval: Duration,
    /// The variable that holds its URL. (Postgres has more than one: see [`super::discover`].)
    pub(super) variable: Option<(&'static str, Read)>,
    /// The names of its images, also with something behind a hyphen.
    images: &'static [&'static str],
}

/// Every system, in the order in which places are looked at.
pub(super) const SYSTEMS: [System; 5] = [
    System {
        kind: SystemKind::Postgres,
        port: Some(5432),
        interval: Duration::from_secs(2),
        variable: None,
        images: &["postgres", "postgresql", "postgis", "timescaledb", "pgvector"],
    },
    System {
        kind: SystemKind::Redis,
        port: Some(6379),
        interval: Duration::from_secs(2),
        variable: Some(("REDIS_URL", redis)),
        images: &["redis", "valkey", "redis-stack"],
    },
    System {
        kind: SystemKind::Search,
        port: Some(9200),
        interval: Duration::from_secs(5),
        variable: Some(("ELASTICSEARCH_URL", search)),
        images: &["elasticsearch", "opensearch"],
    },
    System {
        kind: SystemKind::Prometheus,
        port: Some(9090),
        interval: Duration::from_secs(5),
        variable: Some(("PROMETHEUS_URL", prometheus)),
        images: &["prometheus"],
    },
    System {
        kind: SystemKind::Metrics,
        port: None,
        interval: Duration::from_secs(5),
        variable: None,
        images: &[],
    },
];

pub(super) fn redis(text: &str) -> Result<Connect, String> {
    url::redis(text).and_then(url::redis_login).map(Connect::Redis)
}

pub(super) fn search(text: &str) -> Result<Connect, String> {
    url::http_base(text).map(Connect::Search)
}

pub(super) fn prometheus(text: &str) -> Result<Connect, String> {
    let http = url::http_base(text)?;
    Ok(Connect::Prometheus(PrometheusConnect { http, alertmanager: None, queries: Vec::new() }))
}

/// The descriptor of `kind`.
pub(super) fn of(kind: SystemKind) -> &'static System {
    SYSTEMS.iter().find(|system| system.kind == kind).unwrap_or(&SYSTEMS[0])
}

/// The system by the name of its image (`docker.io/library/postgres:16` → Postgres).
pub(super) fn by_image(image: &str) -> Option<&'static System> {
    let bare = image.split('@').next()?.rsplit('/').next()?.split(':').next()?.to_ascii_lowercase();
    // What stands beside a server and shows or measures it is none.
    if bare.contains("exporter") || bare.contains("dashboards") {
        return None;
    }
    let is = |word: &&str| bare == **word || bare.starts_with(&format!("{word}-"));
    SYSTEMS.iter().find(|system| system.images.iter().any(is))
}
