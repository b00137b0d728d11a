//! What of a job's data is not shown is not shown in the log, either: the names that a Redis target masks hold for every Loki and every log beside it.

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
        let masks = if let Connect::Loki(loki) = &mut target.connect {
            &mut loki.masks
        } else if let Connect::Log(log) = &mut target.connect {
            &mut log.masks
        } else {
            continue;
        };
        masks.extend(names.iter().cloned());
        masks.sort_unstable();
        masks.dedup();
    }
}
