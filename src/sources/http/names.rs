//! Names of hosts, for the HTTP client.

use crate::sources::dial;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Names are looked up where all names are.
pub(super) struct Names;

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is that of the URL, which the client knows.
            let found = dial::addresses(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
