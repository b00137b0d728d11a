//! A connection to one server or to all primaries of a cluster, with the same face: each command goes to the node that has its key.
//!
//! The client library's own cluster connection sends a command again when a node broke off. That is right for a cache and wrong for a
//! retry of jobs: what was sent once is never sent again by itself. So nothing is sent twice here; when the cluster says that a key moved,
//! the question fails, and the next one asks for the new map first.

use super::single::Single;
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use redis::aio::ConnectionLike;
use redis::{Arg, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, Value};
use tokio::time::Instant;

/// An open connection.
#[derive(Clone)]
pub enum Connection {
    /// To one server.
    One(Single),
    /// To the primaries of a cluster.
    Cluster(Cluster),
}

/// One connection to each primary, and who has which slots.
#[derive(Clone)]
pub struct Cluster {
    /// Address and connection of each primary that is there; never empty.
    pub(super) nodes: Vec<(String, Single)>,
    /// First slot, last slot, index of the node.
    pub(super) slots: Vec<(u16, u16, usize)>,
    /// What has no key goes there.
    pub(super) home: usize,
    /// Address of each primary that is not there, and why.
    pub(super) missing: Vec<(String, String)>,
    /// Where the primaries are.
    pub(super) known: Vec<(String, u16)>,
}

impl Cluster {
    fn owner(&self, slot: u16) -> Option<usize> {
        let found = self.slots.iter().find(|(first, last, _)| (*first..=*last).contains(&slot));
        found.map(|(.., node)| *node)
    }

    fn node(&self, cmd: &Cmd) -> Result<usize, RedisError> {
        let Some(slot) = key(cmd).map(slot) else { return Ok(self.home) };
        self.owner(slot).ok_or_else(|| {
            let why = self.missing.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>().join("; ");
            RedisError::from((
                ErrorKind::Client,
                "no node of the cluster that is there has this slot",
                format!("slot {slot} {why}"),
            ))
        })
    }

    async fn ask(&self, cmd: &Cmd) -> Result<Value, RedisError> {
        if word(cmd, 0).is_some_and(|word| word.eq_ignore_ascii_case(b"SCRIPT")) {
            let loads = self.nodes.iter().map(|(_, node)| {
                let mut node = node.clone();
                async move { node.req_packed_command(cmd).await }
            });
            return Ok(try_join_all(loads).await?.pop().unwrap_or_default());
        }
        let mut node = self.nodes[self.node(cmd)?].1.clone();
        node.req_packed_command(cmd).await
    }

    /// Each command to its node, all nodes at once; the answers in the order of the questions.
    async fn ask_all(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let mut parts: Vec<(Vec<usize>, Pipeline)> = vec![(Vec::new(), Pipeline::new()); self.nodes.len()];
        let mut all = 0;
        for (at, cmd) in pipeline.cmd_iter().enumerate() {
            let (places, part) = &mut parts[self.node(cmd)?];
            places.push(at);
            part.add_command(cmd.clone());
            all += 1;
        }
        let asked = parts.iter().zip(&self.nodes).filter(|((places, _), _)| !places.is_empty());
        let asked =
            asked.map(|((places, part), (_, node))| {
                let mut node = node.clone();
                async move {
                    Ok::<_, RedisError>((places, node.req_packed_commands(part, 0, places.len()).await?))
                }
            });
        let mut answers = vec![Value::Nil; all];
        for (places, values) in try_join_all(asked).await? {
            for (place, value) in places.iter().zip(values) {
                // Elsewhere a refused part is a gap; here it would be read as "there is nothing".
                if let Value::ServerError(error) = &value
                    && moved(error.code())
                {
                    return Err(RedisError::from(error.clone()));
                }
                answers[*place] = value;
            }
        }
        Ok(answers)
    }
}

/// Whether the cluster says that its map is another one now.
#[must_use]
pub fn moved(code: &str) -> bool {
    matches!(code, "MOVED" | "ASK" | "TRYAGAIN" | "CLUSTERDOWN")
}

impl Connection {
    /// When its last byte came.
    pub(super) fn heard(&self) -> Option<Instant> {
        match self {
            Self::One(one) => one.heard(),
            Self::Cluster(cluster) => cluster.nodes.iter().filter_map(|(_, node)| node.heard()).max(),
        }
    }

    /// The commands that were refused lately, on any server.
    pub(super) fn refused(&self) -> Vec<String> {
        let mut all = match self {
            Self::One(one) => one.refusals().told(),
            Self::Cluster(cluster) => {
                cluster.nodes.iter().flat_map(|(_, node)| node.refusals().told()).collect()
            }
        };
        all.sort();
        all.dedup();
        all
    }

    /// The addresses of the primaries; none where it is one server.
    #[must_use]
    pub fn primaries(&self) -> Vec<String> {
        match self {
            Self::One(_) => Vec::new(),
            Self::Cluster(cluster) => cluster.nodes.iter().map(|(address, _)| address.clone()).collect(),
        }
    }

    /// Address of each primary that is not there, and why.
    #[must_use]
    pub fn missing(&self) -> &[(String, String)] {
        match self {
            Self::One(_) => &[],
            Self::Cluster(cluster) => &cluster.missing,
        }
    }

    /// Where the primaries of the cluster are.
    #[must_use]
    pub fn known(&self) -> &[(String, u16)] {
        match self {
            Self::One(_) => &[],
            Self::Cluster(cluster) => &cluster.known,
        }
    }

    /// Whether the server that has this key is there.
    #[must_use]
    pub fn serves(&self, key: &str) -> bool {
        match self {
            Self::One(_) => true,
            Self::Cluster(cluster) => cluster.owner(slot(key.as_bytes())).is_some(),
        }
    }

    /// How many servers there are to ask about themselves.
    #[must_use]
    pub const fn servers(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Cluster(cluster) => cluster.nodes.len(),
        }
    }

    /// The same, with what has no key going to the server of this index.
    #[must_use]
    pub fn at(&self, server: usize) -> Self {
        match self {
            Self::One(one) => Self::One(one.clone()),
            Self::Cluster(cluster) => {
                let home = server.min(cluster.nodes.len().saturating_sub(1));
                Self::Cluster(Cluster { home, ..cluster.clone() })
            }
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(_) => f.write_str("One"),
            Self::Cluster(cluster) => cluster.fmt(f),
        }
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.nodes.iter().map(|(address, _)| address)).finish()
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::One(one) => one.req_packed_command(cmd),
            Self::Cluster(cluster) => cluster.ask(cmd).boxed(),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::One(one) => one.req_packed_commands(pipeline, offset, count),
            // Transactions, which alone have an offset, are not used anywhere.
            Self::Cluster(cluster) => cluster.ask_all(pipeline).boxed(),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::One(one) => one.get_db(),
            Self::Cluster(_) => 0,
        }
    }
}

fn word(cmd: &Cmd, at: usize) -> Option<&[u8]> {
    match cmd.args_iter().nth(at)? {
        Arg::Simple(bytes) => Some(bytes),
        _ => None,
    }
}

/// Commands about the server, which have no key.
const KEYLESS: [&str; 12] = [
    "INFO", "TIME", "CLIENT", "SLOWLOG", "ACL", "PING", "CONFIG", "SCRIPT", "SCAN", "CLUSTER", "ROLE",
    "LATENCY",
];

/// The key by which a command finds its node.
fn key(cmd: &Cmd) -> Option<&[u8]> {
    let name = word(cmd, 0)?.to_ascii_uppercase();
    let name = std::str::from_utf8(&name).ok()?;
    match name {
        _ if KEYLESS.contains(&name) => None,
        "EVALSHA" | "EVAL" => (word(cmd, 2)? != b"0").then(|| word(cmd, 3)).flatten(),
        "MEMORY" => word(cmd, 2),
        _ => word(cmd, 1),
    }
}

/// The slot of a key: CRC16 (XMODEM) of what stands in its first braces, or of all of it (Redis cluster specification).
fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let inside = &key[open + 1..];
        let close = inside.iter().position(|byte| *byte == b'}')?;
        (close > 0).then(|| &inside[..close])
    });
    let crc = tag.unwrap_or(key).iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    });
    crc % 16_384
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::cmd;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(slot(b"123456789"), 0x31C3);
        assert_eq!(slot(b"foo"), 12_182);
        assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
        assert_eq!(slot(b"foo{}{bar}"), slot(b"foo{}{bar}"));
        assert_ne!(slot(b"foo{}{bar}"), slot(b"bar"), "empty braces are no tag");
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
    }

    #[test]
    fn commands_go_by_their_key() {
        let check = |command: &Cmd, expected: Option<&str>| {
            assert_eq!(key(command), expected.map(str::as_bytes), "{command:?}");
        };
        check(cmd("LLEN").arg("bull:a:wait"), Some("bull:a:wait"));
        check(cmd("MEMORY").arg("USAGE").arg("k"), Some("k"));
        check(cmd("EVALSHA").arg("abc").arg(2).arg("k1").arg("k2"), Some("k1"));
        check(cmd("EVALSHA").arg("abc").arg(0).arg("x"), None);
        check(cmd("info").arg("errorstats"), None);
    }
}
