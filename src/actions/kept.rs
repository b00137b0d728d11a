//! Lines that are kept for runs to come: a file of bounded size, which several stacktops may share, and one older one beside it. Its
//! failure is told once and never breaks the run.

use super::follow::Shared;
use super::writer::Writer;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// So long, at the end of a run, the disk is waited for.
const SETTLED_WITHIN: Duration = Duration::from_millis(500);

/// Who keeps them.
#[derive(Debug)]
pub(super) struct Kept {
    writer: Writer<Shared>,
    what: &'static str,
    shown: String,
    told: Arc<AtomicBool>,
}

impl Kept {
    /// `what` ("sizes are") in a file at `path`, which is put aside once it has `most` bytes; `tail` of the end of each are read.
    pub(super) fn at(what: &'static str, path: PathBuf, most: u64, tail: u64) -> Self {
        let shown = path.display().to_string();
        let writer = Writer::start("kept", Arc::new(Shared::at(path, most, tail)));
        Self { writer, what, shown, told: Arc::default() }
    }

    /// What `read` finds in it: nothing where the disk does not keep up.
    pub(super) fn read<T, R>(&self, read: R) -> impl Future<Output = T> + Send + use<T, R>
    where
        T: Default + Send + 'static,
        R: FnOnce(&Shared) -> T + Send + 'static,
    {
        let found = self.writer.give(read);
        async move { found.await.unwrap_or_default() }
    }

    /// Keeps what `write` writes, in the order in which this is called. When it cannot be kept, why: told once.
    pub(super) fn keep<W>(&self, write: W) -> impl Future<Output = Option<String>> + Send + use<W>
    where
        W: FnOnce(&Shared) -> io::Result<()> + Send + 'static,
    {
        let kept = self.writer.give(write);
        let (what, shown, told) = (self.what, self.shown.clone(), Arc::clone(&self.told));
        async move {
            let why = match kept.await {
                Some(Ok(())) => return None,
                Some(Err(error)) => error.to_string(),
                None => "the disk does not keep up".to_owned(),
            };
            let first = !told.swap(true, Ordering::Relaxed);
            first.then(|| format!("{what} not kept for later: {shown} cannot be written: {why}"))
        }
    }

    /// Waits for what was given to be on the disk, but not for long.
    pub(super) async fn settle(&self) {
        let _ = tokio::time::timeout(SETTLED_WITHIN, self.writer.give(|_| ())).await;
    }
}
