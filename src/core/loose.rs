//! Types for documents that others write (JSON, YAML): what is not asked for is passed over and never kept, lists end where nobody
//! would look any more, and a field of another kind than expected is absent instead of an error.
//!
//! A tree of everything costs forty times the bytes of a hostile document, and repeats what its aliases stand for.

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A text, a number or a truth value; absent when it is anything else.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scalar {
    /// It is not there, or no scalar.
    #[default]
    Absent,
    /// A text.
    Text(String),
    /// A whole number, not negative.
    Whole(u64),
    /// Any other number.
    Number(f64),
    /// A truth value.
    Flag(bool),
}

impl Scalar {
    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Whole(_) | Self::Number(_) | Self::Flag(_) => None,
        }
    }

    /// A text, or a number as text; empty when it is neither.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Absent | Self::Flag(_) => String::new(),
        }
    }

    /// The number, if it is one.
    #[must_use]
    pub const fn number(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Absent | Self::Text(_) | Self::Flag(_) => None,
        }
    }

    /// The number, if it is whole and not negative.
    #[must_use]
    pub const fn whole(&self) -> Option<u64> {
        match self {
            Self::Whole(number) => Some(*number),
            Self::Absent | Self::Text(_) | Self::Number(_) | Self::Flag(_) => None,
        }
    }

    /// Whether it is true.
    #[must_use]
    pub const fn is_true(&self) -> bool {
        matches!(self, Self::Flag(true))
    }
}

/// An object with the fields of `T`; its default when it is anything else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object<T>(pub T);

/// The first `MOST` entries of a list that are kept; empty when it is anything else.
#[derive(Clone, Debug, PartialEq)]
pub struct List<T, const MOST: usize>(pub Vec<T>);

/// The first `MOST` entries of a table with names, in their order; empty when it is anything else.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T, const MOST: usize>(pub Vec<(String, T)>);

impl<T, const MOST: usize> Default for List<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MOST: usize> Default for Table<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// An entry that may be of no interest: then it takes no place in a list.
pub trait Kept {
    /// Whether it is of interest.
    fn is_kept(&self) -> bool {
        true
    }
}

impl Kept for Scalar {}

impl<T: Kept> Kept for Object<T> {
    fn is_kept(&self) -> bool {
        self.0.is_kept()
    }
}

/// What a visitor makes of each kind; everything that it does not want is passed over.
trait Want<'de>: Sized {
    type Value: Default;
    fn scalar(_: Scalar) -> Self::Value {
        Self::Value::default()
    }
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::Value::default())
    }
    fn table<A: MapAccess<'de>>(mut table: A) -> Result<Self::Value, A::Error> {
        while table.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::Value::default())
    }
}

struct Any<W>(PhantomData<W>);

impl<'de, W: Want<'de>> Visitor<'de> for Any<W> {
    type Value = W::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_bool<E>(self, flag: bool) -> Result<W::Value, E> {
        Ok(W::scalar(Scalar::Flag(flag)))
    }
    fn visit_u64<E>(self, number: u64) -> Result<W::Value, E> {
        Ok(W::scalar(Scalar::Whole(number)))
    }
    fn visit_i64<E>(self, number: i64) -> Result<W::Value, E> {
        Ok(W::scalar(u64::try_from(number).map_or(Scalar::Number(number as f64), Scalar::Whole)))
    }
    fn visit_f64<E>(self, number: f64) -> Result<W::Value, E> {
        Ok(W::scalar(Scalar::Number(number)))
    }
    fn visit_str<E>(self, text: &str) -> Result<W::Value, E> {
        Ok(W::scalar(Scalar::Text(text.to_owned())))
    }
    fn visit_bytes<E>(self, _: &[u8]) -> Result<W::Value, E> {
        Ok(W::Value::default())
    }
    fn visit_unit<E>(self) -> Result<W::Value, E> {
        Ok(W::Value::default())
    }
    fn visit_none<E>(self) -> Result<W::Value, E> {
        Ok(W::Value::default())
    }
    fn visit_some<D: Deserializer<'de>>(self, reader: D) -> Result<W::Value, D::Error> {
        reader.deserialize_any(self)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, reader: D) -> Result<W::Value, D::Error> {
        reader.deserialize_any(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<W::Value, A::Error> {
        W::list(list)
    }
    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<W::Value, A::Error> {
        W::table(table)
    }
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<W::Value, A::Error> {
        let (IgnoredAny, inside) = tagged.variant()?;
        inside.newtype_variant::<IgnoredAny>()?;
        Ok(W::Value::default())
    }
}

impl Want<'_> for Scalar {
    type Value = Self;
    fn scalar(scalar: Scalar) -> Self {
        scalar
    }
}

impl<'de, T: Deserialize<'de> + Default> Want<'de> for Object<T> {
    type Value = Self;
    fn table<A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(table)).map(Self)
    }
}

impl<'de, T: Deserialize<'de> + Kept, const MOST: usize> Want<'de> for List<T, MOST> {
    type Value = Self;
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < MOST {
            let Some(entry) = list.next_element::<T>()? else { return Ok(Self(kept)) };
            if entry.is_kept() {
                kept.push(entry);
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(kept))
    }
}

impl<'de, T: Deserialize<'de> + Kept, const MOST: usize> Want<'de> for Table<T, MOST> {
    type Value = Self;
    fn table<A: MapAccess<'de>>(mut table: A) -> Result<Self, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < MOST {
            let Some((name, entry)) = table.next_entry::<Scalar, T>()? else { return Ok(Self(kept)) };
            if entry.is_kept() {
                kept.push((name.word(), entry));
            }
        }
        while table.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self(kept))
    }
}

macro_rules! reads {
    ([$($generics:tt)*] $kind:ty) => {
        impl<'de, $($generics)*> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
                reader.deserialize_any(Any::<Self>(PhantomData))
            }
        }
    };
}
reads!([] Scalar);
reads!([T: Deserialize<'de> + Default] Object<T>);
reads!([T: Deserialize<'de> + Kept, const MOST: usize] List<T, MOST>);
reads!([T: Deserialize<'de> + Kept, const MOST: usize] Table<T, MOST>);

/// Counts all entries of a list and keeps those that are of interest.
#[derive(Clone, Debug)]
pub struct Counted<T, const MOST: usize> {
    /// How many there are.
    pub total: usize,
    /// The first that are kept.
    pub kept: Vec<T>,
}

impl<T, const MOST: usize> Default for Counted<T, MOST> {
    fn default() -> Self {
        Self { total: 0, kept: Vec::new() }
    }
}

impl<'de, T: Deserialize<'de> + Kept, const MOST: usize> Want<'de> for Counted<T, MOST> {
    type Value = Self;
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut counted = Self::default();
        while let Some(entry) = list.next_element::<T>()? {
            counted.total += 1;
            if counted.kept.len() < MOST && entry.is_kept() {
                counted.kept.push(entry);
            }
        }
        Ok(counted)
    }
}
reads!([T: Deserialize<'de> + Kept, const MOST: usize] Counted<T, MOST>);

/// A scalar where nothing else may stand: a list or a table there ends the reading, for going through it is what an alias is used for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strict(pub Scalar);

impl Kept for Strict {}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Any::<Self>(PhantomData))
    }
}

impl<'de> Want<'de> for Strict {
    type Value = Self;
    fn scalar(scalar: Scalar) -> Self {
        Self(scalar)
    }
    fn list<A: SeqAccess<'de>>(_: A) -> Result<Self, A::Error> {
        Err(serde::de::Error::custom("a list stands where a single value is expected"))
    }
    fn table<A: MapAccess<'de>>(_: A) -> Result<Self, A::Error> {
        Err(serde::de::Error::custom("a table stands where a single value is expected"))
    }
}

/// What may be written in several ways: one value, a list of values, or values with names; at most `MOST`.
#[derive(Clone, Debug, PartialEq)]
pub enum Mixed<const MOST: usize> {
    /// One value, or none.
    One(Scalar),
    /// A list.
    List(Vec<Strict>),
    /// Values with names.
    Table(Vec<(String, Strict)>),
}

impl<const MOST: usize> Default for Mixed<MOST> {
    fn default() -> Self {
        Self::One(Scalar::Absent)
    }
}

impl<const MOST: usize> Kept for Mixed<MOST> {}

impl<'de, const MOST: usize> Want<'de> for Mixed<MOST> {
    type Value = Self;
    fn scalar(scalar: Scalar) -> Self {
        Self::One(scalar)
    }
    fn list<A: SeqAccess<'de>>(list: A) -> Result<Self, A::Error> {
        <List<Strict, MOST> as Want<'de>>::list(list).map(|list| Self::List(list.0))
    }
    fn table<A: MapAccess<'de>>(table: A) -> Result<Self, A::Error> {
        <Table<Strict, MOST> as Want<'de>>::table(table).map(|table| Self::Table(table.0))
    }
}
reads!([const MOST: usize] Mixed<MOST>);

impl<const MOST: usize> Mixed<MOST> {
    /// The value called `name`, if values have names.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Scalar> {
        match self {
            Self::Table(table) => table.iter().find(|(known, _)| known == name).map(|(_, value)| &value.0),
            Self::One(_) | Self::List(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Row {
        name: Scalar,
        more: Object<Inner>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        deep: Scalar,
    }

    impl Kept for Row {
        fn is_kept(&self) -> bool {
            self.name.text() != Some("dull")
        }
    }

    fn rows(json: &str) -> Vec<(String, String)> {
        let read: List<Object<Row>, 3> = serde_json::from_str(json).unwrap();
        read.0.into_iter().map(|row| (row.0.name.word(), row.0.more.0.deep.word())).collect()
    }

    #[track_caller]
    fn check(json: &str, expected: &[(&str, &str)]) {
        let expected: Vec<(String, String)> =
            expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        assert_eq!(rows(json), expected, "{json}");
    }

    #[test]
    fn what_is_of_another_kind_is_absent() {
        check(r#"[{"name": "a", "more": {"deep": 7, "rest": [1, {"x": null}]}, "rest": {}}]"#, &[("a", "7")]);
        check(r#"[{"name": ["a"], "more": [1]}, 5, null, "x"]"#, &[("", ""), ("", ""), ("", "")]);
        check(r#"[{"name": -1.5, "more": null}]"#, &[("-1.5", "")]);
        check(r#"{"name": "no list"}"#, &[]);
        check("null", &[]);
    }

    #[test]
    fn lists_end_and_what_is_of_no_interest_takes_no_place() {
        let dull = r#"{"name": "dull"}"#;
        check(&format!("[{dull}, {dull}, {dull}, {{\"name\": \"a\"}}]"), &[("a", "")]);
        let many = [r#"{"name": "a"}"#; 9].join(",");
        assert_eq!(rows(&format!("[{many}]")).len(), 3);
        let counted: Counted<Object<Row>, 2> = serde_json::from_str(&format!("[{many}, {dull}]")).unwrap();
        assert_eq!((counted.total, counted.kept.len()), (10, 2));
    }
}
