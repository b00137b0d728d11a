//! A target that cannot be used: every poll says why, and nothing is connected to.

use super::source::Source;
use crate::core::focus::Focus;
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use futures_util::future::BoxFuture;

/// Says why, and what to do about it.
#[derive(Clone, Debug)]
pub struct Unusable(pub String);

impl Unusable {
    /// What comes of every try.
    #[must_use]
    pub fn error(&self) -> PollError {
        PollError::new(PollErrorKind::Configuration, self.0.clone())
            .remedy("mend it and start stacktop again; the other targets are watched")
    }
}

impl Source for Unusable {
    fn poll<'a>(&'a mut self, _now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(std::future::ready(Err(self.error())))
    }
}
