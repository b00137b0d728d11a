//! Every value of a document, by its JSON pointer: for the page that shows all of them, and for the fields of the configuration. Pure.

use crate::core::health::{HealthValue, Leaf};
use crate::core::redact::{logins, said};
use crate::core::text::tidy;
use serde_json::Value;

/// More values are not kept.
const MOST: usize = 400;
/// Of a list so many entries are.
const ENTRIES: usize = 10;
/// Of a text so much is.
const TEXT_CHARS: usize = 200;

/// The values, and whether there were more.
pub(super) fn of(document: &Value) -> (Vec<HealthValue>, bool) {
    let mut found = Vec::new();
    let whole = walk(document, String::new(), &mut found);
    (found, !whole)
}

/// A text of the application as far as it may be repeated; `name` is what it stands behind.
pub(super) fn repeated(name: &str, text: &str) -> String {
    // The name says only whether what stands behind it may be told: beside it every value looks like a secret.
    let behind = |value: &str| said(&format!("{name}={value}"), []);
    let telling = !name.is_empty() && behind("x") != format!("{name}=x");
    let told = if telling { behind(text) } else { said(text, []) };
    let value = if telling { told.split_once('=').map_or("", |(_, value)| value) } else { &told };
    tidy(value, TEXT_CHARS)
}

fn walk(value: &Value, pointer: String, found: &mut Vec<HealthValue>) -> bool {
    if found.len() >= MOST {
        return false;
    }
    let name = pointer.rsplit('/').next().unwrap_or_default();
    let leaf = match value {
        Value::Null => Leaf::Nothing,
        Value::Bool(flag) => Leaf::Flag(*flag),
        Value::Number(number) => Leaf::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Leaf::Text(repeated(name, text)),
        Value::Array(list) => Leaf::Many(list.len() as u64),
        Value::Object(fields) => {
            // A name may be an address with its login.
            let below =
                |name: &str| format!("{pointer}/{}", logins(name).replace('~', "~0").replace('/', "~1"));
            return fields.iter().all(|(name, value)| walk(value, below(name), found));
        }
    };
    let entries = value.as_array().map_or(&[][..], Vec::as_slice);
    let inner: Vec<String> =
        (0..entries.len().min(ENTRIES)).map(|index| format!("{pointer}/{index}")).collect();
    found.push(HealthValue { pointer, leaf });
    inner.into_iter().zip(entries).all(|(pointer, value)| walk(value, pointer, found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_value_has_its_pointer_and_none_is_a_secret() {
        let document = json!({"a": {"b/c": 1, "ok": true}, "list": ["x", {"y": null}], "password": "geheim",
            "db": "postgres://ana:geheim@db/shop"});
        let (values, more) = of(&document);
        let told: Vec<String> =
            values.iter().map(|one| format!("{} {}", one.pointer, one.leaf.word())).collect();
        let expected = [
            "/a/b~1c 1",
            "/a/ok true",
            "/list 2",
            "/list/0 x",
            "/list/1/y null",
            "/password •••",
            "/db postgres://•••@db/shop",
        ];
        assert_eq!(told, expected);
        assert!(!more);
        for one in &values {
            assert!(document.pointer(&one.pointer).is_some(), "{}", one.pointer);
        }
    }

    #[test]
    fn a_value_is_judged_by_itself() {
        let told = [("cacheHitRatio", "87.5%"), ("schema_version", "20240115"), ("token", "20240115")];
        assert_eq!(told.map(|(name, text)| repeated(name, text)), ["87.5%", "20240115", "•••"]);
    }

    #[test]
    fn a_document_without_end_is_cut() {
        let many: Vec<Value> = (0..1000).map(|_| json!({"a": 1})).collect();
        assert!(!of(&json!({ "list": many })).1, "of a list only the first entries are told");
        let fields: serde_json::Map<String, Value> = (0..1000).map(|n| (format!("f{n}"), json!(n))).collect();
        let (values, more) = of(&Value::Object(fields));
        assert!(more && values.len() == MOST);
    }
}
