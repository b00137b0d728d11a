//! What a refusal or a failure means, as a sentence with a remedy.

use super::{Answer, Http, UNSENT, words};
use crate::config::target::HttpAuth;
use crate::core::report::{PollError, PollErrorKind};
use crate::sources::tls;

impl Http {
    /// The sentence for an answer whose status says no; `None` for one that is a success.
    #[must_use]
    pub fn refusal(&self, answer: &Answer) -> Option<PollError> {
        let status = answer.status;
        let shown = &self.shown;
        let words = if status.is_success() { String::new() } else { answer.told() };
        let said = if words.is_empty() { String::new() } else { format!(": {words}") };
        match status.as_u16() {
            200..=299 => None,
            401 | 403 if answer.is_closed_path() => Some(PollError::new(
                PollErrorKind::NotPermitted,
                format!("{shown} is closed for this request ({}){said}", status.as_u16()),
            )),
            401 if matches!(self.auth, HttpAuth::None) => Some(
                PollError::new(PollErrorKind::Credentials, format!("{shown} wants credentials (401){said}"))
                    .remedy("set user and password, a token or an API key for this target"),
            ),
            401 => Some(
                PollError::new(
                    PollErrorKind::Credentials,
                    format!("{shown} refuses the credentials (401){said}"),
                )
                .remedy("check the credentials of this target: they may be wrong or expired"),
            ),
            403 => {
                let message = format!("{shown} does not permit this user to read (403){said}");
                let error = PollError::new(PollErrorKind::NotPermitted, message);
                Some(match words::grant(&words) {
                    Some(grant) => error.remedy(grant),
                    None => error,
                })
            }
            301..=308 => Some(
                PollError::new(PollErrorKind::WrongServer, format!("{shown} redirects elsewhere ({status})"))
                    .remedy("give the final URL"),
            ),
            404 => Some(
                PollError::new(
                    PollErrorKind::WrongServer,
                    format!("{shown} does not know this path (404){said}"),
                )
                .remedy("check the path of the URL and which server runs on this port"),
            ),
            429 | 502..=504 => Some(PollError::new(
                PollErrorKind::NotReady,
                format!("{shown} is not ready ({status}){said}"),
            )),
            _ => Some(PollError::new(PollErrorKind::Failed, format!("{shown} answers {status}{said}"))),
        }
    }

    pub(super) fn explain(&self, error: reqwest::Error) -> PollError {
        let error = error.without_url();
        let shown = &self.shown;
        if let Some(found) = tls::inside(&error) {
            let (what, remedy) = tls::words(found);
            return PollError::new(PollErrorKind::Tls, format!("no TLS connection to {shown}: {what}"))
                .remedy(remedy);
        }
        let mut chain = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            chain = cause.to_string();
            source = cause.source();
        }
        let lower = chain.to_ascii_lowercase();
        // It hung up on a connection that stood: what was sent may have been heard.
        if lower.contains("close_notify") {
            return PollError::new(PollErrorKind::Failed, format!("{shown} broke off: {chain}"));
        }
        if lower.contains("certificate") || lower.contains("tls") || lower.contains("corrupt message") {
            return PollError::new(PollErrorKind::Tls, format!("no TLS connection to {shown}: {chain}"))
                .remedy(
                    "check https:// against http://, the host name, and set `ca` to the server's CA file",
                );
        }
        if lower.contains("invalid http") || lower.contains("http version") || lower.contains("parse") {
            return PollError::new(
                PollErrorKind::WrongServer,
                format!("{shown} does not speak HTTP: {chain}"),
            )
            .remedy("check the port, and https:// against http://");
        }
        if error.is_connect() {
            return PollError::new(PollErrorKind::Unreachable, format!("{shown} cannot be reached: {chain}"))
                .remedy("check host and port, and that the server runs");
        }
        if lower.contains(UNSENT) && self.urls[0].starts_with("https:") {
            let message = format!("{shown} hangs up right after the TLS handshake");
            let remedy = "it may want a certificate of ours: set client_cert and client_key";
            return PollError::new(PollErrorKind::Tls, message).remedy(remedy);
        }
        if lower.contains("before message completed") {
            let message = format!("{shown} hangs up without an answer");
            return PollError::new(PollErrorKind::WrongServer, message).remedy(
                "check the port, http:// against https://, and that the server is not just stopping",
            );
        }
        PollError::new(PollErrorKind::Failed, format!("{shown} broke off: {chain}"))
    }
}
