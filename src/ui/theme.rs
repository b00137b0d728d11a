//! Colours by role. A theme is a small file of roles; the built-in ones are in `themes/` and inside the binary.

use super::content::Role;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The built-in themes: name and text.
pub const BUILT_IN: [(&str, &str); 6] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
    ("ansi16", include_str!("../../themes/ansi16.toml")),
];

/// The parts of a screen that are not text of a role.
const PARTS: [&str; 12] = [
    "text", "muted", "strong", "accent", "ok", "note", "warning", "critical", "stale", "selected", "tab",
    "tab_here",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    reverse: bool,
    #[serde(default)]
    underline: bool,
}

/// A style for every part of the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// Draw with ASCII only.
    pub ascii: bool,
    styles: BTreeMap<&'static str, Style>,
}

impl Theme {
    /// A built-in theme.
    ///
    /// # Errors
    /// When there is none of this name; the sentence lists those there are.
    pub fn built_in(name: &str) -> Result<Self, String> {
        let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            return Err(format!("there is no such theme; there are {}", names.join(", ")));
        };
        Self::parse(name, text)
    }

    /// A theme from the text of its file.
    ///
    /// # Errors
    /// A sentence with the place when the file is not a theme.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let entries: BTreeMap<String, Entry> =
            toml::from_str(text).map_err(|error| unread(name, text, &error))?;
        let mut styles = BTreeMap::new();
        for part in PARTS {
            let entry =
                entries.get(part).ok_or_else(|| format!("theme `{name}` says nothing about `{part}`"))?;
            styles.insert(part, style(entry).map_err(|error| format!("theme `{name}`, {part}: {error}"))?);
        }
        if let Some(unknown) = entries.keys().find(|key| !PARTS.contains(&key.as_str())) {
            return Err(format!(
                "theme `{name}`: {} is not a part of the screen",
                if unknown.len() < 20 { format!("`{unknown}`") } else { "a name".to_owned() }
            ));
        }
        Ok(Self { name: name.to_owned(), ascii: false, styles })
    }

    /// The style of a role.
    #[must_use]
    pub fn role(&self, role: Role) -> Style {
        self.part(match role {
            Role::Text => "text",
            Role::Muted => "muted",
            Role::Strong => "strong",
            Role::Accent => "accent",
            Role::Ok => "ok",
            Role::Note => "note",
            Role::Warning => "warning",
            Role::Critical => "critical",
            Role::Stale => "stale",
            Role::Cursor => "selected",
        })
    }

    /// The style of another part: `selected`, `tab`, `tab_here`.
    #[must_use]
    pub fn part(&self, part: &str) -> Style {
        self.styles.get(part).copied().unwrap_or_default()
    }

    /// The name of the built-in theme after this one.
    #[must_use]
    pub fn next(&self) -> &'static str {
        let here = BUILT_IN.iter().position(|(name, _)| *name == self.name).unwrap_or(0);
        BUILT_IN[(here + 1) % BUILT_IN.len()].0
    }
}

/// The place of an error in the file `name`. The reader's own words quote the line, and the file may be another one by mistake.
fn unread(name: &str, text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let line = text.get(..at).unwrap_or(text).matches('\n').count() + 1;
    format!(
        "theme `{name}`, line {line}: this is no theme: each part of the screen is `part = {{ fg = \"#rrggbb\", bold = true }}`"
    )
}

fn style(entry: &Entry) -> Result<Style, String> {
    let mut style = Style::new();
    if let Some(name) = &entry.fg
        && name != "default"
    {
        style = style.fg(colour(name)?);
    }
    for (on, modifier) in [
        (entry.bold, Modifier::BOLD),
        (entry.reverse, Modifier::REVERSED),
        (entry.underline, Modifier::UNDERLINED),
    ] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    Ok(style)
}

fn colour(name: &str) -> Result<Color, String> {
    name.parse().map_err(|_| "that is not a colour; write #rrggbb, a colour name, or default".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.1).
    fn luminance(colour: Color) -> Option<f64> {
        let Color::Rgb(r, g, b) = colour else { return None };
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.039_28 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        Some(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
    }

    #[test]
    fn every_built_in_theme_is_complete_and_readable() {
        for (name, _) in BUILT_IN {
            let theme = Theme::built_in(name).unwrap();
            // Backgrounds as terminals ship them: black to #1e1e1e, white to #fdf6e3.
            let background = if name == "light" { 0.92 } else { 0.013 };
            for (part, style) in &theme.styles {
                let Some(foreground) = style.fg.and_then(luminance) else {
                    continue;
                };
                let (light, dark) = (f64::max(foreground, background), f64::min(foreground, background));
                let contrast = (light + 0.05) / (dark + 0.05);
                assert!(contrast >= 4.5, "{name}: {part} has a contrast of {contrast:.1}");
            }
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(Theme::built_in("drak").unwrap_err().contains("dark"));
        let broken = BUILT_IN[0].1.replace("#7ab8ff", "blurple");
        assert!(Theme::parse("x", &broken).unwrap_err().contains("accent"));
        let extra = format!("{}\nfoo = {{ bold = true }}", BUILT_IN[0].1);
        assert!(Theme::parse("x", &extra).unwrap_err().contains("`foo`"));
    }

    #[test]
    fn mono_has_no_colour() {
        let theme = Theme::built_in("mono").unwrap();
        assert!(theme.styles.values().all(|style| style.fg.is_none() && style.bg.is_none()));
    }
}
