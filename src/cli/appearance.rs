//! The theme that was asked for, or one that this terminal can show.

use super::arguments::Arguments;
use crate::config::bounded;
use crate::config::discover::Surroundings;
use crate::config::paths::names_a_file;
use crate::runtime::background::told_by;
use crate::ui::theme::{Theme, light_form};
use std::path::Path;

/// The theme that was asked for; else one that this terminal can show. `is_light` asks the terminal for its background, if that matters.
pub(super) fn theme(
    arguments: &Arguments,
    around: &Surroundings,
    configured: Option<&str>,
    ascii: bool,
    is_light: fn() -> Option<bool>,
) -> Result<Theme, String> {
    let named = arguments.theme.as_deref().or(configured);
    let term = around.var("TERM").unwrap_or_default();
    let many = ["256color", "direct"].iter().any(|word| term.contains(word));
    // Both of these draw 256 colours, whatever they are called.
    let multiplexed = ["screen", "tmux"].iter().any(|word| term.starts_with(word));
    let announced = around.var("COLORTERM");
    let all = announced.as_deref().is_some_and(|told| matches!(told, "truecolor" | "24bit"));
    let rich = announced.is_some() || many || multiplexed;
    // The console of Linux is dark and answers nothing.
    let asks = || {
        let told = || around.var("COLORFGBG").and_then(|told| told_by(&told));
        if term == "linux" { Some(false) } else { is_light().or_else(told) }.unwrap_or(false)
    };
    let fitted = |name| match light_form(name) {
        Some(light) if asks() => light,
        _ => name,
    };
    let name = match named {
        _ if around.var("NO_COLOR").is_some() && arguments.theme.is_none() => "mono",
        Some(name) => fitted(name),
        None if rich => {
            if asks() {
                "light"
            } else {
                "dark"
            }
        }
        None => fitted("ansi16"),
    };
    let theme = load(name)?;
    let mut theme = if all || term.contains("direct") { theme } else { theme.in_256_colours() };
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

    /// The theme with these variables (`NAME=value`), when `named` is the theme that was named, and the terminal is light or does not say.
    #[track_caller]
    fn check(variables: &[&str], named: &[&str], is_light: fn() -> Option<bool>, expected: &str) {
        let folder = std::env::temp_dir();
        let mut around = Surroundings::empty(&folder);
        for variable in variables {
            let (name, value) = variable.split_once('=').expect("a variable");
            around = around.with(name, value);
        }
        let words = ["stacktop"].iter().chain(named);
        let theme = theme(&Arguments::parse_from(words), &around, None, false, is_light).expect("a theme");
        assert_eq!(theme.name, expected, "{variables:?} {named:?}");
    }

    #[test]
    fn the_theme_fits_the_background_of_the_terminal() {
        let (light, dark, silent) = (|| Some(true), || Some(false), || None);
        let plain = "TERM=xterm-256color";
        check(&[plain], &[], light, "light");
        check(&[plain], &[], dark, "dark");
        check(&[plain], &[], silent, "dark");
        check(&[plain, "COLORFGBG=0;15"], &[], silent, "light");
        check(&[plain, "COLORFGBG=0;15"], &[], dark, "dark");
        check(&[plain], &["--theme", "colour-blind"], light, "colour-blind-light");
        check(&[plain], &["--theme", "high-contrast"], light, "high-contrast-light");
        check(&[plain], &["--theme", "colour-blind"], dark, "colour-blind");
        check(&[plain], &["--theme", "dark"], light, "dark");
        check(&["TERM=tmux"], &[], light, "light");
        check(&["TERM=xterm"], &[], dark, "ansi16");
        check(&["TERM=xterm"], &[], light, "mono");
        check(&["TERM=linux"], &[], || panic!("it answers nothing"), "ansi16");
        check(&[plain, "NO_COLOR=1"], &[], || panic!("nothing to ask for"), "mono");
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
            let theme = theme(&arguments, &around, None, false, || None).expect("a theme");
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
        assert_eq!(theme(&plain, &around, Some("light"), false, || None).expect("a theme").name, "mono");
        let asked = Arguments::parse_from(["stacktop", "--theme", "light"]);
        assert_eq!(theme(&asked, &around, None, false, || None).expect("a theme").name, "light");
        let wrong = Arguments::parse_from(["stacktop", "--theme", "lite"]);
        assert!(
            theme(&wrong, &around, None, false, || None)
                .expect_err("no such theme")
                .contains("high-contrast")
        );
    }
}
