//! What a refusal means: which part of a reading it costs, and what would permit it. A refusal is never the whole target and never a zero.

use crate::core::part::{Gap, GapKind};
use crate::core::redis::QueueRef;
use crate::core::text::{counted, tidy};
use redis::{ServerError, Value};
use std::collections::BTreeMap;

/// The words of a refusal that are shown.
const WORDS: usize = 100;

/// Why INFO tells nothing, if it was only refused. `is_redis`: something else showed that it is a Redis server.
pub(super) fn info(error: &ServerError, is_redis: bool) -> Option<Gap> {
    let unknown = error.details().is_some_and(|words| words.to_ascii_lowercase().contains("unknown command"));
    match error.code() {
        "NOPERM" => {
            Some(Gap::new(GapKind::NotPermitted, "INFO is not permitted to this user (permit +info)"))
        }
        "ERR" if unknown && is_redis => {
            Some(Gap::new(GapKind::NotPermitted, "INFO is renamed or switched off on this server"))
        }
        _ => None,
    }
}

/// The first of these answers that is a refusal.
pub(super) fn first(values: &[Value]) -> Option<String> {
    values.iter().find_map(|value| match value {
        Value::ServerError(error) if error.code() == "NOPERM" => {
            Some(tidy(error.details().unwrap_or_default(), WORDS))
        }
        _ => None,
    })
}

/// What is said of queues that are known and may not be read.
pub(super) fn queues(refused: &BTreeMap<QueueRef, String>, all: usize) -> Option<Gap> {
    let (queue, words) = refused.first_key_value()?;
    let refused = refused.len();
    let which = if refused == all {
        "no queue may be read by this user".to_owned()
    } else {
        format!("{refused} of {} may not be read by this user", counted(all, "queue"))
    };
    // The server says of a command that it may not be run, of a key that it may not be read.
    let permit = if words.contains("key") && !words.contains("command") {
        format!("permit the keys ~{}:*", tidy(&queue.prefix, 40))
    } else {
        words.clone()
    };
    let note = format!("{which} ({permit})");
    Some(Gap::new(GapKind::NotPermitted, note))
}
