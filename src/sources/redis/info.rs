//! `INFO` as text → the server. Pure; unknown lines are ignored, missing ones stay absent.

use crate::core::redis::{RedisReplica, RedisServer};
use std::collections::HashMap;
use std::time::Duration;

/// The server's own clock in milliseconds since 1970.
pub(super) fn server_millis(text: &str) -> Option<i64> {
    let micros = text.lines().find_map(|line| line.trim().strip_prefix("server_time_usec:"))?;
    micros.parse::<i64>().ok().map(|micros| micros / 1000)
}

/// Reads the answer of `INFO`.
pub(super) fn server(text: &str) -> RedisServer {
    let fields: HashMap<&str, &str> = text.lines().filter_map(|line| line.trim().split_once(':')).collect();
    let get = |name: &str| fields.get(name).copied();
    let number = |name: &str| get(name).and_then(|value| value.parse::<f64>().ok());
    let whole = |name: &str| get(name).and_then(|value| value.parse::<u64>().ok());
    let role = get("role").unwrap_or_default();
    RedisServer {
        version: get("valkey_version").or_else(|| get("redis_version")).unwrap_or_default().to_owned(),
        run_id: get("run_id").unwrap_or_default().to_owned(),
        role: role.to_owned(),
        uptime: whole("uptime_in_seconds").map(Duration::from_secs),
        used_memory_bytes: number("used_memory"),
        maxmemory_bytes: number("maxmemory").filter(|most| *most > 0.0),
        system_memory_bytes: number("total_system_memory"),
        policy: get("maxmemory_policy").map(str::to_owned),
        clients: whole("connected_clients"),
        maxclients: whole("maxclients"),
        blocked_clients: whole("blocked_clients"),
        ops_per_second: number("instantaneous_ops_per_sec"),
        hits_total: number("keyspace_hits"),
        misses_total: number("keyspace_misses"),
        evicted_total: number("evicted_keys"),
        rejected_total: number("rejected_connections"),
        rdb_ok: get("rdb_last_bgsave_status").map(|status| status == "ok"),
        aof_ok: (get("aof_enabled") == Some("1"))
            .then(|| get("aof_last_write_status").map(|status| status == "ok"))
            .flatten(),
        loading: get("loading") == Some("1"),
        loaded_ratio: number("loading_loaded_perc").map(|percent| percent / 100.0),
        loading_left: whole("loading_eta_seconds").map(Duration::from_secs),
        link_up: (role == "slave").then(|| get("master_link_status") == Some("up")),
        replicas: replicas(&fields, number("master_repl_offset")),
        errors_total: fields
            .iter()
            .filter_map(|(name, value)| {
                let word = name.strip_prefix("errorstat_")?;
                Some((word.to_owned(), value.strip_prefix("count=")?.parse().ok()?))
            })
            .collect(),
    }
}

/// `slave0:ip=…,port=…,state=…,offset=…,lag=…`.
fn replicas(fields: &HashMap<&str, &str>, offset: Option<f64>) -> Vec<RedisReplica> {
    let mut list: Vec<RedisReplica> = fields
        .iter()
        .filter(|(name, _)| {
            name.strip_prefix("slave")
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
        })
        .map(|(_, value)| {
            let parts: HashMap<&str, &str> =
                value.split(',').filter_map(|pair| pair.split_once('=')).collect();
            let part = |name: &str| parts.get(name).copied().unwrap_or_default();
            let own: f64 = part("offset").parse().unwrap_or(0.0);
            RedisReplica {
                address: format!("{}:{}", part("ip"), part("port")),
                state: part("state").to_owned(),
                behind_bytes: offset.map_or(0.0, |offset| (offset - own).max(0.0)),
            }
        })
        .collect();
    list.sort_by(|a, b| a.address.cmp(&b.address));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_primary_with_a_replica() {
        let text = "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\nuptime_in_seconds:60\r\n# Memory\r\nused_memory:1000\r\nmaxmemory:0\r\n\
            maxmemory_policy:noeviction\r\nrole:master\r\nmaster_repl_offset:500\r\nslave0:ip=10.0.0.2,port=6379,state=online,offset=450,lag=0\r\n\
            slave_read_only:1\r\nrdb_last_bgsave_status:err\r\naof_enabled:0\r\naof_last_write_status:ok\r\nerrorstat_OOM:count=7\r\nloading:0\r\n";
        let server = server(text);
        assert_eq!((server.version.as_str(), server.maxmemory_bytes, server.link_up), ("7.0.15", None, None));
        assert_eq!(server.rdb_ok, Some(false));
        assert_eq!(server.aof_ok, None);
        assert_eq!(server.errors_total.get("OOM"), Some(&7.0));
        assert_eq!(server.replicas.len(), 1);
        assert!((server.replicas[0].behind_bytes - 50.0).abs() < 1e-9);
    }
}
