//! One target as it was resolved: what it is, how to reach it, how often to ask.

pub use super::postgres::{
    ChannelBinding, DEFAULT_TIMEOUT, Dialled, Elected, PgHost, PgPlace, PgTls, PostgresConnect, SessionAttrs,
    TlsVersions,
};
use super::secret::Secret;
use crate::core::ids::{SystemKind, TargetId};
use crate::core::redis::{Brake, Envelope};
use std::path::PathBuf;
use std::time::Duration;

/// One configured or discovered instance.
#[derive(Clone, Debug)]
pub struct TargetConfig {
    /// Its name, unique.
    pub id: TargetId,
    /// Why it is here: "DATABASE_URL in the environment", "port 6379 on localhost answers".
    pub chosen_because: String,
    /// How often it is polled.
    pub interval: Duration,
    /// After this a poll is given up, connection included.
    pub timeout: Duration,
    /// Nothing may ever be changed there, whatever is armed.
    pub read_only: bool,
    /// What is said about where it is.
    pub locality: Locality,
    /// How to reach it.
    pub connect: Connect,
}

/// What is said about where a target is. Evidence from the server itself decides where nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locality {
    /// Nothing.
    #[default]
    ByEvidence,
    /// `local = true`: on this machine, whatever stands between.
    Here,
    /// `local = false`.
    Elsewhere,
    /// A compose file publishes it on this machine.
    Published,
}

impl TargetConfig {
    /// The kind of system.
    #[must_use]
    pub const fn kind(&self) -> SystemKind {
        self.connect.kind()
    }

    /// Where it is, for people; never a secret.
    #[must_use]
    pub fn address(&self) -> String {
        match &self.connect {
            Connect::Postgres(pg) => pg.configured(),
            Connect::Redis(redis) => match &redis.unix_socket {
                Some(path) => format!("{}/{}", path.display(), redis.database),
                None => format!("{}:{}/{}", redis.host, redis.port, redis.database),
            },
            Connect::Search(http) | Connect::Metrics(http) => http.shown_url(),
            Connect::Prometheus(prometheus) => prometheus.http.shown_url(),
            Connect::Unusable { .. } => "nowhere (its configuration cannot be used)".to_owned(),
        }
    }

    /// Why it cannot be used at all, if that is so.
    #[must_use]
    pub fn unusable(&self) -> Option<&str> {
        match &self.connect {
            Connect::Unusable { why, .. } => Some(why),
            Connect::Postgres(_)
            | Connect::Redis(_)
            | Connect::Search(_)
            | Connect::Prometheus(_)
            | Connect::Metrics(_) => None,
        }
    }

    /// Whether it is reached without leaving this machine (loopback or a unix socket). A tunnel begins here, too: this decides names and
    /// what else is looked for, not what may be changed.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match &self.connect {
            Connect::Postgres(pg) => pg.hosts.iter().all(|host| host.place.is_loopback()),
            Connect::Redis(redis) => redis.unix_socket.is_some() || is_loopback(&redis.host),
            Connect::Search(http) | Connect::Metrics(http) => is_loopback(&http.host()),
            Connect::Prometheus(prometheus) => is_loopback(&prometheus.http.host()),
            // Nobody knows where it would be.
            Connect::Unusable { .. } => false,
        }
    }
}

impl TargetConfig {
    /// A sentence for a target whose password may be read on its way to another machine.
    #[must_use]
    pub fn exposed(&self) -> Option<String> {
        let open = |http: &HttpConnect| {
            let secret = !matches!(http.auth, HttpAuth::None) && !http.url.starts_with("https://");
            secret.then_some("use https://")
        };
        let remedy = match &self.connect {
            Connect::Postgres(pg) => {
                let open = matches!(pg.tls, PgTls::Disable | PgTls::Allow | PgTls::Prefer);
                let secret = pg.password.is_some() || pg.hosts.iter().any(|host| host.password.is_some());
                (open && secret).then_some("use sslmode=verify-full")
            }
            Connect::Redis(redis) => (!redis.tls && redis.password.is_some()).then_some("use rediss://"),
            Connect::Search(http) | Connect::Metrics(http) => open(http),
            Connect::Prometheus(prometheus) => open(&prometheus.http),
            Connect::Unusable { .. } => None,
        };
        let remedy = remedy.filter(|_| !self.is_local())?;
        Some(format!(
            "WARNING {}: nothing ensures that its password goes encrypted to {}: {remedy}",
            self.id,
            self.address()
        ))
    }
}

/// Whether `host` names this machine: loopback, "localhost", or the folder of a unix socket.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.starts_with('/')
        || bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// How to reach a target.
#[derive(Clone, Debug)]
pub enum Connect {
    /// A PostgreSQL server.
    Postgres(PostgresConnect),
    /// A Redis server.
    Redis(RedisConnect),
    /// A search cluster.
    Search(HttpConnect),
    /// A Prometheus server.
    Prometheus(PrometheusConnect),
    /// One exposition: the URL is the full one, path included.
    Metrics(HttpConnect),
    /// What names it cannot be understood, or cannot be honoured. It is shown as such, and keeps nobody else from being watched.
    Unusable {
        /// What it would be.
        kind: SystemKind,
        /// Where that was written, what is wrong, and what would mend it.
        why: String,
    },
}

impl Connect {
    /// The kind of system.
    #[must_use]
    pub const fn kind(&self) -> SystemKind {
        match self {
            Self::Postgres(_) => SystemKind::Postgres,
            Self::Redis(_) => SystemKind::Redis,
            Self::Search(_) => SystemKind::Search,
            Self::Prometheus(_) => SystemKind::Prometheus,
            Self::Metrics(_) => SystemKind::Metrics,
            Self::Unusable { kind, .. } => *kind,
        }
    }
}

/// How dead-letter queues are named in public code; `*` stands for the source queue's name.
pub const DEAD_LETTER_PATTERNS: [&str; 9] =
    ["*-dlq", "*.dlq", "*_dlq", "*:dlq", "*-dead-letter", "*-failed", "*-quarantine", "dlq", "dead-letter"];

/// How to reach a Redis server, and which queues in it matter.
#[derive(Clone, Debug)]
pub struct RedisConnect {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path of a unix socket, instead of host and port.
    pub unix_socket: Option<PathBuf>,
    /// Logical database.
    pub database: i64,
    /// ACL user.
    pub user: Option<String>,
    /// Password, if there is one.
    pub password: Option<Secret>,
    /// TLS.
    pub tls: bool,
    /// PEM file of trusted roots; `None` means the system's.
    pub root_cert: Option<PathBuf>,
    /// PEM files of our own certificate and its key, for a server that asks for them.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Other nodes of its cluster, asked for the map when this one does not answer.
    pub nodes: Vec<(String, u16)>,
    /// Sentinels, which know the primary called [`host`](Self::host).
    pub sentinels: Vec<(String, u16)>,
    /// Password of the Sentinels, if there is one.
    pub sentinel_password: Option<Secret>,
    /// Key prefixes of queues (default `bull`).
    pub prefixes: Vec<String>,
    /// Queues by name; empty means that they are found by a throttled SCAN.
    pub queues: Vec<String>,
    /// Name patterns of dead-letter queues; `*` stands for the source queue's name.
    pub dead_letter: Vec<String>,
    /// Where in a dead letter the parts of the job are.
    pub envelope: Envelope,
    /// How a redrive is braked.
    pub brake: Brake,
    /// Fields of job data that are not shown.
    pub masks: Vec<String>,
}

impl Default for RedisConnect {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 6379,
            unix_socket: None,
            database: 0,
            user: None,
            password: None,
            tls: false,
            root_cert: None,
            client: None,
            nodes: Vec::new(),
            sentinels: Vec::new(),
            sentinel_password: None,
            prefixes: vec!["bull".to_owned()],
            queues: Vec::new(),
            dead_letter: DEAD_LETTER_PATTERNS.map(str::to_owned).to_vec(),
            envelope: Envelope::default(),
            brake: Brake::default(),
            masks: Vec::new(),
        }
    }
}

/// How an HTTP source is reached. `Debug` never shows the query of its URL, in which a token may stand.
#[derive(Clone)]
pub struct HttpConnect {
    /// Base URL without user and password.
    pub url: String,
    /// How the client proves who it is.
    pub auth: HttpAuth,
    /// PEM file of trusted roots; `None` means the system's.
    pub root_cert: Option<PathBuf>,
    /// PEM files of our own certificate and its key, for a server that asks for them.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Headers sent with every request (`X-Scope-OrgID`); a value may be a secret.
    pub headers: Vec<(String, String)>,
    /// Base URLs of other nodes of the same cluster: asked when the one before cannot be reached or does not answer.
    pub others: Vec<String>,
    /// The certificate that is believed, instead of authorities and names.
    pub pin: Option<Pin>,
    /// The family that counts requests, where it is not to be found by its shape (metrics endpoints).
    pub requests: Option<String>,
}

/// Which certificate is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The one with this SHA-256, or what that one has signed: Elasticsearch prints it at its first start.
    Fingerprint([u8; 32]),
    /// Any: a stack of this machine, published here by its compose file, which makes a certificate of its own.
    OwnStack,
}

impl std::fmt::Debug for HttpConnect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("HttpConnect");
        shown
            .field("url", &self.shown_url())
            .field("auth", &self.auth)
            .field("root_cert", &self.root_cert)
            .field("client", &self.client)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("others", &self.others)
            .field("pin", &self.pin)
            .field("requests", &self.requests);
        shown.finish()
    }
}

impl HttpConnect {
    /// The URL as it may be shown: without user, password and query.
    #[must_use]
    pub fn shown_url(&self) -> String {
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        match (url.find("://"), url.rfind('@')) {
            (Some(scheme), Some(at)) if at > scheme => {
                format!("{}://{}", &url[..scheme], &url[at + 1..])
            }
            _ => url.to_owned(),
        }
    }

    /// The host in the URL, without port.
    #[must_use]
    pub fn host(&self) -> String {
        let shown = self.shown_url();
        let rest = shown.split_once("://").map_or(shown.as_str(), |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        match authority.rfind(':') {
            Some(colon) if !authority[colon..].contains(']') => authority[..colon].to_owned(),
            _ => authority.to_owned(),
        }
    }
}

/// How an HTTP client proves who it is. `Debug` never shows a user, which is a token in the URLs of many services.
#[derive(Clone, Default)]
pub enum HttpAuth {
    /// Not at all.
    #[default]
    None,
    /// User and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: ApiKey …` (Elasticsearch): the encoded key.
    ApiKey(Secret),
}

impl std::fmt::Debug for HttpAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic([REDACTED])",
            Self::Bearer(_) => "Bearer([REDACTED])",
            Self::ApiKey(_) => "ApiKey([REDACTED])",
        })
    }
}

impl HttpAuth {
    /// Whether reading it again may give other credentials.
    #[must_use]
    pub const fn may_change(&self) -> bool {
        match self {
            Self::None => false,
            Self::Basic { password, .. } => password.may_change(),
            Self::Bearer(token) | Self::ApiKey(token) => token.may_change(),
        }
    }
}

/// How to reach a Prometheus server, and what to ask it.
#[derive(Clone, Debug)]
pub struct PrometheusConnect {
    /// The server.
    pub http: HttpConnect,
    /// The Alertmanager behind it.
    pub alertmanager: Option<HttpConnect>,
    /// PromQL panels from the configuration.
    pub queries: Vec<PromQuery>,
}

/// One configured PromQL panel.
#[derive(Clone, Debug, PartialEq)]
pub struct PromQuery {
    /// What it is called on the screen.
    pub title: String,
    /// The expression.
    pub expr: String,
    /// Unit shown behind the number ("s", "%", "/s" or nothing).
    pub unit: String,
    /// At or above this it is a warning.
    pub warning: Option<f64>,
    /// At or above this it is critical.
    pub critical: Option<f64>,
}
