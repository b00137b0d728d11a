//! What is sent to prove who asks, and the headers of the configuration. Nothing here is ever shown.

use crate::config::target::HttpAuth;
use crate::core::report::{PollError, PollErrorKind};
use crate::sources::secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

/// Headers from the configuration; their values are never shown.
pub(super) fn extra(headers: &[(String, String)]) -> Result<HeaderMap, PollError> {
    let wrong = |name: &str| {
        PollError::new(PollErrorKind::Configuration, format!("the header {name} cannot be sent as it is"))
    };
    let one = |(name, value): &(String, String)| {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong(name))?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong(name))?;
        value.set_sensitive(true);
        Ok((parsed, value))
    };
    headers.iter().map(one).collect()
}

/// Credentials as they are sent.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) value: HeaderValue,
    /// The secret itself, and as it stands in the header.
    pub(super) secrets: [SecretString; 2],
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

pub(super) async fn authorization(auth: &HttpAuth) -> Result<Option<Credentials>, String> {
    let (scheme, token, secret) = match auth {
        HttpAuth::None => return Ok(None),
        HttpAuth::Basic { user, password } => {
            let password = secret::read(password).await?;
            ("Basic", STANDARD.encode(format!("{user}:{}", password.expose_secret())), password)
        }
        HttpAuth::Bearer(token) => {
            let token = secret::read(token).await?;
            ("Bearer", token.expose_secret().to_owned(), token)
        }
        HttpAuth::ApiKey(key) => {
            let key = secret::read(key).await?;
            ("ApiKey", key.expose_secret().to_owned(), key)
        }
    };
    let mut value = HeaderValue::from_str(&format!("{scheme} {token}"))
        .map_err(|_| "the credentials hold a byte that no header may hold".to_owned())?;
    value.set_sensitive(true);
    Ok(Some(Credentials { value, secrets: [token.into(), secret] }))
}
