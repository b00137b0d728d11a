//! Targets from a compose file in the current folder: published ports, and user, password and database from the services' environment.

use super::{Found, Surroundings};
use crate::config::secret::Secret;
use crate::config::target::{
    Connect, HttpAuth, HttpConnect, PgTls, PostgresConnect, PrometheusConnect, RedisConnect, TENANT_COLUMN,
};
use crate::core::ids::SystemKind;
use serde_yaml_ng::Value;
use std::collections::BTreeMap;

/// The names under which compose looks for its file, in its order.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// Looks for a compose file and at its services.
#[expect(clippy::unnecessary_wraps, reason = "one signature for every place that is looked at")]
pub(super) fn look(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<Found>, String> {
    let read = NAMES
        .iter()
        .find_map(|name| std::fs::read_to_string(around.folder.join(name)).ok().map(|text| (*name, text)));
    let Some((name, text)) = read else {
        trail.push(format!("no compose file in {}", around.folder.display()));
        return Ok(Vec::new());
    };
    let dotenv = std::fs::read_to_string(around.folder.join(".env")).unwrap_or_default();
    let variables = |wanted: &str| around.var(wanted).or_else(|| from_dotenv(&dotenv, wanted));
    let root: Value = match serde_yaml_ng::from_str(&interpolate(&text, &variables)) {
        Ok(root) => root,
        Err(error) => {
            // The reader's own words may repeat what stands there, passwords too.
            let place = error.location().map_or(String::new(), |place| {
                format!(": it is no YAML at line {}, column {}", place.line(), place.column())
            });
            trail.push(format!("{name} cannot be read{place}"));
            return Ok(Vec::new());
        }
    };
    let mut found = Vec::new();
    let services = root.get("services").and_then(Value::as_mapping).into_iter().flatten();
    for (service, body) in services {
        let Some(service) = service.as_str() else { continue };
        let Some(kind) = kind(body.get("image").and_then(Value::as_str).unwrap_or(service)) else { continue };
        let Some((host, port)) = published(body, inside_port(kind)) else {
            trail.push(format!("{name}: service {service} publishes no port"));
            continue;
        };
        let connect = connect(kind, host, port, &environment(body), body);
        let because = format!("{name} publishes port {port} for service {service}");
        found.push(Found { connect, because, name: Some(service.to_owned()) });
    }
    trail.push(format!("{name}: {} of its services are systems that stacktop knows", found.len()));
    Ok(found)
}

/// The kind of system by the name of its image (`docker.io/library/postgres:16` → Postgres).
fn kind(image: &str) -> Option<SystemKind> {
    let bare = image.split('@').next()?.rsplit('/').next()?.split(':').next()?.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| bare == *word || bare.starts_with(&format!("{word}-")));
    if bare.contains("exporter") {
        None
    } else if is(&["postgres", "postgresql", "postgis", "timescaledb", "pgvector"]) {
        Some(SystemKind::Postgres)
    } else if is(&["redis", "valkey", "redis-stack"]) {
        Some(SystemKind::Redis)
    } else if is(&["elasticsearch", "opensearch"]) && !bare.contains("dashboards") {
        Some(SystemKind::Search)
    } else if is(&["prometheus"]) {
        Some(SystemKind::Prometheus)
    } else {
        None
    }
}

const fn inside_port(kind: SystemKind) -> u16 {
    match kind {
        SystemKind::Postgres => 5432,
        SystemKind::Redis => 6379,
        SystemKind::Search => 9200,
        SystemKind::Prometheus | SystemKind::Metrics => 9090,
    }
}

/// Host and port under which `inside` is published, in the short or the long form.
fn published(body: &Value, inside: u16) -> Option<(String, u16)> {
    body.get("ports")?.as_sequence()?.iter().find_map(|entry| {
        if let Some(target) = entry.get("target") {
            let published = entry.get("published")?;
            let port = number(published)?;
            let host = entry.get("host_ip").and_then(Value::as_str).unwrap_or("127.0.0.1");
            return (number(target)? == inside).then(|| (reachable(host), port));
        }
        let text = entry.as_str().map(str::to_owned).or_else(|| number(entry).map(|n| n.to_string()))?;
        let text = text.split('/').next()?;
        let mut parts = text.rsplitn(3, ':');
        let target: u16 = parts.next()?.parse().ok()?;
        let port: u16 = parts.next()?.parse().ok()?;
        let host = parts.next().unwrap_or("127.0.0.1");
        (target == inside).then(|| (reachable(host), port))
    })
}

fn reachable(host: &str) -> String {
    match host {
        "" | "0.0.0.0" | "::" | "[::]" => "127.0.0.1".to_owned(),
        other => other.to_owned(),
    }
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|n| u16::try_from(n).ok()).or_else(|| value.as_str()?.parse().ok())
}

/// The environment of a service, as a map or as a list of `NAME=value`.
fn environment(body: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    };
    match body.get("environment") {
        Some(Value::Mapping(map)) => {
            map.iter().filter_map(|(name, value)| Some((name.as_str()?.to_owned(), text(value)?))).collect()
        }
        Some(Value::Sequence(list)) => list
            .iter()
            .filter_map(|entry| entry.as_str()?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        _ => BTreeMap::new(),
    }
}

fn connect(
    kind: SystemKind,
    host: String,
    port: u16,
    vars: &BTreeMap<String, String>,
    body: &Value,
) -> Connect {
    let var = |name: &str| vars.get(name).filter(|value| !value.is_empty()).cloned();
    let http = |auth| HttpConnect { url: format!("http://{host}:{port}"), auth, root_cert: None };
    match kind {
        SystemKind::Postgres => {
            let user = var("POSTGRES_USER").unwrap_or_else(|| "postgres".to_owned());
            Connect::Postgres(PostgresConnect {
                database: var("POSTGRES_DB").unwrap_or_else(|| user.clone()),
                user,
                password: var("POSTGRES_PASSWORD").map(Secret::inline),
                host,
                port,
                tls: PgTls::default(),
                root_cert: None,
                client_cert: None,
                panels: Vec::new(),
                pgbouncer: None,
                rotation: None,
                backups: None,
                tenant_column: TENANT_COLUMN.to_owned(),
            })
        }
        SystemKind::Redis => Connect::Redis(RedisConnect {
            password: var("REDIS_PASSWORD").or_else(|| require_pass(body)).map(Secret::inline),
            host,
            port,
            ..RedisConnect::default()
        }),
        SystemKind::Search => Connect::Search(http(match var("ELASTIC_PASSWORD") {
            Some(password) if var("xpack.security.enabled").as_deref() != Some("false") => {
                HttpAuth::Basic { user: "elastic".to_owned(), password: Secret::inline(password) }
            }
            _ => HttpAuth::None,
        })),
        SystemKind::Prometheus => {
            Connect::Prometheus(PrometheusConnect { http: http(HttpAuth::None), queries: Vec::new() })
        }
        SystemKind::Metrics => Connect::Metrics(http(HttpAuth::None)),
    }
}

/// `--requirepass word` in the service's command.
fn require_pass(body: &Value) -> Option<String> {
    let words: Vec<String> = match body.get("command")? {
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        Value::Sequence(list) => list.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect(),
        _ => return None,
    };
    let at = words.iter().position(|word| word == "--requirepass")?;
    words.get(at + 1).map(|word| word.trim_matches(['"', '\'']).to_owned())
}

fn from_dotenv(text: &str, wanted: &str) -> Option<String> {
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("export ").unwrap_or(line.trim()).split_once('='))
        .find(|(name, _)| name.trim() == wanted)
        .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
}

/// `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `$NAME` and `$$`, as compose has them.
fn interpolate(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((inside, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            let split = inside.find([':', '-', '?', '+']).unwrap_or(inside.len());
            let (name, modifier) = inside.split_at(split);
            let default = modifier.strip_prefix(":-").or_else(|| modifier.strip_prefix('-')).unwrap_or("");
            out.push_str(&variable(name).unwrap_or_else(|| default.to_owned()));
            rest = after;
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            out.push_str(&variable(&rest[..end]).unwrap_or_default());
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_services_as_developers_write_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "
services:
  db:
    image: postgres:16-alpine
    ports: [\"${DB_PORT:-5433}:5432\"]
    environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: \"${PW}\", POSTGRES_DB: orders}
  cache:
    image: docker.io/valkey/valkey:8
    command: valkey-server --requirepass hush
    ports:
      - target: 6379
        published: \"6380\"
  search:
    image: docker.elastic.co/elasticsearch/elasticsearch:8.19.0
    ports: [\"127.0.0.1:9201:9200/tcp\"]
    environment: [\"ELASTIC_PASSWORD=x\", \"xpack.security.enabled=false\"]
  hidden: {image: \"redis:7\"}
  exporter: {image: prom/redis-exporter, ports: [\"9121:9121\"]}
";
        std::fs::write(folder.path().join("compose.yaml"), text).expect("written");
        std::fs::write(folder.path().join(".env"), "PW='s3cret'\n").expect("written");
        let mut trail = Vec::new();
        let found = look(&Surroundings::empty(folder.path()), &mut trail).expect("understood");
        let names: Vec<_> = found.iter().filter_map(|found| found.name.clone()).collect();
        assert_eq!(names, ["db", "cache", "search"], "{trail:?}");
        match &found[0].connect {
            Connect::Postgres(pg) => {
                assert_eq!((pg.port, pg.user.as_str(), pg.database.as_str()), (5433, "shop", "orders"));
                assert!(pg.password.is_some());
            }
            other => panic!("{other:?}"),
        }
        assert!(
            matches!(&found[1].connect, Connect::Redis(redis) if redis.port == 6380 && redis.password.is_some())
        );
        assert!(matches!(&found[2].connect, Connect::Search(http) if matches!(http.auth, HttpAuth::None)));
        assert!(trail.iter().any(|line| line.contains("hidden publishes no port")), "{trail:?}");
    }
}
