//! Numbers in files that are the same numbers when they are read again: `#[serde(with = "exact")]` on every field that holds an `f64`.
//!
//! Readings are recorded as JSON: the crate is in the tree, a recording can be looked at with `jq`, and what is repeated in it costs next
//! to nothing once it is compressed. JSON has no NaN and no infinities, and a server sends both: they stand there as the words that
//! Prometheus uses. Formats that hold every `f64` (CBOR) get the number itself, so that another may be chosen later.

use super::part::Part;
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// What a number is written as that JSON does not have.
const NAN: &str = "NaN";
const ENDLESS: &str = "+Inf";
const BELOW: &str = "-Inf";

/// A number, or something that holds numbers.
pub trait Exact: Sized {
    /// Writes it.
    ///
    /// # Errors
    /// Those of the format.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads what was written.
    ///
    /// # Errors
    /// Those of the format, and what is neither a number nor one of the words.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// For `#[serde(with = "exact")]`.
///
/// # Errors
/// As [`Exact::write`].
pub fn serialize<T: Exact, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.write(serializer)
}

/// For `#[serde(with = "exact")]`.
///
/// # Errors
/// As [`Exact::read`].
pub fn deserialize<'de, T: Exact, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// A part that is written exactly.
struct Written<'a, T>(&'a T);

impl<T: Exact> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// A part that was written exactly.
struct Read<T>(T);

impl<'de, T: Exact> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

impl Exact for f64 {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_finite() || !serializer.is_human_readable() {
            return serializer.serialize_f64(*self);
        }
        let word = match *self {
            number if number.is_nan() => NAN,
            number if number > 0.0 => ENDLESS,
            _ => BELOW,
        };
        serializer.serialize_str(word)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Number)
        } else {
            Self::deserialize(deserializer)
        }
    }
}

/// A number or a word for one.
struct Number;

impl Visitor<'_> for Number {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, NaN, +Inf or -Inf")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<f64, E> {
        match word {
            NAN => Ok(f64::NAN),
            ENDLESS => Ok(f64::INFINITY),
            BELOW => Ok(f64::NEG_INFINITY),
            other => Err(E::invalid_value(Unexpected::Str(other), &self)),
        }
    }
}

impl<T: Exact> Exact for Option<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_ref().map(Written).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<Read<T>>::deserialize(deserializer)?.map(|read| read.0))
    }
}

impl<T: Exact> Exact for Vec<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Written))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Read<T>>::deserialize(deserializer)?.into_iter().map(|read| read.0).collect())
    }
}

impl<T: Exact> Exact for Box<[T]> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Written))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::read(deserializer).map(Vec::into_boxed_slice)
    }
}

impl<T: Exact> Exact for (String, T) {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.0, Written(&self.1)).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (name, read) = <(String, Read<T>)>::deserialize(deserializer)?;
        Ok((name, read.0))
    }
}

impl<T: Exact> Exact for BTreeMap<String, T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(name, value)| (name, Written(value))))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = BTreeMap::<String, Read<T>>::deserialize(deserializer)?;
        Ok(read.into_iter().map(|(name, read)| (name, read.0)).collect())
    }
}

impl<T: Exact> Exact for Part<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ready(value) => Part::Ready(Written(value)).serialize(serializer),
            Self::Unavailable(gap) => Part::<()>::Unavailable(gap.clone()).serialize(serializer),
            Self::NotAsked => Part::<()>::NotAsked.serialize(serializer),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Part::<Read<T>>::deserialize(deserializer)?.map(|read| read.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(number: f64) -> String {
        serde_json::to_string(&Written(&number)).expect("written")
    }

    fn back(text: &str) -> Result<f64, serde_json::Error> {
        serde_json::from_str::<Read<f64>>(text).map(|read| read.0)
    }

    #[test]
    fn numbers_that_json_does_not_have_are_words() {
        for (number, text) in [
            (f64::NAN, "\"NaN\""),
            (f64::INFINITY, "\"+Inf\""),
            (f64::NEG_INFINITY, "\"-Inf\""),
            (-0.0, "-0.0"),
            (5.0, "5.0"),
        ] {
            assert_eq!(json(number), text);
            let read = back(text).expect("read");
            assert!(
                read.to_bits() == number.to_bits() || (read.is_nan() && number.is_nan()),
                "{text}: {read}"
            );
        }
        assert_eq!((back("5").ok(), back("-5").ok()), (Some(5.0), Some(-5.0)));
        for wrong in ["null", "\"nan\"", "\"5\"", "[]"] {
            assert!(back(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_finite_number_keeps_every_bit(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            prop_assert_eq!(back(&json(number)).expect("read").to_bits(), bits);
        }
    }
}
