//! What is wrong with a TLS connection, in words: whose fault it is, and what mends it.

use chrono::DateTime;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};
use std::error::Error as Any;

/// The TLS error somewhere inside another one.
#[must_use]
pub fn inside<'a>(error: &'a (dyn Any + 'static)) -> Option<&'a Error> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        // What an I/O error holds is not among its causes.
        let held = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = held.and_then(|held| inside(held)) {
            return Some(found);
        }
        at = error.source();
    }
    None
}

/// What is said where a fingerprint is given and no certificate has it.
pub(super) const OTHER_FINGERPRINT: &str =
    "no certificate that it shows has the fingerprint that is configured";

/// Whether a certificate was refused because it is an authority's own.
pub(super) fn is_authority(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            format!("{other:?}").contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

fn date(time: UnixTime) -> String {
    let moment = i64::try_from(time.as_secs()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    moment
        .map_or_else(|| "a date that cannot be".to_owned(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

/// What happened, and the remedy.
#[must_use]
pub fn words(error: &Error) -> (String, &'static str) {
    match error {
        Error::InvalidCertificate(_) if is_authority(error) => (
            "its certificate is an authority's own (CA:TRUE), and not the very one that is trusted here"
                .to_owned(),
            "name that certificate itself as `ca`, or give the server one that its authority signed",
        ),
        Error::InvalidCertificate(certificate) => refused(certificate),
        Error::General(what) if what == OTHER_FINGERPRINT => (
            what.clone(),
            "compare it: openssl x509 -noout -fingerprint -sha256 -in http_ca.crt; if the certificate was renewed, set the new one",
        ),
        Error::AlertReceived(AlertDescription::ProtocolVersion) | Error::PeerIncompatible(_) => (
            "it has no version and cipher of TLS in common with us (TLS 1.0 and 1.1 are not spoken here)"
                .to_owned(),
            "let the server speak TLS 1.2 or 1.3 (Postgres: ssl_min_protocol_version, ssl_ciphers)",
        ),
        Error::AlertReceived(AlertDescription::CertificateRequired) => (
            "it wants a certificate from us, and there is none".to_owned(),
            "give it one (client_cert and client_key; Postgres: sslcert and sslkey in the url, or ~/.postgresql/postgresql.crt and .key)",
        ),
        Error::AlertReceived(AlertDescription::HandshakeFailure) => (
            "it broke the handshake off: it wants a certificate from us, or has no cipher in common with us"
                .to_owned(),
            "give it a client certificate (client_cert and client_key; Postgres: sslcert and sslkey), or let it speak TLS 1.2 or 1.3",
        ),
        Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied
            | AlertDescription::UnsupportedCertificate,
        ) => (
            format!("it does not accept our certificate ({error})"),
            "check the client's certificate: its authority, its dates, and that the key belongs to it",
        ),
        Error::AlertReceived(AlertDescription::UnrecognisedName) => (
            "it does not know the name by which it was asked for".to_owned(),
            "connect by a name that the server has a certificate for",
        ),
        Error::InvalidMessage(_) => (
            "what answers does not speak TLS".to_owned(),
            "check the port, and whether the server has TLS turned on",
        ),
        other => (other.to_string(), "check the TLS settings of server and client"),
    }
}

fn refused(certificate: &CertificateError) -> (String, &'static str) {
    const RENEW: &str = "renew it at the server, or check the clock of this machine";
    match certificate {
        CertificateError::ExpiredContext { not_after, .. } => {
            (format!("its certificate ended on {}", date(*not_after)), RENEW)
        }
        CertificateError::Expired => ("its certificate has ended".to_owned(), RENEW),
        CertificateError::NotValidYetContext { not_before, .. } => (
            format!("its certificate is valid from {} on", date(*not_before)),
            "check the clocks of this machine and of whoever made it",
        ),
        CertificateError::NotValidForNameContext { expected, presented } => (
            format!("its certificate is not for {}, but for {}", expected.to_str(), shown(presented)),
            "connect by a name that is in it, or give the server a certificate for this one",
        ),
        CertificateError::UnknownIssuer => (
            "its certificate was signed by nobody who is trusted here (or one between it and its authority is \
             missing)"
                .to_owned(),
            "set `ca` to the file of its authority, and let the server send the certificates in between",
        ),
        CertificateError::BadSignature => (
            "its certificate was not signed by the authority that it names".to_owned(),
            "set `ca` to the file of its authority",
        ),
        CertificateError::Revoked => ("its certificate was revoked".to_owned(), "give the server a new one"),
        CertificateError::UnknownRevocationStatus | CertificateError::ExpiredRevocationListContext { .. } => (
            format!("whether its certificate was revoked cannot be told: {certificate}"),
            "give a list (sslcrl) that is up to date and covers every authority of the chain",
        ),
        CertificateError::BadEncoding => (
            "its certificate cannot be read".to_owned(),
            "give the server a certificate of X.509 version 3",
        ),
        other => (
            format!("its certificate was not accepted: {other}"),
            "set `ca` to the file of its authority, and check what the certificate is for",
        ),
    }
}

/// The names in a certificate; the first few of them.
fn shown(presented: &[String]) -> String {
    let bare = |name: &String| {
        name.split_once('(').map_or(name.as_str(), |(_, rest)| rest).trim_matches([')', '"']).to_owned()
    };
    match presented.len() {
        0 => "nobody (it names no host)".to_owned(),
        1..=4 => presented.iter().map(bare).collect::<Vec<_>>().join(", "),
        many => format!(
            "{} and {} more",
            presented.iter().take(3).map(bare).collect::<Vec<_>>().join(", "),
            many - 3
        ),
    }
}
