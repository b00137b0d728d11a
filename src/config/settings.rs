//! What of a target's configuration goes to its state: what its rules and pages ask, and nothing of how it is reached.

use super::systems::each_system;
use super::target::{
    Connect, HealthConnect, HttpConnect, PostgresConnect, ProbeConnect, PrometheusConnect, RedisConnect,
    TargetConfig,
};
use crate::core::health::HealthSettings;
use crate::core::ids::SystemKind;
use crate::core::metrics::MetricsSettings;
use crate::core::postgres::PostgresSettings;
use crate::core::probe::ProbeSettings;
use crate::core::prometheus::PrometheusSettings;
use crate::core::redis::RedisSettings;
use crate::core::settings::SystemSettings;

macro_rules! told {
    (told $Kind:ident $connect:ident) => {
        SystemSettings::$Kind($connect.into())
    };
    (none $Kind:ident $connect:ident) => {{
        let _ = $connect;
        SystemSettings::from(SystemKind::$Kind)
    }};
}

macro_rules! settings {
    ($($Kind:ident $table:ident ($Entry:ident, $Connect:ident, $settings:ident) $ways:tt $known:tt)*) => {
        impl TargetConfig {
            /// The settings of its state.
            #[must_use]
            pub fn settings(&self) -> SystemSettings {
                match &self.connect {
                    $(Connect::$Kind(connect) => told!($settings $Kind connect),)*
                    Connect::Unusable { kind, .. } => SystemSettings::from(*kind),
                }
            }
        }
    };
}

each_system!(settings);

impl From<&PostgresConnect> for PostgresSettings {
    fn from(connect: &PostgresConnect) -> Self {
        Self { rotation: connect.rotation.clone(), panels: connect.panels.clone() }
    }
}

impl From<&RedisConnect> for RedisSettings {
    fn from(connect: &RedisConnect) -> Self {
        Self { envelope: connect.envelope.clone(), brake: connect.brake }
    }
}

impl From<&PrometheusConnect> for PrometheusSettings {
    fn from(connect: &PrometheusConnect) -> Self {
        Self { panels: connect.queries.clone(), past: connect.past.clone() }
    }
}

impl From<&HttpConnect> for MetricsSettings {
    fn from(connect: &HttpConnect) -> Self {
        Self { requests: connect.requests.clone(), operations: connect.operations.clone() }
    }
}

impl From<&HealthConnect> for HealthSettings {
    fn from(connect: &HealthConnect) -> Self {
        Self { fields: connect.fields.clone() }
    }
}

impl From<&ProbeConnect> for ProbeSettings {
    fn from(connect: &ProbeConnect) -> Self {
        Self { link: connect.link.clone() }
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::config::discover::Surroundings;
    use crate::config::resolve::resolve;
    use crate::config::wishes::Wishes;
    use crate::core::ids::SystemKind;
    use crate::core::metrics::Operation;
    use crate::core::postgres::Literals;

    /// An entry of every system.
    const ALL: &str = "
        [[postgres]]
        url = \"postgres://ann@h/a\"
        role = \"reporting\"
        max_lag = \"10s\"
        hide_literals = true
        [[panel]]
        name = \"jobs\"
        kind = \"sql\"
        sql = \"SELECT 1\"
        warning = { n = 1.0 }
        [[redis]]
        url = \"redis://h\"
        redrive_per_second = 7
        mask = [\"card\"]
        envelope = { payload = \"/body\" }
        [[search]]
        url = \"http://h\"
        [[prometheus]]
        url = \"http://h\"
        [[prometheus.query]]
        title = \"errors\"
        expr = \"up\"
        warning = 3.0
        [[prometheus.past]]
        target = \"pg\"
        number = \"connections\"
        expr = \"sum(backends)\"
        [[metrics]]
        url = \"http://h/metrics\"
        requests = \"asked_total\"
        operations = { simple_query = \"reads\" }
        [[loki]]
        url = \"http://h\"
        mask = [\"email\"]
        [[loki.query]]
        title = \"slow\"
        expr = \"{}\"
        [[alertmanager]]
        url = \"http://h\"
        [[log]]
        name = \"lines\"
        file = \"/var/log/shop.log\"
        for = [\"mails\"]
        mask = [\"email\"]
        [[health]]
        url = \"http://h/health\"
        fields = [{ pointer = \"/cache/hitRate\", unit = \"ratio\", warning_below = 0.5 }]
        [[probe]]
        tcp = \"h:25\"
        link = \"https://wiki.example\"
    ";

    #[test]
    fn what_is_configured_of_a_target_is_in_its_settings() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("c.toml");
        std::fs::write(&path, ALL).expect("written");
        let wishes = Wishes { config: Some(path), ..Wishes::default() };
        let settings = resolve(&wishes, &Surroundings::empty(folder.path())).expect("fine");
        let mut kinds = Vec::new();
        for target in &settings.targets {
            kinds.push(target.kind());
            if let Connect::Postgres(connect) = &target.connect {
                assert_eq!(connect.literals, Literals::Hidden);
            }
            if let Connect::Log(connect) = &target.connect {
                assert_eq!(connect.masks, ["card", "email"], "what a queue hides, its log does not show");
            }
            if let Connect::Loki(connect) = &target.connect {
                assert_eq!(connect.masks, ["card", "email"], "what a queue hides, its log does not show");
            }
            match target.settings() {
                SystemSettings::Postgres(postgres) => {
                    assert_eq!(
                        postgres.rotation.as_ref().map(|rotation| rotation.role.as_str()),
                        Some("reporting")
                    );
                    let panel = postgres.panel("jobs").expect("the panel");
                    assert_eq!(panel.thresholds["n"], (Some(1.0), None));
                }
                SystemSettings::Redis(redis) => {
                    assert_eq!(
                        (redis.brake.per_second, redis.envelope.payload.as_deref()),
                        (7, Some("/body"))
                    );
                }
                SystemSettings::Prometheus(prometheus) => {
                    assert_eq!(prometheus.panel("errors").and_then(|panel| panel.warning), Some(3.0));
                    assert_eq!(prometheus.past[0].expr, "sum(backends)");
                }
                SystemSettings::Metrics(metrics) => {
                    assert_eq!(metrics.requests.as_deref(), Some("asked_total"));
                    assert_eq!(metrics.operations[&Operation::SimpleQuery], "reads");
                }
                SystemSettings::Loki(loki) => {
                    assert_eq!(loki.panel("slow").map(|panel| panel.expr.as_str()), Some("{}"));
                }
                SystemSettings::Log(log) => assert_eq!(log.of, ["mails"]),
                SystemSettings::Health(health) => {
                    let told: Vec<_> = health
                        .fields
                        .iter()
                        .map(|field| (field.name.as_str(), field.below.warning))
                        .collect();
                    assert_eq!(told, [("hitRate", Some(0.5))]);
                }
                SystemSettings::Probe(probe) => {
                    assert_eq!(probe.link.as_deref(), Some("https://wiki.example"));
                }
                SystemSettings::Search(_) | SystemSettings::Alertmanager(_) => {}
            }
            assert_eq!(target.settings().kind(), target.kind());
        }
        assert_eq!(kinds.len(), SystemKind::ALL.len(), "{kinds:?}");
    }
}
