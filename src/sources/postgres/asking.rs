//! An open connection, and how it is asked: each question prepared once, or in a transaction of its own behind a pooler.

use super::charset::Charset;
use crate::config::target::{Dialled, PostgresConnect};
use crate::core::postgres::OWN_MARK;
use crate::core::whereabouts::{End, Whereabouts};
use crate::sources::asked;
use crate::sources::dial;
use crate::sources::heard::Heard;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, Client, Error, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// An open connection.
pub struct Connection {
    /// To ask with.
    pub client: Client,
    pub(super) cancel: CancelToken,
    /// Which of the target's hosts it goes to, and the address behind its name.
    pub(super) server: (usize, Dialled),
    /// Whether it is a standby, and whether its sessions only read by default; where that was asked for.
    pub(super) role: Option<(bool, bool)>,
    /// Our own end of it, as this machine knows it.
    pub(super) our_end: Option<End>,
    /// Where the server is, once it was asked.
    pub(super) whereabouts: Whereabouts,
    /// It is itself where we reach it.
    pub(super) direct: bool,
    /// Where its data lies, as far as it says so.
    pub(super) data_directory: Option<String>,
    pub(super) tls_name: String,
    /// When its last byte came.
    pub(super) heard: Heard,
    /// It is encrypted.
    pub tls: bool,
    /// What begins each transaction where the connection itself can have no settings: behind a PgBouncer the next question may run
    /// on another session of the server, and a setting would stay behind for its next client.
    pub pooled: Option<String>,
    /// How the database is written.
    pub charset: Charset,
    pub(super) prepared: Mutex<HashMap<String, Statement>>,
    pub(super) connector: MakeRustlsConnect,
}

/// A row, and how its text is written.
#[derive(Debug)]
pub struct Row {
    row: tokio_postgres::Row,
    /// How the database is written that gave it.
    pub charset: Charset,
}

impl Deref for Row {
    type Target = tokio_postgres::Row;

    fn deref(&self) -> &Self::Target {
        &self.row
    }
}

/// A parameter and its type, which a question that is not prepared has to say.
pub type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A question as it is sent: whoever finds it in a log or among the statements sees whose it is. The mark stands behind the first word:
/// what is before that is cut off among the statements (from 18 on).
pub(super) fn marked(sql: &str) -> String {
    for word in ["SELECT ", "WITH "] {
        if let Some(rest) = sql.strip_prefix(word) {
            return format!("{word}{OWN_MARK}{rest}");
        }
    }
    format!("{OWN_MARK}{sql}")
}

impl Connection {
    /// Asks. Questions that are asked at once travel in one round trip; each is prepared once a connection, or runs in a transaction of
    /// its own behind a PgBouncer.
    ///
    /// # Errors
    /// What the server says.
    pub async fn ask(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        asked::count(1);
        if let Some(begin) = &self.pooled {
            let marked = marked(sql);
            let (begun, rows, ended) = tokio::join!(
                self.client.batch_execute(begin),
                self.client.query_typed(&marked, parameters),
                self.client.batch_execute("COMMIT"),
            );
            begun?;
            let rows = rows?;
            ended?;
            return Ok(self.written(rows));
        }
        let statement = self.statement(sql).await?;
        let values: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|(value, _)| *value).collect();
        Ok(self.written(self.client.query(&statement, &values).await?))
    }

    fn written(&self, rows: Vec<tokio_postgres::Row>) -> Vec<Row> {
        rows.into_iter().map(|row| Row { row, charset: self.charset }).collect()
    }

    /// The statement for `sql`, prepared once a connection.
    async fn statement(&self, sql: &str) -> Result<Statement, Error> {
        let known = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(&marked(sql)).await?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Whether it still goes to the server that the target is now. Another one may have been elected since.
    #[must_use]
    pub fn is_current(&self, connect: &PostgresConnect) -> bool {
        connect.elected.now().is_none_or(|elected| elected == self.server)
    }

    /// Cancels what runs on this connection, on a task of its own and with its own timeout.
    pub fn cancel_in_background(&self) {
        let (token, mut connector, name) =
            (self.cancel.clone(), self.connector.clone(), self.tls_name.clone());
        let address = self.server.1.clone();
        tokio::spawn(async move {
            let cancelling = async {
                let Ok(wire) = dial::dial(&address).await else { return };
                let Ok(tls) = MakeTlsConnect::<dial::Wire>::make_tls_connect(&mut connector, &name);
                let _ = token.cancel_query_raw(wire, tls).await;
            };
            let _ = tokio::time::timeout(Duration::from_secs(2), cancelling).await;
        });
    }
}
