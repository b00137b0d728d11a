//! The closed list of systems: what each is called, the names of its types, and the screens that are its own. Kind, reading, state, rows
//! and screens are made from it, with every match over them: a system is named here and nowhere else in this layer.
//!
//! Asked of a system's module: its reading (which knows its `whereabouts`), its state (`new`, `absorb`, `gap`, `interrupt`, and how it is
//! judged), its rows, its settings and its `RULES`.

/// Gives the list to the macro `$then`: the systems in the order in which screens list them, each with its module, its types (reading,
/// state, row, settings), its words (short, full, a sentence) and its screens.
macro_rules! each_system {
    ($then:ident) => {
        $then! {
            Postgres postgres (PostgresReading, PostgresState, PgRow, PostgresSettings)
                ("pg", "Postgres", "A PostgreSQL server, primary or standby.")
                {
                    Blocking "blocking" "Who blocks whom."
                    Queries "queries" "Running queries, then statements by share of the window."
                    Health "health" "Database health."
                    Replication "replication" "Replication."
                }
            Redis redis (RedisReading, RedisState, RedisRow, RedisSettings)
                ("redis", "Redis", "A Redis (or Valkey) server, with the job queues in it.")
                { Queues "queues" "Queues, their failed jobs, one job; and the Redis server." }
            Search search (SearchReading, SearchState, SearchRow, SearchSettings)
                ("search", "Elasticsearch", "An Elasticsearch or OpenSearch cluster.")
                { Search "search" "Elasticsearch." }
            Prometheus prometheus (PrometheusReading, PrometheusState, PrometheusRow, PrometheusSettings)
                ("prom", "Prometheus", "The HTTP interface of a Prometheus server.")
                {}
            Metrics metrics (MetricsReading, MetricsState, MetricsRow, MetricsSettings)
                ("metrics", "metrics endpoint", "One `/metrics` endpoint, scraped by stacktop itself.")
                { Metrics "metrics" "Prometheus and `/metrics`." }
            Alertmanager alertmanager (AlertmanagerReading, AlertmanagerState, AlertmanagerRow, AlertmanagerSettings)
                ("alertmanager", "Alertmanager", "An Alertmanager, or what speaks its interface.")
                { Alerts "alerts" "What each Alertmanager holds, and silences." }
            Loki loki (LokiReading, LokiState, LokiRow, LokiSettings)
                ("loki", "Loki", "A Grafana Loki server.")
                { Logs "logs" "Lines and errors by stream, and the lines themselves." }
            Log log (LogReading, LogState, LogRow, LogSettings)
                ("log", "log", "A log: a file of this machine, or what a command prints.")
                {}
            Health health (HealthReading, HealthState, HealthRow, HealthSettings)
                ("health", "health endpoint", "One health endpoint: what an application says of itself.")
                {}
            Probe probe (ProbeReading, ProbeState, ProbeRow, ProbeSettings)
                ("probe", "probe", "Something that only has to answer: a page, a port, a Grafana, a MinIO, a MongoDB.")
                {}
        }
    };
}

pub(super) use each_system;
