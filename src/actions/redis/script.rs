//! Ends the script that holds the server. While one does, a server answers little else: the connection that is open already is used.

use super::{RedisExecutor, TIMEOUT};
use crate::core::action::{ActionError, Outcome, Verdict, Verification};
use crate::sources::redis::connection::{self, Connection};
use redis::{RedisError, Value, cmd};

impl RedisExecutor {
    /// A connection as it is: whether it lives is seen when it is used.
    async fn at_hand(&self) -> Result<Connection, ActionError> {
        if let Some(open) = self.open.lock().await.0.clone() {
            return Ok(open);
        }
        let opened = tokio::time::timeout(TIMEOUT, connection::connect(&self.connect))
            .await
            .map_err(|_| ActionError::NotDone("no connection within 5 s".to_owned()))?
            .map_err(|error| ActionError::NotDone(error.message))?;
        self.open.lock().await.0 = Some(opened.clone());
        Ok(opened)
    }

    async fn kill(
        &self,
        connection: &mut Connection,
        what: &str,
    ) -> Result<Result<Value, RedisError>, ActionError> {
        let ask = cmd(what).arg("KILL").to_owned();
        tokio::time::timeout(TIMEOUT, ask.query_async::<Value>(connection))
            .await
            .map_err(|_| ActionError::Unknown("the server did not answer within 5 s".to_owned()))
    }

    pub(super) async fn end_script(&self) -> Result<Outcome, ActionError> {
        let mut connection = self.at_hand().await?;
        let mut answer = self.kill(&mut connection, "SCRIPT").await?;
        if answer.as_ref().is_err_and(|error| error.to_string().contains("FUNCTION KILL")) {
            answer = self.kill(&mut connection, "FUNCTION").await?;
        }
        let Err(error) = answer else {
            let summary = "the script was told to end".to_owned();
            return Ok(Outcome { verdict: Verdict::Done, summary, details: Vec::new() });
        };
        let summary = match error.code() {
            Some("NOTBUSY") => "no script runs any more".to_owned(),
            Some("UNKILLABLE") => {
                "the script has written already and cannot be ended: let it end; SHUTDOWN NOSAVE would lose what is not on disk".to_owned()
            }
            _ => return Err(ActionError::NotDone(self.words(&error))),
        };
        Ok(Outcome { verdict: Verdict::Nothing, summary, details: Vec::new() })
    }

    /// Whether the server serves others again.
    pub(super) async fn look_at_script(&self) -> Result<Verification, ActionError> {
        let mut connection = self.at_hand().await?;
        let ping = tokio::time::timeout(TIMEOUT, cmd("PING").query_async::<Value>(&mut connection)).await;
        let settled = matches!(ping, Ok(Ok(_)));
        let sentence = if settled {
            "the server serves everybody again"
        } else {
            "the server is still held by a script"
        };
        Ok(Verification { settled, sentence: sentence.to_owned() })
    }
}
