//! One column of a table: its heading, its width, and when it gives way.

use std::borrow::Cow;

/// How wide a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Exactly this many columns.
    Fixed(u16),
    /// At least this many, and a share of what is left.
    Flex(u16),
}

/// What becomes of a text that has no room in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Long {
    /// Its end is cut off.
    Cut,
    /// Its beginning is cut off: that is the same in others.
    Ending,
    /// What has no room on the line of its row stands below it, on at most so many lines.
    Below(usize),
}

/// Whether it is told of a number that it is another one than it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    /// It is not.
    Untold,
    /// It is.
    Told,
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its heading.
    pub title: Cow<'static, str>,
    /// How wide it is.
    pub width: Width,
    /// Numbers stand at the right.
    pub right: bool,
    /// 0 is always shown; the highest goes first when the screen is narrow.
    pub priority: u8,
    /// What becomes of texts that have no room in it.
    pub long: Long,
    /// What stands in it is hidden while others look on, but for the name of a command.
    pub private: bool,
    /// Beside its numbers stands whether each is more or less than it was.
    pub changes: Changes,
}

impl Column {
    /// A column of exactly `width`, text at the left.
    #[must_use]
    pub fn fixed(title: impl Into<Cow<'static, str>>, width: u16, priority: u8) -> Self {
        Self {
            title: title.into(),
            width: Width::Fixed(width),
            right: false,
            priority,
            long: Long::Cut,
            private: false,
            changes: Changes::Untold,
        }
    }

    /// A column of exactly `width`, numbers at the right.
    #[must_use]
    pub fn number(title: impl Into<Cow<'static, str>>, width: u16, priority: u8) -> Self {
        Self { right: true, ..Self::fixed(title, width, priority) }
    }

    /// A column that takes what is left, at least `least`.
    #[must_use]
    pub fn flex(title: impl Into<Cow<'static, str>>, least: u16, priority: u8) -> Self {
        Self { width: Width::Flex(least), ..Self::fixed(title, least, priority) }
    }

    /// The same column; what stands in it is hidden while others look on.
    #[must_use]
    pub const fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// The same column; what of it has no room on the line of its row stands below it.
    #[must_use]
    pub const fn below(mut self) -> Self {
        self.long = Long::Below(1);
        self
    }

    /// The same column; what of it has no room on the line of its row stands below it, on at most so many lines.
    #[must_use]
    pub const fn below_on(mut self, lines: usize) -> Self {
        self.long = Long::Below(lines);
        self
    }

    /// The same column; of what has no room in it the end is shown, as of paths.
    #[must_use]
    pub const fn ending(mut self) -> Self {
        self.long = Long::Ending;
        self
    }

    /// The same column; beside its numbers stands whether each is more or less than some seconds ago. Not for ages, which always are.
    #[must_use]
    pub const fn changing(mut self) -> Self {
        self.changes = Changes::Told;
        self
    }
}
