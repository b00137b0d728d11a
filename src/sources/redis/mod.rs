//! Asks one Redis server: INFO, then every queue with plain reads in one pipeline. Nothing here writes.

mod beside;
mod budget;
mod cluster;
pub mod connection;
mod decode;
mod discovery;
pub mod doctor;
mod events;
pub mod evidence;
mod failed;
mod finished;
mod holders;
mod info;
mod jobs;
mod listing;
pub mod login;
mod next;
mod parents;
mod queues;
mod refused;
mod rounds;
mod schedulers;
mod seldom;
mod sentinel;
mod server;
mod single;
mod stalled;
mod streams;
mod thrown;
mod whereabouts;
mod workings;

use super::owned::Owned;
use super::{Source, knock};
use crate::config::target::RedisConnect;
use crate::core::focus::Focus;
use crate::core::part::{Gap, GapKind, Part, Warm};
use crate::core::reading::Reading;
use crate::core::redis::{
    Background, ClusterReading, Masks, QueueReading, QueueWorkings, RedisReading, ServerDetail,
};
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::{Now, ahead};
use crate::core::whereabouts::Whereabouts;
pub(crate) use budget::FIELD_LIMIT_BYTES;
use budget::Left;
pub use cluster::moved;
use connection::Connection;
pub(crate) use failed::too_large;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
pub(crate) use jobs::DEPTH;
use login::explain;
use redis::{Value, cmd, pipe};
use rounds::Rounds;
use std::time::Duration;
use streams::Streams;
use tokio::time::Instant;

/// A cluster of which a primary is missing is looked at anew this often.
const WHOLE_EACH: Duration = Duration::from_secs(5);
/// A cluster that has not opened by then does not answer.
const OPENED_WITHIN: Duration = Duration::from_secs(10);

/// Asks one Redis server.
pub struct RedisSource {
    connect: RedisConnect,
    /// Fields of job data that go no further than here.
    masks: Masks,
    open: Option<Connection>,
    /// When another was opened at the side, and that one.
    looked: Option<Now>,
    looking: Option<Owned<Result<Connection, PollError>>>,
    /// Its map of the cluster is not right any more.
    stale: bool,
    rounds: Rounds,
    budget: budget::Budget,
    remembered: failed::Remembered,
    detail: Option<Warm<ServerDetail>>,
    background: Option<Warm<Background>>,
    more: Option<Warm<QueueWorkings>>,
    listings: listing::Listings,
    streams: Streams,
    whereabouts: Option<Whereabouts>,
    /// When the last byte of the newest reading came.
    heard: Option<Instant>,
}

impl std::fmt::Debug for RedisSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RedisSource({}:{})", self.connect.host, self.connect.port)
    }
}

impl RedisSource {
    /// A source for this target; nothing is connected yet.
    #[must_use]
    pub fn new(connect: RedisConnect) -> Self {
        let rounds = Rounds::new(&connect);
        Self {
            masks: Masks::new(&connect.masks),
            connect,
            open: None,
            looked: None,
            looking: None,
            stale: false,
            rounds,
            budget: budget::Budget::default(),
            remembered: failed::Remembered::default(),
            detail: None,
            background: None,
            more: None,
            listings: listing::Listings::default(),
            streams: Streams::default(),
            whereabouts: None,
            heard: None,
        }
    }

    async fn read(&mut self, now: Now, focus: &[Focus]) -> Result<RedisReading, PollError> {
        // Taken out for the time of the poll: one that is given up half way leaves no connection with half an answer behind.
        let (mut connection, new) = match (self.whole(now), self.open.take()) {
            (Some(whole), _) => (whole, true),
            (None, Some(open)) => (open, false),
            (None, None) => (connection::connect(&self.connect).await?, true),
        };
        if new {
            self.whereabouts = None;
        }
        // Whoever has told where the others are may be the next one to be missing.
        for node in connection.known() {
            if !self.connect.nodes.contains(node) {
                self.connect.nodes.push(node.clone());
            }
        }
        let mut reading = match self.ask(&mut connection, now, focus).await {
            // What was idle for a while may have been closed by the server or a proxy: only a newcomer's being hung up on says something.
            Err(error) if !new && error.kind == PollErrorKind::WrongServer => {
                connection = connection::connect(&self.connect).await?;
                self.whereabouts = None;
                self.ask(&mut connection, now, focus).await?
            }
            answer => answer?,
        };
        // Asked of a server that answers as Redis does, once a connection.
        if self.whereabouts.is_none() && !reading.busy {
            self.whereabouts = Some(whereabouts::of(&mut connection, &self.connect).await);
        }
        reading.whereabouts = self.whereabouts.clone().unwrap_or_default();
        reading.next = next::read(&mut connection, &reading).await;
        reading.refused = connection.refused();
        self.heard = connection.heard();
        self.open = (!self.stale).then_some(connection);
        Ok(reading)
    }

    /// Another connection, if there is one with fewer primaries missing: a cluster that is not whole is opened anew now and then, at the
    /// side, for that waits for those that do not answer.
    fn whole(&mut self, now: Now) -> Option<Connection> {
        let lacks = self.open.as_ref().is_some_and(|open| !open.missing().is_empty());
        let again = self.looked.is_none_or(|at| now.since(at) >= WHOLE_EACH);
        match self.looking.take() {
            Some(looking) if looking.is_finished() => looking.now_or_never()?.ok()?.ok(),
            Some(looking) => {
                self.looking = Some(looking);
                None
            }
            None => {
                if lacks && again {
                    self.looked = Some(now);
                    let connect = self.connect.clone();
                    self.looking = Some(Owned::spawn(async move {
                        tokio::time::timeout(OPENED_WITHIN, connection::connect(&connect))
                            .await
                            .unwrap_or_else(|_| {
                                Err(PollError::new(PollErrorKind::TimedOut, "the cluster does not answer"))
                            })
                    }));
                }
                None
            }
        }
    }

    async fn ask(
        &mut self,
        connection: &mut Connection,
        now: Now,
        focus: &[Focus],
    ) -> Result<RedisReading, PollError> {
        let asked = Instant::now();
        let mut ask = pipe();
        ask.ignore_errors().add_command(cmd("INFO")).cmd("TIME");
        // Error counts have a section of their own, which servers before 6.2 do not have.
        ask.cmd("INFO").arg("errorstats");
        let values: Vec<Value> =
            ask.query_async(connection).await.map_err(|error| explain(&error, &self.connect))?;
        let (took, mut values) = (asked.elapsed(), values.into_iter());
        let info = values.next().unwrap_or_default();
        let server_now = values.next().and_then(|value| decode::time(&value));
        let mut untold = None;
        if let Value::ServerError(error) = &info {
            if error.code() == "BUSY" {
                let queues = unread("one script holds the server");
                return Ok(RedisReading { busy: true, queues, ..RedisReading::default() });
            }
            untold = refused::info(error, server_now.is_some());
            if untold.is_none() {
                return Err(explain(&redis::RedisError::from(error.clone()), &self.connect));
            }
        }
        let text = decode::text(&info).unwrap_or_default();
        let errors = values.next().and_then(|value| decode::text(&value)).unwrap_or_default();
        let server = info::server(&format!("{text}\n{errors}"));
        if server.version.is_empty() && untold.is_none() {
            return Err(PollError::new(
                PollErrorKind::WrongServer,
                format!("{} answers, but not as a Redis server does", self.connect.place()),
            )
            .remedy("check the port"));
        }
        self.is_primary(&server.role)?;
        if server.loading {
            return Ok(RedisReading {
                server,
                queues: unread("the server loads its data"),
                ..RedisReading::default()
            });
        }
        self.stale = false;
        let mut cluster =
            cluster_reading(connection).await.map_err(|error| explain(&error, &self.connect))?;
        self.rounds.discovery.step(connection, now).await;
        // Ages of jobs are against the server's own clock, which INFO tells, too; a server that says it nowhere is taken to have ours.
        let millis =
            server_now.or_else(|| info::server_millis(&text)).unwrap_or_else(|| now.wall.timestamp_millis());
        let mut left = self.budget.begin();
        let (queues, unseen) = self.queues(connection, focus, (now, millis), &mut left).await?;
        if let Some(cluster) = &mut cluster {
            cluster.hidden = self.rounds.discovery.hidden(connection);
        }
        let detail = self.detail(connection, now, millis, focus).await;
        // A cluster has a slow log on each of its nodes.
        if cluster.is_none() {
            self.look_seldom(connection, (now, millis)).await;
        }
        let began = Instant::now();
        let more = self.more(connection, now, millis, focus, &mut left).await;
        let jobs::Details { failed, lists, jobs } =
            jobs::read(connection, focus, &self.masks, &mut self.remembered, &mut left, millis).await;
        let pages = self.listings.read(connection, focus, &self.masks, &mut left, (now, millis)).await;
        self.budget.end(began.elapsed());
        Ok(RedisReading {
            server,
            cluster,
            detail,
            untold,
            clock: server_now.map(|server| ahead(server, now.wall.timestamp_millis(), took)),
            background: self.background.clone(),
            queues,
            unseen,
            discovery: self.rounds.words(),
            failed,
            lists,
            more,
            jobs,
            held_for_us_bytes: self.remembered.held,
            pages,
            ..RedisReading::default()
        })
    }

    /// Where Sentinels name the primary, a replica was that until a failover; they know the new one.
    fn is_primary(&self, role: &str) -> Result<(), PollError> {
        if self.connect.sentinels.is_empty() || role != "slave" {
            return Ok(());
        }
        let message = format!("the server that was the primary of {} is a replica now", self.connect.host);
        Err(PollError::new(PollErrorKind::NotReady, message))
    }

    async fn queues(
        &mut self,
        connection: &mut Connection,
        focus: &[Focus],
        at: (Now, i64),
        left: &mut Left,
    ) -> Result<(Part<Vec<Warm<QueueReading>>>, Option<Gap>), PollError> {
        match self.rounds.read(connection, &self.connect, focus, at, left).await {
            Ok(read) => Ok(read),
            // No slot is served while the cluster as a whole is down: what it says of itself is all that there is.
            Err(error) if error.code() == Some("CLUSTERDOWN") => {
                self.stale = true;
                Ok((unread("queues were not read: the cluster is down"), None))
            }
            // The connection is of no use any more, or its map of the cluster is not: the next poll opens another.
            Err(error) if error.is_io_error() || error.code().is_some_and(moved) => {
                Err(explain(&error, &self.connect))
            }
            Err(error) => Ok((unread(format!("queues were not read: {error}")), None)),
        }
    }
}

/// Queues that were not read, and why.
fn unread(why: impl Into<String>) -> Part<Vec<Warm<QueueReading>>> {
    Part::Unavailable(Gap::new(GapKind::Failed, why))
}

/// What the cluster says of itself, and each of its primaries; nothing where it is one server.
async fn cluster_reading(connection: &mut Connection) -> Result<Option<ClusterReading>, redis::RedisError> {
    let addresses = connection.primaries();
    if addresses.is_empty() {
        return Ok(None);
    }
    let mut primaries = Vec::with_capacity(addresses.len());
    for (index, address) in addresses.into_iter().enumerate() {
        let asked = cmd("INFO").query_async::<Value>(&mut connection.at(index)).await;
        // One that does not tell of itself is there all the same.
        let value = if asked.as_ref().is_err_and(|error| error.code() == Some("NOPERM")) {
            Value::Nil
        } else {
            asked?
        };
        primaries.push((address, info::server(&decode::text(&value).unwrap_or_default())));
    }
    let state = cmd("CLUSTER").arg("INFO").query_async::<Value>(connection).await;
    let untold = state.as_ref().err().map(|error| {
        let kind = if error.code() == Some("NOPERM") { GapKind::NotPermitted } else { GapKind::Failed };
        Gap::new(kind, format!("the state of the cluster is not known ({error}): needs +cluster|info"))
    });
    let state = state.ok().as_ref().and_then(decode::text).unwrap_or_default();
    let field =
        |name: &str| state.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'));
    let number = |name: &str| field(name).and_then(|text| text.parse().ok()).unwrap_or_default();
    Ok(Some(ClusterReading {
        ok: field("cluster_state").is_none_or(|state| state == "ok"),
        untold,
        slots_ok: number("cluster_slots_ok"),
        nodes: number("cluster_known_nodes"),
        primaries,
        missing: connection.missing().to_vec(),
        hidden: 0,
    }))
}

impl Source for RedisSource {
    fn poll<'a>(&'a mut self, now: Now, focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move { self.read(now, focus).await.map(|reading| Reading::Redis(Box::new(reading))) })
    }

    fn answered(&self) -> Option<Instant> {
        self.heard
    }

    fn knock(&self) -> Option<BoxFuture<'static, bool>> {
        Some(knock::redis(&self.connect))
    }
}
