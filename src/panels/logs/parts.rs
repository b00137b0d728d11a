//! What the list of streams and the pages of lines have in common.

use crate::core::lines::Tone;
use crate::ui::content::Role;

/// Lines of a stream or of a panel reach back so far, in seconds.
pub(super) const BACK: u32 = 900;

/// The role of a line by what it says of itself.
pub(super) const fn role_of(tone: Tone) -> Role {
    match tone {
        Tone::Error => Role::Critical,
        Tone::Warning => Role::Warning,
        Tone::Plain | Tone::Unknown => Role::Text,
        Tone::Quiet => Role::Muted,
    }
}
