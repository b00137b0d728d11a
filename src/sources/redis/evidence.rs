//! Which library owns a queue: what a connected worker does, what the meta hash says, which keys exist.

use super::connection::Connection;
use super::decode;
use crate::core::redis::{Family, QueueRef, QueueWorker, Signs, family};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redis::{RedisError, Value, cmd, pipe};
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

/// Connected workers of one queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workers {
    /// How many.
    pub count: usize,
    /// The command in which the newest of them waits.
    pub command: String,
    /// From where they are connected, at most [`MOST_HOSTS`] of those.
    pub hosts: BTreeSet<String>,
}

/// Of more hosts nothing more is to be learnt.
const MOST_HOSTS: usize = 32;

impl Workers {
    fn from(&mut self, address: &str) {
        if let Some(host) = host(address).filter(|_| self.hosts.len() < MOST_HOSTS) {
            self.hosts.insert(host);
        }
    }
}

/// The host of `ip:port` as databases write it: without brackets, and an IPv4 address as one.
fn host(address: &str) -> Option<String> {
    let (host, _) = address.rsplit_once(':')?;
    let host: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    Some(host.to_canonical().to_string())
}

/// The commands in which a worker waits for its next job.
const WAITING: [&str; 4] = ["bzpopmin", "brpoplpush", "blmove", "brpop"];

/// Every worker that is connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workforce {
    /// By the name that their connection carries (`prefix:base64(queue)`).
    named: HashMap<String, Workers>,
    /// Somebody waits for jobs whose connection has no name: whether a queue has no worker cannot be told.
    nameless: bool,
}

impl Workforce {
    /// The workers of this queue; none where that cannot be told.
    #[must_use]
    pub fn of(&self, queue: &QueueRef) -> Option<Workers> {
        let found = self.named.get(&connection_name(queue)).cloned();
        found.or_else(|| (!self.nameless).then(Workers::default))
    }

    /// The queues below these prefixes on which somebody works.
    #[must_use]
    pub fn queues(&self, prefixes: &[String]) -> Vec<QueueRef> {
        let queue = |name: &String| {
            prefixes.iter().find_map(|prefix| {
                let coded = name.strip_prefix(prefix.as_str())?.strip_prefix(':')?;
                Some(QueueRef { prefix: prefix.clone(), name: plain(coded)? })
            })
        };
        self.named.keys().filter_map(queue).collect()
    }
}

/// What stands in base64, if it is text.
fn plain(coded: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(coded).ok()?).ok().filter(|name| !name.is_empty())
}

/// Connected workers.
///
/// # Errors
/// When the server does not permit `CLIENT LIST`.
pub async fn workers(connection: &mut Connection) -> Result<Workforce, RedisError> {
    let mut found = Workforce::default();
    for server in 0..connection.servers() {
        let value: Value = cmd("CLIENT").arg("LIST").query_async(&mut connection.at(server)).await?;
        in_list(&decode::text(&value).unwrap_or_default(), &mut found);
    }
    Ok(found)
}

/// The workers of one queue, one by one.
///
/// # Errors
/// When the server does not permit `CLIENT LIST`.
pub async fn workers_of(
    connection: &mut Connection,
    queue: &QueueRef,
) -> Result<Vec<QueueWorker>, RedisError> {
    let mut found = Vec::new();
    for server in 0..connection.servers() {
        let value: Value = cmd("CLIENT").arg("LIST").query_async(&mut connection.at(server)).await?;
        one_by_one(&decode::text(&value).unwrap_or_default(), queue, &mut found);
    }
    Ok(found)
}

fn one_by_one(text: &str, queue: &QueueRef, found: &mut Vec<QueueWorker>) {
    let wanted = connection_name(queue);
    for line in text.lines() {
        let field = |name: &str| line.split(' ').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let name = field("name").unwrap_or_default();
        let (of, own) = name.split_once(":w:").unwrap_or((name, ""));
        let command = field("cmd").and_then(|cmd| cmd.split('|').next()).unwrap_or_default();
        if of != wanted || !WAITING.contains(&command.to_ascii_lowercase().as_str()) {
            continue;
        }
        let seconds =
            |name: &str| Duration::from_secs(field(name).and_then(|text| text.parse().ok()).unwrap_or(0));
        found.push(QueueWorker {
            address: field("addr").unwrap_or_default().to_owned(),
            name: own.to_owned(),
            connected: seconds("age"),
            quiet: seconds("idle"),
            waits: field("flags").is_some_and(|flags| flags.contains('b')),
        });
    }
}

fn in_list(text: &str, found: &mut Workforce) {
    // A worker that has had something to do ever since it came has not waited yet.
    let mut never_waited: HashMap<String, Workers> = HashMap::new();
    for line in text.lines() {
        let field = |name: &str| line.split(' ').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let (Some(name), Some(command)) = (field("name"), field("cmd")) else {
            continue;
        };
        let command = command.split('|').next().unwrap_or_default().to_ascii_lowercase();
        let waits = WAITING.contains(&command.as_str());
        if name.is_empty() {
            found.nameless |= waits;
            continue;
        }
        let queue = name.split(":w:").next().unwrap_or(name).to_owned();
        if waits {
            let entry = found.named.entry(queue).or_default();
            entry.count += 1;
            entry.command = command;
            entry.from(field("addr").unwrap_or_default());
        } else if !name.ends_with(":qe") && name.contains(':') {
            let entry = never_waited.entry(queue).or_default();
            entry.count += 1;
            entry.from(field("addr").unwrap_or_default());
        }
    }
    for (queue, workers) in never_waited {
        found.named.entry(queue).or_insert(workers);
    }
}

/// The name that connections of this queue's workers carry.
#[must_use]
pub fn connection_name(queue: &QueueRef) -> String {
    format!("{}:{}", queue.prefix, STANDARD.encode(&queue.name))
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
        worker_command: workers.of(queue).filter(|found| found.count > 0).map(|found| found.command),
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
        let mut found = Workforce::default();
        in_list(text, &mut found);
        let queue = |name: &str| QueueRef { prefix: "bull".into(), name: name.into() };
        assert_eq!(
            found.of(&queue("emails")),
            Some(Workers { count: 2, command: "bzpopmin".into(), hosts: BTreeSet::new() })
        );
        assert_eq!(found.of(&queue("old")).expect("known").command, "brpoplpush");
        assert_eq!(found.of(&queue("none")), Some(Workers::default()));
        assert_eq!(found.named.len(), 2);
        let mut queues = found.queues(&["bull".to_owned()]);
        queues.sort();
        assert_eq!(queues, [queue("emails"), queue("old")]);
        // One that was busy from the start; and where names are hidden, nobody can say that there is no worker.
        in_list("id=6 name=bull:YnVzeQ== cmd=client|setinfo\nid=7 name= cmd=bzpopmin\n", &mut found);
        assert_eq!(found.of(&queue("busy")).expect("known").count, 1);
        assert_eq!(found.of(&queue("none")), None);
        // From where they work, as a database would write it.
        let text = "addr=[::ffff:10.0.0.7]:41 name=bull:ZW1haWxz cmd=bzpopmin\naddr=[fd00::1]:4 name=bull:ZW1haWxz cmd=get\n\
                    addr=10.0.0.8:4 name=bull:YnVzeQ== cmd=get\naddr=/run/redis.sock:0 name=bull:ZW1haWxz cmd=bzpopmin\n";
        let mut found = Workforce::default();
        in_list(text, &mut found);
        assert_eq!(found.of(&queue("emails")).expect("known").hosts, ["10.0.0.7".to_owned()].into());
        assert_eq!(found.of(&queue("busy")).expect("known").hosts, ["10.0.0.8".to_owned()].into());
        let mut workers = Vec::new();
        let line = "addr=1.2.3.4:5 name=bull:ZW1haWxz:w:blue age=70 idle=3 flags=b cmd=bzpopmin\n";
        one_by_one(&format!("{text}{line}"), &queue("emails"), &mut workers);
        assert_eq!(workers.len(), 3);
        let (address, age) = (workers[2].address.as_str(), workers[2].connected.as_secs());
        assert_eq!(
            (address, workers[2].name.as_str(), age, workers[2].waits),
            ("1.2.3.4:5", "blue", 70, true)
        );
    }
}
