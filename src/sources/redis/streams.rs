//! Streams with consumer groups, found by a throttled SCAN while somebody looks at the server. The event streams of job queues have none.

use super::connection::Connection;
use super::decode::{list, number, text};
use crate::core::part::{Gap, GapKind, Part};
use crate::core::redis::StreamGroup;
use redis::{RedisError, Value, cmd, pipe};
use std::collections::BTreeSet;

/// Calls of SCAN within one look, and keys that one call looks at.
const CALLS: usize = 10;
const COUNT: usize = 1000;
/// More streams are not read.
const MOST: usize = 100;

/// Where the search for streams stands.
#[derive(Debug, Default)]
pub(super) struct Streams {
    found: BTreeSet<String>,
    server: usize,
    cursor: u64,
}

impl Streams {
    /// Goes on looking, a little, and reads the groups of what is found.
    pub(super) async fn read(&mut self, connection: &mut Connection) -> Part<Vec<StreamGroup>> {
        match self.look(connection).await {
            Ok(groups) => Part::Ready(groups),
            Err(error) => {
                let note = format!("streams are not known ({error}): needs +scan +xinfo|groups +xlen");
                Part::Unavailable(Gap::new(GapKind::NotPermitted, note))
            }
        }
    }

    async fn look(&mut self, connection: &mut Connection) -> Result<Vec<StreamGroup>, RedisError> {
        for _ in 0..CALLS {
            let mut scan = cmd("SCAN");
            scan.arg(self.cursor).arg("COUNT").arg(COUNT).arg("TYPE").arg("stream");
            let value: Value = scan.query_async(&mut connection.at(self.server)).await?;
            let parts = list(&value);
            self.cursor = parts.first().and_then(text).and_then(|text| text.parse().ok()).unwrap_or(0);
            let keys = parts.get(1).map(list).unwrap_or_default().iter().filter_map(text);
            self.found.extend(keys.filter(|key| !key.ends_with(":events")));
            if self.cursor == 0 {
                // Round and round: new streams come, and one look must not end.
                self.server = (self.server + 1) % connection.servers();
                break;
            }
        }
        let keys: Vec<String> = self.found.iter().take(MOST).cloned().collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut ask = pipe();
        ask.ignore_errors();
        for key in &keys {
            ask.cmd("XLEN").arg(key).cmd("XINFO").arg("GROUPS").arg(key);
        }
        let values: Vec<Value> = ask.query_async(connection).await?;
        let mut groups = Vec::new();
        for (key, answer) in keys.iter().zip(values.chunks(2)) {
            if matches!(answer.get(1), Some(Value::ServerError(_))) {
                self.found.remove(key);
                continue;
            }
            let length = answer.first().and_then(number).unwrap_or(0);
            let found = answer.get(1).map(list).unwrap_or_default();
            groups.extend(found.iter().map(|one| group(key, length, one)));
        }
        groups.sort_by_key(|group| std::cmp::Reverse((group.lag, group.pending)));
        Ok(groups)
    }
}

/// One group: names and values in turn.
fn group(key: &str, length: i64, value: &Value) -> StreamGroup {
    let parts = list(value);
    let field = |name: &str| {
        parts
            .chunks(2)
            .find(|pair| pair.first().and_then(text).as_deref() == Some(name))
            .and_then(|pair| pair.get(1))
    };
    let whole = |name: &str| field(name).and_then(number).and_then(|n| u64::try_from(n).ok());
    StreamGroup {
        stream: key.to_owned(),
        length: u64::try_from(length).unwrap_or(0),
        group: field("name").and_then(text).unwrap_or_default(),
        consumers: whole("consumers").unwrap_or(0),
        pending: whole("pending").unwrap_or(0),
        // Redis 7 and later, where no entry was deleted out of the middle.
        lag: whole("lag"),
    }
}
