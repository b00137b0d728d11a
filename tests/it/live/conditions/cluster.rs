//! A Postgres server of one condition's own: a copy of one template, so that a dozen of them start quickly.

use super::super::{client, server};
use stacktop::config::target::Connect;
use stacktop::config::url;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio_postgres::Client;

/// Postgres refuses to run as root: then it runs as the user whom `tests/run` makes.
const USER: &str = "stacktop-tests";

/// A folder of all servers with the template in it, and the programs.
pub struct Ground {
    folder: tempfile::TempDir,
    programs: PathBuf,
    root: bool,
}

impl Ground {
    pub fn new(test: &str) -> Option<Self> {
        let psql = server(test, "STACKTOP_TEST_PSQL")?;
        let programs = Path::new(&psql).parent().expect("a folder").to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        let id = Command::new("id").arg("-u").output().expect("id");
        let ground = Self { folder, programs, root: id.stdout.trim_ascii() == b"0" };
        if ground.root {
            let path = ground.folder.path();
            assert!(Command::new("chown").arg(USER).arg(path).status().expect("chown").success());
        }
        let template = ground.place("template");
        let options = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--wal-segsize=1"];
        run(ground.command("initdb").arg("-D").arg(template).args(options));
        Some(ground)
    }

    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program of Postgres, or another that is on the path, as who may run it.
    pub fn command(&self, program: &str) -> Command {
        let own = self.programs.join(program);
        let program = if own.exists() { own } else { PathBuf::from(program) };
        let mut command = if self.root {
            let mut command = Command::new("setpriv");
            let user = [format!("--reuid={USER}"), format!("--regid={USER}"), "--clear-groups".to_owned()];
            command.args(user).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// A new server from the template.
    pub async fn server(&self, name: &str, settings: &[&str]) -> Cluster {
        let (from, to) = (self.place("template"), self.place(name));
        run(Command::new("cp").arg("-a").args([&from, &to]));
        self.start(name, settings).await
    }

    /// Starts what lies in folder `name`.
    pub async fn start(&self, name: &str, settings: &[&str]) -> Cluster {
        let port = free_port();
        let data = self.place(name);
        let mut settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        settings.extend([
            format!("port={port}"),
            format!("unix_socket_directories={}", data.display()),
            "listen_addresses=127.0.0.1".to_owned(),
            "shared_buffers=16MB".to_owned(),
            "max_prepared_transactions=5".to_owned(),
            "fsync=off".to_owned(),
        ]);
        let mut cluster = Cluster { data, settings, port, child: None };
        cluster.start(self).await;
        cluster
    }
}

/// Runs it to its end.
pub fn run(command: &mut Command) {
    let output = command.stderr(Stdio::piped()).output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

pub fn free_port() -> u16 {
    let it = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    it.local_addr().expect("an address").port()
}

/// One server; it is killed when it is let go.
pub struct Cluster {
    data: PathBuf,
    settings: Vec<String>,
    pub port: u16,
    child: Option<Child>,
}

impl Cluster {
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub fn connect(&self) -> Connect {
        Connect::Postgres(url::postgres(&self.url()).expect("a URL"))
    }

    pub async fn client(&self) -> Client {
        client(&self.url()).await
    }

    /// Starts it, again perhaps.
    pub async fn start(&mut self, ground: &Ground) {
        let mut command = ground.command("postgres");
        command.arg("-D").arg(&self.data);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        self.child = Some(command.spawn().expect("postgres"));
        for _ in 0..300 {
            let there = tokio_postgres::connect(&self.url(), tokio_postgres::NoTls).await;
            if there.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{} does not answer", self.data.display());
    }

    /// Stops it as an operator does: every session is ended, nothing is lost.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let pid = child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = child.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
        let _ = child.wait();
    }
}
