//! Which library owns a queue: what a connected worker does, what the meta hash says, which keys exist.

use super::connection::Connection;
use super::decode;
use crate::core::redis::{Family, QueueRef, Signs, family};
use crate::sources::http::base64;
use redis::{RedisError, Value, cmd, pipe};
use std::collections::HashMap;

/// Connected workers of one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workers {
    /// How many.
    pub count: usize,
    /// The command in which the newest of them waits.
    pub command: String,
}

/// The commands in which a worker waits for its next job.
const WAITING: [&str; 4] = ["bzpopmin", "brpoplpush", "blmove", "brpop"];

/// Connected workers by the name that their connection carries (`prefix:base64(queue)`).
///
/// # Errors
/// When the server does not permit `CLIENT LIST`.
pub async fn workers(connection: &mut Connection) -> Result<HashMap<String, Workers>, RedisError> {
    let mut found: HashMap<String, Workers> = HashMap::new();
    for server in 0..connection.servers() {
        let value: Value = cmd("CLIENT").arg("LIST").query_async(&mut connection.at(server)).await?;
        for (queue, workers) in in_list(&decode::text(&value).unwrap_or_default()) {
            let entry = found.entry(queue).or_default();
            entry.count += workers.count;
            entry.command = workers.command;
        }
    }
    Ok(found)
}

fn in_list(text: &str) -> HashMap<String, Workers> {
    let mut found: HashMap<String, Workers> = HashMap::new();
    for line in text.lines() {
        let field = |name: &str| line.split(' ').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let (Some(name), Some(command)) = (field("name"), field("cmd")) else {
            continue;
        };
        let command = command.split('|').next().unwrap_or_default().to_ascii_lowercase();
        if !WAITING.contains(&command.as_str()) {
            continue;
        }
        let queue = name.split(":w:").next().unwrap_or(name).to_owned();
        let entry = found.entry(queue).or_default();
        entry.count += 1;
        entry.command = command;
    }
    found
}

/// The name that connections of this queue's workers carry.
#[must_use]
pub fn connection_name(queue: &QueueRef) -> String {
    format!("{}:{}", queue.prefix, base64(queue.name.as_bytes()))
}

/// The library that owns `queue`, from what the server says now.
///
/// # Errors
/// When the server cannot be asked.
pub async fn of(connection: &mut Connection, queue: &QueueRef) -> Result<(Family, String), RedisError> {
    // Without the right to list clients the other signs decide.
    let workers = workers(connection).await.unwrap_or_default();
    let mut ask = pipe();
    ask.cmd("HMGET").arg(queue.key("meta")).arg("version").arg("opts.maxLenEvents");
    for suffix in ["events", "marker", "pc", "priority"] {
        ask.cmd("EXISTS").arg(queue.key(suffix));
    }
    let values: Vec<Value> = ask.query_async(connection).await?;
    let meta: Vec<Option<String>> =
        values.first().map(decode::list).unwrap_or_default().iter().map(decode::text).collect();
    let exists = |at: usize| decode::count(values.get(at)) == 1;
    let signs = Signs {
        worker_command: workers.get(&connection_name(queue)).map(|workers| workers.command.clone()),
        version: meta.first().cloned().flatten(),
        has_event_limit: meta.get(1).is_some_and(Option::is_some),
        events: exists(1),
        marker: exists(2),
        priority_counter: exists(3),
        priority_index: exists(4),
    };
    Ok(family(&signs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_told_by_their_connections() {
        let text = "id=1 name=bull:ZW1haWxz age=1 cmd=bzpopmin user=default\nid=2 name=bull:ZW1haWxz:w:blue cmd=bzpopmin\n\
                    id=3 name=bull:ZW1haWxz:qe cmd=xread\nid=4 name=bull:b2xk cmd=brpoplpush\nid=5 name= cmd=get\n";
        let found = in_list(text);
        let queue = QueueRef { prefix: "bull".into(), name: "emails".into() };
        assert_eq!(found[&connection_name(&queue)], Workers { count: 2, command: "bzpopmin".into() });
        assert_eq!(found["bull:b2xk"].command, "brpoplpush");
        assert_eq!(found.len(), 2);
    }
}
