//! The rows that a Postgres server has on any screen.

use super::action::BackendId;
use super::look::Look;
use super::reading::StatementKey;

/// What a row of a Postgres server stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PgRow {
    /// A server process.
    Backend(BackendId),
    /// A process that held a lock and is not there any more.
    Gone(i32),
    /// A prepared transaction, by its name.
    Prepared(String),
    /// Who uses the connections.
    Clients,
    /// The sessions of one application, user, client, database and state.
    ClientGroup(ClientGroup),
    /// A statement.
    Statement(StatementKey),
    /// A look: a topic, a panel of the team's, a plan.
    Look(Look),
    /// What sessions wait for: a class of events.
    Activity(String),
    /// One event of a class.
    WaitEvent(String, String),
    /// A database; without a name: what all of them share.
    Database(String),
    /// A vacuum that runs, by its pid.
    Vacuum(i32),
    /// A sender of WAL, by its pid.
    Sender(i32),
    /// A replication slot.
    Slot(String),
    /// A pool of a pooler: database and user.
    Pool(String, String),
    /// A table, qualified.
    Table(String),
    /// An index, qualified.
    Index(String),
    /// A row of a look that is nothing of its own: its first value, and which row it is.
    LookRow(String, usize),
}

/// Sessions that have this in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientGroup {
    /// `application_name`.
    pub application: String,
    /// The role.
    pub user: String,
    /// The client's address.
    pub client: String,
    /// The database.
    pub database: String,
    /// The state, in words.
    pub state: &'static str,
}

impl PgRow {
    /// Its short name: a pid, a table, a slot.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Backend(id) => id.pid.to_string(),
            Self::Gone(pid) | Self::Vacuum(pid) | Self::Sender(pid) => pid.to_string(),
            Self::Prepared(name)
            | Self::Activity(name)
            | Self::WaitEvent(_, name)
            | Self::Database(name)
            | Self::Slot(name)
            | Self::Table(name)
            | Self::Index(name)
            | Self::LookRow(name, _)
            | Self::Pool(name, _)
            | Self::Look(Look::Topic(name) | Look::Panel(name)) => name.clone(),
            Self::Clients => "clients".to_owned(),
            Self::ClientGroup(group) => group.application.clone(),
            Self::Statement(key) => key.query.to_string(),
            Self::Look(Look::Plan(planned)) => planned.query.to_string(),
        }
    }
}
