//! Secrets: kept as where to find them, read only when a connection is made, never printed.

use crate::core::redact;
use crate::core::text::tidy;
use secrecy::SecretString;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitStatus;

/// A name that is longer is not a program's.
const PROGRAM_CHARS: usize = 32;
/// So much of a complaint is repeated.
const COMPLAINT_CHARS: usize = 160;
/// Shorter words are too common to be hidden, and too short to be a secret.
const HIDDEN_CHARS: usize = 4;

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
        return Err(failed(command, output.status, &output.stdout, &output.stderr));
    }
    Ok(first_line(&String::from_utf8_lossy(&output.stdout)))
}

/// The sentence for a command that failed.
///
/// It names the program, the exit status and the first line that it complained with, for "pass: no such entry" is what the operator
/// needs. Not the arguments, which may be a secret, and not the first word where the shell did not find such a program, which may be the
/// password itself. The complaint may repeat a secret: everything that the command was given (except paths and flags) or printed is hidden
/// in it, and so are logins, values behind telling names and words that look like keys.
fn failed(command: &str, status: ExitStatus, stdout: &[u8], stderr: &[u8]) -> String {
    // POSIX: what cannot be run, and what is not found.
    if matches!(status.code(), Some(126 | 127)) {
        return format!(
            "the password command cannot be run ({status}: there is no such program, or it may not be run); it is not repeated here, \
             for a password may stand in its place"
        );
    }
    let words = || command.split_whitespace();
    let program = words().find(|word| !word.contains('=')).and_then(|word| word.rsplit('/').next());
    let named = program.filter(|name| {
        name.len() <= PROGRAM_CHARS
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    });
    let what =
        named.map_or("the password command".to_owned(), |name| format!("the password command `{name} …`"));
    let printed = String::from_utf8_lossy(stdout);
    let given =
        words().filter(|word| !word.starts_with(['/', '-', '.', '~'])).filter(|word| Some(*word) != program);
    let hide = given
        .chain(printed.split_whitespace())
        .flat_map(|word| word.split(['=', '\'', '"', ';', '|', '&', '$', '(', ')', ':', '@', ',']))
        .filter(|part| part.chars().count() >= HIDDEN_CHARS);
    let complaint = String::from_utf8_lossy(stderr);
    let line = complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let said = tidy(&redact::said(line, hide), COMPLAINT_CHARS);
    if said.is_empty() {
        format!("{what} ended with {status}")
    } else {
        format!("{what} ended with {status}: {said}")
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: &str, expected: &str) {
        let error = Secret::Command(command.to_owned()).read().expect_err("it fails");
        assert_eq!(error, format!("the password command {expected}"));
    }

    #[test]
    fn a_command_that_fails_is_named_without_what_may_be_a_secret() {
        check(
            "cat /nowhere/pw",
            "`cat …` ended with exit status: 1: cat: /nowhere/pw: No such file or directory",
        );
        check("sh -c 'exit 3'", "`sh …` ended with exit status: 3");
        check(
            "TOKEN=hunter2 sh -c 'echo bad hunter2 >&2; exit 1'",
            "`sh …` ended with exit status: 1: bad •••",
        );
        check(
            "echo hunter2; echo no hunter2 now >&2; false",
            "`echo …` ended with exit status: 1: no ••• now",
        );
        check(
            "hunter2",
            "cannot be run (exit status: 127: there is no such program, or it may not be run); it is not repeated here, \
             for a password may stand in its place",
        );
    }
}
