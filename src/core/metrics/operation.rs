//! What an application does and measures, and how its families are recognised: by words in their names, which say the unit, too, and by
//! labels. What they tell of no application is left out. Pure.

/// What an application does and measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// A request that reads.
    Get,
    /// A request that writes.
    Post,
    /// A request with another method.
    Other,
    /// A request, where no method is told.
    Request,
    /// Every database query.
    Query,
    /// Those that it calls simple.
    SimpleQuery,
    /// Those that it calls complex.
    ComplexQuery,
    /// A look into its cache.
    Cache,
    /// A search.
    Search,
    /// A job of a queue.
    Job,
}

impl Operation {
    /// All of them, as they are listed.
    pub const ALL: [Self; 10] = [
        Self::Get,
        Self::Post,
        Self::Other,
        Self::Request,
        Self::Query,
        Self::SimpleQuery,
        Self::ComplexQuery,
        Self::Cache,
        Self::Search,
        Self::Job,
    ];

    /// As sentences name it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Query => "database queries",
            Self::SimpleQuery => "simple queries",
            Self::ComplexQuery => "complex queries",
            Self::Cache => "looks into the cache",
            Self::Search => "searches",
            Self::Job => "jobs",
            Self::Get => "GET requests",
            Self::Post => "POST requests",
            Self::Other => "other requests",
            Self::Request => "requests",
        }
    }

    /// As tables and the configuration name it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::SimpleQuery => "simple query",
            Self::ComplexQuery => "complex query",
            Self::Cache => "cache",
            Self::Search => "search",
            Self::Job => "job",
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Other => "other method",
            Self::Request => "request",
        }
    }

    /// Whether it is what the process is asked for: its families are found by the family that counts requests.
    #[must_use]
    pub const fn is_request(self) -> bool {
        match self {
            Self::Get | Self::Post | Self::Other | Self::Request => true,
            Self::Query | Self::SimpleQuery | Self::ComplexQuery | Self::Cache | Self::Search | Self::Job => {
                false
            }
        }
    }

    /// Whether it is counted with another operation, too.
    #[must_use]
    pub const fn is_part(self) -> bool {
        matches!(self, Self::SimpleQuery | Self::ComplexQuery)
    }

    /// Whether a series with these labels is one of it.
    #[must_use]
    pub(super) fn has(self, labels: &str) -> bool {
        let labels = labels.to_lowercase();
        let says = |words: &str| labels.contains(words);
        match self {
            Self::SimpleQuery => says("=\"simple\""),
            Self::ComplexQuery => says("=\"complex\""),
            Self::Get => says("method=\"get\""),
            Self::Post => says("method=\"post\""),
            Self::Other => says("method=\"") && !says("method=\"get\"") && !says("method=\"post\""),
            Self::Request => !says("method=\""),
            Self::Query | Self::Cache | Self::Search | Self::Job => true,
        }
    }

    /// Whether a family of this name measures it; requests are found by another way.
    pub(super) fn measured_by(self, family: &str) -> bool {
        let has = |parts: &[&str]| parts.iter().any(|part| family.contains(part));
        match self {
            Self::Query | Self::SimpleQuery | Self::ComplexQuery => {
                has(&["query", "queries", "db_client_operation", "sql"])
                    && !has(&["search", "elastic", "dns"])
            }
            Self::Cache => has(&["cache", "redis"]) && !has(&["invalidat", "refresh", "rebuild"]),
            Self::Search => has(&["search"]) && !has(&["research", "index"]),
            Self::Job => has(&["job"]) && !has(&["wait", "delay", "queue_time", "lag"]),
            Self::Get | Self::Post | Self::Other | Self::Request => false,
        }
    }
}

/// Families of servers and exporters: what they measure is about themselves, and no application's.
const SERVERS: [&str; 22] = [
    "alertmanager_",
    "caddy_",
    "container_",
    "cortex_",
    "elasticsearch_",
    "etcd_",
    "go_",
    "grafana_",
    "http_",
    "jvm_",
    "kube",
    "loki_",
    "mimir_",
    "node_",
    "pg_",
    "prometheus_",
    "promhttp_",
    "redis_",
    "tempo_",
    "thanos_",
    "traefik_",
    "process_",
];

/// Names that begin like an exporter's, and which none of them has: an application's, of what it asks that server.
const CLIENTS: [&str; 8] = [
    "elasticsearch_query_",
    "elasticsearch_request_",
    "elasticsearch_search_",
    "pg_query_",
    "redis_cache_",
    "redis_get_",
    "redis_operation_",
    "redis_request_",
];

pub(super) fn is_of_an_application(name: &str) -> bool {
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| name.starts_with(beginning));
    !begins(&SERVERS) || begins(&CLIENTS)
}

/// Seconds in the unit that a name tells.
pub(super) fn unit(family: &str) -> Option<f64> {
    let ends = |units: &[&str]| units.iter().any(|unit| family.ends_with(unit));
    if ends(&["_seconds", "_sec"]) {
        Some(1.0)
    } else if ends(&["_ms", "_msec", "_millis", "_milliseconds"]) {
        Some(0.001)
    } else if ends(&["_us", "_usec", "_microseconds"]) {
        Some(0.000_001)
    } else {
        None
    }
}

/// What a family measures by its name, without what says that it is a duration and in which unit: `job` of `job_processing_duration_seconds`.
pub(super) fn stem(family: &str) -> &str {
    const ENDS: [&str; 19] = [
        "_total",
        "_seconds",
        "_sec",
        "_milliseconds",
        "_millis",
        "_msec",
        "_ms",
        "_microseconds",
        "_usec",
        "_us",
        "_histogram",
        "_duration",
        "_latency",
        "_time",
        "_processing",
        "_processed",
        "_execution",
        "_executed",
        "s",
    ];
    let mut rest = family;
    while let Some(shorter) = ENDS.iter().find_map(|end| rest.strip_suffix(end)) {
        rest = shorter;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_of_one_kind_of_request() {
        let kinds = |labels: &str| -> Vec<Operation> {
            Operation::ALL.into_iter().filter(|all| all.is_request() && all.has(labels)).collect()
        };
        assert_eq!(kinds("method=\"GET\", route=\"/a\""), [Operation::Get]);
        assert_eq!(kinds("http_request_method=\"POST\""), [Operation::Post]);
        assert_eq!(kinds("method=\"DELETE\""), [Operation::Other]);
        assert_eq!(kinds("route=\"/a\""), [Operation::Request]);
        assert_eq!(kinds(""), [Operation::Request]);
    }

    #[test]
    fn a_stem_is_what_is_measured() {
        for (family, expected) in [
            ("job_processing_duration_seconds", "job"),
            ("jobs_total", "job"),
            ("db_query_duration_ms", "db_query"),
            ("search_latency_seconds", "search"),
        ] {
            assert_eq!(stem(family), expected);
        }
    }

    #[test]
    fn what_exporters_tell_of_themselves_is_no_applications() {
        for (name, expected) in [
            ("elasticsearch_query_duration_seconds", true),
            ("elasticsearch_indices_search_query_time_seconds", false),
            ("redis_commands_latencies_usec", false),
            ("redis_operation_duration_seconds", true),
            ("pg_stat_statements_seconds", false),
            ("shop_query_seconds", true),
        ] {
            assert_eq!(is_of_an_application(name), expected, "{name}");
        }
    }
}
