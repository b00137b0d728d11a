//! How much a whole project may stand for. Each file has its own limits; a few lines can name one file, extend one service or repeat one
//! variable a thousand times.

use std::cell::Cell;

/// No project that people wrote says more, everything that it extends and every file of variables counted each time.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// What is left, in bytes of text.
#[derive(Debug)]
pub(in crate::config::discover) struct Room(Cell<usize>);

impl Default for Room {
    fn default() -> Self {
        Self(Cell::new(MOST_BYTES))
    }
}

impl Room {
    /// Takes so much of it.
    ///
    /// # Errors
    /// When there is not so much left; from then on there is none.
    pub(super) fn take(&self, bytes: usize) -> Result<(), String> {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or_default());
        left.map(|_| ()).ok_or_else(Self::told)
    }

    /// Said where something was left out because of it.
    pub(super) fn spent(&self) -> Option<String> {
        (self.0.get() == 0).then(Self::told)
    }

    fn told() -> String {
        format!(
            "with what it repeats the project is larger than {} MiB: what is beyond that is not read",
            MOST_BYTES >> 20
        )
    }
}
