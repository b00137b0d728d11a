//! Asks a Prometheus server's HTTP interface: targets, rules, configured PromQL.

mod decode;
mod looks;
mod muted;
mod parts;

use self::looks::Looks;
use self::parts::{LIMIT, encoded, envelope, part, says};
use super::http::{Answer, Http, gap, within};
use super::{Source, knock};
use crate::config::target::{PromQuery, PrometheusConnect};
use crate::core::doctor::{Check, Report};
use crate::core::focus::Focus;
use crate::core::part::{Gap, GapKind, Part};
use crate::core::prometheus::{Alertmanagers, PanelReading, PrometheusReading};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use futures_util::future::{BoxFuture, join_all};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use std::sync::Arc;
use tokio::time::Instant;

/// Asks one Prometheus server.
#[derive(Debug)]
pub struct PrometheusSource {
    connect: PrometheusConnect,
    http: Option<Arc<Http>>,
    looks: Looks,
    alertmanager: Option<Http>,
    version: Part<String>,
    answered: Option<Instant>,
}

impl PrometheusSource {
    /// A source for this server; nothing is connected yet.
    #[must_use]
    pub fn new(connect: PrometheusConnect) -> Self {
        let looks = Looks::default();
        Self { connect, http: None, looks, alertmanager: None, version: Part::NotAsked, answered: None }
    }

    async fn read(&mut self, now: Now, focus: &[Focus]) -> Result<PrometheusReading, PollError> {
        let http = match self.http.take() {
            Some(http) => http,
            None => Arc::new(Http::open(&self.connect.http).await?),
        };
        if let (Some(connect), None) = (&self.connect.alertmanager, &self.alertmanager) {
            // Without it the alerts are told all the same.
            self.alertmanager = Http::open(connect).await.ok();
        }
        let mut result = self.ask(&http, now).await;
        if let Ok(reading) = &mut result {
            self.looks.step(&http, now, focus).await;
            (reading.ranges, reading.names) = self.looks.known();
        }
        self.http = Some(http);
        result
    }

    async fn ask(&mut self, http: &Http, now: Now) -> Result<PrometheusReading, PollError> {
        let build = async {
            match self.version.ready() {
                Some(_) => self.version.clone(),
                // Older servers and look-alikes (Mimir, Thanos) may not have it.
                None => match within(LIMIT, http.get("/api/v1/status/buildinfo", &[])).await {
                    Ok(answer) => part(http, &answer, decode::VERSION, decode::version).await,
                    Err(error) => Part::Unavailable(gap(&error)),
                },
            }
        };
        let panels = join_all(self.connect.queries.iter().map(|query| panel(http, query)));
        let held = async {
            match &self.alertmanager {
                Some(alertmanager) => muted::read(alertmanager, LIMIT).await,
                None if self.connect.alertmanager.is_some() => Part::Unavailable(Gap::new(
                    GapKind::Failed,
                    "the Alertmanager cannot be asked: check its URL and credentials",
                )),
                None => Part::NotAsked,
            }
        };
        let (version, targets, rules, managers, panels, held) = tokio::join!(
            build,
            within(LIMIT, http.get("/api/v1/targets?state=active", &[])),
            within(LIMIT, http.get("/api/v1/rules", &[])),
            Box::pin(managers(http)),
            panels,
            held
        );
        self.answered = Some(Instant::now());
        if let Some(error) = nothing_decides(http, &targets, &rules).await {
            return Err(error);
        }
        self.version = version;
        let targets = match targets {
            Ok(answer) => part(http, &answer, decode::TARGETS, decode::targets).await,
            Err(error) => Part::Unavailable(gap(&error)),
        };
        let mut rules = match rules {
            // Since when an alert is active is told by the server's clock.
            Ok(answer) => {
                let at = answer.date().unwrap_or(now.wall);
                part(http, &answer, decode::RULES, |data| decode::rules(data, at)).await
            }
            Err(error) => Part::Unavailable(gap(&error)),
        };
        let muted = match held {
            Part::Ready((held, silences)) => {
                if let Part::Ready(rules) = &mut rules {
                    muted::note(rules, &held, &silences);
                }
                Part::Ready(())
            }
            Part::Unavailable(gap) => Part::Unavailable(gap),
            Part::NotAsked => Part::NotAsked,
        };
        let (ranges, names) = (Vec::new(), Part::NotAsked);
        let version = self.version.clone();
        Ok(PrometheusReading {
            version,
            targets,
            rules,
            alertmanagers: managers,
            muted,
            panels,
            ranges,
            names,
        })
    }

    /// What of it can be read with the rights that there are.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub async fn examine(mut self, now: Now) -> Result<Report, PollError> {
        let reading = self.read(now, &[]).await?;
        let mut report =
            Report::answers([("targets", reading.targets.gap()), ("rules", reading.rules.gap())]);
        let panels = reading.panels.iter();
        report
            .checks
            .extend(panels.filter_map(|panel| Check::part(&format!("panel {}", panel.title), &panel.series)));
        Ok(report)
    }
}

/// Whom it tells of alerts. What only speaks like a Prometheus (vmalert, Mimir, Thanos) does not know the question.
async fn managers(http: &Http) -> Part<Alertmanagers> {
    match within(LIMIT, http.get("/api/v1/alertmanagers", &[])).await {
        Ok(answer) if matches!(answer.status.as_u16(), 200 | 401 | 403) => {
            part(http, &answer, decode::MANAGERS, decode::managers).await
        }
        Ok(_) => {
            Part::Unavailable(Gap::new(GapKind::NotSupported, "it does not say whom it tells of alerts"))
        }
        Err(error) => Part::Unavailable(gap(&error)),
    }
}

/// One configured panel. The server gives up before we do, and sends no more series than are kept.
async fn panel(http: &Http, query: &PromQuery) -> PanelReading {
    let most = decode::MOST_SERIES;
    let body = format!("query={}&timeout=2500ms&limit={}", encoded(&query.expr), most + 1);
    let headers = [(CONTENT_TYPE, "application/x-www-form-urlencoded")];
    let mut series = match within(LIMIT, http.send(Method::POST, "/api/v1/query", &headers, Some(body))).await
    {
        Ok(answer) => part(http, &answer, decode::VECTOR, decode::vector).await,
        Err(error) => Part::Unavailable(gap(&error)),
    };
    let mut cut = None;
    if let Part::Ready(all) = &mut series {
        let judged = query.warning.is_some() || query.critical.is_some();
        if judged {
            all.sort_by(|(a, x), (b, y)| x.is_nan().cmp(&y.is_nan()).then(y.total_cmp(x)).then(a.cmp(b)));
        }
        if all.len() > most {
            all.truncate(most);
            cut = Some(format!(
                "it has more than {most} series, and only {most} of them are read: aggregate, or use topk()"
            ));
        }
    }
    PanelReading { title: query.title.clone(), series, cut }
}

/// Targets and rules are what decides: without both, or with refused credentials, nothing is known of this server.
async fn nothing_decides(
    http: &Http,
    targets: &Result<Answer, PollError>,
    rules: &Result<Answer, PollError>,
) -> Option<PollError> {
    let (targets, rules) = (failure(http, targets).await, failure(http, rules).await);
    let credentials = |error: &PollError| error.kind == PollErrorKind::Credentials;
    match (targets, rules) {
        (Some(error), _) | (_, Some(error)) if credentials(&error) => Some(error),
        (Some(error), Some(_)) => Some(error),
        _ => None,
    }
}

/// Why this answer says nothing; `None` when it does.
async fn failure(http: &Http, answer: &Result<Answer, PollError>) -> Option<PollError> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Some(error.clone()),
    };
    let refusal = http.refusal(answer);
    if refusal.as_ref().is_some_and(|error| error.kind == PollErrorKind::Credentials) {
        return refusal;
    }
    match envelope(&answer.body, &[]).await {
        Some(value) if value.get("status").and_then(Value::as_str) == Some("success") => None,
        Some(_) => Some(PollError::new(PollErrorKind::Failed, says(answer))),
        None => refusal.or_else(|| {
            let message = format!("{} answers, but not as Prometheus does", http.shown());
            let remedy = "check the port, and the path prefix of the URL";
            Some(PollError::new(PollErrorKind::WrongServer, message).remedy(remedy))
        }),
    }
}

impl Source for PrometheusSource {
    fn poll<'a>(&'a mut self, now: Now, focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(
            async move { self.read(now, focus).await.map(|reading| Reading::Prometheus(Box::new(reading))) },
        )
    }

    fn answered(&self) -> Option<Instant> {
        self.answered
    }

    fn knock(&self) -> Option<BoxFuture<'static, bool>> {
        knock::http(&self.connect.http)
    }
}
