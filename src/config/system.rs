//! What the closed list says of each system, with the ways to it.

use super::file::{Common, Entry, File};
use super::nearby::Nearby;
use super::surroundings::Surroundings;
use super::systems::each_system;
use super::target::Connect;
use super::{entries, nearby, url};
use crate::core::ids::SystemKind;
use std::time::Duration;

/// From a URL to how a server is reached.
type Read = fn(&str) -> Result<Connect, String>;
/// From a URL on the command line, with what is around.
type Given = fn(&str, &Surroundings) -> Result<Connect, String>;

/// One system.
pub(super) struct System {
    pub(super) kind: SystemKind,
    /// Its usual port, where it has one.
    pub(super) port: Option<u16>,
    /// How often it is asked unless the configuration says otherwise.
    pub(super) interval: Duration,
    /// The variable that holds its URL.
    pub(super) variable: Option<(&'static str, Read)>,
    /// The way to one whose URL stands on the command line.
    pub(super) given: Given,
    /// The schemes of such a URL; without one it is `http`, with the table's name before it.
    pub(super) schemes: &'static [&'static str],
    /// Where a password is read by nobody else.
    pub(super) secret: &'static str,
    /// The way to one that answers on this machine.
    pub(super) nearby: fn(&Nearby<'_>) -> Result<Connect, String>,
    /// The names of its images, also with something behind a hyphen.
    images: &'static [&'static str],
    /// The options of its command that say where it listens inside its container.
    pub(super) options: &'static [&'static str],
    /// The variables of its images that do.
    pub(super) variables: &'static [&'static str],
}

macro_rules! variable {
    ($Kind:ident None) => {
        None
    };
    ($Kind:ident Some(($name:literal, $read:ident))) => {
        Some(($name, |text| url::$read(text).map(|way| Connect::$Kind(way.into()))))
    };
}

macro_rules! systems {
    ($($Kind:ident $table:ident $types:tt
        { entry: $entry:ident, nearby: $nearby:ident, url: $given:ident $schemes:tt $secret:literal, variable: $($variable:tt)* }
        ($port:expr, $seconds:literal, $images:expr, $options:expr, $variables:expr))*) => {
        /// Every system, in the order in which places are looked at.
        pub(super) const SYSTEMS: &[System] = &[
            $(System {
                kind: SystemKind::$Kind,
                port: $port,
                interval: Duration::from_secs($seconds),
                variable: variable!($Kind $($variable)*),
                given: |text, around| url::$given(text, around).map(|way| Connect::$Kind(way.into())),
                schemes: &$schemes,
                secret: $secret,
                nearby: |known| nearby::$nearby(known).map(|way| Connect::$Kind(way.into())),
                images: &$images,
                options: &$options,
                variables: &$variables,
            },)*
        ];

        /// Every target that `file` names: its kind, what stands there, and the way to it.
        pub(super) fn configured<'a>(
            file: &'a File,
            around: &Surroundings,
        ) -> Vec<(SystemKind, Common<'a>, Result<Connect, String>)> {
            let mut list = Vec::new();
            $(
                for entry in &file.$table {
                    let way = entries::$entry(entry, around).map(Connect::$Kind);
                    list.push((SystemKind::$Kind, entry.common(), way));
                }
            )*
            list
        }
    };
}

each_system!(systems);

/// What stands beside a server and shows, measures, saves or guards it is none.
const HELPERS: [&str; 12] = [
    "exporter",
    "dashboards",
    "commander",
    "insight",
    "backup",
    "sentinel",
    "curator",
    "operator",
    "pushgateway",
    "-proxy",
    "-client",
    "-ui",
];

/// The descriptor of `kind`.
pub(super) fn of(kind: SystemKind) -> &'static System {
    SYSTEMS.iter().find(|system| system.kind == kind).unwrap_or(&SYSTEMS[0])
}

/// The system by the name of its image (`docker.io/library/postgres:16` → Postgres).
pub(super) fn by_image(image: &str) -> Option<&'static System> {
    let bare = image.split('@').next()?.rsplit('/').next()?.split(':').next()?.to_ascii_lowercase();
    if HELPERS.iter().any(|word| bare.contains(word)) {
        return None;
    }
    let is = |word: &&str| bare == **word || bare.starts_with(&format!("{word}-"));
    SYSTEMS.iter().find(|system| system.images.iter().any(is))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(image: &str, expected: Option<SystemKind>) {
        assert_eq!(by_image(image).map(|system| system.kind), expected, "{image}");
    }

    #[test]
    fn an_image_is_known_by_its_name_and_helpers_are_none() {
        check("postgres:18-alpine", Some(SystemKind::Postgres));
        check("docker.io/bitnami/redis:7@sha256:00", Some(SystemKind::Redis));
        check("prom/prometheus:v3.1.0", Some(SystemKind::Prometheus));
        check("prom/alertmanager", Some(SystemKind::Alertmanager));
        check("bitnami/alertmanager:0.27", Some(SystemKind::Alertmanager));
        check("prom/pushgateway", None);
        check("oliver006/redis_exporter", None);
    }
}
