//! Holds a server to the ways to log in that were allowed (libpq's `require_auth`): reads along until it has let us in, and breaks the
//! connection before the client answers to what must not be asked.

use crate::config::ways::{Way, Ways};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use std::error::Error as _;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{Config, Error};

/// A wire on which the server's questions at the login are looked at.
#[derive(Debug)]
pub(super) struct Guarded<S> {
    inner: S,
    /// Until it has let us in; nothing where every way is allowed.
    watch: Option<Watch>,
}

impl<S> Guarded<S> {
    /// What is outside of TLS: everything where there is none.
    pub(super) fn outside(inner: S, ways: Option<Ways>, config: &Config) -> Self {
        let plain = config.get_ssl_mode() == SslMode::Disable;
        let direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
        let ways = ways.filter(|_| plain || !direct);
        Self { inner, watch: ways.map(|ways| Watch::new(ways, !plain)) }
    }
}

/// Whether a connection came to be encrypted; a clone knows the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Encrypted(Arc<AtomicBool>);

impl Encrypted {
    pub(super) fn is(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What connects by TLS, tells that it did, and guards what is inside.
pub(super) struct Inside<T>(pub(super) T, pub(super) Option<Ways>, pub(super) Encrypted);

impl<S, T> TlsConnect<S> for Inside<T>
where
    T: TlsConnect<S>,
    T::Future: Send + 'static,
{
    type Stream = Guarded<T::Stream>;
    type Error = T::Error;
    type Future = BoxFuture<'static, Result<Self::Stream, Self::Error>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self(tls, ways, encrypted) = self;
        let guard = move |inner| {
            encrypted.0.store(true, Ordering::Relaxed);
            Guarded { inner, watch: ways.map(|ways| Watch::new(ways, false)) }
        };
        tls.connect(stream).map_ok(guard).boxed()
    }
}

impl<S: TlsStream + Unpin> TlsStream for Guarded<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.inner.channel_binding()
    }
}

/// What the server must not ask.
#[derive(Debug)]
struct Unwanted(String);

impl fmt::Display for Unwanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unwanted {}

/// Why the connection was broken, if it was for this.
pub(super) fn refused(error: &Error) -> Option<String> {
    let io: &io::Error = error.source()?.downcast_ref()?;
    Some(io.get_ref()?.downcast_ref::<Unwanted>()?.0.clone())
}

/// Reads the server's messages as they come, in whatever pieces.
#[derive(Debug)]
struct Watch {
    ways: Ways,
    /// The next byte says whether there will be TLS.
    negotiates: bool,
    /// It has asked for something.
    asked: bool,
    /// The beginning of a message: its kind, its length and, of a question, what is asked.
    head: Vec<u8>,
    /// So many bytes are of no interest.
    skip: usize,
}

/// Whether more is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    More,
    Done,
}

impl Watch {
    const fn new(ways: Ways, negotiates: bool) -> Self {
        Self { ways, negotiates, asked: false, head: Vec::new(), skip: 0 }
    }

    fn look(&mut self, bytes: &[u8]) -> Result<Next, String> {
        for byte in bytes {
            if std::mem::take(&mut self.negotiates) {
                match byte {
                    // What is inside is looked at there.
                    b'S' => return Ok(Next::Done),
                    b'N' => continue,
                    // An error, in place of an answer.
                    _ => {}
                }
            }
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            self.head.push(*byte);
            let [kind, a, b, c, d, what @ ..] = self.head.as_slice() else { continue };
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            if *kind != b'R' {
                self.skip = length.saturating_sub(4);
                self.head.clear();
            } else if let Ok(what) = <[u8; 4]>::try_from(what) {
                self.skip = length.saturating_sub(8);
                self.head.clear();
                if self.question(u32::from_be_bytes(what))? == Next::Done {
                    return Ok(Next::Done);
                }
            }
        }
        Ok(Next::More)
    }

    /// What is asked, by its number in the protocol.
    fn question(&mut self, number: u32) -> Result<Next, String> {
        let way = match number {
            0 if self.asked => return Ok(Next::Done),
            0 => Way::Nothing,
            3 => Way::Password,
            5 => Way::Md5,
            7 => Way::Gss,
            9 => Way::Sspi,
            // Of those that are offered there the client knows SCRAM only.
            10 => Way::Scram,
            // A question that was allowed goes on.
            8 | 11 | 12 if self.asked => return Ok(Next::More),
            _ => return Err(format!("the server asks for a login of a kind that is not known ({number})")),
        };
        if !self.ways.allows(way) {
            return Err(match way {
                Way::Nothing => {
                    "the server lets us in without asking who we are, which require_auth does not allow"
                        .to_owned()
                }
                Way::Password | Way::Md5 | Way::Gss | Way::Sspi | Way::Scram | Way::Oauth => {
                    format!(
                        "the server asks for a login by {}, which require_auth does not allow",
                        way.word()
                    )
                }
            });
        }
        self.asked = true;
        Ok(if way == Way::Nothing { Next::Done } else { Next::More })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Some(watch) = &mut self.watch {
            match watch.look(&buf.filled()[before..]) {
                Ok(Next::More) => {}
                Ok(Next::Done) => self.watch = None,
                Err(why) => {
                    buf.set_filled(before);
                    return Poll::Ready(Err(io::Error::other(Unwanted(why))));
                }
            }
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these bytes, in pieces of every size.
    #[track_caller]
    fn check(ways: &str, negotiates: bool, bytes: &[u8], expected: &str) {
        for size in 1..=bytes.len() {
            let mut watch = Watch::new(Ways::read(ways).expect("a list"), negotiates);
            let mut told = "goes on".to_owned();
            for piece in bytes.chunks(size) {
                match watch.look(piece) {
                    Ok(Next::More) => {}
                    Ok(Next::Done) => {
                        "lets in".clone_into(&mut told);
                        break;
                    }
                    Err(why) => {
                        told = why;
                        break;
                    }
                }
            }
            assert!(told.contains(expected), "{ways}, in pieces of {size}: {told}");
        }
    }

    const OK: &[u8] = b"R\0\0\0\x08\0\0\0\0";
    const PLAIN: &[u8] = b"R\0\0\0\x08\0\0\0\x03";
    const MD5: &[u8] = b"R\0\0\0\x0c\0\0\0\x05salt";
    const SASL: &[u8] = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";

    #[test]
    fn what_is_not_allowed_ends_it_before_an_answer() {
        check("scram-sha-256", false, PLAIN, "by password");
        check("scram-sha-256", false, MD5, "by md5");
        check("!password,!md5", false, MD5, "by md5");
        check("md5", false, SASL, "by scram-sha-256");
        check("scram-sha-256", false, OK, "without asking");
        check("!scram-sha-256", false, b"R\0\0\0\x08\0\0\0\x63", "not known");
        // A notice, and a refusal of TLS, before it.
        check("scram-sha-256", false, &[b"N\0\0\0\x09hello", PLAIN].concat(), "by password");
        check("scram-sha-256", true, &[b"N", PLAIN].concat(), "by password");
    }

    #[test]
    fn what_is_allowed_goes_on() {
        check("scram-sha-256", false, SASL, "goes on");
        check("md5", false, &[MD5, OK].concat(), "lets in");
        check("none", false, OK, "lets in");
        check(
            "!md5",
            false,
            &[SASL, b"R\0\0\0\x0a\0\0\0\x0bab", b"R\0\0\0\x08\0\0\0\x0c", OK].concat(),
            "lets in",
        );
        // With TLS what is inside is looked at there.
        check("md5", true, b"S\x16\x03\x03", "lets in");
        check("md5", false, b"E\0\0\0\x08FATA", "goes on");
    }
}
