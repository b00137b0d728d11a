//! From one entry of the configuration file to how its target is reached.

use super::bounded;
use super::command::SecretCommand;
use super::file::{
    HealthFile, HttpFile, Lasting, LogFile, LokiFile, PostgresFile, ProbeFile, PrometheusFile, QueryFile,
    RedisFile,
};
use super::headers::headers;
use super::host::is_host;
use super::log;
use super::misspelt::suggestion;
use super::past::remembered;
use super::secret::Secret;
use super::surroundings::Surroundings;
use super::target::{
    DEFAULT_TIMEOUT, HealthConnect, HttpAuth, HttpConnect, LogConnect, LokiConnect, Pin, PostgresConnect,
    ProbeConnect, ProbeKind, PromQuery, PrometheusConnect, RedisConnect,
};
use super::url;
use crate::core::metrics::Operation;
use crate::core::postgres::{Literals, Rotation};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What is said of a file that is not there.
const NO_FILE: &str = "the file that it names does not exist (the name is not repeated here, for the secret itself may stand \
     there by mistake)";

/// A command whose limit follows the target's timeout.
fn command(text: Option<&String>, timeout: Option<Lasting>) -> Option<SecretCommand> {
    let timeout = timeout.map_or(DEFAULT_TIMEOUT, |lasting| lasting.0);
    text.map(|text| SecretCommand::new(text, timeout))
}

fn secret(
    file: Option<&PathBuf>,
    command: Option<SecretCommand>,
    inline: Option<Secret>,
) -> Result<Option<Secret>, String> {
    match (file, command) {
        (Some(_), Some(_)) => Err("give password_file or password_command, not both".to_owned()),
        // The secret itself may stand there by mistake: it is not repeated.
        (Some(path), None) if !path.exists() => Err(NO_FILE.to_owned()),
        (Some(path), None) => Ok(Some(Secret::File(path.clone()))),
        (None, Some(command)) => Ok(Some(Secret::Command(command))),
        (None, None) => Ok(inline),
    }
}

/// A file that holds something and can be read: a security setting that cannot be honoured is told at the start.
fn readable<'a>(key: &str, path: Option<&'a Path>) -> Result<Option<&'a Path>, String> {
    if let Some(path) = path {
        if !path.exists() {
            return Err(format!("{key}: {NO_FILE}"));
        }
        bounded::bytes(path, bounded::CERTIFICATES_BYTES)
            .map_err(|error| format!("{key}: {} cannot be read: {error}", path.display()))?;
    }
    Ok(path)
}

/// Our own certificate and its key: both or none.
fn own(cert: Option<&Path>, key: Option<&Path>) -> Result<Option<(PathBuf, PathBuf)>, String> {
    match (readable("client_cert", cert)?, readable("client_key", key)?) {
        (Some(cert), Some(key)) => Ok(Some((cert.to_owned(), key.to_owned()))),
        (None, None) => Ok(None),
        _ => Err("client_cert and client_key go together: give both".to_owned()),
    }
}

pub(super) fn postgres(entry: &PostgresFile, around: &Surroundings) -> Result<PostgresConnect, String> {
    let ca = readable("ca", entry.ca.as_deref())?;
    let mut pg = url::postgres_around(entry.url.get_ref(), ca, around)?;
    pg.password = secret(
        entry.password_file.as_ref(),
        command(entry.password_command.as_ref(), entry.timeout),
        pg.password.take(),
    )?;
    if let Some(url) = &entry.pgbouncer {
        let mut console =
            url::postgres_around(url, ca, around).map_err(|error| format!("pgbouncer: {error}"))?;
        console.password = secret(entry.pgbouncer_password_file.as_ref(), None, console.password.take())?;
        pg.pgbouncer = Some(Box::new(console));
    }
    if entry.role.is_some() || entry.max_lag.is_some() || entry.max_latency.is_some() {
        pg.rotation = Some(Rotation {
            role: entry.role.clone().unwrap_or_else(|| "copy".to_owned()),
            max_lag: entry.max_lag.map(|lasting| lasting.0),
            max_latency: entry.max_latency.map(|lasting| lasting.0),
        });
    }
    if let Some(pattern) = &entry.backups {
        glob::Pattern::new(pattern).map_err(|error| format!("backups: {error}"))?;
        pg.backups = Some(pattern.clone());
    }
    if entry.hide_literals == Some(true) {
        pg.literals = Literals::Hidden;
    }
    if let Some(column) = &entry.tenant_column {
        pg.tenant_column.clone_from(column);
    }
    Ok(pg)
}

/// `host:port` each; without a port it is `usual`.
fn addresses(what: &str, given: Option<&[String]>, usual: u16) -> Result<Vec<(String, u16)>, String> {
    let address = |(index, text): (usize, &String)| {
        let parsed = url::host_and_port(text).ok().filter(|(host, _)| is_host(host));
        // What stands there may be a URL with a password: it is not repeated.
        let (host, port) = parsed.ok_or_else(|| {
            let url = if text.contains("://") { ", not a URL" } else { "" };
            format!("{what}: number {} is no address; write host:{usual}{url}", index + 1)
        })?;
        Ok((host, port.unwrap_or(usual)))
    };
    given.unwrap_or_default().iter().enumerate().map(address).collect()
}

pub(super) fn redis(entry: &RedisFile, _around: &Surroundings) -> Result<RedisConnect, String> {
    let mut redis = url::redis(entry.url.get_ref())?;
    redis.password = secret(
        entry.password_file.as_ref(),
        command(entry.password_command.as_ref(), entry.timeout),
        redis.password.take(),
    )?;
    redis.root_cert = readable("ca", entry.ca.as_deref())?.map(PathBuf::from).or(redis.root_cert);
    redis.client = own(entry.client_cert.as_deref(), entry.client_key.as_deref())?;
    if (redis.root_cert.is_some() || redis.client.is_some()) && !redis.tls {
        let given = if redis.root_cert.is_some() { "ca" } else { "client_cert" };
        return Err(format!(
            "`{given}` is given, but redis:// is not encrypted: write rediss://, or remove `{given}`"
        ));
    }
    redis.sentinels = addresses("sentinels", entry.sentinels.as_deref(), 26_379)?;
    redis.nodes = addresses("nodes", entry.nodes.as_deref(), 6379)?;
    if !redis.sentinels.is_empty() && !redis.nodes.is_empty() {
        return Err("sentinels and nodes: a cluster has no Sentinels; keep one of them".to_owned());
    }
    redis.sentinel_password = secret(entry.sentinel_password_file.as_ref(), None, None)?;
    if let Some(prefixes) = &entry.prefixes {
        redis.prefixes.clone_from(prefixes);
    }
    if let Some(queues) = &entry.queues {
        redis.queues.clone_from(queues);
    }
    redis.masks = entry.mask.clone().unwrap_or_default();
    if let Some(patterns) = &entry.dead_letter {
        redis.dead_letter.clone_from(patterns);
    }
    let given = &entry.envelope;
    for (key, pointer, place) in [
        ("payload", &given.payload, &mut redis.envelope.payload),
        ("queue", &given.queue, &mut redis.envelope.queue),
        ("id", &given.id, &mut redis.envelope.id),
        ("name", &given.name, &mut redis.envelope.name),
        ("options", &given.options, &mut redis.envelope.options),
    ] {
        if let Some(pointer) = pointer {
            if !pointer.starts_with('/') {
                return Err(format!(
                    "envelope.{key} is no JSON pointer; it begins with a slash: /originalData"
                ));
            }
            *place = Some(pointer.clone());
        }
    }
    if let Some(per_second) = entry.redrive_per_second {
        redis.brake.per_second = per_second;
    }
    if let Some(percent) = entry.redrive_stop_above {
        redis.brake.stop_above_percent = percent;
    }
    url::redis_login(redis)
}

/// An endpoint whose URL is asked for as it stands.
pub(super) fn endpoint(entry: &HttpFile, _around: &Surroundings) -> Result<HttpConnect, String> {
    endpoint_at(entry)
}

/// The same, whatever is around.
pub(super) fn endpoint_at(entry: &HttpFile) -> Result<HttpConnect, String> {
    if entry.requests.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err("requests: it names no family (leave it out to have one found)".to_owned());
    }
    let operations = operations(entry)?;
    Ok(HttpConnect { requests: entry.requests.clone(), operations, ..http(entry, url::http)? })
}

/// The families that are named for operations.
fn operations(entry: &HttpFile) -> Result<BTreeMap<Operation, String>, String> {
    let known = || Operation::ALL.into_iter().filter(|operation| !operation.is_request());
    let name = |operation: Operation| operation.word().replace(' ', "_");
    let one = |(given, family): (&String, &String)| {
        let Some(operation) = known().find(|operation| name(*operation) == *given) else {
            let names: Vec<String> = known().map(name).collect();
            let hint = suggestion(given, names.iter().map(String::as_str));
            return Err(format!("operations: `{given}` is none{hint}; there are {}", names.join(", ")));
        };
        if family.trim().is_empty() {
            return Err(format!("operations.{given}: it names no family (leave it out to have one found)"));
        }
        Ok((operation, family.clone()))
    };
    entry.operations.iter().map(one).collect()
}

/// A health endpoint, and the fields of its document that matter.
pub(super) fn health(entry: &HealthFile, around: &Surroundings) -> Result<HealthConnect, String> {
    let http = endpoint(&entry.endpoint(), around)?;
    let fields = entry.fields.iter().map(Into::into).collect();
    Ok(HealthConnect { http, fields, masks: entry.mask.clone() })
}

/// Something that only has to answer. A connection alone has no URL: what is said of it is an address.
pub(super) fn probe(entry: &ProbeFile, around: &Surroundings) -> Result<ProbeConnect, String> {
    let link = entry.link.clone();
    let usual = match entry.what() {
        "tcp" => None,
        "mongodb" => Some(27_017),
        kind => {
            let http = endpoint(&entry.at(entry.url.get_ref()), around)?;
            let kind = match kind {
                "grafana" => ProbeKind::Grafana,
                "minio" => ProbeKind::Minio,
                _ => ProbeKind::Http { status: entry.status, contains: entry.contains.clone() },
            };
            return Ok(ProbeConnect { http, kind, link });
        }
    };
    let (host, port) = url::place(entry.url.get_ref())?;
    let port = port.or(usual).ok_or("it names no port; write host:port")?;
    Ok(ProbeConnect { http: HttpConnect::plain(String::new()), kind: ProbeKind::Tcp { host, port }, link })
}

/// A server that is asked for paths below its URL.
pub(super) fn server(entry: &HttpFile, _around: &Surroundings) -> Result<HttpConnect, String> {
    if entry.requests.is_some() {
        return Err("`requests` is for [[metrics]]: it names the family that counts requests".to_owned());
    }
    if !entry.operations.is_empty() {
        return Err(
            "`operations` is for [[metrics]]: it names the families that measure operations".to_owned()
        );
    }
    http(entry, url::http_base)
}

fn http(entry: &HttpFile, url: fn(&str) -> Result<HttpConnect, String>) -> Result<HttpConnect, String> {
    let mut http = url(entry.url.get_ref())?;
    http.root_cert = readable("ca", entry.ca.as_deref())?.map(PathBuf::from);
    http.client = own(entry.client_cert.as_deref(), entry.client_key.as_deref())?;
    http.pin = fingerprint(entry.certificate_fingerprint.as_deref())?;
    let given = [
        (http.pin.is_some(), "certificate_fingerprint"),
        (http.root_cert.is_some(), "ca"),
        (http.client.is_some(), "client_cert"),
    ];
    if http.pin.is_some() && http.root_cert.is_some() {
        return Err("give `ca` or `certificate_fingerprint`, not both".to_owned());
    }
    if let Some((_, given)) = given.into_iter().find(|(is, _)| *is && !http.url.starts_with("https://")) {
        return Err(format!(
            "`{given}` is given, but http:// is not encrypted: write https://, or remove `{given}`"
        ));
    }
    http.headers = headers(entry)?;
    let password =
        secret(entry.password_file.as_ref(), command(entry.password_command.as_ref(), entry.timeout), None)?;
    match (&entry.user, password, &entry.token_file, &entry.api_key_file) {
        (None, None, None, None) => {}
        (Some(user), Some(password), None, None) => {
            http.auth = HttpAuth::Basic { user: user.clone(), password };
        }
        (None, None, Some(token), None) if token.exists() => {
            http.auth = HttpAuth::Bearer(Secret::File(token.clone()));
        }
        (None, None, None, Some(key)) if key.exists() => {
            http.auth = HttpAuth::ApiKey(Secret::File(key.clone()));
        }
        (None, None, Some(_), None) => return Err(format!("token_file: {NO_FILE}")),
        (None, None, None, Some(_)) => return Err(format!("api_key_file: {NO_FILE}")),
        (Some(_), None, _, _) => {
            return Err("a user without a password: set password_file or password_command".to_owned());
        }
        _ => {
            return Err(
                "give one kind of credentials: user and password, token_file or api_key_file".to_owned()
            );
        }
    }
    Ok(http)
}

/// A SHA-256 in hex, with or without colons.
fn fingerprint(given: Option<&str>) -> Result<Option<Pin>, String> {
    let Some(given) = given else { return Ok(None) };
    let wrong = || {
        "certificate_fingerprint: it is no SHA-256 (64 hex digits, as Elasticsearch prints it at its first start, or \
         `openssl x509 -noout -fingerprint -sha256 -in http_ca.crt` does)"
            .to_owned()
    };
    let digits: Vec<u32> = given
        .trim()
        .chars()
        .filter(|c| *c != ':')
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    if digits.len() != 64 {
        return Err(wrong());
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = (pair[0] << 4 | pair[1]) as u8;
    }
    Ok(Some(Pin::Fingerprint(bytes)))
}

pub(super) fn prometheus(entry: &PrometheusFile, around: &Surroundings) -> Result<PrometheusConnect, String> {
    let at = |url: &toml::Spanned<String>| server(&entry.server(url), around);
    let http = at(&entry.url)?;
    let alertmanager = entry
        .alertmanager
        .as_ref()
        .map(|url| at(url).map_err(|why| format!("alertmanager: {why}")))
        .transpose()?;
    if !http.others.is_empty() {
        return Err("it names several servers, and each Prometheus is a target of its own".to_owned());
    }
    let past = entry.past.iter().map(remembered).collect::<Result<_, _>>()?;
    Ok(PrometheusConnect { http, alertmanager, queries: queries(&entry.query), past })
}

fn queries(written: &[QueryFile]) -> Vec<PromQuery> {
    let one = |query: &QueryFile| PromQuery {
        title: query.title.clone(),
        expr: query.expr.clone(),
        unit: query.unit.clone(),
        warning: query.warning,
        critical: query.critical,
    };
    written.iter().map(one).collect()
}

pub(super) fn loki(entry: &LokiFile, around: &Surroundings) -> Result<LokiConnect, String> {
    let http = server(&entry.server(), around)?;
    let selectors = entry.selector.iter().map(|text| ("selector", text));
    for (key, text) in selectors.chain(entry.streams.iter().map(|(name, text)| (name.as_str(), text))) {
        if !(text.trim_start().starts_with('{') && text.trim_end().ends_with('}')) {
            return Err(format!("{key}: it is no stream selector; write it as {{app=\"worker\"}}"));
        }
    }
    Ok(LokiConnect {
        http,
        selector: entry.selector.clone(),
        errors: entry.errors.clone(),
        streams: entry.streams.clone(),
        masks: entry.mask.clone(),
        queries: queries(&entry.query),
    })
}

/// A file of lines, or a command that prints some.
pub(super) fn log(entry: &LogFile, _around: &Surroundings) -> Result<LogConnect, String> {
    log::connect(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_named_for_operations_that_are_known() {
        let given = |toml: &str| {
            let entry: HttpFile =
                toml::from_str(&format!("url = \"http://h/metrics\"\n{toml}")).expect("TOML");
            operations(&entry)
        };
        let named = given("operations = { simple_query = \"reads\", job = \"mails\" }").expect("known");
        assert_eq!((named.len(), named[&Operation::Job].as_str()), (2, "mails"));
        let wrong = given("operations = { simple_qurey = \"reads\" }").expect_err("misspelt");
        assert_eq!(
            wrong,
            "operations: `simple_qurey` is none; did you mean `simple_query`?; there are query, simple_query, \
             complex_query, cache, search, job"
        );
        let empty = given("operations = { job = \" \" }").expect_err("no family");
        assert!(empty.starts_with("operations.job: it names no family"), "{empty}");
    }

    #[test]
    fn addresses_of_nodes() {
        let given = ["10.0.0.2:7000", "cache-2", "[fd00::2]:7001"].map(str::to_owned);
        let read = addresses("nodes", Some(&given), 6379).expect("addresses");
        let expected = [("10.0.0.2", 7000), ("cache-2", 6379), ("fd00::2", 7001)];
        assert_eq!(read, expected.map(|(host, port)| (host.to_owned(), port)));
        let wrong = addresses("nodes", Some(&["cache-2:x".to_owned()]), 6379).expect_err("no port");
        assert_eq!(wrong, "nodes: number 1 is no address; write host:6379");
        let url = "redis://:geheim@cache-2:1".to_owned();
        let wrong = addresses("sentinels", Some(&[url]), 26_379).expect_err("a URL");
        assert_eq!(wrong, "sentinels: number 1 is no address; write host:26379, not a URL");
        assert!(addresses("nodes", None, 6379).expect("none").is_empty());
    }
}
