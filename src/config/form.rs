//! Reads the form of a configuration file: syntax, keys, types. Every mistake is told with its place, and none with what stands there,
//! for it may be a secret in a wrong place.

use super::file::{File, TARGETS};
use super::misspelt::suggestion;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

/// More mistakes of one file are not told at once.
const MOST: usize = 20;
/// What stands once.
const TABLES: [&str; 5] = ["columns", "engine", "keys", "notify", "rules"];
/// A key that is longer than this is none, but something in a wrong place.
const KEY_CHARS: usize = 32;

/// Where every key of a file stands. `Debug` never shows the text, in which a secret may stand.
#[derive(Clone, Default)]
pub struct Spans {
    name: String,
    text: String,
    keys: BTreeMap<Vec<String>, usize>,
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spans({})", self.name)
    }
}

impl Spans {
    /// `name:line:column` of the key at `path` (`["postgres", "0", "url"]`), or of the nearest one around it.
    #[must_use]
    pub fn of(&self, path: &[&str]) -> String {
        let mut path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        while !path.is_empty() {
            if let Some(at) = self.keys.get(&path) {
                return self.at(*at);
            }
            path.pop();
        }
        self.name.clone()
    }

    /// `name:line:column` of byte `at`, line and column from 1.
    #[must_use]
    pub fn at(&self, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }

    fn gather(&mut self, path: &mut Vec<String>, value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => {
                for (key, value) in table {
                    path.push(key.get_ref().to_string());
                    self.keys.insert(path.clone(), key.span().start);
                    self.gather(path, value.get_ref());
                    path.pop();
                }
            }
            DeValue::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    path.push(index.to_string());
                    self.keys.insert(path.clone(), value.span().start);
                    self.gather(path, value.get_ref());
                    path.pop();
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }
}

/// A file as far as it could be understood.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// What was understood.
    pub file: File,
    /// Where it stands.
    pub places: Spans,
    /// What was not: sentences with their places.
    pub mistakes: Vec<String>,
}

/// Reads the text of a configuration file called `name`.
#[must_use]
pub fn read(name: &str, text: &str) -> Form {
    let mut form = Form::default();
    name.clone_into(&mut form.places.name);
    text.clone_into(&mut form.places.text);
    let mut root = match DeTable::parse(text) {
        Ok(root) => root,
        Err(error) => {
            // What follows a broken line is read wrongly: only the first is told.
            form.tell(error.span().map_or(0, |span| span.start), &syntax(error.message()));
            return form;
        }
    };
    form.places.gather(&mut Vec::new(), &DeValue::Table(root.get_ref().clone()));
    form.brackets(root.get_mut());
    // What is wrong is told and taken out, until the rest is right.
    let mut taken = BTreeSet::new();
    for _ in 0..MOST {
        match File::deserialize(Deserializer::from(root.clone())) {
            Ok(file) => {
                form.file = file;
                break;
            }
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                let message = error.message();
                // A key that was taken out of a table is not missing there.
                if !missing(message).is_some_and(|key| taken.contains(&(at, key.to_owned()))) {
                    form.tell(at, &wrong(message));
                }
                match take(root.get_mut(), 0, at) {
                    Some(key) => taken.insert(key),
                    None => break,
                };
            }
        }
    }
    form
}

impl Form {
    /// What is written in single brackets instead of double ones, or the other way round, is told and taken out.
    fn brackets(&mut self, root: &mut DeTable<'_>) {
        let mut wrong = Vec::new();
        for (key, value) in &*root {
            let (name, at) = (key.get_ref().to_string(), key.span().start);
            // What can stand more than once.
            let list =
                TARGETS.contains(&name.as_str()) || ["panel", "depends", "discover"].contains(&name.as_str());
            if list && !value.get_ref().is_array() {
                self.tell(at, &format!("write [[{name}]] in double brackets: there can be more than one"));
            } else if TABLES.contains(&name.as_str()) && value.get_ref().is_array() {
                self.tell(at, &format!("write [{name}] in single brackets: there is only one"));
            } else {
                continue;
            }
            wrong.push(name);
        }
        for name in wrong {
            root.remove(name.as_str());
        }
    }

    fn tell(&mut self, at: usize, sentence: &str) {
        self.mistakes.push(format!("{}: {sentence}", self.places.at(at)));
    }
}

/// Takes the key or the table out of `table` (which begins at byte `begins`) that byte `at` belongs to; where its table begins, and
/// its name.
fn take(table: &mut DeTable<'_>, begins: usize, at: usize) -> Option<(usize, String)> {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        let here = key.span().contains(&at) || value.span().contains(&at);
        let start = value.span().start;
        match value.get_mut() {
            DeValue::Table(inner) => {
                if let Some(taken) = take(inner, start, at) {
                    return Some(taken);
                }
            }
            DeValue::Array(list) => {
                for index in 0..list.len() {
                    let start = list[index].span().start;
                    let inside = list[index].span().contains(&at);
                    let element = list.get_mut(index).map(Spanned::get_mut);
                    let taken = match element {
                        Some(DeValue::Table(inner)) => take(inner, start, at),
                        _ => None,
                    };
                    if taken.is_some() {
                        return taken;
                    }
                    if inside {
                        let mut kept = DeArray::new();
                        let others = list.iter().enumerate().filter(|(other, _)| *other != index);
                        others.for_each(|(_, value)| kept.push(value.clone()));
                        *list = kept;
                        return Some((start, String::new()));
                    }
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
        if here {
            found = Some(key.get_ref().to_string());
        }
    }
    let key = found?;
    table.remove(key.as_str());
    Some((begins, key))
}

fn missing(message: &str) -> Option<&str> {
    message.trim().strip_prefix("missing field `")?.strip_suffix('`')
}

/// What the reader says of broken syntax, which repeats nothing of the text; what might is not passed on.
fn syntax(message: &str) -> String {
    let told = message.lines().next().unwrap_or_default();
    let ours = told.starts_with(|c: char| c.is_ascii_lowercase()) && told.len() < 120;
    if ours { told.to_owned() } else { "this is not TOML".to_owned() }
}

/// What serde says of a key or a value, without the value.
fn wrong(message: &str) -> String {
    let message = message.trim();
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let mut words = rest.split('`').step_by(2);
        let unknown = words.next().unwrap_or_default();
        let known: Vec<&str> = rest.split('`').skip(2).step_by(2).collect();
        let plain = unknown.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let shown = if plain && unknown.len() <= KEY_CHARS {
            format!("unknown field `{unknown}`")
        } else {
            "this is no key".to_owned()
        };
        return format!("{shown}, expected one of {}{}", known.join(", "), suggestion(unknown, known));
    }
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some(rest) = message.strip_prefix(kind) {
            let found = rest.split([' ', ',']).next().unwrap_or_default();
            let expected = rest.rsplit(", expected ").next().unwrap_or_default();
            let expected = match expected {
                "u32" => "a whole number from 0",
                "f64" => "a number",
                "a boolean" => "true or false",
                "a sequence" => "a list",
                struct_ if struct_.starts_with("struct ") => "a table",
                other => other,
            };
            return format!("{} is not {expected}", with_article(found));
        }
    }
    if missing(message).is_some() || message.starts_with("this is ") || message.contains("too large") {
        return message.to_owned();
    }
    "this cannot be read".to_owned()
}

fn with_article(kind: &str) -> String {
    match kind {
        "integer" => "an integer".to_owned(),
        "floating" => "a number with a point".to_owned(),
        "boolean" => "true or false".to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a table".to_owned(),
        other => format!("a {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, expected: &[&str]) {
        let form = read("c.toml", text);
        assert_eq!(form.mistakes.len(), expected.len(), "{:?}", form.mistakes);
        for (told, expected) in form.mistakes.iter().zip(expected) {
            assert!(told.contains(expected) && !told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn errors_name_the_place_and_the_remedy() {
        refused("environmnet = \"x\"\n", &["c.toml:1:1: unknown field `environmnet`, expected one of "]);
        refused("environmnet = \"x\"\n", &["did you mean `environment`?"]);
        let entry = "[[postgres]]\nurl = \"postgres://u@h/d\"\n";
        refused(&format!("{entry}intervall = \"2s\"\n"), &["c.toml:3:1: unknown field"]);
        refused(&format!("{entry}interval = 2\n"), &["c.toml:3:12: an integer is not a duration"]);
        refused(&format!("{entry}interval = \"2 hunter2\"\n"), &["500ms, 2s, 5m or 1h"]);
        refused("[[postgres]]\nname = \"a\"\n", &["c.toml:1:1: missing field `url`"]);
        refused("theme = \n", &["c.toml:1:"]);
        refused("[postgres]\nurl = \"x\"\n", &["c.toml:1:2: write [[postgres]]"]);
        refused("[[engine]]\n", &["c.toml:1:3: write [engine] in single brackets"]);
    }

    #[test]
    fn every_mistake_is_told_once() {
        let text = "themee = 1\nascii = \"hunter2\"\n[engine]\nbreaker_failures = \"hunter2\"\n[[redis]]\nurl = 5\nmask = 3\n\
                    [[search]]\n[[metrics]]\nurl = \"http://h\"\ntoken = \"hunter2\"\n";
        let form = read("c.toml", text);
        let places: Vec<&str> =
            form.mistakes.iter().map(|told| told.split(": ").next().unwrap_or_default()).collect();
        assert_eq!(places.len(), 7, "{:?}", form.mistakes);
        for line in [1, 2, 4, 6, 7, 8, 11] {
            let expected = format!("c.toml:{line}:");
            assert!(places.iter().any(|place| place.starts_with(&expected)), "{line} in {:?}", form.mistakes);
        }
        assert!(!form.mistakes.join("").contains("hunter2"), "{:?}", form.mistakes);
    }

    #[test]
    fn a_key_is_found_again_after_reading() {
        let form = read("c.toml", "[[redis]]\nurl = \"redis://h\"\n[rules.\"a.b\"]\nhold = \"1s\"\n");
        assert_eq!(form.places.of(&["redis", "0", "url"]), "c.toml:2:1");
        assert_eq!(form.places.of(&["redis", "0", "interval"]), "c.toml:1:1");
        assert_eq!(form.places.of(&["rules", "a.b", "hold"]), "c.toml:4:1");
    }
}
