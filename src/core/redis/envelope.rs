//! What a dead letter holds: the job as it was, out of the envelope that somebody's own code put around it. Pure.

use serde_json::{Map, Value};

/// Where in a dead letter's data the parts of the job are, as JSON pointers; what is not given is guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The job's own data.
    pub payload: Option<String>,
    /// The queue it came from.
    pub queue: Option<String>,
    /// Its id there.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its options.
    pub options: Option<String>,
}

/// How a redrive is braked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brake {
    /// Jobs per second, after the first eleven.
    pub per_second: u32,
    /// It stops when more than this share of the redriven jobs has failed again, in percent.
    pub stop_above_percent: u32,
}

impl Default for Brake {
    fn default() -> Self {
        Self { per_second: 20, stop_above_percent: 20 }
    }
}

/// A job as it would be put back.
#[derive(Clone, Debug, PartialEq)]
pub struct Original {
    /// The queue it came from, if the letter says so.
    pub queue: Option<String>,
    /// Its id there, if the letter says so.
    pub id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its data, as JSON.
    pub data: String,
    /// Its options, without what must not come back (`jobId`, `repeat`, `parent`, `delay`, deduplication).
    pub options: Value,
    /// What was found where, for people.
    pub how: String,
}

/// Names by which public code calls these parts, the most telling first.
const PAYLOADS: [&str; 6] = ["originalData", "originalJobData", "jobData", "data", "payload", "job"];
const QUEUES: [&str; 5] = ["originalQueue", "sourceQueue", "__sourceQueue", "queueName", "queue"];
const IDS: [&str; 2] = ["originalJobId", "jobId"];
const NAMES: [&str; 3] = ["originalJobName", "jobName", "name"];
const OPTIONS: [&str; 3] = ["originalOpts", "opts", "options"];
/// Signs of an envelope beside the payload.
const SIGNS: [&str; 12] = [
    "failedReason",
    "failureReason",
    "error",
    "errorMessage",
    "reason",
    "failedAt",
    "originalQueue",
    "sourceQueue",
    "queueName",
    "originalJobId",
    "jobId",
    "attemptsMade",
];
/// Options that belong to the first life of a job.
const DROPPED: [&str; 8] =
    ["jobId", "repeat", "parent", "delay", "timestamp", "de", "deduplication", "prevMillis"];

/// The job inside the letter called `name` with `data` and `opts` (both JSON).
#[must_use]
pub fn open(envelope: &Envelope, name: &str, data: &str, opts: &str) -> Original {
    let parsed = serde_json::from_str::<Value>(data).unwrap_or(Value::Null);
    let none = Map::new();
    let fields = parsed.as_object().unwrap_or(&none);
    let payload_key = PAYLOADS.into_iter().find(|key| fields.contains_key(*key));
    let enveloped = envelope.payload.is_some()
        || (payload_key.is_some() && SIGNS.iter().any(|sign| fields.contains_key(*sign)));
    let mut found = Vec::new();
    let mut part = |pointer: &Option<String>, keys: &[&str], what: &str| -> Option<Value> {
        if let Some(pointer) = pointer {
            let value = parsed.pointer(pointer).cloned();
            found.push(format!("{what} {pointer}{}", if value.is_none() { " (not there)" } else { "" }));
            return value;
        }
        if !enveloped {
            return None;
        }
        let key = keys.iter().find(|key| fields.get(**key).is_some_and(|value| !value.is_null()))?;
        found.push(format!("{what} /{key}"));
        fields.get(*key).cloned()
    };
    let payload = part(&envelope.payload, &PAYLOADS, "data");
    let queue = part(&envelope.queue, &QUEUES, "queue");
    let id = part(&envelope.id, &IDS, "id");
    let own_name = part(&envelope.name, &NAMES, "name");
    let own_options = part(&envelope.options, &OPTIONS, "options");
    // Some keep the whole job: { job: { data, opts, … } }.
    let inner = payload.as_ref().filter(|_| payload_key == Some("job") && envelope.payload.is_none());
    let payload = inner.and_then(|job| job.get("data")).cloned().or(payload);
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let how = match (&payload, found.is_empty()) {
        (None, _) if !enveloped => "no envelope: the letter's own data is the job's".to_owned(),
        (_, true) => "no envelope: the letter's own data is the job's".to_owned(),
        _ => found.join(", "),
    };
    let options = own_options.or_else(|| serde_json::from_str(opts).ok());
    Original {
        queue: text(queue),
        id: text(id),
        name: text(own_name).unwrap_or_else(|| bare(name).to_owned()),
        data: payload.map_or_else(|| data.to_owned(), |value| value.to_string()),
        options: kept(options),
        how,
    }
}

/// A letter's own name is often that of the job with something in front.
fn bare(name: &str) -> &str {
    ["dlq-", "dlq:", "failed-", "dead-"]
        .into_iter()
        .find_map(|front| name.strip_prefix(front))
        .unwrap_or(name)
}

fn kept(options: Option<Value>) -> Value {
    let mut fields = match options {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields.retain(|key, _| !DROPPED.contains(&key.as_str()));
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(data: &str, expected: (Option<&str>, Option<&str>, &str, &str)) {
        let found = open(&Envelope::default(), "dlq-send", data, r#"{"attempts":3,"jobId":"x","delay":5}"#);
        let got = (found.queue.as_deref(), found.id.as_deref(), found.name.as_str(), found.data.as_str());
        assert_eq!(got, expected, "{}", found.how);
    }

    #[test]
    fn envelopes_of_public_code_are_opened() {
        check(
            r#"{"originalQueue":"emails","originalJobId":7,"originalData":{"to":"a"},"failedReason":"x"}"#,
            (Some("emails"), Some("7"), "send", r#"{"to":"a"}"#),
        );
        check(
            r#"{"queueName":"emails","jobId":"9","jobName":"welcome","data":{"n":1},"error":"x"}"#,
            (Some("emails"), Some("9"), "welcome", r#"{"n":1}"#),
        );
        check(r#"{"job":{"data":{"n":2}},"reason":"x"}"#, (None, None, "send", r#"{"n":2}"#));
    }

    #[test]
    fn data_without_an_envelope_is_left_as_it_is() {
        // "data" alone is somebody's payload, not a sign of an envelope.
        for data in [r#"{"data":{"n":1},"to":"x"}"#, r#"{"order":5}"#, "[1,2]", "not json"] {
            check(data, (None, None, "send", data));
        }
    }

    #[test]
    fn pointers_of_the_configuration_win_and_old_options_are_dropped() {
        let envelope = Envelope { payload: Some("/body/it".into()), ..Envelope::default() };
        let opts = r#"{"attempts":3,"backoff":{"type":"fixed"},"jobId":"x","delay":5,"repeat":{"every":1}}"#;
        let found = open(&envelope, "send", r#"{"body":{"it":[1]},"data":2}"#, opts);
        assert_eq!(found.data, "[1]");
        assert_eq!(found.options, serde_json::json!({"attempts":3,"backoff":{"type":"fixed"}}));
        assert!(found.how.contains("data /body/it"), "{}", found.how);
    }
}
