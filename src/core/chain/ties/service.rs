//! Ties within one service, by what it measures of itself; and of clocks.

use crate::core::alert::Finding;
use crate::core::chain::edge::{Evidence, together};
use crate::core::chain::known::Known;
use crate::core::metrics::Operation;
use crate::core::source_rules::clock_of;
use crate::core::text::lasting;
use crate::core::time::span_of;

/// Ages that are wrong by a clock are as large as the clock is off, give or take.
const ABOUT_SECONDS: f64 = 15.0;

/// One service measures both.
pub(in crate::core::chain) fn same_service(
    _: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    together(cause, effect)
        .then(|| format!("{} measures both", cause.breach.target))
        .and_then(Evidence::likely)
}

/// The requests of one service that fail are those that its budget counts.
pub(in crate::core::chain) fn its_requests(
    _: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let of_requests = Operation::ALL
        .into_iter()
        .filter(|operation| operation.is_request())
        .any(|operation| effect.breach.subject.starts_with(&format!("{} ", operation.word())));
    (together(cause, effect) && of_requests)
        .then(|| format!("{} counts both among its requests", cause.breach.target))
        .and_then(Evidence::certain)
}

/// An age that is about as large as the clock of that server is ahead.
pub(in crate::core::chain) fn wrong_age(
    known: &Known<'_>,
    cause: &Finding,
    effect: &Finding,
) -> Option<Evidence> {
    let target = known.target(&cause.breach.target).filter(|_| together(cause, effect))?;
    let ahead = clock_of(target).filter(|ahead| *ahead > 0.0)?;
    let age = match target.system.postgres() {
        Some(state) => state.reading()?.standby.ready().and_then(|_| state.standby_lag())?,
        None => effect.breach.value?,
    };
    let span = |seconds: f64| lasting(span_of(seconds.max(0.0)));
    ((age - ahead).abs() <= ABOUT_SECONDS)
        .then(|| format!("the age is {} by a clock that is {} ahead of ours", span(age), span(ahead)))
        .and_then(Evidence::certain)
}
