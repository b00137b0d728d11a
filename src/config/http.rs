//! How a server is reached that is asked over HTTP.

use super::secret::Secret;
use crate::core::metrics::Operation;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How an HTTP source is reached. `Debug` never shows the query of its URL, in which a token may stand.
#[derive(Clone, PartialEq)]
pub struct HttpConnect {
    /// Base URL without user and password.
    pub url: String,
    /// How the client proves who it is.
    pub auth: HttpAuth,
    /// PEM file of trusted roots; `None` means the system's.
    pub root_cert: Option<PathBuf>,
    /// PEM files of our own certificate and its key, for a server that asks for them.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Headers sent with every request (`X-Scope-OrgID`); a value may be a secret.
    pub headers: Vec<(String, String)>,
    /// Base URLs of other nodes of the same cluster: asked when the one before cannot be reached or does not answer.
    pub others: Vec<String>,
    /// The certificate that is believed, instead of authorities and names.
    pub pin: Option<Pin>,
    /// The family that counts requests, where it is not to be found by its shape (metrics endpoints).
    pub requests: Option<String>,
    /// The families that measure its operations, where they are not to be found by their names (metrics endpoints).
    pub operations: BTreeMap<Operation, String>,
}

/// Which certificate is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The one with this SHA-256, or what that one has signed: Elasticsearch prints it at its first start.
    Fingerprint([u8; 32]),
    /// Any: a stack of this machine, published here by its compose file, which makes a certificate of its own.
    OwnStack,
}

impl std::fmt::Debug for HttpConnect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("HttpConnect");
        shown
            .field("url", &self.shown_url())
            .field("auth", &self.auth)
            .field("root_cert", &self.root_cert)
            .field("client", &self.client)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("others", &self.others)
            .field("pin", &self.pin)
            .field("requests", &self.requests)
            .field("operations", &self.operations);
        shown.finish()
    }
}

impl HttpConnect {
    /// A server at `url`, without anything else.
    #[must_use]
    pub const fn plain(url: String) -> Self {
        Self {
            url,
            auth: HttpAuth::None,
            root_cert: None,
            client: None,
            headers: Vec::new(),
            others: Vec::new(),
            pin: None,
            requests: None,
            operations: BTreeMap::new(),
        }
    }

    /// The URL as it may be shown: without user, password and query.
    #[must_use]
    pub fn shown_url(&self) -> String {
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        match (url.find("://"), url.rfind('@')) {
            (Some(scheme), Some(at)) if at > scheme => {
                format!("{}://{}", &url[..scheme], &url[at + 1..])
            }
            _ => url.to_owned(),
        }
    }

    /// The host in the URL, without port.
    #[must_use]
    pub fn host(&self) -> String {
        let shown = self.shown_url();
        let rest = shown.split_once("://").map_or(shown.as_str(), |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        match authority.rfind(':') {
            Some(colon) if !authority[colon..].contains(']') => authority[..colon].to_owned(),
            _ => authority.to_owned(),
        }
    }
}

/// How an HTTP client proves who it is. `Debug` never shows a user, which is a token in the URLs of many services.
#[derive(Clone, Default, PartialEq)]
pub enum HttpAuth {
    /// Not at all.
    #[default]
    None,
    /// User and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: ApiKey …` (Elasticsearch): the encoded key.
    ApiKey(Secret),
}

impl std::fmt::Debug for HttpAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic([REDACTED])",
            Self::Bearer(_) => "Bearer([REDACTED])",
            Self::ApiKey(_) => "ApiKey([REDACTED])",
        })
    }
}

impl HttpAuth {
    /// Whether reading it again may give other credentials.
    #[must_use]
    pub const fn may_change(&self) -> bool {
        match self {
            Self::None => false,
            Self::Basic { password, .. } => password.may_change(),
            Self::Bearer(token) | Self::ApiKey(token) => token.may_change(),
        }
    }
}
