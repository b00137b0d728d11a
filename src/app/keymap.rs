//! Which key means which command: the defaults of the registry, and above them what the configuration says, context by context.

use super::command::{Command, Context, Entry, registry};
use super::key::{Code, Key};
use crate::panels::Keys;
use std::collections::HashMap;

/// What the configuration says of the keys of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Where it holds.
    pub context: Context,
    /// The command's name.
    pub command: String,
    /// Its keys.
    pub keys: Vec<String>,
    /// They come beside the defaults and not in their place.
    pub adds: bool,
}

/// Keys that keep their meaning whatever is configured: nobody may be locked out, and what ends or leaves something is where everybody
/// looks for it.
const FIXED: [Key; 8] = [
    Key::ctrl('c'),
    Key::ctrl('z'),
    Key::plain(Code::Esc),
    Key::plain(Code::Enter),
    Key::plain(Code::Up),
    Key::plain(Code::Down),
    Key::plain(Code::Left),
    Key::plain(Code::Right),
];

/// The keys in force.
#[derive(Clone, Debug)]
pub struct Keymap {
    entries: Vec<Entry>,
    by_key: HashMap<(Context, Key), Command>,
    words: Keys,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::of(registry())
    }
}

impl Keymap {
    fn of(entries: Vec<Entry>) -> Self {
        let of = |entry: &Entry| {
            let (context, command) = (entry.context, entry.command);
            entry.keys.iter().map(move |key| ((context, *key), command)).collect::<Vec<_>>()
        };
        let by_key = entries.iter().flat_map(of).collect();
        let mut keymap = Self { entries, by_key, words: Keys::default() };
        keymap.words = Keys {
            open: keymap.name(Command::Open),
            act: keymap.name(Command::Actions),
            mark: keymap.name(Command::Mark),
            find: keymap.name(Command::Find),
            stop: keymap.name(Command::Stop),
            runbook: keymap.name(Command::Runbook),
            sources: keymap.name(Command::Sources),
        };
        keymap
    }

    /// The defaults with `bindings` above them. A key that is given to a command is taken from whatever had it by default.
    ///
    /// # Errors
    /// Of each binding that cannot be: its place in `bindings`, and a sentence that names the remedy.
    pub fn with(bindings: &[Binding]) -> Result<Self, Vec<(usize, String)>> {
        let defaults = registry();
        let mut mistakes = Vec::new();
        let mut given: Vec<Vec<Key>> = vec![Vec::new(); defaults.len()];
        let mut changed: Vec<Option<bool>> = vec![None; defaults.len()];
        let mut owners: HashMap<(Context, Key), &str> = HashMap::new();
        for (at, binding) in bindings.iter().enumerate() {
            let Some(index) = defaults
                .iter()
                .position(|entry| entry.context == binding.context && entry.name == binding.command)
            else {
                mistakes.push((at, unknown(binding, &defaults)));
                continue;
            };
            changed[index] = Some(binding.adds);
            for name in &binding.keys {
                let key = match Key::parse(name).and_then(|key| permitted(key, &defaults[index], &defaults)) {
                    Ok(key) => key,
                    Err(sentence) => {
                        mistakes.push((at, sentence));
                        continue;
                    }
                };
                match owners.insert((binding.context, key), &binding.command) {
                    Some(other) if other != binding.command => {
                        let sentence =
                            format!("the key {key} would mean both `{other}` and `{}`", binding.command);
                        mistakes.push((at, sentence));
                    }
                    Some(_) => {}
                    None => given[index].push(key),
                }
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let layered = defaults.into_iter().zip(given).zip(changed).map(|((entry, mut keys), changed)| {
            let stays = |key: &Key| match changed {
                None | Some(true) => true,
                Some(false) => FIXED.contains(key),
            };
            let free = |key: &Key| !owners.contains_key(&(entry.context, *key));
            keys.extend(entry.keys.iter().copied().filter(|key| stays(key) && free(key)));
            Entry { keys, ..entry }
        });
        Ok(Self::of(layered.collect()))
    }

    /// What `key` means in `context`.
    #[must_use]
    pub fn command(&self, context: Context, key: Key) -> Option<Command> {
        self.by_key.get(&(context, key)).copied()
    }

    /// The registry with the keys in force.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The keys as panels name them.
    #[must_use]
    pub const fn words(&self) -> &Keys {
        &self.words
    }

    /// The first key of `command` in `context`, for hints.
    #[must_use]
    pub fn hint(&self, context: Context, command: Command) -> Option<Key> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.context == context && entry.command == command)?;
        entry.keys.first().copied()
    }

    /// How `command` is reached from a screen, in a sentence: its key, or where it has none, its name in the palette.
    #[must_use]
    pub fn name(&self, command: Command) -> String {
        if let Some(key) = self.hint(Context::Screens, command) {
            return key.to_string();
        }
        let entry = self.entries.iter().find(|entry| entry.command == command);
        let name = entry.map_or("", |entry| entry.name);
        match self.hint(Context::Screens, Command::Palette) {
            Some(key) if key.bare().is_some() => format!("{key}{name}"),
            Some(key) => format!("{key} {name}"),
            None => name.to_owned(),
        }
    }

    /// The first key of `command` in a dialog or a field; empty where it has none.
    #[must_use]
    pub fn key_in(&self, context: Context, command: Command) -> String {
        self.hint(context, command).map_or_else(String::new, |key| key.to_string())
    }
}

/// Whether `key` may be given to `entry`.
fn permitted(key: Key, entry: &Entry, defaults: &[Entry]) -> Result<Key, String> {
    let name = entry.name;
    if FIXED.contains(&key) && !entry.keys.contains(&key) {
        let here = |other: &&Entry| other.context == entry.context && other.keys.contains(&key);
        let owner =
            defaults.iter().find(here).or_else(|| defaults.iter().find(|other| other.keys.contains(&key)));
        let owner = owner.map_or("", |owner| owner.name);
        return Err(format!(
            "{key} always means `{owner}`, so that nobody is locked out: give `{name}` another key"
        ));
    }
    if key.bare().is_none() {
        return Ok(key);
    }
    match (entry.context, entry.command) {
        (Context::Dialogs | Context::Fields, _) => Err(format!(
            "in a dialog {key} is typed, chooses or confirms: give `{name}` a key with Control, or F1 to F12"
        )),
        (Context::Screens, Command::Arm) => Err(format!(
            "{key} alone must not lead to changes: give `{name}` a key with Control, or F1 to F12"
        )),
        (Context::Screens, _) => Ok(key),
    }
}

fn unknown(binding: &Binding, defaults: &[Entry]) -> String {
    let elsewhere = defaults.iter().find(|entry| entry.name == binding.command);
    if let Some(entry) = elsewhere {
        return format!("`{}` stands in [{}]", entry.name, entry.context.table());
    }
    let palette = Keymap::default();
    format!(
        "there is no such command; press {} in stacktop for all of them. What changes a server has no key of its own: it stays \
         behind {} and its dialogs",
        palette.name(Command::Palette),
        palette.name(Command::Actions)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(context: Context, command: &str, keys: &[&str]) -> Binding {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Binding { context, command: command.to_owned(), keys, adds: false }
    }

    fn screens(command: &str, key: &str) -> Binding {
        binding(Context::Screens, command, &[key])
    }

    #[track_caller]
    fn refused(bindings: &[Binding], at: usize, words: &[&str]) {
        let mistakes = Keymap::with(bindings).expect_err("refused");
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert_eq!(mistakes[0].0, at);
        for word in words {
            assert!(mistakes[0].1.contains(word), "{word}: {mistakes:?}");
        }
    }

    fn means(keymap: &Keymap, key: &str) -> Option<Command> {
        keymap.command(Context::Screens, Key::parse(key).expect("a key"))
    }

    #[test]
    fn the_defaults_give_every_key_one_meaning() {
        let keys = Keymap::with(&[]).unwrap();
        assert_eq!(means(&keys, "x"), Some(Command::Actions));
        let count: usize = keys.entries().iter().map(|entry| entry.keys.len()).sum();
        assert_eq!(count, keys.by_key.len());
        for entry in keys.entries() {
            for key in &entry.keys {
                assert_eq!(*key, key.as_sent(), "{} has a key that no terminal sends", entry.name);
                assert!(entry.context == Context::Screens || key.bare().is_none(), "{}", entry.name);
            }
        }
    }

    #[test]
    fn only_one_key_leads_to_changes() {
        let keys = Keymap::default();
        let doors: Vec<&Entry> =
            keys.entries().iter().filter(|entry| matches!(entry.command, Command::Actions)).collect();
        assert_eq!(doors.len(), 1);
        assert_eq!(doors[0].keys, [Key::char('x')]);
    }

    #[test]
    fn the_configuration_stands_above_the_defaults() {
        let keys = Keymap::with(&[screens("quit", "Q")]).unwrap();
        assert_eq!((means(&keys, "Q"), means(&keys, "q")), (Some(Command::Quit), None));
        assert_eq!(means(&keys, "ctrl-c"), Some(Command::Quit), "it cannot be lost");
        // Beside the defaults, and the first of the hints.
        let keys = Keymap::with(&[Binding { adds: true, ..screens("quit", "Q") }]).unwrap();
        assert_eq!((means(&keys, "Q"), means(&keys, "q")), (Some(Command::Quit), Some(Command::Quit)));
        assert_eq!(keys.name(Command::Quit), "Q");
        // A key that had another meaning by default has the new one.
        let keys = Keymap::with(&[screens("freeze", "s")]).unwrap();
        assert_eq!((means(&keys, "s"), means(&keys, "p")), (Some(Command::Freeze), None));
        assert_eq!(keys.name(Command::Sort), ":sort");
        // Two may change places, several keys are possible, and none.
        let keys = Keymap::with(&[screens("freeze", "s"), screens("sort", "p")]).unwrap();
        assert_eq!((means(&keys, "s"), means(&keys, "p")), (Some(Command::Freeze), Some(Command::Sort)));
        let keys = Keymap::with(&[binding(Context::Screens, "theme", &["f9", "ctrl-T"])]).unwrap();
        assert_eq!(
            (means(&keys, "f9"), means(&keys, "ctrl-t")),
            (Some(Command::Theme), Some(Command::Theme))
        );
        assert_eq!(means(&Keymap::with(&[binding(Context::Screens, "theme", &[])]).unwrap(), "T"), None);
    }

    #[test]
    fn each_context_has_keys_of_its_own() {
        let keys = Keymap::with(&[binding(Context::Fields, "editor", &["ctrl-e"])]).unwrap();
        assert_eq!(keys.command(Context::Fields, Key::ctrl('e')), Some(Command::Editor));
        assert_eq!(keys.key_in(Context::Fields, Command::Editor), "Ctrl-E");
        let keys = Keymap::with(&[binding(Context::Dialogs, "page-down", &["f8"])]).unwrap();
        let f8 = Key::plain(Code::F(8));
        assert_eq!(keys.command(Context::Dialogs, f8), Some(Command::PageDown));
        assert_eq!(keys.command(Context::Screens, f8), None);
    }

    #[test]
    fn nobody_is_locked_out() {
        for key in ["ctrl-c", "ctrl-z", "esc", "enter", "up", "down", "left", "right", "ctrl-m", "ctrl-["] {
            refused(
                &[screens("quit", "Q"), screens("theme", key)],
                1,
                &["always means", "give `theme` another key"],
            );
            for context in [Context::Dialogs, Context::Fields] {
                let name = if context == Context::Dialogs { "page-up" } else { "editor" };
                refused(&[binding(context, name, &[key])], 0, &["always means", "another key"]);
            }
        }
        // Whatever is given to all commands, these stay.
        let other = |entry: &Entry, at: usize| Binding {
            context: entry.context,
            command: entry.name.to_owned(),
            keys: if at < 12 { vec![format!("f{}", at + 1)] } else { Vec::new() },
            adds: false,
        };
        for context in Context::ALL {
            let all = registry();
            let here = all.iter().filter(|entry| entry.context == context).enumerate();
            let bindings: Vec<Binding> = here.map(|(at, entry)| other(entry, at)).collect();
            let keys = Keymap::with(&bindings).expect("they are possible");
            for key in FIXED {
                assert_eq!(keys.command(context, key), Keymap::default().command(context, key), "{key}");
            }
        }
    }

    #[test]
    fn mistakes_are_named_with_their_remedy() {
        refused(&[screens("quitt", "q")], 0, &["there is no such command", "press :"]);
        refused(&[screens("terminate", "t")], 0, &["no key of its own", "stays behind x and its dialogs"]);
        refused(&[screens("arm", "A")], 0, &["must not lead to changes", "with Control"]);
        assert!(Keymap::with(&[screens("arm", "ctrl-a")]).is_ok());
        refused(&[screens("quit", "ctrl-")], 0, &["not a key"]);
        refused(&[screens("sort", "z"), screens("quit", "z")], 1, &["z would mean both `sort` and `quit`"]);
        refused(&[screens("editor", "z")], 0, &["`editor` stands in [keys.fields]"]);
        for context in [Context::Dialogs, Context::Fields] {
            let name = if context == Context::Dialogs { "down" } else { "accept" };
            refused(&[binding(context, name, &["j"])], 0, &["typed, chooses or confirms", "with Control"]);
        }
    }
}
