//! What an answer to a probe says: its status against the one that is right, its text, its certificate, and what Grafana tells. Pure.

use crate::core::probe::{Certificate, Look};
use crate::core::text::tidy;
use crate::sources::json;
use chrono::{DateTime, Utc};
use memchr::memmem;
use serde_json::Value;
use std::net::IpAddr;
use x509_cert::TbsCertificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

/// Status and text of an answer, each against what is right.
pub(super) fn looks(
    status: u16,
    told: &str,
    body: &[u8],
    wanted: Option<u16>,
    contains: Option<&str>,
) -> Vec<Look> {
    let fine = wanted.map_or((200..300).contains(&status), |wanted| wanted == status);
    let words = if told.is_empty() { String::new() } else { format!(" ({told})") };
    let found = match wanted {
        _ if fine => format!("it answers {status}"),
        Some(wanted) => format!("it answers {status} and not {wanted}{words}"),
        None => format!("it answers {status}{words}"),
    };
    let status = Look { name: "status".to_owned(), fine, found };
    let text = contains.map(|text| {
        let fine = memmem::find(body, text.as_bytes()).is_some();
        let shown = tidy(text, 60);
        let found = if fine { "its answer contains" } else { "its answer does not contain" };
        Look { name: "text".to_owned(), fine, found: format!("{found} \u{201c}{shown}\u{201d}") }
    });
    std::iter::once(status).chain(text).collect()
}

/// Version and database of a Grafana.
pub(super) fn grafana(body: &[u8]) -> Option<(String, Look)> {
    let value = json::read(body, &["database", "version"])?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let database = text("database")?;
    let fine = database == "ok";
    let found = format!("its database is {}", tidy(database, 40));
    let version = text("version").map_or_else(String::new, |version| tidy(version, 40));
    Some((version, Look { name: "database".to_owned(), fine, found }))
}

/// Whose certificate that is, and how long it lasts from `now` on.
pub(super) fn certificate(der: &[u8], now: DateTime<Utc>) -> Option<Certificate> {
    let parsed = x509_cert::Certificate::from_der(der).ok()?.tbs_certificate;
    let seconds = |time: &Time| i64::try_from(time.to_unix_duration().as_secs()).ok();
    let (begins, ends) = (seconds(&parsed.validity.not_before)?, seconds(&parsed.validity.not_after)?);
    let subject = parsed.subject.to_string();
    let common = subject.split(',').find_map(|part| part.trim().strip_prefix("CN=")).map(str::to_owned);
    let name = common.or_else(|| host(&parsed)).unwrap_or(subject);
    let name = if name.trim().is_empty() { "the server" } else { &name };
    let left_seconds = ends - now.timestamp();
    Some(Certificate { subject: tidy(name, 60), left_seconds, lasts_seconds: Some(ends - begins) })
}

/// The first name or address that it is for. Many name nobody else any more.
fn host(certificate: &TbsCertificate) -> Option<String> {
    let (_, SubjectAltName(names)) = certificate.get().ok()??;
    names.iter().find_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
            four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok().map(|at| at.to_string())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, wanted: Option<u16>, contains: Option<&str>, expected: &[(bool, &str)]) {
        let found = looks(status, "no upstream", b"<h1>Welcome</h1>", wanted, contains);
        let told: Vec<_> = found.iter().map(|look| (look.fine, look.found.as_str())).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn an_answer_is_held_against_what_is_right() {
        check(200, None, None, &[(true, "it answers 200")]);
        check(302, None, None, &[(false, "it answers 302 (no upstream)")]);
        check(302, Some(302), None, &[(true, "it answers 302")]);
        check(200, Some(401), None, &[(false, "it answers 200 and not 401 (no upstream)")]);
        let found = "its answer contains \u{201c}Welcome\u{201d}";
        check(200, None, Some("Welcome"), &[(true, "it answers 200"), (true, found)]);
        let missing = "its answer does not contain \u{201c}Log in\u{201d}";
        check(200, None, Some("Log in"), &[(true, "it answers 200"), (false, missing)]);
    }

    #[test]
    fn grafana_tells_of_its_database() {
        let read = |text: &str| grafana(text.as_bytes()).map(|(version, look)| (version, look.fine));
        let fine = r#"{"commit": "abc", "database": "ok", "version": "10.4.1"}"#;
        assert_eq!(read(fine), Some(("10.4.1".to_owned(), true)));
        assert_eq!(read(r#"{"database": "failing"}"#), Some((String::new(), false)));
        assert_eq!(read("{}"), None);
        assert_eq!(read("<html>"), None);
    }

    #[test]
    fn what_is_no_certificate_tells_nothing() {
        assert_eq!(certificate(b"no", DateTime::<Utc>::default()), None);
    }
}
