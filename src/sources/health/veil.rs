//! What of a document is never shown: values of the fields that `mask` names, and what stands behind or beside a name that looks like that of a
//! credential. They are taken out before anything is made of the document, so that no check, note or value can hold them. Pure.

use crate::core::health::{Standing, standing};
use crate::core::redact::{self, HIDDEN, is_telling};
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A hidden text shorter than this is not looked for elsewhere: it would be found in every word.
const TELLING_CHARS: usize = 4;
/// More hidden texts of one document are not looked for elsewhere.
const MOST: usize = 100;

/// Names of what an entry is called that is written as two fields: `{"name": "DB_PASSWORD", "value": "…"}`.
const CALLED: [&str; 6] = ["name", "key", "property", "variable", "field", "label"];
/// Names of what stands beside that.
const BESIDE: [&str; 7] = ["value", "values", "val", "data", "content", "current", "default"];
/// Names of credentials that mean something else in a line of text.
const OURS: [&str; 4] = ["pass", "passcode", "cookie", "otp"];
/// Ends of further ones.
const ENDS: [&str; 4] = ["private_key", "privatekey", "private-key", "credential"];

/// What is not shown of one endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Veil {
    /// The names of fields, whatever their case.
    masks: Vec<String>,
}

impl Veil {
    pub(super) fn new(masks: &[String]) -> Self {
        Self { masks: masks.iter().filter(|name| !name.is_empty()).cloned().collect() }
    }

    /// The document without what is not shown, wherever else in it that stands, too.
    pub(super) fn over(&self, mut document: Value) -> Value {
        let mut hidden = BTreeSet::new();
        self.walk(&mut document, &mut hidden);
        // One may be the beginning of another: the longer goes first.
        let mut hidden: Vec<String> = hidden.into_iter().collect();
        hidden.sort_by_key(|text| Reverse(text.len()));
        hidden.truncate(MOST);
        if !hidden.is_empty() {
            elsewhere(&mut document, &hidden);
        }
        document
    }

    /// A text that is no document, or what is said of one.
    pub(super) fn line(&self, text: &str) -> String {
        redact::line(text, &self.masks)
    }

    fn masks(&self, name: &str) -> bool {
        self.masks.iter().any(|mask| mask.eq_ignore_ascii_case(name))
    }

    fn walk(&self, value: &mut Value, hidden: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                let beside = self.is_of_secret(fields);
                for (name, inner) in fields.iter_mut() {
                    if self.masks(name) {
                        gather(inner, hidden);
                        *inner = Value::from(HIDDEN);
                    } else if let Some(numbers) = tells(name) {
                        self.secret(inner, numbers, hidden);
                    } else if beside && BESIDE.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                        self.secret(inner, true, hidden);
                    } else {
                        self.walk(inner, hidden);
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|inner| self.walk(inner, hidden)),
            // JSON as a text, or a sentence with names in it.
            Value::String(text) => {
                let shown = redact::named(text, &self.masks);
                if let Some(shown) = shown {
                    *text = shown;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether an entry calls itself as a credential is called, or as a field that is not shown.
    fn is_of_secret(&self, fields: &Map<String, Value>) -> bool {
        let calls = |name: &str| CALLED.iter().any(|known| known.eq_ignore_ascii_case(name));
        let mut names = fields.iter().filter(|(name, _)| calls(name)).filter_map(|(_, is)| is.as_str());
        names.any(|name| self.masks(name) || tells(name).is_some())
    }

    /// What stands behind the name of a credential. A check may be called so: its word is no secret, nor is whether something is so.
    fn secret(&self, value: &mut Value, numbers: bool, hidden: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields.iter_mut() {
                    if self.masks(name) {
                        gather(inner, hidden);
                        *inner = Value::from(HIDDEN);
                    } else {
                        self.secret(inner, numbers, hidden);
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|inner| self.secret(inner, numbers, hidden)),
            Value::String(text) if standing(text) != Standing::Unknown => {}
            Value::Number(_) if !numbers => {}
            Value::String(_) | Value::Number(_) => {
                gather(value, hidden);
                *value = Value::from(HIDDEN);
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

/// Whether a name is that of a credential, and then whether a number behind it is one: behind `tokens` stands how many there are.
fn tells(name: &str) -> Option<bool> {
    let ours = |name: &str| {
        let name = name.to_ascii_lowercase();
        OURS.contains(&name.as_str()) || ENDS.iter().any(|end| name.ends_with(end))
    };
    let one = |name: &str| is_telling(name) || ours(name);
    // How many have passed is a number, too.
    if name.eq_ignore_ascii_case("pass") {
        return Some(false);
    }
    if one(name) {
        return Some(true);
    }
    name.strip_suffix(['s', 'S']).is_some_and(one).then_some(false)
}

/// The texts inside `value` that are long enough to be told.
fn gather(value: &Value, hidden: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let known = standing(text) != Standing::Unknown || text == HIDDEN;
            if !known && text.chars().count() >= TELLING_CHARS {
                hidden.insert(text.clone());
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| gather(inner, hidden)),
        Value::Object(fields) => fields.values().for_each(|inner| gather(inner, hidden)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes these texts out of all others, and out of names.
fn elsewhere(value: &mut Value, hidden: &[String]) {
    let without = |text: &str| {
        let found = hidden.iter().filter(|one| text.contains(one.as_str()));
        found.fold(None, |shown: Option<String>, one| {
            Some(shown.as_deref().unwrap_or(text).replace(one.as_str(), HIDDEN))
        })
    };
    match value {
        Value::String(text) => {
            if let Some(shown) = without(text) {
                *text = shown;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| elsewhere(inner, hidden)),
        Value::Object(fields) => {
            let named: Vec<(String, String)> =
                fields.keys().filter_map(|name| Some((name.clone(), without(name)?))).collect();
            for (name, shown) in named {
                if let Some(inner) = fields.remove(&name) {
                    // Two that are called alike now stay two.
                    let mut numbers = 2..;
                    let mut called = shown.clone();
                    while fields.contains_key(&called) {
                        called = format!("{shown} {}", numbers.next().unwrap_or(usize::MAX));
                    }
                    fields.insert(called, inner);
                }
            }
            fields.values_mut().for_each(|inner| elsewhere(inner, hidden));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(document: &Value, expected: &Value) {
        let veil = Veil::new(&["email".to_owned(), "tenant".to_owned()]);
        assert_eq!(veil.over(document.clone()), *expected);
    }

    #[test]
    fn what_is_masked_is_hidden_at_any_depth_and_wherever_else_it_stands() {
        check(
            &json!({"status": "DOWN", "checks": [{"name": "mail", "status": "DOWN", "Email": "ana@x.de",
                "error": "550 ana@x.de is not known"}], "last": {"email": {"to": ["b@x.de"], "n": 7}},
                "seen": {"b@x.de": 1}, "n": 7}),
            &json!({"status": "DOWN", "checks": [{"name": "mail", "status": "DOWN", "Email": "•••",
                "error": "550 ••• is not known"}], "last": {"email": "•••"}, "seen": {"•••": 1}, "n": 7}),
        );
        check(
            &json!({"redis": {"status": "DOWN", "tenant": "redis"}, "shop": {"status": "UP", "tenant": "shop"}}),
            &json!({"•••": {"status": "DOWN", "tenant": "•••"}, "••• 2": {"status": "UP", "tenant": "•••"}}),
        );
        check(
            &json!({"email": "ana@x.de", "to": {"email": "ana@x.de.corp"}, "error": "ana@x.de.corp refused"}),
            &json!({"email": "•••", "to": {"email": "•••"}, "error": "••• refused"}),
        );
        check(
            &json!({"Name": "DB_PASSWORD", "Value": "geheim", "pass": 7}),
            &json!({"Name": "DB_PASSWORD", "Value": "•••", "pass": 7}),
        );
        check(
            &json!({"note": "sent to email=a@b.c", "emails": 3}),
            &json!({"note": "sent to email=•••", "emails": 3}),
        );
        check(&json!([{"key": "tenant", "value": 4711}]), &json!([{"key": "tenant", "value": "•••"}]));
    }

    #[test]
    fn what_stands_behind_or_beside_the_name_of_a_credential_is_hidden() {
        check(
            &json!({"password": 4711, "db": {"dbPassword": ["geheim", "älter"], "url": "geheim@db"}}),
            &json!({"password": "•••", "db": {"dbPassword": ["•••", "•••"], "url": "•••@db"}}),
        );
        check(
            &json!({"env": [{"name": "API_KEY", "value": "k1"}, {"name": "HOST", "value": "db"}]}),
            &json!({"env": [{"name": "API_KEY", "value": "•••"}, {"name": "HOST", "value": "db"}]}),
        );
        check(
            &json!({"env": {"SHOP_SECRET": {"value": "geheim", "origin": "env of geheim"}}}),
            &json!({"env": {"SHOP_SECRET": {"value": "•••", "origin": "•••"}}}),
        );
        check(
            &json!({"tokens": {"used": 512, "last": "t1"}, "secrets": ["a"], "max_tokens": 9, "pass": "x y"}),
            &json!({"tokens": {"used": 512, "last": "•••"}, "secrets": ["•••"], "max_tokens": 9, "pass": "•••"}),
        );
    }

    #[test]
    fn keys_and_credentials_are_hidden_with_all_that_stands_below() {
        check(
            &json!({"tls": {"tlsPrivateKey": "k", "credentials": {"user": "u"}}, "publicKey": "p"}),
            &json!({"tls": {"tlsPrivateKey": "•••", "credentials": {"user": "•••"}}, "publicKey": "p"}),
        );
    }

    #[test]
    fn a_check_may_be_called_as_a_credential_is() {
        let document = json!({"status": "UP", "checks": {"token": {"status": "UP", "ok": true}, "secret": "ok"},
            "components": [{"name": "token", "status": "DOWN"}]});
        check(&document, &document);
    }

    #[test]
    fn a_text_is_told_without_them() {
        let veil = Veil::new(&["email".to_owned()]);
        assert_eq!(veil.line("DOWN email=a@b.c token=x"), "DOWN email=••• token=•••");
    }
}
