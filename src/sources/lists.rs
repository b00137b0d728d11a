//! Reads lists of endpoints: the files that Prometheus reads for the same purpose, or what a command prints. What cannot be read keeps what
//! it said last: a list that is written anew right now must not end the watch over everything in it.

use super::bulkhead::FILES;
use super::process::{self, Complaints, Ended, Fault};
use crate::config::bounded;
use crate::config::listed::{Listed, Listing, read};
use crate::core::text::tidy;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// No list is longer: some ten thousand targets.
const BYTES: usize = 4 * 1024 * 1024;
/// A command, or a file system, may take so long.
const WITHIN: Duration = Duration::from_secs(10);
/// What was changed is read again after this: it may be written right now, and what is there so far may be a list, too.
const SETTLES: Duration = Duration::from_secs(1);
/// So often at the most: then it counts as it is.
const SETTLES_WITHIN: usize = 3;
/// One pattern names no more files.
const MOST_FILES: usize = 200;
/// So much of a complaint is repeated.
const COMPLAINT_CHARS: usize = 160;

/// A list, with what each of its places said last.
#[derive(Clone, Debug)]
pub struct List {
    /// Where it is, and what it means.
    pub listing: Listing,
    /// What was changed is read again after this.
    pub settles: Duration,
    kept: BTreeMap<String, Vec<Listed>>,
    /// What its files said at the look before, if there was one.
    last: Option<Vec<(String, Said)>>,
}

/// What a place of a list said: nothing where there is no such file any more.
type Said = Result<Option<Vec<Listed>>, String>;

impl List {
    /// One that was not read yet.
    #[must_use]
    pub const fn new(listing: Listing) -> Self {
        Self { listing, settles: SETTLES, kept: BTreeMap::new(), last: None }
    }

    /// Reads it. Everything that it says now, and what could not be read.
    pub async fn look(&mut self) -> (Vec<Listed>, Vec<String>) {
        let (found, mut wrong) = match self.listing.command() {
            Some((program, arguments)) => {
                let said = printed(program, arguments).await;
                (vec![(String::new(), said.map(Some))], Vec::new())
            }
            None => self.settled().await,
        };
        let before = std::mem::take(&mut self.kept);
        for (place, said) in found {
            match said {
                Ok(Some(listed)) => {
                    self.kept.insert(place, listed);
                }
                Ok(None) => {}
                Err(why) => {
                    wrong.push(why);
                    if let Some(listed) = before.get(&place) {
                        self.kept.insert(place, listed.clone());
                    }
                }
            }
        }
        (self.kept.values().flatten().cloned().collect(), wrong)
    }

    /// What each of its files says, once two looks at what has changed say the same.
    async fn settled(&mut self) -> (Vec<(String, Said)>, Vec<String>) {
        let mut said = self.files().await;
        for _ in 0..SETTLES_WITHIN {
            let is_news = match &self.last {
                Some(last) => *last != said.0,
                None => said.0.iter().any(|(_, said)| said.is_err()),
            };
            if !is_news {
                break;
            }
            tokio::time::sleep(self.settles).await;
            self.last = Some(std::mem::replace(&mut said, self.files().await).0);
        }
        self.last = Some(said.0.clone());
        said
    }

    /// What each of its files says. A pattern that cannot be looked at keeps what its files said.
    async fn files(&self) -> (Vec<(String, Said)>, Vec<String>) {
        let (mut found, mut wrong) = (Vec::new(), Vec::new());
        for pattern in self.listing.files() {
            let wanted = pattern.clone();
            let work = FILES.run(pattern, move || all(&wanted));
            let Some(All { found: all, unseen }) = tokio::time::timeout(WITHIN, work).await.ok().flatten()
            else {
                wrong.push(format!("{pattern}: it could not be read within {} s", WITHIN.as_secs()));
                if let Ok(its) = glob::Pattern::new(pattern) {
                    found.extend(self.keeps(|place| its.matches_path(place)));
                }
                continue;
            };
            if all.is_empty() && unseen.is_empty() {
                wrong.push(format!("{pattern}: there is no such file"));
            }
            for (below, why) in &unseen {
                wrong.push(format!("{}: it cannot be looked at: {why}", below.display()));
                found.extend(self.keeps(|place| place.starts_with(below)));
            }
            if all.len() > MOST_FILES {
                wrong
                    .push(format!("{pattern}: it names more than {MOST_FILES} files: only so many are read"));
            }
            found.extend(all.into_iter().take(MOST_FILES));
        }
        (found, wrong)
    }

    /// What these places said last.
    fn keeps(&self, its: impl Fn(&Path) -> bool) -> Vec<(String, Said)> {
        let kept = self.kept.iter().filter(|(place, _)| its(Path::new(place)));
        kept.map(|(place, listed)| (place.clone(), Ok(Some(listed.clone())))).collect()
    }
}

/// What a pattern leads to.
#[derive(Default)]
struct All {
    /// Every file with what it says, and at most one more than are read.
    found: Vec<(String, Said)>,
    /// Folders that cannot be looked into, and why.
    unseen: Vec<(PathBuf, String)>,
}

/// Every file of a pattern. Blocking.
fn all(pattern: &str) -> All {
    let (mut paths, mut unseen) = (Vec::new(), Vec::new());
    for found in glob::glob(pattern).into_iter().flatten() {
        match found {
            Ok(path) => paths.push(path),
            Err(error) => unseen.push((error.path().to_path_buf(), error.error().to_string())),
        }
        if paths.len() > MOST_FILES {
            break;
        }
    }
    paths.sort();
    let found = paths.iter().map(|path| (path.display().to_string(), one(path))).collect();
    All { found, unseen }
}

fn one(path: &Path) -> Said {
    let told = |why: &str| format!("{}: {why}", path.display());
    let bytes = match bounded::bytes(path, BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(&format!("it cannot be read: {error}"))),
    };
    let text = String::from_utf8(bytes).map_err(|_| told("it is no text in UTF-8"))?;
    let yaml = path.extension().is_some_and(|end| end != "json");
    read(&text, yaml).map(Some).map_err(|why| told(&why))
}

/// What a command prints. Its arguments may hold a secret: they are not repeated.
async fn printed(program: &str, arguments: &[String]) -> Result<Vec<Listed>, String> {
    let mut command = Command::new(program);
    command.args(arguments);
    let name = program.rsplit('/').next().unwrap_or(program);
    let told = |why: String| format!("the command `{}`: {why}", tidy(name, COMPLAINT_CHARS));
    let ended = process::run(command, BYTES, WITHIN, Complaints::OfFailure).await;
    let Ended { status, printed, complaint } = ended.map_err(|fault| {
        told(match fault {
            Fault::NotStarted(error) => format!("it cannot be started: {error}"),
            Fault::Late => format!("it did not end within {} s and was stopped", WITHIN.as_secs()),
            Fault::TooLong(kib) => format!("it prints more than {kib} KiB"),
            Fault::Unread(error) => format!("what it prints cannot be read: {error}"),
        })
    })?;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint).into_owned();
        let line = complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let hidden = arguments.iter().map(String::as_str);
        let said = tidy(&crate::core::redact::said(line, hidden), COMPLAINT_CHARS);
        let said = if said.is_empty() { said } else { format!(": {said}") };
        return Err(told(format!("it ended with {status}{said}")));
    }
    let text = String::from_utf8(printed).map_err(|_| told("it prints no text in UTF-8".to_owned()))?;
    read(&text, false).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::discover::Surroundings;
    use crate::config::resolve::resolve;
    use crate::config::wishes::Wishes;

    /// The list of an entry that stands in a configuration in `folder`.
    fn list(folder: &Path, keys: &str) -> List {
        let path = folder.join("stacktop.toml");
        std::fs::write(&path, format!("[[discover]]\nname = \"shop\"\n{keys}\n")).unwrap();
        let wishes = Wishes { config: Some(path), ..Wishes::default() };
        let mut settings = resolve(&wishes, &Surroundings::empty(folder)).unwrap();
        List { settles: Duration::from_millis(5), ..List::new(settings.lists.remove(0)) }
    }

    async fn says(list: &mut List) -> (String, String) {
        let (listed, wrong) = list.look().await;
        let targets: Vec<&str> = listed.iter().flat_map(|some| &some.targets).map(String::as_str).collect();
        (targets.join(" "), wrong.join(" | "))
    }

    #[tokio::test]
    async fn a_file_that_is_broken_keeps_what_it_said_and_one_that_is_gone_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a.json", "[{\"targets\": [\"a:1\"]}]");
        write("b.json", "[{\"targets\": [\"b:1\", \"b:2\"]}]");
        write("c.yml", "- targets: [c:1]\n");
        let mut list = list(folder.path(), "files = [\"*.json\", \"*.yml\"]");
        assert_eq!(says(&mut list).await, ("a:1 b:1 b:2 c:1".to_owned(), String::new()));
        write("a.json", "[{\"targets\": [\"a:1\"");
        write("b.json", "[{\"targets\": [\"b:2\"]}]");
        std::fs::remove_file(folder.path().join("c.yml")).unwrap();
        let (targets, wrong) = says(&mut list).await;
        assert_eq!(targets, "a:1 b:2");
        assert!(wrong.contains("a.json: EOF while parsing a list at line 1 column 19"), "{wrong}");
        assert!(wrong.contains("*.yml: there is no such file"), "{wrong}");
    }

    #[tokio::test]
    async fn what_is_being_written_is_read_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yml");
        std::fs::write(&path, "- targets: [a:1]\n- targets: [b:1]\n").unwrap();
        let mut list = list(folder.path(), "files = [\"*.yml\"]");
        list.settles = Duration::from_millis(400);
        assert_eq!(says(&mut list).await.0, "a:1 b:1");
        // The half of it is a list, too.
        for half in ["", "- targets: [a:1]\n", "- targets: [a:1]\n- targ"] {
            std::fs::write(&path, half).unwrap();
            let whole = path.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(40)).await;
                std::fs::write(&whole, "- targets: [a:1]\n- targets: [b:1]\n").unwrap();
            });
            assert_eq!(says(&mut list).await, ("a:1 b:1".to_owned(), String::new()), "{half}");
        }
        std::fs::write(&path, "- targets: [b:1]\n").unwrap();
        assert_eq!(says(&mut list).await, ("b:1".to_owned(), String::new()));
        std::fs::write(&path, "").unwrap();
        let (targets, wrong) = says(&mut list).await;
        assert_eq!(targets, "b:1", "what is empty keeps what it said");
        assert!(wrong.contains("a.yml: it is empty"), "{wrong}");
    }

    #[tokio::test]
    async fn a_command_is_no_shell_and_its_arguments_are_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let of = |words: &str| list(folder.path(), &format!("command = [{words}]"));
        let mut echo = of(r#""echo", "[{\"targets\": [\"$HOME:1\"]}]""#);
        assert_eq!(says(&mut echo).await, ("$HOME:1".to_owned(), String::new()));
        let (targets, wrong) =
            says(&mut of(r#""sh", "-c", "echo bad token-4711 >&2; exit 3", "token-4711""#)).await;
        assert_eq!(targets, "");
        assert_eq!(wrong, "the command `sh`: it ended with exit status: 3: bad •••");
        let (_, wrong) = says(&mut of("\"/nowhere/list\", \"x\"")).await;
        assert_eq!(wrong, "the command `list`: it cannot be started: No such file or directory (os error 2)");
        let (_, wrong) = says(&mut of(r#""sh", "-c", "yes""#)).await;
        assert_eq!(wrong, "the command `sh`: it prints more than 4096 KiB");
    }
}
