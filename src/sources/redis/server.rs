//! The server in detail: every section of INFO, the slow log, the list of clients. Read while somebody looks, at most every two seconds.

use super::connection::Connection;
use super::decode::{list, number, text};
use crate::core::part::{Gap, GapKind, Part};
use crate::core::redis::{ClientGroup, CommandStat, ServerDetail, SlowEntry};
use crate::core::text::tidy;
use redis::{RedisError, Value, pipe};
use std::collections::BTreeMap;
use std::time::Duration;

/// Entries of the slow log that are read.
const SLOW: usize = 64;

/// Reads all of it; what is not permitted is a gap of its own.
pub(super) async fn read(connection: &mut Connection, millis: i64) -> Result<ServerDetail, RedisError> {
    let mut ask = pipe();
    ask.ignore_errors();
    ask.cmd("INFO").arg("everything").cmd("SLOWLOG").arg("GET").arg(SLOW).cmd("CLIENT").arg("LIST");
    let values: Vec<Value> = ask.query_async(connection).await?;
    let info = values.first().and_then(text).unwrap_or_default();
    let fields: BTreeMap<String, String> = info
        .lines()
        .filter_map(|line| line.trim().split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ok(ServerDetail {
        node: String::new(),
        commands: commands(&fields),
        keyspace: keyspace(&fields),
        slow: part(values.get(1), "the slow log", "+slowlog|get", |value| {
            list(value).iter().filter_map(|entry| slow(entry, millis)).collect()
        }),
        clients: part(values.get(2), "the list of clients", "+client|list", |value| {
            clients(&text(value).unwrap_or_default())
        }),
        streams: Part::NotAsked,
        info: fields,
    })
}

pub(super) fn part<T>(
    value: Option<&Value>,
    what: &str,
    right: &str,
    decode: impl FnOnce(&Value) -> T,
) -> Part<T> {
    match value {
        Some(Value::ServerError(error)) => {
            let note = format!("{what} is not permitted ({}): needs {right}", error.code());
            Part::Unavailable(Gap::new(GapKind::NotPermitted, note))
        }
        Some(value) => Part::Ready(decode(value)),
        None => Part::NotAsked,
    }
}

/// `k=v,k=v` as pairs.
fn pairs(text: &str) -> BTreeMap<&str, &str> {
    text.split(',').filter_map(|pair| pair.split_once('=')).collect()
}

fn commands(fields: &BTreeMap<String, String>) -> BTreeMap<String, CommandStat> {
    fields
        .iter()
        .filter_map(|(name, value)| {
            let command = name.strip_prefix("cmdstat_")?;
            let values = pairs(value);
            let number = |key: &str| values.get(key).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
            let percentiles = fields.get(&format!("latency_percentiles_usec_{command}"));
            let p99 = percentiles.and_then(|value| pairs(value).get("p99")?.parse().ok());
            let stat = CommandStat {
                calls: number("calls"),
                micros: number("usec"),
                failed: number("failed_calls") + number("rejected_calls"),
                p99_micros: p99,
            };
            Some((command.to_owned(), stat))
        })
        .collect()
}

fn keyspace(fields: &BTreeMap<String, String>) -> Vec<(u32, u64, u64)> {
    let mut list: Vec<(u32, u64, u64)> = fields
        .iter()
        .filter_map(|(name, value)| {
            let database = name.strip_prefix("db")?.parse().ok()?;
            let values = pairs(value);
            let count = |key: &str| values.get(key).and_then(|n| n.parse().ok()).unwrap_or(0);
            Some((database, count("keys"), count("expires")))
        })
        .collect();
    list.sort_unstable();
    list
}

pub(super) fn slow(entry: &Value, millis: i64) -> Option<SlowEntry> {
    let items = list(entry);
    let whole = |index: usize| items.get(index).and_then(number);
    let words: Vec<String> = items.get(3).map(list).unwrap_or_default().iter().filter_map(text).collect();
    // Old servers write the password of AUTH down.
    let told = if words.first().is_some_and(|word| word.eq_ignore_ascii_case("auth")) { 1 } else { 2 };
    let shown: Vec<String> = words.iter().take(told).map(|word| tidy(word, 60)).collect();
    let more = if words.len() > told { format!(" (+{} more)", words.len() - told) } else { String::new() };
    let named = |index: usize| items.get(index).and_then(text).filter(|name| !name.is_empty());
    Some(SlowEntry {
        id: whole(0)?,
        age: Duration::from_millis(u64::try_from(millis - whole(1)? * 1000).unwrap_or(0)),
        took: Duration::from_micros(u64::try_from(whole(2)?).ok()?),
        command: format!("{}{more}", shown.join(" ")),
        client: named(5).or_else(|| named(4)).unwrap_or_default(),
    })
}

fn clients(text: &str) -> Vec<ClientGroup> {
    let mut groups: BTreeMap<(String, String), ClientGroup> = BTreeMap::new();
    for line in text.lines() {
        let fields: BTreeMap<&str, &str> = line.split(' ').filter_map(|pair| pair.split_once('=')).collect();
        let get = |name: &str| fields.get(name).copied().unwrap_or_default();
        let number = |name: &str| get(name).parse::<f64>().unwrap_or(0.0);
        let address = get("addr").rsplit_once(':').map_or("", |(host, _)| host);
        let name = if get("name").is_empty() { address } else { get("name") };
        let idle = Duration::from_secs(get("idle").parse().unwrap_or(0));
        let group = groups.entry((name.to_owned(), get("user").to_owned())).or_insert_with(|| ClientGroup {
            name: name.to_owned(),
            user: get("user").to_owned(),
            idle,
            ..ClientGroup::default()
        });
        group.count += 1;
        group.blocked += usize::from(get("flags").contains('b'));
        group.output_bytes += number("omem");
        group.memory_bytes += number("tot-mem");
        group.idle = group.idle.min(idle);
        group.monitors |= get("flags").contains('O');
    }
    let mut list: Vec<ClientGroup> = groups.into_values().collect();
    list.sort_by(|a, b| b.memory_bytes.total_cmp(&a.memory_bytes).then(b.count.cmp(&a.count)));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_grouped_and_a_monitor_is_seen() {
        let text = "id=1 addr=10.0.0.1:5 name= flags=N idle=3 omem=10 tot-mem=100 user=default\n\
                    id=2 addr=10.0.0.1:6 name= flags=b idle=1 omem=0 tot-mem=100 user=default\n\
                    id=3 addr=10.0.0.9:7 name=bull:x flags=O idle=9 omem=5 tot-mem=50 user=ops\n";
        let found = clients(text);
        assert_eq!((found[0].name.as_str(), found[0].count, found[0].blocked), ("10.0.0.1", 2, 1));
        assert_eq!((found[0].idle, found[0].output_bytes), (Duration::from_secs(1), 10.0));
        assert!(found[1].monitors && found[1].user == "ops");
    }

    #[test]
    fn commands_and_keyspace_come_from_info() {
        let fields: BTreeMap<String, String> = [
            ("cmdstat_get", "calls=10,usec=50,usec_per_call=5.00,rejected_calls=1,failed_calls=2"),
            ("latency_percentiles_usec_get", "p50=1.003,p99=7.007,p99.9=9.023"),
            ("db2", "keys=7,expires=3,avg_ttl=0"),
            ("db0", "keys=1,expires=0,avg_ttl=0"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let stat = commands(&fields)["get"];
        assert_eq!((stat.calls, stat.micros, stat.failed, stat.p99_micros), (10.0, 50.0, 3.0, Some(7.007)));
        assert_eq!(keyspace(&fields), [(0, 1, 0), (2, 7, 3)]);
    }
}
