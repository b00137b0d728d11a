//! Copying over SSH: tmux's own buffer inside tmux, else the terminal's clipboard by OSC 52. The operator is told which.

use ratatui::crossterm::ExecutableCommand;
use ratatui::crossterm::clipboard::CopyToClipboard;
use std::io;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// What terminals take at most in one OSC 52 sequence, in bytes before encoding.
const LIMIT_BYTES: usize = 74_000;
/// A tmux that has not taken it by then hangs, and ends.
const TMUX_WITHIN: Duration = Duration::from_secs(2);

/// Copies `text` and says in a sentence what was done.
pub async fn copy(text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    if text.len() > LIMIT_BYTES {
        return format!("too long for a clipboard ({} bytes)", text.len());
    }
    if std::env::var_os("TMUX").is_some()
        && tokio::time::timeout(TMUX_WITHIN, tmux(text)).await.is_ok_and(|taken| taken.is_ok())
    {
        return format!("copied to tmux's buffer and clipboard: {shown}");
    }
    // A terminal that takes nothing holds up the one who writes: that is none of the threads that answer.
    let sequence = CopyToClipboard::to_clipboard_from(text.to_owned());
    let written = tokio::task::spawn_blocking(move || io::stdout().execute(sequence).map(|_| ()));
    match written.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(()) => format!("sent to the terminal's clipboard (if it permits OSC 52): {shown}"),
        Err(error) => format!("could not be copied: {error}"),
    }
}

async fn tmux(text: &str) -> io::Result<()> {
    let mut child = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes()).await?;
    }
    if child.wait().await?.success() { Ok(()) } else { Err(io::Error::other("tmux refused it")) }
}
