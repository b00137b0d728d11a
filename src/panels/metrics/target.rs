//! What the pages about endpoints and Prometheus share.

use crate::core::freshness::Freshness;
use crate::core::metrics::{MetricsReading, Quantile};
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Cell, Line, Role};
use crate::ui::format::{count, duration, seconds};

pub(super) fn heading(target: &TargetState, about: String, context: PanelContext<'_>) -> Line {
    let line = Line::of(Role::Strong, format!("{} ", target.id));
    match (target.freshness(context.now), target.seen) {
        (_, None) if target.failure.is_some() => line.then(Role::Warning, target.silence(context.now)),
        (_, None) => line.then(Role::Muted, format!("{} · waiting for the first answer", target.address)),
        (Freshness::Late(age), _) => {
            line.then(Role::Muted, about).then(Role::Warning, format!(" · LATE, {} old", duration(age)))
        }
        (Freshness::Lost(age), _) => line
            .then(Role::Muted, about)
            .then(Role::Stale, format!(" · STALE {}: {}", duration(age), target.silence(context.now))),
        (Freshness::Waiting | Freshness::Fresh(_), _) => line.then(Role::Muted, about),
    }
}

pub(super) fn tone(target: &TargetState, context: PanelContext<'_>) -> Role {
    if target.freshness(context.now).is_old() { Role::Stale } else { Role::Text }
}

/// "1 sample", "3.2k samples".
pub(in crate::panels) fn samples(reading: &MetricsReading) -> String {
    let many = reading.len();
    format!("{} sample{}", count(many as f64), if many == 1 { "" } else { "s" })
}

/// A number as short as it can be told.
pub(super) fn figure(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else if value.abs() >= 1000.0 {
        count(value)
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else if value.abs() >= 0.01 {
        format!("{value:.2}")
    } else {
        format!("{value:.2e}")
    }
}

/// A quantile as a cell, of seconds or of milliseconds.
pub(super) fn quantile(value: Option<Quantile>, milliseconds: bool) -> Cell {
    let scale = if milliseconds { 0.001 } else { 1.0 };
    match value {
        None => Cell::number(None, "—"),
        Some(Quantile::Value(value)) => Cell::number(Some(value), seconds(Some(value * scale))),
        Some(Quantile::Above(value)) => {
            Cell::number(Some(value), format!(">{}", seconds(Some(value * scale))))
        }
    }
}
