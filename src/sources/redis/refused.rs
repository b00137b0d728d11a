//! What a refusal means: which part of a reading it costs, and what would permit it. A refusal is never the whole target and never a zero.

use crate::core::part::{Gap, GapKind};
use crate::core::redis::QueueRef;
use crate::core::text::{counted, tidy};
use redis::{Arg, Cmd, Pipeline, RedisError, ServerError, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

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
        Value::ServerError(error) if is_refusal(error) => {
            Some(tidy(error.details().unwrap_or_default(), WORDS))
        }
        _ => None,
    })
}

/// Whether a server says that this may not be asked, or that it has no such command (hosted ones rename some). A key of another kind is no
/// refusal.
fn is_refusal(error: &ServerError) -> bool {
    let unknown = |words: &str| words.to_ascii_lowercase().starts_with("unknown command");
    error.code() == "NOPERM" || (error.code() == "ERR" && error.details().is_some_and(unknown))
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
    let permit = if is_about_keys(words) {
        format!("permit the keys ~{}:*", tidy(&queue.prefix, 40))
    } else {
        words.clone()
    };
    let note = format!("{which} ({permit})");
    Some(Gap::new(GapKind::NotPermitted, note))
}

/// A refusal is told for so long: what is asked seldom is asked again by then.
const TOLD: Duration = Duration::from_secs(90);
/// Commands of which the second word says what they do.
const CONTAINERS: [&str; 8] = ["ACL", "CLIENT", "CLUSTER", "CONFIG", "LATENCY", "MEMORY", "SLOWLOG", "XINFO"];

/// The commands that were refused on a connection lately, whoever asked them: whatever a part makes of it, it is told.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals(Arc<Mutex<BTreeMap<String, Instant>>>);

impl Refusals {
    /// Notes it where this answer to a command is a refusal.
    pub(super) fn note(&self, cmd: &Cmd, value: &Value) {
        if let Value::ServerError(error) = value
            && is_refusal(error)
        {
            self.add(cmd, error.details().unwrap_or_default());
        }
    }

    /// The same for an error.
    pub(super) fn err(&self, cmd: &Cmd, error: &RedisError) {
        if error.code() == Some("NOPERM") {
            self.add(cmd, error.detail().unwrap_or_default());
        }
    }

    /// The same for each of a pipeline.
    pub(super) fn note_all(&self, pipeline: &Pipeline, values: &[Value]) {
        if values.iter().any(|value| matches!(value, Value::ServerError(_))) {
            pipeline.cmd_iter().zip(values).for_each(|(cmd, value)| self.note(cmd, value));
        }
    }

    fn add(&self, cmd: &Cmd, words: &str) {
        let mut its = cmd.args_iter().filter_map(|arg| match arg {
            Arg::Simple(bytes) => Some(String::from_utf8_lossy(bytes).to_ascii_uppercase()),
            _ => None,
        });
        let Some(mut name) = its.next() else { return };
        if CONTAINERS.contains(&name.as_str())
            && let Some(second) = its.next()
        {
            name = format!("{name} {second}");
        }
        if is_about_keys(words) {
            name.push_str(" (of some keys)");
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Instant::now());
    }

    /// Those of the last while, in order.
    pub(super) fn told(&self) -> Vec<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, at| at.elapsed() < TOLD);
        all.keys().cloned().collect()
    }
}

/// The server says of a command that it may not be run, of a key that it may not be read.
fn is_about_keys(words: &str) -> bool {
    words.contains("key") && !words.contains("command")
}
