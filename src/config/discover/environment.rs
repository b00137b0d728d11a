//! Targets named by environment variables: `DATABASE_URL`, libpq's `PG*` and service file, `REDIS_URL`, `ELASTICSEARCH_URL`, `PROMETHEUS_URL`.

use super::{Found, Surroundings};
use crate::config::bounded;
use crate::config::target::{Connect, PrometheusConnect};
use crate::config::url;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// libpq's variables and the settings that they set.
const PG_VARS: [(&str, &str); 9] = [
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGUSER", "user"),
    ("PGDATABASE", "dbname"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
];

/// Looks at the variables.
pub(super) fn look(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    match postgres(around, trail)? {
        Some(pg) => found.push(pg),
        None => missing.push("DATABASE_URL, PGHOST or PGSERVICE"),
    }
    let mut single = |name: &'static str, read: fn(&str) -> Result<Connect, String>| match around.var(name) {
        None => {
            missing.push(name);
            Ok(())
        }
        Some(value) => {
            let connect = read(&value).map_err(|error| format!("{name} cannot be used: {error}"))?;
            found.push(Found { connect, because: format!("{name} is set"), name: None });
            Ok::<(), String>(())
        }
    };
    single("REDIS_URL", |text| url::redis(text).and_then(url::redis_login).map(Connect::Redis))?;
    single("ELASTICSEARCH_URL", |text| url::http(text).map(Connect::Search))?;
    single("PROMETHEUS_URL", |text| {
        url::http(text).map(|http| Connect::Prometheus(PrometheusConnect { http, queries: Vec::new() }))
    })?;
    if !missing.is_empty() {
        trail.push(format!("not set in the environment: {}", missing.join(", ")));
    }
    Ok(found)
}

fn postgres(around: &Surroundings, trail: &mut Vec<String>) -> Result<Option<Found>, String> {
    if let Some(text) = around.var("DATABASE_URL") {
        // A DATABASE_URL of another kind of database is not ours to complain about.
        if let Some(scheme) = url::scheme(&text)
            && !matches!(scheme, "postgres" | "postgresql")
        {
            trail.push(format!("DATABASE_URL is {scheme}://, not Postgres"));
            return Ok(None);
        }
        let connect =
            url::postgres(&text).map_err(|error| format!("DATABASE_URL cannot be used: {error}"))?;
        let because = "DATABASE_URL is set".to_owned();
        return Ok(Some(Found { connect: Connect::Postgres(connect), because, name: None }));
    }
    let mut settings = BTreeMap::new();
    let mut because = None;
    if let Some(service) = around.var("PGSERVICE") {
        let (path, section) = service_settings(around, &service)?;
        because = Some(format!("PGSERVICE={service} names it in {}", path.display()));
        settings.extend(section);
    }
    for (variable, key) in PG_VARS {
        if let Some(value) = around.var(variable)
            && !settings.contains_key(key)
        {
            if matches!(variable, "PGHOST" | "PGHOSTADDR" | "PGDATABASE" | "PGPORT") && because.is_none() {
                because = Some(format!("{variable} is set"));
            }
            settings.insert(key.to_owned(), value);
        }
    }
    let Some(because) = because else {
        return Ok(None);
    };
    if !settings.contains_key("user") {
        let user = around.var("USER").ok_or("PGUSER is not set, and neither is USER")?;
        settings.insert("user".to_owned(), user);
    }
    let connect = url::from_settings(&settings, None)
        .map_err(|error| format!("the PG* variables cannot be used: {error}"))?;
    Ok(Some(Found { connect: Connect::Postgres(connect), because, name: None }))
}

/// The section `service` of the first service file that has it.
fn service_settings(
    around: &Surroundings,
    service: &str,
) -> Result<(PathBuf, BTreeMap<String, String>), String> {
    let home = around.var("HOME").map(PathBuf::from).unwrap_or_default();
    let own = around.var("PGSERVICEFILE").map_or_else(|| home.join(".pg_service.conf"), PathBuf::from);
    let system = PathBuf::from(around.var("PGSYSCONFDIR").unwrap_or_else(|| "/etc/postgresql-common".into()));
    for path in [own.clone(), system.join("pg_service.conf")] {
        let Ok(text) = bounded::text(&path) else {
            continue;
        };
        if let Some(section) = section(&text, service) {
            return Ok((path, section));
        }
    }
    Err(format!(
        "PGSERVICE={service} is in no service file (looked at {} and {})",
        own.display(),
        system.display()
    ))
}

fn section(text: &str, wanted: &str) -> Option<BTreeMap<String, String>> {
    let mut inside = None;
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if inside.is_some() {
                break;
            }
            inside = (name == wanted).then(BTreeMap::new);
        } else if let (Some(settings), Some((key, value))) = (&mut inside, line.split_once('=')) {
            settings.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn first(around: &Surroundings) -> Option<(String, String)> {
        let found = look(around, &mut Vec::new()).expect("understood").into_iter().next()?;
        match found.connect {
            Connect::Postgres(pg) => {
                Some((format!("{}@{}:{}/{}", pg.user, pg.host, pg.port, pg.database), found.because))
            }
            other => Some((format!("{other:?}"), found.because)),
        }
    }

    #[test]
    fn libpqs_variables_and_its_service_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("services");
        std::fs::write(&file, "[a]\nhost=wrong\n[orders]\nhost=db9\nport=6543\nuser=monitor\n# x\ndbname=orders\n[b]\nhost=no\n")
            .expect("written");
        let around = Surroundings::empty(Path::new("/"))
            .with("PGSERVICE", "orders")
            .with("PGSERVICEFILE", &file.display().to_string());
        assert_eq!(first(&around).expect("found").0, "monitor@db9:6543/orders");
        let around = Surroundings::empty(Path::new("/")).with("PGHOST", "db1").with("USER", "ann");
        assert_eq!(first(&around), Some(("ann@db1:5432/ann".into(), "PGHOST is set".into())));
        assert_eq!(first(&Surroundings::empty(Path::new("/")).with("PGUSER", "ann")), None);
    }

    #[test]
    fn a_bad_url_is_named_without_its_password() {
        let around =
            Surroundings::empty(Path::new("/")).with("DATABASE_URL", "postgres://u:s3cret@h:99999/d");
        let error = look(&around, &mut Vec::new()).err().expect("refused");
        assert!(
            error.contains("DATABASE_URL") && error.contains("port") && !error.contains("s3cret"),
            "{error}"
        );
    }
}
