//! A Loki server as it is written in the configuration file, and how it is reached.

use super::entry::{Common, Entry, HttpFile, QueryFile};
use super::http::HttpConnect;
use super::over_http::http_entry;
use crate::core::loki::LokiSettings;
use crate::core::prometheus::PromQuery;
use std::collections::BTreeMap;
use std::path::PathBuf;

http_entry! {
    /// A Loki server.
    LokiFile url {
        /// The streams that are counted and looked through.
        selector: Option<String>,
        /// A LogQL expression for lines of errors within a minute.
        errors: Option<String>,
        /// The streams of a target or a queue, by its name.
        #[serde(default)]
        streams: BTreeMap<String, String>,
        /// Names behind which values in lines are not shown.
        #[serde(default)]
        mask: Vec<String>,
        /// LogQL panels.
        #[serde(default)]
        query: Vec<QueryFile>,
    }
}

impl LokiFile {
    /// The same as an entry of a plain HTTP source.
    pub(super) fn server(&self) -> HttpFile {
        self.plain(self.url.clone())
    }
}

impl Entry for LokiFile {
    fn common(&self) -> Common<'_> {
        self.what_all_have()
    }

    fn paths(&mut self) -> Vec<(&'static str, &mut Option<PathBuf>)> {
        self.files()
    }
}

/// How to reach a Loki server, and what to ask it.
#[derive(Clone, Debug, PartialEq)]
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
