//! What the overview says of a Redis server and its queues in one line.

use crate::core::world::TargetState;
use crate::panels::signals::Told;
use crate::ui::format::{bytes, count, or_dash, rate, several};

pub(in crate::panels) fn signal(target: &TargetState) -> Option<Told<'_>> {
    let state = target.system.redis()?;
    let reading = state.reading()?;
    let queues = reading.queues.ready().map_or(&[][..], Vec::as_slice);
    let backlog: u64 =
        queues.iter().filter(|queue| queue.dead_letter.is_none()).map(|queue| queue.backlog()).sum();
    let dead: u64 = queues.iter().map(|queue| queue.dead()).sum();
    let text = format!(
        "{} ops · memory {} · {}, {} waiting, {} failed",
        or_dash(reading.server.ops_per_second, rate),
        or_dash(reading.server.used_memory_bytes, bytes),
        several(queues.len(), "queue"),
        count(backlog as f64),
        count(dead as f64)
    );
    Some((text, Some(&state.ops)))
}
