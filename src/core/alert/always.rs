//! The alert that always fires, so that its absence tells of a chain that is broken (a dead man's switch).

/// Its usual names.
const ALWAYS: [&str; 3] = ["Watchdog", "DeadMansSwitch", "DeadMansSnitch"];

/// Whether an alert of this name is one that must always fire: that it does is no finding, whatever its severity says.
#[must_use]
pub fn always_fires(name: &str) -> bool {
    ALWAYS.contains(&name)
}
