//! Opens the wire to a server: TCP or a unix socket, with what is known about its two ends. No protocol here.

use crate::config::target::Dialled;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
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

/// Our own end of a wire, as the system knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OurEnd {
    /// Our address and port.
    Tcp(SocketAddr),
    /// A unix socket; the process that listens on it, where the system says so.
    Unix(Option<i32>),
}

/// Opens a wire. The caller has the timeout.
///
/// # Errors
/// What the system says.
pub async fn dial(to: &Dialled) -> io::Result<Wire> {
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

/// The addresses behind a name.
///
/// # Errors
/// What the resolver says.
pub async fn addresses(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, port)).await?.collect())
}

impl Wire {
    /// Our own end.
    ///
    /// # Errors
    /// When the wire is broken already.
    pub fn our_end(&self) -> io::Result<OurEnd> {
        match self {
            Self::Tcp(stream) => {
                let address = stream.local_addr()?;
                Ok(OurEnd::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port())))
            }
            Self::Unix(stream) => Ok(OurEnd::Unix(stream.peer_cred()?.pid())),
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

/// An address as a server writes it (`10.0.0.1`, `::ffff:10.0.0.1`, with or without a zone).
#[must_use]
pub fn read_address(text: &str) -> Option<IpAddr> {
    text.split(['%', '/']).next()?.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
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
