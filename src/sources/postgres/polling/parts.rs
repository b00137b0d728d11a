//! From the rows of a question to one part of a reading.

use crate::core::part::{Gap, GapKind, Part};
use crate::sources::postgres::connection::{self, Row, gap};
use crate::sources::postgres::refusals::Refused;

/// What was answered, or why nothing was.
pub(super) type Answer<T> = Result<T, Refused>;

/// An error that broke the connection is everybody's, any other is an answer.
pub(super) fn answer<T>(asked: Result<T, Refused>) -> Result<Answer<T>, Refused> {
    match asked {
        Err(error) if connection::is_broken(&error) => Err(error),
        other => Ok(other),
    }
}

/// Rows to a part: an error that broke the connection is everybody's, any other is this part's.
pub(super) fn part<T>(
    result: Result<Vec<Row>, Refused>,
    what: &str,
    decode: impl FnOnce(Vec<Row>) -> Option<T>,
) -> Result<Part<T>, Refused> {
    match result {
        Ok(rows) => Ok(decode(rows).map_or_else(
            || Part::Unavailable(Gap::new(GapKind::Failed, format!("{what}: the server gave no row"))),
            Part::Ready,
        )),
        Err(error) if connection::is_broken(&error) => Err(error),
        Err(error) => Ok(Part::Unavailable(gap(&error, what))),
    }
}

pub(super) fn all<T>(decode: impl Fn(&Row) -> T) -> impl FnOnce(Vec<Row>) -> Option<Vec<T>> {
    move |rows| Some(rows.iter().map(decode).collect())
}

pub(super) fn first<T>(decode: impl Fn(&Row) -> T) -> impl FnOnce(Vec<Row>) -> Option<T> {
    move |rows| rows.first().map(decode)
}
