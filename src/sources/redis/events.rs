//! How large the events of a queue are, before any of them is read.

use super::connection::Connection;
use super::decode::number;
use crate::core::redis::QueueRef;
use redis::{RedisError, Value, pipe};

/// The size of one event where it is not known, and the least, in bytes.
pub(super) const UNKNOWN_BYTES: u64 = 16 * 1024;
const LEAST_BYTES: u64 = 128;
/// Places of a stream that its mean size is taken from.
const SAMPLES: usize = 10;

/// The mean size of an event of each of `queues`, in bytes, where the server tells it, and how many there are.
pub(super) async fn event_sizes(
    connection: &mut Connection,
    queues: &[&QueueRef],
) -> Result<Vec<(Option<u64>, u64)>, RedisError> {
    let mut ask = pipe();
    ask.ignore_errors();
    for queue in queues {
        let events = queue.key("events");
        ask.cmd("MEMORY").arg("USAGE").arg(&events).arg("SAMPLES").arg(SAMPLES).cmd("XLEN").arg(&events);
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let size = |answer: &[Value]| {
        let whole = |at: usize| answer.get(at).and_then(number).and_then(|n| u64::try_from(n).ok());
        let mean = match (whole(0), whole(1)) {
            (Some(bytes), Some(length)) if length > 0 => Some((bytes / length).max(LEAST_BYTES)),
            (_, Some(0)) => Some(LEAST_BYTES),
            _ => None,
        };
        (mean, whole(1).unwrap_or(0))
    };
    Ok(values.chunks(2).map(size).collect())
}

/// Bytes that one event of `queue` takes, carefully where that is not known.
pub(super) async fn event_bytes(connection: &mut Connection, queue: &QueueRef) -> Result<u64, RedisError> {
    let sizes = event_sizes(connection, &[queue]).await?;
    Ok(sizes.first().and_then(|(mean, _)| *mean).unwrap_or(UNKNOWN_BYTES))
}
