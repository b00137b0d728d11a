//! Asks an Alertmanager's HTTP interface: its groups of alerts, silences, cluster, and what it counts of itself.

pub(crate) mod decode;

use super::http::{Answer, Http, gap, within};
use super::{Source, json, knock};
use crate::config::target::HttpConnect;
use crate::core::alertmanager::{AlertmanagerReading, Counters};
use crate::core::doctor::Report;
use crate::core::focus::Focus;
use crate::core::part::{Gap, GapKind, Part};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::Instant;

/// A question has this long: the others do not wait for a slow one.
const LIMIT: Duration = Duration::from_secs(3);

/// Asks one Alertmanager.
#[derive(Debug)]
pub struct AlertmanagerSource {
    connect: HttpConnect,
    http: Option<Http>,
    answered: Option<Instant>,
}

impl AlertmanagerSource {
    /// A source for this server; nothing is connected yet.
    #[must_use]
    pub const fn new(connect: HttpConnect) -> Self {
        Self { connect, http: None, answered: None }
    }

    async fn read(&mut self, now: Now) -> Result<AlertmanagerReading, PollError> {
        let http = match self.http.take() {
            Some(http) => http,
            None => Http::open(&self.connect).await?,
        };
        let result = ask(&http, now).await;
        self.http = Some(http);
        self.answered = Some(Instant::now());
        result
    }

    /// What of it can be read with the rights that there are.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub async fn examine(mut self, now: Now) -> Result<Report, PollError> {
        let reading = self.read(now).await?;
        Ok(Report::answers([
            ("alerts", reading.groups.gap()),
            ("silences", reading.silences.gap()),
            ("status", reading.status.gap()),
            ("counters", reading.counters.gap()),
        ]))
    }
}

async fn ask(http: &Http, now: Now) -> Result<AlertmanagerReading, PollError> {
    let (groups, silences, status, counted) = tokio::join!(
        within(LIMIT, http.get("/api/v2/alerts/groups", &[])),
        within(LIMIT, http.get("/api/v2/silences", &[])),
        within(LIMIT, http.get("/api/v2/status", &[])),
        within(LIMIT, http.get("/metrics", &[])),
    );
    // The alerts are what it is asked for: without them nothing is known of it.
    let groups = groups?;
    if let Some(error) = http.refusal(&groups) {
        return Err(match remedy(groups.status.as_u16(), &groups.told()) {
            Some(remedy) => error.remedy(remedy),
            None => error,
        });
    }
    let Some(list) = json::whole_beside::<Vec<decode::Group>>(&groups.body).await else {
        let message = format!("{} answers, but not as an Alertmanager does", http.shown());
        let remedy = "check the port (9093), and the path prefix of the URL";
        return Err(PollError::new(PollErrorKind::WrongServer, message).remedy(remedy));
    };
    // What is how old is told by the server's clock.
    let at = groups.date().unwrap_or(now.wall);
    Ok(AlertmanagerReading {
        groups: Part::Ready(list.into_iter().map(|group| group.read(at)).collect()),
        silences: part(http, silences, decode::silences).await,
        status: part(http, status, |status: decode::Status, _| status.read()).await,
        counters: counters(http, counted),
    })
}

/// What to do about a refusal that says more than its status: by the words of Mimir and Cortex, and of vmalert.
fn remedy(status: u16, told: &str) -> Option<&'static str> {
    let told = told.to_ascii_lowercase();
    match status {
        401 if told.contains("no org id") => Some("name the tenant: headers = { X-Scope-OrgID = \"…\" }"),
        404 | 412 if told.contains("not configured") => Some(
            "its tenant has no configuration: load one (mimirtool alertmanager load), or name another tenant",
        ),
        400 | 404 => Some(
            "check the path prefix of the URL (Mimir and Cortex: /alertmanager); vmalert, Thanos and Prometheus hold no silences: they \
             are [[prometheus]]",
        ),
        _ => None,
    }
}

/// One part from its answer; a refusal costs this part only.
async fn part<J: DeserializeOwned + Send + 'static, T>(
    http: &Http,
    answer: Result<Answer, PollError>,
    read: impl FnOnce(J, DateTime<Utc>) -> T,
) -> Part<T> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Part::Unavailable(gap(&error)),
    };
    if let Some(error) = http.refusal(&answer) {
        let kind = if answer.status == 404 { GapKind::NotSupported } else { gap(&error).kind };
        return Part::Unavailable(Gap::new(kind, error.message));
    }
    let at = answer.date().unwrap_or_else(DateTime::<Utc>::default);
    match json::whole_beside::<J>(&answer.body).await {
        Some(value) => Part::Ready(read(value, at)),
        None => Part::Unavailable(Gap::new(GapKind::Failed, "the answer has not the expected shape")),
    }
}

fn counters(http: &Http, answer: Result<Answer, PollError>) -> Part<Counters> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Part::Unavailable(gap(&error)),
    };
    let elsewhere = || Gap::new(GapKind::NotSupported, "it does not count its notifications here");
    if answer.status == 404 {
        return Part::Unavailable(elsewhere());
    }
    if let Some(error) = http.refusal(&answer) {
        return Part::Unavailable(gap(&error));
    }
    let counted = decode::counters(&String::from_utf8_lossy(&answer.body));
    counted.map_or_else(|| Part::Unavailable(elsewhere()), Part::Ready)
}

impl Source for AlertmanagerSource {
    fn poll<'a>(&'a mut self, now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move { self.read(now).await.map(|reading| Reading::Alertmanager(Box::new(reading))) })
    }

    fn answered(&self) -> Option<Instant> {
        self.answered
    }

    fn knock(&self) -> Option<BoxFuture<'static, bool>> {
        knock::http(&self.connect)
    }
}
