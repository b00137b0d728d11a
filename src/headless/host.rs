//! The HTTP side of `stacktop serve`: it takes questions and hands them to the run, and does nothing else. Size, number and time of what
//! comes in are bounded; nothing can be changed from here.

use super::exposition::Format;
use super::publish::Page;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

/// So many connections are held at once; others wait to be accepted.
const CONNECTIONS: usize = 32;
/// A connection is closed after this, whatever goes on: it frees a place.
const LIVES: Duration = Duration::from_secs(60);
/// A request must be there within this.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Line and headers of a request together are no longer than this.
const HEAD_BYTES: usize = 16 * 1024;
/// So many headers a request has at most.
const HEADERS: usize = 64;
/// The run answers within this, or is said to hang.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// So many questions wait for the run.
const WAITING: usize = CONNECTIONS;
/// What went wrong with accepting is tried again after this.
const PAUSE: Duration = Duration::from_millis(200);

/// A question that the run answers.
#[derive(Debug)]
pub struct Ask {
    page: Page,
    answer: oneshot::Sender<Bytes>,
}

impl Ask {
    /// What is asked for.
    #[must_use]
    pub const fn page(&self) -> Page {
        self.page
    }

    /// Answers; nobody may be there any more.
    pub fn answer(self, bytes: Bytes) {
        let _ = self.answer.send(bytes);
    }
}

/// The open port. Everything behind it ends with this.
#[derive(Debug)]
pub struct Host {
    address: SocketAddr,
    asks: mpsc::Receiver<Ask>,
    _serving: JoinSet<()>,
}

impl Host {
    /// Listens at `address`.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (sender, asks) = mpsc::channel(WAITING);
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, sender, address.ip().is_loopback()));
        Ok(Self { address, asks, _serving: serving })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next question. Nothing is lost when it is given up.
    pub async fn next(&mut self) -> Ask {
        match self.asks.recv().await {
            Some(ask) => ask,
            None => std::future::pending().await,
        }
    }
}

async fn accept(listener: TcpListener, asks: mpsc::Sender<Ask>, loopback: bool) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let asks = asks.clone();
        connections.spawn(async move {
            let _ = tokio::time::timeout(LIVES, connection(stream, asks, loopback)).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, asks: mpsc::Sender<Ask>, loopback: bool) {
    let service = service_fn(move |request| {
        let asks = asks.clone();
        async move { Ok::<_, Infallible>(respond(&request, &asks, loopback).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!("a connection ended: {error}");
    }
}

async fn respond(
    request: &Request<Incoming>,
    asks: &mpsc::Sender<Ask>,
    loopback: bool,
) -> Response<Full<Bytes>> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if loopback && !is_here(header(HOST)) {
        return said(StatusCode::FORBIDDEN, "this port is for this machine: ask for it by its address\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = said(StatusCode::METHOD_NOT_ALLOWED, "nothing can be changed here\n");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    let page = match request.uri().path() {
        "/metrics" => Page::Metrics(Format::accepted(header(ACCEPT))),
        "/check" => Page::Check,
        "/healthz" => Page::Health,
        _ => return said(StatusCode::NOT_FOUND, "there are /metrics, /check and /healthz\n"),
    };
    let (answer, answered) = oneshot::channel();
    let asked = asks.try_send(Ask { page, answer }).is_ok();
    match tokio::time::timeout(ANSWER_WITHIN, answered).await {
        Ok(Ok(bytes)) if asked => response(StatusCode::OK, page.content_type(), bytes),
        _ => said(StatusCode::SERVICE_UNAVAILABLE, "the run does not answer\n"),
    }
}

/// Whether who asks names this machine by an address or as `localhost`: a page in a browser whose name leads here is refused.
fn is_here(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name.is_empty() || name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

fn said(status: StatusCode, words: &'static str) -> Response<Full<Bytes>> {
    response(status, "text/plain; charset=utf-8", Bytes::from_static(words.as_bytes()))
}

fn response(status: StatusCode, content: &'static str, bytes: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_named_by_an_address() {
        for (host, here) in [
            ("127.0.0.1:9799", true),
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("[::1]:9799", true),
            ("", true),
            ("evil.example:9799", false),
            ("localhost.evil.example", false),
        ] {
            assert_eq!(is_here(host), here, "{host}");
        }
    }
}
