//! Asks a container engine over its socket: HTTP/1.0, one question a connection, within limits of bytes and of time. It only reads.

use crate::config::surroundings::Surroundings;
use serde::de::DeserializeOwned;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// An engine of this machine begins to answer, and goes on, within this time, or not while somebody waits for the first screen.
const PATIENCE: Duration = Duration::from_millis(700);
/// An answer comes in no more pieces.
const MOST_PIECES: usize = 2048;
/// A thousand containers are listed in this many bytes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A socket that somebody listens on.
pub(super) struct Engine {
    pub(super) socket: PathBuf,
}

/// What is said of one that does not answer in time.
pub(super) const SILENT: &str = "it does not answer within";

impl Engine {
    /// The engine of this machine; none where there is no socket. `DOCKER_HOST` names another one.
    ///
    /// # Errors
    /// When that is no socket of this machine.
    pub(super) fn of(around: &Surroundings) -> Result<Option<Self>, String> {
        let named = around.var("DOCKER_HOST");
        let sockets = match named.as_deref().map(|host| host.split_once("://").unwrap_or(("", host))) {
            None => around.engines(),
            Some(("unix", path)) => vec![PathBuf::from(path)],
            Some((scheme, _)) => {
                let scheme = if scheme.is_empty() { "no socket" } else { scheme };
                return Err(format!(
                    "DOCKER_HOST is {scheme}: containers elsewhere are not looked at; name their servers in a configuration"
                ));
            }
        };
        let socket = sockets.into_iter().find(|socket| socket.exists());
        Ok(socket.map(|socket| Self { socket }))
    }

    /// What it answers to `path`.
    ///
    /// # Errors
    /// A sentence with the socket and what would mend it.
    pub(super) fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<T, String> {
        let told = |why: String| format!("docker's socket {} cannot be asked: {why}", self.socket.display());
        let answer = self.exchange(path).map_err(|error| {
            told(match error.kind() {
                ErrorKind::PermissionDenied => {
                    "permission denied (who is in the group of that socket may)".to_owned()
                }
                ErrorKind::ConnectionRefused => "nobody listens on it (is the engine running?)".to_owned(),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                    format!("{SILENT} {} ms", PATIENCE.as_millis())
                }
                _ => error.to_string(),
            })
        })?;
        let end =
            memchr::memmem::find(&answer, b"\r\n\r\n").ok_or_else(|| told("it speaks no HTTP".to_owned()))?;
        let head = String::from_utf8_lossy(&answer[..end]);
        let status = head.split_whitespace().nth(1).unwrap_or_default();
        if status != "200" {
            return Err(told(format!("it answers {}", crate::core::text::tidy(status, 8))));
        }
        // The reader's own words may repeat what stands there, passwords too.
        serde_json::from_slice(&answer[end + 4..])
            .map_err(|_| told("its answer is no list of containers".to_owned()))
    }

    fn exchange(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // To a client of this version the answer comes in one piece and ends with the connection.
        stream.write_all(
            format!("GET {path} HTTP/1.0\r\nHost: docker\r\nAccept: application/json\r\n\r\n").as_bytes(),
        )?;
        let mut answer = Vec::new();
        let mut part = [0; 16 * 1024];
        stream.set_read_timeout(Some(PATIENCE))?;
        for _ in 0..MOST_PIECES {
            match stream.read(&mut part) {
                Ok(0) => return Ok(answer),
                Ok(count) => answer.extend_from_slice(part.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if answer.len() > MOST_BYTES {
                break;
            }
        }
        Err(io::Error::new(ErrorKind::FileTooLarge, "its answer has no end"))
    }
}
