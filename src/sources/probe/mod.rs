//! Tries whether something answers: over HTTP with the status, the text and the certificate of the answer, or by a connection alone.

mod decode;

use super::http::{Answer, Http};
use super::{Source, dial, knock};
use crate::config::target::{ProbeConnect, ProbeKind};
use crate::core::doctor::{Check, Report};
use crate::core::focus::Focus;
use crate::core::probe::{Look, ProbeReading};
use crate::core::reading::Reading;
use crate::core::report::{PollError, PollErrorKind};
use crate::core::time::Now;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// An answer is read to this size: the text that is looked for stands before that.
const BODY_BYTES: usize = 4 * 1024 * 1024;

/// Tries one thing.
#[derive(Debug)]
pub struct ProbeSource {
    connect: ProbeConnect,
    http: Option<Http>,
    answered: Option<Instant>,
}

impl ProbeSource {
    /// A probe of this; nothing is connected yet.
    #[must_use]
    pub const fn new(connect: ProbeConnect) -> Self {
        Self { connect, http: None, answered: None }
    }

    async fn read(&mut self, now: Now) -> Result<ProbeReading, PollError> {
        let found = match &self.connect.kind {
            ProbeKind::Tcp { host, port } => connection(host, *port).await?,
            ProbeKind::Http { .. } | ProbeKind::Grafana | ProbeKind::Minio => self.over_http(now).await?,
        };
        self.answered = Some(Instant::now());
        Ok(found)
    }

    /// Whether a redirect is what is wanted.
    fn wants_redirect(&self) -> bool {
        let ProbeKind::Http { status, .. } = &self.connect.kind else { return false };
        status.is_some_and(|status| (300..400).contains(&status))
    }

    async fn over_http(&mut self, now: Now) -> Result<ProbeReading, PollError> {
        let http = match self.http.take() {
            Some(http) => http,
            None => Http::open(&self.connect.http).await?.up_to(BODY_BYTES).staying(self.wants_redirect()),
        };
        let result = ask(&http, &self.connect.kind, now).await;
        self.http = Some(http);
        result
    }

    /// What of it can be tried.
    ///
    /// # Errors
    /// When it does not answer at all.
    pub async fn examine(mut self, now: Now) -> Result<Report, PollError> {
        let reading = self.read(now).await?;
        let mut report = Report::answers([]);
        let wrong = reading.looks.into_iter().filter(|look| !look.fine);
        report.checks.extend(wrong.map(|look| Check::unknown(look.name, look.found)));
        Ok(report)
    }
}

/// Whether a connection is taken, and how long that takes.
async fn connection(host: &str, port: u16) -> Result<ProbeReading, PollError> {
    let begun = Instant::now();
    dial::glance(host, port).await.map_err(|error| {
        PollError::new(PollErrorKind::Unreachable, format!("{host}:{port} cannot be reached: {error}"))
            .remedy("check host and port, and that the server runs")
    })?;
    let look = Look { name: "connection".to_owned(), fine: true, found: "it takes connections".to_owned() };
    Ok(ProbeReading { took: begun.elapsed(), looks: vec![look], ..ProbeReading::default() })
}

async fn ask(http: &Http, kind: &ProbeKind, now: Now) -> Result<ProbeReading, PollError> {
    let begun = Instant::now();
    let path = match kind {
        ProbeKind::Http { .. } | ProbeKind::Tcp { .. } => "",
        ProbeKind::Grafana => "/api/health",
        ProbeKind::Minio => "/minio/health/live",
    };
    let answer = http.get(path, &[]).await?;
    let took = begun.elapsed();
    let mut reading = ProbeReading {
        took,
        status: Some(answer.status.as_u16()),
        certificate: answer.certificate.as_deref().and_then(|der| decode::certificate(der, now.wall)),
        ..ProbeReading::default()
    };
    match kind {
        ProbeKind::Tcp { .. } => {}
        ProbeKind::Http { status, contains } => {
            reading.looks = decode::looks(
                answer.status.as_u16(),
                &answer.told(),
                &answer.body,
                *status,
                contains.as_deref(),
            );
        }
        ProbeKind::Grafana => {
            if let (false, Some(refusal)) = (answer.status.as_u16() >= 500, http.refusal(&answer)) {
                return Err(refusal);
            }
            let Some((version, look)) = decode::grafana(&answer.body) else {
                let message = format!("{} answers, but not as Grafana does", http.shown());
                let remedy = "check the port (3000), and the path prefix of the URL";
                return Err(PollError::new(PollErrorKind::WrongServer, message).remedy(remedy));
            };
            (reading.version, reading.looks) = (version, vec![look]);
        }
        ProbeKind::Minio => {
            if let (false, Some(refusal)) = (answer.status.as_u16() >= 500, http.refusal(&answer)) {
                return Err(refusal);
            }
            let cluster = http.get("/minio/health/cluster", &[]).await?;
            reading.looks = vec![minio("live", &answer), minio("cluster", &cluster)];
        }
    }
    Ok(reading)
}

/// What MinIO says by the status alone: 503 of its cluster is one without the quorum to write.
fn minio(name: &str, answer: &Answer) -> Look {
    let (fine, status) = (answer.status.is_success(), answer.status.as_u16());
    let found = match (fine, name) {
        (true, _) => format!("{name}: well"),
        (false, "cluster") => format!("the cluster has no quorum to write ({status})"),
        (false, _) => format!("it says that it is not well ({status})"),
    };
    Look { name: name.to_owned(), fine, found }
}

impl Source for ProbeSource {
    fn poll<'a>(&'a mut self, now: Now, _focus: &'a [Focus]) -> BoxFuture<'a, Result<Reading, PollError>> {
        Box::pin(async move { self.read(now).await.map(|reading| Reading::Probe(Box::new(reading))) })
    }

    fn answered(&self) -> Option<Instant> {
        self.answered
    }

    fn knock(&self) -> Option<BoxFuture<'static, bool>> {
        match &self.connect.kind {
            ProbeKind::Tcp { .. } => None,
            ProbeKind::Http { .. } | ProbeKind::Grafana | ProbeKind::Minio => knock::http(&self.connect.http),
        }
    }
}
