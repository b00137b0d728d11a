//! The keys of commands as they are written in the configuration: which commands there are and which keys is not known here.

use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// What stands behind a name in the table of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysFile {
    /// The keys of a command, in the place of its defaults.
    These(Vec<String>),
    /// Keys beside its defaults.
    More(Vec<String>),
    /// A table with the keys of commands elsewhere.
    Table(BTreeMap<String, KeysFile>),
}

impl<'de> Deserialize<'de> for KeysFile {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = KeysFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key in quotes or a list of them or { add = \"x\" }")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<KeysFile, E> {
                Ok(KeysFile::These(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<KeysFile, A::Error> {
                let mut keys = Vec::new();
                while let Some(key) = list.next_element()? {
                    keys.push(key);
                }
                Ok(KeysFile::These(keys))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeysFile, A::Error> {
                let mut table = BTreeMap::new();
                while let Some((name, keys)) = map.next_entry::<String, KeysFile>()? {
                    table.insert(name, keys);
                }
                Ok(match table.remove("add") {
                    Some(KeysFile::These(keys)) if table.is_empty() => KeysFile::More(keys),
                    Some(other) => {
                        table.insert("add".to_owned(), other);
                        KeysFile::Table(table)
                    }
                    None => KeysFile::Table(table),
                })
            }
        }
        reader.deserialize_any(Words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &KeysFile) {
        let read: BTreeMap<String, KeysFile> = toml::from_str(text).expect("keys");
        assert_eq!(read.values().next(), Some(expected), "{text}");
    }

    #[test]
    fn every_way_to_write_them() {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        check("quit = \"Q\"", &KeysFile::These(keys(&["Q"])));
        check("quit = [\"Q\", \"f10\"]", &KeysFile::These(keys(&["Q", "f10"])));
        check("theme = []", &KeysFile::These(Vec::new()));
        check("quit = { add = \"Q\" }", &KeysFile::More(keys(&["Q"])));
        check("quit = { add = [\"Q\", \"f10\"] }", &KeysFile::More(keys(&["Q", "f10"])));
        let inner = BTreeMap::from([("editor".to_owned(), KeysFile::These(keys(&["ctrl-e"])))]);
        check("[fields]\neditor = \"ctrl-e\"", &KeysFile::Table(inner));
        assert!(toml::from_str::<BTreeMap<String, KeysFile>>("quit = 3").is_err());
    }
}
