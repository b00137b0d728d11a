//! Makes up a value of any type that can be read from a file: every field is filled, no list is empty, each variant has its turn, and
//! numbers and texts are the awkward ones. A field that comes to a type is made up without another line here.

use serde::de::value::Error;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use std::collections::{BTreeMap, BTreeSet};

/// The variants of each enum that was made up, and those that had their turn.
#[derive(Debug, Default)]
pub struct Turns(BTreeMap<&'static str, (&'static [&'static str], BTreeSet<usize>)>);

impl Turns {
    /// Every variant that never had its turn.
    pub fn missing(&self) -> Vec<String> {
        let missing = |(name, (all, seen)): (&&str, &(&'static [&'static str], BTreeSet<usize>))| {
            let left = all.iter().enumerate().filter(|(at, _)| !seen.contains(at));
            left.map(|(_, variant)| format!("{name}::{variant}")).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(missing).collect()
    }

    /// How many enums were made up.
    pub fn enums(&self) -> usize {
        self.0.len()
    }
}

/// A value of `T` by `seed`.
pub fn made<T: DeserializeOwned>(seed: u64, turns: &mut Turns) -> T {
    let mut maker = Maker { state: seed ^ 0x9E37_79B9_7F4A_7C15, field: "", turns };
    T::deserialize(&mut maker).expect("a value of every type that is read from a file")
}

struct Maker<'a> {
    state: u64,
    /// The field that is filled.
    field: &'static str,
    turns: &'a mut Turns,
}

/// Words that a format may take for something else, and names that mean something among metrics.
const TEXTS: [&str; 14] = [
    "shop",
    "a \"quoted\" \\ text",
    "two\nlines\tand \u{1b}[31mcolour\u{0}",
    "größe 日本 🦀",
    "null",
    "NaN",
    "-1",
    "{\"email\":\"a@b.c\"}",
    "took_bucket",
    "took",
    "done_total",
    "le",
    "+Inf",
    "0.5",
];
/// Moments: with and without parts of a second, and the last one that there is.
const MOMENTS: [&str; 4] = [
    "2026-09-21T13:33:20.123456789Z",
    "1970-01-01T00:00:00Z",
    "1912-06-23T01:02:03.5Z",
    "+262142-12-31T23:59:59.999999999Z",
];
const NUMBERS: [f64; 12] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    -0.0,
    0.0,
    5e-324,
    f64::MIN_POSITIVE,
    f64::MAX,
    0.1 + 0.2,
    9_007_199_254_740_993.0,
    1e23,
    -273.15,
];

impl Maker<'_> {
    /// The next random number (splitmix64).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A whole number: the smallest, the largest, or any.
    fn whole(&mut self, least: i128, most: i128) -> i128 {
        match self.below(8) {
            0 => least,
            1 => most,
            _ => least + i128::from(self.next()) % (most - least + 1),
        }
    }

    fn number(&mut self) -> f64 {
        match self.below(NUMBERS.len() + 4) {
            at if at < NUMBERS.len() => NUMBERS[at],
            _ => f64::from_bits(self.next()),
        }
    }

    fn text(&mut self) -> String {
        if self.field == "wall" {
            return MOMENTS[self.below(MOMENTS.len())].to_owned();
        }
        let text = TEXTS[self.below(TEXTS.len())];
        if self.below(3) == 0 { format!("{text}{}", self.next()) } else { text.to_owned() }
    }
}

macro_rules! wholes {
    ($($method:ident $visit:ident $kind:ty),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let number = self.whole(i128::from(<$kind>::MIN), i128::from(<$kind>::MAX));
            visitor.$visit(<$kind>::try_from(number).expect("within its bounds"))
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Maker<'_> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom(format!("what {} is cannot be told", self.field)))
    }

    wholes!(
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16,
        deserialize_u64 visit_u64 u64
    );

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // A second has so many of them.
        let most = if self.field == "nanos" { 999_999_999 } else { u32::MAX };
        let number = self.whole(0, i128::from(most));
        visitor.visit_u32(u32::try_from(number).expect("within its bounds"))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.below(2) == 0)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.number())
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(self.number())
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_char('ß')
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text())
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.below(8) == 0 { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = 1 + self.below(2);
        visitor.visit_seq(Items { maker: self, names: &[], left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { maker: self, names: &[], left })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { maker: self, names: &[], left })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let left = 1 + self.below(2);
        visitor.visit_map(Items { maker: self, names: &[], left })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { maker: self, names, left: names.len() })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let at = self.below(variants.len());
        self.turns.0.entry(name).or_insert_with(|| (variants, BTreeSet::new())).1.insert(at);
        visitor.visit_enum(Chosen { maker: self, at })
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }
}

/// Fields, elements or entries.
struct Items<'a, 'b> {
    maker: &'a mut Maker<'b>,
    /// The names of the fields, where these are some.
    names: &'static [&'static str],
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        if let Some(name) = self.names.len().checked_sub(self.left).and_then(|at| self.names.get(at)) {
            self.maker.field = name;
        }
        self.left -= 1;
        seed.deserialize(&mut *self.maker).map(Some)
    }
}

impl<'de> MapAccess<'de> for Items<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.maker)
    }
}

/// A variant that has its turn.
struct Chosen<'a, 'b> {
    maker: &'a mut Maker<'b>,
    at: usize,
}

impl<'de, 'a, 'b> EnumAccess<'de> for Chosen<'a, 'b> {
    type Error = Error;
    type Variant = &'a mut Maker<'b>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant), Error> {
        let at = u32::try_from(self.at).expect("a few");
        Ok((seed.deserialize(IntoDeserializer::<Error>::into_deserializer(at))?, self.maker))
    }
}

impl<'de> VariantAccess<'de> for &mut Maker<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { maker: self, names: &[], left })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(Items { maker: self, names, left: names.len() })
    }
}
