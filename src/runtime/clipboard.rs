//! Copying over SSH: tmux's own buffer inside tmux, else the terminal's clipboard by OSC 52. The operator is told which; what neither takes
//! is for a file.

use crossterm::ExecutableCommand;
use crossterm::clipboard::CopyToClipboard;
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
///
/// # Errors
/// Why no clipboard takes it, in a sentence.
pub async fn copy(text: &str) -> Result<String, String> {
    let tmux = std::env::var_os("TMUX").map(|_| "tmux");
    copy_to(text, tmux, io::stdout()).await
}

/// The same with this program as tmux, if we are inside one, and this terminal.
async fn copy_to(
    text: &str,
    tmux: Option<&str>,
    mut terminal: impl io::Write + Send + 'static,
) -> Result<String, String> {
    let shown: String = text.chars().take(40).collect();
    if text.len() > LIMIT_BYTES {
        return Err(format!("too long for a clipboard ({} bytes)", text.len()));
    }
    if let Some(program) = tmux
        && tokio::time::timeout(TMUX_WITHIN, load(program, text)).await.is_ok_and(|taken| taken.is_ok())
    {
        return Ok(format!("copied to tmux's buffer and clipboard: {shown}"));
    }
    // A terminal that takes nothing holds up the one who writes: that is none of the threads that answer.
    let sequence = CopyToClipboard::to_clipboard_from(text.to_owned());
    let written = tokio::task::spawn_blocking(move || terminal.execute(sequence).map(|_| ()));
    match written.await.unwrap_or_else(|error| Err(io::Error::other(error))) {
        Ok(()) => Ok(format!("sent to the terminal's clipboard (if it permits OSC 52): {shown}")),
        Err(error) => Err(format!("could not be copied: {error}")),
    }
}

async fn load(tmux: &str, text: &str) -> io::Result<()> {
    let mut child = Command::new(tmux)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// A terminal that keeps what is written to it.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Kept {
        fn text(&self) -> String {
            String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
        }
    }

    /// A terminal that takes nothing.
    struct Gone;

    impl io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("it is gone"))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_terminal_gets_the_text_encoded() {
        let terminal = Kept::default();
        let said = copy_to("4711", None, terminal.clone()).await.unwrap();
        assert_eq!(terminal.text(), "\u{1b}]52;c;NDcxMQ==\u{1b}\\");
        assert_eq!(said, "sent to the terminal's clipboard (if it permits OSC 52): 4711");
    }

    #[tokio::test]
    async fn what_a_server_put_into_the_text_cannot_end_the_sequence() {
        let terminal = Kept::default();
        copy_to("a\u{7}\u{1b}\\b\u{1b}]0;title", None, terminal.clone()).await.unwrap();
        let text = terminal.text();
        assert_eq!((text.matches('\u{1b}').count(), text.contains('\u{7}')), (2, false), "{text:?}");
    }

    #[tokio::test]
    async fn as_much_as_a_terminal_takes_is_copied() {
        let terminal = Kept::default();
        let said = copy_to(&"x".repeat(LIMIT_BYTES), None, terminal.clone()).await.unwrap();
        assert!(
            said.starts_with("sent to the terminal's clipboard") && !terminal.text().is_empty(),
            "{said}"
        );
    }

    #[tokio::test]
    async fn more_than_that_is_not_sent_at_all() {
        let terminal = Kept::default();
        let said = copy_to(&"x".repeat(LIMIT_BYTES + 1), None, terminal.clone()).await.unwrap_err();
        assert_eq!(said, "too long for a clipboard (74001 bytes)");
        assert_eq!(terminal.text(), "");
    }

    #[tokio::test]
    async fn of_a_long_text_the_sentence_shows_the_beginning() {
        let said = copy_to(&"é".repeat(100), None, Kept::default()).await.unwrap();
        assert!(said.ends_with(&format!(": {}", "é".repeat(40))), "{said}");
    }

    #[tokio::test]
    async fn a_terminal_that_takes_nothing_is_told() {
        assert_eq!(copy_to("4711", None, Gone).await.unwrap_err(), "could not be copied: it is gone");
    }

    #[tokio::test]
    async fn inside_tmux_its_buffer_takes_the_text_and_the_terminal_gets_nothing() {
        let terminal = Kept::default();
        // It reads what it is given, and succeeds where that holds its own first argument.
        let said = copy_to("load-buffer", Some("grep"), terminal.clone()).await.unwrap();
        assert_eq!(
            (said.as_str(), terminal.text()),
            ("copied to tmux's buffer and clipboard: load-buffer", String::new())
        );
    }

    #[tokio::test]
    async fn where_tmux_refuses_the_terminal_is_asked() {
        let terminal = Kept::default();
        let said = copy_to("4711", Some("false"), terminal.clone()).await.unwrap();
        assert!(
            said.starts_with("sent to the terminal's clipboard") && terminal.text().contains("NDcxMQ=="),
            "{said}"
        );
    }

    #[tokio::test]
    async fn where_there_is_no_tmux_the_terminal_is_asked() {
        let said = copy_to("4711", Some("/nonexistent/tmux"), Kept::default()).await.unwrap();
        assert!(said.starts_with("sent to the terminal's clipboard"), "{said}");
    }
}
