//! Targets that come and go while the engine runs. Who knows of them is asked in a task of its own; what it tells is taken where reports are.

use super::Job;
use crate::core::enlisted::Enlisted;
use crate::sources::owned::Owned;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

/// What has come and gone since it was told last.
#[derive(Debug)]
pub struct Change {
    /// The same for the world.
    pub enlisted: Enlisted,
    /// Who asks those that have come.
    pub jobs: Vec<Job>,
}

/// Who knows which targets there are.
pub trait Roster: Send {
    /// Waits until something has changed.
    fn next(&mut self) -> BoxFuture<'_, Change>;
}

impl std::fmt::Debug for dyn Roster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Roster")
    }
}

/// What a roster tells, one change after the other; none is lost.
#[derive(Debug)]
pub struct Changes(Option<(mpsc::Receiver<Change>, Owned<()>)>);

impl Changes {
    /// Begins to follow it; without one nothing ever changes.
    #[must_use]
    pub fn of(roster: Option<Box<dyn Roster>>) -> Self {
        Self(roster.map(|mut roster| {
            let (sender, changes) = mpsc::channel(1);
            let task = Owned::spawn(async move {
                while !sender.is_closed() {
                    let change = roster.next().await;
                    if sender.send(change).await.is_err() {
                        return;
                    }
                }
            });
            (changes, task)
        }))
    }

    /// The next one. Nothing is lost when it is given up.
    pub async fn next(&mut self) -> Change {
        if let Some((changes, _)) = &mut self.0
            && let Some(change) = changes.recv().await
        {
            return change;
        }
        std::future::pending().await
    }
}
