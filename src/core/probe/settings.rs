//! What the configuration says of a probe beyond how it is reached.

/// The settings of one probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbeSettings {
    /// The address of a page about it: a dashboard, a console.
    pub link: Option<String>,
}
