//! One target as it was resolved: what it is, how to reach it, how often to ask.

pub use super::host::is_loopback;
pub use super::http::{HttpAuth, HttpConnect, Pin};
pub use super::log::{LogConnect, LogPlace};
pub use super::loki::LokiConnect;
pub use super::postgres::{
    CertMode, ChannelBinding, DEFAULT_TIMEOUT, Dialled, Elected, PgHost, PgPlace, PgTls, PostgresConnect,
    SessionAttrs, TlsVersions,
};
use super::secret::Secret;
use super::systems::each_system;
pub use super::way::Way;
use crate::core::health::HealthField;
use crate::core::ids::{SystemKind, TargetId};
pub use crate::core::prometheus::{PromPast, PromQuery};
use crate::core::redis::{Brake, Envelope};
use std::path::PathBuf;
use std::time::Duration;

/// One configured or discovered instance.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetConfig {
    /// Its name, unique.
    pub id: TargetId,
    /// The group that a list says it is of.
    pub group: Option<String>,
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
        let nowhere = || "nowhere (its configuration cannot be used)".to_owned();
        self.connect.way().map_or_else(nowhere, Way::address)
    }

    /// Why it cannot be used at all, if that is so.
    #[must_use]
    pub fn unusable(&self) -> Option<&str> {
        if let Connect::Unusable { why, .. } = &self.connect { Some(why) } else { None }
    }

    /// Whether it is reached without leaving this machine (loopback or a unix socket). A tunnel begins here, too: this decides names and
    /// what else is looked for, not what may be changed.
    #[must_use]
    pub fn is_local(&self) -> bool {
        // Nobody knows where one would be that cannot be used.
        self.connect.way().is_some_and(Way::is_local)
    }

    /// A sentence for a target whose password may be read on its way to another machine.
    #[must_use]
    pub fn exposed(&self) -> Option<String> {
        let remedy = self.connect.way()?.exposed().filter(|_| !self.is_local())?;
        Some(format!(
            "WARNING {}: nothing ensures that its password goes encrypted to {}: {remedy}",
            self.id,
            self.address()
        ))
    }
}

impl Way for PostgresConnect {
    fn address(&self) -> String {
        self.configured()
    }

    fn is_local(&self) -> bool {
        self.hosts.iter().all(|host| host.place.is_loopback())
    }

    fn exposed(&self) -> Option<&'static str> {
        let open = matches!(self.tls, PgTls::Disable | PgTls::Allow | PgTls::Prefer);
        let secret = self.password.is_some() || self.hosts.iter().any(|host| host.password.is_some());
        (open && secret).then_some("use sslmode=verify-full")
    }
}

impl Way for RedisConnect {
    fn address(&self) -> String {
        match &self.unix_socket {
            Some(path) => format!("{}/{}", path.display(), self.database),
            None => format!("{}:{}/{}", self.host, self.port, self.database),
        }
    }

    fn is_local(&self) -> bool {
        self.unix_socket.is_some() || is_loopback(&self.host)
    }

    fn exposed(&self) -> Option<&'static str> {
        (!self.tls && self.password.is_some()).then_some("use rediss://")
    }
}

impl Way for HttpConnect {
    fn address(&self) -> String {
        self.shown_url()
    }

    fn is_local(&self) -> bool {
        let here = |url: &String| Self::plain(url.clone()).host();
        is_loopback(&self.host()) && self.others.iter().all(|url| is_loopback(&here(url)))
    }

    fn exposed(&self) -> Option<&'static str> {
        let secret = !matches!(self.auth, HttpAuth::None) && !self.url.starts_with("https://");
        secret.then_some("use https://")
    }
}

/// A way that is asked over HTTP alone, whatever else is known of it.
trait OverHttp {
    fn http(&self) -> &HttpConnect;
}

impl<W: OverHttp> Way for W {
    fn address(&self) -> String {
        self.http().address()
    }

    fn is_local(&self) -> bool {
        self.http().is_local()
    }

    fn exposed(&self) -> Option<&'static str> {
        self.http().exposed()
    }
}

impl OverHttp for PrometheusConnect {
    fn http(&self) -> &HttpConnect {
        &self.http
    }
}

impl OverHttp for LokiConnect {
    fn http(&self) -> &HttpConnect {
        &self.http
    }
}

impl OverHttp for HealthConnect {
    fn http(&self) -> &HttpConnect {
        &self.http
    }
}

impl Way for ProbeConnect {
    fn address(&self) -> String {
        match &self.kind {
            ProbeKind::Tcp { host, port } => format!("{host}:{port}"),
            ProbeKind::Http { .. } | ProbeKind::Grafana | ProbeKind::Minio => self.http.address(),
        }
    }

    fn is_local(&self) -> bool {
        match &self.kind {
            ProbeKind::Tcp { host, .. } => is_loopback(host),
            ProbeKind::Http { .. } | ProbeKind::Grafana | ProbeKind::Minio => self.http.is_local(),
        }
    }

    fn exposed(&self) -> Option<&'static str> {
        self.http.exposed()
    }
}

macro_rules! connects {
    ($($Kind:ident $table:ident ($Entry:ident, $Connect:ident, $settings:ident) $ways:tt $usual:tt)*) => {
        /// How to reach a target.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Connect {
            $(#[doc = concat!("As it stands in `[[", stringify!($table), "]]`.")] $Kind($Connect),)*
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
                    $(Self::$Kind(_) => SystemKind::$Kind,)*
                    Self::Unusable { kind, .. } => *kind,
                }
            }

            /// The way there, if there is one.
            #[must_use]
            pub fn way(&self) -> Option<&dyn Way> {
                match self {
                    $(Self::$Kind(way) => Some(way),)*
                    Self::Unusable { .. } => None,
                }
            }
        }
    };
}

each_system!(connects);

/// How dead-letter queues are named in public code; `*` stands for the source queue's name.
pub const DEAD_LETTER_PATTERNS: [&str; 9] =
    ["*-dlq", "*.dlq", "*_dlq", "*:dlq", "*-dead-letter", "*-failed", "*-quarantine", "dlq", "dead-letter"];

/// How to reach a Redis server, and which queues in it matter.
#[derive(Clone, Debug, PartialEq)]
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

/// How to reach a Prometheus server, and what to ask it.
#[derive(Clone, Debug, PartialEq)]
pub struct PrometheusConnect {
    /// The server.
    pub http: HttpConnect,
    /// The Alertmanager behind it.
    pub alertmanager: Option<HttpConnect>,
    /// PromQL panels from the configuration.
    pub queries: Vec<PromQuery>,
    /// Where it remembers numbers of other targets, from the configuration.
    pub past: Vec<PromPast>,
}

impl From<HttpConnect> for PrometheusConnect {
    fn from(http: HttpConnect) -> Self {
        Self { http, alertmanager: None, queries: Vec::new(), past: Vec::new() }
    }
}

/// How a health endpoint is reached, and what of its document matters.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthConnect {
    /// The way there.
    pub http: HttpConnect,
    /// The fields that matter.
    pub fields: Vec<HealthField>,
    /// Names behind which values of its document are not shown.
    pub masks: Vec<String>,
}

impl From<HttpConnect> for HealthConnect {
    fn from(http: HttpConnect) -> Self {
        Self { http, fields: Vec::new(), masks: Vec::new() }
    }
}

/// What a probe tries.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeConnect {
    /// The way there over HTTP; of a connection alone, what is known of it.
    pub http: HttpConnect,
    /// What is tried, and what is right.
    pub kind: ProbeKind,
    /// The address of a page about it.
    pub link: Option<String>,
}

/// What a probe tries, and what is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// A page: its status, and what it has to contain.
    Http {
        /// The status that is right; without it any of success.
        status: Option<u16>,
        /// What the answer has to contain.
        contains: Option<String>,
    },
    /// A connection alone.
    Tcp {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// Grafana, by what it says of its database.
    Grafana,
    /// MinIO, by what it says of itself and of its cluster.
    Minio,
}

impl From<HttpConnect> for ProbeConnect {
    fn from(http: HttpConnect) -> Self {
        Self { http, kind: ProbeKind::Http { status: None, contains: None }, link: None }
    }
}
