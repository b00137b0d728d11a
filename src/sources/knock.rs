//! a knock: does anything there speak this protocol at all? One connection, a few bytes, no login, nothing in a server's log.
//!
//! What it costs the server: Postgres forks a process that answers one byte and ends (about a millisecond); Redis answers a PING
//! or that it wants a password; an HTTP server answers a HEAD. The timeout is the caller's.

use crate::config::target::{HttpConnect, PgHost, PgPlace, PostgresConnect, RedisConnect};
use crate::sources::dial;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, select_ok};
use std::io;
use std::path::PathBuf;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;

/// Asks whether the server speaks TLS; it answers with one letter, whatever its settings.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Where to knock.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Door {
    Tcp(String, u16),
    Socket(PathBuf),
}

/// What is said, and what an answer begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Greeting {
    /// Whoever takes the connection will do: what it says is encrypted.
    Connection,
    Words(Vec<u8>, &'static [&'static [u8]]),
}

/// A knock at a Postgres server (any of its hosts), or at a PgBouncer.
pub fn postgres(connect: &PostgresConnect) -> BoxFuture<'static, bool> {
    let place = |host: &PgHost| match &host.place {
        PgPlace::Socket(folder) => Door::Socket(folder.join(format!(".s.PGSQL.{}", host.port))),
        PgPlace::Name(name) => Door::Tcp(name.clone(), host.port),
        PgPlace::Address(address, _) => Door::Tcp(address.to_string(), host.port),
    };
    knock(connect.hosts.iter().map(place).collect(), ssl_request())
}

/// A knock at a Redis server, at the nodes of its cluster, or at the Sentinels that know it.
pub fn redis(connect: &RedisConnect) -> BoxFuture<'static, bool> {
    let greeting = if connect.tls { Greeting::Connection } else { ping() };
    let tcp = |(host, port): &(String, u16)| Door::Tcp(host.clone(), *port);
    let doors = match &connect.unix_socket {
        Some(path) => vec![Door::Socket(path.clone())],
        None if !connect.sentinels.is_empty() => connect.sentinels.iter().map(tcp).collect(),
        None => {
            let first = Door::Tcp(connect.host.clone(), connect.port);
            std::iter::once(first).chain(connect.nodes.iter().map(tcp)).collect()
        }
    };
    knock(doors, greeting)
}

/// A knock at an HTTP server; `None` where its URL names no place.
pub fn http(connect: &HttpConnect) -> Option<BoxFuture<'static, bool>> {
    let url = reqwest::Url::parse(&connect.url).ok()?;
    let greeting = if url.scheme() == "https" { Greeting::Connection } else { head(url.host_str()?) };
    let place = |url: &String| {
        let url = reqwest::Url::parse(url).ok()?;
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Door::Tcp(host, url.port_or_known_default()?))
    };
    let doors = std::iter::once(&connect.url).chain(&connect.others).filter_map(place).collect();
    Some(knock(doors, greeting))
}

fn ssl_request() -> Greeting {
    Greeting::Words(SSL_REQUEST.to_vec(), &[b"S", b"N", b"E"])
}

fn ping() -> Greeting {
    Greeting::Words(b"PING\r\n".to_vec(), &[b"+", b"-"])
}

fn head(host: &str) -> Greeting {
    let words =
        format!("HEAD / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: stacktop\r\nConnection: close\r\n\r\n");
    Greeting::Words(words.into_bytes(), &[b"HTTP/"])
}

/// Whether one of these doors answers.
fn knock(doors: Vec<Door>, greeting: Greeting) -> BoxFuture<'static, bool> {
    async move {
        let looks = doors.into_iter().map(|place| one(place, greeting.clone()).boxed());
        select_ok(looks).await.is_ok()
    }
    .boxed()
}

async fn one(place: Door, greeting: Greeting) -> io::Result<()> {
    match place {
        Door::Tcp(host, port) => greet(dial::glance(&host, port).await?, greeting).await,
        Door::Socket(path) => greet(UnixStream::connect(path).await?, greeting).await,
    }
}

async fn greet(mut stream: impl AsyncRead + AsyncWrite + Unpin, greeting: Greeting) -> io::Result<()> {
    let Greeting::Words(words, answers) = greeting else { return Ok(()) };
    stream.write_all(&words).await?;
    let longest = answers.iter().map(|answer| answer.len()).max().unwrap_or_default();
    let mut begin = vec![0; longest];
    stream.read_exact(&mut begin).await?;
    let known = answers.iter().any(|answer| begin.starts_with(answer));
    known.then_some(()).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// The port of a server that says this to whoever connects.
    async fn server(says: &'static [u8]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 8];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(says).await;
            }
        });
        port
    }

    #[tokio::test]
    async fn only_who_speaks_the_protocol_answers() {
        for (says, expected) in [
            (&b"N"[..], [true, false, false, true]),
            (b"-NOAUTH Authentication required.\r\n", [false, true, false, true]),
            (b"HTTP/1.1 405 Method Not Allowed\r\n\r\n", [false, false, true, true]),
            (b"\x00\xffgarbage", [false, false, false, true]),
            (b"", [false, false, false, true]),
        ] {
            let place = Door::Tcp("127.0.0.1".to_owned(), server(says).await);
            let mut answers = Vec::new();
            for greeting in [ssl_request(), ping(), head("shop"), Greeting::Connection] {
                answers.push(knock(vec![place.clone()], greeting).await);
            }
            assert_eq!(answers, expected, "{}", String::from_utf8_lossy(says));
        }
    }

    #[tokio::test]
    async fn one_node_of_several_is_enough_and_none_is_none() {
        let port = server(b"+PONG\r\n").await;
        let gone = ("127.0.0.1".to_owned(), 1);
        let host = gone.0.clone();
        let dead = RedisConnect { host: host.clone(), port: 1, ..RedisConnect::default() };
        assert!(!redis(&dead).await);
        let nodes = vec![gone.clone(), (host.clone(), port)];
        assert!(redis(&RedisConnect { nodes, ..dead.clone() }).await);
        let sentinels = vec![gone];
        assert!(!redis(&RedisConnect { port, sentinels, ..dead }).await, "who is asked are the Sentinels");
    }
}
