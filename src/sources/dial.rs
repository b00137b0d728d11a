//! Opens the wire to a server: TCP or a unix socket, with what is known about its two ends. No protocol here. The only place where the
//! name of a host is looked up.

use crate::config::target::Dialled;
use crate::core::whereabouts::End;
use crate::sources::bulkhead::NAMES;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A server that says nothing is asked by the system itself whether it is still there: after this, this often, this many times.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(20), Duration::from_secs(5), 3);

/// An open wire.
#[derive(Debug)]
pub enum Wire {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a unix socket.
    Unix(UnixStream),
}

/// Opens a wire. The caller has the timeout.
///
/// # Errors
/// What the system says.
pub async fn dial(to: &Dialled) -> io::Result<Wire> {
    let wire = open(to).await?;
    if let Ok(end) = wire.our_end() {
        remember(to, end);
    }
    Ok(wire)
}

async fn open(to: &Dialled) -> io::Result<Wire> {
    match to {
        Dialled::Unix(path) => UnixStream::connect(path).await.map(Wire::Unix),
        Dialled::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (idle, each, times) = KEEPALIVE;
            // A system that cannot do this has a longer wait of its own.
            let _ = rustix::net::sockopt::set_socket_keepalive(&stream, true);
            let _ = rustix::net::sockopt::set_tcp_keepidle(&stream, idle);
            let _ = rustix::net::sockopt::set_tcp_keepintvl(&stream, each);
            let _ = rustix::net::sockopt::set_tcp_keepcnt(&stream, times);
            Ok(Wire::Tcp(stream))
        }
    }
}

/// Opens a wire to the first address behind a name that answers. The caller has the timeout.
///
/// # Errors
/// What the resolver says, or the system of the last address.
pub async fn dial_name(name: &str, port: u16) -> io::Result<Wire> {
    first(name, port, async |address| dial(&Dialled::Tcp(address)).await).await
}

/// The same for a look: it is not remembered.
///
/// # Errors
/// As [`dial_name`].
pub async fn glance(name: &str, port: u16) -> io::Result<TcpStream> {
    first(name, port, async |address| TcpStream::connect(address).await).await
}

async fn first<W>(name: &str, port: u16, open: impl AsyncFn(SocketAddr) -> io::Result<W>) -> io::Result<W> {
    let mut last = None;
    for address in addresses(name, port).await? {
        match open(address).await {
            Ok(wire) => return Ok(wire),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("its name stands for no address")))
}

/// The addresses behind a name. The resolver cannot be given up: what is asked of it has a place of its own.
///
/// # Errors
/// What the resolver says.
pub async fn addresses(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let wanted = name.to_owned();
    let look_up = move || (wanted.as_str(), port).to_socket_addrs().map(Iterator::collect);
    let failed = || Err(io::Error::other("looking it up failed inside stacktop"));
    NAMES.run(name, look_up).await.unwrap_or_else(failed)
}

impl Wire {
    /// Our own end.
    ///
    /// # Errors
    /// When the wire is broken already.
    pub fn our_end(&self) -> io::Result<End> {
        match self {
            Self::Tcp(stream) => {
                let address = stream.local_addr()?;
                Ok(End::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port())))
            }
            Self::Unix(stream) => Ok(End::Unix(stream.peer_cred()?.pid())),
        }
    }

    /// The user that the other end of a unix socket runs as.
    #[must_use]
    pub fn peer_user(&self) -> Option<u32> {
        match self {
            Self::Tcp(_) => None,
            Self::Unix(stream) => stream.peer_cred().ok().map(|peer| peer.uid()),
        }
    }
}

/// The ends of wires that were opened last, oldest first: the clients of a library do not tell theirs.
static LATEST: Mutex<VecDeque<(Dialled, End)>> = Mutex::new(VecDeque::new());
/// Of each server no more of them are remembered: a poll, an action, and those before them.
const REMEMBERED: usize = 4;

fn remember(to: &Dialled, end: End) {
    let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    latest.push_back((to.clone(), end));
    if latest.iter().filter(|(server, _)| server == to).count() > REMEMBERED
        && let Some(oldest) = latest.iter().position(|(server, _)| server == to)
    {
        latest.remove(oldest);
    }
}

/// Our ends of the wires that were opened last to servers on these ports, or behind unix sockets; the newest first.
#[must_use]
pub fn latest_ends(ports: &[u16]) -> Vec<End> {
    let latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    let wanted = |to: &Dialled| match to {
        Dialled::Tcp(address) => ports.contains(&address.port()),
        Dialled::Unix(_) => true,
    };
    latest.iter().rev().filter(|(to, _)| wanted(to)).map(|(_, end)| *end).collect()
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
