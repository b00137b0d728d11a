//! Ways to servers that answer on this machine, by what is known there: the port, the environment, and what a compose file says of the
//! service that it publishes.

use super::libpq;
use super::secret::Secret;
use super::surroundings::Surroundings;
use super::target::{HttpAuth, HttpConnect, LogConnect, PgHost, PgPlace, Pin, PostgresConnect, RedisConnect};
use std::collections::BTreeMap;

/// This machine, as compose publishes ports.
const HERE: &str = "127.0.0.1";

/// What is known of a server on this machine.
pub(super) struct Nearby<'a> {
    /// The environment and the files of this machine.
    pub(super) around: &'a Surroundings,
    /// Where it listens.
    pub(super) port: u16,
    /// The service of a compose file that it is.
    pub(super) service: Option<Service<'a>>,
}

/// What a compose file says of a service.
pub(super) struct Service<'a> {
    /// Its image.
    pub(super) image: &'a str,
    /// Its environment.
    pub(super) variables: BTreeMap<String, String>,
    /// Its command, word by word.
    pub(super) words: Vec<String>,
}

impl Service<'_> {
    fn var(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

/// User, password and database of the service; without one, what the `PG*` variables say.
pub(super) fn postgres(known: &Nearby<'_>) -> Result<PostgresConnect, String> {
    let Some(service) = &known.service else {
        return libpq::on_this_machine(known.around, known.port)
            .map_err(|why| format!("what the PG* variables say cannot be used: {why}"));
    };
    // Bitnami's images have names of their own beside those of the official one, and create no database of the user's name.
    let first = |names: [&str; 2]| names.into_iter().find_map(|name| service.var(name));
    let user = first(["POSTGRES_USER", "POSTGRESQL_USERNAME"]).unwrap_or_else(|| "postgres".to_owned());
    let bitnami = service.image.contains("bitnami");
    let usual = || if bitnami { "postgres".to_owned() } else { user.clone() };
    let database = first(["POSTGRES_DB", "POSTGRESQL_DATABASE"]).unwrap_or_else(usual);
    let place = HERE
        .parse()
        .map_or_else(|_| PgPlace::Name(HERE.to_owned()), |address| PgPlace::Address(address, None));
    Ok(PostgresConnect {
        password: first(["POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"]).map(Secret::inline),
        ..PostgresConnect::new(PgHost::new(place, known.port), user, database)
    })
}

/// Variables of images that hold the password of a Redis or of what speaks like one.
const PASSWORDS: [&str; 5] =
    ["REDIS_PASSWORD", "VALKEY_PASSWORD", "KEYDB_PASSWORD", "DRAGONFLY_PASSWORD", "DFLY_requirepass"];

#[expect(clippy::unnecessary_wraps, reason = "one signature for every system")]
pub(super) fn redis(known: &Nearby<'_>) -> Result<RedisConnect, String> {
    let password = known.service.as_ref().and_then(|service| {
        require_pass(service).or_else(|| PASSWORDS.iter().find_map(|name| service.var(name)))
    });
    Ok(RedisConnect {
        password: password.map(Secret::inline),
        host: HERE.to_owned(),
        port: known.port,
        ..RedisConnect::default()
    })
}

/// Any server that is asked over HTTP and protects itself with nothing.
#[expect(clippy::unnecessary_wraps, reason = "one signature for every system")]
pub(super) fn http(known: &Nearby<'_>) -> Result<HttpConnect, String> {
    Ok(HttpConnect::plain(format!("http://{HERE}:{}", known.port)))
}

/// A log listens nowhere.
pub(super) fn log(_: &Nearby<'_>) -> Result<LogConnect, String> {
    Err("a log is named by its file, and listens at no port".to_owned())
}

pub(super) fn search(known: &Nearby<'_>) -> Result<HttpConnect, String> {
    let plain = http(known)?;
    let Some(service) = &known.service else { return Ok(plain) };
    let secured = secured(service.image, &service.variables);
    let auth = secured.login.map_or(HttpAuth::None, |(user, password)| HttpAuth::Basic {
        user,
        password: Secret::inline(password),
    });
    let http = HttpConnect { auth, ..plain };
    if !secured.encrypted {
        return Ok(http);
    }
    // Its certificate is one that it made for itself.
    Ok(HttpConnect { url: http.url.replace("http://", "https://"), pin: Some(Pin::OwnStack), ..http })
}

/// How a search service protects itself.
struct Secured {
    login: Option<(String, String)>,
    encrypted: bool,
}

/// What Elasticsearch and OpenSearch do by their images' defaults and what the variables say: Elasticsearch encrypts and asks for a
/// password from 8 on, OpenSearch always did; from 2.12 on its first password has to be given.
fn secured(image: &str, vars: &BTreeMap<String, String>) -> Secured {
    let var = |name: &str| vars.get(name).map(|value| value.to_ascii_lowercase());
    let is = |name: &str, wanted: &str| var(name).as_deref() == Some(wanted);
    if image.contains("opensearch") {
        let off = is("plugins.security.disabled", "true") || is("DISABLE_SECURITY_PLUGIN", "true");
        let first = vars.get("OPENSEARCH_INITIAL_ADMIN_PASSWORD").filter(|password| !password.is_empty());
        let password = first.cloned().unwrap_or_else(|| "admin".to_owned());
        let login = (!off).then(|| ("admin".to_owned(), password));
        return Secured { login, encrypted: !off };
    }
    if image.contains("bitnami") {
        // Off unless it is switched on, then encrypted.
        let on = is("ELASTICSEARCH_ENABLE_SECURITY", "true");
        let password = vars.get("ELASTICSEARCH_PASSWORD").filter(|password| on && !password.is_empty());
        let encrypted = on && !is("ELASTICSEARCH_ENABLE_REST_TLS", "false");
        return Secured {
            login: password.map(|password| ("elastic".to_owned(), password.clone())),
            encrypted,
        };
    }
    let tag =
        image.rsplit('/').next().and_then(|name| name.split('@').next()?.split_once(':')).map(|(_, tag)| tag);
    let old = tag.and_then(|tag| tag.split('.').next()?.parse::<u32>().ok()).is_some_and(|major| major < 8);
    let enabled = match var("xpack.security.enabled").as_deref() {
        Some("true") => true,
        Some("false") => false,
        _ => !old,
    };
    let encrypted = match var("xpack.security.http.ssl.enabled").as_deref() {
        Some("true") => enabled,
        Some("false") => false,
        // Whoever sets security up by hand has to switch this on, too.
        _ => enabled && !old && !vars.contains_key("xpack.security.enabled"),
    };
    let password = vars.get("ELASTIC_PASSWORD").filter(|password| enabled && !password.is_empty());
    Secured { login: password.map(|password| ("elastic".to_owned(), password.clone())), encrypted }
}

/// `--requirepass word` or `--requirepass=word` in the service's command; a variable there is one of the service.
fn require_pass(service: &Service<'_>) -> Option<String> {
    let mut words = service.words.iter().map(String::as_str);
    let word = loop {
        match words.next()?.strip_prefix("--requirepass") {
            None => {}
            Some("") => break words.next()?,
            Some(rest) => break rest.strip_prefix('=')?,
        }
    };
    let word = word.trim_matches(['"', '\'']);
    match word.strip_prefix('$') {
        Some(name) => service.var(name.trim_start_matches('{').trim_end_matches('}')),
        None => Some(word.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_services_are_reached_as_their_images_protect_themselves() {
        let reached = |image: &str, given: &[(&str, &str)]| {
            let variables =
                given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let around = Surroundings::empty(std::path::Path::new("/"));
            let service = Some(Service { image, variables, words: Vec::new() });
            let http = search(&Nearby { around: &around, port: 9200, service }).expect("a way");
            let user = match &http.auth {
                HttpAuth::Basic { user, password } => {
                    use secrecy::ExposeSecret;
                    let Secret::Inline(password) = password else { panic!("{password:?}") };
                    format!("{user}:{}", password.expose_secret())
                }
                _ => String::new(),
            };
            let scheme = http.url.split(':').next().unwrap_or_default().to_owned();
            assert_eq!(http.pin.is_some(), scheme == "https");
            (scheme, user)
        };
        let es = "docker.elastic.co/elasticsearch/elasticsearch:8.19.0";
        let old = "elasticsearch:7.17.0";
        let opensearch = "opensearchproject/opensearch:2";
        let password = ("ELASTIC_PASSWORD", "x");
        let on = ("xpack.security.enabled", "true");
        for (image, given, expected) in [
            (es, &[password][..], ("https", "elastic:x")),
            (es, &[], ("https", "")),
            (es, &[password, ("xpack.security.enabled", "false")], ("http", "")),
            (es, &[password, ("xpack.security.http.ssl.enabled", "false")], ("http", "elastic:x")),
            (es, &[password, on, ("xpack.security.http.ssl.enabled", "true")], ("https", "elastic:x")),
            (es, &[password, on], ("http", "elastic:x")),
            (old, &[password], ("http", "")),
            (old, &[password, on], ("http", "elastic:x")),
            (opensearch, &[("OPENSEARCH_INITIAL_ADMIN_PASSWORD", "Y")], ("https", "admin:Y")),
            (opensearch, &[], ("https", "admin:admin")),
            (opensearch, &[("plugins.security.disabled", "true")], ("http", "")),
            (opensearch, &[("DISABLE_SECURITY_PLUGIN", "true")], ("http", "")),
        ] {
            let (scheme, user) = reached(image, given);
            assert_eq!((scheme.as_str(), user.as_str()), expected, "{image} {given:?}");
        }
    }
}
