//! Why no connection came about.

use super::guarded;
use tokio_postgres::Error;

/// Why no connection came about.
#[derive(Debug)]
pub(super) enum Failure {
    /// There was no way to the server.
    Wire(std::io::Error),
    /// Another user answered than was asked for.
    Peer(String),
    /// The server asks for another login than it may.
    Unwanted(String),
    /// A setting of the session is not in force.
    Settings { setting: String, found: String },
    /// The server, or TLS, said no.
    Postgres(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match guarded::refused(&error) {
            Some(why) => Self::Unwanted(why),
            None => Self::Postgres(error),
        }
    }
}
