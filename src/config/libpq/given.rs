//! The settings that are given, by name.

use crate::config::misspelt::suggestion;
use std::collections::BTreeMap;

/// Settings by name. Secrets may be among them: never shown.
pub type Settings = BTreeMap<String, String>;

/// Which of the settings are set, and to what; an empty one counts as not set.
pub(super) struct Given(pub(super) Settings);

impl Given {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// One of `words`, by its place among them.
    pub(super) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, String> {
        let Some(given) = self.get(key) else { return Ok(None) };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == given) {
            return Ok(Some(*meaning));
        }
        // What stands there may be a secret in the wrong place: it is not repeated.
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let meant = suggestion(given, known.iter().copied());
        Err(format!("{key} has a word that is not known there; there are {}{meant}", known.join(", ")))
    }

    /// A list with commas; as many as there are, or none.
    pub(super) fn list(&self, key: &str) -> Vec<String> {
        self.get(key)
            .map(|text| text.split(',').map(|item| item.trim().to_owned()).collect())
            .unwrap_or_default()
    }
}
