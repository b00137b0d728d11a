//! The theme that was asked for, or one that this terminal can show.

use super::arguments::Arguments;
use crate::app::model::Otherwise;
use crate::config::bounded;
use crate::config::discover::Surroundings;
use crate::config::paths::names_a_file;
use crate::runtime::background::told_by;
use crate::ui::theme::{Theme, light_form};
use std::path::Path;

/// The theme where none is named, on a dark background with many colours.
const DEFAULT: &str = "dark";

/// How it looks.
#[derive(Debug)]
pub(super) struct Themes {
    /// From the first frame on.
    pub theme: Theme,
    /// If the terminal then says that its background is another.
    pub otherwise: Option<Otherwise>,
}

impl Themes {
    /// Graphs are drawn in blocks, or in finer dots.
    pub(super) fn with_blocks(mut self, blocks: bool) -> Self {
        self.theme.blocks = blocks;
        if let Some(other) = &mut self.otherwise {
            other.theme.blocks = blocks;
        }
        self
    }
}

/// The theme that was asked for; else one that this terminal can show. The background is what its variable tells, or dark.
pub(super) fn themes(
    arguments: &Arguments,
    around: &Surroundings,
    configured: Option<&str>,
    ascii: bool,
) -> Result<Themes, String> {
    let term = around.var("TERM").unwrap_or_default();
    let many = ["256color", "direct"].iter().any(|word| term.contains(word));
    // Both of these draw 256 colours, whatever they are called.
    let multiplexed = ["screen", "tmux"].iter().any(|word| term.starts_with(word));
    let announced = around.var("COLORTERM");
    let all = announced.as_deref().is_some_and(|told| matches!(told, "truecolor" | "24bit"));
    let rich = announced.is_some() || many || multiplexed;
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| around.var(name)).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    let plain_locale = !locale.is_empty() && !locale.contains("utf-8") && !locale.contains("utf8");
    let named = match arguments.theme.as_deref().or(configured) {
        _ if around.var("NO_COLOR").is_some() && arguments.theme.is_none() => "mono",
        Some(name) => name,
        None if rich => DEFAULT,
        None => "ansi16",
    };
    let made = |name| {
        let theme = load(name)?;
        let mut theme = if all || term.contains("direct") { theme } else { theme.in_256_colours() };
        theme.ascii = arguments.ascii || ascii || term == "linux" || plain_locale;
        Ok::<Theme, String>(theme)
    };
    // The console of Linux is dark and answers nothing. A dark theme that was named is wanted.
    let by_default = arguments.theme.is_none() && configured.is_none();
    let bright = light_form(named).or_else(|| (named == DEFAULT && by_default).then_some("light"));
    let Some(bright) = bright.filter(|_| term != "linux") else {
        return Ok(Themes { theme: made(named)?, otherwise: None });
    };
    let light = around.var("COLORFGBG").and_then(|told| told_by(&told)).unwrap_or(false);
    let (theme, other) = if light { (bright, named) } else { (named, bright) };
    Ok(Themes { theme: made(theme)?, otherwise: Some(Otherwise { light: !light, theme: made(other)? }) })
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

    /// The themes with these variables (`NAME=value`), when `named` is the theme that was named: at first, and on the other background.
    #[track_caller]
    fn check(variables: &[&str], named: &[&str], expected: &str, other: Option<(bool, &str)>) {
        let folder = std::env::temp_dir();
        let mut around = Surroundings::empty(&folder);
        for variable in variables {
            let (name, value) = variable.split_once('=').expect("a variable");
            around = around.with(name, value);
        }
        let words = ["stacktop"].iter().chain(named);
        let themes = themes(&Arguments::parse_from(words), &around, None, false).expect("themes");
        let otherwise = themes.otherwise.as_ref().map(|other| (other.light, other.theme.name.as_str()));
        assert_eq!((themes.theme.name.as_str(), otherwise), (expected, other), "{variables:?} {named:?}");
    }

    #[test]
    fn the_theme_fits_the_background_of_the_terminal() {
        let plain = "TERM=xterm-256color";
        let bright = |name| Some((true, name));
        check(&[plain], &[], "dark", bright("light"));
        check(&[plain, "COLORFGBG=0;15"], &[], "light", Some((false, "dark")));
        check(&[plain, "COLORFGBG=15;0"], &[], "dark", bright("light"));
        check(&[plain], &["--theme", "colour-blind"], "colour-blind", bright("colour-blind-light"));
        check(&[plain], &["--theme", "high-contrast"], "high-contrast", bright("high-contrast-light"));
        check(&[plain], &["--theme", "dark"], "dark", None);
        check(&[plain], &["--theme", "light"], "light", None);
        check(&["TERM=tmux"], &[], "dark", bright("light"));
        check(&["TERM=xterm"], &[], "ansi16", bright("mono"));
        check(&["TERM=linux", "COLORFGBG=0;15"], &[], "ansi16", None);
        check(&[plain, "NO_COLOR=1"], &[], "mono", None);
    }

    #[test]
    fn as_many_colours_are_used_as_the_terminal_has_announced() {
        let folder = std::env::temp_dir();
        for (colorterm, term, all) in [
            ("truecolor", "xterm-256color", true),
            ("24bit", "xterm-256color", true),
            ("", "xterm-direct", true),
            ("", "xterm-256color", false),
            ("1", "xterm", false),
        ] {
            let around = Surroundings::empty(&folder).with("COLORTERM", colorterm).with("TERM", term);
            let arguments = Arguments::parse_from(["stacktop", "--theme", "dark"]);
            let theme = themes(&arguments, &around, None, false).expect("a theme").theme;
            let dark = Theme::built_in("dark").expect("it is built in");
            assert_eq!(theme == dark, all, "{colorterm} {term}");
            assert_eq!(theme == dark.in_256_colours(), !all, "{colorterm} {term}");
        }
    }

    #[test]
    fn no_color_wins_over_the_configuration_but_not_over_the_command_line() {
        let folder = std::env::temp_dir();
        let around = Surroundings::empty(&folder).with("NO_COLOR", "1").with("TERM", "xterm-256color");
        let plain = Arguments::parse_from(["stacktop"]);
        assert_eq!(themes(&plain, &around, Some("light"), false).expect("a theme").theme.name, "mono");
        let asked = Arguments::parse_from(["stacktop", "--theme", "light"]);
        assert_eq!(themes(&asked, &around, None, false).expect("a theme").theme.name, "light");
        let wrong = Arguments::parse_from(["stacktop", "--theme", "lite"]);
        assert!(themes(&wrong, &around, None, false).expect_err("no such theme").contains("high-contrast"));
    }
}
