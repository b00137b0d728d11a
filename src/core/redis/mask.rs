//! Fields of job data that are not shown, and the type of texts that were masked. Only masks make such a text, so that nothing of a job
//! comes into a reading past them, and what shows it later (pages, previews, dialogs, groups of failures, files) cannot forget them. What
//! acts on a job reads the original from the server itself. Pure.

use crate::core::redact::{HIDDEN, named};
use crate::core::text::tidy;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Deref;

/// A masked value shorter than this is not looked for in a job's other texts: it would be found in every word.
const TELLING_CHARS: usize = 4;
/// More values of one job are not looked for in its other texts.
const MOST_VALUES: usize = 100;

/// The names of the fields whose values are not shown, whatever their case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masks(Vec<String>);

/// A reason longer than this is cut in lists.
pub const REASON_CHARS: usize = 400;
/// What is told around a hit, in characters.
const AROUND: usize = 30;

/// What a job holds, says or failed with, as its target's masks let it be seen: on screens, in logs and in files. What is masked is not in
/// it at all.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    shown: String,
    /// Something of it is masked, or it was cut.
    less: bool,
}

impl Payload {
    /// The text as the server has it: for what is done to a job only. `None` where something of it is masked or cut.
    #[must_use]
    pub fn unmasked(&self) -> Option<&str> {
        (!self.less).then_some(&self.shown)
    }

    /// Whether something of it is masked, or it was cut.
    #[must_use]
    pub const fn is_less(&self) -> bool {
        self.less
    }

    /// Its first `chars` characters.
    #[must_use]
    pub fn cut(mut self, chars: usize) -> Self {
        if let Some((at, _)) = self.shown.char_indices().nth(chars) {
            self.shown.truncate(at);
            self.less = true;
        }
        self
    }

    /// What stands around the first place of `words` (lower case); nothing where they are not in it.
    #[must_use]
    pub fn around(&self, words: &str) -> Option<Self> {
        let lower = self.shown.to_lowercase();
        let at = lower.find(words)?;
        // Lower case may be longer: a place near it is enough for a glance.
        let before = lower[..at].chars().count();
        let from = before.saturating_sub(AROUND);
        let part: String = self.shown.chars().skip(from).take(2 * AROUND + words.chars().count()).collect();
        let (lead, trail) = (
            if from > 0 { "…" } else { "" },
            if from + part.chars().count() < self.shown.chars().count() { "…" } else { "" },
        );
        let shown = tidy(&format!("{lead}{part}{trail}"), 2 * AROUND + words.chars().count() + 2);
        Some(Self { less: self.less || shown != self.shown, shown })
    }
}

/// As it may be seen.
impl Deref for Payload {
    type Target = str;

    fn deref(&self) -> &str {
        &self.shown
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.shown)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{}", self.shown, if self.less { " (less)" } else { "" })
    }
}

impl PartialEq<str> for Payload {
    fn eq(&self, other: &str) -> bool {
        self.shown == other
    }
}

impl PartialEq<&str> for Payload {
    fn eq(&self, other: &&str) -> bool {
        self.shown == *other
    }
}

impl Masks {
    /// Masks for these fields.
    #[must_use]
    pub fn new(fields: &[String]) -> Self {
        Self(fields.iter().filter(|field| !field.is_empty()).cloned().collect())
    }

    /// `text` without the values of these fields. In JSON they are masked at any depth, also in JSON that stands as text in JSON; in other
    /// text where a value stands behind its field's name (`email=…`, `(email)=(…)`).
    #[must_use]
    pub fn payload(&self, text: String) -> Payload {
        match self.gather(&text, &mut BTreeSet::new()) {
            Some(shown) => Payload { shown, less: true },
            None => Payload { shown: text, less: false },
        }
    }

    /// A reason as it is shown: masked and cut, for it is a line of a list.
    #[must_use]
    pub fn reason(&self, text: String) -> Payload {
        self.payload(text).cut(REASON_CHARS)
    }

    /// A job: its fields and its log lines, with the values of masked fields of its data hidden wherever else they stand, too (a reason that
    /// names the address to which nothing could be delivered).
    #[must_use]
    pub fn job(
        &self,
        fields: BTreeMap<String, String>,
        logs: Vec<String>,
    ) -> (BTreeMap<String, Payload>, Vec<Payload>) {
        let mut values = BTreeSet::new();
        let mut payload = |text: String| match self.gather(&text, &mut values) {
            Some(shown) => Payload { shown, less: true },
            None => Payload { shown: text, less: false },
        };
        let mut fields: BTreeMap<String, Payload> =
            fields.into_iter().map(|(name, text)| (name, payload(text))).collect();
        let mut logs: Vec<Payload> = logs.into_iter().map(payload).collect();
        for value in values.iter().take(MOST_VALUES) {
            for text in fields.values_mut().chain(&mut logs).filter(|text| text.contains(value.as_str())) {
                *text = Payload { shown: text.replace(value, HIDDEN), less: true };
            }
        }
        (fields, logs)
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

    #[track_caller]
    fn shown(text: &str) -> String {
        let payload = masks().payload(text.to_owned());
        assert!(payload.is_less() && payload.unmasked().is_none(), "{payload:?}");
        // Whatever prints or writes it.
        let written = serde_json::to_string(&payload).expect("written");
        let all = format!("{payload} {payload:?} {written} {:?}", payload.chars());
        assert!(!all.contains("a@b.c") && !all.contains("4111"), "{all}");
        payload.to_string()
    }

    #[test]
    fn fields_at_any_depth_and_nothing_else() {
        let data =
            r#"{"order":7,"to":[{"Email":"a@b.c","name":"A"}],"card":{"number":"4111"},"note":"email"}"#;
        let shown = shown(data);
        assert!(shown.contains(r#""name":"A""#) && shown.contains(r#""note":"email""#), "{shown}");
        for (masks, whole) in [(Masks::default(), data), (masks(), "an email was sent")] {
            assert_eq!(masks.payload(whole.to_owned()).unmasked(), Some(whole));
        }
    }

    #[track_caller]
    fn check(text: &str) {
        assert!(shown(text).contains(HIDDEN));
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
        let fields = texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let (fields, logs) = masks().job(fields, vec!["sending to a@b.c".to_owned()]);
        assert_eq!(fields["failedReason"], "550 ••• is not known here");
        assert_eq!(logs[0], "sending to •••");
        let less: Vec<&str> =
            fields.iter().filter(|(_, text)| text.is_less()).map(|(name, _)| name.as_str()).collect();
        assert_eq!(less, ["data", "failedReason"]);
        assert_eq!(fields["opts"].unmasked(), Some(r#"{"attempts":3}"#));
    }

    #[test]
    fn what_is_cut_is_not_the_original() {
        let long = Masks::default().reason("ß".repeat(REASON_CHARS + 1));
        assert_eq!((long.chars().count(), long.unmasked()), (REASON_CHARS, None));
        let short = Masks::default().reason("ß".repeat(REASON_CHARS));
        assert!(short.unmasked().is_some());
    }

    #[test]
    fn a_hit_is_told_with_what_stands_around_it() {
        let around = |text: &str, words: &str| Masks::default().payload(text.to_owned()).around(words);
        assert_eq!(around("{\"order\":4711}", "4711").expect("a hit"), "{\"order\":4711}");
        assert_eq!(around("nothing", "4711"), None);
        let told = around(&format!("{}NEEDLE{}", "a".repeat(100), "ß".repeat(100)), "needle").expect("a hit");
        assert!(told.contains("NEEDLE") && told.starts_with('…') && told.ends_with('…'), "{told}");
        assert!(told.is_less() && around("İNEEDLE", "needle").is_some());
    }
}
