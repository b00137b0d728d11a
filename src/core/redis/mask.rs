//! Fields of job data that are not shown. Applied where a job is read: what is masked there cannot be forgotten by whatever shows it
//! later (pages, previews, dialogs, groups of failures). What acts on a job reads the original from the server itself. Pure.

use crate::core::redact::{HIDDEN, named};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A masked value shorter than this is not looked for in a job's other texts: it would be found in every word.
const TELLING_CHARS: usize = 4;
/// More values of one job are not looked for in its other texts.
const MOST_VALUES: usize = 100;

/// The names of the fields whose values are not shown, whatever their case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masks(Vec<String>);

/// A reason longer than this is cut in lists.
pub const REASON_CHARS: usize = 400;

impl Masks {
    /// Masks for these fields.
    #[must_use]
    pub fn new(fields: &[String]) -> Self {
        Self(fields.iter().filter(|field| !field.is_empty()).cloned().collect())
    }

    /// `text` without the values of these fields; `None` where there were none. In JSON they are masked at any depth, also in JSON that
    /// stands as text in JSON; in other text where a value stands behind its field's name (`email=…`, `(email)=(…)`).
    #[must_use]
    pub fn masked(&self, text: &str) -> Option<String> {
        self.gather(text, &mut BTreeSet::new())
    }

    /// The same; text without such fields stays as it is.
    #[must_use]
    pub fn apply(&self, text: String) -> String {
        self.masked(&text).unwrap_or(text)
    }

    /// A reason as it is shown: masked and cut, for it is a line of a list.
    #[must_use]
    pub fn reason(&self, text: String) -> String {
        self.apply(text).chars().take(REASON_CHARS).collect()
    }

    /// Masks a job: its fields and its log lines, and the values of masked fields of its data wherever else they stand (a reason that
    /// names the address to which nothing could be delivered). The names of the fields that are not as they were.
    pub fn job(&self, fields: &mut BTreeMap<String, String>, logs: &mut [String]) -> BTreeSet<String> {
        if self.0.is_empty() {
            return BTreeSet::new();
        }
        let mut values = BTreeSet::new();
        let mut changed = BTreeSet::new();
        for (name, text) in fields.iter_mut() {
            if let Some(masked) = self.gather(text, &mut values) {
                *text = masked;
                changed.insert(name.clone());
            }
        }
        for line in logs.iter_mut() {
            if let Some(masked) = self.gather(line, &mut values) {
                *line = masked;
            }
        }
        for value in values.iter().take(MOST_VALUES) {
            for (name, text) in fields.iter_mut().filter(|(_, text)| text.contains(value.as_str())) {
                *text = text.replace(value, HIDDEN);
                changed.insert(name.clone());
            }
            for line in logs.iter_mut() {
                *line = line.replace(value, HIDDEN);
            }
        }
        changed
    }

    fn gather(&self, text: &str, values: &mut BTreeSet<String>) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let json =
            text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str::<Value>(text).ok());
        match json.flatten() {
            Some(mut value) => self.value(&mut value, values).then(|| value.to_string()),
            None => named(text, &self.0),
        }
    }

    fn value(&self, value: &mut Value, values: &mut BTreeSet<String>) -> bool {
        match value {
            Value::Object(map) => {
                let mut found = false;
                for (name, inner) in map.iter_mut() {
                    if self.0.iter().any(|field| field.eq_ignore_ascii_case(name)) {
                        leaves(inner, values);
                        *inner = Value::from(HIDDEN);
                        found = true;
                    } else {
                        found |= self.value(inner, values);
                    }
                }
                found
            }
            Value::Array(items) => {
                items.iter_mut().fold(false, |found, item| self.value(item, values) | found)
            }
            Value::String(text) => match self.gather(text, values) {
                Some(masked) => {
                    *text = masked;
                    true
                }
                None => false,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

/// The texts and numbers inside `value` that are long enough to be told.
fn leaves(value: &Value, found: &mut BTreeSet<String>) {
    let mut leaf = |text: String| {
        if text.chars().count() >= TELLING_CHARS && text != HIDDEN {
            found.insert(text);
        }
    };
    match value {
        Value::String(text) => leaf(text.clone()),
        Value::Number(number) => leaf(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::Object(map) => map.values().for_each(|item| leaves(item, found)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks() -> Masks {
        Masks::new(&["email".to_owned(), "card".to_owned()])
    }

    #[test]
    fn fields_at_any_depth_and_nothing_else() {
        let data =
            r#"{"order":7,"to":[{"Email":"a@b.c","name":"A"}],"card":{"number":"4111"},"note":"email"}"#;
        let shown = masks().masked(data).expect("masked");
        assert!(!shown.contains("a@b.c") && !shown.contains("4111"), "{shown}");
        assert!(shown.contains(r#""name":"A""#) && shown.contains(r#""note":"email""#), "{shown}");
        assert_eq!(Masks::default().masked(data), None);
        assert_eq!(masks().masked("an email was sent"), None);
    }

    #[track_caller]
    fn check(text: &str) {
        let shown = masks().masked(text).expect("masked");
        assert!(!shown.contains("a@b.c") && shown.contains(HIDDEN), "{shown}");
    }

    #[test]
    fn json_inside_text_and_text_behind_a_name() {
        check(r#"{"originalData":"{\"email\":\"a@b.c\"}"}"#);
        check(r#"{"body":"[{\"to\":\"{\\\"email\\\":\\\"a@b.c\\\"}\"}]"}"#);
        check("Key (email)=(a@b.c) already exists");
        check(r#"Error: refused {"email":"a@b.c"} by relay"#);
        check(r#"["Error: email=a@b.c\n    at send (mail.js:1:1)"]"#);
        check(r#"{"email":"a@b.c","cut off in the mid"#);
    }

    #[test]
    fn a_masked_value_is_masked_wherever_else_it_stands_in_the_job() {
        let texts = [
            ("data", r#"{"email":"a@b.c","n":1}"#),
            ("failedReason", "550 a@b.c is not known here"),
            ("opts", r#"{"attempts":3}"#),
        ];
        let mut fields: BTreeMap<String, String> =
            texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let mut logs = vec!["sending to a@b.c".to_owned()];
        let changed = masks().job(&mut fields, &mut logs);
        assert_eq!(fields["failedReason"], "550 ••• is not known here");
        assert_eq!(logs, ["sending to •••"]);
        assert_eq!(changed.into_iter().collect::<Vec<_>>(), ["data", "failedReason"]);
        assert_eq!(fields["opts"], r#"{"attempts":3}"#);
    }
}
