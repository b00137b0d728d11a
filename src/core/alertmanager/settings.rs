//! What the configuration says of an Alertmanager beyond how it is reached: nothing yet.

/// The settings of one Alertmanager.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertmanagerSettings;
