//! Runs a command that prints a secret, within limits of time and of bytes; nothing of it is left behind.

use crate::core::redact;
use crate::core::text::tidy;
use rustix::process::{Pid, Signal, kill_process_group};
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use super::bounded::SECRET_BYTES;

/// No command may take longer, whatever the target's timeout is.
const LONGEST: Duration = Duration::from_secs(5);
/// Of the target's timeout a command gets this share: its own limit comes first, so that the command is blamed and not the server.
const SHARE: f64 = 0.75;
/// So much is kept of what it complains.
const COMPLAINT_BYTES: u64 = 4096;
/// A name that is longer is not a program's.
const PROGRAM_CHARS: usize = 32;
/// So much of a complaint is repeated.
const COMPLAINT_CHARS: usize = 160;
/// Shorter words are too common to be hidden, and too short to be a secret.
const HIDDEN_CHARS: usize = 4;

/// The process groups that run now.
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A command, run by `sh -c`.
#[derive(Clone)]
pub struct SecretCommand(Arc<Inner>);

impl std::fmt::Debug for SecretCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[REDACTED]")
    }
}

struct Inner {
    text: String,
    limit: Duration,
    /// How often it has ended.
    ended: AtomicU64,
    /// What came of it the last time. Held while it runs.
    last: Mutex<Option<Result<SecretString, String>>>,
}

impl SecretCommand {
    /// A command of a target with this timeout.
    #[must_use]
    pub fn new(text: &str, timeout: Duration) -> Self {
        Self(Arc::new(Inner {
            text: text.to_owned(),
            limit: timeout.mul_f64(SHARE).min(LONGEST),
            ended: AtomicU64::new(0),
            last: Mutex::default(),
        }))
    }

    /// Runs it. Who asks while it runs gets what it gives then. Blocking, within the limit.
    ///
    /// # Errors
    /// A sentence that blames the command, without what may be a secret.
    pub fn read(&self) -> Result<SecretString, String> {
        let Inner { text, limit, ended, last } = &*self.0;
        let seen = ended.load(Ordering::Acquire);
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(result) if ended.load(Ordering::Acquire) != seen => result.clone(),
            _ => {
                let result = run(text, *limit);
                *last = Some(result.clone());
                ended.fetch_add(1, Ordering::Release);
                result
            }
        }
    }
}

/// Ends every command that runs now: stacktop ends.
pub fn stop_all() {
    let running = std::mem::take(&mut *RUNNING.lock().unwrap_or_else(PoisonError::into_inner));
    running.into_iter().for_each(kill);
}

fn kill(group: i32) {
    if let Some(group) = Pid::from_raw(group) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Ends what runs in the group, unless it ended by itself.
fn stop(group: i32) {
    if RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&group) {
        kill(group);
    }
}

/// What a command left: its status, what it printed and what it complained.
type Ended = io::Result<(ExitStatus, Vec<u8>, Vec<u8>)>;

fn run(command: &str, limit: Duration) -> Result<SecretString, String> {
    let child = std::process::Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Whatever it starts is in its group and ends with it; and it does not get at the terminal.
        .process_group(0)
        .spawn()
        .map_err(|error| format!("the password command cannot be started: {error}"))?;
    let group = child.id().cast_signed();
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).insert(group);
    let (sender, ended) = mpsc::channel();
    // A thread: its reads end with the group.
    std::thread::spawn(move || {
        let ended = wait(child);
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).remove(&group);
        let _ = sender.send(ended);
    });
    let result = ended.recv_timeout(limit);
    stop(group);
    let what = || named(command).0;
    match result {
        Err(_) => Err(format!(
            "{} did not end within {:.1} s and was stopped; it must print the secret and end (what it would ask for cannot be answered here)",
            what(),
            limit.as_secs_f64()
        )),
        Ok(Err(error)) => Err(format!("{}: {error}", what())),
        Ok(Ok((status, stdout, stderr))) if !status.success() => {
            Err(failed(command, status, &stdout, &stderr))
        }
        Ok(Ok((_, stdout, _))) => match super::bounded::first_line(&stdout) {
            Some(secret) => Ok(secret),
            None => Err(format!("{} printed no secret in its first line", what())),
        },
    }
}

/// Reads what it prints, within the limits, and waits for its end.
fn wait(mut child: Child) -> Ended {
    let stderr = child.stderr.take();
    let complaining = std::thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = stderr.by_ref().take(COMPLAINT_BYTES).read_to_end(&mut kept);
            // The rest is taken, or it would wait for somebody who reads.
            let _ = io::copy(&mut stderr, &mut io::sink());
        }
        kept
    });
    let mut printed = Vec::new();
    if let Some(stdout) = &mut child.stdout {
        stdout.take(SECRET_BYTES as u64 + 1).read_to_end(&mut printed)?;
    }
    if printed.len() > SECRET_BYTES {
        let group = child.id().cast_signed();
        stop(group);
        let _ = child.wait();
        return Err(io::Error::other(format!(
            "it prints more than {} KiB, which no secret has",
            SECRET_BYTES / 1024
        )));
    }
    let status = child.wait()?;
    // What it left running may hold its end open; of a success no complaint is needed.
    let complaint = if status.success() { Vec::new() } else { complaining.join().unwrap_or_default() };
    Ok((status, printed, complaint))
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

    fn read(command: &str, timeout: f64) -> Result<String, String> {
        let secret = SecretCommand::new(command, Duration::from_secs_f64(timeout)).read()?;
        Ok(secret.expose_secret().to_owned())
    }

    #[track_caller]
    fn check(command: &str, expected: &str) {
        let error = read(command, 4.0).expect_err("it fails");
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

    /// Whether the process whose number `file` holds is still there.
    fn runs(file: &Path) -> bool {
        let pid = std::fs::read_to_string(file).unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        // A child that nobody waits for any more is over all the same.
        !status.is_empty() && !status.contains(") Z ")
    }

    #[track_caller]
    fn gone(file: &Path) {
        for _ in 0..100 {
            if !runs(file) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it still runs");
    }

    #[test]
    fn a_command_that_hangs_is_blamed_and_all_that_it_started_ends() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let hangs = format!("sleep 1000 & echo $! > {}; wait", file.display());
        let error = read(&hangs, 0.4).unwrap_err();
        assert!(error.contains("password command `sleep …` did not end within 0.3 s"), "{error}");
        gone(&file);
        let endless = format!("yes | tr -d '\\n' & echo $! > {}; wait", file.display());
        let error = read(&endless, 4.0).unwrap_err();
        assert!(error.contains("prints more than 64 KiB"), "{error}");
        gone(&file);
        assert!(read("exec 2>/dev/full; echo", 4.0).unwrap_err().contains("no secret in its first line"));
        assert_eq!(
            read("sleep 5 >/dev/null & echo pw; yes complaint | head -c 200000 >&2", 4.0).unwrap(),
            "pw"
        );
    }

    #[test]
    fn who_asks_at_once_shares_what_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        let text = format!("echo x >> {0}; sleep 0.3; wc -l < {0}", count.display());
        let command = SecretCommand::new(&text, Duration::from_secs(4));
        let all: Vec<String> = std::thread::scope(|scope| {
            let ask = || scope.spawn(|| command.read().unwrap().expose_secret().trim().to_owned());
            let asked: Vec<_> = (0..5).map(|_| ask()).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        assert_eq!(all, ["1"; 5], "one command for all five");
        assert_eq!(command.read().unwrap().expose_secret().trim(), "2", "and a new one afterwards");
    }
}
