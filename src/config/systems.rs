//! The closed list of systems as configuration knows them: the table of each, what stands in an entry, and what is known before anything is
//! asked (where it listens, how often it is asked, which variable names it, what its images are called).

/// Gives the list to the macro `$then`, in the order in which places are looked at. Behind the table's name: the types of an entry and of a
/// way to the server, and whether its state is told anything of that; the functions that make such a way from an [entry](super::entries),
/// from what is known [nearby](super::nearby), from a [URL on the command line](super::named) (with the schemes that mean it; without one
/// `http` does, behind the table's name) and from the URL in a variable (Postgres has more than one: see [`super::discover`]); where a
/// password is read by nobody else; then port, seconds from poll to poll, the names of images, also with something behind a hyphen, and
/// the options and variables that say where it listens in a container.
macro_rules! each_system {
    ($then:ident) => {
        $then! {
            Postgres postgres (PostgresFile, PostgresConnect, told)
                { entry: postgres, nearby: postgres, url: postgres_given ["postgres", "postgresql"] "use PGPASSWORD or ~/.pgpass",
                  variable: None }
                (Some(5432), 2, ["postgres", "postgresql", "postgis", "timescaledb", "pgvector", "citus", "paradedb", "pgautoupgrade"],
                 ["-p", "port", "--port"], ["PGPORT", "POSTGRESQL_PORT_NUMBER"])
            Redis redis (RedisFile, RedisConnect, told)
                { entry: redis, nearby: redis, url: redis_given ["redis", "rediss", "unix", "valkey", "valkeys", "redis+unix"] "use REDIS_URL",
                  variable: Some(("REDIS_URL", redis_whole)) }
                (Some(6379), 2, ["redis", "valkey", "redis-stack", "keydb", "dragonfly"],
                 ["--port"], ["REDIS_PORT_NUMBER", "VALKEY_PORT_NUMBER"])
            Search search (HttpFile, HttpConnect, none)
                { entry: server, nearby: search, url: base_given [] "use ELASTICSEARCH_URL",
                  variable: Some(("ELASTICSEARCH_URL", http_base)) }
                (Some(9200), 5, ["elasticsearch", "opensearch"],
                 ["-Ehttp.port"], ["http.port", "ELASTICSEARCH_PORT_NUMBER"])
            Prometheus prometheus (PrometheusFile, PrometheusConnect, told)
                { entry: prometheus, nearby: http, url: base_given [] "use PROMETHEUS_URL",
                  variable: Some(("PROMETHEUS_URL", http_base)) }
                (Some(9090), 5, ["prometheus"], ["--web.listen-address"], ["PROMETHEUS_PORT_NUMBER"])
            Metrics metrics (HttpFile, HttpConnect, told)
                { entry: endpoint, nearby: http, url: endpoint_given [] "use a configuration file",
                  variable: None }
                (None, 5, [], [], [])
            Alertmanager alertmanager (HttpFile, HttpConnect, none)
                { entry: server, nearby: http, url: base_given [] "use ALERTMANAGER_URL",
                  variable: Some(("ALERTMANAGER_URL", http_base)) }
                (Some(9093), 10, ["alertmanager", "prom-alertmanager"], ["--web.listen-address"], ["ALERTMANAGER_PORT_NUMBER"])
            Loki loki (LokiFile, LokiConnect, told)
                { entry: loki, nearby: http, url: base_given [] "use LOKI_ADDR",
                  variable: Some(("LOKI_ADDR", http_base)) }
                (Some(3100), 2, ["loki", "grafana-loki"], ["-server.http-listen-port"], [])
            Log log (LogFile, LogConnect, told)
                { entry: log, nearby: log, url: file_given ["file"] "use a configuration file",
                  variable: None }
                (None, 2, [], [], [])
            Health health (HealthFile, HealthConnect, told)
                { entry: health, nearby: http, url: endpoint_given [] "use a configuration file",
                  variable: None }
                (None, 10, [], [], [])
            Probe probe (ProbeFile, ProbeConnect, told)
                { entry: probe, nearby: http, url: endpoint_given [] "use a configuration file",
                  variable: None }
                (None, 10, [], [], [])
        }
    };
}

pub(super) use each_system;
