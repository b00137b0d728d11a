//! What an act looks at just before it is sent: disks against their marks, and the switch of allocation. Nothing here changes anything.

use super::{questions, watermark};
use crate::core::part::{Gap, GapKind, Part};
use crate::core::search::SearchNode;
use crate::sources::http::Http;

/// Every node with the marks of its disk. Where the settings are not read the marks are not known, either.
///
/// # Errors
/// When nodes or settings cannot be read.
pub async fn disks(http: &Http) -> Result<Vec<SearchNode>, Gap> {
    let settings = known(questions::settings(http).await)?;
    let marks = watermark::read(&settings);
    let mut nodes = known(questions::nodes(http).await)?;
    for node in &mut nodes {
        marks.mark(node);
    }
    Ok(nodes)
}

/// What allocation is switched to, where it is not `all`.
///
/// # Errors
/// When the settings cannot be read.
pub async fn allocation(http: &Http) -> Result<Option<String>, Gap> {
    known(questions::settings(http).await).map(|settings| watermark::allocation(&settings))
}

fn known<T>(part: Part<T>) -> Result<T, Gap> {
    match part {
        Part::Ready(value) => Ok(value),
        Part::Unavailable(gap) => Err(gap),
        Part::NotAsked => Err(Gap::new(GapKind::Failed, "not asked")),
    }
}
