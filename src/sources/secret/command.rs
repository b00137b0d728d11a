//! Runs a command that prints a secret. It ends with the last who wants its secret; who wants the same command at the same time gets what
//! it gives then.

use crate::config::bounded::{SECRET_BYTES, first_line};
use crate::config::command::SecretCommand;
use crate::core::redact;
use crate::core::text::tidy;
use crate::sources::process::{self, Complaints, Ended, Fault};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use secrecy::SecretString;
use std::collections::HashMap;
use std::process::ExitStatus;
use std::sync::{LazyLock, Mutex, PoisonError};
use tokio::process::Command;

/// A name that is longer is not a program's.
const PROGRAM_CHARS: usize = 32;
/// So much of a complaint is repeated.
const COMPLAINT_CHARS: usize = 160;
/// Shorter words are too common to be hidden, and too short to be a secret.
const HIDDEN_CHARS: usize = 4;

type Read = BoxFuture<'static, Result<SecretString, String>>;

/// What runs now, by its text: one process for each command of the configuration, and no more. Nothing here keeps it running.
static RUNNING: LazyLock<Mutex<HashMap<String, WeakShared<Read>>>> = LazyLock::new(Mutex::default);

/// What `command` gives, within its limit.
///
/// # Errors
/// A sentence that blames the command, without what may be a secret.
pub(super) async fn read(command: &SecretCommand) -> Result<SecretString, String> {
    let run = running(command);
    tokio::time::timeout(command.limit(), run).await.unwrap_or_else(|_| Err(late(command)))
}

/// The run that is under way, or a new one. It ends with the last that waits for it, or after its own limit: those who join must not keep
/// alive what hangs.
fn running(command: &SecretCommand) -> Shared<Read> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.retain(|_, run| run.upgrade().is_some_and(|run| run.peek().is_none()));
    if let Some(run) = running.get(command.text()).and_then(WeakShared::upgrade) {
        return run;
    }
    let wanted = command.clone();
    let run = async move { alone(&wanted).await }.boxed().shared();
    running.extend(run.downgrade().map(|weak| (command.text().to_owned(), weak)));
    run
}

async fn alone(command: &SecretCommand) -> Result<SecretString, String> {
    let text = command.text();
    let what = || named(text).0;
    let mut shell = Command::new("sh");
    shell.args(["-c", text]);
    match process::run(shell, SECRET_BYTES, command.limit(), Complaints::OfFailure).await {
        Err(Fault::NotStarted(error)) => Err(format!("the password command cannot be started: {error}")),
        Err(Fault::Late) => Err(late(command)),
        Err(Fault::Unread(error)) => Err(format!("{}: {error}", what())),
        Err(Fault::TooLong(kib)) => {
            Err(format!("{}: it prints more than {kib} KiB, which no secret has", what()))
        }
        Ok(Ended { status, printed, complaint }) if !status.success() => {
            Err(failed(text, status, &printed, &complaint))
        }
        Ok(Ended { printed, .. }) => {
            first_line(&printed).ok_or_else(|| format!("{} printed no secret in its first line", what()))
        }
    }
}

fn late(command: &SecretCommand) -> String {
    format!(
        "{} did not end within {:.1} s and was stopped; it must print the secret and end (what it would ask for cannot be answered here)",
        named(command.text()).0,
        command.limit().as_secs_f64()
    )
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
    let (what, program) = named(command);
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

/// The words for a command, and its program if that can be named.
fn named(command: &str) -> (String, Option<&str>) {
    let program = command.split_whitespace().find(|word| !word.contains('='));
    let program = program.and_then(|word| word.rsplit('/').next());
    let fit = program.filter(|name| {
        name.len() <= PROGRAM_CHARS
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    });
    (
        fit.map_or("the password command".to_owned(), |name| format!("the password command `{name} …`")),
        program,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::path::Path;
    use std::time::Duration;

    async fn secret(command: &str, timeout: f64) -> Result<String, String> {
        let secret = read(&SecretCommand::new(command, Duration::from_secs_f64(timeout))).await?;
        Ok(secret.expose_secret().to_owned())
    }

    async fn secret_of(command: String) -> Result<String, String> {
        secret(&command, 60.0).await
    }

    async fn check(command: &str, expected: &str) {
        let error = secret(command, 4.0).await.expect_err("it fails");
        assert_eq!(error, format!("the password command {expected}"));
    }

    #[tokio::test]
    async fn a_command_that_fails_is_named_without_what_may_be_a_secret() {
        check(
            "cat /nowhere/pw",
            "`cat …` ended with exit status: 1: cat: /nowhere/pw: No such file or directory",
        )
        .await;
        check("sh -c 'exit 3'", "`sh …` ended with exit status: 3").await;
        check(
            "TOKEN=hunter2 sh -c 'echo bad hunter2 >&2; exit 1'",
            "`sh …` ended with exit status: 1: bad •••",
        )
        .await;
        check(
            "echo hunter2; echo no hunter2 now >&2; false",
            "`echo …` ended with exit status: 1: no ••• now",
        )
        .await;
        check(
            "hunter2",
            "cannot be run (exit status: 127: there is no such program, or it may not be run); it is not repeated here, \
             for a password may stand in its place",
        )
        .await;
    }

    /// Whether the process whose number `file` holds is still there.
    fn runs(file: &Path) -> bool {
        let pid = std::fs::read_to_string(file).unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        // A child that nobody waits for any more is over all the same.
        !status.is_empty() && !status.contains(") Z ")
    }

    async fn gone(file: &Path) {
        for _ in 0..100 {
            if !runs(file) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it still runs");
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_blamed_and_all_that_it_started_ends() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let hangs = format!("sleep 1000 & echo $! > {}; wait", file.display());
        let error = secret(&hangs, 0.4).await.unwrap_err();
        assert!(error.contains("password command `sleep …` did not end within 0.3 s"), "{error}");
        gone(&file).await;
        let endless = format!("yes | tr -d '\\n' & echo $! > {}; wait", file.display());
        let error = secret(&endless, 4.0).await.unwrap_err();
        assert!(error.contains("prints more than 64 KiB"), "{error}");
        gone(&file).await;
        assert!(
            secret("exec 2>/dev/full; echo", 4.0).await.unwrap_err().contains("no secret in its first line")
        );
        assert_eq!(
            secret("sleep 5 >/dev/null & echo pw; yes complaint | head -c 200000 >&2", 4.0).await.unwrap(),
            "pw"
        );
    }

    #[tokio::test]
    async fn who_asks_at_once_shares_what_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        let text = format!("echo x >> {0}; sleep 0.3; wc -l < {0}", count.display());
        // Of different targets, with different timeouts.
        let ask = |timeout: f64| secret(&text, timeout);
        let all = futures_util::future::join_all([4.0, 4.0, 3.0, 6.0, 5.0].map(ask)).await;
        let all: Vec<String> = all.into_iter().map(|one| one.unwrap().trim().to_owned()).collect();
        assert_eq!(all, ["1"; 5], "one command for all five");
        assert_eq!(secret(&text, 4.0).await.unwrap().trim(), "2", "and a new one afterwards");
    }

    #[tokio::test]
    async fn it_ends_with_the_last_who_waits() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let text = format!("sleep 1000 & echo $! > {}; wait", file.display());
        let (one, two) = (tokio::spawn(secret_of(text.clone())), tokio::spawn(secret_of(text)));
        while std::fs::read_to_string(&file).unwrap_or_default().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        one.abort();
        assert!(one.await.unwrap_err().is_cancelled());
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(runs(&file), "somebody waits");
        two.abort();
        assert!(two.await.unwrap_err().is_cancelled());
        gone(&file).await;
    }
}
