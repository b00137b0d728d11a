//! Which key means which command; the defaults of the registry with what the configuration changed.

use super::command::{Command, Entry, registry};
use super::key::Key;
use std::collections::{BTreeMap, HashMap};

/// The keys in force.
#[derive(Clone, Debug)]
pub struct Keymap {
    entries: Vec<Entry>,
    by_key: HashMap<Key, Command>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::of(registry())
    }
}

impl Keymap {
    fn of(entries: Vec<Entry>) -> Self {
        let by_key =
            entries.iter().flat_map(|entry| entry.keys.iter().map(|key| (*key, entry.command))).collect();
        Self { entries, by_key }
    }

    /// The defaults with `changes` (command name → key) applied.
    ///
    /// # Errors
    /// A sentence for each unknown command or key, and for each key that two commands would share, with the command that it is about.
    pub fn with(changes: &BTreeMap<String, String>) -> Result<Self, Vec<(String, String)>> {
        let mut entries = registry();
        let mut mistakes = Vec::new();
        for (name, key) in changes {
            match (Key::parse(key), entries.iter_mut().find(|entry| entry.name == name)) {
                (Ok(key), Some(entry)) => entry.keys = vec![key],
                (_, None) => mistakes.push((
                    name.clone(),
                    "there is no such command; press : in stacktop for all of them".to_owned(),
                )),
                (Err(error), Some(_)) => mistakes.push((name.clone(), error)),
            }
        }
        let mut owners: HashMap<Key, &str> = HashMap::new();
        for entry in &entries {
            for key in &entry.keys {
                if let Some(other) = owners.insert(*key, entry.name) {
                    // It is told at the one that the configuration changed.
                    let about = if changes.contains_key(entry.name) { entry.name } else { other };
                    let sentence = format!("the key {key} would mean both `{other}` and `{}`", entry.name);
                    mistakes.push((about.to_owned(), sentence));
                }
            }
        }
        if mistakes.is_empty() { Ok(Self::of(entries)) } else { Err(mistakes) }
    }

    /// What `key` means.
    #[must_use]
    pub fn command(&self, key: Key) -> Option<Command> {
        self.by_key.get(&key).copied()
    }

    /// The registry with the keys in force.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The first key of `command`, for hints.
    #[must_use]
    pub fn hint(&self, command: Command) -> Option<Key> {
        let entry = self.entries.iter().find(|entry| entry.command == command)?;
        entry.keys.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::key::Code;

    fn with(name: &str, key: &str) -> Result<Keymap, String> {
        Keymap::with(&BTreeMap::from([(name.to_owned(), key.to_owned())]))
            .map_err(|mistakes| format!("{mistakes:?}"))
    }

    #[test]
    fn the_defaults_give_every_key_one_meaning() {
        let keys = Keymap::with(&BTreeMap::new()).unwrap();
        assert_eq!(keys.command(Key::char('x')), Some(Command::Actions));
        let count: usize = keys.entries().iter().map(|entry| entry.keys.len()).sum();
        assert_eq!(count, keys.by_key.len());
    }

    #[test]
    fn only_one_key_leads_to_changes() {
        let keys = Keymap::default();
        let doors: Vec<&Entry> =
            keys.entries().iter().filter(|entry| matches!(entry.command, Command::Actions)).collect();
        assert_eq!(doors.len(), 1);
        assert_eq!(doors[0].keys, [Key::char('x')]);
        for harmless in
            [Key::plain(Code::Enter), Key::char(' '), Key::char('y'), Key::char('k'), Key::ctrl('d')]
        {
            assert_ne!(keys.command(harmless), Some(Command::Actions), "{harmless}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(with("quitt", "q").unwrap_err().contains("(\"quitt\", \"there is no such command"));
        assert!(with("quit", "ctrl-").unwrap_err().contains("not a key"));
        assert!(with("quit", "x").unwrap_err().contains("both"));
        let keys = with("quit", "Q").unwrap();
        assert_eq!(keys.command(Key::char('Q')), Some(Command::Quit));
        assert_eq!(keys.command(Key::char('q')), None);
    }
}
