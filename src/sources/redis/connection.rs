//! Opens a connection to a Redis server and says in words why that failed. The engine's timeout covers all of it.

use super::cluster::Cluster;
use super::{decode, sentinel};
use crate::config::target::RedisConnect;
use crate::core::report::{PollError, PollErrorKind};
use crate::sources::redis::login::explain;
use crate::sources::redis::login::one;
use crate::sources::redis::single::Single;
use futures_util::FutureExt;
use futures_util::future::{join_all, select_ok};
use redis::{RedisError, Value, cmd};
use std::time::Duration;

pub use super::cluster::Connection;

/// A primary that has not opened a connection by then is left out.
const NODE_TIMEOUT: Duration = Duration::from_secs(1);

impl RedisConnect {
    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.unix_socket {
            Some(path) => path.display().to_string(),
            None if !self.sentinels.is_empty() => format!("{} (by Sentinel)", self.host),
            None => format!("{}:{}", self.host, self.port),
        }
    }
}

/// Opens a connection: to the server, to the primary that Sentinels name, or to all primaries of the cluster that it belongs to.
///
/// # Errors
/// A sentence that says what to do, without secrets.
pub async fn connect(target: &RedisConnect) -> Result<Connection, PollError> {
    if !target.sentinels.is_empty() {
        let primary = sentinel::primary(target).await?;
        return one(&primary).await.map(Connection::One);
    }
    let (target, mut first) = any(target).await?;
    let target = &target;
    let info: Result<Value, RedisError> = cmd("INFO").arg("cluster").query_async(&mut first).await;
    let clustered =
        info.ok().and_then(|info| decode::text(&info)).is_some_and(|info| info.contains("cluster_enabled:1"));
    if clustered {
        return cluster(target, first).await;
    }
    if !target.nodes.is_empty() {
        // Other nodes are configured, or were seen: a server of its own is not what is looked for.
        let message = format!("{} is not a node of a cluster", target.place());
        return Err(PollError::new(PollErrorKind::WrongServer, message).remedy("check the url and `nodes`"));
    }
    Ok(Connection::One(first))
}

/// The server itself; of a cluster the first node that answers, and the target as seen from there.
async fn any(target: &RedisConnect) -> Result<(RedisConnect, Single), PollError> {
    if target.nodes.is_empty() {
        return Ok((target.clone(), one(target).await?));
    }
    let nodes = std::iter::once((target.host.clone(), target.port)).chain(target.nodes.iter().cloned());
    let opening = nodes.map(|(host, port)| {
        async move {
            let node = RedisConnect { host, port, ..target.clone() };
            let connection = one(&node).await?;
            Ok::<_, PollError>((node, connection))
        }
        .boxed()
    });
    select_ok(opening).await.map(|(found, _)| found)
}

/// All primaries of the cluster that `first` belongs to; one that is not there is left out, by name.
async fn cluster(target: &RedisConnect, mut first: Single) -> Result<Connection, PollError> {
    let map: Value =
        cmd("CLUSTER").arg("SLOTS").query_async(&mut first).await.map_err(|error| explain(&error, target))?;
    let mut addresses: Vec<(String, u16)> = Vec::new();
    let mut slots = Vec::new();
    for range in decode::list(&map) {
        let parts = decode::list(range);
        let number =
            |index: usize| parts.get(index).and_then(decode::number).and_then(|n| u16::try_from(n).ok());
        let node = parts.get(2).map(decode::list).unwrap_or_default();
        let host = node.first().and_then(decode::text).filter(|host| !host.is_empty());
        // A node that does not know its own address is the one that was asked.
        let host = host.unwrap_or_else(|| target.host.clone());
        let port = node.get(1).and_then(decode::number).and_then(|n| u16::try_from(n).ok());
        let (Some(from), Some(to), Some(port)) = (number(0), number(1), port) else { continue };
        let address = (host, port);
        let index = addresses.iter().position(|known| *known == address).unwrap_or_else(|| {
            addresses.push(address);
            addresses.len() - 1
        });
        slots.push((from, to, index));
    }
    if addresses.is_empty() {
        let message = format!("{} is part of a cluster in which no node has any slot", target.place());
        return Err(PollError::new(PollErrorKind::NotReady, message).remedy("redis-cli --cluster check"));
    }
    let opening = addresses.iter().cloned().map(|(host, port)| async move {
        let node = RedisConnect { host, port, unix_socket: None, ..target.clone() };
        let opened = tokio::time::timeout(NODE_TIMEOUT, one(&node)).await.unwrap_or_else(|_| {
            Err(PollError::new(PollErrorKind::TimedOut, format!("{} does not answer", node.place())))
        });
        (node.place(), opened)
    });
    let (mut nodes, mut missing, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let mut failure = None;
    for (place, opened) in join_all(opening).await {
        match opened {
            Ok(node) => {
                places.push(Some(nodes.len()));
                nodes.push((place, node));
            }
            Err(error) => {
                places.push(None);
                // It stands beside its address; that need not be said twice.
                let why = error.message.strip_prefix(place.as_str()).unwrap_or(&error.message);
                missing.push((place.clone(), why.trim().to_owned()));
                failure = Some(error);
            }
        }
    }
    if let (true, Some(error)) = (nodes.is_empty(), failure) {
        return Err(error);
    }
    let slots = slots.into_iter().filter_map(|(from, to, index)| Some((from, to, places[index]?))).collect();
    Ok(Connection::Cluster(Cluster { nodes, slots, home: 0, missing, known: addresses }))
}
