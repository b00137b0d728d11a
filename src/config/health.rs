//! `[[health]]`: a health endpoint, and the fields of its document that matter.

use super::entry::{Common, Entry, HttpFile};
use super::misspelt::suggestion;
use super::over_http::http_entry;
use crate::core::health::{Bound, HealthField, Unit};
use serde::Deserialize;
use std::path::PathBuf;
use toml::Spanned;

http_entry! {
    /// A health endpoint.
    HealthFile url {
        /// Names behind which values of its document are not shown.
        #[serde(default)]
        mask: Vec<String>,
        /// The fields of its document that matter.
        #[serde(default)]
        fields: Vec<FieldFile>,
    }
}

/// One field of the document.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldFile {
    /// Where it stands, as a JSON pointer.
    pub pointer: Spanned<String>,
    /// What it is called; without a name as its pointer ends.
    pub name: Option<String>,
    /// In what it is told: `ratio`, `ms`, `s`, `bytes`, or what stands behind the number.
    pub unit: Option<String>,
    /// A warning at or above this.
    pub warning_above: Option<f64>,
    /// Critical at or above this.
    pub critical_above: Option<f64>,
    /// A warning below this.
    pub warning_below: Option<f64>,
    /// Critical below this.
    pub critical_below: Option<f64>,
    /// The only word that is right.
    pub expect: Option<String>,
}

impl FieldFile {
    fn called(&self) -> String {
        let last = || self.pointer.get_ref().rsplit('/').next().unwrap_or_default().to_owned();
        self.name.clone().unwrap_or_else(last)
    }

    /// What cannot be so, with the key that is wrong.
    fn mistake(&self) -> Option<(&'static str, String)> {
        let pointer = self.pointer.get_ref();
        if !pointer.starts_with('/') {
            let sentence = "it is no JSON pointer; it begins with a slash: /cache/hitRate";
            return Some(("pointer", sentence.to_owned()));
        }
        let bounds = [
            ("warning_above", self.warning_above),
            ("critical_above", self.critical_above),
            ("warning_below", self.warning_below),
            ("critical_below", self.critical_below),
        ];
        if let Some((key, _)) = bounds.iter().find(|(_, bound)| bound.is_some_and(|bound| !bound.is_finite()))
        {
            return Some((key, format!("{key} is no number that can be reached")));
        }
        let pair = |one: Option<f64>, other: Option<f64>| one.zip(other);
        if pair(self.warning_above, self.critical_above).is_some_and(|(warning, critical)| warning > critical)
        {
            return Some(("critical_above", "critical_above is below warning_above".to_owned()));
        }
        if pair(self.warning_below, self.critical_below).is_some_and(|(warning, critical)| warning < critical)
        {
            return Some(("critical_below", "critical_below is above warning_below".to_owned()));
        }
        let is_bounded = bounds.iter().any(|(_, bound)| bound.is_some());
        if is_bounded && self.expect.is_some() {
            return Some((
                "expect",
                "a word that is expected has no thresholds: keep one of them".to_owned(),
            ));
        }
        let ratio = |bound: &f64| !(0.0..=1.0).contains(bound);
        let wrong = bounds.iter().find(|(_, bound)| bound.as_ref().is_some_and(ratio));
        if let (Some((key, _)), Some("ratio")) = (wrong, self.unit.as_deref()) {
            return Some((key, format!("{key} is a ratio from 0 to 1: write 0.8 for 80 %")));
        }
        let near = self
            .unit
            .as_deref()
            .filter(|unit| !matches!(*unit, "" | "count" | "ratio" | "ms" | "s" | "seconds" | "bytes"));
        let hint = near
            .map(|unit| suggestion(unit, ["count", "ratio", "seconds", "bytes"]))
            .filter(|hint| !hint.is_empty());
        hint.map(|hint| ("unit", format!("unit is not known{hint}")))
    }
}

impl From<&FieldFile> for HealthField {
    fn from(field: &FieldFile) -> Self {
        Self {
            name: field.called(),
            pointer: field.pointer.get_ref().clone(),
            unit: field.unit.as_deref().map(Unit::of).unwrap_or_default(),
            above: Bound { warning: field.warning_above, critical: field.critical_above },
            below: Bound { warning: field.warning_below, critical: field.critical_below },
            expect: field.expect.clone(),
        }
    }
}

impl HealthFile {
    /// The endpoint as a plain HTTP source.
    pub(super) fn endpoint(&self) -> HttpFile {
        self.plain(self.url.clone())
    }
}

impl Entry for HealthFile {
    fn common(&self) -> Common<'_> {
        self.what_all_have()
    }

    fn paths(&mut self) -> Vec<(&'static str, &mut Option<PathBuf>)> {
        self.files()
    }

    fn mistakes(&self) -> Vec<(Vec<String>, String)> {
        let mut told = Vec::new();
        if self.mask.iter().any(|name| name.trim().is_empty()) {
            told.push((vec!["mask".to_owned()], "an entry of mask is empty".to_owned()));
        }
        let mut names: Vec<String> = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            let path = |key: &str| vec!["fields".to_owned(), index.to_string(), key.to_owned()];
            if let Some((key, sentence)) = field.mistake() {
                told.push((path(key), sentence));
            }
            let hides = |mask: &&String| {
                field.pointer.get_ref().split('/').any(|part| part.eq_ignore_ascii_case(mask))
            };
            if let Some(mask) = self.mask.iter().filter(|mask| !mask.is_empty()).find(hides) {
                told.push((
                    path("pointer"),
                    format!("mask hides `{mask}`: what stands there cannot be judged"),
                ));
            }
            let name = field.called();
            if name.trim().is_empty() {
                told.push((path("name"), "name is empty".to_owned()));
            } else if names.contains(&name) {
                told.push((
                    path("name"),
                    format!("a second field is called `{name}`; give each its own name"),
                ));
            }
            names.push(name);
        }
        told
    }
}
