//! Secrets: kept as where to find them, read only when a connection is made (and again after a refusal), never printed.

use super::bounded::{self, SECRET_BYTES};
use super::command::SecretCommand;
use crate::config::bounded::first_line;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret comes from. `Debug` never shows the secret itself.
#[derive(Clone)]
pub enum Secret {
    /// It stood in a URL or in the environment.
    Inline(SecretString),
    /// The first line of this file.
    File(PathBuf),
    /// The first line that this command prints (run by `sh -c`).
    Command(SecretCommand),
    /// A password file's entry for these: host, port, database, user.
    Passfile(PathBuf, [String; 4]),
}

impl Secret {
    /// A secret that is already known.
    #[must_use]
    pub fn inline(text: impl Into<String>) -> Self {
        Self::Inline(SecretString::from(text.into()))
    }

    /// Whether reading it again may give another one: tokens rotate.
    #[must_use]
    pub const fn may_change(&self) -> bool {
        match self {
            Self::Inline(_) => false,
            Self::File(_) | Self::Command(_) | Self::Passfile(..) => true,
        }
    }
}

/// What opens a key that is encrypted, where it stands in the configuration itself.
#[derive(Clone, Debug)]
pub struct Passphrase(pub SecretString);

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

/// The first line of this file. Blocking, within limits of time and of bytes: call it off the event loop.
///
/// # Errors
/// A sentence that names the file, never what it held.
pub fn in_file(path: &Path) -> Result<SecretString, String> {
    let shown = path.display();
    let bytes = bounded::bytes(path, SECRET_BYTES)
        .map_err(|error| format!("the file {shown} with the secret cannot be read: {error}"))?;
    first_line(&bytes).ok_or_else(|| format!("the file {shown} holds no secret in its first line"))
}

/// Whether it is found at the same place; of one that stands there itself, whether it is the same.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Inline(a), Self::Inline(b)) => a.expose_secret() == b.expose_secret(),
            (Self::File(a), Self::File(b)) => a == b,
            (Self::Command(a), Self::Command(b)) => a == b,
            (Self::Passfile(a, b), Self::Passfile(c, d)) => (a, b) == (c, d),
            (Self::Inline(_) | Self::File(_) | Self::Command(_) | Self::Passfile(..), _) => false,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("Inline([REDACTED])"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Command(_) => f.write_str("Command([REDACTED])"),
            Self::Passfile(path, _) => write!(f, "Passfile({})", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_file_is_the_secret_and_is_read_each_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = || in_file(file.path());
        assert!(read().unwrap_err().contains("holds no secret in its first line"));
        for text in ["one\n", "two\r\nthree\n", "four"] {
            std::fs::write(file.path(), text).unwrap();
            assert_eq!(read().unwrap().expose_secret(), text.lines().next().unwrap());
        }
        for (place, expected) in [("/dev/zero", "larger than 64 KiB"), ("/", "a folder")] {
            let error = in_file(Path::new(place)).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
