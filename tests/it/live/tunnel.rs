//! A tunnel has an address of this machine; what is behind it has not. Nothing is changed there before it was armed.

use super::{Watch, server};
use stacktop::config::target::{Connect, PgPlace};
use stacktop::config::url;
use stacktop::core::whereabouts::Whereabouts;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

/// A port of this machine behind which `real` answers.
fn tunnel(real: String) -> u16 {
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
