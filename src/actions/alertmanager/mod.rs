//! Makes, extends and expires silences of an Alertmanager. A silence that is not as it was seen is left alone, nothing is sent twice, and
//! where an answer was lost it is looked what is there.

mod decode;
mod parts;
mod verification;

use super::Executor;
use super::stop::Stop;
use crate::config::target::HttpConnect;
use crate::core::action::{Action, ActionError, Confirmed, Outcome, Verdict, Verification};
use crate::core::alertmanager::{AlertmanagerAct, End, Matcher, SeenSilence, sent};
use crate::core::report::PollError;
use crate::sources::http::{Answer, Http, within};
use crate::sources::json;
use chrono::{DateTime, Utc};
use decode::{Found, moment};
use futures_util::future::BoxFuture;
use parts::{ends, id_of, is_lost, place, words, written};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// What was not answered after this long is "not known".
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where silences are listed and made.
const SILENCES: &str = "/api/v2/silences";

/// Carries out actions on one Alertmanager.
pub struct AlertmanagerExecutor {
    connect: HttpConnect,
    open: Mutex<Option<Arc<Http>>>,
}

impl std::fmt::Debug for AlertmanagerExecutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AlertmanagerExecutor({})", self.connect.shown_url())
    }
}

/// Why a change got no answer that says it was made.
enum Trouble {
    /// It was never sent, or refused.
    Not(ActionError),
    /// What it is about is not there.
    Gone,
    /// It was sent, and the answer was lost.
    Lost(String),
}

impl AlertmanagerExecutor {
    /// An executor for this target; [`prepare`](Executor::prepare) opens its client.
    #[must_use]
    pub const fn new(connect: HttpConnect) -> Self {
        Self { connect, open: Mutex::const_new(None) }
    }

    async fn http(&self) -> Result<Arc<Http>, ActionError> {
        let mut slot = self.open.lock().await;
        if let Some(open) = &*slot {
            return Ok(Arc::clone(open));
        }
        let opened = Http::open(&self.connect).await.map_err(|error| ActionError::NotDone(words(&error)))?;
        Ok(Arc::clone(slot.insert(Arc::new(opened))))
    }

    /// What stands at `path`, and when that was by the server's clock; nothing where the server knows no such thing.
    async fn read<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &str,
    ) -> Result<Option<(T, Option<DateTime<Utc>>)>, ActionError> {
        let http = self.http().await?;
        let not_done = |error: &PollError| ActionError::NotDone(words(error));
        let answer = within(TIMEOUT, http.get(path, &[])).await.map_err(|error| not_done(&error))?;
        if answer.status.as_u16() == 404 && path != SILENCES {
            return Ok(None);
        }
        if let Some(error) = http.refusal(&answer) {
            return Err(not_done(&error));
        }
        let at = answer.date();
        let read = json::whole_beside::<T>(&answer.body).await.ok_or_else(|| {
            ActionError::NotDone(format!("{} answers, but not as an Alertmanager does", http.shown()))
        })?;
        Ok(Some((read, at)))
    }

    /// A silence as the server has it, field by field.
    async fn silence(&self, id: &str) -> Result<Option<(Value, Option<DateTime<Utc>>)>, ActionError> {
        self.read(&place(id)).await
    }

    async fn all(&self) -> Result<(Vec<Found>, Option<DateTime<Utc>>), ActionError> {
        let none = || ActionError::NotDone(format!("{} has no silences", self.connect.shown_url()));
        self.read(SILENCES).await?.ok_or_else(none)
    }

    /// Sends a change, once.
    async fn change(&self, body: Option<&Value>, path: &str) -> Result<Answer, Trouble> {
        let http = self.http().await.map_err(Trouble::Not)?;
        let sending = async {
            match body {
                Some(body) => http.post_json(path, body).await,
                None => http.delete(path).await,
            }
        };
        let answer = within(TIMEOUT, sending).await.map_err(|error| {
            if is_lost(error.kind) {
                Trouble::Lost(words(&error))
            } else {
                Trouble::Not(ActionError::NotDone(words(&error)))
            }
        })?;
        let status = answer.status.as_u16();
        let said = answer.told().trim_matches('"').to_owned();
        let behind = if said.is_empty() { String::new() } else { format!(": {said}") };
        let shown = http.shown();
        let refused = |words: String| Err(Trouble::Not(ActionError::NotDone(words)));
        match status {
            200..=299 => Ok(answer),
            404 => Err(Trouble::Gone),
            400 | 422 => refused(format!("the Alertmanager refuses it ({status}){behind}")),
            403 => refused(format!("{shown} does not permit this user to change silences (403){behind}")),
            405 => refused(format!("{shown} takes no changes here (405){behind}")),
            // A server that failed half way, or a proxy that gives up on one that goes on.
            500..=599 => Err(Trouble::Lost(format!("{shown} answers {status}{behind}"))),
            _ => {
                let words_of = |error: PollError| words(&error);
                refused(http.refusal(&answer).map_or_else(|| format!("{shown} answers {status}"), words_of))
            }
        }
    }

    /// Sends a silence, once: the id under which it stands.
    async fn named(&self, silence: &Value) -> Result<String, Trouble> {
        let answer = self.change(Some(silence), SILENCES).await?;
        let status = answer.status.as_u16();
        id_of(&answer).ok_or_else(|| Trouble::Lost(format!("it answers {status} and names no silence")))
    }

    /// Makes a silence, unless there is the same one.
    async fn make(
        &self,
        matchers: &[Matcher],
        end: End,
        (author, comment): (&str, &str),
    ) -> Result<Outcome, ActionError> {
        let (there, at) = self.all().await?;
        if let Some(same) = there.iter().find(|one| one.holds() && one.is_for(matchers)) {
            let words = format!(
                "{} silences the same until {}: nothing was made, extend that one",
                same.created_by, same.ends_at
            );
            return Ok(outcome(Verdict::Nothing, words));
        }
        let ends = ends(end, at, at)?;
        // Of a new one everything before now is now.
        let starts = at.unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        let body = json!({
            "matchers": matchers.iter().map(sent).collect::<Vec<_>>(),
            "startsAt": written(starts),
            "endsAt": written(ends),
            "createdBy": author,
            "comment": comment,
        });
        let until = written(ends);
        match self.named(&body).await {
            Ok(id) => {
                Ok(outcome(Verdict::Done, format!("silence {id} until {until}: looking whether it holds")))
            }
            Err(Trouble::Lost(why)) => {
                let made = self.all().await.ok();
                let ours = |one: &&Found| {
                    one.stands()
                        && one.is_for(matchers)
                        && (one.created_by.as_str(), one.comment.as_str()) == (author, comment)
                };
                match made.iter().flat_map(|(all, _)| all).find(ours) {
                    Some(found) => Ok(outcome(
                        Verdict::Done,
                        format!(
                            "the answer was lost ({why}), but silence {} is there, until {}",
                            found.id, found.ends_at
                        ),
                    )),
                    None => Err(ActionError::Unknown(format!("{why}; no such silence is listed yet"))),
                }
            }
            Err(trouble) => Err(not_done(trouble)),
        }
    }

    /// The silence, if it is as it was seen; else what was found.
    async fn unchanged(
        &self,
        seen: &SeenSilence,
    ) -> Result<Result<(Value, Option<DateTime<Utc>>), Outcome>, ActionError> {
        let id = &seen.id;
        let Some((whole, at)) = self.silence(id).await? else {
            return Ok(Err(outcome(Verdict::Nothing, format!("silence {id} is gone: nothing was done"))));
        };
        let found: Found = serde_json::from_value(whole.clone()).unwrap_or_default();
        if !found.stands() {
            let words = format!("silence {id} is over already, since {}: nothing was done", found.ends_at);
            return Ok(Err(outcome(Verdict::Nothing, words)));
        }
        if (&found.ends_at, &found.comment) != (&seen.ends_at, &seen.comment) {
            let words = format!(
                "silence {id} was changed meanwhile: it is {}'s and ends {}, \"{}\"; nothing was done, look again",
                found.created_by, found.ends_at, found.comment
            );
            return Ok(Err(outcome(Verdict::Nothing, words)));
        }
        Ok(Ok((whole, at)))
    }

    /// Lets a silence end later. Everything else stays as the server has it: with other matchers or another begin it would make a new one.
    async fn extend(&self, seen: &SeenSilence, end: End) -> Result<Outcome, ActionError> {
        let (mut whole, at) = match self.unchanged(seen).await? {
            Ok(found) => found,
            Err(outcome) => return Ok(outcome),
        };
        let ends = ends(end, moment(&seen.ends_at), at)?;
        let until = written(ends);
        if let Some(fields) = whole.as_object_mut() {
            // What the server says of it is not the one's to say who changes it.
            fields.remove("status");
            fields.remove("updatedAt");
            fields.insert("endsAt".to_owned(), Value::String(until.clone()));
        }
        let id = &seen.id;
        match self.named(&whole).await {
            Ok(new) => {
                let words = if new == *id {
                    format!("silence {id} ends {until} now")
                } else {
                    format!("silence {id} was replaced by {new}, which ends {until}")
                };
                Ok(outcome(Verdict::Done, words))
            }
            Err(Trouble::Gone) => {
                Ok(outcome(Verdict::Nothing, format!("silence {id} is gone: nothing was done")))
            }
            Err(Trouble::Lost(why)) => {
                let there = self.silence(id).await.ok().flatten();
                let found = there.and_then(|(whole, _)| serde_json::from_value::<Found>(whole).ok());
                match found.filter(|found| found.ends() == Some(ends)) {
                    Some(_) => Ok(outcome(
                        Verdict::Done,
                        format!("the answer was lost ({why}), but silence {id} ends {until} now"),
                    )),
                    None => Err(ActionError::Unknown(why)),
                }
            }
            Err(Trouble::Not(error)) => Err(error),
        }
    }

    /// Ends a silence now.
    async fn expire(&self, seen: &SeenSilence) -> Result<Outcome, ActionError> {
        if let Err(outcome) = self.unchanged(seen).await? {
            return Ok(outcome);
        }
        let id = &seen.id;
        match self.change(None, &place(id)).await {
            Ok(_) => Ok(outcome(Verdict::Done, format!("silence {id} is ended: looking who is told again"))),
            Err(Trouble::Gone) => {
                Ok(outcome(Verdict::Nothing, format!("silence {id} is gone: nothing was done")))
            }
            Err(Trouble::Lost(why)) => {
                let there = self.silence(id).await.ok().flatten();
                let found = there.and_then(|(whole, _)| serde_json::from_value::<Found>(whole).ok());
                match found.filter(|found| !found.stands()) {
                    Some(_) => Ok(outcome(
                        Verdict::Done,
                        format!("the answer was lost ({why}), but silence {id} is over"),
                    )),
                    None => Err(ActionError::Unknown(why)),
                }
            }
            Err(Trouble::Not(error)) => Err(error),
        }
    }
}

fn outcome(verdict: Verdict, summary: String) -> Outcome {
    Outcome { verdict, summary, details: Vec::new() }
}

fn not_done(trouble: Trouble) -> ActionError {
    match trouble {
        Trouble::Not(error) => error,
        Trouble::Gone => ActionError::NotDone("the server has no silences at this address (404)".to_owned()),
        Trouble::Lost(why) => ActionError::Unknown(why),
    }
}

fn act_of(action: &Action) -> Result<&AlertmanagerAct, ActionError> {
    let Action::Alertmanager { act, .. } = action else {
        return Err(ActionError::not_for("an Alertmanager"));
    };
    Ok(act)
}

impl Executor for AlertmanagerExecutor {
    fn prepare(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            // A failure is told when somebody acts; it is tried again then.
            let _ = self.http().await;
        })
    }

    fn execute<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
        _: &'a Stop,
    ) -> BoxFuture<'a, Result<Outcome, ActionError>> {
        Box::pin(async move {
            match act_of(action.action())? {
                AlertmanagerAct::Silence { matchers, end, author, comment, .. } => {
                    self.make(matchers, *end, (author, comment)).await
                }
                AlertmanagerAct::Extend { silence, end } => self.extend(silence, *end).await,
                AlertmanagerAct::Expire { silence, .. } => self.expire(silence).await,
            }
        })
    }

    fn verify<'a>(
        &'a self,
        action: &'a Confirmed<Action>,
    ) -> BoxFuture<'a, Result<Verification, ActionError>> {
        Box::pin(async move {
            match act_of(action.action())? {
                AlertmanagerAct::Silence { matchers, author, comment, quiet, .. } => {
                    self.look_at_new(matchers, (author, comment), quiet).await
                }
                AlertmanagerAct::Extend { silence, .. } => self.look_at_end(silence).await,
                AlertmanagerAct::Expire { silence, quiet } => self.look_at_expired(&silence.id, quiet).await,
            }
        })
    }

    fn statement(&self, action: &Action) -> String {
        act_of(action).map_or_else(|_| String::new(), AlertmanagerAct::statement)
    }
}
