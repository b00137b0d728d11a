//! Targets named by environment variables: `DATABASE_URL`, libpq's `PG*` and service file, `REDIS_URL`, `ELASTICSEARCH_URL`, `PROMETHEUS_URL`.

use super::found::Found;
use crate::config::surroundings::Surroundings;
use crate::config::system::{self, SYSTEMS};
use crate::config::target::{Connect, Locality};
use crate::config::{drivers, libpq, url};
use crate::core::ids::SystemKind;

/// Variables that name a server; the others of libpq say how it is reached.
const NAMING: [&str; 5] = ["PGSERVICE", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE"];

/// The variable of Postgres.
pub(super) const PG_URL: &str = "DATABASE_URL";

/// What a variable of this kind of system names.
///
/// # Errors
/// What is wrong with it, without its password.
pub(super) fn read(kind: SystemKind, value: &str, around: &Surroundings) -> Result<Connect, String> {
    match system::of(kind).variable {
        Some((_, read)) => read(drivers::unquoted(value)),
        None => url::postgres_around(value, None, around).map(Connect::Postgres),
    }
}

/// Looks at the variables.
#[expect(clippy::unnecessary_wraps, reason = "one signature for every place that is looked at")]
pub(super) fn find(around: &Surroundings, trail: &mut Vec<String>) -> Result<Vec<Found>, String> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    match postgres(around, trail) {
        Some(pg) => found.push(pg),
        None => missing.push("DATABASE_URL, PGHOST or PGSERVICE"),
    }
    let named = SYSTEMS.iter().filter_map(|system| Some((system.kind, system.variable?)));
    for (kind, (name, _)) in named {
        let Some(value) = around.var(name) else {
            missing.push(name);
            continue;
        };
        let because = format!("{name} is set");
        let connect = usable(kind, name, read(kind, &value, around));
        found.push(Found { connect, because, locality: Locality::ByEvidence, name: None });
    }
    if !missing.is_empty() {
        trail.push(format!("not set in the environment: {}", missing.join(", ")));
    }
    Ok(found)
}

/// What was read from `place`, or why it cannot be used: the others are watched all the same.
fn usable(kind: SystemKind, place: &str, read: Result<Connect, String>) -> Connect {
    read.unwrap_or_else(|error| Connect::Unusable { kind, why: format!("{place} cannot be used: {error}") })
}

fn postgres(around: &Surroundings, trail: &mut Vec<String>) -> Option<Found> {
    if let Some(text) = around.var(PG_URL) {
        // A DATABASE_URL of another kind of database is not ours to complain about.
        if let Some(scheme) = url::scheme(&drivers::plain(&text))
            && scheme != "postgresql"
        {
            trail.push(format!("DATABASE_URL is {scheme}://, not Postgres"));
            return None;
        }
        let connect = usable(SystemKind::Postgres, PG_URL, read(SystemKind::Postgres, &text, around));
        return Some(Found {
            connect,
            because: "DATABASE_URL is set".to_owned(),
            locality: Locality::ByEvidence,
            name: None,
        });
    }
    let naming = NAMING.into_iter().find(|variable| around.var(variable).is_some())?;
    let read = libpq::complete(libpq::Settings::new(), None, None, around).map(Connect::Postgres);
    let connect = usable(SystemKind::Postgres, "what the PG* variables say", read);
    Some(Found { connect, because: format!("{naming} is set"), locality: Locality::ByEvidence, name: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn first(around: &Surroundings) -> Option<(String, String)> {
        let found = find(around, &mut Vec::new()).expect("understood").into_iter().next()?;
        match found.connect {
            Connect::Postgres(pg) => Some((format!("{}@{}", pg.user, pg.configured()), found.because)),
            Connect::Unusable { why, .. } => Some((why, found.because)),
            other => Some((format!("{other:?}"), found.because)),
        }
    }

    #[test]
    fn libpqs_variables_name_a_server() {
        let around = Surroundings::empty(Path::new("/")).with("PGHOST", "db1").with("USER", "ann");
        assert_eq!(first(&around), Some(("ann@db1:5432/ann".into(), "PGHOST is set".into())));
        assert_eq!(first(&Surroundings::empty(Path::new("/")).with("PGUSER", "ann")), None);
    }

    #[test]
    fn a_url_may_be_written_for_a_driver_or_stand_in_quotes() {
        for url in [
            "postgresql+asyncpg://ann:pw@db:5433/shop?ssl=require",
            "\"postgis://ann:pw@db:5433/shop\"",
            "jdbc:postgresql://db:5433/shop?user=ann&password=pw",
        ] {
            let around = Surroundings::empty(Path::new("/")).with("DATABASE_URL", url);
            assert_eq!(
                first(&around),
                Some(("ann@db:5433/shop".into(), "DATABASE_URL is set".into())),
                "{url}"
            );
        }
        let around = Surroundings::empty(Path::new("/")).with("REDIS_URL", "'redis://h:7000'");
        assert!(first(&around).is_some_and(|(told, _)| told.contains("7000")));
        let mut trail = Vec::new();
        let mysql = Surroundings::empty(Path::new("/")).with("DATABASE_URL", "mysql+pymysql://h/d");
        assert!(find(&mysql, &mut trail).expect("understood").is_empty());
        assert!(trail[0].contains("DATABASE_URL is mysql+pymysql://, not Postgres"), "{trail:?}");
    }

    #[test]
    fn a_bad_url_is_named_without_its_password_and_keeps_no_other_from_being_watched() {
        let around = Surroundings::empty(Path::new("/"))
            .with("DATABASE_URL", "postgres://u:s3cret@h:99999/d")
            .with("REDIS_URL", "redis://h");
        let found = find(&around, &mut Vec::new()).expect("understood");
        assert!(matches!(found[1].connect, Connect::Redis(_)), "{}", found.len());
        let (why, _) = first(&around).expect("it is there");
        assert!(why.contains("DATABASE_URL") && why.contains("port") && !why.contains("s3cret"), "{why}");
    }
}
