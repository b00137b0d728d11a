//! Reads of a JSON document only what is asked for: everything else is passed over without being kept, and what is kept is counted. A
//! tree of a whole document takes up to forty times its bytes.

use super::bulkhead;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

/// More values than this are kept of no document: some tens of MiB. (Four for each of seventy thousand shards.)
const MOST_VALUES: usize = 300_000;

/// What is asked for: names below each other, `*` for any name and for every entry of a list.
#[derive(Debug, Default)]
struct Shape(Vec<(&'static str, Shape)>);

impl Shape {
    fn of(paths: &[&'static str]) -> Self {
        let mut root = Self::default();
        for path in paths {
            let mut at = &mut root;
            for part in path.split('/') {
                let found = at.0.iter().position(|(name, _)| *name == part).unwrap_or_else(|| {
                    at.0.push((part, Self::default()));
                    at.0.len() - 1
                });
                at = &mut at.0[found].1;
            }
        }
        root
    }

    fn below(&self, name: &str) -> Option<&Self> {
        let find = |wanted: &str| self.0.iter().find(|(known, _)| *known == wanted).map(|(_, shape)| shape);
        find(name).or_else(|| find("*"))
    }
}

/// The values at `paths` in the document, in a tree that holds nothing else; nothing when it is no JSON, or holds too much of it.
#[must_use]
pub fn read(bytes: &[u8], paths: &[&'static str]) -> Option<Value> {
    let (shape, left) = (Shape::of(paths), Cell::new(MOST_VALUES));
    let mut reader = serde_json::Deserializer::from_slice(unmarked(bytes));
    let value = Seed { shape: &shape, left: &left }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(value)
}

/// The same, beside the event loop where the document is large.
pub async fn read_beside(body: &Arc<Vec<u8>>, paths: &[&'static str]) -> Option<Value> {
    read_and(body, paths, |value| value).await
}

/// The same, and what `then` makes of it.
pub async fn read_and(
    body: &Arc<Vec<u8>>,
    paths: &[&'static str],
    then: impl FnOnce(Value) -> Value + Send + 'static,
) -> Option<Value> {
    let paths = paths.to_vec();
    bulkhead::body(body, move |bytes| read(bytes, &paths).map(then)).await.flatten()
}

/// The document as what it is, beside the event loop where it is large; nothing when it is something else.
pub async fn whole_beside<T: DeserializeOwned + Send + 'static>(body: &Arc<Vec<u8>>) -> Option<T> {
    bulkhead::body(body, |bytes| serde_json::from_slice(unmarked(bytes)).ok()).await.flatten()
}

/// Without the mark of byte order that some write in front of UTF-8.
#[must_use]
pub fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    shape: &'a Shape,
    left: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Err(D::Error::custom("too many values")),
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }
    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        for index in 0_usize.. {
            let read = match self.shape.below(&index.to_string()) {
                Some(shape) => list.next_element_seed(Seed { shape, ..self })?.map(|value| kept.push(value)),
                None => list.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if read.is_none() {
                break;
            }
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = table.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.shape.below(&name) {
                Some(shape) => {
                    let value = table.next_value_seed(Seed { shape, ..self })?;
                    kept.insert(name.into_owned(), value);
                }
                None => {
                    table.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(document: &Value, paths: &[&'static str], expected: Value) {
        assert_eq!(read(document.to_string().as_bytes(), paths), Some(expected));
    }

    #[test]
    fn only_what_is_asked_for_is_kept() {
        let document =
            json!({"a": {"b": 1, "c": [1, {"d": "x", "e": []}]}, "f": null, "g": [[1, 2], [3]], "h": "h"});
        check(&document, &["a/b", "h"], json!({"a": {"b": 1}, "h": "h"}));
        check(&document, &["a/c/*/d"], json!({"a": {"c": [1, {"d": "x"}]}}));
        check(&document, &["a/*"], json!({"a": {"b": 1, "c": []}}));
        check(&document, &["g/0/*", "f"], json!({"f": null, "g": [[1, 2]]}));
        check(&json!("text"), &["a"], json!("text"));
        assert_eq!(read(b"{\"a\": 1", &["a"]), None);
        assert_eq!(read(b"{\"a\": 1} x", &["a"]), None);
        // A quoted name is a name, however it is written.
        assert_eq!(read(br#"{"\u0061": 1}"#, &["a"]), Some(json!({"a": 1})));
    }

    #[test]
    fn too_much_is_nothing() {
        let many = |count: usize| format!("{{\"a\": [{}1]}}", "1,".repeat(count));
        assert!(read(many(1000).as_bytes(), &["a/*"]).is_some());
        assert!(read(many(MOST_VALUES).as_bytes(), &["a/*"]).is_none());
        assert!(read(many(MOST_VALUES).as_bytes(), &["a"]).is_some(), "what is passed over costs nothing");
        assert!(read("[".repeat(1 << 20).as_bytes(), &["*/*/*"]).is_none());
    }
}
