//! Changes a search cluster: one request for each act, sent once and never again by itself, after a look whether the object is still what
//! was seen. HTTP gives no way to put that look inside the request: the moment between the two is as short as the way to the cluster.

mod afterwards;
mod before;

use super::Executor;
use super::stop::Stop;
use crate::config::target::HttpConnect;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verdict, Verification};
use crate::core::report::PollErrorKind;
use crate::core::search::{Keeper, SearchAction};
use crate::sources::http::{Answer, Http, gap, within};
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// What was not answered after this long is "not known": longer than both waits of the server.
const TIMEOUT: Duration = Duration::from_secs(25);
/// A look before or afterwards.
const LOOK: Duration = Duration::from_secs(10);

/// Carries out actions on one search cluster.
pub struct SearchExecutor {
    connect: HttpConnect,
    open: Mutex<Option<Arc<Http>>>,
}

impl std::fmt::Debug for SearchExecutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SearchExecutor({})", self.connect.shown_url())
    }
}

/// The answer to a look: what it found, or nothing where the object is not there.
type Found = Option<Value>;

impl SearchExecutor {
    /// An executor for this cluster; nothing is connected yet.
    #[must_use]
    pub const fn new(connect: HttpConnect) -> Self {
        Self { connect, open: Mutex::const_new(None) }
    }

    async fn http(&self) -> Result<Arc<Http>, ActionError> {
        let mut slot = self.open.lock().await;
        if let Some(open) = slot.as_ref() {
            return Ok(Arc::clone(open));
        }
        let opened =
            Http::open(&self.connect).await.map_err(|error| ActionError::NotDone(gap(&error).note))?;
        Ok(Arc::clone(slot.insert(Arc::new(opened))))
    }

    /// Asks for the state of something: nothing is changed by it, so without an answer nothing was done.
    async fn look(&self, path: &str) -> Result<Found, ActionError> {
        let http = self.http().await?;
        let answer = within(LOOK, http.get(path, &[])).await;
        let answer = answer.map_err(|error| ActionError::NotDone(gap(&error).note))?;
        if answer.status.as_u16() == 404 {
            return Ok(None);
        }
        if let Some(refusal) = http.refusal(&answer) {
            return Err(ActionError::NotDone(gap(&refusal).note));
        }
        let value = serde_json::from_slice(&answer.body);
        value.map(Some).map_err(|_| ActionError::NotDone("an answer that is not understood".to_owned()))
    }

    /// Sends what was confirmed.
    async fn send(&self, act: &SearchAction) -> Result<Value, ActionError> {
        let http = self.http().await?;
        let request = act.request();
        let sent = async {
            match &request.body {
                Some(body) if request.put => http.put_json(&request.path, body).await,
                Some(body) => http.post_json(&request.path, body).await,
                None => http.post(&request.path).await,
            }
        };
        let answer = within(TIMEOUT, sent).await.map_err(|error| match error.kind {
            // It never went out.
            PollErrorKind::Unreachable | PollErrorKind::Tls | PollErrorKind::Configuration => {
                ActionError::NotDone(gap(&error).note)
            }
            PollErrorKind::Credentials
            | PollErrorKind::NotPermitted
            | PollErrorKind::TimedOut
            | PollErrorKind::WrongServer
            | PollErrorKind::NotReady
            | PollErrorKind::Full
            | PollErrorKind::Failed
            | PollErrorKind::Internal => ActionError::Unknown(gap(&error).note),
        })?;
        if let Some(refusal) = http.refusal(&answer) {
            return Err(refused(act, &answer, &refusal.message));
        }
        // A proxy answers in the name of nobody, with a page.
        serde_json::from_slice(&answer.body).ok().filter(Value::is_object).ok_or_else(|| {
            let status = answer.status.as_u16();
            ActionError::Unknown(format!("{} answers {status}, and not as a search server", http.shown()))
        })
    }

    async fn carry_out(&self, act: &SearchAction) -> Result<Outcome, ActionError> {
        if let Some(changed) = self.changed(act).await? {
            let summary = format!("{changed}: nothing was done");
            return Ok(Outcome { verdict: Verdict::Nothing, summary, details: Vec::new() });
        }
        let answer = self.send(act).await?;
        if let Some(index) = act.index().filter(|_| act.is_by_name()) {
            self.still(index).await?;
        }
        Ok(told(act, &answer))
    }
}

/// What a refusal of the server means for what was sent.
fn refused(act: &SearchAction, answer: &Answer, message: &str) -> ActionError {
    let told = answer.told();
    match answer.status.as_u16() {
        // Older servers answer a block with 403, too: that is no missing right.
        403 if told.contains("cluster_block_exception") => ActionError::NotDone(format!(
            "{message}; the cluster itself is blocked (cluster.blocks.read_only), or the index is in another way"
        )),
        status @ (401 | 403) => ActionError::NotDone(format!(
            "the cluster refuses it ({status}): {told}; it takes {}",
            act.privilege()
        )),
        // Given up before the master came to it, or never heard by one.
        503 if [
            "process_cluster_event_timeout",
            "master_not_discovered",
            "cluster_manager_not_discovered",
        ]
        .iter()
        .any(|words| told.contains(words)) =>
        {
            ActionError::NotDone(message.to_owned())
        }
        500..=599 => ActionError::Unknown(message.to_owned()),
        _ => ActionError::NotDone(message.to_owned()),
    }
}

/// What the server says of what it did.
fn told(act: &SearchAction, answer: &Value) -> Outcome {
    let plain = |verdict, summary| Outcome { verdict, summary, details: Vec::new() };
    let late = if answer.get("acknowledged").and_then(Value::as_bool) == Some(false) {
        " (not every node has confirmed it yet)"
    } else {
        ""
    };
    match act {
        SearchAction::RetryFailed { .. } => plain(
            Verdict::Done,
            format!("the shards that were given up are tried once more{late}; looking whether they start"),
        ),
        SearchAction::RetryStep { index, keeper: Keeper::Ism, .. } => {
            match answer.pointer("/failed_indices/0/reason").and_then(Value::as_str) {
                Some(why) => plain(Verdict::Nothing, format!("{}: the retry was refused: {why}", index.name)),
                None => plain(Verdict::Done, format!("{}: the step is tried again{late}", index.name)),
            }
        }
        SearchAction::RetryStep { index, keeper: Keeper::Ilm, .. } => {
            plain(Verdict::Done, format!("{}: the step is tried again{late}", index.name))
        }
        SearchAction::Unblock { index } => plain(
            Verdict::Done,
            format!("{}: the block is off{late}; looking whether it stays so", index.name),
        ),
        SearchAction::CancelTask { task } => {
            let failure = answer
                .pointer("/node_failures/0/caused_by/reason")
                .or_else(|| answer.pointer("/node_failures/0/reason"))
                .or_else(|| answer.pointer("/task_failures/0/reason/reason"))
                .and_then(Value::as_str);
            match failure {
                Some(why) => {
                    plain(Verdict::Nothing, format!("task {}: it was not asked to end: {why}", task.id))
                }
                None => plain(
                    Verdict::Done,
                    format!("task {} was asked to end; it does so at its next check", task.id),
                ),
            }
        }
        SearchAction::Replicas { index, from, to } => {
            plain(Verdict::Done, format!("{}: number_of_replicas is {to} (it was {from}){late}", index.name))
        }
        SearchAction::Allocate { mode } => {
            plain(Verdict::Done, format!("allocation was {mode}, and that setting is gone{late}"))
        }
    }
}

fn search_action(action: &Action) -> Result<&SearchAction, ActionError> {
    let Action::Search { act, .. } = action else { return Err(ActionError::not_for("a search cluster")) };
    Ok(act)
}

impl Executor for SearchExecutor {
    fn prepare(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // A failure is told when somebody acts.
            let _ = self.http().await;
        })
    }

    fn execute<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
        _: &'a Stop,
    ) -> BoxFuture<'a, Result<Outcome, ActionError>> {
        Box::pin(async move { self.carry_out(search_action(action.action())?).await })
    }

    fn verify<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
    ) -> BoxFuture<'a, Result<Verification, ActionError>> {
        Box::pin(async move { self.verified(search_action(action.action())?).await })
    }

    fn statement(&self, action: &Action) -> String {
        search_action(action).map_or_else(|_| String::new(), SearchAction::statement)
    }
}
