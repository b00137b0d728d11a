//! `[[log]]`: lines of a file of this machine, or of what a command prints.

use super::entry::{Common, Entry, Lasting};
use super::postgres::DEFAULT_TIMEOUT;
use super::way::Way;
use crate::core::log::LogSettings;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// No command may take longer, whatever the target's timeout is.
const LONGEST: Duration = Duration::from_secs(5);
/// Of the target's timeout a command gets this share: its own limit comes first, so that the command is blamed.
const SHARE: f64 = 0.75;
/// It is looked at so often at least: errors are counted by when they came.
const SELDOM: Duration = Duration::from_secs(20);

/// A log, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogFile {
    /// What it is called.
    pub name: Spanned<String>,
    /// The file, or a pattern of files.
    pub file: Option<PathBuf>,
    /// A command and its arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// Whose lines these are: targets, queues, services.
    #[serde(default, rename = "for")]
    pub of: Vec<String>,
    /// Names behind which values in lines are not shown.
    #[serde(default)]
    pub mask: Vec<String>,
    /// How often it is looked at.
    pub interval: Option<Lasting>,
    /// After this a look is given up.
    pub timeout: Option<Lasting>,
}

impl LogFile {
    /// The command that it runs.
    pub(super) fn told(&self) -> Option<String> {
        (!self.command.is_empty()).then(|| self.command.join(" "))
    }

    /// The program, where that is a path.
    pub(super) fn program(&mut self) -> Option<&mut String> {
        self.command.first_mut().filter(|program| program.contains('/'))
    }
}

impl Entry for LogFile {
    fn common(&self) -> Common<'_> {
        Common {
            name: Some(&self.name),
            begins: self.name.span().start,
            interval: self.interval,
            timeout: self.timeout,
            read_only: None,
            local: None,
            user: None,
            password_command: None,
        }
    }

    fn paths(&mut self) -> Vec<(&'static str, &mut Option<PathBuf>)> {
        vec![("file", &mut self.file)]
    }

    fn mistakes(&self) -> Vec<(Vec<String>, String)> {
        let mut told = Vec::new();
        let mut tell = |key: &str, sentence: &str| told.push((vec![key.to_owned()], sentence.to_owned()));
        let text =
            self.file.as_ref().map(|file| file.to_string_lossy()).filter(|file| file.contains(['*', '?']));
        let wrong = text.is_some_and(|file| glob::Pattern::new(&file).is_err());
        match (&self.file, self.command.first()) {
            (None, None) => tell("name", "it names no lines: give a file or a command"),
            (Some(_), Some(_)) => tell("command", "give a file or a command, not both"),
            (None, Some(program)) if program.trim().is_empty() => {
                tell("command", "command begins with the program, and each argument stands by itself");
            }
            (Some(_), None) if wrong => {
                tell("file", "it is no pattern of files: * stands for any part of a name");
            }
            (Some(_), None) | (None, Some(_)) => {}
        }
        if self.interval.is_some_and(|interval| interval.0 > SELDOM) {
            tell(
                "interval",
                "interval is at most 20s here: errors are counted by the minute in which they came",
            );
        }
        for (key, all) in [("for", &self.of), ("mask", &self.mask)] {
            if all.iter().any(|name| name.trim().is_empty()) {
                tell(key, &format!("an entry of {key} is empty"));
            }
        }
        told
    }
}

/// Where the lines come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogPlace {
    /// A file of this machine; with `*` or `?` in it all that it names.
    File(PathBuf),
    /// What a command prints. It is never given to a shell.
    Command {
        /// The program.
        program: String,
        /// Its arguments: a secret may stand in them, so they are not shown.
        arguments: Vec<String>,
        /// How long it may take.
        within: Duration,
    },
}

/// How to read a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConnect {
    /// Where the lines come from.
    pub place: LogPlace,
    /// Whose lines these are; none: anybody's.
    pub of: Vec<String>,
    /// Names behind which values in lines are not shown.
    pub masks: Vec<String>,
}

impl LogConnect {
    /// The lines of a file, whoever they are of.
    #[must_use]
    pub const fn file(path: PathBuf) -> Self {
        Self { place: LogPlace::File(path), of: Vec::new(), masks: Vec::new() }
    }
}

impl Way for LogConnect {
    fn address(&self) -> String {
        match &self.place {
            LogPlace::File(path) => path.display().to_string(),
            LogPlace::Command { program, .. } => {
                format!("`{}` of this machine", program.rsplit('/').next().unwrap_or(program))
            }
        }
    }

    fn is_local(&self) -> bool {
        true
    }

    fn exposed(&self) -> Option<&'static str> {
        None
    }
}

impl From<&LogConnect> for LogSettings {
    fn from(connect: &LogConnect) -> Self {
        Self { of: connect.of.clone() }
    }
}

/// The way to the lines that an entry names.
pub(super) fn connect(entry: &LogFile) -> Result<LogConnect, String> {
    let place = match (&entry.file, entry.command.split_first()) {
        (Some(path), None) => LogPlace::File(path.clone()),
        (None, Some((program, arguments))) => {
            let timeout = entry.timeout.map_or(DEFAULT_TIMEOUT, |lasting| lasting.0);
            let within = timeout.mul_f64(SHARE).min(LONGEST);
            LogPlace::Command { program: program.clone(), arguments: arguments.to_vec(), within }
        }
        (Some(_), Some(_)) | (None, None) => return Err("give a file or a command".to_owned()),
    };
    Ok(LogConnect { place, of: entry.of.clone(), masks: entry.mask.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn mistaken(text: &str, expected: Option<&str>) {
        let entry: LogFile = toml::from_str(&format!("name = \"x\"\n{text}")).expect("TOML");
        let keys: Vec<String> = entry.mistakes().into_iter().flat_map(|(path, _)| path).collect();
        assert_eq!(keys.first().map(String::as_str), expected, "{text}");
        assert_eq!(
            connect(&entry).is_err(),
            matches!(expected, Some("name")) || text.contains("both"),
            "{text}"
        );
    }

    #[test]
    fn a_log_is_a_file_or_a_command() {
        mistaken("", Some("name"));
        mistaken("file = \"/var/log/a.log\"\nfor = [\"mails\"]", None);
        mistaken("file = \"/var/log/*.log\"", None);
        mistaken("file = \"/var/log/***.log\"", Some("file"));
        mistaken("file = \"a\" # both\ncommand = [\"b\"]", Some("command"));
        mistaken("command = [\"journalctl\", \"-n\", \"500\"]", None);
        mistaken("command = [\" \"]", Some("command"));
        mistaken("file = \"a\"\nfor = [\" \"]", Some("for"));
        mistaken("file = \"a\"\ninterval = \"20s\"", None);
        mistaken("file = \"a\"\ninterval = \"21s\"", Some("interval"));
    }

    #[test]
    fn what_is_shown_of_a_command_is_its_program() {
        let entry: LogFile = toml::from_str(
            "name = \"x\"\ncommand = [\"/opt/bin/logs\", \"--token=geheim\"]\ntimeout = \"2s\"",
        )
        .expect("TOML");
        let way = connect(&entry).expect("a way");
        assert_eq!(way.address(), "`logs` of this machine");
        let LogPlace::Command { within, .. } = way.place else { panic!("{way:?}") };
        assert_eq!(within, Duration::from_millis(1500));
    }
}
