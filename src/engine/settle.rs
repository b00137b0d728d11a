//! The end of a run: what has been stopped says goodbye to its server.

use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// So long, when all is stopped, what says goodbye to a server may take.
const SETTLED_WITHIN: Duration = Duration::from_millis(300);
/// Between two looks whether that is done.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until every task has ended, but not for long: those that are left take leave of their servers.
pub async fn settle() {
    let left = || Handle::current().metrics().num_alive_tasks();
    let until = Instant::now() + SETTLED_WITHIN;
    while left() > 0 && Instant::now() < until {
        tokio::time::sleep(LOOK).await;
    }
}
