//! A Loki server as it is written in the configuration file, and how it is reached.

use super::entry::{Common, Entry, Lasting, QueryFile};
use super::http::HttpConnect;
use crate::core::loki::LokiSettings;
use crate::core::prometheus::PromQuery;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

/// A Loki server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LokiFile {
    /// Its name.
    pub name: Option<Spanned<String>>,
    /// URL.
    pub url: Spanned<String>,
    /// User of basic authentication.
    pub user: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Command that prints the password.
    pub password_command: Option<String>,
    /// File with a bearer token.
    pub token_file: Option<PathBuf>,
    /// PEM file of trusted roots.
    pub ca: Option<PathBuf>,
    /// PEM file of our own certificate, for a server that asks for one.
    pub client_cert: Option<PathBuf>,
    /// PEM file of its key.
    pub client_key: Option<PathBuf>,
    /// Headers sent with every request (`X-Scope-OrgID`).
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The streams that are counted and looked through.
    pub selector: Option<String>,
    /// A LogQL expression for lines of errors within a minute.
    pub errors: Option<String>,
    /// The streams of a target or a queue, by its name.
    #[serde(default)]
    pub streams: BTreeMap<String, String>,
    /// Names behind which values in lines are not shown.
    #[serde(default)]
    pub mask: Vec<String>,
    /// LogQL panels.
    #[serde(default)]
    pub query: Vec<QueryFile>,
    /// How often it is polled.
    pub interval: Option<Lasting>,
    /// After this a poll is given up.
    pub timeout: Option<Lasting>,
}

impl Entry for LokiFile {
    fn common(&self) -> Common<'_> {
        Common {
            name: self.name.as_ref(),
            url: &self.url,
            interval: self.interval,
            timeout: self.timeout,
            read_only: None,
            local: None,
            user: self.user.as_deref(),
            password_command: self.password_command.as_deref(),
        }
    }

    fn paths(&mut self) -> Vec<(&'static str, &mut Option<PathBuf>)> {
        vec![
            ("password_file", &mut self.password_file),
            ("token_file", &mut self.token_file),
            ("ca", &mut self.ca),
            ("client_cert", &mut self.client_cert),
            ("client_key", &mut self.client_key),
        ]
    }
}

/// How to reach a Loki server, and what to ask it.
#[derive(Clone, Debug)]
pub struct LokiConnect {
    /// The server.
    pub http: HttpConnect,
    /// The streams that are counted and looked through; `None`: all of them.
    pub selector: Option<String>,
    /// A LogQL expression for lines of errors within a minute; `None`: those whose level says so.
    pub errors: Option<String>,
    /// The streams of a target or a queue, by its name; without one they are found by their labels.
    pub streams: BTreeMap<String, String>,
    /// Names behind which values in lines are not shown.
    pub masks: Vec<String>,
    /// LogQL panels from the configuration.
    pub queries: Vec<PromQuery>,
}

impl From<HttpConnect> for LokiConnect {
    fn from(http: HttpConnect) -> Self {
        Self {
            http,
            selector: None,
            errors: None,
            streams: BTreeMap::new(),
            masks: Vec::new(),
            queries: Vec::new(),
        }
    }
}

impl From<&LokiConnect> for LokiSettings {
    fn from(connect: &LokiConnect) -> Self {
        Self { panels: connect.queries.clone() }
    }
}
