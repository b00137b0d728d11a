//! `[[probe]]`: something that only has to answer. What it is says its URL, or `kind`.

use super::entry::{Common, Entry, HttpFile};
use super::misspelt::suggestion;
use super::over_http::http_entry;
use std::path::PathBuf;
use toml::Spanned;

http_entry! {
    /// Something that only has to answer.
    ProbeFile #[serde(alias = "tcp")] url {
        /// What it is: `http`, `tcp`, `grafana`, `minio`, `mongodb`; without it its URL says so.
        kind: Option<String>,
        /// The status that is right; without it any of success.
        status: Option<u16>,
        /// What the answer has to contain.
        contains: Option<String>,
        /// The address of a page about it.
        link: Option<String>,
    }
}

/// The kinds by name.
pub(super) const KINDS: [&str; 5] = ["http", "tcp", "grafana", "minio", "mongodb"];

impl ProbeFile {
    /// The same as a plain HTTP source at this URL.
    pub(super) fn at(&self, url: &str) -> HttpFile {
        self.plain(Spanned::new(self.url.span(), url.to_owned()))
    }

    /// What it is: by its name, else by its URL; `host:port` alone is TCP.
    pub(super) fn what(&self) -> &str {
        let scheme = self.url.get_ref().split_once("://").map(|(scheme, _)| scheme);
        match (self.kind.as_deref(), scheme) {
            (Some(kind), _) => kind,
            (None, Some("mongodb")) => "mongodb",
            (None, Some("tcp") | None) => "tcp",
            (None, Some(_)) => "http",
        }
    }
}

impl Entry for ProbeFile {
    fn common(&self) -> Common<'_> {
        self.what_all_have()
    }

    fn paths(&mut self) -> Vec<(&'static str, &mut Option<PathBuf>)> {
        self.files()
    }

    fn mistakes(&self) -> Vec<(Vec<String>, String)> {
        let mut told = Vec::new();
        let mut tell = |key: &str, sentence: String| told.push((vec![key.to_owned()], sentence));
        let kind = self.what();
        if !KINDS.contains(&kind) {
            tell("kind", format!("there is no such kind of probe{}", suggestion(kind, KINDS)));
        }
        if self.status.is_some_and(|status| !(100..=599).contains(&status)) {
            tell("status", "status is one of HTTP, from 100 to 599".to_owned());
        }
        let asked = [("status", self.status.is_some()), ("contains", self.contains.is_some())];
        if let Some((key, _)) = asked.iter().find(|(_, given)| *given && kind != "http") {
            tell(key, format!("{key} is for a probe of kind http: of {kind} it is known what is right"));
        }
        if self.contains.as_ref().is_some_and(String::is_empty) {
            tell("contains", "contains is empty: every answer contains that".to_owned());
        }
        if self
            .link
            .as_ref()
            .is_some_and(|link| !link.starts_with("https://") && !link.starts_with("http://"))
        {
            tell("link", "link is the address of a page: it begins with https:// or http://".to_owned());
        }
        told
    }
}
