//! Probes against servers of this test: pages that are right and wrong, Grafana and MinIO as they are documented to answer, and a TLS
//! server with certificates that last long or not.

use crate::http::{answer, http};
use serde_json::json;
use stacktop::config::target::{
    Connect, HttpAuth, HttpConnect, Locality, ProbeConnect, ProbeKind, TargetConfig,
};
use stacktop::core::alert::Rulebook;
use stacktop::core::ids::TargetId;
use stacktop::core::probe::{Certificate, ProbeReading};
use stacktop::core::reading::Reading;
use stacktop::core::report::{PollError, PollErrorKind, PollReport};
use stacktop::core::time::{Clock, Now};
use stacktop::core::world::{TargetState, World, all_rules};
use stacktop::runtime::clock::SystemClock;
use stacktop::{sources, systems};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use wiremock::MockServer;

fn target(connect: ProbeConnect) -> TargetConfig {
    sources::tls::install_provider();
    TargetConfig {
        group: None,
        id: TargetId::new("it"),
        chosen_because: String::new(),
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(5),
        read_only: false,
        locality: Locality::default(),
        connect: Connect::Probe(connect),
    }
}

async fn tried(http: HttpConnect, kind: ProbeKind) -> Result<ProbeReading, PollError> {
    let target = target(ProbeConnect { http, kind, link: None });
    match systems::open_source(&target).poll(SystemClock::start().now(), &[]).await? {
        Reading::Probe(reading) => Ok(*reading),
        other => panic!("{other:?}"),
    }
}

/// What is found of each thing that was looked at.
async fn found(server: &MockServer, kind: ProbeKind) -> Vec<(bool, String)> {
    let reading = tried(http(server, HttpAuth::None), kind).await.expect("an answer");
    reading.looks.into_iter().map(|look| (look.fine, look.found)).collect()
}

fn page(status: Option<u16>, contains: Option<&str>) -> ProbeKind {
    ProbeKind::Http { status, contains: contains.map(str::to_owned) }
}

#[tokio::test]
async fn a_page_is_held_against_status_and_text() {
    let server = MockServer::start().await;
    answer(&server, "/", 200, json!({"welcome": "home"})).await;
    let fine = |words: &str| (true, words.to_owned());
    assert_eq!(found(&server, page(None, None)).await, [fine("it answers 200")]);
    let text = fine("its answer contains \u{201c}home\u{201d}");
    assert_eq!(found(&server, page(Some(200), Some("home"))).await, [fine("it answers 200"), text]);
    let wrong = (false, "its answer does not contain \u{201c}away\u{201d}".to_owned());
    assert_eq!(found(&server, page(None, Some("away"))).await, [fine("it answers 200"), wrong]);
    let other = found(&server, page(Some(204), None)).await;
    assert!(!other[0].0 && other[0].1.starts_with("it answers 200 and not 204"), "{other:?}");
}

#[tokio::test]
async fn grafana_is_asked_for_its_database() {
    let server = MockServer::start().await;
    answer(&server, "/api/health", 200, json!({"commit": "c", "database": "ok", "version": "11.2.0"})).await;
    let reading = tried(http(&server, HttpAuth::None), ProbeKind::Grafana).await.expect("an answer");
    assert!(reading.is_fine() && reading.version == "11.2.0", "{reading:?}");
    let failing = MockServer::start().await;
    answer(&failing, "/api/health", 503, json!({"database": "failing", "version": "11.2.0"})).await;
    assert_eq!(found(&failing, ProbeKind::Grafana).await, [(false, "its database is failing".to_owned())]);
    let other = MockServer::start().await;
    answer(&other, "/api/health", 200, json!({"status": "ok"})).await;
    let error = tried(http(&other, HttpAuth::None), ProbeKind::Grafana).await.expect_err("it is none");
    assert_eq!(error.kind, PollErrorKind::WrongServer, "{error:?}");
}

#[tokio::test]
async fn minio_is_asked_for_its_cluster_too() {
    let server = MockServer::start().await;
    answer(&server, "/minio/health/live", 200, json!("")).await;
    answer(&server, "/minio/health/cluster", 503, json!("")).await;
    let words = "the cluster has no quorum to write (503)".to_owned();
    assert_eq!(found(&server, ProbeKind::Minio).await, [(true, "live: well".to_owned()), (false, words)]);
}

fn openssl(arguments: &str) {
    let output = Command::new("openssl").args(arguments.split(' ')).output().expect("openssl runs");
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A TLS server whose certificate lasts so many days, and what trusts it.
async fn encrypted(folder: &Path, subject: &str, days: u32) -> HttpConnect {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let file = |name: &str| folder.join(name).display().to_string();
    crate::live::authority(folder, "root");
    std::fs::write(file("ext"), "subjectAltName=DNS:localhost\n").expect("written");
    let (key, request, signed) = (file("key.pem"), file("csr"), file("cert.pem"));
    openssl(&format!(
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj {subject} -keyout {key} -out {request}"
    ));
    openssl(&format!(
        "x509 -req -in {request} -CA {} -CAkey {} -CAcreateserial -days {days} -extfile {} -out {signed}",
        file("root.crt"),
        file("root.key"),
        file("ext")
    ));
    let chain = vec![CertificateDer::from_pem_file(&signed).expect("a certificate")];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(&key).expect("a key"))
        .expect("a pair");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((client, _)) = listener.accept().await {
            let Ok(mut inside) = acceptor.accept(client).await else { continue };
            let _ = inside.read(&mut [0; 1024]).await;
            let _ = inside.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            let _ = inside.shutdown().await;
        }
    });
    HttpConnect {
        root_cert: Some(folder.join("root.crt")),
        ..HttpConnect::plain(format!("https://localhost:{port}/"))
    }
}

/// What is found of a probe with this reading.
fn told(connect: HttpConnect, reading: ProbeReading) -> Vec<String> {
    let target = target(connect.into());
    let now = Now::example(0);
    let state =
        TargetState::new(target.id.clone(), target.settings(), target.address(), target.interval, now);
    let mut world = World::new(vec![state], Rulebook::defaults(&all_rules()));
    let result = Ok(Reading::Probe(Box::new(reading)));
    world.apply(PollReport::example(target.id, result, now));
    world.evaluate(now);
    let firing = world.alerts.firing();
    firing
        .iter()
        .map(|finding| format!("{} {:?}", finding.breach.sentence, finding.breach.severity))
        .collect()
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_told() {
    for (subject, days, gone, expected) in [
        ("/CN=shop.example", 90, 0, vec![]),
        ("/CN=shop.example", 90, 80, vec!["it: the certificate of shop.example ends in 9 days Warning"]),
        ("/CN=shop.example", 90, 88, vec!["it: the certificate of shop.example ends in 1 day Critical"]),
        // One that names hosts and nobody else, and one that is renewed each few days.
        ("/", 90, 80, vec!["it: the certificate of localhost ends in 9 days Warning"]),
        ("/CN=shop.example", 6, 1, vec![]),
        ("/CN=shop.example", 6, 5, vec!["it: the certificate of shop.example ends in 23h58m Warning"]),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let connect = encrypted(folder.path(), subject, days).await;
        let reading = tried(connect.clone(), page(None, None)).await.expect("an answer");
        let shown = reading.certificate.clone().expect("a certificate");
        let left = shown.left_seconds;
        assert!((i64::from(days) * 86_400 - 60..=i64::from(days) * 86_400).contains(&left), "{shown:?}");
        // Whole days are told: not on the edge of one.
        let certificate = Some(Certificate { left_seconds: left - gone * 86_400 - 100, ..shown });
        assert_eq!(told(connect, ProbeReading { certificate, ..reading }), expected, "{days}");
    }
}

#[tokio::test]
async fn a_connection_is_enough_where_nothing_more_is_asked() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let tcp = |port| ProbeKind::Tcp { host: "127.0.0.1".to_owned(), port };
    let plain = HttpConnect::plain(String::new());
    let reading = tried(plain.clone(), tcp(port)).await.expect("it takes connections");
    assert!(reading.is_fine() && reading.took > Duration::ZERO);
    drop(listener);
    let error = tried(plain, tcp(port)).await.expect_err("nobody listens");
    assert_eq!(error.kind, PollErrorKind::Unreachable, "{error:?}");
}
