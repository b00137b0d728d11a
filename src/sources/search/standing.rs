//! What an act looks at just before it is sent: disks against their marks, and the switch of allocation. Nothing here changes anything.

use super::{questions, watermark};
use crate::core::part::{Gap, GapKind, Part};
use crate::core::search::SearchNode;
use crate::sources::http::Http;
use crate::sources::http::gap;
use serde_json::Value;
use std::time::Duration;

/// The count of nodes is given up after this.
const LIMIT: Duration = Duration::from_secs(4);

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

/// Nodes with data that the cluster counts, whether they answer or not; nothing where it does not tell.
///
/// # Errors
/// When it cannot be asked.
pub async fn data_nodes(http: &Http) -> Result<Option<u64>, Gap> {
    let answer = questions::health(http, LIMIT).await.map_err(|error| gap(&error))?;
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    Ok(value.pointer("/number_of_data_nodes").and_then(Value::as_u64))
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
