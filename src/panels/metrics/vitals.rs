//! How the process behind an endpoint is, in one line; and a line for each of its pools.

use crate::core::metrics::{COLLECTING, EVENT_LOOP, FILES, HEAP, MetricsState, POOL};
use crate::core::world::TargetState;
use crate::panels::panel::PanelContext;
use crate::ui::content::{Line, Role};
use crate::ui::format::{bytes, count, percent, seconds};

/// Pools beyond this are not listed.
const MOST_POOLS: usize = 6;

/// What is told of it; nothing where nothing is.
pub(super) fn lines(
    context: PanelContext<'_>,
    target: &TargetState,
    state: &MetricsState,
    role: Role,
) -> Vec<Line> {
    let graded = |spec, value: Option<f64>| context.grade_on(spec, &target.id, value).map_or(role, Role::of);
    let signs = state.signs;
    let mut told: Vec<(Role, String)> = Vec::new();
    if let Some(late) = signs.late {
        told.push((graded(&EVENT_LOOP.spec, Some(late)), format!("event loop {} late", seconds(Some(late)))));
    }
    if let Some(heap) = signs.heap {
        let of = signs.heap_limit.map_or(String::new(), |limit| format!(" of {}", bytes(limit)));
        told.push((graded(&HEAP.spec, signs.heap_used()), format!("heap {}{of}", bytes(heap))));
    }
    if let Some(share) = signs.collecting {
        let text = format!("garbage collected {} of the time", percent(share));
        told.push((graded(&COLLECTING.spec, Some(share)), text));
    }
    if let Some(handles) = signs.handles {
        told.push((role, format!("{} handles", count(handles))));
    }
    if let Some(files) = signs.files {
        let of = signs.most_files.map_or(String::new(), |most| format!(" of {}", count(most)));
        told.push((graded(&FILES.spec, signs.files_used()), format!("files {}{of}", count(files))));
    }
    let mut lines = Vec::new();
    if !told.is_empty() {
        let line =
            told.iter().enumerate().fold(Line::of(Role::Muted, "process "), |line, (at, (role, text))| {
                let line = if at > 0 { line.then(Role::Muted, " · ") } else { line };
                line.then(*role, text)
            });
        lines.push(line);
    }
    let mut pools = state.pools();
    pools.sort_by(|a, b| (b.used / b.most).total_cmp(&(a.used / a.most)));
    lines.extend(pools.iter().take(MOST_POOLS).map(|pool| {
        let waiting = if pool.waiting >= 1.0 {
            format!(", {} wait for one", count(pool.waiting))
        } else {
            String::new()
        };
        let text = format!("{} of {} connections in use{waiting}", count(pool.used), count(pool.most));
        Line::of(Role::Muted, format!("pool {} ", pool.name))
            .then(graded(&POOL.spec, Some(pool.used / pool.most)), text)
    }));
    lines
}
