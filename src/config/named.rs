//! Targets that are URLs on the command line. The scheme says what each is; of `http://` path and port do, or a word before it.
//! No error repeats anything of a URL but its scheme.

use super::defaults::{default_interval, free_name};
use super::surroundings::Surroundings;
use super::system::{self, System};
use super::target::{Connect, DEFAULT_TIMEOUT, Locality, TargetConfig};
use super::{drivers, url};
use crate::core::ids::{SystemKind, TargetId};
use std::collections::BTreeSet;

/// Every way to begin such a URL, as it is told to whoever wrote another one.
#[must_use]
pub fn schemes() -> String {
    let own = system::SYSTEMS.iter().flat_map(|system| system.schemes.iter().take(3));
    let own = own.map(|scheme| format!("{scheme}://"));
    let words = served_over_http().map(|system| format!("{}+https://", system.kind.word()));
    let mut all: Vec<String> =
        own.chain(["http://".to_owned(), "https://".to_owned()]).chain(words).collect();
    let last = all.pop().unwrap_or_default();
    format!("{} or {last}", all.join(", "))
}

/// The systems that no scheme means: `search+https://…` says that it is one of them.
fn served_over_http() -> impl Iterator<Item = &'static System> {
    system::SYSTEMS.iter().filter(|system| system.schemes.is_empty())
}

/// One target for each URL, in their order; what is to be known of them is said in `trail`.
///
/// # Errors
/// What is wrong with one of them, by its number.
pub(super) fn targets(
    urls: &[String],
    around: &Surroundings,
    trail: &mut Vec<String>,
) -> Result<Vec<TargetConfig>, String> {
    let mut names = BTreeSet::new();
    let mut targets = Vec::new();
    for (index, text) in urls.iter().enumerate() {
        let connect = connect(text, around).map_err(|why| {
            let which = if urls.len() == 1 { "the URL".to_owned() } else { format!("URL {}", index + 1) };
            format!("{which} cannot be used: {why}")
        })?;
        let kind = connect.kind();
        let id = free_name(kind, &names);
        if holds_password(text) {
            trail.push(format!(
                "WARNING {id}: its password stands in the arguments, where everybody on this machine can read it: {}",
                system::of(kind).secret
            ));
        }
        names.insert(id.clone());
        targets.push(TargetConfig {
            group: None,
            id: TargetId::new(&id),
            chosen_because: "the command line names it".to_owned(),
            interval: default_interval(kind),
            timeout: DEFAULT_TIMEOUT,
            read_only: false,
            locality: Locality::ByEvidence,
            connect,
        });
    }
    Ok(targets)
}

fn connect(text: &str, around: &Surroundings) -> Result<Connect, String> {
    let text = &drivers::plain(text);
    let scheme = url::scheme(text).ok_or_else(|| format!("it begins with none of {}", schemes()))?;
    let scheme = scheme.to_ascii_lowercase();
    let by_word = served_over_http().find_map(|system| {
        let word = format!("{}+", system.kind.word());
        scheme.starts_with(&word).then_some((system, word.len()))
    });
    let by_scheme = || system::SYSTEMS.iter().find(|system| system.schemes.contains(&scheme.as_str()));
    let (system, word) = match (by_word, scheme.as_str()) {
        (Some(found), _) => found,
        (None, "http" | "https") => served(text).map(|system| (system, 0)).ok_or_else(|| {
            let mut words: Vec<String> =
                served_over_http().map(|system| format!("{}+", system.kind.word())).collect();
            let last = words.pop().unwrap_or_default();
            format!(
                "neither path nor port says what answers there (a path is a metrics endpoint, one with `health` in it a \
                 health endpoint, port 9200 Elasticsearch, 9090 Prometheus, 9093 an Alertmanager, 3100 Loki): write {} or {last} \
                 before its scheme",
                words.join(", ")
            )
        })?,
        (None, _) => by_scheme().map(|system| (system, 0)).ok_or_else(|| {
            format!("`{scheme}://` is nothing that stacktop watches; write {}", schemes())
        })?,
    };
    (system.given)(&text[word..], around)
}

/// What an HTTP server is: what is asked for by a whole path is an exposition, or tells of health; a bare host is what usually listens on
/// that port.
fn served(text: &str) -> Option<&'static System> {
    let rest = text.split_once("://")?.1;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    let path = behind.split(['?', '#']).next().unwrap_or_default().trim_matches('/').to_ascii_lowercase();
    if !path.is_empty() {
        let kind = if path.contains("health") { SystemKind::Health } else { SystemKind::Metrics };
        return served_over_http().find(|system| system.kind == kind);
    }
    let place = authority.rsplit('@').next()?.split(',').next()?;
    let port: u16 = place.rsplit_once(':')?.1.parse().ok()?;
    served_over_http().find(|system| system.port == Some(port))
}

fn holds_password(text: &str) -> bool {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let login = rest.rsplit_once('@').map_or("", |(login, _)| login);
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    login.contains(':') || query.split('&').any(|pair| pair.starts_with("password="))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn read(urls: &[&str]) -> Result<(Vec<TargetConfig>, Vec<String>), String> {
        let mut trail = Vec::new();
        let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
        targets(&urls, &Surroundings::empty(Path::new("/")).as_user("ann"), &mut trail)
            .map(|targets| (targets, trail))
    }

    #[track_caller]
    fn accepted(url: &str, kind: SystemKind, address: &str) {
        let (targets, trail) = read(&[url]).expect("it is well");
        assert_eq!((targets[0].kind(), targets[0].address().as_str()), (kind, address));
        let warned = trail.iter().any(|line| line.starts_with("WARNING") && line.contains("arguments"));
        assert_eq!(warned, url.contains("geheim"), "{trail:?}");
        assert!(!format!("{targets:?}{trail:?}").contains("geheim"));
    }

    #[test]
    fn a_url_says_what_it_is() {
        accepted("postgres://ana:geheim@db:5433/app", SystemKind::Postgres, "db:5433/app");
        accepted("postgresql://ana@db/app?password=geheim", SystemKind::Postgres, "db:5432/app");
        accepted("POSTGRES://ana@db/app", SystemKind::Postgres, "db:5432/app");
        accepted("redis://cache", SystemKind::Redis, "cache:6379/0");
        accepted("rediss://:geheim@cache:6380/2", SystemKind::Redis, "cache:6380/2");
        accepted("unix:///run/redis.sock", SystemKind::Redis, "/run/redis.sock/0");
        // Whatever answers over HTTP may be named by its word.
        for system in served_over_http() {
            for scheme in ["http", "https"] {
                let url = format!("{}+{scheme}://h:8080/p", system.kind.word());
                assert_eq!(read(&[&url]).expect(&url).0[0].kind(), system.kind, "{url}");
            }
        }
        accepted("file:///var/log/a%20b.log", SystemKind::Log, "/var/log/a b.log");
        accepted("http://am:9093", SystemKind::Alertmanager, "http://am:9093");
        accepted("http://es:9200", SystemKind::Search, "http://es:9200");
        accepted("https://elastic:geheim@es:9200/", SystemKind::Search, "https://es:9200/");
        accepted("http://one:9200,two:9200", SystemKind::Search, "http://one:9200");
        accepted("http://[::1]:9090", SystemKind::Prometheus, "http://[::1]:9090");
        accepted("http://shop:8080/metrics", SystemKind::Metrics, "http://shop:8080/metrics");
        accepted("http://prom:9090/metrics", SystemKind::Metrics, "http://prom:9090/metrics");
        accepted("search+https://es.example", SystemKind::Search, "https://es.example");
        accepted("prometheus+http://h/prefix", SystemKind::Prometheus, "http://h/prefix");
        accepted("metrics+http://h:1234", SystemKind::Metrics, "http://h:1234");
    }

    #[track_caller]
    fn refused(urls: &[&str], expected: &str) {
        let error = read(urls).expect_err("must be refused");
        assert!(error.contains(expected) && !error.contains("geheim"), "{error}");
    }

    #[test]
    fn what_cannot_be_watched_is_refused_with_what_would_do() {
        refused(
            &["mysql://ana:geheim@db/app"],
            "`mysql://` is nothing that stacktop watches; write postgres://",
        );
        refused(&["geheim"], "the URL cannot be used: it begins with none of postgres://");
        refused(
            &["https://ana:geheim@es.example"],
            "write search+, prometheus+, metrics+, alertmanager+, loki+, health+ or probe+ before its scheme",
        );
        refused(
            &["https://[::1]"],
            "write search+, prometheus+, metrics+, alertmanager+, loki+, health+ or probe+ before its scheme",
        );
        refused(&["file://shop.log"], "it names no whole path; write file:///var/log/shop.log");
        refused(&["search+redis://:geheim@h"], "not http:// or https://");
        refused(&["redis://a", "postgres://ana:geheim@db:99999/app"], "URL 2 cannot be used: its port");
        refused(&["redis://:ge/heim@h/0"], "%2F");
    }

    #[test]
    fn several_have_names_of_their_own() {
        let (targets, _) = read(&["redis://a", "postgres://h/d", "redis://b"]).expect("well");
        let names: Vec<&str> = targets.iter().map(|target| target.id.as_str()).collect();
        assert_eq!(names, ["redis", "pg", "redis-2"]);
    }
}
