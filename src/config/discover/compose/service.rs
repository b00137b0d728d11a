//! A service of a compose project, as far as it matters for reaching what runs in it. Variables come from the files that it names, from
//! itself and from secrets in files, the later before the earlier.

use super::checked::{self, Checked};
use super::ports::Port;
use super::room::Room;
use super::tree::{Entries, Node};
use super::variables::{self, Known};
use crate::config::bounded;
use std::collections::BTreeMap;
use std::path::Path;

/// Where compose lays secrets inside a container.
const SECRETS: &str = "/run/secrets/";
/// The ending of a variable that names a file instead of holding the value.
const IN_FILE: &str = "_FILE";

/// A service.
#[derive(Default)]
pub(in crate::config::discover) struct Composed {
    /// Its image, if it says one.
    pub(in crate::config::discover) image: Option<String>,
    /// Its variables.
    pub(in crate::config::discover) environment: BTreeMap<String, String>,
    /// Its entry point and its command, word by word.
    pub(in crate::config::discover) words: Vec<String>,
    /// What it publishes.
    pub(super) ports: Vec<Port>,
    /// What its health check asks over HTTP.
    pub(super) check: Option<Checked>,
    /// `network_mode`.
    pub(super) network: Option<String>,
    /// It runs only in one of these profiles, if there are any.
    pub(super) profiles: Vec<String>,
    /// Why what is said of it cannot be used.
    pub(super) wrong: Option<String>,
    /// What of it could not be read.
    pub(super) notes: Vec<String>,
}

impl Composed {
    /// A service as it was put together, with the secrets of its project.
    pub(super) fn of(node: &Node, secrets: &Entries, known: Known<'_>, room: &Room) -> Self {
        let mut notes = Vec::new();
        let said = |name: &str| node.get(name).cloned().unwrap_or_default();
        let mut environment = BTreeMap::new();
        for file in said("env_file").items() {
            from_file(file, (known, room), &mut environment, &mut notes);
        }
        for (name, value) in said("environment").into_entries() {
            // A name without a value is passed on from outside.
            let value = match value {
                Node::Wrong(_) => continue,
                ref given => given.text().or_else(|| known(&name)),
            };
            if let Some(value) = value {
                environment.insert(name, value);
            }
        }
        read_secrets(&said("secrets"), secrets, known, &mut environment);
        let mut words = words(&said("entrypoint"));
        words.extend(self::words(&said("command")));
        let names = ["image", "environment", "ports", "network_mode", "command", "entrypoint", "extends"];
        let wrong = match node {
            Node::Wrong(why) => Some(why.clone()),
            _ => names.iter().find_map(|name| node.get(name)?.wrong().map(str::to_owned)),
        };
        let (mut ports, mut bad) = (Vec::new(), None);
        for entry in said("ports").items() {
            match Port::read(entry) {
                Ok(port) => ports.push(port),
                Err(why) => bad = Some(why),
            }
        }
        Self {
            image: said("image").text(),
            environment,
            words,
            ports,
            check: checked::of(&said("healthcheck"), self::words),
            network: said("network_mode").text(),
            profiles: said("profiles").items().iter().filter_map(Node::text).collect(),
            wrong: wrong.or(bad),
            notes,
        }
    }
}

/// A file of variables: its path, or a table of `path` and `required`.
fn from_file(
    file: &Node,
    (known, room): (Known<'_>, &Room),
    into: &mut BTreeMap<String, String>,
    notes: &mut Vec<String>,
) {
    if room.spent().is_some() {
        return;
    }
    let Some(path) = file.get("path").unwrap_or(file).text() else { return };
    match bounded::text(Path::new(&path)) {
        Ok(text) => into.extend(variables::of_file(&text, known, room)),
        Err(_) if file.get("required").and_then(Node::text).as_deref() == Some("false") => {}
        Err(error) => notes.push(format!("its env_file {path} cannot be read: {error}")),
    }
}

/// Values of variables that name a file of a secret: the project says where that is on this machine.
fn read_secrets(
    used: &Node,
    secrets: &Entries,
    known: Known<'_>,
    environment: &mut BTreeMap<String, String>,
) {
    let mut found = Vec::new();
    for (name, path) in environment.iter() {
        let Some(bare) = name.strip_suffix(IN_FILE).filter(|bare| !environment.contains_key(*bare)) else {
            continue;
        };
        let Some(inside) = path.strip_prefix(SECRETS) else { continue };
        // A secret may be laid under another name than its own.
        let renamed = used.items().iter().find_map(|one| {
            let target = one.get("target")?.text()?;
            (target.trim_start_matches(SECRETS) == inside).then(|| one.get("source")?.text()).flatten()
        });
        let source = renamed.unwrap_or_else(|| inside.to_owned());
        let Some((_, secret)) = secrets.iter().find(|(known, _)| *known == source) else { continue };
        let variable = secret.get("environment").and_then(Node::text).and_then(|name| known(&name));
        let file = || bounded::text(Path::new(&secret.get("file")?.text()?)).ok();
        if let Some(value) = variable.or_else(file) {
            found.push((bare.to_owned(), value.trim_end_matches(['\n', '\r']).to_owned()));
        }
    }
    environment.extend(found);
}

/// A command, word by word: a line, or a list in which what is given to a shell is a line, too.
pub(super) fn words(command: &Node) -> Vec<String> {
    let Node::List(list) = command else {
        return command.text().map(|line| split(&line)).unwrap_or_default();
    };
    let mut words: Vec<String> = Vec::new();
    for word in list.iter().filter_map(Node::text) {
        if words.last().is_some_and(|before| before == "-c") {
            words.extend(split(&word));
        } else {
            words.push(word);
        }
    }
    words
}

/// A line as a shell takes it apart: at blanks outside quotes.
pub(in crate::config::discover) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (_, Some(open)) if letter == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(letters.next()),
            (blank, None) if blank.is_whitespace() => words.extend(word.take()),
            (other, _) => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_taken_apart_as_a_shell_does() {
        for (line, expected) in [
            ("redis-server --requirepass 'a b'", &["redis-server", "--requirepass", "a b"][..]),
            ("sh -c \"x \\\"y\\\"\"", &["sh", "-c", "x \"y\""]),
            ("a\n  b ''", &["a", "b", ""]),
            ("", &[]),
        ] {
            assert_eq!(split(line), expected, "{line}");
        }
    }
}
