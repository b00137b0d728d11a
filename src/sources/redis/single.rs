//! A connection to one server and the task that drives it.

use crate::sources::asked;
use crate::sources::heard::Heard;
use crate::sources::owned::Owned;
use crate::sources::redis::refused::Refusals;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisFuture, Value};
use std::sync::Arc;
use tokio::time::Instant;

/// Handles of one connection. With the last of them the task ends, whatever the server still owes: the library asks whoever starts the
/// task to see to that.
#[derive(Clone, Debug)]
pub struct Single {
    connection: MultiplexedConnection,
    heard: Heard,
    refusals: Refusals,
    _driver: Arc<Owned<()>>,
}

impl Single {
    pub(super) fn new(
        connection: MultiplexedConnection,
        heard: Heard,
        driver: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let driver: BoxFuture<'static, ()> = Box::pin(driver);
        let refusals = Refusals::default();
        Self { connection, heard, refusals, _driver: Arc::new(Owned::spawn(driver)) }
    }

    /// What was refused on it lately.
    pub(super) const fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// When its last byte came.
    pub(super) fn heard(&self) -> Option<Instant> {
        self.heard.at()
    }
}

impl ConnectionLike for Single {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        asked::count(1);
        let refusals = self.refusals.clone();
        let answer = self.connection.req_packed_command(cmd);
        async move {
            answer
                .await
                .inspect(|value| refusals.note(cmd, value))
                .inspect_err(|error| refusals.err(cmd, error))
        }
        .boxed()
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        asked::count(count.max(1));
        let refusals = self.refusals.clone();
        let answers = self.connection.req_packed_commands(pipeline, offset, count);
        async move { answers.await.inspect(|values| refusals.note_all(pipeline, values)) }.boxed()
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}
