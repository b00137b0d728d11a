//! Connections as psql makes them: the same variables and URL have the same outcome with both, as the same user, on the same server,
//! encrypted or not; or they are refused by both.

use super::{Watch, server};
use stacktop::config::discover::Surroundings;
use stacktop::config::target::{Connect, Dialled, PostgresConnect};
use stacktop::config::url;
use stacktop::core::reading::Reading;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

const ASK: &str = "SELECT current_user || ' ' || current_database() || ' ' || coalesce(inet_server_port()::text, 'socket') \
     || CASE WHEN pg_is_in_recovery() THEN ' standby' ELSE ' primary' END \
     || CASE WHEN (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) THEN ' tls' ELSE ' plain' END";

/// What both are started with.
pub struct Stage {
    psql: PathBuf,
    home: tempfile::TempDir,
    vars: Vec<(String, String)>,
}

impl Stage {
    pub fn new(psql: &str, vars: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { psql: psql.into(), home, vars }
    }

    /// What psql makes of it: where it got to and as whom, or why not.
    pub fn psql(&self, url: &str) -> Result<String, String> {
        let mut command = Command::new(&self.psql);
        command.env_clear().env("HOME", self.home.path()).env("PATH", "/usr/bin:/bin");
        command.envs(self.vars.iter().map(|(name, value)| (name, value)));
        let output = command.args(["-X", "-w", "-At", "-d", url, "-c", ASK]).output().expect("psql runs");
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    fn read(&self, url: &str) -> Result<PostgresConnect, String> {
        let mut around = Surroundings::here().with("HOME", &self.home.path().display().to_string());
        for (name, value) in &self.vars {
            around = around.with(name, value);
        }
        let mut connect = url::postgres_around(url, None, &around)?;
        if connect.password.is_none() {
            connect.password = around.var("PGPASSWORD").map(stacktop::config::secret::Secret::inline);
        }
        Ok(connect)
    }

    /// The same of us.
    pub async fn ours(&self, url: &str) -> Result<String, String> {
        let connect = self.read(url)?;
        outcome(connect).await
    }
}

async fn outcome(connect: PostgresConnect) -> Result<String, String> {
    let elected = connect.elected.clone();
    let mut watch = Watch::new(Connect::Postgres(connect));
    let now = watch.context().now;
    let Reading::Postgres(reading) = watch.source.poll(now, &[]).await.map_err(|error| error.message)? else {
        panic!("a reading of Postgres")
    };
    let server = &reading.server;
    let place = match elected.now().expect("one was elected").1 {
        Dialled::Tcp(address) => address.port().to_string(),
        Dialled::Unix(_) => "socket".to_owned(),
    };
    Ok(format!(
        "{} {} {place} {} {}",
        server.role.trim_matches('"'),
        server.database,
        if server.in_recovery { "standby" } else { "primary" },
        if server.tls { "tls" } else { "plain" }
    ))
}

/// A port where connections are taken and nobody ever speaks.
fn mute() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    (listener, port)
}

/// A URL and what the environment says besides.
type Case<'a> = (String, Vec<(&'a str, &'a str)>);

/// Ports of the primary, its standby and of nobody who speaks; where the sockets are; the authority, and another one.
struct Places {
    p: String,
    s: String,
    mute: u16,
    sockets: String,
    ca: String,
    other: String,
}

fn users_and_sockets(place: &Places) -> Vec<Case<'_>> {
    let Places { p, sockets, ca, .. } = place;
    let h = "127.0.0.1";
    vec![
        // Users, databases, sockets.
        (format!("postgres://{h}:{p}/postgres"), vec![]),
        (format!("postgres://{h}:{p}"), vec![]),
        (format!("postgres://localhost:{p}/peered"), vec![]),
        (format!("postgres:///postgres?host={sockets}&port={p}"), vec![]),
        ("postgres:///postgres".into(), vec![("PGHOST", sockets), ("PGPORT", p)]),
        ("postgres://".into(), vec![("PGHOST", sockets), ("PGPORT", p), ("PGDATABASE", "only_tls")]),
        (
            format!("postgres:///postgres?host={sockets}&port={p}&sslmode=verify-full"),
            vec![("PGSSLROOTCERT", ca)],
        ),
        (format!("postgres:///peered?host={sockets}&port={p}"), vec![]),
        (format!("host=nowhere.invalid hostaddr={h} port={p}"), vec![]),
        (format!("postgres://{h}:{p}/nowhere"), vec![]),
        (format!("postgres://nobody_role@{h}:{p}/postgres"), vec![]),
    ]
}

fn encryption(place: &Places) -> Vec<Case<'_>> {
    let Places { p, sockets, ca, other, .. } = place;
    let h = "127.0.0.1";
    vec![
        // TLS and what the server lets in.
        (format!("postgres://{h}:{p}/only_tls"), vec![]),
        (format!("postgres://{h}:{p}/only_tls?sslmode=allow"), vec![]),
        (format!("postgres://{h}:{p}/only_tls?sslmode=disable"), vec![]),
        (format!("postgres://{h}:{p}/only_plain"), vec![]),
        (format!("postgres://{h}:{p}/only_plain?sslmode=require"), vec![]),
        (format!("postgres://{h}:{p}/postgres?sslmode=allow"), vec![]),
        (format!("postgres://{h}:{p}/postgres"), vec![("PGSSLMODE", "disable")]),
        (
            format!("postgres://localhost:{p}/postgres"),
            vec![("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", ca)],
        ),
        (
            format!("postgres://localhost:{p}/postgres"),
            vec![("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", other)],
        ),
        (format!("postgres://localhost:{p}/postgres"), vec![("PGSSLMODE", "verify-full")]),
        (format!("postgres://localhost:{p}/postgres?sslmode=verify-ca"), vec![]),
        (format!("postgres://localhost:{p}/postgres?sslmode=require"), vec![("PGSSLROOTCERT", other)]),
        (format!("postgres://localhost:{p}/postgres?sslmode=prefer"), vec![("PGSSLROOTCERT", other)]),
        (format!("postgres://{h}:{p}/postgres?ssl_min_protocol_version=TLSv1.3"), vec![]),
        (format!("postgres://{h}:{p}/postgres?sslmode=require&ssl_max_protocol_version=TLSv1.2"), vec![]),
        (format!("postgres://{h}:{p}/postgres?channel_binding=require"), vec![]),
        (format!("postgres://{h}:{p}/postgres?channel_binding=require&sslmode=disable"), vec![]),
        (format!("postgres://crowd@{h}:{p}/postgres?channel_binding=require"), vec![]),
        (format!("postgres:///postgres?host={sockets}&port={p}"), vec![("PGCHANNELBINDING", "require")]),
        (format!("postgres://{h}:{p}/postgres?gssencmode=require"), vec![]),
        (format!("postgres:///postgres?host={sockets}&port={p}&requirepeer=no_such_user"), vec![]),
        (format!("postgres://{h}:{p}/postgres?sslmod=require"), vec![]),
        (format!("postgres://{h}:{p}/postgres"), vec![("PGSSLMODE", "yes")]),
    ]
}

fn servers(place: &Places) -> Vec<Case<'_>> {
    let Places { p, s, mute, .. } = place;
    let h = "127.0.0.1";
    vec![
        // Several hosts.
        (format!("postgres://{h}:1,{h}:{p}/postgres"), vec![]),
        (format!("postgres://{h}:{s},{h}:{p}/postgres"), vec![]),
        (format!("postgres://{h}:{s},{h}:{p}/postgres?target_session_attrs=read-write"), vec![]),
        (format!("postgres://{h}:{s},{h}:{p}/postgres"), vec![("PGTARGETSESSIONATTRS", "primary")]),
        (format!("postgres://{h}:{p},{h}:{s}/postgres?target_session_attrs=standby"), vec![]),
        (format!("postgres://{h}:{p},{h}:{s}/postgres?target_session_attrs=read-only"), vec![]),
        (format!("postgres://{h}:{p},{h}:{s}/postgres?target_session_attrs=prefer-standby"), vec![]),
        (format!("postgres://{h}:{p},{h}:1/postgres?target_session_attrs=prefer-standby"), vec![]),
        (format!("postgres://{h}:{s}/postgres?target_session_attrs=read-write"), vec![]),
        (format!("postgres://{h}:{p}/postgres?target_session_attrs=standby"), vec![]),
        (format!("postgres://{h}:{p},{h}:{s}/nowhere"), vec![]),
        (format!("postgres://{h}:{mute},{h}:{p}/postgres?connect_timeout=2"), vec![]),
        (format!("host={h},{h} port={s},{p} target_session_attrs=primary"), vec![]),
        (format!("host={h},{h} port={s},{p},1"), vec![]),
        // Services.
        ("postgres://?service=copy".into(), vec![]),
        ("service=shop".into(), vec![("PGPORT", "1")]),
        ("postgres://".into(), vec![("PGSERVICE", "copy")]),
        (format!("postgres://{h}:{p}/postgres?service=nowhere"), vec![]),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_url_has_the_same_outcome_as_with_psql() {
    let test = "the_same_url_has_the_same_outcome_as_with_psql";
    let (Some(psql), Some(url)) = (server(test, "STACKTOP_TEST_PSQL"), server(test, "STACKTOP_TEST_PG_URL"))
    else {
        return;
    };
    let Some(standby) = server(test, "STACKTOP_TEST_PG_STANDBY_URL") else { return };
    let Some(sockets) = server(test, "STACKTOP_TEST_PG_SOCKETS") else { return };
    let Some(ca) = server(test, "STACKTOP_TEST_PG_CA") else { return };
    let port =
        |url: &str| url.rsplit_once(':').expect("a port").1.split('/').next().expect("a port").to_owned();
    let (p, s) = (port(&url), port(&standby));
    let (_listener, mute) = mute();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let other = file("other.pem", &super::certificates::authority(folder.path(), "other"));
    let services = file(
        "services",
        &format!(
            "[copy]\nhost=127.0.0.1\nport={s}\nuser=postgres\ndbname=postgres\n[shop]\nhost=127.0.0.1\nport={p}\nsslmode=disable\n"
        ),
    );
    let basics =
        [("PGPASSWORD", "postgres-secret"), ("PGUSER", "postgres"), ("PGSERVICEFILE", services.as_str())];
    let place = Places { p, s, mute, sockets, ca, other };
    let cases: Vec<Case<'_>> = [users_and_sockets(&place), encryption(&place), servers(&place)].concat();
    let mut wrong = Vec::new();
    for (url, more) in &cases {
        let mut vars = basics.to_vec();
        vars.extend(more);
        let stage = Stage::new(&psql, &vars);
        let (theirs, ours) = (stage.psql(url), stage.ours(url).await);
        if theirs.as_ref().ok() != ours.as_ref().ok() {
            wrong.push(format!("{url} {more:?}\n  psql: {theirs:?}\n  ours: {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_login_may_take_as_long_as_the_target_and_one_host_never_takes_it_all() {
    let test = "a_login_may_take_as_long_as_the_target_and_one_host_never_takes_it_all";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let (_listener, mute) = mute();
    let real = url.rsplit_once('@').expect("a host").1.to_owned();
    let several = url.replace(&real, &format!("127.0.0.1:{mute},{real}"));
    let mut connect = url::postgres(&several).expect("a URL");
    connect.timeout = std::time::Duration::from_secs(4);
    let place = outcome(connect.clone()).await.expect("the second one answers in what the first one left");
    assert!(place.contains("primary"), "{place}");
    connect.hosts.truncate(1);
    for (timeout, said) in [(1, "within 0.9 s"), (4, "within 3.6 s")] {
        connect.timeout = std::time::Duration::from_secs(timeout);
        let error = outcome(connect.clone()).await.expect_err("nobody speaks");
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn another_server_is_elected_when_the_first_is_gone_and_everybody_follows() {
    let test = "another_server_is_elected_when_the_first_is_gone_and_everybody_follows";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let Some(standby) = server(test, "STACKTOP_TEST_PG_STANDBY_URL") else { return };
    let host =
        |url: &str| url.rsplit_once('@').expect("a host").1.split('/').next().expect("a host").to_owned();
    // A way to the primary that can be closed.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let door = listener.local_addr().expect("bound");
    let real = host(&url);
    let open: Arc<std::sync::Mutex<Vec<std::net::TcpStream>>> = Arc::default();
    let closed = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (held, shut) = (Arc::clone(&open), Arc::clone(&closed));
    let doorman = std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if shut.load(std::sync::atomic::Ordering::SeqCst) {
                return;
            }
            let server = std::net::TcpStream::connect(&real).expect("the primary");
            held.lock()
                .expect("held")
                .extend([client.try_clone().expect("twice"), server.try_clone().expect("twice")]);
            for (mut from, mut to) in
                [(client.try_clone().expect("twice"), server.try_clone().expect("twice")), (server, client)]
            {
                std::thread::spawn(move || {
                    let mut bytes = [0; 16384];
                    while let Ok(read @ 1..) = from.read(&mut bytes) {
                        if to.write_all(&bytes[..read]).is_err() {
                            return;
                        }
                    }
                });
            }
        }
    });
    let several = url.replace(&host(&url), &format!("{door},{}", host(&standby)));
    let connect = url::postgres(&several).expect("a URL");
    let mut watch = Watch::new(Connect::Postgres(connect.clone()));
    watch.poll().await.expect("the first one answers");
    assert_eq!(connect.elected.now().expect("elected").1, Dialled::Tcp(door));
    closed.store(true, std::sync::atomic::Ordering::SeqCst);
    let _ = std::net::TcpStream::connect(door);
    doorman.join().expect("gone");
    for stream in open.lock().expect("held").drain(..) {
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }
    let _ = watch.poll().await;
    watch.poll().await.expect("the second one answers");
    assert_eq!(connect.elected.now().expect("elected").0, 1);
    // Who acts goes where the target is now: the executor's statement is refused by the standby's own words, not done elsewhere.
    let executor =
        stacktop::systems::open_executor(&watch.target, watch.folder.path()).expect("it can be changed");
    executor.prepare().await;
    let seen = "SELECT count(*)::int4 FROM pg_stat_activity WHERE application_name = 'stacktop' AND client_port IS NOT NULL";
    let (client, connection) =
        tokio_postgres::connect(&standby, tokio_postgres::NoTls).await.expect("the standby");
    tokio::spawn(connection);
    let count: i32 = client.query_one(seen, &[]).await.expect("counted").get(0);
    assert!(count >= 2, "both connections are there: {count}");
}

/// The server asks `postgres` for SCRAM, and `crowd` and whoever comes through its socket for nothing.
#[tokio::test]
async fn a_server_is_held_to_the_ways_to_log_in_that_are_allowed() {
    let test = "a_server_is_held_to_the_ways_to_log_in_that_are_allowed";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let Some(sockets) = server(test, "STACKTOP_TEST_PG_SOCKETS") else { return };
    let port = url.rsplit_once(':').expect("a port").1.split('/').next().expect("a port");
    let socket = format!("postgres://postgres@/postgres?host={sockets}&port={port}");
    let crowd = format!("postgres://crowd@127.0.0.1:{port}/postgres?");
    for (url, ways, refusal) in [
        (format!("{url}?"), "scram-sha-256", None),
        (format!("{url}?"), "!password,!md5,!none", None),
        (format!("{url}?"), "password,md5", Some("login by scram-sha-256")),
        (format!("{url}?"), "none", Some("login by scram-sha-256")),
        (crowd.clone(), "scram-sha-256", Some("without asking who we are")),
        (crowd.clone(), "!none", Some("without asking who we are")),
        (crowd, "none", None),
        (socket.clone(), "none", None),
        (socket, "scram-sha-256", Some("without asking who we are")),
    ] {
        for mode in ["disable", "allow", "prefer", "require"] {
            let full = format!("{url}&sslmode={mode}&require_auth={ways}");
            let outcome = outcome(url::postgres(&full).expect("a URL")).await;
            match (refusal, &outcome) {
                (None, Ok(_)) => {}
                (Some(words), Err(error)) if error.contains(words) => {}
                _ => panic!("{full}: {outcome:?}"),
            }
        }
    }
    // Through a pooler it is the pooler that asks.
    if let Some(pooler) = server(test, "STACKTOP_TEST_PGBOUNCER_URL") {
        let asked = outcome(url::postgres(&format!("{pooler}?require_auth=!none")).expect("a URL")).await;
        assert!(
            asked.as_ref().is_ok() || asked.as_ref().is_err_and(|error| error.contains("require_auth")),
            "{asked:?}"
        );
    }
}
