//! The rows that a probe has.

/// What a row of a probe stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProbeRow {
    /// The probe itself.
    Probe,
}
