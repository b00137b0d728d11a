//! How a PostgreSQL server is reached, with every part of it that libpq knows and stacktop honours. Where the parts come from is
//! the business of `libpq`.

use super::secret::{Passphrase, Secret};
use super::ways::Ways;
use crate::core::postgres::{Literals, Rotation, SqlPanel};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// TLS of a Postgres connection, as libpq means the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PgTls {
    /// Never.
    Disable,
    /// Only if the server insists.
    Allow,
    /// If the server can; no verification unless there are roots (the default of libpq).
    #[default]
    Prefer,
    /// Always; no verification, unless a root certificate is given or there (then as verify-ca).
    Require,
    /// The certificate chain is verified.
    VerifyCa,
    /// The chain and the host name are verified.
    VerifyFull,
}

/// Which server of several is wanted, as libpq means the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SessionAttrs {
    /// The first that answers.
    #[default]
    Any,
    /// One whose sessions may write.
    ReadWrite,
    /// One whose sessions may not.
    ReadOnly,
    /// One that is not in recovery.
    Primary,
    /// One that is.
    Standby,
    /// A standby if there is one, else any.
    PreferStandby,
}

impl SessionAttrs {
    /// libpq's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::ReadWrite => "read-write",
            Self::ReadOnly => "read-only",
            Self::Primary => "primary",
            Self::Standby => "standby",
            Self::PreferStandby => "prefer-standby",
        }
    }
}

/// Whether the password's proof is bound to the TLS connection, as libpq means the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// Where the server offers it.
    #[default]
    Prefer,
    /// Always; a server that does not is refused.
    Require,
}

/// When the client's certificate is shown, as libpq means the words of `sslcertmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CertMode {
    /// To a server that asks for it.
    #[default]
    Allow,
    /// Always; a server that does not ask for it is refused.
    Require,
}

/// Versions of TLS that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 only.
    Only12,
    /// 1.3 only.
    Only13,
}

/// Where one server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PgPlace {
    /// The folder of a unix socket.
    Socket(PathBuf),
    /// A name that is looked up.
    Name(String),
    /// An address; the name, if there is one, is what its certificate has to say.
    Address(IpAddr, Option<String>),
}

impl PgPlace {
    /// Whether it is reached without leaving this machine. Who is behind it is another matter: a tunnel begins here too.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Name(name) => {
                name.eq_ignore_ascii_case("localhost")
                    || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            Self::Address(address, _) => address.is_loopback(),
        }
    }

    /// The name that a certificate has to say.
    #[must_use]
    pub fn tls_name(&self) -> Option<String> {
        match self {
            Self::Socket(_) | Self::Address(_, None) => None,
            Self::Name(name) | Self::Address(_, Some(name)) => Some(name.clone()),
        }
    }
}

impl fmt::Display for PgPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(folder) => write!(f, "{}", folder.display()),
            Self::Name(name) => f.write_str(name),
            Self::Address(address, None) => write!(f, "{address}"),
            Self::Address(address, Some(name)) => write!(f, "{name} ({address})"),
        }
    }
}

/// One of the servers that a target may be.
#[derive(Clone, Debug, PartialEq)]
pub struct PgHost {
    /// Where it is.
    pub place: PgPlace,
    /// Its port; of a socket, the number in its name.
    pub port: u16,
    /// Its own password, from the password file.
    pub password: Option<Secret>,
}

impl PgHost {
    /// A server without a password of its own.
    #[must_use]
    pub const fn new(place: PgPlace, port: u16) -> Self {
        Self { place, port, password: None }
    }
}

impl fmt::Display for PgHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.place, self.port)
    }
}

/// An address that was connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialled {
    /// Over TCP.
    Tcp(SocketAddr),
    /// Over this socket.
    Unix(PathBuf),
}

/// The one server of several that a target is now: its number and the address behind its name. The connection that polls elects it,
/// every other connection of the target goes there too, so that nobody acts on a server other than the one that is shown.
#[derive(Clone, Debug, Default)]
pub struct Elected(Arc<Mutex<Option<(usize, Dialled)>>>);

/// Which one is elected follows from how they are reached, and is no part of that.
impl PartialEq for Elected {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Elected {
    /// The server that is elected now.
    #[must_use]
    pub fn now(&self) -> Option<(usize, Dialled)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Elects one.
    pub fn set(&self, host: usize, address: Dialled) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((host, address));
    }
}

/// Who has named a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// A person on this machine.
    #[default]
    Own,
    /// What came with a folder, perhaps from strangers: no password of this machine is added to it.
    Folder,
}

/// How to reach a PostgreSQL server.
#[derive(Clone, Debug, PartialEq)]
pub struct PostgresConnect {
    /// Who has named it.
    pub origin: Origin,
    /// The servers it may be, at least one, in the order in which they are tried.
    pub hosts: Vec<PgHost>,
    /// Which of them is wanted.
    pub session: SessionAttrs,
    /// They are tried in random order.
    pub balance: bool,
    /// The one that it is now.
    pub elected: Elected,
    /// User.
    pub user: String,
    /// Database.
    pub database: String,
    /// The password for all hosts, if there is one.
    pub password: Option<Secret>,
    /// The password file, where another than `~/.pgpass` was named.
    pub passfile: Option<PathBuf>,
    /// TLS.
    pub tls: PgTls,
    /// PEM file of trusted roots; `None` means the system's.
    pub root_cert: Option<PathBuf>,
    /// PEM file of revoked certificates.
    pub revoked: Option<PathBuf>,
    /// A folder of such files.
    pub revoked_folder: Option<PathBuf>,
    /// PEM files of the client's certificate and key.
    pub client_cert: Option<(PathBuf, PathBuf)>,
    /// What that key is encrypted with, if it is.
    pub key_password: Option<Passphrase>,
    /// Whether the server must want that certificate.
    pub cert_mode: CertMode,
    /// Versions of TLS that are spoken.
    pub versions: TlsVersions,
    /// The server is told by which name it is meant (SNI).
    pub names_server: bool,
    /// TLS begins at once, without asking for it first (17 and later).
    pub direct_tls: bool,
    /// Whether the password's proof is bound to the TLS connection.
    pub channel_binding: ChannelBinding,
    /// The ways to log in that the server may ask for; all where nothing is said.
    pub require_auth: Option<Ways>,
    /// The user that a server behind a unix socket must run as.
    pub require_peer: Option<String>,
    /// Settings of the session that were asked for; stacktop's own come after them.
    pub options: Option<String>,
    /// The longest that one host may take to let us in (libpq's `connect_timeout`).
    pub host_timeout: Option<Duration>,
    /// The target's timeout: what a login may take as a whole.
    pub timeout: Duration,
    /// Whether constants of statements are shown.
    pub literals: Literals,
    /// Panels of the team's own.
    pub panels: Vec<SqlPanel>,
    /// The admin console of the PgBouncer in front, if one is configured.
    pub pgbouncer: Option<Box<PostgresConnect>>,
    /// When this copy is of use, if that is configured.
    pub rotation: Option<Rotation>,
    /// Pattern of the backup files, if one is configured.
    pub backups: Option<String>,
    /// The column that names a tenant, for the look at tenant isolation.
    pub tenant_column: String,
}

/// After this a poll is given up, its connection included, unless the configuration says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(4);

/// How the column that names a tenant is called unless the configuration says otherwise.
const TENANT_COLUMN: &str = "tenant_id";

impl PostgresConnect {
    /// `host`, with everything else at its default.
    #[must_use]
    pub fn new(host: PgHost, user: String, database: String) -> Self {
        Self {
            hosts: vec![host],
            session: SessionAttrs::default(),
            balance: false,
            elected: Elected::default(),
            user,
            database,
            password: None,
            passfile: None,
            tls: PgTls::default(),
            root_cert: None,
            revoked: None,
            revoked_folder: None,
            client_cert: None,
            key_password: None,
            cert_mode: CertMode::default(),
            versions: TlsVersions::default(),
            names_server: true,
            direct_tls: false,
            channel_binding: ChannelBinding::default(),
            require_auth: None,
            require_peer: None,
            options: None,
            host_timeout: None,
            timeout: DEFAULT_TIMEOUT,
            literals: Literals::default(),
            panels: Vec::new(),
            pgbouncer: None,
            rotation: None,
            backups: None,
            origin: Origin::default(),
            tenant_column: TENANT_COLUMN.to_owned(),
        }
    }

    /// Where it is, for people: its hosts, or the elected one of them.
    #[must_use]
    pub fn server(&self) -> String {
        match self.elected.now().and_then(|(host, _)| self.hosts.get(host)) {
            Some(host) => host.to_string(),
            None => self.all_servers(),
        }
    }

    fn all_servers(&self) -> String {
        self.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }

    /// All its hosts and its database, for people.
    #[must_use]
    pub fn configured(&self) -> String {
        format!("{}/{}", self.all_servers(), self.database)
    }

    /// [`server`](Self::server) and database.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}/{}", self.server(), self.database)
    }
}
