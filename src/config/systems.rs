//! The closed list of systems as configuration knows them: the table of each, what stands in an entry, and what is known before anything is
//! asked (where it listens, how often it is asked, which variable names it, what its images are called).

/// Gives the list to the macro `$then`, in the order in which places are looked at. Behind the table's name: the types of an entry and of a
/// way to the server; the functions that make such a way from an [entry](super::entries), from what is known [nearby](super::nearby) and
/// from the URL in a variable (Postgres has more than one: see [`super::discover`]); then port, seconds from poll to poll, and the names of
/// images, also with something behind a hyphen.
macro_rules! each_system {
    ($then:ident) => {
        $then! {
            Postgres postgres (PostgresFile, PostgresConnect)
                { entry: postgres, nearby: postgres, variable: None }
                (Some(5432), 2, ["postgres", "postgresql", "postgis", "timescaledb", "pgvector"])
            Redis redis (RedisFile, RedisConnect)
                { entry: redis, nearby: redis, variable: Some(("REDIS_URL", redis_whole)) }
                (Some(6379), 2, ["redis", "valkey", "redis-stack"])
            Search search (HttpFile, HttpConnect)
                { entry: server, nearby: search, variable: Some(("ELASTICSEARCH_URL", http_base)) }
                (Some(9200), 5, ["elasticsearch", "opensearch"])
            Prometheus prometheus (PrometheusFile, PrometheusConnect)
                { entry: prometheus, nearby: http, variable: Some(("PROMETHEUS_URL", http_base)) }
                (Some(9090), 5, ["prometheus"])
            Metrics metrics (HttpFile, HttpConnect)
                { entry: endpoint, nearby: http, variable: None }
                (None, 5, [])
        }
    };
}

pub(super) use each_system;
