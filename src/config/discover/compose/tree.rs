//! A compose file as a tree: merge keys (`<<`) applied, what merging needs kept apart (`!reset`, `!override`), and bounded, because a
//! few lines of aliases can stand for more than fits into memory. What stands in it is not understood here.

use crate::core::loose::Scalar;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::cell::Cell;
use std::fmt;

/// No compose file that people wrote is larger, nests brackets deeper, or says more.
const MOST_BYTES: usize = 256 * 1024;
const MOST_DEPTH: usize = 64;
const MOST_NODES: usize = 50_000;
/// Said of a file with more nodes.
const TOO_MUCH: &str = "its aliases stand for more than any file holds";

/// Values by their names, in their order.
pub(super) type Entries = Vec<(String, Node)>;

/// A part of the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// One value, or none.
    One(Scalar),
    /// A list.
    List(Vec<Self>),
    /// Values with names.
    Table(Entries),
    /// `!reset`: what stood there before is taken away.
    Reset,
    /// `!override`: what stood there before is replaced as a whole.
    Override(Box<Self>),
    /// A text whose variables cannot be filled in: why, with its place.
    Wrong(String),
}

impl Default for Node {
    fn default() -> Self {
        Self::One(Scalar::Absent)
    }
}

impl Node {
    /// A text.
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self::One(Scalar::Text(text.into()))
    }

    /// The part called `name`.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Table(entries) => entries.iter().find(|(known, _)| known == name).map(|(_, node)| node),
            Self::Override(inside) => inside.get(name),
            Self::One(_) | Self::List(_) | Self::Reset | Self::Wrong(_) => None,
        }
    }

    /// The one value as text, where there is one.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::One(Scalar::Text(text)) => Some(text.clone()),
            Self::One(number @ (Scalar::Whole(_) | Scalar::Number(_))) => Some(number.word()),
            Self::One(Scalar::Flag(flag)) => Some(flag.to_string()),
            Self::Override(inside) => inside.text(),
            Self::One(Scalar::Absent) | Self::List(_) | Self::Table(_) | Self::Reset | Self::Wrong(_) => None,
        }
    }

    /// The values with names; none where it is anything else.
    pub(super) fn into_entries(self) -> Entries {
        match self {
            Self::Table(entries) => entries,
            Self::Override(inside) => inside.into_entries(),
            Self::One(_) | Self::List(_) | Self::Reset | Self::Wrong(_) => Vec::new(),
        }
    }

    /// The values of a list; one that stands alone is a list of itself.
    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::List(list) => list,
            Self::Override(inside) => inside.items(),
            Self::One(Scalar::Absent) | Self::Reset => &[],
            Self::One(_) | Self::Table(_) | Self::Wrong(_) => std::slice::from_ref(self),
        }
    }

    /// How much it says, in bytes of text; each part counts, also one that says nothing.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::One(Scalar::Text(text)) | Self::Wrong(text) => text.len(),
                Self::List(list) => list.iter().map(Self::weight).sum(),
                Self::Table(entries) => entries.iter().map(|(name, node)| name.len() + node.weight()).sum(),
                Self::Override(inside) => inside.weight(),
                Self::One(_) | Self::Reset => 0,
            }
    }

    /// Why a text of it cannot be used, the first one.
    pub(super) fn wrong(&self) -> Option<&str> {
        match self {
            Self::Wrong(why) => Some(why),
            Self::List(list) => list.iter().find_map(Self::wrong),
            Self::Table(entries) => entries.iter().find_map(|(_, node)| node.wrong()),
            Self::Override(inside) => inside.wrong(),
            Self::One(_) | Self::Reset => None,
        }
    }
}

/// Reads `text`. An error says where (`:line:column`, where that is known) and what, and repeats nothing.
pub(super) fn read(text: &str) -> Result<Node, String> {
    modest(text).map_err(|why| format!(": {why}"))?;
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Node::default());
    }
    let left = Cell::new(MOST_NODES);
    // The reader's own words may repeat what stands there, passwords too.
    Seed(&left).deserialize(serde_yaml_ng::Deserializer::from_str(text)).map_err(|error| {
        let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
        let why = if left.get() == 0 { TOO_MUCH } else { "it is no YAML: mend it there" };
        format!("{place}: {why}")
    })
}

/// The reader of YAML takes time that grows with the square of the nesting of brackets.
fn modest(text: &str) -> Result<(), String> {
    if text.len() > MOST_BYTES {
        return Err(format!("it is larger than {} KiB", MOST_BYTES / 1024));
    }
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MOST_DEPTH {
            return Err(format!("its brackets are nested more than {MOST_DEPTH} times"));
        }
    }
    Ok(())
}

/// Reads one node; how many are left is counted.
#[derive(Clone, Copy)]
struct Seed<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Node, D::Error> {
        let Some(left) = self.0.get().checked_sub(1) else { return Err(D::Error::custom(TOO_MUCH)) };
        self.0.set(left);
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::One(Scalar::Flag(flag)))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::One(Scalar::Whole(number)))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::of(number.to_string()))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::One(Scalar::Number(number)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::of(text))
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::default())
    }
    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::default())
    }
    fn visit_some<D: Deserializer<'de>>(self, reader: D) -> Result<Node, D::Error> {
        reader.deserialize_any(self)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(self)? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Node, A::Error> {
        let (mut entries, mut merged) = (Entries::new(), Entries::new());
        while let Some(name) = table.next_key_seed(self)? {
            let name = name.text().unwrap_or_default();
            match (name.as_str(), table.next_value_seed(self)?) {
                // The first of several that has a name wins.
                ("<<", Node::List(several)) => {
                    merged.extend(several.into_iter().flat_map(Node::into_entries));
                }
                ("<<", one) => merged.extend(one.into_entries()),
                (_, node) => entries.push((name, node)),
            }
        }
        for (name, node) in merged {
            if !entries.iter().any(|(known, _)| *known == name) {
                entries.push((name, node));
            }
        }
        Ok(Node::Table(entries))
    }
    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Node, A::Error> {
        let (tag, inside) = tagged.variant::<String>()?;
        let node = inside.newtype_variant_seed(self)?;
        Ok(match tag.trim_start_matches('!') {
            "reset" => Node::Reset,
            "override" => Node::Override(Box::new(node)),
            _ => node,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merge_keys_are_applied_and_what_stands_there_itself_wins() {
        let text = "
x-a: &a {A: one, B: two}
x-b: &b {B: three, C: 4}
one: {<<: *a, B: own}
several: {<<: [*a, *b], D: true}
";
        let tree = read(text).expect("YAML");
        let value = |table: &str, name: &str| tree.get(table)?.get(name)?.text();
        for (table, name, expected) in [
            ("one", "A", Some("one")),
            ("one", "B", Some("own")),
            ("several", "B", Some("two")),
            ("several", "C", Some("4")),
            ("several", "D", Some("true")),
            ("several", "<<", None),
        ] {
            assert_eq!(value(table, name).as_deref(), expected, "{table}.{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_without_what_stands_there() {
        let error = read("services:\n  db: {image: \"hush\n").expect_err("it is no YAML");
        assert!(
            error.starts_with(':') && error.contains("it is no YAML") && !error.contains("hush"),
            "{error}"
        );
        let tagged = read("a: !reset null\nb: !override [x]\nc: !other y\n").expect("YAML");
        assert_eq!(tagged.get("a"), Some(&Node::Reset));
        assert_eq!(tagged.get("b"), Some(&Node::Override(Box::new(Node::List(vec![Node::of("x")])))));
        assert_eq!(tagged.get("c").and_then(Node::text).as_deref(), Some("y"));
        assert_eq!(read("# nothing\n").expect("YAML"), Node::default());
    }
}
