//! A command as a process of its own: in a group of its own, killed with whoever wants what it prints, within limits of time and of bytes.

use futures_util::future::{Either, select};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

/// So much is kept of what it complains.
const COMPLAINT_BYTES: usize = 4096;
/// A complaint is waited for no longer, once the command itself has ended: what it left running may hold that end open.
const COMPLAINT_WITHIN: Duration = Duration::from_millis(500);

/// What a command left.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub printed: Vec<u8>,
    /// The beginning of what it complained.
    pub complaint: Vec<u8>,
}

/// What is wanted of what a command writes where complaints go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaints {
    /// The beginning, where it ends badly.
    OfFailure,
    /// All of it, within the same limit of bytes: what was asked for may stand there.
    All,
}

/// Why nothing is known of what it would have printed.
#[derive(Debug)]
pub enum Fault {
    /// It cannot be started.
    NotStarted(io::Error),
    /// It did not end in time, and was stopped.
    Late,
    /// It prints more than so many KiB, and was stopped.
    TooLong(usize),
    /// What it prints cannot be read.
    Unread(io::Error),
}

/// Runs `command` until it ends: no longer than `within`, and for no more than `most` bytes. It is stopped with all that it started when
/// this is given up.
///
/// # Errors
/// When it did not end by itself.
pub async fn run(
    mut command: Command,
    most: usize,
    within: Duration,
    complaints: Complaints,
) -> Result<Ended, Fault> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Whatever it starts is in its group and ends with it; and it does not get at the terminal.
        .process_group(0)
        .spawn()
        .map_err(Fault::NotStarted)?;
    tokio::time::timeout(within, wait(Group(child), most, complaints)).await.unwrap_or(Err(Fault::Late))
}

/// A command with all that it has started. What it leaves behind when it ends by itself is left alone: its number may be another's then.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // There is no number any more once its end was seen.
        if let Some(group) = self.0.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Reads what it prints, and waits for its end.
async fn wait(mut group: Group, most: usize, wanted: Complaints) -> Result<Ended, Fault> {
    let (stdout, stderr) = (group.0.stdout.take(), group.0.stderr.take());
    let kept = Mutex::new(Vec::new());
    let room = match wanted {
        Complaints::OfFailure => COMPLAINT_BYTES,
        // One more tells that it is too long.
        Complaints::All => most + 1,
    };
    let ending = pin!(async {
        let printed = print(stdout, most).await?;
        Ok((group.0.wait().await.map_err(Fault::Unread)?, printed))
    });
    let ended: Result<(ExitStatus, Vec<u8>), Fault> =
        match select(ending, pin!(complain(stderr, &kept, room))).await {
            Either::Right(((), ending)) => ending.await,
            Either::Left((ended, complaining)) => {
                let wanted = |status: &ExitStatus| wanted == Complaints::All || !status.success();
                if ended.as_ref().is_ok_and(|(status, _)| wanted(status)) {
                    let _ = tokio::time::timeout(COMPLAINT_WITHIN, complaining).await;
                }
                ended
            }
        };
    let (status, printed) = ended?;
    let complaint = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
    if status.success() && complaint.len() > most {
        return Err(Fault::TooLong(most / 1024));
    }
    Ok(Ended { status, printed, complaint })
}

async fn print(stdout: Option<ChildStdout>, most: usize) -> Result<Vec<u8>, Fault> {
    let mut printed = Vec::new();
    if let Some(stdout) = stdout {
        stdout.take(most as u64 + 1).read_to_end(&mut printed).await.map_err(Fault::Unread)?;
    }
    if printed.len() > most { Err(Fault::TooLong(most / 1024)) } else { Ok(printed) }
}

/// Takes all that it complains, or it would wait for somebody who reads; the beginning is kept.
async fn complain(stderr: Option<ChildStderr>, kept: &Mutex<Vec<u8>>, most: usize) {
    let Some(mut stderr) = stderr else { return };
    let mut part = [0; COMPLAINT_BYTES];
    while let Ok(count @ 1..) = stderr.read(&mut part).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let room = most.saturating_sub(kept.len());
        kept.extend_from_slice(&part[..count.min(room)]);
    }
}
