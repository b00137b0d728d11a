//! What of a server is read every ten seconds though nobody looks: how often it was emptied, and the newest entries of its slow log.

use super::connection::Connection;
use super::decode::{list, text};
use super::server;
use crate::core::redis::Background;
use redis::{RedisError, Value, pipe};

/// Entries of the slow log that are read: those since the last look, unless very many commands are slow.
const SLOW: usize = 32;

/// Reads it; what is not permitted is a gap of its own.
pub(super) async fn read(connection: &mut Connection, millis: i64) -> Result<Background, RedisError> {
    let mut ask = pipe();
    ask.ignore_errors();
    ask.cmd("INFO").arg("commandstats").cmd("SLOWLOG").arg("GET").arg(SLOW);
    let values: Vec<Value> = ask.query_async(connection).await?;
    let stats = values.first().and_then(text).unwrap_or_default();
    Ok(Background {
        flushes_total: flushes(&stats),
        slow: server::part(values.get(1), "the slow log", "+slowlog|get", |value| {
            list(value).iter().filter_map(|entry| server::slow(entry, millis)).collect()
        }),
    })
}

/// How often all keys of a database were thrown away; none where the server does not count commands.
fn flushes(stats: &str) -> Option<f64> {
    if !stats.contains("cmdstat_") {
        return None;
    }
    let calls = |line: &str| -> Option<f64> {
        let (name, values) = line.trim().split_once(':')?;
        let flush = matches!(name, "cmdstat_flushall" | "cmdstat_flushdb");
        let calls = values.split(',').find_map(|pair| pair.strip_prefix("calls=")).filter(|_| flush)?;
        // One that was refused emptied nothing.
        let refused = |what: &str| {
            let count = values.split(',').find_map(|pair| pair.strip_prefix(what));
            count.and_then(|count| count.parse::<f64>().ok()).unwrap_or(0.0)
        };
        // What was rejected is not among the calls; what failed is.
        Some(calls.parse::<f64>().ok()? - refused("failed_calls="))
    };
    Some(stats.lines().filter_map(calls).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stats: &str, expected: Option<f64>) {
        assert_eq!(flushes(stats), expected);
    }

    #[test]
    fn a_flush_is_counted_and_one_that_failed_is_none() {
        check("", None);
        check("# Commandstats\r\ncmdstat_get:calls=10,usec=50\r\n", Some(0.0));
        let all = "cmdstat_flushall:calls=3,usec=9,usec_per_call=3.00,rejected_calls=1,failed_calls=1\r\n\
             cmdstat_flushdb:calls=2,usec=9\r\n";
        check(all, Some(4.0));
    }
}
