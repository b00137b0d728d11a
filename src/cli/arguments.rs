//! Arguments exactly as typed, and what is said of those that cannot be understood: not what was typed, for it may be a secret.

use crate::config::misspelt::nearest;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};
use std::path::PathBuf;

/// top for a whole stack: Postgres, Redis and job queues, Elasticsearch and Prometheus on one screen
#[derive(Debug, Parser)]
#[command(
    name = "stacktop",
    version,
    after_help = "Without --config: the user's configuration, ./stacktop.toml (once it is trusted), then \
DATABASE_URL and PG*, REDIS_URL, ELASTICSEARCH_URL, PROMETHEUS_URL, a compose file here, and this machine's well-known ports."
)]
pub(super) struct Arguments {
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

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// An embedded stack with an incident that unfolds: nothing is connected to
    Demo {
        /// Another seed is another stack
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Print which targets would be watched, and why (exit code 1 when there is none)
    Targets,
    /// Trust a folder's configuration file as it is now: ./stacktop.toml, or FILE
    Trust {
        /// The file
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print what can be seen and done on each target, and the lines that would permit the rest
    Doctor,
    /// Print the documented sample configuration
    Config,
    /// Say whether the configuration is right (exit code 0: yes, 1: there is none, 2: mistakes)
    CheckConfig,
    /// Print the packages that stacktop is made of, with their licences
    #[command(alias = "licenses")]
    Licences,
}

/// A sentence for arguments that cannot be understood.
pub(super) fn mistake(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let given =
        text(ContextKind::InvalidSubcommand).or_else(|| text(ContextKind::InvalidArg)).unwrap_or_default();
    let help = "`stacktop --help` lists them";
    match error.kind() {
        _ if given.contains("://") => {
            "a URL is no argument: set DATABASE_URL, REDIS_URL, ELASTICSEARCH_URL or PROMETHEUS_URL, or write it into a \
             configuration file"
                .to_owned()
        }
        ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument => {
            let word = given.split('=').next().unwrap_or_default();
            match nearest(word, known().iter().map(String::as_str)) {
                Some(near) => format!("there is no argument like that; did you mean `{near}`?"),
                None => format!("there is no argument like that; {help}"),
            }
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => match given.split_whitespace().next() {
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

    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let all = std::iter::once("stacktop").chain(arguments.iter().copied());
        let sentence = mistake(&Arguments::try_parse_from(all).expect_err("cannot be understood"));
        assert!(sentence.contains(expected) && !sentence.contains("hunter2"), "{sentence}");
    }

    #[test]
    fn mistakes_are_named_without_what_was_typed() {
        check(&["tragets"], "did you mean `targets`?");
        check(&["--read-onyl"], "did you mean `--read-only`?");
        check(&["hunter2"], "--help");
        check(&["targets", "hunter2"], "--help");
        check(&["--password=hunter2"], "--help");
        check(&["postgres://u:hunter2@h/d"], "DATABASE_URL");
        check(&["demo", "--seed", "hunter2"], "--seed has no value, or one that cannot be used");
        check(&["--theme"], "--theme");
    }

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
