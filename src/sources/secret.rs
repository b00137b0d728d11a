//! Reads secrets when they are needed: from files in their own place, from commands as processes of their own. Whoever gives up the poll
//! that wants one gives up the reading, too.

mod command;

use super::bulkhead::FILES;
use crate::config::pgpass;
use crate::config::secret::{self, Secret};
use secrecy::SecretString;

/// The secret as it is now.
///
/// # Errors
/// A sentence that names the file or the command, never what it held.
pub async fn read(secret: &Secret) -> Result<SecretString, String> {
    match secret {
        Secret::Inline(secret) => Ok(secret.clone()),
        Secret::Command(command) => command::read(command).await,
        Secret::File(path) => {
            let (key, path) = (path.display().to_string(), path.clone());
            file(&key, move || secret::in_file(&path)).await
        }
        Secret::Passfile(path, wanted) => {
            let (key, path, wanted) = (path.display().to_string(), path.clone(), wanted.clone());
            file(&key, move || pgpass::password(&path, &wanted).map(SecretString::from)).await
        }
    }
}

/// The secret, where there is one.
///
/// # Errors
/// As [`read`].
pub async fn read_any(secret: Option<&Secret>) -> Result<Option<SecretString>, String> {
    match secret {
        Some(secret) => read(secret).await.map(Some),
        None => Ok(None),
    }
}

async fn file<T: Send + 'static>(
    key: &str,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let failed = || Err(format!("reading the file {key} with the secret failed inside stacktop"));
    FILES.run(key, work).await.unwrap_or_else(failed)
}
