//! A text in the operator's own editor: the terminal is the editor's until it ends.

use super::signals::{Caught, Signals};
use super::{input, terminal};
use std::fs::OpenOptions;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An edited text is read to this size.
const MOST_BYTES: u64 = 1024 * 1024;
/// So long the thread that reads keys has to leave the terminal alone.
const ALONE_WITHIN: Duration = Duration::from_secs(2);

/// How it ended.
pub(super) enum Edited {
    /// The text, or why there is none.
    Text(Result<String, String>),
    /// A signal ends the program.
    Signal(i32),
}

/// Removes the file, whatever happens.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Opens `text` in `$VISUAL`, `$EDITOR` or vi, and waits until that ends. The terminal is not taken again here.
pub(super) async fn edit(text: &str, signals: &mut Signals) -> Edited {
    let _quiet = input::Quiet::keep(ALONE_WITHIN).await;
    terminal::leave();
    let file = match write(text) {
        Ok(file) => file,
        Err(error) => return Edited::Text(Err(format!("no file for the editor can be made: {error}"))),
    };
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    // As git does it: the variable may hold arguments, and the shell finds the program.
    let child = tokio::process::Command::new("sh")
        .arg("-c")
        .arg(format!("{editor} \"$@\""))
        .arg(&editor)
        .arg(&file.0)
        .kill_on_drop(true)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return Edited::Text(Err(format!("`{editor}` cannot be started: {error}"))),
    };
    signals.lend(true);
    let ended = loop {
        tokio::select! {
            ended = child.wait() => break Ok(ended),
            caught = signals.next() => match caught {
                Caught::End(number) => break Err(number),
                Caught::Stop | Caught::Continue => {}
            },
        }
    };
    signals.lend(false);
    let ended = match ended {
        Ok(ended) => ended,
        Err(number) => return Edited::Signal(number),
    };
    Edited::Text(match ended {
        Ok(status) if status.success() => read(&file.0),
        Ok(status) => Err(format!("nothing was taken over: `{editor}` ended with {status} (set $EDITOR)")),
        Err(error) => Err(format!("nothing was taken over: {error}")),
    })
}

/// A new file that only we can read: data of jobs can be secret.
fn write(text: &str) -> std::io::Result<File> {
    // A name that nobody can have taken before.
    let chance = RandomState::new().build_hasher().finish();
    let path = std::env::temp_dir().join(format!("stacktop-{}-{chance:016x}.json", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    let kept = File(path);
    file.write_all(text.as_bytes())?;
    Ok(kept)
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text));
    match read {
        Ok(_) if text.len() as u64 > MOST_BYTES => {
            Err("nothing was taken over: the text is larger than 1 MiB".to_owned())
        }
        Ok(_) => Ok(text),
        Err(error) => Err(format!("nothing was taken over: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_text_comes_back_as_it_was_written() {
        let file = write("{\"to\": \"ann\"}\n").expect("a file");
        assert_eq!(read(&file.0), Ok("{\"to\": \"ann\"}\n".to_owned()));
    }

    #[test]
    fn only_we_can_read_the_file() {
        let file = write("secret").expect("a file");
        let mode = std::fs::metadata(&file.0).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_file_is_gone_when_nobody_needs_it() {
        let file = write("secret").expect("a file");
        let path = file.0.clone();
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn two_texts_have_two_files() {
        let (one, other) = (write("one").expect("a file"), write("two").expect("a file"));
        assert_ne!(one.0, other.0);
        assert_eq!(read(&one.0), Ok("one".to_owned()));
    }

    #[test]
    fn editors_know_by_the_name_what_it_is() {
        let file = write("{}").expect("a file");
        assert_eq!(file.0.extension().and_then(std::ffi::OsStr::to_str), Some("json"));
    }

    #[test]
    fn a_text_of_the_largest_size_is_taken_over() {
        let file = write(&"x".repeat(1024 * 1024)).expect("a file");
        assert_eq!(read(&file.0).map(|text| text.len()), Ok(1024 * 1024));
    }

    #[test]
    fn a_larger_text_is_not() {
        let file = write(&"x".repeat(1024 * 1024 + 1)).expect("a file");
        assert_eq!(read(&file.0), Err("nothing was taken over: the text is larger than 1 MiB".to_owned()));
    }

    #[test]
    fn what_is_no_text_is_not_taken_over() {
        let file = write("").expect("a file");
        std::fs::write(&file.0, [0xff, 0xfe]).expect("written");
        let found = read(&file.0).expect_err("it is no text");
        assert!(found.starts_with("nothing was taken over: "), "{found}");
    }

    #[test]
    fn a_file_that_the_editor_removed_is_told() {
        let file = write("x").expect("a file");
        std::fs::remove_file(&file.0).expect("removed");
        let found = read(&file.0).expect_err("it is gone");
        assert!(found.starts_with("nothing was taken over: "), "{found}");
    }
}
