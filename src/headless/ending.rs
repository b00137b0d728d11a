//! The signals that end a run without a screen: in order, and without it where it does not end because nobody takes what it writes.

use std::io;
use std::process::exit;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// So long the run may take to end by itself: it may be held by a write to a pipe that nobody reads.
const IN_ORDER: Duration = Duration::from_millis(700);
/// How many signals end a run.
const SIGNALS: usize = 3;

/// Waits for the signals that end the run. What waits ends with this.
pub(super) struct Ending {
    caught: mpsc::Receiver<i32>,
    _waiting: JoinSet<()>,
}

impl Ending {
    /// From now on they are ours.
    pub(super) fn catch() -> io::Result<Self> {
        let (sender, caught) = mpsc::channel(SIGNALS);
        let mut waiting = JoinSet::new();
        for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
            let (mut heard, sender) = (signal(kind)?, sender.clone());
            // Beside the loop, which may be held.
            waiting.spawn(async move {
                if heard.recv().await.is_some() {
                    let _ = sender.try_send(kind.as_raw_value());
                    tokio::time::sleep(IN_ORDER).await;
                    exit(128 + kind.as_raw_value());
                }
            });
        }
        Ok(Self { caught, _waiting: waiting })
    }

    /// The number of the next one.
    pub(super) async fn next(&mut self) -> i32 {
        match self.caught.recv().await {
            Some(number) => number,
            None => std::future::pending().await,
        }
    }
}
