//! A Prometheus server as it is written in the configuration file.

use super::entry::{Common, Entry, HttpFile, PastFile, QueryFile};
use super::over_http::http_entry;
use std::path::PathBuf;
use toml::Spanned;

http_entry! {
    /// A Prometheus server.
    PrometheusFile url {
        /// URL of the Alertmanager behind it, asked with the same credentials which alerts are silenced or inhibited.
        alertmanager: Option<Spanned<String>>,
        /// PromQL panels.
        #[serde(default)]
        query: Vec<QueryFile>,
        /// Where it remembers numbers of other targets.
        #[serde(default)]
        past: Vec<PastFile>,
    }
}

impl PrometheusFile {
    /// The same as an entry of a plain HTTP source, at this URL.
    pub(super) fn server(&self, url: &Spanned<String>) -> HttpFile {
        self.plain(url.clone())
    }
}

impl Entry for PrometheusFile {
    fn common(&self) -> Common<'_> {
        self.what_all_have()
    }

    fn paths(&mut self) -> Vec<(&'static str, &mut Option<PathBuf>)> {
        self.files()
    }
}
