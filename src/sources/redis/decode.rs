//! From Redis values to ours. Pure; text is read lossily.

use redis::Value;

/// A text, or nothing.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Okay => Some("OK".to_owned()),
        _ => None,
    }
}

/// A whole number, or nothing.
pub(super) fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Boolean(flag) => Some(i64::from(*flag)),
        other => text(other)?.parse().ok(),
    }
}

/// A count that is not negative; zero for what cannot be read.
pub(super) fn count(value: Option<&Value>) -> u64 {
    value.and_then(number).and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// The elements of a list.
pub(super) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) | Value::Set(items) => items,
        _ => &[],
    }
}

/// `TIME` in milliseconds.
pub(super) fn time(value: &Value) -> Option<i64> {
    let items = list(value);
    Some(number(items.first()?)? * 1000 + number(items.get(1)?)? / 1000)
}

/// Members with their scores, as RESP2 lists them.
pub(super) fn scored(value: &Value) -> Vec<(String, f64)> {
    list(value)
        .chunks(2)
        .filter_map(|pair| Some((text(pair.first()?)?, text(pair.get(1)?)?.parse().ok()?)))
        .collect()
}
