//! What the overview says of a Postgres server in one line.

use crate::core::world::TargetState;
use crate::panels::signals::Told;
use crate::ui::format::{bytes, count, or_dash, percent, rate, seconds};

pub(in crate::panels) fn signal(target: &TargetState) -> Option<Told> {
    let state = target.system.postgres()?;
    let reading = state.reading()?;
    if let Some(standby) = reading.standby.ready().filter(|_| reading.server.in_recovery) {
        let text = if standby.behind_bytes == Some(0.0) {
            "copy, caught up".to_owned()
        } else {
            let staleness = seconds(standby.staleness_seconds);
            format!("copy {} behind, {staleness} old", or_dash(standby.behind_bytes, bytes))
        };
        return Some((text, Some("behind")));
    }
    let used = reading.slots.ready().map(|slots| slots.used as f64 / slots.usable().max(1) as f64);
    let waiting = state.waiting().map(|waiting| waiting as f64);
    let text = format!(
        "{} tx · hits {} · connections {} · {} waiting for locks",
        or_dash(state.rates.transactions, rate),
        or_dash(state.rates.hit_ratio, percent),
        or_dash(used, percent),
        or_dash(waiting, count)
    );
    Some((text, Some("transactions")))
}
