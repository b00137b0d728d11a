//! Colours by role. A theme is a small file of roles; the built-in ones are in `themes/` and inside the binary.

use super::content::Role;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The built-in themes: name and text.
pub const BUILT_IN: [(&str, &str); 8] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("high-contrast-light", include_str!("../../themes/high-contrast-light.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("colour-blind-light", include_str!("../../themes/colour-blind-light.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
    ("ansi16", include_str!("../../themes/ansi16.toml")),
];

/// The first colour of the palette of 256 that looks the same everywhere: those before it are the terminal's own.
const FIRST_FIXED: u8 = 16;

/// The parts of a screen that are not text of a role.
const PARTS: [&str; 12] = [
    "text", "muted", "strong", "accent", "ok", "note", "warning", "critical", "stale", "selected", "tab",
    "tab_here",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fg: Option<String>,
    bg: Option<String>,
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
    /// Draw graphs with blocks: the font has no braille patterns.
    pub blocks: bool,
    /// Draw with the palette of 256 colours only: the terminal has not announced more.
    indexed: bool,
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
        Ok(Self { name: name.to_owned(), ascii: false, blocks: false, indexed: false, styles })
    }

    /// The same theme in the palette of 256 colours: each colour is the nearest one of it.
    #[must_use]
    pub fn in_256_colours(mut self) -> Self {
        self.indexed = true;
        for style in self.styles.values_mut() {
            style.fg = style.fg.map(indexed);
            style.bg = style.bg.map(indexed);
        }
        self
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

    /// The built-in theme after this one, on the same terminal.
    #[must_use]
    pub fn following(&self) -> Self {
        let here = BUILT_IN.iter().position(|(name, _)| *name == self.name).unwrap_or(0);
        let (name, _) = BUILT_IN[(here + 1) % BUILT_IN.len()];
        self.named(name).unwrap_or_else(|_| self.clone())
    }

    /// The built-in theme of this name, on the same terminal.
    ///
    /// # Errors
    /// When there is none of this name; the sentence lists those there are.
    pub fn named(&self, name: &str) -> Result<Self, String> {
        let next = Self::built_in(name)?;
        let next = if self.indexed { next.in_256_colours() } else { next };
        Ok(Self { ascii: self.ascii, ..next })
    }
}

/// What this theme is called on a light background, if it is one of a pair.
#[must_use]
pub fn light_form(name: &str) -> Option<&'static str> {
    match name {
        "high-contrast" => Some("high-contrast-light"),
        "colour-blind" => Some("colour-blind-light"),
        "ansi16" => Some("mono"),
        _ => None,
    }
}

/// The red, green and blue of a fixed colour of the palette of 256: a cube of six steps, then greys.
fn fixed(index: u8) -> [u8; 3] {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let place = usize::from(index - FIRST_FIXED);
    if place < 216 {
        [place / 36, place / 6 % 6, place % 6].map(|step| STEPS[step])
    } else {
        [8 + 10 * (place - 216) as u8; 3]
    }
}

/// The nearest fixed colour of the palette of 256.
fn indexed(colour: Color) -> Color {
    let Color::Rgb(r, g, b) = colour else { return colour };
    let apart = |index: &u8| -> u32 {
        fixed(*index).iter().zip([r, g, b]).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
    };
    (FIRST_FIXED..=u8::MAX).min_by_key(apart).map_or(colour, Color::Indexed)
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
    if let Some(name) = &entry.bg
        && name != "default"
    {
        style = style.bg(colour(name)?);
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

    #[test]
    fn built_in_colours_look_the_same_in_256_colours() {
        for (name, _) in BUILT_IN {
            let theme = Theme::built_in(name).unwrap();
            let less = theme.clone().in_256_colours();
            for (part, style) in &theme.styles {
                let pairs = [(style.fg, less.styles[part].fg), (style.bg, less.styles[part].bg)];
                for (whole, index) in pairs {
                    match (whole, index) {
                        (Some(Color::Rgb(r, g, b)), Some(Color::Indexed(index))) => {
                            assert_eq!([r, g, b], fixed(index), "{name}: {part}");
                        }
                        (whole, index) => assert_eq!(whole, index, "{name}: {part}"),
                    }
                }
            }
        }
        assert_eq!(indexed(Color::Rgb(0, 0, 0)), Color::Indexed(16));
        assert_eq!(indexed(Color::Rgb(11, 9, 8)), Color::Indexed(232));
        assert_eq!(indexed(Color::Rgb(250, 250, 1)), Color::Indexed(226));
        assert_eq!(indexed(Color::LightRed), Color::LightRed);
    }

    #[test]
    fn the_next_theme_is_drawn_as_this_one_is() {
        let mut theme = Theme { ascii: true, ..Theme::built_in("dark").unwrap().in_256_colours() };
        for (name, _) in BUILT_IN.iter().skip(1).chain(&BUILT_IN[..1]) {
            theme = theme.following();
            assert_eq!((theme.name.as_str(), theme.ascii, theme.indexed), (*name, true, true));
            let rgb = |style: &Style| matches!(style.fg, Some(Color::Rgb(..)));
            assert!(!theme.styles.values().any(rgb), "{name}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert!(Theme::built_in("drak").unwrap_err().contains("dark"));
        let broken = BUILT_IN[0].1.replace("#87d7ff", "blurple");
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
