//! What an incident is: where it is played, and what is true of it.

use crate::core::ids::SystemKind;
use crate::core::reading::Reading;
use crate::core::time::Now;

/// A finding by its rule and its target.
pub(super) type Named = (&'static str, &'static str);

/// An incident, and what is true of it.
pub(super) struct Incident {
    pub name: &'static str,
    pub scene: Scene,
    /// So many seconds of it are played.
    pub lasts: u64,
    /// When it begins, in seconds since the start.
    pub begins: f64,
    /// What brought it about.
    pub root: Named,
    /// What it brings about. Whatever else is found is of something else.
    pub effects: &'static [Named],
    /// What else is true of the same minutes: a cause and its effect.
    pub beside: &'static [(Named, Named)],
}

/// Where an incident is played.
#[derive(Clone, Copy)]
pub(super) enum Scene {
    /// The embedded stack.
    Embedded,
    /// A few targets that were made for it.
    Small(&'static Small),
}

/// A few targets.
pub(super) struct Small {
    /// Each with its name, its kind and its address; asked every second.
    pub targets: &'static [(&'static str, SystemKind, &'static str)],
    /// Which service is said to depend on which target.
    pub depends: &'static [(&'static str, &'static str)],
    /// What a look at the target of this name shows at that moment, so many seconds after the start.
    pub shows: fn(&str, u64, Now) -> Reading,
}
