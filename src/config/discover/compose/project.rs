//! The project of a folder as compose puts it together: which files, over one another, with what they include and extend, each with the
//! variables that count there. Nothing is fetched: a file that would come from the network is not read.

use super::merge;
use super::room::Room;
use super::service::Composed;
use super::tree::{self, Entries, Node};
use super::variables::{self, Known};
use crate::config::bounded;
use crate::config::surroundings::Surroundings;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The names under which compose looks for its file, in its order, and for what is laid over it.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
const OVER: [&str; 4] = [
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yaml",
    "docker-compose.override.yml",
];
/// No project has more files, and no service extends a longer row of others.
const MOST_FILES: usize = 32;
const MOST_STEPS: usize = 8;

/// A project, put together.
pub(in crate::config::discover) struct Project {
    /// Its first file, as it is told.
    pub(in crate::config::discover) name: String,
    /// Its services by name.
    pub(in crate::config::discover) services: Vec<(String, Composed)>,
    /// The profiles that are active; `*` is all of them.
    pub(super) profiles: Vec<String>,
    /// What could not be read, a sentence each.
    pub(super) notes: Vec<String>,
}

/// What files say together: services and secrets, with their paths made whole and their variables filled in.
#[derive(Default)]
struct Said {
    services: Entries,
    secrets: Entries,
}

/// What counts where a file is read.
struct Place<'a> {
    /// Relative paths begin here.
    folder: &'a Path,
    known: Known<'a>,
}

/// Reads files; how many is counted, and what they stand for.
struct Reader<'a> {
    around: &'a Surroundings,
    room: &'a Room,
    read: usize,
    notes: Vec<String>,
}

impl Project {
    /// The project of this folder; none where no compose file is.
    ///
    /// # Errors
    /// Where and why its first file cannot be read.
    pub(in crate::config::discover) fn of(around: &Surroundings) -> Option<Result<Self, String>> {
        let room = Room::default();
        let dotenv = file_of_variables(&around.folder.join(".env"), (around, &room), &[]);
        let known = |name: &str| around.set(name).or_else(|| last(&dotenv, name));
        let files = files(around, &known)?;
        let name = files.first().map(|path| shown(path, around)).unwrap_or_default();
        let folder = files.first().and_then(|path| path.parent()).unwrap_or(&around.folder).to_owned();
        let mut reader = Reader { around, room: &room, read: 0, notes: Vec::new() };
        let said = match reader.files(&files, &Place { folder: &folder, known: &known }) {
            Ok(said) => said,
            Err(why) => return Some(Err(why)),
        };
        let composed = |node: &Node| Composed::of(node, &said.secrets, &known, &room);
        let services: Vec<(String, Composed)> =
            said.services.iter().map(|(name, node)| (name.clone(), composed(node))).collect();
        let mut notes = reader.notes;
        notes.extend(room.spent().map(|why| format!("{name}: {why}")));
        let active = known("COMPOSE_PROFILES").unwrap_or_default();
        Some(Ok(Self {
            name,
            services,
            profiles: active.split(',').map(|name| name.trim().to_owned()).collect(),
            notes,
        }))
    }
}

/// The files that compose would read: those of `COMPOSE_FILE`, else the usual one with what is laid over it.
fn files(around: &Surroundings, known: Known<'_>) -> Option<Vec<PathBuf>> {
    if let Some(list) = known("COMPOSE_FILE").filter(|list| !list.is_empty()) {
        let between = known("COMPOSE_PATH_SEPARATOR").filter(|text| !text.is_empty());
        let between = between.unwrap_or_else(|| ":".to_owned());
        return Some(list.split(&between).map(|name| around.folder.join(name.trim())).collect());
    }
    let first =
        |names: [&str; 4]| names.map(|name| around.folder.join(name)).into_iter().find(|path| path.exists());
    Some(std::iter::once(first(NAMES)?).chain(first(OVER)).collect())
}

/// A path as it is told: below this folder without it.
fn shown(path: &Path, around: &Surroundings) -> String {
    path.strip_prefix(&around.folder).unwrap_or(path).display().to_string()
}

fn last(variables: &[(String, String)], wanted: &str) -> Option<String> {
    variables.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
}

/// The variables of a file; one that is not there, or that cannot be read, says nothing.
fn file_of_variables(
    path: &Path,
    (around, room): (&Surroundings, &Room),
    before: &[(String, String)],
) -> Vec<(String, String)> {
    let known = |name: &str| around.set(name).or_else(|| last(before, name));
    bounded::text(path).map(|text| variables::of_file(&text, &known, room)).unwrap_or_default()
}

impl Reader<'_> {
    /// Several files, each over those before it.
    fn files(&mut self, files: &[PathBuf], place: &Place<'_>) -> Result<Said, String> {
        let mut all = Said::default();
        for path in files {
            let mut one = self.file(path, place)?;
            merge::services(&mut all.services, std::mem::take(&mut one.services));
            for (name, secret) in one.secrets {
                all.secrets.retain(|(known, _)| *known != name);
                all.secrets.push((name, secret));
            }
        }
        Ok(all)
    }

    /// One file, with what it includes below it.
    fn file(&mut self, path: &Path, place: &Place<'_>) -> Result<Said, String> {
        self.read += 1;
        if self.read > MOST_FILES {
            let name = shown(path, self.around);
            return Err(format!(
                "{name} is not read: a project of more than {MOST_FILES} files includes itself"
            ));
        }
        let (mut tree, mut services) = self.tree(path, place)?;
        let mut said = Said::default();
        for entry in tree.remove("include").unwrap_or_default().items() {
            if let Err(why) = self.include(entry, place, &mut said) {
                self.notes.push(why);
            }
        }
        // What a service extends may stand anywhere in the file.
        let names: Vec<String> = services.iter().map(|(name, _)| name.clone()).collect();
        for name in names {
            let whole = self.extended(&name, &services, place, path, 0);
            if let (Some((_, node)), Some(whole)) =
                (services.iter_mut().find(|(known, _)| *known == name), whole)
            {
                *node = whole;
            }
        }
        merge::services(&mut said.services, services);
        said.secrets.extend(tree.remove("secrets").unwrap_or_default().into_entries());
        Ok(said)
    }

    /// The parts of a file by their names, and its services.
    fn tree(&self, path: &Path, place: &Place<'_>) -> Result<(BTreeMap<String, Node>, Entries), String> {
        let name = shown(path, self.around);
        let text = bounded::text(path).map_err(|error| format!("{name} cannot be read: {error}"))?;
        self.room.take(text.len()).map_err(|why| format!("{name}: {why}"))?;
        let mut root = tree::read(&text).map_err(|why| format!("{name}{why}"))?;
        variables::fill(&mut root, place.known, self.room, &|wanted| position(&name, &text, wanted));
        let mut parts: BTreeMap<String, Node> = root.into_entries().into_iter().collect();
        let mut services = parts.remove("services").unwrap_or_default().into_entries();
        for (_, service) in &mut services {
            if let Node::Table(entries) = service {
                for (_, files) in entries.iter_mut().filter(|(name, _)| name == "env_file") {
                    whole_paths(files, place.folder);
                }
            }
        }
        if let Some(Node::Table(secrets)) = parts.get_mut("secrets") {
            for (_, secret) in secrets {
                if let Node::Table(entries) = secret {
                    entries.iter_mut().filter(|(name, _)| name == "file").for_each(|(_, file)| {
                        whole_paths(file, place.folder);
                    });
                }
            }
        }
        Ok((parts, services))
    }

    /// Reads what `entry` includes: a project of its own, whose variables give way to those around it.
    fn include(&mut self, entry: &Node, place: &Place<'_>, said: &mut Said) -> Result<(), String> {
        let paths = entry.get("path").unwrap_or(entry).items();
        let names: Vec<String> = paths.iter().filter_map(Node::text).collect();
        if let Some(far) = names.iter().find(|name| is_far(name)) {
            let scheme = far.split(':').next().unwrap_or_default();
            return Err(format!("what is included by {scheme}: is not read: it is not on this machine"));
        }
        let files: Vec<PathBuf> = names.iter().map(|name| place.folder.join(name)).collect();
        let Some(first) = files.first() else { return Ok(()) };
        let given = entry.get("project_directory").and_then(Node::text).map(|name| place.folder.join(name));
        let folder = given.or_else(|| first.parent().map(Path::to_owned)).unwrap_or_default();
        let env: Vec<PathBuf> = match entry.get("env_file") {
            Some(list) => {
                list.items().iter().filter_map(Node::text).map(|name| place.folder.join(name)).collect()
            }
            None => vec![folder.join(".env")],
        };
        let mut own = Vec::new();
        for path in env {
            let more = file_of_variables(&path, (self.around, self.room), &own);
            own.extend(more);
        }
        let known = |name: &str| (place.known)(name).or_else(|| last(&own, name));
        let more = self.files(&files, &Place { folder: &folder, known: &known })?;
        merge::services(&mut said.services, more.services);
        said.secrets.extend(more.secrets);
        Ok(())
    }

    /// The service `name` over what it extends, or why that cannot be told; none if it extends nothing.
    fn extended(
        &self,
        name: &str,
        services: &Entries,
        place: &Place<'_>,
        path: &Path,
        steps: usize,
    ) -> Option<Node> {
        let own = services.iter().find(|(known, _)| known == name).map(|(_, node)| node)?;
        let extends = own.get("extends")?;
        let from = extends.get("service").unwrap_or(extends).text().unwrap_or_default();
        let place_of = |path: &Path| shown(path, self.around);
        if steps >= MOST_STEPS {
            return Some(Node::Wrong(format!("{}: service {name} extends itself", place_of(path))));
        }
        let base = match extends.get("file").and_then(Node::text) {
            None if services.iter().any(|(known, _)| *known == from) => {
                let deeper = self.extended(&from, services, place, path, steps + 1);
                deeper.or_else(|| {
                    services.iter().find(|(known, _)| *known == from).map(|(_, node)| node.clone())
                })
            }
            None => None,
            Some(file) if is_far(&file) => None,
            Some(file) => {
                let other = place.folder.join(file);
                let folder = other.parent().unwrap_or(place.folder).to_owned();
                let there = Place { folder: &folder, known: place.known };
                match self.tree(&other, &there) {
                    Err(why) => Some(Node::Wrong(why)),
                    Ok((_, list)) => {
                        let deeper = self.extended(&from, &list, &there, &other, steps + 1);
                        deeper.or_else(|| {
                            list.into_iter().find(|(known, _)| *known == from).map(|(_, node)| node)
                        })
                    }
                }
            }
        };
        Some(match base {
            Some(wrong @ Node::Wrong(_)) => wrong,
            Some(base) => match self.room.take(base.weight()) {
                Ok(()) => merge::service(base, own.clone()),
                Err(why) => Node::Wrong(why),
            },
            None => {
                Node::Wrong(format!("{}: what service {name} extends is not there", shown(path, self.around)))
            }
        })
    }
}

/// Whether a path is an address of something elsewhere.
fn is_far(path: &str) -> bool {
    path.contains("://") || path.starts_with("git@")
}

/// Makes the paths of `files` whole: texts, or tables with a `path`.
fn whole_paths(files: &mut Node, folder: &Path) {
    match files {
        Node::List(list) => list.iter_mut().for_each(|one| whole_paths(one, folder)),
        Node::Table(entries) => {
            entries
                .iter_mut()
                .filter(|(name, _)| name == "path")
                .for_each(|(_, one)| whole_paths(one, folder));
        }
        Node::Override(inside) => whole_paths(inside, folder),
        Node::One(_) => {
            if let Some(path) = files.text() {
                *files = Node::of(folder.join(path).display().to_string());
            }
        }
        Node::Reset | Node::Wrong(_) => {}
    }
}

/// Where `wanted` stands in a file, by its first place.
fn position(name: &str, text: &str, wanted: &str) -> String {
    let first = wanted.lines().next().unwrap_or_default();
    let Some(at) = text.find(first).filter(|_| !first.is_empty()) else { return name.to_owned() };
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{name}:{line}:{column}")
}
