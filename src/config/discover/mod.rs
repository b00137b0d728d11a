//! Finds targets where nobody configured any: the environment, a compose file in this folder, the well-known ports of this machine.
//!
//! The next place is asked only while everything found so far is on this machine: a stack elsewhere is never mixed with a local one.

mod compose;
mod environment;

use super::resolve::{DEFAULT_TIMEOUT, default_interval, free_name};
use super::target::{
    Connect, HttpAuth, HttpConnect, PgTls, PostgresConnect, PrometheusConnect, RedisConnect, TENANT_COLUMN,
    TargetConfig,
};
use crate::core::ids::{SystemKind, TargetId};
use std::collections::{BTreeSet, HashMap};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A port of this machine answers within this time or not at all.
const PROBE: Duration = Duration::from_millis(50);

/// Where stacktop was started: its environment, its folder, and how a local port is tried.
#[derive(Clone, Debug)]
pub struct Surroundings {
    vars: HashMap<String, String>,
    /// The current folder.
    pub folder: PathBuf,
    open: fn(u16) -> bool,
}

impl Surroundings {
    /// The real ones.
    #[must_use]
    pub fn here() -> Self {
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { vars, folder: std::env::current_dir().unwrap_or_default(), open: port_answers }
    }

    /// An empty environment in `folder`, where no port answers: for tests.
    #[must_use]
    pub fn empty(folder: &Path) -> Self {
        Self { vars: HashMap::new(), folder: folder.to_owned(), open: |_| false }
    }

    /// The same with one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<String> {
        self.vars.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

fn port_answers(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PROBE).is_ok()
}

/// One thing found: what, and why.
struct Found {
    connect: Connect,
    because: String,
    /// The name to use, if the place where it was found has one for it.
    name: Option<String>,
}

/// Everything that can be found, with a line in `trail` for each place looked at.
///
/// # Errors
/// When a place holds something that cannot be understood (a bad `DATABASE_URL`).
pub(super) fn targets(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<TargetConfig>, String> {
    let mut list: Vec<TargetConfig> = Vec::new();
    let places = [environment::look, compose::look, ports];
    for look in places {
        if !list.iter().all(TargetConfig::is_local) {
            trail.push("a target is elsewhere: nothing on this machine is added to it".to_owned());
            break;
        }
        let known: BTreeSet<SystemKind> = list.iter().map(TargetConfig::kind).collect();
        for found in look(around, trail)? {
            let mut target = TargetConfig {
                id: TargetId::new(""),
                chosen_because: found.because,
                interval: Duration::ZERO,
                timeout: DEFAULT_TIMEOUT,
                read_only: false,
                connect: found.connect,
            };
            let kind = target.kind();
            if known.contains(&kind) {
                continue;
            }
            let names: BTreeSet<String> = list.iter().map(|target| target.id.to_string()).collect();
            let name =
                found.name.filter(|name| !names.contains(name)).unwrap_or_else(|| free_name(kind, &names));
            target.id = TargetId::new(&name);
            target.interval = default_interval(kind);
            trail.push(format!(
                "{name}: {} at {}, because {}",
                kind.name(),
                target.address(),
                target.chosen_because
            ));
            list.push(target);
        }
    }
    Ok(list)
}

/// The ports that these systems have by default.
const PORTS: [(u16, SystemKind); 4] = [
    (5432, SystemKind::Postgres),
    (6379, SystemKind::Redis),
    (9200, SystemKind::Search),
    (9090, SystemKind::Prometheus),
];

#[expect(clippy::unnecessary_wraps, reason = "one signature for every place that is looked at")]
fn ports(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut closed = Vec::new();
    for (port, kind) in PORTS {
        if (around.open)(port) {
            let because = format!("port {port} of this machine answers");
            found.push(Found { connect: on_this_machine(around, kind, port), because, name: None });
        } else {
            closed.push(port.to_string());
        }
    }
    if !closed.is_empty() {
        trail.push(format!("nothing answers on this machine's ports {}", closed.join(", ")));
    }
    Ok(found)
}

/// How a system on this machine's `port` is reached with nothing else known.
fn on_this_machine(around: &Surroundings, kind: SystemKind, port: u16) -> Connect {
    let http =
        || HttpConnect { url: format!("http://127.0.0.1:{port}"), auth: HttpAuth::None, root_cert: None };
    match kind {
        SystemKind::Postgres => {
            let user =
                around.var("PGUSER").or_else(|| around.var("USER")).unwrap_or_else(|| "postgres".into());
            Connect::Postgres(PostgresConnect {
                host: "127.0.0.1".to_owned(),
                port,
                database: around.var("PGDATABASE").unwrap_or_else(|| "postgres".to_owned()),
                user,
                password: None,
                tls: PgTls::default(),
                root_cert: None,
                client_cert: None,
                panels: Vec::new(),
                pgbouncer: None,
                rotation: None,
                backups: None,
                tenant_column: TENANT_COLUMN.to_owned(),
            })
        }
        SystemKind::Redis => {
            Connect::Redis(RedisConnect { host: "127.0.0.1".to_owned(), port, ..RedisConnect::default() })
        }
        SystemKind::Search => Connect::Search(http()),
        SystemKind::Prometheus => {
            Connect::Prometheus(PrometheusConnect { http: http(), queries: Vec::new() })
        }
        SystemKind::Metrics => Connect::Metrics(http()),
    }
}
