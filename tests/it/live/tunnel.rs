//! A tunnel has an address of this machine; what is behind it has not. Nothing is changed there before it was armed.

use super::{Watch, server};
use stacktop::config::target::{Connect, PgPlace};
use stacktop::config::url;
use stacktop::core::whereabouts::Whereabouts;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A port of this machine behind which `real` answers.
pub fn tunnel(real: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(&real).expect("the server");
            let copy = |stream: &TcpStream| stream.try_clone().expect("twice");
            for (mut from, mut to) in [(copy(&client), copy(&server)), (server, client)] {
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
    port
}

async fn whereabouts(connect: Connect) -> Whereabouts {
    let mut watch = Watch::new(connect);
    let now = watch.context().now;
    let reading = watch.source.poll(now, &[]).await.expect("it answers");
    reading.whereabouts().expect("it can be changed").clone()
}

#[track_caller]
fn elsewhere(found: &Whereabouts) {
    assert!(matches!(found, Whereabouts::Elsewhere(why) if why.contains("it sees us as")), "{found:?}");
}

#[tokio::test]
async fn a_server_behind_a_tunnel_or_a_pooler_is_not_on_this_machine() {
    let test = "a_server_behind_a_tunnel_or_a_pooler_is_not_on_this_machine";
    let Some(url) = server(test, "STACKTOP_TEST_PG_URL") else { return };
    let Some(sockets) = server(test, "STACKTOP_TEST_PG_SOCKETS") else { return };
    let connect = url::postgres(&url).expect("a URL");
    assert_eq!(whereabouts(Connect::Postgres(connect.clone())).await, Whereabouts::Here);
    let mut local = url::postgres(&url).expect("a URL");
    local.hosts[0].place = PgPlace::Socket(sockets.into());
    assert_eq!(whereabouts(Connect::Postgres(local)).await, Whereabouts::Here);
    let mut far = url::postgres(&url).expect("a URL");
    far.hosts[0].port = tunnel(format!("127.0.0.1:{}", connect.hosts[0].port));
    elsewhere(&whereabouts(Connect::Postgres(far)).await);
    if let Some(pooler) = server(test, "STACKTOP_TEST_PGBOUNCER_URL") {
        elsewhere(&whereabouts(Connect::Postgres(url::postgres(&pooler).expect("a URL"))).await);
    }
}

#[tokio::test]
async fn a_redis_behind_a_tunnel_is_not_on_this_machine() {
    let test = "a_redis_behind_a_tunnel_is_not_on_this_machine";
    let Some(url) = server(test, "STACKTOP_TEST_REDIS_URL") else { return };
    let connect = url::redis(&url).expect("a URL");
    assert_eq!(whereabouts(Connect::Redis(connect.clone())).await, Whereabouts::Here);
    let mut far = connect.clone();
    far.port = tunnel(format!("127.0.0.1:{}", connect.port));
    elsewhere(&whereabouts(Connect::Redis(far)).await);
}

/// A Redis that runs with this command line.
struct Throwaway(Child);

impl Drop for Throwaway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(mut command: Command, port: u16) -> Throwaway {
    let port = port.to_string();
    let command = command.args(["--port", &port, "--save", ""]).stdout(Stdio::null()).stderr(Stdio::null());
    Throwaway(command.spawn().expect("redis-server"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port()
}

async fn answers(place: &str) {
    for _ in 0..100 {
        if TcpStream::connect(place).is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{place} does not answer");
}

fn redis_at(port: u16) -> Connect {
    Connect::Redis(url::redis(&format!("redis://127.0.0.1:{port}")).expect("a URL"))
}

#[tokio::test]
async fn a_server_whose_files_call_it_production_is_not_of_a_developer() {
    let test = "a_server_whose_files_call_it_production_is_not_of_a_developer";
    let Some(binary) = server(test, "STACKTOP_TEST_REDIS_SERVER") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shop-prod.conf");
    std::fs::write(&file, "bind 127.0.0.1\n").expect("written");
    let port = free_port();
    let mut command = Command::new(binary);
    command.arg(&file).current_dir(folder.path());
    let _server = run(command, port);
    answers(&format!("127.0.0.1:{port}")).await;
    let found = whereabouts(redis_at(port)).await;
    assert!(
        matches!(&found, Whereabouts::Production(why) if why.starts_with("its config_file is ")),
        "{found:?}"
    );
}

/// A bridge with a network of its own behind it, as a container engine makes them.
struct Bridge {
    name: String,
    net: String,
}

impl Bridge {
    /// None where nobody may make one.
    fn new(subnet: u32) -> Option<Self> {
        let bridge = Self { name: format!("stbr{subnet}"), net: format!("172.31.{subnet}") };
        let (name, net) = (&bridge.name, &bridge.net);
        let made = [
            format!("link add {name} type bridge"),
            format!("addr add {net}.1/24 dev {name}"),
            format!("link set {name} up"),
            format!("netns add {name}"),
            format!("link add {name}a type veth peer name {name}b"),
            format!("link set {name}a master {name} up"),
            format!("link set {name}b netns {name}"),
            format!("-n {name} addr add {net}.2/24 dev {name}b"),
            format!("-n {name} link set {name}b up"),
        ];
        made.iter().all(|line| ip(line)).then_some(bridge)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.name));
        ip(&format!("link del {}", self.name));
    }
}

fn ip(line: &str) -> bool {
    let quiet = Command::new("ip").args(line.split(' ')).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

#[tokio::test]
async fn a_container_of_this_machine_is_here() {
    let test = "a_container_of_this_machine_is_here";
    let Some(binary) = server(test, "STACKTOP_TEST_REDIS_SERVER") else { return };
    let Some(bridge) = Bridge::new(std::process::id() % 250) else {
        eprintln!("SKIPPED {test}: nobody may make a bridge here");
        return;
    };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &bridge.name, &binary, "--protected-mode", "no"]);
    let _server = run(command, 6379);
    let place = format!("{}.2:6379", bridge.net);
    answers(&place).await;
    // As docker's proxy: a port of this machine whose other end is a socket of this machine on the bridge.
    assert_eq!(whereabouts(redis_at(tunnel(place.clone()))).await, Whereabouts::Here);
    // Two of them in a row: the server sees the last one, which is here as well, whoever stands before it.
    let double = tunnel(format!("127.0.0.1:{}", tunnel(place)));
    assert_eq!(whereabouts(redis_at(double)).await, Whereabouts::Here);
}
