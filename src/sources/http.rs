//! The only place where an HTTP client is built: TLS, credentials, a limit on every body, errors as sentences without secrets.
//!
//! The engine's timeout covers the whole poll; a question that must not cost the others has a limit of its own ([`within`]). A redirect is
//! followed on the same host only: credentials never go elsewhere.

mod credentials;
mod names;
mod part;
mod refusal;
mod words;

pub use part::{gap, within};

use credentials::{Credentials, authorization, extra};
use names::Names;

use super::asked;
use super::heard::Heard;
use super::tls::{self, Depth, Trust};
use crate::config::target::{HttpAuth, HttpConnect, Pin};
use crate::core::report::{PollError, PollErrorKind};
use chrono::{DateTime, Utc};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// No answer is read beyond this: a body of this size is a mistake or an attack, and the terminal must not run out of memory.
pub const BODY_LIMIT_BYTES: usize = 32 * 1024 * 1024;

/// A connection takes no longer than this; where there are other nodes to try, not even that.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
const CONNECT_ONE_WITHIN: Duration = Duration::from_millis(1500);

/// So many redirects are followed one after the other.
const MOST_REDIRECTS: usize = 3;

/// So often a request is begun anew of which nothing was sent.
const MOST_UNSENT: usize = 3;

/// An answer: any status, headers and a complete body.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most [`BODY_LIMIT_BYTES`].
    pub body: Arc<Vec<u8>>,
    /// The certificate that the server showed, where the way is encrypted.
    pub certificate: Option<Vec<u8>>,
    /// What was sent and may be secret: a server or a proxy may repeat it.
    sent: Vec<SecretString>,
}

impl Answer {
    /// When the server answered, by its own clock, to the second; `None` where it does not say so.
    #[must_use]
    pub fn date(&self) -> Option<DateTime<Utc>> {
        let date = self.headers.get(reqwest::header::DATE)?.to_str().ok()?;
        DateTime::parse_from_rfc2822(date).ok().map(|date| date.with_timezone(&Utc))
    }

    /// What the body of a refusal says: type and reason, or a page's title. What may be a secret in it is hidden.
    #[must_use]
    pub fn told(&self) -> String {
        words::told(&self.body, self.sent.iter().map(ExposeSecret::expose_secret))
    }

    /// Whether the service closes this path to everybody, whatever the credentials (AWS answers 401 then).
    #[must_use]
    pub fn is_closed_path(&self) -> bool {
        matches!(self.status.as_u16(), 401 | 403) && words::is_closed_path(&self.told())
    }
}

/// A client for one target: base URL, credentials, TLS.
pub struct Http {
    client: reqwest::Client,
    /// Base URLs of the nodes, and which of them is asked now.
    urls: Vec<String>,
    turn: AtomicUsize,
    /// No body is read beyond this.
    most_bytes: usize,
    /// A redirect is an answer, too.
    stays: bool,
    shown: String,
    headers: HeaderMap,
    /// The values of those headers.
    values: Vec<SecretString>,
    auth: HttpAuth,
    authorization: Mutex<Option<Credentials>>,
    heard: Heard,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Http({})", self.shown)
    }
}

impl Http {
    /// Builds the client; secrets are read here, off the event loop. Nothing is connected yet.
    ///
    /// # Errors
    /// When a secret or a certificate file cannot be read.
    pub async fn open(connect: &HttpConnect) -> Result<Self, PollError> {
        let wrong = |sentence| PollError::new(PollErrorKind::Configuration, sentence);
        let tls = tls::configured(trust(connect)).await.map_err(wrong)?;
        let authorization = authorization(&connect.auth).await.map_err(wrong)?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .connect_timeout(if connect.others.is_empty() { CONNECT_WITHIN } else { CONNECT_ONE_WITHIN })
            .pool_max_idle_per_host(2)
            .no_proxy()
            .dns_resolver(Names)
            .tls_info(true)
            .user_agent(concat!("stacktop/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                PollError::new(
                    PollErrorKind::Configuration,
                    format!("no HTTP client: {}", error.without_url()),
                )
            })?;
        Ok(Self {
            client,
            urls: std::iter::once(&connect.url).chain(&connect.others).cloned().collect(),
            turn: AtomicUsize::new(0),
            most_bytes: BODY_LIMIT_BYTES,
            stays: false,
            shown: connect.shown_url(),
            headers: extra(&connect.headers)?,
            values: connect.headers.iter().map(|(_, value)| SecretString::from(value.clone())).collect(),
            auth: connect.auth.clone(),
            authorization: Mutex::new(authorization),
            heard: Heard::default(),
        })
    }

    /// The same, for bodies up to `bytes`.
    #[must_use]
    pub const fn up_to(mut self, bytes: usize) -> Self {
        self.most_bytes = bytes;
        self
    }

    /// The same, where a redirect is looked at and not followed.
    #[must_use]
    pub const fn staying(mut self, stays: bool) -> Self {
        self.stays = stays;
        self
    }

    /// `GET` of `path` (with its query) below the base URL; an empty path is the base URL itself, as it is written.
    ///
    /// # Errors
    /// When no complete answer came. Any status is an answer.
    pub async fn get(&self, path: &str, headers: &[(HeaderName, &str)]) -> Result<Answer, PollError> {
        self.send(Method::GET, path, headers, None).await
    }

    /// `POST` of a JSON body.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn post_json(&self, path: &str, body: &serde_json::Value) -> Result<Answer, PollError> {
        let headers = [(reqwest::header::CONTENT_TYPE, "application/json")];
        self.send(Method::POST, path, &headers, Some(body.to_string())).await
    }

    /// `DELETE` of `path`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn delete(&self, path: &str) -> Result<Answer, PollError> {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// `PUT` of a JSON body.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn put_json(&self, path: &str, body: &serde_json::Value) -> Result<Answer, PollError> {
        let headers = [(reqwest::header::CONTENT_TYPE, "application/json")];
        self.send(Method::PUT, path, &headers, Some(body.to_string())).await
    }

    /// `POST` without a body.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn post(&self, path: &str) -> Result<Answer, PollError> {
        self.send(Method::POST, path, &[], None).await
    }

    /// Any request with a body as it is. What is refused is asked once more with the credentials read anew: tokens rotate.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<String>,
    ) -> Result<Answer, PollError> {
        let used = self.known();
        let answer = self.attempt(method.clone(), path, headers, body.clone(), used.clone()).await?;
        if answer.status != StatusCode::UNAUTHORIZED || !self.auth.may_change() {
            return Ok(answer);
        }
        if self.known() == used {
            let read = authorization(&self.auth)
                .await
                .map_err(|sentence| PollError::new(PollErrorKind::Credentials, sentence))?;
            *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = read;
        }
        match self.known() {
            same if same == used => Ok(answer),
            other => self.attempt(method, path, headers, body, other).await,
        }
    }

    fn known(&self) -> Option<Credentials> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn attempt(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<String>,
        credentials: Option<Credentials>,
    ) -> Result<Answer, PollError> {
        let mut node = self.turn.load(Ordering::Relaxed);
        let mut url = self.place(node, path);
        let (mut followed, mut unsent, mut tried) = (0, 0, 1);
        loop {
            let mut request = self.client.request(method.clone(), &url).headers(self.headers.clone());
            for (name, value) in headers {
                request = request.header(name, *value);
            }
            if let Some(credentials) = &credentials {
                request = request.header(AUTHORIZATION, credentials.value.clone());
            }
            if let Some(body) = body.clone() {
                request = request.body(body);
            }
            asked::count(1);
            let response = match request.send().await {
                Ok(response) => response,
                // Nothing was sent: what the server said when it hung up was overtaken, and is heard at the next try.
                Err(error) if is_unsent(&error) && unsent < MOST_UNSENT => {
                    unsent += 1;
                    continue;
                }
                // This node is not there: the next one, for this request and those that follow.
                Err(error) if error.is_connect() && tried < self.urls.len() => {
                    node = self.next_node(node);
                    (url, tried, unsent) = (self.place(node, path), tried + 1, 0);
                    continue;
                }
                Err(error) => return Err(self.explain(error)),
            };
            match next(&response)
                .filter(|_| followed < MOST_REDIRECTS && method == Method::GET && !self.stays)
            {
                Some(next) => (url, followed) = (next, followed + 1),
                None => return self.collect(response, credentials).await,
            }
        }
    }

    /// Where a path is asked of a node.
    fn place(&self, node: usize, path: &str) -> String {
        let url = &self.urls[node % self.urls.len()];
        match path {
            "" => url.clone(),
            path => format!("{}{path}", url.trim_end_matches('/')),
        }
    }

    /// The node that is asked from now on, after `failed` was of no use; where another request has moved on already, that one.
    fn next_node(&self, failed: usize) -> usize {
        let next = failed + 1;
        self.turn
            .compare_exchange(failed, next, Ordering::Relaxed, Ordering::Relaxed)
            .map_or_else(|other| other, |_| next)
    }

    /// The node that is asked did not answer in time: the next one is asked from now on, if there is one.
    pub fn skip(&self) {
        if self.urls.len() > 1 {
            self.next_node(self.turn.load(Ordering::Relaxed));
        }
    }

    async fn collect(
        &self,
        mut response: reqwest::Response,
        credentials: Option<Credentials>,
    ) -> Result<Answer, PollError> {
        let mut collected = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.explain(error))? {
            self.heard.now();
            if collected.len() + chunk.len() > self.most_bytes {
                return Err(PollError::new(
                    PollErrorKind::WrongServer,
                    format!("the answer of {} is larger than {} MiB", self.shown, self.most_bytes >> 20),
                )
                .remedy("check the path of the URL"));
            }
            collected.extend_from_slice(&chunk);
        }
        let shown = response.extensions().get::<reqwest::tls::TlsInfo>();
        let certificate = shown.and_then(|shown| shown.peer_certificate().map(<[u8]>::to_vec));
        let sent = credentials.into_iter().flat_map(|used| used.secrets).chain(self.values.clone()).collect();
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: Arc::new(collected),
            certificate,
            sent,
        })
    }

    /// When the last byte of an answer came.
    #[must_use]
    pub fn heard(&self) -> Option<Instant> {
        self.heard.at()
    }

    /// The URL that may be shown.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

fn trust(connect: &HttpConnect) -> Trust {
    Trust {
        roots: connect.root_cert.clone(),
        client: connect.client.clone(),
        depth: match connect.pin {
            Some(Pin::OwnStack) => Depth::Nothing,
            Some(Pin::Fingerprint(_)) | None => Depth::default(),
        },
        fingerprint: match connect.pin {
            Some(Pin::Fingerprint(bytes)) => Some(bytes),
            Some(Pin::OwnStack) | None => None,
        },
        ..Trust::default()
    }
}

/// The client's words for a connection that ended before a request went out.
const UNSENT: &str = "connection was not ready";

fn is_unsent(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains(UNSENT) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Where a redirect leads, if that is the same host (or its encrypted side): what is sent goes nowhere else.
fn next(response: &reqwest::Response) -> Option<String> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let (here, location) = (response.url(), response.headers().get(reqwest::header::LOCATION)?);
    follows(here, &here.join(location.to_str().ok()?).ok()?)
}

fn follows(here: &Url, there: &Url) -> Option<String> {
    let same = there.host_str() == here.host_str()
        && there.port_or_known_default() == here.port_or_known_default()
        && there.scheme() == here.scheme();
    let encrypted = there.host_str() == here.host_str()
        && (here.scheme(), here.port()) == ("http", None)
        && (there.scheme(), there.port()) == ("https", None);
    (same || encrypted).then(|| there.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn an_answer_is_dated_by_the_clock_of_its_server() {
        let dated = |date: &'static str| {
            let headers = HeaderMap::from_iter([(reqwest::header::DATE, HeaderValue::from_static(date))]);
            Answer {
                status: StatusCode::OK,
                headers,
                body: Arc::default(),
                certificate: None,
                sent: Vec::new(),
            }
            .date()
            .map(|date| date.timestamp())
        };
        assert_eq!(dated("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(dated("yesterday"), None);
    }

    #[test]
    fn only_the_same_host_is_followed() {
        for (here, there, followed) in [
            ("http://a:9/metrics", "/metrics/", true),
            ("http://a:9/metrics", "http://a:9/x", true),
            ("http://a/metrics", "https://a/metrics", true),
            ("https://a/metrics", "http://a/metrics", false),
            ("http://a:9/metrics", "http://a:8/metrics", false),
            ("http://a:9/metrics", "//b:9/metrics", false),
        ] {
            let here = Url::parse(here).expect("a URL");
            let there = here.join(there).expect("a URL");
            assert_eq!(follows(&here, &there).is_some(), followed, "{here} {there}");
        }
    }
}
