//! What is asked for over HTTP, made from what is known and kept for a second: who asks more often gets the same again, so that asking
//! costs the run nothing however many ask.

use super::check::{self, Form};
use super::exposition::{Format, written};
use super::families::families;
use super::report::Report;
use super::watching::Seen;
use crate::core::time::Now;
use hyper::body::Bytes;
use std::time::Duration;

/// A page is made anew after this.
const KEPT: Duration = Duration::from_secs(1);

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The numbers.
    Metrics(Format),
    /// The report of `stacktop check`.
    Check,
    /// Whether the run goes on.
    Health,
}

impl Page {
    /// What stands in `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Metrics(format) => format.content_type(),
            Self::Check => "application/json",
            Self::Health => "text/plain; charset=utf-8",
        }
    }
}

/// The pages as they were made last.
#[derive(Debug, Default)]
pub struct Published {
    kept: Vec<(Page, Now, Bytes)>,
}

impl Published {
    /// The page, of this second.
    pub fn page(&mut self, page: Page, seen: Seen<'_>) -> Bytes {
        self.kept.retain(|(_, made, _)| seen.now.since(*made) < KEPT);
        if let Some((.., bytes)) = self.kept.iter().find(|(known, ..)| *known == page) {
            return bytes.clone();
        }
        let text = match page {
            Page::Metrics(format) => written(&families(seen), format),
            Page::Check => check::written(&Report::of(seen), Form::Json),
            Page::Health => "ok\n".to_owned(),
        };
        let bytes = Bytes::from(text);
        self.kept.push((page, seen.now, bytes.clone()));
        bytes
    }
}
