//! What of a job's data is not shown is not shown in the log, either: the names that a Redis target masks hold for every Loki beside it.

use super::target::{Connect, TargetConfig};

/// Gives the names that any target masks to those that show lines.
pub(super) fn share(targets: &mut [TargetConfig]) {
    let mut names: Vec<String> = Vec::new();
    for target in targets.iter() {
        if let Connect::Redis(redis) = &target.connect {
            names.extend(redis.masks.iter().cloned());
        }
    }
    for target in targets {
        if let Connect::Loki(loki) = &mut target.connect {
            loki.masks.extend(names.iter().cloned());
            loki.masks.sort_unstable();
            loki.masks.dedup();
        }
    }
}
