//! A key press as the app knows it, whatever library read it.

use std::fmt;

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A character (its case says whether Shift was down).
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key.
    F(u8),
}

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// What was pressed.
    pub code: Code,
    /// Control was down.
    pub ctrl: bool,
}

impl Key {
    /// A key without modifiers.
    #[must_use]
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false }
    }

    /// A character.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// Control with a character.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self::with_ctrl(Code::Char(c))
    }

    /// Control with another key.
    #[must_use]
    pub const fn with_ctrl(code: Code) -> Self {
        Self { code, ctrl: true }
    }

    /// The character that it types, if it is one.
    #[must_use]
    pub const fn bare(self) -> Option<char> {
        match self {
            Self { code: Code::Char(c), ctrl: false } => Some(c),
            _ => None,
        }
    }

    /// The key as a terminal sends it: Control knows no case, and three letters with it are keys of their own.
    #[must_use]
    pub const fn as_sent(self) -> Self {
        let Self { code: Code::Char(c), ctrl: true } = self else { return self };
        match c.to_ascii_lowercase() {
            'i' => Self::plain(Code::Tab),
            'm' => Self::plain(Code::Enter),
            '[' => Self::plain(Code::Esc),
            c => Self::ctrl(c),
        }
    }

    /// A key from its name in the configuration: `x`, `ctrl-r`, `f1`, `enter`, `space`.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn parse(name: &str) -> Result<Self, String> {
        let (ctrl, rest) = name.strip_prefix("ctrl-").map_or((false, name), |rest| (true, rest));
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(c), None) => Code::Char(c),
            _ => named(rest).ok_or_else(|| {
                "this is not a key; write a character, `ctrl-x`, `f1`, `enter`, `space`, `up`, …".to_owned()
            })?,
        };
        Ok(Self { code, ctrl }.as_sent())
    }
}

fn named(name: &str) -> Option<Code> {
    Some(match name {
        "enter" => Code::Enter,
        "esc" => Code::Esc,
        "backspace" => Code::Backspace,
        "delete" => Code::Delete,
        "tab" => Code::Tab,
        "shift-tab" => Code::BackTab,
        "up" => Code::Up,
        "down" => Code::Down,
        "left" => Code::Left,
        "right" => Code::Right,
        "home" => Code::Home,
        "end" => Code::End,
        "pageup" => Code::PageUp,
        "pagedown" => Code::PageDown,
        "space" => Code::Char(' '),
        _ => {
            return name.strip_prefix('f')?.parse().ok().filter(|n| (1..=12).contains(n)).map(Code::F);
        }
    })
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        match self.code {
            Code::Char(' ') => f.write_str("Space"),
            Code::Char(c) if self.ctrl => write!(f, "{}", c.to_ascii_uppercase()),
            Code::Char(c) => write!(f, "{c}"),
            Code::Enter => f.write_str("Enter"),
            Code::Esc => f.write_str("Esc"),
            Code::Backspace => f.write_str("Backspace"),
            Code::Delete => f.write_str("Delete"),
            Code::Tab => f.write_str("Tab"),
            Code::BackTab => f.write_str("Shift-Tab"),
            Code::Up => f.write_str("↑"),
            Code::Down => f.write_str("↓"),
            Code::Left => f.write_str("←"),
            Code::Right => f.write_str("→"),
            Code::Home => f.write_str("Home"),
            Code::End => f.write_str("End"),
            Code::PageUp => f.write_str("PgUp"),
            Code::PageDown => f.write_str("PgDn"),
            Code::F(n) => write!(f, "F{n}"),
        }
    }
}
