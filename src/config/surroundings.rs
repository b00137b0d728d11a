//! Where stacktop was started: the environment, the folder, the user, and what of this machine answers. Nothing is decided here.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A port of this machine answers within this time or not at all.
const PROBE: Duration = Duration::from_millis(50);

/// Where builds of Postgres put their sockets: Debian and Red Hat, then its own default.
const SOCKETS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Where docker listens, and podman where it stands in for it.
const ENGINE: &str = "/var/run/docker.sock";

/// Where stacktop was started: its environment, its folder, its user, and how a local port is tried.
#[derive(Clone, Debug)]
pub struct Surroundings {
    vars: HashMap<String, String>,
    /// The current folder.
    pub folder: PathBuf,
    open: fn(u16) -> bool,
    /// The user that this process runs as, and the user's home, as the system knows them.
    user: Option<(String, PathBuf)>,
    sockets: Vec<PathBuf>,
    engine: Option<PathBuf>,
}

impl Surroundings {
    /// The real ones.
    #[must_use]
    pub fn here() -> Self {
        let vars = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            vars,
            folder: std::env::current_dir().unwrap_or_default(),
            open: port_answers,
            user: user(rustix::process::geteuid().as_raw()),
            sockets: SOCKETS.map(PathBuf::from).to_vec(),
            engine: Some(PathBuf::from(ENGINE)),
        }
    }

    /// An empty environment in `folder`, where no port answers and nobody has a name: for tests.
    #[must_use]
    pub fn empty(folder: &Path) -> Self {
        Self {
            vars: HashMap::new(),
            folder: folder.to_owned(),
            open: |_| false,
            user: None,
            sockets: Vec::new(),
            engine: None,
        }
    }

    /// The same with one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same with this folder for sockets.
    #[must_use]
    pub fn with_sockets(mut self, folder: &Path) -> Self {
        self.sockets = vec![folder.to_owned()];
        self
    }

    /// The same with this socket of a container engine.
    #[must_use]
    pub fn with_engine(mut self, socket: &Path) -> Self {
        self.engine = Some(socket.to_owned());
        self
    }

    /// The same as the user who runs it.
    #[must_use]
    pub fn as_user(mut self, name: &str) -> Self {
        self.user = Some((name.to_owned(), self.folder.clone()));
        self
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<String> {
        self.vars.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// A variable as it is, also where it is empty.
    #[must_use]
    pub fn set(&self, name: &str) -> Option<String> {
        self.vars.get(name).cloned()
    }

    /// The user that this process runs as: what the system says, not a variable that `su` leaves as it was.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        let named = self.user.as_ref().map(|(name, _)| name.clone());
        named.or_else(|| self.var("USER")).or_else(|| self.var("LOGNAME"))
    }

    /// The user's home: `$HOME`, else what the system says.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.var("HOME").map(PathBuf::from).or_else(|| self.user.as_ref().map(|(_, home)| home.clone()))
    }

    /// Whether something listens on `port` of this machine.
    #[must_use]
    pub fn answers(&self, port: u16) -> bool {
        (self.open)(port)
    }

    /// Sockets of container engines that may be here: the system's, then the user's own.
    #[must_use]
    pub fn engines(&self) -> Vec<PathBuf> {
        let runtime = self.var("XDG_RUNTIME_DIR").map(PathBuf::from);
        let own = runtime
            .iter()
            .flat_map(|folder| ["docker.sock", "podman/podman.sock"].map(|name| folder.join(name)));
        let desktop = self.var("HOME").map(|home| PathBuf::from(home).join(".docker/run/docker.sock"));
        self.engine.iter().cloned().chain(own).chain(desktop).collect()
    }

    /// The folder in which a Postgres server of this machine has its socket for `port`.
    #[must_use]
    pub fn socket(&self, port: u16) -> Option<PathBuf> {
        self.sockets.iter().find(|folder| folder.join(format!(".s.PGSQL.{port}")).exists()).cloned()
    }

    /// The folder in which sockets are looked for when none is named: the one that has it, else the first that there is.
    #[must_use]
    pub fn socket_folder(&self, port: u16) -> Option<PathBuf> {
        self.socket(port).or_else(|| self.sockets.iter().find(|folder| folder.is_dir()).cloned())
    }
}

fn port_answers(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PROBE).is_ok()
}

/// Name and home of the user with this number.
fn user(wanted: u32) -> Option<(String, PathBuf)> {
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let number: u32 = fields.get(2)?.parse().ok()?;
        (number == wanted).then_some((fields.first()?.to_string(), PathBuf::from(fields.get(5)?)))
    })
}

/// The number of the user with this name.
#[must_use]
pub fn user_number(name: &str) -> Option<u32> {
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}
