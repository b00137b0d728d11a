//! Arguments exactly as typed, and what is said of those that cannot be understood: not what was typed, for it may be a secret.

use crate::config::misspelt::nearest;
use crate::config::named::schemes;
use crate::core::text::span as read_span;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// top for a whole stack: Postgres, Redis and job queues, Elasticsearch and Prometheus on one screen
#[derive(Debug, Parser)]
#[command(
    name = "stacktop",
    version,
    after_help = "Without URL and --config: the user's configuration, ./stacktop.toml (once it is trusted), then \
DATABASE_URL and PG*, REDIS_URL, ELASTICSEARCH_URL, PROMETHEUS_URL, a compose file here, and this machine's well-known ports.

Exit codes: 0 it is as asked; 1 no target was found (targets), something that is to be watched cannot be read (doctor), there is no \
configuration file (check-config); 2 a mistake in arguments or configuration, or no terminal that can show it; \
of check: 0 ok, 1 degraded, 2 broken, 3 unknown, also because of a mistake; \
128 and the number of the signal that ended it (129 when the terminal is gone)."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) watched: Watched,
    /// The configuration file
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// Refuse every action
    #[arg(long, global = true)]
    pub(super) read_only: bool,
    /// A built-in theme (dark, light, high-contrast, colour-blind, mono, ansi16) or a theme file
    #[arg(long, value_name = "NAME", global = true)]
    pub(super) theme: Option<String>,
    /// Draw with ASCII only
    #[arg(long, global = true)]
    pub(super) ascii: bool,
    #[command(subcommand)]
    pub(super) command: Option<Verb>,
}

/// What to watch.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Watched {
    /// Watch just that: postgres://, redis://, file:///var/log/shop.log, http(s):// (a path is a metrics endpoint, port 9200
    /// Elasticsearch, 9090 Prometheus; search+, prometheus+ or metrics+ before it says so, too)
    #[arg(value_name = "URL")]
    pub(super) urls: Vec<String>,
}

/// How a table is printed.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Printed {
    /// How it is printed
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,
}

/// A form of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// A form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportForm {
    /// For people
    Text,
    /// For programs: docs/check.schema.json describes it
    Json,
    /// For tickets and chats
    Markdown,
}

/// A form of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LineForm {
    /// For people and logs
    Text,
    /// An object a line, for programs
    Json,
}

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listen(pub(super) SocketAddr);

fn listen(text: &str) -> Result<Listen, &'static str> {
    text.parse().map(Listen).map_err(|_| "no address with a port")
}

/// Between a second and an hour.
fn span(text: &str) -> Result<Duration, &'static str> {
    let known =
        read_span(text).filter(|span| (Duration::from_secs(1)..=Duration::from_secs(3600)).contains(span));
    known.ok_or("no span between a second and an hour")
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// An embedded stack with an incident that unfolds: nothing is connected to
    Demo {
        /// Another seed is another stack
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Show nothing: play every embedded incident at full speed, and print how well its cause is found
        #[arg(long)]
        score: bool,
    },
    /// Look once, without a screen, and say what is wrong (exit code 0 ok, 1 degraded, 2 broken, 3 unknown)
    Check {
        #[command(flatten)]
        watched: Watched,
        /// How it is printed
        #[arg(short = 'o', long = "format", alias = "output", value_name = "FORMAT", value_enum, default_value_t = ReportForm::Text)]
        form: ReportForm,
        /// Look for so long (30s, 2m); without it for as long as rates and rules need, at most a minute
        #[arg(long = "for", value_name = "SPAN", value_parser = span)]
        span: Option<Duration>,
    },
    /// Print what changes, line by line, without a screen
    Watch {
        #[command(flatten)]
        watched: Watched,
        /// How it is printed
        #[arg(short = 'o', long = "format", alias = "output", value_name = "FORMAT", value_enum, default_value_t = LineForm::Text)]
        form: LineForm,
    },
    /// Watch without a screen, and answer Prometheus (/metrics), programs (/check) and supervisors (/healthz) over HTTP
    Serve {
        #[command(flatten)]
        watched: Watched,
        /// Where to listen; an address that others reach is to be named
        #[arg(long, value_name = "ADDRESS", value_parser = listen, default_value = "127.0.0.1:9799")]
        listen: Listen,
        /// How what changes is printed
        #[arg(short = 'o', long = "format", alias = "output", value_name = "FORMAT", value_enum, default_value_t = LineForm::Text)]
        form: LineForm,
    },
    /// Print which targets would be watched, and why (exit code 1 when there is none)
    Targets {
        #[command(flatten)]
        watched: Watched,
        #[command(flatten)]
        printed: Printed,
    },
    /// Trust a folder's configuration file as it is now: ./stacktop.toml, or FILE
    Trust {
        /// The file
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Set a mark in the timeline: a deploy, a switch, whatever somebody should know of later
    Mark {
        /// What happened
        #[arg(value_name = "TEXT", required = true)]
        words: Vec<String>,
    },
    /// Print what can be seen and done on each target, and the lines that would permit the rest
    Doctor {
        #[command(flatten)]
        watched: Watched,
        #[command(flatten)]
        printed: Printed,
    },
    /// Print versions, paths, what is known of the terminal and what was detected; no secret is among it
    Info {
        #[command(flatten)]
        printed: Printed,
    },
    /// Print the documented sample configuration
    Config,
    /// Say whether the configuration is right (exit code 0: yes, 1: there is none, 2: mistakes)
    CheckConfig,
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
    /// Print the packages that stacktop is made of, with their licences
    #[command(alias = "licenses")]
    Licences,
}

/// The arguments that may stand anywhere.
const EVERYWHERE: [&str; 4] = ["config", "read_only", "theme", "ascii"];

/// Which of them each command heeds. With the others it is refused: what is passed over in silence is taken for done.
const HEEDED: [(&str, &[&str]); 14] = [
    ("demo", &["read_only", "theme", "ascii"]),
    ("check", &["config"]),
    ("watch", &["config"]),
    ("serve", &["config"]),
    ("targets", &["config"]),
    ("trust", &[]),
    ("mark", &[]),
    ("doctor", &["config"]),
    ("info", &["config", "theme", "ascii"]),
    ("config", &[]),
    ("check-config", &["config"]),
    ("completions", &[]),
    ("man", &[]),
    ("licences", &[]),
];

/// The arguments that `verb` does not heed.
fn unheeded(verb: &str) -> impl Iterator<Item = &'static str> {
    let heeded = HEEDED.iter().find(|(name, _)| *name == verb).map_or(&[][..], |(_, heeded)| *heeded);
    EVERYWHERE.into_iter().filter(move |id| !heeded.contains(id))
}

/// All arguments and commands. What a command does not heed does not stand in its help.
pub(super) fn command() -> clap::Command {
    let mut command = Arguments::command();
    for (verb, _) in HEEDED {
        for id in unheeded(verb) {
            let hidden = command.get_arguments().find(|argument| argument.get_id() == id).cloned();
            command = command
                .mut_subcommand(verb, |verb| verb.args(hidden.map(|one| one.global(false).hide(true))));
        }
    }
    command
}

/// Why the arguments are none.
#[derive(Debug)]
pub(super) enum Stop {
    /// A help or version was asked for: this is it.
    Asked(String),
    /// They cannot be understood, or not be heeded.
    Wrong(String),
}

/// The arguments, or the sentence about them.
pub(super) fn parse<I: IntoIterator<Item = T>, T: Into<OsString> + Clone>(
    words: I,
) -> Result<Arguments, Stop> {
    let told = |error: clap::Error| {
        if error.use_stderr() { Stop::Wrong(mistake(&error)) } else { Stop::Asked(error.to_string()) }
    };
    let matches = command().try_get_matches_from(words).map_err(told)?;
    heeded(&matches).map_err(Stop::Wrong)?;
    let mut arguments = Arguments::from_arg_matches(&matches).map_err(told)?;
    match &mut arguments.command {
        Some(
            Verb::Targets { watched, .. }
            | Verb::Doctor { watched, .. }
            | Verb::Check { watched, .. }
            | Verb::Watch { watched, .. }
            | Verb::Serve { watched, .. },
        ) => {
            arguments.watched = watched.clone();
        }
        Some(_) if !arguments.watched.urls.is_empty() => {
            return Err(Stop::Wrong(
                "a URL stands behind the command that heeds it (check, watch, serve, targets, doctor), or alone".to_owned(),
            ));
        }
        Some(_) | None => {}
    }
    if let Some(word) = arguments.watched.urls.iter().find(|word| !word.contains("://")) {
        return Err(Stop::Wrong(no_url(word)));
    }
    Ok(arguments)
}

/// Refuses what the command would pass over.
fn heeded(matches: &ArgMatches) -> Result<(), String> {
    let Some((verb, below)) = matches.subcommand() else { return Ok(()) };
    let given = |id: &&str| {
        [matches, below].iter().any(|level| level.value_source(id) == Some(ValueSource::CommandLine))
    };
    match unheeded(verb).find(given) {
        Some(id) => {
            Err(format!("--{} changes nothing about `stacktop {verb}`: leave it out", id.replace('_', "-")))
        }
        None => Ok(()),
    }
}

/// A sentence for a word that is no URL: perhaps a command.
fn no_url(word: &str) -> String {
    let verbs = || HEEDED.iter().map(|(name, _)| *name);
    if let Some(verb) = verbs().find(|verb| *verb == word) {
        return format!("a command stands before its URLs: `stacktop {verb} URL`");
    }
    match nearest(word, verbs()) {
        Some(near) => format!("there is no argument like that; did you mean `{near}`?"),
        None => format!(
            "there is no command like that, and it is no URL ({}); `stacktop --help` lists all",
            schemes()
        ),
    }
}

/// A sentence for arguments that cannot be understood.
fn mistake(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let given =
        text(ContextKind::InvalidSubcommand).or_else(|| text(ContextKind::InvalidArg)).unwrap_or_default();
    let help = "`stacktop --help` lists them";
    match error.kind() {
        _ if given.contains("://") => {
            "this command takes no URL: `stacktop URL` watches it, `stacktop check URL` looks at it once, `stacktop doctor URL` looks into its rights".to_owned()
        }
        ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument => {
            let word = given.split('=').next().unwrap_or_default();
            match nearest(word, known().iter().map(String::as_str)) {
                Some(near) => format!("there is no argument like that; did you mean `{near}`?"),
                None => format!("there is no argument like that; {help}"),
            }
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => match given.split_whitespace().next() {
            Some("--for") => "--for is a span between 1s and 1h, as 30s".to_owned(),
            Some("--listen") => "--listen is an address and a port, as 127.0.0.1:9799".to_owned(),
            Some(argument) => format!("{argument} has no value, or one that cannot be used; `stacktop --help` says which"),
            None => format!("a value of the arguments cannot be used; {help}"),
        },
        _ => format!("the arguments cannot be understood; {help}"),
    }
}

/// Every argument and every command by its name.
fn known() -> Vec<String> {
    let command = Arguments::command();
    let of = |command: &clap::Command| -> Vec<String> {
        command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))).collect()
    };
    let verbs = command.get_subcommands().flat_map(|verb| {
        let mut all = of(verb);
        all.push(verb.get_name().to_owned());
        all
    });
    of(&command).into_iter().chain(verbs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Arguments, Stop> {
        parse(std::iter::once("stacktop").chain(arguments.iter().copied()))
    }

    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        match read(arguments) {
            Err(Stop::Wrong(sentence)) => {
                assert!(sentence.contains(expected) && !sentence.contains("hunter2"), "{sentence}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn mistakes_are_named_without_what_was_typed() {
        check(&["tragets"], "did you mean `targets`?");
        check(&["--read-onyl"], "did you mean `--read-only`?");
        check(&["hunter2"], "--help");
        check(&["targets", "hunter2"], "--help");
        check(&["--password=hunter2"], "--help");
        check(&["config", "postgres://u:hunter2@h/d"], "`stacktop URL` watches it");
        check(&["redis://:hunter2@h", "targets"], "`stacktop targets URL`");
        check(&["demo", "--seed", "hunter2"], "--seed has no value, or one that cannot be used");
        check(&["--theme"], "--theme");
        check(&["targets", "-o", "hunter2"], "--output has no value, or one that cannot be used");
        check(&["check", "--for", "hunter2"], "--for is a span between 1s and 1h");
        check(&["check", "--for", "2h"], "--for is a span between 1s and 1h");
        check(&["check", "--format", "hunter2"], "--format has no value, or one that cannot be used");
        check(&["serve", "--listen", "hunter2"], "--listen is an address and a port");
        check(&["watch", "--for", "3s"], "there is no argument like that");
        check(&["chekc"], "did you mean `check`?");
        check(&["mark"], "--help");
        check(&["completions", "hunter2"], "<SHELL> has no value, or one that cannot be used");
    }

    #[test]
    fn what_a_command_does_not_heed_is_refused_wherever_it_stands() {
        for (verb, heeded) in HEEDED {
            let more = match verb {
                "completions" => &["bash"][..],
                "mark" => &["a deploy"],
                _ => &[],
            };
            for id in EVERYWHERE {
                let long = format!("--{}", id.replace('_', "-"));
                let value = if matches!(id, "config" | "theme") { &["x"][..] } else { &[] };
                let flag = [&[long.as_str()], value].concat();
                for words in [[&[verb], more, &flag].concat(), [&flag[..], &[verb], more].concat()] {
                    if heeded.contains(&id) {
                        read(&words).expect("it is heeded");
                    } else {
                        check(&words, &format!("{long} changes nothing about `stacktop {verb}`"));
                    }
                }
            }
        }
    }

    #[test]
    fn a_value_reaches_its_command_from_both_sides() {
        for words in [["--config", "x", "doctor"], ["doctor", "--config", "x"]] {
            assert_eq!(read(&words).expect("fine").config, Some(PathBuf::from("x")));
        }
        assert_eq!(read(&["doctor", "redis://h"]).expect("fine").watched.urls, ["redis://h"]);
        assert_eq!(read(&["redis://h", "--ascii", "redis://i"]).expect("fine").watched.urls.len(), 2);
    }

    #[test]
    fn every_command_has_its_line_and_shows_only_what_it_heeds() {
        command().debug_assert();
        let mut command = command();
        command.build();
        let verbs = command.get_subcommands().map(clap::Command::get_name).filter(|name| *name != "help");
        assert_eq!(verbs.collect::<Vec<_>>(), HEEDED.map(|(name, _)| name));
        let help = |verb: &str| match read(&[verb, "--help"]) {
            Err(Stop::Asked(text)) => text,
            other => panic!("{other:?}"),
        };
        assert!(help("demo").contains("--theme") && !help("demo").contains("--config"), "{}", help("demo"));
        assert!(!help("licences").contains("--read-only"));
    }
}
