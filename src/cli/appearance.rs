//! The theme that was asked for, or one that this terminal can show.

use super::arguments::Arguments;
use crate::config::bounded;
use crate::config::discover::Surroundings;
use crate::config::paths::names_a_file;
use crate::ui::theme::Theme;
use std::path::Path;

/// The theme that was asked for; else one that this terminal can show.
pub(super) fn theme(
    arguments: &Arguments,
    around: &Surroundings,
    configured: Option<&str>,
    ascii: bool,
) -> Result<Theme, String> {
    let named = arguments.theme.as_deref().or(configured);
    let term = around.var("TERM").unwrap_or_default();
    let rich = around.var("COLORTERM").is_some() || term.contains("256color") || term.contains("direct");
    let name = match named {
        _ if around.var("NO_COLOR").is_some() && arguments.theme.is_none() => "mono",
        Some(name) => name,
        None if rich => "dark",
        None => "ansi16",
    };
    let mut theme = load(name)?;
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| around.var(name)).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    let plain_locale = !locale.is_empty() && !locale.contains("utf-8") && !locale.contains("utf8");
    theme.ascii = arguments.ascii || ascii || term == "linux" || plain_locale;
    Ok(theme)
}

/// A built-in theme or one from a file. What was given is not repeated: its place is told.
pub(super) fn load(name: &str) -> Result<Theme, String> {
    if names_a_file(name) {
        let text = bounded::text(Path::new(name))
            .map_err(|error| format!("the theme file cannot be read: {error}"))?;
        return Theme::parse(name, &text);
    }
    Theme::built_in(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn no_color_wins_over_the_configuration_but_not_over_the_command_line() {
        let folder = std::env::temp_dir();
        let around = Surroundings::empty(&folder).with("NO_COLOR", "1").with("TERM", "xterm-256color");
        let plain = Arguments::parse_from(["stacktop"]);
        assert_eq!(theme(&plain, &around, Some("light"), false).expect("a theme").name, "mono");
        let asked = Arguments::parse_from(["stacktop", "--theme", "light"]);
        assert_eq!(theme(&asked, &around, None, false).expect("a theme").name, "light");
        let wrong = Arguments::parse_from(["stacktop", "--theme", "lite"]);
        assert!(theme(&wrong, &around, None, false).expect_err("no such theme").contains("high-contrast"));
    }
}
