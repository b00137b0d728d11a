//! Why no connection came about.

use tokio_postgres::Error;

/// Why no connection came about.
#[derive(Debug)]
pub(super) enum Failure {
    /// There was no way to the server.
    Wire(std::io::Error),
    /// Another user answered than was asked for.
    Peer(String),
    /// A setting of the session is not in force.
    Settings { setting: String, found: String },
    /// The server, or TLS, said no.
    Postgres(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Postgres(error)
    }
}
