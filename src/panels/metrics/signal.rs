//! What the overview says of a Prometheus server, and of an endpoint, in one line.

use crate::core::metrics::Quantile;
use crate::core::part::{GapKind, Part};
use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::metrics::target::samples;
use crate::panels::signals::Told;
use crate::ui::format::{or_dash, percent, rate, seconds};

pub(in crate::panels) fn prometheus(target: &TargetState) -> Option<Told> {
    let state = target.system.prometheus()?;
    let reading = state.reading()?;
    // What could not be read is not zero, and what only evaluates rules has no targets.
    let targets = match (&reading.targets, reading.targets.gap()) {
        (Part::Ready(all), _) => {
            let down = all.iter().filter(|target| target.is_down()).count();
            format!("{}, {down} down · ", counted(all.len(), "target"))
        }
        (_, Some(gap)) if gap.kind == GapKind::NotSupported => String::new(),
        (Part::Unavailable(_) | Part::NotAsked, _) => "targets not known · ".to_owned(),
    };
    let rules = reading.rules.ready().map_or_else(
        || "rules not known".to_owned(),
        |rules| format!("{} firing", counted(rules.firing(), "rule")),
    );
    Some((format!("{targets}{rules}"), None))
}

pub(in crate::panels) fn endpoint(target: &TargetState) -> Option<Told> {
    let state = target.system.metrics()?;
    let reading = state.reading()?;
    let golden = &state.golden;
    if golden.requests.is_none() {
        return Some((samples(reading), None));
    }
    let p95 = match golden.p95 {
        Some(Quantile::Value(value)) => seconds(Some(value)),
        Some(Quantile::Above(value)) => format!("more than {}", seconds(Some(value))),
        None => "—".to_owned(),
    };
    let errors = or_dash(golden.errors, percent);
    let text = format!("{} requests · errors {errors} · p95 {p95}", or_dash(golden.requests, rate));
    Some((text, Some("requests")))
}
