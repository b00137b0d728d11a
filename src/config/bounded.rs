//! Reads files that others wrote, within limits of bytes and of time: what is named may be a pipe that nobody writes to, a device
//! without end, or a folder.

use rustix::fs::OFlags;
use secrecy::SecretString;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

/// No configuration, theme, compose file or password file is larger.
pub const TEXT_BYTES: usize = 1024 * 1024;
/// A bundle of all public authorities has a quarter of this.
pub const CERTIFICATES_BYTES: usize = 4 * 1024 * 1024;
/// Nor is a password or a token.
pub const SECRET_BYTES: usize = 64 * 1024;

/// What is no regular file (a pipe, as from `<(command)`) has to be written to its end within [`TRIES`] times this.
const WAIT: Duration = Duration::from_millis(20);
const TRIES: u32 = 100;

/// The bytes of the file at `path`, at most `most`. Blocking, for at most two seconds.
///
/// # Errors
/// When it cannot be read to its end within the limits.
pub fn bytes(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    // Without this, opening a pipe waits for somebody who writes to it.
    let mut file = options.read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder"));
    }
    let mut found = Vec::new();
    let mut tries = TRIES;
    let mut part = [0; 8192];
    loop {
        match file.read(&mut part) {
            Ok(0) if found.is_empty() && kind.is_fifo() && tries > 0 => {
                // Nobody has begun to write.
                tries -= 1;
                std::thread::sleep(WAIT);
            }
            Ok(0) if found.is_empty() && kind.is_fifo() => {
                return Err(io::Error::new(ErrorKind::TimedOut, "it is a pipe that nobody writes to"));
            }
            Ok(0) => return Ok(found),
            Ok(count) => found.extend_from_slice(part.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock && tries > 0 => {
                tries -= 1;
                std::thread::sleep(WAIT);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(io::Error::new(ErrorKind::TimedOut, "it has no end for two seconds"));
            }
            Err(error) => return Err(error),
        }
        if found.len() > most {
            let message = format!("it is larger than {} KiB, which nothing of its kind is", most / 1024);
            return Err(io::Error::new(ErrorKind::FileTooLarge, message));
        }
    }
}

/// The same as text.
///
/// # Errors
/// As [`bytes`], and when it is no UTF-8.
pub fn text(path: &Path) -> io::Result<String> {
    let bytes = bytes(path, TEXT_BYTES)?;
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is no text in UTF-8"))
}

/// The secret in the first line, if there is one.
#[must_use]
pub fn first_line(bytes: &[u8]) -> Option<SecretString> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().next().filter(|line| !line.is_empty()).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[track_caller]
    fn refused(path: &Path, expected: &str) {
        let error = bytes(path, SECRET_BYTES).unwrap_err().to_string();
        assert!(error.contains(expected), "{}: {error}", path.display());
    }

    #[test]
    fn what_has_no_end_ends() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        refused(Path::new("/dev/zero"), "larger than 64 KiB");
        refused(folder.path(), "a folder");
        refused(&folder.path().join("none"), "No such file");
        let large = folder.path().join("large");
        std::fs::File::create(&large).unwrap().set_len(1 << 40).unwrap();
        refused(&large, "larger than 64 KiB");
        refused(&pipe, "nobody writes to");
        // Open for reading and writing: somebody could write, and does not.
        let _held = std::fs::File::options().read(true).write(true).open(&pipe).unwrap();
        refused(&pipe, "no end");
    }

    #[test]
    fn files_devices_and_pipes_that_end_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        assert_eq!(text(&file).unwrap(), "text");
        assert_eq!(text(Path::new("/dev/null")).unwrap(), "");
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let command = format!(
            "sleep 0.1; printf 'in '; sleep 0.1; printf two; : > {}",
            folder.path().join("done").display()
        );
        let mut writer =
            Command::new("sh").args(["-c", &format!("({command}) > {}", pipe.display())]).spawn().unwrap();
        assert_eq!(text(&pipe).unwrap(), "in two");
        assert!(writer.wait().unwrap().success());
    }
}
