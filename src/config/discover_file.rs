//! `[[discover]]` as it is written: endpoints that others list, in the files that Prometheus reads (`file_sd_configs`) or by a command that
//! prints the same.

use super::entry::{HttpFile, Lasting};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

/// A list of endpoints, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscoverFile {
    /// What the list is called.
    pub name: Spanned<String>,
    /// Patterns of files.
    #[serde(default)]
    pub files: Vec<String>,
    /// A command and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// How often it is looked at.
    pub refresh: Option<Lasting>,
    /// The label that names the group of a target.
    pub group: Option<String>,
    /// User of basic authentication at every target.
    pub user: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// File with a bearer token.
    pub token_file: Option<PathBuf>,
    /// PEM file of trusted roots.
    pub ca: Option<PathBuf>,
    /// How often its targets are polled.
    pub interval: Option<Lasting>,
    /// After this a poll is given up.
    pub timeout: Option<Lasting>,
}

impl DiscoverFile {
    /// What cannot be so: the key and the sentence.
    pub(super) fn mistake(&self) -> Option<(&'static str, &'static str)> {
        let endings = ["json", "yml", "yaml"];
        let known = |pattern: &String| endings.iter().any(|end| pattern.ends_with(&format!(".{end}")));
        match (self.files.is_empty(), self.command.first()) {
            (true, None) => Some(("name", "it names no list: give files or a command")),
            (false, Some(_)) => Some(("command", "give files or a command, not both")),
            (true, Some(program)) if program.trim().is_empty() => {
                Some(("command", "command begins with the program, and each argument stands by itself"))
            }
            (false, None) if !self.files.iter().all(known) => {
                Some(("files", "a list ends with .json, .yml or .yaml, as those that Prometheus reads"))
            }
            (false, None) if self.files.iter().any(|pattern| glob::Pattern::new(pattern).is_err()) => {
                Some(("files", "one of the patterns cannot be understood"))
            }
            (true, Some(_)) | (false, None) => None,
        }
    }

    /// What it makes stacktop do, for whoever is asked whether to trust it.
    pub(super) fn deed(&self) -> String {
        let names = match self.command.first() {
            Some(_) => "its command prints".to_owned(),
            None => format!("{} names", self.files.join(", ")),
        };
        let secret = self.password_file.as_ref().or(self.token_file.as_ref());
        let gives = secret.map(|file| format!(", and gives each of them what {} holds", file.display()));
        format!("every endpoint that {names}, now or later{}", gives.unwrap_or_default())
    }

    /// Everything that it says, wherever it stands: two that say the same are the same.
    pub(super) fn saying(&self) -> String {
        let Self {
            name,
            files,
            command,
            refresh,
            group,
            user,
            password_file,
            token_file,
            ca,
            interval,
            timeout,
        } = self;
        let list = (name.get_ref(), files, command, refresh, group);
        format!("{list:?} {:?}", (user, password_file, token_file, ca, interval, timeout))
    }

    /// The command that it runs.
    pub(super) fn command(&self) -> Option<String> {
        (!self.command.is_empty()).then(|| self.command.join(" "))
    }

    /// A target of it at this URL, as an entry of its own.
    pub(super) fn at(&self, url: String) -> HttpFile {
        HttpFile {
            name: None,
            url: Spanned::new(0..0, url),
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            password_command: None,
            token_file: self.token_file.clone(),
            api_key_file: None,
            ca: self.ca.clone(),
            client_cert: None,
            client_key: None,
            headers: BTreeMap::new(),
            certificate_fingerprint: None,
            requests: None,
            operations: BTreeMap::new(),
            interval: None,
            timeout: self.timeout,
            read_only: None,
            local: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn mistaken(text: &str, expected: Option<&str>) {
        let entry: DiscoverFile = toml::from_str(&format!("name = \"x\"\n{text}")).expect("TOML");
        assert_eq!(entry.mistake().map(|(key, _)| key), expected, "{text}");
    }

    #[test]
    fn a_list_is_files_or_a_command() {
        mistaken("", Some("name"));
        mistaken("files = [\"a/*.json\", \"b.yml\"]", None);
        mistaken("files = [\"a.txt\"]", Some("files"));
        mistaken("files = [\"[a.json\"]", Some("files"));
        mistaken("files = [\"a.json\"]\ncommand = [\"b\"]", Some("command"));
        mistaken("command = [\"list\", \"--all\"]", None);
        mistaken("command = [\"\"]", Some("command"));
    }
}
