//! Copying over SSH: tmux's own buffer inside tmux, else the terminal's clipboard by OSC 52. The operator is told which.

use ratatui::crossterm::ExecutableCommand;
use ratatui::crossterm::clipboard::CopyToClipboard;
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// What terminals take at most in one OSC 52 sequence, in bytes before encoding.
const LIMIT_BYTES: usize = 74_000;

/// Copies `text` and says in a sentence what was done.
#[must_use]
pub fn copy(text: &str) -> String {
    let shown: String = text.chars().take(40).collect();
    if text.len() > LIMIT_BYTES {
        return format!("too long for a clipboard ({} bytes)", text.len());
    }
    if std::env::var_os("TMUX").is_some() && tmux(text).is_ok() {
        return format!("copied to tmux's buffer and clipboard: {shown}");
    }
    match io::stdout().execute(CopyToClipboard::to_clipboard_from(text)) {
        Ok(_) => format!("sent to the terminal's clipboard (if it permits OSC 52): {shown}"),
        Err(error) => format!("could not be copied: {error}"),
    }
}

fn tmux(text: &str) -> io::Result<()> {
    let mut child = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes())?;
    }
    if child.wait()?.success() { Ok(()) } else { Err(io::Error::other("tmux refused it")) }
}
