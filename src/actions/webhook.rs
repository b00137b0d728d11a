//! Tells a webhook of findings: each as one JSON body, one after the other, from a queue of bounded length. What cannot be told is dropped
//! after two more tries, and that is said once in the log. The URL is a secret and is never shown.

use super::audit::stamp;
use super::keeper::severity_word;
use crate::config::secret::Secret;
use crate::config::url;
use crate::core::timeline::{Event, Kind};
use crate::sources::http::Http;
use crate::sources::secret;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Findings that may wait; more than these are of no use to whoever reads them.
pub const QUEUE: usize = 32;
/// A try takes no longer.
const WITHIN: Duration = Duration::from_secs(5);
/// The waits before the second try and the third.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Where findings are told.
#[derive(Debug)]
pub struct Webhook {
    url: Secret,
    environment: String,
}

/// Why one was not taken.
struct Refused {
    why: String,
    /// Another try may help.
    again: bool,
}

impl Webhook {
    /// One at `url`, for the stack of this name.
    #[must_use]
    pub const fn new(url: Secret, environment: String) -> Self {
        Self { url, environment }
    }

    /// Tells what comes from `queue`, until nobody can give any more.
    pub async fn serve(self, mut queue: mpsc::Receiver<Arc<Event>>) {
        let mut failing = false;
        while let Some(event) = queue.recv().await {
            match self.tell(&self.body(&event)).await {
                Ok(()) => failing = false,
                Err(why) if !failing => {
                    failing = true;
                    tracing::error!(
                        "the webhook was not told of a finding: {why}; further failures are not logged"
                    );
                }
                Err(_) => {}
            }
        }
    }

    fn body(&self, event: &Event) -> Value {
        let about = event.about.as_ref();
        let severity = about.map(|about| severity_word(about.severity));
        let target = event.target.as_ref().map(ToString::to_string);
        let state = if event.kind == Kind::Ended { "ended" } else { "firing" };
        let text = format!(
            "{} {state}: {} on {}: {}",
            self.environment,
            severity.unwrap_or_default(),
            target.as_deref().unwrap_or_default(),
            event.words
        );
        json!({
            "text": text,
            "state": state,
            "environment": self.environment,
            "target": target,
            "rule": about.map(|about| &about.rule),
            "subject": about.map(|about| &about.subject),
            "severity": severity,
            "sentence": event.words,
            "since": about.map(|about| stamp(about.since)),
            "at": stamp(event.at),
            "lasted_seconds": event.lasted.map(|lasted| lasted.as_secs()),
        })
    }

    async fn tell(&self, body: &Value) -> Result<(), String> {
        let mut waits = WAITS.iter();
        loop {
            let tried = tokio::time::timeout(WITHIN, self.attempt(body)).await;
            let refused = match tried {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(refused)) => refused,
                Err(_) => Refused { why: "no answer within 5 s".to_owned(), again: true },
            };
            match waits.next().filter(|_| refused.again) {
                Some(wait) => tokio::time::sleep(*wait).await,
                None => return Err(refused.why),
            }
        }
    }

    /// One try, with the URL as it is now.
    async fn attempt(&self, body: &Value) -> Result<(), Refused> {
        let stays = |why| Refused { why, again: false };
        let url = secret::read(&self.url).await.map_err(|why| Refused { why, again: true })?;
        let connect =
            url::http(url.expose_secret()).map_err(|_| stays("its URL cannot be read".to_owned()))?;
        let host = connect.host();
        let hidden = connect.shown_url();
        let tame = |why: &str| format!("{host}: {}", why.replace(&hidden, "its address"));
        let http = Http::open(&connect).await.map_err(|error| stays(tame(&error.message)))?;
        let answer = http.post_json("", body).await;
        let answer = answer.map_err(|error| Refused { why: tame(&error.message), again: true })?;
        let status = answer.status;
        if status.is_success() {
            return Ok(());
        }
        let again = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
        Err(Refused { why: format!("{host} answers {status}"), again })
    }
}
