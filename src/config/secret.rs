//! Secrets: kept as where to find them, read only when a connection is made, never printed.

use secrecy::SecretString;
use std::fmt;
use std::path::PathBuf;

/// Where a secret comes from. `Debug` never shows the secret itself.
#[derive(Clone)]
pub enum Secret {
    /// It stood in a URL or in the environment.
    Inline(SecretString),
    /// The first line of this file.
    File(PathBuf),
    /// The first line that this command prints (run by `sh -c`).
    Command(String),
}

impl Secret {
    /// A secret that is already known.
    #[must_use]
    pub fn inline(text: impl Into<String>) -> Self {
        Self::Inline(SecretString::from(text.into()))
    }

    /// Reads it. Blocking: call it off the event loop.
    ///
    /// # Errors
    /// A sentence that names the file or the command, never what it held.
    pub fn read(&self) -> Result<SecretString, String> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::File(path) => std::fs::read_to_string(path)
                .map(|text| first_line(&text))
                .map_err(|error| format!("the password file {} cannot be read: {error}", path.display())),
            Self::Command(command) => run(command),
        }
    }
}

fn run(command: &str) -> Result<SecretString, String> {
    let output = std::process::Command::new("sh")
        .args(["-c", command])
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| format!("the password command cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("the password command `{command}` ended with {}", output.status));
    }
    Ok(first_line(&String::from_utf8_lossy(&output.stdout)))
}

fn first_line(text: &str) -> SecretString {
    SecretString::from(text.lines().next().unwrap_or_default().to_owned())
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("Inline([REDACTED])"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Command(_) => f.write_str("Command([REDACTED])"),
        }
    }
}
