//! Asks a Loki server's HTTP interface: whether it is ready at every poll, what it received each quarter of a minute, and lines while
//! somebody looks at them. Everything but the first runs beside the poll: a slow question is late alone.

mod decode;
mod follow;
mod questions;

use super::beside::Beside;
use super::http::{Http, gap, within};
use super::{Source, knock};
use crate::config::target::LokiConnect;
use crate::core::doctor::Report;
use crate::core::focus::Focus;
use crate::core::lines::{About, Question};
use crate::core::loki::{LokiReading, Readiness, logql};
use crate::core::part::{Gap, GapKind, Part};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use follow::{Follow, Streams};
use futures_util::future::BoxFuture;
use questions::{Asks, Look};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Whether it is ready is said within this time.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// What it received is asked so often: it reads the lines of a minute.
const EACH: Duration = Duration::from_secs(15);
/// The same while it is not known whether it is a Loki that may be asked.
const SOON: Duration = Duration::from_secs(4);
/// A poll waits so long for what runs beside it: the first time longer, for somebody waits, too.
const FIRST: Duration = Duration::from_millis(1500);
const GRACE: Duration = Duration::from_millis(200);
/// Without an answer for so long nothing is known.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks one Loki.
#[derive(Debug)]
pub struct LokiSource {
    connect: LokiConnect,
    http: Option<Arc<Http>>,
    look: Beside<Look>,
    /// The parts that are not read at every poll, as they were read last.
    known: LokiReading,
    /// Why it cannot be asked at all.
    wrong: Option<PollError>,
    /// The label by which all streams were asked last.
    main: Option<String>,
    labels: Vec<String>,
    looked: bool,
    follow: Option<Follow>,
    answered: Option<Instant>,
}

impl LokiSource {
    /// A source for this server; nothing is connected yet.
    #[must_use]
    pub fn new(connect: LokiConnect) -> Self {
        Self {
            connect,
            http: None,
            look: Beside::default(),
            known: LokiReading::default(),
            wrong: None,
            main: None,
            labels: Vec::new(),
            looked: false,
            follow: None,
            answered: None,
        }
    }

    async fn read(&mut self, now: Now, wanted: Option<&Question>) -> Result<LokiReading, PollError> {
        let http = match &self.http {
            Some(http) => Arc::clone(http),
            None => Arc::clone(self.http.insert(Arc::new(Http::open(&self.connect.http).await?))),
        };
        let ready = ready(&http).await?;
        self.answered = Some(Instant::now());
        let each = if self.looked && self.wrong.is_none() { EACH } else { SOON };
        if self.look.is_due(now, each) {
            let (http, main) = (Arc::clone(&http), self.main.clone());
            let asks = Asks {
                selector: self.connect.selector.clone(),
                errors: self.connect.errors.clone(),
                queries: self.connect.queries.clone(),
            };
            let at = now.wall.timestamp_nanos_opt().unwrap_or_default();
            self.look.ask(now, async move { Part::Ready(questions::look(&http, &asks, main, at).await) });
        }
        self.look.settle(now, if self.looked { GRACE } else { FIRST }).await;
        self.take(now);
        // One that is not ready refuses, and says so itself.
        let starting = ready.ready().is_some_and(|ready| !ready.ready);
        if let Some(error) = self.wrong.clone().filter(|_| !starting) {
            return Err(error);
        }
        self.lines(&http, now, wanted).await;
        let asked = self.follow.iter().map(|follow| follow.asked(now)).collect();
        Ok(LokiReading { ready, asked, ..self.known.clone() })
    }

    fn take(&mut self, now: Now) {
        match self.look.take(now, PATIENCE) {
            Part::Ready(look) => {
                self.looked = true;
                self.known.labels = match look.labels {
                    Ok(labels) => {
                        self.wrong = None;
                        self.main = logql::main_label(&labels).map(str::to_owned).or(self.main.take());
                        self.labels.clone_from(&labels);
                        Part::Ready(labels)
                    }
                    Err(error) => {
                        let part = Part::Unavailable(gap(&error));
                        self.wrong = is_final(error.kind).then_some(error);
                        part
                    }
                }
                .warm(now);
                self.known.received = look.received.warm(now);
                self.known.errors = look.errors.warm(now);
                self.known.panels = look.panels;
            }
            Part::Unavailable(gap) => {
                self.known.received = Part::Unavailable(gap.clone());
                self.known.errors = Part::Unavailable(gap);
            }
            Part::NotAsked => {}
        }
    }

    /// The lines of the page that is open; nothing is asked any more once it is closed.
    async fn lines(&mut self, http: &Arc<Http>, now: Now, wanted: Option<&Question>) {
        let Some(question) = wanted else {
            self.follow = None;
            return;
        };
        if self.follow.as_ref().is_none_or(|follow| !follow.is_of(question)) {
            self.follow = Some(Follow::new(question.clone()));
        }
        let first = self.follow.as_ref().is_some_and(|follow| follow.asked(now).query.is_empty());
        if let Some(follow) = &mut self.follow {
            let every = || self.main.as_deref().map(logql::every);
            let streams = Streams {
                all: self.connect.selector.clone().or_else(every),
                of: self.connect.streams.clone(),
                labels: self.labels.clone(),
                masks: self.connect.masks.clone(),
            };
            // Where nobody knows yet which streams there are, only a query that says so itself can be put.
            if self.looked || matches!(question.lines, About::Query(_)) {
                follow.ask(http, &streams, now);
            }
            follow.settle(now, if first { FIRST } else { GRACE }).await;
        }
    }

    /// What of it can be read with the rights that there are.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub async fn examine(mut self, now: Now) -> Result<Report, PollError> {
        let reading = self.read(now, None).await?;
        Ok(Report::answers([
            ("ready", reading.ready.gap()),
            ("labels", reading.labels.gap()),
            ("received", reading.received.gap()),
            ("errors", reading.errors.gap()),
        ]))
    }
}

/// What asking again soon does not mend.
const fn is_final(kind: PollErrorKind) -> bool {
    match kind {
        PollErrorKind::Credentials
        | PollErrorKind::NotPermitted
        | PollErrorKind::WrongServer
        | PollErrorKind::Configuration
        | PollErrorKind::Tls
        | PollErrorKind::Unreachable => true,
        PollErrorKind::TimedOut
        | PollErrorKind::NotReady
        | PollErrorKind::Full
        | PollErrorKind::Failed
        | PollErrorKind::Internal => false,
    }
}

/// Whether it says that it is ready. A gateway before it may not know that path, and may want credentials.
async fn ready(http: &Http) -> Result<Part<Readiness>, PollError> {
    let answer = within(READY_WITHIN, http.get("/ready", &[])).await?;
    let says = String::from_utf8_lossy(&answer.body).trim().to_owned();
    Ok(match answer.status.as_u16() {
        200 => Part::Ready(Readiness { ready: true, says: String::new() }),
        503 => Part::Ready(Readiness { ready: false, says: crate::core::text::tidy(&says, 200) }),
        _ => Part::Unavailable(Gap::new(GapKind::NotSupported, "it does not say here whether it is ready")),
    })
}

impl Source for LokiSource {
    fn poll<'a>(&'a mut self, now: Now, focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move {
            let wanted = focus.iter().find_map(Focus::lines);
            self.read(now, wanted).await.map(|reading| Reading::Loki(Box::new(reading)))
        })
    }

    fn answered(&self) -> Option<Instant> {
        self.answered
    }

    fn knock(&self) -> Option<BoxFuture<'static, bool>> {
        knock::http(&self.connect.http)
    }
}
