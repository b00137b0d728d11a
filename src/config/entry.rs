//! One target as it is written in the configuration file: what every kind has in common, and the keys of each.

use crate::core::text::span;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;

/// A duration as text with a unit: `500ms`, `2s`, `5m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting(pub Duration);

impl Lasting {
    /// Reads one.
    ///
    /// # Errors
    /// A sentence with an example.
    pub fn parse(text: &str) -> Result<Self, String> {
        // What stands there is not repeated: it may be something else in a wrong place.
        let wrong = || "this is no duration; write a number with a unit: 500ms, 2s, 5m or 1h".to_owned();
        span(text).map(Self).ok_or_else(wrong)
    }
}

impl<'de> Deserialize<'de> for Lasting {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Words;
        impl serde::de::Visitor<'_> for Words {
            type Value = Lasting;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a duration with a unit in quotes, such as \"2s\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Lasting, E> {
                Lasting::parse(text).map_err(E::custom)
            }
        }
        reader.deserialize_str(Words)
    }
}

/// What every target has.
#[derive(Clone, Copy, Debug)]
pub struct Common<'a> {
    /// Its name.
    pub name: Option<&'a Spanned<String>>,
    /// Where in the file it is told where it is, in bytes.
    pub begins: usize,
    /// How often it is polled.
    pub interval: Option<Lasting>,
    /// After this a poll is given up.
    pub timeout: Option<Lasting>,
    /// Nothing may be changed there.
    pub read_only: Option<bool>,
    /// Whether it is on this machine, where the server's own evidence does not say it.
    pub local: Option<bool>,
    /// User of basic authentication.
    pub user: Option<&'a str>,
    /// Command that prints the password.
    pub password_command: Option<&'a str>,
}

/// A target as it is written.
pub trait Entry {
    /// What every target has.
    fn common(&self) -> Common<'_>;

    /// The keys that name files, and what they name.
    fn paths(&mut self) -> Vec<(&'static str, &mut Option<PathBuf>)>;

    /// What cannot be so among its own keys: the way to the key below the entry, and the sentence.
    fn mistakes(&self) -> Vec<(Vec<String>, String)> {
        Vec::new()
    }
}

/// A PostgreSQL server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresFile {
    /// Its name.
    pub name: Option<Spanned<String>>,
    /// URL or key=value string.
    pub url: Spanned<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Command that prints the password.
    pub password_command: Option<String>,
    /// PEM file of trusted roots.
    pub ca: Option<PathBuf>,
    /// The column that names a tenant.
    pub tenant_column: Option<String>,
    /// Constants in the texts of statements are not shown.
    pub hide_literals: Option<bool>,
    /// What the server is for ("reporting"): shown, and the name of its place in rotation.
    pub role: Option<String>,
    /// The most that this copy may be behind to be of use.
    pub max_lag: Option<Lasting>,
    /// The longest that it may take to answer to be of use.
    pub max_latency: Option<Lasting>,
    /// Pattern of the backup files (on this machine).
    pub backups: Option<String>,
    /// URL of the admin console of the PgBouncer in front (database `pgbouncer`).
    pub pgbouncer: Option<String>,
    /// File with the password for that console.
    pub pgbouncer_password_file: Option<PathBuf>,
    /// How often it is polled.
    pub interval: Option<Lasting>,
    /// After this a poll is given up.
    pub timeout: Option<Lasting>,
    /// Nothing may be changed there.
    pub read_only: Option<bool>,
    /// Whether it is on this machine, where the server's own evidence does not say it.
    pub local: Option<bool>,
}

/// A Redis server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisFile {
    /// Its name.
    pub name: Option<Spanned<String>>,
    /// URL.
    pub url: Spanned<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Command that prints the password.
    pub password_command: Option<String>,
    /// PEM file of trusted roots.
    pub ca: Option<PathBuf>,
    /// PEM file of our own certificate, for a server that asks for one.
    pub client_cert: Option<PathBuf>,
    /// PEM file of its key.
    pub client_key: Option<PathBuf>,
    /// Addresses of Sentinels; the host in the URL is then the primary's name.
    pub sentinels: Option<Vec<String>>,
    /// Other nodes of the cluster.
    pub nodes: Option<Vec<String>>,
    /// File with the password of the Sentinels.
    pub sentinel_password_file: Option<PathBuf>,
    /// Key prefixes of queues.
    pub prefixes: Option<Vec<String>>,
    /// Queues by name instead of a SCAN.
    pub queues: Option<Vec<String>>,
    /// Name patterns of dead-letter queues.
    pub dead_letter: Option<Vec<String>>,
    /// Fields of job data that are not shown.
    pub mask: Option<Vec<String>>,
    /// Where in a dead letter the parts of the job are, as JSON pointers.
    #[serde(default)]
    pub envelope: EnvelopeFile,
    /// Jobs per second of a redrive.
    pub redrive_per_second: Option<u32>,
    /// Percent of jobs failing again above which a redrive stops.
    pub redrive_stop_above: Option<u32>,
    /// How often it is polled.
    pub interval: Option<Lasting>,
    /// After this a poll is given up.
    pub timeout: Option<Lasting>,
    /// Nothing may be changed there.
    pub read_only: Option<bool>,
    /// Whether it is on this machine, where the server's own evidence does not say it.
    pub local: Option<bool>,
}

/// Where in a dead letter the parts of the job are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnvelopeFile {
    /// The job's own data.
    pub payload: Option<String>,
    /// The queue it came from.
    pub queue: Option<String>,
    /// Its id there.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its options.
    pub options: Option<String>,
}

/// An HTTP source.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpFile {
    /// Its name.
    pub name: Option<Spanned<String>>,
    /// URL.
    pub url: Spanned<String>,
    /// User of basic authentication.
    pub user: Option<String>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Command that prints the password.
    pub password_command: Option<String>,
    /// File with a bearer token.
    pub token_file: Option<PathBuf>,
    /// File with an encoded API key (Elasticsearch).
    pub api_key_file: Option<PathBuf>,
    /// PEM file of trusted roots.
    pub ca: Option<PathBuf>,
    /// PEM file of our own certificate, for a server that asks for one.
    pub client_cert: Option<PathBuf>,
    /// PEM file of its key.
    pub client_key: Option<PathBuf>,
    /// Headers sent with every request.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// SHA-256 of the certificate that is believed, in hex.
    pub certificate_fingerprint: Option<String>,
    /// The family that counts requests (metrics endpoints).
    pub requests: Option<String>,
    /// The families that measure its operations, by the operation (metrics endpoints).
    #[serde(default)]
    pub operations: BTreeMap<String, String>,
    /// How often it is polled.
    pub interval: Option<Lasting>,
    /// After this a poll is given up.
    pub timeout: Option<Lasting>,
    /// Nothing may be changed there.
    pub read_only: Option<bool>,
    /// Whether it is on this machine, where the server's own evidence does not say it.
    pub local: Option<bool>,
}

/// Where the past of a number is remembered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastFile {
    /// The target.
    pub target: String,
    /// Its number, as its graph is called.
    pub number: String,
    /// The expression.
    pub expr: String,
}

/// One PromQL panel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryFile {
    /// What it is called.
    pub title: String,
    /// The expression.
    pub expr: String,
    /// Unit behind the number.
    #[serde(default)]
    pub unit: String,
    /// Threshold of a warning.
    pub warning: Option<f64>,
    /// Threshold of a critical finding.
    pub critical: Option<f64>,
}

impl Entry for PostgresFile {
    fn common(&self) -> Common<'_> {
        Common {
            name: self.name.as_ref(),
            begins: self.url.span().start,
            interval: self.interval,
            timeout: self.timeout,
            read_only: self.read_only,
            local: self.local,
            user: None,
            password_command: self.password_command.as_deref(),
        }
    }

    fn paths(&mut self) -> Vec<(&'static str, &mut Option<PathBuf>)> {
        vec![
            ("password_file", &mut self.password_file),
            ("pgbouncer_password_file", &mut self.pgbouncer_password_file),
            ("ca", &mut self.ca),
        ]
    }
}

impl Entry for RedisFile {
    fn common(&self) -> Common<'_> {
        Common {
            name: self.name.as_ref(),
            begins: self.url.span().start,
            interval: self.interval,
            timeout: self.timeout,
            read_only: self.read_only,
            local: self.local,
            user: None,
            password_command: self.password_command.as_deref(),
        }
    }

    fn paths(&mut self) -> Vec<(&'static str, &mut Option<PathBuf>)> {
        vec![
            ("password_file", &mut self.password_file),
            ("sentinel_password_file", &mut self.sentinel_password_file),
            ("ca", &mut self.ca),
            ("client_cert", &mut self.client_cert),
            ("client_key", &mut self.client_key),
        ]
    }
}

impl Entry for HttpFile {
    fn common(&self) -> Common<'_> {
        Common {
            name: self.name.as_ref(),
            begins: self.url.span().start,
            interval: self.interval,
            timeout: self.timeout,
            read_only: self.read_only,
            local: self.local,
            user: self.user.as_deref(),
            password_command: self.password_command.as_deref(),
        }
    }

    fn paths(&mut self) -> Vec<(&'static str, &mut Option<PathBuf>)> {
        vec![
            ("password_file", &mut self.password_file),
            ("token_file", &mut self.token_file),
            ("api_key_file", &mut self.api_key_file),
            ("ca", &mut self.ca),
            ("client_cert", &mut self.client_cert),
            ("client_key", &mut self.client_key),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(Lasting::parse("1.5s"), Ok(Lasting(Duration::from_millis(1500))));
        assert_eq!(Lasting::parse("250ms"), Ok(Lasting(Duration::from_millis(250))));
        assert!(Lasting::parse("5").is_err());
        assert!(Lasting::parse("-5s").is_err());
        assert!(Lasting::parse("9e99h").is_err());
    }
}
