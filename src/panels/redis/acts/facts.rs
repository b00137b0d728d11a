//! Lines of a preview that several acts have.

use crate::core::redis::QueueReading;

pub(in crate::panels) fn fact(label: &str, value: impl Into<String>) -> (String, String) {
    (label.to_owned(), value.into())
}

pub(in crate::panels) fn owner(reading: &QueueReading) -> (String, String) {
    fact("owner", format!("{} ({})", reading.evidence.family, reading.evidence.why))
}
