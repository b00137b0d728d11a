//! What the overview says of a Redis server and its queues in one line.

use crate::core::text::counted;
use crate::core::world::TargetState;
use crate::panels::signals::Told;
use crate::ui::format::{bytes, count, or_dash, rate};

pub(in crate::panels) fn signal(target: &TargetState) -> Option<Told> {
    let state = target.system.redis()?;
    let reading = state.reading()?;
    // What could not be read is not zero.
    let queues = reading.queues.ready().map_or_else(
        || "queues not known".to_owned(),
        |queues| {
            let lines = queues.iter().filter(|queue| queue.dead_letter.is_none());
            let backlog: u64 = lines.map(|queue| queue.backlog()).sum();
            let dead: u64 = queues.iter().map(|queue| queue.dead()).sum();
            let many = counted(queues.len(), "queue");
            format!("{many}, {} waiting, {} failed", count(backlog as f64), count(dead as f64))
        },
    );
    let text = format!(
        "{} ops · memory {} · {queues}",
        or_dash(reading.server.ops_per_second, rate),
        or_dash(reading.server.used_memory_bytes, bytes),
    );
    Some((text, Some("commands")))
}
