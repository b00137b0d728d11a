//! What is read beside the queues: the details of a server or a queue while somebody looks, and what is read seldom though nobody does.

use super::budget::Left;
use super::connection::Connection;
use super::{RedisSource, seldom, server, workings};
use crate::core::focus::Focus;
use crate::core::part::Warm;
use crate::core::redis::{Background, QueueWorkings, ServerDetail};
use crate::core::time::Now;
use std::time::Duration;

/// The server's details are read this often while somebody looks.
const DETAIL_EACH: Duration = Duration::from_secs(2);
/// What is read though nobody looks, and costs more than the rest, is read this often.
const SELDOM: Duration = Duration::from_secs(10);

impl RedisSource {
    pub(super) async fn look_seldom(&mut self, connection: &mut Connection, (now, millis): (Now, i64)) {
        let due = |known: &Warm<Background>| now.since(known.read_at) >= SELDOM;
        if self.background.as_ref().is_none_or(due) {
            self.background = seldom::read(connection, millis).await.ok().map(|read| Warm::new(now, read));
        }
    }

    /// The server in detail while somebody looks, read anew every [`DETAIL_EACH`].
    pub(super) async fn detail(
        &mut self,
        connection: &mut Connection,
        now: Now,
        millis: i64,
        focus: &[Focus],
    ) -> Option<Warm<ServerDetail>> {
        let wanted = focus.iter().find_map(|focus| match focus {
            Focus::Server { node } => Some(node),
            _ => None,
        });
        let Some(node) = wanted else {
            self.detail = None;
            return None;
        };
        let due =
            |detail: &Warm<ServerDetail>| detail.node != *node || now.since(detail.read_at) >= DETAIL_EACH;
        if self.detail.as_ref().is_none_or(due) {
            let streams = self.streams.read(connection).await;
            let primaries = connection.primaries();
            // A primary that is gone is not another one.
            let place = primaries.iter().position(|address| address == node);
            let place = if primaries.is_empty() { Some(0) } else { place };
            let read = match place {
                Some(place) => server::read(&mut connection.at(place), millis).await.ok(),
                None => None,
            };
            self.detail =
                read.map(|detail| Warm::new(now, ServerDetail { streams, node: node.clone(), ..detail }));
        }
        self.detail.clone()
    }

    /// More about the queue that somebody looks at, read anew every [`DETAIL_EACH`].
    pub(super) async fn more(
        &mut self,
        connection: &mut Connection,
        now: Now,
        millis: i64,
        focus: &[Focus],
        left: &mut Left,
    ) -> Vec<Warm<QueueWorkings>> {
        let wanted = focus.iter().find_map(|focus| match focus {
            Focus::More { queue } => Some(queue),
            _ => None,
        });
        let Some(queue) = wanted else {
            self.more = None;
            return Vec::new();
        };
        if self
            .more
            .as_ref()
            .is_none_or(|more| more.queue != *queue || now.since(more.read_at) >= DETAIL_EACH)
        {
            self.more = workings::read(connection, queue, &self.masks, left, millis)
                .await
                .ok()
                .map(|more| Warm::new(now, more));
        }
        self.more.iter().cloned().collect()
    }
}
