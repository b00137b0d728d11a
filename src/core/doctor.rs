//! What `stacktop doctor` finds: per feature whether it works with the rights that there are, and what would make it work.

/// One feature on one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is for the operator: "statements of other sessions".
    pub feature: String,
    /// It works.
    pub works: bool,
    /// What was found.
    pub found: String,
    /// The line that would make it work: a GRANT, an ACL rule, a setting.
    pub remedy: Option<String>,
}

impl Check {
    /// A feature that works.
    pub fn fine(feature: impl Into<String>, found: impl Into<String>) -> Self {
        Self { feature: feature.into(), works: true, found: found.into(), remedy: None }
    }

    /// A feature that does not work, and the remedy.
    pub fn missing(feature: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { feature: feature.into(), works: false, found: found.into(), remedy: Some(remedy.into()) }
    }
}

/// Everything about one target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Feature by feature.
    pub checks: Vec<Check>,
    /// Lines that set up the rights from nothing, to be copied.
    pub setup: Vec<String>,
}
